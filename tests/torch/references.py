"""What ops of PyTorch are compared with where their own derivatives are not what they should be.

Each reference has the op's values, which is checked, and derivatives that finite differences confirm, which is
checked too (torch.autograd.gradcheck), on every sample of float64."""
import torch
import torch.nn.functional as F

REFERENCES = {}


def instead(name, why):
    def add(function):
        REFERENCES[name] = (function, why)
        return function
    return add


@instead("nn.functional.hardsigmoid", "its slope is the float32 next to 1/6, in float64 as well")
def hardsigmoid(x, inplace=False):
    return F.relu6(x + 3) / 6


@instead("as_strided_scatter", "its derivative by the input is what belongs to the elements that are replaced")
def as_strided_scatter(x, src, size, stride, storage_offset=0):
    at = torch.arange(x.numel()).as_strided(size, stride, storage_offset).reshape(-1)
    return x.reshape(-1).index_put((at,), src.reshape(-1)).reshape(x.shape)


@instead("native_layer_norm", "its derivative by the weight subtracts products that cancel")
def native_layer_norm(x, normalized_shape, weight, bias, eps):
    dims = list(range(x.dim() - len(normalized_shape), x.dim()))
    mean = x.mean(dims, keepdim=True)
    factor = torch.rsqrt((x - mean).square().mean(dims, keepdim=True) + eps)
    out = (x - mean) * factor
    out = out if weight is None else out * weight
    return (out if bias is None else out + bias), mean.detach(), factor.detach()


TRIANGLE = "its derivative by the factor has a part by the triangle that is not read"


@instead("cholesky_solve", TRIANGLE)
def cholesky_solve(B, factor, upper=False):
    first = factor.mT if upper else factor
    y = torch.linalg.solve_triangular(first, B, upper=False)
    return torch.linalg.solve_triangular(first.mT, y, upper=True)


@instead("cholesky_inverse", TRIANGLE)
def cholesky_inverse(factor, upper=False):
    return cholesky_solve(torch.eye(factor.shape[-1], dtype=factor.dtype), factor, upper)

"""Functions of torch that read values of tensors to decide what to do, written without that.

They stand in for PyTorch's own while it traces: each has the signature and the result of the function that it
replaces, with a program that the shapes alone decide."""
import itertools
import math

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

FUNCTIONS = {}


def instead(*functions):
    def add(function):
        for f in functions:
            FUNCTIONS[f] = function
        return function
    return add


class Static(TorchFunctionMode):
    """While it is entered, calls of those functions are calls of these."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        return FUNCTIONS.get(func, func)(*args, **(kwargs or {}))


@instead(torch.Tensor.data.__get__)
def data(self):
    return self.detach()


@instead(torch.cov, torch.Tensor.cov)
def cov(input, *, correction=1, fweights=None, aweights=None):
    x = input.reshape(1, -1) if input.dim() < 2 else input
    weights = [w for w in (fweights, aweights) if w is not None]
    if not weights:
        centred = x - x.mean(1, keepdim=True, dtype=promoted(x))
        return ((centred @ centred.t()) / max(x.shape[1] - correction, 0)).squeeze()
    w = weights[0] if len(weights) == 1 else weights[0] * weights[1]
    total = w.sum(dtype=promoted(x))
    norm = total - correction
    if aweights is not None:
        norm = total - correction * (w * aweights).sum() / total
    centred = x - ((x * w).sum(1) / total).unsqueeze(1)
    return ((centred @ (centred * w).t()) / norm.clamp(min=0)).squeeze()


def promoted(x):
    return x.dtype if x.is_floating_point() else torch.get_default_dtype()


@instead(torch.corrcoef, torch.Tensor.corrcoef)
def corrcoef(input):
    c = cov(input)
    if not c.dim():
        return c / c
    deviation = c.diagonal().sqrt()
    return (c / deviation.unsqueeze(1) / deviation.unsqueeze(0)).clip(-1, 1)


@instead(torch.combinations)
def combinations(input, r=2, with_replacement=False):
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    rows = list(choose(range(input.shape[0]), r))
    return input[torch.tensor(rows, dtype=torch.int64).reshape(len(rows), r)] if r else input[:0]


@instead(F.gaussian_nll_loss)
def gaussian_nll_loss(input, target, var, full=False, eps=1e-6, reduction="mean"):
    """A variance below eps counts as eps, and is differentiated as if it did not."""
    if isinstance(var, float):
        var = var * torch.ones_like(input)
    if var.shape != input.shape and var.shape == input.shape[:-1]:
        var = var.unsqueeze(-1)
    var = torch.where(var < eps, eps + (var - var.detach()), var)
    each = 0.5 * (torch.log(var) + (input - target).square() / var)
    each = each + 0.5 * math.log(2 * math.pi) if full else each
    return each if reduction == "none" else each.mean() if reduction == "mean" else each.sum()


_narrow = torch.narrow


@instead(torch.narrow, torch.Tensor.narrow)
def narrow(input, dim, start, length):
    if not isinstance(start, torch.Tensor):
        return _narrow(input, dim, start, length)
    start = torch.where(start < 0, start + input.shape[dim], start)
    return input.index_select(dim, start + torch.arange(length))


if hasattr(F, "linear_cross_entropy"):
    _linear_cross_entropy = F.linear_cross_entropy

    @instead(F.linear_cross_entropy)
    def linear_cross_entropy(*args, options=None, **kwargs):
        """Chunks save memory, which is the partitioner's business."""
        return _linear_cross_entropy(*args, options=None, **kwargs)

"""Rules for ops of backward passes, which models that differentiate within themselves are made of."""
import re

import torch

from .rules import name_of, rule
from .rules_window import ANTIALIASED, resampling

aten = torch.ops.aten


def results(wanted, *make):
    """One result for each of make that is wanted."""
    return [of() if want else None for want, of in zip(wanted, make)]


@rule("convolution_backward")
def convolution_backward(c, grad_output, input, weight, bias_sizes, stride, padding, dilation, transposed, output_padding,
                         groups, output_mask, **_):
    """The IR's own ops for gradients of convolutions, which are closed under differentiation."""
    space = weight.rank - 2
    windows = dict(stride=list(stride), dilation=list(dilation), groups=groups)

    def of_input():
        x = [grad_output, weight]
        if transposed:
            return c.g.op("convolution", x, *c.results[0], low=list(padding), count=input.shape[2:], **windows)
        reach = [(o - 1) * s - 2 * p + d * (k - 1) + 1
                 for o, s, p, d, k in zip(grad_output.shape[2:], *map(each(space), (stride, padding, dilation)), weight.shape[2:])]
        more = [n - r for n, r in zip(input.shape[2:], reach)]
        return c.g.op("conv_transpose%dd" % space, x, *c.results[0], padding=list(padding), output_padding=more, **windows)

    def of_weight():
        x = [grad_output, input] if transposed else [input, grad_output]
        return c.g.op("convolution_weight", x, *c.results[1], low=list(padding), size=weight.shape[2:], **windows)

    def of_bias():
        return c.g.op("sum", [grad_output], *c.results[2], dim=[d for d in range(grad_output.rank) if d != 1])

    return results(output_mask, of_input, of_weight, of_bias)


def each(space):
    """A number for each spatial dimension, as one for all of them says it."""
    return lambda n: list(n) * (space if len(n) == 1 else 1)


# ---- pools, borders and sizes: each dimension by itself is mapped by a matrix, the gradient by its transpose

def blocks(rows, columns):
    """The matrix of `columns` ones in each of `rows` rows, side by side."""
    return torch.eye(rows, dtype=torch.float64).repeat_interleave(columns, 1)


def across(c, x, d, matrix):
    """x contracted along dimension d with the rows of a matrix, which is a constant of the model if it must be."""
    size, n = matrix.shape
    shape, scale = x.shape[:d] + [n] + x.shape[d + 1:], float(matrix.max())
    if n % size == 0 and torch.equal(matrix, scale * blocks(size, n // size)):
        if n > size:
            wide = x.shape[:d + 1] + [n // size] + x.shape[d + 1:]
            one = c.reshape(x, x.shape[:d + 1] + [1] + x.shape[d + 1:])
            x = c.reshape(c.g.op("expand", [one], x.dtype, wide, shape=wide), shape)
    elif size % n == 0 and torch.equal(matrix, scale * blocks(n, size // n).t()):
        tall = c.reshape(x, x.shape[:d] + [n, size // n] + x.shape[d + 1:])
        x = c.g.op("sum", [tall], x.dtype, shape, dim=[d + 1])
    else:
        labels = "abcde"[:x.rank]
        equation = "%s,%sz->%s" % (labels, labels[d], labels.replace(labels[d], "z"))
        return c.g.op("einsum", [x, c.constant("weight", matrix, x.dtype)], x.dtype, shape, equation=equation)
    return x if scale == 1 else c.g.op("mul", [x, scale], x.dtype, shape)


def transposed(c, x, sizes, forward):
    """forward(k, units): what becomes of each row of units in the k-th of the last dimensions, which are of these sizes."""
    for k, n in enumerate(sizes):
        columns = forward(k, torch.eye(n, dtype=torch.float64).unsqueeze(0))
        x = across(c, x, x.rank - len(sizes) + k, columns[0].t().contiguous())
    return x


def space_of(c):
    return int(re.search(r"(\d)d", name_of(c.node.target)).group(1))


@rule("avg_pool2d_backward", "avg_pool3d_backward")
def avg_pool_backward(c, grad_output, self, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override, **_):
    space = space_of(c)
    kernel, stride, padding = (each(space)(n) for n in (kernel_size, stride or kernel_size, padding))

    def forward(k, units):
        y = aten.avg_pool1d(units, kernel[k], stride[k], padding[k], ceil_mode, count_include_pad)
        return (y > 0).to(y.dtype) if divisor_override else y

    x = transposed(c, grad_output, self.shape[-space:], forward)
    return c.op("mul", [x, 1 / divisor_override]) if divisor_override else x


@rule("_adaptive_avg_pool2d_backward", "_adaptive_avg_pool3d_backward")
def adaptive_avg_pool_backward(c, grad_output, self, **_):
    space = space_of(c)
    size = grad_output.shape[-space:]
    return transposed(c, grad_output, self.shape[-space:], lambda k, units: aten.adaptive_avg_pool1d(units, size[k]))


@rule("replication_pad1d_backward", "replication_pad2d_backward", "replication_pad3d_backward")
def replication_pad_backward(c, grad_output, self, padding, **_):
    space = space_of(c)
    sides = [padding[i:i + 2] for i in range(0, 2 * space, 2)][::-1]
    return transposed(c, grad_output, self.shape[-space:], lambda k, units: aten.replication_pad1d(units, sides[k]))


def images(resample):
    """What is there for images alone, in one dimension."""
    return lambda units, size, corners, scale: resampling(resample, units.shape[-1], size, scale, corners).t().unsqueeze(0)


def linear(units, size, corners, scale):
    return aten.upsample_linear1d(units, [size], corners, scale)


RESIZED = {"upsample_nearest": lambda units, size, corners, scale: aten.upsample_nearest1d(units, [size], scale),
           "_upsample_nearest_exact": lambda units, size, corners, scale: aten._upsample_nearest_exact1d(units, [size], scale),
           "upsample_linear": linear, "upsample_bilinear": linear, "upsample_trilinear": linear,
           "upsample_bicubic": images(aten.upsample_bicubic2d.default)}
RESIZED.update({"_upsample_%s" % how: images(op) for how, op in ANTIALIASED.items()})


@rule(*["%s%dd_backward" % (n, d) for n in ("upsample_nearest", "_upsample_nearest_exact") for d in (1, 2, 3)],
      "upsample_linear1d_backward", "upsample_bilinear2d_backward", "upsample_trilinear3d_backward",
      "upsample_bicubic2d_backward", "_upsample_bilinear2d_aa_backward", "_upsample_bicubic2d_aa_backward")
def upsample_backward(c, grad_output, output_size, input_size, align_corners=False, scales=None, scales_d=None, scales_h=None,
                      scales_w=None, **_):
    space = space_of(c)
    forward = RESIZED[re.split(r"\dd", name_of(c.node.target))[0]]
    scale = [scales] if space == 1 else [scales_d, scales_h, scales_w][-space:]
    return transposed(c, grad_output, input_size[-space:],
                      lambda k, units: forward(units, output_size[k], align_corners, scale[k]))

"""Rules of what slides windows over images, pads them, and changes their size."""
import re

import torch

from .rules import name_of, rule


def given(*values):
    return [x for x in values if x is not None]


# ---- convolutions

def same_padding(weight, dilation, space):
    """What keeps the size: the odd one is behind."""
    dilation = list(dilation) * (space if len(dilation) == 1 else 1)
    total = [d * (k - 1) for d, k in zip(dilation, weight.shape[-space:])]
    return [n // 2 for n in total] + [n - n // 2 for n in total]


@rule("conv1d", "conv2d", "conv3d", "conv1d.padding", "conv2d.padding", "conv3d.padding")
def conv(c, input, weight, bias=None, stride=(1,), padding=(0,), dilation=(1,), groups=1, **_):
    space = weight.rank - 2
    if isinstance(padding, str):
        padding = same_padding(weight, dilation, space) if padding == "same" else [0]
    return c.op("conv%dd" % space, [input, weight] + given(bias), stride=list(stride), padding=list(padding),
                dilation=list(dilation), groups=groups)


@rule("conv_transpose1d", "conv_transpose2d.input", "conv_transpose3d.input")
def conv_transpose(c, input, weight, bias=None, stride=(1,), padding=(0,), output_padding=(0,), groups=1, dilation=(1,), **_):
    return c.op("conv_transpose%dd" % (weight.rank - 2), [input, weight] + given(bias), stride=list(stride),
                padding=list(padding), output_padding=list(output_padding), dilation=list(dilation), groups=groups)


@rule("convolution", "_convolution", "convolution_overrideable")
def convolution(c, input, weight, bias, stride, padding, dilation, transposed, output_padding, groups, **_):
    if transposed:
        return conv_transpose(c, input, weight, bias, stride, padding, output_padding, groups, dilation)
    return conv(c, input, weight, bias, stride, padding, dilation, groups)


# ---- pools

@rule("max_pool1d", "max_pool2d", "max_pool3d", "max_pool1d_with_indices", "max_pool2d_with_indices",
      "max_pool3d_with_indices")
def max_pool(c, self, kernel_size, stride=(), padding=(0,), dilation=(1,), ceil_mode=False, **_):
    op = name_of(c.node.target)
    if not self.floating:
        c.refuse("%s of integers" % op)
    attrs = dict(kernel_size=list(kernel_size), stride=list(stride) or None, padding=list(padding), dilation=list(dilation),
                 ceil_mode=ceil_mode or None)
    if op.endswith("_with_indices"):
        return c.g.ops(op, [self], c.results, **attrs)
    return c.op(op, [self], **attrs)


@rule("avg_pool1d", "avg_pool2d", "avg_pool3d")
def avg_pool(c, self, kernel_size, stride=(), padding=(0,), ceil_mode=False, count_include_pad=True, divisor_override=None, **_):
    if not self.floating:
        c.refuse("%s of integers" % name_of(c.node.target))
    return c.op(name_of(c.node.target), [self], kernel_size=list(kernel_size), stride=list(stride) or None,
                padding=list(padding), ceil_mode=ceil_mode or None, count_include_pad=None if count_include_pad else False,
                divisor_override=divisor_override)


@rule("adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "_adaptive_avg_pool2d", "_adaptive_avg_pool3d")
def adaptive_avg_pool(c, self, output_size, **_):
    return c.op(name_of(c.node.target).lstrip("_"), [self], output_size=list(output_size))


@rule("adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d")
def adaptive_max_pool(c, self, output_size, **_):
    return c.g.ops(name_of(c.node.target) + "_with_indices", [self], c.results, output_size=list(output_size))


@rule("max_unpool2d", "max_unpool3d")
def max_unpool(c, self, indices, output_size, **_):
    return c.op(name_of(c.node.target), [self, indices], output_size=list(output_size))


@rule("im2col")
def im2col(c, self, kernel_size, dilation, padding, stride, **_):
    return c.op("unfold", [self], kernel_size=list(kernel_size), dilation=list(dilation), padding=list(padding),
                stride=list(stride))


@rule("col2im")
def col2im(c, self, output_size, kernel_size, dilation, padding, stride, **_):
    return c.op("fold", [self], output_size=list(output_size), kernel_size=list(kernel_size), dilation=list(dilation),
                padding=list(padding), stride=list(stride))


@rule("unfold")
def unfold(c, self, dimension, size, step, **_):
    """windows along one dimension; their elements are a new last one"""
    shape = c.results[0][1]
    if not self.rank and 0 not in shape:
        return c.reshape(self, shape)
    dimension %= max(self.rank, 1)
    if not isinstance(self.shape[dimension], int):
        c.refuse("unfold of a symbolic dimension")
    one = c.reshape(self, self.shape + [1])
    wide = c.g.op("expand", [one], self.dtype, self.shape + [size], shape=self.shape + [size])
    return c.op("window", [wide], dim=dimension, taps=self.rank, count=shape[dimension], stride=step)


# ---- borders

def padded(c, op, x, pad):
    """What is added first, then what negative numbers cut off: each side is by itself."""
    low, high = [0] * x.rank, [0] * x.rank
    for i in range(len(pad) // 2):
        low[-1 - i], high[-1 - i] = pad[2 * i], pad[2 * i + 1]
    more = [[max(n, 0) for n in low], [max(n, 0) for n in high]]
    shape = [n + a + b if a or b else n for n, a, b in zip(x.shape, *more)]
    if any(more[0] + more[1]):
        x = c.g.op(op, [x], x.dtype, shape, low=more[0], high=more[1])
    for d, (a, b) in enumerate(zip(low, high)):
        if a < 0 or b < 0:
            shape = shape[:d] + [shape[d] + min(a, 0) + min(b, 0)] + shape[d + 1:]
            x = c.g.op("slice", [x], x.dtype, shape, dim=d, start=-min(a, 0) or None, end=min(b, 0) or None)
    return x


@rule("reflection_pad1d", "reflection_pad2d", "reflection_pad3d")
def reflection_pad(c, self, padding, **_):
    return padded(c, "pad_reflect", self, padding)


@rule("replication_pad1d", "replication_pad2d", "replication_pad3d")
def replication_pad(c, self, padding, **_):
    return padded(c, "pad_replicate", self, padding)


@rule("_pad_circular")
def circular_pad(c, self, pad, **_):
    """What is cut off does not come in again at the other end."""
    inner = padded(c, "pad_circular", self, [min(n, 0) for n in pad])
    return padded(c, "pad_circular", inner, [max(n, 0) for n in pad])


@rule("roll")
def roll(c, self, shifts, dims=(), **_):
    return c.op("roll", [self], shifts=list(shifts), dims=list(dims) or None)


# ---- sizes

def resize(c, x, mode, scales, corners):
    """One op; several where the scale factors differ."""
    size = c.results[0][1][2:]
    scales = [s or None for s in scales]
    if len(set(scales)) == 1:
        return c.op("interpolate", [x], size=size, scale_factor=scales[0], mode=mode, align_corners=corners or None)
    if mode in ("bicubic", "area"):
        c.refuse("interpolation with different scale factors")
    mode = {"bilinear": "linear", "trilinear": "linear"}.get(mode, mode)
    for k, (n, s) in enumerate(zip(size, scales)):
        # one dimension at a time, the others before and behind it
        order = [d for d in range(x.rank) if d != 2 + k] + [2 + k]
        back = sorted(range(x.rank), key=lambda d: order[d])
        moved = x if order == back else c.g.op("permute", [x], x.dtype, [x.shape[d] for d in order], dims=order)
        shape = moved.shape
        rows = c.g.op("reshape", [moved], x.dtype, [-1, 1, shape[-1]], shape=[-1, 1, shape[-1]])
        rows = c.g.op("interpolate", [rows], x.dtype, [-1, 1, n], size=[n], scale_factor=s, mode=mode,
                      align_corners=corners or None)
        moved = c.g.op("reshape", [rows], x.dtype, shape[:-1] + [n], shape=shape[:-1] + [n])
        x = moved if order == back else c.g.op("permute", [moved], x.dtype, [moved.shape[d] for d in back], dims=back)
    return x


NAMED = {"upsample_linear1d": "linear", "upsample_bilinear2d": "bilinear", "upsample_trilinear3d": "trilinear",
         "upsample_bicubic2d": "bicubic"}


@rule(*["upsample_%s%dd%s" % (m, d, v) for m in ("nearest", "_nearest_exact") for d in (1, 2, 3) for v in ("", ".vec")],
      *["_upsample_nearest_exact%dd%s" % (d, v) for d in (1, 2, 3) for v in ("", ".vec")],
      *[n + v for n in NAMED for v in ("", ".vec")])
def upsample(c, input=None, self=None, align_corners=False, scale_factors=None, scales=None, scales_d=None, scales_h=None,
             scales_w=None, **_):
    x = self if input is None else input
    op = name_of(c.node.target).split(".")[0]
    mode = NAMED.get(op) or ("nearest-exact" if "exact" in op else "nearest")
    space = x.rank - 2
    if scale_factors is None:
        scale_factors = ([scales] if space == 1 else [scales_d, scales_h, scales_w][-space:])
    return resize(c, x, mode, list(scale_factors), align_corners)


ANTIALIASED = {"bilinear": torch.ops.aten._upsample_bilinear2d_aa.default,
               "bicubic": torch.ops.aten._upsample_bicubic2d_aa.default}


def resampling(resample, n, size, scale, align_corners):
    """The matrix [size, n] of one dimension, from what PyTorch makes of each unit vector (twice: images of one column
    it takes for another layout)."""
    unit = torch.eye(n, dtype=torch.float64).reshape(1, n, n, 1).expand(1, n, n, 2).contiguous()
    return resample(unit, [size, 2], align_corners, scale, None)[0, :, :, 0].t().contiguous()


@rule("_upsample_bilinear2d_aa", "_upsample_bilinear2d_aa.vec", "_upsample_bicubic2d_aa", "_upsample_bicubic2d_aa.vec")
def upsample_antialiased(c, input=None, self=None, align_corners=False, scale_factors=None, scales_h=None, scales_w=None, **_):
    """A linear map of rows and one of columns, which are constants of the model."""
    x = self if input is None else input
    size = c.results[0][1][2:]
    if not all(isinstance(n, int) for n in x.shape[2:] + size):
        c.refuse("antialiased interpolation of symbolic dimensions")
    mode = re.search("bilinear|bicubic", name_of(c.node.target)).group(0)
    for d, scale in enumerate(scale_factors or [scales_h, scales_w]):
        matrix = resampling(ANTIALIASED[mode], x.shape[2 + d], size[d], scale, align_corners)
        weight = c.constant(mode, matrix, x.dtype)
        shape = x.shape[:2 + d] + [size[d]] + x.shape[3 + d:]
        x = c.g.op("einsum", [x, weight], x.dtype, shape, equation="nchw,ih->nciw" if d == 0 else "nchw,iw->nchi")
    return x


@rule("pixel_shuffle")
def pixel_shuffle(c, self, upscale_factor, **_):
    return c.op("pixel_shuffle", [self], upscale_factor=upscale_factor)


@rule("pixel_unshuffle")
def pixel_unshuffle(c, self, downscale_factor, **_):
    return c.op("pixel_unshuffle", [self], downscale_factor=downscale_factor)


@rule("channel_shuffle", "native_channel_shuffle")
def channel_shuffle(c, self, groups, **_):
    return c.op("channel_shuffle", [self], groups=groups)

"""ATen ops that neither the IR nor PyTorch's own decompositions have, in terms of others.

Each is a function of the op's arguments, traced in the op's place. One that returns NotImplemented leaves that
call as it is, to a rule: so calls are picked that no op of the IR takes."""
import itertools
import math

import torch
import torch.nn.functional as F

aten = torch.ops.aten
COMPOSITE = torch._C.DispatchKey.CompositeImplicitAutograd
TABLE = {}


def present(*names):
    """Those of these ops that this PyTorch has."""
    for name in names:
        packet, overload = (name.split(".") + ["default"])[:2]
        if hasattr(getattr(aten, packet, None), overload):
            yield getattr(getattr(aten, packet), overload)


def instead(*names):
    def add(function):
        TABLE.update((op, function) for op in present(*names))
        return function
    return add


def unless(taken, *names):
    """PyTorch's own decomposition for calls of which taken(arguments by name) is false; a rule has the others."""
    for op in present(*names):
        def chosen(*args, _op=op, **kwargs):
            bound = dict(zip([a.name for a in _op._schema.arguments], args), **kwargs)
            return NotImplemented if taken(**bound) else _op._op_dk(COMPOSITE, *args, **kwargs)
        TABLE[op] = chosen


unless(lambda running_mean=None, use_input_stats=True, **_: running_mean is None or not use_input_stats,
       "instance_norm")


# ---- pointwise, and products

@instead("frexp.Tensor")
def frexp(x):
    """x = mantissa * 2^exponent, 1/2 <= |mantissa| < 1; the logarithm may be off by one beside powers of two."""
    exponent = torch.floor(torch.log2(x.abs())) + 1
    exponent = torch.where((x == 0) | ~torch.isfinite(x), 0.0, exponent).detach()
    half = torch.floor(exponent / 2)                    # 2^-exponent itself may overflow
    mantissa = x * torch.exp2(-half) * torch.exp2(half - exponent)
    more = (mantissa.abs() >= 1).to(x.dtype) - ((mantissa.abs() < 0.5) & (x != 0)).to(x.dtype)
    more = torch.where(torch.isfinite(x), more, 0.0)
    return mantissa * torch.exp2(-more), (exponent + more).to(torch.int32)


@instead("special_log_ndtr")
def log_ndtr(x):
    """Each branch sees only what it is for: derivatives of the other one overflow."""
    low = x < -1
    below, above = torch.where(low, x, -1.0), torch.where(low, -1.0, x)
    return torch.where(low, torch.log(torch.special.erfcx(-below * math.sqrt(0.5)) / 2) - below * below / 2,
                       torch.log1p(-torch.erfc(above * math.sqrt(0.5)) / 2))


@instead("_safe_softmax")
def safe_softmax(x, dim, dtype=None):
    """Zeros where a whole row is -inf, without a derivative that is no number."""
    nothing = (x == -math.inf).all(dim, keepdim=True)
    return torch.where(nothing, 0.0, torch.softmax(torch.where(nothing, 0.0, x), dim, dtype=dtype))


@instead("_trilinear")
def trilinear(i1, i2, i3, expand1, expand2, expand3, sumdim, unroll_dim=1):
    """A sum of products; each operand lacks the dimensions that it would be expanded by."""
    rank = i1.dim() + len(expand1)
    labels = ["".join(chr(97 + d) for d in range(rank) if d not in expand) for expand in (expand1, expand2, expand3)]
    out = "".join(chr(97 + d) for d in range(rank) if d not in sumdim)
    return torch.einsum("%s->%s" % (",".join(labels), out), i1, i2, i3)


@instead("linspace", "linspace.Tensor_Tensor", "linspace.Tensor_Scalar", "linspace.Scalar_Tensor")
def linspace(start, end, steps, *, dtype=None, **more):
    """Integers: between bounds that are rounded first, in float64, from both ends to the middle. Where PyTorch's machine
    fuses the product and the sum it rounds once less, and may be one off beside an integer."""
    if dtype is None or dtype.is_floating_point:
        return torch._refs.linspace(start, end, steps, dtype=dtype, **more)

    def bound(x):
        return x.to(dtype).double() if isinstance(x, torch.Tensor) else float(int(x))

    start, end = bound(start), bound(end)
    step, i = (end - start) / max(steps - 1, 1), torch.arange(steps, dtype=torch.float64)
    return torch.where(i < max(steps // 2, 1), start + step * i, end - step * (steps - 1 - i)).to(dtype)


# ---- pools of integers

class Windows:
    """The windows of a pool over the last `space` dimensions of x: their elements, and where they are."""

    def __init__(self, x, space, kernel, stride, padding, dilation, ceil_mode):
        def each(n):
            n = list(n) if isinstance(n, (list, tuple)) else [n]
            return n * space if len(n) == 1 else n

        self.x, self.space, self.size = x, space, list(x.shape[-space:])
        self.kernel, self.padding, self.dilation = each(kernel), each(padding), each(dilation)
        self.stride = each(stride or kernel)
        self.span = [d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation)]
        self.count = [self.windows(*at, ceil_mode) for at in zip(self.size, self.span, self.stride, self.padding)]

    @staticmethod
    def windows(n, span, stride, pad, ceil_mode):
        """As many as fit; a last one that begins inside may reach beyond the border."""
        room = n + 2 * pad - span
        count = (room + stride - 1 if ceil_mode else room) // stride + 1
        return count - 1 if ceil_mode and (count - 1) * stride >= n + pad else count

    def elements(self, fill):
        """[..., windows of each dimension, taps of each dimension]"""
        pad = []
        for n, s, w, p, c in zip(self.size, self.stride, self.span, self.padding, self.count):
            pad = [p, max((c - 1) * s + w - n - p, 0)] + pad
        x = F.pad(self.x, pad, value=fill)
        for d in range(self.space):
            x = x.unfold(self.x.dim() - self.space + d, self.span[d], self.stride[d])
            x = x.narrow(self.x.dim() - self.space + d, 0, self.count[d])
            x = x[..., ::self.dilation[d]]
        return x

    def begins(self, d):
        return torch.arange(self.count[d]) * self.stride[d] - self.padding[d]

    def across(self, d, values):
        return values.reshape([-1 if e == d else 1 for e in range(self.space)])

    def elements_of_each(self, with_padding):
        """How many elements an average is over."""
        total = None
        for d, n in enumerate(self.size):
            first, last = self.begins(d), self.begins(d) + self.kernel[d]
            edge = self.padding[d] if with_padding else 0
            many = last.clamp(max=n + edge) - (first if with_padding else first.clamp(min=0))
            many = self.across(d, many)
            total = many if total is None else total * many
        return total


def integer(x):
    return not x.is_floating_point()


def for_integers(space, name):
    """In the place of calls of op with integers; floats have a rule."""
    def add(function):
        for op in present(name):
            TABLE[op] = lambda x, *args, **kwargs: function(space, x, *args, **kwargs) if integer(x) else NotImplemented
        return function
    return add


@for_integers(1, "avg_pool1d")
@for_integers(2, "avg_pool2d")
@for_integers(3, "avg_pool3d")
def avg_pool(space, x, kernel_size, stride=(), padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None):
    windows = Windows(x, space, kernel_size, stride, padding, 1, ceil_mode)
    total = windows.elements(0).sum(list(range(-space, 0)))
    over = divisor_override or windows.elements_of_each(count_include_pad)
    return torch.div(total, over, rounding_mode="trunc").to(x.dtype)


@for_integers(2, "max_pool2d_with_indices")
@for_integers(3, "max_pool3d_with_indices")
def max_pool(space, x, kernel_size, stride=(), padding=0, dilation=1, ceil_mode=False):
    windows = Windows(x, space, kernel_size, stride, padding, dilation, ceil_mode)
    taps = windows.elements(torch.iinfo(x.dtype).min).flatten(-space)
    best = taps.argmax(-1)
    value, place = taps.gather(-1, best.unsqueeze(-1)).squeeze(-1), 0
    for d in range(space):
        tap = best // math.prod(windows.kernel[d + 1:]) % windows.kernel[d]
        place = place * windows.size[d] + tap * windows.dilation[d] + windows.across(d, windows.begins(d))
    return value, place


unless(lambda self, **_: not integer(self), "max_pool1d", "max_pool2d", "max_pool3d")


# ---- windows at places that are drawn, samples at places that are computed

def starts(sample, n, taps, count):
    """Where `count` windows of `taps` places begin among n: a random sequence of steps (Graham, Fractional Max-Pooling,
    2014, section 2) that a sample in [0, 1) fixes; the last one ends at the end."""
    last = torch.full_like(sample, n - taps).unsqueeze(-1)
    if count == 1:
        return last.to(torch.int64)
    alpha = (n - taps) / (count - 1)
    sample = sample.unsqueeze(-1)
    at = torch.trunc((torch.arange(count - 1) + sample) * alpha) - torch.trunc(sample * alpha)
    return torch.cat([at, last], -1).to(torch.int64)


def fractional_max_pool(x, kernel_size, output_size, random_samples, order):
    space = len(order)
    batched = x if x.dim() == space + 2 else x.unsqueeze(0)
    size, lead = batched.shape[2:], batched.shape[:2]
    place = None                           # [N, C, windows..., taps...] in the flattened input
    for d in range(space):
        at = starts(random_samples[:, :, order[d]], size[d], kernel_size[d], output_size[d])
        at = at.unsqueeze(-1) + torch.arange(kernel_size[d])
        shape = [1] * (2 * space)
        shape[d], shape[space + d] = output_size[d], kernel_size[d]
        at = at.reshape(*lead, *shape)
        place = at if place is None else place * size[d] + at
    place = place.flatten(2 + space).flatten(2, 1 + space)
    taps = batched.flatten(2).gather(2, place.flatten(2)).reshape(place.shape)
    best = taps.argmax(-1, keepdim=True)
    shape = [*lead, *output_size] if x.dim() == space + 2 else [lead[1], *output_size]
    return taps.gather(-1, best).reshape(shape), place.gather(-1, best).reshape(shape)


@instead("fractional_max_pool2d")
def fractional_max_pool2d(x, kernel_size, output_size, random_samples):
    return fractional_max_pool(x, kernel_size, output_size, random_samples, (1, 0))


@instead("fractional_max_pool3d")
def fractional_max_pool3d(x, kernel_size, output_size, random_samples):
    return fractional_max_pool(x, kernel_size, output_size, random_samples, (0, 1, 2))


ZEROS, BORDER, REFLECTION = range(3)


def source(x, n, padding, align_corners):
    """Coordinates in [-1, 1] as places among n elements, those outside brought inside."""
    x = (x + 1) / 2 * (n - 1) if align_corners else ((x + 1) * n - 1) / 2
    if padding == REFLECTION:
        low, span = (0.0, n - 1) if align_corners else (-0.5, n)
        if not span:
            return torch.zeros_like(x)
        x = (x - low).abs()
        turns, rest = torch.floor(x / span), torch.fmod(x, span)
        x = torch.where(torch.fmod(turns, 2) == 0, rest, span - rest) + low
    return x if padding == ZEROS else x.clamp(0, n - 1)


@instead("grid_sampler_3d")
def grid_sampler_3d(input, grid, interpolation_mode, padding_mode, align_corners):
    size = input.shape[2:]
    flat = input.flatten(2)
    at = [source(grid[..., 2 - d], size[d], padding_mode, align_corners).flatten(1).unsqueeze(1) for d in range(3)]

    def element(place):
        inside, index = True, 0
        for p, n in zip(place, size):
            inside = inside & (p >= 0) & (p <= n - 1)
            index = index * n + p.clamp(0, n - 1).to(torch.int64)
        value = flat.gather(2, index.expand(-1, flat.shape[1], -1))
        return torch.where(inside, value, 0.0)

    if interpolation_mode == 1:
        total = element([torch.round(x.detach()) for x in at])
    else:
        low, total = [torch.floor(x.detach()) for x in at], 0
        for corner in itertools.product((0, 1), repeat=3):
            weight = 1
            for x, l, c in zip(at, low, corner):
                weight = weight * (x - l if c else l + 1 - x)
            total = total + weight * element([l + c for l, c in zip(low, corner)])
    return total.reshape(*input.shape[:2], *grid.shape[1:4])

#!/usr/bin/env python3
"""Writes the golden files beside it: values and gradients that PyTorch gives, in f64.

    python3 tests/golden/make.py          # needs torch (written with 2.13); prints ops without a case

A case is a graph of one op (models.txt: several), its inputs, cotangents, and
what `gradc grad` must give for them; README.md has the form. Elements on which
gradc departs from PyTorch by design are left out here, each with its reason.
"""
import json
import math
import os
import subprocess
import sys

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
HERE = os.path.dirname(os.path.abspath(__file__))
INF, NAN = math.inf, math.nan
NAMES = {torch.float64: "f64", torch.int64: "i64", torch.int32: "i32", torch.int16: "i16", torch.int8: "i8",
         torch.uint8: "u8", torch.bool: "bool"}
INTS = [torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8]
seen = set()
files = {}


# ---- operands

generator = torch.Generator().manual_seed(1)


def R(*shape, lo=-2.0, hi=2.0):
    """uniform, with three decimals so that the files stay small"""
    return torch.round((torch.rand(shape, generator=generator) * (hi - lo) + lo) * 1000) / 1000


def T(*values, dtype=torch.float64, shape=None):
    t = torch.tensor(values, dtype=torch.float64 if dtype.is_floating_point else dtype)
    return t.reshape(shape) if shape else t


def I(*shape, lo=0, hi=3, dtype=torch.int64):
    return torch.randint(lo, hi + 1, shape, generator=generator).to(dtype)


def pairs(xs, ys, dtype=torch.float64):
    return (torch.tensor([x for x in xs for _ in ys], dtype=dtype), torch.tensor([y for _ in xs for y in ys], dtype=dtype))


# ---- a case

def number(x):
    return str(int(x)) if not isinstance(x, float) else repr(x) if x != int_or_nan(x) else str(int(x))


def int_or_nan(x):
    if not math.isfinite(x) or abs(x) >= 1e15 or (x == 0 and math.copysign(1, x) < 0):
        return NAN
    return int(x)


def line(name, t):
    return f"{name} = " + " ".join(number(v) for v in t.detach().reshape(-1).tolist())


def type_of(t):
    return f"{NAMES[t.dtype]}[{','.join(str(d) for d in t.shape)}]"


def write_case(family, title, ir, leaves, results, wrt):
    """leaves, results: name -> tensor; wrt: names of leaves"""
    out = [f"# {title}", json.dumps(ir, separators=(", ", ": "))]
    out += [line(n, t) for n, t in leaves.items()]
    moving = {n: t for n, t in results.items() if t.dtype.is_floating_point and t.requires_grad}
    cts = {n: R(*t.shape) if n in moving else torch.zeros_like(t) for n, t in results.items() if t.dtype.is_floating_point}
    if not (wrt and cts):
        cts, wrt = {}, []
    out += [line("ct." + n, t) for n, t in cts.items()]
    out += [line(n, t) for n, t in results.items()]
    if wrt:
        grads = [None] * len(wrt)
        if moving:
            grads = torch.autograd.grad(list(moving.values()), [leaves[n] for n in wrt], [cts[n] for n in moving],
                                        allow_unused=True)
        out += [line("d." + n, g if g is not None else torch.zeros_like(leaves[n])) for n, g in zip(wrt, grads)]
    files.setdefault(family, []).append("\n".join(out) + "\n")


def case(family, op, operands, f, attrs=None, fixed=()):
    """operands: tensors, numbers (literals); f: of the tensors; fixed: indices that PyTorch does not differentiate"""
    seen.add(op)
    leaves, names, given = {}, [], []
    for i, x in enumerate(operands):
        if isinstance(x, torch.Tensor):
            x = x.clone()
            if x.dtype.is_floating_point and i not in fixed:
                x.requires_grad_()
            names.append("abcdefgh"[i])
            leaves[names[-1]] = x
        else:
            names.append(x)
            x = torch.tensor(x)
        given.append(x)
    y = f(*given)
    y = list(y) if isinstance(y, (tuple, list)) else [y]
    out = ["y"] if len(y) == 1 else [f"y{i}" for i in range(len(y))]
    node = {"out": out, "op": op, "in": names}
    if attrs:
        node["attrs"] = attrs
    wrt = [n for n, t in leaves.items() if t.requires_grad]
    ir = {"gradc": 1, "name": "g", "inputs": {n: type_of(t) for n, t in leaves.items()}, "nodes": [node],
          "outputs": {n: n for n in out}}
    if wrt and len(wrt) < sum(t.dtype.is_floating_point for t in leaves.values()):
        ir["wrt"] = wrt
    title = op + ("" if not attrs else " " + " ".join(f"{k}={json.dumps(v)}" for k, v in attrs.items()))
    write_case(family, title, ir, leaves, dict(zip(out, y)), wrt)


# ---- pointwise

EDGES = [-INF, -800.0, -40.0, -3.5, -2.5, -1.0, -0.5, -0.25, -0.0, 0.0, 1e-9, 0.25, 0.5, 1.0, 1.5, 2.5, 7.0, 40.0, 800.0, INF, NAN]
FEW = [-INF, -2.5, -1.0, -0.0, 0.0, 0.5, 1.0, 3.0, INF, NAN]


def square(x):
    return torch.square(x)


def pointwise():
    one = dict(neg=torch.neg, abs=torch.abs, sign=torch.sign, square=square, reciprocal=torch.reciprocal, sqrt=torch.sqrt,
               rsqrt=torch.rsqrt, exp=torch.exp, expm1=torch.expm1, log=torch.log, log1p=torch.log1p, log2=torch.log2,
               sigmoid=torch.sigmoid, erf=torch.erf, erfc=torch.erfc, sin=torch.sin, cos=torch.cos, tan=torch.tan,
               asin=torch.asin, acos=torch.acos, atan=torch.atan, sinh=torch.sinh, cosh=torch.cosh, tanh=torch.tanh,
               asinh=torch.asinh, acosh=torch.acosh, atanh=torch.atanh, floor=torch.floor, ceil=torch.ceil,
               trunc=torch.trunc, round=torch.round)
    for op, f in one.items():
        case("pointwise", op, [T(*EDGES)], f)
        case("pointwise", op, [R(3, 4)], f)
    two = dict(add=torch.add, sub=torch.sub, mul=torch.mul, div=torch.div, pow=torch.pow, fmod=torch.fmod,
               remainder=torch.remainder, maximum=torch.maximum, minimum=torch.minimum, atan2=torch.atan2)
    for op, f in two.items():
        # where the remainder is NaN or infinite, its derivative by the divisor is NaN, which is a number there
        divisors = [y for y in FEW if op != "remainder" or y != 0 and not math.isinf(y)]
        case("pointwise", op, list(pairs(FEW, divisors)), f)
        case("pointwise", op, [R(2, 3), R(2, 1)], f)
        case("pointwise", op, [R(3), R(2, 2, 1)], f)
        case("pointwise", op, [R(3), 1.5], f)
    compare = dict(eq=torch.eq, ne=torch.ne, lt=torch.lt, le=torch.le, gt=torch.gt, ge=torch.ge,
                   logical_and=torch.logical_and, logical_or=torch.logical_or, logical_xor=torch.logical_xor)
    for op, f in compare.items():
        case("pointwise", op, list(pairs(FEW, FEW)), f)
        for dtype in INTS:
            case("pointwise", op, list(pairs([0, 1, 2, 127], [0, 1, 127], dtype)), f)
        case("pointwise", op, list(pairs([False, True], [False, True], torch.bool)), f)
    for op, f in dict(logical_not=torch.logical_not, isnan=torch.isnan, isinf=torch.isinf, isfinite=torch.isfinite).items():
        case("pointwise", op, [T(*EDGES)], f)
    case("pointwise", "where", [T(1, 0, 1, 0, dtype=torch.bool), T(1.0, NAN, INF, 2.0), T(NAN, 1.0, 3.0, -INF)], torch.where)
    case("pointwise", "where", [I(2, 1, hi=1).bool(), R(3), R(2, 3)], torch.where)
    case("pointwise", "stop_gradient", [R(3)], lambda x: x.detach())


def integers():
    pool = {torch.uint8: [0, 1, 2, 100, 200, 255]}
    for dtype in INTS:
        info = torch.iinfo(dtype)
        xs = pool.get(dtype, [info.min, -100, -7, -1, 0, 1, 5, 100, info.max])
        for op, f in dict(add=torch.add, sub=torch.sub, mul=torch.mul, maximum=torch.maximum, minimum=torch.minimum).items():
            case("integers", op, list(pairs(xs, xs, dtype)), f)
        # x / 0, x mod 0 and INT_MIN / -1 are errors or undefined there
        divisors = [x for x in xs if x not in (0, -1)]
        case("integers", "div", list(pairs(xs, divisors, dtype)), lambda a, b: torch.div(a, b, rounding_mode="trunc"))
        case("integers", "fmod", list(pairs(xs, divisors, dtype)), torch.fmod)
        case("integers", "remainder", list(pairs(xs, divisors, dtype)), torch.remainder)
        case("integers", "pow", list(pairs(xs, [0, 1, 2, 3, 9], dtype)), torch.pow)
        for op, f in dict(neg=torch.neg, abs=torch.abs, sign=torch.sign, square=square, floor=torch.floor, ceil=torch.ceil,
                          trunc=torch.trunc, round=torch.round).items():
            case("integers", op, [T(*xs, dtype=dtype)], f)
        case("integers", "where", [I(len(xs), hi=1).bool(), T(*xs, dtype=dtype), T(*xs[::-1], dtype=dtype)], torch.where)
        case("integers", "clamp", [T(*xs, dtype=dtype)], lambda x: torch.clamp(x, 1, 90), {"min": 1, "max": 90})
        for to in INTS + [torch.bool, torch.float64]:
            case("integers", "cast", [T(*xs, dtype=dtype)], lambda x: x.to(to), {"type": NAMES[to]})
        for op, f in dict(sum=torch.sum, prod=torch.prod).items():
            case("integers", op, [T(*xs, dtype=dtype)], f)
        for op, f in dict(amax=torch.amax, amin=torch.amin, argmax=torch.argmax, argmin=torch.argmin).items():
            case("integers", op, [T(*xs, dtype=dtype)], f)
        case("integers", "dot", [T(*xs, dtype=dtype), T(*xs, dtype=dtype)], torch.outer, {"spec": "i,j->ij"})
    for to in INTS + [torch.bool]:
        # out of range and NaN saturate in gradc, are undefined there
        case("integers", "cast", [T(-0.0, 0.5, 1.9, 100.2, 0.0)], lambda x: x.to(to), {"type": NAMES[to]})
    case("integers", "cast", [T(1.5, NAN, INF)], lambda x: x.to(torch.float64), {"type": "f64"})
    case("integers", "any", [T(1, 0, 0, 0, dtype=torch.bool, shape=(2, 2))], lambda x: torch.any(x, 1), {"dim": [1]})
    case("integers", "all", [T(1, 0, 1, 1, dtype=torch.bool, shape=(2, 2))], lambda x: torch.all(x, 1, True), {"dim": [1], "keepdim": True})


def clamps():
    for lo, hi in [(-1.0, 1.0), (None, 0.5), (0.5, None), (2.0, 1.0), (-INF, 1.0)]:
        attrs = {k: v if v is None or math.isfinite(v) else str(v) for k, v in (("min", lo), ("max", hi))}
        case("pointwise", "clamp", [T(*EDGES)], lambda x: torch.clamp(x, lo, hi), attrs)


# ---- views and indices

def views():
    x = R(2, 3, 4)
    case("views", "reshape", [x], lambda x: x.reshape(4, 6), {"shape": [4, -1]})
    case("views", "permute", [x], lambda x: x.permute(2, 0, 1), {"dims": [2, 0, 1]})
    case("views", "permute", [x], lambda x: x.permute(-2, 0, -1), {"dims": [-2, 0, -1]})
    case("views", "expand", [R(3, 1)], lambda x: x.expand(2, 3, 4), {"shape": [2, 3, 4]})
    case("views", "expand", [R(3, 1)], lambda x: x.expand(-1, 4), {"shape": [-1, 4]})
    for dim, start, end, step in [(0, 0, 1, 1), (1, 1, None, 1), (2, -3, -1, 1), (2, 0, 4, 2), (2, 1, 100, 3), (1, 2, 1, 1)]:
        at = [slice(None)] * 3
        at[dim] = slice(start, end, step)
        case("views", "slice", [x], lambda x: x[tuple(at)], {"dim": dim, "start": start, "end": end, "step": step})
    case("views", "flip", [x], lambda x: x.flip(0, 2), {"dims": [0, -1]})
    case("views", "pad", [R(2, 3)], lambda x: F.pad(x, (1, 2, 0, 1), value=0.5), {"low": [0, 1], "high": [1, 2], "value": 0.5})
    case("views", "cat", [R(2, 3), R(1, 3), R(2, 3)], lambda *x: torch.cat(x), {})
    case("views", "cat", [R(2, 3), R(2, 1)], lambda *x: torch.cat(x, -1), {"dim": -1})
    case("views", "transpose", [x], lambda x: x.transpose(0, -1), {"dim0": 0, "dim1": -1})
    case("views", "squeeze", [R(1, 3, 1)], torch.squeeze)
    case("views", "squeeze", [R(1, 3, 1)], lambda x: x.squeeze(-1), {"dim": -1})
    case("views", "unsqueeze", [R(2, 3)], lambda x: x.unsqueeze(-1), {"dim": -1})
    case("views", "unsqueeze", [R(2, 3)], lambda x: x.unsqueeze(1), {"dim": 1})
    for dim in (0, 1, -1):
        case("views", "stack", [R(2, 3), R(2, 3), R(2, 3)], lambda *x: torch.stack(x, dim), {"dim": dim})
    case("views", "split", [R(7, 2)], lambda x: torch.split(x, 3), {"split_size_or_sections": 3})
    case("views", "split", [R(2, 6)], lambda x: torch.split(x, [1, 2, 3], 1), {"split_size_or_sections": [1, 2, 3], "dim": 1})
    for k in (-2, 0, 1):
        case("views", "tril", [R(2, 3, 4)], lambda x: x.tril(k), {"diagonal": k})
        case("views", "triu", [R(4, 3)], lambda x: x.triu(k), {"diagonal": k})
    case("views", "zeros_like", [R(2, 3)], torch.zeros_like)
    case("views", "ones_like", [I(2, 3)], torch.ones_like)
    case("views", "full", [], lambda: torch.full((2, 3), 1.5), {"shape": [2, 3], "value": 1.5, "type": "f64"})
    case("views", "iota", [], lambda: torch.arange(3).expand(2, 3).contiguous(), {"shape": [2, 3], "dim": 1})


def indices():
    for dim in (0, 1, -1):
        x, index = R(4, 3, 4), I(3, 3, 3, hi=2)
        case("indices", "gather", [x, index], lambda x, i: torch.gather(x, dim, i), {"dim": dim})
        case("indices", "scatter_add", [x, index, R(3, 3, 3)], lambda x, i, s: x.scatter_add(dim, i, s), {"dim": dim})
    case("indices", "gather", [R(5), I(7, hi=4, dtype=torch.int32)], lambda x, i: torch.gather(x, 0, i.long()))
    case("indices", "index_select", [R(4, 3), T(3, 0, 3, dtype=torch.int64)], lambda x, i: x.index_select(0, i), {"dim": 0})
    case("indices", "index_select", [R(4, 3), T(2, 2, dtype=torch.int32)], lambda x, i: x.index_select(1, i), {"dim": 1})
    case("indices", "embedding", [T(4, 0, 4, 1, dtype=torch.int64, shape=(2, 2)), R(5, 3)], F.embedding)
    case("indices", "take_along_dim", [R(4, 3), I(2, 3)], lambda x, i: x.take_along_dim(i, 0), {"dim": 0})
    case("indices", "take_along_dim", [R(2, 3), I(4, hi=5)], lambda x, i: x.take_along_dim(i))
    case("indices", "take_along_dim", [R(4, 1, 3), I(1, 2, 2, hi=2)], lambda x, i: x.take_along_dim(i, -1), {"dim": -1})
    case("indices", "one_hot", [I(2, 3)], lambda i: F.one_hot(i, 4), {"num_classes": 4})


# ---- reductions and contractions

def reductions():
    ties = T(1.0, 3.0, 3.0, 2.0, -INF, -INF, INF, INF, NAN, 1.0, 0.0, -0.0, shape=(3, 4))
    dims = [(None, False), ([0], False), ([1, -1], True), ([0, 2], False)]
    x = R(2, 3, 4)
    for dim, keep in dims:
        attrs = {"dim": dim, "keepdim": keep}
        every = dim or [0, 1, 2]
        case("reductions", "sum", [x], lambda x: x.sum(every, keep), attrs)
        case("reductions", "mean", [x], lambda x: x.mean(every, keep), attrs)
        case("reductions", "amax", [x], lambda x: x.amax(every, keep), attrs)
        case("reductions", "amin", [x], lambda x: x.amin(every, keep), attrs)
        case("reductions", "logsumexp", [x], lambda x: x.logsumexp(every, keep), attrs)
        for correction in (0, 1, 2):
            both = dict(attrs, correction=correction)
            case("reductions", "var", [x], lambda x: x.var(every, correction=correction, keepdim=keep), both)
            case("reductions", "std", [x], lambda x: x.std(every, correction=correction, keepdim=keep), both)
        for p in (0.0, 0.5, 1.0, 2.0, 3.0, INF, -INF):
            case("reductions", "norm", [x], lambda x: torch.linalg.vector_norm(x, p, every, keep),
                 dict(attrs, p=p if math.isfinite(p) else str(p)))
    for op in ("sum", "amax", "amin"):
        case("reductions", op, [ties], lambda x: getattr(x, op)([1]), {"dim": [1]})
    case("reductions", "logsumexp", [T(-INF, 1.0, 800.0, 800.0, shape=(2, 2))], lambda x: x.logsumexp(1), {"dim": [1]})
    case("reductions", "std", [T(1.0, 1.0, 1.0, 2.0, shape=(2, 2))], lambda x: x.std(1), {"dim": [1]})
    for p in (1.0, 2.0, 3.0, INF):
        case("reductions", "norm", [T(0.0, 0.0, 3.0, -4.0, 0.0, 1.0, shape=(3, 2))],
             lambda x: torch.linalg.vector_norm(x, p, 1), {"dim": [1], "p": p if math.isfinite(p) else "inf"})
    for dim in (0, 1):
        case("reductions", "prod", [R(3, 4)], lambda x: x.prod(dim), {"dim": [dim]})
        for op in ("argmax", "argmin"):
            case("reductions", op, [ties], lambda x: getattr(x, op)(dim, True), {"dim": dim, "keepdim": True})
    case("reductions", "prod", [T(2.0, 0.0, 3.0, 0.0, 0.0, 4.0, shape=(2, 3))], lambda x: x.prod(1), {"dim": [1]})
    case("reductions", "prod", [R(20)], torch.prod)
    for op in ("argmax", "argmin"):
        case("reductions", op, [ties], lambda x: getattr(x, op)())


def contractions():
    for spec, a, b in [("ik,kj->ij", (2, 3), (3, 4)), ("bik,bkj->bij", (2, 2, 3), (2, 3, 2)), ("i,i->", (4,), (4,)),
                       ("i,j->ij", (3,), (2,)), ("abc,cd->dab", (2, 2, 3), (3, 2)), ("ij,k->i", (2, 3), (2,))]:
        case("contractions", "dot", [R(*a), R(*b)], lambda x, y: torch.einsum(spec, x, y), {"spec": spec})
    for a, b in [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((2, 1, 2, 3), (3, 3, 2)), ((2, 2, 3), (3,))]:
        case("contractions", "matmul", [R(*a), R(*b)], torch.matmul)
    case("contractions", "bmm", [R(2, 3, 2), R(2, 2, 4)], torch.bmm)
    case("contractions", "outer", [R(3), R(4)], torch.outer)
    for shape in [(3,), (2, 3), (2, 2, 3)]:
        case("contractions", "linear", [R(*shape), R(4, 3)], F.linear)
        case("contractions", "linear", [R(*shape), R(4, 3), R(4)], F.linear)
    for eq, shapes in [("ij->ji", [(2, 3)]), ("ij,jk,kl->il", [(2, 3), (3, 2), (2, 4)]), ("...ij,...jk->...ik", [(2, 2, 3), (3, 2)]),
                       ("ii->i", [(3, 3)]), ("ii->", [(3, 3)]), ("bij,bij->b", [(2, 3, 2), (2, 3, 2)])]:
        case("contractions", "einsum", [R(*s) for s in shapes], lambda *x: torch.einsum(eq, *x), {"equation": eq})


# ---- windows

def convolutions():
    forms = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
    transposes = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
    for x, w, bias, attrs in [((2, 2, 5), (3, 2, 2), True, {}), ((2, 5), (3, 2, 3), False, {"padding": 2, "stride": 2}),
                              ((1, 4, 6), (6, 2, 2), True, {"groups": 2, "dilation": 2}),
                              ((2, 3, 4, 5), (2, 3, 3, 2), True, {"padding": [1, 0], "stride": [2, 1]}),
                              ((1, 4, 4, 4), (4, 1, 3, 3), True, {"groups": 4, "padding": 1}),
                              ((1, 2, 4, 4), (4, 1, 2, 2), False, {"groups": 2, "stride": 2}),
                              ((2, 2, 4, 4), (2, 2, 1, 1), False, {"stride": 2}),
                              ((2, 3, 4, 4), (4, 3, 2, 3), True, {"dilation": [2, 1], "padding": [2, 1]}),
                              ((1, 2, 3, 3, 2), (2, 2, 2, 2, 2), True, {"stride": [1, 2, 1], "padding": 1}),
                              ((1, 4, 2, 3, 2), (4, 2, 2, 2, 1), True, {"groups": 2})]:
        op = f"conv{len(w) - 2}d"
        case("convolutions", op, [R(*x), R(*w)] + ([R(w[0])] if bias else []),
             lambda *t: forms[len(w) - 2](*t, **attrs), attrs)
    for k, low, high in [((2, 2), (0, 0), (1, 1)), ((4, 3), (1, 1), (2, 1)), ((3, 3), (2, 0), (0, 1))]:
        case("convolutions", "conv2d", [R(2, 2, 4, 5), R(3, 2, *k)],
             lambda x, w: F.conv2d(F.pad(x, (low[1], high[1], low[0], high[0])), w), {"padding": [*low, *high]})
    for x, w, bias, attrs in [((2, 2, 4), (2, 3, 2), True, {"stride": 2, "padding": 1, "output_padding": 1}),
                              ((2, 4), (2, 3, 3), False, {"dilation": 2}),
                              ((1, 4, 2, 3), (4, 2, 3, 2), True, {"groups": 2, "stride": [2, 1], "padding": [1, 0]}),
                              ((2, 3, 3, 3), (3, 2, 2, 2), True, {"stride": 2}),
                              ((1, 2, 3, 3), (2, 1, 3, 3), False, {"groups": 2, "padding": 2, "stride": 3, "output_padding": 2}),
                              ((1, 2, 2, 1, 2), (2, 1, 2, 2, 2), True, {"stride": [1, 2, 2]})]:
        op = f"conv_transpose{len(w) - 2}d"
        groups = attrs.get("groups", 1)
        case("convolutions", op, [R(*x), R(*w)] + ([R(w[1] * groups)] if bias else []),
             lambda *t: transposes[len(w) - 2](*t, **attrs), attrs)


def pools():
    pools = {"max_pool1d": F.max_pool1d, "max_pool2d": F.max_pool2d, "max_pool3d": F.max_pool3d, "avg_pool1d": F.avg_pool1d,
             "avg_pool2d": F.avg_pool2d, "avg_pool3d": F.avg_pool3d}
    shapes = {1: [(2, 7), (1, 2, 6)], 2: [(2, 5, 6), (2, 1, 4, 4)], 3: [(1, 4, 3, 4), (1, 1, 3, 5, 3)]}
    forms = [{"kernel_size": 2}, {"kernel_size": 2, "stride": 1}, {"kernel_size": 3, "stride": 2, "padding": 1},
             {"kernel_size": 2, "stride": 3, "padding": 1, "ceil_mode": True},
             {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}]
    avg = [{"count_include_pad": False}, {}]
    for op, f in pools.items():
        for shape in shapes[int(op[-2])]:
            for attrs in forms:
                if any(n + 2 * attrs.get("padding", 0) < attrs["kernel_size"] for n in shape[-int(op[-2]):]):
                    continue
                more = avg if op[0] == "a" else [{}, {"dilation": 2}] if min(shape[-int(op[-2]):]) > 3 else [{}]
                for extra in more:
                    both = dict(attrs, **extra)
                    case("pools", op, [R(*shape)], lambda x: f(x, **both), both)
    ties = I(2, 5, 6, hi=1).double()
    edges = T(-INF, -INF, NAN, -INF, -INF, 1.0, shape=(1, 2, 3))
    for x in (ties, edges):
        for attrs in [{"kernel_size": 2, "stride": 1, "padding": 1}, {"kernel_size": 2}]:
            case("pools", "max_pool2d", [x], lambda x: F.max_pool2d(x, **attrs), attrs)
            case("pools", "max_pool2d_with_indices", [x], lambda x: F.max_pool2d(x, **attrs, return_indices=True), attrs)
    for space, f in {1: F.max_pool1d, 3: F.max_pool3d}.items():
        attrs = {"kernel_size": 3, "stride": 2, "padding": 1}
        case("pools", f"max_pool{space}d_with_indices", [I(2, *[5] * space, hi=2).double()],
             lambda x: f(x, **attrs, return_indices=True), attrs)
    for attrs in [{"divisor_override": 3}, {"divisor_override": -2, "padding": 1}]:
        both = dict(attrs, kernel_size=2)
        case("pools", "avg_pool2d", [R(2, 4, 5)], lambda x: F.avg_pool2d(x, **both), both)
    lps = {1: F.lp_pool1d, 2: F.lp_pool2d, 3: F.lp_pool3d}
    for space, f in lps.items():
        for p in (1.0, 2.0, 3.0):
            for stride, ceil in [(None, False), (1, False), (2, True)]:
                attrs = {"norm_type": p, "kernel_size": 2, "stride": stride, "ceil_mode": ceil}
                case("pools", f"lp_pool{space}d", [R(1, *[5, 4, 3][:space], lo=0.5)], lambda x: f(x, **attrs), attrs)
    adaptive = {1: (F.adaptive_avg_pool1d, F.adaptive_max_pool1d), 2: (F.adaptive_avg_pool2d, F.adaptive_max_pool2d),
                3: (F.adaptive_avg_pool3d, F.adaptive_max_pool3d)}
    for space, (mean, most) in adaptive.items():
        for shape, size in [((6, 4, 2), (3, 2, 1)), ((7, 5, 3), (3, 2, 2)), ((4, 3, 4), (1, 4, 3))]:
            attrs = {"output_size": list(size[:space])}
            case("pools", f"adaptive_avg_pool{space}d", [R(2, *shape[:space])], lambda x: mean(x, size[:space]), attrs)
            x = I(2, *shape[:space], hi=5).double()
            case("pools", f"adaptive_max_pool{space}d", [x], lambda x: most(x, size[:space]), attrs)
            case("pools", f"adaptive_max_pool{space}d_with_indices", [x], lambda x: most(x, size[:space], True), attrs)
    unpools = {1: F.max_unpool1d, 2: F.max_unpool2d, 3: F.max_unpool3d}
    for space, f in unpools.items():
        shape = [6, 4, 2][:space]
        index = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[space - 1](R(2, *shape), 2, return_indices=True)[1]
        case("pools", f"max_unpool{space}d", [R(*index.shape), index], lambda x, i: f(x, i, 2, output_size=shape),
             {"output_size": shape})
    x = R(2, 4, 5)
    y, index = F.max_pool2d(x, 3, 1, return_indices=True)          # overlapping windows name one element again
    case("pools", "max_unpool2d", [y, index], lambda x, i: F.max_unpool2d(x, i, 3, 1), {"output_size": [4, 5]})
    for attrs in [{"kernel_size": 2}, {"kernel_size": [2, 3], "stride": [2, 1], "padding": 1, "dilation": [2, 1]},
                  {"kernel_size": 2, "stride": 2}]:
        case("pools", "unfold", [R(1, 2, 4, 6)], lambda x: F.unfold(x, **attrs), attrs)
        y = F.unfold(R(1, 2, 4, 6), **attrs)
        case("pools", "fold", [R(*y.shape)], lambda x: F.fold(x, (4, 6), **attrs), dict(attrs, output_size=[4, 6]))
    case("pools", "window", [R(5, 2)], lambda x: torch.stack([x[k:k + 4:1, k] for k in range(2)], 1), {"dim": 0, "count": 4})


def sizes():
    for pad in [(1, 2), (0, 3), (3, 0), (2, 1, 1, 0), (1, 1, 2, 3)]:
        n = len(pad) // 2
        for op, mode in dict(pad_reflect="reflect", pad_replicate="replicate", pad_circular="circular").items():
            x = R(1, 2, 4) if n == 1 else R(1, 2, 4, 4)
            attrs = {"low": [0, 0, *pad[0::2][::-1]], "high": [0, 0, *pad[1::2][::-1]]}
            case("sizes", op, [x], lambda x: F.pad(x, pad, mode), attrs)
    for shifts, dims in [([2], None), ([-1], [1]), ([5, -2], [0, -1])]:
        case("sizes", "roll", [R(2, 3, 4)], lambda x: torch.roll(x, shifts, dims or ()), {"shifts": shifts, "dims": dims})
    shapes = {1: (1, 2, 5), 2: (1, 2, 3, 4), 3: (1, 1, 2, 3, 2)}
    names = {1: "linear", 2: "bilinear", 3: "trilinear"}
    for space, shape in shapes.items():
        for attrs in [{"size": [7, 6, 3][:space]}, {"size": [2, 3, 1][:space]}, {"scale_factor": 2.0}, {"scale_factor": 1.6},
                      {"scale_factor": 0.7}]:
            for mode in ["nearest", "nearest-exact", "area", names[space]] + ["bicubic"] * (space == 2):
                if mode == "area" and "scale_factor" in attrs and attrs["scale_factor"] == 0.7 and min(shape) < 2:
                    continue
                for corners in (False, True) if mode in ("bicubic", names[space]) else (None,):
                    both = dict(attrs, mode=mode) if corners is None else dict(attrs, mode=mode, align_corners=corners)
                    case("sizes", "interpolate", [R(*shape)], lambda x: F.interpolate(x, **both), both)
    case("sizes", "pixel_shuffle", [R(2, 8, 2, 3)], lambda x: F.pixel_shuffle(x, 2), {"upscale_factor": 2})
    case("sizes", "pixel_unshuffle", [R(2, 4, 6)], lambda x: F.pixel_unshuffle(x, 2), {"downscale_factor": 2})
    case("sizes", "channel_shuffle", [R(2, 6, 2)], lambda x: x.reshape(2, 3, 2, 2).transpose(1, 2).reshape(2, 6, 2), {"groups": 3})
    for operands in [[R(2, 3, 4)], [R(2, 3, 2, 3), R(3), R(3)]]:
        case("sizes", "instance_norm", operands, lambda x, w=None, b=None: F.instance_norm(x, weight=w, bias=b, eps=0.01), {"eps": 0.01})
    for size in (2, 3):
        attrs = {"size": size, "alpha": 0.5, "beta": 0.6, "k": 1.5}
        case("sizes", "local_response_norm", [R(2, 4, 2, 2)], lambda x: F.local_response_norm(x, **attrs), attrs)


# ---- composites

def activations():
    # 1 + erf cancels there, erfc does not: the tail of gelu is left out
    body = T(*[x for x in EDGES if x != -40.0])
    forms = [
        ("relu", F.relu, {}), ("silu", F.silu, {}), ("elu", F.elu, {}),
        ("elu", lambda x: F.elu(x, 1.5), {"alpha": 1.5}),
        ("leaky_relu", F.leaky_relu, {}), ("leaky_relu", lambda x: F.leaky_relu(x, 0.2), {"negative_slope": 0.2}),
        ("gelu", F.gelu, {}), ("gelu", lambda x: F.gelu(x, approximate="tanh"), {"approximate": "tanh"}),
        ("softplus", F.softplus, {}), ("softplus", lambda x: F.softplus(x, 2.0, 5.0), {"beta": 2.0, "threshold": 5.0}),
    ]
    for op, f, attrs in forms:
        case("activations", op, [body], f, attrs)
        case("activations", op, [R(3, 4, lo=-6.0, hi=6.0)], f, attrs)
    rows = T(-INF, 1.0, 2.0, 800.0, 800.0, -800.0, -INF, -INF, -INF, INF, 1.0, 2.0, NAN, 1.0, 2.0, shape=(5, 3))
    for op, f in dict(softmax=F.softmax, log_softmax=F.log_softmax).items():
        case("activations", op, [rows], lambda x: f(x, 1), {"dim": 1})
        for dim in (0, 1, -1):
            case("activations", op, [R(2, 3, 4, lo=-5.0, hi=5.0)], lambda x: f(x, dim), {"dim": dim})
        case("activations", op, [R(3)], lambda x: f(x, 0), {"dim": 0})


def losses():
    shapes = [((4,), ()), ((5, 4), (5,)), ((2, 4, 3), (2, 3)), ((2, 3, 2, 2), (2, 2, 2))]
    for reduction in ("mean", "sum", "none"):
        r = {"reduction": reduction}
        for xs, ts in shapes:
            x, t, classes = R(*xs, lo=-4.0, hi=4.0), I(*ts, hi=2), xs[len(xs) > 1]
            for ignore in (-100, 1):
                for smoothing in (0.0, 0.2):
                    attrs = dict(r, ignore_index=ignore, label_smoothing=smoothing)
                    if ignore == 1 and not ts:
                        t = torch.tensor(2)
                    case("losses", "cross_entropy", [x, t], lambda x, t: F.cross_entropy(x, t, **attrs), attrs)
                attrs = dict(r, ignore_index=ignore)
                case("losses", "nll_loss", [x, t], lambda x, t: F.nll_loss(x, t, **attrs), attrs)
            for smoothing in (0.0, 0.2):
                attrs = dict(r, label_smoothing=smoothing)
                p = torch.round(F.softmax(R(*xs), int(len(xs) > 1)) * 1000) / 1000
                case("losses", "cross_entropy", [x, p], lambda x, p: F.cross_entropy(x, p, **attrs), attrs)
        for dtype in (torch.int32, torch.uint8):
            case("losses", "cross_entropy", [R(5, 4), I(5, dtype=dtype)], lambda x, t: F.cross_entropy(x, t.long(), **r), r)
        wide = [T(1000.0, 0.0, -1000.0, -INF, 1.0, 2.0, 0.0, 0.0, 0.0, 5.0, 6.0, 7.0, shape=(4, 3)),
                T(0, 2, 1, -100, dtype=torch.int64)]
        case("losses", "cross_entropy", wide, lambda x, t: F.cross_entropy(x, t, **r), r)
        case("losses", "cross_entropy", [R(2, 3), T(-100, -100, dtype=torch.int64)], lambda x, t: F.cross_entropy(x, t, **r), r)
        for op, f in dict(mse_loss=F.mse_loss, l1_loss=F.l1_loss).items():
            case("losses", op, [R(3, 4), R(3, 4)], lambda x, t: f(x, t, **r), r)
            case("losses", op, [T(1.0, -2.0, INF, 0.0, NAN), T(1.0, 2.0, 1.0, -0.0, 1.0)], lambda x, t: f(x, t, **r), r)
        bce = F.binary_cross_entropy_with_logits
        case("losses", "binary_cross_entropy_with_logits", [R(3, 4), R(3, 4, lo=0, hi=1)], lambda x, t: bce(x, t, **r), r)
        case("losses", "binary_cross_entropy_with_logits", [R(3, 4), R(3, 4, lo=0, hi=1), R(4, lo=0.5, hi=3)],
             lambda x, t, w: bce(x, t, pos_weight=w, **r), r, fixed=[2])
        case("losses", "binary_cross_entropy_with_logits", list(pairs([-800.0, -40.0, 0.0, 40.0, 800.0], [0.0, 0.25, 1.0])),
             lambda x, t: bce(x, t, **r), r)


def norms():
    for shape, tail in [((3, 4), [4]), ((2, 3, 4), [3, 4]), ((2, 2, 3), [3]), ((5,), [5])]:
        for eps in (1e-5, 0.1):
            attrs = {"normalized_shape": tail, "eps": eps}
            for extra in ([], [R(*tail)], [R(*tail), R(*tail)]):
                case("norms", "layer_norm", [R(*shape)] + extra, lambda x, *w: F.layer_norm(x, tail, *w, eps=eps), attrs)
                if len(extra) < 2:
                    case("norms", "rms_norm", [R(*shape)] + extra, lambda x, *w: F.rms_norm(x, tail, *w, eps=eps), attrs)
    case("norms", "rms_norm", [T(1e-9, 2e-9, 3e-8)], lambda x: F.rms_norm(x, [3]), {"normalized_shape": 3})
    case("norms", "layer_norm", [T(1.0, 1.0, 1.0, INF, 1.0, 2.0, shape=(2, 3))], lambda x: F.layer_norm(x, [3]), {"normalized_shape": 3})
    case("norms", "layer_norm", [R(2, 4) + 10], lambda x: F.layer_norm(x, [4]), {"normalized_shape": 4})
    x = R(2, 3, 4)
    for dims, shape in (([2], [4]), ([1, 2], [3, 4])):
        case("norms", "standardize", [x], lambda x: F.layer_norm(x, shape), {"dim": dims})
        case("norms", "standardize", [x], lambda x: F.rms_norm(x, shape, eps=1e-5), {"dim": dims, "center": False})
    for shape, groups in (((2, 8), 2), ((2, 6, 3), 3), ((2, 4, 2, 2), 1), ((2, 3, 4), 3)):
        c = shape[1]
        for extra in ([], [R(c)], [R(c), R(c)]):
            case("norms", "group_norm", [R(*shape)] + extra, lambda x, *w: F.group_norm(x, groups, *w), {"num_groups": groups})
    for shape in ((5, 3), (2, 3, 4), (2, 2, 3, 2)):
        c = shape[1]
        for training in (True, False):
            for extra in ([], [R(c)], [R(c), R(c)]):
                def f(x, m, v, *w):
                    m, v = m.clone(), v.clone()
                    y = F.batch_norm(x, m, v, *w, training=training, momentum=0.3, eps=1e-3)
                    return y, m, v
                case("norms", "batch_norm", [R(*shape), R(c), R(c, lo=0.5, hi=2)] + extra, f,
                     {"training": training, "momentum": 0.3, "eps": 1e-3}, fixed=[1, 2])


def attentions():
    f = F.scaled_dot_product_attention
    for batch in ((), (2,), (2, 2)):
        q, k, v = R(*batch, 3, 4), R(*batch, 5, 4), R(*batch, 5, 2)
        case("attention", "scaled_dot_product_attention", [q, k, v], f)
        case("attention", "scaled_dot_product_attention", [q, k, v], lambda *x: f(*x, is_causal=True, scale=0.7),
             {"is_causal": True, "scale": 0.7})
        mask = I(3, 5, hi=1).bool()
        mask[1] = False
        case("attention", "scaled_dot_product_attention", [q, k, v, mask], f)
        case("attention", "scaled_dot_product_attention", [q, k, v, R(3, 5)], f)
        case("attention", "scaled_dot_product_attention", [q, k, v, torch.zeros(3, 5).masked_fill(~mask, -INF)], f)
    q, k, v = R(2, 4, 3, 2), R(2, 2, 3, 2), R(2, 2, 3, 2)
    case("attention", "scaled_dot_product_attention", [q, k, v], lambda *x: f(*x, enable_gqa=True), {"enable_gqa": True})
    case("attention", "scaled_dot_product_attention", [R(2, 2, 3, 2) * 300, R(2, 2, 3, 2) * 300, R(2, 2, 3, 2)], f)
    case("attention", "scaled_dot_product_attention", [R(2, 2, 3, 2), R(2, 2, 3, 2), R(2, 2, 3, 2), R(2, 1, 1, 3)], f)


# ---- models: graphs of several nodes, with a loss

def model(title, inputs, params, nodes, f):
    """nodes: (out, op, in, attrs); the last is the loss"""
    leaves = {n: t.clone() for n, t in list(inputs.items()) + list(params.items())}
    for n in params:
        leaves[n].requires_grad_()
    loss = f(**leaves)
    ir = {"gradc": 1, "name": "g", "inputs": {n: type_of(t) for n, t in inputs.items()},
          "params": {n: type_of(t) for n, t in params.items()},
          "nodes": [dict(out=o, op=op, **{"in": i}, **({"attrs": a} if a else {})) for o, op, i, a in nodes],
          "outputs": {"loss": nodes[-1][0]}, "loss": "loss"}
    grads = torch.autograd.grad(loss, [leaves[n] for n in params])
    out = [f"# {title}", json.dumps(ir)] + [line(n, t) for n, t in leaves.items()] + [line("loss", loss)]
    out += [line("d." + n, g) for n, g in zip(params, grads)]
    files.setdefault("models", []).append("\n".join(out) + "\n")


def mlp(x, label, w1, b1, w2, b2):
    return F.cross_entropy(F.linear(F.relu(F.linear(x, w1, b1)), w2, b2), label)


def residual(x, label, w0, g0, b0, w1, w2, ws, wf, bf):
    h = F.relu(F.batch_norm(F.conv2d(x, w0, padding=1), None, None, g0, b0, True))
    p = F.max_pool2d(h, 3, 2, 1)
    y = F.conv2d(F.relu(F.conv2d(p, w1, stride=2, padding=1)), w2, padding=1, groups=4)
    y = F.relu(y + F.conv2d(p, ws, stride=2))
    return F.cross_entropy(F.linear(F.adaptive_avg_pool2d(y, 1).flatten(1), wf, bf), label)


def block(x, g1, wqkv, wo, g2, b2, wu, wd):
    b, t, d = x.shape
    h = F.rms_norm(x, [d], g1, 1e-5)
    q, k, v = (y.reshape(b, t, 2, d // 2).transpose(1, 2) for y in F.linear(h, wqkv).split(d, -1))
    a = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(b, t, d)
    x = x + F.linear(a, wo)
    h = F.layer_norm(x, [d], g2, b2)
    return (x + F.linear(F.gelu(F.linear(h, wu)), wd)).square().mean()


def gru(x, h, wi, wh, target):
    r, z, n = F.linear(x, wi).chunk(3, -1)
    hr, hz, hn = F.linear(h, wh).chunk(3, -1)
    r, z = torch.sigmoid(r + hr), torch.sigmoid(z + hz)
    n = torch.tanh(n + r * hn)
    return F.mse_loss((1 - z) * n + z * h, target)


def gcn(x, src, dst, label, w):
    m = torch.zeros(4, 3).index_add(0, dst, (x @ w).index_select(0, src))
    return F.nll_loss(F.log_softmax(m, -1), label)


def models():
    model("multilayer perceptron", dict(x=R(4, 5), label=I(4, hi=2)), dict(w1=R(6, 5), b1=R(6), w2=R(3, 6), b2=R(3)),
          [("h", "linear", ["x", "w1", "b1"], {}), ("a", "relu", ["h"], {}), ("o", "linear", ["a", "w2", "b2"], {}),
           ("l", "cross_entropy", ["o", "label"], {})], mlp)
    heads = [("q", 0), ("k", 1), ("v", 2)]
    nodes = [("h", "rms_norm", ["x", "g1"], {"normalized_shape": 4, "eps": 1e-5}), ("qkv", "linear", ["h", "wqkv"], {}),
             (["q0", "k0", "v0"], "split", ["qkv"], {"split_size_or_sections": 4, "dim": -1})]
    for n, _ in heads:
        nodes += [(n + "1", "reshape", [n + "0"], {"shape": [2, 3, 2, 2]}), (n, "transpose", [n + "1"], {"dim0": 1, "dim1": 2})]
    nodes += [("a0", "scaled_dot_product_attention", ["q", "k", "v"], {"is_causal": True}),
              ("a1", "transpose", ["a0"], {"dim0": 1, "dim1": 2}), ("a", "reshape", ["a1"], {"shape": [2, 3, 4]}),
              ("ao", "linear", ["a", "wo"], {}), ("x1", "add", ["x", "ao"], {}),
              ("h2", "layer_norm", ["x1", "g2", "b2"], {"normalized_shape": 4}), ("u", "linear", ["h2", "wu"], {}),
              ("ug", "gelu", ["u"], {}), ("dn", "linear", ["ug", "wd"], {}), ("y", "add", ["x1", "dn"], {}),
              ("sq", "square", ["y"], {}), ("l", "mean", ["sq"], {})]
    model("transformer block", dict(x=R(2, 3, 4)), dict(g1=R(4), wqkv=R(12, 4), wo=R(4, 4), g2=R(4), b2=R(4), wu=R(8, 4), wd=R(4, 8)),
          nodes, block)
    nodes = [("gi", "linear", ["x", "wi"], {}), (["ri", "zi", "ni"], "split", ["gi"], {"split_size_or_sections": 3, "dim": -1}),
             ("gh", "linear", ["h", "wh"], {}), (["rh", "zh", "nh"], "split", ["gh"], {"split_size_or_sections": 3, "dim": -1}),
             ("rs", "add", ["ri", "rh"], {}), ("r", "sigmoid", ["rs"], {}), ("zs", "add", ["zi", "zh"], {}), ("z", "sigmoid", ["zs"], {}),
             ("rn", "mul", ["r", "nh"], {}), ("ns", "add", ["ni", "rn"], {}), ("n", "tanh", ["ns"], {}), ("z1", "sub", [1, "z"], {}),
             ("a", "mul", ["z1", "n"], {}), ("b", "mul", ["z", "h"], {}), ("y", "add", ["a", "b"], {}), ("l", "mse_loss", ["y", "target"], {})]
    model("GRU cell", dict(x=R(2, 4), target=R(2, 3)), dict(h=R(2, 3), wi=R(9, 4), wh=R(9, 3)), nodes, gru)
    zeros, ones = ("m0", "full", [], {"shape": 3, "value": 0, "type": "f64"}), ("v0", "full", [], {"shape": 3, "value": 1, "type": "f64"})
    nodes = [zeros, ones, ("c0", "conv2d", ["x", "w0"], {"padding": 1}),
             (["n0", None, None], "batch_norm", ["c0", "m0", "v0", "g0", "b0"], {"training": "true"}), ("h", "relu", ["n0"], {}),
             ("p", "max_pool2d", ["h"], {"kernel_size": 3, "stride": 2, "padding": 1}),
             ("c1", "conv2d", ["p", "w1"], {"stride": 2, "padding": 1}), ("r1", "relu", ["c1"], {}),
             ("c2", "conv2d", ["r1", "w2"], {"padding": 1, "groups": 4}), ("s", "conv2d", ["p", "ws"], {"stride": 2}),
             ("y", "add", ["c2", "s"], {}), ("r2", "relu", ["y"], {}), ("a", "adaptive_avg_pool2d", ["r2"], {"output_size": 1}),
             ("f", "reshape", ["a"], {"shape": [2, 4]}), ("o", "linear", ["f", "wf", "bf"], {}), ("l", "cross_entropy", ["o", "label"], {})]
    model("residual block", dict(x=R(2, 2, 7, 7), label=I(2, hi=2)),
          dict(w0=R(3, 2, 3, 3), g0=R(3), b0=R(3), w1=R(4, 3, 3, 3), w2=R(4, 1, 3, 3), ws=R(4, 3, 1, 1), wf=R(3, 4), bf=R(3)), nodes, residual)
    nodes = [("xw", "matmul", ["x", "w"], {}), ("m0", "index_select", ["xw", "src"], {"dim": 0}), ("z", "full", [], {"shape": [4, 3], "value": 0, "type": "f64"}),
             ("d1", "unsqueeze", ["dst"], {"dim": 1}), ("d2", "expand", ["d1"], {"shape": [6, 3]}),
             ("m", "scatter_add", ["z", "d2", "m0"], {"dim": 0}), ("p", "log_softmax", ["m"], {"dim": -1}), ("l", "nll_loss", ["p", "label"], {})]
    model("graph convolution", dict(x=R(4, 5), src=T(0, 1, 2, 3, 0, 2, dtype=torch.int64), dst=T(1, 0, 3, 2, 3, 0, dtype=torch.int64),
                                    label=I(4, hi=2)), dict(w=R(5, 3)), nodes, gcn)


# ---- recurrent layers: a scan for each direction

def nodes_of(text):
    """lines "out = op in ... {attrs}" as nodes; several results are out,out"""
    nodes = []
    for l in filter(None, text.splitlines()):
        l, _, attrs = l.partition("{")
        out, words = l.split("=")[0].strip(), l.split("=")[1].split()
        n = {"out": out.split(",") if "," in out else out, "op": words[0],
             "in": [int(w) if w.isdigit() else w for w in words[1:]]}
        nodes.append(dict(n, attrs=json.loads("{" + attrs)) if attrs else n)
    return nodes


def cell(state, size, inner, gates, text):
    """a body: carry `state` of [2, size], x [2, inner], weights and biases of `gates` gates; gives it and its first again"""
    inputs = {n: f"f64[2,{size}]" for n in state} | {"x": f"f64[2,{inner}]"}
    inputs |= {"wi": f"f64[{gates * size},{inner}]", "wh": f"f64[{gates * size},{size}]"}
    inputs |= {"bi": f"f64[{gates * size}]", "bh": f"f64[{gates * size}]"}
    return {"inputs": inputs, "nodes": nodes_of("gi = linear x wi bi\ngh = linear h wh bh\n" + text),
            "outputs": {n: n + "1" for n in state} | {"y": "h1"}}


LSTM = """
g = add gi gh
i0,f0,g0,o0 = split g {"split_size_or_sections": 3, "dim": 1}
i = sigmoid i0
f = sigmoid f0
z = tanh g0
o = sigmoid o0
fc = mul f c
iz = mul i z
c1 = add fc iz
t = tanh c1
h1 = mul o t
"""
GRU = """
ri,zi,ni = split gi {"split_size_or_sections": 3, "dim": 1}
rh,zh,nh = split gh {"split_size_or_sections": 3, "dim": 1}
rs = add ri rh
r = sigmoid rs
zs = add zi zh
z = sigmoid zs
rn = mul r nh
ns = add ni rn
n = tanh ns
d = sub h n
zd = mul z d
h1 = add n zd
"""


def recurrent_case(title, state, body, f, steps=5, directions=1):
    names = ["wi", "wh", "bi", "bh"]
    gates = {"LSTM": 4, "GRU": 3}.get(title.split()[-1], 1)
    leaves = {"x": R(steps, 2, 4)} | {n: R(directions, 2, 3) for n in state}
    for d in range(directions):
        leaves |= {f"wi{d}": R(3 * gates, 4), f"wh{d}": R(3 * gates, 3), f"bi{d}": R(3 * gates), f"bh{d}": R(3 * gates)}
    for t in leaves.values():
        t.requires_grad_()
    weights = [leaves[f"{n}{d}"] for d in range(directions) for n in names]
    y, *last = f(leaves["x"], [leaves[n] for n in state], weights, directions == 2)
    nodes = []
    for d in range(directions):
        for n in state:
            nodes += [{"out": f"{n}{d}s", "op": "slice", "in": [n], "attrs": {"start": d, "end": d + 1}},
                      {"out": f"{n}{d}", "op": "squeeze", "in": [f"{n}{d}s"], "attrs": {"dim": 0}}]
        nodes.append({"out": [f"{n}{d}_last" for n in state] + [f"y{d}"], "op": "scan",
                      "in": [f"{n}{d}" for n in state] + ["x"] + [f"{n}{d}" for n in names],
                      "attrs": {"function": "cell", "carry": len(state), "xs": 1, "reverse": d == 1}})
    outputs = {"y": "y0" if directions == 1 else "y"}
    if directions == 2:
        nodes.append({"out": "y", "op": "cat", "in": ["y0", "y1"], "attrs": {"dim": 2}})
    for n in state:
        nodes.append({"out": f"{n}_last", "op": "stack", "in": [f"{n}{d}_last" for d in range(directions)]})
        outputs[f"{n}_last"] = f"{n}_last"
    ir = {"gradc": 1, "name": "g", "inputs": {n: type_of(t) for n, t in leaves.items()}, "nodes": nodes, "outputs": outputs,
          "functions": {"cell": cell(state, 3, 4, gates, body)}}
    write_case("recurrent", title, ir, leaves, dict(zip(outputs, [y, *last])), list(leaves))


def recurrent():
    rest = lambda two: (True, 1, 0.0, False, two, False)
    recurrent_case("LSTM", ["h", "c"], LSTM, lambda x, s, w, two: torch.lstm(x, s, w, *rest(two)))
    recurrent_case("bidirectional LSTM", ["h", "c"], LSTM, lambda x, s, w, two: torch.lstm(x, s, w, *rest(two)), 4, 2)
    recurrent_case("GRU", ["h"], GRU, lambda x, s, w, two: torch.gru(x, s[0], w, *rest(two)), 7)
    recurrent_case("RNN", ["h"], "s = add gi gh\nh1 = tanh s", lambda x, s, w, two: torch.rnn_tanh(x, s[0], w, *rest(two)))
    recurrent_case("bidirectional RNN", ["h"], "s = add gi gh\nh1 = tanh s",
                   lambda x, s, w, two: torch.rnn_tanh(x, s[0], w, *rest(two)), 1, 2)


def main():
    for f in (pointwise, clamps, integers, views, indices, reductions, contractions, convolutions, pools, sizes, activations, losses, norms, attentions, models, recurrent):
        generator.manual_seed(sum(map(ord, f.__name__)))
        f()
    for name, cases in files.items():
        with open(os.path.join(HERE, name + ".txt"), "w") as out:
            out.write("\n".join(cases))
    gradc = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "../../build/gradc")
    table = subprocess.run([gradc, "ops"], capture_output=True, text=True, check=True).stdout
    print("without a case:", " ".join(w for w in (l.split()[0] for l in table.splitlines() if l) if w not in seen))


main()

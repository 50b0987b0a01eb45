"""Rules for special functions, integers' bits, activations and losses: ops that gradc has under PyTorch's names."""
import math

from .graph import FLOATS
from .rules import REDUCTIONS, RULES, count, name_of, pointwise, rule

SAME = """exp2 log10 sinc lgamma digamma erfinv i0 frac signbit hardsigmoid hardswish mish""".split()
for _op in SAME:
    RULES[_op] = lambda c, self, _op=_op, **_: pointwise(c, _op, self)
for _op in "erfcx i0e i1 i1e ndtri".split():
    RULES["special_" + _op] = lambda c, self, _op=_op, **_: pointwise(c, _op, self)

BINARY = {"fmax": "fmax", "fmin": "fmin", "copysign.Tensor": "copysign", "copysign.Scalar": "copysign",
          "heaviside": "heaviside", "hypot": "hypot", "logaddexp": "logaddexp", "logaddexp2": "logaddexp2",
          "xlogy.Tensor": "xlogy", "xlogy.Scalar_Self": "xlogy", "xlogy.Scalar_Other": "xlogy",
          "special_xlog1py": "xlog1py", "special_xlog1py.self_scalar": "xlog1py", "special_xlog1py.other_scalar": "xlog1py",
          "gcd": "gcd", "lcm": "lcm", "floor_divide": "floor_divide", "floor_divide.Scalar": "floor_divide"}
for _kind in ("Tensor", "Scalar", "Scalar_Tensor"):
    for _op in "and or xor".split():
        BINARY["bitwise_%s.%s" % (_op, _kind)] = "bitwise_" + _op
for _kind in ("Tensor", "Tensor_Scalar", "Scalar_Tensor"):
    for _op in "left right".split():
        BINARY["bitwise_%s_shift.%s" % (_op, _kind)] = "bitwise_%s_shift" % _op
BINARY.update({"__lshift__.Tensor": "bitwise_left_shift", "__lshift__.Scalar": "bitwise_left_shift",
               "__rshift__.Tensor": "bitwise_right_shift", "__rshift__.Scalar": "bitwise_right_shift"})


def two(op):
    def of(c, self, other=None, values=None, **_):
        other = values if other is None else other      # heaviside calls it so
        if c.results[0][0] == "bool" and op.startswith("bitwise"):
            return pointwise(c, op.replace("bitwise", "logical"), self, other, dtype="bool")
        return pointwise(c, op, self, other)
    return of


for _name, _op in BINARY.items():
    RULES[_name] = two(_op)


@rule("bitwise_not")
def bitwise_not(c, self, **_):
    return c.op("logical_not" if self.dtype == "bool" else "bitwise_not", [self])


@rule("round.decimals")
def round_decimals(c, self, decimals, **_):
    """Of floats; PyTorch scales by a power of ten, rounds, and scales back."""
    if not decimals or not self.floating:
        return pointwise(c, "round", self)
    scale, there, back = 10.0 ** abs(decimals), "mul", "div"
    if decimals < 0:
        there, back = back, there
    return c.op(back, [c.op("round", [c.op(there, [self, scale])]), scale])


@rule("angle")
def angle(c, self, **_):
    """Of real numbers."""
    dtype = c.results[0][0]
    x = c.op("stop_gradient", [c.cast(self, dtype)])
    half_turn = c.op("mul", [c.cast(c.op("lt", [x, 0], "bool"), dtype), math.pi])
    return c.op("where", [c.op("isnan", [x], "bool"), x, half_turn])


@rule("polygamma")
def polygamma(c, n, self, **_):
    return pointwise(c, "polygamma", n, self) if n else pointwise(c, "digamma", self)


@rule("deg2rad", "rad2deg")
def degrees(c, self, **_):
    factor = 0.017453292519943295 if name_of(c.node.target) == "deg2rad" else 57.29577951308232
    return pointwise(c, "mul", self, factor)


@rule("nan_to_num")
def nan_to_num(c, self, nan=None, posinf=None, neginf=None, **_):
    if not self.floating:
        return self
    high = {"f64": 1.7976931348623157e308, "f32": 3.4028234663852886e38}.get(self.dtype)
    bad = c.op("isnan", [self], "bool")
    above = c.op("eq", [self, float("inf")], "bool")
    below = c.op("eq", [self, float("-inf")], "bool")
    x = c.op("where", [bad, 0.0 if nan is None else nan, self])
    x = c.op("where", [above, high if posinf is None else posinf, x])
    return c.op("where", [below, -high if neginf is None else neginf, x])


@rule("clamp.Tensor", "clamp_min.Tensor", "clamp_max.Tensor")
def clamp_tensor(c, self, min=None, max=None, **_):
    """PyTorch's derivative: to the operand that the value is of, where they are equal to self."""
    dtype, shape = c.results[0]
    x = c.cast(self, dtype)
    for bound, beyond, op in ((min, "lt", "maximum"), (max, "gt", "minimum")):
        if bound is None:
            continue
        bound = c.cast(bound, dtype)
        outside = c.op(beyond, [x, bound], "bool")
        if dtype in FLOATS:
            bad = c.g.op("isnan", [bound], "bool", bound.shape)
            outside = c.op("logical_or", [outside, bad], "bool")
        x = c.op("where", [outside, bound, x])
    return x


# ---- activations

@rule("hardtanh", "hardtanh_")
def hardtanh(c, self, min_val=-1.0, max_val=1.0, **_):
    if not self.floating:
        return c.op("clamp", [self], min=int(min_val), max=int(max_val))
    return c.op("hardtanh", [self], min_val=min_val, max_val=max_val)


@rule("relu6")
def relu6(c, self, **_):
    if not self.floating:
        return c.op("clamp", [self], min=0, max=6)
    return c.op("relu6", [self])


@rule("threshold")
def threshold(c, self, threshold, value, **_):
    if not self.floating:
        return c.op("where", [c.op("gt", [self, threshold], "bool"), self, value])
    return c.op("threshold", [self], threshold=threshold, value=value)


@rule("hardshrink", "softshrink")
def shrink(c, self, lambd=0.5, **_):
    return c.op(name_of(c.node.target), [self], lambd=lambd)


@rule("celu")
def celu(c, self, alpha=1.0, **_):
    return c.op("celu", [self], alpha=alpha)


@rule("selu", "log_sigmoid", "tanhshrink", "softsign")
def selu(c, self, **_):
    return c.op({"log_sigmoid": "logsigmoid"}.get(name_of(c.node.target), name_of(c.node.target)), [self])


@rule("log_sigmoid_forward")
def log_sigmoid_forward(c, self, **_):
    return [c.op("logsigmoid", [self]), None]


@rule("prelu", "_prelu_kernel")
def prelu(c, self, weight, **_):
    if name_of(c.node.target) == "prelu":
        weight = c.reshape(weight, [weight.shape[0]] if weight.rank else [1])
        return c.op("prelu", [self, weight])
    positive = c.op("gt", [self, 0], "bool")
    return c.op("where", [positive, self, c.op("mul", [weight, self])])


@rule("glu")
def glu(c, self, dim=-1, **_):
    return c.op("glu", [self], dim=dim)


# ---- losses

def mean_or_sum(c, each, reduction):
    how = REDUCTIONS[reduction]
    return each if how == "none" else c.op(how or "mean", [each])


def joined(c, *operands):
    """Losses of PyTorch broadcast and promote; those of gradc do neither."""
    dtype = c.results[0][0]
    return [c.cast(x, dtype) for x in operands]


@rule("binary_cross_entropy")
def binary_cross_entropy(c, self, target, weight=None, reduction=1, **_):
    if weight is None:
        return c.op("binary_cross_entropy", [self, target], reduction=REDUCTIONS[reduction])
    each = c.g.op("binary_cross_entropy", [self, target], self.dtype, self.shape, reduction="none")
    return mean_or_sum(c, c.g.op("mul", [each, weight], self.dtype, self.shape), reduction)


def elementwise_loss(attribute=None, default=None):
    def loss(c, self, target, reduction=1, **given):
        more = {attribute: given.get(attribute, default)} if attribute else {}
        op = name_of(c.node.target)
        if self.shape != target.shape:
            c.refuse("%s of operands that broadcast" % op)
        return c.op(op, joined(c, self, target), reduction=REDUCTIONS[reduction], **more)
    return loss


RULES["huber_loss"] = elementwise_loss("delta", 1.0)
RULES["smooth_l1_loss"] = elementwise_loss("beta", 1.0)
RULES["soft_margin_loss"] = elementwise_loss()


@rule("multi_margin_loss")
def multi_margin_loss(c, self, target, p=1, margin=1, weight=None, reduction=1, **_):
    if weight is None:
        return c.op("multi_margin_loss", [self, target], p=p, margin=margin, reduction=REDUCTIONS[reduction])
    items = count(target.shape)
    each = c.g.op("multi_margin_loss", [self, target], self.dtype, target.shape, p=p, margin=margin, reduction="none")
    of = c.g.op("index_select", [weight, c.reshape(target, [items])], self.dtype, [items], dim=0)
    each = c.g.op("mul", [each, c.reshape(of, target.shape)], self.dtype, target.shape)
    return c.reshape(mean_or_sum(c, each, reduction), c.results[0][1])


@rule("multilabel_margin_loss", "multilabel_margin_loss_forward")
def multilabel_margin_loss(c, self, target, reduction=1, **_):
    if not self.rank:
        self, target = c.reshape(self, [1]), c.reshape(target, [1])
    out = c.op("multilabel_margin_loss", [self, target], reduction=REDUCTIONS[reduction])
    return [out, None] if len(c.results) > 1 else out

"""One rule for each ATen op: how it is said in gradc's IR.

A rule is a function of the call (graph, types of the results) and the op's arguments by the names of
its schema. It returns the value, or a list for ops with several results. Sizes are taken from the
results, which know them symbolically. Ops without a rule are decomposed by PyTorch; what is left is refused.
"""
import math
import operator
import re

import torch

from .errors import Refused
from .graph import DTYPES, FLOATS, Value, symbolic

RULES = {}
ALL = 9223372036854775807      # ATen's "to the end"


def rule(*names):
    def add(function):
        for name in names:
            RULES[name] = function
        return function
    return add


def name_of(op):
    """aten.add.Tensor is "add.Tensor"; the default overload is "relu"."""
    name = op.name().split("::", 1)[1] if hasattr(op, "name") else str(op)
    return name


def find(op):
    return RULES.get(name_of(op)) if getattr(op, "namespace", "") in ("aten", "gradc_torch") else None


# what there is no rule for, and why
FAMILIES = [
    (r"nonzero|masked_select|_?unique\w*|bincount|_ctc_loss|repeat_interleave",
     "a result whose size depends on data: keep the shape, with torch.where or a mask that multiplies"),
    (r"(_local_scalar_dense|item|equal|is_nonzero|allclose)$",
     "a number that depends on data: keep it a tensor, and use torch.where for what hangs on it"),
    (r"_fft_\w+|view_as_complex|view_as_real|complex|polar|_?conj\w*|real|imag|stft|istft",
     "complex numbers: compute with their real and imaginary parts"),
    (r"_?linalg_\w+|cholesky\w*|lu_\w+|_?lu_with_info|triangular_solve|geqrf|ormqr|householder_product|svd|eig\w*|lstsq|"
     r"logdet|slogdet|det|inverse|pinverse|matrix_exp",
     "dense linear algebra"),
    (r"multinomial|randperm|poisson|_standard_gamma|_sample_dirichlet|binomial",
     "a random number of this distribution: draw it outside, and make it an input"),
    (r"_?sparse\w*|to_sparse\w*|_to_sparse\w*|values|indices|crow_indices|_nested\w*|_jagged\w*", "sparse or nested tensors"),
]


def refusal(op):
    """Why an op cannot be exported."""
    name = name_of(op).split(".")[0]
    for pattern, why in FAMILIES:
        if re.fullmatch(pattern, name):
            return "%s: %s" % (op, why)
    return "no rule for %s" % op


def dtype_refusal(name, is_complex):
    if is_complex:
        return "dtype %s: complex numbers are not supported; compute with their real and imaginary parts" % name
    return "dtype %s is not supported: use float32, float64, float16, bfloat16, bool or another integer" % name


def known(op):
    """Whether a node of this op shall stay as it is; sizes and checks do."""
    return not hasattr(op, "_schema") or op is operator.getitem or find(op) is not None or \
        name_of(op) in ("sym_size.int", "sym_numel", "_assert_scalar", "sym_constrain_range_for_size",
                        "_assert_tensor_metadata", "_assert_async.msg")


@rule("_assert_tensor_metadata", "_assert_scalar", "_assert_async.msg", "sym_constrain_range_for_size")
def nothing(c, **_):
    return None


# ---- pointwise

def promoted(values):
    """The dtype in which PyTorch computes with these operands; tensors without dimensions count less."""
    names = {v: k for k, v in DTYPES.items()}

    def stand_in(x):
        if isinstance(x, Value):
            return torch.empty([1] * bool(x.rank), dtype=names[x.dtype], device="meta")
        return 1 if symbolic(x) else x

    result = stand_in(values[0])
    for x in values[1:]:
        dtype = torch.result_type(result, stand_in(x))
        rank = max(getattr(result, "dim", lambda: 0)(), getattr(stand_in(x), "dim", lambda: 0)())
        result = torch.empty([1] * bool(rank), dtype=dtype, device="meta")
    return DTYPES[result.dtype if isinstance(result, torch.Tensor) else torch.get_default_dtype()]


# bool is computed with as if it were numbers that are 1 at most: a sum is 1 if any of its terms is
OF_BOOL = {"mul": "logical_and", "maximum": "logical_or", "minimum": "logical_and", "heaviside": "logical_or",
           "sum": "any", "prod": "all"}


def pointwise(c, op, *operands, dtype=None, **attrs):
    """operands are cast to dtype: by default to the result's, for results of bool to what comparisons use."""
    result = c.results[0][0]
    dtype = dtype or (promoted(operands) if result == "bool" else result)
    if dtype == "bool" and op in OF_BOOL:
        op = OF_BOOL[op]
    if dtype not in FLOATS and op == "relu":
        op, operands = "maximum", operands + (0,)
    operands = [c.cast(c.value(x, dtype), dtype) for x in operands]
    if not any(isinstance(x, Value) for x in operands):
        c.refuse("an op on numbers alone")
    return c.op(op, operands, **attrs)


UNARY = """abs neg square reciprocal sqrt rsqrt exp expm1 log log1p log2 sigmoid erf erfc sin cos tan asin acos
atan sinh cosh tanh asinh acosh atanh floor ceil trunc isnan isinf relu silu""".split()
for _op in UNARY:
    RULES[_op] = lambda c, self, _op=_op, **_: pointwise(c, _op, self)

BINARY = {"mul.Tensor": "mul", "mul.Scalar": "mul", "div.Tensor": "div", "div.Scalar": "div", "maximum": "maximum",
          "minimum": "minimum", "atan2": "atan2", "fmod.Tensor": "fmod", "fmod.Scalar": "fmod",
          "remainder.Tensor": "remainder", "remainder.Scalar": "remainder", "pow.Tensor_Tensor": "pow"}
for _name, _op in BINARY.items():
    RULES[_name] = lambda c, self, other=None, exponent=None, _op=_op, **_: \
        pointwise(c, _op, self, exponent if other is None else other)
for _op in "eq ne lt le gt ge".split():
    for _kind in ("Tensor", "Scalar"):
        RULES["%s.%s" % (_op, _kind)] = lambda c, self, other, _op=_op, **_: pointwise(c, _op, self, other)
for _op in "and or xor".split():
    RULES["logical_" + _op] = lambda c, self, other, _op=_op, **_: \
        pointwise(c, "logical_" + _op, self, other, dtype="bool")


@rule("logical_not")
def logical_not(c, self, **_):
    return pointwise(c, "logical_not", self, dtype="bool")


@rule("sign", "sgn")
def sign(c, self, **_):
    return self if self.dtype == "bool" else pointwise(c, "sign", self)


def times(c, x, factor):
    """x by a number, in the dtype of x."""
    factor = c.cast(factor, x.dtype)
    if factor == 1:
        return x
    return c.g.op(OF_BOOL["mul"] if x.dtype == "bool" else "mul", [x, factor], x.dtype, x.shape)


@rule("add.Tensor", "add.Scalar", "sub.Tensor", "sub.Scalar")
def add(c, self, other, alpha=1, **_):
    op = name_of(c.node.target)[:3]
    dtype = c.results[0][0]
    other = times(c, c.cast(other, dtype), alpha) if isinstance(other, Value) else other * alpha if alpha != 1 else other
    return pointwise(c, "logical_or" if dtype == "bool" else op, self, other, dtype=dtype)


@rule("rsub.Tensor", "rsub.Scalar")
def rsub(c, self, other, alpha=1, **_):
    if alpha != 1:
        self = pointwise(c, "mul", self, alpha)
    return pointwise(c, "sub", other, self)


@rule("div.Tensor_mode", "div.Scalar_mode")
def div(c, self, other, rounding_mode, **_):
    dtype, shape = c.results[0]
    operands = [c.cast(x, dtype) for x in (self, other)]
    if rounding_mode is None:
        return c.op("div", operands)
    if dtype in FLOATS:
        return c.op({"trunc": "trunc", "floor": "floor"}[rounding_mode], [c.op("div", operands)])
    if rounding_mode == "trunc":
        return c.op("div", operands)
    rest = c.op("remainder", operands)
    return c.op("div", [c.op("sub", [operands[0], rest]), operands[1]])


@rule("pow.Tensor_Scalar")
def power(c, self, exponent, **_):
    self = c.cast(self, c.results[0][0])
    if exponent == 2:
        return c.op("square", [self])
    if exponent == 0.5:
        return c.op("sqrt", [self])
    if exponent == -1 and self.floating:
        return c.op("reciprocal", [self])
    return c.op("pow", [self, exponent])


@rule("pow.Scalar")
def power_of_number(c, self, exponent, **_):
    return pointwise(c, "pow", self, exponent)


@rule("round")
def rounding(c, self, **_):
    return pointwise(c, "round", self)


@rule("gelu")
def gelu(c, self, approximate="none", **_):
    return c.op("gelu", [self], approximate=None if approximate == "none" else approximate)


@rule("leaky_relu")
def leaky_relu(c, self, negative_slope=0.01, **_):
    return c.op("leaky_relu", [self], negative_slope=negative_slope)


@rule("elu")
def elu(c, self, alpha=1, scale=1, input_scale=1, **_):
    if scale != 1 or input_scale != 1:
        x = self if input_scale == 1 else c.op("mul", [self, input_scale])
        # scale * (max(x, 0) + alpha * (exp(input_scale * min(x, 0)) - 1))
        low = c.op("expm1", [c.op("mul", [c.op("minimum", [self, 0]), input_scale])]) if input_scale != 1 else \
            c.op("expm1", [c.op("minimum", [x, 0])])
        both = c.op("add", [c.op("relu", [self]), c.op("mul", [low, alpha])])
        return c.op("mul", [both, scale])
    return c.op("elu", [self], alpha=alpha)


@rule("softplus")
def softplus(c, self, beta=1, threshold=20, **_):
    return c.op("softplus", [self], beta=beta, threshold=threshold)


@rule("clamp", "clamp_min", "clamp_max")
def clamp(c, self, min=None, max=None, **_):
    return c.op("clamp", [c.cast(self, c.results[0][0])], min=min, max=max)


@rule("where.self", "where.ScalarOther", "where.ScalarSelf")
def where(c, condition, self, other, **_):
    dtype = c.results[0][0]
    return c.op("where", [c.cast(condition, "bool"), c.cast(self, dtype), c.cast(other, dtype)])


@rule("masked_fill.Scalar", "masked_fill.Tensor")
def masked_fill(c, self, mask, value, **_):
    return c.op("where", [mask, c.cast(value, self.dtype), self])


@rule("_to_copy", "to.dtype", "to.dtype_layout", "type_as", "to.device", "to.other")
def to(c, self, **_):
    return c.cast(self, c.results[0][0])


@rule("alias", "clone", "contiguous", "lift_fresh_copy", "lift_fresh", "detach_", "view_of")
def same(c, self, **_):
    return self


@rule("detach", "stop_gradient")
def detach(c, self, **_):
    return c.op("stop_gradient", [self]) if self.floating else self


# ---- reductions

def dims(dim):
    return None if dim is None or dim == [] else dim


def reduction(op):
    def reduce(c, self, dim=None, keepdim=False, **_):
        dtype = c.results[0][0]
        name = OF_BOOL.get(op, op) if dtype == "bool" else op
        return c.op(name, [c.cast(self, dtype)], dim=dims(dim), keepdim=keepdim or None)
    return reduce


for _name in ("sum", "sum.dim_IntList"):
    RULES[_name] = reduction("sum")
for _name in ("mean", "mean.dim"):
    RULES[_name] = reduction("mean")
for _name in ("prod", "prod.dim_int"):
    RULES[_name] = reduction("prod")
RULES["amax"] = RULES["max"] = reduction("amax")
RULES["amin"] = RULES["min"] = reduction("amin")
RULES["logsumexp"] = reduction("logsumexp")


@rule("argmax", "argmin")
def argmax(c, self, dim=None, keepdim=False, **_):
    return c.op(name_of(c.node.target), [self], dim=dim, keepdim=keepdim or None)


@rule("max.dim", "min.dim")
def max_dim(c, self, dim, keepdim=False, **_):
    """The gradient of the first result goes to the one element whose index is the second."""
    at = c.g.op("arg" + name_of(c.node.target)[:3], [self], "i64", c.results[1][1], dim=dim, keepdim=keepdim or None)
    axis = dim % max(self.rank, 1)
    if not self.rank:
        return [self, at]
    kept = self.shape[:axis] + [1] + self.shape[axis + 1:]
    value = c.g.op("gather", [self, c.reshape(at, kept)], self.dtype, kept, dim=axis)
    return [c.reshape(value, c.results[0][1]), at]


@rule("any", "any.dim", "any.dims", "all", "all.dim", "all.dims")
def any_all(c, self, dim=None, keepdim=False, **_):
    return c.op(name_of(c.node.target)[:3], [c.cast(self, "bool")], dim=dims(dim), keepdim=keepdim or None)


@rule("var.correction", "std.correction", "var.dim", "std.dim", "var", "std")
def var(c, self, dim=None, correction=1, unbiased=True, keepdim=False, **_):
    correction = 1 if correction is None else correction
    return c.op(name_of(c.node.target)[:3], [self], dim=dims(dim), correction=correction if unbiased else 0,
                keepdim=keepdim or None)


@rule("var_mean.correction")
def var_mean(c, self, dim=None, correction=1, keepdim=False, **_):
    of = dict(dim=dims(dim), keepdim=keepdim or None)
    return [c.g.op("var", [self], *c.results[0], correction=1 if correction is None else correction, **of),
            c.g.op("mean", [self], *c.results[1], **of)]


@rule("linalg_vector_norm")
def vector_norm(c, self, ord=2, dim=None, keepdim=False, **_):
    return c.op("norm", [c.cast(self, c.results[0][0])], p=ord, dim=dims(dim), keepdim=keepdim or None)


# ---- views

@rule("view", "reshape", "_unsafe_view", "flatten.using_ints", "unflatten.int", "unsqueeze", "squeeze",
      "squeeze.dim", "squeeze.dims")
def reshape(c, self, **_):
    return c.reshape(self, c.results[0][1])


@rule("resize", "resize_as")
def resize(c, self, **_):
    """What a larger size would add is undefined."""
    shape = c.results[0][1]
    if count(shape) != count(self.shape):
        c.refuse("resize to another number of elements: its new elements are undefined")
    return c.reshape(self, shape)


@rule("permute")
def permute(c, self, dims, **_):
    order = [d % self.rank for d in dims]
    return self if order == sorted(order) else c.op("permute", [self], dims=order)


@rule("transpose.int", "t", "swapaxes")
def transpose(c, self, dim0=0, dim1=1, **_):
    if self.rank < 2:
        return self
    order = list(range(self.rank))
    order[dim0], order[dim1] = order[dim1], order[dim0]
    return permute(c, self, order)


@rule("expand", "broadcast_to", "expand_as")
def expand(c, self, **_):
    shape = c.results[0][1]
    return self if self.shape == shape else c.op("expand", [self], shape=shape)


@rule("slice.Tensor")
def slice_(c, self, dim=0, start=None, end=None, step=1, **_):
    if not all(x is None or isinstance(x, int) for x in (start, end, step)):
        c.refuse("a slice whose bounds are symbolic")
    start, end = start or 0, None if end is None or end == ALL else end
    if start == 0 and end is None and step == 1 or c.results[0][1] == self.shape:
        return self
    return c.op("slice", [self], dim=dim, start=start or None, end=end, step=None if step == 1 else step)


@rule("select.int")
def select(c, self, dim, index, **_):
    dim %= self.rank
    shape = self.shape[:dim] + [1] + self.shape[dim + 1:]
    one = c.g.op("slice", [self], self.dtype, shape, dim=dim, start=index, end=None if index == -1 else index + 1)
    return c.reshape(one, c.results[0][1])


@rule("cat")
def cat(c, tensors, dim=0, **_):
    dtype = c.results[0][0]
    # PyTorch lets vectors of no elements join anything
    tensors = [c.cast(x, dtype) for x in tensors if x.shape != [0]] or tensors[:1]
    return tensors[0] if len(tensors) == 1 else c.op("cat", tensors, dim=dim)


@rule("stack")
def stack(c, tensors, dim=0, **_):
    return c.op("stack", [c.cast(x, c.results[0][0]) for x in tensors], dim=dim)


@rule("split.Tensor", "split_with_sizes", "chunk", "unsafe_chunk", "tensor_split.sections", "tensor_split.indices",
      "unsafe_split.Tensor", "split.sizes")
def split(c, self, dim=0, **_):
    sizes = [shape[dim] for _, shape in c.results]
    if len(sizes) == 1:
        return [self]
    return c.g.ops("split", [self], c.results, split_size_or_sections=sizes, dim=dim)


@rule("unbind.int")
def unbind(c, self, dim=0, **_):
    dim %= self.rank
    shape = self.shape[:dim] + [1] + self.shape[dim + 1:]
    return [c.reshape(c.g.op("slice", [self], self.dtype, shape, dim=dim, start=i, end=i + 1), out)
            for i, (_, out) in enumerate(c.results)]


@rule("flip")
def flip(c, self, dims, **_):
    return c.op("flip", [self], dims=dims)


@rule("constant_pad_nd")
def constant_pad(c, self, pad, value=0, **_):
    low, high = [0] * self.rank, [0] * self.rank
    for i in range(len(pad) // 2):
        low[-1 - i], high[-1 - i] = pad[2 * i], pad[2 * i + 1]
    x = self
    for d in range(self.rank):             # negative sizes cut off
        if low[d] < 0 or high[d] < 0:
            start, end = max(0, -low[d]), min(0, high[d])
            shape = list(x.shape)
            if not isinstance(shape[d], int):
                c.refuse("cutting off a symbolic dimension")
            shape[d] += end - start
            x = c.g.op("slice", [x], x.dtype, shape, dim=d, start=start, end=end or None)
    low, high = [max(n, 0) for n in low], [max(n, 0) for n in high]
    value = c.cast(value, self.dtype)
    value = int(value) if self.dtype == "bool" else value
    return c.op("pad", [x], low=low, high=high, value=value or None) if any(low + high) else x


@rule("diagonal")
def diagonal(c, self, offset=0, dim1=0, dim2=1, **_):
    dim1, dim2 = dim1 % self.rank, dim2 % self.rank
    rows, columns = self.shape[dim1], self.shape[dim2]
    if not isinstance(rows, int) or not isinstance(columns, int):
        c.refuse("the diagonal of symbolic dimensions")
    at = [i * columns + i + offset for i in range(max(0, -offset), rows) if i + offset < columns]
    rest = [d for d in range(self.rank) if d not in (dim1, dim2)]
    shape = [self.shape[d] for d in rest]
    last = rest + [dim1, dim2]
    x = self if last == sorted(last) else c.g.op("permute", [self], self.dtype, [self.shape[d] for d in last], dims=last)
    x = c.reshape(x, shape + [rows * columns])
    return c.g.op("index_select", [x, c.indices(at)], self.dtype, shape + [len(at)], dim=len(shape))


@rule("tril", "triu")
def tril(c, self, diagonal=0, **_):
    return c.op(name_of(c.node.target), [self], diagonal=diagonal or None)


# ---- sources

def full(c, value):
    return c.full(value, *c.results[0])


@rule("full", "full_like", "new_full")
def full_rule(c, fill_value, **_):
    if isinstance(fill_value, Value):
        return c.op("expand", [c.cast(fill_value, c.results[0][0])], shape=c.results[0][1])
    return full(c, fill_value)


@rule("zeros", "zeros_like", "new_zeros", "empty_like", "empty.memory_format", "new_empty", "empty_strided",
      "new_empty_strided", "empty_permuted")
def zeros(c, **_):
    return full(c, 0)


@rule("ones", "ones_like", "new_ones")
def ones(c, **_):
    return full(c, 1)


@rule("scalar_tensor")
def scalar_tensor(c, s, **_):
    return full(c, s)


@rule("arange", "arange.start", "arange.start_step")
def arange(c, start=0, step=1, **_):
    dtype, shape = c.results[0]
    x = c.op("iota", [], dim=0, shape=shape, type=dtype)
    start, step = c.cast(start, dtype), c.cast(step, dtype)
    x = x if step == 1 else c.op("mul", [x, step])
    return x if start == 0 else c.op("add", [x, start])


@rule("rand", "randn", "rand_like", "randn_like")
def rand(c, **_):
    dtype, shape = c.results[0]
    if dtype not in FLOATS:
        c.refuse("random numbers in [0, 1) as integers")
    return c.op("randn" if "randn" in name_of(c.node.target) else "rand", [c.key()], shape=shape, type=dtype)


@rule("bernoulli", "bernoulli.p")
def bernoulli(c, self, p=None, **_):
    return c.op("bernoulli", [self, c.key()], p=p)


@rule("native_dropout", "dropout")
def dropout(c, input, p, train, **_):
    if p == 0 or not train:
        return [input, None] if len(c.results) > 1 else input
    out = c.op("dropout", [input, c.key()], p=p)
    return [out, None] if len(c.results) > 1 else out


# ---- contractions

@rule("linear")
def linear(c, input, weight, bias=None, **_):
    return c.op("linear", [input, weight] + ([bias] if bias is not None else []))


@rule("matmul", "mm", "bmm")
def matmul(c, self, other=None, mat2=None, **_):
    return c.op("matmul", [self, mat2 if other is None else other])


@rule("mv", "dot")
def vector_product(c, self, vec=None, tensor=None, **_):
    return c.op("matmul", [self, tensor if vec is None else vec])


@rule("addmm", "baddbmm", "addmv")
def addmm(c, self, beta=1, alpha=1, mat1=None, mat2=None, batch1=None, batch2=None, mat=None, vec=None, **_):
    pairs = [(mat1, mat2), (batch1, batch2), (mat, vec)]
    product = c.op("matmul", list(next(p for p in pairs if p[0] is not None)))
    return weighted_sum(c, self, beta, product, alpha)


def weighted_sum(c, x, beta, y, alpha):
    """beta * x + alpha * y; of what is multiplied by zero nothing is seen."""
    y = times(c, y, alpha)
    return c.op("add", [times(c, x, beta), y]) if c.cast(beta, x.dtype) else y


@rule("outer")
def outer(c, self, vec2, **_):
    dtype = c.results[0][0]
    self, vec2 = c.cast(self, dtype), c.cast(vec2, dtype)
    if dtype == "bool":
        return c.op("logical_and", [c.reshape(self, self.shape + [1]), vec2])
    return c.op("outer", [self, vec2])


@rule("einsum")
def einsum(c, equation, tensors, **_):
    return c.op("einsum", tensors, equation=equation)


# ---- indexing

BY_FREQUENCY = "a gradient that is divided by how often an index occurs: leave scale_grad_by_freq out"


@rule("embedding")
def embedding(c, weight, indices, padding_idx=-1, scale_grad_by_freq=False, **_):
    if scale_grad_by_freq:
        c.refuse(BY_FREQUENCY)
    return c.op("embedding", [indices, weight], padding_idx=padding_idx if padding_idx >= 0 else None)


@rule("index_select")
def index_select(c, self, dim, index, **_):
    if not self.rank:
        return self
    index = index if index.rank else c.reshape(index, [1])
    return c.op("index_select", [self, index], dim=dim)


def vector(c, x):
    """A scalar as a vector of one element."""
    return c.reshape(x, x.shape or [1])


@rule("gather")
def gather(c, self, dim, index, **_):
    """No index may have any rank."""
    if count(index.shape) == 0:
        return full(c, 0)
    self, index = vector(c, self), vector(c, index)
    return c.reshape(c.g.op("gather", [self, index], self.dtype, index.shape, dim=dim), c.results[0][1])


def along(c, index, dim, shape):
    """A vector of indices as one for each element of shape."""
    dim %= len(shape)
    wide = c.reshape(index, [n if d == dim else 1 for d, n in enumerate(shape)])
    return c.g.op("expand", [wide], index.dtype, shape, shape=shape)


def scattered_sum(c, x, index, src, dim):
    if x.dtype == "bool":
        return c.g.op("scatter_reduce", [x, index, src], x.dtype, x.shape, dim=dim, reduce="amax")
    return c.g.op("scatter_add", [x, index, src], x.dtype, x.shape, dim=dim)


@rule("index_add")
def index_add(c, self, dim, index, source, alpha=1, **_):
    x, index, source = [vector(c, t) for t in (self, index, times(c, source, alpha))]
    return c.reshape(scattered_sum(c, x, along(c, index, dim, source.shape), source, dim), self.shape)


def count(shape):
    numbers = [n for n in shape if isinstance(n, int)]
    texts = [n for n in shape if not isinstance(n, int)]
    product = math.prod(numbers)
    return product if not texts else "*".join(([str(product)] if product != 1 else []) + texts)


def selected(c, indices):
    """The index tensors, and the dimensions that they select in."""
    at = [i for i, x in enumerate(indices) if x is not None]
    if any(indices[i].dtype == "bool" for i in at):
        c.refuse("an index that is a mask: its result's size depends on data")
    return [indices[i] for i in at], at


@rule("index.Tensor")
def index(c, self, indices, **_):
    places, at = selected(c, indices)
    return c.op("index", [self] + places, dims=at)


@rule("one_hot")
def one_hot(c, self, num_classes=-1, **_):
    return c.op("one_hot", [self], num_classes=c.results[0][1][-1])


# ---- layers and losses

@rule("softmax.int", "_softmax", "log_softmax.int", "_log_softmax")
def softmax(c, self, dim, **_):
    op = "log_softmax" if "log" in name_of(c.node.target) else "softmax"
    return c.op(op, [c.cast(self, c.results[0][0])], dim=dim)


REDUCTIONS = ["none", None, "sum"]         # mean is the default of the IR too


@rule("cross_entropy_loss")
def cross_entropy(c, self, target, weight=None, reduction=1, ignore_index=-100, label_smoothing=0.0, **_):
    return c.op("cross_entropy", [self, target] + ([weight] if weight is not None else []), reduction=REDUCTIONS[reduction],
                ignore_index=None if ignore_index == -100 else ignore_index, label_smoothing=label_smoothing or None)


@rule("nll_loss_nd", "nll_loss")
def nll_loss(c, self, target, weight=None, reduction=1, ignore_index=-100, **_):
    return c.op("nll_loss", [self, target] + ([weight] if weight is not None else []), reduction=REDUCTIONS[reduction],
                ignore_index=None if ignore_index == -100 else ignore_index)


@rule("mse_loss", "l1_loss")
def mse_loss(c, self, target, reduction=1, **_):
    return c.op(name_of(c.node.target), [self, target], reduction=REDUCTIONS[reduction])


@rule("binary_cross_entropy_with_logits")
def bce_with_logits(c, self, target, weight=None, pos_weight=None, reduction=1, **_):
    operands = [self, target] + ([pos_weight] if pos_weight is not None else [])
    if weight is None:
        return c.op("binary_cross_entropy_with_logits", operands, reduction=REDUCTIONS[reduction])
    each = c.g.op("binary_cross_entropy_with_logits", operands, self.dtype, self.shape, reduction="none")
    each = c.g.op("mul", [each, weight], self.dtype, self.shape)
    return each if reduction == 0 else c.op(REDUCTIONS[reduction] or "mean", [each])


def dropped_attention(c, query, key, value, mask, p, is_causal, scale):
    """Written out, since dropout stands between the softmax and the values."""
    def of(op, *operands, dtype=query.dtype, shape=query.shape[:-1] + [key.shape[-2]], **attrs):
        return c.g.op(op, list(operands), dtype, shape, **attrs)

    last = list(range(key.rank))
    turned = c.g.op("permute", [key], key.dtype, key.shape[:-2] + [key.shape[-1], key.shape[-2]],
                    dims=last[:-2] + [last[-1], last[-2]])
    scores = of("mul", of("matmul", query, turned), query.shape[-1] ** -0.5 if scale is None else scale)
    if is_causal:
        square = scores.shape[-2:]
        row, column = [c.g.op("iota", [], "i64", square, dim=d, shape=square, type="i64") for d in (0, 1)]
        scores = of("where", of("ge", row, column, dtype="bool", shape=square), scores, float("-inf"))
    if mask is not None:
        scores = of("where", mask, scores, float("-inf")) if mask.dtype == "bool" else of("add", scores, mask)
    weights = of("dropout", of("softmax", scores, dim=-1), c.key(), p=p)
    return c.op("matmul", [weights, value])


@rule("scaled_dot_product_attention")
def attention(c, query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False, **_):
    if len({query.rank, key.rank, value.rank}) > 1:
        batch = c.results[0][1][:-2]
        query, key, value = [c.g.op("expand", [x], x.dtype, batch + x.shape[-2:], shape=batch + x.shape[-2:])
                             for x in (query, key, value)]
    if dropout_p:
        if enable_gqa:
            c.refuse("scaled_dot_product_attention with dropout and enable_gqa: repeat keys and values in the model")
        return dropped_attention(c, query, key, value, attn_mask, dropout_p, is_causal, scale)
    return c.op("scaled_dot_product_attention", [query, key, value] + ([attn_mask] if attn_mask is not None else []),
                is_causal=is_causal or None, scale=scale, enable_gqa=enable_gqa or None)

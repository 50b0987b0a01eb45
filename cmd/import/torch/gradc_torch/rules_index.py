"""Rules for writing at indices, and for views whose positions are known when the model is exported."""
import math

from .rules import ALL, BY_FREQUENCY, RULES, along, count, name_of, rule, scattered_sum, selected, vector, weighted_sum


def sized(c, shape, what):
    if not all(isinstance(n, int) for n in shape):
        c.refuse("%s with a symbolic dimension" % what)
    return shape


def picked(c, x, dim, at, shape):
    """Slices of x at the places `at`, which are known."""
    return c.g.op("index_select", [x, c.indices(at)], x.dtype, shape, dim=dim) if at else \
        c.full(0, x.dtype, shape)


def flat(c, x):
    return c.reshape(x, [count(x.shape)])


# ---- views with known positions

def strided(size, stride, offset):
    at = [offset]
    for n, s in zip(size, stride):
        at = [a + i * s for a in at for i in range(n)]
    return at


@rule("as_strided", "as_strided_copy")
def as_strided(c, self, size, stride, storage_offset=None, **_):
    """Positions in the storage are those in the tensor, which is dense."""
    sized(c, self.shape, "as_strided")
    at = strided(size, stride, storage_offset or 0)
    return c.reshape(picked(c, flat(c, self), 0, at, [len(at)]), list(size))


def replaced(c, self, src, dim, at):
    """self with the slices of src at the places `at` of dim."""
    n, m = self.shape[dim], src.shape[dim]
    order = list(range(n))
    for j, i in enumerate(at):
        order[i] = n + j
    both = c.g.op("cat", [self, src], self.dtype, self.shape[:dim] + [n + m] + self.shape[dim + 1:], dim=dim)
    return picked(c, both, dim, order, self.shape)


@rule("select_scatter")
def select_scatter(c, self, src, dim, index, **_):
    dim %= self.rank
    sized(c, self.shape[dim:dim + 1], "select_scatter")
    src = c.reshape(c.cast(src, self.dtype), self.shape[:dim] + [1] + self.shape[dim + 1:])
    return replaced(c, self, src, dim, [index % self.shape[dim]])


@rule("slice_scatter")
def slice_scatter(c, self, src, dim=0, start=None, end=None, step=1, **_):
    dim %= self.rank
    if not start and end in (None, ALL) and step == 1 and src.shape == self.shape:
        return c.cast(src, self.dtype)
    n, = sized(c, self.shape[dim:dim + 1], "slice_scatter")
    at = list(range(n))[slice(start, end, step)]
    shape = self.shape[:dim] + [len(at)] + self.shape[dim + 1:]
    src = c.cast(src, self.dtype)
    src = src if src.shape == shape else c.g.op("expand", [src], src.dtype, shape, shape=shape)
    return replaced(c, self, src, dim, at) if at else self


@rule("diagonal_scatter")
def diagonal_scatter(c, self, src, offset=0, dim1=0, dim2=1, **_):
    sized(c, self.shape, "diagonal_scatter")
    strides = [math.prod(self.shape[d + 1:]) for d in range(self.rank)]
    dim1, dim2 = dim1 % self.rank, dim2 % self.rank
    rest = [d for d in range(self.rank) if d not in (dim1, dim2)]
    start = -min(offset, 0) * strides[dim1] + max(offset, 0) * strides[dim2]
    size = [self.shape[d] for d in rest] + [src.shape[-1]]
    at = strided(size, [strides[d] for d in rest] + [strides[dim1] + strides[dim2]], start)
    return c.reshape(replaced(c, flat(c, self), flat(c, src), 0, at), self.shape)


@rule("as_strided_scatter")
def as_strided_scatter(c, self, src, size, stride, storage_offset=None, **_):
    sized(c, self.shape, "as_strided_scatter")
    at = strided(size, stride, storage_offset or 0)
    return c.reshape(replaced(c, flat(c, self), flat(c, src), 0, at), self.shape)


@rule("copy")
def copy(c, self, src, **_):
    src, shape = c.cast(src, self.dtype), self.shape
    return src if src.shape == shape else c.op("expand", [src], shape=shape)


@rule("eye", "eye.m")
def eye(c, n, m=None, **_):
    dtype, shape = c.results[0]
    rows = c.g.op("iota", [], "i64", shape, dim=0, shape=shape, type="i64")
    columns = c.g.op("iota", [], "i64", shape, dim=1, shape=shape, type="i64")
    return c.cast(c.g.op("eq", [rows, columns], "bool", shape), dtype)


for _name in ("alias_copy", "expand_copy", "permute_copy", "view_copy", "unsqueeze_copy", "squeeze_copy", "squeeze_copy.dim",
              "squeeze_copy.dims", "t_copy", "transpose_copy.int", "slice_copy.Tensor", "select_copy.int", "unbind_copy.int",
              "unfold_copy", "diagonal_copy", "detach_copy", "split_copy.Tensor", "split_with_sizes_copy"):
    _original = {"alias_copy": "alias", "view_copy": "view"}.get(_name, _name.replace("_copy", "", 1))
    RULES[_name] = RULES[_original]


# ---- writing at indices: of several at one place the last stays, which PyTorch leaves open

def summed(c, op, x, places, values, **attrs):
    """What an op that adds values makes of x; those of bool are counted."""
    dtype = "i64" if x.dtype == "bool" else x.dtype
    out = c.g.op(op, [c.cast(x, dtype), *places, c.cast(values, dtype)], dtype, x.shape, accumulate=True, **attrs)
    return c.cast(out, x.dtype)


@rule("index_put", "_unsafe_index_put", "_index_put_impl")
def index_put(c, self, indices, values, accumulate=False, **_):
    at = [i for i, x in enumerate(indices) if x is not None]
    if len(at) == 1 and indices[at[0]].dtype == "bool":
        return masked_put(c, self, indices, values, accumulate)
    places, dims = selected(c, indices)
    if accumulate:
        return summed(c, "index_put", self, places, values, dims=dims)
    return c.op("index_put", [self] + places + [c.cast(values, self.dtype)], dims=dims)


def masked_put(c, self, indices, values, accumulate):
    """One mask, and one value for all that it holds: others depend on how many these are."""
    at, = [i for i, x in enumerate(indices) if x is not None]
    mask = indices[at]
    if count(values.shape) != 1:
        c.refuse("an index that is a mask: its result's size depends on data")
    mask = c.reshape(mask, [1] * at + mask.shape + [1] * (self.rank - at - mask.rank))
    value = c.reshape(c.cast(values, self.dtype), [1] * self.rank)
    new = c.op("logical_or" if self.dtype == "bool" else "add", [self, value]) if accumulate else value
    return c.op("where", [mask, new, self])


@rule("index_copy")
def index_copy(c, self, dim, index, source, **_):
    x = vector(c, self)
    out = c.g.op("index_copy", [x, vector(c, index), vector(c, source)], x.dtype, x.shape, dim=dim)
    return c.reshape(out, self.shape)


@rule("index_fill.int_Scalar", "index_fill.int_Tensor")
def index_fill(c, self, dim, index, value, **_):
    """A mask of the places, since the value may be a tensor."""
    x, index = vector(c, self), vector(c, index)
    dim %= x.rank
    n = x.shape[dim]
    hit = scattered_sum(c, c.full(False, "bool", [n]), index, c.full(True, "bool", index.shape), 0)
    hit = c.reshape(hit, [n if d == dim else 1 for d in range(x.rank)])
    return c.reshape(c.g.op("where", [hit, c.cast(value, x.dtype), x], x.dtype, x.shape), self.shape)


def cut(c, src, shape):
    """The leading part of src of that shape."""
    for d, n in enumerate(shape):
        if src.shape[d] != n:
            src = c.g.op("slice", [src], src.dtype, src.shape[:d] + [n] + src.shape[d + 1:], dim=d, end=n)
    return src


REDUCE = {"add": "sum", "multiply": "prod"}
OF_BOOL = {"sum": "amax", "prod": "amin"}


@rule("scatter.src", "scatter.value", "scatter.reduce", "scatter.value_reduce", "scatter_add")
def scatter(c, self, dim, index, src=None, value=None, reduce=None, **_):
    """No index may have any rank."""
    if count(index.shape) == 0:
        return self
    x, index = vector(c, self), vector(c, index)
    src = c.full(value, x.dtype, index.shape) if src is None else cut(c, vector(c, c.cast(src, x.dtype)), index.shape)
    if reduce:
        return c.reshape(scattered(c, x, index, src, dim, REDUCE[reduce]), self.shape)
    if name_of(c.node.target) == "scatter_add":
        return c.reshape(scattered_sum(c, x, index, src, dim), self.shape)
    return c.reshape(c.g.op("scatter", [x, index, src], x.dtype, x.shape, dim=dim), self.shape)


def scattered(c, x, index, src, dim, reduce, include_self=True):
    reduce = OF_BOOL.get(reduce, reduce) if x.dtype == "bool" else reduce
    return c.g.op("scatter_reduce", [x, index, src], x.dtype, x.shape, dim=dim, reduce=reduce,
                  include_self=None if include_self else False)


@rule("scatter_reduce.two", "index_reduce")
def scatter_reduce(c, self, dim, index, src=None, source=None, reduce="sum", include_self=True, **_):
    if count(index.shape) == 0:
        return self
    x, index = vector(c, self), vector(c, index)
    if src is None:
        src = vector(c, source)
        index = along(c, index, dim, src.shape)
    src = cut(c, vector(c, src), index.shape)
    return c.reshape(scattered(c, x, index, src, dim, reduce, include_self), self.shape)


@rule("take")
def take(c, self, index, **_):
    return c.op("take", [self, index])


@rule("put")
def put(c, self, index, source, accumulate=False, **_):
    if accumulate:
        return summed(c, "put", self, [index], source)
    return c.op("put", [self, index, source])


@rule("masked_scatter")
def masked_scatter(c, self, mask, source, **_):
    shape = c.results[0][1]
    self, mask = [x if x.shape == shape else c.g.op("expand", [x], x.dtype, shape, shape=shape) for x in (self, mask)]
    return c.op("masked_scatter", [self, mask, source])


# ---- what is left

@rule("addbmm")
def addbmm(c, self, batch1, batch2, beta=1, alpha=1, **_):
    product = c.g.op("matmul", [batch1, batch2], self.dtype, [batch1.shape[0], batch1.shape[1], batch2.shape[2]])
    total = c.op("sum", [product], dim=[0])
    return weighted_sum(c, self, beta, total, alpha)


def distance(c, difference, p, shape):
    return c.g.op("norm", [difference], difference.dtype, shape, p=p, dim=[-1])


@rule("_cdist_forward", "cdist")
def cdist(c, x1, x2, p=2.0, **_):
    batch = c.results[0][1][:-2]
    rows, columns, k = x1.shape[-2], x2.shape[-2], x1.shape[-1]
    x1 = c.reshape(x1, x1.shape[:-2] + [rows, 1, k])
    x2 = c.reshape(x2, x2.shape[:-2] + [1, columns, k])
    return distance(c, c.g.op("sub", [x1, x2], x1.dtype, batch + [rows, columns, k]), p, c.results[0][1])


@rule("_pdist_forward", "pdist")
def pdist(c, self, p=2.0, **_):
    n, k = sized(c, self.shape, "pdist")
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    of = [picked(c, self, 0, [pair[side] for pair in pairs], [len(pairs), k]) for side in (0, 1)]
    return distance(c, c.g.op("sub", of, self.dtype, [len(pairs), k]), p, [len(pairs)])


@rule("aminmax")
def aminmax(c, self, dim=None, keepdim=False, **_):
    return [reduced(c, op, self, dim, keepdim, result) for op, result in zip(("amin", "amax"), c.results)]


def reduced(c, op, x, dim, keepdim, result, **more):
    return c.g.op(op, [x], *result, dim=dim, keepdim=keepdim or None, **more)


@rule("std_mean.correction")
def std_mean(c, self, dim=None, correction=1, keepdim=False, **_):
    dim = dim or None
    return [reduced(c, "std", self, dim, keepdim, c.results[0], correction=1 if correction is None else correction),
            reduced(c, "mean", self, dim, keepdim, c.results[1])]


@rule("count_nonzero", "count_nonzero.dim_IntList")
def count_nonzero(c, self, dim=None, **_):
    hit = c.g.op("ne", [self, 0], "bool", self.shape) if self.dtype != "bool" else self
    return c.op("sum", [hit], dim=None if dim is None or dim == [] else dim)


@rule("normal_functional", "normal.float_float", "normal.Tensor_float", "normal.float_Tensor", "normal.Tensor_Tensor")
def normal(c, self=None, mean=0.0, std=1.0, **_):
    dtype, shape = c.results[0]
    z = c.op("randn", [c.key()], shape=shape, type=dtype)
    return c.op("add", [c.op("mul", [z, c.cast(std, dtype)]), c.cast(mean, dtype)])


@rule("uniform")
def uniform(c, self, **given):
    dtype, shape = c.results[0]
    low, high = given.get("from", 0.0), given.get("to", 1.0)
    return c.op("add", [c.op("mul", [c.op("rand", [c.key()], shape=shape, type=dtype), high - low]), low])


@rule("randint", "randint.low", "randint_like", "randint_like.low_dtype")
def randint(c, low=0, high=None, **_):
    """floor(low + u * (high - low)), u in [0, 1) with 53 bits."""
    dtype, shape = c.results[0]
    u = c.g.op("rand", [c.key()], "f64", shape, shape=shape, type="f64")
    x = c.g.op("floor", [c.g.op("mul", [u, high - low], "f64", shape)], "f64", shape)
    return c.cast(c.g.op("add", [x, low], "f64", shape), dtype)


def waiting(c, factor):
    """-log(1 - u) * factor in f64, u uniform in [0, 1)."""
    shape = c.results[0][1]
    u = c.g.op("rand", [c.key()], "f64", shape, shape=shape, type="f64")
    x = c.g.op("log1p", [c.g.op("neg", [u], "f64", shape)], "f64", shape)
    return c.g.op("mul", [x, -factor], "f64", shape)


@rule("exponential")
def exponential(c, self, lambd=1.0, **_):
    return c.cast(waiting(c, 1 / lambd), c.results[0][0])


@rule("geometric")
def geometric(c, self, p, **_):
    """The number of trials until the first success: an exponential time, rounded up, at least 1."""
    x = waiting(c, -1 / math.log1p(-p))
    x = c.g.op("maximum", [c.g.op("ceil", [x], "f64", x.shape), 1.0], "f64", x.shape)
    return c.cast(x, c.results[0][0])


@rule("embedding_bag", "embedding_bag.padding_idx", "_embedding_bag", "_embedding_bag_forward_only")
def embedding_bag(c, weight, indices, offsets, scale_grad_by_freq=False, mode=0, per_sample_weights=None,
                  include_last_offset=False, padding_idx=None, **_):
    """The other results are for PyTorch's own backward. To the ops that begin with _ a padding_idx of -1 is none."""
    if scale_grad_by_freq:
        c.refuse(BY_FREQUENCY)
    if padding_idx is not None and padding_idx < 0:
        padding_idx = None if name_of(c.node.target).startswith("_") else padding_idx + weight.shape[0]
    operands = [indices, weight, offsets] + ([] if per_sample_weights is None else [per_sample_weights])
    out = c.op("embedding_bag", operands, include_last_offset=include_last_offset or None,
               mode=["sum", "mean", "max"][mode], padding_idx=padding_idx)
    return [out, None, None, None]

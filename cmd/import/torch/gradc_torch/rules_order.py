"""Rules for what runs along a dimension in order: cumulative ops, sorting, selection by rank."""
from .graph import Value
from .rules import name_of, promoted, rule


@rule("cumsum", "cumprod", "logcumsumexp")
def cumulative(c, self, dim, **_):
    if not self.rank:
        return c.cast(self, c.results[0][0])
    return c.op(name_of(c.node.target), [c.cast(self, c.results[0][0])], dim=dim)


def with_places(c, op, self, **attrs):
    """Values and where they were; a scalar is at 0."""
    if not self.rank:
        return [self, c.g.op("full", [], "i64", [], value=0, shape=[], type="i64")]
    return c.g.ops(op, [self], c.results, **attrs)


@rule("cummax", "cummin")
def cummax(c, self, dim, **_):
    return with_places(c, name_of(c.node.target), self, dim=dim)


@rule("sort", "sort.stable")
def sort(c, self, dim=-1, descending=False, **_):
    return with_places(c, "sort", self, dim=dim, descending=descending or None)


@rule("argsort", "argsort.stable")
def argsort(c, self, dim=-1, descending=False, **_):
    if not self.rank:
        return c.op("full", [], value=0, shape=[], type="i64")
    return c.op("argsort", [self], dim=dim, descending=descending or None)


@rule("topk")
def topk(c, self, k, dim=-1, largest=True, **_):
    return with_places(c, "topk", self, k=k, dim=dim, largest=None if largest else False)


@rule("kthvalue")
def kthvalue(c, self, k, dim=-1, keepdim=False, **_):
    return with_places(c, "kthvalue", self, k=k, dim=dim, keepdim=keepdim or None)


@rule("mode", "median.dim", "nanmedian.dim")
def mode(c, self, dim=-1, keepdim=False, **_):
    return with_places(c, name_of(c.node.target).split(".")[0], self, dim=dim, keepdim=keepdim or None)


@rule("median", "nanmedian")
def median(c, self, **_):
    if not self.rank:
        return self
    return c.g.ops(name_of(c.node.target), [self], [c.results[0], None])[0]


@rule("searchsorted.Tensor", "searchsorted.Scalar", "bucketize.Tensor")
def searchsorted(c, self, sorted_sequence=None, boundaries=None, right=False, side=None, sorter=None, out_int32=False, **_):
    right = right or side == "right"
    given = dict(right=right or None, out_int32=out_int32 or None)
    if boundaries is not None:
        return c.op("bucketize", [self, boundaries], **given)
    if not isinstance(self, Value):
        dtype = promoted([sorted_sequence, self])
        sorted_sequence, self = c.cast(sorted_sequence, dtype), c.g.op("full", [], dtype, [], value=self, shape=[], type=dtype)
    more = [] if sorter is None else [c.cast(sorter, "i64")]
    return c.op("searchsorted", [sorted_sequence, self] + more, **given)


@rule("histc")
def histc(c, self, bins=100, min=0, max=0, **_):
    if not self.floating:
        c.refuse("histc of integers: cast them to a float")
    return c.op("histc", [self], bins=bins, min=min, max=max)

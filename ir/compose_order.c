/* compose_order: composites of scans and sorts: cummax, cummin, sort, topk,
 * kthvalue, median, nanmedian, mode, quantile, nanquantile, searchsorted, bucketize.
 *
 * Values are taken by the indices, which therefore carry the derivatives. Of equal
 * elements the first in the order of the input comes first. */
#include "ir.h"

#include <math.h>
#include <string.h>

/* a dimension attribute of a node that has a type */
static int
dim_of(const Node *n, const char *name)
{
	return dim_index(attr_of(n, name)->i, n->in[0]->type.rank);
}

static Dim
size_of(const Node *x, int dim)
{
	return x->type.rank ? x->type.dim[dim] : DIM(1);
}

static void
set_pair(Node *n, Type values)
{
	n->nres = 2;
	n->res = NEW(n->g->arena, 2, Type);
	n->res[0] = n->res[1] = values;
	n->res[1].dt = I64;
	n->type = values;
}

/* along(op, x, dim): an op with nothing but a dimension */
static Node *
along(int id, Node *x, int dim)
{
	const Op *op = op_get(id);
	Attr *a = attrs_new(x->g, op);

	set_int(op, a, "dim", dim);
	return node(x->g, op, &x, 1, a);
}

/* ---- cummax, cummin, sort ---- */

static void
same_pair_shape(Node *n)
{
	if (norm_dim(n, attr_of(n, "dim")->i, n->in[0]->type.rank) >= 0)
		set_pair(n, n->in[0]->type);
}

static void
pick(Node *n, int dim, Node *index, Node **res)
{
	res[0] = Gather(n->in[0], dim, index);
	res[1] = index;
}

static void
cummax_compose(Node *n, bool training, Node **res)
{
	int dim = dim_of(n, "dim");

	(void)training;
	pick(n, dim, along(n->op->id == OP_cummax ? OP_cumargmax : OP_cumargmin, n->in[0], dim), res);
}

static void
sort_compose(Node *n, bool training, Node **res)
{
	int dim = dim_of(n, "dim");

	(void)training;
	pick(n, dim, ArgSort(n->in[0], dim, attr_of(n, "descending")->i), res);
}

static const AttrSpec cummax_attr[] = {
	{"dim", A_INT, NULL, "the dimension it runs along", NULL},
	{0}
};
const Op op_cummax = {.name = "cummax", .id = OP_cummax, .kind = COMPOSITE, .min_in = 1, .max_in = 1, .nres = 2,
	.attr = cummax_attr, .operands = "input", .results = "values indices",
	.doc = "greatest element up to each along a dimension, and the last index of it; NaN is above all numbers",
	.shape = same_pair_shape, .compose = cummax_compose};
const Op op_cummin = {.name = "cummin", .id = OP_cummin, .kind = COMPOSITE, .min_in = 1, .max_in = 1, .nres = 2,
	.attr = cummax_attr, .operands = "input", .results = "values indices",
	.doc = "least element up to each along a dimension, and the last index of it; NaN is below all numbers",
	.shape = same_pair_shape, .compose = cummax_compose};

static const AttrSpec sort_attr[] = {
	{"dim", A_INT, "-1", "the dimension to sort along", NULL},
	{"descending", A_BOOL, "false", "the greatest first", NULL},
	{"stable", A_BOOL, "false", "equal elements keep their order; they do so in any case", NULL},
	{0}
};
const Op op_sort = {.name = "sort", .id = OP_sort, .kind = COMPOSITE, .min_in = 1, .max_in = 1, .nres = 2,
	.attr = sort_attr, .operands = "input", .results = "values indices",
	.doc = "a dimension in ascending order, and where each element was; NaN is greater than all numbers",
	.shape = same_pair_shape, .compose = sort_compose};

/* ---- topk, kthvalue ---- */

/* k, which the dimension must have at least for all values of its symbols; false after an error */
static bool
enough(Node *n, int dim, int64_t least)
{
	Dim size = size_of(n->in[0], dim);
	int64_t k = attr_of(n, "k")->i;
	IxCtx *c = ix_new(n->g->arena, n->g);

	if (k >= least && ix_le(c, ix_int(c, k), ix_dim(c, size)))
		return true;
	type_error(n, "\"k\" is %lld, must be at least %lld and at most the size of dimension %d of %s, which is %s",
		(long long)k, (long long)least, dim, nn(n->in[0]), tt(n->in[0]));
	return false;
}

static void
topk_shape(Node *n)
{
	Type t = n->in[0]->type;
	int dim = norm_dim(n, attr_of(n, "dim")->i, t.rank);

	if (dim < 0 || !enough(n, dim, 0))
		return;
	if (t.rank)
		t.dim[dim] = DIM(attr_of(n, "k")->i);
	set_pair(n, t);
}

static void
topk_compose(Node *n, bool training, Node **res)
{
	int dim = dim_of(n, "dim");
	Node *index = ArgSort(n->in[0], dim, attr_of(n, "largest")->i);

	(void)training;
	if (n->type.rank)
		index = Slice(index, dim, DIM(0), n->type.dim[dim], 1);
	pick(n, dim, index, res);
}

static const AttrSpec topk_attr[] = {
	{"k", A_INT, NULL, "how many", NULL},
	{"dim", A_INT, "-1", "dimension", NULL},
	{"largest", A_BOOL, "true", "the greatest, else the least", NULL},
	{"sorted", A_BOOL, "true", "in order; they are in any case", NULL},
	{0}
};
const Op op_topk = {.name = "topk", .id = OP_topk, .kind = COMPOSITE, .min_in = 1, .max_in = 1, .nres = 2,
	.attr = topk_attr, .operands = "input", .results = "values indices",
	.doc = "the k greatest (or least) elements of a dimension in order, and where they were",
	.shape = topk_shape, .compose = topk_compose};

/* the type of x reduced along dim; dim < 0: along all */
static Type
reduced(const Node *x, int dim, bool keepdim)
{
	Type t = {.dt = x->type.dt};

	for (int d = 0; d < x->type.rank && dim >= 0; d++)
		if (d != dim)
			t.dim[t.rank++] = x->type.dim[d];
		else if (keepdim)
			t.dim[t.rank++] = DIM(1);
	return t;
}

static void
kthvalue_shape(Node *n)
{
	int dim = norm_dim(n, attr_of(n, "dim")->i, n->in[0]->type.rank);

	if (dim >= 0 && enough(n, dim, 1))
		set_pair(n, reduced(n->in[0], dim, attr_of(n, "keepdim")->i));
}

/* elements of x at an index of one element along dim, both in the shape of the node */
static void
pick_one(Node *n, Node *x, int dim, Node *index, Node **res)
{
	res[0] = Reshape(Gather(x, dim, index), n->type.dim, n->type.rank);
	res[1] = Reshape(index, n->type.dim, n->type.rank);
}

static void
kthvalue_compose(Node *n, bool training, Node **res)
{
	int dim = dim_of(n, "dim");
	int64_t k = attr_of(n, "k")->i;
	Node *index = ArgSort(n->in[0], dim, false);

	(void)training;
	if (n->in[0]->type.rank)
		index = Slice(index, dim, DIM(k - 1), DIM(k), 1);
	pick_one(n, n->in[0], dim, index, res);
}

static const AttrSpec kthvalue_attr[] = {
	{"k", A_INT, NULL, "which, from 1", NULL},
	{"dim", A_INT, "-1", "dimension", NULL},
	{"keepdim", A_BOOL, "false", "keep the dimension with size 1", NULL},
	{0}
};
const Op op_kthvalue = {.name = "kthvalue", .id = OP_kthvalue, .kind = COMPOSITE, .min_in = 1, .max_in = 1, .nres = 2,
	.attr = kthvalue_attr, .operands = "input", .results = "values indices",
	.doc = "the k-th least element of a dimension, and where it was",
	.shape = kthvalue_shape, .compose = kthvalue_compose};

/* ---- median, nanmedian, mode ---- */

/* a statistic of the middle: "dim" null is the input flattened. *dim: -1 then; false after an error */
static bool
statistic(Node *n, int *dim)
{
	const Attr *a = attr_of(n, "dim");
	const Node *x = n->in[0];
	bool empty = a->set ? false : !type_count(&x->type).k;

	*dim = -1;
	if (a->set && (*dim = norm_dim(n, a->i, x->type.rank)) < 0)
		return false;
	if (empty || (a->set && !size_of(x, *dim).k)) {
		type_error(n, "%s, which is %s, has no element to choose", nn(x), tt(x));
		return false;
	}
	return true;
}

static void
median_shape(Node *n)
{
	int dim;

	if (statistic(n, &dim))
		set_pair(n, reduced(n->in[0], dim, attr_of(n, "keepdim")->i));
}

/* the input with the dimension of a statistic, which is all of it where that is null */
static Node *
flattened(const Node *n, int *dim)
{
	Node *x = n->in[0];
	Dim count = type_count(&x->type);

	*dim = 0;
	if (!attr_of(n, "dim")->set)
		return Reshape(x, &count, 1);
	*dim = dim_of(n, "dim");
	return x->type.rank ? x : Unsqueeze(x, 0);
}

/* how many NaN there are along dim, i64, keepdim */
static Node *
count_nan(Node *x, int dim)
{
	return Sum(Cast(IsNan(x), I64), &dim, 1, true);
}

/* m, an element of x, whose derivative all elements that equal it share */
static Node *
shared(Node *x, Node *m)
{
	Node *tie = LogicalOr(Eq(x, m), LogicalAnd(IsNan(x), IsNan(m)));

	return Amax(Where(tie, x, Lit(x, -INFINITY)), (int[]){0}, 1, false);
}

static void
median_compose(Node *n, bool training, Node **res)
{
	int dim;
	Node *x = flattened(n, &dim), *size = DimSize(n->g, x->type.dim[dim], I64), *one = LitI(n->g, I64, 1);
	Node *two = LitI(n->g, I64, 2), *nan = count_nan(x, dim), *at;

	(void)training;
	if (n->op->id == OP_nanmedian)
		at = Maximum(Div(Sub(Sub(size, nan), one), two), LitI(n->g, I64, 0));
	else                   /* the first NaN, if there is one */
		at = Where(Gt(nan, LitI(n->g, I64, 0)), Sub(size, nan), Div(Sub(size, one), two));
	pick_one(n, x, dim, Gather(ArgSort(x, dim, false), dim, at), res);
	if (!attr_of(n, "dim")->set && dtype_float(x->type.dt))
		res[0] = shared(x, StopGradient(res[0]));
}

static const AttrSpec median_attr[] = {
	{"dim", A_INT, "null", "dimension; null: all elements, of which equal ones share the derivative", NULL},
	{"keepdim", A_BOOL, "false", "keep the dimension with size 1", NULL},
	{0}
};
const Op op_median = {.name = "median", .id = OP_median, .kind = COMPOSITE, .min_in = 1, .max_in = 1, .nres = 2,
	.attr = median_attr, .operands = "input", .results = "values indices",
	.doc = "the lower median, and where it was; NaN if there is one",
	.shape = median_shape, .compose = median_compose};
const Op op_nanmedian = {.name = "nanmedian", .id = OP_nanmedian, .kind = COMPOSITE, .min_in = 1, .max_in = 1, .nres = 2,
	.attr = median_attr, .operands = "input", .results = "values indices",
	.doc = "the lower median of what is not NaN, and where it was",
	.shape = median_shape, .compose = median_compose};

static void
mode_shape(Node *n)
{
	int dim;

	if (statistic(n, &dim))
		set_pair(n, reduced(n->in[0], dim, attr_of(n, "keepdim")->i));
}

/* the end of the longest run of equal elements in ascending order, the first of several */
static void
mode_compose(Node *n, bool training, Node **res)
{
	int dim;
	Node *x = flattened(n, &dim), *index = ArgSort(x, dim, false), *sorted = Gather(x, dim, index);
	Node *zero = LitI(n->g, I64, 0), *one = LitI(n->g, I64, 1), *at = Iota(n->g, index->type, dim), *begins, *length;
	const Op *op = op_get(OP_argmax);
	Attr *a = attrs_new(n->g, op);

	(void)training;
	begins = LogicalOr(Eq(at, zero), Ne(sorted, Shift(sorted, dim, 1, 0)));
	length = Sub(at, along(OP_cumargmax, Where(begins, Add(at, one), zero), dim));
	set_int(op, a, "dim", dim);
	set_bool(op, a, "keepdim", true);
	pick_one(n, x, dim, Gather(index, dim, node(n->g, op, &length, 1, a)), res);
}

static const AttrSpec mode_attr[] = {
	{"dim", A_INT, "-1", "dimension", NULL},
	{"keepdim", A_BOOL, "false", "keep the dimension with size 1", NULL},
	{0}
};
const Op op_mode = {.name = "mode", .id = OP_mode, .kind = COMPOSITE, .min_in = 1, .max_in = 1, .nres = 2,
	.attr = mode_attr, .operands = "input", .results = "values indices",
	.doc = "the least of the most frequent elements of a dimension, and its last index",
	.shape = mode_shape, .compose = mode_compose};

/* ---- quantile, nanquantile ---- */

static void
quantile_shape(Node *n)
{
	const Attr *q = attr_of(n, "q");
	const Node *x = n->in[0];
	Type t;
	int dim;

	if (!float_operand(n, 0) || !statistic(n, &dim))
		return;
	t = reduced(x, dim, attr_of(n, "keepdim")->i);
	if (q->set == (n->nin == 2)) {
		type_error(n, "q is given %s: as an operand or as the attribute \"q\"", q->set ? "twice" : "nowhere");
		return;
	}
	if (n->nin == 2 && (!dtype_as(n, 1, 0) || n->in[1]->type.rank > 1 || t.rank == MAXRANK)) {
		if (n->type.dt == NDTYPE && n->in[1]->type.dt == x->type.dt)
			type_error_in(n, 1, "%s is %s, must be a scalar or a vector", nn(n->in[1]), tt(n->in[1]));
		return;
	}
	if (n->nin == 2 && n->in[1]->type.rank) {
		memmove(&t.dim[1], t.dim, (size_t)t.rank * sizeof *t.dim);
		t.dim[0] = n->in[1]->type.dim[0];
		t.rank++;
	}
	n->type = t;
}

/* a + w * (b - a), from the nearer end */
static Node *
lerp(Node *a, Node *b, Node *w)
{
	Node *step = Sub(b, a);

	return Where(Lt(w, Lit(w, 0.5)), Add(a, Mul(w, step)), Sub(b, Mul(step, Sub(Lit(w, 1), w))));
}

/* x with dimension dim moved to the end */
static Node *
to_end(Node *x, int dim)
{
	int perm[MAXRANK], k = 0;

	for (int d = 0; d < x->type.rank; d++)
		if (d != dim)
			perm[k++] = d;
	perm[k] = dim;
	return Permute(x, perm);
}

/* the last dimension moved to the front */
static Node *
end_to_front(Node *x)
{
	int perm[MAXRANK];

	for (int d = 0; d < x->type.rank; d++)
		perm[d] = d ? d - 1 : x->type.rank - 1;
	return Permute(x, perm);
}

/* x sorted along its last dimension, where place, a float, says */
static Node *
at_rank(Node *sorted, Node *place)
{
	return Gather(sorted, sorted->type.rank - 1, Cast(place, I64));
}

static Node *
interpolated(const Node *n, Node *sorted, Node *rank)
{
	const char *how = attr_of(n, "interpolation")->s;
	Node *weight;

	if (!strcmp(how, "lower"))
		return at_rank(sorted, Floor(rank));
	if (!strcmp(how, "higher"))
		return at_rank(sorted, Ceil(rank));
	if (!strcmp(how, "nearest"))
		return at_rank(sorted, Round(rank));
	weight = !strcmp(how, "midpoint") ? Lit(rank, 0.5) : Sub(rank, Floor(rank));
	return lerp(at_rank(sorted, Floor(rank)), at_rank(sorted, Ceil(rank)), weight);
}

static void
quantile_compose(Node *n, bool training, Node **res)
{
	int dim, last;
	Node *x = flattened(n, &dim), *q = n->nin == 2 ? n->in[1] : Lit(x, attr_of(n, "q")->f), *sorted, *top, *nan, *rank;
	Dim wide[MAXRANK];

	(void)training;
	x = to_end(x, dim);
	last = x->type.rank - 1;
	sorted = Gather(x, last, ArgSort(x, last, false));
	top = Sub(DimSize(n->g, x->type.dim[last], x->type.dt), Lit(x, 1));
	nan = Cast(count_nan(x, last), x->type.dt);
	if (n->op->id == OP_nanquantile)
		rank = Mul(q, Maximum(Sub(top, nan), Lit(x, 0)));
	else
		rank = Where(Gt(nan, Lit(nan, 0)), top, Mul(q, top));
	memcpy(wide, x->type.dim, sizeof wide);
	wide[last] = q->type.rank ? q->type.dim[0] : DIM(1);
	res[0] = Reshape(end_to_front(interpolated(n, sorted, Expand(rank, wide, last + 1))), n->type.dim, n->type.rank);
}

static const AttrSpec quantile_attr[] = {
	{"q", A_NUM, "null", "the quantile; null: the second operand, a scalar or a vector", "0..1"},
	{"dim", A_INT, "null", "dimension; null: all elements", NULL},
	{"keepdim", A_BOOL, "false", "keep the dimension with size 1", NULL},
	{"interpolation", A_STR, "\"linear\"", "between the elements beside it", "linear lower higher midpoint nearest"},
	{0}
};
const Op op_quantile = {.name = "quantile", .id = OP_quantile, .kind = COMPOSITE, .min_in = 1, .max_in = 2,
	.attr = quantile_attr, .operands = "input q",
	.doc = "the q-th quantile, a vector of q in a new first dimension; NaN if there is one",
	.shape = quantile_shape, .compose = quantile_compose};
const Op op_nanquantile = {.name = "nanquantile", .id = OP_nanquantile, .kind = COMPOSITE, .min_in = 1, .max_in = 2,
	.attr = quantile_attr, .operands = "input q",
	.doc = "the q-th quantile of what is not NaN, a vector of q in a new first dimension",
	.shape = quantile_shape, .compose = quantile_compose};

/* ---- histc ---- */

enum { HISTC_BINS, HISTC_MIN, HISTC_MAX };

static void
histc_shape(Node *n)
{
	int64_t bins = attr(n, HISTC_BINS)->i;

	if (!float_operand(n, 0))
		return;
	if (!(attr(n, HISTC_MIN)->f <= attr(n, HISTC_MAX)->f))
		type_error(n, "bins from %s to %s", literal_text(n, HISTC_MIN), literal_text(n, HISTC_MAX));
	else {
		Type t = {.dt = n->in[0]->type.dt, .rank = 1, .dim = {DIM(bins)}};
		if (type_fits(n, &t))
			n->type = t;
	}
}

/* the borders: those that are given, or those of the data, moved apart where there is one value */
static void
histc_borders(const Node *n, Node *x, Node **low, Node **high)
{
	int dim = 0;
	Node *one = Lit(x, 1), *same;

	*low = Lit(x, attr(n, HISTC_MIN)->f);
	*high = Lit(x, attr(n, HISTC_MAX)->f);
	if (attr(n, HISTC_MIN)->f < attr(n, HISTC_MAX)->f)
		return;
	if (type_count(&x->type).k) {
		*low = Amin(x, &dim, 1, false);
		*high = Amax(x, &dim, 1, false);
	}
	same = Eq(*low, *high);
	*low = Where(same, Sub(*low, one), *low);
	*high = Where(same, Add(*high, one), *high);
}

static void
histc_compose(Node *n, bool training, Node **res)
{
	Node *x = Wide(n->in[0]), *low, *high, *at, *within, *one;
	Dim count = type_count(&x->type);
	int64_t bins = attr(n, HISTC_BINS)->i;
	Type t = n->type;

	(void)training;
	x = Reshape(x, &count, 1);
	t.dt = x->type.dt;
	histc_borders(n, x, &low, &high);
	within = LogicalAnd(Ge(x, low), Le(x, high));
	at = Mul(Div(Sub(x, low), Sub(high, low)), Lit(x, (double)bins));
	at = Minimum(Cast(Where(within, at, Lit(x, 0)), I64), LitI(n->g, I64, bins - 1));
	one = Where(within, Lit(x, 1), Lit(x, 0));
	res[0] = Cast(ScatterAdd(Full(n->g, t, 0), 0, at, one), n->type.dt);
}

static const AttrSpec histc_attr[] = {
	[HISTC_BINS] = {"bins", A_INT, "100", "number of bins", "1.."},
	[HISTC_MIN]  = {"min", A_NUM, "0", "lower border; what is below it does not count", NULL},
	[HISTC_MAX]  = {"max", A_NUM, "0", "upper border, which counts; if both are equal, they are the data's", NULL},
	{0}
};
const Op op_histc = {.name = "histc", .id = OP_histc, .kind = COMPOSITE, .min_in = 1, .max_in = 1, .cost = 10,
	.flags = FLAT, .attr = histc_attr, .operands = "input", .doc = "how many elements lie in each of equal bins",
	.shape = histc_shape, .compose = histc_compose};

/* ---- searchsorted, bucketize ---- */

/* operands of both: the sorted sequence, and what is searched */
static Node *
sequence(const Node *n)
{
	return n->in[n->op->id == OP_bucketize];
}

static Node *
searched(const Node *n)
{
	return n->in[n->op->id == OP_searchsorted];
}

/* the side said in two ways, and the sorter; false after an error */
static bool
search_words(Node *n)
{
	const Node *sorter = n->nin > 2 ? n->in[2] : NULL;
	int side;

	if (op_attr(n->op, "side", &side) && attr(n, side)->set && *attr(n, side)->s == 'l' && attr_of(n, "right")->i) {
		type_error(n, "\"side\" is left, \"right\" is true");
		return false;
	}
	if (!sorter || (sorter->type.dt == I64 && shape_eq(&sorter->type, &n->in[0]->type)))
		return true;
	type_error_in(n, 2, "sorter %s is %s, must be of i64 and shaped like %s, which is %s", nn(sorter), tt(sorter),
		nn(n->in[0]), tt(n->in[0]));
	return false;
}

static void
search_shape(Node *n)
{
	const Node *seq = sequence(n), *x = searched(n);
	Type t = x->type;
	bool same = seq->type.rank == x->type.rank && seq->type.rank && n->op->id == OP_searchsorted;

	if (!dtype_as(n, 1, 0) || !search_words(n))
		return;
	for (int d = 0; d + 1 < x->type.rank && same; d++)
		same = dim_eq(x->type.dim[d], seq->type.dim[d]);
	if (seq->type.rank != 1 && !same) {
		type_error(n, "%s is %s, must be a vector%s: %s is %s", nn(seq), tt(seq),
			n->op->id == OP_bucketize ? "" : ", or agree in all dimensions but the last", nn(x), tt(x));
		return;
	}
	t.dt = attr_of(n, "out_int32")->i ? I32 : I64;
	n->type = t;
}

/* one step of the search: places that lie `step` further where the element before them is still below */
static Node *
search_step(Node *seq, Node *x, Node *place, int64_t step, bool right)
{
	int dim = seq->type.rank - 1;
	Graph *g = seq->g;
	Node *size = DimSize(g, seq->type.dim[dim], I64), *last = Sub(size, LitI(g, I64, 1)), *at, *s;

	at = Add(place, LitI(g, I64, step - 1));
	s = Gather(seq, dim, Minimum(at, last));
	s = LogicalNot(right ? Gt(s, x) : Ge(s, x));
	return Add(place, Where(LogicalAnd(Lt(at, size), s), LitI(g, I64, step), LitI(g, I64, 0)));
}

/* binary search, as many steps for all */
static void
search_compose(Node *n, bool training, Node **res)
{
	Node *seq = sequence(n), *x = searched(n), *place;
	Dim count = type_count(&x->type);
	int64_t most = dim_max(n->g, seq->type.dim[seq->type.rank - 1]), step = 1;
	bool right = attr_of(n, "right")->i;
	Type t;
	int side;

	(void)training;
	right |= op_attr(n->op, "side", &side) && attr(n, side)->set && *attr(n, side)->s == 'r';
	if (n->nin > 2)
		seq = Gather(seq, seq->type.rank - 1, n->in[2]);
	if (seq->type.rank == 1)
		x = Reshape(x, &count, 1);
	t = x->type;
	t.dt = I64;
	place = Full(n->g, t, 0);
	while (step <= most / 2)
		step *= 2;
	for (; most && step; step /= 2)
		place = search_step(seq, x, place, step, right);
	res[0] = Reshape(Cast(place, n->type.dt), n->type.dim, n->type.rank);
}

#define RIGHT_SPEC {"right", A_BOOL, "false", "behind elements that are equal, else before them", NULL}
#define OUT_INT32_SPEC {"out_int32", A_BOOL, "false", "i32 instead of i64", NULL}
static const AttrSpec search_attr[] = {
	RIGHT_SPEC,
	OUT_INT32_SPEC,
	{0}
};
static const AttrSpec searchsorted_attr[] = {
	RIGHT_SPEC,
	OUT_INT32_SPEC,
	{"side", A_STR, "null", "right: as \"right\" says it", "left right"},
	{0}
};
const Op op_searchsorted = {.name = "searchsorted", .id = OP_searchsorted, .kind = COMPOSITE, .min_in = 2, .max_in = 3,
	.flags = FLAT, .attr = searchsorted_attr, .operands = "sorted_sequence input sorter",
	.doc = "where each value would go in an ascending sequence, a vector or one for each row; the sorter says which "
		"element is first, second, ...; NaN at the end",
	.shape = search_shape, .compose = search_compose};
const Op op_bucketize = {.name = "bucketize", .id = OP_bucketize, .kind = COMPOSITE, .min_in = 2, .max_in = 2,
	.flags = FLAT, .attr = search_attr, .operands = "input boundaries",
	.doc = "where each value would go in an ascending vector of boundaries; NaN at the end",
	.shape = search_shape, .compose = search_compose};

/* op_index: gather and the scatters: scatter, scatter_add, scatter_prod, scatter_amax, scatter_amin.
 *
 * Elements of src go to their places in row-major order of index: of several at one
 * place, scatter keeps the last.
 *
 * As in PyTorch, index has the rank of the input and at most its sizes but along
 * dim. An index outside [0, size) is an error of the call; the element used is
 * then the nearest one. */
#include "ir.h"

#include <math.h>

static bool
index_dtype(Node *n)
{
	if (dtype_integer(n->in[1]->type.dt))
		return true;
	type_error_in(n, 1, "index %s is %s, must be of integers", nn(n->in[1]), tt(n->in[1]));
	return false;
}

/* a <= b for all values of the symbols */
static bool
dim_le(const Node *n, Dim a, Dim b)
{
	IxCtx *c;

	if (dim_eq(a, b) || (!a.sym && !b.sym))
		return a.k <= b.k;
	c = ix_new(n->g->arena, n->g);
	return ix_le(c, ix_dim(c, a), ix_dim(c, b));
}

/* index is no larger than operand i, but along `but` */
static bool
index_within(Node *n, int i, int but)
{
	const Type *x = &n->in[i]->type, *k = &n->in[1]->type;

	if (x->rank != k->rank) {
		type_error_in(n, i, "ranks differ: %s is %s, index %s is %s", nn(n->in[i]), tt(n->in[i]),
			nn(n->in[1]), tt(n->in[1]));
		return false;
	}
	for (int d = 0; d < x->rank; d++)
		if (d != but && !dim_le(n, k->dim[d], x->dim[d])) {
			type_error_in(n, i, "index %s is %s, larger than %s, which is %s, in dimension %d",
				nn(n->in[1]), tt(n->in[1]), nn(n->in[i]), tt(n->in[i]), d);
			return false;
		}
	return true;
}

static int
along(const Node *n)
{
	return dim_index(attr(n, 0)->i, n->in[0]->type.rank);
}

/* offset in x of position at of index, whose element k replaces the coordinate along dim */
static int64_t
selected(EvalCtx *c, const Tensor *x, const Tensor *index, int64_t k, const int64_t *at, int dim)
{
	int64_t size = x->rank ? x->dim[dim] : 1, i = index->i[k], o = 0;
	bool beyond = index->dt == U64 ? (uint64_t)i >= (uint64_t)size : i >= size;

	if (beyond || (i < 0 && index->dt != U64)) {
		c->bad_index = true;
		i = beyond ? size - 1 : 0;
	}
	for (int d = 0; d < x->rank; d++)
		o = o * x->dim[d] + (d == dim ? i : at[d]);
	return o;
}

static int64_t
position(const Tensor *t, const int64_t *at)
{
	int64_t o = 0;

	for (int d = 0; d < t->rank; d++)
		o = o * t->dim[d] + at[d];
	return o;
}

static void
next(const Tensor *t, int64_t *at)
{
	for (int d = t->rank - 1; d >= 0 && ++at[d] == t->dim[d]; d--)
		at[d] = 0;
}

/* an index into a dimension without elements cannot be right */
static bool
not_empty(Node *n, int dim)
{
	const Type *x = &n->in[0]->type;

	if (!x->rank || x->dim[dim].k || !type_count(&n->in[1]->type).k)
		return true;
	type_error_in(n, 0, "dimension %d of %s, which is %s, has no element", dim, nn(n->in[0]), tt(n->in[0]));
	return false;
}

static void
gather_shape(Node *n)
{
	int dim = norm_dim(n, attr(n, 0)->i, n->in[0]->type.rank);

	if (dim < 0 || !index_dtype(n) || !index_within(n, 0, dim) || !not_empty(n, dim))
		return;
	n->type = n->in[1]->type;
	n->type.dt = n->in[0]->type.dt;
}

static void
gather_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	int64_t at[MAXRANK] = {0};

	for (int64_t k = 0; k < out->n; k++, next(out, at)) {
		int64_t i = selected(c, in[0], in[1], k, at, along(n));
		if (out->f)
			out->f[k] = in[0]->f[i];
		else
			out->i[k] = in[0]->i[i];
	}
}

static void
gather_vjp(Node *y, Node *const *g, Node **d)
{
	d[0] = ScatterAdd(Zeros(y->in[0]), along(y), y->in[1], g[0]);
}

/* what src has more than index is padding of its cotangent, and must be a product of symbols */
static bool
excess_known(Node *n)
{
	const Type *k = &n->in[1]->type, *s = &n->in[2]->type;

	for (int d = 0; d < s->rank; d++)
		if (k->dim[d].sym != s->dim[d].sym) {
			type_error_in(n, 2, "dimension %d of %s, which is %s, and of index %s, which is %s, "
				"depend on different symbols", d, nn(n->in[2]), tt(n->in[2]), nn(n->in[1]),
				tt(n->in[1]));
			return false;
		}
	return true;
}

static void
scatter_shape(Node *n)
{
	int dim = norm_dim(n, attr(n, 0)->i, n->in[0]->type.rank);

	if (dim < 0 || !index_dtype(n) || !index_within(n, 0, dim) || !index_within(n, 2, -1)
		|| !excess_known(n) || !not_empty(n, dim))
		return;
	if (n->in[2]->type.dt != n->in[0]->type.dt)
		type_error_in(n, 2, "dtypes differ: %s is %s, %s is %s", nn(n->in[0]), tt(n->in[0]),
			nn(n->in[2]), tt(n->in[2]));
	else if (n->in[0]->type.dt == BOOL && (n->op->combine == R_SUM || n->op->combine == R_PROD))
		type_error_in(n, 0, "%s is %s; bool has no %s", nn(n->in[0]), tt(n->in[0]),
			n->op->combine == R_SUM ? "sum" : "product");
	else
		n->type = n->in[0]->type;
}

static double
combine(Combine how, double a, double b)
{
	switch (how) {
	case R_SUM:  return a + b;
	case R_PROD: return a * b;
	case R_MAX:  return b > a || isnan(b) ? b : a;
	case R_MIN:  return b < a || isnan(b) ? b : a;
	default:     return b;
	}
}

static int64_t
combine_int(Combine how, DType d, int64_t a, int64_t b)
{
	bool less = d == U64 ? (uint64_t)a < (uint64_t)b : a < b;

	switch (how) {
	case R_SUM:  return wrap_to(d, (int64_t)((uint64_t)a + (uint64_t)b));
	case R_PROD: return wrap_to(d, (int64_t)((uint64_t)a * (uint64_t)b));
	case R_MAX:  return less ? b : a;
	case R_MIN:  return less ? a : b;
	default:     return b;
	}
}

static void
scatter_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	const Tensor *index = in[1], *src = in[2];
	int64_t at[MAXRANK] = {0};

	for (int64_t k = 0; k < out->n; k++)
		if (out->f)
			out->f[k] = in[0]->f[k];
		else
			out->i[k] = in[0]->i[k];
	for (int64_t k = 0; k < index->n; k++, next(index, at)) {
		int64_t o = selected(c, out, index, k, at, along(n)), s = position(src, at);
		if (out->f)
			out->f[o] = combine(n->op->combine, out->f[o], src->f[s]);
		else
			out->i[o] = combine_int(n->op->combine, out->dt, out->i[o], src->i[s]);
	}
}

/* src as far as index goes */
static Node *
used_part(const Node *y)
{
	const Type *index = &y->in[1]->type;
	Node *src = y->in[2];

	for (int i = 0; i < src->type.rank; i++)
		src = Slice(src, i, DIM(0), index->dim[i], 1);
	return src;
}

/* Elements of src beside index are not used: zeros surround the cotangent of those that are. */
static Node *
unused_zero(const Node *y, Node *d)
{
	const Type *index = &y->in[1]->type, *src = &y->in[2]->type;
	Dim low[MAXRANK] = {{0}}, high[MAXRANK] = {{0}};

	for (int i = 0; i < src->rank; i++) {
		Dim a = src->dim[i], b = index->dim[i];
		high[i] = (Dim){a.k - b.k, a.k == b.k ? 0 : a.sym};
	}
	return Pad(d, low, high, 0);
}

static void
scatter_add_vjp(Node *y, Node *const *g, Node **d)
{
	d[0] = g[0];
	d[2] = unused_zero(y, Gather(g[0], along(y), y->in[1]));
}

/* what is overwritten has no part in the result, and neither has what others overwrote */
static void
scatter_vjp(Node *y, Node *const *g, Node **d)
{
	Node *index = y->in[1], *order, *last, *taken = Gather(g[0], along(y), index);
	Type flat = {.dt = I64, .rank = 1, .dim = {type_count(&index->type)}}, t = y->type;

	t.dt = I64;
	order = Reshape(Iota(y->g, flat, 0), index->type.dim, index->type.rank);
	last = Gather(Scatter(OP_scatter, Full(y->g, t, 0), along(y), index, order), along(y), index);
	d[0] = Scatter(OP_scatter, g[0], along(y), index, Zeros(taken));
	d[2] = unused_zero(y, Where(Eq(last, order), taken, Lit(taken, 0)));
}

/* elements of the input and of src that equal the result share its cotangent */
static void
scatter_amax_vjp(Node *y, Node *const *g, Node **d)
{
	Node *x = y->in[0], *index = y->in[1], *tie = Eq(x, y), *src_tie, *share;
	int dim = along(y);

	if (!dtype_float(y->type.dt))
		return;
	src_tie = Eq(used_part(y), Gather(y, dim, index));
	share = Div(g[0], ScatterAdd(Cast(tie, x->type.dt), dim, index, Cast(src_tie, x->type.dt)));
	d[0] = Where(tie, share, Lit(x, 0));
	d[2] = unused_zero(y, Where(src_tie, Gather(share, dim, index), Lit(x, 0)));
}

/* The product of all factors of a place but x: that of the factors that are not 0, times the others that are: one of
 * them still has a derivative, two have none. zeros counts those that are 0, zero is their sum. */
static Node *
other_factors(Node *x, Node *product, Node *zeros, Node *zero)
{
	Node *none = Lit(x, 0), *one = Lit(x, 1), *is_zero = Eq(x, none), *others = Sub(zeros, Cast(is_zero, I64));
	Node *rest = Div(product, Where(is_zero, one, x)), *count0 = LitI(x->g, I64, 0), *count1 = LitI(x->g, I64, 1);

	zero = Sub(zero, Where(is_zero, x, none));
	return Where(Eq(others, count0), rest, Where(Eq(others, count1), Mul(rest, zero), none));
}

static void
scatter_prod_vjp(Node *y, Node *const *g, Node **d)
{
	Node *x = y->in[0], *index = y->in[1], *src = used_part(y), *none = Lit(x, 0), *one = Lit(x, 1);
	Node *zx = Eq(x, none), *zs = Eq(src, none), *product, *zeros, *zero;
	int dim = along(y);

	if (!dtype_float(y->type.dt))
		return;
	product = Scatter(OP_scatter_prod, Where(zx, one, x), dim, index, Where(zs, one, src));
	zeros = ScatterAdd(Cast(zx, I64), dim, index, Cast(zs, I64));
	zero = ScatterAdd(Where(zx, x, none), dim, index, Where(zs, src, none));
	d[0] = Mul(g[0], other_factors(x, product, zeros, zero));
	d[2] = unused_zero(y, Mul(Gather(g[0], dim, index), other_factors(src, Gather(product, dim, index),
		Gather(zeros, dim, index), Gather(zero, dim, index))));
}

static bool
index_of(const Node *n, int i, Dim *bound, int64_t *also)
{
	(void)also;
	*bound = n->in[0]->type.rank ? n->in[0]->type.dim[along(n)] : DIM(1);
	return i == 1;
}

static const AttrSpec index_attr[] = {
	{"dim", A_INT, "0", "the dimension that index selects in", NULL},
	{0}
};
const Op op_gather = {.name = "gather", .id = OP_gather, .kind = INDEX, .min_in = 2, .max_in = 2, .cost = 2,
	.attr = index_attr, .operands = "input index",
	.doc = "input[..., index[..., i, ...], ...] at every position of index",
	.shape = gather_shape, .eval = gather_eval, .vjp = gather_vjp, .index = index_of};
const Op op_scatter = {.name = "scatter", .id = OP_scatter, .kind = INDEX, .min_in = 3, .max_in = 3, .cost = 2,
	.flags = SCATTERS, .attr = index_attr, .operands = "input index src",
	.doc = "the input with src[...] at input[..., index[...], ...]; of several at one place the last in row-major order",
	.shape = scatter_shape, .eval = scatter_eval, .vjp = scatter_vjp, .index = index_of};
const Op op_scatter_add = {.name = "scatter_add", .id = OP_scatter_add, .kind = INDEX, .min_in = 3, .max_in = 3,
	.cost = 2, .flags = SCATTERS, .combine = R_SUM, .attr = index_attr, .operands = "input index src",
	.doc = "the input with src[...] added at input[..., index[...], ...], in row-major order of index",
	.shape = scatter_shape, .eval = scatter_eval, .vjp = scatter_add_vjp, .index = index_of};
const Op op_scatter_prod = {.name = "scatter_prod", .id = OP_scatter_prod, .kind = INDEX, .min_in = 3, .max_in = 3,
	.cost = 2, .flags = SCATTERS, .combine = R_PROD, .attr = index_attr, .operands = "input index src",
	.doc = "the input multiplied by src[...] at input[..., index[...], ...], in row-major order of index",
	.shape = scatter_shape, .eval = scatter_eval, .vjp = scatter_prod_vjp, .index = index_of};
const Op op_scatter_amax = {.name = "scatter_amax", .id = OP_scatter_amax, .kind = INDEX, .min_in = 3, .max_in = 3,
	.cost = 2, .flags = SCATTERS, .combine = R_MAX, .attr = index_attr, .operands = "input index src",
	.doc = "the greatest of the input and of src[...] at input[..., index[...], ...]; NaN if there is one",
	.shape = scatter_shape, .eval = scatter_eval, .vjp = scatter_amax_vjp, .index = index_of};
const Op op_scatter_amin = {.name = "scatter_amin", .id = OP_scatter_amin, .kind = INDEX, .min_in = 3, .max_in = 3,
	.cost = 2, .flags = SCATTERS, .combine = R_MIN, .attr = index_attr, .operands = "input index src",
	.doc = "the least of the input and of src[...] at input[..., index[...], ...]; NaN if there is one",
	.shape = scatter_shape, .eval = scatter_eval, .vjp = scatter_amax_vjp, .index = index_of};

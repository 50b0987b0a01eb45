/* op_reduce: sum, prod, amax, amin, argmax, argmin, any, all.
 *
 * NaN wins in amax, amin, argmax and argmin; the first of several equal elements
 * is the one that argmax and argmin name, and they share the cotangent equally
 * in amax and amin, as in PyTorch. */
#include "ir.h"

#include <math.h>

enum { DIM_ATTR, KEEP_ATTR };

/* which dimensions are reduced; an unset or empty list means all. False after an error */
static bool
reduced(Node *n, bool *gone)
{
	int dims[MAXRANK], count = norm_dims(n, DIM_ATTR, n->in[0]->type.rank, true, dims);

	for (int i = 0; i < count; i++)
		gone[dims[i]] = true;
	return count >= 0;
}

void
reduced_dims(const Node *n, bool *gone)
{
	const Attr *a = attr_of(n, "dim");
	int rank = n->in[0]->type.rank, spec;

	for (int i = 0; i < rank; i++)
		gone[i] = !a->set;
	if (a->set && op_attr(n->op, "dim", &spec)->kind == A_INT)
		gone[dim_index(a->i, rank)] = true;
	else if (a->set && !a->n)
		for (int i = 0; i < rank; i++)
			gone[i] = true;
	else
		for (int i = 0; a->set && i < a->n; i++)
			gone[dim_index(a->ints[i], rank)] = true;
}

int
reduce_runs(const Node *n, Run *run)
{
	const Type *t = &n->in[0]->type;
	bool gone[MAXRANK + 1] = {0}, open = false, last = true;
	int count = 0;

	reduced_dims(n, gone);
	for (int d = t->rank - 1; d >= 0; d--) {
		if (dim_one(t->dim[d]))
			continue;
		if (gone[d]) {
			if (!open)
				run[count++] = (Run){.extent = DIM(1), .last = last};
			if (!dim_mul(run[count - 1].extent, t->dim[d], &run[count - 1].extent))
				bug("reduction over an overflowing count");
			run[count - 1].dim[run[count - 1].n++] = d;
		}
		open = gone[d];
		last = false;
	}
	return count;
}

static void
set_reduced(Node *n, DType dt, const bool *gone)
{
	const Type *in = &n->in[0]->type;
	Type t = {.dt = dt};

	for (int i = 0; i < in->rank; i++)
		if (!gone[i])
			t.dim[t.rank++] = in->dim[i];
		else if (attr(n, KEEP_ATTR)->i)
			t.dim[t.rank++] = DIM(1);
	n->type = t;
}

/* x with the shape that keepdim would have given */
static Node *
kept(Node *x, const Node *y)
{
	bool gone[MAXRANK + 1] = {0};
	Dim dim[MAXRANK];

	reduced_dims(y, gone);
	for (int i = 0; i < y->in[0]->type.rank; i++)
		dim[i] = gone[i] ? DIM(1) : y->in[0]->type.dim[i];
	return Reshape(x, dim, y->in[0]->type.rank);
}

/* strides of the output for each dimension of the input, 0 for the reduced ones */
static void
reduced_strides(const Tensor *in, const bool *gone, int64_t *stride)
{
	int64_t s = 1;

	for (int d = in->rank - 1; d >= 0; d--) {
		stride[d] = gone[d] ? 0 : s;
		if (!gone[d])
			s *= in->dim[d];
	}
}

/* Calls put(out, o, in, i, r) for every input element i in row-major order, where o is
 * the element of the result that it belongs to and r its row-major rank among those. */
typedef void Put(Tensor *out, int64_t o, const Tensor *in, int64_t i, int64_t r);

static void
reduce(const Tensor *in, const bool *gone, Tensor *out, Put *put)
{
	int64_t stride[MAXRANK], at[MAXRANK] = {0};

	reduced_strides(in, gone, stride);
	for (int64_t i = 0; i < in->n; i++) {
		int64_t o = 0, r = 0;
		for (int d = 0; d < in->rank; d++) {
			o += at[d] * stride[d];
			if (gone[d])
				r = r * in->dim[d] + at[d];
		}
		put(out, o, in, i, r);
		for (int d = in->rank - 1; d >= 0 && ++at[d] == in->dim[d]; d--)
			at[d] = 0;
	}
}

static void
fill(Tensor *t, double f, int64_t i)
{
	for (int64_t k = 0; k < t->n; k++)
		if (t->f)
			t->f[k] = f;
		else
			t->i[k] = i;
}

static void
eval_with(const Node *n, Tensor *const *in, Tensor *out, Put *put)
{
	bool gone[MAXRANK + 1] = {0};

	reduced_dims(n, gone);
	reduce(in[0], gone, out, put);
}

/* an extremum of nothing has no value */
static bool
not_empty(Node *n, const bool *gone)
{
	for (int i = 0; i < n->in[0]->type.rank; i++)
		if (gone[i] && !n->in[0]->type.dim[i].k) {
			type_error(n, "dimension %d of %s, which is %s, has no element", i, nn(n->in[0]),
				tt(n->in[0]));
			return false;
		}
	return true;
}

static const AttrSpec reduce_attr[] = {
	[DIM_ATTR]  = {"dim", A_INTS, "null", "dimensions to reduce; null or [] is all", NULL},
	[KEEP_ATTR] = {"keepdim", A_BOOL, "false", "keep the reduced dimensions with size 1", NULL},
	{0}
};

/* ---- sum, prod ---- */

/* bool and the smaller integers are added in i64 */
static DType
sum_dtype(DType d)
{
	return dtype_float(d) || d == U64 ? d : I64;
}

static void
sum_shape(Node *n)
{
	bool gone[MAXRANK + 1] = {0};

	if (reduced(n, gone))
		set_reduced(n, sum_dtype(n->in[0]->type.dt), gone);
}

static void
put_sum(Tensor *out, int64_t o, const Tensor *in, int64_t i, int64_t r)
{
	(void)r;
	if (out->f)
		out->f[o] += in->f[i];
	else
		out->i[o] = (int64_t)((uint64_t)out->i[o] + (uint64_t)in->i[i]);
}

static void
put_prod(Tensor *out, int64_t o, const Tensor *in, int64_t i, int64_t r)
{
	(void)r;
	if (out->f)
		out->f[o] *= in->f[i];
	else
		out->i[o] = (int64_t)((uint64_t)out->i[o] * (uint64_t)in->i[i]);
}

static void
sum_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	(void)c;
	fill(out, 0, 0);
	eval_with(n, in, out, put_sum);
}

static void
prod_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	(void)c;
	fill(out, 1, 1);
	eval_with(n, in, out, put_prod);
}

static void
sum_vjp(Node *y, Node *const *g, Node **d)
{
	if (dtype_float(y->type.dt))
		d[0] = ExpandLike(kept(g[0], y), y->in[0]);
}

/* x, shaped like y's operand, as a matrix whose columns y reduces; perm: how the dimensions were brought there */
static Node *
as_matrix(Node *x, const Node *y, int *perm)
{
	bool gone[MAXRANK + 1] = {0};
	Dim dim[2] = {DIM(1), DIM(1)};
	int k = 0;

	reduced_dims(y, gone);
	for (int pass = 0; pass < 2; pass++)
		for (int i = 0; i < x->type.rank; i++)
			if (gone[i] == (pass == 1))
				perm[k++] = i;
	for (int i = 0; i < x->type.rank; i++)
		if (!dim_mul(dim[gone[i]], x->type.dim[i], &dim[gone[i]]))
			bug("prod: the count overflows");
	return Reshape(Permute(x, perm), dim, 2);
}

/* what as_matrix did, backwards */
static Node *
restored(Node *x, const Node *like, const int *perm)
{
	Dim dim[MAXRANK];
	int inverse[MAXRANK];

	for (int i = 0; i < like->type.rank; i++) {
		dim[i] = like->type.dim[perm[i]];
		inverse[perm[i]] = i;
	}
	return Permute(Reshape(x, dim, like->type.rank), inverse);
}

/* the matrix x with its columns moved by `by`, to higher indices when up, and ones moved in */
static Node *
shifted(Node *x, int64_t by, bool up)
{
	int64_t n = x->type.dim[1].k;
	Dim none[2] = {DIM(0), DIM(0)}, some[2] = {DIM(0), DIM(by)};

	if (up)
		return Pad(Slice(x, 1, DIM(0), DIM(n - by), 1), some, none, 1);
	return Pad(Slice(x, 1, DIM(by), DIM(n), 1), none, some, 1);
}

/* product of the columns before (or after) each, in log2 n steps of doubling
 * distance (Hillis, Steele 1986) */
static Node *
product_beside(Node *x, bool before)
{
	int64_t n = x->type.dim[1].k;

	x = shifted(x, 1, before);
	for (int64_t by = 1; by < n; by *= 2)
		x = Mul(x, shifted(x, by, before));
	return x;
}

/* product of the other columns, as that of a square with ones on its diagonal */
static Node *
product_of_others(Node *x)
{
	Type t = {.dt = I64, .rank = 3, .dim = {x->type.dim[0], x->type.dim[1], x->type.dim[1]}};
	Node *square = Expand(Unsqueeze(x, 1), t.dim, 3);
	Node *diagonal = Eq(Iota(x->g, t, 1), Iota(x->g, t, 2));
	Attr *a = attrs_new(x->g, &op_prod);

	set_axes(x->g, &op_prod, a, "dim", (int[]){2}, 1);
	square = Where(diagonal, Ones(square), square);
	return node(x->g, &op_prod, &square, 1, a);
}

/* The product of the other elements is not y / x where x is 0, and its own derivative
 * must be right there too. A square is shorter for few elements, and the only form
 * whose sizes can be said when the count depends on a symbol. */
static void
prod_vjp(Node *y, Node *const *g, Node **d)
{
	int perm[MAXRANK];
	Node *x = y->in[0], *m, *others;

	if (!dtype_float(y->type.dt))
		return;
	m = as_matrix(x, y, perm);
	if (!m->type.dim[1].sym && m->type.dim[1].k > 16)
		others = Mul(product_beside(m, true), product_beside(m, false));
	else
		others = product_of_others(m);
	d[0] = Mul(ExpandLike(kept(g[0], y), x), restored(others, x, perm));
}

const Op op_sum = {.name = "sum", .id = OP_sum, .kind = REDUCE, .min_in = 1, .max_in = 1, .cost = 1,
	.combine = R_SUM, .attr = reduce_attr, .operands = "input",
	.doc = "sum over dimensions; i64 for bool and the smaller integers",
	.shape = sum_shape, .eval = sum_eval, .vjp = sum_vjp};
const Op op_prod = {.name = "prod", .id = OP_prod, .kind = REDUCE, .min_in = 1, .max_in = 1, .cost = 1,
	.combine = R_PROD, .attr = reduce_attr, .operands = "input",
	.doc = "product over dimensions; i64 for bool and the smaller integers",
	.shape = sum_shape, .eval = prod_eval, .vjp = prod_vjp};

/* ---- amax, amin, any, all ---- */

static void
amax_shape(Node *n)
{
	bool gone[MAXRANK + 1] = {0};

	if (reduced(n, gone) && not_empty(n, gone))
		set_reduced(n, n->in[0]->type.dt, gone);
}

/* whether element i is above (or below) the best so far: f of floats, k of integers */
static bool
beats(const Tensor *in, int64_t i, double f, int64_t k, bool above)
{
	if (in->f)
		return !isnan(f) && (isnan(in->f[i]) || (above ? in->f[i] > f : in->f[i] < f));
	if (in->dt == U64)
		return above ? (uint64_t)in->i[i] > (uint64_t)k : (uint64_t)in->i[i] < (uint64_t)k;
	return above ? in->i[i] > k : in->i[i] < k;
}

static void
put_extremum(Tensor *out, int64_t o, const Tensor *in, int64_t i, int64_t r, bool above)
{
	if (r && !beats(in, i, out->f ? out->f[o] : 0, out->i ? out->i[o] : 0, above))
		return;
	if (out->f)
		out->f[o] = in->f[i];
	else
		out->i[o] = in->i[i];
}

static void
put_max(Tensor *out, int64_t o, const Tensor *in, int64_t i, int64_t r)
{
	put_extremum(out, o, in, i, r, true);
}

static void
put_min(Tensor *out, int64_t o, const Tensor *in, int64_t i, int64_t r)
{
	put_extremum(out, o, in, i, r, false);
}

static void
amax_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	(void)c;
	eval_with(n, in, out, put_max);
}

static void
amin_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	(void)c;
	eval_with(n, in, out, put_min);
}

/* equal elements share; 0 / count instead of 0 makes it NaN where the extremum is NaN */
static void
amax_vjp(Node *y, Node *const *g, Node **d)
{
	Node *x = y->in[0], *most = kept(y, y), *tie, *count;
	bool gone[MAXRANK + 1] = {0};
	int dims[MAXRANK], n = 0;

	if (!dtype_float(y->type.dt))
		return;
	reduced_dims(y, gone);
	for (int i = 0; i < x->type.rank; i++)
		if (gone[i])
			dims[n++] = i;
	tie = Eq(x, ExpandLike(most, x));
	count = Sum(Cast(tie, x->type.dt), dims, n, true);
	d[0] = Where(tie, ExpandLike(Div(kept(g[0], y), count), x),
		ExpandLike(Div(Zeros(count), count), x));
}

const Op op_amax = {.name = "amax", .id = OP_amax, .kind = REDUCE, .min_in = 1, .max_in = 1, .cost = 1,
	.combine = R_MAX, .attr = reduce_attr, .operands = "input",
	.doc = "greatest element over dimensions; NaN if there is one",
	.shape = amax_shape, .eval = amax_eval, .vjp = amax_vjp};
const Op op_amin = {.name = "amin", .id = OP_amin, .kind = REDUCE, .min_in = 1, .max_in = 1, .cost = 1,
	.combine = R_MIN, .attr = reduce_attr, .operands = "input",
	.doc = "least element over dimensions; NaN if there is one",
	.shape = amax_shape, .eval = amin_eval, .vjp = amax_vjp};

static void
any_shape(Node *n)
{
	bool gone[MAXRANK + 1] = {0};

	if (n->in[0]->type.dt != BOOL)
		type_error_in(n, 0, "%s is %s, must be bool\n"
			"{\"op\": \"cast\", \"attrs\": {\"type\": \"bool\"}} tells what is not zero",
			nn(n->in[0]), tt(n->in[0]));
	else if (reduced(n, gone))
		set_reduced(n, BOOL, gone);
}

static void
any_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	(void)c;
	fill(out, 0, 0);
	eval_with(n, in, out, put_max);
}

static void
all_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	(void)c;
	fill(out, 0, 1);
	eval_with(n, in, out, put_min);
}

const Op op_any = {.name = "any", .id = OP_any, .kind = REDUCE, .min_in = 1, .max_in = 1, .cost = 1,
	.flags = FLAT, .combine = R_MAX, .attr = reduce_attr, .operands = "input",
	.doc = "whether some element over dimensions is true; false of none",
	.shape = any_shape, .eval = any_eval};
const Op op_all = {.name = "all", .id = OP_all, .kind = REDUCE, .min_in = 1, .max_in = 1, .cost = 1,
	.flags = FLAT, .combine = R_MIN, .attr = reduce_attr, .operands = "input",
	.doc = "whether every element over dimensions is true; true of none",
	.shape = any_shape, .eval = all_eval};

/* ---- argmax, argmin ---- */

static bool
arg_reduced(Node *n, bool *gone)
{
	const Attr *a = attr(n, DIM_ATTR);
	int rank = n->in[0]->type.rank, d;

	for (int i = 0; i < rank; i++)
		gone[i] = !a->set;
	if (!a->set)
		return true;
	if ((d = norm_dim(n, a->i, rank)) < 0)
		return false;
	gone[d] = true;
	return true;
}

static void
argmax_shape(Node *n)
{
	bool gone[MAXRANK + 1] = {0};

	if (arg_reduced(n, gone) && not_empty(n, gone))
		set_reduced(n, I64, gone);
}

static void
arg_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out, bool above)
{
	const Attr *a = attr(n, DIM_ATTR);
	int64_t rank = in[0]->rank, stride = 1, count, d = 0;
	const Tensor *x = in[0];

	(void)c;
	if (a->set)
		d = a->i < 0 ? a->i + MAX(rank, 1) : a->i;
	for (int64_t i = d + 1; i < rank && a->set; i++)
		stride *= x->dim[i];
	count = !a->set ? x->n : rank ? x->dim[d] : 1;
	for (int64_t o = 0; o < out->n; o++) {
		int64_t base = a->set ? o / stride * stride * count + o % stride : 0, best = 0;
		for (int64_t k = 1; k < count; k++) {
			int64_t at = base + best * stride;
			if (beats(x, base + k * stride, x->f ? x->f[at] : 0, x->i ? x->i[at] : 0, above))
				best = k;
		}
		out->i[o] = best;
	}
}

static void
argmax_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	arg_eval(c, n, in, out, true);
}

static void
argmin_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	arg_eval(c, n, in, out, false);
}

static const AttrSpec arg_attr[] = {
	[DIM_ATTR]  = {"dim", A_INT, "null", "dimension; null: the index in the flattened input", NULL},
	[KEEP_ATTR] = {"keepdim", A_BOOL, "false", "keep the reduced dimension with size 1", NULL},
	{0}
};
const Op op_argmax = {.name = "argmax", .id = OP_argmax, .kind = REDUCE, .min_in = 1, .max_in = 1, .cost = 2,
	.flags = FLAT, .combine = R_ARGMAX, .attr = arg_attr, .operands = "input",
	.doc = "i64 index of the first greatest element; of the first NaN if there is one",
	.shape = argmax_shape, .eval = argmax_eval};
const Op op_argmin = {.name = "argmin", .id = OP_argmin, .kind = REDUCE, .min_in = 1, .max_in = 1, .cost = 2,
	.flags = FLAT, .combine = R_ARGMIN, .attr = arg_attr, .operands = "input",
	.doc = "i64 index of the first least element; of the first NaN if there is one",
	.shape = argmax_shape, .eval = argmin_eval};

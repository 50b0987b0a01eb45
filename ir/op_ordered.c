/* op_ordered: what runs along one dimension in order: cumsum, cumprod,
 * logcumsumexp, linear_recurrence, cumargmax, cumargmin; and argsort.
 *
 * Derivatives are ops of this file again. Those of products and of sums of
 * exponentials are first-order linear recurrences (Blelloch, "Prefix sums and their
 * applications", 1990, section 1.4) against the direction of the value, without a
 * division, so that they and their own derivatives are right at zeros too. */
#include "ir.h"

#include <math.h>

#include "special.h"

enum { DIM_ATTR, REVERSE_ATTR };
enum { SORT_DIM, SORT_DESCENDING, SORT_STABLE };

static bool
dim_known(Node *n, int rank)
{
	return norm_dim(n, attr(n, DIM_ATTR)->i, rank) >= 0;
}

/* of a node that has a type */
static int
dim_of(const Node *n)
{
	return dim_index(attr(n, DIM_ATTR)->i, n->type.rank);
}

static bool
is_reverse(const Node *n)
{
	return attr(n, REVERSE_ATTR)->i;
}

/* ---- lines ---- */

typedef struct Line { int64_t at, stride, n; } Line;  /* elements at, at + stride, ... */

/* the k-th line along dim, from its end when reverse; false: there are no more */
static bool
line_at(const Tensor *t, int dim, bool reverse, int64_t k, Line *l)
{
	l->n = t->rank ? t->dim[dim] : 1;
	l->stride = 1;
	for (int d = dim + 1; d < t->rank; d++)
		l->stride *= t->dim[d];
	if (k * l->n >= t->n)
		return false;
	l->at = k / l->stride * l->stride * l->n + k % l->stride;
	if (reverse) {
		l->at += (l->n - 1) * l->stride;
		l->stride = -l->stride;
	}
	return true;
}

static const AttrSpec scan_attr[] = {
	[DIM_ATTR]     = {"dim", A_INT, NULL, "the dimension it runs along", NULL},
	[REVERSE_ATTR] = {"reverse", A_BOOL, "false", "from the last element to the first", NULL},
	{0}
};

/* y[i] of the element before i in the order of the scan; `first` has none before it */
static Node *
before(Node *y, int dim, bool reverse, double first)
{
	return Shift(y, dim, reverse ? -1 : 1, first);
}

/* ---- cumsum, cumprod ---- */

/* bool and the smaller integers are added in i64 */
static DType
sum_dtype(DType d)
{
	return dtype_float(d) || d == U64 ? d : I64;
}

static void
cumsum_shape(Node *n)
{
	Type t = n->in[0]->type;

	t.dt = sum_dtype(t.dt);
	if (dim_known(n, t.rank))
		n->type = t;
}

static void
cumsum_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	Line l;

	(void)c;
	for (int64_t k = 0; line_at(out, dim_of(n), is_reverse(n), k, &l); k++) {
		double f = 0;
		uint64_t i = 0;
		for (int64_t j = 0; j < l.n; j++, l.at += l.stride)
			if (out->f)
				out->f[l.at] = f += in[0]->f[l.at];
			else
				out->i[l.at] = (int64_t)(i += (uint64_t)in[0]->i[l.at]);
	}
}

static void
cumprod_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	Line l;

	(void)c;
	for (int64_t k = 0; line_at(out, dim_of(n), is_reverse(n), k, &l); k++) {
		double f = 1;
		uint64_t i = 1;
		for (int64_t j = 0; j < l.n; j++, l.at += l.stride)
			if (out->f)
				out->f[l.at] = f *= in[0]->f[l.at];
			else
				out->i[l.at] = (int64_t)(i *= (uint64_t)in[0]->i[l.at]);
	}
}

static void
cumsum_vjp(Node *y, Node *const *g, Node **d)
{
	if (dtype_float(y->type.dt))
		d[0] = CumSum(g[0], dim_of(y), !is_reverse(y));
}

/* cotangents s with s[i] = g[i] + factor[i + 1] * s[i + 1], in a scan's direction */
static Node *
carried_back(const Node *y, Node *factor, Node *g)
{
	int dim = dim_of(y);
	bool back = !is_reverse(y);

	return LinearRecurrence(before(factor, dim, back, 0), g, dim, back);
}

static void
cumprod_vjp(Node *y, Node *const *g, Node **d)
{
	if (dtype_float(y->type.dt))
		d[0] = Mul(carried_back(y, y->in[0], g[0]), before(y, dim_of(y), is_reverse(y), 1));
}

const Op op_cumsum = {.name = "cumsum", .id = OP_cumsum, .kind = ORDERED, .min_in = 1, .max_in = 1, .cost = 1,
	.combine = R_SUM, .attr = scan_attr, .operands = "input",
	.doc = "sum of the elements up to each along a dimension; i64 for bool and the smaller integers",
	.shape = cumsum_shape, .eval = cumsum_eval, .vjp = cumsum_vjp};
const Op op_cumprod = {.name = "cumprod", .id = OP_cumprod, .kind = ORDERED, .min_in = 1, .max_in = 1, .cost = 1,
	.combine = R_PROD, .attr = scan_attr, .operands = "input",
	.doc = "product of the elements up to each along a dimension; i64 for bool and the smaller integers",
	.shape = cumsum_shape, .eval = cumprod_eval, .vjp = cumprod_vjp};

/* ---- linear_recurrence ---- */

static void
linear_recurrence_shape(Node *n)
{
	const Node *a = n->in[0], *x = n->in[1];

	if (!float_operand(n, 0) || !dtype_as(n, 1, 0) || !dim_known(n, x->type.rank))
		return;
	if (shape_eq(&a->type, &x->type))
		n->type = x->type;
	else
		type_error_in(n, 1, "shapes differ: %s is %s, %s is %s", nn(a), tt(a), nn(x), tt(x));
}

static void
linear_recurrence_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	Line l;

	(void)c;
	for (int64_t k = 0; line_at(out, dim_of(n), is_reverse(n), k, &l); k++) {
		double y = 0;
		for (int64_t j = 0; j < l.n; j++, l.at += l.stride)
			out->f[l.at] = y = in[0]->f[l.at] * y + in[1]->f[l.at];
	}
}

static void
linear_recurrence_vjp(Node *y, Node *const *g, Node **d)
{
	Node *s = carried_back(y, y->in[0], g[0]);

	d[0] = Mul(s, before(y, dim_of(y), is_reverse(y), 0));
	d[1] = s;
}

const Op op_linear_recurrence = {.name = "linear_recurrence", .id = OP_linear_recurrence, .kind = ORDERED,
	.min_in = 2, .max_in = 2, .cost = 2, .combine = R_LINEAR, .attr = scan_attr, .operands = "factor input",
	.doc = "y[i] = factor[i] * y[i - 1] + input[i] along a dimension, beginning with 0",
	.shape = linear_recurrence_shape, .eval = linear_recurrence_eval, .vjp = linear_recurrence_vjp};

/* ---- logcumsumexp ---- */

static void
logcumsumexp_shape(Node *n)
{
	if (float_operand(n, 0) && dim_known(n, n->in[0]->type.rank))
		n->type = n->in[0]->type;
}

static void
logcumsumexp_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	Line l;

	(void)c;
	for (int64_t k = 0; line_at(out, dim_of(n), is_reverse(n), k, &l); k++) {
		double y = -INFINITY;
		for (int64_t j = 0; j < l.n; j++, l.at += l.stride)
			out->f[l.at] = y = rt_log_add_exp_f64(y, in[0]->f[l.at]);
	}
}

/* sum over i >= j of g[i] * exp(x[j] - y[i]), where no factor exceeds 1:
 * exp(x[j] - y[j]) * s[j], s[j] = g[j] + exp(y[j] - y[j + 1]) * s[j + 1] */
static void
logcumsumexp_vjp(Node *y, Node *const *g, Node **d)
{
	int dim = dim_of(y);
	bool back = !is_reverse(y);
	Node *next = before(y, dim, back, INFINITY), *factor;

	factor = Where(Eq(y, next), Lit(y, 1), Exp(Sub(y, next)));   /* both may be infinite */
	d[0] = Mul(Exp(Sub(y->in[0], y)), LinearRecurrence(factor, g[0], dim, back));
}

const Op op_logcumsumexp = {.name = "logcumsumexp", .id = OP_logcumsumexp, .kind = ORDERED,
	.min_in = 1, .max_in = 1, .cost = 40, .combine = R_LOGSUM, .attr = scan_attr, .operands = "input",
	.doc = "logarithm of the sum of the exponentials up to each element along a dimension",
	.shape = logcumsumexp_shape, .eval = logcumsumexp_eval, .vjp = logcumsumexp_vjp};

/* ---- cumargmax, cumargmin ---- */

static void
cumargmax_shape(Node *n)
{
	Type t = n->in[0]->type;

	t.dt = I64;
	if (dim_known(n, t.rank))
		n->type = t;
}

/* element i is the extremum of those up to it, of which element best was so far */
static bool
replaces(const Tensor *x, int64_t i, int64_t best, bool most)
{
	if (x->f)
		return isnan(x->f[i]) || (most ? x->f[i] >= x->f[best] : x->f[i] <= x->f[best]);
	if (x->dt == U64)
		return most ? (uint64_t)x->i[i] >= (uint64_t)x->i[best] : (uint64_t)x->i[i] <= (uint64_t)x->i[best];
	return most ? x->i[i] >= x->i[best] : x->i[i] <= x->i[best];
}

static void
cumarg(const Node *n, const Tensor *x, Tensor *out)
{
	Line l;

	for (int64_t k = 0; line_at(out, dim_of(n), false, k, &l); k++) {
		int64_t best = 0;
		for (int64_t j = 0; j < l.n; j++) {
			int64_t at = l.at + j * l.stride;
			if (replaces(x, at, l.at + best * l.stride, n->op->combine == R_ARGMAX))
				best = j;
			out->i[at] = best;
		}
	}
}

static void
cumarg_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	(void)c;
	cumarg(n, in[0], out);
}

static const AttrSpec cumarg_attr[] = {
	[DIM_ATTR] = {"dim", A_INT, NULL, "the dimension it runs along", NULL},
	{0}
};
const Op op_cumargmax = {.name = "cumargmax", .id = OP_cumargmax, .kind = ORDERED, .min_in = 1, .max_in = 1,
	.cost = 2, .flags = FLAT, .combine = R_ARGMAX, .attr = cumarg_attr, .operands = "input",
	.doc = "i64 index of the last greatest element up to each along a dimension; of the last NaN if there is one",
	.shape = cumargmax_shape, .eval = cumarg_eval};
const Op op_cumargmin = {.name = "cumargmin", .id = OP_cumargmin, .kind = ORDERED, .min_in = 1, .max_in = 1,
	.cost = 2, .flags = FLAT, .combine = R_ARGMIN, .attr = cumarg_attr, .operands = "input",
	.doc = "i64 index of the last least element up to each along a dimension; of the last NaN if there is one",
	.shape = cumargmax_shape, .eval = cumarg_eval};

/* ---- argsort ---- */

/* element i comes before element j: NaN is above all numbers */
static bool
precedes(const Tensor *x, int64_t i, int64_t j, bool descending)
{
	if (descending)
		return precedes(x, j, i, false);
	if (x->f)
		return x->f[i] < x->f[j] || (isnan(x->f[j]) && !isnan(x->f[i]));
	return x->dt == U64 ? (uint64_t)x->i[i] < (uint64_t)x->i[j] : x->i[i] < x->i[j];
}

/* index[from .. to) in order, by merging its halves through `spare` */
static void
sort(const Tensor *x, const Line *l, bool descending, int64_t *index, int64_t *spare, int64_t from, int64_t to)
{
	int64_t mid = from + (to - from) / 2, a = from, b = mid;

	if (to - from < 2)
		return;
	sort(x, l, descending, index, spare, from, mid);
	sort(x, l, descending, index, spare, mid, to);
	for (int64_t k = from; k < to; k++) {
		bool second = a == mid || (b < to && precedes(x, l->at + index[b] * l->stride,
			l->at + index[a] * l->stride, descending));
		spare[k] = index[second ? b++ : a++];
	}
	for (int64_t k = from; k < to; k++)
		index[k] = spare[k];
}

static void
argsort_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	Line l;

	for (int64_t k = 0; line_at(out, dim_of(n), false, k, &l); k++) {
		int64_t *index = NEW(c->arena, 2 * l.n, int64_t);
		for (int64_t j = 0; j < l.n; j++)
			index[j] = j;
		sort(in[0], &l, attr(n, SORT_DESCENDING)->i, index, index + l.n, 0, l.n);
		for (int64_t j = 0; j < l.n; j++)
			out->i[l.at + j * l.stride] = index[j];
	}
}

static const AttrSpec argsort_attr[] = {
	[SORT_DIM]        = {"dim", A_INT, "-1", "the dimension to sort along", NULL},
	[SORT_DESCENDING] = {"descending", A_BOOL, "false", "the greatest first", NULL},
	[SORT_STABLE]     = {"stable", A_BOOL, "false", "equal elements keep their order; they do so in any case", NULL},
	{0}
};
const Op op_argsort = {.name = "argsort", .id = OP_argsort, .kind = ORDERED, .min_in = 1, .max_in = 1, .cost = 40,
	.flags = FLAT, .attr = argsort_attr, .operands = "input",
	.doc = "i64 indices that sort a dimension; NaN is greater than all numbers, equal elements keep their order",
	.shape = cumargmax_shape, .eval = argsort_eval};

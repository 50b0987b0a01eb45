/* compose_reduce: composites that reduce: mean, var, std, logsumexp, norm.
 *
 * Those with a derivative of their own have it because the one that follows
 * from the decomposition divides by zero, or subtracts what is equal. */
#include "ir.h"

#include <math.h>
#include <string.h>

/* operand 0 is of floats; else the cast that mends it is named */
static bool
is_float(Node *n)
{
	if (dtype_float(n->in[0]->type.dt))
		return true;
	type_error_in(n, 0, "%s is %s, must be of floats\n"
		"{\"op\": \"cast\", \"attrs\": {\"type\": \"f32\"}} converts", nn(n->in[0]), tt(n->in[0]));
	return false;
}

/* axes that attribute i lists, all when it is null or empty, of a node that has a type */
static int
axes_of(const Node *n, int i, int *axis)
{
	const Attr *a = attr(n, i);
	int rank = n->in[0]->type.rank, count = 0;

	for (int d = 0; d < rank; d++) {
		bool listed = !a->set || !a->n;
		for (int k = 0; a->set && k < a->n; k++)
			listed |= a->ints[k] == d || a->ints[k] == d - rank;
		if (listed)
			axis[count++] = d;
	}
	return count;
}

/* sets the type to the operand's without the axes of attribute `dim` */
static void
reduced_shape(Node *n, int dim, int keepdim)
{
	const Type *in = &n->in[0]->type;
	Type t = {.dt = in->dt};
	int axis[MAXRANK], count;

	if (!is_float(n) || (count = norm_dims(n, dim, in->rank, true, axis)) < 0)
		return;
	for (int d = 0, k = 0; d < in->rank; d++) {
		bool gone = k < count && axis[k] == d;
		k += gone;
		if (!gone)
			t.dim[t.rank++] = in->dim[d];
		else if (attr(n, keepdim)->i)
			t.dim[t.rank++] = DIM(1);
	}
	n->type = t;
}

/* x, shaped like y, with the axes that y reduced as dimensions of size 1 */
static Node *
keep(Node *x, const Node *y, const int *axis, int count)
{
	Dim dim[MAXRANK];

	memcpy(dim, y->in[0]->type.dim, sizeof dim);
	for (int i = 0; i < count; i++)
		dim[axis[i]] = DIM(1);
	return Reshape(x, dim, y->in[0]->type.rank);
}

static Dim
count_of(const Node *x, const int *axis, int count)
{
	Dim n = DIM(1);

	for (int i = 0; i < count; i++)
		if (!dim_mul(n, x->type.dim[axis[i]], &n))
			bug("reduction over an overflowing count");
	return n;
}

/* x with 1 where `where` holds: keeps roots, powers and quotients finite where they are not used */
static Node *
one_where(Node *where, Node *x)
{
	return Where(where, Lit(x, 1), x);
}

/* ---- mean ---- */

enum { MEAN_DIM, MEAN_KEEP };

static void
mean_shape(Node *n)
{
	reduced_shape(n, MEAN_DIM, MEAN_KEEP);
}

static void
mean_compose(Node *n, bool training, Node **res)
{
	int axis[MAXRANK], count = axes_of(n, MEAN_DIM, axis);

	(void)training;
	res[0] = Reshape(Mean(n->in[0], axis, count, true), n->type.dim, n->type.rank);
}

static const AttrSpec mean_attr[] = {
	[MEAN_DIM]  = {"dim", A_INTS, "null", "dimensions to average over; null or [] is all", NULL},
	[MEAN_KEEP] = {"keepdim", A_BOOL, "false", "keep the reduced dimensions with size 1", NULL},
	{0}
};
const Op op_mean = {.name = "mean", .id = OP_mean, .kind = COMPOSITE, .min_in = 1, .max_in = 1, .cost = 1,
	.attr = mean_attr, .operands = "input", .doc = "average over dimensions, of floats",
	.shape = mean_shape, .compose = mean_compose};

/* ---- var, std ---- */

enum { VAR_DIM, VAR_CORRECTION, VAR_KEEP };

static void
var_shape(Node *n)
{
	reduced_shape(n, VAR_DIM, VAR_KEEP);
}

/* what the sum of squares is divided by: max(0, count - correction) */
static Node *
freedom(const Node *n, const int *axis, int count)
{
	const Node *x = n->in[0];
	Node *c = DimSize(n->g, count_of(x, axis, count), x->type.dt);

	return Maximum(Sub(c, Lit(c, attr(n, VAR_CORRECTION)->f)), Lit(c, 0));
}

static Node *
deviation(Node *x, const int *axis, int count)
{
	return Sub(x, Mean(x, axis, count, true));
}

static Node *
variance(Node *n)
{
	int axis[MAXRANK], count = axes_of(n, VAR_DIM, axis);
	Node *sum = Sum(Square(deviation(n->in[0], axis, count)), axis, count, true);

	return Reshape(Div(sum, freedom(n, axis, count)), n->type.dim, n->type.rank);
}

static void
var_compose(Node *n, bool training, Node **res)
{
	(void)training;
	res[0] = variance(n);
}

static void
std_compose(Node *n, bool training, Node **res)
{
	Node *v = variance(n), *flat = Eq(v, Lit(v, 0));

	(void)training;
	res[0] = Where(flat, Lit(v, 0), Sqrt(one_where(flat, v)));
}

/* the cotangent of x from g, that of the variance: the mean's part sums to zero and is left out */
static Node *
variance_vjp(Node *y, Node *g)
{
	int axis[MAXRANK], count = axes_of(y, VAR_DIM, axis);
	Node *x = y->in[0], *scale = Div(Mul(Lit(g, 2), g), freedom(y, axis, count));

	return Mul(ExpandLike(keep(scale, y, axis, count), x), deviation(x, axis, count));
}

static void
var_vjp(Node *y, Node *const *g, Node **d)
{
	d[0] = variance_vjp(y, g[0]);
}

/* zero, as in PyTorch, where all elements are equal */
static void
std_vjp(Node *y, Node *const *g, Node **d)
{
	Node *flat = Eq(y, Lit(y, 0)), *root = one_where(flat, y);

	d[0] = variance_vjp(y, Where(flat, Lit(y, 0), Div(g[0], Mul(Lit(y, 2), root))));
}

static const AttrSpec var_attr[] = {
	[VAR_DIM]        = {"dim", A_INTS, "null", "dimensions to reduce; null or [] is all", NULL},
	[VAR_CORRECTION] = {"correction", A_NUM, "1", "subtracted from the count", NULL},
	[VAR_KEEP]       = {"keepdim", A_BOOL, "false", "keep the reduced dimensions with size 1", NULL},
	{0}
};
const Op op_var = {.name = "var", .id = OP_var, .kind = COMPOSITE, .min_in = 1, .max_in = 1, .cost = 3,
	.attr = var_attr, .operands = "input",
	.doc = "variance over dimensions: squared deviations from the mean, over count - correction",
	.shape = var_shape, .compose = var_compose, .vjp = var_vjp};
const Op op_std = {.name = "std", .id = OP_std, .kind = COMPOSITE, .min_in = 1, .max_in = 1, .cost = 3,
	.attr = var_attr, .operands = "input",
	.doc = "square root of var; its derivative is 0 where it is 0",
	.shape = var_shape, .compose = std_compose, .vjp = std_vjp};

/* ---- logsumexp ---- */

/* 0 where x is infinite: exp(x - shift) is then exact for infinities too */
static Node *
finite_or_zero(Node *x)
{
	return Where(IsFinite(x), x, Lit(x, 0));
}

static void
logsumexp_compose(Node *n, bool training, Node **res)
{
	int axis[MAXRANK], count = axes_of(n, MEAN_DIM, axis);
	Node *x = n->in[0], *shift = finite_or_zero(Top(x, axis, count));
	Node *sum = Sum(Exp(Sub(x, shift)), axis, count, true), *none = Eq(sum, Lit(sum, 0)), *log;

	(void)training;
	log = Where(none, Lit(sum, -INFINITY), Log(one_where(none, sum)));
	res[0] = Reshape(Add(log, shift), n->type.dim, n->type.rank);
}

/* softmax times g; zero for a row of -inf alone */
static void
logsumexp_vjp(Node *y, Node *const *g, Node **d)
{
	int axis[MAXRANK], count = axes_of(y, MEAN_DIM, axis);
	Node *x = y->in[0], *none = Eq(y, Lit(y, -INFINITY)), *shift = Where(none, Lit(y, 0), y);

	d[0] = Mul(ExpandLike(keep(g[0], y, axis, count), x), Exp(Sub(x, keep(shift, y, axis, count))));
}

static const AttrSpec logsumexp_attr[] = {
	[MEAN_DIM]  = {"dim", A_INTS, "null", "dimensions to reduce; null or [] is all", NULL},
	[MEAN_KEEP] = {"keepdim", A_BOOL, "false", "keep the reduced dimensions with size 1", NULL},
	{0}
};
const Op op_logsumexp = {.name = "logsumexp", .id = OP_logsumexp, .kind = COMPOSITE, .min_in = 1, .max_in = 1,
	.cost = 22, .attr = logsumexp_attr, .operands = "input",
	.doc = "log of the sum of exponentials, which do not overflow; the derivative of a row of -inf is 0",
	.shape = mean_shape, .compose = logsumexp_compose, .vjp = logsumexp_vjp};

/* ---- norm ---- */

enum { NORM_P, NORM_DIM, NORM_KEEP };

static void
norm_shape(Node *n)
{
	double p = attr(n, NORM_P)->f;
	int axis[MAXRANK], count;

	if (isnan(p)) {
		type_error(n, "\"p\" is not a number");
		return;
	}
	reduced_shape(n, NORM_DIM, NORM_KEEP);
	if (n->type.dt == NDTYPE || !isinf(p))
		return;
	count = axes_of(n, NORM_DIM, axis);
	for (int i = 0; i < count; i++)
		if (!n->in[0]->type.dim[axis[i]].k) {
			type_error(n, "the extremum of no element: %s is %s", nn(n->in[0]), tt(n->in[0]));
			return;
		}
}

/* x to the power p where x > 0; at 0 the limit, with derivative zero */
static Node *
power(Node *x, double p)
{
	Node *zero = Eq(x, Lit(x, 0)), *at_zero = Lit(x, p > 0 ? 0 : INFINITY);

	return Where(zero, at_zero, p == 0.5 ? Sqrt(one_where(zero, x)) : Pow(one_where(zero, x), Lit(x, p)));
}

static void
norm_compose(Node *n, bool training, Node **res)
{
	double p = attr(n, NORM_P)->f;
	int axis[MAXRANK], count = axes_of(n, NORM_DIM, axis);
	Node *x = n->in[0], *y;

	(void)training;
	if (isinf(p))
		y = p > 0 ? Amax(Abs(x), axis, count, true) : Amin(Abs(x), axis, count, true);
	else if (p == 0)
		y = Sum(Cast(Ne(x, Lit(x, 0)), x->type.dt), axis, count, true);
	else if (p == 1)
		y = Sum(Abs(x), axis, count, true);
	else
		y = power(Sum(p == 2 ? Square(x) : power(Abs(x), p), axis, count, true), 1 / p);
	res[0] = Reshape(y, n->type.dim, n->type.rank);
}

/* sign(x) shared among the elements of largest (smallest) magnitude */
static Node *
extremum_vjp(Node *x, Node *y, Node *g, const int *axis, int count)
{
	Node *tie = Eq(Abs(x), y);
	Node *share = Div(g, Sum(Cast(tie, x->type.dt), axis, count, true));

	return Where(tie, Mul(ExpandLike(share, x), Sign(x)), Lit(x, 0));
}

/* x |x|^(p-2) / y^(p-1), zero where the norm is, and where x is for p < 2 (PyTorch's subgradient) */
static void
norm_vjp(Node *yn, Node *const *gs, Node **d)
{
	double p = attr(yn, NORM_P)->f;
	int axis[MAXRANK], count = axes_of(yn, NORM_DIM, axis);
	Node *x = yn->in[0], *g = keep(gs[0], yn, axis, count), *y = keep(yn, yn, axis, count);
	Node *none = Eq(y, Lit(y, 0)), *zero = Eq(x, Lit(x, 0)), *z = Lit(x, 0), *part;

	if (p == 0)
		return;
	if (isinf(p)) {
		d[0] = extremum_vjp(x, y, g, axis, count);
		return;
	}
	if (p == 1) {
		d[0] = Mul(ExpandLike(g, x), Sign(x));
		return;
	}
	if (p == 2) {
		d[0] = Mul(ExpandLike(Where(none, z, Div(g, one_where(none, y))), x), x);
		return;
	}
	part = Mul(Sign(x), Pow(one_where(zero, Abs(x)), Lit(x, p - 1)));
	g = Where(none, z, Mul(g, Pow(one_where(none, y), Lit(y, 1 - p))));
	d[0] = Mul(ExpandLike(g, x), Where(zero, z, part));
}

static const AttrSpec norm_attr[] = {
	[NORM_P]    = {"p", A_NUM, "2", "the exponent; 0 counts, \"inf\" and \"-inf\" are the greatest and least magnitude", NULL},
	[NORM_DIM]  = {"dim", A_INTS, "null", "dimensions to reduce; null or [] is all", NULL},
	[NORM_KEEP] = {"keepdim", A_BOOL, "false", "keep the reduced dimensions with size 1", NULL},
	{0}
};
const Op op_norm = {.name = "norm", .id = OP_norm, .kind = COMPOSITE, .min_in = 1, .max_in = 1, .cost = 2,
	.attr = norm_attr, .operands = "input",
	.doc = "p-norm of the elements over dimensions: (sum |x|^p)^(1/p); its derivative at 0 is 0",
	.shape = norm_shape, .compose = norm_compose, .vjp = norm_vjp};

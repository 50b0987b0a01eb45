/* compose_piece: activations made of pieces: threshold, hardtanh, relu6, hardsigmoid,
 * hardswish, hardshrink, softshrink, celu, selu, prelu; and others that are made of
 * others: logsigmoid, mish, softsign, tanhshrink, softmin, glu.
 *
 * At the borders of pieces derivatives are PyTorch's; NaN stays NaN. */
#include "ir.h"

#define ACTIVATION(op, attributes, text, derivative) \
	const Op op_##op = {.name = #op, .id = OP_##op, .kind = COMPOSITE, .min_in = 1, .max_in = 1, .attr = attributes, \
		.operands = "input", .doc = text, .shape = act_shape, .compose = op##_compose, .vjp = derivative};

/* ---- constant pieces ---- */

enum { FIRST, SECOND };

static void
threshold_compose(Node *n, bool training, Node **res)
{
	Node *x = n->in[0];

	(void)training;
	res[0] = Where(Le(x, Lit(x, attr(n, FIRST)->f)), Lit(x, attr(n, SECOND)->f), x);
}

static const AttrSpec threshold_attr[] = {
	[FIRST]  = {"threshold", A_NUM, NULL, "the greatest x that is replaced", NULL},
	[SECOND] = {"value", A_NUM, NULL, "what replaces it", NULL},
	{0}
};
ACTIVATION(threshold, threshold_attr, "x for x > threshold, else value", NULL)

/* x strictly between the bounds, else the nearer one */
static Node *
between(Node *x, double lo, double hi)
{
	return Where(Le(x, Lit(x, lo)), Lit(x, lo), Where(Ge(x, Lit(x, hi)), Lit(x, hi), x));
}

static void
hardtanh_compose(Node *n, bool training, Node **res)
{
	(void)training;
	res[0] = between(n->in[0], attr(n, FIRST)->f, attr(n, SECOND)->f);
}

static void
relu6_compose(Node *n, bool training, Node **res)
{
	(void)training;
	res[0] = between(n->in[0], 0, 6);
}

/* the output tells where it is a bound */
static void
between_vjp(Node *y, Node *const *g, Node **d)
{
	bool has_bounds = y->op->attr != NULL;
	double lo = has_bounds ? attr(y, FIRST)->f : 0, hi = has_bounds ? attr(y, SECOND)->f : 6;

	d[0] = Where(LogicalOr(Le(y, Lit(y, lo)), Ge(y, Lit(y, hi))), Lit(y, 0), g[0]);
}

static const AttrSpec hardtanh_attr[] = {
	[FIRST]  = {"min_val", A_NUM, "-1.0", "lower bound", NULL},
	[SECOND] = {"max_val", A_NUM, "1.0", "upper bound", NULL},
	{0}
};
ACTIVATION(hardtanh, hardtanh_attr, "x limited to [min_val, max_val]; derivative 0 at the bounds", between_vjp)
ACTIVATION(relu6, NULL, "x limited to [0, 6]; derivative 0 at the bounds (Howard et al. 2017)", between_vjp)

static void
hardsigmoid_compose(Node *n, bool training, Node **res)
{
	Node *x = Wide(n->in[0]), *line = Add(Div(x, Lit(x, 6)), Lit(x, 0.5));

	(void)training;
	line = Where(Le(x, Lit(x, -3)), Lit(x, 0), Where(Ge(x, Lit(x, 3)), Lit(x, 1), line));
	res[0] = Cast(line, n->type.dt);
}
ACTIVATION(hardsigmoid, NULL, "x / 6 + 1/2 limited to [0, 1]; derivative 0 at the bounds", NULL)

static void
hardswish_compose(Node *n, bool training, Node **res)
{
	Node *x = Wide(n->in[0]), *low = Le(x, Lit(x, -3)), *high = Ge(x, Lit(x, 3));
	Node *safe = Where(LogicalOr(low, high), Lit(x, 0), x), *curve = Div(Mul(safe, Add(safe, Lit(x, 3))), Lit(x, 6));

	(void)training;
	res[0] = Cast(Where(low, Lit(x, 0), Where(high, x, curve)), n->type.dt);
}
ACTIVATION(hardswish, NULL, "x * hardsigmoid(x) (Howard et al. 2019)", NULL)

static Node *
within(Node *x, double bound)
{
	return LogicalAnd(Ge(x, Lit(x, -bound)), Le(x, Lit(x, bound)));
}

static void
hardshrink_compose(Node *n, bool training, Node **res)
{
	Node *x = n->in[0];

	(void)training;
	res[0] = Where(within(x, attr(n, FIRST)->f), Lit(x, 0), x);
}

static void
softshrink_compose(Node *n, bool training, Node **res)
{
	Node *x = Wide(n->in[0]), *bound = Lit(x, attr(n, FIRST)->f);
	Node *moved = Where(Gt(x, Lit(x, 0)), Sub(x, bound), Add(x, bound));

	(void)training;
	res[0] = Cast(Where(within(x, attr(n, FIRST)->f), Lit(x, 0), moved), n->type.dt);
}

static const AttrSpec shrink_attr[] = {
	[FIRST] = {"lambd", A_NUM, "0.5", "0 where |x| is at most this", NULL},
	{0}
};
ACTIVATION(hardshrink, shrink_attr, "x where |x| > lambd, else 0", NULL)
ACTIVATION(softshrink, shrink_attr, "x moved toward 0 by lambd, 0 where it would cross", NULL)

/* ---- exponential pieces ---- */

/* scale * alpha * (exp(x / width) - 1) for x <= 0, else scale * x */
static Node *
exponential(Node *x, double scale, double alpha, double width)
{
	Node *low = Le(x, Lit(x, 0)), *safe = Where(low, x, Lit(x, 0));
	Node *tail = Mul(Expm1(width == 1 ? safe : Div(safe, Lit(x, width))), Lit(x, scale * alpha));

	return Where(low, tail, scale == 1 ? x : Mul(x, Lit(x, scale)));
}

static void
celu_compose(Node *n, bool training, Node **res)
{
	double alpha = attr(n, FIRST)->f;

	(void)training;
	res[0] = Cast(exponential(Wide(n->in[0]), 1, alpha, alpha), n->type.dt);
}

static const AttrSpec celu_attr[] = {
	[FIRST] = {"alpha", A_NUM, "1.0", "minus the limit for x -> -inf", NULL},
	{0}
};
ACTIVATION(celu, celu_attr, "x for x > 0, else alpha * (exp(x / alpha) - 1) (Barron 2017)", NULL)

static const double SELU_SCALE = 1.0507009873554804934193349852946;
static const double SELU_ALPHA = 1.6732632423543772848170429916717;

static void
selu_compose(Node *n, bool training, Node **res)
{
	(void)training;
	res[0] = Cast(exponential(Wide(n->in[0]), SELU_SCALE, SELU_ALPHA, 1), n->type.dt);
}

/* the output has the input's sign, and scale * alpha * exp(x) is y + scale * alpha */
static void
selu_vjp(Node *y, Node *const *g, Node **d)
{
	Node *slope = Where(Le(y, Lit(y, 0)), Add(y, Lit(y, SELU_SCALE * SELU_ALPHA)), Lit(y, SELU_SCALE));

	d[0] = Mul(g[0], slope);
}
ACTIVATION(selu, NULL, "elu scaled to keep mean 0 and variance 1 (Klambauer et al. 2017)", selu_vjp)

/* ---- slopes ---- */

static void
prelu_shape(Node *n)
{
	const Node *x = n->in[0], *w = n->in[1];
	bool fits;

	if (!float_operand(n, 0) || !same_dtype(n, 0))
		return;
	fits = w->type.rank == 1 && x->type.rank > 1 && dim_eq(w->type.dim[0], x->type.dim[1]);
	if (!fits && !dim_one(type_count(&w->type)))
		type_error_in(n, 1, "%s is %s; slopes for %s, which is %s, are one number or one for each channel, "
			"which is dimension 1", nn(w), tt(w), nn(x), tt(x));
	else
		n->type = x->type;
}

static void
prelu_compose(Node *n, bool training, Node **res)
{
	Node *x = n->in[0], *w = n->in[1];
	Dim dim[MAXRANK];
	bool one = dim_one(type_count(&w->type));

	(void)training;
	for (int i = 0; i < x->type.rank; i++)
		dim[i] = i == 1 && !one ? w->type.dim[0] : DIM(1);
	res[0] = Where(Gt(x, Lit(x, 0)), x, Mul(Reshape(w, dim, x->type.rank), x));
}

const Op op_prelu = {.name = "prelu", .id = OP_prelu, .kind = COMPOSITE, .min_in = 2, .max_in = 2,
	.operands = "input weight", .doc = "x for x > 0, else weight * x, with a weight for each channel or one (He et al. 2015)",
	.shape = prelu_shape, .compose = prelu_compose};

/* ---- smooth ---- */

static void
logsigmoid_compose(Node *n, bool training, Node **res)
{
	Node *x = Wide(n->in[0]);

	(void)training;
	res[0] = Cast(LogSigmoid(x), n->type.dt);
}

static void
logsigmoid_vjp(Node *y, Node *const *g, Node **d)
{
	d[0] = Cast(Mul(Wide(g[0]), Sigmoid(Neg(Wide(y->in[0])))), y->type.dt);
}
ACTIVATION(logsigmoid, NULL, "log(sigmoid(x)), for x of any size", logsigmoid_vjp)

static void
mish_compose(Node *n, bool training, Node **res)
{
	Node *x = Wide(n->in[0]);

	(void)training;
	res[0] = Cast(Mul(x, Tanh(Op1(OP_softplus, x))), n->type.dt);
}
ACTIVATION(mish, NULL, "x * tanh(softplus(x)) (Misra 2019)", NULL)

static void
softsign_compose(Node *n, bool training, Node **res)
{
	Node *x = Wide(n->in[0]);

	(void)training;
	res[0] = Cast(Div(x, Add(Abs(x), Lit(x, 1))), n->type.dt);
}
ACTIVATION(softsign, NULL, "x / (1 + |x|)", NULL)

static void
tanhshrink_compose(Node *n, bool training, Node **res)
{
	Node *x = Wide(n->in[0]);

	(void)training;
	res[0] = Cast(Sub(x, Tanh(x)), n->type.dt);
}

static void
tanhshrink_vjp(Node *y, Node *const *g, Node **d)
{
	d[0] = Cast(Mul(Wide(g[0]), Square(Tanh(Wide(y->in[0])))), y->type.dt);
}
ACTIVATION(tanhshrink, NULL, "x - tanh(x)", tanhshrink_vjp)

/* ---- along a dimension ---- */

static void
softmin_shape(Node *n)
{
	if (float_operand(n, 0) && norm_dim(n, attr(n, 0)->i, n->in[0]->type.rank) >= 0)
		n->type = n->in[0]->type;
}

static void
softmin_compose(Node *n, bool training, Node **res)
{
	const Op *op = op_get(OP_softmax);
	Attr *a = attrs_new(n->g, op);
	Node *x = Neg(n->in[0]);

	(void)training;
	set_int(op, a, "dim", attr(n, 0)->i);
	res[0] = node(n->g, op, &x, 1, a);
}

static const AttrSpec softmin_attr[] = {
	{"dim", A_INT, NULL, "dimension along which the exponentials are summed", NULL},
	{0}
};
const Op op_softmin = {.name = "softmin", .id = OP_softmin, .kind = COMPOSITE, .min_in = 1, .max_in = 1,
	.attr = softmin_attr, .operands = "input", .doc = "softmax(-x)",
	.shape = softmin_shape, .compose = softmin_compose};

static void
glu_shape(Node *n)
{
	const Node *x = n->in[0];
	Dim half;
	int d;

	if (!float_operand(n, 0) || (d = norm_dim(n, attr(n, 0)->i, x->type.rank)) < 0)
		return;
	if (!x->type.rank || !dim_div(x->type.dim[d], DIM(2), &half)) {
		type_error_in(n, 0, "%s is %s, of which dimension %d has no two halves", nn(x), tt(x), d);
		return;
	}
	n->type = x->type;
	n->type.dim[d] = half;
}

static void
glu_compose(Node *n, bool training, Node **res)
{
	Node *x = n->in[0];
	int d = dim_index(attr(n, 0)->i, x->type.rank);
	Dim half = n->type.dim[d];

	(void)training;
	res[0] = Mul(Slice(x, d, DIM(0), half, 1), Sigmoid(Slice(x, d, half, x->type.dim[d], 1)));
}

static const AttrSpec glu_attr[] = {
	{"dim", A_INT, "-1", "dimension that is halved", NULL},
	{0}
};
const Op op_glu = {.name = "glu", .id = OP_glu, .kind = COMPOSITE, .min_in = 1, .max_in = 1,
	.attr = glu_attr, .operands = "input", .doc = "first half times sigmoid(second half) (Dauphin et al. 2016)",
	.shape = glu_shape, .compose = glu_compose};

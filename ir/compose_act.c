/* compose_act: activations: relu, leaky_relu, elu, gelu, silu, softplus, softmax, log_softmax.
 *
 * An activation has a derivative of its own where the output tells it, so that
 * the input need not be kept. Decompositions keep dangerous values out of the
 * branch that is not taken, whose derivative is 0 * f'(x). */
#include "ir.h"

enum { ALPHA };

void
act_shape(Node *n)
{
	if (float_operand(n, 0))
		n->type = n->in[0]->type;
}

/* ---- relu, leaky_relu ---- */

static void
relu_compose(Node *n, bool training, Node **res)
{
	Node *x = n->in[0];

	(void)training;
	res[0] = Where(Le(x, Lit(x, 0)), Lit(x, 0), x);
}

static void
relu_vjp(Node *y, Node *const *g, Node **d)
{
	d[0] = Where(Le(y, Lit(y, 0)), Lit(y, 0), g[0]);
}

const Op op_relu = {.name = "relu", .id = OP_relu, .kind = COMPOSITE, .min_in = 1, .max_in = 1,
	.operands = "input", .doc = "max(x, 0); derivative 0 at 0",
	.shape = act_shape, .compose = relu_compose, .vjp = relu_vjp};

static void
leaky_relu_compose(Node *n, bool training, Node **res)
{
	Node *x = n->in[0];

	(void)training;
	res[0] = Where(Gt(x, Lit(x, 0)), x, Mul(x, Lit(x, attr(n, ALPHA)->f)));
}

/* with a slope >= 0 the output has the input's sign */
static void
leaky_relu_vjp(Node *y, Node *const *g, Node **d)
{
	double slope = attr(y, ALPHA)->f;
	Node *v = slope >= 0 ? y : y->in[0];

	d[0] = Where(Gt(v, Lit(v, 0)), g[0], Mul(g[0], Lit(v, slope)));
}

static const AttrSpec leaky_relu_attr[] = {
	[ALPHA] = {"negative_slope", A_NUM, "0.01", "slope for x <= 0", NULL},
	{0}
};
const Op op_leaky_relu = {.name = "leaky_relu", .id = OP_leaky_relu, .kind = COMPOSITE, .min_in = 1, .max_in = 1,
	.attr = leaky_relu_attr, .operands = "input", .doc = "x for x > 0, else negative_slope * x",
	.shape = act_shape, .compose = leaky_relu_compose, .vjp = leaky_relu_vjp};

/* ---- elu ---- */

static void
elu_compose(Node *n, bool training, Node **res)
{
	Node *x = n->in[0], *low = Le(x, Lit(x, 0));

	(void)training;
	res[0] = Where(low, Mul(Expm1(Where(low, x, Lit(x, 0))), Lit(x, attr(n, ALPHA)->f)), x);
}

/* alpha * exp(x) is y + alpha; with alpha >= 0 the output has the input's sign */
static void
elu_vjp(Node *y, Node *const *g, Node **d)
{
	double alpha = attr(y, ALPHA)->f;
	Node *v = alpha >= 0 ? y : y->in[0];

	d[0] = Where(Le(v, Lit(v, 0)), Mul(g[0], Add(y, Lit(y, alpha))), g[0]);
}

static const AttrSpec elu_attr[] = {
	[ALPHA] = {"alpha", A_NUM, "1.0", "minus the limit for x -> -inf", NULL},
	{0}
};
const Op op_elu = {.name = "elu", .id = OP_elu, .kind = COMPOSITE, .min_in = 1, .max_in = 1,
	.attr = elu_attr, .operands = "input", .doc = "x for x > 0, else alpha * (exp(x) - 1)",
	.shape = act_shape, .compose = elu_compose, .vjp = elu_vjp};

/* ---- gelu, silu, softplus ---- */

/* x * Phi(x). The tail is erfc's, where 1 + erf would cancel; in the approximation
 * 1/2 (1 + tanh u) is sigmoid(2u) for the same reason. */
static void
gelu_compose(Node *n, bool training, Node **res)
{
	const double sqrt_half = 0.70710678118654752440, two_sqrt_2_over_pi = 1.59576912160573071176;
	Node *x = Wide(n->in[0]), *u;

	(void)training;
	if (*attr(n, 0)->s == 't') {
		u = Mul(Add(Mul(Mul(Square(x), x), Lit(x, 0.044715)), x), Lit(x, two_sqrt_2_over_pi));
		u = Mul(x, Sigmoid(u));
	} else
		u = Mul(Mul(x, Lit(x, 0.5)), Erfc(Mul(x, Lit(x, -sqrt_half))));
	res[0] = Cast(u, n->type.dt);
}

static const AttrSpec gelu_attr[] = {
	{"approximate", A_STR, "\"none\"", "tanh: the form of the first GPT models", "none tanh"},
	{0}
};
const Op op_gelu = {.name = "gelu", .id = OP_gelu, .kind = COMPOSITE, .min_in = 1, .max_in = 1,
	.attr = gelu_attr, .operands = "input",
	.doc = "x * Phi(x), Phi the normal distribution function (Hendrycks, Gimpel 2016)",
	.shape = act_shape, .compose = gelu_compose};

static void
silu_compose(Node *n, bool training, Node **res)
{
	Node *x = Wide(n->in[0]);

	(void)training;
	res[0] = Cast(Mul(x, Sigmoid(x)), n->type.dt);
}

const Op op_silu = {.name = "silu", .id = OP_silu, .kind = COMPOSITE, .min_in = 1, .max_in = 1,
	.operands = "input", .doc = "x * sigmoid(x), also called swish",
	.shape = act_shape, .compose = silu_compose};

enum { BETA, THRESHOLD };

/* log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|)) */
static void
softplus_compose(Node *n, bool training, Node **res)
{
	Node *x = Wide(n->in[0]), *beta = Lit(x, attr(n, BETA)->f), *bx = Mul(x, beta);
	Node *log_sum = Add(Maximum(bx, Lit(x, 0)), Log1p(Exp(Neg(Abs(bx)))));

	(void)training;
	res[0] = Cast(Where(Gt(bx, Lit(x, attr(n, THRESHOLD)->f)), x, Div(log_sum, beta)), n->type.dt);
}

static void
softplus_vjp(Node *y, Node *const *g, Node **d)
{
	Node *x = Wide(y->in[0]), *bx = Mul(x, Lit(x, attr(y, BETA)->f)), *w = Wide(g[0]);

	d[0] = Cast(Where(Gt(bx, Lit(x, attr(y, THRESHOLD)->f)), w, Mul(w, Sigmoid(bx))), y->type.dt);
}

static const AttrSpec softplus_attr[] = {
	[BETA]      = {"beta", A_NUM, "1.0", "sharpness", NULL},
	[THRESHOLD] = {"threshold", A_NUM, "20.0", "where beta * x is greater, the value is x", NULL},
	{0}
};
const Op op_softplus = {.name = "softplus", .id = OP_softplus, .kind = COMPOSITE, .min_in = 1, .max_in = 1,
	.attr = softplus_attr, .operands = "input", .doc = "log(1 + exp(beta * x)) / beta",
	.shape = act_shape, .compose = softplus_compose, .vjp = softplus_vjp};

/* ---- softmax, log_softmax ---- */

static void
softmax_shape(Node *n)
{
	if (float_operand(n, 0) && norm_dim(n, attr(n, 0)->i, n->in[0]->type.rank) >= 0)
		n->type = n->in[0]->type;
}

/* the dimension of node n, which has a type; a scalar has none, *count is 0 */
static int
softmax_dim(const Node *n, int *count)
{
	int rank = n->in[0]->type.rank;

	*count = rank > 0;
	return dim_index(attr(n, 0)->i, rank);
}

/* Subtracting the greatest element changes no value and keeps exp from overflow. */
static void
softmax_compose(Node *n, bool training, Node **res)
{
	Node *x = Wide(n->in[0]), *e;
	int count, dim = softmax_dim(n, &count);

	(void)training;
	e = Exp(Sub(x, Top(x, &dim, count)));
	res[0] = Cast(Div(e, Sum(e, &dim, count, true)), n->type.dt);
}

static void
softmax_vjp(Node *y, Node *const *g, Node **d)
{
	Node *p = Wide(y), *w = Wide(g[0]);
	int count, dim = softmax_dim(y, &count);

	d[0] = Cast(Mul(p, Sub(w, Sum(Mul(w, p), &dim, count, true))), y->type.dt);
}

static void
log_softmax_compose(Node *n, bool training, Node **res)
{
	Node *x = Wide(n->in[0]), *z;
	int count, dim = softmax_dim(n, &count);

	(void)training;
	z = Sub(x, Top(x, &dim, count));
	res[0] = Cast(Sub(z, Log(Sum(Exp(z), &dim, count, true))), n->type.dt);
}

static void
log_softmax_vjp(Node *y, Node *const *g, Node **d)
{
	Node *w = Wide(g[0]);
	int count, dim = softmax_dim(y, &count);

	d[0] = Cast(Sub(w, Mul(Exp(Wide(y)), Sum(w, &dim, count, true))), y->type.dt);
}

static const AttrSpec softmax_attr[] = {
	{"dim", A_INT, NULL, "dimension along which the exponentials are summed", NULL},
	{0}
};
const Op op_softmax = {.name = "softmax", .id = OP_softmax, .kind = COMPOSITE, .min_in = 1, .max_in = 1,
	.attr = softmax_attr, .operands = "input", .doc = "exp(x) / sum(exp(x)), for x of any size",
	.shape = softmax_shape, .compose = softmax_compose, .vjp = softmax_vjp};
const Op op_log_softmax = {.name = "log_softmax", .id = OP_log_softmax, .kind = COMPOSITE, .min_in = 1, .max_in = 1,
	.attr = softmax_attr, .operands = "input", .doc = "log(softmax(x)), for x of any size",
	.shape = softmax_shape, .compose = log_softmax_compose, .vjp = log_softmax_vjp};

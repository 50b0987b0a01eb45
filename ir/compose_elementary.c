/* compose_elementary: pointwise composites with attributes: addcmul, addcdiv, nan_to_num, logit, isclose. */
#include "ir.h"

#include <math.h>

/* ---- addcmul, addcdiv ---- */

static void
add_scaled_shape(Node *n)
{
	Type t;

	if (!same_dtype(n, 0) || (n->op->id == OP_addcdiv ? !float_operand(n, 0) : !numeric_operand(n, 0))
		|| !broadcast(n, (const Node *const *)n->in, 3, &t))
		return;
	t.dt = n->in[0]->type.dt;
	if (factor_fits(n, 0, t.dt))
		n->type = t;
}

static void
addcmul_compose(Node *n, bool training, Node **res)
{
	Node *a = Wide(n->in[1]), *b = Wide(n->in[2]);

	(void)training;
	if (attr(n, 0)->f != 1)
		a = Mul(a, LitA(a, attr(n, 0)));
	res[0] = Cast(Add(Wide(n->in[0]), Mul(a, b)), n->type.dt);
}

static void
addcdiv_compose(Node *n, bool training, Node **res)
{
	Node *y = Div(Wide(n->in[1]), Wide(n->in[2]));

	(void)training;
	if (attr(n, 0)->f != 1)
		y = Mul(y, LitA(y, attr(n, 0)));
	res[0] = Cast(Add(Wide(n->in[0]), y), n->type.dt);
}

static const AttrSpec add_scaled_attr[] = {
	{"value", A_NUM, "1", "factor", NULL},
	{0}
};
const Op op_addcmul = {.name = "addcmul", .id = OP_addcmul, .kind = COMPOSITE, .min_in = 3, .max_in = 3, .cost = 3,
	.attr = add_scaled_attr, .operands = "input tensor1 tensor2", .doc = "input + value * tensor1 * tensor2",
	.shape = add_scaled_shape, .compose = addcmul_compose};
const Op op_addcdiv = {.name = "addcdiv", .id = OP_addcdiv, .kind = COMPOSITE, .min_in = 3, .max_in = 3, .cost = 8,
	.attr = add_scaled_attr, .operands = "input tensor1 tensor2", .doc = "input + value * tensor1 / tensor2",
	.shape = add_scaled_shape, .compose = addcdiv_compose};

/* ---- nan_to_num ---- */

enum { NAN_NAN, NAN_POSINF, NAN_NEGINF };

static double
greatest(DType d)
{
	return d == F64 ? 0x1.fffffffffffffp1023 : d == F32 ? 0x1.fffffep127 : d == F16 ? 65504 : 0x1.fep127;
}

static void
nan_to_num_compose(Node *n, bool training, Node **res)
{
	Node *x = n->in[0];
	const Attr *high = attr(n, NAN_POSINF), *low = attr(n, NAN_NEGINF);
	double most = greatest(x->type.dt);

	(void)training;
	x = Where(Eq(x, Lit(x, INFINITY)), Lit(x, high->set ? high->f : most), x);
	x = Where(Eq(n->in[0], Lit(x, -INFINITY)), Lit(x, low->set ? low->f : -most), x);
	res[0] = Where(IsNan(n->in[0]), Lit(x, attr(n, NAN_NAN)->f), x);
}

static const AttrSpec nan_to_num_attr[] = {
	[NAN_NAN]    = {"nan", A_NUM, "0.0", "what NaN becomes", NULL},
	[NAN_POSINF] = {"posinf", A_NUM, "null", "what infinity becomes; default: the greatest finite value", NULL},
	[NAN_NEGINF] = {"neginf", A_NUM, "null", "what minus infinity becomes; default: the least finite value", NULL},
	{0}
};
const Op op_nan_to_num = {.name = "nan_to_num", .id = OP_nan_to_num, .kind = COMPOSITE, .min_in = 1, .max_in = 1, .cost = 6,
	.attr = nan_to_num_attr, .operands = "input", .doc = "x with finite numbers for NaN and infinities; derivative 0 there",
	.shape = act_shape, .compose = nan_to_num_compose};

/* ---- logit ---- */

/* outside of [0, 1], value and derivative are NaN */
static void
logit_compose(Node *n, bool training, Node **res)
{
	Node *x = Wide(n->in[0]), *one = Lit(x, 1), *zero = Lit(x, 0), *z = x, *y;

	(void)training;
	if (attr(n, 0)->set) {
		double eps = attr(n, 0)->f;
		z = Where(Lt(x, Lit(x, eps)), Lit(x, eps), Where(Gt(x, Lit(x, 1 - eps)), Lit(x, 1 - eps), x));
	}
	y = Sub(Log(z), Log1p(Neg(z)));
	if (z == x)
		y = Mul(y, Where(LogicalOr(Lt(x, zero), Gt(x, one)), Lit(x, NAN), one));
	res[0] = Cast(y, n->type.dt);
}

static const AttrSpec logit_attr[] = {
	{"eps", A_NUM, "null", "limits x to [eps, 1 - eps]", NULL},
	{0}
};
const Op op_logit = {.name = "logit", .id = OP_logit, .kind = COMPOSITE, .min_in = 1, .max_in = 1, .cost = 40,
	.attr = logit_attr, .operands = "input", .doc = "log(x / (1 - x)), the inverse of sigmoid",
	.shape = act_shape, .compose = logit_compose};

/* ---- isclose ---- */

enum { CLOSE_RTOL, CLOSE_ATOL, CLOSE_NAN };

static void
isclose_shape(Node *n)
{
	Type t;

	if (!same_dtype(n, 0) || !broadcast(n, (const Node *const *)n->in, 2, &t))
		return;
	t.dt = BOOL;
	n->type = t;
}

static void
isclose_compose(Node *n, bool training, Node **res)
{
	bool floats = dtype_float(n->in[0]->type.dt);
	Node *a = floats ? Wide(n->in[0]) : Cast(n->in[0], F64), *b = floats ? Wide(n->in[1]) : Cast(n->in[1], F64);
	Node *allowed, *apart = Abs(Sub(a, b));

	(void)training;
	allowed = Add(Lit(a, attr(n, CLOSE_ATOL)->f), Abs(Mul(b, Lit(b, attr(n, CLOSE_RTOL)->f))));
	res[0] = LogicalOr(Eq(a, b), LogicalAnd(IsFinite(apart), Le(apart, allowed)));
	if (attr(n, CLOSE_NAN)->i)
		res[0] = LogicalOr(res[0], LogicalAnd(IsNan(a), IsNan(b)));
}

static const AttrSpec isclose_attr[] = {
	[CLOSE_RTOL] = {"rtol", A_NUM, "1e-05", "times |other|, allowed beside atol", "0.."},
	[CLOSE_ATOL] = {"atol", A_NUM, "1e-08", "allowed difference", "0.."},
	[CLOSE_NAN]  = {"equal_nan", A_BOOL, "false", "NaN is close to NaN", NULL},
	{0}
};
const Op op_isclose = {.name = "isclose", .id = OP_isclose, .kind = COMPOSITE, .min_in = 2, .max_in = 2, .cost = 6,
	.flags = FLAT, .attr = isclose_attr, .operands = "input other",
	.doc = "|input - other| <= atol + rtol * |other|, or they are equal",
	.shape = isclose_shape, .compose = isclose_compose};

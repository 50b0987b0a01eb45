/* compose_margin: further losses by element or by class, with PyTorch's edge values:
 * binary_cross_entropy, kl_div, huber_loss, smooth_l1_loss, soft_margin_loss,
 * hinge_embedding_loss, margin_ranking_loss, multi_margin_loss,
 * multilabel_soft_margin_loss, multilabel_margin_loss, poisson_nll_loss, gaussian_nll_loss. */
#include "ir.h"

/* max(x, least), whose cotangent passes where they are equal */
Node *
at_least(Node *x, double least)
{
	return Where(Lt(x, Lit(x, least)), Lit(x, least), x);
}

/* operands of one float dtype and one shape, which is that of the items */
static void
items_shape(Node *n)
{
	const Node *x = n->in[0];

	if (!float_operand(n, 0) || !same_dtype(n, 0))
		return;
	for (int i = 1; i < n->nin; i++)
		if (!shape_eq(&x->type, &n->in[i]->type)) {
			type_error_in(n, i, "shapes differ: %s is %s, %s is %s", nn(x), tt(x), nn(n->in[i]), tt(n->in[i]));
			return;
		}
	loss_type(n, &x->type);
}

static void
reduce_items(Node *n, Node *item, Node **res)
{
	res[0] = loss_reduced(n, item, loss_count(item, &item->type));
}

#define LOSS(op, count, names, attributes, text, derivative) \
	const Op op_##op = {.name = #op, .id = OP_##op, .kind = COMPOSITE, .min_in = count, .max_in = count, \
		.attr = attributes, .operands = names, .doc = text, .shape = items_shape, .compose = op##_compose, \
		.vjp = derivative};

static const AttrSpec reduction_attr[] = {
	REDUCTION_SPEC,
	{0}
};

/* ---- binary_cross_entropy ---- */

/* logarithms are not less than -100 */
static void
binary_cross_entropy_compose(Node *n, bool training, Node **res)
{
	Node *x = Wide(n->in[0]), *t = Wide(n->in[1]);
	Node *yes = at_least(Log(x), -100), *no = at_least(Log1p(Neg(x)), -100);

	(void)training;
	reduce_items(n, Sub(Mul(Sub(t, Lit(t, 1)), no), Mul(t, yes)), res);
}

/* (x - t) / (x (1 - x)), with a denominator of at least 1e-12 */
static void
binary_cross_entropy_vjp(Node *y, Node *const *g, Node **d)
{
	Node *x = Wide(y->in[0]), *t = Wide(y->in[1]);
	Node *ct = *attr(y, 0)->s == 'm' ? Div(Wide(g[0]), loss_count(x, &x->type)) : Wide(g[0]);
	Node *yes = at_least(Log(x), -100), *no = at_least(Log1p(Neg(x)), -100);

	d[0] = Cast(Mul(ct, Div(Sub(x, t), at_least(Mul(x, Sub(Lit(x, 1), x)), 1e-12))), y->type.dt);
	d[1] = Cast(Mul(ct, Sub(no, yes)), y->type.dt);
}
LOSS(binary_cross_entropy, 2, "input target", reduction_attr,
	"-(t log x + (1 - t) log(1 - x)), logarithms at least -100; of logits, binary_cross_entropy_with_logits is exact",
	binary_cross_entropy_vjp)

/* ---- kl_div ---- */

enum { KL_REDUCTION, KL_LOG_TARGET };

static void
kl_div_compose(Node *n, bool training, Node **res)
{
	Node *x = Wide(n->in[0]), *t = Wide(n->in[1]), *item;
	bool batch = *attr(n, KL_REDUCTION)->s == 'b';

	(void)training;
	item = attr(n, KL_LOG_TARGET)->i ? Mul(Exp(t), Sub(t, x)) : Sub(XLogY(t, t), Mul(t, x));
	if (batch) {
		int dims[MAXRANK];
		for (int i = 0; i < x->type.rank; i++)
			dims[i] = i;
		item = Sum(item, dims, x->type.rank, false);
		res[0] = Cast(Div(item, DimSize(n->g, x->type.rank ? x->type.dim[0] : DIM(1), item->type.dt)), n->type.dt);
	} else
		reduce_items(n, item, res);
}

static const AttrSpec kl_div_attr[] = {
	[KL_REDUCTION]  = {"reduction", A_STR, "\"mean\"", "mean, sum, none: one value per element; batchmean: sum over size of "
		"dimension 0", "mean sum none batchmean"},
	[KL_LOG_TARGET] = {"log_target", A_BOOL, "false", "target holds logarithms too", NULL},
	{0}
};
LOSS(kl_div, 2, "input target", kl_div_attr, "target * (log(target) - input), input being logarithms", NULL)

/* ---- of a difference ---- */

static Node *
distance(const Node *n)
{
	return Abs(Sub(Wide(n->in[0]), Wide(n->in[1])));
}

static double
number(const Node *n, int i)
{
	return attr(n, i)->f;
}

static void
huber_loss_compose(Node *n, bool training, Node **res)
{
	Node *z = distance(n), *delta = Lit(z, number(n, 1));

	(void)training;
	reduce_items(n,
		Where(Le(z, delta), Mul(Square(z), Lit(z, 0.5)), Mul(Sub(z, Lit(z, number(n, 1) / 2)), delta)), res);
}

static const AttrSpec huber_attr[] = {
	REDUCTION_SPEC,
	{"delta", A_NUM, "1.0", "where the parabola ends", NULL},
	{0}
};
LOSS(huber_loss, 2, "input target", huber_attr, "z^2 / 2 for z = |input - target| <= delta, else delta * (z - delta / 2) (Huber 1964)", NULL)

static void
smooth_l1_loss_compose(Node *n, bool training, Node **res)
{
	Node *z = distance(n);
	double beta = number(n, 1);

	(void)training;
	if (beta > 0)
		z = Where(Lt(z, Lit(z, beta)), Mul(Square(z), Lit(z, 0.5 / beta)), Sub(z, Lit(z, beta / 2)));
	reduce_items(n, z, res);
}

static const AttrSpec smooth_l1_attr[] = {
	REDUCTION_SPEC,
	{"beta", A_NUM, "1.0", "where the parabola ends; 0: l1_loss", NULL},
	{0}
};
LOSS(smooth_l1_loss, 2, "input target", smooth_l1_attr, "z^2 / (2 beta) for z = |input - target| < beta, else z - beta / 2 (Girshick 2015)", NULL)

/* ---- of a sign ---- */

static void
soft_margin_loss_compose(Node *n, bool training, Node **res)
{
	Node *x = Wide(n->in[0]), *t = Wide(n->in[1]);

	(void)training;
	reduce_items(n, Neg(Op1(OP_logsigmoid, Mul(x, t))), res);
}
LOSS(soft_margin_loss, 2, "input target", reduction_attr, "log(1 + exp(-target * input)), target being 1 or -1", NULL)

static void
hinge_embedding_loss_compose(Node *n, bool training, Node **res)
{
	Node *x = Wide(n->in[0]), *t = Wide(n->in[1]);
	Node *unlike = Where(Ne(t, Lit(t, 1)), at_least(Sub(Lit(x, number(n, 1)), x), 0), Lit(x, 0));

	(void)training;
	reduce_items(n, Add(unlike, Where(Ne(t, Lit(t, -1)), x, Lit(x, 0))), res);
}

static const AttrSpec hinge_attr[] = {
	REDUCTION_SPEC,
	{"margin", A_NUM, "1.0", "from which unlike ones cost nothing", NULL},
	{0}
};
LOSS(hinge_embedding_loss, 2, "input target", hinge_attr, "input where target is 1, max(margin - input, 0) where it is -1", NULL)

static void
margin_ranking_loss_compose(Node *n, bool training, Node **res)
{
	Node *x = Wide(n->in[0]), *z = Wide(n->in[1]), *t = Wide(n->in[2]);

	(void)training;
	reduce_items(n, at_least(Add(Mul(Neg(t), Sub(x, z)), Lit(x, number(n, 1))), 0), res);
}

static const AttrSpec ranking_attr[] = {
	REDUCTION_SPEC,
	{"margin", A_NUM, "0.0", "by which the one shall be greater", NULL},
	{0}
};
LOSS(margin_ranking_loss, 3, "input1 input2 target", ranking_attr, "max(-target * (input1 - input2) + margin, 0)", NULL)

/* ---- of densities ---- */

enum { POISSON_REDUCTION, POISSON_LOG_INPUT, POISSON_FULL, POISSON_EPS };

static const double TWO_PI = 6.28318530717958647693;

static void
poisson_nll_loss_compose(Node *n, bool training, Node **res)
{
	Node *x = Wide(n->in[0]), *t = Wide(n->in[1]), *item;

	(void)training;
	if (attr(n, POISSON_LOG_INPUT)->i)
		item = Sub(Exp(x), Mul(t, x));
	else
		item = Sub(x, Mul(t, Log(Add(x, Lit(x, number(n, POISSON_EPS))))));
	if (attr(n, POISSON_FULL)->i) {        /* Stirling's formula, from 1 upwards */
		Node *large = Gt(t, Lit(t, 1)), *safe = Where(large, t, Lit(t, 1));
		Node *stirling = Add(Sub(Mul(safe, Log(safe)), safe), Mul(Log(Mul(safe, Lit(t, TWO_PI))), Lit(t, 0.5)));
		item = Add(item, Where(large, stirling, Lit(t, 0)));
	}
	reduce_items(n, item, res);
}

static const AttrSpec poisson_attr[] = {
	[POISSON_REDUCTION] = REDUCTION_SPEC,
	[POISSON_LOG_INPUT] = {"log_input", A_BOOL, "true", "input is the logarithm of the rate", NULL},
	[POISSON_FULL]      = {"full", A_BOOL, "false", "with Stirling's formula for log(target!), where target > 1", NULL},
	[POISSON_EPS]       = {"eps", A_NUM, "1e-8", "added to the rate in the logarithm", NULL},
	{0}
};
LOSS(poisson_nll_loss, 2, "input target", poisson_attr, "exp(input) - target * input, the negative log-likelihood of a Poisson rate", NULL)

enum { GAUSS_REDUCTION, GAUSS_FULL, GAUSS_EPS };

/* var has the shape of input, or size 1 in its last dimension, or lacks that */
static void
gaussian_shape(Node *n)
{
	const Node *x = n->in[0], *t = n->in[1], *v = n->in[2];
	Type row = x->type, one = x->type;

	if (!float_operand(n, 0) || !same_dtype(n, 0))
		return;
	row.rank -= row.rank > 0;
	if (one.rank)
		one.dim[one.rank - 1] = DIM(1);
	if (!shape_eq(&x->type, &t->type))
		type_error_in(n, 1, "shapes differ: %s is %s, %s is %s", nn(x), tt(x), nn(t), tt(t));
	else if (!shape_eq(&x->type, &v->type) && !shape_eq(&one, &v->type) && !shape_eq(&row, &v->type))
		type_error_in(n, 2, "%s is %s; variances of %s, which is %s, have its shape, or one for each row", nn(v), tt(v),
			nn(x), tt(x));
	else
		loss_type(n, &x->type);
}

/* where the variance is raised to eps its cotangent still passes */
static void
gaussian_nll_loss_compose(Node *n, bool training, Node **res)
{
	Node *x = Wide(n->in[0]), *t = Wide(n->in[1]), *v = Wide(n->in[2]), *item;
	Node *eps = Lit(v, number(n, GAUSS_EPS));

	(void)training;
	if (v->type.rank < x->type.rank)
		v = Unsqueeze(v, v->type.rank);
	v = Where(Ge(v, eps), v, Add(Sub(v, StopGradient(v)), eps));
	item = Mul(Add(Log(v), Div(Square(Sub(x, t)), v)), Lit(x, 0.5));
	if (attr(n, GAUSS_FULL)->i)
		item = Add(item, Lit(x, 0.91893853320467274178));
	reduce_items(n, item, res);
}

static const AttrSpec gaussian_attr[] = {
	[GAUSS_REDUCTION] = REDUCTION_SPEC,
	[GAUSS_FULL]      = {"full", A_BOOL, "false", "with log(2 pi) / 2", NULL},
	[GAUSS_EPS]       = {"eps", A_NUM, "1e-6", "least variance", NULL},
	{0}
};
const Op op_gaussian_nll_loss = {.name = "gaussian_nll_loss", .id = OP_gaussian_nll_loss, .kind = COMPOSITE,
	.min_in = 3, .max_in = 3, .attr = gaussian_attr, .operands = "input target var",
	.doc = "(log(var) + (input - target)^2 / var) / 2, the negative log-likelihood of a normal distribution",
	.shape = gaussian_shape, .compose = gaussian_nll_loss_compose};

/* ---- of several classes ---- */

/* input is [C] or [N,C]: the number of items, a scalar or [N] */
static bool
class_operand(Node *n, Type *items)
{
	const Node *x = n->in[0];

	if (!float_operand(n, 0))
		return false;
	if (x->type.rank != 1 && x->type.rank != 2) {
		type_error_in(n, 0, "%s is %s, must be [C] or [N,C]", nn(x), tt(x));
		return false;
	}
	*items = x->type;
	items->rank--;
	return true;
}

/* operand i of type dt and the shape given, or an error */
static bool
target_operand(Node *n, int i, const Type *shape)
{
	const Node *t = n->in[i];
	Type want = *shape;

	want.dt = I64;
	if (shape_eq(shape, &t->type) && dtype_integer(t->type.dt))
		return true;
	type_error_in(n, i, "%s is %s; labels for %s, which is %s, are %s or of another integer dtype", nn(t), tt(t),
		nn(n->in[0]), tt(n->in[0]), type_text(n->g->arena, n->g, &want));
	return false;
}

/* the mean of x over its last dimension */
static Node *
class_mean(Node *x)
{
	int last = x->type.rank - 1;

	return Mean(x, &last, 1, false);
}

static void
multilabel_soft_shape(Node *n)
{
	Type items;

	if (!class_operand(n, &items) || !same_dtype(n, 0))
		return;
	if (!shape_eq(&n->in[0]->type, &n->in[1]->type))
		type_error_in(n, 1, "shapes differ: %s is %s, %s is %s", nn(n->in[0]), tt(n->in[0]), nn(n->in[1]), tt(n->in[1]));
	else
		loss_type(n, &items);
}

static void
multilabel_soft_margin_loss_compose(Node *n, bool training, Node **res)
{
	Attr *a = attrs_new(n->g, op_get(OP_binary_cross_entropy_with_logits));
	Node *in[2] = {Wide(n->in[0]), Wide(n->in[1])};

	(void)training;
	set_str(n->g, op_get(OP_binary_cross_entropy_with_logits), a, "reduction", "none");
	reduce_items(n, class_mean(OpN(OP_binary_cross_entropy_with_logits, in, 2, a)), res);
}

const Op op_multilabel_soft_margin_loss = {.name = "multilabel_soft_margin_loss", .id = OP_multilabel_soft_margin_loss,
	.kind = COMPOSITE, .min_in = 2, .max_in = 2, .attr = reduction_attr, .operands = "input target",
	.doc = "mean over classes of binary_cross_entropy_with_logits",
	.shape = multilabel_soft_shape, .compose = multilabel_soft_margin_loss_compose};

enum { MULTI_REDUCTION, MULTI_P, MULTI_MARGIN };

static void
multi_margin_shape(Node *n)
{
	Type items;
	double p = attr(n, MULTI_P)->f;

	if (!class_operand(n, &items) || !target_operand(n, 1, &items))
		return;
	if (p != 1 && p != 2)
		type_error(n, "p is %g, must be 1 or 2", p);
	else
		loss_type(n, &items);
}

static bool
class_index(const Node *n, int i, Dim *bound, int64_t *also)
{
	*bound = n->in[0]->type.dim[n->in[0]->type.rank - 1];
	*also = INT64_MIN;
	return i == 1;
}

/* where the class of x's last dimension is the label */
static Node *
is_label(Node *x, Node *label)
{
	Type t = x->type;

	t.dt = I64;
	return Eq(Iota(x->g, t, t.rank - 1), Unsqueeze(Cast(label, I64), t.rank - 1));
}

static void
multi_margin_loss_compose(Node *n, bool training, Node **res)
{
	Node *x = Wide(n->in[0]), *hit = is_label(x, n->in[1]), *own, *z;
	int last = x->type.rank - 1;

	(void)training;
	own = Sum(Where(hit, x, Lit(x, 0)), &last, 1, true);
	z = Add(Sub(x, own), Lit(x, attr(n, MULTI_MARGIN)->f));
	z = Where(LogicalOr(hit, Le(z, Lit(z, 0))), Lit(z, 0), attr(n, MULTI_P)->f == 2 ? Square(z) : z);
	reduce_items(n, class_mean(z), res);
}

static const AttrSpec multi_margin_attr[] = {
	[MULTI_REDUCTION] = REDUCTION_SPEC,
	[MULTI_P]         = {"p", A_NUM, "1", "exponent, 1 or 2", NULL},
	[MULTI_MARGIN]    = {"margin", A_NUM, "1.0", "by which the label's shall be greater", NULL},
	{0}
};
const Op op_multi_margin_loss = {.name = "multi_margin_loss", .id = OP_multi_margin_loss, .kind = COMPOSITE,
	.min_in = 2, .max_in = 2, .attr = multi_margin_attr, .operands = "input target",
	.doc = "mean over classes of max(margin - input[target] + input, 0)^p, without the target's own",
	.shape = multi_margin_shape, .compose = multi_margin_loss_compose, .index = class_index};

static void
multilabel_margin_shape(Node *n)
{
	Type items;

	if (class_operand(n, &items) && target_operand(n, 1, &n->in[0]->type))
		loss_type(n, &items);
}

static bool
label_index(const Node *n, int i, Dim *bound, int64_t *also)
{
	class_index(n, i, bound, also);
	*also = -1;
	return i == 1;
}

/* Axes: items, labels, classes. Labels end at the first -1: those with one before them do not count. */
static void
multilabel_margin_loss_compose(Node *n, bool training, Node **res)
{
	Node *x = Wide(n->in[0]), *t = Cast(n->in[1], I64), *hit, *is_target, *own, *z;
	int last = x->type.rank - 1, labels = last, classes = last + 1, both[] = {labels, classes};
	Type wide = x->type, square;

	(void)training;
	wide.dim[wide.rank++] = x->type.dim[last];
	square = wide;
	square.dt = I64;
	/* how many labels up to each are -1, by a sum over pairs of labels */
	z = Cast(LogicalAnd(Lt(Unsqueeze(t, labels), LitI(n->g, I64, 0)),
		Le(Iota(n->g, square, classes), Iota(n->g, square, labels))), I64);
	t = Where(Eq(Sum(z, &classes, 1, false), LitI(n->g, I64, 0)), t, LitI(n->g, I64, -1));
	hit = Eq(Unsqueeze(t, classes), Iota(n->g, square, classes));
	is_target = Gt(Sum(Cast(hit, I64), &labels, 1, true), LitI(n->g, I64, 0));
	own = Sum(Where(hit, Unsqueeze(x, labels), Lit(x, 0)), &classes, 1, true);
	z = Add(Sub(Unsqueeze(x, labels), own), Lit(x, 1));
	z = Where(LogicalOr(LogicalOr(is_target, Lt(Unsqueeze(t, classes), LitI(n->g, I64, 0))), Le(z, Lit(z, 0))),
		Lit(z, 0), z);
	z = Sum(z, both, 2, false);
	reduce_items(n, Div(z, DimSize(n->g, x->type.dim[last], z->type.dt)), res);
}

const Op op_multilabel_margin_loss = {.name = "multilabel_margin_loss", .id = OP_multilabel_margin_loss, .kind = COMPOSITE,
	.min_in = 2, .max_in = 2, .attr = reduction_attr, .operands = "input target",
	.doc = "mean over classes of the sums of max(1 - input[label] + input[other], 0); labels end at the first -1",
	.shape = multilabel_margin_shape, .compose = multilabel_margin_loss_compose, .index = label_index};

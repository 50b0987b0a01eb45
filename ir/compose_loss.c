/* compose_loss: cross_entropy, nll_loss, mse_loss, l1_loss,
 * binary_cross_entropy_with_logits; what all losses share.
 *
 * A class index becomes a comparison with an iota along the class dimension, so
 * that picking an element and its derivative stay pointwise: no gather, no
 * scatter, and both fuse into the row kernel of log_softmax. */
#include "ir.h"

#include <math.h>

/* ---- reductions of a loss ---- */

/* the word's first letter: m, s, n */
static char
reduction(const Node *n)
{
	return *attr_of(n, "reduction")->s;
}

/* the type of a loss whose items are *t */
void
loss_type(Node *n, const Type *t)
{
	n->type = reduction(n) == 'n' ? *t : type_scalar(t->dt);
}

static Node *
sum_all(Node *x)
{
	int dims[MAXRANK];

	for (int i = 0; i < x->type.rank; i++)
		dims[i] = i;
	return Sum(x, dims, x->type.rank, false);
}

/* number of elements of type t, as a scalar of x's dtype */
Node *
loss_count(const Node *x, const Type *t)
{
	return DimSize(x->g, type_count(t), x->type.dt);
}

/* the loss n from the loss of each item; a mean divides by count */
Node *
loss_reduced(const Node *n, Node *item, Node *count)
{
	if (reduction(n) != 'n')
		item = sum_all(item);
	return Cast(reduction(n) == 'm' ? Div(item, count) : item, n->type.dt);
}

/* the cotangent of the items, a scalar where all have the same */
static Node *
item_cotangent(const Node *n, Node *g, Node *count)
{
	return reduction(n) == 'm' ? Div(Wide(g), count) : Wide(g);
}

/* ---- class labels ---- */

/* the class dimension of x: [C] or [N,C,...] */
static int
class_dim(const Node *x)
{
	return x->type.rank > 1;
}

static Type
item_type(const Node *x)
{
	Type t = {.dt = x->type.dt};

	for (int i = 0; i < x->type.rank; i++)
		if (i != class_dim(x))
			t.dim[t.rank++] = x->type.dim[i];
	return t;
}

/* operand 0 has classes, operand 1 is a label for each of its items */
static bool
label_operands(Node *n)
{
	const Node *x = n->in[0], *t = n->in[1];
	Type want;

	if (!float_operand(n, 0))
		return false;
	if (!x->type.rank) {
		type_error_in(n, 0, "%s is a scalar; classes need a dimension: [C] or [N,C,...]", nn(x));
		return false;
	}
	want = item_type(x);
	want.dt = I64;
	if (!shape_eq(&want, &t->type) || !dtype_integer(t->type.dt)) {
		type_error_in(n, 1, "%s is %s; labels for %s, which is %s, are %s or of another integer dtype", nn(t), tt(t),
			nn(x), tt(x), type_text(n->g->arena, n->g, &want));
		return false;
	}
	if (dim_max(n->g, x->type.dim[class_dim(x)]) > INT32_MAX) {
		type_error_in(n, 0, "%s is %s: more classes than i32 counts", nn(x), tt(x));
		return false;
	}
	return true;
}

/* operand 2, if there is one, is a weight for each class */
static bool
weight_operand(Node *n)
{
	const Node *x = n->in[0];

	if (n->nin < 3)
		return true;
	if (!dtype_as(n, 2, 0))
		return false;
	if (n->in[2]->type.rank != 1 || !dim_eq(n->in[2]->type.dim[0], x->type.dim[class_dim(x)])) {
		type_error_in(n, 2, "%s is %s; weights of the classes of %s, which is %s, are %s[%s]", nn(n->in[2]), tt(n->in[2]),
			nn(x), tt(x), dtype_name(x->type.dt), dim_text(n->g->arena, n->g, x->type.dim[class_dim(x)]));
		return false;
	}
	return true;
}

static bool
label_index(const Node *n, int i, Dim *bound, int64_t *also)
{
	if (i != 1 || !dtype_integer(n->in[1]->type.dt))
		return false;
	*bound = n->in[0]->type.dim[class_dim(n->in[0])];
	*also = attr_of(n, "ignore_index")->i;
	return true;
}

typedef struct Labels {
	Node *hit;             /* like x: this class is the label */
	Node *ignored;         /* like the items */
	Node *valid;           /* like the items: a class, and not ignored */
	Node *weight;          /* operand 2, along the class dimension of x; NULL: all are 1 */
	Node *count;           /* of items not ignored, or the sum of their weights: a scalar of x's dtype */
} Labels;

/* the element of x that each label names */
static Node *
picked(const Labels *l, Node *x)
{
	int dim = class_dim(x);

	return Sum(Where(l->hit, x, Lit(x, 0)), &dim, 1, false);
}

/* item where the label is a class, 0 where it is ignored; a label that is neither must be seen */
static Node *
labelled(const Labels *l, Node *item)
{
	return Where(l->ignored, Lit(item, 0), Where(l->valid, item, Lit(item, (double)NAN)));
}

/* the weight of each class, operand 2 of n, so that it broadcasts to x; NULL: there is none */
static Node *
class_weight(const Node *n, const Node *x)
{
	Dim dim[MAXRANK];

	if (n->nin < 3)
		return NULL;
	for (int i = 0; i < x->type.rank; i++)
		dim[i] = i == class_dim(x) ? x->type.dim[i] : DIM(1);
	return Reshape(Wide(n->in[2]), dim, x->type.rank);
}

/* what operand 1 of n says of x, which is its operand 0 in the dtype of the computation */
static Labels
labels(const Node *n, const Node *x)
{
	Node *label = Cast(n->in[1], I64);
	Graph *g = n->g;
	Type classes = x->type;
	int dim = class_dim(x);
	Labels l;

	classes.dt = I32;
	l.hit = Eq(Iota(g, classes, dim), Unsqueeze(Cast(n->in[1], I32), dim));
	l.ignored = Eq(label, LitI(g, I64, attr_of(n, "ignore_index")->i));
	l.valid = LogicalAnd(Ge(label, LitI(g, I64, 0)), Lt(label, DimSize(g, classes.dim[dim], I64)));
	l.valid = LogicalAnd(l.valid, LogicalNot(l.ignored));
	l.weight = class_weight(n, x);
	if (l.weight)
		l.count = sum_all(labelled(&l, picked(&l, ExpandLike(l.weight, x))));
	else
		l.count = Cast(sum_all(LogicalNot(l.ignored)), x->type.dt);
	return l;
}

/* ---- nll_loss ---- */

static void
nll_loss_shape(Node *n)
{
	Type t;

	if (!label_operands(n) || !weight_operand(n))
		return;
	t = item_type(n->in[0]);
	loss_type(n, &t);
}

static void
nll_loss_compose(Node *n, bool training, Node **res)
{
	Node *x = Wide(n->in[0]);
	Labels l = labels(n, x);

	(void)training;
	if (l.weight)
		x = Mul(x, l.weight);
	res[0] = loss_reduced(n, labelled(&l, Neg(picked(&l, x))), l.count);
}

enum { REDUCTION, IGNORE_INDEX, LABEL_SMOOTHING };
#define IGNORE_SPEC {"ignore_index", A_INT, "-100", "items with this label count for nothing", NULL}

static const AttrSpec nll_loss_attr[] = {
	[REDUCTION]    = REDUCTION_SPEC,
	[IGNORE_INDEX] = IGNORE_SPEC,
	{0}
};
const Op op_nll_loss = {.name = "nll_loss", .id = OP_nll_loss, .kind = COMPOSITE, .min_in = 2, .max_in = 3,
	.attr = nll_loss_attr, .operands = "input target weight",
	.doc = "minus the element of input [N,C,...] that each label of target [N,...] names, times its class's weight [C]",
	.shape = nll_loss_shape, .compose = nll_loss_compose, .index = label_index};

/* ---- cross_entropy ---- */

static bool
has_labels(const Node *n)
{
	return dtype_integer(n->in[1]->type.dt);
}

static void
cross_entropy_shape(Node *n)
{
	const Node *x = n->in[0], *t = n->in[1];
	Type items;

	if (!dtype_float(t->type.dt)) {
		if (!label_operands(n))
			return;
	} else if (!float_operand(n, 0) || !same_dtype(n, 0)) {
		return;
	} else if (!x->type.rank || !shape_eq(&x->type, &t->type)) {
		type_error_in(n, 1, "%s is %s; class probabilities for %s would have its type %s", nn(t), tt(t), nn(x), tt(x));
		return;
	}
	if (!weight_operand(n))
		return;
	items = item_type(x);
	loss_type(n, &items);
}

/* log-probabilities of operand 0, shared by value and derivative */
static Node *
log_probabilities(const Node *n)
{
	const Op *op = op_get(OP_log_softmax);
	Attr *a = attrs_new(n->g, op);
	Node *x = Wide(n->in[0]);

	set_int(op, a, "dim", class_dim(x));
	return node(n->g, op, &x, 1, a);
}

/* what label_smoothing takes from the class and spreads evenly: for each class */
static Node *
spread(const Node *n, const Node *logp)
{
	return Div(Lit(logp, attr(n, LABEL_SMOOTHING)->f), DimSize(n->g, logp->type.dim[class_dim(logp)], logp->type.dt));
}

/* the target as probabilities of classes: operand 1, or 1 for the label; smoothed */
static Node *
probabilities(const Node *n, const Node *logp, const Labels *l)
{
	double smoothing = attr(n, LABEL_SMOOTHING)->f;
	Node *p = l ? Where(l->hit, Lit(logp, 1 - smoothing), Lit(logp, 0)) : Mul(Wide(n->in[1]), Lit(logp, 1 - smoothing));

	return smoothing > 0 ? Add(p, spread(n, logp)) : p;
}

static void
cross_entropy_compose(Node *n, bool training, Node **res)
{
	Node *logp = log_probabilities(n), *item, *weighted = logp;
	double smoothing = attr(n, LABEL_SMOOTHING)->f;
	int dim = class_dim(logp);

	(void)training;
	if (has_labels(n)) {
		Labels l = labels(n, logp);
		if (l.weight)
			weighted = Mul(logp, l.weight);
		item = Neg(Mul(picked(&l, weighted), Lit(logp, 1 - smoothing)));
		if (smoothing > 0)
			item = Sub(item, Mul(Sum(weighted, &dim, 1, false), spread(n, logp)));
		res[0] = loss_reduced(n, labelled(&l, item), l.count);
	} else {
		Type items = item_type(logp);
		weighted = n->nin > 2 ? Mul(logp, class_weight(n, logp)) : logp;
		item = Neg(Sum(Mul(weighted, probabilities(n, logp, NULL)), &dim, 1, false));
		res[0] = loss_reduced(n, item, loss_count(logp, &items));
	}
}

/* x with its class dimension again, of size 1; a scalar stays */
static Node *
over_classes(Node *x, const Node *logp)
{
	return x->type.rank || logp->type.rank == 1 ? Unsqueeze(x, class_dim(logp)) : x;
}

/* x, which is like logp, summed over all dimensions but the classes */
static Node *
sum_of_classes(Node *x)
{
	int dims[MAXRANK], n = 0;

	for (int i = 0; i < x->type.rank; i++)
		if (i != class_dim(x))
			dims[n++] = i;
	return Sum(x, dims, n, false);
}

/* An item is minus the sum over classes of weight * p * logp, of which logp's derivative by the logits is
 * known; ct is the items' cotangent. */
static void
items_vjp(Node *y, Node *ct, Node *p, Node *logp, Node **d)
{
	Node *weight = class_weight(y, logp), *w = weight ? Mul(p, weight) : p, *q = Exp(logp);
	int dim = class_dim(logp);

	if (weight || !has_labels(y))          /* else they sum to 1 */
		q = Mul(q, Sum(w, &dim, 1, true));
	d[0] = Mul(ct, Sub(q, w));
	if (!has_labels(y)) {
		d[1] = Mul(ct, Mul(logp, Lit(logp, attr(y, LABEL_SMOOTHING)->f - 1)));
		d[1] = Cast(weight ? Mul(d[1], weight) : d[1], y->in[1]->type.dt);
	}
	if (weight)
		d[2] = Neg(Mul(ct, Mul(p, logp)));
}

static void
cross_entropy_vjp(Node *y, Node *const *g, Node **d)
{
	Node *logp = log_probabilities(y), *ct;
	Type items = item_type(logp);

	if (has_labels(y)) {
		Labels l = labels(y, logp);
		ct = over_classes(Where(l.valid, item_cotangent(y, g[0], l.count), Lit(logp, 0)), logp);
		items_vjp(y, ct, probabilities(y, logp, &l), logp, d);
		if (l.weight && reduction(y) == 'm')   /* a mean divides by the sum of the labels' weights */
			d[2] = Sub(d[2], Where(l.hit, Mul(ct, Wide(y)), Lit(logp, 0)));
	} else {
		ct = over_classes(item_cotangent(y, g[0], loss_count(logp, &items)), logp);
		items_vjp(y, ct, probabilities(y, logp, NULL), logp, d);
	}
	d[0] = Cast(d[0], y->in[0]->type.dt);
	if (y->nin > 2)
		d[2] = Cast(sum_of_classes(d[2]), y->in[2]->type.dt);
}

static const AttrSpec cross_entropy_attr[] = {
	[REDUCTION]       = REDUCTION_SPEC,
	[IGNORE_INDEX]    = IGNORE_SPEC,
	[LABEL_SMOOTHING] = {"label_smoothing", A_NUM, "0.0", "part of the weight that is spread over all classes", "0..1"},
	{0}
};
const Op op_cross_entropy = {.name = "cross_entropy", .id = OP_cross_entropy, .kind = COMPOSITE,
	.min_in = 2, .max_in = 3, .attr = cross_entropy_attr, .operands = "input target weight",
	.doc = "minus log softmax of input [N,C,...] at the labels target [N,...], or for probabilities target [N,C,...]; "
		"weight [C] for each class",
	.shape = cross_entropy_shape, .compose = cross_entropy_compose, .vjp = cross_entropy_vjp, .index = label_index};

/* ---- mse_loss, l1_loss ---- */

/* Other shapes are refused: [N] against [N,1] is nearly always a mistake, and an expand says that it is none. */
static void
difference_shape(Node *n)
{
	const Node *x = n->in[0], *t = n->in[1];

	if (!float_operand(n, 0) || !same_dtype(n, 0))
		return;
	if (!shape_eq(&x->type, &t->type))
		type_error_in(n, 1, "shapes differ: %s is %s, %s is %s", nn(x), tt(x), nn(t), tt(t));
	else
		loss_type(n, &x->type);
}

static void
mse_loss_compose(Node *n, bool training, Node **res)
{
	Node *x = Wide(n->in[0]);

	(void)training;
	res[0] = loss_reduced(n, Square(Sub(x, Wide(n->in[1]))), loss_count(x, &x->type));
}

static void
l1_loss_compose(Node *n, bool training, Node **res)
{
	Node *x = Wide(n->in[0]);

	(void)training;
	res[0] = loss_reduced(n, Abs(Sub(x, Wide(n->in[1]))), loss_count(x, &x->type));
}

static const AttrSpec difference_attr[] = {
	[REDUCTION] = REDUCTION_SPEC,
	{0}
};
const Op op_mse_loss = {.name = "mse_loss", .id = OP_mse_loss, .kind = COMPOSITE, .min_in = 2, .max_in = 2,
	.attr = difference_attr, .operands = "input target", .doc = "(input - target)^2",
	.shape = difference_shape, .compose = mse_loss_compose};
const Op op_l1_loss = {.name = "l1_loss", .id = OP_l1_loss, .kind = COMPOSITE, .min_in = 2, .max_in = 2,
	.attr = difference_attr, .operands = "input target", .doc = "|input - target|; derivative 0 where they are equal",
	.shape = difference_shape, .compose = l1_loss_compose};

/* ---- binary_cross_entropy_with_logits ---- */

static void
bce_shape(Node *n)
{
	const Node *x = n->in[0], *t = n->in[1];
	Type with_weight;

	if (!float_operand(n, 0) || !same_dtype(n, 0))
		return;
	if (!shape_eq(&x->type, &t->type)) {
		type_error_in(n, 1, "shapes differ: %s is %s, %s is %s", nn(x), tt(x), nn(t), tt(t));
		return;
	}
	if (!broadcast(n, (const Node *const *)n->in, n->nin, &with_weight))
		return;
	if (!shape_eq(&x->type, &with_weight))
		type_error_in(n, 2, "%s, which is %s, does not broadcast to %s", nn(n->in[2]), tt(n->in[2]), tt(x));
	else
		loss_type(n, &x->type);
}

/* log(sigmoid(x)) = min(x, 0) - log1p(exp(-|x|)) */
Node *
LogSigmoid(Node *x)
{
	return Sub(Minimum(x, Lit(x, 0)), Log1p(Exp(Neg(Abs(x)))));
}

/* weight of log(sigmoid(x)) beyond what the target says: (pos_weight - 1) * target + 1; NULL: 1 */
static Node *
positive_weight(const Node *n)
{
	Node *t = Wide(n->in[1]), *w;

	if (n->nin < 3)
		return NULL;
	w = Wide(n->in[2]);
	return Add(Mul(Sub(w, Lit(w, 1)), t), Lit(t, 1));
}

static void
bce_compose(Node *n, bool training, Node **res)
{
	Node *x = Wide(n->in[0]), *t = Wide(n->in[1]), *w = positive_weight(n), *ls = LogSigmoid(x);
	Node *item = Sub(Mul(Sub(Lit(t, 1), t), x), w ? Mul(w, ls) : ls);

	(void)training;
	res[0] = loss_reduced(n, item, loss_count(x, &x->type));
}

/* The derivative of log(sigmoid(x)) is sigmoid(-x); without a weight, (1 - t) - sigmoid(-x) is sigmoid(x) - t. */
static void
bce_vjp(Node *y, Node *const *g, Node **d)
{
	Node *x = Wide(y->in[0]), *t = Wide(y->in[1]), *w = positive_weight(y), *ls;
	Node *ct = item_cotangent(y, g[0], loss_count(x, &x->type));
	DType dt = y->type.dt;

	if (!w) {
		d[0] = Cast(Mul(ct, Sub(Sigmoid(x), t)), dt);
		d[1] = Cast(Mul(ct, Neg(x)), dt);
		return;
	}
	ls = LogSigmoid(x);
	d[0] = Cast(Mul(ct, Sub(Sub(Lit(t, 1), t), Mul(w, Sigmoid(Neg(x))))), dt);
	d[1] = Cast(Mul(ct, Neg(Add(x, Mul(Sub(Wide(y->in[2]), Lit(t, 1)), ls)))), dt);
	d[2] = Cast(Mul(ct, Neg(Mul(t, ls))), dt);
}

const Op op_binary_cross_entropy_with_logits = {.name = "binary_cross_entropy_with_logits",
	.alias = "bce_with_logits", .id = OP_binary_cross_entropy_with_logits, .kind = COMPOSITE, .min_in = 2, .max_in = 3,
	.attr = difference_attr, .operands = "input target pos_weight",
	.doc = "-(pos_weight * t * log(sigmoid(x)) + (1 - t) * log(1 - sigmoid(x))), for x of any size",
	.shape = bce_shape, .compose = bce_compose, .vjp = bce_vjp};

/* compose_distance: normalize, cosine_similarity, pairwise_distance, cdist, and losses that are
 * made of distances: cosine_embedding_loss, triplet_margin_loss. */
#include "ir.h"

/* sum |x|^p to the power 1/p along dim, which stays with size 1 */
static Node *
norm_along(Node *x, double p, int dim)
{
	const Op *op = op_get(OP_norm);
	Attr *a = attrs_new(x->g, op);

	set_num(op, a, "p", p);
	set_axes(x->g, op, a, "dim", &dim, 1);
	set_bool(op, a, "keepdim", true);
	return node(x->g, op, &x, 1, a);
}

/* operands 0.. of one float type up to broadcasting, without which PyTorch's rules are followed */
static bool
alike(Node *n, int count, Type *t)
{
	if (!float_operand(n, 0) || !same_dtype(n, 0) || !broadcast(n, (const Node *const *)n->in, count, t))
		return false;
	t->dt = n->in[0]->type.dt;
	return true;
}

/* ---- normalize ---- */

enum { NORMALIZE_P, NORMALIZE_DIM, NORMALIZE_EPS };

static void
normalize_shape(Node *n)
{
	if (float_operand(n, 0) && norm_dim(n, attr(n, NORMALIZE_DIM)->i, n->in[0]->type.rank) >= 0)
		n->type = n->in[0]->type;
}

static void
normalize_compose(Node *n, bool training, Node **res)
{
	Node *x = Wide(n->in[0]), *size;

	(void)training;
	size = norm_along(x, attr(n, NORMALIZE_P)->f, attr_dim(n, NORMALIZE_DIM, x->type.rank));
	res[0] = Cast(Div(x, at_least(size, attr(n, NORMALIZE_EPS)->f)), n->type.dt);
}

static const AttrSpec normalize_attr[] = {
	[NORMALIZE_P]   = {"p", A_NUM, "2.0", "exponent of the norm", NULL},
	[NORMALIZE_DIM] = {"dim", A_INT, "1", "dimension of the vectors", NULL},
	[NORMALIZE_EPS] = {"eps", A_NUM, "1e-12", "least norm that is divided by", NULL},
	{0}
};
const Op op_normalize = {.name = "normalize", .id = OP_normalize, .kind = COMPOSITE, .min_in = 1, .max_in = 1,
	.attr = normalize_attr, .operands = "input", .doc = "x / max(norm of x along dim, eps)",
	.shape = normalize_shape, .compose = normalize_compose};

/* ---- cosine_similarity ---- */

enum { COSINE_DIM, COSINE_EPS };

static void
cosine_similarity_shape(Node *n)
{
	Type t;
	int d;

	if (!alike(n, 2, &t) || (d = norm_dim(n, attr(n, COSINE_DIM)->i, t.rank)) < 0)
		return;
	type_drop(&t, d);
	n->type = t;
}

static void
cosine_similarity_compose(Node *n, bool training, Node **res)
{
	Node *a = Wide(n->in[0]), *b = Wide(n->in[1]), *product = Mul(a, b), *x, *y;
	int dim = attr_dim(n, COSINE_DIM, product->type.rank);
	double eps = attr(n, COSINE_EPS)->f;

	(void)training;
	a = ExpandLike(a, product);
	b = ExpandLike(b, product);
	x = Div(a, at_least(norm_along(a, 2, dim), eps));
	y = Div(b, at_least(norm_along(b, 2, dim), eps));
	res[0] = Cast(Sum(Mul(x, y), &dim, 1, false), n->type.dt);
}

static const AttrSpec cosine_attr[] = {
	[COSINE_DIM] = {"dim", A_INT, "1", "dimension of the vectors", NULL},
	[COSINE_EPS] = {"eps", A_NUM, "1e-8", "least norm that is divided by", NULL},
	{0}
};
const Op op_cosine_similarity = {.name = "cosine_similarity", .id = OP_cosine_similarity, .kind = COMPOSITE,
	.min_in = 2, .max_in = 2, .attr = cosine_attr, .operands = "x1 x2",
	.doc = "x1 . x2 / (|x1| |x2|) along dim",
	.shape = cosine_similarity_shape, .compose = cosine_similarity_compose};

/* ---- pairwise_distance ---- */

enum { PAIR_P, PAIR_EPS, PAIR_KEEP };

/* norm of a - b + eps along the last dimension */
static Node *
distance(Node *a, Node *b, double p, double eps, bool keep)
{
	Node *d = Sub(a, b);
	int last = d->type.rank - 1;

	if (eps != 0)
		d = Add(d, Lit(d, eps));
	d = norm_along(d, p, last);
	return keep ? d : Squeeze(d, last);
}

static bool
vectors(Node *n, int count, Type *t)
{
	if (!alike(n, count, t))
		return false;
	if (!t->rank)
		type_error_in(n, 0, "%s is a scalar; distances are along the last dimension", nn(n->in[0]));
	return t->rank > 0;
}

static void
pairwise_distance_shape(Node *n)
{
	Type t;

	if (!vectors(n, 2, &t))
		return;
	if (attr(n, PAIR_KEEP)->i)
		t.dim[t.rank - 1] = DIM(1);
	else
		t.rank--;
	n->type = t;
}

static void
pairwise_distance_compose(Node *n, bool training, Node **res)
{
	(void)training;
	res[0] = Cast(distance(Wide(n->in[0]), Wide(n->in[1]), attr(n, PAIR_P)->f, attr(n, PAIR_EPS)->f,
		attr(n, PAIR_KEEP)->i), n->type.dt);
}

static const AttrSpec pairwise_attr[] = {
	[PAIR_P]    = {"p", A_NUM, "2.0", "exponent of the norm", NULL},
	[PAIR_EPS]  = {"eps", A_NUM, "1e-6", "added to each difference", NULL},
	[PAIR_KEEP] = {"keepdim", A_BOOL, "false", "keep the last dimension with size 1", NULL},
	{0}
};
const Op op_pairwise_distance = {.name = "pairwise_distance", .id = OP_pairwise_distance, .kind = COMPOSITE,
	.min_in = 2, .max_in = 2, .attr = pairwise_attr, .operands = "x1 x2",
	.doc = "p-norm of x1 - x2 + eps along the last dimension",
	.shape = pairwise_distance_shape, .compose = pairwise_distance_compose};

/* ---- cdist ---- */

static void
cdist_shape(Node *n)
{
	const Type *a = &n->in[0]->type, *b = &n->in[1]->type;
	Type t = {.dt = a->dt};
	bool fits;

	if (!float_operand(n, 0) || !same_dtype(n, 0))
		return;
	for (int i = 0; i < 2; i++)
		if (n->in[i]->type.rank < 2 || n->in[i]->type.rank == MAXRANK) {
			type_error_in(n, i, "%s is %s, must have 2 to %d dimensions", nn(n->in[i]), tt(n->in[i]), MAXRANK - 1);
			return;
		}
	fits = type_batch(a, b, &t);
	t.dim[t.rank++] = a->dim[a->rank - 2];
	t.dim[t.rank++] = b->dim[b->rank - 2];
	if (!fits || !dim_eq(a->dim[a->rank - 1], b->dim[b->rank - 1]))
		type_error_in(n, 1, "vectors or batches differ: %s is %s, %s is %s", nn(n->in[0]), tt(n->in[0]), nn(n->in[1]),
			tt(n->in[1]));
	else if (type_fits(n, &t))
		n->type = t;
}

static void
cdist_compose(Node *n, bool training, Node **res)
{
	Node *a = Wide(n->in[0]), *b = Wide(n->in[1]);

	(void)training;
	a = Unsqueeze(a, a->type.rank - 1);
	b = Unsqueeze(b, b->type.rank - 2);
	res[0] = Cast(distance(a, b, attr(n, 0)->f, 0, false), n->type.dt);
}

static const AttrSpec cdist_attr[] = {
	{"p", A_NUM, "2.0", "exponent of the norm", NULL},
	{0}
};
const Op op_cdist = {.name = "cdist", .id = OP_cdist, .kind = COMPOSITE, .min_in = 2, .max_in = 2, .cost = 3,
	.attr = cdist_attr, .operands = "x1 x2", .doc = "p-norm of the difference of each row of x1 and each row of x2",
	.shape = cdist_shape, .compose = cdist_compose};

/* ---- triplet_margin_loss ---- */

enum { TRIPLET_MARGIN, TRIPLET_P, TRIPLET_EPS, TRIPLET_SWAP, TRIPLET_REDUCTION };

static void
triplet_margin_loss_shape(Node *n)
{
	Type t;

	if (!vectors(n, 3, &t))
		return;
	t.rank--;
	loss_type(n, &t);
}

/* of the three, some may have no last dimension of their own */
static void
triplet_margin_loss_compose(Node *n, bool training, Node **res)
{
	Node *x[3], *anchor, *positive, *negative, *near, *far;
	double p = attr(n, TRIPLET_P)->f, eps = attr(n, TRIPLET_EPS)->f;
	Type t;

	(void)training;
	vectors(n, 3, &t);
	for (int k = 0; k < 3; k++)
		x[k] = Expand(Wide(n->in[k]), t.dim, t.rank);
	anchor = x[0], positive = x[1], negative = x[2];
	near = distance(anchor, positive, p, eps, false);
	far = distance(anchor, negative, p, eps, false);
	if (attr(n, TRIPLET_SWAP)->i)
		far = Minimum(far, distance(positive, negative, p, eps, false));
	near = at_least(Sub(Add(near, Lit(near, attr(n, TRIPLET_MARGIN)->f)), far), 0);
	res[0] = loss_reduced(n, near, loss_count(near, &near->type));
}

static const AttrSpec triplet_attr[] = {
	[TRIPLET_MARGIN]    = {"margin", A_NUM, "1.0", "by which the negative shall be farther", NULL},
	[TRIPLET_P]         = {"p", A_NUM, "2.0", "exponent of the norm", NULL},
	[TRIPLET_EPS]       = {"eps", A_NUM, "1e-6", "added to each difference", NULL},
	[TRIPLET_SWAP]      = {"swap", A_BOOL, "false", "the negative's distance is the lesser of those to anchor and positive", NULL},
	[TRIPLET_REDUCTION] = REDUCTION_SPEC,
	{0}
};
const Op op_triplet_margin_loss = {.name = "triplet_margin_loss", .id = OP_triplet_margin_loss, .kind = COMPOSITE,
	.min_in = 3, .max_in = 3, .attr = triplet_attr, .operands = "anchor positive negative",
	.doc = "max(|anchor - positive| - |anchor - negative| + margin, 0), distances along the last dimension",
	.shape = triplet_margin_loss_shape, .compose = triplet_margin_loss_compose};

/* ---- cosine_embedding_loss ---- */

enum { EMBED_MARGIN, EMBED_REDUCTION };

static void
cosine_embedding_loss_shape(Node *n)
{
	const Node *y = n->in[2];
	Type t;

	if (!float_operand(n, 0) || !dtype_as(n, 1, 0) || !dtype_as(n, 2, 0)
		|| !broadcast(n, (const Node *const *)n->in, 2, &t))
		return;
	t.dt = n->in[0]->type.dt;
	if (t.rank != 1 && t.rank != 2) {
		type_error_in(n, 0, "%s is %s, must be [D] or [N,D]", nn(n->in[0]), tt(n->in[0]));
		return;
	}
	t.rank--;
	if (!shape_eq(&t, &y->type))
		type_error_in(n, 2, "%s is %s, must be %s", nn(y), tt(y), type_text(n->g->arena, n->g, &t));
	else
		loss_type(n, &t);
}

static void
cosine_embedding_loss_compose(Node *n, bool training, Node **res)
{
	Node *a = Wide(n->in[0]), *b = Wide(n->in[1]), *y = Wide(n->in[2]), *product = Mul(a, b), *na, *nb, *cosine, *item;
	int last = product->type.rank - 1;

	(void)training;
	na = Sum(Square(ExpandLike(a, product)), &last, 1, false);
	nb = Sum(Square(ExpandLike(b, product)), &last, 1, false);
	cosine = Mul(Sum(product, &last, 1, false), Rsqrt(Mul(Add(na, Lit(na, 1e-12)), Add(nb, Lit(nb, 1e-12)))));
	item = Where(Eq(y, Lit(y, 1)), Sub(Lit(y, 1), cosine), Lit(y, 0));
	item = Add(item, Where(Eq(y, Lit(y, -1)), at_least(Sub(cosine, Lit(y, attr(n, EMBED_MARGIN)->f)), 0), Lit(y, 0)));
	res[0] = loss_reduced(n, item, loss_count(item, &item->type));
}

static const AttrSpec embedding_attr[] = {
	[EMBED_MARGIN]    = {"margin", A_NUM, "0.0", "cosine below which unlike vectors cost nothing", NULL},
	[EMBED_REDUCTION] = REDUCTION_SPEC,
	{0}
};
const Op op_cosine_embedding_loss = {.name = "cosine_embedding_loss", .id = OP_cosine_embedding_loss, .kind = COMPOSITE,
	.min_in = 3, .max_in = 3, .attr = embedding_attr, .operands = "input1 input2 target",
	.doc = "1 - cosine where target is 1, max(cosine - margin, 0) where it is -1",
	.shape = cosine_embedding_loss_shape, .compose = cosine_embedding_loss_compose};

/* compose_view: composites that move, select and make elements: transpose,
 * squeeze, unsqueeze, stack, split, index_select, embedding, take_along_dim,
 * one_hot, zeros_like, ones_like, tril, triu. */
#include "ir.h"

#include <string.h>

/* ---- transpose ---- */

static void
transpose_shape(Node *n)
{
	Type t = n->in[0]->type;
	int a = norm_dim(n, attr(n, 0)->i, t.rank), b = a < 0 ? -1 : norm_dim(n, attr(n, 1)->i, t.rank);

	if (a < 0 || b < 0)
		return;
	if (t.rank) {
		Dim d = t.dim[a];
		t.dim[a] = t.dim[b];
		t.dim[b] = d;
	}
	n->type = t;
}

static void
transpose_compose(Node *n, bool training, Node **res)
{
	Node *x = n->in[0];
	int r = x->type.rank;

	(void)training;
	res[0] = Transpose(x, attr_dim(n, 0, r), attr_dim(n, 1, r));
}

static const AttrSpec transpose_attr[] = {
	{"dim0", A_INT, NULL, "dimension", NULL},
	{"dim1", A_INT, NULL, "the dimension it changes places with", NULL},
	{0}
};
const Op op_transpose = {.name = "transpose", .alias = "swapaxes", .id = OP_transpose, .kind = COMPOSITE, .min_in = 1, .max_in = 1,
	.flags = ALIAS, .attr = transpose_attr, .operands = "input",
	.doc = "two dimensions exchanged",
	.shape = transpose_shape, .compose = transpose_compose};

/* ---- squeeze, unsqueeze ---- */

static void
squeeze_shape(Node *n)
{
	const Type *in = &n->in[0]->type;
	Type t = {.dt = in->dt};
	int dims[MAXRANK], count = norm_dims(n, 0, in->rank, false, dims);
	bool may[MAXRANK] = {0};

	if (count < 0)
		return;
	for (int i = 0; i < count; i++)
		may[dims[i]] = true;
	for (int i = 0; i < in->rank; i++)
		if (!((may[i] || !attr(n, 0)->set) && dim_one(in->dim[i])))
			t.dim[t.rank++] = in->dim[i];
	n->type = t;
}

static void
unsqueeze_shape(Node *n)
{
	const Type *in = &n->in[0]->type;
	Type t = {.dt = in->dt, .rank = in->rank + 1};
	int dim;

	if (in->rank == MAXRANK) {
		type_error(n, "%s is %s; at most %d dimensions are possible", nn(n->in[0]), tt(n->in[0]), MAXRANK);
		return;
	}
	if ((dim = norm_dim(n, attr(n, 0)->i, t.rank)) < 0)
		return;
	for (int i = 0; i < t.rank; i++)
		t.dim[i] = i == dim ? DIM(1) : in->dim[i - (i > dim)];
	n->type = t;
}

void
reshape_compose(Node *n, bool training, Node **res)
{
	(void)training;
	res[0] = Reshape(n->in[0], n->type.dim, n->type.rank);
}

static const AttrSpec squeeze_attr[] = {
	{"dim", A_INTS, "null", "dimensions to drop where they have size 1; null: all", NULL},
	{0}
};
const Op op_squeeze = {.name = "squeeze", .id = OP_squeeze, .kind = COMPOSITE, .min_in = 1, .max_in = 1,
	.flags = ALIAS, .attr = squeeze_attr, .operands = "input",
	.doc = "dimensions of size 1 dropped; others named stay, symbolic ones too",
	.shape = squeeze_shape, .compose = reshape_compose};
static const AttrSpec unsqueeze_attr[] = {
	{"dim", A_INT, NULL, "where the result has the new dimension", NULL},
	{0}
};
const Op op_unsqueeze = {.name = "unsqueeze", .id = OP_unsqueeze, .kind = COMPOSITE, .min_in = 1, .max_in = 1,
	.flags = ALIAS, .attr = unsqueeze_attr, .operands = "input",
	.doc = "a new dimension of size 1",
	.shape = unsqueeze_shape, .compose = reshape_compose};

/* ---- stack ---- */

static void
stack_shape(Node *n)
{
	const Type *in = &n->in[0]->type;
	Type t = {.dt = in->dt, .rank = in->rank + 1};
	int dim;

	if (t.rank > MAXRANK) {
		type_error(n, "%s is %s; at most %d dimensions are possible", nn(n->in[0]), tt(n->in[0]), MAXRANK);
		return;
	}
	if ((dim = norm_dim(n, attr(n, 0)->i, t.rank)) < 0 || !same_dtype(n, 0))
		return;
	for (int i = 1; i < n->nin; i++)
		if (!shape_eq(in, &n->in[i]->type)) {
			type_error_in(n, i, "shapes differ: %s is %s, %s is %s", nn(n->in[0]), tt(n->in[0]),
				nn(n->in[i]), tt(n->in[i]));
			return;
		}
	for (int i = 0; i < t.rank; i++)
		t.dim[i] = i == dim ? DIM(n->nin) : in->dim[i - (i > dim)];
	if (type_fits(n, &t))
		n->type = t;
}

static void
stack_compose(Node *n, bool training, Node **res)
{
	Node **part = NEW(n->g->arena, n->nin, Node *);
	int dim = attr_dim(n, 0, n->type.rank);

	(void)training;
	for (int i = 0; i < n->nin; i++)
		part[i] = Unsqueeze(n->in[i], dim);
	res[0] = Cat(part, n->nin, dim);
}

static const AttrSpec stack_attr[] = {
	{"dim", A_INT, "0", "the new dimension", NULL},
	{0}
};
const Op op_stack = {.name = "stack", .id = OP_stack, .kind = COMPOSITE, .min_in = 1, .max_in = -1,
	.attr = stack_attr, .operands = "input",
	.doc = "the operands one after another along a new dimension",
	.shape = stack_shape, .compose = stack_compose};

/* ---- split ---- */

enum { SPLIT_SIZES, SPLIT_DIM };

/* number of pieces of `size` in `whole`, the last may be smaller; 0: it cannot be said */
static int64_t
count_pieces(Dim whole, Dim size)
{
	Dim q;

	if (dim_div(whole, size, &q))
		return q.sym ? 0 : q.k;
	return whole.sym || size.sym || size.k <= 0 ? 0 : whole.k / size.k + 1;
}

/* sizes of n pieces, whose sum must be the whole; false after an error */
static bool
sections(Node *n, Dim whole, const Dim *size, int count)
{
	Dim left = whole;
	bool sums = true;

	for (int i = 0; i < count && sums; i++) {
		sums = size[i].k >= 0 && size[i].k <= left.k && (!size[i].k || size[i].sym == left.sym);
		left.k -= size[i].k;
	}
	if (sums && !left.k)
		return true;
	type_error(n, "the sizes do not sum to %s, the size of the dimension of %s, which is %s",
		dim_text(n->g->arena, n->g, whole), nn(n->in[0]), tt(n->in[0]));
	return false;
}

static void
split_shape(Node *n)
{
	const Attr *a = attr(n, SPLIT_SIZES);
	Type t = n->in[0]->type;
	int dim = norm_dim(n, attr(n, SPLIT_DIM)->i, t.rank);
	int64_t count = a->n;
	Dim whole, left;

	if (dim < 0)
		return;
	if (!t.rank) {
		type_error(n, "%s is a scalar", nn(n->in[0]));
		return;
	}
	left = whole = t.dim[dim];
	if (a->n == 1 && a->dims[0].k < 1) {
		type_error(n, "pieces of size %s; a size is at least 1", dim_text(n->g->arena, n->g, a->dims[0]));
		return;
	}
	if (a->n == 1 && !(count = count_pieces(whole, a->dims[0]))) {
		type_error(n, "%s in pieces of %s: their number is not the same for all values of the symbols",
			dim_text(n->g->arena, n->g, whole), dim_text(n->g->arena, n->g, a->dims[0]));
		return;
	}
	if (count > 4096) {
		type_error(n, "%lld pieces are more than 4096", (long long)count);
		return;
	}
	if (a->n != 1 && !sections(n, whole, a->dims, a->n))
		return;
	n->nres = (int)count;
	n->res = NEW(n->g->arena, MAX(count, 1), Type);
	for (int i = 0; i < n->nres; i++) {
		Dim size = a->dims[a->n == 1 ? 0 : i];
		n->res[i] = t;
		n->res[i].dim[dim] = size.k < left.k ? size : left;
		left.k -= size.k;
	}
	n->type = n->res[0];
}

static void
split_compose(Node *n, bool training, Node **res)
{
	int dim = attr_dim(n, SPLIT_DIM, n->in[0]->type.rank);
	Dim start = DIM(0);

	(void)training;
	for (int i = 0; i < n->nres; i++) {
		Dim size = n->res[i].dim[dim], end = {start.k + size.k, size.k ? size.sym : start.sym};
		res[i] = Slice(n->in[0], dim, start, end, 1);
		start = end;
	}
}

static const AttrSpec split_attr[] = {
	[SPLIT_SIZES] = {"split_size_or_sections", A_SHAPE, NULL,
		"size of every piece but a smaller last one; or a list of all sizes", NULL},
	[SPLIT_DIM]   = {"dim", A_INT, "0", "dimension to cut", NULL},
	{0}
};
const Op op_split = {.name = "split", .id = OP_split, .kind = COMPOSITE, .min_in = 1, .max_in = 1, .nres = -1,
	.attr = split_attr, .operands = "input",
	.doc = "consecutive pieces of a dimension, one result each",
	.shape = split_shape, .compose = split_compose};

/* ---- selection by index ---- */

static bool
is_index(Node *n, int i)
{
	if (dtype_integer(n->in[i]->type.dt))
		return true;
	type_error_in(n, i, "%s is %s, must be of integers", nn(n->in[i]), tt(n->in[i]));
	return false;
}

/* an index into nothing cannot be right */
static bool
selects(Node *n, int operand, Dim size, const Type *index)
{
	if (size.k || !type_count(index).k)
		return true;
	type_error_in(n, operand, "%s is %s: there is no element to select", nn(n->in[operand]), tt(n->in[operand]));
	return false;
}

/* operand i with dimension dim replaced by those of index */
static bool
selected_type(Node *n, int i, int dim, const Type *index, Type *t)
{
	const Type *in = &n->in[i]->type;

	*t = (Type){.dt = in->dt};
	if (!selects(n, i, in->dim[dim], index))
		return false;
	if (in->rank - 1 + index->rank > MAXRANK) {
		type_error(n, "the result has %d dimensions; at most %d are possible", in->rank - 1 + index->rank, MAXRANK);
		return false;
	}
	for (int d = 0; d < dim; d++)
		t->dim[t->rank++] = in->dim[d];
	for (int d = 0; d < index->rank; d++)
		t->dim[t->rank++] = index->dim[d];
	for (int d = dim + 1; d < in->rank; d++)
		t->dim[t->rank++] = in->dim[d];
	return type_fits(n, t);
}

/* the vector index along dimension dim, repeated over the other dimensions of x */
static Node *
along_others(Node *index, const Node *x, int dim)
{
	Dim one[MAXRANK], all[MAXRANK];

	for (int i = 0; i < x->type.rank; i++) {
		one[i] = i == dim ? index->type.dim[0] : DIM(1);
		all[i] = i == dim ? index->type.dim[0] : x->type.dim[i];
	}
	return Expand(Reshape(index, one, x->type.rank), all, x->type.rank);
}

static void
index_select_shape(Node *n)
{
	const Type *in = &n->in[0]->type, *index = &n->in[1]->type;
	int dim = norm_dim(n, attr(n, 0)->i, in->rank);
	Type t;

	if (dim < 0 || !is_index(n, 1))
		return;
	if (!in->rank)
		type_error_in(n, 0, "%s is a scalar", nn(n->in[0]));
	else if (index->rank != 1)
		type_error_in(n, 1, "index %s is %s, must have one dimension", nn(n->in[1]), tt(n->in[1]));
	else if (selected_type(n, 0, dim, index, &t))
		n->type = t;
}

static void
index_select_compose(Node *n, bool training, Node **res)
{
	Node *x = n->in[0];
	int dim = attr_dim(n, 0, x->type.rank);

	(void)training;
	res[0] = Gather(x, dim, along_others(n->in[1], x, dim));
}

static bool
index_select_index(const Node *n, int i, Dim *bound, int64_t *also)
{
	(void)also;
	*bound = n->in[0]->type.dim[attr_dim(n, 0, n->in[0]->type.rank)];
	return i == 1;
}

static const AttrSpec index_select_attr[] = {
	{"dim", A_INT, NULL, "the dimension that index selects in", NULL},
	{0}
};
const Op op_index_select = {.name = "index_select", .id = OP_index_select, .kind = COMPOSITE,
	.min_in = 2, .max_in = 2, .attr = index_select_attr, .operands = "input index",
	.doc = "slices of a dimension in the order of a vector of indices",
	.shape = index_select_shape, .compose = index_select_compose, .index = index_select_index};

/* ---- embedding ---- */

static void
embedding_shape(Node *n)
{
	const Type *w = &n->in[1]->type;
	const Attr *pad = attr(n, 0);
	Type t;

	if (!is_index(n, 0))
		return;
	if (w->rank != 2) {
		type_error_in(n, 1, "weight %s is %s, must be a matrix", nn(n->in[1]), tt(n->in[1]));
		return;
	}
	if (pad->set && !w->dim[0].sym && (pad->i < -w->dim[0].k || pad->i >= w->dim[0].k)) {
		type_error(n, "padding_idx %lld is not a row of %s, which is %s", (long long)pad->i, nn(n->in[1]),
			tt(n->in[1]));
		return;
	}
	if (selected_type(n, 1, 0, &n->in[0]->type, &t))
		n->type = t;
}

/* all indices as one vector, repeated over the columns of the weight */
static Node *
embedding_rows(Node *index, const Node *weight)
{
	Dim count = type_count(&index->type);

	return along_others(Reshape(index, &count, 1), weight, 0);
}

/* the row padding_idx, counted from the end where negative, gets no gradient */
static Node *
without_padding(Node *taken, Node *rows, const Node *weight, int64_t padding)
{
	Node *row = LitI(rows->g, I64, padding);

	if (padding < 0)
		row = Add(DimSize(rows->g, weight->type.dim[0], I64), row);
	return Where(Eq(Cast(rows, I64), row), StopGradient(taken), taken);
}

static void
embedding_compose(Node *n, bool training, Node **res)
{
	Node *rows = embedding_rows(n->in[0], n->in[1]), *taken = Gather(n->in[1], 0, rows);
	const Attr *pad = attr(n, 0);

	(void)training;
	if (pad->set)
		taken = without_padding(taken, rows, n->in[1], pad->i);
	res[0] = Reshape(taken, n->type.dim, n->type.rank);
}

static bool
embedding_index(const Node *n, int i, Dim *bound, int64_t *also)
{
	(void)also;
	*bound = n->in[1]->type.dim[0];
	return i == 0;
}

static const AttrSpec embedding_attr[] = {
	{"padding_idx", A_INT, "null", "a row of the weight that gets no gradient", NULL},
	{0}
};
const Op op_embedding = {.name = "embedding", .id = OP_embedding, .kind = COMPOSITE, .min_in = 2, .max_in = 2,
	.attr = embedding_attr, .operands = "input weight",
	.doc = "the row of the weight that each index names, in a new last dimension",
	.shape = embedding_shape, .compose = embedding_compose, .index = embedding_index};

/* ---- take_along_dim ---- */

/* shapes of operands 0 and 1 broadcast against each other but along dim; false after an error */
static bool
broadcast_beside(Node *n, int dim, Dim *common)
{
	const Type *a = &n->in[0]->type, *b = &n->in[1]->type;

	for (int i = 0; i < a->rank; i++) {
		common[i] = dim_one(a->dim[i]) ? b->dim[i] : a->dim[i];
		if (i != dim && !dim_one(b->dim[i]) && !dim_eq(b->dim[i], common[i])) {
			type_error(n, "shapes do not broadcast beside dimension %d: %s is %s, %s is %s", dim,
				nn(n->in[0]), tt(n->in[0]), nn(n->in[1]), tt(n->in[1]));
			return false;
		}
	}
	return true;
}

static void
take_along_dim_shape(Node *n)
{
	const Type *in = &n->in[0]->type, *index = &n->in[1]->type;
	Type t = {.dt = in->dt, .rank = in->rank};
	int dim;

	if (!is_index(n, 1))
		return;
	if (!attr(n, 0)->set) {
		t.rank = 1;
		t.dim[0] = type_count(index);
		if (selects(n, 0, type_count(in), index))
			n->type = t;
		return;
	}
	if (in->rank != index->rank || !in->rank) {
		type_error(n, "ranks must be equal and not 0: %s is %s, %s is %s", nn(n->in[0]), tt(n->in[0]),
			nn(n->in[1]), tt(n->in[1]));
		return;
	}
	if ((dim = norm_dim(n, attr(n, 0)->i, in->rank)) < 0 || !broadcast_beside(n, dim, t.dim))
		return;
	t.dim[dim] = index->dim[dim];
	if (selects(n, 0, in->dim[dim], index) && type_fits(n, &t))
		n->type = t;
}

static void
take_along_dim_compose(Node *n, bool training, Node **res)
{
	Node *x = n->in[0], *index = n->in[1];
	Dim count, wide[MAXRANK];
	int dim = 0;

	(void)training;
	if (!attr(n, 0)->set) {
		count = type_count(&x->type);
		x = Reshape(x, &count, 1);
		index = Reshape(index, n->type.dim, 1);
	} else {
		dim = attr_dim(n, 0, x->type.rank);
		memcpy(wide, n->type.dim, sizeof wide);
		wide[dim] = x->type.dim[dim];
		x = Expand(x, wide, x->type.rank);
		index = Expand(index, n->type.dim, n->type.rank);
	}
	res[0] = Gather(x, dim, index);
}

static bool
take_along_dim_index(const Node *n, int i, Dim *bound, int64_t *also)
{
	const Type *in = &n->in[0]->type;

	(void)also;
	*bound = attr(n, 0)->set ? in->dim[attr_dim(n, 0, in->rank)] : type_count(in);
	return i == 1;
}

static const AttrSpec take_along_dim_attr[] = {
	{"dim", A_INT, "null", "the dimension selected in; null: both operands are flattened", NULL},
	{0}
};
const Op op_take_along_dim = {.name = "take_along_dim", .id = OP_take_along_dim, .kind = COMPOSITE,
	.min_in = 2, .max_in = 2, .attr = take_along_dim_attr, .operands = "input indices",
	.doc = "gather with both operands broadcast beside dim",
	.shape = take_along_dim_shape, .compose = take_along_dim_compose, .index = take_along_dim_index};

/* ---- one_hot, zeros_like, ones_like ---- */

static void
one_hot_shape(Node *n)
{
	Type t = n->in[0]->type;
	Dim classes = attr(n, 0)->dims[0];

	if (!is_index(n, 0))
		return;
	if (classes.k <= 0 || t.rank == MAXRANK) {
		type_error(n, t.rank == MAXRANK ? "the result has too many dimensions" : "num_classes must be positive");
		return;
	}
	t.dt = I64;
	t.dim[t.rank++] = classes;
	if (type_fits(n, &t))
		n->type = t;
}

static void
one_hot_compose(Node *n, bool training, Node **res)
{
	Node *x = Unsqueeze(Cast(n->in[0], I64), n->in[0]->type.rank);
	Type classes = {.dt = I64, .rank = 1, .dim = {attr(n, 0)->dims[0]}};

	(void)training;
	res[0] = Cast(Eq(x, Iota(n->g, classes, 0)), I64);
}

static const AttrSpec one_hot_attr[] = {
	{"num_classes", A_DIM, NULL, "size of the new last dimension", NULL},
	{0}
};
const Op op_one_hot = {.name = "one_hot", .id = OP_one_hot, .kind = COMPOSITE, .min_in = 1, .max_in = 1,
	.flags = FLAT, .attr = one_hot_attr, .operands = "input",
	.doc = "i64 1 at the index along a new last dimension, else 0; an index out of range gives zeros",
	.shape = one_hot_shape, .compose = one_hot_compose};

static void
like_shape(Node *n)
{
	n->type = n->in[0]->type;
	if (attr(n, 0)->set)
		n->type.dt = (DType)attr(n, 0)->i;
}

static void
zeros_compose(Node *n, bool training, Node **res)
{
	(void)training;
	res[0] = Full(n->g, n->type, 0);
}

static void
ones_compose(Node *n, bool training, Node **res)
{
	(void)training;
	res[0] = Full(n->g, n->type, 1);
}

static const AttrSpec like_attr[] = {
	{"type", A_DTYPE, "null", "dtype; null: the input's", NULL},
	{0}
};
const Op op_zeros_like = {.name = "zeros_like", .id = OP_zeros_like, .kind = COMPOSITE, .min_in = 1, .max_in = 1,
	.flags = FLAT, .attr = like_attr, .operands = "input", .doc = "zeros in the shape of the input",
	.shape = like_shape, .compose = zeros_compose};
const Op op_ones_like = {.name = "ones_like", .id = OP_ones_like, .kind = COMPOSITE, .min_in = 1, .max_in = 1,
	.flags = FLAT, .attr = like_attr, .operands = "input", .doc = "ones in the shape of the input",
	.shape = like_shape, .compose = ones_compose};

/* ---- tril, triu ---- */

static void
triangle_shape(Node *n)
{
	if (n->in[0]->type.rank < 2)
		type_error(n, "%s is %s, must have at least two dimensions", nn(n->in[0]), tt(n->in[0]));
	else
		n->type = n->in[0]->type;
}

/* column - diagonal of each element of the last two dimensions, and its row */
static void
positions(const Node *n, Node **column, Node **row)
{
	const Type *in = &n->in[0]->type;
	Type t = {.dt = I64, .rank = 2, .dim = {in->dim[in->rank - 2], in->dim[in->rank - 1]}};

	*row = Iota(n->g, t, 0);
	*column = Sub(Iota(n->g, t, 1), LitI(n->g, I64, attr(n, 0)->i));
}

static void
tril_compose(Node *n, bool training, Node **res)
{
	Node *column, *row;

	(void)training;
	positions(n, &column, &row);
	res[0] = Where(Le(column, row), n->in[0], Lit(n->in[0], 0));
}

static void
triu_compose(Node *n, bool training, Node **res)
{
	Node *column, *row;

	(void)training;
	positions(n, &column, &row);
	res[0] = Where(Ge(column, row), n->in[0], Lit(n->in[0], 0));
}

static const AttrSpec triangle_attr[] = {
	{"diagonal", A_INT, "0", "0 is the main one, positive ones lie above it", NULL},
	{0}
};
const Op op_tril = {.name = "tril", .id = OP_tril, .kind = COMPOSITE, .min_in = 1, .max_in = 1,
	.attr = triangle_attr, .operands = "input",
	.doc = "the last two dimensions up to a diagonal, zeros above it",
	.shape = triangle_shape, .compose = tril_compose};
const Op op_triu = {.name = "triu", .id = OP_triu, .kind = COMPOSITE, .min_in = 1, .max_in = 1,
	.attr = triangle_attr, .operands = "input",
	.doc = "the last two dimensions from a diagonal on, zeros below it",
	.shape = triangle_shape, .compose = triu_compose};

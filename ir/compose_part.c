/* compose_part: composites that take parts of a dimension, or make several one: narrow, select, chunk, flatten,
 * unflatten. */
#include "ir.h"

static int
dim_of(const Node *n, int i)
{
	return attr_dim(n, i, n->in[0]->type.rank);
}

/* the dimension that attribute i names; -1 after an error */
static int
proper_dim(Node *n, int i)
{
	if (n->in[0]->type.rank)
		return norm_dim(n, attr(n, i)->i, n->in[0]->type.rank);
	type_error(n, "%s is a scalar", nn(n->in[0]));
	return -1;
}

/* its elements at least */
static int64_t
least(const Graph *g, Dim d)
{
	int64_t at[MAXSYM];

	for (int s = 0; s < g->nsym; s++)
		at[s] = g->sym[s].min;
	return dim_at(d, at);
}

/* ---- narrow, select ---- */

enum { PART_DIM, PART_START, PART_LENGTH };

/* `length` elements from start, which counts from the end when negative */
static Node *
part(Node *x, int dim, int64_t start, int64_t length)
{
	const Op *op = op_get(OP_slice);
	Attr *a = attrs_new(x->g, op);

	set_int(op, a, "dim", dim);
	set_dims(x->g, op, a, "start", &DIM(start), 1);
	if (start >= 0 || start + length < 0)
		set_dims(x->g, op, a, "end", &DIM(start + length), 1);
	return node(x->g, op, &x, 1, a);
}

static bool
part_within(Node *n, int dim, int64_t start, int64_t length)
{
	int64_t size = least(n->g, n->in[0]->type.dim[dim]);

	if (length >= 0 && start >= -size && length <= (start < 0 ? -start : size - start))
		return true;
	type_error(n, "dimension %d of %s, which is %s, does not have %lld element%s from index %lld on", dim, nn(n->in[0]),
		tt(n->in[0]), (long long)length, length == 1 ? "" : "s", (long long)start);
	return false;
}

static void
narrow_shape(Node *n)
{
	int dim = proper_dim(n, PART_DIM);

	if (dim < 0 || !part_within(n, dim, attr(n, PART_START)->i, attr(n, PART_LENGTH)->i))
		return;
	n->type = n->in[0]->type;
	n->type.dim[dim] = DIM(attr(n, PART_LENGTH)->i);
}

static void
narrow_compose(Node *n, bool training, Node **res)
{
	int64_t start = attr(n, PART_START)->i, length = attr(n, PART_LENGTH)->i;

	(void)training;
	if (!length)
		start = 0;
	res[0] = part(n->in[0], dim_of(n, PART_DIM), start, length);
}

static const AttrSpec narrow_attr[] = {
	[PART_DIM]    = {"dim", A_INT, NULL, "dimension", NULL},
	[PART_START]  = {"start", A_INT, NULL, "first index; negative counts from the end", NULL},
	[PART_LENGTH] = {"length", A_INT, NULL, "number of elements", NULL},
	{0}
};
const Op op_narrow = {.name = "narrow", .id = OP_narrow, .kind = COMPOSITE, .min_in = 1, .max_in = 1, .flags = ALIAS,
	.attr = narrow_attr, .operands = "input", .doc = "some consecutive elements of a dimension",
	.shape = narrow_shape, .compose = narrow_compose};

static void
select_shape(Node *n)
{
	int dim = proper_dim(n, PART_DIM);
	Type t = n->in[0]->type;

	if (dim < 0 || !part_within(n, dim, attr(n, PART_START)->i, 1))
		return;
	type_drop(&t, dim);
	n->type = t;
}

static void
select_compose(Node *n, bool training, Node **res)
{
	(void)training;
	res[0] = Squeeze(part(n->in[0], dim_of(n, PART_DIM), attr(n, PART_START)->i, 1), dim_of(n, PART_DIM));
}

static const AttrSpec select_attr[] = {
	[PART_DIM]   = {"dim", A_INT, NULL, "dimension", NULL},
	[PART_START] = {"index", A_INT, NULL, "which element; negative counts from the end", NULL},
	{0}
};
const Op op_select = {.name = "select", .id = OP_select, .kind = COMPOSITE, .min_in = 1, .max_in = 1, .flags = ALIAS,
	.attr = select_attr, .operands = "input", .doc = "one element of a dimension, which is gone",
	.shape = select_shape, .compose = select_compose};

/* ---- chunk ---- */

enum { CHUNK_COUNT, CHUNK_DIM };

static void
chunk_shape(Node *n)
{
	int64_t count = attr(n, CHUNK_COUNT)->i, each;
	int dim = proper_dim(n, CHUNK_DIM);
	Type t = n->in[0]->type;
	Dim size;

	if (dim < 0)
		return;
	size = t.dim[dim];
	if (count < 1 || count > 4096) {
		type_error(n, "%lld chunks; there are 1 to 4096", (long long)count);
		return;
	}
	if (size.sym && !dim_div(size, DIM(count), &t.dim[dim])) {
		type_error(n, "%s in %lld chunks: %s is not divisible for all values of its symbols", nn(n->in[0]),
			(long long)count, dim_text(n->g->arena, n->g, size));
		return;
	}
	each = size.k / count + (size.k % count != 0);
	if (!size.sym && each)
		count = size.k / each + (size.k % each != 0);
	n->nres = (int)count;
	n->res = NEW(n->g->arena, n->nres, Type);
	for (int i = 0; i < n->nres; i++) {
		n->res[i] = t;
		if (!size.sym)
			n->res[i].dim[dim] = DIM(MIN(each, size.k - i * each));
	}
	n->type = n->res[0];
}

static void
chunk_compose(Node *n, bool training, Node **res)
{
	int dim = dim_of(n, CHUNK_DIM);
	Dim start = DIM(0);

	(void)training;
	for (int i = 0; i < n->nres; i++) {
		Dim size = n->res[i].dim[dim], end = {start.k + size.k, size.sym};
		res[i] = Slice(n->in[0], dim, start, end, 1);
		start = end;
	}
}

static const AttrSpec chunk_attr[] = {
	[CHUNK_COUNT] = {"chunks", A_INT, NULL, "how many; fewer where smaller ones are left over", NULL},
	[CHUNK_DIM]   = {"dim", A_INT, "0", "dimension to cut", NULL},
	{0}
};
const Op op_chunk = {.name = "chunk", .id = OP_chunk, .kind = COMPOSITE, .min_in = 1, .max_in = 1, .nres = -1,
	.attr = chunk_attr, .operands = "input", .doc = "a dimension in equal pieces, but for a smaller last one",
	.shape = chunk_shape, .compose = chunk_compose};

/* ---- flatten, unflatten ---- */

enum { FLAT_START, FLAT_END };

static void
flatten_shape(Node *n)
{
	const Type *in = &n->in[0]->type;
	int start = norm_dim(n, attr(n, FLAT_START)->i, in->rank), end = norm_dim(n, attr(n, FLAT_END)->i, in->rank);
	Type t = {.dt = in->dt};

	if (start < 0 || end < 0)
		return;
	if (start > end) {
		type_error(n, "dimension %d comes after %d", start, end);
		return;
	}
	if (!in->rank)
		t.dim[t.rank++] = DIM(1);
	for (int i = 0; i < in->rank; i++) {
		if (i <= start || i > end)
			t.dim[t.rank++] = in->dim[i];
		else if (!dim_mul(t.dim[t.rank - 1], in->dim[i], &t.dim[t.rank - 1])) {
			type_error(n, "sizes overflow");
			return;
		}
	}
	n->type = t;
}

static const AttrSpec flatten_attr[] = {
	[FLAT_START] = {"start_dim", A_INT, "0", "the first that is joined", NULL},
	[FLAT_END]   = {"end_dim", A_INT, "-1", "the last that is joined", NULL},
	{0}
};
const Op op_flatten = {.name = "flatten", .id = OP_flatten, .kind = COMPOSITE, .min_in = 1, .max_in = 1, .flags = ALIAS,
	.attr = flatten_attr, .operands = "input", .doc = "neighbouring dimensions as one",
	.shape = flatten_shape, .compose = reshape_compose};

enum { UNFLAT_DIM, UNFLAT_SIZES };

/* the sizes, with the one that is left open filled in; false after an error */
static bool
parts_of(Node *n, Dim whole, Dim *size)
{
	const Attr *a = attr(n, UNFLAT_SIZES);
	Dim known = DIM(1);
	int open = -1;

	for (int i = 0; i < a->n; i++) {
		size[i] = a->dims[i];
		if (size[i].k == -1 && !size[i].sym && open < 0)
			open = i;
		else if (size[i].k < 0 || !dim_mul(known, size[i], &known))
			return false;
	}
	return open < 0 ? dim_eq(known, whole) : known.k && dim_div(whole, known, &size[open]);
}

static void
unflatten_shape(Node *n)
{
	const Type *in = &n->in[0]->type;
	const Attr *a = attr(n, UNFLAT_SIZES);
	int dim = proper_dim(n, UNFLAT_DIM);
	Type t = {.dt = in->dt, .rank = in->rank - 1 + a->n};

	if (dim < 0)
		return;
	if (t.rank > MAXRANK || !a->n) {
		type_error(n, "the result has %d dimensions; a dimension becomes at least one, and at most %d are possible",
			t.rank, MAXRANK);
		return;
	}
	for (int i = 0; i < in->rank; i++)
		t.dim[i < dim ? i : i + a->n - 1] = in->dim[i];
	if (parts_of(n, in->dim[dim], t.dim + dim))
		n->type = t;
	else
		type_error(n, "\"sizes\" do not make %s, dimension %d of %s, which is %s", dim_text(n->g->arena, n->g, in->dim[dim]),
			dim, nn(n->in[0]), tt(n->in[0]));
}

static const AttrSpec unflatten_attr[] = {
	[UNFLAT_DIM]   = {"dim", A_INT, NULL, "dimension", NULL},
	[UNFLAT_SIZES] = {"sizes", A_SHAPE, NULL, "of the dimensions that it becomes; one may be -1", NULL},
	{0}
};
const Op op_unflatten = {.name = "unflatten", .id = OP_unflatten, .kind = COMPOSITE, .min_in = 1, .max_in = 1,
	.flags = ALIAS, .attr = unflatten_attr, .operands = "input", .doc = "a dimension as several",
	.shape = unflatten_shape, .compose = reshape_compose};

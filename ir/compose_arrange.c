/* compose_arrange: composites that repeat, move, take apart and rotate dimensions: repeat, tile,
 * repeat_interleave, movedim, unbind, diagonal, diag_embed, trace, rot90, meshgrid.
 *
 * All but diag_embed are views of views: a kernel that reads one looks through it. */
#include "ir.h"

/* dimensions before and after dimension d of t, each as one */
static bool
around(const Type *t, int d, Dim *outer, Dim *inner)
{
	*outer = *inner = DIM(1);
	for (int i = 0; i < t->rank; i++)
		if (i != d && !dim_mul(i < d ? *outer : *inner, t->dim[i], i < d ? outer : inner))
			return false;
	return true;
}

/* ---- repeat, tile, repeat_interleave ---- */

/* dimension d `times` over: as a whole (place 0), or each of its elements (place 1) */
static Node *
times_over(Node *x, int d, Dim times, int place)
{
	Type t = x->type;
	Dim outer, inner, size = t.dim[d], one[4], all[4];

	if (dim_one(times))
		return x;
	if (!around(&t, d, &outer, &inner) || !dim_mul(size, times, &t.dim[d]))
		bug("sizes overflow");
	one[0] = all[0] = outer;
	one[1 + place] = DIM(1);
	all[1 + place] = times;
	one[2 - place] = all[2 - place] = size;
	one[3] = all[3] = inner;
	return Reshape(Expand(Reshape(x, one, 4), all, 4), t.dim, t.rank);
}

/* dimension d of t times over; false after an error */
static bool
more(Node *n, Type *t, int d, Dim times)
{
	if (times.k < 0) {
		type_error(n, "%s repetitions; their number is at least 0", dim_text(n->g->arena, n->g, times));
		return false;
	}
	if (dim_mul(t->dim[d], times, &t->dim[d]))
		return true;
	type_error(n, "sizes overflow");
	return false;
}

/* the type with leading dimensions of size 1, as many as there are numbers of repetitions */
static Type
led(const Node *n)
{
	const Type *in = &n->in[0]->type;
	Type t = {.dt = in->dt, .rank = MAX(in->rank, attr(n, 0)->n)};

	for (int i = 0; i < t.rank; i++)
		t.dim[i] = i < t.rank - in->rank ? DIM(1) : in->dim[i - (t.rank - in->rank)];
	return t;
}

static void
repeat_shape(Node *n)
{
	const Attr *a = attr(n, 0);
	Type t = led(n);

	if (n->op->id == OP_repeat && a->n < n->in[0]->type.rank) {
		type_error(n, "\"repeats\" has %d sizes, %s is %s", a->n, nn(n->in[0]), tt(n->in[0]));
		return;
	}
	for (int i = 0; i < a->n; i++)
		if (!more(n, &t, t.rank - a->n + i, a->dims[i]))
			return;
	if (type_fits(n, &t))
		n->type = t;
}

static void
repeat_compose(Node *n, bool training, Node **res)
{
	const Attr *a = attr(n, 0);
	Type t = led(n);

	(void)training;
	res[0] = Reshape(n->in[0], t.dim, t.rank);
	for (int i = 0; i < a->n; i++)
		res[0] = times_over(res[0], t.rank - a->n + i, a->dims[i], 0);
}

static const AttrSpec repeat_attr[] = {
	{"repeats", A_SHAPE, NULL, "how often, per dimension; further ones in front are new dimensions", NULL},
	{0}
};
const Op op_repeat = {.name = "repeat", .id = OP_repeat, .kind = COMPOSITE, .min_in = 1, .max_in = 1,
	.attr = repeat_attr, .operands = "input", .doc = "the input several times along its dimensions and new leading ones",
	.shape = repeat_shape, .compose = repeat_compose};
static const AttrSpec tile_attr[] = {
	{"dims", A_SHAPE, NULL, "how often, for the last dimensions; further ones in front are new dimensions", NULL},
	{0}
};
const Op op_tile = {.name = "tile", .id = OP_tile, .kind = COMPOSITE, .min_in = 1, .max_in = 1,
	.attr = tile_attr, .operands = "input", .doc = "repeat, where dimensions in front may be left out",
	.shape = repeat_shape, .compose = repeat_compose};

enum { RI_REPEATS, RI_DIM };

/* what is repeated: the input, or all of it as one dimension, and in which dimension */
static Type
interleaved(const Node *n)
{
	Type t = n->in[0]->type;

	if (attr(n, RI_DIM)->set && t.rank)
		return t;
	t.dim[0] = type_count(&t);
	t.rank = 1;
	return t;
}

static void
repeat_interleave_shape(Node *n)
{
	Type t = interleaved(n);
	int d = attr(n, RI_DIM)->set ? norm_dim(n, attr(n, RI_DIM)->i, n->in[0]->type.rank) : 0;

	if (d >= 0 && more(n, &t, d, attr(n, RI_REPEATS)->dims[0]) && type_fits(n, &t))
		n->type = t;
}

static void
repeat_interleave_compose(Node *n, bool training, Node **res)
{
	Type t = interleaved(n);
	int d = attr(n, RI_DIM)->set ? attr_dim(n, RI_DIM, t.rank) : 0;

	(void)training;
	res[0] = times_over(Reshape(n->in[0], t.dim, t.rank), d, attr(n, RI_REPEATS)->dims[0], 1);
}

static const AttrSpec repeat_interleave_attr[] = {
	[RI_REPEATS] = {"repeats", A_DIM, NULL, "how often each element comes", NULL},
	[RI_DIM]     = {"dim", A_INT, "null", "along which dimension; null: all as one", NULL},
	{0}
};
const Op op_repeat_interleave = {.name = "repeat_interleave", .id = OP_repeat_interleave, .kind = COMPOSITE,
	.min_in = 1, .max_in = 1, .attr = repeat_interleave_attr, .operands = "input",
	.doc = "each element of a dimension several times in a row",
	.shape = repeat_interleave_shape, .compose = repeat_interleave_compose};

/* ---- movedim ---- */

enum { MOVE_SOURCE, MOVE_DESTINATION };

/* perm[i]: which dimension comes to place i. False after an error */
static bool
moved(Node *n, int *perm)
{
	const Attr *from = attr(n, MOVE_SOURCE), *to = attr(n, MOVE_DESTINATION);
	int rank = n->in[0]->type.rank, source[MAXRANK], dest[MAXRANK], next = 0;
	bool gone[MAXRANK] = {0};

	if (from->n != to->n) {
		type_error(n, "%d dimensions to %d places", from->n, to->n);
		return false;
	}
	if (!dims_listed(n, MOVE_SOURCE, rank, source) || !dims_listed(n, MOVE_DESTINATION, rank, dest))
		return false;
	for (int i = 0; i < rank; i++)
		perm[i] = -1;
	for (int i = 0; i < from->n && rank; i++) {
		perm[dest[i]] = source[i];
		gone[source[i]] = true;
	}
	for (int i = 0; i < rank; i++) {
		if (perm[i] >= 0)
			continue;
		while (gone[next])
			next++;
		perm[i] = next++;
	}
	return true;
}

static void
movedim_shape(Node *n)
{
	const Type *in = &n->in[0]->type;
	Type t = *in;
	int perm[MAXRANK];

	if (!moved(n, perm))
		return;
	for (int i = 0; i < t.rank; i++)
		t.dim[i] = in->dim[perm[i]];
	n->type = t;
}

static void
movedim_compose(Node *n, bool training, Node **res)
{
	int perm[MAXRANK];

	(void)training;
	moved(n, perm);
	res[0] = Permute(n->in[0], perm);
}

static const AttrSpec movedim_attr[] = {
	[MOVE_SOURCE]      = {"source", A_INTS, NULL, "dimensions that move", NULL},
	[MOVE_DESTINATION] = {"destination", A_INTS, NULL, "where each comes to be; the others keep their order", NULL},
	{0}
};
const Op op_movedim = {.name = "movedim", .alias = "moveaxis", .id = OP_movedim, .kind = COMPOSITE,
	.min_in = 1, .max_in = 1, .flags = ALIAS, .attr = movedim_attr, .operands = "input",
	.doc = "dimensions moved to other places", .shape = movedim_shape, .compose = movedim_compose};

/* ---- unbind ---- */

static void
unbind_shape(Node *n)
{
	Type t = n->in[0]->type;
	int d = norm_dim(n, attr(n, 0)->i, t.rank);

	if (d < 0)
		return;
	if (!t.rank || t.dim[d].sym || t.dim[d].k < 1 || t.dim[d].k > 4096) {
		type_error(n, "%s is %s, must have a static dimension of 1 to 4096 elements", nn(n->in[0]), tt(n->in[0]));
		return;
	}
	n->nres = (int)t.dim[d].k;
	n->res = NEW(n->g->arena, n->nres, Type);
	type_drop(&t, d);
	for (int i = 0; i < n->nres; i++)
		n->res[i] = t;
	n->type = t;
}

static void
unbind_compose(Node *n, bool training, Node **res)
{
	int d = attr_dim(n, 0, n->in[0]->type.rank);

	(void)training;
	for (int i = 0; i < n->nres; i++)
		res[i] = Reshape(Slice(n->in[0], d, DIM(i), DIM(i + 1), 1), n->type.dim, n->type.rank);
}

static const AttrSpec unbind_attr[] = {
	{"dim", A_INT, "0", "dimension to take apart", NULL},
	{0}
};
const Op op_unbind = {.name = "unbind", .id = OP_unbind, .kind = COMPOSITE, .min_in = 1, .max_in = 1, .nres = -1,
	.attr = unbind_attr, .operands = "input", .doc = "the slices of a dimension, one result each",
	.shape = unbind_shape, .compose = unbind_compose};

/* ---- diagonal ---- */

enum { DIAG_OFFSET, DIAG_DIM1, DIAG_DIM2 };

/* two different dimensions of a tensor of that rank; false after an error */
static bool
two_dims(Node *n, int rank, int64_t first, int64_t second, int *d1, int *d2)
{
	if ((*d1 = norm_dim(n, first, rank)) < 0 || (*d2 = norm_dim(n, second, rank)) < 0)
		return false;
	if (*d1 != *d2)
		return true;
	type_error(n, "dimensions %lld and %lld are the same", (long long)first, (long long)second);
	return false;
}

/* elements of the diagonal of a matrix of these sizes */
static int64_t
diagonal_count(int64_t rows, int64_t columns, int64_t offset)
{
	int64_t n = offset < 0 ? MIN(rows + offset, columns) : MIN(rows, columns - offset);

	return MAX(n, 0);
}

/* rows and columns are static and not so many that an index overflows; false after an error */
static bool
static_matrix(Node *n, Dim rows, Dim columns, int64_t offset)
{
	if (rows.sym || columns.sym) {
		type_error(n, "%s is %s: a diagonal of a symbolic dimension", nn(n->in[0]), tt(n->in[0]));
		return false;
	}
	if (offset >= -rows.k && offset <= columns.k)
		return true;
	type_error(n, "diagonal %lld is outside of %s, which is %s", (long long)offset, nn(n->in[0]), tt(n->in[0]));
	return false;
}

static void
diagonal_shape(Node *n)
{
	const Type *in = &n->in[0]->type;
	int64_t offset = attr(n, DIAG_OFFSET)->i;
	Type t = {.dt = in->dt};
	int d1, d2;

	if (in->rank < 2) {
		type_error(n, "%s is %s, must have at least two dimensions", nn(n->in[0]), tt(n->in[0]));
		return;
	}
	if (!two_dims(n, in->rank, attr(n, DIAG_DIM1)->i, attr(n, DIAG_DIM2)->i, &d1, &d2)
		|| !static_matrix(n, in->dim[d1], in->dim[d2], offset))
		return;
	for (int i = 0; i < in->rank; i++)
		if (i != d1 && i != d2)
			t.dim[t.rank++] = in->dim[i];
	t.dim[t.rank++] = DIM(diagonal_count(in->dim[d1].k, in->dim[d2].k, offset));
	n->type = t;
}

/* x with dimensions d1 and d2 behind the others */
static Node *
to_back(Node *x, int d1, int d2)
{
	int perm[MAXRANK], r = 0;

	for (int i = 0; i < x->type.rank; i++)
		if (i != d1 && i != d2)
			perm[r++] = i;
	perm[r++] = d1;
	perm[r] = d2;
	return Permute(x, perm);
}

/* rows one after another: the diagonal is every (columns + 1)-th element from its first one on */
static Node *
diagonal(Node *x, int d1, int d2, int64_t offset)
{
	Dim rows = x->type.dim[d1], columns = x->type.dim[d2];
	int64_t count = diagonal_count(rows.k, columns.k, offset), first = offset < 0 ? -offset * columns.k : offset;
	Type t;

	x = to_back(x, d1, d2);
	t = x->type;
	t.rank--;
	t.dim[t.rank - 1] = DIM(rows.k * columns.k);
	x = Reshape(x, t.dim, t.rank);
	if (!count)
		return Slice(x, t.rank - 1, DIM(0), DIM(0), 1);
	return Slice(x, t.rank - 1, DIM(first), DIM(first + (count - 1) * (columns.k + 1) + 1), columns.k + 1);
}

static void
diagonal_compose(Node *n, bool training, Node **res)
{
	int rank = n->in[0]->type.rank;

	(void)training;
	res[0] = diagonal(n->in[0], attr_dim(n, DIAG_DIM1, rank), attr_dim(n, DIAG_DIM2, rank), attr(n, DIAG_OFFSET)->i);
}

#define DIAGONAL_ATTRS(first, second) \
	[DIAG_OFFSET] = {"offset", A_INT, "0", "0 is the main one, positive ones lie above it", NULL}, \
	[DIAG_DIM1]   = {"dim1", A_INT, first, "dimension of the rows", NULL}, \
	[DIAG_DIM2]   = {"dim2", A_INT, second, "dimension of the columns", NULL}
static const AttrSpec diagonal_attr[] = {
	DIAGONAL_ATTRS("0", "1"),
	{0}
};
const Op op_diagonal = {.name = "diagonal", .id = OP_diagonal, .kind = COMPOSITE, .min_in = 1, .max_in = 1,
	.attr = diagonal_attr, .operands = "input", .doc = "the diagonal of two dimensions, as a new last dimension",
	.shape = diagonal_shape, .compose = diagonal_compose};

/* ---- diag_embed ---- */

static void
diag_embed_shape(Node *n)
{
	const Type *in = &n->in[0]->type;
	int64_t offset = attr(n, DIAG_OFFSET)->i, size;
	Type t = {.dt = in->dt, .rank = in->rank + 1};
	int d1, d2;

	if (!in->rank || t.rank > MAXRANK) {
		type_error(n, "%s is %s, must have 1 to %d dimensions", nn(n->in[0]), tt(n->in[0]), MAXRANK - 1);
		return;
	}
	if (!two_dims(n, t.rank, attr(n, DIAG_DIM1)->i, attr(n, DIAG_DIM2)->i, &d1, &d2))
		return;
	if (in->dim[in->rank - 1].sym) {
		type_error(n, "%s is %s: a diagonal of a symbolic dimension", nn(n->in[0]), tt(n->in[0]));
		return;
	}
	if (offset == INT64_MIN || !add_ok(in->dim[in->rank - 1].k, offset < 0 ? -offset : offset, &size)) {
		type_error(n, "sizes overflow");
		return;
	}
	for (int i = 0, from = 0; i < t.rank; i++)
		t.dim[i] = i == d1 || i == d2 ? DIM(size) : in->dim[from++];
	if (type_fits(n, &t))
		n->type = t;
}

/* element i of the last dimension stands in row i, or where the diagonal lies below the main one, i - offset */
static void
diag_embed_compose(Node *n, bool training, Node **res)
{
	int64_t offset = attr(n, DIAG_OFFSET)->i;
	int rank = n->type.rank, d1 = attr_dim(n, DIAG_DIM1, rank), d2 = attr_dim(n, DIAG_DIM2, rank), perm[MAXRANK];
	Dim low[MAXRANK] = {{0}}, high[MAXRANK] = {{0}}, size = n->type.dim[d1];
	Type plane = {.dt = I64, .rank = 2, .dim = {size, size}};
	Node *x, *on = Eq(Sub(Iota(n->g, plane, 1), Iota(n->g, plane, 0)), LitI(n->g, I64, offset));

	(void)training;
	*(offset < 0 ? &low[rank - 2] : &high[rank - 2]) = DIM(offset < 0 ? -offset : offset);
	x = Unsqueeze(Pad(n->in[0], low, high, 0), rank - 1);
	x = Where(on, x, Lit(x, 0));
	for (int i = 0, from = 0; i < rank; i++)
		perm[i] = i == d1 ? rank - 2 : i == d2 ? rank - 1 : from++;
	res[0] = Permute(x, perm);
}

static const AttrSpec diag_embed_attr[] = {
	DIAGONAL_ATTRS("-2", "-1"),
	{0}
};
const Op op_diag_embed = {.name = "diag_embed", .id = OP_diag_embed, .kind = COMPOSITE, .min_in = 1, .max_in = 1,
	.attr = diag_embed_attr, .operands = "input",
	.doc = "the last dimension as the diagonal of two dimensions, zeros beside it",
	.shape = diag_embed_shape, .compose = diag_embed_compose};

/* ---- trace ---- */

static void
trace_shape(Node *n)
{
	const Type *in = &n->in[0]->type;

	if (in->rank != 2)
		type_error(n, "%s is %s, must be a matrix", nn(n->in[0]), tt(n->in[0]));
	else if (static_matrix(n, in->dim[0], in->dim[1], 0))
		n->type = type_scalar(dtype_float(in->dt) ? in->dt : in->dt == U64 ? U64 : I64);
}

static void
trace_compose(Node *n, bool training, Node **res)
{
	(void)training;
	res[0] = Sum(diagonal(n->in[0], 0, 1, 0), (int[]){0}, 1, false);
}

const Op op_trace = {.name = "trace", .id = OP_trace, .kind = COMPOSITE, .min_in = 1, .max_in = 1,
	.operands = "input", .doc = "sum of the diagonal of a matrix, as sum has it",
	.shape = trace_shape, .compose = trace_compose};

/* ---- rot90 ---- */

enum { ROT_K, ROT_DIMS };

static int
quarters(const Node *n)
{
	return (int)((attr(n, ROT_K)->i % 4 + 4) % 4);
}

static bool
rotation_plane(Node *n, int *d1, int *d2)
{
	const Attr *a = attr(n, ROT_DIMS);

	if (a->n == 2)
		return two_dims(n, n->in[0]->type.rank, a->ints[0], a->ints[1], d1, d2);
	type_error(n, "\"dims\" has %d entries, must have two", a->n);
	return false;
}

static void
rot90_shape(Node *n)
{
	Type t = n->in[0]->type;
	int d1, d2;

	if (!rotation_plane(n, &d1, &d2))
		return;
	if (quarters(n) % 2) {
		Dim d = t.dim[d1];
		t.dim[d1] = t.dim[d2];
		t.dim[d2] = d;
	}
	n->type = t;
}

static void
rot90_compose(Node *n, bool training, Node **res)
{
	Node *x = n->in[0];
	int d1, d2;

	(void)training;
	rotation_plane(n, &d1, &d2);
	switch (quarters(n)) {
	case 0: res[0] = x; break;
	case 1: res[0] = Transpose(Flip(x, &d2, 1), d1, d2); break;
	case 2: res[0] = Flip(x, (int[]){d1, d2}, 2); break;
	case 3: res[0] = Transpose(Flip(x, &d1, 1), d1, d2); break;
	}
}

static const AttrSpec rot90_attr[] = {
	[ROT_K]    = {"k", A_INT, "1", "quarter turns, from the first of dims towards the second", NULL},
	[ROT_DIMS] = {"dims", A_INTS, "[0, 1]", "the two dimensions of the plane", NULL},
	{0}
};
const Op op_rot90 = {.name = "rot90", .id = OP_rot90, .kind = COMPOSITE, .min_in = 1, .max_in = 1,
	.attr = rot90_attr, .operands = "input", .doc = "a plane of two dimensions turned by quarters",
	.shape = rot90_shape, .compose = rot90_compose};

/* ---- meshgrid ---- */

static bool
swaps(const Node *n)
{
	return *attr(n, 0)->s == 'x' && n->nin > 1;
}

/* the dimension of the results that operand i runs along */
static int
mesh_dim(const Node *n, int i)
{
	return swaps(n) && i < 2 ? 1 - i : i;
}

static void
meshgrid_shape(Node *n)
{
	Type t = {.dt = n->in[0]->type.dt, .rank = n->nin};

	if (n->nin > MAXRANK) {
		type_error(n, "the result has %d dimensions; at most %d are possible", n->nin, MAXRANK);
		return;
	}
	if (!same_dtype(n, 0))
		return;
	for (int i = 0; i < n->nin; i++) {
		const Type *in = &n->in[i]->type;
		if (in->rank > 1) {
			type_error_in(n, i, "%s is %s, must be a vector or a scalar", nn(n->in[i]), tt(n->in[i]));
			return;
		}
		t.dim[mesh_dim(n, i)] = in->rank ? in->dim[0] : DIM(1);
	}
	if (!type_fits(n, &t))
		return;
	n->nres = n->nin;
	n->res = NEW(n->g->arena, n->nin, Type);
	for (int i = 0; i < n->nin; i++)
		n->res[i] = t;
	n->type = t;
}

static void
meshgrid_compose(Node *n, bool training, Node **res)
{
	(void)training;
	for (int i = 0; i < n->nin; i++) {
		Dim dim[MAXRANK];
		for (int k = 0; k < n->nin; k++)
			dim[k] = k == mesh_dim(n, i) ? n->type.dim[k] : DIM(1);
		res[i] = Expand(Reshape(n->in[i], dim, n->nin), n->type.dim, n->nin);
	}
}

static const AttrSpec meshgrid_attr[] = {
	{"indexing", A_STR, "\"ij\"", "ij: operand i runs along dimension i; xy: the first two change places", "ij xy"},
	{0}
};
const Op op_meshgrid = {.name = "meshgrid", .id = OP_meshgrid, .kind = COMPOSITE, .min_in = 1, .max_in = -1, .nres = -1,
	.attr = meshgrid_attr, .operands = "input", .doc = "vectors, each repeated along the dimensions of the others",
	.shape = meshgrid_shape, .compose = meshgrid_compose};

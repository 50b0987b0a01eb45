/* compose_index: composites that read and write by index: index, index_put, take,
 * put, index_add, index_copy, index_fill, scatter_reduce, embedding_bag,
 * masked_fill, masked_scatter.
 *
 * Where PyTorch counts negative indices from the end, so do these. Several index
 * tensors become one index into their dimensions flattened. */
#include "ir.h"

#include <math.h>
#include <string.h>

static int
dim_of(const Node *n)
{
	return dim_index(attr_of(n, "dim")->i, n->in[0]->type.rank);
}

static bool
is_index(Node *n, int i)
{
	if (dtype_integer(n->in[i]->type.dt))
		return true;
	if (n->in[i]->type.dt == BOOL)
		type_error_in(n, i, "index %s is %s: how many elements a mask selects depends on data; "
			"where chooses by a mask", nn(n->in[i]), tt(n->in[i]));
	else
		type_error_in(n, i, "index %s is %s, must be of integers", nn(n->in[i]), tt(n->in[i]));
	return false;
}

/* i64 index whose negative values count from the end */
static Node *
from_end(Node *index, Dim size)
{
	bool may = dtype_class(index->type.dt) == C_INT;

	index = Cast(index, I64);
	if (!may)
		return index;
	return Where(Lt(index, LitI(index->g, I64, 0)), Add(index, DimSize(index->g, size, I64)), index);
}

static Node *
flat(Node *x)
{
	Dim count = type_count(&x->type);

	return Reshape(x, &count, 1);
}

/* ---- index, index_put ---- */

typedef struct Selection {
	int n, dim[MAXRANK];           /* the dimensions that are indexed, ascending */
	int at;                        /* where the dimensions of the index go in the result */
	Type index;                    /* of all index tensors together */
	Type result;
} Selection;

/* how many operands of n are indices; they follow the input */
static int
index_count(const Node *n)
{
	return n->op->id == OP_index_put ? n->nin - 2 : n->nin - 1;
}

static bool
selected_dims(Node *n, Selection *s)
{
	const Attr *a = attr_of(n, "dims");
	int rank = n->in[0]->type.rank, i;

	s->n = index_count(n);
	if (s->n > rank || (a->set && a->n != s->n)) {
		type_error(n, "%d index tensors for %d dimensions of %s, which is %s", s->n, a->set ? a->n : rank, nn(n->in[0]),
			tt(n->in[0]));
		return false;
	}
	op_attr(n->op, "dims", &i);
	for (int k = 0; k < s->n && !a->set; k++)
		s->dim[k] = k;
	for (int k = 0; k < s->n && a->set; k++) {
		if ((s->dim[k] = norm_dim(n, a->ints[k], rank)) < 0)
			return false;
		if (k && s->dim[k] <= s->dim[k - 1]) {
			type_error(n, "\"dims\" must ascend");
			return false;
		}
	}
	return true;
}

/* NumPy's rule: the dimensions of the index stand where neighbours were indexed, else in front */
static bool
selection(Node *n, Selection *s)
{
	const Type *x = &n->in[0]->type;
	int taken = 0;

	if (!selected_dims(n, s) || !broadcast(n, (const Node *const *)n->in + 1, s->n, &s->index))
		return false;
	for (int k = 0; k < s->n; k++)
		if (!is_index(n, k + 1))
			return false;
	s->at = s->dim[s->n - 1] - s->dim[0] == s->n - 1 ? s->dim[0] : 0;
	s->result = (Type){.dt = x->dt};
	if (x->rank - s->n + s->index.rank > MAXRANK) {
		type_error(n, "the result has more than %d dimensions", MAXRANK);
		return false;
	}
	for (int d = 0; d <= x->rank; d++) {
		if (s->result.rank == s->at && taken == 0) {
			memcpy(&s->result.dim[s->at], s->index.dim, (size_t)s->index.rank * sizeof *s->index.dim);
			s->result.rank += s->index.rank;
			taken = 1;
		}
		bool gone = d == x->rank;
		for (int k = 0; k < s->n; k++)
			gone |= s->dim[k] == d;
		if (!gone)
			s->result.dim[s->result.rank++] = x->dim[d];
	}
	for (int k = 0; k < s->n; k++)
		if (!x->dim[s->dim[k]].k && type_count(&s->index).k) {
			type_error_in(n, 0, "dimension %d of %s, which is %s, has no element", s->dim[k], nn(n->in[0]), tt(n->in[0]));
			return false;
		}
	return type_fits(n, &s->result);
}

static void
index_shape(Node *n)
{
	Selection s;

	if (selection(n, &s))
		n->type = s.result;
}

/* indexed dimensions first, the others behind them */
static void
indexed_first(const Selection *s, int rank, int *perm)
{
	int k = 0;

	for (; k < s->n; k++)
		perm[k] = s->dim[k];
	for (int d = 0; d < rank; d++) {
		bool indexed = false;
		for (int i = 0; i < s->n; i++)
			indexed |= s->dim[i] == d;
		if (!indexed)
			perm[k++] = d;
	}
}

static Dim
product(const Dim *d, int n)
{
	Dim p = DIM(1);

	for (int i = 0; i < n; i++)
		if (!dim_mul(p, d[i], &p))
			bug("index: the count overflows");
	return p;
}

/* x as a matrix: indexed dimensions are rows, the others columns */
static Node *
as_rows(Node *x, const Selection *s)
{
	int perm[MAXRANK];

	indexed_first(s, x->type.rank, perm);
	x = Permute(x, perm);
	return Reshape(x, (Dim[]){product(x->type.dim, s->n), product(x->type.dim + s->n, x->type.rank - s->n)}, 2);
}

/* the row of each index, over all columns; one that is out of range in any dimension is out of range */
static Node *
row_index(const Node *n, const Selection *s, Dim columns)
{
	const Type *x = &n->in[0]->type;
	Graph *g = n->g;
	Node *row = NULL, *good = NULL, *zero = LitI(g, I64, 0);
	Dim count = type_count(&s->index);

	for (int k = 0; k < s->n; k++) {
		Dim size = x->dim[s->dim[k]];
		Node *i = from_end(n->in[k + 1], size), *bound = DimSize(g, size, I64);
		Node *inside = LogicalAnd(Ge(i, zero), Lt(i, bound));
		row = row ? Add(Mul(row, bound), i) : i;
		good = good ? LogicalAnd(good, inside) : inside;
	}
	if (s->n > 1)
		row = Where(good, row, LitI(g, I64, -1));
	row = Reshape(Expand(row, s->index.dim, s->index.rank), (Dim[]){count, DIM(1)}, 2);
	return Expand(row, (Dim[]){count, columns}, 2);
}

/* whether the dimensions of the index are moved: from the front to s->at, or back */
static void
index_moved(const Selection *s, int rank, int *perm, bool back)
{
	int r = s->index.rank, to[MAXRANK], k = 0;

	for (int d = 0; d < s->at; d++)
		to[k++] = r + d;
	for (int d = 0; d < r; d++)
		to[k++] = d;
	for (int d = r + s->at; d < rank; d++)
		to[k++] = d;
	for (int d = 0; d < rank; d++)
		perm[back ? to[d] : d] = back ? d : to[d];
}

static void
index_compose(Node *n, bool training, Node **res)
{
	Node *x = n->in[0], *rows, *y;
	Dim dim[MAXRANK];
	int perm[MAXRANK], rest = x->type.rank;
	Selection s;

	(void)training;
	selection(n, &s);
	rest -= s.n;
	rows = as_rows(x, &s);
	y = Gather(rows, 0, row_index(n, &s, rows->type.dim[1]));
	indexed_first(&s, x->type.rank, perm);
	memcpy(dim, s.index.dim, sizeof dim);
	for (int d = 0; d < rest; d++)
		dim[s.index.rank + d] = x->type.dim[perm[s.n + d]];
	index_moved(&s, n->type.rank, perm, false);
	res[0] = Permute(Reshape(y, dim, s.index.rank + rest), perm);
}

static void
index_put_shape(Node *n)
{
	Node *v = n->in[n->nin - 1];
	Selection s;
	int extra;

	if (!dtype_as(n, n->nin - 1, 0) || !selection(n, &s))
		return;
	extra = s.result.rank - v->type.rank;
	for (int d = 0; d < v->type.rank; d++)
		if (extra < 0 || (!dim_one(v->type.dim[d]) && !dim_eq(v->type.dim[d], s.result.dim[d + extra]))) {
			type_error_in(n, n->nin - 1, "values %s, which are %s, do not broadcast to what is indexed, which is %s",
				nn(v), tt(v), type_text(n->g->arena, n->g, &s.result));
			return;
		}
	if (n->in[0]->type.dt == BOOL && attr_of(n, "accumulate")->i)
		type_error_in(n, 0, "%s is %s; bool has no sum", nn(n->in[0]), tt(n->in[0]));
	else
		n->type = n->in[0]->type;
}

static void
index_put_compose(Node *n, bool training, Node **res)
{
	Node *x = n->in[0], *rows, *index, *v;
	int perm[MAXRANK], inverse[MAXRANK];
	Dim dim[MAXRANK];
	Selection s;

	(void)training;
	selection(n, &s);
	rows = as_rows(x, &s);
	index = row_index(n, &s, rows->type.dim[1]);
	v = Expand(n->in[n->nin - 1], s.result.dim, s.result.rank);
	index_moved(&s, s.result.rank, perm, true);
	v = Reshape(Permute(v, perm), index->type.dim, 2);
	rows = Scatter(attr_of(n, "accumulate")->i ? OP_scatter_add : OP_scatter, rows, 0, index, v);
	indexed_first(&s, x->type.rank, perm);
	for (int d = 0; d < x->type.rank; d++) {
		dim[d] = x->type.dim[perm[d]];
		inverse[perm[d]] = d;
	}
	res[0] = Permute(Reshape(rows, dim, x->type.rank), inverse);
}

static const AttrSpec index_attr[] = {
	{"dims", A_INTS, "null", "the dimensions that the indices select in, ascending; null: the first ones", NULL},
	{0}
};
const Op op_index = {.name = "index", .id = OP_index, .kind = COMPOSITE, .min_in = 2, .max_in = -1,
	.attr = index_attr, .operands = "input indices",
	.doc = "elements at indices that broadcast against each other, as NumPy's x[i, :, j]; negative ones count from the end",
	.shape = index_shape, .compose = index_compose};

static const AttrSpec index_put_attr[] = {
	{"accumulate", A_BOOL, "false", "values are added; else the last of several at one place stays", NULL},
	{"dims", A_INTS, "null", "the dimensions that the indices select in, ascending; null: the first ones", NULL},
	{0}
};
const Op op_index_put = {.name = "index_put", .id = OP_index_put, .kind = COMPOSITE, .min_in = 3, .max_in = -1,
	.attr = index_put_attr, .operands = "input indices values",
	.doc = "the input with values at indices, which are as those of index",
	.shape = index_put_shape, .compose = index_put_compose};

/* ---- take, put ---- */

static void
take_shape(Node *n)
{
	Type t = n->in[1]->type;
	bool put = n->op->id == OP_put;

	t.dt = n->in[0]->type.dt;
	if (!is_index(n, 1) || (put && !dtype_as(n, 2, 0)))
		return;
	if (!type_count(&n->in[0]->type).k && type_count(&t).k)
		type_error_in(n, 0, "%s is %s: there is no element to select", nn(n->in[0]), tt(n->in[0]));
	else if (put && !dim_eq(type_count(&t), type_count(&n->in[2]->type)))
		type_error_in(n, 2, "as many elements as indices are needed: %s is %s, %s is %s", nn(n->in[1]), tt(n->in[1]),
			nn(n->in[2]), tt(n->in[2]));
	else if (put && n->in[0]->type.dt == BOOL && attr_of(n, "accumulate")->i)
		type_error_in(n, 0, "%s is %s; bool has no sum", nn(n->in[0]), tt(n->in[0]));
	else
		n->type = put ? n->in[0]->type : t;
}

static void
take_compose(Node *n, bool training, Node **res)
{
	Node *x = flat(n->in[0]), *index = flat(from_end(n->in[1], x->type.dim[0]));

	(void)training;
	if (n->op->id == OP_put)
		x = Scatter(attr_of(n, "accumulate")->i ? OP_scatter_add : OP_scatter, x, 0, index, flat(n->in[2]));
	else
		x = Gather(x, 0, index);
	res[0] = Reshape(x, n->type.dim, n->type.rank);
}

static const AttrSpec put_attr[] = {
	{"accumulate", A_BOOL, "false", "elements are added; else the last of several at one place stays", NULL},
	{0}
};
const Op op_take = {.name = "take", .id = OP_take, .kind = COMPOSITE, .min_in = 2, .max_in = 2,
	.operands = "input index", .doc = "elements of the flattened input; negative indices count from the end",
	.shape = take_shape, .compose = take_compose};
const Op op_put = {.name = "put", .id = OP_put, .kind = COMPOSITE, .min_in = 3, .max_in = 3,
	.attr = put_attr, .operands = "input index source",
	.doc = "the input with elements of source at indices of the flattened input; negative ones count from the end",
	.shape = take_shape, .compose = take_compose};

/* ---- index_add, index_copy, index_fill ---- */

/* the type of what is written at a vector of indices along dim; false after an error */
static bool
slices_type(Node *n, Type *t)
{
	const Type *index = &n->in[1]->type;
	int dim = norm_dim(n, attr_of(n, "dim")->i, n->in[0]->type.rank);

	*t = n->in[0]->type;
	if (dim < 0 || !is_index(n, 1))
		return false;
	if (index->rank > 1) {
		type_error_in(n, 1, "index %s is %s, must be a vector", nn(n->in[1]), tt(n->in[1]));
		return false;
	}
	if (t->rank && !t->dim[dim].k && type_count(index).k) {
		type_error_in(n, 0, "dimension %d of %s, which is %s, has no element", dim, nn(n->in[0]), tt(n->in[0]));
		return false;
	}
	if (t->rank)
		t->dim[dim] = type_count(index);
	return true;
}

static void
index_write_shape(Node *n)
{
	const Node *src = n->nin > 2 ? n->in[2] : NULL;
	Type t;

	if ((src && !dtype_as(n, 2, 0)) || !slices_type(n, &t))
		return;
	if (src && !shape_eq(&src->type, &t))
		type_error_in(n, 2, "%s is %s, must be %s", nn(src), tt(src), type_text(n->g->arena, n->g, &t));
	else if (!src && !literal_fits(attr_of(n, "value"), t.dt))
		type_error(n, "\"value\" is not a value of %s", dtype_name(t.dt));
	else if (t.dt == BOOL && n->op->id == OP_index_add)
		type_error_in(n, 0, "%s is %s; bool has no sum", nn(n->in[0]), tt(n->in[0]));
	else
		n->type = n->in[0]->type;
}

/* the vector of indices repeated over the slices that are written */
static Node *
over_slices(Node *index, const Node *x, int dim)
{
	Dim one[MAXRANK], all[MAXRANK], count = type_count(&index->type);

	for (int d = 0; d < x->type.rank; d++) {
		one[d] = d == dim ? count : DIM(1);
		all[d] = d == dim ? count : x->type.dim[d];
	}
	return Expand(Reshape(index, one, x->type.rank), all, x->type.rank);
}

static Node *
number_as(const Node *n, const char *name, DType d)
{
	const Attr *a = attr_of(n, name);

	return dtype_float(d) ? Full(n->g, type_scalar(d), a->f) : LitI(n->g, d, a->i);
}

static void
index_write_compose(Node *n, bool training, Node **res)
{
	Node *x = n->in[0], *index = n->in[1], *src = n->nin > 2 ? n->in[2] : NULL;
	int dim = dim_of(n);
	DType dt = x->type.dt;

	(void)training;
	if (!src)
		index = from_end(index, x->type.rank ? x->type.dim[dim] : DIM(1));
	index = over_slices(index, x, dim);
	if (!src)
		src = Expand(number_as(n, "value", dt), index->type.dim, index->type.rank);
	if (n->op->id != OP_index_add)
		res[0] = Scatter(OP_scatter, x, dim, index, src);
	else
		res[0] = ScatterAdd(x, dim, index, Mul(src, number_as(n, "alpha", dt)));
}

static const AttrSpec index_add_attr[] = {
	{"dim", A_INT, NULL, "the dimension that index selects in", NULL},
	{"alpha", A_NUM, "1", "what the source is multiplied by", NULL},
	{0}
};
static const AttrSpec index_copy_attr[] = {
	{"dim", A_INT, NULL, "the dimension that index selects in", NULL},
	{0}
};
static const AttrSpec index_fill_attr[] = {
	{"dim", A_INT, NULL, "the dimension that index selects in", NULL},
	{"value", A_NUM, NULL, "what is written", NULL},
	{0}
};
const Op op_index_add = {.name = "index_add", .id = OP_index_add, .kind = COMPOSITE, .min_in = 3, .max_in = 3,
	.attr = index_add_attr, .operands = "input index source",
	.doc = "the input with slices of source added at a vector of indices",
	.shape = index_write_shape, .compose = index_write_compose};
const Op op_index_copy = {.name = "index_copy", .id = OP_index_copy, .kind = COMPOSITE, .min_in = 3, .max_in = 3,
	.attr = index_copy_attr, .operands = "input index source",
	.doc = "the input with slices of source at a vector of indices; of several at one place the last",
	.shape = index_write_shape, .compose = index_write_compose};
const Op op_index_fill = {.name = "index_fill", .id = OP_index_fill, .kind = COMPOSITE, .min_in = 2, .max_in = 2,
	.attr = index_fill_attr, .operands = "input index",
	.doc = "the input with a number at a vector of indices; negative ones count from the end",
	.shape = index_write_shape, .compose = index_write_compose};

/* ---- index_reduce ---- */

static void
index_reduce_shape(Node *n)
{
	const char *how = attr_of(n, "reduce")->s;

	if (n->in[0]->type.dt == BOOL && strncmp(how, "am", 2))
		type_error_in(n, 0, "%s is %s; bool has no %s", nn(n->in[0]), tt(n->in[0]), how);
	else
		index_write_shape(n);
}

static void
index_reduce_compose(Node *n, bool training, Node **res)
{
	const Op *op = op_get(OP_scatter_reduce);
	Attr *a = attrs_new(n->g, op);
	int dim = dim_of(n);
	Node *in[] = {n->in[0], over_slices(n->in[1], n->in[0], dim), n->in[2]};

	(void)training;
	set_int(op, a, "dim", dim);
	set_str(n->g, op, a, "reduce", attr_of(n, "reduce")->s);
	set_bool(op, a, "include_self", attr_of(n, "include_self")->i);
	res[0] = node(n->g, op, in, 3, a);
}

static const AttrSpec index_reduce_attr[] = {
	{"dim", A_INT, NULL, "the dimension that index selects in", NULL},
	{"reduce", A_STR, NULL, "what becomes of the slices at one place", "prod mean amax amin"},
	{"include_self", A_BOOL, "true", "the input's own slice is one of them, where there are others", NULL},
	{0}
};
const Op op_index_reduce = {.name = "index_reduce", .id = OP_index_reduce, .kind = COMPOSITE, .min_in = 3, .max_in = 3,
	.attr = index_reduce_attr, .operands = "input index source",
	.doc = "the input combined with slices of source at a vector of indices; a mean of integers is rounded down",
	.shape = index_reduce_shape, .compose = index_reduce_compose};

/* ---- scatter_reduce ---- */

static void
scatter_reduce_shape(Node *n)
{
	const char *how = attr_of(n, "reduce")->s;

	if (n->in[0]->type.dt == BOOL && strncmp(how, "am", 2)) {
		type_error_in(n, 0, "%s is %s; bool has no %s", nn(n->in[0]), tt(n->in[0]), how);
		return;
	}
	op_scatter.shape(n);
}

/* the input as if what is written over had not been there */
static Node *
without_self(Node *n, const char *how)
{
	Node *x = n->in[0], *index = n->in[1], *start;
	bool max = !strcmp(how, "amax"), min = !strcmp(how, "amin");

	if ((max || min) && !dtype_float(x->type.dt))
		start = n->in[2];      /* one of those that are compared */
	else
		start = Expand(Lit(x, max ? -INFINITY : min ? INFINITY : !strcmp(how, "prod")), index->type.dim, index->type.rank);
	return Scatter(OP_scatter, x, dim_of(n), index, start);
}

/* sum / count, rounded down for integers */
static Node *
scattered_mean(Node *n, Node *sum)
{
	Node *x = n->in[0], *index = n->in[1], *one = Lit(x, 1);
	Node *each = Expand(one, index->type.dim, index->type.rank), *count;

	count = attr_of(n, "include_self")->i ? Ones(x) : Zeros(x);
	count = Maximum(ScatterAdd(count, dim_of(n), index, each), one);
	if (dtype_float(x->type.dt))
		return Div(sum, count);
	return Div(Sub(sum, Remainder(sum, count)), count);
}

static void
scatter_reduce_compose(Node *n, bool training, Node **res)
{
	const char *how = attr_of(n, "reduce")->s;
	int op = !strcmp(how, "prod") ? OP_scatter_prod : !strcmp(how, "amax") ? OP_scatter_amax
		: !strcmp(how, "amin") ? OP_scatter_amin : OP_scatter_add;
	Node *x = attr_of(n, "include_self")->i ? n->in[0] : without_self(n, how);

	(void)training;
	res[0] = Scatter(op, x, dim_of(n), n->in[1], n->in[2]);
	if (!strcmp(how, "mean"))
		res[0] = scattered_mean(n, res[0]);
}

static bool
scatter_reduce_index(const Node *n, int i, Dim *bound, int64_t *also)
{
	(void)also;
	*bound = n->in[0]->type.rank ? n->in[0]->type.dim[dim_of(n)] : DIM(1);
	return i == 1;
}

static const AttrSpec scatter_reduce_attr[] = {
	{"dim", A_INT, "0", "the dimension that index selects in", NULL},
	{"reduce", A_STR, NULL, "what becomes of the elements at one place", "sum prod mean amax amin"},
	{"include_self", A_BOOL, "true", "the input's own element is one of them, where there are others", NULL},
	{0}
};
const Op op_scatter_reduce = {.name = "scatter_reduce", .id = OP_scatter_reduce, .kind = COMPOSITE,
	.min_in = 3, .max_in = 3, .attr = scatter_reduce_attr, .operands = "input index src",
	.doc = "the input combined with src[...] at input[..., index[...], ...]; a mean of integers is rounded down",
	.shape = scatter_reduce_shape, .compose = scatter_reduce_compose, .index = scatter_reduce_index};

/* ---- masked_fill, masked_scatter ---- */

static void
masked_shape(Node *n)
{
	const Node *x = n->in[0], *mask = n->in[1];
	bool fill = n->op->id == OP_masked_fill;
	Type t;

	if (mask->type.dt != BOOL) {
		type_error_in(n, 1, "mask %s is %s, must be bool", nn(mask), tt(mask));
		return;
	}
	if (n->nin > 2 && !dtype_as(n, 2, 0))
		return;
	if (fill && (n->nin > 2) == attr_of(n, "value")->set)
		type_error(n, "the value is given %s: as an operand or as the attribute \"value\"", n->nin > 2 ? "twice" : "nowhere");
	else if (fill && n->nin > 2 && n->in[2]->type.rank)
		type_error_in(n, 2, "%s is %s, must be a scalar", nn(n->in[2]), tt(n->in[2]));
	else if (fill && n->nin == 2 && !literal_fits(attr_of(n, "value"), x->type.dt))
		type_error(n, "\"value\" is not a value of %s", dtype_name(x->type.dt));
	else if (!fill && !type_count(&n->in[2]->type).k)
		type_error_in(n, 2, "%s is %s: there is no element to take", nn(n->in[2]), tt(n->in[2]));
	else if (broadcast(n, (const Node *const *)n->in, 2, &t)) {
		t.dt = x->type.dt;
		n->type = t;
	}
}

static void
masked_fill_compose(Node *n, bool training, Node **res)
{
	Node *v = n->nin > 2 ? n->in[2] : number_as(n, "value", n->in[0]->type.dt);

	(void)training;
	res[0] = Where(n->in[1], v, n->in[0]);
}

/* the mask counted so far says which element of the source is next */
static void
masked_scatter_compose(Node *n, bool training, Node **res)
{
	Node *mask = Expand(n->in[1], n->type.dim, n->type.rank), *zero = LitI(n->g, I64, 0), *next, *taken;

	(void)training;
	next = Sub(CumSum(flat(mask), 0, false), LitI(n->g, I64, 1));
	taken = Gather(flat(n->in[2]), 0, Where(flat(mask), next, zero));
	res[0] = Where(mask, Reshape(taken, n->type.dim, n->type.rank), n->in[0]);
}

static const AttrSpec masked_fill_attr[] = {
	{"value", A_NUM, "null", "what is written; null: the third operand, a scalar", NULL},
	{0}
};
const Op op_masked_fill = {.name = "masked_fill", .id = OP_masked_fill, .kind = COMPOSITE, .min_in = 2, .max_in = 3,
	.attr = masked_fill_attr, .operands = "input mask value",
	.doc = "the input with a number where the mask is true",
	.shape = masked_shape, .compose = masked_fill_compose};
const Op op_masked_scatter = {.name = "masked_scatter", .id = OP_masked_scatter, .kind = COMPOSITE, .min_in = 3, .max_in = 3,
	.operands = "input mask source",
	.doc = "the input with elements of source, one after another, where the mask is true",
	.shape = masked_shape, .compose = masked_scatter_compose};

/* ---- embedding_bag ---- */

/* operands that may be absent: offsets are integers, weights per sample floats */
static const Node *
bag_operand(const Node *n, bool offsets)
{
	for (int i = 2; i < n->nin; i++)
		if (dtype_float(n->in[i]->type.dt) != offsets)
			return n->in[i];
	return NULL;
}

static bool
bag_operands(Node *n)
{
	const Node *x = n->in[0], *w = n->in[1], *offsets = bag_operand(n, true), *scale = bag_operand(n, false);

	if (!is_index(n, 0) || !float_operand(n, 1))
		return false;
	if (w->type.rank != 2)
		type_error_in(n, 1, "weight %s is %s, must be a matrix", nn(w), tt(w));
	else if (x->type.rank != (offsets ? 1 : 2))
		type_error_in(n, 0, "%s is %s, must %s", nn(x), tt(x), offsets ? "be a vector, which offsets cut into bags"
			: "have a bag in each row, or offsets must say where bags begin");
	else if (offsets && offsets->type.rank != 1)
		type_error(n, "offsets %s are %s, must be a vector", nn(offsets), tt(offsets));
	else if (scale && (!shape_eq(&scale->type, &x->type) || scale->type.dt != w->type.dt))
		type_error(n, "weights of samples %s are %s, must be like the indices and the weight: %s is %s, %s is %s",
			nn(scale), tt(scale), nn(x), tt(x), nn(w), tt(w));
	else if (scale && strcmp(attr_of(n, "mode")->s, "sum"))
		type_error(n, "samples are weighted in mode \"sum\" alone");
	else
		return true;
	return false;
}

static void
embedding_bag_shape(Node *n)
{
	const Node *offsets;
	Type t = {.rank = 2};

	if (!bag_operands(n))
		return;
	offsets = bag_operand(n, true);
	t.dt = n->in[1]->type.dt;
	t.dim[0] = offsets ? offsets->type.dim[0] : n->in[0]->type.dim[0];
	if (offsets && attr_of(n, "include_last_offset")->i) {
		t.dim[0].k--;
		if (offsets->type.dim[0].sym || t.dim[0].k < 0) {
			type_error(n, "%s is %s: the last offset cannot be left out", nn(offsets), tt(offsets));
			return;
		}
	}
	t.dim[1] = n->in[1]->type.dim[1];
	if (!n->in[1]->type.dim[0].k && type_count(&n->in[0]->type).k)
		type_error_in(n, 1, "%s is %s: there is no element to select", nn(n->in[1]), tt(n->in[1]));
	else
		n->type = t;
}

/* the bag of each index, as a vector */
static Node *
bag_of(const Node *n, Node *offsets)
{
	Node *x = n->in[0], *bag;
	const Op *op = op_get(OP_searchsorted);
	Attr *a = attrs_new(n->g, op);
	Type t = x->type;

	t.dt = I64;
	if (!offsets)
		return flat(Iota(n->g, t, 0));
	set_bool(op, a, "right", true);
	bag = node(n->g, op, (Node *[]){Cast(offsets, I64), Iota(n->g, t, 0)}, 2, a);
	return Sub(bag, LitI(n->g, I64, 1));
}

static void
embedding_bag_compose(Node *n, bool training, Node **res)
{
	const char *mode = attr_of(n, "mode")->s;
	Node *w = n->in[1], *index = flat(n->in[0]), *offsets = (Node *)bag_operand(n, true);
	Node *scale = (Node *)bag_operand(n, false), *bag, *taken, *count, *kept, *y;
	Dim wide[2] = {index->type.dim[0], w->type.dim[1]};
	const Attr *pad = attr_of(n, "padding_idx");

	(void)training;
	if (offsets && attr_of(n, "include_last_offset")->i)
		offsets = Slice(offsets, 0, DIM(0), n->type.dim[0], 1);
	bag = Expand(Unsqueeze(bag_of(n, offsets), 1), wide, 2);
	taken = Gather(w, 0, Expand(Unsqueeze(index, 1), wide, 2));
	kept = Full(n->g, (Type){.dt = BOOL, .rank = 2, .dim = {wide[0], wide[1]}}, 1);
	if (pad->set) {
		Node *row = LitI(n->g, I64, pad->i);
		if (pad->i < 0)
			row = Add(DimSize(n->g, w->type.dim[0], I64), row);
		kept = Expand(Unsqueeze(Ne(Cast(index, I64), row), 1), wide, 2);
	}
	count = ScatterAdd(Full(n->g, n->type, 0), 0, bag, Cast(kept, w->type.dt));
	if (!strcmp(mode, "max")) {
		y = Scatter(OP_scatter_amax, Full(n->g, n->type, -INFINITY), 0, bag, Where(kept, taken, Lit(taken, -INFINITY)));
		res[0] = Where(Gt(count, Lit(count, 0)), y, Lit(y, 0));
		return;
	}
	if (scale)
		taken = Mul(taken, Unsqueeze(flat(scale), 1));
	y = ScatterAdd(Full(n->g, n->type, 0), 0, bag, Where(kept, taken, Lit(taken, 0)));
	res[0] = !strcmp(mode, "mean") ? Div(y, Maximum(count, Lit(count, 1))) : y;
}

static bool
embedding_bag_index(const Node *n, int i, Dim *bound, int64_t *also)
{
	(void)also;
	*bound = n->in[1]->type.dim[0];
	return i == 0;
}

static const AttrSpec embedding_bag_attr[] = {
	{"mode", A_STR, "\"mean\"", "what becomes of the rows of a bag", "sum mean max"},
	{"include_last_offset", A_BOOL, "false", "one more offset says where the last bag ends", NULL},
	{"padding_idx", A_INT, "null", "a row of the weight that counts for nothing", NULL},
	{0}
};
const Op op_embedding_bag = {.name = "embedding_bag", .id = OP_embedding_bag, .kind = COMPOSITE, .min_in = 2, .max_in = 4,
	.attr = embedding_bag_attr, .operands = "input weight offsets per_sample_weights",
	.doc = "rows of the weight, summed up for each row of indices, or between offsets into a vector of them; 0 for none",
	.shape = embedding_bag_shape, .compose = embedding_bag_compose, .index = embedding_bag_index};

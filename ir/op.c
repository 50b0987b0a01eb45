/* op: the table as an array, attribute values, and the builders that derivative
 * rules and decompositions are written with. */
#include "ir.h"

#include <string.h>

static const Op *const table[NOP] = {
#define MAP1(n, N, cost, flags, v, da, doc) [OP_##n] = &op_##n,
#define MAP2(n, N, cost, flags, v, da, db, doc) [OP_##n] = &op_##n,
#define MAP3(n, N, cost, flags, v, da, db, dc, doc) [OP_##n] = &op_##n,
#define INT1(n, v, b)
#define INT2(n, v, b)
#define INT3(n, v, b)
#define OP(n) [OP_##n] = &op_##n,
#include "ops.def"
};

const Op *
op_get(int id)
{
	return table[id];
}

/* most names differ in their first letter */
static bool
same(const char *a, const char *b)
{
	return *a == *b && !strcmp(a, b);
}

const Op *
op_find(const char *name)
{
	for (int i = 0; i < NOP; i++)
		if (same(table[i]->name, name) || (table[i]->alias && same(table[i]->alias, name)))
			return table[i];
	return NULL;
}

int
op_nattr(const Op *op)
{
	int n = 0;

	while (op->attr && op->attr[n].name)
		n++;
	return n;
}

const AttrSpec *
op_attr(const Op *op, const char *name, int *index)
{
	for (int i = 0; i < op_nattr(op); i++)
		if (!strcmp(op->attr[i].name, name)) {
			*index = i;
			return &op->attr[i];
		}
	return NULL;
}

/* ---- attribute values ---- */

/* the items of "[1, 2]", or of a lone integer */
static void
ints_default(Graph *g, const char *text, Attr *a)
{
	int64_t v[16];
	int n = 0;

	for (const char *s = text; *s;) {
		size_t len = strspn(s, "-0123456789");
		if (!len) {
			s++;
			continue;
		}
		if (n == LEN(v) || !parse_int64(arena_copy(g->arena, s, (int64_t)len), &v[n++]))
			bug("default '%s' of an attribute", text);
		s += len;
	}
	a->n = n;
	a->ints = memcpy(NEW(g->arena, MAX(n, 1), int64_t), v, (size_t)n * sizeof *v);
}

Attr
attr_default(Graph *g, const AttrSpec *s)
{
	Attr a = {0};
	int64_t n;

	if (!s->dflt || !strcmp(s->dflt, "null"))
		return a;
	a.set = true;
	switch (s->kind) {
	case A_BOOL:
		a.i = !strcmp(s->dflt, "true");
		break;
	case A_STR:
		n = (int64_t)strlen(s->dflt);
		a.s = intern(g->names, s->dflt + 1, n - 2);
		break;
	case A_DTYPE:
		n = (int64_t)strlen(s->dflt);
		a.i = dtype_parse(arena_copy(g->arena, s->dflt + 1, n - 2));
		break;
	case A_INT:
	case A_NUM:
		a.is_int = parse_int64(s->dflt, &a.i);
		if (!parse_double(s->dflt, &a.f))
			bug("default '%s' of attribute %s", s->dflt, s->name);
		break;
	case A_INTS:
		ints_default(g, s->dflt, &a);
		break;
	case A_SHAPE:
	case A_DIM:
		ints_default(g, s->dflt, &a);
		Dim *d = NEW(g->arena, MAX(a.n, 1), Dim);
		for (int i = 0; i < a.n; i++)
			d[i] = DIM(a.ints[i]);
		a.dims = d;
		a.ints = NULL;
		break;
	case A_FUNCTION:
		bug("a function by default");
	}
	return a;
}

Attr *
attrs_new(Graph *g, const Op *op)
{
	Attr *a = NEW(g->arena, MAX(op_nattr(op), 1), Attr);

	attrs_default(g, op, a);
	return a;
}

static Attr *
slot(const Op *op, Attr *a, const char *name)
{
	int i;

	if (!op_attr(op, name, &i))
		bug("%s has no attribute %s", op->name, name);
	a[i] = (Attr){.set = true};
	return &a[i];
}

void
set_int(const Op *op, Attr *a, const char *name, int64_t v)
{
	Attr *s = slot(op, a, name);

	s->i = v;
	s->f = (double)v;
	s->is_int = true;
}

void
set_num(const Op *op, Attr *a, const char *name, double v)
{
	Attr *s = slot(op, a, name);

	s->f = v;
	if (v >= -9007199254740992.0 && v <= 9007199254740992.0 && v == (double)(int64_t)v
		&& (v != 0 || 1 / v > 0)) {
		s->is_int = true;
		s->i = (int64_t)v;
	}
}

void
set_bool(const Op *op, Attr *a, const char *name, bool v)
{
	slot(op, a, name)->i = v;
}

void
set_str(Graph *g, const Op *op, Attr *a, const char *name, const char *v)
{
	slot(op, a, name)->s = graph_str(g, v);
}

void
set_dtype(const Op *op, Attr *a, const char *name, DType v)
{
	slot(op, a, name)->i = v;
}

void
set_ints(Graph *g, const Op *op, Attr *a, const char *name, const int64_t *v, int n)
{
	Attr *s = slot(op, a, name);
	int64_t *copy = NEW(g->arena, MAX(n, 1), int64_t);

	memcpy(copy, v, (size_t)n * sizeof *v);
	s->n = n;
	s->ints = copy;
}

void
set_axes(Graph *g, const Op *op, Attr *a, const char *name, const int *v, int n)
{
	int64_t wide[MAXRANK];

	for (int i = 0; i < n; i++)
		wide[i] = v[i];
	set_ints(g, op, a, name, wide, n);
}

void
set_dims(Graph *g, const Op *op, Attr *a, const char *name, const Dim *v, int n)
{
	Attr *s = slot(op, a, name);
	Dim *copy = NEW(g->arena, MAX(n, 1), Dim);

	for (int i = 0; i < n; i++)
		copy[i] = v[i];
	s->n = n;
	s->dims = copy;
}

const Attr *
attr_of(const Node *n, const char *name)
{
	int i;

	if (!op_attr(n->op, name, &i))
		bug("%s has no attribute %s", n->op->name, name);
	return &n->attr[i];
}

/* ---- builders: sources ---- */

Node *
Full(Graph *g, Type t, double v)
{
	const Op *op = op_get(OP_full);
	Attr *a = attrs_new(g, op);

	set_num(op, a, "value", v);
	set_dims(g, op, a, "shape", t.dim, t.rank);
	set_dtype(op, a, "type", t.dt);
	return node(g, op, NULL, 0, a);
}

Node *
Lit(const Node *like, double v)
{
	return Full(like->g, type_scalar(like->type.dt), v);
}

Node *
LitI(Graph *g, DType d, int64_t v)
{
	const Op *op = op_get(OP_full);
	Attr *a = attrs_new(g, op);

	set_int(op, a, "value", v);
	set_dims(g, op, a, "shape", NULL, 0);
	set_dtype(op, a, "type", d);
	return node(g, op, NULL, 0, a);
}

Node *
LitA(const Node *like, const Attr *a)
{
	return dtype_float(like->type.dt) ? Lit(like, a->f) : LitI(like->g, like->type.dt, a->i);
}

Node *
Zeros(const Node *like)
{
	return Full(like->g, like->type, 0);
}

Node *
Ones(const Node *like)
{
	return Full(like->g, like->type, 1);
}

Node *
Iota(Graph *g, Type t, int dim)
{
	const Op *op = op_get(OP_iota);
	Attr *a = attrs_new(g, op);

	set_int(op, a, "dim", dim);
	set_dims(g, op, a, "shape", t.dim, t.rank);
	set_dtype(op, a, "type", t.dt);
	return node(g, op, NULL, 0, a);
}

Node *
DimSize(Graph *g, Dim d, DType dt)
{
	const Op *op = op_get(OP_dim_size);
	Attr *a;

	if (!d.sym)
		return dtype_float(dt) ? Full(g, type_scalar(dt), (double)d.k) : LitI(g, dt, d.k);
	a = attrs_new(g, op);
	set_dims(g, op, a, "size", &d, 1);
	set_dtype(op, a, "type", dt);
	return node(g, op, NULL, 0, a);
}

Node *
Cast(Node *x, DType d)
{
	const Op *op = op_get(OP_cast);
	Attr *a;

	if (x->type.dt == d)
		return x;
	a = attrs_new(x->g, op);
	set_dtype(op, a, "type", d);
	return node(x->g, op, &x, 1, a);
}

Node *
Wide(Node *x)
{
	return dtype_half(x->type.dt) ? Cast(x, F32) : x;
}

/* ---- builders: views ---- */

static bool
same_shape(const Type *t, const Dim *dim, int rank)
{
	Type u = {.rank = rank};

	memcpy(u.dim, dim, (size_t)rank * sizeof *dim);
	return shape_eq(t, &u);
}

/* x through a view whose only attribute is the shape; x itself when it has that */
static Node *
to_shape(int id, Node *x, const Dim *dim, int rank)
{
	const Op *op = op_get(id);
	Attr *a;

	if (same_shape(&x->type, dim, rank))
		return x;
	a = attrs_new(x->g, op);
	set_dims(x->g, op, a, "shape", dim, rank);
	return node(x->g, op, &x, 1, a);
}

Node *
Reshape(Node *x, const Dim *dim, int rank)
{
	return to_shape(OP_reshape, x, dim, rank);
}

Node *
node_pin(Node *n)
{
	const Op *op = op_get(OP_reshape);
	Attr *a;

	if (n->nin && !n->res)
		return node_pinned(n->g, n->op, n->in, n->nin, n->attr);
	a = attrs_new(n->g, op);
	set_dims(n->g, op, a, "shape", n->type.dim, n->type.rank);
	return node_pinned(n->g, op, &n, 1, a);
}

Node *
ReshapeLike(Node *x, const Node *like)
{
	return Reshape(x, like->type.dim, like->type.rank);
}

Node *
Permute(Node *x, const int *perm)
{
	const Op *op = op_get(OP_permute);
	bool same = true;
	Attr *a;

	for (int i = 0; i < x->type.rank; i++)
		same &= perm[i] == i;
	if (same)
		return x;
	a = attrs_new(x->g, op);
	set_axes(x->g, op, a, "dims", perm, x->type.rank);
	return node(x->g, op, &x, 1, a);
}

Node *
Transpose(Node *x, int d0, int d1)
{
	int perm[MAXRANK];

	for (int i = 0; i < MAXRANK; i++)
		perm[i] = i == d0 ? d1 : i == d1 ? d0 : i;
	return Permute(x, perm);
}

Node *
Expand(Node *x, const Dim *dim, int rank)
{
	return to_shape(OP_expand, x, dim, rank);
}

Node *
ExpandLike(Node *x, const Node *like)
{
	return Expand(x, like->type.dim, like->type.rank);
}

Node *
Slice(Node *x, int dim, Dim start, Dim end, int64_t step)
{
	const Op *op = op_get(OP_slice);
	Attr *a;

	if (step == 1 && dim_eq(start, DIM(0)) && dim_eq(end, x->type.dim[dim]))
		return x;
	a = attrs_new(x->g, op);
	set_int(op, a, "dim", dim);
	set_dims(x->g, op, a, "start", &start, 1);
	set_dims(x->g, op, a, "end", &end, 1);
	set_int(op, a, "step", step);
	return node(x->g, op, &x, 1, a);
}

Node *
Pad(Node *x, const Dim *low, const Dim *high, double value)
{
	const Op *op = op_get(OP_pad);
	Attr *a;
	bool none = true;

	for (int i = 0; i < x->type.rank; i++)
		none &= !low[i].k && !high[i].k;
	if (none)
		return x;
	a = attrs_new(x->g, op);
	set_dims(x->g, op, a, "low", low, x->type.rank);
	set_dims(x->g, op, a, "high", high, x->type.rank);
	set_num(op, a, "value", value);
	return node(x->g, op, &x, 1, a);
}

Node *
Cat(Node *const *x, int n, int dim)
{
	const Op *op = op_get(OP_cat);
	Attr *a;

	if (n == 1)
		return x[0];
	a = attrs_new(x[0]->g, op);
	set_int(op, a, "dim", dim);
	return node(x[0]->g, op, x, n, a);
}

Node *
Flip(Node *x, const int *dims, int n)
{
	const Op *op = op_get(OP_flip);
	Attr *a;

	if (!n)
		return x;
	a = attrs_new(x->g, op);
	set_axes(x->g, op, a, "dims", dims, n);
	return node(x->g, op, &x, 1, a);
}

Node *
Shift(Node *x, int dim, int64_t by, double value)
{
	const Op *op = op_get(OP_shift);
	Attr *a = attrs_new(x->g, op);

	set_int(op, a, "dim", dim);
	set_int(op, a, "by", by);
	set_num(op, a, "value", value);
	return node(x->g, op, &x, 1, a);
}

Node *
Unsqueeze(Node *x, int dim)
{
	Dim d[MAXRANK];

	if (x->type.rank == MAXRANK)
		bug("unsqueeze beyond rank %d", MAXRANK);
	for (int i = 0; i <= x->type.rank; i++)
		d[i] = i == dim ? DIM(1) : x->type.dim[i - (i > dim)];
	return Reshape(x, d, x->type.rank + 1);
}

Node *
Squeeze(Node *x, int dim)
{
	Dim d[MAXRANK];

	for (int i = 0, j = 0; i < x->type.rank; i++)
		if (i != dim)
			d[j++] = x->type.dim[i];
	return Reshape(x, d, x->type.rank - 1);
}

/* ---- builders: reductions and contractions ---- */

static Node *
reduce(int id, Node *x, const int *dims, int n, bool keepdim)
{
	const Op *op = op_get(id);
	Attr *a;

	if (!n)
		return x;
	a = attrs_new(x->g, op);
	set_axes(x->g, op, a, "dim", dims, n);
	set_bool(op, a, "keepdim", keepdim);
	return node(x->g, op, &x, 1, a);
}

Node *
Sum(Node *x, const int *dims, int n, bool keepdim)
{
	return reduce(OP_sum, x, dims, n, keepdim);
}

Node *
Amax(Node *x, const int *dims, int n, bool keepdim)
{
	return reduce(OP_amax, x, dims, n, keepdim);
}

Node *
Amin(Node *x, const int *dims, int n, bool keepdim)
{
	return reduce(OP_amin, x, dims, n, keepdim);
}

Node *
Top(Node *x, const int *dims, int n)
{
	Dim dim[MAXRANK];
	bool none = false;

	memcpy(dim, x->type.dim, sizeof dim);
	for (int i = 0; i < n; i++) {
		none |= !dim[dims[i]].k;
		dim[dims[i]] = DIM(1);
	}
	return none ? Expand(Lit(x, 0), dim, x->type.rank) : StopGradient(Amax(x, dims, n, true));
}

Node *
SumLast(Node *x)
{
	return Sum(x, (int[]){x->type.rank - 1}, 1, true);
}

Node *
Mean(Node *x, const int *dims, int n, bool keepdim)
{
	Dim count = DIM(1);

	for (int i = 0; i < n; i++)
		if (!dim_mul(count, x->type.dim[dims[i]], &count))
			bug("mean over an overflowing count");
	return Div(Sum(x, dims, n, keepdim), DimSize(x->g, count, x->type.dt));
}

Node *
SumTo(Node *x, const Type *t)
{
	int dims[MAXRANK], n = 0, extra = x->type.rank - t->rank;

	for (int i = 0; i < x->type.rank; i++)
		if (i < extra || (dim_one(t->dim[i - extra]) && !dim_one(x->type.dim[i])))
			dims[n++] = i;
	return Reshape(Sum(x, dims, n, true), t->dim, t->rank);
}

Node *
Dot(const char *spec, Node *x, Node *y)
{
	const Op *op = op_get(OP_dot);
	Attr *a = attrs_new(x->g, op);

	set_str(x->g, op, a, "spec", spec);
	return node(x->g, op, (Node *[]){x, y}, 2, a);
}

Node *
Gather(Node *x, int dim, Node *index)
{
	const Op *op = op_get(OP_gather);
	Attr *a = attrs_new(x->g, op);

	set_int(op, a, "dim", dim);
	return node(x->g, op, (Node *[]){x, index}, 2, a);
}

Node *
ScatterAdd(Node *x, int dim, Node *index, Node *src)
{
	return Scatter(OP_scatter_add, x, dim, index, src);
}

Node *
Scatter(int id, Node *x, int dim, Node *index, Node *src)
{
	const Op *op = op_get(id);
	Attr *a = attrs_new(x->g, op);

	set_int(op, a, "dim", dim);
	return node(x->g, op, (Node *[]){x, index, src}, 3, a);
}

/* ---- builders: along a dimension in order ---- */

Node *
CumSum(Node *x, int dim, bool reverse)
{
	const Op *op = op_get(OP_cumsum);
	Attr *a = attrs_new(x->g, op);

	set_int(op, a, "dim", dim);
	set_bool(op, a, "reverse", reverse);
	return node(x->g, op, &x, 1, a);
}

Node *
LinearRecurrence(Node *factor, Node *x, int dim, bool reverse)
{
	const Op *op = op_get(OP_linear_recurrence);
	Attr *a = attrs_new(x->g, op);

	set_int(op, a, "dim", dim);
	set_bool(op, a, "reverse", reverse);
	return node(x->g, op, (Node *[]){factor, x}, 2, a);
}

Node *
ArgSort(Node *x, int dim, bool descending)
{
	const Op *op = op_get(OP_argsort);
	Attr *a = attrs_new(x->g, op);

	set_int(op, a, "dim", dim);
	set_bool(op, a, "descending", descending);
	return node(x->g, op, &x, 1, a);
}

/* ---- builders: any op ---- */

Node *
Op1(int op, Node *a)
{
	return node(a->g, op_get(op), &a, 1, NULL);
}

Node *
Op2(int op, Node *a, Node *b)
{
	return node(a->g, op_get(op), (Node *[]){a, b}, 2, NULL);
}

Node *
OpN(int op, Node *const *in, int nin, const Attr *attrs)
{
	return node(in[0]->g, op_get(op), in, nin, attrs);
}

Node *
Item(Node *n, int r)
{
	const Op *op = op_get(OP_item);
	Attr *a;

	if (node_nres(n) == 1)
		return n;
	a = attrs_new(n->g, op);
	set_int(op, a, "index", r);
	return node(n->g, op, &n, 1, a);
}

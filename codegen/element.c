/* element: what an element of a node is, as a value of the tree.
 *
 * element(n, o) is the element of n at index o. Nodes inside the kernel are
 * computed on demand: a pointwise op from its row, a view through its index map,
 * a reduction as a V_REDUCE that loop.c turns into a loop; others are loaded.
 * So fusion is nothing but a choice of which nodes are inside. */
#include "gen.h"

#include <string.h>

/* ---- names ---- */

/* the last component of a dotted name; "d." of gradients stays */
static const char *
short_name(Arena *a, const char *s)
{
	const char *dot = strrchr(s, '.');
	bool grad = !strncmp(s, "d.", 2);

	return arena_fmt(a, "%s%s", grad && dot > s + 1 ? "d_" : "", dot ? dot + 1 : s);
}

const char *
node_name(Build *b, const Node *n)
{
	return short_name(b->arena, n->name ? n->name : n->op->name);
}

static const Val *
named(Build *b, const Val *v, const Node *n)
{
	if (!v->name && v->kind != V_VAR && v->kind != V_INT && v->kind != V_NUM)
		((Val *)v)->name = node_name(b, n);
	return v;
}

/* ---- memory ---- */

Mem *
node_mem(Build *b, Node *n)
{
	Mem *m;

	if (b->memof[n->id])
		return b->memof[n->id];
	m = build_array(b, build_name(b, node_name(b, n)), n->type.dt, 0);
	m->param = b->nparam;
	PUSH(b->arena, b->param, b->nparam, b->capparam, m);
	while (b->capnode < b->nparam)
		b->paramnode = arena_grow(b->arena, b->paramnode, b->nparam - 1, &b->capnode, (int64_t)sizeof(Node *));
	b->paramnode[m->param] = n;
	return b->memof[n->id] = m;
}

static const Val *
load(Build *b, const Node *n, const Ix *const *o)
{
	Mem *m = node_mem(b, b->storage[n->id]);

	return v_load(b, m, v_ix(b, ix_linear(b->ix, &n->type, o)));
}

/* ---- sources ---- */

/* a number attribute as a value of dtype d */
static const Val *
number(Build *b, const Attr *a, DType d)
{
	return dtype_float(d) ? v_num(b, d, a->f) : v_lit(b, d, a->i);
}

/* the only element of a constant */
static const Val *
constant_scalar(Build *b, const Node *n)
{
	DType d = n->type.dt;
	const void *p = n->blob->data;
	double f;
	float f32;
	int64_t i64 = 0;

	switch (d) {
	case F64:  memcpy(&f, p, sizeof f); return v_num(b, d, f);
	case F32:  memcpy(&f32, p, sizeof f32); return v_num(b, d, (double)f32);
	case F16:
	case BF16: { uint16_t x; memcpy(&x, p, sizeof x); i64 = x; break; }
	case I64:
	case U64:  memcpy(&i64, p, sizeof i64); break;
	case I32:  { int32_t x; memcpy(&x, p, sizeof x); i64 = x; break; }
	case I16:  { int16_t x; memcpy(&x, p, sizeof x); i64 = x; break; }
	case I8:   i64 = *(const int8_t *)p; break;
	case U8:
	case BOOL: i64 = *(const uint8_t *)p; break;
	default:   bug("constant of dtype %s", dtype_name(d));
	}
	return v_lit(b, d, i64);
}

static const char *
suffix(DType d)
{
	return d == F32 ? "f32" : d == F64 ? "f64" : d == U64 || d == U8 ? "u64" : "i64";
}

static const Val *
random_value(Build *b, const Node *n, const Ix *const *o)
{
	const Val *x[] = {
		element(b, n->in[0], NULL),
		v_lit(b, U64, attr_of(n, "stream")->i),
		v_cast(b, U64, v_ix(b, ix_linear(b->ix, &n->type, o))),
	};

	return v_call(b, n->type.dt, arena_fmt(b->arena, "rt_%s_%s", n->op->name, suffix(n->type.dt)), x, LEN(x));
}

static const Val *
source_value(Build *b, const Node *n, const Ix *const *o)
{
	DType d = n->type.dt;
	int64_t dim;

	if (n->op->flags & RANDOM)
		return random_value(b, n, o);
	switch (n->op->id) {
	case OP_full:
		return number(b, attr_of(n, "value"), d);
	case OP_iota:
		dim = attr_of(n, "dim")->i;
		return v_cast(b, d, v_ix(b, o[dim < 0 ? dim + n->type.rank : dim]));
	case OP_dim_size:
		return v_cast(b, d, v_dim(b, attr_of(n, "size")->dims[0]));
	case OP_constant:
		return constant_scalar(b, n);
	default:
		bug("%s: a source without a value", n->op->name);
	}
}

/* ---- pointwise ---- */

/* index of operand k that broadcasting reads at o */
static void
broadcast_index(Build *b, const Node *n, int k, const Ix *const *o, const Ix **in)
{
	const Type *t = &n->in[k]->type;
	int extra = n->type.rank - t->rank;

	for (int d = 0; d < t->rank; d++)
		in[d] = dim_one(t->dim[d]) ? ix_int(b->ix, 0) : o[d + extra];
}

static bool
compares(const char *op)
{
	return strchr("<>=!&|", op[0]) != NULL;
}

static bool
is_zero(const Val *v)
{
	return v->kind == V_INT && !v->num.i;
}

/* v where a number of dtype d is needed: comparisons give int */
static const Val *
as(Build *b, DType d, const Val *v)
{
	return v->dt == BOOL && d != BOOL ? v_cast(b, d, v) : v;
}

/* e over arguments; d: the dtype that it is computed in */
static const Val *
expr_value(Build *b, const Expr *e, DType d, const Val *const *arg)
{
	const Val *x[3];

	for (int i = 0; i < e->nx; i++)
		x[i] = expr_value(b, e->x[i], d, arg);
	switch (e->kind) {
	case E_ARG:
		return arg[e->arg];
	case E_NUM:
		return dtype_float(d) ? v_num(b, d, e->num) : v_lit(b, d, (int64_t)e->num);
	case E_UNARY:
		if (e->op[0] == '!')
			return v_unary(b, BOOL, "!", x[0]);
		return x[0]->kind == V_NUM ? v_num(b, d, -x[0]->num.f) : v_unary(b, d, "-", as(b, d, x[0]));
	case E_BINARY:
		if (x[0]->dt == BOOL && is_zero(x[1]) && (e->op[0] == '!' || e->op[0] == '='))
			return e->op[0] == '!' ? x[0] : v_unary(b, BOOL, "!", x[0]);
		if (compares(e->op))
			return v_binary(b, BOOL, e->op, x[0], x[1]);
		return v_binary(b, d, e->op, as(b, d, x[0]), as(b, d, x[1]));
	case E_COND:
		if (x[1]->dt != x[2]->dt)
			x[1] = as(b, d, x[1]), x[2] = as(b, d, x[2]);
		return v_cond(b, x[0], x[1], x[2], false);
	case E_CALL:
		break;
	}
	if (expr_fn_is_libm(e->op))
		return v_call(b, d, math_name(b, e->op, d), x, e->nx);
	DType wide = dtype_float(d) ? d : dtype_class(d) == C_UINT ? U64 : I64;
	return v_cast(b, d, v_call(b, wide, arena_fmt(b->arena, "rt_%s_%s", e->op, suffix(d)), x, e->nx));
}

/* x converted as the cast op does; f16 and bf16 are bits, which helpers turn into floats and back */
const Val *
convert(Build *b, DType to, const Val *x)
{
	if (to == x->dt)
		return x;
	if (dtype_half(x->dt))
		return convert(b, to, v_call(b, F32, arena_fmt(b->arena, "rt_%s_to_f32", dtype_name(x->dt)), &x, 1));
	if (dtype_half(to)) {
		const Val *f = x->dt == F32 ? x : convert(b, F64, x);
		return v_call(b, to, arena_fmt(b->arena, "rt_%s_to_%s", dtype_name(f->dt), dtype_name(to)), &f, 1);
	}
	if (to == BOOL) {
		const Val *zero = dtype_float(x->dt) ? v_num(b, x->dt, 0) : v_lit(b, x->dt, 0);
		return v_binary(b, BOOL, "!=", x, zero);
	}
	if (dtype_float(x->dt) && !dtype_float(to))
		return v_call(b, to, arena_fmt(b->arena, "rt_to_%s", dtype_name(to)),
			(const Val *[]){v_cast(b, F64, x)}, 1);
	return v_cast(b, to, x);
}

static const Val *
map_value(Build *b, const Node *n, const Ix *const *o)
{
	const Ix *at[MAXRANK];
	const Val *arg[MAXIN];
	const Expr *row;
	int first = n->op->flags & SELECT ? 1 : 0;
	DType d = n->in[first]->type.dt;

	for (int k = 0; k < n->nin; k++) {
		broadcast_index(b, n, k, o, at);
		arg[k] = element(b, n->in[k], at);
	}
	if (n->op->flags & CONVERT)
		return convert(b, n->type.dt, arg[0]);
	row = map_expr(b->arena, n->op, dtype_class(d));
	if (!row)
		bug("%s has no row for %s", n->op->name, dtype_name(d));
	return convert(b, n->type.dt, expr_value(b, row, d, arg));
}

/* ---- views ---- */

static const Val *
guard_value(Build *b, const IxGuard *g)
{
	const Val *all = NULL;

	for (int i = 0; i < g->n; i++) {
		const IxCond *c = &g->c[i];
		const Val *e = v_ix(b, c->e);
		for (int side = 0; side < 2; side++) {
			const Ix *bound = side ? c->hi : c->lo;
			const Val *test;
			if (!bound)
				continue;
			test = v_binary(b, BOOL, side ? "<" : ">=", e, v_ix(b, bound));
			all = all ? v_binary(b, BOOL, "&&", all, test) : test;
		}
	}
	return all;
}

/* may the element be of an input from i on? */
static bool
may_be_of(Build *b, const Node *n, const Ix *const *o, int i)
{
	const Ix *in[MAXRANK];
	IxGuard guard;

	for (; i < n->nin; i++) {
		view_access(b->ix, n, o, i, in, &guard);
		if (!guard.never)
			return true;
	}
	return false;
}

/* From input i on: the first whose guard holds. The last that may have the element has it: where an index is outside of
 * all, a guard further out keeps from reading. */
static const Val *
view_from(Build *b, const Node *n, const Ix *const *o, int i)
{
	const Ix *in[MAXRANK];
	const Val *v, *test, *other;
	IxGuard guard;

	if (i == n->nin) {
		const Attr *fill = view_fill(n);
		if (!fill)
			bug("%s: no input has the element", n->op->name);
		return number(b, fill, n->type.dt);
	}
	view_access(b->ix, n, o, i, in, &guard);
	if (guard.never)
		return view_from(b, n, o, i + 1);
	v = element(b, n->in[i], in);
	if (n->op->bit)
		v = v_call(b, n->type.dt, "rt_bit", (const Val *[]){v, v_ix(b, n->op->bit(b->ix, n, o))}, 2);
	test = guard_value(b, &guard);
	if (!test || (!view_fill(n) && !may_be_of(b, n, o, i + 1)))
		return v;
	other = view_from(b, n, o, i + 1);
	if (v->kind == V_COND && v->guard && v->x[2] == other)         /* a view of a view with the same fill */
		return v_cond(b, v_binary(b, BOOL, "&&", test, v->x[0]), v->x[1], other, true);
	return v_cond(b, test, v, other, true);
}

/* ---- packing ---- */

static const Val *
pack_value(Build *b, const Node *n, const Ix *const *o)
{
	const Val *bit[8], *none = v_lit(b, BOOL, 0);

	for (int i = 0; i < LEN(bit); i++) {
		const Ix *in[MAXRANK];
		const Val *test;
		IxGuard guard;
		view_access(b->ix, n, o, i, in, &guard);
		bit[i] = none;
		if (guard.never)
			continue;
		bit[i] = element(b, n->in[0], in);
		if ((test = guard_value(b, &guard)))
			bit[i] = v_cond(b, test, bit[i], none, true);
	}
	return v_call(b, n->type.dt, "rt_byte", bit, LEN(bit));
}

/* ---- gather ---- */

int
index_dim(const Node *n)
{
	return dim_index(attr_of(n, "dim")->i, n->in[0]->type.rank);
}

/* element o of index operand k of n, clamped to the dimension that it selects in */
const Ix *
checked_index(Build *b, const Node *n, const Ix *const *o)
{
	Dim size = n->in[0]->type.rank ? n->in[0]->type.dim[index_dim(n)] : DIM(1);
	const Val *i = element(b, n->in[1], o), *c;

	if (i->dt == U64)      /* beyond int64: negative then, and out of range all the same */
		i = v_call(b, I64, "rt_to_index_u64", &i, 1);
	c = v_clamp(b, v_cast(b, I64, i), v_dim(b, size));
	b->checks = true;
	if (!c->name)
		((Val *)c)->name = n->in[1]->name ? node_name(b, n->in[1]) : "index";
	return build_index(b, c, size);
}

static const Val *
gather_value(Build *b, const Node *n, const Ix *const *o)
{
	const Ix *at[MAXRANK];

	for (int d = 0; d < n->type.rank; d++)
		at[d] = o[d];
	if (n->type.rank)
		at[index_dim(n)] = checked_index(b, n, o);
	else
		checked_index(b, n, o);
	return element(b, n->in[0], at);
}

/* ---- reductions ---- */

/* indices of the run's dimensions from its linear index */
static void
unflatten(Build *b, const Type *t, const Run *r, const Ix *linear, const Ix **at)
{
	for (int i = 0; i < r->n; i++) {
		Dim d = t->dim[r->dim[i]];
		at[r->dim[i]] = i == r->n - 1 ? linear : ix_mod(b->ix, linear, d);
		linear = ix_div(b->ix, linear, d);
	}
}

/* A few terms along several last dimensions, as the taps of a window, are reduced dimension by dimension: a linear
 * index over them would be divided for each. */
static int
split_last(const Build *b, const Type *t, Run *run, int nrun)
{
	Run r;

	if (!nrun || !run[0].last || run[0].n == 1 || dim_max(b->g, run[0].extent) > CHUNK)
		return nrun;
	r = run[0];
	memmove(&run[r.n], &run[1], (size_t)(nrun - 1) * sizeof *run);
	for (int i = 0; i < r.n; i++)
		run[i] = (Run){.n = 1, .dim = {r.dim[i]}, .extent = t->dim[r.dim[i]], .last = true};
	return nrun + r.n - 1;
}

static Order
run_order(Build *b, const Run *r)
{
	return r->last && dim_max(b->g, r->extent) > LANES ? BY_LANES : BY_CHUNKS;
}

static const Val *
reduce_value(Build *b, const Node *n, const Ix *const *o)
{
	const Type *t = &n->in[0]->type;
	const Ix *at[MAXRANK + 1];
	const Var *over[MAXRANK];
	Run run[MAXRANK];
	bool gone[MAXRANK + 1] = {0};
	bool arg = n->op->combine == R_ARGMAX || n->op->combine == R_ARGMIN;
	int nrun = reduce_runs(n, run), k = 0;
	uint64_t avoid = 0;
	const Val *v;

	if (!arg)
		nrun = split_last(b, t, run, nrun);
	reduced_dims(n, gone);
	for (int d = 0; d < t->rank; d++) {
		at[d] = ix_int(b->ix, 0);
		if (!gone[d]) {
			at[d] = o[n->type.rank == t->rank ? d : k];
			avoid |= v_ix(b, at[d])->loops;
			k++;
		}
	}
	for (int i = 0; i < nrun; i++) {
		over[i] = build_loop(b, run[i].extent, avoid);
		avoid |= (uint64_t)1 << over[i]->id;
		unflatten(b, t, &run[i], b->ixvar[over[i]->id], at);
	}
	v = element(b, n->in[0], at);
	if (arg)
		return nrun ? named(b, v_reduce(b, n->op->combine, BY_CHUNKS, over[0], v), n) : v_int(b, 0);
	v = convert(b, n->type.dt, v);
	for (int i = 0; i < nrun; i++)
		v = named(b, v_reduce(b, n->op->combine, run_order(b, &run[i]), over[i], v), n);
	return v;
}

/* ---- any node ---- */

static const Val *
compute(Build *b, const Node *n, const Ix *const *o)
{
	switch (n->op->kind) {
	case SOURCE: return source_value(b, n, o);
	case MAP:    return map_value(b, n, o);
	case VIEW:   return view_from(b, n, o, 0);
	case PACK:   return pack_value(b, n, o);
	case REDUCE: return reduce_value(b, n, o);
	case DOT:    return dot_value(b, n, o);
	case ORDERED:
		if (n == b->tiled)
			return tile_value(b, n, o);
		break;
	case INDEX:
		if (!(n->op->flags & SCATTERS))
			return gather_value(b, n, o);
		break;
	default:
		break;
	}
	bug("%s is not computed by the element", n->op->name);
}

const Val *
element(Build *b, const Node *n, const Ix *const *o)
{
	Buf key = {.arena = b->arena};
	const Val *v;

	if (b->kept[n->id]) {
		const Ix *at = ix_sub(b->ix, ix_linear(b->ix, &n->type, o), b->row_begin);
		return named(b, v_load(b, b->kept[n->id], v_ix(b, at)), n);
	}
	if (!b->inside[n->id] && !node_literal(n)) {
		if (!b->storage[n->id])
			bug("%s (node %d) is neither in memory nor in the kernel", n->op->name, n->id);
		return named(b, load(b, n, o), n);
	}
	buf_put(&key, (const char *)&n->id, sizeof n->id);
	for (int d = 0; d < n->type.rank; d++)
		buf_put(&key, (const char *)&o[d], sizeof o[d]);
	if ((v = map_get_bytes(b->values, key.s, key.n)))
		return v;
	v = named(b, compute(b, n, o), n);
	map_set_bytes(b->values, key.s, key.n, (void *)(uintptr_t)v);
	return v;
}

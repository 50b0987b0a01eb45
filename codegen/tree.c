/* tree: values and statements of a kernel.
 *
 * Values are shared: the constructors look up what they make, so equal values
 * are one object and a value used twice is seen to be. Integer arithmetic is
 * simplified where that is exact. Statements are appended to blocks. */
#include "gen.h"

#include <math.h>
#include <string.h>

enum { SATURATED = 1 << 20 };

static int
saturate(int64_t v)
{
	return v > SATURATED ? SATURATED : (int)v;
}

static int
op_cost(const Val *v)
{
	switch (v->kind) {
	case V_LOAD:   return 1;
	case V_CALL:   return v->check ? 2 : 20;
	case V_UNARY:
	case V_CAST:
	case V_COND:   return 1;
	case V_BINARY: return v->op[0] == '/' || v->op[0] == '%' ? 6 : 1;
	default:       return 0;
	}
}

/* the one value equal to key */
static const Val *
share(Build *b, const Val *key)
{
	Buf k = {.arena = b->arena};
	int64_t head[] = {key->kind, key->dt, key->guard, key->check, key->num.i, (int64_t)key->combine, key->order};
	Val *v;
	int64_t size = 1, cost;

	buf_put(&k, (const char *)head, sizeof head);
	buf_put(&k, (const char *)&key->var, sizeof key->var);
	buf_put(&k, (const char *)&key->mem, sizeof key->mem);
	buf_puts(&k, key->op ? key->op : "");
	for (int i = 0; i < key->nx; i++)
		buf_put(&k, (const char *)&key->x[i]->id, sizeof key->x[i]->id);
	if ((v = map_get_bytes(b->shared, k.s, k.n)))
		return v;
	v = NEW(b->arena, 1, Val);
	*v = *key;
	v->id = b->nval++;
	cost = op_cost(v);
	if (v->kind == V_VAR)
		v->loops = v->var->loop ? (uint64_t)1 << v->var->id : v->var->within;
	if (v->kind == V_LOAD)
		v->loops = v->mem->within;
	for (int i = 0; i < v->nx; i++) {
		v->loops |= v->x[i]->loops;
		size += v->x[i]->size;
		cost += v->x[i]->cost;
	}
	if (v->kind == V_REDUCE)
		v->loops &= ~((uint64_t)1 << v->var->id);
	v->size = v->kind == V_LOAD ? 2 : saturate(size);
	v->cost = saturate(cost);
	map_set_bytes(b->shared, k.s, k.n, v);
	return v;
}

/* ---- values ---- */

const Val *
v_int(Build *b, int64_t i)
{
	return share(b, &(Val){.kind = V_INT, .dt = I64, .num.i = i});
}

/* a literal of an integer dtype or bool; u64 as its bits */
const Val *
v_lit(Build *b, DType dt, int64_t i)
{
	return share(b, &(Val){.kind = V_INT, .dt = dt, .num.i = i});
}

const Val *
v_num(Build *b, DType dt, double f)
{
	if (dtype_half(dt))                    /* they are moved as bits, never computed with */
		return v_lit(b, dt, dt == F16 ? half_from_double(f) : bfloat_from_double(f));
	return share(b, &(Val){.kind = V_NUM, .dt = dt, .num.f = f});
}

const Val *
v_var(Build *b, const Var *x)
{
	return share(b, &(Val){.kind = V_VAR, .dt = x->dt, .var = x});
}

const Val *
v_load(Build *b, Mem *m, const Val *at)
{
	m->read = true;
	return share(b, &(Val){.kind = V_LOAD, .dt = m->dt, .mem = m, .nx = 1, .x = {at}});
}

const Val *
v_addr(Build *b, const Mem *m, const Val *at)
{
	return share(b, &(Val){.kind = V_ADDR, .dt = m->dt, .mem = m, .nx = 1, .x = {at}});
}

const Val *
v_call(Build *b, DType dt, const char *op, const Val *const *x, int nx)
{
	Val key = {.kind = V_CALL, .dt = dt, .op = op, .nx = nx};

	if (nx > LEN(key.x))
		bug("call of %s with %d arguments", op, nx);
	for (int i = 0; i < nx; i++)
		key.x[i] = x[i];
	return share(b, &key);
}

/* index clamped to [0, n); a change is reported */
const Val *
v_clamp(Build *b, const Val *index, const Val *n)
{
	return share(b, &(Val){.kind = V_CALL, .dt = I64, .op = "rt_clamp_index", .check = true, .nx = 2,
		.x = {index, n}});
}

const Val *
v_unary(Build *b, DType dt, const char *op, const Val *x)
{
	return share(b, &(Val){.kind = V_UNARY, .dt = dt, .op = op, .nx = 1, .x = {x}});
}

static bool
is_int(const Val *v, int64_t i)
{
	return v->kind == V_INT && v->num.i == i;
}

/* exact simplification of index arithmetic; NULL: none */
static const Val *
simplify_index(Build *b, const char *op, const Val *l, const Val *r)
{
	int64_t k;

	switch (op[0]) {
	case '+':
		if (l->kind == V_INT && r->kind == V_INT && add_ok(l->num.i, r->num.i, &k))
			return v_int(b, k);
		if (r->kind == V_INT && r->num.i < 0 && r->num.i > INT64_MIN)
			return v_binary(b, I64, "-", l, v_int(b, -r->num.i));
		return is_int(l, 0) ? r : is_int(r, 0) ? l : NULL;
	case '-':
		if (l->kind == V_INT && r->kind == V_INT && r->num.i > INT64_MIN && add_ok(l->num.i, -r->num.i, &k))
			return v_int(b, k);
		return is_int(r, 0) ? l : l == r ? v_int(b, 0) : NULL;
	case '*':
		if (l->kind == V_INT && r->kind == V_INT && mul_ok(l->num.i, r->num.i, &k))
			return v_int(b, k);
		if (is_int(l, 0) || is_int(r, 0))
			return v_int(b, 0);
		return is_int(l, 1) ? r : is_int(r, 1) ? l : NULL;
	case '/':
		if (l->kind == V_INT && r->kind == V_INT && l->num.i >= 0 && r->num.i > 0)
			return v_int(b, l->num.i / r->num.i);
		return is_int(r, 1) ? l : NULL;
	default:
		return NULL;
	}
}

/* Least and greatest value of an integer's or bool's dtype, or that of the smaller one it is made from: u64 as if it
 * ended with int64. Of a literal its own; false: it is one to which that makes a difference. */
static bool
range_of(const Val *v, int64_t *lo, int64_t *hi)
{
	const Val *of = v;
	int bits;

	if (v->kind == V_INT) {
		*lo = *hi = v->num.i;
		return v->dt != U64 || (v->num.i >= 0 && v->num.i < INT64_MAX);
	}
	if (v->kind == V_CAST && dtype_integer(v->dt) && !dtype_float(v->x[0]->dt)
		&& dtype_size(v->dt) > dtype_size(v->x[0]->dt))
		of = v->x[0];
	bits = of->dt == BOOL ? 1 : 8 * dtype_size(of->dt) - (dtype_class(of->dt) == C_INT);
	*hi = bits < 63 ? ((int64_t)1 << bits) - 1 : INT64_MAX;
	*lo = dtype_class(of->dt) == C_INT ? -*hi - 1 : 0;
	return true;
}

/* l < r, for l of these ranges: 1 or 0; -1: it depends */
static int
known_less(int64_t llo, int64_t lhi, int64_t rlo, int64_t rhi)
{
	return lhi < rlo ? 1 : llo >= rhi ? 0 : -1;
}

/* comparisons of integers that compilers warn of, since they know the outcome; NULL: it is none */
static const Val *
known_comparison(Build *b, const char *op, const Val *l, const Val *r)
{
	int64_t llo, lhi, rlo, rhi;
	bool turned = op[0] == '>', equal = op[1] == '=';
	int less, more;

	if (dtype_float(l->dt) || !strchr("<>=!", op[0]))
		return NULL;
	if (l == r)
		return v_lit(b, BOOL, equal && op[0] != '!');
	if (l->kind != V_INT && r->kind != V_INT)
		return NULL;
	if (!range_of(l, &llo, &lhi) || !range_of(r, &rlo, &rhi))
		return NULL;
	less = known_less(llo, lhi, rlo, rhi);
	more = known_less(rlo, rhi, llo, lhi);
	if (strchr("=!", op[0]))
		return less == 1 || more == 1 ? v_lit(b, BOOL, op[0] == '!') : NULL;
	if (equal)
		less = turned ? less : more;   /* not the opposite */
	else
		less = turned ? more : less;
	return less < 0 ? NULL : v_lit(b, BOOL, equal ? !less : less);
}

const Val *
v_binary(Build *b, DType dt, const char *op, const Val *l, const Val *r)
{
	const Val *v;

	if (dt == I64 && l->dt == I64 && r->dt == I64 && (v = simplify_index(b, op, l, r)))
		return v;
	if (dt == BOOL && (v = known_comparison(b, op, l, r)))
		return v;
	return share(b, &(Val){.kind = V_BINARY, .dt = dt, .op = op, .nx = 2, .x = {l, r}});
}

const Val *
v_cond(Build *b, const Val *c, const Val *yes, const Val *no, bool guard)
{
	if (c->kind == V_INT)
		return c->num.i ? yes : no;
	return yes == no ? yes
		: share(b, &(Val){.kind = V_COND, .dt = yes->dt, .guard = guard, .nx = 3, .x = {c, yes, no}});
}

/* x as C would convert it: callers see to what C leaves undefined */
const Val *
v_cast(Build *b, DType dt, const Val *x)
{
	if (x->dt == dt)
		return x;
	if (x->kind == V_INT && dtype_float(dt) && x->num.i > -(1 << 24) && x->num.i < 1 << 24)
		return v_num(b, dt, (double)x->num.i);
	return share(b, &(Val){.kind = V_CAST, .dt = dt, .nx = 1, .x = {x}});
}

const Val *
v_reduce(Build *b, Combine combine, Order order, const Var *over, const Val *x)
{
	bool arg = combine == R_ARGMAX || combine == R_ARGMIN;
	DType dt = arg ? I64 : x->dt;

	if (arg && !(x->loops >> over->id & 1))        /* of equal terms, the first */
		return v_int(b, 0);
	if (over->end && is_int(over->end, 0))
		return arg ? v_int(b, 0) : v_identity(b, combine, dt);
	return share(b, &(Val){.kind = V_REDUCE, .dt = dt, .combine = combine, .order = order, .var = over,
		.nx = 1, .x = {x}});
}

/* run-time value of a dimension */
const Val *
v_dim(Build *b, Dim d)
{
	const Val *v = v_int(b, d.k);

	for (int s = 0; s < b->g->nsym; s++)
		for (uint32_t e = d.sym >> 4 * s & 15; e; e--)
			v = v_binary(b, I64, "*", v, share(b, &(Val){.kind = V_SYM, .dt = I64, .num.i = s}));
	return v;
}

/* ---- index expressions ---- */

static const Val *
atom_val(Build *b, const IxAtom *a)
{
	bool plain;
	const Val *num, *d;

	if (a->kind == IX_VAR)
		return b->ixval[a->var];
	num = v_ix(b, a->num);
	d = v_dim(b, a->extent);
	plain = ix_le(b->ix, ix_int(b->ix, 0), a->num);
	if (plain)
		return v_binary(b, I64, a->kind == IX_QUOT ? "/" : "%", num, d);
	return v_call(b, I64, a->kind == IX_QUOT ? "rt_div_floor" : "rt_mod_floor", (const Val *[]){num, d}, 2);
}

static Dim
magnitude(Dim k)
{
	return (Dim){k.k < 0 ? -k.k : k.k, k.sym};
}

/* terms with large strides first, numbers last; sizes are the symbols' hints */
static int
ordered_terms(Build *b, const Ix *a, const IxTerm **t)
{
	int n = 0;

	for (int i = 0; i < a->n; i++) {
		const IxTerm *x = &a->term[i];
		int64_t size = dim_hint(b->g, magnitude(x->k));
		int at = n++;
		for (; at > 0; at--) {
			const IxTerm *y = t[at - 1];
			if (y->atom && (!x->atom || dim_hint(b->g, magnitude(y->k)) >= size))
				break;
			if (!y->atom && !x->atom)
				break;
			t[at] = y;
		}
		t[at] = x;
	}
	return n;
}

/* sum + k * x */
static const Val *
plus(Build *b, const Val *sum, Dim k, const Val *x)
{
	const Val *term = v_dim(b, magnitude(k));

	if (x)
		term = v_binary(b, I64, "*", x, term);
	if (k.k < 0)
		return v_binary(b, I64, "-", sum ? sum : v_int(b, 0), term);
	return sum ? v_binary(b, I64, "+", sum, term) : term;
}

/* (i * B + j) * 12 + k for i * (12 * B) + j * 12 + k: NULL when strides do not divide each other */
static const Val *
horner(Build *b, const IxTerm **t, int n)
{
	const Val *sum = NULL;
	bool symbolic = false;
	Dim scale;

	for (int i = 0; i < n && t[i]->atom; i++) {
		const Val *x = atom_val(b, t[i]->atom);
		if (t[i]->k.k < 0 || (i && !dim_div(t[i - 1]->k, t[i]->k, &scale)))
			return NULL;
		if (i)
			sum = v_binary(b, I64, "*", sum, v_dim(b, scale));
		sum = plus(b, sum, DIM(1), x);
		symbolic |= t[i]->k.sym != 0;
		if (i + 1 == n || !t[i + 1]->atom)
			sum = v_binary(b, I64, "*", sum, v_dim(b, t[i]->k));
	}
	return symbolic ? sum : NULL;
}

/* the first term of t that may lead: positive, if there is one */
static int
leader(const IxTerm *const *t, int n)
{
	for (int i = 0; i < n; i++)
		if (t[i]->k.k > 0)
			return i;
	return 0;
}

/* notes the divisors of quotients and remainders of single loop variables */
static void
note_divisors(Build *b, const Ix *a)
{
	Dim d[8];

	for (int i = 0; i < b->nloop; i++) {
		int n = ix_uses(a, i) ? ix_divisors(a, i, d, 0, LEN(d)) : 0;
		for (int k = 0; k < n && b->ndivisor < LEN(b->divisor); k++)
			b->divisor[b->ndivisor++] = (struct Divisor){i, d[k]};
	}
}

const Val *
v_ix(Build *b, const Ix *a)
{
	const IxTerm **t = NEW(b->arena, MAX(a->n, 1), const IxTerm *);
	int n = ordered_terms(b, a, t), first = leader(t, n);
	const Val *nested = horner(b, t, n), *sum = nested;

	if (!ix_affine(a))
		note_divisors(b, a);
	for (int i = -1; i < n; i++) {
		const IxTerm *x = t[i < 0 ? first : i];
		if (!n || i == first || (nested && x->atom))
			continue;
		sum = plus(b, sum, x->k, x->atom ? atom_val(b, x->atom) : NULL);
	}
	return sum ? sum : v_int(b, 0);
}

/* ---- variables and arrays ---- */

static Var *
var_new(Build *b, const char *name, DType dt, int id)
{
	Var *v = NEW(b->arena, 1, Var);

	v->id = id;
	v->name = name;
	v->dt = dt;
	return v;
}

/* a scalar that is no loop counter, under a name that is free where it is declared */
const Var *
build_var(Build *b, const char *name, DType dt)
{
	return var_new(b, name, dt, MAXLOOP + b->nvar++);
}

const Var *
build_within(Build *b, const char *name, DType dt, uint64_t loops)
{
	Var *v = var_new(b, build_name(b, name), dt, MAXLOOP + b->nvar++);

	v->within = loops;
	return v;
}

static Var *
counter(Build *b, const char *name, const Val *end, int64_t most)
{
	Var *v;

	if (b->nloop == MAXLOOP)
		bug("a kernel with more than %d loop variables", MAXLOOP);
	v = var_new(b, build_name(b, name), I64, b->nloop);
	v->loop = true;
	v->extent = DIM(-1);
	v->end = end;
	v->most = most;
	b->ixval[v->id] = v_var(b, v);
	b->loop[b->nloop++] = v;
	return v;
}

const Var *
build_counter(Build *b, const char *name, const Val *end, int64_t most)
{
	return counter(b, name, end, most);
}

/* loop variable over [0, extent): the first of that extent which `avoid` leaves free. Loops over equal
 * extents share their variable, so that equal values in several loops are one object. */
const Var *
build_loop(Build *b, Dim extent, uint64_t avoid)
{
	static const char *const letter[] = {"i", "j", "k", "l", "m", "n", "p", "q"};
	Var *v;

	for (int i = 0; i < b->nloop; i++)
		if (dim_eq(b->loop[i]->extent, extent) && !(avoid >> i & 1))
			return b->loop[i];
	v = counter(b, letter[b->nloop % LEN(letter)], v_dim(b, extent), dim_max(b->g, extent));
	v->extent = extent;
	b->ixvar[v->id] = ix_var(b->ix, v->id, extent);
	return v;
}

/* an index variable that stands for a computed value in [0, extent) */
const Ix *
build_index(Build *b, const Val *v, Dim extent)
{
	for (int i = MAXLOOP; i < b->nix; i++)
		if (b->ixval[i] == v)
			return b->ixvar[i];
	if (b->nix == LEN(b->ixval))
		bug("a kernel with more than %d computed indices", LEN(b->ixval) - MAXLOOP);
	b->ixval[b->nix] = v;
	b->ixvar[b->nix] = ix_var(b->ix, b->nix, extent);
	return b->ixvar[b->nix++];
}

Mem *
build_array(Build *b, const char *name, DType dt, int64_t len)
{
	Mem *m = NEW(b->arena, 1, Mem);

	m->id = b->nmem++;
	m->name = name;
	m->dt = dt;
	m->param = -1;
	m->len = len;
	return m;
}

/* part of the workspace that the kernel is given */
Mem *
build_scratch(Build *b, const char *name, DType dt, int64_t elements)
{
	Mem *m = build_array(b, build_name(b, name), dt, b->scratch);
	int64_t bytes;

	m->param = -2;
	if (!mul_ok(elements, dtype_size(dt), &bytes) || !add_ok(b->scratch, bytes, &b->scratch)
		|| !add_ok(b->scratch, ALIGN - 1, &b->scratch))
		bug("scratch memory overflows");
	b->scratch -= b->scratch % ALIGN;
	return m;
}

/* ---- statements ---- */

void
block_add(Build *b, Block *at, Stmt *s)
{
	PUSH(b->arena, at->s, at->n, at->cap, s);
}

Stmt *
stmt(Build *b, Block *at, StmtKind kind)
{
	Stmt *s = NEW(b->arena, 1, Stmt);

	s->kind = kind;
	block_add(b, at, s);
	return s;
}

/* a loop that is nowhere yet: what it needs before it can go there first */
Stmt *
for_new(Build *b, const Var *v, const Val *from, const Val *to, int64_t step)
{
	Stmt *s = NEW(b->arena, 1, Stmt);

	s->kind = S_FOR;
	s->var = v;
	s->x[0] = from;
	s->x[1] = to;
	s->step = step;
	return s;
}

Stmt *
s_for(Build *b, Block *at, const Var *v, const Val *from, const Val *to, int64_t step)
{
	Stmt *s = for_new(b, v, from, to, step);

	block_add(b, at, s);
	return s;
}

/* over all of a loop variable's range */
Stmt *
s_loop(Build *b, Block *at, const Var *v)
{
	return s_for(b, at, v, v_int(b, 0), v->end, 1);
}

void
s_store(Build *b, Block *at, Mem *m, const Val *index, const Val *v)
{
	Stmt *s = stmt(b, at, S_STORE);

	m->write = true;
	s->mem = m;
	s->x[0] = index;
	s->x[1] = v;
}

/* C has an operator that combines in place */
static bool
has_operator(Combine c, DType d)
{
	return dtype_float(d) && (c == R_SUM || c == R_PROD);
}

/* m[index] combined with v */
void
s_acc(Build *b, Block *at, Mem *m, const Val *index, Combine combine, const Val *v)
{
	Stmt *s;

	if (!has_operator(combine, v->dt)) {
		s_store(b, at, m, index, v_combine(b, combine, v_load(b, m, index), v));
		return;
	}
	s = stmt(b, at, S_ACC);
	m->read = m->write = true;
	s->mem = m;
	s->combine = combine;
	s->x[0] = index;
	s->x[1] = v;
}

static void
put_var(Build *b, Block *at, StmtKind kind, const Var *x, Combine combine, const Val *v)
{
	Stmt *s = stmt(b, at, kind);

	s->var = x;
	s->combine = combine;
	s->x[0] = v;
}

/* const x = v */
void
s_let(Build *b, Block *at, const Var *x, const Val *v)
{
	put_var(b, at, S_LET, x, R_NONE, v);
}

/* x = v, a variable that changes */
void
s_var(Build *b, Block *at, const Var *x, const Val *v)
{
	put_var(b, at, S_VAR, x, R_NONE, v);
}

void
s_set(Build *b, Block *at, const Var *x, Combine combine, const Val *v)
{
	if (has_operator(combine, v->dt))
		put_var(b, at, S_SET, x, combine, v);
	else
		put_var(b, at, S_SET, x, R_NONE, v_combine(b, combine, v_var(b, x), v));
}

void
s_array(Build *b, Block *at, const Mem *m, bool zeroed)
{
	Stmt *s = stmt(b, at, S_ARRAY);

	s->mem = m;
	s->x[0] = zeroed ? v_int(b, 0) : NULL;
}

void
s_call(Build *b, Block *at, const Val *call)
{
	stmt(b, at, S_CALL)->x[0] = call;
}

Stmt *
s_if(Build *b, Block *at, const Val *cond)
{
	Stmt *s = stmt(b, at, S_IF);

	s->x[0] = cond;
	return s;
}

void
s_note(Build *b, Block *at, const char *text)
{
	stmt(b, at, S_NOTE)->text = text;
}

/* what leaves every value as it is */
const Val *
v_identity(Build *b, Combine c, DType d)
{
	int bits = 8 * dtype_size(d);
	bool max = c == R_MAX || c == R_ARGMAX;

	if (c == R_SUM || c == R_PROD)
		return dtype_float(d) ? v_num(b, d, c == R_PROD) : v_lit(b, d, c == R_PROD);
	if (dtype_float(d))
		return v_num(b, d, max ? -INFINITY : INFINITY);
	if (dtype_class(d) == C_INT)
		return v_lit(b, d, max ? INT64_MIN >> (64 - bits) : INT64_MAX >> (64 - bits));
	if (d == BOOL)
		return v_lit(b, d, !max);
	return v_lit(b, d, max ? 0 : (int64_t)(UINT64_MAX >> (64 - bits)));
}

const Val *
v_min(Build *b, const Val *x, const Val *y)
{
	return v_cond(b, v_binary(b, BOOL, "<", x, y), x, y, false);
}

/* combine(old, v) as a value */
const Val *
v_combine(Build *b, Combine c, const Val *old, const Val *v)
{
	DType dt = v->dt;
	const char *suffix = dt == F32 ? "f32" : dt == F64 ? "f64" : dtype_class(dt) == C_UINT ? "u64" : "i64";
	const char *op = NULL;

	switch (c) {
	case R_NONE: return v;
	case R_SUM:
		if (dtype_float(dt))
			return v_binary(b, dt, "+", old, v);
		op = "wrap_add";
		break;
	case R_PROD:
		if (dtype_float(dt))
			return v_binary(b, dt, "*", old, v);
		op = "wrap_mul";
		break;
	case R_MAX:  op = "max"; break;
	case R_MIN:  op = "min"; break;
	default: bug("combining with %d", (int)c);
	}
	return v_cast(b, dt, v_call(b, dtype_float(dt) ? dt : dtype_class(dt) == C_UINT ? U64 : I64,
		arena_fmt(b->arena, "rt_%s_%s", op, suffix), (const Val *[]){old, v}, 2));
}

/* v with other operands; names go along */
const Val *
v_with(Build *b, const Val *v, const Val *const *x)
{
	Val key = *v;
	const Val *w;
	bool same = true;

	for (int i = 0; i < v->nx; i++) {
		same &= x[i] == v->x[i];
		key.x[i] = x[i];
	}
	if (same)
		return v;
	key.loops = 0;
	w = share(b, &key);
	return w;
}

/* ---- names ---- */

static const char *const reserved[] = {
	/* C99, C++ and what the headers that a unit includes may define */
	"auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern",
	"float", "for", "goto", "if", "inline", "int", "long", "register", "restrict", "return", "short", "signed",
	"sizeof", "static", "struct", "switch", "typedef", "union", "unsigned", "void", "volatile", "while", "bool",
	"true", "false", "asm", "typeof", "bad", "scratch", "j0", "j1", "jn", "y0", "y1", "yn",
	"gamma", "lgamma", "tgamma", "signgam", "index", "time",
	"remove", "signal", "abs", "labs", "div", "ldiv", "ceil", "floor", "fabs", "fmod", "frexp", "ldexp", "modf",
	"pow", "sqrt", "exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "asin", "acos", "atan", "atan2",
	"round", "trunc", "rint", "erf", "erfc", "hypot", "cbrt", "log2", "log10", "log1p", "expm1", "exp2", "fmax",
	"fmin", "fma", "fdim", "logb", "ilogb", "nan", "scalb", "drem", "significand", "memcpy", "memset", "memmove",
};

static bool
is_reserved(const char *s)
{
	for (int i = 0; i < LEN(reserved); i++)
		if (*s == *reserved[i] && !strcmp(s, reserved[i]))
			return true;
	return op_find(s) != NULL || c_macro(s);
}

/* letters, digits and _; not beginning with a digit or _ */
static const char *
identifier(Arena *a, const char *s)
{
	Buf b = {.arena = a};

	for (; *s; s++) {
		bool letter = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z');
		bool digit = *s >= '0' && *s <= '9';
		if (!b.n && !letter)
			buf_puts(&b, "v");
		if (letter || digit)
			buf_putc(&b, *s);
		else if (b.n && b.s[b.n - 1] != '_')
			buf_putc(&b, '_');
	}
	while (b.n > 1 && b.s[b.n - 1] == '_')
		b.s[--b.n] = 0;
	return b.n ? buf_str(&b) : "v";
}

/* base with number n behind it, none when 0; NULL where the kernel as a whole uses that name, or must not */
const char *
build_candidate(Build *b, const char *base, int n)
{
	const char *s = identifier(b->arena, base), *name = s;
	char last = s[strlen(s) - 1];

	if (n)
		name = arena_fmt(b->arena, last >= '0' && last <= '9' ? "%s_%d" : "%s%d", s, n);
	return is_reserved(name) || map_get(b->names, name) ? NULL : name;
}

const char *
build_name(Build *b, const char *base)
{
	const char *name;

	for (int n = 0; !(name = build_candidate(b, base, n)); n++)
		;

	map_set(b->names, name, b);
	return name;
}

Build *
build_new(Arena *a, Graph *g, const Kernels *ks, Node **storage)
{
	Build *b = NEW(a, 1, Build);

	b->arena = a;
	b->g = g;
	b->ix = ix_new(a, g);
	b->ks = ks;
	b->storage = storage;
	b->inside = NEW(a, MAX(g->nnode, 1), bool);
	b->kept = NEW(a, MAX(g->nnode, 1), Mem *);
	b->memof = NEW(a, MAX(g->nnode, 1), Mem *);
	b->shared = map_new(a);
	b->values = map_new(a);
	b->names = map_new(a);
	b->nix = MAXLOOP;
	for (int s = 0; s < g->nsym; s++)
		map_set(b->names, g->sym[s].name, b);
	return b;
}

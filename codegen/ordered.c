/* ordered: kernels of scans and sorts along one dimension.
 *
 * A scan goes through its dimension once. What lies behind that dimension are
 * neighbours in memory: up to LANE of them go along side by side, each with what it
 * carries from element to element; rows and blocks of lanes are independent.
 *
 * What is carried depends on the node alone. Sums, products and recurrences of f32
 * are carried in f64 and rounded once per element. In f64 sums and products of more
 * than RUN terms are carried at several levels: the terms of the current run, the
 * runs of the current RUN * RUN terms, and so on; an element combines all levels,
 * the last runs first. A recurrence is carried as it stands.
 *
 * A sort makes integer keys of a row, and merges them in memory of the chunk of rows
 * that the row is in. */
#include "gen.h"

#include <math.h>
#include <string.h>

enum { LANE = 64, MAXLEVEL = 8, SORT_CHUNKS = 8, SORT_LOCAL = 256 };

/* one thing carried from element to element: a variable, or an array with a place for each lane */
typedef struct Carry {
	const Var *var;
	Mem *mem;
	DType dt;
	const Val *first;
} Carry;
typedef struct Scan {
	Build *b;
	Node *n;
	Node *const *root;
	int64_t nroot;
	Dim size, inner;               /* of the dimension, and of all behind it */
	const Ix *outer, *behind;      /* row-major index of the dimensions before and behind */
	const Var *lane;               /* NULL: nothing lies behind */
	const Val *lane_from, *lane_to;
	Carry carry[MAXLEVEL];         /* of cumargmax: the index, then the best value */
	int ncarry;
	const Var *i;                  /* counts elements in the order of the scan */
	uint64_t used;                 /* loops around it, but that over lanes */
	Stmt *outermost;               /* of those loops, or NULL */
} Scan;

static int
dim_of(const Node *n)
{
	return dim_index(attr_of(n, "dim")->i, n->type.rank);
}

/* sizes of the dimension, of all before and of all behind it */
void
ordered_sizes(const Node *n, Dim *outer, Dim *size, Dim *inner)
{
	int dim = dim_of(n);

	*outer = *size = *inner = DIM(1);
	for (int d = 0; d < n->type.rank; d++)
		if (!dim_mul(n->type.dim[d], d < dim ? *outer : d == dim ? *size : *inner,
			d < dim ? outer : d == dim ? size : inner))
			bug("a scan over an overflowing count");
}

static bool
is_arg(const Node *n)
{
	return n->op->combine == R_ARGMAX || n->op->combine == R_ARGMIN;
}

/* ---- what is carried ---- */

static void
add_carry(Scan *s, const char *name, DType dt, const Val *first)
{
	Build *b = s->b;
	Carry *c = &s->carry[s->ncarry++];

	c->dt = dt;
	c->first = first;
	if (s->lane)
		c->mem = build_array(b, build_name(b, name), dt, MIN(LANE, s->lane->most));
	else
		c->var = build_within(b, name, dt, s->used | (uint64_t)1 << s->i->id);
}

static void
choose_carries(Scan *s)
{
	Build *b = s->b;
	Combine how = s->n->op->combine;
	DType dt = s->n->type.dt, in = s->n->in[0]->type.dt, wide = dtype_float(dt) ? F64 : dt;
	int64_t most = dim_max(b->g, s->size);

	if (is_arg(s->n)) {
		add_carry(s, "which", I64, v_int(b, 0));
		add_carry(s, how == R_ARGMAX ? "greatest" : "least", in, v_identity(b, how, in));
	} else if (how == R_LINEAR || how == R_LOGSUM)
		add_carry(s, "carry", F64, v_num(b, F64, how == R_LINEAR ? 0 : -INFINITY));
	else {
		const Val *none = v_identity(b, how, wide);
		add_carry(s, "carry", wide, none);
		for (; dt == F64 && most > RUN; most = (most + RUN - 1) / RUN)
			add_carry(s, "runs", wide, none);
	}
}

/* where the current lane is in arrays of lanes */
static const Val *
lane_place(const Scan *s)
{
	return v_binary(s->b, I64, "-", v_var(s->b, s->lane), s->lane_from);
}

static const Val *
carried(const Scan *s, const Carry *c)
{
	return c->mem ? v_load(s->b, c->mem, lane_place(s)) : v_var(s->b, c->var);
}

static void
carry_on(const Scan *s, Block *body, const Carry *c, const Val *v)
{
	if (c->mem)
		s_store(s->b, body, c->mem, lane_place(s), v);
	else
		s_set(s->b, body, c->var, R_NONE, v);
}

/* c combined with the inner one, which begins anew */
static void
take_over(const Scan *s, Block *body, const Carry *c, const Carry *inner)
{
	if (c->mem)
		s_acc(s->b, body, c->mem, lane_place(s), s->n->op->combine, carried(s, inner));
	else
		s_set(s->b, body, c->var, s->n->op->combine, carried(s, inner));
	carry_on(s, body, inner, inner->first);
}

/* opens the loop over lanes, if there are some */
static Block *
lanes(const Scan *s, Block *body)
{
	return s->lane ? &s_for(s->b, body, s->lane, s->lane_from, s->lane_to, 1)->body : body;
}

static void
declare_carries(Scan *s, Block *body)
{
	Block *each;

	for (int i = 0; i < s->ncarry; i++)
		if (s->lane)     /* gcc warns of arrays that loops of unknown length fill */
			s_array(s->b, body, s->carry[i].mem, s->lane->extent.sym != 0);
		else
			s_var(s->b, body, s->carry[i].var, s->carry[i].first);
	if (!s->lane)
		return;
	each = lanes(s, body);
	for (int i = 0; i < s->ncarry; i++)
		carry_on(s, each, &s->carry[i], s->carry[i].first);
}

/* ---- one element ---- */

/* v under a name: what is carried changes after it */
static const Val *
fixed(const Scan *s, Block *body, const char *name, const Val *v, uint64_t loops)
{
	const Var *x = build_within(s->b, name, v->dt, loops);

	s_let(s->b, body, x, v);
	return v_var(s->b, x);
}

/* the new value of the innermost carry */
static const Val *
next(const Scan *s, const Ix *const *o)
{
	Build *b = s->b;
	Combine how = s->n->op->combine;
	DType wide = s->carry[0].dt;
	const Val *old = carried(s, &s->carry[0]), *x = convert(b, wide, element(b, s->n->in[0], o));

	switch (how) {
	case R_LINEAR:
		return v_binary(b, F64, "+", v_binary(b, F64, "*", x, old), v_cast(b, F64, element(b, s->n->in[1], o)));
	case R_LOGSUM:
		return v_call(b, F64, "rt_log_add_exp_f64", (const Val *[]){old, x}, 2);
	default:
		return v_combine(b, how, old, x);
	}
}

static const Val *
arg_step(const Scan *s, Block *body, const Ix *const *o, const Val *index, uint64_t loops)
{
	Build *b = s->b;
	bool most = s->n->op->combine == R_ARGMAX;
	const Val *x = fixed(s, body, "x", element(b, s->n->in[0], o), loops), *best, *which, *yes;

	best = fixed(s, body, "best", carried(s, &s->carry[1]), loops);
	yes = v_binary(b, BOOL, most ? ">=" : "<=", x, best);
	if (dtype_float(x->dt))
		yes = v_binary(b, BOOL, "||", yes, v_binary(b, BOOL, "!=", x, x));
	which = fixed(s, body, "at", v_cond(b, yes, index, carried(s, &s->carry[0]), false), loops);
	carry_on(s, body, &s->carry[0], which);
	carry_on(s, body, &s->carry[1], v_cond(b, yes, x, best, false));
	return which;
}

/* stores what is computed from element `at` of the node, which is v */
static void
put_roots(Build *b, Block *body, const Node *n, Node *const *root, int64_t nroot, const Ix *at, const Val *v)
{
	b->tiled = n;
	b->tile_at = at;
	b->tile_value = v;
	for (int64_t r = 0; r < nroot; r++) {
		const Ix *o[MAXRANK];
		unravel(b->ix, &root[r]->type, at, o);
		s_store(b, body, node_mem(b, b->storage[root[r]->id]), v_ix(b, at), element(b, root[r], o));
	}
	b->tiled = NULL;
}

static const Ix *
linear(const Scan *s, const Ix *i)
{
	IxCtx *c = s->b->ix;
	const Ix *row = ix_add(c, ix_scale(c, s->outer, s->size), i);

	return ix_add(c, ix_scale(c, row, s->inner), s->behind);
}

static void
step(const Scan *s, Block *body, const Ix *at)
{
	Build *b = s->b;
	const Ix *o[MAXRANK], *x = linear(s, at);
	uint64_t loops = s->used | (uint64_t)1 << s->i->id | (s->lane ? (uint64_t)1 << s->lane->id : 0);
	const Val *v;

	unravel(b->ix, &s->n->type, x, o);
	if (is_arg(s->n))
		v = arg_step(s, body, o, v_ix(b, at), loops);
	else {
		v = fixed(s, body, node_name(b, s->n), next(s, o), loops);
		carry_on(s, body, &s->carry[0], v);
		for (int k = 1; k < s->ncarry; k++)
			v = v_combine(b, s->n->op->combine, carried(s, &s->carry[k]), v);
		v = convert(b, s->n->type.dt, v);
	}
	put_roots(b, body, s->n, s->root, s->nroot, x, v);
}

/* ---- loops ---- */

/* index along the dimension of the element that is next */
static const Ix *
position(const Scan *s)
{
	Build *b = s->b;
	const Val *last = v_binary(b, I64, "-", v_dim(b, s->size), v_int(b, 1));

	if (dim_one(s->size))
		return ix_int(b->ix, 0);
	if (is_arg(s->n) || !attr_of(s->n, "reverse")->i)
		return b->ixvar[s->i->id];
	return build_index(b, v_binary(b, I64, "-", last, v_var(b, s->i)), s->size);
}

/* the elements from .. to; with more than one carry, run by run */
static void
run_loops(Scan *s, Block *body, int level, const Val *from, const Val *to)
{
	Build *b = s->b;
	const Var *run;
	const Val *end;
	uint64_t used = s->used;
	int64_t length = 1;
	Stmt *f;

	if (!level) {
		f = s_for(b, body, s->i, from, to, 1);
		step(s, lanes(s, &f->body), position(s));
		return;
	}
	for (int k = 0; k < level; k++)
		length *= RUN;
	run = build_counter(b, "run", v_dim(b, s->size), dim_max(b->g, s->size));
	s->used |= (uint64_t)1 << run->id;
	f = s_for(b, body, run, from, to, length);
	end = fixed(s, &f->body, "end", v_min(b, v_binary(b, I64, "+", v_var(b, run), v_int(b, length)), to), s->used);
	run_loops(s, &f->body, level - 1, v_var(b, run), end);
	take_over(s, lanes(s, &f->body), &s->carry[level], &s->carry[level - 1]);
	s->used = used;
}

static void
keep_outermost(Scan *s, Stmt *f)
{
	s->outermost = s->outermost ? s->outermost : f;
}

/* loops over the last of the dimensions behind in blocks of lanes */
static void
open_lanes(Scan *s, Dim extent, Block **body)
{
	Build *b = s->b;
	const Var *block;
	Stmt *f;

	s->lane = build_loop(b, extent, s->used);
	s->lane_from = v_int(b, 0);
	s->lane_to = s->lane->end;
	s->behind = ix_add(b->ix, s->behind, b->ixvar[s->lane->id]);
	if (s->lane->most <= LANE)
		return;
	block = build_counter(b, "block", s->lane->end, s->lane->most);
	f = s_for(b, *body, block, v_int(b, 0), s->lane->end, LANE);
	keep_outermost(s, f);
	*body = &f->body;
	s->used |= (uint64_t)1 << block->id;
	s->lane_from = v_var(b, block);
	s->lane_to = fixed(s, *body, "stop", v_min(b, v_binary(b, I64, "+", s->lane_from, v_int(b, LANE)), s->lane->end),
		s->used);
}

static void
scan_kernel(Build *b, Node *n, Node *const *root, int64_t nroot, Axes *rows, Axes *behind)
{
	Scan s = {.b = b, .n = n, .root = root, .nroot = nroot};
	Block *body = &b->top;
	Axes most = *behind;
	Dim last = behind->extent[behind->n - 1], outer;

	ordered_sizes(n, &outer, &s.size, &s.inner);
	s.outermost = open_loops(b, rows, &s.used, &s.outer, &body);
	most.n--;
	keep_outermost(&s, open_loops(b, &most, &s.used, &s.behind, &body));
	memcpy(behind->var, most.var, sizeof most.var);
	s.behind = ix_scale(b->ix, s.behind, last);
	if (!dim_one(last))
		open_lanes(&s, last, &body);
	behind->var[behind->n - 1] = s.lane;
	s.i = build_loop(b, s.size, s.used | (s.lane ? (uint64_t)1 << s.lane->id : 0));
	choose_carries(&s);
	declare_carries(&s, body);
	run_loops(&s, body, is_arg(n) ? 0 : s.ncarry - 1, v_int(b, 0), v_dim(b, s.size));
	set_parallel(b, s.outermost, 1, node_work(n));
}

/* ---- sorts ---- */

/* element of a row's key, as rt/ordered.h makes it */
static const Val *
key_of(Build *b, const Val *x, bool descending)
{
	DType d = x->dt;
	const Val *key;

	if (dtype_float(d))
		key = v_cast(b, F64, x), key = v_call(b, U64, "rt_key_f64", &key, 1);
	else if (dtype_class(d) == C_UINT || d == BOOL)
		key = v_cast(b, U64, x);
	else
		key = v_cast(b, I64, x), key = v_call(b, U64, "rt_key_i64", &key, 1);
	return descending ? v_call(b, U64, "rt_key_down", &key, 1) : key;
}

typedef struct Sort {
	Build *b;
	Mem *of[4];                    /* keys, indices, and work space of both */
	const Val *at;                 /* where the row's memory begins */
} Sort;

static const char *const sort_array[] = {"key", "place", "key_work", "place_work"};

/* long rows are sorted in the workspace, which has memory for one row of each chunk */
static void
shared_memory(Sort *t, Block *body, int64_t most, int64_t chunks)
{
	int64_t n;

	if (!mul_ok(most, chunks, &n))
		bug("memory of a sort overflows");
	for (int i = 0; i < LEN(sort_array); i++) {
		t->of[i] = build_scratch(t->b, sort_array[i], i % 2 ? I64 : U64, n);
		s_array(t->b, body, t->of[i], false);
	}
	t->at = v_int(t->b, 0);
}

/* short rows on the stack */
static void
local_memory(Sort *t, Block *body, Dim size)
{
	Build *b = t->b;

	/* of unknown length: more than one element, since gcc warns where a loop that begins with the second is in sight */
	for (int i = 0; i < LEN(sort_array); i++) {
		t->of[i] = build_array(b, build_name(b, sort_array[i]), i % 2 ? I64 : U64,
			MAX(dim_max(b->g, size), size.sym ? 2 : 1));
		s_array(b, body, t->of[i], size.sym != 0);
	}
	t->at = v_int(b, 0);
}

/* sorts the row whose first element is `first` */
static void
sort_row(const Sort *t, Block *body, Node *n, Node *const *root, int64_t nroot, const Ix *first, Dim stride,
	uint64_t loops)
{
	Build *b = t->b;
	Dim size = n->type.rank ? n->type.dim[dim_of(n)] : DIM(1);
	const Var *i = build_loop(b, size, loops);
	const Ix *along = dim_one(size) ? ix_int(b->ix, 0) : b->ixvar[i->id];
	const Ix *o[MAXRANK], *at = ix_add(b->ix, first, ix_scale(b->ix, along, stride));
	const Val *place = v_binary(b, I64, "+", t->at, v_var(b, i)), *x[5];
	Stmt *f = s_loop(b, body, i);

	unravel(b->ix, &n->type, at, o);
	s_store(b, &f->body, t->of[0], place, key_of(b, element(b, n->in[0], o), attr_of(n, "descending")->i));
	for (int k = 0; k < 4; k++)
		x[k] = v_addr(b, t->of[k], t->at);
	x[4] = v_dim(b, size);
	s_call(b, body, v_call(b, I64, "rt_argsort", x, 5));
	f = s_loop(b, body, i);
	put_roots(b, &f->body, n, root, nroot, at, v_load(b, t->of[1], place));
}

/* index of the row's first element, from that of the row among all */
static const Ix *
row_start(Build *b, const Node *n, const Var *row, Dim outer, Dim inner)
{
	Dim size = n->type.rank ? n->type.dim[dim_of(n)] : DIM(1);
	const Ix *at = row ? b->ixvar[row->id] : ix_int(b->ix, 0), *before = at, *behind = ix_int(b->ix, 0);

	if (!inner.k)          /* there is no row */
		return behind;
	if (!dim_one(inner) && !dim_one(outer)) {
		before = build_index(b, v_binary(b, I64, "/", v_ix(b, at), v_dim(b, inner)), outer);
		behind = build_index(b, v_binary(b, I64, "%", v_ix(b, at), v_dim(b, inner)), inner);
	} else if (dim_one(outer)) {
		before = behind;
		behind = at;
	}
	return ix_add(b->ix, ix_scale(b->ix, ix_scale(b->ix, before, size), inner), behind);
}

/* loops over rows; where there is memory for `chunks` of them, every chunks-th row uses the same. *slot: which one */
static Stmt *
open_rows(Build *b, Dim rows, int64_t chunks, const Var **row, const Var **slot, Block **body)
{
	Stmt *f = NULL, *each;
	const Val *first = v_int(b, 0);

	*row = *slot = NULL;
	if (dim_one(rows))
		return NULL;
	*row = *slot = build_loop(b, rows, 0);
	if (dim_max(b->g, rows) > chunks) {
		*slot = build_counter(b, "chunk", v_int(b, chunks), chunks);
		f = s_loop(b, *body, *slot);
		*body = &f->body;
		first = v_var(b, *slot);
	}
	each = s_for(b, *body, *row, first, (*row)->end, f ? chunks : 1);
	*body = &each->body;
	return f ? f : each;
}

static void
sort_kernel(Build *b, Node *n, Node *const *root, int64_t nroot)
{
	Dim outer, size, inner, rows;
	const Var *row, *slot;
	Block *body = &b->top;
	Sort t = {.b = b};
	uint64_t loops = 0;
	int64_t most, chunks;
	Stmt *outermost;

	ordered_sizes(n, &outer, &size, &inner);
	if (!dim_mul(outer, inner, &rows))
		bug("a sort of an overflowing count");
	most = dim_max(b->g, size);
	chunks = most <= SORT_LOCAL ? INT64_MAX : MIN(dim_max(b->g, rows), SORT_CHUNKS);
	if (most > SORT_LOCAL)
		shared_memory(&t, &b->top, most, chunks);
	outermost = open_rows(b, rows, chunks, &row, &slot, &body);
	if (most <= SORT_LOCAL)
		local_memory(&t, body, size);
	else if (slot)
		t.at = v_binary(b, I64, "*", v_var(b, slot), v_int(b, most));
	if (row)
		loops = (uint64_t)1 << row->id | (uint64_t)1 << slot->id;
	sort_row(&t, body, n, root, nroot, row_start(b, n, row, outer, inner), inner, loops);
	set_parallel(b, outermost, 1, node_work(n));
}

void
ordered_kernel(Build *b, Node *n, Node *const *root, int64_t nroot, Axes *rows, Axes *behind)
{
	if (n->op->combine == R_NONE)
		sort_kernel(b, n, root, nroot);
	else
		scan_kernel(b, n, root, nroot, rows, behind);
}

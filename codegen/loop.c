/* loop: from statements over pure values to statements in C's order.
 *
 * The statements given hold values as shared graphs, reductions among them. One
 * walk, in order, decides where each value is computed: in the outermost open
 * loop on whose variables it depends, before the statement that needs it there.
 * A value gets a name when it is used twice, when it leaves a loop, or when the
 * text would be long; a reduction becomes a loop at its place, together with all
 * others over the same variable that can be had by then: they share a stage.
 *
 * A branch that is only safe where its guard holds becomes an `if` unless it is
 * short: what it computes stays inside (`floor`). */
#include "gen.h"

#include <string.h>

enum { MAXDEPTH = 64, LONG = 14, SHORT_GUARD = 16 };

typedef struct Named { const Val *v, *by; } Named;
typedef struct Scope {
	Block *out;
	int loop;                      /* id of its loop variable; -1: none */
	Named *named;
	int64_t n, cap;
	Map *names;                    /* identifiers declared here */
	Map *numbers;                  /* base -> number of the last of them that is like it, plus 1 */
	bool tested;                   /* an `if` in it is being filled: what is added now comes too late for it */
} Scope;
typedef struct Sched {
	Build *b;
	Scope scope[MAXDEPTH];
	int depth;                     /* open scopes */
	int floor;                     /* nothing is placed further out */
	int inline_only;               /* > 0: within a guarded branch that is one expression */
	int choice;                    /* > 0: within what C may leave out: a branch of ?:, the right side of && */
	int open[MAXLOOP];             /* scope of each loop variable, -1: not open */
	int *uses;                     /* by value id */
	const Val **red;               /* reductions outside of guards, operands first */
	int *red_part;                 /* the part of the kernel that needs it first */
	int64_t nred, capred, cappart;
	int part;                      /* the part that is being done */
	struct Sched *left;            /* with the scopes that leave() put aside */
	int *seen;                     /* by value id: 1 + the last part of the kernel that needs it */
	int nval;                      /* values that existed at the start */
	bool *filled;                  /* by memory id, when it is awaited */
} Sched;

static const Val *use(Sched *s, const Val *v, int at);

/* ---- counting ---- */

static void
count_uses(Sched *s, const Val *v, bool guarded)
{
	bool first = !s->seen[v->id];

	if (s->seen[v->id] == s->part + 1)
		return;
	s->seen[v->id] = s->part + 1;
	for (int i = 0; i < v->nx; i++) {
		s->uses[v->x[i]->id] += first;
		count_uses(s, v->x[i], guarded || (v->kind == V_COND && v->guard && i));
	}
	if (first && v->kind == V_REDUCE && !guarded) {
		s->red_part = arena_grow(s->b->arena, s->red_part, s->nred, &s->cappart, (int64_t)sizeof *s->red_part);
		s->red_part[s->nred] = s->part;
		PUSH(s->b->arena, s->red, s->nred, s->capred, v);
	}
}

/* what a later part reads may have been written by an earlier one */
static void
enter_part(Sched *s, const Stmt *t)
{
	if (t->part)
		s->part = t->part;
}

static void
count_block(Sched *s, const Block *k)
{
	for (int64_t i = 0; i < k->n; i++) {
		const Stmt *t = k->s[i];
		enter_part(s, t);
		for (int j = 0; j < LEN(t->x); j++)
			if (t->x[j]) {
				s->uses[t->x[j]->id]++;
				count_uses(s, t->x[j], false);
			}
		count_block(s, &t->body);
		count_block(s, &t->other);
	}
}

/* ---- scopes ---- */

static void
push(Sched *s, Block *out, int loop)
{
	if (s->depth == MAXDEPTH)
		bug("a kernel with loops nested more than %d deep", MAXDEPTH);
	s->scope[s->depth] = (Scope){.out = out, .loop = loop, .names = map_new(s->b->arena),
		.numbers = map_new(s->b->arena)};
	if (loop >= 0)
		s->open[loop] = s->depth;
	s->depth++;
}

static void
pop(Sched *s)
{
	Scope *k = &s->scope[--s->depth];

	if (k->loop >= 0)
		s->open[k->loop] = -1;
}

/* Leaves only scopes up to d open while a statement deeper inside waits; rejoin() brings the others back. */
static Sched *
leave(Sched *s, int d)
{
	Sched *kept = NEW(s->b->arena, 1, Sched);

	*kept = *s;
	for (int i = d + 1; i < s->depth; i++)
		if (s->scope[i].loop >= 0)
			s->open[s->scope[i].loop] = -1;
	s->depth = d + 1;
	s->left = kept;
	return kept;
}

static void
rejoin(Sched *s, const Sched *kept)
{
	for (int i = s->depth; i < kept->depth; i++)
		s->scope[i] = kept->scope[i];
	memcpy(s->open, kept->open, sizeof s->open);
	s->depth = kept->depth;
	s->left = kept->left;
}

static bool
computable(const Sched *s, const Val *v)
{
	for (int i = 0; i < MAXLOOP; i++)
		if (v->loops >> i & 1 && s->open[i] < 0)
			return false;
	return true;
}

/* index arithmetic without loads: it may be done whether a guard holds or not */
static bool
is_pure_index(const Val *v)
{
	if (v->kind == V_VAR || v->kind == V_INT || v->kind == V_SYM)
		return v->dt == I64;
	if (v->kind != V_BINARY || v->dt != I64)
		return false;
	return is_pure_index(v->x[0]) && is_pure_index(v->x[1]);
}

/* the innermost scope of those of v's loop variables, at least d */
static int
innermost(const Sched *s, const Val *v, int d)
{
	for (int i = 0; i < MAXLOOP; i++)
		if (v->loops >> i & 1) {
			if (s->open[i] < 0)
				bug("a value is used outside of the loop over %s", s->b->loop[i]->name);
			d = MAX(d, s->open[i]);
		}
	return d;
}

/* the outermost scope in which v can be computed */
static int
level(const Sched *s, const Val *v)
{
	if (s->floor && v->kind == V_BINARY && is_pure_index(v)) {
		int d = innermost(s, v, 0);
		if (d < s->floor && !s->scope[d].tested)
			return d;
	}
	return innermost(s, v, s->floor);
}

static const Val *
find(const Sched *s, const Val *v)
{
	for (int d = s->depth - 1; d >= 0; d--)
		for (int64_t i = 0; i < s->scope[d].n; i++)
			if (s->scope[d].named[i].v == v)
				return s->scope[d].named[i].by;
	return NULL;
}

static const Val *
set_name(Sched *s, int d, const Val *v, const Val *by)
{
	Scope *k = &s->scope[d];

	PUSH(s->b->arena, k->named, k->n, k->cap, ((Named){v, by}));
	return by;
}

/* whether a name is declared in a scope that is open, or put aside; of two in different loops neither sees the other */
static bool
name_taken(const Sched *s, const char *name)
{
	for (; s; s = s->left)
		for (int d = 0; d < s->depth; d++)
			if (map_get(s->scope[d].names, name))
				return true;
	return false;
}

/* an identifier like base for scope d */
static const char *
new_name(Sched *s, int d, const char *base)
{
	const char *name;
	intptr_t n = 0;

	for (int i = 0; i < s->depth; i++)
		n = MAX(n, (intptr_t)map_get(s->scope[i].numbers, base));
	while (!(name = build_candidate(s->b, base, (int)n)) || name_taken(s, name))
		n++;
	map_set(s->scope[d].names, name, s);
	map_set(s->scope[d].numbers, base, (void *)(n + 1));
	return name;
}

static const Var *
new_scalar(Sched *s, int d, const char *name, DType dt)
{
	return build_var(s->b, new_name(s, d, name), dt);
}

/* what v is called in scope d */
static const Var *
new_var(Sched *s, int d, const Val *v)
{
	return new_scalar(s, d, v->name ? v->name : "t", v->dt);
}

static int
uses(const Sched *s, const Val *v)
{
	return v->id < s->nval ? s->uses[v->id] : 1;
}

/* ---- values ---- */

static bool
is_logic(const Val *v)
{
	return v->kind == V_BINARY && (!strcmp(v->op, "&&") || !strcmp(v->op, "||"));
}

static const Val *
rebuild(Sched *s, const Val *v, int at)
{
	const Val *x[LEN(v->x)];

	for (int i = 0; i < v->nx; i++) {
		bool choice = i && (v->kind == V_COND || is_logic(v)), branch = choice && v->guard;
		s->inline_only += branch;
		s->choice += choice;
		x[i] = use(s, v->x[i], at);
		s->choice -= choice;
		s->inline_only -= branch;
	}
	return v_with(s->b, v, x);
}

static bool
is_index(const Val *v)
{
	return v->dt == I64 && v->kind == V_BINARY;
}

static bool
wants_name(const Sched *s, const Val *v, int d, int at)
{
	if (s->inline_only || v->kind == V_ADDR)
		return false;
	if (is_index(v))
		return v->cost >= 6 && (uses(s, v) > 1 || d < at);
	/* a load that need not happen becomes a masked one, and gcc before 12.4 confuses masks (PR 114375) */
	if (v->kind == V_LOAD && s->choice)
		return true;
	if (v->kind == V_CAST && v->x[0]->nx == 0)
		return false;
	return uses(s, v) > 1 || d < at || (v->own && v->kind != V_LOAD);
}

static const Val *
let(Sched *s, int d, const Val *v, const Val *x)
{
	Build *b = s->b;
	const Var *raw = NULL, *var;

	if (v->check) {
		raw = new_scalar(s, d, "raw", I64);
		s_let(b, s->scope[d].out, raw, x->x[0]);
		x = v_with(b, x, (const Val *[]){v_var(b, raw), x->x[1]});
	}
	var = new_var(s, d, v);
	s_let(b, s->scope[d].out, var, x);
	if (raw)
		stmt(b, s->scope[d].out, S_BAD)->x[0] = v_binary(b, BOOL, "!=", v_var(b, var), v_var(b, raw));
	return set_name(s, d, v, v_var(b, var));
}

/* whether a guarded branch may stay an expression: short, with nothing that must be named */
static bool
plain(const Val *v)
{
	if (v->kind == V_REDUCE || v->check)
		return false;
	for (int i = 0; i < v->nx; i++)
		if (!plain(v->x[i]))
			return false;
	return true;
}

static void
guarded_branch(Sched *s, Block *out, const Var *var, const Val *v)
{
	int floor = s->floor;

	push(s, out, -1);
	s->floor = s->depth - 1;
	s_set(s->b, out, var, R_NONE, use(s, v, s->floor));
	s->floor = floor;
	pop(s);
}

/* a variable set by an if */
static const Val *
guarded(Sched *s, const Val *v, int d)
{
	Sched *kept = leave(s, d);
	const Val *no = v->x[2], *cond = use(s, v->x[0], d);
	const Var *var = new_var(s, d, v);
	bool simple = no->kind == V_NUM || no->kind == V_INT;
	const Val *zero = dtype_float(v->dt) ? v_num(s->b, v->dt, 0) : v_lit(s->b, v->dt, 0);
	bool tested = s->scope[d].tested;
	Stmt *t;

	s_var(s->b, s->scope[d].out, var, simple ? no : zero);
	t = s_if(s->b, s->scope[d].out, cond);
	s->scope[d].tested = true;
	guarded_branch(s, &t->body, var, v->x[1]);
	if (!simple)
		guarded_branch(s, &t->other, var, no);     /* but for indices, nothing of it is placed before: floor */
	s->scope[d].tested = tested;
	rejoin(s, kept);
	return set_name(s, d, v, v_var(s->b, var));
}

static void reductions(Sched *s, const Val *v);

/* v as it is to be written in scope `at`, after naming what must be */
static const Val *
use(Sched *s, const Val *v, int at)
{
	const Val *x;
	int d;

	if (!v->nx)
		return v;
	if ((x = find(s, v)))
		return x;
	if (v->kind == V_REDUCE) {
		reductions(s, v);
		return find(s, v);
	}
	d = level(s, v);
	if (v->kind == V_COND && v->guard && !s->inline_only && (v->size > SHORT_GUARD || !plain(v)))
		return guarded(s, v, d);
	if (v->check || wants_name(s, v, d, at))
		return let(s, d, v, rebuild(s, v, d));
	x = rebuild(s, v, at);
	if (x->size > LONG && !s->inline_only && !is_index(v) && v->kind != V_ADDR)
		return let(s, d, v, x);
	return x;
}

/* v as the right side of a statement: no name of its own unless others use it */
static const Val *
use_root(Sched *s, const Val *v)
{
	int at = s->depth - 1;

	if (!v->nx || find(s, v) || v->kind == V_REDUCE || v->check || v->guard || level(s, v) < at
		|| uses(s, v) > 1)
		return use(s, v, at);
	return rebuild(s, v, at);
}

/* ---- reductions ---- */

/* terms in one accumulator before a new one begins, at each depth of the nest; the order of other
 * reductions than floating sums and products does not matter */
static int
chunk_sizes(const Val *v, int64_t *size)
{
	int64_t most = v->var->most, c = v->order == BY_CHUNKS ? CHUNK : RUN;
	int n = 0;

	if (!dtype_float(v->dt) || (v->combine != R_SUM && v->combine != R_PROD))
		return 0;
	if (v->order == BY_LANES)
		c *= LANES;
	for (; most > c; c *= RUN)
		size[n++] = c;
	return n;
}

typedef struct Stage {
	const Val **red;
	int n;
	int64_t size[16];
	int nsize;
	const Var *over;
	const Val *end;                /* extent */
	const Mem **shared;            /* the lanes of every chunk, which threads have computed; NULL: nobody has */
} Stage;

static bool
in_lanes(const Val *v)
{
	return v->order == BY_LANES && dtype_float(v->dt);
}

/* the innermost loop: for each term of each reduction, put it into acc */
static void
terms(Sched *s, const Stage *g, Block *out, const Val *from, const Val *to, const Val *lane0, const Mem *const *acc)
{
	Stmt *f = for_new(s->b, g->over, from, to, 1);

	push(s, &f->body, g->over->id);
	for (int i = 0; i < g->n; i++) {
		const Val *x = use_root(s, g->red[i]->x[0]);
		s_acc(s->b, &f->body, (Mem *)acc[i],
			v_binary(s->b, I64, "-", v_var(s->b, g->over), lane0), g->red[i]->combine, x);
	}
	pop(s);
	block_add(s->b, out, f);
}

/* even: from and to are multiples of LANES */
static void
lane_terms(Sched *s, const Stage *g, Block *out, const Val *from, const Val *to, bool even, const Mem *const *acc)
{
	Build *b = s->b;
	const Val *width = v_int(b, LANES), *whole;
	const Var *base = new_scalar(s, s->depth - 1, "base", I64);
	Stmt *f;

	if (even)
		whole = to;
	else if (to->kind == V_INT)
		whole = v_int(b, to->num.i / LANES * LANES);
	else {
		const Var *w = new_scalar(s, s->depth - 1, "whole", I64);
		s_let(b, out, w, v_binary(b, I64, "-", to, v_binary(b, I64, "%", to, width)));
		whole = v_var(b, w);
	}
	f = for_new(b, base, from, whole, LANES);
	terms(s, g, &f->body, v_var(b, base), v_binary(b, I64, "+", v_var(b, base), width), v_var(b, base), acc);
	block_add(b, out, f);
	if (!even)
		terms(s, g, out, whole, to, whole, acc);
}

static const Mem **
lane_arrays(Sched *s, const Stage *g, Block *out, const char *what)
{
	Build *b = s->b;
	const Mem **m = NEW(b->arena, g->n, const Mem *);

	for (int i = 0; i < g->n; i++) {
		const Val *v = g->red[i], *none = v_identity(b, v->combine, v->dt);
		const char *name = new_name(s, s->depth - 1, arena_fmt(b->arena, "%s%s", v->name ? v->name : "acc", what));
		Mem *a = build_array(b, name, v->dt, LANES);
		s_array(b, out, a, v->combine == R_SUM);
		if (v->combine != R_SUM)
			s_call(b, out, v_call(b, v->dt, v->dt == F32 ? "rt_lanes_fill_f32" : "rt_lanes_fill_f64",
				(const Val *[]){v_addr(b, a, v_int(b, 0)), none}, 2));
		m[i] = a;
	}
	return m;
}

static bool
chunks_are_whole(const Stage *g, int64_t size)
{
	return g->end->kind == V_INT && g->end->num.i % size == 0;
}

/* the first term after a chunk's beginning that is not in it */
static const Val *
chunk_end(Sched *s, Block *out, const Stage *g, const Val *begin, const Val *to, int64_t size)
{
	Build *b = s->b;
	const Val *end = v_binary(b, I64, "+", begin, v_int(b, size));
	const Var *x;

	if (chunks_are_whole(g, size))
		return end;
	x = new_scalar(s, s->depth - 1, "end", I64);
	s_let(b, out, x, v_min(b, end, to));
	return v_var(b, x);
}

static void
lane_chunk(Sched *s, const Stage *g, Block *out, const Val *begin, const Val *to, const Mem *const *acc)
{
	lane_terms(s, g, out, begin, chunk_end(s, out, g, begin, to, g->size[0]), chunks_are_whole(g, g->size[0]), acc);
}

/* where the lanes of the chunk that begins there lie in Stage.shared */
static const Val *
shared_at(Build *b, const Stage *g, const Var *chunk, const Var *lane)
{
	return v_binary(b, I64, "+", v_binary(b, I64, "/", v_var(b, chunk), v_int(b, g->size[0] / LANES)), v_var(b, lane));
}

static void
lane_nest(Sched *s, const Stage *g, int k, Block *out, const Val *from, const Val *to, const Mem *const *acc)
{
	Build *b = s->b;
	const Mem **part = g->shared;
	const Var *c, *l;
	Stmt *f, *add;

	if (!k) {
		lane_terms(s, g, out, from, to, to->kind == V_INT && to->num.i % LANES == 0, acc);
		return;
	}
	c = new_scalar(s, s->depth - 1, "chunk", I64);
	f = for_new(b, c, from, to, g->size[k - 1]);
	if (k > 1 || !part)
		part = lane_arrays(s, g, &f->body, "_part");
	if (k > 1)
		lane_nest(s, g, k - 1, &f->body, v_var(b, c),
			chunk_end(s, &f->body, g, v_var(b, c), to, g->size[k - 1]), part);
	else if (!g->shared)
		lane_chunk(s, g, &f->body, v_var(b, c), to, part);
	l = new_scalar(s, s->depth - 1, "lane", I64);
	add = s_for(b, &f->body, l, v_int(b, 0), v_int(b, LANES), 1);
	for (int i = 0; i < g->n; i++)
		s_acc(b, &add->body, (Mem *)acc[i], v_var(b, l), g->red[i]->combine,
			v_load(b, (Mem *)part[i], k == 1 && g->shared ? shared_at(b, g, c, l) : v_var(b, l)));
	block_add(b, out, f);
}

static int64_t
stage_work(const Build *b, const Stage *g)
{
	const Var *x = g->over;
	int64_t cost = 0;

	for (int i = 0; i < g->n; i++)
		cost += g->red[i]->x[0]->cost + 1;
	return mul_sat(x->extent.k < 0 ? x->most : dim_hint(b->g, x->extent), cost);
}

/* The chunks of a reduction that is in no loop are shared out among threads, which leave their lanes in scratch memory;
 * what is added to what stays as it is. */
static void
share_chunks(Sched *s, Stage *g, Block *out)
{
	Build *b = s->b;
	const int64_t chunks = (g->over->most + g->size[0] - 1) / g->size[0];
	const Mem **part, **all = NEW(b->arena, g->n, const Mem *);
	const Var *c = new_scalar(s, s->depth - 1, "chunk", I64), *l;
	Stmt *f = for_new(b, c, v_int(b, 0), g->end, g->size[0]), *put;

	for (int i = 0; i < g->n; i++) {
		const char *name = arena_fmt(b->arena, "%s_parts", g->red[i]->name ? g->red[i]->name : "acc");
		all[i] = build_scratch(b, name, g->red[i]->dt, chunks * LANES);
		s_array(b, out, all[i], false);
	}
	part = lane_arrays(s, g, &f->body, "_part");
	lane_chunk(s, g, &f->body, v_var(b, c), g->end, part);
	l = new_scalar(s, s->depth - 1, "lane", I64);
	put = s_for(b, &f->body, l, v_int(b, 0), v_int(b, LANES), 1);
	for (int i = 0; i < g->n; i++)
		s_store(b, &put->body, (Mem *)all[i], shared_at(b, g, c, l), v_load(b, (Mem *)part[i], v_var(b, l)));
	set_parallel(b, f, 1, stage_work(b, g));
	block_add(b, out, f);
	g->shared = all;
}

static void
lane_stage(Sched *s, Stage *g, int d)
{
	Build *b = s->b;
	Block *out = s->scope[d].out;
	const Mem **acc;

	if (!d && g->nsize && worth_sharing(stage_work(s->b, g)))
		share_chunks(s, g, out);
	acc = lane_arrays(s, g, out, "_lane");
	lane_nest(s, g, g->nsize, out, v_int(b, 0), g->end, acc);
	for (int i = 0; i < g->n; i++) {
		const Val *v = g->red[i];
		const char *what = v->combine == R_SUM ? "sum" : v->combine == R_PROD ? "prod"
			: v->combine == R_MAX ? "max" : "min";
		const Var *x = new_var(s, d, v);
		s_let(b, out, x, v_call(b, v->dt, arena_fmt(b->arena, "rt_lanes_%s_%s", what, dtype_name(v->dt)),
			(const Val *[]){v_addr(b, acc[i], v_int(b, 0))}, 1));
		set_name(s, d, v, v_var(b, x));
	}
}

/* one term of argmax or argmin: acc[1] is the best value, acc[0] its index */
static void
better(Build *b, Block *out, const Val *v, const Val *x, const Var *const *acc)
{
	const Val *best = v_var(b, acc[1]);
	const Val *c = v_binary(b, BOOL, v->combine == R_ARGMAX ? ">" : "<", x, best);
	Stmt *t;

	if (dtype_float(x->dt))      /* the first NaN wins */
		c = v_binary(b, BOOL, "||", c, v_binary(b, BOOL, "&&", v_binary(b, BOOL, "!=", x, x),
			v_binary(b, BOOL, "==", best, best)));
	t = s_if(b, out, c);
	s_set(b, &t->body, acc[1], R_NONE, x);
	s_set(b, &t->body, acc[0], R_NONE, v_var(b, v->var));
}

static void
arg_stage(Sched *s, const Stage *g, int d)
{
	Build *b = s->b;
	const Val *v = g->red[0], *x;
	const Var *acc[2] = {new_var(s, d, v), new_scalar(s, d, "best", v->x[0]->dt)}, *term;
	Block *out = s->scope[d].out;
	Stmt *f;

	s_var(b, out, acc[0], v_int(b, 0));
	s_var(b, out, acc[1], v_identity(b, v->combine, v->x[0]->dt));
	f = for_new(b, g->over, v_int(b, 0), g->end, 1);
	push(s, &f->body, g->over->id);
	x = use(s, v->x[0], s->depth - 1);
	if (x->nx) {
		term = new_var(s, s->depth - 1, v->x[0]);
		s_let(b, &f->body, term, x);
		x = v_var(b, term);
	}
	better(b, &f->body, v, x, acc);
	pop(s);
	block_add(b, out, f);
	set_name(s, d, v, v_var(b, acc[0]));
}

static const Var **
accumulators(Sched *s, const Stage *g, Block *out, const char *name)
{
	Build *b = s->b;
	const Var **acc = NEW(b->arena, g->n, const Var *);

	for (int i = 0; i < g->n; i++) {
		const Val *v = g->red[i];
		acc[i] = new_scalar(s, s->depth - 1, name ? name : v->name ? v->name : "t", v->dt);
		s_var(b, out, acc[i], v_identity(b, v->combine, v->dt));
	}
	return acc;
}

/* acc combined with a term; the products of a contraction go in as its tiles add them */
static void
put_term(Sched *s, Block *body, const Val *v, const Var *acc)
{
	Build *b = s->b;
	const Val *x = v->x[0], *arg[3];

	if (v->order != BY_BLOCKS || !dtype_float(v->dt) || x->kind != V_BINARY || strcmp(x->op, "*")) {
		s_set(b, body, acc, v->combine, use_root(s, x));
		return;
	}
	for (int i = 0; i < 2; i++)
		arg[i] = use(s, x->x[i], s->depth - 1);
	arg[2] = v_var(b, acc);
	s_set(b, body, acc, R_NONE, v_call(b, v->dt, v->dt == F32 ? "rt_fma_f32" : "rt_fma_f64", arg, 3));
}

static void
chunk_nest(Sched *s, const Stage *g, int k, Block *out, const Val *from, const Val *to, const Var *const *acc)
{
	Build *b = s->b;
	const Var *c, **part;
	Stmt *f;

	if (!k) {
		f = for_new(b, g->over, from, to, 1);
		push(s, &f->body, g->over->id);
		for (int i = 0; i < g->n; i++)
			put_term(s, &f->body, g->red[i], acc[i]);
		pop(s);
		block_add(b, out, f);
		return;
	}
	c = new_scalar(s, s->depth - 1, "chunk", I64);
	f = for_new(b, c, from, to, g->size[k - 1]);
	part = accumulators(s, g, &f->body, "part");
	chunk_nest(s, g, k - 1, &f->body, v_var(b, c), chunk_end(s, &f->body, g, v_var(b, c), to, g->size[k - 1]), part);
	for (int i = 0; i < g->n; i++)
		s_set(b, &f->body, acc[i], g->red[i]->combine, v_var(b, part[i]));
	block_add(b, out, f);
}

static void
chunk_stage(Sched *s, const Stage *g, int d)
{
	Block *out = s->scope[d].out;
	const Var **acc = accumulators(s, g, out, NULL);

	chunk_nest(s, g, g->nsize, out, v_int(s->b, 0), g->end, acc);
	for (int i = 0; i < g->n; i++)
		set_name(s, d, g->red[i], v_var(s->b, acc[i]));
}

/* calls use() on the reductions in v that do not vary with variable `over` */
static void
prepare(Sched *s, const Val *v, const Var *over, int d)
{
	if (!v->nx || find(s, v))
		return;
	if (v->kind == V_REDUCE && !(v->loops >> over->id & 1)) {
		if (computable(s, v))
			use(s, v, d);
		return;
	}
	for (int i = 0; i < v->nx; i++)
		prepare(s, v->x[i], over, d);
}

/* every reduction in v that does not vary with `over` has been computed, and memory that it awaits is filled */
static bool
ready(const Sched *s, const Val *v, const Var *over)
{
	if (!v->nx || find(s, v))
		return true;
	if (v->kind == V_REDUCE && !(v->loops >> over->id & 1))
		return false;
	if (v->kind == V_LOAD && v->mem->awaited && !s->filled[v->mem->id])
		return false;
	for (int i = 0; i < v->nx; i++)
		if (!ready(s, v->x[i], over))
			return false;
	return true;
}

static bool
is_arg(const Val *v)
{
	return v->combine == R_ARGMAX || v->combine == R_ARGMIN;
}

/* computes v, and in the same loop all others that can be */
static void
reductions(Sched *s, const Val *v)
{
	int d = level(s, v), floor = s->floor, inl = s->inline_only;
	Sched *kept = leave(s, d);
	Stage g = {.over = v->var, .end = v->var->end};

	s->inline_only = 0;
	prepare(s, v->x[0], v->var, d);
	g.red = NEW(s->b->arena, s->nred + 1, const Val *);
	g.red[g.n++] = v;
	for (int64_t i = 0; i < s->nred && !is_arg(v) && !floor; i++) {
		const Val *r = s->red[i];
		if (r != v && s->red_part[i] <= s->part && s->seen[r->id] > s->part && r->var == v->var
			&& r->order == v->order && in_lanes(r) == in_lanes(v) && !is_arg(r) && !find(s, r)
			&& computable(s, r) && level(s, r) == d && ready(s, r->x[0], r->var))
			g.red[g.n++] = r;
	}
	/* one nest serves sums and maxima alike only when it has no chunks */
	for (int i = 0; i < g.n; i++) {
		int64_t size[16];
		int n = chunk_sizes(g.red[i], size);
		if (!i) {
			g.nsize = n;
			memcpy(g.size, size, sizeof size);
		} else if (n != g.nsize)
			g.red[i--] = g.red[--g.n];
	}
	if (is_arg(v))
		arg_stage(s, &g, d);
	else if (in_lanes(v))
		lane_stage(s, &g, d);
	else
		chunk_stage(s, &g, d);
	s->inline_only = inl;
	s->floor = floor;
	rejoin(s, kept);
}

/* ---- statements ---- */

static void walk(Sched *s, const Block *in);

static void
walk_for(Sched *s, const Stmt *t)
{
	int at = s->depth - 1;
	const Val *from = use(s, t->x[0], at), *to = use(s, t->x[1], at);
	Stmt *f = NEW(s->b->arena, 1, Stmt);
	Block *out = s->scope[at].out;
	int floor = s->floor;

	*f = *t;
	f->body = (Block){0};
	f->x[0] = from;
	f->x[1] = to;
	push(s, &f->body, t->var->loop ? t->var->id : -1);
	if (from == to)                /* what its body reads need not be there */
		s->floor = s->depth - 1;
	walk(s, &t->body);
	s->floor = floor;
	pop(s);
	block_add(s->b, out, f);
}

static void
walk(Sched *s, const Block *in)
{
	for (int64_t i = 0; i < in->n; i++) {
		const Stmt *t = in->s[i];
		Block *out = s->scope[s->depth - 1].out;
		Stmt *u;
		enter_part(s, t);
		if (t->kind == S_FOR) {
			walk_for(s, t);
			continue;
		}
		if (t->kind == S_IF)
			bug("an if before scheduling");
		u = NEW(s->b->arena, 1, Stmt);
		*u = *t;
		for (int k = 0; k < LEN(t->x); k++)
			if (t->x[k])
				u->x[k] = t->kind == S_CALL ? rebuild(s, t->x[k], s->depth - 1) : use_root(s, t->x[k]);
		block_add(s->b, out, u);
		if (t->kind == S_STORE && t->mem->awaited)
			s->filled[t->mem->id] = true;
	}
}

/* ---- parameters ---- */

typedef struct Touched { bool read, write, address; } Touched;

static void
touch_val(Touched *t, const Val *v)
{
	if (v->mem && v->mem->param >= 0) {
		t[v->mem->param].read |= v->kind == V_LOAD;
		t[v->mem->param].address |= v->kind == V_ADDR;
	}
	for (int i = 0; i < v->nx; i++)
		touch_val(t, v->x[i]);
}

static void
touch_block(Touched *t, const Block *k)
{
	for (int64_t i = 0; i < k->n; i++) {
		const Stmt *s = k->s[i];
		for (int x = 0; x < LEN(s->x); x++)
			if (s->x[x])
				touch_val(t, s->x[x]);
		if ((s->kind == S_STORE || s->kind == S_ACC) && s->mem->param >= 0) {
			t[s->mem->param].write = true;
			t[s->mem->param].read |= s->kind == S_ACC;
		}
		touch_block(t, &s->body);
		touch_block(t, &s->other);
	}
}

/* What values were built for and did not need in the end is no parameter. Of memory whose address is passed on,
 * whoever passed it has said what is done there. */
static void
drop_unused(Build *b)
{
	Touched *t = NEW(b->arena, MAX(b->nparam, 1), Touched);
	int64_t n = 0;

	touch_block(t, &b->top);
	for (int64_t i = 0; i < b->nparam; i++) {
		Mem *m = b->param[i];
		if (!t[i].address) {
			m->read = t[i].read;
			m->write = t[i].write;
		}
		if (!t[i].address && !m->read && !m->write)
			continue;
		b->param[n] = m;
		b->paramnode[n] = b->paramnode[i];
		m->param = (int)n++;
	}
	b->nparam = n;
}

void
schedule(Build *b)
{
	Sched *s = NEW(b->arena, 1, Sched);
	Block raw = b->top;

	s->b = b;
	s->nval = b->nval;
	s->uses = NEW(b->arena, b->nval, int);
	s->seen = NEW(b->arena, b->nval, int);
	s->filled = NEW(b->arena, MAX(b->nmem, 1), bool);
	for (int i = 0; i < MAXLOOP; i++)
		s->open[i] = -1;
	count_block(s, &raw);
	s->part = 0;
	b->top = (Block){0};
	push(s, &b->top, -1);
	walk(s, &raw);
	drop_unused(b);
}

/* lower: a graph becomes kernels and the order in which they are called.
 *
 * The nop backend gives each node a kernel of its own, in the order of the
 * graph. */
#include "gen.h"

#include <string.h>

enum { PARALLEL_WORK = 50000 };        /* operations below which a parallel region costs more than it saves */

typedef struct Lower {
	Arena *arena;
	Graph *g;
	Kernels *ks;
	bool *live, *named;            /* by node id: reachable; in the graph's interface */
	Node **storage;
	Step *step;
	int64_t nstep, capstep;
} Lower;

static void
mark_ports(bool *named, const Ports *ps)
{
	for (int64_t i = 0; i < ps->n; i++)
		named[ps->p[i].v->id] = true;
}

static Lower *
lower_new(Arena *a, Graph *g, Kernels *ks)
{
	Lower *l = NEW(a, 1, Lower);

	l->arena = a;
	l->g = g;
	l->ks = ks;
	l->live = graph_live(a, g);
	l->named = NEW(a, MAX(g->nnode, 1), bool);
	l->storage = NEW(a, MAX(g->nnode, 1), Node *);
	mark_ports(l->named, &g->out);
	mark_ports(l->named, &g->update);
	mark_ports(l->named, &g->grad);
	mark_ports(l->named, &g->saved);
	return l;
}

/* ---- what a kernel is and does ---- */

static int64_t
times(int64_t a, int64_t b)
{
	int64_t r;

	return mul_ok(a, b, &r) ? r : INT64_MAX;
}

static const char *
doc_line(Lower *l, const Node *n)
{
	Buf b = {.arena = l->arena};

	if (n->name)
		buf_printf(&b, "%s = ", n->name);
	buf_printf(&b, "%s(", n->op->name);
	for (int i = 0; i < n->nin; i++)
		buf_printf(&b, "%s%s", i ? ", " : "", n->in[i]->name ? n->in[i]->name : n->in[i]->op->name);
	buf_printf(&b, ") %s", type_text(l->arena, l->g, &n->type));
	if (n->scope)
		buf_printf(&b, " in %s", n->scope);
	return buf_str(&b);
}

static void
add_step(Lower *l, Build *b, const char *name, const char *doc, int64_t work)
{
	int64_t bytes = 0;
	const Kernel *k;
	Step s = {0};

	for (int64_t i = 0; i < b->nparam; i++)
		bytes += times(type_hint_count(l->g, &b->paramnode[i]->type), dtype_size(b->param[i]->dt));
	k = kernels_add(l->ks, b, name, doc, work, bytes);
	s.kernel = k;
	s.buf = b->paramnode;
	s.reuse = NEW(l->arena, MAX(b->nparam, 1), uint64_t);
	s.same = NEW(l->arena, MAX(b->nparam, 1), int);
	for (int64_t i = 0; i < b->nparam; i++)
		s.same[i] = -1;
	PUSH(l->arena, l->step, l->nstep, l->capstep, s);
}

/* ---- one node, one loop nest ---- */

/* loops over a shape; *inner: the innermost body */
static void
nest(Build *b, const Type *t, const Ix **o, Block **inner, Stmt **outer)
{
	uint64_t used = 0;

	*outer = NULL;
	for (int d = 0; d < t->rank; d++) {
		const Var *v;
		Stmt *f;
		o[d] = ix_int(b->ix, 0);
		if (dim_one(t->dim[d]))
			continue;
		v = build_loop(b, t->dim[d], used);
		used |= (uint64_t)1 << v->id;
		o[d] = b->ixvar[v->id];
		f = s_loop(b, *inner, v);
		*inner = &f->body;
		if (!*outer)
			*outer = f;
	}
}

static void
set_parallel(const Build *b, Stmt *outer, int64_t work)
{
	if (outer && work >= PARALLEL_WORK)
		outer->parallel = b->checks ? PARALLEL_CHECK : PARALLEL;
}

static void
element_kernel(Build *b, Node *n)
{
	const Ix *o[MAXRANK];
	Block *inner = &b->top;
	Stmt *outer;

	nest(b, &n->type, o, &inner, &outer);
	b->contract = n->op->kind == DOT && dtype_float(n->type.dt);
	s_store(b, inner, node_mem(b, n), v_ix(b, ix_linear(b->ix, &n->type, o)), element(b, n, o));
	set_parallel(b, outer, node_work(n));
}

/* the input copied, then src added element by element in the order of index */
static void
scatter_kernel(Build *b, Node *n)
{
	const Ix *o[MAXRANK + 1], *at[MAXRANK + 1];
	Block *inner = &b->top;
	Stmt *outer;
	Mem *m = node_mem(b, n);
	int dim = index_dim(n);

	nest(b, &n->type, o, &inner, &outer);
	s_store(b, inner, m, v_ix(b, ix_linear(b->ix, &n->type, o)), element(b, n->in[0], o));
	set_parallel(b, outer, type_hint_count(b->g, &n->type));
	inner = &b->top;
	nest(b, &n->in[1]->type, o, &inner, &outer);
	for (int d = 0; d < n->type.rank; d++)
		at[d] = o[d];
	at[dim] = checked_index(b, n, o);
	s_acc(b, inner, m, v_ix(b, ix_linear(b->ix, &n->type, at)), R_SUM, element(b, n->in[2], o));
}

static void
node_kernel(Lower *l, Node *n)
{
	Build *b = build_new(l->arena, l->g, l->ks, l->storage);

	b->inside[n->id] = true;
	if (n->op->flags & SCATTERS)
		scatter_kernel(b, n);
	else
		element_kernel(b, n);
	schedule(b);
	add_step(l, b, n->op->name, doc_line(l, n), node_work(n));
}

/* ---- the nop backend ---- */

static bool
one_element(const Node *n)
{
	return dim_one(type_count(&n->type));
}

static void
lower_nop(Lower *l)
{
	for (int64_t i = 0; i < l->g->nnode; i++) {
		Node *n = l->g->node[i];
		bool literal = (n->op->id == OP_full || n->op->id == OP_dim_size || n->op->id == OP_constant)
			       && one_element(n);
		if (!l->live[i] || (literal && !l->named[i]))
			continue;
		l->storage[i] = n;
		if (is_leaf(n) || (n->op->id == OP_constant && !literal))
			continue;
		node_kernel(l, n);
	}
}

Plan *
lower(Arena *a, Graph *g, Kernels *ks)
{
	Lower *l = lower_new(a, g, ks);
	Plan *p = NEW(a, 1, Plan);

	lower_nop(l);
	p->g = g;
	p->nstep = (int)l->nstep;
	p->step = l->step;
	p->storage = l->storage;
	return p;
}

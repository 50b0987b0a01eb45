/* lower: a graph becomes kernels and the order in which they are called.
 *
 * The nop backend gives each node a kernel of its own, in the order of the
 * graph; the fused one, the kernels of ir/fuse.c. */
#include "gen.h"

#include <string.h>

typedef struct Lower {
	Arena *arena;
	Graph *g;
	Kernels *ks;
	bool *live, *named;            /* by node id: reachable; in the graph's interface */
	Node **storage;
	Step *step;
	int64_t nstep, capstep;
} Lower;

static Lower *
lower_new(Arena *a, Graph *g, Kernels *ks)
{
	Lower *l = NEW(a, 1, Lower);

	l->arena = a;
	l->g = g;
	l->ks = ks;
	l->live = graph_live(a, g);
	l->named = graph_named(a, g);
	l->storage = NEW(a, MAX(g->nnode, 1), Node *);
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
	s.reuse = find_reuse(l->arena, b);
	s.same = NEW(l->arena, MAX(b->nparam, 1), int);
	for (int64_t i = 0; i < b->nparam; i++)
		s.same[i] = -1;
	PUSH(l->arena, l->step, l->nstep, l->capstep, s);
}

/* ---- scans ---- */

/* the live nodes that are the results of scan n */
static Node **
results_of(Lower *l, Node *n)
{
	Node **item = NEW(l->arena, node_nres(n), Node *);

	if (node_nres(n) == 1)
		item[0] = n;
	for (int64_t i = n->id + 1; i < l->g->nnode && node_nres(n) > 1; i++) {
		Node *m = l->g->node[i];
		if (l->live[i] && m->op->kind == ITEM && m->in[0] == n)
			item[attr(m, 0)->i] = m;
	}
	return item;
}

static const char *
scan_doc(Lower *l, const Node *n, Node *const *item)
{
	Buf b = {.arena = l->arena};
	ScanSpec s = scan_spec(n);
	int count = 0;

	for (int r = 0; r < node_nres(n); r++)
		if (item[r] && item[r]->name)
			buf_printf(&b, "%s%s", count++ ? ", " : "", item[r]->name);
	buf_printf(&b, "%sscan of %s, %s steps%s", count ? " = " : "", s.body->name, dim_text(l->arena, l->g, s.length),
		s.reverse ? " from the last" : "");
	if (n->scope)
		buf_printf(&b, " in %s", n->scope);
	return buf_str(&b);
}

static void
add_scan(Lower *l, Node *n)
{
	Node **item = results_of(l, n);
	Step s = {0};

	s.kernel = steps_kernel(l->arena, l->g, l->ks, l->storage, n, item, scan_doc(l, n, item), &s.buf);
	s.reuse = NEW(l->arena, MAX(s.kernel->nbuf, 1), uint64_t);
	s.same = NEW(l->arena, MAX(s.kernel->nbuf, 1), int);
	for (int i = 0; i < s.kernel->nbuf; i++)
		s.same[i] = -1;
	PUSH(l->arena, l->step, l->nstep, l->capstep, s);
}

/* ---- the nop backend ---- */

static void
nop_scan(Lower *l, Node *n)
{
	Node **item = results_of(l, n);

	for (int r = 0; r < node_nres(n); r++)
		if (item[r])
			l->storage[item[r]->id] = item[r];
	add_scan(l, n);
}

static void
lower_nop(Lower *l)
{
	for (int64_t i = 0; i < l->g->nnode; i++) {
		Node *n = l->g->node[i];
		if (!l->live[i] || (node_literal(n) && !l->named[i]) || n->op->kind == ITEM)
			continue;
		if (node_function(n)) {
			nop_scan(l, n);
			continue;
		}
		l->storage[i] = n;
		if (!node_given(n))
			add_step(l, element_kernel(l->arena, l->g, l->ks, l->storage, n), n->op->name, doc_line(l, n),
				node_work(n));
	}
}

/* ---- the fused backend ---- */

enum { NAME_WORDS = 4 };

/* the ops of a kernel, each once, views and constants left out */
static const char *
group_name(Lower *l, const Group *k)
{
	const Op *seen[NAME_WORDS];
	Buf b = {.arena = l->arena};
	int n = 0;

	for (const Group *p = k; p; p = p->then)
		for (int64_t i = 0; i < p->nmember; i++) {
			const Op *op = p->node[i]->op;
			bool again = op->kind == VIEW || op->kind == SOURCE || op->flags & CONVERT;
			for (int s = 0; s < n; s++)
				again |= seen[s] == op;
			if (again || n == NAME_WORDS)
				continue;
			buf_printf(&b, "%s%s", n ? "_" : "", op->name);
			seen[n++] = op;
		}
	return n ? buf_str(&b) : k->root[0]->op->name;
}

static const char *
group_doc(Lower *l, const Group *k)
{
	Buf b = {.arena = l->arena};

	for (; k; k = k->then)
		for (int64_t i = 0; i < k->nmember; i++)
			buf_printf(&b, "%s%s", b.n ? "\n" : "", doc_line(l, k->node[i]));
	return buf_str(&b);
}

/* n is written to the memory of m, which is n or a view of it */
static void
set_storage(Lower *l, Node *n, Node *m)
{
	l->storage[n->id] = m;
	for (Node *v = m; v != n; v = v->in[0])
		l->storage[v->id] = m;
}

static void
lower_fused(Lower *l)
{
	Node **memory = NEW(l->arena, MAX(l->g->nnode, 1), Node *);
	Groups gs = fuse(l->arena, l->g, l->named, memory);

	for (int64_t i = 0; i < l->g->nnode; i++)
		if (l->live[i] && node_given(l->g->node[i]))
			l->storage[i] = l->g->node[i];
	for (int i = 0; i < gs.n; i++)
		for (const Group *k = gs.v[i]; k; k = k->then)
			for (int64_t r = 0; r < k->nroot; r++)
				set_storage(l, k->root[r], memory[k->root[r]->id]);
	for (int i = 0; i < gs.n; i++) {
		const Group *k = gs.v[i];
		int64_t work = 0;
		if (k->call) {
			add_scan(l, k->call);
			continue;
		}
		for (const Group *p = k; p; p = p->then)
			work = add_ok(work, group_work(p), &work) ? work : INT64_MAX;
		add_step(l, group_kernel(l->arena, l->g, l->ks, l->storage, k), group_name(l, k), group_doc(l, k), work);
	}
}

/* ---- the plan ---- */

/* What a kernel was thought to read and does not (both branches of a `where` are equal, say) need not be
 * computed. */
static void
drop_dead_steps(Lower *l)
{
	bool *read = NEW(l->arena, MAX(l->g->nnode, 1), bool);
	bool *dropped = NEW(l->arena, MAX(l->g->nnode, 1), bool), *left = graph_left(l->arena, l->g);
	int64_t kept = l->nstep;

	for (int64_t i = 0; i < l->g->nnode; i++)
		if (left[i])
			read[l->storage[i]->id] = true;
	for (int64_t i = l->nstep - 1; i >= 0; i--) {
		const Step *s = &l->step[i];
		bool needed = false;
		for (int k = 0; k < s->kernel->nbuf; k++)
			needed |= s->kernel->buf[k].write && read[s->buf[k]->id];
		for (int k = 0; needed && k < s->kernel->nbuf; k++)
			read[s->buf[k]->id] = true;
		for (int k = 0; !needed && k < s->kernel->nbuf; k++)
			dropped[s->buf[k]->id] |= s->kernel->buf[k].write;
		if (needed)
			l->step[--kept] = *s;
	}
	l->step += kept;
	l->nstep -= kept;
	for (int64_t i = 0; i < l->g->nnode; i++)
		if (l->storage[i] && dropped[l->storage[i]->id])
			l->storage[i] = NULL;
}

Plan *
lower(Arena *a, Graph *g, Kernels *ks)
{
	Lower *l = lower_new(a, g, ks);
	Plan *p = NEW(a, 1, Plan);

	if (kernels_backend(ks) == BACKEND_NOP)
		lower_nop(l);
	else
		lower_fused(l);
	drop_dead_steps(l);
	p->g = g;
	p->nstep = (int)l->nstep;
	p->step = l->step;
	p->storage = l->storage;
	return p;
}

/* canon: the order in which a graph is written, and the names of its values.
 *
 * Nodes stand depth first from what the graph gives, then those that only a
 * name keeps, by name, so that the order does not depend on how a graph was
 * built. Values without a name are numbered in that order ("%1"); scalars
 * without a name stand inline where they are used and are no part of it. */
#include "ir.h"

#include <stdlib.h>
#include <string.h>

typedef struct Walk {
	Canon c;
	const Graph *g;
	Arena *a;
	bool *seen;                /* by id */
	Node **stack;
	int *next;                 /* by id: operand to visit */
} Walk;

/* ---- literals: scalars that need no node of their own ---- */

static bool
may_be_literal(const Node *n)
{
	return n->op->id == OP_full && n->type.rank == 0 && !n->name && n->remat == REMAT_AUTO;
}

/* texts such as "inf" are names where a value has that name */
static bool
text_is_free(const Canon *c, const Node *n)
{
	Buf b = {.arena = c->arena};

	number_write(&b, n->type.dt, attr_of(n, "value"));
	return buf_str(&b)[0] != '"' || !map_get_bytes(c->taken, b.s + 1, b.n - 2);
}

/* The reader takes the dtype of a literal from the operands that are none, so either all scalars of an op are
 * inline or none is, but for the condition of a selection, which is bool in any case. */
bool
canon_inline(const Canon *c, const Node *n, int k)
{
	DType of[MAXIN] = {NDTYPE, NDTYPE, NDTYPE};
	int first = n->op->flags & SELECT ? 1 : 0;

	if (n->op->kind != MAP || !may_be_literal(n->in[k]))
		return false;
	if (k < first)
		return true;
	for (int i = 0; i < n->nin; i++)
		if (!may_be_literal(n->in[i]))
			of[i] = n->in[i]->type.dt;
	for (int i = first; i < n->nin; i++) {
		const Node *x = n->in[i];
		if (of[i] == NDTYPE && (literal_dtype(n->op, i, of, n->nin) != x->type.dt || !text_is_free(c, x)))
			return false;
	}
	return true;
}

/* ---- order and names ---- */

static void
push(Walk *w, Node *n, int *depth)
{
	if (w->seen[n->id] || n->leaf)
		return;
	w->seen[n->id] = true;
	w->stack[(*depth)++] = n;
}

static void
visit(Walk *w, Node *root)
{
	int depth = 0;

	push(w, root, &depth);
	while (depth) {
		Node *n = w->stack[depth - 1];
		int k = w->next[n->id]++;
		if (k < n->nin && !canon_inline(&w->c, n, k))
			push(w, n->in[k], &depth);
		if (k < n->nin)
			continue;
		depth--;
		if (n->op->kind != ITEM)
			w->c.order[w->c.n++] = n;
	}
}

static void
visit_ports(Walk *w, const Ports *ps)
{
	for (int64_t i = 0; i < ps->n; i++)
		visit(w, ps->p[i].v);
}

static int
by_name(const void *a, const void *b)
{
	const Node *x = *(Node *const *)a, *y = *(Node *const *)b;

	return strcmp(x->name, y->name);
}

/* named values that nothing asks for; an op with several results counts by its first name */
static void
visit_rest(Walk *w)
{
	Node **rest = NEW(w->a, MAX(w->g->nnode, 1), Node *);
	size_t n = 0;

	for (int64_t i = 0; i < w->g->nnode; i++) {
		Node *v = w->g->node[i];
		bool first = true;
		if (w->seen[i] || v->leaf || !v->name)
			continue;
		for (int r = 0; v->op->kind == ITEM && r < attr_of(v, "index")->i; r++)
			first &= !w->c.item[v->in[0]->id][r] || !w->c.item[v->in[0]->id][r]->name;
		if (first)
			rest[n++] = v;
	}
	if (n)
		qsort(rest, n, sizeof *rest, by_name);
	for (size_t i = 0; i < n; i++)
		visit(w, rest[i]);
}

static void
find_items(Walk *w)
{
	for (int64_t i = 0; i < w->g->nnode; i++) {
		Node *n = w->g->node[i];
		if (node_nres(n) > 1)
			w->c.item[i] = NEW(w->a, node_nres(n), Node *);
		if (n->op->kind != ITEM)
			continue;
		Node **slot = &w->c.item[n->in[0]->id][attr_of(n, "index")->i];
		if (!*slot)
			*slot = n;
	}
}

static void
find_names(Walk *w)
{
	for (int64_t i = 0; i < w->g->nnode; i++) {
		const Node *n = w->g->node[i];
		w->c.name[i] = n->leaf ? n->leaf->name : n->name;
		if (w->c.name[i])
			map_set(w->c.taken, w->c.name[i], w);
	}
}

static void
number(Walk *w, const Node *n, int *count)
{
	if (!w->c.name[n->id])
		w->c.name[n->id] = arena_fmt(w->a, "%%%d", ++*count);
}

static void
number_all(Walk *w)
{
	int count = 0;

	for (int64_t i = 0; i < w->c.n; i++) {
		const Node *n = w->c.order[i];
		if (node_nres(n) == 1)
			number(w, n, &count);
		for (int r = 0; r < node_nres(n) && node_nres(n) > 1; r++)
			if (w->c.item[n->id][r])
				number(w, w->c.item[n->id][r], &count);
	}
	/* equal items: one name */
	for (int64_t i = 0; i < w->g->nnode; i++) {
		const Node *n = w->g->node[i];
		if (n->op->kind == ITEM && !w->c.name[i])
			w->c.name[i] = w->c.name[w->c.item[n->in[0]->id][attr_of(n, "index")->i]->id];
	}
}

Canon
canon(Arena *a, const Graph *g)
{
	int64_t n = MAX(g->nnode, 1);
	Walk w = {.g = g, .a = a};

	w.c = (Canon){.arena = a, .taken = map_new(a), .order = NEW(a, n, Node *), .name = NEW(a, n, const char *),
		.item = NEW(a, n, Node **)};
	w.seen = NEW(a, n, bool);
	w.stack = NEW(a, n, Node *);
	w.next = NEW(a, n, int);
	find_items(&w);
	find_names(&w);
	visit_ports(&w, &g->out);
	visit_ports(&w, &g->grad);
	visit_ports(&w, &g->update);
	visit_ports(&w, &g->saved);
	visit_ports(&w, &g->wrt);
	visit_rest(&w);
	number_all(&w);
	return w.c;
}

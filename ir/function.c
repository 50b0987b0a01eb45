/* function: the functions that the nodes of a graph call or scan with. */
#include "ir.h"

#include <stdlib.h>
#include <string.h>

const Graph *
node_function(const Node *n)
{
	for (int i = 0; n->op->kind == CALL && i < op_nattr(n->op); i++)
		if (n->op->attr[i].kind == A_FUNCTION)
			return n->attr[i].fn;
	return NULL;
}

const char *
call_name(const Node *n)
{
	const Node *first = NULL;

	for (int64_t i = n->id + 1; node_nres(n) > 1 && i < n->g->nnode; i++) {
		const Node *m = n->g->node[i];
		if (m->op->kind == ITEM && m->in[0] == n && m->name && (!first || attr(m, 0)->i < attr(first, 0)->i))
			first = m;
	}
	return n->name ? n->name : first ? first->name : node_function(n)->name;
}

typedef struct Found {
	Arena *a;
	Map *seen, *names;             /* by pointer; names in use */
	Called *fn;
	int64_t n, cap;
} Found;

/* its own name, or with .2, .3, … behind */
static const char *
free_name(Found *f, const char *name)
{
	const char *s = name;

	for (int i = 2; map_get(f->names, s); i++)
		s = arena_fmt(f->a, "%s.%d", name, i);
	map_set(f->names, s, f);
	return s;
}

static void find(Found *f, const Graph *g);

static void
found(Found *f, const Graph *fn)
{
	if (map_get_bytes(f->seen, &fn, sizeof fn))
		return;
	map_set_bytes(f->seen, &fn, sizeof fn, f);
	PUSH(f->a, f->fn, f->n, f->cap, ((Called){fn, free_name(f, fn->name)}));
	find(f, fn);
}

/* in the canonical order, on which names then depend */
static void
find(Found *f, const Graph *g)
{
	bool any = false;

	for (int64_t i = 0; i < g->nnode && !any; i++)
		any = node_function(g->node[i]) != NULL;
	if (any) {
		Canon c = canon(f->a, g);
		for (int64_t i = 0; i < c.n; i++)
			if (node_function(c.order[i]))
				found(f, node_function(c.order[i]));
	}
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const Called *)a)->name, ((const Called *)b)->name);
}

int
functions_of(Arena *a, const Graph *g, Called **out)
{
	Found f = {.a = a, .seen = map_new(a), .names = map_new(a)};

	for (int64_t i = 0; i < g->nfn; i++)
		found(&f, g->fn[i]);
	find(&f, g);
	if (f.n)
		qsort(f.fn, (size_t)f.n, sizeof *f.fn, by_name);
	*out = f.fn;
	return (int)f.n;
}

/* ---- other functions in their place ---- */

static bool
has_functions(const Graph *g)
{
	for (int64_t i = 0; i < g->nnode; i++)
		if (node_function(g->node[i]))
			return true;
	return false;
}

static const Attr *
with_function(Graph *h, const Node *n, const Graph *fn)
{
	int na = op_nattr(n->op);
	Attr *a = memcpy(NEW(h->arena, na, Attr), n->attr, (size_t)na * sizeof *a);

	for (int i = 0; i < na; i++)
		if (n->op->attr[i].kind == A_FUNCTION)
			a[i].fn = fn;
	return a;
}

Graph *
functions_map(Arena *a, const Graph *g, FunctionMap *f, void *arg)
{
	Map *made = map_new(a);
	bool *live;
	Graph *h;
	Node **map;

	if (!has_functions(g))
		return (Graph *)g;
	live = graph_live(a, g);
	map = NEW(a, g->nnode, Node *);
	h = graph_like(a, g);
	h->folding = false;
	for (int64_t i = 0; i < g->nleaf; i++)
		map[g->leaf[i]->node->id] = node_leaf(h, g->leaf[i], g->leaf[i]->node->type);
	for (int64_t i = 0; i < g->nnode; i++) {
		Node n = *g->node[i];
		const Graph *fn = node_function(&n), *new;
		if (!live[i] || map[i])
			continue;
		if (fn && !(new = map_get_bytes(made, &fn, sizeof fn)))
			map_set_bytes(made, &fn, sizeof fn, (void *)(new = f(a, fn, arg)));
		if (fn)
			n.attr = with_function(h, &n, new);
		map[i] = node_onto(h, &n, map);
	}
	graph_interface(h, g, map);
	h->folding = true;
	return h;
}

/* compose: composites become the ops that they are made of.
 *
 * needs: a verified graph. gives: a graph without COMPOSITE and ITEM nodes and
 * without stop_gradient, since nothing is differentiated after it. drops: the
 * names of values inside a composite, which keep its name in `from`.
 * A decomposition may use composites again; rounds go on until none is left. */
#include "ir.h"

#include <string.h>

typedef bool Chosen(const Node *n);

static bool
any_composite(const Node *n)
{
	return n->op->kind == COMPOSITE;
}

static bool
without_vjp(const Node *n)
{
	return n->op->kind == COMPOSITE && !n->op->vjp && !(n->op->flags & FLAT);
}

static bool
has_chosen(Arena *a, const Graph *g, Chosen *chosen)
{
	bool *live = graph_live(a, g);

	for (int64_t i = 0; i < g->nnode; i++)
		if (live[i] && chosen(g->node[i]))
			return true;
	return false;
}

/* the results of composite n in graph h, whose operands are given */
static Node **
expand_one(Graph *h, const Node *n, Node *const *map, bool training)
{
	int nres = node_nres(n);
	Node **res = NEW(h->arena, nres, Node *);
	Node *copy;

	h->cur_from = n->name ? n->name : n->from;
	h->cur_scope = n->scope;
	h->cur_at = n->at;
	h->cur_side = n->side;
	h->cur_remat = n->remat == REMAT_RECOMPUTE ? n->remat : REMAT_AUTO;
	copy = node_onto(h, n, map);
	if (copy->op != n->op)
		res[0] = copy;
	else
		n->op->compose(copy, training, res);
	h->cur_from = h->cur_scope = NULL;
	h->cur_at = (Loc){0};
	h->cur_side = SIDE_NONE;
	h->cur_remat = REMAT_AUTO;
	return res;
}

/* the node that stands for n carries its name and the user's word */
static void
inherit(Node *m, const Node *n)
{
	if (m->leaf || m->name)
		return;
	m->name = n->name;
	if (n->remat != REMAT_AUTO)
		m->remat = n->remat;
}

static Graph *
expand_round(Arena *a, const Graph *g, bool training, Chosen *chosen, bool drop_stops)
{
	Graph *h = graph_like(a, g);
	bool *live = graph_live(a, g);
	Node **map = NEW(a, MAX(g->nnode, 1), Node *);
	Node ***results = NEW(a, MAX(g->nnode, 1), Node **);

	for (int64_t i = 0; i < g->nleaf; i++)
		map[g->leaf[i]->node->id] = node_leaf(h, g->leaf[i], g->leaf[i]->node->type);
	for (int64_t i = 0; i < g->nnode; i++) {
		const Node *n = g->node[i];
		if (!live[i] || n->leaf)
			continue;
		if (chosen(n)) {
			results[i] = expand_one(h, n, map, training);
			map[i] = results[i][0];
		} else if (n->op->kind == ITEM && results[n->in[0]->id])
			map[i] = results[n->in[0]->id][attr(n, 0)->i];
		else if (drop_stops && n->op->flags & STOP)
			map[i] = map[n->in[0]->id];
		else {
			map[i] = node_onto(h, n, map);
			continue;
		}
		if (n->pinned)
			map[i] = node_pin(map[i]);
		inherit(map[i], n);
	}
	graph_interface(h, g, map);
	return h;
}

typedef struct How { bool training, drop_stops; } How;

static Graph *expand_all(Arena *a, const Graph *g, bool training, Chosen *chosen, bool drop_stops);

static Graph *
expand_function(Arena *a, const Graph *fn, void *arg)
{
	const How *how = arg;

	return expand_all(a, fn, how->training, any_composite, how->drop_stops);
}

/* stop_gradient goes last: until then, what two rounds build alike is the same node */
static Graph *
expand_all(Arena *a, const Graph *g, bool training, Chosen *chosen, bool drop_stops)
{
	How how = {training, drop_stops};
	Graph *h = inlined(a, g);

	if (chosen == any_composite)
		h = functions_map(a, h, expand_function, &how);
	h = expand_round(a, h, training, chosen, false);
	for (int round = 0; has_chosen(a, h, chosen); round++) {
		if (round == 32)
			bug("a decomposition does not end");
		h = expand_round(a, h, training, chosen, false);
	}
	if (drop_stops)
		h = expand_round(a, h, training, chosen, true);
	return graph_rebuild(a, h, true);
}

Graph *
compose(Arena *a, const Graph *g, bool training)
{
	return widen(a, expand_all(a, g, training, any_composite, true));
}

Graph *
compose_stopped(Arena *a, const Graph *g, bool training)
{
	return expand_all(a, g, training, any_composite, false);
}

/* only composites that have no derivative of their own: what grad.c wants; it does the same to the bodies of scans */
Graph *
compose_for_grad(Arena *a, const Graph *g, bool training)
{
	return expand_all(a, g, training, without_vjp, false);
}

/* widen: f16 and bf16 are storage; what computes with them computes in f32.
 *
 * needs: a graph without composites. gives: the same values, where casts say what
 * is rounded and when: operands are widened, the op works in f32 (sums and products
 * accumulate there), its result is narrowed once. What only moves elements (views,
 * where, gather, casts themselves) keeps the bits as they are. So nothing after
 * this pass knows arithmetic of half precision, and a rounding is a node, which
 * recomputing repeats and fusing keeps. */
#include "ir.h"

/* does n only move elements of half precision, or make them from a literal? */
static bool
moves(const Node *n)
{
	const unsigned flags = n->op->flags;

	switch (n->op->kind) {
	case LEAF:
	case VIEW:   return true;
	case SOURCE: return n->op->id == OP_constant || n->op->id == OP_full;
	case MAP:    return flags & (CONVERT | SELECT | STOP);
	case INDEX:  return !(flags & SCATTERS);
	default:     return false;
	}
}

static bool
computes_half(const Node *n)
{
	if (moves(n))
		return false;
	if (dtype_half(n->type.dt))
		return true;
	for (int k = 0; k < n->nin; k++)
		if (dtype_half(n->in[k]->type.dt))
			return true;
	return false;
}

/* attributes of n, with f32 where a dtype of half precision stands */
static Attr *
wide_attrs(Graph *h, const Node *n)
{
	Attr *a = attrs_new(h, n->op);

	for (int i = 0; i < op_nattr(n->op); i++) {
		a[i] = n->attr[i];
		if (n->op->attr[i].kind == A_DTYPE && a[i].set && dtype_half((DType)a[i].i))
			a[i].i = F32;
	}
	return a;
}

static Node *
widened(Graph *h, const Node *n, Node *const *map)
{
	Node **in = NEW(h->arena, MAX(n->nin, 1), Node *), *m;

	h->cur_from = n->name ? n->name : n->from;
	h->cur_scope = n->scope;
	h->cur_at = n->at;
	h->cur_side = n->side;
	h->cur_remat = n->remat;
	for (int k = 0; k < n->nin; k++)
		in[k] = Wide(map[n->in[k]->id]);
	m = Cast(node(h, n->op, in, n->nin, wide_attrs(h, n)), n->type.dt);
	h->cur_from = h->cur_scope = NULL;
	h->cur_at = (Loc){0};
	h->cur_side = SIDE_NONE;
	h->cur_remat = REMAT_AUTO;
	if (!m->leaf && !m->name)
		m->name = n->name;
	return m;
}

Graph *
widen(Arena *a, const Graph *g)
{
	Graph *h = graph_like(a, g);
	Node **map = NEW(a, MAX(g->nnode, 1), Node *);
	bool any = false;

	for (int64_t i = 0; i < g->nnode && !any; i++)
		any = computes_half(g->node[i]);
	if (!any)
		return (Graph *)g;
	for (int64_t i = 0; i < g->nleaf; i++)
		map[g->leaf[i]->node->id] = node_leaf(h, g->leaf[i], g->leaf[i]->node->type);
	for (int64_t i = 0; i < g->nnode; i++) {
		const Node *n = g->node[i];
		if (!n->leaf)
			map[i] = computes_half(n) ? widened(h, n, map) : node_onto(h, n, map);
	}
	graph_interface(h, g, map);
	return graph_rebuild(a, h, true);
}

/* range: which integer inputs are indices, and into what.
 *
 * Ops say which operand is an index (Op.index). From there the walk goes back
 * through views and conversions to a leaf: those move or convert values but
 * change none that is in range. */
#include "ir.h"

/* whether the dtype holds all of [0, bound) */
static bool
holds(DType d, int64_t bound)
{
	int bits = 8 * dtype_size(d) - (dtype_class(d) == C_INT);

	return dtype_integer(d) && (bits >= 63 || bound <= (int64_t)1 << bits);
}

static const Node *
source_of(const Node *n, int64_t bound)
{
	while (n->nin == 1 && ((n->op->kind == VIEW && !n->op->bit) || (n->op->flags & CONVERT && holds(n->type.dt, bound))
		|| (n->op->kind == COMPOSITE && n->op->flags & ALIAS)))
		n = n->in[0];
	return n;
}

int
index_ranges(Arena *a, const Graph *g, Range **out)
{
	Range *list = NULL;
	int64_t n = 0, cap = 0;
	bool *live = graph_live(a, g);

	for (int64_t i = 0; i < g->nnode; i++) {
		const Node *m = g->node[i];
		for (int k = 0; live[i] && m->op->index && k < m->nin; k++) {
			Range r = {.also = INT64_MIN};
			const Node *src;
			bool seen = false;
			if (!m->op->index(m, k, &r.bound, &r.also))
				continue;
			src = source_of(m->in[k], dim_max(g, r.bound));
			if (!src->leaf || !dtype_integer(src->type.dt))
				continue;
			r.leaf = src->leaf;
			for (int64_t j = 0; j < n; j++)
				seen |= list[j].leaf == r.leaf && dim_eq(list[j].bound, r.bound) && list[j].also == r.also;
			if (!seen)
				PUSH(a, list, n, cap, r);
		}
	}
	*out = list;
	return (int)n;
}

/* range: which integer inputs are indices, and into what.
 *
 * Ops say which operand is an index (Op.index). From there the walk goes back
 * through views, conversions and what scans give to their bodies to a leaf: those
 * move or convert values but change none that is in range. */
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

typedef struct Ranges {
	Arena *a;
	Range *list;
	int64_t n, cap;
} Ranges;

/* the scan that a body is of, and where that stands */
typedef struct Within {
	const Node *scan;
	const struct Within *up;
} Within;

/* from a leaf of a body on to what it is given; NULL: it is carried */
static const Node *
source_above(const Node *n, const Within *at, int64_t bound)
{
	for (; at && n->leaf; at = at->up) {
		ScanSpec s = scan_spec(at->scan);
		int k = 0;
		while (s.body->leaf[k]->node != n)
			k++;
		if (k < s.ncarry)
			return NULL;
		n = source_of(at->scan->in[k], bound);
	}
	return n;
}

static void
add(Ranges *r, const Range *new)
{
	for (int64_t j = 0; j < r->n; j++)
		if (r->list[j].leaf == new->leaf && dim_eq(r->list[j].bound, new->bound) && r->list[j].also == new->also)
			return;
	PUSH(r->a, r->list, r->n, r->cap, *new);
}

static void
find(Ranges *r, const Graph *g, const Within *at)
{
	bool *live = graph_live(r->a, g);

	for (int64_t i = 0; i < g->nnode; i++) {
		const Node *m = g->node[i], *src;
		if (live[i] && node_function(m))
			find(r, node_function(m), &(Within){m, at});
		for (int k = 0; live[i] && m->op->index && k < m->nin; k++) {
			Range new = {.also = INT64_MIN};
			if (!m->op->index(m, k, &new.bound, &new.also))
				continue;
			src = source_above(source_of(m->in[k], dim_max(g, new.bound)), at, dim_max(g, new.bound));
			if (!src || !src->leaf || !dtype_integer(src->type.dt))
				continue;
			new.leaf = src->leaf;
			add(r, &new);
		}
	}
}

int
index_ranges(Arena *a, const Graph *user, Range **out)
{
	Ranges r = {.a = a};

	find(&r, inlined(a, user), NULL);
	for (int64_t i = 0; i < r.n; i++)
		r.list[i].leaf = leaf_find(user, r.list[i].leaf->name);
	*out = r.list;
	return (int)r.n;
}

/* keep: which values of a row are computed once and kept while the row lasts.
 *
 * A kernel goes over a row several times: once for each reduction that waits for
 * another, and once for what it writes. What several of these loops compute is
 * computed in each, unless it is dear: then it gets a loop of its own, before them,
 * that leaves it in an array of one row, and they load it. */
#include "gen.h"

enum {
	DEAR = 12,                     /* operations for an element, beside a load and a store in the nearest cache */
	MAXKEPT = 64 << 10             /* bytes of all arrays of a kernel */
};

typedef struct Keep {
	const Group *k;
	bool *inside;                  /* by node id, as all that follow: of the group */
	bool *wide;                    /* an element for each of the kernel's, read there or by a reduction of the row */
	int *work;                     /* operations for an element, from what is loaded */
	int *level;                    /* reductions of the row, one waiting for the other, before it is known */
	uint64_t *loops;               /* loops over the row that compute it */
	bool *kept;
} Keep;

static bool
reduces_row(const Keep *t, const Node *u)
{
	return u->op->kind == REDUCE && reduce_form(u) == REDUCE_ROWS && dim_eq(type_count(&u->type), t->k->rows);
}

static bool
reduces_column(const Keep *t, const Node *u)
{
	return t->k->columns && u->op->kind == REDUCE && reduce_form(u) == REDUCE_COLUMNS;
}

/* operations from what is in memory, or kept, and levels; users follow */
static void
weigh(Keep *t)
{
	for (int64_t i = 0; i < t->k->nmember; i++) {
		const Node *n = t->k->node[i];
		bool row = reduces_row(t, n);
		t->level[n->id] = 0;
		t->work[n->id] = n->op->kind == VIEW || row ? 0 : n->op->cost;
		for (int j = 0; j < n->nin; j++) {
			const Node *x = n->in[j];
			if (!t->inside[x->id])
				continue;
			t->level[n->id] = MAX(t->level[n->id], t->level[x->id] + row);
			if (!row && t->wide[x->id] && !t->kept[x->id])
				t->work[n->id] = MIN(t->work[n->id] + t->work[x->id], 1 << 20);
		}
	}
}

static void
find_wide(Keep *t)
{
	const Group *k = t->k;

	for (int64_t i = 0; i < k->nmember; i++) {
		const Node *n = k->node[i];
		t->inside[n->id] = true;
		t->wide[n->id] = dim_eq(type_count(&n->type), k->count) && n->op->kind != PACK && n->op->kind != SOURCE;
	}
	for (int64_t i = 0; i < k->nmember; i++) {
		const Node *u = k->node[i];
		bool row = reduces_row(t, u) || reduces_column(t, u) || u->op->kind == PACK;
		for (int j = 0; j < u->nin; j++)
			if (!row && element_relation(u->in[j], u, j) != AT_ELEMENT)
				t->wide[u->in[j]->id] = false;
	}
}

static bool
writes(const Group *k, const Node *n)
{
	for (int64_t i = 0; i < k->nroot; i++)
		if (k->root[i] == n)
			return true;
	return false;
}

/* The last of what the same loops compute is kept: readers are seen first, and what only a kept value reads is
 * computed in its loop alone. */
static void
choose(Keep *t)
{
	const Group *k = t->k;

	for (int64_t i = k->nmember - 1; i >= 0; i--) {
		const Node *u = k->node[i];
		int level = MIN(t->level[u->id], 30);
		uint64_t loops = t->loops[u->id] | (t->wide[u->id] && writes(k, u));
		t->kept[u->id] = t->wide[u->id] && loops & (loops - 1) && t->work[u->id] >= DEAR;
		if (t->kept[u->id])
			loops = (uint64_t)1 << (32 + level);
		if (reduces_row(t, u))
			loops = (uint64_t)1 << level;
		else if (reduces_column(t, u) || u->op->kind == PACK)
			loops = 1;
		for (int j = 0; j < u->nin; j++)
			t->loops[u->in[j]->id] |= loops;
	}
	weigh(t);
	for (int64_t i = 0; i < k->nmember; i++)
		t->kept[k->node[i]->id] &= t->work[k->node[i]->id] >= DEAR;
}

int64_t
kept_values(Arena *a, const Graph *g, const Group *k, Dim width, Node ***out)
{
	int64_t n = MAX(g->nnode, 1), most = dim_max(g, width), bytes = 0, nout = 0, cap = 0;
	Keep t = {.k = k, .inside = NEW(a, n, bool), .wide = NEW(a, n, bool), .work = NEW(a, n, int),
		.level = NEW(a, n, int), .loops = NEW(a, n, uint64_t), .kept = NEW(a, n, bool)};

	*out = NULL;
	if (!k->has_rows || dim_one(width) || most > MAXKEPT)
		return 0;
	find_wide(&t);
	weigh(&t);
	choose(&t);
	for (int64_t i = 0; i < k->nmember; i++) {
		Node *v = k->node[i];
		if (!t.kept[v->id] || bytes + most * dtype_size(v->type.dt) > MAXKEPT)
			continue;
		bytes += most * dtype_size(v->type.dt);
		PUSH(a, *out, nout, cap, v);
	}
	return nout;
}

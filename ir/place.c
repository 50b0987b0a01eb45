/* place: in which kernels of a backward graph each node of the joint graph is computed; and what forward computes
 * where a contraction ends.
 *
 * The kernels are those of fuse(), loop nest by loop nest. A node that became
 * another one when the loss's cotangent was put in (a product with 1) costs
 * nothing: it stands wherever its readers stand. */
#include "ir.h"

#include <string.h>

typedef struct Placing {
	Arena *a;
	const Graph *joint;
	Node *const *map;
	int *n, **kernel, *host;       /* by id of the backward graph */
	Places *p;
	Users users;                   /* of the joint graph */
	int *seen;                     /* by kernel: joint node last seen in it, + 1 */
} Placing;

static void
put(Arena *a, int **v, int *n, int k)
{
	/* room doubles at the powers of two */
	if (!(*n & (*n - 1)))
		*v = *n ? memcpy(NEW(a, 2 * *n, int), *v, (size_t)*n * sizeof **v) : NEW(a, 1, int);
	(*v)[(*n)++] = k;
}

static void
read_groups(Placing *t, Graph *bwd)
{
	Node **memory = NEW(t->a, MAX(bwd->nnode, 1), Node *);
	Groups gs = fuse(t->a, bwd, graph_named(t->a, bwd), memory);

	for (int64_t i = 0; i < bwd->nnode; i++)
		t->host[i] = -1;
	t->p->nkernel = COPY_KERNEL + 1;
	for (int g = 0; g < gs.n; g++)
		for (const Group *k = gs.v[g]; k; k = k->then)
			t->p->nkernel++;
	t->p->dotted = NEW(t->a, t->p->nkernel, bool);
	for (int g = 0, id = COPY_KERNEL + 1; g < gs.n; g++)
		for (const Group *k = gs.v[g]; k; k = k->then, id++) {
			t->p->dotted[id] = k->dot != NULL;
			for (int64_t i = 0; i < k->nmember; i++)
				put(t->a, &t->kernel[k->node[i]->id], &t->n[k->node[i]->id], id);
			for (int64_t i = 0; i < k->nroot; i++)
				t->host[k->root[i]->id] = id;
		}
}

/* its value is that of an operand, or is there before any kernel runs */
static bool
is_nothing(const Placing *t, const Node *v)
{
	const Node *m = t->map[v->id];

	for (int k = 0; k < v->nin; k++)
		if (t->map[v->in[k]->id] == m)
			return true;
	return !t->n[m->id] && !node_literal(m);
}

static void
place_with_readers(Placing *t, const Node *v)
{
	for (int u = t->users.start[v->id]; u < t->users.start[v->id + 1]; u++) {
		int w = t->users.user[u]->id;
		for (int k = 0; k < t->p->n[w]; k++) {
			int kernel = t->p->kernel[w][k];
			if (t->seen[kernel] == v->id + 1)
				continue;
			t->seen[kernel] = v->id + 1;
			put(t->a, &t->p->kernel[v->id], &t->p->n[v->id], kernel);
		}
	}
}

Places *
places_of(Arena *a, const Graph *joint, Graph *bwd, Node *const *map)
{
	int64_t n = MAX(joint->nnode, 1), m = MAX(bwd->nnode, 1);
	Placing t = {.a = a, .joint = joint, .map = map, .n = NEW(a, m, int), .kernel = NEW(a, m, int *),
		.host = NEW(a, m, int), .p = NEW(a, 1, Places), .users = graph_users(a, joint)};

	t.p->n = NEW(a, n, int);
	t.p->kernel = NEW(a, n, int *);
	t.p->host = NEW(a, n, int);
	read_groups(&t, bwd);
	t.seen = NEW(a, t.p->nkernel, int);
	for (int64_t i = joint->nnode - 1; i >= 0; i--) {
		const Node *v = joint->node[i];
		t.p->host[i] = -1;
		if (!map[i] || map[i]->leaf)
			continue;
		if (is_nothing(&t, v)) {
			place_with_readers(&t, v);
			continue;
		}
		t.p->n[i] = t.n[map[i]->id];
		t.p->kernel[i] = t.kernel[map[i]->id];
		t.p->host[i] = t.host[map[i]->id];
	}
	return t.p;
}

/* ---- forward ---- */

Graph *
forward_graph(Arena *a, const Graph *joint, const bool *need, Node **map)
{
	Graph *h = graph_like(a, joint);

	h->folding = false;
	for (int64_t i = 0; i < joint->nleaf; i++)
		if (joint->leaf[i]->role != COTANGENT)
			map[joint->leaf[i]->node->id] = node_leaf(h, joint->leaf[i], joint->leaf[i]->node->type);
	for (int64_t i = 0; i < joint->nnode; i++)
		if (need[i] && !map[i]) {
			map[i] = node_onto(h, joint->node[i], map);
			map[i]->side = SIDE_F;
		}
	h->loss = joint->loss;
	ports_through(h, &h->out, &joint->out, map);
	ports_through(h, &h->update, &joint->update, map);
	return h;
}

/* by id of h: the kernels that compute it, and those of them that hold a contraction */
static void
count_kernels(Arena *a, Graph *h, int *all, int *dotted)
{
	Node **memory = NEW(a, MAX(h->nnode, 1), Node *);
	Groups gs = fuse(a, h, graph_named(a, h), memory);

	for (int g = 0; g < gs.n; g++)
		for (const Group *k = gs.v[g]; k; k = k->then)
			for (int64_t i = 0; i < k->nmember; i++) {
				all[k->node[i]->id]++;
				dotted[k->node[i]->id] += k->dot != NULL;
			}
}

/* of the same size, and computed where a contraction ends */
static bool
follows_dot(const Node *n, const bool *at_dot)
{
	for (int k = 0; (n->op->kind == MAP || n->op->flags & ALIAS) && k < n->nin; k++)
		if (at_dot[n->in[k]->id] && dim_eq(type_count(&n->type), type_count(&n->in[k]->type)))
			return true;
	return false;
}

bool *
places_at_dot(Arena *a, const Graph *joint, const bool *need)
{
	int64_t n = MAX(joint->nnode, 1);
	Node **map = NEW(a, n, Node *);
	int *all = NEW(a, n, int), *dotted = NEW(a, n, int);
	bool *at = NEW(a, n, bool), known = joint->nnode <= MAXFUSED;

	if (known)
		count_kernels(a, forward_graph(a, joint, need, map), all, dotted);
	for (int64_t i = 0; i < joint->nnode; i++) {
		const Node *v = joint->node[i], *m = map[i];
		if (m && all[m->id])
			at[i] = dotted[m->id] == all[m->id];
		else
			at[i] = (!known && v->op->kind == DOT) || follows_dot(v, at);
	}
	return at;
}

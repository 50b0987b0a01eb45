/* certificate: the proof that a partition is right and its cost least.
 *
 * The flow and the cut of the network prove each other (lib/flow.c). What the
 * network cannot prove is that the two graphs are what the cut says. So the
 * checker puts forward and backward together again, where each saved value
 * meets the value that forward saves, and what is packed and unpacked is what it
 * was: the result must be the joint graph, node for node. Then it fuses backward,
 * counts from these graphs and kernels alone what is saved, read and computed
 * twice, and demands the cost of the plan; by the prices of the network, the value
 * of the cut. */
#include "ir.h"

#include <string.h>

/* ---- writing ---- */

static void
put_vertices(Buf *b, const Split *s)
{
	const char **of = NEW(b->arena, s->nvertex, const char *);
	int *id = NEW(b->arena, s->nvertex, int);

	for (int64_t i = 0; i < s->joint->nnode; i++)
		if (s->value_in[i] >= 0) {
			of[s->value_in[i]] = "in";
			of[s->value_out[i]] = "out";
			id[s->value_in[i]] = id[s->value_out[i]] = (int)i;
		}
	buf_puts(b, "    \"vertices\": [\"source\", \"sink\"");
	for (int v = 2; v < s->nvertex; v++) {
		const Node *n = of[v] ? s->joint->node[id[v]] : NULL;
		buf_puts(b, ",\n      ");
		json_quote(b, !n ? "kernel" : arena_fmt(b->arena, "%s %s", of[v],
			n->name ? n->name : arena_fmt(b->arena, "%%%d", n->id)));
	}
	buf_puts(b, "],\n");
}

static void
put_arcs(Buf *b, const Split *s)
{
	buf_puts(b, "    \"arcs\": [");
	for (int i = 0; i < s->narc; i++) {
		buf_printf(b, "%s[%d, %d, ", i ? ",\n      " : "", s->arc[i].from, s->arc[i].to);
		if (s->arc[i].cap == FLOW_INF)
			buf_puts(b, "\"inf\"");
		else
			buf_printf(b, "%lld", (long long)s->arc[i].cap);
		buf_printf(b, ", %lld]", (long long)s->cut.flow[i]);
	}
	buf_puts(b, "],\n");
}

void
certificate_write(Buf *b, const Split *s)
{
	const Options *o = s->options;
	int n = 0;

	buf_puts(b, "{\n  \"gradc\": 1,\n  \"certificate\": {\n    \"graph\": ");
	json_quote(b, s->joint->name);
	buf_printf(b, ",\n    \"partition\": \"%s\",\n    \"objective\": \"%s\",\n    \"cost\": %lld,\n    \"settled\": %s,\n",
		o && o->partition ? o->partition : "min-cut", o && o->objective ? o->objective : "traffic",
		(long long)s->cost, s->settled ? "true" : "false");
	buf_puts(b, "    \"saved\": [");
	for (int64_t i = 0; i < s->fwd->saved.n; i++) {
		buf_puts(b, i ? ", " : "");
		json_quote(b, s->fwd->saved.p[i].name);
	}
	buf_puts(b, "],\n    \"sink_side\": [");
	for (int v = 0; v < s->nvertex; v++)
		if (s->cut.sink_side[v])
			buf_printf(b, "%s%d", n++ ? ", " : "", v);
	buf_puts(b, "],\n");
	put_vertices(b, s);
	put_arcs(b, s);
	buf_printf(b, "    \"value\": %lld\n  }\n}\n", (long long)s->cut.value);
}

/* ---- checking ---- */

typedef struct Check {
	Arena *a;
	const Split *s;
	Graph *h;                      /* where all graphs meet: equal values are one node there */
	Map *leaf;                     /* name -> node of h */
	Node **joint, **fwd, **bwd;    /* by id of each graph: its node of h */
	const Node **unpacked;         /* by id of backward: of a saved value, the node that unpacks it */
	Node **seeded;                 /* by id of the open backward graph: node of the one with a seed, or NULL */
	int *of, nof;                  /* id of h -> id of the joint graph */
	const char *wrong;
} Check;

PRINTF(2, 3) static bool
wrong(Check *c, const char *fmt, ...)
{
	Buf b = {.arena = c->a};
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	if (!c->wrong)
		c->wrong = buf_str(&b);
	return false;
}

/* Packing is all that forward and backward may add. What unpacks a saved value, and is no node of the joint
 * graph, is what was packed. */
static Node *
unpack(Check *c, const Node *n, Node *made)
{
	const Node *kept = n->in[0];
	Node *bits = n->op->bit ? c->bwd[kept->id] : NULL;

	if (made->id < c->nof || !bits || !kept->leaf || kept->leaf->role != SAVED || bits->op->kind != PACK
		|| !type_eq(&bits->in[0]->type, &n->type))
		return made;
	c->unpacked[kept->id] = n;
	return bits->in[0];
}

/* copies g onto h; map holds what stands for its leaves */
static bool
copy_all(Check *c, Graph *h, const Graph *g, Node **map)
{
	Node **in = NULL;
	int64_t cap = 0;

	for (int64_t i = 0; i < g->nnode; i++) {
		const Node *n = g->node[i];
		while (cap < n->nin)
			in = arena_grow(c->a, in, cap, &cap, (int64_t)sizeof *in);
		for (int k = 0; k < n->nin; k++)
			in[k] = map[n->in[k]->id];
		if (n->leaf && !map[i])
			return wrong(c, "leaf '%s' is not known", n->leaf->name);
		if (!map[i])
			map[i] = node_copy(h, n, in);
		if (map == c->bwd && n->nin)
			map[i] = unpack(c, n, map[i]);
	}
	return true;
}

static bool
copy_joint(Check *c)
{
	const Graph *g = c->s->joint;

	for (int64_t i = 0; i < g->nleaf; i++) {
		const Leaf *l = g->leaf[i];
		c->joint[l->node->id] = node_leaf(c->h, l, l->node->type);
		map_set(c->leaf, l->name, c->joint[l->node->id]);
	}
	if (!copy_all(c, c->h, g, c->joint))
		return false;
	c->nof = (int)c->h->nnode;
	c->of = NEW(c->a, MAX(c->nof, 1), int);
	for (int64_t i = g->nnode - 1; i >= 0; i--)
		c->of[c->joint[i]->id] = (int)i;
	return true;
}

static bool
same_leaf(Check *c, const Leaf *l, Node **map)
{
	Node *n = map_get(c->leaf, l->name);

	if (!n || n->leaf->role != l->role || !type_eq(&n->type, &l->node->type))
		return wrong(c, "leaf '%s' is not one of the joint graph", l->name);
	map[l->node->id] = n;
	return true;
}

static bool
copy_forward(Check *c)
{
	const Graph *g = c->s->fwd;

	for (int64_t i = 0; i < g->nleaf; i++) {
		const Leaf *l = g->leaf[i];
		if (l->role == COTANGENT || l->role == SAVED)
			return wrong(c, "forward takes '%s'", l->name);
		if (!same_leaf(c, l, c->fwd))
			return false;
	}
	return copy_all(c, c->h, g, c->fwd);
}

static bool
copy_backward(Check *c)
{
	const Graph *g = c->s->open;
	Map *saved = map_new(c->a);
	int64_t taken = 0;

	for (int64_t i = 0; i < c->s->fwd->saved.n; i++)
		map_set(saved, c->s->fwd->saved.p[i].name, c->s->fwd->saved.p[i].v);
	for (int64_t i = 0; i < g->nleaf; i++) {
		const Leaf *l = g->leaf[i];
		const Node *kept = l->role == SAVED ? map_get(saved, l->name) : NULL;
		if (l->role == SAVED && (!kept || !type_eq(&kept->type, &l->node->type)))
			return wrong(c, "forward does not save '%s' as backward takes it", l->name);
		taken += kept != NULL;
		if (kept)
			c->bwd[l->node->id] = c->fwd[kept->id];
		else if (!same_leaf(c, l, c->bwd))
			return false;
	}
	if (taken != c->s->fwd->saved.n)
		return wrong(c, "forward saves %lld values, backward takes %lld", (long long)c->s->fwd->saved.n,
			(long long)taken);
	return copy_all(c, c->h, g, c->bwd);
}

static bool
same_ports(Check *c, const char *what, const Ports *p, Node *const *map, const Ports *want)
{
	if (p->n != want->n)
		return wrong(c, "%lld of %lld %ss are there", (long long)p->n, (long long)want->n, what);
	for (int64_t i = 0; i < p->n; i++)
		if (strcmp(p->p[i].name, want->p[i].name) || map[p->p[i].v->id] != c->joint[want->p[i].v->id])
			return wrong(c, "%s '%s' is not what the joint graph computes", what, want->p[i].name);
	return true;
}

static bool
check_graphs(Check *c)
{
	const Split *s = c->s;

	if (!copy_joint(c) || !copy_forward(c) || !copy_backward(c))
		return false;
	for (int64_t i = 0; i < s->fwd->nnode; i++)
		if (c->fwd[i]->id >= c->nof && c->fwd[i]->op->kind != PACK)
			return wrong(c, "a node of forward, %s, is not in the joint graph", nn(c->fwd[i]));
	for (int64_t i = 0; i < s->open->nnode; i++)
		if (c->bwd[i]->id >= c->nof && !c->unpacked[i])
			return wrong(c, "a node of backward, %s, is not in the joint graph", nn(c->bwd[i]));
	return same_ports(c, "output", &s->fwd->out, c->fwd, &s->joint->out)
		&& same_ports(c, "update", &s->fwd->update, c->fwd, &s->joint->update)
		&& same_ports(c, "gradient", &s->open->grad, c->bwd, &s->joint->grad);
}

/* ---- the seed ---- */

/* c->seeded, so far nodes of the graph that should be, becomes those of the graph that is; both have nodes of h */
static void
find_seeded(Check *c, const Graph *h, Node *const *want, Node *const *is)
{
	const Graph *open = c->s->open, *bwd = c->s->bwd;
	Node **back = NEW(c->a, MAX(h->nnode, 1), Node *);

	for (int64_t i = bwd->nnode - 1; i >= 0; i--)
		back[is[i]->id] = bwd->node[i];
	for (int64_t i = 0; i < open->nnode; i++)
		c->seeded[i] = c->seeded[i] ? back[want[c->seeded[i]->id]->id] : NULL;
}

/* backward is the open one with the loss's cotangent put in */
static bool
check_seed(Check *c)
{
	const Split *s = c->s;
	const Node *ct = s->joint->loss < 0 ? NULL
		: port_find(&s->open->ct, s->joint->out.p[s->joint->loss].name);
	Graph *want = ct ? seed_leaf(c->a, s->open, ct, c->seeded) : NULL, *h = graph_like(c->a, s->joint);
	const Graph *g[2] = {want, s->bwd};
	Node **map[2];
	Map *leaf = map_new(c->a);

	if (!want) {
		memcpy(c->seeded, s->open->node, (size_t)s->open->nnode * sizeof *c->seeded);
		return s->bwd == s->open || wrong(c, "backward has a seed, and there is no loss");
	}
	h->folding = false;
	for (int k = 0; k < 2; k++) {
		map[k] = NEW(c->a, MAX(g[k]->nnode, 1), Node *);
		for (int64_t i = 0; i < g[k]->nleaf; i++) {
			const Leaf *l = g[k]->leaf[i];
			if (!map_get(leaf, l->name))
				map_set(leaf, l->name, node_leaf(h, l, l->node->type));
			map[k][l->node->id] = map_get(leaf, l->name);
		}
		if (!copy_all(c, h, g[k], map[k]))
			return false;
	}
	for (int64_t i = 0; i < want->grad.n; i++)
		if (i >= s->bwd->grad.n || map[1][s->bwd->grad.p[i].v->id] != map[0][want->grad.p[i].v->id])
			return wrong(c, "gradient '%s' is not what its seed makes it", want->grad.p[i].name);
	find_seeded(c, h, map[0], map[1]);
	return true;
}

/* ---- the cost ---- */

typedef struct Count {
	Check *c;
	const Prices *p;
	int *seen;                     /* by kernel: the saved value counted last, + 1 */
	int64_t cost;
} Count;

static bool
is_value(Claim st)
{
	return st == V_FORWARD || st == V_UNCLAIMED;
}

/* n of backward makes a saved value of its bits */
static bool
unpacks(const Check *c, const Node *n)
{
	return n->nin && c->unpacked[n->in[0]->id] == n;
}

/* id in the joint graph of a node of backward */
static int
joint_id(const Count *t, const Node *n)
{
	return t->c->of[t->c->bwd[n->id]->id];
}

static bool
count_add(Count *t, int64_t price)
{
	return add_ok(t->cost, price, &t->cost) || wrong(t->c, "the cost overflows");
}

/* kernel reads joint value id, unless it was counted before */
static bool
count_read(Count *t, int id, int kernel)
{
	if (t->seen[kernel] == id + 1)
		return true;
	t->seen[kernel] = id + 1;
	for (int i = 0; i < t->p->nread[id]; i++)
		if (t->p->read[id][i].kernel == kernel)
			return count_add(t, t->p->read[id][i].price[0]);
	return wrong(t->c, "kernel %d reads node %d and has no price for it", kernel, id);
}

/* the value that a leaf is, or is unpacked to */
static const Node *
saved_value(const Count *t, const Node *leaf)
{
	const Node *v = t->c->unpacked[leaf->id];

	return v ? v : leaf;
}

static bool
count_saved(Count *t, const Node *leaf, const Users *users)
{
	const Graph *g = t->c->s->open;
	const Node *v = saved_value(t, leaf);
	int id = joint_id(t, v);

	if (t->p->price[id].packed != (v != leaf))
		return wrong(t->c, "'%s' is not saved in the form that has the price", leaf->leaf->name);
	if (v != leaf && users->start[leaf->id + 1] - users->start[leaf->id] != 1)
		return wrong(t->c, "'%s' is more than unpacked", leaf->leaf->name);
	if (!is_value(t->p->claim[id]))
		return wrong(t->c, "'%s' is saved for nothing", leaf->leaf->name);
	if (t->p->price[id].no_save)
		return wrong(t->c, "'%s' is saved: %s", leaf->leaf->name, t->p->price[id].no_save);
	if (!count_add(t, t->p->price[id].save[0]))
		return false;
	for (int u = users->start[v->id]; u < users->start[v->id + 1]; u++) {
		int w = joint_id(t, users->user[u]);
		for (int k = 0; k < t->p->nplace[w]; k++)
			if (!count_read(t, id, t->p->place[w][k]))
				return false;
	}
	for (int64_t i = 0; i < g->grad.n; i++)
		if (g->grad.p[i].v == v && !count_read(t, id, COPY_KERNEL))
			return false;
	return true;
}

static bool
count_computed(Count *t, const Node *n)
{
	int id = joint_id(t, n);
	Claim st = t->p->claim[id];

	if (st == V_BACKWARD || st == V_FREE || unpacks(t->c, n))
		return true;
	if (st == V_UNUSED || t->p->price[id].no_again)
		return wrong(t->c, "backward computes node %d of the joint graph, which it must not: %s", id,
			st == V_UNUSED ? "it is of no use" : t->p->price[id].no_again);
	return count_add(t, t->p->price[id].again[0]);
}

/* what the user wants saved is saved */
static bool
check_words(Count *t)
{
	const Graph *g = t->c->s->open, *joint = t->c->s->joint;
	bool *saved = NEW(t->c->a, MAX(joint->nnode, 1), bool);

	for (int64_t i = 0; i < g->nleaf; i++)
		if (g->leaf[i]->role == SAVED)
			saved[joint_id(t, saved_value(t, g->leaf[i]->node))] = true;
	for (int64_t i = 0; i < joint->nnode; i++)
		if (t->p->price[i].must && t->p->claim[i] != V_UNUSED && !saved[i])
			return wrong(t->c, "node %lld is not saved, as its \"remat\" says", (long long)i);
	return true;
}

/* the graphs cost what they should by prices p */
static bool
count_all(Check *c, const Prices *p, int64_t cost, const char *what)
{
	const Graph *g = c->s->open;
	Count t = {.c = c, .p = p, .seen = NEW(c->a, MAX(p->nkernel, 1), int)};
	Users users = graph_users(c->a, g);

	for (int64_t i = 0; i < g->nnode; i++) {
		const Node *n = g->node[i];
		if (n->leaf ? n->leaf->role == SAVED && !count_saved(&t, n, &users) : !count_computed(&t, n))
			return false;
	}
	if (!check_words(&t))
		return false;
	if (t.cost != cost)
		return wrong(c, "the graphs cost %lld, %s %lld", (long long)t.cost, what, (long long)cost);
	return true;
}

/* what backward computes, and in which kernels of the graph that is emitted; from the graphs alone */
static const Prices *
prices_of_graphs(Check *c, const Prices *guessed)
{
	const Split *s = c->s;
	int64_t n = MAX(s->joint->nnode, 1);
	Node **map = NEW(c->a, n, Node *);
	bool *plan = NEW(c->a, n, bool);

	for (int64_t i = 0; i < s->open->nnode; i++) {
		int id;
		if (c->unpacked[i])
			continue;
		id = c->of[c->bwd[i]->id];
		map[id] = c->seeded[i];
		plan[id] = is_value(guessed->claim[id]) && !s->open->node[i]->leaf && !unpacks(c, s->open->node[i]);
	}
	return prices_again(guessed, plan, s->fused ? places_of(c->a, s->joint, s->bwd, map) : NULL);
}

/* prices for the kernels of plan s, made after those of the plans before it */
static const Prices *
prices_after(Check *c, const Split *s, const Prices *guessed)
{
	if (!s)
		return guessed;
	return prices_again(prices_after(c, s->before, guessed), s->is_recomputed,
		s->fused ? places_of(c->a, c->s->joint, s->bwd, s->map) : NULL);
}

static bool
check_cost(Check *c)
{
	const Prices *p = prices_new(c->a, c->s->joint, c->s->options);

	if (c->s->settled && c->s->cost != c->s->cut.value)
		return wrong(c, "the cost is %lld, the cut's %lld", (long long)c->s->cost, (long long)c->s->cut.value);
	return count_all(c, prices_after(c, c->s->before, p), c->s->cut.value, "the cut")
		&& count_all(c, prices_of_graphs(c, p), c->s->cost, "the plan");
}

/* what forward overwrites is gone */
static bool
check_updates(Check *c)
{
	Map *updated = map_new(c->a);

	for (int64_t i = 0; i < c->s->fwd->update.n; i++) {
		const Port *p = &c->s->fwd->update.p[i];
		if (!p->v->leaf || strcmp(p->v->leaf->name, p->name))
			map_set(updated, p->name, p->v);
	}
	for (int64_t i = 0; i < c->s->open->nleaf; i++) {
		const Leaf *l = c->s->open->leaf[i];
		if ((l->role == PARAM || l->role == BUFFER) && map_get(updated, l->name))
			return wrong(c, "backward reads '%s', which forward updates", l->name);
	}
	return true;
}

const char *
certificate_check(Arena *a, const Split *s)
{
	Check c = {.a = a, .s = s, .leaf = map_new(a)};
	const char *flow;

	if (!s->joint)
		return "a partition that was read has no certificate";
	if ((flow = flow_check(a, s->nvertex, s->arc, s->narc, s->source, s->sink, &s->cut)))
		return flow;
	c.h = graph_like(a, s->joint);
	c.h->folding = false;
	c.joint = NEW(a, MAX(s->joint->nnode, 1), Node *);
	c.fwd = NEW(a, MAX(s->fwd->nnode, 1), Node *);
	c.bwd = NEW(a, MAX(s->open->nnode, 1), Node *);
	c.unpacked = NEW(a, MAX(s->open->nnode, 1), const Node *);
	c.seeded = NEW(a, MAX(s->open->nnode, 1), Node *);
	if (check_graphs(&c) && check_updates(&c) && check_seed(&c))
		check_cost(&c);
	return c.wrong;
}

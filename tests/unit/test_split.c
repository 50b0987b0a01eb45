/* The partitioner against enumeration of all saved sets, the certificate's checker against faults put in,
 * orders and copies of one graph against each other, and every partition against the interpreter, bit for bit. */
#include <math.h>
#include <string.h>
#include <time.h>

#include "split.h"

/* ---- random joint graphs ---- */

typedef struct Maker {
	Rng r;
	Graph *g;
	Node *f[64], *b[64];           /* values without and with a cotangent in them; all f32 */
	int nf, nb;
} Maker;

static Node *
pick(Maker *m, Node *const *v, int n)
{
	return v[rng_below(&m->r, 3) ? n - 1 - rng_below(&m->r, MIN(n, 4)) : rng_below(&m->r, n)];
}

/* a to [8,4] from the shapes that occur: it with some dimensions 1 */
static Node *
full_shape(Node *a)
{
	return Expand(a, (Dim[]){DIM(8), DIM(4)}, 2);
}

static Node *
random_forward(Maker *m)
{
	Node *a = pick(m, m->f, m->nf), *b = pick(m, m->f, m->nf);

	switch (rng_below(&m->r, 14)) {
	case 0:  return Add(a, b);
	case 1:  return Mul(a, b);
	case 2:  return Exp(a);
	case 3:  return Sigmoid(a);
	case 4:  return Neg(b);
	case 5:  return SumLast(a);
	case 6:  return Sum(a, (int[]){0}, 1, true);
	case 7:  return full_shape(a);
	case 8:  return Where(Gt(a, Lit(a, 0.5)), b, Lit(b, 0));
	case 9:  return Dot("ij,jk->ik", full_shape(a), Dot("ij,ik->jk", full_shape(a), full_shape(b)));
	case 10: return Slice(full_shape(a), 0, DIM(0), DIM(1), 1);
	case 11: return Cast(Cast(a, F64), F32);
	case 12:
		a = Slice(full_shape(a), 0, DIM(0), DIM(4), 1);
		b = Slice(full_shape(b), 0, DIM(4), DIM(8), 1);
		return Cat((Node *[]){a, b}, 2, 0);
	default: return Sub(a, b);
	}
}

/* whatever shape it has, as one of those with full_shape() */
static Node *
tame(Node *a)
{
	const Type *t = &a->type;

	if (dim_eq(t->dim[0], DIM(4)) || dim_eq(t->dim[1], DIM(8)))
		return Sum(a, (int[]){0, 1}, 2, true);
	return a;
}

static Node *
random_backward(Maker *m)
{
	Node *a = pick(m, m->b, m->nb), *f = pick(m, m->f, m->nf);

	switch (rng_below(&m->r, 8)) {
	case 0:  return Add(a, pick(m, m->b, m->nb));
	case 1:  return SumTo(full_shape(Mul(a, f)), &f->type);
	case 2:  return Dot("ij,ik->jk", full_shape(a), full_shape(f));
	case 3:  return Where(Lt(f, Lit(f, 0)), a, Lit(a, 0));
	case 4:  return SumLast(a);
	default: return Mul(a, f);
	}
}

static void
random_leaves(Maker *m)
{
	m->f[m->nf++] = leaf_new(m->g, INPUT, "x", type_of(8, 4));
	m->f[m->nf++] = leaf_new(m->g, PARAM, "w", type_of(1, 4));
	m->f[m->nf++] = leaf_new(m->g, BUFFER, "s", type_of(8, 1));
}

static void
random_remat(Maker *m, Node *n)
{
	if (!n->leaf && n->op->kind != SOURCE && n->remat == REMAT_AUTO && !rng_below(&m->r, 3))
		n->remat = rng_below(&m->r, 2) ? REMAT_SAVE : REMAT_RECOMPUTE;
}

static Graph *
random_joint(Arena *a, uint64_t seed, int nf, int nb)
{
	Maker m = {.r = rng_seed(seed), .g = graph_new(a, "g")};
	Graph *g = m.g;

	random_leaves(&m);
	for (int i = 0; i < nf; i++)
		m.f[m.nf++] = tame(random_forward(&m));
	m.b[m.nb++] = leaf_new(m.g, COTANGENT, "ct.y", type_of(8, 4));
	for (int i = 0; i < nb; i++)
		m.b[m.nb++] = tame(random_backward(&m));
	for (int i = 0; i < 2; i++)
		port_add(g, &g->out, i ? "z" : "y", pick(&m, m.f, m.nf), (Loc){0});
	port_add(g, &g->ct, "y", m.b[0], (Loc){0});
	for (int i = 0; i < 3; i++)
		port_add(g, &g->grad, arena_fmt(a, "g%d", i), pick(&m, m.b, m.nb), (Loc){0});
	if (!rng_below(&m.r, 4))
		port_add(g, &g->grad, "f", pick(&m, m.f, m.nf), (Loc){0});
	if (!rng_below(&m.r, 3))
		port_add(g, &g->update, "s", Sum(full_shape(pick(&m, m.f, m.nf)), (int[]){1}, 1, true), (Loc){0});
	for (int64_t i = 0; i < g->nnode && seed % 3 == 0; i++)
		random_remat(&m, g->node[i]);
	g->joint = true;
	return graph_rebuild(a, g, false);
}

/* ---- enumeration ---- */

typedef struct Plan {
	int64_t cost[NRANK];
	bool possible;
	bool again[512], have[512];    /* by node id: computed in backward; there at all */
} Plan;

static bool
is_value(const Prices *p, int64_t id)
{
	return p->claim[id] == V_FORWARD || p->claim[id] == V_UNCLAIMED;
}

static void
pay(Plan *plan, const int64_t *price)
{
	for (int r = 0; r < NRANK; r++)
		plan->cost[r] += price[r];
}

/* does kernel read saved value v under the plan? */
static bool
kernel_reads(const Graph *g, const Prices *p, const Plan *plan, const bool *live, const Node *v, int kernel)
{
	for (int64_t i = 0; i < g->grad.n && kernel == COPY_KERNEL; i++)
		if (g->grad.p[i].v == v)
			return true;
	for (int64_t i = 0; i < g->nnode; i++) {
		const Node *w = g->node[i];
		bool runs = live[i] && (p->claim[i] == V_BACKWARD || plan->again[i]), reads = false, there = false;
		for (int k = 0; k < w->nin; k++)
			reads |= w->in[k] == v;
		for (int k = 0; k < p->nplace[i]; k++)
			there |= p->place[i][k] == kernel;
		if (runs && reads && there)
			return true;
	}
	return false;
}

/* the plan that saves exactly this set */
static Plan
evaluate(const Graph *g, const Prices *p, const bool *live, const bool *saved)
{
	Plan plan = {.possible = true};
	bool need[512] = {0};

	for (int64_t i = 0; i < g->grad.n; i++)
		need[g->grad.p[i].v->id] = true;
	for (int64_t i = g->nnode - 1; i >= 0; i--) {
		const Node *n = g->node[i];
		if (p->price[i].must && is_value(p, i) && !saved[i])
			plan.possible = false;
		plan.have[i] = saved[i];
		if (saved[i] && p->price[i].no_save)
			plan.possible = false;
		if (saved[i])
			pay(&plan, p->price[i].save);
		if (saved[i] || !need[i])
			continue;
		if (is_value(p, i)) {
			plan.again[i] = plan.have[i] = true;
			pay(&plan, p->price[i].again);
			if (p->price[i].no_again)
				plan.possible = false;
		}
		for (int k = 0; k < n->nin; k++)
			need[n->in[k]->id] = true;
	}
	for (int64_t i = 0; i < g->nnode; i++)
		for (int k = 0; k < p->nread[i] && saved[i]; k++)
			if (kernel_reads(g, p, &plan, live, g->node[i], p->read[i][k].kernel))
				pay(&plan, p->read[i][k].price);
	return plan;
}

static int
compare(const Plan *a, const Plan *b)
{
	for (int r = 0; r < NRANK; r++)
		if (a->cost[r] != b->cost[r])
			return a->cost[r] < b->cost[r] ? -1 : 1;
	return 0;
}

/* the best plan, if it is given (id >= 0) whether value id is saved; of several the one that has least, which is
 * one of them */
static Plan
enumerate(const Graph *g, const Prices *p, const bool *live, int given, bool is_saved)
{
	int id[512], n = 0;
	Plan best = {.possible = false};

	for (int64_t i = 0; i < g->nnode; i++)
		if (is_value(p, i) && (!p->price[i].no_save || p->price[i].must))
			id[n++] = (int)i;
	for (int set = 0; set < 1 << n; set++) {
		bool saved[512] = {0};
		Plan plan;
		for (int k = 0; k < n; k++)
			saved[id[k]] = set >> k & 1;
		if (given >= 0 && saved[given] != is_saved)
			continue;
		plan = evaluate(g, p, live, saved);
		if (!plan.possible || (best.possible && compare(&best, &plan) < 0))
			continue;
		if (!best.possible || compare(&best, &plan) > 0)
			best = plan;
		for (int64_t i = 0; i < g->nnode; i++) {
			best.again[i] &= plan.again[i];
			best.have[i] &= plan.have[i];
		}
	}
	return best;
}

static int
count_values(const Graph *g, const Prices *p)
{
	int n = 0;

	for (int64_t i = 0; i < g->nnode; i++)
		n += is_value(p, i) && (!p->price[i].no_save || p->price[i].must);
	return n;
}

static void
check_otherwise(Arena *a, const Split *s, const Prices *p)
{
	for (int64_t i = 0; i < s->joint->nnode; i += 3) {
		Plan best;
		if (!is_value(p, i) || p->price[i].no_save || !(s->is_saved[i] || s->is_recomputed[i]))
			continue;
		best = enumerate(s->joint, p, graph_live(a, s->joint), (int)i, !s->is_saved[i]);
		assert_int_equal(split_otherwise(a, s, (int)i), best.possible ? best.cost[0] : INT64_MAX);
	}
}

/* what the plan costs in its own program is known when the network has these prices, and is the least */
static void
check_settled(Arena *a, const Split *s)
{
	const Places *real = places_of(a, s->joint, s->bwd, s->map);
	const Prices *p = prices_again(prices_new(a, s->joint, s->options), s->is_recomputed, real);
	int64_t cost[NRANK];

	assert_true(s->fused);
	plan_cost(a, s->joint, p, s->is_saved, s->is_recomputed, cost);
	assert_int_equal(s->cost, cost[0]);
	if (s->settled)
		assert_int_equal(s->cost, s->cut.value);
}

static void
check_against_enumeration(Arena *a, const Graph *g, const Options *o, int *done, int *refused, int *settled)
{
	const Graph *h = graph_rebuild(a, g, false);
	Split *s = split(a, g, o);
	const Prices *p = s ? s->prices : prices_new(a, h, o);
	int64_t cost[NRANK];
	Plan best, mine;

	if (count_values(h, p) > 12) {
		diag_reset();
		return;
	}
	best = enumerate(h, p, graph_live(a, h), -1, false);
	assert_int_equal(s != NULL, best.possible);
	if (!s) {
		assert_int_equal(diag_count(DIAG_ERROR), 1);
		++*refused;
		diag_reset();
		return;
	}
	assert_int_equal(s->cut.value, best.cost[0]);
	assert_int_equal(s->joint->nnode, h->nnode);
	mine = evaluate(h, p, graph_live(a, h), s->is_saved);
	assert_true(mine.possible);
	assert_int_equal(compare(&mine, &best), 0);
	plan_cost(a, h, p, s->is_saved, s->is_recomputed, cost);
	assert_memory_equal(cost, mine.cost, sizeof cost);
	for (int64_t i = 0; i < h->nnode; i++) {
		assert_int_equal(s->is_recomputed[i], best.again[i]);
		assert_int_equal(s->is_saved[i], best.have[i] && !best.again[i]);
	}
	assert_null(certificate_check(a, s));
	graph_verify(s->fwd, "split");
	graph_verify(s->bwd, "split");
	check_otherwise(a, s, p);
	check_settled(a, s);
	diag_reset();
	++*done;
	*settled += s->settled;
}

static void
test_enumeration(void **state)
{
	int done = 0, refused = 0, settled = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 3000; seed++) {
		Arena *a = arena_new();
		check_against_enumeration(a, random_joint(a, seed, 4 + (int)(seed % 10), 2 + (int)(seed / 7 % 8)),
			&choices[seed % LEN(choices)], &done, &refused, &settled);
		arena_free(a);
	}
	print_message("%d cuts agree with enumeration, %d refusals; %d are least in their own programs\n", done, refused, settled);
	assert_true(done > 1500);
	assert_true(refused > 5);
}

/* a differentiated random graph, with a loss or without */
static Graph *
random_model(Arena *a, uint64_t seed, int nf)
{
	Maker m = {.r = rng_seed(seed), .g = graph_new(a, "g")};
	Graph *g = m.g;

	random_leaves(&m);
	for (int i = 0; i < nf; i++)
		m.f[m.nf++] = tame(random_forward(&m));
	port_add(g, &g->out, "y", m.f[m.nf - 1], (Loc){0});
	port_add(g, &g->out, "z", pick(&m, m.f, m.nf), (Loc){0});
	if (seed % 2) {
		g->loss = (int)g->out.n;
		port_add(g, &g->out, "l", Sum(m.f[m.nf - 1], (int[]){0, 1}, 2, false), (Loc){0});
	}
	if (seed % 3 == 0)
		port_add(g, &g->update, "s", Sum(full_shape(pick(&m, m.f, m.nf)), (int[]){1}, 1, true), (Loc){0});
	g->wrt_given = true;
	port_add(g, &g->wrt, "w", m.f[1], (Loc){0});
	port_add(g, &g->wrt, "x", m.f[0], (Loc){0});
	return simplify(a, compose(a, grad(a, g, &(Options){.training = true}), true));
}

/* ulps do not come into it: what is computed twice is the same op on the same operands */
static void
test_values(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 400; seed++)
		for (int k = 0; k < LEN(choices); k++) {
			Arena *a = arena_new();
			check_values(a, random_model(a, seed, 4 + (int)(seed % 24)), &choices[k]);
			arena_free(a);
		}
}

/* ---- faults that the checker must find ---- */

typedef bool Fault(Split *s, Rng *r);    /* false: there is no place for it here */

static Graph *
open_graph(Split *s)
{
	return (Graph *)(uintptr_t)s->open;      /* the tests alone may write it */
}

static bool
fault_flow(Split *s, Rng *r)
{
	s->cut.flow[rng_below(r, s->narc)]++;
	return true;
}

static bool
fault_value(Split *s, Rng *r)
{
	(void)r;
	s->cost++;
	return true;
}

static bool
fault_saved_lost(Split *s, Rng *r)
{
	(void)r;
	return s->fwd->saved.n && s->fwd->saved.n--;
}

static bool
fault_saved_other(Split *s, Rng *r)
{
	Port *p = s->fwd->saved.n ? &s->fwd->saved.p[rng_below(r, s->fwd->saved.n)] : NULL;

	for (int64_t i = 0; p && i < s->fwd->nnode; i++) {
		Node *n = s->fwd->node[i];
		if (n != p->v && type_eq(&n->type, &p->v->type)) {
			p->v = n;
			return true;
		}
	}
	return false;
}

/* the bits of another mask */
static bool
fault_saved_bits(Split *s, Rng *r)
{
	for (int64_t i = 0; i < s->fwd->saved.n; i++) {
		Node *bits = s->fwd->saved.p[i].v, *mask = bits->nin ? bits->in[0] : NULL, *other = NULL;
		if (bits->op->kind != PACK)
			continue;
		for (int k = 0; k < 20 && !other; k++) {
			other = s->fwd->node[rng_below(r, s->fwd->nnode)];
			if (other == mask || !type_eq(&other->type, &mask->type))
				other = NULL;
		}
		s->fwd->saved.p[i].v = Pack(other ? other : LogicalNot(mask));
		return true;
	}
	return false;
}

/* kept as it is, for which there is no price */
static bool
fault_saved_whole(Split *s, Rng *r)
{
	Graph *g = open_graph(s);

	(void)r;
	for (int64_t i = 0; i < g->nnode; i++) {
		Node *n = g->node[i], *leaf = n->nin ? n->in[0] : NULL;
		Port *p = s->fwd->saved.p;
		if (!n->op->bit || !leaf->leaf || leaf->leaf->role != SAVED)
			continue;
		while (strcmp(p->name, leaf->leaf->name))
			p++;
		p->v = p->v->in[0];
		leaf->type = n->type;
		n->op = op_get(OP_logical_or);
		n->in = memcpy(NEW(g->arena, 2, Node *), (Node *[]){leaf, leaf}, 2 * sizeof *n->in);
		n->nin = 2;
		return true;
	}
	return false;
}

static bool
fault_saved_unread(Split *s, Rng *r)
{
	Node *n = s->fwd->node[rng_below(r, s->fwd->nnode)];

	if (n->leaf || n->op->kind == SOURCE || n->op->flags & ALIAS || port_find(&s->fwd->saved, "more"))
		return false;
	for (int64_t i = 0; i < s->fwd->saved.n; i++)
		if (s->fwd->saved.p[i].v == n)
			return false;
	port_add(s->fwd, &s->fwd->saved, "more", n, n->at);
	node_leaf(open_graph(s), &(Leaf){.role = SAVED, .name = "more", .of = "more"}, n->type);
	return true;
}

static bool
change_op(Graph *g, Rng *r)
{
	for (int64_t i = g->nnode, from = rng_below(r, i); i; i--, from = (from + 1) % g->nnode) {
		Node *n = g->node[from];
		if (n->op->kind != MAP || n->nin != 1 || n->op->flags & (CONVERT | TO_BOOL))
			continue;
		n->op = op_get(n->op->id == OP_exp ? OP_sigmoid : OP_exp);
		return true;
	}
	return false;
}

static bool
fault_op(Split *s, Rng *r)
{
	return change_op(open_graph(s), r);
}

static bool
fault_op_forward(Split *s, Rng *r)
{
	return change_op(s->fwd, r);
}

static bool
fault_op_seeded(Split *s, Rng *r)
{
	return s->bwd != s->open && change_op(s->bwd, r);
}

static bool
fault_operands(Split *s, Rng *r)
{
	(void)r;
	for (int64_t i = s->open->nnode - 1; i >= 0; i--) {
		Node *n = s->open->node[i], *x = n->nin ? n->in[0] : NULL;
		if (n->op->id != OP_sub || x == n->in[1] || !type_eq(&x->type, &n->in[1]->type))
			continue;
		n->in[0] = n->in[1];
		n->in[1] = x;
		return true;
	}
	return false;
}

static bool
fault_role(Split *s, Rng *r)
{
	Leaf *l = s->open->nleaf ? s->open->leaf[rng_below(r, s->open->nleaf)] : NULL;

	if (!l || l->role != SAVED)
		return false;
	l->role = INPUT;
	return true;
}

static bool
fault_updated(Split *s, Rng *r)
{
	Leaf *l = leaf_find(s->open, "s");

	(void)r;
	if (!l || l->role != SAVED)
		return false;
	l->role = BUFFER;
	return true;
}

static bool
fault_gradients(Split *s, Rng *r)
{
	Ports *p = &open_graph(s)->grad;
	Node *v = p->p[0].v;

	(void)r;
	if (p->n < 2 || p->p[1].v == v)
		return false;
	p->p[0].v = p->p[1].v;
	p->p[1].v = v;
	return true;
}

static bool
fault_output(Split *s, Rng *r)
{
	(void)r;
	s->fwd->out.n--;
	return true;
}

/* the graphs of another plan, which costs something else */
static bool
fault_plan(Split *s, Rng *r)
{
	const Options o = {.partition = rng_below(r, 2) ? "default" : "recompute"};
	Split *other = split(s->fwd->arena, s->joint, &o);
	const char *wrong;

	if (!other)
		return false;
	s->fwd = other->fwd;
	s->bwd = other->bwd;
	s->open = other->open;
	wrong = certificate_check(s->fwd->arena, s);
	if (!wrong) {          /* then it is as good */
		Arena *a = s->fwd->arena;
		Plan plan = evaluate(s->joint, s->prices, graph_live(a, s->joint), other->is_saved);
		assert_true(plan.possible);
		assert_int_equal(plan.cost[0], s->cost);
	}
	return wrong != NULL;
}

static const struct { const char *name; Fault *fault; } faults[] = {
	{"flow", fault_flow},                     {"cost", fault_value},
	{"saved value lost", fault_saved_lost},   {"another value saved", fault_saved_other},
	{"bits of another mask", fault_saved_bits}, {"a mask saved whole", fault_saved_whole},
	{"saved for nothing", fault_saved_unread}, {"op in backward", fault_op},
	{"op in forward", fault_op_forward},      {"op after the seed", fault_op_seeded},
	{"operands swapped", fault_operands},     {"saved value as input", fault_role},
	{"updated buffer read", fault_updated},   {"gradients swapped", fault_gradients},
	{"output lost", fault_output},            {"another plan", fault_plan},
};

static void
test_faults(void **state)
{
	int found[LEN(faults)] = {0};
	Rng r = rng_seed(11);

	(void)state;
	for (uint64_t seed = 0; seed < 400; seed++)
		for (int k = 0; k < LEN(faults); k++) {
			Arena *a = arena_new();
			Graph *g = seed % 2 ? random_model(a, seed, 12) : random_joint(a, seed, 12, 8);
			Split *s = split(a, g, &choices[0]);
			diag_reset();
			if (s && s->narc && faults[k].fault(s, &r)) {
				const char *wrong = certificate_check(a, s);
				if (!wrong)
					print_error("seed %d: '%s' goes unnoticed\n", (int)seed, faults[k].name);
				assert_non_null(wrong);
				found[k]++;
			}
			arena_free(a);
		}
	for (int k = 0; k < LEN(faults); k++) {
		print_message("%s: found %d times\n", faults[k].name, found[k]);
		assert_true(found[k] >= 20);
	}
}

/* ---- other orders, two copies ---- */

static void
name_all(Graph *g)
{
	for (int64_t i = 0; i < g->nnode; i++)
		if (!g->node[i]->leaf)
			g->node[i]->name = graph_str(g, arena_fmt(g->arena, "n%lld", (long long)i));
}

static const char *
prefixed(Graph *h, const char *prefix, const char *name)
{
	return name ? graph_str(h, arena_fmt(h->arena, "%s%s", prefix, name)) : NULL;
}

static void
copy_prefixed(Graph *h, const Graph *g, const char *prefix)
{
	Arena *a = h->arena;
	Node **map = NEW(a, g->nnode, Node *);
	const struct { Ports *to; const Ports *from; } ports[] = {
		{&h->out, &g->out}, {&h->update, &g->update}, {&h->ct, &g->ct}, {&h->grad, &g->grad},
	};

	for (int64_t i = 0; i < g->nleaf; i++) {
		Leaf l = *g->leaf[i];
		l.name = prefixed(h, prefix, l.name);
		map[l.node->id] = node_leaf(h, &l, l.node->type);
	}
	for (int64_t i = 0; i < g->nnode; i++)
		if (!map[i]) {
			map[i] = node_onto(h, g->node[i], map);
			map[i]->name = prefixed(h, prefix, g->node[i]->name);
		}
	for (int k = 0; k < LEN(ports); k++)
		for (int64_t i = 0; i < ports[k].from->n; i++)
			port_add(h, ports[k].to, prefixed(h, prefix, ports[k].from->p[i].name),
				map[ports[k].from->p[i].v->id], (Loc){0});
}

/* the document of g, its nodes in another order */
static Buf
shuffled_document(Arena *a, const Graph *g, Rng *r)
{
	Buf b = {.arena = a}, out = {.arena = a};
	const char *line[1024];
	int n = 0;
	char *first, *last;

	graph_write(&b, g);
	first = strstr(buf_str(&b), "\"nodes\": [");
	assert_non_null(first);
	first += strlen("\"nodes\": [");
	last = strstr(first, "\n  ]");
	assert_non_null(last);
	for (char *s = strtok(arena_copy(a, first, last - first), "\n"); s; s = strtok(NULL, "\n")) {
		int64_t len = (int64_t)strlen(s) - (s[strlen(s) - 1] == ',');
		assert_true(n < LEN(line));
		line[n++] = arena_copy(a, s, len);
	}
	buf_put(&out, b.s, first - b.s);
	for (int left = n; left; left--) {
		int k = (int)rng_below(r, left);
		buf_printf(&out, "\n%s%s", line[k], left > 1 ? "," : "");
		line[k] = line[left - 1];
	}
	buf_puts(&out, last);
	return out;
}

static Map *
choices_by_name(Arena *a, const Split *s)
{
	static const char *const word[] = {"free", "saved", "recomputed"};
	Map *m = map_new(a);

	for (int i = 0; i < s->nchoice; i++)
		map_set(m, s->choice[i].name ? s->choice[i].name : "?", (void *)(uintptr_t)word[s->choice[i].fate]);
	return m;
}

/* The order of nodes in a document means nothing. */
static void
test_orders(void **state)
{
	Rng r = rng_seed(3);

	(void)state;
	for (uint64_t seed = 0; seed < 600; seed++) {
		Arena *a = arena_new();
		Graph *g = random_model(a, seed, 4 + (int)(seed % 24)), *h[2];
		const Options *o = &choices[seed % LEN(choices)];
		Split *s[2];
		Map *m[2];
		name_all(g);
		for (int k = 0; k < 2; k++) {
			Buf b = shuffled_document(a, g, &r);
			h[k] = graph_read(a, "shuffled", b.s, b.n);
			assert_non_null(h[k]);
			s[k] = split(a, h[k], o);
			assert_non_null(s[k]);
			m[k] = choices_by_name(a, s[k]);
		}
		assert_int_equal(s[0]->cost, s[1]->cost);
		assert_int_equal(map_len(m[0]), map_len(m[1]));
		for (int i = 0; i < map_len(m[0]); i++)
			assert_ptr_equal(map_at(m[0], i), map_get(m[1], map_key(m[0], i)));
		diag_reset();
		arena_free(a);
	}
}

static void
test_copies(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 300; seed++) {
		Arena *a = arena_new();
		Graph *g = random_joint(a, seed * 3 + 2, 5 + (int)(seed % 40), 4 + (int)(seed % 30)), *h = graph_like(a, g);
		const Options *o = &choices[seed % LEN(choices)];
		Split *s, *t;
		h->joint = true;
		h->folding = false;
		copy_prefixed(h, g, "a.");
		copy_prefixed(h, g, "b.");
		s = split(a, g, o);
		t = split(a, h, o);
		assert_int_equal(t->cost, 2 * s->cost);
		assert_int_equal(t->saved_bytes, 2 * s->saved_bytes);
		assert_int_equal(t->nrecomputed, 2 * s->nrecomputed);
		arena_free(a);
	}
}

/* ---- size ---- */

static Graph *
deep_model(Arena *a, int n, bool chain)
{
	Maker m = {.r = rng_seed(9), .g = graph_new(a, "deep")};
	Node **v = NEW(a, n + 2, Node *), *w;

	v[0] = leaf_new(m.g, PARAM, "x", type_of(64, 32));
	w = leaf_new(m.g, PARAM, "w", type_of(1, 32));
	for (int i = 1; i <= n; i++) {
		Node *y = v[i - 1], *z = v[chain ? i - 1 : i - 1 - rng_below(&m.r, MIN(i, 20))];
		switch (rng_below(&m.r, chain ? 4 : 8)) {
		case 0:  v[i] = Sigmoid(y); break;
		case 1:  v[i] = Mul(y, chain ? w : z); break;
		case 2:  v[i] = Exp(y); break;
		case 3:  v[i] = Add(y, w); break;
		case 4:  v[i] = Expand(SumLast(y), y->type.dim, 2); break;
		case 5:  v[i] = Where(Gt(z, Lit(z, 0)), y, z); break;
		case 6:  v[i] = Sub(z, y); break;
		default: v[i] = Dot("ij,jk->ik", y, Dot("ij,ik->jk", y, z));
		}
	}
	port_add(m.g, &m.g->out, "l", Sum(v[n], (int[]){0, 1}, 2, false), (Loc){0});
	m.g->loss = 0;
	m.g->wrt_given = true;
	port_add(m.g, &m.g->wrt, "x", v[0], (Loc){0});
	return simplify(a, compose(a, grad(a, m.g, &(Options){.training = true}), true));
}

static double
seconds_since(clock_t start)
{
	return (double)(clock() - start) / CLOCKS_PER_SEC;
}

/* Processor time of the pass. The limits are for a machine at rest; where others use its memory, or sanitizers
 * watch, a copy of the graph is slow as well, and the pass may take 20 times as long as that (at rest it takes 10). */
static void
test_size(void **state)
{
	static const struct { int n, least; bool chain; double limit; } size[] = {
		{4600, 10000, true, 0.2}, {2800, 10000, false, 0.2}, {46000, 100000, true, 2}, {28000, 100000, false, 2},
	};

	(void)state;
	for (int i = 0; i < LEN(size); i++) {
		Arena *a = arena_new();
		Graph *g = deep_model(a, size[i].n, size[i].chain);
		double took = 1e9, limit = size[i].limit;
		for (int k = 0; k < 3 && took >= limit; k++) {
			Arena *b = arena_new();
			clock_t start = clock();
			graph_rebuild(b, g, false);
			limit = fmax(limit, 20 * seconds_since(start));
			start = clock();
			Split *s = split(b, g, NULL);
			took = fmin(took, seconds_since(start));
			if (!k)
				assert_null(certificate_check(b, s));
			arena_free(b);
		}
		print_message("%lld nodes: %.3f s of %.3f\n", (long long)g->nnode, took, limit);
		assert_true(g->nnode >= size[i].least);
		assert_true(took < limit);
		arena_free(a);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_enumeration),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_orders),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The partitioner against enumeration of all saved sets, the certificate's checker against faults put in,
 * orders and copies of one graph against each other, and every partition against the interpreter, bit for bit. */
#include <time.h>

#include "unit.h"
#include "ir.h"

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

static Type
type_of(int64_t rows, int64_t cols)
{
	return (Type){F32, 2, {DIM(rows), DIM(cols)}};
}

static Node *
leaf_new(Maker *m, Role role, const char *name, Type t)
{
	return node_leaf(m->g, &(Leaf){.role = role, .name = graph_str(m->g, name)}, t);
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
	case 12: return Cat((Node *[]){Slice(full_shape(a), 0, DIM(0), DIM(4), 1), Slice(full_shape(b), 0, DIM(4), DIM(8), 1)}, 2, 0);
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
	m->f[m->nf++] = leaf_new(m, INPUT, "x", type_of(8, 4));
	m->f[m->nf++] = leaf_new(m, PARAM, "w", type_of(1, 4));
	m->f[m->nf++] = leaf_new(m, BUFFER, "s", type_of(8, 1));
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
	m.b[m.nb++] = leaf_new(&m, COTANGENT, "ct.y", type_of(8, 4));
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

/* the best plan; of several the one that has least, which is one of them */
static Plan
enumerate(const Graph *g, const Prices *p, const bool *live)
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
check_against_enumeration(Arena *a, const Graph *g, const Options *o, int *done, int *refused)
{
	const Graph *h = graph_rebuild(a, g, false);
	const Prices *p = prices_new(a, h, o);
	Plan best, mine;
	Split *s;

	if (count_values(h, p) > 12)
		return;
	best = enumerate(h, p, graph_live(a, h));
	s = split(a, g, o);
	assert_int_equal(s != NULL, best.possible);
	if (!s) {
		assert_int_equal(diag_count(DIAG_ERROR), 1);
		++*refused;
		diag_reset();
		return;
	}
	assert_int_equal(s->cost, best.cost[0]);
	assert_int_equal(s->joint->nnode, h->nnode);
	mine = evaluate(h, p, graph_live(a, h), s->is_saved);
	assert_true(mine.possible);
	assert_int_equal(compare(&mine, &best), 0);
	for (int64_t i = 0; i < h->nnode; i++) {
		assert_int_equal(s->is_recomputed[i], best.again[i]);
		assert_int_equal(s->is_saved[i], best.have[i] && !best.again[i]);
	}
	assert_null(certificate_check(a, s));
	graph_verify(s->fwd, "split");
	graph_verify(s->bwd, "split");
	diag_reset();
	++*done;
}

static const Options choices[] = {
	{.partition = "min-cut", .objective = "traffic"},
	{.partition = "min-cut", .objective = "bytes"},
	{.partition = "min-cut", .objective = "time"},
	{.partition = "min-cut", .objective = "traffic", .recomputable = "sum,dot"},
	{.partition = "default", .objective = "traffic"},
	{.partition = "recompute", .objective = "traffic"},
	{0},
};

static void
test_enumeration(void **state)
{
	int done = 0, refused = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 3000; seed++) {
		Arena *a = arena_new();
		check_against_enumeration(a, random_joint(a, seed, 4 + (int)(seed % 10), 2 + (int)(seed / 7 % 8)),
			&choices[seed % LEN(choices)], &done, &refused);
		arena_free(a);
	}
	print_message("%d cuts agree with enumeration, %d refusals\n", done, refused);
	assert_true(done > 1500);
	assert_true(refused > 5);
}

/* ---- values ---- */

static Tensor *
random_tensor(EvalCtx *c, const Type *t, uint64_t seed)
{
	Tensor *x = tensor_new(c, t);
	Rng r = rng_seed(seed);

	for (int64_t i = 0; i < x->n; i++)
		if (x->f)
			x->f[i] = rng_double(&r) * 4 - 2;
		else
			x->i[i] = rng_below(&r, 2);
	return x;
}

/* the same values for leaves of the same name, 1 for the seed of a loss; `given` has those of saved leaves */
static Tensor **
leaf_values(EvalCtx *c, const Graph *g, const char *loss_ct, const Map *given)
{
	Tensor **v = NEW(c->arena, MAX(g->nleaf, 1), Tensor *);

	for (int64_t i = 0; i < g->nleaf; i++) {
		const Leaf *l = g->leaf[i];
		v[i] = l->role == SAVED ? map_get(given, l->name)
			: random_tensor(c, &l->node->type, hash64(l->name, (int64_t)strlen(l->name), 5));
		if (loss_ct && !strcmp(l->name, loss_ct))
			v[i]->f[0] = 1;
	}
	return v;
}

static void
assert_same_values(const Ports *p, Tensor **v, const Ports *q, Tensor **w)
{
	assert_int_equal(p->n, q->n);
	for (int64_t i = 0; i < p->n; i++) {
		const Tensor *x = v[p->p[i].v->id], *y = w[q->p[i].v->id];
		assert_string_equal(p->p[i].name, q->p[i].name);
		assert_int_equal(x->n, y->n);
		assert_memory_equal(x->f ? (void *)x->f : (void *)x->i, y->f ? (void *)y->f : (void *)y->i, x->n * 8);
	}
}

static void
check_values(Arena *a, const Graph *joint, const Options *o)
{
	EvalCtx c[3] = {{.arena = a}, {.arena = a}, {.arena = a}};
	Split *s = split(a, joint, o);
	const char *ct = joint->loss >= 0 ? joint->ct.p[0].v->leaf->name : NULL;
	Map *kept = map_new(a);
	Tensor **v, **f, **b;

	assert_non_null(s);
	assert_null(certificate_check(a, s));
	v = eval_graph(&c[0], joint, leaf_values(&c[0], joint, ct, NULL));
	f = eval_graph(&c[1], s->fwd, leaf_values(&c[1], s->fwd, NULL, NULL));
	for (int64_t i = 0; i < s->fwd->saved.n; i++)
		map_set(kept, s->fwd->saved.p[i].name, f[s->fwd->saved.p[i].v->id]);
	b = eval_graph(&c[2], s->bwd, leaf_values(&c[2], s->bwd, NULL, kept));
	assert_same_values(&joint->out, v, &s->fwd->out, f);
	assert_same_values(&joint->update, v, &s->fwd->update, f);
	assert_same_values(&joint->grad, v, &s->bwd->grad, b);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_enumeration),
		cmocka_unit_test(test_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

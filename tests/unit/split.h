/* split.h: what the tests of the partitioner share: leaves, partitions to try, and a plan's graphs against the
 * joint graph in the interpreter, bit for bit. */
#ifndef TEST_SPLIT_H
#define TEST_SPLIT_H

#include "unit.h"
#include "ir.h"

static const Options choices[] = {
	{.partition = "min-cut", .objective = "traffic"},
	{.partition = "min-cut", .objective = "bytes"},
	{.partition = "min-cut", .objective = "time"},
	{.partition = "min-cut", .objective = "traffic", .recomputable = "sum,dot"},
	{.partition = "default", .objective = "traffic"},
	{.partition = "recompute", .objective = "traffic"},
	{0},
};

static inline Type
type_of(int64_t rows, int64_t cols)
{
	return (Type){F32, 2, {DIM(rows), DIM(cols)}};
}

static inline Node *
leaf_new(Graph *g, Role role, const char *name, Type t)
{
	return node_leaf(g, &(Leaf){.role = role, .name = graph_str(g, name)}, t);
}

static inline Tensor *
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
static inline Tensor **
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

static inline void
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

static inline void
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

#endif

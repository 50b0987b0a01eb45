/* slope: are the gradients those of the values? Answered by central differences
 * of the interpreter in double.
 *
 * The objective is the sum of the outputs times their cotangents. Along a random
 * direction of one value at a time it is evaluated on both sides of the point;
 * only what depends on that value is computed again. Values behind stop_gradient
 * stay what they were. Where the slopes on the two sides differ there is a kink,
 * and no answer; smaller steps are tried before giving up. */
#include "ir.h"

#include <math.h>
#include <string.h>

enum { STEPS = 3 };
static const double step_size[STEPS] = {0x1p-17, 0x1p-20, 0x1p-13};

typedef struct Objective {
	EvalCtx *c;
	const Graph *g;                /* forward, with stop_gradient */
	Tensor **base;                 /* its values by id */
	const Tensor **ct;             /* by output of g; NULL: no part of the objective */
} Objective;

/* ---- the objective ---- */

static double
objective_of(const Objective *f, Tensor *const *val, double *scale)
{
	double sum = 0;

	*scale = 0;
	for (int64_t k = 0; k < f->g->out.n; k++) {
		const Tensor *y = val[f->g->out.p[k].v->id];
		for (int64_t i = 0; f->ct[k] && i < y->n; i++) {
			double t = f->ct[k]->f[i] * y->f[i];
			sum += t;
			*scale += fabs(t);
		}
	}
	return sum;
}

/* the objective when node `at` has value x */
static double
objective_at(const Objective *f, const Node *at, Tensor *x)
{
	Arena *a = arena_new();
	EvalCtx c = *f->c;
	Tensor **val = NEW(a, MAX(f->g->nnode, 1), Tensor *), **in = NULL;
	int64_t cap = 0;
	double r, scale;

	c.arena = a;
	memcpy(val, f->base, (size_t)f->g->nnode * sizeof *val);
	val[at->id] = x;
	for (int64_t i = at->id + 1; i < f->g->nnode; i++) {
		const Node *n = f->g->node[i];
		bool moved = false;
		while (cap < n->nin)
			in = arena_grow(a, in, cap, &cap, (int64_t)sizeof *in);
		for (int k = 0; k < n->nin; k++) {
			in[k] = val[n->in[k]->id];
			moved |= in[k] != f->base[n->in[k]->id];
		}
		if (moved && f->base[i] && !(n->op->flags & STOP))
			val[i] = eval_node(&c, n, in);
	}
	r = objective_of(f, val, &scale);
	arena_free(a);
	return r;
}

/* ---- one value ---- */

static double
size_of(const Tensor *x)
{
	double sum = 0;

	for (int64_t i = 0; i < x->n; i++)
		sum += x->f[i] * x->f[i];
	return sum > 0 && isfinite(sum) ? sqrt(sum / (double)x->n) : 1;
}

static Tensor *
moved(EvalCtx *c, const Tensor *x, const double *direction, double h)
{
	Tensor *y = NEW(c->arena, 1, Tensor);

	*y = *x;
	y->f = NEW(c->arena, MAX(x->n, 1), double);
	for (int64_t i = 0; i < x->n; i++)
		y->f[i] = x->f[i] + h * direction[i];
	return y;
}

/* the slope by differences of width h; what may be wrong with it, in *tol */
static bool
difference(const Objective *f, const Node *at, const double *direction, double h, double grad, Slope *s)
{
	const Tensor *x = f->base[at->id];
	double scale, mid = objective_of(f, f->base, &scale);
	double up = objective_at(f, at, moved(f->c, x, direction, h)) - mid;
	double down = mid - objective_at(f, at, moved(f->c, x, direction, -h));
	double noise = 0x1p-48 * (scale + fabs(mid)) / h, bend = fabs(up - down) / h;

	s->diff = (up + down) / (2 * h);
	s->tol = 1e-5 * (fabs(grad) + fabs(s->diff)) + noise;
	return isfinite(s->diff) && bend <= 2e-3 * (fabs(up) + fabs(down)) / h + 4 * noise;
}

/* Steps are tried until one agrees with the gradient. Where none does, the two that agree best with each other
 * tell the slope, and by their distance how well they know it. */
static Slope
slope_at(const Objective *f, const char *name, const Node *at, const Tensor *gradient, Rng *r)
{
	const Tensor *x = f->base[at->id];
	double *direction = NEW(f->c->arena, MAX(x->n, 1), double), size = size_of(x), grad = 0, best = INFINITY;
	Slope s[STEPS], result = {.name = name};

	for (int64_t i = 0; i < x->n; i++) {
		direction[i] = size * (rng_below(r, 2) ? 1 : -1) * (0.5 + rng_double(r));
		grad += direction[i] * gradient->f[i];
	}
	for (int i = 0; i < STEPS && isfinite(grad); i++) {
		s[i] = (Slope){.name = name, .grad = grad};
		s[i].known = difference(f, at, direction, step_size[i], grad, &s[i]);
		if (s[i].known && fabs(grad - s[i].diff) <= s[i].tol)
			return s[i];
		for (int j = 0; j < i; j++) {
			double apart = fabs(s[i].diff - s[j].diff);
			if (!s[i].known || !s[j].known || apart >= best)
				continue;
			best = apart;
			result = s[i];
			result.tol = MAX(s[i].tol, s[j].tol) + 4 * apart;
			result.known = result.tol <= 0.05 * fabs(result.diff) || fabs(grad - result.diff) <= result.tol;
		}
	}
	return result;
}

/* ---- all of them ---- */

static Tensor *
drawn(EvalCtx *c, const Type *t, Rng *r)
{
	Tensor *x = tensor_new(c, t);

	for (int64_t i = 0; i < x->n; i++)
		x->f[i] = 2 * rng_double(r) - 1;
	return x;
}

/* values of the joint graph's leaves: the user's, then cotangents */
static Tensor **
joint_leaves(EvalCtx *c, const Graph *joint, int64_t nuser, Tensor *const *leaf, Rng *r)
{
	Tensor **v = NEW(c->arena, MAX(joint->nleaf, 1), Tensor *);

	for (int64_t i = 0; i < joint->nleaf; i++)
		v[i] = i < nuser ? leaf[i] : drawn(c, &joint->leaf[i]->node->type, r);
	return v;
}

/* cotangents by output */
static const Tensor **
cotangents(EvalCtx *c, const Graph *joint, Tensor *const *val, const Graph *g)
{
	const Tensor **ct = NEW(c->arena, MAX(g->out.n, 1), const Tensor *);

	for (int64_t k = 0; k < g->out.n; k++) {
		const Node *n = port_find(&joint->ct, g->out.p[k].name);
		ct[k] = n ? val[n->id] : NULL;
	}
	return ct;
}

/* what the name is in a model as read */
static const Node *
wrt_node(const Graph *user, const char *name)
{
	const Node *n = user->wrt_given ? port_find(&user->wrt, name) : NULL;

	return n ? n : leaf_find(user, name)->node;
}

/* The model with an input in place of node n: what composites compute inside is not that value, even where it
 * is equal. */
static Graph *
cut(Arena *a, const Graph *user, const Node *n)
{
	Graph *h = graph_like(a, user);
	Node **map = NEW(a, MAX(user->nnode, 1), Node *);
	Leaf l = {.role = INPUT, .name = graph_str(h, " cut")};

	for (int64_t i = 0; i < user->nleaf; i++)
		map[user->leaf[i]->node->id] = node_leaf(h, user->leaf[i], user->leaf[i]->node->type);
	map[n->id] = node_leaf(h, &l, n->type);
	return graph_copy_onto(h, user, map);
}

/* its value: of the model's graph, which computes it under one name or another */
static Tensor *
value_of(EvalCtx *c, const Graph *user, const Node *n, Tensor *const *leaf)
{
	Graph *h = graph_rebuild(c->arena, user, false), *g;

	port_add(h, &h->out, " value", port_find(&h->wrt, n->name), (Loc){0});
	g = compose(c->arena, h, true);
	return eval_graph(c, g, leaf)[port_find(&g->out, " value")->id];
}

static Objective
objective(EvalCtx *c, const Graph *user, Tensor *const *leaf, const Graph *joint, Tensor *const *val, const Options *o)
{
	Objective f = {.c = c, .g = compose_stopped(c->arena, user, o->training)};

	f.base = eval_graph(c, f.g, leaf);
	f.ct = cotangents(c, joint, val, f.g);
	return f;
}

/* the objective as a function of an inner value, and its place there */
static Objective
objective_inside(const Objective *f, const Graph *user, const Node *n, Tensor *const *leaf, const Graph *joint,
	Tensor *const *val, const Options *o)
{
	EvalCtx *c = f->c;
	Tensor **more = NEW(c->arena, user->nleaf + 1, Tensor *);

	memcpy(more, leaf, (size_t)user->nleaf * sizeof *more);
	more[user->nleaf] = value_of(c, user, n, leaf);
	return objective(c, cut(c->arena, user, n), more, joint, val, o);
}

int
slopes(EvalCtx *c, const Graph *user, const Options *o, Tensor *const *leaf, uint64_t seed, Slope **out)
{
	Graph *joint = compose(c->arena, grad(c->arena, graph_rebuild(c->arena, user, false), o), o->training);
	Rng r = rng_seed(seed);
	EvalCtx plain = *c;
	Objective f;
	Tensor **val;

	plain.round = false;
	val = eval_graph(&plain, joint, joint_leaves(&plain, joint, user->nleaf, leaf, &r));
	f = objective(&plain, user, leaf, joint, val, o);
	*out = NEW(c->arena, MAX(joint->grad.n, 1), Slope);
	for (int64_t k = 0; k < joint->grad.n; k++) {
		const char *name = joint->grad.p[k].name;
		const Node *n = wrt_node(user, name);
		const Tensor *gradient = val[joint->grad.p[k].v->id];
		if (n->leaf) {
			(*out)[k] = slope_at(&f, name, leaf_find(f.g, n->leaf->name)->node, gradient, &r);
		} else {
			Objective inside = objective_inside(&f, user, n, leaf, joint, val, o);
			(*out)[k] = slope_at(&inside, name, leaf_find(inside.g, " cut")->node, gradient, &r);
		}
	}
	return (int)joint->grad.n;
}

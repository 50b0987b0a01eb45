/* probe: the values inside emitted code, judged one by one.
 *
 * The graph of one function is compiled once more, by itself, with all that its
 * backend keeps in memory as outputs. Each of them is compared with what the
 * interpreter makes, in double, of the operands that the compiled code itself
 * had: the values kept before it. So the first that differs is the one whose
 * kernel is wrong, and the tolerance is that of one kernel, by running error
 * analysis (ir/bound.c). */
#include "gen.h"

#include <math.h>

/* g with nothing but inputs, so that every leaf can be given */
static Graph *
inputs_only(Arena *a, const Graph *g, const char *name)
{
	Graph *h = graph_like(a, g);
	Node **map = NEW(a, MAX(g->nnode, 1), Node *);

	h->name = name;
	for (int64_t i = 0; i < g->nleaf; i++) {
		const Leaf *l = g->leaf[i];
		Leaf input = {.role = INPUT, .name = arena_fmt(a, " %lld", (long long)i), .cname = arena_fmt(a, "x%lld", (long long)i),
			.at = l->at};
		map[l->node->id] = node_leaf(h, &input, l->node->type);
	}
	return graph_copy_onto(h, g, map);
}

static void
mark(bool *want, const Ports *ps)
{
	for (int64_t i = 0; i < ps->n; i++)
		want[ps->p[i].v->id] = true;
}

Probe *
probe_make(Arena *a, const Graph *g, const char *name, const GenOptions *o)
{
	Probe *p = NEW(a, 1, Probe);
	GenOptions *own = NEW(a, 1, GenOptions);
	Graph *h = inputs_only(a, g, name);
	const Plan *plan = lower(a, h, kernels_new(a, h, o->backend));
	bool *want = NEW(a, MAX(h->nnode, 1), bool);

	*p = (Probe){.g = h, .out = h->out, .update = h->update, .saved = h->saved, .grad = h->grad};
	h->out = h->update = h->saved = h->grad = h->ct = h->wrt = (Ports){0};
	h->loss = -1;
	h->joint = h->wrt_given = false;
	mark(want, &p->out);
	mark(want, &p->update);
	mark(want, &p->saved);
	mark(want, &p->grad);
	for (int64_t i = 0; i < h->nnode; i++) {
		Node *n = h->node[i];
		if ((want[i] || plan->storage[i] == n) && !n->leaf && n->op->id != OP_constant)
			port_add(h, &h->out, arena_fmt(a, "v%lld", (long long)i), n, n->at);
	}
	*own = (GenOptions){.backend = o->backend, .input_base = o->input_base, .option_text = "", .weights = WEIGHTS_GIVEN};
	if (h->out.n)
		p->program = program_make(a, h, NULL, own);
	return p;
}

/* what element k's error is of its tolerance; more than 1: it differs */
static double
share(const Tensor *got, const Bounded *want, int64_t k)
{
	double e = want->e ? want->e[k] : 0, x, y;

	if (!bound_holds(got, want, k))
		return INFINITY;
	x = got->f ? got->f[k] : (double)got->i[k];
	y = want->v->f ? want->v->f[k] : (double)want->v->i[k];
	return x == y || !(e > 0) || isinf(e) ? 0 : fabs(x - y) / e;
}

static void
judge(Judgement *j, const Node *n, const Tensor *got, const Bounded *want)
{
	j->nodes++;
	for (int64_t k = 0; k < got->n; k++) {
		double s = share(got, want, k);
		j->elements++;
		j->unknown += want->e && isinf(want->e[k]);
		if (s > j->worst && !isinf(s)) {
			j->worst = s;
			j->worst_tol = want->e[k];
			j->at = n;
		}
		if (!isinf(s) || j->wrong)
			continue;
		j->wrong = n;
		j->k = k;
		j->got = got->f ? got->f[k] : (double)got->i[k];
		j->want = want->v->f ? want->v->f[k] : (double)want->v->i[k];
		j->tol = want->e ? want->e[k] : 0;
	}
}

Judgement
probe_judge(EvalCtx *c, Probe *p, Tensor *const *leaf, Tensor *const *got)
{
	Graph *h = p->g;
	Bounded *val = NEW(c->arena, MAX(h->nnode, 1), Bounded), *in = NULL;
	bool *live = graph_live(c->arena, h);
	Judgement j = {0};
	int64_t cap = 0, next = 0;

	c->g = h;
	p->value = NEW(c->arena, MAX(h->nnode, 1), Tensor *);
	for (int64_t i = 0; i < h->nleaf; i++)
		val[h->leaf[i]->node->id].v = leaf[i];
	for (int64_t i = 0; i < h->nnode; i++) {
		const Node *n = h->node[i];
		if (live[i] && !n->leaf) {
			while (cap < n->nin)
				in = arena_grow(c->arena, in, cap, &cap, (int64_t)sizeof *in);
			for (int k = 0; k < n->nin; k++)
				in[k] = val[n->in[k]->id];
			val[i] = bound_node(c, n, in);
		}
		if (next < h->out.n && h->out.p[next].v == n) {
			judge(&j, n, got[next], &val[i]);
			val[i] = (Bounded){.v = got[next++]};
		}
		p->value[i] = val[i].v;
	}
	return j;
}

/* gradc grad: IR to IR with gradients.
 *
 * Besides vector-Jacobian products (vjp), two products that reverse mode gives
 * by differentiating twice: jvp, since the vjp is linear in its cotangent u and
 * d/du <vjp(u), v> is the directional derivative along v; and hvp, the gradient
 * of <gradient, v> (Pearlmutter 1994). */
#include "cmd.h"

#include <string.h>

/* sum over all gradients of <gradient, v.NAME>, where v.NAME becomes an input; loss: the new scalar output */
static Graph *
dotted(Arena *a, const Graph *joint)
{
	Graph *g = seed_one(a, joint);
	Node *sum = NULL;

	for (int64_t i = 0; i < g->grad.n; i++) {
		Port p = g->grad.p[i];
		Leaf l = {.role = INPUT, .name = graph_str(g, arena_fmt(a, "v.%s", p.name)), .at = p.at};
		Node *v = node_leaf(g, &l, p.v->type), *t = Mul(p.v, v);
		int all[MAXRANK];
		for (int d = 0; d < t->type.rank; d++)
			all[d] = d;
		t = Sum(t, all, t->type.rank, false);
		if (sum && sum->type.dt != t->type.dt)
			t = Cast(t, sum->type.dt);
		sum = sum ? Add(sum, t) : t;
	}
	port_add(g, &g->out, "gradient.v", sum, (Loc){0});
	g->loss = (int)g->out.n - 1;
	g->grad = (Ports){0};
	g->joint = false;
	return g;
}

/* cotangents that nothing reads any more: a vjp is linear, its derivative does not depend on them */
static void
drop_cotangents(Arena *a, Graph *g)
{
	bool *live = graph_live(a, g);
	int64_t n = 0;

	for (int64_t i = 0; i < g->nleaf; i++)
		if (g->leaf[i]->role != COTANGENT || live[g->leaf[i]->node->id])
			g->leaf[n++] = g->leaf[i];
	g->nleaf = n;
}

/* the outputs of g but the helper scalar, and the second gradients under `prefix`NAME */
static Graph *
finish(Arena *a, Graph *second, const char *first)
{
	Graph *g = seed_one(a, second);
	Ports all = g->out;

	g->out = (Ports){0};
	for (int64_t i = 0; i < all.n; i++)
		if (strcmp(all.p[i].name, "gradient.v"))
			port_add(g, &g->out, all.p[i].name, all.p[i].v, all.p[i].at);
	grad_as_outputs(g, first);
	drop_cotangents(a, g);
	return graph_rebuild(a, g, true);
}

static Graph *
hvp(Arena *a, const Graph *joint, const Options *o)
{
	Graph *g = dotted(a, joint);
	Options first = *o;

	first.of = NULL;
	return finish(a, grad(a, g, &first), "hv.");
}

static Graph *
jvp(Arena *a, const Graph *joint, const Options *o)
{
	Graph *g = dotted(a, joint);
	Options first = *o;

	first.of = NULL;
	g->wrt = (Ports){0};
	for (int64_t i = 0; i < g->ct.n; i++)
		port_add(g, &g->wrt, g->ct.p[i].name, g->ct.p[i].v, g->ct.p[i].at);
	g->wrt_given = true;
	g->ct = (Ports){0};
	return finish(a, grad(a, g, &first), "jv.");
}

static Graph *
plain(Args *a, Module *m, int from)
{
	int to = last_pass(a, O_STOP, "grad");

	if (to > pass_find("grad"))
		usage_error(a, "gradc grad ends with the pass grad; `gradc print --after=%s` goes on", a->val[O_STOP]);
	module_run(m, from, to);
	return m->graph->joint ? grad_plain(a->arena, m->graph) : m->graph;
}

int
verb_grad(Args *a)
{
	const char *mode = a->val[O_MODE] ? a->val[O_MODE] : "vjp";
	bool by_passes = !strcmp(mode, "vjp");
	int from;
	Module *m = input_module(a, a->pos[0], &from);
	Buf b = {.arena = a->arena};
	Graph *g;

	if (!by_passes && (a->val[O_FROM] || a->val[O_STOP] || a->val[O_DUMP_DIR]))
		usage_error(a, "--mode=%s differentiates twice: --from, --stop and --dump-dir have no meaning", mode);
	if (from > pass_find("grad") + 1)
		usage_error(a, "--from=%s: gradc grad ends with the pass grad", a->val[O_FROM]);
	if (by_passes)
		g = plain(a, m, from);
	else {
		if (!strcmp(mode, "jvp"))
			m->graph->loss = -1;
		module_run(m, 0, pass_find("grad"));
		Graph *joint = m->graph;
		g = !strcmp(mode, "hvp") ? hvp(a->arena, joint, m->options) : jvp(a->arena, joint, m->options);
	}
	diag_check();
	graph_verify(g, "grad");
	graph_write(&b, g);
	output_text(a, &b);
	return 0;
}

/* pass: the table of passes over graphs and its runner.
 *
 * A pass states what it needs and gives; the runner checks that, runs it,
 * verifies the result, and dumps it. Adding a pass is adding a row. */
#include "ir.h"

#include <string.h>

static void
run_inline(Module *m)
{
	m->graph = inlined(m->arena, m->graph);
}

static void
run_simplify(Module *m)
{
	m->graph = simplify(m->arena, m->graph);
}

static void
run_grad(Module *m)
{
	if (m->graph->joint)
		fail(EXIT_INPUT, (Loc){.file = m->graph->file}, "this graph has its cotangents already, as the dump of a pass: "
			"name the pass with --from");
	m->graph = grad(m->arena, m->graph, m->options);
	diag_check();
}

static void
run_compose(Module *m)
{
	m->graph = compose(m->arena, m->graph, m->options->training);
}

static void
run_split(Module *m)
{
	m->split = split(m->arena, m->graph, m->options);
	diag_check();
}

static void
run_fuse(Module *m)
{
	graph_fuse(m->split->fwd);
	graph_fuse(m->split->bwd);
}

static const Pass passes[] = {
	{"inline",   run_inline,   0,                0,       "calls become the nodes of their functions"},
	{"simplify", run_simplify, 0,                0,       "fold constants, drop dead code, share equal nodes"},
	{"grad",     run_grad,     0,                M_JOINT, "append the cotangents of what is differentiated"},
	{"compose",  run_compose,  M_JOINT,          M_CORE,  "composites become core ops"},
	{"clean",    run_simplify, M_JOINT | M_CORE, 0,       "fold and share what decomposition brought together"},
	{"split",    run_split,    M_JOINT | M_CORE, M_SPLIT, "min cut: what forward saves, what backward repeats"},
	{"fuse",     run_fuse,     M_SPLIT,          M_FUSED, "note which kernels compute each node"},
};

const Pass *
pass_table(int *n)
{
	*n = LEN(passes);
	return passes;
}

int
pass_find(const char *name)
{
	for (int i = 0; i < LEN(passes); i++)
		if (!strcmp(passes[i].name, name))
			return i;
	return -1;
}

static void
verify(const Module *m, const char *pass)
{
	if (!m->split) {
		graph_verify(m->graph, pass);
		return;
	}
	graph_verify(m->split->fwd, pass);
	graph_verify(m->split->bwd, pass);
}

void
module_run(Module *m, int from, int to)
{
	verify(m, "read");
	for (int i = from; i <= to; i++) {
		const Pass *p = &passes[i];
		if ((m->has & p->needs) != p->needs)
			bug("pass %s runs before what it needs", p->name);
		bug_context(p->name, NULL);
		p->run(m);
		m->has |= p->gives;
		verify(m, p->name);
		if (m->dump)
			m->dump(m, i, p->name);
	}
	bug_context(NULL, NULL);
}

bool
differentiable(const Graph *g)
{
	if (g->loss >= 0 || g->wrt_given)
		return !g->wrt_given || g->wrt.n;
	for (int64_t i = 0; i < g->nleaf; i++)
		if (g->leaf[i]->role == PARAM && g->leaf[i]->trainable && dtype_float(g->leaf[i]->node->type.dt))
			return true;
	return false;
}

/* infer: the graph of NAME_infer: values only, as in evaluation.
 *
 * gives: the outputs asked for by name (default: all but the loss; the loss
 * when there is nothing else), no updates, no gradients, composites expanded
 * with training off. */
#include "ir.h"

#include <string.h>

static bool
listed(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (const char *s = list; s; s = strchr(s, ',') ? strchr(s, ',') + 1 : NULL)
		if (!strncmp(s, name, n) && (s[n] == ',' || !s[n]))
			return true;
	return false;
}

/* every name of the list is an output */
static void
check_list(const Graph *g, const char *list)
{
	Arena *a = g->arena;

	for (const char *s = list; s; s = strchr(s, ',') ? strchr(s, ',') + 1 : NULL) {
		const char *name = arena_copy(a, s, (int64_t)strcspn(s, ","));
		if (!port_find(&g->out, name))
			diag(DIAG_ERROR, (Loc){.file = g->file}, "--infer=%s: there is no output of that name", name);
	}
}

Graph *
infer(Arena *a, const Graph *user, const char *outputs)
{
	Graph *g = graph_rebuild(a, user, true);
	Ports all = g->out;

	if (outputs)
		check_list(g, outputs);
	g->out = (Ports){0};
	for (int64_t i = 0; i < all.n; i++)
		if (outputs ? listed(outputs, all.p[i].name) : i != user->loss)
			port_add(g, &g->out, all.p[i].name, all.p[i].v, all.p[i].at);
	if (!g->out.n)
		g->out = all;
	g->update = g->wrt = g->grad = g->ct = (Ports){0};
	g->loss = -1;
	g->joint = g->wrt_given = false;
	return compose(a, g, false);
}

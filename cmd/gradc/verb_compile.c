/* gradc compile: the whole pipeline; NAME.c, NAME.h and NAME.manifest.json appear
 * together or not at all, the manifest with the hashes of the others last. */
#include "cmd.h"

#include <errno.h>
#include <string.h>

/* what the output is made of: the IR and the files that it names */
static int
dependencies(Args *a, const Graph *g, const char ***out)
{
	const char **dep = NULL, *dir = path_dir(a->arena, a->pos[0]);
	int64_t n = 0, cap = 0;

	if (strcmp(a->pos[0], "-"))
		PUSH(a->arena, dep, n, cap, a->pos[0]);
	for (int64_t i = 0; i < g->nnode; i++)
		if (g->node[i]->blob && g->node[i]->blob->file)
			PUSH(a->arena, dep, n, cap, path_join(a->arena, dir, g->node[i]->blob->file));
	for (int64_t i = 0; i < g->nleaf; i++)
		if (g->leaf[i]->file)
			PUSH(a->arena, dep, n, cap, path_join(a->arena, dir, g->leaf[i]->file));
	*out = dep;
	return (int)n;
}

static void
add_depfile(Args *a, Outputs *o, const Graph *g, const char *source)
{
	const char *path = a->val[O_MF], *target = a->val[O_MT] ? a->val[O_MT] : source, **dep;
	Buf b = {.arena = a->arena};
	int n = dependencies(a, g, &dep);

	if (!a->val[O_MD] && !path)
		return;
	if (!path)
		path = path_join(a->arena, a->val[O_OUT], arena_fmt(a->arena, "%s.gradc.d", g->name));
	depfile(&b, target, dep, n, a->val[O_MP] != NULL);
	outputs_add(o, path, buf_str(&b), b.n);
}

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return !strcmp(path, "-") ? "standard input" : slash ? slash + 1 : path;
}

/* written anew each time, unlike outputs */
static void
touch(const char *path)
{
	FILE *f = fopen(path, "w");

	if (!f || fclose(f))
		fail(EXIT_INPUT, (Loc){0}, "%s: %s", path, strerror(errno));
}

int
verb_compile(Args *a)
{
	int from;
	Module *m = input_module(a, a->pos[0], &from);
	const Graph *user = m->graph;
	GenOptions g = args_gen(a);
	Outputs *o = outputs_new(a->arena);
	const char *h, *c;
	Unit u;

	if (from)
		fail(EXIT_INPUT, (Loc){0}, "gradc compile: --from has no meaning here: inference needs the model as written");
	if (!a->val[O_OUT])
		fail(EXIT_INPUT, (Loc){0}, "gradc compile: -o DIR says where the files go");
	if (differentiable(user)) {
		m->graph = graph_rebuild(a->arena, user, false);
		module_run(m, 0, pass_find("split"));
		if (a->val[O_CERTIFY])
			write_certificate(a, m->split);
	}
	g.input_base = base_name(a->pos[0]);
	u = unit_make(a->arena, user, m->split, &g);
	h = path_join(a->arena, a->val[O_OUT], arena_fmt(a->arena, "%s.h", user->name));
	c = path_join(a->arena, a->val[O_OUT], arena_fmt(a->arena, "%s.c", user->name));
	if (!a->val[O_NO_REPARSE])
		reparse(c, buf_str(&u.source), h, buf_str(&u.header));
	outputs_add(o, h, buf_str(&u.header), u.header.n);
	outputs_add(o, c, buf_str(&u.source), u.source.n);
	add_depfile(a, o, user, c);
	outputs_add(o, path_join(a->arena, a->val[O_OUT], arena_fmt(a->arena, "%s.manifest.json", user->name)),
		buf_str(&u.manifest), u.manifest.n);
	outputs_commit(o);
	if (a->val[O_STAMP])
		touch(a->val[O_STAMP]);
	return 0;
}

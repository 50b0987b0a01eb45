/* emitted: the files that a model becomes, as compile writes and check compares them. */
#include "cmd.h"

#include <string.h>

/* the directory of -o: files are named by the model */
const char *
emitted_directory(const Args *a)
{
	const char *dir = a->val[O_OUT], *dot = dir ? strrchr(dir, '.') : NULL;

	if (!dir)
		usage_error(a, "-o DIR is missing: the directory of NAME.c, NAME.h and NAME.manifest.json (-o . is this one)");
	if (!strcmp(dir, "-"))
		usage_error(a, "-o names a directory: a model becomes several files");
	if (dot && (!strcmp(dot, ".c") || !strcmp(dot, ".h") || !strcmp(dot, ".json")))
		usage_error(a, "-o %s: this is the name of a file; -o names a directory, the model names its files", dir);
	return dir;
}

const char *
emitted_path(const Args *a, const Graph *user, const char *suffix)
{
	return path_join(a->arena, emitted_directory(a), arena_fmt(a->arena, "%s%s", user->name, suffix));
}

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return !strcmp(path, "-") ? "standard input" : slash ? slash + 1 : path;
}

/* the passes up to `last`; what is not differentiated has none */
static const Split *
split_of(Args *a, const Graph *user, int last)
{
	Module *m = module_of(a, NULL);

	if (!differentiable(user))
		return NULL;
	m->graph = graph_rebuild(a->arena, user, false);
	module_run(m, 0, last);
	return m->split;
}

GenOptions *
emitted_options(Args *a)
{
	GenOptions *g = NEW(a->arena, 1, GenOptions);

	*g = args_gen(a);
	g->input_base = base_name(a->pos[0]);
	return g;
}

Program *
emitted_program(Args *a, const Graph *user, bool ticks)
{
	GenOptions *g = emitted_options(a);

	g->weights = WEIGHTS_GIVEN;
	g->ticks = ticks;
	return program_make(a->arena, user, split_of(a, user, pass_find("split")), g);
}

/* values of the members of an area, from those of the model's leaves */
Tensor *const *
emitted_values(Arena *a, const Program *p, Area area, Tensor *const *leaf)
{
	const Members *ms = &p->of[area];
	Tensor **v = NEW(a, ms->n + 1, Tensor *);

	for (int64_t i = 0; i < p->user->nleaf; i++) {
		int k = area_of(p->user->leaf[i]->role) == area ? member_find(ms, p->user->leaf[i]->name) : -1;
		if (k >= 0)
			v[k] = leaf[i];
	}
	return v;
}

bool
emit(Args *a, const Graph *user, Emitted *e)
{
	const Split *s = split_of(a, user, last_pass(a, O_STOP, "split"));

	if (a->val[O_STOP])
		return false;
	*e = (Emitted){.user = user, .split = s, .header = emitted_path(a, user, ".h"),
		.source = emitted_path(a, user, ".c"), .manifest = emitted_path(a, user, ".manifest.json")};
	e->unit = unit_make(a->arena, user, s, emitted_options(a));
	if (!a->val[O_NO_REPARSE])
		reparse(e->source, buf_str(&e->unit.source), e->header, buf_str(&e->unit.header));
	return true;
}

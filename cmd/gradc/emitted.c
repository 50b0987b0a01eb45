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

bool
emit(Args *a, Graph *user, Emitted *e)
{
	Module *m = module_of(a, user);
	GenOptions g = args_gen(a);
	int last = last_pass(a, O_STOP, "split");

	if (differentiable(user)) {
		m->graph = graph_rebuild(a->arena, user, false);
		module_run(m, 0, last);
	}
	if (a->val[O_STOP])
		return false;
	g.input_base = base_name(a->pos[0]);
	*e = (Emitted){.user = user, .split = m->split, .header = emitted_path(a, user, ".h"),
		.source = emitted_path(a, user, ".c"), .manifest = emitted_path(a, user, ".manifest.json")};
	e->unit = unit_make(a->arena, user, m->split, &g);
	if (!a->val[O_NO_REPARSE])
		reparse(e->source, buf_str(&e->unit.source), e->header, buf_str(&e->unit.header));
	return true;
}

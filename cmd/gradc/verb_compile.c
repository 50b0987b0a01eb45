/* gradc compile: IR to C. All files appear or none: the manifest, which has the
 * hashes of the others, behind them, and the stamp last. */
#define _XOPEN_SOURCE 700   /* utimensat */
#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* the files that the model is made of: the IR and what it names */
static int
dependencies(Args *a, const Graph *g, const char ***out)
{
	const char *dir = path_dir(a->arena, a->pos[0]);
	int64_t n = 0, cap = 0;

	*out = NULL;
	if (strcmp(a->pos[0], "-"))
		PUSH(a->arena, *out, n, cap, a->pos[0]);
	for (int64_t i = 0; i < g->nnode; i++)
		if (g->node[i]->blob && g->node[i]->blob->file)
			PUSH(a->arena, *out, n, cap, path_join(a->arena, dir, g->node[i]->blob->file));
	for (int64_t i = 0; i < g->nleaf; i++)
		if (g->leaf[i]->file)
			PUSH(a->arena, *out, n, cap, path_join(a->arena, dir, g->leaf[i]->file));
	return (int)n;
}

static bool
same_file(const char *p, const char *q)
{
	struct stat s, t;

	return !stat(p, &s) && !stat(q, &t) && s.st_dev == t.st_dev && s.st_ino == t.st_ino;
}

/* an output, which must not be one of the inputs */
static void
add(Args *a, Outputs *o, const Graph *g, const char *path, Buf *b)
{
	const char **dep;
	int n = dependencies(a, g, &dep);

	for (int i = 0; i < n; i++)
		if (same_file(path, dep[i]))
			fail(EXIT_INPUT, (Loc){.file = path}, "this output would be written over the input %s", dep[i]);
	outputs_add(o, path, buf_str(b), b->n);
}

static void
add_depfile(Args *a, Outputs *o, const Emitted *e)
{
	const char *target = a->val[O_STAMP] ? a->val[O_STAMP] : e->source, **dep;
	const char *const *targets = a->nlist[O_MT] ? a->list[O_MT] : &target;
	int n = dependencies(a, e->user, &dep), ntarget = MAX(a->nlist[O_MT], 1);
	Buf b = {.arena = a->arena};

	for (int i = 0; i < ntarget; i++)
		depfile(&b, targets[i], dep, n, a->val[O_MP] && i == ntarget - 1);
	add(a, o, e->user, a->val[O_MF] ? a->val[O_MF] : emitted_path(a, e->user, ".gradc.d"), &b);
}

static void
check_depfile_options(const Args *a)
{
	static const int of_md[] = {O_MF, O_MT, O_MP};

	for (int i = 0; i < LEN(of_md); i++)
		if (a->val[of_md[i]] && !a->val[O_MD])
			usage_error(a, "%s needs -MD, which asks for a depfile", opt_table()[of_md[i]].name);
}

static void
add_stamp(Args *a, Outputs *o, const Emitted *e)
{
	Buf b = {.arena = a->arena};

	buf_printf(&b, "%s\n", e->source);
	add(a, o, e->user, a->val[O_STAMP], &b);
}

/* its time is now, though its bytes may not have changed */
static void
touch(const char *path)
{
	if (utimensat(AT_FDCWD, path, NULL, 0))
		fail(EXIT_INPUT, (Loc){.file = path}, "cannot touch: %s", strerror(errno));
}

int
verb_compile(Args *a)
{
	Outputs *o = outputs_new(a->arena);
	Emitted e;

	check_depfile_options(a);
	if (!a->val[O_STOP])
		emitted_directory(a);
	if (!emit(a, input_graph(a, a->pos[0]), &e))
		return 0;
	add(a, o, e.user, e.header, &e.unit.header);
	add(a, o, e.user, e.source, &e.unit.source);
	if (a->val[O_MD])
		add_depfile(a, o, &e);
	if (a->val[O_CERTIFY])
		add_certificate(a, o, e.split);
	add(a, o, e.user, e.manifest, &e.unit.manifest);
	if (a->val[O_STAMP])
		add_stamp(a, o, &e);
	diag_check();
	outputs_commit(o);
	if (a->val[O_STAMP])
		touch(a->val[O_STAMP]);
	return 0;
}

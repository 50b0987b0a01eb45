/* input: files to graphs and modules, and texts to files. */
#include "cmd.h"

#include <errno.h>
#include <string.h>

static const char *
shown(const char *path)
{
	return strcmp(path, "-") ? path : "<stdin>";
}

Graph *
input_graph(Args *a, const char *path)
{
	int64_t n;
	char *text = read_file(a->arena, path, &n);
	Graph *g = graph_read(a->arena, shown(path), text, n);

	diag_check();
	return g;
}

static Split *
input_split(Args *a, const char *path)
{
	int64_t n;
	char *text = read_file(a->arena, path, &n);
	Split *s = module_read(a->arena, shown(path), text, n);

	diag_check();
	return s;
}

static int
pass_index(int opt, const char *name)
{
	int i = pass_find(name), n;
	const Pass *table = pass_table(&n);
	Buf b = {.arena = arena_new()};

	if (i >= 0)
		return i;
	for (int k = 0; k < n; k++)
		buf_printf(&b, " %s", table[k].name);
	fail(EXIT_INPUT, (Loc){0}, "%s: there is no pass '%s'; passes are%s", opt_table()[opt].name, name, buf_str(&b));
}

static void
dump(Module *m, int index, const char *pass)
{
	const char *dir = m->dump_arg;
	Buf b = {.arena = m->arena};
	Outputs *o = outputs_new(m->arena);

	if (m->split)
		module_write(&b, m->split);
	else
		graph_write(&b, m->graph);
	outputs_add(o, path_join(m->arena, dir, arena_fmt(m->arena, "%02d-%s.json", index, pass)), buf_str(&b), b.n);
	outputs_commit(o);
}

Module *
module_of(Args *a, Graph *g)
{
	Module *m = NEW(a->arena, 1, Module);
	Options *o = NEW(a->arena, 1, Options);

	*o = args_options(a);
	m->arena = a->arena;
	m->options = o;
	m->graph = g;
	if (a->val[O_DUMP_DIR]) {
		m->dump = dump;
		m->dump_arg = arena_str(a->arena, a->val[O_DUMP_DIR]);
	}
	return m;
}

Module *
input_module(Args *a, const char *path, int *from)
{
	Module *m = module_of(a, NULL);
	int n;
	const Pass *table = pass_table(&n);

	*from = a->val[O_FROM] ? pass_index(O_FROM, a->val[O_FROM]) + 1 : 0;
	for (int i = 0; i < *from; i++)
		m->has |= table[i].gives;
	if (m->has & M_SPLIT)
		m->split = input_split(a, path);
	else
		m->graph = input_graph(a, path);
	if ((m->has & M_JOINT) && !(m->has & M_SPLIT) && !m->graph->joint)
		fail(EXIT_INPUT, (Loc){.file = m->graph->file}, "--from=%s: this is no joint graph", a->val[O_FROM]);
	return m;
}

int
last_pass(Args *a, int opt, const char *dflt)
{
	return pass_index(opt, a->val[opt] ? a->val[opt] : dflt);
}

void
output_text(Args *a, const Buf *b)
{
	Outputs *o = outputs_new(a->arena);

	outputs_add(o, a->val[O_OUT] ? a->val[O_OUT] : "-", b->s ? b->s : "", b->n);
	outputs_commit(o);
}

void
stdout_check(void)
{
	if (fflush(stdout) || ferror(stdout))
		fail(EXIT_INPUT, (Loc){.file = "<stdout>"}, "cannot write: %s", strerror(errno));
}

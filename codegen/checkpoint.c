/* checkpoint: NAME_weights_load, which brings the values of files that do not stand in the source, and NAME_load and
 * NAME_save, which exchange parameters, buffers and the optimizer's state with safetensors files by the names in the
 * model. Formats and checks are runtime code (rt/checkpoint.h); here are the tables of what goes where. */
#include "gen.h"

#include <string.h>

/* ---- where values are: in the source, or loaded ---- */

static bool
fits(const Program *p, int64_t bytes)
{
	switch (p->opt->weights) {
	case WEIGHTS_AUTO:   return bytes <= INLINE_MOST;
	case WEIGHTS_INLINE: return true;
	default:             return false;
	}
}

static bool
of_file(const Node *n)
{
	return n->blob && n->blob->file;
}

/* bytes of the constants of files that g names, each once */
static int64_t
constants_bytes(Arena *a, const Graph *g)
{
	Map *seen = map_new(a);
	int64_t sum = 0;

	for (int64_t i = 0; i < g->nnode; i++) {
		const Blob *b = g->node[i]->blob;
		if (!of_file(g->node[i]) || map_get_bytes(seen, &b->data, (int64_t)sizeof b->data))
			continue;
		map_set_bytes(seen, &b->data, (int64_t)sizeof b->data, (void *)b);
		sum = add_sat(sum, b->nbytes);
	}
	return sum;
}

static int64_t
first_bytes(const Program *p)
{
	int64_t sum = 0;

	for (int area = AREA_PARAM; area <= AREA_STATE; area++)
		for (int64_t i = 0; i < p->of[area].n; i++)
			sum = add_sat(sum, p->of[area].m[i].blob ? p->of[area].m[i].blob->nbytes : 0);
	return sum;
}

/* A kind of values is in the source as a whole or not at all, so that one knows what there is to load. */
void
values_place(Arena *a, Program *p)
{
	p->first_inline = fits(p, first_bytes(p));
	p->constants_inline = p->opt->weights == WEIGHTS_GIVEN || fits(p, constants_bytes(a, p->all));
}

/* ---- what a program has ---- */

/* a value that weights_load brings; other formats are left to the caller */
static bool
loaded(const Program *p, const Member *m)
{
	return m->blob && !init_inline(p, m) && p->opt->weights != WEIGHTS_GIVEN && ends_with(m->blob->file, ".safetensors");
}

static int64_t
count_loaded(const Program *p, Area area)
{
	int64_t n = 0;

	for (int64_t i = 0; i < p->of[area].n; i++)
		n += loaded(p, &p->of[area].m[i]);
	return n;
}

bool
loads_weights(const Program *p)
{
	return count_loaded(p, AREA_PARAM) + count_loaded(p, AREA_STATE) + count_loaded(p, AREA_DATA) > 0;
}

bool
has_checkpoint(const Program *p)
{
	return (p->opt->checkpoint || count_loaded(p, AREA_PARAM) + count_loaded(p, AREA_STATE) > 0)
		&& p->of[AREA_PARAM].n + p->of[AREA_STATE].n > 0;
}

bool
uses_files(const Program *p)
{
	return has_checkpoint(p) || loads_weights(p);
}

/* ---- names ---- */

static const char OPTIMIZER[] = "optimizer.";
enum { NAME_MOST = 510 };              /* bytes of a name: RT_NAME of the runtime, less a byte that tells longer ones */

static void
check_member(const Program *p, const Member *m)
{
	const char *was = NULL, *instead = p->opt->checkpoint ? "" : "; --weights=inline needs none";

	if (!strcmp(m->name, "__metadata__"))
		was = "is a word of the format";
	else if (p->opt->optimizer && !strncmp(m->name, OPTIMIZER, strlen(OPTIMIZER)))
		was = "could be of the optimizer's state";
	else if (strlen(OPTIMIZER) + 2 + strlen(m->name) > NAME_MOST)
		was = arena_fmt(p->user->arena, "is longer than %d bytes", NAME_MOST - (int)strlen(OPTIMIZER) - 2);
	if (was)
		diag(DIAG_ERROR, m->leaf->at, "a checkpoint cannot have a tensor '%s': the name %s%s", m->name, was, instead);
	for (int d = 0; d < m->type.rank; d++)
		if (dim_symbols(m->type.dim[d])) {
			diag(DIAG_ERROR, m->leaf->at, "a checkpoint cannot have '%s', %s: its size is known at run time only%s", m->name,
				type_text(p->user->arena, p->user, &m->type), instead);
			return;
		}
}

void
checkpoint_check(const Program *p)
{
	if (p->opt->checkpoint && !p->of[AREA_PARAM].n && !p->of[AREA_STATE].n)
		diag(DIAG_ERROR, (Loc){.file = p->user->file}, "a checkpoint would be empty: no parameters and no buffers");
	for (int area = AREA_PARAM; has_checkpoint(p) && area <= AREA_STATE; area++)
		for (int64_t i = 0; i < p->of[area].n; i++)
			check_member(p, &p->of[area].m[i]);
}

/* ---- arguments ---- */

static const char *
checkpoint_arguments(Arena *a, const Program *p, bool save)
{
	const char *m = p->user->name;
	Buf b = {.arena = a};

	buf_puts(&b, "(const char *path");
	if (p->of[AREA_PARAM].n)
		buf_printf(&b, ", const %s_params *p", m);
	if (p->of[AREA_STATE].n)
		buf_printf(&b, ", const %s_state *s", m);
	if (p->opt->optimizer)
		buf_printf(&b, ", %s%s_optimizer *opt", save ? "const " : "", m);
	buf_puts(&b, ", char *why)");
	return buf_str(&b);
}

static const char *
weights_arguments(Arena *a, const Program *p)
{
	const char *m = p->user->name;
	Buf b = {.arena = a};

	buf_puts(&b, "(const char *dir");
	if (count_loaded(p, AREA_PARAM))
		buf_printf(&b, ", const %s_params *p", m);
	if (count_loaded(p, AREA_STATE))
		buf_printf(&b, ", const %s_state *s", m);
	if (count_loaded(p, AREA_DATA))
		buf_puts(&b, ", void *constants");
	buf_puts(&b, ", char *why)");
	return buf_str(&b);
}

/* ---- NAME.h ---- */

void
checkpoint_print_codes(Buf *b, const Program *p)
{
	static const char *const code[][2] = {
		{"E_OPEN = 6,",    "a file cannot be opened, or made"},
		{"E_FILE = 7,",    "a file cannot be read, or written"},
		{"E_FORMAT = 8,",  "a file is no safetensors file, or is damaged"},
		{"E_MISSING = 9,", "a tensor of the model is not in the file"},
		{"E_UNKNOWN = 10,", "a tensor of the file is not in the model"},
		{"E_TYPE = 11",    "a tensor has another dtype or shape in the file"},
	};

	for (int i = 0; i < LEN(code); i++)
		buf_documented(b, arena_fmt(b->arena, "%s_%s", upper(b->arena, p->user->name), code[i][0]), code[i][1]);
}

static void
put_weights_api(Buf *b, const Program *p)
{
	Buf doc = {.arena = b->arena};

	buf_puts(&doc, "The values that the model takes from files and that do not stand in the source: ");
	if (count_loaded(p, AREA_PARAM) + count_loaded(p, AREA_STATE))
		buf_puts(&doc, "call it after init, which leaves them. ");
	buf_puts(&doc, "Files are found below `dir` by the names that they have in the model (NULL: as they stand), and may hold "
		"more. ");
	if (count_loaded(p, AREA_DATA))
		buf_puts(&doc, "`constants` is the flat array of constants_bind. ");
	buf_puts(&doc, "All files are checked before anything is written; a member that is NULL is not loaded.");
	buf_paragraph(b, "/* ", " * ", buf_str(&doc), " */\n");
	buf_line(b, 0, arena_fmt(b->arena, "int %s_weights_load%s;", p->user->name, weights_arguments(b->arena, p)));
}

static void
put_checkpoint_api(Buf *b, const Program *p)
{
	bool opt = p->opt->optimizer;
	Buf load = {.arena = b->arena}, save = {.arena = b->arena};

	buf_printf(&load, "Reads a checkpoint: a safetensors file that has %sby their names in the model, and nothing else. "
		"It is checked in whole before anything is written. A member that is NULL is neither loaded nor missed%s.",
		p->of[AREA_PARAM].n && p->of[AREA_STATE].n ? "all parameters and buffers " : p->of[AREA_PARAM].n
		? "all parameters " : "all buffers ",
		opt ? "; without `opt`, what begins with \"optimizer.\" is left out" : "; what begins with \"optimizer.\" is left out");
	buf_paragraph(b, "/* ", " * ", buf_str(&load), " */\n");
	buf_line(b, 0, arena_fmt(b->arena, "int %s_load%s;", p->user->name, checkpoint_arguments(b->arena, p, false)));
	buf_printf(&save, "Writes one, %sbeside `path` under a name with \".new\" behind it, and renames it: `path` is the old "
		"file or the new one.", opt ? "with settings, step and arrays of `opt` unless that is NULL, " : "");
	buf_paragraph(b, "/* ", " * ", buf_str(&save), " */\n");
	buf_line(b, 0, arena_fmt(b->arena, "int %s_save%s;", p->user->name, checkpoint_arguments(b->arena, p, true)));
}

void
checkpoint_print_api(Buf *b, const Program *p)
{
	if (!uses_files(p))
		return;
	buf_puts(b, "/* Files of the safetensors format. What goes wrong is a code and, unless `why` is NULL, a line of\n"
		" * text that names the tensor or the file. */\n\n");
	if (loads_weights(p))
		put_weights_api(b, p);
	if (has_checkpoint(p))
		put_checkpoint_api(b, p);
	buf_putc(b, '\n');
}

/* ---- NAME.c: tables ---- */

static void
put_table_head(Buf *b, const Program *p, const char *doc, const char *what)
{
	const char *m = p->user->name;

	buf_paragraph(b, "/* ", " * ", doc, " */\n");
	buf_printf(b, "static const %s_tensor %s_%s_table[] = {\n", m, m, what);
}

/* settings and step, then for each moment the parameters that have it; how many settings, and parameters */
static void
put_optimizer_table(Buf *b, const Program *p, int *nsetting, int *nmoment)
{
	const char *name;

	put_table_head(b, p, "the optimizer's state in a checkpoint: settings, then what lies in its flat array", "optimizer");
	for (*nsetting = 0; (name = optimizer_setting(p, *nsetting)); (*nsetting)++)
		tensor_row(b, p, arena_fmt(b->arena, "%s%s", OPTIMIZER, name), &(Type){.dt = optimizer_dtype(p)}, 0);
	tensor_row(b, p, arena_fmt(b->arena, "%sstep", OPTIMIZER), &(Type){.dt = I64}, 0);
	for (int k = 0; k < optimizer_moments(p); k++) {
		*nmoment = 0;
		for (int i = 0; i < p->of[AREA_GRAD].n; i++) {
			const Member *w = optimized(p, i) ? &p->of[AREA_PARAM].m[p->of[AREA_GRAD].m[i].param] : NULL;
			if (!w)
				continue;
			tensor_row(b, p, arena_fmt(b->arena, "%s%s.%s", OPTIMIZER, k ? "v" : "m", w->name), &w->type, w->offset);
			(*nmoment)++;
		}
	}
	buf_puts(b, "};\n\n");
}

/* what weights_load brings, that of one file together */
typedef struct Loaded { const Member *m; Area area; } Loaded;

static int
loaded_list(Arena *a, const Program *p, Loaded **out)
{
	static const Area areas[] = {AREA_PARAM, AREA_STATE, AREA_DATA};
	Loaded *all = NULL, *list = NULL;
	int64_t nall = 0, capall = 0, n = 0, cap = 0;
	Map *files = map_new(a);

	for (int k = 0; k < LEN(areas); k++)
		for (int64_t i = 0; i < p->of[areas[k]].n; i++) {
			const Member *m = &p->of[areas[k]].m[i];
			if (!loaded(p, m))
				continue;
			PUSH(a, all, nall, capall, ((Loaded){m, areas[k]}));
			map_set(files, m->blob->file, (void *)m);
		}
	for (int f = 0; f < map_len(files); f++)
		for (int64_t i = 0; i < nall; i++)
			if (!strcmp(all[i].m->blob->file, map_key(files, f)))
				PUSH(a, list, n, cap, all[i]);
	*out = list;
	return (int)n;
}

static void
put_weights_table(Buf *b, const Program *p, const Loaded *l, int n)
{
	put_table_head(b, p, "what weights_load reads, by the names in the files", "weights");
	for (int i = 0; i < n; i++)
		tensor_row(b, p, l[i].m->blob->name, &l[i].m->type, l[i].m->offset);
	buf_puts(b, "};\n\n");
}

/* constants may lie in the same file as first values, and load() must not stumble over them */
static int
put_others_table(Buf *b, const Program *p)
{
	const Graph *g = p->all;
	Buf rows = {.arena = b->arena};
	Map *seen = map_new(b->arena);

	for (int64_t i = 0; i < g->nnode; i++) {
		const Node *n = g->node[i];
		if (!of_file(n) || !n->blob->name || map_get(seen, n->blob->name) || leaf_find(p->user, n->blob->name))
			continue;
		map_set(seen, n->blob->name, (void *)n);
		tensor_row(&rows, p, n->blob->name, &n->type, 0);
	}
	if (!rows.n)
		return 0;
	put_table_head(b, p, "constants, which a file of weights may hold too", "other");
	buf_printf(b, "%s};\n\n", buf_str(&rows));
	return map_len(seen);
}

/* ---- NAME.c: functions ---- */

static void
put_nulls(Buf *b, const Program *p, const char *first)
{
	Buf t = {.arena = b->arena};

	buf_printf(&t, "if (!%s", first);
	if (p->of[AREA_PARAM].n)
		buf_puts(&t, " || !p");
	if (p->of[AREA_STATE].n)
		buf_puts(&t, " || !s");
	if (optimizer_moments(p))
		buf_printf(&t, " || (opt && (%s))", optimizer_nulls(b->arena, p));
	buf_puts(&t, ")");
	buf_line(b, 1, buf_str(&t));
	buf_printf(b, "\t\treturn %s_fail(why, %s_E_NULL, \"a checkpoint\", \"an argument is NULL\");\n", p->user->name,
		upper(b->arena, p->user->name));
}

static void
put_members(Buf *b, const Program *p, Area area, const char *var, char self)
{
	buf_printf(b, "\tvoid *const %s[] = {\n", var);
	for (int64_t i = 0; i < p->of[area].n; i++)
		buf_printf(b, "\t\t%c->%s,\n", self, p->of[area].m[i].cname);
	buf_puts(b, "\t};\n");
}

/* the function that lists the tensors of a checkpoint, those of the optimizer if there is one to save or load */
static void
put_entries(Buf *b, const Program *p, int nsetting, int nmoment)
{
	const char *m = p->user->name, *u = upper(b->arena, m), *name;
	Buf head = {.arena = b->arena};

	buf_puts(b, "/* the tensors of a checkpoint, and how many there are */\nstatic int\n");
	buf_printf(&head, "%s_entries(%s_entry *e", m, m);
	if (p->of[AREA_PARAM].n)
		buf_printf(&head, ", const %s_params *p", m);
	if (p->of[AREA_STATE].n)
		buf_printf(&head, ", const %s_state *s", m);
	if (p->opt->optimizer)
		buf_printf(&head, ", %s_optimizer *opt", m);
	buf_puts(&head, ")");
	buf_line(b, 0, buf_str(&head));
	buf_puts(b, "{\n");
	if (p->of[AREA_PARAM].n)
		put_members(b, p, AREA_PARAM, "params", 'p');
	if (p->of[AREA_STATE].n)
		put_members(b, p, AREA_STATE, "state", 's');
	buf_puts(b, "\tint n = 0;\n\n");
	if (p->of[AREA_PARAM].n)
		buf_printf(b, "\tn = %s_add(e, n, %s_params_table, params, NULL, %s_NPARAMS);\n", m, m, u);
	if (p->of[AREA_STATE].n)
		buf_printf(b, "\tn = %s_add(e, n, %s_state_table, state, NULL, %s_NSTATE);\n", m, m, u);
	if (p->opt->optimizer) {
		buf_puts(b, "\tif (opt) {\n\t\tvoid *const settings[] = {\n");
		for (int k = 0; (name = optimizer_setting(p, k)); k++)
			buf_printf(b, "\t\t\t&opt->%s,\n", name);
		buf_puts(b, "\t\t\t&opt->step,\n\t\t};\n\n");
		buf_printf(b, "\t\tn = %s_add(e, n, %s_optimizer_table, settings, NULL, %d);\n", m, m, nsetting + 1);
		for (int k = 0; k < optimizer_moments(p); k++)
			buf_printf(b, "\t\tn = %s_add(e, n, %s_optimizer_table + %d, NULL, opt->%c, %d);\n", m, m,
				nsetting + 1 + k * nmoment, k ? 'v' : 'm', nmoment);
		buf_puts(b, "\t}\n");
	}
	buf_puts(b, "\treturn n;\n}\n\n");
}

static const char *
entries_call(Arena *a, const Program *p, const char *opt)
{
	return arena_fmt(a, "%s_entries(e%s%s%s%s)", p->user->name, p->of[AREA_PARAM].n ? ", p" : "",
		p->of[AREA_STATE].n ? ", s" : "", p->opt->optimizer ? ", " : "", p->opt->optimizer ? opt : "");
}

static void
put_load(Buf *b, const Program *p, int nentry, int nother)
{
	const char *m = p->user->name;

	buf_puts(b, "int\n");
	buf_line(b, 0, arena_fmt(b->arena, "%s_load%s", m, checkpoint_arguments(b->arena, p, false)));
	buf_printf(b, "{\n\t%s_entry e[%d];\n\tint n = 0;\n\n", m, nentry + nother);
	put_nulls(b, p, "path");
	buf_printf(b, "\tn = %s;\n", entries_call(b->arena, p, "opt"));
	if (nother)
		buf_printf(b, "\tn = %s_add(e, n, %s_other_table, NULL, NULL, %d);\n", m, m, nother);
	buf_printf(b, "\treturn %s_load_file(path, e, n, %s\"%s\", true, why);\n}\n\n", m,
		p->opt->optimizer ? "opt ? NULL : " : "", OPTIMIZER);
}

static void
put_save(Buf *b, const Program *p, int nentry)
{
	const char *m = p->user->name;

	buf_puts(b, "int\n");
	buf_line(b, 0, arena_fmt(b->arena, "%s_save%s", m, checkpoint_arguments(b->arena, p, true)));
	buf_printf(b, "{\n\t%s_entry e[%d];\n", m, nentry);
	if (p->opt->optimizer)
		buf_printf(b, "\t%s_optimizer o;\n", m);
	buf_puts(b, "\n");
	put_nulls(b, p, "path");
	if (p->opt->optimizer)
		buf_puts(b, "\tif (opt)\n\t\to = *opt;\n");
	buf_printf(b, "\treturn %s_save_file(path, e, %s, why);\n}\n\n", m, entries_call(b->arena, p, "opt ? &o : NULL"));
}

static void
put_files(Buf *b, const Loaded *l, int n)
{
	buf_puts(b, "\tstatic const struct {\n\t\tconst char *name;\n\t\tint first, n;\n\t} file[] = {\n");
	for (int i = 0, next; i < n; i = next) {
		for (next = i; next < n && !strcmp(l[next].m->blob->file, l[i].m->blob->file); next++)
			;
		buf_puts(b, "\t\t{");
		buf_c_string(b, l[i].m->blob->file);
		buf_printf(b, ", %d, %d},\n", i, next - i);
	}
	buf_puts(b, "\t};\n");
}

static void
put_weights(Buf *b, const Program *p)
{
	const char *m = p->user->name, *u = upper(b->arena, m);
	const char *nulls[] = {count_loaded(p, AREA_PARAM) ? "!p" : NULL, count_loaded(p, AREA_STATE) ? "!s" : NULL,
		count_loaded(p, AREA_DATA) ? "!constants" : NULL};
	Buf t = {.arena = b->arena};
	Loaded *l;
	int n = loaded_list(b->arena, p, &l);

	put_weights_table(b, p, l, n);
	buf_puts(b, "int\n");
	buf_line(b, 0, arena_fmt(b->arena, "%s_weights_load%s", m, weights_arguments(b->arena, p)));
	buf_puts(b, "{\n");
	put_files(b, l, n);
	buf_printf(b, "\t%s_entry e[%d];\n\tint code = %s_OK;\n\n", m, n, u);
	for (int k = 0; k < LEN(nulls); k++)
		if (nulls[k])
			buf_printf(&t, "%s%s", t.n ? " || " : "", nulls[k]);
	buf_printf(b, "\tif (%s)\n\t\treturn %s_fail(why, %s_E_NULL, \"weights\", \"an argument is NULL\");\n\n", buf_str(&t), m, u);
	buf_puts(b, "\tvoid *const data[] = {\n");
	for (int i = 0; i < n; i++)
		if (l[i].area == AREA_DATA)
			buf_printf(b, "\t\t(char *)constants + %lld,\n", (long long)l[i].m->offset);
		else
			buf_printf(b, "\t\t%c->%s,\n", l[i].area == AREA_PARAM ? 'p' : 's', l[i].m->cname);
	buf_printf(b, "\t};\n\n\t%s_add(e, 0, %s_weights_table, data, NULL, %d);\n", m, m, n);
	buf_puts(b, "\t/* first a look at all files, then they are read */\n\tfor (int fill = 0; fill < 2; fill++)\n");
	buf_puts(b, "\t\tfor (size_t k = 0; !code && k < sizeof file / sizeof *file; k++)\n");
	buf_line(b, 3, arena_fmt(b->arena, "code = %s_load_below(dir, file[k].name, e + file[k].first, file[k].n, fill == 1, why);", m));
	buf_puts(b, "\treturn code;\n}\n\n");
}

void
checkpoint_use(const Program *p)
{
	RtSet *set = kernels_rt(p->kernels);

	if (uses_files(p))
		rt_use(set, "rt_add");
	if (loads_weights(p))
		rt_use(set, "rt_load_below");
	if (has_checkpoint(p)) {
		rt_use(set, "rt_load_file");
		rt_use(set, "rt_save_file");
	}
}

void
checkpoint_print(Buf *b, const Program *p)
{
	int nsetting = 0, nmoment = 0, nother, nentry;

	if (loads_weights(p))
		put_weights(b, p);
	if (!has_checkpoint(p))
		return;
	if (p->opt->optimizer)
		put_optimizer_table(b, p, &nsetting, &nmoment);
	nother = put_others_table(b, p);
	nentry = (int)(p->of[AREA_PARAM].n + p->of[AREA_STATE].n);
	if (p->opt->optimizer)
		nentry += nsetting + 1 + nmoment * optimizer_moments(p);
	put_entries(b, p, nsetting, nmoment);
	put_load(b, p, nentry, nother);
	put_save(b, p, nentry);
}

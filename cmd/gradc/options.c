/* options: the table of options and the table of verbs, the parser, and the
 * texts made from them. */
#include "cmd.h"

#include <stdlib.h>
#include <string.h>

#define SPLIT_VERBS (V_COMPILE | V_CHECK | V_PARTITION | V_PRINT | V_EXPLAIN | V_RUN | V_VERIFY)
#define GEN_VERBS (V_COMPILE | V_CHECK | V_EXPLAIN | V_RUN | V_VERIFY)
#define PASS_VERBS (V_COMPILE | V_GRAD | V_PARTITION | V_PRINT)
#define OUT_VERBS (V_COMPILE | V_CHECK | V_INIT | V_GRAD | V_PARTITION | V_PRINT | V_EXPLAIN | V_RUN | V_OPS | V_SCHEMA | V_FMT)

static const Opt opts[NOPT] = {
	[O_OUT]         = {O_OUT, "-o", "PATH", NULL, NULL, OUT_VERBS, false, false,
		"where to write: a directory for compile, check and init, else a file; '-' is standard output"},
	[O_BACKEND]     = {O_BACKEND, "--backend", "NAME", "fused|nop|interp", "fused", GEN_VERBS, true, false,
		"fused: few kernels; nop: one loop nest per op; interp (run only): the reference interpreter"},
	[O_PARTITION]   = {O_PARTITION, "--partition", "NAME", "min-cut|default|recompute", "min-cut", SPLIT_VERBS, true, false,
		"min-cut: least cost; default: save all that backward reads; recompute: save as little as possible"},
	[O_OBJECTIVE]   = {O_OBJECTIVE, "--objective", "NAME", "traffic|bytes|time", "traffic", SPLIT_VERBS, true, false,
		"what min-cut minimises"},
	[O_RECOMPUTABLE] = {O_RECOMPUTABLE, "--recomputable-ops", "OP,...", NULL, NULL, SPLIT_VERBS, true, false,
		"contractions and other dear ops that backward may repeat"},
	[O_PRESET]      = {O_PRESET, "--preset", "NAME", "memory-efficient", NULL, SPLIT_VERBS, true, false,
		"memory-efficient: min-cut with the fused backend"},
	[O_OPTIMIZER]   = {O_OPTIMIZER, "--optimizer", "NAME", "none|sgd|momentum|adam|adamw", "none",
		V_COMPILE | V_CHECK, true, false, "emit NAME_update and NAME_train_step with this optimizer"},
	[O_GRAD]        = {O_GRAD, "--grad", "HOW", "write|accumulate", "write", V_COMPILE | V_CHECK, true, false,
		"whether backward writes gradients or adds to them"},
	[O_INFER]       = {O_INFER, "--infer", "OUT,...", NULL, NULL, V_COMPILE | V_CHECK, true, false,
		"outputs of NAME_infer; default: all but the loss"},
	[O_OF]          = {O_OF, "--of", "OUTPUT", NULL, NULL, V_GRAD | SPLIT_VERBS, true, false,
		"differentiate this scalar output"},
	[O_MODE]        = {O_MODE, "--mode", "NAME", "vjp|jvp|hvp", "vjp", V_GRAD, false, false,
		"vjp: gradients; jvp: directional derivative; hvp: Hessian times vector"},
	[O_CERTIFY]     = {O_CERTIFY, "--certify", "FILE", NULL, NULL, V_COMPILE | V_PARTITION, false, false,
		"write flow and cut as JSON, after checking that they prove the plan optimal"},
	[O_AFTER]       = {O_AFTER, "--after", "PASS", NULL, NULL, V_PRINT, false, false,
		"the graph after this pass; default: as read"},
	[O_EMIT]        = {O_EMIT, "--emit", "FORM", "json|dot|text", "json", V_PRINT, false, false, "form of the printed graph"},
	[O_DUMP_DIR]    = {O_DUMP_DIR, "--dump-dir", "DIR", NULL, NULL, PASS_VERBS, false, false,
		"write the graph after each pass: 01-grad.json and so on"},
	[O_STOP]        = {O_STOP, "--stop", "PASS", NULL, NULL, PASS_VERBS, false, false, "end after this pass"},
	[O_FROM]        = {O_FROM, "--from", "PASS", NULL, NULL, PASS_VERBS, false, false,
		"the input is a dump of this pass: go on with the next"},
	[O_IN]          = {O_IN, "--in", "FILE", NULL, NULL, V_RUN, false, true,
		"inputs: NAME=x.npy, or an npz that names them"},
	[O_PARAMS]      = {O_PARAMS, "--params", "FILE", NULL, NULL, V_RUN, false, false, "parameters and buffers: safetensors or npz"},
	[O_ROUND]       = {O_ROUND, "--round", NULL, NULL, NULL, V_RUN, false, false,
		"the interpreter rounds every result to its dtype"},
	[O_SEED]        = {O_SEED, "--seed", "N", NULL, "0", V_RUN | V_VERIFY, false, false, "seed of random data"},
	[O_DIM]         = {O_DIM, "--dim", "SYM=N", NULL, NULL, V_RUN | V_VERIFY, false, true, "value of a symbolic dimension"},
	[O_DIFF]        = {O_DIFF, "--diff", NULL, NULL, NULL, V_CHECK, false, false, "show how stale files differ"},
	[O_JSON]        = {O_JSON, "--json", NULL, NULL, NULL, V_EXPLAIN | V_OPS, false, false, "machine-readable output"},
	[O_WRITE]       = {O_WRITE, "--write", NULL, NULL, NULL, V_FMT, false, false, "rewrite the files in place"},
	[O_STAMP]       = {O_STAMP, "--stamp", "FILE", NULL, NULL, V_COMPILE, false, false,
		"touch FILE at the end, also when no output changed"},
	[O_STAMP_VERSION] = {O_STAMP_VERSION, "--stamp-version", NULL, NULL, NULL, V_COMPILE | V_CHECK, true, false,
		"name the version of gradc in the head of each file"},
	[O_MD]          = {O_MD, "-MD", NULL, NULL, NULL, V_COMPILE, false, false, "write a depfile, NAME.gradc.d"},
	[O_MF]          = {O_MF, "-MF", "FILE", NULL, NULL, V_COMPILE, false, false, "name of the depfile"},
	[O_MT]          = {O_MT, "-MT", "TARGET", NULL, NULL, V_COMPILE, false, false, "target named in the depfile"},
	[O_MP]          = {O_MP, "-MP", NULL, NULL, NULL, V_COMPILE, false, false, "phony targets for the dependencies"},
	[O_NO_REPARSE]  = {O_NO_REPARSE, "--no-reparse", NULL, NULL, NULL, V_COMPILE, false, false,
		"do not parse the emitted C through libclang before writing it"},
	[O_CC]          = {O_CC, "--cc", "CMD", NULL, "cc", V_RUN | V_VERIFY, false, false, "C compiler with its flags"},
	[O_DIAGNOSTICS] = {O_DIAGNOSTICS, "--diagnostics", "FORM", "text|json", "text", V_ALL, false, false,
		"form of error messages"},
	[O_VERSION]     = {O_VERSION, "--version", NULL, NULL, NULL, V_ALL, false, false, "print the version"},
	[O_HELP]        = {O_HELP, "--help", NULL, NULL, NULL, V_ALL, false, false, "print help"},
};

static const Verb verbs[] = {
	{"grad", V_GRAD, verb_grad, 1, 1, "IR", "IR to IR with gradients",
		"The outputs gain d.NAME for every value differentiated with respect to. Without a loss, cotangents "
		"ct.OUTPUT become inputs. Apply again for higher orders."},
	{"partition", V_PARTITION, verb_partition, 1, 1, "IR", "IR to forward IR and backward IR",
		"Prints a module: the forward graph, the backward graph, what is saved and what is recomputed."},
	{"print", V_PRINT, verb_print, 1, 1, "IR", "the graph after any pass", NULL},
	{"run", V_RUN, verb_run, 1, 1, "IR", "evaluate a graph",
		"Inputs and parameters that are not given are drawn at random from --seed. Results go to an npz (-o) or "
		"as text to standard output."},
	{"ops", V_OPS, verb_ops, 0, 1, "[OP]", "the op table", NULL},
	{"schema", V_SCHEMA, verb_schema, 0, 0, "", "JSON Schema of the IR", NULL},
	{"fmt", V_FMT, verb_fmt, 1, -1, "IR...", "canonical JSON", NULL},
};

const Opt *
opt_table(void)
{
	return opts;
}

const Verb *
verb_table(int *n)
{
	*n = LEN(verbs);
	return verbs;
}

/* ---- parsing ---- */

_Noreturn static void
usage_error(const char *fmt, ...)
{
	Buf b = {.arena = arena_new()};
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	fail(EXIT_INPUT, (Loc){0}, "%s\n`gradc --help` lists verbs and options", buf_str(&b));
}

static const Verb *
verb_find(const char *name)
{
	for (int i = 0; i < LEN(verbs); i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

static const Opt *
opt_find(const char *name, int64_t n)
{
	for (int i = 0; i < NOPT; i++)
		if (!strncmp(opts[i].name, name, (size_t)n) && !opts[i].name[n])
			return &opts[i];
	return NULL;
}

static void
unknown_option(const char *text, int64_t n)
{
	const char *names[NOPT], *near;
	Arena *a = arena_new();

	for (int i = 0; i < NOPT; i++)
		names[i] = opts[i].name;
	near = nearest(arena_copy(a, text, n), names, NOPT);
	if (near)
		usage_error("unknown option %.*s; did you mean %s?", (int)n, text, near);
	usage_error("unknown option %.*s", (int)n, text);
}

static bool
word_in(const char *words, const char *w)
{
	size_t n = strlen(w);

	for (const char *s = words; s; s = strchr(s, '|') ? strchr(s, '|') + 1 : NULL)
		if (!strncmp(s, w, n) && (s[n] == '|' || !s[n]))
			return true;
	return false;
}

static void
set_value(Args *a, const Opt *o, const char *v)
{
	if (o->words && !word_in(o->words, v))
		usage_error("%s: '%s' is not one of %s", o->name, v, o->words);
	if (a->val[o->id] && !o->many && strcmp(a->val[o->id], v))
		usage_error("%s is given twice", o->name);
	a->val[o->id] = v;
	if (o->many) {
		int64_t n = a->nlist[o->id], cap = n;
		a->list[o->id] = arena_grow(a->arena, a->list[o->id], n, &cap, (int64_t)sizeof(char *));
		a->list[o->id][a->nlist[o->id]++] = v;
	}
}

/* an option at argv[i]; returns how many further words it took */
static int
parse_option(Args *a, int argc, char **argv, int i)
{
	const char *s = argv[i];
	int64_t n = (int64_t)strcspn(s, "=");
	const Opt *o = opt_find(s, n);

	if (!o && s[1] != '-' && s[2] && (o = opt_find(s, 2)) && o->arg) {
		set_value(a, o, s + 2);        /* -oDIR */
		return 0;
	}
	if (!o)
		unknown_option(s, n);
	if (!o->arg) {
		if (s[n])
			usage_error("%s takes no value", o->name);
		set_value(a, o, "");
		return 0;
	}
	if (s[n]) {
		set_value(a, o, s + n + 1);
		return 0;
	}
	if (i + 1 == argc)
		usage_error("%s needs a value: %s", o->name, o->arg);
	set_value(a, o, argv[i + 1]);
	return 1;
}

static void
choose_verb(Args *a, const char *first)
{
	const char *names[LEN(verbs)], *near;

	if ((a->verb = verb_find(first))) {
		a->pos++;
		a->npos--;
		return;
	}
	if (!strcmp(first, "-") || strchr(first, '.') || strchr(first, '/')) {
		a->verb = verb_find("compile") ? verb_find("compile") : verb_find("print");
		return;
	}
	for (int i = 0; i < LEN(verbs); i++)
		names[i] = verbs[i].name;
	near = nearest(first, names, LEN(verbs));
	if (near)
		usage_error("unknown verb '%s'; did you mean '%s'?", first, near);
	usage_error("unknown verb '%s'", first);
}

static void
check_usage(const Args *a)
{
	const Verb *v = a->verb;

	for (int i = 0; i < NOPT; i++)
		if (a->val[i] && !(opts[i].verbs & v->bit))
			usage_error("gradc %s has no option %s", v->name, opts[i].name);
	if (a->npos < v->min_pos)
		usage_error("usage: gradc %s %s", v->name, v->usage);
	if (v->max_pos >= 0 && a->npos > v->max_pos)
		usage_error("gradc %s: unexpected argument '%s'", v->name, a->pos[v->max_pos]);
}

Args *
args_parse(Arena *arena, int argc, char **argv)
{
	Args *a = NEW(arena, 1, Args);
	bool words_only = false;

	a->arena = arena;
	a->pos = NEW(arena, argc + 1, const char *);
	for (int i = 1; i < argc; i++) {
		if (!words_only && !strcmp(argv[i], "--"))
			words_only = true;
		else if (!words_only && (!strcmp(argv[i], "-h")))
			set_value(a, &opts[O_HELP], "");
		else if (words_only || argv[i][0] != '-' || !argv[i][1])
			a->pos[a->npos++] = argv[i];
		else
			i += parse_option(a, argc, argv, i);
	}
	if (a->npos && !strcmp(a->pos[0], "help")) {
		a->pos++;
		a->npos--;
		a->val[O_HELP] = "";
	}
	if (a->val[O_VERSION]) {
		printf("gradc %s\n", GRADC_VERSION);
		exit(0);
	}
	if (!a->npos && a->val[O_HELP]) {
		help_main(stdout);
		exit(0);
	}
	if (!a->npos)
		usage_error("usage: gradc VERB ... or gradc IR -o DIR");
	choose_verb(a, a->pos[0]);
	if (a->val[O_HELP]) {
		help_verb(stdout, a->verb);
		exit(0);
	}
	check_usage(a);
	return a;
}

/* ---- values ---- */

const char *
args_canonical(const Args *a)
{
	Buf b = {.arena = a->arena};

	for (int i = 0; i < NOPT; i++) {
		const char *v = a->val[i];
		if (!opts[i].shapes || !v || (opts[i].dflt && !strcmp(v, opts[i].dflt)))
			continue;
		buf_printf(&b, "%s%s%s%s", b.n ? " " : "", opts[i].name, *v ? "=" : "", v);
	}
	return buf_str(&b);
}

static const char *
value(const Args *a, int id)
{
	return a->val[id] ? a->val[id] : opts[id].dflt;
}

Options
args_options(const Args *a)
{
	return (Options){
		.training = true,
		.partition = value(a, O_PARTITION),
		.objective = value(a, O_OBJECTIVE),
		.recomputable = a->val[O_RECOMPUTABLE],
		.of = a->val[O_OF],
	};
}

/* position of v among the words of an option: the order of the enumeration in gen.h */
static int
word_index(int id, const char *v)
{
	int n = 0;

	for (const char *s = opts[id].words; s; s = strchr(s, '|') ? strchr(s, '|') + 1 : NULL, n++)
		if (!strncmp(s, v, strlen(v)) && (s[strlen(v)] == '|' || !s[strlen(v)]))
			return n;
	return 0;
}

GenOptions
args_gen(const Args *a)
{
	return (GenOptions){
		.backend = (Backend)word_index(O_BACKEND, value(a, O_BACKEND)),
		.optimizer = (Optimizer)word_index(O_OPTIMIZER, value(a, O_OPTIMIZER)),
		.accumulate = !strcmp(value(a, O_GRAD), "accumulate"),
		.infer = a->val[O_INFER],
		.option_text = args_canonical(a),
		.version = a->val[O_STAMP_VERSION] ? GRADC_VERSION : NULL,
	};
}

/* ---- help ---- */

static void
print_wrapped(FILE *f, const char *s, int indent, int col)
{
	while (*s) {
		int n = (int)strcspn(s, " ");
		if (col > indent && col + n + 1 > 79) {
			fprintf(f, "\n%*s", indent, "");
			col = indent;
		}
		fprintf(f, "%.*s", n, s);
		col += n;
		s += n;
		if (*s) {
			fputc(' ', f);
			col++;
			s++;
		}
	}
	fputc('\n', f);
}

void
help_main(FILE *f)
{
	fprintf(f, "gradc: a model graph in JSON becomes C that computes it, differentiates it and trains it\n\n"
		"usage: gradc VERB ...\n       gradc IR -o DIR       (compile)\n\nverbs:\n");
	for (int i = 0; i < LEN(verbs); i++)
		fprintf(f, "  %-10s %-10s %s\n", verbs[i].name, verbs[i].usage, verbs[i].doc);
	fprintf(f, "\n`gradc VERB --help` lists the options of a verb. '-' is standard input or output.\n"
		"exit codes: 0 done; 1 check or verify found a difference; 2 bad usage, input or output;\n"
		"            3 unsupported; 4 budget infeasible; 70 a bug in gradc\n");
}

static void
help_option(FILE *f, const Opt *o)
{
	int col = fprintf(f, "  %s%s%s", o->name, o->arg ? (o->name[1] == '-' ? "=" : " ") : "", o->arg ? o->arg : "");

	if (col > 26) {
		fputc('\n', f);
		col = 0;
	}
	fprintf(f, "%*s", 28 - col, "");
	print_wrapped(f, o->doc, 28, 28);
	if (o->words)
		fprintf(f, "%28s%s%s%s%s\n", "", o->words, o->dflt ? " (default " : "", o->dflt ? o->dflt : "",
			o->dflt ? ")" : "");
}

void
help_verb(FILE *f, const Verb *v)
{
	fprintf(f, "gradc %s: %s\n\nusage: gradc %s [options] %s\n\n", v->name, v->doc, v->name, v->usage);
	if (v->more) {
		print_wrapped(f, v->more, 0, 0);
		fputc('\n', f);
	}
	fprintf(f, "options:\n");
	for (int i = 0; i < NOPT; i++)
		if (opts[i].verbs & v->bit)
			help_option(f, &opts[i]);
}

/* a line of running text in man(7): '-' and '\' escaped, a leading dot or quote protected */
static void
man_text(FILE *f, const char *s)
{
	if (*s == '.' || *s == '\'')
		fputs("\\&", f);
	for (; *s; s++) {
		if (*s == '-' || *s == '\\')
			fputc('\\', f);
		fputc(*s, f);
	}
}

void
man_page(FILE *f)
{
	fprintf(f, ".TH GRADC 1 \"\" \"gradc %s\" \"User Commands\"\n.SH NAME\ngradc \\- a model graph in JSON becomes "
		"standalone C that trains it\n.SH SYNOPSIS\n.B gradc\n.I VERB\n[\\fIoptions\\fR] ...\n.br\n.B gradc\n"
		".I IR\n.B \\-o\n.I DIR\n.SH VERBS\n", GRADC_VERSION);
	for (int i = 0; i < LEN(verbs); i++) {
		fprintf(f, ".TP\n\\fB%s\\fR ", verbs[i].name);
		man_text(f, verbs[i].usage);
		fputc('\n', f);
		man_text(f, verbs[i].doc);
		fputs(".\n", f);
		if (verbs[i].more) {
			man_text(f, verbs[i].more);
			fputc('\n', f);
		}
	}
	fprintf(f, ".SH OPTIONS\n");
	for (int i = 0; i < NOPT; i++) {
		fprintf(f, ".TP\n\\fB");
		man_text(f, opts[i].name);
		fprintf(f, "\\fR%s%s%s\n", opts[i].arg ? " \\fI" : "", opts[i].arg ? opts[i].arg : "", opts[i].arg ? "\\fR" : "");
		man_text(f, opts[i].doc);
		if (opts[i].words) {
			fprintf(f, "\n(");
			man_text(f, opts[i].words);
			fputc(')', f);
		}
		fputs(".\n", f);
		if (opts[i].verbs != V_ALL) {
			fprintf(f, "Of:");
			for (int v = 0; v < LEN(verbs); v++)
				if (opts[i].verbs & verbs[v].bit)
					fprintf(f, " %s", verbs[v].name);
			fputs(".\n", f);
		}
	}
	fprintf(f, ".SH EXIT STATUS\n0 done; 1 check or verify found a difference; 2 bad usage, input or output; "
		"3 unsupported; 4 budget infeasible; 70 a bug in gradc.\n");
}

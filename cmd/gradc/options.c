/* options: the table of options, the table of verbs, and what the values given
 * mean. args.c parses by them, help.c prints them. */
#include "cmd.h"

#include <string.h>

#define SPLIT_VERBS (V_COMPILE | V_CHECK | V_PARTITION | V_PRINT | V_EXPLAIN | V_RUN | V_VERIFY | V_BENCH)
#define GEN_VERBS (V_COMPILE | V_CHECK | V_EXPLAIN | V_VERIFY | V_BENCH)
#define PASS_VERBS (V_GRAD | V_PARTITION | V_PRINT | V_EXPLAIN)
#define OUT_VERBS (V_COMPILE | V_CHECK | V_INIT | V_GRAD | V_PARTITION | V_PRINT | V_EXPLAIN | V_RUN | V_BENCH | V_OPS \
	| V_SCHEMA | V_FMT | V_HELP)

static const Opt opts[NOPT] = {
	[O_OUT]         = {O_OUT, "-o", "PATH", NULL, NULL, OUT_VERBS, false, false,
		"where to write: a directory for compile, check and init, else a file; '-' is standard output"},
	[O_BACKEND]     = {O_BACKEND, "--backend", "NAME", "fused|nop", "fused", GEN_VERBS, true, false,
		"fused: few kernels; nop: one loop nest per op"},
	[O_RUN_BACKEND] = {O_RUN_BACKEND, "--backend", "NAME", "interp|fused|nop", "interp", V_RUN, false, false,
		"interp: the reference interpreter; fused, nop: the C that compile would write, built and called"},
	[O_PARTITION]   = {O_PARTITION, "--partition", "NAME", "min-cut|default|recompute", "min-cut", SPLIT_VERBS, true, false,
		"min-cut: least cost; default: save all that backward reads; recompute: save as little as possible"},
	[O_OBJECTIVE]   = {O_OBJECTIVE, "--objective", "NAME", "traffic|bytes|time", "traffic", SPLIT_VERBS, true, false,
		"what min-cut minimises"},
	[O_RECOMPUTABLE] = {O_RECOMPUTABLE, "--recomputable-ops", "OP,...", NULL, NULL, SPLIT_VERBS, true, false,
		"contractions and other dear ops that backward may repeat"},
	[O_PRESET]      = {O_PRESET, "--preset", "NAME", "memory-efficient", NULL, SPLIT_VERBS, false, false,
		"memory-efficient: --partition=min-cut and --backend=fused, which are the defaults"},
	[O_OPTIMIZER]   = {O_OPTIMIZER, "--optimizer", "NAME", "none|sgd|momentum|adam|adamw", "none",
		V_COMPILE | V_CHECK | V_BENCH, true, false, "emit NAME_update and NAME_train_step with this optimizer"},
	[O_GRAD]        = {O_GRAD, "--grad", "HOW", "write|accumulate", "write", V_COMPILE | V_CHECK, true, false,
		"whether backward writes gradients or adds to them"},
	[O_INFER]       = {O_INFER, "--infer", "OUT,...", NULL, NULL, V_COMPILE | V_CHECK, true, false,
		"outputs of NAME_infer; default: all but the loss"},
	[O_WEIGHTS]     = {O_WEIGHTS, "--weights", "WHERE", "auto|inline|file", "auto", V_COMPILE | V_CHECK, true, false,
		"values that come from files: in the source, or loaded at run time; auto: in the source up to 1 MiB in all"},
	[O_CHECKPOINT]  = {O_CHECKPOINT, "--checkpoint", NULL, NULL, NULL, V_COMPILE | V_CHECK, true, false,
		"emit NAME_load and NAME_save; implied where weights are loaded"},
	[O_OF]          = {O_OF, "--of", "OUTPUT", NULL, NULL, V_GRAD | SPLIT_VERBS, true, false,
		"differentiate this scalar output"},
	[O_MODE]        = {O_MODE, "--mode", "NAME", "vjp|jvp|hvp", "vjp", V_GRAD, false, false,
		"vjp: gradients; jvp: directional derivative; hvp: Hessian times vector"},
	[O_CERTIFY]     = {O_CERTIFY, "--certify", "FILE", NULL, NULL, V_COMPILE | V_PARTITION, false, false,
		"write flow and cut as JSON, after checking that they prove the plan optimal"},
	[O_AFTER]       = {O_AFTER, "--after", "PASS", NULL, NULL, V_PRINT, false, false,
		"the graph after this pass; default: as read"},
	[O_EMIT]        = {O_EMIT, "--emit", "FORM", "json|dot|text", "json", V_PRINT, false, false, "form of the printed graph"},
	[O_DUMP_DIR]    = {O_DUMP_DIR, "--dump-dir", "DIR", NULL, NULL, V_COMPILE | PASS_VERBS, false, false,
		"write the graph after each pass: 00-inline.json and so on"},
	[O_STOP]        = {O_STOP, "--stop", "PASS", NULL, NULL, V_COMPILE | V_GRAD | V_PARTITION, false, false, "end after this pass"},
	[O_FROM]        = {O_FROM, "--from", "PASS", NULL, NULL, PASS_VERBS, false, false,
		"the input is a dump of this pass: go on with the next"},
	[O_IN]          = {O_IN, "--in", "FILE", NULL, NULL, V_RUN | V_VERIFY | V_BENCH, false, true,
		"inputs: NAME=x.npy, or an npz that names them"},
	[O_PARAMS]      = {O_PARAMS, "--params", "FILE", NULL, NULL, V_RUN | V_VERIFY | V_BENCH, false, false, "parameters and buffers: safetensors or npz"},
	[O_ROUND]       = {O_ROUND, "--round", NULL, NULL, NULL, V_RUN, false, false,
		"the interpreter rounds every result to its dtype"},
	[O_SEED]        = {O_SEED, "--seed", "N", NULL, "0", V_RUN | V_VERIFY | V_BENCH, false, false, "seed of random data"},
	[O_DIM]         = {O_DIM, "--dim", "SYM=N", NULL, NULL, V_RUN | V_VERIFY | V_BENCH, false, true, "value of a symbolic dimension"},
	[O_DIFF]        = {O_DIFF, "--diff", NULL, NULL, NULL, V_CHECK, false, false, "show how stale files differ"},
	[O_JSON]        = {O_JSON, "--json", NULL, NULL, NULL, V_EXPLAIN | V_BENCH | V_OPS, false, false, "machine-readable output"},
	[O_WRITE]       = {O_WRITE, "--write", NULL, NULL, NULL, V_FMT, false, false, "rewrite the files in place"},
	[O_STAMP]       = {O_STAMP, "--stamp", "FILE", NULL, NULL, V_COMPILE, false, false,
		"touch FILE at the end, also when no output changed"},
	[O_STAMP_VERSION] = {O_STAMP_VERSION, "--stamp-version", NULL, NULL, NULL, V_COMPILE | V_CHECK, true, false,
		"name the version of gradc in the head of each file"},
	[O_MD]          = {O_MD, "-MD", NULL, NULL, NULL, V_COMPILE, false, false, "write a depfile for make or ninja: the IR and the weight files that it names"},
	[O_MF]          = {O_MF, "-MF", "FILE", NULL, NULL, V_COMPILE, false, false, "name of the depfile; default: DIR/NAME.gradc.d"},
	[O_MT]          = {O_MT, "-MT", "TARGET", NULL, NULL, V_COMPILE, false, true,
		"target named in the depfile; default: the stamp, or DIR/NAME.c"},
	[O_MP]          = {O_MP, "-MP", NULL, NULL, NULL, V_COMPILE, false, false, "a phony target for each dependency, so that one may be deleted"},
	[O_NO_REPARSE]  = {O_NO_REPARSE, "--no-reparse", NULL, NULL, NULL, V_COMPILE | V_CHECK, false, false,
		"do not parse the emitted C through libclang"},
	[O_MAN]         = {O_MAN, "--man", NULL, NULL, NULL, V_HELP, false, false, "the manual page, in man(7)"},
	[O_COMPLETION]  = {O_COMPLETION, "--completion", "SHELL", "bash", NULL, V_HELP, false, false,
		"completion of the command line for a shell"},
	[O_CC]          = {O_CC, "--cc", "CMD", NULL, "cc", V_RUN | V_VERIFY, false, false, "C compiler with its flags"},
	[O_BENCH_CC]    = {O_BENCH_CC, "--cc", "CMD", NULL, "cc -O3 -march=native", V_BENCH, false, false,
		"C compiler with its flags: GCC or clang"},
	[O_THREADS]     = {O_THREADS, "--threads", "N", NULL, "1", V_BENCH, false, false,
		"threads; more than one: built with -fopenmp"},
	[O_SECONDS]     = {O_SECONDS, "--seconds", "N", NULL, "2", V_BENCH, false, false,
		"how long the functions are called in turn, after they are built"},
	[O_SVG]         = {O_SVG, "--svg", "FILE", NULL, NULL, V_BENCH, false, false,
		"write a roofline plot: each kernel beside what the machine can do"},
	[O_DIAGNOSTICS] = {O_DIAGNOSTICS, "--diagnostics", "FORM", "text|json", "text", V_ALL, false, false,
		"form of error messages"},
	[O_VERSION]     = {O_VERSION, "--version", NULL, NULL, NULL, V_ALL, false, false, "print the version"},
	[O_HELP]        = {O_HELP, "--help", NULL, NULL, NULL, V_ALL, false, false, "print help"},
};

/* the word between name and usage is what a complaint calls a first argument that is missing */
static const Verb verbs[] = {
	{"compile", V_COMPILE, verb_compile, 1, 1, "IR -o DIR", "IR", "IR to C: NAME.c, NAME.h and NAME.manifest.json in DIR",
		"All files appear, or none; those whose content would not change are left alone, and --stamp gives make a file "
		"that always changes. The C is parsed through libclang before it is written. `gradc IR -o DIR` is the same."},
	{"check", V_CHECK, verb_check, 1, 1, "IR -o DIR", "IR", "are the files in DIR those of the IR?",
		"Reads and never writes; exit code 1 and the names of the files that are missing or stale. The options are taken "
		"from the head of the files. C is compared token by token: a formatter may have gone over it."},
	{"init", V_INIT, verb_init, 1, 1, "NAME", "a name for the model", "a new project: model, main.c, Makefile",
		"Writes NAME.json, main.c and a Makefile into the directory NAME, or that of -o, and never over a file that is "
		"there: a small network that `make` compiles, builds and trains, to be changed into your own."},
	{"grad", V_GRAD, verb_grad, 1, 1, "IR", "IR", "IR to IR with gradients",
		"The outputs gain d.NAME for every value differentiated with respect to. Without a loss, cotangents "
		"ct.OUTPUT become inputs. Apply again for higher orders."},
	{"partition", V_PARTITION, verb_partition, 1, 1, "IR", "IR", "IR to forward IR and backward IR",
		"Prints a module: the forward graph, the backward graph, what is saved and what is recomputed."},
	{"print", V_PRINT, verb_print, 1, 1, "IR", "IR", "the graph after any pass",
		"As JSON, which can be read again (--from), as one line a node, or for Graphviz."},
	{"explain", V_EXPLAIN, verb_explain, 1, 2, "IR [VALUE]", "IR", "what backward keeps, what it computes again, and why",
		"One line for each forward value that backward uses, with its bytes, its part of the cost that was minimised, and "
		"what the best plan with the other choice would cost; or all about one VALUE, with the kernels that hold it."},
	{"run", V_RUN, verb_run, 1, 1, "IR", "IR", "evaluate a graph",
		"Parameters that are not given come from their \"file\" or \"init\" in the model; what is left is drawn at random "
		"from --seed. Results go to an npz (-o) or as text to standard output."},
	{"verify", V_VERIFY, verb_verify, 1, 1, "IR", "IR", "is the emitted C right, on this machine?",
		"Builds it with --cc and calls it on random data. Every value that the kernels keep, of both backends, is compared "
		"with what the interpreter makes of the same operands; the program's outputs and gradients with those values; the "
		"gradients with finite differences of the interpreter. Tolerances follow from dtypes and sizes. Exit code 1 and "
		"the first node that differs, if one does."},
	{"bench", V_BENCH, verb_bench, 1, 1, "IR", "IR", "how fast is the emitted C, on this machine?",
		"Builds it with --cc, calls its functions in turn on random data, and prints the median time of each and of each "
		"of its kernels, with operations and bytes by second as shares of what this machine was seen to do in the same "
		"run: multiply-adds in registers, and a copy of as many bytes. --dim gives the sizes to plan for and to measure. "
		"An optimizer runs with a learning rate of 0."},
	{"ops", V_OPS, verb_ops, 0, 1, "[OP]", NULL, "the op table",
		"All operations in one line each; or one of them with its operands, results and attributes."},
	{"schema", V_SCHEMA, verb_schema, 0, 0, "", NULL, "JSON Schema of the IR",
		"For editors: they complete and check as you type. To VS Code, name it in json.schemas."},
	{"fmt", V_FMT, verb_fmt, 1, -1, "IR...", "IR", "canonical JSON",
		"Sorts nodes into the order of computation, leaves out defaults and aligns; --write changes the files."},
	{"help", V_HELP, verb_help, 0, 1, "[VERB]", NULL, "this list, or a verb and its options", NULL},
};

static const struct { const char *preset; int id; const char *value; } presets[] = {
	{"memory-efficient", O_PARTITION, "min-cut"},
	{"memory-efficient", O_BACKEND, "fused"},
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

/* ---- values ---- */

void
args_preset(Args *a)
{
	for (int i = 0; a->val[O_PRESET] && i < LEN(presets); i++) {
		const Opt *o = &opts[presets[i].id];
		const char *v = a->val[o->id];
		if (strcmp(presets[i].preset, a->val[O_PRESET]) || !(o->verbs & a->verb->bit))
			continue;
		if (v && strcmp(v, presets[i].value))
			usage_error(a, "--preset=%s is %s=%s, not %s", presets[i].preset, o->name, presets[i].value, v);
		a->val[o->id] = presets[i].value;
	}
}

/* %XX for what is more than a word of the head of a file, which is a comment and may be reflowed */
static void
put_encoded(Buf *b, const char *v)
{
	for (; *v; v++)
		if ((*v >= 'a' && *v <= 'z') || (*v >= 'A' && *v <= 'Z') || (*v >= '0' && *v <= '9') || strchr("_.,+-", *v))
			buf_putc(b, *v);
		else
			buf_printf(b, "%%%02X", (unsigned char)*v);
}

const char *
args_canonical(const Args *a)
{
	Buf b = {.arena = a->arena};

	for (int i = 0; i < NOPT; i++) {
		const char *v = a->val[i];
		if (!opts[i].shapes || !v || (opts[i].dflt && !strcmp(v, opts[i].dflt)))
			continue;
		buf_printf(&b, "%s%s%s", b.n ? " " : "", opts[i].name, *v ? "=" : "");
		put_encoded(&b, v);
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
		.weights = (Weights)word_index(O_WEIGHTS, value(a, O_WEIGHTS)),
		.checkpoint = a->val[O_CHECKPOINT] != NULL,
		.option_text = args_canonical(a),
		.version = a->val[O_STAMP_VERSION] ? GRADC_VERSION : NULL,
	};
}

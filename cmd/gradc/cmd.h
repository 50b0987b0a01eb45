/* cmd.h: the command line. One table of options and one of verbs, from which
 * parsing, --help, the man page and completions come. */
#ifndef CMD_H
#define CMD_H

#include "gen.h"

enum OptId {
	O_OUT, O_BACKEND, O_RUN_BACKEND, O_PARTITION, O_OBJECTIVE, O_RECOMPUTABLE, O_PRESET, O_OPTIMIZER, O_GRAD,
	O_INFER, O_WEIGHTS, O_CHECKPOINT, O_OF, O_MODE,
	O_CERTIFY, O_AFTER, O_EMIT, O_DUMP_DIR, O_STOP, O_FROM, O_IN, O_PARAMS, O_ROUND, O_SEED, O_DIM, O_DIFF,
	O_JSON, O_WRITE, O_STAMP, O_STAMP_VERSION, O_MD, O_MF, O_MT, O_MP, O_NO_REPARSE, O_MAN, O_COMPLETION,
	O_CC, O_BENCH_CC, O_THREADS, O_SECONDS, O_SVG, O_DIAGNOSTICS, O_VERSION, O_HELP, NOPT
};
enum VerbBit {
	V_COMPILE = 1, V_CHECK = 2, V_INIT = 4, V_GRAD = 8, V_PARTITION = 16, V_PRINT = 32, V_EXPLAIN = 64, V_RUN = 128,
	V_VERIFY = 256, V_BENCH = 512, V_OPS = 1024, V_SCHEMA = 2048, V_FMT = 4096, V_HELP = 8192, V_ALL = 16383
};

typedef struct Opt {
	int id;
	const char *name;              /* "--backend", "-o" */
	const char *arg;               /* name of its value in help; NULL: a switch */
	const char *words;             /* the values allowed, separated by '|'; NULL: any */
	const char *dflt;              /* shown in help; NULL: none */
	unsigned verbs;                /* V_ bits */
	bool shapes;                   /* the emitted files depend on it: it is named in their head */
	bool many;                     /* may be given several times */
	const char *doc;
} Opt;

typedef struct Args {
	Arena *arena;
	const char *self;              /* argv[0] */
	const struct Verb *verb;
	const char *val[NOPT];         /* NULL: not given; a switch: "" */
	const char **list[NOPT];       /* all values of an option with `many` */
	int nlist[NOPT];
	const char **pos;              /* positional arguments */
	int npos;
} Args;

typedef struct Verb {
	const char *name;
	unsigned bit;
	int (*run)(Args *a);           /* exit code */
	int min_pos, max_pos;
	const char *usage;             /* what follows the name */
	const char *need;              /* the first argument, in words; NULL: it may be left out */
	const char *doc;               /* one line */
	const char *more;              /* paragraphs for --help and the man page */
} Verb;

/* options.c */
const Opt *opt_table(void);                      /* NOPT of them, by id */
const Verb *verb_table(int *n);
void args_preset(Args *a);                       /* --preset becomes the options that it stands for */
const char *args_canonical(const Args *a);       /* the options that shape the output, canonical order */
Options args_options(const Args *a);
GenOptions args_gen(const Args *a);

/* args.c */
Args *args_parse(Arena *a, int argc, char **argv);
/* the option list in the head of a file, which ends with the first word that is none, as if it had been given;
 * what contradicts the command line, or NULL */
const char *args_adopt(Args *a, const char *list);
_Noreturn void usage_error(const Args *a, const char *fmt, ...) PRINTF(2, 3);

/* help.c */
void help_main(Buf *b);
void help_verb(Buf *b, const Verb *v);
void man_page(Buf *b);                           /* gradc.1 in man(7) */
void completion_bash(Buf *b);
int verb_help(Args *a);

/* input.c */
Graph *input_graph(Args *a, const char *path);   /* reads, verifies, ends on errors */
Module *module_of(Args *a, Graph *g);            /* honours --dump-dir */
Module *input_module(Args *a, const char *path, int *from);   /* ready for pass *from; honours --from, --dump-dir */
int last_pass(Args *a, int opt, const char *dflt);      /* index of the pass that option opt names */
void output_text(Args *a, const Buf *b);         /* to -o FILE or standard output */
void stdout_check(void);                         /* ends when what was printed did not get there */

/* data.c: values of g->leaf, from --in and --params, else random; c->symval is set */
Tensor **data_leaves(Args *a, EvalCtx *c, const Graph *g);

/* emitted.c: what compile writes and check compares */
typedef struct Emitted {
	const Graph *user;
	const Split *split;            /* NULL: nothing to differentiate */
	Unit unit;
	const char *header, *source, *manifest;        /* paths */
} Emitted;
const char *emitted_directory(const Args *a);    /* that of -o; ends when there is none */
const char *emitted_path(const Args *a, const Graph *user, const char *suffix);      /* DIR/NAME.suffix */
GenOptions *emitted_options(Args *a);
Program *emitted_program(Args *a, const Graph *user, bool ticks);      /* ticks: its steps are timed */
/* by member; leaf: by leaf of the model */
Tensor *const *emitted_values(Arena *a, const Program *p, Area area, Tensor *const *leaf);
bool emit(Args *a, const Graph *user, Emitted *e);       /* false: --stop, there are dumps at most */

void add_certificate(Args *a, Outputs *o, const Split *s);       /* verb_print.c: --certify, checked first */

/* verb_NAME.c */
int verb_init(Args *a);
int verb_compile(Args *a);
int verb_check(Args *a);
int verb_explain(Args *a);
int verb_run(Args *a);
int verb_verify(Args *a);
int verb_bench(Args *a);
int verb_grad(Args *a);
int verb_partition(Args *a);
int verb_print(Args *a);
int verb_ops(Args *a);
int verb_schema(Args *a);
int verb_fmt(Args *a);

#define GRADC_VERSION "0.1.0"

#endif

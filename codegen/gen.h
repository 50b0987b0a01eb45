/* gen.h: from graphs without composites to C text.
 *
 * lower() turns one graph into a Plan: an ordered list of kernel calls on
 * values that live in memory. program() puts the plans of a model together,
 * gives every value a place, and unit_*() print the files. */
#ifndef GEN_H
#define GEN_H

#include "ir.h"

typedef enum Backend { BACKEND_FUSED, BACKEND_NOP } Backend;
typedef enum Optimizer { OPT_NONE, OPT_SGD, OPT_MOMENTUM, OPT_ADAM, OPT_ADAMW } Optimizer;

typedef struct GenOptions {
	Backend backend;
	Optimizer optimizer;
	bool accumulate;               /* --grad=accumulate */
	const char *infer;             /* --infer=OUT,...; NULL: all outputs but the loss */
	const char *option_text;       /* canonical list for the head of each file */
	const char *input_base;        /* basename of the IR file */
	const char *version;           /* NULL: no --stamp-version */
} GenOptions;

/* ---- kernels: kernel.c, loop.c, dot.c, fuse.c ---- */

typedef struct KBuf {                  /* a pointer parameter of a kernel */
	const char *name;              /* C identifier within the kernel */
	DType dt;
	bool write;                    /* written; read too when also `read` */
	bool read;
} KBuf;
typedef struct Stmt Stmt;
typedef struct Kernel {
	const char *name;              /* "k03_linear_relu": unique in the unit; the unit adds "MODEL_" */
	int nbuf;
	const KBuf *buf;
	uint32_t syms;                 /* bit s: takes symbol s as int64_t, in order of s, before the buffers */
	Stmt *body;
	const char *doc;               /* lines of the comment over it: nodes, scopes, shapes */
	int64_t flops, bytes;          /* at the symbols' hint */
	const char *const *rt;         /* names of rt helpers in use, NULL-terminated */
	bool checks_index;             /* returns int: nonzero when an index was out of range */
	int64_t scratch;               /* bytes of workspace it wants beyond its buffers, at the symbols' max; passed
	                                * as a last parameter `void *scratch` when > 0 */
} Kernel;
/* All kernels of one unit; equal ones (up to name and doc) are kept once. */
typedef struct Kernels Kernels;
Kernels *kernels_new(Arena *a, const Graph *symbols, Backend b);
int kernels_len(const Kernels *ks);
const Kernel *kernels_at(const Kernels *ks, int i);
/* the text of one kernel: comment, signature (`static void MODEL_k03_x(...)`), body */
void kernel_print(Buf *b, const Kernels *ks, const Kernel *k, const char *model);
/* one call: buf[i] is the node whose memory parameter i is; a written one gets its value here */
typedef struct Step {
	const Kernel *kernel;
	Node **buf;
	/* reuse[i] for a written buffer i: bit j set when i may be the very memory of read buffer j, because each
	 * element of j is read last where i is written (in place at last use). The chosen pair is set in `same`. */
	const uint64_t *reuse;
	int *same;                     /* out, set by program(): index j, or -1 */
} Step;
typedef struct Plan {
	const Graph *g;
	int nstep;
	Step *step;
	Node **storage;                /* by node id: the node whose memory holds the value (itself, or the base of an
	                                * alias view); NULL: it is never in memory */
} Plan;
/* Every value that the graph's interface names (out, update, grad, saved) is in memory after the last step, as
 * a dense row-major array of its own, or is a leaf. Contract: g has no composite. Steps are in execution order. */
Plan *lower(Arena *a, Graph *g, Kernels *ks);

/* ---- program: program.c (what is called when), buffers.c (where values live) ---- */

typedef enum Area { AREA_NONE, AREA_INPUT, AREA_PARAM, AREA_STATE, AREA_COTANGENT, AREA_OUTPUT, AREA_GRAD, AREA_SAVED,
	AREA_WORKSPACE } Area;
typedef struct Place {
	Area area;
	int index;                     /* of the leaf or port within its area */
	int64_t offset;                /* SAVED, WORKSPACE: bytes */
	int64_t bytes;                 /* at the symbols' max */
} Place;
typedef struct Function {              /* one of forward, backward, infer, train_step */
	const char *name;
	Plan *plan;
	Place *place;                  /* by node id of plan->g */
	int64_t workspace;             /* bytes */
} Function;
typedef struct Program {
	const Graph *user;             /* the model as read */
	const GenOptions *opt;
	const Split *split;            /* NULL: nothing to differentiate */
	Kernels *kernels;
	Function *forward, *backward, *infer, *train;  /* NULL where absent */
	int64_t params_bytes, grads_bytes, state_bytes, saved_bytes;
	const int64_t *param_offset;   /* by index in the model's params, state_offset by buffers */
	const int64_t *state_offset;
} Program;
Program *program(Arena *a, const Graph *user, const Split *s, const Graph *infer, const GenOptions *o);

/* ---- files: unit.c, api.c, manifest.c ---- */
void unit_header(Buf *b, const Program *p);      /* NAME.h */
void unit_source(Buf *b, const Program *p);      /* NAME.c */
void unit_manifest(Buf *b, const Program *p);    /* NAME.manifest.json */
const char *c_name(Arena *a, const char *name);  /* a value's name as a C identifier, keywords avoided */

/* ---- reparse.c ---- emitted C read back through libclang. reparse() parses the unit with its header,
 * without and with OpenMP, and the header alone as C99 and as C++11, with all warnings. Any
 * diagnostic is a bug(); a machine without libclang or without headers of the C library is the
 * user's: fail(EXIT_INPUT). Both files lie in one directory. */
void reparse(const char *name_c, const char *text_c, const char *name_h, const char *text_h);
/* Is `old` (a file that may have been formatted since) the same C as `new`? Equal up to comments,
 * white space, and the order of adjacent #include lines; where directives begin and end counts.
 * *why gets the first difference, "name:line:col: ...", with the place in old. Needs libclang. */
bool tokens_equal(Arena *a, const char *name, const char *old, const char *new, Buf *why);

#endif

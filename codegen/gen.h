/* gen.h: from graphs without composites to C text.
 *
 * lower() turns one graph into a Plan: an ordered list of kernel calls on
 * values that live in memory. program() puts the plans of a model together,
 * gives every value a place, and unit_*() print the files. */
#ifndef GEN_H
#define GEN_H

#include "ir.h"

typedef struct Stmt Stmt;
typedef struct Block { Stmt **s; int64_t n, cap; } Block;
typedef struct Plan Plan;
typedef struct Kernels Kernels;

typedef enum Backend { BACKEND_FUSED, BACKEND_NOP } Backend;
typedef enum Optimizer { OPT_NONE, OPT_SGD, OPT_MOMENTUM, OPT_ADAM, OPT_ADAMW } Optimizer;

/* where values of files are: AUTO: in the source when those of a kind, first values or constants, take INLINE_MOST
 * together; GIVEN: the caller is ours: constants stand in the source, first values nowhere, nothing reads files */
typedef enum Weights { WEIGHTS_AUTO, WEIGHTS_INLINE, WEIGHTS_FILE, WEIGHTS_GIVEN } Weights;

typedef struct GenOptions {
	Backend backend;
	Optimizer optimizer;
	bool accumulate;               /* --grad=accumulate */
	const char *infer;             /* --infer=OUT,...; NULL: all outputs but the loss */
	const char *option_text;       /* canonical list for the head of each file */
	const char *input_base;        /* basename of the IR file */
	const char *version;           /* NULL: no --stamp-version */
	Weights weights;
	bool checkpoint;               /* load and save, even if no weights are loaded */
	bool ticks;                    /* functions call bench_tick() after each step, for harness_bench() */
} GenOptions;
enum { INLINE_MOST = 1 << 20, WHY = 256 };       /* bytes; the second of a complaint about a file, in emitted code */

/* ---- runtime helpers: rt.c ----
 * The files of codegen/rt are real C, compiled and tested as they are; the build embeds their text. An item
 * of such a file is what lies between two blank lines at its outer level; it defines one name rt_NAME (a
 * function, a macro in either branch of an #if). Items in use are printed with rt_ replaced by MODEL_. */
typedef struct RtSet RtSet;            /* names of items in use */
RtSet *rt_set(Arena *a);
void rt_use(RtSet *set, const char *name);       /* "rt_exp_f32"; what it calls follows by itself; bug() when there is none */
bool rt_has(const RtSet *set, const char *name);
/* What stands before the first kernel: rt/prologue.h, which includes math.h, stdbool.h, stddef.h, stdint.h and
 * string.h and defines, in capitals of the model's name,
 *   MODEL_PARALLEL_FOR          before a for loop whose iterations are independent of each other
 *   MODEL_PARALLEL_FOR_CHECK    the same; its body may do `bad |= ...` on an int
 *   MODEL_SIMD                  bytes of a vector of the machine (64, 32, 16); 0 without GCC's vector extensions
 *                               or under MODEL_NO_SIMD: for #if
 *   MODEL_CONTRACT              before a function: a * b + c in it becomes one rounding where the machine can, as in
 *                               tiles of contractions; nowhere else. Its body begins with
 *   MODEL_CONTRACT_BODY
 * then the helpers in use. */
void rt_print(Buf *b, const RtSet *set, const char *model);

/* ---- the tree of a kernel: tree.c (values and statements), print.c ----
 * Values are pure and shared: equal ones of a kernel are one object. Index arithmetic is values of I64. */
typedef struct Val Val;
typedef struct Var {                   /* a scalar C variable */
	int id;                        /* within the kernel */
	const char *name;
	DType dt;
	bool loop;                     /* a loop counter over [0, end), at most 64 in a kernel */
	uint64_t within;               /* no counter: loops in which it changes */
	Dim extent;                    /* what end is the value of; {-1, 0}: something else */
	const struct Val *end;
	int64_t most;                  /* end at the symbols' max */
} Var;
typedef struct Mem {                   /* an array: a parameter of the kernel, or local */
	int id;
	const char *name;
	DType dt;
	int param;                     /* index in Kernel.buf; -1: local; -2: within scratch */
	int64_t len;                   /* local: elements; within scratch: offset in bytes */
	uint64_t within;               /* local: the loops in each iteration of which it is filled anew; */
	bool awaited;                  /* its loads come after the loop that fills it */
	bool aligned;                  /* local: vectors are read from it */
	bool read, write;
} Mem;
/* How a reduction accumulates: a function of the node's own shape, so that its bits do not depend on the
 * kernel. Runs of at most 256 terms are added in order, their results again in runs of 256, and so on.
 * LANES: term i belongs to lane i mod 32, each lane is a sum of its own, lanes are combined pairwise. */
typedef enum Order { BY_CHUNKS /* first runs of 32 */, BY_LANES, BY_BLOCKS /* of 256: contractions */ } Order;
enum { LANES = 32, CHUNK = 32, RUN = 256 };
typedef enum ValKind {
	V_INT,                         /* num.i */
	V_NUM,                         /* num.f */
	V_VAR,
	V_SYM,                         /* run-time size num.i of the graph's symbols */
	V_LOAD,                        /* mem[x0] */
	V_ADDR,                        /* mem + x0 */
	V_CALL,                        /* op(x...): a libm name, or an rt_ name */
	V_UNARY,                       /* op x0 */
	V_BINARY,                      /* x0 op x1 */
	V_COND,                        /* x0 ? x1 : x2; x1, x2 are evaluated only when chosen if `guard` */
	V_CAST,                        /* (dt)x0 */
	V_REDUCE                       /* x0 combined over loop variable var: see reduce.c */
} ValKind;
struct Val {
	ValKind kind;
	int id;
	DType dt;
	bool guard;                    /* V_COND: a branch not chosen may load out of bounds */
	bool check;                    /* V_CALL clamping an index: what it changes is reported */
	union { int64_t i; double f; } num;
	const Var *var;
	const Mem *mem;
	const char *op;
	Combine combine;               /* V_REDUCE */
	Order order;                   /* V_REDUCE */
	int nx;
	const Val *x[12];
	const char *name;              /* what to call it when it is named; NULL: no idea */
	bool own;                      /* the value of a node that the user named */
	uint64_t loops;                /* loop variables it depends on */
	int size;                      /* nodes of the tree when printed in full, saturated */
	int cost;                      /* as Op.cost, saturated */
};
typedef enum StmtKind { S_FOR, S_LET, S_VAR, S_SET, S_ARRAY, S_STORE, S_ACC, S_CALL, S_IF, S_BAD, S_NOTE } StmtKind;
typedef enum Parallel { SERIAL, PARALLEL, PARALLEL_CHECK } Parallel;
struct Stmt {
	StmtKind kind;
	const Var *var;                /* S_FOR: counter; S_LET: const; S_VAR, S_SET */
	const Mem *mem;                /* S_ARRAY (zeroed when x[0]; or within scratch), S_STORE, S_ACC: element x[0] */
	const Val *x[3];               /* S_FOR: from, to; S_LET, S_VAR, S_SET: value; S_STORE, S_ACC: index, value;
	                                * S_IF, S_BAD, S_CALL: x[0] */
	int64_t step;                  /* S_FOR */
	Parallel parallel;             /* S_FOR */
	int nest;                      /* with it: so many nested loops, this one included, are worth sharing out */
	Combine combine;               /* S_ACC, and S_SET when not R_NONE: combined with what is there */
	Block body, other;             /* S_FOR; S_IF: then, else */
	const char *text;              /* S_NOTE: a comment */
	int part;                      /* before scheduling: the first statement of that part of a kernel (from 1) */
};

/* a kernel under construction */
enum { MAXLOOP = 64, MAXINDEX = 128 };
typedef struct Build {
	Arena *arena;
	Graph *g;
	IxCtx *ix;
	const Kernels *ks;
	Node **storage;                /* of the plan */
	bool *inside;                  /* by node id: computed here, not loaded */
	Mem **memof;                   /* by node id: the parameter that holds it */
	Mem **kept;                    /* by node id: the array that has its elements of the current row, or NULL */
	const Ix *row_begin;           /* of kept values: the row's first element */
	Map *shared, *values, *names;
	int nval, nvar, nmem, nloop, nix;
	const Var *loop[MAXLOOP];
	const Val *ixval[MAXINDEX];    /* by index variable: loops, then computed indices */
	const Ix *ixvar[MAXINDEX];
	Mem **param;
	Node **paramnode;
	int64_t nparam, capparam, capnode;
	int64_t scratch;
	Mem *scratchmem;
	bool checks;                   /* an index is range-checked */
	const Node *tiled;             /* a contraction, scan or sort; its element tile_at is tile_value */
	const Ix *tile_at;
	const Val *tile_value;
	struct Divisor { int loop; Dim d; } divisor[16];     /* by which loops must split for indices to be affine */
	int ndivisor;
	Block top;
} Build;
Build *build_new(Arena *a, Graph *g, const Kernels *ks, Node **storage);
const char *math_name(const Build *b, const char *fn, DType d);      /* of a libm function for that dtype */
const char *build_name(Build *b, const char *base);          /* an unused identifier like it */
const char *build_candidate(Build *b, const char *base, int n);        /* the n-th like it, or NULL: it is in use */
const Var *build_var(Build *b, const char *name, DType dt);
/* whose value changes in those loops */
const Var *build_within(Build *b, const char *name, DType dt, uint64_t loops);
const Var *build_loop(Build *b, Dim extent, uint64_t avoid);
const Var *build_counter(Build *b, const char *name, const Val *end, int64_t most);     /* a loop variable of its own */
Mem *build_scratch(Build *b, const char *name, DType dt, int64_t elements);  /* at the symbols' max */
const Ix *build_index(Build *b, const Val *v, Dim extent);
Mem *build_array(Build *b, const char *name, DType dt, int64_t len);
const Val *v_int(Build *b, int64_t i);
const Val *v_lit(Build *b, DType dt, int64_t i);
const Val *v_num(Build *b, DType dt, double f);
const Val *v_var(Build *b, const Var *x);
const Val *v_load(Build *b, Mem *m, const Val *at);
const Val *v_addr(Build *b, const Mem *m, const Val *at);
const Val *v_call(Build *b, DType dt, const char *op, const Val *const *x, int nx);
const Val *v_clamp(Build *b, const Val *index, const Val *n);
const Val *v_unary(Build *b, DType dt, const char *op, const Val *x);
const Val *v_binary(Build *b, DType dt, const char *op, const Val *l, const Val *r);
const Val *v_cond(Build *b, const Val *c, const Val *yes, const Val *no, bool guard);
const Val *v_cast(Build *b, DType dt, const Val *x);
const Val *v_reduce(Build *b, Combine combine, Order order, const Var *over, const Val *x);
const Val *v_combine(Build *b, Combine c, const Val *old, const Val *v);
const Val *v_with(Build *b, const Val *v, const Val *const *x);     /* v with other operands */
const Val *v_identity(Build *b, Combine c, DType d);
const Val *v_min(Build *b, const Val *x, const Val *y);
const Val *v_dim(Build *b, Dim d);
const Val *v_ix(Build *b, const Ix *a);
Stmt *stmt(Build *b, Block *at, StmtKind kind);
Stmt *for_new(Build *b, const Var *v, const Val *from, const Val *to, int64_t step);
void block_add(Build *b, Block *at, Stmt *s);
Stmt *s_for(Build *b, Block *at, const Var *v, const Val *from, const Val *to, int64_t step);
Stmt *s_loop(Build *b, Block *at, const Var *v);
void s_store(Build *b, Block *at, Mem *m, const Val *index, const Val *v);
void s_acc(Build *b, Block *at, Mem *m, const Val *index, Combine combine, const Val *v);
void s_let(Build *b, Block *at, const Var *x, const Val *v);
void s_var(Build *b, Block *at, const Var *x, const Val *v);
void s_set(Build *b, Block *at, const Var *x, Combine combine, const Val *v);
void s_array(Build *b, Block *at, const Mem *m, bool zeroed);
void s_call(Build *b, Block *at, const Val *call);
Stmt *s_if(Build *b, Block *at, const Val *cond);
void s_note(Build *b, Block *at, const char *text);

/* element.c */
const char *node_name(Build *b, const Node *n);
Mem *node_mem(Build *b, Node *n);      /* the parameter that is the memory of n */
const Val *element(Build *b, const Node *n, const Ix *const *o);      /* element o */
const Val *tile_value(Build *b, const Node *n, const Ix *const *o);   /* of b->tiled */
const Val *convert(Build *b, DType to, const Val *x);        /* as the cast op does */
int index_dim(const Node *n);
const Ix *checked_index(Build *b, const Node *n, const Ix *const *o);

/* dot.c: contractions */
int dot_summed(const Node *n, char *label, Dim *size);
const Val *dot_value(Build *b, const Node *n, const Ix *const *o);   /* element o as one sum */
/* The kernel of contraction n, to be scheduled: statements of all that b->inside holds. Each root is n, or is
 * computed from elements of n in the same row-major place, and from what is in memory. Views of operands may be
 * inside, so may what computes them: it is done once for each block of rows or columns.
 * An element's bits depend on n alone: not on roots, tiles, threads. */
void dot_kernel(Build *b, Node *n, Node *const *root, int64_t nroot);

/* nest.c: nested loops */
enum { MAXAXIS = 16 };
typedef struct Axes {
	int n;
	Dim extent[MAXAXIS];
	const Var *var[MAXAXIS];       /* NULL: one element, no loop */
} Axes;
/* loops over axes of more than one element; the row-major index over all of them is set. *body becomes the
 * innermost body, variables are added to *used. Returns the outermost loop, or NULL. */
/* threads share the loop, if there is one and enough work; n: loops from it inwards whose iterations are independent */
void set_parallel(const Build *b, Stmt *outer, int n, int64_t work);
bool worth_sharing(int64_t work);                /* do so many operations pay for a parallel region? */
Stmt *open_loops(Build *b, Axes *x, uint64_t *used, const Ix **linear, Block **body);

/* ordered.c: the kernel of scan or sort n, as dot_kernel() is of a contraction. rows and behind: the dimensions before
 * and after the one that it runs along, which loops are opened over; a sort leaves them alone. */
void ordered_kernel(Build *b, Node *n, Node *const *root, int64_t nroot, Axes *rows, Axes *behind);
/* of that dimension, and all before and after */
void ordered_sizes(const Node *n, Dim *outer, Dim *size, Dim *inner);

/* nest.c: the loops of a kernel; each returns a scheduled kernel under construction */
Build *element_kernel(Arena *a, Graph *g, const Kernels *ks, Node **storage, Node *n);       /* plain loops, one node */
Build *group_kernel(Arena *a, Graph *g, const Kernels *ks, Node **storage, const Group *k);
/* ---- keep.c ---- values of a row of that width that several loops over it compute, in the order of the graph, to be
 * computed once and kept in arrays; how many */
int64_t kept_values(Arena *a, const Graph *g, const Group *k, Dim width, Node ***out);

/* loop.c: statements of raw values (with reductions) become statements in C's order: loops for reductions,
 * names for what is used twice or does not change in a loop, each in the outermost loop where it is known */
void schedule(Build *b);

/* reuse.c: Step.reuse of the kernel that b has become */
const uint64_t *find_reuse(Arena *a, const Build *b);

/* print.c */
/* the loops that threads share: of s->nest, those with nothing between them; 0: s runs in one thread */
int parallel_loops(const Stmt *s);
const char *parallel_macro(const Stmt *s);       /* what stands before them: "RT_PARALLEL_FOR_2" */
void block_print(Buf *b, const Graph *g, const Block *body, const char *model, int indent, bool plain);
void line_print(Buf *b, const char *s, int indent);
const char *rt_name(Arena *a, const char *op, const char *model);   /* as the unit calls it */

/* ---- kernels: kernel.c; lowering: lower.c, element.c, loop.c, dot.c ---- */

typedef struct KBuf {                  /* a pointer parameter of a kernel */
	const char *name;              /* C identifier within the kernel */
	DType dt;
	bool write;                    /* written; read too when also `read` */
	bool read;
} KBuf;
typedef struct Kernel {
	const char *name;              /* "k03_linear_relu": unique in the unit; the unit adds "MODEL_" */
	int nbuf;
	const KBuf *buf;
	uint32_t syms;                 /* bit s: takes symbol s as int64_t, in order of s, before the buffers */
	Block body;
	const char *doc;               /* lines of the comment over it: nodes, scopes, shapes */
	int64_t flops, bytes;          /* at the symbols' hint */
	const struct ScanLoop *scan;   /* a loop that calls other kernels, instead of a body: see scan.c; or NULL */
	bool checks_index;             /* returns int: nonzero when an index was out of range */
	bool branches;                 /* gcc must keep its branches: confuses_masks() */
	int64_t scratch;               /* bytes of workspace it wants beyond its buffers, at the symbols' max, aligned as
	                                * NAME_ALIGN; passed as a last parameter `void *scratch` when > 0 */
} Kernel;
/* All kernels of one unit; equal ones (up to names and doc) are kept once. */
Kernels *kernels_new(Arena *a, const Graph *symbols, Backend b);
Backend kernels_backend(const Kernels *ks);
/* the finished kernel of b under that name and doc, or the equal one that is there */
const Kernel *kernels_add(Kernels *ks, Build *b, const char *name, const char *doc, int64_t flops, int64_t bytes);
/* the same of a kernel made otherwise */
const Kernel *kernels_put(Kernels *ks, const Kernel *k, const char *name);
int kernels_len(const Kernels *ks);
const Kernel *kernels_at(const Kernels *ks, int i);
RtSet *kernels_rt(const Kernels *ks);            /* what the kernels use; the unit may add to it */
bool confuses_masks(Arena *a, const Block *k);   /* masks.c: gcc must keep its branches */
/* the text of one kernel: comment, signature (`static void MODEL_k03_x(...)`), body */
void kernel_print(Buf *b, const Kernels *ks, const Kernel *k, const char *model);
/* one call: buf[i] is the node whose memory parameter i is; a written one gets its value here */
typedef struct Step {
	const Kernel *kernel;
	Node **buf;
	/* reuse[i] for a written buffer i: bit j set when i may be the very memory of read buffer j, because each
	 * element of j is read last where i is written (in place at last use). The chosen pair is set in `same`. */
	const uint64_t *reuse;
	int *same;                     /* set by program(), before step_share(): index j, or -1 */
} Step;
/* Parameters are restrict, so buffers that share memory must be one parameter: replaces the step's kernel by
 * a variant in which i and same[i] are merged (kernel, buf, reuse and same change). The old one is dropped
 * from the unit when no step uses it: kernels_prune() after the last step_share(). */
void step_share(Kernels *ks, Step *s);
void kernels_prune(Kernels *ks, const Plan *const *plan, int n);
struct Plan {
	const Graph *g;
	int nstep;
	Step *step;
	Node **storage;                /* by node id: the node whose memory holds the value (itself, or the base of an
	                                * alias view); NULL: it is never in memory */
};
/* Every value that the graph's interface names (out, update, grad, saved) is in memory after the last step, as
 * a dense row-major array of its own, or is a leaf or a constant. `constant` nodes of more than one element
 * are like leaves: in memory before the first step, given by the unit as static const arrays.
 * Contract: g has no composite. Steps are in execution order. */
Plan *lower(Arena *a, Graph *g, Kernels *ks);

/* scan.c: the kernel of scan n, whose result r is wanted in the memory of item[r], or not (NULL); *buf: of its
 * parameters */
const Kernel *steps_kernel(Arena *a, Graph *g, Kernels *ks, Node **storage, Node *n, Node *const *item, const char *doc,
	Node ***buf);
/* the inside of its function */
void steps_print(Buf *b, const Graph *g, const Kernel *k, const char *model, bool plain);
void steps_mark(const Kernel *k, void (*mark)(const Kernel *called, void *arg), void *arg);

/* ---- ctext.c: what kernels and units print alike ---- */
const char *c_type(DType d);                     /* "float", "int64_t", "bool" */
/* a dimension at run time, "in->B * 512", where symbols are variables behind the prefix; bytes of a tensor likewise */
const char *c_dim(Arena *a, const Graph *g, Dim d, const char *prefix);
const char *c_bytes(Arena *a, const Graph *g, const Type *t, const char *prefix);
const char *upper(Arena *a, const char *s);      /* in capitals, as macros are */
/* words of the user within a C comment: no comment ends or begins there, no trigraph, no line break,
 * no character that turns the direction of text */
void buf_comment(Buf *b, const char *s);
void buf_c_string(Buf *b, const char *s);        /* a string literal */
void buf_line(Buf *b, int indent, const char *s);        /* C, broken at 100 columns, not in strings */
void buf_lines(Buf *b, const char *text);                 /* C and comments, lines that are too long broken anew */
/* words broken at 100 columns; first stands before the first line, prefix before the others, end after the last */
void buf_paragraph(Buf *b, const char *first, const char *prefix, const char *s, const char *end);

enum { ALIGN = 64 };                   /* of every offset that is planned, in bytes */

/* ---- program: members.c (the API's structs), program.c (what is called when), buffers.c (where values live) ---- */

typedef enum Area { AREA_NONE, AREA_INPUT, AREA_PARAM, AREA_STATE, AREA_DATA, AREA_COTANGENT, AREA_OUTPUT, AREA_GRAD,
	AREA_CONST,
	AREA_SAVED, AREA_WORKSPACE, NAREA } Area;
typedef struct Place {
	Area area;
	int index;                     /* of the member, or of the constant */
	int64_t offset;                /* SAVED, WORKSPACE: bytes */
	int64_t bytes;                 /* at the symbols' max */
	bool spare;                    /* OUTPUT, GRAD: `offset` of the workspace takes the value when the caller's
	                                * pointer is NULL and something else needs the value */
} Place;

typedef struct Member {                /* a tensor of a struct of the API */
	const char *name;              /* in the IR */
	const char *cname;
	const char *doc;               /* or NULL */
	Type type;
	int64_t offset, bytes;         /* in the flat array, at the symbols' max */
	const Leaf *leaf;              /* or NULL */
	const Blob *blob;              /* DATA: what the caller loads; PARAM, STATE: first value of a file; or NULL */
	int param;                     /* GRAD: the parameter whose gradient it is, or -1 */
	Range *limit;                  /* what it is used as an index into */
	int64_t nlimit, caplimit;
} Member;
typedef struct Members {
	Member *m;
	int64_t n, cap;
	int64_t bytes;                 /* of the flat array */
} Members;
typedef struct Program Program;
Area area_of(Role r);
void members_make(Arena *a, Program *p);         /* fills p->of, but for DATA and SAVED */
int data_member(Arena *a, Program *p, const Node *n);    /* of a constant; made when it is new */
int member_find(const Members *ms, const char *name);    /* by name in the IR; -1: absent */

typedef struct Result {                /* what a function leaves behind */
	Area to;                       /* OUTPUT, GRAD, SAVED; STATE, PARAM: an update */
	int index;
	Node *v;
	int phase;                     /* whose graph v belongs to */
	bool optional;                 /* the caller may pass NULL */
	bool add;                      /* gradients: added to what is there */
	int slot;
} Result;
/* the optional results that a step works for: it runs when one of them is wanted */
typedef struct Need {
	bool always;
	int id;                        /* in Function.need, when not always; -1: for nothing */
	uint64_t *set;                 /* bits: indices in Function.result */
} Need;
typedef struct Slot {                  /* something in memory during a function */
	Node *n;                       /* its storage node */
	const char *cname;             /* unique in the function */
	Place place;
	int def, last;                 /* times at which it is first written (leaves and constants: -1) and last used */
	Need need;
	int same;                      /* the slot whose memory it took over, or -1 */
} Slot;
typedef struct Copy {                  /* at the end of a phase: a result whose value lies elsewhere */
	int result;                    /* in Function.result; its slot is the source */
	int64_t via;                   /* >= 0: through the workspace at this offset, since the source is overwritten too */
} Copy;
typedef struct Phase {
	Plan *plan;
	int start, end;                /* time of the first step; time of the copies, after the last */
	int *slot;                     /* by node id of plan->g: index in Function.slot, or -1 */
	Need *need;                    /* by step */
	int64_t *scratch;              /* by step: offset of what its kernel works in, or -1 */
	Copy *copy;
	int64_t ncopy, capcopy;
} Phase;
typedef struct Function {              /* one of forward, backward, infer, train_step */
	const char *name;
	int nphase;                    /* train_step: 2, forward and backward */
	Phase phase[2];
	Result *result;
	int64_t nresult, capresult;
	Slot *slot;
	int64_t nslot, capslot;
	Need *need;                    /* the distinct ones, smaller sets first */
	int64_t nneed, capneed;
	int64_t workspace, bound;      /* bytes, and the lower bound of any packing */
} Function;
void buffers(Arena *a, Program *p, Function *f);     /* from plans and results: slots, needs, places, copies */

struct Program {
	const Graph *user;             /* the model as read */
	const GenOptions *opt;
	const Split *split;            /* NULL: nothing to differentiate */
	Kernels *kernels;
	Function *forward, *backward, *infer, *train;  /* NULL where absent */
	Members of[NAREA];             /* INPUT, PARAM, STATE, COTANGENT, OUTPUT, GRAD; DATA: constants that the caller
	                                * loads from files; SAVED: what forward keeps */
	const Graph *all;              /* user, with calls as nodes */
	bool first_inline;             /* values of files stand in the source: of parameters and buffers, */
	bool constants_inline;         /* of constants */
	Node **constant;               /* CONST: one node of each distinct blob */
	Map *constants;                /* dtype and data -> index + 1 */
	int64_t nconstant, capconstant;
	int64_t header;                /* bytes of the header of saved */
	const char *sha;               /* of canonical input and options */
	uint32_t syms;                 /* bit s: symbol s is a member of inputs */
};
bool optimized(const Program *p, int grad);      /* does the optimizer change the parameter of this gradient? */
Program *program(Arena *a, const Graph *user, const Split *s, Graph *infer, const GenOptions *o);

/* ---- files: compile.c makes them all ---- */
/* api.c */
void unit_head(Buf *b, const Program *p);        /* the comment that every file begins with */
void buf_documented(Buf *b, const char *code, const char *doc);      /* a member with its comment */
bool has_struct(const Program *p, Area area);
const char *call_arguments(Arena *a, const Program *p, const Function *f);   /* "(const m_inputs *in, …)" */
/* unit.c */
/* of a table of NAME_tensor */
void tensor_row(Buf *b, const Program *p, const char *name, const Type *t, int64_t offset);
void array_print(Buf *b, const char *name, DType d, const void *data, int64_t nbytes);   /* static const */
/* init.c */
bool init_inline(const Program *p, const Member *m);     /* its first value is of a file and stands in the source */
void init_use(const Program *p);                 /* notes the helpers that init_print() will call */
void init_print(Buf *b, const Program *p);
/* call.c */
void call_use(const Program *p);                 /* notes the helpers that it will call */
void call_print_helpers(Buf *b, const Program *p);
void call_print(Buf *b, const Program *p, const Function *f);  /* f may be NULL */
const Step *const *call_steps(Arena *a, const Function *f, int *n);    /* in the order in which they run */
/* optimizer.c */
int optimizer_moments(const Program *p);         /* arrays of the size of the parameters that it keeps */
const char *optimizer_nulls(Arena *a, const Program *p);     /* the condition that one is missing */
void optimizer_print_api(Buf *b, const Program *p);
void optimizer_print(Buf *b, const Program *p);
const char *optimizer_setting(const Program *p, int k);      /* the name of the k-th, or NULL */
DType optimizer_dtype(const Program *p);         /* of settings */
/* checkpoint.c */
void values_place(Arena *a, Program *p);         /* decides first_inline and constants_inline */
bool loads_weights(const Program *p);            /* there is NAME_weights_load */
bool has_checkpoint(const Program *p);           /* there are NAME_load and NAME_save */
bool uses_files(const Program *p);               /* one of the two */
void checkpoint_check(const Program *p);         /* complains about what a file cannot have */
void checkpoint_use(const Program *p);           /* notes the helpers that it will call */
void checkpoint_print_codes(Buf *b, const Program *p);
void checkpoint_print_api(Buf *b, const Program *p);
void checkpoint_print(Buf *b, const Program *p);
/* api.c, unit.c, manifest.c */
void unit_header(Buf *b, const Program *p);      /* NAME.h */
void unit_source(Buf *b, const Program *p);      /* NAME.c */
void unit_manifest(Buf *b, const Program *p, const Buf *header, const Buf *source);   /* NAME.manifest.json */
typedef struct Unit { Buf header, source, manifest; } Unit;
/* a model as read and its split (NULL: nothing to differentiate) as a program, and that as texts */
Program *program_make(Arena *a, const Graph *user, const Split *s, const GenOptions *g);
Unit unit_make(Arena *a, const Graph *user, const Split *s, const GenOptions *g);
/* the whole pipeline on a model as read: differentiation, split, kernels, memory, texts */
Unit compile_model(Arena *a, const Graph *user, const Options *o, const GenOptions *g);

/* ---- harness.c ---- emitted units compiled by the system's compiler and called */
typedef enum Call { CALL_INFER, CALL_FORWARD, CALL_BACKWARD, CALL_TRAIN, CALL_UPDATE } Call;
typedef struct Job {
	int model;                     /* which of the programs */
	Call call;                     /* BACKWARD: forward, then backward */
	const int64_t *symval;         /* by symbol of the model */
	int fill;                      /* byte in memory that has no content before */
	Tensor *const *value[NAREA];   /* content by member, for any area of the API; NULL: none */
	const bool *null[NAREA];       /* by member: the call gets NULL; NULL: no member */
	int64_t step;                  /* of the optimizer; after the call, what it is then */
	const void *moments;           /* likewise; NULL: zeros */
	/* after the call, for outputs, parameters, state and gradients: by member; data is NULL where `null` says so.
	 * Outputs are as forward left them. */
	Array *result[NAREA];
	int code[2];                   /* what the calls returned: forward's (or the only one's), backward's */
} Job;
typedef struct Harness Harness;
void harness_source(Buf *b, const Program *const *p, int n);     /* main.c */
/* p: programs of different names, in one executable; they must outlive the harness. cc: a command with flags.
 * NULL: the compiler complained or failed, *why is what it said. */
Harness *harness_build(Arena *a, const Program *const *p, int n, const char *cc, const char **why);
/* NULL, or how the program ended: by a signal, since a promise of the interface is broken. threads: 0: its choice */
const char *harness_run(Harness *h, Job *job, int n, int threads);

/* How long functions take: a harness of one program, made with opt->ticks. Times are medians, in seconds; the
 * optimizer's learning rate is 0, so that values stay what they are however often they are called. */
enum { NCALL = CALL_UPDATE + 1, NCOPY = 8 };
typedef struct Times {
	bool present;
	int code;                      /* what the calls returned; 0: well */
	int samples, nstep;
	double total, rest;            /* rest: what is no step: checks, copies, the optimizer */
	const Step *const *of;         /* by step: which one it is */
	double *step;
} Times;
typedef struct Bench {
	Times call[NCALL];
	double peak_f32, peak_f64;     /* GFLOP/s of multiply-adds, of all threads */
	double copy[NCOPY];            /* GB/s of copies of 16 KiB, 64 KiB, … 256 MiB, read and written */
} Bench;
const char *harness_bench(Harness *h, const Job *job, int threads, double seconds, Bench *out);

/* ---- probe.c ---- the values inside emitted code, judged one by one */
typedef struct Probe {
	Graph *g;                      /* a copy; its leaves, in this order, are inputs; its outputs what is looked at */
	Ports out, update, saved, grad;        /* the interface that it had, of nodes of the copy */
	const Program *program;        /* to be called for CALL_INFER; members of AREA_INPUT and AREA_OUTPUT as in g;
	                                * NULL: the function computes nothing */
	Tensor **value;                /* by id, after judging: what compiled code had, else the interpreter */
} Probe;
/* g: the graph of one function, without composites. name: prefix of its symbols */
Probe *probe_make(Arena *a, const Graph *g, const char *name, const GenOptions *o);
typedef struct Judgement {
	int64_t nodes, elements;       /* compared */
	int64_t unknown;               /* elements of which too little is known: any value is let pass */
	double worst, worst_tol;       /* the greatest error, as a share of its tolerance; and that */
	const Node *at;                /* where that is; NULL: nowhere an error */
	const Node *wrong;             /* the first node that differs, or NULL; */
	int64_t k;                     /* its first element that does; what it is, should be, how far it may be off */
	double got, want, tol;
} Judgement;
/* leaf: values by leaf; got: by output of p->g, as compiled code left them. c->symval is set. */
Judgement probe_judge(EvalCtx *c, Probe *p, Tensor *const *leaf, Tensor *const *got);

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

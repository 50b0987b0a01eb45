/* ir.h: graphs of typed values, the op table, and the passes over them.
 *
 * A graph is an array of immutable nodes, inputs before users. A node has one
 * value; an op with several results is followed by `item` nodes. node() is the
 * only constructor: it infers the type, folds, and shares equal nodes. Facts
 * found by a pass are arrays indexed by node id in the pass's own struct. */
#ifndef IR_H
#define IR_H

#include "lib.h"

#define MAXRANK 8
#define MAXSYM 8
#define MAXIN 3            /* operands of a pointwise op */

/* type.c: dtypes, dimensions, types */
typedef enum DType { F64, F32, F16, BF16, I64, I32, I16, I8, U64, U8, BOOL, NDTYPE } DType;
typedef enum Class { C_FLOAT, C_INT, C_UINT, C_BOOL } Class;
Class dtype_class(DType d);
bool dtype_float(DType d);
bool dtype_half(DType d);                        /* f16, bf16: storage, computed with in f32 */
bool dtype_integer(DType d);                     /* signed or unsigned, not bool */
int dtype_size(DType d);                         /* bytes */
const char *dtype_name(DType d);                 /* "f32" */
DType dtype_parse(const char *s);                /* NDTYPE: no such dtype */

/* k * product of symbols: nibble i of sym is the exponent of graph symbol i */
typedef struct Dim { int64_t k; uint32_t sym; } Dim;
#define DIM(n) ((Dim){(n), 0})
bool dim_eq(Dim a, Dim b);
bool dim_one(Dim a);                             /* the integer 1 */
uint32_t dim_symbols(Dim a);                     /* bit s: symbol s is a factor */
bool dim_mul(Dim a, Dim b, Dim *out);            /* false: overflow (also at the symbols' max) */
bool dim_div(Dim a, Dim b, Dim *out);            /* exact quotient; false: there is none */

typedef struct Type { DType dt; int rank; Dim dim[MAXRANK]; } Type;
bool type_eq(const Type *a, const Type *b);
bool shape_eq(const Type *a, const Type *b);     /* dimensions only */
Type type_scalar(DType d);
Dim type_count(const Type *t);                   /* number of elements */
void type_drop(Type *t, int dim);                /* without that dimension; a scalar, as a vector of one, stays one */
/* the leading dimensions of matrices a and b, broadcast; false: they do not */
bool type_batch(const Type *a, const Type *b, Type *t);

typedef struct Sym { const char *name; int64_t min, max, hint; Loc at; } Sym;
typedef struct Graph Graph;
typedef struct Node Node;
typedef struct Op Op;
typedef struct Options Options;

int64_t dim_max(const Graph *g, Dim d);          /* at the symbols' max; saturates at INT64_MAX */
int64_t dim_hint(const Graph *g, Dim d);
int64_t dim_at(Dim d, const int64_t *symval);    /* at given values of the symbols */
int64_t type_max_bytes(const Graph *g, const Type *t);
int64_t type_hint_count(const Graph *g, const Type *t);
const char *dim_text(Arena *a, const Graph *g, Dim d);       /* "4*B" */
const char *type_text(Arena *a, const Graph *g, const Type *t);  /* "f32[B,512]" */
void dtype_unknown(Graph *g, Loc at, const char *name);      /* the complaint, with what was meant */
/* parse "f32[B,784]"; records a diagnostic at `at` and returns false when malformed */
bool type_parse(Graph *g, const char *s, Loc at, Type *out);
bool dim_parse(Graph *g, const char *s, Loc at, Dim *out);       /* "4*B", "12" */

/* ---- attributes ---- */
typedef enum AttrKind {
	A_INT,     /* i */
	A_NUM,     /* f, and i when the text is an integer; "inf" "-inf" "nan" accepted; is_int tells */
	A_BOOL,    /* i */
	A_STR,     /* s, one of the words of spec->words when that is set, separated by spaces */
	A_DTYPE,   /* i is a DType; key is usually "type" */
	A_INTS,    /* n, ints; a single integer stands for a list of one */
	A_SHAPE,   /* n, dims; -1 (k = -1, sym = 0) allowed where the op says so */
	A_DIM,     /* dims[0]: one dimension or signed integer, such as "4*B" or -1 */
	A_FUNCTION /* fn: a function of the document */
} AttrKind;
typedef struct AttrSpec {
	const char *name;
	AttrKind kind;
	const char *dflt;      /* JSON text; "null" leaves it unset; NULL: required */
	const char *doc;
	const char *allowed;   /* A_STR: words; A_INT, A_NUM: a range, "0..1" or "1.."; NULL: any */
} AttrSpec;
typedef struct Attr {
	bool set;              /* false: null */
	bool is_int;
	int64_t i;
	double f;
	const char *s;         /* interned in the graph */
	int n;
	const int64_t *ints;
	const Dim *dims;
	const Graph *fn;       /* its inputs are leaves, its outputs are `out`; shared between nodes */
} Attr;

/* ---- ops ---- */
typedef enum Kind {
	LEAF,      /* input, parameter, buffer, cotangent, saved value */
	SOURCE,    /* constant, full, iota, dim_size, random: no tensor operand but a key */
	MAP,       /* pointwise, operands broadcast */
	VIEW,      /* an index map: access() tells which element of which input is read */
	PACK,      /* an element is eight booleans: access() tells which */
	REDUCE,
	DOT,       /* labelled contraction */
	WINDOW,    /* contraction or reduction over a sliding view */
	INDEX,     /* gather, scatter */
	ORDERED,   /* along one dimension in order: a scan when `combine` says how it goes on, else a sort */
	CALL,      /* call, scan, cond, while, custom */
	ITEM,      /* one result of a composite with several */
	COMPOSITE  /* has a decomposition into the others */
} Kind;
enum {         /* flags */
	COMMUTATIVE = 1,   /* operands 0 and 1 may be swapped */
	RANDOM      = 2,   /* has key and stream */
	FLAT        = 4,   /* derivative zero wherever it exists */
	ALIAS       = 8,   /* a view that needs no memory: same elements, other strides */
	TO_BOOL     = 16,  /* MAP: result is bool whatever the operands are */
	CONVERT     = 32,  /* MAP: cast; result dtype is an attribute */
	SELECT      = 64,  /* MAP: operand 0 is bool, the others share the result's dtype */
	STOP        = 128, /* identity whose derivative is zero */
	NOT_YET     = 256, /* parses, refused as unsupported */
	SCATTERS    = 512, /* INDEX: writes by index */
	INTEGERS    = 1024 /* MAP: not for floats, whatever its row says of them */
};
typedef enum Combine { R_NONE, R_SUM, R_PROD, R_MAX, R_MIN, R_ARGMAX, R_ARGMIN,
	R_LOGSUM, R_LINEAR         /* scans only: log(exp(a) + exp(b)); factor * a + b */
} Combine;

/* value of a pointwise op as an expression over operands a, b, c: the text is
 * parsed by expr.c for the emitter, the functions are the same text compiled */
typedef struct MapRow {
	const char *ftext, *itext;     /* float; integer and bool. NULL: not defined for the class */
	double (*f)(double a, double b, double c);
	int64_t (*i)(int64_t a, int64_t b, int64_t c);
	uint64_t (*u)(uint64_t a, uint64_t b, uint64_t c);
	bool on_bool;                  /* the integer row also takes bool */
} MapRow;

typedef struct Tensor Tensor;
typedef struct EvalCtx EvalCtx;
typedef struct Ix Ix;
typedef struct IxCtx IxCtx;
typedef struct IxGuard IxGuard;

struct Op {
	const char *name;
	const char *alias;             /* another name that is read; the writer has one name per op */
	int id;                        /* OP_name */
	Kind kind;
	int min_in, max_in;            /* max_in < 0: any number */
	int nres;                      /* results; 0 means 1; negative: as many as the node says, see node_nres */
	unsigned flags;
	int cost;                      /* work per element of the iteration space: add, mul, compare, move 1;
	                                * div, sqrt 6; exp, log, tanh, erf, pow 20; Philox 20 */
	Combine combine;               /* REDUCE; ORDERED: how a scan goes on; a scatter: what is there with what comes */
	const MapRow *map;             /* MAP */
	const AttrSpec *attr;          /* ends with a NULL name; NULL: none */
	const char *operands;          /* names, separated by spaces: "input weight bias" */
	const char *results;           /* names of the results, when several */
	const char *doc;               /* one line */
	void (*shape)(Node *n);        /* sets n->type (and n->res), or type_error() */
	/* reference value in double / 64-bit integers; out is allocated */
	void (*eval)(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out);
	/* the same for CALL: all results */
	void (*run)(EvalCtx *c, const Node *n, Tensor *const *in, Tensor **res);
	/* cotangents d[i] of the inputs from those of the results, g[r] (NULL: zero); leave d[i] NULL for zero.
	 * NULL without FLAT: no gradient yet */
	void (*vjp)(Node *y, Node *const *g, Node **d);
	/* COMPOSITE: the same values from other ops */
	void (*compose)(Node *n, bool training, Node **res);
	/* operand i holds indices into a dimension of this size; NULL or false: it does not. *also: one more value that
	 * is allowed (ignore_index), or INT64_MIN */
	bool (*index)(const Node *n, int i, Dim *bound, int64_t *also);
	/* VIEW: element `in` of input i that element o of the output reads while guard holds; see index.c */
	void (*access)(IxCtx *c, const Node *n, const Ix *const *o, int i, const Ix **in, IxGuard *guard);
	/* PACK: element `in` that is bit i of element o, or 0 where the guard does not hold, is access() too.
	 * VIEW: the bit of the element read that element o is; NULL: it is all of it */
	const Ix *(*bit)(IxCtx *c, const Node *n, const Ix *const *o);
};

enum OpId {
#define MAP1(n, N, cost, flags, v, da, doc) OP_##n,
#define MAP2(n, N, cost, flags, v, da, db, doc) OP_##n,
#define MAP3(n, N, cost, flags, v, da, db, dc, doc) OP_##n,
#define INT1(n, v, b)
#define INT2(n, v, b)
#define INT3(n, v, b)
#define OP(n) OP_##n,
#include "ops.def"
	NOP
};
#define MAP1(n, N, cost, flags, v, da, doc) extern const Op op_##n;
#define MAP2(n, N, cost, flags, v, da, db, doc) extern const Op op_##n;
#define MAP3(n, N, cost, flags, v, da, db, dc, doc) extern const Op op_##n;
#define INT1(n, v, b)
#define INT2(n, v, b)
#define INT3(n, v, b)
#define OP(n) extern const Op op_##n;
#include "ops.def"
const Op *op_get(int id);
const Op *op_find(const char *name);             /* NULL: no such op */
const AttrSpec *op_attr(const Op *op, const char *name, int *index);
int op_nattr(const Op *op);

/* ---- nodes ---- */
typedef enum Role { INPUT, PARAM, BUFFER, COTANGENT, SAVED, NROLE } Role;
typedef enum Remat { REMAT_AUTO, REMAT_SAVE, REMAT_RECOMPUTE } Remat;
typedef enum Side { SIDE_NONE, SIDE_F, SIDE_B } Side;
typedef enum Init { INIT_NONE, INIT_ZEROS, INIT_ONES, INIT_CONSTANT, INIT_UNIFORM, INIT_NORMAL,
	INIT_KAIMING_UNIFORM, INIT_KAIMING_NORMAL, INIT_XAVIER_UNIFORM, INIT_XAVIER_NORMAL } Init;

typedef struct Leaf {
	Role role;
	const char *name;
	const char *cname;             /* "c": the C identifier, or NULL */
	const char *doc;
	Init init;
	double init_a, init_b;         /* constant; bounds; mean, std */
	const char *file, *tensor;     /* initial value from a file, or NULL */
	bool trainable;
	const char *of;                /* COTANGENT: the output it belongs to; SAVED: the value */
	Loc at;
	Node *node;
} Leaf;

typedef struct Blob {              /* data of a constant, in its dtype, row-major */
	int64_t nbytes;
	const void *data;
	const char *file, *tensor;     /* where it came from, or NULL: written inline */
	const char *name;              /* of the tensor in the file, where it has one */
} Blob;

struct Node {
	Graph *g;
	int id;                        /* position in g->node */
	const Op *op;
	int nin;
	Node **in;
	const Attr *attr;              /* op_nattr(op) of them */
	Type type;
	int nres;                      /* set by shape() where op->nres is negative */
	Type *res;                     /* types of all results when there are several */
	const char *name;              /* the user's, interned; NULL: none */
	const char *from;              /* name of the user's node it was made for, or NULL */
	const char *scope;             /* module path, or NULL */
	const Leaf *leaf;              /* LEAF */
	const Blob *blob;              /* constant */
	Remat remat;
	Side side;
	int nkernel;
	const int *kernel;             /* noted by the pass fuse: those that compute it, by the order in which they run */
	bool typed;                    /* the user asserts the type: written back */
	bool pinned;                   /* differentiated with respect to: its uses are told from those of an equal value,
	                                * so nothing folds or merges with it until grad is done */
	Loc at;
	const Loc *in_at;              /* reader only: place of each operand */
};
static inline const Attr *attr(const Node *n, int i) { return &n->attr[i]; }
static inline int node_nres(const Node *n) { return n->op->nres < 0 ? MAX(n->nres, 1) : MAX(n->op->nres, 1); }
static inline bool is_leaf(const Node *n) { return n->op->kind == LEAF; }

typedef struct Port {              /* a named value of the graph's interface */
	const char *name;
	Node *v;
	Loc at;
} Port;
typedef struct Ports { Port *p; int64_t n, cap; } Ports;

struct Graph {
	Arena *arena;
	Map *names;                    /* interned texts */
	Map *files;                    /* of arrays, by path: what was read of them; shared as names are */
	const char *file;              /* for messages; NULL: made by a pass */
	const char *name, *doc;
	int nsym;
	Sym sym[MAXSYM];
	Node **node;
	int64_t nnode, capnode;
	Leaf **leaf;                   /* in declared order */
	int64_t nleaf, capleaf;
	Ports out;                     /* public name -> value */
	Ports update;                  /* buffer or param name -> value after the call */
	int loss;                      /* index in out; -1: none */
	bool wrt_given;
	Ports wrt;                     /* what to differentiate with respect to */
	bool joint;                    /* forward and backward in one: ct, grad are filled */
	Ports ct;                      /* output name -> cotangent leaf */
	Ports grad;                    /* wrt name -> gradient */
	Ports saved;                   /* forward half of a split: what it keeps for the backward half */
	Map *shared;                   /* hash-consing: see node() */
	struct IxCtx *ix;              /* see ix_shared() */
	Buf key;                       /* scratch: the key of the node being shared */
	bool sharing, folding;         /* node() merges equal nodes; simplifies */
	bool reading;                  /* type errors are the user's: record them; else they are bugs */
	const char *cur_from, *cur_scope;   /* given to new nodes while set */
	Loc cur_at;
	Side cur_side;
	Remat cur_remat;
	const char *cur_name;          /* the reader's: name and operands' places of the node being made */
	const Loc *cur_in_at;
	Buf path;                      /* the reader's: where it stands in the document, "nodes[2].in[1]" */
	struct Functions *functions;   /* the reader's: those of the document */
	const struct Reverse *reverse; /* of a body, until grad has used it: see scan.c */
	Graph **fn;                    /* of a graph as read: all functions, by name */
	int64_t nfn, capfn;
};

/* graph.c */
Graph *graph_new(Arena *a, const char *name);
Graph *graph_like(Arena *a, const Graph *g);     /* same name, doc, symbols, file; no nodes */
const char *graph_str(Graph *g, const char *s);  /* interned */
/* THE constructor. attrs: op_nattr(op) values, or NULL for all defaults (required ones must then not exist).
 * Operands belong to g. May return another, equal node. */
Node *node(Graph *g, const Op *op, Node *const *in, int nin, const Attr *attrs);
Node *node_leaf(Graph *g, const Leaf *l, Type t);            /* copies the leaf into g->leaf */
Node *node_constant(Graph *g, Type t, const Blob *b);
/* the same op with other inputs, keeping name, scope, place, remat, side */
Node *node_copy(Graph *g, const Node *n, Node *const *in);
Node *node_pinned(Graph *g, const Op *op, Node *const *in, int nin, const Attr *attrs);
/* op.c: a value equal to n that is pinned, for n that may be used otherwise */
Node *node_pin(Node *n);
/* rebuild g without dead nodes, through node(): everything reachable from out, update, ct, grad, saved, wrt */
Graph *graph_rebuild(Arena *a, const Graph *g, bool folding);
/* the same onto h, where map[leaf id] already holds what stands for each leaf of g */
Graph *graph_copy_onto(Graph *h, const Graph *g, Node **map);
/* n onto h, its operands looked up in map, by id */
Node *node_onto(Graph *h, const Node *n, Node *const *map);
/* ports of another graph, where map has their values; all ports and flags of g's interface */
void ports_through(Graph *h, Ports *to, const Ports *from, Node *const *map);
void graph_interface(Graph *h, const Graph *g, Node *const *map);
void port_add(Graph *g, Ports *ps, const char *name, Node *v, Loc at);
Node *port_find(const Ports *ps, const char *name);          /* NULL: absent */
Leaf *leaf_find(const Graph *g, const char *name);
bool *graph_live(Arena *a, const Graph *g);      /* by id: reachable from the interface */
bool *graph_left(Arena *a, const Graph *g);      /* by id: a value that g leaves behind */
bool *graph_named(Arena *a, const Graph *g);     /* or that a function which it calls takes */
/* number of uses of each node by nodes; CSR lists of users: users[start[id] .. start[id+1]) */
typedef struct Users { int *start; Node **user; } Users;
Users graph_users(Arena *a, const Graph *g);
void attrs_default(Graph *g, const Op *op, Attr *out);       /* required ones stay unset */
/* the function that n calls or scans with; NULL: n is no such node */
const Graph *node_function(const Node *n);
/* of such a node: its own, its first named result's, or else the function's */
const char *call_name(const Node *n);

/* a complaint about the document; while g->path is set, its last line is "in: PATH" */
void graph_diag(Graph *g, Severity s, Loc at, const char *fmt, ...) PRINTF(4, 5);
/* step down in g->path; both return what path_back() takes to step up again */
int64_t path_key(Graph *g, const char *key);
int64_t path_index(Graph *g, int64_t i);
void path_back(Graph *g, int64_t mark);

/* errors of shape(): "node 'h' (linear): ..." at the node's place, recorded while g->reading, else a bug.
 * Sets the node's type to NDTYPE; nodes with such an operand are never shown to shape(). */
void type_error(Node *n, const char *fmt, ...) PRINTF(2, 3);
void type_error_in(Node *n, int operand, const char *fmt, ...) PRINTF(3, 4);     /* at the operand's place */
const char *tt(const Node *n);                   /* type text of a node, for messages (graph's arena) */
const char *nn(const Node *n);                   /* name of a node for messages: 'a', or the literal */

/* helpers for shape functions */
/* dims only; NumPy rules; type_error on clash */
bool broadcast(Node *n, const Node *const *in, int nin, Type *out);
/* operand i has the dtype of operand `like`; else names the cast that mends it */
bool dtype_as(Node *n, int i, int like);
bool same_dtype(Node *n, int from);              /* operands from.. share a dtype */
int dim_index(int64_t d, int rank);              /* dimension d, negative from the end; a scalar has 0 and -1 */
int attr_dim(const Node *n, int i, int rank);    /* the dimension that attribute i names, of a node that has a type */
int norm_dim(Node *n, int64_t d, int rank);      /* negative dims; -1 after a type_error */
/* the dims attribute `i` of n as a sorted set of axes of a rank-r operand; unset or empty means all (when empty_all) */
int norm_dims(Node *n, int i, int rank, bool empty_all, int *out);
bool dims_listed(Node *n, int i, int rank, int *out);        /* attribute i's, in its order; false after an error */
bool float_operand(Node *n, int i);              /* operand i has a float dtype; else type_error */
bool numeric_operand(Node *n, int i);            /* operand i is no bool: there are products; else type_error */
/* op_reduce.c: which dimensions of its operand a REDUCE node takes away */
void reduced_dims(const Node *n, bool *gone);
/* Maximal runs of neighbouring reduced dimensions, innermost first; dimensions of one element do not count.
 * A run is summed as one dimension (a short last one dimension by dimension); the sums of an inner run are the terms
 * of the next outer one. */
typedef struct Run { int n, dim[MAXRANK]; Dim extent; bool last; } Run;
int reduce_runs(const Node *n, Run *run);
/* op_dot.c */
typedef struct DotSpec { char label[3][MAXRANK + 1]; } DotSpec;  /* of operands a, b and the output */
DotSpec dot_spec(const Node *n);
/* op_bits.c: what can be kept in fewer bytes */
typedef struct Packing {
	Type type;                     /* what it is kept as */
	int start;                     /* dimensions from here on are packed as one */
	int pack, unpack;              /* operations per element */
} Packing;
bool packing_of(const Graph *g, const Type *t, Packing *p);      /* false: there is no way */
Node *Pack(Node *a);                             /* as packing_of() says */
Node *Unpack(Node *a, const Type *t);            /* what Pack() made of a value of type t */
/* op_call.c: what the operands and results of a scan are */
typedef struct ScanSpec {
	const Graph *body;
	int ncarry, nxs, ncaptured;    /* operands, in this order */
	int nys;                       /* results behind those of the carry */
	Dim length;
	bool reverse;
	bool by_step;                  /* random numbers differ by step */
	bool fixed;                    /* streams and keys of random ops are final: always after the pass `inline` */
} ScanSpec;
ScanSpec scan_spec(const Node *n);
Tensor *tensor_element(Arena *a, const Tensor *x, int64_t t);    /* along the first axis; shares x's memory */
/* in attributes of a scan: another body, final, and other xs */
void scan_set(Graph *g, const Op *op, Attr *a, const Graph *body, int nxs);
/* op_source.c */
bool literal_fits(const Attr *v, DType d);       /* a number attribute is a value of the dtype */
bool factor_fits(Node *n, int i, DType d);       /* the same of attribute i, which goes with operands of d; complains */
const char *literal_text(const Node *n, int i);  /* number attribute i, for messages */
bool type_fits(Node *n, const Type *t);          /* the address space holds it; else type_error */

/* ---- builders: formulas read like mathematics. The graph is that of the first operand. ---- */
#define MAP1(n, N, cost, flags, v, da, doc) Node *N(Node *a);
#define MAP2(n, N, cost, flags, v, da, db, doc) Node *N(Node *a, Node *b);
#define MAP3(n, N, cost, flags, v, da, db, dc, doc) Node *N(Node *a, Node *b, Node *c);
#define INT1(n, v, b)
#define INT2(n, v, b)
#define INT3(n, v, b)
#define OP(n)
#include "ops.def"
/* op.c */
Attr attr_default(Graph *g, const AttrSpec *s);  /* the default's JSON text as a value; required: unset */
Attr *attrs_new(Graph *g, const Op *op);         /* all defaults, to be changed by the setters below */
void set_int(const Op *op, Attr *a, const char *name, int64_t v);
void set_num(const Op *op, Attr *a, const char *name, double v);
void set_bool(const Op *op, Attr *a, const char *name, bool v);
void set_str(Graph *g, const Op *op, Attr *a, const char *name, const char *v);
void set_dtype(const Op *op, Attr *a, const char *name, DType v);
void set_ints(Graph *g, const Op *op, Attr *a, const char *name, const int64_t *v, int n);
void set_axes(Graph *g, const Op *op, Attr *a, const char *name, const int *v, int n);
void set_dims(Graph *g, const Op *op, Attr *a, const char *name, const Dim *v, int n);
const Attr *attr_of(const Node *n, const char *name);        /* by name; bug() when there is none */
Node *Lit(const Node *like, double v);           /* rank-0 constant of like's dtype */
Node *LitI(Graph *g, DType d, int64_t v);
Node *LitA(const Node *like, const Attr *a);     /* a number attribute, as either */
Node *Full(Graph *g, Type t, double v);
Node *Zeros(const Node *like);
Node *Ones(const Node *like);
Node *Data(Graph *g, Type t, const double *v);  /* a constant of these elements, row-major */
Node *Iota(Graph *g, Type t, int dim);           /* t.dt integer or float; value = index along dim */
Node *DimSize(Graph *g, Dim d, DType dt);        /* the run-time value of a dimension, rank 0; a literal when static */
Node *Cast(Node *a, DType d);                    /* a itself when already of that dtype */
Node *Wide(Node *a);                             /* f16 and bf16 as f32: arithmetic of composites happens there */
Node *Reshape(Node *a, const Dim *dim, int rank);
Node *ReshapeLike(Node *a, const Node *like);
Node *Permute(Node *a, const int *perm);
Node *Transpose(Node *a, int d0, int d1);
Node *Expand(Node *a, const Dim *dim, int rank); /* numpy broadcast to exactly this shape */
Node *ExpandLike(Node *a, const Node *like);
/* elements start, start+step, … below end, as the op's attributes; a full range gives a */
Node *Slice(Node *a, int dim, Dim start, Dim end, int64_t step);
Node *Pad(Node *a, const Dim *low, const Dim *high, double value);
Node *Cat(Node *const *a, int n, int dim);
Node *Flip(Node *a, const int *dims, int n);
/* to higher indices when by > 0; value where there was none */
Node *Shift(Node *a, int dim, int64_t by, double value);
/* op_window.c: windows along a dimension; see the op */
typedef struct WindowMap { int64_t count, stride, dilation, low, spacing; double value; } WindowMap;
WindowMap window_transposed(WindowMap m, int64_t n);         /* back to a dimension of n elements */
Node *Window(Node *a, int dim, int taps, WindowMap m);
/* along n dimensions from `first` on, size[i] taps in each; the taps are new last dimensions */
Node *Windows(Node *a, int first, int n, const int64_t *size, const WindowMap *m);
/* the transpose of that linear map: each element of the result, of these sizes, is the sum of the
 * windows' at its place */
Node *WindowsTransposed(Node *a, int first, int n, const int64_t *size, const WindowMap *m,
	const Dim *to);
enum { MAXSPACE = 3 };
int spatial_dims(const Op *op);                  /* which its name tells: "conv2d" */
/* attribute i as numbers for each spatial dimension; a single one stands for all. False after an error */
bool per_dim(Node *n, int i, int space, int64_t *out);
/* none is below `least`; false after an error that calls them `what` */
bool numbers_from(Node *n, const char *what, const int64_t *v, int count, int64_t least);
/* number of windows along n elements padded by low on either side; the last one may reach beyond them
 * where `ceil`, but begins before the padding behind them */
int64_t window_count(int64_t n, int64_t size, int64_t dilation, int64_t stride, int64_t low, bool ceil);
Node *Unsqueeze(Node *a, int dim);
Node *Squeeze(Node *a, int dim);
Node *Sum(Node *a, const int *dims, int n, bool keepdim);
Node *SumTo(Node *a, const Type *t);             /* sum what broadcasting t to a's shape repeated; result of shape t */
Node *SumLast(Node *a);                          /* over the last axis, keepdim */
Node *Mean(Node *a, const int *dims, int n, bool keepdim);
Node *Amax(Node *a, const int *dims, int n, bool keepdim);
Node *Amin(Node *a, const int *dims, int n, bool keepdim);
Node *Top(Node *a, const int *dims, int n);      /* Amax without derivative, keepdim; 0 where there is no element */
Node *Dot(const char *spec, Node *a, Node *b);   /* "bmk,bkn->bmn" */
Node *Gather(Node *a, int dim, Node *index);
Node *ScatterAdd(Node *a, int dim, Node *index, Node *src);
Node *Scatter(int op, Node *a, int dim, Node *index, Node *src);     /* any of the scatters */
Node *CumSum(Node *a, int dim, bool reverse);
Node *LinearRecurrence(Node *factor, Node *a, int dim, bool reverse);
Node *ArgSort(Node *a, int dim, bool descending);
Node *Op1(int op, Node *a);                      /* any op with default attributes */
Node *Op2(int op, Node *a, Node *b);
Node *OpN(int op, Node *const *in, int nin, const Attr *attrs);
/* a scan whose random numbers are told apart already; length counts where there are no xs */
Node *MakeScan(Graph *g, const Graph *body, Node *const *in, int nin, int ncarry, int nxs, Dim length, bool reverse);
Node *Item(Node *n, int r);                      /* result r of a composite with several; n itself when it has one */

/* compose_loss.c: what losses share. Items are what the attribute "reduction" reduces. */
#define REDUCTION_SPEC {"reduction", A_STR, "\"mean\"", "mean, sum, or none: one value per item", "mean sum none"}
void loss_type(Node *n, const Type *items);      /* sets n's */
Node *loss_reduced(const Node *n, Node *item, Node *count);  /* n's value; a mean divides by count */
Node *loss_count(const Node *x, const Type *t);  /* elements of type t, a scalar of x's dtype */
/* compose_margin.c: max(x, least), its derivative 1 where they are equal */
Node *LogSigmoid(Node *x);                       /* compose_loss.c: log(sigmoid(x)) in core ops, for x of any size */
void reshape_compose(Node *n, bool training, Node **res);   /* compose_view.c: the elements in order, n's shape */
Node *roll_dim(Node *x, int dim, int64_t shift); /* compose_pad.c: a static dimension rolled */
void act_shape(Node *n);                         /* compose_act.c: the result is like the operand, a float */
Node *at_least(Node *x, double least);

/* ---- reading and writing ---- */
/* read.c. Errors are recorded; NULL when there was one. All independent ones are found. */
Graph *graph_read(Arena *a, const char *file, const char *text, int64_t n);
/* what the read_*.c files share. A name of the document and what it stands for: */
typedef struct Value {
	Node *v;                       /* NULL: in error, or not made yet */
	Loc at;
	int node, res;                 /* result res of nodes[node]; node < 0: a leaf or constant */
} Value;
Graph *graph_of_json(Arena *a, const Json *doc, const char *part);   /* part: key within "module", or NULL */
/* each of these complains with g->path; false or NULL: it did */
void version_check(Graph *g, const Json *doc);
bool want(Graph *g, const Json *j, JsonKind kind, const char *what);
void keys_check(Graph *g, const Json *object, const char *words);
const char *did_you_mean(Graph *g, const char *s, const char *const *cand, int n);   /* "; did you mean …?" or "" */
Value *value_define(Graph *g, Map *values, const char *name, Loc at);  /* never NULL */
Value *value_find(Graph *g, const Map *values, const Json *name);
bool name_unnamed(const char *s);                /* "%12": how a value without a name is written */
Node *value_node(const Value *v);                /* NULL: poisoned; no complaint */
/* read_attr.c */
bool attr_read(Graph *g, const AttrSpec *s, Json *j, Attr *out);
/* the range of an A_INT or A_NUM; without most: infinity. NaN is in none */
void range_parse(const char *allowed, double *least, double *most);
bool number_allowed(const AttrSpec *s, double v);
bool type_read(Graph *g, const Json *j, Type *out);
bool number_read(Graph *g, DType d, const Json *j, Attr *out); /* an element of d: i and is_int, or f */
/* read_leaf.c: all leaves of a role in the object j (NULL: none). cot: input name -> output whose cotangent it is */
void leaves_read(Graph *g, Role role, const Json *j, const Map *cot, Map *values);
const char *init_word(Init init, int *nnum);     /* NULL: INIT_NONE; nnum: how many numbers it has */
/* read_const.c */
void constants_read(Graph *g, const Json *j, Map *values);
/* an array of a file (named relative to the document) that must be of type t; `what` it is, for complaints */
const Blob *file_blob(Graph *g, const char *what, const char *file, Loc file_at, const char *tensor, Loc tensor_at,
	const Type *t);
/* read_function.c: the section "functions", each read when first asked for */
void functions_declare(Graph *g, const Json *j);
const Graph *function_find(Graph *g, const Json *name);      /* NULL: there was an error, told here or before */
void functions_read(Graph *g);                   /* all that nobody asked for; then g->fn is set */
void function_fill(Graph *f, const Json *j);     /* read.c: the inside of one */
/* read_node.c: makes the nodes, those first that the values named by root need, depth first */
void nodes_read(Graph *g, const Json *j, Map *values, const char *const *root, int nroot);
int64_t stream_of(const char *name);             /* default stream of a random op: 63 bits of hash64 of its name */
/* the dtype of a literal that is operand k of a pointwise op whose operands have dtypes of[] (NDTYPE: a literal);
 * NDTYPE: no operand tells */
DType literal_dtype(const Op *op, int k, const DType *of, int n);
bool attr_same(const AttrSpec *s, const Attr *a, const Attr *b);
/* name.c: identifiers of C */
bool c_ident_ok(const char *s);
/* of a macro that the headers of emitted files may define, or the compiler */
bool c_macro(const char *s);
/* a name as C: other characters become '_', keywords of C and C++ and macros get a '_' behind, digits one before */
const char *c_ident(Arena *a, const char *name);
enum { MAX_MODEL_NAME = 64 };
const char *model_name_wrong(Arena *a, const char *name);    /* NULL: it may name a model and its files */
/* write.c: canonical JSON of a graph of either level, joint or not */
void graph_write(Buf *b, const Graph *g);
void graph_write_part(Buf *b, const Graph *g, int indent);   /* within a module: no "gradc", no newline at the end */
void number_write(Buf *b, DType d, const Attr *v);           /* an element of d as JSON */
/* canon.c: the order in which constants and nodes are written, and what they are called */
typedef struct Canon {
	Arena *arena;
	Node **order;
	int64_t n;
	const char **name;             /* by id: "%3" for a value without one; NULL: a literal */
	Node ***item;                  /* by id: an op's several results, NULL where one is not used */
	Map *taken;                    /* the users' names */
} Canon;
Canon canon(Arena *a, const Graph *g);
bool canon_inline(const Canon *c, const Node *n, int k);     /* operand k is written as a number */
/* function.c: g with f(fn) in place of each of its functions, or g itself when there are none */
typedef Graph *FunctionMap(Arena *a, const Graph *fn, void *arg);
Graph *functions_map(Arena *a, const Graph *g, FunctionMap *f, void *arg);
/* all functions that g reaches, each once, sorted by the names that they are written with: their own,
 * or with .2, .3, … behind when there is another of that name */
typedef struct Called { const Graph *fn; const char *name; } Called;
int functions_of(Arena *a, const Graph *g, Called **out);
/* schema.c */
void schema_write(Buf *b);                       /* JSON Schema (2020-12) expanded from the op table */
typedef struct Split Split;
/* verify.c: contract of every graph: ids, operand order, types re-inferred, names unique. bug() when broken */
void graph_verify(const Graph *g, const char *pass);

/* expr.c: the text of a MapRow as a tree */
typedef enum ExprKind { E_ARG, E_NUM, E_CALL, E_UNARY, E_BINARY, E_COND } ExprKind;
typedef struct Expr Expr;
struct Expr {
	ExprKind kind;
	int arg;                       /* E_ARG: 0, 1, 2 for a, b, c */
	double num;                    /* E_NUM */
	const char *op;                /* E_CALL: function name; E_UNARY: "-" "!"; E_BINARY: "+" "<" "&&" … */
	int nx;
	const Expr *x[3];              /* E_COND: condition, then, else */
};
const Expr *expr_parse(Arena *a, const char *text);          /* bug() on a bad row */
double expr_eval(const Expr *e, double a, double b, double c);
int64_t expr_eval_int(const Expr *e, bool uns, int64_t a, int64_t b, int64_t c);  /* uns: on the bits of uint64 */
const Expr *map_expr(Arena *a, const Op *op, Class c);       /* the row for that class; NULL: none */
/* libm: emitted as NAME or NAMEf. All others are helpers in codegen/rt/map.h: rt_NAME_f32, rt_NAME_f64;
 * integer rows are computed in 64 bits by rt_NAME_i64 (signed, bool) or rt_NAME_u64, converted to the dtype after;
 * rt_to_DTYPE casts floats to integers */
bool expr_fn_is_libm(const char *name);
double floor_mod(double a, double b);            /* remainder with the sign of b */
/* integers wrap; x/0, x mod 0 are 0; fmod has the dividend's sign, mod the divisor's; a negative power of a is
 * 0 unless a is 1 or -1; int_shl by a negative number is 0, int_shr by one is as by 64 */
#define INT_FN1(n) int64_t n##_i64(int64_t a); uint64_t n##_u64(uint64_t a);
#define INT_FN2(n) int64_t n##_i64(int64_t a, int64_t b); uint64_t n##_u64(uint64_t a, uint64_t b);
INT_FN1(wrap_neg) INT_FN1(int_abs) INT_FN1(int_sign)
INT_FN2(wrap_add) INT_FN2(wrap_sub) INT_FN2(wrap_mul)
INT_FN2(int_div) INT_FN2(int_fmod) INT_FN2(int_mod) INT_FN2(int_pow)
INT_FN1(int_not) INT_FN2(int_and) INT_FN2(int_or) INT_FN2(int_xor) INT_FN2(int_shl) INT_FN2(int_shr)
INT_FN2(int_gcd) INT_FN2(int_lcm) INT_FN2(fold_in)
#undef INT_FN1
#undef INT_FN2

/* index.c: integer index expressions in canonical form: a sum of coefficient * atom, where an atom is the
 * number 1 (NULL), a loop variable, a quotient or a remainder; coefficients and divisors are Dims. Division
 * is floor division by a positive divisor, so remainders are never negative; by 0, the size of an axis without
 * elements, it gives 0. Terms are sorted and expressions are shared in their context: equal pointers are equal
 * expressions, and different ones may only be equal for reasons that the simplifier does not know. Overflow of a
 * coefficient is fatal. */
typedef enum IxKind { IX_VAR, IX_QUOT, IX_REM } IxKind;
typedef struct IxAtom {
	IxKind kind;
	int id;                        /* order of creation in the context */
	int var;                       /* IX_VAR: the caller's number, >= 0 */
	Dim extent;                    /* IX_VAR: it runs over [0, extent); else the divisor */
	const Ix *num;                 /* IX_QUOT, IX_REM: what is divided */
	const Ix *lo, *hi;             /* inclusive bounds without atoms; NULL: unknown */
} IxAtom;
typedef struct IxTerm {
	const IxAtom *atom;            /* NULL: the term is a number */
	Dim k;                         /* k.k is not 0 and may be negative */
} IxTerm;
struct Ix {
	int n;
	const IxTerm *term;            /* ordered by atom id (numbers first), then by symbols; zero: no term */
	const Ix *lo, *hi;             /* as in IxAtom; a number points to itself */
};
IxCtx *ix_new(Arena *a, const Graph *g);         /* g: its symbols and their bounds */
IxCtx *ix_shared(Graph *g);            /* one for all that ask of g again and again; made when it has its symbols */
const Ix *ix_dim(IxCtx *c, Dim d);
const Ix *ix_int(IxCtx *c, int64_t v);
const Ix *ix_var(IxCtx *c, int var, Dim extent); /* a variable keeps one extent */
const Ix *ix_add(IxCtx *c, const Ix *a, const Ix *b);
const Ix *ix_sub(IxCtx *c, const Ix *a, const Ix *b);
const Ix *ix_scale(IxCtx *c, const Ix *a, Dim k);
const Ix *ix_div(IxCtx *c, const Ix *a, Dim d);
const Ix *ix_mod(IxCtx *c, const Ix *a, Dim d);
/* every occurrence of a variable replaced; `by` must lie in its range */
const Ix *ix_subst(IxCtx *c, const Ix *a, int var, const Ix *by);
bool ix_le(IxCtx *c, const Ix *a, const Ix *b);  /* proved for all values of variables and symbols */
bool ix_number(const Ix *a);                     /* without atoms */
bool ix_affine(const Ix *a);                     /* no quotient or remainder */
bool ix_uses(const Ix *a, int var);
/* an affine expression's coefficient of a variable (0: absent); false when it is not one monomial */
bool ix_coef(const Ix *a, int var, Dim *out);
/* the distinct divisors of quotients and remainders of exactly this variable, by which splitting its loop
 * makes them affine; adds to the n there are, returns the new count (at most max) */
int ix_divisors(const Ix *a, int var, Dim *out, int n, int max);
int64_t ix_eval(const Ix *a, const int64_t *var, const int64_t *sym);    /* var: by number */
const char *ix_text(IxCtx *c, const Ix *a);      /* "4*B*i0 + i1 div 3 - 1": variable 0 is i0 */
const Ix *ix_linear(IxCtx *c, const Type *t, const Ix *const *at);       /* offset in a dense row-major array */
void unravel(IxCtx *c, const Type *t, const Ix *linear, const Ix **o);   /* its inverse: the index of each dimension */

/* lo <= e < hi, where e has no constant part and lo, hi are numbers; NULL: that side always holds */
typedef struct IxCond { const Ix *e, *lo, *hi; } IxCond;
struct IxGuard {
	bool never;                    /* proved false */
	int n;
	IxCond c[MAXRANK];
};
/* conjoin lo <= e < hi, leaving out what is proved */
void ix_guard(IxCtx *c, IxGuard *guard, const Ix *e, const Ix *lo, const Ix *hi);
bool ix_guard_eval(const IxGuard *guard, const int64_t *var, const int64_t *sym);
/* A VIEW's element o is that of the first input whose guard holds; where none does, its fill value.
 * `in` has room for MAXRANK; the guard is set, not conjoined. */
void view_access(IxCtx *c, const Node *n, const Ix *const *o, int i, const Ix **in, IxGuard *guard);
const Attr *view_fill(const Node *n);            /* NULL: some guard always holds */

/* eval.c: the reference interpreter. Floats in double, integers in 64 bits. */
struct Tensor {
	Tensor **res;                  /* of a CALL: its results, and nothing else */
	DType dt;
	int rank;
	int64_t dim[MAXRANK];
	int64_t n;
	double *f;                     /* float dtypes */
	int64_t *i;                    /* integers and bool; u64 as its bits */
};
struct EvalCtx {
	Arena *arena;
	const Graph *g;
	int64_t symval[MAXSYM];
	bool round;                    /* round every result to its dtype (f32 stored in a double, …) */
	bool bad_index;                /* set when an index was out of range (the value used is clamped) */
};
Tensor *tensor_new(EvalCtx *c, const Type *t);               /* zeros, dims at c->symval */
Tensor *tensor_from_array(EvalCtx *c, const Array *x);       /* diag on unknown dtype */
Array tensor_to_array(Arena *a, const Tensor *t, const char *name);
void tensor_round(Tensor *t);                                /* to t->dt */
double round_to(DType d, double x);
int64_t wrap_to(DType d, int64_t x);                         /* two's complement truncation */
/* values of all live nodes, by id; leafval by index in g->leaf (NULL: zeros) */
Tensor **eval_graph(EvalCtx *c, const Graph *g, Tensor *const *leafval);
/* eval of every pointwise op with a row */
void map_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out);
/* one node on given operand values */
Tensor *eval_node(EvalCtx *c, const Node *n, Tensor *const *in);
/* Philox4x32-10 (Salmon et al., SC 2011): block `counter` of (key, stream) */
void philox(uint64_t key, uint64_t stream, uint64_t counter, uint32_t out[4]);

/* bound.c: a value in double, and how far a program in the graph's dtypes may lie from it */
typedef struct Bounded {
	Tensor *v;
	double *e;                     /* by element; INFINITY: unknown; NULL: the program's value is v */
	struct Bounded *res;           /* of a CALL with several results: those, and v is NULL */
} Bounded;
Bounded bound_node(EvalCtx *c, const Node *n, const Bounded *in);
/* all live nodes, by id; a node whose known[id].v is set has that value. No composites. */
Bounded *bound_graph(EvalCtx *c, const Graph *g, const Bounded *known);
bool bound_holds(const Tensor *got, const Bounded *want, int64_t k);
int64_t bound_first(const Tensor *got, const Bounded *want);     /* the first element where it does not; -1: none */

/* slope.c: gradients of the interpreter against central differences, along a random direction for each */
typedef struct Slope {
	const char *name;              /* what is differentiated with respect to */
	double grad, diff;             /* the derivative by the gradient, and by differences */
	double tol;                    /* how far apart they may be */
	bool known;                    /* false: infinite, no number, or at a kink, as far as differences can tell */
} Slope;
/* user: a model as read; leaf: values by index in user->leaf; c->symval is set. All gradients of the ops must exist. */
int slopes(EvalCtx *c, const Graph *user, const Options *o, Tensor *const *leaf, uint64_t seed, Slope **out);

/* ---- passes ---- */
struct Options {
	bool training;                 /* compose: `auto` attributes */
	const char *partition;         /* "min-cut", "default", "recompute" */
	const char *objective;         /* "traffic", "bytes", "time" */
	const char *recomputable;      /* comma-separated op names in addition, or NULL */
	const char *of;                /* grad: scalar output to differentiate; NULL: loss, or all with cotangents */
};

/* Each returns a new graph in arena a; contracts stand over the definitions. */
Graph *inlined(Arena *a, const Graph *g);                    /* inline.c: no call is left */
Graph *simplify(Arena *a, const Graph *g);                   /* fold.c */
Node *fold(Node *n);                                         /* what replaces n, not yet appended; NULL: nothing */
Graph *compose(Arena *a, const Graph *g, bool training);     /* compose.c: neither composites nor f16 sums are left */
Graph *widen(Arena *a, const Graph *g);          /* widen.c: f16 and bf16 are only stored; may be g itself */
Graph *compose_stopped(Arena *a, const Graph *g, bool training);    /* the same, with stop_gradient where it was */
Graph *compose_for_grad(Arena *a, const Graph *g, bool training);   /* only composites without a vjp */
Graph *grad(Arena *a, const Graph *g, const Options *o);     /* grad.c: joint graph */
Graph *grad_of(Arena *a, const Graph *g, const Options *o, const bool *seeded);  /* cotangents of these outputs alone */
/* by id: what depends on any of these, through derivatives that are not always 0 */
bool *grad_depends(Arena *a, const Graph *g, const bool *wrt);
/* scan.c: g with scans that keep what their derivative needs. By id: wanted, a derivative with respect to something
 * that it is computed from is; reached, it has a cotangent */
Graph *scans_prepare(Arena *a, const Graph *g, const Options *o, const bool *wanted, const bool *reached);
void scan_vjp(Node *n, Node *const *g, Node **d);
Graph *seed_one(Arena *a, const Graph *joint);                /* the loss's cotangent leaf becomes the constant 1 */
/* this leaf becomes the constant 1; map, filled by id of g: the nodes that stand for g's */
Graph *seed_leaf(Arena *a, const Graph *g, const Node *ct, Node **map);
/* the joint graph g made ordinary: gradients are outputs first+NAME, first repeated until no output collides */
void grad_as_outputs(Graph *g, const char *first);
Graph *grad_plain(Arena *a, const Graph *joint);             /* an ordinary graph: outputs gain d.NAME */
Graph *infer(Arena *a, const Graph *g, const char *outputs); /* infer.c: values only, no updates, no loss */

/* cost.c: what the partitioner knows about the fused program before there is one.
 * May producer a, read by b, run in the kernel of b without its value going through memory? Chains of
 * pointwise ops and views, reductions over trailing axes with what reads them in the same rows, pointwise ops
 * before and after a contraction. Views are looked through. Not whether it pays, nor whether a cycle arises. */
bool fusible(const Node *a, const Node *b);
int64_t node_work(const Node *n);                /* op->cost times its iteration space, at the hints; saturates */
int64_t node_hint_bytes(const Node *n);          /* of its value; saturates */
/* what it gives is there only when all is: contraction, scan, scatter */
bool ends_kernel(const Node *n);
/* fusible.c: what a kernel can compute where it reads it */
bool node_literal(const Node *n);                /* needs no memory wherever it is read */
bool node_given(const Node *n);                  /* in memory before the first kernel */
typedef enum ReduceForm {
	REDUCE_NOTHING,                /* only dimensions of one element go */
	REDUCE_ROWS,                   /* the last dimensions go */
	REDUCE_ALL,
	REDUCE_COLUMNS,                /* the first dimensions go */
	REDUCE_MIXED
} ReduceForm;
ReduceForm reduce_form(const Node *n);
bool same_reduction(const Node *a, const Node *b);
enum Where { AT_ELEMENT = 1, AT_ROW = 2, ELSEWHERE = 4 };      /* a set of them */
/* where u's element reads n. AT_ELEMENT: in the same row-major place; AT_ROW: n repeats each of its elements along u's
 * last axes */
unsigned element_relation(const Node *n, const Node *u, int operand);
typedef struct Ins { struct In { int k; unsigned place; } *v; int64_t n, cap; } Ins;
enum { MAXGROUP = 300 };               /* nodes of a kernel */
typedef struct Group {                 /* a kernel to be */
	int id;
	Node **root;                   /* what it writes */
	int64_t nroot, caproot;
	Node **node;                   /* what it computes, in the graph's order */
	int64_t nmember, capmember;
	Dim count, rows;               /* elements; rows, when has_rows */
	bool has_rows, scatter;
	bool columns;                  /* some roots are reductions over rows */
	bool gone;                     /* joined to another */
	struct Group *then;            /* what the same function does afterwards, or NULL */
	Node *dot;                     /* its contraction, scan or sort, or NULL */
	Node *call;                    /* the scan of a function that it is, or NULL */
	Node *first;                   /* the reduction that it was made for, or NULL */
	ReduceForm form;               /* of `first` */
	int nnode, mark;
	Ins dep;                       /* kernels that it waits for */
} Group;
typedef struct Judge {                 /* facts about a graph's values, by node id */
	const Graph *g;
	bool *addressed;               /* a view that a contraction reads through strides, or packs */
	bool *table;                   /* a view that a gather selects from */
	bool *nested;                  /* it is a row's value: a reduction with as many elements is behind it */
	int *again;                    /* operations for one element from what is given; -1: impossible */
	const Node **from;             /* what is read for that, beside what is much smaller; NULL: nothing */
} Judge;
/* u reads any element of it, as its index says */
bool selects_from(const Judge *j, const Node *u, int operand);
bool is_affine_view(const Node *n);              /* a contraction can read through its strides */
/* A view that shows elements again and again, as overlapping windows do, would be larger in memory than what it shows:
 * a contraction computes its elements as it packs them. */
bool is_packed_view(const Node *n);
/* where kernel k computes n for reader u, which it has at place pu */
unsigned group_place(const Node *n, const Node *u, int operand, const Group *k, unsigned pu);
/* and may it, at that place? */
bool group_fits(const Judge *j, const Node *n, const Node *u, int operand, const Group *k, unsigned place);
void judge_again(Judge *j);                      /* fills again and from */
/* in `times` kernels, done again in each rather than written and read */
bool cheap_again(const Judge *j, const Node *n, int64_t times);
/* contraction u, or a view that it reads through, may compute n while it packs its operand */
bool fits_prologue(const Judge *j, const Node *n, const Group *k);
/* fuse.c: nodes into kernels, in an order in which each comes after those that it reads from. named: by
 * node id, must be in memory. memory, filled by node id: the node (itself, or a named view) as whose memory it is
 * written, if it is */
typedef struct Groups { Group **v; int n; } Groups;
Groups fuse(Arena *a, Graph *g, const bool *named, Node **memory);
void graph_fuse(Graph *g);                       /* notes kernels at the nodes */
int64_t group_work(const Group *k);              /* at the hints, without what comes afterwards */
/* price.c: what a graph's values are to the backward pass */
typedef enum Claim {
	V_UNUSED,                      /* backward cannot use it */
	V_BACKWARD,                    /* depends on a cotangent: computed there */
	V_FREE,                        /* a leaf that is still there */
	V_FORWARD,                     /* forward computes it in any case */
	V_UNCLAIMED                    /* only backward needs it, and either side can compute it */
} Claim;
enum { NRANK = 3 };                /* the objective, then its tie-breaks */
enum { COPY_KERNEL = 0 };          /* stands for the copies of forward values that are gradients themselves */
typedef struct Price {
	int64_t save[NRANK];           /* forward writes it once for backward */
	int64_t again[NRANK];          /* backward computes it (for V_UNCLAIMED: beyond computing it once) */
	const char *no_save, *no_again;        /* why it must not be; NULL: it may */
	bool must;                     /* the user's word: saved */
	bool packed;                   /* saved as Pack() makes it */
} Price;
typedef struct Read {              /* one kernel of backward reads the value from memory, when it is saved */
	int kernel;
	int64_t price[NRANK];
} Read;
/* place.c: kernels of a backward graph that was made */
typedef struct Places {
	int nkernel;                   /* numbered from COPY_KERNEL + 1 */
	bool *dotted;                  /* by kernel: it contains a contraction */
	int *n, **kernel;              /* by id of the joint graph: those that compute the node */
	int *host;                     /* the one that writes it to memory; -1: none */
} Places;
/* nodes of a graph that is fused to price a plan: 20 ms on a dense one of that size */
enum { MAXFUSED = 4000 };
/* map: by id of the joint graph, node of bwd that has its value, or NULL */
Places *places_of(Arena *a, const Graph *joint, Graph *bwd, Node *const *map);
/* outputs and updates of the joint graph from the nodes of it in `need`; map, by its ids, is filled with theirs */
Graph *forward_graph(Arena *a, const Graph *joint, const bool *need, Node **map);
/* By id of the joint graph: it is computed where a contraction ends, and nowhere else, or would be: it is not of what
 * forward computes in any case (need) but follows something that is. Guessed beyond MAXFUSED. */
bool *places_at_dot(Arena *a, const Graph *joint, const bool *need);
typedef struct Prices {            /* by node id of the joint graph */
	Claim *claim;
	Price *price;
	int *nplace, **place;          /* kernels of backward that compute the node, should backward compute it */
	int *nread;
	Read **read;
	int nkernel;
	bool *live;                    /* of the graph, for those who walk it next */
	Users users;
	struct Pricing *pricing;       /* price.c's own */
} Prices;
/* prices before there is a plan, for kernels that are guessed */
Prices *prices_new(Arena *a, const Graph *joint, const Options *o);
/* The same when there is one. plan: by id, what backward recomputes; real: kernels of its backward graph, or NULL: they
 * are guessed. What is not recomputed would be in the kernels of those that read it under the plan. */
Prices *prices_again(const Prices *p, const bool *plan, const Places *real);
/* of a plan that is possible: NRANK sums */
void plan_cost(Arena *a, const Graph *joint, const Prices *p, const bool *saved, const bool *again, int64_t *cost);

/* split.c: joint graph -> forward and backward graphs */
typedef enum Fate { FATE_FREE, FATE_SAVED, FATE_RECOMPUTED } Fate;
typedef struct Choice {            /* one forward value that backward uses: for `explain` */
	const Node *v;                 /* of the joint graph */
	const char *name;              /* of the saved value; or the node's, NULL without one */
	Fate fate;
	int64_t bytes, hint_bytes;     /* of the value, at the symbols' max and hint */
	int64_t paid;                  /* its part of the objective */
	int64_t other;                 /* the other choice for this value alone; INT64_MAX: it has none */
	const char *why;
} Choice;
struct Split {
	Graph *fwd, *bwd;
	int64_t saved_bytes;           /* at the symbols' max: values kept, without inputs and parameters */
	int64_t hint_bytes;            /* the same at the hints */
	int64_t nrecomputed;           /* values of forward that backward computes again, without views */
	int64_t cost;                  /* the objective, for the graphs' own kernels; the cut's value when `settled` */
	bool settled;                  /* the network has these prices: no plan costs less */
	int nchoice;
	Choice *choice;                /* in the order of the joint graph */
	/* network and solution, for the certificate */
	int nvertex, narc, source, sink;
	const FlowArc *arc;
	FlowCut cut;
	const int *value_in, *value_out;       /* vertex of joint node id, or -1 */
	const Graph *joint;
	const Graph *open;             /* backward before the seed of a loss was put in */
	Node **map;                    /* by joint node id: node of bwd that has its value, or NULL */
	const Options *options;
	const Prices *prices;          /* of the network */
	const Split *before;           /* the plan that they were made for; NULL: there was none yet */
	bool fused;                    /* kernels are those of fuse(); else guessed, since the graph is large */
	bool *is_saved, *is_recomputed;        /* by joint node id */
};
/* NULL: the user's remat words contradict each other; recorded */
Split *split(Arena *a, const Graph *joint, const Options *o);
/* least cost if a saved value were not, or a recomputed one were saved; INT64_MAX: impossible */
int64_t split_otherwise(Arena *a, const Split *s, int id);
/* module.c: the document {"gradc": 1, "module": {"forward": {}, "backward": {}, "saved": [], "recomputed": []}} */
void module_write(Buf *b, const Split *s);
Split *module_read(Arena *a, const char *file, const char *text, int64_t n);   /* NULL: errors were recorded */
void certificate_write(Buf *b, const Split *s);
const char *certificate_check(Arena *a, const Split *s);     /* NULL, or what is wrong */

/* range.c: integer inputs that are used as indices */
typedef struct Range {
	const Leaf *leaf;
	Dim bound;                     /* values lie in [0, bound) */
	int64_t also;                  /* and this one is allowed too; INT64_MIN: none */
} Range;
/* one for each (leaf, bound) of a graph as read (composites say what they index); in order of leaves */
int index_ranges(Arena *a, const Graph *user, Range **out);

/* dot.c: for people */
void graph_text(Buf *b, const Graph *g);         /* one line a node */
void graph_dot(Buf *b, const Graph *g);          /* Graphviz */

/* pass.c: the table of passes and its runner */
enum { M_JOINT = 1, M_CORE = 2, M_SPLIT = 4, M_FUSED = 8 };
typedef struct Module Module;
struct Module {
	Arena *arena;
	const Options *options;
	Graph *graph;                  /* as read; then joint */
	Split *split;                  /* after split */
	unsigned has;                  /* M_ flags */
	void (*dump)(Module *m, int index, const char *pass);    /* after each pass; NULL: no */
	void *dump_arg;
};
typedef struct Pass {
	const char *name;
	void (*run)(Module *m);
	unsigned needs, gives;
	const char *doc;
} Pass;
const Pass *pass_table(int *n);
int pass_find(const char *name);                 /* -1: no such pass */
void module_run(Module *m, int from, int to);    /* passes from..to, both included */
bool differentiable(const Graph *g);             /* a loss, a trainable floating parameter, or a wrt; no empty wrt */

#endif

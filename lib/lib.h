/* lib.h: memory, text, files, numbers and solvers; nothing here knows a tensor.
 *
 * Two failures only. fail() and diag(): the user's input is wrong. bug(): we
 * are wrong. No function returns an error code; memory belongs to arenas. */
#ifndef LIB_H
#define LIB_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define LEN(a) ((int)(sizeof(a) / sizeof *(a)))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#if defined(__GNUC__)
#define PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define PRINTF(f, a)
#endif

/* mem.c: arenas. Memory is zeroed and aligned to 16; an Arena is freed whole.
 * With GRADC_DEBUG_ALLOC in the environment each allocation is a malloc of its
 * own, so that sanitizers see overruns. Sizes are checked; exhaustion is fatal. */
typedef struct Arena Arena;
Arena *arena_new(void);
void arena_free(Arena *a);                                   /* NULL is fine */
void *arena_alloc(Arena *a, int64_t n, int64_t size);        /* n objects of size bytes */
char *arena_copy(Arena *a, const char *s, int64_t n);        /* n bytes and a NUL */
char *arena_str(Arena *a, const char *s);
char *arena_fmt(Arena *a, const char *fmt, ...) PRINTF(2, 3);
/* room for one more element in v, which holds n of *cap; returns v or its larger copy */
void *arena_grow(Arena *a, void *v, int64_t n, int64_t *cap, int64_t size);
#define NEW(a, n, T) ((T *)arena_alloc((a), (n), (int64_t)sizeof(T)))
/* append x to the array v of n elements, with capacity cap (all three lvalues) */
#define PUSH(a, v, n, cap, x) \
	((v) = arena_grow((a), (v), (n), &(cap), (int64_t)sizeof *(v)), (v)[(n)++] = (x))

/* checked arithmetic on sizes: false when the result leaves int64 */
bool mul_ok(int64_t a, int64_t b, int64_t *out);
bool add_ok(int64_t a, int64_t b, int64_t *out);
int64_t mul_sat(int64_t a, int64_t b);                       /* of sizes >= 0: at most INT64_MAX */
int64_t add_sat(int64_t a, int64_t b);

/* text.c: string builder and maps */
typedef struct Buf {
	Arena *arena;
	char *s;           /* NUL-terminated once anything was put */
	int64_t n, cap;
} Buf;
void buf_putc(Buf *b, int c);
void buf_puts(Buf *b, const char *s);
void buf_put(Buf *b, const char *s, int64_t n);
void buf_printf(Buf *b, const char *fmt, ...) PRINTF(2, 3);
void buf_vprintf(Buf *b, const char *fmt, va_list ap);
const char *buf_str(Buf *b);                                 /* never NULL */

/* open-addressing map from bytes to a pointer; iteration order is insertion order */
typedef struct Map Map;
Map *map_new(Arena *a);
void *map_get(const Map *m, const char *key);                /* NULL: absent */
void map_set(Map *m, const char *key, void *val);            /* copies the key */
int map_len(const Map *m);
const char *map_key(const Map *m, int i);                    /* i-th inserted */
void *map_at(const Map *m, int i);
void *map_get_bytes(const Map *m, const void *key, int64_t n);
void map_set_bytes(Map *m, const void *key, int64_t n, void *val);
const char *intern(Map *m, const char *s, int64_t n);        /* one pointer per text */

uint64_t hash64(const void *p, int64_t n, uint64_t seed);    /* FNV-1a: the same everywhere */
/* the candidate nearest to s by edit distance (at most 1/3 of its length), or NULL */
const char *nearest(const char *s, const char *const *cand, int n);

typedef struct Rng { uint64_t s[4]; } Rng;                   /* xoshiro256** (Blackman, Vigna 2018) */
Rng rng_seed(uint64_t seed);
uint64_t rng_next(Rng *r);
int64_t rng_below(Rng *r, int64_t n);                        /* uniform in [0, n), n > 0 */
double rng_double(Rng *r);                                   /* uniform in [0, 1) */

/* diag.c: complaints in compiler form. The list of one process is the one
 * global state of gradc, as stderr is. */
typedef struct Loc {
	const char *file;  /* NULL: no place */
	int line, col;     /* from 1; 0: the file as a whole */
} Loc;
typedef enum Severity { DIAG_WARNING, DIAG_UNSUPPORTED, DIAG_ERROR } Severity;
enum { EXIT_DIFF = 1, EXIT_INPUT = 2, EXIT_UNSUPPORTED = 3, EXIT_BUDGET = 4, EXIT_BUG = 70 };
/* record a complaint; '\n' in the message starts continuation lines, printed indented by 4 */
void diag(Severity s, Loc at, const char *fmt, ...) PRINTF(3, 4);
int diag_count(Severity least);                              /* recorded with at least that severity */
/* print what was recorded, ordered by file, line, column; then, when there is an
 * unsupported thing or an error, remove temporaries and exit 3 or 2 */
void diag_check(void);
_Noreturn void fail(int code, Loc at, const char *fmt, ...) PRINTF(3, 4);  /* with all recorded before */
/* our fault: the context (pass, node, input) is printed with a request to report; exit 70 */
_Noreturn void bug(const char *fmt, ...) PRINTF(1, 2);
void bug_context(const char *pass, const char *node);        /* copied; NULL clears */
void diag_json(bool on);                                     /* --diagnostics=json: one object a line */
/* forget what was recorded: for programs that read many inputs */
void diag_reset(void);
void diag_text(Buf *b);                                      /* what diag_check() would print */
void at_exit_remove(const char *path);                       /* temporaries to unlink on a failing exit or a signal */
void at_exit_keep(const char *path);

/* json.c: strict RFC 8259 with positions; the tree is cJSON's, walked in step
 * with our scanner. Errors are recorded with diag(). A syntax error ends the
 * reading and gives NULL. Duplicate keys (the first stays) and numbers beyond
 * double (num is infinite) are errors with a tree, so that later complaints come
 * in the same run: ask diag_check() before trusting it.
 * Limits: depth 64, 1 GiB. Bad UTF-8, NUL, lone surrogates are syntax errors. */
typedef enum JsonKind { J_NULL, J_FALSE, J_TRUE, J_NUMBER, J_STRING, J_ARRAY, J_OBJECT } JsonKind;
typedef struct Json Json;
struct Json {
	JsonKind kind;
	Loc at;
	const char *str;       /* J_STRING: decoded UTF-8; J_NUMBER: the text as written */
	double num;            /* J_NUMBER: nearest double */
	int n;                 /* items or members */
	Json **item;
	const char **key;      /* J_OBJECT */
	Loc *key_at;
};
Json *json_read(Arena *a, const char *file, const char *text, int64_t n);
Json *json_get(const Json *object, const char *key);         /* exact case; NULL: absent */
bool json_int(const Json *j, int64_t *out);                  /* an integer literal (or "123" string) within int64 */
void json_quote(Buf *b, const char *utf8);                   /* appends a JSON string literal */

/* diff.c: unified, with 3 lines of context; nothing when the texts are equal */
void text_diff(Buf *b, const char *old_name, const char *old_text, const char *new_name, const char *new_text);

/* num.c: numbers and their texts, independent of locale */
/* IEEE binary16, nearest even, from double in one rounding */
uint16_t half_from_double(double x);
double half_to_double(uint16_t h);
uint16_t bfloat_from_double(double x);                       /* one rounding, nearest even */
double bfloat_to_double(uint16_t h);
/* shortest decimal text that reads back the same float/double; inf, -inf, nan */
void buf_float(Buf *b, double x, bool single);
/* C99 literal: 0.5f, 0x1.8p+1f, INFINITY, -INFINITY, NAN */
void buf_c_float(Buf *b, double x, bool single);
bool parse_double(const char *s, double *out);               /* whole string; "inf" "-inf" "nan" too */
bool parse_int64(const char *s, int64_t *out);
bool parse_uint64(const char *s, uint64_t *out);
double ulp_distance(double a, double b, bool single);        /* in units of the last place; NaN equals NaN */

/* sha256.c (FIPS 180-4) */
void sha256_hex(const void *p, int64_t n, char out[65]);

/* io.c: whole files. Reading failures are fail(EXIT_INPUT). "-" is standard input/output. */
char *read_file(Arena *a, const char *path, int64_t *n);     /* NUL-terminated */
bool file_exists(const char *path);
bool ends_with(const char *path, const char *end);
const char *path_dir(Arena *a, const char *path);            /* "." for a bare name */
const char *path_join(Arena *a, const char *dir, const char *name);   /* name when absolute */
/* A set of outputs that appears whole or not at all: every file is complete and
 * synced beside its target before the first rename; files whose bytes do not
 * change are not touched. */
typedef struct Outputs Outputs;
Outputs *outputs_new(Arena *a);
void outputs_add(Outputs *o, const char *path, const char *bytes, int64_t n);
void outputs_commit(Outputs *o);                             /* creates missing directories */
/* depfile text as gcc writes it: sorted, unique, escaped; phony: -MP */
void depfile(Buf *b, const char *target, const char *const *deps, int n, bool phony);

/* One array of a file: dtype as this project spells it ("f32", "i64", …), dense,
 * row-major, little-endian bytes of that dtype. */
typedef struct Array {
	const char *name;      /* within npz/safetensors */
	const char *dtype;
	int rank;
	int64_t dim[16];
	int64_t nbytes;
	void *data;
} Array;
Array *npy_read(Arena *a, const char *path);
int npz_read(Arena *a, const char *path, Array **out);       /* stored members only; a clear error for deflate */
int safetensors_read(Arena *a, const char *path, Array **out);
void npy_bytes(Buf *b, const Array *x);
void npz_bytes(Buf *b, const Array *x, int n);
void safetensors_bytes(Buf *b, const Array *x, int n);

/* proc.c: other programs. The child reads nothing; its output is kept. env: "NAME=value" more than
 * ours, ending with NULL, or NULL. After `seconds` it is killed with all that it started. */
typedef struct Proc {
	int status;            /* exit status; 128 + signal when one ended it */
	int signal;
	bool timed_out;
	int error;             /* errno: it could not be started; else 0 */
	Buf out, err;
} Proc;
Proc proc_run(Arena *a, const char *const *argv, const char *const *env, double seconds);
const char *proc_text(Arena *a, const Proc *p);              /* how it ended, in words; NULL: well */
/* a new directory under TMPDIR that only we can enter; removed with all it holds when this process ends */
const char *temp_dir(Arena *a);

/* flow.c: maximum flow and minimum cut. Iterative Dinic (Dinitz 1970) in CSR
 * arrays, breadth-first search from the sink, current arcs. */
#define FLOW_INF INT64_MAX
typedef struct FlowArc {
	int from, to;
	int64_t cap;           /* >= 0; FLOW_INF: may not be cut. Finite ones must sum to < INT64_MAX/4 */
} FlowArc;
typedef struct FlowCut {
	int64_t value;         /* -1: a path of infinite arcs joins source and sink */
	int64_t *flow;         /* per arc */
	uint8_t *sink_side;    /* per vertex: can still reach the sink (the cut nearest the sink) */
	int *path, npath;      /* value -1: arc indices of one shortest such path, from source to sink */
} FlowCut;
FlowCut flow_min_cut(Arena *a, int nvertex, const FlowArc *arc, int narc, int source, int sink);
/* Among all least cuts of a finite cut as found, move cut->sink_side to one that is least by rank[0] (costs >= 0
 * per arc, of those cut), among these by rank[1], …; of all that remain to the one nearest the sink. Unlike
 * scaled sums this cannot overflow. Residual arcs of a maximum flow never leave the source side of a least cut
 * (Picard and Queyranne 1980), so each rank is again a minimum cut, of the vertices still undecided. */
void flow_refine(Arena *a, int nvertex, const FlowArc *arc, int narc, int source, int sink, FlowCut *cut,
	const int64_t *const *rank, int nrank);
/* the separate checker: capacities, conservation, value = cut; NULL, or what is wrong */
const char *flow_check(Arena *a, int nvertex, const FlowArc *arc, int narc, int source, int sink,
	const FlowCut *cut);

/* pack.c: offsets for buffers with lifetimes, so that the total is small.
 * Method of several greedy orders, best kept (cf. Moffitt, MiniMalloc, ASPLOS 2023). */
typedef struct PackBuf {
	int lo, hi;            /* live in the half-open interval [lo, hi) of time */
	int64_t size, align;   /* bytes; align a power of two */
	int64_t offset;        /* out */
} PackBuf;
int64_t pack(Arena *a, PackBuf *buf, int n);                 /* total bytes */
int64_t pack_bound(const PackBuf *buf, int n);               /* greatest sum of live sizes: no plan is smaller */
const char *pack_check(Arena *a, const PackBuf *buf, int n, int64_t total);   /* NULL, or what is wrong */

/* cparse.c: C texts through libclang, which is loaded at first use (no link
 * dependency, so that start-up stays short). */
typedef struct CDiag {
	const char *file;      /* NULL: no place, then line and col are 0 */
	int line, col;
	const char *severity;  /* "warning", "error", "fatal error"; "missing header": the machine lacks a file of its C library */
	const char *text;      /* "… [-Wconversion]" */
} CDiag;
typedef struct CUnit { int ndiag; CDiag *diag; } CUnit;
typedef struct CToken {
	const char *text;      /* line splices taken out */
	int line, col;
	bool first;            /* of its logical line: directives begin and end here */
} CToken;
bool cparse_available(const char **why);                     /* *why: what is missing, for the user */
/* parse text as file `name` (never read from disk) with compiler arguments; extra files shadow
 * those on disk. Diagnostics of all files are in CUnit. A bug() unless cparse_available(). */
CUnit cparse(Arena *a, const char *name, const char *text, const char *const *args, int nargs,
	const char *const *extra_names, const char *const *extra_texts, int nextra);
int ctokens(Arena *a, const char *name, const char *text, CToken **out);   /* without comments */

#endif

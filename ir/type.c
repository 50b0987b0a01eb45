/* type: dtypes, dimensions (monomials over the graph's symbols) and types.
 *
 * A dimension is k times a product of symbols, so that equality, product and
 * exact quotient are decided by comparing two integers; B+3 cannot be said. */
#include "ir.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	int size;
	Class cls;
} dtypes[NDTYPE] = {
	[F64]  = {"f64",  8, C_FLOAT},
	[F32]  = {"f32",  4, C_FLOAT},
	[F16]  = {"f16",  2, C_FLOAT},
	[BF16] = {"bf16", 2, C_FLOAT},
	[I64]  = {"i64",  8, C_INT},
	[I32]  = {"i32",  4, C_INT},
	[I16]  = {"i16",  2, C_INT},
	[I8]   = {"i8",   1, C_INT},
	[U64]  = {"u64",  8, C_UINT},
	[U8]   = {"u8",   1, C_UINT},
	[BOOL] = {"bool", 1, C_BOOL},
};

Class
dtype_class(DType d)
{
	return dtypes[d].cls;
}

bool
dtype_float(DType d)
{
	return d < NDTYPE && dtypes[d].cls == C_FLOAT;
}

bool
dtype_half(DType d)
{
	return d == F16 || d == BF16;
}

bool
dtype_integer(DType d)
{
	return d < NDTYPE && (dtypes[d].cls == C_INT || dtypes[d].cls == C_UINT);
}

int
dtype_size(DType d)
{
	return dtypes[d].size;
}

const char *
dtype_name(DType d)
{
	return d < NDTYPE ? dtypes[d].name : "?";
}

DType
dtype_parse(const char *s)
{
	int d = 0;

	while (d < NDTYPE && strcmp(dtypes[d].name, s))
		d++;
	return d;
}

bool
dim_eq(Dim a, Dim b)
{
	return a.k == b.k && a.sym == b.sym;
}

bool
dim_one(Dim a)
{
	return a.k == 1 && !a.sym;
}

uint32_t
dim_symbols(Dim a)
{
	uint32_t set = 0;

	for (int s = 0; s < MAXSYM; s++)
		if (a.sym >> 4 * s & 15)
			set |= (uint32_t)1 << s;
	return set;
}

bool
dim_mul(Dim a, Dim b, Dim *out)
{
	int64_t k;

	if (!mul_ok(a.k, b.k, &k))
		return false;
	for (int s = 0; s < MAXSYM; s++)
		if ((a.sym >> 4 * s & 15) + (b.sym >> 4 * s & 15) > 15)
			return false;
	*out = (Dim){k, k ? a.sym + b.sym : 0};
	return true;
}

bool
dim_div(Dim a, Dim b, Dim *out)
{
	if (!b.k || a.k % b.k)
		return false;
	for (int s = 0; s < MAXSYM; s++)
		if ((a.sym >> 4 * s & 15) < (b.sym >> 4 * s & 15))
			return false;
	*out = (Dim){a.k / b.k, a.sym - b.sym};
	return true;
}

bool
shape_eq(const Type *a, const Type *b)
{
	if (a->rank != b->rank)
		return false;
	for (int i = 0; i < a->rank; i++)
		if (!dim_eq(a->dim[i], b->dim[i]))
			return false;
	return true;
}

bool
type_eq(const Type *a, const Type *b)
{
	return a->dt == b->dt && shape_eq(a, b);
}

Type
type_scalar(DType d)
{
	return (Type){.dt = d};
}

Dim
type_count(const Type *t)
{
	Dim n = DIM(1);

	for (int i = 0; i < t->rank; i++)
		if (!dim_mul(n, t->dim[i], &n))
			bug("type with an overflowing element count");
	return n;
}

void
type_drop(Type *t, int dim)
{
	t->rank -= t->rank > 0;
	for (int i = dim; i < t->rank; i++)
		t->dim[i] = t->dim[i + 1];
}

bool
type_batch(const Type *a, const Type *b, Type *t)
{
	t->rank = MAX(a->rank, b->rank) - 2;
	for (int i = 0; i < t->rank; i++) {
		Dim p = a->rank - 3 < i ? DIM(1) : a->dim[a->rank - 3 - i];
		Dim q = b->rank - 3 < i ? DIM(1) : b->dim[b->rank - 3 - i];
		if (!dim_one(p) && !dim_one(q) && !dim_eq(p, q))
			return false;
		t->dim[t->rank - 1 - i] = dim_one(p) ? q : p;
	}
	return true;
}

typedef int64_t SymField(const Sym *s);

static int64_t
sym_max(const Sym *s)
{
	return s->max;
}

static int64_t
sym_hint(const Sym *s)
{
	return s->hint;
}

static int64_t
dim_with(const Graph *g, Dim d, SymField *field)
{
	int64_t v = d.k;

	for (int s = 0; s < g->nsym; s++)
		for (uint32_t e = d.sym >> 4 * s & 15; e; e--)
			if (!mul_ok(v, field(&g->sym[s]), &v))
				return INT64_MAX;
	return v;
}

int64_t
dim_max(const Graph *g, Dim d)
{
	return dim_with(g, d, sym_max);
}

int64_t
dim_hint(const Graph *g, Dim d)
{
	return dim_with(g, d, sym_hint);
}

int64_t
dim_at(Dim d, const int64_t *symval)
{
	int64_t v = d.k;

	for (int s = 0; s < MAXSYM; s++)
		for (uint32_t e = d.sym >> 4 * s & 15; e; e--)
			if (!mul_ok(v, symval[s], &v))
				bug("dimension overflows at run time");
	return v;
}

int64_t
type_max_bytes(const Graph *g, const Type *t)
{
	int64_t n = dtype_size(t->dt);

	for (int i = 0; i < t->rank; i++)
		if (!mul_ok(n, dim_max(g, t->dim[i]), &n))
			return INT64_MAX;
	return n;
}

int64_t
type_hint_count(const Graph *g, const Type *t)
{
	int64_t n = 1;

	for (int i = 0; i < t->rank; i++)
		if (!mul_ok(n, dim_hint(g, t->dim[i]), &n))
			return INT64_MAX;
	return n;
}

static void
put_dim(Buf *b, const Graph *g, Dim d)
{
	bool any = false;

	if (d.k != 1 || !d.sym) {
		buf_printf(b, "%lld", (long long)d.k);
		any = true;
	}
	for (int s = 0; s < g->nsym; s++)
		for (uint32_t e = d.sym >> 4 * s & 15; e; e--) {
			buf_printf(b, "%s%s", any ? "*" : "", g->sym[s].name);
			any = true;
		}
}

const char *
dim_text(Arena *a, const Graph *g, Dim d)
{
	Buf b = {.arena = a};

	put_dim(&b, g, d);
	return buf_str(&b);
}

const char *
type_text(Arena *a, const Graph *g, const Type *t)
{
	Buf b = {.arena = a};

	buf_printf(&b, "%s[", dtype_name(t->dt));
	for (int i = 0; i < t->rank; i++) {
		if (i)
			buf_putc(&b, ',');
		put_dim(&b, g, t->dim[i]);
	}
	buf_putc(&b, ']');
	return buf_str(&b);
}

static int
sym_find(const Graph *g, const char *name)
{
	for (int s = 0; s < g->nsym; s++)
		if (!strcmp(g->sym[s].name, name))
			return s;
	return -1;
}

/* one factor of a dimension: an integer or a symbol */
static bool
factor_parse(Graph *g, const char *text, Loc at, Dim *out)
{
	int64_t k;
	int s;

	if (parse_int64(text, &k)) {
		if (k < 0) {
			graph_diag(g, DIAG_ERROR, at, "dimension %s is negative", text);
			return false;
		}
		*out = DIM(k);
		return true;
	}
	if ((s = sym_find(g, text)) >= 0) {
		*out = (Dim){1, (uint32_t)1 << 4 * s};
		return true;
	}
	if (text[strcspn(text, "+-/ ()")])
		graph_diag(g, DIAG_ERROR, at, "dimension '%s' is not an integer, a symbol, or a product such as 4*B", text);
	else {
		const char *names[MAXSYM], *near;
		for (int i = 0; i < g->nsym; i++)
			names[i] = g->sym[i].name;
		near = nearest(text, names, g->nsym);
		if (near)
			graph_diag(g, DIAG_ERROR, at, "dimension symbol '%s' is not in \"dims\"; did you mean '%s'?", text, near);
		else
			graph_diag(g, DIAG_ERROR, at, "dimension symbol '%s' is not in \"dims\"", text);
	}
	return false;
}

bool
dim_parse(Graph *g, const char *s, Loc at, Dim *out)
{
	const char *whole = s;
	Dim d = DIM(1), f;

	for (;;) {
		int64_t n = (int64_t)strcspn(s, "*");
		const char *text;
		while (n && *s == ' ')
			s++, n--;
		while (n && s[n - 1] == ' ')
			n--;
		text = arena_copy(g->arena, s, n);
		if (!n) {
			graph_diag(g, DIAG_ERROR, at, *whole ? "dimension '%s' lacks a factor" : "empty dimension", whole);
			return false;
		}
		if (!factor_parse(g, text, at, &f))
			return false;
		if (!dim_mul(d, f, &d) || dim_max(g, d) == INT64_MAX) {
			graph_diag(g, DIAG_ERROR, at, "dimension '%s' is too large", whole);
			return false;
		}
		s += n + (int64_t)strspn(s + n, " ");
		if (*s != '*')
			break;
		s++;
	}
	*out = d;
	return true;
}

/* the comma-separated dimensions of "[...]" in s */
static bool
dims_parse(Graph *g, const char *type, const char *s, int64_t n, Loc at, Type *t)
{
	const char *end = s + n;

	while (s < end && *s == ' ')
		s++;
	if (s == end)
		return true;
	for (;;) {
		const char *comma = memchr(s, ',', (size_t)(end - s));
		if (t->rank == MAXRANK) {
			graph_diag(g, DIAG_ERROR, at, "type '%s' has more than %d dimensions", type, MAXRANK);
			return false;
		}
		if (!dim_parse(g, arena_copy(g->arena, s, (comma ? comma : end) - s), at, &t->dim[t->rank]))
			return false;
		t->rank++;
		if (!comma)
			return true;
		s = comma + 1;
	}
}

/* the number of bytes at the symbols' max must fit */
static bool
size_ok(Graph *g, const char *text, Loc at, const Type *t)
{
	int64_t n = dtype_size(t->dt);
	Dim count = DIM(1);

	for (int i = 0; i < t->rank; i++)
		if (!dim_mul(count, t->dim[i], &count) || !mul_ok(n, MAX(1, dim_max(g, t->dim[i])), &n)
			|| n > INT64_MAX / 16) {
			graph_diag(g, DIAG_ERROR, at, "type '%s' is larger than the address space", text);
			return false;
		}
	return true;
}

void
dtype_unknown(Graph *g, Loc at, const char *name)
{
	/* what others call them */
	static const struct { const char *name; DType d; } other[] = {
		{"float", F32}, {"float32", F32}, {"double", F64}, {"float64", F64}, {"half", F16}, {"float16", F16},
		{"bfloat16", BF16}, {"long", I64}, {"int64", I64}, {"int", I32}, {"int32", I32}, {"short", I16},
		{"int16", I16}, {"int8", I8}, {"uint64", U64}, {"uint8", U8}, {"byte", U8}, {"boolean", BOOL},
	};
	const char *names[NDTYPE], *near;

	for (int i = 0; i < NDTYPE; i++)
		names[i] = dtypes[i].name;
	near = nearest(name, names, NDTYPE);
	for (int i = 0; i < LEN(other); i++)
		if (!strcmp(name, other[i].name))
			near = dtypes[other[i].d].name;
	if (near)
		graph_diag(g, DIAG_ERROR, at, "unknown dtype '%s'; did you mean '%s'?", name, near);
	else
		graph_diag(g, DIAG_ERROR, at,
			"unknown dtype '%s'; there are f64 f32 f16 bf16 i64 i32 i16 i8 u64 u8 bool", name);
}

bool
type_parse(Graph *g, const char *s, Loc at, Type *out)
{
	Type t = {.dt = NDTYPE};
	int64_t n = (int64_t)strcspn(s, "[");
	const char *close = strchr(s, ']');
	const char *name = arena_copy(g->arena, s, n);

	if (!s[n] || !close || close[1]) {
		graph_diag(g, DIAG_ERROR, at,
			"type '%s' is not of the form DTYPE[D0,D1,...], such as f32[B,784] or f32[]", s);
		return false;
	}
	if ((t.dt = dtype_parse(name)) == NDTYPE) {
		dtype_unknown(g, at, name);
		return false;
	}
	if (!dims_parse(g, s, s + n + 1, close - s - n - 1, at, &t) || !size_ok(g, s, at, &t))
		return false;
	*out = t;
	return true;
}

/* read_attr: types, numbers and attribute values of the JSON IR. */
#include "ir.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EXACT_INT 0x1p53

bool
type_read(Graph *g, const Json *j, Type *out)
{
	return want(g, j, J_STRING, "a type") && type_parse(g, j->str, j->at, out);
}

/* ---- numbers ---- */

static bool
complain(Graph *g, const Json *j, const char *what, DType d)
{
	const char *text = j->kind == J_NUMBER || j->kind == J_STRING ? j->str : j->kind == J_TRUE ? "true"
		: j->kind == J_FALSE ? "false" : "this";

	graph_diag(g, DIAG_ERROR, j->at, "%s %s %s", text, what, dtype_name(d));
	return false;
}

static bool
int_fits(DType d, int64_t v)
{
	switch (d) {
	case I32: return v >= INT32_MIN && v <= INT32_MAX;
	case I16: return v >= INT16_MIN && v <= INT16_MAX;
	case I8: return v >= INT8_MIN && v <= INT8_MAX;
	case U64: return v >= 0;
	case U8: return v >= 0 && v <= UINT8_MAX;
	default: return true;
	}
}

static bool
float_read(Graph *g, DType d, const Json *j, Attr *out)
{
	if (j->kind == J_NUMBER)
		out->f = j->num;
	else if (j->kind != J_STRING || !parse_double(j->str, &out->f) || isfinite(out->f))
		return complain(g, j, "is no element of", d);
	if (j->kind == J_NUMBER && !isfinite(d == F32 ? (double)(float)out->f : out->f))
		return complain(g, j, "is out of the range of", d);
	return true;
}

/* 1e3 is no integer: what is written as one has digits only */
static bool
integer_read(Graph *g, DType d, const Json *j, Attr *out)
{
	uint64_t u;

	if (j->kind != J_NUMBER && j->kind != J_STRING)
		return complain(g, j, "is no element of", d);
	out->is_int = true;
	if (d == U64 && parse_uint64(j->str, &u)) {
		out->i = (int64_t)u;
		out->f = (double)u;
		return true;
	}
	if (!json_int(j, &out->i)) {
		size_t digits = strspn(j->str + (*j->str == '-'), "0123456789");
		bool whole = digits && !j->str[(*j->str == '-') + digits];
		return complain(g, j, whole ? "is out of the range of" : "is no element of", d);
	}
	out->f = (double)out->i;
	return int_fits(d, out->i) || complain(g, j, "is out of the range of", d);
}

bool
number_read(Graph *g, DType d, const Json *j, Attr *out)
{
	*out = (Attr){.set = true};
	if (d == BOOL) {
		out->is_int = true;
		out->i = j->kind == J_TRUE;
		out->f = (double)out->i;
		return j->kind == J_TRUE || j->kind == J_FALSE || complain(g, j, "is no element of", d);
	}
	return dtype_float(d) ? float_read(g, d, j, out) : integer_read(g, d, j, out);
}

/* ---- attributes ---- */

static bool
expected(Graph *g, const AttrSpec *s, const Json *j, const char *what)
{
	graph_diag(g, DIAG_ERROR, j->at, "attribute '%s' must be %s", s->name, what);
	return false;
}

static bool
num_read(Graph *g, const AttrSpec *s, const Json *j, Attr *out)
{
	bool text = j->kind == J_STRING;
	uint64_t u;

	if (j->kind != J_NUMBER && !text)
		return expected(g, s, j, "a number");
	if (json_int(j, &out->i) && strcmp(j->str, "-0") != 0) {
		out->is_int = true;
		out->f = (double)out->i;
		return true;
	}
	if (parse_uint64(j->str, &u)) {        /* the bits of a u64 that is no int64 */
		out->is_int = true;
		out->i = (int64_t)u;
		out->f = (double)u;
		return true;
	}
	if (!text)
		out->f = j->num;
	else if (!parse_double(j->str, &out->f) || isfinite(out->f))
		return expected(g, s, j, "a number, \"inf\", \"-inf\" or \"nan\"");
	if (!text && !isfinite(out->f))
		return expected(g, s, j, "within the range of f64");
	/* 1.0 is 1: one value, one form */
	if (fabs(out->f) <= EXACT_INT && out->f == floor(out->f) && (out->f != 0 || !signbit(out->f))) {
		out->is_int = true;
		out->i = (int64_t)out->f;
	}
	return true;
}

/* the words of an attribute as an array */
static int
words_of(Arena *a, const char *words, const char **out, int room)
{
	int n = 0;

	for (const char *s = words; *s && n < room; s += strspn(s, " ")) {
		int64_t len = (int64_t)strcspn(s, " ");
		out[n++] = arena_copy(a, s, len);
		s += len;
	}
	return n;
}

/* true and false are words too, where the op has them beside others */
static bool
str_read(Graph *g, const AttrSpec *s, const Json *j, Attr *out)
{
	const char *word[32], *text = j->kind == J_TRUE ? "true" : j->kind == J_FALSE ? "false" : j->str;
	int n = s->allowed ? words_of(g->arena, s->allowed, word, LEN(word)) : 0;

	if (j->kind != J_STRING && !(s->allowed && (j->kind == J_TRUE || j->kind == J_FALSE)))
		return expected(g, s, j, s->allowed ? arena_fmt(g->arena, "one of: %s", s->allowed) : "a string");
	out->s = graph_str(g, text);
	for (int i = 0; i < n; i++)
		if (!strcmp(word[i], text))
			return true;
	if (!s->allowed)
		return true;
	graph_diag(g, DIAG_ERROR, j->at, "attribute '%s' has no word '%s'; its words are: %s%s", s->name, text,
		s->allowed, did_you_mean(g, text, word, n));
	return false;
}

static bool
dtype_read(Graph *g, const AttrSpec *s, const Json *j, Attr *out)
{
	DType d;

	if (j->kind != J_STRING)
		return expected(g, s, j, "a dtype such as \"f32\"");
	out->i = d = dtype_parse(j->str);
	if (d == NDTYPE)
		dtype_unknown(g, j->at, j->str);
	return d != NDTYPE;
}

/* an integer, or a text such as "4*B" */
static bool
dim_value_read(Graph *g, const AttrSpec *s, const Json *j, Dim *out)
{
	int64_t v;

	if (json_int(j, &v)) {
		*out = DIM(v);
		return true;
	}
	if (j->kind == J_STRING)
		return dim_parse(g, j->str, j->at, out);
	return expected(g, s, j, s->kind == A_DIM ? "a dimension such as 12 or \"4*B\""
		: "a list of dimensions such as [12, \"4*B\"]");
}

/* the elements of a list, or the one that stands for a list of one */
static int
elements(const Json *j, Json *const **item, Json *const *self)
{
	*item = j->kind == J_ARRAY ? j->item : self;
	return j->kind == J_ARRAY ? j->n : 1;
}

static bool
ints_read(Graph *g, const AttrSpec *s, Json *j, Attr *out)
{
	Json *const *item;
	int n = elements(j, &item, &j);
	int64_t *v = NEW(g->arena, MAX(n, 1), int64_t);

	for (int i = 0; i < n; i++)
		if (!json_int(item[i], &v[i]))
			return expected(g, s, item[i],
				j->kind == J_ARRAY ? "a list of integers" : "an integer or a list of integers");
	out->n = n;
	out->ints = v;
	return true;
}

static bool
shape_read(Graph *g, const AttrSpec *s, Json *j, Attr *out)
{
	Json *const *item;
	int n = elements(j, &item, &j);
	Dim *d = NEW(g->arena, MAX(n, 1), Dim);

	if (n > MAXRANK)
		return expected(g, s, j, arena_fmt(g->arena, "a list of at most %d dimensions", MAXRANK));
	for (int i = 0; i < n; i++)
		if (!dim_value_read(g, s, item[i], &d[i]))
			return false;
	out->n = n;
	out->dims = d;
	return true;
}

void
range_parse(const char *text, double *least, double *most)
{
	const char *dots = strstr(text, "..");

	*least = strtod(text, NULL);
	*most = dots[2] ? strtod(dots + 2, NULL) : INFINITY;
}

bool
number_allowed(const AttrSpec *s, double v)
{
	double least, most;

	if (!s->allowed)
		return true;
	range_parse(s->allowed, &least, &most);
	return v >= least && v <= most;
}

static bool
range_check(Graph *g, const AttrSpec *s, const Json *j, const Attr *v)
{
	double least, most;

	if (number_allowed(s, v->f))
		return true;
	range_parse(s->allowed, &least, &most);
	return expected(g, s, j, isfinite(most) ? arena_fmt(g->arena, "from %g to %g", least, most)
		: arena_fmt(g->arena, "at least %g", least));
}

bool
attr_read(Graph *g, const AttrSpec *s, Json *j, Attr *out)
{
	Dim *d;

	*out = (Attr){.set = j->kind != J_NULL};
	if (j->kind == J_NULL)
		return s->dflt && !strcmp(s->dflt, "null") ? true : expected(g, s, j, "given, not null");
	switch (s->kind) {
	case A_INT:
		out->is_int = json_int(j, &out->i);
		out->f = (double)out->i;
		return out->is_int ? range_check(g, s, j, out) : expected(g, s, j, "an integer");
	case A_NUM:
		return num_read(g, s, j, out) && range_check(g, s, j, out);
	case A_BOOL:
		out->i = j->kind == J_TRUE;
		return j->kind == J_TRUE || j->kind == J_FALSE || expected(g, s, j, "true or false");
	case A_STR:
		return str_read(g, s, j, out);
	case A_DTYPE:
		return dtype_read(g, s, j, out);
	case A_INTS:
		return ints_read(g, s, j, out);
	case A_SHAPE:
		return shape_read(g, s, j, out);
	case A_DIM:
		out->n = 1;
		out->dims = d = NEW(g->arena, 1, Dim);
		return dim_value_read(g, s, j, d);
	case A_FUNCTION:
		if (j->kind != J_STRING)
			return expected(g, s, j, "the name of a function");
		out->fn = function_find(g, j);
		return out->fn != NULL;
	}
	return false;
}

/* array.c: arrays in files: npy and npz (NumPy's format specification, versions 1
 * to 3; PKWARE's APPNOTE for the zip around it) and safetensors.
 *
 * Readers hold every size against the length of the file before they use it. What
 * is written depends on the arrays alone: no date, no order of a hash table. */
#include <stdlib.h>
#include <string.h>

#include "lib.h"

typedef struct Dtype {
	const char *name;
	int size;
	const char *npy;           /* NULL: NumPy has none */
	const char *safetensors;
} Dtype;

static const Dtype DTYPE[] = {
	{"f64",  8, "<f8", "F64"},
	{"f32",  4, "<f4", "F32"},
	{"f16",  2, "<f2", "F16"},
	{"bf16", 2, NULL,  "BF16"},
	{"i64",  8, "<i8", "I64"},
	{"i32",  4, "<i4", "I32"},
	{"i16",  2, "<i2", "I16"},
	{"i8",   1, "|i1", "I8"},
	{"u64",  8, "<u8", "U64"},
	{"u8",   1, "|u1", "U8"},
	{"bool", 1, "|b1", "BOOL"},
};

static const Dtype *
dtype_named(const char *name)
{
	for (int i = 0; i < LEN(DTYPE); i++)
		if (!strcmp(DTYPE[i].name, name))
			return &DTYPE[i];
	bug("no dtype '%s'", name);
}

static uint64_t
get_le(const char *p, int n)
{
	uint64_t v = 0;
	while (n-- > 0)
		v = v << 8 | (unsigned char)p[n];
	return v;
}

static void
put_le(Buf *b, uint64_t v, int n)
{
	for (; n > 0; n--, v >>= 8)
		buf_putc(b, (int)(v & 255));
}

/* a part of a file, and what to call it in a complaint */
typedef struct Part {
	Arena *arena;
	const char *path, *member; /* member: "" or " in 'name'" */
	const char *p;
	int64_t n;
} Part;

#define REFUSE(part, ...) refuse(part, EXIT_INPUT, __VA_ARGS__)
static _Noreturn void refuse(const Part *f, int code, const char *fmt, ...) PRINTF(3, 4);

static _Noreturn void
refuse(const Part *f, int code, const char *fmt, ...)
{
	Buf b = {.arena = f->arena};
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	fail(code, (Loc){.file = f->path}, "%s%s", f->member, buf_str(&b));
}

/* x->nbytes from dtype and dims */
static void
set_size(const Part *f, Array *x, const Dtype *t)
{
	x->dtype = t->name;
	x->nbytes = t->size;
	bool empty = false;
	for (int i = 0; i < x->rank; i++)
		empty |= x->dim[i] == 0;
	for (int i = 0; i < x->rank; i++)
		if (!empty && !mul_ok(x->nbytes, x->dim[i], &x->nbytes))
			REFUSE(f, "the size of the array overflows");
	if (empty)
		x->nbytes = 0;
}

/* data at p, of x->nbytes: aligned, and sound as bool */
static void
set_data(const Part *f, Array *x, const char *p)
{
	for (int64_t i = 0; !strcmp(x->dtype, "bool") && i < x->nbytes; i++)
		if (p[i] & ~1)
			REFUSE(f, "element %lld of a bool array is %d", (long long)i, (unsigned char)p[i]);
	x->data = arena_alloc(f->arena, MAX(x->nbytes, 1), 1);
	memcpy(x->data, p, (size_t)x->nbytes);
}

/* ---- npy: the header is a Python dict literal with three keys in any order */

typedef struct Scan {
	const Part *part;
	const char *p, *end;
} Scan;

static bool
next_is(Scan *s, char c)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\t'))
		s->p++;
	if (s->p == s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

static void
expect(Scan *s, char c)
{
	if (!next_is(s, c))
		REFUSE(s->part, "bad npy header: '%c' expected", c);
}

static const char *
scan_string(Scan *s)
{
	char quote = next_is(s, '"') ? '"' : '\'';
	if (quote == '\'')
		expect(s, quote);
	const char *start = s->p;
	while (s->p < s->end && *s->p != quote)
		s->p++;
	const char *text = arena_copy(s->part->arena, start, s->p - start);
	expect(s, quote);
	return text;
}

static bool
scan_word(Scan *s, const char *word)
{
	int64_t n = (int64_t)strlen(word);
	if (s->end - s->p < n || memcmp(s->p, word, (size_t)n))
		return false;
	s->p += n;
	return true;
}

static void
scan_shape(Scan *s, Array *x)
{
	expect(s, '(');
	while (!next_is(s, ')')) {
		if (x->rank == LEN(x->dim))
			REFUSE(s->part, "more than %d dimensions", LEN(x->dim));
		int64_t d = 0;
		bool digits = false;
		for (; s->p < s->end && *s->p >= '0' && *s->p <= '9'; s->p++, digits = true)
			if (!mul_ok(d, 10, &d) || !add_ok(d, *s->p - '0', &d))
				REFUSE(s->part, "the size of the array overflows");
		if (!digits)
			REFUSE(s->part, "bad npy header: a dimension expected");
		x->dim[x->rank++] = d;
		if (!next_is(s, ',')) {
			expect(s, ')');
			break;
		}
	}
}

static const Dtype *
npy_dtype(const Part *f, const char *descr)
{
	for (int i = 0; i < LEN(DTYPE); i++) {
		const Dtype *t = &DTYPE[i];
		if (!t->npy || !*descr || strcmp(descr + 1, t->npy + 1))
			continue;
		if (*descr == '>' && t->size > 1)
			REFUSE(f, "big-endian data ('%s'): save it as x.astype('%s')", descr, t->npy);
		if (*descr == '<' || (t->size == 1 && strchr("|=>", *descr)))
			return t;
	}
	refuse(f, EXIT_UNSUPPORTED, "dtype '%s' is not supported", descr);
}

static void
scan_dict(Scan *s, Array *x)
{
	const char *descr = NULL;
	int fortran = -1;
	bool shape = false;
	expect(s, '{');
	while (!next_is(s, '}')) {
		const char *key = scan_string(s);
		expect(s, ':');
		if (!strcmp(key, "descr") && !descr) {
			if (next_is(s, '['))
				refuse(s->part, EXIT_UNSUPPORTED, "structured dtypes are not supported");
			descr = scan_string(s);
		} else if (!strcmp(key, "fortran_order") && fortran < 0) {
			while (next_is(s, ' '))
				;
			fortran = scan_word(s, "True") ? 1 : scan_word(s, "False") ? 0 : -1;
			if (fortran < 0)
				REFUSE(s->part, "bad npy header: True or False expected");
		} else if (!strcmp(key, "shape") && !shape) {
			scan_shape(s, x);
			shape = true;
		} else {
			REFUSE(s->part, "bad npy header: key '%s'", key);
		}
		if (!next_is(s, ',')) {
			expect(s, '}');
			break;
		}
	}
	if (!descr || fortran < 0 || !shape)
		REFUSE(s->part, "bad npy header: 'descr', 'fortran_order' and 'shape' expected");
	const Dtype *t = npy_dtype(s->part, descr);
	if (fortran && x->rank > 1)
		REFUSE(s->part, "data in Fortran order: save it as numpy.ascontiguousarray(x)");
	set_size(s->part, x, t);
}

static Array
npy_parse(const Part *f, const char *name)
{
	if (f->n < 10 || memcmp(f->p, "\x93NUMPY", 6))
		REFUSE(f, "not an npy file");
	int version = (unsigned char)f->p[6], wide = version == 1 ? 2 : 4;
	if (version < 1 || version > 3)
		REFUSE(f, "npy version %d is not known", version);
	if (f->n < 8 + wide || (int64_t)get_le(f->p + 8, wide) > f->n - 8 - wide)
		REFUSE(f, "the npy header ends after the file");
	const char *start = f->p + 8 + wide, *data = start + get_le(f->p + 8, wide);
	Array x = {.name = name};
	scan_dict(&(Scan){f, start, data}, &x);
	if (x.nbytes != f->p + f->n - data)
		REFUSE(f, "the array takes %lld bytes, the file has %lld", (long long)x.nbytes,
			(long long)(f->p + f->n - data));
	set_data(f, &x, data);
	return x;
}

Array *
npy_read(Arena *a, const char *path)
{
	Part f = {.arena = a, .path = path, .member = ""};
	f.p = read_file(a, path, &f.n);
	Array *x = NEW(a, 1, Array);
	*x = npy_parse(&f, "");
	return x;
}

/* version 1.0; NumPy pads the header so that the data lie at a multiple of 64 */
void
npy_bytes(Buf *b, const Array *x)
{
	const Dtype *t = dtype_named(x->dtype);
	if (!t->npy)
		fail(EXIT_UNSUPPORTED, (Loc){0}, "npy has no %s: write safetensors", t->name);
	Buf h = {.arena = b->arena};
	buf_printf(&h, "{'descr': '%s', 'fortran_order': False, 'shape': (", t->npy);
	for (int i = 0; i < x->rank; i++)
		buf_printf(&h, i || x->rank == 1 ? "%s%lld%s" : "%s%lld", i ? ", " : "", (long long)x->dim[i],
			x->rank == 1 ? "," : "");
	buf_puts(&h, "), }");
	while ((10 + h.n + 1) % 64)
		buf_putc(&h, ' ');
	buf_putc(&h, '\n');
	buf_put(b, "\x93NUMPY\x01\x00", 8);
	put_le(b, (uint64_t)h.n, 2);
	buf_put(b, h.s, h.n);
	buf_put(b, x->data, x->nbytes);
}

/* ---- npz: a zip of npy files */

enum {
	ZIP_LOCAL = 0x04034b50, ZIP_CENTRAL = 0x02014b50, ZIP_END = 0x06054b50,
	ZIP_LOCAL_SIZE = 30, ZIP_CENTRAL_SIZE = 46, ZIP_END_SIZE = 22,
	ZIP_DATE = 1 << 5 | 1,     /* 1980-01-01 */
	ZIP_UTF8 = 0x0800,
};

/* CRC-32 of ISO 3309 (reflected polynomial 0xedb88320), four bits a step */
static uint32_t
crc32(const char *p, int64_t n)
{
	static const uint32_t T[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};
	uint32_t c = ~0u;
	for (int64_t i = 0; i < n; i++) {
		c ^= (unsigned char)p[i];
		c = c >> 4 ^ T[c & 15];
		c = c >> 4 ^ T[c & 15];
	}
	return ~c;
}

/* the end record: last of its signature whose comment fills the file */
static const char *
zip_end(const Part *f)
{
	for (int64_t i = f->n - ZIP_END_SIZE; i >= 0 && i >= f->n - ZIP_END_SIZE - 65535; i--)
		if (get_le(f->p + i, 4) == ZIP_END && (int64_t)get_le(f->p + i + 20, 2) == f->n - ZIP_END_SIZE - i)
			return f->p + i;
	REFUSE(f, "not an npz file");
}

/* the array of the member whose central header is at c */
static Array
zip_member(const Part *f, const char *c)
{
	int64_t size = (int64_t)get_le(c + 24, 4), at = (int64_t)get_le(c + 42, 4), nname = (int64_t)get_le(c + 28, 2);
	const char *name = arena_copy(f->arena, c + ZIP_CENTRAL_SIZE, nname);
	Part m = *f;
	m.member = arena_fmt(f->arena, "member '%s': ", name);
	if (nname < 5 || (int64_t)strlen(name) != nname || strcmp(name + nname - 4, ".npy"))
		REFUSE(&m, "not an npy file by its name");
	if (get_le(c + 8, 2) & 1)
		REFUSE(&m, "encrypted");
	if (get_le(c + 10, 2) != 0)
		REFUSE(&m, "compressed: save it with numpy.savez, not numpy.savez_compressed");
	if (size == 0xffffffff || at == 0xffffffff)
		refuse(&m, EXIT_UNSUPPORTED, "4 GiB or more: use safetensors");
	if (size != (int64_t)get_le(c + 20, 4))
		REFUSE(&m, "stored, but its two sizes differ");
	if (at > f->n - ZIP_LOCAL_SIZE || get_le(f->p + at, 4) != ZIP_LOCAL)
		REFUSE(&m, "no local header at byte %lld", (long long)at);
	int64_t data = at + ZIP_LOCAL_SIZE + (int64_t)get_le(f->p + at + 26, 2) + (int64_t)get_le(f->p + at + 28, 2);
	if (data > f->n || size > f->n - data)
		REFUSE(&m, "ends after the file");
	if ((int64_t)get_le(f->p + at + 26, 2) != nname || memcmp(f->p + at + ZIP_LOCAL_SIZE, name, (size_t)nname))
		REFUSE(&m, "its local header has another name");
	m.p = f->p + data;
	m.n = size;
	if (crc32(m.p, m.n) != get_le(c + 16, 4))
		REFUSE(&m, "checksum differs: the file is damaged");
	return npy_parse(&m, arena_copy(f->arena, name, nname - 4));
}

int
npz_read(Arena *a, const char *path, Array **out)
{
	Part f = {.arena = a, .path = path, .member = ""};
	f.p = read_file(a, path, &f.n);
	const char *end = zip_end(&f);
	int64_t n = (int64_t)get_le(end + 10, 2), at = (int64_t)get_le(end + 16, 4), limit = end - f.p;
	if (n == 0xffff || at == 0xffffffff)
		refuse(&f, EXIT_UNSUPPORTED, "a zip64 archive: use safetensors");
	Map *seen = map_new(a);
	*out = NEW(a, MAX(n, 1), Array);
	for (int64_t i = 0; i < n; i++) {
		const char *c = f.p + at;
		if (at > limit - ZIP_CENTRAL_SIZE || get_le(c, 4) != ZIP_CENTRAL)
			REFUSE(&f, "the directory of the archive is damaged at byte %lld", (long long)at);
		at += ZIP_CENTRAL_SIZE + (int64_t)(get_le(c + 28, 2) + get_le(c + 30, 2) + get_le(c + 32, 2));
		if (at > limit)
			REFUSE(&f, "the directory of the archive is damaged at byte %lld", (long long)(c - f.p));
		(*out)[i] = zip_member(&f, c);
		if (map_get(seen, (*out)[i].name))
			REFUSE(&f, "two members have the name '%s'", (*out)[i].name);
		map_set(seen, (*out)[i].name, &(*out)[i]);
	}
	return (int)n;
}

static bool
ascii(const char *s)
{
	while (*s > 0)
		s++;
	return !*s;
}

/* the fields that local and central header share, from "version needed" to "length of extra" */
static void
put_zip_fields(Buf *b, const char *name, const Buf *member)
{
	put_le(b, 20, 2);
	put_le(b, ascii(name) ? 0 : ZIP_UTF8, 2);
	put_le(b, 0, 2);
	put_le(b, 0, 2);
	put_le(b, ZIP_DATE, 2);
	put_le(b, crc32(member->s, member->n), 4);
	put_le(b, (uint64_t)member->n, 4);
	put_le(b, (uint64_t)member->n, 4);
	put_le(b, strlen(name), 2);
	put_le(b, 0, 2);
}

void
npz_bytes(Buf *b, const Array *x, int n)
{
	Buf central = {.arena = b->arena};
	int64_t start = b->n;
	for (int i = 0; i < n; i++) {
		Buf member = {.arena = b->arena};
		npy_bytes(&member, &x[i]);
		const char *name = arena_fmt(b->arena, "%s.npy", x[i].name);
		int64_t at = b->n - start;
		if (at + member.n + central.n >= UINT32_MAX - 65536 || n >= 0xffff || strlen(name) > 0xffff)
			fail(EXIT_UNSUPPORTED, (Loc){0}, "too large for npz (4 GiB, 65534 arrays): write safetensors");
		put_le(b, ZIP_LOCAL, 4);
		put_zip_fields(b, name, &member);
		buf_puts(b, name);
		buf_put(b, member.s, member.n);
		put_le(&central, ZIP_CENTRAL, 4);
		put_le(&central, 20, 2);
		put_zip_fields(&central, name, &member);
		put_le(&central, 0, 10);                 /* comment, disk, attributes */
		put_le(&central, (uint64_t)at, 4);
		buf_puts(&central, name);
	}
	int64_t at = b->n - start;
	buf_put(b, buf_str(&central), central.n);
	put_le(b, ZIP_END, 4);
	put_le(b, 0, 4);
	put_le(b, (uint64_t)n, 2);
	put_le(b, (uint64_t)n, 2);
	put_le(b, (uint64_t)central.n, 4);
	put_le(b, (uint64_t)at, 4);
	put_le(b, 0, 2);
}

/* ---- safetensors: 8 bytes of length, a JSON header, the data without holes */

typedef struct Span {
	int64_t begin, end;
	const char *name;
} Span;

static int
by_begin(const void *a, const void *b)
{
	const Span *x = a, *y = b;
	return x->begin != y->begin ? (x->begin > y->begin) - (x->begin < y->begin) : (x->end > y->end) - (x->end < y->end);
}

static const Dtype *
safetensors_dtype(const Part *f, const Json *j)
{
	if (!j || j->kind != J_STRING)
		REFUSE(f, "\"dtype\" is not a string");
	for (int i = 0; i < LEN(DTYPE); i++)
		if (!strcmp(DTYPE[i].safetensors, j->str))
			return &DTYPE[i];
	refuse(f, EXIT_UNSUPPORTED, "dtype '%s' is not supported", j->str);
}

/* j as an array of at most `max` sizes */
static int
get_sizes(const Part *f, const Json *j, const char *what, int64_t *out, int max)
{
	if (!j || j->kind != J_ARRAY || j->n > max)
		REFUSE(f, "\"%s\" is not a list of at most %d integers", what, max);
	for (int i = 0; i < j->n; i++)
		if (j->item[i]->kind != J_NUMBER || !json_int(j->item[i], &out[i]) || out[i] < 0)
			REFUSE(f, "\"%s\" holds something else than sizes", what);
	return j->n;
}

/* one entry of the header; f is the data */
static Array
safetensors_entry(const Part *f, const char *name, const Json *j, Span *span)
{
	Part m = *f;
	m.member = arena_fmt(f->arena, "tensor '%s': ", name);
	if (j->kind != J_OBJECT)
		REFUSE(&m, "not an object");
	Array x = {.name = name};
	const Dtype *t = safetensors_dtype(&m, json_get(j, "dtype"));
	x.rank = get_sizes(&m, json_get(j, "shape"), "shape", x.dim, LEN(x.dim));
	set_size(&m, &x, t);
	int64_t at[2];
	if (get_sizes(&m, json_get(j, "data_offsets"), "data_offsets", at, 2) != 2)
		REFUSE(&m, "\"data_offsets\" is not a pair");
	if (at[0] > at[1] || at[1] > f->n)
		REFUSE(&m, "bytes %lld to %lld of data that has %lld", (long long)at[0], (long long)at[1], (long long)f->n);
	if (at[1] - at[0] != x.nbytes)
		REFUSE(&m, "the array takes %lld bytes, its data %lld", (long long)x.nbytes, (long long)(at[1] - at[0]));
	*span = (Span){at[0], at[1], name};
	set_data(&m, &x, f->p + at[0]);
	return x;
}

static void
check_spans(const Part *f, Span *span, int n)
{
	int64_t at = 0;
	if (n)
		qsort(span, (size_t)n, sizeof *span, by_begin);
	for (int i = 0; i < n; at = span[i++].end)
		if (span[i].begin != at)
			REFUSE(f, "tensor '%s' begins at byte %lld, the one before ends at %lld", span[i].name,
				(long long)span[i].begin, (long long)at);
	if (at != f->n)
		REFUSE(f, "the tensors end at byte %lld of data that has %lld", (long long)at, (long long)f->n);
}

int
safetensors_read(Arena *a, const char *path, Array **out)
{
	Part f = {.arena = a, .path = path, .member = ""};
	f.p = read_file(a, path, &f.n);
	if (f.n < 8 || get_le(f.p, 8) > (uint64_t)f.n - 8)
		REFUSE(&f, "not a safetensors file: its header would end after the file");
	int64_t nheader = (int64_t)get_le(f.p, 8);
	Json *header = json_read(a, path, f.p + 8, nheader);
	diag_check();
	if (!header || header->kind != J_OBJECT)
		REFUSE(&f, "not a safetensors file: its header is no object");

	f.p += 8 + nheader;
	f.n -= 8 + nheader;
	int n = 0;
	*out = NEW(a, MAX(header->n, 1), Array);
	Span *span = NEW(a, MAX(header->n, 1), Span);
	for (int i = 0; i < header->n; i++)
		if (strcmp(header->key[i], "__metadata__")) {
			(*out)[n] = safetensors_entry(&f, header->key[i], header->item[i], &span[n]);
			n++;
		}
	check_spans(&f, span, n);
	return n;
}

/* The header names the arrays in their order; the data lie with the widest dtypes
 * first, so that each array has its natural alignment. */
void
safetensors_bytes(Buf *b, const Array *x, int n)
{
	Buf h = {.arena = b->arena}, data = {.arena = b->arena};
	int64_t *begin = NEW(b->arena, MAX(n, 1), int64_t);
	for (int size = 8; size; size /= 2)
		for (int i = 0; i < n; i++)
			if (dtype_named(x[i].dtype)->size == size) {
				begin[i] = data.n;
				buf_put(&data, x[i].data, x[i].nbytes);
			}
	buf_putc(&h, '{');
	for (int i = 0; i < n; i++) {
		buf_puts(&h, i ? "," : "");
		json_quote(&h, x[i].name);
		buf_printf(&h, ":{\"dtype\":\"%s\",\"shape\":[", dtype_named(x[i].dtype)->safetensors);
		for (int d = 0; d < x[i].rank; d++)
			buf_printf(&h, "%s%lld", d ? "," : "", (long long)x[i].dim[d]);
		buf_printf(&h, "],\"data_offsets\":[%lld,%lld]}", (long long)begin[i], (long long)(begin[i] + x[i].nbytes));
	}
	buf_putc(&h, '}');
	while (h.n % 8)
		buf_putc(&h, ' ');
	put_le(b, (uint64_t)h.n, 8);
	buf_put(b, h.s, h.n);
	buf_put(b, buf_str(&data), data.n);
}

/* rt/checkpoint.h: tensors from and to files of the safetensors format
 * (https://github.com/huggingface/safetensors): the length of a header in 8 bytes, the header, which
 * is a JSON object of {"dtype", "shape", "data_offsets"} by name, and the data, little-endian and
 * without holes. C99, no allocation: the header is read character by character.
 *
 * A file is read in whole before the first byte of an array is written, but for the values of
 * floats and integers, any of which is good. rt_tensor and the codes RT_E_... are of NAME.h. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* bytes of a name, dimensions, bytes at a time, bytes of a header (as the format's own reader has it) */
enum { RT_NAME = 512, RT_RANK = 8, RT_PART = 4096, RT_HEADER_MOST = 100000000 };

/* a tensor of the model, and where it is */
typedef struct rt_entry {
	const rt_tensor *is;
	void *data;                    /* NULL: it need not be in the file, and is not read */
	int64_t bytes;
	int64_t begin;                 /* in the data of the file; -1: it is not there */
} rt_entry;

/* a tensor of a file */
typedef struct rt_found {
	char name[RT_NAME];            /* one that is longer is cut: no tensor of a model has a name of that length */
	char dtype[8];
	int64_t shape[RT_RANK];
	int rank;                      /* may be greater than RT_RANK: of no tensor of a model */
	int64_t at[2];
} rt_found;

/* a header as it is read */
typedef struct rt_reader {
	FILE *f;
	int64_t left;                  /* bytes of it behind c */
	int c;                         /* the next byte, or EOF */
} rt_reader;

static int
rt_fail(char *why, int code, const char *name, const char *what)
{
	if (why)
		snprintf(why, RT_WHY, "%.100s: %.140s", name, what);
	return code;
}

/* bytes of an element, from "f32" or "F32" */
static int
rt_size(const char *dtype)
{
	const char *digit = dtype + strcspn(dtype, "0123456789");

	return *digit ? atoi(digit) / 8 : 1;
}

/* The format writes dtypes in capitals. */
static bool
rt_same_dtype(const char *model, const char *file)
{
	for (; *model && *file; model++, file++)
		if (*file != (*model >= 'a' && *model <= 'z' ? *model - 'a' + 'A' : *model))
			return false;
	return *model == *file;
}

static bool
rt_is_bool(const rt_entry *e)
{
	return !strcmp(e->is->dtype, "bool");
}

/* appends tensors whose places are data[i], or are in the flat array */
static int
rt_add(rt_entry *e, int n, const rt_tensor *t, void *const *data, void *flat, int count)
{
	for (int i = 0; i < count; i++) {
		rt_entry *to = &e[n + i];

		to->is = &t[i];
		to->data = data ? data[i] : flat ? (char *)flat + t[i].offset : NULL;
		to->bytes = rt_size(t[i].dtype);
		to->begin = -1;
		for (int d = 0; d < t[i].rank; d++)
			to->bytes *= t[i].shape[d];
	}
	return n + count;
}

static bool
rt_big_endian(void)
{
	const uint16_t one = 1;
	unsigned char first = 0;

	memcpy(&first, &one, 1);
	return first == 0;
}

static void
rt_reverse(void *data, int64_t bytes, int size)
{
	unsigned char *p = data;

	for (int64_t i = 0; i < bytes; i += size)
		for (int k = 0; k < size / 2; k++) {
			const unsigned char b = p[i + k];

			p[i + k] = p[i + size - 1 - k];
			p[i + size - 1 - k] = b;
		}
}

/* between the order of bytes in files and that of this machine */
static void
rt_order(void *data, int64_t bytes, int size)
{
	if (rt_big_endian())
		rt_reverse(data, bytes, size);
}

/* fseek() takes a long, which may have 32 bits */
static bool
rt_seek(FILE *f, int64_t at)
{
	bool ok = !fseek(f, 0, SEEK_SET);

	for (int64_t step = 0; ok && at > 0; at -= step) {
		step = at < 0x40000000 ? at : 0x40000000;
		ok = !fseek(f, (long)step, SEEK_CUR);
	}
	return ok;
}

static void
rt_next(rt_reader *r)
{
	r->c = r->left > 0 ? getc(r->f) : EOF;
	r->left--;
}

static void
rt_blanks(rt_reader *r)
{
	while (r->c == ' ' || r->c == '\t' || r->c == '\n' || r->c == '\r')
		rt_next(r);
}

static bool
rt_accept(rt_reader *r, int c)
{
	rt_blanks(r);
	if (r->c != c)
		return false;
	rt_next(r);
	return true;
}

/* a code point in UTF-8 behind the n bytes of s, of which size - 1 are kept; their number */
static int
rt_put_code(char *s, int n, int size, uint32_t code)
{
	const int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
	static const uint32_t lead[] = {0, 0xc0, 0xe0, 0xf0};

	for (int k = more; k >= 0; k--) {
		const uint32_t bits = code >> 6 * k;

		if (n < size - 1)
			s[n++] = (char)(unsigned char)(k == more ? lead[more] | bits : 0x80 | (bits & 0x3f));
	}
	return n;
}

/* a code point of two bytes or more: no longer than it must be, and no surrogate */
static bool
rt_utf8(rt_reader *r, uint32_t *code)
{
	const int c = r->c, more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
	static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};

	if (c < 0xc0 || c > 0xf4)
		return false;
	*code = (uint32_t)c & (0x3fu >> more);
	for (int k = 0; k < more; k++) {
		rt_next(r);
		if (r->c < 0x80 || r->c > 0xbf)
			return false;
		*code = *code << 6 | ((uint32_t)r->c & 0x3f);
	}
	rt_next(r);
	return *code >= least[more] && *code <= 0x10ffff && (*code & 0xfffff800) != 0xd800;
}

/* the four digits behind \u */
static bool
rt_hex(rt_reader *r, uint32_t *code)
{
	static const char digit[] = "0123456789abcdef0123456789ABCDEF";

	*code = 0;
	for (int k = 0; k < 4; k++) {
		const char *at = r->c > 0 ? strchr(digit, r->c) : NULL;

		if (!at)
			return false;
		*code = *code << 4 | (uint32_t)((at - digit) % 16);
		rt_next(r);
	}
	return true;
}

/* what stands behind a backslash */
static bool
rt_escape(rt_reader *r, uint32_t *code)
{
	static const char letter[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
	const char *at = r->c > 0 ? strchr(letter, r->c) : NULL;
	uint32_t low = 0;

	if (at) {
		*code = (unsigned char)means[at - letter];
		rt_next(r);
		return true;
	}
	if (r->c != 'u')
		return false;
	rt_next(r);
	if (!rt_hex(r, code) || *code == 0)
		return false;
	if ((*code & 0xf800) != 0xd800)
		return true;
	/* the first half of a pair, and then the second */
	if (*code >= 0xdc00 || r->c != '\\')
		return false;
	rt_next(r);
	if (r->c != 'u')
		return false;
	rt_next(r);
	if (!rt_hex(r, &low) || (low & 0xfc00) != 0xdc00)
		return false;
	*code = 0x10000 + ((*code & 0x3ff) << 10 | (low & 0x3ff));
	return true;
}

static bool
rt_string(rt_reader *r, char *s, int size)
{
	int n = 0;

	if (!rt_accept(r, '"'))
		return false;
	while (r->c != '"') {
		uint32_t code = (uint32_t)r->c;

		if (r->c < ' ')                /* or the end */
			return false;
		if (r->c >= 0x80) {
			if (!rt_utf8(r, &code))
				return false;
		} else {
			rt_next(r);
			if (code == '\\' && !rt_escape(r, &code))
				return false;
		}
		n = rt_put_code(s, n, size, code);
	}
	s[n] = '\0';
	rt_next(r);
	return true;
}

static bool
rt_integer(rt_reader *r, int64_t *v)
{
	rt_blanks(r);
	if (r->c < '0' || r->c > '9')
		return false;
	*v = r->c - '0';
	for (rt_next(r); r->c >= '0' && r->c <= '9'; rt_next(r)) {
		if (*v == 0 || *v > (INT64_MAX - 9) / 10)
			return false;
		*v = *v * 10 + (r->c - '0');
	}
	return true;
}

/* the first `most` of a list of integers, and how many there are */
static bool
rt_integers(rt_reader *r, int64_t *v, int most, int *n)
{
	int64_t x = 0;

	*n = 0;
	if (!rt_accept(r, '['))
		return false;
	if (rt_accept(r, ']'))
		return true;
	do {
		if (!rt_integer(r, &x) || *n == 1000)
			return false;
		if (*n < most)
			v[*n] = x;
		(*n)++;
	} while (rt_accept(r, ','));
	return rt_accept(r, ']');
}

/* what stands behind the name of a tensor: three members in any order */
static bool
rt_found_read(rt_reader *r, rt_found *t)
{
	char key[16] = {0};
	int n = 0, seen = 0;

	if (!rt_accept(r, '{'))
		return false;
	do {
		int which = 0;

		if (!rt_string(r, key, (int)sizeof key) || !rt_accept(r, ':'))
			return false;
		if (!strcmp(key, "dtype") && rt_string(r, t->dtype, (int)sizeof t->dtype))
			which = 1;
		else if (!strcmp(key, "shape") && rt_integers(r, t->shape, RT_RANK, &t->rank))
			which = 2;
		else if (!strcmp(key, "data_offsets") && rt_integers(r, t->at, 2, &n) && n == 2)
			which = 4;
		if (!which || seen & which)
			return false;
		seen |= which;
	} while (rt_accept(r, ','));
	return rt_accept(r, '}') && seen == 7;
}

/* "__metadata__": an object of strings, of which nothing is wanted */
static bool
rt_metadata(rt_reader *r, rt_found *scratch)
{
	if (!rt_accept(r, '{'))
		return false;
	if (rt_accept(r, '}'))
		return true;
	do
		if (!rt_string(r, scratch->name, RT_NAME) || !rt_accept(r, ':') || !rt_string(r, scratch->name, RT_NAME))
			return false;
	while (rt_accept(r, ','));
	return rt_accept(r, '}');
}

/* "f32[2,3]", cut where there is no room */
static void
rt_type_text(char *s, int size, const char *dtype, const int64_t *shape, int rank)
{
	int n = snprintf(s, (size_t)size, "%s[", dtype);

	for (int d = 0; d < rank && d < RT_RANK && n < size; d++)
		n += snprintf(s + n, (size_t)(size - n), "%s%lld", d ? "," : "", (long long)shape[d]);
	if (n < size)
		snprintf(s + n, (size_t)(size - n), "%s]", rank > RT_RANK ? ",..." : "");
}

static int
rt_type_differs(char *why, const rt_entry *e, const rt_found *t)
{
	char ours[64], theirs[64], what[RT_WHY];

	rt_type_text(ours, (int)sizeof ours, e->is->dtype, e->is->shape, e->is->rank);
	rt_type_text(theirs, (int)sizeof theirs, t->dtype, t->shape, t->rank);
	snprintf(what, sizeof what, "%s in the model, %s in the file", ours, theirs);
	return rt_fail(why, RT_E_TYPE, t->name, what);
}

/* a tensor of the file, which every entry of its name takes */
static int
rt_match(rt_entry *e, int n, const rt_found *t, const char *ignore, char *why)
{
	bool known = false;

	for (int i = 0; i < n; i++) {
		if (strcmp(e[i].is->name, t->name))
			continue;
		if (e[i].begin >= 0)
			return rt_fail(why, RT_E_FORMAT, t->name, "is in the file twice");
		if (!rt_same_dtype(e[i].is->dtype, t->dtype) || e[i].is->rank != t->rank)
			return rt_type_differs(why, &e[i], t);
		for (int d = 0; d < t->rank; d++)
			if (e[i].is->shape[d] != t->shape[d])
				return rt_type_differs(why, &e[i], t);
		if (e[i].bytes != t->at[1] - t->at[0])
			return rt_fail(why, RT_E_FORMAT, t->name, "has more or fewer bytes than its shape");
		e[i].begin = t->at[0];
		known = true;
	}
	if (!known && (!ignore || strncmp(t->name, ignore, strlen(ignore))))
		return rt_fail(why, RT_E_UNKNOWN, t->name, "is no tensor of the model");
	return RT_OK;
}

/* the next member of a header; counts: bytes of all tensors, and where the last one ends */
static bool
rt_member(rt_reader *r, rt_found *t, bool *metadata, int64_t counts[2])
{
	t->rank = -1;                  /* not a tensor */
	if (!rt_string(r, t->name, RT_NAME) || !rt_accept(r, ':'))
		return false;
	if (!strcmp(t->name, "__metadata__")) {
		if (*metadata)
			return false;
		return *metadata = rt_metadata(r, t);
	}
	if (!rt_found_read(r, t) || t->at[0] > t->at[1] || t->at[1] - t->at[0] > INT64_MAX - counts[0])
		return false;
	counts[0] += t->at[1] - t->at[0];
	counts[1] = t->at[1] > counts[1] ? t->at[1] : counts[1];
	return true;
}

/* the header, of which r->left bytes are to come, into e[].begin; *length: of the data behind it */
static int
rt_header(rt_reader *r, rt_entry *e, int n, const char *ignore, int64_t *length, const char *path, char *why)
{
	rt_found t = {{0}, {0}, {0}, 0, {0}};
	int64_t counts[2] = {0, 0};
	bool metadata = false, ok = true;

	rt_next(r);
	if (r->c != '{')
		return rt_fail(why, RT_E_FORMAT, path, "no safetensors file: no header where it should be");
	rt_next(r);
	if (!rt_accept(r, '}')) {
		do {
			int code = RT_OK;

			ok = rt_member(r, &t, &metadata, counts);
			if (ok && t.rank >= 0)
				code = rt_match(e, n, &t, ignore, why);
			if (code)
				return code;
		} while (ok && rt_accept(r, ','));
		ok = ok && rt_accept(r, '}');
	}
	rt_blanks(r);
	*length = counts[1];
	if (!ok || r->c != EOF || r->left >= 0)
		return rt_fail(why, RT_E_FORMAT, path, "its header is damaged");
	if (counts[0] != counts[1] || counts[1] > INT64_MAX / 2)
		return rt_fail(why, RT_E_FORMAT, path, "its tensors overlap, or there are holes between them");
	return RT_OK;
}

/* by place; of those at one place the shortest first */
static int
rt_before(const void *a, const void *b)
{
	const rt_entry *x = a, *y = b;
	const int64_t d = x->begin != y->begin ? x->begin - y->begin : x->bytes - y->bytes;

	return (d > 0) - (d < 0);
}

/* all that is wanted is there, each in a place of its own; sorts e */
static int
rt_places(rt_entry *e, int n, const char *path, char *why)
{
	int64_t end = 0;

	for (int i = 0; i < n; i++)
		if (e[i].begin < 0 && e[i].data)
			return rt_fail(why, RT_E_MISSING, e[i].is->name, "is not in the file");
	qsort(e, (size_t)n, sizeof *e, rt_before);
	for (int i = 0; i < n; i++) {
		if (e[i].begin < 0)
			continue;
		/* the value of two tensors of the model may be one of the file */
		if (e[i].begin < end && strcmp(e[i].is->name, e[i - 1].is->name))
			return rt_fail(why, RT_E_FORMAT, path, "its tensors overlap");
		end = e[i].begin + e[i].bytes > end ? e[i].begin + e[i].bytes : end;
	}
	return RT_OK;
}

/* the booleans of a file whose data begin at `start` are 0 or 1: no other byte may be a bool of C */
static int
rt_booleans(FILE *f, const rt_entry *e, int n, int64_t start, const char *path, char *why)
{
	unsigned char part[RT_PART];

	for (int i = 0; i < n; i++) {
		if (!e[i].data || !rt_is_bool(&e[i]))
			continue;
		if (!rt_seek(f, start + e[i].begin))
			return rt_fail(why, RT_E_FILE, path, "cannot be read");
		for (int64_t at = 0; at < e[i].bytes; at += RT_PART) {
			const size_t m = (size_t)(e[i].bytes - at < RT_PART ? e[i].bytes - at : RT_PART);

			if (fread(part, 1, m, f) != m)
				return rt_fail(why, RT_E_FILE, path, "cannot be read");
			for (size_t k = 0; k < m; k++)
				if (part[k] > 1)
					return rt_fail(why, RT_E_FORMAT, e[i].is->name, "a bool is neither 0 nor 1");
		}
	}
	return RT_OK;
}

/* Everything that can be wrong with a file. *start: where its data begin. Sorts e by places. */
static int
rt_check(FILE *f, rt_entry *e, int n, const char *ignore, int64_t *start, const char *path, char *why)
{
	unsigned char size[8];
	rt_reader r = {f, 0, 0};
	int64_t length = 0;
	int code = RT_OK;

	if (fread(size, 1, 8, f) != 8)
		return rt_fail(why, ferror(f) ? RT_E_FILE : RT_E_FORMAT, path, "no safetensors file: it is too short");
	for (int k = 7; k >= 0; k--)
		r.left = r.left > RT_HEADER_MOST ? r.left : r.left << 8 | size[k];
	if (r.left > RT_HEADER_MOST)
		return rt_fail(why, RT_E_FORMAT, path, "no safetensors file: the length of its header is out of range");
	*start = 8 + r.left;
	code = rt_header(&r, e, n, ignore, &length, path, why);
	if (!code)
		code = rt_places(e, n, path, why);
	if (code)
		return code;
	if (!rt_seek(f, *start + length - 1) || getc(f) == EOF)
		return rt_fail(why, RT_E_FORMAT, path, "ends before its data do");
	if (getc(f) != EOF)
		return rt_fail(why, RT_E_FORMAT, path, "goes on behind its data");
	return rt_booleans(f, e, n, *start, path, why);
}

static bool
rt_read(FILE *f, rt_entry *e, int n, int64_t start)
{
	for (int i = 0; i < n; i++) {
		const size_t bytes = (size_t)e[i].bytes;

		if (!e[i].data || !bytes)
			continue;
		if (!rt_seek(f, start + e[i].begin) || fread(e[i].data, 1, bytes, f) != bytes)
			return false;
		rt_order(e[i].data, e[i].bytes, rt_size(e[i].is->dtype));
	}
	return true;
}

/* Checks a file, and then reads it if it is to fill the arrays. Names that begin with `ignore`
 * may be there besides; NULL: none. */
static int
rt_load_file(const char *path, rt_entry *e, int n, const char *ignore, bool fill, char *why)
{
	FILE *f = fopen(path, "rb");
	int64_t start = 0;
	int code = RT_OK;

	if (!f)
		return rt_fail(why, RT_E_OPEN, path, "cannot be opened");
	for (int i = 0; i < n; i++)
		e[i].begin = -1;
	code = rt_check(f, e, n, ignore, &start, path, why);
	if (!code && fill && !rt_read(f, e, n, start))
		code = rt_fail(why, RT_E_FILE, path, "cannot be read");
	fclose(f);
	return code;
}

/* a file named in the model, below a directory */
static int
rt_load_below(const char *dir, const char *file, rt_entry *e, int n, bool fill, char *why)
{
	char path[FILENAME_MAX];
	const bool whole = !dir || file[0] == '/';

	if (strlen(file) + (whole ? 0 : strlen(dir)) + 2 > sizeof path)
		return rt_fail(why, RT_E_OPEN, file, "its path is too long");
	path[0] = '\0';
	if (!whole)
		strcat(strcpy(path, dir), "/");
	return rt_load_file(strcat(path, file), e, n, "", fill, why);
}

/* places without holes, wide elements first, so that each array has its natural alignment */
static void
rt_place(rt_entry *e, int n)
{
	int64_t at = 0;

	for (int size = 8; size; size /= 2)
		for (int i = 0; i < n; i++)
			if (rt_size(e[i].is->dtype) == size) {
				e[i].begin = at;
				at += e[i].bytes;
			}
	qsort(e, (size_t)n, sizeof *e, rt_before);
}

/* a string of JSON; what is returned here and below is the number of bytes, which stays in range */
static int64_t
rt_put_string(FILE *f, const char *s)
{
	int64_t n = 2;

	putc('"', f);
	for (; *s; s++, n++) {
		if ((unsigned char)*s < ' ') {
			n += fprintf(f, "\\u%04x", (unsigned)*s) - 1;
			continue;
		}
		if (*s == '"' || *s == '\\') {
			putc('\\', f);
			n++;
		}
		putc(*s, f);
	}
	putc('"', f);
	return n;
}

static int64_t
rt_put_tensor(FILE *f, const rt_entry *e)
{
	int64_t n = rt_put_string(f, e->is->name);

	n += fprintf(f, ":{\"dtype\":\"");
	for (const char *c = e->is->dtype; *c; c++, n++)
		putc(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c, f);
	n += fprintf(f, "\",\"shape\":[");
	for (int d = 0; d < e->is->rank; d++)
		n += fprintf(f, "%s%lld", d ? "," : "", (long long)e->is->shape[d]);
	return n + fprintf(f, "],\"data_offsets\":[%lld,%lld]}", (long long)e->begin, (long long)(e->begin + e->bytes));
}

/* the header, behind its length, a multiple of 8 */
static bool
rt_put_header(FILE *f, const rt_entry *e, int n)
{
	unsigned char size[8] = {0};
	int64_t length = 1;

	fwrite(size, 1, 8, f);
	putc('{', f);
	for (int i = 0; i < n; i++) {
		if (i) {
			putc(',', f);
			length++;
		}
		length += rt_put_tensor(f, &e[i]);
	}
	putc('}', f);
	for (length++; length % 8; length++)
		putc(' ', f);
	for (int k = 0; k < 8; k++)
		size[k] = (unsigned char)(length >> 8 * k & 0xff);
	return !ferror(f) && !fseek(f, 0, SEEK_SET) && fwrite(size, 1, 8, f) == 8 && !fseek(f, 0, SEEK_END);
}

static bool
rt_put_data(FILE *f, const rt_entry *e)
{
	unsigned char part[RT_PART];

	for (int64_t at = 0; at < e->bytes; at += RT_PART) {
		const size_t m = (size_t)(e->bytes - at < RT_PART ? e->bytes - at : RT_PART);

		memcpy(part, (const char *)e->data + at, m);
		rt_order(part, (int64_t)m, rt_size(e->is->dtype));
		if (fwrite(part, 1, m, f) != m)
			return false;
	}
	return true;
}

/* Writes all of e to a file beside the target, which then takes its name. */
static int
rt_save_file(const char *path, rt_entry *e, int n, char *why)
{
	char beside[FILENAME_MAX];
	FILE *f = NULL;
	bool ok = true;

	for (int i = 0; i < n; i++)
		if (!e[i].data)
			return rt_fail(why, RT_E_NULL, e[i].is->name, "its array is NULL");
	if (strlen(path) + sizeof ".new" > sizeof beside)
		return rt_fail(why, RT_E_OPEN, path, "its path is too long");
	f = fopen(strcat(strcpy(beside, path), ".new"), "wb");
	if (!f)
		return rt_fail(why, RT_E_OPEN, beside, "cannot be made");
	rt_place(e, n);
	ok = rt_put_header(f, e, n);
	for (int i = 0; ok && i < n; i++)
		ok = rt_put_data(f, &e[i]);
	ok = !fclose(f) && ok;
	if (ok && !rename(beside, path))
		return RT_OK;
	remove(beside);
	return rt_fail(why, RT_E_FILE, path, "cannot be written");
}

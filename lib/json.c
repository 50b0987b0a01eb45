/* json.c: JSON texts (RFC 8259).
 *
 * cJSON alone takes wrong texts and loses places, large integers and NUL; some
 * versions read 63 bytes of a number and no more. So a strict scanner of our own
 * reads the text first: it builds the tree with places, number texts and values,
 * and refuses the rest. cJSON then parses a copy whose numbers are blanked, and
 * its tree is walked in step with ours to take the decoded strings. Both are
 * linear in the text: columns are counted on the way, and children are gathered
 * on one stack. */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "lib.h"

enum { MAX_DEPTH = 64 };
#define MAX_BYTES (INT64_C(1) << 30)

typedef struct Child {
	Json *val;
	Loc key_at;
} Child;

typedef struct Open {
	Loc at;
	const char *what;
} Open;

typedef struct Scan {
	const unsigned char *s;
	int64_t n, i;
	Loc at;            /* place of s[i] */
	Arena *arena;      /* of the result */
	Arena *scratch;
	char *plain;       /* copy of s for cJSON: each number is 0 and blanks */
	Child *child;      /* finished children of the open arrays and objects */
	int64_t nchild, child_cap;
	Open open[MAX_DEPTH];
	int nopen;
} Scan;

/* the byte k places ahead, or -1 behind the end */
static int
peek(const Scan *s, int64_t k)
{
	return s->i + k < s->n ? s->s[s->i + k] : -1;
}

/* over k bytes of ASCII within a line */
static void
advance(Scan *s, int64_t k)
{
	s->i += k;
	s->at.col += (int)k;
}

/* Length of the well-formed UTF-8 sequence at p, 0 if there is none
 * (Unicode 15, table 3-7: no overlong forms, no surrogates, up to U+10FFFF). */
static int
utf8_len(const unsigned char *p, int64_t n)
{
	if (p[0] < 0x80)
		return 1;
	int len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (p[0] < 0xc2 || p[0] > 0xf4 || n < len)
		return 0;
	int lo = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
	int hi = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;
	if (p[1] < lo || p[1] > hi)
		return 0;
	for (int k = 2; k < len; k++)
		if (p[k] < 0x80 || p[k] > 0xbf)
			return 0;
	return len;
}

/* record, and be false, so that callers can return it */
#define ERROR(at, ...) (diag(DIAG_ERROR, (at), __VA_ARGS__), false)

/* what people write who think of another language */
static const struct { const char *word, *hint; } foreign[] = {
	{"True",      "; write true"},
	{"TRUE",      "; write true"},
	{"False",     "; write false"},
	{"FALSE",     "; write false"},
	{"None",      "; write null"},
	{"undefined", "; write null"},
	{"NaN",       "; JSON has no such number, write the string \"nan\""},
	{"nan",       "; JSON has no such number, write the string \"nan\""},
	{"Infinity",  "; JSON has no such number, write the string \"inf\""},
	{"inf",       "; JSON has no such number, write the string \"inf\""},
};

static int
word_len(const Scan *s)
{
	int k = 0;
	while (k < 32 && (isalnum(peek(s, k)) || peek(s, k) == '_'))
		k++;
	return k;
}

static bool
unexpected_word(Scan *s, int len, const char *wanted)
{
	const char *word = (const char *)s->s + s->i, *hint = "";
	for (int k = 0; k < LEN(foreign); k++)
		if ((int)strlen(foreign[k].word) == len && !memcmp(foreign[k].word, word, (size_t)len))
			hint = foreign[k].hint;
	return ERROR(s->at, "%s expected, not '%.*s'%s", wanted, len, word, hint);
}

/* the text does not go on here with what is wanted: say why in the best words */
static bool
unexpected(Scan *s, const char *wanted)
{
	int c = peek(s, 0);
	if (c < 0 && s->nopen > 0) {
		const Open *o = &s->open[s->nopen - 1];
		return ERROR(s->at, "the file ends inside the %s opened at line %d, column %d",
			o->what, o->at.line, o->at.col);
	}
	if (c < 0)
		return ERROR(s->at, "the file ends where %s is expected", wanted);
	if (c == '/' || c == '#')
		return ERROR(s->at, "%s expected; JSON has no comments", wanted);
	if (c == '\'')
		return ERROR(s->at, "%s expected; strings take double quotes", wanted);
	int word = word_len(s);
	if (word > 0)
		return unexpected_word(s, word, wanted);
	int len = utf8_len(s->s + s->i, s->n - s->i);
	if (len == 0 || c < 0x20 || c == 0x7f)
		return ERROR(s->at, "%s expected, not the byte 0x%02x", wanted, (unsigned)c);
	return ERROR(s->at, "%s expected, not '%.*s'", wanted, len, (const char *)s->s + s->i);
}

static void
skip_space(Scan *s)
{
	for (;; s->i++)
		switch (peek(s, 0)) {
		case ' ': case '\t': case '\r':
			s->at.col++;
			break;
		case '\n':
			s->at.line++;
			s->at.col = 1;
			break;
		default:
			return;
		}
}

static int
hex_digit(int c)
{
	return c >= '0' && c <= '9' ? c - '0'
		: c >= 'a' && c <= 'f' ? c - 'a' + 10
		: c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* the value of the \uXXXX that stands k bytes ahead, or -1 */
static int
unicode_escape(const Scan *s, int k)
{
	int u = 0;
	if (peek(s, k) != '\\' || peek(s, k + 1) != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		int d = hex_digit(peek(s, k + i));
		if (d < 0)
			return -1;
		u = u * 16 + d;
	}
	return u;
}

static bool
scan_unicode_escape(Scan *s)
{
	int u = unicode_escape(s, 0);
	if (u < 0)
		return ERROR(s->at, "\\u takes four hexadecimal digits");
	if (u == 0)
		return ERROR(s->at, "\\u0000: a string may not contain NUL");
	bool high = u >= 0xd800 && u <= 0xdbff, low = u >= 0xdc00 && u <= 0xdfff;
	int other = high ? unicode_escape(s, 6) : -1;
	if (low || (high && (other < 0xdc00 || other > 0xdfff)))
		return ERROR(s->at, "\\u%04x is half of a surrogate pair, without the other half", (unsigned)u);
	advance(s, high ? 12 : 6);
	return true;
}

static bool
scan_escape(Scan *s)
{
	int c = peek(s, 1);
	if (c == 'u')
		return scan_unicode_escape(s);
	if (c <= 0 || !strchr("\"\\/bfnrt", c))
		return ERROR(s->at, "unknown escape; JSON has \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\uXXXX");
	advance(s, 2);
	return true;
}

/* s[i] is the opening quote; leaves i behind the closing one */
static bool
scan_string(Scan *s)
{
	Loc start = s->at;
	for (advance(s, 1);;) {
		int c = peek(s, 0);
		if (c == '"') {
			advance(s, 1);
			return true;
		}
		if (c < 0 || c == '\n' || (c == '\\' && peek(s, 1) < 0))
			return ERROR(start, "the string is not closed on its line");
		if (c == '\t')
			return ERROR(s->at, "tab in a string; write \\t");
		if (c < 0x20)
			return ERROR(s->at, "control character in a string; write \\u%04x", (unsigned)c);
		if (c == '\\') {
			if (!scan_escape(s))
				return false;
			continue;
		}
		int len = utf8_len(s->s + s->i, s->n - s->i);
		if (len == 0)
			return ERROR(s->at, "the byte 0x%02x is not UTF-8 here", (unsigned)c);
		s->i += len;
		s->at.col++;
	}
}

static int64_t
count_digits(const Scan *s, int64_t k)
{
	int64_t n = 0;
	while (peek(s, k + n) >= '0' && peek(s, k + n) <= '9')
		n++;
	return n;
}

/* gives the length 0 of number_len */
static int64_t
number_error(const Scan *s, int64_t k, const char *what)
{
	Loc at = s->at;
	at.col += (int)k;
	return ERROR(at, "%s", what);
}

/* length of the number that stands here, 0 after an error */
static int64_t
number_len(const Scan *s)
{
	int64_t k = peek(s, 0) == '-', digits = count_digits(s, k);
	if (digits == 0) {
		int c = peek(s, k);
		return number_error(s, k, c == 'I' || c == 'i'
			? "digit expected after '-'; JSON has no infinity, write the string \"-inf\""
			: "digit expected after '-'");
	}
	if (digits > 1 && peek(s, k) == '0')
		return number_error(s, k, "a number may not begin with a superfluous 0");
	k += digits;
	if (peek(s, k) == '.') {
		digits = count_digits(s, k + 1);
		if (digits == 0)
			return number_error(s, k + 1, "digit expected after '.'");
		k += 1 + digits;
	}
	if (peek(s, k) == 'e' || peek(s, k) == 'E') {
		k += peek(s, k + 1) == '+' || peek(s, k + 1) == '-' ? 2 : 1;
		digits = count_digits(s, k);
		if (digits == 0)
			return number_error(s, k, "digit expected in the exponent");
		k += digits;
	}
	return k;
}

static bool
scan_number(Scan *s, Json *j)
{
	int64_t len = number_len(s);
	if (len == 0)
		return false;
	j->kind = J_NUMBER;
	j->str = arena_copy(s->arena, (const char *)s->s + s->i, len);
	if (!parse_double(j->str, &j->num)) {     /* recorded, and reading goes on */
		j->num = *j->str == '-' ? -INFINITY : INFINITY;
		diag(DIAG_ERROR, j->at, "the number %.40s%s is out of the range of double",
			j->str, len > 40 ? "..." : "");
	}
	memset(s->plain + s->i, ' ', (size_t)len);
	s->plain[s->i] = '0';
	advance(s, len);
	return true;
}

static Json *scan_value(Scan *s);

static void
push(Scan *s, Json *val, Loc key_at)
{
	Child c = {val, key_at};
	PUSH(s->scratch, s->child, s->nchild, s->child_cap, c);
}

/* the children from `from` on become j's */
static void
take_children(Scan *s, Json *j, int64_t from)
{
	j->n = (int)(s->nchild - from);
	j->item = NEW(s->arena, j->n, Json *);
	for (int k = 0; k < j->n; k++)
		j->item[k] = s->child[from + k].val;
	if (j->kind == J_OBJECT) {
		j->key = NEW(s->arena, j->n, const char *);
		j->key_at = NEW(s->arena, j->n, Loc);
		for (int k = 0; k < j->n; k++)
			j->key_at[k] = s->child[from + k].key_at;
	}
	s->nchild = from;
}

static bool
scan_member(Scan *s)
{
	Loc key_at = s->at;
	if (peek(s, 0) != '"')
		return unexpected(s, "a key in double quotes");
	if (!scan_string(s))
		return false;
	skip_space(s);
	if (peek(s, 0) != ':')
		return unexpected(s, "':' after the key");
	advance(s, 1);
	skip_space(s);
	Json *val = scan_value(s);
	if (val)
		push(s, val, key_at);
	return val != NULL;
}

static bool
scan_item(Scan *s)
{
	Json *val = scan_value(s);
	if (val)
		push(s, val, (Loc){0});
	return val != NULL;
}

/* the items or members up to the closing bracket, which stays */
static bool
scan_list(Scan *s, const Json *j)
{
	bool object = j->kind == J_OBJECT;
	int close = object ? '}' : ']';
	skip_space(s);
	if (peek(s, 0) == close)
		return true;
	for (;;) {
		if (!(object ? scan_member : scan_item)(s))
			return false;
		skip_space(s);
		if (peek(s, 0) == close)
			return true;
		if (peek(s, 0) != ',')
			return unexpected(s, object ? "',' or '}'" : "',' or ']'");
		Loc comma = s->at;
		advance(s, 1);
		skip_space(s);
		if (peek(s, 0) == close)
			return ERROR(comma, "trailing comma: JSON allows none before '%c'", close);
	}
}

static bool
scan_nested(Scan *s, Json *j, JsonKind kind)
{
	if (s->nopen == MAX_DEPTH)
		return ERROR(s->at, "nested deeper than %d", MAX_DEPTH);
	j->kind = kind;
	s->open[s->nopen++] = (Open){s->at, kind == J_OBJECT ? "object" : "array"};
	advance(s, 1);
	int64_t from = s->nchild;
	if (!scan_list(s, j))
		return false;
	advance(s, 1);
	s->nopen--;
	take_children(s, j, from);
	return true;
}

static bool
scan_word(Scan *s, Json *j)
{
	static const struct { const char *word; JsonKind kind; } words[] = {
		{"null", J_NULL}, {"false", J_FALSE}, {"true", J_TRUE},
	};
	int len = word_len(s);
	for (int k = 0; k < LEN(words); k++)
		if ((int)strlen(words[k].word) == len && !memcmp(words[k].word, s->s + s->i, (size_t)len)) {
			j->kind = words[k].kind;
			advance(s, len);
			return true;
		}
	return unexpected(s, "a value");
}

/* NULL after an error */
static Json *
scan_value(Scan *s)
{
	Json *j = NEW(s->arena, 1, Json);
	j->at = s->at;
	int c = peek(s, 0);
	bool ok;
	if (c == '{')
		ok = scan_nested(s, j, J_OBJECT);
	else if (c == '[')
		ok = scan_nested(s, j, J_ARRAY);
	else if (c == '"') {
		j->kind = J_STRING;
		ok = scan_string(s);
	} else if (c == '-' || (c >= '0' && c <= '9'))
		ok = scan_number(s, j);
	else
		ok = scan_word(s, j);
	return ok ? j : NULL;
}

static bool
begins_with(const Scan *s, const char *bytes)
{
	int64_t n = (int64_t)strlen(bytes);
	return s->n >= n && !memcmp(s->s, bytes, (size_t)n);
}

static bool
check_beginning(Scan *s)
{
	if (s->n > MAX_BYTES)
		return ERROR(((Loc){.file = s->at.file}), "%lld bytes: larger than 1 GiB", (long long)s->n);
	if (begins_with(s, "\xef\xbb\xbf"))
		return ERROR(s->at, "byte order mark: JSON text is UTF-8 without one");
	if (begins_with(s, "\xff\xfe") || begins_with(s, "\xfe\xff"))
		return ERROR(s->at, "the text is UTF-16; JSON text is UTF-8");
	skip_space(s);
	if (peek(s, 0) < 0)
		return ERROR(s->at, "%s", s->n ? "the file is blank" : "the file is empty");
	return true;
}

static Json *
scan_text(Scan *s)
{
	if (!check_beginning(s))
		return NULL;
	s->plain = arena_copy(s->scratch, (const char *)s->s, s->n);
	Json *j = scan_value(s);
	skip_space(s);
	if (j && s->i < s->n && !unexpected(s, "the end of the file"))
		return NULL;
	return j;
}

static _Noreturn void
disagree(const Json *j)
{
	bug("%s:%d:%d: cJSON reads this text differently", j->at.file, j->at.line, j->at.col);
}

static int
cjson_type(JsonKind kind)
{
	static const int type[] = {
		[J_NULL] = cJSON_NULL, [J_FALSE] = cJSON_False, [J_TRUE] = cJSON_True,
		[J_NUMBER] = cJSON_Number, [J_STRING] = cJSON_String,
		[J_ARRAY] = cJSON_Array, [J_OBJECT] = cJSON_Object,
	};
	return type[kind];
}

/* of members with the same key the first stays */
static void
drop_duplicates(Scan *s, Json *j)
{
	Map *seen = map_new(s->scratch);
	int n = 0;
	for (int k = 0; k < j->n; k++) {
		const Loc *first = map_get(seen, j->key[k]);
		if (first) {
			diag(DIAG_ERROR, j->key_at[k], "duplicate key '%s'; the first is at line %d, column %d",
				j->key[k], first->line, first->col);
			continue;
		}
		j->item[n] = j->item[k];
		j->key[n] = j->key[k];
		j->key_at[n] = j->key_at[k];
		map_set(seen, j->key[n], &j->key_at[n]);
		n++;
	}
	j->n = n;
}

/* take decoded strings and keys from cJSON's tree */
static void
take_strings(Scan *s, Json *j, const cJSON *c)
{
	if ((c->type & 0xff) != cjson_type(j->kind))
		disagree(j);
	if (j->kind == J_STRING)
		j->str = arena_str(s->arena, c->valuestring);
	const cJSON *child = c->child;
	for (int k = 0; k < j->n; k++, child = child->next) {
		if (!child)
			disagree(j);
		if (j->kind == J_OBJECT)
			j->key[k] = arena_str(s->arena, child->string);
		take_strings(s, j->item[k], child);
	}
	if (child)
		disagree(j);
	if (j->kind == J_OBJECT)
		drop_duplicates(s, j);
}

Json *
json_read(Arena *a, const char *file, const char *text, int64_t n)
{
	Scan s = {
		.s = (const unsigned char *)text, .n = n,
		.at = {arena_str(a, file), 1, 1},
		.arena = a, .scratch = arena_new(),
	};
	Json *j = scan_text(&s);
	if (j) {
		cJSON *c = cJSON_ParseWithLength(s.plain, (size_t)n);
		if (!c)
			disagree(j);
		take_strings(&s, j, c);
		cJSON_Delete(c);
	}
	arena_free(s.scratch);
	return j;
}

Json *
json_get(const Json *object, const char *key)
{
	if (object && object->kind == J_OBJECT)
		for (int k = 0; k < object->n; k++)
			if (!strcmp(object->key[k], key))
				return object->item[k];
	return NULL;
}

bool
json_int(const Json *j, int64_t *out)
{
	if (!j || (j->kind != J_NUMBER && j->kind != J_STRING))
		return false;
	const char *s = j->str;
	bool negative = *s == '-';
	s += negative;
	if (!*s || (*s == '0' && s[1]))
		return false;
	int64_t x = 0;               /* kept negative: there is one more of those */
	for (; *s; s++)
		if (*s < '0' || *s > '9' || !mul_ok(x, 10, &x) || !add_ok(x, -(*s - '0'), &x))
			return false;
	return mul_ok(x, negative ? 1 : -1, out);
}

void
json_quote(Buf *b, const char *utf8)
{
	buf_putc(b, '"');
	for (const unsigned char *s = (const unsigned char *)utf8; *s; s++)
		switch (*s) {
		case '"': buf_puts(b, "\\\""); break;
		case '\\': buf_puts(b, "\\\\"); break;
		case '\n': buf_puts(b, "\\n"); break;
		case '\t': buf_puts(b, "\\t"); break;
		case '\r': buf_puts(b, "\\r"); break;
		default:
			if (*s < 0x20 || *s == 0x7f)
				buf_printf(b, "\\u%04x", *s);
			else
				buf_putc(b, *s);
		}
	buf_putc(b, '"');
}

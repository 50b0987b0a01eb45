/* ctext: words of the user inside C, and dtypes as C types.
 *
 * Names, docs and scopes are any UTF-8. In a comment they must not end or open
 * one, form a trigraph, or turn the direction of text (CVE-2021-42574: such
 * comments read differently from what is compiled, and compilers warn). */
#include "gen.h"

#include <string.h>

enum { WIDTH = 100 };      /* columns of a line, a tab being 8 */

const char *
c_type(DType d)
{
	static const char *const name[NDTYPE] = {
		[F64] = "double", [F32] = "float", [I64] = "int64_t", [I32] = "int32_t", [I16] = "int16_t",
		[I8] = "int8_t", [U64] = "uint64_t", [U8] = "uint8_t", [BOOL] = "bool",
	};

	if (d >= NDTYPE || !name[d])
		bug("%s has no type in C yet", dtype_name(d));
	return name[d];
}

const char *
upper(Arena *a, const char *s)
{
	char *u = arena_str(a, s);

	for (char *c = u; *c; c++)
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 'a' + 'A');
	return u;
}

/* U+202A to U+202E and U+2066 to U+2069, as UTF-8 */
static bool
turns_direction(const char *s)
{
	const unsigned char *u = (const unsigned char *)s;

	if (u[0] != 0xe2)
		return false;
	return (u[1] == 0x80 && u[2] >= 0xaa && u[2] <= 0xae) || (u[1] == 0x81 && u[2] >= 0xa6 && u[2] <= 0xa9);
}

void
buf_comment(Buf *b, const char *s)
{
	char last = 0;

	for (; *s; s++) {
		if (turns_direction(s)) {
			buf_putc(b, '?');
			last = '?';
			s += 2;
			continue;
		}
		if ((last == '*' && *s == '/') || (last == '/' && *s == '*') || (last == '?' && *s == '?'))
			buf_putc(b, ' ');
		last = (unsigned char)*s < ' ' || *s == 0x7f ? ' ' : *s;
		buf_putc(b, last);
	}
}

void
buf_c_string(Buf *b, const char *s)
{
	buf_putc(b, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (c == '"' || c == '\\' || c == '?')
			buf_printf(b, "\\%c", c);
		else if (c < ' ' || c >= 0x7f)
			buf_printf(b, "\\%03o", c);
		else
			buf_putc(b, c);
	}
	buf_putc(b, '"');
}

static int
columns(const char *s, int64_t n)
{
	int c = 0;

	for (int64_t i = 0; i < n; i++)
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			c++;
	return c;
}

/* a break here reads well: after a comma, before an operator that joins conditions */
static bool
good_break(const char *s, int64_t i)
{
	return s[i - 1] == ',' || s[i - 1] == ';' || !strncmp(s + i + 1, "||", 2) || !strncmp(s + i + 1, "? ", 2);
}

void
buf_line(Buf *b, int indent, const char *s)
{
	for (int deep = indent;; deep = indent + 1) {
		int64_t n = (int64_t)strlen(s), any = 0, good = 0;

		for (int i = 0; i < deep; i++)
			buf_putc(b, '\t');
		if (8 * deep + columns(s, n) <= WIDTH) {
			buf_printf(b, "%s\n", s);
			return;
		}
		for (int64_t i = 1; i < n && (!any || 8 * deep + columns(s, i) <= WIDTH); i++)
			if (s[i] == ' ') {
				any = i;
				if (good_break(s, i))
					good = i;
			}
		any = good ? good : any ? any : n;
		buf_put(b, s, any);
		buf_putc(b, '\n');
		if (any == n)
			return;
		s += any + 1;
	}
}

void
buf_paragraph(Buf *b, const char *first, const char *prefix, const char *s, const char *end)
{
	int column = columns(first, (int64_t)strlen(first)), room = (int)strlen(end);

	buf_puts(b, first);
	for (bool start = true; *s; start = false) {
		int64_t n = (int64_t)strcspn(s, " ");
		int wide = columns(s, n);
		if (!start && column + 1 + wide + (s[n] ? 0 : room) > WIDTH) {
			buf_printf(b, "\n%s", prefix);
			column = columns(prefix, (int64_t)strlen(prefix));
		} else if (!start) {
			buf_putc(b, ' ');
			column++;
		}
		buf_put(b, s, n);
		column += wide;
		s += n + strspn(s + n, " ");
	}
	buf_puts(b, end);
}

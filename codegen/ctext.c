/* ctext: words of the user inside C, and dtypes as C types.
 *
 * Names, docs and scopes are any UTF-8. In a comment they must not end or open
 * one, form a trigraph, or turn the direction of text (CVE-2021-42574: such
 * comments read differently from what is compiled, and compilers warn). */
#include "gen.h"

#include <string.h>

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

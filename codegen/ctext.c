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
		[F64] = "double", [F32] = "float", [F16] = "uint16_t", [BF16] = "uint16_t", [I64] = "int64_t", [I32] = "int32_t", [I16] = "int16_t",
		[I8] = "int8_t", [U64] = "uint64_t", [U8] = "uint8_t", [BOOL] = "bool",
	};

	if (d >= NDTYPE || !name[d])
		bug("%s has no type in C yet", dtype_name(d));
	return name[d];
}

const char *
c_dim(Arena *a, const Graph *g, Dim d, const char *prefix)
{
	Buf b = {.arena = a};

	for (int s = 0; s < g->nsym; s++)
		for (uint32_t e = d.sym >> 4 * s & 15; e; e--)
			buf_printf(&b, "%s%s%s", b.n ? " * " : "", prefix, g->sym[s].name);
	if (d.k != 1 || !b.n)
		buf_printf(&b, "%s%lld", b.n ? " * " : "", (long long)d.k);
	return buf_str(&b);
}

const char *
c_bytes(Arena *a, const Graph *g, const Type *t, const char *prefix)
{
	Dim n = type_count(t);

	if (!n.sym)
		return arena_fmt(a, "%lld", (long long)(n.k * dtype_size(t->dt)));
	return arena_fmt(a, "sizeof(%s) * (size_t)(%s)", c_type(t->dt), c_dim(a, g, n, prefix));
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

/* how well a break at the blank s[i] reads: after a comma, before an operator that joins conditions, else */
static int
break_rank(const char *s, int64_t i)
{
	if (s[i - 1] == ',' || s[i - 1] == ';')
		return 2;
	return !strncmp(s + i + 1, "||", 2) || !strncmp(s + i + 1, "&&", 2) || !strncmp(s + i + 1, "? ", 2);
}

/* where to break s, of which room columns fit: of the blanks that read well the one in the fewest
 * parentheses, the better, the later; 0: nowhere */
static int64_t
break_at(const char *s, int room)
{
	int64_t best = 0, any = 0;
	int best_deep = 0, best_rank = 0, deep = 0;
	bool quoted = false;

	for (int64_t i = 1; s[i] && (!any || columns(s, i) <= room); i++) {
		int rank;
		if (s[i] == '"')
			quoted = !quoted;
		if (quoted)
			continue;
		deep += (s[i] == '(' || s[i] == '[') - (s[i] == ')' || s[i] == ']');
		if (s[i] != ' ')
			continue;
		any = i;
		rank = break_rank(s, i);
		if (!rank || (best && 3 * best > room && (deep > best_deep || (deep == best_deep && rank < best_rank))))
			continue;
		best = i, best_deep = deep, best_rank = rank;
	}
	return best ? best : any;
}

void
buf_line(Buf *b, int indent, const char *s)
{
	for (int deep = indent;; deep = indent + 1) {
		int64_t n = (int64_t)strlen(s), at;

		for (int i = 0; i < deep && n; i++)
			buf_putc(b, '\t');
		at = 8 * deep + columns(s, n) <= WIDTH ? 0 : break_at(s, WIDTH - 8 * deep);
		buf_put(b, s, at ? at : n);
		buf_putc(b, '\n');
		if (!at)
			return;
		s += at + 1;
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

static void
put_again(Buf *b, const char *line)
{
	int64_t n = (int64_t)strlen(line), tabs = (int64_t)strspn(line, "\t");
	const bool comment = !strncmp(line, "/* ", 3), inside = !strncmp(line, " * ", 3);
	const bool last = n > 3 && !strcmp(line + n - 3, " */");
	Buf code = {.arena = b->arena};

	if (comment || inside)
		buf_paragraph(b, comment ? "/* " : " * ", " * ", arena_copy(b->arena, line + 3, n - (last ? 6 : 3)),
			last ? " */\n" : "\n");
	else if (line[0] != '#')
		buf_line(b, (int)tabs, line + tabs);
	else {
		buf_line(&code, 0, line);
		for (const char *s = buf_str(&code), *end; (end = strchr(s, '\n')); s = end + 1) {
			buf_put(b, s, end - s);
			buf_puts(b, end[1] ? " \\\n" : "\n");
		}
	}
}

static bool
fits(const char *line)
{
	int64_t tabs = (int64_t)strspn(line, "\t");

	return 8 * tabs + columns(line + tabs, (int64_t)strlen(line + tabs)) <= WIDTH;
}

/* the end of what begins at s, a statement or a directive in several lines, as one line in whole;
 * false: all its lines fit */
static bool
join_lines(Buf *whole, const char *s, const char **end)
{
	bool long_line = false;

	for (;; s = *end + 1) {
		Buf line = {.arena = whole->arena};
		*end = strchr(s, '\n');
		buf_put(&line, s, *end - s);
		long_line |= !fits(buf_str(&line));
		if (whole->n)
			s += strspn(s, "\t");
		buf_put(whole, s, *end - s - ((*end)[-1] == '\\'));
		if ((*end)[-1] == ',' && (*end)[1])
			buf_putc(whole, ' ');
		else if ((*end)[-1] != '\\')
			return long_line;
	}
}

void
buf_lines(Buf *b, const char *text)
{
	for (const char *s = text, *end; *s; s = end + 1) {
		Buf whole = {.arena = b->arena};
		if (join_lines(&whole, s, &end))
			put_again(b, buf_str(&whole));
		else
			buf_put(b, s, end + 1 - s);
	}
}

/* reparse.c: emitted C read back through libclang.
 *
 * reparse() holds each unit to the warnings that its users may turn on, before
 * it is written. tokens_equal() decides whether a checked-in file still is what
 * would be written, though clang-format went over it: both texts become token
 * lists in which each run of #include lines is sorted, and a token knows how it
 * stands to the preprocessor, since there line ends have meaning. */
#include <stdlib.h>
#include <string.h>

#include "gen.h"

enum { SHOWN = 10 };   /* diagnostics in one message */

/* one line of a file, from 1, without indentation; tabs become blanks */
static const char *
source_line(Arena *a, const char *text, int line)
{
	for (; line > 1 && strchr(text, '\n'); line--)
		text = strchr(text, '\n') + 1;
	text += strspn(text, " \t");
	char *copy = arena_copy(a, text, (int64_t)strcspn(text, "\n"));
	for (char *tab = copy; (tab = strchr(tab, '\t'));)
		*tab = ' ';
	return copy;
}

typedef struct File {
	const char *name, *text;
} File;

static void
put_diagnostic(Arena *a, Buf *b, const CDiag *d, const File *file, int nfile)
{
	buf_printf(b, "\n%s:%d:%d: %s: %s", d->file ? d->file : "libclang", d->line, d->col, d->severity,
		d->text);
	for (int i = 0; d->file && i < nfile; i++)
		if (strcmp(file[i].name, d->file) == 0)
			buf_printf(b, "\n    %s", source_line(a, file[i].text, d->line));
}

static void
judge(Arena *a, const CUnit *u, const char *how, const File *file, int nfile)
{
	Buf b = {.arena = a};
	for (int i = 0; i < u->ndiag; i++) {
		const CDiag *d = &u->diag[i];
		if (strcmp(d->severity, "missing header") == 0)
			fail(EXIT_INPUT, (Loc){d->file, d->line, d->col},
				"%s: the C library's headers are needed to check the emitted C "
				"(Debian: libc6-dev); --no-reparse writes it unchecked", d->text);
		if (i < SHOWN)
			put_diagnostic(a, &b, d, file, nfile);
	}
	if (u->ndiag)
		bug("emitted C, parsed as %s, has %d diagnostics:%s", how, u->ndiag, buf_str(&b));
}

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

void
reparse(const char *name_c, const char *text_c, const char *name_h, const char *text_h)
{
	static const char *const c99[] = {
		"-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-fopenmp",
	};
	static const char *const cxx[] = {
		"-xc++", "-std=c++11", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion",
	};
	const char *why;
	if (!cparse_available(&why))
		fail(EXIT_INPUT, (Loc){0}, "%s; it checks the emitted C, --no-reparse writes it unchecked",
			why);

	Arena *a = arena_new();
	/* a second time, for its include guard */
	const char *user_text = arena_fmt(a, "#include \"%s\"\n#include \"%s\"\n", base_name(name_h),
		base_name(name_h));
	File unit[] = {{name_c, text_c}, {name_h, text_h}};
	File user[] = {{arena_fmt(a, "%s.c", name_h), user_text}, {name_h, text_h}};
	const struct {
		const char *how;
		const File *file;
		const char *const *args;
		int nargs;
	} parses[] = {
		{"C99", unit, c99, LEN(c99) - 1},
		{"C99 with OpenMP", unit, c99, LEN(c99)},
		{"a C99 header", user, c99, LEN(c99) - 1},
		{"a C++ header", user, cxx, LEN(cxx)},
	};
	for (int i = 0; i < LEN(parses); i++) {
		const File *f = parses[i].file;
		CUnit u = cparse(a, f[0].name, f[0].text, parses[i].args, parses[i].nargs, &f[1].name,
			&f[1].text, 1);
		judge(a, &u, parses[i].how, f, LEN(unit));
	}
	arena_free(a);
}

/* how a token stands to the preprocessor */
typedef enum Standing { PLAIN, OPENS, INSIDE, GLUED } Standing;

typedef struct Tokens {
	int n;
	CToken *t;
	Standing *standing;
} Tokens;

/* tokens of the logical line that begins at i */
static int
line_length(const Tokens *x, int i)
{
	int n = 1;
	while (i + n < x->n && !x->t[i + n].first)
		n++;
	return n;
}

static bool
is_include(const Tokens *x, int i)
{
	return i + 1 < x->n && x->t[i].first && strcmp(x->t[i].text, "#") == 0 && !x->t[i + 1].first
		&& strcmp(x->t[i + 1].text, "include") == 0;
}

typedef struct Line {
	const CToken *t;
	int n;
} Line;

static int
compare_lines(const void *p, const void *q)
{
	const Line *x = p, *y = q;
	for (int i = 0; i < x->n && i < y->n; i++) {
		int order = strcmp(x->t[i].text, y->t[i].text);
		if (order)
			return order;
	}
	return x->n - y->n;
}

static void
sort_includes(Arena *a, Tokens *x)
{
	CToken *sorted = NEW(a, x->n, CToken);
	Line *line = NEW(a, x->n, Line);
	for (int i = 0, n = 0; n < x->n;) {
		int nline = 0;
		for (; is_include(x, i); i += line[nline++].n)
			line[nline] = (Line){&x->t[i], line_length(x, i)};
		qsort(line, (size_t)nline, sizeof *line, compare_lines);
		for (int k = 0; k < nline; k++)
			for (int j = 0; j < line[k].n; j++)
				sorted[n++] = line[k].t[j];
		if (i < x->n)
			sorted[n++] = x->t[i++];
	}
	x->t = sorted;
}

/* "#define f(x)" is not "#define f (x)" */
static bool
is_glued(const Tokens *x, int i)
{
	const CToken *t = &x->t[i];
	return i >= 3 && x->standing[i - 3] == OPENS && strcmp(t[-2].text, "define") == 0
		&& strcmp(t->text, "(") == 0 && t->line == t[-1].line
		&& t->col == t[-1].col + (int)strlen(t[-1].text);
}

static void
find_standings(Arena *a, Tokens *x)
{
	bool directive = false;
	x->standing = NEW(a, x->n, Standing);
	for (int i = 0; i < x->n; i++) {
		bool first = x->t[i].first;
		if (first)
			directive = strcmp(x->t[i].text, "#") == 0;
		x->standing[i] = !directive ? PLAIN : first ? OPENS : is_glued(x, i) ? GLUED : INSIDE;
	}
}

static Tokens
read_tokens(Arena *a, const char *name, const char *text)
{
	Tokens x = {0};
	x.n = ctokens(a, name, text, &x.t);
	sort_includes(a, &x);
	find_standings(a, &x);
	return x;
}

static const char *
describe(Arena *a, const Tokens *x, int i)
{
	static const char *const suffix[] = {
		[PLAIN] = "", [OPENS] = " of a directive", [INSIDE] = " within a directive",
		[GLUED] = " joined to the macro's name",
	};
	if (i >= x->n)
		return "the end of the file";
	return arena_fmt(a, "'%s'%s", x->t[i].text, suffix[x->standing[i]]);
}

bool
tokens_equal(Arena *a, const char *name, const char *old, const char *new, Buf *why)
{
	Tokens x = read_tokens(a, name, old), y = read_tokens(a, name, new);
	int i = 0;
	while (i < x.n && i < y.n && x.standing[i] == y.standing[i] && strcmp(x.t[i].text, y.t[i].text) == 0)
		i++;
	if (i == x.n && i == y.n)
		return true;
	/* at the end of old, the place is its last token */
	CToken at = i < x.n ? x.t[i] : x.n ? x.t[x.n - 1] : (CToken){.line = 1, .col = 1};
	buf_printf(why, "%s:%d:%d: %s, should be %s", name, at.line, at.col, describe(a, &x, i),
		describe(a, &y, i));
	return false;
}

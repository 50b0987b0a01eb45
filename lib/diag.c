/* diag.c: complaints in compiler form, and every failing way out of the process.
 *
 * Complaints are kept until diag_check(), fail() or bug() prints them in order
 * of place, so that one run shows all independent errors of a file. Running out
 * of memory fails while a failure is being told; the inner one then goes
 * straight to stderr. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib.h"

typedef struct Diag {
	Severity severity;
	Loc at;
	char *text;
} Diag;

static struct {
	Arena *arena;      /* of the complaints and paths; NULL until the first */
	Diag *diag;
	int64_t ndiag, diag_cap;
	char **path;       /* temporaries */
	int64_t npath, path_cap;
	int count[DIAG_ERROR + 1];
	bool json, colour, leaving;
	char pass[64], node[256];
} state;

static Arena *
arena(void)
{
	if (!state.arena)
		state.arena = arena_new();
	return state.arena;
}

static void
record(Severity s, Loc at, const char *fmt, va_list ap)
{
	Buf b = {.arena = arena()};
	buf_vprintf(&b, fmt, ap);
	if (at.file)
		at.file = arena_str(arena(), at.file);
	Diag d = {s, at, b.s};
	PUSH(arena(), state.diag, state.ndiag, state.diag_cap, d);
	state.count[s]++;
}

void
diag(Severity s, Loc at, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	record(s, at, fmt, ap);
	va_end(ap);
}

int
diag_count(Severity least)
{
	int n = 0;
	for (int s = (int)least; s <= DIAG_ERROR; s++)
		n += state.count[s];
	return n;
}

void
diag_json(bool on)
{
	state.json = on;
}

void
diag_reset(void)
{
	state.ndiag = 0;
	memset(state.count, 0, sizeof state.count);
	if (state.npath == 0) {
		arena_free(state.arena);
		state.arena = NULL;
		state.diag = NULL;
		state.diag_cap = 0;
		state.path = NULL;
		state.path_cap = 0;
	}
}

static int
compare_loc(Loc a, Loc b)
{
	if (!a.file || !b.file)
		return (a.file != NULL) - (b.file != NULL);
	int c = strcmp(a.file, b.file);
	if (c == 0)
		c = (a.line > b.line) - (a.line < b.line);
	return c ? c : (a.col > b.col) - (a.col < b.col);
}

/* stable, by merging: complaints about one place stay in the order they were made */
static void
sort(Diag *d, int64_t n, Diag *scratch)
{
	if (n < 2)
		return;
	int64_t half = n / 2, i = 0, j = half;
	sort(d, half, scratch);
	sort(d + half, n - half, scratch);
	memcpy(scratch, d, (size_t)n * sizeof *d);
	for (int64_t k = 0; k < n; k++) {
		bool left = j == n || (i < half && compare_loc(scratch[i].at, scratch[j].at) <= 0);
		d[k] = left ? scratch[i++] : scratch[j++];
	}
}

static void
put_place(Buf *b, Loc at)
{
	buf_puts(b, at.file ? at.file : "gradc");
	if (at.file && at.line > 0) {
		buf_printf(b, ":%d", at.line);
		if (at.col > 0)
			buf_printf(b, ":%d", at.col);
	}
	buf_puts(b, ": ");
}

static void
put_text(Buf *b, const Diag *d)
{
	static const char *const word[] = {"warning: ", "error: unsupported: ", "error: "};
	static const char *const colour[] = {"\033[1;35m", "\033[1;31m", "\033[1;31m"};
	put_place(b, d->at);
	buf_puts(b, state.colour ? colour[d->severity] : "");
	buf_puts(b, word[d->severity]);
	buf_puts(b, state.colour ? "\033[0m" : "");
	for (const char *s = d->text; *s; s++)
		if (*s == '\n')
			buf_puts(b, "\n    ");
		else if ((unsigned char)*s < 0x20 || *s == 0x7f)
			buf_printf(b, "\\x%02x", *s);   /* names of the user's must not command a terminal */
		else
			buf_putc(b, *s);
	buf_putc(b, '\n');
}

static void
put_json(Buf *b, const Diag *d)
{
	static const char *const word[] = {"warning", "unsupported", "error"};
	buf_puts(b, "{\"file\": ");
	if (d->at.file)
		json_quote(b, d->at.file);
	else
		buf_puts(b, "null");
	buf_printf(b, ", \"line\": %d, \"col\": %d, \"severity\": \"%s\", \"message\": ",
		d->at.line, d->at.col, word[d->severity]);
	json_quote(b, d->text);
	buf_puts(b, "}\n");
}

void
diag_text(Buf *b)
{
	sort(state.diag, state.ndiag, NEW(b->arena, state.ndiag, Diag));
	for (int64_t i = 0; i < state.ndiag; i++)
		(state.json ? put_json : put_text)(b, &state.diag[i]);
}

/* https://no-color.org */
static bool
stderr_takes_colour(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
	return isatty(STDERR_FILENO) && !(no && *no) && term && strcmp(term, "dumb");
}

static void
print_recorded(void)
{
	Buf b = {.arena = arena()};
	state.colour = stderr_takes_colour();
	diag_text(&b);
	state.colour = false;
	fflush(stdout);
	fputs(buf_str(&b), stderr);
	state.ndiag = 0;
}

static _Noreturn void
leave(int code)
{
	for (int64_t i = 0; i < state.npath; i++)
		unlink(state.path[i]);
	exit(code);
}

void
diag_check(void)
{
	if (state.ndiag > 0)
		print_recorded();
	if (state.count[DIAG_ERROR])
		leave(EXIT_INPUT);
	if (state.count[DIAG_UNSUPPORTED])
		leave(EXIT_UNSUPPORTED);
}

/* the second failure of one exit: no memory may be asked for */
static _Noreturn void
leave_at_once(int code, const char *fmt, va_list ap)
{
	fputs("gradc: error: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	leave(code);
}

_Noreturn void
fail(int code, Loc at, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	if (state.leaving)
		leave_at_once(code, fmt, ap);
	state.leaving = true;
	record(code == EXIT_UNSUPPORTED ? DIAG_UNSUPPORTED : DIAG_ERROR, at, fmt, ap);
	va_end(ap);
	print_recorded();
	leave(code);
}

_Noreturn void
bug(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	if (state.leaving)
		leave_at_once(EXIT_BUG, fmt, ap);
	state.leaving = true;
	Buf b = {.arena = arena()};
	buf_puts(&b, "internal error: ");
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	if (state.pass[0])
		buf_printf(&b, "\nin pass '%s'", state.pass);
	if (state.node[0])
		buf_printf(&b, "\nat node '%s'", state.node);
	buf_puts(&b, "\nthis is a fault of gradc, not of its input; please report it with the input");
	diag(DIAG_ERROR, (Loc){0}, "%s", b.s);
	print_recorded();
	leave(EXIT_BUG);
}

void
bug_context(const char *pass, const char *node)
{
	snprintf(state.pass, sizeof state.pass, "%s", pass ? pass : "");
	snprintf(state.node, sizeof state.node, "%s", node ? node : "");
}

/* An arena keeps the old array when it grows, and at_exit_keep() only moves paths forward: what stands
 * there is a list of temporaries at any moment. */
static void
interrupted(int sig)
{
	for (int64_t i = 0; i < state.npath; i++)
		unlink(state.path[i]);
	signal(sig, SIG_DFL);
	raise(sig);
}

/* once; signals that the caller told us to ignore stay ignored */
static void
catch_signals(void)
{
	static const int fatal[] = {SIGINT, SIGTERM, SIGHUP};
	for (int i = 0; i < LEN(fatal); i++) {
		struct sigaction old, act = {.sa_handler = interrupted};
		sigaction(fatal[i], NULL, &old);
		if (old.sa_handler == SIG_DFL)
			sigaction(fatal[i], &act, NULL);
	}
}

void
at_exit_remove(const char *path)
{
	char *copy = arena_str(arena(), path);
	if (!state.npath)
		catch_signals();
	PUSH(arena(), state.path, state.npath, state.path_cap, copy);
}

void
at_exit_keep(const char *path)
{
	int64_t n = 0;
	for (int64_t i = 0; i < state.npath; i++)
		if (strcmp(state.path[i], path))
			state.path[n++] = state.path[i];
	state.npath = n;
}

/* io.c: whole files in, sets of files out, depfiles.
 *
 * A set of outputs is written beside its targets, synced, and only then renamed
 * over them, in the order in which it was added: a failure before the first rename
 * leaves nothing behind, not even the directories that were made. */
#define _XOPEN_SOURCE 700   /* realpath */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib.h"

static Loc
whole(const char *path)
{
	return (Loc){.file = path};
}

/* everything from f, whose size is probably `guess` */
static char *
read_stream(Arena *a, FILE *f, int64_t guess, int64_t *n)
{
	int64_t cap = guess + 1, used = 0;
	char *s = arena_alloc(a, cap, 1);
	for (;;) {
		used += (int64_t)fread(s + used, 1, (size_t)(cap - used), f);
		if (used < cap)
			break;
		char *larger = arena_alloc(a, cap * 2, 1);
		memcpy(larger, s, (size_t)used);
		s = larger;
		cap *= 2;
	}
	s[used] = 0;
	*n = used;
	return s;
}

char *
read_file(Arena *a, const char *path, int64_t *n)
{
	bool standard = !strcmp(path, "-");
	struct stat st = {0};
	FILE *f = standard ? stdin : fopen(path, "rb");
	if (!f)
		fail(EXIT_INPUT, whole(path), "cannot open: %s", strerror(errno));
	fstat(fileno(f), &st);
	int64_t size = 0;
	char *s = read_stream(a, f, S_ISREG(st.st_mode) ? (int64_t)st.st_size : 65535, &size);
	if (ferror(f))
		fail(EXIT_INPUT, whole(standard ? "<stdin>" : path), "cannot read: %s", strerror(errno));
	if (!standard)
		fclose(f);
	if (n)
		*n = size;
	return s;
}

bool
file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

bool
ends_with(const char *path, const char *end)
{
	size_t n = strlen(path), m = strlen(end);

	return n >= m && !strcmp(path + n - m, end);
}

const char *
path_dir(Arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash)
		return ".";
	while (slash > path && slash[-1] == '/')
		slash--;
	return slash == path ? "/" : arena_copy(a, path, slash - path);
}

const char *
path_join(Arena *a, const char *dir, const char *name)
{
	if (*name == '/' || !strcmp(dir, ".") || !*dir)
		return name;
	return arena_fmt(a, dir[strlen(dir) - 1] == '/' ? "%s%s" : "%s/%s", dir, name);
}

typedef struct Output {
	const char *path;      /* as the user knows it */
	const char *target;    /* the file itself, where path is a symbolic link */
	const char *temp;      /* complete and synced; NULL: nothing to rename */
	const char *bytes;
	int64_t n;
	bool direct;           /* standard output, a device, a pipe: cannot be renamed over */
} Output;

struct Outputs {
	Arena *arena;
	Output *v;
	int64_t n, cap;
	const char **made;     /* directories, outermost first */
	int64_t nmade, made_cap;
};

Outputs *
outputs_new(Arena *a)
{
	Outputs *o = NEW(a, 1, Outputs);
	o->arena = a;
	return o;
}

/* bytes must live until the commit */
void
outputs_add(Outputs *o, const char *path, const char *bytes, int64_t n)
{
	for (int64_t i = 0; i < o->n; i++)
		if (!strcmp(o->v[i].path, path))
			fail(EXIT_INPUT, whole(path), "two outputs have this path");
	Output x = {.path = arena_str(o->arena, path), .bytes = bytes, .n = n};
	PUSH(o->arena, o->v, o->n, o->cap, x);
}

static _Noreturn void
give_up(Outputs *o, const char *path, const char *what, int error)
{
	for (int64_t i = 0; i < o->n; i++)
		if (o->v[i].temp)
			unlink(o->v[i].temp);
	for (int64_t i = o->nmade; i-- > 0;)
		rmdir(o->made[i]);
	fail(EXIT_INPUT, whole(strcmp(path, "-") ? path : "<stdout>"), "cannot %s: %s", what, strerror(error));
}

static void
make_dirs(Outputs *o, const char *dir)
{
	struct stat st;
	if (stat(dir, &st) == 0)
		return;
	if (errno == ENOENT)
		make_dirs(o, path_dir(o->arena, dir));
	if (mkdir(dir, 0777) == 0)
		PUSH(o->arena, o->made, o->nmade, o->made_cap, dir);
	else if (errno != EEXIST)
		give_up(o, dir, "make directory", errno);
}

static bool
same_bytes(const char *path, const char *bytes, int64_t n)
{
	FILE *f = fopen(path, "rb");
	if (!f)
		return false;
	char part[65536];
	int64_t at = 0;
	size_t got;
	bool same = true;
	while (same && (got = fread(part, 1, sizeof part, f)) > 0) {
		same = (int64_t)got <= n - at && !memcmp(part, bytes + at, got);
		at += (int64_t)got;
	}
	same = same && at == n && !ferror(f);
	fclose(f);
	return same;
}

static int
write_all(int fd, const char *s, int64_t n)
{
	while (n > 0) {
		ssize_t k = write(fd, s, (size_t)MIN(n, 1 << 30));
		if (k < 0 && errno != EINTR)
			return errno;
		s += MAX(k, 0);
		n -= MAX(k, 0);
	}
	return 0;
}

/* a new file beside the target, not seen by anyone before */
static int
open_temp(Outputs *o, Output *x)
{
	for (int i = 0;; i++) {
		const char *temp = arena_fmt(o->arena, "%s.tmp%ld-%d", x->target, (long)getpid(), i);
		int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL, 0666);
		if (fd < 0 && errno == EEXIST && i < 100)
			continue;
		if (fd < 0)
			give_up(o, x->path, "write", errno);
		x->temp = temp;
		at_exit_remove(temp);
		return fd;
	}
}

static void
write_temp(Outputs *o, Output *x, const struct stat *old)
{
	int fd = open_temp(o, x);
	int error = write_all(fd, x->bytes, x->n);
	if (!error && old && fchmod(fd, old->st_mode & 07777))
		error = errno;
	if (!error && fsync(fd))
		error = errno;
	if (close(fd) && !error)
		error = errno;
	if (error)
		give_up(o, x->path, "write", error);
}

static void
prepare(Outputs *o, Output *x)
{
	struct stat st;
	x->target = x->path;
	if (!strcmp(x->path, "-")) {
		x->direct = true;
		return;
	}
	if (stat(x->path, &st)) {
		make_dirs(o, path_dir(o->arena, x->path));
		write_temp(o, x, NULL);
		return;
	}
	if (S_ISDIR(st.st_mode))
		give_up(o, x->path, "write", EISDIR);
	if (!S_ISREG(st.st_mode)) {
		x->direct = true;
		return;
	}
	if (st.st_size == x->n && same_bytes(x->path, x->bytes, x->n))
		return;
	char *real = realpath(x->path, NULL);
	if (real && strcmp(real, x->path))
		x->target = arena_str(o->arena, real);
	free(real);
	write_temp(o, x, &st);
}

static void
write_direct(Outputs *o, Output *x)
{
	bool standard = !strcmp(x->path, "-");
	if (standard)
		fflush(stdout);
	int fd = standard ? STDOUT_FILENO : open(x->path, O_WRONLY);
	if (fd < 0)
		give_up(o, x->path, "write", errno);
	int error = write_all(fd, x->bytes, x->n);
	if (!standard && close(fd) && !error)
		error = errno;
	if (error)
		give_up(o, x->path, "write", error);
}

void
outputs_commit(Outputs *o)
{
	for (int64_t i = 0; i < o->n; i++)
		prepare(o, &o->v[i]);
	for (int64_t i = 0; i < o->n; i++)
		if (o->v[i].direct)
			write_direct(o, &o->v[i]);
	for (int64_t i = 0; i < o->n; i++) {
		Output *x = &o->v[i];
		if (!x->temp)
			continue;
		if (rename(x->temp, x->target))
			give_up(o, x->path, "rename to", errno);
		at_exit_keep(x->temp);
		x->temp = NULL;
	}
	o->n = o->nmade = 0;
}

/* Quoting as in gcc's libcpp/mkdeps: a blank takes a backslash, and the backslashes
 * before it are doubled; '#' takes one; '$' is doubled. */
static void
put_escaped(Buf *b, const char *path)
{
	for (const char *p = path; *p; p++) {
		if (*p == ' ' || *p == '\t') {
			for (const char *q = p; q > path && q[-1] == '\\'; q--)
				buf_putc(b, '\\');
			buf_putc(b, '\\');
		} else if (*p == '#') {
			buf_putc(b, '\\');
		} else if (*p == '$') {
			buf_putc(b, '$');
		}
		buf_putc(b, *p);
	}
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void
depfile(Buf *b, const char *target, const char *const *deps, int n, bool phony)
{
	const char **sorted = NEW(b->arena, MAX(n, 1), const char *);
	int unique = 0;
	for (int i = 0; i < n; i++)
		sorted[i] = deps[i];
	qsort(sorted, (size_t)n, sizeof *sorted, by_text);
	for (int i = 0; i < n; i++)
		if (!i || strcmp(sorted[i], sorted[unique - 1]))
			sorted[unique++] = sorted[i];

	put_escaped(b, target);
	buf_putc(b, ':');
	for (int i = 0; i < unique; i++) {
		buf_puts(b, i ? " \\\n  " : " ");
		put_escaped(b, sorted[i]);
	}
	buf_putc(b, '\n');
	for (int i = 0; phony && i < unique; i++) {
		put_escaped(b, sorted[i]);
		buf_puts(b, ":\n");
	}
}

/* gradc check: are the files in DIR what compile would write? Reads, never
 * writes. The options are those in the head of the files. C is compared token
 * by token, so that a formatter may have gone over it; the manifest as JSON. */
#include "cmd.h"

#include <string.h>

/* ---- options ---- */

/* The option list of a file's head: behind the last "options:" of its first two comments, whose lines a
 * formatter may have broken anew. NULL: gradc did not write this. */
static const char *
option_list(const char *text)
{
	const char *end = strstr(text, "*/"), *list = NULL;

	end = end ? strstr(end + 2, "*/") : NULL;
	for (const char *at = text; end && (at = strstr(at, "options:")) && at < end; at++)
		list = at + strlen("options:");
	return list;
}

static void
adopt_options(Args *a, const char *path)
{
	int64_t n;
	const char *list, *wrong;

	list = option_list(read_file(a->arena, path, &n));
	if (!list)
		fail(EXIT_DIFF, (Loc){.file = path}, "it does not begin as a file that gradc wrote");
	if ((wrong = args_adopt(a, list)))
		fail(EXIT_DIFF, (Loc){.file = path}, "%s", wrong);
}

/* ---- comparison ---- */

static bool
json_equal(const Json *x, const Json *y)
{
	if (x->kind != y->kind || x->n != y->n)
		return false;
	if ((x->kind == J_STRING || x->kind == J_NUMBER) && strcmp(x->str, y->str))
		return false;
	for (int i = 0; i < x->n; i++) {
		const Json *other = x->kind == J_ARRAY ? y->item[i] : json_get(y, x->key[i]);
		if (!other || !json_equal(x->item[i], other))
			return false;
	}
	return true;
}

static bool
manifests_equal(Args *a, const char *path, const char *old, const char *new)
{
	int errors = diag_count(DIAG_WARNING);
	const Json *x = json_read(a->arena, path, old, (int64_t)strlen(old)), *y = json_read(a->arena, path, new,
		(int64_t)strlen(new));

	if (diag_count(DIAG_WARNING) > errors)
		return false;
	return x && y && json_equal(x, y);
}

typedef enum FileKind { C_FILE, JSON_FILE } FileKind;

/* one complaint, or none; *diffs gets what --diff shows */
static void
compare(Args *a, FileKind kind, const char *path, Buf *b, Buf *diffs)
{
	const char *new = buf_str(b), *old, *missing;
	int64_t n;
	Buf why = {.arena = a->arena};
	bool same;

	if (!file_exists(path)) {
		diag(DIAG_ERROR, (Loc){.file = path}, "missing");
		return;
	}
	old = read_file(a->arena, path, &n);
	if (n == b->n && !memcmp(old, new, (size_t)n))
		return;
	if (kind == C_FILE && !cparse_available(&missing))
		fail(EXIT_INPUT, (Loc){.file = path}, "%s; it is needed to compare C whose bytes differ", missing);
	same = kind == C_FILE ? tokens_equal(a->arena, path, old, new, &why) : manifests_equal(a, path, old, new);
	if (same)
		return;
	diag(DIAG_ERROR, (Loc){.file = path}, "stale%s%s", why.n ? "\n" : "", buf_str(&why));
	if (a->val[O_DIFF])
		text_diff(diffs, path, old, arena_fmt(a->arena, "%s (made anew)", path), new);
}

int
verb_check(Args *a)
{
	Graph *user = input_graph(a, a->pos[0]);
	const char *source = emitted_path(a, user, ".c"), *header = emitted_path(a, user, ".h"), *options;
	Buf diffs = {.arena = a->arena};
	Emitted e;

	if (file_exists(source) || file_exists(header))
		adopt_options(a, file_exists(source) ? source : header);
	emit(a, user, &e);
	compare(a, C_FILE, e.header, &e.unit.header, &diffs);
	compare(a, C_FILE, e.source, &e.unit.source, &diffs);
	compare(a, JSON_FILE, e.manifest, &e.unit.manifest, &diffs);
	fputs(buf_str(&diffs), stdout);
	options = args_canonical(a);
	if (diag_count(DIAG_ERROR))
		fail(EXIT_DIFF, (Loc){0}, "not what %s gives; `gradc compile %s -o %s%s%s` writes it", a->pos[0], a->pos[0],
			emitted_directory(a), *options ? " " : "", options);
	return 0;
}

/* diff: how one text becomes another, line by line, in the unified form that
 * diff -u and patch know.
 *
 * The greedy algorithm of Myers (An O(ND) Difference Algorithm, 1986) on line
 * numbers of a shared table, after the common head and tail are taken off. Past
 * MOST edits the middle is shown as replaced whole. */
#include <string.h>

#include "lib.h"

enum { CONTEXT = 3, MOST = 2000 };

typedef struct Lines {
	int n;
	const char **at;       /* n + 1 of them: where each line begins; the last is the end */
	int *id;               /* equal lines have equal numbers */
	bool *edited;          /* deleted from the old text, inserted into the new */
} Lines;

static Lines
read_lines(Arena *a, Map *table, const char *s)
{
	Lines x = {0};
	int64_t n = 0;
	for (const char *p = s; *p; p++)
		n += *p == '\n';
	x.at = NEW(a, n + 2, const char *);
	x.id = NEW(a, n + 1, int);
	x.edited = NEW(a, n + 1, bool);
	while (*s) {
		int64_t len = (int64_t)strcspn(s, "\n");
		len += s[len] == '\n';
		int *id = map_get_bytes(table, s, len);
		if (!id) {
			id = NEW(a, 1, int);
			*id = map_len(table);
			map_set_bytes(table, s, len, id);
		}
		x.id[x.n] = *id;
		x.at[x.n++] = s;
		s += len;
	}
	x.at[x.n] = s;
	return x;
}

/* Edit path from (0, 0) to (n, m): furthest[d][k + d] is how far diagonal k (x - y) gets with d edits. */
static void
mark_path(int **furthest, int d, const Lines *old, const Lines *new, int head, int n, int m)
{
	for (int x = n, y = m; d > 0; d--) {
		const int *v = furthest[d - 1];
		int k = x - y;
		bool down = k == -d || (k != d && v[k - 1 + d - 1] < v[k + 1 + d - 1]);
		int from = down ? v[k + 1 + d - 1] : v[k - 1 + d - 1];
		if (down)
			new->edited[head + from - (k + 1)] = true;
		else
			old->edited[head + from] = true;
		x = from;
		y = from - (down ? k + 1 : k - 1);
	}
}

static bool
find_path(Arena *a, const Lines *old, const Lines *new, int head, int n, int m)
{
	int most = MIN(n + m, MOST);
	int **furthest = NEW(a, most + 1, int *);
	for (int d = 0; d <= most; d++) {
		int *v = furthest[d] = NEW(a, 2 * d + 1, int);
		const int *u = d ? furthest[d - 1] : NULL;
		for (int k = -d; k <= d; k += 2) {
			bool down = k == -d || (k != d && u[k - 1 + d - 1] < u[k + 1 + d - 1]);
			int x = !d ? 0 : down ? u[k + 1 + d - 1] : u[k - 1 + d - 1] + 1, y = x - k;
			while (x < n && y < m && old->id[head + x] == new->id[head + y])
				x++, y++;
			v[k + d] = x;
			if (x >= n && y >= m) {
				mark_path(furthest, d, old, new, head, n, m);
				return true;
			}
		}
	}
	return false;
}

static void
mark_edits(Arena *a, const Lines *old, const Lines *new)
{
	int head = 0, tail = 0, least = MIN(old->n, new->n);
	while (head < least && old->id[head] == new->id[head])
		head++;
	while (tail < least - head && old->id[old->n - 1 - tail] == new->id[new->n - 1 - tail])
		tail++;
	if (find_path(a, old, new, head, old->n - head - tail, new->n - head - tail))
		return;
	for (int i = head; i < old->n - tail; i++)
		old->edited[i] = true;
	for (int i = head; i < new->n - tail; i++)
		new->edited[i] = true;
}

static void
put_line(Buf *b, int sign, const Lines *x, int i)
{
	buf_putc(b, sign);
	buf_put(b, x->at[i], x->at[i + 1] - x->at[i]);
	if (x->at[i + 1][-1] != '\n')
		buf_puts(b, "\n\\ No newline at end of file\n");
}

/* "12,3"; a count of 1 is left out, and an empty range names the line before it */
static void
put_range(Buf *b, int sign, int from, int n)
{
	buf_printf(b, " %c%d", sign, n ? from + 1 : from);
	if (n != 1)
		buf_printf(b, ",%d", n);
}

static bool
edit_at(const Lines *old, const Lines *new, int i, int j)
{
	return (i < old->n && old->edited[i]) || (j < new->n && new->edited[j]);
}

/* the hunk whose first edit is at (i, j); both end behind its last context line */
static void
put_hunk(Buf *b, const Lines *old, const Lines *new, int *at_old, int *at_new)
{
	int i = *at_old, j = *at_new, before = MIN(MIN(i, j), CONTEXT), quiet = 0;
	while (quiet <= 2 * CONTEXT && (i < old->n || j < new->n))
		if (edit_at(old, new, i, j)) {
			for (; i < old->n && old->edited[i]; i++)
				;
			for (; j < new->n && new->edited[j]; j++)
				;
			quiet = 0;
		} else {
			i++, j++;
			quiet++;
		}
	int drop = MAX(quiet - CONTEXT, 0), p = *at_old - before, q = *at_new - before;
	buf_puts(b, "@@");
	put_range(b, '-', p, i - drop - p);
	put_range(b, '+', q, j - drop - q);
	buf_puts(b, " @@\n");
	while (p < i - drop || q < j - drop) {
		for (; p < old->n && old->edited[p]; p++)
			put_line(b, '-', old, p);
		for (; q < new->n && new->edited[q]; q++)
			put_line(b, '+', new, q);
		if (p < i - drop) {
			put_line(b, ' ', old, p++);
			q++;
		}
	}
	*at_old = i;
	*at_new = j;
}

void
text_diff(Buf *b, const char *old_name, const char *old_text, const char *new_name, const char *new_text)
{
	Arena *a = arena_new();
	Map *table = map_new(a);
	Lines old = read_lines(a, table, old_text), new = read_lines(a, table, new_text);
	mark_edits(a, &old, &new);
	bool any = false;
	for (int i = 0, j = 0; i < old.n || j < new.n;) {
		if (!edit_at(&old, &new, i, j)) {
			i++, j++;
			continue;
		}
		if (!any)
			buf_printf(b, "--- %s\n+++ %s\n", old_name, new_name);
		any = true;
		put_hunk(b, &old, &new, &i, &j);
	}
	arena_free(a);
}

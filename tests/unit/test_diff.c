/* test_diff.c: applying a diff to the old text gives the new one, and no shorter script does; held
 * against the dynamic program for the longest common subsequence. */
#include "unit.h"

/* up to 40 lines over a small alphabet, with or without a last newline */
static const char *
draw_text(Arena *a, Rng *r)
{
	Buf b = {.arena = a};
	int64_t n = rng_below(r, 40), words = 1 + rng_below(r, 12);
	for (int64_t i = 0; i < n; i++)
		buf_printf(&b, "%c%s", (int)('a' + rng_below(r, words)), i + 1 < n || rng_below(r, 4) ? "\n" : "");
	return buf_str(&b);
}

/* some lines of s changed, dropped or doubled */
static const char *
draw_edit(Arena *a, Rng *r, const char *s)
{
	Buf b = {.arena = a};
	while (*s) {
		int64_t len = (int64_t)strcspn(s, "\n");
		len += s[len] == '\n';
		switch (rng_below(r, 12)) {
		case 0: break;
		case 1: buf_puts(&b, "new\n"); break;
		case 2: buf_puts(&b, "more\n"); /* fall through */
		default: buf_put(&b, s, len);
		}
		s += len;
	}
	return buf_str(&b);
}

static const char *
next_line(const char *s)
{
	s += strcspn(s, "\n");
	return *s ? s + 1 : s;
}

static int64_t
line_size(const char *s)
{
	return next_line(s) - s;
}

/* what patch does; *edits counts the lines that are taken out or put in */
static const char *
apply(Arena *a, const char *old, const char *diff, int *edits)
{
	Buf b = {.arena = a};
	int at = 1;
	*edits = 0;
	if (*diff) {
		assert_int_equal(strncmp(diff, "--- x\n+++ y\n@@ -", 16), 0);
		diff = next_line(next_line(diff));
	}
	while (*diff) {
		int from = 0, old_n = 1, new_from, new_n = 1, got_old = 0, got_new = 0, end = 0;
		assert_true(sscanf(diff, "@@ -%d%n", &from, &end) == 1);
		diff += end;
		if (*diff == ',')
			assert_true(sscanf(diff, ",%d%n", &old_n, &end) == 1), diff += end;
		assert_true(sscanf(diff, " +%d%n", &new_from, &end) == 1);
		diff += end;
		if (*diff == ',')
			assert_true(sscanf(diff, ",%d%n", &new_n, &end) == 1), diff += end;
		assert_int_equal(strncmp(diff, " @@\n", 4), 0);
		diff = next_line(diff);
		for (; at < from + !old_n; at++, old = next_line(old))
			buf_put(&b, old, line_size(old));
		for (; *diff && *diff != '@'; diff = next_line(diff)) {
			bool bare = !strncmp(next_line(diff), "\\ No newline", 12);
			int64_t n = line_size(diff) - 1 - bare;
			if (*diff != '+') {
				assert_int_equal(n, line_size(old));
				assert_memory_equal(diff + 1, old, (size_t)n);
				old = next_line(old);
				at++, got_old++;
			}
			if (*diff != '-') {
				buf_put(&b, diff + 1, n);
				got_new++;
			}
			*edits += *diff != ' ';
			if (bare)
				diff = next_line(diff);
		}
		assert_int_equal(got_old, old_n);
		assert_int_equal(got_new, new_n);
	}
	buf_puts(&b, old);
	return buf_str(&b);
}

/* lines to take out and to put in, at least */
static int
least_edits(const char *s, const char *t)
{
	static int common[128][128];
	const char *x[128], *y[128];
	int n = 0, m = 0;
	for (; *s; s = next_line(s))
		x[n++] = s;
	for (; *t; t = next_line(t))
		y[m++] = t;
	for (int i = n; i >= 0; i--)
		for (int j = m; j >= 0; j--) {
			int64_t size = i < n ? line_size(x[i]) : 0;
			bool same = i < n && j < m && size == line_size(y[j]) && !memcmp(x[i], y[j], (size_t)size);
			common[i][j] = i == n || j == m ? 0 : same ? 1 + common[i + 1][j + 1]
				: MAX(common[i + 1][j], common[i][j + 1]);
		}
	return n + m - 2 * common[0][0];
}

static void
diffs_apply_and_are_short(void **state)
{
	Rng r = rng_seed(1);
	(void)state;
	for (int i = 0; i < 3000; i++) {
		Arena *a = arena_new();
		const char *old = draw_text(a, &r), *new = i % 2 ? draw_text(a, &r) : draw_edit(a, &r, old);
		Buf b = {.arena = a};
		int edits;
		text_diff(&b, "x", old, "y", new);
		assert_string_equal(apply(a, old, buf_str(&b), &edits), new);
		assert_int_equal(edits, least_edits(old, new));
		assert_int_equal(b.n == 0, !strcmp(old, new));
		arena_free(a);
	}
}

static void
form_is_that_of_diff_u(void **state)
{
	Arena *a = arena_new();
	Buf b = {.arena = a};
	(void)state;
	text_diff(&b, "old", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n", "new",
		"1\n2\n3\n4\nfive\n6\n7\n8\n9\n10\n11\n12\nx\n");
	assert_string_equal(b.s, "--- old\n+++ new\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n"
		"@@ -10,4 +10,4 @@\n 10\n 11\n 12\n-13\n+x\n");
	arena_free(a);
}

static void
hunks_with_little_between_them_are_one(void **state)
{
	Arena *a = arena_new();
	Buf six = {.arena = a}, seven = {.arena = a};
	(void)state;
	text_diff(&six, "x", "a\n1\n2\n3\n4\n5\n6\nb\n", "y", "A\n1\n2\n3\n4\n5\n6\nB\n");
	text_diff(&seven, "x", "a\n1\n2\n3\n4\n5\n6\n7\nb\n", "y", "A\n1\n2\n3\n4\n5\n6\n7\nB\n");
	assert_null(strstr(strstr(six.s, "@@ ") + 1, "\n@@ "));
	assert_non_null(strstr(seven.s, "\n@@ -6,4 +6,4 @@\n"));
	arena_free(a);
}

static void
very_different_texts_are_replaced(void **state)
{
	Arena *a = arena_new();
	Buf old = {.arena = a}, new = {.arena = a}, b = {.arena = a};
	int edits;
	(void)state;
	for (int i = 0; i < 5000; i++) {
		buf_printf(&old, "old %d\n", i);
		buf_printf(&new, "new %d\n", i);
	}
	text_diff(&b, "x", old.s, "y", new.s);
	assert_string_equal(apply(a, old.s, b.s, &edits), new.s);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(diffs_apply_and_are_short),
		cmocka_unit_test(form_is_that_of_diff_u),
		cmocka_unit_test(hunks_with_little_between_them_are_one),
		cmocka_unit_test(very_different_texts_are_replaced),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_ctext.c: words of the user inside comments and strings of C. */
#include "unit.h"
#include "gen.h"

static void
expect(void (*put)(Buf *, const char *), const char *s, const char *want)
{
	Arena *a = arena_new();
	Buf b = {.arena = a};

	put(&b, s);
	assert_string_equal(buf_str(&b), want);
	arena_free(a);
}

static void
comments_stay_closed(void **state)
{
	(void)state;
	expect(buf_comment, "plain \xc3\xa9", "plain \xc3\xa9");
	expect(buf_comment, "a */ b /* c", "a * / b / * c");
	expect(buf_comment, "**/ //* /*/", "** / // * / * /");
	expect(buf_comment, "what?" "?/ ?" "?" "?", "what? ?/ ? ? ?");
	expect(buf_comment, "two\nlines\t", "two lines ");
	expect(buf_comment, "x\xe2\x80\xae" "y\xe2\x81\xa6?", "x?y? ?");
}

static void
strings_read_back(void **state)
{
	(void)state;
	expect(buf_c_string, "a.b", "\"a.b\"");
	expect(buf_c_string, "q\"\\?\n", "\"q\\\"\\\\\\?\\012\"");
	expect(buf_c_string, "\xc3\xa9" "1", "\"\\303\\2511\"");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comments_stay_closed),
		cmocka_unit_test(strings_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

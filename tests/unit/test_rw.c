/* test_rw.c: the canonical text of documents, and that reading and writing
 * undo each other, whatever the order of the nodes. */
#include "unit.h"

#include "ir.h"

static char *
rewrite(Arena *a, const char *text)
{
	Buf b = {.arena = a};
	Graph *g = graph_read(a, "t.json", text, (int64_t)strlen(text));

	diag_check();
	graph_write(&b, g);
	return b.s;
}

/* text is read and written as want, and want as itself */
static void
check(const char *text, const char *want)
{
	Arena *a = arena_new();

	assert_string_equal(rewrite(a, text), want);
	assert_string_equal(rewrite(a, want), want);
	arena_free(a);
}

#define HEAD "{\n  \"gradc\": 1,\n  \"name\": \"m\",\n"

static void
orders_nodes(void **state)
{
	static const char want[] = HEAD
		"  \"inputs\": {\n    \"x\": \"f32[4]\"\n  },\n"
		"  \"nodes\": [\n"
		"    {\"out\": \"a\", \"op\": \"exp\", \"in\": [\"x\"]},\n"
		"    {\"out\": \"c\", \"op\": \"log\", \"in\": [\"a\"]},\n"
		"    {\"out\": \"b\", \"op\": \"add\", \"in\": [\"c\", \"a\"]},\n"
		"    {\"out\": \"dead1\", \"op\": \"neg\", \"in\": [\"x\"]},\n"
		"    {\"out\": \"dead2\", \"op\": \"neg\", \"in\": [\"dead1\"]}\n"
		"  ],\n"
		"  \"outputs\": {\n    \"y\": \"b\"\n  }\n}\n";
	static const char *const node[] = {
		"{\"in\": [\"dead1\"], \"op\": \"neg\", \"out\": \"dead2\"}",
		"{\"op\": \"add\", \"in\": [\"c\", \"a\"], \"out\": \"b\"}",
		"{\"out\": [\"c\"], \"op\": \"log\", \"in\": [\"a\"], \"attrs\": {}}",
		"{\"out\": \"a\", \"op\": \"exp\", \"in\": [\"x\"], \"remat\": \"auto\"}",
		"{\"out\": \"dead1\", \"op\": \"neg\", \"in\": [\"x\"]}",
	};
	(void)state;
	for (int shift = 0; shift < LEN(node); shift++) {
		Arena *a = arena_new();
		Buf b = {.arena = a};
		buf_puts(&b, "{\"outputs\": {\"y\": \"b\"}, \"nodes\": [");
		for (int i = 0; i < LEN(node); i++)
			buf_printf(&b, "%s%s", i ? "," : "", node[(i + shift) % LEN(node)]);
		buf_puts(&b, "], \"name\": \"m\", \"inputs\": {\"x\": \"f32[4]\"}, \"gradc\": 1}");
		check(b.s, want);
		arena_free(a);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders_nodes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

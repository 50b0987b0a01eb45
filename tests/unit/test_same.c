/* test_same.c: order that means nothing changes no byte of what is emitted: keys of objects, but for
 * the interface's, and nodes. Over all of tests/models, seeded. */
#include <dirent.h>

#include "gen.h"
#include "unit.h"

static void
put_shuffled(Buf *b, Rng *r, const Json *j, bool keep)
{
	int *order = NEW(b->arena, j->n + 1, int);
	for (int i = 0; i < j->n; i++)
		order[i] = i;
	for (int i = j->n - 1; i > 0 && !keep; i--) {
		int k = (int)rng_below(r, i + 1), t = order[i];
		order[i] = order[k];
		order[k] = t;
	}
	switch (j->kind) {
	case J_NULL: buf_puts(b, "null"); break;
	case J_FALSE: buf_puts(b, "false"); break;
	case J_TRUE: buf_puts(b, "true"); break;
	case J_NUMBER: buf_puts(b, j->str); break;
	case J_STRING: json_quote(b, j->str); break;
	case J_ARRAY:
		buf_putc(b, '[');
		for (int i = 0; i < j->n; i++) {
			buf_puts(b, i ? "," : "");
			put_shuffled(b, r, j->item[order[i]], true);
		}
		buf_putc(b, ']');
		break;
	case J_OBJECT:
		buf_putc(b, '{');
		for (int i = 0; i < j->n; i++) {
			const Json *v = j->item[order[i]];
			const char *key = j->key[order[i]];
			bool interface = !strcmp(key, "inputs") || !strcmp(key, "params") || !strcmp(key, "buffers")
				|| !strcmp(key, "outputs");
			buf_puts(b, i ? ",\n" : "\n");
			json_quote(b, key);
			buf_putc(b, ':');
			put_shuffled(b, r, v, v->kind == J_ARRAY ? strcmp(key, "nodes") : interface);
		}
		buf_putc(b, '}');
		break;
	}
}

static Unit
compile(Arena *a, const char *path, const char *text, int64_t n, Backend backend)
{
	const Options o = {.training = true, .partition = "min-cut", .objective = "traffic"};
	const GenOptions g = {.backend = backend, .option_text = "", .input_base = "model.json"};
	Graph *user = graph_read(a, path, text, n);
	diag_check();
	assert_non_null(user);
	return compile_model(a, user, &o, &g);
}

static void
same_of(const char *path, const char *text, Rng *r)
{
	Arena *a = arena_new();
	int64_t n = (int64_t)strlen(text);
	for (Backend backend = BACKEND_FUSED; backend <= BACKEND_NOP; backend++) {
		Unit want = compile(a, path, text, n, backend);
		for (int k = 0; k < 2; k++) {
			Buf b = {.arena = a};
			put_shuffled(&b, r, json_read(a, path, text, n), false);
			Unit got = compile(a, path, b.s, b.n, backend);
			if (strcmp(got.source.s, want.source.s)) {
				Buf d = {.arena = a};
				text_diff(&d, path, want.source.s, "shuffled", got.source.s);
				print_error("%.*s\n", 2000, buf_str(&d));
			}
			assert_string_equal(got.header.s, want.header.s);
			assert_true(!strcmp(got.source.s, want.source.s));
			assert_string_equal(got.manifest.s, want.manifest.s);
		}
	}
	arena_free(a);
}

/* several of all that is in an object whose order means nothing */
static const char many[] =
	"{\"gradc\": 1, \"name\": \"many\", \"dims\": {\"N\": {\"max\": 9}, \"B\": {\"max\": 4}, \"M\": {\"max\": 5, \"min\": 2}},"
	" \"inputs\": {\"x\": \"f32[N,B,M]\", \"y\": \"f32[M]\"}, \"params\": {\"w\": \"f32[2]\", \"a\": \"f32[2]\"},"
	" \"buffers\": {\"s\": \"f32[]\", \"r\": \"f32[]\", \"t\": \"f32[2]\"},"
	" \"constants\": {\"k\": {\"type\": \"f32[2]\", \"data\": [1, 2]}, \"b\": {\"type\": \"f32[2]\", \"data\": [3, 4]},"
	"  \"z\": {\"type\": \"f32[2]\", \"data\": [5, 6]}},"
	" \"nodes\": ["
	"  {\"out\": \"m\", \"op\": \"mul\", \"in\": [\"w\", \"k\"]}, {\"out\": \"n\", \"op\": \"mul\", \"in\": [\"a\", \"b\"]},"
	"  {\"out\": \"o\", \"op\": \"add\", \"in\": [\"m\", \"n\"]}, {\"out\": \"p\", \"op\": \"mul\", \"in\": [\"o\", \"z\"]},"
	"  {\"out\": \"sx\", \"op\": \"sum\", \"in\": [\"x\"]}, {\"out\": \"sy\", \"op\": \"sum\", \"in\": [\"y\"]},"
	"  {\"out\": \"r2\", \"op\": \"add\", \"in\": [\"r\", \"sx\"]}, {\"out\": \"s2\", \"op\": \"add\", \"in\": [\"s\", \"sy\"]},"
	"  {\"out\": \"l\", \"op\": \"sum\", \"in\": [\"p\"]}],"
	" \"outputs\": {\"l\": \"l\"}, \"updates\": {\"t\": \"m\", \"s\": \"s2\", \"r\": \"r2\"}, \"loss\": \"l\"}";

static void
order_changes_nothing(void **state)
{
	Arena *a = arena_new();
	Rng r = rng_seed(1);
	DIR *d = opendir("tests/models");
	int n = 0;
	(void)state;
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));) {
		char path[512];
		size_t len = strlen(e->d_name);
		if (len < 5 || strcmp(e->d_name + len - 5, ".json"))
			continue;
		snprintf(path, sizeof path, "tests/models/%s", e->d_name);
		same_of(path, read_file(a, path, NULL), &r);
		n++;
	}
	closedir(d);
	assert_true(n > 5);
	same_of("many.json", many, &r);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_slope.c: differences find a wrong gradient, and know where there is none. */
#include <math.h>

#include "ir.h"
#include "unit.h"

/* the slope along w of the sum of the value that `nodes` name y, for w of three elements */
static Slope
slope_of(Arena *a, const char *nodes, double first)
{
	const char *text = arena_fmt(a, "{\"gradc\": 1, \"name\": \"t\", \"params\": {\"w\": \"f64[3]\"}, \"nodes\": [%s, "
		"{\"out\": \"l\", \"op\": \"sum\", \"in\": [\"y\"]}], \"outputs\": {\"loss\": \"l\"}, \"loss\": \"loss\"}", nodes);
	Graph *g = graph_read(a, "t.json", text, (int64_t)strlen(text));
	EvalCtx c = {.arena = a, .g = g};
	Tensor *w = tensor_new(&c, &g->leaf[0]->node->type);
	Options o = {.training = true};
	Slope *s;
	for (int i = 0; i < 3; i++)
		w->f[i] = first + 0.7 * i;
	assert_int_equal(slopes(&c, g, &o, &w, 5, &s), 1);
	return s[0];
}

static bool
agrees(const Slope *s)
{
	return s->known && fabs(s->grad - s->diff) <= s->tol;
}

static void
smooth(void **state)
{
	(void)state;
	static const char *const nodes[] = {
		"{\"out\": \"y\", \"op\": \"exp\", \"in\": [\"w\"]}",
		"{\"out\": \"a\", \"op\": \"sin\", \"in\": [\"w\"]}, {\"out\": \"y\", \"op\": \"mul\", \"in\": [\"a\", \"w\"]}",
		"{\"out\": \"y\", \"op\": \"softmax\", \"in\": [\"w\"], \"attrs\": {\"dim\": 0}}",
		"{\"out\": \"a\", \"op\": \"mul\", \"in\": [\"w\", 0]}, {\"out\": \"y\", \"op\": \"cos\", \"in\": [\"a\"]}",
	};
	Arena *a = arena_new();
	for (int i = 0; i < LEN(nodes); i++) {
		Slope s = slope_of(a, nodes[i], 0.3);
		assert_true(agrees(&s));
		assert_true(s.tol < 1e-3);
	}
	arena_free(a);
}

/* what stop_gradient hides is no part of the slope either */
static void
stopped(void **state)
{
	(void)state;
	Arena *a = arena_new();
	Slope s = slope_of(a, "{\"out\": \"a\", \"op\": \"stop_gradient\", \"in\": [\"w\"]}, "
		"{\"out\": \"y\", \"op\": \"mul\", \"in\": [\"a\", \"w\"]}", 0.3);
	assert_true(agrees(&s) && s.grad != 0);
	arena_free(a);
}

/* abs at 0, floor at 1, the root of nothing */
static void
no_slope(void **state)
{
	(void)state;
	Arena *a = arena_new();
	Slope s = slope_of(a, "{\"out\": \"y\", \"op\": \"abs\", \"in\": [\"w\"]}", 0);
	assert_false(s.known);
	s = slope_of(a, "{\"out\": \"y\", \"op\": \"floor\", \"in\": [\"w\"]}", 1);
	assert_false(s.known);
	s = slope_of(a, "{\"out\": \"y\", \"op\": \"sqrt\", \"in\": [\"w\"]}", 0);
	assert_false(s.known);
	arena_free(a);
}

/* the tolerance is far below an error of a thousandth */
static void
wrong(void **state)
{
	(void)state;
	Arena *a = arena_new();
	Slope s = slope_of(a, "{\"out\": \"a\", \"op\": \"stop_gradient\", \"in\": [\"w\"]}, "
		"{\"out\": \"b\", \"op\": \"mul\", \"in\": [\"a\", \"w\"]}, {\"out\": \"y\", \"op\": \"add\", \"in\": [\"b\", \"w\"]}", 0.3);
	assert_true(agrees(&s));
	s.grad *= 1 + 1e-3;
	assert_false(agrees(&s));
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(smooth),
		cmocka_unit_test(stopped),
		cmocka_unit_test(no_slope),
		cmocka_unit_test(wrong),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

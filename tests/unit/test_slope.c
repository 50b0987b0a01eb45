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

/* The gradient with respect to an inner value is that of its own uses, not of an equal value's, nor of what
 * folding would have made of them: loss = sum(v * v + 3 u), so 2 v; in the last, where
 * u = -v, 3 less. */
static void
inner_values(void **state)
{
	(void)state;
	static const char *const nodes[] = {
		"{\"out\": \"v\", \"op\": \"exp\", \"in\": [\"w\"]}, {\"out\": \"u\", \"op\": \"exp\", \"in\": [\"w\"]}",
		"{\"out\": \"v\", \"op\": \"mul\", \"in\": [\"w\", 1]}, {\"out\": \"u\", \"op\": \"mul\", \"in\": [\"w\", 2]}",
		"{\"out\": \"v\", \"op\": \"relu\", \"in\": [\"w\"]}, {\"out\": \"u\", \"op\": \"relu\", \"in\": [\"w\"]}",
		"{\"out\": \"v\", \"op\": \"softmax\", \"in\": [\"w\"], \"attrs\": {\"dim\": 0}}, "
		"{\"out\": \"u\", \"op\": \"softmax\", \"in\": [\"w\"], \"attrs\": {\"dim\": 0}}",
		"{\"out\": \"v\", \"op\": \"sub\", \"in\": [0, \"w\"]}, {\"out\": \"u\", \"op\": \"neg\", \"in\": [\"w\"]}",
		"{\"out\": \"v\", \"op\": \"squeeze\", \"in\": [\"w\"]}, {\"out\": \"u\", \"op\": \"squeeze\", \"in\": [\"w\"]}",
		"{\"out\": \"v\", \"op\": \"neg\", \"in\": [\"w\"]}, {\"out\": \"u\", \"op\": \"neg\", \"in\": [\"v\"]}",
	};
	for (int i = 0; i < LEN(nodes); i++) {
		Arena *a = arena_new();
		const char *text = arena_fmt(a, "{\"gradc\": 1, \"name\": \"t\", \"params\": {\"w\": \"f64[3]\"}, \"nodes\": [%s, "
			"{\"out\": \"s\", \"op\": \"mul\", \"in\": [\"v\", \"v\"]}, {\"out\": \"t\", \"op\": \"mul\", \"in\": [\"u\", 3]}, "
			"{\"out\": \"y\", \"op\": \"add\", \"in\": [\"s\", \"t\"]}, {\"out\": \"l\", \"op\": \"sum\", \"in\": [\"y\"]}], "
			"\"outputs\": {\"loss\": \"l\"}, \"loss\": \"loss\", \"wrt\": [\"v\", \"w\"]}", nodes[i]);
		Graph *g = graph_read(a, "t.json", text, (int64_t)strlen(text));
		EvalCtx c = {.arena = a, .g = g};
		Tensor *w = tensor_new(&c, &g->leaf[0]->node->type), **val;
		Options o = {.training = true};
		Graph *joint;
		Slope *s;
		for (int k = 0; k < 3; k++)
			w->f[k] = 0.3 + 0.7 * k;
		joint = compose(a, seed_one(a, grad(a, simplify(a, g), &o)), true);
		val = eval_graph(&c, joint, &w);
		for (int k = 0; k < 3; k++) {
			double v = val[port_find(&joint->wrt, "v")->id]->f[k];
			double want = i < LEN(nodes) - 1 ? 2 * v : 2 * v - 3;
			assert_float_equal(val[port_find(&joint->grad, "v")->id]->f[k], want, 1e-14);
		}
		assert_int_equal(slopes(&c, g, &o, &w, 5, &s), 2);
		assert_true(agrees(&s[0]) && agrees(&s[1]));
		arena_free(a);
	}
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
		cmocka_unit_test(inner_values),
		cmocka_unit_test(stopped),
		cmocka_unit_test(no_slope),
		cmocka_unit_test(wrong),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

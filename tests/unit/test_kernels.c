/* test_kernels.c: how many kernels models become: what belongs together is one, equal ones are one, and what an
 * index map does is none. */
#include "gen.h"
#include "unit.h"

typedef struct Want { const char *what, *model; int infer, forward, backward, kernels; } Want;

#define G(rest) "{\"gradc\": 1, \"name\": \"m\", \"dims\": {\"B\": {\"max\": 256}}, " rest "}"
#define OUT "\"outputs\": {\"y\": \"y\"}, "
static const Want wants[] = {
	{"softmax", G("\"inputs\": {\"x\": \"f32[B,1000]\"}, \"nodes\": [{\"out\": \"y\", \"op\": \"softmax\", \"in\": [\"x\"], "
		"\"attrs\": {\"dim\": 1}}], " OUT "\"wrt\": [\"x\"]"), 1, 1, 1, 3},
	{"log_softmax", G("\"inputs\": {\"x\": \"f32[B,1000]\"}, \"nodes\": [{\"out\": \"y\", \"op\": \"log_softmax\", \"in\": [\"x\"], "
		"\"attrs\": {\"dim\": 1}}], " OUT "\"wrt\": [\"x\"]"), 1, 1, 1, 3},
	{"cross_entropy", G("\"inputs\": {\"x\": \"f32[B,1000]\", \"t\": \"i64[B]\"}, \"nodes\": [{\"out\": \"y\", "
		"\"op\": \"cross_entropy\", \"in\": [\"x\", \"t\"]}], " OUT "\"loss\": \"y\", \"wrt\": [\"x\"]"), 1, 1, 1, 3},
	{"linear and cross_entropy", G("\"inputs\": {\"x\": \"f32[B,784]\", \"t\": \"i64[B]\"}, "
		"\"params\": {\"w\": \"f32[10,784]\", \"b\": \"f32[10]\"}, \"nodes\": ["
		"{\"out\": \"h\", \"op\": \"linear\", \"in\": [\"x\", \"w\", \"b\"]}, "
		"{\"out\": \"y\", \"op\": \"cross_entropy\", \"in\": [\"h\", \"t\"]}], " OUT "\"loss\": \"y\""), 2, 2, 2, 5},
	{"layer_norm", G("\"inputs\": {\"x\": \"f32[B,768]\"}, \"params\": {\"w\": \"f32[768]\", \"b\": \"f32[768]\"}, "
		"\"nodes\": [{\"out\": \"y\", \"op\": \"layer_norm\", \"in\": [\"x\", \"w\", \"b\"], "
		"\"attrs\": {\"normalized_shape\": [768]}}], " OUT "\"wrt\": [\"x\", \"w\", \"b\"]"), 1, 1, 1, 3},
	{"rms_norm", G("\"inputs\": {\"x\": \"f32[B,768]\"}, \"params\": {\"w\": \"f32[768]\"}, "
		"\"nodes\": [{\"out\": \"y\", \"op\": \"rms_norm\", \"in\": [\"x\", \"w\"], "
		"\"attrs\": {\"normalized_shape\": [768]}}], " OUT "\"wrt\": [\"x\", \"w\"]"), 1, 1, 1, 3},
	{"a chain of pointwise ops with a broadcast", G("\"inputs\": {\"x\": \"f32[B,768]\"}, \"params\": {\"b\": \"f32[768]\"}, "
		"\"nodes\": [{\"out\": \"h\", \"op\": \"add\", \"in\": [\"x\", \"b\"]}, {\"out\": \"g\", \"op\": \"gelu\", \"in\": [\"h\"]}, "
		"{\"out\": \"s\", \"op\": \"tanh\", \"in\": [\"g\"]}, {\"out\": \"y\", \"op\": \"add\", \"in\": [\"s\", \"x\"]}], "
		OUT "\"wrt\": [\"x\", \"b\"]"), 1, 1, 1, 2},
	/* relu's mask stays in bytes: its bits would take a kernel of their own, since a tile holds no whole rows */
	{"a contraction with bias, activation and residual", G("\"inputs\": {\"x\": \"f32[B,64]\"}, "
		"\"params\": {\"w\": \"f32[64,64]\", \"b\": \"f32[64]\"}, "
		"\"nodes\": [{\"out\": \"h\", \"op\": \"linear\", \"in\": [\"x\", \"w\", \"b\"]}, {\"out\": \"a\", \"op\": \"relu\", "
		"\"in\": [\"h\"]}, {\"out\": \"y\", \"op\": \"add\", \"in\": [\"a\", \"x\"]}], " OUT "\"wrt\": [\"w\"]"), 1, 1, 2, 4},
	{"operands that are views", G("\"inputs\": {\"x\": \"f32[B,96]\"}, \"params\": {\"w\": \"f32[8,8]\"}, "
		"\"nodes\": [{\"out\": \"s\", \"op\": \"slice\", \"in\": [\"x\"], \"attrs\": {\"dim\": 1, \"start\": 32}}, "
		"{\"out\": \"r\", \"op\": \"reshape\", \"in\": [\"s\"], \"attrs\": {\"shape\": [\"B\", 8, 8]}}, "
		"{\"out\": \"t\", \"op\": \"permute\", \"in\": [\"r\"], \"attrs\": {\"dims\": [1, 0, 2]}}, "
		"{\"out\": \"f\", \"op\": \"flip\", \"in\": [\"t\"], \"attrs\": {\"dims\": [0]}}, "
		"{\"out\": \"y\", \"op\": \"matmul\", \"in\": [\"f\", \"w\"]}], " OUT "\"wrt\": [\"w\"]"), 1, 1, 1, 2},
	{"views of views of pointwise ops", G("\"inputs\": {\"x\": \"f32[B,96]\"}, "
		"\"nodes\": [{\"out\": \"e\", \"op\": \"exp\", \"in\": [\"x\"]}, "
		"{\"out\": \"r\", \"op\": \"reshape\", \"in\": [\"e\"], \"attrs\": {\"shape\": [\"B\", 12, 8]}}, "
		"{\"out\": \"t\", \"op\": \"permute\", \"in\": [\"r\"], \"attrs\": {\"dims\": [2, 0, 1]}}, "
		"{\"out\": \"p\", \"op\": \"pad\", \"in\": [\"t\"], \"attrs\": {\"low\": [1, 0, 0], \"high\": [0, 0, 2]}}, "
		"{\"out\": \"y\", \"op\": \"sin\", \"in\": [\"p\"]}], " OUT "\"wrt\": [\"x\"]"), 1, 1, 1, 2},
};

static Program *
program_of(Arena *a, const char *name, const char *text)
{
	static const Options o = {.training = true, .partition = "min-cut", .objective = "traffic"};
	static const GenOptions gen = {.backend = BACKEND_FUSED, .option_text = "", .input_base = "m.json"};
	Graph *user = graph_read(a, name, text, (int64_t)strlen(text));
	Module m = {.arena = a, .options = &o};

	diag_check();
	m.graph = graph_rebuild(a, user, false);
	module_run(&m, 0, pass_find("split"));
	return program_make(a, user, m.split, &gen);
}

static int
steps(const Function *f)
{
	return f->phase[0].plan->nstep;
}

static void
as_many_as_wanted(void **state)
{
	int wrong = 0;

	(void)state;
	for (int i = 0; i < LEN(wants); i++) {
		Arena *a = arena_new();
		const Want *w = &wants[i];
		const Program *p = program_of(a, w->what, w->model);
		int n[] = {steps(p->infer), steps(p->forward), steps(p->backward), kernels_len(p->kernels)};
		if (n[0] != w->infer || n[1] != w->forward || n[2] != w->backward || n[3] != w->kernels) {
			print_error("%s: %d kernels infer, %d forward, %d backward, %d in all; not %d, %d, %d, %d\n", w->what,
				n[0], n[1], n[2], n[3], w->infer, w->forward, w->backward, w->kernels);
			wrong++;
		}
		arena_free(a);
	}
	assert_int_equal(wrong, 0);
}

/* layers of a network that are equal: the first and the last ones have kernels of their own, and what overwrites
 * its operand is another kernel than what does not. Plans of networks of few layers differ a little; beyond, their
 * number does not matter */
static const char *
layers(Arena *a, int n)
{
	Buf b = {.arena = a}, nodes = {.arena = a};

	buf_puts(&b, "{\"gradc\": 1, \"name\": \"m\", \"inputs\": {\"x\": \"f32[32,64]\"}, \"params\": {");
	for (int i = 0; i < n; i++) {
		const char *before = i ? arena_fmt(a, "r%d", i - 1) : "x";
		buf_printf(&b, "%s\"w%d\": \"f32[64,64]\", \"b%d\": \"f32[64]\", \"g%d\": \"f32[64]\"", i ? ", " : "", i, i, i);
		buf_printf(&nodes, "{\"out\": \"n%d\", \"op\": \"rms_norm\", \"in\": [\"%s\", \"g%d\"], "
			"\"attrs\": {\"normalized_shape\": [64]}}, ", i, before, i);
		buf_printf(&nodes, "{\"out\": \"h%d\", \"op\": \"linear\", \"in\": [\"n%d\", \"w%d\", \"b%d\"]}, ", i, i, i, i);
		buf_printf(&nodes, "{\"out\": \"a%d\", \"op\": \"gelu\", \"in\": [\"h%d\"]}, ", i, i);
		buf_printf(&nodes, "{\"out\": \"r%d\", \"op\": \"add\", \"in\": [\"a%d\", \"%s\"]}, ", i, i, before);
	}
	buf_printf(&b, "}, \"nodes\": [%s{\"out\": \"l\", \"op\": \"mean\", \"in\": [\"r%d\"]}], "
		"\"outputs\": {\"l\": \"l\"}, \"loss\": \"l\"}", buf_str(&nodes), n - 1);
	return buf_str(&b);
}

static void
equal_layers_share(void **state)
{
	Arena *a = arena_new();
	const Program *few = program_of(a, "few", layers(a, 12)), *many = program_of(a, "many", layers(a, 96));

	(void)state;
	assert_true(steps(few->forward) + steps(few->backward) + steps(few->infer) > 80);
	assert_true(kernels_len(few->kernels) <= 22);
	assert_true(kernels_len(many->kernels) <= 25);
	arena_free(a);
}

/* What a chain of shifted values reads through two of its readers is another element for each: were it computed
 * where it is read, a kernel would double at each level. The second derivative of a product has such chains. */
static void
chains_do_not_double(void **state)
{
	static const Options o = {.training = true, .partition = "min-cut", .objective = "traffic"};
	static const GenOptions gen = {.backend = BACKEND_FUSED, .option_text = "", .input_base = "m.json"};
	Arena *a = arena_new();
	const char *text = G("\"inputs\": {\"x\": \"f64[5,5,5]\"}, \"nodes\": [{\"out\": \"y\", \"op\": \"prod\", \"in\": [\"x\"]}], "
		OUT "\"wrt\": [\"x\"]");
	Module first = {.arena = a, .options = &o}, second = first;
	Graph *g = graph_read(a, "product", text, (int64_t)strlen(text));

	(void)state;
	diag_check();
	first.graph = graph_rebuild(a, g, false);
	module_run(&first, 0, pass_find("grad"));
	g = grad_plain(a, first.graph);
	port_add(g, &g->wrt, "x", g->leaf[0]->node, (Loc){0});
	g->wrt_given = true;
	second.graph = graph_rebuild(a, g, false);
	module_run(&second, 0, pass_find("split"));
	assert_true(unit_make(a, g, second.split, &gen).source.n < 200000);
	arena_free(a);
}

/* Steps over a grid, each of which reads neighbours in the one before and is an output: were a step computed within the
 * kernel of the next because that kernel writes it, it would be computed for each way to a neighbour. */
static void
steps_over_a_grid(void **state)
{
	static const GenOptions gen = {.backend = BACKEND_FUSED, .option_text = "", .input_base = "m.json"};
	Arena *a = arena_new();
	Buf b = {.arena = a}, out = {.arena = a};
	Graph *g;
	Unit u;

	(void)state;
	buf_puts(&b, "{\"gradc\": 1, \"name\": \"m\", \"inputs\": {\"u0\": \"f64[64,64]\"}, \"nodes\": [");
	for (int i = 1; i <= 12; i++) {
		buf_printf(&b, "%s{\"out\": \"n%d\", \"op\": \"roll\", \"in\": [\"u%d\"], "
			"\"attrs\": {\"shifts\": [1], \"dims\": [0]}}, ", i > 1 ? ", " : "", i, i - 1);
		buf_printf(&b, "{\"out\": \"w%d\", \"op\": \"roll\", \"in\": [\"u%d\"], "
			"\"attrs\": {\"shifts\": [-1], \"dims\": [1]}}, ", i, i - 1);
		buf_printf(&b, "{\"out\": \"s%d\", \"op\": \"add\", \"in\": [\"n%d\", \"w%d\"]}, ", i, i, i);
		buf_printf(&b, "{\"out\": \"u%d\", \"op\": \"sub\", \"in\": [\"s%d\", \"u%d\"]}", i, i, i - 1);
		buf_printf(&out, "%s\"u%d\": \"u%d\"", i > 1 ? ", " : "", i, i);
	}
	buf_printf(&b, "], \"outputs\": {%s}}", buf_str(&out));
	g = graph_read(a, "grid", buf_str(&b), b.n);
	diag_check();
	u = unit_make(a, g, NULL, &gen);
	assert_true(u.source.n < 60000);
	arena_free(a);
}

/* What several loops over a row need is computed in one of them, where it is dear and the row is not too long. (The
 * definition of the function counts, too.) */
static void
dear_values_once(void **state)
{
	static const struct { const char *model, *dear; int times; } want[] = {
		{G("\"inputs\": {\"x\": \"f32[B,512]\"}, \"nodes\": [{\"out\": \"y\", \"op\": \"softmax\", \"in\": [\"x\"], "
			"\"attrs\": {\"dim\": 1}}], \"outputs\": {\"y\": \"y\"}"), "m_exp_f32(", 2},
		{G("\"inputs\": {\"x\": \"f32[B,512]\"}, \"nodes\": [{\"out\": \"g\", \"op\": \"gelu\", \"in\": [\"x\"]}, "
			"{\"out\": \"y\", \"op\": \"layer_norm\", \"in\": [\"g\"], \"attrs\": {\"normalized_shape\": [512]}}], "
			"\"outputs\": {\"y\": \"y\"}"), "m_erfc_f32(", 2},
		{G("\"inputs\": {\"x\": \"f32[B,20000]\"}, \"nodes\": [{\"out\": \"y\", \"op\": \"softmax\", \"in\": [\"x\"], "
			"\"attrs\": {\"dim\": 1}}], \"outputs\": {\"y\": \"y\"}"), "m_exp_f32(", 4},
	};
	static const GenOptions gen = {.backend = BACKEND_FUSED, .option_text = "", .input_base = "m.json"};

	(void)state;
	for (int i = 0; i < LEN(want); i++) {
		Arena *a = arena_new();
		Graph *g = graph_read(a, "once", want[i].model, (int64_t)strlen(want[i].model));
		const char *at;
		Unit u;
		int times = 0;
		diag_check();
		u = unit_make(a, g, NULL, &gen);
		at = buf_str(&u.source);
		while ((at = strstr(at, want[i].dear))) {
			at++;
			times++;
		}
		assert_int_equal(times, want[i].times);
		arena_free(a);
	}
}

/* Threads share the loops of few iterations as one, but never the innermost, and the chunks of a sum over all. */
static void
loops_are_shared(void **state)
{
	static const struct { const char *model, *macro; } want[] = {
		{G("\"inputs\": {\"x\": \"f32[2,8,512,64]\"}, \"nodes\": [{\"out\": \"p\", \"op\": \"permute\", \"in\": [\"x\"], "
			"\"attrs\": {\"dims\": [1, 0, 2, 3]}}, {\"out\": \"y\", \"op\": \"softmax\", \"in\": [\"p\"], "
			"\"attrs\": {\"dim\": 3}}], \"outputs\": {\"y\": \"y\"}"), "\tM_PARALLEL_FOR_3\n"},
		{G("\"inputs\": {\"x\": \"f32[8,16,512,64]\"}, \"nodes\": [{\"out\": \"p\", \"op\": \"permute\", \"in\": [\"x\"], "
			"\"attrs\": {\"dims\": [1, 0, 2, 3]}}, {\"out\": \"y\", \"op\": \"exp\", \"in\": [\"p\"]}], "
			"\"outputs\": {\"y\": \"y\"}"), "\tM_PARALLEL_FOR_2\n"},
		{G("\"inputs\": {\"x\": \"f32[B,512]\"}, \"nodes\": [{\"out\": \"y\", \"op\": \"softmax\", \"in\": [\"x\"], "
			"\"attrs\": {\"dim\": 1}}], \"outputs\": {\"y\": \"y\"}"), "\tM_PARALLEL_FOR\n"},
		{G("\"inputs\": {\"x\": \"f32[8,20000]\", \"b\": \"f32[8,1]\"}, \"nodes\": [{\"out\": \"y\", \"op\": \"add\", "
			"\"in\": [\"x\", \"b\"]}], \"outputs\": {\"y\": \"y\"}"), "\tM_PARALLEL_FOR\n"},
		{G("\"inputs\": {\"x\": \"f32[B,1000]\"}, \"nodes\": [{\"out\": \"y\", \"op\": \"sum\", \"in\": [\"x\"]}], "
			"\"outputs\": {\"y\": \"y\"}"), "\tM_PARALLEL_FOR\n\tfor (int64_t chunk"},
	};
	static const GenOptions gen = {.backend = BACKEND_FUSED, .option_text = "", .input_base = "m.json"};

	(void)state;
	for (int i = 0; i < LEN(want); i++) {
		Arena *a = arena_new();
		Graph *g = graph_read(a, "nest", want[i].model, (int64_t)strlen(want[i].model));
		diag_check();
		assert_non_null(strstr(unit_make(a, g, NULL, &gen).source.s, want[i].macro));
		arena_free(a);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_many_as_wanted),
		cmocka_unit_test(equal_layers_share),
		cmocka_unit_test(chains_do_not_double),
		cmocka_unit_test(dear_values_once),
		cmocka_unit_test(loops_are_shared),
		cmocka_unit_test(steps_over_a_grid),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

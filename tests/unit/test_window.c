/* Windows never lie in memory: what the kernels of convolutions and pools, and of their first and second derivatives,
 * write; and which ops a derivative is made of. */
#include "unit.h"

#include "ir.h"

/* an op between elementwise ones */
static const struct {
	const char *what, *x, *w, *node;
	int dots;                      /* contractions of forward and backward */
} cases[] = {
	{"dense", "f32[B,4,8,8]", "f32[6,4,3,3]", "\"op\": \"conv2d\", \"in\": [\"a\", \"w\"], \"attrs\": {\"padding\": 1}", 3},
	{"strided", "f32[B,4,9,9]", "f32[6,4,3,3]", "\"op\": \"conv2d\", \"in\": [\"a\", \"w\"], \"attrs\": {\"stride\": 2}", 3},
	{"one tap", "f32[B,4,8,8]", "f32[6,4,1,1]", "\"op\": \"conv2d\", \"in\": [\"a\", \"w\"], \"attrs\": {}", 3},
	{"groups", "f32[B,4,8,8]", "f32[6,2,3,3]", "\"op\": \"conv2d\", \"in\": [\"a\", \"w\"], \"attrs\": {\"groups\": 2}", 3},
	{"depthwise", "f32[B,4,8,8]", "f32[4,1,3,3]",
		"\"op\": \"conv2d\", \"in\": [\"a\", \"w\"], \"attrs\": {\"groups\": 4, \"padding\": 1}", 1},
	{"volume", "f32[B,4,4,4,4]", "f32[6,2,2,2,2]", "\"op\": \"conv3d\", \"in\": [\"a\", \"w\"], \"attrs\": {\"groups\": 2}", 3},
	{"transpose", "f32[B,4,5,5]", "f32[4,3,3,3]",
		"\"op\": \"conv_transpose2d\", \"in\": [\"a\", \"w\"], \"attrs\": {\"stride\": 2, \"padding\": 1}", 3},
	{"maxima", "f32[B,4,9,9]", "f32[1]", "\"op\": \"max_pool2d\", \"in\": [\"a\"], \"attrs\": {\"kernel_size\": 3, \"stride\": 2}", 0},
	{"means", "f32[B,4,9,9]", "f32[1]",
		"\"op\": \"avg_pool2d\", \"in\": [\"a\"], \"attrs\": {\"kernel_size\": 3, \"padding\": 1, \"stride\": 1}", 0},
};

static Graph *
read_case(Arena *a, int i)
{
	Buf b = {.arena = a};
	Graph *g;

	buf_printf(&b, "{\"gradc\": 1, \"name\": \"m\", \"dims\": {\"B\": {\"max\": 4}}, \"inputs\": {\"x\": \"%s\"},"
		"\"params\": {\"w\": \"%s\"}, \"nodes\": [{\"out\": \"a\", \"op\": \"exp\", \"in\": [\"x\"]},"
		"{\"out\": \"y\", %s}, {\"out\": \"z\", \"op\": \"square\", \"in\": [\"y\"]},"
		"{\"out\": \"l\", \"op\": \"sum\", \"in\": [\"z\"]}], \"outputs\": {\"loss\": \"l\"}, \"loss\": \"loss\","
		"\"wrt\": [\"x\"%s]}", cases[i].x, cases[i].w, cases[i].node, cases[i].dots ? ", \"w\"" : "");
	g = graph_read(a, "m.json", b.s, b.n);
	assert_non_null(g);
	return g;
}

static Groups
kernels_of(Arena *a, Graph *g)
{
	bool *named = NEW(a, g->nnode, bool);
	const Ports *ps[] = {&g->out, &g->grad};

	for (int p = 0; p < LEN(ps); p++)
		for (int64_t i = 0; i < ps[p]->n; i++)
			named[ps[p]->p[i].v->id] = true;
	return fuse(a, g, named, NEW(a, g->nnode, Node *));
}

/* no kernel writes a view; returns the number of those that have a contraction */
static int
check_kernels(const Groups *k)
{
	int dots = 0;

	for (int i = 0; i < k->n; i++)
		for (const Group *g = k->v[i]; g; g = g->then) {
			dots += g->dot != NULL;
			for (int64_t r = 0; r < g->nroot; r++)
				assert_true(g->root[r]->op->kind != VIEW || g->root[r]->op->flags & ALIAS);
		}
	return dots;
}

static void
windows_stay_out_of_memory(void **state)
{
	(void)state;
	for (int i = 0; i < LEN(cases); i++) {
		Arena *a = arena_new();
		Graph *joint = seed_one(a, grad(a, read_case(a, i), NULL));
		Groups k = kernels_of(a, compose(a, joint, true));
		assert_int_equal(check_kernels(&k), cases[i].dots);
		arena_free(a);
	}
}

/* a derivative of a convolution is made of convolutions, to any order */
static void
derivatives_are_convolutions(void **state)
{
	(void)state;
	for (int i = 0; i < LEN(cases) && cases[i].dots; i++) {
		Arena *a = arena_new();
		Graph *g = grad_plain(a, grad(a, read_case(a, i), NULL));
		for (int order = 0; order < 2; order++) {
			Groups k = kernels_of(a, compose(a, g, true));
			check_kernels(&k);
			for (int64_t n = 0; n < g->nnode; n++)
				assert_true(g->node[n]->op->id != OP_window);
			if (!order)
				g = grad_plain(a, grad(a, g, NULL));
		}
		arena_free(a);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows_stay_out_of_memory),
		cmocka_unit_test(derivatives_are_convolutions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

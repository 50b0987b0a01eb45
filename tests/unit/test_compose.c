/* test_compose.c: what value and derivative of composites share, what the derivative needs, and
 * what rounding to f32 does to both. */
#include <float.h>
#include <math.h>

#include "unit.h"
#include "ir.h"

static Graph *
joint_core(Arena *a, const char *text)
{
	Graph *g = graph_read(a, "test", text, (int64_t)strlen(text));

	diag_check();
	g = compose(a, grad(a, g, &(Options){.training = true}), true);
	diag_check();
	return g;
}

static Graph *
one_node(Arena *a, const char *inputs, const char *node)
{
	return joint_core(a, arena_fmt(a, "{\"gradc\": 1, \"name\": \"m\", \"dims\": {\"B\": {\"max\": 8}, \"C\": {\"max\": 8}},"
		"\"inputs\": {%s}, \"nodes\": [{%s}], \"outputs\": {\"y\": \"y\"}}", inputs, node));
}

static int
count(Arena *a, const Graph *g, int op)
{
	bool *live = graph_live(a, g);
	int n = 0;

	for (int64_t i = 0; i < g->nnode; i++)
		n += live[i] && g->node[i]->op->id == op;
	return n;
}

/* the nodes of forward that backward reads, leaves and literals not counted */
static int
crossing(Arena *a, const Graph *g, Node **out)
{
	bool *live = graph_live(a, g), *seen = NEW(a, g->nnode, bool);
	int n = 0;

	for (int64_t i = 0; i < g->nnode; i++)
		for (int k = 0; live[i] && g->node[i]->side == SIDE_B && k < g->node[i]->nin; k++) {
			Node *v = g->node[i]->in[k];
			if (v->side == SIDE_B || is_leaf(v) || v->op->kind == SOURCE || seen[v->id])
				continue;
			seen[v->id] = true;
			out[n++] = v;
		}
	return n;
}

static void
relu_needs_its_output_alone(void **state)
{
	Arena *a = arena_new();
	Node *v[16];
	Graph *g = one_node(a, "\"x\": \"f32[B,C]\"", "\"out\": \"y\", \"op\": \"relu\", \"in\": [\"x\"]");

	(void)state;
	assert_int_equal(crossing(a, g, v), 1);
	assert_int_equal(v[0]->op->id, OP_le);
	assert_string_equal(v[0]->in[0]->name, "y");
	arena_free(a);
}

static void
softmax_needs_its_output_alone(void **state)
{
	Arena *a = arena_new();
	Node *v[16];
	Graph *g = one_node(a, "\"x\": \"f32[B,C]\"",
		"\"out\": \"y\", \"op\": \"softmax\", \"in\": [\"x\"], \"attrs\": {\"dim\": 1}");

	(void)state;
	assert_int_equal(crossing(a, g, v), 1);
	assert_string_equal(v[0]->name, "y");
	arena_free(a);
}

static void
layer_norm_has_one_mean_and_one_deviation(void **state)
{
	Arena *a = arena_new();
	Graph *g = one_node(a, "\"x\": \"f32[B,C]\", \"w\": \"f32[C]\", \"b\": \"f32[C]\"",
		"\"out\": \"y\", \"op\": \"layer_norm\", \"in\": [\"x\", \"w\", \"b\"], \"attrs\": {\"normalized_shape\": [\"C\"]}");

	(void)state;
	assert_int_equal(count(a, g, OP_rsqrt), 1);
	/* mean, variance; two of the cotangent; those of weight and bias */
	assert_int_equal(count(a, g, OP_sum), 6);
	arena_free(a);
}

/* else the derivative's copy could be saved, against the user's word */
static void
recomputed_composites_share_too(void **state)
{
	Arena *a = arena_new();
	Node *v[16];
	Graph *g = one_node(a, "\"x\": \"f32[B,C]\"", "\"out\": \"y\", \"op\": \"layer_norm\", \"in\": [\"x\"],"
		"\"attrs\": {\"normalized_shape\": [\"C\"]}, \"remat\": \"recompute\"");

	(void)state;
	assert_int_equal(count(a, g, OP_rsqrt), 1);
	for (int i = crossing(a, g, v); i-- > 0;)
		assert_int_equal(v[i]->remat, REMAT_RECOMPUTE);
	for (int64_t i = 0; i < g->nnode; i++)
		assert_true(g->node[i]->side != SIDE_B || g->node[i]->remat == REMAT_AUTO);
	arena_free(a);
}

static void
batch_norm_shares_moments_with_the_running_ones(void **state)
{
	Arena *a = arena_new();
	Graph *g = joint_core(a,
		"{\"gradc\": 1, \"name\": \"m\", \"dims\": {\"B\": {\"max\": 8}}, \"params\": {\"x\": \"f32[B,3]\"},"
		"\"buffers\": {\"m\": \"f32[3]\", \"v\": \"f32[3]\"},"
		"\"nodes\": [{\"out\": [\"y\", \"m1\", \"v1\"], \"op\": \"batch_norm\", \"in\": [\"x\", \"m\", \"v\"]}],"
		"\"outputs\": {\"y\": \"y\"}, \"updates\": {\"m\": \"m1\", \"v\": \"v1\"}}");

	(void)state;
	assert_int_equal(count(a, g, OP_rsqrt), 1);
	assert_int_equal(count(a, g, OP_sum), 4);
	arena_free(a);
}

static void
cross_entropy_has_one_log_sum(void **state)
{
	Arena *a = arena_new();
	Graph *g = one_node(a, "\"x\": \"f32[B,C]\", \"t\": \"i64[B]\"",
		"\"out\": \"y\", \"op\": \"cross_entropy\", \"in\": [\"x\", \"t\"]");

	(void)state;
	assert_int_equal(count(a, g, OP_amax), 1);
	assert_int_equal(count(a, g, OP_log), 1);
	assert_int_equal(count(a, g, OP_eq), 2);       /* the classes; ignore_index */
	assert_int_equal(count(a, g, OP_gather) + count(a, g, OP_scatter_add), 0);
	/* of exponentials, of the picked, of losses, of labels not ignored: none is the derivative's */
	assert_int_equal(count(a, g, OP_sum), 4);
	arena_free(a);
}

static void
dropout_has_one_mask(void **state)
{
	Arena *a = arena_new();
	Graph *g = one_node(a, "\"x\": \"f32[B,C]\", \"key\": \"u64[]\"",
		"\"out\": \"y\", \"op\": \"dropout\", \"in\": [\"x\", \"key\"]");

	(void)state;
	assert_int_equal(count(a, g, OP_rand), 1);
	assert_int_equal(count(a, g, OP_ge), 1);
	arena_free(a);
}

/* the order of the products is that of FlashAttention; nothing as large as the scores is divided */
static void
attention_makes_no_probabilities(void **state)
{
	Arena *a = arena_new();
	Graph *g = one_node(a, "\"q\": \"f32[2,B,4]\", \"k\": \"f32[2,C,4]\", \"v\": \"f32[2,C,6]\"",
		"\"out\": \"y\", \"op\": \"scaled_dot_product_attention\", \"in\": [\"q\", \"k\", \"v\"], \"attrs\": {\"is_causal\": true}");

	(void)state;
	assert_int_equal(count(a, g, OP_dot), 6);
	assert_int_equal(count(a, g, OP_exp), 1);
	assert_int_equal(count(a, g, OP_div), 0);
	assert_int_equal(count(a, g, OP_reciprocal), 1);
	arena_free(a);
}

/* a f16 or bf16 operand is computed with in f32, and its moments stay there */
static void
half_is_computed_in_single(void **state)
{
	static const struct { int op, nin; } ops[] = {{OP_softmax, 1}, {OP_gelu, 1}, {OP_mse_loss, 2}, {OP_layer_norm, 3}};
	Arena *a = arena_new();

	(void)state;
	for (int i = 0; i < LEN(ops); i++) {
		Graph *g = graph_new(a, "m");
		Type t = {.dt = BF16, .rank = 2, .dim = {DIM(2), DIM(3)}}, wide = {.dt = F32, .rank = 1, .dim = {DIM(3)}};
		Node *x = node_leaf(g, &(Leaf){.name = "x"}, t), *w = node_leaf(g, &(Leaf){.name = "w"}, wide);
		const Op *op = op_get(ops[i].op);
		Attr *at = attrs_new(g, op);
		if (ops[i].op == OP_softmax)
			set_int(op, at, "dim", 1);
		if (ops[i].op == OP_layer_norm)
			set_dims(g, op, at, "normalized_shape", wide.dim, 1);
		port_add(g, &g->out, "y",
			node(g, op, (Node *[]){x, ops[i].op == OP_layer_norm ? w : x, w}, ops[i].nin, at), (Loc){0});
		g = compose(a, grad(a, g, &(Options){.training = true}), true);
		for (int64_t k = 0; k < g->nnode; k++) {
			const Node *n = g->node[k];
			if (n->op->kind == MAP && !(n->op->flags & CONVERT) && n->type.dt == BF16)
				print_error("%s: %s in bf16\n", op->name, n->op->name), assert_true(false);
		}
		assert_int_equal(g->out.p[0].v->type.dt, BF16);
	}
	arena_free(a);
}

/* ---- rounding ---- */

typedef struct Stable {
	const char *inputs, *node;
	double lo, hi;                 /* of the first input; others lie in [0.5, 1] */
	double units;                  /* bound of errors in units of f32 rounding: some times what conditioning explains */
	bool to_largest;               /* of the largest element of the tensor, not of each */
} Stable;

/* ranges in which the plain formula loses all digits, or overflows */
static const Stable stable[] = {
	{"\"x\": \"f32[64]\"", "\"op\": \"gelu\", \"in\": [\"x\"]", -8, -3, 80, false},
	{"\"x\": \"f32[64]\"", "\"op\": \"gelu\", \"in\": [\"x\"], \"attrs\": {\"approximate\": \"tanh\"}", -5, -3, 40, false},
	{"\"x\": \"f32[64]\"", "\"op\": \"silu\", \"in\": [\"x\"]", -80, -3, 4, false},
	{"\"x\": \"f32[64]\"", "\"op\": \"softplus\", \"in\": [\"x\"]", -80, -3, 4, false},
	{"\"x\": \"f32[64]\"", "\"op\": \"softplus\", \"in\": [\"x\"], \"attrs\": {\"threshold\": 1e30}", 3, 1000, 2, false},
	{"\"x\": \"f32[8,8]\"", "\"op\": \"softmax\", \"in\": [\"x\"], \"attrs\": {\"dim\": 1}", 1000, 1020, 25, true},
	{"\"x\": \"f32[8,8]\"", "\"op\": \"log_softmax\", \"in\": [\"x\"], \"attrs\": {\"dim\": 1}", -1020, -1000, 3, true},
	{"\"x\": \"f32[8,8]\", \"t\": \"i64[8]\"", "\"op\": \"cross_entropy\", \"in\": [\"x\", \"t\"]", -500, 500, 3, true},
	{"\"x\": \"f32[64]\", \"t\": \"f32[64]\"",
		"\"op\": \"binary_cross_entropy_with_logits\", \"in\": [\"x\", \"t\"], \"attrs\": {\"reduction\": \"none\"}", -300, 300, 3, true},
	{"\"x\": \"f32[4,64]\", \"w\": \"f32[64]\", \"b\": \"f32[64]\"",
		"\"op\": \"layer_norm\", \"in\": [\"x\", \"w\", \"b\"], \"attrs\": {\"normalized_shape\": 64}", 4096, 4098, 7000, true},
	{"\"x\": \"f32[2,64]\"", "\"op\": \"rms_norm\", \"in\": [\"x\"], \"attrs\": {\"normalized_shape\": 64}", 1e-12, 1e-11, 3, true},
	{"\"q\": \"f32[4,8]\", \"k\": \"f32[6,8]\", \"v\": \"f32[6,3]\"",
		"\"op\": \"scaled_dot_product_attention\", \"in\": [\"q\", \"k\", \"v\"]", 500, 1000, 600, true},
};

static Tensor **
draw(EvalCtx *c, const Graph *g, const Stable *s)
{
	Tensor **leaf = NEW(c->arena, g->nleaf, Tensor *);
	Rng r = rng_seed(1);

	for (int64_t i = 0; i < g->nleaf; i++) {
		Tensor *t = leaf[i] = tensor_new(c, &g->leaf[i]->node->type);
		for (int64_t k = 0; t->f && k < t->n; k++)
			t->f[k] = i ? 0.5 + rng_double(&r) / 2 : s->lo + (s->hi - s->lo) * rng_double(&r);
		for (int64_t k = 0; t->i && k < t->n; k++)
			t->i[k] = rng_below(&r, 8);
		tensor_round(t);
	}
	return leaf;
}

static void
compare(const Stable *s, const char *name, const Tensor *got, const Tensor *want)
{
	double largest = 0;

	for (int64_t k = 0; k < want->n; k++)
		largest = fmax(largest, fabs(want->f[k]));
	for (int64_t k = 0; k < want->n; k++) {
		double error = fabs(got->f[k] - want->f[k]);
		double unit = (s->to_largest ? largest : fabs(want->f[k])) * (double)FLT_EPSILON;
		assert_true(isfinite(want->f[k]));
		if (!(error <= s->units * unit + (double)FLT_MIN))
			print_error("%s: %s[%d] is %.9g in f32, %.17g\n", s->node, name, (int)k, got->f[k], want->f[k]),
				assert_true(false);
	}
}

static void
single_precision_is_near(void **state)
{
	(void)state;
	for (int i = 0; i < LEN(stable); i++) {
		Arena *a = arena_new();
		const Stable *s = &stable[i];
		Graph *g = one_node(a, s->inputs, arena_fmt(a, "\"out\": \"y\", %s", s->node));
		EvalCtx exact = {.arena = a}, rounded = {.arena = a, .round = true};
		Tensor **leaf = draw(&exact, g, s);
		Tensor **want = eval_graph(&exact, g, leaf), **got = eval_graph(&rounded, g, leaf);
		compare(s, "y", got[g->out.p[0].v->id], want[g->out.p[0].v->id]);
		for (int64_t k = 0; k < g->grad.n; k++)
			compare(s, g->grad.p[k].name, got[g->grad.p[k].v->id], want[g->grad.p[k].v->id]);
		arena_free(a);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(relu_needs_its_output_alone),
		cmocka_unit_test(softmax_needs_its_output_alone),
		cmocka_unit_test(layer_norm_has_one_mean_and_one_deviation),
		cmocka_unit_test(recomputed_composites_share_too),
		cmocka_unit_test(batch_norm_shares_moments_with_the_running_ones),
		cmocka_unit_test(cross_entropy_has_one_log_sum),
		cmocka_unit_test(dropout_has_one_mask),
		cmocka_unit_test(attention_makes_no_probabilities),
		cmocka_unit_test(half_is_computed_in_single),
		cmocka_unit_test(single_precision_is_near),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_rw.c: the canonical text of documents, and that reading and writing
 * undo each other, whatever the order of the nodes. */
#include <dirent.h>
#include <math.h>

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

static void
keeps_all_keys(void **state)
{
	static const char canonical[] = HEAD
		"  \"doc\": \"a \\\"test\\\"\",\n"
		"  \"dims\": {\n"
		"    \"B\": {\"max\": 256, \"hint\": 128},\n"
		"    \"T\": {\"max\": 8, \"min\": 2}\n  },\n"
		"  \"inputs\": {\n"
		"    \"x\": \"f32[B,4*T]\",\n"
		"    \"a.b\": {\"type\": \"f32[B*T]\", \"c\": \"ab\", \"doc\": \"two\"}\n  },\n"
		"  \"params\": {\n"
		"    \"w\": {\"type\": \"f32[]\", \"init\": \"zeros\"},\n"
		"    \"v\": {\"type\": \"f64[3]\", \"init\": {\"uniform\": [-0.5, 0.5]}, \"trainable\": false},\n"
		"    \"u\": {\"type\": \"f64[3]\", \"file\": \"p.safetensors\", \"tensor\": \"u\"}\n  },\n"
		"  \"buffers\": {\n"
		"    \"n\": {\"type\": \"i64[]\", \"init\": {\"constant\": 3}}\n  },\n"
		"  \"nodes\": [\n"
		"    {\"out\": \"y\", \"op\": \"mul\", \"in\": [\"x\", \"w\"], \"type\": \"f32[B,4*T]\", \"scope\": \"s.0/t\", "
		"\"remat\": \"save\"},\n"
		"    {\"out\": \"l\", \"op\": \"square\", \"in\": [\"w\"], \"remat\": \"recompute\"},\n"
		"    {\"out\": \"n1\", \"op\": \"add\", \"in\": [\"n\", 1]}\n  ],\n"
		"  \"outputs\": {\n    \"y\": \"y\",\n    \"loss\": \"l\"\n  },\n"
		"  \"updates\": {\n    \"n\": \"n1\"\n  },\n"
		"  \"loss\": \"loss\",\n"
		"  \"wrt\": [\"w\", \"x\"]\n}\n";

	(void)state;
	check(canonical, canonical);
}

/* what a document says of constants and literals, and how it is written back */
static void
numbers(void **state)
{
	(void)state;
	check("{\"gradc\": 1, \"name\": \"m\", \"inputs\": {\"x\": \"f32[2]\", \"c\": \"bool[2]\", \"i\": \"i64[2]\"},"
		"\"constants\": {"
		"\"nest\": {\"type\": \"f32[2,2]\", \"data\": [1, 0.10, 1e2, \"-inf\"]},"
		"\"f\": {\"type\": \"f32[]\", \"data\": [0.333333343267440796]},"
		"\"big\": {\"type\": \"u64[2]\", \"data\": [\"18446744073709551615\", 7]},"
		"\"none\": {\"type\": \"i8[0,3]\", \"data\": []},"
		"\"yes\": {\"type\": \"bool[2]\", \"data\": [true, false]}},"
		"\"nodes\": ["
		"{\"out\": \"y\", \"op\": \"add\", \"in\": [\"x\", 5e-1]},"
		"{\"out\": \"z\", \"op\": \"where\", \"in\": [true, \"inf\", \"y\"]},"
		"{\"out\": \"j\", \"op\": \"add\", \"in\": [\"9007199254740993\", \"i\"]}],"
		"\"outputs\": {\"f\": \"f\", \"n\": \"nest\", \"big\": \"big\", \"z\": \"z\", \"j\": \"j\"}}",
		HEAD
		"  \"inputs\": {\n    \"x\": \"f32[2]\",\n    \"c\": \"bool[2]\",\n    \"i\": \"i64[2]\"\n  },\n"
		"  \"constants\": {\n"
		"    \"f\": {\"type\": \"f32[]\", \"data\": 0.33333334},\n"
		"    \"nest\": {\"type\": \"f32[2,2]\", \"data\": [[1, 0.1], [100, \"-inf\"]]},\n"
		"    \"big\": {\"type\": \"u64[2]\", \"data\": [\"18446744073709551615\", 7]},\n"
		"    \"none\": {\"type\": \"i8[0,3]\", \"data\": []},\n"
		"    \"yes\": {\"type\": \"bool[2]\", \"data\": [true, false]}\n  },\n"
		"  \"nodes\": [\n"
		"    {\"out\": \"y\", \"op\": \"add\", \"in\": [\"x\", 0.5]},\n"
		"    {\"out\": \"z\", \"op\": \"where\", \"in\": [true, \"inf\", \"y\"]},\n"
		"    {\"out\": \"j\", \"op\": \"add\", \"in\": [\"9007199254740993\", \"i\"]}\n  ],\n"
		"  \"outputs\": {\n    \"f\": \"f\",\n    \"n\": \"nest\",\n    \"big\": \"big\",\n    \"z\": \"z\",\n"
		"    \"j\": \"j\"\n  }\n}\n");
}

/* a joint graph as a dump, with unnamed values */
static void
joint(void **state)
{
	static const char text[] = HEAD
		"  \"inputs\": {\n    \"ct.y\": \"f32[2]\"\n  },\n"
		"  \"params\": {\n    \"w\": \"f32[2]\"\n  },\n"
		"  \"nodes\": [\n"
		"    {\"out\": \"y\", \"op\": \"square\", \"in\": [\"w\"], \"side\": \"f\"},\n"
		"    {\"out\": \"%1\", \"op\": \"mul\", \"in\": [\"w\", 2], \"side\": \"b\", \"from\": \"y\"},\n"
		"    {\"out\": \"%2\", \"op\": \"mul\", \"in\": [\"ct.y\", \"%1\"], \"side\": \"b\", \"from\": \"y\"}\n  ],\n"
		"  \"outputs\": {\n    \"y\": \"y\"\n  },\n"
		"  \"joint\": {\n"
		"    \"cotangents\": {\n      \"y\": \"ct.y\"\n    },\n"
		"    \"grads\": {\n      \"w\": \"%2\"\n    }\n  }\n}\n";
	Arena *a = arena_new();
	Graph *g = graph_read(a, "t.json", text, LEN(text) - 1);

	(void)state;
	check(text, text);
	diag_check();
	assert_true(g->joint);
	assert_int_equal(g->leaf[1]->role, COTANGENT);
	assert_string_equal(g->leaf[1]->of, "y");
	assert_null(g->grad.p[0].v->name);
	assert_string_equal(g->grad.p[0].v->from, "y");
	assert_int_equal(g->grad.p[0].v->side, SIDE_B);
	arena_free(a);
}

/* a partitioned graph: written by hand as split would give it */
static void
module(void **state)
{
	static const char text[] =
		"{\n  \"gradc\": 1,\n  \"module\": {\n"
		"    \"forward\": {\n      \"name\": \"m\",\n"
		"      \"params\": {\n        \"w\": \"f32[2]\"\n      },\n"
		"      \"nodes\": [\n"
		"        {\"out\": \"e\", \"op\": \"exp\", \"in\": [\"w\"], \"side\": \"f\"},\n"
		"        {\"out\": \"y\", \"op\": \"neg\", \"in\": [\"e\"], \"side\": \"f\"}\n      ],\n"
		"      \"outputs\": {\n        \"y\": \"y\"\n      },\n"
		"      \"saves\": {\n        \"e\": \"e\"\n      }\n    },\n"
		"    \"backward\": {\n      \"name\": \"m\",\n"
		"      \"inputs\": {\n        \"ct.y\": \"f32[2]\"\n      },\n"
		"      \"saved\": {\n        \"e\": \"f32[2]\"\n      },\n"
		"      \"nodes\": [\n"
		"        {\"out\": \"y\", \"op\": \"neg\", \"in\": [\"e\"], \"side\": \"f\"},\n"
		"        {\"out\": \"%1\", \"op\": \"mul\", \"in\": [\"ct.y\", \"y\"], \"side\": \"b\"}\n      ],\n"
		"      \"joint\": {\n        \"cotangents\": {\n          \"y\": \"ct.y\"\n        },\n"
		"        \"grads\": {\n          \"w\": \"%1\"\n        }\n      }\n    },\n"
		"    \"saved\": [\"e\"],\n    \"recomputed\": [\"y\"]\n  }\n}\n";
	Arena *a = arena_new();
	Split *s = module_read(a, "t.json", text, LEN(text) - 1);
	Buf b = {.arena = a};

	(void)state;
	diag_check();
	assert_int_equal(s->saved_bytes, 8);
	assert_int_equal(s->nrecomputed, 1);
	assert_int_equal(s->bwd->leaf[1]->role, SAVED);
	graph_verify(s->fwd, "read");
	graph_verify(s->bwd, "read");
	module_write(&b, s);
	assert_string_equal(b.s, text);
	arena_free(a);
}

/* ---- graphs as passes make them: shared, folded, mostly without names ---- */

static Node *
pick(Graph *g, Rng *r)
{
	for (;;) {
		Node *n = g->node[rng_below(r, g->nnode)];
		if (n->type.dt == F32 && (n->type.rank == 0 || n->type.dim[0].k == 4))
			return n;
	}
}

static Node *
grow(Graph *g, Rng *r)
{
	static const double values[] = {0, -0.0, 1, 0.1, 1e30, INFINITY, -INFINITY, 16777217, 1.0 / 3};
	Node *a = pick(g, r), *b = pick(g, r);

	switch (rng_below(r, 8)) {
	case 0:
		return Add(a, b);
	case 1:
		return Mul(a, Lit(a, values[rng_below(r, LEN(values))]));
	case 2:
		return Where(Gt(a, b), Lit(a, values[rng_below(r, LEN(values))]), b);
	case 3:
		return Where(LitI(g, BOOL, rng_below(r, 2)), a, b);
	case 4:
		return Exp(a);
	case 5:
		return a->type.rank == 2 ? SumTo(a, &(Type){F32, 0, {{0, 0}}}) : Neg(a);
	case 6:
		return a->type.rank == 2 ? Transpose(Transpose(Exp(a), 0, 1), 0, 1) : Sqrt(a);
	default:
		return Full(g, type_scalar(F32), values[rng_below(r, LEN(values))]);
	}
}

static Graph *
random_graph(Arena *a, Rng *r)
{
	Graph *g = graph_new(a, "m");
	Leaf x = {.role = INPUT, .name = "x"}, w = {.role = PARAM, .name = "inf", .trainable = true};
	Type t = {F32, 2, {{4, 0}, {1, 1}}};
	float data[4] = {0.1f, 3, -0.0f, 1e-40f};
	Blob *blob = NEW(a, 1, Blob);

	g->sym[g->nsym++] = (Sym){.name = "B", .min = 1, .max = 8, .hint = 8};
	g->folding = rng_below(r, 2);
	g->sharing = rng_below(r, 2);
	node_leaf(g, &x, t);
	if (rng_below(r, 2))           /* a value named like a literal */
		node_leaf(g, &w, type_scalar(F32));
	*blob = (Blob){.nbytes = 16, .data = arena_copy(a, (const char *)data, 16)};
	node_constant(g, (Type){F32, 2, {{4, 0}, {1, 0}}}, blob);
	for (int64_t k = rng_below(r, 12); k >= 0; k--) {
		Node *n = grow(g, r);
		if (rng_below(r, 4) == 0 && !n->name && !n->leaf)
			n->name = graph_str(g, arena_fmt(a, "v%lld", (long long)k));
		if (rng_below(r, 4) == 0)
			n->remat = n->leaf || n->blob ? REMAT_AUTO : (Remat)rng_below(r, 3);
		if (k < 2)
			port_add(g, &g->out, arena_fmt(a, "y%lld", (long long)k), n, (Loc){0});
	}
	return g;
}

/* everything that hangs on a value, as bytes: two graphs whose values have equal bytes are one graph */
static void
describe(Buf *b, const Node *n, int depth)
{
	buf_printf(b, "(%s:%s %s %s %d", n->op->name, n->name ? n->name : "", n->scope ? n->scope : "",
		type_text(b->arena, n->g, &n->type), n->remat);
	for (int i = 0; i < op_nattr(n->op); i++) {
		const Attr *v = attr(n, i);
		buf_printf(b, " %d %lld %a %s", v->set, (long long)v->i, isnan(v->f) ? (double)NAN : v->f,
			v->s ? v->s : "");
		for (int k = 0; k < v->n; k++)
			buf_printf(b, v->dims ? ",%s" : ".%s", v->dims ? dim_text(b->arena, n->g, v->dims[k])
				: arena_fmt(b->arena, "%lld", (long long)v->ints[k]));
	}
	if (n->blob)
		buf_printf(b, " %016llx", (unsigned long long)hash64(n->blob->data, n->blob->nbytes, 0));
	for (int k = 0; k < n->nin && depth; k++)
		describe(b, n->in[k], depth - 1);
	buf_putc(b, ')');
}

static const char *
description(Arena *a, const Graph *g)
{
	Buf b = {.arena = a};

	for (int64_t i = 0; i < g->out.n; i++)
		describe(&b, g->out.p[i].v, 6);
	return b.s;
}

static void
random_graphs(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 2000; seed++) {
		Arena *a = arena_new();
		Rng r = rng_seed(seed);
		Graph *g = random_graph(a, &r), *h;
		Buf once = {.arena = a}, twice = {.arena = a};
		graph_verify(g, "test");
		graph_write(&once, g);
		h = graph_read(a, "t.json", once.s, once.n);
		diag_check();
		graph_verify(h, "read");
		graph_write(&twice, h);
		assert_string_equal(twice.s, once.s);
		assert_string_equal(description(a, h), description(a, g));
		arena_free(a);
	}
}

/* several results, some dropped, and streams that are the name's hash */
static void
results(void **state)
{
	static const char text[] = HEAD
		"  \"inputs\": {\n    \"x\": \"f32[5]\",\n    \"key\": \"u64[]\"\n  },\n"
		"  \"nodes\": [\n"
		"    {\"out\": [\"a\", null, \"c\"], \"op\": \"split\", \"in\": [\"x\"], "
		"\"attrs\": {\"split_size_or_sections\": [2]}, \"type\": [\"f32[2]\", null, null]},\n"
		"    {\"out\": \"r\", \"op\": \"rand\", \"in\": [\"key\"], \"attrs\": {\"shape\": [4]}},\n"
		"    {\"out\": \"s\", \"op\": \"rand\", \"in\": [\"key\"], \"attrs\": {\"shape\": [4], \"stream\": 7}}\n  ],\n"
		"  \"outputs\": {\n    \"c\": \"c\",\n    \"r\": \"r\",\n    \"s\": \"s\"\n  }\n}\n";
	Arena *a = arena_new();
	Graph *g = graph_read(a, "t.json", text, LEN(text) - 1);

	(void)state;
	diag_check();
	check(text, text);
	assert_int_equal(attr_of(g->out.p[1].v, "stream")->i, stream_of("r"));
	assert_int_equal(stream_of("r"), 0x2f63ef4c86020cd5);  /* FNV-1a of "r" is af63ef4c86020cd5 */
	assert_int_equal(attr_of(g->out.p[2].v, "stream")->i, 7);
	arena_free(a);
}

/* ---- the models of the tests, as they are and after every pass ---- */

static void
check_graph(Arena *a, const Graph *g)
{
	Buf b = {.arena = a};

	graph_write(&b, g);
	assert_string_equal(rewrite(a, b.s), b.s);
}

static void
check_split(Arena *a, const Split *s)
{
	Buf once = {.arena = a}, twice = {.arena = a};
	Split *t;

	module_write(&once, s);
	t = module_read(a, "t.json", once.s, once.n);
	diag_check();
	graph_verify(t->fwd, "read");
	graph_verify(t->bwd, "read");
	module_write(&twice, t);
	assert_string_equal(twice.s, once.s);
	assert_int_equal(t->saved_bytes, s->saved_bytes);
}

static void
dumped(Module *m, int index, const char *pass)
{
	(void)index, (void)pass;
	if (m->split)
		check_split(m->arena, m->split);
	else
		check_graph(m->arena, m->graph);
}

static void
models(void **state)
{
	static const char dir[] = "tests/models";
	static const Options options = {.training = true, .partition = "min-cut", .objective = "traffic"};
	DIR *d = opendir(dir);
	struct dirent *e;
	int count = 0, npass;

	(void)state;
	assert_non_null(d);
	pass_table(&npass);
	while ((e = readdir(d))) {
		size_t len = strlen(e->d_name);
		if (len < 5 || strcmp(e->d_name + len - 5, ".json"))
			continue;
		Arena *a = arena_new();
		const char *path = path_join(a, dir, e->d_name);
		int64_t n;
		const char *text = read_file(a, path, &n);
		Module m = {.arena = a, .options = &options, .graph = graph_read(a, path, text, n), .dump = dumped};
		diag_check();
		check_graph(a, m.graph);
		module_run(&m, 0, npass - 1);
		arena_free(a);
		count++;
	}
	closedir(d);
	assert_true(count > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders_nodes),
		cmocka_unit_test(keeps_all_keys),
		cmocka_unit_test(numbers),
		cmocka_unit_test(joint),
		cmocka_unit_test(module),
		cmocka_unit_test(results),
		cmocka_unit_test(random_graphs),
		cmocka_unit_test(models),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

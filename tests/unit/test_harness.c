/* test_harness.c: emitted units are compiled and called; what breaks the interface is noticed. */
#include "gen.h"
#include "unit.h"

static const char model[] =
	"{\"gradc\": 1, \"name\": \"h\", \"dims\": {\"B\": {\"max\": 5}},\n"
	" \"inputs\": {\"x\": \"f32[B,3]\"}, \"params\": {\"w\": \"f32[3]\"}, \"buffers\": {\"n\": \"i64[]\"},\n"
	" \"nodes\": [{\"out\": \"y\", \"op\": \"mul\", \"in\": [\"x\", \"w\"]}, {\"out\": \"s\", \"op\": \"sum\", \"in\": [\"y\"]},\n"
	"  {\"out\": \"m\", \"op\": \"add\", \"in\": [\"n\", 1]}],\n"
	" \"outputs\": {\"loss\": \"s\", \"y\": \"y\"}, \"updates\": {\"n\": \"m\"}, \"loss\": \"loss\"}\n";

static const Options options = {.training = true, .partition = "min-cut", .objective = "traffic"};
static const GenOptions nop = {.backend = BACKEND_NOP, .optimizer = OPT_SGD, .option_text = "", .input_base = "h.json"};

static const Program *
make(Arena *a)
{
	Module m = {.arena = a, .options = &options};
	Graph *user = graph_read(a, "h.json", model, (int64_t)strlen(model));
	m.graph = graph_rebuild(a, user, false);
	module_run(&m, 0, pass_find("split"));
	return program_make(a, user, m.split, &nop);
}

static Tensor *
tensor(EvalCtx *c, const Type *t, double first)
{
	Tensor *x = tensor_new(c, t);
	for (int64_t k = 0; k < x->n; k++)
		if (x->f)
			x->f[k] = first + (double)k;
		else
			x->i[k] = (int64_t)first;
	return x;
}

static double
at(const Array *x, int k)
{
	return (double)((const float *)x->data)[k];
}

static void
calls(void **state)
{
	(void)state;
	Arena *a = arena_new();
	const Program *p = make(a);
	const char *why;
	Harness *h = harness_build(a, &p, 1, "cc -O0", &why);
	assert_null(why);
	int64_t symval[] = {2};
	EvalCtx c = {.arena = a, .g = p->user, .symval = {2}};
	Tensor *x = tensor(&c, &p->of[AREA_INPUT].m[0].type, 0), *w = tensor(&c, &p->of[AREA_PARAM].m[0].type, 1),
		*n = tensor(&c, &p->of[AREA_STATE].m[0].type, 41);
	bool no_y[] = {false, true};
	Job job[4];
	for (int i = 0; i < 4; i++)
		job[i] = (Job){
			.call = i == 2 ? CALL_INFER : i == 3 ? CALL_TRAIN : CALL_BACKWARD, .symval = symval, .fill = 0xff,
			.value = {[AREA_INPUT] = &x, [AREA_PARAM] = &w, [AREA_STATE] = &n}, .step = 7};
	job[1].null[AREA_OUTPUT] = no_y;
	assert_null(harness_run(h, job, 4, 2));
	for (int i = 0; i < 4; i++)
		assert_int_equal(job[i].code[0], 0);
	/* x is 0..5 in two rows, w 1, 2, 3: the loss is 9 * 1 + ..., the gradient the sum of columns */
	assert_true(at(&job[0].result[AREA_OUTPUT][0], 0) == 3 * 1 + 5 * 2 + 7 * 3);
	assert_true(at(&job[0].result[AREA_OUTPUT][1], 4) == 4 * 2);
	assert_int_equal(job[0].result[AREA_OUTPUT][1].nbytes, 24);
	for (int k = 0; k < 3; k++)
		assert_true(at(&job[0].result[AREA_GRAD][0], k) == 2 * k + 3);
	assert_null(job[1].result[AREA_OUTPUT][1].data);
	assert_true(at(&job[1].result[AREA_GRAD][0], 2) == 7);
	assert_int_equal(*(const int64_t *)job[0].result[AREA_STATE][0].data, 42);
	assert_int_equal(*(const int64_t *)job[2].result[AREA_STATE][0].data, 41);
	assert_true(at(&job[2].result[AREA_OUTPUT][1], 5) == 5 * 3);
	assert_int_equal(job[3].step, 8);
	assert_true(at(&job[3].result[AREA_PARAM][0], 0) == (double)(1 - 1e-3f * 3));
	arena_free(a);
}

/* a dimension out of its range, a pointer that is missing */
static void
codes(void **state)
{
	(void)state;
	Arena *a = arena_new();
	const Program *p = make(a);
	const char *why;
	Harness *h = harness_build(a, &p, 1, "cc -O0", &why);
	int64_t large[] = {6}, fine[] = {5};
	bool no[] = {true};
	Job job[2] = {{.call = CALL_INFER, .symval = large},
		{.call = CALL_INFER, .symval = fine, .null = {[AREA_INPUT] = no}}};
	assert_null(harness_run(h, job, 2, 0));
	assert_int_equal(job[0].code[0], 3);
	assert_int_equal(job[1].code[0], 1);
	arena_free(a);
}

static void
compiler_fails(void **state)
{
	(void)state;
	Arena *a = arena_new();
	const Program *p = make(a);
	const char *why;
	assert_null(harness_build(a, &p, 1, "cc -O0 -include /no/such/file.h", &why));
	assert_non_null(strstr(why, "/no/such/file.h"));
	assert_null(harness_build(a, &p, 1, "/no/such/compiler", &why));
	assert_non_null(strstr(why, "exit status 127"));
	arena_free(a);
}

/* A model written by hand, whose step says which rule it breaks. */
static const char wrong[] =
	"static int bad(int f, void *const *p, const int64_t *sym, int64_t *step, void *saved, void *work) {\n"
	"  float *in = p[0], *out = p[1];\n  (void)sym, (void)f, out[0] = in[0];\n"
	"  switch (*step) {\n"
	"  case 1: out[2] = 1; break;\n  case 2: out[-1] = 1; break;\n  case 3: in[0] = 1; break;\n"
	"  case 4: ((char *)work)[64] = 1; break;\n  case 5: ((char *)saved)[-1] = 1; break;\n  case 6: *(volatile int *)0 = 1;\n"
	"  }\n  return 0;\n}\n"
	"static const Slot slots[] = {{\"in\", 'i', 4}, {\"out\", 'o', 4}};\n"
	"static const Model models[] = {{\"bad\", slots, 2, 0, 64, 64, 64, 64, bad}};\n"
	"int main(int argc, char **argv) { return run_all(models, 1, argc, argv); }\n";

static const char *
write_bytes(Arena *a, const char *dir, const char *name, const void *s, int64_t n)
{
	const char *path = path_join(a, dir, name);
	FILE *f = fopen(path, "wb");
	assert_int_equal(fwrite(s, 1, (size_t)n, f), n);
	fclose(f);
	return path;
}

static void
promises(void **state)
{
	(void)state;
	static const char *const said[] = {NULL, "'out' is written above its last byte",
		"'out' is written below its first byte", "'in' is written by a call that may only read it",
		"'workspace' is written above", "'saved' is written below", ""};
	Arena *a = arena_new();
	const char *dir = temp_dir(a), *exe = path_join(a, dir, "run");
	Buf b = {.arena = a};
	harness_source(&b, NULL, 0);
	*strstr(b.s, "static const Model models[] = {") = 0;
	b.n = (int64_t)strlen(b.s);
	buf_puts(&b, wrong);
	const char *c = write_bytes(a, dir, "run.c", b.s, b.n);
	Proc p = proc_run(a, (const char *[]){"cc", "-O0", c, "-o", exe, NULL}, NULL, 60);
	assert_int_equal(p.status, 0);
	for (int i = 0; i < LEN(said); i++) {
		float x[] = {3, 4};
		int64_t head[] = {1, 0, 0, 255, i, 1, 8}, tail[] = {2, 8};
		Buf r = {.arena = a};
		buf_put(&r, (char *)head, sizeof head);
		buf_put(&r, (char *)x, sizeof x);
		buf_put(&r, (char *)tail, sizeof tail);
		const char *request = write_bytes(a, dir, "request", r.s, r.n);
		p = proc_run(a, (const char *[]){exe, request, path_join(a, dir, "response"), NULL}, NULL, 60);
		if (!said[i])
			assert_int_equal(p.status, 0);
		else if (!*said[i])
			assert_true(p.signal > 0);
		else {
			assert_int_equal(p.status, 3);
			assert_non_null(strstr(buf_str(&p.err), said[i]));
		}
	}
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls),
		cmocka_unit_test(codes),
		cmocka_unit_test(compiler_fails),
		cmocka_unit_test(promises),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

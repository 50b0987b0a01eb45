/* bits: within one build, outputs, updates and gradients do not depend on what is
 * recomputed nor on the number of threads, not in a single bit.
 *
 *   bits "CC FLAGS" MODEL.json...
 *
 * Each model is compiled with three partitions; all three are in one executable,
 * which runs with one, two and three threads. */
#include <string.h>

#include "gen.h"

static const char *const partition[] = {"default", "min-cut", "recompute"};
enum { WAYS = 3, THREADS = 3 };

static int passed, failed;

/* ---- programs ---- */

static const Program *
program_of(Arena *a, const Graph *user, int way)
{
	Options o = {.training = true, .partition = partition[way], .objective = "traffic"};
	Module m = {.arena = a, .options = &o};
	GenOptions *g = NEW(a, 1, GenOptions);
	Graph *own = graph_rebuild(a, user, false);

	*g = (GenOptions){.backend = BACKEND_FUSED, .option_text = "", .input_base = "model.json", .weights = WEIGHTS_GIVEN};
	own->name = arena_fmt(a, "%s_%d", user->name, way);
	if (differentiable(user)) {
		m.graph = graph_rebuild(a, own, false);
		module_run(&m, 0, pass_find("split"));
	}
	return program_make(a, own, m.split, g);
}

/* ---- values ---- */

static Tensor *
drawn(EvalCtx *c, const Type *t, int64_t bound, Rng *r)
{
	Tensor *x = tensor_new(c, t);

	for (int64_t k = 0; k < x->n; k++)
		if (x->f)
			x->f[k] = rng_double(r) - 0.5;
		else
			x->i[k] = rng_below(r, bound ? bound : 2);
	tensor_round(x);
	return x;
}

static void
draw_area(EvalCtx *c, const Program *p, Area area, Job *job)
{
	const Members *ms = &p->of[area];
	Tensor **v = NEW(c->arena, ms->n + 1, Tensor *);

	for (int64_t i = 0; i < ms->n; i++) {
		Rng r = rng_seed(hash64(ms->m[i].name, (int64_t)strlen(ms->m[i].name), (uint64_t)area));
		int64_t bound = 0;
		for (int64_t k = 0; k < ms->m[i].nlimit; k++) {
			int64_t b = dim_at(ms->m[i].limit[k].bound, c->symval);
			bound = bound ? MIN(bound, b) : b;
		}
		v[i] = drawn(c, &ms->m[i].type, bound, &r);
	}
	job->value[area] = v;
}

/* ---- comparing ---- */

static void
check(bool ok, const Program *p, const char *cc, int way, int threads, const char *name)
{
	if (ok) {
		passed++;
		return;
	}
	failed++;
	printf("FAIL %s, %s: %s with partition %s and %d threads has other bits\n", p->user->name, cc, name,
		partition[way], threads);
}

static void
compare(const Program *p, const char *cc, int way, int threads, const Job *job, const Job *first)
{
	static const Area area[] = {AREA_OUTPUT, AREA_GRAD, AREA_STATE};

	for (int k = 0; k < LEN(area); k++)
		for (int64_t i = 0; i < p->of[area[k]].n; i++) {
			const Array *x = &job->result[area[k]][i], *y = &first->result[area[k]][i];
			check(x->nbytes == y->nbytes && !memcmp(x->data, y->data, (size_t)x->nbytes), p, cc, way, threads, x->name);
		}
}

static void
run_model(const char *cc, const char *path)
{
	Arena *a = arena_new();
	int64_t n;
	char *text = read_file(a, path, &n);
	Graph *user = graph_read(a, path, text, n);
	EvalCtx c = {.arena = a, .g = user};
	const Program *p[WAYS];
	Harness *h;
	const char *why;
	Job first;

	diag_check();
	for (int s = 0; s < user->nsym; s++)
		c.symval[s] = user->sym[s].hint;
	for (int w = 0; w < WAYS; w++)
		p[w] = program_of(a, user, w);
	h = harness_build(a, p, WAYS, cc, &why);
	if (!h) {
		printf("FAIL %s, %s: %s\n", path, cc, why);
		failed++;
	}
	for (int t = 1; h && t <= THREADS; t++)
		for (int w = 0; w < WAYS; w++) {
			Job job = {.model = w, .call = p[w]->backward ? CALL_BACKWARD : p[w]->forward ? CALL_FORWARD : CALL_INFER,
				.symval = c.symval, .fill = 0xa5 + t};
			for (Area k = AREA_INPUT; k <= AREA_STATE; k++)
				draw_area(&c, p[w], k, &job);
			draw_area(&c, p[w], AREA_COTANGENT, &job);
			why = harness_run(h, &job, 1, t);
			check(!why && !job.code[0] && !job.code[1], p[w], cc, w, t, why ? why : "a call's return code");
			if (why)
				continue;
			if (t == 1 && w == 0)
				first = job;
			else
				compare(p[w], cc, w, t, &job, &first);
		}
	arena_free(a);
}

int
main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	for (int i = 2; i < argc; i++)
		run_model(argv[1], argv[i]);
	printf("%d passed, %d failed\n", passed, failed);
	return failed != 0;
}

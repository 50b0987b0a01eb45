/* fuzz_graph.c: random graphs through everything that gradc does with a graph.
 *
 * usage: fuzz_graph [RUNS [SEED [SECONDS]]]     FUZZ_CC: the C compiler with flags
 * Checked of each: written and read again it is the same graph; the interpreter
 * that rounds lies within the bounds around the one that does not; its gradients
 * are slopes of its values; within the bounds are also the compiled values, updates
 * and gradients of the nop backend, and of the fused one under every partition,
 * which have one another's very bits, as have calls
 * with two threads, with other rubbish in memory, with results not wanted. Many
 * graphs are compiled into one program. Where gradc itself dies, the others are
 * done again without that graph. A finding prints its seed; the graph is left in
 * fuzz_graph.SEED.json. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"
#include "gen.h"

enum { BATCH = 8, WORKERS = 2, NVAR = 4, NJOB = 4 };
/* a case of as many programs, the first of which is the nop backend's */
static const struct { const char *name, *partition; Backend backend; } variants[NVAR] = {
	{"nop",             "min-cut",   BACKEND_NOP},
	{"fused min-cut",   "min-cut",   BACKEND_FUSED},
	{"fused default",   "default",   BACKEND_FUSED},
	{"fused recompute", "recompute", BACKEND_FUSED},
};
enum { INFER, TRAIN, AGAIN, PARTLY };      /* the jobs of a program */

typedef struct Case {
	Arena *arena;
	uint64_t seed;
	bool failed;
	Rng rng;
	EvalCtx c;
	Graph *user;
	Tensor **leaf;
	Graph *core, *inferring;       /* core: with gradients, where there are any */
	Bounded *want, *want_infer;    /* by node of these */
	Tensor **ct;                   /* by cotangent of core */
	const Program *p[NVAR];
	Job *job[NVAR];
} Case;

static void
finding(Case *t, const char *fmt, ...)
{
	Buf b = {.arena = t->arena};
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	if (!t->failed)
		fprintf(stderr, "FAIL fuzz_graph 1 %llu: %s\n", (unsigned long long)t->seed, buf_str(&b));
	t->failed = true;
}

/* ---- the graph ---- */

/* what is written can be read, and is then written the same */
static void
round_trip(Case *t)
{
	Buf once = {.arena = t->arena}, twice = {.arena = t->arena}, said = {.arena = t->arena};
	Graph *g;

	graph_write(&once, t->user);
	if (!(g = graph_read(t->arena, "fuzz.json", once.s, once.n))) {
		diag_text(&said);
		finding(t, "what was written is refused:\n%s", buf_str(&said));
		return;
	}
	graph_write(&twice, g);
	if (strcmp(once.s, twice.s))
		finding(t, "read again, it is another graph");
	t->user = g;
}

/* ---- the interpreter ---- */

static const char *
element_text(Arena *a, const Tensor *x, int64_t k)
{
	return x->f ? arena_fmt(a, "%.17g", x->f[k]) : arena_fmt(a, "%lld", (long long)x->i[k]);
}

/* all of got within the bounds of want */
static void
within(Case *t, const char *who, const char *what, const Tensor *got, const Bounded *want)
{
	int64_t k = bound_first(got, want);

	if (k >= 0)
		finding(t, "%s: %s[%lld] is %s, not %s +- %g", who, what, (long long)k, element_text(t->arena, got, k),
			element_text(t->arena, want->v, k), want->e ? want->e[k] : 0);
}

static Bounded *
bounds(Case *t, const Graph *g, Tensor *const *leaf)
{
	Bounded *known = NEW(t->arena, MAX(g->nnode, 1), Bounded);

	for (int64_t i = 0; i < g->nleaf; i++)
		known[g->leaf[i]->node->id].v = leaf[i];
	return bound_graph(&t->c, g, known);
}

static void
rounded_within_bounds(Case *t, const Graph *g, const Bounded *want, Tensor *const *leaf)
{
	EvalCtx c = t->c;
	Tensor **got;

	c.round = true;
	got = eval_graph(&c, g, leaf);
	for (int64_t i = 0; i < g->nnode; i++)
		if (got[i] && want[i].v)
			within(t, "rounded", arena_fmt(t->arena, "node %lld (%s)", (long long)i, g->node[i]->op->name),
				got[i], &want[i]);
}

/* the graph's gradients, when all ops have them */
static bool
has_gradients(Case *t, const Options *o)
{
	bool yes = differentiable(t->user);

	if (yes) {
		grad(t->arena, graph_rebuild(t->arena, t->user, false), o);
		yes = !diag_count(DIAG_UNSUPPORTED);
		diag_reset();
	}
	return yes;
}

/* values of all leaves of the joint graph: cotangents are drawn, the one of a loss is 1 */
static Tensor **
joint_leaves(Case *t, const Graph *g)
{
	Tensor **v = NEW(t->arena, MAX(g->nleaf, 1), Tensor *);

	t->ct = NEW(t->arena, MAX(g->ct.n, 1), Tensor *);
	for (int64_t i = 0; i < g->nleaf; i++)
		if (i < t->user->nleaf)
			v[i] = t->leaf[i];
		else
			v[i] = draw_tensor(&t->c, &t->rng, &g->leaf[i]->node->type);
	for (int64_t i = 0; i < g->ct.n; i++)
		for (int64_t k = 0; k < g->nleaf; k++)
			if (g->leaf[k]->node == g->ct.p[i].v) {
				t->ct[i] = v[k];
				if (t->user->loss >= 0)
					v[k]->f[0] = 1;
			}
	return v;
}

/* gradients of the interpreter are slopes of its values */
static void
slopes_agree(Case *t, const Options *o)
{
	Slope *s;
	int n = slopes(&t->c, t->user, o, t->leaf, t->seed, &s);

	for (int i = 0; i < n; i++)
		if (s[i].known && !(fabs(s[i].grad - s[i].diff) <= s[i].tol))
			finding(t, "gradient of %s: %.12g, by differences %.12g +- %g", s[i].name, s[i].grad, s[i].diff, s[i].tol);
}

/* ---- programs and their calls ---- */

static Tensor **
members_of(Case *t, const Program *p, Area area)
{
	Tensor **v = NEW(t->arena, p->of[area].n + 1, Tensor *);

	for (int64_t i = 0; i < p->of[area].n; i++)
		for (int64_t k = 0; k < t->user->nleaf; k++)
			if (!strcmp(t->user->leaf[k]->name, p->of[area].m[i].name))
				v[i] = t->leaf[k];
	return v;
}

static bool *
some(Case *t, int64_t n)
{
	bool *v = NEW(t->arena, n + 1, bool);

	for (int64_t i = 0; i < n; i++)
		v[i] = rng_below(&t->rng, 2);
	return v;
}

static Job *
jobs_new(Case *t, const Program *p)
{
	Job *job = NEW(t->arena, NJOB, Job);

	for (int k = 0; k < NJOB; k++) {
		job[k] = (Job){.symval = t->c.symval, .fill = k == AGAIN ? 0x5a : 0xff};
		job[k].call = k == INFER || !p->forward ? CALL_INFER : p->split ? CALL_BACKWARD : CALL_FORWARD;
		for (int area = AREA_INPUT; area <= AREA_STATE; area++)
			job[k].value[area] = members_of(t, p, (Area)area);
		if (p->split && t->user->loss < 0)
			job[k].value[AREA_COTANGENT] = t->ct;
	}
	job[PARTLY].null[AREA_OUTPUT] = some(t, p->of[AREA_OUTPUT].n);
	job[PARTLY].null[AREA_GRAD] = some(t, p->of[AREA_GRAD].n);
	return job;
}

static void
make_program(Case *t, int i, bool gradients)
{
	Options *o = NEW(t->arena, 1, Options);
	GenOptions *g = NEW(t->arena, 1, GenOptions);
	Module m = {.arena = t->arena, .options = o};
	Graph *user = graph_rebuild(t->arena, t->user, false);

	*o = (Options){.training = true, .partition = variants[i].partition, .objective = "traffic"};
	*g = (GenOptions){.backend = variants[i].backend, .option_text = variants[i].name, .input_base = "fuzz.json"};
	user->name = arena_fmt(t->arena, "g%llu_%d", (unsigned long long)t->seed, i);
	if (gradients) {
		m.graph = graph_rebuild(t->arena, user, false);
		module_run(&m, 0, pass_find("split"));
	}
	t->p[i] = program_make(t->arena, user, m.split, g);
	t->job[i] = jobs_new(t, t->p[i]);
}

/* all that needs no compiler */
static void
prepare(Case *t, uint64_t seed)
{
	const Options o = {.training = true};
	Tensor **leaf;
	bool gradients;

	*t = (Case){.arena = arena_new(), .seed = seed, .rng = rng_seed(seed + 1)};
	t->user = draw_graph(t->arena, seed);
	round_trip(t);
	if (t->failed)
		return;
	t->c = (EvalCtx){.arena = t->arena, .g = t->user};
	t->leaf = leaf = draw_leaves(&t->c, t->user, seed);
	t->inferring = simplify(t->arena, infer(t->arena, t->user, NULL));
	t->want_infer = bounds(t, t->inferring, t->leaf);
	if ((gradients = has_gradients(t, &o))) {
		Module m = {.arena = t->arena, .options = &o, .graph = graph_rebuild(t->arena, t->user, false)};
		module_run(&m, 0, pass_find("clean"));
		t->core = m.graph;
		leaf = joint_leaves(t, t->core);
		slopes_agree(t, &o);
	} else
		t->core = compose(t->arena, t->user, true);
	graph_verify(t->core, "fuzz");
	t->want = bounds(t, t->core, leaf);
	rounded_within_bounds(t, t->core, t->want, leaf);
	for (int i = 0; i < NVAR; i++)
		make_program(t, i, gradients);
}

/* ---- what came out ---- */

static void
ports_within(Case *t, int i, const char *what, const Ports *ports, const Bounded *want, const Members *ms,
	const Array *got)
{
	for (int64_t k = 0; k < ms->n; k++) {
		const Node *n = port_find(ports, ms->m[k].name);
		if (n && got[k].data)
			within(t, arena_fmt(t->arena, "%s, %s", variants[i].name, what), ms->m[k].name,
				tensor_from_array(&t->c, &got[k]), &want[n->id]);
	}
}

static void
values_within(Case *t, int i)
{
	const Program *p = t->p[i];
	const Job *inf = &t->job[i][INFER], *job = &t->job[i][TRAIN];

	ports_within(t, i, "infer", &t->inferring->out, t->want_infer, &p->of[AREA_OUTPUT], inf->result[AREA_OUTPUT]);
	if (!p->forward)
		return;
	ports_within(t, i, "forward", &t->core->out, t->want, &p->of[AREA_OUTPUT], job->result[AREA_OUTPUT]);
	ports_within(t, i, "update", &t->core->update, t->want, &p->of[AREA_STATE], job->result[AREA_STATE]);
	if (!job->code[1])
		ports_within(t, i, "gradient", &t->core->grad, t->want, &p->of[AREA_GRAD], job->result[AREA_GRAD]);
}

/* as bits, but that one NaN is as good as another */
static bool
same_bits(Case *t, const Array *x, const Array *y)
{
	Tensor *a, *b;

	if (!memcmp(x->data, y->data, (size_t)x->nbytes))
		return true;
	a = tensor_from_array(&t->c, x);
	b = tensor_from_array(&t->c, y);
	for (int64_t k = 0; k < a->n; k++)
		if (!a->f || memcmp(&a->f[k], &b->f[k], sizeof(double)))
			if (!a->f || !isnan(a->f[k]) || !isnan(b->f[k]))
				return false;
	return true;
}

static void
same_results(Case *t, const char *who, const Program *p, const Job *a, const Job *b)
{
	static const Area area[] = {AREA_OUTPUT, AREA_STATE, AREA_GRAD};

	for (int k = 0; k < LEN(area); k++)
		for (int64_t i = 0; i < p->of[area[k]].n; i++) {
			const Array *x = &a->result[area[k]][i], *y = &b->result[area[k]][i];
			bool left_out = area[k] == AREA_OUTPUT && !p->forward && !port_find(&t->inferring->out, x->name);
			left_out |= area[k] == AREA_GRAD && (a->code[1] || b->code[1]);
			if (x->data && y->data && !left_out && !same_bits(t, x, y))
				finding(t, "%s: other bits in %s", who, x->name);
		}
}

/* 0; or, where an index that was computed was out of range, 4, which makes saved values void */
static void
codes_right(Case *t, int i)
{
	for (int k = 0; k < NJOB; k++) {
		const int *code = t->job[i][k].code;
		bool fine = !code[0] || (code[0] == 4 && t->c.bad_index);
		if (!fine || (code[1] && !(code[1] == 4 && t->c.bad_index) && !(code[1] == 5 && code[0] == 4)))
			finding(t, "%s: job %d returns %d, %d", variants[i].name, k, code[0], code[1]);
	}
}

static void
judge(Case *t)
{
	for (int i = 0; i < NVAR; i++) {
		codes_right(t, i);
		values_within(t, i);
		same_results(t, arena_fmt(t->arena, "%s, called again", variants[i].name), t->p[i], &t->job[i][TRAIN],
			&t->job[i][AGAIN]);
		same_results(t, arena_fmt(t->arena, "%s, some results", variants[i].name), t->p[i], &t->job[i][TRAIN],
			&t->job[i][PARTLY]);
		if (i > 1)
			same_results(t, variants[i].name, t->p[i], &t->job[1][TRAIN], &t->job[i][TRAIN]);
	}
}

/* ---- compiling ---- */

/* the compiler of the batch that begins with this seed: optimisation costs time, and is what may go wrong */
static const char *
compiler(uint64_t seed)
{
#define WARNINGS " -std=c99 -Wall -Wextra -Wpedantic -Wconversion -Werror"
	static const char *const turn[] = {
		"${CC:-cc} -O0 -fopenmp" WARNINGS, "${CC:-cc} -O0" WARNINGS,
		"${CC:-cc} -O2 -fopenmp -march=native" WARNINGS, "${CC:-cc} -O0 -fopenmp" WARNINGS,
	};
	const char *cc = getenv("FUZZ_CC");

	return cc ? cc : turn[seed / BATCH % LEN(turn)];
}

/* all jobs of n cases: what is seen of threads and of calls again is in AGAIN */
static const char *
run_jobs(Arena *a, Harness *h, Case *const *t, int n)
{
	Job *one = NEW(a, n * NVAR * NJOB, Job), *two = NEW(a, n * NVAR, Job);
	int n1 = 0, n2 = 0;
	const char *why;

	for (int c = 0; c < n; c++)
		for (int i = 0; i < NVAR; i++)
			for (int k = 0; k < NJOB; k++) {
				t[c]->job[i][k].model = c * NVAR + i;
				if (k == AGAIN)
					two[n2++] = t[c]->job[i][k];
				else
					one[n1++] = t[c]->job[i][k];
			}
	if ((why = harness_run(h, one, n1, 1)) || (why = harness_run(h, two, n2, 2)))
		return why;
	n1 = n2 = 0;
	for (int c = 0; c < n; c++)
		for (int i = 0; i < NVAR; i++)
			for (int k = 0; k < NJOB; k++)
				t[c]->job[i][k] = k == AGAIN ? two[n2++] : one[n1++];
	return NULL;
}

/* NULL, or what went wrong with some of them */
static const char *
compile_and_run(Arena *a, Case *const *t, int n)
{
	const Program **p = NEW(a, n * NVAR, const Program *);
	const char *why;
	Harness *h;

	for (int c = 0; c < n; c++)
		memcpy(p + c * NVAR, t[c]->p, sizeof t[c]->p);
	if (!(h = harness_build(a, p, n * NVAR, compiler(t[0]->seed), &why)))
		return why;
	return run_jobs(a, h, t, n);
}

/* together; one by one when that fails, so that it is known whose fault it is */
static void
compile_cases(Case *t, int n)
{
	Arena *a = arena_new();
	Case **all = NEW(a, n, Case *);
	const char *why = NULL;
	int m = 0;

	for (int i = 0; i < n; i++)
		if (!t[i].failed)
			all[m++] = &t[i];
	if (m && compile_and_run(a, all, m))
		for (int i = 0; i < m; i++)
			if ((why = compile_and_run(a, all + i, 1)))
				finding(all[i], "%s", why);
	for (int i = 0; i < m; i++)
		if (!all[i]->failed)
			judge(all[i]);
	arena_free(a);
}

/* ---- many of them ---- */

typedef struct Message { uint64_t seed; char what; } Message;      /* s: begun, f: failed, d: all are done */

static void
tell(int fd, char what, uint64_t seed)
{
	Message m;

	memset(&m, 0, sizeof m);
	m.seed = seed;
	m.what = what;
	if (write(fd, &m, sizeof m) != sizeof m)
		_exit(1);
}

static _Noreturn void
work(const uint64_t *seed, int n, int fd)
{
	Case *t = calloc((size_t)n, sizeof *t);

	for (int i = 0; i < n; i++) {
		tell(fd, 's', seed[i]);
		prepare(&t[i], seed[i]);
	}
	tell(fd, 's', 0);
	compile_cases(t, n);
	for (int i = 0; i < n; i++)
		if (t[i].failed)
			tell(fd, 'f', t[i].seed);
	tell(fd, 'd', 0);
	exit(0);
}

static void
keep_graph(uint64_t seed)
{
	Arena *a = arena_new();
	Buf b = {.arena = a};
	Outputs *o = outputs_new(a);

	graph_write(&b, draw_graph(a, seed));
	outputs_add(o, arena_fmt(a, "fuzz_graph.%llu.json", (unsigned long long)seed), buf_str(&b), b.n);
	outputs_commit(o);
	arena_free(a);
}

/* Cases in a process of their own. Returns how many of them failed; when that process dies, *lost is
 * the seed of the case that was to blame, and the others must be done again. */
static int
run_some(const uint64_t *seed, int n, uint64_t *lost)
{
	int fd[2], status, failed = 0;
	Message m = {0};
	pid_t pid;

	fflush(NULL);
	if (pipe(fd) || (pid = fork()) < 0)
		fail(EXIT_INPUT, (Loc){0}, "fuzz_graph: %s", strerror(errno));
	if (!pid) {
		close(fd[0]);
		work(seed, n, fd[1]);
	}
	close(fd[1]);
	*lost = 0;
	while (read(fd[0], &m, sizeof m) == sizeof m) {
		*lost = m.what == 's' ? m.seed : 0;
		if (m.what == 'f') {
			keep_graph(m.seed);
			failed++;
		}
	}
	close(fd[0]);
	waitpid(pid, &status, 0);
	if (m.what == 'd')
		return failed;
	if (!*lost)
		fail(EXIT_BUG, (Loc){0}, "fuzz_graph: the batch from seed %llu died while judging",
			(unsigned long long)seed[0]);
	fprintf(stderr, "FAIL fuzz_graph 1 %llu: gradc ended by %s %d\n", (unsigned long long)*lost,
		WIFSIGNALED(status) ? "signal" : "exit", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	keep_graph(*lost);
	return 0;
}

/* the batch from seed on; how many failed */
static long
run_batch(uint64_t first, int n)
{
	uint64_t seed[BATCH], lost;
	long failed = 0;

	for (int i = 0; i < n; i++)
		seed[i] = first + (uint64_t)i;
	while (n > 0) {
		int k = run_some(seed, n, &lost);
		if (!lost)
			return failed + k;
		failed++;
		for (int i = 0, m = n, j = 0; i < m; i++)
			if (seed[i] == lost)
				n--;
			else
				seed[j++] = seed[i];
	}
	return failed;
}

/* every WORKERS-th batch, from number `which` */
static _Noreturn void
drive(int which, long n, uint64_t seed, double limit, int fd)
{
	time_t start = time(NULL);
	long count[2] = {0, 0};

	for (long i = which * BATCH; i < n && count[1] < 20 && difftime(time(NULL), start) < limit; i += WORKERS * BATCH) {
		int m = (int)MIN(BATCH, n - i);
		long failed = run_batch(seed + (uint64_t)i, m);
		count[0] += m - failed;
		count[1] += failed;
	}
	if (write(fd, count, sizeof count) != sizeof count)
		_exit(1);
	_exit(0);
}

int
main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 200, total[2] = {0, 0}, count[2];
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	double limit = argc > 3 ? atof(argv[3]) : INFINITY;
	int fd[2];

	if (pipe(fd))
		fail(EXIT_INPUT, (Loc){0}, "fuzz_graph: %s", strerror(errno));
	for (int i = 0; i < WORKERS; i++)
		if (!fork())
			drive(i, n, seed, limit, fd[1]);
	close(fd[1]);
	for (int i = 0; i < WORKERS; i++)
		if (read(fd[0], count, sizeof count) == sizeof count) {
			total[0] += count[0];
			total[1] += count[1];
		} else
			total[1]++;
	while (wait(NULL) > 0)
		;
	printf("%ld passed, %ld failed\n", total[0], total[1]);
	return total[1] > 0;
}

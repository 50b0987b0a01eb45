/* fuzz_graph.c: random graphs through everything that gradc does with a graph.
 *
 * usage: fuzz_graph [RUNS [SEED [SECONDS]]]
 * Each case runs in a process of its own, so that a fault of gradc is a finding
 * too. Checked: a graph that is written and read again is the same; values of
 * the interpreter that rounds lie within the bounds around those that does not.
 * A finding prints its seed and leaves the graph in fuzz_graph.SEED.json. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

typedef struct Case {
	Arena *arena;
	uint64_t seed;
	Graph *user;
	EvalCtx c;
	Tensor **leaf;
} Case;

_Noreturn static void
finding(const Case *t, const char *fmt, ...)
{
	Buf b = {.arena = t->arena};
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	fprintf(stderr, "fuzz_graph 1 %llu: %s\n", (unsigned long long)t->seed, buf_str(&b));
	exit(1);
}

/* ---- the checks ---- */

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
	}
	graph_write(&twice, g);
	if (strcmp(once.s, twice.s))
		finding(t, "read again, it is another graph");
	t->user = g;
}

static const char *
element(Arena *a, const Tensor *x, int64_t k)
{
	return x->f ? arena_fmt(a, "%.17g", x->f[k]) : arena_fmt(a, "%lld", (long long)x->i[k]);
}

/* all of got within the bounds of want */
static void
within(const Case *t, const char *who, const char *what, const Tensor *got, const Bounded *want)
{
	int64_t k = bound_first(got, want);

	if (k >= 0)
		finding(t, "%s: %s[%lld] is %s, not %s +- %g", who, what, (long long)k, element(t->arena, got, k),
			element(t->arena, want->v, k), want->e ? want->e[k] : 0);
}

static Bounded *
bounds(Case *t, const Graph *g)
{
	Bounded *known = NEW(t->arena, MAX(g->nnode, 1), Bounded);

	for (int64_t i = 0; i < g->nleaf; i++)
		known[g->leaf[i]->node->id].v = t->leaf[i];
	return bound_graph(&t->c, g, known);
}

static void
rounded_within_bounds(Case *t, const Graph *g)
{
	EvalCtx c = t->c;
	Bounded *want = bounds(t, g);
	Tensor **got;

	c.round = true;
	got = eval_graph(&c, g, t->leaf);
	for (int64_t i = 0; i < g->nnode; i++)
		if (got[i] && want[i].v)
			within(t, "rounded", arena_fmt(t->arena, "node %lld (%s)", (long long)i, g->node[i]->op->name),
				got[i], &want[i]);
}

static void
run_case(uint64_t seed)
{
	Case t = {.arena = arena_new(), .seed = seed};
	Graph *core;

	t.user = draw_graph(t.arena, seed);
	round_trip(&t);
	t.c = (EvalCtx){.arena = t.arena, .g = t.user};
	t.leaf = draw_leaves(&t.c, t.user, seed);
	core = compose(t.arena, t.user, true);
	graph_verify(core, "compose");
	rounded_within_bounds(&t, core);
	arena_free(t.arena);
}

/* ---- many of them ---- */

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

/* cases from `seed` on in one process, which tells on `done` how many went well */
static _Noreturn void
work(uint64_t seed, long n, int done)
{
	for (long i = 0; i < n; i++) {
		run_case(seed + (uint64_t)i);
		if (write(done, "", 1) != 1)
			_exit(1);
	}
	_exit(0);
}

/* how many of n cases from `seed` on go well before one does not */
static long
run_some(uint64_t seed, long n)
{
	int fd[2], status;
	char part[4096];
	ssize_t k;
	long well = 0;
	pid_t pid;

	fflush(NULL);
	if (pipe(fd) || (pid = fork()) < 0)
		fail(EXIT_INPUT, (Loc){0}, "fuzz_graph: %s", strerror(errno));
	if (!pid) {
		close(fd[0]);
		work(seed, n, fd[1]);
	}
	close(fd[1]);
	while ((k = read(fd[0], part, sizeof part)) > 0)
		well += k;
	close(fd[0]);
	waitpid(pid, &status, 0);
	if (well < n)
		fprintf(stderr, "FAIL seed %llu: %s %d\n", (unsigned long long)seed + (unsigned long long)well,
			WIFSIGNALED(status) ? "signal" : "exit", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return well;
}

int
main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 1000, well = 0, findings = 0;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	double limit = argc > 3 ? atof(argv[3]) : INFINITY;
	time_t start = time(NULL);

	for (long i = 0; i < n && findings < 20 && difftime(time(NULL), start) < limit;) {
		long some = MIN(100, n - i), k = run_some(seed + (uint64_t)i, some);
		well += k;
		i += k;
		if (k < some) {
			keep_graph(seed + (uint64_t)i++);
			findings++;
		}
	}
	printf("%ld passed, %ld failed\n", well, findings);
	return findings > 0;
}

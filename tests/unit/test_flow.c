/* Minimum cuts against enumeration of all vertex subsets, the checker against corrupted
 * answers, and networks that are large, long, or bad for Dinic's algorithm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "lib.h"           /* before cmocka.h, whose macro fail() would hide ours */
#include <cmocka.h>
#include "clock.h"

typedef struct Case {
	int nvertex, narc, source, sink;
	FlowArc arc[40];
} Case;

static FlowCut
solve(Arena *a, const Case *c)
{
	return flow_min_cut(a, c->nvertex, c->arc, c->narc, c->source, c->sink);
}

static const char *
check(Arena *a, const Case *c, const FlowCut *cut)
{
	return flow_check(a, c->nvertex, c->arc, c->narc, c->source, c->sink, cut);
}

/* loops, parallel arcs, arcs into the source, zero and infinite capacities included */
static Case
random_case(Rng *r, int64_t infinite_percent)
{
	Case c = {.nvertex = 2 + (int)rng_below(r, 8)};
	int64_t range = rng_below(r, 2) ? 4 : 1000000000;

	c.narc = (int)rng_below(r, LEN(c.arc) + 1);
	c.source = (int)rng_below(r, c.nvertex);
	c.sink = (c.source + 1 + (int)rng_below(r, c.nvertex - 1)) % c.nvertex;
	for (int i = 0; i < c.narc; i++) {
		c.arc[i].from = (int)rng_below(r, c.nvertex);
		c.arc[i].to = (int)rng_below(r, c.nvertex);
		c.arc[i].cap = rng_below(r, 100) < infinite_percent ? FLOW_INF : rng_below(r, range);
	}
	return c;
}

/* capacity of the cut whose sink side is the bit set, or FLOW_INF */
static int64_t
cut_capacity(const Case *c, int side)
{
	int64_t sum = 0;

	for (int i = 0; i < c->narc; i++) {
		if ((side >> c->arc[i].from & 1) || !(side >> c->arc[i].to & 1))
			continue;
		if (c->arc[i].cap == FLOW_INF)
			return FLOW_INF;
		sum += c->arc[i].cap;
	}
	return sum;
}

/* least capacity of all cuts; *nearest: intersection of the sink sides that attain it,
 * which is a least cut itself (submodularity) */
static int64_t
enumerate(const Case *c, int *nearest)
{
	int64_t best = FLOW_INF;

	*nearest = -1;
	for (int side = 0; side < 1 << c->nvertex; side++) {
		int64_t cap;

		if ((side >> c->source & 1) || !(side >> c->sink & 1))
			continue;
		cap = cut_capacity(c, side);
		if (cap < best)
			*nearest = -1;
		best = MIN(best, cap);
		if (cap == best)
			*nearest &= side;
	}
	return best;
}

static void
every_subset(void **state)
{
	Rng r = rng_seed(1);
	int without = 0;

	(void)state;
	for (int round = 0; round < 4000; round++) {
		Arena *a = arena_new();
		Case c = random_case(&r, round % 4 * 10);
		FlowCut cut = solve(a, &c);
		int nearest, side = 0;
		int64_t best = enumerate(&c, &nearest);
		const char *wrong = check(a, &c, &cut);

		if (wrong)
			fail_msg("round %d: %s", round, wrong);
		if (best == FLOW_INF) {
			assert_int_equal(cut.value, -1);
			without++;
		} else {
			assert_int_equal(cut.value, best);
			for (int v = 0; v < c.nvertex; v++)
				side |= cut.sink_side[v] << v;
			assert_int_equal(side, nearest);
		}
		arena_free(a);
	}
	assert_in_range(without, 200, 2000);    /* both kinds were seen */
}

/* lexicographic order of the cuts given by the bit sets: capacity, then the ranks */
static int
compare_cuts(const Case *c, const int64_t *const *rank, int nrank, int x, int y)
{
	int64_t p = cut_capacity(c, x), q = cut_capacity(c, y);

	for (int r = 0; p == q && r < nrank; r++) {
		p = q = 0;
		for (int i = 0; i < c->narc; i++) {
			p += !(x >> c->arc[i].from & 1) && (x >> c->arc[i].to & 1) ? rank[r][i] : 0;
			q += !(y >> c->arc[i].from & 1) && (y >> c->arc[i].to & 1) ? rank[r][i] : 0;
		}
	}
	return p < q ? -1 : p > q;
}

static void
ties_by_rank(void **state)
{
	Rng r = rng_seed(7);
	int moved = 0;

	(void)state;
	for (int round = 0; round < 4000; round++) {
		Arena *a = arena_new();
		Case c = random_case(&r, 10);
		int64_t costs[3][LEN(c.arc)];
		const int64_t *rank[] = {costs[0], costs[1], costs[2]};
		int nrank = round % 4, best = -1, nearest = -1, side = 0;
		FlowCut cut;
		int64_t before;
		const char *wrong;

		for (int i = 0; i < c.narc; i++) {
			if (c.arc[i].cap != FLOW_INF)
				c.arc[i].cap %= 3;         /* many ties */
			for (int k = 0; k < 3; k++)
				costs[k][i] = rng_below(&r, k == 2 ? 100 : 3);
		}
		for (int x = 0; x < 1 << c.nvertex; x++) {
			int order;
			if ((x >> c.source & 1) || !(x >> c.sink & 1) || cut_capacity(&c, x) == FLOW_INF)
				continue;
			order = best < 0 ? -1 : compare_cuts(&c, rank, nrank, x, best);
			if (order < 0)
				best = nearest = x;
			if (order == 0)
				nearest &= x;
		}
		cut = solve(a, &c);
		before = cut.value;
		if (best >= 0) {
			flow_refine(a, c.nvertex, c.arc, c.narc, c.source, c.sink, &cut, rank, nrank);
			if ((wrong = check(a, &c, &cut)))
				fail_msg("round %d: %s", round, wrong);
			for (int v = 0; v < c.nvertex; v++)
				side |= cut.sink_side[v] << v;
			assert_int_equal(cut.value, before);
			assert_int_equal(side, nearest);
			moved += nrank && memcmp(solve(a, &c).sink_side, cut.sink_side, (size_t)c.nvertex);
		} else
			assert_int_equal(cut.value, -1);
		arena_free(a);
	}
	assert_true(moved > 200);
}

static int
infinite_distance(const Case *c)
{
	int dist[16];

	for (int v = 0; v < c->nvertex; v++)
		dist[v] = v == c->source ? 0 : 1000;
	for (int round = 0; round < c->nvertex; round++)
		for (int i = 0; i < c->narc; i++)
			if (c->arc[i].cap == FLOW_INF)
				dist[c->arc[i].to] = MIN(dist[c->arc[i].to], dist[c->arc[i].from] + 1);
	return dist[c->sink];
}

static void
shortest_infinite_path(void **state)
{
	Rng r = rng_seed(2);
	int seen[10] = {0};

	(void)state;
	for (int round = 0; round < 4000; round++) {
		Arena *a = arena_new();
		Case c = random_case(&r, 20);
		FlowCut cut = solve(a, &c);
		int want = infinite_distance(&c);

		assert_int_equal(cut.value == -1, want < 1000);
		if (cut.value == -1) {
			assert_int_equal(cut.npath, want);
			seen[want]++;
			cut.path[cut.npath - 1] = -1;
			assert_non_null(check(a, &c, &cut));
			cut.npath--;
			assert_non_null(check(a, &c, &cut));
		}
		arena_free(a);
	}
	assert_true(seen[1] > 0 && seen[2] > 0 && seen[3] > 0);
}

/* Each way to spoil a right answer must be noticed. */
static void
checker_rejects(void **state)
{
	Rng r = rng_seed(3);
	int flipped = 0;

	(void)state;
	for (int round = 0; round < 1000; round++) {
		Arena *a = arena_new();
		Case c = random_case(&r, 10);
		FlowCut cut = solve(a, &c);

		if (cut.value < 0) {
			arena_free(a);
			continue;
		}
		for (int i = 0; i < c.narc; i++) {
			int64_t cap = c.arc[i].cap, flow = cut.flow[i];

			if (c.arc[i].from == c.arc[i].to)
				continue;
			cut.flow[i] = flow + 1;
			assert_non_null(check(a, &c, &cut));
			cut.flow[i] = flow - 1;
			assert_non_null(check(a, &c, &cut));
			cut.flow[i] = flow;
			if (flow > 0) {
				c.arc[i].cap = flow - 1;
				assert_non_null(check(a, &c, &cut));
			}
			c.arc[i].cap = cap;
		}
		for (int v = 0; v < c.nvertex; v++) {
			int side = 0;

			cut.sink_side[v] ^= 1;
			for (int u = 0; u < c.nvertex; u++)
				side |= cut.sink_side[u] << u;
			if (v == c.source || v == c.sink || cut_capacity(&c, side) != cut.value) {
				assert_non_null(check(a, &c, &cut));
				flipped++;
			}
			cut.sink_side[v] ^= 1;
		}
		cut.value++;
		assert_non_null(check(a, &c, &cut));
		cut.value = -1;
		assert_non_null(check(a, &c, &cut));
		arena_free(a);
	}
	assert_true(flipped > 1000);
}

static void
same_every_time(void **state)
{
	Rng r = rng_seed(4);

	(void)state;
	for (int round = 0; round < 200; round++) {
		Arena *a = arena_new();
		Case c = random_case(&r, 5);
		FlowCut x = solve(a, &c), y = solve(a, &c);

		assert_int_equal(x.value, y.value);
		if (x.value >= 0 && c.narc > 0)
			assert_memory_equal(x.flow, y.flow, (size_t)c.narc * sizeof *x.flow);
		arena_free(a);
	}
}

static void
large_capacities(void **state)
{
	Arena *a = arena_new();
	int64_t big = INT64_MAX / 16;
	FlowArc arc[] = {{0, 1, big}, {0, 2, big}, {1, 3, FLOW_INF}, {2, 3, FLOW_INF}, {1, 2, FLOW_INF},
		{3, 4, big + 1}};
	FlowCut cut = flow_min_cut(a, 5, arc, LEN(arc), 0, 4);

	(void)state;
	assert_true(cut.value == big + 1);
	assert_null(flow_check(a, 5, arc, LEN(arc), 0, 4, &cut));
	arena_free(a);
}

/* solve, check, and return the processor time of the solution */
static double
timed(const char *name, int nvertex, const FlowArc *arc, int narc, int source, int sink, int64_t want)
{
	Arena *a = arena_new();
	double t = seconds();
	FlowCut cut = flow_min_cut(a, nvertex, arc, narc, source, sink);
	const char *wrong;

	t = seconds() - t;
	wrong = flow_check(a, nvertex, arc, narc, source, sink, &cut);
	print_message("%s: %d vertices, %d arcs, value %lld, %.3f s\n", name, nvertex, narc,
		(long long)cut.value, t);
	if (wrong)
		fail_msg("%s: %s", name, wrong);
	if (want >= 0)
		assert_int_equal(cut.value, want);
	arena_free(a);
	return t;
}

/* Parallel chains of lengths 1, 2, 3, ...: Dinic's algorithm needs a phase for each. */
static void
growing_chains(void **state)
{
	enum { CHAINS = 440, N = 2 + CHAINS * (CHAINS + 1) / 2 };
	Arena *a = arena_new();
	FlowArc *arc = NEW(a, N + CHAINS, FlowArc);
	int narc = 0, vertex = 2;

	(void)state;
	for (int k = 1; k <= CHAINS; k++) {
		int at = 0;

		for (int i = 0; i < k; i++, at = vertex++)
			arc[narc++] = (FlowArc){at, vertex, 2 + i};
		arc[narc++] = (FlowArc){at, 1, FLOW_INF};
	}
	assert_int_equal(vertex, N);
	assert_true(timed("growing chains", N, arc, narc, 0, 1, 2 * CHAINS) < 2 * SLOWER);
	arena_free(a);
}

/* The shape of a partition: values v_in -> v_out, users, recompute and need arcs. */
static void
large_network(void **state)
{
	enum { VALUES = 100000, USES = 7 };
	Arena *a = arena_new();
	FlowArc *arc = NEW(a, (int64_t)VALUES * (USES + 3), FlowArc);
	int narc = 0, source = 2 * VALUES, sink = source + 1;
	Rng r = rng_seed(5);

	(void)state;
	for (int v = 0; v < VALUES; v++) {
		arc[narc++] = (FlowArc){2 * v, 2 * v + 1, 1 + rng_below(&r, 1000000)};
		arc[narc++] = (FlowArc){source, 2 * v, v < 10 || rng_below(&r, 20) == 0 ? FLOW_INF
			: rng_below(&r, 1000000)};
		if (rng_below(&r, 4) == 0)
			arc[narc++] = (FlowArc){2 * v + 1, sink, FLOW_INF};
		for (int i = 0; v > 0 && i < USES; i++)
			arc[narc++] = (FlowArc){2 * (v - 1 - (int)rng_below(&r, MIN(v, 50))) + 1, 2 * v, FLOW_INF};
	}
	assert_true(narc > 900000);
	assert_true(timed("large network", sink + 1, arc, narc, source, sink, -1) < 2 * SLOWER);
	arena_free(a);
}

static void
layered_network(void **state)
{
	enum { WIDTH = 200, DEPTH = 100, OUT = 5 };
	Arena *a = arena_new();
	FlowArc *arc = NEW(a, (int64_t)WIDTH * (DEPTH * OUT + 2), FlowArc);
	int narc = 0, source = WIDTH * DEPTH, sink = source + 1;
	Rng r = rng_seed(6);

	(void)state;
	for (int x = 0; x < WIDTH; x++) {
		arc[narc++] = (FlowArc){source, x, FLOW_INF};
		arc[narc++] = (FlowArc){WIDTH * (DEPTH - 1) + x, sink, FLOW_INF};
	}
	for (int d = 0; d + 1 < DEPTH; d++)
		for (int i = 0; i < WIDTH * OUT; i++)
			arc[narc++] = (FlowArc){WIDTH * d + i / OUT, WIDTH * (d + 1) + (int)rng_below(&r, WIDTH),
				1 + rng_below(&r, 1000)};
	assert_true(timed("layered network", sink + 1, arc, narc, source, sink, -1) < 2 * SLOWER);
	arena_free(a);
}

static void
long_chain(void **state)
{
	enum { N = 100001 };
	Arena *a = arena_new();
	FlowArc *arc = NEW(a, N, FlowArc);

	(void)state;
	for (int v = 0; v + 1 < N; v++)
		arc[v] = (FlowArc){v, v + 1, v == N / 2 ? 3 : FLOW_INF};
	assert_true(timed("long chain", N, arc, N - 1, 0, N - 1, 3) < 1 * SLOWER);
	arc[N / 2].cap = FLOW_INF;
	assert_int_equal(flow_min_cut(a, N, arc, N - 1, 0, N - 1).npath, N - 1);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_subset),
		cmocka_unit_test(ties_by_rank),
		cmocka_unit_test(shortest_infinite_path),
		cmocka_unit_test(checker_rejects),
		cmocka_unit_test(same_every_time),
		cmocka_unit_test(large_capacities),
		cmocka_unit_test(growing_chains),
		cmocka_unit_test(large_network),
		cmocka_unit_test(layered_network),
		cmocka_unit_test(long_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

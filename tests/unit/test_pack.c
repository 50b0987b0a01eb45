/* Packing: every plan is checked pair by pair; small plans against an exhaustive search,
 * hard ones (tests/data/minimalloc) against their lower bound, large ones for time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "lib.h"           /* before cmocka.h, whose macro fail() would hide ours */
#include <cmocka.h>
#include "clock.h"

static int64_t
bound_by_definition(const PackBuf *b, int n)
{
	int64_t bound = 0;

	for (int i = 0; i < n; i++) {
		int64_t live = 0;

		for (int j = 0; j < n && b[i].lo < b[i].hi; j++)
			if (b[j].lo <= b[i].lo && b[i].lo < b[j].hi)
				live += b[j].size;
		bound = MAX(bound, live);
	}
	return bound;
}

/* pack and require a plan that holds; returns total */
static int64_t
packed(PackBuf *b, int n)
{
	Arena *a = arena_new();
	int64_t total = pack(a, b, n);
	const char *wrong = pack_check(a, b, n, total);

	if (wrong)
		fail_msg("%s", wrong);
	assert_true(total >= pack_bound(b, n));
	assert_int_equal(pack_bound(b, n), bound_by_definition(b, n));
	arena_free(a);
	return total;
}

static void
fill(PackBuf *b, int n, Rng *r, int time, int life, int64_t size, int align)
{
	for (int i = 0; i < n; i++) {
		int lo = (int)rng_below(r, time), hi = lo + (int)rng_below(r, life + 1);

		b[i] = (PackBuf){lo, hi, rng_below(r, size + 1), (int64_t)1 << rng_below(r, align), -1};
	}
}

static void
random_plans(void **state)
{
	Rng r = rng_seed(1);
	PackBuf b[60];

	(void)state;
	for (int round = 0; round < 150; round++) {
		int n = (int)rng_below(&r, LEN(b) + 1);

		fill(b, n, &r, 1 + round % 40, 1 + round % 20, round % 3 ? 1000 : 10, 1 + round % 8);
		packed(b, n);
	}
}

/* least total when buffers come in some order, each at the lowest offset that is free from
 * there up to all before: with all orders tried, this finds the optimum */
static int64_t
optimum(PackBuf *b, int n, unsigned placed, int64_t total, int64_t best)
{
	if (total >= best || placed == (1u << n) - 1)
		return MIN(total, best);
	for (int i = 0; i < n; i++) {
		int64_t at = 0;

		if (placed >> i & 1)
			continue;
		for (int j = 0; j < n; j++)
			if ((placed >> j & 1) && MAX(b[i].lo, b[j].lo) < MIN(b[i].hi, b[j].hi))
				at = MAX(at, b[j].offset + b[j].size);
		b[i].offset = (at + b[i].align - 1) / b[i].align * b[i].align;
		best = optimum(b, n, placed | 1u << i, MAX(total, b[i].offset + b[i].size), best);
	}
	return best;
}

static void
small_are_optimal(void **state)
{
	Rng r = rng_seed(2);
	PackBuf b[7];

	(void)state;
	for (int round = 0; round < 40; round++) {
		fill(b, LEN(b), &r, 6, 5, 12, 1 + round % 2);
		for (int i = 0; i < LEN(b); i++) {
			b[i].hi = MAX(b[i].hi, b[i].lo + 1);
			b[i].size++;
		}
		assert_int_equal(packed(b, LEN(b)), optimum(b, LEN(b), 0, 0, INT64_MAX));
	}
}

static void
corners(void **state)
{
	int64_t big = INT64_MAX / 8;
	PackBuf b[] = {{0, 2, big, 64, 0}, {1, 3, big, 64, 0}, {2, 4, big, 64, 0}, {3, 3, 5, 1, 0}};

	(void)state;
	assert_int_equal(packed(b, 0), 0);
	assert_int_equal(packed(b + 3, 1), 5);
	assert_true(packed(b, 4) == (big + 63) / 64 * 64 + big);
}

static void
checker_rejects(void **state)
{
	Arena *a = arena_new();
	PackBuf b[] = {{0, 5, 8, 8, 0}, {4, 9, 8, 8, 8}, {5, 9, 8, 8, 0}};

	(void)state;
	assert_null(pack_check(a, b, 3, 16));
	assert_non_null(pack_check(a, b, 3, 15));
	b[1].offset = 4;
	assert_non_null(pack_check(a, b, 3, 100));
	b[1].offset = 0;
	assert_non_null(pack_check(a, b, 3, 100));
	b[1].offset = -8;
	assert_non_null(pack_check(a, b, 3, 100));
	b[1] = (PackBuf){4, 9, 8, 1, 7};
	assert_non_null(pack_check(a, b, 3, 100));
	arena_free(a);
}

static int
read_csv(Arena *a, const char *name, PackBuf *b, int most)
{
	char *text = read_file(a, arena_fmt(a, "tests/data/minimalloc/%s", name), NULL), *line = text;
	int n = 0;

	while ((line = strchr(line, '\n')) != NULL && *++line) {
		long long size;

		assert_true(n < most);
		assert_int_equal(sscanf(line, "%*[^,],%d,%d,%lld", &b[n].lo, &b[n].hi, &size), 3);
		b[n].size = size;
		b[n++].align = 1;
	}
	return n;
}

static void
minimalloc(void **state)
{
	static const char *const name[] = {"A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K"};
	double sum = 0;

	(void)state;
	for (int i = 0; i < LEN(name); i++) {
		Arena *a = arena_new();
		PackBuf b[500];
		int n = read_csv(a, arena_fmt(a, "%s.1048576.csv", name[i]), b, LEN(b));
		double t = seconds(), ratio;
		int64_t total = packed(b, n);

		t = seconds() - t;
		ratio = (double)total / (double)pack_bound(b, n);
		sum += ratio;
		print_message("%s: %d buffers, %.4f of the bound, %.3f s\n", name[i], n, ratio, t);
		assert_true(ratio <= 1.12);
		assert_true(t < 0.6 * SLOWER);
		arena_free(a);
	}
	print_message("mean %.4f\n", sum / LEN(name));
	assert_true(sum / LEN(name) <= 1.085);
}

static void
minimalloc_example(void **state)
{
	Arena *a = arena_new();
	PackBuf b[5];
	int n = read_csv(a, "input.12.csv", b, LEN(b));

	(void)state;
	assert_int_equal(packed(b, n), 12);
	arena_free(a);
}

/* as in training: layer k lives from step k to step 2n-k, with temporaries in between */
static void
training(void **state)
{
	enum { LAYERS = 300, N = 3 * LAYERS };
	PackBuf b[N];
	Rng r = rng_seed(3);
	double ratio;

	(void)state;
	for (int k = 0; k < LAYERS; k++) {
		int back = 2 * LAYERS - k;

		b[3 * k] = (PackBuf){k, back, 64 * (1 + rng_below(&r, 100)), 64, 0};
		b[3 * k + 1] = (PackBuf){k, k + 2, 64 * (1 + rng_below(&r, 300)), 64, 0};
		b[3 * k + 2] = (PackBuf){back, back + 2, 64 * (1 + rng_below(&r, 300)), 64, 0};
	}
	ratio = (double)packed(b, N) / (double)pack_bound(b, N);
	print_message("training: %.4f of the bound\n", ratio);
	assert_true(ratio <= 1.005);
}

static void
large(void **state)
{
	enum { N = 5000 };
	static PackBuf b[N];
	static const int life[] = {20, 300, N};
	Arena *a = arena_new();
	Rng r = rng_seed(4);

	(void)state;
	for (int k = 0; k < LEN(life); k++) {
		double t;
		int64_t total;

		fill(b, N, &r, N, life[k], 1 << 20, 7);
		t = seconds();
		total = pack(a, b, N);
		t = seconds() - t;
		print_message("%d buffers living up to %d steps: %.4f of the bound, %.3f s\n", N, life[k],
			(double)total / (double)pack_bound(b, N), t);
		assert_null(pack_check(a, b, N, total));
		assert_true(t < 0.6 * SLOWER);
	}
	arena_free(a);
}

static void
same_every_time(void **state)
{
	PackBuf b[80], c[80];
	Rng r = rng_seed(5);

	(void)state;
	fill(b, LEN(b), &r, 50, 20, 1000, 1);
	memcpy(c, b, sizeof c);
	packed(b, LEN(b));
	packed(c, LEN(c));
	assert_memory_equal(b, c, sizeof c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_plans),
		cmocka_unit_test(small_are_optimal),
		cmocka_unit_test(corners),
		cmocka_unit_test(checker_rejects),
		cmocka_unit_test(minimalloc),
		cmocka_unit_test(minimalloc_example),
		cmocka_unit_test(training),
		cmocka_unit_test(large),
		cmocka_unit_test(same_every_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

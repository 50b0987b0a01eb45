/* test_mem.c: arenas give zeroed, aligned, lasting memory, and refuse bad sizes. */
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

/* every object keeps its own pattern while others come and go */
static void
objects_stay_apart(void **state)
{
	(void)state;
	enum { N = 3000 };
	Arena *a = arena_new();
	unsigned char *p[N];
	int size[N];
	Rng r = rng_seed(1);
	for (int i = 0; i < N; i++) {
		size[i] = (int)rng_below(&r, i % 100 == 0 ? 200000 : 300);
		p[i] = arena_alloc(a, size[i], 1);
		assert_non_null(p[i]);
		assert_int_equal((uintptr_t)p[i] % 16, 0);
		for (int k = 0; k < size[i]; k++)
			assert_int_equal(p[i][k], 0);
		if (size[i])
			memset(p[i], i & 255, (size_t)size[i]);
	}
	for (int i = 0; i < N; i++)
		for (int k = 0; k < size[i]; k++)
			assert_int_equal(p[i][k], i & 255);
	arena_free(a);
	arena_free(NULL);
}

static void
apart_under_debug(void **state)
{
	setenv("GRADC_DEBUG_ALLOC", "1", 1);
	objects_stay_apart(state);
	unsetenv("GRADC_DEBUG_ALLOC");
}

static void
empty_objects_differ(void **state)
{
	(void)state;
	Arena *a = arena_new();
	void *p = arena_alloc(a, 0, 8), *q = arena_alloc(a, 5, 0);
	assert_non_null(p);
	assert_ptr_not_equal(p, q);
	arena_free(a);
}

static void
growth_keeps_elements(void **state)
{
	(void)state;
	Arena *a = arena_new();
	int64_t *v = NULL, n = 0, cap = 0;
	int64_t *w = NULL, m = 0, wcap = 0;
	for (int64_t i = 0; i < 100000; i++) {
		PUSH(a, v, n, cap, i);
		if (i % 7 == 0)
			PUSH(a, w, m, wcap, -i);   /* in between: no growth in place */
	}
	assert_int_equal(n, 100000);
	for (int64_t i = 0; i < n; i++)
		assert_int_equal(v[i], i);
	for (int64_t i = 0; i < m; i++)
		assert_int_equal(w[i], -7 * i);
	arena_free(a);
}

/* what lies behind n after growth in place is still zero and belongs to v alone */
static void
growth_in_place_is_zero(void **state)
{
	(void)state;
	Arena *a = arena_new();
	char *v = NULL;
	int64_t n = 0, cap = 0;
	for (int i = 0; i < 1000; i++)
		PUSH(a, v, n, cap, 'x');
	for (int64_t i = n; i < cap; i++)
		assert_int_equal(v[i], 0);
	char *after = arena_alloc(a, 100, 1);
	assert_true(after >= v + cap || after + 100 <= v);
	arena_free(a);
}

static void
texts(void **state)
{
	(void)state;
	Arena *a = arena_new();
	assert_string_equal(arena_copy(a, "abcdef", 3), "abc");
	assert_string_equal(arena_copy(a, NULL, 0), "");
	assert_string_equal(arena_str(a, "héllo"), "héllo");
	assert_string_equal(arena_fmt(a, "%d-%s", 7, "x"), "7-x");
	assert_string_equal(arena_fmt(a, "%s", ""), "");
	assert_int_equal(strlen(arena_fmt(a, "%0500d", 1)), 500);
	arena_free(a);
}

static void
checked_arithmetic(void **state)
{
	(void)state;
	int64_t x;
	assert_true(mul_ok(INT64_C(1) << 31, INT64_C(1) << 31, &x));
	assert_int_equal(x, INT64_C(1) << 62);
	assert_false(mul_ok(INT64_C(1) << 32, INT64_C(1) << 31, &x));
	assert_false(mul_ok(INT64_MIN, -1, &x));
	assert_true(add_ok(INT64_MAX, -1, &x));
	assert_false(add_ok(INT64_MAX, 1, &x));
	assert_false(add_ok(INT64_MIN, -1, &x));
	assert_true(mul_sat(INT64_C(1) << 32, INT64_C(1) << 31) == INT64_MAX && mul_sat(3, 4) == 12);
	assert_true(add_sat(INT64_MAX, 1) == INT64_MAX && add_sat(3, 4) == 7);
}

static int
exit_of_alloc(int64_t n, int64_t size)
{
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		fclose(stderr);
		arena_alloc(arena_new(), n, size);
		_exit(0);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
impossible_sizes_are_fatal(void **state)
{
	(void)state;
	assert_int_equal(exit_of_alloc(1, 100), 0);
	assert_int_equal(exit_of_alloc(-1, 8), EXIT_BUG);
	assert_int_equal(exit_of_alloc(INT64_MAX / 4, 8), EXIT_BUG);
	assert_int_equal(exit_of_alloc(INT64_MAX, 1), EXIT_BUG);
	assert_int_equal(exit_of_alloc(INT64_MAX - 40, 1), EXIT_BUG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_stay_apart),
		cmocka_unit_test(apart_under_debug),
		cmocka_unit_test(empty_objects_differ),
		cmocka_unit_test(growth_keeps_elements),
		cmocka_unit_test(growth_in_place_is_zero),
		cmocka_unit_test(texts),
		cmocka_unit_test(checked_arithmetic),
		cmocka_unit_test(impossible_sizes_are_fatal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

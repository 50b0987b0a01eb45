/* test_text.c: string builder, maps, nearest words, random numbers. */
#include "unit.h"

static void
builder(void **state)
{
	(void)state;
	Arena *a = arena_new();
	Buf b = {.arena = a};
	assert_string_equal(buf_str(&b), "");
	buf_puts(&b, "ab");
	buf_putc(&b, 'c');
	buf_put(&b, "\0d", 2);
	assert_int_equal(b.n, 5);
	assert_memory_equal(buf_str(&b), "abc\0d", 6);
	buf_put(&b, NULL, 0);
	assert_int_equal(b.n, 5);
	arena_free(a);
}

/* formatted text of every length around the free room comes out whole */
static void
builder_formats(void **state)
{
	(void)state;
	Arena *a = arena_new();
	for (int width = 1; width < 300; width++) {
		Buf b = {.arena = a};
		buf_puts(&b, "<");
		buf_printf(&b, "%*d", width, 7);
		buf_puts(&b, ">");
		assert_int_equal(b.n, width + 2);
		assert_int_equal(strlen(b.s), width + 2);
		assert_int_equal(b.s[width], '7');
		assert_int_equal(b.s[width + 1], '>');
	}
	arena_free(a);
}

static void
map_is_ordered(void **state)
{
	(void)state;
	enum { N = 5000 };
	Arena *a = arena_new();
	Map *m = map_new(a);
	int val[N];
	assert_null(map_get(m, "k0"));
	for (int i = 0; i < N; i++)
		map_set(m, arena_fmt(a, "k%d", i * 7919 % N), &val[i]);
	assert_int_equal(map_len(m), N);
	for (int i = 0; i < N; i++) {
		const char *key = arena_fmt(a, "k%d", i * 7919 % N);
		assert_string_equal(map_key(m, i), key);
		assert_ptr_equal(map_at(m, i), &val[i]);
		assert_ptr_equal(map_get(m, key), &val[i]);
	}
	assert_null(map_get(m, "k"));
	map_set(m, "k17", &val[0]);
	assert_int_equal(map_len(m), N);
	assert_ptr_equal(map_get(m, "k17"), &val[0]);
	arena_free(a);
}

static void
map_takes_bytes(void **state)
{
	(void)state;
	Arena *a = arena_new();
	Map *m = map_new(a);
	int x, y, z;
	map_set_bytes(m, "a\0b", 3, &x);
	map_set_bytes(m, "a\0c", 3, &y);
	map_set_bytes(m, "", 0, &z);
	assert_ptr_equal(map_get_bytes(m, "a\0b", 3), &x);
	assert_ptr_equal(map_get_bytes(m, "a\0c", 3), &y);
	assert_ptr_equal(map_get(m, ""), &z);
	assert_null(map_get(m, "a"));
	arena_free(a);
}

static void
map_copies_keys(void **state)
{
	(void)state;
	Arena *a = arena_new();
	Map *m = map_new(a);
	int x;
	char key[] = "name";
	map_set(m, key, &x);
	key[0] = 'g';
	assert_ptr_equal(map_get(m, "name"), &x);
	assert_null(map_get(m, "game"));
	arena_free(a);
}

static void
interning(void **state)
{
	(void)state;
	Arena *a = arena_new();
	Map *m = map_new(a);
	const char *x = intern(m, "weights", 6), *y = intern(m, "weight", 6);
	assert_ptr_equal(x, y);
	assert_string_equal(x, "weight");
	assert_ptr_not_equal(intern(m, "weights", 7), x);
	arena_free(a);
}

/* published vectors of 64-bit FNV-1a (draft-eastlake-fnv, appendix C) */
static void
hash_vectors(void **state)
{
	(void)state;
	assert_true(hash64("", 0, 0) == UINT64_C(0xcbf29ce484222325));
	assert_true(hash64("a", 1, 0) == UINT64_C(0xaf63dc4c8601ec8c));
	assert_true(hash64("foobar", 6, 0) == UINT64_C(0x85944171f73967e8));
	assert_true(hash64("a", 1, 1) != hash64("a", 1, 0));
}

static void
nearest_words(void **state)
{
	(void)state;
	static const char *const op[] = {"relu", "linear", "softmax", "log_softmax", "sum", "expand"};
	int n = LEN(op);
	assert_string_equal(nearest("lienar", op, n), "linear");     /* swap */
	assert_string_equal(nearest("softmx", op, n), "softmax");    /* missing */
	assert_string_equal(nearest("ssum", op, n), "sum");          /* extra */
	assert_string_equal(nearest("linaer", op, n), "linear");
	assert_string_equal(nearest("ReLU", op, n), "relu");
	assert_string_equal(nearest("LogSoftmax", op, n), "log_softmax");
	assert_null(nearest("conv2d", op, n));
	assert_null(nearest("su", op, n));                           /* 1/3 of two letters is none */
	assert_null(nearest("relu6x", op, 0));
	assert_null(nearest("", op, n));
	assert_string_equal(nearest("sun", op, n), "sum");
	char longer[400];
	memset(longer, 'x', sizeof longer - 1);
	longer[sizeof longer - 1] = 0;
	const char *const one[] = {longer};
	assert_null(nearest(longer, one, 1));
	assert_null(nearest("xxxx", one, 1));
}

/* the reference program of xoshiro256** started from the state 1, 2, 3, 4 */
static void
rng_vectors(void **state)
{
	(void)state;
	static const uint64_t want[] = {11520, 0, 1509978240, UINT64_C(1215971899390074240)};
	Rng r = {{1, 2, 3, 4}};
	for (int i = 0; i < LEN(want); i++)
		assert_true(rng_next(&r) == want[i]);
	/* SplitMix64 from seed 0 */
	assert_true(rng_seed(0).s[0] == UINT64_C(0xe220a8397b1dcdaf));
	assert_true(rng_seed(0).s[1] == UINT64_C(0x6e789e6aa1b965f4));
}

static void
rng_ranges(void **state)
{
	(void)state;
	Rng r = rng_seed(42);
	int count[10] = {0};
	double mean = 0;
	for (int i = 0; i < 100000; i++) {
		int64_t k = rng_below(&r, 10);
		assert_true(k >= 0 && k < 10);
		count[k]++;
		double x = rng_double(&r);
		assert_true(x >= 0 && x < 1);
		mean += x / 100000;
	}
	for (int k = 0; k < 10; k++)       /* six standard deviations of 95 */
		assert_true(abs(count[k] - 10000) < 570);
	assert_true(mean > 0.4945 && mean < 0.5055);
	assert_int_equal(rng_below(&r, 1), 0);
	for (int i = 0; i < 100; i++)
		assert_true(rng_below(&r, INT64_MAX) >= 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(builder),
		cmocka_unit_test(builder_formats),
		cmocka_unit_test(map_is_ordered),
		cmocka_unit_test(map_takes_bytes),
		cmocka_unit_test(map_copies_keys),
		cmocka_unit_test(interning),
		cmocka_unit_test(hash_vectors),
		cmocka_unit_test(nearest_words),
		cmocka_unit_test(rng_vectors),
		cmocka_unit_test(rng_ranges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

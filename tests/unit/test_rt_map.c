/* test_rt_map.c: the helpers of emitted code equal those of the interpreter. */
#include <math.h>

#include "unit.h"
#include "ir.h"
#include "rt/map.h"

static int64_t
random_int(Rng *r)
{
	static const int64_t edges[] = {0, 1, -1, 2, -2, 63, INT64_MAX, INT64_MIN, INT64_MIN + 1};

	if (rng_below(r, 3) == 0)
		return edges[rng_below(r, LEN(edges))];
	return (int64_t)rng_next(r) >> rng_below(r, 64);
}

#define SAME1(n) \
	assert_int_equal(rt_##n##_i64(x), n##_i64(x)); \
	assert_int_equal(rt_##n##_u64((uint64_t)x), n##_u64((uint64_t)x))
#define SAME2(n) \
	assert_int_equal(rt_##n##_i64(x, y), n##_i64(x, y)); \
	assert_int_equal(rt_##n##_u64((uint64_t)x, (uint64_t)y), n##_u64((uint64_t)x, (uint64_t)y))

static void
integers(void **state)
{
	Rng r = rng_seed(2);

	(void)state;
	for (int k = 0; k < 20000; k++) {
		int64_t x = random_int(&r), y = random_int(&r);
		SAME1(wrap_neg);
		SAME1(int_abs);
		SAME1(int_sign);
		SAME2(wrap_add);
		SAME2(wrap_sub);
		SAME2(wrap_mul);
		SAME2(int_div);
		SAME2(int_fmod);
		SAME2(int_mod);
		SAME2(int_pow);
		SAME1(int_not);
		SAME2(int_and);
		SAME2(int_or);
		SAME2(int_xor);
		SAME2(int_shl);
		SAME2(int_shr);
		SAME2(int_gcd);
		SAME2(int_lcm);
	}
}

static void
floats(void **state)
{
	static const double edges[] = {0, -0.0, 1, -1, 3, -3, 2.5, -2.5, 1e300, -1e300, INFINITY, -INFINITY, NAN};

	(void)state;
	for (int i = 0; i < LEN(edges); i++)
		for (int j = 0; j < LEN(edges); j++) {
			double x = edges[i], y = edges[j], m = floor_mod(x, y), n = rt_floor_mod_f64(x, y);
			float s = rt_floor_mod_f32((float)x, (float)y);
			assert_true((isnan(m) && isnan(n)) || !memcmp(&m, &n, sizeof m));
			if (fabs(x) < 1e9 && fabs(y) < 1e9)
				assert_true((isnan(m) && isnan(s)) || (double)s == m);
		}
}

/* the interpreter's cast of one double */
static int64_t
cast_to(DType d, double x)
{
	Arena *a = arena_new();
	Graph *g = graph_new(a, "t");
	EvalCtx c = {.arena = a};
	Node *p = node_leaf(g, &(Leaf){.role = INPUT, .name = "p"}, type_scalar(F64));
	Tensor *in = tensor_new(&c, &p->type);
	int64_t v;

	in->f[0] = x;
	v = eval_node(&c, Cast(p, d), &in)->i[0];
	arena_free(a);
	return v;
}

static void
casts(void **state)
{
	static const double edges[] = {0, -0.0, 0.5, -0.5, -0.999, -1, 1.9, 126.9, 127, 127.5, 128, -128, -128.9, -129,
		254.5,
		255, 255.5, 256, 32767, 32767.5, 32768, -32768.5, -32769, 2147483646.5, 2147483647, 2147483648.0,
		-2147483648.5, -2147483649.0, 9223372036854774784.0, 9223372036854775808.0, -9223372036854775808.0,
		-9223372036854777856.0, 18446744073709549568.0, 18446744073709551616.0, 1e300, -1e300, INFINITY,
		-INFINITY, NAN};

	(void)state;
	for (int i = 0; i < LEN(edges); i++) {
		double x = edges[i];
		assert_int_equal(rt_to_i64(x), cast_to(I64, x));
		assert_int_equal(rt_to_i32(x), cast_to(I32, x));
		assert_int_equal(rt_to_i16(x), cast_to(I16, x));
		assert_int_equal(rt_to_i8(x), cast_to(I8, x));
		assert_int_equal(rt_to_u64(x), (uint64_t)cast_to(U64, x));
		assert_int_equal(rt_to_u8(x), cast_to(U8, x));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers),
		cmocka_unit_test(floats),
		cmocka_unit_test(casts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

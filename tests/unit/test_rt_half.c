/* test_rt_half.c: conversions of emitted code equal those of lib, for every half and around every border. */
#include <math.h>
#include <string.h>

#include "unit.h"
#include "rt/half.h"

static bool
same(float a, double b)
{
	return (isnan(a) && isnan(b)) || ((double)a == b && !signbit(a) == !signbit(b));
}

static void
every_half_widens(void **state)
{
	(void)state;
	for (uint32_t h = 0; h <= UINT16_MAX; h++) {
		assert_true(same(rt_f16_to_f32((uint16_t)h), half_to_double((uint16_t)h)));
		assert_true(same(rt_bf16_to_f32((uint16_t)h), bfloat_to_double((uint16_t)h)));
	}
}

static bool
nan_or_same(uint16_t got, uint16_t want, double x)
{
	return isnan(x) ? got == want || ((got ^ want) & 0x7f80) == 0 : got == want;
}

static void
check(double x)
{
	float f = (float)x;

	assert_true(nan_or_same(rt_f32_to_f16(f), half_from_double((double)f), x));
	assert_true(nan_or_same(rt_f32_to_bf16(f), bfloat_from_double((double)f), x));
	assert_true(nan_or_same(rt_f64_to_f16(x), half_from_double(x), x));
	assert_true(nan_or_same(rt_f64_to_bf16(x), bfloat_from_double(x), x));
}

/* each half, the middle to the next one, and the doubles beside both */
static void
borders(void **state)
{
	(void)state;
	for (uint32_t h = 0; h < UINT16_MAX; h++)
		for (int wide = 0; wide < 2; wide++) {
			double x = wide ? bfloat_to_double((uint16_t)h) : half_to_double((uint16_t)h);
			double y = wide ? bfloat_to_double((uint16_t)(h + 1)) : half_to_double((uint16_t)(h + 1));
			double middle = x + (y - x) / 2;
			check(x);
			check(middle);
			check(nextafter(middle, x));
			check(nextafter(middle, y));
			check((double)nextafterf((float)middle, (float)x));
			check((double)nextafterf((float)middle, (float)y));
		}
}

static void
random_bits(void **state)
{
	Rng r = rng_seed(5);

	(void)state;
	for (int k = 0; k < 300000; k++) {
		uint32_t u = (uint32_t)rng_next(&r);
		uint64_t v = rng_next(&r);
		float f;
		double d;
		memcpy(&f, &u, sizeof f);
		memcpy(&d, &v, sizeof d);
		if (!isnan(f))
			check((double)f);
		if (!isnan(d))
			check(d);
		check(ldexp((double)(int64_t)v, -63 - (int)(v % 40)));
	}
	check((double)NAN);
	check(INFINITY);
	check(-INFINITY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_half_widens),
		cmocka_unit_test(borders),
		cmocka_unit_test(random_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

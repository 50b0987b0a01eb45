/* test_rt_exp.c: the exponential of emitted code beside that of the C library in double: every float with FULL=1,
 * else one in some thousand, and what lies at the borders of its range. */
#include <math.h>
#include <stdlib.h>

#include "unit.h"
#include "rt/exp.h"

/* Half a unit of its last place is in what a result of f32 is; the rest is ours. Beyond the greatest and below the
 * least float, the neighbour on the border will do. */
#define MOST_ULP 1.0

static double
error_ulp(float x)
{
	const double want = exp((double)x);
	const float got = rt_exp_f32(x), nearest = (float)want;
	int e;

	if (isinf(nearest))
		return got >= 0x1.fffffep127f ? 0 : INFINITY;
	if (nearest == 0)
		return got <= 0x1p-149f && !signbit(got) ? 0 : INFINITY;
	frexp(nearest, &e);
	return fabs(got - want) / ldexp(1, e - 24 < -149 ? -149 : e - 24);
}

static void
within_an_ulp(void **state)
{
	const uint64_t step = getenv("FULL") ? 1 : 3001;
	double worst = 0;
	float at = 0;

	(void)state;
	for (uint64_t i = 0; i < (uint64_t)1 << 32; i += step) {
		const float x = rt_float_of_bits((uint32_t)i);
		double e;
		if (isnan(x)) {
			assert_true(isnan(rt_exp_f32(x)));
			continue;
		}
		e = error_ulp(x);
		if (!(e <= worst)) {
			worst = e;
			at = x;
		}
	}
	print_message("exp: at most %.3f ulp, at %a\n", worst, at);
	assert_true(worst <= MOST_ULP);
}

static void
borders(void **state)
{
	static const float x[] = {88.72283f, 88.722839f, 88.72284f, -87.33654f, -87.336548f, -103.2789f, -103.27893f,
		-103.972076f, -103.97208f, -104.0f, 89.0f, 0x1p-30f, -0x1p-30f, 0x1p-149f, 0.34657359f, -0.34657359f};

	(void)state;
	assert_true(rt_exp_f32(0.0f) == 1.0f && rt_exp_f32(-0.0f) == 1.0f);
	assert_true(rt_exp_f32(INFINITY) == INFINITY && rt_exp_f32(-INFINITY) == 0.0f);
	assert_true(rt_exp_f32(1e30f) == INFINITY && rt_exp_f32(-1e30f) == 0.0f);
	assert_true(isnan(rt_exp_f32(NAN)));
	for (int i = 0; i < LEN(x); i++)
		assert_true(error_ulp(x[i]) <= MOST_ULP);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(within_an_ulp),
		cmocka_unit_test(borders),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

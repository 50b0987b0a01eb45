/* test_rt_math.c: the functions of f32 in emitted code beside those of the C library in double: every float with
 * FULL=1, else one in some thousand, and what lies at the borders of their ranges. */
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "unit.h"
#include "rt/exp.h"
#include "rt/log.h"

typedef struct Fn {
	const char *name;
	float (*ours)(float);
	double (*want)(double);
	double ulp;                    /* at most; half a unit is in what a float is */
} Fn;

static const Fn fns[] = {
	{"exp", rt_exp_f32, exp, 1.0},
	{"expm1", rt_expm1_f32, expm1, 1.5},
	{"log", rt_log_f32, log, 1.0},
	{"log1p", rt_log1p_f32, log1p, 1.75},
	{"tanh", rt_tanh_f32, tanh, 2.0},
	{"erf", rt_erf_f32, erf, 1.35},
	{"erfc", rt_erfc_f32, erfc, 5.35},
};

/* Beyond the greatest and below the least float, the neighbour on the border will do; zeros have their sign. */
static double
error_ulp(const Fn *f, float x)
{
	const double want = f->want((double)x);
	const float got = f->ours(x), nearest = (float)want;
	int e;

	if (isnan(want))
		return isnan(got) ? 0 : INFINITY;
	if (signbit(got) != signbit(nearest))
		return INFINITY;
	if (isinf(nearest))
		return fabsf(got) >= (isinf(want) ? INFINITY : FLT_MAX) ? 0 : INFINITY;
	if (nearest == 0)
		return fabsf(got) <= (want == 0 ? 0 : 0x1p-149f) ? 0 : INFINITY;
	frexp(nearest, &e);
	return fabs(got - want) / ldexp(1, e - 24 < -149 ? -149 : e - 24);
}

static void
within(void **state)
{
	const uint64_t step = getenv("FULL") ? 1 : 4001;

	(void)state;
	for (int k = 0; k < LEN(fns); k++) {
		double worst = 0;
		float at = 0;
		for (uint64_t i = 0; i < (uint64_t)1 << 32; i += step) {
			const float x = rt_float_of_bits((uint32_t)i);
			const double e = error_ulp(&fns[k], x);
			if (!(e <= worst)) {
				worst = e;
				at = x;
			}
		}
		print_message("%s: at most %.3f ulp, at %a\n", fns[k].name, worst, at);
		assert_true(worst <= fns[k].ulp);
	}
}

/* around zero, one, and where results leave the range of floats or of what a function computes */
static void
borders(void **state)
{
	static const float x[] = {0, 0x1p-149f, 0x1p-127f, FLT_MIN, 0x1p-30f, 0x1p-24f, 0.34657359f, 0.5f, 0.6f, 1, 2,
		3.95f, 4, 9.01f, 10, 10.05f, 10.06f, 10.5f, 18,
		88.72283f, 88.722839f, 88.72284f, 89, 87.33654f, 87.336548f, 103.2789f,
		103.27893f, 103.972076f, 103.97208f, 104, 0x1p24f, 0x1p25f, 0x1p64f, 0x1.000002p64f, 1e30f, 0x1.555554p127f,
		0x1.555558p127f, FLT_MAX, INFINITY, NAN};

	(void)state;
	for (int k = 0; k < LEN(fns); k++)
		for (int i = 0; i < LEN(x); i++)
			for (int j = -7; j <= 7; j++) {
				const float near = rt_float_of_bits(rt_bits_of_float(x[i]) + (uint32_t)(j / 2));
				const float y = j % 2 ? -near : near;
				const double e = error_ulp(&fns[k], y);
				if (!(e <= fns[k].ulp))
					print_message("%s at %a: %a is off by %g ulp\n", fns[k].name, y, fns[k].ours(y), e);
				assert_true(e <= fns[k].ulp);
			}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(within),
		cmocka_unit_test(borders),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* rt/exp.h: exp, expm1, tanh, erf and erfc of floats, in operations that compilers make vectors
 * of. C99.
 *
 * e^x = 2^n e^r with n = x / ln 2 rounded, r = x - n ln 2, and ln 2 in two parts of which the first
 * times n is exact (Cody and Waite, Software Manual for the Elementary Functions, 1980, chapter 6).
 * The polynomials' coefficients are those of fit.py. Errors, of all floats: exp 0.99 ulp, expm1 1.5,
 * tanh 1.95, erf 1.32, erfc 5.31. No table, no call, no branch, and no multiply-add in one rounding:
 * wherever floats are computed as floats, the bits are the same. */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline float
rt_float_of_bits(uint32_t bits)
{
	float x;

	memcpy(&x, &bits, sizeof x);
	return x;
}

static inline uint32_t
rt_bits_of_float(float x)
{
	uint32_t bits;

	memcpy(&bits, &x, sizeof bits);
	return bits;
}

/* x / ln 2 rounded, in the last bits of what is given, since 1.5 * 2^23 is added to it */
static inline float
rt_exp_steps(float x)
{
	return x * 0x1.715476p0f + 0x1.8p23f;
}

/* that integer, modulo 2^32 */
static inline uint32_t
rt_exp_count(float steps)
{
	return rt_bits_of_float(steps) - 0x4b400000u;
}

/* x less so many ln 2: at most ln(2) / 2 in size */
static inline float
rt_exp_rest(float x, float steps)
{
	const float n = steps - 0x1.8p23f;

	return (x - n * 0x1.63p-1f) - n * -0x1.bd0106p-13f;
}

/* e^r - 1 - r for what rt_exp_rest gives */
static inline float
rt_expm1_rest(float r)
{
	const float q = ((((0x1.a2a2f8p-13f * r + 0x1.6d8338p-10f) * r + 0x1.11101ep-7f) * r
		+ 0x1.5554ap-5f) * r + 0x1.555556p-3f) * r + 0x1p-1f;

	return r * r * q;
}

/* e^r 2^n for what rt_exp_steps and rt_exp_rest give */
static inline float
rt_exp_scaled(float r, float steps)
{
	const float q = (((0x1.6a244ap-10f * r + 0x1.1239d4p-7f) * r + 0x1.5558f2p-5f) * r
		+ 0x1.555492p-3f) * r + 0x1.fffffcp-2f;
	/* 2^n as a product of two powers, since n + 127 may be no exponent */
	const uint32_t both = rt_exp_count(steps) + 254u, half = both >> 1;

	return (r * r * q + r + 1.0f) * rt_float_of_bits(half << 23)
		* rt_float_of_bits((both - half) << 23);
}

static inline float
rt_exp_f32(float x)
{
	/* beyond, it is 0 or infinite; NaN stays */
	const float least = x < -104.0f ? -104.0f : x, y = least > 89.0f ? 89.0f : least;
	const float steps = rt_exp_steps(y);

	return rt_exp_scaled(rt_exp_rest(y, steps), steps);
}

static inline float
rt_expm1_f32(float x)
{
	/* beyond, it is -1 or infinite; NaN stays */
	const float least = x < -18.0f ? -18.0f : x, y = least > 89.0f ? 89.0f : least;
	const float steps = rt_exp_steps(y), r = rt_exp_rest(y, steps);
	const float p = rt_expm1_rest(r) + r;
	/* 2^n (p + 1 - 2^-n), with 2^n as a product of two powers */
	const uint32_t both = rt_exp_count(steps) + 254u, half = both >> 1, more = both - half;
	const float scale = rt_float_of_bits(half << 23);
	const float less = rt_float_of_bits((254u - more) << 23);
	const float e = (p * scale + (scale - less)) * rt_float_of_bits(more << 23);

	return x == 0.0f ? x : e;
}

/* With t = e^2|x| - 1 it is t / (t + 2), to the sign: b + (t - b (t + 2)) / (t + 2) for any b. That
 * near it makes the quotient small, and its errors: |x| near 0, where t - 2|x| is at hand, 1 for
 * great t, 1/4 between. */
static inline float
rt_tanh_f32(float x)
{
	const float size = fabsf(x), a = size > 10.0f ? 10.0f : size;
	const float steps = rt_exp_steps(2.0f * a), r = rt_exp_rest(2.0f * a, steps);
	const float w = rt_expm1_rest(r), p = w + r;
	const float scale = rt_float_of_bits((rt_exp_count(steps) + 127u) << 23);
	const float t = p * scale + (scale - 1.0f), sum = p * scale + (scale + 1.0f);
	const bool near_0 = scale == 1.0f, near_1 = t > 8.0f;
	const float rest = near_0 ? w - a * p : near_1 ? -2.0f : 0.75f * t - 0.5f;

	return copysignf((near_0 ? a : near_1 ? 1.0f : 0.25f) + rest / sum, x);
}

/* x + x p(x^2), for |x| < 1, with the coefficients of fit.py */
static inline float
rt_erf_near_0(float x)
{
	const float s = x * x;
	const float p = (((((0x1.496a32p-14f * s - 0x1.a3f7p-11f) * s + 0x1.5405b2p-8f) * s
		- 0x1.b7f90ep-6f) * s + 0x1.ce2cf8p-4f) * s - 0x1.81273ep-2f) * s + 0x1.06eba8p-3f;

	return x + x * p;
}

/* from 1, 1 - e^q(|x|) with the sign of x */
static inline float
rt_erf_f32(float x)
{
	const float size = fabsf(x), t = size > 3.95f ? 3.95f : size;
	const float q = (((((0x1.852d46p-13f * t - 0x1.814cd8p-9f) * t + 0x1.654222p-6f) * t
		- 0x1.a60a82p-4f) * t - 0x1.46c584p-1f) * t - 0x1.2085b2p0f) * t - 0x1.72e6ecp-12f;

	return size < 1.0f ? rt_erf_near_0(x) : copysignf(1.0f - rt_exp_f32(q), x);
}

/* 1 - erf x near 0, from there e^-x^2 p(q) / (a + 3) with a = |x| and q = (a - 3) / (a + 3), and 2
 * less that for negative x; with such a q Shepherd and Laframboise, Chebyshev approximation of
 * (1 + 2x) exp(x^2) erfc x, Mathematics of Computation 36 (1981). The square is exact, in two parts. */
static inline float
rt_erfc_f32(float x)
{
	const float size = fabsf(x), a = size > 10.5f ? 10.5f : size;
	const float head = rt_float_of_bits(rt_bits_of_float(a) & 0xfffff000u);
	const float tail = (a - head) * (a + head), steps = rt_exp_steps(-head * head - tail);
	const float e = rt_exp_scaled(rt_exp_rest(-head * head, steps) - tail, steps);
	const float inverse = 1.0f / (a + 3.0f), q = (a - 3.0f) * inverse;
	const float p = ((((((((-0x1.560bf6p-12f * q - 0x1.fc67dap-12f) * q + 0x1.93b234p-9f) * q
		- 0x1.41470ap-10f) * q - 0x1.b7bcfep-6f) * q + 0x1.e9972ap-4f) * q
		- 0x1.3deadp-2f) * q + 0x1.2e3268p-1f) * q - 0x1.c44c48p-1f) * q + 0x1.12f21ep0f;
	const float y = e * (p * inverse);

	return size < 0.6f ? 1.0f - rt_erf_near_0(x) : x < 0.0f ? 2.0f - y : y;
}

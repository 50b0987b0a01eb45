/* rt/exp.h: the exponential of floats, in operations that compilers make vectors of. C99.
 *
 * e^x = 2^n e^r with n = x / ln 2 rounded, r = x - n ln 2, and ln 2 in two parts of which the first times n is exact
 * (Cody and Waite, Software Manual for the Elementary Functions, 1980, chapter 6). The polynomial's coefficients are
 * those of exp.py. Within 1 ulp of the true value for every x, subnormal results too; no table, no call, no branch,
 * and no multiply-add in one rounding, so that it has the same bits on every machine. */
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

static inline float
rt_exp_f32(float x)
{
	/* beyond, it is 0 or infinite; NaN stays */
	const float least = x < -104.0f ? -104.0f : x, y = least > 89.0f ? 89.0f : least;
	/* 1.5 * 2^23: what is added to it is rounded to an integer, in its last bits */
	const float shifted = y * 0x1.715476p0f + 0x1.8p23f, n = shifted - 0x1.8p23f;
	const float r = (y - n * 0x1.63p-1f) - n * -0x1.bd0106p-13f;
	const float q = (((0x1.6a244cp-10f * r + 0x1.1239d4p-7f) * r + 0x1.5558f2p-5f) * r
		+ 0x1.555492p-3f) * r + 0x1.fffffcp-2f;
	/* 2^n as a product of two powers, since n + 127 may be no exponent */
	const uint32_t twice = rt_bits_of_float(shifted) - 0x4b400000u + 254u, half = twice >> 1;

	return (r * r * q + r + 1.0f) * rt_float_of_bits(half << 23) * rt_float_of_bits((twice - half) << 23);
}

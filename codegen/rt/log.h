/* rt/log.h: log and log1p of floats, in operations that compilers make vectors of. C99, after
 * rt/exp.h.
 *
 * log x = k ln 2 + log(1 + f) with x = 2^k (1 + f), |f| <= 1/3, and ln 2 in two parts of which the
 * first times k is exact (Cody and Waite, Software Manual for the Elementary Functions, 1980, chapter
 * 5). The polynomial's coefficients are those of fit.py. Errors, of all floats: log 0.98 ulp, log1p
 * 1.73. No table, no call, no branch, no multiply-add in one rounding. */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

/* x = 2^k m with 2/3 <= m < 4/3, for normal x: k + 150 */
static inline uint32_t
rt_log_exponent(float x)
{
	/* the bits of 2/3, less those of 2^-150 if that were one */
	return (rt_bits_of_float(x) - 0x3f2aaaabu + (150u << 23)) >> 23;
}

/* k ln 2 + log(1 + f) */
static inline float
rt_log_sum(float k, float f)
{
	const float p = ((((((-0x1.080592p-3f * f + 0x1.1e66bap-3f) * f - 0x1.f3113ap-4f) * f
		+ 0x1.1ed718p-3f) * f - 0x1.559dccp-3f) * f + 0x1.99d028p-3f) * f
		- 0x1.fffefp-3f) * f + 0x1.555506p-2f;

	return k * 0x1.63p-1f + (f + (f * f * (f * p - 0.5f) + k * -0x1.bd0106p-13f));
}

static inline float
rt_log_f32(float x)
{
	const bool small = x < 0x1p-126f;
	const float normal = small ? x * 0x1p24f : x;
	const uint32_t n = rt_log_exponent(normal);
	const uint32_t bits = rt_bits_of_float(normal) - ((n - 150u) << 23);
	const float k = (float)(int32_t)n - (small ? 174.0f : 150.0f);
	const float y = rt_log_sum(k, rt_float_of_bits(bits) - 1.0f);

	return x > 0.0f ? x < INFINITY ? y : x : x == 0.0f ? -INFINITY : NAN;
}

static inline float
rt_log1p_f32(float x)
{
	/* where 1 is nothing beside x, 2^-k must still be a normal float */
	const bool great = x > 0x1p64f;
	const float y = great ? x * 0x1p-32f : x;
	const uint32_t n = rt_log_exponent(y + 1.0f);
	/* 2^-k (1 + y) - 1, of which 2^-k - 1 is exact as long as 1 counts */
	const float scale = rt_float_of_bits((277u - n) << 23), f = y * scale + (scale - 1.0f);
	const float l = rt_log_sum((float)(int32_t)n - (great ? 118.0f : 150.0f), f);

	return x > -1.0f ? x < INFINITY && x != 0.0f ? l : x : x == -1.0f ? -INFINITY : NAN;
}

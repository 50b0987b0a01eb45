/* rt/half.h: f16 (IEEE 754 binary16) and bf16, stored as uint16_t, to and from floats: rounding to
 * nearest, ties to even; denormals, infinities and NaN kept. C99 without a type of half precision. */
#include <stdint.h>
#include <string.h>

static inline float
rt_f16_to_f32(uint16_t h)
{
	const uint32_t sign = (uint32_t)(h & 0x8000u) << 16, rest = h & 0x7fffu;
	const float small = (float)(int32_t)rest * 0x1p-24f;   /* of a denormal, and of zero */
	uint32_t u = rest >= 0x7c00u ? 0x7f800000u | rest << 13 : (rest << 13) + 0x38000000u, v = 0;
	float f = 0.0f;

	memcpy(&v, &small, sizeof v);
	u = (rest < 0x400u ? v : u) | sign;
	memcpy(&f, &u, sizeof f);
	return f;
}

static inline float
rt_bf16_to_f32(uint16_t h)
{
	const uint32_t u = (uint32_t)h << 16;
	float f = 0.0f;

	memcpy(&f, &u, sizeof f);
	return f;
}

/* The bits that f16 lacks are rounded away by an integer sum, which carries into the exponent;
 * those of denormals by a float sum whose unit in the last place is 2^-24. */
static inline uint16_t
rt_f32_to_f16(float f)
{
	uint32_t u = 0, sign, small_bits = 0;
	float small = 0.0f;

	memcpy(&u, &f, sizeof u);
	sign = u >> 16 & 0x8000u;
	u &= 0x7fffffffu;
	memcpy(&small, &u, sizeof small);
	small += 0.5f;
	memcpy(&small_bits, &small, sizeof small_bits);
	if (u > 0x7f800000u)
		return (uint16_t)(sign | 0x7e00u);
	if (u >= 0x47800000u)                  /* 2^16 and above */
		return (uint16_t)(sign | 0x7c00u);
	if (u < 0x38800000u)                   /* below 2^-14 */
		return (uint16_t)(sign | (small_bits - 0x3f000000u));
	return (uint16_t)(sign | (u - 0x38000000u + 0xfffu + (u >> 13 & 1u)) >> 13);
}

static inline uint16_t
rt_f32_to_bf16(float f)
{
	uint32_t u = 0;

	memcpy(&u, &f, sizeof u);
	if ((u & 0x7fffffffu) > 0x7f800000u)
		return (uint16_t)(u >> 16 | 0x40u);
	return (uint16_t)((u + 0x7fffu + (u >> 16 & 1u)) >> 16);
}

/* x as a float rounded to odd: rounding that again, to at most 22 bits, rounds x once (Boldo and Melquiond 2008) */
static inline float
rt_odd_f32(double x)
{
	float f = (float)x;
	uint32_t u = 0;

	if (x - x != 0.0 || (double)f == x)
		return f;
	memcpy(&u, &f, sizeof u);
	if ((u & 1u) == 0)
		u += ((double)f < x) == (x > 0.0) ? 1u : 0xffffffffu;
	memcpy(&f, &u, sizeof f);
	return f;
}

static inline uint16_t
rt_f64_to_f16(double x)
{
	return rt_f32_to_f16(rt_odd_f32(x));
}

static inline uint16_t
rt_f64_to_bf16(double x)
{
	return rt_f32_to_bf16(rt_odd_f32(x));
}

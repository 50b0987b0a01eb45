/* rt/random.h: random numbers as functions of (key, stream, element). C99.
 *
 * Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC 2011): block `i` of a key and a stream. */
#include <math.h>
#include <stdint.h>

static inline void
rt_philox(uint64_t key, uint64_t stream, uint64_t i, uint32_t *x)
{
	uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);

	x[0] = (uint32_t)i;
	x[1] = (uint32_t)(i >> 32);
	x[2] = (uint32_t)stream;
	x[3] = (uint32_t)(stream >> 32);
	for (int round = 0; round < 10; round++) {
		const uint64_t p0 = (uint64_t)0xD2511F53u * x[0], p1 = (uint64_t)0xCD9E8D57u * x[2];

		x[0] = (uint32_t)(p1 >> 32) ^ x[1] ^ k0;
		x[1] = (uint32_t)p1;
		x[2] = (uint32_t)(p0 >> 32) ^ x[3] ^ k1;
		x[3] = (uint32_t)p0;
		k0 += 0x9E3779B9u;
		k1 += 0xBB67AE85u;
	}
}

/* the upper 53 bits of two words */
static inline double
rt_mantissa(uint32_t hi, uint32_t lo)
{
	return (double)(((uint64_t)hi << 32 | lo) >> 11);
}

/* uniform in [0, 1) */
static inline float
rt_rand_f32(uint64_t key, uint64_t stream, uint64_t i)
{
	uint32_t x[4];

	rt_philox(key, stream, i, x);
	return (float)(x[0] >> 8) * 0x1p-24f;
}

static inline double
rt_rand_f64(uint64_t key, uint64_t stream, uint64_t i)
{
	uint32_t x[4];

	rt_philox(key, stream, i, x);
	return rt_mantissa(x[0], x[1]) * 0x1p-53;
}

/* standard normal (Box, Muller 1958) */
static inline double
rt_box_muller(double u, double v)
{
	return sqrt(-2.0 * log(u)) * cos(6.283185307179586476925286766559 * v);
}

static inline float
rt_randn_f32(uint64_t key, uint64_t stream, uint64_t i)
{
	uint32_t x[4];

	rt_philox(key, stream, i, x);
	return (float)rt_box_muller((double)((x[0] >> 8) + 1) * 0x1p-24, (double)(x[1] >> 8) * 0x1p-24);
}

static inline double
rt_randn_f64(uint64_t key, uint64_t stream, uint64_t i)
{
	uint32_t x[4];

	rt_philox(key, stream, i, x);
	return rt_box_muller((rt_mantissa(x[0], x[1]) + 1.0) * 0x1p-53, rt_mantissa(x[2], x[3]) * 0x1p-53);
}

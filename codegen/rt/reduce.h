/* rt/reduce.h: combining terms and lanes of a reduction. C99. */
#include <stdbool.h>
#include <stdint.h>

/* NaN wins */
static inline float
rt_max_f32(float a, float b)
{
	return b > a || b != b ? b : a;
}

static inline float
rt_min_f32(float a, float b)
{
	return b < a || b != b ? b : a;
}

static inline double
rt_max_f64(double a, double b)
{
	return b > a || b != b ? b : a;
}

static inline double
rt_min_f64(double a, double b)
{
	return b < a || b != b ? b : a;
}

static inline int64_t
rt_max_i64(int64_t a, int64_t b)
{
	return b > a ? b : a;
}

static inline int64_t
rt_min_i64(int64_t a, int64_t b)
{
	return b < a ? b : a;
}

static inline uint64_t
rt_max_u64(uint64_t a, uint64_t b)
{
	return b > a ? b : a;
}

static inline uint64_t
rt_min_u64(uint64_t a, uint64_t b)
{
	return b < a ? b : a;
}

/* lanes of a reduction are combined pairwise */
enum { RT_LANES = 32 };

static inline void
rt_lanes_fill_f32(float *s, float v)
{
	for (int i = 0; i < RT_LANES; i++)
		s[i] = v;
}

static inline void
rt_lanes_fill_f64(double *s, double v)
{
	for (int i = 0; i < RT_LANES; i++)
		s[i] = v;
}

static inline float
rt_lanes_sum_f32(float *s)
{
	for (int w = RT_LANES / 2; w > 0; w /= 2)
		for (int i = 0; i < w; i++)
			s[i] += s[i + w];
	return s[0];
}

static inline double
rt_lanes_sum_f64(double *s)
{
	for (int w = RT_LANES / 2; w > 0; w /= 2)
		for (int i = 0; i < w; i++)
			s[i] += s[i + w];
	return s[0];
}

static inline float
rt_lanes_prod_f32(float *s)
{
	for (int w = RT_LANES / 2; w > 0; w /= 2)
		for (int i = 0; i < w; i++)
			s[i] *= s[i + w];
	return s[0];
}

static inline double
rt_lanes_prod_f64(double *s)
{
	for (int w = RT_LANES / 2; w > 0; w /= 2)
		for (int i = 0; i < w; i++)
			s[i] *= s[i + w];
	return s[0];
}

static inline float
rt_lanes_max_f32(float *s)
{
	for (int w = RT_LANES / 2; w > 0; w /= 2)
		for (int i = 0; i < w; i++)
			s[i] = rt_max_f32(s[i], s[i + w]);
	return s[0];
}

static inline double
rt_lanes_max_f64(double *s)
{
	for (int w = RT_LANES / 2; w > 0; w /= 2)
		for (int i = 0; i < w; i++)
			s[i] = rt_max_f64(s[i], s[i + w]);
	return s[0];
}

static inline float
rt_lanes_min_f32(float *s)
{
	for (int w = RT_LANES / 2; w > 0; w /= 2)
		for (int i = 0; i < w; i++)
			s[i] = rt_min_f32(s[i], s[i + w]);
	return s[0];
}

static inline double
rt_lanes_min_f64(double *s)
{
	for (int w = RT_LANES / 2; w > 0; w /= 2)
		for (int i = 0; i < w; i++)
			s[i] = rt_min_f64(s[i], s[i + w]);
	return s[0];
}

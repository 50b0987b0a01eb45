/* rt/index.h: indices. C99. */
#include <stdint.h>

/* the nearest index in [0, n), n > 0 */
static inline int64_t
rt_clamp_index(int64_t i, int64_t n)
{
	return i < 0 ? 0 : i < n ? i : n - 1;
}

static inline int64_t
rt_to_index_u64(uint64_t i)
{
	return i > (uint64_t)INT64_MAX ? INT64_MAX : (int64_t)i;
}

/* rounded down, d > 0 */
static inline int64_t
rt_div_floor(int64_t a, int64_t d)
{
	return a / d - (a % d < 0);
}

static inline int64_t
rt_mod_floor(int64_t a, int64_t d)
{
	return a % d + (a % d < 0 ? d : 0);
}

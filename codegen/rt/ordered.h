/* rt/ordered.h: sorting. C99. */
#include <math.h>
#include <stdint.h>
#include <string.h>

/* keys whose order is that of the values: NaN is the greatest, -0 equals 0 */
static inline uint64_t
rt_key_f64(double x)
{
	uint64_t u;

	if (x != x)
		return UINT64_MAX;
	x += 0.0;
	memcpy(&u, &x, sizeof u);
	return u >> 63 ? ~u : u | (uint64_t)1 << 63;
}

static inline uint64_t
rt_key_i64(int64_t x)
{
	return (uint64_t)x ^ (uint64_t)1 << 63;
}

static inline uint64_t
rt_key_down(uint64_t key)
{
	return ~key;
}

enum { RT_SORT_RUN = 16 };

/* sorts key[0 .. n) with index by insertion */
static inline void
rt_sort_run(uint64_t *restrict key, int64_t *restrict index, int64_t n)
{
	for (int64_t i = 1; i < n; i++) {
		const uint64_t k = key[i];
		const int64_t x = index[i];
		int64_t j = i;

		for (; j > 0 && key[j - 1] > k; j--) {
			key[j] = key[j - 1];
			index[j] = index[j - 1];
		}
		key[j] = k;
		index[j] = x;
	}
}

/* Stable: key becomes ascending, index says where each key was. Runs of 16 are sorted by insertion, then merged
 * two by two; the work spaces have n elements each. */
static inline void
rt_argsort(uint64_t *restrict key, int64_t *restrict index, uint64_t *restrict key_work, int64_t *restrict index_work,
	int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		index[i] = i;
	for (int64_t i = 0; i < n; i += RT_SORT_RUN)
		rt_sort_run(key + i, index + i, n - i < RT_SORT_RUN ? n - i : RT_SORT_RUN);
	for (int64_t run = RT_SORT_RUN; run < n; run *= 2) {
		memcpy(key_work, key, (size_t)n * sizeof *key);
		memcpy(index_work, index, (size_t)n * sizeof *index);
		for (int64_t from = 0; from + run < n; from += 2 * run) {
			const int64_t mid = from + run, to = n - mid < run ? n : mid + run;
			int64_t a = from, b = mid;

			for (int64_t i = from; i < to; i++) {
				const int64_t next = a == mid || (b < to && key_work[b] < key_work[a]) ? b++ : a++;

				key[i] = key_work[next];
				index[i] = index_work[next];
			}
		}
	}
}

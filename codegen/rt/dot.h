/* rt/dot.h: what contractions of either float type share. C99. */
#include <stdint.h>

/* terms of a contraction's sum that are added one after the other; the sums of such runs are added in order */
enum { RT_RUN = 256 };

/* a * b + c as tiles compute it: in one rounding where compilers contract */
#if RT_SIMD && defined(__OPTIMIZE__) \
	&& (defined(__FMA__) || defined(__FMA4__) || defined(__ARM_FEATURE_FMA) || defined(__FP_FAST_FMAF))
#define RT_FMA 1
#else
#define RT_FMA 0
#endif

static inline float
rt_fma_f32(float a, float b, float c)
{
#if RT_FMA
	return __builtin_fmaf(a, b, c);
#else
	return a * b + c;
#endif
}

static inline double
rt_fma_f64(double a, double b, double c)
{
#if RT_FMA
	return __builtin_fma(a, b, c);
#else
	return a * b + c;
#endif
}

/* vector registers */
#if defined(__AVX512F__) || defined(__aarch64__)
#define RT_REGISTERS 32
#else
#define RT_REGISTERS 16
#endif

/* a register tile: so many rows, and vectors across; with the operands of a step it fills the registers */
enum { RT_ROWS = RT_REGISTERS == 32 ? 8 : 6, RT_VECS = RT_REGISTERS == 32 ? 3 : 2 };

/* how many of the rows, or of the vectors across, that are left the next tile takes: the last are dealt out evenly */
static inline int
rt_dot_share(int64_t left, int most)
{
	return left == most || left >= 2 * most ? most : left > most ? (int)(left + 1) / 2 : (int)left;
}

/* whether vectors can be shuffled */
#if RT_SIMD && (defined(__clang__) || __GNUC__ >= 12)
#define RT_SHUFFLE 1
#else
#define RT_SHUFFLE 0
#endif

/* edge of the squares that are transposed at once */
enum { RT_SQUARE_F32 = RT_SHUFFLE ? 4 : 1 };

enum { RT_SQUARE_F64 = RT_SHUFFLE ? 2 : 1 };

#if RT_SHUFFLE
typedef float rt_square_f32 __attribute__((vector_size(16), aligned(4), may_alias));
#endif

#if RT_SHUFFLE
typedef double rt_square_f64 __attribute__((vector_size(16), aligned(8), may_alias));
#endif

/* to[i * to_row + j] = from[j * from_row + i], for a square */
static inline void
rt_transpose_f32(const float *from, int64_t from_row, float *to, int64_t to_row)
{
#if RT_SHUFFLE
	const rt_square_f32 a = *(const rt_square_f32 *)from, b = *(const rt_square_f32 *)(from + from_row);
	const rt_square_f32 c = *(const rt_square_f32 *)(from + 2 * from_row);
	const rt_square_f32 d = *(const rt_square_f32 *)(from + 3 * from_row);
	const rt_square_f32 ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), AB = __builtin_shufflevector(a, b, 2, 6, 3, 7);
	const rt_square_f32 cd = __builtin_shufflevector(c, d, 0, 4, 1, 5), CD = __builtin_shufflevector(c, d, 2, 6, 3, 7);

	*(rt_square_f32 *)to = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
	*(rt_square_f32 *)(to + to_row) = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
	*(rt_square_f32 *)(to + 2 * to_row) = __builtin_shufflevector(AB, CD, 0, 1, 4, 5);
	*(rt_square_f32 *)(to + 3 * to_row) = __builtin_shufflevector(AB, CD, 2, 3, 6, 7);
#else
	(void)from_row;
	(void)to_row;
	*to = *from;
#endif
}

static inline void
rt_transpose_f64(const double *from, int64_t from_row, double *to, int64_t to_row)
{
#if RT_SHUFFLE
	const rt_square_f64 a = *(const rt_square_f64 *)from, b = *(const rt_square_f64 *)(from + from_row);

	*(rt_square_f64 *)to = __builtin_shufflevector(a, b, 0, 2);
	*(rt_square_f64 *)(to + to_row) = __builtin_shufflevector(a, b, 1, 3);
#else
	(void)from_row;
	(void)to_row;
	*to = *from;
#endif
}

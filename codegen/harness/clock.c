/* clock.c: what programs that take times have in common: a clock, and the machine's peak. One thread is timed by its
 * own processor time, several by the clock on the wall. For GCC and clang. */
#include <time.h>

enum { CHAINS = 12, LOOPS = 200000 };

#if defined(__GNUC__) && defined(__AVX512F__)
enum { VECTOR = 64 };
#elif defined(__GNUC__) && defined(__AVX__)
enum { VECTOR = 32 };
#else
enum { VECTOR = 16 };
#endif

static double
now(void)
{
	struct timespec t;

#ifdef _OPENMP
	clock_gettime(CLOCK_MONOTONIC, &t);
#else
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
#endif
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int
ascending(const void *p, const void *q)
{
	const double a = *(const double *)p, b = *(const double *)q;

	return (a > b) - (a < b);
}

/* peak_float() and peak_double(): GFLOP/s of multiply-adds in independent chains, in vectors as wide as the kernels' */
#define DEFINE_PEAK(T) \
typedef T vector_##T __attribute__((vector_size(VECTOR))); \
CONTRACT \
static double \
peak_##T(volatile T *sink) \
{ \
	CONTRACT_BODY \
	vector_##T s[CHAINS], sum = {0}; \
	volatile T half = (T)0.5, tenth = (T)0.1, start; \
	const T x = half; \
	const vector_##T y = sum + tenth; \
	double t; \
	long k; \
	int i; \
\
	/* chains that begin alike would be merged */ \
	for (i = 0; i < CHAINS; i++) { \
		start = (T)(i + 1); \
		s[i] = sum + start; \
	} \
	t = now(); \
	for (k = 0; k < LOOPS; k++) \
		for (i = 0; i < CHAINS; i++) \
			s[i] = s[i] * x + y; \
	t = now() - t; \
	for (i = 0; i < CHAINS; i++) \
		sum += s[i]; \
	*sink = sum[0]; \
	return 2e-9 * CHAINS * (VECTOR / (int)sizeof(T)) * LOOPS / t; \
}

#if defined(__clang__)
#define CONTRACT
#define CONTRACT_BODY _Pragma("clang fp contract(fast)")
#else
#define CONTRACT __attribute__((optimize("O3", "fp-contract=fast")))
#define CONTRACT_BODY
#endif
DEFINE_PEAK(float)
DEFINE_PEAK(double)

/* rt/prologue.h: what stands before the kernels of every unit.
 *
 * Multiply-adds contract where the file says so, whatever the user's flags: not in
 * pointwise code, whose values must have the same bits in every kernel that computes
 * them, but in contractions (RT_CONTRACT before the function, RT_CONTRACT_BODY first
 * in it), where there are vectors. gcc leaves loops scalar below -O3, so it is asked for that, unless it is not
 * to optimise at all; and it is told that nobody looks at the flags of exceptions, or else it keeps the branches
 * of `?:` apart, and the loop scalar. No value depends on that. */
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __FAST_MATH__
#error "this file needs IEEE arithmetic: compile it without -ffast-math"
#endif

#if defined(__clang__)
#pragma clang fp contract(off)
#elif defined(__GNUC__) && defined(__OPTIMIZE__)
#pragma GCC optimize("O3", "fp-contract=off", "no-trapping-math")
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif

/* bytes of a vector; 0: plain loops */
#if !defined(__GNUC__) || defined(RT_NO_SIMD)
#define RT_SIMD 0
#elif defined(__AVX512F__)
#define RT_SIMD 64
#elif defined(__AVX__)
#define RT_SIMD 32
#else
#define RT_SIMD 16
#endif

/* an array that vectors are read from: none of them lies across two lines of the cache */
#if RT_SIMD
#define RT_ALIGNED __attribute__((aligned(64)))
#else
#define RT_ALIGNED
#endif

#if RT_SIMD && defined(__clang__)
#define RT_CONTRACT
#define RT_CONTRACT_BODY _Pragma("clang fp contract(fast)")
#elif RT_SIMD
#define RT_CONTRACT __attribute__((optimize("fp-contract=fast")))
#define RT_CONTRACT_BODY
#else
#define RT_CONTRACT
#define RT_CONTRACT_BODY
#endif

/* for a function whose parameters are constants where it is used */
#ifdef __GNUC__
#define RT_INLINE static inline __attribute__((always_inline))
#else
#define RT_INLINE static inline
#endif

/* loops whose iterations are independent: the results do not depend on the number of threads */
#ifdef _OPENMP
#define RT_PARALLEL_FOR _Pragma("omp parallel for schedule(static)")
#define RT_PARALLEL_FOR_CHECK _Pragma("omp parallel for schedule(static) reduction(|:bad)")
#else
#define RT_PARALLEL_FOR
#define RT_PARALLEL_FOR_CHECK
#endif

/* rt/parallel.h: nests of loops whose iterations are independent, where the outermost has too few for all threads. */

#ifdef _OPENMP
#define RT_PARALLEL_FOR_2 _Pragma("omp parallel for collapse(2) schedule(static)")
#else
#define RT_PARALLEL_FOR_2
#endif

#ifdef _OPENMP
#define RT_PARALLEL_FOR_2_CHECK _Pragma("omp parallel for collapse(2) schedule(static) reduction(|:bad)")
#else
#define RT_PARALLEL_FOR_2_CHECK
#endif

#ifdef _OPENMP
#define RT_PARALLEL_FOR_3 _Pragma("omp parallel for collapse(3) schedule(static)")
#else
#define RT_PARALLEL_FOR_3
#endif

#ifdef _OPENMP
#define RT_PARALLEL_FOR_3_CHECK _Pragma("omp parallel for collapse(3) schedule(static) reduction(|:bad)")
#else
#define RT_PARALLEL_FOR_3_CHECK
#endif

/* rt/branches.h: for kernels whose branches gcc must not turn into masks: codegen/masks.c. */

/* gcc's vectoriser gives all vectors of neighbouring loads under a condition the first one's mask */
#if defined(__GNUC__) && !defined(__clang__) && defined(__OPTIMIZE__)
#define RT_BRANCHES __attribute__((optimize("no-tree-loop-if-convert")))
#else
#define RT_BRANCHES
#endif

/* roofline: kernels against what the machine can do, as a picture. */
#ifndef ROOFLINE_H
#define ROOFLINE_H

#include "gen.h"

typedef struct Row {                   /* a kernel within a function */
	const Kernel *kernel;
	int calls;
	double seconds;                /* of all its calls */
	double gflops, gbytes;         /* by second */
	double of_peak, of_copy;       /* shares of what the machine can do */
} Row;
extern const char *const function_name[NCALL];
const char *copy_size(Arena *a, int i);          /* bytes that the i-th of Bench.copy moves, in words */
/* GB/s of a copy that moves so many bytes, between those that were measured */
double copy_speed(const Bench *b, int64_t bytes);
/* SVG 1.1: operations by byte against GFLOP/s, both logarithmic; by function, the area of a mark is its time */
void roofline_svg(Buf *b, const char *model, const Bench *m, const Row *const *row, const int *nrow);

#endif

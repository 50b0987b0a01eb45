/* main: how fast contractions are, as a share of what the machine can add and multiply.
 *
 * Times are of this thread's CPU alone; the median of many samples of some
 * milliseconds, operands in cache as far as they fit. The peak is measured between
 * samples, with vectors as wide as the kernels': shares are of its best, and one
 * well above 1 means that peak_float() is not what it says. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>

typedef struct Shape {
	const char *name;
	void (*call)(void *const *v);
	int n;                         /* arrays */
	size_t bytes[4];
	int size;                      /* of an element */
	double flops;
} Shape;

#include "clock.c"
#include "kernels.h"

enum { SAMPLES = 31, NSHAPE = sizeof shapes / sizeof *shapes };

static void
fill(void *p, size_t bytes, int size)
{
	for (size_t i = 0; i < bytes / (size_t)size; i++) {
		const float x = (float)(rand() % 2001 - 1000) * 1e-3f;

		if (size == 4)
			((float *)p)[i] = x;
		else
			((double *)p)[i] = x;
	}
}

static void
run(const Shape *s)
{
	void *v[4] = {0};
	double t[SAMPLES], most = 0;
	volatile float sink;
	const long times = 1 + (long)(3e8 / s->flops);

	for (int i = 0; i < s->n; i++) {
		v[i] = malloc(s->bytes[i]);
		if (v[i] == NULL)
			exit(1);
		fill(v[i], s->bytes[i], s->size);
	}
	for (int i = 0; i < SAMPLES; i++) {
		const double top = peak_float(&sink);
		double begin;

		most = top > most ? top : most;
		begin = now();
		for (long k = 0; k < times; k++)
			s->call(v);
		t[i] = (now() - begin) / (double)times;
	}
	qsort(t, SAMPLES, sizeof *t, ascending);
	most /= s->size / 4;
	printf("%-26s %7.1f %7.1f %7.1f %5.0f%% %5.0f%%\n", s->name, 1e-9 * s->flops / t[SAMPLES / 2],
		1e-9 * s->flops / t[0], most, 1e-7 * s->flops / t[SAMPLES / 2] / most, 1e-7 * s->flops / t[0] / most);
	for (int i = 0; i < s->n; i++)
		free(v[i]);
	if (1e-9 * s->flops / t[0] > 1.05 * most) {
		fprintf(stderr, "%s: faster than the peak, so the peak is wrong\n", s->name);
		exit(1);
	}
}

/* dot [TEXT]: the shapes whose names contain it */
int
main(int argc, char **argv)
{
	printf("%-26s %7s %7s %7s %6s %6s\n", "GFLOP/s", "median", "best", "peak", "median", "best");
	for (int i = 0; i < NSHAPE; i++)
		if (argc < 2 || strstr(shapes[i].name, argv[1]) != NULL)
			run(&shapes[i]);
	return 0;
}

/* main.c: finds the line y = 3x - 1 from 64 points by gradient descent. The Makefile and the
 * CMakeLists.txt beside it show the rules that come with gradc. */
#include <stdio.h>

#include "line.h"

static _Alignas(LINE_ALIGN) unsigned char params[LINE_PARAMS_BYTES], grads[LINE_GRADS_BYTES];
static _Alignas(LINE_ALIGN) unsigned char workspace[LINE_TRAIN_WORKSPACE_BYTES];

int
main(void)
{
	float x[64], y[64], loss = 0;
	line_params p;
	line_grads g;
	line_optimizer opt;

	for (int i = 0; i < 64; i++) {
		x[i] = (float)i / 32 - 1;
		y[i] = 3 * x[i] - 1;
	}
	line_params_bind(&p, params);
	line_params_init(&p, 1);
	line_grads_bind(&g, grads);
	line_optimizer_init(&opt);
	opt.lr = 0.1f;

	line_inputs in = {.x = x, .y = y, .B = 64};
	line_outputs out = {.loss = &loss};
	for (int step = 0; step < 500; step++)
		if (line_train_step(&in, &p, &g, &opt, &out, workspace))
			return 1;
	printf("y = %.3f x %+.3f\n", (double)*p.slope, (double)*p.offset);
	return 0;
}

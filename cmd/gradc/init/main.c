/* main.c: trains the network of starter.json to compute sin(3x), then shows what it learned.
 *
 * gradc wrote gen/starter.h and gen/starter.c; the header documents every struct and
 * function. All memory is ours: the sizes are constants of the header. */
#include <math.h>
#include <stdio.h>

#include "starter.h"

enum { BATCH = 64, STEPS = 3000 };

/* flat arrays; the structs below point into them */
static _Alignas(STARTER_ALIGN) unsigned char param_bytes[STARTER_PARAMS_BYTES];
static _Alignas(STARTER_ALIGN) unsigned char grad_bytes[STARTER_GRADS_BYTES];
static _Alignas(STARTER_ALIGN) unsigned char optimizer_bytes[STARTER_OPTIMIZER_BYTES];
static _Alignas(STARTER_ALIGN) unsigned char train_space[STARTER_TRAIN_WORKSPACE_BYTES];
static _Alignas(STARTER_ALIGN) unsigned char space[STARTER_WORKSPACE_BYTES];

static float x[BATCH], target[BATCH], y[BATCH];

int
main(void)
{
	starter_params params;
	starter_grads grads;
	starter_optimizer opt;
	float loss;

	starter_params_bind(&params, param_bytes);
	starter_params_init(&params, 1);               /* a seed */
	starter_grads_bind(&grads, grad_bytes);
	starter_optimizer_init(&opt);                  /* the usual settings ... */
	starter_optimizer_bind(&opt, optimizer_bytes);
	opt.lr = 0.01f;                                /* ... but for this one */

	for (int i = 0; i < BATCH; i++) {
		x[i] = 2 * (float)i / (BATCH - 1) - 1;
		target[i] = sinf(3 * x[i]);
	}

	/* forward, backward and the optimizer's update; starter_forward and starter_backward do it in parts */
	starter_inputs in = {.x = x, .target = target, .B = BATCH};
	starter_outputs out = {.loss = &loss};         /* outputs that are left NULL are not wanted */
	for (int step = 1; step <= STEPS; step++) {
		if (starter_train_step(&in, &params, &grads, &opt, &out, train_space)) {
			fprintf(stderr, "train_step refuses its arguments\n");
			return 1;
		}
		if (step % 500 == 0)
			printf("step %4d  loss %.6f\n", step, (double)loss);
	}

	/* values alone: needs neither target nor gradients */
	in.target = NULL;
	in.B = 5;
	for (int i = 0; i < 5; i++)
		x[i] = 0.5f * (float)i - 1;
	out = (starter_outputs){.y = y};
	if (starter_infer(&in, &params, &out, space))
		return 1;
	for (int i = 0; i < 5; i++)
		printf("x %5.2f  sin(3x) %7.4f  learned %7.4f\n", (double)x[i], sin(3 * (double)x[i]), (double)y[i]);
	return 0;
}

/* main.c: training in half precision. The loss is multiplied by a scale, so that small gradients do not
 * vanish in f16; gradients are divided by it before the update. Where they overflow the step is left
 * out and the scale halved; after 100 good steps it is doubled (Micikevicius et al. 2018). */
#include <math.h>
#include <stdio.h>

#include "spiral.h"

enum { B = 96, STEPS = 1500 };

static _Alignas(SPIRAL_ALIGN) unsigned char params[SPIRAL_PARAMS_BYTES], grads[SPIRAL_GRADS_BYTES];
static _Alignas(SPIRAL_ALIGN) unsigned char moments[SPIRAL_OPTIMIZER_BYTES], saved[SPIRAL_SAVED_BYTES];
static _Alignas(SPIRAL_ALIGN) unsigned char workspace[SPIRAL_WORKSPACE_BYTES];

/* the flat array of gradients as numbers: all are f32, what lies between them is zero */
static int
unscale(float *g, size_t n, float scale)
{
	int finite = 1;

	for (size_t i = 0; i < n; i++) {
		finite &= isfinite(g[i]) != 0;
		g[i] /= scale;
	}
	return finite;
}

static int
right(const float *logits, const int32_t *label)
{
	int n = 0;

	for (int i = 0; i < B; i++) {
		const float *z = logits + 3 * i;
		int best = z[1] > z[0] ? 1 : 0;
		best = z[2] > z[best] ? 2 : best;
		n += best == label[i];
	}
	return n;
}

int
main(void)
{
	float x[B][2], loss = 0, scaled = 0, logits[3 * B], scale = 0x1p24f;
	int32_t label[B];
	int good = 0, skipped = 0;
	spiral_params p;
	spiral_grads g;
	spiral_optimizer opt;

	for (int i = 0; i < B; i++) {
		double r = (double)(i / 3 + 1) / (B / 3), t = 4 * r + 2.1 * (i % 3);
		x[i][0] = (float)(r * cos(t));
		x[i][1] = (float)(r * sin(t));
		label[i] = i % 3;
	}
	spiral_params_bind(&p, params);
	spiral_params_init(&p, 1);
	spiral_grads_bind(&g, grads);
	spiral_optimizer_init(&opt);
	spiral_optimizer_bind(&opt, moments);
	opt.lr = 0.01f;

	spiral_inputs in = {.x = x[0], .label = label, .scale = &scale, .B = B};
	spiral_outputs out = {.loss = &loss, .scaled = &scaled, .logits = logits};
	for (int step = 0; step < STEPS; step++) {
		if (spiral_forward(&in, &p, &out, saved, workspace) || spiral_backward(&in, &p, saved, &g, workspace))
			return 1;
		if (!unscale((float *)(void *)grads, sizeof grads / sizeof(float), scale)) {
			scale /= 2;
			good = 0;
			skipped++;
			continue;
		}
		if (spiral_update(&p, &g, &opt))
			return 1;
		if (++good % 100 == 0)
			scale *= 2;
		if (step % 250 == 249)
			printf("step %4d  loss %.4f  right %d of %d  scale %g\n", step + 1, (double)loss, right(logits, label), B,
				(double)scale);
	}
	printf("%d steps left out\n", skipped);
	return right(logits, label) < B * 9 / 10;
}

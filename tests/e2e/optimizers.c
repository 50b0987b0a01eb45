/* optimizers.c: updates are those of torch.optim, in f64. */
#include <math.h>
#include <stdio.h>

#include "adam.h"
#include "adamw.h"
#include "momentum.h"
#include "sgd.h"

#include "optimizers.h"

static int
differs(const char *name, int step, const double *w, const double *want)
{
	int wrong = 0;

	for (int i = 0; i < N; i++)
		if (!(fabs(w[i] - want[i]) <= 1e-14 * (fabs(want[i]) + 1))) {
			printf("%s, step %d: w[%d] is %.17g, not %.17g\n", name, step + 1, i, w[i], want[i]);
			wrong = 1;
		}
	return wrong;
}

/* moments: what binds them; settings: statements */
#define TRY(name, moments, settings) do { \
	double w[N], m[2 * 64 / sizeof(double)] = {0}; \
	const name##_params p = {w}; \
	name##_optimizer opt; \
	name##_optimizer_init(&opt); \
	moments; \
	settings; \
	for (int i = 0; i < N; i++) \
		w[i] = start[i]; \
	for (int s = 0; s < STEPS; s++) { \
		double d[N]; \
		const name##_grads g = {d}; \
		for (int i = 0; i < N; i++) \
			d[i] = grads[s][i]; \
		wrong |= name##_update(&p, &g, &opt) || opt.step != s + 1 || differs(#name, s, w, after_##name[s]); \
	} \
} while (0)

int
main(void)
{
	int wrong = 0;

	TRY(sgd, (void)m, opt.lr = 0.125; opt.weight_decay = 0.0625);
	TRY(momentum, momentum_optimizer_bind(&opt, m), opt.lr = 0.125; opt.momentum = 0.75; opt.weight_decay = 0.0625);
	TRY(adam, adam_optimizer_bind(&opt, m), opt.lr = 0.0625; opt.beta1 = 0.75; opt.beta2 = 0.875; opt.eps = 1e-6;
		opt.weight_decay = 0.0625);
	TRY(adamw, adamw_optimizer_bind(&opt, m), opt.lr = 0.0625; opt.beta1 = 0.75; opt.beta2 = 0.875; opt.eps = 1e-6;
		opt.weight_decay = 0.5);
	return wrong;
}

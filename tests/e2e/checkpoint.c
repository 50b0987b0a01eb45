/* checkpoint.c: training that goes on from a file is training that never stopped, bit for bit; what cannot be loaded
 * changes nothing.
 *
 *     checkpoint DIR          writes DIR/kept.safetensors (without an optimizer) and whole.safetensors (with it), and
 *                             these again as they were read
 * plain.h is the same model without an optimizer. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "kept.h"
#include "plain.h"

typedef struct Model {
	unsigned char params[KEPT_PARAMS_BYTES], state[KEPT_STATE_BYTES], moments[KEPT_OPTIMIZER_BYTES];
	kept_params p;
	kept_state s;
	kept_optimizer opt;
} Model;

static double loss;

/* parameters hold rubbish; moments are zeros, as they are where a parameter is not trained */
static void
model_new(Model *m)
{
	memset(m, 0, sizeof *m);
	memset(m->params, 0x5A, sizeof m->params);
	memset(m->state, 1, sizeof m->state);
	kept_params_bind(&m->p, m->params);
	kept_state_bind(&m->s, m->state);
	kept_optimizer_bind(&m->opt, m->moments);
}

static void
train(Model *m, int steps)
{
	static unsigned char gradients[KEPT_GRADS_BYTES], space[KEPT_TRAIN_WORKSPACE_BYTES + KEPT_ALIGN];
	unsigned char *aligned = space + KEPT_ALIGN - (uintptr_t)space % KEPT_ALIGN;
	kept_grads g;
	kept_outputs out = {&loss};
	float x[12];

	kept_grads_bind(&g, gradients);
	for (int k = 0; k < steps; k++) {
		const kept_inputs in = {x};

		for (int i = 0; i < 12; i++)
			x[i] = (float)((i * 7 + (int)m->opt.step * 5) % 11 - 5) / 4;
		check(kept_train_step(&in, &m->p, &m->s, &g, &m->opt, &out, aligned) == KEPT_OK, "a step", "refused");
	}
}

static int
same_arrays(const Model *a, const Model *b)
{
	return !memcmp(a->params, b->params, sizeof a->params) && !memcmp(a->state, b->state, sizeof a->state);
}

static int
same(const Model *a, const Model *b)
{
	return same_arrays(a, b) && !memcmp(a->moments, b->moments, sizeof a->moments) && a->opt.step == b->opt.step
		&& a->opt.lr == b->opt.lr && a->opt.eps == b->opt.eps && a->opt.weight_decay == b->opt.weight_decay
		&& a->opt.beta1 == b->opt.beta1 && a->opt.beta2 == b->opt.beta2;
}

static const char *
file(const char *dir, const char *name)
{
	static char path[2][1024];
	static int k;

	snprintf(path[k = !k], sizeof *path, "%s/%s", dir, name);
	return path[k];
}

static void
resume(const char *dir)
{
	static Model a, b;
	char why[KEPT_WHY] = "";

	model_new(&a);
	kept_params_init(&a.p, 7);
	kept_state_init(&a.s, 7);
	kept_optimizer_init(&a.opt);
	train(&a, 3);
	a.opt.lr = 0.0625;             /* a schedule */
	check(kept_save(file(dir, "whole.safetensors"), &a.p, &a.s, &a.opt, why) == KEPT_OK, "save", why);
	check(kept_save(file(dir, "kept.safetensors"), &a.p, &a.s, NULL, why) == KEPT_OK, "save", why);
	model_new(&b);
	check(kept_load(file(dir, "whole.safetensors"), &b.p, &b.s, &b.opt, why) == KEPT_OK, "load", why);
	check(same(&a, &b), "load", "other values than were saved");
	check(*b.s.count == 3, "load", "the count of steps");
	check(kept_save(file(dir, "again.safetensors"), &b.p, &b.s, &b.opt, why) == KEPT_OK, "save", why);
	train(&a, 5);
	train(&b, 5);
	check(same(&a, &b), "training goes on", "other bits");
}

static void
refusals(const char *dir)
{
	static Model a, b;
	char why[KEPT_WHY] = "";

	model_new(&a);
	model_new(&b);
	check(kept_load(file(dir, "kept.safetensors"), &a.p, &a.s, &a.opt, why) == KEPT_E_MISSING
		&& !strcmp(why, "optimizer.lr: is not in the file"), "a file without the optimizer's state", why);
	check(kept_load(file(dir, "none.safetensors"), &a.p, &a.s, &a.opt, why) == KEPT_E_OPEN, "no file", why);
	check(kept_load(file(dir, "whole.safetensors"), NULL, &a.s, &a.opt, NULL) == KEPT_E_NULL, "no params", why);
	check(kept_load(file(dir, "whole.safetensors"), &a.p, NULL, &a.opt, NULL) == KEPT_E_NULL, "no state", why);
	check(kept_load(NULL, &a.p, &a.s, &a.opt, NULL) == KEPT_E_NULL, "no path", why);
	a.opt.v = NULL;
	check(kept_load(file(dir, "whole.safetensors"), &a.p, &a.s, &a.opt, why) == KEPT_E_NULL, "no moments", why);
	check(kept_save(file(dir, "whole.safetensors"), &a.p, &a.s, &a.opt, why) == KEPT_E_NULL, "no moments to save", why);
	a.opt.v = b.opt.v;
	a.p.v = NULL;
	check(kept_save(file(dir, "whole.safetensors"), &a.p, &a.s, NULL, why) == KEPT_E_NULL, "no array to save", why);
	check(same_arrays(&a, &b), "refusals", "something was written");
	check(kept_load(file(dir, "whole.safetensors"), &a.p, &a.s, NULL, why) == KEPT_OK, "parameters but one, no optimizer", why);
	check(a.opt.step == 0, "no optimizer", "its step was loaded");
}

/* a program that only infers reads what one that trains has written, its optimizer passed over */
static void
inferring(const char *dir)
{
	static Model a;
	static unsigned char params[PLAIN_PARAMS_BYTES], state[PLAIN_STATE_BYTES];
	plain_params p;
	plain_state s;
	char why[KEPT_WHY] = "";

	model_new(&a);
	plain_params_bind(&p, params);
	plain_state_bind(&s, state);
	check(plain_load(file(dir, "whole.safetensors"), &p, &s, why) == PLAIN_OK, "without an optimizer", why);
	check(kept_load(file(dir, "kept.safetensors"), &a.p, &a.s, NULL, why) == KEPT_OK, "load", why);
	check(!memcmp(a.params, params, sizeof params) && !memcmp(a.state, state, sizeof state), "without an optimizer", "other values");
	check(plain_save(file(dir, "plain.safetensors"), &p, &s, why) == PLAIN_OK, "save without an optimizer", why);
}

int
main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	resume(argv[1]);
	refusals(argv[1]);
	inferring(argv[1]);
	return failed;
}

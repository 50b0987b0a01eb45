/* main.c: trains the network of net.py, from the weights that PyTorch gave it.
 *
 *     net train         prints the loss of each step, writes trained.safetensors
 *     net eval FILE     prints the loss over the first batch with the weights of a checkpoint */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"

enum { BATCHES = 64, BATCH = 32, PIXELS = 16 * 16, STEPS = 200 };

static float images[BATCHES][BATCH * PIXELS];
static int64_t labels[BATCHES][BATCH];
static _Alignas(NET_ALIGN) unsigned char params[NET_PARAMS_BYTES], grads[NET_GRADS_BYTES];
static _Alignas(NET_ALIGN) unsigned char state[NET_STATE_BYTES], moments[NET_OPTIMIZER_BYTES];
static _Alignas(NET_ALIGN) unsigned char workspace[NET_TRAIN_WORKSPACE_BYTES];

static void
stop(const char *what, const char *name)
{
	fprintf(stderr, "net: %s %s\n", what, name);
	exit(1);
}

static void
read_data(const char *path)
{
	FILE *f = fopen(path, "rb");

	if (!f || fread(images, sizeof images, 1, f) != 1 || fread(labels, sizeof labels, 1, f) != 1)
		stop("cannot read", path);
	fclose(f);
}

int
main(int argc, char **argv)
{
	float loss;
	char why[NET_WHY];
	net_params p;
	net_state s;
	net_grads g;
	net_optimizer opt;
	net_outputs out = {.loss = &loss};

	if (argc < 2 || (strcmp(argv[1], "train") && argc < 3))
		stop("usage:", "net train, net eval FILE");
	read_data("data.bin");
	net_params_bind(&p, params);
	net_state_bind(&s, state);
	net_params_init(&p, 0);   /* those of net.safetensors */
	net_state_init(&s, 0);
	if (!strcmp(argv[1], "eval")) {
		net_inputs in = {.x = images[0], .target = labels[0], .B = BATCH};
		if (net_load(argv[2], &p, &s, NULL, why))
			stop("cannot load:", why);
		if (net_infer(&in, &p, &s, &out, workspace))
			stop("infer failed on", argv[2]);
		printf("%.6f\n", (double)loss);
		return 0;
	}
	net_grads_bind(&g, grads);
	net_optimizer_bind(&opt, moments);
	net_optimizer_init(&opt);
	for (int i = 0; i < STEPS; i++) {
		net_inputs in = {.x = images[i % BATCHES], .target = labels[i % BATCHES], .B = BATCH};
		if (net_train_step(&in, &p, &s, &g, &opt, &out, workspace))
			stop("a step failed on", "data.bin");
		printf("%.6f\n", (double)loss);
	}
	if (net_save("trained.safetensors", &p, &s, NULL, why))   /* for PyTorch: without what the optimizer keeps */
		stop("cannot save:", why);
	return 0;
}

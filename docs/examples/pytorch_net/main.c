/* main.c: trains the network of net.py, from the weights that PyTorch gave it.
 *
 *     net train         prints the loss of each step, writes trained.safetensors
 *     net eval FILE     prints the loss over the first batch with the weights of a checkpoint
 *
 * Checkpoints are safetensors: the length of a header in 8 bytes, the header in JSON, the data. */
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

static size_t
tensor_bytes(const net_tensor *t)
{
	size_t n = t->dtype[1] == '6' ? 8 : 4;  /* i64, f32 */

	for (int d = 0; d < t->rank; d++)
		n *= (size_t)t->shape[d];
	return n;
}

/* Every tensor of the model, one after the other, and where its elements are. */
static const net_tensor *
tensor_at(int i, unsigned char **data)
{
	const net_tensor *t = i < NET_NPARAMS ? &net_params_table[i] : &net_state_table[i - NET_NPARAMS];

	*data = (i < NET_NPARAMS ? params : state) + t->offset;
	return t;
}

static void
save(const char *path)
{
	static char header[8192];
	unsigned char length[8], *data;
	size_t n = 0, offset = 0;
	FILE *f = fopen(path, "wb");

	for (int i = 0; i < NET_NPARAMS + NET_NSTATE; i++) {
		const net_tensor *t = tensor_at(i, &data);
		n += (size_t)sprintf(header + n, "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[", i ? "," : "{", t->name,
			t->dtype[0] == 'i' ? "I64" : "F32");
		for (int d = 0; d < t->rank; d++)
			n += (size_t)sprintf(header + n, "%s%lld", d ? "," : "", (long long)t->shape[d]);
		n += (size_t)sprintf(header + n, "],\"data_offsets\":[%zu,%zu]}", offset, offset + tensor_bytes(t));
		offset += tensor_bytes(t);
	}
	header[n++] = '}';
	while (n % 8)
		header[n++] = ' ';
	for (int i = 0; i < 8; i++)
		length[i] = (unsigned char)(n >> 8 * i);
	if (!f || fwrite(length, 8, 1, f) != 1 || fwrite(header, n, 1, f) != 1)
		stop("cannot write", path);
	for (int i = 0; i < NET_NPARAMS + NET_NSTATE; i++) {
		size_t bytes = tensor_bytes(tensor_at(i, &data));
		if (fwrite(data, bytes, 1, f) != 1)
			stop("cannot write", path);
	}
	if (fclose(f))
		stop("cannot write", path);
}

static void
load(const char *path)
{
	static char header[8192];
	unsigned char length[8], *data;
	char name[128];
	size_t n = 0;
	FILE *f = fopen(path, "rb");

	if (!f || fread(length, 8, 1, f) != 1)
		stop("cannot read", path);
	for (int i = 0; i < 8; i++)
		n |= (size_t)length[i] << 8 * i;
	if (n >= sizeof header || fread(header, n, 1, f) != 1)
		stop("cannot read", path);
	header[n] = 0;
	for (int i = 0; i < NET_NPARAMS + NET_NSTATE; i++) {
		const net_tensor *t = tensor_at(i, &data);
		snprintf(name, sizeof name, "\"%s\":", t->name);
		char *at = strstr(header, name);
		at = at ? strstr(at, "\"data_offsets\":[") : NULL;
		if (!at)
			stop("no tensor", t->name);
		long long begin = strtoll(at + 16, &at, 10), end = strtoll(at + 1, NULL, 10);
		if (end - begin != (long long)tensor_bytes(t) || fseek(f, (long)(8 + n) + (long)begin, SEEK_SET)
			|| fread(data, tensor_bytes(t), 1, f) != 1)
			stop("wrong tensor", t->name);
	}
	fclose(f);
}

int
main(int argc, char **argv)
{
	float loss;
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
		load(argv[2]);
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
	save("trained.safetensors");
	return 0;
}

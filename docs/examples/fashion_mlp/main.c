/* main.c: trains the network that gradc made of model.json on Fashion-MNIST. Its argument is the
 * directory of the data set's four IDX files, uncompressed. All memory is ours: the
 * emitted code says how much it needs and allocates none. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fashion_mlp.h"

enum { EPOCHS = 5, BATCH = 128, PIXELS = 28 * 28, CLASSES = 10 };

typedef struct Set { int n; unsigned char *image, *label; } Set;

static float x[BATCH * PIXELS], logits[BATCH * CLASSES], loss;
static int32_t label[BATCH];

static void
die(const char *which, const char *what)
{
	fprintf(stderr, "train: %s: %s\n", which, what);
	exit(1);
}

static void *
memory(size_t bytes)
{
	void *p = NULL;
	if (posix_memalign(&p, 64, bytes))
		die("arrays", "no memory");
	return memset(p, 0, bytes);
}

/* An IDX file: 4 bytes, of which the last is the rank; the sizes, big-endian; bytes.
 * Returns the bytes; *n gets the number of items, each of `size` bytes. */
static unsigned char *
read_idx(const char *dir, const char *name, int rank, size_t size, int *n)
{
	char path[4096];
	unsigned char head[16];
	size_t nhead = 4 + 4 * (size_t)rank;
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *f = fopen(path, "rb");
	if (!f || fread(head, 1, nhead, f) != nhead || head[2] != 8 || head[3] != rank)
		die(path, "not readable as IDX file");
	*n = head[5] << 16 | head[6] << 8 | head[7];
	unsigned char *data = memory((size_t)*n * size);
	if (fread(data, size, (size_t)*n, f) != (size_t)*n)
		die(path, "too short");
	fclose(f);
	return data;
}

static Set
read_set(const char *dir, const char *images, const char *labels)
{
	Set s;
	int n;
	s.image = read_idx(dir, images, 3, PIXELS, &s.n);
	s.label = read_idx(dir, labels, 1, 1, &n);
	if (n != s.n)
		die(labels, "as many labels as images expected");
	return s;
}

static void
shuffle(int *order, int n, uint64_t *seed)
{
	for (int i = n - 1; i > 0; i--) {
		*seed = *seed * 6364136223846793005u + 1442695040888963407u;    /* Knuth's MMIX generator */
		int j = (int)((*seed >> 33) % (uint64_t)(i + 1)), t = order[i];
		order[i] = order[j];
		order[j] = t;
	}
}

/* items order[from], … of s, or from, … without an order, as x and label; how many there are */
static int
load_batch(const Set *s, const int *order, int from)
{
	int n = s->n - from < BATCH ? s->n - from : BATCH;
	for (int i = 0; i < n; i++) {
		int item = order ? order[from + i] : from + i;
		label[i] = s->label[item];
		for (int k = 0; k < PIXELS; k++)
			x[i * PIXELS + k] = (float)s->image[(size_t)item * PIXELS + (size_t)k] / 255;
	}
	return n;
}

static double
accuracy(const Set *s, const fashion_mlp_params *p, void *workspace)
{
	int right = 0;
	for (int from = 0, n; from < s->n; from += n) {
		n = load_batch(s, NULL, from);
		fashion_mlp_inputs in = {.x = x, .B = n};
		fashion_mlp_outputs out = {.logits = logits};
		if (fashion_mlp_infer(&in, p, &out, workspace))
			die("infer", "refused");
		for (int i = 0; i < n; i++) {
			int best = 0;
			for (int c = 1; c < CLASSES; c++)
				best = logits[i * CLASSES + c] > logits[i * CLASSES + best] ? c : best;
			right += best == label[i];
		}
	}
	return 100.0 * right / s->n;
}

int
main(int argc, char **argv)
{
	const char *dir = argc == 2 ? argv[1] : ".", *bar = "##############################";
	Set train = read_set(dir, "train-images-idx3-ubyte", "train-labels-idx1-ubyte");
	Set test = read_set(dir, "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte");
	fashion_mlp_params params;
	fashion_mlp_grads grads;
	fashion_mlp_optimizer opt = {.lr = 0.05f, .momentum = 0.9f};
	fashion_mlp_params_bind(&params, memory(FASHION_MLP_PARAMS_BYTES));
	fashion_mlp_grads_bind(&grads, memory(FASHION_MLP_GRADS_BYTES));
	fashion_mlp_optimizer_bind(&opt, memory(FASHION_MLP_OPTIMIZER_BYTES));
	fashion_mlp_params_init(&params, 1);
	void *train_space = memory(FASHION_MLP_TRAIN_WORKSPACE_BYTES), *infer_space = memory(FASHION_MLP_WORKSPACE_BYTES);

	uint64_t seed = 1;
	int *order = memory(sizeof *order * (size_t)train.n), tty = isatty(STDOUT_FILENO);
	for (int i = 0; i < train.n; i++)
		order[i] = i;
	for (int epoch = 1; epoch <= EPOCHS; epoch++) {
		double sum = 0;
		shuffle(order, train.n, &seed);
		for (int from = 0, n; from < train.n; from += n) {
			n = load_batch(&train, order, from);
			fashion_mlp_inputs in = {.x = x, .label = label, .B = n};
			fashion_mlp_outputs out = {.loss = &loss};
			if (fashion_mlp_train_step(&in, &params, &grads, &opt, &out, train_space))
				die("train_step", "refused");
			sum += (double)loss * n;
			if (tty)
				printf("\repoch %d [%-30.*s]", epoch, (int)(30LL * (from + n) / train.n), bar), fflush(stdout);
		}
		printf("%sepoch %d  loss %.4f  test accuracy %.2f %%\n", tty ? "\r\033[K" : "", epoch, sum / train.n,
			accuracy(&test, &params, infer_space));
		fflush(stdout);
	}
	return 0;
}

/* compose_unfold: unfold and fold: windows over images as columns of a matrix, and back.
 *
 * Both are views and sums over windows; each is the transpose of the other. */
#include "ir.h"

typedef struct Patches {
	int first;                     /* dimension H of the image */
	int64_t size[2];
	WindowMap map[2];
} Patches;

enum { U_SIZE, U_DILATION, U_PADDING, U_STRIDE, U_OUTPUT };

static int64_t
taps(const Patches *p)
{
	return mul_sat(p->size[0], p->size[1]);
}

/* windows over two dimensions of these sizes; false after an error */
static bool
patches(Node *n, const int64_t *space, Patches *p)
{
	int64_t stride[2], low[2], dilation[2];

	if (!per_dim(n, U_SIZE, 2, p->size) || !per_dim(n, U_STRIDE, 2, stride) || !per_dim(n, U_PADDING, 2, low)
		|| !per_dim(n, U_DILATION, 2, dilation) || !numbers_from(n, "kernel_size", p->size, 2, 1)
		|| !numbers_from(n, "stride", stride, 2, 1) || !numbers_from(n, "padding", low, 2, 0)
		|| !numbers_from(n, "dilation", dilation, 2, 1))
		return false;
	for (int k = 0; k < 2; k++) {
		int64_t count = window_count(space[k], p->size[k], dilation[k], stride[k], low[k], false);
		if (count < 1) {
			type_error(n, "windows of %lld, padding %lld, do not fit into %lld elements", (long long)p->size[k],
				(long long)low[k], (long long)space[k]);
			return false;
		}
		p->map[k] = (WindowMap){.count = count, .stride = stride[k], .dilation = dilation[k], .low = low[k],
			.spacing = 1};
	}
	return true;
}

static bool
unfold_windows(Node *n, Patches *p)
{
	const Type *t = &n->in[0]->type;
	int64_t space[2];

	p->first = t->rank - 2;
	if (t->rank != 3 && t->rank != 4) {
		type_error_in(n, 0, "%s is %s, must be [N,C,H,W]", nn(n->in[0]), tt(n->in[0]));
		return false;
	}
	for (int k = 0; k < 2; k++) {
		if (t->dim[p->first + k].sym) {
			type_error_in(n, 0, "%s is %s: a spatial dimension depends on a symbol", nn(n->in[0]), tt(n->in[0]));
			return false;
		}
		space[k] = t->dim[p->first + k].k;
	}
	return patches(n, space, p);
}

static void
unfold_shape(Node *n)
{
	Type t = n->in[0]->type;
	Patches p = {0};

	if (!unfold_windows(n, &p))
		return;
	t.rank = p.first + 1;
	if (!dim_mul(t.dim[p.first - 1], DIM(taps(&p)), &t.dim[p.first - 1])) {
		type_error(n, "sizes overflow");
		return;
	}
	t.dim[p.first] = DIM(p.map[0].count * p.map[1].count);
	if (type_fits(n, &t))
		n->type = t;
}

/* [N,C,windows,taps] as [N,C*taps,windows] */
static void
unfold_compose(Node *n, bool training, Node **res)
{
	Patches p = {0};
	int perm[MAXRANK];

	(void)training;
	unfold_windows(n, &p);
	for (int i = 0; i < p.first; i++)
		perm[i] = i;
	for (int k = 0; k < 2; k++) {
		perm[p.first + k] = p.first + 2 + k;
		perm[p.first + 2 + k] = p.first + k;
	}
	res[0] = Reshape(Permute(Windows(n->in[0], p.first, 2, p.size, p.map), perm), n->type.dim, n->type.rank);
}

static bool
fold_windows(Node *n, Patches *p, int64_t *space)
{
	const Type *t = &n->in[0]->type;
	Dim channels;

	p->first = t->rank - 1;
	if (t->rank != 2 && t->rank != 3) {
		type_error_in(n, 0, "%s is %s, must be [N,C*taps,windows]", nn(n->in[0]), tt(n->in[0]));
		return false;
	}
	if (!per_dim(n, U_OUTPUT, 2, space) || !numbers_from(n, "output_size", space, 2, 1) || !patches(n, space, p))
		return false;
	if (dim_div(t->dim[p->first - 1], DIM(taps(p)), &channels)
		&& dim_eq(t->dim[p->first], DIM(p->map[0].count * p->map[1].count)))
		return true;
	type_error(n, "%s is %s: %lld windows of %lld taps each are needed", nn(n->in[0]), tt(n->in[0]),
		(long long)(p->map[0].count * p->map[1].count), (long long)taps(p));
	return false;
}

static void
fold_shape(Node *n)
{
	Type t = n->in[0]->type;
	int64_t space[2];
	Patches p = {0};

	if (!fold_windows(n, &p, space))
		return;
	dim_div(t.dim[p.first - 1], DIM(taps(&p)), &t.dim[p.first - 1]);
	t.dim[t.rank - 1] = DIM(space[0]);
	t.dim[t.rank++] = DIM(space[1]);
	if (type_fits(n, &t))
		n->type = t;
}

static void
fold_compose(Node *n, bool training, Node **res)
{
	Dim dim[MAXRANK];
	int64_t space[2];
	int perm[MAXRANK];
	Patches p = {0};

	(void)training;
	fold_windows(n, &p, space);
	for (int i = 0; i < p.first; i++) {
		dim[i] = n->type.dim[i];
		perm[i] = i;
	}
	for (int k = 0; k < 2; k++) {
		dim[p.first + k] = DIM(p.size[k]);
		dim[p.first + 2 + k] = DIM(p.map[k].count);
		perm[p.first + k] = p.first + 2 + k;
		perm[p.first + 2 + k] = p.first + k;
	}
	res[0] = Permute(Reshape(n->in[0], dim, p.first + 4), perm);
	res[0] = WindowsTransposed(res[0], p.first, 2, p.size, p.map, &n->type.dim[p.first]);
}

#define PATCH_ATTRS \
	[U_SIZE]     = {"kernel_size", A_INTS, NULL, "sizes of a window", NULL}, \
	[U_DILATION] = {"dilation", A_INTS, "1", "distance of a window's elements", NULL}, \
	[U_PADDING]  = {"padding", A_INTS, "0", "zeros around the image on all sides", NULL}, \
	[U_STRIDE]   = {"stride", A_INTS, "1", "steps of the window", NULL}
static const AttrSpec unfold_attr[] = {
	PATCH_ATTRS,
	{0}
};
static const AttrSpec fold_attr[] = {
	PATCH_ATTRS,
	[U_OUTPUT] = {"output_size", A_INTS, NULL, "sizes of the image", NULL},
	{0}
};
const Op op_unfold = {.name = "unfold", .id = OP_unfold, .kind = COMPOSITE, .min_in = 1, .max_in = 1,
	.attr = unfold_attr, .operands = "input", .doc = "[N,C,H,W] as columns of windows: [N,C*taps,windows]",
	.shape = unfold_shape, .compose = unfold_compose};
const Op op_fold = {.name = "fold", .id = OP_fold, .kind = COMPOSITE, .min_in = 1, .max_in = 1,
	.attr = fold_attr, .operands = "input",
	.doc = "columns of windows [N,C*taps,windows] added into images [N,C,H,W]",
	.shape = fold_shape, .compose = fold_compose};

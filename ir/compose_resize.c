/* compose_resize: images of other sizes: interpolate, pixel_shuffle and its kin.
 *
 * Interpolation is done one dimension after the other. Linear and cubic ones are products
 * with a constant matrix of weights, whose transpose is the gradient; the nearest
 * neighbour of a whole multiple repeats elements in place, and is a gather else.
 * Coordinates and weights are PyTorch's; those of bicubic are of Keys (1981) with a = -0.75. */
#include "ir.h"

#include <math.h>
#include <string.h>

enum { IN_SIZE, IN_SCALE, IN_MODE, IN_CORNERS };

typedef enum Mode { NEAREST, NEAREST_EXACT, AREA, LINEAR, CUBIC } Mode;
static const struct { const char *word; Mode mode; int space; } modes[] = {    /* space 0: any */
	{"nearest", NEAREST, 0}, {"nearest-exact", NEAREST_EXACT, 0}, {"area", AREA, 0},
	{"linear", LINEAR, 1}, {"bilinear", LINEAR, 2}, {"trilinear", LINEAR, 3}, {"bicubic", CUBIC, 2},
};

static int
mode_index(const Node *n)
{
	int i = 0;

	while (strcmp(modes[i].word, attr(n, IN_MODE)->s))
		i++;
	return i;
}

/* sizes of the spatial dimensions of the result; false after an error */
static bool
new_sizes(Node *n, int64_t *size)
{
	int space = n->in[0]->type.rank - 2;

	if (attr(n, IN_SIZE)->set)
		return per_dim(n, IN_SIZE, space, size) && numbers_from(n, "size", size, space, 1);
	for (int k = 0; k < space; k++) {
		double s = floor((double)n->in[0]->type.dim[k + 2].k * attr(n, IN_SCALE)->f);
		size[k] = s >= 1 && s <= INT32_MAX ? (int64_t)s : 0;
	}
	return numbers_from(n, "size", size, space, 1);
}

static void
interpolate_shape(Node *n)
{
	Type t = n->in[0]->type;
	int64_t size[MAXSPACE];
	int space = t.rank - 2, m = mode_index(n);

	if (!float_operand(n, 0))
		return;
	if (space < 1 || space > MAXSPACE || (modes[m].space && modes[m].space != space)) {
		type_error_in(n, 0, "%s is %s: %s is for [N,C,...] with %s", nn(n->in[0]), tt(n->in[0]), modes[m].word,
			modes[m].space ? arena_fmt(n->g->arena, "%d spatial dimensions", modes[m].space)
			: "one to three spatial dimensions");
		return;
	}
	for (int k = 0; k < space; k++)
		if (t.dim[k + 2].sym || !t.dim[k + 2].k) {
			type_error_in(n, 0, "%s is %s: a spatial dimension %s", nn(n->in[0]), tt(n->in[0]),
				t.dim[k + 2].sym ? "depends on a symbol" : "is empty");
			return;
		}
	if (!attr(n, IN_SIZE)->set && !attr(n, IN_SCALE)->set) {
		type_error(n, "one of \"size\" and \"scale_factor\" is needed");
		return;
	}
	if (attr(n, IN_CORNERS)->i && modes[m].mode < LINEAR) {
		type_error(n, "\"align_corners\" does not go with %s", modes[m].word);
		return;
	}
	if (!new_sizes(n, size))
		return;
	for (int k = 0; k < space; k++)
		t.dim[k + 2] = DIM(size[k]);
	if (type_fits(n, &t))
		n->type = t;
}

/* input positions from one element of the result to the next */
static double
step_of(const Node *n, int64_t from, int64_t to)
{
	if (attr(n, IN_CORNERS)->i)
		return to > 1 ? (double)(from - 1) / (double)(to - 1) : 0;
	return attr(n, IN_SCALE)->set && attr(n, IN_SCALE)->f > 0 ? 1 / attr(n, IN_SCALE)->f : (double)from / (double)to;
}

/* ---- nearest ---- */

/* single precision, as in PyTorch */
static int64_t
nearest_index(int64_t o, int64_t from, double step, bool exact)
{
	float at = floorf(((float)o + (exact ? 0.5f : 0)) * (float)step);

	return MIN((int64_t)at, from - 1);
}

/* each element several times, one after the other */
static Node *
repeated(Node *x, int dim, int64_t times)
{
	Dim d[MAXRANK];
	int rank = x->type.rank;

	x = Unsqueeze(x, dim + 1);
	memcpy(d, x->type.dim, sizeof d);
	d[dim + 1] = DIM(times);
	x = Expand(x, d, rank + 1);
	for (int i = dim + 1; i < rank; i++)
		d[i] = d[i + 1];
	d[dim].k *= times;
	return Reshape(x, d, rank);
}

static Node *
resize_nearest(const Node *n, Node *x, int dim, int64_t to, bool exact)
{
	int64_t from = x->type.dim[dim].k, times = to % from == 0 ? to / from : 0;
	double *at = NEW(x->g->arena, to, double), step = step_of(n, from, to);
	Type t = {.dt = I64, .rank = 1, .dim = {DIM(to)}};
	const Op *op = op_get(OP_index_select);
	Attr *a = attrs_new(x->g, op);

	for (int64_t o = 0; o < to; o++) {
		at[o] = (double)nearest_index(o, from, step, exact);
		if (times && at[o] != (double)(o / times))
			times = 0;
	}
	if (times)
		return repeated(x, dim, times);
	set_int(op, a, "dim", dim);
	return node(x->g, op, (Node *[]){x, Data(x->g, t, at)}, 2, a);
}

/* ---- linear and cubic ---- */

/* weight of an element at distance t of a cubic convolution */
static double
cubic(double t)
{
	const double a = -0.75;

	t = fabs(t);
	if (t <= 1)
		return ((a + 2) * t - (a + 3)) * t * t + 1;
	return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0;
}

/* adds to row the weights of the elements around position `at`; those beyond the border are the border */
static void
put_weights(double *row, int64_t n, double at, Mode mode)
{
	int64_t first = (int64_t)floor(at), reach = mode == CUBIC ? 2 : 1;

	for (int64_t i = first - reach + 1; i <= first + reach; i++) {
		double t = at - (double)i;
		row[MIN(MAX(i, 0), n - 1)] += mode == CUBIC ? cubic(t) : 1 - fabs(t);
	}
}

static Node *
resize_weighted(const Node *n, Node *x, int dim, int64_t to, Mode mode)
{
	int64_t from = x->type.dim[dim].k;
	double *w = NEW(x->g->arena, to * from, double), step = step_of(n, from, to);
	char in[] = "abcdefgh", out[] = "abcdefgh";
	Type t = {.dt = x->type.dt, .rank = 2, .dim = {DIM(to), DIM(from)}};

	for (int64_t o = 0; o < to; o++) {
		double at = attr(n, IN_CORNERS)->i ? (double)o * step : ((double)o + 0.5) * step - 0.5;
		put_weights(w + o * from, from, mode == LINEAR ? MAX(at, 0) : at, mode);
	}
	in[x->type.rank] = out[x->type.rank] = 0;
	out[dim] = 'z';
	return Dot(arena_fmt(x->g->arena, "%s,z%c->%s", in, in[dim], out), x, Data(x->g, t, w));
}

static Node *
resize_area(Node *x, const int64_t *size, int space)
{
	static const int pool[] = {0, OP_adaptive_avg_pool1d, OP_adaptive_avg_pool2d, OP_adaptive_avg_pool3d};
	const Op *op = op_get(pool[space]);
	Attr *a = attrs_new(x->g, op);

	set_ints(x->g, op, a, "output_size", size, space);
	return node(x->g, op, &x, 1, a);
}

static void
interpolate_compose(Node *n, bool training, Node **res)
{
	Mode mode = modes[mode_index(n)].mode;
	int space = n->type.rank - 2;
	int64_t size[MAXSPACE];
	Node *x = n->in[0];

	(void)training;
	new_sizes(n, size);
	if (mode == AREA) {
		res[0] = resize_area(x, size, space);
		return;
	}
	for (int k = 0; k < space; k++)
		x = mode <= NEAREST_EXACT ? resize_nearest(n, x, k + 2, size[k], mode == NEAREST_EXACT)
			: resize_weighted(n, x, k + 2, size[k], mode);
	res[0] = x;
}

static const AttrSpec interpolate_attr[] = {
	[IN_SIZE]    = {"size", A_INTS, "null", "sizes of the result's spatial dimensions; null: multiplied by scale_factor and rounded down", NULL},
	[IN_SCALE]   = {"scale_factor", A_NUM, "null", "also the inverse distance of positions; null: size / the input's size", NULL},
	[IN_MODE]    = {"mode", A_STR, "\"nearest\"", "how", "nearest nearest-exact area linear bilinear trilinear bicubic"},
	[IN_CORNERS] = {"align_corners", A_BOOL, "false", "the outermost elements keep their places", NULL},
	{0}
};
const Op op_interpolate = {.name = "interpolate", .id = OP_interpolate, .kind = COMPOSITE, .min_in = 1, .max_in = 1,
	.cost = 1, .attr = interpolate_attr, .operands = "input",
	.doc = "[N,C,...] with spatial dimensions of other sizes",
	.shape = interpolate_shape, .compose = interpolate_compose};

/* ---- pixel_shuffle, pixel_unshuffle, channel_shuffle ---- */

/* of [...,C,H,W] with the factor r: false after an error */
static bool
shuffle_type(Node *n, int64_t r, bool up, Type *t)
{
	const Type *in = &n->in[0]->type;
	int c = in->rank - 3;
	bool fits;

	*t = *in;
	if (in->rank < 3 || in->rank > MAXRANK - 2 || r < 1 || r > INT16_MAX) {
		type_error_in(n, 0, "%s is %s, must be [...,C,H,W], and the factor at least 1", nn(n->in[0]), tt(n->in[0]));
		return false;
	}
	if (up)
		fits = dim_div(in->dim[c], DIM(r * r), &t->dim[c]) && dim_mul(in->dim[c + 1], DIM(r), &t->dim[c + 1])
			&& dim_mul(in->dim[c + 2], DIM(r), &t->dim[c + 2]);
	else
		fits = dim_mul(in->dim[c], DIM(r * r), &t->dim[c]) && dim_div(in->dim[c + 1], DIM(r), &t->dim[c + 1])
			&& dim_div(in->dim[c + 2], DIM(r), &t->dim[c + 2]);
	if (!fits)
		type_error_in(n, 0, "%s is %s: %s %lld", nn(n->in[0]), tt(n->in[0]),
			up ? "its channels are no multiple of the square of" : "H and W are no multiples of", (long long)r);
	return fits;
}

static void
pixel_shuffle_shape(Node *n)
{
	Type t;

	if (shuffle_type(n, attr(n, 0)->i, true, &t) && type_fits(n, &t))
		n->type = t;
}

static void
pixel_unshuffle_shape(Node *n)
{
	Type t;

	if (shuffle_type(n, attr(n, 0)->i, false, &t) && type_fits(n, &t))
		n->type = t;
}

/* The last dimensions of x, seen as `dim`, in another order; those before them stay. */
static Node *
rearranged(Node *x, int keep, const Dim *dim, const int *order, int count)
{
	Dim d[MAXRANK];
	int perm[MAXRANK];

	for (int i = 0; i < keep + count; i++) {
		d[i] = i < keep ? x->type.dim[i] : dim[i - keep];
		perm[i] = i < keep ? i : keep + order[i - keep];
	}
	return Permute(Reshape(x, d, keep + count), perm);
}

/* [C,r,r,H,W] as [C,H,r,W,r] */
static void
pixel_shuffle_compose(Node *n, bool training, Node **res)
{
	int c = n->type.rank - 3;
	Dim r = DIM(attr(n, 0)->i), *in = n->in[0]->type.dim, dim[] = {n->type.dim[c], r, r, in[c + 1], in[c + 2]};

	(void)training;
	res[0] = Reshape(rearranged(n->in[0], c, dim, (int[]){0, 3, 1, 4, 2}, 5), n->type.dim, n->type.rank);
}

/* [C,H,r,W,r] as [C,r,r,H,W] */
static void
pixel_unshuffle_compose(Node *n, bool training, Node **res)
{
	int c = n->type.rank - 3;
	Dim r = DIM(attr(n, 0)->i), *in = n->in[0]->type.dim, dim[] = {in[c], n->type.dim[c + 1], r, n->type.dim[c + 2], r};

	(void)training;
	res[0] = Reshape(rearranged(n->in[0], c, dim, (int[]){0, 2, 4, 1, 3}, 5), n->type.dim, n->type.rank);
}

static void
channel_shuffle_shape(Node *n)
{
	const Type *t = &n->in[0]->type;
	int64_t groups = attr(n, 0)->i;
	Dim each;

	if (t->rank < 3 || t->rank == MAXRANK || groups < 1 || !dim_div(t->dim[1], DIM(groups), &each))
		type_error(n, "%s is %s, must be [N,C,...] with channels that make %lld groups", nn(n->in[0]), tt(n->in[0]),
			(long long)groups);
	else
		n->type = *t;
}

/* [groups,C/groups,...] as [C/groups,groups,...] */
static void
channel_shuffle_compose(Node *n, bool training, Node **res)
{
	Dim dim[MAXRANK], groups = DIM(attr(n, 0)->i);
	int order[MAXRANK] = {1, 0}, count = n->type.rank;

	(void)training;
	dim[0] = groups;
	dim_div(n->type.dim[1], groups, &dim[1]);
	for (int i = 2; i < count; i++) {
		dim[i] = n->type.dim[i];
		order[i] = i;
	}
	res[0] = Reshape(rearranged(n->in[0], 1, dim, order, count), n->type.dim, n->type.rank);
}

static const AttrSpec upscale_attr[] = {
	{"upscale_factor", A_INT, NULL, "of each of H and W", NULL},
	{0}
};
static const AttrSpec downscale_attr[] = {
	{"downscale_factor", A_INT, NULL, "of each of H and W", NULL},
	{0}
};
static const AttrSpec groups_attr[] = {
	{"groups", A_INT, NULL, "whose channels are dealt out in turn", NULL},
	{0}
};
#define SHUFFLE(name_, attrs, what) \
const Op op_##name_ = {.name = #name_, .id = OP_##name_, .kind = COMPOSITE, .min_in = 1, .max_in = 1, .attr = attrs, \
	.operands = "input", .doc = what, .shape = name_##_shape, .compose = name_##_compose}
SHUFFLE(pixel_shuffle, upscale_attr, "[...,C*r*r,H,W] as [...,C,H*r,W*r]");
SHUFFLE(pixel_unshuffle, downscale_attr, "[...,C,H*r,W*r] as [...,C*r*r,H,W]");
SHUFFLE(channel_shuffle, groups_attr, "[N,C,...] with the channels of groups dealt out in turn");

/* compose_conv: convolutions and their transposes.
 *
 * `convolution` is all of them: a contraction of the weight with windows over the input
 * (implicit GEMM: Chetlur et al., cuDNN, 2014, section 3), where windows are the view of
 * op_window.c. Its gradient with respect to the input is a convolution by the transposed
 * window map and a weight whose channels change places; that with respect to
 * the weight, `convolution_weight`, contracts the cotangent with the same windows. The
 * two are closed under differentiation, so that no order of derivative ever adds up
 * windows that lie in memory. conv1d and its kin say the same with PyTorch's attributes.
 *
 * Inputs are [N,C,...], weights [C_out,C_in/groups,...]. */
#include "ir.h"

#include <stdio.h>
#include <string.h>

typedef struct Conv {
	int space;                     /* spatial dimensions */
	int64_t groups;
	int64_t size[MAXSPACE];        /* of the weight */
	WindowMap map[MAXSPACE];
} Conv;

/* ---- labels ---- */

/* Dimensions of the operands: N, groups, channels of a group, then spatial ones. Groups of one channel, and one group,
 * have no dimension, so that three spatial ones and their taps fit. */
static bool
has_group(const Conv *c)
{
	return c->groups > 1;
}

static Dim
per_group(const Conv *c, Dim channels)
{
	Dim d;

	if (!dim_div(channels, DIM(c->groups), &d))
		bug("convolution: channels that do not make %lld groups", (long long)c->groups);
	return d;
}

/* [N,C,...] as [N,groups,C/groups,...]; without dimensions that the labels leave out */
static Node *
grouped(const Conv *c, Node *x, bool deep)
{
	Dim dim[MAXRANK];
	int rank = 0;

	if (!has_group(c))
		return x;
	dim[rank++] = x->type.dim[0];
	dim[rank++] = DIM(c->groups);
	if (deep)
		dim[rank++] = per_group(c, x->type.dim[1]);
	for (int i = 2; i < x->type.rank; i++)
		dim[rank++] = x->type.dim[i];
	return Reshape(x, dim, rank);
}

/* the taps, last dimensions of x, as one where there would be too many labels */
static Node *
joined_taps(const Conv *c, Node *x)
{
	Dim dim[MAXRANK], taps = DIM(1);
	int rank = x->type.rank - c->space;

	for (int i = 0; i < c->space; i++)
		dim_mul(taps, DIM(c->size[i]), &taps);
	memcpy(dim, x->type.dim, (size_t)rank * sizeof *dim);
	dim[rank++] = taps;
	return Reshape(x, dim, rank);
}

static bool
joins_taps(const Conv *c, bool deep)
{
	return has_group(c) && deep && c->space == MAXSPACE;
}

/* windows over x, [N,groups,C/groups,spatial,taps] */
static Node *
windows(const Conv *c, Node *x, bool deep)
{
	Node *w;

	if (!joins_taps(c, deep)) {
		x = grouped(c, x, deep);
		return Windows(x, x->type.rank - c->space, c->space, c->size, c->map);
	}
	w = joined_taps(c, Windows(x, 2, c->space, c->size, c->map));
	return grouped(c, w, deep);
}

/* [groups*O,C,taps] as [groups,O,C,taps]; without C where a group has one channel */
static Node *
grouped_weight(const Conv *c, Node *w, bool deep)
{
	Dim dim[MAXRANK];
	int rank = 0;

	if (joins_taps(c, deep))
		w = joined_taps(c, w);
	if (has_group(c))
		dim[rank++] = DIM(c->groups);
	dim[rank++] = per_group(c, w->type.dim[0]);
	if (deep)
		dim[rank++] = w->type.dim[1];
	for (int i = 2; i < w->type.rank; i++)
		dim[rank++] = w->type.dim[i];
	return Reshape(w, dim, rank);
}

/* groups of one channel: there is nothing to sum over but taps */
static bool
is_deep(const Conv *c, Dim channels_of_group)
{
	return !has_group(c) || !dim_one(channels_of_group);
}

typedef struct Labels { char x[16], w[16], y[16]; } Labels;

static Labels
labels(const Conv *c, bool deep)
{
	static const char space[] = "hwd", taps[] = "ijk";
	const char *g = has_group(c) ? "g" : "", *d = deep ? "c" : "";
	int ntaps = joins_taps(c, deep) ? 1 : c->space;
	Labels l;

	snprintf(l.x, sizeof l.x, "n%s%s%.*s%.*s", g, d, c->space, space, ntaps, taps);
	snprintf(l.w, sizeof l.w, "%so%s%.*s", g, d, ntaps, taps);
	snprintf(l.y, sizeof l.y, "n%so%.*s", g, c->space, space);
	return l;
}

/* ---- convolution, convolution_weight ---- */

enum { C_GROUPS, C_STRIDE, C_DILATION, C_LOW, C_SPACING, C_SIZE };

/* the attributes; sizes are the counts of windows (convolution) or those of the weight */
static bool
conv_attrs(Node *n, Conv *c, int64_t *size)
{
	int64_t v[4][MAXSPACE];

	c->space = n->in[0]->type.rank - 2;
	c->groups = attr(n, C_GROUPS)->i;
	for (int i = 0; i < 4; i++)
		if (!per_dim(n, C_STRIDE + i, c->space, v[i]))
			return false;
	for (int k = 0; k < c->space; k++)
		c->map[k] = (WindowMap){.stride = v[0][k], .dilation = v[1][k], .low = v[2][k], .spacing = v[3][k]};
	return per_dim(n, C_SIZE, c->space, size);
}

static Conv
conv_of(Node *n)
{
	Conv c = {0};
	int64_t size[MAXSPACE];
	bool forward = n->op->id == OP_convolution;

	conv_attrs(n, &c, size);
	for (int k = 0; k < c.space; k++) {
		c.size[k] = forward ? n->in[1]->type.dim[k + 2].k : size[k];
		c.map[k].count = forward ? size[k] : n->in[1]->type.dim[k + 2].k;
	}
	return c;
}

static bool
has_space(Node *n, int i)
{
	const Type *t = &n->in[i]->type;

	if (t->rank < 3 || t->rank > MAXSPACE + 2) {
		type_error_in(n, i, "%s is %s, must have one to three dimensions behind the first two", nn(n->in[i]),
			tt(n->in[i]));
		return false;
	}
	for (int d = 2; d < t->rank; d++)
		if (t->dim[d].sym) {
			type_error_in(n, i, "%s is %s: a spatial dimension depends on a symbol", nn(n->in[i]), tt(n->in[i]));
			return false;
		}
	return true;
}

/* both operands are floats or integers of one dtype, with equally many known spatial dimensions */
static bool
operands_agree(Node *n)
{
	if (!has_space(n, 0) || !has_space(n, 1) || !same_dtype(n, 0))
		return false;
	if (n->in[0]->type.dt == BOOL) {
		type_error_in(n, 0, "%s is %s; contractions take floats and integers", nn(n->in[0]), tt(n->in[0]));
		return false;
	}
	if (n->in[0]->type.rank == n->in[1]->type.rank)
		return true;
	type_error(n, "ranks differ: %s is %s, %s is %s", nn(n->in[0]), tt(n->in[0]), nn(n->in[1]), tt(n->in[1]));
	return false;
}

/* the channels of each are divided into groups; false after an error */
static bool
divides(Node *n, int i, int dim, int64_t groups, Dim *each)
{
	Dim d = n->in[i]->type.dim[dim];

	if (groups > 0 && dim_div(d, DIM(groups), each))
		return true;
	type_error_in(n, i, "%s is %s: its %s channels do not make %lld groups", nn(n->in[i]), tt(n->in[i]),
		dim_text(n->g->arena, n->g, d), (long long)groups);
	return false;
}

static bool
map_valid(Node *n, const Conv *c, const int64_t *size)
{
	for (int k = 0; k < c->space; k++) {
		const WindowMap *m = &c->map[k];
		int64_t far[] = {m->dilation < 0 ? -m->dilation : m->dilation, m->low < 0 ? -m->low : m->low};
		if (!numbers_from(n, "stride", &m->stride, 1, 1) || !numbers_from(n, "spacing", &m->spacing, 1, 1)
			|| !numbers_from(n, "dilation", &far[0], 1, 0) || !numbers_from(n, "low", &far[1], 1, 0)
			|| !numbers_from(n, n->op->attr[C_SIZE].name, &size[k], 1, 0))
			return false;
	}
	return true;
}

static void
convolution_shape(Node *n)
{
	const Type *w = &n->in[1]->type;
	Type t = n->in[0]->type;
	int64_t size[MAXSPACE];
	Conv c = {0};
	Dim in, out;

	if (!operands_agree(n) || !conv_attrs(n, &c, size) || !map_valid(n, &c, size) || !divides(n, 0, 1, c.groups, &in)
		|| !divides(n, 1, 0, c.groups, &out))
		return;
	if (!dim_eq(in, w->dim[1])) {
		type_error_in(n, 1, "input channels differ: %s is %s, %s is %s, in %lld groups", nn(n->in[0]), tt(n->in[0]),
			nn(n->in[1]), tt(n->in[1]), (long long)c.groups);
		return;
	}
	t.dim[1] = w->dim[0];
	for (int k = 0; k < c.space; k++)
		t.dim[k + 2] = DIM(size[k]);
	if (type_fits(n, &t))
		n->type = t;
}

/* One channel in, one out in each group: products summed over taps, which share a kernel with what is pointwise
 * around them; a contraction would have rows of one column. */
static Node *
depthwise(const Conv *c, Node *x, Node *w)
{
	int taps[MAXSPACE];
	Dim dim[MAXRANK];
	int rank = 0;

	x = windows(c, x, false);
	dim[rank++] = DIM(c->groups);
	for (int k = 0; k < c->space; k++)
		dim[rank++] = DIM(1);
	for (int k = 0; k < c->space; k++) {
		taps[k] = x->type.rank - c->space + k;
		dim[rank++] = DIM(c->size[k]);
	}
	return Cast(Sum(Mul(x, Reshape(w, dim, rank)), taps, c->space, false), x->type.dt);
}

static void
convolution_compose(Node *n, bool training, Node **res)
{
	Conv c = conv_of(n);
	bool deep = is_deep(&c, n->in[1]->type.dim[1]);
	Labels l = labels(&c, deep);
	Node *x = n->in[0], *w = n->in[1];

	(void)training;
	if (!deep && dim_eq(w->type.dim[0], DIM(c.groups)))
		x = depthwise(&c, x, w);
	else
		x = Dot(arena_fmt(n->g->arena, "%s,%s->%s", l.x, l.w, l.y), windows(&c, x, deep), grouped_weight(&c, w, deep));
	res[0] = Reshape(x, n->type.dim, n->type.rank);
}

static Node *
conv_node(int id, Node *a, Node *b, const Conv *c, const int64_t *size)
{
	Graph *g = a->g;
	const Op *op = op_get(id);
	Attr *attrs = attrs_new(g, op);
	int64_t v[4][MAXSPACE];

	for (int k = 0; k < c->space; k++) {
		v[0][k] = c->map[k].stride;
		v[1][k] = c->map[k].dilation;
		v[2][k] = c->map[k].low;
		v[3][k] = c->map[k].spacing;
	}
	set_int(op, attrs, "groups", c->groups);
	for (int i = 0; i < 4; i++)
		set_ints(g, op, attrs, op->attr[C_STRIDE + i].name, v[i], c->space);
	set_ints(g, op, attrs, op->attr[C_SIZE].name, size, c->space);
	return node(g, op, (Node *[]){a, b}, 2, attrs);
}

static Node *
Convolution(Node *x, Node *w, const Conv *c)
{
	int64_t count[MAXSPACE];

	for (int k = 0; k < c->space; k++)
		count[k] = c->map[k].count;
	return conv_node(OP_convolution, x, w, c, count);
}

static Node *
ConvolutionWeight(Node *x, Node *g, const Conv *c)
{
	return conv_node(OP_convolution_weight, x, g, c, c->size);
}

/* the weight of the transposed map: in each group, channels of input and output change places */
static Node *
swap_channels(const Conv *c, Node *w)
{
	Dim out = per_group(c, w->type.dim[0]), in = w->type.dim[1], dim[MAXRANK];
	int rank = w->type.rank;

	dim[0] = DIM(c->groups);
	dim[1] = out;
	for (int i = 1; i < rank; i++)
		dim[i + 1] = w->type.dim[i];
	w = Transpose(Reshape(w, dim, rank + 1), 1, 2);
	memmove(dim, w->type.dim, sizeof dim);
	if (!dim_mul(in, DIM(c->groups), &dim[1]))
		bug("convolution: an overflowing number of channels");
	return Reshape(w, dim + 1, rank);
}

/* the cotangent of the input of a convolution whose output has cotangent g */
static Node *
input_cotangent(Node *g, Node *w, Conv c, const Type *x)
{
	for (int k = 0; k < c.space; k++)
		c.map[k] = window_transposed(c.map[k], x->dim[k + 2].k);
	return Convolution(g, swap_channels(&c, w), &c);
}

static void
convolution_vjp(Node *y, Node *const *g, Node **d)
{
	Conv c = conv_of(y);

	d[0] = input_cotangent(g[0], y->in[1], c, &y->in[0]->type);
	d[1] = ConvolutionWeight(y->in[0], g[0], &c);
}

static void
convolution_weight_shape(Node *n)
{
	const Type *g = &n->in[1]->type;
	Type t = *g;
	int64_t size[MAXSPACE];
	Conv c = {0};
	Dim out;

	if (!operands_agree(n) || !conv_attrs(n, &c, size) || !map_valid(n, &c, size)
		|| !divides(n, 0, 1, c.groups, &t.dim[1]) || !divides(n, 1, 1, c.groups, &out))
		return;
	if (!dim_eq(n->in[0]->type.dim[0], g->dim[0])) {
		type_error(n, "batches differ: %s is %s, %s is %s", nn(n->in[0]), tt(n->in[0]), nn(n->in[1]), tt(n->in[1]));
		return;
	}
	t.dim[0] = g->dim[1];
	for (int k = 0; k < c.space; k++)
		t.dim[k + 2] = DIM(size[k]);
	if (type_fits(n, &t))
		n->type = t;
}

static void
convolution_weight_compose(Node *n, bool training, Node **res)
{
	Conv c = conv_of(n);
	bool deep = is_deep(&c, per_group(&c, n->in[0]->type.dim[1]));
	Labels l = labels(&c, deep);
	Node *g = n->in[1];

	(void)training;
	if (has_group(&c))
		g = grouped(&c, g, true);
	g = Dot(arena_fmt(n->g->arena, "%s,%s->%s", l.y, l.x, l.w), g, windows(&c, n->in[0], deep));
	res[0] = Reshape(g, n->type.dim, n->type.rank);
}

/* it is linear in both: as a convolution of the input by a weight h, its cotangent, and of that weight's */
static void
convolution_weight_vjp(Node *y, Node *const *h, Node **d)
{
	Conv c = conv_of(y);

	d[0] = input_cotangent(y->in[1], h[0], c, &y->in[0]->type);
	d[1] = Convolution(y->in[0], h[0], &c);
}

#define WINDOW_ATTRS \
	[C_GROUPS]   = {"groups", A_INT, "1", "into which channels are divided; each is convolved by itself", NULL}, \
	[C_STRIDE]   = {"stride", A_INTS, "1", "positions from one output to the next", NULL}, \
	[C_DILATION] = {"dilation", A_INTS, "1", "positions from one element of the weight to the next; may be negative", NULL}, \
	[C_LOW]      = {"low", A_INTS, "0", "positions before the input at which the first output is", NULL}, \
	[C_SPACING]  = {"spacing", A_INTS, "1", "positions from one element of the input to the next", NULL}

static const AttrSpec convolution_attr[] = {
	WINDOW_ATTRS,
	[C_SIZE] = {"count", A_INTS, NULL, "sizes of the result", NULL},
	{0}
};
const Op op_convolution = {.name = "convolution", .id = OP_convolution, .kind = COMPOSITE, .min_in = 2, .max_in = 2,
	.cost = 2, .attr = convolution_attr, .operands = "input weight",
	.doc = "[N,C,...] by a weight [C_out,C/groups,...], over windows as `window` has them: what convolutions are made of",
	.shape = convolution_shape, .compose = convolution_compose, .vjp = convolution_vjp};

static const AttrSpec convolution_weight_attr[] = {
	WINDOW_ATTRS,
	[C_SIZE] = {"size", A_INTS, NULL, "sizes of the weight", NULL},
	{0}
};
const Op op_convolution_weight = {.name = "convolution_weight", .id = OP_convolution_weight, .kind = COMPOSITE,
	.min_in = 2, .max_in = 2, .cost = 2, .attr = convolution_weight_attr, .operands = "input grad",
	.doc = "gradient of a convolution of the input with respect to its weight, from that with respect to its output",
	.shape = convolution_weight_shape, .compose = convolution_weight_compose, .vjp = convolution_weight_vjp};

/* ---- conv1d and its kin ---- */

enum { F_STRIDE, F_PADDING, F_DILATION, F_GROUPS, F_OUTPUT_PADDING };

/* an operand [C,...] is a batch of one */
static Node *
batched(Node *x, int space)
{
	return x->type.rank == space + 1 ? Unsqueeze(x, 0) : x;
}

/* padding before and after: as many numbers as spatial dimensions, or first those before and then those after */
static bool
padding_of(Node *n, int space, int64_t *low, int64_t *high)
{
	const Attr *a = attr(n, F_PADDING);

	if (a->n != 1 && a->n != space && a->n != 2 * space) {
		type_error(n, "\"padding\" has %d entries for %d spatial dimensions", a->n, space);
		return false;
	}
	for (int k = 0; k < space; k++) {
		low[k] = a->ints[a->n == 1 ? 0 : k];
		high[k] = a->n == 2 * space ? a->ints[space + k] : low[k];
	}
	return numbers_from(n, "padding", low, space, 0) && numbers_from(n, "padding", high, space, 0);
}

/* the shapes of [N,]C,... and the weight fit spatial dimensions; dim_out, dim_in: of the weight */
static bool
conv_operands(Node *n, int space, int dim_in, int64_t groups)
{
	const Type *x = &n->in[0]->type, *w = &n->in[1]->type;
	Dim each;

	if (x->rank != space + 1 && x->rank != space + 2) {
		type_error_in(n, 0, "%s is %s, must be [N,C,...] with %d spatial dimensions", nn(n->in[0]), tt(n->in[0]), space);
		return false;
	}
	if (w->rank != space + 2) {
		type_error_in(n, 1, "weight %s is %s, must have %d dimensions", nn(n->in[1]), tt(n->in[1]), space + 2);
		return false;
	}
	for (int k = 0; k < space; k++)
		if (x->dim[x->rank - 1 - k].sym || w->dim[w->rank - 1 - k].sym) {
			int i = x->dim[x->rank - 1 - k].sym == 0;
			type_error_in(n, i, "%s is %s: a spatial dimension depends on a symbol", nn(n->in[i]), tt(n->in[i]));
			return false;
		}
	if (!same_dtype(n, 0) || !divides(n, 0, x->rank - space - 1, groups, &each) || !divides(n, 1, 0, groups, &(Dim){0}))
		return false;
	if (dim_in ? dim_eq(each, w->dim[1]) : dim_eq(x->dim[x->rank - space - 1], w->dim[0]))
		return true;
	type_error_in(n, 1, "input channels differ: %s is %s, %s is %s, in %lld groups", nn(n->in[0]), tt(n->in[0]),
		nn(n->in[1]), tt(n->in[1]), (long long)groups);
	return false;
}

static bool
bias_fits(Node *n, Dim channels)
{
	const Type *b = n->nin > 2 ? &n->in[2]->type : NULL;

	if (!b || (b->rank == 1 && dim_eq(b->dim[0], channels)))
		return true;
	type_error_in(n, 2, "bias %s is %s, must be [%s]", nn(n->in[2]), tt(n->in[2]), dim_text(n->g->arena, n->g, channels));
	return false;
}

/* y + bias, where y is [N,C,...] */
static Node *
biased(const Node *n, Node *y)
{
	Dim dim[MAXRANK];

	if (n->nin < 3)
		return y;
	for (int i = 1; i < y->type.rank; i++)
		dim[i - 1] = i == 1 ? y->type.dim[1] : DIM(1);
	return Add(y, Reshape(n->in[2], dim, y->type.rank - 1));
}

/* the windows of node n; false after an error */
static bool
conv_windows(Node *n, Conv *c)
{
	const Type *x = &n->in[0]->type, *w = &n->in[1]->type;
	int64_t stride[MAXSPACE], dilation[MAXSPACE], low[MAXSPACE], high[MAXSPACE];

	c->space = spatial_dims(n->op);
	c->groups = attr(n, F_GROUPS)->i;
	if (!per_dim(n, F_STRIDE, c->space, stride) || !per_dim(n, F_DILATION, c->space, dilation)
		|| !padding_of(n, c->space, low, high) || !numbers_from(n, "stride", stride, c->space, 1)
		|| !numbers_from(n, "dilation", dilation, c->space, 1))
		return false;
	for (int k = 0; k < c->space; k++) {
		int64_t size = x->dim[x->rank - c->space + k].k, reach;
		c->size[k] = w->dim[k + 2].k;
		reach = size + low[k] + high[k] - dilation[k] * (c->size[k] - 1) - 1;
		if (reach < 0 || !c->size[k]) {
			type_error(n, "%s is %s: a weight %s with this padding and dilation does not fit into dimension %d",
				nn(n->in[0]), tt(n->in[0]), tt(n->in[1]), x->rank - c->space + k);
			return false;
		}
		c->map[k] = (WindowMap){.count = reach / stride[k] + 1, .stride = stride[k], .dilation = dilation[k],
			.low = low[k], .spacing = 1};
	}
	return true;
}

static void
result_shape(Node *n, const Conv *c, Dim channels)
{
	Type t = n->in[0]->type;

	t.dim[t.rank - c->space - 1] = channels;
	for (int k = 0; k < c->space; k++)
		t.dim[t.rank - c->space + k] = DIM(c->map[k].count);
	if (bias_fits(n, channels) && type_fits(n, &t))
		n->type = t;
}

static void
conv_shape(Node *n)
{
	Conv c = {0};

	if (conv_operands(n, spatial_dims(n->op), 1, attr(n, F_GROUPS)->i) && conv_windows(n, &c))
		result_shape(n, &c, n->in[1]->type.dim[0]);
}

static void
conv_compose(Node *n, bool training, Node **res)
{
	Conv c = {0};

	(void)training;
	conv_windows(n, &c);
	res[0] = Reshape(biased(n, Convolution(batched(n->in[0], c.space), n->in[1], &c)), n->type.dim, n->type.rank);
}

/* The transpose of a convolution with these attributes from the result to the input; false after an error */
static bool
transpose_windows(Node *n, Conv *c)
{
	const Type *x = &n->in[0]->type, *w = &n->in[1]->type;
	int64_t stride[MAXSPACE], dilation[MAXSPACE], low[MAXSPACE], high[MAXSPACE], more[MAXSPACE];

	c->space = spatial_dims(n->op);
	c->groups = attr(n, F_GROUPS)->i;
	if (!per_dim(n, F_STRIDE, c->space, stride) || !per_dim(n, F_DILATION, c->space, dilation)
		|| !per_dim(n, F_OUTPUT_PADDING, c->space, more) || !padding_of(n, c->space, low, high)
		|| !numbers_from(n, "stride", stride, c->space, 1) || !numbers_from(n, "dilation", dilation, c->space, 1)
		|| !numbers_from(n, "output_padding", more, c->space, 0))
		return false;
	for (int k = 0; k < c->space; k++) {
		int64_t size = x->dim[x->rank - c->space + k].k, count;
		WindowMap m = {.stride = stride[k], .dilation = dilation[k], .low = low[k], .spacing = 1};
		c->size[k] = w->dim[k + 2].k;
		count = (size - 1) * stride[k] - low[k] - high[k] + dilation[k] * (c->size[k] - 1) + more[k] + 1;
		if (count < 0 || !c->size[k] || !size) {
			type_error(n, "%s is %s: nothing is left of dimension %d", nn(n->in[0]), tt(n->in[0]),
				x->rank - c->space + k);
			return false;
		}
		c->map[k] = window_transposed(m, count);
	}
	return true;
}

static void
conv_transpose_shape(Node *n)
{
	Conv c = {0};
	Dim out;

	if (!conv_operands(n, spatial_dims(n->op), 0, attr(n, F_GROUPS)->i) || !transpose_windows(n, &c))
		return;
	if (!dim_mul(n->in[1]->type.dim[1], DIM(c.groups), &out))
		type_error(n, "the number of channels overflows");
	else
		result_shape(n, &c, out);
}

static void
conv_transpose_compose(Node *n, bool training, Node **res)
{
	Conv c = {0};
	Node *y;

	(void)training;
	transpose_windows(n, &c);
	y = Convolution(batched(n->in[0], c.space), swap_channels(&c, n->in[1]), &c);
	res[0] = Reshape(biased(n, y), n->type.dim, n->type.rank);
}

#define CONV_ATTRS \
	[F_STRIDE]   = {"stride", A_INTS, "1", "steps of the window", NULL}, \
	[F_PADDING]  = {"padding", A_INTS, "0", "zeros around the input, per spatial dimension; twice as many: all before it, then all behind", NULL}, \
	[F_DILATION] = {"dilation", A_INTS, "1", "distance of the weight's elements", NULL}, \
	[F_GROUPS]   = {"groups", A_INT, "1", "into which channels are divided; each is convolved by itself", NULL}
static const AttrSpec conv_attr[] = {
	CONV_ATTRS,
	{0}
};
static const AttrSpec conv_transpose_attr[] = {
	CONV_ATTRS,
	[F_OUTPUT_PADDING] = {"output_padding", A_INTS, "0", "more elements at the end of each spatial dimension", NULL},
	{0}
};

#define CONV(name_, attrs, what, shape_, compose_) \
const Op op_##name_ = {.name = #name_, .id = OP_##name_, .kind = COMPOSITE, .min_in = 2, .max_in = 3, .cost = 2, \
	.attr = attrs, .operands = "input weight bias", .doc = what, .shape = shape_, .compose = compose_}

CONV(conv1d, conv_attr, "[N,C,L] by a weight [C_out,C/groups,K]", conv_shape, conv_compose);
CONV(conv2d, conv_attr, "[N,C,H,W] by a weight [C_out,C/groups,KH,KW]", conv_shape, conv_compose);
CONV(conv3d, conv_attr, "[N,C,D,H,W] by a weight [C_out,C/groups,KD,KH,KW]", conv_shape, conv_compose);
CONV(conv_transpose1d, conv_transpose_attr, "the gradient of conv1d: [N,C,L] by a weight [C,C_out/groups,K]",
	conv_transpose_shape, conv_transpose_compose);
CONV(conv_transpose2d, conv_transpose_attr, "the gradient of conv2d: [N,C,H,W] by a weight [C,C_out/groups,KH,KW]",
	conv_transpose_shape, conv_transpose_compose);
CONV(conv_transpose3d, conv_transpose_attr, "the gradient of conv3d: [N,C,D,H,W] by a weight [C,C_out/groups,KD,KH,KW]",
	conv_transpose_shape, conv_transpose_compose);

/* compose_norm: standardize, layer_norm, rms_norm, group_norm, batch_norm.
 *
 * All are standardize, which has the closed derivative, and then a scale and a
 * shift. It needs x, its mean and the reciprocal of its deviation; value and
 * derivative build the last two by one function, so they are the same nodes,
 * and keeping two numbers a row is what the partitioner can choose. */
#include "ir.h"

#include <string.h>

/* ---- standardize ---- */

enum { STD_DIM, STD_CENTER, STD_EPS };

typedef struct Moments {
	Node *centered;        /* x - mean */
	Node *mean, *var;      /* of size 1 along dims; mean is NULL when not centered */
	Node *rstd;            /* 1 / sqrt(var + eps) */
} Moments;

/* two passes: the squares of differences, not the difference of squares */
static Moments
moments(Node *x, const int *dims, int n, bool center, double eps)
{
	Moments m = {.centered = x};

	if (center) {
		m.mean = Mean(x, dims, n, true);
		m.centered = Sub(x, m.mean);
	}
	m.var = Mean(Square(m.centered), dims, n, true);
	m.rstd = Rsqrt(Add(m.var, Lit(x, eps)));
	return m;
}

static void
standardize_shape(Node *n)
{
	int dims[MAXRANK];

	if (float_operand(n, 0) && norm_dims(n, STD_DIM, n->in[0]->type.rank, true, dims) >= 0)
		n->type = n->in[0]->type;
}

static Moments
moments_of(Node *n, int *dims, int *count)
{
	*count = norm_dims(n, STD_DIM, n->in[0]->type.rank, true, dims);
	return moments(Wide(n->in[0]), dims, *count, attr(n, STD_CENTER)->i, attr(n, STD_EPS)->f);
}

static void
standardize_compose(Node *n, bool training, Node **res)
{
	int dims[MAXRANK], count;
	Moments m = moments_of(n, dims, &count);

	(void)training;
	res[0] = Cast(Mul(m.centered, m.rstd), n->type.dt);
}

/* rstd * (g - mean(g) - y * mean(g * y)) (Ioffe, Szegedy 2015, section 3, with the sums put together) */
static void
standardize_vjp(Node *y, Node *const *gs, Node **d)
{
	int dims[MAXRANK], count;
	Moments m = moments_of(y, dims, &count);
	Node *g = Wide(gs[0]), *v = Mul(m.centered, m.rstd), *r = g;

	if (m.mean)
		r = Sub(r, Mean(g, dims, count, true));
	r = Sub(r, Mul(v, Mean(Mul(g, v), dims, count, true)));
	d[0] = Cast(Mul(m.rstd, r), y->type.dt);
}

static const AttrSpec standardize_attr[] = {
	[STD_DIM]    = {"dim", A_INTS, "null", "dimensions of the mean; null or [] is all", NULL},
	[STD_CENTER] = {"center", A_BOOL, "true", "subtract the mean", NULL},
	[STD_EPS]    = {"eps", A_NUM, "1e-05", "added to the mean square", NULL},
	{0}
};
const Op op_standardize = {.name = "standardize", .id = OP_standardize, .kind = COMPOSITE, .min_in = 1, .max_in = 1,
	.attr = standardize_attr, .operands = "input",
	.doc = "(x - mean(x)) / sqrt(mean((x - mean(x))^2) + eps), means over dim",
	.shape = standardize_shape, .compose = standardize_compose, .vjp = standardize_vjp};

static Node *
Standardize(Node *x, const int *dims, int n, bool center, double eps)
{
	const Op *op = op_get(OP_standardize);
	Attr *a = attrs_new(x->g, op);

	set_axes(x->g, op, a, "dim", dims, n);
	set_bool(op, a, "center", center);
	set_num(op, a, "eps", eps);
	return node(x->g, op, &x, 1, a);
}

/* ---- what the norms share ---- */

/* Parameters may be wider than a f16 or bf16 input: operands from.. have its dtype, or f32 then */
static bool
parameter_dtypes(Node *n, int from)
{
	DType dt = n->in[0]->type.dt;

	for (int i = from; i < n->nin; i++)
		if (!((dt == F16 || dt == BF16) && n->in[i]->type.dt == F32) && !dtype_as(n, i, 0))
			return false;
	return true;
}

static bool
parameter_shapes(Node *n, int from, const Dim *dim, int rank)
{
	Type want = {.dt = n->in[0]->type.dt, .rank = rank};

	memcpy(want.dim, dim, (size_t)rank * sizeof *dim);
	for (int i = from; i < n->nin; i++)
		if (!shape_eq(&n->in[i]->type, &want)) {
			type_error_in(n, i, "%s is %s, must be %s: %s is %s", nn(n->in[i]), tt(n->in[i]),
				type_text(n->g->arena, n->g, &want), nn(n->in[0]), tt(n->in[0]));
			return false;
		}
	return true;
}

/* x * weight + bias, operands `from` and `from` + 1 of n as far as they are there, shaped so that they broadcast */
static Node *
scaled(const Node *n, Node *x, int from, const Dim *dim, int rank)
{
	if (n->nin > from)
		x = Mul(x, Reshape(Wide(n->in[from]), dim, rank));
	if (n->nin > from + 1)
		x = Add(x, Reshape(Wide(n->in[from + 1]), dim, rank));
	return Cast(x, n->type.dt);
}

/* ---- layer_norm, rms_norm ---- */

enum { LN_SHAPE, LN_EPS };

static void
layer_norm_shape(Node *n)
{
	const Type *x = &n->in[0]->type;
	const Attr *s = attr(n, LN_SHAPE);
	Type tail = {.dt = x->dt, .rank = s->n};
	bool fits = s->n > 0 && s->n <= x->rank;

	if (!float_operand(n, 0))
		return;
	for (int i = 0; i < s->n && i < MAXRANK; i++) {
		tail.dim[i] = s->dims[i];
		fits = fits && dim_eq(s->dims[i], x->dim[x->rank - s->n + i]);
	}
	if (!fits)
		type_error(n, "normalized_shape %s is not how the shape of %s, which is %s, ends",
			type_text(n->g->arena, n->g, &tail) + strlen(dtype_name(tail.dt)), nn(n->in[0]), tt(n->in[0]));
	else if (parameter_dtypes(n, 1) && parameter_shapes(n, 1, s->dims, s->n))
		n->type = *x;
}

static Node *
over_tail(const Node *n, bool center, double eps)
{
	const Attr *s = attr(n, LN_SHAPE);
	int dims[MAXRANK];

	for (int i = 0; i < s->n; i++)
		dims[i] = n->in[0]->type.rank - s->n + i;
	return scaled(n, Standardize(Wide(n->in[0]), dims, s->n, center, eps), 1, s->dims, s->n);
}

static void
layer_norm_compose(Node *n, bool training, Node **res)
{
	(void)training;
	res[0] = over_tail(n, true, attr(n, LN_EPS)->f);
}

static void
rms_norm_compose(Node *n, bool training, Node **res)
{
	double eps = n->in[0]->type.dt == F64 ? 0x1p-52 : 0x1p-23;

	(void)training;
	res[0] = over_tail(n, false, attr(n, LN_EPS)->set ? attr(n, LN_EPS)->f : eps);
}

static const AttrSpec layer_norm_attr[] = {
	[LN_SHAPE] = {"normalized_shape", A_SHAPE, NULL, "the last dimensions of the input, over which means are taken", NULL},
	[LN_EPS]   = {"eps", A_NUM, "1e-05", "added to the variance", NULL},
	{0}
};
const Op op_layer_norm = {.name = "layer_norm", .id = OP_layer_norm, .kind = COMPOSITE, .min_in = 1, .max_in = 3,
	.attr = layer_norm_attr, .operands = "input weight bias",
	.doc = "standardized over the last dimensions, times weight, plus bias (Ba, Kiros, Hinton 2016)",
	.shape = layer_norm_shape, .compose = layer_norm_compose};
static const AttrSpec rms_norm_attr[] = {
	[LN_SHAPE] = {"normalized_shape", A_SHAPE, NULL, "the last dimensions of the input, over which means are taken", NULL},
	[LN_EPS]   = {"eps", A_NUM, "null", "added to the mean square; null: the distance from 1 to the next f64, or f32", NULL},
	{0}
};
const Op op_rms_norm = {.name = "rms_norm", .id = OP_rms_norm, .kind = COMPOSITE, .min_in = 1, .max_in = 2,
	.attr = rms_norm_attr, .operands = "input weight",
	.doc = "divided by its root mean square over the last dimensions, times weight (Zhang, Sennrich 2019)",
	.shape = layer_norm_shape, .compose = rms_norm_compose};

/* ---- group_norm, instance_norm, batch_norm: dimension 1 is channels ---- */

static bool
has_channels(Node *n)
{
	if (!float_operand(n, 0))
		return false;
	if (n->in[0]->type.rank >= 2)
		return true;
	type_error_in(n, 0, "%s is %s, has no dimension of channels: [N,C,...]", nn(n->in[0]), tt(n->in[0]));
	return false;
}

/* the shape under which a value per channel broadcasts against x; returns its rank */
static int
channel_shape(const Node *x, Dim *dim)
{
	for (int i = 1; i < x->type.rank; i++)
		dim[i - 1] = i == 1 ? x->type.dim[1] : DIM(1);
	return x->type.rank - 1;
}

enum { GN_GROUPS, GN_EPS };

/* [N,C,...] as [N,groups,...]; false: C is no multiple, or the rank too high */
static bool
grouped_shape(const Node *n, Dim *dim)
{
	const Type *x = &n->in[0]->type;
	int64_t groups = attr(n, GN_GROUPS)->i;

	if (x->rank == MAXRANK || groups < 1 || !dim_div(x->dim[1], DIM(groups), &dim[2]))
		return false;
	dim[0] = x->dim[0];
	dim[1] = DIM(groups);
	memcpy(dim + 3, x->dim + 2, (size_t)(x->rank - 2) * sizeof *dim);
	return true;
}

static void
group_norm_shape(Node *n)
{
	Dim dim[MAXRANK];

	if (!has_channels(n))
		return;
	if (!grouped_shape(n, dim))
		type_error(n, "%s is %s: its channels do not make %lld groups", nn(n->in[0]), tt(n->in[0]),
			(long long)attr(n, GN_GROUPS)->i);
	else if (parameter_dtypes(n, 1) && parameter_shapes(n, 1, &n->in[0]->type.dim[1], 1))
		n->type = n->in[0]->type;
}

static void
group_norm_compose(Node *n, bool training, Node **res)
{
	Node *x = Wide(n->in[0]);
	int rank = x->type.rank, dims[MAXRANK];
	Dim dim[MAXRANK], channel[MAXRANK];

	(void)training;
	if (!grouped_shape(n, dim))
		bug("group_norm: %s", tt(x));
	for (int i = 2; i <= rank; i++)
		dims[i - 2] = i;
	x = Standardize(Reshape(x, dim, rank + 1), dims, rank - 1, true, attr(n, GN_EPS)->f);
	res[0] = scaled(n, ReshapeLike(x, n->in[0]), 1, channel, channel_shape(n->in[0], channel));
}

static const AttrSpec group_norm_attr[] = {
	[GN_GROUPS] = {"num_groups", A_INT, NULL, "into which the channels are divided", NULL},
	[GN_EPS]    = {"eps", A_NUM, "1e-05", "added to the variance", NULL},
	{0}
};
const Op op_group_norm = {.name = "group_norm", .id = OP_group_norm, .kind = COMPOSITE, .min_in = 1, .max_in = 3,
	.attr = group_norm_attr, .operands = "input weight bias",
	.doc = "[N,C,...] standardized within groups of channels, times weight, plus bias (Wu, He 2018)",
	.shape = group_norm_shape, .compose = group_norm_compose};

/* ---- instance_norm, local_response_norm ---- */

static void
instance_norm_shape(Node *n)
{
	const Type *x = &n->in[0]->type;

	if (!has_channels(n))
		return;
	if (x->rank < 3)
		type_error_in(n, 0, "%s is %s, has nothing to standardize over: [N,C,...]", nn(n->in[0]), tt(n->in[0]));
	else if (parameter_dtypes(n, 1) && parameter_shapes(n, 1, &x->dim[1], 1))
		n->type = *x;
}

static void
instance_norm_compose(Node *n, bool training, Node **res)
{
	Node *x = Wide(n->in[0]);
	int rank = x->type.rank, dims[MAXRANK];
	Dim channel[MAXRANK];

	(void)training;
	for (int i = 2; i < rank; i++)
		dims[i - 2] = i;
	x = Standardize(x, dims, rank - 2, true, attr(n, 0)->f);
	res[0] = scaled(n, x, 1, channel, channel_shape(n->in[0], channel));
}

static const AttrSpec instance_norm_attr[] = {
	{"eps", A_NUM, "1e-05", "added to the variance", NULL},
	{0}
};
const Op op_instance_norm = {.name = "instance_norm", .id = OP_instance_norm, .kind = COMPOSITE, .min_in = 1, .max_in = 3,
	.attr = instance_norm_attr, .operands = "input weight bias",
	.doc = "[N,C,...] standardized per item and channel, times weight, plus bias (Ulyanov, Vedaldi, Lempitsky 2016)",
	.shape = instance_norm_shape, .compose = instance_norm_compose};

enum { LRN_SIZE, LRN_ALPHA, LRN_BETA, LRN_K };

static void
local_response_norm_shape(Node *n)
{
	const Type *x = &n->in[0]->type;

	if (!has_channels(n))
		return;
	if (x->rank < 3 || x->rank == MAXRANK || x->dim[1].sym || attr(n, LRN_SIZE)->i < 1)
		type_error(n, "%s is %s, must be [N,C,...] with a known number of channels, and \"size\" at least 1",
			nn(n->in[0]), tt(n->in[0]));
	else
		n->type = *x;
}

/* x / (k + alpha * mean of squares in a window of channels)^beta; the window's channels that are not there are zero */
static void
local_response_norm_compose(Node *n, bool training, Node **res)
{
	Node *x = Wide(n->in[0]), *sum;
	int64_t size = attr(n, LRN_SIZE)->i;
	WindowMap m = {.count = x->type.dim[1].k, .stride = 1, .dilation = 1, .low = size / 2, .spacing = 1};

	(void)training;
	sum = Sum(Windows(Square(x), 1, 1, &size, &m), (int[]){x->type.rank}, 1, false);
	sum = Add(Mul(sum, Lit(x, attr(n, LRN_ALPHA)->f / (double)size)), Lit(x, attr(n, LRN_K)->f));
	res[0] = Cast(Div(x, Pow(sum, Lit(x, attr(n, LRN_BETA)->f))), n->type.dt);
}

static const AttrSpec local_response_norm_attr[] = {
	[LRN_SIZE]  = {"size", A_INT, NULL, "channels in a window, half of them before its own", NULL},
	[LRN_ALPHA] = {"alpha", A_NUM, "0.0001", "factor of the mean square", NULL},
	[LRN_BETA]  = {"beta", A_NUM, "0.75", "exponent", NULL},
	[LRN_K]     = {"k", A_NUM, "1", "added to it", NULL},
	{0}
};
const Op op_local_response_norm = {.name = "local_response_norm", .id = OP_local_response_norm, .kind = COMPOSITE,
	.min_in = 1, .max_in = 1, .attr = local_response_norm_attr, .operands = "input",
	.doc = "x / (k + alpha * mean of squares over neighbouring channels)^beta (Krizhevsky, Sutskever, Hinton 2012)",
	.shape = local_response_norm_shape, .compose = local_response_norm_compose};

enum { BN_TRAINING, BN_MOMENTUM, BN_EPS };

static Dim
values_per_channel(const Type *x)
{
	Type t = *x;

	t.dim[1] = DIM(1);
	return type_count(&t);
}

static void
batch_norm_shape(Node *n)
{
	const Type *x = &n->in[0]->type;

	if (!has_channels(n) || !parameter_dtypes(n, 1) || !parameter_shapes(n, 1, &x->dim[1], 1))
		return;
	if (*attr(n, BN_TRAINING)->s == 't' && dim_one(values_per_channel(x))) {
		type_error(n, "%s is %s: one value per channel has no variance to train on", nn(n->in[0]), tt(n->in[0]));
		return;
	}
	n->res = NEW(n->g->arena, 3, Type);
	n->res[0] = *x;
	n->res[1] = n->in[1]->type;
	n->res[2] = n->in[2]->type;
	n->type = *x;
}

static void
batch_norm_eval(Node *n, Node **res)
{
	Dim dim[MAXRANK];
	int rank = channel_shape(n->in[0], dim);
	Node *x = Wide(n->in[0]), *mean = Wide(n->in[1]), *var = Wide(n->in[2]);
	Node *rstd = Rsqrt(Add(var, Lit(var, attr(n, BN_EPS)->f)));

	x = Mul(Sub(x, Reshape(mean, dim, rank)), Reshape(rstd, dim, rank));
	res[0] = scaled(n, x, 3, dim, rank);
	res[1] = n->in[1];
	res[2] = n->in[2];
}

/* (1 - momentum) * old + momentum * now */
static Node *
running(Node *old, Node *now, double momentum)
{
	Node *v = Wide(old);

	now = ReshapeLike(now, old);
	return Cast(Add(Mul(v, Lit(v, 1 - momentum)), Mul(now, Lit(v, momentum))), old->type.dt);
}

static void
batch_norm_train(Node *n, Node **res)
{
	Node *x = Wide(n->in[0]), *count;
	double eps = attr(n, BN_EPS)->f, momentum = attr(n, BN_MOMENTUM)->f;
	Dim dim[MAXRANK];
	int rank = channel_shape(x, dim), dims[MAXRANK], k = 0;
	Moments m;

	for (int i = 0; i < x->type.rank; i++)
		if (i != 1)
			dims[k++] = i;
	m = moments(x, dims, k, true, eps);
	res[0] = scaled(n, Standardize(x, dims, k, true, eps), 3, dim, rank);
	count = DimSize(x->g, values_per_channel(&x->type), x->type.dt);
	res[1] = running(n->in[1], m.mean, momentum);
	res[2] = running(n->in[2], Mul(m.var, Div(count, Sub(count, Lit(count, 1)))), momentum);
}

static void
batch_norm_compose(Node *n, bool training, Node **res)
{
	char word = *attr(n, BN_TRAINING)->s;

	if (word == 't' || (word == 'a' && training))
		batch_norm_train(n, res);
	else
		batch_norm_eval(n, res);
}

static const AttrSpec batch_norm_attr[] = {
	[BN_TRAINING] = {"training", A_STR, "\"auto\"", "statistics of the batch, not the running ones; auto: in forward, not in infer", "auto true false"},
	[BN_MOMENTUM] = {"momentum", A_NUM, "0.1", "part of the batch in new running statistics", NULL},
	[BN_EPS]      = {"eps", A_NUM, "1e-05", "added to the variance", NULL},
	{0}
};
const Op op_batch_norm = {.name = "batch_norm", .id = OP_batch_norm, .kind = COMPOSITE, .min_in = 3, .max_in = 5,
	.nres = 3, .attr = batch_norm_attr, .operands = "input running_mean running_var weight bias",
	.results = "output running_mean running_var",
	.doc = "[N,C,...] standardized per channel, times weight, plus bias (Ioffe, Szegedy 2015); new running statistics",
	.shape = batch_norm_shape, .compose = batch_norm_compose};

/* compose_pool: pooling: reductions over windows.
 *
 * A pool is a reduction over the taps of windows along the last dimensions. The gradient
 * of a maximum goes to the first element that is the greatest, in row-major order, as
 * PyTorch has it: forward (or backward again) finds its tap, and each element of the
 * input then asks the windows that it lies in whether they chose it. Nothing is
 * written by index, so that all is done in parallel and always in the same order.
 * Adaptive pools whose windows are of unequal length average by a constant matrix per
 * dimension, and gather the taps of maxima. */
#include "ir.h"

#include <math.h>
#include <string.h>

typedef struct Pool {
	int space, first;              /* spatial dimensions, and the first of them in the input */
	int64_t size[MAXSPACE];        /* taps */
	WindowMap map[MAXSPACE];
	bool uneven[MAXSPACE];         /* adaptive: window o is [o*n/count, (o+1)*n/count rounded up) of n elements */
} Pool;

enum { P_SIZE, P_STRIDE, P_PADDING, P_CEIL };
/* what ops have behind them */
enum { P_DILATION = P_CEIL + 1, P_INCLUDE = P_CEIL + 1, P_DIVISOR };

/* ---- geometry ---- */

static Dim
space_dim(const Pool *p, const Node *x, int k)
{
	return x->type.dim[p->first + k];
}

/* operand 0 is [N,C,...] or [C,...] of floats with known spatial dimensions */
static bool
pool_operand(Node *n, Pool *p)
{
	const Type *t = &n->in[0]->type;

	p->space = spatial_dims(n->op);
	p->first = t->rank - p->space;
	if (!float_operand(n, 0))
		return false;
	if (t->rank != p->space + 1 && t->rank != p->space + 2) {
		type_error_in(n, 0, "%s is %s, must be [N,C,...] with %d spatial dimensions", nn(n->in[0]), tt(n->in[0]),
			p->space);
		return false;
	}
	for (int k = 0; k < p->space; k++)
		if (t->dim[p->first + k].sym || !t->dim[p->first + k].k) {
			type_error_in(n, 0, "%s is %s: a spatial dimension %s", nn(n->in[0]), tt(n->in[0]),
				t->dim[p->first + k].sym ? "depends on a symbol" : "is empty");
			return false;
		}
	return true;
}

/* the windows of a pool with kernel_size, stride, padding, ceil_mode; dilation: or NULL. False after an error */
static bool
pool_windows(Node *n, Pool *p, const int64_t *dilation)
{
	int64_t stride[MAXSPACE], low[MAXSPACE];
	int from = attr(n, P_STRIDE)->set && attr(n, P_STRIDE)->n ? P_STRIDE : P_SIZE;

	if (!pool_operand(n, p) || !per_dim(n, P_SIZE, p->space, p->size) || !per_dim(n, from, p->space, stride)
		|| !per_dim(n, P_PADDING, p->space, low) || !numbers_from(n, "kernel_size", p->size, p->space, 1)
		|| !numbers_from(n, "stride", stride, p->space, 1) || !numbers_from(n, "padding", low, p->space, 0))
		return false;
	for (int k = 0; k < p->space; k++) {
		int64_t size = space_dim(p, n->in[0], k).k, d = dilation ? dilation[k] : 1;
		int64_t count = window_count(size, p->size[k], d, stride[k], low[k], attr(n, P_CEIL)->i);
		if (low[k] > (d * (p->size[k] - 1) + 1) / 2 || count < 1) {
			type_error(n, count < 1 ? "%s is %s: a window of %lld, padding %lld, does not fit into dimension %d"
				: "%s is %s: a window of %lld is less than twice the padding %lld of dimension %d", nn(n->in[0]),
				tt(n->in[0]), (long long)p->size[k], (long long)low[k], p->first + k);
			return false;
		}
		p->map[k] = (WindowMap){.count = count, .stride = stride[k], .dilation = d, .low = low[k], .spacing = 1};
	}
	return true;
}

static Type
pool_type(const Node *n, const Pool *p)
{
	Type t = n->in[0]->type;

	for (int k = 0; k < p->space; k++)
		t.dim[p->first + k] = DIM(p->map[k].count);
	return t;
}

static void
set_pool_type(Node *n, const Pool *p)
{
	Type t = pool_type(n, p);

	if (type_fits(n, &t))
		n->type = t;
}

static int64_t
taps(const Pool *p)
{
	int64_t n = 1;

	for (int k = 0; k < p->space; k++)
		n = mul_sat(n, p->size[k]);
	return n;
}

/* the dimensions of taps, behind those of the input */
static void
tap_dims(const Pool *p, int *dim)
{
	for (int k = 0; k < p->space; k++)
		dim[k] = p->first + p->space + k;
}

/* ---- windows of unequal length ---- */

static int64_t
bin_start(int64_t o, int64_t n, int64_t count)
{
	return o * n / count;
}

static int64_t
bin_end(int64_t o, int64_t n, int64_t count)
{
	return ((o + 1) * n + count - 1) / count;
}

/* indices of the taps of all windows, one after the other; the last one stands for those that a window does not have */
static Node *
bin_index(Graph *g, int64_t n, int64_t count, int64_t size)
{
	double *v = NEW(g->arena, count * size, double);

	for (int64_t i = 0; i < count * size; i++)
		v[i] = (double)MIN(bin_start(i / size, n, count) + i % size, bin_end(i / size, n, count) - 1);
	return Data(g, (Type){.dt = I64, .rank = 1, .dim = {DIM(count * size)}}, v);
}

/* that vector along dimension dim, repeated over the others of a tensor with this shape */
static Node *
along(Node *index, const Type *t, int dim)
{
	Dim one[MAXRANK];

	for (int i = 0; i < t->rank; i++)
		one[i] = i == dim ? index->type.dim[0] : DIM(1);
	return Expand(Reshape(index, one, t->rank), t->dim, t->rank);
}

/* x's dimension dim becomes windows, and a last one of their taps */
static Node *
gather_bins(Node *x, int dim, int64_t n, int64_t count, int64_t size)
{
	Dim d[MAXRANK];
	int perm[MAXRANK], rank = x->type.rank, k = 0;
	Type t = x->type;

	t.dim[dim] = DIM(count * size);
	x = Gather(x, dim, along(bin_index(x->g, n, count, size), &t, dim));
	for (int i = 0; i < rank; i++) {
		d[k++] = i == dim ? DIM(count) : t.dim[i];
		if (i == dim)
			d[k++] = DIM(size);
	}
	for (int i = 0; i <= rank; i++)
		perm[i] = i == rank ? dim + 1 : i <= dim ? i : i + 1;
	return Permute(Reshape(x, d, rank + 1), perm);
}

/* the transpose: y's windows dim and taps, a later dimension, added into n elements */
static Node *
scatter_bins(Node *y, int dim, int tap, int64_t n)
{
	int perm[MAXRANK], rank = y->type.rank, k = 0;
	int64_t count = y->type.dim[dim].k, size = y->type.dim[tap].k;
	Type t = y->type;

	t.rank = 0;
	for (int i = 0; i < rank; i++) {
		if (i == tap)
			continue;
		perm[k++] = i;
		t.dim[t.rank++] = y->type.dim[i];
		if (i == dim)
			perm[k++] = tap;
	}
	t.dim[dim] = DIM(count * size);
	y = Reshape(Permute(y, perm), t.dim, t.rank);
	Node *index = along(bin_index(y->g, n, count, size), &t, dim);
	t.dim[dim] = DIM(n);
	return ScatterAdd(Full(y->g, t, 0), dim, index, y);
}

/* ---- maxima ---- */

static bool
any_uneven(const Pool *p)
{
	for (int k = 0; k < p->space; k++)
		if (p->uneven[k])
			return true;
	return false;
}

/* the windows of x, [...,windows,taps]; `fill` where they reach beyond it */
static Node *
windows_of(const Pool *p, Node *x, double fill)
{
	WindowMap m[MAXSPACE];

	for (int k = 0; k < p->space; k++) {
		m[k] = p->map[k];
		m[k].value = fill;
	}
	if (!any_uneven(p))
		return Windows(x, p->first, p->space, p->size, m);
	for (int k = 0; k < p->space; k++)
		x = gather_bins(x, p->first + k, space_dim(p, x, k).k, m[k].count, p->size[k]);
	return x;
}

/* the transpose of windows_of(): [...,windows,taps] added into an input of type t */
static Node *
add_windows(const Pool *p, Node *y, const Type *t)
{
	if (!any_uneven(p))
		return WindowsTransposed(y, p->first, p->space, p->size, p->map, &t->dim[p->first]);
	for (int k = 0; k < p->space; k++)
		y = scatter_bins(y, p->first + k, p->first + p->space, t->dim[p->first + k].k);
	return y;
}

/* one value per window, beside its taps */
static Node *
per_window(const Pool *p, Node *x)
{
	Dim dim[MAXRANK];
	int rank = p->first + p->space;

	for (int i = 0; i < rank + p->space; i++)
		dim[i] = i < rank ? x->type.dim[i] : DIM(1);
	return Reshape(x, dim, rank + p->space);
}

/* the row-major number of each tap of a window */
static Node *
tap_numbers(const Pool *p, Graph *g, DType dt)
{
	Type t = {.dt = dt, .rank = 1, .dim = {DIM(taps(p))}};
	Dim dim[MAXSPACE];

	for (int k = 0; k < p->space; k++)
		dim[k] = DIM(p->size[k]);
	return Reshape(Iota(g, t, 0), dim, p->space);
}

static bool
overhangs(const Pool *p, const Node *x)
{
	for (int k = 0; k < p->space; k++) {
		const WindowMap *m = &p->map[k];
		int64_t last = (m->count - 1) * m->stride + m->dilation * (p->size[k] - 1);
		if (!p->uneven[k] && (m->low || last >= space_dim(p, x, k).k))
			return true;
	}
	return false;
}

/* taps that hold an element of x */
static Node *
inside(const Pool *p, const Node *x)
{
	Type t = {.dt = BOOL, .rank = p->space};
	Pool bare = *p;
	Attr *a = attrs_new(x->g, op_get(OP_full));

	bare.first = 0;
	for (int k = 0; k < p->space; k++)
		t.dim[k] = space_dim(p, x, k);
	set_int(op_get(OP_full), a, "value", 1);
	set_dims(x->g, op_get(OP_full), a, "shape", t.dim, t.rank);
	set_dtype(op_get(OP_full), a, "type", BOOL);
	return windows_of(&bare, node(x->g, op_get(OP_full), NULL, 0, a), 0);
}

/* [...,windows,taps]: the tap holds the window's maximum, or is NaN as that is then */
static Node *
is_greatest(const Pool *p, Node *x, Node *max)
{
	Node *w = windows_of(p, x, -INFINITY), *is = LogicalOr(Eq(w, per_window(p, max)), IsNan(w));

	return overhangs(p, x) ? LogicalAnd(is, inside(p, x)) : is;
}

/* The first tap of each window that is its maximum: bytes if that many are enough, since backward keeps them. */
static Node *
first_greatest(const Pool *p, Node *x, Node *max)
{
	DType dt = taps(p) <= UINT8_MAX ? U8 : I32;
	Node *none = LitI(x->g, I32, INT32_MAX), *tap = Where(is_greatest(p, x, max), tap_numbers(p, x->g, I32), none);
	int dim[MAXSPACE];

	tap_dims(p, dim);
	return Cast(Amin(tap, dim, p->space, false), dt);
}

static Node *
maximum_of(const Pool *p, Node *x)
{
	int dim[MAXSPACE];

	tap_dims(p, dim);
	return Amax(windows_of(p, x, -INFINITY), dim, p->space, false);
}

/* the cotangent of x */
static Node *
maximum_cotangent(const Pool *p, Node *x, Node *max, Node *g)
{
	Node *tap = per_window(p, first_greatest(p, x, max));
	Node *chosen = Eq(tap, tap_numbers(p, x->g, tap->type.dt));

	return add_windows(p, Where(chosen, per_window(p, g), Lit(g, 0)), &x->type);
}

/* the place in the input's spatial dimensions, as one, of the first greatest element of each window */
static Node *
index_of_greatest(const Pool *p, Node *x, Node *max)
{
	Type t = {.dt = I64, .rank = 1, .dim = {DIM(1)}};
	Pool bare = *p;
	Dim space[MAXSPACE];
	int dim[MAXSPACE];
	Node *at;

	for (int k = 0; k < p->space; k++) {
		space[k] = space_dim(p, x, k);
		t.dim[0].k *= space[k].k;
	}
	bare.first = 0;
	at = windows_of(&bare, Reshape(Iota(x->g, t, 0), space, p->space), 0);
	tap_dims(p, dim);
	return Amin(Where(is_greatest(p, x, max), at, LitI(x->g, I64, INT64_MAX)), dim, p->space, false);
}

static bool
max_pool(Node *n, Pool *p)
{
	int64_t dilation[MAXSPACE];

	return per_dim(n, P_DILATION, spatial_dims(n->op), dilation)
		&& numbers_from(n, "dilation", dilation, spatial_dims(n->op), 1) && pool_windows(n, p, dilation);
}

static void
max_pool_shape(Node *n)
{
	Pool p = {0};

	if (max_pool(n, &p))
		set_pool_type(n, &p);
}

static void
max_pool_compose(Node *n, bool training, Node **res)
{
	Pool p = {0};

	(void)training;
	max_pool(n, &p);
	res[0] = maximum_of(&p, n->in[0]);
}

static void
max_pool_vjp(Node *y, Node *const *g, Node **d)
{
	Pool p = {0};

	max_pool(y, &p);
	d[0] = maximum_cotangent(&p, y->in[0], y, g[0]);
}

/* ops with a second result, the indices: types, values, and a derivative that only the first has */

static void
with_indices_type(Node *n, const Pool *p)
{
	Type t = pool_type(n, p);

	n->res = NEW(n->g->arena, 2, Type);
	n->res[0] = n->res[1] = t;
	n->res[1].dt = I64;
	n->type = t;
}

static void
with_indices_values(Node *n, const Pool *p, Node **res)
{
	res[0] = maximum_of(p, n->in[0]);
	res[1] = index_of_greatest(p, n->in[0], StopGradient(res[0]));
}

static void
max_indices_shape(Node *n)
{
	Pool p = {0};

	if (max_pool(n, &p))
		with_indices_type(n, &p);
}

static void
max_indices_compose(Node *n, bool training, Node **res)
{
	Pool p = {0};

	(void)training;
	max_pool(n, &p);
	with_indices_values(n, &p, res);
}

static void
max_indices_vjp(Node *y, Node *const *g, Node **d)
{
	Pool p = {0};

	max_pool(y, &p);
	if (g[0])
		d[0] = maximum_cotangent(&p, y->in[0], Item(y, 0), g[0]);
}

/* ---- averages ---- */

/* elements of the input, or of the padded input, in window o of dimension k */
static int64_t
window_length(const Pool *p, const Node *x, int k, int64_t o, bool padded)
{
	const WindowMap *m = &p->map[k];
	int64_t size = space_dim(p, x, k).k, from = o * m->stride - m->low;
	int64_t to = MIN(from + p->size[k], size + (padded ? m->low : 0));

	return to - (padded ? from : MAX(from, 0));
}

/* lengths of the windows of dimension k, as a vector that stands at its place; NULL: all are full */
static Node *
lengths(const Pool *p, const Node *x, int k, bool padded)
{
	int64_t count = p->map[k].count;
	double *v = NEW(x->g->arena, count, double);
	Type t = {.dt = x->type.dt, .rank = p->space - k, .dim = {DIM(count), DIM(1), DIM(1)}};
	bool full = true;

	for (int64_t o = 0; o < count; o++) {
		v[o] = (double)window_length(p, x, k, o, padded);
		full &= v[o] == (double)p->size[k];
	}
	return full ? NULL : Data(x->g, t, v);
}

typedef struct Divisor { bool padded; int64_t given; } Divisor;     /* given: 0, the number of elements */

/* x, a value per window, divided by the number of its elements */
static Node *
divided(const Pool *p, const Node *input, Node *x, Divisor by)
{
	double whole = by.given ? (double)by.given : 1;
	Node *count = NULL;

	for (int k = 0; k < p->space && !by.given; k++) {
		Node *n = lengths(p, input, k, by.padded);
		if (!n)
			whole *= (double)p->size[k];
		else
			count = count ? Mul(count, n) : n;
	}
	if (!count)
		return Div(x, Lit(x, whole));
	return Div(x, whole == 1 ? count : Mul(count, Lit(count, whole)));
}

static Node *
average(const Pool *p, Node *x, Divisor by)
{
	int dim[MAXSPACE];

	tap_dims(p, dim);
	return divided(p, x, Sum(windows_of(p, x, 0), dim, p->space, false), by);
}

static Node *
average_cotangent(const Pool *p, const Node *x, Node *g, Divisor by)
{
	Dim dim[MAXRANK];

	g = per_window(p, divided(p, x, g, by));
	memcpy(dim, g->type.dim, sizeof dim);
	for (int k = 0; k < p->space; k++)
		dim[p->first + p->space + k] = DIM(p->size[k]);
	return add_windows(p, Expand(g, dim, g->type.rank), &x->type);
}

static Divisor
mean_of(const Node *n)
{
	const Attr *a = attr(n, P_DIVISOR);

	return (Divisor){attr(n, P_INCLUDE)->i, a->set ? a->i : 0};
}

static void
avg_pool_shape(Node *n)
{
	Pool p = {0};

	if (!pool_windows(n, &p, NULL))
		return;
	if (attr(n, P_DIVISOR)->set && !attr(n, P_DIVISOR)->i)
		type_error(n, "\"divisor_override\" is 0");
	else
		set_pool_type(n, &p);
}

static void
avg_pool_compose(Node *n, bool training, Node **res)
{
	Pool p = {0};

	(void)training;
	pool_windows(n, &p, NULL);
	res[0] = average(&p, n->in[0], mean_of(n));
}

static void
avg_pool_vjp(Node *y, Node *const *g, Node **d)
{
	Pool p = {0};

	pool_windows(y, &p, NULL);
	d[0] = average_cotangent(&p, y->in[0], g[0], mean_of(y));
}

/* ---- lp_pool ---- */

enum { LP_NORM, LP_SIZE, LP_STRIDE, LP_CEIL };

static const Op *
average_op(int space)
{
	static const int average[] = {0, OP_avg_pool1d, OP_avg_pool2d, OP_avg_pool3d};

	return op_get(average[space]);
}

/* the average of x^p times the number of taps is their sum */
static Node *
lp_average(Node *n, Node *x)
{
	const Op *op = average_op(spatial_dims(n->op));
	Attr *a = attrs_new(n->g, op);

	a[P_SIZE] = *attr(n, LP_SIZE);
	a[P_STRIDE] = *attr(n, LP_STRIDE);
	a[P_CEIL] = *attr(n, LP_CEIL);
	return node(n->g, op, &x, 1, a);
}

static bool
lp_pool(Node *n, Pool *p)
{
	int64_t stride[MAXSPACE];
	int from = attr(n, LP_STRIDE)->set && attr(n, LP_STRIDE)->n ? LP_STRIDE : LP_SIZE;

	if (!pool_operand(n, p) || !per_dim(n, LP_SIZE, p->space, p->size) || !per_dim(n, from, p->space, stride)
		|| !numbers_from(n, "kernel_size", p->size, p->space, 1) || !numbers_from(n, "stride", stride, p->space, 1))
		return false;
	for (int k = 0; k < p->space; k++) {
		p->map[k].count = window_count(space_dim(p, n->in[0], k).k, p->size[k], 1, stride[k], 0, attr(n, LP_CEIL)->i);
		if (p->map[k].count < 1) {
			type_error(n, "%s is %s: a window of %lld does not fit into dimension %d", nn(n->in[0]), tt(n->in[0]),
				(long long)p->size[k], p->first + k);
			return false;
		}
	}
	return true;
}

static void
lp_pool_shape(Node *n)
{
	Pool p = {0};

	if (lp_pool(n, &p))
		set_pool_type(n, &p);
}

/* sign and relu are PyTorch's: a negative sum, of odd powers, has no root */
static void
lp_pool_compose(Node *n, bool training, Node **res)
{
	double p = attr(n, LP_NORM)->f;
	Node *x = n->in[0];
	Pool pool = {0};

	(void)training;
	lp_pool(n, &pool);
	x = lp_average(n, Pow(x, Lit(x, p)));
	x = Mul(Mul(Sign(x), Op1(OP_relu, Abs(x))), Lit(x, (double)taps(&pool)));
	res[0] = Pow(x, Lit(x, 1 / p));
}

/* ---- adaptive pools ---- */

enum { AD_SIZE };

/* As many windows as asked for, [o*n/count, (o+1)*n/count) with ends rounded up. False after an error */
static bool
adaptive_windows(Node *n, Pool *p)
{
	int64_t count[MAXSPACE];

	if (!pool_operand(n, p) || !per_dim(n, AD_SIZE, p->space, count)
		|| !numbers_from(n, "output_size", count, p->space, 1))
		return false;
	for (int k = 0; k < p->space; k++) {
		int64_t size = space_dim(p, n->in[0], k).k;
		if (!mul_ok(size, count[k], &(int64_t){0})) {
			type_error(n, "\"output_size\" overflows");
			return false;
		}
		p->uneven[k] = size % count[k] != 0;
		p->size[k] = 0;
		for (int64_t o = 0; o < count[k] && p->uneven[k]; o++)
			p->size[k] = MAX(p->size[k], bin_end(o, size, count[k]) - bin_start(o, size, count[k]));
		p->size[k] = p->uneven[k] ? p->size[k] : size / count[k];
		p->map[k] = (WindowMap){.count = count[k], .stride = p->size[k], .dilation = 1, .spacing = 1};
	}
	return true;
}

static void
adaptive_shape(Node *n)
{
	Pool p = {0};

	if (adaptive_windows(n, &p))
		set_pool_type(n, &p);
}

/* means over the unequal windows of dimension dim: x by the matrix of their weights */
static Node *
bin_means(Node *x, int dim, int64_t count)
{
	int64_t size = x->type.dim[dim].k;
	double *v = NEW(x->g->arena, count * size, double);
	char from[] = "abcdefgh", to[] = "abcdefgh";
	Type t = {.dt = x->type.dt, .rank = 2, .dim = {DIM(count), DIM(size)}};

	for (int64_t o = 0; o < count; o++) {
		int64_t start = bin_start(o, size, count), end = bin_end(o, size, count);
		for (int64_t i = start; i < end; i++)
			v[o * size + i] = 1 / (double)(end - start);
	}
	from[x->type.rank] = to[x->type.rank] = 0;
	to[dim] = 'z';
	return Dot(arena_fmt(x->g->arena, "%s,z%c->%s", from, from[dim], to), x, Data(x->g, t, v));
}

/* the uneven dimensions done, windows of one element left of them */
static Node *
uneven_means(Node *x, Pool *p)
{
	for (int k = 0; k < p->space; k++)
		if (p->uneven[k]) {
			x = bin_means(x, p->first + k, p->map[k].count);
			p->uneven[k] = false;
			p->size[k] = p->map[k].stride = 1;
		}
	return x;
}

static void
adaptive_avg_compose(Node *n, bool training, Node **res)
{
	const Op *op = average_op(spatial_dims(n->op));
	Attr *a = attrs_new(n->g, op);
	Pool p = {0};
	Node *x;

	(void)training;
	adaptive_windows(n, &p);
	x = uneven_means(n->in[0], &p);
	set_ints(n->g, op, a, "kernel_size", p.size, p.space);
	res[0] = node(n->g, op, &x, 1, a);
}

static void
adaptive_max_compose(Node *n, bool training, Node **res)
{
	Pool p = {0};

	(void)training;
	adaptive_windows(n, &p);
	res[0] = maximum_of(&p, n->in[0]);
}

static void
adaptive_max_vjp(Node *y, Node *const *g, Node **d)
{
	Pool p = {0};

	adaptive_windows(y, &p);
	d[0] = maximum_cotangent(&p, y->in[0], y, g[0]);
}

static void
adaptive_indices_shape(Node *n)
{
	Pool p = {0};

	if (adaptive_windows(n, &p))
		with_indices_type(n, &p);
}

static void
adaptive_indices_compose(Node *n, bool training, Node **res)
{
	Pool p = {0};

	(void)training;
	adaptive_windows(n, &p);
	with_indices_values(n, &p, res);
}

static void
adaptive_indices_vjp(Node *y, Node *const *g, Node **d)
{
	Pool p = {0};

	adaptive_windows(y, &p);
	if (g[0])
		d[0] = maximum_cotangent(&p, y->in[0], Item(y, 0), g[0]);
}

/* ---- max_unpool ---- */

static void
max_unpool_shape(Node *n)
{
	Type t = n->in[0]->type;
	int64_t size[MAXSPACE];
	Pool p = {0};

	if (!pool_operand(n, &p) || !per_dim(n, 0, p.space, size) || !numbers_from(n, "output_size", size, p.space, 1))
		return;
	if (!dtype_integer(n->in[1]->type.dt) || !shape_eq(&t, &n->in[1]->type)) {
		type_error_in(n, 1, "indices %s is %s, must be integers in the shape of %s, which is %s", nn(n->in[1]),
			tt(n->in[1]), nn(n->in[0]), tt(n->in[0]));
		return;
	}
	for (int k = 0; k < p.space; k++)
		t.dim[p.first + k] = DIM(size[k]);
	if (type_fits(n, &t))
		n->type = t;
}

/* the spatial dimensions as one */
static Node *
flat_space(Node *x, int first)
{
	Dim dim[MAXRANK], all = DIM(1);

	for (int i = 0; i < x->type.rank; i++)
		if (i < first)
			dim[i] = x->type.dim[i];
		else if (!dim_mul(all, x->type.dim[i], &all))
			bug("overflowing spatial dimensions");
	dim[first] = all;
	return Reshape(x, dim, first + 1);
}

/* An index may come several times, from windows that overlap: those are one value, which the mean of them is. */
static void
max_unpool_compose(Node *n, bool training, Node **res)
{
	int first = n->type.rank - spatial_dims(n->op);
	Node *zeros = flat_space(Full(n->g, n->type, 0), first), *x = flat_space(n->in[0], first);
	Node *index = flat_space(n->in[1], first), *count = ScatterAdd(zeros, first, index, Ones(x));

	(void)training;
	x = Div(ScatterAdd(zeros, first, index, x), Maximum(count, Lit(count, 1)));
	res[0] = Reshape(x, n->type.dim, n->type.rank);
}

/* each of them takes the whole cotangent, as in PyTorch */
static void
max_unpool_vjp(Node *y, Node *const *g, Node **d)
{
	int first = y->type.rank - spatial_dims(y->op);

	d[0] = Gather(flat_space(g[0], first), first, flat_space(y->in[1], first));
	d[0] = ReshapeLike(d[0], y->in[0]);
}

static bool
max_unpool_index(const Node *n, int i, Dim *bound, int64_t *also)
{
	int first = n->type.rank - spatial_dims(n->op);

	(void)also;
	*bound = DIM(1);
	for (int k = first; k < n->type.rank; k++)
		dim_mul(*bound, n->type.dim[k], bound);
	return i == 1;
}

/* ---- the table ---- */

#define POOL_ATTRS \
	[P_SIZE]    = {"kernel_size", A_INTS, NULL, "sizes of a window", NULL}, \
	[P_STRIDE]  = {"stride", A_INTS, "null", "steps of the window; null: its sizes", NULL}, \
	[P_PADDING] = {"padding", A_INTS, "0", "places around the input on both sides, at most half a window", NULL}, \
	[P_CEIL]    = {"ceil_mode", A_BOOL, "false", "a last window may reach beyond the padded input", NULL}
static const AttrSpec max_pool_attr[] = {
	POOL_ATTRS,
	[P_DILATION] = {"dilation", A_INTS, "1", "distance of a window's elements", NULL},
	{0}
};
static const AttrSpec avg_pool_attr[] = {
	POOL_ATTRS,
	[P_INCLUDE] = {"count_include_pad", A_BOOL, "true", "zeros of the padding count as elements", NULL},
	[P_DIVISOR] = {"divisor_override", A_INT, "null", "what sums are divided by; null: the number of elements", NULL},
	{0}
};
static const AttrSpec lp_pool_attr[] = {
	[LP_NORM]   = {"norm_type", A_NUM, NULL, "the power p", NULL},
	[LP_SIZE]   = {"kernel_size", A_INTS, NULL, "sizes of a window", NULL},
	[LP_STRIDE] = {"stride", A_INTS, "null", "steps of the window; null: its sizes", NULL},
	[LP_CEIL]   = {"ceil_mode", A_BOOL, "false", "a last window may reach beyond the input", NULL},
	{0}
};
static const AttrSpec size_attr[] = {
	[AD_SIZE] = {"output_size", A_INTS, NULL, "sizes of the result's spatial dimensions", NULL},
	{0}
};
#define POOL(name_, attrs, what, fn, ...) \
const Op op_##name_ = {.name = #name_, .id = OP_##name_, .kind = COMPOSITE, .min_in = 1, .max_in = 1, .cost = 1, \
	.attr = attrs, .operands = "input", .doc = what, .shape = fn##_shape, .compose = fn##_compose, __VA_ARGS__}
#define POOLS(dims, what) \
POOL(max_pool##dims, max_pool_attr, "maximum of each window over " what "; its derivative is that of the first one", max_pool, \
	.vjp = max_pool_vjp); \
POOL(max_pool##dims##_with_indices, max_pool_attr, "the same, and where in the input's spatial dimensions it lies, row-major", \
	max_indices, .vjp = max_indices_vjp, .nres = 2, .results = "output indices"); \
POOL(avg_pool##dims, avg_pool_attr, "mean of each window over " what, avg_pool, .vjp = avg_pool_vjp); \
POOL(lp_pool##dims, lp_pool_attr, "(sum of x^p)^(1/p) of each window over " what, lp_pool, .vjp = NULL)

#define adaptive_avg_shape adaptive_shape
#define adaptive_max_shape adaptive_shape
#define ADAPTIVE(dims, what) \
POOL(adaptive_avg_pool##dims, size_attr, "means of as many windows as asked for over " what, adaptive_avg, .vjp = NULL); \
POOL(adaptive_max_pool##dims, size_attr, "maxima of as many windows as asked for over " what, adaptive_max, \
	.vjp = adaptive_max_vjp); \
POOL(adaptive_max_pool##dims##_with_indices, size_attr, "the same, and where in the input's spatial dimensions they lie", \
	adaptive_indices, .vjp = adaptive_indices_vjp, .nres = 2, .results = "output indices"); \
const Op op_max_unpool##dims = {.name = "max_unpool" #dims, .id = OP_max_unpool##dims, .kind = COMPOSITE, .min_in = 2, \
	.max_in = 2, .attr = size_attr, .operands = "input indices", \
	.doc = "zeros, and the input's elements at their indices over " what "; those of one index are one value", \
	.shape = max_unpool_shape, .compose = max_unpool_compose, .vjp = max_unpool_vjp, .index = max_unpool_index}

POOLS(1d, "[N,C,L]");
POOLS(2d, "[N,C,H,W]");
POOLS(3d, "[N,C,D,H,W]");
ADAPTIVE(1d, "[N,C,L]");
ADAPTIVE(2d, "[N,C,H,W]");
ADAPTIVE(3d, "[N,C,D,H,W]");

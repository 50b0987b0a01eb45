/* op_window: windows that slide along a dimension.
 *
 * One view serves convolution, pooling, their gradients, unfold and fold. Position o
 * of dimension `dim` and tap k of dimension `taps` meet at p = o * stride +
 * k * dilation - low of the input with spacing - 1 elements put between its elements:
 *
 *     y[.., o, .., k, ..] = x[.., p / spacing, .., k, ..]   where that is an element, else value.
 *
 * A window over a tensor without taps is this view of the tensor repeated along
 * new ones. Each element of y is one of x's, and each of x's, for a given tap, at most one of
 * y's; so the transposed map is a window too, with stride and spacing exchanged and
 * the signs of dilation and low turned: the sum that fold does is a sum over taps
 * of elements that are read, never written by index. The family is closed under differentiation. */
#include "ir.h"

#include <string.h>

enum { W_DIM, W_TAPS, W_COUNT, W_STRIDE, W_DILATION, W_LOW, W_SPACING, W_VALUE };

static int
axis_of(const Node *n, int i)
{
	return dim_index(attr(n, i)->i, n->in[0]->type.rank);
}

static WindowMap
map_of(const Node *n)
{
	return (WindowMap){.count = attr(n, W_COUNT)->i, .stride = attr(n, W_STRIDE)->i,
		.dilation = attr(n, W_DILATION)->i, .low = attr(n, W_LOW)->i, .spacing = attr(n, W_SPACING)->i,
		.value = attr(n, W_VALUE)->f};
}

WindowMap
window_transposed(WindowMap m, int64_t n)
{
	return (WindowMap){.count = n, .stride = m.spacing, .dilation = -m.dilation, .low = -m.low, .spacing = m.stride};
}

/* a * b + c where no position on the way overflows */
static bool
fits(int64_t a, int64_t b, int64_t c)
{
	int64_t p;

	return mul_ok(a, b, &p) && add_ok(p, c, &p) && p < INT64_MAX / 4 && p > -(INT64_MAX / 4);
}

static bool
positions_fit(const WindowMap *m, int64_t n, int64_t size)
{
	return fits(m->count, m->stride, 0) && fits(size, m->dilation, 0) && fits(n, m->spacing, 0) && fits(1, m->low, 0);
}

static void
window_shape(Node *n)
{
	static const int positive[] = {W_STRIDE, W_SPACING};
	Type t = n->in[0]->type;
	int dim, taps;
	WindowMap m;

	if (t.rank < 2) {
		type_error(n, "%s is %s, has no two dimensions to slide along each other", nn(n->in[0]), tt(n->in[0]));
		return;
	}
	if ((dim = norm_dim(n, attr(n, W_DIM)->i, t.rank)) < 0 || (taps = norm_dim(n, attr(n, W_TAPS)->i, t.rank)) < 0)
		return;
	if (dim == taps || t.dim[dim].sym || t.dim[taps].sym) {
		type_error(n, dim == taps ? "\"dim\" and \"taps\" are both dimension %d"
			: "dimension %d of a window depends on a symbol", t.dim[dim].sym ? dim : taps);
		return;
	}
	m = map_of(n);
	for (int i = 0; i < LEN(positive); i++)
		if (attr(n, positive[i])->i < 1) {
			type_error(n, "\"%s\" is %lld, must be at least 1", n->op->attr[positive[i]].name,
				(long long)attr(n, positive[i])->i);
			return;
		}
	if (m.count < 0 || !positions_fit(&m, t.dim[dim].k, t.dim[taps].k)) {
		type_error(n, m.count < 0 ? "\"count\" is negative" : "positions overflow");
		return;
	}
	t.dim[dim] = DIM(m.count);
	if (!literal_fits(attr(n, W_VALUE), t.dt))
		type_error(n, "\"value\" %s is not a value of %s", literal_text(n, W_VALUE), dtype_name(t.dt));
	else if (type_fits(n, &t))
		n->type = t;
}

static int64_t
behind(const Tensor *t, int dim)
{
	int64_t n = 1;

	for (int d = dim + 1; d < t->rank; d++)
		n *= t->dim[d];
	return n;
}

static void
window_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	WindowMap m = map_of(n);
	int dim = axis_of(n, W_DIM), taps = axis_of(n, W_TAPS);
	const Tensor *x = in[0];
	int64_t inner = behind(x, dim), step = behind(out, taps), size = x->dim[dim];

	(void)c;
	for (int64_t e = 0; e < out->n; e++) {
		int64_t o = e / inner % m.count, k = e / step % out->dim[taps];
		int64_t p = o * m.stride + k * m.dilation - m.low;
		bool inside = p >= 0 && p % m.spacing == 0 && p / m.spacing < size;
		int64_t i = inside ? (e / inner / m.count * size + p / m.spacing) * inner + e % inner : 0;
		if (out->f)
			out->f[e] = inside ? x->f[i] : m.value;
		else
			out->i[e] = inside ? x->i[i] : attr(n, W_VALUE)->i;
	}
}

static void
window_vjp(Node *y, Node *const *g, Node **d)
{
	int dim = axis_of(y, W_DIM);

	d[0] = Window(g[0], dim, axis_of(y, W_TAPS), window_transposed(map_of(y), y->in[0]->type.dim[dim].k));
}

static void
window_access(IxCtx *c, const Node *n, const Ix *const *o, int which, const Ix **in, IxGuard *guard)
{
	WindowMap m = map_of(n);
	int dim = axis_of(n, W_DIM);
	const Ix *zero = ix_int(c, 0), *p;
	int64_t size = n->in[0]->type.dim[dim].k;

	(void)which;
	for (int i = 0; i < n->type.rank; i++)
		in[i] = o[i];
	p = ix_add(c, ix_scale(c, o[dim], DIM(m.stride)), ix_scale(c, o[axis_of(n, W_TAPS)], DIM(m.dilation)));
	p = ix_add(c, p, ix_int(c, -m.low));
	ix_guard(c, guard, p, zero, ix_int(c, size * m.spacing));
	if (m.spacing > 1)
		ix_guard(c, guard, ix_mod(c, p, DIM(m.spacing)), zero, ix_int(c, 1));
	in[dim] = ix_div(c, p, DIM(m.spacing));
}

static const AttrSpec window_attr[] = {
	[W_DIM]      = {"dim", A_INT, NULL, "dimension along which windows slide", NULL},
	[W_TAPS]     = {"taps", A_INT, "-1", "dimension of the places in a window", NULL},
	[W_COUNT]    = {"count", A_INT, NULL, "size of dim in the result: how many windows", NULL},
	[W_STRIDE]   = {"stride", A_INT, "1", "positions from one window to the next", NULL},
	[W_DILATION] = {"dilation", A_INT, "1", "positions from one tap to the next; may be negative", NULL},
	[W_LOW]      = {"low", A_INT, "0", "positions before the input at which the first window begins", NULL},
	[W_SPACING]  = {"spacing", A_INT, "1", "positions from one element of the input to the next", NULL},
	[W_VALUE]    = {"value", A_NUM, "0", "what lies where the input has no element", NULL},
	{0}
};
const Op op_window = {.name = "window", .id = OP_window, .kind = VIEW, .min_in = 1, .max_in = 1,
	.attr = window_attr, .operands = "input",
	.doc = "for window o and tap k the element at position o * stride + k * dilation - low",
	.shape = window_shape, .eval = window_eval, .vjp = window_vjp, .access = window_access};

/* ---- builders ---- */

static bool
changes_nothing(const Node *x, int dim, int taps, const WindowMap *m)
{
	return dim_eq(x->type.dim[dim], DIM(m->count)) && m->stride == m->spacing && !m->low
		&& (!m->dilation || dim_one(x->type.dim[taps]));
}

Node *
Window(Node *x, int dim, int taps, WindowMap m)
{
	const Op *op = op_get(OP_window);
	Attr *a;

	if (changes_nothing(x, dim, taps, &m))
		return x;
	a = attrs_new(x->g, op);
	set_int(op, a, "dim", dim);
	set_int(op, a, "taps", taps);
	set_int(op, a, "count", m.count);
	set_int(op, a, "stride", m.stride);
	set_int(op, a, "dilation", m.dilation);
	set_int(op, a, "low", m.low);
	set_int(op, a, "spacing", m.spacing);
	set_num(op, a, "value", m.value);
	return node(x->g, op, &x, 1, a);
}

Node *
Windows(Node *x, int first, int n, const int64_t *size, const WindowMap *m)
{
	Dim dim[MAXRANK];
	int rank = x->type.rank;

	if (rank + n > MAXRANK)
		bug("windows beyond rank %d", MAXRANK);
	for (int i = 0; i < rank + n; i++)
		dim[i] = i < rank ? x->type.dim[i] : DIM(1);
	x = Reshape(x, dim, rank + n);
	for (int i = 0; i < n; i++)
		dim[rank + i] = DIM(size[i]);
	x = Expand(x, dim, rank + n);
	for (int i = 0; i < n; i++)
		x = Window(x, first + i, rank + i, m[i]);
	return x;
}

/* each element lies in one window: there is nothing to add */
static bool
tiles(const WindowMap *m, int64_t size, int64_t n)
{
	return m->stride == size && m->dilation == 1 && !m->low && m->spacing == 1 && m->count * size == n;
}

/* dimensions dim, of windows, and taps of y as one */
static Node *
join(Node *y, int dim, int taps)
{
	int perm[MAXRANK], rank = y->type.rank, k = 0;
	Dim size[MAXRANK];

	for (int i = 0; i < rank; i++) {
		if (i == taps)
			continue;
		size[k] = y->type.dim[i];
		perm[k++] = i;
		if (i == dim)
			perm[k++] = taps;
	}
	y = Permute(y, perm);
	size[dim] = DIM(y->type.dim[dim].k * y->type.dim[dim + 1].k);
	for (int i = dim + 1; i < rank - 1; i++)
		size[i] = y->type.dim[i + 1];
	return Reshape(y, size, rank - 1);
}

Node *
WindowsTransposed(Node *y, int first, int n, const int64_t *size, const WindowMap *m, const Dim *to)
{
	int rank = y->type.rank - n, sum[MAXRANK], nsum = 0, taps = rank;

	for (int i = 0; i < n; i++)
		if (tiles(&m[i], size[i], to[i].k))
			y = join(y, first + i, taps);
		else {
			y = Window(y, first + i, taps, window_transposed(m[i], to[i].k));
			sum[nsum++] = taps++;
		}
	return Sum(y, sum, nsum, false);
}

/* ---- what ops over windows share ---- */

int
spatial_dims(const Op *op)
{
	return *strpbrk(op->name, "123") - '0';
}

bool
per_dim(Node *n, int i, int space, int64_t *out)
{
	const Attr *a = attr(n, i);

	if (a->n != space && a->n != 1) {
		type_error(n, "\"%s\" has %d entries for %d spatial dimensions", n->op->attr[i].name, a->n, space);
		return false;
	}
	for (int k = 0; k < space; k++)
		out[k] = a->ints[a->n == 1 ? 0 : k];
	return true;
}

bool
numbers_from(Node *n, const char *what, const int64_t *v, int count, int64_t least)
{
	for (int i = 0; i < count; i++)
		if (v[i] < least || v[i] > INT32_MAX) {
			type_error(n, "\"%s\" is %lld, must be at least %lld%s", what, (long long)v[i], (long long)least,
				v[i] > INT32_MAX ? " and below 2^31" : "");
			return false;
		}
	return true;
}

int64_t
window_count(int64_t n, int64_t size, int64_t dilation, int64_t stride, int64_t low, bool ceil)
{
	int64_t reach = n + 2 * low - dilation * (size - 1) - 1, count;

	if (reach < 0)
		return 0;
	count = (reach + (ceil ? stride - 1 : 0)) / stride + 1;
	return ceil && (count - 1) * stride >= n + low ? count - 1 : count;
}

/* op_view: reshape, permute, expand, slice, flip, pad, cat.
 *
 * Each moves elements and computes none: access() says which element of an
 * input an output element is. Sizes must stay monomials of the symbols; where a
 * bound depends on a symbol, what is refused is refused here by name. */
#include "ir.h"

#include <string.h>

/* ---- walking tensors ---- */

/* next row-major index; false after the last */
static bool
step(int rank, const int64_t *dim, int64_t *at)
{
	for (int d = rank - 1; d >= 0; d--) {
		if (++at[d] < dim[d])
			return true;
		at[d] = 0;
	}
	return false;
}

static int64_t
offset(const Tensor *t, const int64_t *at)
{
	int64_t o = 0;

	for (int d = 0; d < t->rank; d++)
		o = o * t->dim[d] + at[d];
	return o;
}

static void
move(Tensor *out, int64_t o, const Tensor *in, int64_t i)
{
	if (out->f)
		out->f[o] = in->f[i];
	else
		out->i[o] = in->i[i];
}

/* ---- sizes ---- */

static const char *
dim_say(const Node *n, Dim d)
{
	return dim_text(n->g->arena, n->g, d);
}

/* a + b (or a - b) when it is a monomial */
static bool
dim_sum(Dim a, Dim b, bool minus, Dim *out)
{
	if (minus)
		b.k = -b.k;
	if (a.k && b.k && a.sym != b.sym)
		return false;
	out->sym = a.k ? a.sym : b.sym;
	if (!add_ok(a.k, b.k, &out->k))
		return false;
	if (!out->k)
		out->sym = 0;
	return true;
}

static bool
known_rank(Node *n, int rank, const char *what)
{
	if (rank <= MAXRANK)
		return true;
	type_error(n, "%s has %d dimensions; at most %d are possible", what, rank, MAXRANK);
	return false;
}

/* ---- reshape ---- */

/* the size that -1 stands for, given the product of the others */
static bool
infer_size(Node *n, Dim count, Dim rest, Dim *out)
{
	if (rest.k && dim_div(count, rest, out))
		return true;
	type_error(n, "cannot infer -1: %s has %s elements, the other sizes make %s", nn(n->in[0]),
		dim_say(n, count), dim_say(n, rest));
	return false;
}

static void
reshape_shape(Node *n)
{
	const Attr *a = attr(n, 0);
	Type t = {.dt = n->in[0]->type.dt, .rank = a->n};
	Dim count = type_count(&n->in[0]->type), product = DIM(1);
	int hole = -1;

	if (!known_rank(n, a->n, "\"shape\""))
		return;
	for (int i = 0; i < a->n; i++) {
		t.dim[i] = a->dims[i];
		if (a->dims[i].k < 0) {
			if (hole >= 0 || !dim_eq(a->dims[i], DIM(-1))) {
				type_error(n, hole >= 0 ? "more than one size is -1" : "size %s is negative",
					dim_say(n, a->dims[i]));
				return;
			}
			hole = i;
		} else if (!dim_mul(product, a->dims[i], &product)) {
			type_error(n, "the product of \"shape\" overflows");
			return;
		}
	}
	if (hole >= 0) {
		if (!infer_size(n, count, product, &t.dim[hole]))
			return;
	} else if (!dim_eq(count, product)) {
		type_error(n, "%s is %s with %s elements, \"shape\" has %s", nn(n->in[0]), tt(n->in[0]),
			dim_say(n, count), dim_say(n, product));
		return;
	}
	if (type_fits(n, &t))
		n->type = t;
}

static void
reshape_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	(void)c, (void)n;
	for (int64_t i = 0; i < out->n; i++)
		move(out, i, in[0], i);
}

static void
reshape_vjp(Node *y, Node *const *g, Node **d)
{
	d[0] = ReshapeLike(g[0], y->in[0]);
}

/* the smallest i1 > i0 and j1 > j0 with equal products of a[i0..i1) and b[j0..j1) */
static void
next_block(const Type *a, const Type *b, int i0, int j0, int *i1, int *j1)
{
	Dim pa = DIM(1), pb;

	for (*i1 = i0 + 1; *i1 <= a->rank; ++*i1) {
		dim_mul(pa, a->dim[*i1 - 1], &pa);
		pb = DIM(1);
		for (*j1 = j0 + 1; *j1 <= b->rank; ++*j1) {
			dim_mul(pb, b->dim[*j1 - 1], &pb);
			if (dim_eq(pa, pb))
				return;
		}
	}
	*i1 = a->rank;
	*j1 = b->rank;
}

/* index within a block of input dimensions: digits of the linear index in its output dimensions */
static void
block_access(IxCtx *c, const Type *in, int i0, int i1, const Ix *flat, const Ix **to)
{
	for (int i = i1 - 1; i >= i0; i--) {
		if (i == i0) {
			to[i] = flat;
			return;
		}
		to[i] = ix_mod(c, flat, in->dim[i]);
		flat = ix_div(c, flat, in->dim[i]);
	}
}

static void
reshape_access(IxCtx *c, const Node *n, const Ix *const *o, int which, const Ix **in, IxGuard *guard)
{
	const Type *a = &n->in[0]->type, *b = &n->type;
	int i = 0, j = 0, i1, j1;

	(void)which, (void)guard;
	for (int k = 0; k < a->rank; k++)
		in[k] = ix_int(c, 0);
	if (!type_count(a).k)
		return;                /* no element: nothing is read */
	while (i < a->rank && j < b->rank) {
		const Ix *flat = ix_int(c, 0);
		next_block(a, b, i, j, &i1, &j1);
		for (; j < j1; j++)
			flat = ix_add(c, ix_scale(c, flat, b->dim[j]), o[j]);
		block_access(c, a, i, i1, flat, in);
		i = i1;
	}
}

static const AttrSpec reshape_attr[] = {
	{"shape", A_SHAPE, NULL, "new sizes; one may be -1", NULL},
	{0}
};
const Op op_reshape = {.name = "reshape", .id = OP_reshape, .kind = VIEW, .min_in = 1, .max_in = 1,
	.flags = ALIAS, .attr = reshape_attr, .operands = "input",
	.doc = "the same elements in row-major order under another shape",
	.shape = reshape_shape, .eval = reshape_eval, .vjp = reshape_vjp, .access = reshape_access};

/* ---- permute ---- */

/* source dimension of each output dimension; false after an error */
static bool
permutation(Node *n, int *perm)
{
	const Attr *a = attr(n, 0);
	bool seen[MAXRANK] = {0};
	int rank = n->in[0]->type.rank;

	if (a->n != rank) {
		type_error(n, "\"dims\" has %d entries, %s is %s", a->n, nn(n->in[0]), tt(n->in[0]));
		return false;
	}
	for (int i = 0; i < rank; i++) {
		if ((perm[i] = norm_dim(n, a->ints[i], rank)) < 0)
			return false;
		if (seen[perm[i]]) {
			type_error(n, "dimension %d appears twice in \"dims\"", perm[i]);
			return false;
		}
		seen[perm[i]] = true;
	}
	return true;
}

/* the same of a node that has a type */
static void
permutation_of(const Node *n, int *perm)
{
	for (int i = 0; i < n->type.rank; i++) {
		int64_t d = attr(n, 0)->ints[i];
		perm[i] = dim_index(d, n->type.rank);
	}
}

static void
permute_shape(Node *n)
{
	int perm[MAXRANK];
	Type t = n->in[0]->type;

	if (!permutation(n, perm))
		return;
	for (int i = 0; i < t.rank; i++)
		t.dim[i] = n->in[0]->type.dim[perm[i]];
	n->type = t;
}

static void
permute_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	int perm[MAXRANK];
	int64_t at[MAXRANK] = {0}, from[MAXRANK], o = 0;

	(void)c;
	permutation_of(n, perm);
	if (out->n)
		do {
			for (int d = 0; d < out->rank; d++)
				from[perm[d]] = at[d];
			move(out, o++, in[0], offset(in[0], from));
		} while (step(out->rank, out->dim, at));
}

static void
permute_vjp(Node *y, Node *const *g, Node **d)
{
	int perm[MAXRANK], inverse[MAXRANK];

	permutation_of(y, perm);
	for (int i = 0; i < y->type.rank; i++)
		inverse[perm[i]] = i;
	d[0] = Permute(g[0], inverse);
}

static void
permute_access(IxCtx *c, const Node *n, const Ix *const *o, int which, const Ix **in, IxGuard *guard)
{
	int perm[MAXRANK];

	(void)c, (void)which, (void)guard;
	permutation_of(n, perm);
	for (int i = 0; i < n->type.rank; i++)
		in[perm[i]] = o[i];
}

static const AttrSpec permute_attr[] = {
	{"dims", A_INTS, NULL, "the input's dimension that each dimension of the result is", NULL},
	{0}
};
const Op op_permute = {.name = "permute", .id = OP_permute, .kind = VIEW, .min_in = 1, .max_in = 1,
	.flags = ALIAS, .attr = permute_attr, .operands = "input",
	.doc = "dimensions in another order",
	.shape = permute_shape, .eval = permute_eval, .vjp = permute_vjp, .access = permute_access};

/* ---- expand ---- */

static void
expand_shape(Node *n)
{
	const Attr *a = attr(n, 0);
	const Type *in = &n->in[0]->type;
	Type t = {.dt = in->dt, .rank = a->n};
	int lead = a->n - in->rank;

	if (!known_rank(n, a->n, "\"shape\""))
		return;
	if (lead < 0) {
		type_error(n, "\"shape\" has %d sizes, %s is %s", a->n, nn(n->in[0]), tt(n->in[0]));
		return;
	}
	for (int i = 0; i < a->n; i++) {
		bool keep = dim_eq(a->dims[i], DIM(-1));
		if ((a->dims[i].k < 0 && !keep) || (keep && i < lead)) {
			type_error(n, keep ? "size %d of \"shape\" is -1, but %s has no such dimension to keep"
				: "size %d of \"shape\" is negative", i, nn(n->in[0]));
			return;
		}
		t.dim[i] = keep ? in->dim[i - lead] : a->dims[i];
		if (i >= lead && !dim_one(in->dim[i - lead]) && !dim_eq(in->dim[i - lead], t.dim[i])) {
			type_error(n, "cannot expand %s to %s: dimension %d of %s is %s",
				tt(n->in[0]), dim_say(n, t.dim[i]), i - lead, nn(n->in[0]),
				dim_say(n, in->dim[i - lead]));
			return;
		}
	}
	if (type_fits(n, &t))
		n->type = t;
}

static void
expand_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	int64_t at[MAXRANK] = {0}, from[MAXRANK], o = 0;
	int lead = out->rank - in[0]->rank;

	(void)c, (void)n;
	if (out->n)
		do {
			for (int d = 0; d < in[0]->rank; d++)
				from[d] = in[0]->dim[d] == 1 ? 0 : at[d + lead];
			move(out, o++, in[0], offset(in[0], from));
		} while (step(out->rank, out->dim, at));
}

static void
expand_vjp(Node *y, Node *const *g, Node **d)
{
	d[0] = SumTo(g[0], &y->in[0]->type);
}

static void
expand_access(IxCtx *c, const Node *n, const Ix *const *o, int which, const Ix **in, IxGuard *guard)
{
	const Type *a = &n->in[0]->type;
	int lead = n->type.rank - a->rank;

	(void)which, (void)guard;
	for (int i = 0; i < a->rank; i++)
		in[i] = dim_one(a->dim[i]) ? ix_int(c, 0) : o[i + lead];
}

static const AttrSpec expand_attr[] = {
	{"shape", A_SHAPE, NULL, "sizes of the result; -1 keeps the input's", NULL},
	{0}
};
const Op op_expand = {.name = "expand", .id = OP_expand, .kind = VIEW, .min_in = 1, .max_in = 1,
	.flags = ALIAS, .attr = expand_attr, .operands = "input",
	.doc = "dimensions of size 1, and new leading ones, repeated",
	.shape = expand_shape, .eval = expand_eval, .vjp = expand_vjp, .access = expand_access};

/* ---- slice ---- */

/* What a slice takes, in elements of the dimension: start is `start` plus, where
 * from_end, the dimension itself. */
typedef struct Stretch {
	int dim;
	bool from_end;
	Dim start, size;
	int64_t step;
} Stretch;

enum { SLICE_DIM, SLICE_START, SLICE_END, SLICE_STEP };

/* Python's rule for a bound of a dimension with n elements */
static int64_t
clamp_bound(int64_t v, int64_t n)
{
	if (v < 0)
		v += n;
	return v < 0 ? 0 : MIN(v, n);
}

static const Ix *
bound_ix(IxCtx *c, Dim bound, Dim size)
{
	const Ix *v = ix_dim(c, bound);

	return bound.k < 0 ? ix_add(c, v, ix_dim(c, size)) : v;
}

/* bounds of a symbolic dimension: nothing is clamped, so they must provably lie within it */
static bool
symbolic_range(const Node *n, Dim size, Dim start, Dim end, Stretch *r)
{
	IxCtx *c = ix_new(n->g->arena, n->g);
	const Ix *lo = bound_ix(c, start, size), *hi = bound_ix(c, end, size), *len = ix_sub(c, hi, lo);

	if (!ix_le(c, ix_int(c, 0), lo) || !ix_le(c, lo, hi) || !ix_le(c, hi, ix_dim(c, size)))
		return false;
	r->from_end = start.k < 0;
	r->start = start;
	if (r->from_end && dim_sum(size, start, false, &r->start))
		r->from_end = false;
	r->size = len->n ? len->term[0].k : DIM(0);
	return len->n <= 1;
}

/* sets *r; NULL, or the reason why it cannot be said */
static const char *
slice_range(const Node *n, int dim, Stretch *r)
{
	const Attr *s = attr(n, SLICE_START), *e = attr(n, SLICE_END);
	Dim size = n->in[0]->type.dim[dim];
	Dim start = s->set ? s->dims[0] : DIM(0), end = e->set ? e->dims[0] : size;

	*r = (Stretch){.dim = dim, .start = start, .step = attr(n, SLICE_STEP)->i};
	if (!size.sym && !start.sym && !end.sym) {
		int64_t lo = clamp_bound(start.k, size.k), hi = clamp_bound(end.k, size.k);
		r->start = DIM(lo);
		r->size = DIM(MAX(0, hi - lo));
	} else if (!symbolic_range(n, size, start, end, r))
		return "the range must lie within the dimension for all values of its symbols, "
			"and its length must be a product such as 4*B";
	if (r->step == 1)
		return NULL;
	if (!r->size.sym)
		r->size.k = r->size.k / r->step + (r->size.k % r->step != 0);
	else if (!dim_div(r->size, DIM(r->step), &r->size))
		return "the step must divide a length that depends on a symbol";
	return NULL;
}

/* of a node that has a type */
static Stretch
slice_of(const Node *n)
{
	Stretch r;
	int64_t d = attr(n, SLICE_DIM)->i;

	slice_range(n, dim_index(d, n->type.rank), &r);
	return r;
}

static void
slice_shape(Node *n)
{
	Type t = n->in[0]->type;
	const Attr *s = attr(n, SLICE_START), *e = attr(n, SLICE_END);
	const char *why;
	Stretch r;
	int dim;

	if (!t.rank) {
		type_error(n, "%s is a scalar", nn(n->in[0]));
		return;
	}
	if ((dim = norm_dim(n, attr(n, SLICE_DIM)->i, t.rank)) < 0)
		return;
	if (attr(n, SLICE_STEP)->i < 1) {
		type_error(n, "\"step\" is %lld, must be at least 1 (flip reverses)",
			(long long)attr(n, SLICE_STEP)->i);
		return;
	}
	if ((why = slice_range(n, dim, &r))) {
		type_error(n, "cannot take %s:%s:%lld of dimension %d, which is %s\n%s",
			s->set ? dim_say(n, s->dims[0]) : "", e->set ? dim_say(n, e->dims[0]) : "",
			(long long)r.step, dim, dim_say(n, t.dim[dim]), why);
		return;
	}
	t.dim[dim] = r.size;
	n->type = t;
}

static void
slice_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	Stretch r = slice_of(n);
	int64_t at[MAXRANK] = {0}, from[MAXRANK], o = 0;
	int64_t start = dim_at(r.start, c->symval) + (r.from_end ? in[0]->dim[r.dim] : 0);

	if (out->n)
		do {
			memcpy(from, at, sizeof from);
			from[r.dim] = start + r.step * at[r.dim];
			move(out, o++, in[0], offset(in[0], from));
		} while (step(out->rank, out->dim, at));
}

/* zeros between the elements along the slice's dimension, as many as the step left out */
static Node *
dilate(Node *g, const Stretch *r)
{
	Dim low[MAXRANK + 1] = {{0}}, high[MAXRANK + 1] = {{0}}, wide;
	Dim dims[MAXRANK];
	Type t = g->type;

	if (r->step == 1 || !dim_mul(r->size, DIM(r->step), &wide))
		return g;
	high[r->dim + 1] = DIM(r->step - 1);
	memcpy(dims, t.dim, sizeof dims);
	dims[r->dim] = wide;
	return Reshape(Pad(Unsqueeze(g, r->dim + 1), low, high, 0), dims, t.rank);
}

/* for ranges whose complement has no expressible size: add at start, start + step, ... */
static Node *
slice_vjp_scatter(Node *x, Node *g, const Stretch *r)
{
	Type t = g->type;
	Node *index;

	t.dt = I64;
	index = Mul(Iota(x->g, t, r->dim), LitI(x->g, I64, r->step));
	index = Add(index, DimSize(x->g, r->start, I64));
	if (r->from_end)
		index = Add(index, DimSize(x->g, x->type.dim[r->dim], I64));
	return ScatterAdd(Zeros(x), r->dim, index, g);
}

static void
slice_vjp(Node *y, Node *const *gs, Node **d)
{
	Node *x = y->in[0], *g;
	Stretch r = slice_of(y);
	Dim low[MAXRANK] = {{0}}, high[MAXRANK] = {{0}}, size = x->type.dim[r.dim], room, wide;

	if (r.from_end || x->type.rank == MAXRANK || !dim_sum(size, r.start, true, &room)
		|| !dim_mul(r.size, DIM(r.step), &wide) || !dim_sum(room, wide, true, &high[r.dim])) {
		d[0] = slice_vjp_scatter(x, gs[0], &r);
		return;
	}
	g = dilate(gs[0], &r);
	if (high[r.dim].k < 0) {       /* the last block of the step reaches beyond the end */
		g = Slice(g, r.dim, DIM(0), room, 1);
		high[r.dim] = DIM(0);
	}
	low[r.dim] = r.start;
	d[0] = Pad(g, low, high, 0);
}

static void
slice_access(IxCtx *c, const Node *n, const Ix *const *o, int which, const Ix **in, IxGuard *guard)
{
	Stretch r = slice_of(n);
	const Ix *at = ix_add(c, ix_scale(c, o[r.dim], DIM(r.step)), ix_dim(c, r.start));

	(void)which, (void)guard;
	for (int i = 0; i < n->type.rank; i++)
		in[i] = o[i];
	if (r.from_end)
		at = ix_add(c, at, ix_dim(c, n->in[0]->type.dim[r.dim]));
	in[r.dim] = at;
}

static const AttrSpec slice_attr[] = {
	[SLICE_DIM]   = {"dim", A_INT, "0", "dimension", NULL},
	[SLICE_START] = {"start", A_DIM, "null", "first index; negative counts from the end", NULL},
	[SLICE_END]   = {"end", A_DIM, "null", "index after the last; null is the end", NULL},
	[SLICE_STEP]  = {"step", A_INT, "1", "at least 1", NULL},
	{0}
};
const Op op_slice = {.name = "slice", .id = OP_slice, .kind = VIEW, .min_in = 1, .max_in = 1,
	.flags = ALIAS, .attr = slice_attr, .operands = "input",
	.doc = "elements start, start + step, ... before end of one dimension, as Python's a[start:end:step]",
	.shape = slice_shape, .eval = slice_eval, .vjp = slice_vjp, .access = slice_access};

/* ---- flip ---- */

static void
flip_shape(Node *n)
{
	int dims[MAXRANK];

	if (norm_dims(n, 0, n->in[0]->type.rank, false, dims) >= 0)
		n->type = n->in[0]->type;
}

/* which dimensions run backwards, of a node that has a type */
static void
flipped(const Node *n, bool *back)
{
	const Attr *a = attr(n, 0);

	for (int i = 0; i < a->n; i++)
		back[a->ints[i] < 0 ? a->ints[i] + n->type.rank : a->ints[i]] = true;
}

static void
flip_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	bool back[MAXRANK + 1] = {0};
	int64_t at[MAXRANK] = {0}, from[MAXRANK], o = 0;

	(void)c;
	flipped(n, back);
	if (out->n)
		do {
			for (int d = 0; d < out->rank; d++)
				from[d] = back[d] ? out->dim[d] - 1 - at[d] : at[d];
			move(out, o++, in[0], offset(in[0], from));
		} while (step(out->rank, out->dim, at));
}

static void
flip_vjp(Node *y, Node *const *g, Node **d)
{
	bool back[MAXRANK + 1] = {0};
	int dims[MAXRANK], n = 0;

	flipped(y, back);
	for (int i = 0; i < y->type.rank; i++)
		if (back[i])
			dims[n++] = i;
	d[0] = Flip(g[0], dims, n);
}

static void
flip_access(IxCtx *c, const Node *n, const Ix *const *o, int which, const Ix **in, IxGuard *guard)
{
	bool back[MAXRANK + 1] = {0};

	(void)which, (void)guard;
	flipped(n, back);
	for (int i = 0; i < n->type.rank; i++) {
		in[i] = o[i];
		if (back[i])
			in[i] = ix_sub(c, ix_add(c, ix_dim(c, n->type.dim[i]), ix_int(c, -1)), o[i]);
	}
}

static const AttrSpec flip_attr[] = {
	{"dims", A_INTS, NULL, "dimensions to reverse", NULL},
	{0}
};
const Op op_flip = {.name = "flip", .id = OP_flip, .kind = VIEW, .min_in = 1, .max_in = 1,
	.flags = ALIAS, .attr = flip_attr, .operands = "input",
	.doc = "elements of the given dimensions in reverse order",
	.shape = flip_shape, .eval = flip_eval, .vjp = flip_vjp, .access = flip_access};

/* ---- pad ---- */

enum { PAD_LOW, PAD_HIGH, PAD_VALUE };

static void
pad_shape(Node *n)
{
	const Attr *low = attr(n, PAD_LOW), *high = attr(n, PAD_HIGH);
	Type t = n->in[0]->type;

	for (int which = 0; which < 2; which++) {
		const Attr *a = attr(n, which);
		if (a->n != t.rank) {
			type_error(n, "\"%s\" has %d entries, %s is %s", which ? "high" : "low", a->n,
				nn(n->in[0]), tt(n->in[0]));
			return;
		}
	}
	for (int i = 0; i < t.rank; i++) {
		Dim lo = low->dims[i], hi = high->dims[i];
		if (lo.k < 0 || hi.k < 0) {
			type_error(n, "padding of dimension %d is negative (%s); slice removes elements", i,
				dim_say(n, lo.k < 0 ? lo : hi));
			return;
		}
		if (!dim_sum(lo, t.dim[i], false, &t.dim[i]) || !dim_sum(t.dim[i], hi, false, &t.dim[i])) {
			type_error(n, "padding dimension %d, which is %s, by %s and %s gives no product such as 4*B",
				i, dim_say(n, n->in[0]->type.dim[i]), dim_say(n, lo), dim_say(n, hi));
			return;
		}
	}
	if (!literal_fits(attr(n, PAD_VALUE), t.dt))
		type_error(n, "\"value\" %s is not a value of %s", literal_text(n, PAD_VALUE), dtype_name(t.dt));
	else if (type_fits(n, &t))
		n->type = t;
}

static void
pad_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	const Attr *low = attr(n, PAD_LOW), *value = attr(n, PAD_VALUE);
	int64_t at[MAXRANK] = {0}, from[MAXRANK], o = 0;

	if (out->n)
		do {
			bool inside = true;
			for (int d = 0; d < out->rank; d++) {
				from[d] = at[d] - dim_at(low->dims[d], c->symval);
				inside &= from[d] >= 0 && from[d] < in[0]->dim[d];
			}
			if (inside)
				move(out, o, in[0], offset(in[0], from));
			else if (out->f)
				out->f[o] = value->f;
			else
				out->i[o] = value->i;
			o++;
		} while (step(out->rank, out->dim, at));
}

static void
pad_vjp(Node *y, Node *const *g, Node **d)
{
	const Attr *low = attr(y, PAD_LOW);

	d[0] = g[0];
	for (int i = 0; i < y->type.rank; i++) {
		Dim end;
		if (!dim_sum(low->dims[i], y->in[0]->type.dim[i], false, &end))
			bug("pad: bounds of dimension %d", i);
		d[0] = Slice(d[0], i, low->dims[i], end, 1);
	}
}

static void
pad_access(IxCtx *c, const Node *n, const Ix *const *o, int which, const Ix **in, IxGuard *guard)
{
	const Attr *low = attr(n, PAD_LOW);

	(void)which;
	for (int i = 0; i < n->type.rank; i++) {
		const Ix *lo = ix_dim(c, low->dims[i]);
		in[i] = ix_sub(c, o[i], lo);
		ix_guard(c, guard, o[i], lo, ix_add(c, lo, ix_dim(c, n->in[0]->type.dim[i])));
	}
}

static const AttrSpec pad_attr[] = {
	[PAD_LOW]   = {"low", A_SHAPE, NULL, "elements added before, per dimension", NULL},
	[PAD_HIGH]  = {"high", A_SHAPE, NULL, "elements added after, per dimension", NULL},
	[PAD_VALUE] = {"value", A_NUM, "0", "what the added elements are", NULL},
	{0}
};
const Op op_pad = {.name = "pad", .id = OP_pad, .kind = VIEW, .min_in = 1, .max_in = 1,
	.attr = pad_attr, .operands = "input",
	.doc = "the input surrounded by a constant",
	.shape = pad_shape, .eval = pad_eval, .vjp = pad_vjp, .access = pad_access};

/* ---- cat ---- */

/* operand i agrees with operand 0 but for the size of dimension dim */
static bool
cat_agrees(Node *n, int i, int dim)
{
	const Type *a = &n->in[0]->type, *b = &n->in[i]->type;
	bool same = a->rank == b->rank;

	for (int k = 0; same && k < a->rank; k++)
		same = k == dim || dim_eq(a->dim[k], b->dim[k]);
	if (!same)
		type_error_in(n, i, "shapes differ beside dimension %d: %s is %s, %s is %s", dim,
			nn(n->in[0]), tt(n->in[0]), nn(n->in[i]), tt(n->in[i]));
	return same;
}

static void
cat_shape(Node *n)
{
	Type t = n->in[0]->type;
	int dim;

	if (!t.rank) {
		type_error_in(n, 0, "%s is a scalar; stack joins scalars", nn(n->in[0]));
		return;
	}
	if ((dim = norm_dim(n, attr(n, 0)->i, t.rank)) < 0 || !same_dtype(n, 0))
		return;
	for (int i = 1; i < n->nin; i++) {
		Dim size = n->in[i]->type.dim[dim];
		if (!cat_agrees(n, i, dim))
			return;
		if (!dim_sum(t.dim[dim], size, false, &t.dim[dim])) {
			type_error_in(n, i, "sizes %s and %s of dimension %d do not add to a product such as 4*B",
				dim_say(n, t.dim[dim]), dim_say(n, size), dim);
			return;
		}
	}
	if (type_fits(n, &t))
		n->type = t;
}

static int
cat_dim(const Node *n)
{
	return dim_index(attr(n, 0)->i, n->type.rank);
}

/* where operand i starts along the dimension */
static Dim
cat_start(const Node *n, int i, int dim)
{
	Dim s = DIM(0);

	for (int k = 0; k < i; k++)
		dim_sum(s, n->in[k]->type.dim[dim], false, &s);
	return s;
}

static void
cat_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	int dim = cat_dim(n);
	int64_t start = 0;

	(void)c;
	for (int i = 0; i < n->nin; i++) {
		int64_t at[MAXRANK] = {0}, to[MAXRANK], k = 0;
		if (in[i]->n)
			do {
				memcpy(to, at, sizeof to);
				to[dim] += start;
				move(out, offset(out, to), in[i], k++);
			} while (step(in[i]->rank, in[i]->dim, at));
		start += in[i]->dim[dim];
	}
}

static void
cat_vjp(Node *y, Node *const *g, Node **d)
{
	int dim = cat_dim(y);

	for (int i = 0; i < y->nin; i++)
		d[i] = Slice(g[0], dim, cat_start(y, i, dim), cat_start(y, i + 1, dim), 1);
}

static void
cat_access(IxCtx *c, const Node *n, const Ix *const *o, int which, const Ix **in, IxGuard *guard)
{
	int dim = cat_dim(n);
	const Ix *lo = ix_dim(c, cat_start(n, which, dim));
	const Ix *hi = ix_dim(c, cat_start(n, which + 1, dim));

	for (int i = 0; i < n->type.rank; i++)
		in[i] = o[i];
	in[dim] = ix_sub(c, o[dim], lo);
	ix_guard(c, guard, o[dim], lo, hi);
}

static const AttrSpec cat_attr[] = {
	{"dim", A_INT, "0", "dimension to join along", NULL},
	{0}
};
const Op op_cat = {.name = "cat", .id = OP_cat, .kind = VIEW, .min_in = 1, .max_in = -1,
	.attr = cat_attr, .operands = "input",
	.doc = "the operands one after another along a dimension",
	.shape = cat_shape, .eval = cat_eval, .vjp = cat_vjp, .access = cat_access};

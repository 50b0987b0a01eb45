/* compose_algebra: composites around products: addmm, addmv, addbmm, baddbmm, addr, tensordot, inner, vecdot, kron,
 * cross, vander, block_diag, cov, corrcoef. */
#include "ir.h"

#include <string.h>

/* ---- addmm, addmv, addbmm, baddbmm, addr ---- */

enum { ADD_BETA, ADD_ALPHA };

static const char *
product_spec(const Op *op)
{
	static const struct { int id; const char *spec; } known[] = {
		{OP_addmm,   "mk,kn->mn"},
		{OP_addmv,   "mk,k->m"},
		{OP_addbmm,  "bmk,bkn->mn"},
		{OP_baddbmm, "bmk,bkn->bmn"},
		{OP_addr,    "m,n->mn"},
	};

	for (int i = 0; i < LEN(known); i++)
		if (known[i].id == op->id)
			return known[i].spec;
	bug("%s: no product", op->name);
}

/* of operands 1 and 2; false after an error */
static bool
product_type(Node *n, Type *t)
{
	const char *s = product_spec(n->op);
	Dim size[128];
	bool known[128] = {0};

	for (int i = 1; i < 3; i++, s++) {
		const Type *in = &n->in[i]->type;
		int rank = (int)strcspn(s, ",-");
		if (in->rank != rank) {
			type_error_in(n, i, "%s is %s, must have %d dimension%s", nn(n->in[i]), tt(n->in[i]), rank, rank > 1 ? "s" : "");
			return false;
		}
		for (int d = 0; d < rank; d++, s++) {
			int label = *s;
			if (known[label] && !dim_eq(size[label], in->dim[d])) {
				type_error_in(n, 2, "sizes differ: %s is %s, %s is %s", nn(n->in[1]), tt(n->in[1]),
					nn(n->in[2]), tt(n->in[2]));
				return false;
			}
			known[label] = true;
			size[label] = in->dim[d];
		}
	}
	*t = (Type){.dt = n->in[0]->type.dt};
	for (s++; *s; s++)
		t->dim[t->rank++] = size[(int)*s];
	return type_fits(n, t);
}

/* does `from` broadcast to this very shape? */
static bool
expands(const Type *from, const Type *to)
{
	int more = to->rank - from->rank;

	for (int i = 0; i < from->rank && more >= 0; i++)
		if (!dim_one(from->dim[i]) && !dim_eq(from->dim[i], to->dim[more + i]))
			return false;
	return more >= 0;
}

static void
add_product_shape(Node *n)
{
	Type t;

	if (!same_dtype(n, 0) || !numeric_operand(n, 0) || !product_type(n, &t))
		return;
	if (!factor_fits(n, ADD_BETA, t.dt) || !factor_fits(n, ADD_ALPHA, t.dt))
		return;
	if (expands(&n->in[0]->type, &t))
		n->type = t;
	else
		type_error_in(n, 0, "%s is %s, the product %s", nn(n->in[0]), tt(n->in[0]), type_text(n->g->arena, n->g, &t));
}

static Node *
scaled(Node *x, const Attr *by)
{
	return by->f == 1 ? x : Mul(x, LitA(x, by));
}

/* where beta is 0, nothing of the input counts, not even NaN */
static void
add_product_compose(Node *n, bool training, Node **res)
{
	Node *a = Wide(n->in[1]), *b = Wide(n->in[2]), *y;

	(void)training;
	y = n->op->id == OP_addr ? Mul(Unsqueeze(a, 1), Unsqueeze(b, 0)) : Dot(product_spec(n->op), a, b);
	y = scaled(y, attr(n, ADD_ALPHA));
	if (attr(n, ADD_BETA)->f != 0)
		y = Add(scaled(Wide(n->in[0]), attr(n, ADD_BETA)), y);
	res[0] = Cast(y, n->type.dt);
}

static const AttrSpec add_product_attr[] = {
	[ADD_BETA]  = {"beta", A_NUM, "1", "factor of the input; 0: it does not count, even where it is NaN", NULL},
	[ADD_ALPHA] = {"alpha", A_NUM, "1", "factor of the product", NULL},
	{0}
};
#define ADD_PRODUCT(n, names, text) \
	const Op op_##n = {.name = #n, .id = OP_##n, .kind = COMPOSITE, .min_in = 3, .max_in = 3, .cost = 2, \
		.attr = add_product_attr, .operands = names, .doc = "beta * input + alpha * " text, \
		.shape = add_product_shape, .compose = add_product_compose};
ADD_PRODUCT(addmm,   "input mat1 mat2",     "product of two matrices")
ADD_PRODUCT(addmv,   "input mat vec",       "product of a matrix and a vector")
ADD_PRODUCT(addbmm,  "input batch1 batch2", "sum of the products of two batches of matrices")
ADD_PRODUCT(baddbmm, "input batch1 batch2", "product of two batches of matrices")
ADD_PRODUCT(addr,    "input vec1 vec2",     "products of all pairs of elements of two vectors")

/* ---- tensordot, inner ---- */

typedef struct Pairs { int n, a[MAXRANK], b[MAXRANK]; } Pairs;        /* dimensions that are contracted */

/* a sum over the pairs, of the other dimensions of a, then those of b */
static Node *
contraction(Node *a, Node *b, const Pairs *p)
{
	const Op *op = op_get(OP_einsum);
	Attr *at = attrs_new(a->g, op);
	char left[MAXRANK + 1] = {0}, right[MAXRANK + 1] = {0}, out[2 * MAXRANK + 1] = {0};
	bool gone[2 * MAXRANK] = {0};
	int rank = 0;

	for (int i = 0; i < a->type.rank; i++)
		left[i] = (char)('a' + i);
	for (int i = 0; i < b->type.rank; i++)
		right[i] = (char)('a' + MAXRANK + i);
	for (int i = 0; i < p->n; i++) {
		gone[p->a[i]] = gone[MAXRANK + p->b[i]] = true;
		right[p->b[i]] = left[p->a[i]];
	}
	for (int i = 0; i < 2 * MAXRANK; i++)
		if (!gone[i] && (i < MAXRANK ? i < a->type.rank : i - MAXRANK < b->type.rank))
			out[rank++] = (char)('a' + i);
	set_str(a->g, op, at, "equation", arena_fmt(a->g->arena, "%s,%s->%s", left, right, out));
	return node(a->g, op, (Node *const []){a, b}, 2, at);
}

/* n's type; false after an error */
static bool
contraction_type(Node *n, const Pairs *p)
{
	Type t = {.dt = n->in[0]->type.dt};

	for (int i = 0; i < p->n; i++)
		if (!dim_eq(n->in[0]->type.dim[p->a[i]], n->in[1]->type.dim[p->b[i]])) {
			type_error_in(n, 1, "sizes differ: dimension %d of %s, which is %s, and %d of %s, which is %s", p->a[i],
				nn(n->in[0]), tt(n->in[0]), p->b[i], nn(n->in[1]), tt(n->in[1]));
			return false;
		}
	for (int k = 0; k < 2; k++)
		for (int d = 0; d < n->in[k]->type.rank; d++) {
			bool gone = false;
			for (int i = 0; i < p->n; i++)
				gone |= (k ? p->b[i] : p->a[i]) == d;
			if (gone)
				continue;
			if (t.rank == MAXRANK) {
				type_error(n, "the result has more than %d dimensions", MAXRANK);
				return false;
			}
			t.dim[t.rank++] = n->in[k]->type.dim[d];
		}
	if (!type_fits(n, &t))
		return false;
	n->type = t;
	return true;
}

enum { TD_DIMS, TD_SELF, TD_OTHER };

static bool
tensordot_pairs(Node *n, Pairs *p)
{
	int ra = n->in[0]->type.rank, rb = n->in[1]->type.rank;
	const Attr *self = attr(n, TD_SELF), *other = attr(n, TD_OTHER);
	int64_t count = attr(n, TD_DIMS)->i;

	if (self->set || other->set) {
		p->n = self->set ? self->n : 0;
		if (!self->set || !other->set || self->n != other->n) {
			type_error(n, "\"dims_self\" and \"dims_other\" name as many dimensions as one another");
			return false;
		}
		return dims_listed(n, TD_SELF, ra, p->a) && dims_listed(n, TD_OTHER, rb, p->b);
	}
	if (count < 0 || count > MIN(ra, rb)) {
		type_error(n, "%lld dimensions to contract: %s is %s, %s is %s", (long long)count, nn(n->in[0]), tt(n->in[0]),
			nn(n->in[1]), tt(n->in[1]));
		return false;
	}
	p->n = (int)count;
	for (int i = 0; i < p->n; i++) {
		p->a[i] = ra - p->n + i;
		p->b[i] = i;
	}
	return true;
}

static void
tensordot_shape(Node *n)
{
	Pairs p;

	if (same_dtype(n, 0) && numeric_operand(n, 0) && tensordot_pairs(n, &p))
		contraction_type(n, &p);
}

static void
tensordot_compose(Node *n, bool training, Node **res)
{
	Pairs p;

	(void)training;
	tensordot_pairs(n, &p);
	res[0] = contraction(n->in[0], n->in[1], &p);
}

static const AttrSpec tensordot_attr[] = {
	[TD_DIMS]  = {"dims", A_INT, "2", "how many: last ones of input, first ones of other; lists come before it", NULL},
	[TD_SELF]  = {"dims_self", A_INTS, "null", "dimensions of input", NULL},
	[TD_OTHER] = {"dims_other", A_INTS, "null", "the dimensions of other that they go with", NULL},
	{0}
};
const Op op_tensordot = {.name = "tensordot", .id = OP_tensordot, .kind = COMPOSITE, .min_in = 2, .max_in = 2, .cost = 2,
	.attr = tensordot_attr, .operands = "input other", .doc = "sum of products over pairs of dimensions",
	.shape = tensordot_shape, .compose = tensordot_compose};

static Pairs
last_pair(const Node *n)
{
	return (Pairs){1, {n->in[0]->type.rank - 1}, {n->in[1]->type.rank - 1}};
}

static bool
any_scalar(const Node *n)
{
	return !n->in[0]->type.rank || !n->in[1]->type.rank;
}

static void
inner_shape(Node *n)
{
	Pairs p = last_pair(n);

	if (!same_dtype(n, 0) || !numeric_operand(n, 0))
		return;
	if (any_scalar(n))
		n->type = n->in[!n->in[0]->type.rank]->type;
	else
		contraction_type(n, &p);
}

static void
inner_compose(Node *n, bool training, Node **res)
{
	Pairs p = last_pair(n);

	(void)training;
	res[0] = any_scalar(n) ? Mul(n->in[0], n->in[1]) : contraction(n->in[0], n->in[1], &p);
}

const Op op_inner = {.name = "inner", .id = OP_inner, .kind = COMPOSITE, .min_in = 2, .max_in = 2, .cost = 2,
	.operands = "input other", .doc = "products of all pairs of vectors, which are the last dimensions; a scalar multiplies",
	.shape = inner_shape, .compose = inner_compose};

/* ---- vecdot, cross ---- */

/* the type that the operands broadcast to, and the dimension that attribute 0 names; -1 after an error */
static int
vectors_of(Node *n, Type *t)
{
	if (!same_dtype(n, 0) || !numeric_operand(n, 0) || !broadcast(n, (const Node *const *)n->in, 2, t))
		return -1;
	t->dt = n->in[0]->type.dt;
	if (t->rank)
		return norm_dim(n, attr(n, 0)->i, t->rank);
	type_error(n, "%s and %s are scalars", nn(n->in[0]), nn(n->in[1]));
	return -1;
}

static void
vecdot_shape(Node *n)
{
	Type t;
	int d = vectors_of(n, &t);

	if (d < 0)
		return;
	type_drop(&t, d);
	n->type = t;
}

static void
vecdot_compose(Node *n, bool training, Node **res)
{
	Type t;
	int d = vectors_of(n, &t);

	(void)training;
	res[0] = Cast(Sum(Mul(Wide(n->in[0]), Wide(n->in[1])), &d, 1, false), n->type.dt);
}

static const AttrSpec vector_dim_attr[] = {
	{"dim", A_INT, "-1", "dimension of the vectors", NULL},
	{0}
};
const Op op_vecdot = {.name = "vecdot", .id = OP_vecdot, .kind = COMPOSITE, .min_in = 2, .max_in = 2, .cost = 2,
	.attr = vector_dim_attr, .operands = "input other", .doc = "products of vectors along a dimension; the others broadcast",
	.shape = vecdot_shape, .compose = vecdot_compose};

static void
cross_shape(Node *n)
{
	Type t;
	int d = vectors_of(n, &t);

	if (d < 0)
		return;
	if (dim_eq(t.dim[d], DIM(3)))
		n->type = t;
	else
		type_error(n, "vectors of %s elements, must have 3: %s is %s, %s is %s", dim_text(n->g->arena, n->g, t.dim[d]),
			nn(n->in[0]), tt(n->in[0]), nn(n->in[1]), tt(n->in[1]));
}

static void
cross_compose(Node *n, bool training, Node **res)
{
	Node *a = ExpandLike(Wide(n->in[0]), n), *b = ExpandLike(Wide(n->in[1]), n);
	Type t;
	int d = vectors_of(n, &t);

	(void)training;
	a = Sub(Mul(roll_dim(a, d, -1), roll_dim(b, d, -2)), Mul(roll_dim(a, d, -2), roll_dim(b, d, -1)));
	res[0] = Cast(a, n->type.dt);
}

const Op op_cross = {.name = "cross", .id = OP_cross, .kind = COMPOSITE, .min_in = 2, .max_in = 2, .cost = 3,
	.attr = vector_dim_attr, .operands = "input other", .doc = "cross product of vectors of three elements; the others broadcast",
	.shape = cross_shape, .compose = cross_compose};

/* ---- kron ---- */

static void
kron_shape(Node *n)
{
	const Type *a = &n->in[0]->type, *b = &n->in[1]->type;
	Type t = {.dt = a->dt, .rank = MAX(a->rank, b->rank)};

	if (!same_dtype(n, 0) || !numeric_operand(n, 0))
		return;
	if (2 * t.rank > MAXRANK) {
		type_error(n, "%s is %s, %s is %s; at most %d dimensions are possible", nn(n->in[0]), tt(n->in[0]), nn(n->in[1]),
			tt(n->in[1]), MAXRANK / 2);
		return;
	}
	for (int i = 0; i < t.rank; i++) {
		Dim p = i < t.rank - a->rank ? DIM(1) : a->dim[i - (t.rank - a->rank)];
		Dim q = i < t.rank - b->rank ? DIM(1) : b->dim[i - (t.rank - b->rank)];
		if (!dim_mul(p, q, &t.dim[i])) {
			type_error(n, "sizes overflow");
			return;
		}
	}
	if (type_fits(n, &t))
		n->type = t;
}

/* each dimension as two, of which that number `at` has x's size */
static Node *
spread(Node *x, int rank, int at)
{
	Dim dim[MAXRANK];

	for (int i = 0; i < rank; i++) {
		dim[2 * i] = dim[2 * i + 1] = DIM(1);
		if (i >= rank - x->type.rank)
			dim[2 * i + at] = x->type.dim[i - (rank - x->type.rank)];
	}
	return Reshape(x, dim, 2 * rank);
}

static void
kron_compose(Node *n, bool training, Node **res)
{
	int rank = n->type.rank;

	(void)training;
	res[0] = Reshape(Mul(spread(n->in[0], rank, 0), spread(n->in[1], rank, 1)), n->type.dim, rank);
}

const Op op_kron = {.name = "kron", .id = OP_kron, .kind = COMPOSITE, .min_in = 2, .max_in = 2, .cost = 1,
	.operands = "input other", .doc = "Kronecker product: each element of input times other, as blocks",
	.shape = kron_shape, .compose = kron_compose};

/* ---- vander ---- */

enum { VANDER_N, VANDER_INCREASING };

static void
vander_shape(Node *n)
{
	const Attr *a = attr(n, VANDER_N);
	Type t = n->in[0]->type;

	if (!numeric_operand(n, 0))
		return;
	if (!t.rank || t.rank == MAXRANK) {
		type_error(n, "%s is %s, must have 1 to %d dimensions", nn(n->in[0]), tt(n->in[0]), MAXRANK - 1);
		return;
	}
	if (a->set && a->dims[0].k < 0) {
		type_error(n, "\"N\" is %s; a size is at least 0", dim_text(n->g->arena, n->g, a->dims[0]));
		return;
	}
	t.dim[t.rank] = a->set ? a->dims[0] : t.dim[t.rank - 1];
	t.rank++;
	if (type_fits(n, &t))
		n->type = t;
}

static void
vander_compose(Node *n, bool training, Node **res)
{
	Node *x = Wide(n->in[0]), *k;
	Dim count = n->type.dim[n->type.rank - 1];

	(void)training;
	k = Iota(n->g, (Type){.dt = I64, .rank = 1, .dim = {count}}, 0);
	if (!attr(n, VANDER_INCREASING)->i)
		k = Sub(Sub(DimSize(n->g, count, I64), LitI(n->g, I64, 1)), k);
	res[0] = Cast(Pow(Unsqueeze(x, x->type.rank), Cast(k, x->type.dt)), n->type.dt);
}

static const AttrSpec vander_attr[] = {
	[VANDER_N]          = {"N", A_DIM, "null", "number of powers; default: of elements", NULL},
	[VANDER_INCREASING] = {"increasing", A_BOOL, "false", "from power 0 upwards", NULL},
	{0}
};
const Op op_vander = {.name = "vander", .id = OP_vander, .kind = COMPOSITE, .min_in = 1, .max_in = 1, .cost = 20,
	.attr = vander_attr, .operands = "x", .doc = "powers of each element, N - 1 to 0, along a new last dimension",
	.shape = vander_shape, .compose = vander_compose};

/* ---- block_diag ---- */

/* operand i as a matrix has these sizes; a vector is a row */
static void
block_sizes(const Type *t, Dim *rows, Dim *columns)
{
	*rows = t->rank == 2 ? t->dim[0] : DIM(1);
	*columns = t->rank ? t->dim[t->rank - 1] : DIM(1);
}

static void
block_diag_shape(Node *n)
{
	Type t = {.dt = n->in[0]->type.dt, .rank = 2};

	if (!same_dtype(n, 0))
		return;
	for (int i = 0; i < n->nin; i++) {
		Dim size[2];
		if (n->in[i]->type.rank > 2) {
			type_error_in(n, i, "%s is %s, must be a matrix, a vector or a scalar", nn(n->in[i]), tt(n->in[i]));
			return;
		}
		block_sizes(&n->in[i]->type, &size[0], &size[1]);
		if (size[0].sym || size[1].sym) {
			type_error_in(n, i, "%s is %s: a block of a symbolic size", nn(n->in[i]), tt(n->in[i]));
			return;
		}
		for (int k = 0; k < 2; k++)
			if (!add_ok(t.dim[k].k, size[k].k, &t.dim[k].k)) {
				type_error(n, "sizes overflow");
				return;
			}
	}
	if (type_fits(n, &t))
		n->type = t;
}

static void
block_diag_compose(Node *n, bool training, Node **res)
{
	Node **band = NEW(n->g->arena, n->nin, Node *);
	int64_t at = 0;

	(void)training;
	for (int i = 0; i < n->nin; i++) {
		Dim size[2], low[2] = {DIM(0), DIM(at)}, high[2] = {DIM(0), DIM(0)};
		block_sizes(&n->in[i]->type, &size[0], &size[1]);
		at += size[1].k;
		high[1] = DIM(n->type.dim[1].k - at);
		band[i] = Pad(Reshape(n->in[i], size, 2), low, high, 0);
	}
	res[0] = Cat(band, n->nin, 0);
}

const Op op_block_diag = {.name = "block_diag", .id = OP_block_diag, .kind = COMPOSITE, .min_in = 1, .max_in = -1,
	.operands = "tensors", .doc = "matrices one after another along the diagonal, zeros beside them",
	.shape = block_diag_shape, .compose = block_diag_compose};

/* ---- cov, corrcoef ---- */

static void
cov_shape(Node *n)
{
	const Type *in = &n->in[0]->type;
	Type t = type_scalar(in->dt);

	if (!float_operand(n, 0))
		return;
	if (in->rank > 2) {
		type_error(n, "%s is %s, must be a matrix, a vector or a scalar", nn(n->in[0]), tt(n->in[0]));
		return;
	}
	if (in->rank == 2 && !dim_one(in->dim[0])) {
		t.rank = 2;
		t.dim[0] = t.dim[1] = in->dim[0];
	}
	if (type_fits(n, &t))
		n->type = t;
}

/* rows less their means */
static Node *
centred(Node *x)
{
	Dim one[2] = {DIM(1), x->type.rank ? x->type.dim[0] : DIM(1)};

	if (x->type.rank < 2)
		x = Reshape(x, one, 2);
	return Sub(x, Mean(x, (int[]){1}, 1, true));
}

static void
cov_compose(Node *n, bool training, Node **res)
{
	Node *x = centred(Wide(n->in[0])), *count = DimSize(n->g, x->type.dim[1], I64), *zero = LitI(n->g, I64, 0), *y;

	(void)training;
	count = Maximum(Sub(count, LitI(n->g, I64, attr(n, 0)->i)), zero);
	y = Div(Dot("ik,jk->ij", x, x), Cast(count, x->type.dt));
	res[0] = Cast(Reshape(y, n->type.dim, n->type.rank), n->type.dt);
}

static const AttrSpec cov_attr[] = {
	{"correction", A_INT, "1", "by how much the divisor is less than the number of observations", NULL},
	{0}
};
const Op op_cov = {.name = "cov", .id = OP_cov, .kind = COMPOSITE, .min_in = 1, .max_in = 1, .cost = 2,
	.attr = cov_attr, .operands = "input", .doc = "covariances of the rows, which hold observations of a variable each",
	.shape = cov_shape, .compose = cov_compose};

static void
corrcoef_compose(Node *n, bool training, Node **res)
{
	Node *x = centred(Wide(n->in[0])), *y, *one = Lit(x, 1), *size = Sum(Square(x), (int[]){1}, 1, true);

	(void)training;
	x = Div(x, Sqrt(size));
	y = n->type.rank ? Dot("ik,jk->ij", x, x) : Reshape(Div(size, size), n->type.dim, 0);
	y = Where(Lt(y, Neg(one)), Neg(one), Where(Gt(y, one), one, y));
	res[0] = Cast(y, n->type.dt);
}

const Op op_corrcoef = {.name = "corrcoef", .id = OP_corrcoef, .kind = COMPOSITE, .min_in = 1, .max_in = 1, .cost = 2,
	.operands = "input", .doc = "correlations of the rows, within [-1, 1]",
	.shape = cov_shape, .compose = corrcoef_compose};

/* compose_linalg: dense linear algebra: cholesky, solve_triangular, solve, inverse, det, slogdet, logdet.
 *
 * Factorisations and substitutions are scans, a row or column a step, over matrices that stay whole: a step is a
 * pointwise kernel or two, and one program serves all sizes. Derivatives are closed forms in the ops themselves (Giles,
 * An extended collection of matrix derivative results, 2008; Murray, Differentiation of the Cholesky decomposition,
 * 2016). What has no solution gives infinities and NaN. */
#include "ir.h"

#include <math.h>
#include <string.h>

/* ---- matrices ---- */

/* operand i is a square float matrix, or several; false after an error */
static bool
square(Node *n, int i)
{
	const Type *t = &n->in[i]->type;

	if (!float_operand(n, i))
		return false;
	if (t->rank >= 2 && dim_eq(t->dim[t->rank - 1], t->dim[t->rank - 2]))
		return true;
	type_error_in(n, i, "%s is %s, must be a square matrix, or a batch of them", nn(n->in[i]), tt(n->in[i]));
	return false;
}

static Node *
turned(Node *x)
{
	return Transpose(x, x->type.rank - 2, x->type.rank - 1);
}

static Node *
product(Node *a, Node *b)
{
	return Op2(OP_matmul, a, b);
}

/* the triangle of x from this diagonal on: below it, or above */
static Node *
triangle(Node *x, bool upper, int64_t diagonal)
{
	const Op *op = op_get(upper ? OP_triu : OP_tril);
	Attr *a = attrs_new(x->g, op);

	set_int(op, a, "diagonal", diagonal);
	return node(x->g, op, &x, 1, a);
}

/* x with other sizes of the last dimensions */
static Type
sized(const Node *x, DType d, Dim rows, Dim columns)
{
	Type t = x->type;

	t.dt = d;
	t.dim[t.rank - 2] = rows;
	t.dim[t.rank - 1] = columns;
	return t;
}

static Node *
spread(Node *k, Type t)
{
	return Expand(k, t.dim, t.rank);
}

/* 0, 1, ... down the rows, or along the columns, of matrices like x */
static Node *
numbers(const Node *x, bool rows)
{
	Dim n = x->type.dim[x->type.rank - 2];
	Type t = {.dt = I64, .rank = 2, .dim = {rows ? n : DIM(1), rows ? DIM(1) : n}};

	return Iota(x->g, t, !rows);
}

static Node *
identity(Node *like)
{
	return Cast(Eq(numbers(like, true), numbers(like, false)), like->type.dt);
}

/* ---- bodies of scans ---- */

static Graph *
body_new(const Node *n, const char *name)
{
	Graph *b = graph_like(n->g->arena, n->g);

	b->name = graph_str(b, name);
	return b;
}

static Node *
input(Graph *b, const char *name, Type t)
{
	Leaf l = {.role = INPUT, .name = graph_str(b, name)};

	return node_leaf(b, &l, t);
}

static void
output(Graph *b, const char *name, Node *v)
{
	port_add(b, &b->out, graph_str(b, name), v, (Loc){0});
}

static const char *
text_of(const Graph *body)
{
	Buf b = {.arena = body->arena};

	graph_write(&b, body);
	return buf_str(&b);
}

/* a body that is there, like this one: scans of it are then one node where their operands are */
static const Graph *
known(const Graph *g, const Graph *body)
{
	const char *text = text_of(body);

	for (int64_t i = 0; i < g->nnode; i++) {
		const Graph *fn = g->node[i]->op->id == OP_scan ? node_function(g->node[i]) : NULL;
		if (fn && !strcmp(fn->name, body->name) && !strcmp(text_of(fn), text))
			return fn;
	}
	return body;
}

/* the steps of a scan over n of them: their numbers */
static Node *
steps(Graph *g, Dim n)
{
	return Iota(g, (Type){.dt = I64, .rank = 1, .dim = {n}}, 0);
}

/* column k of x, as a matrix; row k */
static Node *
column_at(Node *x, Node *k)
{
	return Gather(x, x->type.rank - 1, spread(k, sized(x, I64, x->type.dim[x->type.rank - 2], DIM(1))));
}

static Node *
row_at(Node *x, Node *k)
{
	return Gather(x, x->type.rank - 2, spread(k, sized(x, I64, DIM(1), x->type.dim[x->type.rank - 1])));
}

/* ---- LU factors: Gauss' elimination with partial pivoting (Golub and Van Loan, algorithm 3.4.1) ---- */

typedef struct Factors { Node *lu, *order, *sign; } Factors;   /* sign, of the permutation: [..., 1, 1] */

/* the row of the greatest element of a column, from row k on: [..., 1, 1] */
static Node *
pivot_row(Node *column, Node *k, Node *row)
{
	const Op *op = op_get(OP_argmax);
	Attr *a = attrs_new(column->g, op);
	Node *size = Where(Ge(row, k), Abs(column), Lit(column, -1));

	set_int(op, a, "dim", column->type.rank - 2);
	set_bool(op, a, "keepdim", true);
	return node(column->g, op, &size, 1, a);
}

static Graph *
lu_body(const Node *n, const Node *x)
{
	Graph *b = body_new(n, "lu");
	Dim size = x->type.dim[x->type.rank - 1];
	Node *m = input(b, "a", x->type), *order = input(b, "order", sized(x, I64, size, DIM(1)));
	Node *sign = input(b, "sign", sized(x, x->type.dt, DIM(1), DIM(1))), *k = input(b, "k", type_scalar(I64));
	Node *row = numbers(m, true), *column = numbers(m, false), *zero = Lit(m, 0);
	Node *p = pivot_row(column_at(m, k), k, row);
	Node *place = Where(Eq(row, k), p, Where(Eq(row, p), k, row)), *at, *pivot, *factor, *below = Gt(row, k);

	m = Gather(m, m->type.rank - 2, spread(place, sized(m, I64, size, size)));
	at = row_at(m, k);
	pivot = column_at(at, k);
	pivot = Where(Eq(pivot, zero), Lit(m, 1), pivot);      /* then the column is 0 from there on */
	factor = Where(below, Div(column_at(m, k), pivot), zero);
	m = Sub(m, Mul(factor, Where(Gt(column, k), at, zero)));
	output(b, "a", Where(LogicalAnd(below, Eq(column, k)), factor, m));
	output(b, "order", Gather(order, m->type.rank - 2, place));
	output(b, "sign", Where(Eq(p, k), sign, Neg(sign)));
	return b;
}

static Factors
lu_factors(const Node *n, Node *x)
{
	Dim size = x->type.dim[x->type.rank - 1];
	Node *order = spread(numbers(x, true), sized(x, I64, size, DIM(1)));
	Node *in[] = {x, order, Full(x->g, sized(x, x->type.dt, DIM(1), DIM(1)), 1), steps(x->g, size)}, *scan;

	if (!size.k)
		return (Factors){in[0], in[1], in[2]};
	scan = MakeScan(x->g, known(x->g, lu_body(n, x)), in, 4, 3, 1, size, false);

	return (Factors){Item(scan, 0), Item(scan, 1), Item(scan, 2)};
}

/* the diagonal, [..., n] */
static Node *
diagonal(Node *x)
{
	int last = x->type.rank - 1;

	return Sum(Where(Eq(numbers(x, true), numbers(x, false)), x, Lit(x, 0)), &last, 1, false);
}

/* ---- substitution ---- */

/* a scan over the rows of a triangle: each of them gives one of the unknowns, from those before */
static Graph *
substitution_body(const Node *n, const Node *a, const Node *b, bool unit)
{
	Graph *g = body_new(n, "substitution");
	int rank = a->type.rank;
	Type row = a->type, value = b->type;
	Node *x, *i, *r, *v, *sum;
	Buf spec = {.arena = n->g->arena};

	row.dim[rank - 2] = row.dim[rank - 1];
	value.dim[rank - 2] = value.dim[rank - 1];
	row.rank = value.rank = rank - 1;
	x = input(g, "x", b->type);
	i = input(g, "i", type_scalar(I64));
	r = input(g, "row", row);
	v = input(g, "value", value);
	for (int k = 0; k < 3; k++) {
		for (int d = 0; d < rank - 2; d++)
			buf_putc(&spec, 'a' + d);
		buf_puts(&spec, k == 0 ? "j," : k == 1 ? "jm->" : "m");
	}
	sum = Sub(v, Dot(buf_str(&spec), r, x));
	row.dt = I64;
	row.dim[rank - 2] = DIM(1);
	if (!unit)
		sum = Div(sum, Gather(r, rank - 2, spread(i, row)));
	output(g, "x", Where(Eq(numbers(x, true), i), Unsqueeze(sum, rank - 2), x));
	return g;
}

/* rows first */
static Node *
rows_first(Node *x)
{
	int perm[MAXRANK], rank = x->type.rank;

	perm[0] = rank - 2;
	for (int i = 1; i < rank - 1; i++)
		perm[i] = i - 1;
	perm[rank - 1] = rank - 1;
	return Permute(x, perm);
}

/* a x = b, where a is a triangle with zeros beside it, or with numbers that meet none of the unknowns yet to come */
static Node *
substitute(const Node *n, Node *a, Node *b, bool upper, bool unit)
{
	Node *in[] = {Zeros(b), steps(a->g, a->type.dim[a->type.rank - 1]), rows_first(a), rows_first(b)};

	if (!a->type.dim[a->type.rank - 1].k)
		return b;
	return MakeScan(a->g, known(a->g, substitution_body(n, a, b, unit)), in, 4, 1, 3, DIM(1), upper);
}

/* ---- solve_triangular ---- */

enum { TRI_UPPER, TRI_LEFT, TRI_UNIT };

/* x with these leading dimensions */
static Node *
batched(Node *x, const Type *lead)
{
	Type t = *lead;

	t.dim[t.rank++] = x->type.dim[x->type.rank - 2];
	t.dim[t.rank++] = x->type.dim[x->type.rank - 1];
	return Expand(x, t.dim, t.rank);
}

/* the type of the solutions of systems with matrices a, whose right sides are columns (or rows) of b */
static bool
system_type(Node *n, const Type *a, const Type *b, bool left, Type *t)
{
	if (b->rank < 2 || !dim_eq(b->dim[b->rank - (left ? 2 : 1)], a->dim[a->rank - 1]) || !type_batch(a, b, t)) {
		type_error_in(n, 1, "sizes differ: %s is %s, %s is %s", nn(n->in[0]), tt(n->in[0]), nn(n->in[1]), tt(n->in[1]));
		return false;
	}
	t->dt = n->in[0]->type.dt;
	t->dim[t->rank++] = b->dim[b->rank - 2];
	t->dim[t->rank++] = b->dim[b->rank - 1];
	return type_fits(n, t);
}

static void
solve_triangular_shape(Node *n)
{
	Type t;

	if (square(n, 0) && same_dtype(n, 0) && system_type(n, &n->in[0]->type, &n->in[1]->type, attr(n, TRI_LEFT)->i, &t))
		n->type = t;
}

static Node *
SolveTriangular(Node *a, Node *b, bool upper, bool unit)
{
	const Op *op = op_get(OP_solve_triangular);
	Attr *at = attrs_new(a->g, op);

	set_bool(op, at, "upper", upper);
	set_bool(op, at, "unitriangular", unit);
	return node(a->g, op, (Node *const []){a, b}, 2, at);
}

static void
solve_triangular_compose(Node *n, bool training, Node **res)
{
	Node *a = Wide(n->in[0]), *b = Wide(n->in[1]);
	bool upper = attr(n, TRI_UPPER)->i, left = attr(n, TRI_LEFT)->i, unit = attr(n, TRI_UNIT)->i;
	Type lead;

	(void)training;
	type_batch(&a->type, &b->type, &lead);
	a = batched(triangle(a, upper, 0), &lead);
	b = batched(b, &lead);
	res[0] = left ? substitute(n, a, b, upper, unit) : turned(substitute(n, turned(a), turned(b), !upper, unit));
	res[0] = Cast(res[0], n->type.dt);
}

/* of a^-1 b: a^-T g, and minus that times the transposed solution, where a has elements */
static void
solve_triangular_vjp(Node *y, Node *const *g, Node **d)
{
	Node *a = y->in[0], *gb, *ga;
	bool upper = attr(y, TRI_UPPER)->i, left = attr(y, TRI_LEFT)->i, unit = attr(y, TRI_UNIT)->i;

	if (left) {
		gb = SolveTriangular(turned(a), g[0], !upper, unit);
		ga = product(gb, turned(y));
	} else {
		gb = turned(SolveTriangular(a, turned(g[0]), upper, unit));
		ga = product(turned(y), gb);
	}
	d[0] = SumTo(Neg(triangle(ga, upper, unit ? upper ? 1 : -1 : 0)), &a->type);
	d[1] = SumTo(gb, &y->in[1]->type);
}

static const AttrSpec solve_triangular_attr[] = {
	[TRI_UPPER] = {"upper", A_BOOL, NULL, "the upper triangle of A counts, else the lower one", NULL},
	[TRI_LEFT]  = {"left", A_BOOL, "true", "A X = B, else X A = B", NULL},
	[TRI_UNIT]  = {"unitriangular", A_BOOL, "false", "the diagonal of A counts as ones", NULL},
	{0}
};
const Op op_solve_triangular = {.name = "solve_triangular", .id = OP_solve_triangular, .kind = COMPOSITE,
	.min_in = 2, .max_in = 2, .cost = 10, .attr = solve_triangular_attr, .operands = "A B",
	.doc = "X with A X = B for a triangle A; batches broadcast",
	.shape = solve_triangular_shape, .compose = solve_triangular_compose, .vjp = solve_triangular_vjp};

/* ---- solve, inverse ---- */

/* are the right sides vectors, one for each matrix? */
static bool
of_vectors(const Node *n)
{
	Type t = n->in[0]->type;

	t.rank--;
	return shape_eq(&t, &n->in[1]->type) || n->in[1]->type.rank == 1;
}

static void
solve_shape(Node *n)
{
	Type b = n->in[1]->type, t;

	if (!square(n, 0) || !same_dtype(n, 0))
		return;
	if (of_vectors(n))
		b.dim[b.rank++] = DIM(1);
	if (!system_type(n, &n->in[0]->type, &b, true, &t))
		return;
	t.rank -= of_vectors(n);
	n->type = t;
}

/* row i of x becomes row order[i] */
static Node *
unordered(Node *x, Node *order)
{
	return Scatter(OP_scatter, Zeros(x), x->type.rank - 2, order, x);
}

/* P A = L U, hence A^T = U^T L^T P */
static void
solve_compose(Node *n, bool training, Node **res)
{
	Node *a = Wide(n->in[0]), *b = Wide(n->in[1]), *order, *l, *u;
	int last = b->type.rank;
	Factors f;
	Type lead;

	(void)training;
	if (of_vectors(n))
		b = Unsqueeze(b, last);
	type_batch(&a->type, &b->type, &lead);
	f = lu_factors(n, batched(a, &lead));
	l = triangle(f.lu, false, -1);
	u = triangle(f.lu, true, 0);
	b = batched(b, &lead);
	order = spread(f.order, sized(b, I64, b->type.dim[b->type.rank - 2], b->type.dim[b->type.rank - 1]));
	if (attr(n, 0)->i) {
		b = substitute(n, turned(u), b, false, false);
		b = unordered(substitute(n, turned(l), b, true, true), order);
	} else {
		b = substitute(n, l, Gather(b, b->type.rank - 2, order), false, true);
		b = substitute(n, u, b, true, false);
	}
	res[0] = Cast(of_vectors(n) ? Squeeze(b, b->type.rank - 1) : b, n->type.dt);
}

/* a^-T g, and minus that times the transposed solution; the other way round for A^T, with the same factors */
static void
solve_vjp(Node *y, Node *const *g, Node **d)
{
	Attr *at = attrs_new(y->g, y->op);
	Node *a = y->in[0], *gb, *left, *right;
	int last = y->type.rank;
	bool adjoint = attr(y, 0)->i;

	set_bool(y->op, at, "adjoint", !adjoint);
	gb = node(y->g, y->op, (Node *const []){a, g[0]}, 2, at);
	left = adjoint ? y : gb;
	right = adjoint ? gb : y;
	d[0] = of_vectors(y) ? Mul(Unsqueeze(left, last), Unsqueeze(right, last - 1)) : product(left, turned(right));
	d[0] = SumTo(Neg(d[0]), &a->type);
	d[1] = SumTo(gb, &y->in[1]->type);
}

static const AttrSpec solve_attr[] = {
	{"adjoint", A_BOOL, "false", "A^T X = B", NULL},
	{0}
};
const Op op_solve = {.name = "solve", .id = OP_solve, .kind = COMPOSITE, .min_in = 2, .max_in = 2, .cost = 10,
	.attr = solve_attr, .operands = "A B",
	.doc = "X with A X = B, by LU factors with partial pivoting; B is of matrices or of vectors",
	.shape = solve_shape, .compose = solve_compose, .vjp = solve_vjp};

static void
square_shape(Node *n)
{
	if (square(n, 0))
		n->type = n->in[0]->type;
}

static void
inverse_compose(Node *n, bool training, Node **res)
{
	(void)training;
	res[0] = Op2(OP_solve, n->in[0], ExpandLike(identity(n->in[0]), n->in[0]));
}

static void
inverse_vjp(Node *y, Node *const *g, Node **d)
{
	d[0] = Neg(product(product(turned(y), g[0]), turned(y)));
}

const Op op_inverse = {.name = "inverse", .alias = "inv", .id = OP_inverse, .kind = COMPOSITE, .min_in = 1, .max_in = 1,
	.cost = 10, .operands = "A", .doc = "the inverse of a matrix, or of each of a batch",
	.shape = square_shape, .compose = inverse_compose, .vjp = inverse_vjp};

/* ---- det, slogdet, logdet ---- */

static void
det_shape(Node *n)
{
	Type t = n->in[0]->type;

	if (!square(n, 0))
		return;
	t.rank -= 2;
	n->type = t;
	if (n->op->nres != 2)
		return;
	n->res = NEW(n->g->arena, 2, Type);
	n->res[0] = n->res[1] = t;
}

static Node *
like_det(Node *x, const Node *n)
{
	return Reshape(x, n->type.dim, n->type.rank);
}

static Node *
prod_last(Node *x)
{
	const Op *op = op_get(OP_prod);
	Attr *a = attrs_new(x->g, op);
	int last = x->type.rank - 1;

	set_axes(x->g, op, a, "dim", &last, 1);
	return node(x->g, op, &x, 1, a);
}

static void
det_compose(Node *n, bool training, Node **res)
{
	Factors f = lu_factors(n, Wide(n->in[0]));

	(void)training;
	res[0] = Cast(Mul(like_det(f.sign, n), prod_last(diagonal(f.lu))), n->type.dt);
}

/* g times the transposed inverse, of each matrix */
static Node *
by_inverse(Node *x, Node *g)
{
	Dim dim[MAXRANK];
	int rank = x->type.rank;

	memcpy(dim, g->type.dim, sizeof dim);
	dim[rank - 2] = dim[rank - 1] = DIM(1);
	return Mul(Reshape(g, dim, rank), turned(Op1(OP_inverse, x)));
}

/* Jacobi's formula */
static void
det_vjp(Node *y, Node *const *g, Node **d)
{
	d[0] = by_inverse(y->in[0], Mul(g[0], y));
}

const Op op_det = {.name = "det", .id = OP_det, .kind = COMPOSITE, .min_in = 1, .max_in = 1, .cost = 10,
	.operands = "A", .doc = "determinant; its derivative needs the inverse",
	.shape = det_shape, .compose = det_compose, .vjp = det_vjp};

static void
slogdet_compose(Node *n, bool training, Node **res)
{
	Factors f = lu_factors(n, Wide(n->in[0]));
	Node *d = diagonal(f.lu);
	int last = d->type.rank - 1;

	(void)training;
	res[0] = Cast(Mul(like_det(f.sign, n), prod_last(Sign(d))), n->type.dt);
	res[1] = Cast(Sum(Log(Abs(d)), &last, 1, false), n->type.dt);
}

static void
slogdet_vjp(Node *y, Node *const *g, Node **d)
{
	if (g[1])
		d[0] = by_inverse(y->in[0], g[1]);
}

const Op op_slogdet = {.name = "slogdet", .id = OP_slogdet, .kind = COMPOSITE, .min_in = 1, .max_in = 1, .nres = 2,
	.cost = 10, .operands = "A", .results = "sign logabsdet", .doc = "sign and logarithm of the determinant's magnitude",
	.shape = det_shape, .compose = slogdet_compose, .vjp = slogdet_vjp};

static void
logdet_compose(Node *n, bool training, Node **res)
{
	Node *both = Op1(OP_slogdet, n->in[0]), *sign = Item(both, 0);

	(void)training;
	res[0] = Where(Lt(sign, Lit(sign, 0)), Lit(sign, NAN), Item(both, 1));
}

const Op op_logdet = {.name = "logdet", .id = OP_logdet, .kind = COMPOSITE, .min_in = 1, .max_in = 1, .cost = 10,
	.operands = "A", .doc = "logarithm of the determinant; NaN, with derivative 0, where that is negative",
	.shape = det_shape, .compose = logdet_compose};

/* ---- cholesky ---- */

/* a step gives a column of the factor, and takes its part of the matrix away (Golub and Van Loan, 4.2.5) */
static Graph *
cholesky_body(const Node *n, const Node *x)
{
	Graph *b = body_new(n, "cholesky");
	Node *m = input(b, "a", x->type), *k = input(b, "k", type_scalar(I64)), *row = numbers(m, true), *root, *l;

	l = column_at(m, k);
	root = Sqrt(row_at(l, k));
	l = Where(Eq(row, k), root, Where(Gt(row, k), Div(l, root), Lit(m, 0)));
	output(b, "a", Sub(m, Mul(l, turned(l))));
	output(b, "column", Squeeze(l, m->type.rank - 1));
	return b;
}

static void
cholesky_compose(Node *n, bool training, Node **res)
{
	Node *x = Wide(n->in[0]), *l;
	int perm[MAXRANK], rank = x->type.rank;

	(void)training;
	if (!x->type.dim[rank - 1].k) {
		res[0] = n->in[0];
		return;
	}
	x = Mul(Add(x, turned(x)), Lit(x, 0.5));
	l = Item(MakeScan(n->g, known(n->g, cholesky_body(n, x)), (Node *const []){x, steps(n->g, x->type.dim[rank - 1])},
		2, 1, 1, DIM(1), false), 1);
	for (int i = 0; i < rank - 1; i++)
		perm[i] = i + 1;
	perm[rank - 1] = 0;
	l = Permute(l, perm);
	res[0] = Cast(attr(n, 0)->i ? turned(l) : l, n->type.dt);
}

/* L^-T P L^-1 made symmetric, where P is the lower triangle of L^T g with half of its diagonal */
static void
cholesky_vjp(Node *y, Node *const *g, Node **d)
{
	Node *l = attr(y, 0)->i ? turned(y) : y, *p = product(turned(l), attr(y, 0)->i ? turned(g[0]) : g[0]);

	p = Mul(Add(triangle(p, false, 0), triangle(p, false, -1)), Lit(p, 0.5));
	p = SolveTriangular(turned(l), p, true, false);
	p = SolveTriangular(turned(l), turned(p), true, false);
	d[0] = Mul(Add(p, turned(p)), Lit(p, 0.5));
}

static const AttrSpec cholesky_attr[] = {
	{"upper", A_BOOL, "false", "the transposed factor", NULL},
	{0}
};
const Op op_cholesky = {.name = "cholesky", .id = OP_cholesky, .kind = COMPOSITE, .min_in = 1, .max_in = 1, .cost = 10,
	.attr = cholesky_attr, .operands = "A",
	.doc = "the lower triangle L with L L^T = A, of the symmetric part of A; NaN where A is not positive definite",
	.shape = square_shape, .compose = cholesky_compose, .vjp = cholesky_vjp};

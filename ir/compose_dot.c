/* compose_dot: composites that are contractions: matmul, bmm, linear, outer, einsum.
 *
 * All are products of operands whose dimensions carry labels. A pair is
 * contracted by dot over the labels that nothing later needs, and multiplied
 * elementwise when there is none; a dimension of size 1 that is broadcast loses
 * its label, so that no operand is ever repeated in memory. */
#include "ir.h"

#include <string.h>

enum { MAXLABEL = 64 };

/* a factor: a value and a label (below MAXLABEL) for each of its dimensions */
typedef struct Factor {
	Node *x;
	int label[MAXRANK];
} Factor;

static bool
has(const Factor *f, int label)
{
	for (int i = 0; i < f->x->type.rank; i++)
		if (f->label[i] == label)
			return true;
	return false;
}

/* f without its dimensions of size 1 whose label has another size */
static Factor
unbroadcast(Factor f, const Dim *size)
{
	Factor r = {0};
	Dim dim[MAXRANK];
	int rank = 0;

	for (int i = 0; i < f.x->type.rank; i++) {
		if (dim_one(f.x->type.dim[i]) && !dim_one(size[f.label[i]]))
			continue;
		dim[rank] = f.x->type.dim[i];
		r.label[rank++] = f.label[i];
	}
	r.x = Reshape(f.x, dim, rank);
	return r;
}

/* f summed over the labels that are not kept */
static Factor
sum_out(Factor f, const bool *keep)
{
	Factor r = {0};
	int dims[MAXRANK], n = 0, rank = 0;

	for (int i = 0; i < f.x->type.rank; i++)
		if (keep[f.label[i]])
			r.label[rank++] = f.label[i];
		else
			dims[n++] = i;
	r.x = Cast(Sum(f.x, dims, n, false), f.x->type.dt);     /* integers wrap, as in dot */
	return r;
}

/* f in the given order of labels, which holds all of its own; missing ones get size 1 */
static Node *
arrange(Factor f, const int *label, int rank)
{
	int perm[MAXRANK], n = 0;
	Dim dim[MAXRANK];

	for (int i = 0; i < rank; i++) {
		dim[i] = DIM(1);
		for (int k = 0; k < f.x->type.rank; k++)
			if (f.label[k] == label[i]) {
				perm[n++] = k;
				dim[i] = f.x->type.dim[k];
			}
	}
	return Reshape(Permute(f.x, perm), dim, rank);
}

/* labels of the product of a and b that are kept: those of a, then those that only b has */
static int
product_labels(const Factor *a, const Factor *b, const bool *keep, int *label)
{
	int n = 0;

	for (int i = 0; i < a->x->type.rank; i++)
		if (keep[a->label[i]])
			label[n++] = a->label[i];
	for (int i = 0; i < b->x->type.rank; i++)
		if (keep[b->label[i]] && !has(a, b->label[i]))
			label[n++] = b->label[i];
	return n;
}

static void
put_labels(Buf *b, const int *label, int n, const int *letter)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	for (int i = 0; i < n; i++)
		buf_putc(b, letters[letter[label[i]]]);
}

/* a * b with these labels by dot */
static Node *
contract(Factor a, Factor b, const int *label, int rank)
{
	Buf spec = {.arena = a.x->g->arena};
	int letter[MAXLABEL], n = 0;

	for (int i = 0; i < a.x->type.rank; i++)
		letter[a.label[i]] = n++;
	for (int i = 0; i < b.x->type.rank; i++)
		if (!has(&a, b.label[i]))
			letter[b.label[i]] = n++;
	put_labels(&spec, a.label, a.x->type.rank, letter);
	buf_putc(&spec, ',');
	put_labels(&spec, b.label, b.x->type.rank, letter);
	buf_puts(&spec, "->");
	put_labels(&spec, label, rank, letter);
	return Dot(buf_str(&spec), a.x, b.x);
}

/* the product, of the labels kept; `label` (rank of them) is the order when given */
static Factor
multiply(Factor a, Factor b, const bool *keep, const int *label, int rank)
{
	Factor r = {0};
	bool contracts = false, keep_a[MAXLABEL], keep_b[MAXLABEL];

	memcpy(keep_a, keep, sizeof keep_a);
	memcpy(keep_b, keep, sizeof keep_b);
	for (int i = 0; i < a.x->type.rank; i++)
		if (!keep[a.label[i]] && has(&b, a.label[i]))
			contracts = keep_a[a.label[i]] = keep_b[a.label[i]] = true;
	a = sum_out(a, keep_a);
	b = sum_out(b, keep_b);
	if (!label)
		rank = product_labels(&a, &b, keep, r.label);
	else
		memcpy(r.label, label, (size_t)rank * sizeof *label);
	if (contracts)
		r.x = contract(a, b, r.label, rank);
	else
		r.x = Mul(arrange(a, r.label, rank), arrange(b, r.label, rank));
	return r;
}

/* ---- matmul ---- */

/* labels: 0..7 batch dimensions counted from the last, then rows, inner, columns */
enum { ROW = MAXRANK, INNER, COLUMN };

static void
matmul_labels(Factor *f, bool left)
{
	int rank = f->x->type.rank;

	for (int i = 0; i < rank - 2; i++)
		f->label[i] = rank - 3 - i;
	if (rank > 1)
		f->label[rank - 2] = left ? ROW : INNER;
	f->label[rank - 1] = left || rank == 1 ? INNER : COLUMN;
}

/* sizes by label, broadcast; false after an error */
static bool
matmul_sizes(Node *n, Dim *size)
{
	for (int i = 0; i < MAXLABEL; i++)
		size[i] = DIM(1);
	for (int k = 0; k < 2; k++) {
		Factor f = {.x = n->in[k]};
		const Type *t = &n->in[k]->type;
		matmul_labels(&f, k == 0);
		for (int i = 0; i < t->rank; i++) {
			Dim *s = &size[f.label[i]];
			bool inner = f.label[i] == INNER;
			if (k == 1 && inner ? !dim_eq(*s, t->dim[i])
				: !dim_one(*s) && !dim_one(t->dim[i]) && !dim_eq(*s, t->dim[i])) {
				type_error_in(n, 1, "%s sizes differ:\n%s is %s, %s is %s", inner ? "inner" : "batch",
					nn(n->in[0]), tt(n->in[0]), nn(n->in[1]), tt(n->in[1]));
				return false;
			}
			if (!dim_one(t->dim[i]))
				*s = t->dim[i];
		}
	}
	return true;
}

/* labels of the result, in order */
static int
matmul_result(const Node *n, int *label)
{
	int a = n->in[0]->type.rank, b = n->in[1]->type.rank, batch = MAX(MAX(a, b) - 2, 0), rank = 0;

	for (int i = batch - 1; i >= 0; i--)
		label[rank++] = i;
	if (a > 1)
		label[rank++] = ROW;
	if (b > 1)
		label[rank++] = COLUMN;
	return rank;
}

bool
numeric_operand(Node *n, int i)
{
	if (n->in[i]->type.dt != BOOL)
		return true;
	type_error_in(n, i, "%s is %s; contractions take floats and integers", nn(n->in[i]), tt(n->in[i]));
	return false;
}

static void
matmul_shape(Node *n)
{
	Dim size[MAXLABEL];
	Type t = {.dt = n->in[0]->type.dt};
	int label[MAXRANK];

	for (int i = 0; i < 2; i++)
		if (!n->in[i]->type.rank) {
			type_error_in(n, i, "%s is a scalar; mul multiplies by one", nn(n->in[i]));
			return;
		}
	if (!same_dtype(n, 0) || !numeric_operand(n, 0) || !matmul_sizes(n, size))
		return;
	t.rank = matmul_result(n, label);
	for (int i = 0; i < t.rank; i++)
		t.dim[i] = size[label[i]];
	if (type_fits(n, &t))
		n->type = t;
}

static void
matmul_compose(Node *n, bool training, Node **res)
{
	Factor f[2] = {{.x = n->in[0]}, {.x = n->in[1]}};
	Dim size[MAXLABEL];
	bool keep[MAXLABEL];
	int label[MAXRANK], rank = matmul_result(n, label);

	(void)training;
	matmul_sizes(n, size);
	for (int i = 0; i < MAXLABEL; i++)
		keep[i] = i != INNER;
	for (int k = 0; k < 2; k++) {
		matmul_labels(&f[k], k == 0);
		f[k] = unbroadcast(f[k], size);
	}
	res[0] = multiply(f[0], f[1], keep, label, rank).x;
}

const Op op_matmul = {.name = "matmul", .id = OP_matmul, .kind = COMPOSITE, .min_in = 2, .max_in = 2, .cost = 2,
	.operands = "input other",
	.doc = "product of vectors, matrices, or batches of matrices, which broadcast",
	.shape = matmul_shape, .compose = matmul_compose};

/* ---- bmm ---- */

static void
bmm_shape(Node *n)
{
	const Type *a = &n->in[0]->type, *b = &n->in[1]->type;

	for (int i = 0; i < 2; i++)
		if (n->in[i]->type.rank != 3) {
			type_error_in(n, i, "%s is %s, must have three dimensions", nn(n->in[i]), tt(n->in[i]));
			return;
		}
	if (!same_dtype(n, 0) || !numeric_operand(n, 0))
		return;
	if (!dim_eq(a->dim[0], b->dim[0]) || !dim_eq(a->dim[2], b->dim[1])) {
		type_error_in(n, 1, "%s sizes differ:\n%s is %s, %s is %s", dim_eq(a->dim[0], b->dim[0]) ? "inner" : "batch",
			nn(n->in[0]), tt(n->in[0]), nn(n->in[1]), tt(n->in[1]));
		return;
	}
	Type t = {.dt = a->dt, .rank = 3, .dim = {a->dim[0], a->dim[1], b->dim[2]}};
	if (type_fits(n, &t))
		n->type = t;
}

static void
bmm_compose(Node *n, bool training, Node **res)
{
	(void)training;
	res[0] = Dot("bmk,bkn->bmn", n->in[0], n->in[1]);
}

const Op op_bmm = {.name = "bmm", .id = OP_bmm, .kind = COMPOSITE, .min_in = 2, .max_in = 2, .cost = 2,
	.operands = "input mat2", .doc = "product of two batches of matrices",
	.shape = bmm_shape, .compose = bmm_compose};

/* ---- linear ---- */

static bool
linear_features(Node *n)
{
	const Type *x = &n->in[0]->type, *w = &n->in[1]->type;

	if (w->rank != 1 && w->rank != 2) {
		type_error_in(n, 1, "weight %s is %s, must be [out, in] or [in]", nn(n->in[1]), tt(n->in[1]));
		return false;
	}
	if (!x->rank || !dim_eq(x->dim[x->rank - 1], w->dim[w->rank - 1])) {
		type_error_in(n, 1, "input features differ:\n%s is %s, %s is %s", nn(n->in[0]), tt(n->in[0]),
			nn(n->in[1]), tt(n->in[1]));
		return false;
	}
	if (n->nin < 3)
		return true;
	const Type *b = &n->in[2]->type;
	if (b->rank != w->rank - 1 || (b->rank && !dim_eq(b->dim[0], w->dim[0]))) {
		type_error_in(n, 2, "output features differ:\nweight %s is %s, bias %s is %s", nn(n->in[1]), tt(n->in[1]),
			nn(n->in[2]), tt(n->in[2]));
		return false;
	}
	return true;
}

static void
linear_shape(Node *n)
{
	Type t = n->in[0]->type;

	if (!same_dtype(n, 0) || !numeric_operand(n, 0) || !linear_features(n))
		return;
	t.rank--;
	if (n->in[1]->type.rank == 2)
		t.dim[t.rank++] = n->in[1]->type.dim[0];
	if (type_fits(n, &t))
		n->type = t;
}

static void
linear_compose(Node *n, bool training, Node **res)
{
	Buf spec = {.arena = n->g->arena};
	int rank = n->in[0]->type.rank, wide = n->in[1]->type.rank == 2;

	(void)training;
	for (int i = 0; i < rank - 1; i++)
		buf_putc(&spec, 'a' + i);
	buf_printf(&spec, "k,%s->", wide ? "nk" : "k");
	for (int i = 0; i < rank - 1; i++)
		buf_putc(&spec, 'a' + i);
	buf_puts(&spec, wide ? "n" : "");
	res[0] = Dot(buf_str(&spec), n->in[0], n->in[1]);
	if (n->nin == 3)
		res[0] = Add(res[0], n->in[2]);
}

const Op op_linear = {.name = "linear", .id = OP_linear, .kind = COMPOSITE, .min_in = 2, .max_in = 3, .cost = 2,
	.operands = "input weight bias",
	.doc = "input times the transposed weight [out, in], plus the bias [out]",
	.shape = linear_shape, .compose = linear_compose};

/* ---- outer ---- */

static void
outer_shape(Node *n)
{
	for (int i = 0; i < 2; i++)
		if (n->in[i]->type.rank != 1) {
			type_error_in(n, i, "%s is %s, must be a vector", nn(n->in[i]), tt(n->in[i]));
			return;
		}
	if (!same_dtype(n, 0) || !numeric_operand(n, 0))
		return;
	Type t = {.dt = n->in[0]->type.dt, .rank = 2, .dim = {n->in[0]->type.dim[0], n->in[1]->type.dim[0]}};
	if (type_fits(n, &t))
		n->type = t;
}

static void
outer_compose(Node *n, bool training, Node **res)
{
	(void)training;
	res[0] = Mul(Unsqueeze(n->in[0], 1), Unsqueeze(n->in[1], 0));
}

const Op op_outer = {.name = "outer", .id = OP_outer, .kind = COMPOSITE, .min_in = 2, .max_in = 2, .cost = 1,
	.operands = "input vec2", .doc = "products of all pairs of elements of two vectors",
	.shape = outer_shape, .compose = outer_compose};

/* ---- einsum ---- */

/* labels of an equation: letters, then the dimensions of "..." counted from the last */
enum { ELLIPSIS = 52 };

typedef struct Equation {
	Factor *f;             /* per operand */
	int rank, label[MAXRANK];      /* of the output */
	Dim size[MAXLABEL];    /* by label; k = -1: unused */
} Equation;

static int
letter_label(int c)
{
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	return c >= 'A' && c <= 'Z' ? 26 + c - 'A' : -1;
}

/* Reads labels up to ',', '-' or the end; `dots` stands for that many dimensions. Returns
 * how many labels there are, or -1 and the reason in *why. */
static int
read_labels(const char **s, int dots, int *label, const char **why)
{
	int n = 0;
	bool dotted = false;

	for (; **s && **s != ',' && **s != '-'; ++*s) {
		int first = letter_label(**s), count = 1;
		if (**s == ' ')
			continue;
		if (!strncmp(*s, "...", 3)) {
			*s += 2;
			first = ELLIPSIS;
			count = dots;
		} else if (first < 0) {
			*why = "labels are letters, and \"...\"";
			return -1;
		}
		if (n + count > MAXRANK || (first == ELLIPSIS && dotted)) {
			*why = dotted ? "\"...\" is repeated within a term" : "a term has too many labels";
			return -1;
		}
		dotted |= first == ELLIPSIS;
		for (int i = 0; i < count; i++)
			label[n++] = first == ELLIPSIS ? ELLIPSIS + count - 1 - i : first;
	}
	return n;
}

/* the first dimension whose label f has again, and where; false: all labels differ */
static bool
repeated(const Factor *f, int *i, int *j)
{
	for (*i = 0; *i < f->x->type.rank; ++*i)
		for (*j = *i + 1; *j < f->x->type.rank; ++*j)
			if (f->label[*i] == f->label[*j])
				return true;
	return false;
}

/* f with its dimensions i and j, of one static size n, as one: every (n+1)-th element of the n*n */
static Factor
diagonal(Factor f, int i, int j)
{
	Factor r = {0};
	int perm[MAXRANK], rank = 0;
	Dim dim[MAXRANK];
	int64_t n = f.x->type.dim[i].k;

	for (int k = 0; k < f.x->type.rank; k++) {
		if (k == i || k == j)
			continue;
		perm[rank] = k;
		r.label[rank] = f.label[k];
		dim[rank++] = f.x->type.dim[k];
	}
	perm[rank] = i;
	perm[rank + 1] = j;
	r.label[rank] = f.label[i];
	dim[rank++] = DIM(n * n);
	r.x = Slice(Reshape(Permute(f.x, perm), dim, rank), rank - 1, DIM(0), DIM(n * n), n + 1);
	return r;
}

static bool
diagonals_static(const Factor *f)
{
	const Type *t = &f->x->type;

	for (int i = 0; i < t->rank; i++)
		for (int j = i + 1; j < t->rank; j++)
			if (f->label[i] == f->label[j] && (t->dim[i].sym || !dim_eq(t->dim[i], t->dim[j])))
				return false;
	return true;
}

static Factor
diagonals(Factor f)
{
	int i, j;

	while (repeated(&f, &i, &j))
		f = diagonal(f, i, j);
	return f;
}

/* how many dimensions "..." stands for in the term at s, given its operand's rank */
static int
count_dots(const char *s, int rank)
{
	bool dots = false;

	for (; *s && *s != ',' && *s != '-'; s++)
		if (letter_label(*s) >= 0)
			rank--;
		else
			dots |= *s == '.';
	return dots ? MAX(rank, 0) : 0;
}

/* the output of an equation without "->": "...", then letters that occur once, in alphabetical order */
static bool
implicit_output(const Node *n, Equation *e, int dots)
{
	for (int i = 0; i < dots; i++)
		e->label[e->rank++] = ELLIPSIS + dots - 1 - i;
	/* 'A' < 'a' as PyTorch orders them */
	for (int k = 0; k < 52; k++) {
		int l = (k + 26) % 52, times = 0;
		for (int i = 0; i < n->nin; i++)
			for (int d = 0; d < n->in[i]->type.rank; d++)
				times += e->f[i].label[d] == l;
		if (times != 1)
			continue;
		if (e->rank == MAXRANK)
			return false;
		e->label[e->rank++] = l;
	}
	return true;
}

/* NULL, or why the equation is not one for these operands */
static const char *
read_equation(const Node *n, Equation *e)
{
	const char *s = attr(n, 0)->s, *why = NULL;
	int dots = 0;

	*e = (Equation){.f = NEW(n->g->arena, n->nin, Factor)};
	for (int i = 0; i < n->nin; i++) {
		int here = count_dots(s, n->in[i]->type.rank), count;
		e->f[i].x = n->in[i];
		count = read_labels(&s, here, e->f[i].label, &why);
		if (count < 0)
			return why;
		if (count != n->in[i]->type.rank)
			return arena_fmt(n->g->arena, "term %d has %d labels, %s is %s", i, count, nn(n->in[i]), tt(n->in[i]));
		if (!diagonals_static(&e->f[i]))
			return "a label repeated within a term must have one size that no symbol is in";
		dots = MAX(dots, here);
		if (i < n->nin - 1 && *s++ != ',')
			return arena_fmt(n->g->arena, "it has fewer terms than the %d operands", n->nin);
	}
	if (*s == ',')
		return arena_fmt(n->g->arena, "it has more terms than the %d operands", n->nin);
	if (!*s)
		return implicit_output(n, e, dots) ? NULL : "the output has too many labels";
	if (s[1] != '>')
		return "labels are letters, and \"...\"";
	s += 2;
	if ((e->rank = read_labels(&s, dots, e->label, &why)) < 0)
		return why;
	for (int i = 0; i < e->rank; i++)
		for (int k = 0; k < i; k++)
			if (e->label[i] == e->label[k])
				return "a label of the output is repeated";
	return *s ? "there is something after the output's labels" : NULL;
}

/* sizes by label; size 1 gives way */
static bool
einsum_sizes(Node *n, Equation *e)
{
	for (int i = 0; i < MAXLABEL; i++)
		e->size[i] = DIM(-1);
	for (int i = 0; i < n->nin; i++)
		for (int k = 0; k < n->in[i]->type.rank; k++) {
			Dim *s = &e->size[e->f[i].label[k]], d = n->in[i]->type.dim[k];
			if (s->k >= 0 && !dim_one(*s) && !dim_one(d) && !dim_eq(*s, d)) {
				type_error_in(n, i, "dimension %d of %s, which is %s, disagrees with %s before", k,
					nn(n->in[i]), tt(n->in[i]), dim_text(n->g->arena, n->g, *s));
				return false;
			}
			if (s->k < 0 || dim_one(*s))
				*s = d;
		}
	return true;
}

/* labels that the output or an operand from `from` on has */
static void
needed(const Node *n, const Equation *e, int from, bool *keep)
{
	memset(keep, 0, MAXLABEL);
	for (int i = 0; i < e->rank; i++)
		keep[e->label[i]] = true;
	for (int i = from; i < n->nin; i++)
		for (int k = 0; k < n->in[i]->type.rank; k++)
			keep[e->f[i].label[k]] = true;
}

/* the product of the first operands never has more than MAXRANK dimensions */
static bool
products_fit(const Node *n, const Equation *e)
{
	bool in[MAXLABEL] = {0}, keep[MAXLABEL];

	for (int i = 0; i < n->nin; i++) {
		int rank = 0;
		for (int k = 0; k < n->in[i]->type.rank; k++)
			in[e->f[i].label[k]] = true;
		needed(n, e, i + 1, keep);
		for (int l = 0; l < MAXLABEL; l++)
			rank += in[l] &= keep[l];
		if (rank > MAXRANK)
			return false;
	}
	return true;
}

static void
einsum_shape(Node *n)
{
	Equation e;
	const char *why = read_equation(n, &e);
	Type t = {.dt = n->in[0]->type.dt};

	if (why) {
		type_error(n, "equation '%s': %s", attr(n, 0)->s, why);
		return;
	}
	if (!same_dtype(n, 0) || !numeric_operand(n, 0) || !einsum_sizes(n, &e))
		return;
	t.rank = e.rank;
	for (int i = 0; i < e.rank; i++) {
		t.dim[i] = e.size[e.label[i]];
		if (t.dim[i].k < 0) {
			type_error(n, "equation '%s': a label of the output is in no operand", attr(n, 0)->s);
			return;
		}
	}
	if (!products_fit(n, &e))
		type_error(n, "equation '%s': a product on the way has more than %d dimensions", attr(n, 0)->s, MAXRANK);
	else if (type_fits(n, &t))
		n->type = t;
}

/* from left to right; sizes of 1 that all operands share stay labels to the end */
static void
einsum_compose(Node *n, bool training, Node **res)
{
	Equation e;
	bool keep[MAXLABEL];
	Factor f;

	(void)training;
	read_equation(n, &e);
	einsum_sizes(n, &e);
	needed(n, &e, 1, keep);
	f = sum_out(unbroadcast(diagonals(e.f[0]), e.size), keep);
	for (int i = 1; i < n->nin; i++) {
		needed(n, &e, i + 1, keep);
		f = multiply(f, unbroadcast(diagonals(e.f[i]), e.size), keep, NULL, 0);
	}
	res[0] = Reshape(arrange(f, e.label, e.rank), n->type.dim, n->type.rank);
}

static const AttrSpec einsum_attr[] = {
	{"equation", A_STR, NULL, "labels per operand and of the output, such as \"bij,bjk->bik\"; a repeated one is a diagonal, \"...\" broadcasts", NULL},
	{0}
};
const Op op_einsum = {.name = "einsum", .id = OP_einsum, .kind = COMPOSITE, .min_in = 1, .max_in = -1, .cost = 2,
	.attr = einsum_attr, .operands = "operands",
	.doc = "sum of products over the labels that the output lacks, from left to right",
	.shape = einsum_shape, .compose = einsum_compose};

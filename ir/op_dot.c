/* op_dot: the one contraction, dot "bmk,bkn->bmn".
 *
 * Each letter names an axis. Letters of the output are kept: in both operands
 * they are batch axes, in one they are free; all others are summed. Its
 * derivative is a dot with permuted labels. */
#include "ir.h"

#include <string.h>

/* letters up to `end` into out; false unless they are at most MAXRANK different ones */
static bool
labels(const char **s, char end, char *out)
{
	int n = 0;

	for (; **s && **s != end; ++*s) {
		char l = **s;
		if (!((l >= 'a' && l <= 'z') || (l >= 'A' && l <= 'Z')) || memchr(out, l, (size_t)n) || n == MAXRANK)
			return false;
		out[n++] = l;
	}
	out[n] = 0;
	return **s == end;
}

static bool
parse(const char *s, DotSpec *d)
{
	if (!labels(&s, ',', d->label[0]) || !labels((s++, &s), '-', d->label[1]) || s[1] != '>')
		return false;
	s += 2;
	return labels(&s, 0, d->label[2]);
}

DotSpec
dot_spec(const Node *n)
{
	DotSpec d;

	if (!parse(attr(n, 0)->s, &d))
		bug("dot: spec '%s'", attr(n, 0)->s);
	return d;
}

/* size of a label in an operand; false: the operand does not have it */
static bool
label_size(const Node *n, const DotSpec *d, int operand, char l, Dim *out)
{
	const char *at = strchr(d->label[operand], l);

	if (at)
		*out = n->in[operand]->type.dim[at - d->label[operand]];
	return at != NULL;
}

/* equal labels have equal sizes */
static bool
sizes_agree(Node *n, const DotSpec *d)
{
	const Graph *g = n->g;

	for (const char *l = d->label[0]; *l; l++) {
		Dim a, b;
		label_size(n, d, 0, *l, &a);
		if (label_size(n, d, 1, *l, &b) && !dim_eq(a, b)) {
			type_error(n, "label '%c' is %s in %s, %s in %s", *l, dim_text(g->arena, g, a), nn(n->in[0]),
				dim_text(g->arena, g, b), nn(n->in[1]));
			return false;
		}
	}
	return true;
}

static void
dot_shape(Node *n)
{
	Type t = {.dt = n->in[0]->type.dt};
	DotSpec d;

	if (!parse(attr(n, 0)->s, &d)) {
		type_error(n, "spec '%s' is not of the form \"bmk,bkn->bmn\": different letters, at most %d per operand",
			attr(n, 0)->s, MAXRANK);
		return;
	}
	for (int i = 0; i < 2; i++)
		if ((int)strlen(d.label[i]) != n->in[i]->type.rank) {
			type_error_in(n, i, "labels '%s' name %d dimensions, %s is %s", d.label[i],
				(int)strlen(d.label[i]), nn(n->in[i]), tt(n->in[i]));
			return;
		}
	if (!same_dtype(n, 0) || !sizes_agree(n, &d))
		return;
	if (t.dt == BOOL) {
		type_error(n, "%s is %s; contractions take floats and integers", nn(n->in[0]), tt(n->in[0]));
		return;
	}
	for (const char *l = d.label[2]; *l; l++, t.rank++)
		if (!label_size(n, &d, 0, *l, &t.dim[t.rank]) && !label_size(n, &d, 1, *l, &t.dim[t.rank])) {
			type_error(n, "label '%c' of the output is in neither operand of \"%s\"", *l, attr(n, 0)->s);
			return;
		}
	if (type_fits(n, &t))
		n->type = t;
}

/* An axis of the iteration space with its stride in operands 0, 1 and the output. */
typedef struct Axis { int64_t size, stride[3]; } Axis;

static int64_t
label_stride(const Tensor *t, const char *labels_of, char l)
{
	const char *at = strchr(labels_of, l);
	int64_t s = 1;

	if (!at)
		return 0;
	for (int d = t->rank - 1; d > at - labels_of; d--)
		s *= t->dim[d];
	return s;
}

static int
axes(const DotSpec *d, const Tensor *const t[3], Axis *axis)
{
	int n = 0;

	/* the output's first, so that each of its elements is summed at once */
	for (int k = 0; k < 3; k++) {
		int which = k == 0 ? 2 : k - 1;
		for (const char *l = d->label[which]; *l; l++) {
			bool seen = false;
			for (int j = 0; j < k; j++)
				seen |= strchr(d->label[j == 0 ? 2 : j - 1], *l) != NULL;
			if (seen)
				continue;
			axis[n].size = t[which]->dim[l - d->label[which]];
			for (int j = 0; j < 3; j++)
				axis[n].stride[j] = label_stride(t[j], d->label[j], *l);
			n++;
		}
	}
	return n;
}

/* the innermost axis, where the time goes */
static void
multiply_add_axis(const Axis *x, const Tensor *const t[3], const int64_t *at, Tensor *out)
{
	if (out->f) {
		const double *a = t[0]->f + at[0], *b = t[1]->f + at[1];
		double *r = out->f + at[2];
		for (int64_t i = 0; i < x->size; i++, a += x->stride[0], b += x->stride[1], r += x->stride[2])
			*r += *a * *b;
	} else {
		for (int64_t i = 0, p = at[0], q = at[1], o = at[2]; i < x->size; i++) {
			out->i[o] = (int64_t)((uint64_t)out->i[o] + (uint64_t)t[0]->i[p] * (uint64_t)t[1]->i[q]);
			p += x->stride[0];
			q += x->stride[1];
			o += x->stride[2];
		}
	}
}

static void
multiply_add(const Axis *axis, int n, const Tensor *const t[3], const int64_t *at, Tensor *out)
{
	static const Axis once = {1, {0, 0, 0}};
	int64_t p[3] = {at[0], at[1], at[2]};

	if (n < 2) {
		multiply_add_axis(n ? axis : &once, t, at, out);
		return;
	}
	for (int64_t i = 0; i < axis->size; i++) {
		multiply_add(axis + 1, n - 1, t, p, out);
		for (int j = 0; j < 3; j++)
			p[j] += axis->stride[j];
	}
}

static void
dot_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	DotSpec d = dot_spec(n);
	const Tensor *const t[3] = {in[0], in[1], out};
	Axis axis[3 * MAXRANK];
	int64_t at[3] = {0};

	(void)c;
	for (int64_t i = 0; i < out->n; i++)
		if (out->f)
			out->f[i] = 0;
		else
			out->i[i] = 0;
	multiply_add(axis, axes(&d, t, axis), t, at, out);
	for (int64_t i = 0; out->i && i < out->n; i++)
		out->i[i] = wrap_to(out->dt, out->i[i]);
}

static bool
within(const char *labels_of, const char *set)
{
	return strspn(labels_of, set) == strlen(labels_of);
}

/* x, labelled from, with the dimensions of `to`, which has all of its labels; others get size 1 */
static Node *
arranged(Node *x, const char *from, const char *to)
{
	int perm[MAXRANK], n = 0, rank = 0;
	Dim dim[MAXRANK];

	for (; to[rank]; rank++) {
		const char *at = strchr(from, to[rank]);
		dim[rank] = DIM(1);
		if (at) {
			perm[n++] = (int)(at - from);
			dim[rank] = x->type.dim[at - from];
		}
	}
	return Reshape(Permute(x, perm), dim, rank);
}

/* The cotangent of operand i: g times the other operand, with the labels of operand i; those that
 * neither has were summed alone and are repeated. A product that sums nothing is no contraction. */
static Node *
operand_vjp(Node *y, Node *g, const DotSpec *d, int i)
{
	const char *own = d->label[i], *other = d->label[1 - i];
	Node *x = y->in[i], *factor = y->in[1 - i];
	char known[MAXRANK + 1] = {0};
	int n = 0;

	if (within(d->label[2], own) && within(other, own))
		return ExpandLike(Mul(arranged(g, d->label[2], own), arranged(factor, other, own)), x);
	for (const char *l = own; *l; l++)
		if (strchr(d->label[2], *l) || strchr(other, *l))
			known[n++] = *l;
	g = Dot(arena_fmt(y->g->arena, "%s,%s->%s", d->label[2], other, known), g, factor);
	return ExpandLike(arranged(g, known, own), x);
}

static void
dot_vjp(Node *y, Node *const *g, Node **d)
{
	DotSpec s = dot_spec(y);

	if (!dtype_float(y->type.dt))
		return;
	d[0] = operand_vjp(y, g[0], &s, 0);
	d[1] = operand_vjp(y, g[0], &s, 1);
}

static const AttrSpec dot_attr[] = {
	{"spec", A_STR, NULL, "a letter per dimension: \"bmk,bkn->bmn\"", NULL},
	{0}
};
const Op op_dot = {.name = "dot", .id = OP_dot, .kind = DOT, .min_in = 2, .max_in = 2, .cost = 2,
	.attr = dot_attr, .operands = "a b",
	.doc = "products summed over the labels that the output lacks; integers wrap in their dtype",
	.shape = dot_shape, .eval = dot_eval, .vjp = dot_vjp};

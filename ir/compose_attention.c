/* compose_attention: scaled_dot_product_attention.
 *
 * With s the masked scores, e = exp(s - max) and r = 1 / sum(e), the output is
 * o = r * (e v): probabilities e * r are never made. Nor does the derivative
 * make them (Dao et al., FlashAttention, NeurIPS 2022, appendix B.2, with r
 * taken to the rows of the cotangent): w = r * do, dv = e' w,
 * ds = e * (w v' - rowsum(w * o)). A row of which nothing is admitted has e = 0,
 * output 0 and derivative 0. */
#include "ir.h"

#include <math.h>
#include <string.h>

enum { CAUSAL, SCALE, GQA, DROPOUT };

/* ---- types ---- */

/* operands 0..2 are [batch..., rows, columns] of one dtype */
static bool
three_matrices(Node *n)
{
	for (int i = 0; i < 3; i++) {
		if (!float_operand(n, i))
			return false;
		if (n->in[i]->type.rank < 2 || n->in[i]->type.rank != n->in[0]->type.rank) {
			type_error_in(n, i, "%s is %s, %s is %s: both are [batch..., length, features], with as many dimensions",
				nn(n->in[0]), tt(n->in[0]), nn(n->in[i]), tt(n->in[i]));
			return false;
		}
		if (!dtype_as(n, i, 0))
			return false;
	}
	return true;
}

static Dim
from_end(const Node *x, int i)
{
	return x->type.dim[x->type.rank - i];
}

/* with enable_gqa: how many heads of the query share one of operand i; false: not a whole number */
static bool
sharing(const Node *n, int i, int64_t *heads)
{
	Dim quotient;

	*heads = 1;
	if (!attr(n, GQA)->i)
		return true;
	if (n->in[0]->type.rank < 3 || !dim_div(from_end(n->in[0], 3), from_end(n->in[i], 3), &quotient) || quotient.sym)
		return false;
	*heads = quotient.k;
	return true;
}

static bool
batches_agree(Node *n, int i)
{
	const Node *q = n->in[0], *x = n->in[i];
	int nbatch = q->type.rank - 2 - (attr(n, GQA)->i != 0);
	int64_t heads;

	for (int d = 0; d < nbatch; d++)
		if (!dim_eq(q->type.dim[d], x->type.dim[d])) {
			type_error_in(n, i, "dimension %d differs: %s is %s, %s is %s", d, nn(q), tt(q), nn(x), tt(x));
			return false;
		}
	if (sharing(n, i, &heads))
		return true;
	type_error_in(n, i,
		"heads, the dimension before the last two: those of %s, which is %s, are no multiple of those of %s, "
		"which is %s",
		nn(q), tt(q), nn(x), tt(x));
	return false;
}

static bool
inner_sizes_agree(Node *n)
{
	const Node *q = n->in[0], *k = n->in[1], *v = n->in[2];

	if (!dim_eq(from_end(q, 1), from_end(k, 1)))
		type_error_in(n, 1, "features differ: %s is %s, %s is %s", nn(q), tt(q), nn(k), tt(k));
	else if (!dim_eq(from_end(k, 2), from_end(v, 2)))
		type_error_in(n, 2, "lengths differ: %s is %s, %s is %s", nn(k), tt(k), nn(v), tt(v));
	else
		return true;
	return false;
}

/* broadcasts to [batch..., length of query, length of key] */
static bool
mask_fits(Node *n)
{
	const Node *m = n->in[3];
	Type scores = n->in[0]->type;
	int extra = scores.rank - m->type.rank;

	if (attr(n, CAUSAL)->i) {
		type_error(n, "attn_mask and is_causal exclude each other");
		return false;
	}
	if (m->type.dt != BOOL && m->type.dt != scores.dt) {
		type_error_in(n, 3, "attn_mask %s is %s, must be bool or %s", nn(m), tt(m), dtype_name(scores.dt));
		return false;
	}
	scores.dim[scores.rank - 1] = from_end(n->in[1], 2);
	for (int d = 0; d < m->type.rank; d++)
		if (extra < 0 || !(dim_one(m->type.dim[d]) || dim_eq(m->type.dim[d], scores.dim[extra + d]))) {
			type_error_in(n, 3, "attn_mask %s is %s, does not broadcast to the scores, %s", nn(m), tt(m),
				type_text(n->g->arena, n->g, &scores));
			return false;
		}
	return true;
}

static void
attention_shape(Node *n)
{
	Type t = n->in[0]->type;

	if (!three_matrices(n) || !batches_agree(n, 1) || !batches_agree(n, 2) || !inner_sizes_agree(n))
		return;
	if (n->nin == 4 && !mask_fits(n))
		return;
	if (attr(n, DROPOUT)->f != 0) {
		type_error(n, "dropout_p is %g; only 0 is supported\napply \"dropout\" to the output of \"softmax\" instead",
			attr(n, DROPOUT)->f);
		return;
	}
	t.dim[t.rank - 1] = from_end(n->in[2], 1);
	n->type = t;
}

/* ---- value ---- */

/* the contraction "ij,kj->ik", given as a, b, out, of matrices with the same batch dimensions */
static Node *
matrices(const char *a, const char *b, const char *out, Node *x, Node *y)
{
	static const char letters[] = "ABCDEFGH";
	int n = x->type.rank - 2;

	return Dot(arena_fmt(x->g->arena, "%.*s%s,%.*s%s->%.*s%s", n, letters, a, n, letters, b, n, letters, out), x, y);
}

/* [..., H, S, E] as [..., H * heads, S, E], each head `heads` times in turn */
static Node *
repeated(Node *x, int64_t heads)
{
	int at = x->type.rank - 2;
	Dim wide[MAXRANK], flat[MAXRANK];

	if (heads == 1)
		return x;
	memcpy(flat, x->type.dim, sizeof flat);
	x = Unsqueeze(x, at);
	memcpy(wide, x->type.dim, sizeof wide);
	wide[at] = DIM(heads);
	flat[at - 1].k *= heads;
	return Reshape(Expand(x, wide, x->type.rank), flat, x->type.rank - 1);
}

/* what repeated does, transposed: d summed to the shape of x */
static Node *
gathered(Node *d, const Node *x, int64_t heads)
{
	int at = x->type.rank - 2;
	Dim wide[MAXRANK];

	if (heads == 1)
		return d;
	memcpy(wide, x->type.dim, (size_t)at * sizeof *wide);
	wide[at] = DIM(heads);
	memcpy(wide + at + 1, x->type.dim + at, 2 * sizeof *wide);
	return Sum(Reshape(d, wide, x->type.rank + 1), &at, 1, false);
}

typedef struct Attention {
	int64_t k_heads, v_heads;      /* repetitions */
	Node *scale;
	Node *q, *k, *v;               /* q times scale; k, v repeated; in f32 or f64 */
	Node *e, *r;                   /* exp(scores - max); 1 / its row sums */
	Node *out;
} Attention;

static Node *
scale_of(const Node *n, const Node *x)
{
	if (attr(n, SCALE)->set)
		return Lit(x, attr(n, SCALE)->f);
	return Rsqrt(DimSize(x->g, from_end(x, 1), x->type.dt));
}

/* scores of what may not be seen become -inf */
static Node *
masked(const Node *n, Node *s)
{
	Type t = {.dt = I32, .rank = 2, .dim = {from_end(s, 2), from_end(s, 1)}};
	Node *mask = n->nin == 4 ? n->in[3] : NULL;

	if (attr(n, CAUSAL)->i)
		mask = Ge(Iota(s->g, t, 0), Iota(s->g, t, 1));
	if (!mask)
		return s;
	return mask->type.dt == BOOL ? Where(mask, s, Lit(s, -(double)INFINITY)) : Add(s, Wide(mask));
}

/* shared by value and derivative */
static Attention
attention(const Node *n)
{
	Attention a;
	Node *s, *top, *sum;
	int last = n->type.rank - 1;

	sharing(n, 1, &a.k_heads);
	sharing(n, 2, &a.v_heads);
	a.q = Wide(n->in[0]);
	a.scale = scale_of(n, a.q);
	a.q = Mul(a.q, a.scale);
	a.k = repeated(Wide(n->in[1]), a.k_heads);
	a.v = repeated(Wide(n->in[2]), a.v_heads);
	s = masked(n, matrices("ik", "jk", "ij", a.q, a.k));
	top = Top(s, &last, 1);
	top = Where(Eq(top, Lit(s, -(double)INFINITY)), Lit(s, 0), top);
	a.e = Exp(Sub(s, top));
	sum = SumLast(a.e);
	a.r = Reciprocal(Where(Eq(sum, Lit(s, 0)), Lit(s, 1), sum));
	a.out = Mul(matrices("ij", "jk", "ik", a.e, a.v), a.r);
	return a;
}

static void
attention_compose(Node *n, bool training, Node **res)
{
	(void)training;
	res[0] = Cast(attention(n).out, n->type.dt);
}

static void
attention_vjp(Node *y, Node *const *g, Node **d)
{
	Attention a = attention(y);
	Node *w = Mul(Wide(g[0]), a.r), *ds;
	DType dt = y->type.dt;

	ds = Mul(a.e, Sub(matrices("ij", "kj", "ik", w, a.v), SumLast(Mul(w, a.out))));
	d[0] = Cast(Mul(matrices("ij", "jk", "ik", ds, a.k), a.scale), dt);
	d[1] = Cast(gathered(matrices("ji", "jk", "ik", ds, a.q), y->in[1], a.k_heads), dt);
	d[2] = Cast(gathered(matrices("ji", "jk", "ik", a.e, w), y->in[2], a.v_heads), dt);
	if (y->nin == 4 && y->in[3]->type.dt != BOOL)
		d[3] = Cast(ds, dt);
}

static const AttrSpec attention_attr[] = {
	[CAUSAL]  = {"is_causal", A_BOOL, "false", "row i sees keys 0..i only", NULL},
	[SCALE]   = {"scale", A_NUM, "null", "factor of the scores; null: 1 / sqrt(features)", NULL},
	[GQA]     = {"enable_gqa", A_BOOL, "false", "query heads may be a multiple of key and value heads", NULL},
	[DROPOUT] = {"dropout_p", A_NUM, "0.0", "must be 0", NULL},
	{0}
};
const Op op_scaled_dot_product_attention = {.name = "scaled_dot_product_attention",
	.id = OP_scaled_dot_product_attention, .kind = COMPOSITE, .min_in = 3, .max_in = 4, .attr = attention_attr,
	.operands = "query key value attn_mask",
	.doc = "softmax(query key' * scale) value (Vaswani et al. 2017); attn_mask: bool, true is seen, or added to the scores",
	.shape = attention_shape, .compose = attention_compose, .vjp = attention_vjp};

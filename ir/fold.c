/* fold: what node() simplifies, as rules. A rule looks at a node that is not
 * yet appended and returns what replaces it. Every rule keeps every bit of the
 * value, NaN and signed zero included: x + 0 is not x when x is -0.
 *
 * Besides the rules below, a pointwise op on splats (full) is evaluated, and a
 * view of a splat is a splat. This file is the place where rewrites name ops. */
#include "ir.h"

#include <math.h>
#include <string.h>

typedef Node *Rule(Node *n);

static bool
is_splat(const Node *n)
{
	return n->op->id == OP_full;
}

static double
splat_value(const Node *n)
{
	return attr_of(n, "value")->f;
}

/* ---- a neutral operand ---- */

static const struct {
	int op;
	double unit;           /* compared with its sign */
	bool left, right;      /* may stand as operand 0, 1 */
} units[] = {
	{OP_mul, 1.0,  true,  true},
	{OP_div, 1.0,  false, true},
	{OP_add, -0.0, true,  true},
	{OP_sub, 0.0,  false, true},
};

static bool
is_unit(const Node *x, double unit)
{
	return is_splat(x) && dtype_float(x->type.dt) && splat_value(x) == unit
		&& signbit(splat_value(x)) == signbit(unit);
}

static Node *
neutral(Node *n)
{
	for (int i = 0; i < LEN(units); i++) {
		if (units[i].op != n->op->id)
			continue;
		if (units[i].right && is_unit(n->in[1], units[i].unit) && type_eq(&n->in[0]->type, &n->type))
			return n->in[0];
		if (units[i].left && is_unit(n->in[0], units[i].unit) && type_eq(&n->in[1]->type, &n->type))
			return n->in[1];
	}
	return NULL;
}

/* ---- splats ---- */

static Node *
splat(Node *n)
{
	double v[MAXIN] = {0}, r;

	if (!n->op->map || !n->op->map->f || n->op->flags & (SELECT | CONVERT | STOP))
		return NULL;
	for (int i = 0; i < n->nin; i++) {
		if (!is_splat(n->in[i]) || !dtype_float(n->in[i]->type.dt))
			return NULL;
		v[i] = splat_value(n->in[i]);
	}
	r = n->op->map->f(v[0], v[1], v[2]);
	return Full(n->g, n->type, n->op->flags & TO_BOOL ? r != 0 : round_to(n->type.dt, r));
}

static Node *
splat_view(Node *n)
{
	const Node *x = n->in[0];
	Attr *a;

	if (n->op->kind != VIEW || n->nin != 1 || !is_splat(x) || view_fill(n) || n->op->bit)
		return NULL;
	a = NEW(n->g->arena, op_nattr(x->op), Attr);
	memcpy(a, x->attr, (size_t)op_nattr(x->op) * sizeof *a);
	set_dims(n->g, x->op, a, "shape", n->type.dim, n->type.rank);
	return node(n->g, x->op, NULL, 0, a);
}

/* where on a constant condition, or between equal values, when no broadcast hides in it */
static Node *
select_known(Node *n)
{
	Node *chosen;

	if (n->op->id != OP_where || !(is_splat(n->in[0]) || n->in[1] == n->in[2]))
		return NULL;
	chosen = n->in[n->in[1] == n->in[2] || attr_of(n->in[0], "value")->i ? 1 : 2];
	return type_eq(&chosen->type, &n->type) ? chosen : NULL;
}

/* ---- an op that undoes or repeats its operand ---- */

static Node *
twice(Node *n)
{
	if (n->op->id == OP_neg && n->in[0]->op->id == OP_neg)
		return n->in[0]->in[0];
	if (n->op->id == OP_unpack_bits && n->in[0]->op->id == OP_pack_bits
		&& type_eq(&n->type, &n->in[0]->in[0]->type))
		return n->in[0]->in[0];
	return NULL;
}

/* a view that changes nothing, and views of views */
static Node *
view(Node *n)
{
	Node *x = n->nin ? n->in[0] : NULL;

	if (!x || n->op->kind != VIEW)
		return NULL;
	if ((n->op->id == OP_reshape || n->op->id == OP_expand) && type_eq(&n->type, &x->type))
		return x;
	if (n->op->id == OP_reshape && x->op->id == OP_reshape)
		return Reshape(x->in[0], n->type.dim, n->type.rank);
	if (n->op->id == OP_expand && x->op->id == OP_expand)
		return Expand(x->in[0], n->type.dim, n->type.rank);
	if (n->op->id == OP_permute) {
		const int64_t *p = attr(n, 0)->ints;
		int perm[MAXRANK];
		bool same = true;
		for (int i = 0; i < n->type.rank; i++) {
			int64_t d = p[i] < 0 ? p[i] + n->type.rank : p[i];
			perm[i] = (int)d;
			if (x->op->id == OP_permute) {
				d = attr(x, 0)->ints[d];
				perm[i] = dim_index(d, n->type.rank);
			}
			same &= perm[i] == i;
		}
		if (x->op->id == OP_permute)
			return Permute(x->in[0], perm);
		return same ? x : NULL;
	}
	return NULL;
}

static Node *
convert(Node *n)
{
	if (n->op->id == OP_cast && n->type.dt == n->in[0]->type.dt)
		return n->in[0];
	if (n->op->id == OP_cast && is_splat(n->in[0]) && dtype_float(n->type.dt)
		&& dtype_float(n->in[0]->type.dt))
		return Full(n->g, n->type, round_to(n->type.dt, splat_value(n->in[0])));
	return NULL;
}

static bool
is_empty(const Node *n)
{
	Dim count = type_count(&n->type);

	return !count.k;
}

/* what has no element is any value; products of no terms add up to 0 */
static Node *
nothing(Node *n)
{
	if (!n->nin || node_nres(n) > 1)
		return NULL;
	if (is_empty(n) || (n->op->kind == DOT && (is_empty(n->in[0]) || is_empty(n->in[1]))))
		return Full(n->g, n->type, 0);
	return NULL;
}

/* a cat of those operands that have elements */
static Node *
cat_of_some(Node *n)
{
	Node **in;
	int k = 0;

	if (n->op->id != OP_cat)
		return NULL;
	in = NEW(n->g->arena, n->nin, Node *);
	for (int i = 0; i < n->nin; i++)
		if (!is_empty(n->in[i]))
			in[k++] = n->in[i];
	return k == n->nin ? NULL : k == 1 ? in[0] : Cat(in, k, (int)attr_of(n, "dim")->i);
}

static Rule *const rules[] = {nothing, cat_of_some, neutral, splat, splat_view, select_known, twice, view, convert};

Node *
fold(Node *n)
{
	if (n->remat != REMAT_AUTO)
		return NULL;
	for (int i = 0; i < n->nin; i++)
		if (n->in[i]->pinned)
			return NULL;
	for (int i = 0; i < LEN(rules); i++) {
		Node *m = rules[i](n);
		if (m)
			return m;
	}
	return NULL;
}

static Graph *
simplify_function(Arena *a, const Graph *fn, void *arg)
{
	(void)arg;
	return simplify(a, fn);
}

Graph *
simplify(Arena *a, const Graph *g)
{
	g = functions_map(a, g, simplify_function, NULL);
	/* the second time drops what folding left behind */
	return graph_rebuild(a, graph_rebuild(a, g, true), true);
}

/* cost: what an op costs wherever it runs, and which ops can share a kernel.
 *
 * Sizes are those at the hints of the symbols. Nothing here knows what is
 * saved or recomputed; price.c does. */
#include "ir.h"

#include <string.h>

static int64_t
count(const Node *n)
{
	return type_hint_count(n->g, &n->type);
}

int64_t
node_hint_bytes(const Node *n)
{
	return mul_sat(count(n), dtype_size(n->type.dt));
}

/* ---- work ---- */

/* product of the sizes of all labels */
static int64_t
dot_space(const Node *n)
{
	DotSpec d = dot_spec(n);
	int64_t space = count(n->in[0]);

	for (int k = 0; d.label[1][k]; k++)
		if (!strchr(d.label[0], d.label[1][k]))
			space = mul_sat(space, dim_hint(n->g, n->in[1]->type.dim[k]));
	return space;
}

static int64_t
largest(const Node *n)
{
	int64_t most = count(n);

	for (int k = 0; k < n->nin; k++)
		most = MAX(most, count(n->in[k]));
	return most;
}

/* every step of a scan */
static int64_t
steps_work(const Node *n)
{
	const Graph *body = node_function(n);
	int64_t work = 0;

	for (int64_t i = 0; i < body->nnode; i++)
		work = add_sat(work, node_work(body->node[i]));
	return mul_sat(work, dim_hint(n->g, scan_spec(n).length));
}

int64_t
node_work(const Node *n)
{
	int64_t space;

	if (node_function(n))
		return steps_work(n);
	if (n->leaf || n->op->flags & ALIAS || n->op->kind == ITEM)
		return 0;
	switch (n->op->kind) {
	case DOT:
		space = dot_space(n);
		break;
	case INDEX:
		space = n->op->flags & SCATTERS ? largest(n) : count(n);
		break;
	case REDUCE:
	case PACK:
	case WINDOW:
	case ORDERED:
	case CALL:
		space = largest(n);
		break;
	default:
		space = count(n);
	}
	return mul_sat(space, n->op->kind == VIEW ? MAX(n->op->cost, 1) : n->op->cost);
}

/* ---- fusible ---- */

static bool
is_alias(const Node *n)
{
	return n->op->flags & ALIAS;
}

bool
ends_kernel(const Node *n)
{
	Kind k = n->op->kind;

	return k == DOT || k == WINDOW || k == ORDERED || k == CALL || k == COMPOSITE || n->op->flags & SCATTERS;
}

/* broadcasting t to u repeats only along axes behind those that it keeps, so that a loop over rows of u holds
 * one element of t at a time */
static bool
repeats_inside(const Type *t, const Type *u)
{
	bool repeated = false;

	for (int i = 0; i < u->rank; i++) {
		int k = i - (u->rank - t->rank);
		bool kept = k >= 0 && !dim_one(t->dim[k]);
		if (kept && repeated)
			return false;
		repeated |= !kept && !dim_one(u->dim[i]);
	}
	return true;
}

/* a reduction over the last axes, and not over all of them */
static bool
reduces_rows(const Node *n)
{
	const Attr *a = attr_of(n, "dim");
	const Type *t = &n->in[0]->type;
	bool gone[MAXRANK + 1] = {0};
	int k = 0;

	if (!a->set)
		return false;
	if (!a->ints)
		gone[a->i < 0 ? a->i + t->rank : a->i] = true;
	for (int i = 0; a->ints && i < a->n; i++)
		gone[a->ints[i] < 0 ? a->ints[i] + t->rank : a->ints[i]] = true;
	while (k < t->rank && !gone[k])
		k++;
	if (!k)
		return false;
	while (k < t->rank && gone[k])
		k++;
	return k == t->rank;
}

/* The value behind views; *inside: they repeat elements only within rows. A chain longer than the bound is
 * not looked through, so that long ones cost no more than linear time. */
static const Node *
behind_views(const Node *n, bool *inside)
{
	*inside = true;
	for (int i = 0; i < 16 && is_alias(n); i++) {
		if (count(n) > count(n->in[0]))
			*inside &= repeats_inside(&n->in[0]->type, &n->type);
		n = n->in[0];
	}
	return n;
}

/* the space that b iterates over when it reads operand a */
static const Type *
space_of(const Node *a, const Node *b)
{
	return b->op->kind == MAP || b->op->kind == COMPOSITE ? &b->type : &a->type;
}

bool
fusible(const Node *a, const Node *b)
{
	bool inside;
	const Node *p = behind_views(a, &inside);
	Kind k = b->op->kind;

	if (p->leaf || (p->op->kind == SOURCE && !(p->op->flags & RANDOM)))
		return true;
	if (k == INDEX || k == CALL || k == ITEM || k == WINDOW || ends_kernel(p) || p->op->kind == ITEM) {
		/* but for what ends a contraction's tile, or follows a scan */
		return (p->op->kind == DOT || p->op->kind == WINDOW || p->op->kind == ORDERED) && (k == MAP || k == VIEW)
			&& (k == VIEW || count(b) == count(p));
	}
	if (k == VIEW)
		return true;
	inside &= repeats_inside(&a->type, space_of(a, b));
	if (p->op->kind != REDUCE)
		return k == DOT || inside;
	if (k == DOT || k == ORDERED)
		return false;
	return count(b) == count(p) || (reduces_rows(p) && inside);
}

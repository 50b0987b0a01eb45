/* fusible: what a kernel can compute where it reads it.
 *
 * A kernel runs over `count` elements, in row-major order; with reductions, over
 * `rows` of them, each of count / rows. A node's place in a kernel tells whether
 * its element belongs to the kernel's element, to its row, or to neither. */
#include "ir.h"

#include <string.h>

enum {
	CHEAP = 6,                     /* operations that are done again rather than read */
	MOST_AGAIN = 1 << 10,          /* operations for an element */
	REPEATED = 2                   /* operations that may be repeated for every row */
};

static Dim
count(const Node *n)
{
	return type_count(&n->type);
}

static bool
one_element(const Node *n)
{
	return dim_one(count(n));
}

bool
node_literal(const Node *n)
{
	return n->op->kind == SOURCE && !n->nin && one_element(n);
}

bool
node_given(const Node *n)
{
	return is_leaf(n) || (n->op->id == OP_constant && !one_element(n));
}

/* ---- reductions ---- */

ReduceForm
reduce_form(const Node *n)
{
	Run run[MAXRANK];
	int nrun = reduce_runs(n, run);
	Dim rest;

	if (!nrun)
		return REDUCE_NOTHING;
	if (nrun > 1 || !count(n->in[0]).k)
		return REDUCE_MIXED;
	if (run[0].last)
		return one_element(n) ? REDUCE_ALL : REDUCE_ROWS;
	if (n->op->combine == R_ARGMAX || n->op->combine == R_ARGMIN)
		return REDUCE_MIXED;
	/* what is kept lies behind what goes */
	rest = run[0].extent;
	for (int d = n->in[0]->type.rank - 1; d > run[0].dim[0]; d--)
		if (!dim_mul(rest, n->in[0]->type.dim[d], &rest))
			bug("a reduction of an overflowing count");
	return dim_eq(rest, count(n->in[0])) ? REDUCE_COLUMNS : REDUCE_MIXED;
}

bool
same_reduction(const Node *a, const Node *b)
{
	bool x[MAXRANK + 1] = {0}, y[MAXRANK + 1] = {0};

	if (a->op->kind != REDUCE || b->op->kind != REDUCE || !shape_eq(&a->in[0]->type, &b->in[0]->type))
		return false;
	reduced_dims(a, x);
	reduced_dims(b, y);
	return !memcmp(x, y, sizeof x);
}

/* ---- where u's element reads n ---- */

/* n, of a shape that broadcasts to u's */
static unsigned
broadcast_relation(const Node *n, const Node *u)
{
	Dim inner;
	bool repeated = false;

	for (int i = 0; i < u->type.rank; i++) {
		int k = i - (u->type.rank - n->type.rank);
		bool kept = k >= 0 && !dim_one(n->type.dim[k]);
		if (kept && repeated)
			return ELSEWHERE;
		repeated |= !kept && !dim_one(u->type.dim[i]);
	}
	if (!repeated)
		return AT_ELEMENT;
	return count(n).k && dim_div(count(u), count(n), &inner) ? AT_ROW : ELSEWHERE;
}

unsigned
element_relation(const Node *n, const Node *u, int operand)
{
	IxCtx *c;
	const Ix *o[MAXRANK], *in[MAXRANK], *x, *at;
	IxGuard guard = {0};
	Dim inner;

	if (u->op->kind == MAP)
		return broadcast_relation(n, u);
	if (u->op->kind == ORDERED)
		return AT_ELEMENT;
	if (u->op->kind != VIEW)
		return ELSEWHERE;
	c = ix_shared(n->g);
	x = ix_var(c, 0, count(u));
	unravel(c, &u->type, x, o);
	view_access(c, u, o, operand, in, &guard);
	if (guard.never || guard.n)
		return ELSEWHERE;
	at = ix_linear(c, &n->type, in);
	if (at == x)
		return AT_ELEMENT;
	if (count(n).k && dim_div(count(u), count(n), &inner) && at == ix_div(c, x, inner))
		return AT_ROW;
	return ELSEWHERE;
}

unsigned
group_place(const Node *n, const Node *u, int operand, const Group *k, unsigned pu)
{
	unsigned r;

	if (u->op->kind == REDUCE) {
		ReduceForm form = reduce_form(u);
		if (form == REDUCE_NOTHING)
			return pu;
		return form == REDUCE_ROWS || (k->first == u && form != REDUCE_MIXED) ? AT_ELEMENT : ELSEWHERE;
	}
	if (u->op->kind == PACK)
		return k->has_rows ? AT_ELEMENT : ELSEWHERE;
	r = element_relation(n, u, operand);
	if (r == AT_ELEMENT)
		return pu;
	return r == AT_ROW && pu == AT_ELEMENT ? AT_ROW : ELSEWHERE;
}

/* ---- may kernel k compute n where it has reader u? ---- */

static bool
reduce_fits(const Node *n, const Node *u, const Group *k, unsigned place)
{
	ReduceForm form = reduce_form(n);

	if (form == REDUCE_NOTHING)
		return true;
	if (k->dot || k->scatter)
		return false;
	if (k->first && same_reduction(n, k->first))
		return k->form == REDUCE_ROWS || k->form == REDUCE_ALL || (k->form == REDUCE_MIXED && u != k->first);
	if (form != REDUCE_ROWS || (k->first && k->form != REDUCE_ROWS && k->form != REDUCE_COLUMNS))
		return false;
	if (k->has_rows)
		return dim_eq(k->rows, count(n)) && place != ELSEWHERE;
	return place == AT_ROW || (place == AT_ELEMENT && dim_eq(k->count, count(n)));
}

/* contractions, scans and sorts: at most one in a kernel */
static bool
dot_fits(const Node *n, const Group *k, unsigned place)
{
	return !k->dot && !k->has_rows && !k->scatter && !k->first && place == AT_ELEMENT
		&& (n->op->kind == ORDERED || dtype_float(n->type.dt)) && dim_eq(k->count, count(n));
}

bool
selects_from(const Judge *j, const Node *u, int operand)
{
	return (u->op->kind == INDEX && operand == 0 && !(u->op->flags & SCATTERS)) || j->table[u->id];
}

bool
group_fits(const Judge *j, const Node *n, const Node *u, int operand, const Group *k, unsigned place)
{
	if (k->nnode >= MAXGROUP || n->op->flags & SCATTERS || n->op->kind == PACK || n->op->kind == CALL
		|| n->op->kind == ITEM || k->call)
		return false;
	if (selects_from(j, u, operand))
		return n->op->kind == VIEW || (n->op->kind == SOURCE && n->op->cost <= CHEAP && n->op->id != OP_constant);
	if (u->op->kind == REDUCE && j->nested[n->id] && reduce_form(u) != REDUCE_NOTHING)
		return false;
	switch (n->op->kind) {
	case REDUCE: return reduce_fits(n, u, k, place);
	case DOT:
	case ORDERED: return dot_fits(n, k, place);
	case VIEW:   return true;
	default:
		return n->op->cost <= REPEATED || place != ELSEWHERE || type_hint_count(j->g, &n->type)
			>= type_hint_count(j->g, &u->type);
	}
}

bool
is_affine_view(const Node *n)
{
	IxCtx *c = ix_shared(n->g);
	const Ix *o[MAXRANK], *in[MAXRANK];
	IxGuard guard;

	if (n->op->kind != VIEW || n->nin != 1)
		return false;
	for (int d = 0; d < n->type.rank; d++)
		o[d] = ix_var(c, d, n->type.dim[d]);
	view_access(c, n, o, 0, in, &guard);
	return !guard.never && !guard.n && ix_affine(ix_linear(c, &n->in[0]->type, in));
}

bool
is_packed_view(const Node *n)
{
	const Node *x = n;

	if (n->op->kind != VIEW || n->nin != 1)
		return false;
	while (x->op->kind == VIEW && x->nin == 1)
		x = x->in[0];
	return type_hint_count(n->g, &n->type) > type_hint_count(x->g, &x->type);
}

/* ---- once more, or through memory? ---- */

/* Adds what operand x of n is computed from; false: from several large values. One with fewer elements than n is read
 * again and again, and so from the caches. */
static bool
add_source(Judge *j, const Node *n, const Node *x)
{
	const Node *from = j->from[x->id];

	if (from && type_hint_count(j->g, &from->type) < type_hint_count(j->g, &n->type))
		from = NULL;
	if (from && j->from[n->id] && from != j->from[n->id])
		return false;
	j->from[n->id] = from ? from : j->from[n->id];
	j->again[n->id] += j->again[x->id];
	return j->again[x->id] >= 0 && j->again[n->id] <= MOST_AGAIN;
}

/* it reads elements of what is in memory, by index */
static bool
selects_given(const Node *n)
{
	return n->op->kind == INDEX && !(n->op->flags & SCATTERS) && node_given(n->in[0]);
}

void
judge_again(Judge *j)
{
	for (int64_t i = 0; i < j->g->nnode; i++) {
		const Node *n = j->g->node[i];
		bool possible = n->op->kind == MAP || n->op->kind == SOURCE || n->op->flags & ALIAS || selects_given(n);
		if (node_given(n)) {
			j->from[i] = n;
			continue;
		}
		j->again[i] = node_literal(n) || n->op->kind == VIEW ? 0 : n->op->cost;
		for (int k = 0; possible && k < n->nin; k++)
			possible = add_source(j, n, n->in[k]);
		if (!possible)
			j->again[i] = -1;
	}
}

/* Work and memory are weighed as the partitioner weighs them: 8 operations a byte. */
static int64_t
price_again(const Judge *j, const Node *n)
{
	const Node *from = j->from[n->id];

	return j->again[n->id] + (from ? 8 * dtype_size(from->type.dt) : 0);
}

static bool
little_work(const Node *n)
{
	int large = 0;

	if (n->op->kind == VIEW || (n->op->kind == SOURCE && n->op->cost <= CHEAP))
		return true;
	if (n->op->kind != MAP || n->op->cost > CHEAP)
		return false;
	for (int k = 0; k < n->nin; k++)
		large += dim_eq(count(n->in[k]), count(n)) && !node_literal(n->in[k]) && (!k || n->in[k] != n->in[k - 1]);
	return large <= 1;
}

bool
cheap_again(const Judge *j, const Node *n, int64_t times)
{
	if (little_work(n))
		return true;
	return (n->op->kind == MAP || n->op->kind == INDEX) && j->again[n->id] >= 0
		&& (times - 1) * price_again(j, n) <= times * 8 * dtype_size(n->type.dt);
}

bool
fits_prologue(const Judge *j, const Node *n, const Group *k)
{
	for (int i = 0; k->dot && i < k->dot->nin; i++)
		if (is_packed_view(k->dot->in[i]))     /* it would be computed for each window that it lies in */
			return false;
	return k->nnode < MAXGROUP && n->op->kind == MAP && dtype_float(n->type.dt) && j->again[n->id] >= 0
		&& price_again(j, n) <= 2 * 8 * dtype_size(n->type.dt);
}

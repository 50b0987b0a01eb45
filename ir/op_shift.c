/* op_shift: elements moved along a dimension, a constant where there were none. */
#include "ir.h"

enum { SHIFT_DIM, SHIFT_BY, SHIFT_VALUE };

static int
dim_of(const Node *n)
{
	return dim_index(attr(n, SHIFT_DIM)->i, n->type.rank);
}

static void
shift_shape(Node *n)
{
	const Type *t = &n->in[0]->type;

	if (norm_dim(n, attr(n, SHIFT_DIM)->i, t->rank) < 0)
		return;
	if (!literal_fits(attr(n, SHIFT_VALUE), t->dt))
		type_error(n, "\"value\" %s is not a value of %s", literal_text(n, SHIFT_VALUE), dtype_name(t->dt));
	else
		n->type = *t;
}

static void
shift_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	const Attr *value = attr(n, SHIFT_VALUE);
	int64_t stride = 1, size = out->rank ? out->dim[dim_of(n)] : 1, by = attr(n, SHIFT_BY)->i;

	(void)c;
	for (int d = dim_of(n) + 1; d < out->rank; d++)
		stride *= out->dim[d];
	for (int64_t k = 0; k < out->n; k++) {
		int64_t at = k / stride % size;
		bool inside = by > 0 ? at >= by : by <= -size ? false : at < size + by;
		if (out->f)
			out->f[k] = inside ? in[0]->f[k - by * stride] : value->f;
		else
			out->i[k] = inside ? in[0]->i[k - by * stride] : value->i;
	}
}

static void
shift_vjp(Node *y, Node *const *g, Node **d)
{
	d[0] = Shift(g[0], dim_of(y), -attr(y, SHIFT_BY)->i, 0);
}

static void
shift_access(IxCtx *c, const Node *n, const Ix *const *o, int which, const Ix **in, IxGuard *guard)
{
	int dim = dim_of(n);
	const Ix *by = ix_int(c, attr(n, SHIFT_BY)->i);

	(void)which;
	for (int i = 0; i < n->type.rank; i++)
		in[i] = o[i];
	if (!n->type.rank) {
		ix_guard(c, guard, by, ix_int(c, 0), ix_int(c, 1));
		return;
	}
	in[dim] = ix_sub(c, o[dim], by);
	ix_guard(c, guard, o[dim], by, ix_add(c, by, ix_dim(c, n->type.dim[dim])));
}

static const AttrSpec shift_attr[] = {
	[SHIFT_DIM]   = {"dim", A_INT, NULL, "dimension", NULL},
	[SHIFT_BY]    = {"by", A_INT, NULL, "by how many places, to higher indices when positive", NULL},
	[SHIFT_VALUE] = {"value", A_NUM, "0", "what the elements without one to take are", NULL},
	{0}
};
const Op op_shift = {.name = "shift", .id = OP_shift, .kind = VIEW, .min_in = 1, .max_in = 1,
	.attr = shift_attr, .operands = "input",
	.doc = "elements moved along a dimension, those beyond its end dropped",
	.shape = shift_shape, .eval = shift_eval, .vjp = shift_vjp, .access = shift_access};

/* dot: contractions.
 *
 * An element of a contraction is the sum over its summed labels, taken in the
 * order of their linear index: runs of RUN terms, and the sums of the runs in
 * order. */
#include "gen.h"

#include <string.h>

/* Labels that are summed, in the order of the first operand, then the second: their linear index, last
 * label fastest, is the order of the sum. */
int
dot_summed(const Node *n, char *label, Dim *size)
{
	DotSpec s = dot_spec(n);
	int count = 0;

	for (int i = 0; i < 2; i++)
		for (int d = 0; s.label[i][d]; d++)
			if (!strchr(s.label[2], s.label[i][d]) && !memchr(label, s.label[i][d], (size_t)count)) {
				size[count] = n->in[i]->type.dim[d];
				label[count++] = s.label[i][d];
			}
	return count;
}

const Val *
dot_value(Build *b, const Node *n, const Ix *const *o)
{
	DotSpec s = dot_spec(n);
	char label[2 * MAXRANK];
	Dim size[2 * MAXRANK], extent = DIM(1);
	int nk = dot_summed(n, label, size);
	const Ix *of[128] = {0}, *k, *at[MAXRANK];
	const Val *x[2];
	const Var *over;
	uint64_t avoid = 0;

	for (int d = 0; d < n->type.rank; d++) {
		of[(int)s.label[2][d]] = o[d];
		avoid |= v_ix(b, o[d])->loops;
	}
	for (int i = 0; i < nk; i++)
		if (!dim_mul(extent, size[i], &extent))
			bug("contraction over an overflowing count");
	over = dim_one(extent) ? NULL : build_loop(b, extent, avoid);
	k = over ? b->ixvar[over->id] : ix_int(b->ix, 0);
	for (int i = nk - 1; i >= 0; i--) {
		of[(int)label[i]] = i ? ix_mod(b->ix, k, size[i]) : k;
		k = ix_div(b->ix, k, size[i]);
	}
	for (int i = 0; i < 2; i++) {
		for (int d = 0; s.label[i][d]; d++)
			at[d] = of[(int)s.label[i][d]];
		x[i] = element(b, n->in[i], at);
	}
	x[0] = v_combine(b, R_PROD, x[0], x[1]);
	return over ? v_reduce(b, R_SUM, BY_BLOCKS, over, x[0]) : x[0];
}

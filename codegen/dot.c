/* dot: contractions.
 *
 * An element of a contraction is the sum over its summed labels, taken in the
 * order of their linear index: runs of RUN terms, and the sums of the runs in
 * order. dot_value() is that sum as a value, for plain loops.
 *
 * dot_kernel() is the kernel of a contraction of floats. Its labels become axes:
 * neighbours that lie at one stride everywhere are one. One axis makes the rows
 * of the register tiles of rt/dot_f32.h, one their columns, one the sum; all
 * others are loops around them. Such a matrix is cut into blocks, and the blocks,
 * which are independent, are done in parallel. Where the contraction itself goes
 * to memory, tiles are stored there; else a block is kept on the stack, and a
 * loop over it computes what is pointwise in its elements.
 *
 * Operands are read in place through their strides. One that has none, since it is
 * computed, or looked at in a way that is not linear, is written run by run
 * into an array on the stack: its elements are computed once for each block. */
#include "gen.h"

#include <math.h>
#include <string.h>

/* ---- as a value ---- */

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

static Dim
product(const Dim *size, int n)
{
	Dim p = DIM(1);

	for (int i = 0; i < n; i++)
		if (!dim_mul(p, size[i], &p))
			bug("contraction over an overflowing count");
	return p;
}

/* the element as it stands in the block that has been done */
const Val *
tile_value(Build *b, const Node *n, const Ix *const *o)
{
	if (type_count(&n->type).k && ix_linear(b->ix, &n->type, o) != b->tile_at)
		bug("%s (node %d) is read at another element than its tile's", n->op->name, n->id);
	return b->tile_value;
}

const Val *
dot_value(Build *b, const Node *n, const Ix *const *o)
{
	DotSpec s = dot_spec(n);
	char label[2 * MAXRANK];
	Dim size[2 * MAXRANK], extent;
	int nk = dot_summed(n, label, size);
	const Ix *of[128] = {0}, *k, *at[MAXRANK];
	const Val *x[2];
	const Var *over;
	uint64_t avoid = 0;

	if (n == b->tiled)
		return tile_value(b, n, o);
	for (int d = 0; d < n->type.rank; d++) {
		of[(int)s.label[2][d]] = o[d];
		avoid |= v_ix(b, o[d])->loops;
	}
	extent = product(size, nk);
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

/* ---- axes ---- */

enum { OUT = 2, NOTE = MAXINDEX };     /* index variable NOTE + l stands for label l while strides are looked for */

typedef enum Part { ROWS, COLS, BATCH, SUM } Part;
typedef struct Axis {                  /* labels that follow each other at one stride, the last one fastest */
	int n;
	char label[2 * MAXRANK];
	Dim size[2 * MAXRANK], extent;
	Dim stride[3];                 /* in the operands and the output; 0: it is not there */
} Axis;
typedef struct Access {                /* how an operand, or the output, lies in memory */
	bool strided;
	Node *base;                    /* the node whose memory it is */
	Mem *mem;
	const Ix *begin;
	Dim stride[128];               /* by label */
} Access;
typedef struct Cut {                   /* an axis in steps */
	Axis axis;
	const char *name;
	int64_t step;
	int64_t most;                  /* steps, at the symbols' max */
	const Ix *at;                  /* where the current step begins */
	const Val *n;                  /* its length */
} Cut;
typedef struct Product {
	Build *b;
	Node *n;
	DotSpec spec;
	Dim size[128];                 /* by label */
	Access of[3];
	int left, right;               /* the operands that have the rows and the columns */
	Cut rows, cols, outer[2 * MAXRANK];
	int nouter;
	Axis sum;
	int level;                     /* runs of sums of runs, of runs of those, … */
	bool direct;                   /* blocks are made in the output */
	double prepare[2];             /* what bringing an element of an operand into place costs, in multiply-adds */
	int64_t work;
	uint64_t used;                 /* loops that are open */
	Stmt *first;                   /* the outermost, or NULL */
	Mem *pack[2];                  /* where an operand's run is written, if it is not strided */
} Product;

static bool
dim_zero(Dim d)
{
	return d.k == 0;
}

/* at = indices of an operand from those of the labels */
static void
operand_index(const Product *d, int i, const Ix *const *of, const Ix **at)
{
	for (int k = 0; d->spec.label[i][k]; k++)
		at[k] = of[(int)d->spec.label[i][k]];
}

static const Ix *
note_var(const Product *d, char label)
{
	return dim_one(d->size[(int)label]) ? ix_int(d->b->ix, 0)
		: ix_var(d->b->ix, NOTE + label, d->size[(int)label]);
}

/* x's address as strides by label; false: it is not linear in them */
static bool
read_strides(const Product *d, int i, const Ix *x, Access *a)
{
	Build *b = d->b;

	if (!ix_affine(x))
		return false;
	a->begin = x;
	for (const char *l = d->spec.label[i]; *l; l++) {
		if (dim_one(d->size[(int)*l]))
			continue;
		if (!ix_coef(x, NOTE + *l, &a->stride[(int)*l]))
			return false;
		a->begin = ix_subst(b->ix, a->begin, NOTE + *l, ix_int(b->ix, 0));
	}
	return true;
}

/* looks through the views that are inside the kernel; with no memory behind them, or no strides, a->strided is false */
static void
find_access(const Product *d, int i, Access *a)
{
	Build *b = d->b;
	Node *x = d->n->in[i];
	const Ix *of[128] = {0}, *at[MAXRANK], *in[MAXRANK];

	for (const char *l = d->spec.label[i]; *l; l++)
		of[(int)*l] = note_var(d, *l);
	operand_index(d, i, of, at);
	while (b->inside[x->id]) {
		IxGuard guard;
		if (x->op->kind != VIEW)
			return;
		view_access(b->ix, x, at, 0, in, &guard);
		if (guard.never || guard.n)
			return;
		x = x->in[0];
		memcpy(at, in, sizeof at);
	}
	a->base = b->storage[x->id];
	a->strided = a->base && read_strides(d, i, ix_linear(b->ix, &x->type, at), a);
}

static void
find_output(const Product *d, Access *a)
{
	Dim stride = DIM(1);

	a->strided = true;
	for (int k = d->n->type.rank - 1; k >= 0; k--) {
		a->stride[(int)d->spec.label[OUT][k]] = stride;
		if (!dim_mul(stride, d->n->type.dim[k], &stride))
			bug("contraction of an overflowing size");
	}
}

static Part
part_of(const Product *d, char label)
{
	bool l = strchr(d->spec.label[0], label) != NULL, r = strchr(d->spec.label[1], label) != NULL;

	if (!strchr(d->spec.label[OUT], label))
		return SUM;
	return l && r ? BATCH : l ? ROWS : COLS;
}

/* whether a label continues an axis: in all that is strided its last element is followed by the axis' next */
static bool
continues(const Product *d, const Axis *x, char label)
{
	for (int i = 0; i < 3; i++) {
		Dim step;
		if (!d->of[i].strided)
			continue;
		if (dim_zero(d->of[i].stride[(int)label]) != dim_zero(x->stride[i]))
			return false;
		if (!dim_zero(x->stride[i]) && (!dim_mul(d->of[i].stride[(int)label], d->size[(int)label], &step)
			|| !dim_eq(step, x->stride[i])))
			return false;
	}
	return true;
}

/* the axes of a part, from labels in the order of the sum or of the output */
static int
find_axes(const Product *d, Part part, Axis *axis)
{
	char label[2 * MAXRANK] = {0};
	Dim size[2 * MAXRANK];
	int n = 0, count = part == SUM ? dot_summed(d->n, label, size) : d->n->type.rank;

	if (part != SUM)
		memcpy(label, d->spec.label[OUT], (size_t)count);
	for (int k = 0; k < count; k++) {
		char l = label[k];
		Axis *x;
		if (part_of(d, l) != part || dim_one(d->size[(int)l]))
			continue;
		if (!n || !continues(d, &axis[n - 1], l))
			axis[n++] = (Axis){.extent = DIM(1)};
		x = &axis[n - 1];
		x->label[x->n] = l;
		x->size[x->n++] = d->size[(int)l];
		x->extent = product(x->size, x->n);
		for (int i = 0; i < 3; i++)
			x->stride[i] = d->of[i].stride[(int)l];
	}
	return n;
}

/* the sum must be one axis: operands are given up as strided until it is */
static void
find_sum(Product *d)
{
	bool strided[2] = {d->of[0].strided, d->of[1].strided};
	Axis axis[2 * MAXRANK];

	for (int given_up = 0; given_up < 4; given_up++) {
		int n;
		for (int i = 0; i < 2; i++)
			d->of[i].strided = strided[i] && !(given_up >> i & 1);
		n = find_axes(d, SUM, axis);
		if (n > 1)
			continue;
		d->sum = n ? axis[0] : (Axis){.extent = DIM(1)};
		return;
	}
	bug("a sum of contraction %d has no order", d->n->id);
}

static int64_t
hint(const Product *d, const Axis *x)
{
	return dim_hint(d->b->g, x->extent);
}

/* the longest of the axes is given back, all others become outer loops */
static Axis
choose(Product *d, Part part)
{
	Axis axis[2 * MAXRANK], one = {.extent = DIM(1)};
	int n = find_axes(d, part, axis), best = -1;

	for (int i = 0; i < n && part != BATCH; i++)
		if (best < 0 || hint(d, &axis[i]) >= hint(d, &axis[best]))
			best = i;
	for (int i = 0; i < n; i++)
		if (i == best)
			one = axis[i];
		else
			d->outer[d->nouter++] = (Cut){.axis = axis[i], .name = "batch"};
	return one;
}

static void
exchange(Product *d)
{
	Axis rows = d->rows.axis;

	d->rows.axis = d->cols.axis;
	d->cols.axis = rows;
	d->left = !d->left;
	d->right = !d->right;
}

/* Columns are what vectors run along: neighbours in the output, unless they are too few. */
static void
orient(Product *d)
{
	if (d->rows.axis.n && dim_one(d->rows.axis.stride[OUT]))
		exchange(d);
	if (hint(d, &d->cols.axis) < 8 && hint(d, &d->rows.axis) > 2 * hint(d, &d->cols.axis))
		exchange(d);
}

static void
analyse(Product *d)
{
	for (int i = 0; i < 2; i++)
		for (int k = 0; d->spec.label[i][k]; k++)
			d->size[(int)d->spec.label[i][k]] = d->n->in[i]->type.dim[k];
	for (int i = 0; i < 2; i++)
		find_access(d, i, &d->of[i]);
	find_output(d, &d->of[OUT]);
	find_sum(d);
	choose(d, BATCH);
	d->rows = (Cut){.axis = choose(d, ROWS), .name = "row"};
	d->cols = (Cut){.axis = choose(d, COLS), .name = "col"};
	d->right = 1;
	orient(d);
	for (int64_t most = dim_max(d->b->g, d->sum.extent), run = RUN * RUN; most > run; run *= RUN)
		d->level++;
}

/* ---- blocks ---- */

enum {
	STACK = 48 << 10,              /* bytes of an array on the stack */
	TILE = 20 << 10,               /* of a block that is kept there */
	UNIT = 64,                     /* bytes: columns of a block are a multiple of the longest vector */
	HEIGHT = 8,                    /* rows: of the highest tile */
	LONG = 256,                    /* most rows of a block: a run of them stays in the second cache */
	BROAD = 512,                   /* most columns */
	PACKED = 48,                   /* rows that rt/dot_f32.h packs at once */
	BLOCKS = 16,                   /* wanted, for threads to share */
	BLOCK_WORK = 1 << 18,          /* operations that are worth a block */
	PARALLEL_WORK = 1 << 20        /* operations that take some 10 us: a parallel region costs 2 to 9 */
};

static int64_t
round_up(int64_t n, int64_t unit)
{
	return (n + unit - 1) / unit * unit;
}

static int64_t
steps(int64_t n, int64_t step)
{
	return n / step + (n % step != 0);
}

/* steps of at most `step`, a multiple of unit, of about one length when the axis' is known */
static void
cut(const Product *d, Cut *c, int64_t step, int64_t unit)
{
	int64_t most = MAX(dim_max(d->b->g, c->axis.extent), 1);

	if (!c->axis.extent.sym)
		step = round_up(steps(most, steps(most, step)), unit);
	c->step = MIN(step, most);
	c->most = steps(most, c->step);
	c->at = ix_int(d->b->ix, 0);
}

static int64_t
hint_blocks(const Product *d)
{
	int64_t n = steps(hint(d, &d->rows.axis), d->rows.step);

	if (!mul_ok(n, steps(hint(d, &d->cols.axis), d->cols.step), &n))
		return INT64_MAX;
	for (int i = 0; i < d->nouter; i++)
		if (!mul_ok(n, hint(d, &d->outer[i].axis), &n))
			return INT64_MAX;
	return n;
}

/* operations of what is computed in the kernel for an element of x */
static int64_t
element_cost(const Product *d, const Node *x, bool *seen)
{
	int64_t cost;

	if (!d->b->inside[x->id] || seen[x->id])
		return 0;
	seen[x->id] = true;
	cost = x->op->kind == VIEW ? 1 : x->op->cost;
	for (int i = 0; i < x->nin; i++)
		cost = add_sat(cost, element_cost(d, x->in[i], seen));
	return cost;
}

/* In vectors an element that is copied costs as much as some multiply-adds, and an operation as much as two. */
static void
find_prepare(Product *d)
{
	for (int i = 0; i < 2; i++)
		if (!d->of[i].strided)
			d->prepare[i] = 8 + 2 * (double)element_cost(d, d->n->in[i], NEW(d->b->arena, d->b->g->nnode, bool));
		else
			d->prepare[i] = i == d->left && dim_one(d->sum.stride[i]) ? 0.5 : 4;
}

/* Rows are brought into place once for each block across, columns once for each down, or for the rows that are packed
 * at once. */
static double
block_cost(const Product *d, int64_t rows, int64_t cols)
{
	int64_t depth = MAX(hint(d, &d->sum), 1), times = 1;

	if (d->of[d->left].strided && !dim_one(d->sum.stride[d->left]))
		times = steps(rows, PACKED * MAX(RUN / depth, 1));
	return d->prepare[d->left] / (double)cols + d->prepare[d->right] * (double)times / (double)rows;
}

/* most rows and columns of a block, by what it has on the stack */
static void
block_limits(const Product *d, int64_t *rows, int64_t *cols)
{
	bool left = !d->of[d->left].strided, right = !d->of[d->right].strided;
	const int64_t computed = (left && right ? STACK * 2 / 3 : STACK) / RUN / dtype_size(d->n->type.dt);

	*rows = left ? computed : LONG;
	*cols = right ? computed : BROAD;
}

/* of an axis whose length is known at run time alone, a length for which blocks are not too small in any case */
static int64_t
likely(const Product *d, const Axis *x)
{
	return MAX(hint(d, x), x->extent.sym ? 2 * PACKED : 1);
}

static int64_t
step_of(int64_t n, int64_t pieces, int64_t unit)
{
	return MIN(round_up(steps(n, pieces), unit), n);
}

/* the next number of pieces that makes steps of another length; 2n: there is none */
static int64_t
pieces_after(int64_t n, int64_t pieces, int64_t unit)
{
	int64_t step = step_of(n, pieces, unit);

	return step <= unit ? 2 * n : steps(n, step - 1 - (step - 1) % unit);
}

/* Blocks of equal size: of those that the stack allows the cheapest, with enough of them for threads to share, if there
 * is work. */
static void
choose_blocks(Product *d)
{
	int64_t size = dtype_size(d->n->type.dt), wide = UNIT / size, most_rows, most_cols, best[2] = {HEIGHT, wide};
	int64_t m = likely(d, &d->rows.axis), n = likely(d, &d->cols.axis);
	const int64_t wanted = MIN(BLOCKS, d->work / BLOCK_WORK);
	double least = INFINITY;

	find_prepare(d);
	block_limits(d, &most_rows, &most_cols);
	for (int64_t down = 1; down < 2 * m; down = pieces_after(m, down, HEIGHT))
		for (int64_t across = 1; across < 2 * n; across = pieces_after(n, across, wide)) {
			int64_t rows = step_of(m, down, HEIGHT), cols = step_of(n, across, wide), blocks;
			double cost;
			if (rows > most_rows || cols > most_cols || (!d->direct && rows * cols * size > TILE))
				continue;
			d->rows.step = rows;
			d->cols.step = cols;
			blocks = hint_blocks(d);
			cost = block_cost(d, rows, cols);
			if (d->work >= PARALLEL_WORK && blocks < wanted)
				cost += (double)(wanted - blocks);
			if (cost < least) {
				least = cost;
				best[0] = rows;
				best[1] = cols;
			}
		}
	cut(d, &d->rows, best[0], HEIGHT);
	cut(d, &d->cols, best[1], wide);
	for (int i = 0; i < d->nouter; i++)
		cut(d, &d->outer[i], 1, 1);
}

/* ---- loops over blocks ---- */

static const Val *
called(const Val *v, const char *name)
{
	if (!v->name && v->nx)
		((Val *)v)->name = name;
	return v;
}

static const Var *
loop_var(Product *d, Dim extent)
{
	const Var *v = build_loop(d->b, extent, d->used);

	d->used |= (uint64_t)1 << v->id;
	return v;
}

static Stmt *
open_loop(Product *d, Block **body, const Var *v, const Val *from, const Val *to, int64_t step)
{
	Stmt *f = s_for(d->b, *body, v, from, to, step);

	*body = &f->body;
	return f;
}

/* number of steps */
static const Val *
cut_count(Build *b, const Cut *c)
{
	const Val *n = v_dim(b, c->axis.extent);

	if (n->kind == V_INT)
		return v_int(b, c->most);
	if (c->step == 1)
		return n;
	return v_binary(b, I64, "/", v_binary(b, I64, "+", n, v_int(b, c->step - 1)), v_int(b, c->step));
}

/* length of the step at c->at */
static const Val *
cut_length(Build *b, const Cut *c)
{
	const Val *left, *step = v_int(b, c->step), *n = v_dim(b, c->axis.extent);

	if (c->most == 1)
		return n;
	if (n->kind == V_INT && n->num.i % c->step == 0)
		return step;
	left = called(v_binary(b, I64, "-", n, v_ix(b, c->at)), "left");
	return called(v_min(b, left, step), arena_fmt(b->arena, "%ss", c->name));
}

/* one loop over all blocks, so that threads share them evenly */
static void
open_one(Product *d, Block **body, Cut *const *loop, int n)
{
	Build *b = d->b;
	const Val *total = v_int(b, 1), *rest;
	int64_t most = 1;
	const Var *v;

	for (int i = 0; i < n; i++) {
		total = v_binary(b, I64, "*", total, cut_count(b, loop[i]));
		if (!mul_ok(most, loop[i]->most, &most))
			bug("contraction %d has too many blocks", d->n->id);
	}
	v = build_counter(b, "block", total, most);
	d->used |= (uint64_t)1 << v->id;
	d->first = open_loop(d, body, v, v_int(b, 0), total, 1);
	rest = v_var(b, v);
	for (int i = n - 1; i >= 0; i--) {
		const Val *count = cut_count(b, loop[i]), *at = i ? v_binary(b, I64, "%", rest, count) : rest;
		at = called(v_binary(b, I64, "*", at, v_int(b, loop[i]->step)), loop[i]->name);
		loop[i]->at = build_index(b, at, loop[i]->axis.extent);
		rest = v_binary(b, I64, "/", rest, count);
	}
}

static void
open_nest(Product *d, Block **body, Cut *const *loop, int n)
{
	Build *b = d->b;

	for (int i = 0; i < n; i++) {
		Dim extent = loop[i]->axis.extent;
		const Var *v = loop_var(d, extent);
		Stmt *f = open_loop(d, body, v, v_int(b, 0), v_dim(b, extent), loop[i]->step);
		loop[i]->at = b->ixvar[v->id];
		d->first = d->first ? d->first : f;
	}
}

static void
open_blocks(Product *d, Block **body)
{
	Cut *loop[LEN(d->outer) + 2];
	int n = 0;

	for (int i = 0; i < d->nouter; i++)
		loop[n++] = &d->outer[i];
	if (d->rows.most > 1)
		loop[n++] = &d->rows;
	if (d->cols.most > 1)
		loop[n++] = &d->cols;
	if (n > 1 && d->work >= PARALLEL_WORK)
		open_one(d, body, loop, n);
	else
		open_nest(d, body, loop, n);
	d->rows.n = cut_length(d->b, &d->rows);
	d->cols.n = cut_length(d->b, &d->cols);
}

/* ---- operands ---- */

/* where the current block begins in an operand or the output, at term k of the sum */
static const Ix *
address(const Product *d, int i, const Ix *k)
{
	IxCtx *c = d->b->ix;
	const Ix *x = i == OUT ? ix_int(c, 0) : d->of[i].begin;

	for (int o = 0; o < d->nouter; o++)
		x = ix_add(c, x, ix_scale(c, d->outer[o].at, d->outer[o].axis.stride[i]));
	x = ix_add(c, x, ix_scale(c, d->rows.at, d->rows.axis.stride[i]));
	x = ix_add(c, x, ix_scale(c, d->cols.at, d->cols.axis.stride[i]));
	return i == OUT ? x : ix_add(c, x, ix_scale(c, k, d->sum.stride[i]));
}

/* indices of an axis' labels from its own */
static void
axis_index(const Product *d, const Axis *x, const Ix *at, const Ix **of)
{
	for (int k = x->n - 1; k >= 0; k--) {
		of[(int)x->label[k]] = k ? ix_mod(d->b->ix, at, x->size[k]) : at;
		at = ix_div(d->b->ix, at, x->size[k]);
	}
}

/* i * step_i + j * step_j, the longer step first */
static const Val *
place(Build *b, const Val *i, int64_t step_i, const Val *j, int64_t step_j)
{
	if (step_i < step_j)
		return place(b, j, step_j, i, step_i);
	const Val *at_i = v_binary(b, I64, "*", i, v_int(b, step_i)), *at_j = v_binary(b, I64, "*", j, v_int(b, step_j));

	return v_binary(b, I64, "+", at_i, at_j);
}

/* One of the two indices of a run that is packed: [from, to) of an axis. An axis whose index would be divided in
 * the innermost loop is walked through in two: its quotient by `digit`, and its remainder. */
typedef struct Walk {
	const Axis *axis;
	const Var *v;
	const Val *from, *to;
	int64_t unit;                  /* `from` is a multiple of it */
	int64_t step;                  /* in the packed array */
	int64_t digit;                 /* 0: none */
} Walk;

/* element of operand i at these indices of the walks' axes */
static const Val *
packed_element(Product *d, int i, const Walk *w, const Ix *const *x)
{
	IxCtx *c = d->b->ix;
	const Ix *of[128] = {0}, *at[MAXRANK];

	for (const char *l = d->spec.label[i]; *l; l++)
		of[(int)*l] = ix_int(c, 0);
	for (int o = 0; o < d->nouter; o++)
		axis_index(d, &d->outer[o].axis, d->outer[o].at, of);
	for (int k = 0; k < 2; k++)
		axis_index(d, w[k].axis, x[k], of);
	operand_index(d, i, of, at);
	return element(d->b, d->n->in[i], at);
}

/* the smallest divisor that the walks' loops are divided by; they can be split by it when it divides their extent */
static void
find_digits(Product *d, int i, Walk *w)
{
	Build *b = d->b;

	b->ndivisor = 0;
	packed_element(d, i, w, (const Ix *[]){b->ixvar[w[0].v->id], b->ixvar[w[1].v->id]});
	for (int k = 0; k < b->ndivisor; k++) {
		Dim by = b->divisor[k].d, whole;
		for (int j = 0; j < 2; j++)
			if (b->divisor[k].loop == w[j].v->id && !by.sym && dim_div(w[j].axis->extent, by, &whole)
				&& (!w[j].digit || by.k < w[j].digit))
				w[j].digit = by.k;
	}
	b->ndivisor = 0;
}

/* a bound that is chosen, under a name of its own */
static const Val *
bound_var(Build *b, Block *body, const char *name, const char *op, const Val *x, const Val *y)
{
	const Var *v = build_var(b, build_name(b, name), I64);

	s_let(b, body, v, v_cond(b, v_binary(b, BOOL, op, x, y), x, y, false));
	return v_var(b, v);
}

/* opens the loop, or two, over a walk; returns its index */
static const Ix *
open_walk(Product *d, Block **body, const Walk *w, bool split)
{
	Build *b = d->b;
	const Val *digit = v_int(b, w->digit), *start, *zero = v_int(b, 0);
	const Var *q, *r;
	Dim whole;

	if (!split || !w->digit) {
		open_loop(d, body, w->v, w->from, w->to, 1);
		return b->ixvar[w->v->id];
	}
	dim_div(w->axis->extent, DIM(w->digit), &whole);
	q = loop_var(d, whole);
	r = loop_var(d, DIM(w->digit));
	start = v_binary(b, I64, "*", v_var(b, q), digit);
	if (w->unit % w->digit == 0) {
		open_loop(d, body, q, v_binary(b, I64, "/", w->from, digit), v_binary(b, I64, "/", w->to, digit), 1);
		open_loop(d, body, r, zero, digit, 1);
	} else {
		const Val *last = v_binary(b, I64, "+", v_binary(b, I64, "/", v_binary(b, I64, "-", w->to, v_int(b, 1)),
			digit), v_int(b, 1));
		open_loop(d, body, q, v_binary(b, I64, "/", w->from, digit), last, 1);
		open_loop(d, body, r, bound_var(b, *body, "begin", ">", v_binary(b, I64, "-", w->from, start), zero),
			bound_var(b, *body, "end", "<", v_binary(b, I64, "-", w->to, start), digit), 1);
	}
	return ix_add(b->ix, ix_scale(b->ix, b->ixvar[q->id], DIM(w->digit)), b->ixvar[r->id]);
}

enum { SHORT = 8 };                    /* trips of an inner loop that is not worth its start */

/* Writes a run of an operand that is not strided, of n terms from `from` on: m[(i - begin of the cut) * step_i +
 * (k - from) * step_k]. The inner loop is along the shorter step, unless it would be split into short ones. */
static void
pack_run(Product *d, Block *body, int i, const Ix *from, const Val *n, Mem *m, int64_t step_i, int64_t step_k)
{
	Build *b = d->b;
	const Cut *c = i == d->left ? &d->rows : &d->cols;
	const Val *first = v_ix(b, c->at), *start = v_ix(b, from), *at[2];
	uint64_t used = d->used;
	Walk w[2] = {
		{&c->axis, loop_var(d, c->axis.extent), first, v_binary(b, I64, "+", first, c->n), c->step, step_i, 0},
		{&d->sum, loop_var(d, d->sum.extent), start, v_binary(b, I64, "+", start, n), RUN, step_k, 0},
	};
	const Ix *x[2];
	int in = step_i > step_k;

	if (c->most == 1)
		w[0].unit = 0;
	if (dim_max(b->g, d->sum.extent) <= RUN)
		w[1].unit = 0;
	find_digits(d, i, w);
	if (w[in].digit && w[in].digit < SHORT && (!w[!in].digit || w[!in].digit > w[in].digit))
		in = !in;
	x[!in] = open_walk(d, &body, &w[!in], false);
	x[in] = open_walk(d, &body, &w[in], true);
	for (int k = 0; k < 2; k++)
		at[k] = v_binary(b, I64, "-", v_ix(b, x[k]), w[k].from);
	s_store(b, body, m, place(b, at[0], step_i, at[1], step_k), packed_element(d, i, w, x));
	d->used = used;
}

/* ---- sums ---- */

typedef struct Tile { Mem *mem; const Ix *at; Dim row; } Tile;   /* where a block's elements go */

/* tile = or += the sum of n terms from k on */
static void
multiply(Product *d, Block *body, const Tile *t, const Ix *k, const Val *n, const Val *add)
{
	Build *b = d->b;
	int l = d->left, r = d->right;
	const Val *zero = v_int(b, 0), *x[12] = {d->rows.n, d->cols.n, n};
	const int64_t width = d->cols.step;

	if (d->of[l].strided) {
		x[3] = v_addr(b, d->of[l].mem, v_ix(b, address(d, l, k)));
		x[4] = v_dim(b, d->rows.axis.stride[l]);
		x[5] = v_dim(b, d->sum.stride[l]);
	} else {
		x[3] = v_addr(b, d->pack[l], zero);
		x[4] = v_int(b, RUN);
		x[5] = v_int(b, 1);
	}
	if (d->of[r].strided) {
		x[6] = v_addr(b, d->of[r].mem, v_ix(b, address(d, r, k)));
		x[7] = v_dim(b, d->sum.stride[r]);
		x[8] = v_dim(b, d->cols.axis.stride[r]);
	} else {
		x[6] = v_addr(b, d->pack[r], zero);
		x[7] = v_int(b, width);
		x[8] = v_int(b, 1);
	}
	x[9] = add;
	x[10] = v_addr(b, t->mem, v_ix(b, t->at));
	x[11] = v_dim(b, t->row);
	t->mem->write = true;
	s_call(b, body, v_call(b, d->n->type.dt, arena_fmt(b->arena, "rt_dot_%s", dtype_name(d->n->type.dt)), x, 12));
}

/* terms from `from` to `to`: at once, or run by run when an operand has to be packed */
static void
sum_runs(Product *d, Block *body, const Tile *t, const Ix *from, const Val *to)
{
	Build *b = d->b;
	bool one = dim_max(b->g, d->sum.extent) <= RUN;
	const Val *begin = v_ix(b, from), *n = v_binary(b, I64, "-", to, begin), *add = v_lit(b, BOOL, false);
	uint64_t used = d->used;

	if (!(d->of[0].strided && d->of[1].strided)) {
		if (!one) {
			const Var *k = loop_var(d, d->sum.extent);
			open_loop(d, &body, k, begin, to, RUN);
			from = b->ixvar[k->id];
			n = called(v_min(b, v_binary(b, I64, "-", to, v_var(b, k)), v_int(b, RUN)), "terms");
			add = v_binary(b, BOOL, ">", v_var(b, k), begin);
		}
		for (int i = 0; i < 2; i++)
			if (!d->of[i].strided)
				pack_run(d, body, i, from, n, d->pack[i], i == d->left ? RUN : 1, i == d->left ? 1 : d->cols.step);
	}
	multiply(d, body, t, from, n, add);
	d->used = used;
}

static Tile
new_tile(Product *d, Block *body, const char *name, bool zeroed)
{
	Build *b = d->b;
	Mem *m = build_array(b, name, d->n->type.dt, d->rows.step * d->cols.step);

	m->aligned = true;
	s_array(b, body, m, zeroed);
	return (Tile){m, ix_int(b->ix, 0), DIM(d->cols.step)};
}

/* sums of RUN^(level + 1) terms are made apart and added in order */
static void
sum_levels(Product *d, Block *body, const Tile *t, int level, const Ix *from, const Val *to)
{
	Build *b = d->b;
	uint64_t used = d->used;
	int64_t step = RUN;
	const Val *end, *at;
	const Var *k, *i, *j;
	Tile part;

	if (!level) {
		sum_runs(d, body, t, from, to);
		return;
	}
	for (int l = 0; l < level; l++)
		step *= RUN;
	k = loop_var(d, d->sum.extent);
	open_loop(d, &body, k, v_ix(b, from), to, step);
	part = new_tile(d, body, "part", level > 1);
	end = called(v_min(b, v_binary(b, I64, "+", v_var(b, k), v_int(b, step)), to), "end");
	sum_levels(d, body, &part, level - 1, b->ixvar[k->id], end);
	i = loop_var(d, DIM(d->rows.step));
	j = loop_var(d, DIM(d->cols.step));
	open_loop(d, &body, i, v_int(b, 0), d->rows.n, 1);
	open_loop(d, &body, j, v_int(b, 0), d->cols.n, 1);
	at = v_ix(b, ix_add(b->ix, ix_scale(b->ix, b->ixvar[i->id], t->row), b->ixvar[j->id]));
	s_acc(b, body, t->mem, at, R_SUM, v_load(b, part.mem, at));
	d->used = used;
}

/* ---- what reads the block ---- */

static void
store_roots(Product *d, Block *body, const Tile *t, Node *const *root, int64_t nroot)
{
	Build *b = d->b;
	IxCtx *c = b->ix;
	uint64_t used = d->used;
	const Var *i = loop_var(d, d->rows.axis.extent), *j = loop_var(d, d->cols.axis.extent);
	bool across = dim_one(d->rows.axis.stride[OUT]);       /* rows are the neighbours */
	const Val *row = v_ix(b, d->rows.at), *col = v_ix(b, d->cols.at);
	const Val *row_end = v_binary(b, I64, "+", row, d->rows.n), *col_end = v_binary(b, I64, "+", col, d->cols.n);
	const Ix *row_in, *col_in, *x;

	open_loop(d, &body, across ? j : i, across ? col : row, across ? col_end : row_end, 1);
	open_loop(d, &body, across ? i : j, across ? row : col, across ? row_end : col_end, 1);
	row_in = ix_sub(c, b->ixvar[i->id], d->rows.at);
	col_in = ix_sub(c, b->ixvar[j->id], d->cols.at);
	x = ix_add(c, address(d, OUT, NULL), ix_add(c, ix_scale(c, row_in, d->rows.axis.stride[OUT]),
		ix_scale(c, col_in, d->cols.axis.stride[OUT])));
	b->tiled = d->n;
	b->tile_at = x;
	b->tile_value = v_load(b, t->mem, place(b, v_binary(b, I64, "-", v_var(b, i), row), t->row.k,
		v_binary(b, I64, "-", v_var(b, j), col), 1));
	for (int64_t r = 0; r < nroot; r++) {
		const Ix *o[MAXRANK];
		unravel(c, &root[r]->type, x, o);
		s_store(b, body, node_mem(b, b->storage[root[r]->id]), v_ix(b, x), element(b, root[r], o));
	}
	d->used = used;
}

/* ---- kernels ---- */

/* integers, and what sums nothing: an element at a time */
static void
plain_loops(Product *d, Node *const *root, int64_t nroot)
{
	Build *b = d->b;
	Block *body = &b->top;
	const Ix *x = ix_int(b->ix, 0), *o[MAXRANK];

	for (int k = 0; k < d->n->type.rank; k++) {
		Dim size = d->n->type.dim[k];
		const Var *v;
		Stmt *f;
		if (dim_one(size))
			continue;
		v = loop_var(d, size);
		f = open_loop(d, &body, v, v_int(b, 0), v_dim(b, size), 1);
		d->first = d->first ? d->first : f;
		x = ix_add(b->ix, ix_scale(b->ix, x, size), b->ixvar[v->id]);
	}
	for (int64_t r = 0; r < nroot; r++) {
		unravel(b->ix, &root[r]->type, x, o);
		s_store(b, body, node_mem(b, b->storage[root[r]->id]), v_ix(b, x), element(b, root[r], o));
	}
}

static void
block_loops(Product *d, Node *const *root, int64_t nroot)
{
	Build *b = d->b;
	Block *body = &b->top;
	DType dt = d->n->type.dt;
	Tile t;

	d->direct = nroot == 1 && root[0] == d->n && !d->level
		&& (!d->cols.axis.n || dim_one(d->cols.axis.stride[OUT]));
	choose_blocks(d);
	for (int i = 0; i < 2; i++)
		if (d->of[i].strided)
			d->of[i].mem = node_mem(b, d->of[i].base), d->of[i].mem->read = true;
	open_blocks(d, &body);
	for (int i = 0; i < 2; i++)
		if (!d->of[i].strided) {
			const Cut *c = i == d->left ? &d->rows : &d->cols;
			d->pack[i] = build_array(b, i == d->left ? "rows_run" : "cols_run", dt, c->step * RUN);
			d->pack[i]->aligned = true;
			/* gcc warns of arrays that loops of unknown length fill */
			s_array(b, body, d->pack[i], c->axis.extent.sym || d->sum.extent.sym);
		}
	if (d->direct)
		t = (Tile){node_mem(b, b->storage[d->n->id]), address(d, OUT, NULL), d->rows.axis.stride[OUT]};
	else
		t = new_tile(d, body, "tile", d->level > 0);
	sum_levels(d, body, &t, d->level, ix_int(b->ix, 0), v_dim(b, d->sum.extent));
	if (!d->direct)
		store_roots(d, body, &t, root, nroot);
}

void
dot_kernel(Build *b, Node *n, Node *const *root, int64_t nroot)
{
	Product *d = NEW(b->arena, 1, Product);

	d->b = b;
	d->n = n;
	d->spec = dot_spec(n);
	d->work = node_work(n);
	analyse(d);
	if (dtype_float(n->type.dt) && d->sum.n && d->sum.extent.k)
		block_loops(d, root, nroot);
	else
		plain_loops(d, root, nroot);
	b->tiled = NULL;
	if (d->first && d->work >= PARALLEL_WORK)
		d->first->parallel = b->checks ? PARALLEL_CHECK : PARALLEL;
}

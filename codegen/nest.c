/* nest: the loops of a kernel.
 *
 * A fused kernel begins with one loop over all its elements, or one over rows and
 * one over the elements of a row. Values are built; where an index came out with
 * a quotient or remainder, the loop is split by its divisor and all is built
 * anew: the loops are the common refinement of the dimensions of all values. */
#include "gen.h"

#include <string.h>

enum {
	PARALLEL_WORK = 50000,         /* operations below which a parallel region costs more than it saves */
	ENOUGH_SHARES = 64,            /* iterations that are shared out evenly among as many threads as people have */
	MAXNEST = 3,                   /* rt/parallel.h has no more */
	MAXTRY = 24, MAXCOLUMNS = 64, MAXPACKS = 64,
	MAXROW = 16 << 10              /* bytes of a row that is kept for packing */
};

static Stmt *
loop_within(const Stmt *s)
{
	for (int64_t i = 0; i < s->body.n; i++)
		if (s->body.s[i]->kind == S_FOR)
			return s->body.s[i];
	return NULL;
}

/* The fewest of n loops from s inwards that have enough iterations; the innermost runs as a whole. */
static int
shared_loops(const Build *b, const Stmt *s, int n)
{
	int64_t shares = dim_hint(b->g, s->var->extent);
	int k = 1;

	while (k < MIN(n, MAXNEST) && shares < ENOUGH_SHARES && (s = loop_within(s)) && loop_within(s)) {
		shares = mul_sat(shares, dim_hint(b->g, s->var->extent));
		k++;
	}
	return k;
}

bool
worth_sharing(int64_t work)
{
	return work >= PARALLEL_WORK;
}

void
set_parallel(const Build *b, Stmt *outer, int n, int64_t work)
{
	if (!outer || !worth_sharing(work))
		return;
	outer->parallel = b->checks ? PARALLEL_CHECK : PARALLEL;
	outer->nest = shared_loops(b, outer, n);
}

static int
loops_of(const Axes *x)
{
	int n = 0;

	for (int i = 0; i < x->n; i++)
		n += !dim_one(x->extent[i]);
	return n;
}

Stmt *
open_loops(Build *b, Axes *x, uint64_t *used, const Ix **linear, Block **body)
{
	Stmt *outer = NULL;

	*linear = ix_int(b->ix, 0);
	for (int i = 0; i < x->n; i++) {
		Stmt *f;
		x->var[i] = NULL;
		*linear = ix_scale(b->ix, *linear, x->extent[i]);
		if (dim_one(x->extent[i]))
			continue;
		x->var[i] = build_loop(b, x->extent[i], *used);
		*used |= (uint64_t)1 << x->var[i]->id;
		*linear = ix_add(b->ix, *linear, b->ixvar[x->var[i]->id]);
		f = s_loop(b, *body, x->var[i]);
		*body = &f->body;
		outer = outer ? outer : f;
	}
	return outer;
}

/* what is written: the memory of n, or of a view of it */
static Mem *
root_mem(Build *b, const Node *n)
{
	return node_mem(b, b->storage[n->id]);
}

static void
put_root(Build *b, Block *body, Node *n, const Ix *linear)
{
	const Ix *o[MAXRANK];

	unravel(b->ix, &n->type, linear, o);
	s_store(b, body, root_mem(b, n), v_ix(b, linear), element(b, n, o));
}

/* ---- plain loops for one node ---- */

static Axes
axes_of(const Type *t)
{
	Axes x = {.n = t->rank};

	memcpy(x.extent, t->dim, (size_t)t->rank * sizeof *t->dim);
	return x;
}

static const Ix **
index_of(Build *b, const Axes *x)
{
	const Ix **o = NEW(b->arena, MAX(x->n, 1), const Ix *);

	for (int i = 0; i < x->n; i++)
		o[i] = x->var[i] ? b->ixvar[x->var[i]->id] : ix_int(b->ix, 0);
	return o;
}

/* the input copied, then src combined with it element by element in the order of index */
static void
scatter_loops(Build *b, Node *n)
{
	Axes out = axes_of(&n->type), in = axes_of(&n->in[1]->type);
	const Ix *linear, **o, *at[MAXRANK + 1];
	Block *body = &b->top;
	Mem *m = root_mem(b, n);
	uint64_t used = 0;
	Stmt *outer = open_loops(b, &out, &used, &linear, &body);

	s_store(b, body, m, v_ix(b, linear), element(b, n->in[0], index_of(b, &out)));
	set_parallel(b, outer, loops_of(&out), type_hint_count(b->g, &n->type));
	used = 0;
	body = &b->top;
	open_loops(b, &in, &used, &linear, &body);
	o = index_of(b, &in);
	for (int d = 0; d < n->type.rank; d++)
		at[d] = o[d];
	at[index_dim(n)] = checked_index(b, n, o);
	if (n->op->combine == R_NONE)
		s_store(b, body, m, v_ix(b, ix_linear(b->ix, &n->type, at)), element(b, n->in[2], o));
	else
		s_acc(b, body, m, v_ix(b, ix_linear(b->ix, &n->type, at)), n->op->combine, element(b, n->in[2], o));
}

static void
node_loops(Build *b, Node *n)
{
	Axes x = axes_of(&n->type);
	Block *body = &b->top;
	const Ix *linear;
	uint64_t used = 0;
	Stmt *outer = open_loops(b, &x, &used, &linear, &body);

	s_store(b, body, root_mem(b, n), v_ix(b, linear), element(b, n, index_of(b, &x)));
	set_parallel(b, outer, loops_of(&x), node_work(n));
}

static Axes
one_axis(Dim extent)
{
	return (Axes){.n = 1, .extent = {extent}};
}

static void
ordered_loops(Build *b, Node *n)
{
	Dim outer, size, inner;
	Axes rows, behind;

	ordered_sizes(n, &outer, &size, &inner);
	rows = one_axis(outer);
	behind = one_axis(inner);
	ordered_kernel(b, n, &n, 1, &rows, &behind);
}

Build *
element_kernel(Arena *a, Graph *g, const Kernels *ks, Node **storage, Node *n)
{
	Build *b = build_new(a, g, ks, storage);

	b->inside[n->id] = true;
	if (n->op->flags & SCATTERS)
		scatter_loops(b, n);
	else if (n->op->kind == ORDERED)
		ordered_loops(b, n);
	else
		node_loops(b, n);
	schedule(b);
	return b;
}

/* ---- groups ---- */

/* splits the axis whose variable is `loop` by d; false: it cannot be */
static bool
split_axis(Axes *x, int loop, Dim d)
{
	for (int i = 0; i < x->n; i++) {
		Dim q;
		if (!x->var[i] || x->var[i]->id != loop)
			continue;
		if (x->n == MAXAXIS || !dim_div(x->extent[i], d, &q) || dim_one(q) || dim_one(d))
			return false;
		memmove(&x->extent[i + 1], &x->extent[i], (size_t)(x->n - i) * sizeof *x->extent);
		x->extent[i] = q;
		x->extent[i + 1] = d;
		x->n++;
		return true;
	}
	return false;
}

static bool
is_column_root(const Group *k, const Node *n)
{
	return k->columns && n->op->kind == REDUCE && reduce_form(n) == REDUCE_COLUMNS
		&& dim_eq(type_count(&n->in[0]->type), k->count);
}

/* rows and columns may be equally many */
static bool
is_row_root(const Group *k, const Node *n)
{
	return k->has_rows && n->op->kind != PACK && !is_column_root(k, n) && !dim_eq(type_count(&n->type), k->count)
		&& dim_eq(type_count(&n->type), k->rows);
}

static bool
is_pack_root(const Group *k, const Node *n)
{
	return k->has_rows && n->op->kind == PACK;
}

/* Booleans that are packed are far apart in a row, and a loop over its elements computes them in order. Where there
 * is such a loop in any case, it leaves them in an array for the loop over bytes that follows. */
typedef struct Packs {
	int n;
	Node *root[MAXPACKS];
	Mem *row[MAXPACKS];            /* a row's booleans; NULL: computed, or loaded, where they are packed */
} Packs;

static void
find_packs(Build *b, const Group *k, bool elements, Block *body, Packs *p)
{
	p->n = 0;
	for (int64_t i = 0; i < k->nroot; i++) {
		Node *n = k->root[i];
		const Dim *m = &n->type.dim[n->type.rank - 1];
		if (!is_pack_root(k, n))
			continue;
		if (p->n == MAXPACKS)
			bug("a kernel that packs more than %d values", MAXPACKS);
		p->row[p->n] = NULL;
		if (elements && b->inside[n->in[0]->id] && !m->sym && m->k > 1 && m->k <= MAXROW / 8) {
			p->row[p->n] = build_array(b, build_name(b, arena_fmt(b->arena, "%s_row", node_name(b, n->in[0]))), BOOL,
				8 * m->k);
			s_array(b, body, p->row[p->n], true);
		}
		p->root[p->n++] = n;
	}
}

/* a byte of the booleans that lie in an array */
static const Val *
packed_row(Build *b, const Node *n, Mem *row, const Ix *byte)
{
	const Val *bit[8];

	for (int i = 0; i < LEN(bit); i++)
		bit[i] = v_load(b, row, v_ix(b, ix_add(b->ix, byte, ix_int(b->ix, i * n->type.dim[n->type.rank - 1].k))));
	return v_call(b, n->type.dt, "rt_byte", bit, LEN(bit));
}

/* returns the loop, or NULL */
static Stmt *
pack_loops(Build *b, Block *body, const Packs *p, Axes *bytes, const Ix *row, uint64_t used)
{
	const Ix *byte;
	Stmt *outer = open_loops(b, bytes, &used, &byte, &body);

	for (int i = 0; i < p->n; i++) {
		Node *n = p->root[i];
		const Ix *linear = ix_add(b->ix, ix_scale(b->ix, row, n->type.dim[n->type.rank - 1]), byte);
		if (p->row[i])
			s_store(b, body, root_mem(b, n), v_ix(b, linear), packed_row(b, n, p->row[i], byte));
		else
			put_root(b, body, n, linear);
	}
	return outer;
}

/* Rows in chunks, so that reductions over rows accumulate apart from each other: one row of partial results
 * for each chunk, combined at the end. One chunk needs none: results accumulate where they belong. */
typedef struct Columns {
	int n;
	Node *root[MAXCOLUMNS];
	Mem *part[MAXCOLUMNS];
	const Var *chunk;              /* NULL: one chunk */
	Dim width;
} Columns;

static void
find_columns(Build *b, const Group *k, Columns *c)
{
	int64_t rows = dim_max(b->g, k->rows), chunks = (rows + CHUNK - 1) / CHUNK, elements;

	c->n = 0;
	c->chunk = NULL;
	if (!dim_div(k->count, k->rows, &c->width))
		bug("rows that do not divide the elements");
	for (int64_t i = 0; i < k->nroot; i++)
		if (is_column_root(k, k->root[i])) {
			if (c->n == MAXCOLUMNS)
				bug("a kernel with more than %d reductions over rows", MAXCOLUMNS);
			c->root[c->n++] = k->root[i];
		}
	if (c->n && chunks > 1) {
		const Val *all = v_binary(b, I64, "+", v_dim(b, k->rows), v_int(b, CHUNK - 1));
		c->chunk = build_counter(b, "chunk", v_binary(b, I64, "/", all, v_int(b, CHUNK)), chunks);
	}
	for (int i = 0; i < c->n; i++) {
		if (!mul_ok(chunks, dim_max(b->g, c->width), &elements))
			bug("partial results overflow");
		c->part[i] = c->chunk ? build_scratch(b, arena_fmt(b->arena, "%s_part", node_name(b, c->root[i])),
			c->root[i]->type.dt, elements) : root_mem(b, c->root[i]);
		if (c->chunk)
			s_array(b, &b->top, c->part[i], false);
	}
}

/* place of column `linear` in the partial results of the current chunk */
static const Val *
part_at(Build *b, const Columns *c, const Ix *linear)
{
	const Val *at = v_ix(b, linear);

	if (!c->chunk)
		return at;
	return v_binary(b, I64, "+", v_binary(b, I64, "*", v_var(b, c->chunk), v_dim(b, c->width)), at);
}

/* opens the loop over chunks, clears the partial results, and opens the loop over a chunk's rows */
static Stmt *
open_chunks(Build *b, const Columns *c, Axes inner, const Var *row, uint64_t used, Block **body)
{
	Block *clear;
	const Ix *linear;
	Stmt *outer = NULL, *f;
	const Val *begin = v_int(b, 0), *end = v_dim(b, row->extent);

	if (c->chunk) {
		outer = s_loop(b, *body, c->chunk);
		*body = &outer->body;
		begin = v_binary(b, I64, "*", v_var(b, c->chunk), v_int(b, CHUNK));
		const Var *last = build_var(b, build_name(b, "end"), I64);
		s_let(b, *body, last, v_min(b, v_binary(b, I64, "+", begin, v_int(b, CHUNK)), end));
		end = v_var(b, last);
	}
	clear = *body;
	open_loops(b, &inner, &used, &linear, &clear);
	for (int i = 0; i < c->n; i++)
		s_store(b, clear, c->part[i], part_at(b, c, linear),
			v_identity(b, c->root[i]->op->combine, c->root[i]->type.dt));
	f = s_for(b, *body, row, begin, end, 1);
	*body = &f->body;
	return outer;
}

static void
accumulate(Build *b, Block *body, const Columns *c, const Ix *column, const Ix *linear)
{
	for (int i = 0; i < c->n; i++) {
		const Node *n = c->root[i], *x = n->in[0];
		const Ix *o[MAXRANK];
		unravel(b->ix, &x->type, linear, o);
		s_acc(b, body, c->part[i], part_at(b, c, column), n->op->combine,
			convert(b, n->type.dt, element(b, x, o)));
	}
}

static void
combine_chunks(Build *b, const Columns *c, Axes inner)
{
	Block *body = &b->top;
	const Ix *linear;
	uint64_t used = 0;
	Stmt *outer = open_loops(b, &inner, &used, &linear, &body);

	for (int i = 0; i < c->n; i++) {
		Node *n = c->root[i];
		const Val *part = v_load(b, c->part[i], part_at(b, c, linear));
		const Val *all = v_reduce(b, n->op->combine, BY_BLOCKS, c->chunk, part);
		((Val *)all)->name = node_name(b, n);
		s_store(b, body, root_mem(b, n), v_ix(b, linear), all);
	}
	set_parallel(b, outer, loops_of(&inner), c->n * c->chunk->most * dim_hint(b->g, c->width));
}

static Dim
row_width(const Axes *inner)
{
	Dim width = DIM(1);

	for (int i = 0; i < inner->n; i++)
		if (!dim_mul(width, inner->extent[i], &width))
			bug("rows of an overflowing width");
	return width;
}

/* loops that leave the row's elements of what is kept in arrays */
static void
keep_loops(Build *b, const Group *k, Block *body, const Axes *inner, const Ix *row, uint64_t used)
{
	Dim width = row_width(inner);
	Node **v;
	int64_t n = kept_values(b->arena, b->g, k, width, &v);

	b->row_begin = ix_scale(b->ix, row, width);
	for (int64_t i = 0; i < n; i++) {
		Mem *m = build_array(b, build_name(b, arena_fmt(b->arena, "%s_row", node_name(b, v[i]))), v[i]->type.dt,
			dim_max(b->g, width));
		const Ix *column, *o[MAXRANK];
		Axes x = *inner;
		Block *in = body;
		uint64_t u = used;
		m->within = used;
		m->awaited = true;
		s_array(b, body, m, width.sym != 0);
		open_loops(b, &x, &u, &column, &in);
		unravel(b->ix, &v[i]->type, ix_add(b->ix, b->row_begin, column), o);
		s_store(b, in, m, v_ix(b, column), element(b, v[i], o));
		b->kept[v[i]->id] = m;
	}
}

/* stores of all roots in loops over rows and, within a row, over its elements */
static void
row_loops(Build *b, const Group *k, Axes *rows, Axes *inner, Axes *bytes)
{
	Columns c = {.width = DIM(1)};
	Packs packs;
	const Ix *row, *column, *linear;
	Block *body = &b->top, *row_body;
	uint64_t used = 0, used_inner;
	Stmt *outer, *f;
	int nest = 1;
	bool any = false;

	if (k->columns)
		find_columns(b, k, &c);
	if (c.n) {
		const Var *r = build_loop(b, k->rows, 0);
		used = (uint64_t)1 << r->id;
		row = b->ixvar[r->id];
		outer = open_chunks(b, &c, *inner, r, used, &body);
	} else {
		outer = open_loops(b, rows, &used, &row, &body);
		nest = outer ? loops_of(rows) : loops_of(inner);
	}
	keep_loops(b, k, body, inner, row, used);
	for (int64_t i = 0; i < k->nroot; i++)
		if (is_row_root(k, k->root[i]))
			put_root(b, body, k->root[i], row);
		else
			any |= !is_pack_root(k, k->root[i]);
	find_packs(b, k, any, body, &packs);
	row_body = body;
	if (any) {
		used_inner = used;
		f = open_loops(b, inner, &used_inner, &column, &body);
		outer = outer || c.n ? outer : f;
		linear = ix_add(b->ix, b->row_begin, column);
		for (int64_t i = 0; i < k->nroot; i++)
			if (!is_row_root(k, k->root[i]) && !is_column_root(k, k->root[i]) && !is_pack_root(k, k->root[i]))
				put_root(b, body, k->root[i], linear);
		for (int i = 0; i < packs.n; i++)
			if (packs.row[i]) {
				Node *x = packs.root[i]->in[0];
				const Ix *o[MAXRANK];
				unravel(b->ix, &x->type, linear, o);
				s_store(b, body, packs.row[i], v_ix(b, column), element(b, x, o));
			}
		accumulate(b, body, &c, column, linear);
	}
	if (packs.n) {
		f = pack_loops(b, row_body, &packs, bytes, row, used);
		outer = outer || c.n ? outer : f;
	}
	/* moving an element counts as one operation, too */
	set_parallel(b, outer, nest, MAX(group_work(k), dim_hint(b->g, k->count)));
	if (c.chunk)
		combine_chunks(b, &c, *inner);
}

/* a part of a kernel: its loops, which are refined as indices turn out */
typedef struct Part {
	const Group *k;
	Axes rows, inner, bytes;       /* bytes: of what is packed of a row */
} Part;

static Part
part_new(const Group *k)
{
	Part p = {.k = k, .rows = one_axis(DIM(1)), .inner = one_axis(k->count)};
	Dim size;

	if (k->dot && k->dot->op->kind == ORDERED)
		ordered_sizes(k->dot, &p.rows.extent[0], &size, &p.inner.extent[0]);
	else if (k->has_rows && k->form != REDUCE_MIXED) {
		p.rows.extent[0] = k->rows;
		if (k->rows.k && !dim_div(k->count, k->rows, &p.inner.extent[0]))
			bug("rows that do not divide the elements");
	}
	p.bytes.n = 1;
	for (int64_t i = 0; i < k->nroot; i++)
		if (is_pack_root(k, k->root[i]))
			p.bytes.extent[0] = k->root[i]->type.dim[k->root[i]->type.rank - 1];
	return p;
}

static void
part_loops(Build *b, Part *p)
{
	const Group *k = p->k;

	memset(b->inside, 0, (size_t)b->g->nnode * sizeof *b->inside);
	memset(b->kept, 0, (size_t)b->g->nnode * sizeof *b->kept);
	b->values = map_new(b->arena);
	for (int64_t i = 0; i < k->nmember; i++)
		b->inside[k->node[i]->id] = true;
	if (k->scatter)
		scatter_loops(b, k->root[0]);
	else if (k->dot && k->dot->op->kind == ORDERED)
		ordered_kernel(b, k->dot, k->root, k->nroot, &p->rows, &p->inner);
	else if (k->dot)
		dot_kernel(b, k->dot, k->root, k->nroot);
	else if (k->form == REDUCE_MIXED || k->form == REDUCE_ALL)
		node_loops(b, k->root[0]);
	else
		row_loops(b, k, &p->rows, &p->inner, &p->bytes);
}

/* splits some loop by a divisor that came up */
static bool
refine(const Build *b, Part *p, int n)
{
	for (int d = 0; d < b->ndivisor; d++)
		for (int i = 0; i < n; i++)
			if (split_axis(&p[i].rows, b->divisor[d].loop, b->divisor[d].d)
				|| split_axis(&p[i].inner, b->divisor[d].loop, b->divisor[d].d)
				|| split_axis(&p[i].bytes, b->divisor[d].loop, b->divisor[d].d))
				return true;
	return false;
}

Build *
group_kernel(Arena *a, Graph *g, const Kernels *ks, Node **storage, const Group *k)
{
	Part *p = NULL;
	int64_t n = 0, cap = 0;
	Build *b;

	for (; k; k = k->then)
		PUSH(a, p, n, cap, part_new(k));
	for (int i = 0; i < MAXTRY; i++) {
		b = build_new(a, g, ks, storage);
		for (int64_t j = 0; j < n; j++) {
			int64_t first = b->top.n;
			part_loops(b, &p[j]);
			if (first < b->top.n)
				b->top.s[first]->part = (int)j + 1;
		}
		if (!refine(b, p, (int)n))
			break;
	}
	schedule(b);
	return b;
}

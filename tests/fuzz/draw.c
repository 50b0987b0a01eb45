/* draw: random graphs from the op table.
 *
 * An op, operands and attributes are drawn; what shape() refuses is drawn again.
 * Sizes come from a small pool of the graph, so that they often agree; what would
 * rarely be met by chance (a permutation, a reshape, labels of a contraction, an
 * index of the right rank) is drawn by the kind and the name of the attribute or
 * operand, never by op. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

enum { TRIES = 600, MAXLIST = 24 };

typedef struct Draw {
	Rng rng;
	Arena *arena;
	Graph *g;
	Dim pool[6];                   /* sizes of this graph */
	int npool;
	int names;
} Draw;

static int
below(Draw *w, int n)
{
	return (int)rng_below(&w->rng, n);
}

/* true once in n times */
static bool
one_in(Draw *w, int n)
{
	return below(w, n) == 0;
}

static const char *
fresh(Draw *w, const char *stem)
{
	return graph_str(w->g, arena_fmt(w->arena, "%s%d", stem, w->names++));
}

/* ---- sizes and types ---- */

static void
draw_symbols(Draw *w)
{
	static const char *const name[] = {"B", "T"};

	w->g->nsym = below(w, 3);
	for (int i = 0; i < w->g->nsym; i++) {
		Sym *s = &w->g->sym[i];
		s->name = graph_str(w->g, name[i]);
		s->min = 1 + below(w, 2);
		s->max = s->min + below(w, 6);
		s->hint = s->max;
	}
}

static void
draw_pool(Draw *w)
{
	static const int64_t small[] = {1, 2, 3, 4, 5, 7, 8}, large[] = {17, 33, 64, 130, 300};

	w->npool = 3 + below(w, 3);
	for (int i = 0; i < w->npool; i++) {
		if (i < w->g->nsym)
			w->pool[i] = (Dim){1, (uint32_t)1 << 4 * i};
		else
			w->pool[i] = DIM(small[below(w, LEN(small))]);
	}
	if (one_in(w, 3))
		w->pool[w->npool - 1] = DIM(large[below(w, LEN(large))]);
	if (one_in(w, 40))
		w->pool[w->npool - 1] = DIM(0);
}

static Dim
draw_dim(Draw *w)
{
	Dim d = w->pool[below(w, w->npool)], e;

	if (one_in(w, 10))
		return DIM(1);
	if (one_in(w, 12) && dim_mul(d, w->pool[below(w, w->npool)], &e) && dim_max(w->g, e) <= 400)
		return e;
	return d;
}

static DType
draw_dtype(Draw *w)
{
	static const DType any[] = {F32, F32, F32, F32, F32, F32, F64, F64, I64, I32, I16, I8, U8, U64, BOOL, BOOL};

	return any[below(w, LEN(any))];
}

static int64_t
most_elements(const Graph *g, const Type *t)
{
	int64_t n = 1;

	for (int i = 0; i < t->rank; i++)
		if (!mul_ok(n, dim_max(g, t->dim[i]), &n))
			return INT64_MAX;
	return n;
}

static Type
draw_type(Draw *w, DType dt)
{
	static const int ranks[] = {0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 3, 4};
	Type t = {.dt = dt, .rank = ranks[below(w, LEN(ranks))]};

	for (int i = 0; i < t.rank; i++)
		t.dim[i] = draw_dim(w);
	while (most_elements(w->g, &t) > 4000)
		t.rank--;
	return t;
}

/* ---- leaves ---- */

static Node *
draw_leaf(Draw *w, Type t)
{
	Leaf l = {.role = INPUT, .trainable = true};
	int k = below(w, 10);

	if (k < 4 && dtype_float(t.dt))
		l.role = PARAM;
	else if (k == 9)
		l.role = BUFFER;
	l.name = fresh(w, l.role == PARAM ? "p" : l.role == BUFFER ? "s" : "x");
	return node_leaf(w->g, &l, t);
}

static Node *
draw_constant(Draw *w, Type t)
{
	EvalCtx c = {.arena = w->arena, .g = w->g};
	Blob *b = NEW(w->arena, 1, Blob);
	Array x;

	x = tensor_to_array(w->arena, draw_tensor(&c, &w->rng, &t), "");
	b->data = x.data;
	b->nbytes = x.nbytes;
	return node_constant(w->g, t, b);
}

static bool
type_static(const Type *t)
{
	for (int i = 0; i < t->rank; i++)
		if (t->dim[i].sym || !t->dim[i].k)
			return false;
	return true;
}

/* a source of values besides the ops: an input, or rarely a constant */
static Node *
draw_value(Draw *w, Type t)
{
	if (one_in(w, 6) && type_static(&t))
		return draw_constant(w, t);
	return draw_leaf(w, t);
}

/* ---- operands ---- */

static bool
word_in(const char *words, int k, const char *list)
{
	char word[64];
	int n = 0;

	for (; words && k > 0; k--)
		words = strchr(words, ' ') ? strchr(words, ' ') + 1 : NULL;
	if (!words)
		return false;
	while (words[n] && words[n] != ' ' && n < 62)
		n++;
	snprintf(word, sizeof word, " %.*s ", n, words);
	return strstr(list, word) != NULL;
}

/* a type near t: a size replaced, a dimension gone or new */
static Type
near_type(Draw *w, Type t, DType dt)
{
	t.dt = dt;
	switch (below(w, 4)) {
	case 0:
		if (t.rank)
			t.dim[below(w, t.rank)] = draw_dim(w);
		break;
	case 1: {
		int at = below(w, t.rank + 1);
		if (at < t.rank)
			memmove(&t.dim[at], &t.dim[at + 1], (size_t)(--t.rank - at) * sizeof *t.dim);
		break;
	}
	case 2:
		if (t.rank)
			t.dim[below(w, t.rank)] = DIM(1);
		break;
	default:
		break;
	}
	return t;
}

static Node *
any_node(Draw *w)
{
	int n = (int)w->g->nnode, k = below(w, n);
	Node *x = w->g->node[one_in(w, 2) ? MAX(k, below(w, n)) : k];   /* rather the later ones */

	return node_nres(x) > 1 ? Item(x, below(w, node_nres(x))) : x;
}

/* operand k of op, whose operands before it are there */
static Node *
draw_operand(Draw *w, const Op *op, Node *const *in, int k)
{
	static const char indices[] = " index indices target label labels ", keys[] = " key ";
	static const DType ints[] = {I32, I64, I64, U8};
	DType dt = k ? in[k - 1 - (k > 1 && one_in(w, 2))]->type.dt : F32;
	bool select = op->flags & SELECT;

	if (select)
		dt = k > 1 ? in[1]->type.dt : k ? draw_dtype(w) : BOOL;
	if (word_in(op->operands, k, keys) && !one_in(w, 8)) {
		for (int64_t i = 0; i < w->g->nleaf; i++)
			if (w->g->leaf[i]->node->type.dt == U64 && !w->g->leaf[i]->node->type.rank)
				return w->g->leaf[i]->node;
		return draw_leaf(w, type_scalar(U64));
	}
	if (word_in(op->operands, k, indices) && !one_in(w, 3))
		return draw_leaf(w, k ? near_type(w, in[0]->type, ints[below(w, LEN(ints))]) : draw_type(w, I64));
	if (k && one_in(w, 5)) {
		Type t = near_type(w, in[0]->type, dt);
		return most_elements(w->g, &t) > 4000 ? in[0] : draw_value(w, t);
	}
	for (int i = 0; (k || select) && i < 12; i++) {
		Node *n = any_node(w);
		if (n->type.dt == dt)
			return n;
	}
	return any_node(w);
}

/* ---- attributes ---- */

/* "ab,bc->ac" for operands of these types: equal sizes may share a label */
static const char *
draw_spec(Draw *w, Node *const *in, int nin)
{
	char label[2][MAXRANK + 1] = {{0}}, all[2 * MAXRANK + 1] = {0};
	Dim size[2 * MAXRANK];
	Buf b = {.arena = w->arena};
	int n = 0;

	for (int i = 0; i < MIN(nin, 2); i++)
		for (int d = 0; d < in[i]->type.rank; d++) {
			int l = n;
			for (int k = 0; i && k < n; k++)
				if (dim_eq(size[k], in[i]->type.dim[d]) && !strchr(label[1], all[k]) && !one_in(w, 3))
					l = k;
			if (l == n) {
				size[n] = in[i]->type.dim[d];
				all[n] = (char)('a' + n);
				n++;
			}
			label[i][d] = all[l];
		}
	buf_printf(&b, "%s%s%s->", label[0], nin > 1 ? "," : "", label[1]);
	for (int k = n; k > 0; k--) {
		int at = below(w, k);
		if (!one_in(w, 3))
			buf_putc(&b, all[at]);
		all[at] = all[k - 1];
	}
	return graph_str(w->g, buf_str(&b));
}

static const char *
draw_word(Draw *w, const char *words)
{
	int n = 1, k;

	for (const char *s = words; *s; s++)
		n += *s == ' ';
	for (k = below(w, n); k > 0; k--)
		words = strchr(words, ' ') + 1;
	return graph_str(w->g, arena_copy(w->arena, words, (int64_t)strcspn(words, " ")));
}

/* sizes with the same number of elements: neighbours joined, ones in between, at times -1 */
static int
draw_reshape(Draw *w, const Type *t, Dim *out)
{
	int n = 0;

	for (int i = 0; i < t->rank; i++) {
		Dim d = t->dim[i], half;
		if (n && one_in(w, 3) && dim_mul(out[n - 1], d, &out[n - 1]))
			continue;
		if (one_in(w, 5) && n < MAXRANK - 2)
			out[n++] = DIM(1);
		if (one_in(w, 3) && n < MAXRANK - 2 && dim_div(d, DIM(2), &half) && d.k) {
			out[n++] = DIM(2);
			out[n++] = half;
		} else
			out[n++] = d;
		if (n > MAXRANK - 2)
			break;
	}
	if (n && one_in(w, 4))
		out[below(w, n)] = DIM(-1);
	return n;
}

/* sizes to which t broadcasts */
static int
draw_broadcast(Draw *w, const Type *t, Dim *out)
{
	int more = below(w, 2), n = 0;

	for (; n < more; n++)
		out[n] = draw_dim(w);
	for (int i = 0; i < t->rank && n < MAXRANK; i++, n++)
		out[n] = one_in(w, 6) ? DIM(-1) : dim_one(t->dim[i]) ? draw_dim(w) : t->dim[i];
	return n;
}

/* one small number per dimension, for padding */
static int
draw_margins(Draw *w, const Type *t, Dim *out)
{
	for (int i = 0; i < t->rank; i++)
		out[i] = t->dim[i].sym && !one_in(w, 6) ? DIM(0) : DIM(below(w, 4) - (one_in(w, 4) ? 2 : 0));
	return t->rank;
}

static int
draw_sizes(Draw *w, const char *name, Node *const *in, int nin, Dim *out)
{
	Type t;

	if (nin && (!strcmp(name, "low") || !strcmp(name, "high")))
		return draw_margins(w, &in[0]->type, out);
	if (nin && !strncmp(name, "normalized", 10)) {
		int n = MIN(1 + below(w, 2), in[0]->type.rank);
		memcpy(out, &in[0]->type.dim[in[0]->type.rank - n], (size_t)n * sizeof *out);
		return n;
	}
	if (nin && !word_in("key", 0, in[0]->type.dt == U64 && !in[0]->type.rank ? " key " : ""))
		return one_in(w, 2) ? draw_reshape(w, &in[0]->type, out) : draw_broadcast(w, &in[0]->type, out);
	t = draw_type(w, F32);
	memcpy(out, t.dim, (size_t)t.rank * sizeof *out);
	return t.rank;
}

/* a permutation, or a subset of the axes */
static int
draw_axes(Draw *w, int rank, int64_t *out)
{
	int n = one_in(w, 2) ? rank : below(w, rank + 1);

	for (int i = 0; i < rank; i++)
		out[i] = i;
	for (int i = rank; i-- > 1;) {
		int k = below(w, i + 1);
		int64_t x = out[i];
		out[i] = out[k];
		out[k] = x;
	}
	for (int i = 0; i < n; i++)
		if (one_in(w, 4))
			out[i] -= rank;
	return n;
}

static Attr
draw_attr(Draw *w, const AttrSpec *s, Node *const *in, int nin)
{
	static const double some[] = {0, 1, -1, 0.5, 2, 0.1, 3, 1e-5, -0.3};
	Attr a = {.set = true, .is_int = true};
	int rank = nin ? in[0]->type.rank : 2;

	switch (s->kind) {
	case A_INT:
		do {
			a.i = !strcmp(s->name, "stream") ? (int64_t)(rng_next(&w->rng) >> 1)
				: below(w, 6) - (one_in(w, 2) ? 3 : 0);
			a.f = (double)a.i;
		} while (!number_allowed(s, a.f));
		break;
	case A_NUM:
		do
			a.f = some[below(w, LEN(some))];
		while (!number_allowed(s, a.f));
		a.is_int = a.f == trunc(a.f);
		a.i = a.is_int ? (int64_t)a.f : 0;
		break;
	case A_BOOL:
		a.i = below(w, 2);
		break;
	case A_STR:
		a.s = s->allowed ? draw_word(w, s->allowed) : draw_spec(w, in, nin);
		break;
	case A_DTYPE:
		a.i = draw_dtype(w);
		break;
	case A_INTS: {
		int64_t *v = NEW(w->arena, MAX(rank, 1), int64_t);
		a.n = draw_axes(w, rank, v);
		a.ints = v;
		break;
	}
	case A_SHAPE: {
		Dim *v = NEW(w->arena, 2 * MAXRANK, Dim);
		a.n = draw_sizes(w, s->name, in, nin, v);
		a.dims = v;
		break;
	}
	case A_DIM: {
		Dim *v = NEW(w->arena, 1, Dim);
		*v = one_in(w, 5) ? draw_dim(w) : DIM(below(w, 5) - (one_in(w, 3) ? 4 : 0));
		a.dims = v;
		a.n = 1;
		break;
	}
	case A_FUNCTION:
		bug("a function is not drawn");
	}
	return a;
}

static Attr *
draw_attrs(Draw *w, const Op *op, Node *const *in, int nin)
{
	int n = op_nattr(op);
	Attr *a = NEW(w->arena, MAX(n, 1), Attr);

	for (int i = 0; i < n; i++)
		a[i] = op->attr[i].dflt && one_in(w, 2) ? attr_default(w->g, &op->attr[i])
			: draw_attr(w, &op->attr[i], in, nin);
	return a;
}

/* ---- nodes ---- */

static const Op *
draw_op(Draw *w)
{
	for (;;) {
		const Op *op = op_get(below(w, NOP));
		/* pointwise ops are many, and alike */
		if (op->kind == LEAF || op->kind == ITEM || op->kind == CALL
			|| op->flags & NOT_YET || (op->kind == MAP && one_in(w, 2)))
			continue;
		if (op->id != OP_constant)
			return op;
	}
}

static bool
small_enough(const Node *n)
{
	if (most_elements(n->g, &n->type) > 20000)
		return false;
	for (int r = 0; node_nres(n) > 1 && r < node_nres(n); r++)
		if (most_elements(n->g, &n->res[r]) > 20000)
			return false;
	return true;
}

/* takes back what was made since there were n nodes and l leaves */
static void
take_back(Graph *g, int64_t n, int64_t l)
{
	g->nnode = n;
	g->nleaf = l;
}

/* every node draws another set of numbers, and nodes that are used later have names of users */
static void
name_node(Draw *w, Node *n)
{
	static const char *const scope[] = {"a", "a/b", "block.0"};

	n->name = fresh(w, "v");
	if (one_in(w, 4))
		n->scope = graph_str(w->g, scope[below(w, LEN(scope))]);
}

static bool
try_node(Draw *w)
{
	int64_t nnode = w->g->nnode, nleaf = w->g->nleaf;
	const Op *op = draw_op(w);
	Node *in[MAXLIST], *n;
	int nin = op->max_in < 0 ? MAX(op->min_in, 1) + below(w, 3) : op->min_in + below(w, op->max_in - op->min_in + 1);

	for (int k = 0; k < nin; k++)
		in[k] = draw_operand(w, op, in, k);
	n = node(w->g, op, in, nin, draw_attrs(w, op, in, nin));
	if (n->type.dt == NDTYPE || !small_enough(n)) {
		diag_reset();
		take_back(w->g, nnode, nleaf);
		return false;
	}
	if (n->id >= nnode && !n->leaf)
		name_node(w, n);
	for (int r = 0; node_nres(n) > 1 && r < node_nres(n); r++) {
		Node *item = Item(n, r);
		if (!item->name)
			name_node(w, item);
	}
	return true;
}

/* ---- interface ---- */

static void
draw_outputs(Draw *w)
{
	Users u = graph_users(w->arena, w->g);

	for (int64_t i = 0; i < w->g->nnode; i++) {
		Node *n = w->g->node[i];
		bool sink = u.start[i] == u.start[i + 1];
		if (n->leaf || node_nres(n) > 1 || w->g->out.n > 7 || !(sink || one_in(w, 8)))
			continue;
		port_add(w->g, &w->g->out, fresh(w, "out"), n, (Loc){0});
	}
	if (!w->g->out.n)
		port_add(w->g, &w->g->out, "out", w->g->node[w->g->nnode - 1], (Loc){0});
}

/* the sum of an output, divided so that it stays small */
static void
draw_loss(Draw *w)
{
	int64_t k = rng_below(&w->rng, w->g->out.n);
	Node *v = w->g->out.p[k].v, *l;

	if (!dtype_float(v->type.dt))
		return;
	l = v->type.rank ? node(w->g, op_get(OP_sum), &v, 1, NULL) : v;
	if (l->type.rank)
		return;
	if (!l->name)
		name_node(w, l);
	w->g->loss = (int)w->g->out.n;
	port_add(w->g, &w->g->out, "loss", l, (Loc){0});
}

/* Inner values are the results of contractions only: others may be equal to what composites compute inside, or
 * be folded into their operand, and then stand for all of that. */
static void
draw_wrt(Draw *w)
{
	w->g->wrt_given = true;
	for (int64_t i = 0; i < w->g->nnode && w->g->wrt.n < 4; i++) {
		Node *n = w->g->node[i];
		if (dtype_float(n->type.dt) && n->name && (n->leaf ? one_in(w, 2) : n->op->kind == DOT && one_in(w, 3)))
			port_add(w->g, &w->g->wrt, n->name, n, (Loc){0});
	}
	if (!w->g->wrt.n)
		w->g->wrt_given = false;
}

static int
by_port_name(const void *a, const void *b)
{
	return strcmp(((const Port *)a)->name, ((const Port *)b)->name);
}

/* in the order in which a reader has them */
static void
draw_updates(Draw *w)
{
	for (int64_t i = 0; i < w->g->nleaf; i++) {
		const Leaf *l = w->g->leaf[i];
		for (int k = 0; l->role == BUFFER && k < 10; k++) {
			Node *n = any_node(w);
			if (n == l->node || !type_eq(&n->type, &l->node->type))
				continue;
			port_add(w->g, &w->g->update, l->name, n, l->at);
			break;
		}
	}
	if (w->g->update.n)
		qsort(w->g->update.p, (size_t)w->g->update.n, sizeof *w->g->update.p, by_port_name);
}

Graph *
draw_graph(Arena *a, uint64_t seed)
{
	Draw w = {.rng = rng_seed(seed), .arena = a};
	Graph *g = w.g = graph_new(a, arena_fmt(a, "g%llu", (unsigned long long)seed));
	int want, made = 0;

	g->file = "random";
	g->reading = true;
	g->folding = false;
	g->path.arena = a;
	draw_symbols(&w);
	draw_pool(&w);
	for (int i = 2 + below(&w, 3); i > 0; i--)
		draw_leaf(&w, draw_type(&w, one_in(&w, 3) ? draw_dtype(&w) : F32));
	want = 1 + below(&w, 12);
	for (int i = 0; i < TRIES && made < want; i++)
		made += try_node(&w);
	draw_outputs(&w);
	if (!one_in(&w, 3))
		draw_loss(&w);
	if (one_in(&w, 3))
		draw_wrt(&w);
	draw_updates(&w);
	return g;
}

/* ---- values ---- */

static double
draw_double(Rng *r, int mood)
{
	static const double edge[] = {0, 1, -1, 0.5, -0.0, 2, -2, 1e-3, 100};
	double u = rng_double(r);

	switch (mood) {
	case 0:  return 0.1 + 0.8 * u;         /* where every function is smooth and finite */
	case 1:  return 4 * u - 2;
	case 2:  return rng_below(r, 2) ? edge[rng_below(r, LEN(edge))] : 4 * u - 2;
	default: return 2 * u - 1;
	}
}

Tensor *
draw_tensor(EvalCtx *c, Rng *r, const Type *t)
{
	Tensor *x = tensor_new(c, t);
	int mood = (int)rng_below(r, 5);
	int64_t top = rng_below(r, 3) ? 5 : 120;

	for (int64_t k = 0; k < x->n; k++)
		if (x->f)
			x->f[k] = draw_double(r, mood);
		else if (x->dt == BOOL)
			x->i[k] = rng_below(r, 2);
		else
			x->i[k] = rng_below(r, top + 1) - (dtype_class(x->dt) == C_INT ? top / 2 : 0);
	tensor_round(x);
	return x;
}

static void
into_range(Tensor *x, Rng *r, const Range *range, const int64_t *symval)
{
	int64_t bound = dim_at(range->bound, symval);

	for (int64_t k = 0; k < x->n; k++)
		if (x->i[k] < 0 || x->i[k] >= bound)
			x->i[k] = bound > 0 ? rng_below(r, bound) : 0;
}

Tensor **
draw_leaves(EvalCtx *c, const Graph *g, uint64_t seed)
{
	Tensor **val = NEW(c->arena, MAX(g->nleaf, 1), Tensor *);
	Rng r = rng_seed(seed);
	Range *range;
	int n = index_ranges(c->arena, g, &range);

	for (int s = 0; s < g->nsym; s++)
		c->symval[s] = g->sym[s].min + rng_below(&r, g->sym[s].max - g->sym[s].min + 1);
	for (int64_t i = 0; i < g->nleaf; i++) {
		val[i] = draw_tensor(c, &r, &g->leaf[i]->node->type);
		for (int k = 0; k < n; k++)
			if (range[k].leaf == g->leaf[i])
				into_range(val[i], &r, &range[k], c->symval);
	}
	return val;
}

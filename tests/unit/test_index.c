/* test_index.c: index expressions: canonical forms, proofs, substitution, and that the composed access
 * of a chain of views names the element that the interpreter moves there. */
#include "unit.h"
#include "ir.h"

typedef struct World {
	Arena *a;
	Graph *g;
	IxCtx *c;
	Dim B, T;
} World;

static World
world(void)
{
	World w = {.a = arena_new()};

	w.g = graph_new(w.a, "g");
	w.g->sym[w.g->nsym++] = (Sym){.name = "B", .min = 1, .max = 8, .hint = 8};
	w.g->sym[w.g->nsym++] = (Sym){.name = "T", .min = 2, .max = 9, .hint = 9};
	w.c = ix_new(w.a, w.g);
	w.B = (Dim){1, 1};
	w.T = (Dim){1, 16};
	return w;
}

/* a positive factor or divisor */
static Dim
random_factor(const World *w, Rng *r)
{
	static const int64_t k[] = {1, 2, 3, 4, 6};
	Dim d = DIM(k[rng_below(r, 5)]);

	d.sym = rng_below(r, 3) ? 0 : rng_below(r, 2) ? w->B.sym : w->T.sym;
	return d;
}

static Dim
times(int64_t k, Dim d)
{
	d.k *= k;
	return d;
}

#define IS(ix, text) assert_string_equal(ix_text(w.c, ix), text)

static void
sums_are_canonical(void **state)
{
	World w = world();
	IxCtx *c = w.c;
	const Ix *i = ix_var(c, 0, DIM(4)), *j = ix_var(c, 1, w.B);
	const Ix *s = ix_add(c, ix_scale(c, i, DIM(3)), ix_add(c, j, ix_int(c, 2)));

	(void)state;
	assert_ptr_equal(s, ix_add(c, ix_add(c, ix_int(c, 2), j), ix_add(c, i, ix_scale(c, i, DIM(2)))));
	IS(s, "3*i0 + i1 + 2");
	assert_ptr_equal(ix_sub(c, s, s), ix_int(c, 0));
	IS(ix_sub(c, ix_dim(c, times(4, w.B)), ix_add(c, i, ix_int(c, 1))), "-i0 - 1 + 4*B");
	IS(s->hi, "10 + B");
	assert_true(ix_le(c, s, ix_dim(c, times(11, w.B))));
	assert_false(ix_le(c, s, ix_dim(c, times(10, w.B))));
	arena_free(w.a);
}

static void
proofs_use_bounds_of_symbols(void **state)
{
	World w = world();
	IxCtx *c = w.c;
	Dim BT = {1, 17};
	const Ix *b = ix_dim(c, w.B), *t = ix_dim(c, w.T), *bt = ix_dim(c, BT), *one = ix_int(c, 1);

	(void)state;
	assert_true(ix_le(c, ix_int(c, 2), t));
	assert_false(ix_le(c, ix_int(c, 3), t));
	assert_true(ix_le(c, b, bt));
	assert_false(ix_le(c, t, b));
	/* (B - 1) * (T - 1) >= 0 */
	assert_true(ix_le(c, ix_add(c, b, t), ix_add(c, bt, one)));
	assert_false(ix_le(c, ix_add(c, b, t), bt));
	arena_free(w.a);
}

static void
quotients_simplify(void **state)
{
	World w = world();
	IxCtx *c = w.c;
	const Ix *i = ix_var(c, 0, w.B), *j = ix_var(c, 1, w.T), *k = ix_var(c, 2, DIM(6)), *f;

	(void)state;
	/* digits of a linear index come back */
	f = ix_add(c, ix_scale(c, i, w.T), j);
	assert_ptr_equal(ix_div(c, f, w.T), i);
	assert_ptr_equal(ix_mod(c, f, w.T), j);
	f = ix_add(c, ix_scale(c, f, DIM(6)), k);
	assert_ptr_equal(ix_div(c, f, times(6, w.T)), i);
	assert_ptr_equal(ix_mod(c, ix_div(c, f, DIM(6)), w.T), j);
	/* a common factor is cancelled when the rest stays below it */
	IS(ix_div(c, f, DIM(12)), "(T*i0 + i1) div 2");
	IS(ix_mod(c, f, DIM(12)), "i2 + 6*((T*i0 + i1) mod 2)");
	/* counting down */
	f = ix_sub(c, ix_dim(c, (Dim){1, 17}), ix_add(c, ix_add(c, ix_scale(c, i, w.T), j), ix_int(c, 1)));
	IS(ix_div(c, f, w.T), "-i0 - 1 + B");
	IS(ix_mod(c, f, w.T), "-i1 - 1 + T");
	/* nested, and joined again */
	IS(ix_div(c, ix_div(c, k, DIM(2)), DIM(2)), "i2 div 4");
	f = ix_add(c, ix_scale(c, ix_div(c, k, DIM(4)), DIM(4)), ix_mod(c, k, DIM(4)));
	assert_ptr_equal(f, k);
	k = ix_var(c, 3, DIM(24));
	f = ix_add(c, ix_scale(c, ix_mod(c, ix_div(c, k, DIM(3)), DIM(4)), DIM(3)), ix_mod(c, k, DIM(3)));
	IS(f, "i3 mod 12");
	IS(ix_div(c, ix_mod(c, k, DIM(12)), DIM(3)), "(i3 div 3) mod 4");
	IS(ix_div(c, ix_add(c, k, ix_int(c, -1)), DIM(4)), "(i3 + 3) div 4 - 1");
	arena_free(w.a);
}

static void
splitting_a_loop_makes_accesses_affine(void **state)
{
	World w = world();
	IxCtx *c = w.c;
	const Ix *i = ix_var(c, 0, DIM(24)), *hi = ix_var(c, 1, DIM(6)), *lo = ix_var(c, 2, DIM(4)), *e;
	Dim d[4], k;

	(void)state;
	e = ix_add(c, ix_scale(c, ix_mod(c, i, DIM(4)), DIM(6)), ix_div(c, i, DIM(4)));
	assert_false(ix_affine(e));
	assert_false(ix_coef(e, 0, &k));
	assert_int_equal(ix_divisors(e, 0, d, 0, 4), 1);
	assert_true(dim_eq(d[0], DIM(4)));
	e = ix_subst(c, e, 0, ix_add(c, ix_scale(c, hi, DIM(4)), lo));
	IS(e, "i1 + 6*i2");
	assert_true(ix_affine(e) && ix_coef(e, 2, &k) && dim_eq(k, DIM(6)));
	assert_true(ix_coef(e, 0, &k) && !k.k);
	e = ix_mod(c, ix_div(c, i, DIM(2)), DIM(3));
	assert_int_equal(ix_divisors(e, 0, d, 0, 4), 2);
	arena_free(w.a);
}

static void
guards_drop_what_is_proved(void **state)
{
	World w = world();
	IxCtx *c = w.c;
	const Ix *i = ix_var(c, 0, times(2, w.B)), *b = ix_dim(c, w.B), *zero = ix_int(c, 0);
	IxGuard g = {0};

	(void)state;
	ix_guard(c, &g, i, zero, ix_dim(c, times(2, w.B)));
	assert_int_equal(g.n, 0);
	ix_guard(c, &g, ix_add(c, i, ix_int(c, 1)), zero, b);
	assert_int_equal(g.n, 1);
	assert_null(g.c[0].lo);
	IS(g.c[0].e, "i0");
	IS(g.c[0].hi, "-1 + B");
	assert_false(g.never);
	ix_guard(c, &g, i, ix_dim(c, times(2, w.B)), NULL);
	assert_true(g.never);
	arena_free(w.a);
}

/* ---- random expressions ---- */

/* an expression as it was asked for, beside what the simplifier made of it */
typedef struct Asked Asked;
struct Asked {
	char op;               /* 'v' variable, 'n' number, '+', '-', '*', '/', '%' */
	int var;
	Dim k;
	const Asked *a, *b;
	const Ix *ix;
};

static int64_t
asked_value(const Asked *e, const int64_t *var, const int64_t *sym)
{
	int64_t a = e->a ? asked_value(e->a, var, sym) : 0, b = e->b ? asked_value(e->b, var, sym) : 0;
	int64_t k = dim_at(e->k, sym), q;

	switch (e->op) {
	case 'v': return var[e->var];
	case 'n': return k;
	case '+': return a + b;
	case '-': return a - b;
	case '*': return a * k;
	}
	q = a / k - (a % k < 0);
	return e->op == '/' ? q : a - q * k;
}

static const Asked *
ask(World *w, Rng *r, int depth, const Dim *extent)
{
	Asked *e = NEW(w->a, 1, Asked);
	int var = (int)rng_below(r, 3);

	e->k = random_factor(w, r);
	e->op = depth ? "+-*/%+*/%"[rng_below(r, 9)] : rng_below(r, 4) ? 'v' : 'n';
	if (depth)
		e->a = ask(w, r, depth - 1, extent);
	switch (e->op) {
	case 'v': e->var = var, e->ix = ix_var(w->c, var, extent[var]); break;
	case 'n': e->ix = ix_dim(w->c, e->k); break;
	case '*': e->ix = ix_scale(w->c, e->a->ix, e->k); break;
	case '/': e->ix = ix_div(w->c, e->a->ix, e->k); break;
	case '%': e->ix = ix_mod(w->c, e->a->ix, e->k); break;
	default:
		e->b = ask(w, r, (int)rng_below(r, depth), extent);
		e->ix = e->op == '+' ? ix_add(w->c, e->a->ix, e->b->ix) : ix_sub(w->c, e->a->ix, e->b->ix);
	}
	return e;
}

/* values, bounds and substitution at every point of the variables' ranges */
static void
check_expression(World *w, const Asked *e, const Dim *extent, const int64_t *sym)
{
	const Ix *two = ix_add(w->c, ix_scale(w->c, ix_var(w->c, 3, DIM(2)), DIM(2)), ix_var(w->c, 4, DIM(2)));
	const Ix *split = dim_eq(extent[0], DIM(4)) ? ix_subst(w->c, e->ix, 0, two) : e->ix;
	int64_t n[3], v[5];

	for (int i = 0; i < 3; i++)
		n[i] = dim_at(extent[i], sym);
	for (v[0] = 0; v[0] < n[0]; v[0]++)
		for (v[1] = 0; v[1] < n[1]; v[1]++)
			for (v[2] = 0; v[2] < n[2]; v[2]++) {
				int64_t x = asked_value(e, v, sym);
				v[3] = v[0] / 2;
				v[4] = v[0] % 2;
				if (ix_eval(e->ix, v, sym) != x)
					print_error("%s\n", ix_text(w->c, e->ix));
				assert_int_equal(ix_eval(e->ix, v, sym), x);
				assert_int_equal(ix_eval(split, v, sym), x);
				assert_true(!e->ix->lo || ix_eval(e->ix->lo, v, sym) <= x);
				assert_true(!e->ix->hi || ix_eval(e->ix->hi, v, sym) >= x);
			}
}

static void
expressions_keep_their_values(void **state)
{
	Rng r = rng_seed(11);

	(void)state;
	for (int trial = 0; trial < 4000; trial++) {
		World w = world();
		Dim extent[] = {DIM(4), w.B, rng_below(&r, 2) ? w.T : DIM(6)};
		const Asked *e = ask(&w, &r, 1 + (int)rng_below(&r, 5), extent);
		for (int64_t B = 1; B <= 3; B++)
			check_expression(&w, e, extent, (int64_t[]){B, 2 + rng_below(&r, 4)});
		arena_free(w.a);
	}
}

/* ---- random chains ---- */

/* what an output element is: reads of leaves under guards, or a fill */
typedef struct Tree Tree;
struct Tree {
	const Node *n;
	const Ix *offset;      /* of a leaf's element */
	IxGuard *guard;
	Tree **sub;
};

static Tree *
read_tree(World *w, const Node *n, const Ix *const *o)
{
	Tree *t = NEW(w->a, 1, Tree);

	t->n = n;
	if (is_leaf(n)) {
		t->offset = ix_linear(w->c, &n->type, o);
		return t;
	}
	t->guard = NEW(w->a, n->nin, IxGuard);
	t->sub = NEW(w->a, n->nin, Tree *);
	for (int i = 0; i < n->nin; i++) {
		const Ix *in[MAXRANK];
		view_access(w->c, n, o, i, in, &t->guard[i]);
		if (!t->guard[i].never)
			t->sub[i] = read_tree(w, n->in[i], in);
	}
	return t;
}

static double
read_value(const Tree *t, Tensor *const *val, const int64_t *at, const int64_t *sym)
{
	if (t->offset) {
		int64_t o = ix_eval(t->offset, at, sym);
		assert_in_range(o, 0, val[t->n->id]->n - 1);
		return val[t->n->id]->f[o];
	}
	for (int i = 0; i < t->n->nin; i++)
		if (ix_guard_eval(&t->guard[i], at, sym))
			return read_value(t->sub[i], val, at, sym);
	assert_non_null(view_fill(t->n));
	return view_fill(t->n)->f;
}

static Node *
leaf(World *w, const char *name, const Dim *dim, int rank)
{
	Leaf l = {.role = INPUT, .name = name};
	Type t = {.dt = F32, .rank = rank};

	memcpy(t.dim, dim, (size_t)rank * sizeof *dim);
	return node_leaf(w->g, &l, t);
}

static Dim
random_dim(World *w, Rng *r)
{
	static const int64_t k[] = {1, 2, 3, 4, 6, 8, 12};
	Dim d = DIM(k[rng_below(r, 7)]);

	if (rng_below(r, 4) == 0)
		d.sym = rng_below(r, 2) ? w->B.sym : w->T.sym;
	return d;
}

/* the same elements in randomly merged and split dimensions */
static Node *
random_reshape(Node *x, Rng *r)
{
	Dim d[MAXRANK];
	int n = 0;

	for (int i = 0; i < x->type.rank; i++)
		if (n && rng_below(r, 2))
			dim_mul(d[n - 1], x->type.dim[i], &d[n - 1]);
		else
			d[n++] = x->type.dim[i];
	for (int tries = 0; tries < 4 && n && n < 5; tries++) {
		int i = (int)rng_below(r, n);
		Dim part = DIM(rng_below(r, 4) + 1), rest;
		if (!dim_div(d[i], part, &rest))
			continue;
		for (int k = n++; k > i; k--)
			d[k] = d[k - 1];
		d[i] = rng_below(r, 2) ? part : rest;
		dim_div(d[i + 1], d[i], &d[i + 1]);
	}
	return Reshape(x, d, n);
}

static Node *
random_permute(Node *x, Rng *r)
{
	int perm[MAXRANK];

	for (int i = 0; i < x->type.rank; i++)
		perm[i] = i;
	for (int i = x->type.rank - 1; i > 0; i--) {
		int j = (int)rng_below(r, i + 1), t = perm[i];
		perm[i] = perm[j];
		perm[j] = t;
	}
	return Permute(x, perm);
}

static Node *
random_slice(Node *x, Rng *r)
{
	int i = (int)rng_below(r, x->type.rank);
	Dim d = x->type.dim[i], half;

	if (!d.sym && d.k)
		return Slice(x, i, DIM(rng_below(r, d.k)), DIM(d.k), 1 + rng_below(r, 3));
	if (d.sym && rng_below(r, 2))
		return Slice(x, i, DIM(-1), d, 1);
	if (dim_div(d, DIM(2), &half))
		return rng_below(r, 2) ? Slice(x, i, half, d, 1) : Slice(x, i, DIM(0), d, 2);
	return x;
}

static Node *
random_pad(Node *x, Rng *r)
{
	Dim low[MAXRANK] = {{0}}, high[MAXRANK] = {{0}};
	int i = (int)rng_below(r, x->type.rank);

	low[i] = (Dim){rng_below(r, 3), x->type.dim[i].sym};
	high[i] = (Dim){rng_below(r, 3), x->type.dim[i].sym};
	return Pad(x, low, high, -1);
}

static Node *
random_cat(Node *x, int i, Rng *r)
{
	Dim d = x->type.dim[i];
	Node *part = d.sym || !d.k ? x : Slice(x, i, DIM(rng_below(r, d.k)), d, 1);

	return Cat((Node *[]){x, part, Flip(x, &i, 1)}, 2 + (int)rng_below(r, 2), i);
}

static Node *
random_expand(Node *x, Rng *r)
{
	Dim d[MAXRANK];

	if (x->type.rank > 4)
		return x;
	d[0] = DIM(rng_below(r, 3) + 1);
	memcpy(d + 1, x->type.dim, (size_t)x->type.rank * sizeof *d);
	for (int i = 1; i <= x->type.rank; i++)
		if (dim_one(d[i]))
			d[i] = DIM(rng_below(r, 3) + 1);
	return Expand(x, d, x->type.rank + 1);
}

/* along the last two dimensions of known size, if there are two */
static Node *
random_window(Node *x, Rng *r)
{
	int at[MAXRANK], n = 0;

	for (int i = 0; i < x->type.rank; i++)
		if (!x->type.dim[i].sym)
			at[n++] = i;
	if (n < 2)
		return x;
	return Window(x, at[n - 2], at[n - 1], (WindowMap){.count = 1 + rng_below(r, 6), .stride = 1 + rng_below(r, 3),
		.dilation = rng_below(r, 5) - 2, .low = rng_below(r, 9) - 4, .spacing = 1 + rng_below(r, 3), .value = -1});
}

static Node *
random_view(Node *x, Rng *r)
{
	int i = x->type.rank ? (int)rng_below(r, x->type.rank) : 0;

	if (!x->type.rank)
		return random_expand(x, r);
	switch (rng_below(r, 11)) {
	case 0: return Flip(x, &i, 1);
	case 1: return random_slice(x, r);
	case 2: return random_pad(x, r);
	case 3: return random_expand(x, r);
	case 4: return random_cat(x, i, r);
	case 5: case 6: return random_permute(x, r);
	case 7: case 8: return random_window(x, r);
	default: return random_reshape(x, r);
	}
}

static bool
small(const World *w, const Node *n)
{
	return type_max_bytes(w->g, &n->type) < 4 * 20000;
}

static Tensor *
counting(EvalCtx *e, const Type *t)
{
	Tensor *x = tensor_new(e, t);

	for (int64_t i = 0; i < x->n; i++)
		x->f[i] = (double)i;
	return x;
}

static void
check_chain(World *w, Node *y, int64_t B, int64_t T)
{
	EvalCtx e = {.arena = w->a, .g = w->g, .symval = {B, T}};
	const Ix *o[MAXRANK];
	int64_t at[MAXRANK] = {0};
	Tensor *leafval[1] = {counting(&e, &w->g->leaf[0]->node->type)}, **val;
	Tree *t;

	port_add(w->g, &w->g->out, "y", y, (Loc){0});
	val = eval_graph(&e, w->g, leafval);
	for (int d = 0; d < y->type.rank; d++)
		o[d] = ix_var(w->c, d, y->type.dim[d]);
	t = read_tree(w, y, o);
	for (int64_t k = 0; k < val[y->id]->n; k++) {
		assert_true(read_value(t, val, at, e.symval) == val[y->id]->f[k]);
		for (int d = y->type.rank - 1; d >= 0 && ++at[d] == val[y->id]->dim[d]; d--)
			at[d] = 0;
	}
}

static void
composed_access_equals_interpreter(void **state)
{
	Rng r = rng_seed(7);

	(void)state;
	for (int trial = 0; trial < 1500; trial++) {
		World w = world();
		Dim d[MAXRANK];
		int rank = (int)rng_below(&r, 4);
		Node *x;
		w.g->folding = rng_below(&r, 2);
		for (int i = 0; i < rank; i++)
			d[i] = random_dim(&w, &r);
		x = leaf(&w, "x", d, rank);
		for (int k = 0; k < 6 && small(&w, x); k++)
			x = random_view(x, &r);
		check_chain(&w, x, 1 + rng_below(&r, 3), 2 + rng_below(&r, 3));
		arena_free(w.a);
	}
}

/* the chains of a model leave neither division nor remainder */
static void
chains_with_a_common_refinement_are_affine(void **state)
{
	World w = world();
	Dim d[] = {w.B, w.T, DIM(24)}, heads[] = {w.B, w.T, DIM(4), DIM(6)}, flat[] = {{1, 17}, DIM(24)};
	Node *x = leaf(&w, "x", d, 3), *y;
	const Ix *o[4];
	Tree *t;

	(void)state;
	w.g->folding = false;
	y = Permute(Reshape(x, heads, 4), (int[]){0, 2, 1, 3});
	for (int i = 0; i < 4; i++)
		o[i] = ix_var(w.c, i, y->type.dim[i]);
	t = read_tree(&w, y, o);
	IS(t->sub[0]->sub[0]->offset, "24*T*i0 + 6*i1 + 24*i2 + i3");
	y = Reshape(Permute(y, (int[]){0, 2, 1, 3}), flat, 2);
	for (int i = 0; i < 2; i++)
		o[i] = ix_var(w.c, 4 + i, y->type.dim[i]);
	t = read_tree(&w, y, o);
	IS(t->sub[0]->sub[0]->sub[0]->sub[0]->offset, "24*i4 + i5");
	arena_free(w.a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_are_canonical),
		cmocka_unit_test(proofs_use_bounds_of_symbols),
		cmocka_unit_test(quotients_simplify),
		cmocka_unit_test(splitting_a_loop_makes_accesses_affine),
		cmocka_unit_test(guards_drop_what_is_proved),
		cmocka_unit_test(expressions_keep_their_values),
		cmocka_unit_test(chains_with_a_common_refinement_are_affine),
		cmocka_unit_test(composed_access_equals_interpreter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

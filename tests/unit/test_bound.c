/* test_bound.c: bounds of rounding errors hold for values rounded to their dtypes at every step,
 * and are tight enough that a wrong value lies outside. */
#include <math.h>

#include "ir.h"
#include "unit.h"

typedef struct Case {
	Arena *a;
	Graph *g;
	EvalCtx c;
	Bounded known[64];
} Case;

static Case
case_new(void)
{
	Case t = {.a = arena_new()};
	t.g = graph_new(t.a, "t");
	t.g->folding = false;
	t.c = (EvalCtx){.arena = t.a, .g = t.g};
	return t;
}

/* an input of rank 1 with these values, rounded to dt; the bound is e everywhere */
static Node *
given(Case *t, DType dt, const double *v, int n, double e)
{
	Leaf l = {.role = INPUT, .name = graph_str(t->g, arena_fmt(t->a, "x%d", (int)t->g->nleaf))};
	Node *x = node_leaf(t->g, &l, (Type){.dt = dt, .rank = 1, .dim = {DIM(n)}});
	Bounded *b = &t->known[x->id];
	b->v = tensor_new(&t->c, &x->type);
	for (int i = 0; i < n; i++)
		if (b->v->f)
			b->v->f[i] = round_to(dt, v[i]);
		else
			b->v->i[i] = (int64_t)v[i];
	if (e > 0) {
		b->e = NEW(t->a, n, double);
		for (int i = 0; i < n; i++)
			b->e[i] = e;
	}
	return x;
}

static Bounded
bound_at(Case *t, Node *n)
{
	port_add(t->g, &t->g->out, "out", n, (Loc){0});
	return bound_graph(&t->c, t->g, t->known)[n->id];
}

/* the value that every step rounds, of the same graph */
static Tensor *
rounded(Case *t, const Node *n)
{
	EvalCtx c = t->c;
	Tensor *leaf[64];
	for (int64_t i = 0; i < t->g->nleaf; i++)
		leaf[i] = t->known[t->g->leaf[i]->node->id].v;
	c.round = true;
	return eval_graph(&c, t->g, leaf)[n->id];
}

/* each pointwise op of floats on exact operands: within the bound, and not when off by 2^-17 of itself */
static void
pointwise(void **state)
{
	(void)state;
	static const double v[] = {0.3, 0.7, -0.4, 1.5, 2, -3.25, 1e-3, 40, -1e-20, 0, 0.99999, 1e20};
	int tight = 0, ops = 0;
	for (int id = 0; id < NOP; id++) {
		const Op *op = op_get(id);
		Case t = case_new();
		if (!map_expr(t.a, op, C_FLOAT) || op->flags & (SELECT | TO_BOOL))
			continue;
		double w[3][LEN(v)];
		Node *in[3];
		for (int k = 0; k < op->max_in; k++) {
			for (int i = 0; i < LEN(v); i++)
				w[k][i] = v[(i * (k + 1) + 5 * k) % LEN(v)];
			in[k] = given(&t, F32, w[k], LEN(v), 0);
		}
		Node *n = node(t.g, op, in, op->max_in, NULL);
		Bounded b = bound_at(&t, n);
		Tensor *r = rounded(&t, n);
		assert_int_equal(bound_first(r, &b), -1);
		ops++;
		for (int i = 0; i < LEN(v); i++)
			if (isfinite(r->f[i]) && fabs(r->f[i]) > 1e-30) {
				r->f[i] *= 1 + 0x1p-17;
				assert_int_equal(bound_first(r, &b), i);
				r->f[i] = b.v->f[i];
				tight++;
			}
		arena_free(t.a);
	}
	assert_true(ops > 35);
	assert_true(tight > 6 * ops);
}

static void
operands_with_errors(void **state)
{
	(void)state;
	static const double v[] = {1, 2, 3}, w[] = {1 + 1e-4, 2.5, -3};
	Case t = case_new();
	Node *x = given(&t, F64, v, 3, 1e-3), *y = given(&t, F64, w, 3, 0);
	Bounded add = bound_at(&t, Add(x, y)), mul = bound_at(&t, Mul(x, y)), lt = bound_at(&t, Lt(x, y));
	Bounded where = bound_at(&t, Where(Lt(x, y), x, y)), dif = bound_at(&t, Sqrt(Sub(x, y)));
	assert_true(fabs(add.e[0] - 1e-3) < 1e-9);
	assert_true(fabs(mul.e[1] - 2.5e-3) < 1e-9);
	assert_true(lt.e[0] == 1 && lt.e[1] == 0 && lt.e[2] == 0);
	assert_true(lt.v->i[0] == 1 && lt.v->i[1] == 1 && lt.v->i[2] == 0);
	assert_true(where.e[0] >= 1.1e-3 - 1e-9 && where.e[0] < 1.2e-3);
	assert_true(where.e[2] < 1e-9);
	assert_true(isinf(dif.e[0]));              /* the root of what may be negative */
	static const double zero[] = {0, 0, 1}, left[] = {-1, 1, -1};
	Node *im = given(&t, F64, zero, 3, 0.1), *re = given(&t, F64, left, 3, 0.1);
	Bounded angle = bound_at(&t, Atan2(im, re));
	assert_true(isinf(angle.e[0]) && angle.e[1] < 0.2 && angle.e[2] < 0.2);    /* it jumps across the negative axis */
	arena_free(t.a);
}

static void
sums(void **state)
{
	(void)state;
	enum { N = 1000 };
	double v[N];
	Rng r = rng_seed(1);
	for (int i = 0; i < N; i++)
		v[i] = rng_double(&r) - 0.5;
	Case t = case_new();
	Node *x = given(&t, F32, v, N, 0), *s = Sum(x, (int[]){0}, 1, false), *d = Dot("a,a->", x, x), *m = Amax(x, (int[]){0}, 1, false);
	Bounded bs = bound_at(&t, s), bd = bound_at(&t, d), bm = bound_at(&t, m);
	float seq = 0, dot = 0;
	for (int i = 0; i < N; i++) {
		seq += (float)v[i];
		dot += (float)v[i] * (float)v[i];
	}
	Tensor got = *bs.v;
	got.f = &(double){seq};
	assert_true(bound_holds(&got, &bs, 0));
	got.f = &(double){bs.v->f[0] + 0.01};      /* a term that is not there */
	assert_false(bound_holds(&got, &bs, 0));
	got.f = &(double){dot};
	assert_true(bound_holds(&got, &bd, 0));
	got.f = &(double){bd.v->f[0] * 1.001};
	assert_false(bound_holds(&got, &bd, 0));
	assert_null(bm.e);
	got.f = &(double){nextafter(bm.v->f[0], 1)};
	assert_false(bound_holds(&got, &bm, 0));
	arena_free(t.a);
}

/* all terms in one element, one after another: their roundings add up */
static void
scatter(void **state)
{
	(void)state;
	enum { N = 4096 };
	double v[N], at[N] = {0};
	float seq = 0;
	for (int i = 0; i < N; i++) {
		v[i] = 0.1;
		seq += (float)v[i];
	}
	Case t = case_new();
	Node *in[3] = {given(&t, F32, (double[]){0}, 1, 0), given(&t, I32, at, N, 0), given(&t, F32, v, N, 0)};
	Bounded b = bound_at(&t, node(t.g, &op_scatter_add, in, 3, attrs_new(t.g, &op_scatter_add)));
	Tensor got = *b.v;
	got.f = &(double){seq};
	assert_true(fabs(seq - b.v->f[0]) > 0.01);
	assert_true(bound_holds(&got, &b, 0));
	got.f = &(double){b.v->f[0] + 0.2};
	assert_false(bound_holds(&got, &b, 0));
	arena_free(t.a);
}

/* literals round to the dtype; views move bounds and fill without any */
static void
literals_and_views(void **state)
{
	(void)state;
	static const double v[] = {1, 2, 3};
	Case t = case_new();
	Node *x = given(&t, F32, v, 3, 0.25), *lit = Lit(x, 0.1);
	Dim one[] = {DIM(1)};
	Bounded bl = bound_at(&t, lit), bp = bound_at(&t, Pad(x, one, one, 0.1));
	double lost = fabs(0.1 - (double)0.1f);
	assert_true(bl.e[0] == lost);
	assert_true(bp.e[0] == lost && bp.e[1] == 0.25 && bp.e[3] == 0.25 && bp.e[4] == lost);
	arena_free(t.a);
}

static void
integers(void **state)
{
	(void)state;
	static const double v[] = {1.5, 1.9999, -2}, k[] = {1, 2, 3};
	Case t = case_new();
	Node *x = given(&t, F32, v, 3, 1e-3), *i = given(&t, I32, k, 3, 0);
	Bounded cast = bound_at(&t, Cast(x, I32)), sum = bound_at(&t, Add(i, i));
	assert_true(cast.e[0] == 0 && cast.e[1] == 1);
	assert_true(cast.v->i[1] == 1);
	assert_null(sum.e);
	sum.v->i[2]++;
	assert_true(bound_holds(cast.v, &cast, 1));
	cast.v->i[0]++;
	Tensor off = *cast.v;
	cast.v = tensor_new(&t.c, &(Type){.dt = I32, .rank = 1, .dim = {DIM(3)}});
	cast.v->i[0] = 1;
	assert_false(bound_holds(&off, &cast, 0));
	arena_free(t.a);
}

static Node *
scan(int id, Node *x)
{
	Attr *a = attrs_new(x->g, op_get(id));
	set_int(op_get(id), a, "dim", 0);
	return OpN(id, &x, 1, a);
}

/* what is carried is wide: within a unit of the last place, or as far off as the operands were */
static void
scans(void **state)
{
	(void)state;
	static const double v[] = {0.3, 0.7, -0.4, 1.5, 2, -3.25}, w[] = {0.5, -0.9, 0.25, 1.1, -0.3, 0.7};
	static const int op[] = {OP_cumsum, OP_cumprod, OP_logcumsumexp};
	for (int i = 0; i < 4; i++) {
		Case t = case_new();
		Node *x = given(&t, F32, v, 6, 0), *y = given(&t, F32, w, 6, 0);
		Node *n = i < 3 ? scan(op[i], x) : LinearRecurrence(y, x, 0, false);
		Bounded b = bound_at(&t, n);
		Tensor *r = rounded(&t, n);
		assert_int_equal(bound_first(r, &b), -1);
		for (int k = 0; k < 6; k++) {
			double was = r->f[k];
			r->f[k] += 0x1p-22 * fabs(was);
			assert_int_equal(bound_first(r, &b), k);
			r->f[k] = was;
		}
		arena_free(t.a);
	}
	Case t = case_new();
	Bounded sum = bound_at(&t, scan(OP_cumsum, given(&t, F64, v, 6, 1e-3)));
	for (int k = 0; k < 6; k++)
		assert_true(sum.e[k] > 1e-3 * (k + 1) - 1e-12 && sum.e[k] < 1e-3 * (k + 1) + 1e-12);
	Bounded order = bound_at(&t, ArgSort(given(&t, F64, v, 6, 1e-3), 0, false));
	assert_true(isinf(order.e[0]));
	arena_free(t.a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pointwise),
		cmocka_unit_test(operands_with_errors),
		cmocka_unit_test(sums),
		cmocka_unit_test(scans),
		cmocka_unit_test(scatter),
		cmocka_unit_test(literals_and_views),
		cmocka_unit_test(integers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_map.c: pointwise rows (text against compiled function), casts, broadcasting, Philox. */
#include <math.h>

#include "unit.h"
#include "ir.h"

static const double edges[] = {0, -0.0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 3, 1e-300, -1e-300, 1e300, -1e300,
	INFINITY, -INFINITY, NAN};
static const int64_t int_edges[] = {0, 1, -1, 2, -2, 3, 7, -7, 63, INT64_MAX, INT64_MIN, INT64_MIN + 1};

static double
random_double(Rng *r)
{
	if (rng_below(r, 3) == 0)
		return edges[rng_below(r, LEN(edges))];
	return (rng_double(r) - 0.5) * ldexp(1, (int)rng_below(r, 12));
}

static int64_t
random_int(Rng *r)
{
	if (rng_below(r, 3) == 0)
		return int_edges[rng_below(r, LEN(int_edges))];
	return (int64_t)rng_next(r) >> rng_below(r, 64);
}

static void
same_double(const char *text, double x, double y)
{
	if (memcmp(&x, &y, sizeof x) && !(isnan(x) && isnan(y)))
		print_error("%s: compiled %a, parsed %a\n", text, x, y), assert_true(false);
}

static void
rows_parse_as_they_compile(void **state)
{
	Arena *a = arena_new();
	Rng r = rng_seed(1);
	int rows = 0;

	(void)state;
	for (int id = 0; id < NOP; id++) {
		const MapRow *m = op_get(id)->map;
		if (!m)
			continue;
		for (int k = 0; m->ftext && k < 2000; k++) {
			double x = random_double(&r), y = random_double(&r), z = random_double(&r);
			same_double(m->ftext, m->f(x, y, z), expr_eval(expr_parse(a, m->ftext), x, y, z));
		}
		for (int k = 0; m->itext && k < 2000; k++) {
			int64_t x = random_int(&r), y = random_int(&r), z = random_int(&r);
			const Expr *e = expr_parse(a, m->itext);
			assert_int_equal(m->i(x, y, z), expr_eval_int(e, false, x, y, z));
			assert_int_equal(m->u((uint64_t)x, (uint64_t)y, (uint64_t)z),
				(uint64_t)expr_eval_int(e, true, x, y, z));
		}
		rows++;
	}
	assert_true(rows > 20);
	arena_free(a);
}

static void
every_map_op_has_a_row(void **state)
{
	(void)state;
	for (int id = 0; id < NOP; id++) {
		const Op *op = op_get(id);
		if (op->kind != MAP || op->flags & CONVERT)
			continue;
		assert_non_null(op->map);
		assert_non_null(op->map->ftext);
		assert_int_equal(op->id, id);
		assert_ptr_equal(op_find(op->name), op);
	}
}

static void
grammar(void **state)
{
	Arena *a = arena_new();

	(void)state;
	assert_true(expr_eval(expr_parse(a, "1 + 2 * 3 - 4 / 2 - 1"), 0, 0, 0) == 4);
	assert_true(expr_eval(expr_parse(a, "-a - -b * (1 - c)"), 1, 2, 3) == -5);
	assert_true(expr_eval(expr_parse(a, "a < b == 1 && c != 0 || 0"), 1, 2, 3) == 1);
	assert_true(expr_eval(expr_parse(a, "a ? 1 : b ? 2 : 3"), 0, 0, 0) == 3);
	assert_true(expr_eval(expr_parse(a, "a ? b ? 1 : 2 : 3"), 1, 0, 0) == 2);
	assert_true(expr_eval(expr_parse(a, "!a + !b"), 0, 5, 0) == 1);
	assert_true(expr_eval(expr_parse(a, "pow(a + 1, fabs(-b))"), 1, 3, 0) == 8);
	assert_true(expr_fn_is_libm("rint"));
	assert_false(expr_fn_is_libm("floor_mod"));
	assert_false(expr_fn_is_libm("wrap_add"));
	arena_free(a);
}

static void
integers(void **state)
{
	(void)state;
	assert_int_equal(int_div_i64(INT64_MIN, -1), INT64_MIN);
	assert_int_equal(int_div_i64(-7, 2), -3);
	assert_int_equal(int_div_i64(-7, 0), 0);
	assert_int_equal(int_mod_i64(-7, 3), 2);
	assert_int_equal(int_mod_i64(7, -3), -2);
	assert_int_equal(int_mod_i64(7, 0), 0);
	assert_int_equal(int_fmod_i64(-7, 3), -1);
	assert_int_equal(int_fmod_i64(INT64_MIN, -1), 0);
	assert_int_equal(int_pow_i64(-3, 3), -27);
	assert_int_equal(int_pow_i64(2, -1), 0);
	assert_int_equal(int_pow_i64(-1, -3), -1);
	assert_int_equal(wrap_to(I8, 128), -128);
	assert_int_equal(wrap_to(U8, -1), 255);
	assert_int_equal(wrap_to(I32, INT64_C(1) << 31), INT32_MIN);
	assert_int_equal(wrap_to(U64, -1), -1);
	assert_int_equal(wrap_to(BOOL, 256), 1);
	assert_true(floor_mod(-1, 3) == 2 && floor_mod(1, -3) == -2 && floor_mod(-3, 3) == 0);
}

/* known answers of the Random123 distribution */
static void
philox_known_answers(void **state)
{
	uint32_t x[4];

	(void)state;
	philox(0, 0, 0, x);
	assert_int_equal(x[0], 0x6627e8d5u);
	assert_int_equal(x[1], 0xe169c58du);
	assert_int_equal(x[2], 0xbc57ac4cu);
	assert_int_equal(x[3], 0x9b00dbd8u);
	philox(0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88, x);
	assert_int_equal(x[0], 0xd16cfe09u);
	assert_int_equal(x[1], 0x94fdccebu);
	assert_int_equal(x[2], 0x5001e420u);
	assert_int_equal(x[3], 0x24126ea1u);
}

/* ---- through graphs ---- */

typedef struct Rig {
	Arena *a;
	Graph *g;
	EvalCtx c;
} Rig;

static Rig
rig_new(void)
{
	Arena *a = arena_new();
	Rig r = {a, graph_new(a, "t"), {.arena = a, .symval = {3}}};

	r.g->nsym = 1;
	r.g->sym[0] = (Sym){.name = "B", .min = 1, .max = 9, .hint = 9};
	return r;
}

static Node *
leaf(Rig *r, const char *name, const char *type)
{
	Type t;

	assert_true(type_parse(r->g, type, (Loc){0}, &t));
	return node_leaf(r->g, &(Leaf){.role = INPUT, .name = name}, t);
}

static Tensor *
value(Rig *r, const char *type)
{
	Type t;

	assert_true(type_parse(r->g, type, (Loc){0}, &t));
	return tensor_new(&r->c, &t);
}

static Tensor *
run(Rig *r, Node *y, Tensor *const *in)
{
	port_add(r->g, &r->g->out, "y", y, (Loc){0});
	return eval_graph(&r->c, r->g, in)[y->id];
}

static void
operands_broadcast(void **state)
{
	Rig r = rig_new();
	Node *p = leaf(&r, "p", "f64[B,1,2]"), *q = leaf(&r, "q", "f64[4,1]");
	Tensor *in[] = {value(&r, "f64[B,1,2]"), value(&r, "f64[4,1]")}, *y;

	(void)state;
	for (int i = 0; i < 6; i++)
		in[0]->f[i] = i;
	for (int i = 0; i < 4; i++)
		in[1]->f[i] = 10 * i;
	Node *n = Sub(p, q);
	assert_string_equal(tt(n), "f64[B,4,2]");
	y = run(&r, n, in);
	assert_int_equal(y->n, 24);
	for (int i = 0; i < 24; i++)
		assert_true(y->f[i] == i / 8 * 2 + i % 2 - 10 * (i / 2 % 4));
	arena_free(r.a);
}

static void
where_selects(void **state)
{
	Rig r = rig_new();
	Node *m = leaf(&r, "m", "bool[2]"), *p = leaf(&r, "p", "f32[2]"), *q = leaf(&r, "q", "f32[]");
	Tensor *in[] = {value(&r, "bool[2]"), value(&r, "f32[2]"), value(&r, "f32[]")}, *y;

	(void)state;
	in[0]->i[1] = 1;
	in[1]->f[0] = NAN;
	in[1]->f[1] = (double)0.1f;
	in[2]->f[0] = 7;
	r.c.round = true;
	y = run(&r, Where(m, Mul(p, p), q), in);
	assert_true(y->f[0] == 7 && y->f[1] == (double)(0.1f * 0.1f));
	arena_free(r.a);
}

static void
integer_rows_wrap(void **state)
{
	Rig r = rig_new();
	Node *p = leaf(&r, "p", "u8[2]"), *q = leaf(&r, "q", "u8[2]");
	Tensor *in[] = {value(&r, "u8[2]"), value(&r, "u8[2]")}, *y;

	(void)state;
	in[0]->i[0] = 3;
	in[0]->i[1] = 200;
	in[1]->i[0] = 5;
	in[1]->i[1] = 100;
	y = run(&r, Sub(p, q), in);
	assert_int_equal(y->i[0], 254);
	assert_int_equal(y->i[1], 100);
	y = run(&r, Gt(Neg(p), q), in);
	assert_int_equal(y->i[0], 1);
	assert_int_equal(y->i[1], 0);
	arena_free(r.a);
}

static int64_t
cast_of(DType from, double f, int64_t i, DType to)
{
	Rig r = rig_new();
	Node *p = node_leaf(r.g, &(Leaf){.role = INPUT, .name = "p"}, type_scalar(from));
	Tensor *in[] = {tensor_new(&r.c, &p->type)};
	int64_t v;

	if (in[0]->f)
		in[0]->f[0] = f;
	else
		in[0]->i[0] = i;
	v = run(&r, Cast(p, to), in)->i[0];
	arena_free(r.a);
	return v;
}

static void
casts(void **state)
{
	(void)state;
	assert_int_equal(cast_of(F64, 300, 0, I8), 127);
	assert_int_equal(cast_of(F64, -300, 0, I8), -128);
	assert_int_equal(cast_of(F64, -1.9, 0, I32), -1);
	assert_int_equal(cast_of(F64, -1.9, 0, U8), 0);
	assert_int_equal(cast_of(F64, 255.9, 0, U8), 255);
	assert_int_equal(cast_of(F64, NAN, 0, I64), 0);
	assert_int_equal(cast_of(F64, INFINITY, 0, I64), INT64_MAX);
	assert_int_equal(cast_of(F64, -INFINITY, 0, I64), INT64_MIN);
	assert_int_equal((uint64_t)cast_of(F64, 1.5e19, 0, U64), UINT64_C(15000000000000000000));
	assert_int_equal((uint64_t)cast_of(F64, 1e20, 0, U64), UINT64_MAX);
	assert_int_equal(cast_of(F64, -0.5, 0, BOOL), 1);
	assert_int_equal(cast_of(F64, NAN, 0, BOOL), 1);
	assert_int_equal(cast_of(I64, 0, 257, U8), 1);
	assert_int_equal(cast_of(I64, 0, 256, BOOL), 1);
	assert_int_equal(cast_of(I64, 0, -1, U64), -1);
}

/* 2^54 + 2^30 + 1 is just above a tie of float; through double it would be the tie, and round to even */
static void
cast_rounds_once(void **state)
{
	Rig r = rig_new();
	Node *p = leaf(&r, "p", "i64[]");
	Tensor *in[] = {value(&r, "i64[]")};

	(void)state;
	in[0]->i[0] = (INT64_C(1) << 54) + (INT64_C(1) << 30) + 1;
	r.c.round = true;
	assert_true(run(&r, Cast(p, F32), in)->f[0] == ldexp(1, 54) + ldexp(1, 31));
	arena_free(r.a);
}

static void
arrays_come_back(void **state)
{
	static const struct { DType d; double f; int64_t i; } cases[] = {
		{F64, 0.1, 0}, {F32, 0.5, 0}, {F16, -1.5, 0}, {BF16, 3, 0}, {I64, 0, INT64_MIN}, {I32, 0, -2}, {I16, 0, -3},
		{I8, 0, -128}, {U64, 0, -1}, {U8, 0, 255}, {BOOL, 0, 1},
	};
	Rig r = rig_new();

	(void)state;
	for (int k = 0; k < LEN(cases); k++) {
		Type t = {.dt = cases[k].d, .rank = 1, .dim = {DIM(3)}};
		Tensor *x = tensor_new(&r.c, &t), *y;
		Array arr;
		if (x->f)
			x->f[1] = cases[k].f;
		else
			x->i[1] = cases[k].i;
		arr = tensor_to_array(r.a, x, "x");
		assert_int_equal(arr.nbytes, 3 * dtype_size(t.dt));
		y = tensor_from_array(&r.c, &arr);
		if (x->f)
			assert_true(y->f[1] == x->f[1] && y->f[2] == 0);
		else
			assert_true(y->i[1] == x->i[1] && y->i[2] == 0);
	}
	arena_free(r.a);
}

/* a literal exponent decides the edge cases of the derivative while it is built */
static void
literal_exponents_leave_no_selection(void **state)
{
	Rig r = rig_new();
	Node *p = leaf(&r, "p", "f32[3]"), *d[2] = {0}, *g = leaf(&r, "g", "f32[3]");

	(void)state;
	op_pow.vjp(Pow(p, Lit(p, 2)), &g, d);
	assert_int_equal(d[0]->op->id, OP_mul);
	for (int64_t i = 0; i < d[0]->id; i++)
		assert_int_not_equal(r.g->node[i]->op->id, OP_eq);
	arena_free(r.a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_parse_as_they_compile),
		cmocka_unit_test(every_map_op_has_a_row),
		cmocka_unit_test(grammar),
		cmocka_unit_test(integers),
		cmocka_unit_test(philox_known_answers),
		cmocka_unit_test(operands_broadcast),
		cmocka_unit_test(where_selects),
		cmocka_unit_test(integer_rows_wrap),
		cmocka_unit_test(casts),
		cmocka_unit_test(cast_rounds_once),
		cmocka_unit_test(arrays_come_back),
		cmocka_unit_test(literal_exponents_leave_no_selection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

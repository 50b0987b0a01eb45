/* op_map: pointwise ops, expanded from the rows of ops.def; cast and clamp.
 *
 * A row gives the value three times from one text: compiled for double, int64
 * and uint64 here, and parsed by expr.c for the emitter. Small integers are
 * computed in 64 bits and truncated, which is what wrapping in their own width
 * gives. Operands broadcast; vjp gives cotangents of the result's shape, and
 * whoever asked sums what broadcasting repeated. */
#include "ir.h"

#include <math.h>
#include <string.h>

#include "special.h"

static const double LN2 = 0.69314718055994530942;
static const double LN10 = 2.30258509299404568402;
static const double PI = 3.14159265358979323846;
static const double SQRT_PI_OVER_2 = 0.88622692545275801365;
static const double TWO_OVER_SQRT_PI = 1.12837916709551257390;
static const double ONE_OVER_SQRT_2PI = 0.39894228040143267794;
static const double SQRT_2_OVER_PI = 0.79788456080286535588;
static const double SQRT_2PI = 2.50662827463100050242;
static const double SQRT_HALF = 0.70710678118654752440;

/* ---- rows, compiled ---- */

/* functions of special.h by the names that rows have for them */
static double log_gamma(double a) { return rt_log_gamma_f64(a); }
static double digamma(double a) { return rt_digamma_f64(a); }
static double polygamma(double a, double b) { return rt_polygamma_f64(a, b); }
static double erfinv(double a) { return rt_erfinv_f64(a); }
static double ndtri(double a) { return rt_ndtri_f64(a); }
static double erfcx(double a) { return rt_erfcx_f64(a); }
static double i0e(double a) { return rt_i0e_f64(a); }
static double sinpi(double a) { return rt_sinpi_f64(a); }
static double i1e(double a) { return rt_i1e_f64(a); }

/* in the text of an integer row, the function of the operands' type */
#define ROW1(f, a) _Generic((a), int64_t: f##_i64, uint64_t: f##_u64)(a)
#define ROW2(f, a, b) _Generic((a), int64_t: f##_i64, uint64_t: f##_u64)((a), (b))
#define wrap_neg(a) ROW1(wrap_neg, a)
#define int_abs(a) ROW1(int_abs, a)
#define int_sign(a) ROW1(int_sign, a)
#define wrap_add(a, b) ROW2(wrap_add, a, b)
#define wrap_sub(a, b) ROW2(wrap_sub, a, b)
#define wrap_mul(a, b) ROW2(wrap_mul, a, b)
#define int_div(a, b) ROW2(int_div, a, b)
#define int_fmod(a, b) ROW2(int_fmod, a, b)
#define int_mod(a, b) ROW2(int_mod, a, b)
#define int_pow(a, b) ROW2(int_pow, a, b)
#define fold_in(a, b) ROW2(fold_in, a, b)
#define int_not(a) ROW1(int_not, a)
#define int_and(a, b) ROW2(int_and, a, b)
#define int_or(a, b) ROW2(int_or, a, b)
#define int_xor(a, b) ROW2(int_xor, a, b)
#define int_shl(a, b) ROW2(int_shl, a, b)
#define int_shr(a, b) ROW2(int_shr, a, b)
#define int_gcd(a, b) ROW2(int_gcd, a, b)
#define int_lcm(a, b) ROW2(int_lcm, a, b)

#define FLOAT_ROW(n, v) \
	static double f_##n(double a, double b, double c) { (void)a, (void)b, (void)c; return v; }
#define INT_ROW(n, v) \
	static int64_t i_##n(int64_t a, int64_t b, int64_t c) { (void)a, (void)b, (void)c; return v; } \
	static uint64_t u_##n(uint64_t a, uint64_t b, uint64_t c) { (void)a, (void)b, (void)c; return v; }
#define MAP1(n, N, cost, flags, v, da, doc) FLOAT_ROW(n, v)
#define MAP2(n, N, cost, flags, v, da, db, doc) FLOAT_ROW(n, v)
#define MAP3(n, N, cost, flags, v, da, db, dc, doc) FLOAT_ROW(n, v)
#define INT1(n, v, b) INT_ROW(n, v)
#define INT2(n, v, b) INT_ROW(n, v)
#define INT3(n, v, b) INT_ROW(n, v)
#define OP(n)
#include "ops.def"

/* the text is made here and not in one macro for all: there it would be expanded first */
#define FLOAT_FN(n) [OP_##n].f = f_##n,
#define INT_FNS(n, b) [OP_##n].i = i_##n, [OP_##n].u = u_##n, [OP_##n].on_bool = b,
static const MapRow rows[NOP] = {
#define MAP1(n, N, cost, flags, v, da, doc) [OP_##n].ftext = #v, FLOAT_FN(n)
#define MAP2(n, N, cost, flags, v, da, db, doc) [OP_##n].ftext = #v, FLOAT_FN(n)
#define MAP3(n, N, cost, flags, v, da, db, dc, doc) [OP_##n].ftext = #v, FLOAT_FN(n)
#define INT1(n, v, b) [OP_##n].itext = #v, INT_FNS(n, b)
#define INT2(n, v, b) [OP_##n].itext = #v, INT_FNS(n, b)
#define INT3(n, v, b) [OP_##n].itext = #v, INT_FNS(n, b)
#define OP(n)
#include "ops.def"
};

/* ---- types ---- */

static const char *
class_text(Class c)
{
	return c == C_BOOL ? "bool" : c == C_FLOAT ? "floats" : "integers";
}

/* does the row hold for the dtype of operand k? */
static bool
class_ok(Node *n, int k)
{
	const MapRow *m = n->op->map;
	Class c = dtype_class(n->in[k]->type.dt);
	bool ok = c == C_BOOL ? m->on_bool : c == C_FLOAT ? !(n->op->flags & INTEGERS) : m->itext != NULL;

	if (!ok)
		type_error_in(n, k, "not defined for %s: %s is %s\n"
			"{\"op\": \"cast\", \"in\": [%s], \"attrs\": {\"type\": \"%s\"}} converts",
			class_text(c), nn(n->in[k]), tt(n->in[k]),
			n->in[k]->name ? arena_fmt(n->g->arena, "\"%s\"", n->in[k]->name) : "...",
			m->itext ? "i32" : "f32");
	return ok;
}

static void
map_shape(Node *n)
{
	bool select = n->op->flags & SELECT;
	Type t;

	if (select && n->in[0]->type.dt != BOOL) {
		type_error_in(n, 0, "the condition must be bool: %s is %s", nn(n->in[0]), tt(n->in[0]));
		return;
	}
	if (!same_dtype(n, select) || !class_ok(n, select))
		return;
	if (!broadcast(n, (const Node *const *)n->in, n->nin, &t))
		return;
	t.dt = n->op->flags & TO_BOOL ? BOOL : n->in[select]->type.dt;
	n->type = t;
}

/* ---- derivatives, records, builders ---- */

/* a*a + b*b, and 1 at the origin, where the derivative is taken as 0 */
static Node *
atan2_norm(Node *a, Node *b)
{
	Node *r = Add(Square(a), Square(b));

	return Where(Eq(r, Lit(r, 0)), Lit(r, 1), r);
}

/* y / a, and where a is 0 the limit of i1(a) / a */
static Node *
over_or_half(Node *y, Node *a)
{
	Node *at_0 = Eq(a, Lit(a, 0));

	return Where(at_0, Lit(a, 0.5), Div(y, Where(at_0, Lit(a, 1), a)));
}

#define VJP_HEAD(n) \
	static void \
	vjp_##n(Node *y, Node *const *gs, Node **d) \
	{ \
		Node *g = gs[0], *a = y->in[0]; \
		(void)g, (void)a;
#define MAP1(n, N, cost, flags, v, da, doc) \
	VJP_HEAD(n) d[0] = da; }
#define MAP2(n, N, cost, flags, v, da, db, doc) \
	VJP_HEAD(n) Node *b = y->in[1]; (void)b; d[0] = da; d[1] = db; }
#define MAP3(n, N, cost, flags, v, da, db, dc, doc) \
	VJP_HEAD(n) Node *b = y->in[1], *c = y->in[2]; (void)b, (void)c; d[0] = da; d[1] = db; d[2] = dc; }
#define INT1(n, v, b)
#define INT2(n, v, b)
#define INT3(n, v, b)
#define OP(n)
#include "ops.def"

#define RECORD(n, k, names, c, fl, d) \
	const Op op_##n = {.name = #n, .id = OP_##n, .kind = MAP, .min_in = k, .max_in = k, .flags = fl, .cost = c, \
		.map = &rows[OP_##n], .operands = names, .doc = d, .shape = map_shape, .eval = map_eval, .vjp = vjp_##n};
#define MAP1(n, N, cost, flags, v, da, doc) \
	RECORD(n, 1, "a", cost, flags, doc) \
	Node *N(Node *a) { return node(a->g, &op_##n, &a, 1, NULL); }
#define MAP2(n, N, cost, flags, v, da, db, doc) \
	RECORD(n, 2, "a b", cost, flags, doc) \
	Node *N(Node *a, Node *b) { return node(a->g, &op_##n, (Node *[]){a, b}, 2, NULL); }
#define MAP3(n, N, cost, flags, v, da, db, dc, doc) \
	RECORD(n, 3, "a b c", cost, flags, doc) \
	Node *N(Node *a, Node *b, Node *c) { return node(a->g, &op_##n, (Node *[]){a, b, c}, 3, NULL); }
#define INT1(n, v, b)
#define INT2(n, v, b)
#define INT3(n, v, b)
#define OP(n)
#include "ops.def"

/* ---- cast ---- */

static void
cast_shape(Node *n)
{
	n->type = n->in[0]->type;
	n->type.dt = (DType)attr_of(n, "type")->i;
}

/* truncated toward zero, saturated; NaN is 0. The bits of an unsigned result. */
static int64_t
int_of_double(DType d, double x)
{
	int bits = 8 * dtype_size(d);
	double lo, hi;

	if (d == BOOL)
		return x != 0;
	if (x != x)
		return 0;
	x = trunc(x);
	lo = dtype_class(d) == C_UINT ? 0 : -ldexp(1, bits - 1);
	hi = ldexp(1, dtype_class(d) == C_UINT ? bits : bits - 1);     /* the first value too large */
	if (x < lo)
		x = lo;
	if (dtype_class(d) == C_UINT)
		return (int64_t)(x < hi ? (uint64_t)x : bits == 64 ? UINT64_MAX : (uint64_t)(hi - 1));
	return x < hi ? (int64_t)x : bits == 64 ? INT64_MAX : (int64_t)(hi - 1);
}

/* one rounding, from the integer itself: through double, large ones would be rounded twice */
static double
double_of_int(const Tensor *x, int64_t k, bool single)
{
	if (dtype_class(x->dt) == C_UINT)
		return single ? (double)(float)(uint64_t)x->i[k] : (double)(uint64_t)x->i[k];
	return single ? (double)(float)x->i[k] : (double)x->i[k];
}

static void
cast_eval(EvalCtx *c, const Node *n, Tensor *const *in, Tensor *out)
{
	const Tensor *x = in[0];

	(void)n;
	for (int64_t k = 0; k < out->n; k++) {
		if (out->f)
			out->f[k] = x->f ? x->f[k] : double_of_int(x, k, c->round && out->dt == F32);
		else if (x->f)
			out->i[k] = int_of_double(out->dt, x->f[k]);
		else
			out->i[k] = out->dt == BOOL ? x->i[k] != 0 : wrap_to(out->dt, x->i[k]);
	}
}

static void
cast_vjp(Node *y, Node *const *g, Node **d)
{
	DType from = y->in[0]->type.dt;

	if (dtype_float(from) && dtype_float(y->type.dt))
		d[0] = Cast(g[0], from);
}

static const AttrSpec cast_attr[] = {
	{"type", A_DTYPE, NULL, "dtype of the result", NULL},
	{0}
};
const Op op_cast = {.name = "cast", .id = OP_cast, .kind = MAP, .min_in = 1, .max_in = 1, .flags = CONVERT,
	.cost = 1, .attr = cast_attr, .operands = "a",
	.doc = "a in another dtype: floats to integers truncate and saturate, NaN gives 0; integers wrap; to bool is a != 0",
	.shape = cast_shape, .eval = cast_eval, .vjp = cast_vjp};

/* ---- clamp ---- */

static void
clamp_shape(Node *n)
{
	DType dt = n->in[0]->type.dt;

	if (!attr(n, 0)->set && !attr(n, 1)->set) {
		type_error(n, "neither min nor max is given");
		return;
	}
	if (dt == BOOL) {
		type_error_in(n, 0, "not defined for bool: %s is %s", nn(n->in[0]), tt(n->in[0]));
		return;
	}
	for (int i = 0; i < 2; i++)
		if (!dtype_float(dt) && attr(n, i)->set && !attr(n, i)->is_int) {
			type_error(n, "%s is %g, which is no integer; %s is %s", n->op->attr[i].name, attr(n, i)->f,
				nn(n->in[0]), tt(n->in[0]));
			return;
		}
	n->type = n->in[0]->type;
}

static int64_t
saturate(DType d, int64_t v)
{
	if (dtype_class(d) == C_UINT && v < 0)
		return 0;
	return dtype_size(d) == 8 ? v : int_of_double(d, (double)v);
}

/* a bound as a literal of x's dtype; integers saturate to its range */
static Node *
bound(const Node *x, const Attr *a)
{
	DType d = x->type.dt;

	return dtype_float(d) ? Lit(x, a->f) : LitI(x->g, d, saturate(d, a->i));
}

/* x where it lies within the bounds, so that the cotangent passes there, ends included, and nowhere
 * else; a bound, or NaN, otherwise: PyTorch's values and derivatives, min > max included. */
static void
clamp_compose(Node *n, bool training, Node **res)
{
	Node *x = n->in[0], *inside = NULL, *limit = x;

	(void)training;
	if (attr(n, 0)->set) {
		Node *lo = bound(x, attr(n, 0));
		inside = Ge(x, lo);
		limit = Maximum(limit, lo);
	}
	if (attr(n, 1)->set) {
		Node *hi = bound(x, attr(n, 1));
		inside = inside ? LogicalAnd(inside, Le(x, hi)) : Le(x, hi);
		limit = Minimum(limit, hi);
	}
	res[0] = Where(inside, x, StopGradient(limit));
}

static const AttrSpec clamp_attr[] = {
	{"min", A_NUM, "null", "lower bound; null: none", NULL},
	{"max", A_NUM, "null", "upper bound; null: none", NULL},
	{0}
};
const Op op_clamp = {.name = "clamp", .id = OP_clamp, .kind = COMPOSITE, .min_in = 1, .max_in = 1, .cost = 4,
	.attr = clamp_attr, .operands = "a",
	.doc = "a limited to [min, max]; the derivative is 1 where min <= a <= max",
	.shape = clamp_shape, .compose = clamp_compose};

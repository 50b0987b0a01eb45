/* bound: how far a program in the dtypes of a graph may lie from the interpreter.
 *
 * Running error analysis (Wilkinson; Higham, Accuracy and Stability of Numerical
 * Algorithms, section 3.3): beside each value, computed in double, goes a bound
 * of what its rounding, the rounding of its operands and any order of summation
 * can do to it. Where a comparison or a conversion to integers may fall either
 * way, the bound covers both; where too little is known it is infinite. Works by
 * kind of op, from the rows' expressions. A bound of integers and bool is the
 * greatest difference. */
#include "ir.h"

#include <math.h>
#include <string.h>

/* sums run over at most RUN terms one after another, then over at most RUN sums of those, and so on; lanes are
 * combined pairwise: docs/passes.md */
enum { RUN = 256, CALL_ULP = 4 };

static double
unit(DType d)
{
	switch (d) {
	case F64:  return 0x1p-52;             /* twice: the interpreter rounds as well */
	case F32:  return 0x1p-24 + 0x1p-52;
	case F16:  return 0x1p-11;
	case BF16: return 0x1p-8;
	default:   return 0;
	}
}

static double
tiniest(DType d)
{
	return d == F64 ? 0x1p-1074 : d == BF16 ? 0x1p-133 : d == F16 ? 0x1p-24 : d == F32 ? 0x1p-149 : 0;
}

static double
largest(DType d)
{
	return d == F64 ? 0x1.fffffffffffffp1023 : d == F32 ? 0x1.fffffep127 : d == F16 ? 65504 : 0x1.fep127;
}

/* a * b for bounds: nothing times anything is nothing */
static double
times(double a, double b)
{
	return a == 0 || b == 0 ? 0 : a * b;
}

/* the bound of a value that may have overflowed, or whose own bound is no number, is infinite */
static double
settle(DType d, double v, double e)
{
	if (isnan(e) || (isfinite(v) && dtype_float(d) && fabs(v) + e > largest(d)))
		return INFINITY;
	return e;
}

static double
rounding(DType d, double v)
{
	return isfinite(v) ? unit(d) * fabs(v) + tiniest(d) : 0;
}

static double
number(const Tensor *t, int64_t k)
{
	if (t->f)
		return t->f[k];
	return t->dt == U64 ? (double)(uint64_t)t->i[k] : (double)t->i[k];
}

/* ---- pointwise ops: the row's expression with bounds ---- */

typedef struct Approx { double v, e; } Approx;

static bool
same_value(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

/* does the truth of what is computed depend on rounding? */
static bool
doubtful(Approx x)
{
	return x.e > 0 && !(fabs(x.v) > x.e);
}

static Approx
choose(Approx c, Approx yes, Approx no)
{
	Approx r = c.v != 0 ? yes : no;

	if (doubtful(c) && !(same_value(yes.v, no.v) && yes.e == no.e))
		r.e = same_value(yes.v, no.v) ? MAX(yes.e, no.e) : MAX(yes.e, no.e) + fabs(yes.v - no.v);
	return r;
}

static Approx
compare(const char *op, Approx l, Approx r)
{
	double v = op[0] == '=' ? l.v == r.v : op[0] == '!' ? l.v != r.v
		: op[0] == '<' ? (op[1] ? l.v <= r.v : l.v < r.v) : (op[1] ? l.v >= r.v : l.v > r.v);
	double e = l.e + r.e;

	return (Approx){v, e > 0 && !(fabs(l.v - r.v) > e)};
}

static Approx
logical(bool and, Approx l, Approx r)
{
	bool dl = doubtful(l), dr = doubtful(r), vl = l.v != 0, vr = r.v != 0;
	bool settled = (!dl && vl != and) || (!dr && vr != and);     /* one operand decides */

	return (Approx){and ? vl && vr : vl || vr, !settled && (dl || dr)};
}

static Approx
binary(DType d, const char *op, Approx l, Approx r)
{
	Approx x = {0, 0};

	switch (op[0]) {
	case '+':
	case '-':
		x.v = op[0] == '+' ? l.v + r.v : l.v - r.v;
		x.e = l.e + r.e;
		break;
	case '*':
		x.v = l.v * r.v;
		x.e = times(fabs(l.v), r.e) + times(l.e, fabs(r.v)) + times(l.e, r.e);
		break;
	case '/':
		x.v = l.v / r.v;
		if (l.e > 0 || r.e > 0)
			x.e = (l.e + times(fabs(x.v), r.e)) / MAX(fabs(r.v) - r.e, 0);
		break;
	case '&':
	case '|':
		return logical(op[0] == '&', l, r);
	default:
		return compare(op, l, r);
	}
	if (isinf(l.e) || isinf(r.e))          /* it may be infinite or no number */
		x.e = INFINITY;
	x.e = settle(d, x.v, x.e + rounding(d, x.v));
	return x;
}

/* error of a function: units in the last place of its result in dtype d, and near its zeros a part that does not
 * shrink with it, in multiples of 2^-52, since what it is made of does not */
static double
call_error(DType d, const char *name, double v)
{
	static const struct { const char *name; double ulp, fixed; } known[] = {
		{"fabs", 0, 0}, {"floor", 0, 0}, {"ceil", 0, 0}, {"trunc", 0, 0}, {"rint", 0, 0}, {"fmod", 0, 0},
		{"copysign", 0, 0}, {"sqrt", 0.5, 0}, {"i0e", 8, 0}, {"i1e", 8, 0},
		{"digamma", CALL_ULP, 16}, {"log_gamma", CALL_ULP, 64}, {"polygamma", 8, 0},
	};

	for (int i = 0; i < LEN(known); i++)
		if (!strcmp(name, known[i].name))
			return 2 * known[i].ulp * rounding(d, v) + 0x1p-52 * known[i].fixed;
	return 2 * CALL_ULP * rounding(d, v);
}

/* x mod y: as far off as x and the multiples of y taken away, unless their number may differ */
static double
remainder_bound(Approx x, Approx y)
{
	double lo = INFINITY, hi = -INFINITY;

	if (y.e > 0 && !(fabs(y.v) > y.e))
		return INFINITY;
	for (int k = 0; k < 4; k++) {
		double q = floor((x.v + (k & 1 ? x.e : -x.e)) / (y.v + (k & 2 ? y.e : -y.e)));
		lo = MIN(lo, q);
		hi = MAX(hi, q);
	}
	return lo == hi ? x.e + times(fabs(lo) + 1, y.e) : 2 * (fabs(y.v) + y.e);
}

/* A function of the rows over small intervals: monotone, or symmetric about an extremum, so that
 * it differs most at a corner. One that is no number in the middle may be one nearby. */
static double
corner_bound(const Expr *f, const Approx *x, double v)
{
	double e = 0;

	if (isnan(v) && !isnan(x[0].v) && !isnan(x[1].v))
		return INFINITY;
	for (int k = 0; k < 4; k++) {
		double w = expr_eval(f, x[0].v + (k & 1 ? x[0].e : -x[0].e), x[1].v + (k & 2 ? x[1].e : -x[1].e), 0);
		if (!same_value(w, v))
			e = isnan(w - v) ? INFINITY : MAX(e, fabs(w - v));
	}
	return e;
}

static bool
periodic(const char *name)
{
	return !strcmp(name, "sin") || !strcmp(name, "cos") || !strcmp(name, "tan");
}

/* the angle jumps where y is zero and x is not positive */
static bool
may_jump(const char *name, const Approx *x)
{
	return !strcmp(name, "atan2") && x[0].e > 0 && !(fabs(x[0].v) > x[0].e) && !(x[1].v > x[1].e);
}

static Approx
call(DType d, const Expr *e, const Approx *x)
{
	Expr leaf[2] = {{.kind = E_ARG, .arg = 0}, {.kind = E_ARG, .arg = 1}}, f = *e;
	Approx r = {0, 0};

	f.x[0] = &leaf[0];
	f.x[1] = &leaf[1];
	r.v = expr_eval(&f, x[0].v, x[1].v, 0);
	if (isinf(x[0].e) || isinf(x[1].e) || (x[0].e > 1 && periodic(e->op)) || may_jump(e->op, x))
		r.e = INFINITY;
	else if (x[0].e > 0 || x[1].e > 0)
		r.e = strstr(e->op, "mod") ? remainder_bound(x[0], x[1]) : corner_bound(&f, x, r.v);
	r.e = settle(d, r.v, r.e + call_error(d, e->op, r.v));
	return r;
}

static Approx
approx(DType d, const Expr *e, const Approx *arg)
{
	Approx x[3] = {{0, 0}};

	for (int i = 0; i < e->nx; i++)
		x[i] = approx(d, e->x[i], arg);
	switch (e->kind) {
	case E_ARG:    return arg[e->arg];
	case E_NUM:    return (Approx){e->num, dtype_float(d) ? fabs(e->num - round_to(d, e->num)) : 0};
	case E_UNARY:  return e->op[0] == '-' ? (Approx){-x[0].v, x[0].e} : (Approx){x[0].v == 0, doubtful(x[0])};
	case E_BINARY: return binary(d, e->op, x[0], x[1]);
	case E_COND:   return choose(x[0], x[1], x[2]);
	case E_CALL:   return call(d, e, x);
	}
	return x[0];
}

static bool
calls(const Expr *e)
{
	for (int i = 0; i < e->nx; i++)
		if (calls(e->x[i]))
			return true;
	return e->kind == E_CALL;
}

/* element of operand x that element k of out reads */
static int64_t
broadcast_index(const Tensor *x, const Tensor *out, int64_t k)
{
	int64_t o = 0, stride = 1;

	for (int d = out->rank - 1; d >= 0; d--) {
		int64_t at = k % out->dim[d];
		int own = d - (out->rank - x->rank);
		k /= out->dim[d];
		if (own < 0)
			continue;
		o += x->dim[own] == 1 ? 0 : at * stride;
		stride *= x->dim[own];
	}
	return o;
}

static bool
inexact(const Bounded *in, int nin)
{
	for (int i = 0; i < nin; i++)
		if (in[i].e)
			return true;
	return false;
}

static double *
bounds_new(EvalCtx *c, const Tensor *t)
{
	return NEW(c->arena, MAX(t->n, 1), double);
}

static double *
unknown(EvalCtx *c, const Tensor *t)
{
	double *e = bounds_new(c, t);

	for (int64_t k = 0; k < t->n; k++)
		e[k] = INFINITY;
	return e;
}

static double *
bound_row(EvalCtx *c, const Node *n, const Bounded *in, const Tensor *out)
{
	DType d = n->in[n->nin - 1]->type.dt;
	const Expr *expr = map_expr(c->arena, n->op, dtype_class(d));
	double *e;

	if (!dtype_float(d)) {
		if (!inexact(in, n->nin))
			return NULL;
		if (calls(expr))               /* wraps: no interval tells */
			return unknown(c, out);
	}
	e = bounds_new(c, out);
	for (int64_t k = 0; k < out->n; k++) {
		Approx arg[MAXIN] = {{0, 0}};
		for (int i = 0; i < n->nin; i++) {
			int64_t at = broadcast_index(in[i].v, out, k);
			arg[i] = (Approx){number(in[i].v, at), in[i].e ? in[i].e[at] : 0};
		}
		e[k] = approx(d, expr, arg).e;
	}
	return e;
}

/* ---- the others ---- */

/* what the op makes of numbers: v + sign * e for each operand, or |v| + e */
enum { BELOW, ABOVE, BOUND_ONLY, MAGNITUDE, NOTHING };

static Tensor *
floats_of(EvalCtx *c, const Bounded *x, int how)
{
	Tensor *t = NEW(c->arena, 1, Tensor);

	*t = *x->v;
	t->i = NULL;
	t->f = NEW(c->arena, MAX(t->n, 1), double);
	for (int64_t k = 0; k < t->n; k++) {
		double v = number(x->v, k), e = x->e ? x->e[k] : 0;
		t->f[k] = how == BELOW ? v - e : how == ABOVE ? v + e : how == BOUND_ONLY ? e
			: how == MAGNITUDE ? fabs(v) + e : 0;
	}
	return t;
}

/* the op on such numbers, in double; operands named by the bit set `keep` stay as they are */
static Tensor *
eval_as(EvalCtx *c, const Node *n, const Bounded *in, const int *how, unsigned keep)
{
	Tensor **x = NEW(c->arena, MAX(n->nin, 1), Tensor *), *out;
	Type t = n->type;

	t.dt = F64;
	out = tensor_new(c, &t);
	for (int i = 0; i < n->nin; i++)
		x[i] = keep >> i & 1 ? in[i].v : floats_of(c, &in[i], how[i]);
	n->op->eval(c, n, x, out);
	return out;
}

static Tensor *
eval_all_as(EvalCtx *c, const Node *n, const Bounded *in, int how, unsigned keep)
{
	int *all = NEW(c->arena, MAX(n->nin, 1), int);

	for (int i = 0; i < n->nin; i++)
		all[i] = how;
	return eval_as(c, n, in, all, keep);
}

/* between the values at both ends of the operands' intervals; keep: operands that stay as they are */
static double *
bound_between(EvalCtx *c, const Node *n, const Bounded *in, const Tensor *out, unsigned keep)
{
	Tensor *end[2] = {eval_all_as(c, n, in, BELOW, keep), eval_all_as(c, n, in, ABOVE, keep)};
	double *e = bounds_new(c, out);

	for (int64_t k = 0; k < out->n; k++)
		for (int i = 0; i < 2; i++) {
			double v = end[i]->f[k], w = number(out, k);
			if (!same_value(v, w))
				e[k] = isnan(v - w) ? INFINITY : MAX(e[k], fabs(v - w));
		}
	return e;
}

static double *
bound_monotone(EvalCtx *c, const Node *n, const Bounded *in, const Tensor *out)
{
	return bound_between(c, n, in, out, 0);
}

static double *
bound_cast(EvalCtx *c, const Node *n, const Bounded *in, const Tensor *out)
{
	double *e = NULL;

	if (in[0].e && out->f)
		e = floats_of(c, &in[0], BOUND_ONLY)->f;
	else if (in[0].e) {
		EvalCtx plain = *c;
		Tensor *lo = floats_of(c, &in[0], BELOW), *hi = floats_of(c, &in[0], ABOVE);
		lo = eval_node(&plain, n, &lo);
		hi = eval_node(&plain, n, &hi);
		e = bounds_new(c, out);
		for (int64_t k = 0; k < out->n; k++)
			e[k] = isinf(in[0].e[k]) ? INFINITY
				: out->dt == BOOL ? doubtful((Approx){number(in[0].v, k), in[0].e[k]})
				: MAX(number(hi, k) - number(out, k), number(out, k) - number(lo, k));
	}
	if (!out->f || unit(out->dt) <= unit(n->in[0]->type.dt) * (n->in[0]->type.dt != F64))
		return e;
	e = e ? e : bounds_new(c, out);
	for (int64_t k = 0; k < out->n; k++)
		e[k] = settle(out->dt, out->f[k], e[k] + rounding(out->dt, out->f[k]));
	return e;
}

/* elements move: the difference of two moved tensors forgets what a view fills in */
static double *
bound_view(EvalCtx *c, const Node *n, const Bounded *in, const Tensor *out)
{
	const Attr *a = out->f ? view_fill(n) : NULL;
	double fill_e = a ? fabs(a->f - round_to(out->dt, a->f)) : 0;
	Tensor *moved, *fill;
	double *e;

	if (!inexact(in, n->nin) && !(fill_e > 0))
		return NULL;
	moved = eval_all_as(c, n, in, BOUND_ONLY, 0);
	fill = eval_all_as(c, n, in, NOTHING, 0);
	e = bounds_new(c, out);
	for (int64_t k = 0; k < out->n; k++)
		e[k] = same_value(moved->f[k], fill->f[k]) ? (fill_e > 0 && out->f[k] == a->f) * fill_e
			: moved->f[k] - fill->f[k];
	return e;
}

/* what takes a bit from an element that may be another one may be another one itself */
static double *
bound_bits(EvalCtx *c, const Node *n, const Bounded *in, const Tensor *out)
{
	Type t = n->in[0]->type;
	Tensor *may, *of;
	double *e;

	if (!in[0].e)
		return NULL;
	of = tensor_new(c, &t);
	for (int64_t k = 0; k < of->n; k++)
		of->i[k] = in[0].e[k] != 0 ? (t.dt == BOOL ? 1 : UINT8_MAX) : 0;
	may = eval_node(c, n, (Tensor *const []){of});
	e = bounds_new(c, out);
	for (int64_t k = 0; k < out->n; k++)
		e[k] = may->i[k] ? INFINITY : 0;
	return e;
}

/* roundings on the way of one of `terms` terms into their sum */
static double
depth(int64_t terms)
{
	double runs = 0, pairs = 0;

	for (int64_t k = terms; k > 1; k = k / RUN + (k % RUN != 0))
		runs += (double)MIN(k, RUN);
	for (int64_t k = 1; k < terms; k *= 2)
		pairs++;
	return MAX(runs, 1) + pairs + 1;
}

/* e + roundings on the way of a term into a sum, whose terms' magnitudes add up to sum[k] */
static void
add_roundings(double *e, const Tensor *out, const Tensor *sum, double roundings)
{
	for (int64_t k = 0; k < out->n; k++)
		e[k] = settle(out->dt, out->f[k], e[k]
			+ (isfinite(sum->f[k]) ? roundings * (unit(out->dt) * sum->f[k] + tiniest(out->dt)) : 0));
}

static double *
bound_sum(EvalCtx *c, const Node *n, const Bounded *in, const Tensor *out)
{
	double *e = in[0].e ? eval_all_as(c, n, in, BOUND_ONLY, 0)->f : bounds_new(c, out);

	if (out->f)
		add_roundings(e, out, eval_all_as(c, n, in, MAGNITUDE, 0), depth(in[0].v->n / MAX(out->n, 1)));
	return out->f || in[0].e ? e : NULL;
}

static double *
bound_prod(EvalCtx *c, const Node *n, const Bounded *in, const Tensor *out)
{
	Tensor *most;
	double *e;

	if (!out->f)
		return in[0].e ? unknown(c, out) : NULL;
	most = eval_all_as(c, n, in, MAGNITUDE, 0);
	e = bounds_new(c, out);
	for (int64_t k = 0; k < out->n; k++)
		e[k] = isfinite(out->f[k]) ? most->f[k] - fabs(out->f[k]) : 0;
	/* a factor that underflows is lost with all that follows it */
	add_roundings(e, out, most, depth(in[0].v->n / MAX(out->n, 1)));
	for (int64_t k = 0; k < out->n; k++)
		if (most->f[k] != 0 && (most->f[k] < 1e6 * tiniest(out->dt) || most->f[k] > 1e-6 * largest(out->dt)))
			e[k] = INFINITY;
	return e;
}

static double *
bound_reduce(EvalCtx *c, const Node *n, const Bounded *in, const Tensor *out)
{
	switch (n->op->combine) {
	case R_SUM:
		return bound_sum(c, n, in, out);
	case R_PROD:
		return bound_prod(c, n, in, out);
	case R_MAX:
	case R_MIN:
		return in[0].e ? bound_monotone(c, n, in, out) : NULL;
	default:
		return in[0].e ? unknown(c, out) : NULL;
	}
}

/* products that one element of a contraction adds up */
static int64_t
dot_terms(const Node *n, const Bounded *in)
{
	DotSpec d = dot_spec(n);
	int64_t terms = 1;

	for (int i = 0; i < 2; i++)
		for (const char *l = d.label[i]; *l; l++)
			if (!strchr(d.label[2], *l) && !(i && strchr(d.label[0], *l)))
				terms *= in[i].v->dim[l - d.label[i]];
	return terms;
}

static double *
bound_dot(EvalCtx *c, const Node *n, const Bounded *in, const Tensor *out)
{
	static const int how[2][2] = {{BOUND_ONLY, MAGNITUDE}, {MAGNITUDE, BOUND_ONLY}};
	double *e = bounds_new(c, out);

	if (!out->f)
		return inexact(in, 2) ? unknown(c, out) : NULL;
	for (int i = 0; i < 2; i++) {
		Tensor *part = in[i].e ? eval_as(c, n, in, how[i], 0) : NULL;
		for (int64_t k = 0; part && k < out->n; k++)
			e[k] += part->f[k];
	}
	add_roundings(e, out, eval_all_as(c, n, in, MAGNITUDE, 0), depth(dot_terms(n, in) + 1));
	return e;
}

/* of a scatter that multiplies: as a product, see bound_prod() */
static double *
bound_factors(EvalCtx *c, const Node *n, const Bounded *in, const Tensor *out)
{
	Tensor *most = eval_all_as(c, n, in, MAGNITUDE, 2);
	double *e = bounds_new(c, out);

	for (int64_t k = 0; k < out->n; k++)
		e[k] = isfinite(out->f[k]) ? most->f[k] - fabs(out->f[k]) : 0;
	add_roundings(e, out, most, (double)in[1].v->n + 1);
	for (int64_t k = 0; k < out->n; k++)
		if (most->f[k] != 0 && (most->f[k] < 1e6 * tiniest(out->dt) || most->f[k] > 1e-6 * largest(out->dt)))
			e[k] = INFINITY;
	return e;
}

static double *
bound_index(EvalCtx *c, const Node *n, const Bounded *in, const Tensor *out)
{
	Combine how = n->op->combine;
	bool scatters = n->op->flags & SCATTERS && (how == R_SUM || how == R_PROD);
	double *e;

	if (in[1].e || (!out->f && how == R_PROD && inexact(in, n->nin)))
		return unknown(c, out);
	if (how == R_PROD && out->f)
		return bound_factors(c, n, in, out);
	if (how == R_MAX || how == R_MIN)
		return inexact(in, n->nin) ? bound_between(c, n, in, out, 2) : NULL;
	if (!inexact(in, n->nin) && !(scatters && out->f))
		return NULL;
	e = eval_all_as(c, n, in, BOUND_ONLY, 2)->f;
	if (scatters && out->f)
		add_roundings(e, out, eval_all_as(c, n, in, MAGNITUDE, 2), (double)in[1].v->n + 1);   /* one by one */
	return e;
}

/* Polynomials in the operands with coefficients of one sign: no further off than if all were positive. What is
 * carried along rounds as f64, an element once more as its dtype. */
static double *
bound_polynomial(EvalCtx *c, const Node *n, const Bounded *in, const Tensor *out)
{
	Bounded *exact = NEW(c->arena, n->nin, Bounded);
	Tensor *most, *least;
	double *e = bounds_new(c, out), terms = 2 * (double)MAX(in[0].v->n, 1);

	if (!out->f)
		return inexact(in, n->nin) ? unknown(c, out) : NULL;
	for (int i = 0; i < n->nin; i++)
		exact[i].v = in[i].v;
	most = eval_all_as(c, n, in, MAGNITUDE, 0);
	least = eval_all_as(c, n, exact, MAGNITUDE, 0);
	for (int64_t k = 0; k < out->n; k++) {
		e[k] = (isfinite(out->f[k]) ? most->f[k] - least->f[k] : 0) + terms * rounding(F64, most->f[k]);
		if (n->op->combine == R_PROD && most->f[k] != 0 && most->f[k] < 1e6 * tiniest(F64))
			e[k] = INFINITY;       /* factors that follow an underflow are lost */
		e[k] = settle(out->dt, out->f[k], e[k] + rounding(out->dt, out->f[k]));
	}
	return e;
}

/* as far off as the operand at most, and what is carried rounds as f64 */
static double *
bound_logsum(EvalCtx *c, const Node *n, const Bounded *in, const Tensor *out)
{
	double *e = in[0].e ? bound_monotone(c, n, in, out) : bounds_new(c, out), most = 1;

	for (int64_t k = 0; k < out->n; k++)
		if (isfinite(out->f[k]))
			most = MAX(most, fabs(out->f[k]));
	for (int64_t k = 0; k < out->n; k++)
		e[k] = settle(out->dt, out->f[k], e[k] + 2 * CALL_ULP * (double)out->n * unit(F64) * most
			+ rounding(out->dt, out->f[k]));
	return e;
}

static double *
bound_ordered(EvalCtx *c, const Node *n, const Bounded *in, const Tensor *out)
{
	switch (n->op->combine) {
	case R_SUM:
	case R_PROD:
	case R_LINEAR:
		return bound_polynomial(c, n, in, out);
	case R_LOGSUM:
		return bound_logsum(c, n, in, out);
	default:               /* which element it is may depend on rounding */
		return in[0].e ? unknown(c, out) : NULL;
	}
}

static double *
bound_source(EvalCtx *c, const Node *n, const Tensor *out)
{
	double *e = out->f ? bounds_new(c, out) : NULL;

	for (int64_t k = 0; out->f && k < out->n; k++) {
		double v = out->f[k], err = isfinite(v) ? fabs(v - round_to(out->dt, v)) : 0;
		if (n->op->flags & RANDOM)     /* computed in double from functions of libm, rounded once */
			err = MAX(err, rounding(out->dt, v) + 64 * unit(F64));
		e[k] = err;
	}
	return e;
}

/* ---- scans ---- */

static Bounded
bounded_element(Arena *a, const Bounded *x, int64_t t)
{
	Bounded y = {.v = tensor_element(a, x->v, t)};

	y.e = x->e ? x->e + t * y.v->n : NULL;
	return y;
}

static Bounded
bounded_copy(EvalCtx *c, const Type *t, const Bounded *x)
{
	Bounded y = {.v = tensor_new(c, t)};

	if (y.v->f)
		memcpy(y.v->f, x->v->f, (size_t)y.v->n * sizeof *y.v->f);
	else
		memcpy(y.v->i, x->v->i, (size_t)y.v->n * sizeof *y.v->i);
	if (x->e)
		y.e = memcpy(bounds_new(c, y.v), x->e, (size_t)y.v->n * sizeof *y.e);
	return y;
}

/* x as element t of ys */
static void
bounded_store(EvalCtx *c, Bounded *ys, int64_t t, const Bounded *x)
{
	Tensor *to = tensor_element(c->arena, ys->v, t);

	if (to->f)
		memcpy(to->f, x->v->f, (size_t)to->n * sizeof *to->f);
	else
		memcpy(to->i, x->v->i, (size_t)to->n * sizeof *to->i);
	if (x->e && !ys->e)
		ys->e = bounds_new(c, ys->v);
	if (x->e)
		memcpy(ys->e + t * to->n, x->e, (size_t)to->n * sizeof *ys->e);
}

/* one step; carries are replaced, ys stored in theirs */
static void
bound_step(EvalCtx *c, const ScanSpec *s, const Bounded *in, int64_t t, Bounded *res)
{
	Arena *a = arena_new();
	EvalCtx step = *c;
	Bounded *known = NEW(a, MAX(s->body->nnode, 1), Bounded), *val;

	step.arena = a;
	for (int k = 0; k < s->body->nleaf; k++)
		known[s->body->leaf[k]->node->id] = k < s->ncarry ? res[k]
			: k < s->ncarry + s->nxs ? bounded_element(a, &in[k], t) : in[k];
	val = bound_graph(&step, s->body, known);
	for (int r = s->ncarry; r < s->ncarry + s->nys; r++)
		bounded_store(c, &res[r], t, &val[s->body->out.p[r].v->id]);
	for (int r = 0; r < s->ncarry; r++)
		res[r] = bounded_copy(c, &s->body->out.p[r].v->type, &val[s->body->out.p[r].v->id]);
	c->bad_index |= step.bad_index;
	arena_free(a);
}

static Bounded
bound_scan(EvalCtx *c, const Node *n, const Bounded *in)
{
	ScanSpec s = scan_spec(n);
	int64_t length = dim_at(s.length, c->symval);
	int nres = s.ncarry + s.nys;
	Bounded *res = NEW(c->arena, nres, Bounded);

	for (int r = 0; r < s.ncarry; r++)
		res[r] = in[r];
	for (int r = s.ncarry; r < nres; r++)
		res[r].v = tensor_new(c, n->res ? &n->res[r] : &n->type);
	for (int64_t t = 0; t < length; t++)
		bound_step(c, &s, in, s.reverse ? length - 1 - t : t, res);
	return nres == 1 ? res[0] : (Bounded){.res = res};
}

/* ---- nodes and graphs ---- */

static double *
bound_of(EvalCtx *c, const Node *n, const Bounded *in, const Tensor *out)
{
	switch (n->op->kind) {
	case SOURCE: return bound_source(c, n, out);
	case MAP:    return n->op->map ? bound_row(c, n, in, out) : bound_cast(c, n, in, out);
	case VIEW:   return n->op->bit ? bound_bits(c, n, in, out) : bound_view(c, n, in, out);
	case PACK:   return bound_bits(c, n, in, out);
	case REDUCE: return bound_reduce(c, n, in, out);
	case DOT:    return bound_dot(c, n, in, out);
	case INDEX:  return bound_index(c, n, in, out);
	case ORDERED: return bound_ordered(c, n, in, out);
	default:     bug("bound: %s is not a core op", n->op->name);
	}
}

Bounded
bound_node(EvalCtx *c, const Node *n, const Bounded *in)
{
	Tensor **v = NEW(c->arena, MAX(n->nin, 1), Tensor *);
	Bounded r;

	if (n->op->kind == ITEM)
		return in[0].res[attr(n, 0)->i];
	if (n->op->run)
		return bound_scan(c, n, in);
	if (c->round)
		bug("bound: the interpreter must not round");
	for (int i = 0; i < n->nin; i++)
		v[i] = in[i].v;
	r.v = eval_node(c, n, v);
	r.e = bound_of(c, n, in, r.v);
	for (int64_t k = 0; r.e && k < r.v->n; k++)
		if (isnan(r.e[k]))
			r.e[k] = INFINITY;
	return r;
}

Bounded *
bound_graph(EvalCtx *c, const Graph *g, const Bounded *known)
{
	Bounded *val = NEW(c->arena, MAX(g->nnode, 1), Bounded), *in = NULL;
	bool *live = graph_live(c->arena, g);
	int64_t cap = 0;

	c->g = g;
	for (int64_t i = 0; i < g->nnode; i++) {
		const Node *n = g->node[i];
		if (known[i].v) {
			val[i] = known[i];
			continue;
		}
		if (!live[i])
			continue;
		while (cap < n->nin)
			in = arena_grow(c->arena, in, cap, &cap, (int64_t)sizeof *in);
		for (int k = 0; k < n->nin; k++)
			in[k] = val[n->in[k]->id];
		val[i] = bound_node(c, n, in);
	}
	return val;
}

bool
bound_holds(const Tensor *got, const Bounded *want, int64_t k)
{
	double g = number(got, k), w = number(want->v, k), e = want->e ? want->e[k] : 0;

	if (got->i && e == 0)
		return got->i[k] == want->v->i[k];
	return same_value(g, w) || isinf(e) || fabs(g - w) <= e;
}

int64_t
bound_first(const Tensor *got, const Bounded *want)
{
	for (int64_t k = 0; k < got->n; k++)
		if (!bound_holds(got, want, k))
			return k;
	return -1;
}

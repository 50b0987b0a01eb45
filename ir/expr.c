/* expr: the text of a pointwise row as a tree.
 *
 * Rows of ops.def are C expressions over a, b, c. They are compiled into gradc
 * (op_map.c) and parsed here once, so that the emitter prints a tree and never
 * pastes text. The grammar is C's from ?: down to unary - and !, with decimal
 * literals and the functions of one table. A literal has the type of the
 * operands: it is exact in every dtype that the row holds for.
 * expr_eval and expr_eval_int are the slow second road of the rows, for tests. */
#include "ir.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "special.h"

/* ---- the functions that rows may call ---- */

double
floor_mod(double a, double b)
{
	double m = fmod(a, b);

	return m != 0 && (m < 0) != (b < 0) ? m + b : m;
}

uint64_t wrap_neg_u64(uint64_t a) { return 0 - a; }
uint64_t wrap_add_u64(uint64_t a, uint64_t b) { return a + b; }
uint64_t wrap_sub_u64(uint64_t a, uint64_t b) { return a - b; }
uint64_t wrap_mul_u64(uint64_t a, uint64_t b) { return a * b; }
uint64_t int_abs_u64(uint64_t a) { return a; }
uint64_t int_sign_u64(uint64_t a) { return a != 0; }
uint64_t int_div_u64(uint64_t a, uint64_t b) { return b == 0 ? 0 : a / b; }
uint64_t int_fmod_u64(uint64_t a, uint64_t b) { return b == 0 ? 0 : a % b; }
uint64_t int_mod_u64(uint64_t a, uint64_t b) { return b == 0 ? 0 : a % b; }

uint64_t
int_pow_u64(uint64_t a, uint64_t b)
{
	uint64_t r = 1;

	for (; b; b >>= 1, a *= a)
		if (b & 1)
			r *= a;
	return r;
}

/* SplittableRandom's mixing (Steele, Lea, Flood 2014, figure 16: a variant of MurmurHash3's finaliser) */
static uint64_t
mix(uint64_t z)
{
	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return z ^ z >> 31;
}

uint64_t fold_in_u64(uint64_t a, uint64_t b) { return mix(mix(a) + (b + 1) * 0x9E3779B97F4A7C15u); }

int64_t wrap_neg_i64(int64_t a) { return (int64_t)(0 - (uint64_t)a); }
int64_t wrap_add_i64(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }
int64_t wrap_sub_i64(int64_t a, int64_t b) { return (int64_t)((uint64_t)a - (uint64_t)b); }
int64_t wrap_mul_i64(int64_t a, int64_t b) { return (int64_t)((uint64_t)a * (uint64_t)b); }
int64_t int_abs_i64(int64_t a) { return a < 0 ? wrap_neg_i64(a) : a; }
int64_t int_sign_i64(int64_t a) { return (a > 0) - (a < 0); }

int64_t
int_div_i64(int64_t a, int64_t b)
{
	return b == 0 ? 0 : b == -1 ? wrap_neg_i64(a) : a / b;
}

int64_t
int_fmod_i64(int64_t a, int64_t b)
{
	return b == 0 || b == -1 ? 0 : a % b;
}

int64_t
int_mod_i64(int64_t a, int64_t b)
{
	int64_t m = int_fmod_i64(a, b);

	return m != 0 && (m < 0) != (b < 0) ? m + b : m;
}

int64_t
int_pow_i64(int64_t a, int64_t b)
{
	if (b < 0)
		return a == 1 ? 1 : a == -1 ? (b % 2 ? -1 : 1) : 0;
	return (int64_t)int_pow_u64((uint64_t)a, (uint64_t)b);
}

uint64_t int_not_u64(uint64_t a) { return ~a; }
uint64_t int_and_u64(uint64_t a, uint64_t b) { return a & b; }
uint64_t int_or_u64(uint64_t a, uint64_t b) { return a | b; }
uint64_t int_xor_u64(uint64_t a, uint64_t b) { return a ^ b; }
uint64_t int_shl_u64(uint64_t a, uint64_t b) { return b < 64 ? a << b : 0; }
uint64_t int_shr_u64(uint64_t a, uint64_t b) { return b < 64 ? a >> b : 0; }
int64_t int_not_i64(int64_t a) { return ~a; }
int64_t int_and_i64(int64_t a, int64_t b) { return (int64_t)((uint64_t)a & (uint64_t)b); }
int64_t int_or_i64(int64_t a, int64_t b) { return (int64_t)((uint64_t)a | (uint64_t)b); }
int64_t int_xor_i64(int64_t a, int64_t b) { return (int64_t)((uint64_t)a ^ (uint64_t)b); }
int64_t int_shl_i64(int64_t a, int64_t b) { return (int64_t)int_shl_u64((uint64_t)a, (uint64_t)b); }

int64_t
int_shr_i64(int64_t a, int64_t b)
{
	uint64_t x = int_shr_u64((uint64_t)(a < 0 ? ~a : a), (uint64_t)b);

	return (int64_t)(a < 0 ? ~x : x);
}

uint64_t
int_gcd_u64(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t r = a % b;
		a = b;
		b = r;
	}
	return a;
}

int64_t
int_gcd_i64(int64_t a, int64_t b)
{
	return (int64_t)int_gcd_u64((uint64_t)int_abs_i64(a), (uint64_t)int_abs_i64(b));
}

uint64_t int_lcm_u64(uint64_t a, uint64_t b) { return a == 0 ? 0 : a / int_gcd_u64(a, b) * b; }

int64_t
int_lcm_i64(int64_t a, int64_t b)
{
	return int_abs_i64((int64_t)int_lcm_u64((uint64_t)int_abs_i64(a), (uint64_t)int_abs_i64(b)));
}

int64_t fold_in_i64(int64_t a, int64_t b) { return (int64_t)fold_in_u64((uint64_t)a, (uint64_t)b); }

typedef struct Fn {
	const char *name;
	int arity;
	bool libm;                     /* C99 has it as NAME for double and NAMEf for float */
	double (*f1)(double);
	double (*f2)(double, double);
	int64_t (*i1)(int64_t);
	int64_t (*i2)(int64_t, int64_t);
	uint64_t (*u1)(uint64_t);
	uint64_t (*u2)(uint64_t, uint64_t);
} Fn;

#define LIBM1(n) {#n, 1, true, .f1 = n},
#define LIBM2(n) {#n, 2, true, .f2 = n},
#define OURS1(n) {#n, 1, false, .f1 = rt_##n##_f64},
#define OURS2(n) {#n, 2, false, .f2 = rt_##n##_f64},
#define HELP2(n) {#n, 2, false, .f2 = n},
#define INTS1(n) {#n, 1, false, .i1 = n##_i64, .u1 = n##_u64},
#define INTS2(n) {#n, 2, false, .i2 = n##_i64, .u2 = n##_u64},
static const Fn fns[] = {
	LIBM1(fabs) LIBM1(sqrt) LIBM1(exp) LIBM1(expm1) LIBM1(log) LIBM1(log1p) LIBM1(log2)
	LIBM1(sin) LIBM1(cos) LIBM1(tan) LIBM1(asin) LIBM1(acos) LIBM1(atan)
	LIBM1(sinh) LIBM1(cosh) LIBM1(tanh) LIBM1(asinh) LIBM1(acosh) LIBM1(atanh)
	LIBM1(erf) LIBM1(erfc) LIBM1(floor) LIBM1(ceil) LIBM1(trunc) LIBM1(rint)
	LIBM1(exp2) LIBM1(log10)
	LIBM2(pow) LIBM2(fmod) LIBM2(atan2) LIBM2(hypot) LIBM2(copysign)
	OURS1(digamma) OURS1(log_gamma) OURS1(erfinv) OURS1(ndtri) OURS1(erfcx) OURS1(i0e) OURS1(i1e)
	OURS1(sinpi) OURS2(polygamma)
	HELP2(floor_mod)
	INTS1(wrap_neg) INTS1(int_abs) INTS1(int_sign)
	INTS2(wrap_add) INTS2(wrap_sub) INTS2(wrap_mul)
	INTS2(int_div) INTS2(int_fmod) INTS2(int_mod) INTS2(int_pow)
	INTS1(int_not) INTS2(int_and) INTS2(int_or) INTS2(int_xor) INTS2(int_shl) INTS2(int_shr)
	INTS2(int_gcd) INTS2(int_lcm) INTS2(fold_in)
};

static const Fn *
fn_find(const char *name)
{
	for (int i = 0; i < LEN(fns); i++)
		if (!strcmp(fns[i].name, name))
			return &fns[i];
	return NULL;
}

bool
expr_fn_is_libm(const char *name)
{
	const Fn *f = fn_find(name);

	return f && f->libm;
}

/* ---- parser: precedence climbing ---- */

typedef struct Parser {
	Arena *arena;
	const char *text, *s;
} Parser;

static const struct { const char *op; int prec; } binary[] = {
	{"||", 1}, {"&&", 2}, {"==", 3}, {"!=", 3}, {"<=", 4}, {">=", 4}, {"<", 4}, {">", 4},
	{"+", 5}, {"-", 5}, {"*", 6}, {"/", 6},
};

static const Expr *parse_cond(Parser *p);

static _Noreturn void
parse_bug(const Parser *p)
{
	bug("row '%s': cannot read '%s'", p->text, p->s);
}

static void
skip_space(Parser *p)
{
	while (*p->s == ' ')
		p->s++;
}

static bool
eat(Parser *p, char c)
{
	skip_space(p);
	if (*p->s != c)
		return false;
	p->s++;
	return true;
}

static Expr *
new_expr(Parser *p, ExprKind kind, const char *op, int nx)
{
	Expr *e = NEW(p->arena, 1, Expr);

	e->kind = kind;
	e->op = op;
	e->nx = nx;
	return e;
}

static const Expr *
parse_number(Parser *p)
{
	Expr *e = new_expr(p, E_NUM, NULL, 0);
	int64_t n = 0;

	while (isdigit((unsigned char)p->s[n]) || p->s[n] == '.')
		n++;
	if (!parse_double(arena_copy(p->arena, p->s, n), &e->num))
		parse_bug(p);
	p->s += n;
	return e;
}

static const Expr *
parse_call(Parser *p, const Fn *f)
{
	Expr *e = new_expr(p, E_CALL, f->name, f->arity);

	for (int i = 0; i < f->arity; i++) {
		if (!eat(p, i ? ',' : '('))
			parse_bug(p);
		e->x[i] = parse_cond(p);
	}
	if (!eat(p, ')'))
		parse_bug(p);
	return e;
}

static const Expr *
parse_name(Parser *p)
{
	int64_t n = 0;

	while (isalnum((unsigned char)p->s[n]) || p->s[n] == '_')
		n++;
	if (n == 1 && *p->s >= 'a' && *p->s <= 'c') {
		Expr *e = new_expr(p, E_ARG, NULL, 0);
		e->arg = *p->s++ - 'a';
		return e;
	}
	const Fn *f = fn_find(arena_copy(p->arena, p->s, n));
	if (!f)
		parse_bug(p);
	p->s += n;
	return parse_call(p, f);
}

static const Expr *
parse_unary(Parser *p)
{
	skip_space(p);
	if (*p->s == '-' || *p->s == '!') {
		Expr *e = new_expr(p, E_UNARY, *p->s == '-' ? "-" : "!", 1);
		p->s++;
		e->x[0] = parse_unary(p);
		return e;
	}
	if (eat(p, '(')) {
		const Expr *e = parse_cond(p);
		if (!eat(p, ')'))
			parse_bug(p);
		return e;
	}
	return isdigit((unsigned char)*p->s) ? parse_number(p) : parse_name(p);
}

/* index in binary[] of the operator that comes next and binds at least as tightly as prec, or -1 */
static int
next_binary(Parser *p, int prec)
{
	skip_space(p);
	for (int i = 0; i < LEN(binary); i++)
		if (!strncmp(p->s, binary[i].op, strlen(binary[i].op)))
			return binary[i].prec >= prec ? i : -1;
	return -1;
}

static const Expr *
parse_binary(Parser *p, int prec)
{
	const Expr *l = parse_unary(p);
	int i;

	while ((i = next_binary(p, prec)) >= 0) {
		Expr *e = new_expr(p, E_BINARY, binary[i].op, 2);
		p->s += strlen(binary[i].op);
		e->x[0] = l;
		e->x[1] = parse_binary(p, binary[i].prec + 1);
		l = e;
	}
	return l;
}

static const Expr *
parse_cond(Parser *p)
{
	const Expr *c = parse_binary(p, 1);

	if (!eat(p, '?'))
		return c;
	Expr *e = new_expr(p, E_COND, NULL, 3);
	e->x[0] = c;
	e->x[1] = parse_cond(p);
	if (!eat(p, ':'))
		parse_bug(p);
	e->x[2] = parse_cond(p);
	return e;
}

const Expr *
expr_parse(Arena *a, const char *text)
{
	Parser p = {a, text, text};
	const Expr *e = parse_cond(&p);

	skip_space(&p);
	if (*p.s)
		parse_bug(&p);
	return e;
}

const Expr *
map_expr(Arena *a, const Op *op, Class c)
{
	const MapRow *m = op->map;
	bool none = !m || (c == C_BOOL && !m->on_bool) || (c == C_FLOAT && op->flags & INTEGERS);
	const char *text = none ? NULL : c == C_FLOAT ? m->ftext : m->itext;

	return text ? expr_parse(a, text) : NULL;
}

/* ---- evaluation ---- */

static double
eval_binary(const char *op, double l, double r)
{
	switch (op[0]) {
	case '+': return l + r;
	case '-': return l - r;
	case '*': return l * r;
	case '/': return l / r;
	case '=': return l == r;
	case '!': return l != r;
	case '<': return op[1] ? l <= r : l < r;
	case '>': return op[1] ? l >= r : l > r;
	case '&': return l != 0 && r != 0;
	default:  return l != 0 || r != 0;
	}
}

double
expr_eval(const Expr *e, double a, double b, double c)
{
	const Fn *f;
	double v[3];

	for (int i = 0; i < e->nx; i++)
		v[i] = expr_eval(e->x[i], a, b, c);
	switch (e->kind) {
	case E_ARG:    return e->arg == 0 ? a : e->arg == 1 ? b : c;
	case E_NUM:    return e->num;
	case E_UNARY:  return e->op[0] == '-' ? -v[0] : v[0] == 0;
	case E_BINARY: return eval_binary(e->op, v[0], v[1]);
	case E_COND:   return v[0] != 0 ? v[1] : v[2];
	case E_CALL:   break;
	}
	f = fn_find(e->op);
	if (!f->f1 && !f->f2)
		bug("expr: %s is no function of floats", e->op);
	return f->f1 ? f->f1(v[0]) : f->f2(v[0], v[1]);
}

static bool
eval_binary_int(const char *op, bool uns, int64_t l, int64_t r)
{
	bool less = uns ? (uint64_t)l < (uint64_t)r : l < r;

	switch (op[0]) {
	case '=': return l == r;
	case '!': return l != r;
	case '<': return less || (op[1] && l == r);
	case '>': return op[1] ? !less : !less && l != r;
	case '&': return l != 0 && r != 0;
	case '|': return l != 0 || r != 0;
	default:  bug("expr: '%s' on integers: rows call a function that says how it wraps", op);
	}
}

static int64_t
eval_call_int(const Fn *f, bool uns, const int64_t *v)
{
	if (!f->i1 && !f->i2)
		bug("expr: %s is no function of integers", f->name);
	if (!uns)
		return f->i1 ? f->i1(v[0]) : f->i2(v[0], v[1]);
	return (int64_t)(f->u1 ? f->u1((uint64_t)v[0]) : f->u2((uint64_t)v[0], (uint64_t)v[1]));
}

int64_t
expr_eval_int(const Expr *e, bool uns, int64_t a, int64_t b, int64_t c)
{
	int64_t v[3];

	for (int i = 0; i < e->nx; i++)
		v[i] = expr_eval_int(e->x[i], uns, a, b, c);
	switch (e->kind) {
	case E_ARG:    return e->arg == 0 ? a : e->arg == 1 ? b : c;
	case E_NUM:    return (int64_t)e->num;
	case E_UNARY:
		if (e->op[0] == '-')
			bug("expr: '-' on integers: rows call wrap_neg");
		return v[0] == 0;
	case E_BINARY: return eval_binary_int(e->op, uns, v[0], v[1]);
	case E_COND:   return v[0] != 0 ? v[1] : v[2];
	case E_CALL:   break;
	}
	return eval_call_int(fn_find(e->op), uns, v);
}

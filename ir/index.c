/* index: integer index expressions, and what a VIEW reads.
 *
 * An expression is a sorted sum of coefficient * atom. Quotients and remainders
 * are simplified when they are made: terms that the divisor divides leave, a
 * rest whose range lies within the divisor disappears, a common factor g of
 * divisor and terms is cancelled when what it does not divide stays in [0, g).
 * d * (x div d) + x mod d joins to x again, so that chains of reshapes and
 * permutations become affine where their dimensions have a common refinement.
 * Ranges are polynomials in the symbols; an inequality is proved by writing
 * each symbol as its minimum plus something nonnegative. */
#include "ir.h"

#include <stdlib.h>
#include <string.h>

struct IxCtx {
	Arena *arena;
	const Graph *g;
	Map *shared, *atoms;           /* by their bytes */
	int natom;
};

/* a sum under construction: unsorted, terms may repeat */
typedef struct Terms {
	Arena *arena;
	IxTerm *term;
	int64_t n, cap;
} Terms;

static Dim
times(Dim a, Dim b)
{
	Dim d;

	if (!dim_mul(a, b, &d))
		bug("index expression: a coefficient overflows");
	return d;
}

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

IxCtx *
ix_new(Arena *a, const Graph *g)
{
	IxCtx *c = NEW(a, 1, IxCtx);

	c->arena = a;
	c->g = g;
	c->shared = map_new(a);
	c->atoms = map_new(a);
	return c;
}

IxCtx *
ix_shared(Graph *g)
{
	if (!g->ix)
		g->ix = ix_new(g->arena, g);
	return g->ix;
}

/* ---- sums ---- */

static void
sum_put(Terms *s, const IxAtom *atom, Dim k)
{
	if (k.k)
		PUSH(s->arena, s->term, s->n, s->cap, ((IxTerm){atom, k}));
}

static void
sum_add(Terms *s, const Ix *a, Dim k)
{
	for (int i = 0; i < a->n; i++)
		sum_put(s, a->term[i].atom, times(a->term[i].k, k));
}

static int
atom_id(const IxAtom *a)
{
	return a ? a->id : -1;
}

static int
term_cmp(const void *p, const void *q)
{
	const IxTerm *a = p, *b = q;

	if (atom_id(a->atom) != atom_id(b->atom))
		return atom_id(a->atom) < atom_id(b->atom) ? -1 : 1;
	return a->k.sym < b->k.sym ? -1 : a->k.sym > b->k.sym;
}

/* sort, merge equal monomials, drop zeros */
static void
sum_sort(Terms *s)
{
	int64_t n = 0;

	if (s->n)
		qsort(s->term, (size_t)s->n, sizeof *s->term, term_cmp);
	for (int64_t i = 0; i < s->n; i++) {
		if (n && !term_cmp(&s->term[n - 1], &s->term[i])) {
			if (!add_ok(s->term[n - 1].k.k, s->term[i].k.k, &s->term[n - 1].k.k))
				bug("index expression: a coefficient overflows");
		} else
			s->term[n++] = s->term[i];
		if (!s->term[n - 1].k.k)
			n--;
	}
	s->n = n;
}

/* lowest (or highest) value, or NULL */
static const Ix *
bound(IxCtx *c, const Ix *a, bool low)
{
	const Ix *b = ix_int(c, 0);

	for (int i = 0; i < a->n; i++) {
		const IxTerm *t = &a->term[i];
		const Ix *x;
		if (!t->atom)
			x = ix_dim(c, t->k);
		else {
			x = (t->k.k > 0) == low ? t->atom->lo : t->atom->hi;
			if (!x)
				return NULL;
			x = ix_scale(c, x, t->k);
		}
		b = ix_add(c, b, x);
	}
	return b;
}

/* the one expression with these terms, without trying to join */
static const Ix *
sum_share(IxCtx *c, Terms *s)
{
	int64_t few[3 * 16], *key = s->n > 16 ? NEW(c->arena, 3 * s->n, int64_t) : few, nkey = 0;
	Ix *a;

	sum_sort(s);
	for (int64_t i = 0; i < s->n; i++) {
		key[nkey++] = atom_id(s->term[i].atom);
		key[nkey++] = s->term[i].k.k;
		key[nkey++] = s->term[i].k.sym;
	}
	if ((a = map_get_bytes(c->shared, key, nkey * (int64_t)sizeof *key)))
		return a;
	a = NEW(c->arena, 1, Ix);
	a->n = (int)s->n;
	a->term = s->term;
	map_set_bytes(c->shared, key, nkey * (int64_t)sizeof *key, a);
	if (ix_number(a))
		a->lo = a->hi = a;
	else {
		a->lo = bound(c, a, true);
		a->hi = bound(c, a, false);
	}
	return a;
}

bool
ix_number(const Ix *a)
{
	return !a->n || !a->term[a->n - 1].atom;
}

/* ---- proofs ---- */

/* C(n, k) * m^(n-k), or false on overflow */
static bool
binomial_term(int n, int k, int64_t m, int64_t *out)
{
	*out = 1;
	for (int i = 0; i < k; i++) {
		if (!mul_ok(*out, n - i, out))
			return false;
		*out /= i + 1;
	}
	for (int i = k; i < n; i++)
		if (!mul_ok(*out, m, out))
			return false;
	return true;
}

/* replaces symbol s by s + m; false on overflow */
static bool
shift_symbol(Terms *p, int s, int64_t m)
{
	int64_t n = p->n;

	for (int64_t i = 0; i < n; i++) {
		Dim k = p->term[i].k;
		int e = (int)(k.sym >> 4 * s & 15);
		for (int j = 0; j < e; j++) {
			int64_t b;
			if (!binomial_term(e, j, m, &b) || !mul_ok(b, k.k, &b))
				return false;
			sum_put(p, NULL, (Dim){b, k.sym - ((uint32_t)(e - j) << 4 * s)});
		}
	}
	sum_sort(p);
	return true;
}

/* proved nonnegative for all values of the symbols */
static bool
number_ge0(IxCtx *c, const Ix *a)
{
	Terms p = {.arena = c->arena};
	bool all = true;

	for (int i = 0; i < a->n; i++)
		all &= a->term[i].k.k > 0;
	if (all)
		return true;
	sum_add(&p, a, DIM(1));
	for (int s = 0; s < c->g->nsym; s++)
		if (!shift_symbol(&p, s, c->g->sym[s].min))
			return false;
	for (int64_t i = 0; i < p.n; i++)
		if (p.term[i].k.k < 0)
			return false;
	return true;
}

bool
ix_le(IxCtx *c, const Ix *a, const Ix *b)
{
	const Ix *d = ix_sub(c, b, a);

	return d->lo && number_ge0(c, d->lo);
}

static bool
in_range(IxCtx *c, const Ix *a, const Ix *lo, Dim size)
{
	const Ix *last = ix_add(c, lo, ix_add(c, ix_dim(c, size), ix_int(c, -1)));

	return ix_le(c, lo, a) && ix_le(c, a, last);
}

/* ---- atoms ---- */

static const IxAtom *
atom_share(IxCtx *c, IxAtom key)
{
	struct { const Ix *num; int64_t kind, var, k, sym; } bytes =
		{key.num, (int64_t)key.kind, key.var, key.extent.k, key.extent.sym};
	IxAtom *a = map_get_bytes(c->atoms, &bytes, sizeof bytes);

	if (a)
		return a;
	a = NEW(c->arena, 1, IxAtom);
	*a = key;
	a->id = c->natom++;
	map_set_bytes(c->atoms, &bytes, sizeof bytes, a);
	return a;
}

static const Ix *
atom_ix(IxCtx *c, const IxAtom *a)
{
	Terms s = {.arena = c->arena};

	sum_put(&s, a, DIM(1));
	return sum_share(c, &s);
}

/* a bound of a quotient from that of what is divided: exact when the division is */
static const Ix *
quotient_bound(IxCtx *c, const Ix *b, Dim d, bool low)
{
	const Ix *q, *zero = ix_int(c, 0);

	if (!b)
		return NULL;
	q = ix_div(c, b, d);
	if (ix_number(q))
		return q;
	/* between zero and b, on whichever side of zero b is */
	if (ix_le(c, zero, b))
		return low ? zero : b;
	return low && ix_le(c, b, zero) ? b : NULL;
}

static const Ix *
quotient(IxCtx *c, const Ix *num, Dim d)
{
	IxAtom a = {.kind = IX_QUOT, .extent = d, .num = num};

	if (!ix_number(num)) {
		a.lo = quotient_bound(c, num->lo, d, true);
		a.hi = quotient_bound(c, num->hi, d, false);
	} else if (ix_le(c, ix_int(c, 0), num)) {
		a.lo = ix_int(c, 0);
		a.hi = num;
	}
	return atom_ix(c, atom_share(c, a));
}

static const Ix *
remainder_of(IxCtx *c, const Ix *num, Dim d)
{
	IxAtom a = {.kind = IX_REM, .extent = d, .num = num, .lo = ix_int(c, 0)};

	a.hi = ix_add(c, ix_dim(c, d), ix_int(c, -1));
	return atom_ix(c, atom_share(c, a));
}

/* ---- construction ---- */

const Ix *
ix_dim(IxCtx *c, Dim d)
{
	Terms s = {.arena = c->arena};

	sum_put(&s, NULL, d);
	return sum_share(c, &s);
}

const Ix *
ix_int(IxCtx *c, int64_t v)
{
	return ix_dim(c, DIM(v));
}

const Ix *
ix_var(IxCtx *c, int var, Dim extent)
{
	IxAtom a = {.kind = IX_VAR, .var = var, .extent = extent, .lo = ix_int(c, 0)};

	a.hi = ix_add(c, ix_dim(c, extent), ix_int(c, -1));
	return atom_ix(c, atom_share(c, a));
}

/* size of an expression, by which a join must gain */
static int
weight(const Ix *a)
{
	int w = 0;

	for (int i = 0; i < a->n; i++) {
		const IxAtom *x = a->term[i].atom;
		if (x)
			w += x->kind == IX_VAR ? 1 : 2 + weight(x->num);
	}
	return w;
}

/* a with the terms at i and j taken out and k * by put in, when that is simpler */
static const Ix *
exchange(IxCtx *c, const Ix *a, int i, int j, const Ix *by, Dim k)
{
	Terms s = {.arena = c->arena};
	const Ix *b;

	for (int t = 0; t < a->n; t++)
		if (t != i && t != j)
			sum_put(&s, a->term[t].atom, a->term[t].k);
	sum_add(&s, by, k);
	b = sum_share(c, &s);
	return weight(b) < weight(a) ? b : NULL;
}

/* With the remainder r mod d, times k, at i:
 * k*d*(r div d) + k*(r mod d) is k*r, and where y = z + r div d,
 * k*d*(y mod n) + k*(r mod d) is k*((d*z + r) mod (d*n)). */
static const Ix *
join_at(IxCtx *c, const Ix *a, int i)
{
	const IxTerm *t = &a->term[i];
	Dim d = t->atom->extent, kd, dn;
	const Ix *r = t->atom->num, *q = ix_div(c, r, d), *b;

	if (!dim_mul(t->k, d, &kd))
		return NULL;
	for (int j = 0; j < a->n; j++) {
		const IxTerm *u = &a->term[j];
		if (!u->atom || u->atom->kind == IX_VAR || u == t || !dim_eq(u->k, kd))
			continue;
		b = NULL;
		if (q->n == 1 && q->term[0].atom == u->atom && dim_one(q->term[0].k))
			b = exchange(c, a, i, j, r, t->k);
		else if (u->atom->kind == IX_REM && dim_mul(d, u->atom->extent, &dn)) {
			const Ix *z = ix_sub(c, u->atom->num, q);
			const Ix *whole = ix_add(c, ix_scale(c, z, d), r);
			b = exchange(c, a, i, j, ix_mod(c, whole, dn), t->k);
		}
		if (b)
			return b;
	}
	return NULL;
}

static const Ix *
join(IxCtx *c, const Ix *a)
{
	for (int i = 0; i < a->n; i++) {
		const Ix *b;
		if (a->term[i].atom && a->term[i].atom->kind == IX_REM && (b = join_at(c, a, i)))
			return join(c, b);
	}
	return a;
}

const Ix *
ix_add(IxCtx *c, const Ix *a, const Ix *b)
{
	Terms s = {.arena = c->arena};

	sum_add(&s, a, DIM(1));
	sum_add(&s, b, DIM(1));
	return join(c, sum_share(c, &s));
}

const Ix *
ix_scale(IxCtx *c, const Ix *a, Dim k)
{
	Terms s = {.arena = c->arena};

	sum_add(&s, a, k);
	return sum_share(c, &s);
}

const Ix *
ix_sub(IxCtx *c, const Ix *a, const Ix *b)
{
	return ix_add(c, a, ix_scale(c, b, DIM(-1)));
}

/* ---- division ---- */

/* the part of k that d divides: an exact quotient, or for equal symbols the integer part (rounded down for
 * numbers, toward zero for multiples of atoms, so that a rest keeps its sign) */
static Dim
whole_part(Dim k, Dim d, bool number)
{
	Dim q;

	if (dim_div(k, d, &q))
		return q;
	if (!dim_div((Dim){d.k, k.sym}, d, &q))
		return DIM(0);
	q.k = number ? floor_div(k.k, d.k) : k.k / d.k;
	return q;
}

/* a = d * whole + rest */
static void
take_whole(IxCtx *c, const Ix *a, Dim d, const Ix **whole, const Ix **rest)
{
	Terms w = {.arena = c->arena}, r = {.arena = c->arena};

	for (int i = 0; i < a->n; i++) {
		const IxTerm *t = &a->term[i];
		Dim q = whole_part(t->k, d, !t->atom), minus = {-q.k, q.sym};
		sum_put(&w, t->atom, q);
		sum_put(&r, t->atom, t->k);
		sum_put(&r, t->atom, times(minus, d));
	}
	*whole = sum_share(c, &w);
	*rest = sum_share(c, &r);
}

static int64_t
gcd(int64_t a, int64_t b)
{
	return b ? gcd(b, a % b) : a < 0 ? -a : a;
}

static Dim
dim_gcd(Dim a, Dim b)
{
	Dim g = DIM(gcd(a.k, b.k));

	for (int s = 0; s < MAXSYM; s++)
		g.sym |= MIN(a.sym >> 4 * s & 15, b.sym >> 4 * s & 15) << 4 * s;
	return g;
}

static void div_mod(IxCtx *c, const Ix *a, Dim d, const Ix **q, const Ix **r);

/* (g*x + p) / (g*d) is x / d where 0 <= p < g; tries the factors that terms share with the divisor */
static bool
cancel_factor(IxCtx *c, const Ix *a, Dim d, const Ix **q, const Ix **r)
{
	for (int i = 0; i < a->n; i++) {
		Dim g = dim_gcd(a->term[i].k, d), small;
		const Ix *x, *p;
		if (dim_one(g))
			continue;
		take_whole(c, a, g, &x, &p);
		if (!in_range(c, p, ix_int(c, 0), g))
			continue;
		dim_div(d, g, &small);
		div_mod(c, x, small, q, r);
		*r = ix_add(c, ix_scale(c, *r, g), p);
		return true;
	}
	return false;
}

/* (x div n) / d and, where d divides n, (x mod n) / d */
static bool
nested(IxCtx *c, const Ix *a, Dim d, const Ix **q, const Ix **r)
{
	const IxAtom *x = a->n == 1 ? a->term[0].atom : NULL;
	Dim m;

	if (!x || !dim_one(a->term[0].k))
		return false;
	if (x->kind == IX_QUOT && dim_mul(x->extent, d, &m)) {
		*q = ix_div(c, x->num, m);
		*r = remainder_of(c, a, d);
		return true;
	}
	if (x->kind == IX_REM && dim_div(x->extent, d, &m)) {
		*q = ix_mod(c, ix_div(c, x->num, d), m);
		*r = ix_mod(c, x->num, d);
		return true;
	}
	return false;
}

/* q = floor(a / d), r = a - d*q; both 0 for d = 0, the size of an axis whose index nobody asks for */
static void
div_mod(IxCtx *c, const Ix *a, Dim d, const Ix **q, const Ix **r)
{
	const Ix *whole, *rest, *q2, *r2;
	Dim minus_d = {-d.k, d.sym};

	if (d.k < 0)
		bug("index expression: divisor %lld is negative", (long long)d.k);
	if (!d.k) {
		*q = *r = ix_int(c, 0);
		return;
	}
	take_whole(c, a, d, &whole, &rest);
	if (in_range(c, rest, ix_int(c, 0), d)) {
		*q = whole;
		*r = rest;
		return;
	}
	if (in_range(c, rest, ix_dim(c, minus_d), d)) {
		*q = ix_add(c, whole, ix_int(c, -1));
		*r = ix_add(c, rest, ix_dim(c, d));
		return;
	}
	if (!cancel_factor(c, rest, d, &q2, &r2) && !nested(c, rest, d, &q2, &r2)) {
		q2 = quotient(c, rest, d);
		r2 = remainder_of(c, rest, d);
	}
	*q = ix_add(c, whole, q2);
	*r = r2;
}

const Ix *
ix_div(IxCtx *c, const Ix *a, Dim d)
{
	const Ix *q, *r;

	div_mod(c, a, d, &q, &r);
	return q;
}

const Ix *
ix_mod(IxCtx *c, const Ix *a, Dim d)
{
	const Ix *q, *r;

	div_mod(c, a, d, &q, &r);
	return r;
}

/* ---- use ---- */

const Ix *
ix_subst(IxCtx *c, const Ix *a, int var, const Ix *by)
{
	const Ix *sum = ix_int(c, 0);

	if (!ix_uses(a, var))
		return a;
	for (int i = 0; i < a->n; i++) {
		const IxAtom *x = a->term[i].atom;
		const Ix *v;
		if (!x) {
			sum = ix_add(c, sum, ix_dim(c, a->term[i].k));
			continue;
		}
		if (x->kind == IX_VAR)
			v = x->var == var ? by : atom_ix(c, x);
		else {
			v = ix_subst(c, x->num, var, by);
			v = x->kind == IX_QUOT ? ix_div(c, v, x->extent) : ix_mod(c, v, x->extent);
		}
		sum = ix_add(c, sum, ix_scale(c, v, a->term[i].k));
	}
	return sum;
}

bool
ix_affine(const Ix *a)
{
	for (int i = 0; i < a->n; i++)
		if (a->term[i].atom && a->term[i].atom->kind != IX_VAR)
			return false;
	return true;
}

bool
ix_uses(const Ix *a, int var)
{
	for (int i = 0; i < a->n; i++) {
		const IxAtom *x = a->term[i].atom;
		if (x && (x->kind == IX_VAR ? x->var == var : ix_uses(x->num, var)))
			return true;
	}
	return false;
}

bool
ix_coef(const Ix *a, int var, Dim *out)
{
	int found = 0;

	*out = DIM(0);
	for (int i = 0; i < a->n; i++) {
		const IxAtom *x = a->term[i].atom;
		if (!x || (x->kind == IX_VAR && x->var != var))
			continue;
		if (x->kind != IX_VAR || found++)
			return false;
		*out = a->term[i].k;
	}
	return true;
}

static int
divisor_put(Dim d, Dim *out, int n, int max)
{
	for (int i = 0; i < n; i++)
		if (dim_eq(out[i], d))
			return n;
	if (n < max)
		out[n++] = d;
	return n;
}

/* whether var, with coefficient 1 or -1, is the only atom of a */
static bool
only_var(const Ix *a, int var)
{
	const IxTerm *last = a->n ? &a->term[a->n - 1] : NULL;

	if (!last || !last->atom || last->atom->kind != IX_VAR || last->atom->var != var)
		return false;
	return !last->k.sym && (last->k.k == 1 || last->k.k == -1)
		&& (a->n == 1 || !a->term[a->n - 2].atom);
}

int
ix_divisors(const Ix *a, int var, Dim *out, int n, int max)
{
	for (int i = 0; i < a->n; i++) {
		const IxAtom *x = a->term[i].atom;
		const Ix *num = x ? x->num : NULL;
		Dim d;
		if (!num)
			continue;
		if (only_var(num, var))
			n = divisor_put(x->extent, out, n, max);
		else if (num->n == 1 && num->term[0].atom->kind == IX_QUOT
				&& only_var(num->term[0].atom->num, var)
				&& dim_mul(x->extent, num->term[0].atom->extent, &d))
			n = divisor_put(d, out, n, max);
		n = ix_divisors(num, var, out, n, max);
	}
	return n;
}

int64_t
ix_eval(const Ix *a, const int64_t *var, const int64_t *sym)
{
	int64_t sum = 0;

	for (int i = 0; i < a->n; i++) {
		const IxAtom *x = a->term[i].atom;
		int64_t v = 1;
		if (x && x->kind == IX_VAR)
			v = var[x->var];
		else if (x) {
			int64_t num = ix_eval(x->num, var, sym), d = dim_at(x->extent, sym);
			int64_t q = floor_div(num, d);
			v = x->kind == IX_QUOT ? q : num - q * d;
		}
		sum += dim_at(a->term[i].k, sym) * v;
	}
	return sum;
}

static void put_ix(Buf *b, IxCtx *c, const Ix *a);

/* parenthesised unless it is one name or number */
static void
put_factor(Buf *b, IxCtx *c, const Ix *a)
{
	bool bare = a->n == 1 && a->term[0].k.k > 0
			&& (a->term[0].atom ? a->term[0].atom->kind == IX_VAR && dim_one(a->term[0].k) : true);

	buf_puts(b, bare ? "" : "(");
	put_ix(b, c, a);
	buf_puts(b, bare ? "" : ")");
}

static void
put_term(Buf *b, IxCtx *c, const IxAtom *x, Dim k)
{
	bool one = dim_one(k);

	if (!x || !one)
		buf_puts(b, dim_text(c->arena, c->g, k));
	if (!x)
		return;
	if (!one)
		buf_puts(b, x->kind == IX_VAR ? "*" : "*(");
	if (x->kind == IX_VAR)
		buf_printf(b, "i%d", x->var);
	else {
		put_factor(b, c, x->num);
		buf_puts(b, x->kind == IX_QUOT ? " div " : " mod ");
		put_factor(b, c, ix_dim(c, x->extent));
		buf_puts(b, one ? "" : ")");
	}
}

/* atoms first, then numbers */
static void
put_ix(Buf *b, IxCtx *c, const Ix *a)
{
	bool any = false;

	for (int pass = 0; pass < 2; pass++)
		for (int i = 0; i < a->n; i++) {
			Dim k = a->term[i].k;
			if (!a->term[i].atom != (pass == 1))
				continue;
			if (any)
				buf_puts(b, k.k < 0 ? " - " : " + ");
			else if (k.k < 0)
				buf_puts(b, "-");
			k.k = k.k < 0 ? -k.k : k.k;
			put_term(b, c, a->term[i].atom, k);
			any = true;
		}
	if (!any)
		buf_puts(b, "0");
}

const char *
ix_text(IxCtx *c, const Ix *a)
{
	Buf b = {.arena = c->arena};

	put_ix(&b, c, a);
	return buf_str(&b);
}

const Ix *
ix_linear(IxCtx *c, const Type *t, const Ix *const *at)
{
	const Ix *sum = ix_int(c, 0);

	for (int d = 0; d < t->rank; d++)
		sum = ix_add(c, ix_scale(c, sum, t->dim[d]), at[d]);
	return sum;
}

void
unravel(IxCtx *c, const Type *t, const Ix *linear, const Ix **o)
{
	for (int d = t->rank - 1; d >= 0; d--) {
		o[d] = dim_one(t->dim[d]) ? ix_int(c, 0) : ix_mod(c, linear, t->dim[d]);
		if (!dim_one(t->dim[d]))
			linear = ix_div(c, linear, t->dim[d]);
	}
}

/* ---- guards ---- */

void
ix_guard(IxCtx *c, IxGuard *guard, const Ix *e, const Ix *lo, const Ix *hi)
{
	Terms numbers = {.arena = c->arena};
	const Ix *k, *one = ix_int(c, 1);

	for (int i = 0; i < e->n && !e->term[i].atom; i++)
		sum_put(&numbers, NULL, e->term[i].k);
	k = sum_share(c, &numbers);
	e = ix_sub(c, e, k);
	lo = lo ? ix_sub(c, lo, k) : NULL;
	hi = hi ? ix_sub(c, hi, k) : NULL;
	if ((lo && ix_le(c, ix_add(c, e, one), lo)) || (hi && ix_le(c, hi, e)))
		guard->never = true;
	if (lo && ix_le(c, lo, e))
		lo = NULL;
	if (hi && ix_le(c, ix_add(c, e, one), hi))
		hi = NULL;
	if (!lo && !hi)
		return;
	if (guard->n == LEN(guard->c))
		bug("index guard with more than %d conditions", LEN(guard->c));
	guard->c[guard->n++] = (IxCond){e, lo, hi};
}

bool
ix_guard_eval(const IxGuard *guard, const int64_t *var, const int64_t *sym)
{
	for (int i = 0; i < guard->n; i++) {
		const IxCond *k = &guard->c[i];
		int64_t e = ix_eval(k->e, var, sym);
		if ((k->lo && e < ix_eval(k->lo, var, sym)) || (k->hi && e >= ix_eval(k->hi, var, sym)))
			return false;
	}
	return !guard->never;
}

void
view_access(IxCtx *c, const Node *n, const Ix *const *o, int i, const Ix **in, IxGuard *guard)
{
	*guard = (IxGuard){0};
	if (!n->op->access)
		bug("%s has no index map", n->op->name);
	n->op->access(c, n, o, i, in, guard);
}

const Attr *
view_fill(const Node *n)
{
	int i;

	return op_attr(n->op, "value", &i) ? attr(n, i) : NULL;
}

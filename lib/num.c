/* num.c: numbers and their texts, independent of locale.
 *
 * Narrow floats are rounded once, from the bits of the double: going through
 * float would round twice. Decimal texts use the C library only for what it does
 * exactly (printf's and strtod's digits), and always as integer digits with an
 * exponent, "12345e-7", so that no decimal point of a locale can get in. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib.h"

#define FRACTION ((1ull << 52) - 1)

static uint64_t
bits_of(double x)
{
	uint64_t u;
	memcpy(&u, &x, sizeof u);
	return u;
}

/* x in a 16-bit format of `mant` fraction bits, nearest even */
static uint16_t
narrow(double x, int mant)
{
	uint64_t u = bits_of(x), fraction = u & FRACTION;
	int exponent = (int)(u >> 52 & 0x7ff);
	int top = (1 << (15 - mant)) - 1;              /* exponent field of infinity */
	unsigned sign = (unsigned)(u >> 63) << 15;
	if (exponent == 0x7ff && fraction)
		return (uint16_t)(sign | (unsigned)top << mant | 1u << (mant - 1) | (unsigned)(fraction >> (52 - mant)));

	int e = exponent - 1023 + (top >> 1);          /* exponent field of the result */
	if (e >= top)
		return (uint16_t)(sign | (unsigned)top << mant);
	int shift = 52 - mant + (e < 1 ? 1 - e : 0);   /* a subnormal loses bits */
	if (shift > 54)
		return (uint16_t)sign;                 /* below half of the least subnormal */
	uint64_t m = fraction | 1ull << 52, half = 1ull << (shift - 1), rest = m & ((half << 1) - 1);
	uint64_t r = m >> shift;
	r += rest > half || (rest == half && (r & 1));
	/* the leading one of a normal r adds 1 to the exponent field, as does a carry, up to infinity */
	return (uint16_t)(sign | (unsigned)(r + ((uint64_t)(e < 1 ? 0 : e - 1) << mant)));
}

static double
widen(uint16_t h, int mant)
{
	int top = (1 << (15 - mant)) - 1, e = h >> mant & top, m = h & ((1 << mant) - 1);
	double x;
	if (e == top)
		x = m ? NAN : INFINITY;
	else
		x = ldexp(e ? m | 1 << mant : m, (e ? e : 1) - (top >> 1) - mant);
	return h >> 15 ? -x : x;
}

uint16_t
half_from_double(double x)
{
	return narrow(x, 10);
}

double
half_to_double(uint16_t h)
{
	return widen(h, 10);
}

uint16_t
bfloat_from_double(double x)
{
	return narrow(x, 7);
}

double
bfloat_to_double(uint16_t h)
{
	return widen(h, 7);
}

/* digits * 10^exp10; digits has no trailing zero, but for 0 itself */
typedef struct Decimal {
	uint64_t digits;
	int exp10;
} Decimal;

/* the decimal of n digits nearest to x > 0 */
static Decimal
decimal_nearest(double x, int n)
{
	char s[64];
	snprintf(s, sizeof s, "%.*e", n - 1, x);
	Decimal d = {0};
	char *p = s;
	for (; *p != 'e'; p++)                         /* between the digits lies the locale's point */
		if (*p >= '0' && *p <= '9')
			d.digits = d.digits * 10 + (uint64_t)(*p - '0');
	d.exp10 = (int)strtol(p + 1, NULL, 10) - (n - 1);
	return d;
}

static Decimal
decimal_strip(Decimal d)
{
	for (; d.digits && d.digits % 10 == 0; d.exp10++)
		d.digits /= 10;
	return d;
}

static bool
reads_back(Decimal d, double x, bool single)
{
	char s[64];
	snprintf(s, sizeof s, "%llue%d", (unsigned long long)d.digits, d.exp10);
	return single ? strtof(s, NULL) == (float)x : strtod(s, NULL) == x;
}

/* The shortest decimal that reads back as x, finite and > 0. Up to FLT_DIG or
 * DBL_DIG digits a normal number has at most one, its nearest. From there on the
 * next larger is tried as well: above a power of two the interval of decimals that
 * read back is twice as wide as below. */
static Decimal
decimal_shortest(double x, bool single)
{
	bool normal = x >= (single ? 0x1p-126 : 0x1p-1022);
	int n = !normal ? 1 : single ? 6 : 15;
	for (;; n++) {
		Decimal d = decimal_nearest(x, n), up = {d.digits + 1, d.exp10};
		if (reads_back(d, x, single))
			return decimal_strip(d);
		if (reads_back(up, x, single))
			return decimal_strip(up);
	}
}

static void
put_decimal(Buf *b, Decimal d)
{
	char s[32];
	int n = snprintf(s, sizeof s, "%llu", (unsigned long long)d.digits);
	int point = n + d.exp10;                       /* digits before the decimal point */
	if (point < -3 || point > 16) {
		buf_printf(b, n > 1 ? "%c.%se%d" : "%c%se%d", s[0], s + 1, point - 1);
	} else if (point <= 0) {
		buf_printf(b, "0.%.*s%s", -point, "0000", s);
	} else if (point < n) {
		buf_printf(b, "%.*s.%s", point, s, s + point);
	} else {
		buf_printf(b, "%s%.*s", s, point - n, "0000000000000000");
	}
}

void
buf_float(Buf *b, double x, bool single)
{
	if (single)
		x = (float)x;
	if (isnan(x)) {
		buf_puts(b, "nan");
		return;
	}
	if (signbit(x))
		buf_putc(b, '-');
	if (isinf(x))
		buf_puts(b, "inf");
	else if (x == 0)
		buf_putc(b, '0');
	else
		put_decimal(b, decimal_shortest(fabs(x), single));
}

/* Is d exactly x? Asked only of few digits and small exponents; false beyond. For
 * a negative exponent -k: x = d/10^k exactly when x*2^k is the integer d/5^k. */
static bool
decimal_exact(Decimal d, double x)
{
	if (d.digits >= 1000000000 || d.exp10 > 9 || d.exp10 < -12)
		return false;
	int64_t digits = (int64_t)d.digits;
	if (d.exp10 >= 0) {
		for (int i = 0; i < d.exp10; i++)
			digits *= 10;
		return x < 0x1p62 && (int64_t)x == digits && (double)digits == x;
	}
	double scaled = ldexp(x, -d.exp10);
	if (scaled >= 0x1p31 || scaled != floor(scaled))
		return false;
	int64_t m = (int64_t)scaled;
	for (int i = 0; i < -d.exp10; i++)
		m *= 5;
	return m == digits;
}

/* x > 0 as 0x1.8p+1 */
static void
put_hex(Buf *b, double x)
{
	int e;
	uint64_t m = bits_of(frexp(x, &e)) & FRACTION;
	buf_puts(b, "0x1");
	if (m)
		buf_putc(b, '.');
	for (; m; m = m << 4 & FRACTION)
		buf_putc(b, "0123456789abcdef"[m >> 48]);
	buf_printf(b, "p%+d", e - 1);
}

/* Decimal where it is exact, hexadecimal elsewhere: C99 (6.4.4.2) lets a compiler
 * take either neighbour for a decimal that is not representable. */
void
buf_c_float(Buf *b, double x, bool single)
{
	if (single)
		x = (float)x;
	if (isnan(x)) {
		buf_puts(b, "NAN");
		return;
	}
	if (signbit(x))
		buf_putc(b, '-');
	x = fabs(x);
	if (isinf(x)) {
		buf_puts(b, "INFINITY");
		return;
	}
	Decimal d = {0};
	if (x > 0)
		d = decimal_shortest(x, single);
	if (decimal_exact(d, x)) {
		int64_t start = b->n;
		put_decimal(b, d);
		if (!strpbrk(b->s + start, ".e"))
			buf_puts(b, ".0");
	} else {
		put_hex(b, x);
	}
	if (single)
		buf_putc(b, 'f');
}

/* [e|E][+|-]digits at s to *out, held within +-1000000; the end, or NULL */
static const char *
scan_exponent(const char *s, long *out)
{
	*out = 0;
	if (*s != 'e' && *s != 'E')
		return s;
	s++;
	bool neg = *s == '-';
	s += *s == '-' || *s == '+';
	if (*s < '0' || *s > '9')
		return NULL;
	long e = 0;
	for (; *s >= '0' && *s <= '9'; s++)
		e = MIN(e * 10 + (*s - '0'), 1000000);
	*out = neg ? -e : e;
	return s;
}

/* Decimal digits only; a number too large for double is refused. More digits than
 * 770 can matter only by not being zero (a double's halfway point has at most 768). */
bool
parse_double(const char *s, double *out)
{
	bool neg = *s == '-';
	s += neg;
	if (!strcmp(s, "inf") || (!neg && !strcmp(s, "nan"))) {
		*out = *s == 'n' ? NAN : neg ? -INFINITY : INFINITY;
		return true;
	}
	char text[800];
	int n = 0;
	long exp10 = 0, e;
	bool any = false, point = false, lost = false;
	for (;; s++) {
		if (*s == '.' && !point) {
			point = true;
			continue;
		}
		if (*s < '0' || *s > '9')
			break;
		any = true;
		if (n < 770 && (n || *s != '0'))
			text[n++] = *s;
		else if (n) {
			lost |= *s != '0';
			exp10++;
		}
		exp10 -= point;
	}
	if (!any || !(s = scan_exponent(s, &e)) || *s)
		return false;
	if (lost) {
		text[n++] = '1';
		exp10--;
	}
	if (!n)
		text[n++] = '0';
	snprintf(text + n, sizeof text - (size_t)n, "e%ld", exp10 + e);
	double x = strtod(text, NULL);
	if (isinf(x))
		return false;
	*out = neg ? -x : x;
	return true;
}

bool
parse_uint64(const char *s, uint64_t *out)
{
	uint64_t v = 0;
	if (!*s)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return false;
		uint64_t digit = (uint64_t)(*s - '0');
		if (v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*out = v;
	return true;
}

bool
parse_int64(const char *s, int64_t *out)
{
	bool neg = *s == '-';
	uint64_t v;
	if (!parse_uint64(s + neg, &v) || v > (uint64_t)INT64_MAX + neg)
		return false;
	*out = neg ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}

/* The unit is the spacing of the format at the smaller magnitude, so that two
 * neighbours are 1 apart on both sides of a power of two. */
double
ulp_distance(double a, double b, bool single)
{
	if (a == b || (isnan(a) && isnan(b)))
		return 0;
	if (!isfinite(a) || !isfinite(b))
		return INFINITY;
	int mant = single ? 23 : 52, emin = single ? -126 : -1022, e;
	double least = fmin(fabs(a), fabs(b));
	frexp(least, &e);
	e = least == 0 ? emin : MAX(e - 1, emin);
	return ldexp(fabs(a - b), mant - e);
}

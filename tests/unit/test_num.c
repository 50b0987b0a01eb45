/* test_num.c: narrow floats, float texts, parsing, ulps: all 2^16 patterns where there are so few. */
#include <float.h>
#include <locale.h>
#include <math.h>

#include "unit.h"

static double
from_bits(uint64_t u)
{
	double x;
	memcpy(&x, &u, sizeof x);
	return x;
}

static float
float_from_bits(uint32_t u)
{
	float x;
	memcpy(&x, &u, sizeof x);
	return x;
}

static void
narrow_round_trip(uint16_t (*from)(double), double (*to)(uint16_t), unsigned inf)
{
	for (unsigned h = 0; h < 65536; h++) {
		double x = to((uint16_t)h);
		if ((h & 0x7fff) > inf) {
			assert_true(isnan(x));
			assert_true((from(x) & 0x7fff) > inf);
		} else {
			assert_int_equal(from(x), h);
		}
	}
}

/* between neighbours: the middle goes to the even one, and what lies next to it to the nearer */
static void
narrow_halfway(uint16_t (*from)(double), double (*to)(uint16_t), unsigned inf)
{
	for (unsigned h = 0; h < inf; h++) {
		double lo = to((uint16_t)h), hi = to((uint16_t)(h + 1));
		if (h + 1 == inf)                      /* what the next binade would begin with */
			hi = lo + (lo - to((uint16_t)(h - 1)));
		double mid = lo + (hi - lo) / 2;
		assert_int_equal(from(mid), h + (h & 1));
		assert_int_equal(from(nextafter(mid, 0)), h);
		assert_int_equal(from(nextafter(mid, INFINITY)), h + 1);
		assert_int_equal(from(-mid), (h + (h & 1)) | 0x8000);
		assert_true(lo < hi);
	}
}

static void
test_narrow(void **state)
{
	(void)state;
	narrow_round_trip(half_from_double, half_to_double, 0x7c00);
	narrow_round_trip(bfloat_from_double, bfloat_to_double, 0x7f80);
	narrow_halfway(half_from_double, half_to_double, 0x7c00);
	narrow_halfway(bfloat_from_double, bfloat_to_double, 0x7f80);
}

static void
test_narrow_values(void **state)
{
	(void)state;
	assert_int_equal(half_from_double(1), 0x3c00);
	assert_int_equal(half_from_double(65504), 0x7bff);
	assert_int_equal(half_from_double(65520), 0x7c00);
	assert_int_equal(half_from_double(1e300), 0x7c00);
	assert_int_equal(half_from_double(-INFINITY), 0xfc00);
	assert_int_equal(half_from_double(0x1p-24), 1);
	assert_int_equal(half_from_double(0x1p-25), 0);
	assert_int_equal(half_from_double(-0x1p-1074), 0x8000);
	assert_int_equal(bfloat_from_double(1), 0x3f80);
	assert_int_equal(bfloat_from_double(DBL_MAX), 0x7f80);
	assert_int_equal(bfloat_from_double(0x1p-133), 1);
	/* one rounding: through float these fall on the middle and go to even, down */
	assert_int_equal(half_from_double(1 + 0x1p-11 + 0x1p-40), 0x3c01);
	assert_int_equal(bfloat_from_double(1 + 0x1p-8 + 0x1p-40), 0x3f81);
	assert_int_equal(half_from_double((double)(float)(1 + 0x1p-11 + 0x1p-40)), 0x3c00);
	assert_true(bfloat_from_double(from_bits(0x7ff0000000000001)) > 0x7f80);
}

static const char *
text(Arena *a, double x, bool single)
{
	Buf b = {.arena = a};
	buf_float(&b, x, single);
	return buf_str(&b);
}

static const char *
literal(Arena *a, double x, bool single)
{
	Buf b = {.arena = a};
	buf_c_float(&b, x, single);
	return buf_str(&b);
}

static void
test_text(void **state)
{
	(void)state;
	Arena *a = arena_new();
	static const struct { double x; bool single; const char *want; } row[] = {
		{0, false, "0"}, {-0.0, false, "-0"}, {1, true, "1"}, {-1.5, true, "-1.5"},
		{0.1, false, "0.1"}, {0.1f, true, "0.1"}, {0.1f, false, "0.10000000149011612"},
		{1e-4, false, "0.0001"}, {1e-5, false, "1e-5"}, {1.25e-5, false, "1.25e-5"},
		{1e15, false, "1000000000000000"}, {1e16, false, "1e16"}, {123456, true, "123456"},
		{5e-324, false, "5e-324"}, {0x1p-149, true, "1e-45"}, {DBL_MAX, false, "1.7976931348623157e308"},
		{FLT_MAX, true, "3.4028235e38"}, {0x1p-1022, false, "2.2250738585072014e-308"},
		{9007199254740993.0, false, "9007199254740992"},
		{0x1p-44, false, "5.684341886080802e-14"},     /* the nearest of 16 digits is ...801e-14, too low */
		{INFINITY, true, "inf"}, {-INFINITY, false, "-inf"}, {NAN, false, "nan"}, {-NAN, true, "nan"},
	};
	for (int i = 0; i < LEN(row); i++)
		assert_string_equal(text(a, row[i].x, row[i].single), row[i].want);
	arena_free(a);
}

/* The oracle of "shortest": with one digit less, neither the nearest decimal nor its neighbours
 * are read back as x. */
static void
assert_shortest(const char *s, double x, bool single)
{
	int digits = 0, zeros = 0;
	for (const char *p = s; *p && *p != 'e'; p++) {
		if (*p < '0' || *p > '9' || (*p == '0' && !digits))
			continue;
		digits++;
		zeros = *p == '0' ? zeros + 1 : 0;
	}
	digits -= zeros;
	if (digits < 2)
		return;
	char t[64];
	snprintf(t, sizeof t, "%.*e", digits - 2, x);
	char *e = strchr(t, 'e');
	long exp10 = strtol(e + 1, NULL, 10) - (digits - 2);
	*e = 0;
	char *point = strchr(t, '.');
	if (point)
		memmove(point, point + 1, strlen(point));
	long long m = strtoll(t, NULL, 10);
	for (int d = -1; d <= 1; d++) {
		snprintf(t, sizeof t, "%llde%ld", m + d, exp10);
		assert_false(single ? strtof(t, NULL) == (float)x : strtod(t, NULL) == x);
	}
}

static void
check_double(Arena *a, double x)
{
	const char *s = text(a, x, false);
	double back;
	assert_true(parse_double(s, &back));
	if (isnan(x)) {
		assert_true(isnan(back));
		return;
	}
	assert_true(back == x && signbit(back) == signbit(x));
	if (isfinite(x)) {
		assert_true(strtod(literal(a, x, false), NULL) == x);
		assert_shortest(s, x, false);
	}
}

static void
check_single(Arena *a, float x)
{
	if (!isfinite(x))
		return;
	const char *s = text(a, (double)x, true), *c = literal(a, (double)x, true);
	char *end;
	assert_true(strtof(s, NULL) == x && !signbit(strtof(s, NULL)) == !signbit(x));
	assert_true(strtof(c, &end) == x && *end == 'f');
	assert_shortest(s, (double)x, true);
}

static void
test_text_random(void **state)
{
	(void)state;
	Rng r = rng_seed(1);
	for (int i = 0; i < 100; i++) {
		Arena *a = arena_new();
		for (int j = 0; j < 1000; j++) {
			uint64_t u = rng_next(&r);
			check_double(a, from_bits(u));
			check_single(a, float_from_bits((uint32_t)u));
		}
		for (int j = 0; j < 20; j++) {
			uint64_t u = rng_next(&r);
			check_double(a, from_bits(u & 0xfff0000000000000));    /* powers of two: uneven neighbours */
			check_double(a, from_bits(u & 0x800fffffffffffff));    /* subnormal */
			check_single(a, float_from_bits((uint32_t)u & 0xff800000));
			check_single(a, float_from_bits((uint32_t)u & 0x807fffff));
		}
		arena_free(a);
	}
}

static void
test_literal(void **state)
{
	(void)state;
	Arena *a = arena_new();
	static const struct { double x; bool single; const char *want; } row[] = {
		{0, true, "0.0f"}, {-0.0, false, "-0.0"}, {0.5, true, "0.5f"}, {3, true, "3.0f"}, {-3, false, "-3.0"},
		{1048576, true, "1048576.0f"}, {0.0009765625, false, "0.0009765625"},
		{0.1, true, "0x1.99999ap-4f"}, {0.1, false, "0x1.999999999999ap-4"},
		{8191.0009765625, true, "0x1.fff004p+12f"},    /* its shortest text, 8191.001, is not exact */
		{1234567936, true, "0x1.26580cp+30f"}, {0x1p-149, true, "0x1p-149f"}, {0x1p-1074, false, "0x1p-1074"},
		{FLT_MAX, true, "0x1.fffffep+127f"}, {1e9, true, "1000000000.0f"},
		{INFINITY, true, "INFINITY"}, {-INFINITY, false, "-INFINITY"}, {NAN, true, "NAN"},
	};
	for (int i = 0; i < LEN(row); i++)
		assert_string_equal(literal(a, row[i].x, row[i].single), row[i].want);
	arena_free(a);
}

static void
test_parse(void **state)
{
	(void)state;
	double x = 7;
	static const char *const bad[] = {"", "-", ".", "1e", "1e+", " 1", "1 ", "0x1", "1.2.3", "+1", "infinity",
		"-nan", "1,5", "e5", "1e400", "--1", "1f"};
	for (int i = 0; i < LEN(bad); i++)
		assert_false(parse_double(bad[i], &x));
	assert_true(x == 7);
	assert_true(parse_double("-12.50e-1", &x) && x == -1.25);
	assert_true(parse_double(".5", &x) && x == 0.5);
	assert_true(parse_double("5.", &x) && x == 5);
	assert_true(parse_double("1e-400", &x) && x == 0);
	assert_true(parse_double("0e99999999999999999999", &x) && x == 0);
	assert_true(parse_double("-0.0", &x) && x == 0 && signbit(x));
	assert_true(parse_double("-inf", &x) && x == -INFINITY);
	assert_true(parse_double("nan", &x) && isnan(x));
}

/* more digits than are kept: the rest counts by being zero or not */
static void
test_parse_long(void **state)
{
	(void)state;
	double x;
	char s[2000];
	snprintf(s, sizeof s, "%.1074f", 0x1p-1074);
	assert_true(parse_double(s, &x) && x == 0x1p-1074);
	snprintf(s, sizeof s, "1%01000de-1000", 0);
	assert_true(parse_double(s, &x) && x == 1);
	snprintf(s, sizeof s, "0.%01000de1001", 5);
	assert_true(parse_double(s, &x) && x == 50);
	int n = snprintf(s, sizeof s, "9007199254740993.%0900d", 0);   /* in the middle of two */
	assert_true(parse_double(s, &x) && x == 9007199254740992.0);
	s[n - 1] = '1';
	assert_true(parse_double(s, &x) && x == 9007199254740994.0);
}

static void
test_parse_ints(void **state)
{
	(void)state;
	int64_t i = 5;
	uint64_t u = 5;
	assert_true(parse_int64("-9223372036854775808", &i) && i == INT64_MIN);
	assert_true(parse_int64("9223372036854775807", &i) && i == INT64_MAX);
	assert_false(parse_int64("9223372036854775808", &i));
	assert_false(parse_int64("-9223372036854775809", &i));
	assert_true(parse_uint64("18446744073709551615", &u) && u == UINT64_MAX);
	assert_false(parse_uint64("18446744073709551616", &u));
	assert_false(parse_uint64("99999999999999999999999", &u));
	assert_false(parse_uint64("-1", &u));
	assert_false(parse_uint64("", &u));
	assert_false(parse_int64("-", &i));
	assert_false(parse_int64("1.0", &i));
	assert_false(parse_int64("--1", &i));
	assert_true(u == UINT64_MAX && i == INT64_MAX);
}

static void
test_ulp(void **state)
{
	(void)state;
	assert_true(ulp_distance(1, nextafter(1, 2), false) == 1);
	assert_true(ulp_distance(nextafter(1, 0), 1, false) == 1);
	assert_true(ulp_distance(1, (double)nextafterf(1, 0), true) == 1);
	assert_true(ulp_distance(1, 1 + 0x1p-24, true) == 0.5);
	assert_true(ulp_distance(0.0, -0.0, false) == 0);
	assert_true(ulp_distance(0, 0x1p-1074, false) == 1);
	assert_true(ulp_distance(-0x1p-149, 0x1p-149, true) == 2);
	assert_true(ulp_distance(NAN, NAN, true) == 0);
	assert_true(ulp_distance(NAN, 0, true) == INFINITY);
	assert_true(ulp_distance(INFINITY, INFINITY, true) == 0);
	assert_true(ulp_distance(INFINITY, 1, true) == INFINITY);
	Rng r = rng_seed(2);
	for (int i = 0; i < 100000; i++) {
		float f = float_from_bits((uint32_t)rng_next(&r)), up = nextafterf(f, INFINITY);
		if (isfinite(f) && isfinite(up))
			assert_true(ulp_distance((double)f, (double)up, true) == 1);
	}
}

/* texts under a locale with another decimal point, where the system has one (tests/run.sh makes it) */
static void
test_locale(void **state)
{
	(void)state;
	if (!setlocale(LC_ALL, "de_DE.UTF-8"))
		skip();
	Arena *a = arena_new();
	double x;
	assert_string_equal(arena_fmt(a, "%.1f", 0.5), "0,5");
	assert_string_equal(text(a, 0.1, false), "0.1");
	assert_string_equal(text(a, 1.25e-30, false), "1.25e-30");
	assert_string_equal(literal(a, 0.5, true), "0.5f");
	assert_true(parse_double("0.25", &x) && x == 0.25);
	assert_false(parse_double("0,25", &x));
	arena_free(a);
	setlocale(LC_ALL, "C");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_narrow), cmocka_unit_test(test_narrow_values), cmocka_unit_test(test_text),
		cmocka_unit_test(test_text_random), cmocka_unit_test(test_literal), cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_long), cmocka_unit_test(test_parse_ints), cmocka_unit_test(test_ulp),
		cmocka_unit_test(test_locale),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

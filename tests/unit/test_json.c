/* test_json.c: trees with places, refusals with places and words, damage of every byte. */
#include <math.h>
#include <time.h>

#include "unit.h"

/* reads a copy of exactly n bytes, so that a sanitizer sees any look beyond */
static Json *
read_bytes(Arena *a, const char *text, int64_t n)
{
	char *exact = malloc((size_t)MAX(n, 1));
	assert_non_null(exact);
	memcpy(exact, text, (size_t)n);
	Json *j = json_read(a, "t.json", exact, n);
	free(exact);
	return j;
}

static Json *
read_good(Arena *a, const char *text)
{
	diag_reset();
	Json *j = read_bytes(a, text, (int64_t)strlen(text));
	assert_int_equal(diag_count(DIAG_WARNING), 0);
	assert_non_null(j);
	return j;
}

/* what is said about a text; *j: what is read nevertheless */
static const char *
complaints(Arena *a, const char *text, int64_t n, Json **j)
{
	diag_reset();
	*j = read_bytes(a, text, n);
	Buf b = {.arena = a};
	diag_text(&b);
	diag_reset();
	return buf_str(&b);
}

static void
refused(Arena *a, const char *text, int64_t n, const char *want)
{
	Json *j;
	const char *got = complaints(a, text, n, &j);
	if (j || strcmp(got, want))
		print_error("text: %s\nwant: %sgot:  %s", text, want, got);
	assert_null(j);
	assert_string_equal(got, want);
}

static void
assert_at(Loc at, int line, int col)
{
	assert_string_equal(at.file, "t.json");
	assert_int_equal(at.line, line);
	assert_int_equal(at.col, col);
}

static void
tree_with_places(void **state)
{
	(void)state;
	Arena *a = arena_new();
	Json *j = read_good(a, "\r\n { \"name\": \"mlp\",\n\t\"n\" : [1, -2.5e1,true ,false,null,{}, [ ]] }\n");
	assert_int_equal(j->kind, J_OBJECT);
	assert_at(j->at, 2, 2);
	assert_int_equal(j->n, 2);
	assert_string_equal(j->key[0], "name");
	assert_at(j->key_at[0], 2, 4);
	assert_at(j->item[0]->at, 2, 12);
	assert_string_equal(j->item[0]->str, "mlp");
	assert_at(j->key_at[1], 3, 2);
	Json *v = json_get(j, "n");
	static const JsonKind kind[] = {J_NUMBER, J_NUMBER, J_TRUE, J_FALSE, J_NULL, J_OBJECT, J_ARRAY};
	static const int col[] = {9, 12, 19, 25, 31, 36, 40};
	assert_int_equal(v->kind, J_ARRAY);
	assert_int_equal(v->n, LEN(kind));
	for (int k = 0; k < v->n; k++) {
		assert_int_equal(v->item[k]->kind, kind[k]);
		assert_at(v->item[k]->at, 3, col[k]);
	}
	assert_string_equal(v->item[1]->str, "-2.5e1");
	assert_true(v->item[1]->num == -25);
	arena_free(a);
}

static void
columns_count_characters(void **state)
{
	(void)state;
	Arena *a = arena_new();
	Json *j = read_good(a, "[\"é\", \"日本\", \"😀\", 1]");
	static const int col[] = {2, 7, 13, 18};
	for (int k = 0; k < 4; k++)
		assert_at(j->item[k]->at, 1, col[k]);
	arena_free(a);
}

static void
look_up(void **state)
{
	(void)state;
	Arena *a = arena_new();
	Json *j = read_good(a, "{\"Key\": 1, \"key\": 2, \"\": 3}");
	assert_true(json_get(j, "key")->num == 2);
	assert_true(json_get(j, "Key")->num == 1);
	assert_true(json_get(j, "")->num == 3);
	assert_null(json_get(j, "KEY"));
	assert_null(json_get(j->item[0], "key"));
	assert_null(json_get(NULL, "key"));
	arena_free(a);
}

static void
strings_are_decoded(void **state)
{
	(void)state;
	static const struct { const char *json, *want; } t[] = {
		{"\"\"", ""},
		{"\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "a\"\\/\b\f\n\r\t"},
		{"\"\\u0041\\u00e9\\u65E5\\ud83d\\uDE00\\u0001\"", "Aé日😀\x01"},
		{"\"\\uffff\\udbff\\udfff\"", "\xef\xbf\xbf\xf4\x8f\xbf\xbf"},
		{"\"\x7f\xc2\x80\xe0\xa0\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"",
			"\x7f\xc2\x80\xe0\xa0\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
		{"\"// no /* comment */ 12 [ {\"", "// no /* comment */ 12 [ {"},
	};
	Arena *a = arena_new();
	for (int k = 0; k < LEN(t); k++) {
		assert_string_equal(read_good(a, t[k].json)->str, t[k].want);
		/* as a key as well */
		Json *j = read_good(a, arena_fmt(a, "{%s: 0}", t[k].json));
		assert_string_equal(j->key[0], t[k].want);
	}
	arena_free(a);
}

static void
numbers(void **state)
{
	(void)state;
	static const struct { const char *json; double want; } t[] = {
		{"0", 0}, {"-0", 0}, {"1", 1}, {"0.1", 0.1}, {"1E3", 1000}, {"1e+3", 1000}, {"1.5e-3", 0.0015},
		{"9007199254740993", 9007199254740992.0}, {"1.7976931348623157e308", 1.7976931348623157e308},
		{"5e-324", 5e-324}, {"1e-999", 0},
		{"0.10000000000000000555111512312578270211815834045410156250000000000000000000001", 0.1},
		{"100000000000000000000000000000000000000000000000000000000000000000000000000000e-77", 1},
	};
	Arena *a = arena_new();
	for (int k = 0; k < LEN(t); k++) {
		Json *j = read_good(a, t[k].json);
		assert_int_equal(j->kind, J_NUMBER);
		assert_string_equal(j->str, t[k].json);
		assert_true(j->num == t[k].want);
		j = read_good(a, arena_fmt(a, "[%s,%s]", t[k].json, t[k].json));
		assert_string_equal(j->item[1]->str, t[k].json);
	}
	assert_true(signbit(read_good(a, "-0")->num));
	arena_free(a);
}

static void
integers(void **state)
{
	(void)state;
	static const struct { const char *json; bool ok; int64_t want; } t[] = {
		{"0", true, 0}, {"-0", true, 0}, {"12", true, 12}, {"\"12\"", true, 12}, {"\"-7\"", true, -7},
		{"9007199254740993", true, INT64_C(9007199254740993)},
		{"9223372036854775807", true, INT64_MAX}, {"-9223372036854775808", true, INT64_MIN},
		{"9223372036854775808", false, 0}, {"-9223372036854775809", false, 0},
		{"99999999999999999999", false, 0}, {"1.0", false, 0}, {"1e3", false, 0},
		{"\"\"", false, 0}, {"\"-\"", false, 0}, {"\"+1\"", false, 0}, {"\" 1\"", false, 0},
		{"\"1 \"", false, 0}, {"\"01\"", false, 0}, {"\"0x1\"", false, 0}, {"\"-00\"", false, 0},
		{"true", false, 0}, {"null", false, 0}, {"[1]", false, 0}, {"{}", false, 0},
	};
	Arena *a = arena_new();
	for (int k = 0; k < LEN(t); k++) {
		int64_t x = 0;
		assert_int_equal(json_int(read_good(a, t[k].json), &x), t[k].ok);
		if (t[k].ok)
			assert_int_equal(x, t[k].want);
	}
	assert_false(json_int(NULL, &(int64_t){0}));
	arena_free(a);
}

static void
refusals(void **state)
{
	(void)state;
	static const struct { const char *json, *want; } t[] = {
		{"", "1:1: error: the file is empty"},
		{" \n\t", "2:2: error: the file is blank"},
		{"[1, 2,\n]", "1:6: error: trailing comma: JSON allows none before ']'"},
		{"{\"a\": 1 , }", "1:9: error: trailing comma: JSON allows none before '}'"},
		{"[1 2]", "1:4: error: ',' or ']' expected, not '2'"},
		{"{\"a\": 1 \"b\": 2}", "1:9: error: ',' or '}' expected, not '\"'"},
		{"{\"a\" 1}", "1:6: error: ':' after the key expected, not '1'"},
		{"{\"a\": }", "1:7: error: a value expected, not '}'"},
		{"[,1]", "1:2: error: a value expected, not ','"},
		{"[1,,2]", "1:4: error: a value expected, not ','"},
		{"{a: 1}", "1:2: error: a key in double quotes expected, not 'a'"},
		{"{1: 1}", "1:2: error: a key in double quotes expected, not '1'"},
		{"{'a': 1}", "1:2: error: a key in double quotes expected; strings take double quotes"},
		{"['a']", "1:2: error: a value expected; strings take double quotes"},
		{"[1, // one\n]", "1:5: error: a value expected; JSON has no comments"},
		{"[1 /* one */]", "1:4: error: ',' or ']' expected; JSON has no comments"},
		{"# x\n1", "1:1: error: a value expected; JSON has no comments"},
		{"[True]", "1:2: error: a value expected, not 'True'; write true"},
		{"[None]", "1:2: error: a value expected, not 'None'; write null"},
		{"[NaN]", "1:2: error: a value expected, not 'NaN'; JSON has no such number, write the string \"nan\""},
		{"[-Infinity]", "1:3: error: digit expected after '-'; JSON has no infinity, write the string \"-inf\""},
		{"[nulll]", "1:2: error: a value expected, not 'nulll'"},
		{"[truefalse]", "1:2: error: a value expected, not 'truefalse'"},
		{"[\xe2\x80\x9cx]", "1:2: error: a value expected, not '\xe2\x80\x9c'"},
		{"[\xff]", "1:2: error: a value expected, not the byte 0xff"},
		{"[\f1]", "1:2: error: a value expected, not the byte 0x0c"},
		{"1 2", "1:3: error: the end of the file expected, not '2'"},
		{"{}\n}", "2:1: error: the end of the file expected, not '}'"},
		{"]", "1:1: error: a value expected, not ']'"},
		{"[1}", "1:3: error: ',' or ']' expected, not '}'"},
		{"[1,\n {\"a\": 2", "2:9: error: the file ends inside the object opened at line 2, column 2"},
		{"[1,", "1:4: error: the file ends inside the array opened at line 1, column 1"},
		{"[ \"abc", "1:3: error: the string is not closed on its line"},
		{"[ \"abc\\", "1:3: error: the string is not closed on its line"},
		{"[\"abc\n\"]", "1:2: error: the string is not closed on its line"},
		{"[\"a\tb\"]", "1:4: error: tab in a string; write \\t"},
		{"[\"a\x1f\"]", "1:4: error: control character in a string; write \\u001f"},
		{"[\"a\rb\"]", "1:4: error: control character in a string; write \\u000d"},
		{"\"\\x41\"", "1:2: error: unknown escape; JSON has \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\uXXXX"},
		{"\"\\u12g4\"", "1:2: error: \\u takes four hexadecimal digits"},
		{"\"\\u12", "1:2: error: \\u takes four hexadecimal digits"},
		{"\"\\u0000\"", "1:2: error: \\u0000: a string may not contain NUL"},
		{"\"\\ud83d\"", "1:2: error: \\ud83d is half of a surrogate pair, without the other half"},
		{"\"x\\ud83d\\u0041\"", "1:3: error: \\ud83d is half of a surrogate pair, without the other half"},
		{"\"\\ud83d\\ud83d\"", "1:2: error: \\ud83d is half of a surrogate pair, without the other half"},
		{"\"\\ude00\\ud83d\"", "1:2: error: \\ude00 is half of a surrogate pair, without the other half"},
		{"\"é\x80\"", "1:3: error: the byte 0x80 is not UTF-8 here"},
		{"\"\xc0\x80\"", "1:2: error: the byte 0xc0 is not UTF-8 here"},          /* overlong NUL */
		{"\"\xc1\xbf\"", "1:2: error: the byte 0xc1 is not UTF-8 here"},
		{"\"\xe0\x9f\xbf\"", "1:2: error: the byte 0xe0 is not UTF-8 here"},      /* overlong */
		{"\"\xed\xa0\x80\"", "1:2: error: the byte 0xed is not UTF-8 here"},      /* surrogate */
		{"\"\xf0\x8f\xbf\xbf\"", "1:2: error: the byte 0xf0 is not UTF-8 here"},  /* overlong */
		{"\"\xf4\x90\x80\x80\"", "1:2: error: the byte 0xf4 is not UTF-8 here"},  /* above U+10FFFF */
		{"\"\xf5\x80\x80\x80\"", "1:2: error: the byte 0xf5 is not UTF-8 here"},
		{"\"\xe6\x97\"", "1:2: error: the byte 0xe6 is not UTF-8 here"},
		{"\"\xf0\x9f\x98", "1:2: error: the byte 0xf0 is not UTF-8 here"},
		{"{\"\xff\": 1}", "1:3: error: the byte 0xff is not UTF-8 here"},
		{"[01]", "1:2: error: a number may not begin with a superfluous 0"},
		{"[-012]", "1:3: error: a number may not begin with a superfluous 0"},
		{"[1.]", "1:4: error: digit expected after '.'"},
		{"[1.e5]", "1:4: error: digit expected after '.'"},
		{"[.5]", "1:2: error: a value expected, not '.'"},
		{"[+5]", "1:2: error: a value expected, not '+'"},
		{"[-]", "1:3: error: digit expected after '-'"},
		{"-", "1:2: error: digit expected after '-'"},
		{"[1e]", "1:4: error: digit expected in the exponent"},
		{"[1e+]", "1:5: error: digit expected in the exponent"},
		{"[0x10]", "1:3: error: ',' or ']' expected, not 'x10'"},
		{"[1f]", "1:3: error: ',' or ']' expected, not 'f'"},
		{"\xef\xbb\xbf{}", "1:1: error: byte order mark: JSON text is UTF-8 without one"},
		{"\xff\xfe{", "1:1: error: the text is UTF-16; JSON text is UTF-8"},
		{"\xc2\xa0[]", "1:1: error: a value expected, not '\xc2\xa0'"},           /* no-break space */
	};
	Arena *a = arena_new();
	for (int k = 0; k < LEN(t); k++)
		refused(a, t[k].json, (int64_t)strlen(t[k].json), arena_fmt(a, "t.json:%s\n", t[k].want));
	refused(a, "[1]\0", 4, "t.json:1:4: error: the end of the file expected, not the byte 0x00\n");
	refused(a, "[\0]", 3, "t.json:1:2: error: a value expected, not the byte 0x00\n");
	refused(a, "[\"a\0b\"]", 7, "t.json:1:4: error: control character in a string; write \\u0000\n");
	refused(a, "[1,\n2,\n]", 8, "t.json:2:2: error: trailing comma: JSON allows none before ']'\n");
	arena_free(a);
}

static void
independent_errors(void **state)
{
	(void)state;
	Arena *a = arena_new();
	const char *text =
		"{\"a\": 1, \"b\": {\"x\": 1e999, \"x\": 2},\n"
		" \"\\u0061\": 3, \"c\": [-1e400], \"a\": 4,\n"
		" \"c\": 5}";
	Json *j;
	assert_string_equal(complaints(a, text, (int64_t)strlen(text), &j),
		"t.json:1:21: error: the number 1e999 is out of the range of double\n"
		"t.json:1:28: error: duplicate key 'x'; the first is at line 1, column 16\n"
		"t.json:2:2: error: duplicate key 'a'; the first is at line 1, column 2\n"
		"t.json:2:21: error: the number -1e400 is out of the range of double\n"
		"t.json:2:30: error: duplicate key 'a'; the first is at line 1, column 2\n"
		"t.json:3:2: error: duplicate key 'c'; the first is at line 2, column 15\n");
	assert_non_null(j);
	assert_int_equal(j->n, 3);
	assert_true(json_get(j, "a")->num == 1);
	assert_string_equal(j->key[2], "c");
	assert_at(j->key_at[2], 2, 15);
	assert_true(json_get(json_get(j, "b"), "x")->num == INFINITY);
	assert_true(json_get(j, "c")->item[0]->num == -INFINITY);
	arena_free(a);
}

static char *
nested(Arena *a, int depth, const char *open, const char *close)
{
	Buf b = {.arena = a};
	for (int k = 0; k < depth; k++)
		buf_puts(&b, open);
	buf_puts(&b, "1");
	for (int k = 0; k < depth; k++)
		buf_puts(&b, close);
	return b.s;
}

static void
depth_is_limited(void **state)
{
	(void)state;
	Arena *a = arena_new();
	read_good(a, nested(a, 64, "[", "]"));
	read_good(a, nested(a, 64, "{\"a\":", "}"));
	char *deep = nested(a, 65, "[", "]");
	refused(a, deep, (int64_t)strlen(deep), "t.json:1:65: error: nested deeper than 64\n");
	char *bomb = nested(a, 1000000, "[", "");
	refused(a, bomb, (int64_t)strlen(bomb), "t.json:1:65: error: nested deeper than 64\n");
	/* siblings do not add up */
	Buf b = {.arena = a};
	for (int k = 0; k < 200; k++)
		buf_puts(&b, k ? ",[[]]" : "[[[]]");
	buf_puts(&b, "]");
	read_good(a, b.s);
	arena_free(a);
}

static const char sample[] =
	"{\n  \"gradc\": 1, \"név\": \"\\u00e9\\ud83d\\ude00 \xf0\x9f\x98\x80\\n\",\n"
	"  \"nodes\": [{\"in\": [\"x\", -0.5e-3, null], \"t\": true, \"f\": false, \"e\": {}}, []]\n}";

/* no proper prefix is a text, and each says so once */
static void
truncation(void **state)
{
	(void)state;
	Arena *a = arena_new();
	read_good(a, sample);
	for (int64_t n = 0; n < (int64_t)sizeof sample - 1; n++) {
		Json *j;
		const char *said = complaints(a, sample, n, &j);
		assert_null(j);
		assert_non_null(strchr(said, '\n'));
		assert_null(strchr(strchr(said, '\n') + 1, '\n'));
	}
	arena_free(a);
}

/* every byte replaced by every other: read, or refused with a word; cJSON never disagrees */
static void
replaced_bytes(void **state)
{
	(void)state;
	char text[sizeof sample];
	memcpy(text, sample, sizeof sample);
	for (int i = 0; i < (int)sizeof sample - 1; i++) {
		Arena *a = arena_new();
		for (int c = 0; c < 256; c++) {
			text[i] = (char)c;
			Json *j;
			const char *said = complaints(a, text, (int64_t)sizeof sample - 1, &j);
			assert_true(j || *said);
		}
		text[i] = sample[i];
		arena_free(a);
	}
}

static void
quoting_round_trip(void **state)
{
	(void)state;
	Arena *a = arena_new();
	char all[300];
	int n = 0;
	for (int c = 1; c < 0x80; c++)
		all[n++] = (char)c;
	strcpy(all + n, "é日😀\xc2\x80\xef\xbf\xbf");
	Buf b = {.arena = a};
	json_quote(&b, all);
	assert_string_equal(read_good(a, b.s)->str, all);
	Buf e = {.arena = a};
	json_quote(&e, "");
	assert_string_equal(e.s, "\"\"");
	arena_free(a);
}

/* seconds of processor time to read n numbers on one line, or n members of one object */
static double
seconds_for(const char *item_fmt, const char *open, const char *close, int n)
{
	Arena *a = arena_new();
	Buf b = {.arena = a};
	buf_puts(&b, open);
	for (int k = 0; k < n; k++) {
		if (k)
			buf_putc(&b, ',');
		buf_printf(&b, item_fmt, k);
	}
	buf_puts(&b, close);
	clock_t start = clock();
	Json *j = json_read(a, "t.json", b.s, b.n);
	double s = (double)(clock() - start) / CLOCKS_PER_SEC;
	assert_non_null(j);
	assert_int_equal(j->n, n);
	arena_free(a);
	return s;
}

/* 32 times the text takes about 32 times as long; quadratic work would take 1024 */
static void
reading_is_linear(void **state)
{
	(void)state;
	double few = seconds_for("%d", "[", "]", 31250), many = seconds_for("%d", "[", "]", 1000000);
	assert_true(many < 200 * few + 0.1);
	few = seconds_for("\"k%d\": null", "{", "}", 6250);
	many = seconds_for("\"k%d\": null", "{", "}", 200000);
	assert_true(many < 200 * few + 0.1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tree_with_places),
		cmocka_unit_test(columns_count_characters),
		cmocka_unit_test(look_up),
		cmocka_unit_test(strings_are_decoded),
		cmocka_unit_test(numbers),
		cmocka_unit_test(integers),
		cmocka_unit_test(refusals),
		cmocka_unit_test(independent_errors),
		cmocka_unit_test(depth_is_limited),
		cmocka_unit_test(truncation),
		cmocka_unit_test(replaced_bytes),
		cmocka_unit_test(quoting_round_trip),
		cmocka_unit_test(reading_is_linear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

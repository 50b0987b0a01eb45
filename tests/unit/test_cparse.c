/* test_cparse.c: diagnostics and tokens of C texts, and what happens without libclang. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lib.h"           /* before cmocka.h, whose macro fail() would hide ours */
#include <cmocka.h>

static const char *const strict[] = {"-std=c99", "-Wall", "-Wconversion"};

static int
setup(void **state)
{
	*state = arena_new();
	return 0;
}

static int
teardown(void **state)
{
	arena_free(*state);
	return 0;
}

static CUnit
parse(Arena *a, const char *text)
{
	return cparse(a, "unit.c", text, strict, LEN(strict), NULL, NULL, 0);
}

static void
good_unit_has_no_diagnostics(void **state)
{
	CUnit u = parse(*state,
		"#include <math.h>\n#include <stdint.h>\n#include <stddef.h>\n#include <string.h>\n"
		"float f(float x);\n"
		"float f(float x)\n{\n\treturn sqrtf(x) + (float)sizeof(size_t) + (float)INT8_C(3);\n}\n");
	for (int i = 0; i < u.ndiag; i++)
		print_message("%s:%d: %s\n", u.diag[i].file, u.diag[i].line, u.diag[i].text);
	assert_int_equal(u.ndiag, 0);
}

static void
warning_has_place_and_option(void **state)
{
	CUnit u = parse(*state, "int f(double x);\nint f(double x)\n{\n\treturn x;\n}\n");
	assert_int_equal(u.ndiag, 1);
	assert_string_equal(u.diag[0].file, "unit.c");
	assert_int_equal(u.diag[0].line, 4);
	assert_int_equal(u.diag[0].col, 9);
	assert_string_equal(u.diag[0].severity, "warning");
	assert_non_null(strstr(u.diag[0].text, "-Wfloat-conversion"));
}

static void
place_is_that_in_the_file_despite_line_directive(void **state)
{
	CUnit u = parse(*state, "#line 90 \"else.c\"\nint f(void) { return y; }\n");
	assert_int_equal(u.ndiag, 1);
	assert_string_equal(u.diag[0].file, "unit.c");
	assert_int_equal(u.diag[0].line, 2);
	assert_string_equal(u.diag[0].severity, "error");
}

static void
all_errors_come(void **state)
{
	CUnit u = parse(*state, "int a = b;\nint c = d;\n");
	assert_int_equal(u.ndiag, 2);
	assert_int_equal(u.diag[0].line, 1);
	assert_int_equal(u.diag[1].line, 2);
}

static void
unknown_option_is_a_diagnostic_without_place(void **state)
{
	const char *args[] = {"-std=c99", "-Wno-such-warning"};
	CUnit u = cparse(*state, "unit.c", "int a;\n", args, LEN(args), NULL, NULL, 0);
	assert_int_equal(u.ndiag, 1);
	assert_null(u.diag[0].file);
	assert_int_equal(u.diag[0].line, 0);
}

static void
header_in_memory_is_found_and_diagnosed(void **state)
{
	const char *names[] = {"m.h"}, *texts[] = {"static int g(long x) { return x; }\n"};
	CUnit u = cparse(*state, "m.c", "#include \"m.h\"\nint f(void);\nint f(void) { return g(1); }\n",
		strict, LEN(strict), names, texts, 1);
	assert_int_equal(u.ndiag, 1);
	assert_string_equal(u.diag[0].file, "m.h");
	assert_int_equal(u.diag[0].line, 1);
}

/* "m.h" is looked for beside the file that includes it */
static void
names_may_have_directories(void **state)
{
	static const char *const dirs[] = {"", "no/such/", "/no/such/"};
	for (int i = 0; i < LEN(dirs); i++) {
		const char *c = arena_fmt(*state, "%sm.c", dirs[i]), *h = arena_fmt(*state, "%sm.h", dirs[i]);
		const char *text = "int a = b;\n";
		CUnit u = cparse(*state, c, "#include \"m.h\"\nint c = d;\n", NULL, 0, &h, &text, 1);
		assert_int_equal(u.ndiag, 2);
		assert_string_equal(u.diag[0].file, h);
		assert_string_equal(u.diag[1].file, c);
	}
}

/* the texts given, not what lies under the same names in the working directory */
static void
texts_shadow_files(void **state)
{
	char dir[] = "/tmp/test_cparse_XXXXXX", *old = getcwd(NULL, 0);
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	const char *stale[] = {"m.h", "m.c"};
	for (int i = 0; i < LEN(stale); i++) {
		FILE *f = fopen(stale[i], "w");
		assert_non_null(f);
		fputs("#error stale\n", f);
		fclose(f);
	}
	const char *names[] = {"m.h"}, *texts[] = {"typedef int fresh;\n"};
	CUnit u = cparse(*state, "m.c", "#include \"m.h\"\nfresh a;\n", NULL, 0, names, texts, 1);
	unlink("m.h");
	unlink("m.c");
	assert_int_equal(chdir(old), 0);
	rmdir(dir);
	free(old);
	assert_int_equal(u.ndiag, 0);
}

static void
missing_header_is_told_from_our_own(void **state)
{
	CUnit u = parse(*state, "#include <no_such_header.h>\n");
	assert_int_equal(u.ndiag, 1);
	assert_string_equal(u.diag[0].severity, "missing header");
	assert_non_null(strstr(u.diag[0].text, "no_such_header.h"));
	u = parse(*state, "#include \"forgotten.h\"\n");
	assert_int_equal(u.ndiag, 1);
	assert_string_equal(u.diag[0].severity, "fatal error");
}

/* a header of the machine wants another one, which is not there */
static void
missing_header_below_a_system_header(void **state)
{
	char dir[] = "/tmp/test_cparse_XXXXXX";
	assert_non_null(mkdtemp(dir));
	const char *path = arena_fmt(*state, "%s/libc.h", dir);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs("#include \"bits/absent.h\"\n", f);
	fclose(f);
	const char *args[] = {"-isystem", dir};
	CUnit u = cparse(*state, "m.c", "#include <libc.h>\n", args, LEN(args), NULL, NULL, 0);
	unlink(path);
	rmdir(dir);
	assert_int_equal(u.ndiag, 1);
	assert_string_equal(u.diag[0].severity, "missing header");
	assert_non_null(strstr(u.diag[0].file, "libc.h"));
}

static const char *
join(Arena *a, const char *text)
{
	CToken *t;
	Buf b = {.arena = a};
	int n = ctokens(a, "t.c", text, &t);
	for (int i = 0; i < n; i++)
		buf_printf(&b, "%s%s", i ? " " : "", t[i].text);
	return buf_str(&b);
}

static void
tokens_skip_comments(void **state)
{
	CToken *t;
	int n = ctokens(*state, "t.c", "/* one */ int /* two\n */ a; // three\nint b;", &t);
	assert_int_equal(n, 6);
	assert_string_equal(t[0].text, "int");
	assert_int_equal(t[0].line, 1);
	assert_int_equal(t[0].col, 11);
	assert_string_equal(t[1].text, "a");
	assert_int_equal(t[1].line, 2);
	assert_int_equal(t[1].col, 5);
	assert_string_equal(t[5].text, ";");
	assert_int_equal(t[5].line, 3);
}

static void
tokens_see_through_splices(void **state)
{
	assert_string_equal(join(*state, "in\\\nt a +\\\n= 0x1.\\\n8p+1f; char *s = \"x\\\ny\\n\";\n"),
		"int a += 0x1.8p+1f ; char * s = \"xy\\n\" ;");
}

static void
tokens_know_logical_lines(void **state)
{
	static const struct {
		const char *text;
		bool first;
	} want[] = {
		{"#", true}, {"define", false}, {"A", false}, {"1", false}, {"2", false},
		{"int", true}, {"a", false}, {";", true},
	};
	CToken *t;
	int n = ctokens(*state, "t.c", "#define A \\\n\t1 /* long\n comment */ 2 // end\nint a\n;\n", &t);
	assert_int_equal(n, LEN(want));
	for (int i = 0; i < n; i++) {
		assert_string_equal(t[i].text, want[i].text);
		assert_int_equal(t[i].first, want[i].first);
	}
}

static void
tokens_of_directives_and_dead_code(void **state)
{
	assert_string_equal(join(*state, "#include <no_such.h>\n#if 0\ndead f(\n#endif\n#error no\n"),
		"# include < no_such . h > # if 0 dead f ( # endif # error no");
	assert_string_equal(join(*state, ""), "");
	assert_string_equal(join(*state, "/* alone */"), "");
}

static void
layout_leaves_tokens_alone(void **state)
{
	const char *ours =
		"#define SQUARE(x) ((x) * (x)) /* of x */\n"
		"static float\nf(const float *restrict a, int n)\n{\n\tfloat s = 0.0f;\n"
		"\tfor (int i = 0; i < n; i++)\n\t\ts += SQUARE(a[i]);\n\treturn s;\n}\n";
	const char *theirs =
		"#define SQUARE(x)    \\\n    ((x) * (x))\n"
		"static float f(const float* restrict a, int n) {\n"
		"    // the sum of squares\n    float s=0.0f;\n"
		"    for (int i = 0; i<n; i++) s += SQUARE(a[i]);\n    return s;\n}";
	assert_string_equal(join(*state, ours), join(*state, theirs));
	assert_non_null(strstr(join(*state, ours), "s += SQUARE ( a [ i ] ) ;"));
}

/* The library is looked up once a process: another run of this program looks again. */
static void
without_library_there_is_a_reason(void **state)
{
	(void)state;
	char out[512] = "";
	assert_int_equal(setenv("GRADC_LIBCLANG", "/nonexistent/libclang.so", 1), 0);
	FILE *f = popen("/proc/$PPID/exe --available", "r");
	assert_non_null(f);
	size_t n = fread(out, 1, sizeof out - 1, f);
	unsetenv("GRADC_LIBCLANG");
	out[n] = '\0';
	assert_int_equal(WEXITSTATUS(pclose(f)), 1);
	assert_non_null(strstr(out, "GRADC_LIBCLANG"));
	assert_non_null(strstr(out, "/nonexistent/libclang.so"));
}

static int
print_available(void)
{
	const char *why;
	bool yes = cparse_available(&why);
	puts(yes ? "available" : why);
	return yes ? 0 : 1;
}

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--available") == 0)
		return print_available();
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(good_unit_has_no_diagnostics),
		TEST(warning_has_place_and_option),
		TEST(place_is_that_in_the_file_despite_line_directive),
		TEST(all_errors_come),
		TEST(unknown_option_is_a_diagnostic_without_place),
		TEST(header_in_memory_is_found_and_diagnosed),
		TEST(names_may_have_directories),
		TEST(texts_shadow_files),
		TEST(missing_header_is_told_from_our_own),
		TEST(missing_header_below_a_system_header),
		TEST(tokens_skip_comments),
		TEST(tokens_see_through_splices),
		TEST(tokens_know_logical_lines),
		TEST(tokens_of_directives_and_dead_code),
		TEST(layout_leaves_tokens_alone),
		TEST(without_library_there_is_a_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

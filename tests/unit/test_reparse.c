/* test_reparse.c: which emitted C is let pass, and when two texts are the same C. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "gen.h"           /* before cmocka.h, whose macro fail() would hide ours */
#include <cmocka.h>

static const char *const header =
	"#ifndef M_H\n#define M_H\n#include <stdint.h>\n"
	"#ifdef __cplusplus\nextern \"C\" {\n#endif\n"
	"int64_t m_size(int64_t n);\n"
	"#ifdef __cplusplus\n}\n#endif\n#endif\n";
static const char *const unit =
	"#include \"m.h\"\n#include <math.h>\n"
	"int64_t\nm_size(int64_t n)\n{\n"
	"#ifdef _OPENMP\n#pragma omp parallel for\n#endif\n"
	"\tfor (int64_t i = 0; i < n; i++) {\n\t}\n"
	"\treturn n + (int64_t)sqrt(2.0);\n}\n";

/* the exit status of reparse() in a child; its stderr goes to out */
static int
status(const char *c, const char *h, char *out, size_t size)
{
	int fd[2], rc;
	assert_int_equal(pipe(fd), 0);
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		dup2(fd[1], STDERR_FILENO);
		close(fd[0]);
		reparse("gen/m.c", c, "gen/m.h", h);
		_exit(0);
	}
	close(fd[1]);
	size_t n = 0;
	for (ssize_t r; n < size - 1 && (r = read(fd[0], out + n, size - 1 - n)) > 0;)
		n += (size_t)r;
	out[n] = '\0';
	close(fd[0]);
	assert_int_equal(waitpid(child, &rc, 0), child);
	assert_true(WIFEXITED(rc));
	return WEXITSTATUS(rc);
}

static void
expect(const char *c, const char *h, int code, const char *message)
{
	char out[4096];
	int rc = status(c, h, out, sizeof out);
	if (rc != code || !strstr(out, message))
		print_message("exit %d, stderr: %s\n", rc, out);
	assert_int_equal(rc, code);
	assert_non_null(strstr(out, message));
}

static void
good_unit_passes(void **state)
{
	(void)state;
	expect(unit, header, 0, "");
}

static void
diagnostics_are_bugs(void **state)
{
	(void)state;
	static const struct {
		const char *c, *message;
	} bad[] = {
		{"#include \"m.h\"\nint64_t m_size(int64_t n) { return n + 0.5; }\n", "gen/m.c:2:"},
		{"#include \"m.h\"\nint64_t m_size(int64_t n) { return n + 0.5; }\n", "-Wfloat-conversion"},
		{"#include \"m.h\"\nint64_t m_size(int64_t n)\n{\n\t\treturn n +\t0.5;\n}\n",
			"\n        return n + 0.5;\n"},
		{"#include \"m.h\"\nint64_t m_size(int64_t n) { return 0; }\n", "-Wunused-parameter"},
		{"#include \"m.h\"\nstatic int f(void) { return 0; }\n", "-Wunused-function"},
		{"#include \"m.h\"\nint64_t a = (int64_t)({ 1; });\n", "-Wgnu-statement-expression"},
		{"#include \"m.h\"\nint64_t m_size(int64_t n) { return m; }\n", "error: use of undeclared"},
		{"#include \"n.h\"\n", "'n.h' file not found"},
		{"#include \"m.h\"\n#ifdef _OPENMP\nint a = b;\n#endif\n", "parsed as C99 with OpenMP"},
	};
	for (int i = 0; i < LEN(bad); i++)
		expect(bad[i].c, header, EXIT_BUG, bad[i].message);
}

static void
header_is_held_to_it_alone(void **state)
{
	(void)state;
	const char *c = "#include <stdint.h>\n#include \"m.h\"\n";
	expect(c, "int64_t m_size(int64_t n);\n", EXIT_BUG, "parsed as a C99 header");
	expect(c, "#ifndef M_H\n#define M_H\nstruct s {\n\tint class;\n};\n#endif\n", EXIT_BUG,
		"parsed as a C++ header");
	expect(c, "struct s {\n\tint a;\n};\n", EXIT_BUG, "redefinition of 's'");
}

static void
missing_system_header_is_not_our_bug(void **state)
{
	(void)state;
	expect("#include \"m.h\"\n#include <no_such.h>\n", header, EXIT_INPUT, "'no_such.h' file not found");
}

static void
missing_library_is_not_our_bug(void **state)
{
	(void)state;
	setenv("GRADC_LIBCLANG", "/nonexistent.so", 1);
	expect(unit, header, EXIT_INPUT, "--no-reparse");
	unsetenv("GRADC_LIBCLANG");
}

/* "" when equal, else the reason */
static const char *
difference(Arena *a, const char *old, const char *new)
{
	Buf why = {.arena = a};
	bool equal = tokens_equal(a, "m.c", old, new, &why);
	assert_int_equal(equal, *buf_str(&why) == '\0');
	return buf_str(&why);
}

static void
same_c(void **state)
{
	static const struct {
		const char *old, *new;
	} same[] = {
		{"", ""},
		{"", "/* nothing */\n"},
		{"int a;\n", "int\na // b\n;"},
		{"#define A(x) (x) /* c */\nint a;\n", "#  define A( x ) \\\n\t(x)\n\n\nint a;"},
		{"#include <b.h>\n#include \"a.h\"\n#include <a.h>\nint a;\n",
			"#include \"a.h\"\n\n/* system */\n#include <a.h>\n#include <b.h>\n\nint a;\n"},
		{"#if A\n#include <b.h>\n#include <a.h>\n#endif\n",
			"#if A\n#include <a.h>\n#include <b.h>\n#endif\n"},
	};
	Arena *a = arena_new();
	(void)state;
	for (int i = 0; i < LEN(same); i++) {
		assert_string_equal(difference(a, same[i].old, same[i].new), "");
		assert_string_equal(difference(a, same[i].new, same[i].old), "");
	}
	arena_free(a);
}

static void
other_c(void **state)
{
	static const struct {
		const char *old, *new, *why;
	} other[] = {
		{"int a;\nint b = 2;\n", "int a; int b = 3;", "m.c:2:9: '2', should be '3'"},
		{"int a;\n", "int a;\nint b;\n", "m.c:1:6: the end of the file, should be 'int'"},
		{"", "int a;\n", "m.c:1:1: the end of the file, should be 'int'"},
		{"int a;\n\nint b;\n", "int a;\n", "m.c:3:1: 'int', should be the end of the file"},
		{"a - -b;\n", "a --b;\n", "m.c:1:3: '-', should be '--'"},
		{"ab;\n", "a b;\n", "m.c:1:1: 'ab', should be 'a'"},
		{"\"a b\";\n", "\"a  b\";\n", "m.c:1:1: '\"a b\"', should be '\"a  b\"'"},
		{"#define A\n1;\n", "#define A 1\n;\n", "m.c:2:1: '1', should be '1' within a directive"},
		{"#define f (x)\n", "#define f(x)\n",
			"m.c:1:11: '(' within a directive, should be '(' joined to the macro's name"},
		{"a = b\n#c\n", "a = b #c\n", "m.c:2:1: '#' of a directive, should be '#'"},
		{"#include <a.h>\nint a;\n#include <b.h>\n", "#include <b.h>\nint a;\n#include <a.h>\n",
			"m.c:1:11: 'a' within a directive, should be 'b' within a directive"},
		{"#include <a.h>\n", "#include <a.h>\n#include <a.h>\n",
			"m.c:1:14: the end of the file, should be '#' of a directive"},
	};
	Arena *a = arena_new();
	(void)state;
	for (int i = 0; i < LEN(other); i++) {
		assert_string_equal(difference(a, other[i].old, other[i].new), other[i].why);
		assert_string_not_equal(difference(a, other[i].new, other[i].old), "");
	}
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(missing_library_is_not_our_bug),   /* the library is not loaded yet */
		cmocka_unit_test(good_unit_passes),
		cmocka_unit_test(diagnostics_are_bugs),
		cmocka_unit_test(header_is_held_to_it_alone),
		cmocka_unit_test(missing_system_header_is_not_our_bug),
		cmocka_unit_test(same_c),
		cmocka_unit_test(other_c),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

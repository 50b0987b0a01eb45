/* test_diag.c: what is printed and with which status a process leaves; each
 * case runs in a child whose stderr is read back. */
#define _XOPEN_SOURCE 700      /* posix_openpt */
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

static char err[8192];

/* run in a child whose stderr is fd[1]; what fd[0] gives is left in err, the exit status returned */
static int
child_on(int fd[2], void (*body)(void))
{
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(fd[1], STDERR_FILENO);
		close(fd[0]);
		close(fd[1]);
		body();
		fflush(NULL);
		_exit(99);
	}
	close(fd[1]);
	size_t n = 0;
	ssize_t k;
	while ((k = read(fd[0], err + n, sizeof err - 1 - n)) > 0)
		n += (size_t)k;
	err[n] = 0;
	close(fd[0]);
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
child(void (*body)(void))
{
	int fd[2];
	assert_int_equal(pipe(fd), 0);
	return child_on(fd, body);
}

static int
child_on_terminal(void (*body)(void))
{
	int fd[2] = {posix_openpt(O_RDWR | O_NOCTTY), -1};
	if (fd[0] < 0)
		skip();                        /* a root without /dev/pts has no terminals */
	assert_int_equal(grantpt(fd[0]), 0);
	assert_int_equal(unlockpt(fd[0]), 0);
	fd[1] = open(ptsname(fd[0]), O_RDWR | O_NOCTTY);
	assert_true(fd[1] >= 0);
	return child_on(fd, body);
}

static void
out_of_order(void)
{
	diag(DIAG_ERROR, (Loc){"b.json", 2, 7}, "later");
	diag(DIAG_WARNING, (Loc){"b.json", 2, 3}, "odd %s", "thing");
	diag(DIAG_ERROR, (Loc){"b.json", 10, 1}, "first here");
	diag(DIAG_UNSUPPORTED, (Loc){"b.json", 10, 1}, "second here");
	diag(DIAG_ERROR, (Loc){"a.json", 0, 0}, "whole file");
	diag(DIAG_ERROR, (Loc){"a.json", 3, 0}, "whole line");
	diag(DIAG_ERROR, (Loc){0}, "no place");
	diag_check();
}

static void
prints_in_order(void **state)
{
	(void)state;
	assert_int_equal(child(out_of_order), EXIT_INPUT);
	assert_string_equal(err,
		"gradc: error: no place\n"
		"a.json: error: whole file\n"
		"a.json:3: error: whole line\n"
		"b.json:2:3: warning: odd thing\n"
		"b.json:2:7: error: later\n"
		"b.json:10:1: error: first here\n"
		"b.json:10:1: error: unsupported: second here\n");
}

static void
two_lines(void)
{
	diag(DIAG_ERROR, (Loc){"m.json", 14, 52}, "features differ:\n'a' is 3\nin: nodes[2]");
	diag_check();
}

static void
continues_lines(void **state)
{
	(void)state;
	assert_int_equal(child(two_lines), EXIT_INPUT);
	assert_string_equal(err,
		"m.json:14:52: error: features differ:\n    'a' is 3\n    in: nodes[2]\n");
}

static void
hostile(void)
{
	diag(DIAG_ERROR, (Loc){"m.json", 1, 1}, "name '\033[2J\t\x7f' é");
	diag_check();
}

static void
colour_is_for_terminals(void **state)
{
	(void)state;
	unsetenv("NO_COLOR");
	setenv("TERM", "xterm", 1);
	assert_int_equal(child_on_terminal(hostile), EXIT_INPUT);
	assert_string_equal(err, "m.json:1:1: \033[1;31merror: \033[0mname '\\x1b[2J\\x09\\x7f' é\r\n");
	setenv("NO_COLOR", "1", 1);
	assert_int_equal(child_on_terminal(hostile), EXIT_INPUT);
	assert_null(strchr(err, '\033'));
	unsetenv("NO_COLOR");
	assert_int_equal(child(hostile), EXIT_INPUT);
	assert_string_equal(err, "m.json:1:1: error: name '\\x1b[2J\\x09\\x7f' é\n");
}

static void
only_warnings(void)
{
	diag(DIAG_WARNING, (Loc){"m.json", 1, 1}, "unused");
	diag_check();
	diag_check();              /* prints nothing twice */
	_exit(diag_count(DIAG_WARNING) == 1 && diag_count(DIAG_UNSUPPORTED) == 0 ? 50 : 51);
}

static void
warnings_go_on(void **state)
{
	(void)state;
	assert_int_equal(child(only_warnings), 50);
	assert_string_equal(err, "m.json:1:1: warning: unused\n");
}

static void
only_unsupported(void)
{
	diag(DIAG_UNSUPPORTED, (Loc){"m.json", 1, 1}, "op 'cond'");
	diag(DIAG_UNSUPPORTED, (Loc){"m.json", 2, 1}, "op 'while'");
	diag_check();
}

static void
unsupported_is_three(void **state)
{
	(void)state;
	assert_int_equal(child(only_unsupported), EXIT_UNSUPPORTED);
	assert_string_equal(err,
		"m.json:1:1: error: unsupported: op 'cond'\n"
		"m.json:2:1: error: unsupported: op 'while'\n");
}

static void
failing(void)
{
	diag(DIAG_WARNING, (Loc){"z.json", 1, 2}, "before");
	fail(EXIT_BUDGET, (Loc){"m.json", 0, 0}, "budget of %d bytes", 5);
}

static void
fail_prints_all(void **state)
{
	(void)state;
	assert_int_equal(child(failing), EXIT_BUDGET);
	assert_string_equal(err, "m.json: error: budget of 5 bytes\nz.json:1:2: warning: before\n");
}

static void
buggy(void)
{
	char node[] = "logits";
	bug_context("split", node);
	node[0] = 'X';
	bug("no cut of %d", 3);
}

static void
buggy_without_context(void)
{
	bug_context("split", "x");
	bug_context(NULL, NULL);
	bug("odd");
}

static void
bug_tells_context(void **state)
{
	(void)state;
	assert_int_equal(child(buggy), EXIT_BUG);
	assert_non_null(strstr(err, "gradc: error: internal error: no cut of 3\n"));
	assert_non_null(strstr(err, "split"));
	assert_non_null(strstr(err, "logits"));
	assert_non_null(strstr(err, "report"));
	assert_int_equal(child(buggy_without_context), EXIT_BUG);
	assert_null(strstr(err, "split"));
}

static void
as_json(void)
{
	diag_json(true);
	diag(DIAG_WARNING, (Loc){"a\"b.json", 3, 4}, "line\nnext\t\\ \x01 é");
	diag(DIAG_ERROR, (Loc){0}, "x");
	diag_check();
}

static void
json_lines(void **state)
{
	(void)state;
	assert_int_equal(child(as_json), EXIT_INPUT);
	assert_string_equal(err,
		"{\"file\": null, \"line\": 0, \"col\": 0, \"severity\": \"error\", \"message\": \"x\"}\n"
		"{\"file\": \"a\\\"b.json\", \"line\": 3, \"col\": 4, \"severity\": \"warning\", "
		"\"message\": \"line\\nnext\\t\\\\ \\u0001 é\"}\n");
}

static char kept[] = "/tmp/gradc-test-XXXXXX", removed[] = "/tmp/gradc-test-XXXXXX";

static void
with_temporaries(void)
{
	at_exit_remove(kept);
	at_exit_remove(removed);
	at_exit_remove("/nonexistent/gradc");
	at_exit_keep(kept);
	fail(EXIT_INPUT, (Loc){0}, "stop");
}

static void
failing_exit_removes(void **state)
{
	(void)state;
	close(mkstemp(kept));
	close(mkstemp(removed));
	assert_int_equal(child(with_temporaries), EXIT_INPUT);
	assert_int_equal(access(kept, F_OK), 0);
	assert_int_not_equal(access(removed, F_OK), 0);
	unlink(kept);
}

/* complaints outlive the arena of the file name, and a reset forgets them */
static void
names_are_copied(void)
{
	diag(DIAG_ERROR, (Loc){"old.json", 1, 1}, "forgotten");
	diag_reset();
	char name[] = "m.json";
	diag(DIAG_WARNING, (Loc){name, 1, 1}, "w");
	name[0] = 'X';
	diag_check();
}

static void
reset_forgets(void **state)
{
	(void)state;
	assert_int_equal(child(names_are_copied), 99);
	assert_string_equal(err, "m.json:1:1: warning: w\n");
}

static void
exhausted(void)
{
	diag(DIAG_WARNING, (Loc){"m.json", 1, 1}, "w");
	arena_alloc(arena_new(), INT64_MAX / 2, 1);
}

static void
exhaustion_is_told(void **state)
{
	(void)state;
	assert_int_equal(child(exhausted), EXIT_BUG);
	assert_non_null(strstr(err, "gradc: error: out of memory"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_in_order),
		cmocka_unit_test(continues_lines),
		cmocka_unit_test(colour_is_for_terminals),
		cmocka_unit_test(warnings_go_on),
		cmocka_unit_test(unsupported_is_three),
		cmocka_unit_test(fail_prints_all),
		cmocka_unit_test(bug_tells_context),
		cmocka_unit_test(json_lines),
		cmocka_unit_test(failing_exit_removes),
		cmocka_unit_test(reset_forgets),
		cmocka_unit_test(exhaustion_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_proc.c: programs run with their output kept, and end in time; the private directory
 * goes away however its owner ends. */
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "unit.h"

static Proc
shell(Arena *a, const char *script, double seconds)
{
	return proc_run(a, (const char *[]){"/bin/sh", "-c", script, NULL}, NULL, seconds);
}

static void
output_and_status(void **state)
{
	(void)state;
	Arena *a = arena_new();
	Proc p = shell(a, "echo out; echo err >&2; cat; exit 3", 10);
	assert_string_equal(buf_str(&p.out), "out\n");
	assert_string_equal(buf_str(&p.err), "err\n");
	assert_int_equal(p.status, 3);
	assert_false(p.timed_out);
	assert_string_equal(proc_text(a, &p), "exit status 3");
	p = shell(a, "exit 0", 10);
	assert_null(proc_text(a, &p));
	arena_free(a);
}

/* more than a pipe holds, on both streams at once */
static void
much_output(void **state)
{
	(void)state;
	Arena *a = arena_new();
	Proc p = shell(a,
		"i=0; while [ $i -lt 3000 ]; do printf '%099d\\n' $i; printf '%099d\\n' $i >&2; i=$((i+1)); done",
		60);
	assert_int_equal(p.out.n, 300000);
	assert_int_equal(p.err.n, 300000);
	assert_memory_equal(p.out.s, p.err.s, 300000);
	arena_free(a);
}

static void
environment(void **state)
{
	(void)state;
	Arena *a = arena_new();
	Proc p = proc_run(a, (const char *[]){"sh", "-c", "echo $GRADC_A.$GRADC_B", NULL},
		(const char *[]){"GRADC_A=1", "GRADC_B=x y", NULL}, 10);
	assert_string_equal(buf_str(&p.out), "1.x y\n");
	assert_null(getenv("GRADC_A"));
	arena_free(a);
}

static void
absent_program(void **state)
{
	(void)state;
	Arena *a = arena_new();
	Proc p = proc_run(a, (const char *[]){"/no/such/program", NULL}, NULL, 10);
	assert_int_equal(p.error, ENOENT);
	assert_int_equal(p.status, 127);
	assert_string_equal(proc_text(a, &p), "cannot be started: No such file or directory");
	arena_free(a);
}

static void
killed(void **state)
{
	(void)state;
	Arena *a = arena_new();
	Proc p = shell(a, "kill -SEGV $$", 10);
	assert_int_equal(p.signal, SIGSEGV);
	assert_int_equal(p.status, 128 + SIGSEGV);
	arena_free(a);
}

/* its children hold the pipes: they must end too, and at once */
static void
time_limit(void **state)
{
	(void)state;
	Arena *a = arena_new();
	time_t start = time(NULL);
	Proc p = shell(a, "echo before; sleep 100 & sleep 100", 0.3);
	assert_true(p.timed_out);
	assert_true(time(NULL) - start < 30);
	assert_string_equal(buf_str(&p.out), "before\n");
	assert_string_equal(proc_text(a, &p), "ran out of time");
	p = shell(a, "exec >&- 2>&-; sleep 100", 0.3);
	assert_true(p.timed_out);
	arena_free(a);
}

/* the path that a child reports, once it is there; then the child ends by `how` */
static void
directory_goes(int how)
{
	Arena *a = arena_new();
	int fd[2];
	char dir[4096] = {0};
	struct stat st;
	assert_int_equal(pipe(fd), 0);
	pid_t pid = fork();
	if (!pid) {
		const char *d = temp_dir(a), *sub = path_join(a, d, "sub");
		mkdir(sub, 0700);
		fclose(fopen(path_join(a, sub, "file"), "w"));
		proc_run(a, (const char *[]){"true", NULL}, NULL, 10);
		if (write(fd[1], d, strlen(d)) < 0)
			_exit(1);
		close(fd[1]);
		if (how)
			pause();
		_exit(0);
	}
	close(fd[1]);
	assert_true(read(fd[0], dir, sizeof dir - 1) > 0);
	if (how) {
		assert_int_equal(stat(dir, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0700);
		kill(pid, how);
	}
	waitpid(pid, NULL, 0);
	for (int i = 0; i < 1000 && stat(dir, &st) == 0; i++)
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	assert_int_equal(stat(dir, &st), -1);
	close(fd[0]);
	arena_free(a);
}

static void
directory_goes_at_exit(void **state)
{
	(void)state;
	directory_goes(0);
}

static void
directory_goes_when_killed(void **state)
{
	(void)state;
	directory_goes(SIGTERM);
	directory_goes(SIGKILL);
}

/* what holds the pipe open is the child of a process that gets the signal at some moment of its start, or later */
static void
child_ends(int sig, long delay)
{
	int fd[2];
	char byte;
	pid_t pid;

	void (*before)(int);

	assert_int_equal(pipe(fd), 0);
	/* it may be ignored here, and the child gets it as soon as it is there */
	before = signal(sig, SIG_DFL);
	if (!(pid = fork())) {
		close(fd[0]);
		setrlimit(RLIMIT_CORE, &(struct rlimit){0});
		proc_run(arena_new(), (const char *[]){"sleep", "60", NULL}, NULL, 60);
		_exit(0);
	}
	signal(sig, before);
	close(fd[1]);
	nanosleep(&(struct timespec){.tv_nsec = delay}, NULL);
	kill(pid, sig);
	waitpid(pid, NULL, 0);
	alarm(30);                     /* in the place of an hour of waiting */
	assert_int_equal(read(fd[0], &byte, 1), 0);
	alarm(0);
	close(fd[0]);
}

static void
child_ends_with_us(void **state)
{
	static const int sig[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

	(void)state;
	for (int i = 0; i < LEN(sig); i++) {
		for (long delay = 0; delay < 2000000; delay += 40000)
			child_ends(sig[i], delay);
		child_ends(sig[i], 100000000);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_and_status),
		cmocka_unit_test(much_output),
		cmocka_unit_test(environment),
		cmocka_unit_test(absent_program),
		cmocka_unit_test(killed),
		cmocka_unit_test(time_limit),
		cmocka_unit_test(child_ends_with_us),
		cmocka_unit_test(directory_goes_at_exit),
		cmocka_unit_test(directory_goes_when_killed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

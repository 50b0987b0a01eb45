/* proc: other programs, and a private directory for what they read and write.
 *
 * A child runs in a process group of its own, so that a time limit or an
 * interruption of gradc ends its children too. The directory is removed at exit
 * by a keeper: a process that waits for ours to end, in whatever way, on a pipe
 * that nobody writes to. */
#define _XOPEN_SOURCE 700   /* nftw */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib.h"

/* ---- interruption ---- */

static volatile sig_atomic_t running;      /* process group of the child, 0: none */
static const int fatal[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/* the child first, then ourselves as if there were no handler */
static void
interrupted(int sig)
{
	if (running)
		kill(-(pid_t)running, SIGKILL);
	signal(sig, SIG_DFL);
	raise(sig);
}

static void
catch_fatal(struct sigaction *old)
{
	for (int i = 0; i < LEN(fatal); i++) {
		struct sigaction act = {.sa_handler = interrupted};
		sigaction(fatal[i], NULL, &old[i]);
		if (old[i].sa_handler != SIG_IGN)
			sigaction(fatal[i], &act, NULL);
	}
}

/* until the child's group is known, there is nothing that a handler could end */
static void
hold_fatal(sigset_t *before)
{
	sigset_t set;

	sigemptyset(&set);
	for (int i = 0; i < LEN(fatal); i++)
		sigaddset(&set, fatal[i]);
	sigprocmask(SIG_BLOCK, &set, before);
}

static void
restore_fatal(const struct sigaction *old)
{
	for (int i = 0; i < LEN(fatal); i++)
		sigaction(fatal[i], &old[i], NULL);
}

/* ---- running ---- */

typedef struct Pipe { int read, write; } Pipe;

static Pipe
pipe_open(void)
{
	int fd[2];

	if (pipe(fd))
		fail(EXIT_INPUT, (Loc){0}, "cannot make a pipe: %s", strerror(errno));
	for (int i = 0; i < 2; i++)
		fcntl(fd[i], F_SETFD, FD_CLOEXEC);
	return (Pipe){fd[0], fd[1]};
}

static _Noreturn void
become(const char *const *argv, const char *const *env, int out, int err, int report, const sigset_t *mask)
{
	int null = open("/dev/null", O_RDONLY), error;

	setpgid(0, 0);
	for (int i = 0; i < LEN(fatal); i++)
		signal(fatal[i], SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	for (; env && *env; env++)
		putenv((char *)*env);
	execvp(argv[0], (char *const *)argv);
	error = errno;
	if (write(report, &error, sizeof error) != sizeof error)
		_exit(126);
	_exit(127);
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* what comes next from fd into b; false at its end */
static bool
drain(int fd, Buf *b)
{
	char part[65536];
	ssize_t n = read(fd, part, sizeof part);

	if (n > 0)
		buf_put(b, part, n);
	return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

/* both streams to their ends; false when `end` is reached before */
static bool
collect(Proc *p, int out, int err, double end)
{
	struct pollfd fd[2] = {{.fd = out, .events = POLLIN}, {.fd = err, .events = POLLIN}};
	Buf *to[2] = {&p->out, &p->err};

	while (fd[0].fd >= 0 || fd[1].fd >= 0) {
		double left = end - now();
		if (left <= 0)
			return false;
		if (poll(fd, 2, left > 60 ? 60000 : (int)(left * 1000) + 1) < 0)
			continue;
		for (int i = 0; i < 2; i++)
			if (fd[i].fd >= 0 && fd[i].revents && !drain(fd[i].fd, to[i]))
				fd[i].fd = -1;
	}
	return true;
}

/* a child that has closed its streams may go on: wait for its end as well */
static bool
reap(pid_t pid, double end, int *status)
{
	for (double step = 1e-4;; step = MIN(step * 2, 0.05)) {
		struct timespec t = {.tv_nsec = (long)(step * 1e9)};
		pid_t got = waitpid(pid, status, WNOHANG);
		if (got == pid || (got < 0 && errno != EINTR))
			return true;
		if (now() > end)
			return false;
		nanosleep(&t, NULL);
	}
}

Proc
proc_run(Arena *a, const char *const *argv, const char *const *env, double seconds)
{
	Proc p = {.out.arena = a, .err.arena = a};
	Pipe out = pipe_open(), err = pipe_open(), report = pipe_open();
	struct sigaction old[LEN(fatal)];
	double end = now() + seconds;
	int status = 0, error = 0;
	sigset_t mask;
	pid_t pid;

	fflush(NULL);
	hold_fatal(&mask);
	catch_fatal(old);
	if ((pid = fork()) < 0)
		fail(EXIT_INPUT, (Loc){0}, "cannot start %s: %s", argv[0], strerror(errno));
	if (!pid)
		become(argv, env, out.write, err.write, report.write, &mask);
	setpgid(pid, pid);                 /* here too: whoever comes first */
	running = (sig_atomic_t)pid;
	sigprocmask(SIG_SETMASK, &mask, NULL);
	close(out.write);
	close(err.write);
	close(report.write);
	if (read(report.read, &error, sizeof error) == sizeof error)
		p.error = error;
	p.timed_out = !collect(&p, out.read, err.read, end) || !reap(pid, end, &status);
	if (p.timed_out) {
		kill(-pid, SIGKILL);
		waitpid(pid, &status, 0);
	}
	running = 0;
	restore_fatal(old);
	close(out.read);
	close(err.read);
	close(report.read);
	p.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	p.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + p.signal;
	return p;
}

const char *
proc_text(Arena *a, const Proc *p)
{
	if (p->error)
		return arena_fmt(a, "cannot be started: %s", strerror(p->error));
	if (p->timed_out)
		return "ran out of time";
	if (p->signal)
		return arena_fmt(a, "ended by signal %d (%s)", p->signal, strsignal(p->signal));
	return p->status ? arena_fmt(a, "exit status %d", p->status) : NULL;
}

/* ---- the private directory ---- */

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

static _Noreturn void
keep(const char *dir, int alive)
{
	char byte;

	setsid();
	for (int i = 0; i < LEN(fatal); i++)
		signal(fatal[i], SIG_IGN);
	while (read(alive, &byte, 1) < 0 && errno == EINTR)
		;
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	_exit(0);
}

/* One fork ahead of the keeper, so that it is nobody's child here. The end of the pipe
 * that we hold closes when we end; programs that we start do not inherit it. */
static void
start_keeper(const char *dir)
{
	Pipe alive = pipe_open();
	pid_t pid;

	fflush(NULL);
	if ((pid = fork()) < 0)
		fail(EXIT_INPUT, (Loc){.file = dir}, "cannot start a process: %s", strerror(errno));
	if (!pid) {
		if (fork())
			_exit(0);
		for (int fd = 0; fd <= 2; fd++)
			close(fd);
		close(alive.write);
		keep(dir, alive.read);
	}
	close(alive.read);
	waitpid(pid, NULL, 0);
}

const char *
temp_dir(Arena *a)
{
	const char *base = getenv("TMPDIR");
	char *dir = arena_fmt(a, "%s/gradc-XXXXXX", base && *base ? base : "/tmp");

	if (!mkdtemp(dir))
		fail(EXIT_INPUT, (Loc){.file = dir}, "cannot make a directory: %s", strerror(errno));
	start_keeper(dir);
	return dir;
}

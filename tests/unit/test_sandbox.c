/* links: libsys libshm libcore */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "libsys/clock.h"
#include "libsys/log.h"
#include "libsys/sandbox.h"

static int file_fd;
static int pipe_fd[2];
static uint32_t word;

/* Each returns 0 when the call worked, else errno. */
#define CALL(e) ((e) >= 0 ? 0 : errno)

static int
do_clock(void)
{
	return clock_mono_ns() > 0 && clock_wall_ns() > 0 ? 0 : EINVAL;
}
static int
do_futex(void)
{
	return CALL(syscall(SYS_futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0));
}
static int
do_futex_wait(void)
{
	struct timespec ts = {0, 1000000};

	errno = 0;
	syscall(SYS_futex, &word, FUTEX_WAIT, word, &ts, NULL, 0);
	return errno == ETIMEDOUT ? 0 : errno;
}
static int
do_write(void)
{
	return CALL(write(pipe_fd[1], "x", 1));
}
static int
do_read(void)
{
	char c;

	return CALL(read(pipe_fd[0], &c, 1));
}
static int
do_poll(void)
{
	struct pollfd p = {.fd = pipe_fd[0], .events = POLLIN};

	return CALL(poll(&p, 1, 0));
}
static int
do_nanosleep(void)
{
	struct timespec ts = {0, 1000};

	return CALL(nanosleep(&ts, NULL));
}
static int
do_yield(void)
{
	return CALL(sched_yield());
}
static int
do_malloc(void)
{
	void *volatile p = malloc(1 << 20);

	if (p == NULL)
		return ENOMEM;
	free(p);
	return 0;
}
static int
do_mmap(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? errno : CALL(munmap(p, 4096));
}
static int
do_fstat(void)
{
	struct stat st;

	return CALL(fstat(file_fd, &st));
}
static int
do_getfl(void)
{
	return CALL(fcntl(file_fd, F_GETFL));
}
static int
do_log(void)
{
	uint64_t before = log_dropped_n();

	LOG(LOG_SANDBOX_SEALED, F_STR("mode", "test"));
	return log_dropped_n() == before ? 0 : EIO;
}
static int
do_fsync(void)
{
	return CALL(fsync(file_fd));
}
static int
do_pwrite(void)
{
	return CALL(pwrite(file_fd, "x", 1, 0));
}
static int
do_ftruncate(void)
{
	return CALL(ftruncate(file_fd, 10));
}
static int
do_socket(void)
{
	return CALL(socket(AF_INET, SOCK_STREAM, 0));
}
static int
do_unix_socket(void)
{
	return CALL(socket(AF_UNIX, SOCK_STREAM, 0));
}
static int
do_socketpair(void)
{
	int fd[2];

	return CALL(socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
}
static int
do_open(void)
{
	return CALL(open("/etc/passwd", O_RDONLY));
}
static int
do_create(void)
{
	return CALL(open("/dev/shm/test_sandbox", O_CREAT | O_WRONLY, 0600));
}
static int
do_openat2(void)
{
	uint64_t how[3] = {O_RDONLY, 0, 0};

	return CALL(
	    syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", how, sizeof(how)));
}
static int
do_exec(void)
{
	char *argv[] = {NULL};

	return CALL(execve("/bin/true", argv, argv));
}
static int
do_fork(void)
{
	return CALL(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}
static int
do_unlink(void)
{
	return CALL(unlink("/tmp/nothing.of.that.name"));
}
static int
do_exec_memory(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? errno : 0;
}
static int
do_make_exec(void)
{
	static char page[8192] __attribute__((aligned(4096)));

	return CALL(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}
static int
do_kill_parent(void)
{
	return CALL(kill(getppid(), 0));
}
static int
do_signal_other(void)
{
	return CALL(syscall(SYS_tgkill, getppid(), getppid(), 0));
}
static int
do_dup(void)
{
	return CALL(fcntl(file_fd, F_DUPFD, 0));
}
static int
do_ptrace(void)
{
	return CALL(syscall(SYS_ptrace, 0, 0, 0, 0));
}
static int
do_prctl(void)
{
	return CALL(syscall(SYS_prctl, 4 /* PR_SET_DUMPABLE */, 0, 0, 0, 0));
}
static int
do_io_uring(void)
{
	char params[120] = {0};

	return CALL(syscall(425 /* io_uring_setup */, 1, params));
}

enum {
	BOTH = 1,
	RISKD,
	NONE
};

static const struct {
	const char *name;
	int (*call)(void);
	int who; /* may do it after the seal */
} calls[] = {
    {"clock", do_clock, BOTH},
    {"futex wake", do_futex, BOTH},
    {"futex wait", do_futex_wait, BOTH},
    {"write", do_write, BOTH},
    {"read", do_read, BOTH},
    {"poll", do_poll, BOTH},
    {"nanosleep", do_nanosleep, BOTH},
    {"sched_yield", do_yield, BOTH},
    {"malloc", do_malloc, BOTH},
    {"mmap", do_mmap, BOTH},
    {"fstat", do_fstat, BOTH},
    {"fcntl F_GETFL", do_getfl, BOTH},
    {"log", do_log, BOTH},
    {"fsync", do_fsync, RISKD},
    {"pwrite", do_pwrite, RISKD},
    {"ftruncate", do_ftruncate, RISKD},
    {"socket", do_socket, NONE},
    {"unix socket", do_unix_socket, NONE},
    {"socketpair", do_socketpair, NONE},
    {"open", do_open, NONE},
    {"create in /dev/shm", do_create, NONE},
    {"openat2", do_openat2, NONE},
    {"execve", do_exec, NONE},
    {"clone", do_fork, NONE},
    {"unlink", do_unlink, NONE},
    {"executable mmap", do_exec_memory, NONE},
    {"executable mprotect", do_make_exec, NONE},
    {"kill", do_kill_parent, NONE},
    {"signal to another", do_signal_other, NONE},
    {"fcntl F_DUPFD", do_dup, NONE},
    {"ptrace", do_ptrace, NONE},
    {"prctl", do_prctl, NONE},
    {"io_uring_setup", do_io_uring, NONE},
};
#define CALL_N (sizeof(calls) / sizeof(calls[0]))

/* Seal in a child, do one call there. Exit status: 0 worked, else errno;
 * 200 the seal failed, 201 the counter is wrong. */
static int
in_child(enum sandbox_kind kind, enum cfg_sandbox mode, int (*call)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct sandbox_report r;
		struct err e;
		int rc;

		signal(SIGSYS, SIG_DFL);
		if (sandbox_seal(kind, mode, &r, &e) < 0 ||
		    r.seccomp != (mode != CFG_SANDBOX_OFF))
			_exit(200);
		rc = call();
		if (mode == CFG_SANDBOX_DEV &&
		    (sandbox_denied_n() > 0) != (rc == EPERM))
			_exit(201);
		_exit(rc);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
dev_refuses_and_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < CALL_N; i++) {
		for (int k = SANDBOX_QUOTED; k < SANDBOX_KIND_N; k++) {
			bool may =
			    calls[i].who == BOTH ||
			    (calls[i].who == RISKD && k == SANDBOX_RISKD);
			int status = in_child((enum sandbox_kind)k,
			    CFG_SANDBOX_DEV, calls[i].call);

			if (!WIFEXITED(status) ||
			    WEXITSTATUS(status) != (may ? 0 : EPERM))
				fail_msg("%s, kind %d: status %x",
				    calls[i].name, k, status);
		}
	}
}

static void
prod_kills(void **state)
{
	(void)state;
	for (size_t i = 0; i < CALL_N; i++) {
		int status =
		    in_child(SANDBOX_QUOTED, CFG_SANDBOX_PROD, calls[i].call);
		bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;

		if (killed != (calls[i].who != BOTH) ||
		    (!killed && WEXITSTATUS(status) != 0))
			fail_msg("%s: status %x", calls[i].name, status);
	}
}

static int
leave_a_file_alone(void)
{
	return do_open() != 0 || do_socket() != 0;
}

static void
off_allows(void **state)
{
	int status =
	    in_child(SANDBOX_QUOTED, CFG_SANDBOX_OFF, leave_a_file_alone);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int
name_the_call(void)
{
	if (sandbox_denied_name() != NULL)
		return 1;
	do_socket();
	do_exec();
	do_exec();
	if (sandbox_denied_n() != 3)
		return 2;
	return strcmp(sandbox_denied_name(), "execve") == 0 ? EPERM : 3;
}

static void
denied_calls_have_names(void **state)
{
	int status = in_child(SANDBOX_RISKD, CFG_SANDBOX_DEV, name_the_call);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EPERM);
}

/* What the log says, once for each new number. */
static int
log_the_call(void)
{
	char out[4096];
	ssize_t n;

	sandbox_housekeep();
	do_socket();
	do_open();
	sandbox_housekeep();
	sandbox_housekeep();
	n = read(pipe_fd[0], out, sizeof(out) - 1);
	out[n > 0 ? n : 0] = '\0';
	if (n <= 0 || memchr(out, '\n', (size_t)n) != out + n - 1)
		return 1;
	return strstr(out, "\"ev\":\"sandbox_denied\",\"syscall\":"
			   "\"openat\",\"n\":2}\n") != NULL
		   ? EPERM
		   : 2;
}

static void
denied_calls_are_logged(void **state)
{
	int status = in_child(SANDBOX_QUOTED, CFG_SANDBOX_DEV, log_the_call);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EPERM);
}

/* A failed CHECK must still end the process, sealed or not. */
static int
fail_a_check(void)
{
	signal(SIGABRT, SIG_DFL);
	abort();
}

static void
abort_works_inside(void **state)
{
	int status = in_child(SANDBOX_QUOTED, CFG_SANDBOX_PROD, fail_a_check);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

static int
open_things(void **state)
{
	char path[] = "/tmp/test_sandbox.XXXXXX";

	(void)state;
	file_fd = mkstemp(path);
	unlink(path);
	return file_fd < 0 || pipe2(pipe_fd, O_NONBLOCK) < 0 ||
	       write(pipe_fd[1], "abcdef", 6) != 6;
}

/* log lines go nowhere: the descriptor of the temporary file. */
static int
quiet(void **state)
{
	if (open_things(state) != 0)
		return -1;
	log_open("test", pipe_fd[1], CFG_LOG_INFO);
	return 0;
}

static int
close_things(void **state)
{
	(void)state;
	close(file_fd);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		dev_refuses_and_counts, quiet, close_things),
	    cmocka_unit_test_setup_teardown(prod_kills, quiet, close_things),
	    cmocka_unit_test_setup_teardown(off_allows, quiet, close_things),
	    cmocka_unit_test_setup_teardown(
		denied_calls_have_names, quiet, close_things),
	    cmocka_unit_test_setup_teardown(
		denied_calls_are_logged, quiet, close_things),
	    cmocka_unit_test_setup_teardown(
		abort_works_inside, quiet, close_things),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#define _GNU_SOURCE
#include "tests/pipeline/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

const char *
proc_bin(const char *program)
{
	static char path[PATH_MAX];
	char self[PATH_MAX - 64];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n < 0)
		abort();
	self[n] = '\0';
	for (int i = 0; i < 2; i++)
		*strrchr(self, '/') = '\0';
	snprintf(path, sizeof(path), "%s/bin/%s", self, program);
	return path;
}

pid_t
proc_start(const char *const argv[], const char *log)
{
	const char *path = proc_bin(argv[0]);
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	if (log != NULL) {
		int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);

		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
	}
	execv(path, (char *const *)(uintptr_t)argv);
	fprintf(stderr, "exec %s: %s\n", path, strerror(errno));
	_exit(127);
}

int
proc_wait(pid_t pid, int ms)
{
	int status;

	for (int i = 0; i <= ms; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		usleep(1000);
	}
	return -1;
}

int
proc_exit_code(pid_t pid)
{
	int status = proc_wait(pid, PROC_WAIT_MS);

	if (status == -1) {
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		return -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status)
				 : 1000 + WTERMSIG(status);
}

bool
proc_until(bool (*what)(void *arg), void *arg, int ms)
{
	for (int i = 0; i <= ms; i++) {
		if (what(arg))
			return true;
		usleep(1000);
	}
	return false;
}

const char *
proc_tmp(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "/dev/shm/rmtest.%s.XXXXXX", name);
	if (mkdtemp(path) == NULL)
		abort();
	return path;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

void
proc_rmtree(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

uint64_t
proc_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/*
 * shmdir.h - for tests of shared memory: a private directory, children that
 * are killed, broken preconditions. Include after cmocka.h.
 */
#ifndef TESTS_UNIT_SHMDIR_H
#define TESTS_UNIT_SHMDIR_H

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct shmdir {
	char path[64];
	int fd;
};

static inline void
shmdir_open(struct shmdir *d)
{
	snprintf(d->path, sizeof(d->path), "/dev/shm/rmtest.XXXXXX");
	assert_non_null(mkdtemp(d->path));
	d->fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(d->fd >= 0);
}

static inline void
shmdir_close(struct shmdir *d)
{
	char cmd[96];

	close(d->fd);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", d->path);
	assert_int_equal(system(cmd), 0);
}

/* How a child that runs the statement ends: its wait status. */
#define IN_CHILD(status, statement)                                  \
	do {                                                         \
		pid_t pid_ = fork();                                 \
                                                                     \
		assert_true(pid_ >= 0);                              \
		if (pid_ == 0) {                                     \
			struct rlimit none_ = {0, 0};                \
                                                                     \
			setrlimit(RLIMIT_CORE, &none_);              \
			signal(SIGABRT, SIG_DFL);                    \
			if (freopen("/dev/null", "w", stderr) == 0)  \
				_exit(2);                            \
			statement;                                   \
			_exit(0);                                    \
		}                                                    \
		assert_int_equal(waitpid(pid_, &(status), 0), pid_); \
	} while (0)

/* The statement must fail a CHECK. */
#define assert_check_fails(statement)                                      \
	do {                                                               \
		int status_;                                               \
                                                                           \
		IN_CHILD(status_, statement);                              \
		assert_true(                                               \
		    WIFSIGNALED(status_) && WTERMSIG(status_) == SIGABRT); \
	} while (0)

#endif

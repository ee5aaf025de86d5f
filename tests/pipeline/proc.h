/*
 * proc.h - starting and killing our programs from tests.
 *
 * Binaries are found beside the test: <out>/test/x -> <out>/bin/<program>.
 * Every wait has a limit, after which the test fails.
 */
#ifndef TESTS_PROC_H
#define TESTS_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PROC_WAIT_MS 20000

/* proc_bin - path of a program of this build. */
const char *proc_bin(const char *program);

/* proc_start - fork and exec argv (argv[0] a program's name); stderr and
 * stdout go to log when not NULL. The child dies with the test. */
pid_t proc_start(const char *const argv[], const char *log);

/* proc_wait - exit status as from waitpid; -1 when it still runs after ms. */
int proc_wait(pid_t pid, int ms);

/* proc_exit_code - wait, then the exit code; 1000 + signal when killed. */
int proc_exit_code(pid_t pid);

/* proc_until - poll what() each ms until true. */
bool proc_until(bool (*what)(void *arg), void *arg, int ms);

/* proc_tmp - fresh private directory under the tests' scratch space. */
const char *proc_tmp(const char *name);
void proc_rmtree(const char *path);

uint64_t proc_now_ns(void);

#endif

/*
 * contract.h - does a broken precondition fail a CHECK?
 *
 * The call runs in a child of its own, which is to end by SIGABRT. Needs
 * _GNU_SOURCE at the top of the including file.
 */
#ifndef TESTS_UNIT_CONTRACT_H
#define TESTS_UNIT_CONTRACT_H

#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

static inline bool
contract_fails(void (*breaks)(void))
{
	int status = 0;
	pid_t pid = fork();
	if (pid == 0) {
		/* What the child would say is not this test's output. */
		close(STDERR_FILENO);
		(void)signal(SIGABRT, SIG_DFL);
		breaks();
		_exit(0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid &&
	       WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

#endif

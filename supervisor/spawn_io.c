#define _GNU_SOURCE
#include "supervisor/spawn_io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libsys/proc.h"
#include "supervisor/envkey_io.h"
#include "supervisor/supervise.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static int
pidfd_open_(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : fd;
}

/* What posix_spawn is told, beside the files. */
struct launch {
	const char *path;
	char *const *argv;
	char *const *envp;
	int in_fd; /* -1: nothing to read */
	int log_fd;
};

static int
run(const struct launch *l, pid_t *pid)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	sigset_t none;
	sigset_t all;
	int rc = posix_spawn_file_actions_init(&fa);

	if (rc != 0)
		return -rc;
	rc = posix_spawnattr_init(&at);
	if (rc != 0) {
		posix_spawn_file_actions_destroy(&fa);
		return -rc;
	}
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(&at, &none);
	posix_spawnattr_setsigdefault(&at, &all);
	posix_spawnattr_setpgroup(&at, 0);
	posix_spawnattr_setflags(&at, POSIX_SPAWN_SETSIGMASK |
					  POSIX_SPAWN_SETSIGDEF |
					  POSIX_SPAWN_SETPGROUP);
	if (l->in_fd >= 0)
		posix_spawn_file_actions_adddup2(&fa, l->in_fd, 0);
	else
		posix_spawn_file_actions_addopen(
		    &fa, 0, "/dev/null", O_RDONLY, 0);
	if (l->log_fd >= 0) {
		posix_spawn_file_actions_adddup2(&fa, l->log_fd, 1);
		posix_spawn_file_actions_adddup2(&fa, l->log_fd, 2);
	}
	rc = posix_spawn(pid, l->path, &fa, &at, l->argv, l->envp);
	posix_spawnattr_destroy(&at);
	posix_spawn_file_actions_destroy(&fa);
	return -rc;
}

static int
launch(const struct launch *l, pid_t *pid, int *pidfd, struct err *e)
{
	int rc = l->envp != NULL ? run(l, pid) : -ENOMEM;

	if (rc < 0)
		return err_set(
		    e, rc, "cannot run %s: %s", l->path, strerror(-rc));
	*pidfd = pidfd_open_(*pid);
	if (*pidfd < 0) {
		/* Not supervised, not wanted; it is our child, so the number
		 * is still its. */
		kill(*pid, SIGKILL);
		waitpid(*pid, NULL, 0);
		return err_set(e, *pidfd, "pidfd_open: %s", strerror(-*pidfd));
	}
	return 0;
}

int
spawn_stage(const struct spawn_args *a, pid_t *pid, int *pidfd, struct err *e)
{
	const struct stage_def *def = &topo_stages[a->id];
	char path[PATH_MAX];
	char program[32];
	char instance[64];
	char stage[64];
	char opt_i[] = "--instance";
	char opt_s[] = "--stage";
	char opt_w[] = "--sweep";
	char *argv[] = {program, opt_i, instance, opt_s, stage,
	    a->sweep ? opt_w : NULL, NULL};
	char **envp = envkey_environ(a->id);
	const struct launch l = {path, argv, envp, -1, a->log_fd};
	int rc;

	snprintf(path, sizeof(path), "%s/%s", a->bin_dir, def->program);
	snprintf(program, sizeof(program), "%s", def->program);
	snprintf(instance, sizeof(instance), "%s", a->instance);
	snprintf(stage, sizeof(stage), "%s", def->name);
	rc = launch(&l, pid, pidfd, e);
	free(envp);
	return rc;
}

int
spawn_doctor(
    const struct spawn_doctor_args *a, pid_t *pid, int *pidfd, struct err *e)
{
	const struct stage_def *def = &topo_stages[a->id];
	char path[PATH_MAX];
	char program[32];
	char venue[32];
	char opt_d[] = "--doctor";
	char opt_j[] = "--json";
	char *argv[] = {program, opt_d, venue, a->json ? opt_j : NULL, NULL};
	char **envp = envkey_environ(a->id);
	const struct launch l = {path, argv, envp, a->in_fd, -1};
	int rc;

	snprintf(path, sizeof(path), "%s/%s", a->bin_dir, def->program);
	snprintf(program, sizeof(program), "%s", def->program);
	snprintf(
	    venue, sizeof(venue), "%s", venue_name((enum venue)def->venue));
	rc = launch(&l, pid, pidfd, e);
	free(envp);
	return rc;
}

int
spawn_adopt(pid_t pid, uint64_t start_ticks)
{
	int fd;

	if (pid <= 0)
		return -ESRCH;
	fd = pidfd_open_(pid);
	if (fd < 0)
		return fd;
	/* With the pidfd in hand the number cannot be reused unnoticed. */
	if (!proc_alive(pid, start_ticks)) {
		close(fd);
		return -ESRCH;
	}
	return fd;
}

int
spawn_signal(int pidfd, int sig)
{
	if (syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) < 0)
		return -errno;
	return 0;
}

bool
spawn_status(int pidfd, uint32_t *status)
{
	siginfo_t si;

	memset(&si, 0, sizeof(si));
	if (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &si, WEXITED | WNOHANG) <
	    0) {
		*status = SUP_STATUS_UNKNOWN;
		return errno == ECHILD;
	}
	if (si.si_pid == 0)
		return false;
	if (si.si_code == CLD_EXITED)
		*status = (uint32_t)(si.si_status & 0xff) << 8;
	else
		*status = (uint32_t)(si.si_status & 0x7f) |
			  (si.si_code == CLD_DUMPED ? 0x80u : 0u);
	return true;
}

int
spawn_bin_dir(char *buf, size_t n)
{
	const char *env = getenv("RINGMAKER_BIN");
	ssize_t got;
	char *slash;

	if (env != NULL && env[0] != '\0') {
		snprintf(buf, n, "%s", env);
		return 0;
	}
	got = readlink("/proc/self/exe", buf, n - 1);
	if (got <= 0)
		return errno ? -errno : -ENOENT;
	buf[got] = '\0';
	slash = strrchr(buf, '/');
	if (slash == NULL || slash == buf)
		return -ENOENT;
	*slash = '\0';
	return 0;
}

int
spawn_log_open(const char *state_dir, const char *name, struct err *e)
{
	char path[PATH_MAX];
	char old[PATH_MAX];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/logs/%s.log", state_dir, name);
	snprintf(old, sizeof(old), "%s/logs/%s.log.1", state_dir, name);
	if (stat(path, &st) == 0 && st.st_size > SPAWN_LOG_MAX)
		rename(path, old);
	fd = open(
	    path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set(
		    e, -errno, "cannot open %s: %s", path, strerror(errno));
	return fd;
}

const char *
spawn_log_tail(const char *state_dir, const char *name, unsigned lines,
    char *buf, size_t sz)
{
	char path[PATH_MAX];
	struct stat st;
	ssize_t n = 0;
	char *p;
	int fd;

	buf[0] = '\0';
	if (lines == 0)
		return buf;
	snprintf(path, sizeof(path), "%s/logs/%s.log", state_dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return buf;
	if (fstat(fd, &st) == 0) {
		off_t from = st.st_size > (off_t)sz - 1
				 ? st.st_size - ((off_t)sz - 1)
				 : 0;

		n = pread(fd, buf, sz - 1, from);
	}
	close(fd);
	if (n <= 0)
		return buf;
	buf[n] = '\0';
	p = buf + n;
	while (p > buf) {
		if (p[-1] == '\n' && p < buf + n && --lines == 0)
			break;
		p--;
	}
	if (p > buf)
		memmove(buf, p, strlen(p) + 1);
	return buf;
}

/*
 * fakesup.h - the supervisor with processes of its own kind.
 *
 * The test's program is installed under the names supervisor, feedd, quoted ...
 * in a private directory; fakesup_main tells which it is to be. As a stage it
 * only maps the control page, says READY and beats, and does what the file
 * $RM_FAKE/<stage> says (fakestage.h). FAKESUP_MODE: system.mode.
 */
#ifndef TESTS_PIPELINE_FAKESUP_H
#define TESTS_PIPELINE_FAKESUP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "libshm/cfgpage.h"
#include "libshm/ctl.h"
#include "libshm/instance.h"
#include "libsys/clock.h"
#include "libsys/proc.h"
#include "supervisor/opts.h"
#include "tests/pipeline/fakestage.h"

#define WAIT_MS 8000

static char root[64];

/* ---- helpers ---- */

static void
tell(const char *stage, const char *what)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/fake/%s", root, stage);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, what, strlen(what)), strlen(what));
	close(fd);
}

/* Run the supervisor with up to four arguments; its exit code, its output
 * into out. */
static int
sup(char *out, size_t n, const char *a, const char *b, const char *c,
    const char *d)
{
	const char *argv[12] = {"supervisor"};
	char path[128];
	char conf[128];
	int argc = 1;
	int status;
	int p[2];
	size_t at = 0;
	ssize_t got;
	pid_t pid;
	const char *more[] = {a, b, c, d};

	snprintf(path, sizeof(path), "%s/bin/supervisor", root);
	snprintf(conf, sizeof(conf), "%s/test.yaml", root);
	argv[argc++] = "--config";
	argv[argc++] = conf;
	for (size_t i = 0; i < 4 && more[i] != NULL; i++)
		argv[argc++] = more[i];
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		dup2(p[1], 1);
		dup2(p[1], 2);
		execv(path, (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	assert_true(pid > 0);
	close(p[1]);
	out[0] = '\0';
	while (at + 1 < n && (got = read(p[0], out + at, n - 1 - at)) > 0)
		at += (size_t)got;
	out[at] = '\0';
	close(p[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

#define SUP(...)	      SUP_(__VA_ARGS__, NULL, NULL, NULL, NULL)
#define SUP_(a, b, c, d, ...) sup(text, sizeof(text), a, b, c, d)
static char text[262144];

static void
expect(int code, int want)
{
	if (code != want)
		fail_msg(
		    "exit code %d, want %d; it said: %s", code, want, text);
}

static void
attach(void)
{
	struct err e;

	if (instance_open(&inst, "main", &e) < 0 ||
	    ctl_attach(&ctl, inst.dirfd, true, &e) < 0)
		fail_msg("%s", e.text);
}

static void
detach(void)
{
	ctl_detach(ctl);
	instance_close(&inst);
}

static uint64_t
pid_of(enum stage_id id)
{
	return atomic_load(&ctl->stage[id].own.pid);
}

static bool
ready_as_other(enum stage_id id, uint64_t old)
{
	return atomic_load(&ctl->stage[id].own.state) == STAGE_READY &&
	       pid_of(id) != old;
}

/* Wait for a condition; the test fails after WAIT_MS. */
#define UNTIL(cond)                                                     \
	do {                                                            \
		uint64_t end_ = clock_mono_ns() + WAIT_MS * 1000000ull; \
		while (!(cond) && clock_mono_ns() < end_)               \
			nap();                                          \
		assert_true(cond);                                      \
	} while (0)

static bool
is_running(pid_t pid)
{
	struct proc_stat st;

	return proc_read(pid, &st) && !st.zombie;
}

static void
kill_everything(void)
{
	pid_t pid[ST_N + 1];

	for (int i = 0; i < ST_N; i++)
		pid[i] = (pid_t)pid_of((enum stage_id)i);
	pid[ST_N] = (pid_t)atomic_load(&ctl->sup.pid);
	for (int i = ST_N; i >= 0; i--)
		if (pid[i] > 0)
			kill(pid[i], SIGKILL);
	for (int i = 0; i <= ST_N; i++)
		UNTIL(!is_running(pid[i]));
}

/* ---- set-up ---- */

static const char config[] = "exec:\n"
			     "  cancel_timeout: 200ms\n"
			     "supervisor:\n"
			     "  sweep_timeout: 1s\n"
			     "  heartbeat_stale_ms: 900ms\n"
			     "  abort_grace: 200ms\n"
			     "  ready_timeout: 2s\n"
			     "  stop_timeout: 500ms\n"
			     "  crash_loop_n: 3\n"
			     "  backoff_min: 5ms\n"
			     "  dead_ms: 500ms\n"
			     "  park_retry: 1h\n";

static void
write_config(const char *more)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/test.yaml", root);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(config, f);
	fputs(more, f);
	fclose(f);
}

static int
set_up(void **unused)
{
	static const char *const names[] = {
	    "supervisor", "feedd", "quoted", "riskd", "execd", "recorderd"};
	static const char *const dirs[] = {"bin", "fake", "shm", "state"};
	char path[128];
	char self[512];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	(void)unused;
	assert_true(n > 0);
	self[n] = '\0';
	snprintf(root, sizeof(root), "/tmp/rmsup.XXXXXX");
	assert_non_null(mkdtemp(root));
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", root, dirs[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/bin/%s", root, names[i]);
		assert_int_equal(symlink(self, path), 0);
	}
	snprintf(path, sizeof(path), "%s/bin", root);
	setenv("RINGMAKER_BIN", path, 1);
	snprintf(path, sizeof(path), "%s/fake", root);
	setenv("RM_FAKE", path, 1);
	snprintf(path, sizeof(path), "%s/shm", root);
	setenv("RINGMAKER_SHM", path, 1);
	snprintf(path, sizeof(path), "%s/state", root);
	setenv("XDG_STATE_HOME", path, 1);
	setenv("SYSTEM_MODE", FAKESUP_MODE, 1);
	write_config("");
	return 0;
}

static int
tear_down(void **unused)
{
	char cmd[128];
	struct err e;

	(void)unused;
	/* Whatever a failed test left running. */
	if (instance_open(&inst, "main", &e) == 0 &&
	    ctl_attach(&ctl, inst.dirfd, true, &e) == 0) {
		pid_t boss = (pid_t)atomic_load(&ctl->sup.pid);

		if (boss > 0)
			kill(boss, SIGKILL);
		for (int i = 0; i < ST_N; i++)
			if (proc_alive((pid_t)pid_of((enum stage_id)i),
				atomic_load(&ctl->stage[i].own.start_ticks)))
				kill((pid_t)pid_of((enum stage_id)i), SIGKILL);
		detach();
	}
	snprintf(cmd, sizeof(cmd), "rm -rf %s", root);
	return system(cmd) == 0 ? 0 : -1;
}

/* What this program is, by the name it was called by; -1: the test. */
static int
fakesup_main(int argc, char **argv)
{
	const char *me = strrchr(argv[0], '/');

	me = me != NULL ? me + 1 : argv[0];
	if (strcmp(me, "supervisor") == 0)
		return cli_run(argc, argv);
	if (argc >= 3 && strcmp(argv[1], "--doctor") == 0)
		return fake_doctor(argv[2], argc == 4);
	if (argc == 6 && strcmp(argv[5], "--sweep") == 0)
		return fake_sweep(argv[4]);
	if (argc == 5 && strcmp(argv[3], "--stage") == 0)
		return fake_stage(argv[2], argv[4]);
	return -1;
}

#endif

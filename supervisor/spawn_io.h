/*
 * spawn_io.h - processes: start, recognise, signal, learn how they ended.
 *
 * A process is held by a pidfd, never by its number alone; its number is
 * trusted only together with its start time (/proc/PID/stat, field 22).
 */
#ifndef SUPERVISOR_SPAWN_IO_H
#define SUPERVISOR_SPAWN_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "libshm/err.h"
#include "libshm/topo.h"

/*
 * spawn_stage - run <bin_dir>/<program> --instance NAME --stage STAGE, with
 * sweep also --sweep, in its own process group, no signal blocked, stdin
 * /dev/null, stdout and stderr on log_fd (-1: inherited). Private keys of the
 * environment are seen by execd of their venue only (envkey_io.h).
 * Returns : 0 with *pid and *pidfd; a negative errno when it cannot be run.
 */
struct spawn_args {
	const char *bin_dir;
	const char *instance;
	enum stage_id id;
	int log_fd;
	bool sweep;
};
int spawn_stage(
    const struct spawn_args *a, pid_t *pid, int *pidfd, struct err *e);

/* spawn_doctor - run <bin_dir>/execd --doctor VENUE, with json also --json,
 * as spawn_stage does, in_fd its standard input, its output ours. */
struct spawn_doctor_args {
	const char *bin_dir;
	enum stage_id id; /* execd of the venue */
	int in_fd;
	bool json;
};
int spawn_doctor(
    const struct spawn_doctor_args *a, pid_t *pid, int *pidfd, struct err *e);

/* spawn_adopt - pidfd of a running process that is the one that began at
 * start_ticks; -ESRCH when there is none. */
int spawn_adopt(pid_t pid, uint64_t start_ticks);

/* spawn_signal - through the pidfd. */
int spawn_signal(int pidfd, int sig);

/* spawn_status - wait status of an ended process; false: not ended yet.
 * One that is not our child gives SUP_STATUS_UNKNOWN. */
bool spawn_status(int pidfd, uint32_t *status);

/* spawn_bin_dir - where the stages are: RINGMAKER_BIN, else the directory of
 * this program. */
int spawn_bin_dir(char *buf, size_t n);

/* spawn_log_open - <state_dir>/logs/<name>.log for appending; one over
 * SPAWN_LOG_MAX is set aside as <name>.log.1 first. */
#define SPAWN_LOG_MAX (64 << 20)
int spawn_log_open(const char *state_dir, const char *name, struct err *e);

/* spawn_log_tail - the last lines of that log, at most n of them. Returns
 * buf. */
const char *spawn_log_tail(const char *state_dir, const char *name,
    unsigned lines, char *buf, size_t sz);

#endif

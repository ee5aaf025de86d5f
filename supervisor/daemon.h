/*
 * daemon.h - the supervising process: one loop over pidfds, signals, the
 * control socket and the clock.
 *
 * The pure core (supervise.h) decides; daemon_io.c carries out; command_io.c
 * is what people ask over the control socket (control_io.h).
 *
 * kill -9 right here: the stages run on, execd freezes and cancels when the
 * heartbeat is supervisor.dead_ms old; the next supervisor adopts them.
 */
#ifndef SUPERVISOR_DAEMON_H
#define SUPERVISOR_DAEMON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "libshm/cfgpage.h"
#include "libshm/ctl.h"
#include "supervisor/latch_io.h"
#include "supervisor/opts.h"
#include "supervisor/supervise.h"

#define SUP_CONNS	   16
#define SUP_LINE_SZ	   8192
#define SUP_BEAT_NS	   UINT64_C(100000000)
#define SUP_LOOK_BUSY_NS   UINT64_C(2000000)
#define SUP_THAW_WAIT_NS   UINT64_C(500000000)
#define SUP_RELOAD_WAIT_NS UINT64_C(2000000000)

/* Tags of the epoll set. */
#define SUP_EP_SIGNAL 1u
#define SUP_EP_LISTEN 2u
#define SUP_EP_CHILD  16u /* + enum stage_id */
#define SUP_EP_CONN   64u /* + place */

/* What a client, or the process that called `start`, is waiting for. */
enum sup_wait {
	SUP_WAIT_NONE = 0,
	SUP_WAIT_UP = 1,     /* stages READY                              */
	SUP_WAIT_DOWN = 2,   /* stages stopped                            */
	SUP_WAIT_END = 3,    /* everything stopped                        */
	SUP_WAIT_THAW = 4,   /* riskd has followed                        */
	SUP_WAIT_CONFIG = 5, /* stages run on the new epoch               */
	SUP_WAIT_N
};

struct sup_conn {
	int fd; /* -1: free */
	enum sup_wait wait;
	uint32_t mask; /* stages */
	uint64_t until_ns;
	uint32_t start_n[ST_N]; /* UP: lives when it was asked            */
	uint64_t epoch;		/* CONFIG                                 */
	char *note;		/* what the answer begins with, malloc'd  */
	size_t n;
	char line[SUP_LINE_SZ];
};

struct sup_child {
	pid_t pid;
	int pidfd; /* -1: no process */
	bool adopted;
	bool failed; /* could not be run: tell the core */
};

struct supd {
	const struct sup_opts *opts;
	struct instance inst;
	struct ctl *ctl;
	struct cfgpage page;
	struct cfg cfg;
	struct cfg_load *load;
	struct supervise core;
	struct supervise_cfg limits;
	struct latch latch;
	uint64_t life_max; /* numbers of lives up to this are reserved   */
	char state_dir[CFG_STR_SZ];
	char bin_dir[512];
	struct sup_child child[ST_N];
	struct sup_conn conn[SUP_CONNS];
	struct sup_conn starter; /* the process that called start */
	uint64_t now_ns;
	uint64_t beat_ns; /* next heartbeat */
	uint64_t look_ns; /* last look at the stages */
	uint64_t stop_ns; /* when an orderly stop began, 0 not */
	int ep;
	int listen_fd;
	int sig_fd;
	int lock_fd;
	bool created; /* the instance, not adopted */
	bool keep;    /* leave the instance directory for a look */
};

/* daemon_run - create or adopt the instance and supervise it to its end.
 * report_fd: progress for the caller of start, "text\n" lines and at last
 * "\001CODE\n"; -1 none. load: a valid configuration. first: stages to start.
 * Returns the exit code. */
int daemon_run(const struct sup_opts *o, struct cfg_load *load, uint32_t first,
    int report_fd);

/* daemon_lock - the lock that a supervisor holds from before it makes the
 * instance to its end. The fd, or a negative errno (-EBUSY: it is held). */
int daemon_lock(const char *state_dir, const char *instance, struct err *e);

/* daemon_anyone_alive - does a stage of this instance still run? */
bool daemon_anyone_alive(const struct ctl *c);

/* daemon_apply - carry out what the core decided. */
void daemon_apply(struct supd *d, const struct sup_out *out);

/* daemon_ask - START, STOP or RESTART the stages of a mask. */
void daemon_ask(struct supd *d, uint32_t mask, enum sup_event what);

/* daemon_freeze, daemon_thaw - set or lift latched reasons of our word, on
 * disk and in memory. who: uid that asked. */
int daemon_freeze(struct supd *d, uint64_t bits, const char *why, uint64_t uid,
    struct err *e);
int daemon_thaw(struct supd *d, const char *why, uint64_t uid, struct err *e);

/* daemon_stop_all - begin the orderly stop. */
void daemon_stop_all(struct supd *d);

/* daemon_limits - take the supervisor.* settings of d->cfg. */
void daemon_limits(struct supd *d);

/* command_line - one request of a client; answers it now or later. */
void command_line(
    struct supd *d, struct sup_conn *c, const char *line, uint64_t uid);

/* command_waits - answer whoever has waited for what has come. */
void command_waits(struct supd *d);

/* command_summary - what was captured, filled and earned, from the metric
 * pages; with the code of an orderly stop. */
json_t *command_summary(struct supd *d, int *code);

#endif

/*
 * supervise.h - what to do with each stage, as a table.
 *
 * What      : one state machine a stage, action[state][event]. The shell
 *             (daemon_io.c) tells it what it sees (supervise_look), what
 *             people ask (supervise_ask) and which processes ended
 *             (supervise_exit); it answers with a bounded list of effects.
 * Time      : now_ns, CLOCK_MONOTONIC, always an argument.
 * Restarts  : the first at once; then backoff_min doubling to backoff_max by
 *             the number of deaths within crash_loop_window. Exit 111 always
 *             waits backoff_min at least.
 * Parked    : crash_loop_n deaths within the window; two crashes on the same
 *             input slot (poisoned: it is quarantined, the next life skips
 *             it); or exit 100. Parking freezes trading, latched. A parked
 *             stage is tried again every park_retry (never after exit 100)
 *             and whenever a person asks; one more death within the window
 *             of such a retry parks it again.
 * Hung      : heartbeat older than stale, or none at all within
 *             ready_timeout: SIGABRT (the stage prints a backtrace), after
 *             abort_grace SIGKILL, then as any death. A stage that beats but
 *             is not READY (a venue is away) is left to go on trying. A beat
 *             from before this life is a dead predecessor's: no beat.
 * Stalled   : a machine that gave nobody its turn proves nothing about one
 *             stage. The supervisor late by more than half of stale
 *             (supervise_late), or two stages and more stale all at once:
 *             said once, and nobody is judged for another stale period.
 * Swept     : what outlives its process is withdrawn by another one. A stage of
 *             sweep_mask that was READY and died, or stopped with 111, owes a
 *             sweep, until its next life is READY, it stops with exit 0
 *             (flat), or a sweep ended with exit 0. What is owed is paid when
 * it is parked, and before it counts as stopped: SWEEPING, a process that has
 * sweep_ns. Parked stays parked whatever it says; a stop takes its failure for
 * the end and says so. Stopping  : all together in the reverse order of
 * topo.def, one program after the other; SIGTERM, after stop_timeout SIGKILL.
 * Pure      : yes. One flat struct, O(ST_N) a call.
 */
#ifndef SUPERVISOR_SUPERVISE_H
#define SUPERVISOR_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>

#include "libshm/topo.h"

enum sup_state {
	SUP_DOWN = 1,	  /* nobody wants it                              */
	SUP_STARTING = 2, /* a process, not READY yet                     */
	SUP_UP = 3,
	SUP_HUNG = 4,	   /* SIGABRT sent                                 */
	SUP_KILLED = 5,	   /* SIGKILL sent                                 */
	SUP_BACKOFF = 6,   /* dead, waits for its restart                  */
	SUP_PARKED = 7,	   /* dead, restarted slowly or by a person        */
	SUP_STOPPING = 8,  /* SIGTERM sent                                 */
	SUP_STOPKILL = 9,  /* SIGKILL sent while stopping                  */
	SUP_SWEEPING = 10, /* dead; its orders are withdrawn              */
	SUP_STATE_N
};

enum sup_event {
	SUP_EV_START = 1, /* a person or the start of everything          */
	SUP_EV_STOP = 2,
	SUP_EV_RESTART = 3,
	SUP_EV_ADOPT = 4,   /* found running by a new supervisor          */
	SUP_EV_READY = 5,   /* the stage says so in shared memory         */
	SUP_EV_STALE = 6,   /* its heartbeat is too old                   */
	SUP_EV_TIMEOUT = 7, /* the deadline of the state has come         */
	SUP_EV_EXIT = 8,    /* the process is gone                        */
	SUP_EVENT_N
};

/* Effects, in the order in which the shell carries them out. */
enum sup_effect {
	SUP_DO_START = 1, /* fork, exec, pidfd                           */
	SUP_DO_TERM = 2,
	SUP_DO_ABRT = 3,
	SUP_DO_KILL = 4,
	SUP_DO_QUARANTINE = 5, /* ring and seq of the effect              */
	SUP_DO_PARK = 6,       /* say so loudly                           */
	SUP_DO_FREEZE = 7,     /* FREEZE_CRASH_LOOP, latched              */
	SUP_DO_STALLED = 8,    /* of the machine; seq says how long, ns   */
	SUP_DO_SWEEP = 9,      /* fork, exec, pidfd of its sweep          */
	SUP_EFFECT_N
};

enum sup_park {
	SUP_PARK_NONE = 0,
	SUP_PARK_LOOP = 1,	/* too many deaths                        */
	SUP_PARK_POISON = 2,	/* died twice on one input slot           */
	SUP_PARK_PERMANENT = 3, /* exit 100                               */
	SUP_PARK_N
};

#define SUP_DEATHS_MAX 100u /* upper limit of supervisor.crash_loop_n     */
#define SUP_OUT_MAX    (ST_N * 4u + 1u)

/* Wait status of a death that could not be read: an adopted stage. */
#define SUP_STATUS_UNKNOWN UINT32_C(0x10000)
#define SUP_EXIT_PERMANENT 100u
#define SUP_EXIT_TEMPORARY 111u

struct supervise_cfg {
	uint64_t stale_ns;
	uint64_t abort_grace_ns;
	uint64_t crash_loop_window_ns;
	uint64_t park_retry_ns;
	uint64_t backoff_min_ns;
	uint64_t backoff_max_ns;
	uint64_t ready_timeout_ns;
	uint64_t stop_timeout_ns;
	uint64_t sweep_ns;     /* limit of a sweep                        */
	uint32_t crash_loop_n; /* 2..SUP_DEATHS_MAX                       */
	uint32_t sweep_mask;   /* stages with something that outlives them */
};

struct sup_stage {
	uint8_t state;	     /* enum sup_state                            */
	uint8_t again;	     /* start once it has stopped                 */
	uint8_t was_ready;   /* READY at least once                       */
	uint8_t park;	     /* enum sup_park of the last parking         */
	uint8_t hang;	     /* we sent SIGABRT in this life              */
	uint8_t probation;   /* a slow retry: one more death parks again  */
	uint8_t owes;	     /* a sweep: something of it may rest         */
	uint8_t after;	     /* enum sup_state when it has been swept     */
	uint32_t status;     /* of the last death                         */
	uint32_t death_n;    /* of crashes and hangs so far               */
	uint32_t stop_kills; /* SIGKILLs needed to stop it                */
	uint32_t start_n;
	uint64_t deadline_ns; /* 0 none                                   */
	uint64_t started_ns;
	uint64_t born_ns; /* beats before it are not of this life         */
	uint64_t ready_ns;
	uint64_t died_ns;
	uint64_t forgive_ns; /* deaths up to here no longer count         */
	uint64_t crash_ring; /* slot at hand in the last crash, ring + 1  */
	uint64_t crash_seq;
	uint64_t death_ns[SUP_DEATHS_MAX]; /* circular, death_n counts    */
};

struct supervise {
	struct sup_stage stage[ST_N];
	uint64_t grace_ns; /* until then nobody is judged hung            */
	uint8_t stop_all;
	uint8_t all_stale; /* everybody was, and has had the grace        */
	uint8_t pad[6];
};

struct sup_out {
	uint32_t n;
	struct {
		uint8_t effect; /* enum sup_effect */
		uint8_t stage;	/* enum stage_id */
		uint64_t ring;	/* QUARANTINE: ring + 1 */
		uint64_t seq;
	} item[SUP_OUT_MAX];
};

/* What the shell sees of one stage. */
struct sup_look {
	uint64_t heartbeat_ns; /* 0 none yet in this life                 */
	bool ready;
};

/* How a process ended. */
struct sup_exit {
	uint32_t status;  /* as of waitpid, or SUP_STATUS_UNKNOWN         */
	uint64_t in_ring; /* slot at hand, ring + 1; 0 none               */
	uint64_t in_seq;
};

void supervise_init(struct supervise *s);

/* supervise_ask - START, STOP, RESTART or ADOPT one stage (CHECK). */
void supervise_ask(struct supervise *s, const struct supervise_cfg *c,
    enum stage_id id, enum sup_event what, uint64_t now_ns,
    struct sup_out *out);

/* supervise_found_dead - a new supervisor finds a stage of sweep_mask dead,
 * whose orders may rest: it waits for a person's start or stop, which sweeps
 * it. Needs a stage that is DOWN (CHECK). */
void supervise_found_dead(struct supervise *s, enum stage_id id);

/* supervise_stop_all - from now on stop everything in order; idempotent. */
void supervise_stop_all(struct supervise *s);

/* supervise_look - periodic: heartbeats, READY, deadlines, the next step of
 * an orderly stop. looks: ST_N of them. */
void supervise_look(struct supervise *s, const struct supervise_cfg *c,
    const struct sup_look *looks, uint64_t now_ns, struct sup_out *out);

/* supervise_late - the shell looks late_ns after it meant to. Call it before
 * supervise_look. */
void supervise_late(struct supervise *s, const struct supervise_cfg *c,
    uint64_t late_ns, uint64_t now_ns, struct sup_out *out);

/* supervise_exit - the process of a stage, or its sweep, is gone (also: exec
 * failed). */
void supervise_exit(struct supervise *s, const struct supervise_cfg *c,
    enum stage_id id, const struct sup_exit *x, uint64_t now_ns,
    struct sup_out *out);

/* supervise_wake_ns - the next deadline of any stage; 0 none. */
uint64_t supervise_wake_ns(const struct supervise *s);

/* supervise_alive - does the state mean that there is a process? */
bool supervise_alive(enum sup_state st);

/* supervise_all_down - nothing runs and nothing will be restarted. */
bool supervise_all_down(const struct supervise *s);

/* supervise_deaths - deaths within the window that ends now. */
uint32_t supervise_deaths(
    const struct sup_stage *st, const struct supervise_cfg *c, uint64_t now_ns);

/* supervise_hash - of everything that decides. */
uint64_t supervise_hash(const struct supervise *s);

const char *sup_state_name(enum sup_state s);
const char *sup_park_text(enum sup_park p);

#endif

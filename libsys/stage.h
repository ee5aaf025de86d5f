/*
 * stage.h - the one loop that every stage runs in.
 *
 * stage_main does what all stages have in common: arguments, the instance
 * directory, config page, attaching every ring of topo.def that names this
 * stage, doorbell and FIFO, metrics, signals, wait policy, sandbox,
 * heartbeat, READY, config epochs, draining and exit codes. The stage gives
 * callbacks; its pure core does the deciding.
 *
 * One pass of the loop: input rings in topo.def order, up to STAGE_BATCH
 * slots each -> batch() -> commit of the input cursors -> timer -> sockets
 * -> housekeeping when due -> wait. Outputs are published before inputs are
 * committed, so a crash repeats and never loses.
 *
 * Exit codes: 0 asked to stop, 100 permanent (bad arguments, refused
 * attach), 111 temporary (role still held, nothing to attach to yet).
 * SIGTERM and SIGINT drain and stop; SIGABRT prints a backtrace.
 */
#ifndef LIBSYS_STAGE_H
#define LIBSYS_STAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "libshm/cfgpage.h"
#include "libshm/ctl.h"
#include "libshm/event.h"
#include "libshm/instr.h"
#include "libshm/metrics.h"
#include "libshm/ring.h"

#define EXIT_PERMANENT 100
#define EXIT_TEMPORARY 111

#define STAGE_BATCH 64u

enum wait_policy {
	WAIT_AUTO = 1,
	WAIT_SPIN = 2,
	WAIT_YIELD = 3,
	WAIT_BLOCK = 4,
	WAIT_POLICY_N
};

struct stage;

/* Callbacks; any but step may be NULL. `self` is stage_ops.self. */
struct stage_ops {
	const char *program; /* "feedd"                                   */
	const char *about;   /* one line for --help                       */
	void *self;
	/* open - rings are attached, nothing is sealed yet: open files and
	 * stores, restore state. 0 or an exit code. */
	int (*open)(struct stage *s);
	/* step - one event: a slot, a timer, a new config, stop. */
	void (*step)(struct stage *s, const struct event *ev);
	/* batch - after a batch of slots, a timer or whatever set s->dirty,
	 * before the cursors are committed: commit state. */
	void (*batch)(struct stage *s);
	/* resync - the reader of ring asked for a snapshot, or the ring had
	 * been full and has room again: publish it with SLOT_REPLAY. */
	void (*resync)(struct stage *s, enum ring_id ring);
	/* ready - true once the stage can do its work; asked each pass until
	 * it is. NULL: ready after open. */
	bool (*ready)(struct stage *s);
	/* housekeep - every STAGE_HOUSEKEEP_NS, and at once when a freeze
	 * word changed: metrics, lease, health. */
	void (*housekeep)(struct stage *s);
	/* stop - after EV_STOP; called each pass until it returns true or
	 * stop_limit_ns is over. NULL: at once. */
	bool (*stop)(struct stage *s);
	uint64_t stop_limit_ns;
	/* hash - of everything that decides; asked at STAGE_HASH_NS when idle
	 * and once before the end, written into the trace. NULL: none. */
	uint64_t (*hash)(const struct stage *s);
	/* close - last call. Its value is the exit code. */
	int (*close)(struct stage *s);
};

#define STAGE_HOUSEKEEP_NS UINT64_C(10000000)
#define STAGE_HASH_NS	   UINT64_C(60000000000)

/* What stage.c knows of one ring beside its handle. */
struct stage_ring {
	uint64_t first_seq; /* of what found no room; see struct tick_gap */
	uint64_t lost_n;    /* 0: no gap is owed                          */
	uint64_t since_ns;
	bool owes_restart; /* output: RESTART could not be published yet  */
	bool owes_resync;  /* output: a snapshot is due when there is room */
};

struct stage {
	const struct stage_ops *ops;
	enum stage_id id;
	uint64_t epoch;	  /* life of this stage, from the control page    */
	uint64_t next_id; /* counter for stage_next_id                    */
	uint64_t now_ns;  /* of the pass or event at hand                 */
	int64_t wall_ns;
	int64_t wall_off_ns; /* UTC minus monotonic                       */
	uint64_t wake_ns;    /* next EV_TIMER, 0 none; the stage sets it  */
	uint64_t start_ns;
	uint64_t stop_ns; /* when stopping began, 0 not                   */
	uint64_t freeze_epoch; /* of the words last seen in housekeeping */
	uint64_t keep_ns; /* next housekeeping                            */
	struct instance instance;
	struct cfg cfg; /* copy of the current epoch                      */
	uint64_t cfg_epoch;
	struct cfgpage cfgpage;
	struct ctl *ctl;
	struct ctl_stage *me;
	struct instr_table *instr;
	struct metrics *metrics;
	uv_loop_t loop;		/* STAGE_SOCK stages only                 */
	struct ring ring[RG_N]; /* attached ones have .shm set            */
	struct stage_ring more[RG_N];
	uint8_t in[RG_N];  /* input rings, in order                        */
	uint8_t out[RG_N]; /* output rings                                */
	uint32_t in_n;
	uint32_t out_n;
	int tap; /* ring to the recorder, -1 none                         */
	uint32_t tap_n;	  /* slots put into it since the last trace       */
	uint64_t hash_ns; /* next stage_trace_hash                        */
	enum wait_policy wait;
	bool dirty; /* something was stepped since the last commit        */
	bool ready;
	bool orphaned;
	int exit_code;
	int fifo_fd; /* our own FIFO, -1 none                             */
	int reader_fifo[ST_N]; /* FIFOs of the stages we may wake, or -1  */
	uv_poll_t fifo_poll;
	uv_timer_t limit_timer;
};

/* stage_main - run the stage to its end; returns the exit code. */
int stage_main(const struct stage_ops *ops, int argc, char **argv);

/*
 * stage_emit - publish a slot into one output ring.
 *   DROP and TAP rings: never waits; what found no room is counted, and the
 *   first thing published when there is room again is TICK_GAP with the
 *   exact number, followed (DROP) by a resync.
 *   NEWEST and FREEZE: false when full; the caller keeps or freezes.
 *   NEVER: always room (CHECK), see topo.def.
 * pub_delta is stamped here.
 */
bool stage_emit(struct stage *s, enum ring_id ring, const void *slot);

/* stage_tap - copy of a slot to the recorder. Never waits. */
void stage_tap(struct stage *s, const void *slot);

/*
 * stage_trace_own - an input of the stage's own that its core was given
 * outside step(): words of the control page, room in rings. kind 0..10 is the
 * stage's to give; n <= 64 bytes are kept as they are (CHECK). Recorded with
 * now_ns; a replay gives the core the same.
 */
void stage_trace_own(
    struct stage *s, uint16_t kind, const void *data, size_t n);

/* stage_trace_entry - an instrument entry as it was read, in pieces, before
 * the trace of the input that it belongs to. Steps of TICK_INSTR have it. */
void stage_trace_entry(struct stage *s, const struct instr *in);

/* stage_emit_md - feeds: into every md ring whose content covers the kind,
 * and to the tap. */
void stage_emit_md(struct stage *s, struct tick *t);

/* stage_emit_out - what a core gave back: every message into its ring and
 * to the tap; sets wake_ns. Returns how many found no room (they are
 * handed to lost(), which may be NULL). */
uint32_t stage_emit_out(struct stage *s, const struct core_out *out,
    void (*lost)(struct stage *s, enum ring_id ring, const struct order *o));

/* stage_next_id - epoch << 40 | counter: unique over all lives. */
uint64_t stage_next_id(struct stage *s);

/* stage_stop_begin - as if SIGTERM had come. */
void stage_stop_begin(struct stage *s, const char *why);

/* stage_backlog - is a NEVER output ring more than half full? */
bool stage_backlog(const struct stage *s);

#endif

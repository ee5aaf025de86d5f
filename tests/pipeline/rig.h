/*
 * rig.h - the whole pipeline as a person starts it, for one test.
 *
 * What    : simvenue on free ports, supervisor and the eight stages, in a
 *           private root with its own shared memory, state and recordings.
 * Config  : etc/ringmaker.yaml and the preset, then rig_set in order; the
 *           working directory is that of the sources. Preset: etc/replay.yaml
 *           (mode paper, recordings), or etc/sim.yaml for simvenue --live.
 * Cleanup : rig_free, or the death of the test in any manner: a guardian
 *           process kills what the control page names and removes the root.
 * One rig at a time: the environment carries its directories.
 */
#ifndef TESTS_RIG_H
#define TESTS_RIG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "libshm/ctl.h"
#include "libshm/instance.h"
#include "libshm/instr.h"
#include "libshm/metrics.h"
#include "libshm/ring.h"

#define RIG_INSTANCE "t"
#define RIG_SETS     30u
#define RIG_OUT	     65536u

struct rig {
	char root[128];	   /* shm, state, cap and logs are below it */
	char out[RIG_OUT]; /* what the last command said */
	char set[RIG_SETS][160];
	unsigned set_n;
	const char *preset;
	char more_config[160]; /* on top of the others, "": none */
	pid_t venue;
	pid_t guardian;
	int guard_fd;
	bool attached;
	struct instance in;
	struct ctl *ctl;
	struct instr_table *table;
	struct metrics *metrics[ST_N];
};

/* rig_init - directories and settings; nothing runs yet. */
void rig_init(struct rig *r, const char *name);
void rig_free(struct rig *r);

/* rig_quick - settings for recordings that run many times as fast: estimates
 * are made of wall time. */
void rig_quick(struct rig *r);

/* rig_path - root/file; static buffers, good for 32 calls. */
const char *rig_path(const struct rig *r, const char *file);

/* rig_set - one --set for every supervisor command that follows. */
void rig_set(struct rig *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * rig_venue - start simvenue with these options (ports and --json are added)
 * and, when it listens, set the addresses. False: it ended; r->out says why.
 */
bool rig_venue(struct rig *r, const char *const *options);

/* rig_venue_end - wait for its end; its exit code, its last words in out. */
int rig_venue_end(struct rig *r, int ms);

/* rig_sup - supervisor with the settings and these words, the last NULL; its
 * exit code, what it said in r->out. */
int rig_sup(struct rig *r, ...);

/* rig_attach - map control page, instruments and metrics. detach: let go. */
bool rig_attach(struct rig *r);
void rig_detach(struct rig *r);

int64_t rig_metric(const struct rig *r, enum stage_id st, enum metric_id id);
uint64_t rig_pid(const struct rig *r, enum stage_id st);
bool rig_ready(const struct rig *r, enum stage_id st);
bool rig_alive(uint64_t pid);

/* rig_orders, rig_resting - of both execds. rig_gate - freeze bits of the
 * venues that trade, of any; rig_shut - each has one of these. */
int64_t rig_orders(const struct rig *r);
int64_t rig_resting(const struct rig *r);
uint64_t rig_gate(const struct rig *r);
bool rig_shut(const struct rig *r, uint64_t bits);

/* rig_kill_all - kill -9 of the supervisor, then of every stage. */
void rig_kill_all(const struct rig *r);

/* rig_json - the integer of "key" after the text `after` in a JSON text;
 * INT64_MIN when it is not there. */
int64_t rig_json(const char *text, const char *after, const char *key);

/* rig_read - a file below the root, into r->out. */
const char *rig_read(struct rig *r, const char *file);

/* rig_logs - print the end of every log; for a test that has failed. */
void rig_logs(const struct rig *r);

/* rig_config - text of a file below the root that goes on top of the others. */
void rig_config(struct rig *r, const char *file, const char *text);

/* RIG_UNTIL - wait for a condition, generously; the test fails when it never
 * came. RIG_EXPECT - the test fails when a command's code is another. */
#define RIG_WAIT_MS 40000
#define RIG_UNTIL(r, cond)                                                \
	do {                                                              \
		uint64_t end_ = proc_now_ns() + RIG_WAIT_MS * 1000000ull; \
		while (!(cond) && proc_now_ns() < end_)                   \
			usleep(1000);                                     \
		if (!(cond)) {                                            \
			rig_logs(r);                                      \
			fail_msg("waited for nothing: %s", #cond);        \
		}                                                         \
	} while (0)
#define RIG_EXPECT(r, code, want)                                         \
	do {                                                              \
		int got_ = (code);                                        \
		if (got_ != (want)) {                                     \
			rig_logs(r);                                      \
			fail_msg("%s: %d, want %d", #code, got_, (want)); \
		}                                                         \
	} while (0)

/* RIG_TRADES - wait for orders that show that it trades. */
#define RIG_TRADES(r)                                               \
	do {                                                        \
		int64_t had_ = rig_orders(r);                       \
		RIG_UNTIL(r, rig_orders(r) >= had_ + RIG_TRADES_N); \
	} while (0)
#define RIG_TRADES_N 5

#endif

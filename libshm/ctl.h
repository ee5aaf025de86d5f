/*
 * ctl.h - the control page: who lives, who may trade.
 *
 * Each group of words has one writer and its own pair of cache lines.
 * Trading is allowed for a venue while
 *     now_ns < lease_until_ns   and   no freeze word that covers it is set;
 * execd looks (ctl_gate) immediately before each write to a socket, so a
 * dead, stopped or hung riskd freezes trading without sending anything.
 */
#ifndef LIBSHM_CTL_H
#define LIBSHM_CTL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "libcore/reasons.h"
#include "libshm/bell.h"
#include "libshm/instance.h"
#include "libshm/topo.h"

enum stage_state {
	STAGE_DEAD = 0, /* not running: fresh memory means this           */
	STAGE_BOOT = 1,
	STAGE_ATTACHED = 2,
	STAGE_READY = 3,
	STAGE_DRAINING = 4,
	STAGE_PARKED = 5, /* crash loop: not restarted until a person asks */
	STAGE_STATE_N
};
const char *stage_state_name(enum stage_state s);

/* Freeze reasons as bits, one a REASON_*. Append only: they are stored. */
enum freeze_bit {
	FREEZE_STARTUP = 1u << 0,
	FREEZE_LATENCY = 1u << 1,
	FREEZE_DAILY_LOSS = 1u << 2,
	FREEZE_DRAWDOWN = 1u << 3,
	FREEZE_MANUAL = 1u << 4,
	FREEZE_FEED_STALE = 1u << 5,
	FREEZE_RECONCILE = 1u << 6,
	FREEZE_CRASH_LOOP = 1u << 7,
	FREEZE_SUPERVISOR_DEAD = 1u << 8,
	FREEZE_REPORT_BACKLOG = 1u << 9,
	FREEZE_CLOCK = 1u << 10,
	FREEZE_RISKD_DEAD = 1u << 11,
};
#define FREEZE_BITS_N 12
/* Stay until a person thaws, across restarts and reboots. */
#define FREEZE_LATCHED                                         \
	(FREEZE_DAILY_LOSS | FREEZE_DRAWDOWN | FREEZE_MANUAL | \
	    FREEZE_RECONCILE | FREEZE_CRASH_LOOP)

/* freeze_reason - REASON_* of the lowest bit set; REASON_NONE for 0.
 * freeze_format - "latency,manual" into buf; returns buf. */
enum reason freeze_reason(uint64_t mask);
const char *freeze_format(uint64_t mask, char *buf, size_t n);

/* Who writes which freeze word, and what it covers. */
enum freeze_word {
	FW_SUPERVISOR = 0, /* all; a person's freeze, crash loops         */
	FW_RISKD = 1,	   /* all                                         */
	FW_RISKD_PM = 2,   /* one venue                                   */
	FW_RISKD_HL = 3,
	FW_EXECD_PM = 4,
	FW_EXECD_HL = 5,
	FW_N
};

struct ctl_freeze {
	_Atomic uint64_t mask;
	_Atomic uint64_t epoch; /* changes so far                         */
	_Atomic uint64_t since_ns;
	uint8_t pad[104];
};

/* Withdrawing what outlived its stage: orders at the venue. */
enum ctl_sweep {
	CTL_SWEEP_NONE = 0,
	CTL_SWEEP_RUNS = 1,
	CTL_SWEEP_FLAT = 2,   /* nothing of ours rests: verified           */
	CTL_SWEEP_FAILED = 3, /* something may still rest                  */
	CTL_SWEEP_N
};

/* One stage. */
struct ctl_stage {
	struct { /* written by the stage */
		_Atomic uint32_t state;
		_Atomic uint32_t wait; /* policy in use, enum wait_policy */
		_Atomic uint64_t pid;
		_Atomic uint64_t start_ticks; /* /proc/pid/stat, with pid  */
		_Atomic uint64_t start_ns;
		_Atomic uint64_t epoch; /* lives so far, 1 is the first   */
		_Atomic uint64_t heartbeat_ns;
		_Atomic uint64_t cfg_epoch; /* config it runs on          */
		_Atomic uint64_t in_ring;   /* slot at hand: ring ...     */
		_Atomic uint64_t in_seq;    /* ... and sequence           */
		_Atomic uint64_t steps;
		_Atomic uint64_t busy_ns; /* time in steps, lazily        */
		_Atomic uint64_t idle_ns;
		_Atomic uint64_t ready_ns; /* when it became READY        */
		uint8_t pad[24];
	} own;
	struct { /* written by the supervisor */
		_Atomic uint64_t restarts;
		_Atomic uint64_t last_exit; /* wait status of last death */
		_Atomic uint64_t last_exit_ns;
		_Atomic uint64_t last_in_ring; /* what it was handling    */
		_Atomic uint64_t last_in_seq;
		_Atomic uint64_t next_start_ns;	  /* backing off until      */
		_Atomic uint64_t quarantine_ring; /* + 1; 0 none: poisoned */
		_Atomic uint64_t quarantine_seq;  /* slot to be skipped    */
		_Atomic uint64_t down_ns;  /* last outage, kill to READY   */
		_Atomic uint64_t sweep;	   /* enum ctl_sweep, the last one */
		_Atomic uint64_t sweep_ns; /* when it began or ended       */
		uint8_t pad[40];
	} sup;
	struct bell bell;
};

struct ctl {
	struct shm_hdr hdr;
	struct { /* supervisor */
		_Atomic uint64_t pid;
		_Atomic uint64_t heartbeat_ns;
		_Atomic uint64_t start_ns;
		_Atomic uint64_t stopping; /* 1: orderly stop under way   */
		/* A person's thaws so far: riskd clears its latched reasons
		 * whenever this grows. */
		_Atomic uint64_t thaw_epoch;
		char host[64];
		uint8_t pad[24];
	} sup;
	struct { /* riskd */
		_Atomic uint64_t until_ns;
		_Atomic uint64_t epoch;
		uint8_t pad[112];
	} lease;
	struct ctl_freeze freeze[FW_N];
	struct ctl_stage stage[ST_N];
};
_Static_assert(sizeof(struct ctl_freeze) == 128, "one line pair");
_Static_assert(sizeof(struct ctl_stage) == 384, "three line pairs");

int ctl_create(int dirfd, uint64_t run_id, struct err *e);
int ctl_attach(struct ctl **out, int dirfd, bool writable, struct err *e);
void ctl_detach(struct ctl *c);

/* ctl_freeze_set - add bits to, or take bits from, one's own word.
 * Returns true when the word changed. */
bool ctl_freeze_set(
    struct ctl *c, enum freeze_word w, uint64_t bits, bool on, uint64_t now_ns);

/* ctl_freeze_epoch - grows with every change of a freeze word that covers a
 * venue (0: of any word). */
uint64_t ctl_freeze_epoch(const struct ctl *c, enum venue v);

/* ctl_wake_all - ring the bells of all stages on the path of an order from
 * outside the rings: they look at the freeze words at once. dirfd: the
 * instance's directory. */
void ctl_wake_all(struct ctl *c, int dirfd);

/* ctl_freeze_mask - OR of all words that cover a venue (0: any venue). */
uint64_t ctl_freeze_mask(const struct ctl *c, enum venue v);

/* ctl_lease_extend - riskd: trading is allowed until until_ns.
 * ctl_lease_drop - at once not. */
void ctl_lease_extend(struct ctl *c, uint64_t until_ns);
void ctl_lease_drop(struct ctl *c);

/*
 * ctl_gate - may an order for this venue leave now?
 * Returns : 0, or the freeze mask that forbids it (FREEZE_RISKD_DEAD for an
 *           expired lease). About 3 ns, safe to call before every write.
 */
uint64_t ctl_gate(const struct ctl *c, enum venue v, uint64_t now_ns);

/* ctl_gate_told - the same for people: a living riskd that holds the venue
 * back lets its lease run out on purpose, so only its reasons are named. */
uint64_t ctl_gate_told(
    const struct ctl *c, enum venue v, uint64_t now_ns, bool riskd_alive);

/* ctl_supervisor_dead - heartbeat older than limit_ns. */
bool ctl_supervisor_dead(
    const struct ctl *c, uint64_t now_ns, uint64_t limit_ns);

#endif

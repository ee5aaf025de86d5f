/*
 * riskwatch.h - what is kept of a market to protect us from it, and of what
 * all markets share: breakers, exits, reconciliation, volume made and taken.
 *
 * Phases    : NONE -> UNWIND (only what reduces) -> EXIT (orders of riskd's
 *             own that take), or NONE -> EXIT; back to NONE when flat. A phase
 *             never ends otherwise, by no restart either.
 * Times     : *_ns monotonic; *_wall_ns UTC as it is believed (wallclock.h),
 *             for they outlive the boot.
 * Data only.
 */
#ifndef RISKD_RISKWATCH_H
#define RISKD_RISKWATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "libcore/markout.h"
#include "libcore/position.h"

#define RISK_RUN      16u   /* fills of a run whose times are kept          */
#define RISK_GROUPS   1024u /* clusters at once                            */
#define RISK_MARKOUTS 256u  /* markets whose fills wait for their mids      */
#define RISK_NOTES    64u
#define RISK_RATIO_N  24u

enum risk_phase {
	PHASE_NONE = 0,
	PHASE_UNWIND = 1,
	PHASE_EXIT = 2,
	PHASE_N
};

/* Whose word a position is compared with. */
enum risk_of {
	OF_FILLS = 0, /* execd's sum of the fills it reported             */
	OF_VENUE = 1,
	OF_N
};

struct risk_watch {
	struct position edge;	/* the part of the edge strategy           */
	int64_t opened_wall_ns; /* the position began, 0 flat              */
	int64_t since_wall_ns;	/* of the phase                            */
	uint64_t exit_ns;	/* next attempt not before                 */
	uint64_t flow_until_ns; /* toxic flow                              */
	uint64_t pause_until_ns;
	uint64_t toxic_until_ns; /* markouts; forgotten then               */
	uint64_t revert_ns;	 /* the present half window began          */
	qty_t count;	    /* execd's sum of fills at the last look        */
	qty_t off;	    /* what ours is more than that, as agreed       */
	qty_t venue;	    /* the venue's word at the last look            */
	qty_t diff[OF_N];   /* theirs less ours, at the last look           */
	uint32_t fill_n;    /* fills booked                                 */
	uint32_t look_n;    /* fill_n at the last look                      */
	uint32_t filled[2]; /* this and the former half window              */
	uint32_t reverted[2];
	uint32_t run_ms[RISK_RUN]; /* a ring                               */
	uint16_t why;	    /* enum reason of the phase                    */
	uint16_t pause_why; /* ... of the pause                            */
	uint16_t losing_n;
	uint8_t phase; /* enum risk_phase                                  */
	uint8_t run_side;
	uint16_t run_n;
	uint8_t bad_n[OF_N]; /* looks in a row that differed               */
	bool looked;	     /* `off` is agreed                            */
	bool venue_known;
	bool dusty;  /* what is left cannot be sold: said once             */
	bool wiping; /* waits for what rests to be gone                    */
};
_Static_assert(sizeof(struct risk_watch) == 256, "one record");

/* Markets that hang together. */
struct risk_group {
	uint32_t cluster;
	uint32_t n; /* markets in it; 0: free                             */
	usd_t exposure;
};

struct risk_balance {
	usd_t usd;
	uint64_t seen_ns; /* 0: never                                      */
	bool known;	  /* it is fresh                                   */
	uint8_t pad[7];
};

/* Volume of the maker by hours of maker_ratio.window. */
struct risk_ratio {
	int64_t part; /* number of the newest part since 1970              */
	struct {
		usd_t made;
		usd_t taken;
		uint32_t made_n;
		uint32_t taken_n;
	} at[RISK_RATIO_N];
	uint8_t level; /* enum ratio_level                                 */
	uint8_t pad[7];
};
#define RISK_RATIO_SZ 768u /* whole records                                */
_Static_assert(sizeof(struct risk_ratio) <= RISK_RATIO_SZ, "ratio records");

enum ratio_level {
	RATIO_OK = 0,
	RATIO_WARN = 1,
	RATIO_ALERT = 2,
	RATIO_PAUSE = 3,
	RATIO_LEVEL_N
};

struct risk_markout {
	uint16_t instr; /* 0: free                                         */
	uint16_t pad[3];
	uint64_t used_ns;
	struct markout m;
};

/* Something a person may want to read; the shell logs it. */
enum risk_what {
	RISK_UNWIND = 1,    /* a: mark, b: unrealised, c: age ns            */
	RISK_TIMEOUT = 2,   /* passive unwinding took too long              */
	RISK_EXIT = 3,	    /* a: side, b: px, c: qty                       */
	RISK_DUST = 4,	    /* a: qty                                       */
	RISK_FLOW = 5,	    /* a: side, b: fills                            */
	RISK_TOXIC = 6,	    /* markouts                                     */
	RISK_LOSING = 7,    /* a: fills, b: pause ns, 0 none                */
	RISK_REVERTS = 8,   /* a: taken back, b: fills                      */
	RISK_RATIO_IS = 9,  /* a: level, b: share 1e-8, c: fills            */
	RISK_STOPPED = 10,  /* edge; a: bits, b: P&L, c: drawdown           */
	RISK_MISMATCH = 11, /* a: enum risk_of, b: ours, c: theirs          */
	RISK_ADOPTED = 12,  /* a: ours, b: theirs, c: P&L booked            */
	RISK_BALANCE = 13,  /* a: venue                                     */
	RISK_WHAT_N
};

struct risk_note {
	uint16_t what; /* enum risk_what                                   */
	uint16_t instr;
	uint16_t reason;
	uint16_t pad;
	int64_t a;
	int64_t b;
	int64_t c;
};

#endif

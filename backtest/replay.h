/*
 * replay.h - a recorded production run, step by step, once more.
 *
 * What   : the cores of quoted and riskd are given what the traces say they
 *          were given, with the times that were passed, and every message
 *          they put out is compared with the one in the recording, byte for
 *          byte but for its sequence; state hashes too, where there are any.
 * Ends   : at the first difference, with the input of its step.
 * Lives  : a stage that died and came back begins a new life. quoted starts
 *          from nothing, as it does; riskd from the state of its former life
 *          when that has the hash that the trace tells, else it is left out
 *          from there on, and that is said.
 */
#ifndef BACKTEST_REPLAY_H
#define BACKTEST_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "backtest/catalog.h"
#include "quoted/quote.h"
#include "riskd/risk.h"
#include "riskd/trace.h"

#define REPLAY_WAIT 8192u /* recorded messages whose trace is still out  */
#define REPLAY_LOST 64u

/* One stage that is replayed. */
struct replay_stage {
	enum stage_id id;
	bool live; /* its life began in the recording                     */
	bool off;  /* not compared any more                               */
	uint64_t epoch;
	uint64_t cfg_epoch;
	uint64_t lives;
	uint64_t steps;
	uint64_t messages; /* compared                                    */
	uint64_t hashes;   /* likewise                                    */
	uint64_t cursor[RG_N];
	struct instr entry; /* as the pieces before a trace gave it       */
	uint32_t wait_n;    /* as recorded, not compared yet                */
	uint32_t wait_at;
	struct order *wait; /* REPLAY_WAIT                               */
	uint32_t lost_n;
	struct order lost[REPLAY_LOST];
};

enum replay_what {
	REPLAY_EQUAL = 0,
	REPLAY_DIFFERS = 1,  /* a message: want is recorded, got ours      */
	REPLAY_MISSING = 2,  /* recorded, but not put out by us           */
	REPLAY_SURPLUS = 3,  /* put out by us, not recorded               */
	REPLAY_STATE = 4,    /* hashes differ                             */
	REPLAY_NO_INPUT = 5, /* an input that the recording does not have */
	REPLAY_GAP = 6,	     /* the recording has a hole                  */
	REPLAY_WHAT_N
};

struct replay_diff {
	enum replay_what what;
	enum stage_id stage;
	uint64_t step;
	uint64_t now_ns;
	int64_t wall_ns;
	struct tap_step input; /* trace and what stands behind it        */
	struct order want;
	struct order got;
	uint64_t want_hash;
	uint64_t got_hash;
	uint64_t lost_n;
};

struct replay {
	struct catalog *cat;
	struct quote *quote;
	struct risk *risk;
	struct quote_out quote_out;
	struct core_out out;
	struct replay_stage quoted;
	struct replay_stage riskd;
	uint64_t events;
	int64_t first_ns; /* UTC of the first and last step                */
	int64_t last_ns;
	struct replay_diff diff;
};

/* replay_new - NULL: no memory. The catalog stays the caller's. */
struct replay *replay_new(struct catalog *c);
void replay_free(struct replay *r);

/* replay_see - the next event of the recording. False: there is a difference
 * in r->diff, and it is over. */
bool replay_see(struct replay *r, const struct reader_event *ev);

/* replay_end - what was recorded and never put out. False as above. */
bool replay_end(struct replay *r);

const char *replay_what_name(enum replay_what w);

/* replay_whole - both stages were replayed from their start to the end. */
bool replay_whole(const struct replay *r);

/*
 * replay_run - a capture directory, all of it (replay_io.c). Returns 0, or an
 * exit code after a sentence; replay_close in any case.
 */
struct replaying {
	struct catalog *cat;
	struct replay *r;
	struct reader *reader;
	uint64_t took_ns;
	bool equal;
};
int replay_run(struct replaying *x, const char *dir, int64_t from_ns,
    int64_t to_ns, bool show);
void replay_close(struct replaying *x);

#endif

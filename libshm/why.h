/*
 * why.h - why a market is quoted or not, on a page that anybody may read.
 *
 * What     : for each market and side the last verdict of every filter of
 *            why.def, with its value, its limit and since when; how often
 *            each refused; how often all passed.
 * Adds up  : per side, exactly:
 *              looks = refusals of all GUARD and QUOTE filters + quoted
 *              signals = refusals of all TAKE filters + taken
 *            A look or signal ends at the first filter that refuses; those
 *            behind it keep their last verdict and count nothing.
 * Writer   : quoted alone, under each market's sequence word (odd while being
 *            written); a filter costs a few stores.
 * Readers  : supervisor, shmtop; read-only maps.
 */
#ifndef LIBSHM_WHY_H
#define LIBSHM_WHY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "libcore/types.h"
#include "libshm/err.h"
#include "libshm/instr.h"
#include "libshm/shm.h"

enum why_id {
#define WHY(name, label, part, unit, text) WHY_##name,
#include "libshm/why.def"
#undef WHY
	WHY_N
};

enum why_part {
	WHY_PART_GUARD = 1,
	WHY_PART_QUOTE,
	WHY_PART_TAKE,
	WHY_PART_N
};

enum why_unit {
	WHY_U_PX = 1,
	WHY_U_FRAC,
	WHY_U_USD,
	WHY_U_QTY,
	WHY_U_S,
	WHY_U_N,
	WHY_UNIT_N
};

enum why_verdict {
	WHY_PASS = 1, /* 0: never reached                                */
	WHY_FAIL = 2,
	WHY_VERDICT_N
};

struct why_filter {
	int64_t value;
	int64_t limit;
	uint64_t since_ns; /* of this verdict                             */
	uint32_t refusals;
	uint8_t verdict; /* enum why_verdict                             */
	uint8_t pad[3];
};
_Static_assert(sizeof(struct why_filter) == 32, "two filters a line");

struct why_side {
	uint64_t looks;
	uint64_t quoted;
	uint64_t signals;
	uint64_t taken;
	uint16_t stop;	    /* filter that refused last, WHY_N: none      */
	uint16_t take_stop; /* the same of the takes                      */
	uint32_t pad;
	struct why_filter filter[WHY_N];
};

struct why_market {
	_Atomic uint32_t lock;
	uint16_t epoch; /* of the instrument                            */
	uint16_t pad;
	uint64_t at_ns; /* last look                                     */
	struct why_side side[2]; /* bid, ask                              */
};

struct why_page {
	struct shm_hdr hdr;
	struct why_market market[INSTR_N];
};

/* One look at a market. Zeroed with page NULL it costs a test a filter. */
struct why_look {
	struct why_market *m; /* NULL: not kept                           */
	uint64_t now_ns;
};

/* why_begin, why_end - around everything that is put for one market.
 * epoch: of the instrument; another one than before starts afresh. */
void why_begin(struct why_look *l, struct why_page *w, uint16_t instr,
    uint16_t epoch, uint64_t now_ns);
void why_end(struct why_look *l);

/* why_put - a filter of one side said pass. Returns pass. */
static inline bool
why_put(struct why_look *l, enum side side, enum why_id id, int64_t value,
    int64_t limit, bool pass)
{
	uint8_t verdict = pass ? WHY_PASS : WHY_FAIL;
	struct why_filter *f;

	if (l->m == 0)
		return pass;
	f = &l->m->side[side - 1].filter[id];
	f->value = value;
	f->limit = limit;
	f->refusals += !pass;
	if (f->verdict != verdict) {
		f->verdict = verdict;
		f->since_ns = l->now_ns;
	}
	return pass;
}

/* why_both - a guard: of both sides. */
static inline bool
why_both(
    struct why_look *l, enum why_id id, int64_t value, int64_t limit, bool pass)
{
	why_put(l, SIDE_BID, id, value, limit, pass);
	return why_put(l, SIDE_ASK, id, value, limit, pass);
}

/* why_looked, why_signalled - the end of a chain of one side: stopped at a
 * filter, or WHY_N when all passed. */
void why_looked(struct why_look *l, enum side side, enum why_id stop);
void why_signalled(struct why_look *l, enum side side, enum why_id stop);

/* A line of why.def. */
struct why_def {
	const char *label;
	const char *text;
	uint8_t part; /* enum why_part */
	uint8_t unit; /* enum why_unit */
};
/* why_def - Needs id < WHY_N (CHECK). */
const struct why_def *why_def(enum why_id id);

/* The page, a file of the instance's directory. why_create - quoted's: made,
 * or taken over from its former life. */
int why_create(
    struct why_page **out, int dirfd, uint64_t run_id, struct err *e);
int why_attach(const struct why_page **out, int dirfd, struct err *e);
void why_detach(const struct why_page *w);

/* why_read - a consistent copy of one market; false when it was never looked
 * at or is out of range. */
bool why_read(const struct why_page *w, uint16_t instr, struct why_market *out);

#endif

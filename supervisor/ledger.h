/*
 * ledger.h - one position as riskd, execd and the venue have it.
 *
 * What      : a row an instrument. riskd's position from its own words
 *             (STATE), execd's by fills and the venue's answer to execd from
 *             POSITION; and, of the exchange on this machine, what it holds.
 *             Collateral from BALANCE and of that exchange.
 * Fresh     : a figure without a fill reported after it; one of execd's also
 *             only while execd speaks: what is held is said again every
 *             period, what is nothing once. Only fresh figures are compared,
 *             in all pairs; equal is a row that has all that are expected.
 * Ended     : a market that is CLOSED, or RESOLVED with riskd not flat, is
 *             settling and not judged. Afterwards execd is silent about it.
 * Money     : Polymarket's, execd's by fills against the exchange's. That of
 *             Hyperliquid is an account's value, which moves with the mark: it
 *             is shown.
 * Verdict   : of many looks. Equal once is equal: what was compared was of one
 *             moment. A difference counts when the same figures last
 *             LEDGER_LAST_NS over two looks.
 * Signed    : YES less NO, or coins.
 * Pure      : yes.
 */
#ifndef SUPERVISOR_LEDGER_H
#define SUPERVISOR_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "libshm/instr.h"
#include "libshm/slots.h"

enum ledger_who {
	LEDGER_RISKD = 0,
	LEDGER_EXECD,
	LEDGER_VENUE, /* as it answered execd          */
	LEDGER_TRUTH, /* as the exchange here holds it */
	LEDGER_WHO_N
};

#define LEDGER_LAST_NS UINT64_C(1000000000)
/* Periods of silence after which execd's figures are old. */
#define LEDGER_PERIODS 3
/* riskd stamps what it says with the time at which it woke. */
#define LEDGER_SLACK_NS UINT64_C(100000000)
/* After its end a market may be paid before the table says so. */
#define LEDGER_END_NS INT64_C(60000000000)

struct ledger_fig {
	bool has;
	bool is_late;	/* a fill was reported after it */
	int64_t v;	/* 1e-8; money 1e-6 */
	uint64_t at_ns; /* when it was said, monotonic */
};

struct ledger_row {
	bool used;	  /* the instrument is in the table */
	uint64_t fill_ns; /* the last one reported, 0 none */
	struct ledger_fig fig[LEDGER_WHO_N];
	struct instr in;
};

/* At a venue: EXECD and TRUTH. */
struct ledger_money {
	uint64_t fill_ns;
	struct ledger_fig fig[LEDGER_WHO_N];
};

struct ledger_set {
	uint64_t now_ns; /* of this look */
	int64_t wall_ns;
	int64_t period_ns; /* exec.reconcile_s */
	bool wants_truth;  /* the exchange is here, to be asked */
	bool trades[VENUE_N];
};

struct ledger {
	struct ledger_set set;
	struct ledger_row row[INSTR_N];
	struct ledger_money money[VENUE_N];
	uint64_t execd_ns[VENUE_N]; /* last word of holdings, 0 none */
	uint64_t riskd_ns;
	uint64_t truth_ns;
	bool has_truth;
	uint32_t stray_n; /* held there, of no instrument of ours */
};

void ledger_init(struct ledger *l, const struct ledger_set *set);

/* ledger_instr - an entry of the table. */
void ledger_instr(struct ledger *l, uint16_t idx, const struct instr *in);

/* ledger_slot - a slot of riskd's or execd's; a ring oldest first, rings in
 * any order. Those of a former market in the same place say nothing. */
void ledger_slot(struct ledger *l, const struct order *o);

/* ledger_truth - the exchange here was asked at at_ns; what it holds is told
 * by the others, of what is not told nothing is held. */
void ledger_truth(struct ledger *l, uint64_t at_ns);
void ledger_token(struct ledger *l, const char *token, qty_t qty);
void ledger_coin(struct ledger *l, const char *coin, qty_t qty);
void ledger_usd(struct ledger *l, enum venue v, usd_t usd);

/* ---- one look ---- */

enum ledger_state {
	LEDGER_NOTHING = 1, /* nobody holds anything            */
	LEDGER_EQUAL,	    /* all are there, fresh and the same */
	LEDGER_DIFFERS,	    /* two fresh ones are not the same  */
	LEDGER_STALE,	    /* one is missing or not fresh      */
	LEDGER_SETTLING,    /* ended, the outcome is not booked */
	LEDGER_SHOWN,	    /* there is nothing to compare with */
	LEDGER_STATE_N
};
const char *ledger_state_name(enum ledger_state s);

/* ledger_fresh_at - is a figure comparable? execd_ns: when execd of the venue
 * last spoke. */
bool ledger_fresh_at(const struct ledger_set *s, const struct ledger_row *r,
    enum ledger_who who, uint64_t execd_ns);
bool ledger_money_fresh_at(const struct ledger_set *s,
    const struct ledger_money *m, enum ledger_who who);
enum ledger_state ledger_row_state(
    const struct ledger *l, const struct ledger_row *r);
enum ledger_state ledger_money_state(const struct ledger *l, enum venue v);

/* ledger_silent - execd of a venue that is traded has said nothing for
 * LEDGER_PERIODS, or never. */
bool ledger_silent(const struct ledger *l, enum venue v);

/* ---- looks in a row ---- */

/* Of a row, a venue's money or the strays. */
struct ledger_view {
	enum ledger_state state; /* so far; STALE while a difference is new */
	uint64_t since_ns;	 /* of the difference, 0 none */
	int64_t sign[LEDGER_WHO_N];
};

struct ledger_verdict {
	struct ledger_view row[INSTR_N];
	struct ledger_view money[VENUE_N];
	struct ledger_view stray;
	struct ledger_row shown[INSTR_N]; /* as judged */
	uint64_t shown_ns[INSTR_N];
	struct ledger_money money_shown[VENUE_N];
	uint64_t money_ns[VENUE_N];
	bool at_once; /* a difference counts in one look */
};

void ledger_verdict_init(struct ledger_verdict *d, bool at_once);
void ledger_look(struct ledger_verdict *d, const struct ledger *l);

/* ledger_count - rows, money and strays in a state. */
uint32_t ledger_count(const struct ledger_verdict *d, enum ledger_state s);

/* ledger_code - 0 all compared and equal, 1 a difference, 2 something could
 * not be compared. l: the last look. */
int ledger_code(const struct ledger_verdict *d, const struct ledger *l);

#endif

/*
 * ledger.h - one position as riskd, execd and the venue have it.
 *
 * What      : a row an instrument, an amount a venue. riskd's position from
 *             its own words (STATE), execd's by fills and the venue's answer
 *             to execd from POSITION, collateral from BALANCE; and, of the
 *             exchanges on this machine, what they really hold.
 * Unknown   : what nobody has said is unknown, and equal to anything; a
 *             position that was never spoken of is 0.
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

struct ledger_row {
	bool used; /* the instrument is in the table */
	bool has[LEDGER_WHO_N];
	qty_t qty[LEDGER_WHO_N];
	uint64_t told_ns; /* when riskd last spoke of it */
	struct instr in;
};

struct ledger {
	struct ledger_row row[INSTR_N];
	bool has_truth;
	bool has_usd[VENUE_N];
	bool has_true_usd[VENUE_N];
	usd_t usd[VENUE_N];	 /* BALANCE */
	usd_t true_usd[VENUE_N]; /* of the exchange here */
	uint32_t stray_n;	 /* held there, of no instrument of ours */
};

void ledger_init(struct ledger *l);

/* ledger_instr - an entry of the table. */
void ledger_instr(struct ledger *l, uint16_t idx, const struct instr *in);

/* ledger_slot - a slot of riskd's or execd's; a ring oldest first, rings in
 * any order. Those of a former market in the same place say nothing. */
void ledger_slot(struct ledger *l, const struct order *o);

/* ledger_token - an exchange here holds qty of a token, ledger_coin of a
 * coin. Nothing is held of what is not told after ledger_truth. */
void ledger_truth(struct ledger *l);
void ledger_token(struct ledger *l, const char *token, qty_t qty);
void ledger_coin(struct ledger *l, const char *coin, qty_t qty);

/* ledger_shown - is there anything to say of it? */
bool ledger_shown(const struct ledger_row *r);

/* ledger_differs - two that are known are not the same. */
bool ledger_differs(const struct ledger *l, const struct ledger_row *r);

/* ledger_bad - rows that differ, and strays. */
uint32_t ledger_bad(const struct ledger *l);

#endif

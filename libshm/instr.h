/*
 * instr.h - the instrument table: what the index in a slot means.
 *
 * One region a feed, so each entry has one writer (the venue's feedd).
 * An entry is read and written under its sequence word (seqlock); `epoch`
 * grows when the meaning of the slot changes: another market, another tick
 * size. Binaries are one entry a market, in the YES frame.
 */
#ifndef LIBSHM_INSTR_H
#define LIBSHM_INSTR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "libcore/fixed.h"
#include "libcore/types.h"
#include "libshm/err.h"
#include "libshm/instance.h"

/* Regions; index 0 is never an instrument. */
#define INSTR_PM_BASE 16u
#define INSTR_PM_N    4080u
#define INSTR_BN_BASE 4096u
#define INSTR_BN_N    256u
#define INSTR_HL_BASE 4352u
#define INSTR_HL_N    768u
#define INSTR_N	      5120u

/* Where a strike comes from. CONFLICT: two sources differ by more than
 * updown.strike_conflict_bps; such a window is not quoted. */
enum strike_source {
	STRIKE_PROVISIONAL = 1, /* our own record of the settlement feed   */
	STRIKE_OFFICIAL = 2,	/* the venue's own word                   */
	STRIKE_CONFLICT = 3,
	STRIKE_SOURCE_N
};

/* How a market ended. */
enum outcome {
	OUTCOME_YES = 1,
	OUTCOME_NO = 2,
	OUTCOME_VOID = 3, /* both tokens pay 0.5 */
	OUTCOME_N
};

/* What the tokens of a Polymarket market are; the exchange contract and the
 * format of an order follow from it. */
enum token_kind {
	TOKEN_CONDITIONAL = 1,
	TOKEN_POSITION = 2, /* "version":"v2" */
	TOKEN_KIND_N
};

struct instr {
	char symbol[48]; /* "BTCUSDT", "BTC", market slug                  */
	uint8_t venue;
	uint8_t cls;   /* enum instr_class                                */
	uint8_t state; /* enum instr_state; 0: entry unused               */
	uint8_t neg_risk;
	uint16_t epoch;
	uint16_t underlying; /* instr of the reference price, 0 none      */
	uint32_t asset_idx;  /* venue's number (Hyperliquid)              */
	px_t tick_px;
	qty_t lot_qty;
	qty_t min_qty;
	usd_t min_usd;	     /* smallest order value                       */
	uint32_t fee_ppm;    /* taker: rate * 1e6 (binary: of p(1-p))      */
	uint32_t maker_ppm;  /* maker fee; binaries: 0                     */
	uint32_t rebate_ppm; /* share of the taker fee paid to makers     */
	uint32_t px_sig;     /* significant figures allowed, 0 any         */
	int64_t start_wall_ns;
	int64_t end_wall_ns;
	px_t strike_px;
	uint32_t strike_source; /* enum strike_source, 0 none              */
	uint32_t settle_source; /* enum ref_source of the settlement      */
	uint32_t settle_lookback_s;
	uint16_t settle_index; /* instr of the settlement price, 0 none    */
	uint8_t outcome;       /* enum outcome, 0 while open              */
	uint8_t token_kind;    /* enum token_kind                         */
	uint8_t taker_delayed; /* marketable orders wait before matching   */
	uint8_t fee_exponent;  /* binary: fee is rate * (p(1-p))^exponent  */
	uint8_t tie_yes;       /* a tie resolves to YES                   */
	uint8_t is_other;      /* placeholder outcome of a neg-risk event  */
	uint32_t cluster;      /* hash of the event or neg-risk group, 0   */
	usd_t liquidity;       /* as the venue says, 0 unknown            */
	usd_t volume_day;
	px_t close_px;	    /* settlement price at the end, 0 unknown    */
	px_t reward_spread; /* liquidity rewards: farthest from the mid  */
	qty_t reward_min_qty;
	uint64_t rules; /* features of the rules text, bits of libcore/rrs.h */
	uint8_t condition[32];
	uint8_t token_yes[32];
	uint8_t token_no[32];
};

struct instr_entry {
	_Atomic uint32_t lock; /* odd while being written                 */
	uint32_t pad;
	struct instr in;
	uint8_t fill[376 - sizeof(struct instr)];
};
_Static_assert(sizeof(struct instr_entry) == 384, "three line pairs");

struct instr_table {
	struct shm_hdr hdr;
	_Atomic uint64_t changes[VENUE_N][16]; /* one line pair a writer  */
	struct instr_entry entry[INSTR_N];
};

int instr_create(int dirfd, uint64_t run_id, struct err *e);
int instr_attach(
    struct instr_table **out, int dirfd, bool writable, struct err *e);
void instr_detach(struct instr_table *t);

/* instr_write - publish an entry (its venue's feedd only). idx within the
 * venue's region (CHECK). */
void instr_write(struct instr_table *t, uint16_t idx, const struct instr *in);

/* instr_read - consistent copy. False: unused, or idx out of range. */
bool instr_read(const struct instr_table *t, uint16_t idx, struct instr *out);

/* instr_region - first index and count of a venue's region. */
void instr_region(enum venue v, uint16_t *base, uint16_t *n);

/* instr_venue - venue whose region holds idx; 0 when none. */
enum venue instr_venue(uint16_t idx);

#endif

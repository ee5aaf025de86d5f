/*
 * track.h - markets, our orders and our positions, put together from what
 * goes through the rings.
 *
 * What      : fed with copies of observed slots; keeps the touch of each
 *             instrument, what rests of ours (level 0) by execd's reports,
 *             positions and the trading state as riskd tells quoted.
 * Limits    : knows what has happened since the oldest slot it was given;
 *             positions arrive with riskd's next word on them.
 * Pure      : yes. O(1) a slot.
 */
#ifndef SHMTOP_TRACK_H
#define SHMTOP_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "libshm/instr.h"
#include "libshm/slots.h"
#include "libshm/topo.h"

/* One side of ours. */
struct track_side {
	px_t want_px; /* quoted's wish, 0 none                            */
	qty_t want_qty;
	px_t px; /* rests                                                 */
	qty_t qty;
	uint64_t id;
};

struct track_market {
	struct tick_bbo bbo;
	uint64_t bbo_ns; /* receive time of the touch, 0 none yet        */
	px_t trade_px;
	uint64_t trade_ns;
	px_t ref_px; /* settlement, mark or relayed price                 */
	uint64_t ref_ns;
	uint32_t ref_source; /* enum ref_source, 0 none yet               */
	uint32_t pad1;
	struct track_side our[SIDE_N];
	qty_t pos;
	px_t avg_px;
	uint32_t fill_n;
	uint32_t refused_n;
	uint16_t refused; /* reason of the last refusal                   */
	uint8_t dirty;	  /* a gap since the last touch                   */
	uint8_t pad;
};

struct track {
	struct track_market market[INSTR_N];
	uint64_t fill_n;
	uint64_t lost_n; /* slots that went by unseen                     */
	usd_t pnl;	 /* day, as riskd told last                       */
	uint8_t trading; /* enum trading_state, 0 not told yet            */
	uint8_t pad[3];
	uint16_t trading_reason;
	uint16_t pad2;
};

void track_init(struct track *t);

/* track_slot - one observed slot of a ring. Slots out of range are ignored:
 * they may be of a broken or foreign writer. */
void track_slot(struct track *t, enum ring_id ring, const union tap *slot);

/* track_wanted - does a ring tell the tracker anything? */
bool track_wanted(enum ring_id ring);

#endif

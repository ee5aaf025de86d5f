/*
 * port.h - between order management (exec.h) and a venue.
 *
 * What      : order management says what should be done at the venue, an act;
 *             a port says what happened there, an event. Ports: the paper
 *             engine, Polymarket, Hyperliquid. Order management is the same
 *             for all, in every mode and in the backtester.
 * Identity  : an order is known by its slot and our id (stage epoch << 40 |
 *             counter), never used twice. The port derives the venue's name
 *             for it (order hash, cloid) from the id before it sends, so that
 *             "unknown" can always be asked about.
 * Rules     : 1. one act at a time for a slot: the next only after an event
 *                that answers the last (PORT_CANCEL is also allowed while a
 *                place is unanswered, PORT_ASK and an urgent PORT_CANCEL
 *                always). What fills the whole order answers everything.
 *             2. every PLACE is answered by exactly one of ACKED, DELAYED,
 *                REJECTED, UNKNOWN; UNKNOWN is resolved later by one of the
 *                others, or by CANCELLED or GONE.
 *             3. FILLED may come at any time, even before ACKED; the same
 *                fill_id means the same fill. REVERSED takes one back.
 *             4. nothing is said of an id after CANCELLED or REJECTED but
 *                FILLED (late fills are true) and REVERSED.
 * Units     : px_t in the canonical YES frame, qty_t, usd_t; side as in the
 *             intent. Pure data.
 */
#ifndef EXECD_PORT_H
#define EXECD_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "libcore/fixed.h"
#include "libcore/reasons.h"
#include "libshm/slots.h"

enum port_do {
	PORT_PLACE = 1,
	PORT_CANCEL,
	PORT_REDUCE, /* to qty, place in the queue kept where the venue can */
	PORT_ASK,    /* what became of it? */
	PORT_DO_N
};

struct port_act {
	enum port_do what;
	uint32_t slot;
	uint64_t id;
	uint16_t instr;
	uint16_t epoch; /* of the instrument */
	uint8_t side;	/* enum side */
	uint8_t level;
	uint8_t tif;	/* enum tif */
	uint8_t oflags; /* ORDER_POST_ONLY, ORDER_REDUCE_ONLY, ... */
	px_t px;
	qty_t qty; /* PLACE: whole size; REDUCE: what is to be left */
	int64_t expires_wall_ns; /* GTD: it must be gone by then; 0 none */
	uint64_t recv_ns;	 /* of the market data behind it */
	bool urgent; /* CANCEL of a withdrawal: before all else, at once */
};

enum port_ev {
	PORT_ACKED = 1,	    /* rests: px, qty (what is left) */
	PORT_DELAYED,	    /* accepted, matched later */
	PORT_REJECTED,	    /* never rested: reason */
	PORT_UNKNOWN,	    /* no answer in time, or an unclear one */
	PORT_FILLED,	    /* px, qty, usd (fee), fill_id, is_maker */
	PORT_REVERSED,	    /* fill_id did not happen after all */
	PORT_CONFIRMED,	    /* fill_id is final: what was got may be sold */
	PORT_CANCELLED,	    /* gone: reason */
	PORT_NOT_CANCELLED, /* cancel or reduce refused: it may still rest */
	PORT_REDUCED,	    /* qty is left, after the fills told so far */
	PORT_GONE,	    /* the venue has never heard of it, proven */
	PORT_EV_N
};

struct port_event {
	enum port_ev what;
	uint32_t slot; /* PORT_NO_SLOT: not an order of ours */
	uint64_t id;
	uint16_t instr;
	uint8_t side; /* of the fill, as a trade of ours in the YES frame */
	bool is_maker;
	enum reason reason;
	px_t px;
	qty_t qty;
	usd_t usd;
	uint64_t fill_id;
	int64_t venue_ns; /* of the venue's clock, 0 unknown */
	uint64_t sent_ns; /* the placement's first byte left (monotonic, just
			     before the write), 0 unknown */
};

#define PORT_NO_SLOT UINT32_MAX

/* How the venue as a whole stands; told by the port when it changes. */
enum port_mode {
	PORT_STARTING = 1, /* nothing may be placed yet */
	PORT_NORMAL,
	PORT_POST_ONLY,
	PORT_CANCEL_ONLY,
	PORT_RESTARTING, /* answers nothing for now */
	PORT_BLOCKED,	 /* credentials, place or account: a person must act */
	PORT_RESYNC,	 /* we missed something and are asking */
	PORT_MODE_N
};

#endif

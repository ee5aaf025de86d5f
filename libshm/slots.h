/*
 * slots.h - what travels through the rings.
 *
 * Two shapes: `struct tick` (64 bytes, one cache line) for market data and
 * `struct order` (128 bytes) for intents, orders, cancels, reports and
 * verdicts. Both begin with the same 32-byte header. A tap ring to the
 * recorder carries 128-byte slots: either an order, or a tick in its first
 * 64 bytes; `kind` tells.
 *
 * Times   : recv_ns is CLOCK_MONOTONIC of this host when the bytes that
 *           caused the message arrived; venue_ns the venue's own clock, UTC,
 *           0 when the venue gave none; every later stamp of the causal
 *           chain is a 32-bit delta to recv_ns in ns, saturated (4.29 s).
 * Prices  : px_t 1e-8, binaries in the canonical YES frame; qty_t 1e-8.
 * Rules   : fixed-width, padding zeroed, layout pinned below and hashed into
 *           each ring's header. A reader range-checks what it uses.
 */
#ifndef LIBSHM_SLOTS_H
#define LIBSHM_SLOTS_H

#include <stddef.h>
#include <stdint.h>

#include "libcore/fixed.h"
#include "libcore/types.h"
#include "libshm/tick.h"

enum slot_kind {
	/* ticks */
	TICK_BBO = 1,	     /* best bid and ask changed                  */
	TICK_TRADE = 2,	     /* a trade print                             */
	TICK_LEVEL = 3,	     /* new total at one price                    */
	TICK_SNAP_BEGIN = 4, /* drop the book; levels follow              */
	TICK_SNAP_END = 5,   /* the book is complete again                */
	TICK_REF = 6,	     /* a reference, settlement or oracle price   */
	TICK_LINK = 7,	     /* link health and round trip of a feed      */
	TICK_GAP = 8,	     /* messages are missing here                 */
	TICK_RESTART = 9,    /* the producer began a new life             */
	TICK_INSTR = 10,     /* instrument table entry changed            */
	TICK_CONN = 11,	     /* a connection went up or down              */
	TICK_TRACE = 12,     /* stage loop: one step, for exact replay    */
	/* orders */
	MSG_INTENT = 32,   /* quoted: the order that should rest in a slot */
	MSG_ORDER = 33,	   /* riskd: an intent that passed                 */
	MSG_CANCEL = 34,   /* riskd: nothing should rest in a slot         */
	MSG_VERDICT = 35,  /* riskd: what became of an intent              */
	MSG_ACK = 36,	   /* execd: the order rests                       */
	MSG_FILL = 37,	   /* execd: (part of) the order traded            */
	MSG_DONE = 38,	   /* execd: the order is gone; reason says why    */
	MSG_REJECT = 39,   /* execd or venue: the order never rested       */
	MSG_RESTART = 40,  /* the producer began a new life                */
	MSG_STATE = 41,	   /* riskd: trading state and limits for quoted   */
	MSG_POSITION = 42, /* execd: what is held, by fills and by the venue */
	MSG_BALANCE = 43,  /* execd: the account's collateral              */
	SLOT_KIND_N
};

/* Ticks that only taps and the journal carry; no stage reads them. */
enum tap_kind {
	TAP_SIGNAL = 13,  /* quoted: what an instrument is worth           */
	TAP_MARKOUT = 14, /* recorderd: the mid after a fill              */
	TAP_FREEZE = 15,  /* recorderd: a freeze word changed             */
	TAP_KIND_N
};

/* flags */
#define SLOT_BATCH_END 0x01u /* last slot of one atomic change           */
#define SLOT_SNAP      0x02u /* belongs to a snapshot                    */
#define SLOT_REPLAY    0x04u /* sent again on request, not news          */
#define SLOT_OTHER_TOK 0x08u /* came from the complement token           */

/* The common header. seq belongs to the ring: index + 1, written last. */
struct slot_hdr {
	uint64_t seq;
	uint8_t kind;
	uint8_t flags;
	uint16_t instr;	    /* index into the instrument table            */
	uint32_t pub_delta; /* publish - recv_ns                          */
	int64_t venue_ns;
	uint64_t recv_ns;
};

struct tick {
	struct slot_hdr hdr;
	union {
		struct tick_bbo bbo;
		struct tick_trade trade;
		struct tick_level level;
		struct tick_snap snap;
		struct tick_ref ref;
		struct tick_link link;
		struct tick_gap gap;
		struct tick_restart restart;
		struct tick_instr instr;
		struct tick_conn conn;
		struct tick_trace trace;
		struct tick_signal signal;
		struct tick_markout markout;
		struct tick_freeze freeze;
		uint64_t raw[4];
	} u;
};

enum tif {
	TIF_GTC = 1,
	TIF_GTD = 2,
	TIF_IOC = 3, /* FAK */
	TIF_FOK = 4,
	TIF_N
};

#define ORDER_POST_ONLY	  0x01u
#define ORDER_REDUCE_ONLY 0x02u
#define ORDER_IMPERATIVE  0x04u /* take or forced exit, at most once    */
#define ORDER_MAKER	  0x08u /* fill: we were the maker              */
#define ORDER_REVERSED	  0x10u /* fill: takes one back, see FILL       */

/* Levels a side that an instrument may have orders at. */
#define ORDER_LEVELS 16u
/* The last of them is riskd's own, for forced exits: no quote rests there. */
#define ORDER_EXIT_LEVEL (ORDER_LEVELS - 1u)

enum order_status {
	ORDER_PENDING_NEW = 1,
	ORDER_LIVE = 2,
	ORDER_PARTIAL = 3,
	ORDER_PENDING_CANCEL = 4,
	ORDER_FILLED = 5,
	ORDER_CANCELLED = 6,
	ORDER_REJECTED = 7,
	ORDER_UNKNOWN = 8,
	ORDER_DELAYED = 9,
	ORDER_STATUS_N
};

enum trading_state {
	TRADING_RUN = 1,
	TRADING_REDUCE = 2,
	TRADING_FROZEN = 3,
	TRADING_STATE_N
};

/*
 * One shape for the whole life of an order, so that a report can be compared
 * with the intent that caused it field by field.
 *
 *  INTENT   id, slot (instr, side, level), px, qty (0: nothing), deltas
 *  ORDER    the same id; px and qty as riskd allows them; cum_qty: how much
 *           of the slot riskd knows to be filled, ever
 *  CANCEL   id of the intent that cleared the slot, or riskd's own
 *  VERDICT  id; reason OK or why not; px, qty as allowed
 *  ACK      id; px, qty resting; venue_ref
 *  FILL     id; exec_px, exec_qty, fee, fill_id, cum_qty; px, qty of the order;
 *           recv_ns of the market data that filled it, deltas 0: the chain of
 *           the order is in its ACK, by id. ORDER_REVERSED: an earlier one
 *           did not happen after all; this is the trade that undoes it: the
 *           other side, same px and qty, fee negated, a fill_id of its own;
 *           it does not count in cum_qty
 *  DONE     id; reason; cum_qty
 *  STATE    instr 0: trading state in `status`, reason; usd: day P&L;
 *           fill_id: the capital that counts, 1e-6 dollars; RUN with reason
 *           maker_ratio: the maker adds nothing, others may
 *           instr i: the same of that market alone: RUN, REDUCE (only what
 *           reduces, at or inside the touch) or FROZEN (nothing); qty:
 *           position; px: its average price; usd: day P&L; exec_px,
 *           exec_qty, cum_qty:
 *           factors on risk aversion, size and half-spread, 1e-8, 0 means 1;
 *           life_ms: ends by itself then, 0: until said otherwise. Who finds
 *           the same by himself takes the larger, never both. A markout
 *           that came due rides along: quote_delta its horizon in ms (0: there
 *           is none), fill_id its fill, id the mid's move our way, 1e-8, as a
 *           signed number
 *  POSITION instr; qty: by every FILL reported so far, signed; exec_qty: by
 *           the venue's word, signed, meant when status is 1; cum_qty: of the
 *           long side, confirmed (may be sold); px (as a quantity): of the
 *           short side (NO)
 *  BALANCE  usd: free and offered collateral of the account at `venue`
 *
 * id = stage epoch << 40 | counter; 0 is no id. An id is never used twice.
 * fill_id is the same whenever the same fill is reported again.
 */
struct order {
	struct slot_hdr hdr;
	uint64_t id;
	px_t px;
	qty_t qty;
	px_t exec_px;
	qty_t exec_qty;
	qty_t cum_qty;
	usd_t usd; /* fee of a fill (negative: rebate); P&L in STATE      */
	uint64_t fill_id;
	uint8_t venue;	  /* enum venue                                   */
	uint8_t side;	  /* enum side                                    */
	uint8_t level;	  /* ladder level, 0 is the best                  */
	uint8_t strategy; /* enum strategy                                */
	uint8_t tif;
	uint8_t oflags;
	uint8_t status; /* enum order_status or enum trading_state        */
	uint8_t pad;
	uint16_t reason;      /* enum reason                              */
	uint16_t epoch;	      /* of the instrument                        */
	uint32_t quote_delta; /* quoted decided - recv_ns                 */
	uint32_t risk_delta;  /* riskd passed                             */
	uint32_t send_delta;  /* execd wrote                              */
	uint32_t ack_delta;   /* venue answered                           */
	uint32_t life_ms;     /* INTENT, ORDER: valid for, 0: until changed */
};

enum strategy {
	STRATEGY_MAKER = 1,
	STRATEGY_EDGE = 2,
	STRATEGY_PARITY = 3,
	STRATEGY_SATELLITE = 4,
	STRATEGY_UNWIND = 5,
	STRATEGY_N
};

/* TICK_TRACE in a tap: the input of the step stands behind it. A tick is
 * there whole, an order up to exec_px, which with hdr and id names one of the
 * tap of the stage that sent it; TRACE_OWN: what the stage gave. */
struct tap_step {
	struct tick trace;
	union {
		struct tick tick;
		struct slot_hdr hdr;
		uint64_t raw[8];
	} in;
};

/* What a tap ring carries. */
union tap {
	struct slot_hdr hdr;
	struct tick tick;
	struct order order;
	struct tap_step step;
};

_Static_assert(sizeof(struct slot_hdr) == 32, "slot header is 32 bytes");
_Static_assert(offsetof(struct slot_hdr, seq) == 0, "seq comes first");
_Static_assert(offsetof(struct slot_hdr, recv_ns) == 24, "recv_ns");
_Static_assert(sizeof(struct tick) == 64, "a tick is one cache line");
_Static_assert(offsetof(struct tick, u) == 32, "tick payload");
_Static_assert(sizeof(struct order) == 128, "an order is two cache lines");
_Static_assert(offsetof(struct order, venue) == 96, "order keys");
_Static_assert(offsetof(struct order, reason) == 104, "order reason");
_Static_assert(sizeof(union tap) == 128, "a tap slot is 128 bytes");

/* slot_delta - a later stamp relative to recv_ns, saturated to 32 bits.
 * now before recv (another host's stamp) gives 0. */
static inline uint32_t
slot_delta(uint64_t recv_ns, uint64_t now_ns)
{
	uint64_t d = now_ns > recv_ns ? now_ns - recv_ns : 0;

	return d > UINT32_MAX ? UINT32_MAX : (uint32_t)d;
}

static inline int
slot_is_tick(uint8_t kind)
{
	return kind >= TICK_BBO && kind < TAP_KIND_N;
}

static inline int
slot_is_order(uint8_t kind)
{
	return kind >= MSG_INTENT && kind < SLOT_KIND_N;
}

const char *slot_kind_name(uint8_t kind);
const char *link_state_name(uint8_t state);
const char *order_status_name(uint8_t status);
const char *trading_state_name(uint8_t state);
const char *strategy_name(uint8_t strategy);

/*
 * slot_layout_hash - hash of names, offsets and sizes of every field of the
 * two shapes; a ring built by another layout refuses to attach.
 */
uint64_t slot_layout_hash(void);

#endif

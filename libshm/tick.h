/*
 * tick.h - payloads of the tick kinds; see slots.h for the header they share.
 *
 * 32 bytes each, fixed-width, padding zeroed. Data only.
 */
#ifndef LIBSHM_TICK_H
#define LIBSHM_TICK_H

#include <stdint.h>

#include "libcore/fixed.h"
#include "libcore/types.h"

/* TICK_BBO. A missing side has price and quantity 0. The bid may be at or
 * above the ask: the venue said so. Nobody quotes, marks or fills from that. */
struct tick_bbo {
	px_t bid_px;
	qty_t bid_qty;
	px_t ask_px;
	qty_t ask_qty;
};

struct tick_trade {
	px_t px;
	qty_t qty;
	uint64_t trade_id; /* the venue's, or a hash of it                */
	uint8_t side;	   /* enum side of the aggressor                  */
	uint8_t conn;
	uint16_t epoch; /* of the instrument                           */
	uint32_t pad;
};

/* TICK_LEVEL. qty is the new total, 0 removes the level. */
struct tick_level {
	px_t px;
	qty_t qty;
	uint64_t venue_seq; /* the venue's update id, 0 when it has none  */
	uint8_t side;
	uint8_t conn;
	uint16_t epoch;
	uint32_t pad;
};

/* TICK_SNAP_BEGIN, TICK_SNAP_END */
struct tick_snap {
	uint64_t venue_seq;
	uint32_t bid_n;
	uint32_t ask_n;
	uint16_t epoch;
	uint8_t conn;
	uint8_t pad[5];
	uint64_t pad2;
};

/* TICK_REF */
struct tick_ref {
	px_t px;
	int64_t funding_e12; /* hourly funding rate, perps only           */
	px_t oracle_px;
	uint32_t source; /* enum ref_source                            */
	uint32_t pad;
};

enum ref_source {
	REF_MARK = 1,  /* perp mark price                                 */
	REF_SPOT = 2,  /* settlement spot stream                          */
	REF_TWAP = 3,  /* settlement average                              */
	REF_RELAY = 4, /* an exchange price relayed by the venue          */
	REF_SOURCE_N
};

/* conn of any tick: a shard, which one or two connections carry (feed.h).
 * TICK_LINK: health of the better one of them, at least every
 * latency.ping_interval. hdr.instr is 0. */
struct tick_link {
	uint32_t rtt_us;     /* last round trip; overdue pong: its age    */
	uint32_t rtt_ema_us; /* 0.9 old + 0.1 new                         */
	int32_t age_us;	     /* receive - venue time - clock offset       */
	uint32_t quiet_ms;   /* since the last data message               */
	uint32_t msgs;	     /* messages since connect, wraps             */
	uint8_t venue;
	uint8_t conn;
	uint8_t state;	 /* enum link_state                                 */
	uint8_t overdue; /* 1: a pong is missing                          */
	uint32_t reconnects;
	int32_t skew_ms; /* the venue's clock minus ours (UTC), as far as
			    its answers prove it; 0 unknown or agrees      */
};

enum link_state {
	LINK_DOWN = 1,
	LINK_CONNECTING = 2,
	LINK_UP = 3,	/* connected, books not complete yet              */
	LINK_READY = 4, /* connected, data flows                          */
	LINK_STALE = 5, /* connected, but no data or no pong              */
	LINK_STATE_N
};

/* TICK_GAP */
struct tick_gap {
	uint64_t first_seq; /* of the ring, when it was dropped there     */
	uint64_t lost_n;
	uint64_t since_ns; /* receive time of the first loss              */
	uint16_t reason;   /* enum reason                                 */
	uint8_t conn;
	uint8_t scope; /* 1: one instrument, 2: the connection, 3: ring   */
	uint32_t pad;
};

/* TICK_RESTART, MSG_RESTART use the epoch of the stage. */
struct tick_restart {
	uint64_t epoch;
	uint64_t pad[3];
};

/* TICK_INSTR: read the instrument table again. */
struct tick_instr {
	uint16_t epoch;
	uint8_t state; /* enum instr_state */
	uint8_t cls;   /* enum instr_class */
	uint32_t pad;
	uint64_t pad2[3];
};

/* TICK_CONN */
struct tick_conn {
	uint8_t venue;
	uint8_t conn;
	uint8_t state; /* enum link_state */
	uint8_t pad;
	uint16_t reason;
	uint16_t code; /* WebSocket close code or 0 */
	uint64_t pad2[3];
};

/*
 * TICK_TRACE: one step of a stage, written after what it published. The stage
 * took slot ring_seq of ring and passed now_ns, and hdr.venue_ns as UTC;
 * hdr.flags has SLOT_REPLAY when the slot was marked as delivered again. In
 * a tap the input itself stands behind it (struct tap_step in slots.h).
 */
struct tick_trace {
	uint64_t ring_seq; /* CFG: its epoch                              */
	uint64_t now_ns;
	uint64_t state_hash; /* HASH: of the state. A TICK_INSTR as input: of
				the entry that was read. Else 0            */
	uint16_t ring;	     /* enum ring_id or TRACE_*                    */
	uint16_t pad;
	uint32_t out_n; /* slots put into the tap since the trace before  */
};

/* Steps that no slot caused. */
#define TRACE_TIMER 0xffffu
#define TRACE_CFG   0xfffeu
#define TRACE_STOP  0xfffdu
#define TRACE_HASH  0xfffcu /* no step: the state's hash at this point    */
#define TRACE_ENTRY                                                   \
	0xfffbu /* no step: 64 bytes of the instrument entry that the \
		   next trace of this stage is about, piece ring_seq */
#define TRACE_OWN                                               \
	0xfff0u /* and up: an input of the stage's own, told by \
		   stage_trace_own                            */

/* TAP_SIGNAL: what quoted makes of an instrument at a moment. */
struct tick_signal {
	px_t fair;    /* micro-price or model, what quotes stand on       */
	px_t reserve; /* with the inventory in it                         */
	px_t half;    /* half of the spread that is wanted                */
	uint32_t sigma_e8; /* a square root of a second, saturated        */
	uint16_t reason;   /* enum reason: REASON_OK quoted, else why not */
	uint8_t strategy;
	uint8_t trading; /* enum trading_state                            */
};

/* TAP_MARKOUT: the mid some time after a fill of ours. */
struct tick_markout {
	uint64_t fill_id;
	px_t fill_px;
	px_t mid;
	uint32_t horizon_s;
	uint8_t side; /* of the fill                                      */
	uint8_t strategy;
	uint8_t maker;
	uint8_t venue;
};

/* TAP_FREEZE: a freeze word as it is from now on. */
struct tick_freeze {
	uint64_t mask; /* FREEZE_*                                        */
	uint64_t epoch;
	uint64_t since_ns;
	uint32_t word; /* enum freeze_word                                */
	uint32_t pad;
};

#endif

/*
 * risk.h - one verdict, with a reason, for every wish to trade.
 *
 * What      : the single source of truth on positions, resting orders, marks,
 *             profit and loss, and on whether trading is allowed at all.
 * Input     : MSG_INTENT from quoted; TOP market data; ACK, FILL, DONE and
 *             REJECT from execd; the world as the shell sees it (risk_world);
 *             a person's thaw (risk_thaw).
 * Output    : MSG_ORDER, MSG_CANCEL to execd; MSG_VERDICT, MSG_STATE to
 *             quoted; the freeze masks and lease_ok below for the shell. When
 *             a mask changes, a MSG_STATE in the cancel ring wakes execd, so
 *             that it looks at the freeze words at once.
 *
 * Orders    : an order counts from the moment it is passed until its DONE or
 *             REJECT, whatever else was asked meanwhile. In one slot several
 *             may be on their way, but execd lets only one rest, and takes
 *             off a new order what its predecessors filled after riskd had
 *             decided. For that an ORDER carries in cum_qty how much of the
 *             slot riskd knows to be filled, ever; and so the most a slot can
 *             still fill is
 *                 max over its orders of (cum at decision + qty) - cum now
 *             and not the sum. An ACK says what really rests and replaces
 *             the bound of its order.
 * CANCEL    : its id covers every order of the slot up to that id. It has a
 *             ring of its own and may overtake an order.
 * Fills     : cum_qty of an order only grows; a fill that does not pass it,
 *             or whose fill_id was seen, is a repeat. A fill of an order that
 *             is not known is booked all the same, and raises REDUCE.
 * Outcome   : a market that is RESOLVED with an outcome closes its position
 *             at 1, 0 or 1/2, no fee; a fill that comes later as well. A slot
 *             that changes to another market while its own is undecided hands
 *             the position on: it waits unplaced, at its last mark, for its
 *             symbol, and counts in the worst case.
 * Recovery  : everything but marks, links and the rate window is durable:
 *             risk_save and risk_load move it record by record; `dirty` says
 *             which changed. The day and the positions outlive the run too:
 *             riskkept.h.
 * Pure      : yes. O(ORDER_LEVELS) an event; lists to quoted and withdrawals
 *             of everything are spread over steps of RISK_SWEEP.
 */
#ifndef RISKD_RISK_H
#define RISKD_RISK_H

#include <stdbool.h>
#include <stdint.h>

#include "libcore/position.h"
#include "libcore/reasons.h"
#include "libshm/cfg.h"
#include "libshm/event.h"
#include "libshm/instr.h"
#include "riskd/drawdown.h"
#include "riskd/killswitch.h"
#include "riskd/riskkept.h"
#include "riskd/wallclock.h"

#define RISK_SLOTS	 4096u /* (instrument, side, level) ever used      */
#define RISK_SLOT_ORDERS 4u    /* of one slot on their way at once         */
#define RISK_SWEEP	 16u
#define RISK_RATE	 16384u /* power of two above risk.max_orders_per_s */
#define RISK_RECENT	 256u	/* fill ids remembered                      */
#define RISK_DIRTY	 512u

struct risk_order {
	uint64_t id;
	px_t px;
	qty_t qty;    /* as passed, or as acknowledged                    */
	qty_t base;   /* cum of the slot when it was passed               */
	qty_t filled; /* of this order                                    */
};

struct risk_slot {
	uint16_t instr;
	uint8_t side;
	uint8_t level;
	uint32_t n; /* orders on their way                                */
	uint64_t last_id; /* newest intent handled                        */
	qty_t cum;	  /* filled in this slot, ever                    */
	struct risk_order order[RISK_SLOT_ORDERS];
};

struct risk_instr {
	struct position pos;
	/* from the instrument table */
	char symbol[RISK_SYMBOL];
	int64_t end_wall_ns;
	uint64_t symbol_hash;
	px_t tick;
	qty_t lot;
	qty_t min_qty;
	usd_t min_usd;
	uint32_t maker_ppm;
	uint32_t px_sig;
	uint16_t epoch;
	uint8_t cls; /* enum instr_class, 0: not known yet                */
	uint8_t state;
	bool held;	      /* is in risk.held                         */
	uint8_t outcome;      /* enum outcome, 0 unknown                 */
	uint16_t first_epoch; /* of this market in this slot              */
	uint32_t rate_n; /* orders within the last second                 */
	/* the mark; valid while mark_gen is that of its venue */
	px_t bid;
	px_t ask;
	px_t mark; /* mid; survives gaps, to value the position          */
	px_t micro;
	uint64_t mark_gen;
	/* what it adds to the totals */
	usd_t unrealised;
	usd_t exposure;
	usd_t worst;
};

/* The market that a slot had before its present one. */
struct risk_before {
	char symbol[RISK_SYMBOL];
	int64_t end_wall_ns;
	uint16_t epoch; /* its first                                      */
	uint8_t cls;
	bool known;
	uint8_t pad[4];
};

struct risk_link {
	struct kill kill;
	uint64_t seen_ns;   /* last TICK_LINK of connection 0               */
	uint64_t sample_ns; /* last new round trip                        */
	uint64_t gen;	    /* marks of older generations do not count      */
	uint32_t rtt_us;
	uint32_t reconnects; /* as feedd counts them                      */
	int32_t skew_ms;     /* the venue's clock minus ours, as proven       */
	uint8_t state;	     /* enum link_state                              */
	uint8_t pad[3];
};

/* What the shell knows and the rings do not say. */
struct risk_world {
	uint64_t ext[VENUE_N];	   /* freeze bits of others                   */
	bool room[VENUE_N];	   /* order ring has room                     */
	bool cancel_full[VENUE_N]; /* a cancel found no room              */
	bool supervisor_dead;
	uint8_t pad[7];
};

/* The arithmetic of the last daily-loss refusal. */
struct risk_bound {
	usd_t realised; /* today, after fees, since the last thaw         */
	usd_t others;	/* worst outcome of all other markets             */
	usd_t market;	/* worst outcome of this one with the order       */
	usd_t limit;
};

struct risk_stat {
	uint64_t passed;
	uint64_t refused;
	uint64_t shrunk;
	uint64_t fills;
	uint64_t fill_dups;
	uint64_t adopted;
	uint64_t settled;  /* positions closed by an outcome              */
	uint64_t awaiting; /* ... that lost their slot before it          */
	uint64_t unknown;  /* reports on orders we do not have             */
	uint64_t late;	   /* fills of the market before, booked to it     */
	uint64_t lost;	   /* ... of one that nobody knows                 */
};

struct risk {
	struct cfg cfg;
	uint64_t epoch;
	int64_t east_s; /* of risk.timezone                               */
	/* what the shell acts on */
	uint64_t freeze_all; /* for FW_RISKD                              */
	uint64_t freeze[VENUE_N]; /* for FW_RISKD_PM, FW_RISKD_HL         */
	bool lease_ok;
	bool reduce; /* REDUCE until a person thaws                       */
	bool stopping;
	uint8_t told; /* enum trading_state last sent                     */
	uint16_t told_reason;
	uint64_t told_mask[VENUE_N]; /* own freezes execd was woken for    */
	uint16_t list_idx; /* next instrument to tell quoted of, 0 none   */
	uint32_t wipe_idx; /* next slot to withdraw, + 1; 0 none          */
	struct risk_world world;
	struct risk_link link[VENUE_N];
	struct kill_cfg kill_cfg[VENUE_N];
	struct wallclock clock;
	struct loss loss;
	struct risk_bound bound;
	struct risk_stat stat;
	/* totals over all instruments */
	usd_t unrealised;
	usd_t exposure;
	usd_t worst;
	uint32_t open_n;    /* orders on their way or resting                */
	uint32_t slot_n;    /* slots in use                                  */
	uint16_t max_instr; /* highest index with a position or an order  */
	uint16_t pad[3];
	uint64_t quoted_epoch;
	/* instruments that ever had a position, in no order */
	uint16_t held[INSTR_N];
	uint32_t held_n;
	/* unplaced, and what they add to the totals */
	uint32_t kept_n;
	usd_t kept_unrealised;
	usd_t kept_exposure;
	usd_t kept_worst;
	struct risk_kept kept[RISK_KEPT];
	/* rolling window of passed orders */
	uint32_t rate_head;
	uint32_t rate_n;
	struct {
		uint64_t ns;
		uint16_t instr;
		uint16_t pad[3];
	} rate[RISK_RATE];
	uint64_t recent[RISK_RECENT];
	uint32_t recent_at;
	uint32_t dirty_n;
	uint32_t dirty[RISK_DIRTY]; /* records, see risk_save              */
	uint16_t slot_of[INSTR_N][SIDE_N][ORDER_LEVELS]; /* + 1; 0 none   */
	struct risk_slot slot[RISK_SLOTS];
	struct risk_instr instr[INSTR_N];
	struct risk_before before[INSTR_N];
};

/* risk_init - nothing known, frozen (STARTUP). epoch: this life's. */
void risk_init(struct risk *r, const struct cfg *cfg, uint64_t epoch);

/* risk_step - one event, completely. */
void risk_step(struct risk *r, const struct event *ev, struct core_out *out);

/* risk_world_set - what the shell sees; call it when it changed. */
void risk_world_set(struct risk *r, const struct risk_world *w, uint64_t now_ns,
    struct core_out *out);

/* risk_tripped - the former life left the venue frozen for its latency: the
 * switch starts tripped. */
void risk_tripped(struct risk *r, enum venue v);

/* risk_is_skewed - the venue's clock and ours differ by more than allowed. */
bool risk_is_skewed(const struct risk *r, enum venue v);

/* risk_instr_set - metadata of an instrument at start; later changes come as
 * TICK_INSTR. */
void risk_instr_set(struct risk *r, uint16_t i, const struct instr *in);

/* risk_lost - an order that was passed found no room: it never was. */
void risk_lost(struct risk *r, const struct order *o);

/* risk_relist - tell quoted everything again (its ring had overflowed). */
void risk_relist(struct risk *r);

/* risk_thaw - a person lifts latches and REDUCE. */
void risk_thaw(struct risk *r, uint64_t now_ns, struct core_out *out);

/* risk_pnl - realised, fees and unrealised of the day. */
usd_t risk_pnl(const struct risk *r);

/* risk_hash - of everything that decides. O(instruments and slots used). */
uint64_t risk_hash(const struct risk *r);

/*
 * Durable state, as records of RISK_REC_SZ bytes:
 *   0               day, latches, counters
 *   1 .. RISK_REC_RECENT        fill ids
 *   RISK_REC_INSTR + i          position of instrument i
 *   RISK_REC_SLOT + k           slot k
 *   RISK_REC_KEPT + k           unplaced entry k
 * risk_save - record i into buf (RISK_REC_SZ bytes, zero padded).
 * risk_load - the reverse; false when the record makes no sense.
 * risk_loaded - after all records: totals and look-ups again.
 */
#define RISK_REC_SZ	256u
#define RISK_REC_RECENT (RISK_RECENT * 8u / RISK_REC_SZ)
#define RISK_REC_INSTR	(1u + RISK_REC_RECENT)
#define RISK_REC_SLOT	(RISK_REC_INSTR + INSTR_N)
#define RISK_REC_KEPT	(RISK_REC_SLOT + RISK_SLOTS)
#define RISK_REC_N	(RISK_REC_KEPT + RISK_KEPT)
void risk_save(const struct risk *r, uint32_t i, void *buf);
bool risk_load(struct risk *r, uint32_t i, const void *buf);
void risk_loaded(struct risk *r);

/* risk_layout - changes whenever a record means something else. */
uint64_t risk_layout(void);

#endif

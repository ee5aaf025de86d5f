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
 *             or whose fill_id was seen, is a repeat. One of an order that is
 *             over, of the newest RISK_RECENT, is late and no more; one of an
 *             order that is not known is booked all the same, and raises
 *             REDUCE.
 * Hierarchy : the protections of a market, each in its file: stops, age,
 *             adverse moves and exits riskstop.c; runs of fills, markouts,
 *             reverts and the share taken risktoxic.c; caps of clusters and of
 *             edge, the capital riskcaps.c; positions against the venue's
 *             riskrecon.c. What they say of a market goes to quoted by
 *             risktell.c. An exit is an order of riskd's own: it takes, is
 *             imperative, and has the level ORDER_EXIT_LEVEL to itself.
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

#include "libcore/reasons.h"
#include "libshm/cfg.h"
#include "libshm/event.h"
#include "libshm/instr.h"
#include "riskd/drawdown.h"
#include "riskd/riskkept.h"
#include "riskd/risktypes.h"
#include "riskd/riskwatch.h"
#include "riskd/wallclock.h"

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
	usd_t told_capital;
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
	usd_t capital; /* that counts                                     */
	struct risk_balance balance[VENUE_N];
	uint64_t latched[VENUE_N]; /* freeze bits, until a person thaws    */
	struct loss edge;	   /* the edge strategy's day              */
	usd_t edge_unrealised;
	usd_t edge_exposure;
	uint32_t edge_n; /* markets with a position or an order of it      */
	uint32_t group_n;
	uint64_t own_n;	 /* of ids of our own                              */
	uint64_t due_ns; /* when the next market must be looked at, 0 none */
	usd_t fee_model; /* all time                                       */
	usd_t fee_diff;	 /* the venue's less the model's, all time         */
	struct risk_ratio ratio;
	int64_t taker_share_e8;
	struct markout_cfg markout_cfg;
	uint32_t markout_n;
	uint32_t note_n;
	struct risk_note note[RISK_NOTES]; /* the shell logs and empties    */
	uint32_t open_n;    /* orders on their way or resting                */
	uint32_t slot_n;    /* slots in use                                  */
	uint16_t max_instr; /* highest index with a position or an order  */
	uint16_t pad[3];
	uint64_t quoted_epoch;
	int64_t wall_ns; /* UTC as it is believed, of this step          */
	uint16_t touched[RISK_TOUCHED]; /* markets to look at after it      */
	uint16_t touched_n;
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
	uint64_t ended[RISK_RECENT]; /* ids of orders that are over        */
	uint32_t ended_at;
	uint32_t dirty_n;
	uint32_t dirty[RISK_DIRTY]; /* records, see risk_save              */
	uint16_t slot_of[INSTR_N][SIDE_N][ORDER_LEVELS]; /* + 1; 0 none   */
	struct risk_slot slot[RISK_SLOTS];
	struct risk_instr instr[INSTR_N];
	struct risk_before before[INSTR_N];
	struct risk_watch watch[INSTR_N];
	struct risk_group group[RISK_GROUPS];
	struct risk_markout markout[RISK_MARKOUTS];
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

/* risk_thaw - a person lifts latches and REDUCE; positions that differ from
 * the venue's become the venue's, at the mark (riskrecon.c). */
void risk_thaw(struct risk *r, uint64_t now_ns, struct core_out *out);

/* risk_pnl - realised, fees and unrealised of the day. */
usd_t risk_pnl(const struct risk *r);

/* risk_hash - of everything that decides. O(instruments and slots used). */
uint64_t risk_hash(const struct risk *r);

/*
 * Durable state, as records of RISK_REC_SZ bytes:
 *   0               day, latches, counters
 *   RISK_REC_MORE               the edge strategy's day, venues' latches
 *   RISK_REC_RATIO              volume made and taken
 *   RISK_REC_FILLS + k          fill ids, and ids of orders that are over
 *   RISK_REC_INSTR + i          position of instrument i
 *   RISK_REC_SLOT + k           slot k
 *   RISK_REC_KEPT + k           unplaced entry k
 *   RISK_REC_WATCH + i          breakers and exits of instrument i
 * risk_save - record i into buf (RISK_REC_SZ bytes, zero padded).
 * risk_load - the reverse; false when the record makes no sense.
 * risk_loaded - after all records: totals and look-ups again.
 */
#define RISK_REC_SZ	256u
#define RISK_REC_RECENT (RISK_RECENT * 8u / RISK_REC_SZ) /* of each */
#define RISK_REC_MORE	1u
#define RISK_REC_RATIO	2u
#define RISK_REC_FILLS	(RISK_REC_RATIO + RISK_RATIO_SZ / RISK_REC_SZ)
#define RISK_REC_ENDED	(RISK_REC_FILLS + RISK_REC_RECENT)
#define RISK_REC_INSTR	(RISK_REC_ENDED + RISK_REC_RECENT)
#define RISK_REC_SLOT	(RISK_REC_INSTR + INSTR_N)
#define RISK_REC_KEPT	(RISK_REC_SLOT + RISK_SLOTS)
#define RISK_REC_WATCH	(RISK_REC_KEPT + RISK_KEPT)
#define RISK_REC_N	(RISK_REC_WATCH + INSTR_N)
void risk_save(const struct risk *r, uint32_t i, void *buf);
bool risk_load(struct risk *r, uint32_t i, const void *buf);
void risk_loaded(struct risk *r);

/* risk_layout - changes whenever a record means something else. */
uint64_t risk_layout(void);

#endif

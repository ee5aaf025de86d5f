/*
 * risktypes.h - the parts of struct risk: slots and their orders, markets,
 * links, counters. See risk.h for what they mean together. Data only.
 */
#ifndef RISKD_RISKTYPES_H
#define RISKD_RISKTYPES_H

#include <stdbool.h>
#include <stdint.h>

#include "libcore/position.h"
#include "libshm/slots.h"
#include "riskd/killswitch.h"
#include "riskd/riskkept.h"

#define RISK_SLOTS	 4096u /* (instrument, side, level) ever used      */
#define RISK_SLOT_ORDERS 4u    /* of one slot on their way at once         */
#define RISK_SWEEP	 12u
#define RISK_RATE	 16384u /* power of two above risk.max_orders_per_s */
#define RISK_RECENT	 256u	/* fill ids remembered                      */
#define RISK_DIRTY	 512u
#define RISK_TOUCHED	 16u

struct risk_order {
	uint64_t id;
	px_t px;
	qty_t qty;    /* as passed, or as acknowledged                    */
	qty_t base;   /* cum of the slot when it was passed               */
	qty_t filled; /* of this order                                    */
	uint8_t strategy;
	bool takes; /* may take, and then pays the taker's fee            */
	uint8_t pad[6];
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
	int64_t window_ns; /* from its start to its end, 0 not known      */
	uint32_t fee_ppm;
	uint32_t maker_ppm;
	uint32_t px_sig;
	uint32_t cluster; /* 0 none                                       */
	uint16_t group;	  /* of this cluster in risk.group, + 1; 0 none     */
	uint16_t markout; /* in risk.markout, + 1; 0 none                 */
	uint8_t fee_exponent;
	uint16_t epoch;
	uint8_t cls; /* enum instr_class, 0: not known yet                */
	uint8_t state;
	bool held;	      /* is in risk.held                         */
	uint8_t outcome;      /* enum outcome, 0 unknown                 */
	uint16_t first_epoch; /* of this market in this slot              */
	uint32_t rate_n; /* orders within the last second                 */
	uint32_t live[SIDE_N]; /* bit k: the slot of level k has orders    */
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
	usd_t edge_unrealised; /* of the edge strategy                    */
	usd_t edge_exposure;
	bool edge_open; /* it has a position or an order of it            */
	bool recheck;	/* something of it changed: look after the step   */
	/* by execd's last word, for people */
	qty_t final_long;
	qty_t final_short;
	uint64_t told; /* hash of what quoted was last told               */
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
	uint64_t reversed;
	uint64_t exits;	     /* forced exits sent                          */
	uint64_t markouts;   /* mids taken after fills                     */
	uint64_t mismatches; /* looks at which positions differed          */
	uint64_t corrections;
	uint64_t fee_diffs; /* fills whose fee is not the model's          */
};

_Static_assert(ORDER_LEVELS <= 32, "a bit a level");

#endif

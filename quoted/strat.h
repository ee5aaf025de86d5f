/*
 * strat.h - what a strategy is.
 *
 * What     : one constant `struct strat` in a file of its own and a line in
 *            strat.def; docs/add-a-strategy.md builds one from nothing. The
 *            caller (quote.c) owns events, guards, slots, refusals and ids.
 * Asked    : whenever something that a market rests on has changed. REST
 *            strategies after all guards have passed, TAKE ones while trading
 *            is allowed, link and book are good.
 * Rules    : no clock but look->ev->now_ns, no state but struct quote; prices
 *            on the grid, sizes in lots; O(levels).
 */
#ifndef QUOTED_STRAT_H
#define QUOTED_STRAT_H

#include "libcore/sizing.h"
#include "quoted/quote.h"

enum strat_kind {
	STRAT_REST = 1,
	STRAT_TAKE,
	STRAT_KIND_N
};

/* One look at one market. */
struct strat_look {
	struct quote *q;
	struct quote_mkt *m;
	const struct event *ev;
	struct quote_out *out;
	struct why_look why;
	uint16_t instr;
	bool unwinding;	  /* riskd wants the position gone                 */
	int64_t venue_ns; /* now, by the venue's clock; 0 not known         */
	int64_t left_ns;  /* to the end; INT64_MAX without one             */
};

/* What should rest: levels best first, on grid and lot. Where a side has
 * none, stop says which filter was why (for people; WHY_N: none). */
struct strat_want {
	uint32_t n[SIDE_N];
	struct book_level level[SIDE_N][ORDER_LEVELS];
	enum why_id stop[SIDE_N];
	bool hold; /* leave everything as it is                           */
};

struct strat {
	const char *name;
	enum strat_kind kind;
	enum strategy id;
	uint8_t level;
	bool (*fits)(const struct quote *q, const struct quote_mkt *m);
	void (*rest)(struct strat_look *l, struct strat_want *want);
	void (*take)(struct strat_look *l);
};

#define STRAT(name, kind, strategy, level) \
	extern const struct strat strat_##name;
#include "quoted/strat.def"
#undef STRAT

enum {
#define STRAT(name, kind, strategy, level) STRAT_AT_##name,
#include "quoted/strat.def"
#undef STRAT
	STRAT_N
};

/* strat_at - the i-th of strat.def; i < STRAT_N (CHECK). */
const struct strat *strat_at(unsigned i);

/* A take: at most once, on a limit, gone after the deadline. */
struct strat_take {
	enum side side;
	px_t px;
	qty_t qty;
	uint64_t life_ns;
	uint64_t pair; /* id of the other leg, 0 none                     */
	bool whole;    /* all or nothing                                  */
};

/* strat_send - send a take; its id, 0 when there is no room for one more. */
uint64_t strat_send(struct strat_look *l, const struct strat *s,
    const struct strat_take *t, uint16_t instr);

/* strat_capital - dollars of the strategies, from the balance. */
struct sizing_split strat_capital(const struct quote *q);

/* strat_own - position of a market that is not held by takers: what makers
 * count as theirs. */
qty_t strat_own(const struct quote_mkt *m);

/* strat_held - positions and dollars that a strategy holds. */
uint32_t strat_held(const struct quote *q, enum strategy s, usd_t *at_stake);

/* strat_lots - round down to the lot and hold against the venue's minimum:
 * the filters SIZE and VALUE. 0, with the side's stop set, when too small. */
qty_t strat_lots(struct strat_look *l, struct strat_want *want, enum side side,
    px_t px, qty_t n);

/* strat_exit - what the book takes back of a buy (SIDE_BID) or a sale within
 * sizing.exit_ticks; -1 when its levels are not known. */
qty_t strat_exit(const struct strat_look *l, enum side side);

#endif

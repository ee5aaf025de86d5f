/* quotekit.h - a quoted core and what it is told, for its tests. */
#ifndef TESTS_QUOTEKIT_H
#define TESTS_QUOTEKIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libcore/rrs.h"
#include "quoted/room.h"

#define PM   INSTR_PM_BASE
#define SPOT INSTR_BN_BASE
#define PERP INSTR_HL_BASE
#define S    ((uint64_t)NS_PER_S)
#define WALL (INT64_C(1800000000) * NS_PER_S)

static struct quote *q;
static struct quote_out out;
static struct cfg cfg;
static struct why_page *why;
static uint64_t now;

static inline void
slot(uint16_t ring, union tap *t, const struct instr *in)
{
	struct event ev = {.kind = EV_SLOT,
	    .ring = ring,
	    .slot = t,
	    .instr = in,
	    .now_ns = now,
	    .wall_ns = WALL + (int64_t)now};

	t->hdr.recv_ns = now;
	quote_step(q, &ev, &out);
}

static inline void
timer(void)
{
	struct event ev = {
	    .kind = EV_TIMER, .now_ns = now, .wall_ns = WALL + (int64_t)now};

	quote_step(q, &ev, &out);
}

static inline uint16_t
ring_of(uint16_t idx)
{
	return idx >= INSTR_HL_BASE   ? RG_MD_HL_Q
	       : idx >= INSTR_BN_BASE ? RG_MD_BN_Q
				      : RG_MD_PM_Q;
}

/* What a market is by default; change it and tell it. */
static inline struct instr
a_binary(void)
{
	struct instr in = {.venue = VENUE_POLYMARKET,
	    .cls = CLASS_BINARY,
	    .state = INSTR_NORMAL,
	    .rules = RRS_SEEN,
	    .epoch = 1,
	    .tick_px = PX(E8 / 100),
	    .lot_qty = QTY(E8 / 100),
	    .min_qty = QTY(5 * E8)};

	return in;
}

static inline struct instr
a_perp(void)
{
	struct instr in = {.venue = VENUE_HYPERLIQUID,
	    .cls = CLASS_PERP,
	    .state = INSTR_NORMAL,
	    .epoch = 1,
	    .tick_px = PX(E8 / 10),
	    .lot_qty = QTY(1000),
	    .min_qty = QTY(1000),
	    .min_usd = USD(10 * E6),
	    .px_sig = 5};

	return in;
}

static inline void
tell(uint16_t idx, struct instr in)
{
	union tap t = {.hdr = {.kind = TICK_INSTR, .instr = idx}};

	if (in.symbol[0] == '\0') {
		in.symbol[0] = 'm';
		in.symbol[1] = (char)('a' + idx / 26 % 26);
		in.symbol[2] = (char)('a' + idx % 26);
	}
	slot(ring_of(idx), &t, &in);
}

static inline void
bbo(uint16_t idx, double bid, double ask, double bq, double aq)
{
	union tap t = {.hdr = {.kind = TICK_BBO,
			   .instr = idx,
			   .venue_ns = WALL + (int64_t)now}};

	t.tick.u.bbo.bid_px = PX((int64_t)(bid * 1e8 + 0.5));
	t.tick.u.bbo.ask_px = PX((int64_t)(ask * 1e8 + 0.5));
	t.tick.u.bbo.bid_qty = QTY((int64_t)(bq * 1e8 + 0.5));
	t.tick.u.bbo.ask_qty = QTY((int64_t)(aq * 1e8 + 0.5));
	slot(ring_of(idx), &t, 0);
}

static inline void
level(uint16_t idx, enum side side, double px, double qty)
{
	union tap t = {.hdr = {.kind = TICK_LEVEL, .instr = idx}};

	t.tick.u.level.side = (uint8_t)side;
	t.tick.u.level.epoch = 1;
	t.tick.u.level.px = PX((int64_t)(px * 1e8 + 0.5));
	t.tick.u.level.qty = QTY((int64_t)(qty * 1e8 + 0.5));
	slot(ring_of(idx), &t, 0);
}

static inline void
trade(uint16_t idx, double px, double qty)
{
	union tap t = {.hdr = {.kind = TICK_TRADE, .instr = idx}};

	t.tick.u.trade.px = PX((int64_t)(px * 1e8 + 0.5));
	t.tick.u.trade.qty = QTY((int64_t)(qty * 1e8 + 0.5));
	t.tick.u.trade.side = SIDE_BID;
	slot(ring_of(idx), &t, 0);
}

static inline void
links_are(uint8_t state)
{
	static const uint16_t rings[] = {RG_MD_PM_Q, RG_MD_BN_Q, RG_MD_HL_Q};

	for (size_t i = 0; i < 3; i++) {
		union tap t = {.hdr = {.kind = TICK_LINK}};

		t.tick.u.link.state = state;
		slot(rings[i], &t, 0);
	}
}

/* MSG_STATE of a market, or of all with index 0. */
static inline void
state_is(uint16_t idx, uint8_t status, uint16_t reason, double position)
{
	union tap t = {.order = {.hdr = {.kind = MSG_STATE, .instr = idx},
			   .status = status,
			   .reason = reason,
			   .qty = QTY((int64_t)(position * 1e8))}};

	slot(RG_VERDICT, &t, 0);
}

/* A report on an order of ours. */
static inline void
report(uint8_t kind, const struct order *of, double qty, uint16_t reason)
{
	union tap t = {.order = *of};

	t.order.hdr.kind = kind;
	t.order.exec_px = of->px;
	t.order.exec_qty = QTY((int64_t)(qty * 1e8 + 0.5));
	t.order.reason = reason;
	slot(kind == MSG_VERDICT ? RG_VERDICT : RG_REPORT_PM_Q, &t, 0);
}

/* The i-th message of the last step with these; NULL when none. */
static inline const struct order *
sent(uint8_t strategy, enum side side)
{
	for (uint32_t i = 0; i < out.core.n; i++) {
		const struct order *o = &out.core.msg[i].order;

		if (o->strategy == strategy && o->side == side)
			return o;
	}
	return 0;
}

static inline bool
noted(enum quote_what what)
{
	for (uint32_t i = 0; i < out.note_n; i++)
		if (out.note[i].what == what)
			return true;
	return false;
}

static inline void
open_quote(void)
{
	q = calloc(1, sizeof(*q));
	why = calloc(1, sizeof(*why));
	assert_non_null(q);
	assert_non_null(why);
	now = 1000 * S;
	quote_init(q, &cfg, 7);
	quote_why_set(q, why);
	state_is(0, TRADING_RUN, 0, 0);
	links_are(LINK_READY);
}

static inline int
kit_setup(void **state)
{
	(void)state;
	cfg_defaults(&cfg);
	cfg.warmup_max_s.ns = 0;
	open_quote();
	return 0;
}

static inline int
kit_teardown(void **state)
{
	(void)state;
	free(q);
	free(why);
	return 0;
}

static inline void
again(void)
{
	kit_teardown(0);
	open_quote();
}

#define KIT(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)

#endif

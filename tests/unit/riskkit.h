/*
 * riskkit.h - for tests of the risk core: one core, a clock, and one-line
 * ways to feed it. Include after cmocka.h. Prices in cents unless said.
 */
#ifndef TESTS_UNIT_RISKKIT_H
#define TESTS_UNIT_RISKKIT_H

#include <stdlib.h>
#include <string.h>

#include "libcore/check.h"
#include "riskd/risk.h"

#define CENT(c) PX((int64_t)(c)*E8 / 100)
#define UNIT(q) QTY((int64_t)(q)*E8)
#define MS(x)	((uint64_t)(x)*UINT64_C(1000000))
#define PM	INSTR_PM_BASE
#define HL	INSTR_HL_BASE
#define BN	INSTR_BN_BASE
#define QEPOCH	(UINT64_C(1) << 40)

struct kit {
	struct risk *r;
	struct cfg cfg;
	struct core_out out;
	uint64_t now;
	int64_t wall;
	uint64_t id; /* of the last intent */
	uint64_t seq;
	/* of the next instruments */
	uint32_t cluster;
	uint32_t fee_ppm;
	int64_t window_ns;
	void (*after)(void); /* sees every output, may be NULL            */
};

static inline void
kit_step(struct kit *k, enum event_kind kind, enum ring_id ring,
    const union tap *slot, const struct instr *in)
{
	struct event ev = {.kind = kind,
	    .ring = (uint16_t)ring,
	    .now_ns = k->now,
	    .wall_ns = k->wall,
	    .slot = slot,
	    .instr = in,
	    .cfg = &k->cfg};

	k->r->note_n = 0;
	risk_step(k->r, &ev, &k->out);
	k->r->dirty_n = 0;
	if (k->after != 0)
		k->after();
}

/* Time passes: both clocks, and timers that come due. */
static inline void
kit_wait(struct kit *k, uint64_t ns)
{
	k->now += ns;
	k->wall += (int64_t)ns;
	kit_step(k, EV_TIMER, RG_INTENT, 0, 0);
}

static inline enum ring_id
kit_md(uint16_t instr)
{
	enum venue v = instr_venue(instr);

	return v == VENUE_POLYMARKET ? RG_MD_PM_R
	       : v == VENUE_BINANCE  ? RG_MD_BN_R
				     : RG_MD_HL_R;
}

static inline void
kit_tick(struct kit *k, enum ring_id ring, struct tick *t)
{
	union tap slot;

	memset(&slot, 0, sizeof(slot));
	t->hdr.recv_ns = k->now;
	t->hdr.seq = ++k->seq;
	slot.tick = *t;
	kit_step(k, EV_SLOT, ring, &slot, 0);
}

static inline void
kit_ended(struct kit *k, uint16_t i, enum instr_class cls, const char *symbol,
    enum instr_state state, enum outcome outcome)
{
	union tap slot;
	struct instr in;

	memset(&slot, 0, sizeof(slot));
	memset(&in, 0, sizeof(in));
	memcpy(in.symbol, symbol, strlen(symbol));
	in.venue = (uint8_t)instr_venue(i);
	in.cls = (uint8_t)cls;
	in.state = (uint8_t)state;
	in.outcome = (uint8_t)outcome;
	in.epoch = 1;
	in.tick_px = CENT(1);
	in.lot_qty = QTY(E8 / 100);
	in.min_qty = cls == CLASS_PERP ? QTY(E8 / 100) : UNIT(5);
	in.maker_ppm = cls == CLASS_PERP ? 150 : 0;
	in.fee_ppm = k->fee_ppm;
	in.cluster = k->cluster;
	in.start_wall_ns = k->window_ns > 0 ? k->wall : 0;
	in.end_wall_ns = k->window_ns > 0 ? k->wall + k->window_ns : 0;
	slot.hdr.kind = TICK_INSTR;
	slot.hdr.instr = i;
	kit_step(k, EV_SLOT, kit_md(i), &slot, &in);
}

static inline void
kit_instr(struct kit *k, uint16_t i, enum instr_class cls, const char *symbol,
    enum instr_state state)
{
	kit_ended(k, i, cls, symbol, state, (enum outcome)0);
}

/* Sizes 100 on both sides. */
static inline void
kit_bbo(struct kit *k, uint16_t i, px_t bid, px_t ask)
{
	struct tick t;

	memset(&t, 0, sizeof(t));
	t.hdr.kind = TICK_BBO;
	t.hdr.instr = i;
	t.u.bbo.bid_px = bid;
	t.u.bbo.ask_px = ask;
	t.u.bbo.bid_qty = UNIT(100);
	t.u.bbo.ask_qty = UNIT(100);
	kit_tick(k, kit_md(i), &t);
}

static inline void
kit_link(struct kit *k, uint16_t any, uint32_t rtt_ms, enum link_state st)
{
	struct tick t;

	memset(&t, 0, sizeof(t));
	t.hdr.kind = TICK_LINK;
	t.u.link.rtt_us = rtt_ms * 1000;
	t.u.link.state = (uint8_t)st;
	kit_tick(k, kit_md(any), &t);
}

static inline void
kit_links_good(struct kit *k)
{
	kit_link(k, BN, 20, LINK_READY);
	kit_link(k, PM, 20, LINK_READY);
	kit_link(k, HL, 20, LINK_READY);
}

static inline void
kit_order(struct kit *k, enum ring_id ring, const struct order *o)
{
	union tap slot;

	memset(&slot, 0, sizeof(slot));
	slot.order = *o;
	slot.hdr.seq = ++k->seq;
	kit_step(k, EV_SLOT, ring, &slot, 0);
}

/* The n-th message of a kind in the last output, or NULL. */
static inline const struct order *
kit_said(const struct kit *k, enum slot_kind kind, uint32_t n)
{
	for (uint32_t i = 0; i < k->out.n; i++)
		if (k->out.msg[i].order.hdr.kind == kind && n-- == 0)
			return &k->out.msg[i].order;
	return 0;
}

static inline uint32_t
kit_count(const struct kit *k, enum slot_kind kind)
{
	uint32_t n = 0;

	while (kit_said(k, kind, n) != 0)
		n++;
	return n;
}

static inline struct order
kit_want(struct kit *k, uint16_t i, enum side side, px_t px, qty_t qty)
{
	struct order o;

	memset(&o, 0, sizeof(o));
	o.hdr.kind = MSG_INTENT;
	o.hdr.instr = i;
	o.hdr.recv_ns = k->now;
	o.id = ++k->id;
	o.px = px;
	o.qty = qty;
	o.side = (uint8_t)side;
	o.strategy = STRATEGY_MAKER;
	o.tif = TIF_GTC;
	o.oflags = ORDER_POST_ONLY;
	return o;
}

/* An intent; returns the reason of its verdict, of which there is one. */
static inline enum reason
kit_judge(struct kit *k, const struct order *o)
{
	kit_order(k, RG_INTENT, o);
	CHECK(kit_count(k, MSG_VERDICT) == 1);
	CHECK(kit_said(k, MSG_VERDICT, 0)->id == o->id);
	return (enum reason)kit_said(k, MSG_VERDICT, 0)->reason;
}

static inline enum reason
kit_intent(struct kit *k, uint16_t i, enum side side, px_t px, qty_t qty)
{
	struct order o = kit_want(k, i, side, px, qty);

	return kit_judge(k, &o);
}

static inline enum ring_id
kit_report_ring(uint16_t i)
{
	return instr_venue(i) == VENUE_HYPERLIQUID ? RG_REPORT_HL_R
						   : RG_REPORT_PM_R;
}

static inline void
kit_report(
    struct kit *k, enum slot_kind kind, uint16_t i, enum side side, uint64_t id)
{
	struct order o;

	memset(&o, 0, sizeof(o));
	o.hdr.kind = (uint8_t)kind;
	o.hdr.instr = i;
	o.id = id;
	o.side = (uint8_t)side;
	kit_order(k, kit_report_ring(i), &o);
}

static inline void
kit_fill(struct kit *k, uint16_t i, enum side side, uint64_t id, px_t px,
    qty_t qty, qty_t cum)
{
	struct order o;

	memset(&o, 0, sizeof(o));
	o.hdr.kind = MSG_FILL;
	o.hdr.instr = i;
	o.id = id;
	o.side = (uint8_t)side;
	o.exec_px = px;
	o.exec_qty = qty;
	o.cum_qty = cum;
	o.fill_id = id * 100000 + (uint64_t)cum.e8 / 1000000u;
	o.strategy = STRATEGY_MAKER;
	o.oflags = ORDER_MAKER;
	kit_order(k, kit_report_ring(i), &o);
}

/* A core that trades: links good, two binaries at 48/52, a perp at 100. */
static inline void
kit_open_with(struct kit *k)
{
	k->r = calloc(1, sizeof(*k->r));
	assert_non_null(k->r);
	k->now = MS(1000000);
	k->wall = INT64_C(1783700000) * NS_PER_S;
	k->id = QEPOCH;
	risk_init(k->r, &k->cfg, 1);
	kit_links_good(k);
	kit_instr(k, PM, CLASS_UPDOWN, "up", INSTR_NORMAL);
	kit_instr(k, PM + 1, CLASS_BINARY, "yes", INSTR_NORMAL);
	kit_instr(k, HL, CLASS_PERP, "COIN", INSTR_NORMAL);
	kit_bbo(k, PM, CENT(48), CENT(52));
	kit_bbo(k, PM + 1, CENT(48), CENT(52));
	kit_bbo(k, HL, CENT(9999), CENT(10001));
}

static inline void
kit_open(struct kit *k)
{
	memset(k, 0, sizeof(*k));
	cfg_defaults(&k->cfg);
	kit_open_with(k);
}

static inline void
kit_close(struct kit *k)
{
	free(k->r);
}

#endif

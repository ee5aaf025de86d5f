/* execkit.h - for tests of the exec core: one core, a clock, a book, and
 * one-line ways to feed it. Include after cmocka.h. Prices in cents. */
#ifndef TESTS_UNIT_EXECKIT_H
#define TESTS_UNIT_EXECKIT_H

#include <stdlib.h>
#include <string.h>

#include "execd/paperdesk.h"
#include "libcore/check.h"

#define CENT(c) PX((int64_t)(c)*E8 / 100)
#define UNIT(q) QTY((int64_t)(q)*E8)
#define MS(x)	((uint64_t)(x)*UINT64_C(1000000))
#define PM	INSTR_PM_BASE
#define LATENCY MS(20)
#define KIT_LOG 256

struct kit {
	struct paperdesk *d;
	struct exec *e; /* of the desk */
	struct cfg cfg;
	struct core_out out;
	uint64_t now;
	uint64_t id; /* of the last order */
	uint64_t seq;
	qty_t known; /* fills that riskd knows, sent in cum_qty */
	/* what riskd was told, oldest first; both readers were told */
	struct order log[KIT_LOG];
	uint32_t log_n;
};

/* Keep what was reported to riskd; each must have its twin for quoted. */
static inline void
kit_collect(struct kit *k)
{
	for (uint32_t i = 0; i < k->out.n; i += 2) {
		struct order a = k->out.msg[i].order;
		struct order b = k->out.msg[i + 1].order;

		CHECK(i + 1 < k->out.n);
		CHECK(k->out.msg[i].ring == RG_REPORT_PM_R);
		CHECK(k->out.msg[i + 1].ring == RG_REPORT_PM_Q);
		CHECK(memcmp(&a, &b, sizeof(a)) == 0);
		CHECK(k->log_n < KIT_LOG);
		k->log[k->log_n++] = a;
	}
	k->e->dirty_n = 0;
}

static inline void
kit_sweep(struct kit *k)
{
	while (exec_more(k->e)) {
		paperdesk_sweep(k->d, k->now, &k->out);
		kit_collect(k);
	}
}

static inline void
kit_step(struct kit *k, enum event_kind kind, enum ring_id ring,
    const union tap *slot, const struct instr *in)
{
	struct event ev = {.kind = EV_TIMER,
	    .ring = (uint16_t)ring,
	    .now_ns = k->now,
	    .slot = slot,
	    .instr = in,
	    .cfg = &k->cfg};

	while (paperdesk_due(k->d, k->now)) {
		paperdesk_step(k->d, &ev, &k->out);
		kit_collect(k);
	}
	ev.kind = kind;
	paperdesk_step(k->d, &ev, &k->out);
	kit_collect(k);
	kit_sweep(k);
}

static inline void
kit_wait(struct kit *k, uint64_t ns)
{
	k->now += ns;
	kit_step(k, EV_TIMER, RG_ORDER_PM, 0, 0);
}

static inline void
kit_gate(struct kit *k, uint64_t mask)
{
	paperdesk_freeze(k->d, mask, k->now, &k->out);
	kit_collect(k);
	kit_sweep(k);
}

static inline void
kit_tick(struct kit *k, struct tick *t)
{
	union tap slot;

	memset(&slot, 0, sizeof(slot));
	t->hdr.recv_ns = k->now;
	t->hdr.instr = t->hdr.instr == 0 ? PM : t->hdr.instr;
	t->hdr.seq = ++k->seq;
	slot.tick = *t;
	kit_step(k, EV_SLOT, RG_MD_PM_X, &slot, 0);
}

static inline void
kit_instr_with(struct kit *k, uint16_t epoch, enum instr_state st)
{
	union tap slot;
	struct instr in = {.cls = CLASS_UPDOWN};

	memset(&slot, 0, sizeof(slot));
	in.venue = VENUE_POLYMARKET;
	in.state = (uint8_t)st;
	in.epoch = epoch;
	in.tick_px = CENT(1);
	in.lot_qty = QTY(E8 / 100);
	in.min_qty = UNIT(5);
	in.fee_ppm = 70000;
	slot.hdr.kind = TICK_INSTR;
	slot.hdr.instr = PM;
	kit_step(k, EV_SLOT, RG_MD_PM_X, &slot, &in);
}

static inline void
kit_level(struct kit *k, enum side side, int cents, int units)
{
	struct tick t = {.hdr.kind = TICK_LEVEL};

	t.u.level.side = (uint8_t)side;
	t.u.level.px = CENT(cents);
	t.u.level.qty = UNIT(units);
	t.u.level.epoch = 1;
	kit_tick(k, &t);
}

static inline void
kit_snap(struct kit *k, bool begin)
{
	struct tick t = {.hdr.kind = begin ? TICK_SNAP_BEGIN : TICK_SNAP_END};

	t.u.snap.epoch = 1;
	kit_tick(k, &t);
}

/* bids 48 x 100, 47 x 50; asks 52 x 100, 53 x 30. */
static inline void
kit_book(struct kit *k)
{
	kit_snap(k, true);
	kit_level(k, SIDE_BID, 48, 100);
	kit_level(k, SIDE_BID, 47, 50);
	kit_level(k, SIDE_ASK, 52, 100);
	kit_level(k, SIDE_ASK, 53, 30);
	kit_snap(k, false);
}

static inline void
kit_trade(struct kit *k, enum side aggressor, int cents, int units)
{
	struct tick t = {.hdr.kind = TICK_TRADE};

	t.hdr.venue_ns = 123456;
	t.u.trade.side = (uint8_t)aggressor;
	t.u.trade.px = CENT(cents);
	t.u.trade.qty = UNIT(units);
	t.u.trade.epoch = 1;
	kit_tick(k, &t);
}

static inline void
kit_bbo(struct kit *k, int bid, int ask)
{
	struct tick t = {.hdr.kind = TICK_BBO};

	t.u.bbo.bid_px = CENT(bid);
	t.u.bbo.ask_px = CENT(ask);
	t.u.bbo.bid_qty = UNIT(bid > 0 ? 10 : 0);
	t.u.bbo.ask_qty = UNIT(ask > 0 ? 10 : 0);
	kit_tick(k, &t);
}

static inline struct order
kit_make(struct kit *k, enum side side, int cents, int units)
{
	struct order o = {.hdr.kind = MSG_ORDER};

	o.hdr.instr = PM;
	o.hdr.recv_ns = k->now;
	o.id = ++k->id;
	o.px = CENT(cents);
	o.qty = UNIT(units);
	o.cum_qty = k->known;
	o.side = (uint8_t)side;
	o.strategy = STRATEGY_MAKER;
	o.tif = TIF_GTC;
	o.oflags = ORDER_POST_ONLY;
	o.epoch = 1;
	return o;
}

static inline void
kit_send(struct kit *k, const struct order *o)
{
	union tap slot;

	memset(&slot, 0, sizeof(slot));
	slot.order = *o;
	slot.hdr.seq = ++k->seq;
	kit_step(k, EV_SLOT,
	    o->hdr.kind == MSG_CANCEL ? RG_CANCEL_PM : RG_ORDER_PM, &slot, 0);
}

/* An order for level 0; its id. */
static inline uint64_t
kit_order(struct kit *k, enum side side, int cents, int units)
{
	struct order o = kit_make(k, side, cents, units);

	kit_send(k, &o);
	return o.id;
}

static inline void
kit_cancel(struct kit *k, enum side side, uint64_t id)
{
	struct order o = kit_make(k, side, 0, 0);

	k->id--;
	o.hdr.kind = MSG_CANCEL;
	o.id = id;
	kit_send(k, &o);
}

/* An order that rests: sent, arrived, acknowledged. */
static inline uint64_t
kit_rest(struct kit *k, enum side side, int cents, int units)
{
	uint64_t id = kit_order(k, side, cents, units);

	kit_wait(k, LATENCY);
	return id;
}

/* The n-th report of a kind since kit_mark, or NULL. */
static inline const struct order *
kit_told(const struct kit *k, enum slot_kind kind, uint32_t n)
{
	for (uint32_t i = 0; i < k->log_n; i++)
		if (k->log[i].hdr.kind == kind && n-- == 0)
			return &k->log[i];
	return 0;
}

#define kit_mark(k) ((k)->log_n = 0)

static inline struct exec_slot *
kit_slot(struct kit *k, enum side side)
{
	uint16_t i = k->e->slot_of[PM - k->e->mkt.base][side][0];

	return i == 0 ? 0 : &k->e->slot[i - 1];
}

/* Ahead of the slot's order at the paper port. */
static inline int64_t
kit_ahead(struct kit *k, enum side side)
{
	return k->d->p.slot[kit_slot(k, side) - k->e->slot].queue.ahead.e8;
}

static inline void
kit_open_with(struct kit *k)
{
	k->d = calloc(1, sizeof(*k->d));
	assert_non_null(k->d);
	k->e = &k->d->e;
	k->now = MS(1000000);
	k->id = UINT64_C(1) << 40;
	paperdesk_init(k->d, &k->cfg, VENUE_POLYMARKET, 1);
	kit_gate(k, 0);
	kit_instr_with(k, 1, INSTR_NORMAL);
	kit_book(k);
}

static inline void
kit_open(struct kit *k)
{
	memset(k, 0, sizeof(*k));
	cfg_defaults(&k->cfg);
	kit_open_with(k);
}

#define kit_close(k) free((k)->d)

#endif

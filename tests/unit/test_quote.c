/* links: quoted libshm libcore */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libcore/check.h"
#include "quoted/quote.h"

#define PM   (INSTR_PM_BASE)
#define PM2  (INSTR_PM_BASE + 1)
#define PERP (INSTR_HL_BASE)
#define T0   UINT64_C(1000000000000)
#define END  (INT64_C(1800000000) * NS_PER_S)

static struct quote *q;
static struct quote_out out;
static struct cfg cfg;
static uint64_t now;

static void
step(struct event *ev)
{
	ev->now_ns = now;
	ev->wall_ns = END;
	quote_step(q, ev, &out);
}

static void
slot(uint16_t ring, union tap *t, const struct instr *in)
{
	struct event ev = {
	    .kind = EV_SLOT, .ring = ring, .slot = t, .instr = in};

	t->hdr.recv_ns = now;
	step(&ev);
}

static void
timer(void)
{
	struct event ev = {.kind = EV_TIMER};

	step(&ev);
}

static void
instr(uint16_t idx, uint16_t epoch, enum instr_class cls)
{
	bool perp = cls == CLASS_PERP;
	struct instr in = {
	    .venue = perp ? VENUE_HYPERLIQUID : VENUE_POLYMARKET,
	    .cls = (uint8_t)cls,
	    .state = INSTR_NORMAL,
	    .rules = RRS_SEEN,
	    .epoch = epoch,
	    .tick_px = perp ? PX(E8 / 10) : PX(E8 / 100),
	    .lot_qty = perp ? QTY(1000) : QTY(E8 / 100),
	    .min_qty = perp ? QTY(1000) : QTY(5 * E8),
	    .min_usd = perp ? USD(10 * E6) : USD(0),
	    .px_sig = perp ? 5 : 0,
	};
	union tap t = {.hdr = {.kind = TICK_INSTR, .instr = idx}};

	slot(perp ? RG_MD_HL_Q : RG_MD_PM_Q, &t, &in);
}

static void
bbo(uint16_t idx, double bid, double ask, double bq, double aq)
{
	union tap t = {.hdr = {.kind = TICK_BBO,
			   .instr = idx,
			   .venue_ns = END - 3600 * NS_PER_S}};

	t.tick.u.bbo.bid_px = PX((int64_t)(bid * 1e8 + 0.5));
	t.tick.u.bbo.ask_px = PX((int64_t)(ask * 1e8 + 0.5));
	t.tick.u.bbo.bid_qty = QTY((int64_t)(bq * 1e8));
	t.tick.u.bbo.ask_qty = QTY((int64_t)(aq * 1e8));
	slot(idx >= INSTR_HL_BASE ? RG_MD_HL_Q : RG_MD_PM_Q, &t, 0);
}

static void
link_is(uint16_t ring, uint8_t state)
{
	union tap t = {.hdr = {.kind = TICK_LINK}};

	t.tick.u.link.state = state;
	slot(ring, &t, 0);
}

static void
message(uint8_t kind, uint16_t idx, uint8_t side, uint64_t id, uint16_t reason)
{
	union tap t = {.order = {.hdr = {.kind = kind, .instr = idx},
			   .id = id,
			   .side = side,
			   .reason = reason}};

	slot(kind == MSG_VERDICT ? RG_VERDICT : RG_REPORT_PM_Q, &t, 0);
}

static void
state_is(uint16_t idx, uint8_t status, int64_t qty_e8)
{
	union tap t = {.order = {.hdr = {.kind = MSG_STATE, .instr = idx},
			   .status = status,
			   .qty = QTY(qty_e8)}};

	slot(RG_VERDICT, &t, 0);
}

/* Everything in place but the book. */
static int
setup(void **state)
{
	(void)state;
	q = calloc(1, sizeof(*q));
	cfg_defaults(&cfg);
	cfg.warmup_max_s.ns = 0;
	quote_init(q, &cfg, 7);
	now = T0;
	state_is(0, TRADING_RUN, 0);
	link_is(RG_MD_PM_Q, LINK_READY);
	link_is(RG_MD_HL_Q, LINK_READY);
	instr(PM, 1, CLASS_BINARY);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(q);
	return 0;
}

static const struct order *
sent(enum side side)
{
	for (uint32_t i = 0; i < out.core.n; i++)
		if (out.core.msg[i].order.side == side)
			return &out.core.msg[i].order;
	return 0;
}

static void
a_book_gives_two_quotes(void **state)
{
	const struct order *o;

	(void)state;
	bbo(PM, 0.49, 0.51, 100, 100);
	assert_int_equal(out.core.n, 2);
	o = sent(SIDE_BID);
	assert_non_null(o);
	assert_int_equal(o->hdr.kind, MSG_INTENT);
	assert_int_equal(o->px.e8, 49000000);
	/* 72.92 * 0.78 / 5 = 11.3755 dollars at 0.49 each */
	assert_int_equal(o->qty.e8, 2321000000);
	assert_int_equal(o->id >> 40, 7);
	assert_true(o->oflags & ORDER_POST_ONLY);
	o = sent(SIDE_ASK);
	assert_int_equal(o->px.e8, 51000000);
	/* risks 1 - 0.51 a share */
	assert_int_equal(o->qty.e8, 2321000000);
}

static void
the_same_book_says_nothing_new(void **state)
{
	(void)state;
	bbo(PM, 0.49, 0.51, 100, 100);
	now += NS_PER_MS;
	bbo(PM, 0.49, 0.51, 101, 100);
	assert_int_equal(out.core.n, 0);
}

/* $11.38 allotted: at 0.05 the plain formula would offer 216 dollars. */
static void
T_73_each_side_is_sized_by_what_it_can_lose(void **state)
{
	const struct order *o;

	(void)state;
	bbo(PM, 0.04, 0.06, 100, 100);
	o = sent(SIDE_ASK);
	assert_non_null(o);
	assert_true(usd_notional(px_complement(o->px), o->qty).e6 <= 11380000);
	o = sent(SIDE_BID);
	assert_true(usd_notional(o->px, o->qty).e6 <= 11380000);
}

static void
quotes_are_pulled(const char *why, enum reason want)
{
	if (q->mkt[PM].reason != want)
		fail_msg("%s: reason %s, not %s", why,
		    reason_name((enum reason)q->mkt[PM].reason),
		    reason_name(want));
	assert_int_equal(q->mkt[PM].side[SIDE_BID].qty.e8, 0);
	assert_int_equal(q->mkt[PM].side[SIDE_ASK].qty.e8, 0);
}

/* Late in a window nobody sells the winner: mid and micro-price would mean
 * nothing, whichever side is missing. */
static void
T_57_a_one_sided_book_is_no_price(void **state)
{
	(void)state;
	bbo(PM, 0.97, 0.99, 100, 100);
	assert_int_equal(q->mkt[PM].reason, REASON_OK);
	bbo(PM, 0.99, 0.0, 100, 0);
	quotes_are_pulled("nobody sells", REASON_ONE_SIDED);
	bbo(PM, 0.97, 0.99, 100, 100);
	assert_int_equal(q->mkt[PM].reason, REASON_OK);
	bbo(PM, 0.0, 0.01, 0, 100);
	quotes_are_pulled("nobody buys", REASON_ONE_SIDED);
	bbo(PM, 0.0, 0.0, 0, 0);
	assert_int_not_equal(q->mkt[PM].reason, REASON_OK);
	assert_int_equal(q->mkt[PM].side[SIDE_BID].qty.e8, 0);
}

static void
each_guard_pulls_the_quotes(void **state)
{
	(void)state;
	bbo(PM, 0.49, 0.51, 100, 100);
	bbo(PM, 0.45, 0.54, 100, 100);
	quotes_are_pulled("wide", REASON_GAPPED);
	assert_int_equal(out.core.n, 2);
	bbo(PM, 0.49, 0.51, 100, 0);
	quotes_are_pulled("no ask", REASON_ONE_SIDED);
	bbo(PM, 0.49, 0.51, 100, 100);
	link_is(RG_MD_PM_Q, LINK_STALE);
	quotes_are_pulled("stale link", REASON_FEED_STALE);
	link_is(RG_MD_PM_Q, LINK_READY);
	assert_int_equal(q->mkt[PM].reason, REASON_OK);
	now += 4 * (uint64_t)NS_PER_S;
	timer();
	quotes_are_pulled("silent link", REASON_FEED_STALE);
	link_is(RG_MD_PM_Q, LINK_READY);
	timer();
	state_is(0, TRADING_FROZEN, 0);
	quotes_are_pulled("frozen", REASON_FROZEN);
	state_is(0, TRADING_RUN, 0);
	assert_int_equal(q->mkt[PM].reason, REASON_OK);
	instr(PM, 2, CLASS_BINARY);
	quotes_are_pulled("new epoch", REASON_NO_BOOK);
}

static void
nothing_is_quoted_while_warming_up(void **state)
{
	(void)state;
	cfg.warmup_max_s.ns = 10 * NS_PER_S;
	cfg.warmup_min_books = 2;
	memset(q, 0, sizeof(*q));
	quote_init(q, &cfg, 8);
	state_is(0, TRADING_RUN, 0);
	link_is(RG_MD_PM_Q, LINK_READY);
	instr(PM, 1, CLASS_BINARY);
	instr(PM2, 1, CLASS_BINARY);
	bbo(PM, 0.49, 0.51, 100, 100);
	assert_int_equal(q->mkt[PM].reason, REASON_WARMUP);
	bbo(PM2, 0.49, 0.51, 100, 100);
	assert_int_equal(q->mkt[PM2].reason, REASON_OK);
	memset(q, 0, sizeof(*q));
	quote_init(q, &cfg, 9);
	state_is(0, TRADING_RUN, 0);
	instr(PM, 1, CLASS_BINARY);
	bbo(PM, 0.49, 0.51, 100, 100);
	now += 11 * (uint64_t)NS_PER_S;
	link_is(RG_MD_PM_Q, LINK_READY);
	assert_int_equal(q->mkt[PM].reason, REASON_OK);
}

/* Ticks of one market must not keep the others from being looked at. */
static void
a_busy_market_does_not_stop_the_clock(void **state)
{
	(void)state;
	cfg.warmup_max_s.ns = 3 * NS_PER_S;
	memset(q, 0, sizeof(*q));
	quote_init(q, &cfg, 10);
	state_is(0, TRADING_RUN, 0);
	link_is(RG_MD_PM_Q, LINK_READY);
	instr(PM, 1, CLASS_BINARY);
	instr(PM2, 1, CLASS_BINARY);
	bbo(PM2, 0.49, 0.51, 100, 100);
	for (int i = 0; i < 500; i++) {
		now += 10 * (uint64_t)NS_PER_MS;
		if (i % 50 == 0)
			link_is(RG_MD_PM_Q, LINK_READY);
		bbo(PM, 0.49, 0.51, 100 + i, 100);
		assert_true(out.core.wake_ns - now <= (uint64_t)NS_PER_S);
	}
	assert_int_equal(q->mkt[PM2].reason, REASON_OK);
}

/* One-tick spread at 0.10: sizes 9:1 move the micro-price by 4 ticks of
 * 0.001; under one tick it must not pause, however cheap the token. */
static void
T_71_jump_filter_counts_ticks_too(void **state)
{
	(void)state;
	bbo(PM, 0.10, 0.11, 900, 100);
	assert_int_equal(q->mkt[PM].reason, REASON_OK);
	bbo(PM, 0.10, 0.15, 900, 100);
	quotes_are_pulled("jump", REASON_PRICE_JUMP);
	bbo(PM, 0.10, 0.11, 100, 100);
	quotes_are_pulled("pause", REASON_PAUSED);
	now += (uint64_t)cfg.micro_price_pause_s.ns;
	link_is(RG_MD_PM_Q, LINK_READY);
	timer();
	assert_int_equal(q->mkt[PM].reason, REASON_OK);
}

/* The plain rule, without ticks: a spread of 0.01 trips it at sizes of more
 * than 3:1 at 0.50, 1.5:1 at 0.20, 1.22:1 at 0.10. */
static void
T_71_the_plain_rule_pauses_cheap_markets(void **state)
{
	static const struct {
		double bid;
		double below;
		double above;
	} at[] = {{0.495, 295, 305}, {0.195, 148, 152}, {0.095, 121, 124}};

	(void)state;
	q->cfg.micro_price_divergence_min_ticks.e8 = 0;
	q->cfg.micro_price_pause_s.ns = 0;
	q->mkt[PM].in.tick_px = PX(E8 / 1000);
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		double ask = at[i].bid + 0.01;

		now += NS_PER_MS;
		bbo(PM, at[i].bid, ask, at[i].below, 100);
		assert_int_equal(q->mkt[PM].reason, REASON_OK);
		now += NS_PER_MS;
		bbo(PM, at[i].bid, ask, at[i].above, 100);
		quotes_are_pulled("plain rule", REASON_PRICE_JUMP);
	}
}

/* A move that is not worth the place in the queue leaves the quote where it
 * is; so does a little more or less of it. */
static void
T_77_a_small_move_keeps_the_place(void **state)
{
	struct quote_side *bid = &q->mkt[PM].side[SIDE_BID];
	uint64_t id;

	(void)state;
	q->cfg.mm_requote_min_ticks = 2;
	bbo(PM, 0.49, 0.51, 100, 100);
	id = bid->id;
	assert_int_equal(bid->px.e8, 49000000);
	now += NS_PER_MS;
	bbo(PM, 0.48, 0.50, 100, 100);
	assert_int_equal(out.core.n, 0);
	assert_int_equal(bid->id, id);
	now += NS_PER_MS;
	bbo(PM, 0.47, 0.49, 100, 100);
	assert_non_null(sent(SIDE_BID));
	assert_true(bid->id != id);
	assert_int_equal(bid->px.e8, 47000000);
}

static void
a_refused_wish_is_repeated_later_and_not_before(void **state)
{
	const struct order *o;
	uint64_t id;

	(void)state;
	bbo(PM, 0.49, 0.51, 100, 100);
	id = q->mkt[PM].side[SIDE_BID].id;
	message(MSG_VERDICT, PM, SIDE_BID, id, REASON_RATE_LIMIT);
	bbo(PM, 0.49, 0.51, 110, 100);
	assert_int_equal(out.core.n, 0);
	now += (uint64_t)NS_PER_S;
	bbo(PM, 0.49, 0.51, 111, 100);
	o = sent(SIDE_BID);
	assert_non_null(o);
	assert_true(o->id != id);
	assert_null(sent(SIDE_ASK));
}

static void
a_lost_intent_is_wished_again(void **state)
{
	struct order o;

	(void)state;
	bbo(PM, 0.49, 0.51, 100, 100);
	o = *sent(SIDE_ASK);
	quote_lost(q, &o, now);
	now += (uint64_t)NS_PER_S;
	bbo(PM, 0.49, 0.51, 100, 100);
	assert_non_null(sent(SIDE_ASK));
	assert_null(sent(SIDE_BID));
}

/* Also when nothing is wanted any more. */
static void
a_lost_withdrawal_is_said_again(void **state)
{
	struct order o;

	(void)state;
	bbo(PM, 0.49, 0.51, 100, 100);
	bbo(PM, 0.40, 0.60, 100, 100);
	o = *sent(SIDE_BID);
	assert_int_equal(o.qty.e8, 0);
	quote_lost(q, &o, now);
	bbo(PM, 0.40, 0.60, 100, 101);
	assert_non_null(sent(SIDE_BID));
	assert_int_equal(sent(SIDE_BID)->qty.e8, 0);
	assert_null(sent(SIDE_ASK));
}

static void
a_finished_order_is_replaced_by_what_the_position_allows(void **state)
{
	const struct order *o;
	uint64_t id;

	(void)state;
	bbo(PM, 0.49, 0.51, 100, 100);
	id = q->mkt[PM].side[SIDE_BID].id;
	message(MSG_DONE, PM, SIDE_BID, id, REASON_OK);
	assert_non_null(sent(SIDE_BID));
	state_is(PM, TRADING_RUN, 40 * E8);
	o = sent(SIDE_BID);
	assert_non_null(o);
	/* 50 shares is the limit, 40 are held */
	assert_int_equal(o->qty.e8, 10 * E8);
	/* the ask may sell what is held for nothing */
	assert_true(q->mkt[PM].side[SIDE_ASK].qty.e8 > 40 * E8);
}

static void
a_stale_report_changes_nothing(void **state)
{
	(void)state;
	bbo(PM, 0.49, 0.51, 100, 100);
	message(MSG_DONE, PM, SIDE_BID, 12345, REASON_OK);
	assert_int_equal(out.core.n, 0);
	message(MSG_DONE, PM, 77, 12345, REASON_OK);
	assert_int_equal(out.core.n, 0);
}

static void
reduce_only_quotes_the_reducing_side(void **state)
{
	(void)state;
	bbo(PM, 0.49, 0.51, 100, 100);
	state_is(PM, TRADING_RUN, 20 * E8);
	state_is(0, TRADING_REDUCE, 0);
	assert_int_equal(q->mkt[PM].side[SIDE_BID].qty.e8, 0);
	assert_int_equal(q->mkt[PM].side[SIDE_ASK].qty.e8, 20 * E8);
}

static void
a_restarted_riskd_is_told_everything_again(void **state)
{
	(void)state;
	bbo(PM, 0.49, 0.51, 100, 100);
	message(MSG_RESTART, 0, 0, 0, 0);
	assert_int_equal(q->trading, TRADING_RUN); /* execd's restart */
	{
		union tap t = {.hdr = {.kind = MSG_RESTART}};

		slot(RG_VERDICT, &t, 0);
	}
	assert_int_equal(q->trading, TRADING_FROZEN);
	state_is(0, TRADING_RUN, 0);
	assert_non_null(sent(SIDE_BID));
	assert_non_null(sent(SIDE_ASK));
}

/* What rests of a market that is not wanted now is withdrawn, for riskd may
 * have come back faster than execd could see it was away. */
static void
a_restarted_riskd_hears_of_unwanted_markets_too(void **state)
{
	union tap t = {.hdr = {.kind = MSG_RESTART}};

	(void)state;
	bbo(PM, 0.49, 0.51, 100, 100);
	bbo(PM, 0.40, 0.60, 100, 100);
	slot(RG_VERDICT, &t, 0);
	assert_int_equal(out.core.n, 2);
	assert_int_equal(sent(SIDE_BID)->qty.e8, 0);
	assert_int_equal(sent(SIDE_ASK)->qty.e8, 0);
}

/* The price stream is not the books. */
static void
a_gap_of_a_reference_connection_keeps_the_books(void **state)
{
	union tap t = {.hdr = {.kind = TICK_GAP}};

	(void)state;
	t.tick.u.gap.scope = 2;
	t.tick.u.gap.conn = 1;
	bbo(PM, 0.49, 0.51, 100, 100);
	slot(RG_MD_PM_Q, &t, 0);
	assert_int_equal(q->mkt[PM].reason, REASON_OK);
	t.tick.u.gap.conn = 0;
	slot(RG_MD_PM_Q, &t, 0);
	quotes_are_pulled("gap of connection 0", REASON_NO_BOOK);
}

static void
gaps_and_restarts_of_a_feed_drop_its_books(void **state)
{
	static const uint8_t kinds[] = {TICK_GAP, TICK_RESTART, TICK_CONN};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds); i++) {
		union tap t = {.hdr = {.kind = kinds[i]}};

		t.tick.u.conn.state = LINK_DOWN;
		if (kinds[i] == TICK_GAP)
			t.tick.u.gap.scope = 3;
		bbo(PM, 0.49, 0.51, 100, 100);
		assert_int_equal(q->mkt[PM].reason, REASON_OK);
		if (kinds[i] == TICK_CONN) {
			t.tick.u.raw[0] = 0;
			t.tick.u.conn.state = LINK_DOWN;
		}
		slot(RG_MD_PM_Q, &t, 0);
		quotes_are_pulled("gap", REASON_NO_BOOK);
	}
}

static void
a_perp_is_quoted_in_basis_points_on_its_grid(void **state)
{
	const struct order *o;

	(void)state;
	instr(PERP, 1, CLASS_PERP);
	bbo(PERP, 61685.0, 61686.0, 1.0, 1.0);
	o = sent(SIDE_BID);
	assert_non_null(o);
	/* 5 bps of 61685.5 is 30.8 dollars: half a side, whole dollars */
	assert_int_equal(o->px.e8, 6167000000000);
	assert_true(usd_notional(o->px, o->qty).e6 >= 10 * E6);
	o = sent(SIDE_ASK);
	assert_int_equal(o->px.e8, 6170100000000);
}

static void
perp_spreads_stay_within_their_bounds(void **state)
{
	(void)state;
	cfg.perp_spread_bps.e8 = 1 * E8;
	cfg.perp_min_spread_bps.e8 = 20 * E8;
	memset(q, 0, sizeof(*q));
	quote_init(q, &cfg, 3);
	state_is(0, TRADING_RUN, 0);
	link_is(RG_MD_HL_Q, LINK_READY);
	instr(PERP, 1, CLASS_PERP);
	bbo(PERP, 61685.0, 61686.0, 1.0, 1.0);
	/* 20 bps of 61685.5 is 123.4 dollars */
	assert_int_equal(sent(SIDE_BID)->px.e8, INT64_C(61623) * E8);
	assert_int_equal(sent(SIDE_ASK)->px.e8, INT64_C(61748) * E8);
}

/* Both quotes move up: the ask first, so that the new bid never meets the
 * old ask; and the other way round. */
static void
T_41_the_receding_side_is_sent_first(void **state)
{
	(void)state;
	bbo(PM, 0.49, 0.51, 100, 100);
	bbo(PM, 0.53, 0.55, 100, 100);
	assert_int_equal(out.core.n, 2);
	assert_int_equal(out.core.msg[0].order.side, SIDE_ASK);
	bbo(PM, 0.45, 0.47, 100, 100);
	assert_int_equal(out.core.n, 2);
	assert_int_equal(out.core.msg[0].order.side, SIDE_BID);
}

static void
only_so_many_binaries_hold_a_place(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < 8; i++) {
		instr(PM + i, 1, CLASS_BINARY);
		bbo(PM + i, 0.49, 0.51, 100, 100);
	}
	assert_int_equal(q->active_n, 5);
	assert_int_equal(q->mkt[PM + 5].reason, REASON_NOT_SELECTED);
	bbo(PM, 0.30, 0.70, 100, 100); /* gapped: gives its place up */
	bbo(PM + 5, 0.49, 0.51, 100, 100);
	assert_int_equal(q->mkt[PM + 5].reason, REASON_OK);
}

static void
an_account_too_small_says_so_once(void **state)
{
	(void)state;
	cfg.capital_usd.e6 = 5 * E6;
	memset(q, 0, sizeof(*q));
	quote_init(q, &cfg, 1);
	state_is(0, TRADING_RUN, 0);
	link_is(RG_MD_PM_Q, LINK_READY);
	instr(PM, 1, CLASS_BINARY);
	bbo(PM, 0.49, 0.51, 100, 100);
	assert_int_equal(out.core.n, 0);
	assert_true(out.note_n > 0);
	assert_int_equal(out.note[out.note_n - 1].what, QUOTE_SMALL);
	bbo(PM, 0.49, 0.51, 101, 100);
	assert_int_equal(out.note_n, 0);
}

static void
stop_withdraws_everything(void **state)
{
	struct event ev = {.kind = EV_STOP};

	(void)state;
	bbo(PM, 0.49, 0.51, 100, 100);
	step(&ev);
	assert_int_equal(out.core.n, 2);
	assert_int_equal(out.core.msg[0].order.qty.e8, 0);
	assert_int_equal(q->sweep, 0);
}

static void
equal_inputs_give_equal_hashes(void **state)
{
	uint64_t h;

	(void)state;
	bbo(PM, 0.49, 0.51, 100, 100);
	h = quote_hash(q);
	teardown(0);
	setup(0);
	assert_true(quote_hash(q) != h);
	bbo(PM, 0.49, 0.51, 100, 100);
	assert_true(quote_hash(q) == h);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(a_book_gives_two_quotes),
	    T(the_same_book_says_nothing_new),
	    T(T_73_each_side_is_sized_by_what_it_can_lose),
	    T(T_57_a_one_sided_book_is_no_price),
	    T(each_guard_pulls_the_quotes),
	    T(nothing_is_quoted_while_warming_up),
	    T(a_busy_market_does_not_stop_the_clock),
	    T(T_71_jump_filter_counts_ticks_too),
	    T(T_71_the_plain_rule_pauses_cheap_markets),
	    T(T_77_a_small_move_keeps_the_place),
	    T(a_refused_wish_is_repeated_later_and_not_before),
	    T(a_lost_intent_is_wished_again),
	    T(a_lost_withdrawal_is_said_again),
	    T(a_restarted_riskd_hears_of_unwanted_markets_too),
	    T(a_gap_of_a_reference_connection_keeps_the_books),
	    T(a_finished_order_is_replaced_by_what_the_position_allows),
	    T(a_stale_report_changes_nothing),
	    T(reduce_only_quotes_the_reducing_side),
	    T(a_restarted_riskd_is_told_everything_again),
	    T(gaps_and_restarts_of_a_feed_drop_its_books),
	    T(a_perp_is_quoted_in_basis_points_on_its_grid),
	    T(perp_spreads_stay_within_their_bounds),
	    T(T_41_the_receding_side_is_sent_first),
	    T(only_so_many_binaries_hold_a_place),
	    T(an_account_too_small_says_so_once),
	    T(stop_withdraws_everything),
	    T(equal_inputs_give_equal_hashes),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}

/* links: quoted libshm libcore */
/*
 * Whatever is told to quoted, in any order, what it wishes holds:
 *   prices on the market's grid; of binaries strictly inside (0, 1)
 *   resting quotes not across the book of that moment, nor across each other
 *   quantities in lots and not below the venue's minimum
 *   nothing but withdrawals while trading is frozen or the book not valid
 *   what reduces is all that rests while trading is reduced
 *   at most one intent with an id, takes with a deadline
 */
#include <inttypes.h>

#include "tests/unit/quotekit.h"

#define MARKETS 10u
#define EVENTS	200000

static uint64_t seed;

static uint64_t
below(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

static uint16_t
any(void)
{
	uint64_t k = below(MARKETS);

	return (uint16_t)(k < 8 ? PM + k : PERP + k - 8);
}

static struct instr
random_market(uint16_t idx)
{
	static const int64_t ticks[] = {
	    E8 / 10, E8 / 100, E8 / 200, E8 / 400, E8 / 1000, E8 / 10000};
	struct instr in = idx >= PERP ? a_perp() : a_binary();

	in.epoch = (uint16_t)(1 + below(3));
	if (idx >= PERP)
		return in;
	in.tick_px = PX(ticks[below(6)]);
	in.fee_ppm = (uint32_t)below(70000);
	in.min_usd = USD((int64_t)below(3) * E6);
	in.neg_risk = below(2) == 0;
	in.cluster = (uint32_t)below(3);
	in.cls = below(2) == 0 ? CLASS_BINARY : CLASS_UPDOWN;
	if (in.cls == CLASS_UPDOWN) {
		in.underlying = SPOT;
		in.strike_px = PX(60000 * E8);
		in.strike_source = STRIKE_OFFICIAL;
		in.end_wall_ns =
		    WALL + (int64_t)now + (int64_t)below(1000) * NS_PER_S;
	}
	return in;
}

static void
random_book(uint16_t idx)
{
	const struct quote_mkt *m = &q->mkt[idx];
	int64_t tick = m->in.tick_px.e8;
	double unit = (double)tick / 1e8;
	double bid;

	if (tick == 0)
		return;
	if (idx >= PERP) {
		bid = 59950.0 + (double)below(100);
		bbo(idx, bid, bid + 1.0 + (double)below(200),
		    1.0 + (double)below(30), 1.0 + (double)below(30));
		return;
	}
	bid = unit * (double)below((uint64_t)(E8 / tick));
	bbo(idx, bid, bid + unit * (double)(below(6)) - unit * (below(9) == 0),
	    (double)below(200), (double)below(200));
}

static void
event(void)
{
	uint16_t i = any();
	double p = (double)below(100) / 100.0;

	now += below(200) * (uint64_t)NS_PER_MS;
	switch (below(16)) {
	case 0: links_are(below(10) == 0 ? LINK_STALE : LINK_READY); break;
	case 1:
		state_is(i, (uint8_t)(1 + below(3)),
		    below(2) == 0 ? REASON_OK : REASON_STATE,
		    (double)below(100) - 50.0);
		break;
	case 2: state_is(0, (uint8_t)(1 + below(3)), 0, 0); break;
	case 3:
	case 4:
	case 5: state_is(0, TRADING_RUN, 0, 0); break;
	case 6: tell(i, random_market(i)); break;
	case 7:
		bbo(SPOT, 59990 + (double)below(20), 59991 + (double)below(20),
		    1, 1);
		break;
	case 8: level(i, SIDE_BID, p, (double)below(90)); break;
	case 9: level(i, SIDE_ASK, p, (double)below(90)); break;
	case 10: trade(i, p, (double)below(90)); break;
	case 11:
		if (out.core.n > 0) {
			struct order o = out.core.msg[below(out.core.n)].order;
			uint8_t kind = (uint8_t)(below(3) == 0	 ? MSG_FILL
						 : below(2) == 0 ? MSG_DONE
								 : MSG_VERDICT);

			report(kind, &o, (double)below(20), REASON_RATE_LIMIT);
		}
		break;
	default: random_book(i); break;
	}
}

static void
is_good(const struct order *o)
{
	const struct quote_mkt *m = &q->mkt[o->hdr.instr];
	px_t tick = px_sig_tick(o->px, m->in.tick_px, m->in.px_sig);
	bool take = (o->oflags & ORDER_IMPERATIVE) != 0;

	assert_int_equal(o->hdr.kind, MSG_INTENT);
	assert_true(o->id >> 40 == 7);
	assert_true(o->level < ORDER_EXIT_LEVEL);
	if (o->qty.e8 == 0) {
		assert_false(take);
		return;
	}
	assert_true(o->qty.e8 > 0);
	if (o->px.e8 % tick.e8 != 0)
		fail_msg("instr %u level %u strategy %u: %" PRId64
			 " is not on %" PRId64,
		    o->hdr.instr, o->level, o->strategy, o->px.e8, tick.e8);
	assert_int_equal(o->qty.e8 % m->in.lot_qty.e8, 0);
	if (quote_is_binary(m)) {
		assert_true(o->px.e8 > 0);
		assert_true(o->px.e8 < E8);
	}
	if (take) {
		assert_true(o->life_ms > 0);
		assert_int_equal(o->oflags & ORDER_POST_ONLY, 0);
		return;
	}
	assert_true(o->qty.e8 >= m->in.min_qty.e8);
	assert_true(usd_notional(o->px, o->qty).e6 >= m->in.min_usd.e6);
	assert_int_equal(q->trading == TRADING_FROZEN, 0);
	assert_true(m->valid);
	if (o->side == SIDE_BID)
		assert_true(o->px.e8 < m->ask_px.e8);
	else
		assert_true(o->px.e8 > m->bid_px.e8);
}

/* No bid of ours reaches an ask of ours, at any level. */
static void
do_not_cross(uint16_t idx)
{
	int64_t bid = 0;
	int64_t ask = INT64_MAX;

	for (uint8_t k = 0; k < quote_levels(idx); k++) {
		const struct quote_side *b = quote_slot(q, idx, SIDE_BID, k);
		const struct quote_side *a = quote_slot(q, idx, SIDE_ASK, k);

		if (b->qty.e8 > 0 && b->refused == 0)
			bid = i64_max(bid, b->px.e8);
		if (a->qty.e8 > 0 && a->refused == 0)
			ask = i64_min(ask, a->px.e8);
	}
	assert_true(bid < ask);
}

static void
reduce_what_is_held(uint16_t idx)
{
	const struct quote_mkt *m = &q->mkt[idx];
	int64_t own = strat_own(m).e8;

	if (q->trading != TRADING_REDUCE || m->reason != REASON_OK ||
	    m->risk_state == TRADING_REDUCE || !quote_is_binary(m))
		return;
	if (own >= 0)
		assert_true(m->side[SIDE_BID].qty.e8 <= 0);
	if (own <= 0)
		assert_true(m->side[SIDE_ASK].qty.e8 <= 0);
}

static void
run(uint64_t with)
{
	uint64_t wishes = 0;
	uint64_t takes = 0;
	uint64_t last = 0;

	seed = with;
	cfg_defaults(&cfg);
	cfg.warmup_max_s.ns = 0;
	cfg.parity_enabled = true;
	cfg.edge_enabled = true;
	cfg.edge_max_edge.e8 = E8;
	cfg.perp_order_usd = USD(2000 * E6);
	cfg.perp_inventory_limit_usd = USD(9000000 * E6);
	cfg.capital_usd = USD((int64_t)(50 + below(5000)) * E6);
	cfg.mm_spread_model = below(2) == 0 ? CFG_SPREAD_AS : CFG_SPREAD_TARGET;
	cfg.mm_kappa_min_trades = 5;
	cfg.perp_action_budget = below(2) == 0 ? 10000 : 100;
	cfg.unwind_style = (int32_t)(1 + below(3));
	open_quote();
	tell(SPOT, (struct instr){.venue = VENUE_BINANCE,
		       .cls = CLASS_SPOT,
		       .state = INSTR_NORMAL,
		       .epoch = 1,
		       .tick_px = PX(1),
		       .lot_qty = QTY(1)});
	for (uint16_t k = 0; k < MARKETS; k++) {
		uint16_t i = (uint16_t)(k < 8 ? PM + k : PERP + k - 8);

		tell(i, random_market(i));
	}
	for (int e = 0; e < EVENTS; e++) {
		event();
		for (uint32_t i = 0; i < out.core.n; i++) {
			const struct order *o = &out.core.msg[i].order;

			is_good(o);
			assert_true(o->id > last);
			last = o->id;
			wishes += o->qty.e8 > 0;
			takes += (o->oflags & ORDER_IMPERATIVE) != 0;
			do_not_cross(o->hdr.instr);
			reduce_what_is_held(o->hdr.instr);
		}
	}
	print_message("seed %" PRIx64 ": %" PRIu64 " wishes, %" PRIu64
		      " takes\n",
	    with, wishes, takes);
	assert_true(wishes > 1000);
	assert_true(takes > 0);
	kit_teardown(0);
}

static void
what_is_wished_holds(void **state)
{
	(void)state;
	for (uint64_t k = 1; k <= 5; k++)
		run(k * UINT64_C(0x9e3779b97f4a7c15));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_wished_holds),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}

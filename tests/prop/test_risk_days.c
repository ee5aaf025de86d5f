/* links: riskd libshm libcore */
/*
 * Days of random trading against the core, with a venue that does what hurts:
 * intents of every strategy at random prices, fills in part, withdrawals that
 * come late, marks that jump, stops and exits of riskd's own, settlements at
 * 0, 1/2 and 1, slots that go to new markets, deaths between two events.
 * After every event, by a ledger of our own that knows only what was sent and
 * what was filled:
 *   1 the realised loss of the day never passes the limit, nor could it if
 *     every market now ended as badly as it can with whatever fills hurting
 *   2 an order that was passed leaves its market, its cluster, edge and all
 *     markets within their caps, with all resting orders filled, or no worse
 *     than they were
 *   3 totals are those of a naive recount
 *   4 an exit never turns a position round
 *   SEED=n repeats one run; CASES=n makes so many events (10,000,000 in full).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "libcore/fees.h"
#include "libshm/ctl.h"
#include "tests/unit/risklife.h"

#define MARKETS	 4
#define OPEN_MAX 40
#define RUN	 2500u
#define FEE_PPM	 70000u

/* An order that may fill, as it was sent. */
struct open {
	uint64_t id;
	enum side side;
	uint8_t level;
	uint8_t strategy;
	bool takes;
	int64_t px;
	int64_t left; /* of what was sent */
	int64_t cum;
};

struct market {
	struct open open[OPEN_MAX];
	int open_n;
	int64_t held; /* since the market began */
	i128_t cash;  /* e16, of it, after fees */
	int64_t mark;
	int serial;
};

static struct kit k;
static struct market mk[MARKETS];
static i128_t banked; /* of markets that are over, e16 */
static uint64_t rng;
static uint64_t fill_no;
static uint64_t stat_exits, stat_settled, stat_passed, stat_deaths;
static uint64_t why[REASON_N];

static uint32_t
rnd(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 33) % n;
}

static i128_t
fee_of(const struct open *o, int64_t qty)
{
	if (!o->takes)
		return 0;
	return (i128_t)fee_binary(PX(o->px), QTY(qty), FEE_PPM).e6 *
	       INT64_C(10000000000);
}

/* What of the slot's newest orders may fill: the venue keeps one a slot. */
static i128_t
worst_of(const struct market *m)
{
	i128_t worst = 0;

	for (int out = 0; out <= 2; out++) {
		int64_t at = out * E8 / 2;
		i128_t gain = m->cash + (i128_t)m->held * at;

		for (int i = 0; i < m->open_n; i++) {
			const struct open *o = &m->open[i];
			int64_t each =
			    o->side == SIDE_BID ? at - o->px : o->px - at;
			i128_t one =
			    (i128_t)each * o->left - fee_of(o, o->left);

			if (one < 0)
				gain += one;
		}
		if (out == 0 || gain < worst)
			worst = gain;
	}
	return worst;
}

static void
check_loss(void)
{
	i128_t sum = banked;
	int64_t limit = k.cfg.mm_global_daily_loss_limit.e6;

	for (int i = 0; i < MARKETS; i++)
		sum += worst_of(&mk[i]);
	/* Each fee is rounded up by at most a unit of its own. */
	assert_true(e16_to_usd(sum).e6 >= -limit - 2000);
	assert_true(loss_realised(&k.r->loss).e6 >= -limit - 2000);
	assert_int_equal(k.r->loss.latched, 0);
}

static int64_t
value(int64_t qty, int64_t mark)
{
	return position_value(true, qty, PX(mark)).e6;
}

static int64_t
exposure_of(const struct market *m)
{
	int64_t up = m->held;
	int64_t down = m->held;

	for (int i = 0; i < m->open_n; i++) {
		if (m->open[i].side == SIDE_BID)
			up += m->open[i].left;
		else
			down -= m->open[i].left;
	}
	return i64_max(
	    value(i64_max(0, up), m->mark), value(i64_min(0, down), m->mark));
}

static int64_t
frac(dec_t f)
{
	return i64_mul_div(k.cfg.capital_usd.e6, f.e8, E8);
}

/* Before and after an order that was passed. */
struct caps {
	int64_t market;
	int64_t cluster;
	int64_t total;
	int64_t edge;
};

static struct caps
caps_of(int m)
{
	struct caps c = {
	    .market = exposure_of(&mk[m]), .edge = k.r->edge_exposure.e6};

	for (int i = 0; i < MARKETS; i++) {
		c.total += exposure_of(&mk[i]);
		if (i / 2 == m / 2)
			c.cluster += exposure_of(&mk[i]);
	}
	return c;
}

static void
check_cap(int64_t before, int64_t after, int64_t cap)
{
	assert_true(after <= i64_max(before, cap) + 2);
}

static void
check_caps(const struct caps *was, int m)
{
	struct caps now = caps_of(m);

	check_cap(
	    was->market, now.market, frac(k.cfg.risk_market_exposure_frac));
	check_cap(
	    was->cluster, now.cluster, frac(k.cfg.risk_cluster_exposure_frac));
	check_cap(was->total, now.total, frac(k.cfg.risk_total_exposure_frac));
	check_cap(was->edge, now.edge, frac(k.cfg.risk_edge_exposure_frac));
}

static void
check_totals(void)
{
	int64_t total = 0;

	for (int i = 0; i < MARKETS; i++) {
		assert_int_equal(k.r->instr[PM + i].pos.qty.e8, mk[i].held);
		total += exposure_of(&mk[i]);
	}
	assert_int_equal(k.r->exposure.e6 - k.r->kept_exposure.e6, total);
}

static void
note(int m, const struct order *sent)
{
	struct open *o = &mk[m].open[mk[m].open_n++];

	assert_true(mk[m].open_n <= OPEN_MAX);
	*o = (struct open){.id = sent->id,
	    .side = (enum side)sent->side,
	    .level = sent->level,
	    .strategy = sent->strategy,
	    .takes = (sent->oflags & ORDER_POST_ONLY) == 0,
	    .px = sent->px.e8,
	    .left = sent->qty.e8};
}

/* Exits among what riskd just said. */
static void
take_exits(void)
{
	for (uint32_t n = 0; kit_said(&k, MSG_ORDER, n) != 0; n++) {
		const struct order *o = kit_said(&k, MSG_ORDER, n);
		int m = o->hdr.instr - PM;
		int64_t held;

		if (o->strategy != STRATEGY_UNWIND)
			continue;
		held = mk[m].held;
		assert_true(o->side == SIDE_ASK ? o->qty.e8 <= held
						: o->qty.e8 <= -held);
		for (int i = 0; i < mk[m].open_n; i++)
			assert_int_equal(mk[m].open[i].left, 0);
		note(m, o);
		stat_exits++;
	}
}

static void
intent(void)
{
	int m = (int)rnd(MARKETS);
	enum side side = rnd(2) == 0 ? SIDE_BID : SIDE_ASK;
	int64_t away = ((int64_t)rnd(5) - 1) * E8 / 100;
	struct order o = kit_want(&k, (uint16_t)(PM + m), side,
	    PX(mk[m].mark + (side == SIDE_BID ? -away : away)),
	    UNIT(rnd(60) + 1));
	const struct order *sent;
	struct caps was = caps_of(m);
	enum reason r;

	o.level = (uint8_t)rnd(ORDER_EXIT_LEVEL);
	if (rnd(4) == 0) {
		o.strategy = STRATEGY_EDGE;
		o.oflags = ORDER_IMPERATIVE;
		o.tif = TIF_IOC;
	}
	for (int i = 0; i < mk[m].open_n; i++)
		if (mk[m].open[i].side == side &&
		    mk[m].open[i].level == o.level)
			return; /* this venue has no amends */
	r = kit_judge(&k, &o);
	why[r]++;
	sent = 0;
	for (uint32_t n = 0; kit_said(&k, MSG_ORDER, n) != 0; n++)
		if (kit_said(&k, MSG_ORDER, n)->id == o.id)
			sent = kit_said(&k, MSG_ORDER, n);
	if (r != REASON_OK)
		return;
	assert_non_null(sent);
	assert_true(sent->qty.e8 <= o.qty.e8);
	note(m, sent);
	stat_passed++;
	check_caps(&was, m);
}

static void
report(enum slot_kind kind, const struct open *o, int m, int64_t fill)
{
	struct order r;

	memset(&r, 0, sizeof(r));
	r.hdr.kind = (uint8_t)kind;
	r.hdr.instr = (uint16_t)(PM + m);
	r.id = o->id;
	r.side = (uint8_t)o->side;
	r.level = o->level;
	r.strategy = o->strategy;
	r.oflags = o->takes ? 0 : ORDER_MAKER;
	r.exec_px = PX(o->px);
	r.exec_qty = QTY(fill);
	r.cum_qty = QTY(o->cum);
	r.fill_id = ++fill_no;
	r.usd = USD(
	    (int64_t)(fill > 0 ? fee_of(o, fill) / INT64_C(10000000000) : 0));
	kit_order(&k, RG_REPORT_PM_R, &r);
}

static void
happen(void)
{
	int m = (int)rnd(MARKETS);
	int i;
	struct open o;

	if (mk[m].open_n == 0)
		return;
	i = (int)rnd((uint32_t)mk[m].open_n);
	o = mk[m].open[i];
	if (rnd(3) != 0) {
		int64_t fill =
		    rnd(2) == 0 ? o.left : i64_max(E8 / 100, o.left / 2);

		fill = i64_min(fill, o.left);
		o.left -= fill;
		o.cum += fill;
		mk[m].open[i] = o;
		mk[m].held += o.side == SIDE_BID ? fill : -fill;
		mk[m].cash +=
		    (i128_t)(o.side == SIDE_BID ? -1 : 1) * o.px * fill -
		    fee_of(&o, fill);
		report(MSG_FILL, &o, m, fill);
	}
	if (o.left == 0 || o.takes || rnd(3) == 0) {
		/* The venue's end of it comes first. */
		for (i = 0; mk[m].open[i].id != o.id; i++)
			;
		mk[m].open[i] = mk[m].open[--mk[m].open_n];
		report(MSG_DONE, &o, m, 0);
	}
}

static void
move(int m, int64_t mid)
{
	mk[m].mark = i64_clamp(mid, E8 / 20, 19 * E8 / 20);
	kit_bbo(&k, (uint16_t)(PM + m), PX(mk[m].mark - E8 / 100),
	    PX(mk[m].mark + E8 / 100));
}

static void
begin(int m)
{
	char name[16];

	snprintf(name, sizeof(name), "m%d.%d", m, ++mk[m].serial);
	k.cluster = (uint32_t)(m / 2 + 1);
	k.fee_ppm = FEE_PPM;
	k.window_ns = 900 * NS_PER_S;
	kit_instr(&k, (uint16_t)(PM + m), CLASS_UPDOWN, name, INSTR_NORMAL);
	move(m, E8 / 2);
}

/* The market ends; its slot goes to the next. */
static void
settle(int m)
{
	static const enum outcome out[] = {
	    OUTCOME_YES, OUTCOME_NO, OUTCOME_VOID};
	static const int64_t pays[] = {E8, 0, E8 / 2};
	uint32_t how = rnd(3);
	char name[16];

	while (mk[m].open_n > 0) {
		struct open o = mk[m].open[--mk[m].open_n];

		report(MSG_DONE, &o, m, 0);
		/* An exit may have come of it. */
	}
	snprintf(name, sizeof(name), "m%d.%d", m, mk[m].serial);
	kit_ended(&k, (uint16_t)(PM + m), CLASS_UPDOWN, name, INSTR_RESOLVED,
	    out[how]);
	banked += mk[m].cash + (i128_t)mk[m].held * pays[how];
	mk[m].cash = 0;
	mk[m].held = 0;
	stat_settled++;
	begin(m);
}

static void
death(void)
{
	kit_reborn(&k);
	stat_deaths++;
	k.r->link[VENUE_POLYMARKET].seen_ns = 0;
	kit_links_good(&k);
	for (int m = 0; m < MARKETS; m++)
		move(m, mk[m].mark);
}

static void
setup(uint64_t seed)
{
	memset(&k, 0, sizeof(k));
	memset(mk, 0, sizeof(mk));
	banked = 0;
	rng = seed * UINT64_C(0x9e3779b97f4a7c15) + 11;
	cfg_defaults(&k.cfg);
	k.cfg.capital_usd = USD((int64_t)(rnd(900) + 100) * E6);
	k.cfg.mm_global_daily_loss_limit = USD((int64_t)(rnd(60) + 10) * E6);
	k.cfg.mm_max_loss_per_position = USD((int64_t)(rnd(20) + 1) * E6);
	k.cfg.risk_max_orders_per_s = 10000;
	k.cfg.risk_max_orders_per_s_market = 1000;
	k.cfg.risk_max_order_usd = USD(1000 * E6);
	k.cfg.risk_market_exposure_frac.e8 = (int64_t)(rnd(30) + 5) * E8 / 100;
	k.cfg.risk_total_exposure_frac.e8 = (int64_t)(rnd(40) + 5) * E8 / 100;
	k.cfg.reverts_pause_s.ns = NS_PER_S;
	k.cfg.losing_fills_pause_s.ns = 10 * NS_PER_S;
	k.cfg.maker_ratio_min_fills = 1000000;
	k.cfg.markout_memory.ns = 60 * NS_PER_S;
	kit_open_with(&k);
	k.after = take_exits;
	for (int m = 0; m < MARKETS; m++)
		begin(m);
}

static void
run(uint64_t seed, uint64_t n)
{
	setup(seed);
	for (uint64_t i = 0; i < n; i++) {
		uint32_t what = rnd(100);

		k.now += MS(200);
		k.wall += 200 * NS_PER_MS;
		if (i % 4 == 0)
			kit_links_good(&k);
		if (what < 45)
			intent();
		else if (what < 75)
			happen();
		else if (what < 97)
			move((int)rnd(MARKETS),
			    mk[0].mark + ((int64_t)rnd(13) - 6) * E8 / 100);
		else if (what < 99)
			settle((int)rnd(MARKETS));
		else if (rnd(20) == 0)
			death();
		check_loss();
		if (i % 16 == 0)
			check_totals();
	}
	kit_close(&k);
}

static void
test_days(void **state)
{
	const char *seed = getenv("SEED");
	const char *cases = getenv("CASES");
	uint64_t left = cases != 0 ? strtoull(cases, 0, 10) : 100000;
	uint64_t at = seed != 0 ? strtoull(seed, 0, 10) : 1;

	(void)state;
	for (; left > 0; at++) {
		uint64_t n = left < RUN ? left : RUN;

		if (seed != 0 || cases == 0)
			print_message("SEED=%llu\n", (unsigned long long)at);
		run(at, n);
		left -= n;
		if (seed != 0)
			break;
	}
	print_message("%llu passed, %llu exits, %llu settled, %llu deaths; "
		      "refused by the bound %llu, market %llu, cluster %llu, "
		      "total %llu, edge %llu\n",
	    (unsigned long long)stat_passed, (unsigned long long)stat_exits,
	    (unsigned long long)stat_settled, (unsigned long long)stat_deaths,
	    (unsigned long long)why[REASON_DAILY_LOSS],
	    (unsigned long long)why[REASON_POSITION_CAP],
	    (unsigned long long)why[REASON_CLUSTER],
	    (unsigned long long)why[REASON_EXPOSURE_CAP],
	    (unsigned long long)why[REASON_STRATEGY_CAP]);
	if (seed != 0)
		return;
	assert_true(stat_passed > 0 && stat_exits > 0 && stat_settled > 0);
	assert_true(why[REASON_EXPOSURE_CAP] > 0);
	assert_true(why[REASON_DAILY_LOSS] > 0 && why[REASON_CLUSTER] > 0 &&
		    why[REASON_STRATEGY_CAP] > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_days),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}

/* links: simvenue libvenue libsign libsys libshm libcore */
/*
 * The simulator's participants over many five-minute windows in virtual
 * time: money is conserved, the same seed gives the same day, and what a
 * maker would see has the shape of recorded markets. The bounds are wide;
 * the figures are printed.
 *
 * The probe: two bids of 5 shares joined at the touch two minutes before the
 * end, one on each token. Recorded windows (117) fill exactly one of them
 * rarely and then almost always the losing one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libcore/hash.h"
#include "simvenue/pm_flow.h"

#define WINDOW_NS UINT64_C(300000000000)
#define START	  UINT64_C(1790000100000000000)
#define WINDOWS	  120u
#define FUNDS	  USD(1000000 * E6)
#define SECOND	  UINT64_C(1000000000)
#define POLL_NS	  (10 * SECOND) /* so the recorded probes were looked at */

struct figures {
	uint64_t hash;
	uint32_t looks;
	uint32_t two_sided;
	uint64_t spread_ticks;
	uint32_t late_looks; /* in the last minute */
	uint32_t late_one_sided;
	uint32_t trades;
	double usd;	  /* turnover */
	uint32_t at_n[3]; /* looks at 120, 60 and 30 s before the end */
	uint32_t at_one_sided[3];
	double at_spread[3]; /* ticks, summed */
	uint32_t at_two_sided[3];
	double depth; /* shares of a side at 120 s, summed */
	double touch;
	double slip50;	   /* of 50 shares behind the best, summed */
	uint32_t rule_one; /* by the recording's rule: the touch went below */
	uint32_t rule_lost;
	uint32_t rule_both;
	double probe_usd; /* what the probes earned */
	uint32_t probe_fills;
	uint32_t ups;
	double brier;	     /* of the mid one minute before the end */
	uint32_t probe_one;  /* exactly one probe filled */
	uint32_t probe_lost; /* ... and it was the loser's */
	uint32_t probe_both;
};

struct rig {
	struct pmx *x;
	struct path path;
	struct pm_flow flow;
	struct pmx_sink sink;
	struct figures f;
	uint32_t probe_account;
};

static struct rig r;

static void
on_order(
    void *user, const struct pmx *x, uint32_t order, enum pmx_order_event what)
{
	(void)user;
	(void)what;
	r.f.hash = hash_u64(r.f.hash, (uint64_t)x->order[order].matched.e8);
}

static void
on_trade(void *user, const struct pmx *x, uint32_t trade)
{
	const struct pmx_trade *t = &x->trade[trade];

	(void)user;
	if (t->status != PMX_TRADE_MATCHED)
		return;
	r.f.trades++;
	for (uint32_t i = 0; i < t->leg_n; i++)
		r.f.usd += (double)t->leg[i].other.e6 * 1e-6;
}

static void
on_level(void *user, uint16_t market, enum side side, px_t px, qty_t qty)
{
	(void)user;
	(void)market;
	r.f.hash = hash_u64(r.f.hash, (uint64_t)side);
	r.f.hash = hash_u64(r.f.hash, (uint64_t)px.e8);
	r.f.hash = hash_u64(r.f.hash, (uint64_t)qty.e8);
}

static void
on_print(void *user, uint16_t market, enum token_role role, enum side side,
    tok_px_t px, qty_t qty)
{
	(void)user;
	(void)market;
	(void)role;
	(void)side;
	(void)px;
	(void)qty;
}

static void
on_batch(void *user, uint16_t market, bool has_traded)
{
	(void)user;
	(void)market;
	(void)has_traded;
}

static void
on_market(void *user, uint16_t market)
{
	(void)user;
	(void)market;
}

static void
begin(uint64_t seed)
{
	struct path_cfg path = {
	    seed, START - 120 * SECOND, 84000, 0.45, 0.5, 2, 8};
	struct pm_flow_cfg flow = pm_flow_cfg_default(seed);
	uint32_t accounts[FLOW_MAKERS + 2];

	/* As the recorded windows settled: on a price, not on a mean. */
	flow.lookback_s = 1;
	memset(&r, 0, sizeof(r));
	r.x = calloc(1, sizeof(*r.x));
	assert_non_null(r.x);
	r.sink = (struct pmx_sink){
	    NULL, on_order, on_trade, on_level, on_print, on_batch, on_market};
	pmx_init(r.x, &r.sink, seed);
	for (uint32_t i = 0; i < FLOW_MAKERS + 2; i++) {
		accounts[i] = pmx_account_open(r.x);
		assert_true(pmx_deposit(r.x, accounts[i], FUNDS));
	}
	r.probe_account = pmx_account_open(r.x);
	assert_true(pmx_deposit(r.x, r.probe_account, FUNDS));
	path_init(&r.path, &path);
	path_to(&r.path, START - 60 * SECOND);
	pm_flow_init(&r.flow, &flow, r.x, &r.path, accounts);
	pm_flow_step(&r.flow, START - 60 * SECOND);
}

static const struct match_level *
best(uint32_t market, enum side side)
{
	return match_level(&r.x->market[market].match, side, 0);
}

static void
look(uint32_t market, uint64_t left_ns)
{
	const struct match_level *bid = best(market, SIDE_BID);
	const struct match_level *ask = best(market, SIDE_ASK);
	int64_t tick = r.x->market[market].terms.tick.tok_e8;

	assert_true(pmx_is_conserved(r.x));
	r.f.looks++;
	if (left_ns < 60 * SECOND) {
		r.f.late_looks++;
		r.f.late_one_sided += bid == NULL || ask == NULL;
	} else if (bid != NULL && ask != NULL) {
		r.f.two_sided++;
		r.f.spread_ticks +=
		    (uint64_t)((ask->px.e8 - bid->px.e8) / tick);
	}
}

/* What the book looks like at some distance from the end. */
static void
look_at(uint32_t market, uint32_t which)
{
	const struct match *m = &r.x->market[market].match;
	const struct match_level *bid = best(market, SIDE_BID);
	const struct match_level *ask = best(market, SIDE_ASK);
	double left = 50;
	double cost = 0;

	r.f.at_n[which]++;
	if (bid == NULL || ask == NULL) {
		r.f.at_one_sided[which]++;
		return;
	}
	r.f.at_two_sided[which]++;
	r.f.at_spread[which] += (double)(ask->px.e8 - bid->px.e8) /
				(double)r.x->market[market].terms.tick.tok_e8;
	if (which > 0)
		return;
	r.f.touch += (double)ask->qty.e8 * 1e-8;
	for (uint32_t i = 0; i < match_level_n(m, SIDE_ASK); i++) {
		const struct match_level *l = match_level(m, SIDE_ASK, i);
		double q = (double)l->qty.e8 * 1e-8;

		r.f.depth += q;
		q = q < left ? q : left;
		cost += q * (double)l->px.e8 * 1e-8;
		left -= q;
	}
	if (left == 0)
		r.f.slip50 += cost / 50 - (double)ask->px.e8 * 1e-8;
}

/* A bid of 5 shares at the touch of a token. */
static uint32_t
probe(uint32_t market, enum token_role role)
{
	const struct match_level *l = best(market, frame_side(SIDE_BID, role));
	struct pmx_new n = {.account = r.probe_account,
	    .market = (uint16_t)market,
	    .role = role,
	    .side = SIDE_BID,
	    .type = PMX_GTC,
	    .post_only = true,
	    .get_e6 = 5 * E6};
	uint32_t order = PMX_NONE;

	if (l == NULL)
		return PMX_NONE;
	n.give_e6 = frame_tok_px(l->px, role).tok_e8 / 10000 * 500;
	r.f.looks++;
	memcpy(n.id.b, &r.f.looks, sizeof(r.f.looks));
	n.id.b[31] = 0xee;
	(void)pmx_place(r.x, &n, r.x->now_ns, &order);
	return order;
}

/* Is a token's ask at or below what was bid for it? So the recorded probes
 * were judged. */
static bool
is_through(uint32_t market, uint32_t k, int64_t quote)
{
	enum token_role role = ROLE_YES + (enum token_role)k;
	const struct match_level *l = best(market, frame_side(SIDE_ASK, role));

	return quote != 0 && l != NULL &&
	       frame_tok_px(l->px, role).tok_e8 <= quote;
}

static void
judge_probes(const uint32_t order[2], const qty_t filled[2], bool yes)
{
	double paid[2];
	bool one = (filled[0].e8 == 5 * E8) != (filled[1].e8 == 5 * E8);

	if (order[0] == PMX_NONE || order[1] == PMX_NONE)
		return;
	for (int k = 0; k < 2; k++) {
		const struct pmx_order *o = &r.x->order[order[k]];

		paid[k] = (double)o->value.e6 * 1e-6;
		if (filled[k].e8 == 0)
			continue;
		r.f.probe_fills++;
		r.f.probe_usd +=
		    ((k == 0) == yes ? (double)filled[k].e8 * 1e-8 : 0) -
		    paid[k];
	}
	r.f.probe_both += filled[0].e8 == 5 * E8 && filled[1].e8 == 5 * E8;
	if (!one)
		return;
	r.f.probe_one++;
	r.f.probe_lost += (filled[0].e8 == 5 * E8) != yes;
}

static void
window(uint64_t start_ns)
{
	struct pmx_terms t = {.tick = TOK_PX(E8 / 100),
	    .min_qty = QTY(5 * E8),
	    .fee_ppm = 70000,
	    .delay_ms = 0,
	    .is_updown = true};
	uint64_t end_ns = start_ns + WINDOW_NS;
	uint32_t order[2] = {PMX_NONE, PMX_NONE};
	qty_t filled[2] = {QTY(0), QTY(0)};
	bool through[2] = {false, false};
	int64_t quote[2] = {0, 0};
	uint32_t market;
	double mid = 0.5;
	bool yes;

	t.token[0].w[0] = start_ns;
	t.token[1].w[1] = start_ns;
	market = pmx_market_open(r.x, &t);
	pm_flow_open(&r.flow, (uint16_t)market, start_ns, end_ns);
	for (uint64_t now = start_ns; now <= end_ns; now += SECOND / 5) {
		path_to(&r.path, now);
		pmx_step(r.x, now);
		pm_flow_step(&r.flow, now);
		if ((now - start_ns) % SECOND == 0)
			look(market, end_ns - now);
		for (uint32_t k = 0; k < 3; k++)
			if (now == end_ns - (k == 0	 ? 120
						: k == 1 ? 60
							 : 30) *
						SECOND)
				look_at(market, k);
		for (uint32_t k = 0; k < 2 && now % POLL_NS == end_ns % POLL_NS;
		     k++)
			through[k] =
			    through[k] || is_through(market, k, quote[k]);
		if (now == end_ns - 120 * SECOND)
			for (uint32_t k = 0; k < 2; k++) {
				order[k] = probe(
				    market, ROLE_YES + (enum token_role)k);
				quote[k] = order[k] == PMX_NONE
					       ? 0
					       : r.x->order[order[k]].px.tok_e8;
			}
		if (now == end_ns - 60 * SECOND && best(market, SIDE_BID) &&
		    best(market, SIDE_ASK))
			mid = (double)(best(market, SIDE_BID)->px.e8 +
				       best(market, SIDE_ASK)->px.e8) *
			      0.5e-8;
	}
	for (int k = 0; k < 2; k++)
		if (order[k] != PMX_NONE)
			filled[k] = r.x->order[order[k]].matched;
	yes = pm_flow_yes(&r.flow, (uint16_t)market);
	judge_probes(order, filled, yes);
	if (quote[0] != 0 && quote[1] != 0) {
		r.f.rule_both += through[0] && through[1];
		r.f.rule_one += through[0] != through[1];
		r.f.rule_lost += through[0] != through[1] && through[0] != yes;
	}
	r.f.ups += yes;
	r.f.brier += (mid - yes) * (mid - yes);
	pm_flow_close(&r.flow, (uint16_t)market);
	pmx_resolve(r.x, market, yes ? PX(E8) : PX(0));
	assert_true(pmx_is_conserved(r.x));
}

static struct figures
day(uint64_t seed, uint32_t windows)
{
	struct figures f;

	begin(seed);
	for (uint32_t w = 0; w < windows; w++)
		window(START + w * (WINDOW_NS + SECOND));
	f = r.f;
	for (uint32_t a = 0; a < FLOW_MAKERS + 2; a++)
		print_message("%s %.2f\n",
		    a < FLOW_MAKERS    ? "maker"
		    : a == FLOW_MAKERS ? "noise"
				       : "informed",
		    (double)(r.x->account[a].usd.own - FUNDS.e6) * 1e-6);
	assert_true(
	    r.x->account[FLOW_MAKERS + 1].usd.own > FUNDS.e6 || windows < 20);
	free(r.x);
	return f;
}

/* Figures of recorded five-minute BTC markets (121 windows of order books,
 * 117 of probes, 420 of volume; July 2026) beside those of the world. */
static void
print_table(const struct figures *f)
{
	double n = WINDOWS;
	const struct {
		const char *what;
		double may_differ;
		double recorded;
		double here;
	} rows[] = {
	    {"spread at 120 s, ticks", 0.7, 1.01,
		f->at_spread[0] / f->at_two_sided[0]},
	    {"spread at 60 s, ticks", 0.8, 1.04,
		f->at_spread[1] / f->at_two_sided[1]},
	    {"one-sided at 120 s", 0.05, 0.017, f->at_one_sided[0] / n},
	    {"one-sided at 60 s", 0.1, 0.207, f->at_one_sided[1] / n},
	    {"one-sided at 30 s", 0.15, 0.479, f->at_one_sided[2] / n},
	    {"depth of a side at 120 s, shares", 12000, 35667,
		f->depth / f->at_two_sided[0]},
	    {"at the touch, shares", 1500, 730, f->touch / f->at_two_sided[0]},
	    {"50 shares behind the best, cents", 0.1, 0.12,
		100 * f->slip50 / f->at_two_sided[0]},
	    {"turnover of a window, dollars", 25000, 51223, f->usd / n},
	    {"probe: one side through", 0.2, 0.530, f->rule_one / n},
	    {"probe: of those the loser's", 0.05, 1.0,
		(double)f->rule_lost / (f->rule_one + 1e-9)},
	    {"probe: both sides through", 0.3, 0.368, f->rule_both / n},
	    {"probe: cents a filled share", 1.2, -1.45,
		100 * f->probe_usd / (5.0 * f->probe_fills + 1e-9)},
	};

	print_message("%-36s %10s %10s\n", "", "recorded", "here");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		double off = rows[i].here - rows[i].recorded;

		print_message("%-36s %10.3f %10.3f\n", rows[i].what,
		    rows[i].recorded, rows[i].here);
		assert_true((off < 0 ? -off : off) <= rows[i].may_differ);
	}
}

static void
markets_have_the_recorded_shape(void **state)
{
	struct figures f = day(7, WINDOWS);
	double spread;

	(void)state;
	spread = (double)f.spread_ticks / (double)(f.two_sided + 1);
	print_message("windows %u, up %u, trades a window %.0f\n", WINDOWS,
	    f.ups, (double)f.trades / WINDOWS);
	print_message("two-sided before the last minute %.3f, spread %.2f "
		      "ticks, one-sided in the last minute %.3f\n",
	    (double)f.two_sided / (double)(f.looks - f.late_looks), spread,
	    (double)f.late_one_sided / (double)f.late_looks);
	print_message(
	    "brier of the mid at one minute %.3f\n", f.brier / WINDOWS);
	print_table(&f);
	print_message("probes: one filled %u, the loser's %u, both %u\n",
	    f.probe_one, f.probe_lost, f.probe_both);
	assert_in_range(f.ups, WINDOWS / 4, 3 * WINDOWS / 4);
	assert_true(
	    (double)f.two_sided > 0.6 * (double)(f.looks - f.late_looks));
	assert_true(spread >= 1 && spread < 6);
	assert_true(f.trades > 20 * WINDOWS && f.trades < 2000 * WINDOWS);
	assert_true(f.brier / WINDOWS < 0.2);
	assert_true(f.late_one_sided > 0);
}

static void
the_same_seed_is_the_same_day(void **state)
{
	struct figures a = day(11, 3);
	struct figures b = day(11, 3);
	struct figures c = day(12, 3);

	(void)state;
	assert_int_equal(a.hash, b.hash);
	assert_int_not_equal(a.hash, c.hash);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(markets_have_the_recorded_shape),
	    cmocka_unit_test(the_same_seed_is_the_same_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

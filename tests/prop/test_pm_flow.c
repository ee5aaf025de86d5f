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
#define WINDOWS	  60u
#define FUNDS	  USD(1000000 * E6)
#define SECOND	  UINT64_C(1000000000)

struct figures {
	uint64_t hash;
	uint32_t looks;
	uint32_t two_sided;
	uint64_t spread_ticks;
	uint32_t late_looks; /* in the last minute */
	uint32_t late_one_sided;
	uint32_t trades;
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
	(void)user;
	r.f.trades += x->trade[trade].status == PMX_TRADE_MATCHED;
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
	struct pm_flow_cfg flow = {seed, 1, 0.35, 1.5, 0.03, 6, 60};
	uint32_t accounts[FLOW_MAKERS + 2];

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

static void
judge_probes(const uint32_t order[2], const qty_t filled[2], bool yes)
{
	bool one = (filled[0].e8 == 5 * E8) != (filled[1].e8 == 5 * E8);

	if (order[0] == PMX_NONE || order[1] == PMX_NONE)
		return;
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
		if (now == end_ns - 120 * SECOND)
			for (int k = 0; k < 2; k++)
				order[k] = probe(
				    market, ROLE_YES + (enum token_role)k);
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
	print_message("probes: one filled %u, the loser's %u, both %u\n",
	    f.probe_one, f.probe_lost, f.probe_both);
	assert_in_range(f.ups, WINDOWS / 4, 3 * WINDOWS / 4);
	assert_true(
	    (double)f.two_sided > 0.6 * (double)(f.looks - f.late_looks));
	assert_true(spread >= 1 && spread < 6);
	assert_true(f.trades > 20 * WINDOWS && f.trades < 2000 * WINDOWS);
	assert_true(f.brier / WINDOWS < 0.2);
	assert_true(f.late_one_sided > 0);
	assert_true(f.probe_one > 5 && f.probe_lost * 10 >= f.probe_one * 8);
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

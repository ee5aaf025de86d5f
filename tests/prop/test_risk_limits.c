/* links: riskd libshm libcore */
/*
 * The two promises about money, against brute force. Random intents, fills,
 * withdrawals and price moves in three binaries; after each step every
 * outcome of every market (0, 1/2, 1) is tried with every subset of what
 * could still fill:
 *   1 no combination loses more than the daily limit, ever;
 *   2 what an order that was just passed could bring its side to, marked to
 *     mid, is within the market's limit, and all markets within the total.
 *   SEED=n N=n repeats one run, or makes longer ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/riskkit.h"

#define MARKETS 3

static struct kit k;
static uint64_t rng;

static uint32_t
rnd(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 33) % n;
}

/* Orders of one market that could fill, as riskd was told of them. */
struct open {
	uint64_t id;
	enum side side;
	uint8_t level;
	int64_t px;
	int64_t qty;
};

#define OPEN_MAX 32
static struct open book[MARKETS][OPEN_MAX];
static int open_n[MARKETS];
static int64_t held[MARKETS]; /* units e8 */
static i128_t cash[MARKETS];  /* e16, this market */

static void
drop(int m, int i)
{
	book[m][i] = book[m][--open_n[m]];
}

/* Worst of one market over outcomes and over what fills. */
static i128_t
brute_worst(int m)
{
	i128_t worst = 0;
	bool first = true;

	for (int out = 0; out <= 2; out++) {
		for (uint32_t set = 0; set < 1u << open_n[m]; set++) {
			int64_t at = out * E8 / 2;
			i128_t gain = cash[m] + (i128_t)held[m] * at;

			for (int i = 0; i < open_n[m]; i++) {
				const struct open *o = &book[m][i];
				int64_t each = o->side == SIDE_BID ? at - o->px
								   : o->px - at;

				if ((set >> i & 1) != 0)
					gain += (i128_t)each * o->qty;
			}
			if (first || gain < worst)
				worst = gain;
			first = false;
		}
	}
	return worst;
}

static void
check_loss(void)
{
	i128_t sum = 0;

	for (int m = 0; m < MARKETS; m++)
		sum += brute_worst(m);
	/* Rounded down once a market. */
	assert_true(e16_to_usd(sum).e6 >=
		    -k.cfg.mm_global_daily_loss_limit.e6 - MARKETS);
}

static int64_t
value(int m, int64_t qty)
{
	return position_value(true, qty, k.r->instr[PM + m].mark).e6;
}

static void
check_caps(int m, enum side side)
{
	int64_t cap =
	    k.cfg.capital_usd.e6 / E8 * k.cfg.risk_market_exposure_frac.e8;
	int64_t q = held[m];

	for (int i = 0; i < open_n[m]; i++)
		if (book[m][i].side == side)
			q +=
			    side == SIDE_BID ? book[m][i].qty : -book[m][i].qty;
	if ((side == SIDE_BID) == (q > 0))
		assert_true(value(m, q) <= cap);
}

static void
intent(void)
{
	int m = (int)rnd(MARKETS);
	enum side side = rnd(2) == 0 ? SIDE_BID : SIDE_ASK;
	struct order o = kit_want(&k, (uint16_t)(PM + m), side,
	    PX(k.r->instr[PM + m].mark.e8 +
		(side == SIDE_BID ? -1 : 1) * (int64_t)(rnd(4) + 1) * E8 / 100),
	    UNIT(rnd(60) + 1));
	const struct order *sent;
	int64_t before = k.r->exposure.e6;

	o.level = (uint8_t)rnd(2);
	if (open_n[m] >= 6)
		return;
	/* One order a slot: brute force has no notion of replacing. */
	for (int i = 0; i < open_n[m]; i++)
		if (book[m][i].side == side && book[m][i].level == o.level)
			return;
	if (kit_judge(&k, &o) != REASON_OK)
		return;
	sent = kit_said(&k, MSG_ORDER, 0);
	assert_non_null(sent);
	assert_true(sent->qty.e8 <= o.qty.e8);
	book[m][open_n[m]++] =
	    (struct open){o.id, side, o.level, sent->px.e8, sent->qty.e8};
	check_caps(m, side);
	/* Over the limit by a move of the mark: it may not become more. */
	assert_true(k.r->exposure.e6 <=
		    i64_max(before, k.cfg.capital_usd.e6 / E8 *
					k.cfg.risk_total_exposure_frac.e8));
}

static void
report(
    enum slot_kind kind, const struct open *o, int m, int64_t fill, int64_t cum)
{
	struct order r;

	memset(&r, 0, sizeof(r));
	r.hdr.kind = (uint8_t)kind;
	r.hdr.instr = (uint16_t)(PM + m);
	r.id = o->id;
	r.side = (uint8_t)o->side;
	r.level = o->level;
	r.exec_px = PX(o->px);
	r.exec_qty = QTY(fill);
	r.cum_qty = QTY(cum);
	r.fill_id = o->id;
	kit_order(&k, RG_REPORT_PM_R, &r);
}

static void
happen(void)
{
	int m = (int)rnd(MARKETS);
	int i;
	struct open o;

	if (open_n[m] == 0)
		return;
	i = (int)rnd((uint32_t)open_n[m]);
	o = book[m][i];
	if (rnd(3) != 0) {
		held[m] += o.side == SIDE_BID ? o.qty : -o.qty;
		cash[m] += (i128_t)(o.side == SIDE_BID ? -1 : 1) * o.px * o.qty;
		report(MSG_FILL, &o, m, o.qty, o.qty);
	}
	report(MSG_DONE, &o, m, 0, o.qty);
	drop(m, i);
}

static void
move(void)
{
	uint16_t i = (uint16_t)(PM + rnd(MARKETS));
	int64_t mid = k.r->instr[i].mark.e8 + ((int64_t)rnd(5) - 2) * E8 / 100;

	mid = i64_clamp(mid, E8 / 10, 9 * E8 / 10);
	kit_bbo(&k, i, PX(mid - E8 / 100), PX(mid + E8 / 100));
}

static void
run(uint64_t seed, uint32_t n, uint64_t *passed, uint64_t *bound)
{
	memset(&k, 0, sizeof(k));
	memset(open_n, 0, sizeof(open_n));
	memset(held, 0, sizeof(held));
	memset(cash, 0, sizeof(cash));
	rng = seed * UINT64_C(0x9e3779b97f4a7c15) + 7;
	cfg_defaults(&k.cfg);
	k.cfg.capital_usd = USD(100 * E6);
	k.cfg.mm_global_daily_loss_limit = USD((int64_t)(rnd(40) + 10) * E6);
	k.cfg.risk_max_orders_per_s = 10000;
	k.cfg.risk_max_orders_per_s_market = 1000;
	kit_open_with(&k);
	kit_instr(&k, PM + 2, CLASS_BINARY, "third", INSTR_NORMAL);
	kit_bbo(&k, PM + 2, CENT(48), CENT(52));
	for (uint32_t i = 0; i < n && k.r->freeze_all == 0; i++) {
		uint32_t what = rnd(10);

		k.now += MS(10);
		kit_links_good(&k);
		if (what < 5)
			intent();
		else if (what < 8)
			happen();
		else
			move();
		check_loss();
	}
	*passed += k.r->stat.passed;
	*bound += k.r->bound.limit.e6 != 0;
	kit_close(&k);
}

static void
test_limits(void **state)
{
	const char *seed = getenv("SEED");
	const char *n = getenv("N");
	uint32_t steps = n != 0 ? (uint32_t)strtoul(n, 0, 10) : 1500;
	uint64_t first = seed != 0 ? strtoull(seed, 0, 10) : 1;
	uint64_t last = seed != 0 ? first : 40;
	uint64_t passed = 0;
	uint64_t bound = 0;

	(void)state;
	for (uint64_t i = first; i <= last; i++) {
		print_message("SEED=%llu N=%u\n", (unsigned long long)i, steps);
		run(i, steps, &passed, &bound);
	}
	print_message("%llu orders passed, the bound refused in %llu runs\n",
	    (unsigned long long)passed, (unsigned long long)bound);
	assert_true(passed > 0);
	assert_true(seed != 0 || bound > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}

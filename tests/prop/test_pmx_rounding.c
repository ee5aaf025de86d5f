/* links: simvenue libvenue libsign libsys libshm libcore */
/*
 * Rounding at Polymarket's exchange: whatever price and fee of every leg are
 * rounded to, nobody owes what he does not have.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libcore/fees.h"
#include "simvenue/pmx.h"

#define NOW  UINT64_C(1790000000000000000)
#define RATE 70000u
#define LEGS 12

static struct pmx *x;
static uint32_t market;
static uint32_t ids;

static void
on_order(
    void *user, const struct pmx *p, uint32_t order, enum pmx_order_event what)
{
	(void)user;
	(void)p;
	(void)order;
	(void)what;
}

static void
on_trade(void *user, const struct pmx *p, uint32_t trade)
{
	(void)user;
	(void)p;
	(void)trade;
}

static void
on_level(void *user, uint16_t m, enum side side, px_t px, qty_t qty)
{
	(void)user;
	(void)m;
	(void)side;
	(void)px;
	(void)qty;
}

static void
on_print(void *user, uint16_t m, enum token_role role, enum side side,
    tok_px_t px, qty_t qty)
{
	(void)user;
	(void)m;
	(void)role;
	(void)side;
	(void)px;
	(void)qty;
}

static void
on_batch(void *user, uint16_t m, bool has_traded)
{
	(void)user;
	(void)m;
	(void)has_traded;
}

static void
on_market(void *user, uint16_t m)
{
	(void)user;
	(void)m;
}

static const struct pmx_sink sink = {
    NULL, on_order, on_trade, on_level, on_print, on_batch, on_market};

static void
begin(void)
{
	struct pmx_terms t = {.tick = TOK_PX(E8 / 100),
	    .min_qty = QTY(E8),
	    .fee_ppm = RATE,
	    .token = {{{1}}, {{2}}}};

	x = calloc(1, sizeof(*x));
	assert_non_null(x);
	pmx_init(x, &sink, 1);
	market = pmx_market_open(x, &t);
}

static uint32_t
funded(int64_t usd_e6)
{
	uint32_t a = pmx_account_open(x);

	assert_true(pmx_deposit(x, a, USD(usd_e6)));
	return a;
}

struct wish {
	uint32_t account;
	enum token_role role;
	enum side side;
	enum pmx_type type;
	int64_t give_e6;
	int64_t get_e6;
};

static enum pmx_error
place(const struct wish *w)
{
	struct pmx_new n = {.account = w->account,
	    .market = (uint16_t)market,
	    .role = w->role,
	    .side = w->side,
	    .type = w->type,
	    .give_e6 = w->give_e6,
	    .get_e6 = w->get_e6};
	uint32_t order;

	ids++;
	memcpy(n.id.b, &ids, sizeof(ids));
	return pmx_place(x, &n, NOW, &order);
}

/* A buyer who has just so much takes many small orders, each with a fee of
 * its own that is rounded up: it is refused, or it can pay. */
static void
a_buyer_of_many_legs_can_pay(void **state)
{
	const int64_t shares = 103; /* hundredths, of each leg */
	const int64_t cents = 37;
	int64_t plain = usd_notional_ceil(
	    PX(cents * E8 / 100), QTY(LEGS * shares * E8 / 100))
			    .e6;
	int64_t fee = fee_binary(
	    PX(cents * E8 / 100), QTY(LEGS * shares * E8 / 100), RATE)
			  .e6;
	unsigned taken = 0;

	(void)state;
	for (int64_t more = 0; more <= LEGS * 14; more++) {
		struct wish w = {0, ROLE_YES, SIDE_BID, PMX_GTC, 0, 0};
		uint32_t buyer;

		begin();
		for (int i = 0; i < LEGS; i++) {
			w.account = funded(100 * E6);
			w.role = ROLE_NO; /* makers of the other token: mint */
			w.give_e6 = shares * (100 - cents) * 100;
			w.get_e6 = shares * 10000;
			assert_int_equal(place(&w), PMX_OK);
		}
		buyer = funded(plain + fee + more);
		w = (struct wish){buyer, ROLE_YES, SIDE_BID, PMX_GTC,
		    LEGS * shares * cents * 100, LEGS * shares * 10000};
		taken += place(&w) == PMX_OK;
		assert_true(pmx_free_usd(x, buyer) >= 0);
		assert_true(pmx_is_conserved(x));
		free(x);
	}
	assert_true(taken > 0);
}

/* What rests after a budget was spent may be worth less than the smallest
 * fee: who sells into that pays no more than it gets. */
static void
a_seller_of_next_to_nothing_gets_nothing(void **state)
{
	unsigned tiny = 0;

	(void)state;
	for (int64_t budget = 100; budget < 400; budget++) {
		struct wish bid = {0, ROLE_YES, SIDE_BID, PMX_GTC,
		    500 * 7 * 100, 500 * 10000}; /* 5 at 0.07 */
		struct wish mint = {
		    0, ROLE_NO, SIDE_BID, PMX_FAK, budget * 10000, 0};
		struct wish sell = {0, ROLE_YES, SIDE_ASK, PMX_FAK, 0, 100};
		uint32_t seller;
		int64_t left;

		begin();
		bid.account = funded(100 * E6);
		assert_int_equal(place(&bid), PMX_OK);
		mint.account = funded(100 * E6);
		mint.get_e6 = (mint.give_e6 * 100 / 93 + 99) / 100 * 100;
		assert_int_equal(place(&mint), PMX_OK);
		left = match_qty_at(
		    &x->market[market].match, SIDE_BID, PX(7 * E8 / 100))
			   .e8;
		seller = funded(100 * E6);
		assert_true(pmx_split(x, seller, market, QTY(20 * E8)));
		/* All but what does not make a hundredth ... */
		sell.account = seller;
		sell.give_e6 = left / (E8 / 100) * 10000;
		sell.get_e6 = sell.give_e6 * 7 / 100 / 100 * 100;
		if (sell.give_e6 == 0 || place(&sell) != PMX_OK) {
			free(x);
			continue;
		}
		left = match_qty_at(
		    &x->market[market].match, SIDE_BID, PX(7 * E8 / 100))
			   .e8;
		/* ... and then that. */
		if (left > 0) {
			int64_t before = x->account[seller].usd.in;

			sell.give_e6 = 10000;
			sell.get_e6 = 100;
			assert_int_equal(place(&sell), PMX_OK);
			assert_true(x->account[seller].usd.in >= before);
			tiny += left < E8 / 7000;
		}
		assert_true(pmx_free_usd(x, seller) >= 0);
		assert_true(pmx_is_conserved(x));
		free(x);
	}
	assert_true(tiny > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_buyer_of_many_legs_can_pay),
	    cmocka_unit_test(a_seller_of_next_to_nothing_gets_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

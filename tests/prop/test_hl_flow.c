/* links: simvenue libvenue libsign libsys libshm libcore */
/*
 * The simulator's participants on Hyperliquid over an hour of virtual time:
 * positions and cash add up, the book stays two-sided and near the path, the
 * same seed gives the same hour.
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
#include "simvenue/hl_flow.h"

#define START  UINT64_C(1790000100000000000)
#define SECOND UINT64_C(1000000000)
#define FUNDS  USD(20000000 * E6)

struct figures {
	uint64_t hash;
	uint32_t prints;
	uint32_t looks;
	uint32_t two_sided;
	double spread_bps;
	double off_bps; /* of the mid to the path, mean of absolutes */
	double depth5;	/* coins of five levels of bids, summed */
	double traded;	/* coins */
	uint32_t tops;	/* blocks whose touch was another */
	px_t bid;
	px_t ask;
};

static struct figures f;

static void
on_order(void *user, const struct hlx *x, uint32_t order)
{
	(void)user;
	f.hash = hash_u64(f.hash, x->order[order].oid);
	f.hash = hash_u64(f.hash, (uint64_t)x->order[order].px.e8);
}

static void
on_fill(void *user, const struct hlx *x, const struct hlx_fill *fill)
{
	(void)user;
	(void)x;
	f.hash = hash_u64(f.hash, (uint64_t)fill->qty.e8);
}

static void
on_print(void *user, const struct hlx *x, uint16_t coin, enum side side,
    px_t px, qty_t qty, uint64_t tid)
{
	(void)user;
	(void)x;
	(void)coin;
	(void)side;
	(void)px;
	(void)tid;
	f.prints++;
	f.traded += (double)qty.e8 / E8;
}

static void
on_book(void *user, const struct hlx *x, uint16_t coin)
{
	(void)user;
	(void)x;
	(void)coin;
}

static void
look(const struct hlx *x, const struct path *p, uint64_t now)
{
	const struct match_level *bid =
	    match_level(&x->coin[0].match, SIDE_BID, 0);
	const struct match_level *ask =
	    match_level(&x->coin[0].match, SIDE_ASK, 0);
	double px = path_px(p, now);
	double mid;

	f.looks++;
	if (bid == NULL || ask == NULL)
		return;
	f.two_sided++;
	mid = (double)(bid->px.e8 + ask->px.e8) / 2 / E8;
	f.spread_bps += (double)(ask->px.e8 - bid->px.e8) / E8 / mid * 1e4;
	for (uint32_t i = 0; i < 5; i++) {
		const struct match_level *l =
		    match_level(&x->coin[0].match, SIDE_BID, i);

		f.depth5 += l == NULL ? 0 : (double)l->qty.e8 / E8;
	}
	f.off_bps += (mid > px ? mid - px : px - mid) / px * 1e4;
}

/* Has the touch changed since the last block? */
static void
block(const struct hlx *x)
{
	const struct match_level *bid =
	    match_level(&x->coin[0].match, SIDE_BID, 0);
	const struct match_level *ask =
	    match_level(&x->coin[0].match, SIDE_ASK, 0);
	px_t b = bid == NULL ? PX(0) : bid->px;
	px_t a = ask == NULL ? PX(0) : ask->px;

	f.tops += b.e8 != f.bid.e8 || a.e8 != f.ask.e8;
	f.bid = b;
	f.ask = a;
}

static struct figures
hour(uint64_t seed, uint64_t seconds)
{
	static const struct hlx_sink sink = {
	    NULL, on_order, on_fill, on_print, on_book};
	struct path_cfg path = {
	    seed, START - 10 * SECOND, 84000, 0.45, 0.5, 2, 8};
	struct hl_flow_cfg cfg = hl_flow_cfg_default(seed);
	struct hlx_terms t = {"BTC", 0, 5, 40, 450, 150};
	uint32_t accounts[HL_FLOW_MAKERS + 2];
	struct hlx *x = calloc(1, sizeof(*x));
	struct path *p = calloc(1, sizeof(*p));
	struct hl_flow flow;

	assert_true(x != NULL && p != NULL);
	memset(&f, 0, sizeof(f));
	hlx_init(x, &sink);
	path_init(p, &path);
	path_to(p, START);
	for (uint8_t i = 0; i < HL_FLOW_MAKERS + 2; i++) {
		uint8_t address[20] = {i, 1};

		accounts[i] = hlx_account_open(x, address);
		hlx_deposit(x, accounts[i], FUNDS);
	}
	(void)hlx_coin_add(x, &t, PX(84000 * E8));
	hl_flow_init(&flow, &cfg, x, p, accounts);
	hl_flow_start(&flow, 0, START);
	for (uint64_t k = 0; k < seconds * 10; k++) {
		uint64_t now = START + k * (SECOND / 10);

		path_to(p, now);
		hlx_step(x, now);
		hl_flow_step(&flow, now);
		block(x);
		if (k % 10 == 0) {
			assert_true(hlx_is_conserved(x));
			look(x, p, now);
		}
	}
	free(x);
	free(p);
	return f;
}

static void
the_book_follows_the_path(void **state)
{
	struct figures r = hour(7, 900);

	(void)state;
	const struct {
		const char *what;
		double recorded;
		double here;
	} rows[] = {
	    {"trades a second", 5.01, r.prints / 900.0},
	    {"coins a trade", 0.192, r.traded / r.prints},
	    {"changes of the touch a second", 6.13, r.tops / 900.0},
	    {"spread, basis points", 0.123, r.spread_bps / r.two_sided},
	    {"five levels of bids, coins", 10.3, r.depth5 / r.two_sided},
	};

	/* 293 s of BTC, September 2025. */
	print_message("%-36s %10s %10s\n", "", "recorded", "here");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%-36s %10.3f %10.3f\n", rows[i].what,
		    rows[i].recorded, rows[i].here);
		assert_true(rows[i].here > 0.4 * rows[i].recorded);
		assert_true(rows[i].here < 2.5 * rows[i].recorded);
	}
	print_message("two-sided %.4f, mid off the path %.2f bps\n",
	    (double)r.two_sided / r.looks, r.off_bps / r.two_sided);
	assert_true(r.two_sided * 100u >= r.looks * 99u);
	assert_true(r.off_bps / r.two_sided < 4);
}

static void
the_same_seed_is_the_same_hour(void **state)
{
	struct figures a = hour(3, 60);
	struct figures b = hour(3, 60);
	struct figures c = hour(4, 60);

	(void)state;
	assert_int_equal(a.hash, b.hash);
	assert_int_not_equal(a.hash, c.hash);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_book_follows_the_path),
	    cmocka_unit_test(the_same_seed_is_the_same_hour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

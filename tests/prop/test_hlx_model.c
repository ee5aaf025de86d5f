/* links: simvenue libvenue libsign libsys libshm libcore */
/*
 * Hyperliquid's exchange under random orders, cancels, modifies, liquidations
 * and scheduled cancels. After every call:
 *   - positions, cash and deposits add up (hlx_is_conserved);
 *   - what rests of each account is what its orders say;
 *   - positions follow from the fills told, each starting where the one
 *     before it ended; margin is never above the value when it was checked.
 * Seeded; PROP_SEED=n repeats one run.
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
#include "simvenue/hlx.h"

#define ACCOUNTS 4u
#define RUNS	 20u
#define STEPS	 1500u
#define START	 UINT64_C(1790000000000000000)
#define MARK	 PX(84000 * E8)

struct rig {
	struct hlx *x;
	struct hlx_sink sink;
	int64_t pos[ACCOUNTS];
	int64_t fees[ACCOUNTS];
	uint64_t rng;
	uint64_t now_ns;
	uint64_t cloids;
	uint32_t errors[HLX_ERROR_N];
	uint32_t statuses[HLX_STATUS_N];
};

static struct rig r;
static uint64_t seed_now;

static uint64_t
below(uint64_t n)
{
	r.rng = hash_u64(r.rng, 1);
	return r.rng % n;
}

static void
on_order(void *user, const struct hlx *x, uint32_t order)
{
	(void)user;
	r.statuses[x->order[order].status]++;
	assert_true(strlen(hlx_status_text(&x->order[order])) > 0);
}

static void
on_fill(void *user, const struct hlx *x, const struct hlx_fill *f)
{
	(void)user;
	(void)x;
	assert_int_equal(f->start.e8, r.pos[f->account]);
	r.pos[f->account] += f->side == SIDE_BID ? f->qty.e8 : -f->qty.e8;
	r.fees[f->account] += f->fee.e6;
	assert_true(f->qty.e8 > 0 && f->fee.e6 >= 0);
}

static void
on_print(void *user, const struct hlx *x, uint16_t coin, enum side side,
    px_t px, qty_t qty, uint64_t tid)
{
	(void)user;
	(void)x;
	(void)coin;
	assert_true(side == SIDE_BID || side == SIDE_ASK);
	assert_true(px.e8 > 0 && qty.e8 > 0 && tid > 0);
}

static void
on_book(void *user, const struct hlx *x, uint16_t coin)
{
	(void)user;
	assert_true(match_is_sound(&x->coin[coin].match));
}

static struct hlx_new
any_order(void)
{
	struct hlx_new n = {.account = (uint32_t)below(ACCOUNTS),
	    .side = SIDE_BID + (enum side)below(2),
	    .px = PX((83960 + (int64_t)below(80)) * E8),
	    .qty = QTY((int64_t)(1 + below(300)) * 1000),
	    .tif = HLX_ALO + (enum hlx_tif)below(3),
	    .reduce_only = below(10) == 0,
	    .has_cloid = below(2) == 0};

	r.cloids++;
	memcpy(n.cloid, &r.cloids, sizeof(r.cloids));
	switch (below(60)) {
	case 0: n.px.e8 += E8 / 2; break;
	case 1: n.qty.e8 += 1; break;
	case 2: n.qty.e8 = 0; break;
	case 3: n.px.e8 = 0; break;
	case 4: n.index = 7; break;
	case 5: n.px = PX(4000 * E8); break;
	case 6: n.qty = QTY(20 * E8); break;
	default: break;
	}
	return n;
}

static void
check_result(const struct hlx_new *n, const struct hlx_result *res)
{
	const struct hlx_order *o;

	r.errors[res->error]++;
	assert_true(strlen(hlx_text(res->error)) > 0 || res->error == HLX_OK);
	if (res->error == HLX_ERR_ASSET || res->error == HLX_ERR_MODIFY_GONE ||
	    res->error == HLX_ERR_MODIFY_NEW) {
		assert_int_equal(res->order, HLX_NONE);
		return;
	}
	o = &r.x->order[res->order];
	assert_int_equal(hlx_find_oid(r.x, o->oid), res->order);
	if (n->has_cloid)
		assert_int_equal(
		    hlx_find_cloid(r.x, n->account, n->cloid), res->order);
	assert_int_equal(o->status == HLX_REJECTED, res->error != HLX_OK);
	if (res->error != HLX_OK)
		return;
	assert_int_equal(res->filled.e8, n->qty.e8 - o->left.e8);
	if (n->tif == HLX_ALO)
		assert_int_equal(res->filled.e8, 0);
	if (n->tif == HLX_IOC)
		assert_true(!res->rests && res->filled.e8 > 0);
	if (res->filled.e8 > 0)
		assert_true(n->side == SIDE_BID ? res->avg_px.e8 <= n->px.e8
						: res->avg_px.e8 >= n->px.e8);
}

static uint32_t
any_open(void)
{
	uint32_t from = (uint32_t)below(512);

	for (uint32_t k = 0; k < 2048; k++) {
		uint32_t i = (from + k) % 2048;

		if (r.x->order[i].oid != 0 && r.x->order[i].status == HLX_OPEN)
			return i;
	}
	return HLX_NONE;
}

static void
cancel_or_modify(void)
{
	uint32_t i = any_open();
	struct hlx_new n = any_order();
	struct hlx_result res;
	uint32_t a;

	if (i == HLX_NONE)
		return;
	a = r.x->order[i].account;
	if (below(2) == 0) {
		n.account = a;
		hlx_modify(r.x, i, &n, below(2) == 0, r.now_ns, &res);
		check_result(&n, &res);
		return;
	}
	assert_int_equal(
	    hlx_cancel(r.x, (a + 1) % ACCOUNTS, i, r.now_ns), HLX_ERR_NO_ORDER);
	assert_int_equal(hlx_cancel(r.x, a, i, r.now_ns), HLX_OK);
	assert_int_equal(hlx_cancel(r.x, a, i, r.now_ns), HLX_ERR_NO_ORDER);
}

static void
compare(void)
{
	int64_t open[ACCOUNTS][2] = {{0}};
	uint32_t open_n[ACCOUNTS] = {0};
	uint32_t reduce_n[ACCOUNTS] = {0};

	assert_true(hlx_is_conserved(r.x));
	for (uint32_t i = 0; i < HLX_ORDERS && r.x->order[i].oid != 0; i++) {
		const struct hlx_order *o = &r.x->order[i];

		if (o->status != HLX_OPEN)
			continue;
		open[o->account][o->side - SIDE_BID] += o->left.e8;
		open_n[o->account]++;
		reduce_n[o->account] += o->reduce_only;
		if (o->reduce_only) /* never more than the position */
			assert_true(
			    o->left.e8 <=
			    (o->side == SIDE_BID ? -1 : 1) * r.pos[o->account]);
	}
	for (uint32_t a = 0; a < ACCOUNTS; a++) {
		const struct hlx_account *acc = &r.x->account[a];

		assert_int_equal(acc->pos[0].qty.e8, r.pos[a]);
		assert_int_equal(acc->fees.e6, r.fees[a]);
		assert_int_equal(acc->open_n, open_n[a]);
		assert_int_equal(acc->reduce_n, reduce_n[a]);
		for (int s = 0; s < 2; s++)
			assert_int_equal(acc->open_qty[0][s].e8, open[a][s]);
	}
}

static void
step(void)
{
	uint64_t what = below(100);
	struct hlx_result res;
	struct hlx_new n;

	r.now_ns += below(400) * 1000000u;
	hlx_step(r.x, r.now_ns);
	if (what < 75) {
		n = any_order();
		hlx_place(r.x, &n, r.now_ns, &res);
		check_result(&n, &res);
	} else if (what < 95) {
		cancel_or_modify();
	} else if (what < 96) {
		uint32_t a = (uint32_t)below(ACCOUNTS);

		hlx_liquidate(r.x, a, 0, (a + 1) % ACCOUNTS, r.now_ns);
	} else if (what < 98) {
		hlx_schedule(r.x, (uint32_t)below(ACCOUNTS),
		    r.now_ns + 6000000000u, r.now_ns);
	} else {
		hlx_set_prices(r.x, 0, PX(MARK.e8 + (int64_t)below(50) * E8),
		    MARK, 12500000);
		hlx_fund(r.x);
	}
}

static void
run(uint64_t seed)
{
	struct hlx_terms t = {"BTC", 0, 5, 40, 450, 150};

	memset(&r, 0, sizeof(r));
	r.x = calloc(1, sizeof(*r.x));
	assert_non_null(r.x);
	r.rng = seed;
	r.now_ns = START;
	r.sink = (struct hlx_sink){NULL, on_order, on_fill, on_print, on_book};
	hlx_init(r.x, &r.sink);
	assert_int_equal(hlx_coin_add(r.x, &t, MARK), 0);
	for (uint8_t a = 0; a < ACCOUNTS; a++) {
		uint8_t address[20] = {a};

		assert_int_equal(hlx_account_open(r.x, address), a);
		hlx_deposit(r.x, a, USD(20000 * E6));
	}
	for (uint32_t k = 0; k < STEPS; k++) {
		step();
		compare();
	}
	free(r.x);
}

static void
hlx_equals_ledger(void **state)
{
	const char *one = getenv("PROP_SEED");
	uint32_t errors[HLX_ERROR_N] = {0};
	uint32_t statuses[HLX_STATUS_N] = {0};

	(void)state;
	for (uint64_t s = 1; s <= RUNS; s++) {
		seed_now = one != NULL ? strtoull(one, NULL, 0) : s;
		run(seed_now);
		for (int e = 0; e < HLX_ERROR_N; e++)
			errors[e] += r.errors[e];
		for (int e = 0; e < HLX_STATUS_N; e++)
			statuses[e] += r.statuses[e];
	}
	for (int e = HLX_OK; e < HLX_ERROR_N; e++) {
		print_message("error %d: %u\n", e, errors[e]);
		if (one == NULL && e != HLX_ERR_NO_ORDER &&
		    e != HLX_ERR_MODIFY_GONE && e != HLX_ERR_OPEN_ORDERS &&
		    e != HLX_ERR_FULL)
			assert_true(errors[e] > 0);
	}
	for (int e = HLX_OPEN; e < HLX_STATUS_N; e++) {
		print_message("status %d: %u\n", e, statuses[e]);
		assert_true(one != NULL || statuses[e] > 0);
	}
}

static void
prices_are_of_five_figures(void **state)
{
	static const struct {
		const char *px;
		uint32_t sz_decimals;
		bool ok;
	} rows[] = {{"84143", 5, true}, {"84143.5", 5, false},
	    {"8414.5", 5, true}, {"8414.55", 5, false}, {"123456", 5, true},
	    {"1234.5", 4, true}, {"1234.56", 4, false}, {"0.001234", 0, true},
	    {"0.0012345", 0, false}, {"0.01234", 1, true},
	    {"0.012345", 1, false}, {"14.316", 2, true}, {"14.3161", 2, false}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hlx_terms t = {"X", 0, rows[i].sz_decimals, 40, 0, 0};
		uint8_t address[20] = {1};
		struct hlx_new n = {.side = SIDE_BID,
		    .qty = QTY(100000000 * E8 / 100000),
		    .tif = HLX_ALO};
		struct hlx_result res;

		memset(&r, 0, sizeof(r));
		r.x = calloc(1, sizeof(*r.x));
		assert_non_null(r.x);
		r.sink = (struct hlx_sink){
		    NULL, on_order, on_fill, on_print, on_book};
		hlx_init(r.x, &r.sink);
		assert_true(fixed_parse(rows[i].px, strlen(rows[i].px), 8,
		    false, INT64_MAX, &n.px.e8));
		hlx_coin_add(r.x, &t, n.px);
		hlx_account_open(r.x, address);
		hlx_deposit(r.x, 0, USD(1000000000 * E6));
		hlx_place(r.x, &n, START, &res);
		assert_int_equal(res.error == HLX_ERR_TICK, !rows[i].ok);
		free(r.x);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hlx_equals_ledger),
	    cmocka_unit_test(prices_are_of_five_figures),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	if (failed != 0)
		(void)fprintf(stderr, "again with PROP_SEED=%llu\n",
		    (unsigned long long)seed_now);
	return failed;
}

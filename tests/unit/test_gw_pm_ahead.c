/* links: execd libvenue libsign libsys libshm libcore */
/*
 * The Polymarket port: orders that were signed before they were wanted.
 */
#include "tests/unit/gwpmkit.h"

#define HASHES 64

static struct pm_hash seen[HASHES];
static unsigned seen_n;

static int
begin(void **state)
{
	int rc = kit_begin(state);

	kit.g.set.has_presign = true;
	kit.g.set.presign_tolerance = QTY(E8 / 10);
	seen_n = 0;
	return rc;
}

/* Turns of an idle loop. */
static void
idle(unsigned turns)
{
	for (unsigned i = 0; i < turns; i++) {
		kit.now.ns += 1000000;
		kit.now.wall_ns += 1000000;
		gwpm_timer(&kit.g, &kit.now);
	}
}

static unsigned
entries(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < GWPM_AHEADS; i++)
		n += kit.g.ahead[i].is_used;
	return n;
}

/* Gives it out: its body. The signature is the key's over just that text. */
static const char *
sent(uint64_t id)
{
	const struct gwpm_order *o = gwpm_order_by_id(kit.book, id);
	const struct gwpm_market *m;
	struct kit_http *k;
	struct pm_order w;
	struct pm_signed s;
	struct pm_signature sig;
	struct address who;
	uint8_t raw[SIG_SZ];
	const char *at;

	gwpm_flush(&kit.g, &kit.now);
	k = kit_find("POST", "/order");
	assert_non_null(k);
	assert_non_null(o);
	m = &kit.book->market[o->market];
	w = (struct pm_order){.asset = &m->token[o->role - ROLE_YES].asset,
	    .side = (enum side)o->deal,
	    .tif = PM_GTC,
	    .timestamp_ms = o->timestamp_ms};
	w.salt = strtoull(strstr(k->body, "\"salt\":") + 7, NULL, 10);
	at = strstr(k->body, "\"makerAmount\":\"") + 15;
	w.amounts.maker = strtoull(at, NULL, 10);
	at = strstr(k->body, "\"takerAmount\":\"") + 15;
	w.amounts.taker = strtoull(at, NULL, 10);
	at = strstr(k->body, "\"signature\":\"0x") + 15;
	assert_true(hex_parse(at, 2 * (size_t)SIG_SZ, raw, SIG_SZ));
	sig = (struct pm_signature){raw, SIG_SZ};
	assert_true(pm_order_signer(
	    gwpm_template(&kit.g, m), &kit.secp, &w, &sig, &s, &who));
	assert_memory_equal(who.b, kit.set.account.signer.b, sizeof(who.b));
	/* The book's hash is the identity, and no two are the same. */
	assert_memory_equal(s.id, o->hash.b, sizeof(s.id));
	for (unsigned i = 0; i < seen_n; i++)
		assert_memory_not_equal(&seen[i], s.id, sizeof(s.id));
	memcpy(seen[seen_n++].b, s.id, sizeof(s.id));
	return k->body;
}

static uint64_t
live(enum side side, int64_t milli, int64_t shares)
{
	uint64_t id = kit_place(1, side, milli, shares);

	(void)sent(id);
	kit_reply_of(kit_find("POST", "/order"), 200, id, KIT_LIVE);
	return id;
}

static void
neighbours_are_signed_while_idle(void **state)
{
	uint64_t id = live(SIDE_BID, 400, 100);
	unsigned had = entries();
	const struct gwpm_order *o;
	const char *body;

	(void)state;
	gwpm_timer(&kit.g, &kit.now);
	assert_int_equal(entries(), had + 1); /* one a turn, no more */
	assert_int_equal(gwpm_wake(&kit.g, kit.now.ns), kit.now.ns + 1000000);
	idle(20);
	assert_int_equal(entries(), 4);
	assert_true(gwpm_wake(&kit.g, kit.now.ns) > kit.now.ns + 10 * 1000000);
	id = kit_place(2, SIDE_BID, 401, 100);
	body = sent(id);
	assert_int_equal(kit.g.stat.ahead_hits, 1);
	assert_non_null(strstr(body, "\"postOnly\":true"));
	o = gwpm_order_by_id(kit.book, id);
	assert_true(o->qty.e8 <= 100 * E8);
	assert_true(o->qty.e8 >= 90 * E8);
	kit_reply_of(kit_find("POST", "/order"), 200, id, KIT_LIVE);
	assert_int_equal(kit_events(PORT_ACKED, id), 1);
}

/* The same price again: the first signature is gone. */
static void
never_twice(void **state)
{
	(void)state;
	live(SIDE_BID, 400, 100);
	idle(20);
	(void)sent(kit_place(2, SIDE_BID, 401, 100));
	(void)sent(kit_place(3, SIDE_BID, 401, 100));
	(void)sent(kit_place(4, SIDE_BID, 401, 100));
	assert_int_equal(kit.g.stat.ahead_hits, 1);
}

static void
sizes_must_fit(void **state)
{
	(void)state;
	live(SIDE_BID, 400, 100);
	idle(20);
	/* More than is wanted; far less than is wanted. */
	(void)sent(kit_place(2, SIDE_BID, 401, 90));
	(void)sent(kit_place(3, SIDE_BID, 399, 120));
	(void)sent(kit_place(4, SIDE_BID, 403, 100)); /* three ticks away */
	(void)sent(kit_place(5, SIDE_ASK, 401, 100)); /* the other side */
	assert_int_equal(kit.g.stat.ahead_hits, 0);
	(void)sent(kit_place(6, SIDE_BID, 399, 100));
	assert_int_equal(kit.g.stat.ahead_hits, 1);
}

static void
market_again(uint16_t epoch, int64_t tick_e8)
{
	struct instr in = {.epoch = epoch,
	    .tick_px = PX(tick_e8),
	    .min_qty = QTY(5 * E8),
	    .token_kind = TOKEN_CONDITIONAL};
	struct pm_token t;

	assert_true(pm_token_parse(KIT_YES, strlen(KIT_YES), &t));
	memcpy(in.token_yes, t.w, sizeof(in.token_yes));
	assert_true(pm_token_parse(KIT_NO, strlen(KIT_NO), &t));
	memcpy(in.token_no, t.w, sizeof(in.token_no));
	in.condition[0] = 16;
	gwpm_market(&kit.g, 16, &in);
}

static uint64_t
place_in(uint16_t epoch, int64_t milli, enum tif tif, int64_t expires_ns)
{
	struct port_act a = {.what = PORT_PLACE,
	    .slot = 9,
	    .id = (UINT64_C(3) << 40) | ++kit.counter,
	    .instr = 16,
	    .epoch = epoch,
	    .side = SIDE_BID,
	    .tif = (uint8_t)tif,
	    .px = PX(milli * (E8 / 1000)),
	    .qty = QTY(100 * E8),
	    .expires_wall_ns = expires_ns};

	gwpm_act(&kit.g, &a, &kit.now);
	return a.id;
}

/* Another tick is another epoch: what was signed before is not used. */
static void
T_07_a_new_epoch_forgets(void **state)
{
	(void)state;
	live(SIDE_BID, 400, 100);
	idle(20);
	market_again(2, E8 / 1000);
	(void)sent(place_in(2, 401, TIF_GTC, 0));
	assert_int_equal(kit.g.stat.ahead_hits, 0);
	/* A grid that has the price no more, were the epoch the same. */
	market_again(1, E8 / 100);
	(void)place_in(1, 402, TIF_GTC, 0);
	gwpm_flush(&kit.g, &kit.now);
	assert_int_equal(kit.g.stat.ahead_hits, 0);
}

/* The end of a dated order is not signed: it is the order's own, and what
 * has ended does not come back. */
static void
dates_are_the_orders_own(void **state)
{
	int64_t end_s = KIT_WALL_S + 1000;
	char want[48];
	const char *body;

	(void)state;
	live(SIDE_BID, 400, 100);
	idle(20);
	body = sent(place_in(1, 401, TIF_GTC, end_s * NS_PER_S));
	assert_int_equal(kit.g.stat.ahead_hits, 1);
	(void)snprintf(want, sizeof(want), "\"expiration\":\"%lld\"",
	    (long long)end_s + 60);
	assert_non_null(strstr(body, want));
	assert_non_null(strstr(body, "\"orderType\":\"GTD\""));
	body = sent(place_in(1, 399, TIF_IOC, 0));
	assert_int_equal(kit.g.stat.ahead_hits, 1);
	assert_non_null(strstr(body, "\"orderType\":\"FAK\""));
}

/* What is old is not used, and is signed anew before. */
static void
signatures_age(void **state)
{
	(void)state;
	live(SIDE_BID, 400, 100);
	idle(20);
	kit.now.ns += GWPM_AHEAD_NS;
	kit.now.wall_ns += (int64_t)GWPM_AHEAD_NS;
	(void)sent(kit_place(2, SIDE_BID, 401, 100));
	assert_int_equal(kit.g.stat.ahead_hits, 0);
}

/* What was wanted is more than what was signed. */
static void
T_28_a_short_order_bounds_its_fills(void **state)
{
	uint64_t id;

	(void)state;
	live(SIDE_BID, 400, 100);
	idle(20);
	id = kit_place(2, SIDE_BID, 401, 100);
	(void)sent(id);
	assert_true(gwpm_order_by_id(kit.book, id)->is_short);
	kit_reply_of(kit_find("POST", "/order"), 200, id, KIT_LIVE);
	kit_trade(id, "t1", "MATCHED", "100");
	assert_int_equal(kit_events(PORT_FILLED, id), 0);
	assert_int_equal(kit.log_n[GWPM_LOG_IMPOSSIBLE], 1);
	assert_int_equal(kit.mode, PORT_BLOCKED);
}

/* All of it has traded: what was never sent is over too. */
static void
a_short_order_ends_whole(void **state)
{
	uint64_t id;
	char size[32];
	const struct gwpm_order *o;

	(void)state;
	live(SIDE_BID, 400, 100);
	idle(20);
	id = kit_place(2, SIDE_BID, 401, 100);
	(void)sent(id);
	o = gwpm_order_by_id(kit.book, id);
	assert_true(o->is_short);
	kit_reply_of(kit_find("POST", "/order"), 200, id, KIT_LIVE);
	(void)snprintf(size, sizeof(size), "%lld.%02lld",
	    (long long)(o->qty.e8 / E8),
	    (long long)(o->qty.e8 % E8 / (E8 / 100)));
	kit_trade(id, "t1", "MATCHED", size);
	assert_int_equal(kit_events(PORT_FILLED, id), 1);
	assert_int_equal(kit_events(PORT_CANCELLED, id), 1);
	assert_int_equal(o->state, GWPM_DONE);
}

/* An order of the life before rests, and its neighbours are signed anew. */
static void
another_life_has_other_salts(void **state)
{
	uint64_t old[GWPM_AHEADS];
	unsigned n = 0;
	unsigned again = 0;
	uint64_t id;

	(void)state;
	id = live(SIDE_BID, 400, 100);
	idle(20);
	for (unsigned i = 0; i < GWPM_AHEADS; i++)
		if (kit.g.ahead[i].is_used)
			old[n++] = kit.g.ahead[i].salt;
	assert_true(n > 0);
	for (unsigned i = 0; i < KIT_HTTP; i++)
		kit.http[i].is_done = true;
	secp_close(&kit.secp);
	kit.set.has_presign = true;
	kit.set.presign_tolerance = QTY(E8 / 10);
	kit_open();
	gwpm_start(&kit.g, &kit.now);
	gwpm_user_up(&kit.g, &kit.now);
	kit_quiet();
	kit_reply_of(kit_ask(id), 200, id, KIT_IS_LIVE);
	idle(20);
	assert_int_equal(entries(), n);
	for (unsigned i = 0; i < GWPM_AHEADS; i++)
		for (unsigned k = 0; k < n && kit.g.ahead[i].is_used; k++)
			again += kit.g.ahead[i].salt == old[k];
	assert_int_equal(again, 0);
}

static void
off_means_off(void **state)
{
	(void)state;
	kit.g.set.has_presign = false;
	live(SIDE_BID, 400, 100);
	idle(20);
	assert_int_equal(entries(), 0);
	(void)sent(kit_place(2, SIDE_BID, 401, 100));
	assert_int_equal(kit.g.stat.ahead_hits + kit.g.stat.ahead_misses, 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, kit_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(neighbours_are_signed_while_idle),
	    CASE(never_twice),
	    CASE(sizes_must_fit),
	    CASE(T_07_a_new_epoch_forgets),
	    CASE(dates_are_the_orders_own),
	    CASE(signatures_age),
	    CASE(a_short_order_ends_whole),
	    CASE(T_28_a_short_order_bounds_its_fills),
	    CASE(another_life_has_other_salts),
	    CASE(off_means_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

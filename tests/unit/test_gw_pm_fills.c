/* links: execd libvenue libsign libsys libshm libcore */
/*
 * The reference vectors of own fills: a trade message in, what we got out,
 * told in every status, once and thrice. What an order's signature cannot
 * have given is no fill.
 */
#include "tests/unit/gwpmkit.h"

#include "libcore/json.h"

#define FILE_MAX ((size_t)4 << 20)

static char *vectors;
static size_t vectors_n;
static unsigned checked;

/* RM_VECTORS or ../shared/venues/vectors, as for the signatures. */
static bool
load(void)
{
	const char *root = getenv("RM_VECTORS");
	char path[900];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/polymarket.json",
	    root != NULL ? root : "../shared/venues/vectors");
	f = fopen(path, "rb");
	if (f == NULL) {
		printf("# skipped: no %s (set RM_VECTORS)\n", path);
		return false;
	}
	vectors = malloc(FILE_MAX);
	assert_non_null(vectors);
	vectors_n = fread(vectors, 1, FILE_MAX, f);
	(void)fclose(f);
	return true;
}

struct want {
	char order[PM_ID_TEXT_MAX];
	bool is_yes;
	bool is_buy;
	bool is_maker;
	px_t px;
	qty_t qty;
};

static void
text_of(struct json *j, char *out, size_t cap)
{
	struct json_str s;

	assert_true(json_string(j, &s));
	assert_true(s.n < cap);
	memcpy(out, s.s, s.n);
	out[s.n] = '\0';
}

static struct want
read_want(struct json *j)
{
	struct want w = {0};
	struct json_str key;
	char buf[128];

	assert_true(json_object(j));
	while (json_key(j, &key)) {
		if (json_is(key, "qty")) {
			assert_true(json_e8(j, QTY_E8_MAX, &w.qty.e8));
			continue;
		}
		if (json_is(key, "price")) {
			assert_true(json_e8(j, E8, &w.px.e8));
			continue;
		}
		text_of(j, buf, sizeof(buf));
		if (json_is(key, "order_id"))
			memcpy(w.order, buf, sizeof(w.order));
		else if (json_is(key, "asset_id"))
			w.is_yes = strcmp(buf, KIT_YES) == 0;
		else if (json_is(key, "side"))
			w.is_buy = strcmp(buf, "BUY") == 0;
		else if (json_is(key, "liquidity"))
			w.is_maker = strcmp(buf, "MAKER") == 0;
	}
	return w;
}

static void
same(const struct want *w, const struct port_event *ev)
{
	bool is_bid = w->is_buy == w->is_yes;

	assert_int_equal(ev->what, PORT_FILLED);
	assert_int_equal(ev->side, is_bid ? SIDE_BID : SIDE_ASK);
	assert_int_equal(
	    ev->px.e8, w->is_yes ? w->px.e8 : px_complement(w->px).e8);
	assert_int_equal(ev->qty.e8, w->qty.e8);
	assert_int_equal(ev->is_maker, w->is_maker);
	assert_int_equal(ev->usd.e6 > 0, !w->is_maker);
	checked++;
}

/* The trade three times; the fills once, in the order of the vectors. */
static void
one_vector(struct json_str trade, struct json_str fills)
{
	struct json j;
	unsigned n = 0;

	kit_begin(NULL);
	kit.ev_n = 0;
	for (int i = 0; i < 3; i++)
		gwpm_user_text(&kit.g, trade.s, trade.n, &kit.now);
	json_init(&j, fills.s, fills.n);
	assert_true(json_array(&j));
	while (json_item(&j)) {
		struct want w = read_want(&j);

		while (n < kit.ev_n && kit.ev[n].what == PORT_CONFIRMED)
			n++;
		assert_true(n < kit.ev_n);
		same(&w, &kit.ev[n++]);
	}
	while (n < kit.ev_n)
		assert_int_equal(kit.ev[n++].what, PORT_CONFIRMED);
	kit_end(NULL);
}

static void
read_vectors(struct json *j)
{
	struct json_str key;

	assert_true(json_array(j));
	while (json_item(j)) {
		struct json_str trade = {0};
		struct json_str fills = {0};

		assert_true(json_object(j));
		while (json_key(j, &key)) {
			if (json_is(key, "trade"))
				json_raw(j, &trade);
			else if (json_is(key, "expected_fills"))
				json_raw(j, &fills);
			else
				json_skip(j);
		}
		one_vector(trade, fills);
	}
}

static void
T_16_T_17_fills_are_those_of_the_vectors(void **state)
{
	struct json_str key;
	struct json j;

	(void)state;
	if (!load()) {
		skip();
		return;
	}
	json_init(&j, vectors, vectors_n);
	assert_true(json_object(&j));
	while (json_key(&j, &key)) {
		if (json_is(key, "fills"))
			read_vectors(&j);
		else
			json_skip(&j);
	}
	assert_true(json_end(&j));
	assert_true(checked >= 6);
	free(vectors);
}

/* ---- bounds ---- */

/* Our order rested (maker) or took one that rested, of the token YES. */
static void
trade_at(uint64_t id, bool is_maker, const char *trade, const char *status,
    const char *size, const char *px)
{
	char ours[PM_ID_TEXT_MAX];
	char theirs[PM_ID_TEXT_MAX];
	char text[2048];

	kit_hash(id, ours);
	(void)snprintf(theirs, sizeof(theirs), "0x%064d", 7);
	(void)snprintf(text, sizeof(text),
	    "{\"event_type\":\"trade\",\"type\":\"TRADE\",\"id\":\"%s\","
	    "\"taker_order_id\":\"%s\",\"asset_id\":\"" KIT_YES "\","
	    "\"side\":\"BUY\",\"size\":\"%s\",\"price\":\"%s\",\"status\":"
	    "\"%s\",\"match_time\":\"1789999001\",\"owner\":\"%s\","
	    "\"maker_orders\":[{\"order_id\":\"%s\",\"owner\":\"%s\","
	    "\"matched_amount\":\"%s\",\"price\":\"%s\",\"asset_id\":"
	    "\"" KIT_YES "\"}],\"trader_side\":\"%s\"}",
	    trade, is_maker ? theirs : ours, size, px, status,
	    is_maker ? "x" : KIT_KEY, is_maker ? ours : theirs,
	    is_maker ? KIT_KEY : "x", size, px, is_maker ? "MAKER" : "TAKER");
	gwpm_user_text(&kit.g, text, strlen(text), &kit.now);
}

/* Booked, each of it; nothing is amiss. */
static void
all_well(uint64_t id, unsigned fills)
{
	assert_int_equal(kit_events(PORT_FILLED, id), fills);
	assert_int_equal(kit.g.stat.impossible, 0);
	assert_int_equal(kit.mode, PORT_NORMAL);
}

/* The last one was not booked, and a person is asked for. */
static void
refused(uint64_t id, unsigned fills, const char *figures)
{
	assert_int_equal(kit_events(PORT_FILLED, id), fills);
	assert_int_equal(kit.g.stat.impossible, 1);
	assert_int_equal(kit.log_n[GWPM_LOG_IMPOSSIBLE], 1);
	assert_non_null(strstr(kit.logged, figures));
	assert_int_equal(kit.mode, PORT_BLOCKED);
	assert_non_null(strstr(kit.why, "not booked"));
}

static int64_t
net(void)
{
	struct gwpm_balance b;

	assert_true(gwpm_balances(&kit.g, 16, &b));
	return b.yes_net_e8;
}

static void
T_28_more_than_the_order_is_no_fill(void **state)
{
	uint64_t id = kit_rest(1, SIDE_BID, 400, 10);

	(void)state;
	trade_at(id, true, "t1", "MATCHED", "6.5", "0.4");
	all_well(id, 1);
	trade_at(id, true, "t2", "MATCHED", "3.500001", "0.4");
	refused(id, 1,
	    "bought 3.50000100; the order: 10.00000000 at 0.40000000, traded "
	    "6.50000000; trade t2");
	trade_at(id, true, "t2", "MINED", "3.500001", "0.4");
	trade_at(id, true, "t2", "CONFIRMED", "3.500001", "0.4");
	refused(id, 1, "t2");
	assert_int_equal(kit_events(PORT_CONFIRMED, id), 0);
	assert_int_equal(net(), 65 * E8 / 10);
}

/* The wallet that holds the money is another than the key's: a leg is ours by
 * our order's id, and not by an address; an owner who is not us makes a leg
 * with our address somebody else's. */
static void
T_18_legs_are_ours_by_order_and_not_by_address(void **state)
{
	uint64_t id = kit_rest(1, SIDE_BID, 400, 10);
	char ours[PM_ID_TEXT_MAX];
	char text[2048];

	(void)state;
	kit_hash(id, ours);
	(void)snprintf(text, sizeof(text),
	    "{\"event_type\":\"trade\",\"type\":\"TRADE\",\"id\":\"t1\","
	    "\"taker_order_id\":\"0x%064d\",\"asset_id\":\"" KIT_YES "\","
	    "\"side\":\"SELL\",\"size\":\"9\",\"price\":\"0.4\",\"status\":"
	    "\"MATCHED\",\"match_time\":\"1789999001\",\"owner\":\"x\","
	    "\"maker_orders\":["
	    "{\"order_id\":\"0x%064d\",\"owner\":\"y\",\"maker_address\":\"%"
	    "s\","
	    "\"matched_amount\":\"5\",\"price\":\"0.4\",\"asset_id\":"
	    "\"" KIT_YES "\"},"
	    "{\"order_id\":\"%s\",\"owner\":\"" KIT_KEY "\",\"maker_address\":"
	    "\"0x000000000000000000000000000000000000dEaD\","
	    "\"matched_amount\":\"4\",\"price\":\"0.4\",\"asset_id\":"
	    "\"" KIT_YES "\"}],\"trader_side\":\"MAKER\"}",
	    7, 8, kit.g.maker, ours);
	gwpm_user_text(&kit.g, text, strlen(text), &kit.now);
	all_well(id, 1);
	assert_int_equal(net(), 4 * E8);
}

static void
T_28_all_of_the_order_is_filled(void **state)
{
	uint64_t id = kit_rest(1, SIDE_BID, 400, 10);

	(void)state;
	trade_at(id, true, "t1", "MATCHED", "3.333333", "0.4");
	trade_at(id, true, "t2", "MATCHED", "3.333333", "0.4");
	trade_at(id, true, "t3", "MATCHED", "3.333334", "0.4");
	all_well(id, 3);
	assert_int_equal(net(), 10 * E8);
	assert_true(gwpm_flat(&kit.g));
	trade_at(id, true, "t4", "MATCHED", "0.000001", "0.4");
	refused(id, 3, "bought 0.00000100");
}

static void
T_28_what_failed_frees_nothing(void **state)
{
	uint64_t id = kit_rest(1, SIDE_BID, 400, 10);

	(void)state;
	trade_at(id, true, "t1", "MATCHED", "6", "0.4");
	trade_at(id, true, "t1", "FAILED", "6", "0.4");
	trade_at(id, true, "t2", "MATCHED", "4", "0.4");
	all_well(id, 2);
	trade_at(id, true, "t3", "MATCHED", "6", "0.4");
	refused(id, 2, "traded 10.00000000");
	assert_int_equal(net(), 4 * E8);
	kit_end(NULL);
	kit_begin(NULL);
	id = kit_rest(1, SIDE_BID, 400, 10);
	trade_at(id, true, "t1", "FAILED", "6", "0.4"); /* heard of late */
	trade_at(id, true, "t2", "MATCHED", "4.1", "0.4");
	refused(id, 0, "traded 6.00000000");
}

static void
T_28_who_rests_has_its_own_price(void **state)
{
	uint64_t id = kit_rest(1, SIDE_BID, 400, 10);
	uint64_t ask;

	(void)state;
	trade_at(id, true, "t1", "MATCHED", "4", "0.399");
	refused(id, 0, "at 0.39900000");
	kit_end(NULL);
	kit_begin(NULL);
	id = kit_rest(1, SIDE_BID, 400, 10);
	trade_at(id, true, "t1", "MATCHED", "4", "0.401");
	refused(id, 0, "at 0.40100000");
	kit_end(NULL);
	kit_begin(NULL);
	ask = kit_rest(1, SIDE_ASK, 400, 10); /* buys NO at 0.6 */
	kit_trade(ask, "t1", "MATCHED", "4");
	all_well(ask, 1);
}

static uint64_t
place_now(uint8_t tif, int64_t milli, int64_t shares)
{
	struct port_act a = {.what = PORT_PLACE,
	    .slot = 1,
	    .id = (UINT64_C(3) << 40) | ++kit.counter,
	    .instr = 16,
	    .epoch = 1,
	    .side = SIDE_BID,
	    .tif = tif,
	    .px = PX(milli * (E8 / 1000)),
	    .qty = QTY(shares * E8)};

	gwpm_act(&kit.g, &a, &kit.now);
	gwpm_flush(&kit.g, &kit.now);
	return a.id;
}

static void
T_28_who_takes_has_its_limit_or_better(void **state)
{
	uint64_t id = place_now(TIF_GTC, 400, 10);

	(void)state;
	trade_at(id, false, "t1", "MATCHED", "4", "0.35");
	trade_at(id, false, "t2", "MATCHED", "4", "0.4");
	all_well(id, 2);
	trade_at(id, false, "t3", "MATCHED", "2", "0.401");
	refused(id, 2, "at 0.40100000");
}

/* Signed for 4 dollars: at half of the price twice as much. */
static void
T_28_who_buys_at_once_has_a_budget(void **state)
{
	uint64_t id = place_now(TIF_IOC, 400, 10);

	(void)state;
	trade_at(id, false, "t1", "MATCHED", "15", "0.2");
	all_well(id, 1);
	trade_at(id, false, "t2", "MATCHED", "5.1", "0.2");
	refused(id, 1, "bought 5.10000000");
	assert_int_equal(net(), 15 * E8);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, kit_begin, kit_end)
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(T_16_T_17_fills_are_those_of_the_vectors),
	    T(T_28_more_than_the_order_is_no_fill),
	    T(T_18_legs_are_ours_by_order_and_not_by_address),
	    T(T_28_all_of_the_order_is_filled),
	    T(T_28_what_failed_frees_nothing),
	    T(T_28_who_rests_has_its_own_price),
	    T(T_28_who_takes_has_its_limit_or_better),
	    T(T_28_who_buys_at_once_has_a_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

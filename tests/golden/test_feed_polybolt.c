/* links: feedd libvenue libshm libcore */
/*
 * The newer price socket: what the feed says to it, what it makes of prices,
 * losses, refusals and close codes.
 */
#define _GNU_SOURCE
#include "tests/golden/feed_pm.h"

#define REF    1
#define OTHER  9
#define INDEX  INSTR_PM_BASE
#define T0     INT64_C(1777428650000)
#define S_NS   UINT64_C(1000000000)
#define LOGIN  "{\"apiKey\":\"k1\",\"secret\":\"s2\",\"passphrase\":\"p3\"}"
#define AUTHED "{\"op\":\"authed\",\"rid\":\"login\"}"

static struct rig *r;

static void
set_symbols(const char *a, const char *b)
{
	struct cfg_list *l = &r->cfg.polymarket_rtds_symbols;

	memset(l, 0, sizeof(*l));
	snprintf(l->item[l->n++], CFG_ITEM_SZ, "%s", a);
	if (b != NULL)
		snprintf(l->item[l->n++], CFG_ITEM_SZ, "%s", b);
}

static void
start(const char *login, const char *markets)
{
	struct feed_event ev;

	r->f = calloc(1, feed_sz(VENUE_POLYMARKET));
	feed_init(r->f, VENUE_POLYMARKET, &r->cfg, 7, &r->sink);
	ev = rig_event(r, FEED_EV_START, 0);
	ev.data = login;
	ev.n = strlen(login);
	feed_step(r->f, &ev);
	rig_boot(r, markets);
	rig_pass(r, 1000000);
}

static int
setup(void **state)
{
	(void)state;
	r = rig_open();
	r->cfg.polymarket_price_stream = CFG_PRICE_STREAM_POLYBOLT;
	set_symbols("btc/usd", "btcusdt");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	rig_close(r);
	return 0;
}

/* Up to the subscriptions. */
static void
begin_with(bool is_kept)
{
	start(LOGIN, list);
	assert_string_equal(
	    rig_last(r, FEED_OPEN, REF)->url, "ws://127.0.0.1:18801/ws");
	rig_step(r, FEED_EV_UP, REF);
	rig_frame(r, REF, AUTHED);
	if (!is_kept)
		rig_clear(r);
}

static void
begin(void)
{
	begin_with(false);
}

static void
price(uint8_t conn, const char *channel, int seq, int64_t s, const char *px)
{
	char text[512];

	snprintf(text, sizeof(text),
	    "{\"v\":1,\"channel\":\"%s\",\"seq\":%d,\"ts\":%lld,"
	    "\"payload\":{\"symbol\":\"btcusd\",\"value\":%s,"
	    "\"timestamp\":%lld}}",
	    channel, seq, (long long)(T0 + 1000 * s + 100), px,
	    (long long)(T0 + 1000 * s));
	rig_frame(r, conn, text);
}

#define SPOT "price.crypto"
#define TWAP "price.crypto.twap"

static size_t
said(const char *text)
{
	size_t n = 0;

	for (size_t i = 0; i < r->act_n; i++)
		n += r->act[i].a.what == FEED_SEND &&
		     strstr(r->act[i].text, text) != NULL;
	return n;
}

static const struct tick *
last_ref(enum ref_source s)
{
	for (size_t i = r->tick_n; i-- > 0;)
		if (r->tick[i].hdr.kind == TICK_REF &&
		    r->tick[i].u.ref.source == s)
			return &r->tick[i];
	return NULL;
}

static uint64_t
noted(enum reason why)
{
	return feed_stats(r->f)->reason[why];
}

static size_t
told(enum feed_log log)
{
	size_t n = 0;

	for (size_t i = 0; i < r->act_n; i++)
		n += r->act[i].a.what == FEED_LOG && r->act[i].a.log == log;
	return n;
}

static void
credentials_then_subscriptions(void **state)
{
	(void)state;
	start(LOGIN, list);
	rig_clear(r);
	rig_step(r, FEED_EV_UP, REF);
	assert_int_equal(rig_count(r, FEED_SEND, REF), 1);
	assert_string_equal(rig_last(r, FEED_SEND, REF)->text,
	    "{\"op\":\"auth\",\"rid\":\"login\",\"auth\":{\"apiKey\":\"k1\","
	    "\"secret\":\"s2\",\"passphrase\":\"p3\"}}");
	assert_int_equal(feed_link(r->f, REF)->complete, false);
	rig_frame(r, REF, AUTHED);
	assert_int_equal(rig_count(r, FEED_SEND, REF), 3);
	/* the spot index once, though two of ours want it */
	assert_int_equal(
	    said("{\"op\":\"subscribe\",\"rid\":\"prices\",\"subscriptions\":"
		 "[{\"channel\":\"price.crypto\",\"filter\":{\"symbol\":"
		 "\"btcusd\"}}]}"),
	    1);
	assert_int_equal(
	    said("{\"op\":\"subscribe\",\"rid\":\"prices\",\"subscriptions\":"
		 "[{\"channel\":\"price.crypto.twap\",\"filter\":{\"symbol\":"
		 "\"btcusd\",\"window_seconds\":60}}]}"),
	    1);
	rig_pass(r, 2 * S_NS);
	rig_frame(r, REF, AUTHED); /* again: not subscribed twice */
	assert_int_equal(said("subscribe"), 2);
	assert_int_equal(feed_link(r->f, REF)->complete, true);
}

/* A relay alone has no average to ask for. */
static void
a_relay_wants_the_spot_index(void **state)
{
	(void)state;
	set_symbols("dogeusdt", NULL);
	begin_with(true);
	assert_int_equal(said("\"price.crypto\",\"filter\":{\"symbol\":"
			      "\"dogeusd\"}"),
	    1);
	assert_int_equal(said(TWAP), 0);
}

static void
prices_by_their_source(void **state)
{
	(void)state;
	begin();
	price(REF, SPOT, 1, 0, "61164.12");
	assert_non_null(last_ref(REF_RELAY));
	assert_int_equal(
	    last_ref(REF_RELAY)->u.ref.px.e8, INT64_C(6116412000000));
	assert_null(last_ref(REF_TWAP));
	assert_int_equal(rig_ticks(r, TICK_REF), 2); /* both of ours */
	price(REF, TWAP, 1, 0, "61165.5");
	assert_int_equal(
	    last_ref(REF_TWAP)->u.ref.px.e8, INT64_C(6116550000000));
	assert_int_equal(last_ref(REF_TWAP)->hdr.instr, INDEX);
	assert_int_equal(rig_ticks(r, TICK_REF), 3);
	assert_null(last_ref(REF_SPOT));
	assert_int_equal(r->instr[INDEX].settle_source, REF_TWAP);
	assert_int_equal(r->instr[INDEX + 1].settle_source, REF_RELAY);
	assert_int_equal(feed_link(r->f, REF)->state, LINK_READY);
	assert_int_equal(noted(REASON_SEQ_GAP), 0);
}

static void
T_03_a_loss_is_mended_by_the_snapshot(void **state)
{
	(void)state;
	begin();
	rig_pass(r, 2 * S_NS);
	price(REF, TWAP, 1, 1, "100");
	price(REF, SPOT, 1, 1, "90");
	price(REF, SPOT, 2, 2, "91");
	rig_clear(r);
	price(REF, TWAP, 4, 4, "103");
	assert_int_equal(noted(REASON_SEQ_GAP), 1);
	assert_int_equal(told(FEED_LOG_GAP), 1);
	assert_int_equal(said("\"price.crypto.twap\""), 1);
	assert_int_equal(said("\"price.crypto\""), 0);
	/* another loss at once: not more than one a second */
	price(REF, TWAP, 6, 5, "104");
	assert_int_equal(said("\"price.crypto.twap\""), 1);
	rig_pass(r, S_NS);
	assert_int_equal(said("\"price.crypto.twap\""), 2);
	price(REF, TWAP, 7, 6, "105");
	assert_int_equal(noted(REASON_SEQ_GAP), 2);
}

static void
dropped_frames_are_asked_again(void **state)
{
	(void)state;
	begin();
	rig_pass(r, 2 * S_NS);
	rig_clear(r);
	rig_frame(r, REF, "{\"op\":\"dropped\"}");
	assert_int_equal(noted(REASON_SEQ_GAP), 1);
	assert_int_equal(rig_count(r, FEED_SEND, REF), 2);
}

#define OPEN_S INT64_C(1788220800) /* 2026-09-01T00:00:00Z */

static const char window[] =
    "{\"markets\":[{\"conditionId\":\"" COND "\","
    "\"slug\":\"btc-updown-15m-1788220800\","
    "\"outcomes\":\"[\\\"Down\\\", \\\"Up\\\"]\","
    "\"clobTokenIds\":\"[\\\"" NO "\\\", \\\"" YES "\\\"]\","
    "\"orderPriceMinTickSize\":0.01,\"orderMinSize\":5,\"negRisk\":false,"
    "\"active\":true,\"closed\":false,\"acceptingOrders\":true,"
    "\"enableOrderBook\":true,"
    "%s"
    "\"eventStartTime\":\"2026-09-01T00:00:00Z\","
    "\"endDate\":\"2026-09-01T00:15:00Z\"}]}";

static void
begin_window(const char *rules)
{
	char text[1024];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(text, sizeof(text), window, rules);
#pragma GCC diagnostic pop
	r->wall_ns = (OPEN_S - 100) * NS_PER_S;
	start(LOGIN, text);
	rig_step(r, FEED_EV_UP, REF);
	rig_frame(r, REF, AUTHED);
	assert_int_equal(r->instr[IDX].start_wall_ns, OPEN_S * NS_PER_S);
}

/* The second of the opening was lost, and comes with the snapshot. */
static void
T_02_strike_is_the_average_of_the_opening_second(void **state)
{
	const int64_t s = OPEN_S - T0 / 1000;
	char text[512];

	(void)state;
	begin_window(RULES_TWAP("60-second "));
	assert_int_equal(r->instr[IDX].settle_source, REF_TWAP);
	price(REF, SPOT, 1, s, "150"); /* decides nothing */
	price(REF, TWAP, 1, s - 30, "100");
	price(REF, TWAP, 3, s + 1, "102");
	assert_int_equal(r->instr[IDX].strike_source, 0);
	snprintf(text, sizeof(text),
	    "{\"v\":1,\"channel\":\"price.crypto.twap\",\"seq\":4,"
	    "\"ts\":%lld,\"snapshot\":true,\"payload\":{\"symbol\":"
	    "\"btcusd\",\"data\":[{\"timestamp\":%lld,\"value\":100},"
	    "{\"timestamp\":%lld,\"value\":101},"
	    "{\"timestamp\":%lld,\"value\":102}]}}",
	    (long long)(T0 + 1000 * (s + 1) + 200),
	    (long long)(T0 + 1000 * (s - 30)), (long long)(T0 + 1000 * s),
	    (long long)(T0 + 1000 * (s + 1)));
	rig_frame(r, REF, text);
	assert_int_equal(noted(REASON_SEQ_GAP), 1);
	assert_int_equal(r->instr[IDX].strike_source, STRIKE_PROVISIONAL);
	assert_int_equal(r->instr[IDX].strike_px.e8, INT64_C(101) * E8);
	assert_int_equal(last_ref(REF_TWAP)->u.ref.px.e8, INT64_C(102) * E8);
}

/* A window that Binance settles: the spot index here is not Binance's. */
static void
T_02_the_spot_index_is_no_strike(void **state)
{
	const int64_t s = OPEN_S - T0 / 1000;

	(void)state;
	begin_window(RULES_HOUR);
	assert_int_equal(r->instr[IDX].settle_source, REF_RELAY);
	assert_int_equal(r->instr[IDX].settle_index, INDEX + 1);
	price(REF, SPOT, 1, s, "150");
	price(REF, SPOT, 2, s + 1, "151");
	assert_int_equal(last_ref(REF_RELAY)->u.ref.px.e8, INT64_C(151) * E8);
	assert_int_equal(r->instr[IDX].strike_source, 0);
}

static void
refused_credentials_are_not_a_loop(void **state)
{
	(void)state;
	start(LOGIN, list);
	rig_step(r, FEED_EV_UP, REF);
	rig_clear(r);
	rig_frame(r, REF,
	    "{\"op\":\"error\",\"code\":\"auth_invalid\",\"rid\":\"login\"}");
	assert_int_equal(told(FEED_LOG_LOGIN), 1);
	assert_string_equal(r->act[0].text, "auth_invalid");
	assert_int_equal(noted(REASON_REFUSED), 1);
	assert_int_equal(rig_count(r, FEED_CLOSE, REF), 1);
	rig_down(r, REF, 1000);
	rig_clear(r);
	rig_pass(r, 299 * S_NS);
	assert_int_equal(rig_count(r, FEED_OPEN, REF), 0);
	rig_pass(r, 2 * S_NS);
	assert_int_equal(rig_count(r, FEED_OPEN, REF), 1);
}

static void
close_codes(void **state)
{
	static const struct {
		uint16_t code;
		uint64_t least_s;
		uint64_t most_s;
		size_t logins;
	} cases[] = {
	    {4001, 300, 300, 1},
	    {4002, 0, 1, 0},
	    {4003, 0, 10, 0},
	    {4003, 0, 10, 0},
	    {4003, 0, 10, 0},
	    {4003, 0, 10, 0},
	    {4008, 300, 300, 0},
	    {1006, 0, 1, 0},
	};
	uint64_t drained_ns = 0;

	(void)state;
	begin();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct link *l = feed_link(r->f, REF);

		rig_clear(r);
		price(REF, TWAP, 1, (int64_t)i, "100");
		rig_down(r, REF, cases[i].code);
		assert_in_range(l->retry_ns - r->now_ns,
		    cases[i].least_s * S_NS, cases[i].most_s * S_NS);
		if (cases[i].code == 4003 &&
		    l->retry_ns - r->now_ns > drained_ns)
			drained_ns = l->retry_ns - r->now_ns;
		assert_int_equal(told(FEED_LOG_LOGIN), cases[i].logins);
		rig_until(r, l->retry_ns + 2 * S_NS);
		assert_non_null(rig_last(r, FEED_OPEN, REF));
		rig_step(r, FEED_EV_UP, REF);
		rig_frame(r, REF, AUTHED);
		rig_pass(r, 31 * S_NS); /* healthy: back-off starts over */
		if (feed_link(r->f, REF)->closing) {
			rig_down(r, REF, 1000);
			rig_pass(r, S_NS);
			rig_step(r, FEED_EV_UP, REF);
			rig_frame(r, REF, AUTHED);
		}
	}
	assert_true(drained_ns > S_NS); /* by the rig's random numbers */
}

static void
other_refusals_leave_the_rest(void **state)
{
	(void)state;
	begin();
	rig_pass(r, 2 * S_NS);
	rig_clear(r);
	rig_frame(r, REF,
	    "{\"op\":\"error\",\"code\":\"bad_filter\","
	    "\"channel\":\"price.crypto\"}");
	assert_int_equal(told(FEED_LOG_REFUSED), 1);
	assert_int_equal(rig_count(r, FEED_CLOSE, REF), 0);
	assert_int_equal(rig_count(r, FEED_SEND, REF), 0);
	rig_frame(r, REF, "{\"op\":\"error\",\"code\":\"rate_limited\"}");
	assert_int_equal(said("subscribe"), 0);
	rig_pass(r, S_NS);
	assert_int_equal(said("subscribe"), 2);
	rig_frame(r, REF, "{\"op\":\"error\",\"code\":\"auth_unavailable\"}");
	assert_int_equal(rig_count(r, FEED_CLOSE, REF), 1);
	rig_down(r, REF, 1000);
	assert_in_range(
	    feed_link(r->f, REF)->retry_ns - r->now_ns, 0, 30 * S_NS);
	assert_int_equal(told(FEED_LOG_LOGIN), 0);
}

static void
T_51_silence_is_a_new_connection(void **state)
{
	(void)state;
	begin();
	price(REF, TWAP, 1, 0, "100");
	rig_clear(r);
	for (int i = 0; i < 9; i++) {
		rig_frame(r, REF, "{\"op\":\"pong\"}");
		rig_pass(r, S_NS);
	}
	assert_int_equal(rig_count(r, FEED_CLOSE, REF), 0);
	assert_true(said("{\"op\":\"ping\"}") > 0);
	assert_int_equal(said("PING"), 0);
	rig_frame(r, REF, "{\"op\":\"pong\"}");
	rig_pass(r, 2 * S_NS);
	assert_int_equal(rig_count(r, FEED_CLOSE, REF), 1);
	assert_true(feed_link(r->f, REF)->has_pong);
}

static void
two_lanes_are_one_stream(void **state)
{
	(void)state;
	r->cfg.polymarket_ab = true;
	set_symbols("btc/usd", NULL);
	begin();
	rig_step(r, FEED_EV_UP, OTHER);
	rig_frame(r, OTHER, AUTHED);
	rig_clear(r);
	price(REF, TWAP, 1, 1, "100");
	price(OTHER, TWAP, 7, 1, "100");
	price(OTHER, TWAP, 8, 2, "101");
	price(REF, TWAP, 2, 2, "101");
	assert_int_equal(rig_ticks(r, TICK_REF), 2);
	assert_int_equal(noted(REASON_SEQ_GAP), 0);
	rig_down(r, REF, 1006);
	price(OTHER, TWAP, 9, 3, "102");
	assert_int_equal(rig_ticks(r, TICK_REF), 3);
	assert_int_equal(rig_ticks(r, TICK_GAP), 0);
}

static void
credentials_are_not_kept(void **state)
{
	const char *at;

	(void)state;
	start(LOGIN, list);
	at = (const char *)r->f;
	rig_step(r, FEED_EV_UP, REF);
	assert_null(memmem(at, feed_sz(VENUE_POLYMARKET), "\"s2\"", 4));
	assert_non_null(memmem(at, feed_sz(VENUE_POLYMARKET), "p3\0", 3));
	rig_step(r, FEED_EV_STOP, 0);
	assert_null(memmem(at, feed_sz(VENUE_POLYMARKET), "\"s2\"", 4));
	assert_null(memmem(at, feed_sz(VENUE_POLYMARKET), "p3\0", 3));
}

static void
no_credentials_no_connection(void **state)
{
	(void)state;
	start("{\"apiKey\":\"k1\",\"secret\":\"s2\"}", list);
	assert_null(rig_last(r, FEED_OPEN, REF));
	assert_int_equal(told(FEED_LOG_LOGIN), 1);
}

static void
no_price_stream(void **state)
{
	(void)state;
	r->cfg.polymarket_price_stream = CFG_PRICE_STREAM_NONE;
	start("", list);
	assert_non_null(rig_last(r, FEED_OPEN, 0));
	assert_null(rig_last(r, FEED_OPEN, REF));
	assert_int_equal(r->instr[INDEX].venue, 0);
	assert_int_equal(r->instr[IDX].settle_index, 0);
	assert_int_equal(r->instr[IDX].strike_source, 0);
}

int
main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(credentials_then_subscriptions),
	    T(a_relay_wants_the_spot_index),
	    T(prices_by_their_source),
	    T(T_03_a_loss_is_mended_by_the_snapshot),
	    T(dropped_frames_are_asked_again),
	    T(T_02_strike_is_the_average_of_the_opening_second),
	    T(T_02_the_spot_index_is_no_strike),
	    T(refused_credentials_are_not_a_loop),
	    T(close_codes),
	    T(other_refusals_leave_the_rest),
	    T(T_51_silence_is_a_new_connection),
	    T(two_lanes_are_one_stream),
	    T(credentials_are_not_kept),
	    T(no_credentials_no_connection),
	    T(no_price_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

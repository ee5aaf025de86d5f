/* links: libvenue libcore */
/* The newer price socket: the same prices as the older one, and its own
 * conversation around them. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fuzz/decode_reference.h"
#include "tests/golden/data.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define FRAMES "tests/golden/frames/polybolt/"

static struct polybolt_event ev;
static char *text;

static int
teardown(void **state)
{
	(void)state;
	free(text);
	text = NULL;
	return 0;
}

static void
own(const char *name, enum polybolt_kind kind)
{
	char path[256];
	size_t n;

	free(text);
	snprintf(path, sizeof(path), "%s%s", FRAMES, name);
	text = data_read_path(path, &n);
	if (text == NULL)
		fail_msg("no %s: run from the root", path);
	(void)fuzz_polybolt(text, n);
	if (polybolt_decode(&ev, text, n) != kind)
		fail_msg("%s: kind %d, %s at %u", name, ev.kind,
		    reason_name(ev.reason), ev.err_off);
}

static void
prices(void **state)
{
	(void)state;
	own("snapshot.json", POLYBOLT_PRICE);
	assert_int_equal(ev.channel, POLYBOLT_CRYPTO_TWAP);
	assert_int_equal(ev.seq, 1);
	assert_int_equal(ev.price.kind, RTDS_SNAPSHOT);
	assert_int_equal(ev.price.source, RTDS_TWAP60);
	assert_string_equal(ev.price.symbol, "btcusd");
	assert_string_equal(ev.price.coin, "btc");
	assert_int_equal(ev.price.points_n, 2);
	assert_int_equal(ev.price.points[0].px.e8, INT64_C(6116412000000));
	assert_int_equal(ev.price.points[1].px.e8, INT64_C(6116440123456));
	assert_int_equal(
	    ev.price.points[1].venue_ns, INT64_C(1789999999000) * NS_PER_MS);
	assert_int_equal(ev.price.sent_ns, INT64_C(1790000000123) * NS_PER_MS);

	own("update.json", POLYBOLT_PRICE);
	assert_int_equal(ev.seq, 2);
	assert_int_equal(ev.price.kind, RTDS_UPDATE);
	assert_int_equal(ev.price.points_n, 1);
	assert_int_equal(ev.price.points[0].px.e8, INT64_C(6116501000000));

	own("update_spot.json", POLYBOLT_PRICE);
	assert_int_equal(ev.channel, POLYBOLT_CRYPTO);
	assert_int_equal(ev.price.source, RTDS_PYTH);
	assert_string_equal(ev.price.coin, "doge");
	assert_int_equal(ev.price.points[0].px.e8, 21345678);

	own("equity.json", POLYBOLT_PRICE);
	assert_int_equal(ev.channel, POLYBOLT_EQUITY_TWAP);
	assert_string_equal(ev.price.coin, "aapl");
}

static void
conversation(void **state)
{
	(void)state;
	own("authed.json", POLYBOLT_AUTHED);
	assert_true(json_is(ev.rid, "a1"));
	own("error.json", POLYBOLT_REFUSED);
	assert_int_equal(ev.code, POLYBOLT_BAD_FILTER);
	assert_true(json_is(ev.code_text, "bad_filter"));
	assert_int_equal(ev.channel, POLYBOLT_CRYPTO);
	own("pong.json", POLYBOLT_PONG);
	own("subscribed.json", POLYBOLT_ACK);
	own("dropped.json", POLYBOLT_DROPPED);
	assert_int_equal(ev.channel, POLYBOLT_CRYPTO_TWAP);
	own("unknown_op.json", POLYBOLT_UNKNOWN);
	assert_int_equal(ev.reason, REASON_UNKNOWN_EVENT);
}

static void
codes(void **state)
{
	static const struct {
		const char *name;
		enum polybolt_code code;
	} cases[] = {
	    {"auth_required", POLYBOLT_AUTH_REQUIRED},
	    {"auth_invalid", POLYBOLT_AUTH_INVALID},
	    {"auth_unavailable", POLYBOLT_AUTH_UNAVAILABLE},
	    {"bad_filter", POLYBOLT_BAD_FILTER},
	    {"sub_limit", POLYBOLT_SUB_LIMIT},
	    {"rate_limited", POLYBOLT_RATE_LIMIT},
	    {"auth_attempts", POLYBOLT_AUTH_ATTEMPTS},
	    {"full_moon", POLYBOLT_OTHER},
	    {"", POLYBOLT_OTHER},
	};
	char buf[128];

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		int n = snprintf(buf, sizeof(buf),
		    "{\"op\":\"error\",\"code\":\"%s\"}", cases[i].name);

		assert_int_equal(
		    polybolt_decode(&ev, buf, (size_t)n), POLYBOLT_REFUSED);
		assert_int_equal(ev.code, cases[i].code);
	}
	assert_int_equal(
	    polybolt_decode(&ev, "{\"op\":\"error\"}", 14), POLYBOLT_REFUSED);
	assert_int_equal(ev.code, POLYBOLT_OTHER);
}

#define HEAD	       "{\"v\":1,\"channel\":\"price.crypto\",\"seq\":1,\"ts\":1,"
#define UPDATE(fields) HEAD "\"payload\":{\"symbol\":\"btcusd\"," fields "}}"

/* The exact value counts when it is within 1 % of the plain one. */
static void
values(void **state)
{
	static const struct {
		const char *text;
		int64_t e8; /* 0: refused */
	} cases[] = {
	    {UPDATE("\"timestamp\":1,\"value\":5"), 5 * E8},
	    {UPDATE("\"timestamp\":1,\"value\":5,"
		    "\"full_accuracy_value\":\"5000000001234567891\""),
		500000000},
	    {UPDATE("\"timestamp\":1,\"value\":5,"
		    "\"full_accuracy_value\":\"5010000001234567891\""),
		501000000},
	    {UPDATE("\"timestamp\":1,\"value\":5,"
		    "\"full_accuracy_value\":\"5.0123456789\""),
		501234567},
	    /* 1.2 % off, and the other scale */
	    {UPDATE("\"timestamp\":1,\"value\":5,"
		    "\"full_accuracy_value\":\"5060000000000000000\""),
		500000000},
	    {UPDATE("\"timestamp\":1,\"value\":5,"
		    "\"full_accuracy_value\":\"500000000\""),
		500000000},
	    {UPDATE("\"timestamp\":1,"
		    "\"full_accuracy_value\":\"5000000000000000000\""),
		500000000},
	    {UPDATE("\"timestamp\":1,\"value\":0"), 0},
	    {UPDATE("\"timestamp\":1,\"value\":-5"), 0},
	    {UPDATE("\"timestamp\":1,\"value\":null"), 0},
	    {UPDATE("\"timestamp\":1"), 0},
	    {UPDATE("\"value\":5"), 0},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		size_t n = strlen(cases[i].text);
		enum polybolt_kind kind =
		    polybolt_decode(&ev, cases[i].text, n);

		(void)fuzz_polybolt(cases[i].text, n);
		if (kind != (cases[i].e8 ? POLYBOLT_PRICE : POLYBOLT_ERR) ||
		    (cases[i].e8 && ev.price.points[0].px.e8 != cases[i].e8))
			fail_msg("%s: kind %d %s", cases[i].text, kind,
			    reason_name(ev.reason));
	}
}

static void
refusals(void **state)
{
	static const struct {
		const char *text;
		enum polybolt_kind kind;
		enum reason reason;
	} cases[] = {
	    {"", POLYBOLT_ERR, REASON_BAD_JSON},
	    {"PONG", POLYBOLT_ERR, REASON_BAD_JSON},
	    {"[]", POLYBOLT_ERR, REASON_BAD_TYPE},
	    {"{}", POLYBOLT_UNKNOWN, REASON_UNKNOWN_EVENT},
	    {"{\"op\":7}", POLYBOLT_ERR, REASON_BAD_TYPE},
	    {"{\"channel\":\"news\",\"seq\":1,\"payload\":{}}",
		POLYBOLT_UNKNOWN, REASON_UNKNOWN_EVENT},
	    {"{\"v\":2,\"channel\":\"price.crypto\",\"seq\":1,\"payload\":{}}",
		POLYBOLT_UNKNOWN, REASON_UNSUPPORTED},
	    {"{\"channel\":\"price.crypto\",\"payload\":{}}", POLYBOLT_ERR,
		REASON_MISSING_FIELD},
	    {HEAD "\"x\":1}", POLYBOLT_ERR, REASON_MISSING_FIELD},
	    {HEAD "\"payload\":[]}", POLYBOLT_ERR, REASON_BAD_TYPE},
	    {HEAD "\"snapshot\":true,\"payload\":{\"symbol\":\"x\"}}",
		POLYBOLT_ERR, REASON_MISSING_FIELD},
	    {HEAD "\"payload\":{\"timestamp\":1,\"value\":1}}", POLYBOLT_ERR,
		REASON_MISSING_FIELD},
	    {HEAD "\"payload\":{\"symbol\":\"abcdefghijklmnopqrstuvwx\"}}",
		POLYBOLT_ERR, REASON_OVERLONG},
	    {"{\"v\":1,\"channel\":\"price.crypto\",\"seq\":-1}", POLYBOLT_ERR,
		REASON_BAD_NUMBER},
	    {"{\"v\":1,\"channel\":\"price.crypto\",\"seq\":1,"
	     "\"ts\":99999999999999999,\"payload\":{\"symbol\":\"x\","
	     "\"timestamp\":1,\"value\":1}}",
		POLYBOLT_ERR, REASON_BAD_NUMBER},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		size_t n = strlen(cases[i].text);
		char *copy = data_exact(cases[i].text, n);
		enum polybolt_kind kind = polybolt_decode(&ev, copy, n);

		if (kind != cases[i].kind || ev.reason != cases[i].reason)
			fail_msg("%s: kind %d %s", cases[i].text, kind,
			    reason_name(ev.reason));
		assert_true(ev.err_off <= n);
		free(copy);
	}
}

/* Each channel counts for itself, from whatever it starts with. */
static void
a_gap_is_seen(void **state)
{
	static const struct {
		enum polybolt_channel channel;
		uint64_t seq;
		uint64_t missed;
	} steps[] = {
	    {POLYBOLT_CRYPTO, 5, 0},
	    {POLYBOLT_CRYPTO, 6, 0},
	    {POLYBOLT_CRYPTO_TWAP, 1, 0},
	    {POLYBOLT_CRYPTO, 9, 2},
	    {POLYBOLT_CRYPTO, 8, 0}, /* old */
	    {POLYBOLT_CRYPTO, 10, 0},
	    {POLYBOLT_CRYPTO_TWAP, 3, 1},
	};
	struct polybolt_seqs s = {0};

	(void)state;
	for (size_t i = 0; i < LEN(steps); i++) {
		ev.kind = POLYBOLT_PRICE;
		ev.channel = steps[i].channel;
		ev.seq = steps[i].seq;
		assert_int_equal(polybolt_missed(&s, &ev), steps[i].missed);
	}
	ev.kind = POLYBOLT_PONG;
	ev.channel = 0;
	ev.seq = 99;
	assert_int_equal(polybolt_missed(&s, &ev), 0);
}

static void
what_we_send(void **state)
{
	static const struct polybolt_login login = {"k-1", "s/2=", "p3"};
	static const struct polybolt_login quoted = {"k\"1", "s", "p"};
	static const struct polybolt_login escaped = {"k", "s\\", "p"};
	static const struct polybolt_sub subs[] = {
	    {POLYBOLT_CRYPTO, "btcusd"},
	    {POLYBOLT_CRYPTO_TWAP, "ethusd"},
	};
	static const struct polybolt_sub bad = {POLYBOLT_CRYPTO, "b\n"};
	static const char want_auth[] =
	    "{\"op\":\"auth\",\"rid\":\"a1\",\"auth\":{\"apiKey\":\"k-1\","
	    "\"secret\":\"s/2=\",\"passphrase\":\"p3\"}}";
	static const char want_subs[] =
	    "{\"op\":\"subscribe\",\"rid\":\"s1\",\"subscriptions\":["
	    "{\"channel\":\"price.crypto\",\"filter\":{\"symbol\":\"btcusd\"}},"
	    "{\"channel\":\"price.crypto.twap\",\"filter\":"
	    "{\"symbol\":\"ethusd\",\"window_seconds\":60}}]}";
	char buf[512];

	(void)state;
	assert_int_equal(polybolt_encode_auth(&login, "a1", buf, sizeof(buf)),
	    sizeof(want_auth) - 1);
	assert_string_equal(buf, want_auth);
	assert_int_equal(
	    polybolt_encode_auth(&login, "a1", buf, sizeof(want_auth) - 1), 0);
	assert_int_equal(
	    polybolt_encode_auth(&quoted, "a1", buf, sizeof(buf)), 0);
	assert_int_equal(
	    polybolt_encode_auth(&escaped, "a1", buf, sizeof(buf)), 0);
	assert_int_equal(
	    polybolt_encode_subscribe(subs, 2, "s1", buf, sizeof(buf)),
	    sizeof(want_subs) - 1);
	assert_string_equal(buf, want_subs);
	assert_int_equal(
	    polybolt_encode_subscribe(&bad, 1, "s1", buf, sizeof(buf)), 0);
	assert_string_equal(POLYBOLT_PING, "{\"op\":\"ping\"}");
}

/* One price, three spellings: both sockets give the same. */
static void
both_sockets_agree(void **state)
{
	static const char old[] =
	    "{\"topic\":\"crypto_prices_twap_sixty\",\"type\":\"update\","
	    "\"timestamp\":1780730269400,\"payload\":{\"symbol\":\"btc/usd\","
	    "\"timestamp\":1780730269000,\"value\":61018.90,"
	    "\"full_accuracy_value\":\"61018901000000000000000\"}}";
	static const char new[] =
	    "{\"v\":1,\"channel\":\"price.crypto.twap\",\"seq\":4,"
	    "\"ts\":1780730269400,\"payload\":{\"symbol\":\"btcusd\","
	    "\"timestamp\":1780730269000,\"value\":61018.90,"
	    "\"full_accuracy_value\":\"61018901000000000000000\"}}";
	static struct rtds_event rt;

	(void)state;
	assert_int_equal(rtds_decode(&rt, old, sizeof(old) - 1), RTDS_UPDATE);
	assert_int_equal(
	    polybolt_decode(&ev, new, sizeof(new) - 1), POLYBOLT_PRICE);
	assert_int_equal(rt.kind, ev.price.kind);
	assert_int_equal(rt.source, ev.price.source);
	assert_string_equal(rt.coin, ev.price.coin);
	assert_int_equal(rt.sent_ns, ev.price.sent_ns);
	assert_memory_equal(
	    &rt.points[0], &ev.price.points[0], sizeof(rt.points[0]));
	assert_int_equal(rt.points[0].px.e8, INT64_C(6101890100000));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(prices),
	    cmocka_unit_test(conversation),
	    cmocka_unit_test(codes),
	    cmocka_unit_test(values),
	    cmocka_unit_test(refusals),
	    cmocka_unit_test(a_gap_is_seen),
	    cmocka_unit_test(what_we_send),
	    cmocka_unit_test(both_sockets_agree),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}

/* links: libvenue libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "libvenue/frame.h"
#include "libvenue/pm_hash.h"
#include "libvenue/polymarket.h"
#include "libvenue/rtds.h"
#include "tests/golden/data.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MAX_256                                                                \
	"11579208923731619542357098500868790785326998466564056403945758400791" \
	"3129639935"
#define MARKET \
	"0x5d1c0a8e7f3b24961827364554637281908fa0b1c2d3e4f5061728394a5b6c7d"

static const struct {
	const char *text;
	uint64_t w[4];
} tokens[] = {
    {"0", {0, 0, 0, 0}},
    {"7", {7, 0, 0, 0}},
    {"1234567890123456", {UINT64_C(1234567890123456), 0, 0, 0}},
    {"18446744073709551615", {UINT64_MAX, 0, 0, 0}},
    {"18446744073709551616", {0, 1, 0, 0}},
    {"340282366920938463463374607431768211456", {0, 0, 1, 0}},
    {"6277101735386680763835789423207666416102355444464034512896",
	{0, 0, 0, 1}},
    {MAX_256, {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}},
};

static void
token_ids(void **state)
{
	static const char *const bad[] = {"", "00", "07", "-1", "+1", " 1",
	    "1 ", "0x1", "1e5", "12345678901234567890123456789012345678x",
	    "1234567x01234567", "12345678/1234567",
	    /* 2^256, and one digit more */
	    "11579208923731619542357098500868790785326998466564056403945758"
	    "4007913129639936",
	    "11579208923731619542357098500868790785326998466564056403945758"
	    "40079131296399350"};
	char buf[PM_TOKEN_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < LEN(tokens); i++) {
		size_t n = strlen(tokens[i].text);
		char *copy = data_exact(tokens[i].text, n);
		struct pm_token t;

		assert_true(pm_token_parse(copy, n, &t));
		assert_memory_equal(t.w, tokens[i].w, sizeof(t.w));
		assert_int_equal(pm_token_format(&t, buf), n);
		assert_string_equal(buf, tokens[i].text);
		free(copy);
	}
	for (size_t i = 0; i < LEN(bad); i++) {
		size_t n = strlen(bad[i]);
		char *copy = data_exact(bad[i], n);
		struct pm_token t = {.w = {1, 2, 3, 4}};

		if (pm_token_parse(copy, n, &t) || t.w[0] != 1 || t.w[3] != 4)
			fail_msg("%s", bad[i]);
		free(copy);
	}
}

/* Every length, every digit in every place: there and back. */
static void
token_ids_of_every_length(void **state)
{
	char text[PM_TOKEN_TEXT_MAX];
	char buf[PM_TOKEN_TEXT_MAX];
	struct pm_token a;
	struct pm_token b;

	(void)state;
	for (size_t n = 1; n <= 77; n++) {
		for (size_t i = 0; i < n; i++)
			text[i] = (char)('1' + (i * 7 + n) % 9);
		for (size_t at = 0; at < n; at++) {
			char keep = text[at];
			char *copy;

			text[at] = at == 0 ? '9' : '0';
			copy = data_exact(text, n);
			assert_true(pm_token_parse(copy, n, &a));
			assert_int_equal(pm_token_format(&a, buf), n);
			assert_memory_equal(buf, text, n);
			copy[at] = at == 0 ? '8' : '1';
			assert_true(pm_token_parse(copy, n, &b));
			assert_false(pm_token_eq(&a, &b));
			copy[at] = 'x';
			assert_false(pm_token_parse(copy, n, &b));
			free(copy);
			text[at] = keep;
		}
	}
}

static void
condition_ids(void **state)
{
	struct pm_cond c;
	struct pm_cond d;
	char text[PM_COND_TEXT_MAX] = MARKET;
	char buf[PM_COND_TEXT_MAX];

	(void)state;
	assert_true(pm_cond_parse(text, 66, &c));
	assert_int_equal(c.n, 32);
	assert_int_equal(c.b[0], 0x5d);
	assert_int_equal(c.b[31], 0x7d);
	assert_int_equal(pm_cond_format(&c, buf), 66);
	assert_string_equal(buf, MARKET);
	/* the short form is another id, not one padded with zeros */
	assert_true(pm_cond_parse(text, 64, &d));
	assert_int_equal(d.n, 31);
	assert_int_equal(pm_cond_format(&d, buf), 64);
	assert_memory_equal(buf, MARKET, 64);
	assert_memory_not_equal(&c, &d, sizeof(c));
	for (size_t n = 0; n < 66; n++)
		if (n != 64)
			assert_false(pm_cond_parse(text, n, &d));
	for (size_t i = 0; i < 66; i++) {
		static const char odd[] = "gG/:@`\x80 ";
		char keep = text[i];

		for (size_t b = 0; b < sizeof(odd) - 1; b++) {
			text[i] = odd[b];
			assert_false(pm_cond_parse(text, 66, &d));
		}
		text[i] = keep;
	}
	memcpy(text + 2, "ABCDEF", 6);
	assert_true(pm_cond_parse(text, 66, &d));
	assert_int_equal(d.b[0], 0xab);
	assert_int_equal(d.b[2], 0xef);
}

/* A token's price is no canonical price to the compiler. */
_Static_assert(_Generic((tok_px_t){0}, px_t : 0, default : 1), "frames mix");
_Static_assert(_Generic((px_t){0}, tok_px_t : 0, default : 1), "frames mix");

static void
frames_turn_price_and_side(void **state)
{
	tok_px_t p = TOK_PX(37 * E8 / 100);

	(void)state;
	assert_int_equal(frame_px(p, ROLE_YES).e8, 37 * E8 / 100);
	assert_int_equal(frame_px(p, ROLE_NO).e8, 63 * E8 / 100);
	assert_int_equal(frame_side(SIDE_BID, ROLE_YES), SIDE_BID);
	assert_int_equal(frame_side(SIDE_BID, ROLE_NO), SIDE_ASK);
	assert_int_equal(frame_side(SIDE_ASK, ROLE_NO), SIDE_BID);
	for (int r = ROLE_YES; r < ROLE_N; r++) {
		enum token_role role = (enum token_role)r;

		assert_int_equal(
		    frame_tok_px(frame_px(p, role), role).tok_e8, p.tok_e8);
	}
}

static void
subscriptions(void **state)
{
	static const struct {
		enum pm_sub op;
		size_t n;
		const char *want;
	} cases[] = {
	    {PM_SUB_FIRST, 2,
		"{\"assets_ids\":[\"7\",\"18446744073709551616\"],\"type\":"
		"\"market\",\"custom_feature_enabled\":true}"},
	    {PM_SUB_ADD, 1,
		"{\"assets_ids\":[\"7\"],\"operation\":\"subscribe\","
		"\"custom_feature_enabled\":true}"},
	    {PM_SUB_REMOVE, 1,
		"{\"assets_ids\":[\"7\"],\"operation\":\"unsubscribe\"}"},
	    {PM_SUB_FIRST, 0,
		"{\"assets_ids\":[],\"type\":\"market\","
		"\"custom_feature_enabled\":true}"},
	};
	static const struct pm_token ids[] = {{{7}}, {{0, 1}}};
	char buf[256];

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		size_t n = strlen(cases[i].want);

		assert_int_equal(pm_encode_subscription(cases[i].op, ids,
				     cases[i].n, buf, sizeof(buf)),
		    n);
		assert_string_equal(buf, cases[i].want);
		assert_int_equal(pm_encode_subscription(
				     cases[i].op, ids, cases[i].n, buf, n + 1),
		    n);
		for (size_t cap = 0; cap <= n; cap++)
			assert_int_equal(pm_encode_subscription(cases[i].op,
					     ids, cases[i].n, buf, cap),
			    0);
	}
}

static void
price_subscriptions(void **state)
{
	static const struct {
		enum rtds_source source;
		const char *symbol;
		const char *want;
	} cases[] = {
	    {RTDS_SPOT, "btcusdt",
		"{\"action\":\"subscribe\",\"subscriptions\":[{\"topic\":"
		"\"crypto_prices\",\"type\":\"update\",\"filters\":"
		"\"btcusdt\"}]}"},
	    {RTDS_CHAINLINK, "btc/usd",
		"{\"action\":\"subscribe\",\"subscriptions\":[{\"topic\":"
		"\"crypto_prices_chainlink\",\"type\":\"*\",\"filters\":"
		"\"{\\\"symbol\\\":\\\"btc/usd\\\"}\"}]}"},
	    {RTDS_TWAP60, "",
		"{\"action\":\"subscribe\",\"subscriptions\":[{\"topic\":"
		"\"crypto_prices_twap_sixty\",\"type\":\"*\"}]}"},
	};
	char buf[256];

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		size_t n = strlen(cases[i].want);

		assert_int_equal(rtds_encode_subscribe(cases[i].source,
				     cases[i].symbol, buf, sizeof(buf)),
		    n);
		assert_string_equal(buf, cases[i].want);
		assert_int_equal(rtds_encode_subscribe(
				     cases[i].source, cases[i].symbol, buf, n),
		    0);
	}
	assert_int_equal(
	    rtds_encode_subscribe(RTDS_SPOT, "b\"", buf, sizeof(buf)), 0);
}

/* ---- refusals of the market channel ---- */

#define HEAD \
	"{\"market\":\"" MARKET "\",\"asset_id\":\"7\",\"timestamp\":\"1\","
#define BOOK(sides) HEAD "\"event_type\":\"book\"," sides "}"
#define CHANGE(entry)                                                    \
	"{\"market\":\"" MARKET "\",\"timestamp\":\"1\",\"event_type\":" \
	"\"price_change\",\"price_changes\":[{" entry "}]}"

static const struct {
	const char *text;
	enum reason reason;
} refused[] = {
    {"", REASON_BAD_JSON},
    {"null", REASON_BAD_TYPE},
    {"true ", REASON_BAD_TYPE},
    {"Caf\xff", REASON_BAD_UTF8},
    {"=", REASON_BAD_JSON},
    {"7", REASON_BAD_TYPE},
    {"[7]", REASON_BAD_TYPE},
    {"[[]]", REASON_BAD_TYPE},
    {"[{", REASON_BAD_JSON},
    {BOOK("\"bids\":[]"), REASON_MISSING_FIELD},
    {BOOK("\"bids\":[],\"asks\":{}"), REASON_BAD_TYPE},
    {BOOK("\"bids\":[],\"asks\":[7]"), REASON_BAD_TYPE},
    {BOOK("\"bids\":[],\"asks\":null"), REASON_BAD_TYPE},
    {BOOK("\"bids\":[],\"bids\":[],\"asks\":[]"), REASON_BAD_JSON},
    {BOOK("\"bids\":[],\"asks\":[{\"price\":\"0.5\"}]"), REASON_MISSING_FIELD},
    {BOOK("\"bids\":[],\"asks\":[{\"size\":\"5\"}]"), REASON_MISSING_FIELD},
    {BOOK("\"bids\":[],\"asks\":[{\"price\":\"0\",\"size\":\"5\"}]"),
	REASON_BAD_NUMBER},
    {BOOK("\"bids\":[],\"asks\":[{\"price\":\"1\",\"size\":\"5\"}]"),
	REASON_BAD_NUMBER},
    {BOOK("\"bids\":[],\"asks\":[{\"price\":\"1.5\",\"size\":\"5\"}]"),
	REASON_BAD_NUMBER},
    {BOOK("\"bids\":[],\"asks\":[{\"price\":\"\",\"size\":\"5\"}]"),
	REASON_BAD_NUMBER},
    {BOOK("\"bids\":[],\"asks\":[{\"price\":\"0.5\",\"size\":\"-5\"}]"),
	REASON_BAD_NUMBER},
    {BOOK("\"bids\":[],\"asks\":[{\"price\":\"0.5\",\"size\":true}]"),
	REASON_BAD_TYPE},
    {BOOK("\"bids\":[],\"asks\":[],\"neg_risk\":\"no\""), REASON_BAD_TYPE},
    {BOOK("\"bids\":[],\"asks\":[],\"hash\":\"short\""), REASON_BAD_TYPE},
    {"{\"event_type\":\"book\",\"market\":\"0x12\"}", REASON_BAD_NUMBER},
    {"{\"event_type\":\"book\",\"asset_id\":\"x\"}", REASON_BAD_NUMBER},
    {"{\"event_type\":\"book\",\"timestamp\":\"soon\"}", REASON_BAD_NUMBER},
    {"{\"event_type\":\"book\",\"timestamp\":5}", REASON_MISSING_FIELD},
    {"{\"event_type\":\"book\",\"timestamp\":5.5}", REASON_BAD_NUMBER},
    {"{\"event_type\":\"book\",\"timestamp\":true}", REASON_BAD_TYPE},
    {BOOK("\"bids\":[],\"asks\":[],\"neg_risk\":true,\"neg_risk\":true"),
	REASON_BAD_JSON},
    {BOOK("\"bids\":[],\"asks\":[],\"price_changes\":[]"), REASON_BAD_JSON},
    {BOOK("\"bids\":[],\"asks\":[],\"price\":\"0.5\",\"price\":\"0.5\""),
	REASON_BAD_JSON},
    {BOOK("\"bids\":[],\"asks\":[],\"side\":\"BUY\",\"side\":\"BUY\""),
	REASON_BAD_JSON},
    {BOOK("\"bids\":[],\"asks\":[],\"best_bid\":\"\",\"best_bid\":\"\""),
	REASON_BAD_JSON},
    {BOOK("\"bids\":[],\"asks\":[],\"assets_ids\":[],\"assets_ids\":[]"),
	REASON_BAD_JSON},
    {CHANGE(""), REASON_MISSING_FIELD},
    {CHANGE("\"asset_id\":\"7\",\"price\":\"0.5\",\"size\":\"1\""),
	REASON_MISSING_FIELD},
    {CHANGE("\"asset_id\":\"7\",\"price\":\"0.5\",\"size\":\"1\","
	    "\"side\":\"HOLD\""),
	REASON_BAD_TYPE},
    {CHANGE("\"asset_id\":\"7\",\"price\":\"0.5\",\"size\":\"1\","
	    "\"side\":\"BUY\",\"best_bid\":\"2\""),
	REASON_BAD_NUMBER},
    {CHANGE("\"asset_id\":\"7\",\"price\":\"0.5\",\"size\":\"1\","
	    "\"side\":\"BUY\",\"hash\":\"\xff\""),
	REASON_BAD_UTF8},
    {HEAD "\"event_type\":\"last_trade_price\",\"price\":\"0.5\","
	  "\"size\":\"1\"}",
	REASON_MISSING_FIELD},
    {HEAD "\"event_type\":\"last_trade_price\",\"price\":\"\","
	  "\"size\":\"1\",\"side\":\"BUY\"}",
	REASON_MISSING_FIELD},
    {HEAD "\"event_type\":\"tick_size_change\",\"old_tick_size\":\"0.01\"}",
	REASON_MISSING_FIELD},
    {HEAD "\"event_type\":\"best_bid_ask\",\"best_bid\":\"0.5\"}",
	REASON_MISSING_FIELD},
    {"{\"event_type\":\"new_market\",\"id\":\"1\"}", REASON_MISSING_FIELD},
    {"{\"event_type\":\"market_resolved\",\"market\":\"" MARKET
     "\",\"timestamp\":\"1\",\"assets_ids\":[\"1\",\"2\",\"3\"]}",
	REASON_OVERLONG},
};

static struct pm_event ev;

static void
refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(refused); i++) {
		size_t n = strlen(refused[i].text);
		char *copy = data_exact(refused[i].text, n);
		struct pm_frame f;

		pm_frame_init(&f, copy, n);
		enum pm_kind kind = pm_next(&f, &ev);

		if (kind != PM_ERR || ev.reason != refused[i].reason)
			fail_msg("%s: kind %d %s", refused[i].text, kind,
			    reason_name(ev.reason));
		assert_true(ev.err_off <= n);
		assert_int_equal(pm_next(&f, &ev), PM_END);
		free(copy);
	}
}

/* null is the same as a missing key. */
static void
nulls_are_absent(void **state)
{
	static const char text[] =
	    BOOK("\"bids\":[],\"asks\":[],\"neg_risk\":null,\"price\":null,"
		 "\"best_bid\":null,\"assets_ids\":null,\"hash\":null,"
		 "\"tick_size\":null,\"last_trade_price\":\"\"");
	struct pm_frame f;

	(void)state;
	pm_frame_init(&f, text, sizeof(text) - 1);
	assert_int_equal(pm_next(&f, &ev), PM_BOOK);
	assert_int_equal(ev.neg_risk, PM_NEG_RISK_NOT_SENT);
	assert_int_equal(ev.best_bid.state, PM_TOUCH_NOT_SENT);
	assert_false(ev.has_hash);
	assert_null(ev.tick_text.s);
	assert_non_null(ev.last_px_text.s);
}

/* n times the same text between head and tail. */
static enum pm_kind
repeated(const char *head, const char *item, unsigned n, const char *tail)
{
	static char text[1 << 17];
	size_t len = (size_t)snprintf(text, sizeof(text), "%s", head);
	struct pm_frame f;

	for (unsigned i = 0; i < n; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s",
		    i == 0 ? "" : ",", item);
	len += (size_t)snprintf(text + len, sizeof(text) - len, "%s", tail);
	pm_frame_init(&f, text, len);
	return pm_next(&f, &ev);
}

static void
counts_have_limits(void **state)
{
	static const char level[] = "{\"price\":\"0.5\",\"size\":\"1\"}";
	static const char entry[] =
	    "{\"asset_id\":\"7\",\"price\":\"0.5\",\"size\":\"1\","
	    "\"side\":\"BUY\"}";
	static const char head[] = HEAD "\"event_type\":\"book\",\"asks\":[],"
					"\"bids\":[";
	static const char changes[] =
	    "{\"market\":\"" MARKET "\",\"timestamp\":\"1\",\"event_type\":"
	    "\"price_change\",\"price_changes\":[";

	(void)state;
	assert_int_equal(repeated(head, level, PM_LEVELS_MAX, "]}"), PM_BOOK);
	assert_int_equal(ev.bids_n, PM_LEVELS_MAX);
	assert_int_equal(
	    repeated(head, level, PM_LEVELS_MAX + 1, "]}"), PM_ERR);
	assert_int_equal(ev.reason, REASON_OVERLONG);
	assert_int_equal(
	    repeated(changes, entry, PM_CHANGES_MAX, "]}"), PM_PRICE_CHANGE);
	assert_int_equal(ev.changes_n, PM_CHANGES_MAX);
	assert_int_equal(
	    repeated(changes, entry, PM_CHANGES_MAX + 1, "]}"), PM_ERR);
	assert_int_equal(ev.reason, REASON_OVERLONG);
}

/* ---- what is kept for the hash ---- */

static void
metadata_is_kept(void **state)
{
	struct pm_meta m;
	struct pm_event e = {.kind = PM_TRADE, .px = TOK_PX(E8 / 2)};

	(void)state;
	pm_meta_init(&m);
	pm_meta_update(&m, &e);
	assert_true(m.has_last_px);
	assert_int_equal(m.last_px.n, 5);
	assert_memory_equal(m.last_px.s, "0.500", 5);
	e.px = TOK_PX(1234 * E8 / 10000);
	pm_meta_update(&m, &e);
	assert_memory_equal(m.last_px.s, "0.1234", 6);
	e.px = TOK_PX(E8);
	pm_meta_update(&m, &e);
	assert_memory_equal(m.last_px.s, "1.000", 5);
	e = (struct pm_event){
	    .kind = PM_TICK_SIZE, .new_tick = TOK_PX(E8 / 1000)};
	pm_meta_update(&m, &e);
	assert_int_equal(m.tick.n, 5);
	assert_memory_equal(m.tick.s, "0.001", 5);
	/* too long to be kept: what was known stays */
	e = (struct pm_event){.kind = PM_BOOK,
	    .tick_text = {.s = "0.0000000000000000000000001", .n = 27},
	    .min_size_text = {.s = "", .n = 0},
	    .neg_risk = PM_NEG_RISK_TRUE};
	pm_meta_update(&m, &e);
	assert_int_equal(m.tick.n, 5);
	assert_true(m.has_min_size);
	assert_int_equal(m.min_size.n, 0);
	assert_int_equal(m.neg_risk, PM_NEG_RISK_TRUE);
}

/* ---- contracts ---- */

static void
no_role(void)
{
	(void)frame_px(TOK_PX(1), (enum token_role)0);
}

static void
no_book(void)
{
	struct pm_meta m;
	char out[PM_HASH_LEN];

	pm_meta_init(&m);
	ev.kind = PM_TRADE;
	pm_hash_event(&ev, &m, out);
}

static void
no_op(void)
{
	char buf[8];

	(void)pm_encode_subscription((enum pm_sub)0, NULL, 0, buf, 8);
}

static void
no_state(void)
{
	struct pm_frame f = {0};

	(void)pm_next(&f, &ev);
}

static void
contracts(void **state)
{
	static void (*const broken[])(void) = {
	    no_role, no_book, no_op, no_state};

	(void)state;
	for (size_t i = 0; i < LEN(broken); i++) {
		int status;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			close(STDERR_FILENO);
			broken[i]();
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(token_ids),
	    cmocka_unit_test(token_ids_of_every_length),
	    cmocka_unit_test(condition_ids),
	    cmocka_unit_test(frames_turn_price_and_side),
	    cmocka_unit_test(subscriptions),
	    cmocka_unit_test(price_subscriptions),
	    cmocka_unit_test(refusals),
	    cmocka_unit_test(nulls_are_absent),
	    cmocka_unit_test(counts_have_limits),
	    cmocka_unit_test(metadata_is_kept),
	    cmocka_unit_test(contracts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

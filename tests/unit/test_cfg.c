/* links: libshm libcore */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libshm/cfg.h"

#define KEY(name) CFG_KEY_##name

/* What is accepted, and how it is written back. */
static const struct {
	size_t key;
	const char *text;
	const char *back;
} good[] = {
    {KEY(system_pin), "true", "true"},
    {KEY(system_pin), "No", "false"},
    {KEY(system_pin), "ON", "true"},
    {KEY(system_pin), "0", "false"},
    {KEY(latency_raw_trips), "1", "1"},
    {KEY(latency_raw_trips), "100", "100"},
    {KEY(latency_raw_trips), "007", "7"},
    {KEY(mm_gamma_risk_aversion), ".25", "0.25"},
    {KEY(mm_gamma_risk_aversion), "0.30000000", "0.3"},
    {KEY(mm_gamma_risk_aversion), "10", "10"},
    {KEY(mm_target_spread), "0.01234567", "0.01234567"},
    {KEY(capital_usd), "72.920001", "72.920001"},
    {KEY(latency_ping_interval), "1500ms", "1500ms"},
    {KEY(latency_ping_interval), "1.5s", "1500ms"},
    {KEY(latency_ping_interval), "1 s", "1s"},
    {KEY(latency_ping_interval), "1m", "1m"},
    {KEY(latency_ping_interval), "100000us", "100ms"},
    {KEY(latency_ping_interval), "100000001ns", "100000001ns"},
    {KEY(latency_kill_switch_ms), "300", "300ms"},
    {KEY(latency_kill_switch_ms), "0.3s", "300ms"},
    {KEY(latency_kill_switch_polymarket_ms), "0", "0s"},
    {KEY(micro_price_pause_s), "5", "5s"},
    {KEY(micro_price_pause_s), "0.5", "500ms"},
    {KEY(state_watch_threshold_hours), "48", "48h"},
    {KEY(state_watch_threshold_hours), "90m", "90m"},
    {KEY(recorder_min_free_bytes), "0", "0"},
    {KEY(recorder_min_free_bytes), "1536", "1536"},
    {KEY(recorder_min_free_bytes), "64KiB", "64KiB"},
    {KEY(recorder_min_free_bytes), "1.5MiB", "1536KiB"},
    {KEY(recorder_min_free_bytes), "1TiB", "1TiB"},
    {KEY(system_mode), "paper", "paper"},
    {KEY(system_wait), "block", "block"},
    {KEY(recorder_dir), "/srv/data", "/srv/data"},
    {KEY(live_confirm), "", ""},
    {KEY(binance_ws_url), "wss://stream.binance.com:9443/ws",
	"wss://stream.binance.com:9443/ws"},
    {KEY(binance_ws_url), "ws://[::1]:1/x", "ws://[::1]:1/x"},
    {KEY(binance_rest_url), "https://h?q", "https://h?q"},
    {KEY(binance_sbe_url), "", ""},
    {KEY(binance_sbe_url), "wss://h", "wss://h"},
    {KEY(binance_symbols), "", ""},
    {KEY(binance_symbols), "  ", ""},
    {KEY(binance_symbols), "a,b , c", "a, b, c"},
    {KEY(binance_symbols), "[BTCUSDT]", "BTCUSDT"},
    {KEY(binance_symbols), " [ a , b ] ", "a, b"},
    {KEY(binance_symbols), "[]", ""},
    {KEY(binance_symbols), "[ ]", ""},
};

/* What is refused, and what is said. */
static const struct {
	size_t key;
	const char *text;
	const char *why;
} bad[] = {
    {KEY(system_pin), "maybe",
	"\"maybe\" is neither true nor false; allowed: true or false"},
    {KEY(system_pin), "",
	"\"\" is neither true nor false; allowed: true or false"},
    {KEY(latency_raw_trips), "0", "\"0\" is too small; allowed: 1 to 100"},
    {KEY(latency_raw_trips), "101", "\"101\" is too large; allowed: 1 to 100"},
    {KEY(latency_raw_trips), "-3", "\"-3\" is too small; allowed: 1 to 100"},
    {KEY(latency_raw_trips), "3.0",
	"\"3.0\" is not a whole number; allowed: 1 to 100"},
    {KEY(latency_raw_trips), "1e1",
	"\"1e1\" is not a whole number; allowed: 1 to 100"},
    {KEY(latency_raw_trips), "99999999999999999999",
	"\"99999999999999999999\" is not a whole number; allowed: 1 to 100"},
    {KEY(latency_raw_trips), "",
	"\"\" is not a whole number; allowed: 1 to 100"},
    {KEY(mm_gamma_risk_aversion), "0.123456789",
	"\"0.123456789\" is not a decimal number of at most 8 places; "
	"allowed: 0.001 to 10"},
    {KEY(mm_gamma_risk_aversion), "20%",
	"\"20%\" is not a decimal number of at most 8 places; allowed: "
	"0.001 to 10"},
    {KEY(mm_gamma_risk_aversion), "-0.2",
	"\"-0.2\" is too small; allowed: 0.001 to 10"},
    {KEY(mm_gamma_risk_aversion), "0,2",
	"\"0,2\" is not a decimal number of at most 8 places; allowed: "
	"0.001 to 10"},
    {KEY(capital_usd), "$50",
	"\"$50\" is not an amount of at most 6 places; allowed: 1 to "
	"100000000"},
    {KEY(latency_ping_interval), "5",
	"\"5\" is not a duration with a unit (ns us ms s m h); allowed: "
	"100ms to 60s"},
    {KEY(latency_ping_interval), "0",
	"\"0\" is too small; allowed: 100ms "
	"to 60s"},
    {KEY(latency_ping_interval), "-1s",
	"\"-1s\" is not a duration with a unit (ns us ms s m h); allowed: "
	"100ms to 60s"},
    {KEY(latency_ping_interval), "5 parsecs",
	"\"5 parsecs\" is not a duration with a unit (ns us ms s m h); "
	"allowed: 100ms to 60s"},
    {KEY(latency_ping_interval), "0.5ns",
	"\"0.5ns\" is not a duration with a unit (ns us ms s m h); allowed: "
	"100ms to 60s"},
    {KEY(latency_ping_interval), "999999999999h",
	"\"999999999999h\" is not a duration with a unit (ns us ms s m h); "
	"allowed: 100ms to 60s"},
    {KEY(latency_ping_interval), "2h",
	"\"2h\" is too large; allowed: 100ms to 60s"},
    {KEY(feed_max_frame_bytes), "1MB",
	"\"1MB\" is not a size (KiB MiB GiB TiB); allowed: 64KiB to 64MiB"},
    {KEY(feed_max_frame_bytes), "1.00001KiB",
	"\"1.00001KiB\" is not a size (KiB MiB GiB TiB); allowed: 64KiB to "
	"64MiB"},
    {KEY(feed_max_frame_bytes), "1KiB",
	"\"1KiB\" is too small; allowed: 64KiB to 64MiB"},
    {KEY(system_mode), "Paper",
	"\"Paper\" is not one of the names; allowed: sim, paper, live, "
	"capture or backtest"},
    {KEY(system_mode), "sim|paper",
	"\"sim|paper\" is not one of the names; allowed: sim, paper, live, "
	"capture or backtest"},
    {KEY(system_mode), "",
	"\"\" is not one of the names; allowed: sim, paper, live, capture "
	"or backtest"},
    {KEY(recorder_dir), "", "\"\" is too short; allowed: 1 to 191 characters"},
    {KEY(risk_timezone), "Europe/Berlin",
	"\"Europe/Berlin\" is too long; allowed: 3 to 9 characters"},
    {KEY(recorder_dir), "a\nb",
	"\"a?b\" holds control characters; allowed: 1 to 191 characters"},
    {KEY(binance_ws_url), "http://h",
	"\"http://h\" is not such an address; allowed: ws or wss, then "
	"://host, :port and /path if any"},
    {KEY(binance_ws_url), "",
	"\"\" is too short; allowed: ws or wss, then ://host, :port and "
	"/path if any"},
    {KEY(binance_ws_url), "ws://",
	"\"ws://\" is not such an address; allowed: ws or wss, then ://host, "
	":port and /path if any"},
    {KEY(binance_ws_url), "ws:/h",
	"\"ws:/h\" is not such an address; allowed: ws or wss, then ://host, "
	":port and /path if any"},
    {KEY(binance_ws_url), "ws://h:0",
	"\"ws://h:0\" is not such an address; allowed: ws or wss, then "
	"://host, :port and /path if any"},
    {KEY(binance_ws_url), "ws://h:65536",
	"\"ws://h:65536\" is not such an address; allowed: ws or wss, then "
	"://host, :port and /path if any"},
    {KEY(binance_ws_url), "ws://[::1/x",
	"\"ws://[::1/x\" is not such an address; allowed: ws or wss, then "
	"://host, :port and /path if any"},
    {KEY(binance_ws_url), "ws://a b/",
	"\"ws://a b/\" is not such an address; allowed: ws or wss, then "
	"://host, :port and /path if any"},
    {KEY(binance_streams), "", "\"\" has too few items; allowed: 1 to 8 items"},
    {KEY(binance_streams),
	"depth,trade,depth5,depth10,depth20,aggTrade,bookTicker,depth@100ms,"
	"depth5@100ms",
	"\"depth,trade,depth5,depth10,depth20,aggTr...\" has too many items; "
	"allowed: 1 to 8 items"},
    {KEY(binance_symbols), "[btcusdt",
	"\"[btcusdt\" has one bracket; write a,b or [a,b]; allowed: 0 to 32 "
	"items"},
    {KEY(binance_symbols), "btcusdt]",
	"\"btcusdt]\" has one bracket; write a,b or [a,b]; allowed: 0 to 32 "
	"items"},
    {KEY(binance_symbols), "[",
	"\"[\" has one bracket; write a,b or [a,b]; allowed: 0 to 32 items"},
    {KEY(binance_symbols), "[a,]",
	"\"[a,]\" has an empty item; allowed: 0 to 32 items"},
    {KEY(binance_symbols), "[\"a\"]",
	"\"\"a\"\" is no such item; each is: letters and digits, as btcusdt"},
    {KEY(polymarket_series), "btc-updow-15m",
	"\"btc-updow-15m\" is no such item; each is: ASSET-updown-5m, -15m or "
	"-4h (btc-updown-15m), or bitcoin-up-or-down-1h"},
    {KEY(binance_streams), "trade,,depth",
	"\"trade,,depth\" has an empty item; allowed: 1 to 8 items"},
    {KEY(binance_symbols), "a,",
	"\"a,\" has an empty item; allowed: 0 to 32 items"},
    {KEY(binance_symbols), "a, a",
	"\"a, a\" names an item twice; allowed: 0 to 32 items"},
};

static struct cfg c;

static void
accepts(void **state)
{
	char why[CFG_WHY_SZ] = "";
	char text[CFG_TEXT_SZ];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		cfg_defaults(&c);
		if (!cfg_set(&c, good[i].key, good[i].text, why))
			fail_msg("%s: %s", good[i].text, why);
		assert_int_equal(
		    cfg_text(&c, good[i].key, text), strlen(good[i].back));
		assert_string_equal(text, good[i].back);
	}
}

static void
refuses_and_says_why(void **state)
{
	static struct cfg before;
	char why[CFG_WHY_SZ];

	(void)state;
	cfg_defaults(&c);
	memcpy(&before, &c, sizeof(c));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (cfg_set(&c, bad[i].key, bad[i].text, why))
			fail_msg("accepted: %s", bad[i].text);
		assert_string_equal(why, bad[i].why);
	}
	assert_memory_equal(&c, &before, sizeof(c));
}

static void
long_value_is_cut_in_the_sentence(void **state)
{
	char text[5000];
	char why[CFG_WHY_SZ];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (size_t i = 0; i < CFG_KEY_N; i++) {
		assert_false(cfg_set(&c, i, text, why));
		assert_non_null(strstr(why, "xxx...\" "));
		assert_in_range(strlen(why), 1, CFG_WHY_SZ - 2);
	}
}

static void
full_list_fits(void **state)
{
	char text[CFG_LIST_N * CFG_ITEM_SZ + 1] = "";
	char back[CFG_TEXT_SZ];
	char why[CFG_WHY_SZ];
	size_t len = 0;

	(void)state;
	for (int i = 0; i < CFG_LIST_N; i++) {
		memset(text + len, 'a', CFG_ITEM_SZ - 2);
		text[len + CFG_ITEM_SZ - 2] =
		    "0123456789ABCDEFGHIJKLMNOPQRSTUV"[i];
		text[len + CFG_ITEM_SZ - 1] = ',';
		len += CFG_ITEM_SZ;
	}
	text[len - 1] = '\0';
	cfg_defaults(&c);
	assert_true(cfg_set(&c, KEY(polymarket_slugs), text, why));
	assert_int_equal(c.polymarket_slugs.n, CFG_LIST_N);
	assert_int_equal(cfg_text(&c, KEY(polymarket_slugs), back),
	    CFG_LIST_N * (CFG_ITEM_SZ - 1) + (CFG_LIST_N - 1) * 2);
	text[len - 1] = 'z';
	text[len] = '\0';
	assert_false(cfg_set(&c, KEY(polymarket_slugs), text, why));
	assert_non_null(strstr(why, "has an item of more than 95 bytes"));
}

/* The defaults that the description of the system names. */
static void
defaults_are_the_documented_ones(void **state)
{
	(void)state;
	cfg_defaults(&c);
	assert_int_equal(c.system_mode, MODE_SIM);
	assert_int_equal(c.system_wait, CFG_WAIT_AUTO);
	assert_int_equal(c.latency_ping_interval.ns, NS_PER_S);
	assert_int_equal(c.latency_pong_overdue.ns, 2 * NS_PER_S);
	assert_int_equal(c.latency_kill_switch_ms.ns, 500 * NS_PER_MS);
	assert_int_equal(c.latency_resume_ms.ns, 200 * NS_PER_MS);
	assert_int_equal(c.micro_price_divergence_threshold.e8, 500000);
	assert_int_equal(c.micro_price_pause_s.ns, 5 * NS_PER_S);
	assert_int_equal(c.warmup_max_s.ns, 10 * NS_PER_S);
	assert_int_equal(c.warmup_min_books, 25);
	assert_int_equal(c.mm_gamma_risk_aversion.e8, E8 / 5);
	assert_int_equal(c.mm_gamma_cap_mult.e8, 3 * E8);
	assert_int_equal(c.mm_target_spread.e8, 1500000);
	assert_int_equal(c.mm_max_spread.e8, 8000000);
	assert_int_equal(c.mm_max_loss_per_position.e6, 3 * E6);
	assert_int_equal(c.mm_global_daily_loss_limit.e6, 50 * E6);
	assert_int_equal(c.risk_max_intent_age_ms.ns, 250 * NS_PER_MS);
	assert_int_equal(c.exec_size_tolerance.e8, E8 / 10);
	assert_int_equal(c.exec_paper_queue, CFG_QUEUE_BACK);
	assert_int_equal(c.supervisor_crash_loop_n, 5);
	assert_int_equal(c.supervisor_orphan_timeout.ns, 30 * NS_PER_S);
	assert_int_equal(c.sandbox_mode, CFG_SANDBOX_DEV);
	assert_int_equal(c.polymarket_series.n, 3);
	assert_string_equal(c.polymarket_series.item[1], "eth-updown-15m");
	assert_string_equal(c.hyperliquid_ws_url.s, "ws://127.0.0.1:18803/ws");
}

/* Each C enum has the order of its line in cfg.def. */
static void
enums_match_their_names(void **state)
{
	static const struct {
		size_t key;
		const char *text;
		int value;
	} rows[] = {
	    {KEY(system_mode), "sim", MODE_SIM},
	    {KEY(system_mode), "paper", MODE_PAPER},
	    {KEY(system_mode), "live", MODE_LIVE},
	    {KEY(system_mode), "capture", MODE_CAPTURE},
	    {KEY(system_mode), "backtest", MODE_BACKTEST},
	    {KEY(system_wait), "auto", CFG_WAIT_AUTO},
	    {KEY(system_wait), "spin", CFG_WAIT_SPIN},
	    {KEY(system_wait), "yield", CFG_WAIT_YIELD},
	    {KEY(system_wait), "block", CFG_WAIT_BLOCK},
	    {KEY(log_level), "error", CFG_LOG_ERROR},
	    {KEY(log_level), "debug", CFG_LOG_DEBUG},
	    {KEY(sizing_mode), "worst_case", CFG_SIZING_WORST_CASE},
	    {KEY(sizing_mode), "notional", CFG_SIZING_NOTIONAL},
	    {KEY(exec_paper_queue), "front", CFG_QUEUE_FRONT},
	    {KEY(exec_paper_queue), "back", CFG_QUEUE_BACK},
	    {KEY(sandbox_mode), "off", CFG_SANDBOX_OFF},
	    {KEY(sandbox_mode), "dev", CFG_SANDBOX_DEV},
	    {KEY(sandbox_mode), "prod", CFG_SANDBOX_PROD},
	};
	char why[CFG_WHY_SZ];
	int32_t v;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(cfg_set(&c, rows[i].key, rows[i].text, why));
		memcpy(&v, (char *)&c + cfg_key_at(rows[i].key)->offset,
		    sizeof(v));
		assert_int_equal(v, rows[i].value);
	}
}

static void
every_line_is_sound(void **state)
{
	char text[CFG_TEXT_SZ];
	char why[CFG_WHY_SZ];
	size_t bad_key;

	(void)state;
	cfg_defaults(&c);
	assert_true(cfg_valid(&c, &bad_key));
	for (size_t i = 0; i < CFG_KEY_N; i++) {
		const struct cfg_key *k = cfg_key_at(i);
		size_t n = strlen(k->doc);

		assert_int_equal(cfg_key_find(k->group, k->name), i);
		assert_non_null(cfg_group_doc(k->group));
		assert_true(n > 10 && k->doc[n - 1] == '.');
		cfg_text(&c, i, text);
		if (!cfg_set(&c, i, text, why))
			fail_msg("%s.%s: %s", k->group, k->name, why);
		cfg_allowed(i, why);
		assert_true(why[0] != '\0');
		assert_non_null(cfg_type_name(k->type));
		assert_non_null(cfg_apply_name(k->apply));
	}
	assert_int_equal(cfg_key_find("mm", "nonsense"), -1);
	assert_int_equal(cfg_key_find("risk", "max_spread"), -1);
	assert_null(cfg_group_doc("nonsense"));
}

static void
diff_names_keys_and_restarts(void **state)
{
	static struct cfg to;
	uint16_t key[CFG_KEY_N];
	char why[CFG_WHY_SZ];
	size_t restart_n = 9;

	(void)state;
	cfg_defaults(&c);
	cfg_defaults(&to);
	assert_int_equal(cfg_diff(&c, &to, key, &restart_n), 0);
	assert_int_equal(restart_n, 0);
	assert_true(cfg_set(&to, KEY(mm_max_spread), "0.1", why));
	assert_true(cfg_set(&to, KEY(recorder_dir), "elsewhere", why));
	assert_true(cfg_set(&to, KEY(binance_symbols), "ethusdt", why));
	assert_int_equal(cfg_diff(&c, &to, key, &restart_n), 3);
	assert_int_equal(restart_n, 2);
	assert_int_equal(key[0], KEY(binance_symbols));
	assert_int_equal(key[1], KEY(mm_max_spread));
	assert_int_equal(key[2], KEY(recorder_dir));
	/* A shorter text over a longer one leaves no old bytes behind. */
	assert_true(cfg_set(&to, KEY(recorder_dir), "captures", why));
	assert_true(cfg_set(&to, KEY(binance_symbols), "btcusdt", why));
	assert_int_equal(cfg_diff(&c, &to, key, &restart_n), 1);
	assert_memory_equal(
	    &c.recorder_dir, &to.recorder_dir, sizeof(to.recorder_dir));
	/* Bytes behind the end of a text are no difference. */
	to.mm_max_spread = c.mm_max_spread;
	to.recorder_dir.s[100] = 'x';
	to.binance_symbols.item[0][50] = 'x';
	to.binance_symbols.item[1][0] = 'x';
	assert_int_equal(cfg_diff(&c, &to, key, &restart_n), 0);
	to.binance_symbols.item[0][0] = 'B';
	assert_int_equal(cfg_diff(&c, &to, key, &restart_n), 1);
	to.binance_symbols.n = 0;
	assert_int_equal(cfg_diff(&c, &to, key, &restart_n), 1);
}

static void
spoil_number(void)
{
	c.mm_max_spread.e8 = -1;
}
static void
spoil_enum(void)
{
	c.system_mode = 0;
}
static void
spoil_enum_high(void)
{
	c.system_mode = 6;
}
static void
spoil_bool(void)
{
	memset(&c.mm_enabled, 7, 1);
}
static void
spoil_text(void)
{
	memset(c.recorder_dir.s, 'x', sizeof(c.recorder_dir.s));
}
static void
spoil_url(void)
{
	memcpy(c.binance_ws_url.s, "x", 2);
}
static void
spoil_list_count(void)
{
	c.binance_symbols.n = 33;
}
static void
spoil_list_item(void)
{
	memset(c.binance_symbols.item[0], 'x', CFG_ITEM_SZ);
}

static void
foreign_memory_is_checked(void **state)
{
	static const struct {
		void (*spoil)(void);
		size_t key;
	} rows[] = {
	    {spoil_number, KEY(mm_max_spread)},
	    {spoil_enum, KEY(system_mode)},
	    {spoil_enum_high, KEY(system_mode)},
	    {spoil_bool, KEY(mm_enabled)},
	    {spoil_text, KEY(recorder_dir)},
	    {spoil_url, KEY(binance_ws_url)},
	    {spoil_list_count, KEY(binance_symbols)},
	    {spoil_list_item, KEY(binance_symbols)},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t key = CFG_KEY_N;

		cfg_defaults(&c);
		rows[i].spoil();
		assert_false(cfg_valid(&c, &key));
		assert_int_equal(key, rows[i].key);
	}
}

static void
venues_have_their_own_limits(void **state)
{
	(void)state;
	cfg_defaults(&c);
	assert_int_equal(
	    cfg_kill_switch_ns(&c, VENUE_POLYMARKET), 500 * NS_PER_MS);
	assert_int_equal(
	    cfg_kill_switch_ns(&c, VENUE_HYPERLIQUID), 1500 * NS_PER_MS);
	assert_int_equal(cfg_resume_ns(&c, VENUE_BINANCE), 200 * NS_PER_MS);
	assert_int_equal(cfg_resume_ns(&c, VENUE_HYPERLIQUID), 800 * NS_PER_MS);
	assert_int_equal(cfg_feed_stale_ns(&c, VENUE_BINANCE), 5 * NS_PER_S);
	assert_int_equal(
	    cfg_feed_stale_ns(&c, VENUE_POLYMARKET), 10 * NS_PER_S);
	c.latency_kill_switch_binance_ms.ns = 7;
	assert_int_equal(cfg_kill_switch_ns(&c, VENUE_BINANCE), 7);
}

/* The keys rrs.* begin as the weights of libcore/rrs.def. */
static void
weights_of_the_resolution_risk(void **state)
{
	double want[RRS_N];
	double got[RRS_N];

	(void)state;
	cfg_defaults(&c);
	rrs_defaults(want);
	cfg_rrs(&c, got);
	for (unsigned i = 0; i < RRS_N; i++)
		assert_true(
		    got[i] > want[i] - 1e-12 && got[i] < want[i] + 1e-12);
	c.rrs_disputed.e8 = 12345678;
	cfg_rrs(&c, got);
	assert_true(got[RRS_DISPUTED] > 0.1234 && got[RRS_DISPUTED] < 0.1235);
}

static void
time_zones(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t east_s;
	} rows[] = {
	    {"UTC", true, 0},
	    {"UTC+2", true, 7200},
	    {"UTC-03:30", true, -12600},
	    {"UTC+14", true, 50400},
	    {"UTC+14:01", false, 0},
	    {"UTC+15", false, 0},
	    {"UTC+2:3", false, 0},
	    {"UTC+2:60", false, 0},
	    {"UTC2", false, 0},
	    {"UTC+", false, 0},
	    {"utc", false, 0},
	    {"CET", false, 0},
	    {"UTC+2x", false, 0},
	    {"UTC+002", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t east_s = 0;

		if (cfg_timezone_s(rows[i].text, &east_s) != rows[i].ok)
			fail_msg("%s", rows[i].text);
		assert_int_equal(east_s, rows[i].east_s);
	}
}

static void
break_key_at(void)
{
	cfg_key_at(CFG_KEY_N);
}
static void
break_text(void)
{
	char buf[CFG_TEXT_SZ];

	c.system_mode = 77;
	cfg_text(&c, KEY(system_mode), buf);
}
static void
break_venue(void)
{
	cfg_feed_stale_ns(&c, VENUE_N);
}
static void
break_kill(void)
{
	cfg_kill_switch_ns(&c, VENUE_N);
}
static void
break_resume(void)
{
	cfg_resume_ns(&c, VENUE_N);
}
static void
break_type(void)
{
	cfg_type_name(CFG_TYPE_N);
}
static void
break_apply(void)
{
	cfg_apply_name(0);
}

static void
broken_contracts_abort(void **state)
{
	static void (*const breaks[])(void) = {break_key_at, break_text,
	    break_venue, break_kill, break_resume, break_type, break_apply};

	(void)state;
	cfg_defaults(&c);
	for (size_t i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++) {
		pid_t pid = fork();
		int status;

		assert_true(pid >= 0);
		if (pid == 0) {
			signal(SIGABRT, SIG_DFL);
			close(STDERR_FILENO);
			breaks[i]();
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
	    cmocka_unit_test(accepts),
	    cmocka_unit_test(refuses_and_says_why),
	    cmocka_unit_test(long_value_is_cut_in_the_sentence),
	    cmocka_unit_test(full_list_fits),
	    cmocka_unit_test(defaults_are_the_documented_ones),
	    cmocka_unit_test(enums_match_their_names),
	    cmocka_unit_test(every_line_is_sound),
	    cmocka_unit_test(diff_names_keys_and_restarts),
	    cmocka_unit_test(foreign_memory_is_checked),
	    cmocka_unit_test(venues_have_their_own_limits),
	    cmocka_unit_test(weights_of_the_resolution_risk),
	    cmocka_unit_test(time_zones),
	    cmocka_unit_test(broken_contracts_abort),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

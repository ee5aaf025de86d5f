/* links: libsys libshm libcore */
/* What a mode asks of the addresses, of the accounts and of the keys. */
#define _GNU_SOURCE
#include "tests/unit/cfgkit.h"

/* Mode in the file and PAPER_MODE: what comes out, 0 refused. */
static void
paper_mode(void **state)
{
	static const struct {
		const char *file;
		const char *env;
		const char *arg;
		int mode;
	} rows[] = {
	    {"sim", "PAPER_MODE=true", NULL, MODE_PAPER},
	    {"sim", "PAPER_MODE=false", NULL, MODE_SIM},
	    {"live", "PAPER_MODE=true", NULL, MODE_PAPER},
	    {"paper", "PAPER_MODE=false", NULL, 0},
	    {"live", "X=1", NULL, 0},
	    {"sim", "PAPER_MODE=", NULL, 0},
	    {"sim", "PAPER_MODE=1", NULL, 0},
	    {"sim", "PAPER_MODE=true", "system.mode=live", MODE_PAPER},
	    {"sim", "SYSTEM_MODE=paper", NULL, MODE_PAPER},
	    {"capture", "PAPER_MODE=false", NULL, MODE_CAPTURE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[64];
		char env[64];
		char *envp[] = {env, NULL};
		int rc;

		snprintf(
		    text, sizeof(text), "system:\n  mode: %s\n", rows[i].file);
		snprintf(env, sizeof(env), "%s", rows[i].env);
		rc = load(text, envp, rows[i].arg);
		assert_int_equal(rc, rows[i].mode == 0 ? -EINVAL : 0);
		if (rc == 0)
			assert_int_equal(l.cfg.system_mode, rows[i].mode);
	}
}

static void
live_is_refused(void **state)
{
	char env[] = "PAPER_MODE=false";
	char *envp[] = {env, NULL};
	char origin[CFGFILE_ORIGIN_SZ];

	(void)state;
	assert_int_equal(load("system: {mode: paper}\n", envp, NULL), -EINVAL);
	/* The nine addresses of the simulator, and live itself. */
	assert_int_equal(l.error_n, 9 + 2);
	assert_string_equal(l.error[0].text,
	    "default: polymarket.ws_url: mode live wants the real venue, but "
	    "the address is on this machine: ws://127.0.0.1:18801/ws/market");
	assert_string_equal(l.error[9].text,
	    "env PAPER_MODE: system.mode: live needs live.confirm: \"I accept "
	    "real orders\"");
	assert_string_equal(
	    cfgfile_origin(&l, CFG_KEY_system_mode, origin), "env PAPER_MODE");
	assert_int_equal(load("system: {mode: live}\n"
			      "live: {confirm: I accept real orders, until: "
			      "2099-12-31T18:00Z}\n",
			     NULL, NULL),
	    -EINVAL);
	assert_int_equal(l.error_n, 9);
}

#define REAL_VENUES                           \
	"polymarket:\n"                       \
	"  ws_url: wss://pm.example/ws\n"     \
	"  rtds_url: wss://pm.example/rtds\n" \
	"  rest_url: https://pm.example\n"    \
	"  gamma_url: https://pm.example\n"   \
	"  user_url: wss://pm.example/user\n" \
	"binance:\n"                          \
	"  ws_url: wss://bn.example\n"        \
	"  rest_url: https://bn.example\n"    \
	"hyperliquid:\n"                      \
	"  ws_url: wss://hl.example/ws\n"     \
	"  rest_url: https://hl.example\n"
#define LIVE                     \
	"system: {mode: live}\n" \
	"live: {confirm: I accept real orders, until: 2099-12-31T18:00Z}\n"

static void
live_with_real_addresses_is_taken(void **state)
{
	(void)state;
	if (load(LIVE REAL_VENUES, NULL, NULL) != 0)
		fail_msg("%s", l.error[0].text);
	assert_int_equal(l.cfg.system_mode, MODE_LIVE);
	assert_int_equal(l.warning_n, 0);
	/* Never in the clear, never without the sentence. */
	assert_int_equal(load(LIVE REAL_VENUES, NULL,
			     "hyperliquid.rest_url=http://hl.example"),
	    -EINVAL);
	assert_string_equal(l.error[0].text,
	    "command line: hyperliquid.rest_url: mode live wants an encrypted "
	    "address (wss, https), not http://hl.example");
	assert_int_equal(l.error_n, 1);
	assert_int_equal(
	    load(LIVE REAL_VENUES, NULL, "live.confirm=yes"), -EINVAL);
	assert_int_equal(l.error_n, 1);
}

/* One variable of the environment does not arm a machine: it takes a sentence
 * and a time, and the time passes. */
static void
T_83_live_is_armed_for_a_time(void **state)
{
	static const char *const bad[] = {"live.until=", "live.until=tomorrow",
	    "live.until=2099-02-30T00:00Z", "live.until=2099-12-31",
	    "live.until=2099-12-31T24:61Z"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(load(LIVE REAL_VENUES, NULL, bad[i]), -EINVAL);
		assert_int_equal(l.error_n, 1);
		assert_non_null(strstr(l.error[0].text, "live.until"));
	}
	assert_int_equal(
	    load(LIVE REAL_VENUES, NULL, "live.until=2020-01-01T00:00:30Z"),
	    -EINVAL);
	assert_string_equal(l.error[0].text,
	    "command line: live.until: 2020-01-01T00:00:30Z is over; say until "
	    "when live trading is meant");
	assert_int_equal(
	    load(LIVE REAL_VENUES, NULL, "live.until=2099-01-01T00:00:30Z"), 0);
}

static void
paper_may_look_at_anything(void **state)
{
	(void)state;
	assert_int_equal(load("system: {mode: paper}\n", NULL, NULL), 0);
	assert_int_equal(l.warning_n, 0);
	assert_int_equal(
	    load("system: {mode: paper}\n" REAL_VENUES, NULL, NULL), 0);
	assert_int_equal(l.warning_n, 0);
}

/* Of every address that is used, the user channel of orders among them. */
static void
sim_stays_on_this_machine(void **state)
{
	static const char *const far[] = {"polymarket.user_url=wss://a.example",
	    "polymarket.rest_url=https://a.example",
	    "hyperliquid.ws_url=wss://a.example",
	    "binance.ws_url=wss://a.example"};

	(void)state;
	assert_int_equal(load("", NULL, NULL), 0);
	for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
		assert_int_equal(load("", NULL, far[i]), -EINVAL);
		assert_int_equal(l.error_n, 1);
		assert_non_null(
		    strstr(l.error[0].text, "mode sim stays on this machine"));
	}
	/* On paper nothing listens to it. */
	assert_int_equal(load("system: {mode: paper}\n", NULL, far[0]), 0);
	assert_false(cfgfile_url_used(&l.cfg, CFG_KEY_polymarket_user_url));
	assert_int_equal(load("", NULL, NULL), 0);
	assert_true(cfgfile_url_used(&l.cfg, CFG_KEY_polymarket_user_url));
}

#define KEY_TEXT                           \
	"ac0974bec39a17e36ba4a6b4d238ff94" \
	"4bacb478cbed5efcae784d7bf4f2ff80"
#define ADDRESS "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"

/* What is wrong with an account, and that no key is repeated. */
static void
accounts_are_checked(void **state)
{
	static const struct {
		const char *file;
		const char *error; /* NULL: good */
	} rows[] = {
	    {"polymarket: {signature_type: proxy}\n",
		"polymarket.signature_type: proxy needs polymarket.funder, "
		"the address that holds the money"},
	    {"polymarket: {signature_type: contract}\n",
		"polymarket.signature_type: contract needs polymarket.funder, "
		"the address that holds the money"},
	    {"polymarket: {signature_type: safe, funder: \"" ADDRESS "\"}\n",
		NULL},
	    {"polymarket: {funder: \"0x12\"}\n",
		"polymarket.funder: \"0x12\" is no address: 0x and 40 hex "
		"digits"},
	    {"hyperliquid: {account: \"f39Fd6e51aad88F6F4ce6aB8827279cffFb922"
	     "66\"}\n",
		"hyperliquid.account: \"f39Fd6e51aad88F6F4ce6aB8827279cffFb922"
		"66\" is no address: 0x and 40 hex digits"},
	    {"hyperliquid: {account: \"0xg39Fd6e51aad88F6F4ce6aB8827279cffFb9"
	     "2266\"}\n",
		"hyperliquid.account: \"0xg39Fd6e51aad88F6F4ce6aB8827279cffFb9"
		"2266\" is no address: 0x and 40 hex digits"},
	    {"polymarket: {key_file: \"0x" KEY_TEXT "\"}\n",
		"polymarket.key_file: holds a key, but wants the name of a "
		"file with it"},
	    {"hyperliquid: {key_file: \"" KEY_TEXT "\"}\n",
		"hyperliquid.key_file: holds a key, but wants the name of a "
		"file with it"},
	    {"hyperliquid: {key_file: /etc/ringmaker/hl.key}\n", NULL},
	    {"exec: {cancel_timeout: 5s}\n",
		"exec.cancel_timeout (5s) must be below "
		"supervisor.stop_timeout (5s), or execd is killed while its "
		"cancels are on their way"},
	    {"exec: {cancel_timeout: 5s}\nsystem: {mode: paper}\n", NULL},
	    {"exec: {fill_poll_s: 11s}\n",
		"exec.fill_poll_s (11s) must be at most exec.reconcile_s "
		"(10s)"},
	    {"exec: {paper_latency: 5s}\n",
		"exec.paper_latency (5s) must be below exec.order_timeout "
		"(5s)"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int rc = load(rows[i].file, NULL, NULL);
		const char *key = strstr(l.error[0].text, ": ");

		assert_int_equal(rc, rows[i].error == NULL ? 0 : -EINVAL);
		if (rc == 0)
			continue;
		assert_int_equal(l.error_n, 1);
		assert_non_null(key);
		assert_string_equal(key + 2, rows[i].error);
		assert_null(strstr(l.error[0].text, KEY_TEXT));
	}
}

/* A key where an address belongs is recognised, and not repeated. */
static void
a_key_as_an_address_is_not_repeated(void **state)
{
	(void)state;
	/* 66 characters do not fit: refused by its length, unspoken. */
	assert_int_equal(
	    load("polymarket: {funder: \"0x" KEY_TEXT "\"}\n", NULL, NULL),
	    -EINVAL);
	for (size_t i = 0; i < l.error_n; i++)
		assert_null(strstr(l.error[i].text, KEY_TEXT));
}

static void
an_address_that_nobody_uses_is_no_matter(void **state)
{
	(void)state;
	assert_int_equal(load("polymarket:\n  rtds_url: wss://example.com/\n"
			      "  polybolt_url: wss://example.com/\n"
			      "  price_stream: none\n",
			     NULL, NULL),
	    0);
	assert_int_equal(l.warning_n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(paper_mode),
	    cmocka_unit_test(live_is_refused),
	    cmocka_unit_test(live_with_real_addresses_is_taken),
	    cmocka_unit_test(T_83_live_is_armed_for_a_time),
	    cmocka_unit_test(paper_may_look_at_anything),
	    cmocka_unit_test(sim_stays_on_this_machine),
	    cmocka_unit_test(accounts_are_checked),
	    cmocka_unit_test(a_key_as_an_address_is_not_repeated),
	    cmocka_unit_test(an_address_that_nobody_uses_is_no_matter),
	};
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}

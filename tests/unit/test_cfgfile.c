/* links: libsys libshm libcore */
#define _GNU_SOURCE
#include "tests/unit/cfgkit.h"

/* One mistake, one sentence; PATH: stands for the file and a colon. */
static const struct {
	const char *name;
	const char *text;
	const char *error;
} cases[] = {
    {"unknown key, near one", "mm:\n  max_spreed: 0.1\n",
	"PATH:2:3: mm.max_spreed: unknown key; did you mean mm.max_spread?"},
    {"unknown key, swapped letters", "mm:\n  max_psread: 0.1\n",
	"PATH:2:3: mm.max_psread: unknown key; did you mean mm.max_spread?"},
    {"unknown key, right in another group", "mm:\n  lease_ms: 100\n",
	"PATH:2:3: mm.lease_ms: unknown key; did you mean risk.lease_ms?"},
    {"unknown key, near one of another group only", "feed:\n  no_such: 3\n",
	"PATH:2:3: feed.no_such: unknown key"},
    {"unknown key, nearest in its own group", "feed:\n  stale_binance: 3\n",
	"PATH:2:3: feed.stale_binance: unknown key; did you mean "
	"feed.stale_binance_s?"},
    {"unknown key, near none", "mm:\n  elephants: 3\n",
	"PATH:2:3: mm.elephants: unknown key"},
    {"unknown key with a group inside", "mm:\n  elephants: {a: [1, 2]}\n",
	"PATH:2:3: mm.elephants: unknown key"},
    {"unknown group, near one", "latencyy:\n  raw_trips: 3\n",
	"PATH:1:1: latencyy: unknown group; did you mean latency?"},
    {"unknown group, near none", "zoo:\n  raw_trips: 3\n",
	"PATH:1:1: zoo: unknown group"},
    {"dotted key at the top", "mm.max_spread: 0.1\n",
	"PATH:1:1: mm.max_spread: unknown group; write \"mm:\" and below it, "
	"indented, \"max_spread:\""},
    {"bad number", "mm:\n\n  max_markets:   five\n",
	"PATH:3:18: mm.max_markets: \"five\" is not a whole number; allowed: "
	"1 to 1000"},
    {"out of range", "latency: {raw_trips: 101}\n",
	"PATH:1:22: latency.raw_trips: \"101\" is too large; allowed: 1 to "
	"100"},
    {"quoted is no excuse", "latency:\n  raw_trips: \"101\"\n",
	"PATH:2:14: latency.raw_trips: \"101\" is too large; allowed: 1 to "
	"100"},
    {"missing unit", "latency:\n  ping_interval: 1\n",
	"PATH:2:18: latency.ping_interval: \"1\" is not a duration with a "
	"unit (ns us ms s m h); allowed: 100ms to 60s"},
    {"no value", "latency:\n  raw_trips:\n",
	"PATH:2:13: latency.raw_trips: has no value; allowed: 1 to 100"},
    {"null", "latency:\n  raw_trips: ~\n",
	"PATH:2:14: latency.raw_trips: has no value; allowed: 1 to 100"},
    {"same key twice", "mm:\n  max_markets: 3\n  max_markets: 3\n",
	"PATH:3:3: mm.max_markets: already set at line 2"},
    {"same group twice", "mm:\n  max_markets: 3\nmm:\n  enabled: true\n",
	"PATH:3:1: mm: this group came before"},
    {"list for a value", "mm:\n  max_markets: [3]\n",
	"PATH:2:16: mm.max_markets: takes one value, not a list; allowed: 1 "
	"to 1000"},
    {"group for a value", "mm:\n  max_markets:\n    a: 3\n",
	"PATH:3:5: mm.max_markets: takes a value, not a group; allowed: 1 to "
	"1000"},
    {"list in a list", "binance:\n  symbols: [a, [b]]\n",
	"PATH:2:16: binance.symbols: items must be texts; allowed: 0 to 32 "
	"items"},
    {"comma in an item", "binance:\n  symbols: [a, \"b,c\"]\n",
	"PATH:2:16: binance.symbols: an item is empty or holds a comma; "
	"allowed: 0 to 32 items"},
    {"empty item", "binance:\n  symbols:\n    - a\n    -\n",
	"PATH:4:6: binance.symbols: an item is empty or holds a comma; "
	"allowed: 0 to 32 items"},
    {"item twice", "binance:\n  symbols: [a, b, a]\n",
	"PATH:2:12: binance.symbols: \"a, b, a\" names an item twice; "
	"allowed: 0 to 32 items"},
    {"series that is none",
	"polymarket:\n  series: [btc-updown-5m, "
	"btc-updow-15m]\n",
	"PATH:2:27: polymarket.series: \"btc-updow-15m\" is no such item; "
	"each is: ASSET-updown-5m, -15m or -4h (btc-updown-15m), or "
	"bitcoin-up-or-down-1h"},
    {"stream that is none", "binance:\n  streams:\n    - trades\n",
	"PATH:3:7: binance.streams: \"trades\" is no such item; each is: "
	"trade, aggTrade, bookTicker, depth, depth5, depth10 or depth20, the "
	"latter four also with @100ms"},
    {"value for a group", "mm: 3\n",
	"PATH:1:5: keys of the group are expected here, `name: value`"},
    {"list for a group", "mm:\n  - max_markets\n",
	"PATH:2:3: keys of the group are expected here, `name: value`"},
    {"list at the top", "- mm\n",
	"PATH:1:1: groups are expected here, `group:`"},
    {"word at the top", "hello\n",
	"PATH:1:1: groups are expected here, `group:`"},
    {"anchor", "mm:\n  max_markets: &a 3\n",
	"PATH:2:16: anchors (&name) are not allowed"},
    {"anchor on a group", "mm: &a\n  max_markets: 3\n",
	"PATH:1:5: anchors (&name) are not allowed"},
    {"alias", "mm:\n  max_markets: *a\n",
	"PATH:2:16: aliases (*name) are not allowed"},
    {"merge key", "mm:\n  <<: 3\n", "PATH:2:3: mm.<<: unknown key"},
    {"tag", "mm:\n  max_markets: !!int 3\n",
	"PATH:2:16: tags (!name) are not allowed"},
    {"tag on a list item", "binance:\n  symbols: [!x a]\n",
	"PATH:2:13: tags (!name) are not allowed"},
    {"two documents", "mm:\n  max_markets: 3\n---\nmm:\n",
	"PATH:3:1: only one document is allowed in a file"},
    {"list as a name", "mm:\n  ? [a]\n  : 3\n",
	"PATH:2:5: a name is expected here"},
    {"group as a name", "? {mm: 1}\n: 3\n",
	"PATH:1:3: a name is expected here"},
    {"bad indent", "mm:\n  max_markets: 3\n enabled: true\n",
	"PATH:3:2: did not find expected key, while parsing a block mapping"},
    {"tab", "mm:\n\tmax_markets: 3\n",
	"PATH:2:1: found character that cannot start any token, while "
	"scanning for the next token"},
    {"open quote", "recorder:\n  dir: \"abc\n",
	"PATH:3:1: found unexpected end of stream, while scanning a quoted "
	"scalar"},
    {"open bracket", "binance:\n  symbols: [a,\n",
	"PATH:3:1: did not find expected node content, while parsing a flow "
	"node"},
    {"not UTF-8", "mm:\n  # caf\xff\n  max_markets: 3\n",
	"PATH:2:8: not UTF-8"},
    {"control character", "mm:\n  max_markets: \x01\n",
	"PATH:2:16: control characters are not allowed"},
    {"escaped NUL", "recorder:\n  dir: \"a\\0b\"\n",
	"PATH:2:8: recorder.dir: holds control characters; allowed: 1 to "
	"191 characters"},
    {"escaped newline", "recorder:\n  dir: \"a\\nb\"\n",
	"PATH:2:8: recorder.dir: \"a?b\" holds control characters; allowed: "
	"1 to 191 characters"},
    {"name of 64 bytes",
	"mm:\n  "
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: "
	"1\n",
	"PATH:2:3: name too long"},
    {"zone", "risk:\n  timezone: CET\n",
	"PATH:2:13: risk.timezone: \"CET\" is not UTC or a fixed offset such "
	"as UTC+2 or UTC-03:30"},
    {"resume above the switch", "latency:\n  resume_ms: 600\n",
	"PATH:2:14: latency.resume_ms (600ms) must be below "
	"latency.kill_switch_ms (500ms)"},
    {"switch below the resume",
	"latency:\n  resume_ms: 190\n  kill_switch_ms: 100\n",
	"PATH:3:19: latency.resume_ms (190ms) must be below "
	"latency.kill_switch_ms (100ms)"},
    {"a venue's own switch", "latency:\n  kill_switch_polymarket_ms: 150\n",
	"PATH:2:30: polymarket would resume trading at 200 ms, which is not "
	"below its kill switch at 150 ms"},
    {"order of backoffs", "feed:\n  reconnect_max: 50ms\n",
	"PATH:2:18: feed.reconnect_min (100ms) must be at most "
	"feed.reconnect_max (50ms)"},
    {"too much capital", "capital:\n  maker_frac: 0.9\n",
	"PATH:2:15: capital.maker_frac, arb_frac and reserve_frac sum to "
	"1.12, more than 1"},
    {"real venue in mode sim",
	"hyperliquid:\n  ws_url: wss://api.hyperliquid.xyz/ws\n",
	"PATH:2:11: hyperliquid.ws_url: mode sim stays on this machine, but "
	"the address is wss://api.hyperliquid.xyz/ws"},
    {"the price socket in mode sim",
	"polymarket:\n  price_stream: polybolt\n"
	"  polybolt_url: wss://ws-live-v2.polymarket.com/ws\n",
	"PATH:3:17: polymarket.polybolt_url: mode sim stays on this machine, "
	"but the address is wss://ws-live-v2.polymarket.com/ws"},
    {"a host that only looks local",
	"hyperliquid:\n  ws_url: ws://127.0.0.1.example.com/ws\n",
	"PATH:2:11: hyperliquid.ws_url: mode sim stays on this machine, but "
	"the address is ws://127.0.0.1.example.com/ws"},
    {"nothing to watch",
	"polymarket: {enabled: false}\nbinance: {enabled: no}\n"
	"hyperliquid: {enabled: off}\n",
	"PATH:3:24: polymarket.enabled, binance.enabled and "
	"hyperliquid.enabled are all false: there is no market data"},
};

static void
one_mistake_one_sentence(void **state)
{
	char want[512];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(want, sizeof(want), "%s%s", path,
		    cases[i].error + strlen("PATH"));
		if (load(cases[i].text, NULL, NULL) != -EINVAL)
			fail_msg("%s: accepted", cases[i].name);
		assert_string_equal(l.error[0].text, want);
		if (l.error_n != 1)
			fail_msg("%s: %s", cases[i].name, l.error[1].text);
	}
}

static void
every_mistake_is_listed(void **state)
{
	static const char text[] = "mm:\n"
				   "  max_markets: 0\n"
				   "  nonsense: 1\n"
				   "  target_spread: x\n"
				   "zoo: {a: 1}\n"
				   "binance:\n"
				   "  symbols: [a, [b]]\n"
				   "  streams: [trade]\n";

	(void)state;
	assert_int_equal(load(text, NULL, "mm.max_spread=7"), -EINVAL);
	assert_int_equal(l.error_n, 6);
	assert_non_null(strstr(l.error[3].text, ":5:1: zoo: unknown group"));
	assert_string_equal(l.error[5].text,
	    "command line: mm.max_spread: \"7\" is too large; allowed: "
	    "0.001 to 1");
	assert_int_equal(l.cfg.binance_streams.n, 1);
}

static void
more_mistakes_than_are_kept_are_counted(void **state)
{
	char text[8192] = "mm:\n";
	size_t len = strlen(text);
	char out[64 * 1024] = "";
	FILE *f;

	(void)state;
	for (int i = 0; i < 100; i++)
		len += (size_t)snprintf(
		    text + len, sizeof(text) - len, "  elephant%d: 1\n", i);
	assert_int_equal(load(text, NULL, NULL), -EINVAL);
	assert_int_equal(l.error_n, 100);
	f = fmemopen(out, sizeof(out), "w");
	cfgfile_errors(&l, f);
	fclose(f);
	assert_non_null(strstr(out, "error: and 36 more\n"));
}

static void
good_files(void **state)
{
	(void)state;
	assert_int_equal(load("", NULL, NULL), 0);
	assert_int_equal(load("# nothing\n\n", NULL, NULL), 0);
	assert_int_equal(load("---\n...\n", NULL, NULL), 0);
	assert_int_equal(load("mm:\nperp: ~\n", NULL, NULL), 0);
	assert_int_equal(load("{mm: {max_markets: 3}}\n", NULL, NULL), 0);
	assert_int_equal(l.cfg.mm_max_markets, 3);
	assert_int_equal(
	    load("\xef\xbb\xbfmm:\r\n  max_markets: 4\r\n", NULL, NULL), 0);
	assert_int_equal(l.cfg.mm_max_markets, 4);
	assert_int_equal(
	    load("recorder: {dir: 'gr\xc3\xbc\xc3\x9f'}\n", NULL, NULL), 0);
	assert_string_equal(l.cfg.recorder_dir.s, "gr\xc3\xbc\xc3\x9f");
	assert_int_equal(load("binance:\n  symbols:\n  - btcusdt\n  - "
			      "ethusdt\n  streams: trade\n",
			     NULL, NULL),
	    0);
	assert_int_equal(l.cfg.binance_symbols.n, 2);
	assert_string_equal(l.cfg.binance_symbols.item[1], "ethusdt");
	assert_int_equal(load("polymarket: {slugs: []}\n", NULL, NULL), 0);
	assert_int_equal(l.cfg.polymarket_slugs.n, 0);
	assert_int_equal(l.warning_n, 0);
}

static void
not_a_file(void **state)
{
	static char big[CFGFILE_SZ_MAX + 1];
	char want[256];

	(void)state;
	unlink(path);
	snprintf(want, sizeof(want), "%s: No such file or directory", path);
	{
		const char *paths[] = {path};
		const struct cfgfile_args a = {.paths = paths, .path_n = 1};

		assert_int_equal(cfgfile_load(&l, &a), -EINVAL);
		assert_string_equal(l.error[0].text, want);

		assert_int_equal(mkfifo(path, 0600), 0);
		snprintf(want, sizeof(want), "%s: not a regular file", path);
		assert_int_equal(cfgfile_load(&l, &a), -EINVAL);
		assert_string_equal(l.error[0].text, want);
		unlink(path);

		assert_int_equal(mkdir(path, 0700), 0);
		assert_int_equal(cfgfile_load(&l, &a), -EINVAL);
		assert_string_equal(l.error[0].text, want);
		rmdir(path);

		memset(big, '#', sizeof(big));
		write_file(path, big, sizeof(big));
		snprintf(want, sizeof(want),
		    "%s: 1048577 bytes; a configuration has at most 1048576",
		    path);
		assert_int_equal(cfgfile_load(&l, &a), -EINVAL);
		assert_string_equal(l.error[0].text, want);
		write_file(path, big, sizeof(big) - 1);
		assert_int_equal(cfgfile_load(&l, &a), 0);
	}
}

/* A megabyte of brackets is refused before it costs anything. */
static void
deep_nesting_is_refused(void **state)
{
	static char deep[1 << 20];

	(void)state;
	memset(deep, '[', sizeof(deep));
	memcpy(deep, "zoo: ", 5);
	deep[sizeof(deep) - 1] = '\0';
	assert_int_equal(load(deep, NULL, NULL), -EINVAL);
	assert_int_equal(l.error_n, 2);
	assert_non_null(strstr(l.error[1].text, ": nested too deeply"));
}

/* default < file < later file < environment < command line */
static void
layers(void **state)
{
	char mm[] = "MM_MAX_MARKETS=5";
	char raw[] = "LATENCY_RAW_TRIPS=6";
	char *envp[] = {mm, raw, NULL};
	const char *paths[] = {path, path2};
	const char *args[] = {"latency.raw_trips=7"};
	const struct cfgfile_args a = {
	    .paths = paths,
	    .path_n = 2,
	    .envp = envp,
	    .args = args,
	    .arg_n = 1,
	};
	static const char one[] = "mm: {max_markets: 2}\n"
				  "latency: {raw_trips: 2, resume_n: 2}\n"
				  "warmup: {min_books: 2}\n";
	static const char two[] = "\n  \nmm: {max_markets: 3}\n"
				  "latency: {raw_trips: 3, resume_n: 4}\n";
	char want[CFGFILE_ORIGIN_SZ];
	char got[CFGFILE_ORIGIN_SZ];

	(void)state;
	write_file(path, one, strlen(one));
	write_file(path2, two, strlen(two));
	assert_int_equal(cfgfile_load(&l, &a), 0);
	assert_int_equal(l.cfg.warmup_min_books, 2);
	assert_int_equal(l.cfg.latency_resume_n, 4);
	assert_int_equal(l.cfg.mm_max_markets, 5);
	assert_int_equal(l.cfg.latency_raw_trips, 7);
	snprintf(want, sizeof(want), "%s:3:21", path);
	assert_string_equal(
	    cfgfile_origin(&l, CFG_KEY_warmup_min_books, got), want);
	snprintf(want, sizeof(want), "%s:4:35", path2);
	assert_string_equal(
	    cfgfile_origin(&l, CFG_KEY_latency_resume_n, got), want);
	assert_string_equal(cfgfile_origin(&l, CFG_KEY_mm_max_markets, got),
	    "env MM_MAX_MARKETS");
	assert_string_equal(
	    cfgfile_origin(&l, CFG_KEY_latency_raw_trips, got), "command line");
	assert_string_equal(
	    cfgfile_origin(&l, CFG_KEY_perp_enabled, got), "default");
}

static void
too_many_files(void **state)
{
	const char *paths[CFGFILE_N_MAX + 1];
	const struct cfgfile_args a = {
	    .paths = paths, .path_n = CFGFILE_N_MAX + 1};

	(void)state;
	write_file(path, "", 0);
	for (size_t i = 0; i <= CFGFILE_N_MAX; i++)
		paths[i] = path;
	assert_int_equal(cfgfile_load(&l, &a), -EINVAL);
	assert_non_null(
	    strstr(l.error[0].text, ": more than 8 configuration files"));
}

static void
environment_is_checked(void **state)
{
	char bad_value[] = "MM_MAX_MARKETS=0";
	char empty[] = "LATENCY_RAW_TRIPS=";
	char typo[] = "MM_MAX_SPRED=0.1";
	char other[] = "PERP_SOMETHING_ELSE_ENTIRELY=1";
	char longer[] = "MM_MAX_MARKETS_=9";
	char unused[] = "METRICS_LISTEN=127.0.0.1:1";
	char *envp[] = {bad_value, empty, typo, other, longer, unused, NULL};

	(void)state;
	assert_int_equal(load(NULL, envp, NULL), -EINVAL);
	assert_int_equal(l.error_n, 2);
	assert_string_equal(l.error[0].text,
	    "env LATENCY_RAW_TRIPS: latency.raw_trips: \"\" is not a whole "
	    "number; allowed: 1 to 100");
	assert_string_equal(l.error[1].text,
	    "env MM_MAX_MARKETS: mm.max_markets: \"0\" is too small; "
	    "allowed: 1 to 1000");
	assert_int_equal(l.warning_n, 3);
	assert_string_equal(l.warning[0].text,
	    "env MM_MAX_SPRED: not a setting; did you mean MM_MAX_SPREAD?");
	assert_string_equal(l.warning[1].text,
	    "env MM_MAX_MARKETS_: not a setting; did you mean "
	    "MM_MAX_MARKETS?");
	assert_string_equal(l.warning[2].text,
	    "env METRICS_LISTEN: metrics.listen: nothing in this build acts "
	    "on it yet");
}

static void
every_key_has_one_variable(void **state)
{
	char a[CFGFILE_ENV_SZ];
	char b[CFGFILE_ENV_SZ];

	(void)state;
	for (size_t i = 0; i < CFG_KEY_N; i++)
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(
			    cfgfile_env_name(i, a), cfgfile_env_name(j, b));
	assert_string_equal(cfgfile_env_name(CFG_KEY_mm_gamma_risk_aversion, a),
	    "MM_GAMMA_RISK_AVERSION");
}

static void
command_line_is_checked(void **state)
{
	static const struct {
		const char *arg;
		const char *error;
	} rows[] = {
	    {"mm.max_spreed=1", "command line: mm.max_spreed: unknown key; "
				"did you mean mm.max_spread"},
	    {"mm.elephants=1", "command line: mm.elephants: unknown key"},
	    {"max_spread", "command line: \"max_spread\" is not "
			   "group.name=value"},
	    {"max=a.b", "command line: \"max=a.b\" is not "
			"group.name=value"},
	    {"", "command line: \"\" is not group.name=value"},
	    {"mm.max_markets=", "command line: mm.max_markets: \"\" is not a "
				"whole number; allowed: 1 to 1000"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(load(NULL, NULL, rows[i].arg), -EINVAL);
		assert_int_equal(l.error_n, 1);
		assert_string_equal(l.error[0].text, rows[i].error);
	}
}

/* A file that does not validate: what a reload says, and what would change
 * when it does. */
static void
reload_diff(void **state)
{
	static struct cfg running;
	char out[1024] = "";
	size_t restart_n;
	FILE *f;

	(void)state;
	assert_int_equal(load("", NULL, NULL), 0);
	memcpy(&running, &l.cfg, sizeof(running));
	assert_int_equal(load("mm:\n  gamma_risk_aversion: 0.3\n"
			      "recorder:\n  dir: other\n",
			     NULL, NULL),
	    0);
	f = fmemopen(out, sizeof(out), "w");
	assert_int_equal(cfgfile_diff(&running, &l.cfg, &restart_n, f), 2);
	fclose(f);
	assert_int_equal(restart_n, 1);
	assert_string_equal(out, "mm.gamma_risk_aversion: 0.2 -> 0.3 (live)\n"
				 "recorder.dir: captures -> other (restart)\n");
}

static void
state_directory(void **state)
{
	static struct cfg c;
	char buf[64];

	(void)state;
	cfg_defaults(&c);
	setenv("HOME", "/home/me", 1);
	setenv("XDG_STATE_HOME", "/var/state", 1);
	assert_int_equal(cfgfile_state_dir(&c, buf, sizeof(buf)), 0);
	assert_string_equal(buf, "/var/state/ringmaker");
	setenv("XDG_STATE_HOME", "relative", 1);
	assert_int_equal(cfgfile_state_dir(&c, buf, sizeof(buf)), 0);
	assert_string_equal(buf, "/home/me/.local/state/ringmaker");
	assert_int_equal(cfgfile_state_dir(&c, buf, 10), -ENAMETOOLONG);
	unsetenv("HOME");
	unsetenv("XDG_STATE_HOME");
	assert_int_equal(cfgfile_state_dir(&c, buf, sizeof(buf)), -ENOENT);
	memcpy(c.system_state_dir.s, "/x", 3);
	assert_int_equal(cfgfile_state_dir(&c, buf, sizeof(buf)), 0);
	assert_string_equal(buf, "/x");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_mistake_one_sentence),
	    cmocka_unit_test(every_mistake_is_listed),
	    cmocka_unit_test(more_mistakes_than_are_kept_are_counted),
	    cmocka_unit_test(good_files),
	    cmocka_unit_test(not_a_file),
	    cmocka_unit_test(deep_nesting_is_refused),
	    cmocka_unit_test(layers),
	    cmocka_unit_test(too_many_files),
	    cmocka_unit_test(environment_is_checked),
	    cmocka_unit_test(every_key_has_one_variable),
	    cmocka_unit_test(command_line_is_checked),
	    cmocka_unit_test(reload_diff),
	    cmocka_unit_test(state_directory),
	};
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}

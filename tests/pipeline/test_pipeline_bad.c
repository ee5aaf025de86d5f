/* links: libsys libshm libcore */
/*
 * Frames that no venue should send, between good ones, over real sockets:
 * each is counted under its reason, the books come right, and the pipeline
 * lives and trades.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "libcore/fixed.h"
#include "tests/pipeline/proc.h"
#include "tests/pipeline/rig.h"

#define BEGIN_NS INT64_C(1723161254087891268) /* of the shipped set */
#define PLAY_MS	 60000
#define MARKET                                                      \
	"0x37b7691318690e966a41b6efbc2e5d6520f4bc8a421f6a5cbf987c8" \
	"57c6b8099"
#define YES                                                         \
	"208117391468915093296550091398657891573382203321151890534" \
	"52129942732910186174"
#define BIG_N	 100000
#define FORGED_N 2 /* frames of ours with a hash that is not the book's */
#define DEEP_N	 200

static struct rig rig;

static int
setup(void **state)
{
	(void)state;
	rig_init(&rig, "bad");
	rig_quick(&rig);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	rig_free(&rig);
	return 0;
}

/* ---- writing a capture ---- */

static FILE *
capture(const char *name)
{
	FILE *f = fopen(rig_path(&rig, name), "w");

	assert_non_null(f);
	return f;
}

/* A frame s seconds into the set, in the recorder's envelope: its text is
 * served as it stands, whatever it is. */
static void
put(FILE *f, const char *source, int s, const char *frame)
{
	fprintf(f,
	    "{\"source\":\"%s\",\"recv_mono_ns\":%" PRId64 ",\"payload\":\"",
	    source, BEGIN_NS + s * NS_PER_S);
	for (; *frame != '\0'; frame++) {
		if (*frame == '"' || *frame == '\\')
			fputc('\\', f);
		fputc(*frame, f);
	}
	fputs("\"}\n", f);
}

static void
pm(FILE *f, int s, const char *frame)
{
	put(f, "polymarket_clob", s, frame);
}

#define CHANGE(ms, px, size, side)                                             \
	"{\"event_type\":\"price_change\",\"market\":\"" MARKET                \
	"\",\"timestamp\":\"" ms "\",\"price_changes\":[{\"asset_"             \
	"id\":\"" YES "\",\"price\":" px ",\"size\":" size ",\"side\":\"" side \
	"\",\"hash\":\"0123456789012345678901234567890123456789\","            \
	"\"best_bid\":\"0.5\",\"best_ask\":\"0.6\"}]}"

static void
bad_polymarket(void)
{
	static char big[BIG_N + 1];
	static char deep[2 * DEEP_N + 64];
	FILE *f = capture("bad_pm.jsonl");
	int n;

	pm(f, 10, "{\"event_type\":\"book\",\"market\":");
	pm(f, 11, "[{\"event_type\":\"price_change\"},{]");
	pm(f, 12, CHANGE("1723161266087", "\"1e999\"", "\"5\"", "BUY"));
	pm(f, 13, CHANGE("1723161267087", "\"-0.5\"", "\"5\"", "BUY"));
	pm(f, 14,
	    CHANGE("1723161268087", "\"0.5\"",
		"\"99999999999999999999999999999\"", "BUY"));
	pm(f, 15, CHANGE("1723161269087", "{\"a\":1}", "\"5\"", "BUY"));
	pm(f, 16, "{\"event_type\":\"book\",\"asset_id\":[],\"market\":17}");
	pm(f, 17, "{\"event_type\":\"price_change\"}");
	pm(f, 18, "{\"event_type\":\"weather\",\"rain\":true}");
	n = snprintf(deep, sizeof(deep), "{\"rain\":");
	memset(deep + n, '[', DEEP_N);
	memset(deep + n + DEEP_N, ']', DEEP_N);
	memcpy(deep + n + 2 * DEEP_N, "}", 2);
	pm(f, 20, deep);
	pm(f, 22, "{}");
	pm(f, 22, "[]");
	/* A bid above every ask, and its end. */
	pm(f, 30, CHANGE("1723161284087", "\"0.98\"", "\"5\"", "BUY"));
	pm(f, 34, CHANGE("1723161288087", "\"0.98\"", "\"0\"", "BUY"));
	/* Longer than feed.max_frame_bytes: the connection goes. */
	memset(big, 'x', BIG_N);
	memcpy(big, "{\"event_type\":\"", 15);
	memcpy(big + BIG_N - 2, "\"}", 2);
	pm(f, 50, big);
	fclose(f);
}

#define TRADE(id, px)                                                    \
	"{\"stream\":\"btcusdt@trade\",\"data\":{\"e\":\"trade\",\"E\":" \
	"1723161274000000,\"s\":\"BTCUSDT\",\"t\":" id ",\"p\":" px      \
	",\"q\":\"0.1\",\"T\":1723161274000000,\"m\":true,\"M\":true}}"

static void
bad_binance(void)
{
	FILE *f = capture("bad_bn.jsonl");

	put(f, "binance", 10, TRADE("1", "\"sixty thousand\""));
	put(f, "binance", 11, TRADE("1", "\"-1\""));
	put(f, "binance", 12, TRADE("\"one\"", "\"61000\""));
	put(f, "binance", 13, TRADE("1", "[61000]"));
	put(f, "binance", 14, "{\"stream\":\"btcusdt@trade\",\"data\":{}}");
	put(f, "binance", 15,
	    "{\"stream\":\"btcusdt@trade\",\"data\":{\"e\":\"weather\"}}");
	fclose(f);
}

static void
hl(FILE *f, int s, const char *frame)
{
	fprintf(f,
	    "{\"t_ns\":%" PRId64 ",\"venue\":\"hyperliquid\",\"conn\":"
	    "\"ws\",\"frame\":%s}\n",
	    BEGIN_NS + s * NS_PER_S, frame);
}

static void
bad_hyperliquid(void)
{
	FILE *f = capture("bad_hl.jsonl");

	/* Only what the simulator can read itself is served here. */
	hl(f, 12,
	    "{\"channel\":\"l2Book\",\"data\":{\"coin\":\"BTC\",\"time\":"
	    "1723161266000,\"levels\":[[{\"px\":\"70000\",\"sz\":\"1\","
	    "\"n\":1}],[{\"px\":\"50000\",\"sz\":\"1\",\"n\":1}]]}}");
	fclose(f);
}

/* ---- the test ---- */

static uint64_t
refused(enum stage_id st, enum reason r)
{
	return atomic_load(&rig.metrics[st]->reason[r]);
}

static uint64_t
print_refused(enum stage_id st)
{
	uint64_t sum = 0;

	print_message("%s:", topo_stages[st].name);
	for (int i = 1; i < REASON_N; i++) {
		uint64_t n = refused(st, (enum reason)i);

		if (n > 0)
			print_message(" %s %llu", reason_name((enum reason)i),
			    (unsigned long long)n);
		sum += n;
	}
	print_message("\n");
	return sum;
}

static void
each_refused_with_its_reason(void)
{
	static const enum reason pm_reasons[] = {REASON_BAD_JSON,
	    REASON_BAD_TYPE, REASON_BAD_NUMBER, REASON_MISSING_FIELD,
	    REASON_UNKNOWN_EVENT, REASON_TOO_DEEP, REASON_CROSSED};

	assert_true(print_refused(ST_FEEDD_PM) >= 12);
	assert_true(print_refused(ST_FEEDD_BN) >= 6);
	assert_true(print_refused(ST_FEEDD_HL) >= 1);
	for (size_t i = 0; i < sizeof(pm_reasons) / sizeof(pm_reasons[0]); i++)
		if (refused(ST_FEEDD_PM, pm_reasons[i]) == 0)
			fail_msg("nothing was refused as %s",
			    reason_name(pm_reasons[i]));
	assert_true(refused(ST_FEEDD_BN, REASON_BAD_NUMBER) > 0);
	assert_true(refused(ST_FEEDD_BN, REASON_BAD_TYPE) > 0);
	assert_true(refused(ST_FEEDD_HL, REASON_CROSSED) > 0);
	for (int i = ST_FEEDD_PM; i <= ST_FEEDD_BN; i++)
		assert_true(
		    rig_metric(&rig, (enum stage_id)i, M_FEEDD_MALFORMED) > 0);
	/* The overlong one ended its connection, and it came back. */
	assert_true(rig_metric(&rig, ST_FEEDD_PM, M_FEEDD_RECONNECTS) >= 1);
}

static void
bad_frames_between_good_ones(void **state)
{
	const char *const options[] = {"--capture", "simvenue/captures",
	    "--capture", rig_path(&rig, "bad_pm.jsonl"), "--capture",
	    rig_path(&rig, "bad_bn.jsonl"), "--capture",
	    rig_path(&rig, "bad_hl.jsonl"), "--sync", "--pace", "20", "--once",
	    NULL};
	int64_t ok;
	int64_t bad;

	(void)state;
	bad_polymarket();
	bad_binance();
	bad_hyperliquid();
	rig_set(&rig, "feed.max_frame_bytes=64KiB");
	rig_set(&rig, "feed.snapshot_timeout=500ms");
	if (!rig_venue(&rig, options))
		fail_msg("%s", rig.out);
	assert_int_equal(rig_json(rig.out, "ready", "bad_lines"), 0);
	RIG_EXPECT(&rig, rig_sup(&rig, "start", "all", NULL), 0);
	assert_true(rig_attach(&rig));
	RIG_UNTIL(&rig, rig_metric(&rig, ST_FEEDD_PM, M_FEEDD_RECONNECTS) > 0);
	ok = rig_metric(&rig, ST_FEEDD_PM, M_FEEDD_HASH_OK);
	bad = rig_metric(&rig, ST_FEEDD_PM, M_FEEDD_HASH_BAD);
	assert_true(bad <= FORGED_N);
	RIG_TRADES(&rig);
	RIG_EXPECT(&rig, rig_venue_end(&rig, PLAY_MS), 0);
	for (int i = 0; i < ST_N; i++)
		assert_int_equal(
		    atomic_load(&rig.ctl->stage[i].sup.restarts), 0);
	/* Books after the last of them are those of the venue. */
	assert_true(rig_metric(&rig, ST_FEEDD_PM, M_FEEDD_HASH_OK) > ok);
	assert_int_equal(rig_metric(&rig, ST_FEEDD_PM, M_FEEDD_HASH_BAD), bad);
	RIG_EXPECT(
	    &rig, rig_sup(&rig, "--json", "--keep", "stop", "all", NULL), 0);
	assert_non_null(strstr(rig.out, "\"flat\":true"));
	each_refused_with_its_reason();
}

static void
bad_config(const char *text, const char *where, const char *what)
{
	rig_config(&rig, "bad.yaml", text);
	RIG_EXPECT(&rig, rig_sup(&rig, "start", "all", NULL), 78);
	if (strstr(rig.out, where) == NULL || strstr(rig.out, what) == NULL)
		fail_msg("%s, %s: not in: %s", where, what, rig.out);
	RIG_EXPECT(&rig, rig_sup(&rig, "status", NULL), 69);
}

static void
bad_configuration_is_refused_with_its_place(void **state)
{
	(void)state;
	bad_config("mm:\n  max_spread: 7\n", "bad.yaml:2:15", "max_spread");
	bad_config("mm:\n  enabled: true\n  max_sprad: 0.1\n", "bad.yaml:3:3",
	    "max_sprad");
	bad_config("mm:\n  max_spread: [0.1]\n", "bad.yaml:2:", "max_spread");
	bad_config("mm:\n\tmax_spread: 0.1\n", "bad.yaml:2:", "");
	bad_config(
	    "latency:\n  ping_interval: soon\n", "bad.yaml:2:18", "soon");
	bad_config("risk:\n  lease_ms: 1h\n", "bad.yaml:2:13", "lease_ms");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(bad_frames_between_good_ones),
	    T(bad_configuration_is_refused_with_its_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

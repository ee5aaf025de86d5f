/* links: simvenue libvenue libsys libshm libcore */
/*
 * A real feedd of each venue: REST answers that fail while it starts, and
 * streams of Binance and Hyperliquid that misbehave.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/pipeline/feedrig.h"
#include "tests/pipeline/proc.h"

#define PM_CAPTURE "simvenue/captures/polymarket_btc_15m.jsonl.gz"
#define QUICK                                                         \
	"feed.reconnect_min=20ms", "feed.reconnect_max=200ms",        \
	    "feed.connect_timeout=1s", "feed.snapshot_timeout=500ms", \
	    "polymarket.series=btc-updown-15m",                       \
	    "polymarket.rtds_symbols=btc/usd", "discovery.poll=1s",   \
	    "hyperliquid.coins=BTC", "feed.stale_binance_s=1500ms",   \
	    "binance.idle_s=1500ms", "feed.stale_hyperliquid_s=2s",   \
	    "latency.pong_overdue=300ms"

static const char *const sets[] = {QUICK, NULL};
static struct feedrig f;

static void
open_feed(enum stage_id st, enum ring_id ring, const char *venue,
    const char *const *options)
{
	memset(&f, 0, sizeof(f));
	f.st = st;
	f.ring = ring;
	f.venue = venue;
	f.options = options;
	f.sets = sets;
	feedrig_truth(st == ST_FEEDD_PM ? PM_CAPTURE : NULL);
	feedrig_open(&f, "trapsvenues");
}

static int
close_feed(void **state)
{
	(void)state;
	if (f.feed > 0)
		feedrig_close(&f);
	return 0;
}

/* ---- answers that fail while it starts ---- */

static void
starts_in_spite_of(const char *label, const char *more)
{
	char script[] = "/tmp/rmscriptXXXXXX";
	const char *const options[] = {"--capture", "simvenue/captures",
	    "--pace", "10", "--faults", script, NULL};
	int fd = mkstemp(script);
	assert_true(fd >= 0);
	dprintf(fd,
	    "# as the venue restarts\n{\"at_ms\":0,\"name\":\"%s\","
	    "\"venue\":\"polymarket\",\"count\":2%s}\n",
	    label, more);
	close(fd);
	open_feed(ST_FEEDD_PM, RG_MD_PM_X, "polymarket", options);
	unlink(script);
	FEED_UNTIL(&f, feedrig_fired(&f, label) == 2);
	FEED_LIVES(&f);
	assert_int_equal(f.strange, 0);
	feedrig_close(&f);
}

static void
an_answer_429_is_asked_again(void **state)
{
	(void)state;
	starts_in_spite_of("http_429", ",\"value\":1");
}

static void
answers_425_500_503_are_asked_again(void **state)
{
	(void)state;
	starts_in_spite_of("http_425", "");
	starts_in_spite_of("http_500_html", "");
	starts_in_spite_of("http_503", "");
}

static void
slow_and_lost_answers_are_asked_again(void **state)
{
	(void)state;
	starts_in_spite_of("slow_answer", ",\"value\":400");
	starts_in_spite_of("reply_lost", "");
}

static void
T_04_a_new_market_is_hydrating(void **state)
{
	(void)state;
	starts_in_spite_of("gamma_404", "");
	starts_in_spite_of("gamma_no_tokens", "");
}

static void
T_56_a_stale_rest_book_is_no_price(void **state)
{
	static const char *const options[] = {
	    "--capture", PM_CAPTURE, "--pace", "10", NULL};
	(void)state;
	open_feed(ST_FEEDD_PM, RG_MD_PM_X, "polymarket", options);
	feedrig_fault(&f, "{\"name\":\"stale_rest_book\"}");
	FEED_UNTIL(&f, f.bbos > 20);
	FEED_LIVES(&f);
	assert_int_equal(f.strange, 0);
}

/*
 * ---- Binance and Hyperliquid ----
 * The recording of Binance is quiet for a third of a second at this pace at
 * most. The limits of silence leave a busy machine a second on top: else a
 * connection of whose replacement no gap may come is given up for silence.
 */

static const char *const all[] = {
    "--capture", "simvenue/captures", "--pace", "2", NULL};

static void
fault(const char *label, const char *more)
{
	char rule[160];
	int64_t fired = feedrig_fired(&f, label);
	snprintf(rule, sizeof(rule), "{\"name\":\"%s\"%s}", label, more);
	feedrig_fault(&f, rule);
	FEED_UNTIL(&f, feedrig_fired(&f, label) > fired);
}

static const char *const fast[] = {
    "--capture", "simvenue/captures", "--pace", "10", NULL};

/* How many WebSockets the venue has seen. */
static int64_t
connections(void)
{
	char venue[40];
	snprintf(venue, sizeof(venue), "\"venue\":\"%s\"", f.venue);
	assert_int_equal(feedrig_http(&f, "GET", "/sim/stats", ""), 200);
	return rig_json(f.answer, venue, "connections");
}

static uint64_t
link_state(uint32_t conn)
{
	return atomic_load(&f.rig.metrics[f.st]->link[conn].field[LF_STATE]);
}

static void
given_up(const char *label)
{
	int64_t before = feedrig_metric(&f, M_FEEDD_RECONNECTS);
	fault(label, ",\"count\":1");
	FEED_UNTIL(&f, feedrig_metric(&f, M_FEEDD_RECONNECTS) > before);
	feedrig_clear(&f);
	FEED_LIVES(&f);
	assert_int_equal(f.crossed, 0);
}

static void
counted(const char *label, const char *more, enum reason r)
{
	int64_t before = feedrig_reason(&f, r);
	fault(label, more);
	FEED_UNTIL(&f, feedrig_reason(&f, r) > before);
	feedrig_clear(&f);
	FEED_LIVES(&f);
}

static void
T_58_binance_goes_elsewhere(void **state)
{
	(void)state;
	open_feed(ST_FEEDD_BN, RG_MD_BN_Q, "binance", all);
	FEED_LIVES(&f);
	/* Announced: the next one is there before this one goes. */
	int64_t before = connections();
	uint64_t gaps = f.gaps;
	fault("server_shutdown", ",\"count\":1,\"value\":800");
	FEED_UNTIL(&f, connections() > before);
	FEED_UNTIL(&f, link_state(0) == LINK_DOWN);
	feedrig_runs(&f, 100);
	assert_int_equal(f.gaps, gaps);
	feedrig_clear(&f);
	FEED_LIVES(&f);
	given_up("disconnect_storm");
	given_up("silent_socket");
	given_up("half_open");
}

static void
T_58_binance_counts_what_is_missing(void **state)
{
	(void)state;
	open_feed(ST_FEEDD_BN, RG_MD_BN_Q, "binance", all);
	FEED_LIVES(&f);
	counted("gap", ",\"p\":0.2", REASON_SEQ_GAP);
	counted("duplicate", "", REASON_SEQ_OLD);
	counted("bad_json", ",\"count\":2", REASON_BAD_JSON);
	counted("invalid_utf8", ",\"count\":2", REASON_BAD_UTF8);
}

static void
hyperliquid_comes_back(void **state)
{
	(void)state;
	open_feed(ST_FEEDD_HL, RG_MD_HL_X, "hyperliquid", fast);
	FEED_LIVES(&f);
	/* Who ends a connection at its first words accuses what was
	 * subscribed: let it live for a while. */
	feedrig_runs(&f, 2200);
	given_up("half_open");
	feedrig_runs(&f, 2200);
	given_up("disconnect_storm");
	feedrig_runs(&f, 2200);
	given_up("close_1012");
	counted("bad_json", ",\"count\":2", REASON_BAD_JSON);
	counted("wrong_type", ",\"count\":2", REASON_BAD_TYPE);
}

#define T(t) cmocka_unit_test_teardown(t, close_feed)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(an_answer_429_is_asked_again),
	    T(answers_425_500_503_are_asked_again),
	    T(slow_and_lost_answers_are_asked_again),
	    T(T_04_a_new_market_is_hydrating),
	    T(T_56_a_stale_rest_book_is_no_price),
	    T(T_58_binance_goes_elsewhere),
	    T(T_58_binance_counts_what_is_missing),
	    T(hyperliquid_comes_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

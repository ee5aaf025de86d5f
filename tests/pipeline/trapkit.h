/*
 * trapkit.h - a real feedd on Polymarket's channels, for tests of faults.
 *
 * The recording is played ten times as fast, limits are short. Include once
 * in a test, after cmocka; each test begins with a feed that lives, and
 * without faults.
 */
#ifndef TESTS_TRAPKIT_H
#define TESTS_TRAPKIT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/pipeline/feedrig.h"
#include "tests/pipeline/proc.h"

#define CAPTURE "simvenue/captures/polymarket_btc_15m.jsonl.gz"

static const char *const options[] = {
    "--capture", CAPTURE, "--pace", "10", "--seed", "7", NULL};
static const char *const sets[] = {
    "feed.reconnect_min=20ms",
    "feed.reconnect_max=200ms",
    "feed.snapshot_timeout=500ms",
    "feed.connect_timeout=1s",
    "feed.stale_polymarket_s=800ms",
    "polymarket.idle_s=700ms",
    "polymarket.rtds_symbols=btc/usd",
    "polymarket.series=btc-updown-15m",
    "latency.pong_overdue=300ms",
    "latency.pong_give_up=1s",
    "discovery.poll=1s",
    NULL,
};
static struct feedrig f = {.st = ST_FEEDD_PM,
    .ring = RG_MD_PM_X,
    .venue = "polymarket",
    .options = options,
    .sets = sets};

static inline int
open_all(void **state)
{
	(void)state;
	feedrig_truth(CAPTURE);
	feedrig_open(&f, "trapsfeed");
	return 0;
}

static inline int
close_all(void **state)
{
	(void)state;
	feedrig_close(&f);
	return 0;
}

/* Each test begins with a feed that lives, and leaves one. */
static inline int
begin(void **state)
{
	(void)state;
	feedrig_clear(&f);
	FEED_LIVES(&f);
	f.strange = 0;
	f.crossed = 0;
	return 0;
}

static inline int
end(void **state)
{
	(void)state;
	feedrig_clear(&f);
	return 0;
}

/* What every fault must leave behind. */
static inline void
nothing_wrong(void)
{
	feedrig_clear(&f);
	FEED_LIVES(&f);
	if (f.strange != 0) {
		feedrig_logs(&f);
		fail_msg("%llu touches that never were, the last %lld x %lld "
			 "/ %lld x %lld",
		    (unsigned long long)f.strange,
		    (long long)f.last_strange.bid_px.e8,
		    (long long)f.last_strange.bid_qty.e8,
		    (long long)f.last_strange.ask_px.e8,
		    (long long)f.last_strange.ask_qty.e8);
	}
	assert_false(f.is_crossed);
}

/* A message was lost: what is published may be wrong until that shows, and
 * is right soon after. */
static inline void
mended(void)
{
	uint64_t strange;
	feedrig_clear(&f);
	FEED_LIVES(&f);
	feedrig_runs(&f, 600);
	strange = f.strange;
	feedrig_runs(&f, 300);
	assert_int_equal(f.strange, strange);
	FEED_UNTIL(&f, !f.is_crossed);
}

/* A rule, until the fault has happened and its reason is counted. */
static inline void
counted(const char *label, const char *more, enum reason r)
{
	char rule[200];
	int64_t before = feedrig_reason(&f, r);
	int64_t fired = feedrig_fired(&f, label);
	snprintf(rule, sizeof(rule), "{\"name\":\"%s\"%s}", label, more);
	feedrig_fault(&f, rule);
	FEED_UNTIL(&f, feedrig_fired(&f, label) > fired);
	FEED_UNTIL(&f, feedrig_reason(&f, r) > before);
}

static inline void
reconnects(const char *label, const char *more)
{
	char rule[200];
	int64_t before = feedrig_metric(&f, M_FEEDD_RECONNECTS);
	int64_t fired = feedrig_fired(&f, label);
	snprintf(rule, sizeof(rule), "{\"name\":\"%s\"%s}", label, more);
	feedrig_fault(&f, rule);
	FEED_UNTIL(&f, feedrig_fired(&f, label) > fired);
	FEED_UNTIL(&f, feedrig_metric(&f, M_FEEDD_RECONNECTS) > before);
}

/* A rule that costs the main connection its life; it is made again while the
 * rule is still there, so that nothing of the old one comes through. */
static inline void
given_up(const char *label, const char *more)
{
	char rule[200];
	int64_t fired = feedrig_fired(&f, label);
	snprintf(rule, sizeof(rule), "{\"name\":\"%s\"%s}", label, more);
	feedrig_fault(&f, rule);
	FEED_UNTIL(&f, feedrig_fired(&f, label) > fired);
	FEED_UNTIL(&f, f.link_state != LINK_READY);
	FEED_UNTIL(&f, f.link_state == LINK_READY);
	feedrig_clear(&f);
}

#define MARKET ",\"conn\":\"market\""

#define T(t) cmocka_unit_test_setup_teardown(t, begin, end)

#endif

/* links: simvenue libvenue libsign libsys libshm libcore */
/*
 * The simulated venues with participants, 21 minutes in virtual time: every
 * text is taken by the decoder that feeds use, nothing is created or lost,
 * every window is listed, traded, resolved with the outcome that its own
 * published average says, and the same seed gives the same texts.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libcore/hash.h"
#include "libvenue/binance.h"
#include "libvenue/gamma.h"
#include "libvenue/hyperliquid.h"
#include "libvenue/polymarket.h"
#include "libvenue/rtds.h"
#include "simvenue/world.h"

#define START  UINT64_C(1790000100000000000)
#define SECOND UINT64_C(1000000000)
#define SPAN_S 1260u

struct seen {
	uint64_t hash;
	uint32_t texts[WORLD_CHANNEL_N];
	uint32_t pm[PM_KIND_N];
	uint32_t bn[BN_KIND_N];
	uint32_t hl[HL_KIND_N];
	uint32_t resolved;
	uint32_t resolved_as_published;
	uint64_t last_trade;
	uint64_t last_depth;
	int64_t twap_ns[4096]; /* by second, the published average */
	int64_t twap_e8[4096];
};

static struct seen s;
static struct world *w;
static struct pm_event pm;
static struct bn_event bn;
static struct rtds_event price;
static struct hl_event hl;

static void
take_pm(const char *text, size_t n)
{
	struct pm_frame f;

	pm_frame_init(&f, text, n);
	while (pm_next(&f, &pm) != PM_END) {
		if (pm.kind == PM_ERR || pm.kind == PM_UNKNOWN)
			fail_msg("market text: %.200s", text);
		s.pm[pm.kind]++;
	}
}

static void
take_price(const char *text, size_t n)
{
	enum rtds_kind k = rtds_decode(&price, text, n);
	uint64_t at;

	assert_int_equal(k, RTDS_UPDATE);
	if (price.source != RTDS_TWAP60)
		return;
	at = (uint64_t)price.points[0].venue_ns / SECOND % 4096;
	s.twap_ns[at] = price.points[0].venue_ns;
	s.twap_e8[at] = price.points[0].px.e8;
}

static void
take_bn(const char *text, size_t n)
{
	enum bn_kind k = bn_decode(&bn, text, n);

	s.bn[k]++;
	if (k == BN_BOOK_TICKER) {
		assert_true(bn.bid.px.e8 < bn.ask.px.e8);
	} else if (k == BN_DEPTH) {
		assert_true(
		    s.last_depth == 0 || bn.first_id == s.last_depth + 1);
		s.last_depth = bn.last_id;
	} else if (k == BN_AGG_TRADE) {
		assert_int_equal(bn.last_id, s.last_trade);
	} else if (k == BN_UNKNOWN) { /* candles are nobody's yet */
		assert_non_null(memmem(text, n, "@kline_", 7));
	} else {
		assert_int_equal(k, BN_TRADE);
		assert_true(
		    s.last_trade == 0 || bn.trade_id == s.last_trade + 1);
		s.last_trade = bn.trade_id;
	}
}

static void
take_hl(const char *text, size_t n)
{
	enum hl_kind k = hl_decode(&hl, text, n);

	assert_true(
	    k == HL_BBO || k == HL_BOOK || k == HL_TRADES || k == HL_CTX);
	s.hl[k]++;
	if (k == HL_BBO && hl.bids_n == 1 && hl.asks_n == 1)
		assert_true(hl.bids[0].px.e8 < hl.asks[0].px.e8);
}

static void
emit(void *user, enum world_channel c, uint32_t key, const char *text, size_t n)
{
	(void)user;
	(void)key;
	s.texts[c]++;
	s.hash = hash_bytes(s.hash, text, n);
	if (c == WORLD_PM_MARKET || c == WORLD_PM_NEW)
		take_pm(text, n);
	else if (c == WORLD_PM_PRICE)
		take_price(text, n);
	else if (c == WORLD_BN)
		take_bn(text, n);
	else if (c == WORLD_HL)
		take_hl(text, n);
}

static bool
published(uint64_t ns, int64_t *e8)
{
	uint64_t at = ns / SECOND % 4096;

	*e8 = s.twap_e8[at];
	return s.twap_ns[at] == (int64_t)ns;
}

/* What Gamma says of a window, and what the published averages say. */
static void
check_window(const struct world_window *v)
{
	static struct gamma_market g;
	static char text[WORLD_TEXT];
	struct text t;
	int64_t strike;
	int64_t end;

	text_init(&t, text, sizeof(text));
	world_put_market(w, v, &t);
	assert_int_equal(gamma_decode(&g, text, t.n), GAMMA_MARKET);
	assert_true(g.has_tokens);
	if (v->end_ns == 0)
		return;
	assert_int_equal(g.start_ns, v->start_ns);
	assert_int_equal(g.end_ns, v->end_ns);
	if (v->phase != WORLD_RESOLVED)
		return;
	assert_true(g.closed && g.has_outcome_px);
	assert_int_equal(g.yes_px.e8, v->yes ? E8 : 0);
	s.resolved++;
	if (published(v->start_ns, &strike) && published(v->end_ns, &end))
		s.resolved_as_published += (end >= strike) == v->yes;
	else
		s.resolved_as_published++; /* before the first text */
}

static struct seen
span(uint64_t seed, uint32_t seconds, bool check)
{
	struct world_cfg cfg = world_cfg_default(seed, START);

	memset(&s, 0, sizeof(s));
	w = calloc(1, sizeof(*w));
	assert_non_null(w);
	world_init(w, &cfg, emit, NULL);
	for (uint64_t ns = START; ns < START + seconds * SECOND;) {
		uint64_t next = world_wake(w);

		assert_true(next > 0);
		ns = next > ns ? next : ns + 1000000;
		world_step(w, ns);
	}
	assert_true(pmx_is_conserved(&w->pmx));
	assert_true(hlx_is_conserved(&w->hlx));
	for (uint32_t i = 0; check && i < WORLD_WINDOWS; i++)
		if (w->window[i].phase != 0)
			check_window(&w->window[i]);
	free(w);
	return s;
}

static void
every_text_is_taken_and_every_window_ends(void **state)
{
	struct seen r = span(5, SPAN_S, true);

	(void)state;
	for (int c = 1; c < WORLD_CHANNEL_N; c++)
		print_message("channel %d: %u texts\n", c, r.texts[c]);
	print_message("books %u, changes %u, trades %u, new %u, ended %u\n",
	    r.pm[PM_BOOK], r.pm[PM_PRICE_CHANGE], r.pm[PM_TRADE],
	    r.pm[PM_NEW_MARKET], r.pm[PM_RESOLVED]);
	print_message("resolved %u, as published %u\n", r.resolved,
	    r.resolved_as_published);
	/* Four windows of five minutes and at least one of fifteen end. */
	assert_in_range(r.resolved, 5, 6);
	assert_int_equal(r.pm[PM_RESOLVED], r.resolved);
	assert_int_equal(r.resolved_as_published, r.resolved);
	assert_true(r.pm[PM_TRADE] > 500 && r.pm[PM_NEW_MARKET] > 10);
	assert_true(r.texts[WORLD_PM_PRICE] > 2 * SPAN_S - 20);
	assert_true(r.texts[WORLD_BN] > 20000);
	assert_true(r.hl[HL_BBO] > 300 && r.hl[HL_BOOK] > 2000);
	assert_true(r.hl[HL_TRADES] > 300 && r.hl[HL_CTX] > SPAN_S - 5);
	assert_int_equal(r.texts[WORLD_PM_USER], 0);
}

static void
the_same_seed_is_the_same_world(void **state)
{
	struct seen a = span(8, 120, false);
	struct seen b = span(8, 120, false);
	struct seen c = span(9, 120, false);

	(void)state;
	assert_int_equal(a.hash, b.hash);
	assert_int_not_equal(a.hash, c.hash);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_text_is_taken_and_every_window_ends),
	    cmocka_unit_test(the_same_seed_is_the_same_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

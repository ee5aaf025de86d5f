/* links: feedd libvenue libshm libcore */
/*
 * Polymarket's markets on several connections: what a connection beside the
 * first one lacks reaches readers too, who look at the first one's state.
 */
#define _GNU_SOURCE
#include "feedd/pm_feed.h"
#include "tests/golden/feed_pm.h"

#define MS UINT64_C(1000000)
#define T0 INT64_C(1777428650000)

static struct pm_market *
add(struct rig *r, uint64_t k)
{
	struct gamma_market g;
	struct pm_market *m;

	memset(&g, 0, sizeof(g));
	g.has_tokens = true;
	g.slug.s = "x-1";
	g.slug.n = 3;
	g.accepting_orders = true;
	g.enable_order_book = true;
	memcpy(g.cond.b, &k, sizeof(k));
	g.yes.w[0] = 2 * k + 1000;
	g.no.w[0] = 2 * k + 1001;
	g.tick.tok_e8 = E8 / 100;
	m = pm_add((struct pm_feed *)r->f, &g, false);
	assert_non_null(m);
	return m;
}

static void
token_book(struct rig *r, const struct pm_market *m, int tok, int64_t ms)
{
	char text[1024];
	char token[PM_TOKEN_TEXT_MAX];

	pm_token_format(&m->tok[tok].id, token);
	snprintf(text, sizeof(text),
	    "{\"event_type\":\"book\",\"market\":\"0x%064x\",\"asset_id\":"
	    "\"%s\",\"timestamp\":\"%lld\",\"bids\":[%s],\"asks\":[%s]}",
	    1, token, (long long)ms, L("0.48", "30"), L("0.52", "30"));
	rig_frame(r, m->pub.conn, text);
}

/* Two markets, one a connection; both have their books. */
static struct rig *
open_two(struct pm_market *m[2])
{
	struct rig *r = rig_open();

	r->cfg.polymarket_max_tokens = 2;
	r->cfg.polymarket_rtds_symbols.n = 0;
	rig_start(r, VENUE_POLYMARKET);
	m[0] = add(r, 1);
	m[1] = add(r, 2);
	assert_int_equal(m[0]->pub.conn, 0);
	assert_int_equal(m[1]->pub.conn, 2);
	rig_pass(r, 5000 * MS);
	for (int i = 0; i < 2; i++) {
		rig_step(r, FEED_EV_UP, m[i]->pub.conn);
		token_book(r, m[i], 0, T0);
		token_book(r, m[i], 1, T0);
		assert_true(m[i]->pub.is_valid);
	}
	rig_clear(r);
	return r;
}

static void
first_one_lives(struct rig *r, const struct pm_market *m, uint64_t ns)
{
	for (uint64_t t = 0; t < ns; t += 100 * MS) {
		rig_pass(r, 100 * MS);
		rig_frame(r, m->pub.conn, "PONG");
	}
}

/* Until the second one is stale: its books are void, those of the first one
 * are not; the first message after it brings them back. */
static void
stale_shard_withdraws_its_books(void **state)
{
	struct pm_market *m[2];
	struct rig *r = open_two(m);
	const struct link *l = feed_link(r->f, 2);
	const struct tick *gap;

	(void)state;
	while (l->state != LINK_STALE) {
		assert_int_equal(rig_ticks(r, TICK_GAP), 0);
		first_one_lives(r, m[0], 100 * MS);
	}
	assert_int_equal(rig_ticks(r, TICK_GAP), 1);
	gap = rig_last_tick(r, TICK_GAP);
	assert_int_equal(gap->hdr.instr, m[1]->pub.idx);
	assert_int_equal(gap->u.gap.scope, 1);
	assert_int_equal(gap->u.gap.reason, REASON_FEED_STALE);
	assert_true(m[0]->pub.is_valid);
	assert_int_equal(feed_link(r->f, 0)->state, LINK_READY);
	rig_clear(r);
	rig_resync(r, RING_TOP); /* a reader that asks gets none either */
	for (size_t i = 0; i < r->tick_n; i++)
		assert_false(r->tick[i].hdr.kind == TICK_BBO &&
			     r->tick[i].hdr.instr == m[1]->pub.idx);
	rig_clear(r);
	rig_frame(r, 2, "PONG");
	assert_int_equal(rig_ticks(r, TICK_SNAP_BEGIN), 1);
	assert_int_equal(rig_last_tick(r, TICK_BBO)->hdr.instr, m[1]->pub.idx);
	assert_true(m[1]->pub.is_valid);
	assert_int_equal(rig_ticks(r, TICK_GAP), 0);
	rig_close(r);
}

/* A book that comes first after the silence is told once. */
static void
fresh_book_ends_it_too(void **state)
{
	struct pm_market *m[2];
	struct rig *r = open_two(m);

	(void)state;
	while (feed_link(r->f, 2)->state != LINK_STALE)
		first_one_lives(r, m[0], 100 * MS);
	rig_clear(r);
	token_book(r, m[1], 0, T0 + 20000);
	assert_int_equal(rig_ticks(r, TICK_SNAP_BEGIN), 1);
	assert_true(m[1]->pub.is_valid);
	rig_close(r);
}

/* What riskd judges the venue by is the worst of all. */
static void
slow_shard_slows_the_venue(void **state)
{
	struct pm_market *m[2];
	struct rig *r = open_two(m);
	const struct tick *t = NULL;
	uint32_t worst_us = 0;
	bool is_overdue = false;

	(void)state;
	for (int i = 0; i < 40; i++) {
		rig_pass(r, 100 * MS);
		rig_frame(r, 0, "PONG"); /* the other one does not answer */
		for (size_t k = 0; k < r->tick_n; k++) {
			t = &r->tick[k];
			if (t->hdr.kind != TICK_LINK || t->u.link.conn != 0)
				continue;
			if (t->u.link.rtt_us > worst_us)
				worst_us = t->u.link.rtt_us;
			is_overdue = is_overdue || t->u.link.overdue;
		}
		rig_clear(r);
	}
	assert_false(feed_link(r->f, 0)->overdue);
	assert_true(is_overdue);
	assert_true(worst_us > 1900000);
	rig_frame(r, 2, "PONG");
	rig_pass(r, 1100 * MS);
	for (size_t k = 0; k < r->tick_n; k++)
		if (r->tick[k].hdr.kind == TICK_LINK &&
		    r->tick[k].u.link.conn == 0)
			t = &r->tick[k];
	assert_int_equal(t->u.link.overdue, 0);
	rig_close(r);
}

/* The price stream is no market: its answers are its own. */
static void
price_stream_slows_nobody(void **state)
{
	struct rig *r = open_market();

	(void)state;
	books(r, T0);
	relay_lives(r);
	for (int i = 0; i < 60; i++) {
		rig_pass(r, 100 * MS);
		rig_frame(r, 0, "PONG");
		relay_lives(r);
		if (!feed_link(r->f, 1)->has_pong) /* it does answer, once */
			rig_step(r, FEED_EV_PONG, 1);
	}
	assert_true(feed_link(r->f, 1)->overdue);
	for (size_t k = 0; k < r->tick_n; k++)
		if (r->tick[k].hdr.kind == TICK_LINK &&
		    r->tick[k].u.link.conn == 0)
			assert_int_equal(r->tick[k].u.link.overdue, 0);
	rig_close(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(stale_shard_withdraws_its_books),
	    cmocka_unit_test(fresh_book_ends_it_too),
	    cmocka_unit_test(slow_shard_slows_the_venue),
	    cmocka_unit_test(price_stream_slows_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

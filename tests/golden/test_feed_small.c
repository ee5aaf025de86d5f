/* links: feedd libvenue libshm libcore */
/*
 * Two small things of Polymarket's sockets: the price stream's text pings, and
 * a hash that was made before the last trade's price was in it.
 */
#define _GNU_SOURCE
#include "tests/golden/feed_pm.h"

#include "feedd/pm_feed.h"

#define T0_MS  INT64_C(1777428650000)
#define SECOND UINT64_C(1000000000)

/* The venue ends the price stream of who does not say PING every 5 s. */
static void
the_price_stream_is_pinged_by_text(void **state)
{
	struct rig *r = open_market();
	size_t pings = 0;

	(void)state;
	books(r, T0_MS);
	relay_lives(r);
	rig_clear(r);
	for (int i = 0; i < 8; i++) {
		rig_pass(r, SECOND);
		rig_frame(r, 0, "PONG");
	}
	for (size_t i = 0; i < r->act_n; i++)
		pings += r->act[i].a.what == FEED_SEND &&
			 r->act[i].a.conn == 1 &&
			 strcmp(r->act[i].text, "PING") == 0;
	assert_int_equal(pings, 1);
	rig_close(r);
}

static void
trade(struct rig *r, int64_t ms, const char *px)
{
	char text[512];

	snprintf(text, sizeof(text),
	    "{\"event_type\":\"last_trade_price\",\"market\":\"" COND "\","
	    "\"asset_id\":\"" YES "\",\"price\":\"%s\",\"size\":\"5\","
	    "\"side\":\"BUY\",\"fee_rate_bps\":\"0\",\"timestamp\":\"%lld\"}",
	    px, (long long)ms);
	rig_frame(r, 0, text);
}

/* Books, two trades, and a change that says this hash of its book. */
static struct rig *
changed(const char *hash)
{
	struct rig *r = open_market();
	const struct change c[] = {
	    {YES, "0.47", "7", "BUY", NULL, NULL, hash},
	    {NO, "0.53", "7", "SELL", NULL, NULL, NULL},
	};

	books(r, T0_MS);
	trade(r, T0_MS + 1, "0.51");
	trade(r, T0_MS + 2, "0.5");
	changes(r, T0_MS + 3, c, 2);
	return r;
}

/* With the price of the trade before the last, or of none that was. */
static void
hash_with(const char *last_px, char out[PM_HASH_LEN + 1])
{
	struct rig *r = changed(NULL);
	const struct pm_market *m = &pm_of(r->f)->market[0];
	const struct pm_tok *t = &m->tok[0];
	struct pm_hash_book b = {
	    .market = m->cond, .token = t->id, .role = ROLE_YES};
	struct pm_meta meta = t->meta;

	b.venue_ns = t->order.at_ns;
	b.book = &t->book;
	meta.last_px.n = (uint8_t)strlen(last_px);
	memcpy(meta.last_px.s, last_px, strlen(last_px));
	pm_hash_kept(&b, &meta, out);
	out[PM_HASH_LEN] = '\0';
	rig_close(r);
}

static void
a_hash_may_be_older_than_the_last_trade(void **state)
{
	static const struct {
		const char *last_px;
		uint64_t bad;
	} cases[] = {{"0.500", 0}, {"0.510", 0}, {"0.520", 1}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char hash[PM_HASH_LEN + 1];
		struct rig *r;

		hash_with(cases[i].last_px, hash);
		r = changed(hash);
		rig_pass(r, SECOND);
		assert_int_equal(feed_stats(r->f)->hash_bad, cases[i].bad);
		assert_int_equal(feed_stats(r->f)->hash_ok, 1 - cases[i].bad);
		rig_close(r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_price_stream_is_pinged_by_text),
	    cmocka_unit_test(a_hash_may_be_older_than_the_last_trade),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

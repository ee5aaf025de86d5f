/* links: feedd libvenue libshm libcore */
/*
 * Names of the configuration that the venue does not know: told after a
 * minute in which it could have shown them, again each ten minutes, with the
 * key that has them; and never those that it does show.
 */
#define _GNU_SOURCE
#include "tests/golden/feed_pm.h"

#include "feedd/unknown.h"

#define MS  UINT64_C(1000000)
#define SEC (1000 * MS)

/* How often a name was told since the last look. */
static size_t
told(struct rig *r, const char *key, const char *value)
{
	size_t n = 0;

	for (size_t i = 0; i < r->act_n; i++) {
		struct rig_act *a = &r->act[i];

		if (a->a.what != FEED_LOG || a->a.log != FEED_LOG_NO_SUCH)
			continue;
		if (strcmp(a->url, key) == 0 && strcmp(a->text, value) == 0)
			n++;
	}
	return n;
}

static size_t
told_any(const struct rig *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->act_n; i++)
		n += r->act[i].a.what == FEED_LOG &&
		     r->act[i].a.log == FEED_LOG_NO_SUCH;
	return n;
}

static void
set(struct rig *r, size_t key, const char *value)
{
	char why[CFG_WHY_SZ];

	assert_true(cfg_set(&r->cfg, key, value, why));
}

static void
rules_of_telling(void **state)
{
	struct unknown u = {0};

	(void)state;
	assert_int_equal(unknown_due(&u, SEC), 0);
	assert_false(unknown_take(&u, 5 * SEC, SEC));
	assert_int_equal(unknown_due(&u, SEC), 6 * SEC);
	assert_true(unknown_take(&u, 6 * SEC, SEC));
	assert_false(unknown_take(&u, 605 * SEC, SEC));
	assert_true(unknown_take(&u, 606 * SEC, SEC));
	unknown_pause(&u); /* time begins anew, ten minutes do not */
	assert_false(unknown_take(&u, 700 * SEC, SEC));
	assert_int_equal(unknown_due(&u, SEC), 1206 * SEC);
	unknown_known(&u);
	assert_false(unknown_take(&u, 800 * SEC, SEC));
	assert_true(unknown_take(&u, 801 * SEC, SEC));
}

/* Discovery answers; `code` to what is not known. */
static void
pm_pass(struct rig *r, uint32_t tenths, uint16_t code)
{
	for (uint32_t i = 0; i < tenths; i++) {
		struct rig_act *a;

		while ((a = rig_last(r, FEED_GET, -1)) != NULL) {
			struct rig_act copy = *a;

			a->a.what = FEED_CLOSE;
			if (strstr(copy.url, "/markets/slug/") != NULL &&
			    strstr(copy.url, "btc-updown-15m") == NULL)
				rig_http(r, copy.a.tag, code, "", 0);
			else
				rig_boot_answer(r, &copy, list);
		}
		rig_step(r, FEED_EV_PONG, 0);
		rig_pass(r, 100 * MS);
	}
}

static struct rig *
pm_open(void)
{
	struct rig *r = rig_open();

	set(r, CFG_KEY_polymarket_series, "btc-updown-15m, xyz-updown-15m");
	set(r, CFG_KEY_polymarket_slugs, "never-heard-of");
	set(r, CFG_KEY_polymarket_rtds_symbols, "btc/usd, xyz/usd");
	rig_start(r, VENUE_POLYMARKET);
	rig_boot(r, list);
	rig_pass(r, MS);
	rig_step(r, FEED_EV_UP, 0);
	rig_step(r, FEED_EV_UP, 1);
	return r;
}

static void
polymarket_series_slugs_and_symbols(void **state)
{
	struct rig *r = pm_open();

	(void)state;
	for (int i = 0; i < 50; i++) {
		relay_lives(r);
		pm_pass(r, 10, 404);
	}
	assert_int_equal(told_any(r), 0);
	for (int i = 0; i < 80; i++) {
		relay_lives(r);
		pm_pass(r, 10, 404);
	}
	assert_int_equal(told(r, "polymarket.series", "xyz-updown-15m"), 1);
	assert_int_equal(told(r, "polymarket.slugs", "never-heard-of"), 1);
	assert_int_equal(told(r, "polymarket.rtds_symbols", "xyz/usd"), 1);
	assert_int_equal(told_any(r), 3); /* none that is known */
	/* A venue that fails in between does not make it sooner. */
	for (int i = 0; i < 100; i++) {
		relay_lives(r);
		pm_pass(r, 10, i < 20 ? 503 : 404);
	}
	assert_int_equal(told(r, "polymarket.slugs", "never-heard-of"), 1);
	rig_close(r);
}

/* A venue that answers nothing says nothing about names. */
static void
a_venue_that_fails_proves_nothing(void **state)
{
	struct rig *r = pm_open();

	(void)state;
	rig_down(r, 1, 1006);
	for (int i = 0; i < 200; i++)
		pm_pass(r, 10, 503);
	assert_int_equal(told(r, "polymarket.slugs", "never-heard-of"), 0);
	assert_int_equal(told(r, "polymarket.series", "xyz-updown-15m"), 0);
	assert_int_equal(told(r, "polymarket.rtds_symbols", "xyz/usd"), 0);
	rig_close(r);
}

static void
binance_symbol_that_stays_silent(void **state)
{
	static const char trade[] =
	    "{\"e\":\"trade\",\"E\":1723161601438001,\"s\":\"BTCUSDT\","
	    "\"t\":%d,\"p\":\"1\",\"q\":\"1\",\"T\":1723161601438000,"
	    "\"m\":true}";
	struct rig *r = rig_open();
	size_t n = 0;

	(void)state;
	set(r, CFG_KEY_binance_symbols, "btcusdt, btcsdut");
	set(r, CFG_KEY_binance_streams, "trade");
	r->read.touch_apart = true;
	rig_start(r, VENUE_BINANCE);
	rig_pass(r, MS);
	rig_step(r, FEED_EV_UP, 0);
	for (int i = 0; i < 700; i++) {
		char text[512];

		snprintf(text, sizeof(text), trade, i + 1);
		rig_frame(r, 0, text);
		rig_step(r, FEED_EV_PONG, 0);
		rig_pass(r, SEC);
		assert_int_equal(told(r, "binance.symbols", "BTCUSDT"), 0);
		n += told(r, "binance.symbols", "BTCSDUT");
		if (i == 55)
			assert_int_equal(n, 0);
		if (i == 75)
			assert_int_equal(n, 1);
		rig_clear(r);
	}
	assert_int_equal(n, 2); /* and ten minutes later */
	rig_close(r);
}

/* Its list says at once who is not in it; that is no malformed message. */
static void
hyperliquid_coin_that_is_not_listed(void **state)
{
	static const char meta[] =
	    "{\"universe\":[{\"szDecimals\":5,\"name\":\"BTC\"}]}";
	struct rig *r = rig_open();
	uint64_t bad;

	(void)state;
	set(r, CFG_KEY_hyperliquid_coins, "BTC, BTX");
	r->read.touch_apart = true;
	rig_start(r, VENUE_HYPERLIQUID);
	bad = feed_stats(r->f)->malformed;
	rig_http(r, rig_last(r, FEED_GET, -1)->a.tag, 200, meta, strlen(meta));
	assert_int_equal(told(r, "hyperliquid.coins", "BTX"), 1);
	assert_int_equal(told_any(r), 1);
	assert_int_equal(feed_stats(r->f)->malformed, bad);
	rig_close(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rules_of_telling),
	    cmocka_unit_test(polymarket_series_slugs_and_symbols),
	    cmocka_unit_test(a_venue_that_fails_proves_nothing),
	    cmocka_unit_test(binance_symbol_that_stays_silent),
	    cmocka_unit_test(hyperliquid_coin_that_is_not_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

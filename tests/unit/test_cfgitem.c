/* links: feedd libvenue libshm libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "feedd/pm_series.h"
#include "libshm/cfg.h"
#include "libshm/cfgitem.h"
#include "libvenue/binance.h"

#define KEY(name) CFG_KEY_##name

/* Items that are taken, and such that are not. */
static const struct {
	size_t key;
	const char *good[8];
	const char *bad[12];
} rows[] = {
    {KEY(polymarket_series),
	{"btc-updown-5m", "eth-updown-15m", "sol-updown-4h", "hype-updown-1h",
	    "btc-updown-1m", "bitcoin-up-or-down-1h", "xrp-up-or-down-1h"},
	{"", "btc", "btc-updow-15m", "btc-updown-15", "btc-updown-15min",
	    "btc-updown-2m", "BTC-updown-5m", "-updown-5m", "b-updown-5m",
	    "bitcoin-up-or-down-15m", "btc-up-or-down-1h"}},
    {KEY(polymarket_slugs), {"btc-updown-15m-1777514400", "a_b.c"},
	{"", "a b", "a/b", "\"a\"", "[a"}},
    {KEY(polymarket_rtds_symbols), {"btc/usd", "btcusdt"},
	{"", "BTC/USD", "btc/", "/usd", "btc/usd/x", "btc-usd",
	    "averyveryverylong/symbol"}},
    {KEY(binance_symbols), {"btcusdt", "BTCUSDT", "1000satsusdt"},
	{"", "[BTCUSDT]", "btc/usdt", "btc-usdt", "abcdefghijabcdefghija"}},
    {KEY(binance_streams),
	{"trade", "aggTrade", "bookTicker", "depth", "depth@100ms", "depth20",
	    "depth5@100ms"},
	{"", "trades", "Trade", "bookticker", "depth@10ms", "kline_1m"}},
    {KEY(hyperliquid_coins), {"BTC", "kPEPE", "@107", "PURR/USDC", "xyz:A"},
	{"", "B TC", "[BTC]", "\"BTC\""}},
};

static void
items(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t key = rows[i].key;

		assert_non_null(cfg_item_form(key));
		for (const char *const *s = rows[i].good; *s != NULL; s++)
			if (!cfg_item_ok(key, *s, strlen(*s)))
				fail_msg("refused: %s", *s);
		for (const char *const *s = rows[i].bad; *s != NULL; s++)
			if (cfg_item_ok(key, *s, strlen(*s)))
				fail_msg("taken: %s", *s);
	}
	assert_true(cfg_item_ok(KEY(mm_enabled), "?", 1));
	assert_null(cfg_item_form(KEY(mm_enabled)));
}

/* Every list has a form, and its default has it. */
static void
every_list_has_a_form(void **state)
{
	static struct cfg c;

	(void)state;
	cfg_defaults(&c);
	for (size_t i = 0; i < CFG_KEY_N; i++) {
		const struct cfg_key *k = cfg_key_at(i);
		const struct cfg_list *l =
		    (const void *)((const char *)&c + k->offset);

		if (k->type != CFG_LIST)
			continue;
		assert_non_null(cfg_item_form(i));
		for (uint32_t j = 0; j < l->n; j++)
			assert_true(
			    cfg_item_ok(i, l->item[j], strlen(l->item[j])));
	}
}

/* What is taken here is understood there. */
static void
the_feed_agrees(void **state)
{
	const char *symbols[] = {"btcusdt"};
	struct pm_series s;
	char path[256];

	(void)state;
	for (const char *const *g = rows[0].good; *g != NULL; g++)
		assert_true(pm_series_parse(&s, *g));
	for (const char *const *g = rows[4].good; *g != NULL; g++) {
		struct bn_streams want = {.symbols = symbols,
		    .symbols_n = 1,
		    .kinds = g,
		    .kinds_n = 1};

		assert_true(bn_stream_path(&want, path, sizeof(path)) > 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(items),
	    cmocka_unit_test(every_list_has_a_form),
	    cmocka_unit_test(the_feed_agrees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

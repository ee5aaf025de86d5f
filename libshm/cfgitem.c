#include "libshm/cfgitem.h"

#include <string.h>

#include "libcore/check.h"
#include "libshm/cfg.h"

#define LOWER	 "abcdefghijklmnopqrstuvwxyz"
#define UPPER	 "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT	 "0123456789"
#define ASSET_N	 8u
#define SYMBOL_N 20u

static bool
all_of(const char *s, size_t n, const char *set)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] == '\0' || strchr(set, s[i]) == NULL)
			return false;
	return n > 0;
}

static bool
one_of(const char *s, size_t n, const char *const *words, size_t words_n)
{
	for (size_t i = 0; i < words_n; i++)
		if (strlen(words[i]) == n && memcmp(words[i], s, n) == 0)
			return true;
	return false;
}

#define ONE_OF(s, n, words) \
	one_of(s, n, words, sizeof(words) / sizeof(*(words)))

/* btc-updown-15m, bitcoin-up-or-down-1h. */
static bool
is_series(const char *s, size_t n)
{
	static const char *const tails[] = {"-updown-1m", "-updown-5m",
	    "-updown-15m", "-updown-1h", "-updown-4h"};
	static const char *const hourly[] = {"bitcoin-up-or-down-1h",
	    "ethereum-up-or-down-1h", "solana-up-or-down-1h",
	    "xrp-up-or-down-1h", "dogecoin-up-or-down-1h", "bnb-up-or-down-1h",
	    "hyperliquid-up-or-down-1h"};
	const char *dash = memchr(s, '-', n);
	size_t head = dash == NULL ? 0 : (size_t)(dash - s);

	if (ONE_OF(s, n, hourly))
		return true;
	return head >= 2 && head <= ASSET_N && all_of(s, head, LOWER DIGIT) &&
	       ONE_OF(dash, n - head, tails);
}

static bool
is_slug(const char *s, size_t n)
{
	return all_of(s, n, LOWER UPPER DIGIT "-_.");
}

/* btc/usd or btcusdt. */
static bool
is_price(const char *s, size_t n)
{
	const char *slash = memchr(s, '/', n);
	size_t head = slash == NULL ? n : (size_t)(slash - s);

	return n <= SYMBOL_N && all_of(s, head, LOWER DIGIT) &&
	       (slash == NULL || all_of(slash + 1, n - head - 1, LOWER DIGIT));
}

static bool
is_symbol(const char *s, size_t n)
{
	return n <= SYMBOL_N && all_of(s, n, LOWER UPPER DIGIT);
}

static bool
is_stream(const char *s, size_t n)
{
	static const char *const kinds[] = {"trade", "aggTrade", "bookTicker",
	    "depth", "depth@100ms", "depth5", "depth10", "depth20",
	    "depth5@100ms", "depth10@100ms", "depth20@100ms"};

	return ONE_OF(s, n, kinds);
}

static bool
is_coin(const char *s, size_t n)
{
	return n <= SYMBOL_N && all_of(s, n, LOWER UPPER DIGIT "@/:-_.");
}

/* Tables that recorderd may leave out. */
static bool
is_table(const char *s, size_t n)
{
	static const char *const kinds[] = {"price_ticks", "orderbook_ticks",
	    "orders", "fills", "latency", "trace", "signals", "markouts",
	    "freezes"};

	return ONE_OF(s, n, kinds);
}

static const struct {
	size_t key;
	bool (*ok)(const char *s, size_t n);
	const char *form;
} forms[] = {
    {CFG_KEY_polymarket_series, is_series,
	"ASSET-updown-5m, -15m or -4h (btc-updown-15m), or "
	"bitcoin-up-or-down-1h"},
    {CFG_KEY_polymarket_slugs, is_slug, "letters, digits and - _ ."},
    {CFG_KEY_polymarket_rtds_symbols, is_price,
	"lower case letters and digits, as btc/usd or btcusdt"},
    {CFG_KEY_binance_symbols, is_symbol, "letters and digits, as btcusdt"},
    {CFG_KEY_binance_streams, is_stream,
	"trade, aggTrade, bookTicker, depth, depth5, depth10 or depth20, the "
	"latter four also with @100ms"},
    {CFG_KEY_hyperliquid_coins, is_coin,
	"letters, digits and @ / : - _ ., as BTC or @107"},
    {CFG_KEY_recorder_kinds, is_table,
	"price_ticks, orderbook_ticks, orders, fills, latency, trace, "
	"signals, markouts or freezes"},
};

bool
cfg_item_ok(size_t i, const char *item, size_t n)
{
	CHECK(i < CFG_KEY_N);
	for (size_t f = 0; f < sizeof(forms) / sizeof(forms[0]); f++)
		if (forms[f].key == i)
			return forms[f].ok(item, n);
	return true;
}

const char *
cfg_item_form(size_t i)
{
	CHECK(i < CFG_KEY_N);
	for (size_t f = 0; f < sizeof(forms) / sizeof(forms[0]); f++)
		if (forms[f].key == i)
			return forms[f].form;
	return NULL;
}

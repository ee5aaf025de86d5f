#include "feedd/pm_rules.h"

#include <string.h>

#include "feedd/text.h"
#include "libcore/check.h"

#define TWAP_FROM INT64_C(1786060800000000000) /* 2026-08-07T00:00Z */
#define TWAP_60_S INT64_C(1786665600000000000) /* 2026-08-14T00:00Z */
#define WINDOW_5M INT64_C(300000000000)
#define SECONDS_N 3600u

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Where the lower-case word begins in s at or after from, s.n: nowhere. */
static size_t
find(struct json_str s, size_t from, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = from; i + n <= s.n; i++) {
		size_t k = 0;

		while (k < n && lower(s.s[i + k]) == word[k])
			k++;
		if (k == n)
			return i;
	}
	return s.n;
}

static bool
has(struct json_str s, const char *word)
{
	return find(s, 0, word) < s.n;
}

/* The number before "second": "60 seconds", "60-second"; 0 none. */
static uint32_t
seconds_of(struct json_str s)
{
	size_t at = find(s, 0, "second");
	uint32_t v = 0;
	uint32_t unit = 1;

	if (at == s.n || at < 2 || (s.s[at - 1] != ' ' && s.s[at - 1] != '-'))
		return 0;
	for (at--; at > 0 && s.s[at - 1] >= '0' && s.s[at - 1] <= '9'; at--) {
		v += (uint32_t)(s.s[at - 1] - '0') * unit;
		unit *= 10;
		if (v > SECONDS_N || unit > 10 * SECONDS_N)
			return 0;
	}
	return v;
}

static uint32_t
lookback_by_date(const struct gamma_market *g)
{
	if (g->start_ns < TWAP_FROM)
		return 0;
	return g->end_ns - g->start_ns == WINDOW_5M && g->start_ns < TWAP_60_S
		   ? 30
		   : 60;
}

static bool
read_chainlink(
    const struct gamma_market *g, const char *asset, struct pm_rules *out)
{
	char stream[64];
	uint32_t by_date_s = lookback_by_date(g);
	bool is_average = has(g->description, "time-weighted average") ||
			  has(g->description, "time weighted average") ||
			  has(g->description, "twap");

	text_join(stream, sizeof(stream), "data.chain.link/streams/", asset);
	text_add(stream, sizeof(stream), "-usd");
	if (asset[0] == '\0' || !has(g->resolution_source, stream) ||
	    !has(g->description, "chainlink") || is_average != (by_date_s > 0))
		return false;
	out->source = is_average ? REF_TWAP : REF_SPOT;
	if (!is_average)
		return true;
	out->lookback_s = seconds_of(g->description);
	if (out->lookback_s == 0)
		out->lookback_s = by_date_s;
	return true;
}

static bool
read_source(
    const struct gamma_market *g, const char *asset, struct pm_rules *out)
{
	if (!has(g->resolution_source, "binance.com"))
		return read_chainlink(g, asset, out);
	out->source = REF_RELAY;
	return has(g->description, "binance") && has(g->description, "candle");
}

static bool
read_tie(const struct gamma_market *g, struct pm_rules *out)
{
	out->tie_yes = has(g->description, "greater than or equal to");
	return out->tie_yes || (has(g->description, "greater than") &&
				   !has(g->description, "50-50") &&
				   !has(g->description, "50/50"));
}

bool
pm_rules_read(
    const struct gamma_market *g, const char *asset, struct pm_rules *out)
{
	CHECK(g->is_updown);
	memset(out, 0, sizeof(*out));
	if (read_source(g, asset, out) && read_tie(g, out))
		return true;
	memset(out, 0, sizeof(*out));
	return false;
}

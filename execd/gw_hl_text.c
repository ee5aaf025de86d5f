/*
 * What the venue's texts ask for, told by how they begin: live ones carry
 * suffixes. The first that fits counts.
 */
#include "execd/gw_hl_int.h"

struct entry {
	const char *prefix;
	enum gwhl_class cls;
	enum reason reason;
};

static const struct entry entries[] = {
    {"Post only order would have immediately matched", GWHL_CROSSED,
	REASON_POST_ONLY},
    {"Only post-only orders allowed", GWHL_UPGRADE, REASON_STATE},
    {"Price must be divisible by tick size", GWHL_BUG, REASON_OFF_TICK},
    {"Order has invalid price", GWHL_BUG, REASON_OFF_TICK},
    {"Order has invalid size", GWHL_BUG, REASON_TOO_SMALL},
    {"Order has zero size", GWHL_BUG, REASON_TOO_SMALL},
    {"Order has invalid asset", GWHL_BUG, REASON_BAD_SLOT},
    {"Failed to deserialize", GWHL_BUG, REASON_BAD_TYPE},
    {"Order must have minimum value", GWHL_PLAIN, REASON_TOO_SMALL},
    {"Order value too large", GWHL_PLAIN, REASON_MAX_NOTIONAL},
    {"Insufficient margin", GWHL_PLAIN, REASON_EXPOSURE_CAP},
    {"Insufficient spot balance", GWHL_PLAIN, REASON_EXPOSURE_CAP},
    {"Reduce only order would increase", GWHL_PLAIN, REASON_REDUCE_ONLY},
    {"Order could not immediately match", GWHL_PLAIN, REASON_OK},
    {"Order was never placed", GWHL_GONE, REASON_UNKNOWN_ORDER},
    {"Cannot modify canceled or filled", GWHL_GONE, REASON_UNKNOWN_ORDER},
    {"Attempted to modify to invalid", GWHL_GONE, REASON_POST_ONLY},
    {"Order price cannot be more than", GWHL_PLAIN, REASON_PRICE_BAND},
    {"Order price too far from oracle", GWHL_PLAIN, REASON_PRICE_BAND},
    {"Order rejected due to price", GWHL_PLAIN, REASON_PRICE_BAND},
    {"Order would increase open interest", GWHL_PLAIN, REASON_EXPOSURE_CAP},
    {"Order would cause position to exceed", GWHL_PLAIN, REASON_POSITION_CAP},
    {"No liquidity available", GWHL_PLAIN, REASON_ONE_SIDED},
    {"Invalid TP/SL price", GWHL_BUG, REASON_VENUE},
    {"Too many open orders", GWHL_PLAIN, REASON_OPEN_ORDERS},
    {"Action expired", GWHL_PLAIN, REASON_DEADLINE},
    {"User or API Wallet", GWHL_BLOCK, REASON_VENUE},
    {"L1 error", GWHL_BLOCK, REASON_VENUE},
    {"Must deposit before", GWHL_BLOCK, REASON_VENUE},
    {"Unable to recover signer", GWHL_BLOCK, REASON_VENUE},
    {"Vault may not perform", GWHL_BLOCK, REASON_VENUE},
    {"Builder fee has not", GWHL_BLOCK, REASON_VENUE},
    {"Too many extra agents", GWHL_BLOCK, REASON_VENUE},
    {"Invalid nonce: duplicate nonce", GWHL_DELIVERED, REASON_DUPLICATE},
    {"Invalid nonce", GWHL_PLAIN, REASON_CLOCK},
    {"Too many cumulative requests", GWHL_BUDGET, REASON_RATE_LIMIT},
    {"Too many pending", GWHL_SLOW, REASON_RATE_LIMIT},
    {"too many pending", GWHL_SLOW, REASON_RATE_LIMIT},
    {"Cannot set scheduled cancel", GWHL_UNSCHEDULED, REASON_VENUE},
    {"Scheduled cancel time", GWHL_PLAIN, REASON_VENUE},
};

static bool
begins(struct json_str s, const char *with)
{
	size_t n = strlen(with);

	return s.n >= n && memcmp(s.s, with, n) == 0;
}

struct gwhl_verdict
gwhl_judge(struct json_str text)
{
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
		if (begins(text, entries[i].prefix))
			return (struct gwhl_verdict){
			    entries[i].cls, entries[i].reason};
	return (struct gwhl_verdict){GWHL_NEW_TEXT, REASON_VENUE};
}

/* Digits and a point up to something else. */
static bool
price(const char *s, size_t n, size_t *used, px_t *out)
{
	size_t k = 0;

	while (k < n && ((s[k] >= '0' && s[k] <= '9') || s[k] == '.'))
		k++;
	*used = k;
	while (k > 0 && s[k - 1] == '.')
		k--; /* the end of the sentence */
	return fixed_parse(s, k, 8, false, PX_E8_MAX, &out->e8);
}

bool
gwhl_touch_of(struct json_str text, px_t *bid, px_t *ask)
{
	static const char mark[] = "bbo was ";
	const size_t n = sizeof(mark) - 1;

	for (size_t i = 0; i + n < text.n; i++) {
		size_t used;

		if (memcmp(text.s + i, mark, n) != 0)
			continue;
		i += n;
		if (!price(text.s + i, text.n - i, &used, bid) ||
		    i + used >= text.n || text.s[i + used] != '@')
			return false;
		i += used + 1;
		return price(text.s + i, text.n - i, &used, ask);
	}
	return false;
}

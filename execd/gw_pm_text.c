/*
 * The venue's sentences: what they mean for an order. Matched by a part,
 * whatever the case; the first row that fits counts.
 */
#include <string.h>

#include "execd/gw_pm_int.h"
#include "libcore/json.h"

static const struct {
	const char *part;
	enum gwpm_class class;
	enum reason reason;
} rows[] = {
    {"Unauthorized", GWPM_SAYS_AUTH, REASON_CREDENTIALS},
    {"Invalid api key", GWPM_SAYS_AUTH, REASON_CREDENTIALS},
    {"Invalid L1 Request headers", GWPM_SAYS_AUTH, REASON_CREDENTIALS},
    {"order_version_mismatch", GWPM_SAYS_PROTOCOL, REASON_PROTOCOL},
    {"Invalid order payload", GWPM_SAYS_BUG, REASON_PROTOCOL},
    {"the order owner has to be", GWPM_SAYS_CONFIG, REASON_CREDENTIALS},
    {"the order signer address has to be", GWPM_SAYS_CONFIG,
	REASON_CREDENTIALS},
    {"address banned", GWPM_SAYS_ACCOUNT, REASON_CREDENTIALS},
    {"banned", GWPM_SAYS_ACCOUNT, REASON_CREDENTIALS},
    {"closed only mode", GWPM_SAYS_ACCOUNT, REASON_CREDENTIALS},
    {"maker address not allowed", GWPM_SAYS_ACCOUNT, REASON_CREDENTIALS},
    {"invalid signature", GWPM_SAYS_CONFIG, REASON_CREDENTIALS},
    {"breaks minimum tick size", GWPM_SAYS_TICK, REASON_OFF_TICK},
    {"INVALID_ORDER_MIN_TICK_SIZE", GWPM_SAYS_TICK, REASON_OFF_TICK},
    {"lower than the minimum", GWPM_SAYS_SIZE, REASON_TOO_SMALL},
    {"INVALID_ORDER_MIN_SIZE", GWPM_SAYS_SIZE, REASON_TOO_SMALL},
    {"invalid amount for a marketable", GWPM_SAYS_NOTIONAL, REASON_TOO_SMALL},
    {"invalid amounts", GWPM_SAYS_ROUNDING, REASON_PROTOCOL},
    {"Duplicated", GWPM_SAYS_DUPLICATE, REASON_DUPLICATE},
    {"INVALID_POST_ONLY_ORDER_TYPE", GWPM_SAYS_BUG, REASON_PROTOCOL},
    {"invalid post-only order", GWPM_SAYS_CROSSES, REASON_POST_ONLY},
    {"INVALID_POST_ONLY_ORDER", GWPM_SAYS_CROSSES, REASON_POST_ONLY},
    {"crosses the book", GWPM_SAYS_CROSSES, REASON_POST_ONLY},
    {"crosses book", GWPM_SAYS_CROSSES, REASON_POST_ONLY},
    {"not enough balance", GWPM_SAYS_BALANCE, REASON_BALANCE},
    {"NOT_ENOUGH_BALANCE", GWPM_SAYS_BALANCE, REASON_BALANCE},
    {"invalid expiration", GWPM_SAYS_BUG, REASON_PROTOCOL},
    {"INVALID_ORDER_EXPIRATION", GWPM_SAYS_BUG, REASON_PROTOCOL},
    {"invalid nonce", GWPM_SAYS_BUG, REASON_PROTOCOL},
    {"FOK orders are fully filled", GWPM_SAYS_NOT_FILLED, REASON_NOT_FILLED},
    {"FOK_ORDER_NOT_FILLED", GWPM_SAYS_NOT_FILLED, REASON_NOT_FILLED},
    {"no orders found to match", GWPM_SAYS_NOT_FILLED, REASON_NOT_FILLED},
    {"order match delayed", GWPM_SAYS_DELAYED, REASON_OK},
    {"ORDER_DELAYED", GWPM_SAYS_DELAYED, REASON_OK},
    {"market is not yet ready", GWPM_SAYS_NOT_READY, REASON_STATE},
    {"MARKET_NOT_READY", GWPM_SAYS_NOT_READY, REASON_STATE},
    {"canceled in the CTF exchange", GWPM_SAYS_CANCELLED, REASON_VENUE},
    {"post-only mode", GWPM_SAYS_POST_ONLY, REASON_VENUE_MODE},
    {"post_only_mode", GWPM_SAYS_POST_ONLY, REASON_VENUE_MODE},
    {"cancel-only", GWPM_SAYS_CANCEL_ONLY, REASON_VENUE_MODE},
    {"Too many orders in payload", GWPM_SAYS_BUG, REASON_PROTOCOL},
    {"Too Many Requests", GWPM_SAYS_LIMITED, REASON_RATE_LIMIT},
    {"order timed out", GWPM_SAYS_TIMED_OUT, REASON_DEADLINE},
    {"there are no matching orders", GWPM_SAYS_NO_MATCH, REASON_NOT_FILLED},
    {"rounding issues", GWPM_SAYS_NO_MATCH, REASON_VENUE},
    {"discrepancy greater than allowed", GWPM_SAYS_NO_MATCH, REASON_VENUE},
    {"EXECUTION_ERROR", GWPM_SAYS_NO_MATCH, REASON_VENUE},
    {"service not ready", GWPM_SAYS_DISABLED, REASON_VENUE_MODE},
    {"Trading is currently", GWPM_SAYS_DISABLED, REASON_VENUE_MODE},
    {"not found", GWPM_SAYS_NOT_FOUND, REASON_UNKNOWN_ORDER},
};

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool
has_part(const char *s, size_t n, const char *part)
{
	size_t k = strlen(part);

	for (size_t at = 0; at + k <= n; at++) {
		size_t i = 0;

		while (i < k && lower(s[at + i]) == lower(part[i]))
			i++;
		if (i == k)
			return true;
	}
	return false;
}

struct gwpm_says
gwpm_says(const char *text, size_t n)
{
	if (n == 0)
		return (struct gwpm_says){GWPM_SAYS_NOTHING, REASON_VENUE};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (has_part(text, n, rows[i].part))
			return (struct gwpm_says){
			    rows[i].class, rows[i].reason};
	return (struct gwpm_says){GWPM_SAYS_UNKNOWN, REASON_VENUE};
}

void
gwpm_error_text(const char *body, size_t n, const char **text, size_t *text_n)
{
	struct json_str found = {.s = body, .n = (uint32_t)n};
	struct json_str key;
	struct json j;

	json_init(&j, body, n);
	if (json_peek(&j) == JSON_OBJECT && json_object(&j))
		while (json_key(&j, &key)) {
			if ((json_is(key, "error") ||
				json_is(key, "errorMsg") ||
				json_is(key, "error_msg")) &&
			    json_peek(&j) == JSON_STRING)
				json_string(&j, &found);
			else
				json_skip(&j);
		}
	*text = found.s;
	*text_n = found.n;
}

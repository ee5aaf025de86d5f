/* links: execd libvenue libsign libsys libshm libcore */
/*
 * Every sentence of the venue has a meaning.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "execd/gw_pm_int.h"

static const struct {
	const char *text;
	enum gwpm_class class;
	enum reason reason;
} texts[] = {
    {"Unauthorized/Invalid api key", GWPM_SAYS_AUTH, REASON_CREDENTIALS},
    {"Invalid L1 Request headers", GWPM_SAYS_AUTH, REASON_CREDENTIALS},
    {"Invalid order payload", GWPM_SAYS_BUG, REASON_PROTOCOL},
    {"the order owner has to be the owner of the API KEY", GWPM_SAYS_CONFIG,
	REASON_CREDENTIALS},
    {"the order signer address has to be the address of the API KEY",
	GWPM_SAYS_CONFIG, REASON_CREDENTIALS},
    {"'0x12' address banned", GWPM_SAYS_ACCOUNT, REASON_CREDENTIALS},
    {"address 0x12 in closed only mode", GWPM_SAYS_ACCOUNT, REASON_CREDENTIALS},
    {"maker address not allowed, please use the deposit wallet flow",
	GWPM_SAYS_ACCOUNT, REASON_CREDENTIALS},
    {"order_version_mismatch", GWPM_SAYS_PROTOCOL, REASON_PROTOCOL},
    {"invalid signature", GWPM_SAYS_CONFIG, REASON_CREDENTIALS},
    {"order 0x1 is invalid. Price (0.485) breaks minimum tick size "
     "rule: 0.01",
	GWPM_SAYS_TICK, REASON_OFF_TICK},
    {"order 0x1 is invalid. Size (4) lower than the minimum: 5", GWPM_SAYS_SIZE,
	REASON_TOO_SMALL},
    {"invalid amount for a marketable BUY order ($0.48), min size: $1",
	GWPM_SAYS_NOTIONAL, REASON_TOO_SMALL},
    {"invalid amounts, the buy orders maker amount supports a max "
     "accuracy of 4 decimals, taker amount a max of 2 decimals",
	GWPM_SAYS_ROUNDING, REASON_PROTOCOL},
    {"order 0x1 is invalid. Duplicated.", GWPM_SAYS_DUPLICATE,
	REASON_DUPLICATE},
    {"invalid post-only order: order crosses book", GWPM_SAYS_CROSSES,
	REASON_POST_ONLY},
    {"order 0x1 crosses the book", GWPM_SAYS_CROSSES, REASON_POST_ONLY},
    {"not enough balance / allowance: balance 3", GWPM_SAYS_BALANCE,
	REASON_BALANCE},
    {"invalid expiration", GWPM_SAYS_BUG, REASON_PROTOCOL},
    {"invalid nonce", GWPM_SAYS_BUG, REASON_PROTOCOL},
    {"order couldn't be fully filled. FOK orders are fully filled or "
     "killed.",
	GWPM_SAYS_NOT_FILLED, REASON_NOT_FILLED},
    {"no orders found to match with FAK order. FAK orders are "
     "partially filled or killed if no match is found.",
	GWPM_SAYS_NOT_FILLED, REASON_NOT_FILLED},
    {"order match delayed due to market conditions", GWPM_SAYS_DELAYED,
	REASON_OK},
    {"the market is not yet ready to process new orders", GWPM_SAYS_NOT_READY,
	REASON_STATE},
    {"order canceled in the CTF exchange contract", GWPM_SAYS_CANCELLED,
	REASON_VENUE},
    {"post-only mode: only post-only orders and cancels are allowed",
	GWPM_SAYS_POST_ONLY, REASON_VENUE_MODE},
    {"Too many orders in payload: 16, max allowed: 15", GWPM_SAYS_BUG,
	REASON_PROTOCOL},
    {"order timed out", GWPM_SAYS_TIMED_OUT, REASON_DEADLINE},
    {"there are no matching orders", GWPM_SAYS_NO_MATCH, REASON_NOT_FILLED},
    {"the trade contains rounding issues", GWPM_SAYS_NO_MATCH, REASON_VENUE},
    {"the price of the taker's order has a discrepancy greater than "
     "allowed with the worst maker order",
	GWPM_SAYS_NO_MATCH, REASON_VENUE},
    {"service not ready", GWPM_SAYS_DISABLED, REASON_VENUE_MODE},
    {"Trading is currently disabled. Check polymarket.com for updates",
	GWPM_SAYS_DISABLED, REASON_VENUE_MODE},
    {"Trading is currently cancel-only. New orders are not accepted, "
     "but cancels are allowed.",
	GWPM_SAYS_CANCEL_ONLY, REASON_VENUE_MODE},
    {"invalid_order_min_size", GWPM_SAYS_SIZE, REASON_TOO_SMALL},
    {"INVALID_ORDER_DUPLICATED", GWPM_SAYS_DUPLICATE, REASON_DUPLICATE},
    {"INVALID_ORDER_NOT_ENOUGH_BALANCE", GWPM_SAYS_BALANCE, REASON_BALANCE},
    {"INVALID_POST_ONLY_ORDER_TYPE", GWPM_SAYS_BUG, REASON_PROTOCOL},
    {"FOK_ORDER_NOT_FILLED_ERROR", GWPM_SAYS_NOT_FILLED, REASON_NOT_FILLED},
    {"MARKET_NOT_READY", GWPM_SAYS_NOT_READY, REASON_STATE},
    {"something new", GWPM_SAYS_UNKNOWN, REASON_VENUE},
    {"", GWPM_SAYS_NOTHING, REASON_VENUE},
};

static void
sentences(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct gwpm_says s =
		    gwpm_says(texts[i].text, strlen(texts[i].text));

		if (s.class != texts[i].class || s.reason != texts[i].reason)
			print_message("%s: class %d reason %d\n", texts[i].text,
			    (int)s.class, (int)s.reason);
		assert_int_equal(s.class, texts[i].class);
		assert_int_equal(s.reason, texts[i].reason);
	}
}

static void
bodies(void **state)
{
	static const struct {
		const char *body;
		const char *text;
	} rows[] = {
	    {"{\"error\":\"one\"}", "one"},
	    {"{\"code\":3,\"error\":\"two\",\"x\":[{}]}", "two"},
	    {"{\"error_msg\":\"three\"}", "three"},
	    {"<html>four</html>", "<html>four</html>"},
	    {"{\"error\":null}", "{\"error\":null}"},
	    {"", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *text;
		size_t n;

		gwpm_error_text(rows[i].body, strlen(rows[i].body), &text, &n);
		assert_int_equal(n, strlen(rows[i].text));
		assert_memory_equal(text, rows[i].text, n);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sentences),
	    cmocka_unit_test(bodies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

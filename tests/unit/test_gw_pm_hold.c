/* links: execd libvenue libsign libsys libshm libcore */
/*
 * The Polymarket port: positions against the venue's balances.
 */
#include "tests/unit/gwpmkit.h"

#define MARKETS 10u
#define INSTR_0 20u

/* What the venue answers, by token: its number less TOKEN_0. */
#define TOKEN_0 1000u
static uint64_t units[2 * MARKETS];
static unsigned asked[2 * MARKETS];
static unsigned asked_other; /* of KIT_YES and KIT_NO, or of cash */
static unsigned asked_none;

static void
token_text(uint32_t i, char text[8])
{
	(void)snprintf(text, 8, "%u", TOKEN_0 + i);
}

/* Each question about a balance is answered; other questions, too. */
static void
answer_all(void)
{
	struct kit_http *k;
	char body[64];

	while ((k = kit_find("GET", "/balance-allowance")) != NULL) {
		const char *at = strstr(k->target, "token_id=");
		unsigned long n =
		    at != NULL ? strtoul(at + 9, NULL, 10) : 999999999;
		uint64_t value = 0;

		asked_none += n == 0;
		if (at == NULL)
			value = 1000000000;
		if (n >= TOKEN_0 && n < TOKEN_0 + 2 * MARKETS) {
			value = units[n - TOKEN_0];
			asked[n - TOKEN_0]++;
		} else {
			asked_other++;
		}
		(void)snprintf(body, sizeof(body), "{\"balance\":\"%llu\"}",
		    (unsigned long long)value);
		kit_reply(k, 200, body);
	}
	if ((k = kit_find("GET", "/data/orders")) != NULL)
		kit_reply(k, 200, "{\"data\":[],\"next_cursor\":\"LTE=\"}");
	if ((k = kit_find("GET", "/data/trades")) != NULL)
		kit_reply(k, 200, "{\"data\":[],\"next_cursor\":\"LTE=\"}");
}

static void
run_ms(uint64_t ms)
{
	for (uint64_t t = 0; t < ms; t += 100) {
		kit_pass(100000000);
		answer_all();
	}
}

static void
markets_begin(void)
{
	char yes[8];
	char no[8];

	memset(units, 0, sizeof(units));
	memset(asked, 0, sizeof(asked));
	asked_other = asked_none = 0;
	for (uint32_t i = 0; i < MARKETS; i++) {
		token_text(2 * i, yes);
		token_text(2 * i + 1, no);
		kit_market((uint16_t)(INSTR_0 + i), yes, no);
	}
}

static struct gwpm_balance
balance(uint32_t i)
{
	struct gwpm_balance b;

	assert_true(gwpm_balances(&kit.g, (uint16_t)(INSTR_0 + i), &b));
	return b;
}

static void
T_26_twenty_tokens_are_known_within_the_time(void **state)
{
	(void)state;
	markets_begin();
	for (uint32_t i = 0; i < 2 * MARKETS; i++)
		units[i] = 5000000 + i;
	run_ms(10000);
	for (uint32_t i = 0; i < MARKETS; i++) {
		struct gwpm_balance b = balance(i);

		assert_true(b.is_known);
		assert_false(b.is_off);
		assert_int_equal(b.yes_venue_e8, (int64_t)units[2 * i] * 100);
		assert_int_equal(
		    b.no_venue_e8, (int64_t)units[2 * i + 1] * 100);
		assert_int_equal(b.yes_net_e8, 0);
	}
	/* From then on one look a round is enough, and it is had. */
	memset(asked, 0, sizeof(asked));
	run_ms(20000);
	for (uint32_t i = 0; i < 2 * MARKETS; i++)
		assert_in_range(asked[i], 2, 4);
}

static void
T_26_what_differs_is_said_within_the_time(void **state)
{
	(void)state;
	markets_begin();
	units[0] = 7000000;
	run_ms(20000);
	assert_false(balance(0).is_off);
	while (gwpm_balance_news(&kit.g) != 0)
		;
	units[0] = 4000000;
	run_ms(10500);
	assert_true(balance(0).is_off);
	assert_true(balance(0).is_known);
	assert_int_equal(balance(0).yes_e8, 7 * E8);
	assert_int_equal(balance(0).yes_venue_e8, 4 * E8);
	assert_int_equal(kit.log_n[GWPM_LOG_DIFFERENCE], 1);
	assert_int_equal(gwpm_balance_news(&kit.g), INSTR_0);
	assert_int_equal(gwpm_balance_news(&kit.g), 0);
	units[0] = 7000000; /* it was only late */
	run_ms(3000);
	assert_false(balance(0).is_off);
}

static void
one_read_that_differs_is_nothing(void **state)
{
	(void)state;
	markets_begin();
	units[0] = 7000000;
	run_ms(20000);
	units[0] = 4000000;
	memset(asked, 0, sizeof(asked));
	while (asked[0] == 0)
		run_ms(100);
	units[0] = 7000000;
	run_ms(5000);
	assert_false(balance(0).is_off);
	assert_int_equal(kit.log_n[GWPM_LOG_DIFFERENCE], 0);
}

static void
a_read_that_agrees_needs_no_second(void **state)
{
	(void)state;
	markets_begin();
	run_ms(3000);
	for (uint32_t i = 0; i < MARKETS; i++)
		assert_true(balance(i).is_known);
	for (uint32_t i = 0; i < 2 * MARKETS; i++)
		assert_int_equal(asked[i], 1);
}

/* Held before, and of the market of the kit: with or without what is under
 * way both are equal. */
static void
what_is_pending_may_be_there_or_not(void **state)
{
	uint64_t id = kit_rest(1, SIDE_BID, 400, 10);
	struct gwpm_balance b;

	(void)state;
	run_ms(2000);
	kit_trade(id, "t1", "MATCHED", "4");
	run_ms(4000);
	assert_true(gwpm_balances(&kit.g, 16, &b));
	assert_true(b.is_known);
	assert_int_equal(b.yes_venue_e8, b.yes_e8);
	assert_false(b.is_off);
	run_ms(60000); /* not final, never there: still no difference */
	assert_true(gwpm_balances(&kit.g, 16, &b));
	assert_false(b.is_off);
	kit_trade(id, "t1", "CONFIRMED", "4");
	run_ms(6000); /* final, and not there */
	assert_true(gwpm_balances(&kit.g, 16, &b));
	assert_true(b.is_off);
}

static void
no_tokens_and_no_market_are_not_asked_about(void **state)
{
	struct instr none = {.epoch = 1, .state = INSTR_HYDRATING};
	struct instr over = {.epoch = 1, .state = INSTR_RESOLVED};
	struct gwpm_balance b;

	(void)state;
	markets_begin();
	gwpm_market(&kit.g, 40, &none);
	gwpm_market(&kit.g, 41, &none);
	assert_null(gwpm_market_of(kit.book, 40));
	run_ms(3000);
	over.token_yes[0] = (uint8_t)TOKEN_0;
	over.token_yes[1] = (uint8_t)(TOKEN_0 >> 8);
	over.token_no[0] = (uint8_t)(TOKEN_0 + 1);
	over.token_no[1] = (uint8_t)((TOKEN_0 + 1) >> 8);
	gwpm_market(&kit.g, INSTR_0, &over);
	memset(asked, 0, sizeof(asked));
	run_ms(120000);
	assert_int_equal(asked_none, 0);
	assert_int_equal(asked[0] + asked[1], 0);
	assert_true(asked[2] > 0);
	assert_true(gwpm_balances(&kit.g, INSTR_0, &b));
	assert_false(b.is_known); /* not current any more */
}

static void
after_a_gap_everything_is_read_at_once(void **state)
{
	(void)state;
	markets_begin();
	run_ms(5000);
	memset(asked, 0, sizeof(asked));
	gwpm_user_down(&kit.g, &kit.now);
	gwpm_user_up(&kit.g, &kit.now);
	run_ms(4000);
	for (uint32_t i = 0; i < 2 * MARKETS; i++)
		assert_int_equal(asked[i], 1);
}

static void
T_28_what_was_not_booked_is_compared(void **state)
{
	uint64_t id = kit_rest(1, SIDE_BID, 400, 10);

	(void)state;
	run_ms(3000);
	kit_trade(id, "t1", "MATCHED", "11");
	assert_int_equal(kit.mode, PORT_BLOCKED);
	asked_other = 0;
	run_ms(20000);
	assert_true(asked_other >= 4); /* two tokens, twice */
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, kit_begin, kit_end)
	const struct CMUnitTest tests[] = {
	    T(T_26_twenty_tokens_are_known_within_the_time),
	    T(T_26_what_differs_is_said_within_the_time),
	    T(one_read_that_differs_is_nothing),
	    T(a_read_that_agrees_needs_no_second),
	    T(what_is_pending_may_be_there_or_not),
	    T(no_tokens_and_no_market_are_not_asked_about),
	    T(after_a_gap_everything_is_read_at_once),
	    T(T_28_what_was_not_booked_is_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* links: libsys libshm libcore */
/*
 * What a person reads when something went wrong: each cause its own sentence,
 * and the other side's words where it has any.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "libsys/advice.h"
#include "libsys/wstext.h"

static void
every_status_has_its_own_sentence(void **state)
{
	static const struct {
		unsigned status;
		const char *has;
	} cases[] = {
	    {0, "TLS hangs up"},
	    {302, "moved"},
	    {400, "request"},
	    {401, "firewall"},
	    {403, "firewall"},
	    {404, "check the address"},
	    {418, "banned"},
	    {425, "engine restarts"},
	    {429, "too many requests"},
	    {451, "data-stream.binance.vision"},
	    {500, "status page"},
	    {503, "status page"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *text =
		    advice_conn(REASON_HTTP_REFUSED, cases[i].status);

		assert_non_null(strstr(text, cases[i].has));
		/* Not one list for all. */
		for (size_t k = 0; k < i; k++)
			assert_int_equal(
			    strcmp(text, advice_status(cases[k].status)) == 0,
			    strcmp(cases[k].has, cases[i].has) == 0);
	}
	assert_true(advice_status(200)[0] != '\0');
	assert_true(advice_status(999)[0] != '\0');
}

static void
another_reason_does_not_look_at_the_status(void **state)
{
	(void)state;
	assert_non_null(
	    strstr(advice_conn(REASON_CA_FILE, 429), "tls.ca_file"));
	assert_non_null(
	    strstr(advice_conn(REASON_OVERLONG, 0), "feed.max_frame_bytes"));
	/* The other transport is advice for one trouble alone. */
	for (int r = 0; r < REASON_N; r++)
		assert_int_equal(strstr(advice_reason((enum reason)r),
				     "feed.transport") != NULL,
		    r == REASON_TLS_VERSION);
	assert_string_equal(advice_reason(REASON_N), "");
	assert_string_equal(advice_reason(REASON_OK), "");
}

static void
every_end_of_a_link_and_of_a_book_has_advice(void **state)
{
	static const enum reason list[] = {REASON_DNS, REASON_REFUSED,
	    REASON_TLS, REASON_TLS_VERSION, REASON_CERT_TIME, REASON_CERT_HOST,
	    REASON_CERT_AUTHORITY, REASON_CA_FILE, REASON_OPEN_TIMEOUT,
	    REASON_HTTP_REFUSED, REASON_PEER_CLOSED, REASON_SILENT,
	    REASON_NO_PONG, REASON_BAD_FRAME, REASON_OVERLONG,
	    REASON_FEED_STALE, REASON_HASH_MISMATCH, REASON_TOUCH_MISMATCH,
	    REASON_MIRROR_MISMATCH, REASON_CROSSED, REASON_BAD_JSON,
	    REASON_BAD_NUMBER, REASON_BAD_TYPE, REASON_MISSING_FIELD};

	(void)state;
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		assert_true(advice_reason(list[i])[0] != '\0');
}

static void
an_end_is_told_in_words(void **state)
{
	static const struct {
		struct ws_end_said said;
		const char *text;
	} cases[] = {
	    {{WS_END_PEER, 1012, "back soon"},
		"closed with 1012 (service restart): back soon"},
	    {{WS_END_PEER, 1013, ""}, "closed with 1013 (try again later)"},
	    {{WS_END_PEER, 4001, "slow"}, "closed with 4001: slow"},
	    {{WS_END_PEER, 0, ""}, "closed without a code"},
	    {{WS_END_EOF, 0, ""}, "hung up without a word"},
	    {{WS_END_TLS, 0, "certificate expired"}, "certificate expired"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char out[160];

		ws_end_text(out, sizeof(out), &cases[i].said);
		assert_string_equal(out, cases[i].text);
	}
	for (int end = 1; end < WS_END_N; end++) {
		char out[160];
		struct ws_end_said said = {(enum ws_end)end, 0, ""};

		ws_end_text(out, sizeof(out), &said);
		assert_true(out[0] != '\0');
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_status_has_its_own_sentence),
	    cmocka_unit_test(another_reason_does_not_look_at_the_status),
	    cmocka_unit_test(every_end_of_a_link_and_of_a_book_has_advice),
	    cmocka_unit_test(an_end_is_told_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

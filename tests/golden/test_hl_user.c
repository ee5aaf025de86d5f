/* links: libvenue libcore */
/*
 * What Hyperliquid says to one user: shipped frames by value, whole and cut
 * at every byte, and a recorded one.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fuzz/decode_hl_user.h"
#include "tests/golden/data.h"

#define FRAMES "tests/golden/frames/hl_user/"

static struct hl_user u;
static struct hlu_order o;
static struct hlu_fill f;

static char *
text_of(const char *name, size_t *n)
{
	char path[256];
	char *text;

	snprintf(path, sizeof(path), "%s%s", FRAMES, name);
	text = data_read_path(path, n);
	if (text == NULL)
		fail_msg("no %s: run from the root", path);
	*n = data_trim(text, *n);
	(void)fuzz_hl_user(text, *n);
	for (size_t cut = 0; cut < *n; cut++) {
		(void)fuzz_hl_user(text, cut);
		assert_true(cut == 0 ||
			    hl_user_open(&u, text, cut) == HLU_ERR ||
			    text[0] != '{');
	}
	return text;
}

static void
updates(void **state)
{
	size_t n;
	char *text = text_of("updates.json", &n);

	(void)state;
	assert_int_equal(hl_user_open(&u, text, n), HLU_ORDERS);
	assert_true(hl_user_order(&u, &o));
	assert_int_equal(o.reason, REASON_NONE);
	assert_int_equal(o.state, HLU_LIVE);
	assert_int_equal(o.side, SIDE_BID);
	assert_int_equal(o.px.e8, 83950 * E8);
	assert_int_equal(o.left.e8, 200000);
	assert_true(o.oid == UINT64_C(411000000001));
	assert_true(o.has_cloid && o.cloid[0] == 0x52 && o.cloid[15] == 1);
	assert_true(o.status_ns == INT64_C(1790000000100000000));
	assert_true(hl_user_order(&u, &o));
	assert_int_equal(o.state, HLU_FILLED);
	assert_int_equal(o.left.e8, 0);
	assert_int_equal(o.qty.e8, 200000);
	assert_false(hl_user_order(&u, &o));
	free(text);
}

static void
a_bad_entry_hides_no_other(void **state)
{
	size_t n;
	char *text = text_of("updates_odd.json", &n);

	(void)state;
	assert_int_equal(hl_user_open(&u, text, n), HLU_ORDERS);
	assert_true(hl_user_order(&u, &o));
	assert_int_equal(o.state, HLU_REJECTED);
	assert_false(o.has_cloid);
	assert_true(hl_user_order(&u, &o));
	assert_int_equal(o.reason, REASON_BAD_TYPE);
	assert_true(hl_user_order(&u, &o));
	assert_int_equal(o.state, HLU_CANCELLED);
	assert_int_equal(o.left.e8, E8 / 2);
	assert_true(hl_user_order(&u, &o));
	assert_int_equal(o.state, HLU_STRANGE);
	assert_false(hl_user_order(&u, &o));
	free(text);
}

/* Every status that the venue lists, and one that it does not. */
static void
statuses_go_by_their_ends(void **state)
{
	static const struct {
		const char *text;
		enum hlu_state is;
	} t[] = {{"open", HLU_LIVE}, {"triggered", HLU_LIVE},
	    {"filled", HLU_FILLED}, {"canceled", HLU_CANCELLED},
	    {"rejected", HLU_REJECTED}, {"marginCanceled", HLU_CANCELLED},
	    {"vaultWithdrawalCanceled", HLU_CANCELLED},
	    {"openInterestCapCanceled", HLU_CANCELLED},
	    {"selfTradeCanceled", HLU_CANCELLED},
	    {"reduceOnlyCanceled", HLU_CANCELLED},
	    {"siblingFilledCanceled", HLU_CANCELLED},
	    {"delistedCanceled", HLU_CANCELLED},
	    {"liquidatedCanceled", HLU_CANCELLED},
	    {"outcomeSettledCanceled", HLU_CANCELLED},
	    {"internalCancel", HLU_CANCELLED},
	    {"scheduledCancel", HLU_CANCELLED}, {"tickRejected", HLU_REJECTED},
	    {"minTradeNtlRejected", HLU_REJECTED},
	    {"perpMarginRejected", HLU_REJECTED},
	    {"badAloPxRejected", HLU_REJECTED},
	    {"iocCancelRejected", HLU_REJECTED},
	    {"oracleRejected", HLU_REJECTED},
	    {"tooManyOpenOrdersRejected", HLU_REJECTED},
	    {"cancel", HLU_STRANGE}, {"resting", HLU_STRANGE}};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct json_str s = {
		    t[i].text, (uint32_t)strlen(t[i].text), false};

		assert_int_equal(hlu_state_of(s), t[i].is);
	}
}

static void
fills(void **state)
{
	size_t n;
	char *text = text_of("fills_snapshot.json", &n);

	(void)state;
	assert_int_equal(hl_user_open(&u, text, n), HLU_FILLS);
	assert_true(u.is_snapshot);
	assert_true(hl_user_fill(&u, &f));
	assert_int_equal(f.reason, REASON_NONE);
	assert_int_equal(f.start.e8, -150000);
	assert_int_equal(f.closed.e6, -130000);
	assert_int_equal(f.fee.e6, 25185);
	assert_false(f.is_taker || f.is_liquidation);
	assert_true(f.has_cloid && f.tid == UINT64_C(606867627195097));
	assert_false(hl_user_fill(&u, &f));
	free(text);
	text = text_of("fills_liquidation.json", &n);
	assert_int_equal(hl_user_open(&u, text, n), HLU_FILLS);
	assert_false(u.is_snapshot);
	assert_true(hl_user_fill(&u, &f));
	assert_int_equal(f.fee.e6, -3627); /* a rebate, cut toward zero */
	assert_true(f.is_liquidation && f.is_taker && f.oid == 0);
	assert_int_equal(f.side, SIDE_ASK);
	free(text);
}

static void
answers(void **state)
{
	static const enum hla_status want[] = {
	    HLA_RESTING, HLA_DONE, HLA_REFUSED, HLA_WAITING, HLA_ODD, HLA_ODD};
	struct hl_answer a;
	struct hla_entry e;
	size_t n;
	char *text = text_of("post_order.json", &n);

	(void)state;
	assert_int_equal(hl_user_open(&u, text, n), HLU_POST);
	assert_true(u.post_id == 257 && json_is(u.type, "action"));
	assert_int_equal(
	    hl_answer_open(&a, u.payload.s, u.payload.n), HLA_STATUSES);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_true(hl_answer_next(&a, &e));
		assert_int_equal(e.status, want[i]);
		if (i == 1)
			assert_int_equal(e.qty.e8, E8 / 100);
	}
	assert_false(hl_answer_next(&a, &e));
	free(text);
	text = text_of("post_cancel.json", &n);
	assert_int_equal(hl_user_open(&u, text, n), HLU_POST);
	(void)hl_answer_open(&a, u.payload.s, u.payload.n);
	assert_true(hl_answer_next(&a, &e) && e.status == HLA_SUCCESS);
	assert_true(hl_answer_next(&a, &e) && e.status == HLA_REFUSED);
	free(text);
	text = text_of("post_error.json", &n);
	assert_int_equal(hl_user_open(&u, text, n), HLU_POST);
	assert_int_equal(hl_answer_open(&a, u.payload.s, u.payload.n), HLA_BAD);
	free(text);
	text = text_of("answer_err.json", &n);
	assert_int_equal(hl_answer_open(&a, text, n), HLA_ERR);
	assert_memory_equal(a.msg.s, "Must deposit", 12);
	free(text);
	text = text_of("answer_default.json", &n);
	assert_int_equal(hl_answer_open(&a, text, n), HLA_DEFAULT);
	free(text);
}

static void
questions(void **state)
{
	char master[HLI_ADDRESS_MAX];
	struct hli_limit limit;
	struct hli_state account;
	struct hli_coin coin;
	enum hli_role role;
	uint64_t h = 0;
	uint64_t ms;
	bool known;
	usd_t usd;
	size_t n;
	char *text = text_of("status.json", &n);

	(void)state;
	assert_true(hl_user_status(text, n, &known, &o) && known);
	assert_true(o.state == HLU_CANCELLED && o.reduce_only);
	free(text);
	text = text_of("status_unknown.json", &n);
	assert_true(hl_user_status(text, n, &known, &o) && !known);
	free(text);
	text = text_of("role.json", &n);
	assert_true(hl_info_role(text, n, &role, master));
	assert_int_equal(role, HLI_AGENT);
	assert_string_equal(
	    master, "0x00000000000000000000000000000000000000aa");
	free(text);
	text = text_of("agents.json", &n);
	assert_true(hl_info_agent(
	    text, n, "0x00000000000000000000000000000000000000ab", &ms));
	assert_true(ms == UINT64_C(1790600000000));
	free(text);
	text = text_of("limit.json", &n);
	assert_true(hl_info_limit(text, n, &limit));
	assert_true(
	    limit.used == 2890 && limit.cap == 2864574 && limit.surplus == 7);
	free(text);
	text = text_of("account.json", &n);
	assert_true(hl_info_state(text, n, &account, fuzz_position, &h));
	assert_int_equal(account.value.e6, 1790007426);
	assert_int_equal(account.position_n, 2);
	assert_true(h == hash_u64(hash_u64(0, (uint64_t)-61000),
			     (uint64_t)(15 * E8 / 10)));
	free(text);
	text = text_of("spot.json", &n);
	assert_true(hl_info_spot(text, n, &usd));
	assert_int_equal(usd.e6, 99123456);
	free(text);
	text = text_of("meta.json", &n);
	assert_true(hl_info_coin(text, n, "BTC", &coin));
	assert_true(coin.found && coin.index == 1 && coin.sz_decimals == 5);
	assert_true(hl_info_coin(text, n, "OLD", &coin) && !coin.found);
	free(text);
}

static void
a_recorded_liquidation(void **state)
{
	char path[1024];
	char *text;
	size_t n;

	(void)state;
	snprintf(path, sizeof(path),
	    "%s/hyperliquid/ws/ws_user_fill_liquidation.json", data_root());
	text = data_read_path(path, &n);
	if (text == NULL) {
		print_message("skipped: no %s\n", path);
		skip();
	}
	(void)fuzz_hl_user(text, n);
	assert_int_equal(hl_user_open(&u, text, n), HLU_FILLS);
	assert_false(u.is_snapshot);
	assert_true(hl_user_fill(&u, &f));
	assert_int_equal(f.reason, REASON_NONE);
	assert_true(f.is_liquidation && f.has_cloid && !f.is_taker);
	assert_int_equal(f.start.e8, -2130000);
	assert_int_equal(f.fee.e6, 9997);
	assert_true(f.oid == UINT64_C(55030848197));
	assert_false(hl_user_fill(&u, &f));
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(updates),
	    cmocka_unit_test(a_bad_entry_hides_no_other),
	    cmocka_unit_test(statuses_go_by_their_ends),
	    cmocka_unit_test(fills),
	    cmocka_unit_test(answers),
	    cmocka_unit_test(questions),
	    cmocka_unit_test(a_recorded_liquidation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

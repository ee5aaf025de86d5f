/* links: libvenue libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fuzz/decode.h"
#include "tests/golden/data.h"

#define LEN(a)	   (sizeof(a) / sizeof((a)[0]))
#define FRAMES	   "tests/golden/frames/polymarket/"
#define EVENTS_MAX 64
#define TOKEN_A                                                                \
	"31415926535897932384626433832795028841971693993751058209749445923078" \
	"164062862"
#define TOKEN_B                                                                \
	"27182818284590452353602874713526624977572470936999595749669676277240" \
	"766303535"
#define MARKET \
	"0x5d1c0a8e7f3b24961827364554637281908fa0b1c2d3e4f5061728394a5b6c7d"

static struct pm_event ev;

/* Letters of the kinds, in the order of enum pm_kind from PM_ERR on. */
static const char letters[] = "?!.BCTSQNRPXWU";

/* What a frame holds, as letters, with a digest of each event. Returns how
 * many, the last being '!' or '.'. */
static size_t
events(const char *text, size_t n, char *kinds, uint64_t *digests)
{
	char *copy = data_exact(text, n);
	struct pm_frame f;
	struct pm_meta meta;
	size_t i = 0;

	pm_frame_init(&f, copy, n);
	for (; i < EVENTS_MAX - 1; i++) {
		enum pm_kind kind = pm_next(&f, &ev);

		kinds[i] = letters[kind];
		if (kind == PM_END || kind == PM_ERR)
			break;
		pm_meta_init(&meta);
		digests[i] = digest_pm_event(0, &ev, &meta);
	}
	kinds[i + 1] = '\0';
	free(copy);
	return i + 1;
}

/* A frame cut anywhere ends in an error, and the events before that are the
 * true ones. step > 1 looks at every step-th cut of a long frame. */
static void
cuts_are_refused(const char *text, size_t n, size_t step)
{
	char whole[EVENTS_MAX];
	char part[EVENTS_MAX];
	uint64_t want[EVENTS_MAX];
	uint64_t got[EVENTS_MAX];
	size_t all = events(text, n, whole, want);

	n = data_trim(text, n);
	for (size_t cut = 0; cut < n; cut += step) {
		size_t k = events(text, cut, part, got);

		assert_true(k <= all);
		assert_int_equal(part[k - 1], '!');
		for (size_t i = 0; i + 1 < k; i++) {
			assert_int_equal(part[i], whole[i]);
			assert_int_equal(got[i], want[i]);
		}
	}
}

static const struct {
	const char *name;
	const char *kinds; /* letters, then '.' or '!' */
} recorded[] = {
    {"ws/frames/pm_ws_book_array_1.json", "BBBBBB."},
    {"ws/frames/pm_ws_book_array_2.json", "BBBBBB."},
    {"ws/frames/pm_ws_price_change_1.json", "C."},
    {"ws/frames/pm_ws_price_change_2.json", "C."},
    {"ws/frames/pm_ws_price_change_3.json", "C."},
    {"ws/frames/pm_ws_price_change_4.json", "C."},
    {"ws/frames/pm_ws_price_change_5.json", "C."},
    {"ws/frames/pm_ws_price_change_6.json", "C."},
    {"ws/frames/pm_ws_new_market_1.json", "N."},
    {"ws/frames/pm_ws_new_market_2.json", "N."},
    {"ws/frames/pm_ws_new_market_3.json", "N."},
    {"ws/frames/pm_ws_new_market_4.json", "N."},
    {"ws/market_2024/book.json", "B."},
    {"ws/market_2024/last_trade_price.json", "T."},
    {"ws/market_2024/tick_size_change.json", "S."},
    /* the flat form, gone since 2025 */
    {"ws/market_2024/price_change.json", "C."},
    {"rest/book/pm_rest_book_1.json", "B."},
    {"rest/book/pm_rest_book_2.json", "B."},
    {"rest/book/pm_rest_book_3.json", "B."},
    {"rest/book/pm_rest_book_4.json", "B."},
    {"rest/book/pm_rest_book_5.json", "B."},
    {"rest/book/pm_rest_book_6.json", "B."},
    {"rest/book/pm_rest_book_one_sided_or_empty_1.json", "B."},
    {"rest/book_2024_presidential.json", "B."},
    {"shape_only/ws_market_best_bid_ask_msg.json", "Q."},
    {"shape_only/ws_market_last_trade_msg.json", "T."},
    {"shape_only/ws_market_new_market_msg.json", "N."},
    {"shape_only/ws_market_resolved_msg.json", "R."},
    {"shape_only/ws_market_tick_size_msg.json", "S."},
};

static void
recorded_frames(void **state)
{
	char path[256];
	char kinds[EVENTS_MAX];
	uint64_t digests[EVENTS_MAX];
	size_t n;

	(void)state;
	for (size_t i = 0; i < LEN(recorded); i++) {
		snprintf(path, sizeof(path), "polymarket/%s", recorded[i].name);
		char *text = data_read(path, &n);

		if (text == NULL)
			skip();
		events(text, n, kinds, digests);
		if (strcmp(kinds, recorded[i].kinds) != 0)
			fail_msg("%s: %s, %s at %u", path, kinds,
			    reason_name(ev.reason), ev.err_off);
		(void)fuzz_polymarket(text, n);
		cuts_are_refused(text, n, n > 4096 ? 7 : 1);
		free(text);
	}
}

/* Every line of a file of frames: the kinds of all, and their cuts. */
static void
lines_of(const char *name, const char *want)
{
	char kinds[EVENTS_MAX];
	char all[512] = "";
	uint64_t digests[EVENTS_MAX];
	size_t n;
	size_t line_n;
	char *line;
	char *text = data_read(name, &n);
	char *pos = text;

	if (text == NULL)
		skip();
	while (data_line(&pos, &line, &line_n)) {
		events(line, line_n, kinds, digests);
		assert_true(strlen(all) + strlen(kinds) < sizeof(all));
		memcpy(all + strlen(all), kinds, strlen(kinds) + 1);
		cuts_are_refused(line, line_n, 1);
	}
	free(text);
	if (strcmp(all, want) != 0)
		fail_msg("%s: %s", name, all);
}

static void
mixed_lines(void **state)
{
	(void)state;
	lines_of("polymarket/shape_only/ws_mixed_edited.jsonl",
	    "B.BB.C.C.C.Q.Q.T.T.U.U.S.N.R.");
}

/* One connection's life: an empty book of Protocol V2, then PONGs. */
static void
keepalive(void **state)
{
	static char data[4096];
	char dir[16];
	char kinds[EVENTS_MAX];
	char all[256] = "";
	uint64_t digests[EVENTS_MAX];
	size_t n;
	size_t line_n;
	char *line;
	char *text = data_read("polymarket/ws/keepalive_20261005.jsonl", &n);
	char *pos = text;

	(void)state;
	if (text == NULL)
		skip();
	while (data_line(&pos, &line, &line_n)) {
		data_string(data_member(line, line_n, "dir"), dir, sizeof(dir));
		size_t len = data_string(
		    data_member(line, line_n, "data"), data, sizeof(data));

		if (strcmp(dir, "recv") != 0)
			continue;
		events(data, len, kinds, digests);
		memcpy(all + strlen(all), kinds, strlen(kinds) + 1);
		if (kinds[0] == 'B')
			assert_int_equal(ev.kind, PM_END);
	}
	free(text);
	assert_string_equal(all, "B.P.P.P.P.P.");
}

/* ---- frames of our own, value by value ---- */

static char *
own(const char *name, size_t *n)
{
	char path[256];

	snprintf(path, sizeof(path), "%s%s", FRAMES, name);
	char *text = data_read_path(path, n);

	if (text == NULL)
		fail_msg("no %s: run from the root", path);
	return text;
}

/* The only event of a frame; the text stays for its spans. */
static char *
one(const char *name, enum pm_kind kind)
{
	size_t n;
	char *text = own(name, &n);
	struct pm_frame f;

	pm_frame_init(&f, text, n);
	if (pm_next(&f, &ev) != kind)
		fail_msg("%s: kind %d, %s at %u", name, ev.kind,
		    reason_name(ev.reason), ev.err_off);
	return text;
}

static void
is_token(const struct pm_token *t, const char *want)
{
	char text[PM_TOKEN_TEXT_MAX];

	pm_token_format(t, text);
	assert_string_equal(text, want);
}

static void
is_market(const struct pm_cond *c)
{
	char text[PM_COND_TEXT_MAX];

	pm_cond_format(c, text);
	assert_string_equal(text, MARKET);
}

static void
a_book(void **state)
{
	char hash[PM_HASH_LEN];
	struct pm_meta meta;
	char *text = one("rest_book.json", PM_BOOK);

	(void)state;
	is_market(&ev.market);
	is_token(&ev.token, TOKEN_A);
	assert_int_equal(ev.venue_ns, INT64_C(1790000000123) * NS_PER_MS);
	assert_int_equal(ev.bids_n, 4);
	assert_int_equal(ev.asks_n, 4);
	assert_int_equal(ev.bids[0].px.tok_e8, E8 / 100);
	assert_int_equal(ev.bids[1].px.tok_e8, 4 * E8 / 10);
	assert_int_equal(ev.bids[1].qty.e8, INT64_C(5225000000));
	assert_int_equal(ev.asks[3].px.tok_e8, 51 * E8 / 100);
	assert_int_equal(ev.asks[3].qty.e8, INT64_C(1402000000));
	assert_true(json_is(ev.min_size_text, "5"));
	assert_true(json_is(ev.tick_text, "0.01"));
	assert_true(json_is(ev.last_px_text, "0.500"));
	assert_int_equal(ev.neg_risk, PM_NEG_RISK_FALSE);
	pm_meta_init(&meta);
	pm_hash_event(&ev, &meta, hash);
	assert_memory_equal(hash, ev.hash, PM_HASH_LEN);
	pm_meta_update(&meta, &ev);
	free(text);

	/* what the stream leaves out was kept from the REST answer; a price
	 * sent as "" is hashed as "" */
	text = one("book.json", PM_BOOK);
	assert_null(ev.min_size_text.s);
	pm_hash_event(&ev, &meta, hash);
	assert_memory_equal(hash, ev.hash, PM_HASH_LEN);
	meta.neg_risk = PM_NEG_RISK_TRUE;
	pm_hash_event(&ev, &meta, hash);
	assert_memory_not_equal(hash, ev.hash, PM_HASH_LEN);
	free(text);

	text = one("rest_book_one_sided.json", PM_BOOK);
	assert_int_equal(ev.bids_n, 2);
	assert_int_equal(ev.bids[0].px.tok_e8, E8 / 1000);
	assert_int_equal(ev.asks_n, 0);
	pm_meta_init(&meta);
	pm_hash_event(&ev, &meta, hash);
	assert_memory_equal(hash, ev.hash, PM_HASH_LEN);
	free(text);

	text = one("book_empty.json", PM_BOOK);
	assert_int_equal(ev.bids_n + ev.asks_n, 0);
	free(text);
}

/* One canonical book serves both tokens of the pair. */
static void
a_pair_and_its_change(void **state)
{
	static struct book_full b;
	size_t n;
	char *text = own("book_pair.json", &n);
	char hash[PM_HASH_LEN];
	struct pm_frame f;
	struct pm_meta meta;
	struct pm_hash_book hb = {.book = &b.book};

	(void)state;
	book_full_init(&b);
	pm_meta_init(&meta);
	pm_frame_init(&f, text, n);
	assert_int_equal(pm_next(&f, &ev), PM_BOOK);
	for (uint32_t i = 0; i < ev.bids_n; i++)
		book_set(&b.book, SIDE_BID, frame_px(ev.bids[i].px, ROLE_YES),
		    ev.bids[i].qty);
	for (uint32_t i = 0; i < ev.asks_n; i++)
		book_set(&b.book, SIDE_ASK, frame_px(ev.asks[i].px, ROLE_YES),
		    ev.asks[i].qty);
	pm_meta_update(&meta, &ev);
	memcpy(meta.min_size.s, "5", 1);
	meta.min_size.n = 1;
	meta.has_min_size = true;
	meta.neg_risk = PM_NEG_RISK_FALSE;
	hb.market = ev.market;
	hb.venue_ns = ev.venue_ns;
	hb.token = ev.token;
	hb.role = ROLE_YES;
	pm_hash_kept(&hb, &meta, hash);
	assert_memory_equal(hash, ev.hash, PM_HASH_LEN);
	assert_int_equal(pm_next(&f, &ev), PM_BOOK);
	is_token(&ev.token, TOKEN_B);
	hb.token = ev.token;
	hb.role = ROLE_NO;
	pm_hash_kept(&hb, &meta, hash);
	assert_memory_equal(hash, ev.hash, PM_HASH_LEN);
	assert_int_equal(pm_next(&f, &ev), PM_END);
	assert_int_equal(pm_next(&f, &ev), PM_END);
	free(text);

	text = one("price_change.json", PM_PRICE_CHANGE);
	assert_int_equal(ev.changes_n, 2);
	hb.venue_ns = ev.venue_ns;
	for (uint32_t i = 0; i < 2; i++) {
		const struct pm_change *c = &ev.changes[i];

		hb.role = i == 0 ? ROLE_YES : ROLE_NO;
		hb.token = c->token;
		book_set(&b.book, frame_side(c->side, hb.role),
		    frame_px(c->px, hb.role), c->qty);
		assert_int_equal(book_n(&b.book, SIDE_BID), 5);
		pm_hash_kept(&hb, &meta, hash);
		assert_memory_equal(hash, c->hash, PM_HASH_LEN);
		assert_int_equal(c->best_bid.px.tok_e8, 49 * E8 / 100);
	}
	free(text);
}

static void
other_events(void **state)
{
	char *text = one("price_change_remove.json", PM_PRICE_CHANGE);

	(void)state;
	assert_int_equal(ev.changes[0].qty.e8, 0);
	assert_int_equal(ev.changes[0].best_bid.state, PM_TOUCH_EMPTY);
	assert_int_equal(ev.changes[0].best_ask.state, PM_TOUCH_EMPTY);
	assert_int_equal(ev.changes[1].side, SIDE_ASK);
	assert_false(ev.changes[1].has_hash);
	assert_int_equal(ev.changes[1].best_bid.state, PM_TOUCH_NOT_SENT);
	free(text);

	text = one("last_trade_price.json", PM_TRADE);
	assert_int_equal(ev.px.tok_e8, 51 * E8 / 100);
	assert_int_equal(ev.qty.e8, INT64_C(1402000000));
	assert_int_equal(ev.side, SIDE_BID);
	free(text);

	text = one("tick_size_change.json", PM_TICK_SIZE);
	assert_int_equal(ev.old_tick.tok_e8, E8 / 100);
	assert_int_equal(ev.new_tick.tok_e8, E8 / 1000);
	free(text);

	text = one("best_bid_ask.json", PM_TOUCH);
	assert_int_equal(ev.best_bid.px.tok_e8, 49 * E8 / 100);
	assert_int_equal(ev.best_ask.state, PM_TOUCH_EMPTY);
	free(text);

	text = one("new_market.json", PM_NEW_MARKET);
	is_market(&ev.market);
	assert_int_equal(ev.body.n, strlen(text));
	free(text);

	text = one("market_resolved.json", PM_RESOLVED);
	is_token(&ev.token, TOKEN_A);
	assert_int_equal(ev.tokens_n, 2);
	is_token(&ev.tokens[1], TOKEN_B);
	assert_true(json_is(ev.outcome_text, "Yes"));
	free(text);

	text = one("unknown_event.json", PM_UNKNOWN);
	assert_int_equal(ev.reason, REASON_UNKNOWN_EVENT);
	assert_true(json_is(ev.type_text, "market_mood"));
	free(text);

	text = one("v2_book.json", PM_BOOK);
	assert_int_equal(ev.market.n, 31);
	free(text);
	free(one("pong.txt", PM_PONG));
	free(one("no_new_assets.txt", PM_NO_NEW_ASSETS));
}

/* Frames in the venue's spelling, one byte at a time replaced: the answer is
 * what the general way gives. */
static void
fast_equals_general(void **state)
{
	static const char *const names[] = {
	    "price_change.json", "price_change_compact.json", "rest_book.json"};
	static const char bytes[] = "09 .,:\"{}\\BSte-\x01\xc3";

	(void)state;
	for (size_t f = 0; f < LEN(names); f++) {
		size_t n;
		char *text = own(names[f], &n);

		for (size_t i = 0; i < n; i++) {
			char keep = text[i];

			for (size_t b = 0; b < sizeof(bytes) - 1; b++) {
				text[i] = bytes[b];
				(void)fuzz_polymarket(text, n);
			}
			text[i] = keep;
		}
		free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(recorded_frames),
	    cmocka_unit_test(mixed_lines),
	    cmocka_unit_test(keepalive),
	    cmocka_unit_test(a_book),
	    cmocka_unit_test(a_pair_and_its_change),
	    cmocka_unit_test(other_events),
	    cmocka_unit_test(fast_equals_general),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

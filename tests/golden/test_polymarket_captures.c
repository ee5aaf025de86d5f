/* links: libvenue libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libcore/book.h"
#include "libvenue/binance.h"
#include "libvenue/gamma.h"
#include "libvenue/pm_hash.h"
#include "libvenue/polymarket.h"
#include "libvenue/rtds.h"
#include "tests/golden/data.h"

#define DIR	    "aligned/updown15m_captures/"
#define BOOKS_MAX   64
#define PENDING_MAX 64
#define PAYLOAD_MAX (1 << 17)

static const char *const captures[] = {
    "cap_20260427T2134",
    "cap_20260428T1305",
    "cap_20260428T1352",
    "cap_20260429T0210",
    "cap_20260429T0312_current_window",
};
#define CAPTURES_N (sizeof(captures) / sizeof(captures[0]))

/* What the expectations count; names as in their file. */
#define COUNTS(X)                        \
	X(lines)                         \
	X(frames_array)                  \
	X(frames_object)                 \
	X(src_binance)                   \
	X(src_coinbase)                  \
	X(src_polymarket_clob)           \
	X(src_polymarket_rtds_chainlink) \
	X(rest_book)                     \
	X(rest_book_hash_ok)             \
	X(ws_book)                       \
	X(ws_book_hash_ok)               \
	X(new_market)                    \
	X(price_change_frames)           \
	X(price_change_entries)          \
	X(price_change_hash_ok)          \
	X(price_change_bbo_ok)

struct counts {
#define X(name) unsigned name;
	COUNTS(X)
#undef X
};

struct token {
	struct pm_token id;
	struct pm_cond market;
	struct pm_meta meta;
	struct book_full book;
};

struct pending {
	struct token *token;
	struct pm_change change;
};

static struct {
	struct counts n;
	struct token tokens[BOOKS_MAX];
	unsigned tokens_n;
	struct pending pending[PENDING_MAX];
	unsigned pending_n;
	struct pm_cond batch_market;
	int64_t batch_ns;
} run;

static struct pm_event ev;
static struct bn_event bn;
static struct rtds_event rt;

static struct token *
token_of(const struct pm_token *id)
{
	struct token *t;

	for (unsigned i = 0; i < run.tokens_n; i++)
		if (pm_token_eq(&run.tokens[i].id, id))
			return &run.tokens[i];
	assert_true(run.tokens_n < BOOKS_MAX);
	t = &run.tokens[run.tokens_n++];
	t->id = *id;
	pm_meta_init(&t->meta);
	book_full_init(&t->book);
	return t;
}

/* Each token's book is kept in its own frame here: role YES for both. */
static void
hash_now(struct token *t, char *out)
{
	struct pm_hash_book b = {
	    .market = t->market,
	    .token = t->id,
	    .role = ROLE_YES,
	    .venue_ns = run.batch_ns,
	    .book = &t->book.book,
	};

	pm_hash_kept(&b, &t->meta, out);
}

static bool
touch_agrees(const struct token *t, enum side side, const struct pm_touch *want)
{
	struct book_level best;

	if (!book_best(&t->book.book, side, &best))
		return want->state == PM_TOUCH_EMPTY;
	return want->state == PM_TOUCH_PRICE && want->px.tok_e8 == best.px.e8;
}

/* The batch is complete: every entry carries what its token is now. */
static void
batch_end(void)
{
	char hash[PM_HASH_LEN];

	for (unsigned i = 0; i < run.pending_n; i++) {
		struct pending *p = &run.pending[i];

		hash_now(p->token, hash);
		run.n.price_change_hash_ok +=
		    memcmp(hash, p->change.hash, PM_HASH_LEN) == 0;
	}
	run.pending_n = 0;
}

static void
on_book(bool rest)
{
	struct token *t = token_of(&ev.token);
	char hash[PM_HASH_LEN];

	batch_end();
	t->market = ev.market;
	pm_hash_event(&ev, &t->meta, hash);
	pm_meta_update(&t->meta, &ev);
	bool ok = ev.has_hash && memcmp(hash, ev.hash, PM_HASH_LEN) == 0;

	*(rest ? &run.n.rest_book : &run.n.ws_book) += 1;
	*(rest ? &run.n.rest_book_hash_ok : &run.n.ws_book_hash_ok) += ok;
	book_clear(&t->book.book);
	for (uint32_t i = 0; i < ev.bids_n; i++)
		book_set(&t->book.book, SIDE_BID,
		    frame_px(ev.bids[i].px, ROLE_YES), ev.bids[i].qty);
	for (uint32_t i = 0; i < ev.asks_n; i++)
		book_set(&t->book.book, SIDE_ASK,
		    frame_px(ev.asks[i].px, ROLE_YES), ev.asks[i].qty);
	assert_int_equal(book_n(&t->book.book, SIDE_BID), ev.bids_n);
	assert_int_equal(book_n(&t->book.book, SIDE_ASK), ev.asks_n);
	assert_false(book_is_crossed(&t->book.book));
	/* the kept book says the same as the text that was sent */
	run.batch_ns = ev.venue_ns;
	char again[PM_HASH_LEN];

	hash_now(t, again);
	if (ok)
		assert_memory_equal(again, hash, PM_HASH_LEN);
}

static void
on_changes(void)
{
	if (ev.venue_ns != run.batch_ns ||
	    memcmp(&ev.market, &run.batch_market, sizeof(ev.market)) != 0)
		batch_end();
	run.batch_ns = ev.venue_ns;
	run.batch_market = ev.market;
	run.n.price_change_frames++;
	for (uint32_t i = 0; i < ev.changes_n; i++) {
		struct pm_change *c = &ev.changes[i];
		struct token *t = token_of(&c->token);

		book_set(
		    &t->book.book, c->side, frame_px(c->px, ROLE_YES), c->qty);
		assert_true(run.pending_n < PENDING_MAX);
		assert_true(c->has_hash);
		run.pending[run.pending_n++] =
		    (struct pending){.token = t, .change = *c};
		run.n.price_change_entries++;
		run.n.price_change_bbo_ok +=
		    touch_agrees(t, SIDE_BID, &c->best_bid) &&
		    touch_agrees(t, SIDE_ASK, &c->best_ask);
	}
}

static void
on_frame(const char *text, size_t n)
{
	struct pm_frame f;
	enum pm_kind kind;
	struct gamma_market m;

	if (text[0] == '[')
		run.n.frames_array++;
	else
		run.n.frames_object++;
	pm_frame_init(&f, text, n);
	while ((kind = pm_next(&f, &ev)) != PM_END) {
		assert_int_not_equal(kind, PM_ERR);
		assert_int_not_equal(kind, PM_UNKNOWN);
		if (kind == PM_BOOK)
			on_book(ev.type_text.n == 0);
		if (kind == PM_PRICE_CHANGE)
			on_changes();
		if (kind == PM_NEW_MARKET) {
			run.n.new_market++;
			enum gamma_kind g =
			    gamma_decode(&m, ev.body.s, ev.body.n);

			assert_int_not_equal(g, GAMMA_ERR);
			if (g == GAMMA_REFUSED)
				assert_int_equal(m.reason, REASON_UNSUPPORTED);
			else
				assert_true(m.has_tokens);
		}
	}
}

static void
on_binance(const char *text, size_t n)
{
	assert_int_equal(bn_decode(&bn, text, n), BN_TRADE);
	assert_true(bn.px.e8 > 0);
	assert_true(bn.qty.e8 > 0);
}

static void
on_rtds(const char *text, size_t n)
{
	enum rtds_kind kind = rtds_decode(&rt, text, n);

	if (kind == RTDS_EMPTY)
		return;
	assert_true(kind == RTDS_UPDATE || kind == RTDS_SNAPSHOT);
	assert_int_equal(rt.source, RTDS_CHAINLINK);
	assert_true(rt.points_n > 0);
	assert_true(kind == RTDS_SNAPSHOT || rt.points_n == 1);
	for (uint32_t i = 1; i < rt.points_n; i++)
		assert_true(rt.points[i].venue_ns > rt.points[i - 1].venue_ns);
}

static void
on_line(const char *line, size_t n)
{
	static char payload[PAYLOAD_MAX];
	char source[64];
	size_t len;

	run.n.lines++;
	data_string(data_member(line, n, "source"), source, sizeof(source));
	len = data_string(
	    data_member(line, n, "payload"), payload, sizeof(payload));
	assert_true(len != SIZE_MAX);
	if (strcmp(source, "polymarket_clob") == 0) {
		run.n.src_polymarket_clob++;
		on_frame(payload, len);
	} else if (strcmp(source, "binance") == 0) {
		run.n.src_binance++;
		on_binance(payload, len);
	} else if (strcmp(source, "polymarket_rtds_chainlink") == 0) {
		run.n.src_polymarket_rtds_chainlink++;
		on_rtds(payload, len);
	} else {
		assert_string_equal(source, "coinbase");
		run.n.src_coinbase++;
	}
}

static void
compare(const char *name, struct json_str want)
{
	struct json j;
	struct json_str key;
	uint64_t v;
	struct counts rest = run.n;

	json_sub(&j, want.s, want.n);
	json_object(&j);
	while (json_key(&j, &key) && json_u64(&j, &v)) {
		unsigned *got = NULL;
#define X(field)                  \
	if (json_is(key, #field)) \
		got = &rest.field;
		COUNTS(X)
#undef X
		assert_non_null(got);
		if (*got != v)
			fail_msg("%s: %.*s is %u, expected %u", name,
			    (int)key.n, key.s, *got, (unsigned)v);
		*got = 0;
	}
	assert_true(json_end(&j));
	/* nothing was counted that the expectation does not name */
	static const struct counts zero;

	assert_memory_equal(&rest, &zero, sizeof(rest));
}

static void
counts_and_hashes_are_the_expected(void **state)
{
	char name[128];
	size_t n;
	size_t line_n;
	char *line;
	unsigned books = 0;
	unsigned entries = 0;
	unsigned entries_ok = 0;
	char *expected = data_read("expected/updown15m_captures.json", &n);

	(void)state;
	if (expected == NULL)
		skip();
	for (size_t i = 0; i < CAPTURES_N; i++) {
		size_t text_n;

		snprintf(name, sizeof(name), "%s%s.jsonl.gz", DIR, captures[i]);
		char *text = data_read(name, &text_n);
		char *pos = text;

		assert_non_null(text);
		memset(&run, 0, sizeof(run));
		while (data_line(&pos, &line, &line_n))
			on_line(line, line_n);
		batch_end();
		compare(name, data_member(expected, n, name + strlen(DIR)));
		books += run.n.rest_book_hash_ok + run.n.ws_book_hash_ok;
		entries += run.n.price_change_entries;
		entries_ok += run.n.price_change_hash_ok;
		free(text);
	}
	free(expected);
	assert_int_equal(books, 654);
	assert_int_equal(entries, 104);
	assert_int_equal(entries_ok, 96);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(counts_and_hashes_are_the_expected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

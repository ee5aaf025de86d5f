/* links: libvenue libcore */
/*
 * Every recorded file of Polymarket goes through its decoder: whole, cut at
 * every byte, with blanks, with the keys of its objects turned round. A file
 * that no line of the table names fails the test.
 */
#define _GNU_SOURCE
#include <fnmatch.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libvenue/gamma_read.h"
#include "tests/fuzz/decode_polymarket.h"
#include "tests/fuzz/decode_reference.h"
#include "tests/golden/data.h"
#include "tests/golden/guarded.h"

#define LEN(a)	      (sizeof(a) / sizeof((a)[0]))
#define PAYLOAD_MAX   (1 << 17)
#define DEPTHS	      4
#define OPEN_DIRS_MAX 8
/* Longer texts are cut at every so manieth byte; from text to text the cuts
 * move on by one, so that texts of one shape are cut everywhere. */
#define CUT_ALL_MAX 4096
#define CUT_STEP    61

/* What a text is; `refused` says whether it was not taken to its end. */
struct decoder {
	fuzz_digest digest;
	bool (*refused)(const char *text, size_t n);
};

/* ---- decoders ---- */

static bool
market_refused(const char *text, size_t n)
{
	static struct pm_event ev;
	struct pm_frame f;
	enum pm_kind kind;

	pm_frame_init(&f, text, n);
	while ((kind = pm_next(&f, &ev)) != PM_END)
		if (kind == PM_ERR)
			return ev.reason != REASON_NONE;
	return false;
}

static bool
prices_refused(const char *text, size_t n)
{
	static struct rtds_event ev;
	enum rtds_kind kind = rtds_decode(&ev, text, n);

	return n == 0 ? kind == RTDS_EMPTY
		      : kind == RTDS_ERR && ev.reason != REASON_NONE;
}

/* A market of other outcomes is refused and known; only a broken answer is
 * meant here. */
static bool
gamma_refused(const char *text, size_t n)
{
	struct gamma_answer g;
	struct gamma_market m;
	enum gamma_kind kind;
	bool broken = false;

	gamma_init(&g, text, n);
	while ((kind = gamma_next(&g, &m)) != GAMMA_END) {
		broken |= kind == GAMMA_ERR;
		broken |=
		    kind == GAMMA_REFUSED && m.reason != REASON_UNSUPPORTED;
	}
	return broken;
}

static bool
clob_refused(const char *text, size_t n)
{
	struct clob_answer a;
	struct clob_market m;
	enum clob_kind kind;
	bool broken = false;

	clob_init(&a, text, n);
	while ((kind = clob_next(&a, &m)) != CLOB_END)
		broken |=
		    kind == CLOB_ERR ||
		    (kind == CLOB_REFUSED && m.reason != REASON_UNSUPPORTED);
	return broken;
}

static bool
rest_refused(const char *text, size_t n)
{
	struct pm_rest r;
	enum pm_rest_kind kind = pm_rest_decode(&r, PM_REST_FEE_RATE, text, n);

	return kind == PM_REST_NOT_JSON || kind == PM_REST_BAD;
}

static uint64_t
digest_tags(const char *text, size_t n)
{
	struct json j;
	struct json_str tags[GAMMA_TAGS_MAX];
	uint64_t h = 0;

	json_init(&j, text, n);
	uint32_t tags_n = gamma_read_tags(&j, tags);

	for (uint32_t i = 0; i < tags_n; i++)
		h = fuzz_str(h, tags[i]);
	return h;
}

static bool
tags_refused(const char *text, size_t n)
{
	struct json j;
	struct json_str tags[GAMMA_TAGS_MAX];

	json_init(&j, text, n);
	return gamma_read_tags(&j, tags) == 0 || !json_end(&j);
}

static const struct decoder market = {digest_polymarket, market_refused};
static const struct decoder prices = {digest_rtds, prices_refused};
static const struct decoder gamma = {digest_gamma, gamma_refused};
static const struct decoder clob = {digest_clob, clob_refused};
static const struct decoder rest = {digest_pm_rest, rest_refused};
static const struct decoder tags = {digest_tags, tags_refused};

/* ---- one text ---- */

static unsigned texts_n;
static unsigned cuts_n;

static void
cut_everywhere(
    const char *name, const struct decoder *d, const char *text, size_t n)
{
	size_t step = n <= CUT_ALL_MAX && texts_n % 16 < 4 ? 1 : CUT_STEP;

	for (size_t cut = step == 1 ? 0 : texts_n % step; cut < n;
	     cut += step) {
		cuts_n++;
		if (!d->refused(guarded(text, cut), cut))
			fail_msg("%s: taken when cut at %zu", name, cut);
	}
}

static void
one_text(const char *name, const struct decoder *d, const char *text, size_t n)
{
	static const char *const words[] = {"PONG", "NO NEW ASSETS"};
	char *again;

	n = data_trim(text, n);
	uint64_t want = d->digest(guarded(text, n), n);

	if (d->refused(guarded(text, n), n) && !(d == &prices && n == 0))
		fail_msg("%s: refused: %.60s", name, text);
	for (size_t i = 0; i < LEN(words); i++)
		if (n == strlen(words[i]) && memcmp(text, words[i], n) == 0)
			return;
	cut_everywhere(name, d, text, n);
	texts_n++;
	size_t spaced_n;
	char *spaced = fuzz_respell(text, n, &spaced_n);

	if (d->digest(spaced, spaced_n) != want)
		fail_msg("%s: blanks change it", name);
	free(spaced);
	for (int depth = 0; depth < DEPTHS; depth++) {
		again = guarded_reorder(text, n, depth);
		if (d->digest(guarded(again, n), n) != want)
			fail_msg("%s: order of keys changes it, depth %d", name,
			    depth);
		free(again);
	}
}

/* ---- how texts lie in files ---- */

typedef void (*reader)(
    const char *name, const struct decoder *d, char *text, size_t n);

static void
whole(const char *name, const struct decoder *d, char *text, size_t n)
{
	one_text(name, d, text, n);
}

static void
lines(const char *name, const struct decoder *d, char *text, size_t n)
{
	char *line;
	size_t line_n;

	(void)n;
	while (data_line(&text, &line, &line_n))
		one_text(name, d, line, line_n);
}

/* The venue's object inside the recorder's. */
static void
raw_market(const char *name, const struct decoder *d, char *text, size_t n)
{
	struct json_str raw = data_member(text, n, "raw_market");

	one_text(name, d, raw.s, raw.n);
}

static void
raw_lines(const char *name, const struct decoder *d, char *text, size_t n)
{
	char *line;
	size_t line_n;

	(void)n;
	while (data_line(&text, &line, &line_n)) {
		struct json_str raw = data_member(line, line_n, "raw");

		one_text(name, d, raw.s, raw.n);
	}
}

static void
received(const char *name, const struct decoder *d, char *text, size_t n)
{
	static char payload[PAYLOAD_MAX];
	char *line;
	char dir[16];
	size_t line_n;

	(void)n;
	while (data_line(&text, &line, &line_n)) {
		data_string(data_member(line, line_n, "dir"), dir, sizeof(dir));
		if (strcmp(dir, "recv") == 0)
			one_text(name, d, payload,
			    data_string(data_member(line, line_n, "data"),
				payload, sizeof(payload)));
	}
}

/* Sources of other venues are not looked at here. */
static void
capture(const char *name, const struct decoder *d, char *text, size_t n)
{
	static char payload[PAYLOAD_MAX];
	char *line;
	char source[64];
	size_t line_n;

	(void)n;
	(void)d;
	while (data_line(&text, &line, &line_n)) {
		size_t len = data_string(data_member(line, line_n, "payload"),
		    payload, sizeof(payload));

		data_string(data_member(line, line_n, "source"), source,
		    sizeof(source));
		if (strcmp(source, "polymarket_clob") == 0)
			one_text(name, &market, payload, len);
		else if (strcmp(source, "polymarket_rtds_chainlink") == 0)
			one_text(name, &prices, payload, len);
	}
}

/* The first line that fits counts. */
static const struct {
	const char *pattern; /* below data_root() */
	reader read;	     /* NULL: not market data or reference */
	const struct decoder *decoder;
} files[] = {
    {"polymarket/ws/frames/pm_ws_*.json", whole, &market},
    {"polymarket/ws/frames/rtds_*.json", whole, &prices},
    {"polymarket/ws/rtds/*.json", whole, &prices},
    {"polymarket/ws/market_2024/*.json", whole, &market},
    {"polymarket/ws/keepalive_*.jsonl", received, &market},
    {"polymarket/rest/book/*.json", whole, &market},
    {"polymarket/rest/book_*.json", whole, &market},
    {"polymarket/rest/clob_market*.json", whole, &clob},
    {"polymarket/rest/clob_markets_page_*.json.gz", whole, &clob},
    {"polymarket/gamma/gamma_tags.json", whole, &tags},
    {"polymarket/gamma/btc_updown_15m_active_market.json", raw_market, &gamma},
    {"polymarket/gamma/*.jsonl.gz", raw_lines, &gamma},
    {"polymarket/gamma/*.json", whole, &gamma},
    {"polymarket/shape_only/clob_fee_rate_*.json", whole, &rest},
    {"polymarket/shape_only/http_order_response_error_500.json", whole, &rest},
    {"polymarket/shape_only/ws_market_*.json", whole, &market},
    {"polymarket/shape_only/ws_mixed_edited.jsonl", lines, &market},
    {"aligned/updown15m_captures/*.jsonl.gz", capture, NULL},
    /* the account's: user channel, orders, balances */
    {"polymarket/ws/user/*", NULL, NULL},
    {"polymarket/shape_only/ws_user_*", NULL, NULL},
    {"polymarket/shape_only/http_*", NULL, NULL},
    /* tables that recorders made, no messages */
    {"polymarket/universe/*", NULL, NULL},
    {"aligned/updown15m_captures/*.markets.jsonl", NULL, NULL},
};

static void
one_file(const char *name)
{
	size_t n;

	for (size_t i = 0; i < LEN(files); i++) {
		if (fnmatch(files[i].pattern, name, 0) != 0)
			continue;
		if (files[i].read == NULL)
			return;
		char path[1500];

		snprintf(path, sizeof(path), "%s/%s", data_root(), name);
		char *text = data_read_path(path, &n);

		assert_non_null(text);
		unsigned before = texts_n;

		files[i].read(name, files[i].decoder, text, n);
		if (texts_n == before)
			fail_msg("%s: no text in it", name);
		free(text);
		return;
	}
	fail_msg("%s: no decoder looks at it", name);
}

static unsigned files_n;

static int
visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	if (type == FTW_F) {
		one_file(path + strlen(data_root()) + 1);
		files_n++;
	}
	return 0;
}

static void
every_recorded_file(void **state)
{
	static const char *const below[] = {
	    "polymarket", "aligned/updown15m_captures"};
	char path[1500];

	(void)state;
	for (size_t i = 0; i < LEN(below); i++) {
		snprintf(path, sizeof(path), "%s/%s", data_root(), below[i]);
		if (nftw(path, visit, OPEN_DIRS_MAX, FTW_PHYS) == 0)
			continue;
		printf("# skipped: no %s (set RM_DATA)\n", path);
		skip();
	}
	printf("# %u files, %u texts, %u cuts\n", files_n, texts_n, cuts_n);
	assert_true(texts_n > 1000);
	assert_true(cuts_n > 100000);
}

/* The helpers of this test, on a text small enough to see. */
static void
keys_are_turned_round(void **state)
{
	static const char text[] =
	    "[{\"a\":1,\"b\":{\"c\":\"},\\\"\",\"d\":[1,2]}},{}]";
	static const char outer[] =
	    "[{\"b\":{\"c\":\"},\\\"\",\"d\":[1,2]},\"a\":1},{}]";
	static const char inner[] =
	    "[{\"a\":1,\"b\":{\"d\":[1,2],\"c\":\"},\\\"\"}},{}]";
	static const char *const want[DEPTHS] = {text, outer, inner, text};

	(void)state;
	for (int depth = 0; depth < DEPTHS; depth++) {
		char *got = guarded_reorder(text, sizeof(text) - 1, depth);

		assert_string_equal(got, want[depth]);
		free(got);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keys_are_turned_round),
	    cmocka_unit_test(every_recorded_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

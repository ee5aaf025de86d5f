/* links: recorderd libvenue libsys libshm libcore */
/*
 * Recorded files of others, through `recorderd import` into a capture and
 * back: trades, quantities and the book at the end are those that the
 * recording is known to hold. Skipped where the files are not.
 */
#define _GNU_SOURCE
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "libcore/book.h"
#include "recorderd/reader.h"
#include "recorderd/tool.h"
#include "tests/golden/data.h"
#include "tests/unit/reckit.h"

static char dir[64];

static struct {
	uint64_t trades;
	int64_t qty_e8;
	uint64_t refs;
	uint64_t snaps;
	struct tick_bbo top;
	struct book_full book;
	uint64_t instr;
} got;

static void
read_all(uint8_t source)
{
	struct reader_args a = {.dir = dir, .with_trace = true};
	struct reader *r;
	struct reader_event ev;
	struct err e;
	int rc;

	memset(&got, 0, sizeof(got));
	book_full_init(&got.book);
	assert_int_equal(reader_open(&r, &a, &e), 0);
	while ((rc = reader_next(r, &ev)) == 1) {
		assert_int_not_equal(ev.kind, READER_GAP);
		got.instr += ev.kind == READER_INSTR;
		if (ev.slot == NULL || ev.source != source)
			continue;
		const struct tick *t = &ev.slot->tick;

		if (t->hdr.kind == TICK_TRADE) {
			got.trades++;
			got.qty_e8 += t->u.trade.qty.e8;
		} else if (t->hdr.kind == TICK_BBO) {
			got.top = t->u.bbo;
		} else if (t->hdr.kind == TICK_SNAP_BEGIN) {
			book_clear(&got.book.book);
			got.snaps++;
		} else if (t->hdr.kind == TICK_LEVEL) {
			book_set(&got.book.book, (enum side)t->u.level.side,
			    t->u.level.px, t->u.level.qty);
		} else if (t->hdr.kind == TICK_REF) {
			got.refs++;
		}
	}
	assert_int_equal(rc, 0);
	reader_close(r);
}

/* The decimal after key, from `at` on, in 1e-8. */
static int64_t
number(const char *at, const char *key)
{
	const char *p = strstr(at, key);
	int64_t v = 0;

	assert_non_null(p);
	p += strlen(key);
	p += strspn(p, ": \"\n[");
	assert_true(fixed_parse(
	    p, strspn(p, "0123456789."), 8, false, INT64_MAX / 2, &v));
	return v;
}

static bool
import(const char *format, const char *file)
{
	char path[512];
	const char *word[2] = {format, path};
	struct tool_args a = {.dir = dir,
	    .json = true,
	    .rows_max = 8192,
	    .zstd_level = 1,
	    .word = word,
	    .word_n = 2};

	snprintf(path, sizeof(path), "%s/%s", data_root(), file);
	if (access(path, R_OK) != 0) {
		printf("%s is not there\n", path);
		return false;
	}
	assert_int_equal(tool_import(&a), 0);
	/* Doing it again makes the same files again. */
	assert_int_equal(tool_import(&a), 0);
	assert_int_equal(tool_verify(&a), 0);
	return true;
}

static void
one_stream(const char *name, const char *key)
{
	char file[128];
	size_t n;
	char *want;

	snprintf(file, sizeof(file), "binance/raw_streams/%s.gz", name);
	if (!import("binance-raw", file))
		skip();
	snprintf(file, sizeof(file), "%s/expected/binance_raw_streams.json",
	    data_root());
	want = data_read_path(file, &n);
	assert_non_null(want);
	const char *at = strstr(want, key);

	assert_non_null(at);
	read_all(ST_FEEDD_BN);
	assert_int_equal(got.trades * E8, number(at, "\"trades\""));
	assert_int_equal(got.qty_e8, number(at, "\"qty\""));
	const char *last = strstr(at, "\"last_book_ticker\"");

	assert_int_equal(got.top.bid_px.e8, number(last, "\"b\""));
	assert_int_equal(got.top.ask_qty.e8, number(last, "\"A\""));
	const char *bids = strstr(at, "\"final_bids_top10\"");

	/* The recording holds a level or two that nobody took back; those of
	 * the true book are there, with their quantities. */
	bids = strchr(strchr(bids, ':'), '"');
	for (uint32_t i = 0; i < 10; i++) {
		int64_t px = number(bids, "\"");

		bids = strchr(strchr(bids + 1, '"') + 1, '"');
		assert_int_equal(
		    book_qty_at(&got.book.book, SIDE_BID, PX(px)).e8,
		    number(bids, "\""));
		bids = strchr(strchr(bids + 1, '"') + 1, '"');
	}
	free(want);
}

static void
spot(void **state)
{
	(void)state;
	one_stream("spot_btcusdt_20240808", "\"spot_btcusdt_20240808\"");
}

static void
polymarket(void **state)
{
	(void)state;
	if (!import("polymarket-jsonl",
		"aligned/updown15m_captures/cap_20260429T0210.jsonl.gz"))
		skip();
	read_all(ST_FEEDD_PM);
	assert_true(got.snaps > 3);
	assert_true(got.refs > 500);
	assert_true(got.instr >= 4);
}

static int
setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/rm-import-XXXXXX");
	return mkdtemp(dir) == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	rk_rmtree(dir);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(spot, setup, teardown),
	    cmocka_unit_test_setup_teardown(polymarket, setup, teardown)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* links: recorderd libsys libshm libcore */
/*
 * Writes a capture of every table through journal and conversion, reads all
 * of it back, and compares sums. With RM_KEEP=DIR the files stay there beside
 * expected.json, for third-party readers (tests/duckdb/run.sh).
 */
#define _GNU_SOURCE
#include "tests/unit/pqread.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcore/hash.h"
#include "recorderd/rec_io.h"

#define TICKS 300000u
#define CAP   ((size_t)4 << 20)
#define WALL  INT64_C(1760000000123456789)

static char dir[256];
static bool keep;

/* What the writer put in. */
static struct {
	uint64_t kind_rows[REC_TABLE_N];
	int64_t px;
	int64_t qty;
	int64_t first;
	int64_t last;
	__extension__ unsigned __int128 ids_all;
} want;

static struct journal_io journal;
static struct journal_clock now;
static uint64_t seq[2];
static uint64_t seed = 17;

static uint64_t
rnd(void)
{
	seed = hash_u64(seed, 1);
	return seed;
}

static void
put(uint16_t tap, union tap *s, enum rec_table table)
{
	s->hdr.seq = ++seq[tap];
	s->hdr.recv_ns = now.mono_ns;
	s->hdr.pub_delta = (uint32_t)(rnd() % 4000);
	journal_put(&journal, tap, s, &now);
	want.kind_rows[table]++;
}

static void
tick(unsigned i)
{
	union tap s = {.hdr = {.instr = (uint16_t)(4096 + rnd() % 3)}};
	int64_t px = INT64_C(6168599000000) +
		     (int64_t)(rnd() % 20000) * 1000000 - 10000000000;

	now.mono_ns += 1000 + rnd() % 20000000;
	s.hdr.venue_ns = WALL + (int64_t)now.mono_ns / 1000000 * 1000000;
	if (i % 3 == 0) {
		s.hdr.kind = TICK_TRADE;
		s.tick.u.trade.px = PX(px);
		s.tick.u.trade.qty = QTY((int64_t)(1 + rnd() % 100000) * 1000);
		s.tick.u.trade.side = (uint8_t)(1 + rnd() % 2);
		s.tick.u.trade.trade_id =
		    i % 30 == 0 ? rnd() | UINT64_C(1) << 63 | 1 : i;
		want.px += px;
		want.qty += s.tick.u.trade.qty.e8;
		want.ids_all += s.tick.u.trade.trade_id;
	} else {
		s.hdr.kind = TICK_BBO;
		s.tick.u.bbo = (struct tick_bbo){.bid_px = PX(px),
		    .bid_qty = QTY((int64_t)(rnd() % 900000) * 1000),
		    .ask_px = PX(px + 1000000),
		    .ask_qty = QTY((int64_t)(rnd() % 900000) * 1000)};
	}
	put(0, &s, REC_PRICE);
	if (want.first == 0)
		want.first = WALL + (int64_t)now.mono_ns;
	want.last = WALL + (int64_t)now.mono_ns;
}

static void
others(unsigned i)
{
	union tap s = {.hdr = {.kind = TICK_LEVEL, .instr = 4096}};

	s.tick.u.level.px = PX((int64_t)i);
	s.tick.u.level.side = SIDE_BID;
	put(0, &s, REC_BOOK);
	s = (union tap){.hdr = {.kind = TICK_TRACE}};
	s.tick.u.trace.state_hash = rnd();
	put(0, &s, REC_TRACE);
	s = (union tap){.hdr = {.kind = TICK_LINK}};
	s.tick.u.link.venue = VENUE_BINANCE;
	s.tick.u.link.state = LINK_READY;
	put(0, &s, REC_LATENCY);
	s = (union tap){.hdr = {.kind = TICK_RESTART}};
	put(0, &s, REC_EVENT);
	s = (union tap){.order = {.hdr = {.kind = MSG_FILL, .instr = 16},
			    .venue = VENUE_POLYMARKET,
			    .side = SIDE_ASK,
			    .exec_px = PX(48000000),
			    .usd = USD(-5),
			    .fill_id = rnd()}};
	put(1, &s, REC_FILL);
	s.hdr.kind = MSG_VERDICT;
	s.order.reason = REASON_OK;
	put(1, &s, REC_ORDER);
	s = (union tap){.tick = {.hdr = {.kind = TAP_SIGNAL, .instr = 16}}};
	s.tick.u.signal.fair = PX(50000000);
	put(1, &s, REC_SIGNAL);
	s = (union tap){.tick = {.hdr = {.kind = TAP_MARKOUT, .instr = 16}}};
	s.tick.u.markout.mid = PX(50000000);
	put(1, &s, REC_MARKOUT);
	s = (union tap){.tick = {.hdr = {.kind = TAP_FREEZE}}};
	s.tick.u.freeze.mask = FREEZE_LATENCY;
	put(1, &s, REC_FREEZE);
	if (i % 100 == 0) {
		seq[1] += 3; /* lost */
		want.kind_rows[REC_GAP]++;
	}
}

static void
write_expected(void)
{
	char path[300];
	char px[3][FIXED_TEXT_MAX];
	char digits[48];
	size_t n = sizeof(digits) - 1;
	__extension__ unsigned __int128 v = want.ids_all;

	digits[n] = '\0';
	do {
		digits[--n] = (char)('0' + (int)(v % 10));
		v /= 10;
	} while (v > 0);
	snprintf(path, sizeof(path), "%s/expected.json", dir);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	snprintf(px[0], sizeof(px[0]), "%lld.%08lld", (long long)(want.px / E8),
	    (long long)(want.px % E8));
	snprintf(px[1], sizeof(px[1]), "%lld.%08lld",
	    (long long)(want.qty / E8), (long long)(want.qty % E8));
	fixed_format(INT64_C(6168599000000), 8, px[2]);
	fprintf(f,
	    "{\"rows\":%llu,\"px\":\"%s\",\"qty\":\"%s\",\"px_min\":%s,"
	    "\"first\":\"%lld\",\"last\":\"%lld\",\"symbols\":3,"
	    "\"trade_ids\":\"%s\",\"kinds\":{",
	    (unsigned long long)want.kind_rows[REC_PRICE], px[0], px[1], px[2],
	    (long long)want.first, (long long)want.last, digits + n);
	for (unsigned t = 0; t < REC_TABLE_N; t++)
		if (want.kind_rows[t] > 0)
			fprintf(f, "%s\"%s\":%llu", t > 0 ? "," : "",
			    rec_schemas[t].kind,
			    (unsigned long long)want.kind_rows[t]);
	fprintf(f, "}}\n");
	fclose(f);
}

static struct {
	uint64_t kind_rows[REC_TABLE_N];
	int64_t px;
	int64_t qty;
	uint64_t bytes;
	__extension__ unsigned __int128 ids;
} got;

static void
sum_column(const struct pqr *r, unsigned g, const char *name, int64_t *sum)
{
	int64_t *v = calloc((size_t)r->group_rows[g] + 1, sizeof(*v));
	int c = pqr_find(r, name);

	assert_true(c >= 0);
	pqr_read(r, g, (unsigned)c, v, NULL, NULL);
	for (int64_t i = 0; i < r->group_rows[g]; i++) {
		if (v[i] == PQR_NULL)
			continue;
		if (sum != NULL)
			*sum += v[i];
		else
			got.ids += (uint64_t)v[i];
	}
	free(v);
}

static int
visit(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	const char *dot = strrchr(path, '.');

	(void)ftw;
	if (flag != FTW_F || dot == NULL || strcmp(dot, ".parquet") != 0)
		return 0;
	uint8_t *p = malloc((size_t)st->st_size);
	struct pqr *r = malloc(sizeof(*r));
	int fd = open(path, O_RDONLY);

	assert_int_equal(read(fd, p, (size_t)st->st_size), st->st_size);
	close(fd);
	pqr_open(r, p, (size_t)st->st_size);
	for (unsigned t = 0; t < REC_TABLE_N; t++) {
		char kind[64];

		snprintf(kind, sizeof(kind), "kind=%s/", rec_schemas[t].kind);
		if (strstr(path, kind) != NULL)
			got.kind_rows[t] += (uint64_t)r->rows;
	}
	if (strstr(path, "kind=price_ticks") != NULL) {
		got.bytes += (uint64_t)st->st_size;
		for (unsigned g = 0; g < r->groups; g++) {
			sum_column(r, g, "px", &got.px);
			sum_column(r, g, "qty", &got.qty);
			sum_column(r, g, "trade_id", NULL);
		}
	}
	free(r);
	free(p);
	return 0;
}

static void
all_tables(void **state)
{
	static struct rec_io io;
	struct journal_instr names[4] = {
	    {.instr = 4096, .venue = VENUE_BINANCE, .symbol = "BTCUSDT"},
	    {.instr = 4097, .venue = VENUE_BINANCE, .symbol = "ETHUSDT"},
	    {.instr = 4098, .venue = VENUE_BINANCE, .symbol = "SOLUSDT"},
	    {.instr = 16, .venue = VENUE_POLYMARKET, .symbol = "will-it"}};
	uint32_t names_n = 4;
	struct journal_open open = {.session = 1,
	    .config_hash = 99,
	    .tap_n = 2,
	    .tap = {{.name = "tap.feedd.bn"}, {.name = "tap.execd.pm"}}};
	struct rec_io_args ra = {
	    .dir = dir, .prefix = "t-main", .rows_max = 65536, .zstd_level = 3};
	struct err e;
	struct journal_id id;
	char done[JOURNAL_NAME_SZ];
	uint8_t *buf = malloc(CAP);

	(void)state;
	assert_int_equal(rec_io_open(&io, &ra, &e), 0);
	struct journal_io_args ja = {.dirfd = io.journal,
	    .prefix = "t-main",
	    .ops = &journal_posix,
	    .names = names,
	    .names_n = &names_n,
	    .sync_ns = INT64_MAX};

	journal_io_init(&journal, &ja, buf, CAP, 1, &open);
	now.wall_ns = WALL;
	for (unsigned i = 0; i < TICKS; i++) {
		tick(i);
		now.wall_ns = WALL + (int64_t)now.mono_ns;
		if (i % 30 == 0)
			others(i);
		if (i % TICKS == TICKS / 2)
			assert_int_equal(
			    journal_rotate(&journal, &now, done), 0);
	}
	/* What was lost last is declared, too. */
	assert_true(journal_pass(&journal.j, 1, seq[1] + 1, &now));
	assert_int_equal(journal_rotate(&journal, &now, done), 0);
	while (rec_io_pending(&io, 1, journal.segment, &id)) {
		assert_int_equal(rec_io_begin(&io, &id), 0);
		int rc = 1;

		while (rc == 1)
			rc = rec_io_work(&io, 100);
		assert_int_equal(rc, 0);
	}
	rec_io_close(&io);
	free(buf);
	assert_int_equal(nftw(dir, visit, 16, FTW_PHYS), 0);
	for (unsigned t = 0; t < REC_TABLE_N; t++)
		assert_int_equal(got.kind_rows[t], want.kind_rows[t]);
	assert_int_equal(got.px, want.px);
	assert_int_equal(got.qty, want.qty);
	assert_true(got.ids == want.ids_all);
	printf(
	    "%llu bytes for %u ticks\n", (unsigned long long)got.bytes, TICKS);
	if (keep)
		write_expected();
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(all_tables)};
	const char *env = getenv("RM_KEEP");

	keep = env != NULL;
	snprintf(dir, sizeof(dir), "%s", keep ? env : "/tmp/rm-files-XXXXXX");
	if (!keep && mkdtemp(dir) == NULL)
		return 1;
	int rc = cmocka_run_group_tests(tests, NULL, NULL);

	if (!keep)
		nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return rc;
}

/* links: recorderd libsys libshm libcore */
/*
 * bench_parquet - how fast the recorder writes, and how small.
 *
 *   parquet_trades  trades as 8 columns (ts, venue_ts, seq, symbol, side, px,
 *                   qty, trade_id): encoder alone, columns to bytes
 *   parquet_ticks   the whole price_ticks schema, trades and BBO mixed
 *   convert         journal segment on disk to Parquet files on disk
 *   journal         slots to a journal file, a write every 64 of them
 *   read_journal    the segment read back as slots, checksums verified
 *   read_capture    its Parquet files read back as slots
 *
 * Rows are those of a recorded Binance futures stream where RM_DATA has it,
 * else made here with the same spread of times, prices and sizes.
 *
 * Reference of parquet_ticks: DuckDB's writer on the same rows, one thread
 * (tests/duckdb/bench.sh), where node has it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

#include "libcore/hash.h"
#include "recorderd/reader.h"
#include "recorderd/rec_io.h"
#include "tests/bench/bench.h"

#define ROUNDS	   21
#define ROUNDS_MAX 1001
#define GROUP	   131072u
#define ROWS	   GROUP
#define TRADE_COLS 8u
#define WALL	   INT64_C(1760000000000000000)

struct out {
	uint64_t bytes;
	uint64_t sum;
	int fd;
};

static union tap slots[ROWS];
static int64_t trade[TRADE_COLS][ROWS];
static uint32_t trades_n;
static bool recorded;

/* Time on a core: what others do on the machine does not count. */
static double
now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
count(void *ctx, const void *data, size_t n)
{
	struct out *o = ctx;
	const uint8_t *p = data;

	o->bytes += n;
	o->sum += p[0] + p[n - 1];
	if (o->fd >= 0 && write(o->fd, data, n) != (ssize_t)n)
		return -EIO;
	return 0;
}

/* ---- rows ---- */

/* The decimal text after key in a line, scaled; 0 when there is none. */
static int64_t
number(const char *line, const char *key, unsigned scale)
{
	const char *p = strstr(line, key);
	int64_t v = 0;

	if (p == NULL)
		return 0;
	p += strlen(key);
	if (*p == '"')
		p++;
	size_t n = strspn(p, "0123456789.");

	return fixed_parse(p, n, scale, false, INT64_MAX / 2, &v) ? v : 0;
}

static uint32_t
load(void)
{
	const char *data = getenv("RM_DATA");
	char cmd[512];
	char *line = NULL;
	size_t cap = 0;
	uint32_t n = 0;

	snprintf(cmd, sizeof(cmd),
	    "zcat %s/binance/raw_streams/usdm_btcusdt_20240808.gz 2>/dev/null",
	    data != NULL ? data : "../shared/data");
	FILE *f = popen(cmd, "r");

	while (f != NULL && n < ROWS && getline(&line, &cap, f) > 0) {
		union tap *s = &slots[n];
		bool is_trade = strstr(line, "@trade") != NULL;

		if (!is_trade && strstr(line, "@bookTicker") == NULL)
			continue;
		s->hdr = (struct slot_hdr){.seq = n + 1u,
		    .kind = is_trade ? TICK_TRADE : TICK_BBO,
		    .instr = 4096,
		    .venue_ns = number(line, "\"E\":", 0) * 1000000,
		    .recv_ns = strtoull(line, NULL, 10),
		    .pub_delta = 900 + (uint32_t)(hash_u64(3, n) % 256)};
		if (is_trade) {
			s->tick.u.trade.px = PX(number(line, "\"p\":", 8));
			s->tick.u.trade.qty = QTY(number(line, "\"q\":", 8));
			s->tick.u.trade.trade_id =
			    (uint64_t)number(line, "\"t\":", 0);
			s->tick.u.trade.side =
			    strstr(line, "\"m\":true") ? SIDE_ASK : SIDE_BID;
		} else {
			s->tick.u.bbo =
			    (struct tick_bbo){PX(number(line, "\"b\":", 8)),
				QTY(number(line, "\"B\":", 8)),
				PX(number(line, "\"a\":", 8)),
				QTY(number(line, "\"A\":", 8))};
		}
		n++;
	}
	free(line);
	if (f != NULL)
		pclose(f);
	return n;
}

/* Bursts, round sizes among odd ones, a price that mostly stays. */
static uint32_t
make(void)
{
	uint64_t r = 7;
	uint64_t t = 0;
	int64_t px = INT64_C(6168590000000);

	for (uint32_t i = 0; i < ROWS; i++) {
		r = hash_u64(r, i);
		t += r % 4 == 0 ? r % 20000000 : 30000 + r % 20000;
		px += r % 10 == 0 ? ((int64_t)(r >> 8 & 15) - 7) * 10000000 : 0;
		union tap *s = &slots[i];

		s->hdr = (struct slot_hdr){.seq = i + 1u,
		    .kind = (r >> 20 & 3) == 0 ? TICK_TRADE : TICK_BBO,
		    .instr = 4096,
		    .venue_ns = WALL + (int64_t)(t / 1000000 * 1000000),
		    .recv_ns = t,
		    .pub_delta = 900 + (uint32_t)(r >> 32 & 255)};
		int64_t qty = ((r >> 40 & 3) == 0 ? 2 : (r >> 42 & 8191)) *
			      INT64_C(100000);

		if (s->hdr.kind == TICK_TRADE)
			s->tick.u.trade = (struct tick_trade){.px = PX(px),
			    .qty = QTY(qty),
			    .trade_id = i,
			    .side = (uint8_t)(1 + (r >> 60 & 1))};
		else
			s->tick.u.bbo = (struct tick_bbo){PX(px), QTY(qty),
			    PX(px + 10000000),
			    QTY((int64_t)(r >> 46 & 8191) * 100000)};
	}
	return ROWS;
}

/* ---- encoder alone ---- */

static const struct pq_column trade_cols[TRADE_COLS] = {
    {"ts", PQ_TIMESTAMP, PQ_ENC_DELTA, false},
    {"venue_ts", PQ_TIMESTAMP, PQ_ENC_DELTA, false},
    {"seq", PQ_I64, PQ_ENC_DELTA, false},
    {"symbol", PQ_STRING, PQ_ENC_AUTO, false},
    {"side", PQ_STRING, PQ_ENC_AUTO, false},
    {"px", PQ_DECIMAL8, PQ_ENC_AUTO, false},
    {"qty", PQ_DECIMAL8, PQ_ENC_AUTO, false},
    {"trade_id", PQ_U64, PQ_ENC_DELTA, false},
};

static void
pick_trades(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct tick *t = &slots[i].tick;

		if (t->hdr.kind != TICK_TRADE)
			continue;
		trade[0][trades_n] = (int64_t)t->hdr.recv_ns;
		trade[1][trades_n] = t->hdr.venue_ns;
		trade[2][trades_n] = (int64_t)t->hdr.seq;
		trade[3][trades_n] = 0;
		trade[4][trades_n] = t->u.trade.side;
		trade[5][trades_n] = t->u.trade.px.e8;
		trade[6][trades_n] = t->u.trade.qty.e8;
		trade[7][trades_n] = (int64_t)t->u.trade.trade_id;
		trades_n++;
	}
}

struct encoder {
	struct pq_scratch *s;
	uint8_t *meta;
	uint8_t *foot;
};

/* One file of `groups` row groups; rows a second, in millions. */
static double
encode(struct encoder *e, const struct pq_column *col, unsigned col_n,
    const struct pq_values *val, uint32_t rows, unsigned groups, struct out *o)
{
	struct pq p;
	struct pq_sink sink = {count, o};
	double t = now_s();

	if (pq_begin(&p, col, col_n, &sink, e->meta, 1 << 20) != 0)
		abort();
	for (unsigned g = 0; g < groups; g++)
		if (pq_group(&p, e->s, val, rows) != 0)
			abort();
	if (pq_end(&p, "bench", NULL, 0, e->foot, 2 << 20) != 0)
		abort();
	return (double)rows * groups / (now_s() - t) / 1e6;
}

static void
bench_trades(struct encoder *e, unsigned rounds)
{
	static const struct pq_text text[] = {
	    {"BTCUSDT", 7}, {"bid", 3}, {"ask", 3}};
	struct pq_values val[TRADE_COLS];
	double rate[ROUNDS_MAX];
	struct out o = {.fd = -1};

	for (unsigned c = 0; c < TRADE_COLS; c++)
		val[c] = (struct pq_values){trade[c], text, 3};
	for (unsigned i = 0; i < rounds; i++) {
		o.bytes = 0;
		rate[i] =
		    encode(e, trade_cols, TRADE_COLS, val, trades_n, 8, &o);
	}
	bench_line(
	    "parquet_trades", bench_median(rate, rounds), "Mrow/s", NULL, 0);
	bench_line("parquet_trades_size", (double)o.bytes / (8.0 * trades_n),
	    "B/row", NULL, 0);
}

/* ---- whole tables, by way of the recorder's core ---- */

/* What DuckDB makes of the same rows, where it is there. */
static void
report_ticks(double rate, double size, const char *keep)
{
	char line[256];
	double ref_rate = 0;
	double ref_size = 0;
	FILE *f = NULL;

	if (keep != NULL) {
		snprintf(line, sizeof(line),
		    "sh tests/duckdb/bench.sh %s 2>/dev/null", keep);
		f = popen(line, "r");
	}
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "duckdb_ticks %lf", &ref_rate) != 1)
			(void)sscanf(line, "duckdb_ticks_size %lf", &ref_size);
	}
	if (f != NULL)
		pclose(f);
	bench_line("parquet_ticks", rate, "Mrow/s", "duckdb", ref_rate);
	bench_line("parquet_ticks_size", size, "B/row", "duckdb", ref_size);
}

static void
bench_ticks(struct encoder *e, unsigned rounds, uint32_t n, const char *keep)
{
	struct rec *r = calloc(1, sizeof(*r));
	void *mem = calloc(1, rec_mem_sz(GROUP));
	const struct rec_schema *schema = &rec_schemas[REC_PRICE];
	struct journal_head head = {
	    .count = 1, .mono_ns = slots[0].hdr.recv_ns, .wall_ns = WALL};
	struct journal_instr in = {
	    .instr = 4096, .venue = VENUE_BINANCE, .symbol = "BTCUSDT"};
	struct journal_open who = {
	    .tap_n = 1, .tap = {{.name = "tap.feedd.bn"}}};
	double rows[ROUNDS_MAX];
	double rate[ROUNDS_MAX];
	struct out o = {.fd = -1};

	for (unsigned k = 0; k < rounds; k++) {
		struct rec_out out;
		struct pq_values val[PQ_COLS_MAX];
		unsigned part = (REC_PRICE * VENUE_N + VENUE_BINANCE) * 2;

		rec_init(r, GROUP, mem);
		struct rec_event ev = {.kind = REC_EV_OPEN, .u.open = &who};

		rec_step(r, &ev, &out);
		ev = (struct rec_event){
		    .kind = REC_EV_INSTR, .head = &head, .u.instr = &in};
		rec_step(r, &ev, &out);
		ev = (struct rec_event){.kind = REC_EV_BLOCK, .head = &head};
		rec_step(r, &ev, &out);
		double t = now_s();

		for (uint32_t i = 0; i < n; i++) {
			ev = (struct rec_event){.kind = REC_EV_SLOT,
			    .head = &head,
			    .u.slot = &slots[i]};
			rec_step(r, &ev, &out);
		}
		rows[k] = (double)n / (now_s() - t) / 1e6;
		part += r->part[part].rows == 0;
		rec_columns(r, part, val);
		o.bytes = 0;
		rate[k] = encode(e, schema->col, schema->col_n, val,
		    r->part[part].rows, 4, &o);
		if (k + 1 < rounds || keep == NULL)
			continue;
		o.fd = open(keep, O_WRONLY | O_CREAT | O_TRUNC, 0644);
		encode(e, schema->col, schema->col_n, val, r->part[part].rows,
		    1, &o);
		close(o.fd);
	}
	bench_line("rec_step", bench_median(rows, rounds), "Mslot/s", NULL, 0);
	report_ticks(bench_median(rate, rounds),
	    (double)o.bytes / ((keep != NULL ? 5.0 : 4.0) * n), keep);
	free(mem);
	free(r);
}

/* ---- journal and conversion, on disk ---- */

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static double
fill_journal(struct journal_io *j, uint32_t n, unsigned times)
{
	struct journal_clock now = {slots[0].hdr.recv_ns, WALL};
	uint64_t seq = 0;
	double t = now_s();

	for (unsigned k = 0; k < times; k++) {
		for (uint32_t i = 0; i < n; i++) {
			slots[i].hdr.seq = ++seq;
			journal_put(j, 0, &slots[i], &now);
			if (seq % 64 == 0 && journal_flush(j, &now) != 0)
				abort();
		}
	}
	if (journal_flush(j, &now) != 0 || j->j.n[0].refused != 0)
		abort();
	return (double)seq / (now_s() - t) / 1e6;
}

/* Everything in a capture, slot by slot; millions a second. */
static double
read_back(const char *dir, uint64_t want)
{
	struct reader_args a = {.dir = dir, .with_trace = true};
	struct reader *r;
	struct reader_event ev;
	struct err e;
	uint64_t n = 0;
	uint64_t sum = 0;
	double t = now_s();

	if (reader_open(&r, &a, &e) != 0)
		abort();
	while (reader_next(r, &ev) == 1) {
		if (ev.kind != READER_SLOT)
			continue;
		n++;
		sum += ev.slot->hdr.venue_ns;
	}
	reader_close(r);
	if (n != want || sum == 1)
		abort();
	return (double)n / (now_s() - t) / 1e6;
}

static void
bench_disk(unsigned rounds, uint32_t n)
{
	char dir[] = "/tmp/rm-bench-XXXXXX";
	static struct rec_io io;
	static struct journal_io j;
	static struct journal_instr name = {
	    .instr = 4096, .venue = VENUE_BINANCE, .symbol = "BTCUSDT"};
	static uint32_t names_n = 1;
	uint8_t *buf = malloc((size_t)8 << 20);
	double put[ROUNDS_MAX];
	double conv[ROUNDS_MAX];
	double rj[ROUNDS_MAX];
	double rp[ROUNDS_MAX];
	struct err e;
	unsigned times = rounds > 1 ? 16 : 1;

	if (rounds > 5)
		rounds = 5;
	for (unsigned k = 0; k < rounds; k++) {
		struct journal_id id;
		char done[JOURNAL_NAME_SZ];
		struct journal_clock now = {slots[0].hdr.recv_ns, WALL};

		strcpy(dir + sizeof(dir) - 7, "XXXXXX");
		if (mkdtemp(dir) == NULL)
			abort();
		struct rec_io_args ra = {.dir = dir,
		    .prefix = "b",
		    .rows_max = GROUP,
		    .zstd_level = 1};

		if (rec_io_open(&io, &ra, &e) != 0)
			abort();
		struct journal_io_args ja = {.dirfd = io.journal,
		    .prefix = "b",
		    .ops = &journal_posix,
		    .names = &name,
		    .names_n = &names_n,
		    .sync_ns = INT64_MAX};
		struct journal_open open = {.session = 1,
		    .tap_n = 1,
		    .tap = {{.name = "tap.feedd.bn"}}};

		journal_io_init(&j, &ja, buf, (size_t)8 << 20, 1, &open);
		put[k] = fill_journal(&j, n, times);
		if (journal_rotate(&j, &now, done) != 0)
			abort();
		rj[k] = read_back(dir, (uint64_t)n * times);
		double t = now_s();

		if (!rec_io_pending(&io, 1, 1, &id) ||
		    rec_io_begin(&io, &id) != 0)
			abort();
		int rc;

		while ((rc = rec_io_work(&io, 64)) == 1)
			;
		if (rc != 0)
			abort();
		conv[k] = (double)io.stat.rows / (now_s() - t) / 1e6;
		rec_io_close(&io);
		rp[k] = read_back(dir, (uint64_t)n * times);
		nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	}
	bench_line("journal", bench_median(put, rounds), "Mrec/s", NULL, 0);
	bench_line("convert", bench_median(conv, rounds), "Mrow/s", NULL, 0);
	bench_line(
	    "read_journal", bench_median(rj, rounds), "Mslot/s", NULL, 0);
	bench_line(
	    "read_capture", bench_median(rp, rounds), "Mslot/s", NULL, 0);
	free(buf);
}

int
main(void)
{
	char keep[] = "/tmp/rm-ticks-XXXXXX";
	unsigned rounds = bench_quick() ? 1 : ROUNDS;
	size_t sz = pq_scratch_sz(GROUP);
	void *mem = aligned_alloc(64, (sz + 63) & ~(size_t)63);
	ZSTD_CCtx *zstd = ZSTD_createCCtx();
	struct encoder e = {.meta = malloc(1 << 20), .foot = malloc(2 << 20)};
	int fd = mkstemp(keep);

	if (fd < 0)
		return 1;
	close(fd);
	e.s = pq_scratch_init(mem, GROUP, zstd, 1);
	uint32_t n = load();

	recorded = n > 10000;
	if (!recorded)
		n = make();
	printf("# %u ticks, %s\n", n, recorded ? "recorded" : "made here");
	pick_trades(n);
	bench_trades(&e, rounds);
	bench_ticks(&e, rounds, n, bench_quick() ? NULL : keep);
	bench_disk(rounds, n);
	unlink(keep);
	ZSTD_freeCCtx(zstd);
	free(mem);
	free(e.meta);
	free(e.foot);
	return 0;
}

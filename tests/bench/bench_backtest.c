/* links: backtest recorderd simvenue feedd quoted riskd execd libvenue libsys libshm libcore */
/*
 * bench_backtest - events of market data through the backtester, one core.
 *
 *   backtest_book    ticks into books (execd/market.h), nothing else
 *   backtest_quoted  the same ticks, and those of the reference venue, through
 *                    quoted, riskd, execd and the paper port with the exact
 *                    queue model, and into the ledger: a whole backtest
 * The tape is the shipped Hyperliquid and Binance captures, decoded once and
 * played again and again, each time moved on. Medians of rounds; the checksum
 * is of books and messages, and says how many orders and fills there were.
 */
#define _GNU_SOURCE
#include "backtest/engine.h"
#include "backtest/ledger.h"
#include "backtest/source.h"
#include "execd/market.h"
#include "libcore/hash.h"
#include "tests/bench/bench.h"

#define ROUNDS	 5
#define TAPE_MAX 65536u
#define BOOK_MPS 10.0
#define FULL_MPS 3.0

struct entry {
	struct source_event ev;
	struct instr in;
};

static struct entry tape[TAPE_MAX];
static uint32_t tape_n;
static uint64_t span_ns;
static struct cfg cfg;

static bool
load(void)
{
	const char *const path[] = {
	    "simvenue/captures/hyperliquid_btc.jsonl.gz",
	    "simvenue/captures/binance_spot_btcusdt_200s.gz"};
	const struct source_args a = {.cfg = &cfg, .path = path, .path_n = 2};
	char why[SOURCE_WHY_SZ];
	struct source *s = source_open(&a, why);

	while (s != NULL && tape_n < TAPE_MAX &&
	       source_next(s, &tape[tape_n].ev) == 1) {
		struct entry *e = &tape[tape_n++];

		if (e->ev.instr != NULL) {
			e->in = *e->ev.instr;
			e->ev.instr = &e->in;
		}
	}
	if (s != NULL)
		source_close(s);
	if (tape_n > 0)
		span_ns = tape[tape_n - 1].ev.t_ns - tape[0].ev.t_ns + 1000;
	return tape_n > 0;
}

/* Ticks of the venue that is traded, through its books. */
static double
books(uint32_t loops, uint64_t *check)
{
	static struct market m;
	uint64_t n = 0;
	uint64_t from;

	memset(&m, 0, sizeof(m));
	market_init(&m, VENUE_HYPERLIQUID);
	for (uint32_t i = 0; i < tape_n; i++)
		if (tape[i].ev.instr != NULL &&
		    tape[i].ev.venue == VENUE_HYPERLIQUID)
			market_set(&m, tape[i].ev.tick.hdr.instr, &tape[i].in);
	from = bench_now_ns();
	for (uint32_t k = 0; k < loops; k++)
		for (uint32_t i = 0; i < tape_n; i++) {
			if (tape[i].ev.venue != VENUE_HYPERLIQUID ||
			    tape[i].ev.instr != NULL)
				continue;
			market_tick(&m, &tape[i].ev.tick);
			n++;
		}
	from = bench_now_ns() - from;
	*check = market_hash(&m, *check);
	return (double)n * 1e3 / (double)from;
}

static double
whole(uint32_t loops, uint64_t *check, struct engine_count *count)
{
	const struct engine_args ea = {.cfg = &cfg};
	const struct ledger_args la = {
	    .capital = cfg.capital_usd, .bar_ns = 60 * (uint64_t)NS_PER_S};
	struct engine *e = engine_new(&ea);
	struct ledger *l = ledger_new(&la);
	uint64_t from = bench_now_ns();

	for (uint32_t k = 0; k < loops; k++)
		for (uint32_t i = 0; i < tape_n; i++) {
			struct tick t = tape[i].ev.tick;
			uint64_t now = tape[i].ev.t_ns + k * span_ns;
			uint64_t next;

			t.hdr.recv_ns += k * span_ns;
			if (t.hdr.venue_ns != 0)
				t.hdr.venue_ns += (int64_t)(k * span_ns);
			while ((next = engine_next_ns(e)) != 0 && next <= now)
				engine_run(
				    e, next > l->now_ns ? next : l->now_ns);
			ledger_time(l, now);
			engine_tick(
			    e, tape[i].ev.venue, &t, tape[i].ev.instr, now);
			ledger_tick(l, tape[i].ev.venue, &t, tape[i].ev.instr);
		}
	from = bench_now_ns() - from;
	*check = hash_u64(*check, engine_hash(e));
	*count = *engine_count(e);
	engine_free(e);
	ledger_free(l);
	return (double)tape_n * loops * 1e3 / (double)from;
}

static int
cmp(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

int
main(void)
{
	uint32_t loops = bench_quick() ? 2 : 50;
	struct engine_count n = {0};
	double book[ROUNDS];
	double full[ROUNDS];
	uint64_t check = HASH_SEED;

	cfg_defaults(&cfg);
	cfg.polymarket_enabled = false;
	cfg.perp_spread_bps.e8 = E8;
	cfg.capital_usd.e6 = 1000 * E6;
	cfg.hyperliquid_coins.n = 1;
	if (!load()) {
		printf("# bench_backtest: skipped, no captures here\n");
		return 0;
	}
	for (int r = 0; r < ROUNDS; r++) {
		book[r] = books(loops * 10, &check);
		full[r] = whole(loops, &check, &n);
	}
	qsort(book, ROUNDS, sizeof(book[0]), cmp);
	qsort(full, ROUNDS, sizeof(full[0]), cmp);
	bench_line("backtest_book", book[ROUNDS / 2], "Mev/s", "bar", BOOK_MPS);
	bench_line(
	    "backtest_quoted", full[ROUNDS / 2], "Mev/s", "bar", FULL_MPS);
	printf("# backtest: %u ticks a tape, %llu orders, %llu acks, checksum "
	       "%016llx\n",
	    tape_n, (unsigned long long)n.orders, (unsigned long long)n.acks,
	    (unsigned long long)check);
	return 0;
}

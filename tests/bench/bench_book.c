/* links: feedd libvenue libshm libcore */
/*
 * bench_book - updates of a book, and frames through the feed core.
 *
 *   book_update_99      changes of a 99-cent book, most near the touch
 *   book_update_1000    changes all over 1000 levels a side
 *   feed_X_tick         frame in to its last tick out
 *   feed_X_step         the whole step: with Polymarket both tokens' hashes
 *                       (SHA-1) are verified after the ticks are out
 * Seeded; medians of rounds; the checksum is of books and ticks.
 */
#define _GNU_SOURCE
#include "feedd/feed.h"
#include "libcore/book.h"
#include "libcore/hash.h"
#include "tests/bench/bench.h"

#define ROUNDS	51
#define UPDATES 65536u
#define FRAMES	2000u
#define BAR_MPS 5.0
#define YES	"1000000000000000000001"
#define NO	"2000000000000000000002"
#define COND \
	"0x1111111111111111111111111111111111111111111111111111111111111111"

struct update {
	px_t px;
	qty_t qty;
	enum side side;
};

static struct update update[UPDATES];
static struct book_full book;
static uint64_t checksum;

/* Distance from the touch: half within 4 levels, the rest anywhere. */
static int64_t
distance(uint64_t r, int64_t levels)
{
	return (r & 1) != 0 ? (int64_t)((r >> 1) % 4)
			    : (int64_t)((r >> 1) % (uint64_t)levels);
}

static void
make_updates(int64_t levels, int64_t tick, bool near)
{
	uint64_t r = 1;

	for (uint32_t i = 0; i < UPDATES; i++) {
		int64_t d;

		r = hash_u64(r, i);
		d = near ? distance(r >> 8, levels)
			 : (int64_t)((r >> 8) % (uint64_t)levels);
		update[i].side = (r & 1) != 0 ? SIDE_BID : SIDE_ASK;
		update[i].px =
		    PX(tick * (update[i].side == SIDE_BID ? levels - d
							  : levels + 1 + d));
		update[i].qty =
		    QTY((r >> 40) % 3 == 0 ? 0 : (int64_t)(r >> 32) % 1000 + 1);
	}
}

static void
bench_updates(const char *name, int64_t levels, int64_t tick, bool near)
{
	double mps[ROUNDS];
	int rounds = bench_quick() ? 3 : ROUNDS;

	book_full_init(&book);
	make_updates(levels, tick, near);
	for (int k = 0; k < rounds; k++) {
		uint64_t from = bench_now_ns();

		for (uint32_t i = 0; i < UPDATES; i++)
			book_set(&book.book, update[i].side, update[i].px,
			    update[i].qty);
		mps[k] = UPDATES * 1000.0 / (double)(bench_now_ns() - from);
		checksum = book_hash(&book.book, checksum);
	}
	bench_line(
	    name, bench_median(mps, (size_t)rounds), "M/s", "bar", BAR_MPS);
}

static uint64_t last_tick_ns;
static uint64_t tick_n;
static uint32_t tag;

static void
on_tick(void *user, struct tick *t)
{
	(void)user;
	checksum = hash_bytes(checksum, &t->u, sizeof(t->u));
	tick_n++;
	last_tick_ns = bench_now_ns();
}

static void
on_instr(void *user, uint16_t idx, const struct instr *in)
{
	(void)user;
	checksum = hash_u64(checksum, idx + in->epoch);
}

static void
on_act(void *user, const struct feed_act *a)
{
	(void)user;
	if (a->what == FEED_GET)
		tag = a->tag;
}

static const struct feed_sink sink = {NULL, on_tick, on_instr, on_act};

static void
give(struct feed *f, enum feed_ev kind, const char *text, uint32_t with_tag)
{
	struct feed_event ev = {.kind = kind, .tag = with_tag, .code = 200};

	ev.now_ns = 1000000000;
	ev.wall_ns = INT64_C(1777428640000000000);
	ev.data = text;
	ev.n = text == NULL ? 0 : strlen(text);
	feed_step(f, &ev);
}

static struct feed *
start(enum venue venue)
{
	static struct cfg cfg;
	struct feed *f = calloc(1, feed_sz(venue));

	cfg_defaults(&cfg);
	cfg.polymarket_series.n = 0;
	cfg.polymarket_slugs.n = 1;
	snprintf(cfg.polymarket_slugs.item[0],
	    sizeof(cfg.polymarket_slugs.item[0]), "btc-updown-15m-1777514400");
	feed_init(f, venue, &cfg, 1, &sink);
	give(f, FEED_EV_START, NULL, 0);
	return f;
}

static void
pm_book(struct feed *f, const char *token)
{
	static char text[16384];
	size_t at;

	at = (size_t)snprintf(text, sizeof(text),
	    "{\"event_type\":\"book\",\"market\":\"" COND "\","
	    "\"asset_id\":\"%s\",\"timestamp\":\"1777428640000\",\"bids\":[",
	    token);
	for (int i = 1; i < 50; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at,
		    "%s{\"price\":\"0.%02d\",\"size\":\"100\"}",
		    i == 1 ? "" : ",", i);
	at += (size_t)snprintf(text + at, sizeof(text) - at, "],\"asks\":[");
	for (int i = 99; i > 50; i--)
		at += (size_t)snprintf(text + at, sizeof(text) - at,
		    "%s{\"price\":\"0.%02d\",\"size\":\"100\"}",
		    i == 99 ? "" : ",", i);
	snprintf(text + at, sizeof(text) - at, "],\"tick_size\":\"0.01\"}");
	give(f, FEED_EV_FRAME, text, 0);
}

static struct feed *
start_pm(void)
{
	struct feed *f = start(VENUE_POLYMARKET);

	give(f, FEED_EV_HTTP, "1777428640", tag); /* the clock */
	give(f, FEED_EV_HTTP,
	    "[{\"conditionId\":\"" COND "\",\"slug\":"
	    "\"btc-updown-15m-1777514400\",\"outcomes\":[\"Up\",\"Down\"],"
	    "\"clobTokenIds\":[\"" YES "\",\"" NO "\"],"
	    "\"orderPriceMinTickSize\":0.01,\"orderMinSize\":5,"
	    "\"acceptingOrders\":true}]",
	    tag);
	give(f, FEED_EV_TIMER, NULL, 0);
	give(f, FEED_EV_UP, NULL, 0);
	pm_book(f, YES);
	pm_book(f, NO);
	return f;
}

static void
pm_frame(char *text, size_t cap, uint32_t i)
{
	unsigned size = 100 + i % 50;

	snprintf(text, cap,
	    "{\"market\":\"" COND "\",\"price_changes\":["
	    "{\"asset_id\":\"" YES "\",\"price\":\"0.49\",\"size\":\"%u\","
	    "\"side\":\"BUY\","
	    "\"hash\":\"0011223344556677889900112233445566778899\","
	    "\"best_bid\":\"0.49\",\"best_ask\":\"0.51\"},"
	    "{\"asset_id\":\"" NO "\",\"price\":\"0.51\",\"size\":\"%u\","
	    "\"side\":\"SELL\","
	    "\"hash\":\"0011223344556677889900112233445566778899\","
	    "\"best_bid\":\"0.49\",\"best_ask\":\"0.51\"}],"
	    "\"timestamp\":\"1777428640001\",\"event_type\":\"price_change\"}",
	    size, size);
}

static void
bn_trade(char *text, size_t cap, uint32_t i)
{
	snprintf(text, cap,
	    "{\"stream\":\"btcusdt@trade\",\"data\":{\"e\":\"trade\","
	    "\"E\":1723161601438001,\"s\":\"BTCUSDT\",\"t\":%u,"
	    "\"p\":\"61685.99000000\",\"q\":\"0.00017000\","
	    "\"T\":1723161601437000,\"m\":true,\"M\":true}}",
	    1000000 + i);
}

static void
bn_ticker(char *text, size_t cap, uint32_t i)
{
	snprintf(text, cap,
	    "{\"stream\":\"btcusdt@bookTicker\",\"data\":{\"u\":%u,"
	    "\"s\":\"BTCUSDT\",\"b\":\"61685.99000000\",\"B\":\"%u.50000000\","
	    "\"a\":\"61686.00000000\",\"A\":\"2.44816000\"}}",
	    1000000 + i, 1 + i % 7);
}

static void
bench_frames(const char *name, struct feed *f,
    void (*make)(char *text, size_t cap, uint32_t i))
{
	static uint64_t to_tick[FRAMES];
	static uint64_t to_end[FRAMES];
	uint32_t n = bench_quick() ? 100 : FRAMES;
	uint64_t before = tick_n;
	char label[64];
	char text[1024];

	for (uint32_t i = 0; i < n; i++) {
		uint64_t from;

		make(text, sizeof(text), i);
		from = bench_now_ns();
		give(f, FEED_EV_FRAME, text, 0);
		to_end[i] = bench_now_ns() - from;
		to_tick[i] = last_tick_ns - from;
	}
	if (tick_n < before + n)
		printf("# %s: fewer ticks than frames\n", name);
	snprintf(label, sizeof(label), "feed_%s_tick", name);
	bench_report(label, to_tick, n, 0);
	snprintf(label, sizeof(label), "feed_%s_step", name);
	bench_report(label, to_end, n, 0);
}

int
main(void)
{
	struct feed *pm;
	struct feed *bn;

	bench_updates("book_update_99", 49, E8 / 100, true);
	bench_updates("book_update_1000", 1000, E8 / 10000, false);
	pm = start_pm();
	bench_frames("price_change", pm, pm_frame);
	bn = start(VENUE_BINANCE);
	give(bn, FEED_EV_TIMER, NULL, 0);
	give(bn, FEED_EV_UP, NULL, 0);
	bench_frames("trade", bn, bn_trade);
	bench_frames("book_ticker", bn, bn_ticker);
	printf("# checksum %016llx\n", (unsigned long long)checksum);
	free(pm);
	free(bn);
	return 0;
}

/*
 * Binance's frames from the shared path: bookTicker, trades with their
 * aggregates, and a book whose changes and snapshots agree.
 *
 * The book is a function of the path's price alone: the touch, and levels on
 * a grid of BN_STEP cents behind it, each with a quantity of its own price.
 */
#include <math.h>
#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"
#include "simvenue/venue.h"
#include "simvenue/world_int.h"

#define BN_MEAN_MS 12.3
#define BN_STEP	   50 /* cents */
#define DEPTH_NS   (100 * WORLD_MS)
#define KLINE_NS   (2000 * WORLD_MS)
#define E8_CENT	   (E8 / 100)

/* The touch around a price: bid and ask a cent apart. */
static int64_t
bid_cents(double px)
{
	return (int64_t)floor(px * 100.0);
}

static int64_t
level_cents(int64_t bid, bool is_bid, uint32_t i)
{
	int64_t at = is_bid ? bid : bid + 1;

	if (i == 0)
		return at;
	return is_bid ? (at - 1) / BN_STEP * BN_STEP - (i - 1) * BN_STEP
		      : at / BN_STEP * BN_STEP + i * BN_STEP;
}

/* 1e-5 coins, from 0.01 to some 4, the same at a price every time. */
static int64_t
level_qty_e8(const struct world *w, int64_t cents)
{
	uint64_t h = hash_u64(w->cfg.seed, (uint64_t)cents);

	return (int64_t)(1000 + h % 400000) * 1000;
}

static void
put_cents(struct text *t, int64_t cents)
{
	put_e8(t, cents * E8_CENT, 8);
}

static double
some_qty(struct world *w, double median)
{
	double q = median * exp(1.6 * path_normal(&w->rng));

	return q < 0.00001 ? 0.00001 : q;
}

static void
say_ticker(struct world *w, double px)
{
	int64_t bid = bid_cents(px);
	struct text t;

	text_init(&t, w->text, sizeof(w->text));
	text_lit(&t, "{\"stream\":\"btcusdt@bookTicker\",\"data\":{\"u\":");
	put_i64(&t, (int64_t)++w->bn_update);
	text_lit(&t, ",\"s\":\"BTCUSDT\",\"b\":\"");
	put_cents(&t, bid);
	text_lit(&t, "\",\"B\":\"");
	put_e8(&t, level_qty_e8(w, bid), 8);
	text_lit(&t, "\",\"a\":\"");
	put_cents(&t, bid + 1);
	text_lit(&t, "\",\"A\":\"");
	put_e8(&t, level_qty_e8(w, bid + 1), 8);
	text_lit(&t, "\"}}");
	world_say(w, WORLD_BN, WORLD_BN_TICKER, &t);
}

static void
say_print(struct world *w, const struct world_bn_trade *p, bool is_aggregate)
{
	struct text t;

	text_init(&t, w->text, sizeof(w->text));
	text_lit(&t, is_aggregate
			 ? "{\"stream\":\"btcusdt@aggTrade\",\"data\":{\"e\":"
			   "\"aggTrade\",\"E\":"
			 : "{\"stream\":\"btcusdt@trade\",\"data\":{\"e\":"
			   "\"trade\",\"E\":");
	put_i64(&t, p->us);
	text_lit(&t, ",\"s\":\"BTCUSDT\"");
	text_lit(&t, is_aggregate ? ",\"a\":" : ",\"t\":");
	put_i64(&t, (int64_t)(is_aggregate ? w->bn_aggregate : w->bn_trade));
	text_lit(&t, ",\"p\":\"");
	put_cents(&t, p->cents);
	text_lit(&t, "\",\"q\":\"");
	put_e8(&t, p->qty_e8, 8);
	text_lit(&t, "\"");
	if (is_aggregate) {
		text_lit(&t, ",\"f\":");
		put_i64(&t, (int64_t)w->bn_trade);
		text_lit(&t, ",\"l\":");
		put_i64(&t, (int64_t)w->bn_trade);
	}
	text_lit(&t, ",\"T\":");
	put_i64(&t, p->us - 300);
	text_lit(&t,
	    p->sold ? ",\"m\":true,\"M\":true}}" : ",\"m\":false,\"M\":true}}");
	world_say(w, WORLD_BN,
	    is_aggregate ? WORLD_BN_AGGREGATE : WORLD_BN_TRADE, &t);
}

static void
say_bn_trade(struct world *w, double px)
{
	struct world_bn_trade p = {.sold = path_uniform(&w->rng) < 0.5,
	    .us = (int64_t)(w->now_ns / 1000)};

	p.cents = bid_cents(px) + !p.sold;
	p.qty_e8 = llround(some_qty(w, 0.006) * 100000.0) * 1000;
	p.id = ++w->bn_trade;
	p.aggregate = ++w->bn_aggregate;
	w->bn_recent[w->bn_recent_n++ % WORLD_BN_RECENT] = p;
	candles_trade(&w->bn_candles, PX(p.cents * E8_CENT), QTY(p.qty_e8),
	    !p.sold, w->now_ns / WORLD_MS);
	say_print(w, &p, false);
	say_print(w, &p, true);
}

/* ---- the book ---- */

static bool
is_level(int64_t bid, bool is_bid, int64_t cents)
{
	for (uint32_t i = 0; i < WORLD_BN_LEVELS; i++)
		if (level_cents(bid, is_bid, i) == cents)
			return true;
	return false;
}

static void
put_level(struct text *t, int64_t cents, int64_t qty_e8, bool *any)
{
	text_lit(t, *any ? ",[\"" : "[\"");
	put_cents(t, cents);
	text_lit(t, "\",\"");
	put_e8(t, qty_e8, 8);
	text_lit(t, "\"]");
	*any = true;
}

/* What is gone since `old`, with zero, and what is new. */
static void
put_changes(struct text *t, const struct world *w, int64_t old, bool is_bid)
{
	bool any = false;

	for (uint32_t i = 0; i < WORLD_BN_LEVELS; i++) {
		int64_t at = level_cents(old, is_bid, i);

		if (!is_level(w->bn_bid, is_bid, at))
			put_level(t, at, 0, &any);
	}
	for (uint32_t i = 0; i < WORLD_BN_LEVELS; i++) {
		int64_t at = level_cents(w->bn_bid, is_bid, i);

		if (!is_level(old, is_bid, at))
			put_level(t, at, level_qty_e8(w, at), &any);
	}
}

static void
say_depth(struct world *w)
{
	int64_t old = w->bn_bid;
	struct text t;

	w->bn_bid = bid_cents(path_px(&w->path, w->now_ns));
	if (w->bn_bid == old)
		return;
	text_init(&t, w->text, sizeof(w->text));
	text_lit(&t, "{\"stream\":\"btcusdt@depth@100ms\",\"data\":{\"e\":"
		     "\"depthUpdate\",\"E\":");
	put_i64(&t, (int64_t)(w->now_ns / 1000));
	text_lit(&t, ",\"s\":\"BTCUSDT\",\"U\":");
	put_i64(&t, (int64_t)w->bn_depth + 1);
	text_lit(&t, ",\"u\":");
	w->bn_depth = ++w->bn_update;
	put_i64(&t, (int64_t)w->bn_depth);
	text_lit(&t, ",\"b\":[");
	put_changes(&t, w, old, true);
	text_lit(&t, "],\"a\":[");
	put_changes(&t, w, old, false);
	text_lit(&t, "]}}");
	world_say(w, WORLD_BN, WORLD_BN_DEPTH, &t);
}

static void
put_side(struct text *t, const struct world *w, bool is_bid)
{
	bool any = false;

	for (uint32_t i = 0; i < WORLD_BN_LEVELS; i++) {
		int64_t at = level_cents(w->bn_bid, is_bid, i);

		put_level(t, at, level_qty_e8(w, at), &any);
	}
}

void
world_put_depth(const struct world *w, struct text *t)
{
	text_lit(t, "{\"lastUpdateId\":");
	put_i64(t, (int64_t)w->bn_depth);
	text_lit(t, ",\"bids\":[");
	put_side(t, w, true);
	text_lit(t, "],\"asks\":[");
	put_side(t, w, false);
	text_lit(t, "]}");
}

/* ---- candles ---- */

static const char *const intervals[] = {"1m", "3m", "5m", "15m", "30m", "1h",
    "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M"};

static void
put_member(struct text *t, const char *key, int64_t e8)
{
	text_lit(t, ",\"");
	text_lit(t, key);
	text_lit(t, "\":\"");
	put_e8(t, e8, 8);
	text_lit(t, "\"");
}

static void
say_kline(struct world *w, const char *name)
{
	uint64_t ms = candle_ms(name, strlen(name));
	struct candle c;
	struct text t;

	if (!candles_last(&w->bn_candles, ms, &c))
		return;
	text_init(&t, w->text, sizeof(w->text));
	text_lit(&t, "{\"stream\":\"btcusdt@kline_");
	text_lit(&t, name);
	text_lit(&t, "\",\"data\":{\"e\":\"kline\",\"E\":");
	put_i64(&t, (int64_t)(w->now_ns / 1000));
	text_lit(&t, ",\"s\":\"BTCUSDT\",\"k\":{\"t\":");
	put_i64(&t, (int64_t)c.open_ms * 1000);
	text_lit(&t, ",\"T\":");
	put_i64(&t, (int64_t)(c.open_ms + ms) * 1000 - 1);
	text_lit(&t, ",\"s\":\"BTCUSDT\",\"i\":\"");
	text_lit(&t, name);
	text_lit(&t, "\",\"f\":");
	put_i64(&t, (int64_t)(w->bn_trade + 1 - c.trade_n));
	text_lit(&t, ",\"L\":");
	put_i64(&t, (int64_t)w->bn_trade);
	put_member(&t, "o", c.open.e8);
	put_member(&t, "c", c.close.e8);
	put_member(&t, "h", c.high.e8);
	put_member(&t, "l", c.low.e8);
	put_member(&t, "v", c.qty.e8);
	text_lit(&t, ",\"n\":");
	put_i64(&t, (int64_t)c.trade_n);
	text_lit(&t, w->now_ns / WORLD_MS >= c.open_ms + ms ? ",\"x\":true"
							    : ",\"x\":false");
	put_member(&t, "q", c.usd.e6 * 100);
	put_member(&t, "V", c.taken.e8);
	put_member(&t, "Q", c.taken_usd.e6 * 100);
	text_lit(&t, ",\"B\":\"0\"}}}");
	world_say(w, WORLD_BN, WORLD_BN_KLINE, &t);
}

static void
put_quoted(struct text *t, int64_t e8)
{
	text_lit(t, ",\"");
	put_e8(t, e8, 8);
	text_lit(t, "\"");
}

void
world_put_klines(const struct world *w, const struct world_bn_ask *q,
    uint64_t interval_ms, struct candle *scratch, struct text *t)
{
	struct candle_query ask = {.interval_ms = interval_ms,
	    .from_ms = q->from_ms,
	    .to_ms = q->to_ms};
	uint32_t n = candles_get(&w->bn_candles, &ask, scratch, q->limit);

	text_lit(t, "[");
	for (uint32_t i = 0; i < n; i++) {
		const struct candle *c = &scratch[i];

		text_lit(t, i > 0 ? ",[" : "[");
		put_i64(t, (int64_t)c->open_ms);
		put_quoted(t, c->open.e8);
		put_quoted(t, c->high.e8);
		put_quoted(t, c->low.e8);
		put_quoted(t, c->close.e8);
		put_quoted(t, c->qty.e8);
		text_lit(t, ",");
		put_i64(t, (int64_t)(c->open_ms + interval_ms - 1));
		put_quoted(t, c->usd.e6 * 100);
		text_lit(t, ",");
		put_i64(t, (int64_t)c->trade_n);
		put_quoted(t, c->taken.e8);
		put_quoted(t, c->taken_usd.e6 * 100);
		text_lit(t, ",\"0\"]");
	}
	text_lit(t, "]");
}

/* ---- questions about trades and the touch ---- */

static void
put_bn_trade(const struct world_bn_trade *k, bool is_aggregate, struct text *t)
{
	text_lit(t, is_aggregate ? "{\"a\":" : "{\"id\":");
	put_i64(t, (int64_t)(is_aggregate ? k->aggregate : k->id));
	text_lit(t, is_aggregate ? ",\"p\":\"" : ",\"price\":\"");
	put_cents(t, k->cents);
	text_lit(t, is_aggregate ? "\",\"q\":\"" : "\",\"qty\":\"");
	put_e8(t, k->qty_e8, 8);
	if (is_aggregate) {
		text_lit(t, "\",\"f\":");
		put_i64(t, (int64_t)k->id);
		text_lit(t, ",\"l\":");
		put_i64(t, (int64_t)k->id);
		text_lit(t, ",\"T\":");
	} else {
		text_lit(t, "\",\"quoteQty\":\"");
		put_e8(t,
		    usd_notional(PX(k->cents * E8_CENT), QTY(k->qty_e8)).e6 *
			100,
		    8);
		text_lit(t, "\",\"time\":");
	}
	put_i64(t, k->us / 1000);
	text_lit(t, is_aggregate ? ",\"m\":" : ",\"isBuyerMaker\":");
	text_lit(t, k->sold ? "true" : "false");
	text_lit(t, is_aggregate ? ",\"M\":true}" : ",\"isBestMatch\":true}");
}

static bool
is_asked(const struct world_bn_ask *q, const struct world_bn_trade *k)
{
	uint64_t ms = (uint64_t)k->us / 1000;

	return k->aggregate >= q->from_id && ms >= q->from_ms &&
	       (q->to_ms == 0 || ms <= q->to_ms);
}

void
world_put_bn_trades(const struct world *w, const struct world_bn_ask *q,
    bool aggregates, struct text *t)
{
	uint64_t held =
	    w->bn_recent_n < WORLD_BN_RECENT ? w->bn_recent_n : WORLD_BN_RECENT;
	bool is_newest = q->from_id == 0 && q->from_ms == 0;
	uint64_t skip = is_newest && held > q->limit ? held - q->limit : 0;
	uint32_t n = 0;

	text_lit(t, "[");
	for (uint64_t i = skip; i < held && n < q->limit; i++) {
		const struct world_bn_trade *k =
		    &w->bn_recent[(w->bn_recent_n - held + i) %
				  WORLD_BN_RECENT];

		if (!is_asked(q, k))
			continue;
		text_lit(t, n++ > 0 ? "," : "");
		put_bn_trade(k, aggregates, t);
	}
	text_lit(t, "]");
}

void
world_put_bn_ticker(const struct world *w, bool is_price, struct text *t)
{
	int64_t bid = w->bn_bid;

	text_lit(t, "{\"symbol\":\"BTCUSDT\",\"");
	text_lit(t, is_price ? "price" : "bidPrice");
	text_lit(t, "\":\"");
	put_cents(t, bid);
	if (!is_price) {
		text_lit(t, "\",\"bidQty\":\"");
		put_e8(t, level_qty_e8(w, bid), 8);
		text_lit(t, "\",\"askPrice\":\"");
		put_cents(t, bid + 1);
		text_lit(t, "\",\"askQty\":\"");
		put_e8(t, level_qty_e8(w, bid + 1), 8);
	}
	text_lit(t, "\"}");
}

/* ---- time ---- */

void
world_bn_init(struct world *w)
{
	w->bn_ns = w->now_ns;
	w->depth_ns = w->now_ns + DEPTH_NS;
	w->kline_ns = w->now_ns + KLINE_NS;
	w->bn_trade = 5000000000;
	w->bn_aggregate = 3000000000;
	w->bn_update = 90000000000;
	w->bn_depth = w->bn_update;
	w->bn_bid = bid_cents(path_px(&w->path, w->now_ns));
}

void
world_bn_step(struct world *w)
{
	double px = path_px(&w->path, w->now_ns);

	if (w->now_ns >= w->depth_ns) {
		say_depth(w);
		w->depth_ns = w->now_ns + DEPTH_NS;
	}
	if (w->now_ns >= w->kline_ns) {
		for (size_t i = 0; i < sizeof(intervals) / sizeof(intervals[0]);
		     i++)
			say_kline(w, intervals[i]);
		w->kline_ns = w->now_ns + KLINE_NS;
	}
	if (w->now_ns < w->bn_ns)
		return;
	say_ticker(w, px);
	if (path_uniform(&w->rng) < 0.35)
		say_bn_trade(w, px);
	w->bn_ns =
	    w->now_ns + 1 +
	    (uint64_t)(-BN_MEAN_MS * 1e6 * log(1.0 - path_uniform(&w->rng)));
}

uint64_t
world_bn_wake(const struct world *w)
{
	return w->bn_ns < w->depth_ns ? w->bn_ns : w->depth_ns;
}

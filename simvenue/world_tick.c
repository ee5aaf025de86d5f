/* What comes by time: the price service, and Hyperliquid's blocks. */
#include <math.h>
#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"
#include "libvenue/rtds.h"
#include "simvenue/venue.h"
#include "simvenue/world_int.h"

#define BLOCK_NS      (70 * WORLD_MS)
#define FAST_NS	      (540 * WORLD_MS)
#define BOOK_NS	      (5400 * WORLD_MS)
#define LAG_NS	      (1200 * WORLD_MS) /* the settlement feed is so late */
#define LOOKBACK_NS   (60 * WORLD_SECOND)
#define FAST_DEPTH    5u
#define BOOK_DEPTH_HL 20u

/* ---- the price service ---- */

static double
price_at(const struct world *w, uint64_t ns, bool average)
{
	return average ? path_mean(&w->path, ns - LOOKBACK_NS, ns)
		       : path_px(&w->path, ns);
}

static void
put_value(struct text *t, double px)
{
	int64_t e4 = llround(px * 1e4);

	text_lit(t, ",\"value\":");
	put_e8(t, e4 * 10000, 0);
	text_lit(t, ",\"full_accuracy_value\":\"");
	put_i64(t, e4);
	text_lit(t, "00000000000000\""); /* 18 decimals */
}

static void
say_price(struct world *w, bool average)
{
	uint64_t at = (w->now_ns - LAG_NS) / WORLD_SECOND * WORLD_SECOND;
	struct text t;

	text_init(&t, w->text, sizeof(w->text));
	text_lit(&t, average ? "{\"topic\":\"crypto_prices_twap_sixty\""
			     : "{\"topic\":\"crypto_prices_chainlink\"");
	text_lit(&t, ",\"type\":\"update\",\"timestamp\":");
	put_i64(&t, (int64_t)(w->now_ns / WORLD_MS));
	text_lit(&t, ",\"payload\":{\"symbol\":\"btc/usd\",\"timestamp\":");
	put_i64(&t, (int64_t)(at / WORLD_MS));
	put_value(&t, price_at(w, at, average));
	text_lit(&t, average ? ",\"window_s\":60}}" : "}}");
	world_say(
	    w, WORLD_PM_PRICE, average ? RTDS_TWAP60 : RTDS_CHAINLINK, &t);
}

void
world_put_prices(const struct world *w, bool average, struct text *t)
{
	uint64_t last = (w->now_ns - LAG_NS) / WORLD_SECOND * WORLD_SECOND;

	text_lit(t, average ? "{\"topic\":\"crypto_prices_twap_sixty\""
			    : "{\"topic\":\"crypto_prices_chainlink\"");
	text_lit(t, ",\"type\":\"subscribe\",\"timestamp\":");
	put_i64(t, (int64_t)(w->now_ns / WORLD_MS));
	text_lit(t, ",\"payload\":{\"symbol\":\"btc/usd\",\"data\":[");
	for (uint64_t i = 60; i > 0; i--) {
		uint64_t at = last - (i - 1) * WORLD_SECOND;

		text_lit(t, i == 60 ? "{\"timestamp\":" : ",{\"timestamp\":");
		put_i64(t, (int64_t)(at / WORLD_MS));
		put_value(t, price_at(w, at, average));
		text_lit(t, "}");
	}
	text_lit(t, "]}}");
}

/* ---- Hyperliquid ---- */

void
world_put_trade(
    const struct world *w, const struct world_trade *k, struct text *t)
{
	text_lit(t, "{\"coin\":\"");
	text_lit(t, w->hlx.coin[0].terms.name);
	text_lit(t, k->side == SIDE_BID ? "\",\"side\":\"B\",\"px\":\""
					: "\",\"side\":\"A\",\"px\":\"");
	put_e8(t, k->px.e8, 1);
	text_lit(t, "\",\"sz\":\"");
	put_e8(t, k->qty.e8, 1);
	text_lit(t, "\",\"time\":");
	put_i64(t, (int64_t)k->ms);
	text_lit(t, ",\"hash\":\"0x000000000000000000000000000000000000000000"
		    "0000000000000000000000\",\"tid\":");
	put_i64(t, (int64_t)k->tid);
	text_lit(t, ",\"users\":[\"0x5e00000000000000000000000000000000000000"
		    "\",\"0x5e00000000000000000000000000000000000001\"]}");
}

void
world_put_recent(const struct world *w, struct text *t)
{
	uint32_t n = w->hl_recent_n;
	uint32_t from = n > WORLD_RECENT ? n - WORLD_RECENT : 0;

	text_lit(t, "[");
	for (uint32_t i = from; i < n; i++) {
		text_lit(t, i > from ? "," : "");
		world_put_trade(w, &w->hl_recent[i % WORLD_RECENT], t);
	}
	text_lit(t, "]");
}

void
world_hl_print(
    struct world *w, enum side side, px_t px, qty_t qty, uint64_t tid)
{
	uint64_t ms = w->now_ns / WORLD_MS;
	struct world_trade k = {side, px, qty, ms, tid};
	struct text t;

	text_init(&t, w->trades + w->trades_n, sizeof(w->trades) - w->trades_n);
	text_lit(&t, w->trades_n == 0 ? "" : ",");
	world_put_trade(w, &k, &t);
	w->trades_n += text_end(&t);
	w->hl_recent[w->hl_recent_n++ % WORLD_RECENT] = k;
	candles_trade(&w->hl_candles, px, qty, side == SIDE_BID, ms);
}

static void
put_touch(struct text *t, const struct match_level *l)
{
	if (l == NULL) {
		text_lit(t, "null");
		return;
	}
	text_lit(t, "{\"px\":\"");
	put_e8(t, l->px.e8, 1);
	text_lit(t, "\",\"sz\":\"");
	put_e8(t, l->qty.e8, 1);
	text_lit(t, "\",\"n\":");
	put_i64(t, l->order_n);
	text_lit(t, "}");
}

static void
say_bbo(struct world *w)
{
	const struct match *m = &w->hlx.coin[0].match;
	const struct match_level *bid = match_level(m, SIDE_BID, 0);
	const struct match_level *ask = match_level(m, SIDE_ASK, 0);
	px_t b = bid == NULL ? PX(0) : bid->px;
	px_t a = ask == NULL ? PX(0) : ask->px;
	struct text t;

	if (b.e8 == w->hl_bid.e8 && a.e8 == w->hl_ask.e8)
		return;
	w->hl_bid = b;
	w->hl_ask = a;
	text_init(&t, w->text, sizeof(w->text));
	text_lit(&t, "{\"channel\":\"bbo\",\"data\":{\"coin\":\"BTC\","
		     "\"time\":");
	put_i64(&t, (int64_t)(w->now_ns / WORLD_MS));
	text_lit(&t, ",\"bbo\":[");
	put_touch(&t, bid);
	text_lit(&t, ",");
	put_touch(&t, ask);
	text_lit(&t, "]}}");
	world_say(w, WORLD_HL, WORLD_HL_BBO, &t);
}

static void
say_book(struct world *w, bool fast)
{
	struct text t;

	text_init(&t, w->text, sizeof(w->text));
	text_lit(&t, "{\"channel\":\"l2Book\",\"data\":");
	hl_say_book(
	    &w->hlx, 0, fast ? FAST_DEPTH : BOOK_DEPTH_HL, w->now_ns, &t);
	if (fast && t.n > 0) { /* the fast one says so */
		t.n--;
		text_lit(&t, ",\"fast\":true}");
	}
	text_lit(&t, "}");
	world_say(w, WORLD_HL, fast ? WORLD_HL_BOOK_FAST : WORLD_HL_BOOK, &t);
}

static void
say_ctx(struct world *w)
{
	struct text t;

	text_init(&t, w->text, sizeof(w->text));
	text_lit(&t, "{\"channel\":\"activeAssetCtx\",\"data\":{\"coin\":"
		     "\"BTC\",\"ctx\":");
	hl_say_ctx(&w->hlx, 0, &t);
	text_lit(&t, "}}");
	world_say(w, WORLD_HL, WORLD_HL_CTX, &t);
}

static void
step_block(struct world *w)
{
	struct text t;

	w->block_ns += BLOCK_NS;
	if (w->trades_n > 0) {
		text_init(&t, w->text, sizeof(w->text));
		text_lit(&t, "{\"channel\":\"trades\",\"data\":[");
		text_put(&t, w->trades, w->trades_n);
		text_lit(&t, "]}");
		w->trades_n = 0;
		world_say(w, WORLD_HL, WORLD_HL_TRADES, &t);
		w->emit(w->user, WORLD_HL_USER, WORLD_HL_TRADED, " ", 1);
	}
	if (w->hl_changed)
		say_bbo(w);
	w->hl_changed = false;
}

/* ---- time ---- */

void
world_ticks_init(struct world *w)
{
	w->slow_ns = w->now_ns + WORLD_SECOND;
	world_bn_init(w);
	w->block_ns = w->now_ns + BLOCK_NS;
	w->fast_ns = w->now_ns + FAST_NS;
	w->book_ns = w->now_ns + BOOK_NS;
	w->pulse_ns = w->now_ns + WORLD_PULSE_NS;
}

void
world_ticks_step(struct world *w)
{
	world_bn_step(w);
	while (w->now_ns >= w->block_ns)
		step_block(w);
	if (w->now_ns >= w->fast_ns) {
		say_book(w, true);
		w->fast_ns = w->now_ns + FAST_NS;
	}
	if (w->now_ns >= w->book_ns) {
		say_book(w, false);
		w->book_ns = w->now_ns + BOOK_NS;
	}
	if (w->now_ns >= w->pulse_ns) {
		w->emit(w->user, WORLD_HL_USER, WORLD_HL_PULSE, " ", 1);
		w->pulse_ns = w->now_ns + WORLD_PULSE_NS;
	}
	if (w->now_ns < w->slow_ns)
		return;
	w->slow_ns = w->now_ns + WORLD_SECOND;
	say_price(w, false);
	say_price(w, true);
	say_ctx(w);
}

uint64_t
world_ticks_wake(const struct world *w)
{
	const uint64_t all[] = {world_bn_wake(w), w->block_ns, w->fast_ns,
	    w->book_ns, w->slow_ns, w->pulse_ns};
	uint64_t ns = all[0];

	for (size_t i = 1; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i] < ns)
			ns = all[i];
	return ns;
}

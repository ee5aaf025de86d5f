#include "simvenue/candle.h"

#include <string.h>

#include "libcore/check.h"

uint64_t
candle_ms(const char *name, size_t n)
{
	static const struct {
		char name[CANDLE_NAME_MAX];
		uint64_t minutes;
	} known[] = {{"1m", 1}, {"3m", 3}, {"5m", 5}, {"15m", 15}, {"30m", 30},
	    {"1h", 60}, {"2h", 120}, {"4h", 240}, {"6h", 360}, {"8h", 480},
	    {"12h", 720}, {"1d", 1440}, {"3d", 4320}, {"1w", 10080},
	    {"1M", 43200}};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i].name) == n &&
		    memcmp(known[i].name, name, n) == 0)
			return known[i].minutes * CANDLE_MINUTE;
	return 0;
}

/* b follows on a, in the same interval. */
static void
join(struct candle *a, const struct candle *b)
{
	a->high = PX(i64_max(a->high.e8, b->high.e8));
	a->low = PX(i64_min(a->low.e8, b->low.e8));
	a->close = b->close;
	a->qty.e8 += b->qty.e8;
	a->taken.e8 += b->taken.e8;
	a->usd.e6 += b->usd.e6;
	a->taken_usd.e6 += b->taken_usd.e6;
	a->trade_n += b->trade_n;
}

void
candles_trade(struct candles *c, px_t px, qty_t qty, bool is_buy, uint64_t ms)
{
	usd_t usd = usd_notional(px, qty);
	struct candle one = {.open_ms = ms / CANDLE_MINUTE * CANDLE_MINUTE,
	    .open = px,
	    .high = px,
	    .low = px,
	    .close = px,
	    .qty = qty,
	    .taken = is_buy ? qty : QTY(0),
	    .usd = usd,
	    .taken_usd = is_buy ? usd : USD(0),
	    .trade_n = 1};
	struct candle *last =
	    c->n == 0 ? NULL : &c->minute[(c->n - 1) % CANDLES_MAX];

	CHECK(px.e8 > 0);
	CHECK(last == NULL || one.open_ms >= last->open_ms);
	if (last != NULL && last->open_ms == one.open_ms)
		join(last, &one);
	else
		c->minute[c->n++ % CANDLES_MAX] = one;
}

uint32_t
candles_get(const struct candles *c, const struct candle_query *q,
    struct candle *out, uint32_t cap)
{
	uint64_t held = c->n < CANDLES_MAX ? c->n : CANDLES_MAX;
	uint32_t n = 0;

	CHECK(q->interval_ms > 0 && q->interval_ms % CANDLE_MINUTE == 0);
	/* Newest first into the end, until there is no room. */
	for (uint64_t k = 1; k <= held; k++) {
		struct candle m = c->minute[(c->n - k) % CANDLES_MAX];

		m.open_ms = m.open_ms / q->interval_ms * q->interval_ms;
		if (q->to_ms != 0 && m.open_ms > q->to_ms)
			continue;
		if (m.open_ms < q->from_ms)
			break;
		if (n > 0 && out[cap - n].open_ms == m.open_ms) {
			join(&m, &out[cap - n]);
			out[cap - n] = m;
			continue;
		}
		if (n == cap)
			break;
		out[cap - ++n] = m;
	}
	memmove(out, out + (cap - n), n * sizeof(*out));
	return n;
}

bool
candles_last(const struct candles *c, uint64_t interval_ms, struct candle *out)
{
	struct candle_query q = {.interval_ms = interval_ms};

	return candles_get(c, &q, out, 1) == 1;
}

/*
 * candle.h - candles of one instrument, made from its trades.
 *
 * What  : minutes as they were traded; longer candles are put together of
 *         them when somebody asks. Minutes without a trade have none.
 * Units : px_t and qty_t 1e-8; money 1e-6 (rounded down); times ms, UTC.
 * Limit : the newest CANDLES_MAX minutes.
 * Pure  : yes. O(1) a trade, O(minutes) a question.
 */
#ifndef SIMVENUE_CANDLE_H
#define SIMVENUE_CANDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcore/fixed.h"

#define CANDLES_MAX	4096u
#define CANDLE_MINUTE	UINT64_C(60000)
#define CANDLE_NAME_MAX 4

struct candle {
	uint64_t open_ms; /* of the interval */
	px_t open;
	px_t high;
	px_t low;
	px_t close;
	qty_t qty;
	qty_t taken; /* of it bought by the taker */
	usd_t usd;
	usd_t taken_usd;
	uint64_t trade_n;
};

struct candles {
	uint64_t n; /* minutes ever: the newest is at (n - 1) % CANDLES_MAX */
	struct candle minute[CANDLES_MAX];
};

/* candle_ms - length of an interval named as venues do ("1m", "4h", "1d",
 * "1w"); 0: no such interval. A month has 30 days. */
uint64_t candle_ms(const char *name, size_t n);

/* candles_trade - one trade; times never step back. */
void candles_trade(
    struct candles *c, px_t px, qty_t qty, bool is_buy, uint64_t ms);

struct candle_query {
	uint64_t interval_ms; /* a whole number of minutes (CHECK) */
	uint64_t from_ms;     /* candles that open at or after this */
	uint64_t to_ms;	      /* ... and before or at this, 0: now */
};

/*
 * candles_get - what was asked for, oldest first, at most cap (the newest of
 * them). Returns how many.
 */
uint32_t candles_get(const struct candles *c, const struct candle_query *q,
    struct candle *out, uint32_t cap);

/* candles_last - the candle at hand of an interval; false: no trade yet. */
bool candles_last(
    const struct candles *c, uint64_t interval_ms, struct candle *out);

#endif

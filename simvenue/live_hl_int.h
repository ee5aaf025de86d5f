/*
 * live_hl_int.h - what the parts of live Hyperliquid share; not for others.
 *
 *   live_hl.c       the table: market data, posts, /exchange
 *   live_hl_sub.c   streams of users, and of the market beside recorded ones
 *   live_hl_info.c  /info of the market
 */
#ifndef SIMVENUE_LIVE_HL_INT_H
#define SIMVENUE_LIVE_HL_INT_H

#include <stddef.h>

#include "simvenue/live.h"

#define LIVE_HL_WANTS 64u
#define LIVE_HL_USERS 10u /* of one connection */
#define LIVE_HL_LAST  65536u
#define LIVE_HL_COIN  16

enum hl_stream {
	HL_STREAM_ORDERS = 1,
	HL_STREAM_FILLS,
	HL_STREAM_EVENTS,
	HL_STREAM_FUNDINGS,
	HL_STREAM_STATE,
	HL_STREAM_OPEN,
	HL_STREAM_SPOT,
	HL_STREAM_ASSET,
	HL_STREAM_NOTICE,
	HL_STREAM_WEB2,
	HL_STREAM_WEB3,
	HL_STREAM_HISTORY,
	HL_STREAM_LEDGER,
	HL_STREAM_TWAP_FILLS,
	HL_STREAM_TWAPS,
	HL_STREAM_MIDS,
	HL_STREAM_CANDLE,
	HL_STREAM_N
};

struct hl_wish {
	enum hl_stream stream;
	struct address who;	 /* all zero: not of a user */
	char coin[LIVE_HL_COIN]; /* "" where it has none */
	char interval[CANDLE_NAME_MAX + 1];
	bool aggregates; /* userFills: as it was asked for */
};

struct live_hl {
	_Alignas(max_align_t) struct live *live;
	char last[WORLD_HL_N][LIVE_HL_LAST]; /* for those who come now */
	struct candle candles[CANDLES_MAX];  /* scratch of one question */
};

struct live_hl_sub {
	_Alignas(max_align_t) uint32_t n;
	struct hl_wish wishes[LIVE_HL_WANTS];
};

/* live_hl_error - {"channel":"error",...}, with what the client said. */
void live_hl_error(struct sim_out *out, const char *what, struct json_str said);

/* live_hl_subscribe - a message that is about one of these streams. False: it
 * is not, and somebody else's. */
bool live_hl_subscribe(struct live_hl *s, struct live_hl_sub *sub,
    const char *text, size_t n, struct sim_out *out);

/* live_hl_select - what of a user's frame (WORLD_HL_USER) goes here. */
void live_hl_select(struct live_hl *s, const struct live_hl_sub *sub,
    const struct sim_frame *f, struct sim_out *out);

/* live_hl_info - a question that is not about accounts: hl_desk's `other`,
 * user being the live_hl. */
bool live_hl_info(void *user, const char *body, size_t n, struct text *out);

/* live_hl_put_mids - {"BTC":"84000.5"}. live_hl_put_candle - an object. */
void live_hl_put_mids(struct text *t, const struct hlx *x);
void live_hl_put_contexts(struct text *t, const struct hlx *x);
void live_hl_put_meta(struct text *t, const struct hlx *x);
struct live_candle {
	const struct candle *candle;
	const char *coin;
	const char *interval;
	uint64_t ms;
};
void live_hl_put_candle(struct text *t, const struct live_candle *c);

#endif

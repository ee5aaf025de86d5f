/*
 * bn_feed.h - what the parts of Binance's feed share; not for others.
 *
 * Streams are feed_binance.c, what is asked for over HTTP is bn_rest.c.
 */
#ifndef FEEDD_BN_FEED_H
#define FEEDD_BN_FEED_H

#include "feedd/bn_depth.h"
#include "feedd/bn_ids.h"
#include "feedd/bn_info.h"
#include "feedd/feed_int.h"
#include "feedd/watch.h"

#define BN_LANES 2u

struct bn_symbol {
	struct pub pub;
	char name[32]; /* upper case */
	struct instr in;
	struct bn_ids trade;
	struct bn_ids agg;
	bool has_data[BN_LANES];   /* a lane has shown something of it */
	bool has_joined[BN_LANES]; /* ... a difference that joins the book */
	uint64_t touch_id;	   /* update that the BBO is of */
	uint64_t ticker_id;	   /* last bookTicker */
	uint64_t checked_id;	   /* of the book compared with it */
	bool has_ticker;	   /* it is not crossed */
	struct tick_bbo ticker;
	uint32_t touch_strikes;
	uint32_t crossed_n; /* tickers in a row */
	struct stuck touch_stuck;
	struct stuck trade_stuck;
	struct stuck depth_stuck;
	struct quiet touch_quiet;
	bool was_seen; /* anything of it, ever */
	struct unknown unseen;
	bool is_asking;	 /* a snapshot is on its way */
	uint64_t ask_ns; /* not before; 0 not wanted */
	struct bn_depth depth;
};

struct bn_feed {
	struct feed feed;
	uint32_t symbol_n;
	bool has_trade; /* then aggTrade is not published */
	bool has_depth;
	bool has_touch; /* bookTicker or a book is subscribed */
	bool is_binary; /* bookTicker is thinned out there */
	struct bn_info info;
	struct bn_event ev;
	struct bn_symbol symbol[CFG_LIST_N];
};

static inline struct bn_feed *
bn_of(struct feed *f)
{
	return (struct bn_feed *)f;
}

/* bn_find - symbol by its name, or by a stream's; -1 none. */
int bn_find(const struct bn_feed *b, struct json_str name, bool is_stream);

/* bn_check_lanes - is every lane that is up complete? */
void bn_check_lanes(struct feed *f);

/* bn_publish_book - the whole book, and the touch if that is newer. */
void bn_publish_book(struct feed *f, struct bn_symbol *s, int64_t venue_ns);

/* bn_ask_snapshot - of symbol i, at most once a second. */
void bn_ask_snapshot(struct feed *f, uint32_t i);

/* bn_check_names - symbols of which nothing ever came. */
void bn_check_names(struct feed *f);

/* bn_take_http - an answer: terms, or a snapshot. */
void bn_take_http(struct feed *f, const struct feed_event *in);

#endif

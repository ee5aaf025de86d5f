/*
 * hl_feed.h - what the parts of Hyperliquid's feed share; not for others.
 *
 * Streams are feed_hyperliquid.c, the list of coins is hl_meta.c.
 */
#ifndef FEEDD_HL_FEED_H
#define FEEDD_HL_FEED_H

#include "feedd/feed_int.h"
#include "feedd/hl_suspect.h"
#include "feedd/watch.h"
#include "libvenue/hyperliquid.h"

#define HL_BOOK_CAP HL_LEVELS_MAX
#define HL_SEEN_N   512u /* trades remembered against repeats */
#define HL_LANES    2u

struct hl_seen {
	int64_t venue_ns;
	uint64_t trade_id;
};

/* Block that the newest of a kind is of, and who brought it. */
struct hl_newest {
	int64_t ns;
	uint8_t lane;
};

struct hl_market {
	struct pub pub;
	char name[HL_COIN_MAX + 1];
	struct instr in;
	struct unknown unlisted;
	bool is_listed; /* in the venue's first list */
	bool has_book;
	bool is_excused[HL_LANES]; /* no book came: the lane does without */
	bool lane_book[HL_LANES];  /* one came on this lane */
	bool has_trades[HL_LANES]; /* first frame after subscribing passed */
	bool has_ctx;
	uint32_t book_crossed_n; /* in a row; touch_crossed_n alike */
	uint32_t touch_crossed_n;
	struct hl_newest newest; /* book */
	struct hl_newest touch;
	int64_t trades_ns; /* trades from here on are news */
	struct stuck book_stuck;
	struct stuck touch_stuck;
	struct quiet book_quiet;
	struct quiet touch_quiet;
	struct tick_ref ref;
	uint32_t seen_at;
	struct hl_seen seen[HL_SEEN_N];
	struct book book;
	struct book_level level[2 * HL_BOOK_CAP];
};

struct hl_feed {
	struct feed feed;
	uint32_t coin_n;
	bool is_asking;
	uint64_t meta_ns;	   /* ask for the list again then */
	int64_t lane_ns[HL_LANES]; /* newest time on a lane's connection */
	struct hl_suspect suspect;
	struct hl_event ev;
	struct book tmp;
	struct book_level tmp_level[2 * HL_BOOK_CAP];
	struct hl_market coin[CFG_LIST_N];
};

static inline struct hl_feed *
hl_of(struct feed *f)
{
	return (struct hl_feed *)f;
}

/* hl_ask_meta - the list of coins, unless it is being asked for. hl_meta_again
 * - when it is old (an hour). hl_take_http - the answer: what is not listed,
 * or delisted, is INSTR_HALTED from then on. hl_meta_unknown - tell of coins
 * that are in no list. */
void hl_ask_meta(struct feed *f);
void hl_meta_again(struct feed *f);
void hl_meta_unknown(struct feed *f);
void hl_take_http(struct feed *f, const struct feed_event *in);

#endif

/*
 * pm_feed.h - state of the Polymarket feed; shared by feed_polymarket.c and
 * the pm_*.c files only; pm_want.h has what discovery and prices bring,
 * pm_sub.h what subscriptions do.
 *
 * Shards: 0 and 2..7 market channel, max_tokens tokens each; 1 price stream.
 * Two lanes of a shard are one stream by pm_merge.h. Instruments: PM_INDEX_N
 * settlement prices first, then one a market, in the YES frame. Both tokens'
 * books are kept, each in its own frame; readers get the YES one, the NO one
 * checks it. Pure.
 */
#ifndef FEEDD_PM_FEED_H
#define FEEDD_PM_FEED_H

#include "feedd/feed_int.h"
#include "feedd/pm_merge.h"
#include "feedd/pm_want.h"
#include "libvenue/gamma.h"
#include "libvenue/pm_hash.h"
#include "libvenue/polymarket.h"
#include "libvenue/rtds.h"

#define PM_MARKETS_N 512u
#define PM_INDEX_N   CFG_LIST_N
#define PM_MAP_N     4096u /* slots of the token table, a power of two */
#define PM_REF_CONN  1u
#define PM_SUB_TEXT  (PM_MARKETS_N * 2 * 84 + 256)

/* What a new connection begins with is so much older than what the last one
 * brought: its stream began again. Elsewhere nothing steps back. */
#define PM_BACK_NS INT64_C(60000000000)

/* Verdict on a batch when the next one does not come. */
#define PM_BATCH_NS UINT64_C(250000000)

/* A market is snapshotted again at most this often. */
#define PM_RESNAP_NS UINT64_C(1000000000)

/* After the end of one of two lanes its messages are remembered for this
 * long: the other one may be behind. */
#define PM_MIX_NS UINT64_C(60000000000)

/* A market moves to another shard at most so often before it has a book. */
#define PM_MOVES_MAX 3u

/* Tag of the question whether a token's book exists: this plus market * 2 +
 * role - 1. */
#define PM_TAG_EXISTS UINT32_C(0x40000000)

struct pm_tok {
	struct pm_token id;
	struct pm_meta meta;
	struct pm_meta_text last_px_before; /* the one before meta.last_px */
	int64_t trade_ns;		    /* venue time of the last trade */
	int64_t floor_ns; /* no older book, until a new connection */
	struct pm_order order;
	bool has_book;
	bool is_late; /* a change was missed: a whole book must come */
	bool is_awaited[PM_LANES]; /* a snapshot was asked for */
	bool has_lane[PM_LANES];   /* one came since the lane came up */
	bool is_hash_trusted;	   /* the last snapshot's hash was ours */
	bool hash_due;		   /* a batch left the hash different */
	bool touch_due;		   /* ... the touch different */
	bool has_expect;
	uint8_t hash_strikes;
	uint8_t touch_strikes;
	struct said hash_said;
	char expect[PM_HASH_LEN];
	struct pm_touch best_bid; /* as the venue said, if it did */
	struct pm_touch best_ask;
	struct book book; /* in the token's own frame */
	struct book_level level[2 * BOOK_DEPTH];
};

struct pm_market {
	bool used;
	bool is_off;	     /* not subscribed: not yet, or not any more */
	bool has_own_strike; /* our record answered for the opening */
	bool is_listed;	     /* came by the listing, not by name */
	bool was_seen;	     /* in the present look at the listing */
	bool is_recalled;    /* free since the life before; cond was there */
	uint8_t missed;	     /* looks without it */
	uint16_t want;	     /* index + 1 */
	uint64_t over_ns;    /* it ended then (monotonic), 0 not yet */
	uint64_t told_ns;    /* its outcome was told, 0 not yet */
	int64_t life_ns;     /* venue time moves its state then, 0 never */
	bool is_excused[PM_LANES]; /* no snapshot: the lane does without */
	bool is_crossed;	   /* after the last message */
	bool is_one_sided;
	bool mirror_due;
	struct said dirty_said;
	uint8_t mirror_strikes;
	uint8_t crossed_n;  /* batches in a row that ended crossed */
	uint8_t lead;	    /* lane that was first with the last change */
	uint8_t asked_n;    /* times in vain for the first snapshot */
	uint8_t moved_n;    /* ... on another shard */
	uint8_t hint;	    /* enum outcome by the market channel, 0 none */
	bool is_compared;   /* its outcome with our own prices */
	uint8_t state_kept; /* state to go back to from HYDRATING; 0 none */
	struct pub pub;
	struct instr in;
	struct pm_cond cond;
	uint64_t life;	 /* books so far: each begins anew */
	int64_t tick_ns; /* venue time of the last change of the grid */
	uint64_t wait_ns[PM_LANES]; /* snapshots were asked for */
	uint64_t resnap_ns;	    /* ask again not before */
	uint64_t resnap_due_ns;	    /* ... and do so then; 0 no need */
	uint64_t batch_due_ns;	    /* verdict then; 0 nothing is due */
	int64_t batch_ns;	    /* venue time of the batch */
	int64_t window_ns;	    /* length of an up/down window */
	int32_t mirror_diff_n;	    /* levels that differ between the tokens */
	struct pm_tok tok[2];	    /* enum token_role - 1 */
};

struct pm_feed {
	struct feed feed;
	uint32_t market_n; /* entries ever used */
	uint32_t index_n;
	/* the venue's clock */
	bool clock_known;
	bool clock_tried; /* an answer came, of whatever kind */
	bool clock_open;
	int64_t clock_off_ns; /* venue - wall */
	uint64_t clock_due_ns;
	uint64_t clock_asked_ns;
	/* discovery */
	uint64_t look_ns;     /* next look */
	uint64_t hold_ns;     /* no request before */
	uint64_t list_due_ns; /* not before */
	int64_t spent_ns;     /* of the request budget */
	uint32_t asks_n;      /* answers awaited */
	uint32_t books_n;     /* ... to questions about books */
	uint32_t failures_n;  /* in a row */
	uint32_t probe_n;     /* books asked for over REST */
	bool was_asked;	      /* anything, ever */
	bool was_looked;      /* the windows of the past were asked for */
	bool list_open;
	bool list_heard;
	bool list_waits;	       /* its next page waits for the budget */
	char list_after[PM_CURSOR_SZ]; /* the page to ask for; "": first */
	uint32_t list_n;	       /* markets fetched in this look */
	uint32_t list_take_n;	       /* ... that would be taken */
	usd_t list_floor;	       /* liquidity of the last one taken */
	usd_t rank[PM_MARKETS_N];      /* of this look, best first */
	uint32_t series_n;
	struct pm_series series[CFG_LIST_N];
	struct pm_want want[PM_WANTS_N];
	uint32_t ahead_n[FEED_LANES]; /* REST was ahead of a silent shard */
	uint32_t again_tok;	      /* market * 2 + role - 1, to ask again */
	uint64_t again_ns;	      /* ... then; 0 no */
	bool exists_open;	      /* PM_TAG_EXISTS is under way */
	uint64_t mix_ns[FEED_LANES];  /* two lanes mix until then */
	uint64_t open_ns[FEED_LANES]; /* a market of the rate is open since */
	uint64_t refresh_ns[FEED_CONN_N]; /* not before */
	struct pm_seen seen[FEED_LANES];
	uint64_t up_ns; /* the newest uncarried connection came up */
	uint64_t ref_ping_ns;
	struct unknown no_series[CFG_LIST_N];
	struct unknown no_slug[CFG_LIST_N];
	struct unknown no_symbol[PM_INDEX_N];
	struct pm_login login; /* of the newer price socket */
	struct pm_bolt bolt[PM_LANES];
	uint16_t map[PM_MAP_N]; /* market * 2 + role - 1, plus 1 */
	struct pm_index index[PM_INDEX_N];
	/* scratch of one event */
	struct pm_frame frame;
	struct pm_event ev;
	struct rtds_event rtds;
	struct polybolt_event bolt_ev;
	struct gamma_market gamma;
	struct book tmp;
	struct book_level tmp_level[2 * BOOK_DEPTH];
	struct pm_token tokens[2 * PM_MARKETS_N];
	char text[PM_SUB_TEXT];
	/* last: only what is used is touched */
	struct pm_market market[PM_MARKETS_N];
};

static inline struct pm_feed *
pm_of(struct feed *f)
{
	return (struct pm_feed *)f;
}

/* pm_table.c: which markets there are */

/* pm_find - market and role of a token, or NULL. */
struct pm_market *pm_find(
    struct pm_feed *p, const struct pm_token *t, enum token_role *role);

/* pm_find_cond - market of a condition, or NULL. */
struct pm_market *pm_find_cond(struct pm_feed *p, const struct pm_cond *c);

/* pm_recall - feed_recall for an entry that held a market. */
void pm_recall(struct feed *f, uint16_t idx, const struct instr *in);

/* pm_add - a market from discovery with both tokens; NULL when the table or
 * the connections are full (told). off: an entry without books. */
struct pm_market *pm_add(
    struct pm_feed *p, const struct gamma_market *g, bool off);

/* pm_switch - books of a market on or off. */
void pm_switch(struct pm_feed *p, struct pm_market *m, bool off);

/* pm_free - off, and its entry may go to another market. */
void pm_free(struct pm_feed *p, struct pm_market *m);

/* pm_book.c: what the market channel says */
void pm_take_book(struct pm_feed *p, const struct pm_event *ev);
void pm_take_changes(struct pm_feed *p, const struct pm_event *ev);
void pm_take_tick_size(struct pm_feed *p, const struct pm_event *ev);
void pm_take_touch(struct pm_feed *p, const struct pm_event *ev);

/* pm_retick - another grid since at_ns (venue time): a new epoch, and its
 * books again. What is no grid, or the same, changes nothing. */
void pm_retick(
    struct pm_feed *p, struct pm_market *m, tok_px_t tick, int64_t at_ns);

/* pm_dirty - drop the books of a market and get them again. */
void pm_dirty(struct pm_feed *p, struct pm_market *m, enum reason r);

/* pm_forget - no book, nothing due: after a break. pm_forget_tok - of one
 * token: it is no longer checked. What comes next must not be older, except
 * after pm_forget_time: on a new connection. */
void pm_forget(struct pm_market *m);
void pm_forget_time(struct pm_market *m);
void pm_forget_tok(struct pm_tok *t);

/* pm_check.c: is a book right? */

/* pm_begin_message, pm_end_message - around what one message of the venue
 * changes in one market. */
void pm_begin_message(struct pm_feed *p, struct pm_market *m, int64_t venue_ns);
void pm_end_message(
    struct pm_feed *p, struct pm_market *m, const bool touched[2]);

/* pm_close_batch - what is left different when no more of it comes. */
void pm_close_batch(struct pm_feed *p, struct pm_market *m);

/* pm_check_touch, pm_check_hash - against what the venue said last. */
void pm_check_touch(struct pm_feed *p, struct pm_tok *t);
void pm_check_hash(
    struct pm_feed *p, const struct pm_market *m, struct pm_tok *t);

/* pm_check_text - is a book's own text what its hash says? */
bool pm_check_text(
    struct pm_feed *p, const struct pm_tok *t, const struct pm_event *ev);

/* pm_recount_mirror - after a whole book. */
void pm_recount_mirror(struct pm_market *m);

/* pm_trade_px - price of a trade of the token: hashes may have waited. */
void pm_trade_px(struct pm_feed *p, struct pm_market *m, struct pm_tok *t,
    const struct pm_event *ev);

/* pm_take_rest_book - a body of GET /book: its hash is verified and its
 * metadata kept, and it may show that the socket is silent where it should
 * not be; REST never becomes a price. */
void pm_take_rest_book(struct pm_feed *p, const struct pm_event *ev);

#endif

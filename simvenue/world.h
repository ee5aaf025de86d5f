/*
 * world.h - the venues with participants of their own, in one place: a
 * shared price path, Polymarket's exchange with rolling up/down windows,
 * Hyperliquid's with one perpetual, Binance's streams and the price service.
 *
 * What      : pure state and time. The server (or a test in virtual time)
 *             calls world_step, takes what is emitted to those who subscribed,
 *             and brings requests to the desks.
 * Windows   : listed `ahead_s` before they start; participants trade from
 *             five minutes before the start; no orders after the end;
 *             resolved `resolve_s` later, the strike known to the public
 *             `strike_s` after the start.
 * Quiet     : one yes/no market with a fixed book and no participants, for
 *             tests of protocols.
 * Pure      : yes; seeded. The same seed and the same requests at the same
 *             times give the same texts.
 */
#ifndef SIMVENUE_WORLD_H
#define SIMVENUE_WORLD_H

#include "simvenue/candle.h"
#include "simvenue/hl_desk.h"
#include "simvenue/hl_flow.h"
#include "simvenue/path.h"
#include "simvenue/pm_desk.h"
#include "simvenue/pm_flow.h"
#include "simvenue/pm_tape.h"
#include "simvenue/pmx.h"

#define WORLD_SERIES	4u
#define WORLD_WINDOWS	PMX_MARKETS
#define WORLD_SLUG	48
#define WORLD_BN_LEVELS 40u /* a side of Binance's book */
#define WORLD_TEXT	((size_t)1 << 20)

/* Where an emitted text goes. */
enum world_channel {
	WORLD_PM_MARKET = 1, /* key: entry of the market in pmx */
	WORLD_PM_NEW,	     /* life of a market, to all who want events */
	WORLD_PM_USER,	     /* key: login of the desk */
	WORLD_PM_PRICE,	     /* price service; key: enum rtds_source */
	WORLD_BN,	     /* combined stream; key: enum world_bn */
	WORLD_HL,	     /* key: enum world_hl */
	WORLD_HL_USER,	     /* key: account * 8 + enum world_hl_user */
	WORLD_CHANNEL_N
};

enum world_bn {
	WORLD_BN_TRADE = 1,
	WORLD_BN_TICKER,
	WORLD_BN_AGGREGATE,
	WORLD_BN_DEPTH,
	WORLD_BN_KLINE,
	WORLD_BN_N
};

enum world_hl {
	WORLD_HL_BBO = 1,
	WORLD_HL_BOOK,
	WORLD_HL_BOOK_FAST,
	WORLD_HL_TRADES,
	WORLD_HL_CTX,
	WORLD_HL_N
};

enum world_hl_user {
	WORLD_HL_ORDERS = 1,
	WORLD_HL_FILLS,
	WORLD_HL_FUNDINGS,
	WORLD_HL_EVENT,	 /* of userEvents, but for fills */
	WORLD_HL_NOTICE, /* a sentence for people */
	WORLD_HL_PULSE,	 /* every WORLD_PULSE_NS, account 0: nothing is said */
	WORLD_HL_TRADED, /* there were trades, account 0: likewise */
	WORLD_HL_USER_N
};

/* How often Hyperliquid repeats states of accounts. */
#define WORLD_PULSE_NS UINT64_C(5000000000)

/* A trade of Hyperliquid's tape. */
struct world_trade {
	enum side side; /* of the taker */
	px_t px;
	qty_t qty;
	uint64_t ms;
	uint64_t tid;
};
#define WORLD_RECENT 30u

/* A trade of Binance, and the aggregate that is this one trade. */
struct world_bn_trade {
	uint64_t id;
	uint64_t aggregate;
	int64_t cents;
	int64_t qty_e8;
	int64_t us;
	bool sold; /* by the taker */
};
#define WORLD_BN_RECENT 1000u

/* How a market's orders are signed. */
enum world_kind {
	WORLD_V2 = 0, /* as the venue does now */
	WORLD_V3,     /* position ids */
	WORLD_V1,     /* as until April 2026 */
	WORLD_NEG_RISK,
	WORLD_KIND_N
};

/* world_kind_find - "v2", "v3", "v1", "neg-risk"; WORLD_KIND_N: none. */
enum world_kind world_kind_find(const char *name);

struct world_series {
	char name[WORLD_SLUG]; /* "btc-updown-5m" */
	uint32_t window_s;     /* 0: a quiet market */
	enum world_kind kind;
};

struct world_cfg {
	uint64_t seed;
	uint64_t start_ns; /* UTC */
	double rate;	   /* factor on the participants' rates */
	double px;
	double vol;
	uint32_t series_n;
	struct world_series series[WORLD_SERIES];
	uint32_t quiet_n; /* quiet markets beside quiet-market */
	struct world_series quiet[WORLD_SERIES];
	uint32_t ahead_s;
	uint32_t resolve_s;
	uint32_t strike_s;
	uint32_t delay_ms; /* of marketable orders */
	usd_t grant;	   /* to whoever signs in for the first time */
	bool has_limits;   /* rates and budgets are enforced */
	/* does anybody listen to a market? NULL: always */
	bool (*heard)(void *user, uint16_t market);
};

/* world_cfg_default - BTC windows of 5 and 15 minutes, figures as recorded. */
struct world_cfg world_cfg_default(uint64_t seed, uint64_t start_ns);

enum world_phase {
	WORLD_LISTED = 1,
	WORLD_TRADING, /* with participants */
	WORLD_ENDED,
	WORLD_RESOLVED,
	WORLD_PHASE_N
};

struct world_window {
	enum world_phase phase; /* 0: free */
	char slug[WORLD_SLUG];
	uint32_t number; /* Gamma's id */
	uint16_t market; /* entry in pmx until resolved */
	struct pmx_terms terms;
	uint64_t start_ns;
	uint64_t end_ns;
	double strike; /* 0: not public yet */
	double close_px;
	bool yes;	  /* once RESOLVED */
	bool is_void;	  /* then: half a dollar each */
	bool is_disputed; /* what it ended at is not accepted yet */
	bool is_pinned;	  /* its grid was changed by hand */
};

/* What clients did, not the simulator's own participants. */
struct world_count {
	uint64_t rested;    /* orders told as placed, or open */
	uint64_t trades;    /* matches, or fills, with a client on a side */
	int64_t matched_e8; /* shares or coins of those */
};

struct world {
	struct world_cfg cfg;
	struct world_count pm_count;
	struct world_count hl_count;
	void *user;
	void (*emit)(void *user, enum world_channel c, uint32_t key,
	    const char *text, size_t n);
	uint64_t now_ns;
	uint64_t rng;
	uint64_t acts; /* of world_act.c */
	bool disputes; /* windows that ended wait until this is over */
	bool voids;    /* windows are resolved at one half */
	uint32_t numbers;
	uint64_t slow_ns; /* next turn of what comes once a second */
	uint64_t bn_ns;
	uint64_t block_ns; /* next block of Hyperliquid */
	uint64_t fast_ns;
	uint64_t book_ns;
	uint64_t depth_ns;
	uint64_t bn_trade; /* newest of each kind of id */
	uint64_t bn_aggregate;
	uint64_t bn_update;
	uint64_t bn_depth; /* of the book as it was last told */
	int64_t bn_bid;	   /* its best bid, cents */
	uint64_t pulse_ns;
	uint32_t hl_recent_n; /* trades ever */
	struct world_trade hl_recent[WORLD_RECENT];
	struct candles hl_candles;
	struct candles bn_candles;
	uint64_t kline_ns;
	uint64_t bn_recent_n; /* trades ever */
	struct world_bn_trade bn_recent[WORLD_BN_RECENT];
	bool hl_changed;
	px_t hl_bid;
	px_t hl_ask;
	uint64_t listed_ns[WORLD_SERIES]; /* start of the newest window */
	struct path path;
	struct pmx_sink pmx_sink;
	struct hlx_sink hlx_sink;
	struct pm_flow pm_flow;
	struct hl_flow hl_flow;
	struct world_window window[WORLD_WINDOWS];
	char text[WORLD_TEXT];
	char trades[WORLD_TEXT]; /* of the block at hand */
	size_t trades_n;
	struct pm_desk pm_desk;
	struct hl_desk hl_desk;
	struct pm_tape tape;
	struct pmx pmx;
	struct hlx hlx;
};

/* world_init - in zeroed memory of sizeof(struct world). */
void world_init(struct world *w, const struct world_cfg *cfg,
    void (*emit)(void *user, enum world_channel c, uint32_t key,
	const char *text, size_t n),
    void *user);

/* world_fund - accounts for a private key's address on both exchanges. */
void world_fund(struct world *w, const struct address *who, usd_t usd);

/* world_step - everything that is due by now_ns (never earlier than before).
 * world_wake - when something is next. */
void world_step(struct world *w, uint64_t now_ns);
uint64_t world_wake(const struct world *w);

/* world_window_find - by slug, NULL. */
const struct world_window *world_window_find(
    const struct world *w, const char *slug, size_t n);

/* What the world does when it is told to (world_act.c).
 * world_hit_pm, world_hit_hl - a taker fills an order, or half of it (user:
 * the world). world_sweep - a taker buys for `usd` dollars through all levels
 * where clients rest. world_liquidate - of all clients on Hyperliquid.
 * world_external - `usd` pairs of each client are merged, or split.
 * world_change_ticks - of all markets on trade, 0.01 and 0.001 in turn;
 * orders off the grid (or all) go. */
void world_hit_pm(void *user, uint32_t order, bool half);
void world_hit_hl(void *user, uint32_t order, bool half);
void world_sweep(struct world *w, int64_t usd);
void world_liquidate(struct world *w);
void world_external(struct world *w, int64_t usd);
void world_change_ticks(struct world *w, bool all);

/* world_put_market, world_put_event - Gamma's objects of a window. */
void world_put_market(
    const struct world *w, const struct world_window *v, struct text *t);
void world_put_event(
    const struct world *w, const struct world_window *v, struct text *t);

/* world_put_trade - an entry of Hyperliquid's tape. world_put_recent - the
 * newest WORLD_RECENT of them as a list, oldest first. */
void world_put_trade(
    const struct world *w, const struct world_trade *k, struct text *t);
void world_put_recent(const struct world *w, struct text *t);

/* world_put_depth - Binance's book, as GET depth answers. */
void world_put_depth(const struct world *w, struct text *t);

/* What GET trades, aggTrades, klines and the tickers answer.
 * world_put_bn_trades - the newest `limit`, or of aggregates those from from_id
 * on (0: the newest). world_put_klines - an interval of candle.h. */
struct world_bn_ask {
	uint32_t limit;
	uint64_t from_id;
	uint64_t from_ms; /* 0: from the oldest */
	uint64_t to_ms;	  /* 0: to now */
};
void world_put_bn_trades(const struct world *w, const struct world_bn_ask *q,
    bool aggregates, struct text *t);
void world_put_klines(const struct world *w, const struct world_bn_ask *q,
    uint64_t interval_ms, struct candle *scratch, struct text *t);
void world_put_bn_ticker(const struct world *w, bool is_price, struct text *t);

/* world_put_prices - a snapshot of the price service: the last two minutes
 * of spot (0) or average. */
void world_put_prices(const struct world *w, bool average, struct text *t);

#endif

/*
 * gw_pm_int.h - what the files of the Polymarket port share; nobody else
 * includes it.
 *
 *   gw_pm.c        inputs, timer, modes
 *   gw_pm_book.c   orders, fills, markets by their keys
 *   gw_pm_call.c   requests and their limits
 *   gw_pm_order.c  placing
 *   gw_pm_ahead.c  signing before it is wanted
 *   gw_pm_cancel.c cancels
 *   gw_pm_state.c  what became of an order
 *   gw_pm_fill.c   trades, positions
 *   gw_pm_hold.c   positions against the venue's balances
 *   gw_pm_sync.c   start, gaps, heartbeats
 *   gw_pm_text.c   the venue's sentences
 */
#ifndef EXECD_GW_PM_INT_H
#define EXECD_GW_PM_INT_H

#include "execd/gw_pm.h"
#include "libvenue/frame.h"

/* ---- gw_pm_book.c ---- */

void gwpm_book_index(struct gwpm_book *b);
/* gwpm_undo_begin - before a part of a trade changes anything: the order's
 * index + 1 (0 none), market, role, trade_key and hash are set by the caller
 * in *u, the rest is filled. gwpm_undo_end - it is whole now. */
void gwpm_undo_begin(struct gwpm_book *b, const struct gwpm_undo *u);
void gwpm_undo_end(struct gwpm_book *b);
struct gwpm_order *gwpm_order_by_hash(
    struct gwpm_book *b, const struct pm_hash *h);
struct gwpm_order *gwpm_order_by_id(struct gwpm_book *b, uint64_t id);
/* gwpm_order_new - NULL: full. gwpm_order_hashed - its hash is known now. */
struct gwpm_order *gwpm_order_new(struct gwpm_book *b, uint64_t id);
void gwpm_order_hashed(struct gwpm_book *b, struct gwpm_order *o);
void gwpm_order_close(struct gwpm_book *b, struct gwpm_order *o, uint64_t ns);
struct gwpm_fill *gwpm_fill_by_key(struct gwpm_book *b, uint64_t key);
struct gwpm_fill *gwpm_fill_new(struct gwpm_book *b, uint64_t key);
struct gwpm_market *gwpm_market_of(struct gwpm_book *b, uint16_t instr);
/* gwpm_token_find - NULL: unknown; *role of the token. */
struct gwpm_market *gwpm_token_find(
    struct gwpm_book *b, const struct pm_token *t, uint8_t *role);

static inline struct gwpm_token *
gwpm_token_at(struct gwpm_book *b, uint16_t market, uint8_t role)
{
	return &b->market[market].token[role - ROLE_YES];
}

static inline qty_t
gwpm_left(const struct gwpm_order *o)
{
	return QTY(i64_max(0, o->qty.e8 - o->matched.e8));
}

/* gwpm_offered - the token's open sells changed by that much. */
void gwpm_offered(struct gwpm_book *b, const struct gwpm_order *o, int64_t e8);

/* ---- gw_pm_call.c ---- */

struct gwpm_out {
	enum gwpm_kind kind;
	enum gwpm_role role;
	const char *method;
	const char *path;
	const char *query; /* NULL none */
	size_t body_n;	   /* in g->body; 0 none */
	bool is_public;
};
/* gwpm_call_new - NULL: too many are out. gwpm_call_send - with the items
 * that the call holds; its tag, and the request leaves. */
struct gwpm_call *gwpm_call_new(struct gwpm *g, enum gwpm_kind kind);
void gwpm_call_send(struct gwpm *g, struct gwpm_call *c,
    const struct gwpm_out *o, const struct gwpm_now *now);
struct gwpm_call *gwpm_call_find(struct gwpm *g, uint64_t tag);
/* gwpm_call_over - forgets it; its orders are free of it. */
void gwpm_call_over(struct gwpm *g, struct gwpm_call *c);
void gwpm_limits_init(struct gwpm *g);
/* gwpm_limits_learn - from an answer's headers. */
void gwpm_limits_learn(struct gwpm *g, const struct gwpm_call *c,
    const struct gwpm_answer *a, uint64_t now_ns);

/* ---- gw_pm_text.c ---- */

enum gwpm_class {
	GWPM_SAYS_NOTHING = 1, /* no text */
	GWPM_SAYS_AUTH,
	GWPM_SAYS_BUG,
	GWPM_SAYS_CONFIG,
	GWPM_SAYS_ACCOUNT,
	GWPM_SAYS_PROTOCOL,
	GWPM_SAYS_TICK,
	GWPM_SAYS_SIZE,
	GWPM_SAYS_NOTIONAL,
	GWPM_SAYS_ROUNDING,
	GWPM_SAYS_DUPLICATE,
	GWPM_SAYS_CROSSES,
	GWPM_SAYS_BALANCE,
	GWPM_SAYS_NOT_FILLED,
	GWPM_SAYS_DELAYED,
	GWPM_SAYS_NOT_READY,
	GWPM_SAYS_CANCELLED,
	GWPM_SAYS_POST_ONLY, /* modes */
	GWPM_SAYS_CANCEL_ONLY,
	GWPM_SAYS_DISABLED,
	GWPM_SAYS_TIMED_OUT,
	GWPM_SAYS_NO_MATCH,
	GWPM_SAYS_NOT_FOUND,
	GWPM_SAYS_LIMITED,
	GWPM_SAYS_UNKNOWN,
	GWPM_CLASS_N
};

struct gwpm_says {
	enum gwpm_class class;
	enum reason reason;
};
struct gwpm_says gwpm_says(const char *text, size_t n);

/* gwpm_error_text - "error" or "errorMsg" of a JSON object, else the whole
 * body (a proxy's page). */
void gwpm_error_text(
    const char *body, size_t n, const char **text, size_t *text_n);

/* ---- gw_pm_order.c ---- */

void gwpm_place(
    struct gwpm *g, const struct port_act *a, const struct gwpm_now *now);
void gwpm_flush_posts(struct gwpm *g, const struct gwpm_now *now);
void gwpm_post_answer(struct gwpm *g, struct gwpm_call *c,
    const struct gwpm_answer *a, const struct gwpm_now *now);

/* gwpm_choose - the token and side to trade for o's side. gwpm_template - of
 * a market's exchange. */
void gwpm_choose(
    const struct gwpm *g, struct gwpm_order *o, const struct gwpm_now *now);
const struct pm_template *gwpm_template(
    const struct gwpm *g, const struct gwpm_market *m);

/* ---- gw_pm_ahead.c ---- */

/* gwpm_ahead_due - signs one order ahead when there is nothing else to do.
 * gwpm_ahead_take - true: w's salt, time and amounts, *s and o's size are
 * those of an order that was signed ahead, which is used up. */
void gwpm_ahead_due(struct gwpm *g, const struct gwpm_now *now);
bool gwpm_ahead_take(struct gwpm *g, struct gwpm_order *o,
    const struct gwpm_now *now, struct pm_order *w, struct pm_signed *s);

/* ---- gw_pm_cancel.c ---- */

void gwpm_cancel_queue(struct gwpm *g, struct gwpm_order *o);
void gwpm_flush_cancels(struct gwpm *g, const struct gwpm_now *now);
void gwpm_cancel_hash(
    struct gwpm *g, const struct pm_hash *h, const struct gwpm_now *now);
void gwpm_cancel_answer(struct gwpm *g, struct gwpm_call *c,
    const struct gwpm_answer *a, const struct gwpm_now *now);

/* ---- gw_pm_state.c: what became of an order, and telling it ---- */

void gwpm_tell(struct gwpm *g, const struct gwpm_order *o, enum port_ev what,
    enum reason why);
void gwpm_live(struct gwpm *g, struct gwpm_order *o, const struct gwpm_now *n);
void gwpm_delayed(struct gwpm *g, struct gwpm_order *o);
void gwpm_unknown(
    struct gwpm *g, struct gwpm_order *o, uint64_t ask_ns, enum reason why);
void gwpm_rejected(struct gwpm *g, struct gwpm_order *o, enum reason why,
    const struct gwpm_now *now);
void gwpm_cancelled(struct gwpm *g, struct gwpm_order *o, enum port_ev what,
    enum reason why, const struct gwpm_now *now);
/* gwpm_filled_up - the order is over when all of it has traded. */
void gwpm_filled_up(
    struct gwpm *g, struct gwpm_order *o, const struct gwpm_now *now);
/* gwpm_order_heard - the venue's word on an order, event or answer. */
void gwpm_order_heard(struct gwpm *g, const struct pm_user_order *u,
    bool is_answer, const struct gwpm_now *now);
void gwpm_ask_answer(struct gwpm *g, struct gwpm_call *c,
    const struct gwpm_answer *a, const struct gwpm_now *now);
/* gwpm_ask_due - asks about the orders whose time has come. */
void gwpm_ask_due(struct gwpm *g, const struct gwpm_now *now);
void gwpm_ask_at(struct gwpm_order *o, uint64_t ns);

/* ---- gw_pm_fill.c ---- */

void gwpm_trade(
    struct gwpm *g, const struct pm_user_trade *t, const struct gwpm_now *now);
int64_t gwpm_sellable(struct gwpm_book *b, uint16_t market, uint8_t role);

/* ---- gw_pm_hold.c ---- */

/* gwpm_hold_moved - a fill of the token has changed: it is read again soon.
 * gwpm_hold_begin - nothing that was read of the market counts any more.
 * gwpm_hold_again - everything is due. */
void gwpm_hold_moved(struct gwpm *g, uint16_t market, uint8_t role);
void gwpm_hold_begin(struct gwpm *g, const struct gwpm_market *m);
void gwpm_hold_again(struct gwpm *g);
void gwpm_balance_due(struct gwpm *g, const struct gwpm_now *now);
void gwpm_balance_answer(struct gwpm *g, struct gwpm_call *c,
    const struct gwpm_answer *a, const struct gwpm_now *now);

/* ---- gw_pm_sync.c ---- */

void gwpm_sync_want(struct gwpm *g, enum gwpm_step from, bool is_blocking,
    const struct gwpm_now *now);
void gwpm_sync_due(struct gwpm *g, const struct gwpm_now *now);
void gwpm_sync_answer(struct gwpm *g, struct gwpm_call *c,
    const struct gwpm_answer *a, const struct gwpm_now *now);
/* gwpm_poll_at - look at the trades by then. */
void gwpm_poll_at(struct gwpm *g, uint64_t ns);
void gwpm_beat_due(struct gwpm *g, const struct gwpm_now *now);
void gwpm_beat_answer(struct gwpm *g, struct gwpm_call *c,
    const struct gwpm_answer *a, const struct gwpm_now *now);

/* ---- gw_pm.c ---- */

enum port_mode gwpm_mode(const struct gwpm *g);
void gwpm_mode_tell(struct gwpm *g, const char *text);
/* gwpm_venue - the venue goes into a mode for at least ns. */
void gwpm_venue(struct gwpm *g, enum port_mode mode, uint64_t ns,
    const struct gwpm_now *now);
/* gwpm_refused - what every refused call may mean for the port as a whole:
 * credentials, modes, limits. Returns the text's class. */
struct gwpm_says gwpm_refused(struct gwpm *g, const struct gwpm_call *c,
    const struct gwpm_answer *a, const struct gwpm_now *now);
uint64_t gwpm_wall_s(const struct gwpm *g, const struct gwpm_now *now);
/* gwpm_sink_of - decoding into this port. */
struct gwpm_hear {
	struct gwpm *g;
	const struct gwpm_now *now;
	bool is_answer;
};
struct pm_user_sink gwpm_hearing(struct gwpm_hear *h);

#endif

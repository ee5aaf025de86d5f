/*
 * hl_user.h - what Hyperliquid says to one user: orders, fills, answers.
 *
 * What   : frames of the trading socket (orderUpdates, userFills, user, post,
 *          subscriptionResponse, error, pong) and the lists that /info sends
 *          of the same things.
 * How    : hl_user_open says what a frame is; hl_user_order or hl_user_fill
 *          then gives its entries one by one. An entry that cannot be read is
 *          given with its reason and the next one is read as if nothing had
 *          happened: one bad entry never hides another's fill.
 * Whose  : orderUpdates do not say whose they are: one user a connection.
 * Units  : px_t, qty_t, usd_t (cut toward zero at 1e-6), ns since 1970.
 * Limits : oid and tid below 10^18.
 * Pure   : yes. O(n). Unknown keys are skipped, keys come in any order.
 */
#ifndef LIBVENUE_HL_USER_H
#define LIBVENUE_HL_USER_H

#include "libcore/fixed.h"
#include "libcore/json.h"
#include "libcore/types.h"

#define HLU_CLOID_SZ 16

enum hlu_kind {
	HLU_ERR = 1,	/* refused: reason, err_off */
	HLU_ORDERS,	/* entries: hl_user_order */
	HLU_FILLS,	/* entries: hl_user_fill; is_snapshot */
	HLU_POST,	/* post_id, type, payload */
	HLU_SUBSCRIBED, /* type: of the subscription */
	HLU_REFUSAL,	/* msg: a text of channel error */
	HLU_PONG,
	HLU_OTHER, /* funding, liquidation, notification, market data */
	HLU_KIND_N
};

struct hl_user {
	enum hlu_kind kind;
	enum reason reason;
	uint32_t err_off;
	struct json list; /* where the next entry is */
	bool is_snapshot;
	struct json_str user; /* of HLU_FILLS, n == 0 not said */
	struct json_str type;
	struct json_str payload; /* raw JSON */
	struct json_str msg;
	uint64_t post_id;
};

/*
 * How an order stands, told by its status:
 *   open, triggered              LIVE
 *   filled                       FILLED
 *   ends in anceled or Cancel    CANCELLED
 *   ends in ejected              REJECTED
 *   anything else                STRANGE: ask, and count it as live
 */
enum hlu_state {
	HLU_LIVE = 1,
	HLU_FILLED,
	HLU_CANCELLED,
	HLU_REJECTED,
	HLU_STRANGE,
	HLU_STATE_N
};

struct hlu_order {
	enum reason reason; /* NONE, or why it cannot be read */
	enum hlu_state state;
	struct json_str coin;
	struct json_str status; /* n == 0 in lists of open orders */
	enum side side;
	px_t px;
	qty_t left;
	qty_t qty; /* when it was placed */
	uint64_t oid;
	int64_t placed_ns;
	int64_t status_ns; /* 0 not said */
	bool has_cloid;
	bool reduce_only; /* of frontendOpenOrders */
	bool is_trigger;
	uint8_t cloid[HLU_CLOID_SZ];
};

struct hlu_fill {
	enum reason reason;
	struct json_str coin;
	enum side side; /* ours */
	px_t px;
	qty_t qty;
	qty_t start;  /* signed position before it */
	usd_t closed; /* realised, before fees */
	usd_t fee;    /* > 0 paid, < 0 received */
	uint64_t oid;
	uint64_t tid;
	int64_t venue_ns;
	bool is_taker;
	bool is_liquidation;
	bool is_usdc; /* the fee's token */
	bool has_cloid;
	uint8_t cloid[HLU_CLOID_SZ];
};

enum hlu_kind hl_user_open(struct hl_user *u, const char *text, size_t n);

/* hl_user_order, hl_user_fill - the next entry. False: none left, or the list
 * itself is broken (u->list.reason). */
bool hl_user_order(struct hl_user *u, struct hlu_order *out);
bool hl_user_fill(struct hl_user *u, struct hlu_fill *out);

/* hl_user_orders, hl_user_fills - a list as /info sends it, to be walked in
 * the same way. False: not a list. */
bool hl_user_orders(struct hl_user *u, const char *text, size_t n);
bool hl_user_fills(struct hl_user *u, const char *text, size_t n);

/* hl_user_status - the answer to orderStatus. False: not such an answer.
 * *known false: the venue has never heard of it. */
bool hl_user_status(
    const char *text, size_t n, bool *known, struct hlu_order *out);

/* hlu_state_of - of a status text. */
enum hlu_state hlu_state_of(struct json_str status);

/* ---- answers to actions: the body of /exchange, the payload of a post ---- */

enum hla_kind {
	HLA_BAD = 1,  /* not an answer: what was done is not known */
	HLA_STATUSES, /* entries: hl_answer_next */
	HLA_DEFAULT,  /* done */
	HLA_ERR,      /* the whole request was refused: msg */
	HLA_KIND_N
};

struct hl_answer {
	enum hla_kind kind;
	struct json_str msg;
	struct json list;
};

enum hla_status {
	HLA_RESTING = 1, /* oid */
	HLA_DONE,	 /* filled: oid, qty in all, px on average */
	HLA_SUCCESS,	 /* of a cancel */
	HLA_REFUSED,	 /* msg */
	HLA_WAITING,	 /* strings of trigger orders */
	HLA_ODD,	 /* unreadable */
	HLA_STATUS_N
};

struct hla_entry {
	enum hla_status status;
	uint64_t oid;
	qty_t qty;
	px_t px;
	struct json_str msg;
};

enum hla_kind hl_answer_open(struct hl_answer *a, const char *text, size_t n);
bool hl_answer_next(struct hl_answer *a, struct hla_entry *out);

#endif

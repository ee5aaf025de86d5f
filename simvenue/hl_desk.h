/*
 * hl_desk.h - Hyperliquid's order entry as clients meet it: signed actions
 * and questions in, exchange calls, JSON out.
 *
 * What      : /exchange and /info, over HTTP or as posts of the WebSocket;
 *             what user channels say of orders, fills and funding.
 * People    : accounts are known by address and must exist. A signature that
 *             does not fit shows an address that nobody has, as at the venue.
 *             An agent signs for its master.
 * Nonces    : the 100 highest of a signer are kept; a new one must not be
 *             among them, above the lowest, and within (-2 days, +1 day).
 * Order     : a request is read into values and hashed again from those, so
 *             that only the venue's own spelling of an action verifies.
 * Pure      : yes.
 */
#ifndef SIMVENUE_HL_DESK_H
#define SIMVENUE_HL_DESK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcore/json.h"
#include "libsign/hl_action.h"
#include "libvenue/text.h"
#include "simvenue/hlx.h"
#include "simvenue/mishap.h"

#define HL_SIGNERS_MAX 2048u
#define HL_SIGNER_MAP  (2u * HL_SIGNERS_MAX)
#define HL_NONCES      100u
#define HL_INFO_FILLS  2000u
#define HL_INFO_BOOK   20u
#define HL_INFO_ORDERS 2000u
#define HL_INFO_FUNDED 500u

/* Who may sign for an account: its own key, or an agent. */
struct hl_signatory {
	struct address address;
	uint32_t account;
	bool is_agent;
	uint32_t nonce_n;
	uint64_t nonce[HL_NONCES]; /* sorted, lowest first */
};

/* A cancel that was told as done and is not yet. */
struct hl_late {
	uint64_t oid;
	uint64_t ns;
};
#define HL_LATE_MAX 64u

struct hl_desk {
	struct hlx *x;
	bool mainnet;
	/* what goes wrong, see fault.def; all zero: nothing */
	const struct mishaps *mishaps;
	int64_t skew_s;	   /* of the clock that checks nonces and expiries */
	uint64_t stale_ns; /* orders are told as they were so long ago */
	/* somebody takes an order's rest (or half of it), NULL: nobody can */
	void (*hit)(void *user, uint32_t order, bool half);
	void *hit_user;
	uint32_t late_n;
	struct hl_late late[HL_LATE_MAX];
	bool has_limits;   /* the address budget is enforced */
	bool is_exhausted; /* ... and gone, whatever is left of it */
	/* questions that are not about accounts; NULL: there are none. False:
	 * not known */
	bool (*other)(void *user, const char *body, size_t n, struct text *out);
	void *user;
	usd_t schedule_min; /* volume below which scheduleCancel is refused */
	struct secp secp;
	bool is_client[HLX_ACCOUNTS];
	uint16_t by_address[HL_SIGNER_MAP]; /* signers, + 1 */
	uint32_t signer_n;
	struct hl_signatory signer[HL_SIGNERS_MAX];
	/* scratch of one call */
	struct hl_order orders[HL_BATCH_MAX];
	struct hl_cancel cancels[HL_BATCH_MAX];
	struct hl_modify changes[HL_BATCH_MAX];
	uint8_t msgpack[HL_MSGPACK_MAX];
	char json[HL_BODY_MAX];
};

void hl_desk_init(struct hl_desk *d, struct hlx *x, const uint8_t blind[32]);

/* hl_desk_account - open (or find) an account and fund it. HLX_NONE: full. */
uint32_t hl_desk_account(
    struct hl_desk *d, const struct address *who, usd_t usd);

/* hl_desk_agent - let an agent's key sign for an account. False: full. */
bool hl_desk_agent(
    struct hl_desk *d, const struct address *agent, uint32_t account);

/* hl_desk_exchange - the body of /exchange. Returns the HTTP status. */
unsigned hl_desk_exchange(struct hl_desk *d, const char *body, size_t n,
    uint64_t now_ns, struct text *out);

/* hl_desk_step - cancels that are late and due. hl_desk_wake - when, 0
 * never. */
void hl_desk_step(struct hl_desk *d, uint64_t now_ns);
uint64_t hl_desk_wake(const struct hl_desk *d);

/* hl_desk_info - the body of /info; 0: neither known here nor to `other`. */
unsigned hl_desk_info(const struct hl_desk *d, const char *body, size_t n,
    uint64_t now_ns, struct text *out);

/* hl_desk_post - a WebSocket post: {"method":"post",...} to its answer.
 * False: not a post that could be read (answered on channel error). */
bool hl_desk_post(struct hl_desk *d, const char *text, size_t n,
    uint64_t now_ns, struct text *out);

/* hl_say.c: what is said of orders, fills, positions */
void hl_say_user(const struct hlx *x, uint32_t account, struct text *t);
void hl_say_order_update(const struct hlx *x, uint32_t order, struct text *t);
void hl_say_fill(const struct hlx *x, const struct hlx_fill *f, struct text *t);
void hl_say_funding(
    const struct hlx *x, const struct hlx_funding *f, struct text *t);
void hl_say_funded(const struct hlx *x, const struct hlx_funding *f,
    struct text *t); /* its members but time, each with a comma in front */
void hl_say_open_order(
    const struct hlx *x, uint32_t order, bool frontend, struct text *t);
void hl_say_state(
    const struct hlx *x, uint32_t account, uint64_t now_ns, struct text *t);
void hl_say_asset(const struct hlx *x, uint32_t account, uint32_t coin,
    struct text *t); /* members of activeAssetData but user and coin */
void hl_say_ctx(const struct hlx *x, uint32_t coin, struct text *t);
px_t hl_mid(const struct hlx *x, uint32_t coin); /* the mark when one-sided */
void hl_say_history(const struct hlx *x, uint32_t order, struct text *t);
void hl_say_book(const struct hlx *x, uint32_t coin, uint32_t depth,
    uint64_t now_ns, struct text *t);

/* hl_desk_read.c */
/* An action as it came, with what stands beside it. */
struct hl_call {
	struct hl_action action;
	struct hl_meta meta;
	struct sig sig;
	bool has_sig;
	bool is_agent_approval;
	struct address agent; /* of an approval */
	struct json_str agent_name;
	uint64_t chain_id;
	bool has_name;
};

/* hl_read_request - {"action":...,"nonce":...,"signature":...}; the entries
 * of a batch go to d's scratch. False: of another shape. */
bool hl_read_request(
    struct hl_desk *d, const char *text, size_t n, struct hl_call *c);

#endif

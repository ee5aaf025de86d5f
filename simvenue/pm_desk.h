/*
 * pm_desk.h - Polymarket's order entry as clients meet it: HTTP in, exchange
 * calls, JSON out.
 *
 * What      : authentication (L1 signatures, L2 HMAC over the exact bytes of
 *             the body), signed orders, cancels, queries, heartbeats, rate
 *             limits a signer, the venue's texts; and the user channel.
 * People    : up to DESK_LOGINS logins, found by hash. One is a key's address
 * with its API credentials; it may trade on up to four accounts, one a
 * signature type. Whoever signs in for the first time gets an account with
 * `grant` dollars, so that any client can begin at once. Checks    : what the
 * venue checks, in its order: credentials, owner, signature and order id, then
 * pmx.h. Pure      : yes; randomness (ids, secrets) is seeded.
 */
#ifndef SIMVENUE_PM_DESK_H
#define SIMVENUE_PM_DESK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libsign/pm_auth.h"
#include "libsign/pm_order.h"
#include "libsys/httpmsg.h"
#include "libvenue/text.h"
#include "simvenue/mishap.h"
#include "simvenue/pmx.h"

#define DESK_LOGINS    1024u
#define DESK_MAP       (2u * DESK_LOGINS)
#define DESK_UUID_LEN  36
#define DESK_SECRET_SZ 32
#define DESK_BATCH_MAX 15u
#define DESK_IDS_MAX   3000u
#define DESK_PAGE      100u

/* Refill a second and burst of the Standard tier. */
#define DESK_ORDER_RATE	  40u
#define DESK_ORDER_BURST  60u
#define DESK_CANCEL_RATE  80u
#define DESK_CANCEL_BURST 120u

struct desk_bucket {
	int64_t e6; /* tokens, 1e-6 */
	uint64_t at_ns;
};

struct desk_login {
	bool used;
	bool has_key;
	struct address address;	    /* of the key */
	uint32_t account[PM_SIG_N]; /* in pmx, PMX_NONE */
	struct pm_creds creds;
	char api_key[DESK_UUID_LEN + 1];
	char secret[BASE64_LEN(DESK_SECRET_SZ) + 1];
	char passphrase[2 * DESK_SECRET_SZ + 1];
	char beat[DESK_UUID_LEN + 1]; /* heartbeat id that comes next */
	struct desk_bucket orders;
	struct desk_bucket cancels;
};

/* Which account is whose; the simulator's own participants have no login. */
struct desk_owner {
	bool used;
	uint8_t sig_type;
	uint16_t login; /* + 1, 0 none */
	struct address maker;
	char api_key[DESK_UUID_LEN + 1];
};

/* A cancel that was told as done and is not yet. */
struct desk_late {
	struct pmx_id id;
	uint64_t ns;
};
#define DESK_LATE_MAX 64u

struct pm_desk {
	struct pmx *x;
	/* what goes wrong, see fault.def; all zero: nothing */
	const struct mishaps *mishaps;
	bool is_restarting; /* 425 to order entry */
	bool is_unsent;	    /* MATCHED is told as not broadcast */
	int64_t skew_s;	    /* of the clock that checks timestamps */
	uint64_t stale_ns;  /* orders are told as they were so long ago */
	/* somebody takes an order's rest (or half of it), NULL: nobody can */
	void (*hit)(void *user, uint32_t order, bool half);
	void *hit_user;
	/* an order came, by its id; before it is placed. NULL: nobody asks */
	void (*named)(void *user, const uint8_t id[32]);
	void *named_user;
	uint32_t late_n;
	struct desk_late late[DESK_LATE_MAX];
	uint64_t rng;
	usd_t grant;
	bool has_limits; /* token buckets are enforced */
	uint32_t chain_id;
	struct secp secp;
	uint32_t login_n;
	uint16_t by_address[DESK_MAP]; /* logins, + 1 */
	uint16_t by_key[DESK_MAP];
	struct desk_login login[DESK_LOGINS];
	struct desk_owner owner[PMX_ACCOUNTS];
	char scratch[DESK_IDS_MAX * 128]; /* of one call */
};

struct desk_request {
	const struct http_head *head;
	const char *body;
	size_t body_n;
	uint64_t now_ns; /* UTC */
};

struct desk_answer {
	unsigned status;
	struct text *body;
	struct text *headers; /* "Name: value\r\n" lines */
};

/* desk_init - over an exchange; seed: of ids and secrets. */
void desk_init(struct pm_desk *d, struct pmx *x, uint64_t seed, usd_t grant);

/*
 * desk_account - the account that a key's address has under a signature
 * type, made and funded with `usd` when there is none. maker: where the money
 * is, NULL for the address itself. PMX_NONE when the tables are full.
 */
uint32_t desk_account(struct pm_desk *d, const struct address *who,
    uint8_t sig_type, const struct address *maker, usd_t usd);

/* desk_login_by_key - whose API key it is; NULL: nobody's. O(1). */
struct desk_login *desk_login_by_key(
    struct pm_desk *d, const char *key, size_t n);

/* desk_participant - an account of the simulator's own. PMX_NONE: full. */
uint32_t desk_participant(struct pm_desk *d, usd_t usd);

/* desk_is_mine - does this path belong here? */
bool desk_is_mine(struct http_text path);

/* desk_request - one call. */
void desk_request(
    struct pm_desk *d, const struct desk_request *r, struct desk_answer *a);

/* desk_step - cancels that are late and due. desk_wake - when, 0 never. */
void desk_step(struct pm_desk *d, uint64_t now_ns);
uint64_t desk_wake(const struct pm_desk *d);

/* desk_hello - the first frame of a user channel: which login's credentials
 * it shows, DESK_LOGINS when they are wrong. */
uint32_t desk_hello(struct pm_desk *d, const char *text, size_t n);

/* desk_login_of - whose channel hears of an account; DESK_LOGINS: nobody's. */
uint32_t desk_login_of(const struct pm_desk *d, uint32_t account);

/* pm_say.c: what is said of orders and trades */

/* say_order_event - on the user channel. say_order - in answers. */
void say_order_event(const struct pm_desk *d, uint32_t order,
    enum pmx_order_event what, struct text *t);
void say_order(const struct pm_desk *d, uint32_t order, struct text *t);

/* say_trade - as `login` sees it; in answers the status has a prefix. */
void say_trade(const struct pm_desk *d, uint32_t trade, uint32_t login,
    bool is_event, struct text *t);

/* say_trade_logins - whom a trade concerns: at most cap logins, each once.
 * Returns how many. */
#define SAY_TRADE_LOGINS (PMX_LEGS + 1u)
uint32_t say_trade_logins(
    const struct pm_desk *d, uint32_t trade, uint32_t out[SAY_TRADE_LOGINS]);

/* say_trade_concerns - is one side of a trade this login's? */
bool say_trade_concerns(
    const struct pm_desk *d, uint32_t trade, uint32_t login);

/* say_uuid - of a number; desk_uuid - of the seeded randomness. */
void say_uuid(uint64_t hi, uint64_t lo, char out[DESK_UUID_LEN + 1]);
void say_trade_id(uint64_t id, char out[DESK_UUID_LEN + 1]);

#endif

/*
 * hl_action.h - Hyperliquid's actions: encoded, hashed, signed, sent.
 *
 * What   : an action is a value; hl_action_encode writes it as MessagePack
 *          and JSON at once (hl_wire.h).
 * Hash   : connection id = keccak256(msgpack, nonce as 8 bytes, 0 or 1 and
 *          the vault, nothing or 0 and the expiry as 8 bytes).
 * Sign   : the connection id in a typed-data struct of an agent.
 * Fields : optional ones are left out, never null or false.
 * Pure   : yes, no allocation.
 */
#ifndef LIBSIGN_HL_ACTION_H
#define LIBSIGN_HL_ACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcore/fixed.h"
#include "libcore/types.h"
#include "libsign/address.h"
#include "libsign/hl_wire.h"
#include "libsign/secp.h"

#define HL_CLOID_SZ  16
#define HL_BATCH_MAX 40 /* orders, cancels or changes in one action */
/* Enough for HL_BATCH_MAX of the longest entries. */
#define HL_MSGPACK_MAX 8192
#define HL_BODY_MAX    12288

enum hl_tif {
	HL_ALO = 1, /* post-only */
	HL_IOC = 2,
	HL_GTC = 3,
	HL_TIF_N
};

enum hl_trigger {
	HL_TRIGGER_NONE = 0, /* a limit order */
	HL_TAKE_PROFIT = 1,
	HL_STOP_LOSS = 2,
	HL_TRIGGER_N
};

enum hl_action_kind {
	HL_ORDER = 1,
	HL_CANCEL = 2,
	HL_CANCEL_CLOID = 3,
	HL_MODIFY = 4,
	HL_BATCH_MODIFY = 5,
	HL_SCHEDULE_CANCEL = 6,
	HL_UPDATE_LEVERAGE = 7,
	HL_NOOP = 8,
	HL_RESERVE_WEIGHT = 9,
	HL_ACTION_N
};

struct hl_order {
	uint32_t asset;
	enum side side;
	px_t px;   /* valid: hl_px_ok */
	qty_t qty; /* valid: hl_qty_ok */
	enum hl_tif tif;
	bool reduce_only;
	bool has_cloid;
	uint8_t cloid[HL_CLOID_SZ];
	/* Trigger orders; tif does not count then. */
	enum hl_trigger trigger;
	bool trigger_market;
	px_t trigger_px;
};

/* A cancel by the venue's id or by ours. */
struct hl_cancel {
	uint32_t asset;
	uint64_t oid;
	uint8_t cloid[HL_CLOID_SZ];
};

struct hl_modify {
	bool by_cloid; /* the order to be replaced: cloid, else oid */
	uint64_t oid;
	uint8_t cloid[HL_CLOID_SZ];
	struct hl_order order;
};

/* Members that a kind does not name are ignored. */
struct hl_action {
	enum hl_action_kind kind;
	uint16_t n;			 /* entries, 1 to HL_BATCH_MAX */
	const struct hl_order *orders;	 /* ORDER */
	const struct hl_cancel *cancels; /* CANCEL, CANCEL_CLOID */
	const struct hl_modify *changes; /* MODIFY (one), BATCH_MODIFY */
	bool fast;	   /* cancels before others: always, but triggers */
	bool always;	   /* BATCH_MODIFY: place even if the old is gone */
	uint32_t priority; /* ORDER: fee in 1e-8 of notional, 0 none */
	bool has_builder;  /* ORDER */
	struct address builder;
	uint32_t builder_fee; /* tenths of a basis point */
	uint64_t time_ms;     /* SCHEDULE_CANCEL, 0 clears */
	uint32_t asset;	      /* UPDATE_LEVERAGE */
	uint32_t leverage;
	bool cross;
	uint32_t weight; /* RESERVE_WEIGHT */
};

/* What stands beside an action in a request. */
struct hl_meta {
	uint64_t nonce;
	bool has_vault;
	struct address vault;
	uint64_t expires_ms; /* 0: none */
};

/* Who signs for which network. */
struct hl_signer {
	const struct secp *secp;
	const uint8_t *key; /* SECP_KEY_SZ bytes in locked memory */
	bool mainnet;
};

/* hl_action_ok - do kinds, counts and texts make sense? Prices and sizes are
 * judged by hl_num.h. */
bool hl_action_ok(const struct hl_action *a);

/* hl_action_encode - needs hl_action_ok (CHECK). Returns false when a buffer
 * is too small. */
bool hl_action_encode(const struct hl_action *a, struct hl_wire *w);

/* hl_connection_id - of n bytes of MessagePack. */
void hl_connection_id(const uint8_t *mp, size_t n, const struct hl_meta *meta,
    uint8_t out[HASH_SZ]);

/* hl_agent_digest - what is signed for a connection id. */
void hl_agent_digest(
    bool mainnet, const uint8_t connection_id[HASH_SZ], uint8_t out[HASH_SZ]);

/*
 * hl_request - the body of POST /exchange at buf of HL_BODY_MAX bytes, with
 * NUL. post_id != 0: the frame of a WebSocket post with that id instead.
 * sig, when it is not NULL, is given the signature.
 * Returns its length, 0 for a bad key or an action that does not fit.
 */
struct hl_request {
	const struct hl_action *action;
	const struct hl_meta *meta;
	uint64_t post_id;
	struct sig *sig;
};
size_t hl_request(const struct hl_signer *s, const struct hl_request *r,
    char buf[HL_BODY_MAX]);

/*
 * hl_approve_agent - the body that lets an agent's key trade for the master's
 * (s->key is the master's, which the stages never hold). name "" approves the
 * unnamed agent; a name has up to HL_AGENT_NAME_MAX printable characters, no
 * quote and no backslash.
 * Returns its length, 0 for a bad key or name.
 */
#define HL_AGENT_NAME_MAX 64
struct hl_agent {
	struct address address;
	const char *name;
	uint64_t nonce;
	uint64_t chain_id; /* of the wallet's signature, 0x66eee is usual */
};
size_t hl_approve_agent(
    const struct hl_signer *s, const struct hl_agent *a, char buf[HL_BODY_MAX]);

/* hl_user_separator - domain of the actions that users sign. */
void hl_user_separator(uint64_t chain_id, uint8_t out[HASH_SZ]);

/* hl_cloid_text - 0x and 32 lower-case digits with NUL. */
#define HL_CLOID_TEXT_MAX 35
void hl_cloid_text(
    const uint8_t cloid[HL_CLOID_SZ], char buf[HL_CLOID_TEXT_MAX]);

const char *hl_action_name(enum hl_action_kind k);

#endif

/*
 * pm_order.h - Polymarket orders: id, signature, body.
 *
 * What     : the live order struct, with exchange contracts of generation V2
 *            and V3. The dead V1 is in pm_v1.h.
 * Id       : the typed-data digest of the order, known before it is sent.
 * Template : what is constant for an account on an exchange is hashed and
 *            formatted once; an order then costs four hashes (seven for a
 *            deposit wallet), a signature and one pass of copying.
 * Pure     : yes, no allocation.
 *
 *   pm_exchange_init   once an exchange: its domain separator
 *   pm_template_init   once an account and exchange
 *   pm_asset_init      once a token
 *   pm_order_sign      id and signature
 *   pm_order_body      the exact text of POST /order
 */
#ifndef LIBSIGN_PM_ORDER_H
#define LIBSIGN_PM_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcore/types.h"
#include "libsign/address.h"
#include "libsign/hex.h"
#include "libsign/pm_amount.h"
#include "libsign/secp.h"

#define PM_CHAIN_POLYGON 137
#define PM_CHAIN_AMOY	 80002
#define PM_SALT_MAX	 ((UINT64_C(1) << 53) - 1) /* a JSON number */
#define PM_OWNER_MAX	 64
#define PM_BODY_MAX	 2048
#define PM_SIG_SZ_MAX	 317 /* of a deposit wallet; others SIG_SZ */

/* How the venue checks a signature; the numbers are the venue's. */
#define PM_SIG_EOA	      0
#define PM_SIG_PROXY	      1
#define PM_SIG_SAFE	      2
#define PM_SIG_DEPOSIT_WALLET 3
#define PM_SIG_N	      4

enum pm_generation {
	PM_EXCHANGE_V1 = 1, /* dead: pm_v1.h */
	PM_EXCHANGE_V2 = 2,
	PM_EXCHANGE_V3 = 3,
	PM_EXCHANGE_N
};

struct pm_exchange {
	enum pm_generation generation;
	uint32_t chain_id;
	struct address contract;
	uint8_t separator[HASH_SZ];
};

/* The token of an outcome: a number of 256 bits. */
struct pm_asset {
	uint8_t word[HASH_SZ];
	char text[DEC256_MAX + 1];
	uint8_t n;
};

/* Who trades. maker holds the money; signer is the key's own address, but
 * the maker for deposit wallets. */
struct pm_account {
	struct address maker;
	struct address signer;
	uint8_t sig_type;	      /* PM_SIG_* */
	char owner[PM_OWNER_MAX + 1]; /* the API key */
	uint8_t metadata[HASH_SZ];    /* usually zero */
	uint8_t builder[HASH_SZ];     /* usually zero */
};

#define PM_CHUNK_MAX 512

struct pm_chunk {
	uint16_t n;
	char text[PM_CHUNK_MAX];
};

struct pm_template {
	struct pm_exchange exchange;
	uint8_t sig_type;
	uint8_t words[12][HASH_SZ];  /* of the order */
	uint8_t wallet[7][HASH_SZ];  /* of a deposit wallet's wrapper */
	struct pm_chunk people;	     /* from maker to the token */
	struct pm_chunk type;	     /* from side to the timestamp */
	struct pm_chunk codes;	     /* from expiration to the signature */
	struct pm_chunk wallet_tail; /* end of a deposit wallet's signature */
	struct pm_chunk owner;	     /* from the signature to the type */
};

struct pm_order {
	uint64_t salt; /* 1 to PM_SALT_MAX, unique: pm_salt */
	const struct pm_asset *asset;
	struct pm_amounts amounts;
	enum side side;
	enum pm_tif tif;
	bool post_only; /* GTC and GTD only */
	uint64_t timestamp_ms;
	uint64_t expiration_s; /* GTD only, else 0; not signed */
};

struct pm_signed {
	uint8_t id[HASH_SZ];
	uint8_t contents[HASH_SZ]; /* struct hash of the order */
	struct sig sig;
};

/* pm_exchange_init - the contract of a generation. Returns false when there
 * is none on the chain. V3 has one contract, neg-risk or not. */
bool pm_exchange_init(struct pm_exchange *x, enum pm_generation generation,
    bool neg_risk, uint32_t chain_id);

/* pm_exchange_at - the same for a contract that the caller names. */
void pm_exchange_at(struct pm_exchange *x, enum pm_generation generation,
    uint32_t chain_id, const struct address *contract);

/* pm_asset_init - w[0] the lowest 64 bits, as struct pm_token has them. */
void pm_asset_init(struct pm_asset *a, const uint64_t w[4]);

/*
 * pm_template_init - a is copied. Returns false for an unknown signature
 * type, a deposit wallet whose signer is not its maker, an owner with
 * anything but letters, digits, - and _, or an exchange of V1.
 */
bool pm_template_init(struct pm_template *t, const struct pm_exchange *x,
    const struct pm_account *a);

/* pm_salt - numbers below 2^53 to salts, no two to the same; neighbours do
 * not look alike. Zero becomes a salt that no other number below 2^53 - 1
 * has. */
uint64_t pm_salt(uint64_t n);

/* pm_order_ok - is what pm_order says of its members true of o? The amounts
 * are judged by pm_amounts_ok. */
bool pm_order_ok(const struct pm_order *o);

/* pm_order_id - the id and struct hash only. Needs pm_order_ok (CHECK). */
void pm_order_id(const struct pm_template *t, const struct pm_order *o,
    struct pm_signed *out);

/* pm_order_sign - id, struct hash and signature. Needs pm_order_ok (CHECK).
 * Returns false for a bad key. */
bool pm_order_sign(const struct pm_template *t, const struct secp *c,
    const uint8_t key[SECP_KEY_SZ], const struct pm_order *o,
    struct pm_signed *out);

/* pm_order_body - the text of POST /order at buf of PM_BODY_MAX bytes, with
 * NUL. Returns its length. */
size_t pm_order_body(const struct pm_template *t, const struct pm_order *o,
    const struct pm_signed *s, char buf[PM_BODY_MAX]);

/*
 * pm_order_signer - the venue's side: whose signature sig (n bytes: SIG_SZ,
 * PM_SIG_SZ_MAX for a deposit wallet) on o is. s->id is filled; what a
 * deposit wallet's signature repeats must be right.
 * Returns false when it is nobody's.
 */
struct pm_signature {
	const uint8_t *bytes;
	size_t n;
};
bool pm_order_signer(const struct pm_template *t, const struct secp *c,
    const struct pm_order *o, const struct pm_signature *sig,
    struct pm_signed *s, struct address *who);

/* pm_id_text - 0x and 64 digits with NUL. */
#define PM_ID_TEXT_MAX 67
void pm_id_text(const uint8_t id[HASH_SZ], char buf[PM_ID_TEXT_MAX]);

#endif

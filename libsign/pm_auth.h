/*
 * pm_auth.h - what proves to Polymarket who we are.
 *
 * L1: a signature of the wallet's key over its address and the time, only to
 *     create or derive API credentials.
 * L2: an HMAC with those credentials, on every account call:
 *     base64url(HMAC-SHA256(secret, seconds + METHOD + path + body)), the path
 *     without its query, the body exactly as sent.
 * Secret: struct pm_creds; keep it in locked memory (secret_open).
 * Pure: yes, no allocation.
 */
#ifndef LIBSIGN_PM_AUTH_H
#define LIBSIGN_PM_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libsign/address.h"
#include "libsign/hmac.h"
#include "libsign/secp.h"

#define PM_CRED_MAX    128 /* api key, passphrase: characters */
#define PM_L2_SIG_LEN  BASE64_LEN(HMAC_SZ)
#define PM_HEADERS_MAX 640
#define PM_SECONDS_MAX 21

struct pm_creds {
	struct hmac mac;
	char address[ADDRESS_TEXT_MAX]; /* of the key, never of a wallet */
	char api_key[PM_CRED_MAX + 1];
	char passphrase[PM_CRED_MAX + 1];
};

/* The four texts of which credentials are made. */
struct pm_creds_text {
	const struct address *signer;
	const char *api_key;
	const char *secret; /* base64, either alphabet */
	const char *passphrase;
};

/* A call that is to be signed; body NULL and n 0 where there is none. */
struct pm_call {
	const char *method; /* upper case */
	const char *path;   /* without the query */
	const char *body;
	size_t n;
};

struct pm_l2 {
	char timestamp[PM_SECONDS_MAX];
	char signature[PM_L2_SIG_LEN + 1];
};

struct pm_l1 {
	char address[ADDRESS_TEXT_MAX];
	char signature[2 + SIG_HEX_LEN + 1];
	char timestamp[PM_SECONDS_MAX];
	char nonce[PM_SECONDS_MAX];
};

/* pm_creds_init - false, *c wiped, when a text is empty, too long, or has a
 * character that could end a header, or the secret is no base64. */
bool pm_creds_init(struct pm_creds *c, const struct pm_creds_text *text);

/* pm_l2_sign - the two headers that change. */
void pm_l2_sign(const struct pm_creds *c, uint64_t now_s,
    const struct pm_call *call, struct pm_l2 *out);

/* pm_l2_ok - the venue's side: is it the signature of that call? timestamp is
 * the header's text. Takes the same time whatever differs. */
bool pm_l2_ok(const struct pm_creds *c, const char *timestamp,
    const struct pm_call *call, const char *signature);

/* pm_l2_headers - five lines "NAME: value" with CR LF at buf, with NUL.
 * Returns the length. */
size_t pm_l2_headers(
    const struct pm_creds *c, const struct pm_l2 *l2, char buf[PM_HEADERS_MAX]);

/* pm_l1_digest - what the wallet's key signs. timestamp: seconds as text,
 * exactly as in the header. */
struct pm_l1_claim {
	struct address address;
	const char *timestamp;
	uint64_t nonce; /* 0 unless several sets of credentials are wanted */
	uint32_t chain_id;
};
void pm_l1_digest(const struct pm_l1_claim *claim, uint8_t out[HASH_SZ]);

/* pm_l1_sign - all four headers, for the address of the key. Returns false
 * for a bad key. */
struct pm_l1_args {
	uint64_t now_s;
	uint64_t nonce;
	uint32_t chain_id;
};
bool pm_l1_sign(const struct secp *c, const uint8_t key[SECP_KEY_SZ],
    const struct pm_l1_args *args, struct pm_l1 *out);

/* pm_l1_ok - the venue's side: did the claim's address sign it? signature is
 * the header's text. */
bool pm_l1_ok(const struct secp *c, const struct pm_l1_claim *claim,
    const char *signature);

/* pm_l1_headers - four lines as above. */
size_t pm_l1_headers(const struct pm_l1 *l1, char buf[PM_HEADERS_MAX]);

#endif

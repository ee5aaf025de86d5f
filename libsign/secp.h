/*
 * secp.h - signatures on secp256k1.
 *
 * What    : deterministic nonces (RFC 6979), low s, the recovery bit kept:
 *           v is 27 or 28. The work is libsecp256k1's.
 * Context : made once in the caller's memory and blinded with a random seed;
 *           it must not move afterwards. It is read-only in use.
 * Memory  : none besides struct secp.  sign about 22 us, recover about 40.
 */
#ifndef LIBSIGN_SECP_H
#define LIBSIGN_SECP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libsign/address.h"
#include "libsign/keccak.h"

#define SECP_KEY_SZ 32
#define SECP_PUB_SZ 64 /* uncompressed, without the leading 0x04 */
#define SIG_SZ	    65
#define SIG_HEX_LEN (2 * SIG_SZ)

struct secp {
	_Alignas(16) uint8_t mem[512];
	void *ctx; /* inside mem */
};

struct sig {
	uint8_t r[32];
	uint8_t s[32];
	uint8_t v; /* 27 or 28 */
};

/* secp_init - seed: 32 random bytes (key_random), blinds the computations
 * and never changes a signature. */
void secp_init(struct secp *c, const uint8_t seed[32]);

/* secp_close - forgets the blinding. */
void secp_close(struct secp *c);

/* secp_key_ok - 1 <= key < order of the curve. */
bool secp_key_ok(const struct secp *c, const uint8_t key[SECP_KEY_SZ]);

/* secp_pubkey - false for a bad key. */
bool secp_pubkey(const struct secp *c, const uint8_t key[SECP_KEY_SZ],
    uint8_t pub[SECP_PUB_SZ]);

/* secp_address - of the account that a key owns; false for a bad key. */
bool secp_address(
    const struct secp *c, const uint8_t key[SECP_KEY_SZ], struct address *out);

/* secp_sign - false, *out zero, for a bad key. */
bool secp_sign(const struct secp *c, const uint8_t key[SECP_KEY_SZ],
    const uint8_t digest[HASH_SZ], struct sig *out);

/*
 * secp_recover - whose signature it is. Returns false, *out untouched, for r
 * or s out of range, a high s (contracts refuse it), v other than 27 and 28,
 * and points that do not exist.
 */
bool secp_recover(const struct secp *c, const struct sig *sig,
    const uint8_t digest[HASH_SZ], struct address *out);

/* sig_put - r, s, v as 130 hex digits at dst, no 0x, no NUL. Returns the
 * end. */
char *sig_put(char *dst, const struct sig *sig);

/* sig_bytes, sig_of_bytes - r, s, v in 65 bytes. */
void sig_bytes(const struct sig *sig, uint8_t out[SIG_SZ]);
struct sig sig_of_bytes(const uint8_t in[SIG_SZ]);

#endif

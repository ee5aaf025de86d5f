/*
 * eip712.h - hashes of typed data as Ethereum wallets sign them.
 *
 * What : a struct is its type hash and one 32-byte word a member, hashed; a
 *        digest is keccak256(0x19 0x01, domain separator, struct hash).
 * Words: integers big-endian and addresses are padded on the left, bytes32 as
 *        they are, strings are hashed.
 * Pure : yes.
 */
#ifndef LIBSIGN_EIP712_H
#define LIBSIGN_EIP712_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libsign/address.h"
#include "libsign/keccak.h"

/* Members of a domain in the order of the standard; name and version are
 * always there. */
struct eip712_domain {
	const char *name;
	const char *version;
	uint64_t chain_id;
	bool has_contract;
	struct address contract;
};

void word_u64(uint8_t word[HASH_SZ], uint64_t v);
/* word_u256 - w[0] the lowest 64 bits. */
void word_u256(uint8_t word[HASH_SZ], const uint64_t w[4]);
void word_address(uint8_t word[HASH_SZ], const struct address *a);
void word_string(uint8_t word[HASH_SZ], const char *s, size_t n);
/* word_text - of a NUL-terminated string; also a type's hash. */
void word_text(uint8_t word[HASH_SZ], const char *s);

/* eip712_separator - hash of the domain. */
void eip712_separator(const struct eip712_domain *d, uint8_t out[HASH_SZ]);

/* eip712_digest - what is signed. */
void eip712_digest(const uint8_t separator[HASH_SZ],
    const uint8_t struct_hash[HASH_SZ], uint8_t out[HASH_SZ]);

#endif

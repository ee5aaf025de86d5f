#include "libsign/eip712.h"

#include <string.h>

#define DOMAIN_TYPE "EIP712Domain(string name,string version,uint256 chainId"

void
word_u64(uint8_t word[HASH_SZ], uint64_t v)
{
	uint64_t be = __builtin_bswap64(v);

	memset(word, 0, HASH_SZ - sizeof(be));
	memcpy(word + HASH_SZ - sizeof(be), &be, sizeof(be));
}

void
word_u256(uint8_t word[HASH_SZ], const uint64_t w[4])
{
	for (unsigned i = 0; i < 4; i++) {
		uint64_t be = __builtin_bswap64(w[3 - i]);

		memcpy(word + (size_t)8 * i, &be, sizeof(be));
	}
}

void
word_address(uint8_t word[HASH_SZ], const struct address *a)
{
	memset(word, 0, HASH_SZ - ADDRESS_SZ);
	memcpy(word + HASH_SZ - ADDRESS_SZ, a->b, ADDRESS_SZ);
}

void
word_string(uint8_t word[HASH_SZ], const char *s, size_t n)
{
	keccak256(s, n, word);
}

void
word_text(uint8_t word[HASH_SZ], const char *s)
{
	word_string(word, s, strlen(s));
}

void
eip712_separator(const struct eip712_domain *d, uint8_t out[HASH_SZ])
{
	uint8_t w[5][HASH_SZ];
	size_t n = 4;

	word_text(w[0], d->has_contract ? DOMAIN_TYPE
			    ",address verifyingContract)"
					: DOMAIN_TYPE ")");
	word_text(w[1], d->name);
	word_text(w[2], d->version);
	word_u64(w[3], d->chain_id);
	if (d->has_contract)
		word_address(w[n++], &d->contract);
	keccak256(w, n * HASH_SZ, out);
}

void
eip712_digest(const uint8_t separator[HASH_SZ],
    const uint8_t struct_hash[HASH_SZ], uint8_t out[HASH_SZ])
{
	uint8_t text[2 + 2 * HASH_SZ] = {0x19, 0x01};

	memcpy(text + 2, separator, HASH_SZ);
	memcpy(text + 2 + HASH_SZ, struct_hash, HASH_SZ);
	keccak256(text, sizeof(text), out);
}

/*
 * keccak.h - Keccak-256 as Ethereum uses it.
 *
 * What  : Keccak-f[1600], rate 136 bytes, the original padding 0x01 (SHA3-256
 *         pads with 0x06 and gives other hashes).
 * Pure  : yes.  One permutation a 136 bytes.
 */
#ifndef LIBSIGN_KECCAK_H
#define LIBSIGN_KECCAK_H

#include <stddef.h>
#include <stdint.h>

#define KECCAK_RATE 136
#define HASH_SZ	    32

struct keccak {
	uint64_t a[25];
	uint32_t at; /* bytes in the block that is being filled */
};

void keccak_init(struct keccak *k);
void keccak_update(struct keccak *k, const void *data, size_t n);

/* keccak_final - the hash; k must be initialised before it is used again. */
void keccak_final(struct keccak *k, uint8_t out[HASH_SZ]);

/* keccak256 - all at once. */
void keccak256(const void *data, size_t n, uint8_t out[HASH_SZ]);

#endif

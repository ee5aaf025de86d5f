/*
 * hash.h - one 64-bit hash for states, layouts and files of ours.
 *
 * Not cryptographic. The same bytes give the same value on every machine of
 * the same byte order; state hashes are compared between runs. Pure: yes.
 */
#ifndef LIBCORE_HASH_H
#define LIBCORE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_SEED UINT64_C(0x9e3779b97f4a7c15)

/* hash_u64 - mix one word into h (splitmix64 finaliser). */
static inline uint64_t
hash_u64(uint64_t h, uint64_t v)
{
	h ^= v + HASH_SEED + (h << 6) + (h >> 2);
	h = (h ^ (h >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ (h >> 27)) * UINT64_C(0x94d049bb133111eb);
	return h ^ (h >> 31);
}

/* hash_bytes - mix n bytes into h, eight at a time. O(n). */
uint64_t hash_bytes(uint64_t h, const void *data, size_t n);

#endif

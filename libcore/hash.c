#include "libcore/hash.h"

#include <string.h>

uint64_t
hash_bytes(uint64_t h, const void *data, size_t n)
{
	const unsigned char *p = data;
	uint64_t w;

	h = hash_u64(h, n);
	for (; n >= sizeof(w); n -= sizeof(w), p += sizeof(w)) {
		memcpy(&w, p, sizeof(w));
		h = hash_u64(h, w);
	}
	if (n > 0) {
		w = 0;
		memcpy(&w, p, n);
		h = hash_u64(h, w);
	}
	return h;
}

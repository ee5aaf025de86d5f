#include "libsign/keccak.h"

#include <string.h>

#include "libcore/check.h"

#define ROUNDS	   24
#define ROTL(x, n) ((x) << (n) | (x) >> (64 - (n)))

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "little-endian only");

static const uint64_t round_constants[ROUNDS] = {UINT64_C(0x0000000000000001),
    UINT64_C(0x0000000000008082), UINT64_C(0x800000000000808a),
    UINT64_C(0x8000000080008000), UINT64_C(0x000000000000808b),
    UINT64_C(0x0000000080000001), UINT64_C(0x8000000080008081),
    UINT64_C(0x8000000000008009), UINT64_C(0x000000000000008a),
    UINT64_C(0x0000000000000088), UINT64_C(0x0000000080008009),
    UINT64_C(0x000000008000000a), UINT64_C(0x000000008000808b),
    UINT64_C(0x800000000000008b), UINT64_C(0x8000000000008089),
    UINT64_C(0x8000000000008003), UINT64_C(0x8000000000008002),
    UINT64_C(0x8000000000000080), UINT64_C(0x000000000000800a),
    UINT64_C(0x800000008000000a), UINT64_C(0x8000000080008081),
    UINT64_C(0x8000000000008080), UINT64_C(0x0000000080000001),
    UINT64_C(0x8000000080008008)};

/* One row of five lanes after rho and pi, through chi. */
#define CHI(y, b0, b1, b2, b3, b4)                  \
	do {                                        \
		e[(y) + 0] = (b0) ^ (~(b1) & (b2)); \
		e[(y) + 1] = (b1) ^ (~(b2) & (b3)); \
		e[(y) + 2] = (b2) ^ (~(b3) & (b4)); \
		e[(y) + 3] = (b3) ^ (~(b4) & (b0)); \
		e[(y) + 4] = (b4) ^ (~(b0) & (b1)); \
	} while (0)

/* e = round(a): theta, rho and pi and chi row by row, iota. */
static inline void
keccak_round(uint64_t *restrict e, const uint64_t *restrict a, uint64_t iota)
{
	uint64_t c[5];
	uint64_t d[5];

	for (unsigned x = 0; x < 5; x++)
		c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
	d[0] = c[4] ^ ROTL(c[1], 1);
	d[1] = c[0] ^ ROTL(c[2], 1);
	d[2] = c[1] ^ ROTL(c[3], 1);
	d[3] = c[2] ^ ROTL(c[4], 1);
	d[4] = c[3] ^ ROTL(c[0], 1);
	CHI(0, a[0] ^ d[0], ROTL(a[6] ^ d[1], 44), ROTL(a[12] ^ d[2], 43),
	    ROTL(a[18] ^ d[3], 21), ROTL(a[24] ^ d[4], 14));
	CHI(5, ROTL(a[3] ^ d[3], 28), ROTL(a[9] ^ d[4], 20),
	    ROTL(a[10] ^ d[0], 3), ROTL(a[16] ^ d[1], 45),
	    ROTL(a[22] ^ d[2], 61));
	CHI(10, ROTL(a[1] ^ d[1], 1), ROTL(a[7] ^ d[2], 6),
	    ROTL(a[13] ^ d[3], 25), ROTL(a[19] ^ d[4], 8),
	    ROTL(a[20] ^ d[0], 18));
	CHI(15, ROTL(a[4] ^ d[4], 27), ROTL(a[5] ^ d[0], 36),
	    ROTL(a[11] ^ d[1], 10), ROTL(a[17] ^ d[2], 15),
	    ROTL(a[23] ^ d[3], 56));
	CHI(20, ROTL(a[2] ^ d[2], 62), ROTL(a[8] ^ d[3], 55),
	    ROTL(a[14] ^ d[4], 39), ROTL(a[15] ^ d[0], 41),
	    ROTL(a[21] ^ d[1], 2));
	e[0] ^= iota;
}

static void
permute(uint64_t a[25])
{
	uint64_t e[25];

	for (unsigned i = 0; i < ROUNDS; i += 2) {
		keccak_round(e, a, round_constants[i]);
		keccak_round(a, e, round_constants[i + 1]);
	}
}

static void
absorb_block(struct keccak *k, const uint8_t *p)
{
	for (unsigned i = 0; i < KECCAK_RATE / 8; i++) {
		uint64_t w;

		memcpy(&w, p + (size_t)8 * i, sizeof(w));
		k->a[i] ^= w;
	}
	permute(k->a);
}

/* Bytes into the open block, which they must not overfill. */
static void
absorb_bytes(struct keccak *k, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++, k->at++)
		k->a[k->at / 8] ^= (uint64_t)p[i] << (8 * (k->at % 8));
}

void
keccak_init(struct keccak *k)
{
	memset(k, 0, sizeof(*k));
}

void
keccak_update(struct keccak *k, const void *data, size_t n)
{
	const uint8_t *p = data;

	CHECK(k->at < KECCAK_RATE);
	if (k->at > 0) {
		size_t room = KECCAK_RATE - k->at;
		size_t take = n < room ? n : room;

		absorb_bytes(k, p, take);
		p += take;
		n -= take;
		if (k->at < KECCAK_RATE)
			return;
		permute(k->a);
		k->at = 0;
	}
	for (; n >= KECCAK_RATE; p += KECCAK_RATE, n -= KECCAK_RATE)
		absorb_block(k, p);
	absorb_bytes(k, p, n);
}

void
keccak_final(struct keccak *k, uint8_t out[HASH_SZ])
{
	CHECK(k->at < KECCAK_RATE);
	k->a[k->at / 8] ^= UINT64_C(1) << (8 * (k->at % 8));
	k->a[KECCAK_RATE / 8 - 1] ^= UINT64_C(1) << 63;
	permute(k->a);
	memcpy(out, k->a, HASH_SZ);
}

void
keccak256(const void *data, size_t n, uint8_t out[HASH_SZ])
{
	struct keccak k;

	keccak_init(&k);
	keccak_update(&k, data, n);
	keccak_final(&k, out);
}

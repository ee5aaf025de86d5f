#include "recorderd/pqenc.h"

#include <string.h>

#include "libcore/check.h"
#include "recorderd/thrift.h"

#define BLOCK_N 128u
#define MINI_N	32u
#define MINIS	(BLOCK_N / MINI_N)

static inline unsigned
width_u64(uint64_t v)
{
	return v == 0 ? 0 : 64 - (unsigned)__builtin_clzll(v);
}

unsigned
pqenc_width(uint32_t max)
{
	return width_u64(max);
}

static inline void
put_u64(uint8_t *p, uint64_t v)
{
	memcpy(p, &v, sizeof(v));
}

/* Whole words go out as soon as they are full; what is left at the end is
 * written as one word, of which only the needed bytes count. */
static size_t
pack_u64(uint8_t *dst, const uint64_t *v, size_t n, unsigned width)
{
	uint64_t acc = 0;
	unsigned bits = 0;
	uint8_t *p = dst;

	if (width == 0)
		return 0;
	for (size_t i = 0; i < n; i++) {
		acc |= v[i] << bits;
		bits += width;
		if (bits >= 64) {
			put_u64(p, acc);
			p += 8;
			bits -= 64;
			acc = bits == 0 ? 0 : v[i] >> (width - bits);
		}
	}
	put_u64(p, acc);
	return (n * width + 7) / 8;
}

/* One block of up to 128 differences d; the rest of it is zero. */
static size_t
delta_block(uint8_t *dst, uint64_t *d, size_t n)
{
	int64_t min = INT64_MAX;
	uint8_t *p = dst;

	for (size_t i = 0; i < n; i++)
		min = (int64_t)d[i] < min ? (int64_t)d[i] : min;
	for (size_t i = 0; i < n; i++)
		d[i] -= (uint64_t)min;
	for (size_t i = n; i < BLOCK_N; i++)
		d[i] = 0;
	p += thrift_uvarint(p, thrift_zigzag(min));
	uint8_t *widths = p;

	p += MINIS;
	for (size_t m = 0; m < MINIS; m++) {
		const uint64_t *mini = d + m * MINI_N;
		uint64_t all = 0;

		for (size_t i = 0; i < MINI_N; i++)
			all |= mini[i];
		widths[m] = (uint8_t)width_u64(all);
		if (m * MINI_N < n)
			p += pack_u64(p, mini, MINI_N, widths[m]);
	}
	return (size_t)(p - dst);
}

size_t
pqenc_delta(uint8_t *dst, const int64_t *v, size_t n)
{
	uint8_t *p = dst;
	uint64_t d[BLOCK_N];

	p += thrift_uvarint(p, BLOCK_N);
	p += thrift_uvarint(p, MINIS);
	p += thrift_uvarint(p, n);
	p += thrift_uvarint(p, thrift_zigzag(n > 0 ? v[0] : 0));
	for (size_t i = 1; i < n; i += BLOCK_N) {
		size_t m = n - i < BLOCK_N ? n - i : BLOCK_N;

		for (size_t k = 0; k < m; k++)
			d[k] = (uint64_t)v[i + k] - (uint64_t)v[i + k - 1];
		p += delta_block(p, d, m);
	}
	CHECK((size_t)(p - dst) <= PQENC_DELTA_BOUND(n));
	return (size_t)(p - dst);
}

/* Bit-packed run: groups of eight, the last one filled up with zeros. Eight
 * values of any width end at a byte, so the whole run is one stream. */
static size_t
hybrid_packed(uint8_t *dst, const uint32_t *v, size_t n, unsigned width)
{
	size_t groups = (n + 7) / 8;
	uint64_t acc = 0;
	unsigned bits = 0;
	uint8_t *p = dst;

	if (n == 0)
		return 0;
	p += thrift_uvarint(p, groups << 1 | 1);
	uint8_t *end = p + groups * width;

	for (size_t i = 0; i < n; i++) {
		acc |= (uint64_t)v[i] << bits;
		bits += width;
		if (bits < 32)
			continue;
		put_u64(p, acc);
		p += 4;
		acc >>= 32;
		bits -= 32;
	}
	put_u64(p, acc);
	if (end > p + 8)
		memset(p + 8, 0, (size_t)(end - p - 8));
	return (size_t)(end - dst);
}

static size_t
hybrid_rle(uint8_t *dst, uint32_t v, size_t n, unsigned width)
{
	uint8_t *p = dst;

	p += thrift_uvarint(p, (uint64_t)n << 1);
	for (unsigned b = 0; b < width; b += 8)
		*p++ = (uint8_t)(v >> b);
	return (size_t)(p - dst);
}

/* A long run that begins inside a group of eight opened by a short one is
 * found from the next group on: at most seven of its values are packed. */
size_t
pqenc_hybrid(uint8_t *dst, const uint32_t *v, size_t n, unsigned width)
{
	uint8_t *p = dst;
	size_t literal = 0; /* start of what waits to be packed */
	size_t i = 0;

	CHECK(width <= 32);
	while (i < n) {
		size_t run = 1;

		while (i + run < n && v[i + run] == v[i])
			run++;
		if (run < 8) {
			i += n - i < 8 ? n - i : 8;
			continue;
		}
		p += hybrid_packed(p, v + literal, i - literal, width);
		p += hybrid_rle(p, v[i], run, width);
		i += run;
		literal = i;
	}
	p += hybrid_packed(p, v + literal, n - literal, width);
	CHECK((size_t)(p - dst) <= PQENC_HYBRID_BOUND(n));
	return (size_t)(p - dst);
}

size_t
pqenc_run(uint8_t *dst, uint32_t v, size_t n, unsigned width)
{
	CHECK(width <= 32);
	return n > 0 ? hybrid_rle(dst, v, n, width) : 0;
}

static size_t
levels_packed(uint8_t *dst, const uint8_t *bits, size_t bytes)
{
	size_t len = 0;

	if (bytes == 0)
		return 0;
	len = thrift_uvarint(dst, (uint64_t)bytes << 1 | 1);
	memcpy(dst + len, bits, bytes);
	return len + bytes;
}

size_t
pqenc_levels(uint8_t *dst, const uint8_t *bits, size_t n)
{
	size_t bytes = (n + 7) / 8;
	uint8_t *p = dst;
	size_t literal = 0;

	for (size_t i = 0; i < bytes;) {
		size_t run = 1;

		if (bits[i] != 0 && bits[i] != 0xff) {
			i++;
			continue;
		}
		while (i + run < bytes && bits[i + run] == bits[i])
			run++;
		/* A short run costs more than the bytes it saves. */
		if (run < 8 && run < bytes) {
			i += run;
			continue;
		}
		p += levels_packed(p, bits + literal, i - literal);
		size_t left = n - i * 8;

		p += hybrid_rle(
		    p, bits[i] & 1, run * 8 < left ? run * 8 : left, 1);
		i += run;
		literal = i;
	}
	p += levels_packed(p, bits + literal, bytes - literal);
	CHECK((size_t)(p - dst) <= PQENC_HYBRID_BOUND(n));
	return (size_t)(p - dst);
}

static inline uint32_t
dict_slot(int64_t v)
{
	uint64_t h = (uint64_t)v * UINT64_C(0x9e3779b97f4a7c15);

	return (uint32_t)(h >> 49);
}

_Static_assert(PQENC_DICT_TABLE == 1 << 15, "dict_slot takes 15 bits");
_Static_assert(PQENC_DICT_MAX < UINT16_MAX, "codes fit the table");

int
pqenc_dict_build(struct pqenc_dict *d, const int64_t *v, size_t n, bool always)
{
	const size_t probe_n = 2048;

	memset(d->table, 0, PQENC_DICT_TABLE * sizeof(d->table[0]));
	d->n = 0;
	for (size_t i = 0; i < n; i++) {
		uint32_t at = dict_slot(v[i]);

		while (d->table[at] != 0 && d->value[d->table[at] - 1] != v[i])
			at = (at + 1) % PQENC_DICT_TABLE;
		if (d->table[at] == 0) {
			if (d->n == PQENC_DICT_MAX)
				return -1;
			d->value[d->n++] = v[i];
			d->table[at] = (uint16_t)d->n;
		}
		d->code[i] = d->table[at] - 1u;
		if (i + 1 == probe_n && d->n > probe_n / 2 && !always)
			return -1;
	}
	return 0;
}

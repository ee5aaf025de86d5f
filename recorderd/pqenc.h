/*
 * pqenc.h - the value encodings of Parquet that the recorder writes.
 *
 * DELTA_BINARY_PACKED : times, sequences, prices: blocks of 128 differences,
 *                       four miniblocks of 32, each at its own bit width.
 * RLE / bit packing   : dictionary indices and definition levels.
 * PLAIN               : little-endian values.
 * Every function writes at dst, which must hold the stated bound (the caller
 * allots it once), and returns the number of bytes written.
 * Pure                : yes.  O(n).
 */
#ifndef RECORDERD_PQENC_H
#define RECORDERD_PQENC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes past a bound that packing may touch; part of every bound below. */
#define PQENC_SLACK 16

/* pqenc_delta - n int64 values, n >= 0. Differences wrap, as the format
 * says, so any values are allowed. */
#define PQENC_DELTA_BOUND(n) ((size_t)(n)*8 + ((n) / 128 + 1) * 270 + 40)
size_t pqenc_delta(uint8_t *dst, const int64_t *v, size_t n);

/* pqenc_hybrid - n values below 2^width, 0 <= width <= 32: runs of eight or
 * more equal values as RLE, the rest bit packed. */
#define PQENC_HYBRID_BOUND(n) ((size_t)(n)*5 + 64)
size_t pqenc_hybrid(uint8_t *dst, const uint32_t *v, size_t n, unsigned width);

/* pqenc_run - the same for n times v. */
size_t pqenc_run(uint8_t *dst, uint32_t v, size_t n, unsigned width);

/* pqenc_levels - the same encoding at width 1 for n bits, packed eight a byte
 * from the lowest up (unused bits of the last byte zero): bytes of equal bits
 * become runs. dst as for pqenc_hybrid. */
size_t pqenc_levels(uint8_t *dst, const uint8_t *bits, size_t n);

/* pqenc_width - bits needed for values 0..max. */
unsigned pqenc_width(uint32_t max);

/*
 * struct pqenc_dict - distinct values of one column chunk in order of first
 * appearance. table has PQENC_DICT_TABLE entries, value and code as many as
 * their names say; the caller owns them.
 */
#define PQENC_DICT_MAX	 16384
#define PQENC_DICT_TABLE 32768

struct pqenc_dict {
	uint16_t *table; /* PQENC_DICT_TABLE, code + 1, 0: free */
	int64_t *value;	 /* PQENC_DICT_MAX */
	uint32_t *code;	 /* one for every value given */
	uint32_t n;	 /* distinct values */
};

/*
 * pqenc_dict_build - index n values.
 * Returns : 0, or -1 when there are more than PQENC_DICT_MAX distinct ones,
 *           or (unless always) half of the first 2048 are distinct, so that
 *           a dictionary would not pay.
 */
int pqenc_dict_build(
    struct pqenc_dict *d, const int64_t *v, size_t n, bool always);

#endif

/*
 * pqdec.h - the value encodings of Parquet, read back in pieces.
 *
 * What     : one data page of one column, up to PQDEC_BATCH rows at a call:
 *            PLAIN, DELTA_BINARY_PACKED, RLE_DICTIONARY, with definition
 *            levels of optional columns. Every value comes out as int64_t,
 *            PQ_NULL for null; a dictionary maps its indices to whatever the
 *            caller gives (values, numbers of texts, enums).
 * Trust    : bytes may be damaged or made on purpose: false, and nothing is
 *            read outside the page and PQDEC_SLACK bytes behind it, which
 *            the caller provides.
 * Pure     : yes. O(rows).
 */
#ifndef RECORDERD_PQDEC_H
#define RECORDERD_PQDEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recorderd/pqfile.h"

#define PQDEC_BATCH 1024u
#define PQDEC_SLACK 16

/* Runs of equal values and packed groups. */
struct pqdec_runs {
	const uint8_t *p;
	const uint8_t *end;
	unsigned width;
	uint64_t run_left; /* of run_value                                */
	uint32_t run_value;
	uint64_t packed_left; /* values                                   */
	const uint8_t *packed;
	uint64_t packed_bit;
};

struct pqdec_delta {
	const uint8_t *p;
	const uint8_t *end;
	const uint8_t *width; /* of the block's miniblocks                */
	uint64_t left;	      /* values, the first included               */
	uint64_t value;
	uint64_t min;
	uint64_t mini_n; /* values of a miniblock                         */
	uint64_t minis;
	uint64_t mini_at;   /* of the block, minis: the block is used up   */
	uint64_t mini_left; /* values of the open miniblock               */
	uint64_t bit;
	const uint8_t *mini;
	unsigned mini_width;
	bool has_first;
};

struct pqdec {
	bool optional;
	int type;
	int encoding;
	uint64_t left; /* rows                                            */
	struct pqdec_runs level;
	struct pqdec_runs code;
	struct pqdec_delta delta;
	const uint8_t *plain;
	const uint8_t *end;
	const int64_t *dict;
	uint32_t dict_n;
};

/* What a page says and what it needs. */
struct pqdec_page {
	const uint8_t *p; /* uncompressed, PQDEC_SLACK readable behind it */
	size_t len;
	int type; /* physical                                             */
	int encoding;
	bool optional;
	uint32_t rows;
	const int64_t *dict; /* NULL: none                                */
	uint32_t dict_n;
};

/* pqdec_init - begin a data page. False: malformed. */
bool pqdec_init(struct pqdec *d, const struct pqdec_page *page);

/* pqdec_read - the next n rows, 1..PQDEC_BATCH (CHECK). False: malformed, or
 * fewer are left. */
bool pqdec_read(struct pqdec *d, int64_t *out, uint32_t n);

/* pqdec_dict_ints, pqdec_dict_texts - the n values of a dictionary page. */
bool pqdec_dict_ints(
    const uint8_t *p, size_t len, int type, int64_t *out, uint32_t n);
bool pqdec_dict_texts(
    const uint8_t *p, size_t len, struct pqfile_text *out, uint32_t n);

#endif

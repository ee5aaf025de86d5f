/*
 * decode_rec.h - the checks of what the recorder reads from files: whatever
 * the bytes, nothing outside them is touched, and every answer is in range.
 */
#ifndef TESTS_FUZZ_DECODE_REC_H
#define TESTS_FUZZ_DECODE_REC_H

#include <stdlib.h>
#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"
#include "recorderd/journal.h"
#include "recorderd/pqdec.h"
#include "recorderd/pqfile.h"

/* A footer: every name, range and chunk lies inside. */
static inline uint64_t
fuzz_footer(const uint8_t *p, size_t n)
{
	static struct pqfile f;
	static struct pqfile_group g;
	uint64_t h = HASH_SEED;

	if (!pqfile_parse(&f, p, n))
		return 0;
	size_t pos = f.groups_at;

	CHECK(f.col_n >= 1 && f.col_n <= PQ_COLS_MAX);
	CHECK(pos <= n);
	for (uint32_t i = 0; i < f.col_n; i++) {
		CHECK(f.col[i].name.p == NULL ||
		      (f.col[i].name.p >= p &&
			  f.col[i].name.len <=
			      (size_t)(p + n - f.col[i].name.p)));
		h = hash_bytes(h, f.col[i].name.p, f.col[i].name.len);
	}
	for (uint32_t i = 0; i < f.kv_n; i++)
		h = hash_bytes(h, f.kv[i].value.p, f.kv[i].value.len);
	for (uint32_t i = 0; i < f.groups; i++) {
		if (!pqfile_group_next(&f, &pos, &g))
			break;
		CHECK(pos <= n);
		CHECK(g.rows <= PQ_ROWS_MAX);
		for (uint32_t c = 0; c < f.col_n; c++)
			h = hash_bytes(
			    h, g.chunk[c].max_text.p, g.chunk[c].max_text.len);
	}
	return hash_u64(h, (uint64_t)pqfile_column_find(&f, "ts"));
}

/* A page: the first bytes say what it claims to be. */
static inline uint64_t
fuzz_page(const uint8_t *p, size_t n)
{
	static const uint8_t enc[] = {0, 2, 5, 8};
	static int64_t dict[64];
	static int64_t out[PQDEC_BATCH];
	struct pqfile_text text[64];
	struct pqdec d;
	uint64_t h = HASH_SEED;

	if (n < 4)
		return 0;
	/* What stands behind the page may be read, and is zero. */
	uint8_t *copy = calloc(1, n - 4 + PQDEC_SLACK);

	memcpy(copy, p + 4, n - 4);
	const struct pqdec_page page = {.p = copy,
	    .len = n - 4,
	    .type = (p[0] & 1) != 0   ? 2
		    : (p[0] & 2) != 0 ? 1
				      : 6,
	    .encoding = enc[p[1] % 4],
	    .optional = (p[0] & 4) != 0,
	    .rows = p[2] * 16u,
	    .dict = (p[0] & 8) != 0 ? dict : NULL,
	    .dict_n = p[3] % 65};

	if (pqdec_dict_texts(copy, n - 4, text, p[3] % 65))
		for (unsigned i = 0; i < p[3] % 65u; i++)
			h = hash_bytes(h, text[i].p, text[i].len);
	if (pqdec_init(&d, &page)) {
		uint32_t left = page.rows;

		while (left > 0) {
			uint32_t m = left < 100 ? left : 100;

			if (!pqdec_read(&d, out, m))
				break;
			h = hash_bytes(h, out, m * sizeof(out[0]));
			left -= m;
		}
	}
	free(copy);
	return h;
}

static inline uint64_t
fuzz_parquet(const char *text, size_t n)
{
	const uint8_t *p = (const uint8_t *)text;
	struct pqfile_page page;
	uint64_t h = fuzz_footer(p, n);

	if (pqfile_page_parse(&page, p, n)) {
		CHECK(page.head_len <= n);
		h = hash_u64(h, page.comp_sz);
	}
	return hash_u64(h, fuzz_page(p, n));
}

static inline uint64_t
fuzz_block(const uint8_t *p, const struct journal_head *h)
{
	uint64_t sum = HASH_SEED;
	union tap slot;
	size_t pos = 0;
	const char *key;
	const char *value;

	if (h->kind == JOURNAL_SLOTS)
		while (journal_slot(p, h, &pos, &slot)) {
			CHECK(pos <= h->payload_len);
			sum = hash_bytes(sum, &slot, sizeof(slot));
		}
	pos = sizeof(struct journal_cfg);
	if (h->kind == JOURNAL_CONFIG)
		while (journal_cfg_next(
		    p + sizeof(*h), h->payload_len, &pos, &key, &value))
			sum = hash_u64(sum, strlen(key) + strlen(value));
	return sum;
}

/* Blocks as they are, and once more with both checksums put right, so that
 * what is behind them is reached. */
static inline uint64_t
fuzz_journal(const char *text, size_t n)
{
	uint8_t *p = malloc(n > 0 ? n : 1);
	struct journal_head h;
	size_t total = 0;
	uint64_t sum = 0;

	memcpy(p, text, n);
	if (journal_check(p, n, &h, &total) == JOURNAL_OK) {
		CHECK(total <= n);
		sum = fuzz_block(p, &h);
	}
	if (n >= sizeof(h)) {
		memcpy(&h, p, sizeof(h));
		h.magic = JOURNAL_MAGIC;
		h.version = 1 + h.version % JOURNAL_VERSION;
		if (h.payload_len > n - sizeof(h))
			h.payload_len = (uint32_t)(n - sizeof(h));
		h.payload_hash =
		    hash_bytes(HASH_SEED, p + sizeof(h), h.payload_len);
		h.head_hash = hash_bytes(
		    HASH_SEED, &h, offsetof(struct journal_head, head_hash));
		memcpy(p, &h, sizeof(h));
		if (journal_check(p, n, &h, &total) == JOURNAL_OK)
			sum = hash_u64(sum, fuzz_block(p, &h));
	}
	free(p);
	return sum;
}

#endif

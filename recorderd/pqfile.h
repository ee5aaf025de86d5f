/*
 * pqfile.h - reads the metadata of a Parquet file: what parquet.h wrote, and
 * any flat file of the same physical types.
 *
 * What     : columns by name, row groups one after the other, statistics of
 *            integers and texts, key-value pairs.
 * Trust    : bytes may be damaged or made on purpose: every length is checked
 *            against what is there, nesting and counts are limited; the
 *            answer is then false.
 * Memory   : the footer stays the caller's; nothing is copied but numbers.
 * Pure     : yes. O(bytes of the footer).
 */
#ifndef RECORDERD_PQFILE_H
#define RECORDERD_PQFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recorderd/parquet.h"

#define PQFILE_TAIL	8 /* bytes at the end: length, magic */
#define PQFILE_FOOT_MAX (16u << 20)
#define PQFILE_KV_MAX	32

/* A place in the footer. */
struct pqfile_text {
	const uint8_t *p;
	uint32_t len;
};

struct pqfile_column {
	struct pqfile_text name;
	int32_t type; /* physical: 1 INT32, 2 INT64, 6 BYTE_ARRAY         */
	bool optional;
};

struct pqfile {
	const uint8_t *foot;
	size_t len;
	uint64_t rows;
	uint32_t groups;
	uint32_t col_n;
	struct pqfile_column col[PQ_COLS_MAX];
	uint32_t kv_n;
	struct {
		struct pqfile_text key;
		struct pqfile_text value;
	} kv[PQFILE_KV_MAX];
	size_t groups_at; /* of the first row group in the footer         */
};

/* One column of one row group. */
struct pqfile_chunk {
	uint64_t at; /* first page: dictionary or data                   */
	uint64_t data_at;
	uint64_t len; /* compressed, all pages with their headers         */
	uint64_t values;
	uint64_t nulls;
	int32_t type;
	int32_t codec;
	bool has_dict;
	bool has_range;
	int64_t min; /* integers: as stored                              */
	int64_t max;
	struct pqfile_text min_text; /* byte arrays                       */
	struct pqfile_text max_text;
};

struct pqfile_group {
	uint64_t rows;
	struct pqfile_chunk chunk[PQ_COLS_MAX];
};

/* pqfile_foot_len - length of the footer by the last PQFILE_TAIL bytes of a
 * file; 0: no Parquet file, or one that is too large. */
uint32_t pqfile_foot_len(const uint8_t tail[PQFILE_TAIL]);

/* pqfile_parse - the footer. False: malformed, or a column is nested, or
 * there are more than PQ_COLS_MAX. */
bool pqfile_parse(struct pqfile *f, const uint8_t *foot, size_t len);

/* pqfile_group_next - the next row group; *pos starts at f->groups_at.
 * False: malformed. Call it f->groups times. */
bool pqfile_group_next(
    const struct pqfile *f, size_t *pos, struct pqfile_group *g);

/* pqfile_column_find - index of a column by name, or -1. */
int pqfile_column_find(const struct pqfile *f, const char *name);

/* pqfile_kv - value of a key; p NULL when there is none. */
struct pqfile_text pqfile_kv(const struct pqfile *f, const char *key);

/* The header of a page. */
struct pqfile_page {
	int32_t type; /* 0 data, 2 dictionary                            */
	int32_t encoding;
	uint32_t plain_sz;
	uint32_t comp_sz;
	uint32_t values;
	size_t head_len;
};

/* pqfile_page_parse - at p, of which n bytes are there. False: malformed. */
bool pqfile_page_parse(struct pqfile_page *page, const uint8_t *p, size_t n);

#endif

/*
 * parquet.h - writes Parquet files: columns in, bytes out through a sink.
 *
 * What     : flat tables; one data page a column and row group, ZSTD; page
 *            format 1, which every reader knows. Each column chunk carries
 *            min, max and null count; the file carries column orders and
 *            key-value metadata.
 * Values   : every column is an array of int64_t. A string column holds
 *            indices into a table of texts. PQ_NULL in an optional column is
 *            null. Values are checked against the column's range (CHECK).
 * Encoding : strings have a dictionary. Numbers take PQ_ENC_DELTA (what rises
 *            or hardly moves) or PQ_ENC_AUTO: the smallest of dictionary,
 *            delta (64-bit columns) and plain.
 * Memory   : one pq_scratch (sized for the largest row group) serves any
 *            number of writers in turn; a writer keeps the metadata of its row
 *            groups in `meta`. Nothing is allocated but ZSTD's own context.
 * Checksum : every page is a ZSTD frame with a checksum of its content.
 * Crash    : a file without its footer is no Parquet file: write under a
 *            temporary name, rename when pq_end returned 0.
 * Pure     : yes, with the sink and the context given by the caller.
 */
#ifndef RECORDERD_PARQUET_H
#define RECORDERD_PARQUET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recorderd/thrift.h"

struct ZSTD_CCtx_s;

#define PQ_ROWS_MAX  (1u << 20) /* of one row group */
#define PQ_COLS_MAX  48
#define PQ_TEXTS_MAX 16384 /* of one string table */
#define PQ_TEXT_MAX  128   /* bytes of one string */
#define PQ_NULL	     INT64_MIN

/* Room a writer needs for metadata: PQ_META_SZ(cols) per row group. */
#define PQ_META_SZ(cols) ((size_t)(cols)*420 + 64)

enum pq_kind {
	PQ_TIMESTAMP = 1, /* INT64, ns since 1970, UTC                   */
	PQ_DECIMAL8 = 2,  /* INT64, DECIMAL(18,8)                        */
	PQ_DECIMAL6 = 3,  /* INT64, DECIMAL(18,6)                        */
	PQ_I64 = 4,
	PQ_U64 = 5, /* INT64 with logical type INTEGER(64, unsigned)     */
	PQ_I32 = 6,
	PQ_STRING = 7, /* BYTE_ARRAY, UTF8                               */
	PQ_KIND_N
};

enum pq_enc {
	PQ_ENC_DELTA = 1, /* 64-bit columns only */
	PQ_ENC_AUTO = 2,
	PQ_ENC_N
};

struct pq_column {
	const char *name;
	uint8_t kind; /* enum pq_kind                                    */
	uint8_t enc;  /* enum pq_enc                                     */
	bool optional;
};

struct pq_text {
	const char *s;
	uint32_t len;
};

/* The values of one column in one row group. */
struct pq_values {
	const int64_t *v;
	const struct pq_text *text; /* PQ_STRING: what v points into     */
	uint32_t text_n;
};

struct pq_kv {
	const char *key;
	const char *value;
};

/* write takes all n bytes and returns 0, or a negative errno. */
struct pq_sink {
	int (*write)(void *ctx, const void *data, size_t n);
	void *ctx;
};

struct pq_scratch;

/* pq_scratch_sz - bytes needed for row groups of up to rows_max rows. */
size_t pq_scratch_sz(uint32_t rows_max);

/* pq_scratch_init - lay the scratch out in mem (pq_scratch_sz bytes, aligned
 * to 64). zstd is created by the caller; level 1 to 19. */
struct pq_scratch *pq_scratch_init(
    void *mem, uint32_t rows_max, struct ZSTD_CCtx_s *zstd, int level);

struct pq {
	const struct pq_column *col;
	unsigned col_n;
	struct pq_sink sink;
	uint64_t offset; /* bytes written                                */
	uint64_t rows;
	uint32_t groups;
	int err;	    /* first error of the sink; nothing is written
			     * after it                                   */
	struct thrift meta; /* row groups so far                         */
};

/*
 * pq_begin - start a file: columns (1..PQ_COLS_MAX, kept by reference),
 * sink, and memory for the metadata of row groups.
 * Returns : 0 or the sink's error.
 */
int pq_begin(struct pq *p, const struct pq_column *col, unsigned col_n,
    const struct pq_sink *sink, void *meta, size_t meta_sz);

/*
 * pq_group - write n rows (1..rows_max of s) as one row group.
 * Returns : 0, the sink's error, or -EOVERFLOW when the memory for metadata
 *           is used up (nothing written; end this file and begin another).
 */
int pq_group(struct pq *p, struct pq_scratch *s, const struct pq_values *val,
    uint32_t n);

/*
 * pq_end - write the footer with the key-value pairs. buf is room for it:
 * PQ_FOOTER_SZ(p, kv text bytes) or more.
 * Returns : 0, the sink's error, or -EOVERFLOW when buf is too small.
 */
#define PQ_FOOTER_SZ(p, kv_bytes) \
	((p)->meta.len + (size_t)(p)->col_n * 96 + (kv_bytes) + 512)
int pq_end(struct pq *p, const char *created_by, const struct pq_kv *kv,
    unsigned kv_n, void *buf, size_t buf_sz);

#endif

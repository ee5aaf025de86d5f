#include "recorderd/parquet.h"

#include <errno.h>
#include <string.h>
#include <zstd.h>

#include "libcore/check.h"
#include "recorderd/pqenc.h"

/* Numbers of the format: parquet.thrift. */
enum {
	TYPE_INT32 = 1,
	TYPE_INT64 = 2,
	TYPE_BYTE_ARRAY = 6,
	ENC_PLAIN = 0,
	ENC_RLE = 3,
	ENC_DELTA = 5,
	ENC_RLE_DICTIONARY = 8,
	CODEC_ZSTD = 6,
	PAGE_DATA = 0,
	PAGE_DICTIONARY = 2,
	CONVERTED_UTF8 = 0,
	CONVERTED_DECIMAL = 5,
	CONVERTED_UINT64 = 14,
	LOGICAL_STRING = 1,
	LOGICAL_DECIMAL = 5,
	LOGICAL_TIMESTAMP = 8,
	LOGICAL_INTEGER = 10,
	UNIT_NANOS = 3,
};

#define DECIMAL_DIGITS 18
#define DECIMAL_END    INT64_C(1000000000000000000)
#define SIGN_BIT       (UINT64_C(1) << 63)

struct pq_scratch {
	ZSTD_CCtx *zstd;
	uint32_t rows_max;
	int64_t *packed; /* values without the nulls                       */
	uint32_t *code;
	uint16_t *table;
	int64_t *distinct;
	uint8_t *levels;
	size_t levels_len;
	uint8_t *body;
	uint8_t *comp;
	size_t comp_cap;
};

/* One column chunk while it is being written. */
struct chunk {
	const struct pq_column *col;
	const struct pq_values *val;
	const int64_t *v; /* the values that are not null                  */
	uint32_t n;	  /* how many                                      */
	uint32_t rows;
	int64_t min;
	int64_t max;
	int encoding;
	uint64_t start;
	uint64_t data_at;
	uint64_t plain_sz; /* of all pages, before compression             */
	bool has_dict;
};

static size_t
body_bound(uint32_t rows)
{
	size_t a = PQENC_DELTA_BOUND(rows) + PQENC_HYBRID_BOUND(rows) + 16;
	size_t b = (size_t)PQ_TEXTS_MAX * (PQ_TEXT_MAX + 4);

	return a > b ? a : b;
}

static size_t
round64(size_t n)
{
	return (n + 63) & ~(size_t)63;
}

size_t
pq_scratch_sz(uint32_t rows_max)
{
	CHECK(rows_max >= 1);
	CHECK(rows_max <= PQ_ROWS_MAX);
	return round64(sizeof(struct pq_scratch)) +
	       round64((size_t)rows_max * sizeof(int64_t)) +
	       round64((size_t)rows_max * sizeof(uint32_t)) +
	       round64(PQENC_DICT_TABLE * sizeof(uint16_t)) +
	       round64(PQENC_DICT_MAX * sizeof(int64_t)) +
	       round64(PQENC_HYBRID_BOUND(rows_max)) +
	       round64(body_bound(rows_max)) +
	       round64(ZSTD_compressBound(body_bound(rows_max)));
}

static void *
carve(uint8_t **at, size_t n)
{
	void *p = *at;

	*at += round64(n);
	return p;
}

struct pq_scratch *
pq_scratch_init(
    void *mem, uint32_t rows_max, struct ZSTD_CCtx_s *zstd, int level)
{
	uint8_t *at = mem;
	struct pq_scratch *s = carve(&at, sizeof(*s));

	CHECK(((uintptr_t)mem & 63) == 0);
	CHECK(zstd != NULL);
	*s = (struct pq_scratch){.zstd = zstd, .rows_max = rows_max};
	/* Each page carries a checksum of its content: damage is noticed. */
	CHECK(!ZSTD_isError(
	    ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, level)));
	CHECK(!ZSTD_isError(
	    ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1)));
	s->packed = carve(&at, (size_t)rows_max * sizeof(int64_t));
	s->code = carve(&at, (size_t)rows_max * sizeof(uint32_t));
	s->table = carve(&at, PQENC_DICT_TABLE * sizeof(uint16_t));
	s->distinct = carve(&at, PQENC_DICT_MAX * sizeof(int64_t));
	s->levels = carve(&at, PQENC_HYBRID_BOUND(rows_max));
	s->body = carve(&at, body_bound(rows_max));
	s->comp_cap = ZSTD_compressBound(body_bound(rows_max));
	s->comp = carve(&at, s->comp_cap);
	CHECK((size_t)(at - (uint8_t *)mem) == pq_scratch_sz(rows_max));
	return s;
}

static void
put(struct pq *p, const void *data, size_t n)
{
	if (p->err != 0)
		return;
	p->err = p->sink.write(p->sink.ctx, data, n);
	if (p->err == 0)
		p->offset += n;
}

static int
physical(uint8_t kind)
{
	if (kind == PQ_STRING)
		return TYPE_BYTE_ARRAY;
	return kind == PQ_I32 ? TYPE_INT32 : TYPE_INT64;
}

int
pq_begin(struct pq *p, const struct pq_column *col, unsigned col_n,
    const struct pq_sink *sink, void *meta, size_t meta_sz)
{
	CHECK(col_n >= 1);
	CHECK(col_n <= PQ_COLS_MAX);
	for (unsigned i = 0; i < col_n; i++) {
		CHECK(col[i].kind >= PQ_TIMESTAMP);
		CHECK(col[i].kind < PQ_KIND_N);
		CHECK(col[i].enc == PQ_ENC_AUTO ||
		      (col[i].enc == PQ_ENC_DELTA &&
			  physical(col[i].kind) == TYPE_INT64));
		CHECK(strlen(col[i].name) <= 64);
	}
	*p = (struct pq){.col = col, .col_n = col_n, .sink = *sink};
	thrift_init(&p->meta, meta, meta_sz);
	put(p, "PAR1", 4);
	return p->err;
}

/* Leaves out the nulls and encodes where they are. */
static void
split_nulls(struct pq_scratch *s, struct chunk *c)
{
	const int64_t *v = c->val->v;
	uint8_t *bits = s->body; /* not in use yet */
	uint32_t n = 0;

	s->levels_len = 0;
	c->v = v;
	c->n = c->rows;
	if (!c->col->optional)
		return;
	for (uint32_t i = 0; i < c->rows; i += 8) {
		uint32_t m = c->rows - i < 8 ? c->rows - i : 8;
		unsigned b = 0;

		for (uint32_t k = 0; k < m; k++) {
			unsigned is_set = v[i + k] != PQ_NULL;

			s->packed[n] = v[i + k];
			n += is_set;
			b |= is_set << k;
		}
		bits[i / 8] = (uint8_t)b;
	}
	c->v = n == c->rows ? v : s->packed;
	c->n = n;
	s->levels_len = pqenc_levels(s->levels, bits, c->rows);
}

static int
text_cmp(const struct pq_text *a, const struct pq_text *b)
{
	uint32_t n = a->len < b->len ? a->len : b->len;
	int r = memcmp(a->s, b->s, n);

	if (r != 0)
		return r;
	return a->len < b->len ? -1 : a->len > b->len;
}

/* Smallest and largest value; of strings, of their indices, for the check. */
static void
find_range(struct chunk *c)
{
	uint64_t flip = c->col->kind == PQ_U64 ? SIGN_BIT : 0;
	int64_t min = INT64_MAX;
	int64_t max = INT64_MIN;

	for (uint32_t i = 0; i < c->n; i++) {
		int64_t v = (int64_t)((uint64_t)c->v[i] ^ flip);

		min = v < min ? v : min;
		max = v > max ? v : max;
	}
	c->min = (int64_t)((uint64_t)min ^ flip);
	c->max = (int64_t)((uint64_t)max ^ flip);
	if (c->n == 0)
		return;
	switch ((enum pq_kind)c->col->kind) {
	case PQ_DECIMAL8:
	case PQ_DECIMAL6:
		CHECK(min > -DECIMAL_END);
		CHECK(max < DECIMAL_END);
		return;
	case PQ_I32:
		CHECK(min >= INT32_MIN);
		CHECK(max <= INT32_MAX);
		return;
	case PQ_STRING:
		CHECK(min >= 0);
		CHECK(max < (int64_t)c->val->text_n);
		return;
	case PQ_TIMESTAMP:
	case PQ_I64:
	case PQ_U64: return;
	case PQ_KIND_N: break;
	}
	CHECK(false);
}

/* The used texts, in the order of their codes; also their range. */
static size_t
plain_texts(uint8_t *dst, struct chunk *c, const int64_t *index, uint32_t n)
{
	const struct pq_text *text = c->val->text;
	uint8_t *p = dst;

	c->min = n > 0 ? index[0] : 0;
	c->max = c->min;
	for (uint32_t i = 0; i < n; i++) {
		const struct pq_text *t = &text[index[i]];

		CHECK(t->len <= PQ_TEXT_MAX);
		memcpy(p, &t->len, 4);
		memcpy(p + 4, t->s, t->len);
		p += 4 + t->len;
		if (text_cmp(t, &text[c->min]) < 0)
			c->min = index[i];
		if (text_cmp(t, &text[c->max]) > 0)
			c->max = index[i];
	}
	return (size_t)(p - dst);
}

static size_t
plain_ints(uint8_t *dst, const int64_t *v, uint32_t n, int type)
{
	if (type == TYPE_INT64) {
		memcpy(dst, v, (size_t)n * 8);
		return (size_t)n * 8;
	}
	for (uint32_t i = 0; i < n; i++) {
		int32_t w = (int32_t)v[i];

		memcpy(dst + (size_t)i * 4, &w, 4);
	}
	return (size_t)n * 4;
}

/* Compress s->body[0..n) and write it as one page. */
static void
write_page(
    struct pq *p, struct pq_scratch *s, struct chunk *c, int type, size_t n)
{
	uint8_t buf[128];
	struct thrift t;
	size_t comp = ZSTD_compress2(s->zstd, s->comp, s->comp_cap, s->body, n);

	CHECK(!ZSTD_isError(comp));
	thrift_init(&t, buf, sizeof(buf));
	thrift_i32(&t, 1, type);
	thrift_i32(&t, 2, (int32_t)n);
	thrift_i32(&t, 3, (int32_t)comp);
	if (type == PAGE_DATA) {
		thrift_struct(&t, 5);
		thrift_i32(&t, 1, (int32_t)c->rows);
		thrift_i32(&t, 2, c->encoding);
		thrift_i32(&t, 3, ENC_RLE);
		thrift_i32(&t, 4, ENC_RLE);
	} else {
		thrift_struct(&t, 7);
		thrift_i32(&t, 1, (int32_t)c->n);
		thrift_i32(&t, 2, ENC_PLAIN);
	}
	thrift_end(&t);
	thrift_end(&t);
	CHECK(!t.full);
	put(p, buf, t.len);
	put(p, s->comp, comp);
	c->plain_sz += t.len + n;
}

/* The bytes a dictionary would take; a distinct value counts four, which is
 * about what ZSTD makes of its eight. */
static size_t
dict_cost(const struct pqenc_dict *d, uint32_t n)
{
	unsigned width = pqenc_width(d->n > 0 ? d->n - 1 : 0);

	return (size_t)d->n * 4 + (size_t)n * width / 8;
}

/*
 * Encode the values at dst by delta or plain, whichever is smaller, and set
 * *len. False, when the dictionary d (NULL: none) is smaller than either.
 */
static bool
encode_ints(
    struct chunk *c, uint8_t *dst, const struct pqenc_dict *d, size_t *len)
{
	int type = physical(c->col->kind);
	size_t plain = (size_t)c->n * (type == TYPE_INT64 ? 8 : 4);
	size_t best = plain;

	c->encoding = ENC_PLAIN;
	/* A byte a value or less: delta hardly ever does better. */
	if (d != NULL && dict_cost(d, c->n) <= c->n)
		return false;
	if (type == TYPE_INT64) {
		size_t delta = pqenc_delta(dst, c->v, c->n);

		if (c->col->enc == PQ_ENC_DELTA || delta < plain) {
			c->encoding = ENC_DELTA;
			best = delta;
		}
	}
	if (d != NULL && dict_cost(d, c->n) < best)
		return false;
	if (c->encoding == ENC_PLAIN)
		plain_ints(dst, c->v, c->n, type);
	*len = best;
	return true;
}

static void
write_dict(struct pq *p, struct pq_scratch *s, struct chunk *c,
    const struct pqenc_dict *d)
{
	struct chunk dict = *c;
	size_t n;

	if (c->col->kind == PQ_STRING)
		n = plain_texts(s->body, c, d->value, d->n);
	else
		n = plain_ints(s->body, d->value, d->n, physical(c->col->kind));
	dict.n = d->n;
	write_page(p, s, &dict, PAGE_DICTIONARY, n);
	c->plain_sz = dict.plain_sz;
	c->has_dict = true;
	c->encoding = ENC_RLE_DICTIONARY;
}

/* Dictionary page, then the indices at dst. Returns their length. */
static size_t
encode_dict(struct pq *p, struct pq_scratch *s, struct chunk *c, uint8_t *dst,
    const struct pqenc_dict *d)
{
	unsigned width = pqenc_width(d->n - 1);

	CHECK(d->n > 0);
	write_dict(p, s, c, d);
	dst[0] = (uint8_t)width;
	return 1 + pqenc_hybrid(dst + 1, d->code, c->n, width);
}

/* One value all over: nothing to look for. */
static size_t
encode_same(struct pq *p, struct pq_scratch *s, struct chunk *c, uint8_t *dst)
{
	struct pqenc_dict d = {.value = s->distinct, .n = 1};

	d.value[0] = c->v[0];
	write_dict(p, s, c, &d);
	dst[0] = 0;
	return 1 + pqenc_run(dst + 1, 0, c->n, 0);
}

static void
write_chunk(struct pq *p, struct pq_scratch *s, struct chunk *c)
{
	struct pqenc_dict d = {
	    .table = s->table, .value = s->distinct, .code = s->code};
	bool is_text = c->col->kind == PQ_STRING;
	bool has_dict = false;
	size_t len = 0;

	c->start = p->offset;
	split_nulls(s, c);
	find_range(c);
	uint8_t *dst = s->body + (c->col->optional ? 4 + s->levels_len : 0);

	bool same = c->n > 0 && c->min == c->max &&
		    (c->col->enc == PQ_ENC_AUTO || is_text);

	if (c->n > 0 && !same && (c->col->enc == PQ_ENC_AUTO || is_text))
		has_dict = pqenc_dict_build(&d, c->v, c->n, is_text) == 0;
	CHECK(has_dict || same || !is_text || c->n == 0);
	c->encoding = ENC_PLAIN;
	if (same)
		len = encode_same(p, s, c, dst);
	else if (c->n > 0 &&
		 (is_text || !encode_ints(c, dst, has_dict ? &d : NULL, &len)))
		len = encode_dict(p, s, c, dst, &d);
	if (c->col->optional) {
		uint32_t n = (uint32_t)s->levels_len;

		memcpy(s->body, &n, 4);
		memcpy(s->body + 4, s->levels, n);
		len += 4 + n;
	}
	c->data_at = p->offset;
	write_page(p, s, c, PAGE_DATA, len);
}

static void
meta_stats(struct thrift *t, const struct chunk *c)
{
	const struct pq_text *text = c->val->text;

	thrift_struct(t, 12);
	thrift_i64(t, 3, (int64_t)c->rows - c->n);
	if (c->n > 0 && c->col->kind == PQ_STRING) {
		thrift_binary(t, 5, text[c->max].s, text[c->max].len);
		thrift_binary(t, 6, text[c->min].s, text[c->min].len);
	} else if (c->n > 0) {
		size_t sz = physical(c->col->kind) == TYPE_INT64 ? 8 : 4;

		thrift_binary(t, 5, &c->max, sz);
		thrift_binary(t, 6, &c->min, sz);
	}
	thrift_end(t);
}

static void
meta_chunk(struct pq *p, const struct chunk *c)
{
	struct thrift *t = &p->meta;

	thrift_elem_struct(t);
	thrift_i64(t, 2, (int64_t)c->start);
	thrift_struct(t, 3);
	thrift_i32(t, 1, physical(c->col->kind));
	thrift_list(t, 2, THRIFT_I32, c->has_dict ? 3 : 2);
	thrift_elem_i32(t, ENC_RLE);
	thrift_elem_i32(t, c->encoding);
	if (c->has_dict)
		thrift_elem_i32(t, ENC_PLAIN);
	thrift_list(t, 3, THRIFT_BINARY, 1);
	thrift_elem_binary(t, c->col->name, strlen(c->col->name));
	thrift_i32(t, 4, CODEC_ZSTD);
	thrift_i64(t, 5, c->rows);
	thrift_i64(t, 6, (int64_t)c->plain_sz);
	thrift_i64(t, 7, (int64_t)(p->offset - c->start));
	thrift_i64(t, 9, (int64_t)c->data_at);
	if (c->has_dict)
		thrift_i64(t, 11, (int64_t)c->start);
	meta_stats(t, c);
	thrift_end(t);
	thrift_end(t);
}

int
pq_group(
    struct pq *p, struct pq_scratch *s, const struct pq_values *val, uint32_t n)
{
	uint64_t start = p->offset;
	uint64_t plain_sz = 0;
	size_t meta_at = p->meta.len;

	CHECK(n >= 1);
	CHECK(n <= s->rows_max);
	if (p->err != 0)
		return p->err;
	if (p->meta.cap - p->meta.len < PQ_META_SZ(p->col_n))
		return -EOVERFLOW;
	thrift_elem_struct(&p->meta);
	thrift_list(&p->meta, 1, THRIFT_STRUCT, p->col_n);
	for (unsigned i = 0; i < p->col_n; i++) {
		struct chunk c = {.col = &p->col[i], .val = &val[i], .rows = n};

		write_chunk(p, s, &c);
		meta_chunk(p, &c);
		plain_sz += c.plain_sz;
	}
	thrift_i64(&p->meta, 2, (int64_t)plain_sz);
	thrift_i64(&p->meta, 3, n);
	thrift_i64(&p->meta, 5, (int64_t)start);
	thrift_i64(&p->meta, 6, (int64_t)(p->offset - start));
	thrift_end(&p->meta);
	CHECK(!p->meta.full);
	CHECK(p->meta.len - meta_at <= PQ_META_SZ(p->col_n));
	p->rows += n;
	p->groups++;
	return p->err;
}

static void
schema_logical(struct thrift *t, uint8_t kind)
{
	thrift_struct(t, 10);
	switch ((enum pq_kind)kind) {
	case PQ_TIMESTAMP:
		thrift_struct(t, LOGICAL_TIMESTAMP);
		thrift_bool(t, 1, true);
		thrift_struct(t, 2);
		thrift_struct(t, UNIT_NANOS);
		thrift_end(t);
		thrift_end(t);
		break;
	case PQ_DECIMAL8:
	case PQ_DECIMAL6:
		thrift_struct(t, LOGICAL_DECIMAL);
		thrift_i32(t, 1, kind == PQ_DECIMAL8 ? 8 : 6);
		thrift_i32(t, 2, DECIMAL_DIGITS);
		break;
	case PQ_STRING: thrift_struct(t, LOGICAL_STRING); break;
	case PQ_I64:
	case PQ_U64:
	case PQ_I32: {
		uint8_t bits = kind == PQ_I32 ? 32 : 64;

		/* bitWidth is a byte of its own type, 3. */
		thrift_struct(t, LOGICAL_INTEGER);
		thrift_raw(t, (uint8_t[]){1 << 4 | 3, bits}, 2);
		t->last_id[t->depth - 1] = 1;
		thrift_bool(t, 2, kind != PQ_U64);
		break;
	}
	case PQ_KIND_N: CHECK(false);
	}
	thrift_end(t);
	thrift_end(t);
}

static void
schema_column(struct thrift *t, const struct pq_column *col)
{
	bool is_decimal = col->kind == PQ_DECIMAL8 || col->kind == PQ_DECIMAL6;

	thrift_elem_struct(t);
	thrift_i32(t, 1, physical(col->kind));
	thrift_i32(t, 3, col->optional ? 1 : 0);
	thrift_binary(t, 4, col->name, strlen(col->name));
	if (col->kind == PQ_STRING)
		thrift_i32(t, 6, CONVERTED_UTF8);
	if (col->kind == PQ_U64)
		thrift_i32(t, 6, CONVERTED_UINT64);
	if (is_decimal) {
		thrift_i32(t, 6, CONVERTED_DECIMAL);
		thrift_i32(t, 7, col->kind == PQ_DECIMAL8 ? 8 : 6);
		thrift_i32(t, 8, DECIMAL_DIGITS);
	}
	schema_logical(t, col->kind);
	thrift_end(t);
}

int
pq_end(struct pq *p, const char *created_by, const struct pq_kv *kv,
    unsigned kv_n, void *buf, size_t buf_sz)
{
	struct thrift t;

	if (p->err != 0)
		return p->err;
	thrift_init(&t, buf, buf_sz);
	thrift_i32(&t, 1, 2);
	thrift_list(&t, 2, THRIFT_STRUCT, p->col_n + 1);
	thrift_elem_struct(&t);
	thrift_binary(&t, 4, "schema", 6);
	thrift_i32(&t, 5, (int32_t)p->col_n);
	thrift_end(&t);
	for (unsigned i = 0; i < p->col_n; i++)
		schema_column(&t, &p->col[i]);
	thrift_i64(&t, 3, (int64_t)p->rows);
	thrift_list(&t, 4, THRIFT_STRUCT, p->groups);
	thrift_raw(&t, p->meta.buf, p->meta.len);
	thrift_list(&t, 5, THRIFT_STRUCT, kv_n);
	for (unsigned i = 0; i < kv_n; i++) {
		thrift_elem_struct(&t);
		thrift_binary(&t, 1, kv[i].key, strlen(kv[i].key));
		thrift_binary(&t, 2, kv[i].value, strlen(kv[i].value));
		thrift_end(&t);
	}
	thrift_binary(&t, 6, created_by, strlen(created_by));
	thrift_list(&t, 7, THRIFT_STRUCT, p->col_n);
	for (unsigned i = 0; i < p->col_n; i++) {
		thrift_elem_struct(&t);
		thrift_struct(&t, 1);
		thrift_end(&t);
		thrift_end(&t);
	}
	thrift_end(&t);
	if (t.full)
		return -EOVERFLOW;
	uint32_t len = (uint32_t)t.len;

	put(p, t.buf, t.len);
	put(p, &len, 4);
	put(p, "PAR1", 4);
	return p->err;
}

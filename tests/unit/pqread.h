/*
 * pqread.h - a small Parquet reader for tests, written from the format's
 * specification and not from our writer: footer, pages of format 1, ZSTD,
 * PLAIN, RLE, RLE_DICTIONARY, DELTA_BINARY_PACKED. Any surprise fails the
 * test. Values come out as int64_t (PQR_NULL for null) or as strings.
 */
#ifndef TESTS_UNIT_PQREAD_H
#define TESTS_UNIT_PQREAD_H

#include <stdlib.h>
#include <zstd.h>

#include "tests/unit/pqr_meta.h"

static inline uint64_t
pqr_bits(const uint8_t *p, size_t at, unsigned width)
{
	uint64_t v = 0;

	for (unsigned b = 0; b < width; b++, at++)
		v |= (uint64_t)(p[at / 8] >> (at % 8) & 1) << b;
	return v;
}

static inline void
pqr_hybrid(struct pqr_in *in, unsigned width, uint32_t *out, size_t n)
{
	size_t i = 0;

	while (i < n) {
		uint64_t h = pqr_uv(in);
		size_t run = (size_t)(h >> 1);

		assert_true(run > 0);
		if ((h & 1) == 0) {
			size_t bytes = (width + 7) / 8;

			assert_true(bytes <= (size_t)(in->end - in->p));
			uint32_t v =
			    (uint32_t)pqr_bits(in->p, 0, (unsigned)bytes * 8);

			in->p += bytes;
			assert_true(run <= n - i);
			while (run-- > 0)
				out[i++] = v;
			continue;
		}
		assert_true(run * width <= (size_t)(in->end - in->p));
		for (size_t k = 0; k < run * 8 && i < n; k++)
			out[i++] = (uint32_t)pqr_bits(in->p, k * width, width);
		in->p += run * width;
	}
}

static inline void
pqr_delta(struct pqr_in *in, int64_t *out, size_t n)
{
	uint64_t block = pqr_uv(in);
	uint64_t minis = pqr_uv(in);
	uint64_t total = pqr_uv(in);
	int64_t v = pqr_zz(in);
	size_t i = 0;

	assert_int_equal(total, n);
	assert_true(block % 128 == 0 && minis > 0);
	uint64_t mini = block / minis;

	assert_int_equal(mini % 32, 0);
	if (n > 0)
		out[i++] = v;
	while (i < n) {
		int64_t min = pqr_zz(in);
		const uint8_t *width = in->p;

		assert_true(minis <= (size_t)(in->end - in->p));
		in->p += minis;
		for (size_t m = 0; m < minis && i < n; m++) {
			assert_true(width[m] <= 64);
			assert_true(
			    mini * width[m] / 8 <= (size_t)(in->end - in->p));
			for (size_t k = 0; k < mini && i < n; k++) {
				v = (int64_t)((uint64_t)v + (uint64_t)min +
					      pqr_bits(in->p, k * width[m],
						  width[m]));
				out[i++] = v;
			}
			in->p += mini * width[m] / 8;
		}
	}
}

struct pqr_page {
	int64_t type;
	int64_t values;
	int64_t encoding;
	uint8_t *body; /* to be freed */
	size_t len;
	const uint8_t *next;
};

static inline struct pqr_page
pqr_page(const struct pqr *r, int64_t at)
{
	struct pqr_in in = {r->file + at, r->file + r->len - 8};
	struct pqr_page page = {0};
	int64_t comp = 0;
	int64_t plain = 0;
	int id = 0;
	int t;

	while ((t = pqr_field(&in, &id)) != 0) {
		if (id == 1) {
			page.type = pqr_zz(&in);
		} else if (id == 2) {
			plain = pqr_zz(&in);
		} else if (id == 3) {
			comp = pqr_zz(&in);
		} else if (id == 5 || id == 7) {
			int id2 = 0;
			int t2;

			while ((t2 = pqr_field(&in, &id2)) != 0) {
				if (id2 == 1)
					page.values = pqr_zz(&in);
				else if (id2 == 2)
					page.encoding = pqr_zz(&in);
				else
					pqr_skip(&in, t2);
			}
		} else {
			pqr_skip(&in, t);
		}
	}
	assert_true(comp >= 0 && comp <= in.end - in.p);
	page.len = (size_t)plain;
	page.body = calloc(1, page.len + 1);
	size_t n = ZSTD_decompress(page.body, page.len, in.p, (size_t)comp);

	assert_false(ZSTD_isError(n));
	assert_int_equal(n, page.len);
	page.next = in.p + comp;
	return page;
}

/* PLAIN values of an integer type, or byte arrays (str). */
static inline void
pqr_plain(struct pqr_in *in, int64_t type, int64_t *out, struct pqr_str *str,
    size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t sz = type == 2 ? 8 : 4;

		assert_true(sz <= (size_t)(in->end - in->p));
		if (type == 2) {
			memcpy(&out[i], in->p, 8);
		} else {
			int32_t w;

			memcpy(&w, in->p, 4);
			out[i] = w;
		}
		in->p += sz;
		if (type != 6)
			continue;
		assert_true((size_t)out[i] <= (size_t)(in->end - in->p));
		str[i] = (struct pqr_str){in->p, (size_t)out[i]};
		in->p += out[i];
	}
}

/*
 * pqr_read - values of one column of one row group. Strings: str gets
 * pointers into *hold, which the caller frees after use (p NULL for null).
 */
static inline void
pqr_read(const struct pqr *r, unsigned g, unsigned c, int64_t *out,
    struct pqr_str *str, uint8_t **hold)
{
	const struct pqr_chunk *ch = &r->chunk[g][c];
	size_t rows = (size_t)r->group_rows[g];
	struct pqr_page dict = {0};
	int64_t *dv = NULL;
	struct pqr_str *ds = NULL;

	assert_int_equal(ch->values, rows);
	assert_int_equal(ch->type, r->col[c].type);
	if (ch->dict_at >= 0) {
		dict = pqr_page(r, ch->dict_at);
		assert_int_equal(dict.type, 2);
		assert_ptr_equal(dict.next, r->file + ch->data_at);
		dv = calloc((size_t)dict.values + 1, sizeof(*dv));
		ds = calloc((size_t)dict.values + 1, sizeof(*ds));
		struct pqr_in in = {dict.body, dict.body + dict.len};

		pqr_plain(&in, ch->type, dv, ds, (size_t)dict.values);
		assert_ptr_equal(in.p, in.end);
	}
	struct pqr_page page = pqr_page(r, ch->data_at);
	struct pqr_in in = {page.body, page.body + page.len};
	uint32_t *level = calloc(rows + 1, sizeof(*level));
	int64_t *val = calloc(rows + 1, sizeof(*val));
	struct pqr_str *vs = calloc(rows + 1, sizeof(*vs));
	size_t n = rows;

	assert_int_equal(page.type, 0);
	assert_int_equal(page.values, rows);
	if (r->col[c].optional) {
		uint32_t len;

		memcpy(&len, in.p, 4);
		struct pqr_in lv = {in.p + 4, in.p + 4 + len};

		pqr_hybrid(&lv, 1, level, rows);
		assert_ptr_equal(lv.p, lv.end);
		in.p += 4 + len;
		n = 0;
		for (size_t i = 0; i < rows; i++)
			n += level[i];
	}
	assert_int_equal(ch->null_n, rows - n);
	if (page.encoding == 8) {
		uint32_t *code = calloc(n + 1, sizeof(*code));
		unsigned width = pqr_u8(&in);

		pqr_hybrid(&in, width, code, n);
		for (size_t i = 0; i < n; i++) {
			assert_true(code[i] < dict.values);
			val[i] = dv[code[i]];
			vs[i] = ds[code[i]];
		}
		free(code);
	} else if (page.encoding == 5) {
		pqr_delta(&in, val, n);
	} else {
		assert_int_equal(page.encoding, 0);
		pqr_plain(&in, ch->type, val, vs, n);
	}
	assert_ptr_equal(in.p, in.end);
	for (size_t i = 0, k = 0; i < rows; i++) {
		bool is_set = !r->col[c].optional || level[i] == 1;

		out[i] = is_set ? val[k] : PQR_NULL;
		if (str != NULL)
			str[i] = is_set ? vs[k] : (struct pqr_str){NULL, 0};
		k += is_set;
	}
	if (hold != NULL)
		*hold = dict.body;
	else
		free(dict.body);
	free(page.body);
	free(level);
	free(val);
	free(vs);
	free(dv);
	free(ds);
}

static inline int
pqr_find(const struct pqr *r, const char *name)
{
	for (unsigned i = 0; i < r->cols; i++)
		if (r->col[i].name.len == strlen(name) &&
		    memcmp(r->col[i].name.p, name, strlen(name)) == 0)
			return (int)i;
	return -1;
}

#endif

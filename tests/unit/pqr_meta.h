/*
 * pqr_meta.h - schema and row groups from a Parquet footer, for pqread.h.
 */
#ifndef TESTS_UNIT_PQR_META_H
#define TESTS_UNIT_PQR_META_H

#include "tests/unit/pqr_thrift.h"

#define PQR_NULL     INT64_MIN
#define PQR_COLS_MAX 64
#define PQR_GROUPS   512
#define PQR_KV_MAX   16

struct pqr_col {
	struct pqr_str name;
	int64_t type;
	bool optional;
	int64_t converted;
	int64_t scale;
	int logical; /* field id of the LogicalType union                 */
	bool is_utc;
	int unit;
};

struct pqr_chunk {
	int64_t type;
	int64_t codec;
	int64_t values;
	int64_t plain_sz;
	int64_t comp_sz;
	int64_t data_at;
	int64_t dict_at;
	int64_t null_n;
	struct pqr_str min;
	struct pqr_str max;
};

struct pqr {
	const uint8_t *file;
	size_t len;
	int64_t rows;
	unsigned cols;
	struct pqr_col col[PQR_COLS_MAX];
	unsigned groups;
	int64_t group_rows[PQR_GROUPS];
	struct pqr_chunk chunk[PQR_GROUPS][PQR_COLS_MAX];
	unsigned kvs;
	struct pqr_str key[PQR_KV_MAX];
	struct pqr_str value[PQR_KV_MAX];
	struct pqr_str created_by;
	unsigned orders;
};

static inline void
pqr_logical(struct pqr_in *in, struct pqr_col *c)
{
	int id = 0;
	int t;

	while ((t = pqr_field(in, &id)) != 0) {
		int id2 = 0;
		int t2;

		c->logical = id;
		assert_int_equal(t, 12);
		while ((t2 = pqr_field(in, &id2)) != 0) {
			if (id == 8 && id2 == 1) {
				c->is_utc = t2 == 1;
			} else if (id == 8 && id2 == 2) {
				int t3 = pqr_field(in, &c->unit);

				pqr_skip(in, t3);
				assert_int_equal(pqr_u8(in), 0);
			} else {
				pqr_skip(in, t2);
			}
		}
	}
}

static inline void
pqr_schema(struct pqr_in *in, struct pqr *r)
{
	int t;
	size_t n = pqr_list(in, &t);

	assert_true(n >= 2 && n <= PQR_COLS_MAX);
	for (size_t i = 0; i < n; i++) {
		struct pqr_col root;
		struct pqr_col *c = i == 0 ? &root : &r->col[i - 1];
		int id = 0;

		memset(c, 0, sizeof(*c));
		c->converted = -1;
		while ((t = pqr_field(in, &id)) != 0) {
			if (id == 1)
				c->type = pqr_zz(in);
			else if (id == 3)
				c->optional = pqr_zz(in) == 1;
			else if (id == 4)
				c->name = pqr_bin(in);
			else if (id == 5)
				assert_int_equal(pqr_zz(in), n - 1);
			else if (id == 6)
				c->converted = pqr_zz(in);
			else if (id == 7)
				c->scale = pqr_zz(in);
			else if (id == 10)
				pqr_logical(in, c);
			else
				pqr_skip(in, t);
		}
	}
	r->cols = (unsigned)n - 1;
}

static inline void
pqr_colmeta(struct pqr_in *in, struct pqr_chunk *c)
{
	int id = 0;
	int t;

	c->dict_at = -1;
	while ((t = pqr_field(in, &id)) != 0) {
		int id2 = 0;
		int t2;

		if (id == 1)
			c->type = pqr_zz(in);
		else if (id == 4)
			c->codec = pqr_zz(in);
		else if (id == 5)
			c->values = pqr_zz(in);
		else if (id == 6)
			c->plain_sz = pqr_zz(in);
		else if (id == 7)
			c->comp_sz = pqr_zz(in);
		else if (id == 9)
			c->data_at = pqr_zz(in);
		else if (id == 11)
			c->dict_at = pqr_zz(in);
		else if (id == 12)
			while ((t2 = pqr_field(in, &id2)) != 0) {
				if (id2 == 3)
					c->null_n = pqr_zz(in);
				else if (id2 == 5)
					c->max = pqr_bin(in);
				else if (id2 == 6)
					c->min = pqr_bin(in);
				else
					pqr_skip(in, t2);
			}
		else
			pqr_skip(in, t);
	}
}

static inline void
pqr_groups(struct pqr_in *in, struct pqr *r)
{
	int t;
	size_t n = pqr_list(in, &t);

	assert_true(n <= PQR_GROUPS);
	r->groups = (unsigned)n;
	for (size_t g = 0; g < n; g++) {
		int id = 0;

		while ((t = pqr_field(in, &id)) != 0) {
			if (id == 3) {
				r->group_rows[g] = pqr_zz(in);
				continue;
			}
			if (id != 1) {
				pqr_skip(in, t);
				continue;
			}
			size_t m = pqr_list(in, &t);

			assert_int_equal(m, r->cols);
			for (size_t i = 0; i < m; i++) {
				int id2 = 0;
				int t2;

				while ((t2 = pqr_field(in, &id2)) != 0) {
					if (id2 == 3)
						pqr_colmeta(
						    in, &r->chunk[g][i]);
					else
						pqr_skip(in, t2);
				}
			}
		}
	}
}

static inline void
pqr_kvs(struct pqr_in *in, struct pqr *r)
{
	int t;
	size_t n = pqr_list(in, &t);

	assert_true(n <= PQR_KV_MAX);
	r->kvs = (unsigned)n;
	for (size_t i = 0; i < n; i++) {
		int id = 0;

		while ((t = pqr_field(in, &id)) != 0) {
			assert_true(id == 1 || id == 2);
			*(id == 1 ? &r->key[i] : &r->value[i]) = pqr_bin(in);
		}
	}
}

static inline void
pqr_open(struct pqr *r, const uint8_t *file, size_t len)
{
	uint32_t foot;
	int id = 0;
	int t;

	memset(r, 0, sizeof(*r));
	r->file = file;
	r->len = len;
	assert_true(len > 12);
	assert_memory_equal(file, "PAR1", 4);
	assert_memory_equal(file + len - 4, "PAR1", 4);
	memcpy(&foot, file + len - 8, 4);
	assert_true(foot <= len - 12);
	struct pqr_in in = {file + len - 8 - foot, file + len - 8};

	while ((t = pqr_field(&in, &id)) != 0) {
		if (id == 2)
			pqr_schema(&in, r);
		else if (id == 3)
			r->rows = pqr_zz(&in);
		else if (id == 4)
			pqr_groups(&in, r);
		else if (id == 5)
			pqr_kvs(&in, r);
		else if (id == 6)
			r->created_by = pqr_bin(&in);
		else if (id == 7) {
			r->orders = (unsigned)pqr_list(&in, &t);
			for (unsigned i = 0; i < r->orders; i++)
				pqr_skip(&in, 12);
		} else
			pqr_skip(&in, t);
	}
	assert_ptr_equal(in.p, in.end);
}

#endif

/*
 * tables.h - recorded tables, row by row, for tests: every Parquet file below
 * a directory, through the tests' own reader. Any surprise fails the test.
 */
#ifndef TESTS_TABLES_H
#define TESTS_TABLES_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/pqread.h"

#define TABLE_COLS  12u
#define TABLE_FILES 4096u

struct table_row {
	int64_t v[TABLE_COLS];
	struct pqr_str s[TABLE_COLS];
};

struct table_read {
	const char *const *col;
	unsigned col_n;
	void (*row)(void *user, const struct table_row *r);
	void *user;
};

static const char *table_kind;
static char *table_file[TABLE_FILES];
static unsigned table_file_n;

static inline int
table_look(const char *path, const struct stat *st, int type, struct FTW *f)
{
	size_t n = strlen(path);

	(void)st;
	(void)f;
	if (type != FTW_F || n < 8 || strcmp(path + n - 8, ".parquet") != 0 ||
	    strstr(path, table_kind) == NULL)
		return 0;
	assert_true(table_file_n < TABLE_FILES);
	table_file[table_file_n++] = strdup(path);
	return 0;
}

static inline void
table_group(const struct pqr *p, unsigned g, const struct table_read *read)
{
	size_t n = (size_t)p->group_rows[g];
	int64_t *v = calloc(n * read->col_n + 1, sizeof(*v));
	struct pqr_str *s = calloc(n * read->col_n + 1, sizeof(*s));
	uint8_t *hold[TABLE_COLS] = {0};
	struct table_row row;

	for (unsigned c = 0; c < read->col_n; c++) {
		int at = pqr_find(p, read->col[c]);

		assert_true(at >= 0);
		pqr_read(p, g, (unsigned)at, v + c * n, s + c * n, &hold[c]);
	}
	for (size_t i = 0; i < n; i++) {
		for (unsigned c = 0; c < read->col_n; c++) {
			row.v[c] = v[c * n + i];
			row.s[c] = s[c * n + i];
		}
		read->row(read->user, &row);
	}
	for (unsigned c = 0; c < read->col_n; c++)
		free(hold[c]);
	free(v);
	free(s);
}

/* Every row of every file of a table ("kind=fills") below dir; the number of
 * rows. */
static inline uint64_t
table_each(const char *dir, const char *kind, const struct table_read *read)
{
	static struct pqr p;
	uint64_t rows = 0;

	assert_true(read->col_n <= TABLE_COLS);
	table_kind = kind;
	table_file_n = 0;
	assert_int_equal(nftw(dir, table_look, 16, FTW_PHYS), 0);
	for (unsigned i = 0; i < table_file_n; i++) {
		FILE *f = fopen(table_file[i], "rb");
		uint8_t *b;
		long n;

		assert_non_null(f);
		assert_int_equal(fseek(f, 0, SEEK_END), 0);
		n = ftell(f);
		rewind(f);
		b = malloc((size_t)n);
		assert_int_equal(fread(b, 1, (size_t)n, f), n);
		fclose(f);
		pqr_open(&p, b, (size_t)n);
		for (unsigned g = 0; g < p.groups; g++)
			table_group(&p, g, read);
		rows += (uint64_t)p.rows;
		free(b);
		free(table_file[i]);
	}
	return rows;
}

#endif

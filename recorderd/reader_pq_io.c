#define _GNU_SOURCE
#include "recorderd/reader_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "libcore/check.h"

#define CODEC_PLAIN 0
#define CODEC_ZSTD  6

/* What a column that the file does not have is filled with. */
static const int64_t *
absent(struct reader_pq *s, unsigned col)
{
	int64_t *v = s->mem + (size_t)col * PQDEC_BATCH;
	bool optional = rec_schemas[s->table].col[col].optional;

	for (uint32_t i = 0; i < PQDEC_BATCH; i++)
		v[i] = optional ? PQ_NULL : 0;
	return v;
}

static int
read_footer(struct reader_pq *s)
{
	uint8_t tail[PQFILE_TAIL];
	off_t size = lseek(s->fd, 0, SEEK_END);

	if (size < PQFILE_TAIL + 4 ||
	    pread(s->fd, tail, sizeof(tail), size - PQFILE_TAIL) != PQFILE_TAIL)
		return -EBADMSG;
	uint32_t n = pqfile_foot_len(tail);

	s->size = (uint64_t)size - PQFILE_TAIL;
	if (n == 0 || n >= s->size)
		return -EBADMSG;
	s->foot = malloc(n);
	if (s->foot == NULL)
		return -ENOMEM;
	s->size -= n;
	if (pread(s->fd, s->foot, n, (off_t)s->size) != (ssize_t)n ||
	    !pqfile_parse(&s->f, s->foot, n))
		return -EBADMSG;
	s->pos = s->f.groups_at;
	return 0;
}

/* Which column of the file is which of ours, with the same type? */
static int
map_columns(struct reader_pq *s)
{
	const struct rec_schema *schema = &rec_schemas[s->table];

	s->mem = malloc(schema->col_n * PQDEC_BATCH * sizeof(*s->mem));
	if (s->mem == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < schema->col_n; i++) {
		const struct pq_column *c = &schema->col[i];
		int type = c->kind == PQ_STRING ? 6 : c->kind == PQ_I32 ? 1 : 2;
		int at = pqfile_column_find(&s->f, c->name);

		if (at >= 0 && s->f.col[at].type != type)
			return -EBADMSG;
		s->map[i] = at;
		s->v[i] =
		    at >= 0 ? s->mem + (size_t)i * PQDEC_BATCH : absent(s, i);
	}
	return 0;
}

int
reader_pq_open(struct reader_pq *s, const struct reader_file *file,
    uint8_t source, struct ZSTD_DCtx_s *zstd)
{
	CHECK(file->table < REC_TABLE_N);
	memset(s, 0, sizeof(*s));
	s->file = file;
	s->zstd = zstd;
	s->table = (enum rec_table)file->table;
	s->source = source;
	unrow_common(s->table, &s->place);
	s->fd = open(file->path, O_RDONLY | O_CLOEXEC);
	int rc = s->fd < 0 ? -errno : read_footer(s);

	if (rc == 0)
		rc = map_columns(s);
	if (rc != 0)
		reader_pq_close(s);
	return rc;
}

void
reader_pq_close(struct reader_pq *s)
{
	for (unsigned i = 0; i < PQ_COLS_MAX; i++) {
		free(s->page[i]);
		free(s->dict_page[i]);
		free(s->dict[i]);
		free(s->text[i]);
	}
	free(s->comp);
	free(s->mem);
	free(s->foot);
	if (s->fd >= 0)
		close(s->fd);
	memset(s, 0, sizeof(*s));
	s->fd = -1;
}

/* ---- pages ---- */

static bool
grow(uint8_t **p, size_t *cap, size_t n)
{
	if (n <= *cap)
		return true;
	uint8_t *q = realloc(*p, n);

	if (q == NULL)
		return false;
	*p = q;
	*cap = n;
	return true;
}

/* Uncompress the page at p (of n bytes) into *out. Its bytes, 0: malformed. */
static size_t
unpack_page(struct reader_pq *s, const uint8_t *p, size_t n, int32_t codec,
    struct pqfile_page *page, uint8_t **out, size_t *cap)
{
	if (!pqfile_page_parse(page, p, n) ||
	    page->comp_sz > n - page->head_len ||
	    page->plain_sz > READER_PAGE_MAX ||
	    !grow(out, cap, page->plain_sz + PQDEC_SLACK))
		return 0;
	memset(*out + page->plain_sz, 0, PQDEC_SLACK);
	p += page->head_len;
	if (codec == CODEC_ZSTD) {
		size_t k = ZSTD_decompressDCtx(
		    s->zstd, *out, page->plain_sz, p, page->comp_sz);

		if (ZSTD_isError(k) || k != page->plain_sz)
			return 0;
	} else {
		if (page->plain_sz != page->comp_sz)
			return 0;
		memcpy(*out, p, page->plain_sz);
	}
	return page->head_len + page->comp_sz;
}

/* The values of a dictionary, or what its texts mean in this column. */
static bool
take_dict(struct reader_pq *s, unsigned col, const struct pqfile_page *page)
{
	const struct pq_column *c = &rec_schemas[s->table].col[col];
	uint32_t n = page->values;
	size_t len = page->plain_sz;

	free(s->dict[col]);
	free(s->text[col]);
	s->text[col] = NULL;
	s->text_n[col] = 0;
	s->dict[col] = calloc(n > 0 ? n : 1, sizeof(*s->dict[col]));
	if (s->dict[col] == NULL)
		return false;
	if (c->kind != PQ_STRING)
		return pqdec_dict_ints(s->dict_page[col], len,
		    c->kind == PQ_I32 ? 1 : 2, s->dict[col], n);
	s->text[col] = calloc(n > 0 ? n : 1, sizeof(*s->text[col]));
	if (s->text[col] == NULL ||
	    !pqdec_dict_texts(s->dict_page[col], len, s->text[col], n))
		return false;
	s->text_n[col] = n;
	for (uint32_t i = 0; i < n; i++)
		s->dict[col][i] = unrow_is_text(s->table, col)
				      ? (int64_t)i
				      : unrow_code(s->table, col,
					    (const char *)s->text[col][i].p,
					    s->text[col][i].len);
	return true;
}

/* Read and unpack the pages of one column of the row group. */
static int
load_column(struct reader_pq *s, unsigned col)
{
	const struct pqfile_chunk *c = &s->g.chunk[s->map[col]];
	struct pqdec_page d = {.type = c->type,
	    .optional = s->f.col[s->map[col]].optional,
	    .rows = (uint32_t)s->g.rows};
	struct pqfile_page page;
	size_t at = 0;

	if ((c->codec != CODEC_ZSTD && c->codec != CODEC_PLAIN) ||
	    c->len > READER_PAGE_MAX || c->at > s->size ||
	    c->len > s->size - c->at)
		return -EBADMSG;
	if (!grow(&s->comp, &s->comp_cap, c->len + 1))
		return -ENOMEM;
	if (pread(s->fd, s->comp, c->len, (off_t)c->at) != (ssize_t)c->len)
		return -EIO;
	if (c->has_dict) {
		at = unpack_page(s, s->comp, c->len, c->codec, &page,
		    &s->dict_page[col], &s->dict_cap[col]);
		if (at == 0 || page.type != 2 || !take_dict(s, col, &page))
			return -EBADMSG;
		d.dict = s->dict[col];
		d.dict_n = page.values;
	}
	size_t n = unpack_page(s, s->comp + at, c->len - at, c->codec, &page,
	    &s->page[col], &s->page_cap[col]);

	/* One data page a chunk, as we write it. */
	if (n == 0 || page.type != 0 || page.values != s->g.rows ||
	    at + n != c->len)
		return -EBADMSG;
	d.p = s->page[col];
	d.len = page.plain_sz;
	d.encoding = page.encoding;
	return pqdec_init(&s->dec[col], &d) ? 0 : -EBADMSG;
}

static int
load_group(struct reader_pq *s)
{
	if (!pqfile_group_next(&s->f, &s->pos, &s->g))
		return -EBADMSG;
	s->group++;
	s->left = s->g.rows;
	for (unsigned i = 0; i < rec_schemas[s->table].col_n; i++) {
		int rc = s->map[i] >= 0 ? load_column(s, i) : 0;

		if (rc != 0)
			return rc;
	}
	return 0;
}

/* The next rows of every column. 1, 0 at the end, or an error. */
static int
load_batch(struct reader_pq *s)
{
	while (s->left == 0) {
		if (s->group == s->f.groups)
			return 0;
		int rc = load_group(s);

		if (rc != 0)
			return rc;
	}
	uint32_t n = s->left < PQDEC_BATCH ? (uint32_t)s->left : PQDEC_BATCH;

	for (unsigned i = 0; i < rec_schemas[s->table].col_n; i++)
		if (s->map[i] >= 0 && !pqdec_read(&s->dec[i],
					  s->mem + (size_t)i * PQDEC_BATCH, n))
			return -EBADMSG;
	s->left -= n;
	s->batch_n = n;
	s->at = 0;
	return 1;
}

/* ---- rows ---- */

static struct pq_text
text_at(const struct reader_pq *s, int col, uint32_t row)
{
	int64_t k = s->v[col][row];

	if (k < 0 || k >= (int64_t)s->text_n[col])
		return (struct pq_text){"?", 1};
	return (struct pq_text){
	    (const char *)s->text[col][k].p, s->text[col][k].len};
}

static bool
take_instr(struct reader_pq *s, uint32_t i, struct reader_rec *r)
{
	struct pq_text text[UNROW_INSTR_TEXTS];

	for (unsigned k = 0; k < UNROW_INSTR_TEXTS; k++)
		text[k] =
		    text_at(s, unrow_instr_column((enum unrow_instr_text)k), i);
	r->kind = READER_INSTR;
	return unrow_instr(s->v, i, text, &r->instr_idx, &r->instr);
}

/* Parts of a long value follow one another. */
static bool
take_config(struct reader_pq *s, uint32_t i, struct reader_rec *r)
{
	int epoch;
	int key;
	int part;
	int value;

	unrow_config_columns(&epoch, &key, &part, &value);
	struct pq_text k = text_at(s, key, i);
	struct pq_text v = text_at(s, value, i);
	size_t had = s->v[part][i] > 0 ? strlen(r->cfg_value) : 0;

	if (k.len >= sizeof(r->cfg_key) || had + v.len >= sizeof(r->cfg_value))
		return false;
	r->kind = READER_CONFIG;
	r->cfg_epoch = (uint64_t)s->v[epoch][i];
	memcpy(r->cfg_key, k.s, k.len);
	r->cfg_key[k.len] = '\0';
	memcpy(r->cfg_value + had, v.s, v.len);
	r->cfg_value[had + v.len] = '\0';
	return true;
}

static bool
take_row(struct reader_pq *s, uint32_t i, struct reader_rec *r)
{
	r->clock_ns = s->v[s->place.clock_ns][i];
	r->at_ns = (uint64_t)s->v[s->place.ts][i] - (uint64_t)r->clock_ns;
	r->key = r->at_ns;
	if (s->table == REC_INSTR)
		return take_instr(s, i, r);
	if (s->table == REC_CONFIG)
		return take_config(s, i, r);
	if (!unrow_slot(s->table, s->v, i, &r->slot, &r->gap))
		return false;
	r->kind = r->gap.lost_n > 0 ? READER_GAP : READER_SLOT;
	if (r->kind == READER_SLOT)
		r->at_ns = r->slot.hdr.recv_ns + r->slot.hdr.pub_delta;
	else
		r->at_ns = r->gap.from_ns;
	if (s->source != ST_RECORDERD)
		r->key =
		    r->kind == READER_SLOT ? r->slot.hdr.seq : r->gap.first_seq;
	else
		r->key = r->at_ns;
	return true;
}

/* The first row of ours from `at` on, of this batch or a later one. */
static int
seek_row(struct reader_pq *s)
{
	const int64_t *source = s->v[s->place.source];

	for (;;) {
		while (
		    s->at < s->batch_n && !s->all && source[s->at] != s->source)
			s->at++;
		if (s->at < s->batch_n)
			return 1;
		int rc = load_batch(s);

		if (rc <= 0)
			return rc;
	}
}

/* Is the next row a further part of the same configuration value? */
static bool
goes_on(struct reader_pq *s)
{
	int epoch;
	int key;
	int part;
	int value;

	if (s->table != REC_CONFIG || seek_row(s) != 1)
		return false;
	unrow_config_columns(&epoch, &key, &part, &value);
	return s->v[part][s->at] > 0;
}

int
reader_pq_next(struct reader_pq *s, struct reader_rec *r)
{
	for (;;) {
		int rc = seek_row(s);

		if (rc <= 0)
			return rc;
		if (!take_row(s, s->at++, r)) {
			s->bad_n++;
			continue;
		}
		if (!goes_on(s))
			return 1;
	}
}

/* ---- a whole file ---- */

static bool
check_range(const struct pqfile_chunk *c, const int64_t *v, uint32_t n,
    bool is_unsigned)
{
	uint64_t flip = is_unsigned ? UINT64_C(1) << 63 : 0;
	int64_t min = (int64_t)((uint64_t)c->min ^ flip);
	int64_t max = (int64_t)((uint64_t)c->max ^ flip);

	for (uint32_t i = 0; i < n; i++) {
		int64_t x = (int64_t)((uint64_t)v[i] ^ flip);

		if (v[i] != PQ_NULL && (x < min || x > max))
			return false;
	}
	return true;
}

static int
check_batch(struct reader_pq *s, struct err *e)
{
	const struct rec_schema *schema = &rec_schemas[s->table];

	for (unsigned i = 0; i < schema->col_n; i++) {
		const struct pq_column *c = &schema->col[i];

		if (s->map[i] < 0 || c->kind == PQ_STRING)
			continue;
		const struct pqfile_chunk *ch = &s->g.chunk[s->map[i]];

		if (ch->has_range &&
		    !check_range(ch, s->v[i], s->batch_n, c->kind == PQ_U64))
			return err_set(e, -EBADMSG,
			    "%s: row group %u, column %s: a value is outside "
			    "the range that is stated",
			    s->file->path, s->group - 1, c->name);
	}
	return 0;
}

static int
check_file(struct reader_pq *s, struct err *e)
{
	struct journal_gap gap;
	union tap slot;
	uint64_t rows = 0;
	int rc;

	s->all = true;
	while ((rc = load_batch(s)) == 1) {
		rows += s->batch_n;
		rc = check_batch(s, e);
		if (rc != 0)
			return rc;
		for (uint32_t i = 0; s->table < REC_INSTR && i < s->batch_n;
		     i++)
			if (!unrow_slot(s->table, s->v, i, &slot, &gap))
				return err_set(e, -EBADMSG,
				    "%s: row %llu is no slot", s->file->path,
				    (unsigned long long)(rows - s->batch_n +
							 i));
	}
	if (rc != 0)
		return err_set(e, rc, "%s: row group %u is damaged",
		    s->file->path, s->group > 0 ? s->group - 1 : 0);
	if (rows != s->f.rows)
		return err_set(e, -EBADMSG,
		    "%s: %llu rows, the footer says %llu", s->file->path,
		    (unsigned long long)rows, (unsigned long long)s->f.rows);
	return 0;
}

int
reader_pq_check(const struct reader_file *file, struct err *e)
{
	struct reader_pq *s = malloc(sizeof(*s));
	ZSTD_DCtx *zstd = ZSTD_createDCtx();
	int rc = -ENOMEM;

	if (s != NULL && zstd != NULL)
		rc = reader_pq_open(s, file, 0, zstd);
	if (rc != 0) {
		err_set(e, rc, "%s: no Parquet file of ours", file->path);
	} else {
		rc = check_file(s, e);
		reader_pq_close(s);
	}
	ZSTD_freeDCtx(zstd);
	free(s);
	return rc;
}

#define _GNU_SOURCE
#include "recorderd/reader_int.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcore/hash.h"
#include "recorderd/rec_io.h"

bool
reader_name_parse(const char *name, const char *suffix, bool has_n,
    uint64_t *session, uint32_t *segment, uint32_t *hash)
{
	size_t n = strlen(name);
	size_t k = strlen(suffix);
	const char *end = name + n - k;
	char *stop;

	if (n <= k || strcmp(end, suffix) != 0 || name[0] == '.')
		return false;
	const char *p = end;

	for (int dashes = has_n ? 3 : 2; dashes > 0; dashes--) {
		while (p > name && p[-1] != '-')
			p--;
		if (p == name)
			return false;
		p--;
	}
	*hash = (uint32_t)hash_bytes(HASH_SEED, name, (size_t)(p - name));
	*session = strtoull(p + 1, &stop, 16);
	if (stop != p + 17 || *stop != '-')
		return false;
	*segment = (uint32_t)strtoul(stop + 1, &stop, 10);
	if (!has_n)
		return stop == end;
	if (*stop != '-')
		return false;
	strtoul(stop + 1, &stop, 10);
	return stop == end;
}

uint8_t
reader_tap_source(const char name[JOURNAL_TAP_NAME])
{
	char text[JOURNAL_TAP_NAME + 1];

	memcpy(text, name, JOURNAL_TAP_NAME);
	text[JOURNAL_TAP_NAME] = '\0';
	if (strcmp(text, JOURNAL_OWN_TAP) == 0)
		return ST_RECORDERD;
	int ring = topo_ring_find(text);

	return ring >= 0 ? topo_rings[ring].writer : ST_N;
}

/* "kind=price_ticks" in a path. */
static int
table_of(const char *path)
{
	const char *k = strstr(path, "kind=");

	if (k == NULL)
		return -1;
	k += 5;
	for (unsigned t = 0; t < REC_TABLE_N; t++) {
		size_t n = strlen(rec_schemas[t].kind);

		if (strncmp(k, rec_schemas[t].kind, n) == 0 && k[n] == '/')
			return (int)t;
	}
	return -1;
}

static uint8_t
venue_of(const char *path)
{
	const char *k = strstr(path, "venue=");

	for (unsigned v = 1; k != NULL && v < VENUE_N; v++) {
		const char *name = venue_name((enum venue)v);

		if (strncmp(k + 6, name, strlen(name)) == 0)
			return (uint8_t)v;
	}
	return 0;
}

static struct reader_file *
add(struct reader_index *x, const char *path)
{
	if (x->n == x->cap) {
		uint32_t cap = x->cap > 0 ? x->cap * 2 : 64;
		struct reader_file *f = realloc(x->file, cap * sizeof(*f));

		if (f == NULL)
			return NULL;
		x->file = f;
		x->cap = cap;
	}
	struct reader_file *f = &x->file[x->n];

	memset(f, 0, sizeof(*f));
	f->path = strdup(path);
	if (f->path == NULL)
		return NULL;
	x->n++;
	return f;
}

/* What the statistics of one row group say. */
static void
note_group(
    struct reader_file *f, const struct pqfile_group *g, int ts, int source)
{
	const struct pqfile_chunk *c = &g->chunk[source];

	f->rows += g->rows;
	if (g->chunk[ts].has_range) {
		f->ts_min = i64_min(f->ts_min, g->chunk[ts].min);
		f->ts_max = i64_max(f->ts_max, g->chunk[ts].max);
	} else {
		f->ts_min = INT64_MIN;
		f->ts_max = INT64_MAX;
	}
	for (unsigned i = 0; i < ST_N; i++) {
		const char *name = topo_stages[i].name;
		size_t n = strlen(name);
		size_t lo = c->min_text.len < n ? c->min_text.len : n;
		size_t hi = c->max_text.len < n ? c->max_text.len : n;

		/* Names that the range does not rule out. */
		if (!c->has_range || (memcmp(name, c->min_text.p, lo) >= 0 &&
					 memcmp(name, c->max_text.p, hi) <= 0))
			f->src_set |= 1u << i;
	}
}

static uint64_t
hex_kv(const struct pqfile *f, const char *key)
{
	struct pqfile_text t = pqfile_kv(f, key);
	char text[20];

	if (t.p == NULL || t.len > 16)
		return 0;
	memcpy(text, t.p, t.len);
	text[t.len] = '\0';
	return strtoull(text, NULL, 16);
}

static int
look_parquet(struct reader_file *f)
{
	int fd = open(f->path, O_RDONLY | O_CLOEXEC);
	uint8_t tail[PQFILE_TAIL];
	struct pqfile_group *g = malloc(sizeof(*g));
	struct pqfile pf;
	uint8_t *foot = NULL;
	off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;
	int rc = -EBADMSG;
	uint32_t n = 0;

	if (g != NULL && size > PQFILE_TAIL + 4 &&
	    pread(fd, tail, sizeof(tail), size - PQFILE_TAIL) == PQFILE_TAIL)
		n = pqfile_foot_len(tail);
	if (n > 0 && (off_t)n < size - PQFILE_TAIL)
		foot = malloc(n);
	f->bytes = size > 0 ? (uint64_t)size : 0;
	f->ts_min = INT64_MAX;
	f->ts_max = INT64_MIN;
	if (foot != NULL &&
	    pread(fd, foot, n, size - PQFILE_TAIL - (off_t)n) == (ssize_t)n &&
	    pqfile_parse(&pf, foot, n)) {
		int ts = pqfile_column_find(&pf, "ts");
		int source = pqfile_column_find(&pf, "source");
		size_t pos = pf.groups_at;

		rc = ts < 0 || source < 0 ? -EBADMSG : 0;
		for (uint32_t i = 0; i < pf.groups && rc == 0; i++) {
			if (pqfile_group_next(&pf, &pos, g))
				note_group(f, g, ts, source);
			else
				rc = -EBADMSG;
		}
		f->run_id = hex_kv(&pf, "run_id");
		struct pqfile_text kinds = pqfile_kv(&pf, "kinds");

		f->some = kinds.len == 4 && memcmp(kinds.p, "some", 4) == 0;
	}
	if (fd >= 0)
		close(fd);
	free(foot);
	free(g);
	return rc;
}

static int
look_journal(struct reader_file *f)
{
	int fd = open(f->path, O_RDONLY | O_CLOEXEC);
	uint8_t *buf = malloc(JOURNAL_BUF_MIN);
	struct journal_reader r;
	struct journal_head h;
	const uint8_t *p;
	uint32_t taps = 0;

	_Static_assert(JOURNAL_TAPS_MAX <= 32, "one bit a tap");
	f->ts_min = INT64_MAX;
	f->ts_max = INT64_MIN;
	if (fd < 0 || buf == NULL) {
		if (fd >= 0)
			close(fd);
		free(buf);
		return -EIO;
	}
	journal_reader_init(&r, fd, buf, JOURNAL_BUF_MIN);
	while ((p = journal_next(&r, &h)) != NULL) {
		if (h.kind == JOURNAL_SLOTS || h.kind == JOURNAL_GAP)
			taps |= 1u << h.tap;
		if (h.kind != JOURNAL_SLOTS)
			continue;
		f->ts_min = i64_min(f->ts_min, journal_wall(&h, h.first_ns));
		f->ts_max = i64_max(f->ts_max, h.wall_ns);
	}
	f->rows = r.found.records;
	f->bytes = r.found.bytes;
	f->bad_bytes = r.found.bad_bytes;
	f->torn_bytes = r.found.torn_bytes;
	f->lost_n = r.found.lost;
	f->run_id = r.found.run_id;
	for (uint32_t i = 0;
	     r.found.has_open && i < r.found.open.tap_n && i < JOURNAL_TAPS_MAX;
	     i++) {
		uint8_t s = reader_tap_source(r.found.open.tap[i].name);

		if (s < ST_N && (taps & 1u << i) != 0)
			f->src_set |= 1u << s;
	}
	f->src_set |= 1u << ST_RECORDERD;
	close(fd);
	free(buf);
	return r.err != 0 || !r.found.has_open ? -EBADMSG : 0;
}

static int
take(struct reader_index *x, const char *path, const char *name)
{
	struct reader_file one = {0};
	int table = table_of(path);
	bool is_journal = reader_name_parse(
	    name, ".rmj", false, &one.session, &one.segment, &one.name_hash);

	if (!is_journal &&
	    (table < 0 || !reader_name_parse(name, ".parquet", true,
			      &one.session, &one.segment, &one.name_hash)))
		return 0;
	struct reader_file *f = add(x, path);

	if (f == NULL)
		return -ENOMEM;
	f->session = one.session;
	f->segment = one.segment;
	f->name_hash = one.name_hash;
	f->table = is_journal ? READER_JOURNAL : (uint8_t)table;
	f->venue = is_journal ? 0 : venue_of(path);
	if ((is_journal ? look_journal(f) : look_parquet(f)) == 0)
		return 0;
	/* A journal without a whole block is what a crash at once leaves. */
	if (!is_journal || f->bytes > 0) {
		if (x->unread_n++ == 0)
			snprintf(x->why, sizeof(x->why),
			    "%.200s cannot be read", f->path);
	}
	free(f->path);
	x->n--;
	return 0;
}

/* ---- order ---- */

#define CMP(a, b)                                  \
	do {                                       \
		if ((a) != (b))                    \
			return (a) < (b) ? -1 : 1; \
	} while (0)

static int
by_run(const void *a, const void *b)
{
	const struct reader_file *x = a;
	const struct reader_file *y = b;

	CMP(x->run_id, y->run_id);
	CMP(x->session, y->session);
	return 0;
}

static int
in_order(const void *a, const void *b)
{
	const struct reader_file *x = a;
	const struct reader_file *y = b;

	CMP(x->run_first, y->run_first);
	CMP(x->run_id, y->run_id);
	CMP(x->session, y->session);
	CMP(x->name_hash, y->name_hash);
	CMP(x->segment, y->segment);
	/* The journal first: it replaces what was made of it. */
	CMP(y->table == READER_JOURNAL, x->table == READER_JOURNAL);
	CMP(x->table, y->table);
	return strcmp(x->path, y->path);
}

static void
sort(struct reader_index *x)
{
	uint32_t kept = 0;

	if (x->n == 0)
		return;
	qsort(x->file, x->n, sizeof(*x->file), by_run);
	for (uint32_t i = 0; i < x->n; i++)
		x->file[i].run_first =
		    i > 0 && x->file[i].run_id == x->file[i - 1].run_id
			? x->file[i - 1].run_first
			: x->file[i].session;
	qsort(x->file, x->n, sizeof(*x->file), in_order);
	for (uint32_t i = 0; i < x->n; i++) {
		const struct reader_file *k =
		    kept > 0 ? &x->file[kept - 1] : NULL;
		struct reader_file *f = &x->file[i];

		if (k != NULL && k->table == READER_JOURNAL &&
		    k->session == f->session && k->segment == f->segment &&
		    k->name_hash == f->name_hash) {
			free(f->path);
			continue;
		}
		x->file[kept++] = *f;
	}
	x->n = kept;
}

int
reader_index_make(struct reader_index *x, const char *dir, struct err *e)
{
	char root[REC_PATH_SZ];
	char *const paths[] = {root, NULL};
	const FTSENT *d;
	int rc = 0;

	memset(x, 0, sizeof(*x));
	if (snprintf(root, sizeof(root), "%s", dir) >= (int)sizeof(root))
		return err_set(e, -ENAMETOOLONG, "%s: path too long", dir);
	FTS *fts = access(dir, R_OK | X_OK) == 0
		       ? fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL)
		       : NULL;

	if (fts == NULL)
		return err_set(
		    e, -errno, "cannot read %s: %s", dir, strerror(errno));
	while (rc == 0 && (d = fts_read(fts)) != NULL)
		if (d->fts_info == FTS_F)
			rc = take(x, d->fts_path, d->fts_name);
	fts_close(fts);
	sort(x);
	if (rc == 0 && x->n == 0)
		rc = -ENOENT;
	if (rc == 0)
		return 0;
	err_set(e, rc,
	    rc == -ENOMEM     ? "%s: not enough memory"
	    : x->unread_n > 0 ? "%s: nothing there can be read"
			      : "%s: nothing recorded there",
	    dir);
	reader_index_free(x);
	return rc;
}

void
reader_index_free(struct reader_index *x)
{
	for (uint32_t i = 0; i < x->n; i++)
		free(x->file[i].path);
	free(x->file);
	memset(x, 0, sizeof(*x));
}

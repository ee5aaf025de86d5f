#define _GNU_SOURCE
#include "recorderd/reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "libcore/check.h"
#include "recorderd/rec_io.h"
#include "recorderd/reader_int.h"

struct stream {
	bool is_journal;
	struct reader_pq pq;
	struct reader_jn jn;
	struct reader_rec rec; /* the next one                            */
};

/* All that one stage's tap recorded, in order. */
struct source {
	uint8_t id;
	bool has;	  /* head is filled                                */
	bool used;	  /* ... from cur, which must move on              */
	uint32_t file_at; /* next file of the index                       */
	struct stream **st;
	uint32_t st_n;
	uint32_t cur;
	uint64_t bound; /* smallest key of the other streams              */
	const struct reader_file *seg; /* a file of the open segment      */
	uint64_t next_seq;
	uint64_t at_ns;
	struct reader_event head;
};

struct reader {
	struct reader_args args;
	char dir[REC_PATH_SZ];
	struct reader_index index;
	struct source src[ST_N];
	ZSTD_DCtx *zstd;
	bool complete; /* nothing is left out: jumps are losses           */
	int cur;       /* source of the last event, -1 none               */
	int second;    /* the best of the others, -1 none                 */
	bool told_run;
	uint64_t run_id;
	struct reader_stat stat;
	char why[512];
};

_Static_assert(REC_TABLE_N <= 16, "one bit a table");

/* ---- what is wanted ---- */

static bool
table_wanted(const struct reader_args *a, enum rec_table t)
{
	uint32_t set = a->kind_set;
	uint32_t bit = READER_TABLE_OTHER;

	if (t == REC_INSTR || t == REC_CONFIG)
		return true;
	if (t == REC_TRACE)
		return a->with_trace;
	if (t == REC_PRICE)
		bit = READER_TABLE_PRICE;
	else if (t == REC_BOOK)
		bit = READER_TABLE_BOOK;
	else if (t == REC_ORDER || t == REC_FILL)
		bit = READER_TABLE_ORDER;
	return set == 0 || (set & bit) != 0;
}

static bool
source_wanted(const struct reader *r, unsigned id)
{
	return r->args.source_set == 0 || id == ST_RECORDERD ||
	       (r->args.source_set & 1u << id) != 0;
}

static bool
same_segment(const struct reader_file *a, const struct reader_file *b)
{
	if (a->run_id != b->run_id || a->session != b->session)
		return false;
	/* What was imported of a day is merged by time. */
	return a->run_id == JOURNAL_RUN_IMPORT ||
	       (a->segment == b->segment && a->name_hash == b->name_hash);
}

static bool
file_wanted(const struct reader *r, const struct reader_file *f, unsigned id)
{
	if ((f->src_set & 1u << id) == 0)
		return false;
	return f->table == READER_JOURNAL ||
	       table_wanted(&r->args, (enum rec_table)f->table);
}

/* ---- a source ---- */

static void
close_streams(struct source *s)
{
	for (uint32_t i = 0; i < s->st_n; i++) {
		if (s->st[i]->is_journal)
			reader_jn_close(&s->st[i]->jn);
		else
			reader_pq_close(&s->st[i]->pq);
		free(s->st[i]);
	}
	s->st_n = 0;
}

static int
fail(struct reader *r, const struct reader_file *f, int rc)
{
	snprintf(r->why, sizeof(r->why), "%.400s: %s", f->path,
	    rc == -EBADMSG ? "damaged" : strerror(-rc));
	return rc;
}

static int
stream_next(struct reader *r, struct stream *t, const struct reader_file *f)
{
	int rc = t->is_journal ? reader_jn_next(&t->jn, &t->rec)
			       : reader_pq_next(&t->pq, &t->rec);

	if (f->run_id == JOURNAL_RUN_IMPORT)
		t->rec.key = t->rec.at_ns;
	return rc < 0 ? fail(r, f, rc) : rc;
}

static void
stream_drop(struct reader *r, struct source *s, uint32_t i)
{
	struct stream *t = s->st[i];

	if (t->is_journal) {
		reader_jn_close(&t->jn);
	} else {
		r->stat.bad += t->pq.bad_n;
		reader_pq_close(&t->pq);
	}
	free(t);
	s->st[i] = s->st[--s->st_n];
}

static int
stream_add(struct reader *r, struct source *s, const struct reader_file *f)
{
	struct stream **st = realloc(s->st, (s->st_n + 1) * sizeof(*s->st));
	struct stream *t = st != NULL ? malloc(sizeof(*t)) : NULL;

	if (st != NULL)
		s->st = st;
	if (t == NULL)
		return fail(r, f, -ENOMEM);
	t->is_journal = f->table == READER_JOURNAL;
	int rc = t->is_journal ? reader_jn_open(&t->jn, f, s->id)
			       : reader_pq_open(&t->pq, f, s->id, r->zstd);

	if (rc != 0) {
		free(t);
		return fail(r, f, rc);
	}
	s->st[s->st_n++] = t;
	rc = stream_next(r, t, f);
	if (rc <= 0)
		stream_drop(r, s, s->st_n - 1);
	return rc < 0 ? rc : 0;
}

/* The stream with the smallest key, and the smallest of the others. */
static void
choose_stream(struct source *s)
{
	uint32_t best = 0;
	uint64_t bound = UINT64_MAX;

	for (uint32_t i = 1; i < s->st_n; i++) {
		uint64_t k = s->st[i]->rec.key;

		if (k < s->st[best]->rec.key) {
			bound = s->st[best]->rec.key;
			best = i;
		} else if (k < bound) {
			bound = k;
		}
	}
	s->cur = best;
	s->bound = bound;
}

/* Is the segment that begins at file `at` within the time asked for? */
static bool
in_time(const struct reader *r, uint32_t at)
{
	int64_t min = INT64_MAX;
	int64_t max = INT64_MIN;

	for (uint32_t i = at; i < r->index.n && same_segment(&r->index.file[at],
						    &r->index.file[i]);
	     i++) {
		const struct reader_file *f = &r->index.file[i];

		if (f->table == REC_INSTR || f->table == REC_CONFIG)
			continue;
		min = i64_min(min, f->ts_min);
		max = i64_max(max, f->ts_max);
	}
	/* A slot may have been published some seconds after its receive. */
	if (r->args.from_ns != 0 && max < r->args.from_ns - 10 * NS_PER_S)
		return false;
	return r->args.to_ns == 0 || min < r->args.to_ns;
}

/* Open the next segment that has something of this source. 1, 0 none. */
static int
next_segment(struct reader *r, struct source *s)
{
	const struct reader_index *x = &r->index;

	while (s->st_n == 0 && s->file_at < x->n) {
		uint32_t at = s->file_at;
		const struct reader_file *seg = &x->file[at];
		bool wanted = in_time(r, at);

		for (; s->file_at < x->n &&
		       same_segment(seg, &x->file[s->file_at]);
		     s->file_at++) {
			const struct reader_file *f = &x->file[s->file_at];

			if (!wanted || !file_wanted(r, f, s->id))
				continue;
			int rc = stream_add(r, s, f);

			if (rc != 0)
				return rc;
		}
		if (s->seg == NULL || s->seg->run_id != seg->run_id) {
			s->next_seq = 0;
			s->at_ns = 0;
		}
		s->seg = seg;
	}
	if (s->st_n == 0)
		return 0;
	choose_stream(s);
	return 1;
}

/* The current stream moves on. */
static int
advance(struct reader *r, struct source *s)
{
	struct stream *t = s->st[s->cur];
	int rc = stream_next(r, t, s->seg);

	s->used = false;
	if (rc < 0)
		return rc;
	if (rc == 0)
		stream_drop(r, s, s->cur);
	if (s->st_n > 0 && (rc == 0 || t->rec.key > s->bound))
		choose_stream(s);
	return 0;
}

static void
head_gap(struct source *s, const struct journal_gap *g)
{
	s->head.kind = READER_GAP;
	s->head.gap = *g;
	s->next_seq = g->first_seq + g->lost_n;
}

/* Sequence of a tap: true when the record is to be given; a jump makes a gap
 * first, and leaves the record for the next time. */
static bool
in_sequence(struct reader *r, struct source *s, const struct reader_rec *rec)
{
	uint64_t first =
	    rec->kind == READER_GAP ? rec->gap.first_seq : rec->slot.hdr.seq;
	uint64_t end =
	    rec->kind == READER_GAP ? first + rec->gap.lost_n : first + 1;

	s->used = true;
	if (s->next_seq != 0 && end <= s->next_seq)
		return false;
	if (r->complete && s->next_seq != 0 && first > s->next_seq) {
		struct journal_gap g = {.first_seq = s->next_seq,
		    .lost_n = first - s->next_seq,
		    .cause = JOURNAL_LOST_BLOCK};

		head_gap(s, &g);
		r->stat.jumped += g.lost_n;
		s->used = false;
		return true;
	}
	if (rec->kind == READER_GAP) {
		struct journal_gap g = rec->gap;

		if (s->next_seq > first) {
			g.first_seq = s->next_seq;
			g.lost_n = end - s->next_seq;
		}
		head_gap(s, &g);
	}
	s->next_seq = end;
	return true;
}

static void
head_slot(struct source *s, const struct reader_rec *rec)
{
	s->head.slot = &rec->slot;
	if (rec->slot.hdr.kind != TAP_FREEZE)
		return;
	const struct tick_freeze *f = &rec->slot.tick.u.freeze;

	s->head.kind = READER_FREEZE;
	s->head.freeze = (struct reader_freeze){f->mask, f->epoch, f->word, 0};
}

/* Turn the record into the head. False: nothing for the caller. */
static bool
take(struct reader *r, struct source *s, const struct reader_rec *rec)
{
	if (rec->at_ns > s->at_ns)
		s->at_ns = rec->at_ns;
	s->head = (struct reader_event){.kind = rec->kind,
	    .source = s->id,
	    .at_ns = s->at_ns,
	    .wall_ns = (int64_t)(s->at_ns + (uint64_t)rec->clock_ns),
	    .clock_ns = rec->clock_ns,
	    .run_id = s->seg->run_id};
	s->used = true;
	if (rec->kind == READER_INSTR) {
		s->head.instr = &rec->instr;
		s->head.instr_idx = rec->instr_idx;
		return true;
	}
	if (rec->kind == READER_CONFIG) {
		s->head.cfg_epoch = rec->cfg_epoch;
		s->head.cfg_key = rec->cfg_key;
		s->head.cfg_value = rec->cfg_value;
		return true;
	}
	if (s->id != ST_RECORDERD && s->seg->run_id != JOURNAL_RUN_IMPORT &&
	    !in_sequence(r, s, rec))
		return false;
	if (s->head.kind == READER_SLOT) {
		if (!table_wanted(&r->args, rec_slot_table(rec->slot.hdr.kind)))
			return false;
		head_slot(s, rec);
	}
	return (r->args.from_ns == 0 || s->head.wall_ns >= r->args.from_ns) &&
	       (r->args.to_ns == 0 || s->head.wall_ns < r->args.to_ns);
}

/* Fill the head of a source, or find that there is nothing more. */
static int
fetch(struct reader *r, struct source *s)
{
	s->has = false;
	for (;;) {
		if (s->used) {
			int rc = advance(r, s);

			if (rc != 0)
				return rc;
		}
		if (s->st_n == 0) {
			int rc = next_segment(r, s);

			if (rc <= 0)
				return rc;
		}
		if (take(r, s, &s->st[s->cur]->rec)) {
			s->has = true;
			return 0;
		}
	}
}

/* ---- all of them ---- */

/* Does a come before b? */
static bool
before(const struct source *a, const struct source *b)
{
	if (a->seg->run_first != b->seg->run_first)
		return a->seg->run_first < b->seg->run_first;
	if (a->seg->run_id != b->seg->run_id)
		return a->seg->run_id < b->seg->run_id;
	if (a->head.at_ns != b->head.at_ns)
		return a->head.at_ns < b->head.at_ns;
	return a->id < b->id;
}

static void
choose_source(struct reader *r)
{
	r->cur = r->second = -1;
	for (int i = 0; i < ST_N; i++) {
		const struct source *s = &r->src[i];

		if (!s->has)
			continue;
		if (r->cur < 0 || before(s, &r->src[r->cur])) {
			r->second = r->cur;
			r->cur = i;
		} else if (r->second < 0 || before(s, &r->src[r->second])) {
			r->second = i;
		}
	}
}

static int
begin(struct reader *r)
{
	r->told_run = false;
	r->stat = (struct reader_stat){.bad = r->index.unread_n};
	for (uint32_t i = 0; i < r->index.n; i++) {
		r->stat.files++;
		r->stat.rows_total += r->index.file[i].rows;
		r->complete = r->complete && !r->index.file[i].some;
	}
	for (unsigned i = 0; i < ST_N; i++) {
		struct source *s = &r->src[i];

		close_streams(s);
		free(s->st);
		*s = (struct source){.id = (uint8_t)i};
		if (!source_wanted(r, i))
			s->file_at = r->index.n;
		int rc = fetch(r, s);

		if (rc != 0)
			return rc;
	}
	choose_source(r);
	return 0;
}

int
reader_open(struct reader **out, const struct reader_args *a, struct err *e)
{
	struct reader *r = calloc(1, sizeof(*r));

	*out = NULL;
	if (r == NULL)
		return err_set(e, -ENOMEM, "not enough memory");
	r->args = *a;
	r->complete = a->kind_set == 0 && a->with_trace;
	snprintf(r->dir, sizeof(r->dir), "%s", a->dir);
	r->zstd = ZSTD_createDCtx();
	int rc = r->zstd == NULL ? err_set(e, -ENOMEM, "not enough memory")
				 : reader_index_make(&r->index, a->dir, e);

	if (rc == 0) {
		rc = begin(r);
		if (rc != 0)
			err_set(e, rc, "%s", r->why);
	}
	if (rc != 0) {
		reader_close(r);
		return rc;
	}
	*out = r;
	return 0;
}

int
reader_next(struct reader *r, struct reader_event *ev)
{
	if (r->cur < 0)
		return 0;
	struct source *s = &r->src[r->cur];

	if (!s->has) {
		/* What the caller had is done with: on to the next. */
		int rc = fetch(r, s);

		if (rc != 0)
			return rc;
		if (!s->has ||
		    (r->second >= 0 && before(&r->src[r->second], s)))
			choose_source(r);
		if (r->cur < 0)
			return 0;
		s = &r->src[r->cur];
	}
	if (!r->told_run || s->head.run_id != r->run_id) {
		r->told_run = true;
		r->run_id = s->head.run_id;
		*ev = s->head;
		ev->kind = READER_RUN;
		ev->slot = NULL;
		return 1;
	}
	*ev = s->head;
	s->has = false;
	r->stat.events++;
	r->stat.slots += ev->slot != NULL;
	if (ev->kind == READER_GAP) {
		r->stat.gaps++;
		r->stat.lost += ev->gap.lost_n;
	}
	return 1;
}

int
reader_rewind(struct reader *r)
{
	return begin(r);
}

const struct reader_stat *
reader_stat(const struct reader *r)
{
	return &r->stat;
}

const char *
reader_why(const struct reader *r)
{
	return r->why[0] != '\0' ? r->why : r->index.why;
}

void
reader_close(struct reader *r)
{
	if (r == NULL)
		return;
	for (unsigned i = 0; i < ST_N; i++) {
		close_streams(&r->src[i]);
		free(r->src[i].st);
	}
	reader_index_free(&r->index);
	ZSTD_freeDCtx(r->zstd);
	free(r);
}

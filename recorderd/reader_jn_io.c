#define _GNU_SOURCE
#include "recorderd/reader_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Does the block tell something of this source? */
static bool
is_ours(const struct journal_head *h, const struct journal_open *open,
    uint8_t source)
{
	if (h->kind == JOURNAL_SLOTS || h->kind == JOURNAL_GAP)
		return h->tap < open->tap_n &&
		       reader_tap_source(open->tap[h->tap].name) == source;
	return source == ST_RECORDERD &&
	       (h->kind == JOURNAL_ENTRY || h->kind == JOURNAL_CONFIG);
}

static int
keep_block(struct reader_jn *s, uint32_t *cap, uint64_t off, size_t len)
{
	if (s->block_n == *cap) {
		*cap = *cap > 0 ? *cap * 2 : 256;
		void *p = realloc(s->block, *cap * sizeof(*s->block));

		if (p == NULL)
			return -ENOMEM;
		s->block = p;
	}
	s->block[s->block_n].off = off;
	s->block[s->block_n++].len = (uint32_t)len;
	return 0;
}

/* From header to header; what they head is verified when it is read. */
static int
find_blocks(struct reader_jn *s)
{
	struct journal_open open = {.tap_n = 0};
	struct journal_head h;
	uint32_t cap = 0;
	uint64_t off = 0;
	ssize_t n;
	int rc = 0;

	while (rc == 0 && (n = pread(s->fd, s->buf, sizeof(h) + sizeof(open),
			       (off_t)off)) > 0) {
		size_t total = 0;
		size_t have = (size_t)n < sizeof(h) ? (size_t)n : sizeof(h);

		journal_check(s->buf, have, &h, &total);
		if (total == 0) {
			off += JOURNAL_ALIGN;
			continue;
		}
		if (h.kind == JOURNAL_OPEN &&
		    (size_t)n == sizeof(h) + sizeof(open))
			memcpy(&open, s->buf + sizeof(h), sizeof(open));
		if (is_ours(&h, &open, s->source))
			rc = keep_block(s, &cap, off, total);
		off += total;
	}
	return rc == 0 && n < 0 ? -errno : rc;
}

int
reader_jn_open(
    struct reader_jn *s, const struct reader_file *file, uint8_t source)
{
	memset(s, 0, sizeof(*s));
	s->source = source;
	s->buf = malloc(JOURNAL_BUF_MIN);
	s->fd = open(file->path, O_RDONLY | O_CLOEXEC);
	int rc = s->buf == NULL ? -ENOMEM : s->fd < 0 ? -errno : 0;

	if (rc == 0)
		rc = find_blocks(s);
	if (rc != 0)
		reader_jn_close(s);
	return rc;
}

void
reader_jn_close(struct reader_jn *s)
{
	if (s->fd >= 0)
		close(s->fd);
	free(s->block);
	free(s->buf);
	memset(s, 0, sizeof(*s));
	s->fd = -1;
}

/* Load the next block. 1, 0 no more, or an error. */
static int
load(struct reader_jn *s)
{
	while (s->next < s->block_n) {
		size_t len = s->block[s->next].len;
		ssize_t n =
		    pread(s->fd, s->buf, len, (off_t)s->block[s->next].off);
		size_t total;

		s->next++;
		if (n < 0)
			return -errno;
		/* Cut off or changed since: what is missing shows as a gap. */
		if (journal_check(s->buf, (size_t)n, &s->head, &total) !=
		    JOURNAL_OK)
			continue;
		s->is_open = true;
		s->entry = 0;
		s->pos = s->head.kind == JOURNAL_CONFIG
			     ? sizeof(struct journal_cfg)
			     : 0;
		return 1;
	}
	return 0;
}

static bool
take_slot(struct reader_jn *s, struct reader_rec *r)
{
	do {
		if (!journal_slot(s->buf, &s->head, &s->pos, &r->slot))
			return false;
	} while (!rec_slot_ok(&r->slot) || r->slot.hdr.seq == 0);
	r->kind = READER_SLOT;
	r->at_ns = r->slot.hdr.recv_ns + r->slot.hdr.pub_delta;
	r->key = s->source == ST_RECORDERD ? r->at_ns : r->slot.hdr.seq;
	return true;
}

static bool
take_gap(struct reader_jn *s, struct reader_rec *r)
{
	if (s->entry++ > 0)
		return false;
	memcpy(&r->gap, s->buf + sizeof(s->head), sizeof(r->gap));
	r->kind = READER_GAP;
	r->at_ns = r->gap.from_ns;
	r->key = s->source == ST_RECORDERD ? r->at_ns : r->gap.first_seq;
	return r->gap.lost_n > 0 && r->gap.first_seq > 0 &&
	       r->gap.lost_n < UINT64_MAX - r->gap.first_seq;
}

static bool
take_entry(struct reader_jn *s, struct reader_rec *r)
{
	struct journal_entry e;

	do {
		if (s->entry == s->head.count)
			return false;
		memcpy(&e,
		    s->buf + sizeof(s->head) + (size_t)s->entry++ * sizeof(e),
		    sizeof(e));
	} while (e.idx >= INSTR_N || e.in.venue >= VENUE_N ||
		 e.in.state >= INSTR_STATE_N);
	r->kind = READER_INSTR;
	r->instr = e.in;
	r->instr_idx = e.idx;
	r->key = r->at_ns = e.at_ns;
	return true;
}

static bool
take_config(struct reader_jn *s, struct reader_rec *r)
{
	const uint8_t *payload = s->buf + sizeof(s->head);
	struct journal_cfg c;
	const char *key;
	const char *value;

	memcpy(&c, payload, sizeof(c));
	if (!journal_cfg_next(
		payload, s->head.payload_len, &s->pos, &key, &value))
		return false;
	r->kind = READER_CONFIG;
	r->cfg_epoch = c.epoch;
	snprintf(r->cfg_key, sizeof(r->cfg_key), "%s", key);
	snprintf(r->cfg_value, sizeof(r->cfg_value), "%s", value);
	r->key = r->at_ns = c.at_ns;
	return true;
}

int
reader_jn_next(struct reader_jn *s, struct reader_rec *r)
{
	for (;;) {
		if (!s->is_open) {
			int rc = load(s);

			if (rc <= 0)
				return rc;
		}
		bool ok = false;

		r->clock_ns =
		    (int64_t)((uint64_t)s->head.wall_ns - s->head.mono_ns);
		if (s->head.kind == JOURNAL_SLOTS)
			ok = take_slot(s, r);
		else if (s->head.kind == JOURNAL_GAP)
			ok = take_gap(s, r);
		else if (s->head.kind == JOURNAL_ENTRY)
			ok = take_entry(s, r);
		else if (s->head.kind == JOURNAL_CONFIG)
			ok = take_config(s, r);
		if (ok)
			return 1;
		s->is_open = false;
	}
}

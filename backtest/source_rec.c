#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backtest/source.h"
#include "libcore/check.h"
#include "recorderd/reader.h"

/* What recorderd wrote. Entries of the instrument table come as events of
 * their own; each becomes a TICK_INSTR, and the recorded ones, which point at
 * a table that is gone, are left out. */
struct recorded {
	struct source s;
	struct reader *reader;
	uint64_t last_ns;
	uint64_t events;
	struct instr instr;
};

static bool
of_instr(
    struct recorded *r, const struct reader_event *e, struct source_event *ev)
{
	enum venue v = instr_venue(e->instr_idx);

	if (v == 0)
		return false;
	r->instr = *e->instr;
	memset(&ev->tick, 0, sizeof(ev->tick));
	ev->venue = v;
	ev->instr = &r->instr;
	ev->tick.hdr.kind = TICK_INSTR;
	ev->tick.hdr.instr = e->instr_idx;
	ev->tick.hdr.recv_ns = ev->t_ns;
	ev->tick.u.instr.epoch = e->instr->epoch;
	ev->tick.u.instr.state = e->instr->state;
	ev->tick.u.instr.cls = e->instr->cls;
	return true;
}

static bool
of_slot(const struct reader_event *e, struct source_event *ev)
{
	ev->venue = (enum venue)topo_stages[e->source].venue;
	if (ev->venue == 0 || e->slot->hdr.kind == TICK_INSTR ||
	    e->slot->hdr.kind > TICK_CONN)
		return false;
	ev->instr = NULL;
	ev->tick = e->slot->tick;
	ev->tick.hdr.seq = 0;
	ev->tick.hdr.recv_ns += (uint64_t)e->clock_ns;
	return true;
}

static int
rec_next(struct source *s, struct source_event *ev)
{
	struct recorded *r = (struct recorded *)s;
	struct reader_event e;
	int rc;

	while ((rc = reader_next(r->reader, &e)) == 1) {
		bool ok = false;

		r->events++;
		/* A clock that was set back does not turn time back. */
		if ((uint64_t)e.wall_ns > r->last_ns)
			r->last_ns = (uint64_t)e.wall_ns;
		ev->t_ns = r->last_ns;
		if (e.kind == READER_INSTR)
			ok = of_instr(r, &e, ev);
		else if (e.kind == READER_SLOT)
			ok = of_slot(&e, ev);
		if (ok)
			return 1;
	}
	if (rc < 0)
		snprintf(s->why, sizeof(s->why), "%s", reader_why(r->reader));
	return rc;
}

static uint64_t
rec_done(const struct source *s, uint64_t *all)
{
	const struct recorded *r = (const struct recorded *)s;
	const struct reader_stat *st = reader_stat(r->reader);

	*all = st->rows_total > r->events ? st->rows_total : r->events;
	return r->events;
}

static void
rec_close(struct source *s)
{
	struct recorded *r = (struct recorded *)s;

	reader_close(r->reader);
	free(r);
}

static const struct source_ops rec_ops = {rec_next, rec_done, rec_close};

struct source *
source_recorded(const struct source_args *a, const char *dir, char *why)
{
	struct recorded *r = calloc(1, sizeof(*r));
	struct reader_args ra = {.dir = dir,
	    .from_ns = a->from_ns,
	    .to_ns = a->to_ns,
	    .source_set = 1u << ST_FEEDD_PM | 1u << ST_FEEDD_BN |
			  1u << ST_FEEDD_HL | 1u << ST_RECORDERD};
	struct err e;

	CHECK(r != NULL);
	r->s.ops = &rec_ops;
	if (reader_open(&r->reader, &ra, &e) == 0)
		return &r->s;
	snprintf(why, SOURCE_WHY_SZ, "%s: %s", dir, e.text);
	free(r);
	return NULL;
}

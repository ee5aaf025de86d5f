#include "shmtop/check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "shmtop/text.h"

static void __attribute__((format(printf, 2, 3)))
add(struct check_list *l, const char *fmt, ...)
{
	va_list ap;

	if (l->n == CHECK_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(l->text[l->n++], CHECK_TEXT_SZ, fmt, ap);
	va_end(ap);
}

static bool
up(const struct snap *s, int stage)
{
	return s->stage[stage].alive && s->stage[stage].state == STAGE_READY;
}

static void
check_stages(const struct snap *s, struct check_list *out)
{
	for (int i = 0; i < ST_N; i++) {
		const struct snap_stage *g = &s->stage[i];
		const char *name = topo_stages[i].name;

		if (g->state == STAGE_PARKED)
			add(out, "%s is parked", name);
		else if (g->stale)
			add(out, "%s: heartbeat is %" PRIu64 " ms old", name,
			    g->beat_ns / 1000000);
		else if (!g->alive && g->next_ns != 0)
			add(out, "%s died and waits for its restart", name);
		else if (!g->alive && g->state != STAGE_DEAD)
			add(out, "%s is dead", name);
		else if (g->alive && g->state != STAGE_READY)
			add(out, "%s is not ready: %s", name,
			    stage_state_name(g->state));
	}
}

static void
check_rings(const struct snap *s, struct check_list *out)
{
	for (int i = 0; i < RG_N; i++) {
		const struct snap_ring *r = &s->ring[i];
		const struct ring_def *d = &topo_rings[i];

		if (!r->ok)
			continue;
		if (!r->st.prod_held && up(s, d->writer))
			add(out, "ring %s: nobody holds the writer's role",
			    d->name);
		if (!r->st.cons_held && up(s, d->reader))
			add(out, "ring %s: nobody holds the reader's role",
			    d->name);
		/* Without its reader, as in mode capture, it just fills. */
		if (r->st.cons_epoch == 0 && s->stage[d->reader].pid == 0)
			continue;
		if (r->st.published - r->st.committed >= r->st.depth)
			add(out, "ring %s is full", d->name);
		if (r->st.dropped != 0)
			add(out, "ring %s: %" PRIu64 " dropped", d->name,
			    r->st.dropped);
	}
}

static void
check_gates(const struct snap *s, struct check_list *out)
{
	char names[160];

	for (int v = VENUE_POLYMARKET; v < VENUE_N; v++)
		if (s->trades[v] && s->gate[v] != 0)
			add(out, "%s is frozen: %s%s%s",
			    venue_name((enum venue)v),
			    freeze_format(s->gate[v], names, sizeof(names)),
			    s->gate_why[v][0] ? ": " : "", s->gate_why[v]);
}

/* Orders: a venue that takes none, money that differs, a sweep that failed. */
static void
check_orders(const struct snap *s, struct check_list *out)
{
	for (int v = VENUE_POLYMARKET; v < VENUE_N; v++) {
		const struct snap_exec *x = &s->exec[v];

		if (!s->trades[v] || x->mode == 0)
			continue;
		if (x->mode != GATE_NORMAL)
			add(out,
			    "%s: the venue stands %s for orders; why: "
			    "supervisor logs execd.%s",
			    venue_name((enum venue)v), text_gate(x->mode),
			    venue_name((enum venue)v));
		if (x->differences != 0)
			add(out,
			    "%s: the venue held something else than our fills "
			    "say, %" PRIu64 " times: supervisor ledger",
			    venue_name((enum venue)v), x->differences);
	}
	for (int i = 0; i < ST_N; i++)
		if (s->stage[i].sweep == CTL_SWEEP_FAILED)
			add(out,
			    "%s: orders of ours may still rest at the venue: "
			    "its sweep failed; see supervisor logs %s",
			    topo_stages[i].name, topo_stages[i].name);
}

static bool
connected(const struct snap_link *l)
{
	return l->field[LF_STATE] > LINK_CONNECTING;
}

/* Does the other of two lanes carry what this one should? */
static bool
carried(const struct snap *s, const struct snap_link *l)
{
	for (uint32_t i = 0; i < s->link_n; i++) {
		const struct snap_link *o = &s->link[i];

		if (o->venue == l->venue &&
		    o->field[LF_SHARD] == l->field[LF_SHARD] &&
		    o->field[LF_LANE] != l->field[LF_LANE] && connected(o))
			return true;
	}
	return false;
}

/* Down for a reason that is not ours, and nobody else does its work: a lane
 * that was replaced, or is no longer wanted, is no finding. */
static void
check_links(const struct snap *s, struct check_list *out)
{
	for (uint32_t i = 0; i < s->link_n; i++) {
		const struct snap_link *l = &s->link[i];
		int64_t why = l->field[LF_END_REASON];

		if (connected(l) || why == 0 || carried(s, l))
			continue;
		add(out, "%s: connection to %s (%s) is down: %s",
		    venue_name((enum venue)l->venue), l->name,
		    link_role(l->venue, l->field[LF_SHARD]),
		    reason_text((enum reason)why));
	}
}

static bool
recent(uint64_t n, uint64_t age_ns)
{
	return n != 0 && age_ns != 0 && age_ns <= CHECK_GAP_NS;
}

static const char *
feed_of(int venue)
{
	for (int i = 0; i < ST_N; i++)
		if (topo_stages[i].venue == venue &&
		    strcmp(topo_stages[i].program, "feedd") == 0)
			return topo_stages[i].name;
	return "feedd";
}

/* A gap heals by itself; one of an hour ago is history, which the counters
 * keep. */
static void
check_gaps(const struct snap *s, struct check_list *out)
{
	const struct snap_recorder *r = &s->rec;
	char t[TEXT_SZ];

	for (int v = VENUE_POLYMARKET; v < VENUE_N; v++)
		if (recent(s->feed[v].gaps, s->feed[v].gap_ns))
			add(out,
			    "%s: gap in the data %s ago (%" PRIu64
			    " since the start): books are made anew by "
			    "themselves; why: supervisor logs %s",
			    venue_name((enum venue)v),
			    text_dur(s->feed[v].gap_ns, t), s->feed[v].gaps,
			    feed_of(v));
	if (recent(r->gaps, r->gap_ns))
		add(out,
		    "recorder: gap in the recording %s ago (%" PRIu64
		    " since the start): it was too slow; why: supervisor "
		    "logs recorderd",
		    text_dur(r->gap_ns, t), r->gaps);
	if (r->lost != 0)
		add(out, "recorder: %" PRIu64 " records lost", r->lost);
	if (r->disk_errors != 0)
		add(out, "recorder: the disk refused %" PRIu64 " writes",
		    r->disk_errors);
}

void
check_snap(const struct snap *s, struct check_list *out)
{
	out->n = 0;
	for (uint32_t i = 0; i < s->note_n; i++)
		add(out, "%s", s->note[i]);
	if (!s->found)
		return;
	if (!s->sup_alive)
		add(out, "the supervisor's heartbeat is %" PRIu64 " ms old",
		    s->sup_beat_ns / 1000000);
	check_stages(s, out);
	check_gates(s, out);
	check_orders(s, out);
	check_rings(s, out);
	check_links(s, out);
	check_gaps(s, out);
}

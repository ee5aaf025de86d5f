#include "recorderd/rec.h"

#include <stdio.h>
#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"
#include "recorderd/rec_int.h"

#define NS_PER_HOUR (INT64_C(3600) * NS_PER_S)
#define NO_HOUR	    INT64_MIN

const char *
rec_venue_name(unsigned venue)
{
	CHECK(venue < VENUE_N);
	return venue == 0 ? "none" : venue_name((enum venue)venue);
}

int
rec_table_find(const char *kind)
{
	for (unsigned t = 0; t < REC_TABLE_N; t++)
		if (strcmp(rec_schemas[t].kind, kind) == 0)
			return (int)t;
	return -1;
}

size_t
rec_mem_sz(uint32_t rows_max)
{
	size_t cols = 0;

	for (unsigned t = 0; t < REC_TABLE_N; t++)
		cols += rec_schemas[t].col_n;
	return cols * VENUE_N * 2 * rows_max * sizeof(int64_t);
}

void
rec_init(struct rec *r, uint32_t rows_max, void *mem)
{
	int64_t *at = mem;

	CHECK(rows_max >= 4);
	CHECK(rows_max <= PQ_ROWS_MAX);
	memset(r, 0, sizeof(*r));
	r->rows_max = rows_max;
	r->table_set = REC_ALL;
	r->hour = NO_HOUR;
	for (unsigned i = 0; i < REC_PARTS; i++) {
		r->part[i].mem = at;
		at += (size_t)rec_schemas[rec_part_table(i)].col_n * rows_max;
	}
	CHECK((size_t)(at - (int64_t *)mem) * sizeof(*at) ==
	      rec_mem_sz(rows_max));
	rec_texts_init(r);
}

static int64_t
hour_of(int64_t wall_ns)
{
	int64_t h = wall_ns / NS_PER_HOUR;

	return wall_ns % NS_PER_HOUR < 0 ? h - 1 : h;
}

static void
act(struct rec_out *out, enum rec_action action, unsigned part)
{
	for (unsigned i = 0; i < out->n; i++)
		if (out->act[i].part == part)
			return;
	CHECK(out->n < REC_PARTS);
	out->act[out->n].action = (uint8_t)action;
	out->act[out->n].part = (uint16_t)part;
	out->n++;
}

/* A new block: what is older than the hour before its clock is done. OPEN
 * does not count: it may be written long after the blocks behind it. */
static void
on_block(struct rec *r, const struct journal_head *head, struct rec_out *out)
{
	int64_t hour = hour_of(head->wall_ns);

	if (head->kind == JOURNAL_OPEN)
		return;
	if (r->hour != NO_HOUR && hour <= r->hour)
		return;
	r->hour = hour;
	for (unsigned i = 0; i < REC_PARTS; i++)
		if (r->part[i].is_open && r->part[i].hour < hour - 1)
			act(out, REC_CLOSE, i);
}

static void
on_end(const struct rec *r, struct rec_out *out)
{
	for (unsigned i = 0; i < REC_PARTS; i++)
		if (r->part[i].is_open)
			act(out, REC_CLOSE, i);
}

/* Sources are called by the stage that writes the tap. */
static void
on_open(struct rec *r, const struct journal_open *open)
{
	r->open = *open;
	r->open.host[sizeof(r->open.host) - 1] = '\0';
	r->open.instance[sizeof(r->open.instance) - 1] = '\0';
	r->open.build[sizeof(r->open.build) - 1] = '\0';
	if (r->open.tap_n > JOURNAL_TAPS_MAX)
		r->open.tap_n = JOURNAL_TAPS_MAX;
	for (unsigned i = 0; i < r->open.tap_n; i++) {
		struct journal_tap *t = &r->open.tap[i];

		t->name[sizeof(t->name) - 1] = '\0';
		int ring = topo_ring_find(t->name);
		const struct stage_def *d =
		    ring >= 0 ? &topo_stages[topo_rings[ring].writer] : NULL;
		const char *name = d != NULL ? d->name
				   : strcmp(t->name, JOURNAL_OWN_TAP) == 0
				       ? topo_stages[ST_RECORDERD].name
				       : t->name;

		r->tap_source[i] = rec_text(r, name, strlen(name));
		r->tap_venue[i] = d != NULL ? d->venue : 0;
		r->next_seq[i] = t->next_seq;
	}
}

static void
on_instr(
    struct rec *r, const struct journal_instr *in, const struct journal_head *h)
{
	for (unsigned i = 0; i < h->count; i++) {
		const char *s = in[i].symbol;
		const char *end = memchr(s, '\0', sizeof(in[i].symbol));
		size_t n =
		    end != NULL ? (size_t)(end - s) : sizeof(in[i].symbol);

		r->symbol[in[i].instr] = rec_text(r, s, n);
		r->venue[in[i].instr] = in[i].venue < VENUE_N ? in[i].venue : 0;
	}
}

/* One row into the part of this table, venue and hour. */
static void
put_row(struct rec *r, enum rec_table table, unsigned venue, const union tap *s,
    const struct rec_row *w, struct rec_out *out)
{
	CHECK(r->hour != NO_HOUR);
	if ((r->table_set & 1u << table) == 0)
		return;
	int64_t hour = i64_clamp(hour_of(w->ts), r->hour - 1, r->hour);
	unsigned i =
	    ((unsigned)table * VENUE_N + venue) * 2 + (unsigned)(hour & 1);
	struct rec_part *p = &r->part[i];

	CHECK(p->rows < r->rows_max);
	CHECK(!p->is_open || p->hour == hour);
	p->is_open = true;
	p->hour = hour;
	rec_row_put(table, p->mem, r->rows_max, p->rows, s, w);
	p->rows++;
	r->rows_n++;
	/* One step may declare two gaps. */
	if (p->rows >= r->rows_max - (table == REC_GAP))
		act(out, REC_GROUP, i);
}

/* The first gaps as text for the footers: "source:first+n cause". */
static void
note_gap(struct rec *r, const struct rec_row *w)
{
	char line[160];
	const struct pq_text *src = &r->text[w->source];
	const struct pq_text *why = &r->text[w->reason];

	r->gap_n++;
	r->lost_n += w->gap.lost_n;
	int n = snprintf(line, sizeof(line), "%s%.*s:%llu+%llu %.*s",
	    r->gaps_len > 0 ? "; " : "", (int)src->len, src->s,
	    (unsigned long long)w->gap.first_seq,
	    (unsigned long long)w->gap.lost_n, (int)why->len, why->s);

	CHECK(n > 0);
	if (r->gaps_len + (size_t)n < sizeof(r->gaps)) {
		memcpy(r->gaps + r->gaps_len, line, (size_t)n + 1);
		r->gaps_len += (size_t)n;
	}
}

/* Records of a tap that are in no ring and no block any more. */
static void
put_lost(struct rec *r, const struct journal_head *h,
    const struct journal_gap *g, struct rec_out *out)
{
	union tap none;
	struct rec_row w;

	memset(&none, 0, sizeof(none));
	none.hdr.recv_ns = g->from_ns != 0 ? g->from_ns : h->mono_ns;
	rec_row_slot(r, h, &none, &w);
	w.seq = 0;
	w.gap = *g;
	w.symbol = PQ_NULL;
	w.scope = r->scope_text[3];
	w.reason = g->cause < JOURNAL_CAUSE_N ? r->cause_text[g->cause] : 0;
	w.from_ts = g->from_ns != 0 ? journal_wall(h, g->from_ns) : PQ_NULL;
	w.to_ts = g->to_ns != 0 ? journal_wall(h, g->to_ns) : PQ_NULL;
	note_gap(r, &w);
	put_row(r, REC_GAP, r->tap_venue[h->tap], &none, &w, out);
}

/* seq is what comes next from the tap; what lies between is damaged. */
static void
check_jump(struct rec *r, const struct journal_head *h, uint64_t seq,
    uint64_t recv_ns, struct rec_out *out)
{
	uint64_t next = r->next_seq[h->tap];

	if (next == 0 || seq <= next)
		return;
	struct journal_gap g = {.first_seq = next,
	    .lost_n = seq - next,
	    .to_ns = recv_ns,
	    .cause = JOURNAL_LOST_BLOCK};

	put_lost(r, h, &g, out);
	r->next_seq[h->tap] = seq;
}

static void
on_gap(struct rec *r, const struct journal_head *h, const struct journal_gap *g,
    struct rec_out *out)
{
	uint64_t next = r->next_seq[h->tap];

	check_jump(r, h, g->first_seq, 0, out);
	if (next != 0 && g->first_seq + g->lost_n <= next)
		return;
	put_lost(r, h, g, out);
	r->next_seq[h->tap] = g->first_seq + g->lost_n;
}

/* The venue that a freeze word covers, 0: all. */
static unsigned
freeze_venue(uint32_t word)
{
	if (word == FW_RISKD_PM || word == FW_EXECD_PM)
		return VENUE_POLYMARKET;
	if (word == FW_RISKD_HL || word == FW_EXECD_HL)
		return VENUE_HYPERLIQUID;
	return 0;
}

static unsigned
slot_venue(const struct rec *r, uint16_t tap, const union tap *s)
{
	uint8_t kind = s->hdr.kind;

	if (kind == TICK_LINK)
		return s->tick.u.link.venue;
	if (kind == TICK_CONN)
		return s->tick.u.conn.venue;
	if (kind == TAP_MARKOUT)
		return s->tick.u.markout.venue;
	if (kind == TAP_FREEZE)
		return freeze_venue(s->tick.u.freeze.word);
	if (slot_is_order(kind) && kind != MSG_RESTART && s->order.venue != 0)
		return s->order.venue;
	if (s->hdr.instr != 0 && r->venue[s->hdr.instr] != 0)
		return r->venue[s->hdr.instr];
	return r->tap_venue[tap];
}

static void
on_slot(struct rec *r, const struct journal_head *h, const union tap *s,
    struct rec_out *out)
{
	struct rec_row w;

	if (r->next_seq[h->tap] != 0 && s->hdr.seq < r->next_seq[h->tap]) {
		r->dup_n++;
		return;
	}
	check_jump(r, h, s->hdr.seq, s->hdr.recv_ns, out);
	r->next_seq[h->tap] = s->hdr.seq + 1;
	if (!rec_slot_ok(s)) {
		r->bad_n++;
		return;
	}
	enum rec_table table = rec_slot_table(s->hdr.kind);

	rec_row_slot(r, h, s, &w);
	if (s->hdr.kind == TICK_GAP) {
		w.gap.err = 0;
		if (s->tick.u.gap.scope == 3)
			note_gap(r, &w);
		else
			r->gap_n++;
	}
	if (s->hdr.kind == TAP_FREEZE)
		rec_row_freeze(r, s, &w);
	put_row(r, table, slot_venue(r, h->tap, s), s, &w, out);
}

static void
on_entry(struct rec *r, const struct journal_head *h,
    const struct journal_entry *e, struct rec_out *out)
{
	union tap none;
	struct rec_row w;

	memset(&none, 0, sizeof(none));
	if (e->idx >= INSTR_N || !rec_row_entry(r, h, e, &w)) {
		r->bad_n++;
		return;
	}
	r->symbol[e->idx] = (uint32_t)w.symbol;
	r->venue[e->idx] = e->in.venue;
	put_row(r, REC_INSTR, e->in.venue, &none, &w, out);
}

static void
on_config(struct rec *r, const struct journal_head *h,
    const struct rec_config *c, struct rec_out *out)
{
	union tap none;
	struct rec_row w;

	memset(&none, 0, sizeof(none));
	if (rec_row_config(r, h, c, &w))
		put_row(r, REC_CONFIG, 0, &none, &w, out);
	else
		r->bad_n++;
}

void
rec_step(struct rec *r, const struct rec_event *ev, struct rec_out *out)
{
	out->n = 0;
	CHECK(ev->kind != 0);
	switch ((enum rec_event_kind)ev->kind) {
	case REC_EV_BLOCK: on_block(r, ev->head, out); return;
	case REC_EV_OPEN: on_open(r, ev->u.open); return;
	case REC_EV_INSTR: on_instr(r, ev->u.instr, ev->head); return;
	case REC_EV_SLOT:
		CHECK(ev->head->tap < JOURNAL_TAPS_MAX);
		on_slot(r, ev->head, ev->u.slot, out);
		return;
	case REC_EV_GAP:
		CHECK(ev->head->tap < JOURNAL_TAPS_MAX);
		on_gap(r, ev->head, ev->u.gap, out);
		return;
	case REC_EV_END: on_end(r, out); return;
	case REC_EV_ENTRY: on_entry(r, ev->head, ev->u.entry, out); return;
	case REC_EV_CONFIG: on_config(r, ev->head, ev->u.config, out); return;
	case REC_EV_N: break;
	}
	CHECK(false);
}

void
rec_written(struct rec *r, unsigned part)
{
	CHECK(part < REC_PARTS);
	r->part[part].rows = 0;
}

void
rec_closed(struct rec *r, unsigned part)
{
	CHECK(part < REC_PARTS);
	CHECK(r->part[part].rows == 0);
	r->part[part].is_open = false;
}

unsigned
rec_columns(const struct rec *r, unsigned part, struct pq_values *val)
{
	CHECK(part < REC_PARTS);
	const struct rec_part *p = &r->part[part];
	unsigned n = rec_schemas[rec_part_table(part)].col_n;

	CHECK(n <= PQ_COLS_MAX);
	for (unsigned c = 0; c < n; c++)
		val[c] = (struct pq_values){
		    p->mem + (size_t)c * r->rows_max, r->text, r->text_n};
	return n;
}

uint64_t
rec_hash(const struct rec *r)
{
	uint64_t h = hash_u64(HASH_SEED, r->rows_n);

	h = hash_u64(h, r->bad_n);
	h = hash_u64(h, r->dup_n);
	h = hash_u64(h, r->gap_n);
	h = hash_u64(h, r->lost_n);
	h = hash_u64(h, (uint64_t)r->hour);
	h = hash_bytes(h, r->next_seq, sizeof(r->next_seq));
	h = hash_bytes(h, r->gaps, r->gaps_len);
	for (unsigned i = 0; i < r->text_n; i++)
		h = hash_bytes(h, r->text[i].s, r->text[i].len);
	for (unsigned i = 0; i < REC_PARTS; i++) {
		const struct rec_part *p = &r->part[i];
		unsigned n = rec_schemas[rec_part_table(i)].col_n;

		if (p->is_open)
			h = hash_u64(h, (uint64_t)p->hour);
		for (unsigned c = 0; c < n && p->rows > 0; c++)
			h = hash_bytes(h, p->mem + (size_t)c * r->rows_max,
			    p->rows * sizeof(int64_t));
	}
	return h;
}

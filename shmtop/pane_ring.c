#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "shmtop/decode.h"
#include "shmtop/pane.h"
#include "shmtop/text.h"

#define BAR_COLS      16
#define BAR_WIDE_COLS 64

static void
ring_row(struct canvas *c, const struct snap *s, int i, int row)
{
	const struct snap_ring *r = &s->ring[i];
	uint64_t used = r->st.published > r->st.committed
			    ? r->st.published - r->st.committed
			    : 0;
	char a[TEXT_SZ];
	char b[TEXT_SZ];
	char d[TEXT_SZ];

	canvas_put(c, row, 1, COL_PLAIN, topo_rings[i].name);
	canvas_put(c, row, 14, r->st.prod_held ? COL_GOOD : COL_BAD,
	    r->st.prod_held ? "w" : "-");
	canvas_put(c, row, 15, r->st.cons_held ? COL_GOOD : COL_BAD,
	    r->st.cons_held ? "r" : "-");
	canvas_printf(c, row, 17, COL_PLAIN, "%5s %5s",
	    text_count(r->rate_in, a), text_count(r->rate_out, b));
	canvas_printf(c, row, 29, COL_PLAIN, "%6" PRIu64, used);
	canvas_bar(c, row, 36, BAR_COLS,
	    r->st.depth ? (double)used / (double)r->st.depth : 0, r->high);
	canvas_printf(c, row, 53, r->st.dropped ? COL_BAD : COL_DIM, "%5s %5s",
	    text_count((double)r->st.full_n, a),
	    text_count((double)r->st.dropped, b));
	canvas_printf(c, row, 65, COL_DIM, "%6s",
	    r->st.last_ns ? text_dur(r->idle_ns, d) : "-");
	canvas_printf(c, row, 73, COL_DIM, "%3" PRIu64 "/%" PRIu64,
	    r->st.prod_epoch, r->st.cons_epoch);
	if (c->cols < PANE_WIDE)
		return;
	canvas_printf(c, row, 81, COL_DIM, "%9" PRIu64 " %5" PRIu64 " %5s %s",
	    r->st.published, r->st.depth,
	    text_count((double)r->st.redelivered, a),
	    topo_stages[topo_rings[i].reader].name);
}

int
pane_rings(struct canvas *c, const struct snap *s, const struct pane_view *v,
    int row, int max)
{
	bool quiet = v->pane == PANE_OVERVIEW;
	int n = 0;

	if (max < 2)
		return 0;
	canvas_fill(c, row, COL_HEAD);
	canvas_put(c, row, 1, COL_HEAD,
	    "RING         WR  in/s out/s   USED DEPTH            FULL  DROP   "
	    "IDLE  LIVES");
	if (c->cols >= PANE_WIDE)
		canvas_put(
		    c, row, 81, COL_HEAD, "      SEQ SLOTS AGAIN READER");
	n++;
	for (int i = 0; i < RG_N && n < max; i++) {
		const struct snap_ring *r = &s->ring[i];

		if (!r->ok || (v->filter[0] != '\0' &&
				  !text_has(topo_rings[i].name, v->filter)))
			continue;
		/* Beside other panes only rings where something happens. */
		if (quiet && r->rate_in <= 0 &&
		    r->st.published == r->st.committed && !r->st.dropped)
			continue;
		ring_row(c, s, i, row + n++);
	}
	return n;
}

static const char *
symbol_of(const struct snap *s, uint16_t idx)
{
	for (uint32_t i = 0; i < s->market_n; i++)
		if (s->market[i].idx == idx)
			return s->market[i].in.symbol;
	return NULL;
}

int
pane_tap(struct canvas *c, const struct snap *s, const struct pane_view *v,
    int row, int max)
{
	char line[256];
	uint32_t shown = 0;
	uint32_t first = 0;
	int n = 0;

	canvas_fill(c, row, COL_HEAD);
	canvas_printf(c, row, 1, COL_HEAD,
	    "TAP %s (t: another)  SEQ KIND INSTRUMENT ...  missed %" PRIu64,
	    v->tap_ring >= 0 ? topo_rings[v->tap_ring].name : "-", s->tap_lost);
	n++;
	/* The newest that fit and match, oldest of them first. */
	for (uint32_t i = s->tap_n; i > 0 && (int)shown < max - 1; i--) {
		decode_slot(&s->tap[i - 1].slot,
		    symbol_of(s, s->tap[i - 1].slot.hdr.instr), line,
		    sizeof(line));
		shown += v->filter[0] == '\0' || text_has(line, v->filter);
		first = i - 1;
	}
	for (uint32_t i = first; i < s->tap_n && n < max; i++) {
		decode_slot(&s->tap[i].slot,
		    symbol_of(s, s->tap[i].slot.hdr.instr), line, sizeof(line));
		if (v->filter[0] != '\0' && !text_has(line, v->filter))
			continue;
		canvas_put(c, row + n++, 0, COL_PLAIN, line);
	}
	return n;
}

static int
bar_row(struct canvas *c, int row, const char *name, const uint64_t q[3],
    uint64_t scale_ns)
{
	char a[TEXT_SZ];
	char b[TEXT_SZ];
	char d[TEXT_SZ];

	canvas_put(c, row, 1, COL_PLAIN, name);
	if (q[2] == 0) {
		canvas_put(c, row, 34, COL_DIM, "-");
		return 1;
	}
	canvas_printf(c, row, 28, COL_PLAIN, "%8s %8s %8s", text_dur(q[0], a),
	    text_dur(q[1], b), text_dur(q[2], d));
	canvas_bar(c, row, 56,
	    c->cols < BAR_WIDE_COLS + 58 ? c->cols - 58 : BAR_WIDE_COLS,
	    scale_ns ? (double)q[0] / (double)scale_ns : 0,
	    scale_ns ? (double)q[1] / (double)scale_ns : 0);
	return 1;
}

int
pane_latency(struct canvas *c, const struct snap *s, int row, int max)
{
	uint64_t scale = 1;
	char name[64];
	int n = 0;

	for (int i = 0; i < ST_N; i++)
		if (s->stage[i].hop_ns[1] > scale)
			scale = s->stage[i].hop_ns[1];
	canvas_fill(c, row, COL_HEAD);
	canvas_put(c, row, 1, COL_HEAD,
	    "PATH                            p50      p99      max   bar p50, "
	    "mark p99");
	n++;
	for (int v = VENUE_POLYMARKET; v < VENUE_N && n < max; v++) {
		snprintf(
		    name, sizeof(name), "decode %s", venue_name((enum venue)v));
		n += bar_row(c, row + n, name, s->feed[v].decode_ns, scale);
	}
	for (int i = 0; i < ST_N && n < max; i++) {
		if (s->stage[i].hop_n == 0)
			continue;
		snprintf(name, sizeof(name), "hop to %s", topo_stages[i].name);
		n += bar_row(c, row + n, name, s->stage[i].hop_ns, scale);
	}
	for (int i = 0; i < ST_N && n < max; i++) {
		if (s->stage[i].step_ns[2] == 0)
			continue;
		snprintf(name, sizeof(name), "step of %s", topo_stages[i].name);
		n += bar_row(c, row + n, name, s->stage[i].step_ns, scale);
	}
	for (int v = VENUE_POLYMARKET; v < VENUE_N && n < max; v++) {
		if (s->exec[v].tick_to_order_ns[2] == 0)
			continue;
		snprintf(name, sizeof(name), "tick to order %s",
		    venue_name((enum venue)v));
		n += bar_row(
		    c, row + n, name, s->exec[v].tick_to_order_ns, scale);
	}
	return n;
}

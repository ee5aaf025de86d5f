#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>

#include "shmtop/pane.h"
#include "shmtop/text.h"

bool
pane_has_gates(const struct snap *s)
{
	for (int v = VENUE_POLYMARKET; v < VENUE_N; v++)
		if (s->trades[v] && s->exec[v].mode != GATE_PAPER)
			return true;
	return false;
}

static enum colour
mode_colour(int64_t mode)
{
	return mode == GATE_NORMAL    ? COL_GOOD
	       : mode == GATE_BLOCKED ? COL_BAD
				      : COL_WARN;
}

/* Zero is as it should be. */
static void
odd(struct canvas *c, int row, int col, uint64_t n)
{
	char a[TEXT_SZ];

	canvas_printf(c, row, col, n != 0 ? COL_WARN : COL_DIM, "%4s",
	    text_count((double)n, a));
}

static void
gate_wide(struct canvas *c, const struct snap_exec *x, int row)
{
	odd(c, row, 81, x->held);
	odd(c, row, 86, x->resends);
	odd(c, row, 91, x->resyncs);
	odd(c, row, 96, x->strays);
	odd(c, row, 101, x->reversals);
	odd(c, row, 106, x->lapses);
	canvas_printf(c, row, 111, COL_DIM, "%4lld", (long long)x->warm);
	canvas_printf(
	    c, row, 116, COL_DIM, "%8.1fms", (double)x->clock_us / 1000);
}

static void
gate_row(struct canvas *c, const struct snap *s, int v, int row)
{
	const struct snap_exec *x = &s->exec[v];
	char a[TEXT_SZ];
	char b[TEXT_SZ];

	canvas_put(c, row, 1, COL_PLAIN, venue_name((enum venue)v));
	canvas_put(c, row, 13, mode_colour(x->mode), text_gate(x->mode));
	canvas_printf(c, row, 25, COL_PLAIN, "%4lld", (long long)x->resting);
	odd(c, row, 30, x->unknown);
	if (x->ack_ns[2] != 0)
		canvas_printf(c, row, 36, COL_PLAIN, "%s/%s",
		    text_dur(x->ack_ns[0], a), text_dur(x->ack_ns[1], b));
	canvas_printf(c, row, 50, COL_PLAIN, "%6s %6s",
	    text_count((double)x->posts, a),
	    text_count((double)x->cancel_requests, b));
	odd(c, row, 64, x->cold);
	odd(c, row, 69, x->differences);
	/* Where there is no such budget it says 0. */
	if (x->budget_left != 0)
		canvas_printf(c, row, 74, COL_DIM, "%6s",
		    text_count((double)x->budget_left, a));
	if (c->cols >= PANE_WIDE)
		gate_wide(c, x, row);
}

int
pane_gates(struct canvas *c, const struct snap *s, int row, int max)
{
	int n = 0;

	if (max < 2 || !pane_has_gates(s))
		return 0;
	canvas_fill(c, row, COL_HEAD);
	canvas_put(c, row, 1, COL_HEAD,
	    "ORDERS      MODE        REST UNKN  ACK50/99       POSTS CANCEL "
	    "COLD DIFF BUDGET");
	if (c->cols >= PANE_WIDE)
		canvas_put(c, row, 81, COL_HEAD,
		    "HELD TWCE SYNC STRY UNDO LAPS WARM     CLOCK");
	n++;
	for (int v = VENUE_POLYMARKET; v < VENUE_N && n < max; v++)
		if (s->trades[v])
			gate_row(c, s, v, row + n++);
	return n;
}

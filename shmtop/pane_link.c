#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "shmtop/pane.h"
#include "shmtop/text.h"

/* The name gives way on narrow screens. */
#define NAME_WHOLE  46
#define NAME_WIDE   24
#define NAME_NARROW 17
#define ROLE_COLS   7
#define TOP_N	    6

static uint64_t
since(const struct snap *s, const struct snap_link *l, enum link_field f)
{
	uint64_t then = (uint64_t)l->field[f];

	return then != 0 && s->now_ns > then ? s->now_ns - then : 0;
}

static enum colour
state_colour(int64_t state)
{
	return state == LINK_READY ? COL_GOOD
	       : state == LINK_UP  ? COL_WARN
				   : COL_BAD;
}

static enum colour
band_colour(int64_t band)
{
	return band == 0	       ? COL_DIM
	       : band <= BAND_GOOD     ? COL_GOOD
	       : band == BAND_DEGRADED ? COL_WARN
				       : COL_BAD;
}

static const char *
micro(int64_t us, char *buf)
{
	return us > 0 ? text_dur((uint64_t)us * 1000, buf) : "-";
}

static int
name_cols(const struct canvas *c)
{
	return c->cols >= PANE_WHOLE  ? NAME_WHOLE
	       : c->cols >= PANE_WIDE ? NAME_WIDE
				      : NAME_NARROW;
}

/* Where the columns after the name begin. */
static int
base_col(const struct canvas *c)
{
	return ROLE_COLS + name_cols(c);
}

static void
conn_name(struct canvas *c, const struct snap_link *l, int row)
{
	canvas_put(
	    c, row, 1, COL_PLAIN, link_role(l->venue, l->field[LF_SHARD]));
	canvas_printf(c, row, 1 + ROLE_COLS, COL_PLAIN, "%.*s", name_cols(c),
	    l->name[0] != '\0' ? l->name : "?");
	canvas_printf(c, row, base_col(c) + 2, COL_DIM, "%2" PRId64 "%c",
	    l->field[LF_SHARD], l->field[LF_LANE] == 0 ? 'A' : 'B');
}

static void
conn_wide(
    struct canvas *c, const struct snap *s, const struct snap_link *l, int row)
{
	const int64_t *f = l->field;
	char a[TEXT_SZ];
	char b[TEXT_SZ];
	char d[TEXT_SZ];
	int x = base_col(c) + 83;
	bool bad = f[LF_MALFORMED] != 0 || f[LF_HASH_BAD] != 0 ||
		   f[LF_GAPS] != 0 || f[LF_SEQ_GAPS] != 0;

	canvas_printf(c, row, x, COL_PLAIN, "%7s %6s %6s %6" PRId64,
	    text_bytes((uint64_t)f[LF_BYTE_RATE], a), micro(f[LF_RTT_US], b),
	    f[LF_DATA_NS] != 0 ? text_dur(since(s, l, LF_DATA_NS), d) : "-",
	    f[LF_AGE_US] / 1000);
	canvas_printf(c, row, x + 30, bad ? COL_WARN : COL_DIM,
	    "%5" PRId64 " %4" PRId64 " %4" PRId64 " %4" PRId64, f[LF_MALFORMED],
	    f[LF_HASH_BAD], f[LF_GAPS], f[LF_SEQ_GAPS]);
	canvas_printf(c, row, x + 51, COL_DIM, "%5s %5" PRId64,
	    text_count((double)f[LF_DUPLICATES], a), f[LF_RESUMED]);
	canvas_printf(c, row, x + 63, f[LF_SKEW_MS] != 0 ? COL_WARN : COL_DIM,
	    "%7" PRId64, f[LF_SKEW_MS]);
	if (f[LF_MALFORMED] != 0)
		canvas_printf(c, row, x + 72, COL_DIM, "%.20s",
		    reason_name((enum reason)f[LF_BAD_REASON]));
}

static void
conn_row(
    struct canvas *c, const struct snap *s, const struct snap_link *l, int row)
{
	const int64_t *f = l->field;
	char a[TEXT_SZ];
	char b[TEXT_SZ];
	char d[TEXT_SZ];
	char e[TEXT_SZ];
	int x = base_col(c);

	conn_name(c, l, row);
	canvas_put(c, row, x + 7, state_colour(f[LF_STATE]),
	    link_state_name((uint8_t)f[LF_STATE]));
	canvas_printf(c, row, x + 18, COL_DIM, "%6s",
	    text_dur(since(s, l, LF_SINCE_NS), a));
	canvas_printf(c, row, x + 25, COL_PLAIN, "%6s %6s",
	    text_count((double)f[LF_MSG_RATE], b),
	    f[LF_MSG_NS] != 0 ? text_dur(since(s, l, LF_MSG_NS), d) : "-");
	canvas_printf(c, row, x + 39, band_colour(f[LF_BAND]), "%6s %-9s",
	    micro(f[LF_RTT_EMA_US], e), link_band_name((uint8_t)f[LF_BAND]));
	canvas_printf(c, row, x + 56, f[LF_RECONNECTS] ? COL_WARN : COL_DIM,
	    "%3" PRId64, f[LF_RECONNECTS]);
	if (f[LF_ENDS] == 0)
		canvas_put(c, row, x + 60, COL_DIM, "-");
	else
		canvas_printf(c, row, x + 60,
		    f[LF_END_REASON] ? COL_WARN : COL_DIM, "%-14s %6s",
		    f[LF_END_REASON]
			? reason_name((enum reason)f[LF_END_REASON])
			: "ours",
		    text_dur(since(s, l, LF_END_NS), a));
	if (c->cols >= PANE_WIDE)
		conn_wide(c, s, l, row);
}

int
pane_conns(struct canvas *c, const struct snap *s, int row, int max)
{
	int n = 0;

	if (max < 2)
		return 0;
	canvas_fill(c, row, COL_HEAD);
	canvas_put(c, row, 1, COL_HEAD, "CONNECTION");
	canvas_put(c, row, base_col(c) + 2, COL_HEAD,
	    " NR  STATE         FOR  msg/s   LAST    EMA BAND      REC LAST "
	    "END");
	if (c->cols >= PANE_WIDE)
		canvas_put(c, row, base_col(c) + 83, COL_HEAD,
		    "    B/s    RTT   DATA AGE ms   BAD HASH GAPS  SEQ   DUP "
		    "RESUM SKEW ms  LAST BAD");
	n++;
	for (uint32_t i = 0; i < s->link_n && n < max; i++)
		conn_row(c, s, &s->link[i], row + n++);
	return n;
}

/* The most frequent reasons of a feed, most frequent first. */
static int
reason_row(struct canvas *c, const struct snap_feed *f, int v, int row)
{
	uint16_t top[TOP_N] = {0};
	int n = 0;
	int at;

	for (uint16_t id = 1; id < REASON_N; id++) {
		int k = n < TOP_N ? n : TOP_N - 1;

		if (f->reason[id] == 0 ||
		    (n == TOP_N && f->reason[id] <= f->reason[top[k]]))
			continue;
		while (k > 0 && f->reason[id] > f->reason[top[k - 1]]) {
			top[k] = top[k - 1];
			k--;
		}
		top[k] = id;
		n += n < TOP_N;
	}
	if (n == 0)
		return 0;
	at = canvas_printf(
	    c, row, 1, COL_PLAIN, "%-12s", venue_name((enum venue)v));
	for (int k = 0; k < n; k++)
		at = canvas_printf(c, row, at, COL_WARN, " %s %" PRIu64,
		    reason_name((enum reason)top[k]), f->reason[top[k]]);
	return 1;
}

int
pane_reasons(struct canvas *c, const struct snap *s, int row, int max)
{
	int n = 1;

	if (max < 2)
		return 0;
	for (int v = VENUE_POLYMARKET; v < VENUE_N && n < max; v++)
		n += reason_row(c, &s->feed[v], v, row + n);
	if (n == 1)
		return 0;
	canvas_fill(c, row, COL_HEAD);
	canvas_put(c, row, 1, COL_HEAD, "DROPPED, FAILED: reason and number");
	return n;
}

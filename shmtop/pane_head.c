#include <stdio.h>
#include <string.h>

#include "libcore/check.h"
#include "shmtop/pane.h"
#include "shmtop/text.h"

const char *
pane_name(enum pane p)
{
	static const char *const t[PANE_N] = {"?", "overview", "stages",
	    "links", "rings", "markets", "latency", "tap", "why", "help"};

	return (unsigned)p < PANE_N ? t[p] : "?";
}

const char *
pane_sort_name(enum pane_sort s)
{
	static const char *const t[SORT_N] = {
	    "?", "active", "name", "spread", "position"};

	return (unsigned)s < SORT_N ? t[s] : "?";
}

static void
title(struct canvas *c, const struct snap *s, const struct pane_view *v)
{
	unsigned day_s = (unsigned)(s->wall_ns / NS_PER_S % 86400);
	char up[TEXT_SZ];
	int at;

	canvas_fill(c, 0, COL_TITLE);
	at = canvas_printf(c, 0, 1, COL_TITLE, "ringmaker %s", s->instance);
	if (s->mode != 0)
		at = canvas_printf(c, 0, at + 2, COL_TITLE, "%s",
		    mode_name((enum mode)s->mode));
	if (s->sup_alive)
		at = canvas_printf(
		    c, 0, at + 2, COL_TITLE, "up %s", text_dur(s->up_ns, up));
	if (c->cols >= PANE_WIDE && s->host[0] != '\0')
		at = canvas_printf(c, 0, at + 2, COL_TITLE,
		    "on %s, %d cores, clock %s, config %u", s->host, s->cores,
		    s->clock, (unsigned)s->cfg_epoch);
	if (v->paused)
		canvas_put(c, 0, at + 2, COL_TITLE, "PAUSED");
	canvas_printf(c, 0, c->cols - 19, COL_TITLE, "%02u:%02u:%02u UTC",
	    day_s / 3600, day_s / 60 % 60, day_s % 60);
	if (v->hz != 0)
		canvas_printf(c, 0, c->cols - 6, COL_TITLE, "%2u Hz", v->hz);
}

static int
venue_state(struct canvas *c, const struct snap *s, enum venue v, int at)
{
	uint64_t m = s->gate[v];
	char names[128];

	at = canvas_printf(c, 1, at, COL_DIM, "%s ",
	    c->cols >= PANE_WIDE    ? venue_name(v)
	    : v == VENUE_POLYMARKET ? "pm"
				    : "hl");
	if (m == 0)
		return canvas_put(c, 1, at, COL_GOOD, "TRADING") + 2;
	return canvas_printf(c, 1, at, m & FREEZE_LATCHED ? COL_BAD : COL_WARN,
		   "FROZEN %s", freeze_format(m, names, sizeof(names))) +
	       2;
}

static void
permission(struct canvas *c, const struct snap *s)
{
	char t[TEXT_SZ];
	int at = 1;

	if (!s->sup_alive) {
		at = canvas_put(c, 1, at, COL_BAD,
			 s->sup_pid == 0 ? "NOT RUNNING (post-mortem)"
					 : "SUPERVISOR DEAD") +
		     2;
	}
	if (s->mode == MODE_CAPTURE) {
		canvas_put(c, 1, at, COL_GOOD, "capture only, no trading");
		return;
	}
	at = venue_state(c, s, VENUE_POLYMARKET, at);
	at = venue_state(c, s, VENUE_HYPERLIQUID, at);
	if (s->lease_ns != 0)
		canvas_printf(
		    c, 1, at, COL_DIM, "lease %s", text_dur(s->lease_ns, t));
	else
		canvas_put(c, 1, at, COL_WARN, "no lease");
}

static void
tabs(struct canvas *c, const struct pane_view *v)
{
	int at = 1;

	for (int p = PANE_OVERVIEW; p < PANE_N; p++)
		at = canvas_printf(c, 2, at,
			 (enum pane)p == v->pane ? COL_MARK : COL_DIM, "%s%s%s",
			 (enum pane)p == v->pane ? "[" : " ",
			 pane_name((enum pane)p),
			 (enum pane)p == v->pane ? "]" : " ") +
		     1;
	if (v->filter[0] != '\0')
		canvas_printf(c, 2, at + 1, COL_WARN, "filter %s", v->filter);
}

int
pane_head(struct canvas *c, const struct snap *s, const struct pane_view *v)
{
	CHECK(c != NULL && s != NULL);
	title(c, s, v);
	if (s->found)
		permission(c, s);
	else
		canvas_printf(c, 1, 1, COL_WARN, "%.200s",
		    s->note_n ? s->note[0] : "no such instance");
	tabs(c, v);
	return 3;
}

int
pane_help(struct canvas *c, int row, int max)
{
	static const char *const line[] = {
	    "TAB, arrows  next and previous pane; 1 to 9 picks one",
	    "p            pause, and go on",
	    "s            other order of markets",
	    "f            filter by part of a name, of either case; empty "
	    "shows all",
	    "t            other ring in the tap",
	    "?            this page",
	    "q            quit (the pipeline runs on)",
	    "",
	    "BEAT  age of the heartbeat        RST   restarts",
	    "HOP   published to handled         BUSY  share of a core",
	    "DEPTH fullest so far is the mark   USED  not yet committed",
	    "FOR   in this state                LAST  bytes came",
	    "ACK   sent to the venue's answer  UNKN  asked what became of it",
	    "COLD  had to connect first        HELD  refused at the last look",
	    "TWCE  second sends stopped        SYNC  all was read again",
	    "STRY  ours, but unwanted          UNDO  fills taken back",
	    "LAPS  dead-man switch went off    DIFF  the venue held otherwise",
	    "BID/ASK with * rests, with ? is wished for and not there yet",
	    "",
	    "Everything is read from shared memory, mapped read-only.",
	};
	int n = 0;

	for (size_t i = 0; i < sizeof(line) / sizeof(line[0]) && n < max; i++)
		canvas_put(c, row + n++, 2, COL_PLAIN, line[i]);
	return n;
}

static void
overview(
    struct canvas *c, const struct snap *s, const struct pane_view *v, int row)
{
	int left = c->rows - row - 1;
	int markets;

	row += pane_stages(c, s, row, left);
	row += pane_links(c, s, row, c->rows - 1 - row);
	row += pane_gates(c, s, row, c->rows - 1 - row);
	row += pane_money(c, s, row, c->rows - 1 - row);
	left = c->rows - 1 - row;
	markets = left > 20 ? left / 2 : left;
	row += pane_markets(c, s, v, row, markets);
	if (c->rows - 1 - row > 3)
		pane_rings(c, s, v, row, c->rows - 1 - row);
}

static void
foot(struct canvas *c, const struct pane_view *v)
{
	if (c->rows < 10)
		return;
	canvas_fill(c, c->rows - 1, COL_TITLE);
	canvas_printf(c, c->rows - 1, 1, COL_TITLE,
	    "TAB pane  p pause  s sort:%s  f filter  t tap  ? help  q quit",
	    pane_sort_name(v->sort));
}

void
pane_draw(struct canvas *c, const struct snap *s, const struct pane_view *v)
{
	int row = pane_head(c, s, v);
	int max = c->rows - 1 - row;

	switch (v->pane) {
	case PANE_OVERVIEW: overview(c, s, v, row); break;
	case PANE_STAGES:
		row += pane_stages(c, s, row, max);
		row += pane_links(c, s, row + 1, c->rows - 2 - row);
		for (uint32_t i = 0; i < s->note_n && row + 2 < c->rows - 1;
		     i++)
			canvas_printf(
			    c, ++row + 1, 1, COL_BAD, "%.200s", s->note[i]);
		break;
	case PANE_LINKS:
		row += pane_conns(c, s, row, max);
		row += pane_links(c, s, row + 1, c->rows - 2 - row) + 1;
		row += pane_gates(c, s, row + 1, c->rows - 2 - row) + 1;
		pane_reasons(c, s, row + 1, c->rows - 2 - row);
		break;
	case PANE_RINGS: pane_rings(c, s, v, row, max); break;
	case PANE_MARKETS: pane_markets(c, s, v, row, max); break;
	case PANE_LATENCY: pane_latency(c, s, row, max); break;
	case PANE_TAP: pane_tap(c, s, v, row, max); break;
	case PANE_WHY: pane_why(c, s, v, row, max); break;
	case PANE_HELP: pane_help(c, row, max); break;
	case PANE_N: CHECK(!"no such pane");
	}
	foot(c, v);
}

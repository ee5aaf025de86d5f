#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "shmtop/pane.h"
#include "shmtop/text.h"

static const char *
wait_text(uint32_t wait)
{
	static const char *const t[] = {"-", "auto", "spin", "yield", "block"};

	return wait < sizeof(t) / sizeof(t[0]) ? t[wait] : "?";
}

static const char *
state_text(const struct snap_stage *g, enum colour *col)
{
	*col = COL_BAD;
	if (g->state == STAGE_PARKED)
		return "PARKED";
	if (g->stale)
		return "HUNG";
	if (g->next_ns != 0)
		return "backoff";
	if (!g->alive && g->state != STAGE_DEAD)
		return "DEAD";
	*col = COL_DIM;
	if (!g->alive)
		return g->pid == 0 ? "-" : "stopped";
	*col = g->state == STAGE_READY ? COL_GOOD : COL_WARN;
	return stage_state_name((enum stage_state)g->state);
}

static const char *
exit_text(const struct snap_stage *g, char *buf)
{
	unsigned sig = (unsigned)(g->last_exit & 0x7f);

	if (g->last_exit_ns == 0)
		snprintf(buf, TEXT_SZ, "-");
	else if (g->last_exit > 0xffff)
		snprintf(buf, TEXT_SZ, "?");
	else if (sig != 0)
		snprintf(buf, TEXT_SZ, "sig %u", sig);
	else
		snprintf(buf, TEXT_SZ, "ex %u", (unsigned)(g->last_exit >> 8));
	return buf;
}

static void
stage_wide(struct canvas *c, const struct snap_stage *g, int row)
{
	char a[TEXT_SZ];
	char b[TEXT_SZ];
	char d[TEXT_SZ];
	char e[TEXT_SZ];

	canvas_printf(c, row, 81, COL_PLAIN, "%6s %6s %7s %7s",
	    text_count(g->wake_rate, a), text_count((double)g->preempted, b),
	    g->alive ? text_bytes(g->rss_kib * 1024, d) : "-",
	    g->down_ns ? text_dur(g->down_ns, e) : "-");
	if (g->quarantine_ring != 0 && g->quarantine_ring <= RG_N)
		canvas_printf(c, row, 112, COL_BAD, "skips %s #%" PRIu64,
		    topo_rings[g->quarantine_ring - 1].name, g->quarantine_seq);
}

static void
stage_row(struct canvas *c, const struct snap *s, int i, int row)
{
	const struct snap_stage *g = &s->stage[i];
	char up[TEXT_SZ];
	char beat[TEXT_SZ];
	char last[TEXT_SZ];
	char steps[TEXT_SZ];
	char hop[TEXT_SZ];
	char hop99[TEXT_SZ];
	enum colour col;
	const char *state = state_text(g, &col);

	canvas_put(c, row, 1, COL_PLAIN, topo_stages[i].name);
	canvas_put(c, row, 19, col, state);
	canvas_printf(c, row, 28, g->restarts ? COL_WARN : COL_PLAIN,
	    "%3" PRIu64 " %-6s", g->restarts, exit_text(g, last));
	if (g->alive) {
		canvas_printf(
		    c, row, 39, COL_PLAIN, "%6s", text_dur(g->up_ns, up));
		canvas_printf(c, row, 46, g->stale ? COL_BAD : COL_DIM, "%5s",
		    text_dur(g->beat_ns, beat));
		canvas_printf(c, row, 52, COL_DIM, "%-5s", wait_text(g->wait));
		canvas_printf(
		    c, row, 58, COL_PLAIN, "%3.0f%%", g->busy_frac * 100);
	}
	canvas_printf(
	    c, row, 63, COL_PLAIN, "%4s", text_count(g->step_rate, steps));
	if (g->hop_n != 0)
		canvas_printf(c, row, 68, COL_PLAIN, "%s/%s",
		    text_dur(g->hop_ns[0], hop), text_dur(g->hop_ns[1], hop99));
	if (c->cols >= PANE_WIDE)
		stage_wide(c, g, row);
}

int
pane_stages(struct canvas *c, const struct snap *s, int row, int max)
{
	int n = 0;

	if (max < 2)
		return 0;
	canvas_fill(c, row, COL_HEAD);
	canvas_put(c, row, 1, COL_HEAD,
	    "STAGE             STATE    RST LAST       UP  BEAT WAIT  BUSY "
	    "ev/s HOP50/99");
	if (c->cols >= PANE_WIDE)
		canvas_put(
		    c, row, 81, COL_HEAD, "wake/s PREEMP     RSS  OUTAGE");
	n++;
	for (int i = 0; i < ST_N && n < max; i++)
		stage_row(c, s, i, row + n++);
	return n;
}

static void
link_row(struct canvas *c, const struct snap *s, int v, int row)
{
	const struct snap_feed *f = &s->feed[v];
	char a[TEXT_SZ];
	char b[TEXT_SZ];
	char d[TEXT_SZ];
	char e[TEXT_SZ];
	enum colour rtt = f->kill_ms == 0 || f->ema_us < f->kill_ms * 500
			      ? COL_GOOD
			  : f->ema_us < f->kill_ms * 1000 ? COL_WARN
							  : COL_BAD;

	canvas_put(c, row, 1, COL_PLAIN, venue_name((enum venue)v));
	canvas_put(c, row, 13,
	    f->link == LINK_READY ? COL_GOOD
	    : f->link == LINK_UP  ? COL_WARN
				  : COL_BAD,
	    f->link ? link_state_name((uint8_t)f->link) : "-");
	canvas_printf(c, row, 24, rtt, "%7s %7s",
	    text_dur((uint64_t)f->rtt_us * 1000, a),
	    text_dur((uint64_t)f->ema_us * 1000, b));
	canvas_printf(c, row, 40, COL_DIM, "<%4lldms", (long long)f->kill_ms);
	canvas_printf(c, row, 48, COL_PLAIN, "%6s %6s",
	    text_count(f->frame_rate, d), text_count(f->tick_rate, e));
	canvas_printf(c, row, 62,
	    f->hash_bad || f->gaps || f->malformed ? COL_WARN : COL_DIM,
	    "%4lld %4" PRIu64 " %3" PRIu64 " %4s", (long long)f->instruments,
	    f->gaps, f->reconnects, text_count((double)f->malformed, a));
	if (c->cols < PANE_WIDE)
		return;
	canvas_printf(c, row, 81, COL_PLAIN, "%8s %6s",
	    text_count((double)f->hash_ok, a),
	    text_count((double)f->hash_bad, b));
	canvas_printf(c, row, 98, COL_PLAIN, "%7lldms %s/%s",
	    (long long)(f->age_us / 1000), text_dur(f->decode_ns[0], d),
	    text_dur(f->decode_ns[1], e));
}

int
pane_links(struct canvas *c, const struct snap *s, int row, int max)
{
	int n = 0;

	if (max < 2)
		return 0;
	canvas_fill(c, row, COL_HEAD);
	canvas_put(c, row, 1, COL_HEAD,
	    "LINK        STATE          RTT     EMA   KILL   msg/s tick/s "
	    "INST GAPS REC  BAD");
	if (c->cols >= PANE_WIDE)
		canvas_put(c, row, 81, COL_HEAD,
		    " HASH-OK    BAD  DATA AGE DECODE50/99");
	n++;
	for (int v = VENUE_POLYMARKET; v < VENUE_N && n < max; v++)
		link_row(c, s, v, row + n++);
	return n;
}

int
pane_money(struct canvas *c, const struct snap *s, int row, int max)
{
	const struct snap_risk *r = &s->risk;
	char a[TEXT_SZ];
	char b[TEXT_SZ];
	char d[TEXT_SZ];
	char e[TEXT_SZ];
	int at;

	if (max < 2)
		return 0;
	at = canvas_put(c, row, 1, COL_HEAD, "P&L ");
	at = canvas_printf(c, row, at,
	    r->pnl_e6 < 0   ? COL_BAD
	    : r->pnl_e6 > 0 ? COL_GOOD
			    : COL_PLAIN,
	    "%s", text_usd(r->pnl_e6, a));
	at = canvas_printf(c, row, at, COL_PLAIN,
	    " realised %s fees %s exposure %s", text_usd(r->realised_e6, a),
	    text_usd(r->fees_e6, b), text_usd(r->exposure_e6, d));
	at = canvas_printf(
	    c, row, at, COL_DIM, " limit %s", text_usd(-r->loss_limit_e6, e));
	canvas_printf(c, row, at, COL_PLAIN, "  fills %" PRIu64 " open %lld",
	    r->fills, (long long)r->open_orders);
	at = canvas_printf(c, row + 1, 1, COL_DIM,
	    "intents passed %s refused %s", text_count((double)r->passed, a),
	    text_count((double)r->refused, b));
	if (r->top_reason[0] != 0)
		at = canvas_printf(c, row + 1, at, COL_WARN, " (%s)",
		    reason_name((enum reason)r->top_reason[0]));
	if (s->rec.lost != 0 || s->rec.disk_errors != 0) {
		canvas_printf(c, row + 1, at, COL_BAD,
		    "  LOST %" PRIu64 " records: see supervisor logs recorderd",
		    s->rec.lost);
		return 2;
	}
	canvas_printf(c, row + 1, at, s->rec.gaps ? COL_WARN : COL_DIM,
	    "  recorded %s messages %s, %s/s, %" PRIu64 " gaps",
	    text_count((double)s->rec.records, a), text_bytes(s->rec.bytes, b),
	    text_count(s->rec.record_rate, d), s->rec.gaps);
	return 2;
}

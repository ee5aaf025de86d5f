#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "shmtop/pane.h"
#include "shmtop/text.h"

/* A filter's value in its unit. */
static const char *
value_text(uint8_t unit, int64_t v, char buf[FIXED_TEXT_MAX])
{
	static const unsigned scale[WHY_UNIT_N] = {[WHY_U_PX] = 8,
	    [WHY_U_FRAC] = 8,
	    [WHY_U_USD] = 6,
	    [WHY_U_QTY] = 8,
	    [WHY_U_S] = 9};

	if (v == INT64_MAX)
		return "none";
	fixed_format(v, unit < WHY_UNIT_N ? scale[unit] : 0, buf);
	if (strlen(buf) > 9)
		buf[9] = '\0';
	return buf;
}

static void
side(struct canvas *c, int row, int col, const struct snap *s,
    const struct snap_why *w)
{
	const struct why_def *d;
	char value[FIXED_TEXT_MAX];
	char limit[FIXED_TEXT_MAX];

	if (!w->ok) {
		canvas_put(c, row, col, COL_DIM, "-");
		return;
	}
	if (w->stop >= WHY_N) {
		canvas_put(c, row, col, COL_GOOD, "quoted");
		return;
	}
	d = why_def((enum why_id)w->stop);
	canvas_put(c, row, col, COL_WARN, d->label);
	canvas_printf(c, row, col + 11, COL_PLAIN, "%9s/%-9s",
	    value_text(d->unit, w->filter.value, value),
	    value_text(d->unit, w->filter.limit, limit));
	canvas_printf(c, row, col + 31, COL_DIM, "%6.0fs",
	    (double)(s->now_ns - w->filter.since_ns) / 1e9);
}

static void
take(struct canvas *c, int row, int col, const struct snap_why *w)
{
	if (!w->ok || w->signals == 0)
		return;
	canvas_printf(c, row, col, COL_DIM, "%-11s %8" PRIu64 "/%-8" PRIu64,
	    w->take_stop < WHY_N ? why_def((enum why_id)w->take_stop)->label
				 : "taken",
	    w->taken, w->signals);
}

int
pane_why(struct canvas *c, const struct snap *s, const struct pane_view *v,
    int row, int max)
{
	int used = 1;

	canvas_printf(c, row, 1, COL_HEAD, "%-24s %-38s %-38s %-11s %s",
	    "MARKET", "BID VALUE/LIMIT SINCE", "ASK VALUE/LIMIT SINCE",
	    "TAKER BID", "TAKEN/SIGNALS");
	for (uint32_t i = 0; i < s->market_n && used < max; i++) {
		const struct snap_market *m = &s->market[i];

		if (!m->why[0].ok || !text_has(m->in.symbol, v->filter))
			continue;
		canvas_printf(
		    c, row + used, 1, COL_PLAIN, "%.24s", m->in.symbol);
		side(c, row + used, 26, s, &m->why[0]);
		side(c, row + used, 65, s, &m->why[1]);
		take(c, row + used, 104, &m->why[0]);
		used++;
	}
	if (used == 1)
		canvas_put(c, row + used++, 1, COL_DIM,
		    "quoted has not looked at any market");
	return used;
}

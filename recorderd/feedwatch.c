#include "recorderd/feedwatch.h"

#include <inttypes.h>
#include <stdio.h>

#include "libcore/check.h"
#include "libshm/slots.h"

/* Shorter than this is the making of the first connection. */
#define DOWN_SHOWN_NS UINT64_C(100000000)

void
feedwatch_look(struct feedwatch *w, uint8_t link_state, int64_t gaps,
    uint16_t reason, uint64_t now_ns)
{
	CHECK(now_ns >= w->at_ns);
	if (w->at_ns == 0)
		w->gaps_first = gaps;
	else if (w->is_down)
		w->down_ns += now_ns - w->at_ns;
	w->at_ns = now_ns;
	w->gaps = gaps - w->gaps_first;
	w->is_down = link_state != LINK_UP && link_state != LINK_READY;
	w->was_up = w->was_up || !w->is_down;
	if (w->is_down && reason != 0 && reason < REASON_N)
		w->reason = reason;
}

bool
feedwatch_whole(const struct feedwatch *w)
{
	return w->was_up && w->gaps <= 0;
}

const char *
feedwatch_text(const struct feedwatch *w, enum venue v, char buf[FEEDWATCH_SZ])
{
	bool down = !w->was_up || w->down_ns >= DOWN_SHOWN_NS;
	bool gaps = w->gaps > 0;
	char span[40] = "never up";
	char state[128] = "";

	CHECK(v > 0 && v < VENUE_N);
	if (w->was_up)
		snprintf(span, sizeof(span), "down %" PRIu64 ".%" PRIu64 " s",
		    w->down_ns / 1000000000, w->down_ns / 100000000 % 10);
	if (down)
		snprintf(state, sizeof(state), "%s%s%.80s%s", span,
		    w->reason ? " (" : "",
		    w->reason ? reason_text((enum reason)w->reason) : "",
		    w->reason ? ")" : "");
	if (gaps)
		snprintf(buf, FEEDWATCH_SZ, "%s: %s%s%" PRId64 " gap%s",
		    venue_name(v), state, down ? ", " : "", w->gaps,
		    w->gaps == 1 ? "" : "s");
	else
		snprintf(buf, FEEDWATCH_SZ, "%s: %s", venue_name(v),
		    down ? state : "whole");
	return buf;
}

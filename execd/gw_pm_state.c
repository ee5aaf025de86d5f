/*
 * What became of an order, and telling it.
 */
#include <string.h>

#include "execd/gw_pm_int.h"
#include "libcore/check.h"
#include "libvenue/text.h"

#define AGAIN_NS    UINT64_C(1000000000)
#define AGREE_NS    UINT64_C(2000000000)
#define SHORT_NS    UINT64_C(500000000)
#define HOLDS_MAX   15u
#define CANCELS_MAX 8u

void
gwpm_tell(struct gwpm *g, const struct gwpm_order *o, enum port_ev what,
    enum reason why)
{
	struct port_event ev = {.what = what,
	    .slot = o->slot,
	    .id = o->id,
	    .instr = o->instr,
	    .side = o->side,
	    .reason = why,
	    .px = o->px,
	    .qty = gwpm_left(o),
	    .sent_ns = g->wire_ns[o - g->book->order]};

	g->sink->event(g->sink->user, &ev);
}

void
gwpm_ask_at(struct gwpm_order *o, uint64_t ns)
{
	if (o->ask_ns == 0 || ns < o->ask_ns)
		o->ask_ns = ns;
}

/* An order that we gave up and that rests all the same. */
static void
stray(struct gwpm *g, struct gwpm_order *o, const struct gwpm_now *now)
{
	if (!o->is_doubted)
		return;
	g->stat.strays++;
	g->sink->log(g->sink->user, GWPM_LOG_STRAY, (int64_t)o->id, "", 0);
	gwpm_cancel_hash(g, &o->hash, now);
}

void
gwpm_live(struct gwpm *g, struct gwpm_order *o, const struct gwpm_now *now)
{
	bool is_news = !o->is_answered || o->state == GWPM_UNKNOWN ||
		       o->state == GWPM_DELAYED || o->is_asked;

	if (o->state == GWPM_DONE) {
		stray(g, o, now);
		return;
	}
	g->ahead_ns = 0; /* its neighbours are to be signed */
	o->state = GWPM_LIVE;
	o->is_answered = true;
	o->is_asked = false;
	o->ask_ns = 0;
	o->absent_n = 0;
	o->hold_n = 0;
	if (is_news)
		gwpm_tell(g, o, PORT_ACKED, REASON_OK);
	if (!o->has_cancel)
		return;
	if (o->tries >= CANCELS_MAX) {
		o->has_cancel = false;
		o->tries = 0;
		gwpm_tell(g, o, PORT_NOT_CANCELLED, REASON_VENUE);
	} else if (o->calls == 0) {
		gwpm_cancel_queue(g, o);
	} else {
		gwpm_ask_at(o, now->ns + AGAIN_NS);
	}
}

void
gwpm_delayed(struct gwpm *g, struct gwpm_order *o)
{
	if (o->state == GWPM_DONE)
		return;
	if (o->state != GWPM_DELAYED)
		gwpm_tell(g, o, PORT_DELAYED, REASON_OK);
	o->state = GWPM_DELAYED;
	o->is_answered = true;
	o->absent_n = 0;
	gwpm_ask_at(o, o->sent_ns + 2 * AGAIN_NS);
}

void
gwpm_unknown(
    struct gwpm *g, struct gwpm_order *o, uint64_t ask_ns, enum reason why)
{
	if (o->state == GWPM_DONE)
		return;
	gwpm_ask_at(o, ask_ns);
	if (o->state == GWPM_UNKNOWN ||
	    (o->state != GWPM_SENT && why == REASON_DEADLINE))
		return;
	o->state = GWPM_UNKNOWN;
	o->is_answered = true;
	o->absent_n = 0;
	g->stat.unknowns++;
	gwpm_tell(g, o, PORT_UNKNOWN, why);
}

void
gwpm_rejected(struct gwpm *g, struct gwpm_order *o, enum reason why,
    const struct gwpm_now *now)
{
	if (o->state == GWPM_DONE)
		return;
	if (o->is_answered) { /* it was heard of before: not refused */
		gwpm_ask_at(o, now->ns);
		return;
	}
	o->is_doubted = o->has_hash;
	gwpm_tell(g, o, PORT_REJECTED, why);
	gwpm_order_close(g->book, o, now->ns);
}

void
gwpm_cancelled(struct gwpm *g, struct gwpm_order *o, enum port_ev what,
    enum reason why, const struct gwpm_now *now)
{
	if (o->state == GWPM_DONE)
		return;
	if (!o->is_answered)
		gwpm_tell(g, o, what == PORT_GONE ? PORT_UNKNOWN : PORT_ACKED,
		    REASON_OK);
	if (o->told.e8 > o->matched.e8)
		gwpm_poll_at(g, now->ns + SHORT_NS);
	o->is_answered = true;
	gwpm_tell(g, o, what, why);
	gwpm_order_close(g->book, o, now->ns);
}

void
gwpm_filled_up(struct gwpm *g, struct gwpm_order *o, const struct gwpm_now *now)
{
	if (o->state == GWPM_DONE || o->matched.e8 < o->qty.e8)
		return;
	if (!o->is_answered)
		gwpm_tell(g, o, PORT_ACKED, REASON_OK);
	o->is_answered = true;
	if (o->filled.e8 < o->qty.e8) /* some of it failed unheard */
		gwpm_tell(g, o, PORT_CANCELLED, REASON_VENUE);
	else if (o->is_short) /* the rest was never sent */
		gwpm_tell(g, o, PORT_CANCELLED, REASON_OK);
	gwpm_order_close(g->book, o, now->ns);
}

/* ---- what the venue says of it ---- */

static enum reason
end_reason(const struct gwpm_order *o)
{
	if (o->has_cancel)
		return REASON_OK;
	return o->tif == TIF_IOC || o->tif == TIF_FOK ? REASON_NOT_FILLED
						      : REASON_VENUE;
}

/* Its end is known; fills that were announced are waited for. */
static void
ended(struct gwpm *g, struct gwpm_order *o, const struct gwpm_now *now)
{
	if (o->matched.e8 < o->told.e8) {
		gwpm_poll_at(g, now->ns);
		if (o->hold_n++ < HOLDS_MAX) {
			gwpm_ask_at(o, now->ns + AGAIN_NS);
			return;
		}
		g->sink->log(g->sink->user, GWPM_LOG_SHORT,
		    o->told.e8 - o->matched.e8, "", 0);
	}
	if (o->matched.e8 >= o->qty.e8)
		gwpm_filled_up(g, o, now);
	else
		gwpm_cancelled(g, o, PORT_CANCELLED, end_reason(o), now);
}

static void
by_status(struct gwpm *g, struct gwpm_order *o, enum pm_order_status s,
    const struct gwpm_now *now)
{
	switch (s) {
	case PM_ORDER_LIVE: gwpm_live(g, o, now); return;
	case PM_ORDER_DELAYED:
	case PM_ORDER_UNMATCHED:
		gwpm_delayed(g, o);
		gwpm_ask_at(o, now->ns + AGAIN_NS);
		return;
	case PM_ORDER_MATCHED:
	case PM_ORDER_CANCELED: ended(g, o, now); return;
	case PM_ORDER_STATUS_N: break;
	}
	gwpm_ask_at(o, now->ns + AGAIN_NS);
}

static void
by_event(struct gwpm *g, struct gwpm_order *o, const struct pm_user_order *u,
    const struct gwpm_now *now)
{
	/* Old events must not undo a doubt that only an answer can. */
	bool is_first = !o->is_answered || o->state == GWPM_DELAYED;

	switch (u->kind) {
	case PM_USER_PLACEMENT:
		if (is_first)
			gwpm_live(g, o, now);
		return;
	case PM_USER_UPDATE:
		if (u->status == PM_ORDER_MATCHED && o->matched.e8 < o->told.e8)
			gwpm_ask_at(o, now->ns + SHORT_NS);
		else if (u->status == PM_ORDER_MATCHED)
			ended(g, o, now);
		else if (is_first)
			gwpm_live(g, o, now);
		return;
	case PM_USER_CANCELLATION:
		gwpm_cancelled(g, o, PORT_CANCELLED, end_reason(o), now);
		return;
	case PM_USER_STATE:
	case PM_USER_KIND_N: break;
	}
	by_status(g, o, u->status, now);
}

void
gwpm_order_heard(struct gwpm *g, const struct pm_user_order *u, bool is_answer,
    const struct gwpm_now *now)
{
	struct gwpm_order *o = gwpm_order_by_hash(g->book, &u->id);
	int64_t matched = u->matched.e8;

	if (o == NULL) {
		if (!is_answer && u->kind == PM_USER_PLACEMENT)
			g->sink->log(g->sink->user, GWPM_LOG_FOREIGN, 0, "", 0);
		return;
	}
	/* One reading of the documents has sizes in millionths. */
	if (u->qty.e8 / 1000000 == o->qty.e8 && u->qty.e8 % 1000000 == 0)
		matched /= 1000000;
	o->told.e8 = i64_max(o->told.e8, matched);
	if (o->told.e8 > o->matched.e8)
		gwpm_poll_at(g, now->ns + 4 * SHORT_NS);
	if (o->state == GWPM_DONE) {
		if (u->status == PM_ORDER_LIVE)
			stray(g, o, now);
		return;
	}
	if (is_answer)
		by_status(g, o, u->status, now);
	else
		by_event(g, o, u, now);
}

/* ---- asking ---- */

static void
absent(struct gwpm *g, struct gwpm_order *o, const struct gwpm_now *now)
{
	if (o->state == GWPM_DONE)
		return;
	if (o->absent_n++ == 0)
		o->absent_ns = now->ns;
	if (o->absent_n >= 2 && now->ns >= o->absent_ns + AGREE_NS &&
	    now->ns >= o->sent_ns + GWPM_GRACE_NS) {
		o->is_doubted = true;
		gwpm_cancelled(g, o, PORT_GONE, REASON_UNKNOWN_ORDER, now);
		return;
	}
	gwpm_ask_at(o, now->ns + AGREE_NS);
}

void
gwpm_ask_answer(struct gwpm *g, struct gwpm_call *c,
    const struct gwpm_answer *a, const struct gwpm_now *now)
{
	struct gwpm_order *o = &g->book->order[c->item[0]];
	struct gwpm_hear hear = {g, now, true};
	struct pm_user_sink sink = gwpm_hearing(&hear);

	if (o->state == GWPM_DONE)
		return;
	if (a->status != 0 && a->status != 200 && a->status != 404)
		(void)gwpm_refused(g, c, a, now);
	if (a->status == 404 ||
	    (a->status == 200 && a->n >= 4 && memcmp(a->body, "null", 4) == 0))
		absent(g, o, now);
	else if (a->status == 200 && c->sent_ns >= g->beats.lapse_ns)
		(void)pm_user_decode(a->body, a->n, &g->me, &sink, NULL);
	if (o->state == GWPM_UNKNOWN || o->state == GWPM_SENT ||
	    (o->has_cancel && o->state != GWPM_DONE))
		gwpm_ask_at(o, now->ns + AGAIN_NS);
}

static bool
ask(struct gwpm *g, struct gwpm_order *o, const struct gwpm_now *now)
{
	char path[sizeof("/data/order/") + PM_ID_TEXT_MAX];
	char id[PM_ID_TEXT_MAX];
	struct gwpm_out out = {
	    GWPM_ASK, GWPM_ROLE_QUERIES, "GET", path, NULL, 0, false};
	struct gwpm_call *c = gwpm_call_new(g, GWPM_ASK);
	struct text t;

	if (c == NULL || !bucket_take(&g->queries, now->ns, 1, true))
		return false;
	pm_id_text(o->hash.b, id);
	text_init(&t, path, sizeof(path));
	text_lit(&t, "/data/order/");
	text_lit(&t, id);
	CHECK(text_end(&t) > 0);
	c->n = 1;
	c->item[0] = (uint32_t)(o - g->book->order);
	o->ask_ns = 0;
	g->stat.asks++;
	gwpm_call_send(g, c, &out, now);
	return true;
}

void
gwpm_ask_due(struct gwpm *g, const struct gwpm_now *now)
{
	for (uint32_t i = 0; i < g->book->active_n; i++) {
		struct gwpm_order *o = &g->book->order[g->book->active[i]];

		if (o->ask_ns == 0 || o->ask_ns > now->ns || !o->has_hash)
			continue;
		if (!ask(g, o, now))
			return;
	}
}

/*
 * Answers to actions, one entry an order; and what follows when none comes.
 */
#include <string.h>

#include "execd/gw_hl_int.h"
#include "libcore/check.h"

#define UPGRADE_NS UINT64_C(60000000000)
#define HOLD_NS	   UINT64_C(5000000000)

void
gwhl_block(struct gwhl *g, const char *why)
{
	size_t n = strlen(why);

	if (n >= sizeof(g->why))
		n = sizeof(g->why) - 1;
	g->is_blocked = true;
	memcpy(g->why, why, n);
	g->why[n] = '\0';
	gwhl_mode(g);
}

/* The venue recovers an address from a signature: one that is new each time
 * means that we hash other bytes than it does; one that is ours, that the
 * agent is not approved, or has expired. */
static void
block_signer(struct gwhl *g, struct json_str text)
{
	char why[sizeof(g->why)];
	struct text t;
	size_t n = 0;

	for (; n + 42 <= text.n; n++)
		if (text.s[n] == '0' && text.s[n + 1] == 'x')
			break;
	text_init(&t, why, sizeof(why));
	if (n + 42 > text.n) {
		text_put(&t, text.s, text.n < 120 ? text.n : 120);
	} else {
		struct json_str who = {text.s + n, 42, false};

		gwhl_log(g, GWHL_LOG_SIGNER, 0, who);
		text_lit(&t, "signer ");
		text_put(&t, who.s, who.n);
		text_lit(&t, memcmp(who.s, g->agent_text, 42) == 0 ||
				     memcmp(who.s, g->user, 42) == 0
				 ? " is ours: not approved, expired or empty"
				 : " is not ours: other bytes were hashed");
	}
	(void)text_end(&t);
	gwhl_block(g, why);
}

/* What a text means beyond the order that it is about. */
static void
consequences(struct gwhl *g, const struct gwhl_call *c, struct gwhl_verdict v,
    struct json_str text)
{
	switch (v.cls) {
	case GWHL_PLAIN:
	case GWHL_GONE: gwhl_log(g, GWHL_LOG_REFUSED, v.reason, text); return;
	case GWHL_BUG: gwhl_log(g, GWHL_LOG_OUR_BUG, v.reason, text); return;
	case GWHL_BLOCK: block_signer(g, text); return;
	case GWHL_BUDGET:
		g->is_spent = true;
		g->budget_left = 0;
		if (c->kind == GWHL_CANCEL || c->kind == GWHL_FOREIGN)
			g->slow_ns = g->now.ns + GWHL_SLOW_NS;
		gwhl_log(g, GWHL_LOG_BUDGET, 0, text);
		gwhl_mode(g);
		return;
	case GWHL_SLOW:
		g->hold_ns = g->now.ns + HOLD_NS;
		bucket_empty(&g->weight, g->now.ns);
		gwhl_log(g, GWHL_LOG_RATE_LIMIT, 0, text);
		return;
	case GWHL_UPGRADE:
		g->post_only_ns = g->now.ns + UPGRADE_NS;
		gwhl_mode(g);
		return;
	case GWHL_UNSCHEDULED:
		g->has_no_schedule = true;
		gwhl_log(g, GWHL_LOG_NO_SCHEDULE, 0, text);
		return;
	case GWHL_NEW_TEXT: gwhl_log(g, GWHL_LOG_UNKNOWN_TEXT, 0, text); return;
	case GWHL_CROSSED:
	case GWHL_DELIVERED: return;
	case GWHL_CLASS_N: break;
	}
	CHECK(v.cls == 0);
}

static struct gwhl_order *
order_at(struct gwhl *g, const struct gwhl_call *c, uint32_t i)
{
	struct gwhl_order *o = &g->book->order[c->item[i]];

	if (o->id != c->id[i] || o->state == GWHL_DONE)
		return NULL;
	gwhl_change(g, o);
	return o;
}

static void
refused_cancel(struct gwhl *g, struct gwhl_order *o, struct gwhl_verdict v)
{
	/* Lost the race, or overtook its order: ask, unless the order is
	 * unanswered itself; then it goes again when the order is. */
	if (v.cls == GWHL_BUDGET || v.cls == GWHL_SLOW) {
		gwhl_todo(g, o);
		return;
	}
	if (o->state == GWHL_SENT)
		return;
	o->must_tell = true;
	gwhl_ask_soon(g, o, 0);
}

static void
refused(struct gwhl *g, const struct gwhl_call *c, struct gwhl_order *o,
    struct json_str text)
{
	struct gwhl_verdict v = gwhl_judge(text);

	switch ((enum gwhl_kind)c->kind) {
	case GWHL_PLACE:
		if (v.cls == GWHL_DELIVERED || o->state == GWHL_LIVE)
			gwhl_unknown(g, o);
		else
			gwhl_refuse(g, o, v.reason);
		return;
	case GWHL_CHANGE:
		/* The old one may rest, or be gone with or without a new
		 * one: only the venue knows. */
		o->is_changing = false;
		gwhl_finish(g, o, false);
		if (o->state == GWHL_DONE)
			return;
		gwhl_ask_soon(g, o, 0);
		return;
	case GWHL_CANCEL: refused_cancel(g, o, v); return;
	case GWHL_FOREIGN:
	case GWHL_SCHEDULE:
	case GWHL_ASK:
	case GWHL_TIME:
	case GWHL_META:
	case GWHL_ROLE:
	case GWHL_AGENTS:
	case GWHL_LIMIT:
	case GWHL_ACCOUNT:
	case GWHL_SPOT:
	case GWHL_OPEN:
	case GWHL_FILLS:
	case GWHL_KIND_N: break;
	}
}

/* Resting or filled: it exists under this oid. */
static void
accepted(struct gwhl *g, const struct gwhl_call *c, struct gwhl_order *o,
    const struct hla_entry *e)
{
	bool change = c->kind == GWHL_CHANGE && o->new_qty.e8 > 0;

	if (e->status == HLA_WAITING || e->oid < o->oid) {
		gwhl_exists(g, o);
		return;
	}
	if (e->oid > o->oid)
		gwhl_newer(g, o, e->oid, change ? o->new_px : o->px,
		    change ? o->new_qty : o->qty);
	gwhl_exists(g, o);
	if (e->status == HLA_DONE && e->qty.e8 <= o->qty.e8)
		gwhl_end(g, o, QTY(o->qty.e8 - e->qty.e8), REASON_OK);
}

static void
entry(struct gwhl *g, const struct gwhl_call *c, struct gwhl_order *o,
    const struct hla_entry *e)
{
	bool cancel = c->kind == GWHL_CANCEL;

	switch (e->status) {
	case HLA_RESTING:
	case HLA_DONE:
	case HLA_WAITING:
		if (cancel)
			gwhl_ask_soon(g, o, 0);
		else
			accepted(g, c, o, e);
		return;
	case HLA_SUCCESS:
		/* Gone; what remained of it comes as an update. */
		gwhl_ask_soon(g, o, cancel ? UINT64_C(1000000000) : 0);
		return;
	case HLA_REFUSED: refused(g, c, o, e->msg); return;
	case HLA_ODD:
		g->stat.bad++;
		gwhl_unknown(g, o);
		return;
	case HLA_STATUS_N: break;
	}
	CHECK(e->status == 0);
}

/* The call is answered, for good or bad. */
static void
settled(struct gwhl *g, const struct gwhl_call *c)
{
	for (uint32_t i = 0; i < c->n; i++) {
		struct gwhl_order *o = order_at(g, c, i);

		if (o != NULL && c->kind == GWHL_CANCEL)
			o->is_cancelling = false;
	}
}

/* The refusal of a post-only order carries the touch. */
static void
crossed(
    struct gwhl *g, const struct gwhl_call *c, uint32_t i, struct json_str text)
{
	const struct gwhl_order *o = &g->book->order[c->item[i]];
	px_t bid;
	px_t ask;

	g->stat.post_only++;
	if (o->id == c->id[i] && gwhl_touch_of(text, &bid, &ask))
		g->sink->touch(g->sink->user, o->instr, bid, ask);
}

static void
statuses(struct gwhl *g, const struct gwhl_call *c, struct hl_answer *a)
{
	struct hla_entry e[HL_BATCH_MAX];
	uint32_t n = 0;

	while (n < HL_BATCH_MAX && hl_answer_next(a, &e[n])) {
		if (e[n].status == HLA_REFUSED) {
			struct gwhl_verdict v = gwhl_judge(e[n].msg);

			consequences(g, c, v, e[n].msg);
			if (v.cls == GWHL_CROSSED && n < c->n)
				crossed(g, c, n, e[n].msg);
		}
		n++;
	}
	for (uint32_t i = 0; i < c->n; i++) {
		struct gwhl_order *o = order_at(g, c, i);

		if (o == NULL)
			continue;
		/* One for many: found before any was executed. */
		if (i < n || (n == 1 && e[0].status == HLA_REFUSED))
			entry(g, c, o, &e[i < n ? i : 0]);
		else
			gwhl_unknown(g, o);
	}
}

/* The whole request was refused. */
static void
whole(struct gwhl *g, const struct gwhl_call *c, struct json_str text)
{
	struct gwhl_verdict v = gwhl_judge(text);

	consequences(g, c, v, text);
	for (uint32_t i = 0; i < c->n; i++) {
		struct gwhl_order *o = order_at(g, c, i);

		if (o == NULL)
			continue;
		if (v.cls == GWHL_DELIVERED)
			gwhl_unknown(g, o);
		else
			refused(g, c, o, text);
	}
}

void
gwhl_on_action(struct gwhl *g, struct gwhl_call *c, const char *text, size_t n)
{
	struct hl_answer a;
	enum hla_kind kind = hl_answer_open(&a, text, n);

	/* The other copy was first; its answer is on its way. */
	if (kind == HLA_ERR && c->is_dual &&
	    gwhl_judge(a.msg).cls == GWHL_DELIVERED)
		return;
	settled(g, c);
	if (kind != HLA_BAD &&
	    (c->kind == GWHL_PLACE || c->kind == GWHL_CHANGE))
		g->sink->answered(
		    g->sink->user, g->now.ns - (c->due_ns - GWHL_CALL_NS));
	switch (kind) {
	case HLA_STATUSES: statuses(g, c, &a); break;
	case HLA_ERR: whole(g, c, a.msg); break;
	case HLA_DEFAULT:
		if (c->kind == GWHL_SCHEDULE)
			g->is_scheduled = true;
		for (uint32_t i = 0; i < c->n; i++) {
			struct gwhl_order *o = order_at(g, c, i);

			if (o != NULL)
				gwhl_unknown(g, o);
		}
		break;
	case HLA_BAD:
	case HLA_KIND_N:
		g->stat.bad++;
		gwhl_log(g, GWHL_LOG_BAD_ANSWER, 0,
		    (struct json_str){
			.s = text, .n = (uint32_t)(n < 120 ? n : 120)});
		gwhl_no_answer(g, c);
		return;
	}
	if (c->kind == GWHL_FOREIGN)
		g->sync.is_busy = false;
	gwhl_call_free(g, c);
}

/* Nothing, or nothing that could be read: it may have happened. */
void
gwhl_no_answer(struct gwhl *g, struct gwhl_call *c)
{
	settled(g, c);
	for (uint32_t i = 0; i < c->n; i++) {
		struct gwhl_order *o = order_at(g, c, i);

		if (o == NULL)
			continue;
		if (c->kind == GWHL_ASK) {
			gwhl_settle_ask(g, o);
			continue;
		}
		if (c->kind == GWHL_CANCEL || c->kind == GWHL_CHANGE)
			o->must_tell = true;
		gwhl_unknown(g, o);
	}
	if (c->kind >= GWHL_TIME || c->kind == GWHL_FOREIGN)
		gwhl_sync_failed(g, (enum gwhl_kind)c->kind);
	gwhl_call_free(g, c);
}

/*
 * Cancels: each id has an outcome of its own.
 */
#include <string.h>

#include "execd/gw_pm_int.h"
#include "libcore/check.h"
#include "libcore/json.h"

#define TRIES_MAX   8u
#define ASK_SOON_NS UINT64_C(200000000)

void
gwpm_cancel_queue(struct gwpm *g, struct gwpm_order *o)
{
	if (g->cancel.n < GWPM_ORDERS)
		g->cancel.at[(g->cancel.head + g->cancel.n++) % GWPM_ORDERS] =
		    (uint32_t)(o - g->book->order);
}

static struct gwpm_order *
pop(struct gwpm *g)
{
	struct gwpm_order *o = &g->book->order[g->cancel.at[g->cancel.head]];

	g->cancel.head = (g->cancel.head + 1) % GWPM_ORDERS;
	g->cancel.n--;
	return o;
}

/* Fills a call with what is wanted. Nobody waits for an order that is gone
 * or that has no name at the venue yet; an entry may be another's by now. */
static void
gather(struct gwpm *g, struct gwpm_call *c, uint32_t most)
{
	while (g->cancel.n > 0 && c->n < most) {
		struct gwpm_order *o = pop(g);

		if (!o->has_cancel || o->state == GWPM_DONE || !o->has_hash)
			continue;
		o->tries++;
		c->item[c->n++] = (uint32_t)(o - g->book->order);
	}
}

static bool
cancel_some(struct gwpm *g, const struct gwpm_now *now)
{
	uint32_t left = bucket_left(&g->cancels, now->ns);
	struct gwpm_call *c = gwpm_call_new(g, GWPM_CANCEL);
	struct gwpm_out out = {GWPM_CANCEL, GWPM_ROLE_CANCELS, "DELETE",
	    "/orders", NULL, 0, false};
	uint8_t ids[GWPM_ITEMS][HASH_SZ];

	if (c == NULL || left == 0 || now->ns < g->cancel_hold_ns)
		return false;
	gather(g, c, left < GWPM_ITEMS ? left : GWPM_ITEMS);
	if (c->n == 0)
		return false;
	for (uint32_t i = 0; i < c->n; i++)
		memcpy(ids[i], g->book->order[c->item[i]].hash.b, HASH_SZ);
	if (c->n == 1) {
		out.path = "/order";
		out.body_n = pm_cancel_body(ids[0], g->body, sizeof(g->body));
	} else {
		out.body_n = pm_cancels_body((const uint8_t(*)[HASH_SZ])ids,
		    c->n, g->body, sizeof(g->body));
	}
	CHECK(out.body_n > 0);
	CHECK(bucket_take(&g->cancels, now->ns, c->n, true));
	g->stat.cancels += c->n;
	gwpm_call_send(g, c, &out, now);
	return true;
}

void
gwpm_flush_cancels(struct gwpm *g, const struct gwpm_now *now)
{
	while (g->cancel.n > 0 && cancel_some(g, now))
		;
}

void
gwpm_cancel_hash(
    struct gwpm *g, const struct pm_hash *h, const struct gwpm_now *now)
{
	struct gwpm_call *c = gwpm_call_new(g, GWPM_CANCEL);
	struct gwpm_out out = {
	    GWPM_CANCEL, GWPM_ROLE_CANCELS, "DELETE", "/order", NULL, 0, false};

	if (c == NULL || !bucket_take(&g->cancels, now->ns, 1, true))
		return;
	out.body_n = pm_cancel_body(h->b, g->body, sizeof(g->body));
	gwpm_call_send(g, c, &out, now);
}

static void
want_all(struct gwpm *g, uint32_t market)
{
	for (uint32_t i = 0; i < g->book->active_n; i++) {
		struct gwpm_order *o = &g->book->order[g->book->active[i]];

		if (market == GWPM_NONE || o->market == market)
			o->has_cancel = true;
	}
}

static void
cancel_many(
    struct gwpm *g, const struct gwpm_out *out, const struct gwpm_now *now)
{
	struct gwpm_call *c = gwpm_call_new(g, GWPM_CANCEL_MANY);

	if (c == NULL)
		return;
	(void)bucket_take(&g->cancels, now->ns, 1, true);
	g->stat.cancels++;
	gwpm_call_send(g, c, out, now);
}

void
gwpm_cancel_all(struct gwpm *g, const struct gwpm_now *now)
{
	struct gwpm_out out = {GWPM_CANCEL_MANY, GWPM_ROLE_CANCELS, "DELETE",
	    "/cancel-all", NULL, 0, false};

	want_all(g, GWPM_NONE);
	if (g->set.creds == NULL)
		return;
	gwpm_flush_posts(g, now);
	cancel_many(g, &out, now);
}

void
gwpm_cancel_market(struct gwpm *g, uint16_t instr, const struct gwpm_now *now)
{
	struct gwpm_market *m = gwpm_market_of(g->book, instr);
	struct gwpm_out out = {GWPM_CANCEL_MANY, GWPM_ROLE_CANCELS, "DELETE",
	    "/cancel-market-orders", NULL, 0, false};
	struct pm_cond cond = {.n = sizeof(cond.b)};
	char text[PM_COND_TEXT_MAX];

	if (m == NULL)
		return;
	memcpy(cond.b, m->condition, sizeof(cond.b));
	if (m->generation == PM_EXCHANGE_V3)
		cond.n--;
	pm_cond_format(&cond, text);
	want_all(g, (uint32_t)(m - g->book->market));
	gwpm_flush_posts(g, now);
	out.body_n =
	    pm_cancel_market_body(text, NULL, g->body, sizeof(g->body));
	CHECK(out.body_n > 0);
	cancel_many(g, &out, now);
}

/* ---- answers ---- */

static struct gwpm_order *
order_of(struct gwpm *g, struct json_str s)
{
	struct pm_hash h;
	struct pm_cond c;

	if (!pm_cond_parse(s.s, s.n, &c) || c.n != sizeof(h.b))
		return NULL;
	memcpy(h.b, c.b, sizeof(h.b));
	return gwpm_order_by_hash(g->book, &h);
}

static void
read_done(struct gwpm *g, struct json *j, const struct gwpm_now *now)
{
	struct json_str s;

	if (!json_array(j))
		return;
	while (json_item(j)) {
		struct gwpm_order *o =
		    json_string(j, &s) ? order_of(g, s) : NULL;

		if (o != NULL)
			gwpm_cancelled(g, o, PORT_CANCELLED, REASON_OK, now);
	}
}

/* What the venue would not cancel is asked about; a delayed order cannot be
 * cancelled yet. */
static void
read_kept(struct gwpm *g, struct json *j, const struct gwpm_now *now)
{
	struct json_str key;
	struct json_str s;

	if (!json_object(j))
		return;
	while (json_key(j, &key)) {
		struct gwpm_order *o = order_of(g, key);

		json_string(j, &s);
		if (o != NULL && o->state != GWPM_DONE)
			gwpm_ask_at(o, now->ns + ASK_SOON_NS);
	}
}

static void
ask_all(struct gwpm *g, const struct gwpm_call *c, uint64_t ns)
{
	for (uint32_t i = 0; i < c->n; i++) {
		struct gwpm_order *o = &g->book->order[c->item[i]];

		if (o->state != GWPM_DONE && o->ask_ns == 0)
			gwpm_ask_at(o, ns);
	}
	for (uint32_t i = 0;
	     c->kind == GWPM_CANCEL_MANY && i < g->book->active_n; i++) {
		struct gwpm_order *o = &g->book->order[g->book->active[i]];

		if (o->has_cancel && o->ask_ns == 0)
			gwpm_ask_at(o, ns);
	}
}

void
gwpm_cancel_answer(struct gwpm *g, struct gwpm_call *c,
    const struct gwpm_answer *a, const struct gwpm_now *now)
{
	struct json_str key;
	struct json j;

	if (a->status != 200 && a->status != 0)
		(void)gwpm_refused(g, c, a, now);
	if (a->status == 200) {
		json_init(&j, a->body, a->n);
		if (json_object(&j))
			while (json_key(&j, &key)) {
				if (json_is(key, "canceled"))
					read_done(g, &j, now);
				else if (json_is(key, "not_canceled"))
					read_kept(g, &j, now);
				else
					json_skip(&j);
			}
		if (!json_end(&j)) {
			g->stat.bad++;
			g->sink->log(
			    g->sink->user, GWPM_LOG_BAD_ANSWER, 200, "", 0);
		}
	}
	ask_all(g, c, now->ns + ASK_SOON_NS);
}

/*
 * Placing: which token, which amounts, batches, and the answers.
 */
#include <string.h>

#include "execd/gw_pm_int.h"
#include "libcore/check.h"
#include "libcore/json.h"

#define GTD_MIN_S   180u
#define GTD_EARLY_S 60u
#define POST_MAX_NS UINT64_C(1000000000) /* longest wait for a token */
#define ASK_SOON_NS UINT64_C(1000000000)
#define HOLD_NS	    UINT64_C(5000000000)

static void
refuse(struct gwpm *g, const struct port_act *a, enum reason why)
{
	struct port_event ev = {.what = PORT_REJECTED,
	    .slot = a->slot,
	    .id = a->id,
	    .instr = a->instr,
	    .side = a->side,
	    .reason = why,
	    .px = a->px,
	    .qty = a->qty};

	g->sink->event(g->sink->user, &ev);
}

static bool
is_now(uint8_t tif)
{
	return tif == TIF_IOC || tif == TIF_FOK;
}

/* The amounts of an order in its own token's frame; false: not on the
 * venue's grid. */
static bool
amounts(const struct gwpm_market *m, const struct gwpm_order *o,
    struct pm_amounts *out)
{
	px_t px = o->role == ROLE_YES ? o->px : px_complement(o->px);
	uint64_t e2 = pm_qty_to_e2(o->qty);
	uint32_t e4;

	if (!pm_px_to_e4(px, m->tick_e4, (enum side)o->deal, &e4) ||
	    px.e8 != (int64_t)e4 * 10000)
		return false;
	if (!is_now(o->tif))
		return pm_limit_amounts((enum side)o->deal, e4, e2, out);
	if (o->deal == SIDE_BID)
		e2 = pm_market_budget(e4, e2);
	return pm_market_amounts((enum side)o->deal, e4, e2, out);
}

/* Rules 1 to 6 of what may be placed at all. */
static enum reason
judge(struct gwpm *g, const struct port_act *a, const struct gwpm_market *m)
{
	enum port_mode mode = gwpm_mode(g);
	bool post_only = (a->oflags & ORDER_POST_ONLY) != 0;

	if (m == NULL || m->epoch != a->epoch)
		return REASON_OLD_EPOCH;
	if (m->refused)
		return REASON_PROTOCOL;
	if (mode == PORT_BLOCKED)
		return REASON_CREDENTIALS;
	if (mode != PORT_NORMAL && (mode != PORT_POST_ONLY || !post_only))
		return REASON_VENUE_MODE;
	if (post_only && is_now(a->tif))
		return REASON_PROTOCOL;
	if (pm_qty_to_e2(a->qty) == 0 ||
	    (!is_now(a->tif) &&
		pm_qty_to_e2(a->qty) * 1000000u < (uint64_t)m->min_qty.e8))
		return REASON_TOO_SMALL;
	return REASON_OK;
}

/* What is held is sold before the complement is bought. */
void
gwpm_choose(
    const struct gwpm *g, struct gwpm_order *o, const struct gwpm_now *now)
{
	uint8_t sell = o->side == SIDE_BID ? ROLE_NO : ROLE_YES;
	const struct gwpm_token *t = gwpm_token_at(g->book, o->market, sell);

	o->role = sell;
	o->deal = SIDE_ASK;
	if (gwpm_sellable(g->book, o->market, sell) >= o->qty.e8 &&
	    t->hold_ns <= now->ns)
		return;
	o->role = sell == ROLE_YES ? ROLE_NO : ROLE_YES;
	o->deal = SIDE_BID;
}

/* What lives shorter than the venue takes as GTD rests as GTC: order management
 * withdraws it at its deadline. */
static uint64_t
expiration(
    const struct gwpm *g, const struct port_act *a, const struct gwpm_now *now)
{
	uint64_t at_s = (uint64_t)(a->expires_wall_ns / NS_PER_S);

	if (a->expires_wall_ns <= 0 || is_now(a->tif) ||
	    at_s < gwpm_wall_s(g, now) + GTD_MIN_S)
		return 0;
	return at_s + GTD_EARLY_S;
}

void
gwpm_place(struct gwpm *g, const struct port_act *a, const struct gwpm_now *now)
{
	struct gwpm_market *m = gwpm_market_of(g->book, a->instr);
	enum reason why = judge(g, a, m);
	struct pm_amounts unused;
	struct gwpm_order *o;

	if (why == REASON_OK && gwpm_order_by_id(g->book, a->id) != NULL)
		why = REASON_DUPLICATE;
	if (why != REASON_OK) {
		refuse(g, a, why);
		return;
	}
	if (g->post.n == GWPM_ORDERS ||
	    (o = gwpm_order_new(g->book, a->id)) == NULL) {
		refuse(g, a, REASON_FULL);
		return;
	}
	o->slot = a->slot;
	o->instr = a->instr;
	o->market = (uint16_t)(m - g->book->market);
	o->side = a->side;
	o->tif = a->tif;
	o->oflags = a->oflags;
	o->px = a->px;
	o->qty = QTY((int64_t)(pm_qty_to_e2(a->qty) * 1000000u));
	o->sent_ns = now->ns;
	g->wire_ns[o - g->book->order] = 0;
	o->expiration_s = expiration(g, a, now);
	m->open_n++;
	gwpm_choose(g, o, now);
	gwpm_offered(g->book, o, o->qty.e8);
	if (!amounts(m, o, &unused)) {
		gwpm_rejected(g, o, REASON_OFF_TICK, now);
		return;
	}
	g->post.at[(g->post.head + g->post.n++) % GWPM_ORDERS] =
	    (uint32_t)(o - g->book->order);
}

/* ---- giving out ---- */

static enum pm_tif
tif_of(const struct gwpm_order *o)
{
	if (o->tif == TIF_IOC)
		return PM_FAK;
	if (o->tif == TIF_FOK)
		return PM_FOK;
	return o->expiration_s != 0 ? PM_GTD : PM_GTC;
}

const struct pm_template *
gwpm_template(const struct gwpm *g, const struct gwpm_market *m)
{
	if (m->generation == PM_EXCHANGE_V3)
		return &g->tpl[2];
	return &g->tpl[m->neg_risk ? 1 : 0];
}

/* The order's hash and text; its hash is registered. */
static size_t
write_order(struct gwpm *g, struct gwpm_order *o, char body[PM_BODY_MAX],
    const struct gwpm_now *now)
{
	const struct gwpm_market *m = &g->book->market[o->market];
	const struct pm_template *t = gwpm_template(g, m);
	struct pm_order w = {.salt = pm_salt(o->id & PM_SALT_MAX),
	    .asset = &m->token[o->role - ROLE_YES].asset,
	    .side = (enum side)o->deal,
	    .tif = tif_of(o),
	    .post_only = (o->oflags & ORDER_POST_ONLY) != 0,
	    .expiration_s = o->expiration_s};
	struct pm_signed s;

	w.timestamp_ms = (uint64_t)((now->wall_ns + g->skew_ns) / NS_PER_MS);
	if (!gwpm_ahead_take(g, o, now, &w, &s) &&
	    (!amounts(m, o, &w.amounts) || !pm_order_ok(&w) ||
		!pm_order_sign(t, g->set.secp, g->set.key, &w, &s)))
		return 0;
	o->timestamp_ms = w.timestamp_ms;
	memcpy(o->hash.b, s.id, sizeof(o->hash.b));
	gwpm_order_hashed(g->book, o);
	o->state = GWPM_SENT;
	o->sent_ns = now->ns;
	return pm_order_body(t, &w, &s, body);
}

static struct gwpm_order *
pop(struct gwpm *g)
{
	struct gwpm_order *o = &g->book->order[g->post.at[g->post.head]];

	g->post.head = (g->post.head + 1) % GWPM_ORDERS;
	g->post.n--;
	return o;
}

/* Orders whose time has passed, and those that were called off, go. */
static void
drop_stale(struct gwpm *g, const struct gwpm_now *now)
{
	while (g->post.n > 0) {
		struct gwpm_order *o =
		    &g->book->order[g->post.at[g->post.head]];

		if (o->state == GWPM_QUEUED && o->has_cancel) {
			pop(g);
			gwpm_rejected(g, o, REASON_OK, now);
		} else if (o->state == GWPM_QUEUED &&
			   now->ns > o->sent_ns + POST_MAX_NS) {
			pop(g);
			gwpm_rejected(g, o, REASON_RATE_LIMIT, now);
		} else if (o->state != GWPM_QUEUED) {
			pop(g);
		} else {
			return;
		}
	}
}

static uint32_t
batch_size(struct gwpm *g, const struct gwpm_now *now)
{
	uint32_t n = bucket_left(&g->orders, now->ns);

	if (now->ns < g->order_hold_ns)
		return 0;
	if (g->is_probe)
		n = n > 0 && g->posts_out == 0 ? 1 : 0;
	return n < PM_BATCH_MAX ? n : PM_BATCH_MAX;
}

/* One request with as many as may go. Returns false when none left. */
static bool
post_some(struct gwpm *g, const struct gwpm_now *now)
{
	uint32_t most = batch_size(g, now);
	struct gwpm_call *c = gwpm_call_new(g, GWPM_POST);
	struct gwpm_out out = {
	    GWPM_POST, GWPM_ROLE_ORDERS, "POST", "/orders", NULL, 0, false};
	char one[PM_BODY_MAX];
	struct pm_batch b;
	size_t n = 0;

	if (c == NULL || most == 0)
		return false;
	pm_batch_begin(&b, g->body, sizeof(g->body));
	for (drop_stale(g, now); c->n < most && g->post.n > 0;
	     drop_stale(g, now)) {
		struct gwpm_order *o = pop(g);

		n = write_order(g, o, one, now);
		if (n == 0) {
			gwpm_rejected(g, o, REASON_PROTOCOL, now);
			continue;
		}
		CHECK(pm_batch_add(&b, one, n));
		c->item[c->n++] = (uint32_t)(o - g->book->order);
	}
	if (c->n == 0)
		return false;
	out.body_n = pm_batch_end(&b);
	if (c->n == 1) {
		out.path = "/order";
		memcpy(g->body, one, n);
		out.body_n = n;
	}
	CHECK(bucket_take(&g->orders, now->ns, c->n, true));
	g->stat.posts += c->n;
	gwpm_call_send(g, c, &out, now);
	return true;
}

void
gwpm_flush_posts(struct gwpm *g, const struct gwpm_now *now)
{
	drop_stale(g, now);
	while (g->post.n > 0 && post_some(g, now))
		;
}

/* ---- answers ---- */

void
gwpm_sent(struct gwpm *g, uint64_t tag, uint64_t ns)
{
	const struct gwpm_call *c = gwpm_call_find(g, tag);

	CHECK(ns > 0);
	if (c == NULL || c->kind != GWPM_POST)
		return;
	for (uint32_t i = 0; i < c->n; i++)
		g->wire_ns[c->item[i]] = ns;
}

struct leg {
	bool success;
	bool has_id;
	struct pm_hash id;
	struct json_str error;
	struct json_str status;
};

static void
read_leg(struct json *j, struct leg *l)
{
	struct json_str key;
	struct json_str s;

	*l = (struct leg){0};
	if (!json_object(j))
		return;
	while (json_key(j, &key)) {
		if (json_is(key, "success") && json_peek(j) == JSON_BOOL) {
			json_bool(j, &l->success);
		} else if ((json_is(key, "errorMsg") ||
			       json_is(key, "error")) &&
			   json_peek(j) == JSON_STRING) {
			json_string(j, &l->error);
		} else if (json_is(key, "status") &&
			   json_peek(j) == JSON_STRING) {
			json_string(j, &l->status);
		} else if (json_is(key, "orderID") &&
			   json_peek(j) == JSON_STRING) {
			struct pm_cond c;

			json_string(j, &s);
			l->has_id = pm_cond_parse(s.s, s.n, &c) && c.n == 32;
			if (l->has_id)
				memcpy(l->id.b, c.b, sizeof(l->id.b));
		} else {
			json_skip(j);
		}
	}
}

/* What a refusal means for one order. */
static void
refused(struct gwpm *g, struct gwpm_order *o, struct gwpm_says says,
    bool is_sure, const struct gwpm_now *now)
{
	if (says.class == GWPM_SAYS_PROTOCOL) {
		g->book->market[o->market].refused = true;
		gwpm_mode_tell(g, "a market wants orders of another version");
	}
	if (says.class == GWPM_SAYS_BALANCE && o->deal == SIDE_ASK)
		gwpm_token_at(g->book, o->market, o->role)->hold_ns =
		    now->ns + HOLD_NS;
	if (says.class == GWPM_SAYS_DELAYED)
		gwpm_delayed(g, o);
	else if (!is_sure || says.class == GWPM_SAYS_DUPLICATE ||
		 says.class == GWPM_SAYS_TIMED_OUT ||
		 says.class == GWPM_SAYS_NO_MATCH)
		gwpm_unknown(g, o, now->ns + ASK_SOON_NS, says.reason);
	else
		gwpm_rejected(g, o, says.reason, now);
}

/* Accepted: success, no error text, our id, a status that we know. */
static void
judge_leg(struct gwpm *g, struct gwpm_order *o, const struct leg *l,
    const struct gwpm_now *now)
{
	if (l->has_id && memcmp(&l->id, &o->hash, sizeof(l->id)) != 0) {
		g->sink->log(g->sink->user, GWPM_LOG_WRONG_ID, 0, "", 0);
		gwpm_block(g, "the venue's id of an order is not ours");
		gwpm_unknown(g, o, now->ns + ASK_SOON_NS, REASON_PROTOCOL);
		return;
	}
	if (!l->success || l->error.n > 0 || !l->has_id) {
		refused(g, o, gwpm_says(l->error.s, l->error.n), true, now);
		g->sink->log(g->sink->user, GWPM_LOG_REFUSED, 200, l->error.s,
		    l->error.n);
		return;
	}
	if (json_is(l->status, "delayed")) {
		gwpm_delayed(g, o);
	} else if (json_is(l->status, "live") ||
		   json_is(l->status, "matched")) {
		gwpm_live(g, o, now);
	} else {
		gwpm_unknown(g, o, now->ns, REASON_VENUE);
		return;
	}
	g->is_probe = false;
	backoff_ok(&g->backoff);
	if (o->state != GWPM_DONE && is_now(o->tif))
		gwpm_ask_at(o, now->ns + ASK_SOON_NS);
}

/* Statuses by which the venue itself says no. Others below 500 (408, 499, what
 * a proxy makes up) say nothing of an order whose body may have been taken. */
static bool
is_refusal(unsigned status)
{
	static const unsigned no[] = {
	    400, 401, 403, 404, 405, 413, 422, 425, 429};

	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (status == no[i])
			return true;
	return false;
}

/* No answer, or one that says nothing of single orders. */
static void
all_of(struct gwpm *g, struct gwpm_call *c, const struct gwpm_answer *a,
    const struct gwpm_now *now)
{
	struct gwpm_says says = {
	    GWPM_SAYS_NOTHING, a->is_held ? REASON_FROZEN : REASON_DEADLINE};
	bool is_sure = a->status == 0 && !a->was_sent;

	if (a->status != 0) {
		says = gwpm_refused(g, c, a, now);
		is_sure = is_refusal(a->status) ||
			  says.class == GWPM_SAYS_POST_ONLY ||
			  says.class == GWPM_SAYS_CANCEL_ONLY ||
			  says.class == GWPM_SAYS_DISABLED;
	}
	for (uint32_t i = 0; i < c->n; i++)
		refused(g, &g->book->order[c->item[i]], says, is_sure, now);
}

void
gwpm_post_answer(struct gwpm *g, struct gwpm_call *c,
    const struct gwpm_answer *a, const struct gwpm_now *now)
{
	struct leg leg;
	uint32_t i = 0;
	struct json j;

	if (a->status != 200) {
		all_of(g, c, a, now);
		return;
	}
	json_init(&j, a->body, a->n);
	if (json_peek(&j) == JSON_ARRAY && json_array(&j)) {
		while (json_item(&j)) {
			read_leg(&j, &leg);
			if (j.reason == REASON_NONE && i < c->n)
				judge_leg(g, &g->book->order[c->item[i++]],
				    &leg, now);
		}
	} else if (json_peek(&j) == JSON_OBJECT && c->n == 1) {
		read_leg(&j, &leg);
		if (j.reason == REASON_NONE)
			judge_leg(g, &g->book->order[c->item[i++]], &leg, now);
	}
	if (i == c->n)
		return;
	g->stat.bad++;
	g->sink->log(g->sink->user, GWPM_LOG_BAD_ANSWER, 200, "", 0);
	for (; i < c->n; i++)
		gwpm_unknown(
		    g, &g->book->order[c->item[i]], now->ns, REASON_BAD_JSON);
}

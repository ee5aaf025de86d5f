/*
 * Hyperliquid's requests: what is allowed to leave, signed, on which path.
 */
#include <string.h>

#include "execd/gw_hl_int.h"
#include "libcore/check.h"

/* A batch of HL_BATCH_MAX would weigh 2. */
#define BATCH_MOST (HL_BATCH_MAX - 1)
#define POST_HEAD  "{\"method\":\"post\",\"id\":"
#define POST_ACT   ",\"request\":{\"type\":\"action\",\"payload\":"

uint64_t
gwhl_wall_ms(const struct gwhl *g)
{
	return (uint64_t)(g->now.wall_ns / NS_PER_MS + g->skew_ms);
}

struct gwhl_call *
gwhl_call_new(struct gwhl *g, enum gwhl_kind kind)
{
	for (uint32_t i = 0; i < GWHL_CALLS; i++) {
		struct gwhl_call *c = &g->call[i];

		if (c->tag != 0)
			continue;
		memset(c, 0, sizeof(*c));
		c->tag = ++g->tag;
		c->kind = (uint8_t)kind;
		c->wall_ns = g->now.wall_ns;
		c->due_ns = g->now.ns + GWHL_CALL_NS;
		return c;
	}
	return NULL;
}

void
gwhl_call_free(struct gwhl *g, struct gwhl_call *c)
{
	if (!c->is_http || c->is_dual) {
		CHECK(g->posts_out > 0);
		g->posts_out--;
	}
	c->tag = 0;
}

void
gwhl_add(struct gwhl *g, struct gwhl_call *c, struct gwhl_order *o)
{
	CHECK(c->n < HL_BATCH_MAX);
	c->item[c->n] = (uint32_t)(o - g->book->order);
	c->id[c->n] = o->id;
	c->n++;
}

/* gwhl_may - is there an allowance for it? It is taken. */
bool
gwhl_may(struct gwhl *g, uint32_t weight, bool urgent)
{
	if (g->now.ns < g->hold_ns && !urgent)
		return false;
	return bucket_take(&g->weight, g->now.ns, weight, urgent);
}

static bool
is_placing(const struct gwhl_call *c)
{
	return c->kind == GWHL_PLACE || c->kind == GWHL_CHANGE;
}

static enum reason
send_ws(struct gwhl *g, const struct gwhl_call *c, size_t n)
{
	enum reason rc;
	char number[FIXED_TEXT_MAX];
	struct text t;

	(void)fixed_format((int64_t)c->tag, 0, number);
	text_init(&t, g->frame, sizeof(g->frame));
	text_lit(&t, POST_HEAD);
	text_lit(&t, number);
	text_lit(&t, POST_ACT);
	text_put(&t, g->body, n);
	text_lit(&t, "}}");
	n = text_end(&t);
	CHECK(n > 0);
	g->wrote_ns = 0;
	rc = g->sink->ws(g->sink->user, g->frame, n, is_placing(c));
	if (rc != REASON_OK)
		return rc;
	for (uint32_t i = 0; c->kind == GWHL_PLACE && i < c->n; i++)
		g->wire_ns[c->item[i]] = g->wrote_ns;
	(void)bucket_take(&g->messages, g->now.ns, 1, true);
	g->sent_ns = g->now.ns;
	return REASON_OK;
}

static void
send_http(struct gwhl *g, const struct gwhl_call *c, const char *path, size_t n)
{
	struct gwhl_http h = {.tag = c->tag,
	    .path = path,
	    .body = g->body,
	    .body_n = n,
	    .timeout_ns = GWHL_CALL_NS,
	    .is_urgent = c->kind == GWHL_CANCEL || c->kind == GWHL_FOREIGN};

	CHECK(!is_placing(c));
	g->sink->http(g->sink->user, &h);
}

/* The nonce is in the durable book before the bytes leave. */
enum reason
gwhl_send(struct gwhl *g, struct gwhl_call *c, const struct hl_action *a)
{
	struct hl_signer s = {g->set.secp, g->set.key, g->set.mainnet};
	struct hl_meta m = {
	    .nonce = hl_nonce_next(&g->book->nonce, gwhl_wall_ms(g)),
	    .expires_ms = gwhl_wall_ms(g) + GWHL_EXPIRES_MS};
	struct hl_request q = {.action = a, .meta = &m};
	enum reason why;
	size_t n;

	gwhl_keep(g);
	CHECK(hl_action_ok(a));
	n = hl_request(&s, &q, g->body);
	CHECK(n > 0);
	c->is_http =
	    !g->is_up || (!c->is_dual && g->posts_out >= GWHL_CALLS_VENUE);
	if (!c->is_http && (why = send_ws(g, c, n)) != REASON_OK) {
		c->is_http = true;
		if (is_placing(c))
			return why;
	}
	c->is_dual = c->is_dual && !c->is_http;
	if (!c->is_http)
		g->posts_out++;
	if (c->is_http || c->is_dual)
		send_http(g, c, "/exchange", n);
	return REASON_OK;
}

static uint32_t
weight_of(enum gwhl_kind kind)
{
	if (kind == GWHL_ROLE)
		return 60;
	if (kind == GWHL_ASK || kind == GWHL_ACCOUNT || kind == GWHL_SPOT ||
	    kind == GWHL_TIME)
		return 2;
	return kind == GWHL_FILLS ? 40 : 20;
}

/* Questions go over HTTP, so that they need no socket and fill no post. */
bool
gwhl_question(
    struct gwhl *g, enum gwhl_kind kind, const char *body, struct gwhl_order *o)
{
	struct gwhl_call *c;
	size_t n = strlen(body);

	CHECK(n > 0);
	CHECK(n < sizeof(g->body));
	if (!gwhl_may(g, weight_of(kind), kind == GWHL_ASK) ||
	    (c = gwhl_call_new(g, kind)) == NULL)
		return false;
	c->is_http = true;
	if (o != NULL)
		gwhl_add(g, c, o);
	memcpy(g->body, body, n + 1);
	send_http(g, c, "/info", n);
	return true;
}

/* ---- what acts have queued ---- */

static struct hl_order
order_of(struct gwhl *g, const struct gwhl_order *o, px_t px, qty_t qty)
{
	bool alo = (o->oflags & ORDER_POST_ONLY) != 0;
	bool once = o->tif == TIF_IOC || o->tif == TIF_FOK;
	struct hl_order h = {.asset = g->coin[o->coin].asset,
	    .side = (enum side)o->side,
	    .px = px,
	    .qty = qty,
	    .tif = alo	  ? HL_ALO
		   : once ? HL_IOC
			  : HL_GTC,
	    .reduce_only = (o->oflags & ORDER_REDUCE_ONLY) != 0,
	    .has_cloid = true};

	gwhl_cloid(o->id, h.cloid);
	return h;
}

/* The three kinds of batches that a flush can make. */
enum batch {
	BATCH_CANCEL = 1,
	BATCH_CHANGE,
	BATCH_ALO,
	BATCH_TAKE,
	BATCH_N
};

static bool
belongs(const struct gwhl_order *o, enum batch b)
{
	bool alo = (o->oflags & ORDER_POST_ONLY) != 0;

	switch (b) {
	case BATCH_CANCEL:
		return o->has_cancel && !o->is_cancelling &&
		       o->state != GWHL_QUEUED;
	case BATCH_CHANGE:
		return o->new_qty.e8 > 0 && !o->is_changing && !o->has_cancel &&
		       o->state == GWHL_LIVE;
	case BATCH_ALO: return o->state == GWHL_QUEUED && alo;
	case BATCH_TAKE: return o->state == GWHL_QUEUED && !alo;
	case BATCH_N: break;
	}
	CHECK(b == 0);
	return false;
}

static void
put(struct gwhl *g, struct gwhl_order *o, enum batch b, uint32_t n)
{
	gwhl_change(g, o);
	switch (b) {
	case BATCH_CANCEL:
		g->cancels[n] =
		    (struct hl_cancel){.asset = g->coin[o->coin].asset};
		gwhl_cloid(o->id, g->cancels[n].cloid);
		o->is_cancelling = true;
		break;
	case BATCH_CHANGE:
		g->changes[n] = (struct hl_modify){.by_cloid = o->oid == 0,
		    .oid = o->oid,
		    .order = order_of(g, o, o->new_px, o->new_qty)};
		gwhl_cloid(o->id, g->changes[n].cloid);
		o->is_changing = true;
		o->expires_ms = gwhl_wall_ms(g) + GWHL_EXPIRES_MS;
		break;
	case BATCH_ALO:
	case BATCH_TAKE:
		g->orders[n] = order_of(g, o, o->px, o->qty);
		o->state = GWHL_SENT;
		o->expires_ms = gwhl_wall_ms(g) + GWHL_EXPIRES_MS;
		break;
	case BATCH_N: break;
	}
}

/* Whether a batch of this kind may leave now; else what waits in it stays
 * (cancels) or is refused (orders: the next wish will do). */
static enum reason
allowed(struct gwhl *g, enum batch b)
{
	if (b == BATCH_CANCEL) {
		if (g->slow_ns > g->now.ns)
			return REASON_RATE_LIMIT;
		return gwhl_may(g, 1, true) ? REASON_OK : REASON_RATE_LIMIT;
	}
	if (!g->is_up)
		return REASON_RECONCILE;
	if (g->posts_out >= GWHL_CALLS_PLACE)
		return REASON_BACKPRESSURE;
	if (bucket_left(&g->messages, g->now.ns) < 100)
		return REASON_RATE_LIMIT;
	return gwhl_may(g, 1, false) ? REASON_OK : REASON_RATE_LIMIT;
}

static void
held_back(struct gwhl *g, struct gwhl_order *o, enum batch b, enum reason why)
{
	gwhl_change(g, o);
	if (b == BATCH_CHANGE) {
		o->new_qty = QTY(0);
		gwhl_tell(g, o, PORT_NOT_CANCELLED, why);
	} else if (b != BATCH_CANCEL) {
		gwhl_refuse(g, o, why);
	}
}

static struct gwhl_call *
make(struct gwhl *g, enum batch b, enum reason *why)
{
	struct gwhl_call *c = NULL;

	*why = allowed(g, b);
	if (*why != REASON_OK)
		return NULL;
	c = gwhl_call_new(g, b == BATCH_CANCEL	 ? GWHL_CANCEL
			     : b == BATCH_CHANGE ? GWHL_CHANGE
						 : GWHL_PLACE);
	if (c == NULL)
		*why = REASON_BACKPRESSURE;
	return c;
}

/* The sink did not take it: as if it had never been wished for. */
static void
take_back(struct gwhl *g, struct gwhl_call *c, enum reason why)
{
	for (uint32_t i = 0; i < c->n; i++) {
		struct gwhl_order *o = &g->book->order[c->item[i]];

		gwhl_change(g, o);
		if (c->kind == GWHL_CHANGE) {
			o->is_changing = false;
			o->new_qty = QTY(0);
			gwhl_tell(g, o, PORT_NOT_CANCELLED, why);
		} else {
			gwhl_refuse(g, o, why);
		}
	}
	g->stat.held += c->n;
	gwhl_call_free(g, c);
}

static void
leave(struct gwhl *g, struct gwhl_call *c, enum batch b, bool dual)
{
	enum reason why;

	struct hl_action a = {.n = (uint16_t)c->n,
	    .orders = g->orders,
	    .cancels = g->cancels,
	    .changes = g->changes,
	    .fast = true};

	a.kind = b == BATCH_CANCEL   ? HL_CANCEL_CLOID
		 : b == BATCH_CHANGE ? HL_BATCH_MODIFY
				     : HL_ORDER;
	c->is_dual = dual && b == BATCH_CANCEL;
	why = gwhl_send(g, c, &a);
	if (why != REASON_OK) {
		take_back(g, c, why);
		return;
	}
	if (b == BATCH_CANCEL)
		g->stat.cancels += c->n;
	else if (b == BATCH_CHANGE)
		g->stat.changes += c->n;
	else
		g->stat.orders += c->n;
	if (b != BATCH_CANCEL)
		g->budget_left -= g->budget_left < c->n ? g->budget_left : c->n;
	if (b == BATCH_CANCEL && g->slow_ns != 0)
		g->slow_ns = g->now.ns + GWHL_SLOW_NS;
}

/* One kind, in as many batches as it takes. */
static void
give_kind(struct gwhl *g, enum batch b, bool dual)
{
	uint32_t most = b == BATCH_CANCEL && g->slow_ns != 0 ? 1 : BATCH_MOST;
	struct gwhl_call *c = NULL;
	enum reason why = REASON_OK;

	for (uint32_t i = 0; i < g->todo_n; i++) {
		struct gwhl_order *o = &g->book->order[g->todo[i]];

		if (o->state == GWHL_DONE || !belongs(o, b))
			continue;
		if (c != NULL && c->n == most) {
			leave(g, c, b, dual);
			c = NULL;
		}
		if (c == NULL && why == REASON_OK)
			c = make(g, b, &why);
		if (c == NULL) {
			held_back(g, o, b, why);
			continue;
		}
		put(g, o, b, c->n);
		gwhl_add(g, c, o);
	}
	if (c != NULL)
		leave(g, c, b, dual);
}

void
gwhl_give(struct gwhl *g, bool dual)
{
	uint32_t kept = 0;

	for (int b = BATCH_CANCEL; b < BATCH_N; b++)
		give_kind(g, (enum batch)b, dual);
	for (uint32_t i = 0; i < g->todo_n; i++) {
		struct gwhl_order *o = &g->book->order[g->todo[i]];

		o->is_todo =
		    o->state != GWHL_DONE && o->has_cancel && !o->is_cancelling;
		if (o->is_todo)
			g->todo[kept++] = g->todo[i];
	}
	g->todo_n = kept;
	gwhl_keep(g);
}

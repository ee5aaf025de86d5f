#include "execd/gw_hl.h"

#include <string.h>

#include "execd/gw_hl_int.h"
#include "libcore/check.h"

#define BOOK_MAGIC   UINT64_C(0x484c426f6f6b0001)
#define MIN_E6	     (10 * E6)
#define WAKE_NS	     UINT64_C(100000000)
#define SCHED_MOST   9u
#define MS_PER_DAY   UINT64_C(86400000)
#define STREAM_ORDER 1u
#define STREAM_FILLS 2u

static const struct json_str nothing = {.s = ""};

bool
gwhl_init(struct gwhl *g, const struct gwhl_setup *s, struct gwhl_book *book,
    const struct gwhl_sink *sink)
{
	/* 1200 a minute of the address, 2000 frames a minute. */
	struct bucket_limit weight = {600, 100, UINT64_C(100000000)};
	struct bucket_limit frames = {1000, 0, UINT64_C(60000000)};

	CHECK(sink->ws != NULL);
	CHECK(sink->http != NULL);
	memset(g, 0, sizeof(*g));
	g->set = *s;
	g->sink = sink;
	g->book = book;
	if (!secp_address(s->secp, s->key, &g->agent))
		return false;
	address_format_lower(&g->agent, g->agent_text);
	if (book->magic != BOOK_MAGIC)
		memset(book, 0, sizeof(*book));
	book->magic = BOOK_MAGIC;
	g->life_key_n = book->key_n;
	bucket_init(&g->weight, &weight, 1);
	bucket_init(&g->messages, &frames, 1);
	backoff_init(
	    &g->again, UINT64_C(250000000), UINT64_C(5000000000), s->seed);
	g->budget_left = UINT64_MAX / 2;
	gwhl_rebuild(g);
	return true;
}

void
gwhl_start(struct gwhl *g, const struct gwhl_now *now)
{
	g->now = *now;
	/* Answers of this life must not look like those of the last. */
	g->tag = (uint64_t)now->wall_ns / 1000 % (UINT64_C(1) << 52);
	gwhl_sync_from(g, GWHL_STEP_TIME, true);
	gwhl_sync_step(g);
}

/* ---- coins ---- */

struct gwhl_coin *
gwhl_coin_of(struct gwhl *g, uint16_t instr)
{
	for (uint32_t i = 0; i < GWHL_COINS && instr != 0; i++)
		if (g->coin[i].instr == instr)
			return &g->coin[i];
	return NULL;
}

struct gwhl_coin *
gwhl_coin_named(struct gwhl *g, struct json_str name)
{
	for (uint32_t i = 0; i < GWHL_COINS; i++)
		if (g->coin[i].instr != 0 &&
		    strlen(g->coin[i].name) == name.n &&
		    memcmp(g->coin[i].name, name.s, name.n) == 0)
			return &g->coin[i];
	return NULL;
}

/* lot 0.00001 is 5 decimals; another step than a power of ten is none. */
static bool
decimals_of(qty_t lot, uint8_t *out)
{
	int64_t v = E8;

	for (uint8_t d = 0; d <= HL_SZ_DECIMALS_MAX; d++, v /= 10)
		if (v == lot.e8) {
			*out = d;
			return true;
		}
	return false;
}

bool
gwhl_market(struct gwhl *g, uint16_t instr, const struct instr *in)
{
	struct gwhl_coin *c = gwhl_coin_of(g, instr);
	struct hl_grid grid = {0};
	const char *end = memchr(in->symbol, '\0', sizeof(in->symbol));
	size_t n = end == NULL ? 0 : (size_t)(end - in->symbol);

	if (in->venue != VENUE_HYPERLIQUID || in->cls != CLASS_PERP || n == 0 ||
	    n >= sizeof(in->symbol) ||
	    !decimals_of(in->lot_qty, &grid.sz_decimals))
		return false;
	for (uint32_t i = 0; i < GWHL_COINS && c == NULL; i++)
		if (g->coin[i].instr == 0)
			c = &g->coin[i];
	if (c == NULL)
		return false;
	c->instr = instr;
	memcpy(c->name, in->symbol, n + 1);
	c->asset = in->asset_idx;
	c->grid = grid;
	return true;
}

/* ---- acts ---- */

/* 1 mode, 2 coin and form, 3 value. */
static enum reason
judge_place(struct gwhl *g, const struct port_act *a)
{
	const struct gwhl_coin *c = gwhl_coin_of(g, a->instr);
	bool post_only = (a->oflags & ORDER_POST_ONLY) != 0;

	gwhl_mode(g);
	switch (g->told) {
	case PORT_NORMAL: break;
	case PORT_POST_ONLY:
		if (!post_only)
			return REASON_STATE;
		break;
	case PORT_STARTING: return REASON_STARTUP;
	case PORT_RESYNC: return REASON_RECONCILE;
	case PORT_CANCEL_ONLY: return REASON_RATE_LIMIT;
	case PORT_RESTARTING: return REASON_STATE;
	case PORT_BLOCKED: return REASON_VENUE;
	case PORT_MODE_N: return REASON_STATE;
	}
	if (g->now.ns < g->hold_ns)
		return REASON_RATE_LIMIT;
	if (c == NULL || (a->side != SIDE_BID && a->side != SIDE_ASK))
		return REASON_BAD_SLOT;
	if (a->tif == TIF_FOK || a->tif == TIF_GTD ||
	    (post_only && a->tif == TIF_IOC))
		return REASON_UNSUPPORTED;
	if (!hl_px_ok(&c->grid, a->px))
		return REASON_OFF_TICK;
	if (a->qty.e8 <= 0 || !hl_qty_ok(&c->grid, a->qty))
		return REASON_TOO_SMALL;
	if ((a->oflags & ORDER_REDUCE_ONLY) == 0 &&
	    usd_notional(a->px, a->qty).e6 < MIN_E6)
		return REASON_TOO_SMALL;
	return REASON_OK;
}

static void
reject(struct gwhl *g, const struct port_act *a, enum reason why)
{
	struct port_event ev = {.what = PORT_REJECTED,
	    .slot = a->slot,
	    .id = a->id,
	    .instr = a->instr,
	    .side = a->side,
	    .reason = why,
	    .px = a->px,
	    .qty = a->qty};

	if (why == REASON_OFF_TICK || why == REASON_BAD_SLOT ||
	    why == REASON_UNSUPPORTED)
		gwhl_log(g, GWHL_LOG_OUR_BUG, why, nothing);
	g->sink->event(g->sink->user, &ev);
}

static void
fill_in(struct gwhl *g, struct gwhl_order *o, const struct port_act *a)
{
	const struct gwhl_coin *c = gwhl_coin_of(g, a->instr);

	CHECK(c != NULL);
	o->slot = a->slot;
	o->instr = a->instr;
	o->coin = (uint16_t)(c - g->coin);
	o->side = a->side;
	o->tif = a->tif;
	o->oflags = a->oflags;
	o->px = a->px;
	o->qty = a->qty;
	o->want = a->qty;
}

static void
place(struct gwhl *g, const struct port_act *a)
{
	enum reason why = judge_place(g, a);
	struct gwhl_order *o = NULL;

	/* An id is used once; a repeated act is the act that we had. */
	if (gwhl_find(g, a->id) != NULL)
		return;
	if (why == REASON_OK && g->todo_n == GWHL_ORDERS)
		why = REASON_FULL;
	if (why == REASON_OK && (o = gwhl_new(g, a->id)) == NULL)
		why = REASON_FULL;
	if (o == NULL) {
		reject(g, a, why);
		return;
	}
	fill_in(g, o, a);
	o->state = GWHL_QUEUED;
	gwhl_todo(g, o);
}

static void
cancel(struct gwhl *g, struct gwhl_order *o)
{
	gwhl_change(g, o);
	if (o->state == GWHL_QUEUED) {
		gwhl_refuse(g, o, REASON_OK); /* never left */
		return;
	}
	o->has_cancel = true;
	if (!o->is_cancelling)
		gwhl_todo(g, o);
}

static void
reduce(struct gwhl *g, struct gwhl_order *o, const struct port_act *a)
{
	const struct gwhl_coin *c = &g->coin[o->coin];
	px_t px = a->px.e8 > 0 ? a->px : o->px;
	bool ok = hl_px_ok(&c->grid, px) && a->qty.e8 > 0 &&
		  hl_qty_ok(&c->grid, a->qty) &&
		  ((o->oflags & ORDER_REDUCE_ONLY) != 0 ||
		      usd_notional(px, a->qty).e6 >= MIN_E6);

	if (o->state != GWHL_LIVE || o->is_changing || o->has_cancel ||
	    o->is_ended || o->tif != TIF_GTC || !ok) {
		if (!ok)
			gwhl_log(
			    g, GWHL_LOG_OUR_BUG, REASON_TOO_SMALL, nothing);
		gwhl_tell(
		    g, o, PORT_REDUCED, ok ? REASON_STATE : REASON_TOO_SMALL);
		return;
	}
	gwhl_change(g, o);
	o->new_px = px;
	o->new_qty = a->qty;
	gwhl_todo(g, o);
}

/* Also of an order that this life does not know. */
static void
ask(struct gwhl *g, struct gwhl_order *o, const struct port_act *a)
{
	if (o == NULL && gwhl_coin_of(g, a->instr) != NULL &&
	    (o = gwhl_new(g, a->id)) != NULL) {
		fill_in(g, o, a);
		o->want = QTY(0); /* what it is by now, the venue says */
		o->state = GWHL_UNKNOWN;
		o->is_answered = true;
		o->expires_ms = gwhl_wall_ms(g) + GWHL_EXPIRES_MS;
	}
	if (o == NULL)
		return;
	gwhl_change(g, o);
	o->slot = a->slot;
	if (o->state == GWHL_DONE) {
		gwhl_tell(g, o, PORT_CANCELLED, REASON_OK);
		return;
	}
	o->must_tell = o->state == GWHL_LIVE;
	gwhl_ask_soon(g, o, 0);
}

static void
one_act(struct gwhl *g, const struct port_act *a)
{
	struct gwhl_order *o = gwhl_find(g, a->id);

	switch (a->what) {
	case PORT_PLACE: place(g, a); return;
	case PORT_CANCEL:
		g->is_urgent = g->is_urgent || a->urgent;
		if (o != NULL && o->state != GWHL_DONE)
			cancel(g, o);
		else
			ask(g, o, a);
		return;
	case PORT_REDUCE:
		if (o != NULL && o->state != GWHL_DONE)
			reduce(g, o, a);
		else
			ask(g, o, a);
		return;
	case PORT_ASK: ask(g, o, a); return;
	case PORT_DO_N: break;
	}
	CHECK(a->what == 0);
}

void
gwhl_act(struct gwhl *g, const struct port_act *a, const struct gwhl_now *now)
{
	g->now = *now;
	one_act(g, a);
	gwhl_keep(g);
}

void
gwhl_flush(struct gwhl *g, const struct gwhl_now *now)
{
	g->now = *now;
	gwhl_give(g, g->is_urgent);
	g->is_urgent = false;
}

void
gwhl_cancel_all(struct gwhl *g, const struct gwhl_now *now)
{
	struct gwhl_book *b = g->book;

	g->now = *now;
	for (uint32_t i = b->active_n; i > 0; i--)
		cancel(g, &b->order[b->active[i - 1]]);
	gwhl_give(g, true);
}

void
gwhl_verify(struct gwhl *g, const struct gwhl_now *now)
{
	g->now = *now;
	if (g->sync.step == GWHL_STEP_NONE ||
	    (g->sync.step == GWHL_STEP_LINK && g->sync.is_ready && !g->is_up))
		gwhl_sync_from(g, GWHL_STEP_OPEN, true);
	else if (g->sync.step >= GWHL_STEP_OPEN)
		g->sync.once_more = true; /* asked before now */
	gwhl_sync_step(g);
}

bool
gwhl_flat(const struct gwhl *g)
{
	return g->book->active_n == 0 && g->sync.step == GWHL_STEP_NONE &&
	       !g->sync.once_more && g->sync.foreign_n == 0;
}

/* ---- the socket ---- */

void
gwhl_up(struct gwhl *g, const struct gwhl_now *now)
{
	char q[HLI_ASK_MAX];

	g->now = *now;
	g->is_up = true;
	/* A reading that went on without it has seen no streams. */
	if (g->sync.is_ready && g->sync.step != GWHL_STEP_LINK)
		gwhl_sync_from(g, GWHL_STEP_LINK, true);
	g->subscribed = 0;
	g->pong_ns = 0;
	g->sent_ns = now->ns;
	g->ask_ns = 0;
	if (g->user[0] == '\0')
		return; /* when the start knows whom to follow */
	/* What is not taken, nobody acknowledges. */
	g->ask_ns = now->ns;
	(void)hl_subscribe_user("orderUpdates", g->user, q);
	(void)g->sink->ws(g->sink->user, q, strlen(q), false);
	(void)hl_subscribe_user("userFills", g->user, q);
	(void)g->sink->ws(g->sink->user, q, strlen(q), false);
}

/* Whatever was on the socket may have arrived. */
void
gwhl_down(struct gwhl *g, const struct gwhl_now *now)
{
	g->now = *now;
	g->is_up = false;
	g->subscribed = 0;
	for (uint32_t i = 0; i < GWHL_CALLS; i++) {
		struct gwhl_call *c = &g->call[i];

		if (c->tag != 0 && !c->is_http && !c->is_dual)
			gwhl_no_answer(g, c);
	}
	if (g->sync.is_ready)
		gwhl_sync_from(g, GWHL_STEP_LINK, true);
	gwhl_mode(g);
	gwhl_give(g, false);
}

static struct gwhl_call *
call_of(struct gwhl *g, uint64_t tag)
{
	for (uint32_t i = 0; i < GWHL_CALLS && tag != 0; i++)
		if (g->call[i].tag == tag)
			return &g->call[i];
	return NULL;
}

static void
on_post(struct gwhl *g, const struct hl_user *u)
{
	struct gwhl_call *c = call_of(g, u->post_id);

	if (c == NULL || c->kind >= GWHL_ASK) {
		g->stat.stale++;
		return;
	}
	if (json_is(u->type, "action"))
		gwhl_on_action(g, c, u->payload.s, u->payload.n);
	else
		gwhl_no_answer(g, c);
}

/* A text without an id: the timers of requests find out whose it was. */
static void
on_refusal(struct gwhl *g, struct json_str msg)
{
	struct gwhl_verdict v = gwhl_judge(msg);

	if (v.cls == GWHL_SLOW)
		g->hold_ns = g->now.ns + GWHL_CALL_NS;
	gwhl_log(g, GWHL_LOG_REFUSED, v.reason, msg);
}

void
gwhl_text(
    struct gwhl *g, const char *text, size_t n, const struct gwhl_now *now)
{
	struct hlu_order o;
	struct hlu_fill f;
	struct hl_user u;

	g->now = *now;
	switch (hl_user_open(&u, text, n)) {
	case HLU_ORDERS:
		while (hl_user_order(&u, &o))
			if (o.reason == REASON_NONE)
				gwhl_update(g, &o, 0);
			else
				g->sync.again = true;
		break;
	case HLU_FILLS:
		while (!u.is_snapshot && hl_user_fill(&u, &f))
			if (f.reason == REASON_NONE)
				gwhl_fill(g, &f);
			else
				g->sync.again = true;
		break;
	case HLU_POST: on_post(g, &u); break;
	case HLU_SUBSCRIBED:
		if (json_is(u.type, "orderUpdates"))
			g->subscribed |= STREAM_ORDER;
		if (json_is(u.type, "userFills"))
			g->subscribed |= STREAM_FILLS;
		break;
	case HLU_REFUSAL: on_refusal(g, u.msg); break;
	case HLU_PONG: g->pong_ns = 0; break;
	case HLU_ERR:
		g->stat.bad++;
		g->sync.again = true;
		gwhl_log(g, GWHL_LOG_BAD_FRAME, u.reason, nothing);
		break;
	case HLU_OTHER:
	case HLU_KIND_N: break;
	}
	gwhl_give(g, false);
	gwhl_sync_step(g);
}

void
gwhl_answer(
    struct gwhl *g, const struct gwhl_answer *a, const struct gwhl_now *now)
{
	struct gwhl_call *c = call_of(g, a->tag);

	g->now = *now;
	if (c == NULL)
		return;
	if (a->status == 429) {
		bucket_empty(&g->weight, now->ns);
		g->hold_ns = now->ns + backoff_next(&g->again);
		gwhl_log(g, GWHL_LOG_RATE_LIMIT, 429, nothing);
	}
	if (a->status != 200 && c->is_dual) {
		c->is_dual = false; /* the socket's answer decides */
		return;
	}
	if (a->status != 200) {
		gwhl_log(g, GWHL_LOG_BAD_ANSWER, a->status, nothing);
		gwhl_no_answer(g, c);
	} else if (c->kind >= GWHL_ASK) {
		gwhl_on_info(g, c, a->body, a->n);
	} else {
		gwhl_on_action(g, c, a->body, a->n);
	}
	gwhl_give(g, false);
	gwhl_sync_step(g);
}

/* ---- time ---- */

void
gwhl_lease(struct gwhl *g, uint64_t until_ns)
{
	g->lease_ns = until_ns;
}

static bool
may_schedule(struct gwhl *g)
{
	return g->set.has_schedule && !g->has_no_schedule && g->sync.is_ready &&
	       g->is_up && !g->is_blocked;
}

/* at_ms 0: it is not to fire. */
static void
schedule(struct gwhl *g, uint64_t at_ms)
{
	struct hl_action a = {.kind = HL_SCHEDULE_CANCEL, .time_ms = at_ms};
	struct gwhl_call *c;

	if (!gwhl_may(g, 1, false) ||
	    (c = gwhl_call_new(g, GWHL_SCHEDULE)) == NULL)
		return;
	g->armed_ns =
	    at_ms == 0 ? 0 : g->now.ns + GWHL_AHEAD_MS * (uint64_t)NS_PER_MS;
	g->beat_ns = at_ms == 0 ? 0 : g->now.ns + GWHL_BEAT_NS;
	g->budget_left -= g->budget_left > 0;
	(void)gwhl_send(g, c, &a);
}

/* Armed while something of ours rests and the lease is fresh. When nothing
 * rests any more it is taken back before it fires: a day has few triggers. */
static void
beat(struct gwhl *g)
{
	uint64_t day = gwhl_wall_ms(g) / MS_PER_DAY;
	bool rests = g->book->active_n > 0;
	bool used_up =
	    g->book->sched_day == day && g->book->sched_n >= SCHED_MOST;

	if (!may_schedule(g))
		return;
	if (g->now.ns >= g->armed_ns)
		g->armed_ns = 0;
	if (rests && g->now.ns < g->lease_ns && g->now.ns >= g->beat_ns &&
	    !used_up)
		schedule(g, gwhl_wall_ms(g) + GWHL_AHEAD_MS);
	else if (!rests && g->armed_ns != 0 &&
		 g->now.ns + GWHL_BEAT_NS >= g->armed_ns)
		schedule(g, 0);
}

/* The start learnt whose streams to follow; a socket on which one cannot is
 * of no use. */
static void
follow(struct gwhl *g)
{
	if (!g->is_up || g->sync.step != GWHL_STEP_LINK || g->user[0] == '\0' ||
	    g->subscribed == (STREAM_ORDER | STREAM_FILLS))
		return;
	if (g->ask_ns == 0) {
		gwhl_up(g, &g->now);
	} else if (g->now.ns - g->ask_ns > GWHL_CALL_NS) {
		g->ask_ns = g->now.ns;
		gwhl_log(g, GWHL_LOG_SILENT, 0, nothing);
		g->sink->drop(g->sink->user);
	}
}

static void
keep_alive(struct gwhl *g)
{
	if (!g->is_up)
		return;
	if (g->pong_ns != 0 && g->now.ns >= g->pong_ns) {
		g->pong_ns = 0;
		gwhl_log(g, GWHL_LOG_SILENT, 0, nothing);
		g->sink->drop(g->sink->user);
		return;
	}
	if (g->pong_ns != 0 || g->now.ns - g->sent_ns < GWHL_PING_NS)
		return;
	g->sent_ns = g->now.ns;
	g->pong_ns = g->now.ns + GWHL_PONG_NS;
	(void)g->sink->ws(g->sink->user, "{\"method\":\"ping\"}", 17, false);
}

static void
ask_about(struct gwhl *g, struct gwhl_order *o)
{
	uint8_t cloid[HL_CLOID_SZ];
	char text[HL_CLOID_TEXT_MAX];
	char q[HLI_ASK_MAX];

	if (g->user[0] == '\0')
		return;
	gwhl_cloid(o->id, cloid);
	hl_cloid_text(cloid, text);
	(void)hl_ask_order(g->user, text, q);
	if (!gwhl_question(g, GWHL_ASK, q, o))
		return;
	g->stat.asks++;
	o->is_asking = true;
	o->ask_ns = 0;
}

static void
each_active(struct gwhl *g)
{
	struct gwhl_book *b = g->book;

	for (uint32_t i = b->active_n; i > 0; i--) {
		struct gwhl_order *o = &b->order[b->active[i - 1]];
		uint64_t late = g->now.ns - o->end_ns;

		/* Its request may have died with an earlier life. */
		if (o->ask_ns == 0 && !o->is_asking &&
		    (o->state == GWHL_UNKNOWN ||
			(o->is_changing &&
			    gwhl_wall_ms(g) > o->expires_ms + GWHL_MARGIN_MS)))
			gwhl_ask_soon(g, o, 0);
		if (o->ask_ns != 0 && o->ask_ns <= g->now.ns && !o->is_asking)
			ask_about(g, o);
		if (o->is_held)
			late = g->now.ns - o->held_ns;
		if ((!o->is_ended && !o->is_held) || late < GWHL_END_NS)
			continue;
		g->sync.again = true;
		if (late < 3 * GWHL_END_NS)
			continue;
		gwhl_change(g, o);
		gwhl_held(g, o, true);
		gwhl_finish(g, o, true);
	}
}

void
gwhl_timer(struct gwhl *g, const struct gwhl_now *now)
{
	g->now = *now;
	for (uint32_t i = 0; i < GWHL_CALLS; i++)
		if (g->call[i].tag != 0 && g->call[i].due_ns <= now->ns)
			gwhl_no_answer(g, &g->call[i]);
	follow(g);
	keep_alive(g);
	each_active(g);
	gwhl_give(g, false);
	gwhl_sync_step(g);
	beat(g);
	gwhl_mode(g);
}

uint64_t
gwhl_wake(const struct gwhl *g, uint64_t now_ns)
{
	uint64_t at = now_ns + WAKE_NS;

	for (uint32_t i = 0; i < GWHL_CALLS; i++)
		if (g->call[i].tag != 0 && g->call[i].due_ns < at)
			at = g->call[i].due_ns;
	return at > now_ns ? at : now_ns;
}

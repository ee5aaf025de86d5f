/*
 * Start, gaps and heartbeats.
 */
#include <string.h>

#include "execd/gw_pm_int.h"
#include "libcore/check.h"
#include "libcore/json.h"
#include "libsign/hex.h"
#include "libvenue/text.h"

#define SLOW_POLL_NS UINT64_C(30000000000)
#define OVERLAP_S    60u
#define QUERY_MAX    256u
#define LIMITED_NS   UINT64_C(1000000000)

void
gwpm_poll_at(struct gwpm *g, uint64_t ns)
{
	if (g->sync.poll_ns > ns)
		g->sync.poll_ns = ns;
}

static void
enter(struct gwpm *g, enum gwpm_step step, const struct gwpm_now *now)
{
	struct gwpm_sync *s = &g->sync;

	s->step = step;
	s->at_ns = now->ns;
	s->cursor[0] = '\0';
	if (step == GWPM_STEP_OPEN) {
		s->begin_ns = now->ns;
		s->stray_n = 0;
		s->ours_n = 0;
	}
	if (step == GWPM_STEP_OPEN || step == GWPM_STEP_TRADES)
		s->begin_s = gwpm_wall_s(g, now);
}

void
gwpm_sync_want(struct gwpm *g, enum gwpm_step from, bool is_blocking,
    const struct gwpm_now *now)
{
	struct gwpm_sync *s = &g->sync;

	s->is_blocking = s->is_blocking || is_blocking;
	if (s->step == GWPM_STEP_NONE)
		enter(g, from, now);
	else if (from <= s->step)
		s->again = true;
	gwpm_mode_tell(g, "");
}

void
gwpm_verify(struct gwpm *g, const struct gwpm_now *now)
{
	g->sync.verify_ns = now->ns;
	if (g->set.creds == NULL)
		return;
	gwpm_sync_want(g, GWPM_STEP_OPEN, false, now);
	gwpm_sync_due(g, now);
}

bool
gwpm_verified(const struct gwpm *g)
{
	const struct gwpm_sync *s = &g->sync;

	/* Never logged in: an earlier book may have sent what ours has not,
	 * and the venue could not be asked. */
	if (g->set.creds == NULL)
		return false;
	return gwpm_flat(g) && s->verify_ns > 0 && s->open_ns >= s->verify_ns &&
	       s->open_ours_n == 0;
}

/* ---- questions ---- */

/* Trades that are not final are asked for as long as they are not. */
static uint64_t
trades_from_s(const struct gwpm *g)
{
	uint64_t from = g->book->trades_s;

	for (uint32_t i = 0; i < GWPM_FILLS; i++) {
		const struct gwpm_fill *f = &g->book->fill[i];

		if (f->key != 0 && f->state == GWPM_FILL_PENDING &&
		    f->match_s != 0 && f->match_s < from)
			from = f->match_s;
	}
	return from > OVERLAP_S ? from - OVERLAP_S : 0;
}

static void
write_query(const struct gwpm *g, enum gwpm_step step, char query[QUERY_MAX])
{
	char number[24];
	struct text t;

	text_init(&t, query, QUERY_MAX);
	if (step == GWPM_STEP_TRADES) {
		*dec_put(number, trades_from_s(g)) = '\0';
		text_lit(&t, "after=");
		text_lit(&t, number);
		text_lit(&t, "&");
	} else if (step == GWPM_STEP_CASH) {
		*dec_put(number, g->set.account.sig_type) = '\0';
		text_lit(&t, "asset_type=COLLATERAL&signature_type=");
		text_lit(&t, number);
		text_lit(&t, "&");
	}
	text_lit(&t, "next_cursor=");
	text_lit(&t, g->sync.cursor);
	if (g->sync.cursor[0] == '\0') /* none was given */
		t.n -= strlen("next_cursor=");
	if (t.n > 0 && t.buf[t.n - 1] == '&')
		t.n--;
	query[t.n] = '\0';
	CHECK(!t.full);
}

void
gwpm_sync_due(struct gwpm *g, const struct gwpm_now *now)
{
	static const char *const paths[GWPM_STEP_N] = {
	    [GWPM_STEP_VERSION] = "/version",
	    [GWPM_STEP_CLOSED] = "/auth/ban-status/closed-only",
	    [GWPM_STEP_CASH] = "/balance-allowance",
	    [GWPM_STEP_OPEN] = "/data/orders",
	    [GWPM_STEP_TRADES] = "/data/trades",
	};
	struct gwpm_sync *s = &g->sync;
	char query[QUERY_MAX];
	struct gwpm_out out = {GWPM_SYNC, GWPM_ROLE_QUERIES, "GET", NULL, query,
	    0, s->step == GWPM_STEP_VERSION};
	struct gwpm_call *c;

	if (s->step == GWPM_STEP_NONE && s->is_ready && now->ns >= s->poll_ns) {
		s->poll_ns =
		    now->ns + (g->is_up ? SLOW_POLL_NS : g->set.fill_poll_ns);
		enter(g, g->is_up ? GWPM_STEP_OPEN : GWPM_STEP_TRADES, now);
	}
	if (s->step == GWPM_STEP_NONE || s->is_busy || now->ns < s->at_ns)
		return;
	/* A gap is over only when the channel is there again. */
	if (s->is_blocking && s->step == GWPM_STEP_OPEN && !g->is_up &&
	    s->cursor[0] == '\0' && s->verify_ns <= s->open_ns) {
		s->at_ns = now->ns + g->set.fill_poll_ns;
		enter(g, GWPM_STEP_TRADES, now);
		s->again = true;
	}
	c = gwpm_call_new(g, GWPM_SYNC);
	if (c == NULL || !bucket_take(&g->queries, now->ns, 1, true))
		return;
	write_query(g, s->step, query);
	out.path = paths[s->step];
	out.query = query[0] != '\0' ? query : NULL;
	s->is_busy = true;
	gwpm_call_send(g, c, &out, now);
}

/* ---- open orders ---- */

static void
on_open(void *user, const struct pm_user_order *u)
{
	struct gwpm_hear *h = user;
	struct gwpm *g = h->g;
	struct gwpm_order *o = gwpm_order_by_hash(g->book, &u->id);

	if (o == NULL) {
		if (g->sync.stray_n < GWPM_STRAYS)
			g->sync.stray[g->sync.stray_n++] = u->id;
		return;
	}
	o->seen_ns = h->now->ns;
	g->sync.ours_n++;
	if (o->state == GWPM_LIVE && g->set.cancel_on_start &&
	    !g->sync.is_ready)
		o->has_cancel = true;
	/* A list may lag: what was cancelled since is only asked about. */
	if (o->state == GWPM_UNKNOWN || o->state == GWPM_SENT)
		gwpm_ask_at(o, h->now->ns);
	else if (!o->has_cancel || !g->sync.is_ready)
		gwpm_order_heard(g, u, true, h->now);
}

static void
on_no_trade(void *user, const struct pm_user_trade *t)
{
	(void)user;
	(void)t;
}

static void
on_bad(void *user, enum reason r)
{
	struct gwpm_hear *h = user;

	h->g->stat.bad++;
	h->g->sink->log(
	    h->g->sink->user, GWPM_LOG_BAD_FRAME, (int64_t)r, "", 0);
}

/* The list is complete: what is missing in it is asked for one by one. */
static void
open_over(struct gwpm *g, const struct gwpm_now *now)
{
	struct gwpm_sync *s = &g->sync;

	s->open_ns = s->begin_ns;
	s->open_ours_n = s->ours_n;
	for (uint32_t i = 0; i < g->book->active_n; i++) {
		struct gwpm_order *o = &g->book->order[g->book->active[i]];

		if (o->has_hash && o->sent_ns < s->begin_ns &&
		    o->seen_ns < s->begin_ns)
			gwpm_ask_at(o, now->ns);
	}
	for (uint32_t i = 0; i < s->stray_n; i++) {
		g->sink->log(g->sink->user, GWPM_LOG_FOREIGN, 0, "", 0);
		if (g->set.cancel_on_start)
			gwpm_cancel_hash(g, &s->stray[i], now);
	}
	if (s->stray_n > 0 && !g->set.cancel_on_start)
		gwpm_block(g, "open orders that are not ours: cancel them or "
			      "set exec.on_start to cancel");
}

/* ---- answers ---- */

static void
next_step(struct gwpm *g, const struct gwpm_now *now)
{
	struct gwpm_sync *s = &g->sync;

	if (s->step == GWPM_STEP_OPEN)
		open_over(g, now);
	if (s->step < GWPM_STEP_TRADES) {
		enter(g, (enum gwpm_step)(s->step + 1), now);
		return;
	}
	g->book->trades_s = s->begin_s;
	s->step = GWPM_STEP_NONE;
	if (s->again) {
		s->again = false;
		enter(g, GWPM_STEP_OPEN, now);
		if (!g->is_up)
			s->at_ns = now->ns + g->set.fill_poll_ns;
		return;
	}
	s->is_ready = true;
	s->is_blocking = false;
	s->poll_ns = now->ns + SLOW_POLL_NS;
	gwpm_mode_tell(g, "");
}

static bool
read_flag(
    const struct gwpm_answer *a, const char *name, uint64_t *number, bool *flag)
{
	struct json_str key;
	bool has = false;
	struct json j;

	json_init(&j, a->body, a->n);
	if (json_object(&j))
		while (json_key(&j, &key)) {
			bool is_it = key.n == strlen(name) &&
				     memcmp(key.s, name, key.n) == 0;

			if (is_it && json_peek(&j) == JSON_BOOL)
				has = json_bool(&j, flag);
			else if (is_it)
				has = json_u64(&j, number);
			else
				json_skip(&j);
		}
	return json_end(&j) && has;
}

/* Returns false when the step must be tried again. */
static bool
take_answer(struct gwpm *g, const struct gwpm_answer *a,
    const struct gwpm_now *now, char cursor[PM_CURSOR_MAX])
{
	struct gwpm_hear h = {g, now, true};
	struct pm_user_sink open = {&h, on_open, on_no_trade, on_bad};
	struct pm_user_sink all = gwpm_hearing(&h);
	uint64_t number = 0;
	bool flag = false;

	cursor[0] = '\0';
	switch (g->sync.step) {
	case GWPM_STEP_VERSION:
		if (!read_flag(a, "version", &number, &flag))
			return false;
		if (number != 2)
			gwpm_block(g, "the venue speaks another version");
		return true;
	case GWPM_STEP_CLOSED:
		if (!read_flag(a, "closed_only", &number, &flag))
			return false;
		if (flag)
			gwpm_block(g, "the account may only close positions");
		return true;
	case GWPM_STEP_CASH:
		if (!read_flag(a, "balance", &number, &flag))
			return false;
		if (number == 0 && g->book->cash.net_e6 == 0)
			gwpm_block(g, "no collateral: is the signature type "
				      "or the wallet's address wrong?");
		return true;
	case GWPM_STEP_OPEN:
		return pm_user_decode(a->body, a->n, &g->me, &open, cursor) >=
		       0;
	case GWPM_STEP_TRADES:
		return pm_user_decode(a->body, a->n, &g->me, &all, cursor) >= 0;
	case GWPM_STEP_NONE:
	case GWPM_STEP_N: break;
	}
	return true;
}

void
gwpm_sync_answer(struct gwpm *g, struct gwpm_call *c,
    const struct gwpm_answer *a, const struct gwpm_now *now)
{
	struct gwpm_sync *s = &g->sync;
	char cursor[PM_CURSOR_MAX];

	s->is_busy = false;
	if (s->step == GWPM_STEP_NONE)
		return;
	if (a->status != 0 && a->status != 200)
		(void)gwpm_refused(g, c, a, now);
	/* What was asked before a lapse tells of the time before it. */
	if (a->status != 200 || c->sent_ns < g->beats.lapse_ns ||
	    !take_answer(g, a, now, cursor)) {
		s->at_ns = now->ns + backoff_next(&g->sync_again);
		return;
	}
	backoff_ok(&g->sync_again);
	if (cursor[0] != '\0' && strcmp(cursor, s->cursor) != 0) {
		memcpy(s->cursor, cursor, sizeof(s->cursor));
		return;
	}
	next_step(g, now);
}

/* ---- heartbeats ---- */

static void
lapse(struct gwpm *g, const struct gwpm_now *now)
{
	g->beats.ok_ns = 0;
	g->beats.lapse_ns = now->ns;
	g->stat.lapses++;
	g->sink->log(g->sink->user, GWPM_LOG_LAPSE, 0, "", 0);
	for (uint32_t i = 0; i < g->book->active_n; i++) {
		struct gwpm_order *o = &g->book->order[g->book->active[i]];

		if (o->state != GWPM_QUEUED)
			gwpm_unknown(g, o, now->ns, REASON_SILENT);
	}
	gwpm_sync_want(g, GWPM_STEP_OPEN, true, now);
}

void
gwpm_beat_due(struct gwpm *g, const struct gwpm_now *now)
{
	struct gwpm_out out = {GWPM_BEAT, GWPM_ROLE_BEATS, "POST",
	    "/v1/heartbeats", NULL, 0, false};
	struct gwpm_beats *b = &g->beats;
	struct gwpm_call *c;

	if (!g->set.has_beats)
		return;
	if (b->ok_ns != 0 && now->ns > b->ok_ns + GWPM_LAPSE_NS)
		lapse(g, now);
	if (b->is_busy || now->ns < b->next_ns || now->ns >= b->lease_ns ||
	    g->is_blocked || (c = gwpm_call_new(g, GWPM_BEAT)) == NULL)
		return;
	out.body_n = pm_heartbeat_body(b->id, g->body, sizeof(g->body));
	if (out.body_n == 0) { /* an id that cannot be: begin again */
		b->id[0] = '\0';
		return;
	}
	b->is_busy = true;
	b->next_ns = now->ns + GWPM_BEAT_NS;
	gwpm_call_send(g, c, &out, now);
}

static bool
read_beat(struct gwpm_beats *b, const struct gwpm_answer *a)
{
	struct json_str key;
	struct json_str s;
	bool has = false;
	struct json j;

	json_init(&j, a->body, a->n);
	if (json_object(&j))
		while (json_key(&j, &key)) {
			if (!json_is(key, "heartbeat_id") ||
			    json_peek(&j) != JSON_STRING) {
				json_skip(&j);
				continue;
			}
			json_string(&j, &s);
			if (s.n < sizeof(b->id)) {
				memcpy(b->id, s.s, s.n);
				b->id[s.n] = '\0';
				has = true;
			}
		}
	return json_end(&j) && has;
}

void
gwpm_beat_answer(struct gwpm *g, struct gwpm_call *c,
    const struct gwpm_answer *a, const struct gwpm_now *now)
{
	struct gwpm_beats *b = &g->beats;

	b->is_busy = false;
	if (a->status == 200 && read_beat(b, a)) {
		b->ok_ns = c->sent_ns;
		return;
	}
	if (a->status == 400 && read_beat(b, a)) {
		b->next_ns = now->ns; /* the id that is expected, at once */
		return;
	}
	if (a->status != 0)
		(void)gwpm_refused(g, c, a, now);
	b->next_ns = now->ns + LIMITED_NS;
}

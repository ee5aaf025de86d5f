#include "execd/gw_pm.h"

#include <string.h>

#include <mbedtls/platform_util.h>

#include "execd/gw_pm_int.h"
#include "libcore/check.h"
#include "libcore/json.h"
#include "libvenue/text.h"

#define TICK_NS	   UINT64_C(100000000)
#define TURN_NS	   UINT64_C(1000000) /* between two that are signed ahead */
#define PING_NS	   UINT64_C(10000000000)
#define HELLO_NS   UINT64_C(2000000000)
#define RETRY_MAX  600
#define HELLO_MAX  1024u
#define CLOSES_MAX 3u

/* ---- modes ---- */

enum port_mode
gwpm_mode(const struct gwpm *g)
{
	if (g->is_blocked)
		return PORT_BLOCKED;
	if (g->venue_mode == PORT_RESTARTING ||
	    g->venue_mode == PORT_CANCEL_ONLY)
		return g->venue_mode;
	if (!g->sync.is_ready)
		return PORT_STARTING;
	if (!g->is_up || g->sync.is_blocking)
		return PORT_RESYNC;
	return g->venue_mode;
}

void
gwpm_mode_tell(struct gwpm *g, const char *text)
{
	enum port_mode m = gwpm_mode(g);

	if (m == g->told_mode && text[0] == '\0')
		return;
	g->told_mode = m;
	g->sink->mode(g->sink->user, m, text);
}

void
gwpm_block(struct gwpm *g, const char *why)
{
	if (g->is_blocked)
		return;
	g->is_blocked = true;
	gwpm_mode_tell(g, why);
}

void
gwpm_venue(struct gwpm *g, enum port_mode mode, uint64_t ns,
    const struct gwpm_now *now)
{
	g->venue_mode = mode;
	g->venue_until_ns = now->ns + ns;
	g->is_probe = true;
	gwpm_mode_tell(g, "");
}

/* An episode is over: everything is read before anything is placed. */
static void
venue_back(struct gwpm *g, const struct gwpm_now *now)
{
	if (g->venue_mode == PORT_NORMAL || now->ns < g->venue_until_ns)
		return;
	g->venue_mode = PORT_NORMAL;
	gwpm_sync_want(g, GWPM_STEP_OPEN, true, now);
}

uint64_t
gwpm_wall_s(const struct gwpm *g, const struct gwpm_now *now)
{
	return (uint64_t)((now->wall_ns + g->skew_ns) / NS_PER_S);
}

static uint64_t
retry_ns(struct gwpm *g, const struct gwpm_answer *a)
{
	uint64_t ns = backoff_next(&g->backoff);

	if (a->retry_after_s > 0)
		ns += (uint64_t)i64_min(a->retry_after_s, RETRY_MAX) *
		      (uint64_t)NS_PER_S;
	return ns;
}

/* Once may be our clock; twice is a person's business. */
static void
unauthorised(struct gwpm *g, const struct gwpm_now *now)
{
	struct gwpm_out out = {
	    GWPM_TIME, GWPM_ROLE_QUERIES, "GET", "/time", NULL, 0, true};
	struct gwpm_call *c = gwpm_call_new(g, GWPM_TIME);

	if (g->auth_n++ > 0) {
		gwpm_block(g, "the venue does not accept our credentials");
		return;
	}
	if (c != NULL)
		gwpm_call_send(g, c, &out, now);
}

static void
limited(struct gwpm *g, const struct gwpm_call *c, const struct gwpm_answer *a,
    const struct gwpm_now *now)
{
	uint64_t until = now->ns + retry_ns(g, a);

	g->sink->log(g->sink->user, GWPM_LOG_RATE_LIMIT, c->kind, "", 0);
	if (c->kind == GWPM_POST) {
		g->order_hold_ns = until;
		bucket_empty(&g->orders, now->ns);
	} else if (c->kind == GWPM_CANCEL || c->kind == GWPM_CANCEL_MANY) {
		g->cancel_hold_ns = until;
		bucket_empty(&g->cancels, now->ns);
	} else {
		bucket_empty(&g->queries, now->ns);
	}
}

/* How long a mode lasts; refusals in it make it no longer. */
static void
enter_mode(struct gwpm *g, enum port_mode mode, const struct gwpm_answer *a,
    const struct gwpm_now *now)
{
	if (g->venue_mode != mode)
		gwpm_venue(g, mode, retry_ns(g, a), now);
}

struct gwpm_says
gwpm_refused(struct gwpm *g, const struct gwpm_call *c,
    const struct gwpm_answer *a, const struct gwpm_now *now)
{
	struct gwpm_says says;
	const char *text;
	size_t n;

	gwpm_error_text(a->body, a->n, &text, &n);
	says = gwpm_says(text, n);
	g->sink->log(g->sink->user, GWPM_LOG_REFUSED, a->status, text,
	    n < 200 ? n : 200);
	if (a->status == 401)
		unauthorised(g, now);
	else if (a->status == 403)
		gwpm_block(g, "the venue refuses this place or account");
	else if (a->status == 425)
		enter_mode(g, PORT_RESTARTING, a, now);
	else if (a->status == 429)
		limited(g, c, a, now);
	else if (says.class == GWPM_SAYS_POST_ONLY)
		enter_mode(g, PORT_POST_ONLY, a, now);
	else if (says.class == GWPM_SAYS_CANCEL_ONLY ||
		 says.class == GWPM_SAYS_DISABLED)
		enter_mode(g, PORT_CANCEL_ONLY, a, now);
	else if (says.class == GWPM_SAYS_CONFIG ||
		 says.class == GWPM_SAYS_ACCOUNT)
		gwpm_block(g, "the venue refuses the account or its keys");
	if (a->status == 401)
		says = (struct gwpm_says){GWPM_SAYS_AUTH, REASON_CREDENTIALS};
	else if (a->status == 425)
		says.reason = REASON_VENUE_MODE;
	else if (a->status == 429)
		says.reason = REASON_RATE_LIMIT;
	return says;
}

/* ---- life ---- */

static bool
make_templates(struct gwpm *g)
{
	static const struct {
		enum pm_generation generation;
		bool neg_risk;
	} kinds[3] = {{PM_EXCHANGE_V2, false}, {PM_EXCHANGE_V2, true},
	    {PM_EXCHANGE_V3, false}};

	for (int i = 0; i < 3; i++) {
		struct pm_exchange x;

		if (!pm_exchange_init(&x, kinds[i].generation,
			kinds[i].neg_risk, g->set.chain_id) ||
		    !pm_template_init(&g->tpl[i], &x, &g->set.account))
			return false;
	}
	return true;
}

/* What an earlier life gave out is unknown now. */
static void
take_over(struct gwpm *g)
{
	struct gwpm_now zero = {1, 0};

	gwpm_book_index(g->book);
	for (uint32_t i = 0; i < GWPM_MARKETS; i++)
		for (int k = 0; k < 2; k++) {
			g->book->market[i].token[k].hold_ns = 0;
			g->book->market[i].token[k].read.seq = 0;
		}
	g->book->cash.read.seq = 0;
	for (uint32_t i = g->book->active_n; i-- > 0;) {
		struct gwpm_order *o = &g->book->order[g->book->active[i]];

		o->sent_ns = o->absent_ns = o->seen_ns = 0;
		o->absent_n = o->tries = 0;
		o->ask_ns = 1;
		/* Its hash is there before its request leaves. */
		if (o->state == GWPM_QUEUED || !o->has_hash)
			gwpm_rejected(g, o, REASON_STARTUP, &zero);
		else
			o->state = GWPM_UNKNOWN;
	}
}

bool
gwpm_init(struct gwpm *g, const struct gwpm_setup *s, struct gwpm_book *book,
    const struct gwpm_sink *sink)
{
	CHECK(s->secp != NULL && s->key != NULL);
	CHECK(s->creds == NULL || s->secret != NULL);
	CHECK(s->order_timeout_ns > 0 && s->fill_poll_ns > 0);
	CHECK(s->epoch > 0);
	memset(g, 0, sizeof(*g));
	g->set = *s;
	g->sink = sink;
	g->book = book;
	g->venue_mode = PORT_NORMAL;
	address_format(&s->account.maker, g->maker);
	gwpm_limits_init(g);
	if (!secp_key_ok(s->secp, s->key))
		return false;
	take_over(g);
	return s->creds == NULL || gwpm_credentials(g, s->creds, s->secret);
}

bool
gwpm_credentials(
    struct gwpm *g, const struct pm_creds *creds, const char *secret)
{
	size_t n = strlen(creds->api_key);

	CHECK(secret != NULL);
	if (n > PM_OWNER_MAX)
		return false;
	memcpy(g->set.account.owner, creds->api_key, n + 1);
	g->set.creds = creds;
	g->set.secret = secret;
	g->me = (struct pm_user_me){creds->api_key, g->maker};
	return make_templates(g);
}

void
gwpm_start(struct gwpm *g, const struct gwpm_now *now)
{
	CHECK(g->set.creds != NULL);
	if (g->book->birth_s == 0) {
		g->book->birth_s = gwpm_wall_s(g, now);
		g->book->trades_s = g->book->birth_s;
	}
	for (uint32_t i = 0; i < g->book->active_n; i++)
		g->book->order[g->book->active[i]].sent_ns = now->ns;
	gwpm_sync_want(g, GWPM_STEP_VERSION, true, now);
	gwpm_timer(g, now);
}

/* Not before the venue has described it. */
static bool
has_tokens(const struct instr *in)
{
	static const uint8_t none[sizeof(in->token_yes)];

	return memcmp(in->token_yes, none, sizeof(none)) != 0 &&
	       memcmp(in->token_no, none, sizeof(none)) != 0;
}

static struct gwpm_market *
market_entry(struct gwpm_book *b, const struct instr *in)
{
	struct gwpm_market *free_at = NULL;

	for (uint32_t i = 0; i < GWPM_MARKETS; i++) {
		struct gwpm_market *m = &b->market[i];

		if (m->used && memcmp(m->token[0].id.w, in->token_yes,
				   sizeof(in->token_yes)) == 0)
			return m;
		if (free_at == NULL &&
		    (!m->used ||
			(m->instr == 0 && m->open_n == 0 &&
			    m->token[0].pending_n + m->token[1].pending_n ==
				0)))
			free_at = m;
	}
	if (free_at == NULL)
		return NULL;
	memset(free_at, 0, sizeof(*free_at));
	return free_at;
}

void
gwpm_market(struct gwpm *g, uint16_t instr, const struct instr *in)
{
	struct gwpm_market *old = gwpm_market_of(g->book, instr);
	struct gwpm_market *m =
	    has_tokens(in) ? market_entry(g->book, in) : NULL;

	CHECK(instr > 0 && instr < GWPM_INSTRS);
	if (old != NULL && old != m)
		old->instr = 0;
	g->book->by_instr[instr] = 0;
	if (m == NULL)
		return;
	g->book->by_instr[instr] = (uint16_t)(m - g->book->market + 1);
	m->refused = m->refused && m->epoch == in->epoch;
	if (!m->used) {
		memcpy(m->token[0].id.w, in->token_yes, 32);
		memcpy(m->token[1].id.w, in->token_no, 32);
		for (int k = 0; k < 2; k++)
			pm_asset_init(&m->token[k].asset, m->token[k].id.w);
		gwpm_hold_begin(g, m);
	}
	m->used = true;
	m->is_over = in->state == INSTR_CLOSED || in->state == INSTR_RESOLVED;
	m->instr = instr;
	m->epoch = in->epoch;
	m->neg_risk = in->neg_risk != 0;
	m->generation =
	    in->token_kind == TOKEN_POSITION ? PM_EXCHANGE_V3 : PM_EXCHANGE_V2;
	m->tick_e4 = (uint32_t)(in->tick_px.e8 / 10000);
	m->min_qty = in->min_qty;
	m->fee_ppm = in->fee_ppm;
	memcpy(m->condition, in->condition, sizeof(m->condition));
}

/* ---- acts ---- */

static void
act_cancel(struct gwpm *g, struct gwpm_order *o)
{
	if (o->state == GWPM_DONE)
		return;
	o->has_cancel = true;
	o->tries = 0;
	if (o->has_hash)
		gwpm_cancel_queue(g, o);
}

static void
act_ask(struct gwpm *g, struct gwpm_order *o, uint64_t ns)
{
	if (o->state == GWPM_DONE) {
		gwpm_tell(g, o, PORT_CANCELLED, REASON_OK);
		return;
	}
	o->is_asked = true;
	gwpm_ask_at(o, ns);
}

void
gwpm_act(struct gwpm *g, const struct port_act *a, const struct gwpm_now *now)
{
	struct gwpm_order *o = gwpm_order_by_id(g->book, a->id);
	struct gwpm_order none = {.id = a->id,
	    .slot = a->slot,
	    .instr = a->instr,
	    .side = a->side,
	    .px = a->px};

	CHECK(a->id != 0);
	CHECK(a->side == SIDE_BID || a->side == SIDE_ASK);
	if (a->what == PORT_PLACE) {
		gwpm_place(g, a, now);
		return;
	}
	if (o == NULL) {
		gwpm_tell(g, &none, PORT_GONE, REASON_UNKNOWN_ORDER);
		return;
	}
	switch (a->what) {
	case PORT_CANCEL:
	case PORT_REDUCE: act_cancel(g, o); return;
	case PORT_ASK: act_ask(g, o, now->ns); return;
	case PORT_PLACE:
	case PORT_DO_N: break;
	}
	CHECK(a->what < PORT_DO_N);
}

void
gwpm_flush(struct gwpm *g, const struct gwpm_now *now)
{
	if (g->set.creds == NULL)
		return;
	gwpm_flush_cancels(g, now);
	gwpm_flush_posts(g, now);
}

/* ---- answers ---- */

static void
time_answer(
    struct gwpm *g, const struct gwpm_answer *a, const struct gwpm_now *now)
{
	uint64_t s;
	struct json j;

	json_init(&j, a->body, a->n);
	if (a->status != 200 || !json_u64(&j, &s) || !json_end(&j))
		return;
	g->skew_ns = (int64_t)s * NS_PER_S - now->wall_ns;
	g->sink->clock(g->sink->user, g->skew_ns);
}

static void
dispatch(struct gwpm *g, struct gwpm_call *c, const struct gwpm_answer *a,
    const struct gwpm_now *now)
{
	if (a->status >= 200 && a->status < 300 && c->kind != GWPM_TIME)
		g->auth_n = 0;
	switch (c->kind) {
	case GWPM_POST: gwpm_post_answer(g, c, a, now); return;
	case GWPM_CANCEL:
	case GWPM_CANCEL_MANY: gwpm_cancel_answer(g, c, a, now); return;
	case GWPM_ASK: gwpm_ask_answer(g, c, a, now); return;
	case GWPM_SYNC: gwpm_sync_answer(g, c, a, now); return;
	case GWPM_BALANCE: gwpm_balance_answer(g, c, a, now); return;
	case GWPM_BEAT: gwpm_beat_answer(g, c, a, now); return;
	case GWPM_TIME: time_answer(g, a, now); return;
	case GWPM_KIND_N: break;
	}
	CHECK(c->kind < GWPM_KIND_N);
}

/* A copy is worked on: the entry may be used again meanwhile. */
static void
settle(struct gwpm *g, struct gwpm_call *c, const struct gwpm_answer *a,
    const struct gwpm_now *now)
{
	struct gwpm_call mine = *c;

	gwpm_limits_learn(g, &mine, a, now->ns);
	gwpm_call_over(g, c);
	dispatch(g, &mine, a, now);
}

void
gwpm_answer(
    struct gwpm *g, const struct gwpm_answer *a, const struct gwpm_now *now)
{
	struct gwpm_call *c = gwpm_call_find(g, a->tag);

	if (c == NULL)
		return; /* too late: it was taken for lost */
	settle(g, c, a, now);
	gwpm_timer(g, now);
}

/* ---- user channel ---- */

static void
on_order(void *user, const struct pm_user_order *o)
{
	struct gwpm_hear *h = user;

	gwpm_order_heard(h->g, o, h->is_answer, h->now);
}

static void
on_trade(void *user, const struct pm_user_trade *t)
{
	struct gwpm_hear *h = user;

	gwpm_trade(h->g, t, h->now);
}

static void
on_bad(void *user, enum reason r)
{
	struct gwpm_hear *h = user;

	h->g->stat.bad++;
	h->g->sink->log(
	    h->g->sink->user, GWPM_LOG_BAD_FRAME, (int64_t)r, "", 0);
}

struct pm_user_sink
gwpm_hearing(struct gwpm_hear *h)
{
	return (struct pm_user_sink){h, on_order, on_trade, on_bad};
}

void
gwpm_user_up(struct gwpm *g, const struct gwpm_now *now)
{
	char hello[HELLO_MAX];
	struct text t;
	size_t n;

	text_init(&t, hello, sizeof(hello));
	text_lit(&t, "{\"auth\":{\"apiKey\":\"");
	text_lit(&t, g->set.creds->api_key);
	text_lit(&t, "\",\"secret\":\"");
	text_lit(&t, g->set.secret);
	text_lit(&t, "\",\"passphrase\":\"");
	text_lit(&t, g->set.creds->passphrase);
	text_lit(&t, "\"},\"type\":\"user\"}");
	n = text_end(&t);
	if (n > 0)
		g->sink->channel(g->sink->user, hello, n);
	mbedtls_platform_zeroize(hello, sizeof(hello));
	g->is_up = true;
	g->up_ns = now->ns;
	g->ping_ns = now->ns + PING_NS;
	gwpm_hold_again(g);
	if (g->sync.step == GWPM_STEP_NONE || g->sync.is_ready)
		gwpm_sync_want(g, GWPM_STEP_OPEN, true, now);
	else
		g->sync.at_ns = now->ns; /* the start waited for it */
	gwpm_timer(g, now);
}

void
gwpm_user_down(struct gwpm *g, const struct gwpm_now *now)
{
	if (!g->is_up)
		return;
	g->is_up = false;
	g->closed_n =
	    now->ns < g->up_ns + HELLO_NS ? (uint8_t)(g->closed_n + 1) : 0;
	if (g->closed_n >= CLOSES_MAX)
		gwpm_block(g, "the user channel does not accept us");
	g->sync.is_blocking = true;
	gwpm_poll_at(g, now->ns);
	gwpm_mode_tell(g, "");
}

void
gwpm_user_text(
    struct gwpm *g, const char *text, size_t n, const struct gwpm_now *now)
{
	struct gwpm_hear h = {g, now, false};
	struct pm_user_sink sink = gwpm_hearing(&h);

	g->closed_n = 0;
	if (n == 0 || (text[0] != '{' && text[0] != '['))
		return; /* PONG and notices */
	if (pm_user_decode(text, n, &g->me, &sink, NULL) < 0)
		on_bad(&h, REASON_BAD_JSON);
}

/* ---- time ---- */

void
gwpm_lease(struct gwpm *g, uint64_t until_ns)
{
	g->beats.lease_ns = until_ns;
}

static void
calls_due(struct gwpm *g, const struct gwpm_now *now)
{
	for (uint32_t i = 0; i < GWPM_CALLS; i++) {
		struct gwpm_call *c = &g->call[i];
		struct gwpm_answer lost = {.tag = c->tag,
		    .was_sent = true,
		    .retry_after_s = -1,
		    .left = INT64_MIN};

		if (c->tag != 0 && now->ns >= c->due_ns)
			settle(g, c, &lost, now);
	}
}

void
gwpm_timer(struct gwpm *g, const struct gwpm_now *now)
{
	if (g->set.creds == NULL)
		return;
	calls_due(g, now);
	venue_back(g, now);
	gwpm_beat_due(g, now);
	gwpm_flush_cancels(g, now);
	gwpm_ask_due(g, now);
	gwpm_sync_due(g, now);
	/* What was not booked may be there: it is looked at. */
	if (g->sync.is_ready && (!g->is_blocked || g->stat.impossible > 0))
		gwpm_balance_due(g, now);
	gwpm_flush_posts(g, now);
	gwpm_ahead_due(g, now);
	if (g->is_up && now->ns >= g->ping_ns) {
		g->ping_ns = now->ns + PING_NS;
		g->sink->channel(g->sink->user, "PING", 4);
	}
}

uint64_t
gwpm_wake(const struct gwpm *g, uint64_t now_ns)
{
	bool is_idle = g->post.n + g->cancel.n == 0;

	if (is_idle && g->set.has_presign && now_ns >= g->ahead_ns &&
	    g->book->active_n > 0 && gwpm_mode(g) == PORT_NORMAL)
		return now_ns + TURN_NS;
	return now_ns + (is_idle ? TICK_NS : TICK_NS / 10);
}

bool
gwpm_flat(const struct gwpm *g)
{
	return g->book->active_n == 0;
}

/*
 * Hyperliquid's start, resync after a gap and slow reconcile: one question
 * after the other; orders are placed only when all were answered.
 */
#include <string.h>

#include "execd/gw_hl_int.h"
#include "libcore/check.h"

#define PAGE	     2000u /* fills in one answer */
#define OVERLAP_MS   10000u
#define MS_PER_DAY   INT64_C(86400000)
#define WARN_DAYS    7
#define WEIGHT_ROWS  20u
#define BOTH_STREAMS 3u

void
gwhl_log(
    struct gwhl *g, enum gwhl_log what, int64_t value, struct json_str text)
{
	g->sink->log(g->sink->user, what, value, text.s, text.n);
}

static enum port_mode
mode_of(const struct gwhl *g)
{
	if (g->is_blocked)
		return PORT_BLOCKED;
	if (!g->sync.is_ready)
		return PORT_STARTING;
	if (!g->is_up || g->sync.is_blocking)
		return PORT_RESYNC;
	if (g->is_spent || g->budget_left <= g->set.budget_reserve)
		return PORT_CANCEL_ONLY;
	return g->now.ns < g->post_only_ns ? PORT_POST_ONLY : PORT_NORMAL;
}

void
gwhl_mode(struct gwhl *g)
{
	enum port_mode m = mode_of(g);

	if (m == g->told)
		return;
	g->told = m;
	g->sink->mode(g->sink->user, m, m == PORT_BLOCKED ? g->why : "");
}

void
gwhl_sync_from(struct gwhl *g, enum gwhl_step step, bool blocking)
{
	g->sync.step = step;
	g->sync.is_busy = false;
	g->sync.is_blocking = blocking;
	g->sync.at_ns = g->now.ns;
	if (blocking)
		g->stat.resyncs++;
	gwhl_mode(g);
}

void
gwhl_sync_failed(struct gwhl *g, enum gwhl_kind kind)
{
	/* A poll of fills beside the steps comes again by itself. */
	if (kind == GWHL_FILLS && g->sync.step != GWHL_STEP_FILLS)
		return;
	g->sync.is_busy = false;
	g->sync.at_ns = g->now.ns + backoff_next(&g->again);
}

static void
next(struct gwhl *g, enum gwhl_step step)
{
	g->sync.step = step;
	g->sync.is_busy = false;
	g->sync.at_ns = g->now.ns;
	backoff_ok(&g->again);
}

/* What the venue said of the account, now that every fill in it was told. The
 * first time it is where our count begins. */
static void
tell_account(struct gwhl *g)
{
	for (uint32_t i = 0; i < GWHL_COINS; i++) {
		struct gwhl_coin *c = &g->coin[i];
		struct gwhl_position p = {c->instr, c->venue, c->venue};

		if (c->instr == 0 || !c->has_venue)
			continue;
		c->has_venue = false;
		if (!c->has_ours)
			c->ours = c->venue;
		c->has_ours = true;
		p.ours = c->ours;
		g->sink->position(g->sink->user, &p);
	}
	g->sink->account(g->sink->user, g->sync.usd);
}

static void
finished(struct gwhl *g)
{
	next(g, GWHL_STEP_NONE);
	g->sync.is_blocking = false;
	g->sync.is_ready = true;
	g->sync.check_ns = g->now.ns + g->set.check_ns;
	tell_account(g);
	gwhl_mode(g);
	if (!g->sync.once_more)
		return;
	g->sync.once_more = false;
	gwhl_sync_from(g, GWHL_STEP_OPEN, true);
}

/* Where a slow reconcile begins: not every look is worth its weight each
 * time. */
static enum gwhl_step
regular(const struct gwhl *g)
{
	if (g->now.ns >= g->sync.agents_ns)
		return GWHL_STEP_AGENTS;
	return g->now.ns >= g->sync.limit_ns ? GWHL_STEP_TIME
					     : GWHL_STEP_ACCOUNT;
}

/* ---- questions ---- */

static uint64_t
fills_from(const struct gwhl *g)
{
	uint64_t from =
	    g->book->sure_ms > OVERLAP_MS ? g->book->sure_ms - OVERLAP_MS : 0;

	return from > g->book->first_ms ? from : g->book->first_ms;
}

/* What is open and not ours goes by the venue's id. */
static void
cancel_foreign(struct gwhl *g)
{
	struct hl_action a = {.kind = HL_CANCEL,
	    .n = (uint16_t)g->sync.foreign_n,
	    .cancels = g->sync.foreign,
	    .fast = true};
	struct gwhl_call *c;

	if (g->sync.foreign_n == 0 || !gwhl_may(g, 2, true) ||
	    (c = gwhl_call_new(g, GWHL_FOREIGN)) == NULL)
		return;
	g->sync.foreign_n = 0;
	(void)gwhl_send(g, c, &a);
	g->sync.is_busy = true;
}

static bool
ask_step(struct gwhl *g, enum gwhl_step step)
{
	char q[HLI_ASK_MAX];

	switch (step) {
	case GWHL_STEP_TIME:
		(void)hl_ask_plain("exchangeStatus", q);
		return gwhl_question(g, GWHL_TIME, q, NULL);
	case GWHL_STEP_META:
		(void)hl_ask_plain("meta", q);
		return gwhl_question(g, GWHL_META, q, NULL);
	case GWHL_STEP_ROLE:
		(void)hl_ask_user("userRole", g->agent_text, q);
		return gwhl_question(g, GWHL_ROLE, q, NULL);
	case GWHL_STEP_AGENTS:
		(void)hl_ask_user("extraAgents", g->user, q);
		return gwhl_question(g, GWHL_AGENTS, q, NULL);
	case GWHL_STEP_LIMIT:
		(void)hl_ask_user("userRateLimit", g->user, q);
		return gwhl_question(g, GWHL_LIMIT, q, NULL);
	case GWHL_STEP_ACCOUNT:
		(void)hl_ask_user("clearinghouseState", g->user, q);
		return gwhl_question(g, GWHL_ACCOUNT, q, NULL);
	case GWHL_STEP_SPOT:
		(void)hl_ask_user("spotClearinghouseState", g->user, q);
		return gwhl_question(g, GWHL_SPOT, q, NULL);
	case GWHL_STEP_OPEN:
		(void)hl_ask_user("frontendOpenOrders", g->user, q);
		return gwhl_question(g, GWHL_OPEN, q, NULL);
	case GWHL_STEP_FILLS:
		(void)hl_ask_fills(g->user, fills_from(g), q);
		return gwhl_question(g, GWHL_FILLS, q, NULL);
	case GWHL_STEP_LINK:
	case GWHL_STEP_NONE:
	case GWHL_STEP_N: break;
	}
	return false;
}

/* While the socket is down fills come by asking. */
static void
poll_fills(struct gwhl *g)
{
	if (g->is_up || !g->sync.is_ready || g->now.ns < g->sync.poll_ns)
		return;
	g->sync.poll_ns = g->now.ns + g->set.fill_poll_ns;
	(void)ask_step(g, GWHL_STEP_FILLS);
}

void
gwhl_sync_step(struct gwhl *g)
{
	struct gwhl_sync *s = &g->sync;

	poll_fills(g);
	if (s->step == GWHL_STEP_NONE && s->is_ready && g->is_up) {
		if (s->again) {
			s->again = false;
			gwhl_sync_from(g, GWHL_STEP_LIMIT, true);
		} else if (g->now.ns >= s->check_ns) {
			gwhl_sync_from(g, regular(g), false);
		}
	}
	if (s->step == GWHL_STEP_LINK && g->is_up &&
	    g->subscribed == BOTH_STREAMS) {
		s->again = false;
		next(g, GWHL_STEP_LIMIT);
	}
	if (s->is_busy || s->step == GWHL_STEP_NONE || g->is_blocked ||
	    g->now.ns < s->at_ns)
		return;
	if (s->step == GWHL_STEP_OPEN && s->foreign_n > 0)
		cancel_foreign(g);
	else
		s->is_busy = ask_step(g, s->step);
}

/* ---- answers ---- */

static void
on_time(struct gwhl *g, const struct gwhl_call *c, uint64_t ms)
{
	int64_t mid = c->wall_ns / 2 + g->now.wall_ns / 2;
	int64_t skew = (int64_t)ms - mid / NS_PER_MS;
	int64_t slack = (g->now.wall_ns - c->wall_ns) / 2 / NS_PER_MS;

	/* An answer that took long says little about the clock. */
	if (slack > GWHL_SKEW_MS / 2) {
		if (g->sync.is_ready)
			next(g, GWHL_STEP_LIMIT);
		else
			gwhl_sync_failed(g, GWHL_TIME);
		return;
	}
	g->sink->clock(g->sink->user, skew * NS_PER_MS);
	if (skew > GWHL_SKEW_MS + slack || skew < -GWHL_SKEW_MS - slack) {
		gwhl_sync_failed(g, GWHL_TIME); /* until it is right */
		return;
	}
	g->skew_ms = skew;
	if (g->book->first_ms == 0) {
		g->book->first_ms = ms;
		g->book->sure_ms = ms;
	}
	next(g, g->sync.is_ready ? GWHL_STEP_LIMIT : GWHL_STEP_META);
}

static void
on_meta(struct gwhl *g, const char *text, size_t n)
{
	for (uint32_t i = 0; i < GWHL_COINS; i++) {
		struct gwhl_coin *c = &g->coin[i];
		struct hli_coin m;

		if (c->instr == 0)
			continue;
		if (!hl_info_coin(text, n, c->name, &m)) {
			gwhl_sync_failed(g, GWHL_META);
			return;
		}
		if (!m.found || m.index != c->asset ||
		    m.sz_decimals != c->grid.sz_decimals) {
			gwhl_block(g, "a coin is not listed as we know it");
			return;
		}
	}
	next(g, GWHL_STEP_ROLE);
}

static void
on_role(struct gwhl *g, enum hli_role role, const char *master)
{
	struct address a = g->agent;

	if (role == HLI_MISSING || role == HLI_OTHER) {
		gwhl_block(g, "the venue does not know our signing key");
		return;
	}
	if (role == HLI_AGENT && !address_parse(master, strlen(master), &a)) {
		gwhl_sync_failed(g, GWHL_ROLE);
		return;
	}
	/* Asked by an agent's address the venue answers with an empty
	 * account: only the master's is an account. */
	if (g->set.has_master && !address_eq(&g->set.master, &a)) {
		gwhl_block(
		    g, address_eq(&g->set.master, &g->agent)
			   ? "the configured account is the agent's address"
			   : "the signing key is another account's agent");
		return;
	}
	address_format_lower(&a, g->user);
	next(g, GWHL_STEP_AGENTS);
}

static void
on_agents(struct gwhl *g, uint64_t until_ms)
{
	int64_t left =
	    ((int64_t)until_ms - (int64_t)gwhl_wall_ms(g)) / MS_PER_DAY;
	struct json_str who = {g->agent_text, ADDRESS_TEXT_LEN, false};

	if (until_ms != 0 && left < WARN_DAYS)
		gwhl_log(g, GWHL_LOG_AGENT_EXPIRY, left, who);
	if (until_ms != 0 && until_ms <= gwhl_wall_ms(g)) {
		gwhl_block(g, "the agent has expired");
		return;
	}
	g->sync.agents_ns = g->now.ns + GWHL_AGENTS_NS;
	next(g, GWHL_STEP_LINK);
}

static void
on_limit(struct gwhl *g, const struct hli_limit *l)
{
	uint64_t cap = l->cap + l->surplus;
	bool was = g->is_spent;

	g->budget_left = l->used < cap ? cap - l->used : 0;
	g->knows_budget = true;
	g->is_spent = g->budget_left == 0;
	if (!g->is_spent)
		g->slow_ns = 0;
	if (was != g->is_spent)
		gwhl_log(g, GWHL_LOG_BUDGET, (int64_t)g->budget_left,
		    (struct json_str){.s = ""});
	g->sync.limit_ns = g->now.ns + GWHL_LIMIT_NS;
	gwhl_mode(g);
	next(g, GWHL_STEP_ACCOUNT);
}

static void
one_position(void *user, struct json_str coin, qty_t szi)
{
	struct gwhl *g = user;
	struct gwhl_coin *c = gwhl_coin_named(g, coin);

	if (c == NULL)
		return;
	c->seen = true;
	c->venue = szi;
}

static void
take_position(struct gwhl *g, struct gwhl_coin *c, uint64_t time_ms)
{
	if (!c->seen)
		c->venue = QTY(0);
	c->has_venue = true;
	g->sync.look_ms = time_ms;
	gwhl_roll(g, c);
}

static void
on_account(struct gwhl *g, const char *text, size_t n)
{
	struct hli_state s;

	for (uint32_t i = 0; i < GWHL_COINS; i++)
		g->coin[i].seen = false;
	if (!hl_info_state(text, n, &s, one_position, g)) {
		gwhl_sync_failed(g, GWHL_ACCOUNT);
		return;
	}
	for (uint32_t i = 0; i < GWHL_COINS; i++)
		if (g->coin[i].instr != 0)
			take_position(g, &g->coin[i], s.time_ms);
	g->sync.usd = s.value;
	/* Flat accounts keep their money on the spot side. */
	next(g, s.value.e6 == 0 && s.position_n == 0 ? GWHL_STEP_SPOT
						     : GWHL_STEP_OPEN);
}

static void
on_spot(struct gwhl *g, usd_t usd)
{
	g->sync.usd = usd;
	if (usd.e6 == 0 && !g->sync.is_ready)
		gwhl_block(g, "the account is empty");
	else
		next(g, GWHL_STEP_OPEN);
}

static void
foreign(struct gwhl *g, const struct hlu_order *u)
{
	struct gwhl_coin *c = gwhl_coin_named(g, u->coin);

	gwhl_log(g, GWHL_LOG_FOREIGN, (int64_t)u->oid, u->coin);
	if (!g->set.cancel_on_start || c == NULL) {
		gwhl_block(g, "open orders that we did not make");
		return;
	}
	if (g->sync.foreign_n < HL_BATCH_MAX)
		g->sync.foreign[g->sync.foreign_n++] =
		    (struct hl_cancel){.asset = c->asset, .oid = u->oid};
}

/* Presence counts at once; who is absent is asked about by name. */
static void
on_open(struct gwhl *g, const struct gwhl_call *c, const char *text, size_t n)
{
	static const uint64_t soon = 0;
	struct gwhl_book *b = g->book;
	struct hlu_order o;
	struct hl_user u;

	if (!hl_user_orders(&u, text, n)) {
		gwhl_sync_failed(g, GWHL_OPEN);
		return;
	}
	for (uint32_t i = 0; i < b->active_n; i++)
		if (b->order[b->active[i]].state == GWHL_LIVE &&
		    !b->order[b->active[i]].is_ended)
			gwhl_ask_soon(g, &b->order[b->active[i]], soon);
	g->sync.foreign_n = 0;
	while (hl_user_order(&u, &o)) {
		struct gwhl_order *ours;

		if (o.reason != REASON_NONE)
			continue;
		if (!o.has_cloid || gwhl_id_of(o.cloid) == 0) {
			foreign(g, &o);
			continue;
		}
		gwhl_update(g, &o, c->wall_ns);
		ours = gwhl_find(g, gwhl_id_of(o.cloid));
		if (ours != NULL && ours->oid == o.oid && !ours->must_tell &&
		    !ours->is_changing && !ours->has_cancel)
			ours->ask_ns = 0;
		if (ours != NULL && ours->state == GWHL_LIVE &&
		    !ours->has_cancel &&
		    (ours->slot == PORT_NO_SLOT ||
			(g->set.cancel_on_start && !g->sync.is_ready)))
			gwhl_withdraw(g, ours);
	}
	if (g->is_blocked)
		return;
	next(g, g->sync.foreign_n > 0 ? GWHL_STEP_OPEN : GWHL_STEP_FILLS);
}

static void
on_fills(struct gwhl *g, const struct gwhl_call *c, const char *text, size_t n)
{
	int64_t last_ns = 0;
	uint32_t rows = 0;
	uint64_t sure;
	struct hlu_fill f;
	struct hl_user u;

	if (!hl_user_fills(&u, text, n)) {
		gwhl_sync_failed(g, GWHL_FILLS);
		return;
	}
	for (; hl_user_fill(&u, &f); rows++) {
		if (f.reason != REASON_NONE)
			continue;
		gwhl_fill(g, &f);
		last_ns = i64_max(last_ns, f.venue_ns);
	}
	gwhl_keep(g); /* before it is sure that nothing is missing */
	(void)bucket_take(&g->weight, g->now.ns, rows / WEIGHT_ROWS, true);
	if (rows >= PAGE)
		sure = (uint64_t)(last_ns / NS_PER_MS) + OVERLAP_MS;
	else
		sure = (uint64_t)(c->wall_ns / NS_PER_MS + g->skew_ms);
	if (sure > g->book->sure_ms)
		g->book->sure_ms = sure;
	if (g->sync.step != GWHL_STEP_FILLS)
		return;
	if (rows >= PAGE)
		next(g, GWHL_STEP_FILLS);
	else
		finished(g);
}

static void
on_status(struct gwhl *g, const struct gwhl_call *c, const char *text, size_t n)
{
	struct gwhl_order *o = &g->book->order[c->item[0]];
	struct hlu_order u;
	bool known;
	bool ours = o->id == c->id[0];

	if (!hl_user_status(text, n, &known, &u)) {
		g->stat.bad++;
	} else if (known) {
		gwhl_update(g, &u, c->wall_ns);
	} else if (ours) {
		gwhl_absent(g, o, c->wall_ns);
	}
	if (ours)
		gwhl_settle_ask(g, o);
}

void
gwhl_on_info(struct gwhl *g, struct gwhl_call *c, const char *text, size_t n)
{
	char master[HLI_ADDRESS_MAX];
	enum hli_role role;
	struct hli_limit limit;
	uint64_t ms;
	usd_t usd;
	bool ok = true;

	switch ((enum gwhl_kind)c->kind) {
	case GWHL_ASK: on_status(g, c, text, n); break;
	case GWHL_TIME:
		if ((ok = hl_info_time(text, n, &ms)))
			on_time(g, c, ms);
		break;
	case GWHL_META: on_meta(g, text, n); break;
	case GWHL_ROLE:
		if ((ok = hl_info_role(text, n, &role, master)))
			on_role(g, role, master);
		break;
	case GWHL_AGENTS:
		if ((ok = hl_info_agent(text, n, g->agent_text, &ms)))
			on_agents(g, ms);
		break;
	case GWHL_LIMIT:
		if ((ok = hl_info_limit(text, n, &limit)))
			on_limit(g, &limit);
		break;
	case GWHL_ACCOUNT: on_account(g, text, n); break;
	case GWHL_SPOT:
		if ((ok = hl_info_spot(text, n, &usd)))
			on_spot(g, usd);
		break;
	case GWHL_OPEN: on_open(g, c, text, n); break;
	case GWHL_FILLS: on_fills(g, c, text, n); break;
	case GWHL_PLACE:
	case GWHL_CANCEL:
	case GWHL_CHANGE:
	case GWHL_FOREIGN:
	case GWHL_SCHEDULE:
	case GWHL_KIND_N: break;
	}
	if (!ok)
		gwhl_sync_failed(g, (enum gwhl_kind)c->kind);
	gwhl_call_free(g, c);
}

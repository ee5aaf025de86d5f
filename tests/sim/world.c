#define _GNU_SOURCE
#include "tests/sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backtest/engine.h"
#include "backtest/feeds.h"
#include "libcore/check.h"
#include "libcore/position.h"
#include "libshm/ctl.h"
#include "simvenue/capture_io.h"

struct world {
	struct captures captures;
	struct feeds *feeds;
	struct engine *engine;
	uint64_t now_ns;
	uint64_t step_at_ns;	/* UTC steps then ... */
	int64_t step_ns;	/* ... by so much; 0: not, or done           */
	uint64_t clock_from_ns; /* riskd freezes for the clock since */
	int64_t day;
	struct instr *instr;  /* INSTR_N                                  */
	struct position *pos; /* INSTR_N, from the fills alone           */
	px_t *mark;
	struct world_result r;
};

static void
on_instr(void *user, uint16_t idx, const struct instr *in)
{
	struct world *w = user;

	w->instr[idx] = *in;
}

static void
on_tick(void *user, enum venue v, const struct tick *t)
{
	struct world *w = user;
	bool is_instr = t->hdr.kind == TICK_INSTR;

	if (t->hdr.kind == TICK_BBO)
		w->mark[t->hdr.instr] =
		    PX((t->u.bbo.bid_px.e8 + t->u.bbo.ask_px.e8) / 2);
	engine_tick(w->engine, v, t, is_instr ? &w->instr[t->hdr.instr] : NULL,
	    w->now_ns);
}

static void
on_msg(void *user, enum ring_id ring, const struct order *o, uint64_t now_ns)
{
	struct world *w = user;
	struct position *p = &w->pos[o->hdr.instr];

	(void)now_ns;
	if (o->hdr.kind != MSG_FILL || topo_rings[ring].reader != ST_RISKD)
		return;
	position_fill(p, (enum side)o->side, o->exec_px, o->exec_qty);
	p->fees.e6 += o->usd.e6;
	w->r.fills++;
	w->r.volume_e6 += usd_notional(o->exec_px, o->exec_qty).e6;
}

/* How long riskd freezes for the clock, and what it passes meanwhile. */
static void
on_risk(void *user, const struct risk *r, const struct core_out *out,
    uint64_t now_ns)
{
	struct world *w = user;
	bool frozen = (r->freeze_all & FREEZE_CLOCK) != 0;

	w->r.days += w->day != 0 && r->loss.day != w->day;
	w->day = r->loss.day;
	for (uint32_t i = 0; frozen && i < out->n; i++)
		w->r.clock_orders += out->msg[i].order.hdr.kind == MSG_ORDER;
	if (!frozen && w->clock_from_ns != 0)
		w->r.clock_ns += now_ns - w->clock_from_ns;
	if (!frozen)
		w->clock_from_ns = 0;
	else if (w->clock_from_ns == 0)
		w->clock_from_ns = now_ns;
}

static void
finish(struct world *w)
{
	const struct engine_count *n = engine_count(w->engine);

	w->r.quote_hash = engine_quote_hash(w->engine);
	w->r.risk_hash = engine_risk_hash(w->engine);
	w->r.pnl_e6 = risk_pnl(engine_risk(w->engine)).e6;
	w->r.intents = n->intents;
	w->r.verdicts = n->verdicts;
	w->r.passed = n->passed;
	w->r.orders = n->orders;
	w->r.freezes = n->freezes;
	for (int v = 1; v < VENUE_N; v++) {
		struct feeds_count c;

		feeds_count(w->feeds, (enum venue)v, &c);
		w->r.feed_hash[v] = feeds_hash(w->feeds, (enum venue)v);
		w->r.frames[v] = c.frames;
		w->r.served[v] = c.served;
		w->r.received[v] = c.received;
		w->r.ticks[v] = c.ticks;
		w->r.malformed[v] = c.malformed;
		w->r.hash_ok += c.hash_ok;
		w->r.hash_bad += c.hash_bad;
	}
	for (uint32_t i = 0; i < INSTR_N; i++) {
		const struct position *p = &w->pos[i];

		w->r.replay_e6 += e16_to_usd(p->realised_e16).e6 - p->fees.e6 +
				  position_unrealised(p, w->mark[i]).e6;
	}
}

void
world_wall_step(struct world *w, uint64_t after_ns, int64_t step_ns)
{
	w->step_at_ns = feeds_start_ns(w->feeds) + after_ns;
	w->step_ns = step_ns;
}

void
world_run(struct world *w, uint64_t max_s, struct world_result *out)
{
	uint64_t stop = feeds_start_ns(w->feeds) + max_s * (uint64_t)NS_PER_S;

	for (;;) {
		uint64_t feed_ns = feeds_next_ns(w->feeds);
		uint64_t core_ns = engine_next_ns(w->engine);

		if (feed_ns == 0 || feed_ns >= stop)
			break;
		if (core_ns != 0 && core_ns < feed_ns)
			feed_ns = core_ns;
		if (feed_ns > w->now_ns)
			w->now_ns = feed_ns;
		if (w->step_ns != 0 && w->now_ns >= w->step_at_ns) {
			feeds_wall_step(w->feeds, w->step_ns);
			engine_wall_step(w->engine, w->step_ns);
			w->step_ns = 0;
		}
		engine_run(w->engine, w->now_ns);
		feeds_run(w->feeds, w->now_ns);
	}
	finish(w);
	*out = w->r;
}

struct world *
world_new(
    const struct cfg *cfg, const char *const *files, char *why, size_t why_n)
{
	struct world *w = calloc(1, sizeof(*w));
	const struct feeds_sink sink = {w, on_tick, on_instr};
	const struct engine_args args = {
	    .cfg = cfg, .hooks = {w, on_msg, on_risk}};
	char err[CAPTURES_ERROR_MAX];

	CHECK(w != NULL);
	captures_init(&w->captures);
	for (; *files != NULL; files++)
		if (captures_add(&w->captures, *files, err) < 0) {
			snprintf(why, why_n, "%s", err);
			captures_free(&w->captures);
			free(w);
			return NULL;
		}
	CHECK(captures_done(&w->captures, err) == 0);
	w->instr = calloc(INSTR_N, sizeof(w->instr[0]));
	w->pos = calloc(INSTR_N, sizeof(w->pos[0]));
	w->mark = calloc(INSTR_N, sizeof(w->mark[0]));
	w->feeds = feeds_new(cfg, &w->captures, &sink);
	w->engine = engine_new(&args);
	CHECK(w->instr != NULL);
	CHECK(w->pos != NULL);
	CHECK(w->mark != NULL);
	CHECK(w->feeds != NULL);
	CHECK(w->engine != NULL);
	return w;
}

void
world_free(struct world *w)
{
	feeds_free(w->feeds);
	engine_free(w->engine);
	captures_free(&w->captures);
	free(w->instr);
	free(w->pos);
	free(w->mark);
	free(w);
}

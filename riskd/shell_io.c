#define _GNU_SOURCE
#include "riskd/shell.h"

#include <string.h>

#include "libsys/log.h"

static const enum freeze_word word_of[VENUE_N] = {
    [VENUE_POLYMARKET] = FW_RISKD_PM,
    [VENUE_BINANCE] = FW_RISKD,
    [VENUE_HYPERLIQUID] = FW_RISKD_HL,
};

/* The mask behind a word; Binance's place stands for the common one. */
static uint64_t
mask_of(const struct risk *r, int v)
{
	return v == VENUE_BINANCE ? r->freeze_all : r->freeze[v];
}

uint64_t
shell_freeze_word(const struct stage *s, enum venue v)
{
	return atomic_load(&s->ctl->freeze[word_of[v]].mask);
}

void
shell_freeze_words(struct stage *s, struct shell *sh)
{
	for (int v = 1; v < VENUE_N; v++) {
		uint64_t have = shell_freeze_word(s, (enum venue)v);
		uint64_t want = mask_of(sh->core, v);

		if ((want & ~have) != 0)
			ctl_freeze_set(
			    s->ctl, word_of[v], want & ~have, true, s->now_ns);
		if ((have & ~want) != 0)
			ctl_freeze_set(
			    s->ctl, word_of[v], have & ~want, false, s->now_ns);
	}
	if (!sh->core->lease_ok && sh->seen.lease)
		ctl_lease_drop(s->ctl);
	sh->seen.lease = sh->core->lease_ok;
}

static void
log_freeze(struct stage *s, struct shell *sh, int v)
{
	uint64_t was =
	    v == VENUE_BINANCE ? sh->seen.freeze_all : sh->seen.freeze[v];
	uint64_t now = mask_of(sh->core, v);
	const char *of = v == VENUE_BINANCE ? "all" : venue_name((enum venue)v);
	char text[160];

	if (was == now)
		return;
	if ((now & ~was) != 0) {
		metrics_add(s->metrics, M_RISKD_FREEZES, 1);
		LOG(LOG_FREEZE,
		    F_STR("reason", reason_name(freeze_reason(now & ~was))),
		    F_STR("by", "riskd"), F_STR("venue", of),
		    F_STR("mask", freeze_format(now, text, sizeof(text))));
	}
	if (was == 0)
		sh->seen.frozen_ns[v] = s->now_ns;
	if (now == 0)
		LOG(LOG_THAW, F_STR("reason", reason_name(freeze_reason(was))),
		    F_STR("by", "riskd"), F_STR("venue", of),
		    F_U64("frozen_ms", (s->now_ns - sh->seen.frozen_ns[v]) /
					   (uint64_t)NS_PER_MS));
	if (v == VENUE_BINANCE)
		sh->seen.freeze_all = now;
	else
		sh->seen.freeze[v] = now;
}

static void
log_kill(struct shell *sh, int v)
{
	const struct kill *k = &sh->core->link[v].kill;

	if (sh->seen.kill[v] == k->state)
		return;
	if (k->state == KILL_TRIPPED)
		LOG(LOG_LATENCY_KILL_SWITCH,
		    F_STR("venue", venue_name((enum venue)v)),
		    F_STR("cause", kill_cause_name((enum kill_cause)k->cause)),
		    F_DEC("value_ms", k->value_ns, 6),
		    F_DEC("limit_ms", k->limit_ns, 6));
	else if (k->state == KILL_GOOD)
		LOG(LOG_LATENCY_RESUME,
		    F_STR("venue", venue_name((enum venue)v)),
		    F_DEC("ema_ms", k->ema_ns, 6));
	sh->seen.kill[v] = k->state;
}

static void
log_skew(struct shell *sh, enum venue v)
{
	const struct risk *r = sh->core;
	bool now = risk_is_skewed(r, v);

	if (now == sh->seen.skewed[v])
		return;
	sh->seen.skewed[v] = now;
	if (now)
		LOG(LOG_CLOCK_FROZEN, F_STR("cause", "skew"),
		    F_STR("venue", venue_name(v)),
		    F_I64("value_ms", r->link[v].skew_ms),
		    F_I64(
			"limit_ms", r->cfg.risk_clock_skew_max.ns / NS_PER_MS));
	else
		LOG(LOG_CLOCK_GOOD, F_STR("cause", "skew"),
		    F_STR("venue", venue_name(v)));
}

static void
log_step(struct shell *sh)
{
	const struct risk *r = sh->core;

	if (r->clock.stepped == sh->seen.stepped)
		return;
	sh->seen.stepped = r->clock.stepped;
	if (r->clock.stepped)
		LOG(LOG_CLOCK_FROZEN, F_STR("cause", "step"),
		    F_STR("venue", "all"),
		    F_I64("value_ms", r->clock.step_ns / NS_PER_MS),
		    F_I64(
			"limit_ms", r->cfg.risk_clock_skew_max.ns / NS_PER_MS));
	else
		LOG(LOG_CLOCK_GOOD, F_STR("cause", "step"),
		    F_STR("venue", "all"));
}

static void
log_verdict(struct stage *s, struct shell *sh, const struct order *o)
{
	const struct risk_bound *b = &sh->core->bound;
	struct instr in;

	if (o->reason == REASON_OK)
		return;
	metrics_reason(s->metrics, (enum reason)o->reason, 1);
	if (!instr_read(s->instr, o->hdr.instr, &in))
		memset(&in, 0, sizeof(in));
	in.symbol[sizeof(in.symbol) - 1] = '\0';
	if (o->reason == REASON_DAILY_LOSS)
		LOG(LOG_DAILY_LOSS_BOUND, F_STR("instrument", in.symbol),
		    F_DEC("realised_usd", b->realised.e6, 6),
		    F_DEC("others_worst_usd", b->others.e6, 6),
		    F_DEC("market_worst_usd", b->market.e6, 6),
		    F_DEC("worst_usd",
			b->realised.e6 + b->others.e6 + b->market.e6, 6),
		    F_DEC("limit_usd", -b->limit.e6, 6));
	else
		LOG(LOG_REFUSED, F_STR("instrument", in.symbol),
		    F_STR("reason", reason_name((enum reason)o->reason)));
}

static void
log_day(struct stage *s, struct shell *sh)
{
	struct risk *r = sh->core;

	if (r->loss.day != sh->seen.day) {
		if (sh->seen.day != 0)
			LOG(LOG_DAILY_PNL_RESET,
			    F_DEC("pnl_usd", sh->seen.realised.e6, 6),
			    F_I64("day", sh->seen.day));
		sh->seen.day = r->loss.day;
	}
	sh->seen.realised = loss_realised(&r->loss);
	if (r->loss.latched == sh->seen.latched)
		return;
	if ((r->loss.latched & ~sh->seen.latched & FREEZE_DRAWDOWN) != 0)
		LOG(LOG_DRAWDOWN_LATCH,
		    F_DEC("pnl_usd", r->loss.latch_pnl.e6, 6),
		    F_DEC(
			"fall_usd", loss_fall(&r->loss, r->unrealised).e6, 6));
	if ((r->loss.latched & ~sh->seen.latched & FREEZE_DAILY_LOSS) != 0)
		LOG(LOG_DAILY_LOSS_LATCH,
		    F_DEC("pnl_usd", r->loss.latch_pnl.e6, 6),
		    F_DEC(
			"limit_usd", -r->cfg.mm_global_daily_loss_limit.e6, 6));
	sh->seen.latched = r->loss.latched;
	/* A latch is on disk before anything else happens. */
	shell_keep(s, sh, true);
}

void
shell_observe(struct stage *s, struct shell *sh)
{
	for (int v = 1; v < VENUE_N; v++) {
		log_kill(sh, v);
		log_skew(sh, (enum venue)v);
		log_freeze(s, sh, v);
	}
	log_step(sh);
	for (uint32_t i = 0; i < sh->out.n; i++)
		if (sh->out.msg[i].order.hdr.kind == MSG_VERDICT)
			log_verdict(s, sh, &sh->out.msg[i].order);
	shell_notes(s, sh);
	log_day(s, sh);
	sh->out.n = 0;
}

void
shell_keep(struct stage *s, struct shell *sh, bool sync)
{
	uint32_t left_out = risk_image_take(sh->core, &sh->copy.image);
	int rc = risk_io_write(&sh->io, &sh->copy, sync);

	if (left_out > sh->seen.left_out)
		LOG(LOG_CHECKPOINT_FAILED, F_STR("file", sh->io.path),
		    F_STR("what", "full: entries were left out"),
		    F_U64("left_out", left_out));
	sh->seen.left_out = left_out;
	if (rc < 0)
		LOG(LOG_CHECKPOINT_FAILED, F_STR("file", sh->io.path),
		    F_STR("what", strerror(-rc)));
	if (sync)
		sh->io.written_ns = s->now_ns;
	sh->unrealised = sh->core->unrealised;
	sh->unsynced = rc < 0 || !sync;
}

void
shell_checkpoint(struct stage *s, struct shell *sh)
{
	const struct loss *l = &sh->core->loss;
	uint64_t gap = (uint64_t)s->cfg.risk_checkpoint_interval.ns;

	if (!sh->unsynced && sh->unrealised.e6 == sh->core->unrealised.e6 &&
	    memcmp(l, &sh->copy.image.loss, sizeof(*l)) == 0)
		return;
	if (sh->io.written_ns == 0 || s->now_ns >= sh->io.written_ns + gap)
		shell_keep(s, sh, true);
}

void
shell_metrics(struct stage *s, struct shell *sh)
{
	const struct risk *r = sh->core;
	const struct risk_stat *now = &r->stat;
	struct risk_stat *was = &sh->seen.stat;
	struct metrics *m = s->metrics;

	/* From durable state: a death loses no count. */
	metrics_set(m, M_RISKD_PASSED, (int64_t)now->passed);
	metrics_set(m, M_RISKD_REFUSED, (int64_t)now->refused);
	metrics_set(m, M_RISKD_FILLS, (int64_t)now->fills);
	metrics_set(m, M_RISKD_FILL_DUPS, (int64_t)now->fill_dups);
	metrics_set(m, M_RISKD_FILL_LATE, (int64_t)now->late);
	metrics_set(m, M_RISKD_FILL_LOST, (int64_t)now->lost);
	if (now->lost != was->lost)
		LOG(LOG_FILL_LOST, F_U64("n", now->lost));
	metrics_add(m, M_ANY_IN_DROPPED, now->unknown - was->unknown);
	*was = *now;
	metrics_set(m, M_RISKD_FROZEN, r->freeze_all != 0);
	metrics_set(m, M_RISKD_REDUCE_ONLY, r->reduce);
	metrics_set(m, M_RISKD_PNL_DAY, risk_pnl(r).e6);
	metrics_set(m, M_RISKD_PNL_REALISED, loss_realised(&r->loss).e6);
	metrics_set(m, M_RISKD_FEES, r->loss.fees.e6);
	metrics_set(m, M_RISKD_EXPOSURE, r->exposure.e6);
	metrics_set(m, M_RISKD_OPEN_ORDERS, r->open_n);
	metrics_set(m, M_RISKD_SETTLED, (int64_t)now->settled);
	metrics_set(m, M_RISKD_AWAITING, r->kept_n);
	shell_watch_metrics(s, sh);
}

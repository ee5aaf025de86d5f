/*
 * quoted - decides what should rest where. The shell: rings in, intents
 * out, notes to the log, numbers to the metrics. Sealed after start.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "libsys/log.h"
#include "libsys/sandbox.h"
#include "libsys/stage.h"
#include "quoted/opfile_io.h"
#include "quoted/strat.h"
#include "quoted/trace.h"

struct shell {
	struct quote *core;
	struct why_page *why;
	struct opfile *prob; /* satellite.file; NULL none                  */
	usd_t capital;	     /* as last logged                            */
	struct quote_out out;
};

static void
log_capital(struct shell *sh)
{
	struct sizing_split split = strat_capital(sh->core);

	sh->capital = sh->core->capital;
	LOG(LOG_CAPITAL_ALLOCATION, F_DEC("capital_usd", sh->capital.e6, 6),
	    F_DEC("maker_usd", split.maker.e6, 6),
	    F_DEC("arb_usd", split.arb.e6, 6),
	    F_DEC("reserve_usd", split.reserve.e6, 6));
}

static int
on_open(struct stage *s)
{
	struct shell *sh = s->ops->self;
	struct sandbox_report report;
	struct err e;

	sh->core = calloc(1, sizeof(*sh->core));
	if (sh->core == 0)
		return EXIT_TEMPORARY;
	quote_init(sh->core, &s->cfg, s->epoch);
	s->wake_ns = s->now_ns;
	log_capital(sh);
	if (why_create(&sh->why, s->instance.dirfd, s->ctl->hdr.run_id, &e) <
	    0) {
		LOG(LOG_STAGE_FAILED, F_STR("what", e.text));
		return EXIT_TEMPORARY;
	}
	quote_why_set(sh->core, sh->why);
	if (!opfile_lstm(s->cfg.vol_lstm_file.s, sh->core) ||
	    !opfile_open(s->cfg.satellite_file.s, &sh->prob))
		return EXIT_PERMANENT;
	if (sandbox_seal(SANDBOX_QUOTED, (enum cfg_sandbox)s->cfg.sandbox_mode,
		&report, &e) < 0) {
		LOG(LOG_STAGE_FAILED, F_STR("what", e.text));
		return EXIT_PERMANENT;
	}
	LOG(LOG_SANDBOX_SEALED, F_BOOL("seccomp", report.seccomp),
	    F_I64("landlock_abi", report.landlock_abi));
	return 0;
}

/* The labels of the features found, joined by blanks. */
static const char *
features(int64_t bits)
{
	static char text[768];
	size_t at = 0;

	text[0] = '\0';
	for (unsigned b = 1; b < RRS_N; b++) {
		const char *label = rrs_label(b);
		size_t n;

		if (label == NULL || ((uint64_t)bits >> b & 1u) == 0)
			continue;
		n = strlen(label);
		if (at + n + 2 > sizeof(text))
			break;
		if (at > 0)
			text[at++] = ' ';
		memcpy(text + at, label, n + 1);
		at += n;
	}
	return text;
}

static void
log_cycle(struct stage *s, const struct quote_note *n)
{
	const struct quote *q = ((struct shell *)s->ops->self)->core;
	const uint32_t *v = q->sel.vetoes;
	int64_t stale_ns = s->cfg.system_mode == MODE_LIVE
			       ? s->cfg.qs_book_staleness_s_prod.ns
			       : s->cfg.qs_book_staleness_s_paper.ns;

	metrics_set(s->metrics, M_QUOTED_ACTIVE_SET, (uint64_t)n->a);
	LOG(LOG_QS_CYCLE, F_I64("active", n->a), F_I64("looked_at", n->b),
	    F_U64("ok", v[SELECT_OK]), F_U64("rrs", v[SELECT_RRS]),
	    F_U64("state", v[SELECT_STATE]), F_U64("stale", v[SELECT_STALE]),
	    F_U64("crossed", v[SELECT_CROSSED]),
	    F_U64("gapped", v[SELECT_GAPPED]),
	    F_U64("liquidity", v[SELECT_LIQUIDITY]),
	    F_U64("toxic", v[SELECT_TOXIC]),
	    F_U64("cluster", v[SELECT_CLUSTER]),
	    F_DEC("stale_threshold_s", stale_ns, 9));
}

static void
log_note(struct stage *s, const struct quote_note *n)
{
	struct shell *sh = s->ops->self;
	const char *symbol = sh->core->mkt[n->instr].in.symbol;

	switch ((enum quote_what)n->what) {
	case QUOTE_WARM:
		LOG(LOG_WARMUP, F_DEC("warmup_s", n->a, 3),
		    F_I64("books_received", n->b));
		break;
	case QUOTE_JUMP:
		metrics_add(s->metrics, M_QUOTED_PAUSES, 1);
		LOG(LOG_PRICE_JUMP, F_STR("instrument", symbol),
		    F_DEC("divergence", n->a, 8), F_DEC("pause_s", n->b, 9));
		break;
	case QUOTE_GAPPED:
		LOG(LOG_GAPPED_MARKET, F_STR("instrument", symbol),
		    F_DEC("spread", n->a, 8));
		break;
	case QUOTE_GAMMA:
		if (n->b != 0)
			LOG(LOG_DYNAMIC_GAMMA, F_STR("instrument", symbol),
			    F_DEC("gamma", n->a, 8));
		else
			LOG(LOG_GAMMA_BASE, F_STR("instrument", symbol),
			    F_DEC("gamma", n->a, 8));
		break;
	case QUOTE_SMALL:
		LOG(LOG_TOO_SMALL, F_STR("instrument", symbol),
		    F_DEC("qty", n->a, 8), F_DEC("min_qty", n->b, 8));
		break;
	case QUOTE_WITHDRAW:
		LOG(LOG_QUOTES_WITHDRAWN,
		    F_STR("venue", venue_name((enum venue)n->a)),
		    F_STR("reason", reason_name((enum reason)n->reason)));
		break;
	case QUOTE_FACTORS:
		LOG(LOG_RISK_FACTORS, F_STR("instrument", symbol),
		    F_STR("reason", reason_name((enum reason)n->reason)),
		    F_DEC("gamma_mult", n->a, 8),
		    F_DEC("spread_mult", n->b, 8));
		break;
	case QUOTE_CYCLE: log_cycle(s, n); break;
	case QUOTE_SAMPLE:
		LOG(LOG_QS_SAMPLE, F_STR("instrument", symbol),
		    F_STR("primary_veto",
			select_veto_name((enum select_veto)n->reason)),
		    F_DEC("score", n->a, 8), F_I64("rank", n->b));
		break;
	case QUOTE_TAKE:
		metrics_add(s->metrics, M_QUOTED_TAKES, 1);
		LOG(LOG_TAKE_SENT, F_STR("instrument", symbol),
		    F_STR("strategy", strategy_name((uint8_t)n->strategy)),
		    F_DEC("price", n->a, 8), F_DEC("edge", n->b, 8));
		break;
	case QUOTE_LEG:
		LOG(LOG_PARITY_LEG, F_STR("instrument", symbol),
		    F_DEC("qty", n->a, 8), F_DEC("limit", n->b, 8));
		break;
	case QUOTE_CUT:
		LOG(LOG_LADDER_CUT, F_STR("instrument", symbol),
		    F_I64("levels_n", n->a), F_I64("asked_n", n->b));
		break;
	case QUOTE_RRS:
		LOG(LOG_RRS_SCORE, F_STR("instrument", symbol),
		    F_DEC("score", n->a, 8), F_STR("features", features(n->b)));
		break;
	case QUOTE_WHAT_N: break;
	}
}

static void
on_lost(struct stage *s, enum ring_id ring, const struct order *o)
{
	struct shell *sh = s->ops->self;
	struct quote_trace_lost t = {.id = o->id,
	    .instr = o->hdr.instr,
	    .side = o->side,
	    .level = o->level};

	(void)ring;
	quote_lost(sh->core, o, s->now_ns);
	stage_trace_own(s, QUOTE_TRACE_LOST, &t, sizeof(t));
}

static void
on_step(struct stage *s, const struct event *ev)
{
	struct shell *sh = s->ops->self;

	if (ev->kind == EV_SLOT && ev->slot->hdr.kind == MSG_FILL)
		metrics_add(s->metrics, M_QUOTED_FILLS, 1);
	quote_step(sh->core, ev, &sh->out);
	metrics_add(s->metrics, M_QUOTED_INTENTS, sh->out.core.n);
	stage_emit_out(s, &sh->out.core, on_lost);
	for (uint32_t i = 0; i < sh->out.tap_n; i++)
		stage_tap(s, &sh->out.tap[i]);
	for (uint32_t i = 0; i < sh->out.note_n; i++)
		log_note(s, &sh->out.note[i]);
}

static void
on_housekeep(struct stage *s)
{
	struct shell *sh = s->ops->self;
	uint32_t books = 0;
	uint32_t quotes = 0;

	if (sh->core->capital.e6 != sh->capital.e6)
		log_capital(sh);
	opfile_turn(sh->prob, &sh->core->prob, s->now_ns);
	for (uint32_t i = 1; i <= sh->core->max_instr; i++) {
		const struct quote_mkt *m = &sh->core->mkt[i];

		if (!m->known)
			continue;
		books += m->valid;
		quotes += m->side[SIDE_BID].qty.e8 > 0;
		quotes += m->side[SIDE_ASK].qty.e8 > 0;
	}
	metrics_set(s->metrics, M_QUOTED_BOOKS, books);
	metrics_set(s->metrics, M_QUOTED_QUOTES, quotes);
}

static bool
on_stop(struct stage *s)
{
	struct shell *sh = s->ops->self;

	return sh->core->sweep == 0;
}

static uint64_t
on_hash(const struct stage *s)
{
	const struct shell *sh = s->ops->self;

	return quote_hash(sh->core);
}

static int
on_close(struct stage *s)
{
	struct shell *sh = s->ops->self;

	opfile_close(sh->prob);
	why_detach(sh->why);
	free(sh->core);
	return 0;
}

int
main(int argc, char **argv)
{
	static struct shell sh;
	static struct stage_ops ops = {
	    .program = "quoted",
	    .about = "Computes the orders that should rest in each market.",
	    .open = on_open,
	    .step = on_step,
	    .housekeep = on_housekeep,
	    .stop = on_stop,
	    .stop_limit_ns = UINT64_C(500000000),
	    .hash = on_hash,
	    .close = on_close,
	};

	ops.self = &sh;
	return stage_main(&ops, argc, argv);
}

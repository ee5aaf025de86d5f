/*
 * quoted - decides what should rest where. The shell: rings in, intents
 * out, notes to the log, numbers to the metrics. Sealed after start.
 */
#define _GNU_SOURCE
#include <stdlib.h>

#include "libsys/log.h"
#include "libsys/sandbox.h"
#include "libsys/stage.h"
#include "quoted/quote.h"

struct shell {
	struct quote *core;
	struct quote_out out;
};

static void
log_capital(const struct cfg *c)
{
	LOG(LOG_CAPITAL_ALLOCATION, F_DEC("capital_usd", c->capital_usd.e6, 6),
	    F_DEC("maker_usd",
		i64_mul_div(c->capital_usd.e6, c->capital_maker_frac.e8, E8),
		6),
	    F_DEC("reserve_usd",
		i64_mul_div(c->capital_usd.e6, c->capital_reserve_frac.e8, E8),
		6));
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
	log_capital(&s->cfg);
	if (sandbox_seal(SANDBOX_QUOTED, (enum cfg_sandbox)s->cfg.sandbox_mode,
		&report, &e) < 0) {
		LOG(LOG_STAGE_FAILED, F_STR("what", e.text));
		return EXIT_PERMANENT;
	}
	LOG(LOG_SANDBOX_SEALED, F_BOOL("seccomp", report.seccomp),
	    F_I64("landlock_abi", report.landlock_abi));
	return 0;
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
	case QUOTE_WHAT_N: break;
	}
}

static void
on_lost(struct stage *s, enum ring_id ring, const struct order *o)
{
	struct shell *sh = s->ops->self;

	(void)ring;
	quote_lost(sh->core, o, s->now_ns);
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
	for (uint32_t i = 0; i < sh->out.note_n; i++)
		log_note(s, &sh->out.note[i]);
}

static void
on_housekeep(struct stage *s)
{
	struct shell *sh = s->ops->self;
	uint32_t books = 0;
	uint32_t quotes = 0;

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

static int
on_close(struct stage *s)
{
	struct shell *sh = s->ops->self;

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
	    .close = on_close,
	};

	ops.self = &sh;
	return stage_main(&ops, argc, argv);
}

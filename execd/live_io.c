#define _GNU_SOURCE
#include "execd/live_io.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "execd/exec_int.h"
#include "execd/gate.h"
#include "libcore/check.h"
#include "libsys/clock.h"
#include "libsys/log.h"
#include "libsys/stage_int.h"

/* Answers that cause acts that are answered at once: a few. Past this the
 * rest waits for the next pass. */
#define ROUNDS_MAX 16u
/* The gateway's timer is never later than this after its last call, however
 * often it is asked meanwhile when it wants the next. */
#define TIMER_NS UINT64_C(100000000)
/* A stop repeats its cancel-all, and its question, this often. */
#define STOP_EVERY_NS UINT64_C(500000000)

enum item_kind {
	ITEM_EVENT = 1,
	ITEM_HOLDING,
	ITEM_KIND_N
};

struct item {
	enum item_kind kind;
	union {
		struct port_event event;
		struct gateway_holding holding;
	} u;
};

struct live {
	const struct gateway_ops *ops;
	void *gate;
	struct gateway_sink sink;
	uint64_t mode_ns;    /* since when the venue is in its mode       */
	uint64_t thaw_epoch; /* of the last look                          */
	uint64_t stop_ns;    /* next repetition during a stop             */
	uint64_t timer_ns;   /* the gateway's timer is due by then        */
	bool is_busy;	     /* in live_settle                            */
	bool is_started;
	bool is_latched; /* blocked once; a person must thaw              */
	bool is_verifying;
	bool again;
	uint32_t head; /* items ever taken                                */
	uint32_t tail; /* items ever put                                  */
	struct item queue[LIVE_QUEUE];
};

_Static_assert((LIVE_QUEUE & (LIVE_QUEUE - 1)) == 0, "a power of two");

/* ---- what the gateway tells ---- */

static struct item *
put(struct shell *sh, enum item_kind kind)
{
	struct live *l = sh->live;
	struct item *i;

	if (l->tail - l->head == LIVE_QUEUE) {
		/* The book of the gateway has it all, and tells it again. */
		LOG(LOG_STAGE_FAILED,
		    F_STR("what", "the venue says more than riskd takes; "
				  "beginning again"));
		_exit(EXIT_TEMPORARY);
	}
	i = &l->queue[l->tail++ & (LIVE_QUEUE - 1)];
	i->kind = kind;
	return i;
}

static void
on_event(void *user, const struct port_event *ev)
{
	put(user, ITEM_EVENT)->u.event = *ev;
}

static void
on_holding(void *user, const struct gateway_holding *h)
{
	put(user, ITEM_HOLDING)->u.holding = *h;
}

static bool
may_place(void *user)
{
	const struct shell *sh = user;

	return !sh->core->stopping &&
	       exec_gate(sh->stage->ctl, sh->core->venue, clock_mono_ns()) == 0;
}

static const char *
mode_text(enum port_mode mode)
{
	static const char *const text[PORT_MODE_N] = {
	    [PORT_STARTING] = "starting",
	    [PORT_NORMAL] = "normal",
	    [PORT_POST_ONLY] = "post_only",
	    [PORT_CANCEL_ONLY] = "cancel_only",
	    [PORT_RESTARTING] = "restarting",
	    [PORT_BLOCKED] = "blocked",
	    [PORT_RESYNC] = "resync",
	};

	CHECK(mode >= PORT_STARTING);
	CHECK(mode < PORT_MODE_N);
	return text[mode];
}

static void
freeze(struct shell *sh, uint64_t bits, bool on)
{
	struct stage *s = sh->stage;

	if (bits != 0)
		(void)ctl_freeze_set(
		    s->ctl, shell_word(s), bits, on, clock_mono_ns());
}

/* live.until is over. What cannot be read was refused at the start. */
static bool
is_over(const struct shell *sh)
{
	const struct cfg *c = &sh->stage->cfg;
	int64_t until_ns;

	return c->system_mode == MODE_LIVE &&
	       (!clock_parse_utc(c->live_until.s, &until_ns) ||
		   sh->stage->wall_ns >= until_ns);
}

/* The own freeze word as the venue's mode asks. A start or a resync that is
 * over soon leaves what rests alone. */
static void
modes(struct shell *sh, uint64_t now_ns)
{
	struct live *l = sh->live;
	struct exec *e = sh->core;
	uint64_t want = exec_mode_freeze(e->mode);
	uint64_t patience = (uint64_t)e->cfg.exec_order_timeout.ns;

	if (e->mode == PORT_BLOCKED)
		l->is_latched = true;
	else if (now_ns < l->mode_ns + patience && !exec_flat(e))
		want = 0;
	if (l->is_latched)
		want |= FREEZE_RECONCILE;
	if (is_over(sh))
		want |= FREEZE_MANUAL;
	freeze(sh, want, true);
	freeze(sh,
	    (FREEZE_STARTUP | FREEZE_FEED_STALE | FREEZE_RECONCILE |
		FREEZE_MANUAL) &
		~want,
	    false);
}

static void
on_mode(void *user, enum port_mode mode, const char *why)
{
	struct shell *sh = user;

	if (mode == sh->core->mode)
		return;
	LOG(LOG_VENUE_MODE, F_STR("mode", mode_text(mode)), F_STR("why", why));
	sh->live->mode_ns = clock_mono_ns();
	exec_port_mode(sh->core, mode);
	metrics_set(sh->stage->metrics, M_EXECD_MODE, (int64_t)mode);
	modes(sh, sh->live->mode_ns);
}

/* From a callback of the loop. */
static void
on_settle(void *user)
{
	struct shell *sh = user;

	sh->stage->now_ns = clock_mono_ns();
	sh->stage->wall_ns =
	    (int64_t)sh->stage->now_ns + sh->stage->wall_off_ns;
	live_settle(sh);
}

/* ---- towards riskd ---- */

static void
say_holding(struct shell *sh, const struct gateway_holding *h)
{
	struct exec *e = sh->core;
	bool hl = e->venue == VENUE_HYPERLIQUID;
	struct order *o;

	if (h->instr != 0 &&
	    (!market_has(&e->mkt, h->instr) ||
		market_look(&e->mkt, h->instr)->in.state == INSTR_RESOLVED))
		return;
	o = core_out_add(&sh->out, hl ? RG_REPORT_HL_R : RG_REPORT_PM_R);
	o->hdr.kind = h->instr == 0 ? MSG_BALANCE : MSG_POSITION;
	o->hdr.instr = h->instr;
	o->hdr.recv_ns = sh->stage->now_ns;
	o->venue = (uint8_t)e->venue;
	if (h->instr == 0) {
		o->usd = h->usd;
		return;
	}
	o->qty = h->ours;
	o->exec_qty = h->venue;
	o->status = h->is_known ? 1 : 0;
	o->cum_qty = h->final_long;
	o->px = PX(h->final_short.e8);
}

static void
take(struct shell *sh, const struct item *i)
{
	core_out_reset(&sh->out);
	switch (i->kind) {
	case ITEM_EVENT:
		exec_port_event(
		    sh->core, &i->u.event, sh->stage->now_ns, &sh->out);
		break;
	case ITEM_HOLDING: say_holding(sh, &i->u.holding); break;
	case ITEM_KIND_N: CHECK(!"an item");
	}
	shell_flush(sh);
}

/* Events into the state, until one needs acts carried out first. */
static void
hear(struct shell *sh)
{
	struct live *l = sh->live;

	while (l->head != l->tail && sh->core->act_n + 4 <= EXEC_ACTS &&
	       !stage_rings_stalled(sh->stage))
		take(sh, &l->queue[l->head++ & (LIVE_QUEUE - 1)]);
}

static void
give(struct shell *sh)
{
	struct exec *e = sh->core;
	struct port_act act[EXEC_ACTS];
	uint32_t n = e->act_n;

	outbox_commit(&sh->box);
	memcpy(act, e->act, n * sizeof(act[0]));
	e->act_n = 0;
	for (uint32_t i = 0; i < n; i++)
		sh->live->ops->act(sh->live->gate, &act[i]);
	sh->live->ops->flush(sh->live->gate);
}

void
live_settle(struct shell *sh)
{
	struct live *l = sh->live;

	if (l->is_busy || !l->is_started)
		return;
	l->is_busy = true;
	for (uint32_t round = 0; round < ROUNDS_MAX; round++) {
		hear(sh);
		if (sh->core->act_n == 0)
			break;
		give(sh);
	}
	outbox_commit(&sh->box);
	l->is_busy = false;
	sh->stage->wake_ns = live_wake(sh);
}

/* ---- of the stage ---- */

int
live_open(struct shell *sh, bool fresh)
{
	struct stage *s = sh->stage;
	struct live *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return EXIT_TEMPORARY;
	l->ops = sh->gateway[sh->core->venue];
	CHECK(l->ops != NULL);
	l->sink = (struct gateway_sink){.user = sh,
	    .may_place = may_place,
	    .event = on_event,
	    .mode = on_mode,
	    .holding = on_holding,
	    .settle = on_settle};
	l->mode_ns = s->now_ns;
	l->thaw_epoch = atomic_load(&s->ctl->sup.thaw_epoch);
	l->is_latched = (atomic_load(&s->ctl->freeze[shell_word(s)].mask) &
			    FREEZE_RECONCILE) != 0;
	sh->live = l;
	return l->ops->open(&l->gate, s, &l->sink, fresh);
}

void
live_start(struct shell *sh)
{
	sh->live->is_started = true;
	sh->live->timer_ns = sh->stage->now_ns;
	sh->live->ops->start(sh->live->gate);
	modes(sh, sh->stage->now_ns);
	live_settle(sh);
}

void
live_market(struct shell *sh, uint16_t instr, const struct instr *in)
{
	sh->live->ops->market(sh->live->gate, instr, in);
}

void
live_cancel_all(struct shell *sh)
{
	sh->live->ops->cancel_all(sh->live->gate);
}

void
live_timer(struct shell *sh)
{
	sh->live->timer_ns = sh->stage->now_ns + TIMER_NS;
	sh->live->ops->timer(sh->live->gate);
	live_settle(sh);
}

/* A person has thawed. What blocked us is looked at from the start. */
static void
thawed(struct shell *sh)
{
	struct stage *s = sh->stage;
	struct live *l = sh->live;
	uint64_t epoch = atomic_load(&s->ctl->sup.thaw_epoch);

	if (epoch == l->thaw_epoch)
		return;
	l->thaw_epoch = epoch;
	l->is_latched = false;
	if (sh->core->mode != PORT_BLOCKED)
		return;
	l->again = true;
	stage_stop_begin(s, "thaw");
}

void
live_housekeep(struct shell *sh)
{
	struct stage *s = sh->stage;
	struct live *l = sh->live;

	thawed(sh);
	if (sh->is_sweep)
		stage_stop_begin(s, "sweep");
	modes(sh, s->now_ns);
	l->ops->lease(l->gate, atomic_load(&s->ctl->lease.until_ns));
	l->ops->count(l->gate);
	live_settle(sh);
}

uint64_t
live_wake(struct shell *sh)
{
	uint64_t now = sh->stage->now_ns;
	uint64_t a = exec_wake(sh->core, now);
	uint64_t b = sh->live->ops->wake(sh->live->gate, now);

	if (sh->live->head != sh->live->tail)
		return now;
	if (b == 0 || b > sh->live->timer_ns)
		b = sh->live->timer_ns;
	return a != 0 && a < b ? a : b;
}

bool
live_ready(const struct shell *sh)
{
	return sh->core->mode != PORT_STARTING &&
	       sh->core->mode != PORT_BLOCKED;
}

bool
live_flat(const struct shell *sh)
{
	return exec_flat(sh->core) && sh->live->is_verifying &&
	       sh->live->ops->flat(sh->live->gate);
}

bool
live_stopped(struct shell *sh)
{
	struct live *l = sh->live;
	uint64_t now = sh->stage->now_ns;

	if (live_flat(sh))
		return true;
	if (now < l->stop_ns)
		return false;
	l->stop_ns = now + STOP_EVERY_NS;
	if (!l->ops->flat(l->gate) || sh->is_sweep)
		l->ops->cancel_all(l->gate);
	if (exec_flat(sh->core)) {
		l->is_verifying = true;
		l->ops->verify(l->gate);
	}
	live_settle(sh);
	return false;
}

bool
live_again(const struct shell *sh)
{
	return sh->live->again;
}

void
live_close(struct shell *sh)
{
	if (sh->live == NULL)
		return;
	if (sh->live->gate != NULL)
		sh->live->ops->close(sh->live->gate);
	free(sh->live);
	sh->live = NULL;
}

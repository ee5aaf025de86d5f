#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "execd/gate_pm_int.h"
#include "libcore/check.h"
#include "libcore/hash.h"
#include "libsys/clock.h"
#include "libsys/log.h"
#include "libsys/net.h"

struct gwpm_now
gate_pm_now(const struct gate_pm *p)
{
	uint64_t ns = clock_mono_ns();

	return (struct gwpm_now){ns, (int64_t)ns + p->s->wall_off_ns};
}

void
gate_pm_settle(struct gate_pm *p)
{
	if (p->is_closed)
		return;
	gate_pm_tell_held(p, clock_mono_ns());
	if (!p->said)
		return;
	p->said = false;
	p->sink->settle(p->sink->user);
	p->said = false;
}

/* ---- what the port says ---- */

static void
on_event(void *user, const struct port_event *ev)
{
	struct gate_pm *p = user;

	if (ev->what == PORT_FILLED || ev->what == PORT_REVERSED ||
	    ev->what == PORT_CONFIRMED)
		gate_pm_held(p, ev->instr);
	p->said = true;
	p->sink->event(p->sink->user, ev);
}

void
gate_pm_mode(void *user, enum port_mode mode, const char *why)
{
	struct gate_pm *p = user;

	p->said = true;
	p->sink->mode(p->sink->user, mode, why);
}

/* ---- life ---- */

/* Of the book's shape: other sizes or places are another layout. */
static uint64_t
book_layout(void)
{
	const uint64_t parts[] = {sizeof(struct gwpm_order),
	    sizeof(struct gwpm_fill), sizeof(struct gwpm_token),
	    sizeof(struct gwpm_market), sizeof(struct gwpm_cash),
	    sizeof(struct gwpm_book), offsetof(struct gwpm_order, px),
	    offsetof(struct gwpm_order, next_hash),
	    offsetof(struct gwpm_fill, px),
	    offsetof(struct gwpm_token, base_e8),
	    offsetof(struct gwpm_market, token),
	    offsetof(struct gwpm_book, order), offsetof(struct gwpm_book, fill),
	    offsetof(struct gwpm_book, market)};
	uint64_t h = HASH_SEED;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		h = hash_u64(h, parts[i]);
	return h;
}

static void
setup_of(const struct gate_pm *p, struct gwpm_setup *set)
{
	const struct cfg *cfg = &p->s->cfg;

	set->chain_id = (uint32_t)cfg->polymarket_chain_id;
	set->cancel_on_start = cfg->exec_on_start == CFG_ON_START_CANCEL;
	set->has_beats = cfg->polymarket_heartbeat;
	set->order_timeout_ns = (uint64_t)cfg->exec_order_timeout.ns;
	set->fill_poll_ns = (uint64_t)cfg->exec_fill_poll_s.ns;
	set->reconcile_ns = (uint64_t)cfg->exec_reconcile_s.ns;
	set->has_presign = cfg->exec_presign;
	set->presign_tolerance = QTY(cfg->exec_size_tolerance.e8);
	set->seed = net_random();
	set->epoch = p->s->epoch;
}

static int
book_open(struct gate_pm *p, struct gwpm_setup *set, bool fresh)
{
	bool is_new;
	int rc =
	    bookfile_open(&p->book, &p->s->instance, topo_stages[p->s->id].name,
		sizeof(struct gwpm_book), book_layout(), &is_new);

	if (rc != 0)
		return rc;
	/* Order management without a past asks for nothing that an old book
	 * has; what still rests is not its own (exec.on_start). */
	if (fresh && !is_new)
		memset(p->book.mem, 0, sizeof(struct gwpm_book));
	p->to = (struct gwpm_sink){.user = p,
	    .http = gate_pm_http,
	    .channel = gate_pm_channel,
	    .event = on_event,
	    .mode = gate_pm_mode,
	    .log = gate_pm_log,
	    .clock = gate_pm_clock};
	if (gwpm_init(&p->g, set, p->book.mem, &p->to))
		return 0;
	LOG(LOG_STAGE_FAILED, F_STR("what", "the account of polymarket.* is "
					    "none that orders can have"));
	return EXIT_PERMANENT;
}

static void
gate_freed(uv_handle_t *h)
{
	struct gate_pm *p = h->data;

	curltls_destroy(p->tls);
	free(p);
}

static void
gate_close(void *g)
{
	struct gate_pm *p = g;

	gate_pm_net_close(p);
	bookfile_close(&p->book);
	gate_pm_login_close(p);
	/* Sockets end in the loop, which is run once more by its owner. */
	uv_close((uv_handle_t *)&p->timer, gate_freed);
}

static int
gate_open(
    void **g, struct stage *s, const struct gateway_sink *sink, bool fresh)
{
	struct gate_pm *p = calloc(1, sizeof(*p));
	struct gwpm_setup set = {0};
	int rc;

	if (p == NULL)
		return EXIT_TEMPORARY;
	p->s = s;
	p->sink = sink;
	p->lock_fd = -1;
	p->login = GATE_PM_LOGIN_TIME;
	setup_of(p, &set);
	rc = gate_pm_keys(p, &set);
	if (rc == 0)
		rc = book_open(p, &set, fresh);
	if (rc != 0) {
		bookfile_close(&p->book);
		gate_pm_login_close(p);
		free(p);
		return rc;
	}
	if (!gate_pm_net_open(p))
		rc = EXIT_PERMANENT;
	if (rc == 0)
		rc = gate_pm_login_begin(p);
	if (rc != 0) {
		gate_close(p);
		return rc;
	}
	*g = p;
	return 0;
}

static void
gate_start(void *g)
{
	struct gate_pm *p = g;
	struct gwpm_now now = gate_pm_now(p);

	p->is_started = true;
	p->hold_ns = now.ns + (uint64_t)p->s->cfg.exec_reconcile_s.ns;
	gwpm_retell(&p->g);
	if (p->login == GATE_PM_LOGIN_DONE) {
		gate_pm_channel_open(p);
		gwpm_start(&p->g, &now);
	} else {
		gate_pm_mode(p,
		    p->login == GATE_PM_LOGIN_REFUSED ? PORT_BLOCKED
						      : PORT_STARTING,
		    "");
	}
	p->said = false;
}

/* ---- the shell's calls; what is said in them needs no settling ---- */

static void
gate_market(void *g, uint16_t instr, const struct instr *in)
{
	struct gate_pm *p = g;

	if (instr_venue(instr) == VENUE_POLYMARKET)
		gwpm_market(&p->g, instr, in);
}

static void
gate_act(void *g, const struct port_act *a)
{
	struct gate_pm *p = g;
	struct gwpm_now now = gate_pm_now(p);

	gwpm_act(&p->g, a, &now);
	p->said = false;
}

static void
gate_flush(void *g)
{
	struct gate_pm *p = g;
	struct gwpm_now now = gate_pm_now(p);

	gwpm_flush(&p->g, &now);
	p->said = false;
}

static void
gate_cancel_all(void *g)
{
	struct gate_pm *p = g;
	struct gwpm_now now = gate_pm_now(p);

	gwpm_cancel_all(&p->g, &now);
	p->said = false;
}

static void
gate_lease(void *g, uint64_t until_ns)
{
	struct gate_pm *p = g;

	gwpm_lease(&p->g, until_ns);
}

static void
gate_timer(void *g)
{
	struct gate_pm *p = g;
	struct gwpm_now now = gate_pm_now(p);

	if (!p->is_started)
		return;
	gwpm_timer(&p->g, &now);
	gate_pm_tell_held(p, now.ns);
	p->said = false;
}

static uint64_t
gate_wake(void *g, uint64_t now_ns)
{
	const struct gate_pm *p = g;

	return gwpm_wake(&p->g, now_ns);
}

static void
gate_verify(void *g)
{
	struct gate_pm *p = g;
	struct gwpm_now now = gate_pm_now(p);

	gwpm_verify(&p->g, &now);
	p->said = false;
}

static bool
gate_flat(void *g)
{
	const struct gate_pm *p = g;

	return gwpm_verified(&p->g);
}

static void
gate_count(void *g)
{
	struct gate_pm *p = g;

	p->g.set.presign_tolerance = QTY(p->s->cfg.exec_size_tolerance.e8);
	gate_pm_count(p);
}

const struct gateway_ops gateway_pm = {
    .open = gate_open,
    .start = gate_start,
    .market = gate_market,
    .act = gate_act,
    .flush = gate_flush,
    .cancel_all = gate_cancel_all,
    .lease = gate_lease,
    .timer = gate_timer,
    .wake = gate_wake,
    .verify = gate_verify,
    .flat = gate_flat,
    .count = gate_count,
    .close = gate_close,
};

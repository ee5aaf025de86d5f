#define _GNU_SOURCE
#include "tests/pipeline/gatekit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libsys/cfgfile.h"
#include "libsys/clock.h"
#include "tests/pipeline/proc.h"

#define LEASE_NS UINT64_C(1000000000)

/* ---- what the gateway tells ---- */

static bool
on_may_place(void *user)
{
	struct gatekit *k = user;

	k->asked_n++;
	return k->may_place;
}

static void
on_event(void *user, const struct port_event *ev)
{
	struct gatekit *k = user;

	if (k->ev_n == GATEKIT_EVENTS)
		abort();
	k->ev[k->ev_n++] = *ev;
	if (getenv("TRACE") != NULL)
		printf("# ev %d id %llx qty %lld px %lld why %s\n", ev->what,
		    (unsigned long long)ev->id, (long long)ev->qty.e8,
		    (long long)ev->px.e8, reason_name(ev->reason));
}

static void
on_mode(void *user, enum port_mode mode, const char *why)
{
	struct gatekit *k = user;

	k->mode = mode;
	snprintf(k->why, sizeof(k->why), "%s", why);
	if (getenv("TRACE") != NULL)
		printf("# mode %d %s\n", mode, why);
}

static void
on_holding(void *user, const struct gateway_holding *h)
{
	struct gatekit *k = user;

	k->hold[k->hold_n++ % GATEKIT_HOLDINGS] = *h;
}

static void
on_settle(void *user)
{
	struct gatekit *k = user;

	k->settled_n++;
	k->odd_n += k->is_in_call;
}

/* ---- settings ---- */

static bool
load(struct gatekit *k)
{
	static const char *const paths[] = {
	    "etc/ringmaker.yaml", "etc/sim.yaml"};
	const char *args[RIG_SETS];
	struct cfg_load *l = calloc(1, sizeof(*l));
	struct cfgfile_args a = {
	    .paths = paths, .path_n = 2, .args = args, .arg_n = k->rig.set_n};
	bool ok;

	if (l == NULL)
		return false;
	for (unsigned i = 0; i < k->rig.set_n; i++)
		args[i] = k->rig.set[i];
	ok = cfgfile_load(l, &a) == 0;
	if (!ok)
		cfgfile_errors(l, stdout);
	k->stage.cfg = l->cfg;
	free(l);
	return ok;
}

bool
gatekit_set(struct gatekit *k, const char *text)
{
	rig_set(&k->rig, "%s", text);
	return load(k);
}

bool
gatekit_init(struct gatekit *k, const char *name, const char *const *options)
{
	const char *words[16] = {"--live"};
	unsigned n = 1;
	struct err e = {0, ""};

	memset(k, 0, sizeof(*k));
	for (; *options != NULL && n < 15; options++)
		words[n++] = *options;
	rig_init(&k->rig, name);
	k->rig.preset = "etc/sim.yaml";
	k->may_place = true;
	if (!rig_venue(&k->rig, words) || !load(k))
		return false;
	if (instance_create(&k->rig.in, RIG_INSTANCE, 1, &e) < 0) {
		snprintf(k->rig.out, sizeof(k->rig.out), "%s", e.text);
		return false;
	}
	instance_close(&k->rig.in);
	return rig_attach(&k->rig);
}

void
gatekit_free(struct gatekit *k)
{
	if (k->stage.metrics != NULL)
		metrics_detach(k->stage.metrics);
	rig_free(&k->rig);
}

/* ---- a life ---- */

static void
clocks(struct gatekit *k)
{
	k->stage.now_ns = clock_mono_ns();
	k->stage.wall_ns = (int64_t)clock_wall_ns();
	k->stage.wall_off_ns = k->stage.wall_ns - (int64_t)k->stage.now_ns;
}

int
gatekit_open(struct gatekit *k, const struct gateway_ops *ops,
    enum stage_id stage, bool fresh)
{
	struct stage *s = &k->stage;
	struct err e;
	int rc;

	k->ops = ops;
	k->sink = (struct gateway_sink){.user = k,
	    .may_place = on_may_place,
	    .event = on_event,
	    .mode = on_mode,
	    .holding = on_holding,
	    .settle = on_settle};
	k->life_ev = k->ev_n;
	k->hold_n = 0;
	k->mode = 0;
	s->id = stage;
	s->epoch++;
	s->instance = k->rig.in;
	s->ctl = k->rig.ctl;
	s->instr = k->rig.table;
	/* The rig's are for looking only. */
	if (s->metrics == NULL &&
	    metrics_attach(&s->metrics, k->rig.in.dirfd, stage, true, &e) < 0)
		abort();
	clocks(k);
	if (uv_loop_init(&s->loop) < 0)
		abort();
	rc = ops->open(&k->gate, s, &k->sink, fresh);
	if (rc != 0)
		(void)uv_loop_close(&s->loop);
	return rc;
}

void
gatekit_start(struct gatekit *k)
{
	k->is_in_call = true;
	k->ops->start(k->gate);
	k->is_in_call = false;
}

void
gatekit_close(struct gatekit *k)
{
	k->is_in_call = true;
	k->ops->close(k->gate);
	k->is_in_call = false;
	k->gate = NULL;
	while (uv_run(&k->stage.loop, UV_RUN_DEFAULT) != 0)
		continue;
	if (uv_loop_close(&k->stage.loop) != 0)
		abort();
}

void
gatekit_act(struct gatekit *k, const struct port_act *a)
{
	k->is_in_call = true;
	k->ops->act(k->gate, a);
	k->ops->flush(k->gate);
	k->is_in_call = false;
}

void
gatekit_turn(struct gatekit *k)
{
	uint32_t settled = k->settled_n;

	(void)uv_run(&k->stage.loop, UV_RUN_NOWAIT);
	clocks(k);
	k->is_in_call = true;
	if (k->has_lease)
		k->ops->lease(k->gate, k->stage.now_ns + LEASE_NS);
	if (k->ops->wake(k->gate, k->stage.now_ns) <= k->stage.now_ns ||
	    k->stage.now_ns >= k->stage.wake_ns) {
		k->ops->timer(k->gate);
		k->ops->count(k->gate);
		k->stage.wake_ns = k->stage.now_ns + 20000000;
	}
	k->is_in_call = false;
	if (settled == k->settled_n)
		usleep(1000);
}

/* ---- looking ---- */

uint32_t
gatekit_said(const struct gatekit *k, uint64_t id, enum port_ev what)
{
	uint32_t n = 0;

	for (uint32_t i = k->life_ev; i < k->ev_n; i++)
		n += k->ev[i].what == what && (id == 0 || k->ev[i].id == id);
	return n;
}

const struct port_event *
gatekit_last(const struct gatekit *k, uint64_t id, enum port_ev what)
{
	for (uint32_t i = k->ev_n; i > k->life_ev; i--)
		if (k->ev[i - 1].what == what &&
		    (id == 0 || k->ev[i - 1].id == id))
			return &k->ev[i - 1];
	return NULL;
}

static bool
seen_before(const struct gatekit *k, uint32_t i)
{
	for (uint32_t j = 0; j < i; j++)
		if (k->ev[j].what == k->ev[i].what &&
		    k->ev[j].fill_id == k->ev[i].fill_id)
			return true;
	return false;
}

void
gatekit_net(const struct gatekit *k, uint16_t instr, qty_t *qty, usd_t *fees)
{
	*qty = QTY(0);
	*fees = USD(0);
	for (uint32_t i = 0; i < k->ev_n; i++) {
		const struct port_event *ev = &k->ev[i];
		int64_t sign = ev->side == SIDE_BID ? 1 : -1;

		if ((ev->what != PORT_FILLED && ev->what != PORT_REVERSED) ||
		    ev->instr != instr || seen_before(k, i))
			continue;
		if (ev->what == PORT_REVERSED)
			sign = -sign;
		qty->e8 += sign * ev->qty.e8;
		fees->e6 += ev->what == PORT_FILLED ? ev->usd.e6 : -ev->usd.e6;
	}
}

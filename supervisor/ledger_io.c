/* supervisor ledger: positions as riskd, execd and the venue have them. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "libshm/cfgpage.h"
#include "libshm/ring.h"
#include "libsys/clock.h"
#include "supervisor/ledger.h"
#include "supervisor/ledger_say_io.h"
#include "supervisor/ledger_sim_io.h"
#include "supervisor/opts.h"

#define PAUSE_NS 250000000L
/* On top of exec.reconcile_s, in which everything is said once. */
#define MORE_NS INT64_C(2000000000)
/* Who trades in mode sim when no key is named: the first of the public
 * development keys (execd/keyload_io.h). */
#define DEV_ADDRESS "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"

/* Where riskd's and execd's words are kept, the longest memory last. */
static const enum ring_id sources[] = {
    RG_VERDICT, RG_REPORT_PM_R, RG_REPORT_HL_R, RG_TAP_RISKD};

struct seen {
	struct instance in;
	struct cfg cfg;
	int wait_s;
};

static void
read_ring(struct ledger *l, const struct instance *in, enum ring_id id)
{
	const struct ring_def *def = &topo_rings[id];
	enum ring_tap got;
	union tap slot;
	uint64_t lost;
	struct ring r;
	struct err e;

	if (ring_attach(&r, in->dirfd, def, RING_OBSERVER, &e) < 0)
		return;
	ring_tap_seek(&r, def->depth);
	do {
		memset(&slot, 0, sizeof(slot));
		got = ring_tap_next(&r, &slot, &lost);
		if (got == RING_TAP_OK && slot_is_order(slot.hdr.kind))
			ledger_slot(l, &slot.order);
	} while (got != RING_TAP_EMPTY);
	ring_detach(&r);
}

static void
read_table(struct ledger *l, const struct instance *in)
{
	struct instr_table *t;
	struct instr x;
	struct err e;

	if (instr_attach(&t, in->dirfd, false, &e) < 0)
		return;
	for (uint16_t i = 1; i < INSTR_N; i++)
		if (instr_read(t, i, &x))
			ledger_instr(l, i, &x);
	instr_detach(t);
}

static struct ledger_set
set_of(const struct cfg *c)
{
	struct ledger_set set = {.now_ns = clock_mono_ns(),
	    .wall_ns = (int64_t)clock_wall_ns(),
	    .period_ns = c->exec_reconcile_s.ns,
	    .wants_truth = c->system_mode == MODE_SIM};

	for (int v = 1; v < VENUE_N; v++)
		set.trades[v] = cfg_trades(c, (enum venue)v);
	return set;
}

/* One look; why: of the exchange here, "" when it was asked or is none. It is
 * asked first: a fill that the rings have since makes its answer late. */
static void
look(struct ledger *l, const struct seen *s, char why[LEDGER_WHY_SZ])
{
	const struct cfg *c = &s->cfg;
	const struct ledger_set set = set_of(c);
	const struct ledger_ask a = {.url = c->polymarket_rest_url.s,
	    .pm = !cfg_trades(c, VENUE_POLYMARKET) ? NULL
		  : c->polymarket_funder.s[0]	   ? c->polymarket_funder.s
						   : DEV_ADDRESS,
	    .hl = !cfg_trades(c, VENUE_HYPERLIQUID) ? NULL
		  : c->hyperliquid_account.s[0]	    ? c->hyperliquid_account.s
						    : DEV_ADDRESS,
	    .at_ns = set.now_ns};

	ledger_init(l, &set);
	why[0] = '\0';
	read_table(l, &s->in);
	if (set.wants_truth)
		ledger_ask_sim(l, &a, why);
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		read_ring(l, &s->in, sources[i]);
}

/* Until all is fresh or something differs, for as long as it may take. */
static void
watch(struct ledger_verdict *d, struct ledger *l, const struct seen *s,
    char why[LEDGER_WHY_SZ])
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	int64_t wait_ns = s->wait_s < 0 ? s->cfg.exec_reconcile_s.ns + MORE_NS
					: s->wait_s * INT64_C(1000000000);
	uint64_t end_ns = clock_mono_ns() + (uint64_t)wait_ns;

	ledger_verdict_init(d, wait_ns == 0);
	for (;;) {
		look(l, s, why);
		ledger_look(d, l);
		if (ledger_code(d, l) < 2 || l->set.now_ns >= end_ns)
			return;
		nanosleep(&pause, NULL);
	}
}

static int
open_all(struct seen *s, const struct sup_opts *o)
{
	struct cfgpage page;
	uint64_t epoch;
	struct err e;

	if (instance_open(&s->in, o->instance, &e) < 0 ||
	    cfgpage_attach(&page, s->in.dirfd, false, &e) < 0) {
		fprintf(stderr, "supervisor: %s\n",
		    e.code == -ENOENT ? "not running" : e.text);
		return SUP_NOT_RUNNING;
	}
	if (cfgpage_read(&page, &s->cfg, &epoch) < 0)
		memset(&s->cfg, 0, sizeof(s->cfg));
	cfgpage_detach(&page);
	s->wait_s = o->wait_s;
	return SUP_OK;
}

int
cmd_ledger(const struct sup_opts *o)
{
	static struct seen s;
	struct ledger *l = calloc(1, sizeof(*l));
	struct ledger_verdict *d = calloc(1, sizeof(*d));
	char why[LEDGER_WHY_SZ];
	int code = SUP_SOFTWARE;

	if (l != NULL && d != NULL)
		code = open_all(&s, o);
	if (code == SUP_OK) {
		watch(d, l, &s, why);
		if (o->json)
			ledger_say_json(d, l, why);
		else
			ledger_say_text(d, l, why);
		code = ledger_code(d, l);
		instance_close(&s.in);
	}
	free(l);
	free(d);
	return code;
}

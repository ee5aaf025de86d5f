/*
 * The gateway to Hyperliquid (gateway.h): the port with its key, its book and
 * its connections.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "execd/gate_hl_int.h"
#include "execd/keyload_io.h"
#include "execd/signer_io.h"
#include "libcore/check.h"
#include "libcore/hash.h"
#include "libsys/clock.h"
#include "libsys/log.h"
#include "libsys/net.h"

#define LAYOUT UINT64_C(1) /* of struct gwhl_book, beside its sizes */

/* ---- what the port says ---- */

static void
on_event(void *user, const struct port_event *ev)
{
	struct gate_hl *g = user;

	g->said = true;
	g->up->event(g->up->user, ev);
}

static void
on_mode(void *user, enum port_mode mode, const char *text)
{
	struct gate_hl *g = user;

	g->said = true;
	g->up->mode(g->up->user, mode, text);
}

static void
on_clock(void *user, int64_t offset_ns)
{
	struct gate_hl *g = user;

	metrics_set(g->s->metrics, M_EXECD_CLOCK_US, offset_ns / 1000);
}

static void
on_position(void *user, const struct gwhl_position *p)
{
	struct gate_hl *g = user;
	struct gateway_holding h = {.instr = p->instr,
	    .is_known = true,
	    .ours = p->ours,
	    .venue = p->venue,
	    .final_long = QTY(i64_max(p->venue.e8, 0)),
	    .final_short = QTY(i64_max(-p->venue.e8, 0))};

	g->said = true;
	g->up->holding(g->up->user, &h);
}

static void
on_account(void *user, usd_t usd)
{
	struct gate_hl *g = user;
	struct gateway_holding h = {.is_known = true, .usd = usd};

	g->said = true;
	g->up->holding(g->up->user, &h);
}

static void
on_answered(void *user, uint64_t ns)
{
	struct gate_hl *g = user;

	metrics_observe(g->s->metrics, M_EXECD_ACK_NS, ns);
}

/* The touch in a refusal: feedd's book has it as soon. */
static void
on_touch(void *user, uint16_t instr, px_t bid, px_t ask)
{
	(void)user;
	(void)instr;
	(void)bid;
	(void)ask;
}

/* ---- open ---- */

static int
open_key(struct gate_hl *g)
{
	uint8_t seed[32];
	struct secret_why why;
	struct address who;
	int rc = key_random(seed, sizeof(seed));

	if (rc < 0)
		return EXIT_TEMPORARY;
	secp_init(&g->secp, seed);
	explicit_bzero(seed, sizeof(seed));
	rc =
	    keyload_key(&g->key, &g->s->cfg, VENUE_HYPERLIQUID, &g->secp, &why);
	if (rc < 0) {
		LOG(LOG_STAGE_FAILED, F_STR("what", why.text));
		return EXIT_PERMANENT;
	}
	CHECK(secp_address(&g->secp, key_bytes(&g->key), &who));
	return signer_lock(g->s, VENUE_HYPERLIQUID, &who, &g->lock_fd);
}

/* A store that was made anew knows none of the book's orders: they are the
 * venue's to tell, and strays. The nonces go on. */
static int
open_book(struct gate_hl *g, bool fresh)
{
	struct gwhl_book *b;
	uint64_t layout = hash_u64(LAYOUT, sizeof(struct gwhl_order));
	uint64_t nonce;
	bool made;
	int rc = bookfile_open(&g->file, &g->s->instance,
	    topo_stages[g->s->id].name, sizeof(*b), layout, &made);

	if (rc != 0 || made || !fresh)
		return rc;
	b = g->file.mem;
	nonce = b->nonce;
	memset(b, 0, sizeof(*b));
	b->nonce = nonce;
	return 0;
}

static bool
account_of(const struct cfg *cfg, struct gwhl_setup *set)
{
	const char *text = cfg->hyperliquid_account.s;

	set->has_master = text[0] != '\0';
	return !set->has_master ||
	       address_parse(text, strlen(text), &set->master);
}

static int
open_port(struct gate_hl *g)
{
	const struct cfg *cfg = &g->s->cfg;
	struct gwhl_setup set = {.secp = &g->secp,
	    .key = key_bytes(&g->key),
	    .mainnet = cfg->hyperliquid_network == CFG_NETWORK_MAINNET,
	    .cancel_on_start = cfg->exec_on_start == CFG_ON_START_CANCEL,
	    .has_schedule = cfg->hyperliquid_dead_man,
	    .fill_poll_ns = (uint64_t)cfg->exec_fill_poll_s.ns,
	    .check_ns = (uint64_t)cfg->exec_reconcile_s.ns,
	    .budget_reserve = (uint32_t)cfg->hyperliquid_budget_reserve,
	    .seed = net_random()};

	if (!account_of(cfg, &set)) {
		LOG(LOG_STAGE_FAILED,
		    F_STR("what", "hyperliquid.account is no address; 0x and "
				  "40 hex digits are asked for"));
		return EXIT_PERMANENT;
	}
	g->down = (struct gwhl_sink){.user = g,
	    .ws = link_ws,
	    .http = link_http,
	    .drop = link_drop,
	    .event = on_event,
	    .mode = on_mode,
	    .log = gate_hl_log,
	    .clock = on_clock,
	    .position = on_position,
	    .account = on_account,
	    .answered = on_answered,
	    .touch = on_touch};
	CHECK(gwhl_init(g->port, &set, g->file.mem, &g->down));
	LOG(LOG_GATEWAY_READY, F_STR("venue", venue_name(VENUE_HYPERLIQUID)),
	    F_STR("signer", g->port->agent_text),
	    F_STR("account", cfg->hyperliquid_account.s),
	    F_STR("network", set.mainnet ? "mainnet" : "testnet"));
	return 0;
}

static void
gate_close(void *self)
{
	struct gate_hl *g = self;

	link_close(g);
	bookfile_close(&g->file);
	secret_close(&g->key);
	if (g->secp.ctx != NULL)
		secp_close(&g->secp);
	if (g->lock_fd >= 0)
		close(g->lock_fd);
	free(g->port);
	free(g);
}

static int
gate_open(
    void **out, struct stage *s, const struct gateway_sink *sink, bool fresh)
{
	struct gate_hl *g = calloc(1, sizeof(*g));
	int rc = EXIT_TEMPORARY;

	*out = NULL;
	if (g == NULL)
		return rc;
	g->s = s;
	g->up = sink;
	g->lock_fd = -1;
	g->port = calloc(1, sizeof(*g->port));
	if (g->port != NULL)
		rc = open_key(g);
	if (rc == 0)
		rc = open_book(g, fresh);
	if (rc == 0)
		rc = open_port(g);
	if (rc == 0)
		rc = link_open(g);
	if (rc != 0) {
		gate_close(g);
		return rc;
	}
	*out = g;
	return 0;
}

/* ---- the table ---- */

static void
gate_start(void *self)
{
	struct gate_hl *g = self;
	struct gwhl_now now = link_now();

	gwhl_start(g->port, &now);
	g->connect_ns = now.ns;
	link_timer(g);
	link_after(g);
}

static void
gate_market(void *self, uint16_t instr, const struct instr *in)
{
	struct gate_hl *g = self;

	(void)gwhl_market(g->port, instr, in);
}

static void
gate_act(void *self, const struct port_act *a)
{
	struct gate_hl *g = self;
	struct gwhl_now now = link_now();

	gwhl_act(g->port, a, &now);
}

static void
gate_flush(void *self)
{
	struct gate_hl *g = self;
	struct gwhl_now now = link_now();

	gwhl_flush(g->port, &now);
	link_after(g);
}

static void
gate_cancel_all(void *self)
{
	struct gate_hl *g = self;
	struct gwhl_now now = link_now();

	gwhl_cancel_all(g->port, &now);
	link_after(g);
}

static void
gate_lease(void *self, uint64_t until_ns)
{
	struct gate_hl *g = self;

	gwhl_lease(g->port, until_ns);
}

static void
gate_timer(void *self)
{
	struct gate_hl *g = self;
	struct gwhl_now now = link_now();

	link_timer(g);
	gwhl_timer(g->port, &now);
	link_after(g);
}

static uint64_t
gate_wake(void *self, uint64_t now_ns)
{
	const struct gate_hl *g = self;
	uint64_t at = gwhl_wake(g->port, now_ns);

	return g->connect_ns != 0 && g->connect_ns < at ? g->connect_ns : at;
}

static void
gate_verify(void *self)
{
	struct gate_hl *g = self;
	struct gwhl_now now = link_now();

	gwhl_verify(g->port, &now);
	link_after(g);
}

static bool
gate_flat(void *self)
{
	const struct gate_hl *g = self;

	return gwhl_flat(g->port);
}

static void
gate_count(void *self)
{
	gate_hl_count(self);
}

const struct gateway_ops gateway_hl = {
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

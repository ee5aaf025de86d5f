/* supervisor ledger: positions as riskd, execd and the venue have them. */
#define _GNU_SOURCE
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "libshm/cfgpage.h"
#include "libshm/ring.h"
#include "libsys/clock.h"
#include "supervisor/ledger.h"
#include "supervisor/ledger_sim_io.h"
#include "supervisor/opts.h"

#define LOOKS	 30
#define PAUSE_NS 100000000L
/* Who trades in mode sim when no key is named: the first of the public
 * development keys (execd/keyload_io.h). */
#define DEV_ADDRESS "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"

/* Where riskd's and execd's words are kept, the longest memory last. */
static const enum ring_id sources[] = {
    RG_VERDICT, RG_REPORT_PM_R, RG_REPORT_HL_R, RG_TAP_RISKD};

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

/* One look; why: of the exchange here, "" when it was asked or is none. */
static void
look(struct ledger *l, const struct instance *in, const struct cfg *c,
    char why[LEDGER_WHY_SZ])
{
	const struct ledger_ask a = {.url = c->polymarket_rest_url.s,
	    .pm = !cfg_trades(c, VENUE_POLYMARKET) ? NULL
		  : c->polymarket_funder.s[0]	   ? c->polymarket_funder.s
						   : DEV_ADDRESS,
	    .hl = !cfg_trades(c, VENUE_HYPERLIQUID) ? NULL
		  : c->hyperliquid_account.s[0]	    ? c->hyperliquid_account.s
						    : DEV_ADDRESS};

	ledger_init(l);
	why[0] = '\0';
	read_table(l, in);
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		read_ring(l, in, sources[i]);
	if (c->system_mode == MODE_SIM)
		ledger_ask_sim(l, &a, why);
}

static json_t *
amount(bool has, int64_t v)
{
	return has ? json_integer(v) : json_pack("n");
}

static json_t *
row_json(const struct ledger *l, const struct ledger_row *r)
{
	static const char *const key[LEDGER_WHO_N] = {
	    "riskd_e8", "execd_e8", "venue_e8", "exchange_e8"};
	json_t *o = json_pack("{s:s,s:s,s:b}", "venue", venue_name(r->in.venue),
	    "instrument", r->in.symbol, "equal", !ledger_differs(l, r));

	for (int i = 0; i < LEDGER_WHO_N; i++)
		json_object_set_new(o, key[i], amount(r->has[i], r->qty[i].e8));
	return o;
}

static void
print_json(const struct ledger *l, const char *why, int code)
{
	json_t *rows = json_pack("[]");
	json_t *usd = json_pack("{}");
	json_t *o;

	for (uint32_t i = 1; i < INSTR_N; i++)
		if (ledger_shown(&l->row[i]) || ledger_differs(l, &l->row[i]))
			json_array_append_new(rows, row_json(l, &l->row[i]));
	for (int v = 1; v < VENUE_N; v++)
		if (l->has_usd[v] || l->has_true_usd[v])
			json_object_set_new(usd, venue_name((enum venue)v),
			    json_pack("{s:o,s:o}", "execd_e6",
				amount(l->has_usd[v], l->usd[v].e6),
				"exchange_e6",
				amount(l->has_true_usd[v], l->true_usd[v].e6)));
	o = json_pack("{s:i,s:b,s:b,s:i,s:s,s:o,s:o}", "code", code, "equal",
	    ledger_bad(l) == 0, "exchange_asked", l->has_truth, "strays",
	    (int)l->stray_n, "why", why, "positions", rows, "collateral", usd);
	json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(o);
}

static const char *
text_of(bool has, int64_t v, unsigned digits, char buf[FIXED_TEXT_MAX])
{
	if (has)
		fixed_format(v, digits, buf);
	else
		snprintf(buf, FIXED_TEXT_MAX, "?");
	return buf;
}

static void
print_text(const struct ledger *l, const char *why)
{
	char t[LEDGER_WHO_N][FIXED_TEXT_MAX];
	uint32_t bad = ledger_bad(l);
	uint32_t n = 0;

	for (uint32_t i = 1; i < INSTR_N; i++) {
		const struct ledger_row *r = &l->row[i];
		bool differs = ledger_differs(l, r);

		if (!ledger_shown(r) && !differs)
			continue;
		if (n++ == 0)
			printf("%-36s %12s %12s %12s %12s\n", "POSITION",
			    "RISKD", "EXECD", "VENUE", "EXCHANGE");
		printf("%-36s", r->in.symbol);
		for (int k = 0; k < LEDGER_WHO_N; k++)
			printf(
			    " %12s", text_of(r->has[k], r->qty[k].e8, 8, t[k]));
		puts(differs ? "  DIFFERS" : "");
	}
	for (int v = 1; v < VENUE_N; v++)
		if (l->has_usd[v] || l->has_true_usd[v])
			printf("%-36s %12s %12s %12s %12s\n",
			    venue_name((enum venue)v), "USD",
			    text_of(l->has_usd[v], l->usd[v].e6, 6, t[0]), "",
			    text_of(l->has_true_usd[v], l->true_usd[v].e6, 6,
				t[1]));
	if (why[0] != '\0')
		printf("the exchange here was not asked: %s\n", why);
	if (l->stray_n > 0)
		printf("%u holdings there of no market of ours\n", l->stray_n);
	if (bad > 0)
		printf("ledgers DIFFER in %u places\n", bad);
	else
		printf("ledgers are equal%s: %u positions\n",
		    l->has_truth ? ", to the last unit" : "", n);
}

/* Fills are on their way while it trades: equal once in a few looks. */
static void
settle(struct ledger *l, const struct instance *in, const struct cfg *c,
    char why[LEDGER_WHY_SZ])
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};

	for (int i = 0; i < LOOKS; i++) {
		look(l, in, c, why);
		if (ledger_bad(l) == 0)
			return;
		nanosleep(&pause, NULL);
	}
}

int
cmd_ledger(const struct sup_opts *o)
{
	static struct cfg c;
	struct ledger *l = calloc(1, sizeof(*l));
	char why[LEDGER_WHY_SZ];
	struct cfgpage page;
	struct instance in;
	uint64_t epoch;
	struct err e;
	int code;

	if (l == NULL)
		return SUP_SOFTWARE;
	if (instance_open(&in, o->instance, &e) < 0 ||
	    cfgpage_attach(&page, in.dirfd, false, &e) < 0) {
		fprintf(stderr, "supervisor: %s\n",
		    e.code == -ENOENT ? "not running" : e.text);
		free(l);
		return SUP_NOT_RUNNING;
	}
	if (cfgpage_read(&page, &c, &epoch) < 0)
		memset(&c, 0, sizeof(c));
	cfgpage_detach(&page);
	settle(l, &in, &c, why);
	code = ledger_bad(l) > 0 ? SUP_DEGRADED : SUP_OK;
	if (o->json)
		print_json(l, why, code);
	else
		print_text(l, why);
	instance_close(&in);
	free(l);
	return code;
}

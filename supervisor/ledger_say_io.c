#define _GNU_SOURCE
#include "supervisor/ledger_say_io.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define CELL_SZ (FIXED_TEXT_MAX + 40)

static const char *const who_name[LEDGER_WHO_N] = {
    "riskd", "execd", "venue", "exchange"};

static int64_t
age_ms(const struct ledger_fig *f, uint64_t now_ns)
{
	return now_ns > f->at_ns ? (int64_t)((now_ns - f->at_ns) / 1000000) : 0;
}

/* The look that judged a row, for what was fresh in it. */
static struct ledger_set
set_at(const struct ledger *l, uint64_t now_ns)
{
	struct ledger_set s = l->set;

	s.now_ns = now_ns;
	return s;
}

static bool
row_fresh(const struct ledger_verdict *d, const struct ledger *l, uint32_t i,
    enum ledger_who who)
{
	const struct ledger_row *r = &d->shown[i];
	struct ledger_set s = set_at(l, d->shown_ns[i]);

	return ledger_fresh_at(&s, r, who, l->execd_ns[r->in.venue]);
}

static bool
money_fresh(const struct ledger_verdict *d, const struct ledger *l, int v,
    enum ledger_who who)
{
	struct ledger_set s = set_at(l, d->money_ns[v]);

	return ledger_money_fresh_at(&s, &d->money_shown[v], who);
}

/* ---- JSON ---- */

static void
fig_json(json_t *o, const char *who, const char *unit,
    const struct ledger_fig *f, uint64_t now_ns)
{
	char key[40];

	snprintf(key, sizeof(key), "%s_%s", who, unit);
	json_object_set_new(
	    o, key, f->has ? json_integer(f->v) : json_pack("n"));
	snprintf(key, sizeof(key), "%s_age_ms", who);
	json_object_set_new(
	    o, key, f->has ? json_integer(age_ms(f, now_ns)) : json_pack("n"));
}

static void
fresh_json(json_t *o, const char *who, bool is_fresh)
{
	char key[40];

	snprintf(key, sizeof(key), "%s_fresh", who);
	json_object_set_new(o, key, json_boolean(is_fresh));
}

static json_t *
row_json(const struct ledger_verdict *d, const struct ledger *l, uint32_t i)
{
	const struct ledger_row *r = &d->shown[i];
	enum ledger_state s = d->row[i].state;
	json_t *o = json_pack("{s:s,s:s,s:s,s:b}", "venue",
	    venue_name(r->in.venue), "instrument", r->in.symbol, "state",
	    ledger_state_name(s), "equal", s == LEDGER_EQUAL);

	for (int k = 0; k < LEDGER_WHO_N; k++) {
		fig_json(o, who_name[k], "e8", &r->fig[k], d->shown_ns[i]);
		fresh_json(
		    o, who_name[k], row_fresh(d, l, i, (enum ledger_who)k));
	}
	return o;
}

static json_t *
money_json(const struct ledger_verdict *d, const struct ledger *l)
{
	static const enum ledger_who who[] = {LEDGER_EXECD, LEDGER_TRUTH};
	json_t *all = json_pack("{}");

	for (int v = 1; v < VENUE_N; v++) {
		json_t *o;

		if (d->money[v].state == LEDGER_NOTHING)
			continue;
		o = json_pack(
		    "{s:s}", "state", ledger_state_name(d->money[v].state));
		for (int k = 0; k < 2; k++) {
			fig_json(o, who_name[who[k]], "e6",
			    &d->money_shown[v].fig[who[k]], d->money_ns[v]);
			fresh_json(
			    o, who_name[who[k]], money_fresh(d, l, v, who[k]));
		}
		json_object_set_new(all, venue_name((enum venue)v), o);
	}
	return all;
}

void
ledger_say_json(
    const struct ledger_verdict *d, const struct ledger *l, const char *why)
{
	json_t *rows = json_pack("[]");
	int code = ledger_code(d, l);
	json_t *o;

	for (uint32_t i = 1; i < INSTR_N; i++)
		if (d->row[i].state != LEDGER_NOTHING)
			json_array_append_new(rows, row_json(d, l, i));
	o = json_pack("{s:i,s:b,s:b,s:i,s:i,s:i,s:s,s:o,s:o}", "code", code,
	    "equal", code == 0, "exchange_asked", l->has_truth, "strays",
	    (int)l->stray_n, "stale", (int)ledger_count(d, LEDGER_STALE),
	    "settling", (int)ledger_count(d, LEDGER_SETTLING), "why", why,
	    "positions", rows, "collateral", money_json(d, l));
	json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(o);
}

/* ---- text ---- */

static void
cell(
    const struct ledger_fig *f, unsigned digits, bool is_fresh, uint64_t now_ns)
{
	char amount[FIXED_TEXT_MAX];
	char text[CELL_SZ] = "?";

	if (f->has) {
		fixed_format(f->v, digits, amount);
		snprintf(text, sizeof(text), "%s (%lldms%s)", amount,
		    (long long)age_ms(f, now_ns), is_fresh ? "" : " late");
	}
	printf(" %22s", text);
}

static const char *
state_text(enum ledger_state s)
{
	return s == LEDGER_DIFFERS ? "DIFFERS" : ledger_state_name(s);
}

static void
rows_text(const struct ledger_verdict *d, const struct ledger *l)
{
	bool any = false;

	for (uint32_t i = 1; i < INSTR_N; i++) {
		if (d->row[i].state == LEDGER_NOTHING)
			continue;
		if (!any)
			printf("%-36s %22s %22s %22s %22s\n", "POSITION",
			    "RISKD", "EXECD", "VENUE", "EXCHANGE");
		any = true;
		printf("%-36s", d->shown[i].in.symbol);
		for (int k = 0; k < LEDGER_WHO_N; k++)
			cell(&d->shown[i].fig[k], 8,
			    row_fresh(d, l, i, (enum ledger_who)k),
			    d->shown_ns[i]);
		printf("  %s\n", state_text(d->row[i].state));
	}
}

static void
money_text(const struct ledger_verdict *d, const struct ledger *l)
{
	for (int v = 1; v < VENUE_N; v++) {
		const struct ledger_fig *f = d->money_shown[v].fig;

		if (d->money[v].state == LEDGER_NOTHING)
			continue;
		printf("%-36s %22s", venue_name((enum venue)v), "USD");
		cell(&f[LEDGER_EXECD], 6, money_fresh(d, l, v, LEDGER_EXECD),
		    d->money_ns[v]);
		printf(" %22s", "");
		cell(&f[LEDGER_TRUTH], 6, money_fresh(d, l, v, LEDGER_TRUTH),
		    d->money_ns[v]);
		printf("  %s\n", state_text(d->money[v].state));
	}
	if (d->money[VENUE_HYPERLIQUID].state == LEDGER_SHOWN)
		puts("hyperliquid's is the account's value as execd last read "
		     "it, and now; it moves\nwith the mark. It and the fees "
		     "paid there are not compared.");
	if (d->money[VENUE_POLYMARKET].state == LEDGER_SHOWN)
		puts("polymarket's collateral is execd's by fills: there is no "
		     "other figure here.");
}

/* What could not be compared, by name. */
static void
missing_text(
    const struct ledger_verdict *d, const struct ledger *l, const char *why)
{
	bool any = false;

	if (why[0] != '\0')
		printf(
		    "not compared: the exchange here was not asked: %s\n", why);
	if (l->riskd_ns == 0)
		puts("not compared: riskd has said nothing");
	for (int v = 1; v < VENUE_N; v++) {
		any = any || l->set.trades[v];
		if (ledger_silent(l, (enum venue)v))
			printf("not compared: execd of %s says nothing\n",
			    venue_name((enum venue)v));
		if (d->money[v].state == LEDGER_STALE)
			printf("not compared: collateral of %s\n",
			    venue_name((enum venue)v));
	}
	if (!any)
		puts("not compared: nothing trades here");
	for (uint32_t i = 1; i < INSTR_N; i++)
		if (d->row[i].state == LEDGER_STALE)
			printf("not compared: %s\n", d->shown[i].in.symbol);
}

void
ledger_say_text(
    const struct ledger_verdict *d, const struct ledger *l, const char *why)
{
	uint32_t settling = ledger_count(d, LEDGER_SETTLING);
	int code = ledger_code(d, l);

	rows_text(d, l);
	money_text(d, l);
	missing_text(d, l, why);
	if (d->stray.state == LEDGER_DIFFERS)
		printf("%u holdings there of no market of ours\n", l->stray_n);
	if (settling > 0)
		printf("%u ended, not judged until the outcome is booked\n",
		    settling);
	if (code == 1)
		printf("ledgers DIFFER in %u places\n",
		    ledger_count(d, LEDGER_DIFFERS));
	else if (code == 2)
		puts("ledgers could NOT all be compared");
	else
		printf("ledgers are equal, to the last unit: %u compared\n",
		    ledger_count(d, LEDGER_EQUAL));
}

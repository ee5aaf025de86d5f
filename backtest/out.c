#define _GNU_SOURCE
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backtest/pages.h"
#include "backtest/run.h"
#include "libcore/hash.h"
#include "libsys/version.h"

void
out_number(FILE *f, double v)
{
	if (isfinite(v))
		fprintf(f, "%.10g", v);
	else
		fputs("null", f);
}

void
out_string(FILE *f, const char *s)
{
	fputc('"', f);
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		/* '<' too: the text may stand inside a page's script. */
		if (c < 0x20 || c == '"' || c == '\\' || c == '<')
			fprintf(f, "\\u%04x", c);
		else
			fputc(c, f);
	}
	fputc('"', f);
}

/* Integers of scale 8 or 6 as exact decimals. */
static void
dec(FILE *f, int64_t v, unsigned scale)
{
	char text[FIXED_TEXT_MAX];

	fixed_format(v, scale, text);
	fputs(text, f);
}

static void
key_dec(FILE *f, const char *key, int64_t v, unsigned scale)
{
	fprintf(f, ",\"%s\":", key);
	dec(f, v, scale);
}

/* ---- trades ---- */

void
run_trades_head(FILE *f)
{
	fputs("time_ns,venue,symbol,side,component,strategy,maker,px,qty,"
	      "notional_usd,fee_usd,realised_usd,mid,mid_30s,mid_2m,mid_10m,"
	      "markout_30s,markout_2m,markout_10m,order_id,fill_id\n",
	    f);
}

void
run_trades_row(FILE *f, const struct ledger *l, const struct ledger_fill *x)
{
	const struct ledger_market *m = &l->market[x->market];

	fprintf(f, "%" PRIu64 ",%s,%s,%s,%s,%s,%u,", x->t_ns,
	    venue_name((enum venue)x->venue), m->symbol,
	    side_name((enum side)x->side),
	    component_name((enum component)x->component),
	    strategy_name(x->strategy), x->maker);
	dec(f, x->px.e8, 8);
	fputc(',', f);
	dec(f, x->qty.e8, 8);
	fputc(',', f);
	dec(f, usd_notional(x->px, x->qty).e6, 6);
	fputc(',', f);
	dec(f, x->fee.e6, 6);
	fputc(',', f);
	dec(f, x->realised.e6, 6);
	fputc(',', f);
	if (x->mid.e8 > 0)
		dec(f, x->mid.e8, 8);
	for (unsigned h = 0; h < LEDGER_HORIZONS; h++) {
		fputc(',', f);
		if ((x->after_set & 1u << h) != 0)
			dec(f, x->after[h].e8, 8);
	}
	for (unsigned h = 0; h < LEDGER_HORIZONS; h++) {
		int64_t d = x->after[h].e8 - x->px.e8;

		fputc(',', f);
		if ((x->after_set & 1u << h) != 0)
			dec(f, x->side == SIDE_BID ? d : -d, 8);
	}
	fprintf(f, ",%" PRIu64 ",%" PRIu64 "\n", x->id, x->fill_id);
}

/* ---- the result ---- */

static void
put_figures(FILE *f, const struct figures *fig)
{
	fputs(",\"figures\":{", f);
	for (unsigned i = 0; i < FIG_N; i++) {
		fprintf(f, "%s\"%s\":", i > 0 ? "," : "", figure_name(i));
		out_number(f, fig->v[i]);
	}
	fputc('}', f);
}

static void
put_sum(FILE *f, const struct ledger_sum *s)
{
	fprintf(f,
	    "\"orders\":%" PRIu64 ",\"fills\":%" PRIu64
	    ",\"maker_fills\":%" PRIu64,
	    s->orders, s->fills, s->maker_fills);
	key_dec(f, "volume_usd", s->volume.e6, 6);
	key_dec(f, "fees_usd", s->fees.e6, 6);
	key_dec(f, "rebates_usd", s->rebates.e6, 6);
	key_dec(f, "funding_usd", s->funding.e6, 6);
	key_dec(f, "settled_usd", s->settled.e6, 6);
	key_dec(f, "spread_usd", s->spread.e6, 6);
	key_dec(f, "markout_30s_usd", s->after[0].e6, 6);
	key_dec(f, "markout_2m_usd", s->after[1].e6, 6);
	key_dec(f, "markout_10m_usd", s->after[2].e6, 6);
}

static void
put_attribution(FILE *f, const struct ledger *l)
{
	fputs(",\"attribution\":{", f);
	for (int c = 1; c < COMP_N; c++) {
		fprintf(f, "%s\"%s\":{\"pnl_usd\":", c > 1 ? "," : "",
		    component_name((enum component)c));
		dec(f, ledger_component_pnl(l, (enum component)c).e6, 6);
		fputc(',', f);
		put_sum(f, &l->comp[c]);
		fputc('}', f);
	}
	fputc('}', f);
}

static void
put_markets(FILE *f, const struct ledger *l)
{
	bool first = true;

	fputs(",\"markets\":[", f);
	for (uint32_t i = 0; i < l->market_n; i++) {
		const struct ledger_market *m = &l->market[i];
		usd_t pnl = ledger_market_pnl(m);

		if (i == 0)
			for (int c = 1; c < COMP_N; c++)
				pnl.e6 += l->comp_pnl_gone[c].e6;
		if (m->sum.orders == 0 && m->sum.fills == 0)
			continue;
		fputs(first ? "{\"symbol\":" : ",{\"symbol\":", f);
		first = false;
		out_string(f, m->symbol);
		fprintf(f, ",\"venue\":\"%s\",\"settled\":%s",
		    m->venue != 0 ? venue_name((enum venue)m->venue) : "",
		    m->is_settled ? "true" : "false");
		key_dec(f, "pnl_usd", pnl.e6, 6);
		key_dec(f, "qty", ledger_qty(m).e8, 8);
		key_dec(f, "mid", m->mid.e8, 8);
		fputc(',', f);
		put_sum(f, &m->sum);
		fputc('}', f);
	}
	fputc(']', f);
}

static void
put_rows(FILE *f, const struct series *s, unsigned cols)
{
	fputc('[', f);
	for (uint32_t i = 0; i < s->n; i++) {
		fprintf(f, "%s[%.3f", i > 0 ? "," : "",
		    (double)s->row[i].t_ns / 1e9);
		for (unsigned c = 0; c < cols; c++) {
			fputc(',', f);
			fprintf(f, "%.8g", s->row[i].v[c]);
		}
		fputc(']', f);
	}
	fputc(']', f);
}

static void
put_fill(FILE *f, const struct ledger_fill *x)
{
	fprintf(f, "[%.3f,%u,%u,", (double)x->t_ns / 1e9, x->market, x->side);
	dec(f, x->px.e8, 8);
	fputc(',', f);
	dec(f, x->qty.e8, 8);
	fprintf(f, ",%u,%u,", x->maker, x->component);
	if (x->mid.e8 > 0)
		dec(f, x->mid.e8, 8);
	else
		fputs("null", f);
	for (unsigned h = 0; h < LEDGER_HORIZONS; h++) {
		fputc(',', f);
		if ((x->after_set & 1u << h) != 0)
			dec(f, x->after[h].e8, 8);
		else
			fputs("null", f);
	}
	fputc(']', f);
}

static void
put_curves(FILE *f, const struct ledger *l)
{
	fputs(",\"curves\":{\"equity\":", f);
	put_rows(f, l->equity, 3);
	fputs(",\"link\":", f);
	put_rows(f, l->link, VENUE_N - 1);
	fputs(",\"plots\":[", f);
	for (uint32_t i = 0, n = 0; i < l->market_n; i++) {
		const struct ledger_market *m = &l->market[i];

		if (m->plot == 0)
			continue;
		fprintf(
		    f, "%s{\"market\":%u,\"symbol\":", n++ > 0 ? "," : "", i);
		out_string(f, m->symbol);
		fputs(",\"rows\":", f);
		put_rows(f, &l->plot[m->plot - 1], SERIES_COLS);
		fputc('}', f);
	}
	fprintf(f, "],\"fill_every\":%u,\"fills\":[", l->keep_every);
	for (uint32_t i = 0; i < l->keep_n; i++) {
		if (i > 0)
			fputc(',', f);
		put_fill(f, &l->keep[i]);
	}
	fputs("]}", f);
}

static void
put_asked(FILE *f, const struct run_args *a)
{
	const struct opts *o = a->o;

	fputs(",\"captures\":[", f);
	for (unsigned i = 0; i < o->path_n; i++) {
		if (i > 0)
			fputc(',', f);
		out_string(f, o->path[i]);
	}
	fputs("],\"feed_latency\":", f);
	out_string(f, o->feed != NULL ? o->feed : "0");
	fputs(",\"order_latency\":", f);
	out_string(f, o->order != NULL ? o->order : "exec.paper_latency");
	fputs(",\"response_latency\":", f);
	out_string(f, o->response != NULL ? o->response : "0");
	fprintf(f, ",\"rebate_share\":%g", (double)o->rebate_ppm / 1e6);
}

void
out_json(FILE *f, const struct run *r, const struct run_args *a, bool curves)
{
	const struct ledger *l = r->ledger;

	fprintf(f,
	    "{\"version\":\"%s\",\"hash\":\"%016" PRIx64
	    "\",\"config_hash\":\"%016" PRIx64 "\",\"seed\":%" PRIu64
	    ",\"bar_s\":%g,\"start_ns\":%" PRIu64 ",\"end_ns\":%" PRIu64
	    ",\"events\":%" PRIu64,
	    RINGMAKER_VERSION, r->hash,
	    hash_bytes(HASH_SEED, a->cfg, sizeof(*a->cfg)), a->o->seed,
	    (double)a->o->bar_ns / 1e9, l->start_ns, l->now_ns, r->events);
	key_dec(f, "capital_usd", l->a.capital.e6, 6);
	put_asked(f, a);
	fprintf(f,
	    ",\"counts\":{\"ticks\":%" PRIu64 ",\"intents\":%" PRIu64
	    ",\"verdicts\":%" PRIu64 ",\"passed\":%" PRIu64
	    ",\"orders\":%" PRIu64 ",\"cancels\":%" PRIu64 ",\"acks\":%" PRIu64
	    ",\"fills\":%" PRIu64 ",\"rejects\":%" PRIu64
	    ",\"freezes\":%" PRIu64 "}",
	    r->n.ticks, r->n.intents, r->n.verdicts, r->n.passed, r->n.orders,
	    r->n.cancels, r->n.acks, r->n.fills, r->n.rejects, r->n.freezes);
	key_dec(f, "riskd_pnl_usd", r->risk_pnl.e6, 6);
	put_figures(f, &r->figures);
	put_attribution(f, l);
	put_markets(f, l);
	if (curves)
		put_curves(f, l);
	fputs("}\n", f);
}

void
out_page(FILE *f, const struct run *r, const struct run_args *a)
{
	const char *at = strstr(page_report, PAGE_DATA);

	fwrite(page_report, 1, (size_t)(at - page_report), f);
	out_json(f, r, a, true);
	fputs(at + strlen(PAGE_DATA), f);
}

void
out_text(FILE *f, const struct run *r)
{
	fprintf(f, "%-28s %" PRIu64 " in %.2f s, %.2f M/s\n", "events",
	    r->events, (double)r->wall_ns / 1e9,
	    (double)r->events * 1e3 / (double)(r->wall_ns + 1));
	fprintf(f, "%-28s %016" PRIx64 "\n", "hash", r->hash);
	for (unsigned i = 0; i < FIG_N; i++) {
		fprintf(f, "%-28s ", figure_name(i));
		if (isfinite(r->figures.v[i]))
			fprintf(f, "%.6g", r->figures.v[i]);
		else
			fputc('-', f);
		fprintf(f, " %s\n", figure_unit(i));
	}
}

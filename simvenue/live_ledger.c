/*
 * What everybody has, to the last unit; what came in, and when. Numbers are
 * integers in the units that their names say.
 */
#include <string.h>

#include "libcore/check.h"
#include "libcore/json.h"
#include "simvenue/live.h"
#include "simvenue/put.h"

static void
put_n(struct text *t, const char *key, int64_t v)
{
	text_lit(t, "\"");
	text_lit(t, key);
	text_lit(t, "\":");
	put_i64(t, v);
}

/* ---- Polymarket ---- */

static void
put_hold(struct text *t, const struct pmx_hold *h, const char *unit)
{
	static const char *const names[] = {"own", "out", "in", "locked"};
	const int64_t v[] = {h->own, h->out, h->in, h->locked};

	for (size_t i = 0; i < 4; i++) {
		text_lit(t, i > 0 ? ",\"" : "\"");
		text_lit(t, names[i]);
		text_lit(t, unit);
		text_lit(t, "\":");
		put_i64(t, v[i]);
	}
}

static void
put_tokens(const struct pmx *x, uint32_t account, struct text *t)
{
	char id[PM_TOKEN_TEXT_MAX];
	bool any = false;

	text_lit(t, ",\"tokens\":[");
	for (uint32_t m = 0; m < PMX_MARKETS; m++)
		for (int k = 0; k < 2 && x->market[m].phase != 0; k++) {
			const struct pmx_hold *h =
			    &x->account[account].token[m][k];

			if (h->own == 0 && h->out == 0 && h->in == 0)
				continue;
			text_lit(t, any ? ",{\"token\":\"" : "{\"token\":\"");
			text_put(t, id,
			    pm_token_format(&x->market[m].terms.token[k], id));
			text_lit(t, "\",");
			put_hold(t, h, "_e8");
			text_lit(t, "}");
			any = true;
		}
	text_lit(t, "]");
}

static void
put_order(const struct pmx *x, const struct pmx_order *o, struct text *t)
{
	char id[PM_ID_TEXT_MAX];
	char token[PM_TOKEN_TEXT_MAX];

	pm_id_text(o->id.b, id);
	text_lit(t, "{\"id\":\"");
	text_lit(t, id);
	text_lit(t, "\",\"token\":\"");
	text_put(t, token,
	    pm_token_format(
		&x->market[o->market].terms.token[o->role - ROLE_YES], token));
	text_lit(t, o->side == SIDE_BID ? "\",\"side\":\"BUY\""
					: "\",\"side\":\"SELL\"");
	put_int(t, "px_e8", o->px.tok_e8);
	put_int(t, "qty_e8", o->qty.e8);
	put_int(t, "matched_e8", o->matched.e8);
	put_int(t, "lock", o->lock);
	text_lit(t, "}");
}

static void
put_orders(const struct pmx *x, uint32_t account, struct text *t)
{
	bool any = false;

	text_lit(t, ",\"orders\":[");
	for (uint32_t i = 0; i < PMX_ORDERS; i++) {
		if (x->order[i].account != account ||
		    !pmx_is_open(&x->order[i]))
			continue;
		text_lit(t, any ? "," : "");
		put_order(x, &x->order[i], t);
		any = true;
	}
	text_lit(t, "]");
}

static void
put_polymarket(const struct world *w, struct text *t)
{
	const struct pm_desk *d = &w->pm_desk;
	char address[ADDRESS_TEXT_MAX];
	bool any = false;

	for (uint32_t i = 0; i < PMX_ACCOUNTS; i++) {
		uint32_t login = desk_login_of(d, i);

		if (login == DESK_LOGINS)
			continue;
		address_format_lower(&d->login[login].address, address);
		text_lit(t, any ? ",{" : "{");
		put_n(t, "account", i);
		put_str(t, "address", address);
		address_format_lower(&d->owner[i].maker, address);
		put_str(t, "maker", address);
		put_int(t, "signature_type", d->owner[i].sig_type);
		text_lit(t, ",\"usd\":{");
		put_hold(t, &w->pmx.account[i].usd, "_e6");
		text_lit(t, "}");
		put_tokens(&w->pmx, i, t);
		put_orders(&w->pmx, i, t);
		text_lit(t, "}");
		any = true;
	}
}

/* ---- Hyperliquid ---- */

static void
put_positions(const struct hlx *x, uint32_t account, struct text *t)
{
	bool any = false;

	text_lit(t, ",\"positions\":[");
	for (uint32_t c = 0; c < HLX_COINS; c++) {
		const struct position *p = &x->account[account].pos[c];

		if (!x->coin[c].used ||
		    (p->qty.e8 == 0 && p->realised_e16 == 0))
			continue;
		text_lit(t, any ? ",{" : "{");
		put_n(t, "asset", x->coin[c].terms.index);
		put_str(t, "coin", x->coin[c].terms.name);
		put_int(t, "qty_e8", p->qty.e8);
		put_int(t, "cost_e6", e16_to_usd(p->cost_e16).e6);
		put_int(t, "realised_e6", e16_to_usd(p->realised_e16).e6);
		text_lit(t, "}");
		any = true;
	}
	text_lit(t, "]");
}

static void
put_hl_orders(const struct hlx *x, uint32_t account, struct text *t)
{
	bool any = false;

	text_lit(t, ",\"orders\":[");
	for (uint32_t i = 0; i < HLX_ORDERS; i++) {
		const struct hlx_order *o = &x->order[i];

		if (o->oid == 0 || o->account != account ||
		    o->status != HLX_OPEN)
			continue;
		text_lit(t, any ? ",{" : "{");
		put_n(t, "oid", (int64_t)o->oid);
		put_int(t, "asset", x->coin[o->coin].terms.index);
		put_str(t, "side", o->side == SIDE_BID ? "B" : "A");
		put_int(t, "px_e8", o->px.e8);
		put_int(t, "qty_e8", o->qty.e8);
		put_int(t, "left_e8", o->left.e8);
		text_lit(t, "}");
		any = true;
	}
	text_lit(t, "]");
}

static bool
is_client(const struct hl_desk *d, uint32_t account)
{
	return d->is_client[account];
}

static void
put_hyperliquid(const struct world *w, struct text *t)
{
	const struct hlx *x = &w->hlx;
	char address[ADDRESS_TEXT_MAX];
	bool any = false;

	for (uint32_t i = 0; i < HLX_ACCOUNTS; i++) {
		const struct hlx_account *a = &x->account[i];
		struct address who;

		if (!a->used || !is_client(&w->hl_desk, i))
			continue;
		memcpy(who.b, a->address, sizeof(who.b));
		address_format_lower(&who, address);
		text_lit(t, any ? ",{" : "{");
		put_n(t, "account", i);
		put_str(t, "address", address);
		put_int(t, "deposit_e6", a->deposit.e6);
		put_int(t, "fees_e6", a->fees.e6);
		put_int(t, "funding_e6", a->funding.e6);
		put_int(t, "value_e6", hlx_value(x, i).e6);
		put_int(t, "volume_e6", a->volume.e6);
		put_positions(x, i, t);
		put_hl_orders(x, i, t);
		text_lit(t, "}");
		any = true;
	}
}

/* ---- objects ---- */

void
live_put_ledger(const struct live *l, struct text *t)
{
	const struct world *w = &l->w;

	text_lit(t, "{");
	put_n(t, "now_ns", (int64_t)w->now_ns);
	text_lit(t, pmx_is_conserved(&w->pmx)
			? ",\"polymarket\":{\"is_conserved\":true"
			: ",\"polymarket\":{\"is_conserved\":false");
	text_lit(t, ",\"accounts\":[");
	put_polymarket(w, t);
	text_lit(t, hlx_is_conserved(&w->hlx)
			? "]},\"hyperliquid\":{\"is_conserved\":true"
			: "]},\"hyperliquid\":{\"is_conserved\":false");
	text_lit(t, ",\"accounts\":[");
	put_hyperliquid(w, t);
	text_lit(t, "]}}");
}

void
live_put_stats(const struct live *l, struct text *t)
{
	static const enum venue venues[] = {
	    VENUE_POLYMARKET, VENUE_HYPERLIQUID};
	static const char *const said[] = {"polymarket", "hyperliquid"};

	text_lit(t, "{");
	put_n(t, "now_ns", (int64_t)l->w.now_ns);
	for (int i = 0; i < 2; i++) {
		const struct live_count *c = &l->count[venues[i]];
		const struct world_count *k =
		    i == 0 ? &l->w.pm_count : &l->w.hl_count;

		text_lit(t, ",\"");
		text_lit(t, said[i]);
		text_lit(t, "\":{");
		put_n(t, "place_calls", (int64_t)c->calls[LIVE_PLACE]);
		put_int(t, "cancel_calls", (int64_t)c->calls[LIVE_CANCEL]);
		put_int(t, "other_calls", (int64_t)c->calls[LIVE_OTHER]);
		put_int(t, "orders", (int64_t)c->orders);
		put_int(t, "rested", (int64_t)k->rested);
		put_int(t, "trades", (int64_t)k->trades);
		put_int(t, "matched_e8", k->matched_e8);
		put_int(t, "last_place_ns", (int64_t)c->last_ns[LIVE_PLACE]);
		put_int(t, "last_cancel_ns", (int64_t)c->last_ns[LIVE_CANCEL]);
		text_lit(t, "}");
	}
	text_lit(t, "}");
}

static void
put_ids(const struct live *l, const struct live_arrival *a, struct text *t)
{
	bool any = false;

	text_lit(t, ",\"ids\":[");
	for (uint32_t i = 0; i < a->id_n; i++) {
		uint64_t at = a->id_at + i;
		char escaped[6 * LIVE_ARRIVAL_ID];
		const char *id = l->id[at % LIVE_ARRIVAL_IDS];

		if (at + LIVE_ARRIVAL_IDS < l->id_n) /* written over */
			continue;
		text_lit(t, any ? ",\"" : "\"");
		if (json_escape(id, strlen(id), escaped, sizeof(escaped)) !=
		    SIZE_MAX)
			text_lit(t, escaped);
		text_lit(t, "\"");
		any = true;
	}
	text_lit(t, "]");
}

static void
put_arrivals(
    const struct live *l, uint64_t from, uint64_t since_ns, struct text *t)
{
	static const char *const calls[LIVE_CALL_N] = {
	    [LIVE_PLACE] = "place",
	    [LIVE_CANCEL] = "cancel",
	    [LIVE_OTHER] = "other",
	};
	bool any = false;

	text_lit(t, "[");
	for (uint64_t i = from; i < l->arrival_n; i++) {
		const struct live_arrival *a = &l->arrival[i % LIVE_ARRIVALS];

		if (a->ns < since_ns)
			continue;
		text_lit(t, any ? ",{" : "{");
		put_n(t, "ns", (int64_t)a->ns);
		put_str(t, "venue", venue_name(a->venue));
		put_str(t, "call", calls[a->call]);
		put_int(t, "n", a->n);
		put_ids(l, a, t);
		text_lit(t, "}");
		any = true;
	}
	text_lit(t, "]");
}

void
live_put_arrivals(const struct live *l, uint64_t since_ns, struct text *t)
{
	uint64_t n = l->arrival_n;
	uint64_t from = n > LIVE_ARRIVALS ? n - LIVE_ARRIVALS : 0;
	size_t at = t->n;

	/* The newest that there is room for. */
	for (put_arrivals(l, from, since_ns, t); t->full && from < n;
	     put_arrivals(l, from, since_ns, t)) {
		t->n = at;
		t->full = false;
		from += (n - from + 1) / 2;
	}
}

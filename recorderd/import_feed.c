#include <string.h>

#include "libcore/check.h"
#include "libcore/json.h"
#include "libvenue/binance.h"
#include "libvenue/polymarket.h"
#include "libvenue/rtds.h"
#include "recorderd/import.h"

/* Decoders' events are large; they live in the caller's import through here:
 * one at a time. */
union decoded {
	struct bn_event bn;
	struct pm_event pm;
	struct rtds_event rtds;
};

/* ---- Binance ---- */

static void
bn_levels(struct import *im, struct import_instr *in,
    const struct import_when *w, const struct bn_event *ev)
{
	for (uint32_t i = ev->bids_n; i-- > 0;)
		import_level(im, in, w,
		    &(struct tick_level){.px = ev->bids[i].px,
			.qty = ev->bids[i].qty,
			.venue_seq = ev->last_id,
			.side = SIDE_BID});
	for (uint32_t i = ev->asks_n; i-- > 0;)
		import_level(im, in, w,
		    &(struct tick_level){.px = ev->asks[i].px,
			.qty = ev->asks[i].qty,
			.venue_seq = ev->last_id,
			.side = SIDE_ASK});
}

static void
bn_book(struct import *im, struct import_instr *in, const struct import_when *w,
    const struct bn_event *ev)
{
	bool whole = ev->kind != BN_DEPTH;

	/* The book that was fetched has it already. */
	if (!whole && ev->last_id <= in->book_id) {
		im->skipped_n++;
		return;
	}
	if (whole) {
		in->book_id = ev->last_id;
		import_snap(im, in, w, ev->last_id);
	}
	bn_levels(im, in, w, ev);
	if (whole)
		import_snap_end(im, in, w, ev->last_id);
	import_batch(im);
}

static void
bn_event(struct import *im, const struct bn_event *ev, int64_t recv_ns)
{
	const char *s = ev->symbol.n > 0 ? ev->symbol.s : im->symbol;
	size_t n = ev->symbol.n > 0 ? ev->symbol.n : strlen(im->symbol);
	struct import_when w = {recv_ns, ev->venue_ns};
	struct import_instr *in = import_instr_get(im, s, n, VENUE_BINANCE);

	if (in == NULL) {
		im->bad_n++;
		return;
	}
	switch (ev->kind) {
	case BN_TRADE:
	case BN_AGG_TRADE:
		import_trade(im, in, &w,
		    &(struct tick_trade){.px = ev->px,
			.qty = ev->qty,
			.trade_id = ev->trade_id,
			.side = (uint8_t)ev->side});
		return;
	case BN_BOOK_TICKER:
		import_bbo(im, in, &w,
		    &(struct tick_bbo){
			ev->bid.px, ev->bid.qty, ev->ask.px, ev->ask.qty});
		return;
	case BN_DEPTH:
	case BN_PARTIAL:
	case BN_SNAPSHOT: bn_book(im, in, &w, ev); return;
	case BN_ERR: im->bad_n++; return;
	case BN_SHUTDOWN:
	case BN_ANSWER:
	case BN_REFUSAL:
	case BN_UNKNOWN:
	case BN_KIND_N: im->skipped_n++; return;
	}
}

static void
bn_frame(struct import *im, const char *text, size_t n, int64_t recv_ns)
{
	union decoded ev;

	bn_decode(&ev.bn, text, n);
	/* An error leaves nothing but its kind. */
	if (ev.bn.kind == BN_ERR)
		im->bad_n++;
	else
		bn_event(im, &ev.bn, recv_ns);
}

void
import_raw_line(struct import *im, const char *text, size_t n)
{
	const char *blank = memchr(text, ' ', n);
	int64_t recv_ns;

	if (blank == NULL ||
	    !import_time(text, (size_t)(blank - text), &recv_ns)) {
		im->bad_n++;
		return;
	}
	blank++;
	bn_frame(im, blank, n - (size_t)(blank - text), recv_ns);
}

/* ---- Polymarket ---- */

static struct import_instr *
market_of(struct import *im, const struct pm_cond *cond)
{
	for (uint32_t i = 0; i < im->n; i++)
		if (im->instr[i].cond.n == cond->n && cond->n > 0 &&
		    memcmp(im->instr[i].cond.b, cond->b, cond->n) == 0)
			return &im->instr[i];
	return NULL;
}

static void
put_token(uint8_t out[32], const struct pm_token *t)
{
	memcpy(out, t->w, sizeof(t->w));
}

/* The market of a frame, made from what the frame says when it is unknown. */
static struct import_instr *
market_get(
    struct import *im, const struct pm_cond *cond, const struct pm_token *token)
{
	struct import_instr *in = market_of(im, cond);
	char text[PM_COND_TEXT_MAX];

	if (in == NULL) {
		size_t n = pm_cond_format(cond, text);

		in = import_instr_get(
		    im, text, n < 47 ? n : 47, VENUE_POLYMARKET);
		if (in == NULL)
			return NULL;
		in->cond = *cond;
		in->yes = *token;
		memcpy(in->in.condition, cond->b, sizeof(in->in.condition));
		put_token(in->in.token_yes, token);
	}
	return in;
}

static enum token_role
role_of(const struct import_instr *in, const struct pm_token *token)
{
	return pm_token_eq(&in->yes, token) ? ROLE_YES : ROLE_NO;
}

static void
pm_book(struct import *im, struct import_instr *in, const struct import_when *w,
    const struct pm_event *ev)
{
	if (role_of(in, &ev->token) != ROLE_YES) {
		im->skipped_n++;
		return;
	}
	import_snap(im, in, w, 0);
	for (unsigned ask = 0; ask < 2; ask++) {
		const struct pm_level *l = ask ? ev->asks : ev->bids;
		uint32_t n = ask ? ev->asks_n : ev->bids_n;

		for (uint32_t i = 0; i < n; i++)
			import_level(im, in, w,
			    &(struct tick_level){
				.px = frame_px(l[i].px, ROLE_YES),
				.qty = l[i].qty,
				.side = ask ? SIDE_ASK : SIDE_BID});
	}
	import_snap_end(im, in, w, 0);
}

static void
pm_changes(
    struct import *im, const struct import_when *w, const struct pm_event *ev)
{
	for (uint32_t i = 0; i < ev->changes_n; i++) {
		const struct pm_change *c = &ev->changes[i];
		struct import_instr *in =
		    market_get(im, &ev->market, &c->token);

		if (in == NULL || role_of(in, &c->token) != ROLE_YES)
			continue;
		import_level(im, in, w,
		    &(struct tick_level){.px = frame_px(c->px, ROLE_YES),
			.qty = c->qty,
			.side = (uint8_t)c->side});
	}
	import_batch(im);
}

static void
pm_event(struct import *im, const struct pm_event *ev, int64_t recv_ns)
{
	const struct import_when w = {recv_ns, ev->venue_ns};
	struct import_instr *in;

	if (ev->kind == PM_PRICE_CHANGE) {
		pm_changes(im, &w, ev);
		return;
	}
	if (ev->kind != PM_BOOK && ev->kind != PM_TRADE) {
		im->skipped_n++;
		return;
	}
	in = market_get(im, &ev->market, &ev->token);
	if (in == NULL) {
		im->bad_n++;
		return;
	}
	if (ev->kind == PM_BOOK) {
		pm_book(im, in, &w, ev);
		return;
	}
	enum token_role role = role_of(in, &ev->token);

	import_trade(im, in, &w,
	    &(struct tick_trade){.px = frame_px(ev->px, role),
		.qty = ev->qty,
		.side = (uint8_t)frame_side(ev->side, role)});
}

static void
pm_frame(struct import *im, const char *text, size_t n, int64_t recv_ns)
{
	struct pm_frame f;
	union decoded ev;
	enum pm_kind kind;

	pm_frame_init(&f, text, n);
	while ((kind = pm_next(&f, &ev.pm)) != PM_END && kind != PM_ERR)
		pm_event(im, &ev.pm, recv_ns);
	im->bad_n += kind == PM_ERR;
}

static void
rtds_frame(struct import *im, const char *text, size_t n, int64_t recv_ns)
{
	union decoded ev;
	struct rtds_event *r = &ev.rtds;

	if (rtds_decode(r, text, n) == RTDS_ERR) {
		im->bad_n++;
		return;
	}
	if ((r->kind != RTDS_UPDATE && r->kind != RTDS_SNAPSHOT) ||
	    r->symbol[0] == '\0') {
		im->skipped_n++;
		return;
	}
	struct import_instr *in = import_instr_get(
	    im, r->symbol, strlen(r->symbol), VENUE_POLYMARKET);

	if (in == NULL) {
		im->bad_n++;
		return;
	}
	in->in.cls = CLASS_INDEX;
	for (uint32_t i = 0; i < r->points_n; i++) {
		const struct import_when w = {recv_ns, r->points[i].venue_ns};

		import_ref(im, in, &w,
		    &(struct tick_ref){.px = r->points[i].px,
			.source = r->source == RTDS_SPOT	? REF_RELAY
				  : r->source == RTDS_CHAINLINK ? REF_SPOT
								: REF_TWAP});
	}
}

static bool
time_field(struct json *j, int64_t *out)
{
	struct json_str raw;

	return json_raw(j, &raw) && import_time(raw.s, raw.n, out);
}

void
import_pm_line(struct import *im, char *text, size_t n)
{
	struct json j;
	struct json_str key;
	struct json_str source = {0};
	struct json_str payload = {0};
	int64_t wall_ns = 0;
	int64_t mono_ns = 0;

	json_init(&j, text, n);
	if (json_object(&j))
		while (json_key(&j, &key)) {
			if (json_is(key, "source"))
				json_string(&j, &source);
			else if (json_is(key, "payload"))
				json_string(&j, &payload);
			else if (json_is(key, "recv_wall_ts"))
				time_field(&j, &wall_ns);
			else if (json_is(key, "recv_mono_ns"))
				time_field(&j, &mono_ns);
			else
				json_skip(&j);
		}
	json_end(&j);
	if (j.reason != REASON_NONE || payload.s == NULL || wall_ns == 0) {
		im->bad_n++;
		return;
	}
	/* The finer one, where it counts from 1970 too. */
	if (mono_ns / NS_PER_S / 60 == wall_ns / NS_PER_S / 60)
		wall_ns = mono_ns;
	/* Undone in place: it never grows, and the closing quote makes room
	 * for the NUL. */
	char *p = text + (payload.s - text);
	size_t len = json_unescape(payload, p, payload.n + 1);

	if (json_is(source, "polymarket_clob"))
		pm_frame(im, p, len, wall_ns);
	else if (json_is(source, "binance"))
		bn_frame(im, p, len, wall_ns);
	else if (source.n > 15 && memcmp(source.s, "polymarket_rtds", 15) == 0)
		rtds_frame(im, p, len, wall_ns);
	else
		im->skipped_n++;
}

/* ---- the file of markets ---- */

struct market {
	struct json_str slug;
	struct json_str cond;
	struct json_str token[2]; /* in the order of the outcomes         */
	unsigned token_n;
	int64_t start_ns;
	int64_t end_ns;
	int64_t tick_e8;
};

static void
outcomes(struct json *j, struct market *m)
{
	struct json_str key;

	if (!json_array(j))
		return;
	while (json_item(j)) {
		struct json_str token = {0};
		struct json_str name = {0};

		if (!json_object(j))
			return;
		while (json_key(j, &key)) {
			if (json_is(key, "token_id"))
				json_string(j, &token);
			else if (json_is(key, "outcome"))
				json_string(j, &name);
			else
				json_skip(j);
		}
		bool no = json_is(name, "No") || json_is(name, "Down");

		m->token[no] = token;
		m->token_n++;
	}
}

static void
market_fields(struct json *j, struct market *m)
{
	struct json_str key;

	if (!json_object(j))
		return;
	while (json_key(j, &key)) {
		if (json_is(key, "slug"))
			json_string(j, &m->slug);
		else if (json_is(key, "condition_id"))
			json_string(j, &m->cond);
		else if (json_is(key, "outcomes"))
			outcomes(j, m);
		else if (json_is(key, "start_ts"))
			time_field(j, &m->start_ns);
		else if (json_is(key, "end_ts"))
			time_field(j, &m->end_ns);
		else if (json_is(key, "tick_size"))
			json_e8(j, E8, &m->tick_e8);
		else
			json_skip(j);
	}
}

bool
import_market(struct import *im, const char *text, size_t n)
{
	struct market m = {0};
	struct pm_cond cond;
	struct pm_token token[2];
	struct json j;

	json_init(&j, text, n);
	market_fields(&j, &m);
	if (j.reason != REASON_NONE || m.token_n != 2 || m.slug.n == 0 ||
	    !pm_cond_parse(m.cond.s, m.cond.n, &cond) ||
	    !pm_token_parse(m.token[0].s, m.token[0].n, &token[0]) ||
	    !pm_token_parse(m.token[1].s, m.token[1].n, &token[1]))
		return false;
	struct import_instr *in = import_instr_get(
	    im, m.slug.s, m.slug.n < 47 ? m.slug.n : 47, VENUE_POLYMARKET);

	if (in == NULL)
		return false;
	in->cond = cond;
	in->yes = token[0];
	in->no = token[1];
	in->in.cls = CLASS_UPDOWN;
	in->in.start_wall_ns = m.start_ns;
	in->in.end_wall_ns = m.end_ns;
	in->in.tick_px = PX(m.tick_e8);
	memcpy(in->in.condition, cond.b, sizeof(in->in.condition));
	put_token(in->in.token_yes, &token[0]);
	put_token(in->in.token_no, &token[1]);
	return true;
}

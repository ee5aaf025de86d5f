/* Polymarket's market channel, price stream and public REST calls. */
#include "simvenue/polymarket.h"

#include <string.h>

#include "libcore/check.h"

#define SUB_TOKENS_MAX 512

/* ---- the market channel ---- */

struct sub_request {
	bool is_unsubscribe;
	bool wants_events;
	bool no_dump;
	uint32_t n;
	struct pm_token tokens[SUB_TOKENS_MAX];
};

static bool
read_request(const char *text, size_t n, struct sub_request *r)
{
	struct json j;
	struct json_str key;
	struct json_str s;
	bool dump = true;
	memset(r, 0, offsetof(struct sub_request, tokens));
	json_init(&j, text, n);
	if (!json_object(&j))
		return false;
	while (json_key(&j, &key)) {
		if (json_is(key, "assets_ids") && json_array(&j)) {
			while (json_item(&j) && json_string(&j, &s)) {
				if (r->n < SUB_TOKENS_MAX &&
				    pm_token_parse(s.s, s.n, &r->tokens[r->n]))
					r->n++;
			}
		} else if (json_is(key, "operation")) {
			if (json_string(&j, &s))
				r->is_unsubscribe = json_is(s, "unsubscribe");
		} else if (json_is(key, "custom_feature_enabled")) {
			json_bool(&j, &r->wants_events);
		} else if (json_is(key, "initial_dump")) {
			json_bool(&j, &dump);
		} else {
			json_skip(&j);
		}
	}
	r->no_dump = !dump;
	return json_end(&j);
}

static int
stranger_find(const struct sim_pm_sub *sub, const struct pm_token *token)
{
	for (uint32_t i = 0; i < sub->stranger_n; i++) {
		if (pm_token_eq(&sub->strangers[i], token))
			return (int)i;
	}
	return -1;
}

/* Returns true when the token was not subscribed before. */
static bool
sub_add(struct sim_pm *s, struct sim_pm_sub *sub, const struct pm_token *token)
{
	int i = sim_pm_find(s, token);
	if (i >= 0) {
		bool is_new = !sub->wants[i];
		sub->wants[i] = true;
		sub->wanted_n += is_new;
		return is_new;
	}
	if (stranger_find(sub, token) >= 0 ||
	    sub->stranger_n == SIM_PM_STRANGERS_MAX)
		return false;
	sub->strangers[sub->stranger_n++] = *token;
	return true;
}

static void
sub_remove(
    struct sim_pm *s, struct sim_pm_sub *sub, const struct pm_token *token)
{
	int i = sim_pm_find(s, token);
	if (i >= 0) {
		sub->wanted_n -= sub->wants[i];
		sub->wants[i] = false;
		return;
	}
	i = stranger_find(sub, token);
	if (i >= 0)
		sub->strangers[i] = sub->strangers[--sub->stranger_n];
}

static void
send_books(struct sim_pm *s, const struct sub_request *r, const bool *fresh,
    struct sim_out *out)
{
	struct text t;
	bool any = false;
	sim_out_begin(out, &t);
	text_lit(&t, "[");
	for (uint32_t i = 0; i < r->n; i++) {
		int asset = sim_pm_find(s, &r->tokens[i]);
		if (!fresh[i] || asset < 0 || !s->assets[asset].has_book)
			continue;
		if (any)
			text_lit(&t, ",");
		sim_pm_put_book(s, (uint32_t)asset, true, &t);
		any = true;
	}
	text_lit(&t, "]");
	if (any)
		sim_out_end(out, &t);
}

static void
receive_market(struct sim_pm *s, struct sim_pm_sub *sub, const char *text,
    size_t n, struct sim_out *out)
{
	struct sub_request r;
	bool fresh[SUB_TOKENS_MAX] = {false};
	bool any_fresh = false;
	if (n == 4 && memcmp(text, "PING", 4) == 0) {
		sim_out_text(out, "PONG", 4);
		return;
	}
	if (!read_request(text, n, &r)) {
		sim_out_text(out, "INVALID OPERATION", 17);
		return;
	}
	if (r.is_unsubscribe) {
		for (uint32_t i = 0; i < r.n; i++)
			sub_remove(s, sub, &r.tokens[i]);
		return;
	}
	/* The flag holds for the connection and is applied first. */
	if (r.wants_events)
		sub->wants_events = true;
	for (uint32_t i = 0; i < r.n; i++) {
		fresh[i] = sub_add(s, sub, &r.tokens[i]);
		any_fresh |= fresh[i];
	}
	if (!any_fresh)
		sim_out_text(out, "NO NEW ASSETS", 13);
	else if (!r.no_dump)
		send_books(s, &r, fresh, out);
}

static bool
wants_token(const struct sim_pm *s, const struct sim_pm_sub *sub,
    const struct pm_token *token)
{
	int i = sim_pm_find(s, token);
	return i >= 0 ? sub->wants[i] : stranger_find(sub, token) >= 0;
}

static bool
wants_event(const struct sim_pm *s, const struct sim_pm_sub *sub,
    const struct pm_event *ev)
{
	switch (ev->kind) {
	case PM_BOOK:
	case PM_TRADE:
	case PM_TICK_SIZE: return wants_token(s, sub, &ev->token);
	case PM_TOUCH:
		return sub->wants_events && wants_token(s, sub, &ev->token);
	case PM_PRICE_CHANGE:
		for (uint32_t i = 0; i < ev->changes_n; i++) {
			if (wants_token(s, sub, &ev->changes[i].token))
				return true;
		}
		return false;
	case PM_NEW_MARKET:
	case PM_RESOLVED: return sub->wants_events;
	case PM_UNKNOWN: return true;
	case PM_PONG:
	case PM_NOTICE:
	case PM_NO_NEW_ASSETS: return false; /* answers to the recorder */
	case PM_END:
	case PM_ERR:
	case PM_KIND_N: break;
	}
	return false;
}

/* The events of the frame that the subscriber wants: the frame itself when
 * it wants all, a shorter array otherwise. A frame the decoder refuses is
 * passed on: what the client makes of it is worth seeing. */
static void
select_market(struct sim_pm *s, const struct sim_pm_sub *sub,
    const struct sim_frame *frame, struct sim_out *out)
{
	struct pm_frame f;
	struct text t;
	enum pm_kind kind;
	unsigned wanted = 0;
	unsigned seen = 0;
	sim_out_begin(out, &t);
	pm_frame_init(&f, frame->text, frame->n);
	while ((kind = pm_next(&f, &s->ev)) != PM_END && kind != PM_ERR) {
		seen++;
		if (!wants_event(s, sub, &s->ev))
			continue;
		text_lit(&t, wanted++ == 0 ? "[" : ",");
		text_put(&t, s->ev.body.s, s->ev.body.n);
	}
	if (kind == PM_ERR || wanted == seen) {
		if (kind == PM_ERR || wanted > 0)
			sim_out_text(out, frame->text, frame->n);
		return;
	}
	text_lit(&t, "]");
	if (wanted > 0)
		sim_out_end(out, &t);
}

/* ---- the price stream ---- */

static bool
topic_of(struct json_str s, enum rtds_source *out)
{
	if (json_is(s, "crypto_prices"))
		*out = RTDS_SPOT;
	else if (json_is(s, "crypto_prices_chainlink"))
		*out = RTDS_CHAINLINK;
	else if (json_is(s, "crypto_prices_twap_thirty"))
		*out = RTDS_TWAP30;
	else if (json_is(s, "crypto_prices_twap_sixty"))
		*out = RTDS_TWAP60;
	else
		return false;
	return true;
}

/* "btcusdt", or JSON in the text: {"symbol":"btc/usd"}. */
static void
filter_symbol(struct json_str s, char *out)
{
	char text[96];
	struct json j;
	struct json_str key;
	struct json_str v;
	out[0] = '\0';
	size_t n = json_unescape(s, text, sizeof(text));
	if (n == SIZE_MAX || n == 0)
		return;
	v = (struct json_str){.s = text, .n = (uint32_t)n};
	json_init(&j, text, n);
	if (text[0] == '{' && json_object(&j)) {
		v.n = 0;
		while (json_key(&j, &key)) {
			if (!json_is(key, "symbol") || !json_string(&j, &v))
				json_skip(&j);
		}
	}
	if (v.n > RTDS_SYMBOL_MAX)
		v.n = 0;
	memcpy(out, v.s, v.n);
	out[v.n] = '\0';
}

struct topic_request {
	bool has_topic;
	enum rtds_source source;
	char symbol[RTDS_SYMBOL_MAX + 1];
};

static void
read_topic(struct json *j, struct topic_request *r)
{
	struct json_str key;
	struct json_str s;
	memset(r, 0, sizeof(*r));
	if (!json_object(j))
		return;
	while (json_key(j, &key)) {
		if (json_is(key, "topic") && json_string(j, &s))
			r->has_topic = topic_of(s, &r->source);
		else if (json_is(key, "filters") &&
			 json_peek(j) == JSON_STRING && json_string(j, &s))
			filter_symbol(s, r->symbol);
		else
			json_skip(j);
	}
}

static bool
symbol_ok(const char *wanted, const char *have)
{
	return wanted[0] == '\0' || strcmp(wanted, have) == 0;
}

static void
topic_set(struct sim_pm *s, struct sim_pm_sub *sub,
    const struct topic_request *r, struct sim_out *out)
{
	/* A second subscription to a topic replaces the first. */
	sub->topics[r->source].on = true;
	memcpy(sub->topics[r->source].symbol, r->symbol, sizeof(r->symbol));
	for (uint32_t i = 0; i < s->snap_n; i++) {
		const struct sim_pm_snap *snap = &s->snaps[i];
		if (snap->source == r->source &&
		    symbol_ok(r->symbol, snap->symbol))
			sim_out_text(out, snap->text, snap->n);
	}
}

static void
receive_rtds(struct sim_pm *s, struct sim_pm_sub *sub, const char *text,
    size_t n, struct sim_out *out)
{
	struct json j;
	struct json_str key;
	struct json_str v;
	struct topic_request r;
	bool is_off = false;
	/* Twice: the action may stand behind the list it applies to. */
	for (int pass = 0; pass < 2; pass++) {
		json_init(&j, text, n);
		if (!json_object(&j))
			return;
		while (json_key(&j, &key)) {
			if (json_is(key, "action") && json_string(&j, &v)) {
				is_off = json_is(v, "unsubscribe");
				continue;
			}
			if (pass == 0 || !json_is(key, "subscriptions") ||
			    !json_array(&j)) {
				json_skip(&j);
				continue;
			}
			while (json_item(&j)) {
				read_topic(&j, &r);
				if (r.has_topic && is_off)
					sub->topics[r.source].on = false;
				else if (r.has_topic)
					topic_set(s, sub, &r, out);
			}
		}
	}
}

static void
snap_keep(struct sim_pm *s, const struct sim_frame *f)
{
	uint32_t i = 0;
	while (i < s->snap_n &&
	       (s->snaps[i].source != s->rtds.source ||
		   strcmp(s->snaps[i].symbol, s->rtds.symbol) != 0))
		i++;
	if (i == SIM_PM_SNAPS_MAX)
		return;
	struct sim_pm_snap *snap = &s->snaps[i];
	snap->source = s->rtds.source;
	memcpy(snap->symbol, s->rtds.symbol, sizeof(snap->symbol));
	snap->text = f->text;
	snap->n = f->n;
	if (i == s->snap_n)
		s->snap_n++;
}

static void
select_rtds(struct sim_pm *s, const struct sim_pm_sub *sub,
    const struct sim_frame *f, struct sim_out *out)
{
	/* Snapshots answered the recorder's own subscriptions. */
	if (rtds_decode(&s->rtds, f->text, f->n) != RTDS_UPDATE)
		return;
	if (sub->topics[s->rtds.source].on &&
	    symbol_ok(sub->topics[s->rtds.source].symbol, s->rtds.symbol))
		sim_out_text(out, f->text, f->n);
}

/* ---- the table ---- */

static void
pm_reset(void *state)
{
	struct sim_pm *s = state;
	/* The tokens keep their places: subscriptions refer to them. */
	for (uint32_t i = 0; i < s->asset_n; i++) {
		s->assets[i].has_book = false;
		s->assets[i].venue_ns = 0;
		pm_meta_init(&s->assets[i].meta);
	}
	s->snap_n = 0;
	s->price_n = 0;
	s->has_average = false;
}

static void
pm_apply(void *state, const struct sim_frame *f)
{
	struct sim_pm *s = state;
	if (f->kind == SIM_PM_RTDS) {
		enum rtds_kind kind = rtds_decode(&s->rtds, f->text, f->n);
		if (kind == RTDS_SNAPSHOT)
			snap_keep(s, f);
		if (kind == RTDS_SNAPSHOT || kind == RTDS_UPDATE)
			sim_pm_note_prices(s);
	} else {
		sim_pm_apply_frame(s, f->text, f->n);
	}
}

/* The first book of each token, the first snapshot of each price. */
static void
pm_prime(void *state, const struct sim_frame *f)
{
	struct sim_pm *s = state;
	struct pm_frame frame;
	if (f->kind == SIM_PM_RTDS) {
		uint32_t before = s->snap_n;
		if (rtds_decode(&s->rtds, f->text, f->n) != RTDS_SNAPSHOT)
			return;
		for (uint32_t i = 0; i < before; i++) {
			if (s->snaps[i].source == s->rtds.source &&
			    strcmp(s->snaps[i].symbol, s->rtds.symbol) == 0)
				return;
		}
		snap_keep(s, f);
		return;
	}
	pm_frame_init(&frame, f->text, f->n);
	if (pm_next(&frame, &s->ev) != PM_BOOK)
		return;
	int i = sim_pm_find(s, &s->ev.token);
	if (i < 0 || !s->assets[i].has_book)
		sim_pm_apply_frame(s, f->text, f->n);
}

static bool
pm_open(void *state, void *arg, struct http_text path, struct http_text query)
{
	struct sim_pm_sub *sub = arg;
	(void)state;
	(void)query;
	sub->is_rtds = http_text_is(path, "/rtds") || http_text_is(path, "/");
	sub->is_bolt = http_text_is(path, "/ws");
	return sub->is_rtds || sub->is_bolt || http_text_is(path, "/ws/market");
}

static bool
pm_is_active(const void *arg)
{
	const struct sim_pm_sub *sub = arg;
	for (int i = 1; i < RTDS_SOURCE_N; i++) {
		if (sub->topics[i].on)
			return true;
	}
	return sub->wanted_n > 0 || sub->wants_events || sub->bolt_n > 0;
}

static void
pm_receive(
    void *state, void *arg, const char *text, size_t n, struct sim_out *out)
{
	struct sim_pm_sub *sub = arg;
	if (sub->is_bolt)
		sim_bolt_receive(state, sub, text, n, out);
	else if (sub->is_rtds)
		receive_rtds(state, sub, text, n, out);
	else
		receive_market(state, sub, text, n, out);
}

static void
pm_select(
    void *state, void *arg, const struct sim_frame *f, struct sim_out *out)
{
	struct sim_pm_sub *sub = arg;
	if (f->kind == SIM_PM_RTDS && sub->is_bolt)
		sim_bolt_select(state, sub, f, out);
	else if (f->kind == SIM_PM_RTDS && sub->is_rtds)
		select_rtds(state, sub, f, out);
	else if (f->kind == SIM_PM_WS && !sub->is_rtds && !sub->is_bolt)
		select_market(state, sub, f, out);
}

static enum sim_conn
pm_conn(const void *arg)
{
	const struct sim_pm_sub *sub = arg;
	return sub->is_bolt   ? SIM_CONN_BOLT
	       : sub->is_rtds ? SIM_CONN_RTDS
			      : SIM_CONN_MARKET;
}

const struct sim_venue_ops sim_polymarket = {
    .venue = VENUE_POLYMARKET,
    .state_sz = sizeof(struct sim_pm),
    .sub_sz = sizeof(struct sim_pm_sub),
    .reset = pm_reset,
    .prime = pm_prime,
    .apply = pm_apply,
    .can_fault = sim_pm_can_fault,
    .fault = sim_pm_fault,
    .conn = pm_conn,
    .open = pm_open,
    .is_active = pm_is_active,
    .receive = pm_receive,
    .select = pm_select,
    .request = sim_pm_request,
};

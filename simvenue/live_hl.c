/*
 * Hyperliquid, live: market data by the rules of recorded frames
 * (hyperliquid.c), users' streams, posts, /exchange and /info.
 */
#include <stddef.h>
#include <string.h>

#include "libcore/check.h"
#include "simvenue/live.h"

#define QUIET_MS  60000
#define WANTS_MAX 32
#define LAST_TEXT 65536
#define SHAPE_ERROR \
	"\"Failed to deserialize the JSON body into the target type\""

enum stream {
	STREAM_ORDERS = 1,
	STREAM_FILLS,
	STREAM_EVENTS,
	STREAM_FUNDINGS,
	STREAM_N
};

static const char *const stream_names[STREAM_N] = {
    [STREAM_ORDERS] = "orderUpdates",
    [STREAM_FILLS] = "userFills",
    [STREAM_EVENTS] = "userEvents",
    [STREAM_FUNDINGS] = "userFundings",
};

struct want {
	enum stream stream;
	struct address who;
};

struct live_hl {
	_Alignas(max_align_t) struct live *live;
	char last[WORLD_HL_N][LAST_TEXT]; /* for those who come now */
};

struct live_hl_sub {
	_Alignas(max_align_t) uint32_t n;
	struct want wants[WANTS_MAX];
};

static void *
under(void *state)
{
	return (struct live_hl *)state + 1;
}

static void *
under_sub(void *sub)
{
	return (struct live_hl_sub *)sub + 1;
}

/* ---- users' streams ---- */

static void
put_user(struct text *t, const struct address *who)
{
	char buf[ADDRESS_TEXT_MAX];

	address_format_lower(who, buf);
	text_lit(t, buf);
}

static void
acknowledge(struct sim_out *out, bool is_add, const struct want *w)
{
	struct text t;

	sim_out_begin(out, &t);
	text_lit(&t, "{\"channel\":\"subscriptionResponse\",\"data\":{"
		     "\"method\":\"");
	text_lit(&t, is_add ? "subscribe" : "unsubscribe");
	text_lit(&t, "\",\"subscription\":{\"type\":\"");
	text_lit(&t, stream_names[w->stream]);
	text_lit(&t, "\",\"user\":\"");
	put_user(&t, &w->who);
	text_lit(&t, w->stream == STREAM_FILLS
			 ? "\",\"aggregateByTime\":false}}}"
			 : "\"}}}");
	sim_out_end(out, &t);
}

/* Past fills; nothing is remembered of fundings. */
static void
snapshot(struct live_hl *s, const struct want *w, struct sim_out *out)
{
	struct world *world = &s->live->w;
	char body[128];
	struct text q;
	struct text t;

	if (w->stream != STREAM_FILLS && w->stream != STREAM_FUNDINGS)
		return;
	sim_out_begin(out, &t);
	text_lit(&t, "{\"channel\":\"");
	text_lit(&t, stream_names[w->stream]);
	text_lit(&t, "\",\"data\":{\"isSnapshot\":true,\"user\":\"");
	put_user(&t, &w->who);
	if (w->stream == STREAM_FUNDINGS) {
		text_lit(&t, "\",\"fundings\":[]}}");
		sim_out_end(out, &t);
		return;
	}
	text_init(&q, body, sizeof(body));
	text_lit(&q, "{\"type\":\"userFills\",\"user\":\"");
	put_user(&q, &w->who);
	text_lit(&q, "\"}");
	text_lit(&t, "\",\"fills\":");
	(void)hl_desk_info(
	    &world->hl_desk, body, text_end(&q), world->now_ns, &t);
	text_lit(&t, "}}");
	sim_out_end(out, &t);
}

static void
say_error(struct sim_out *out, const char *what, struct json_str said)
{
	char escaped[4096];
	struct text t;
	size_t n = said.n < sizeof(escaped) / 8 ? said.n : sizeof(escaped) / 8;

	n = json_escape(said.s, n, escaped, sizeof(escaped));
	sim_out_begin(out, &t);
	text_lit(&t, "{\"channel\":\"error\",\"data\":\"");
	text_lit(&t, what);
	text_put(&t, escaped, n == SIZE_MAX ? 0 : n);
	text_lit(&t, "\"}");
	sim_out_end(out, &t);
}

static void
change(struct live_hl *s, struct live_hl_sub *sub, const struct want *w,
    bool is_add, struct json_str said, struct sim_out *out)
{
	uint32_t at = 0;

	while (at < sub->n && (sub->wants[at].stream != w->stream ||
				  !address_eq(&sub->wants[at].who, &w->who)))
		at++;
	if (is_add == (at < sub->n) || (is_add && at == WANTS_MAX)) {
		say_error(out,
		    is_add ? "Already subscribed: " : "Already unsubscribed: ",
		    said);
		return;
	}
	acknowledge(out, is_add, w);
	if (!is_add) {
		sub->wants[at] = sub->wants[--sub->n];
		return;
	}
	sub->wants[sub->n++] = *w;
	snapshot(s, w, out);
}

/* ---- messages ---- */

struct message {
	struct json_str method;
	struct json_str subscription; /* raw */
	struct json_str type;
	struct json_str user;
};

static bool
read_message(const char *text, size_t n, struct message *m)
{
	struct json_str key;
	struct json j;

	memset(m, 0, sizeof(*m));
	json_init(&j, text, n);
	json_object(&j);
	while (json_key(&j, &key))
		if (json_is(key, "method"))
			json_string(&j, &m->method);
		else if (json_is(key, "subscription"))
			json_raw(&j, &m->subscription);
		else
			json_skip(&j);
	if (!json_end(&j))
		return false;
	json_init(&j, m->subscription.s, m->subscription.n);
	if (m->subscription.n == 0 || !json_object(&j))
		return true;
	while (json_key(&j, &key))
		if (json_is(key, "type"))
			json_string(&j, &m->type);
		else if (json_is(key, "user"))
			json_string(&j, &m->user);
		else
			json_skip(&j);
	return true;
}

static enum stream
stream_of(struct json_str type)
{
	for (int i = 1; i < STREAM_N; i++)
		if (type.n == strlen(stream_names[i]) &&
		    memcmp(type.s, stream_names[i], type.n) == 0)
			return (enum stream)i;
	return 0;
}

/* A field of a JSON object as it stands there; empty when it has none. */
static struct json_str
field(struct json_str in, const char *name)
{
	struct json_str out = {0};
	struct json_str key;
	struct json j;

	json_init(&j, in.s, in.n);
	if (in.n == 0 || !json_object(&j))
		return out;
	while (json_key(&j, &key))
		if (key.n == strlen(name) && memcmp(key.s, name, key.n) == 0)
			json_raw(&j, &out);
		else
			json_skip(&j);
	return out;
}

static uint32_t
count_items(struct json_str list)
{
	struct json j;
	uint32_t n = 0;

	json_init(&j, list.s, list.n);
	if (list.n == 0 || !json_array(&j))
		return 1;
	while (json_item(&j) && json_skip(&j))
		n++;
	return n;
}

static void
note(struct live *l, struct json_str request)
{
	static const struct {
		const char *type; /* with its quotes */
		const char *list;
		enum live_call call;
	} kinds[] = {{"\"order\"", "orders", LIVE_PLACE},
	    {"\"modify\"", "", LIVE_PLACE},
	    {"\"batchModify\"", "modifies", LIVE_PLACE},
	    {"\"cancel\"", "cancels", LIVE_CANCEL},
	    {"\"cancelByCloid\"", "cancels", LIVE_CANCEL}};
	struct json_str action = field(request, "action");
	struct json_str type = field(action, "type");

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		uint32_t n;

		if (type.n != strlen(kinds[i].type) ||
		    memcmp(type.s, kinds[i].type, type.n) != 0)
			continue;
		n = count_items(field(action, kinds[i].list));
		if (kinds[i].call == LIVE_PLACE)
			l->count[VENUE_HYPERLIQUID].orders += n;
		live_arrived(l, VENUE_HYPERLIQUID, kinds[i].call, n);
		return;
	}
	if (action.n > 0)
		live_arrived(l, VENUE_HYPERLIQUID, LIVE_OTHER, 1);
}

static void
post(struct live_hl *s, const char *text, size_t n, struct sim_out *out)
{
	struct json_str said = {.s = text, .n = (uint32_t)n};
	struct world *w = &s->live->w;
	struct text t;

	note(s->live, field(field(said, "request"), "payload"));
	sim_out_begin(out, &t);
	if (hl_desk_post(&w->hl_desk, text, n, w->now_ns, &t))
		sim_out_end(out, &t);
	else
		say_error(out,
		    "Error parsing JSON into valid websocket request: ", said);
}

static void
hl_receive(
    void *state, void *arg, const char *text, size_t n, struct sim_out *out)
{
	struct live_hl *s = state;
	struct message m;
	bool ok = read_message(text, n, &m);
	bool is_add = json_is(m.method, "subscribe");
	struct want w = {.stream = ok ? stream_of(m.type) : 0};

	if (ok && json_is(m.method, "post"))
		post(s, text, n, out);
	else if (w.stream == 0 ||
		 (!is_add && !json_is(m.method, "unsubscribe")))
		sim_hyperliquid.receive(under(s), under_sub(arg), text, n, out);
	else if (!address_parse(m.user.s, m.user.n, &w.who))
		say_error(out, "Invalid subscription ", m.subscription);
	else
		change(s, arg, &w, is_add, m.subscription, out);
}

/* ---- frames ---- */

/* A fill's text for those who take all events of a user. */
static void
say_event(const struct sim_frame *f, struct sim_out *out)
{
	static const char mark[] = "\"fills\":";
	struct text t;
	size_t at = 0;

	while (at + sizeof(mark) < f->n &&
	       memcmp(f->text + at, mark, sizeof(mark) - 1) != 0)
		at++;
	sim_out_begin(out, &t);
	text_lit(&t, "{\"channel\":\"user\",\"data\":{");
	text_put(&t, f->text + at, f->n - at);
	sim_out_end(out, &t);
}

static void
select_user(const struct live_hl *s, const struct live_hl_sub *sub,
    const struct sim_frame *f, struct sim_out *out)
{
	const struct hlx *x = &s->live->w.hlx;
	bool is_fill = f->to % 4 == WORLD_HL_FILLS;
	struct address who;

	CHECK(f->to / 4 < HLX_ACCOUNTS);
	memcpy(who.b, x->account[f->to / 4].address, sizeof(who.b));
	for (uint32_t i = 0; i < sub->n; i++) {
		const struct want *w = &sub->wants[i];

		if (!address_eq(&w->who, &who))
			continue;
		if (w->stream == (is_fill ? STREAM_FILLS : STREAM_ORDERS))
			sim_out_text(out, f->text, f->n);
		else if (is_fill && w->stream == STREAM_EVENTS)
			say_event(f, out);
	}
}

static void
hl_select(
    void *state, void *arg, const struct sim_frame *f, struct sim_out *out)
{
	if (f->kind == SIM_HL_USER)
		select_user(state, arg, f, out);
	else
		sim_hyperliquid.select(under(state), under_sub(arg), f, out);
}

static void
hl_apply(void *state, const struct sim_frame *f)
{
	struct live_hl *s = state;
	struct sim_frame kept = *f;

	if (f->kind != SIM_HL_WS || f->n >= LAST_TEXT)
		return;
	CHECK(f->to < WORLD_HL_N);
	memcpy(s->last[f->to], f->text, f->n);
	kept.text = s->last[f->to];
	sim_hyperliquid.apply(under(s), &kept);
}

static void
hl_attach(void *state, struct live *live)
{
	struct live_hl *s = state;
	static const char head[] = "{\"channel\":\"l2Book\",\"data\":";
	struct sim_frame f = {.kind = SIM_HL_WS};
	struct text t;

	s->live = live;
	text_init(&t, s->last[WORLD_HL_BOOK], LAST_TEXT);
	text_lit(&t, head);
	hl_say_book(&live->w.hlx, 0, HL_INFO_BOOK, live->w.now_ns, &t);
	text_lit(&t, "}");
	f.text = s->last[WORLD_HL_BOOK];
	f.n = (uint32_t)text_end(&t);
	CHECK(f.n > 0);
	sim_hyperliquid.apply(under(s), &f);
}

/* ---- /info beside the desk ---- */

static void
put_meta(struct text *t, const struct hlx *x)
{
	text_lit(t, "{\"universe\":[");
	for (uint32_t i = 0; i < HLX_COINS && x->coin[i].used; i++) {
		const struct hlx_terms *c = &x->coin[i].terms;

		text_lit(t, i > 0 ? ",{\"szDecimals\":" : "{\"szDecimals\":");
		put_i64(t, c->sz_decimals);
		text_lit(t, ",\"name\":\"");
		text_lit(t, c->name);
		text_lit(t, "\",\"maxLeverage\":");
		put_i64(t, c->leverage);
		text_lit(t, ",\"marginTableId\":56}");
	}
	text_lit(t, "],\"marginTables\":[],\"collateralToken\":0}");
}

static int64_t
mid_e8(const struct hlx_coin *c)
{
	const struct match_level *bid = match_level(&c->match, SIDE_BID, 0);
	const struct match_level *ask = match_level(&c->match, SIDE_ASK, 0);

	return bid == NULL || ask == NULL ? c->mark.e8
					  : (bid->px.e8 + ask->px.e8) / 2;
}

static void
put_mids(struct text *t, const struct hlx *x)
{
	text_lit(t, "{");
	for (uint32_t i = 0; i < HLX_COINS && x->coin[i].used; i++) {
		text_lit(t, i > 0 ? ",\"" : "\"");
		text_lit(t, x->coin[i].terms.name);
		text_lit(t, "\":\"");
		put_e8(t, mid_e8(&x->coin[i]), 1);
		text_lit(t, "\"");
	}
	text_lit(t, "}");
}

static void
put_contexts(struct text *t, const struct hlx *x)
{
	text_lit(t, "[");
	put_meta(t, x);
	text_lit(t, ",[");
	for (uint32_t i = 0; i < HLX_COINS && x->coin[i].used; i++) {
		const struct hlx_coin *c = &x->coin[i];

		text_lit(t, i > 0 ? ",{\"funding\":\"" : "{\"funding\":\"");
		put_e8(t, c->funding_e12 / 10000, 1);
		text_lit(t, "\",\"openInterest\":\"0.0\",\"prevDayPx\":\"");
		put_e8(t, c->oracle.e8 / E8 * E8, 1);
		text_lit(t, "\",\"dayNtlVlm\":\"0.0\",\"premium\":null,"
			    "\"oraclePx\":\"");
		put_e8(t, c->oracle.e8 / E8 * E8, 1);
		text_lit(t, "\",\"markPx\":\"");
		put_e8(t, c->mark.e8 / E8 * E8, 1);
		text_lit(t, "\",\"midPx\":\"");
		put_e8(t, mid_e8(c), 1);
		text_lit(t, "\",\"impactPxs\":null,\"dayBaseVlm\":\"0.0\"}");
	}
	text_lit(t, "]]");
}

/* Returns false when nothing is known of it. */
static bool
info(struct live_hl *s, const struct sim_request *r, struct text *t)
{
	const struct hlx *x = &s->live->w.hlx;
	struct json_str type = {0};
	struct json_str key;
	struct json j;

	json_init(&j, r->body, r->body_n);
	json_object(&j);
	while (json_key(&j, &key))
		if (json_is(key, "type"))
			json_string(&j, &type);
		else
			json_skip(&j);
	if (!json_end(&j))
		return false;
	if (json_is(type, "meta"))
		put_meta(t, x);
	else if (json_is(type, "metaAndAssetCtxs"))
		put_contexts(t, x);
	else if (json_is(type, "allMids"))
		put_mids(t, x);
	else if (json_is(type, "perpDexs"))
		text_lit(t, "[null]");
	else if (json_is(type, "spotMeta"))
		text_lit(t, "{\"tokens\":[{\"name\":\"USDC\",\"szDecimals\":8,"
			    "\"weiDecimals\":8,\"index\":0,\"tokenId\":"
			    "\"0x6d1e7cde53ba9467b783cb7c530ce054\","
			    "\"isCanonical\":true,\"evmContract\":null,"
			    "\"fullName\":null}],\"universe\":[]}");
	else if (json_is(type, "userFunding") ||
		 json_is(type, "fundingHistory"))
		text_lit(t, "[]");
	else
		return false;
	return true;
}

static void
hl_answer(void *state, const struct sim_request *r, struct sim_answer *a)
{
	struct live_hl *s = state;
	struct world *w = &s->live->w;
	bool is_post = http_text_is(r->method, "POST");

	if (is_post && http_text_is(r->path, "/exchange")) {
		note(s->live,
		    (struct json_str){.s = r->body, .n = (uint32_t)r->body_n});
		a->status = hl_desk_exchange(
		    &w->hl_desk, r->body, r->body_n, w->now_ns, &a->body);
		return;
	}
	if (!is_post || !http_text_is(r->path, "/info")) {
		sim_answer_lit(a, 404, "null");
		return;
	}
	a->status =
	    hl_desk_info(&w->hl_desk, r->body, r->body_n, w->now_ns, &a->body);
	if (a->status != 0)
		return;
	a->status = 200;
	if (!info(s, r, &a->body))
		sim_answer_lit(a, 422, SHAPE_ERROR);
}

/* ---- the table ---- */

static bool
hl_open(void *state, void *arg, struct http_text path, struct http_text query)
{
	return sim_hyperliquid.open(under(state), under_sub(arg), path, query);
}

static bool
hl_is_active(const void *arg)
{
	const struct live_hl_sub *sub = arg;

	return sub->n > 0 || sim_hyperliquid.is_active(sub + 1);
}

static enum sim_conn
hl_conn(const void *arg)
{
	return sim_hyperliquid.conn((const struct live_hl_sub *)arg + 1);
}

const struct sim_venue_ops live_hyperliquid = {
    .venue = VENUE_HYPERLIQUID,
    .under = &sim_hyperliquid,
    .state_sz = sizeof(struct live_hl),
    .sub_sz = sizeof(struct live_hl_sub),
    .quiet_ms = QUIET_MS,
    .attach = hl_attach,
    .apply = hl_apply,
    .conn = hl_conn,
    .open = hl_open,
    .is_active = hl_is_active,
    .receive = hl_receive,
    .select = hl_select,
    .request = hl_answer,
};

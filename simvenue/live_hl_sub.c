/*
 * Hyperliquid, live: subscriptions that recordings have none of - streams of
 * users, states that are repeated every few seconds, mids, candles.
 */
#include <string.h>

#include "libcore/check.h"
#include "simvenue/live_hl_int.h"
#include "simvenue/put.h"

#define NEEDS_USER     1u
#define NEEDS_COIN     2u
#define NEEDS_INTERVAL 4u
#define IS_REPEATED    8u  /* with every pulse */
#define IS_SAID_FIRST  16u /* when it is subscribed to */

static const struct {
	const char *name;
	unsigned flags;
	/* of what is said first: the question (hl_desk_info) that answers it,
	 * and the member it stands under */
	const char *question;
	const char *member;
} streams[HL_STREAM_N] = {
    [HL_STREAM_ORDERS] = {"orderUpdates", NEEDS_USER, NULL, NULL},
    [HL_STREAM_FILLS] = {"userFills", NEEDS_USER | IS_SAID_FIRST, "userFills",
	"fills"},
    [HL_STREAM_EVENTS] = {"userEvents", NEEDS_USER, NULL, NULL},
    [HL_STREAM_FUNDINGS] = {"userFundings", NEEDS_USER | IS_SAID_FIRST, NULL,
	NULL},
    [HL_STREAM_STATE] = {"clearinghouseState",
	NEEDS_USER | IS_SAID_FIRST | IS_REPEATED, "clearinghouseState",
	"clearinghouseState"},
    [HL_STREAM_OPEN] = {"openOrders", NEEDS_USER | IS_SAID_FIRST | IS_REPEATED,
	"frontendOpenOrders", "orders"},
    [HL_STREAM_SPOT] = {"spotState", NEEDS_USER | IS_SAID_FIRST | IS_REPEATED,
	"spotClearinghouseState", "spotState"},
    [HL_STREAM_ASSET] = {"activeAssetData",
	NEEDS_USER | NEEDS_COIN | IS_SAID_FIRST | IS_REPEATED, NULL, NULL},
    [HL_STREAM_NOTICE] = {"notification", NEEDS_USER, NULL, NULL},
    [HL_STREAM_WEB2] = {"webData2", NEEDS_USER | IS_SAID_FIRST | IS_REPEATED,
	NULL, NULL},
    [HL_STREAM_WEB3] = {"webData3", NEEDS_USER | IS_SAID_FIRST | IS_REPEATED,
	NULL, NULL},
    [HL_STREAM_HISTORY] = {"userHistoricalOrders", NEEDS_USER | IS_SAID_FIRST,
	"historicalOrders", "orderHistory"},
    [HL_STREAM_LEDGER] = {"userNonFundingLedgerUpdates",
	NEEDS_USER | IS_SAID_FIRST, "userNonFundingLedgerUpdates",
	"nonFundingLedgerUpdates"},
    [HL_STREAM_TWAP_FILLS] = {"userTwapSliceFills", NEEDS_USER | IS_SAID_FIRST,
	NULL, "twapSliceFills"},
    [HL_STREAM_TWAPS] = {"userTwapHistory", NEEDS_USER | IS_SAID_FIRST, NULL,
	"history"},
    [HL_STREAM_MIDS] = {"allMids", IS_SAID_FIRST | IS_REPEATED, NULL, NULL},
    [HL_STREAM_CANDLE] = {"candle", NEEDS_COIN | NEEDS_INTERVAL | IS_SAID_FIRST,
	NULL, NULL},
};

void
live_hl_error(struct sim_out *out, const char *what, struct json_str said)
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

/* ---- texts ---- */

/* The subscription as it was understood. */
static void
acknowledge(struct sim_out *out, bool is_add, const struct hl_wish *w)
{
	unsigned flags = streams[w->stream].flags;
	struct text t;

	sim_out_begin(out, &t);
	text_lit(&t, "{\"channel\":\"subscriptionResponse\",\"data\":{"
		     "\"method\":\"");
	text_lit(&t, is_add ? "subscribe" : "unsubscribe");
	text_lit(&t, "\",\"subscription\":{\"type\":\"");
	text_lit(&t, streams[w->stream].name);
	text_lit(&t, "\"");
	if ((flags & NEEDS_USER) != 0) {
		text_lit(&t, ",\"user\":\"");
		put_lower(&t, &w->who);
		text_lit(&t, "\"");
	}
	if ((flags & NEEDS_COIN) != 0)
		put_str(&t, "coin", w->coin);
	if ((flags & NEEDS_INTERVAL) != 0)
		put_str(&t, "interval", w->interval);
	if (w->stream == HL_STREAM_FILLS)
		text_lit(&t, w->aggregates ? ",\"aggregateByTime\":true"
					   : ",\"aggregateByTime\":false");
	if (w->stream == HL_STREAM_MIDS || w->stream == HL_STREAM_STATE ||
	    w->stream == HL_STREAM_OPEN)
		put_str(&t, "dex", "");
	text_lit(&t, "}}}");
	sim_out_end(out, &t);
}

/* What /info says of the user. */
static void
ask(const struct live_hl *s, const struct hl_wish *w, const char *type,
    struct text *t)
{
	const struct world *world = &s->live->w;
	char body[192];
	struct text q;

	text_init(&q, body, sizeof(body));
	text_lit(&q, "{\"type\":\"");
	text_lit(&q, type);
	text_lit(&q, "\",\"user\":\"");
	put_lower(&q, &w->who);
	text_lit(&q, "\"");
	if (w->coin[0] != '\0')
		put_str(&q, "coin", w->coin);
	text_lit(&q, "}");
	(void)hl_desk_info(
	    &world->hl_desk, body, text_end(&q), world->now_ns, t);
}

static void
put_fundings(const struct live_hl *s, const struct hl_wish *w, struct text *t)
{
	const struct hlx *x = &s->live->w.hlx;
	uint32_t account = hlx_account_find(x, w->who.b);
	uint32_t held =
	    x->funding_n < HLX_FUNDINGS ? x->funding_n : HLX_FUNDINGS;
	bool any = false;

	text_lit(t, ",\"fundings\":[");
	for (uint32_t k = 0; k < held; k++) {
		const struct hlx_funding *f =
		    &x->fundings[(x->funding_n - held + k) % HLX_FUNDINGS];

		if (f->account != account)
			continue;
		text_lit(t, any ? "," : "");
		hl_say_funding(x, f, t);
		any = true;
	}
	text_lit(t, "]");
}

static void
put_web2(const struct live_hl *s, const struct hl_wish *w, struct text *t)
{
	const struct hlx *x = &s->live->w.hlx;

	text_lit(t, "{\"clearinghouseState\":");
	ask(s, w, "clearinghouseState", t);
	text_lit(t, ",\"leadingVaults\":[],\"totalVaultEquity\":\"0.0\","
		    "\"openOrders\":");
	ask(s, w, "frontendOpenOrders", t);
	text_lit(t, ",\"agentAddress\":null,\"agentValidUntil\":null,"
		    "\"cumLedger\":\"0.0\",\"meta\":");
	live_hl_put_meta(t, x);
	text_lit(t, ",\"assetCtxs\":");
	live_hl_put_contexts(t, x);
	text_lit(t, ",\"serverTime\":");
	put_i64(t, (int64_t)(s->live->w.now_ns / (uint64_t)NS_PER_MS));
	text_lit(t, ",\"isVault\":false,\"user\":\"");
	put_lower(t, &w->who);
	text_lit(t, "\",\"twapStates\":[],\"spotState\":");
	ask(s, w, "spotClearinghouseState", t);
	text_lit(t, "}");
}

static void
put_web3(const struct live_hl *s, const struct hl_wish *w, struct text *t)
{
	text_lit(t, "{\"userState\":{\"agentAddress\":null,"
		    "\"agentValidUntil\":null,\"serverTime\":");
	put_i64(t, (int64_t)(s->live->w.now_ns / (uint64_t)NS_PER_MS));
	text_lit(t, ",\"cumLedger\":\"0.0\",\"isVault\":false,\"user\":\"");
	put_lower(t, &w->who);
	text_lit(t, "\"},\"perpDexStates\":[{\"totalVaultEquity\":\"0.0\","
		    "\"perpsAtOpenInterestCap\":[],\"leadingVaults\":[]}]}");
}

/* {"user":...,"<member>":...}, with more where the stream has it. */
static void
put_of_user(const struct live_hl *s, const struct hl_wish *w, struct text *t)
{
	bool is_now = (streams[w->stream].flags & IS_REPEATED) != 0;

	text_lit(t, is_now ? "{" : "{\"isSnapshot\":true,");
	if (w->stream == HL_STREAM_STATE || w->stream == HL_STREAM_OPEN)
		text_lit(t, "\"dex\":\"\",");
	text_lit(t, "\"user\":\"");
	put_lower(t, &w->who);
	text_lit(t, "\"");
	if (w->stream == HL_STREAM_FUNDINGS) {
		put_fundings(s, w, t);
	} else {
		text_lit(t, ",\"");
		text_lit(t, streams[w->stream].member);
		text_lit(t, "\":");
		if (streams[w->stream].question != NULL)
			ask(s, w, streams[w->stream].question, t);
		else
			text_lit(t, "[]");
	}
	text_lit(t, "}");
}

static void
put_candle(const struct live_hl *s, const struct hl_wish *w, struct text *t)
{
	struct candle c;
	uint64_t ms = candle_ms(w->interval, strlen(w->interval));

	if (candles_last(&s->live->w.hl_candles, ms, &c))
		live_hl_put_candle(
		    t, &(struct live_candle){&c, w->coin, w->interval, ms});
	else
		text_lit(t, "null");
}

/* What the stream says now. */
static void
say_now(const struct live_hl *s, const struct hl_wish *w, struct sim_out *out)
{
	struct text t;

	if (w->stream == HL_STREAM_CANDLE && s->live->w.hl_candles.n == 0)
		return;
	sim_out_begin(out, &t);
	text_lit(&t, "{\"channel\":\"");
	text_lit(&t, streams[w->stream].name);
	text_lit(&t, "\",\"data\":");
	switch ((int)w->stream) {
	case HL_STREAM_MIDS:
		text_lit(&t, "{\"mids\":");
		live_hl_put_mids(&t, &s->live->w.hlx);
		text_lit(&t, "}");
		break;
	case HL_STREAM_CANDLE: put_candle(s, w, &t); break;
	case HL_STREAM_ASSET: ask(s, w, "activeAssetData", &t); break;
	case HL_STREAM_WEB2: put_web2(s, w, &t); break;
	case HL_STREAM_WEB3: put_web3(s, w, &t); break;
	default: put_of_user(s, w, &t);
	}
	text_lit(&t, "}");
	sim_out_end(out, &t);
}

/* ---- subscribing ---- */

struct message {
	struct json_str method;
	struct json_str subscription; /* raw */
	struct json_str type;
	struct json_str user;
	struct json_str coin;
	struct json_str interval;
	bool aggregates;
};

static void
read_subscription(struct message *m)
{
	struct json_str key;
	struct json j;

	json_init(&j, m->subscription.s, m->subscription.n);
	if (m->subscription.n == 0 || !json_object(&j))
		return;
	while (json_key(&j, &key))
		if (json_is(key, "type"))
			json_string(&j, &m->type);
		else if (json_is(key, "user"))
			json_string(&j, &m->user);
		else if (json_is(key, "coin"))
			json_string(&j, &m->coin);
		else if (json_is(key, "interval"))
			json_string(&j, &m->interval);
		else if (json_is(key, "aggregateByTime") &&
			 json_peek(&j) == JSON_BOOL)
			json_bool(&j, &m->aggregates);
		else
			json_skip(&j);
}

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
	read_subscription(m);
	return true;
}

static enum hl_stream
stream_of(struct json_str type)
{
	for (int i = 1; i < HL_STREAM_N; i++)
		if (type.n == strlen(streams[i].name) &&
		    memcmp(type.s, streams[i].name, type.n) == 0)
			return (enum hl_stream)i;
	return 0;
}

static bool
is_same(const struct hl_wish *a, const struct hl_wish *b)
{
	return a->stream == b->stream && address_eq(&a->who, &b->who) &&
	       strcmp(a->coin, b->coin) == 0 &&
	       strcmp(a->interval, b->interval) == 0;
}

static bool
is_nobody(const struct address *a)
{
	static const struct address nobody;

	return address_eq(a, &nobody);
}

/* How many different users a connection would follow with one more. */
static uint32_t
users_with(const struct live_hl_sub *sub, const struct hl_wish *w)
{
	uint32_t n = !is_nobody(&w->who);

	for (uint32_t i = 0; i < sub->n; i++) {
		const struct address *who = &sub->wishes[i].who;
		bool is_new = !is_nobody(who) && !address_eq(who, &w->who);

		for (uint32_t k = 0; k < i && is_new; k++)
			is_new = !address_eq(who, &sub->wishes[k].who);
		n += is_new;
	}
	return n;
}

static void
change(struct live_hl *s, struct live_hl_sub *sub, const struct hl_wish *w,
    bool is_add, struct json_str said, struct sim_out *out)
{
	const struct json_str nothing = {.s = ""};
	uint32_t at = 0;

	while (at < sub->n && !is_same(&sub->wishes[at], w))
		at++;
	if (is_add == (at < sub->n)) {
		live_hl_error(out,
		    is_add ? "Already subscribed: " : "Already unsubscribed: ",
		    said);
		return;
	}
	if (is_add && users_with(sub, w) > LIVE_HL_USERS) {
		live_hl_error(
		    out, "Cannot track more than 10 total users.", nothing);
		return;
	}
	if (is_add && at == LIVE_HL_WANTS) {
		live_hl_error(out,
		    "Cannot subscribe to more than 1000 channels.", nothing);
		return;
	}
	acknowledge(out, is_add, w);
	if (!is_add) {
		sub->wishes[at] = sub->wishes[--sub->n];
		return;
	}
	sub->wishes[sub->n++] = *w;
	if ((streams[w->stream].flags & IS_SAID_FIRST) != 0)
		say_now(s, w, out);
}

/* A text into a field that holds it with its end; false: too long. */
static bool
keep(struct json_str from, char *to, size_t cap)
{
	if (from.n >= cap)
		return false;
	memcpy(to, from.s, from.n);
	to[from.n] = '\0';
	return true;
}

bool
live_hl_subscribe(struct live_hl *s, struct live_hl_sub *sub, const char *text,
    size_t n, struct sim_out *out)
{
	struct hl_wish w = {0};
	struct message m;
	unsigned flags;
	bool is_add;

	if (!read_message(text, n, &m))
		return false;
	is_add = json_is(m.method, "subscribe");
	w.stream = stream_of(m.type);
	if (w.stream == 0 || (!is_add && !json_is(m.method, "unsubscribe")))
		return false;
	flags = streams[w.stream].flags;
	w.aggregates = w.stream == HL_STREAM_FILLS && m.aggregates;
	if (((flags & NEEDS_USER) != 0 &&
		!address_parse(m.user.s, m.user.n, &w.who)) ||
	    ((flags & NEEDS_INTERVAL) != 0 &&
		(candle_ms(m.interval.s, m.interval.n) == 0 ||
		    !keep(m.interval, w.interval, sizeof(w.interval))))) {
		live_hl_error(out, "Invalid subscription ", m.subscription);
		return true;
	}
	/* The trap of this venue: a wrong coin costs the whole socket. */
	if ((flags & NEEDS_COIN) != 0 &&
	    (!keep(m.coin, w.coin, sizeof(w.coin)) ||
		strcmp(w.coin, s->live->w.hlx.coin[0].terms.name) != 0)) {
		out->drop = true;
		return true;
	}
	change(s, sub, &w, is_add, m.subscription, out);
	return true;
}

/* ---- frames ---- */

/* A fill's text for those who take all events of a user. */
static void
say_fill_event(const struct sim_frame *f, struct sim_out *out)
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

/* Which stream has the frames of a kind as they are; 0: none. */
static enum hl_stream
stream_with(enum world_hl_user kind)
{
	switch (kind) {
	case WORLD_HL_ORDERS: return HL_STREAM_ORDERS;
	case WORLD_HL_FILLS: return HL_STREAM_FILLS;
	case WORLD_HL_FUNDINGS: return HL_STREAM_FUNDINGS;
	case WORLD_HL_EVENT: return HL_STREAM_EVENTS;
	case WORLD_HL_NOTICE: return HL_STREAM_NOTICE;
	case WORLD_HL_PULSE:
	case WORLD_HL_TRADED:
	case WORLD_HL_USER_N: break;
	}
	return 0;
}

void
live_hl_select(struct live_hl *s, const struct live_hl_sub *sub,
    const struct sim_frame *f, struct sim_out *out)
{
	const struct hlx *x = &s->live->w.hlx;
	enum world_hl_user kind = f->to % 8;
	enum hl_stream as_it_is = stream_with(kind);
	struct address who;

	CHECK(f->to / 8 < HLX_ACCOUNTS);
	memcpy(who.b, x->account[f->to / 8].address, sizeof(who.b));
	for (uint32_t i = 0; i < sub->n; i++) {
		const struct hl_wish *w = &sub->wishes[i];
		unsigned flags = streams[w->stream].flags;

		if (kind == WORLD_HL_PULSE) {
			if ((flags & IS_REPEATED) != 0)
				say_now(s, w, out);
		} else if (kind == WORLD_HL_TRADED) {
			if (w->stream == HL_STREAM_CANDLE)
				say_now(s, w, out);
		} else if (!address_eq(&w->who, &who)) {
			continue;
		} else if (w->stream == as_it_is) {
			sim_out_text(out, f->text, f->n);
		} else if (kind == WORLD_HL_FILLS &&
			   w->stream == HL_STREAM_EVENTS) {
			say_fill_event(f, out);
		}
	}
}

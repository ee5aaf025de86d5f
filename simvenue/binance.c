#define _GNU_SOURCE
/* Binance's market streams and public REST calls. */
#include <stdio.h>
#include <string.h>

#include "libcore/check.h"
#include "libvenue/binance.h"
#include "simvenue/venue.h"

#define STREAMS_MAX   64
#define STREAM_MAX    48
#define STREAMS_ARG   4096
#define SYMBOLS_MAX   8
#define SYMBOL_MAX    SIM_KEY_MAX
#define DEPTH_MAX     4096 /* levels kept a side */
#define LIMIT_DEFAULT 100
#define DECIMALS      8
#define PING_MS	      20000
#define BAD_SYMBOL    "{\"code\":-1121,\"msg\":\"Invalid symbol.\"}"
#define BAD_REQUEST \
	"{\"code\":2,\"msg\":\"Invalid request: expected a known method\"}"

/* The full book of one symbol: the recorded snapshot and the diffs since.
 * Best first. */
struct depth {
	char symbol[SYMBOL_MAX];
	bool has_book;
	uint64_t last_id;
	uint32_t bid_n;
	uint32_t ask_n;
	struct bn_level bids[DEPTH_MAX];
	struct bn_level asks[DEPTH_MAX];
};

struct bn_state {
	uint32_t depth_n;
	struct depth depths[SYMBOLS_MAX];
	struct bn_event ev; /* scratch */
};

struct bn_sub {
	bool is_raw; /* frames without the envelope */
	uint32_t n;
	char streams[STREAMS_MAX][STREAM_MAX];
};

/* ---- the book ---- */

static bool
text_same(struct json_str a, const char *b)
{
	return a.n == strlen(b) && memcmp(a.s, b, a.n) == 0;
}

static struct depth *
depth_find(struct bn_state *s, const char *symbol, size_t n)
{
	for (uint32_t i = 0; i < s->depth_n; i++) {
		if (strlen(s->depths[i].symbol) == n &&
		    memcmp(s->depths[i].symbol, symbol, n) == 0)
			return &s->depths[i];
	}
	return NULL;
}

static struct depth *
depth_get(struct bn_state *s, const char *symbol, size_t n)
{
	struct depth *d = depth_find(s, symbol, n);
	if (d != NULL || s->depth_n == SYMBOLS_MAX || n == 0 || n >= SYMBOL_MAX)
		return d;
	d = &s->depths[s->depth_n++];
	memcpy(d->symbol, symbol, n);
	return d;
}

/* First place whose price is not better than px. */
static uint32_t
level_place(
    const struct bn_level *levels, uint32_t n, int64_t px_e8, bool is_bid)
{
	uint32_t lo = 0;
	uint32_t hi = n;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int64_t at = levels[mid].px.e8;
		if (is_bid ? at > px_e8 : at < px_e8)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void
level_set(struct bn_level *levels, uint32_t *n, bool is_bid, struct bn_level l)
{
	uint32_t i = level_place(levels, *n, l.px.e8, is_bid);
	bool is_there = i < *n && levels[i].px.e8 == l.px.e8;
	if (l.qty.e8 == 0) {
		if (!is_there)
			return;
		(*n)--;
		memmove(&levels[i], &levels[i + 1], (*n - i) * sizeof(l));
		return;
	}
	if (!is_there) {
		/* The far end is what a full book can do without. */
		if (i == DEPTH_MAX)
			return;
		if (*n == DEPTH_MAX)
			(*n)--;
		memmove(&levels[i + 1], &levels[i], (*n - i) * sizeof(l));
		(*n)++;
	}
	levels[i] = l;
}

static void
depth_levels(struct depth *d, const struct bn_event *ev)
{
	for (uint32_t i = 0; i < ev->bids_n; i++)
		level_set(d->bids, &d->bid_n, true, ev->bids[i]);
	for (uint32_t i = 0; i < ev->asks_n; i++)
		level_set(d->asks, &d->ask_n, false, ev->asks[i]);
}

static void
depth_snapshot(struct bn_state *s, const struct sim_frame *f)
{
	if (bn_decode(&s->ev, f->text, f->n) != BN_SNAPSHOT)
		return;
	struct depth *d = depth_get(s, f->key, strlen(f->key));
	/* Diffs that came before it may have brought the book further. */
	if (d == NULL || (d->has_book && s->ev.last_id < d->last_id))
		return;
	d->bid_n = 0;
	d->ask_n = 0;
	d->has_book = true;
	d->last_id = s->ev.last_id;
	depth_levels(d, &s->ev);
}

static void
depth_diff(struct bn_state *s, const struct sim_frame *f)
{
	if (bn_decode(&s->ev, f->text, f->n) != BN_DEPTH)
		return;
	struct depth *d = depth_get(s, s->ev.symbol.s, s->ev.symbol.n);
	if (d == NULL || !d->has_book || s->ev.last_id <= d->last_id)
		return;
	d->last_id = s->ev.last_id;
	depth_levels(d, &s->ev);
}

/* ---- streams ---- */

/* The envelope: the stream's name and the frame inside. */
static bool
envelope(
    const struct sim_frame *f, struct json_str *name, struct json_str *data)
{
	struct json j;
	struct json_str key;
	name->n = 0;
	data->n = 0;
	json_init(&j, f->text, f->n);
	if (!json_object(&j))
		return false;
	while (json_key(&j, &key)) {
		if (json_is(key, "stream"))
			json_string(&j, name);
		else if (json_is(key, "data"))
			json_raw(&j, data);
		else
			json_skip(&j);
	}
	return name->n > 0 && data->n > 0;
}

static int
stream_find(const struct bn_sub *sub, struct json_str name)
{
	for (uint32_t i = 0; i < sub->n; i++) {
		if (text_same(name, sub->streams[i]))
			return (int)i;
	}
	return -1;
}

static void
stream_add(struct bn_sub *sub, struct json_str name)
{
	if (name.n == 0 || name.n >= STREAM_MAX || sub->n == STREAMS_MAX ||
	    stream_find(sub, name) >= 0)
		return;
	memcpy(sub->streams[sub->n], name.s, name.n);
	sub->streams[sub->n][name.n] = '\0';
	sub->n++;
}

static void
stream_remove(struct bn_sub *sub, struct json_str name)
{
	int i = stream_find(sub, name);
	if (i < 0)
		return;
	sub->n--;
	memmove(sub->streams[i], sub->streams[sub->n], STREAM_MAX);
}

static void
streams_add_list(struct bn_sub *sub, const char *list, size_t n)
{
	while (n > 0) {
		const char *slash = memchr(list, '/', n);
		size_t one = slash != NULL ? (size_t)(slash - list) : n;
		stream_add(
		    sub, (struct json_str){.s = list, .n = (uint32_t)one});
		if (slash == NULL)
			break;
		list += one + 1;
		n -= one + 1;
	}
}

static bool
bn_open(void *state, void *arg, struct http_text path, struct http_text query)
{
	struct bn_sub *sub = arg;
	char list[STREAMS_ARG];
	(void)state;
	if (http_text_is(path, "/stream")) {
		int n = http_query_get(query, "streams", list, sizeof(list));
		if (n > 0)
			streams_add_list(sub, list, (size_t)n);
		return true;
	}
	if (path.n < 3 || memcmp(path.p, "/ws", 3) != 0 ||
	    (path.n > 3 && path.p[3] != '/'))
		return false;
	sub->is_raw = true;
	if (path.n > 4)
		streams_add_list(sub, path.p + 4, path.n - 4);
	return true;
}

static bool
bn_is_active(const void *arg)
{
	const struct bn_sub *sub = arg;
	return sub->n > 0;
}

/* ---- requests on a live connection ---- */

struct live_request {
	struct json_str method;
	struct json_str params; /* raw */
	struct json_str id;	/* raw */
};

static void
change_streams(struct bn_sub *sub, struct json_str params, bool add)
{
	struct json j;
	struct json_str s;
	json_init(&j, params.s, params.n);
	if (!json_array(&j))
		return;
	while (json_item(&j) && json_string(&j, &s)) {
		if (add)
			stream_add(sub, s);
		else
			stream_remove(sub, s);
	}
}

static void
put_result(struct bn_sub *sub, const struct live_request *r, struct text *t)
{
	if (json_is(r->method, "LIST_SUBSCRIPTIONS")) {
		text_lit(t, "[");
		for (uint32_t i = 0; i < sub->n; i++) {
			text_lit(t, i > 0 ? ",\"" : "\"");
			text_lit(t, sub->streams[i]);
			text_lit(t, "\"");
		}
		text_lit(t, "]");
	} else if (json_is(r->method, "GET_PROPERTY")) {
		text_lit(t, sub->is_raw ? "false" : "true");
	} else {
		text_lit(t, "null");
	}
}

static bool
read_live(const char *text, size_t n, struct live_request *r)
{
	struct json j;
	struct json_str key;
	memset(r, 0, sizeof(*r));
	json_init(&j, text, n);
	if (!json_object(&j))
		return false;
	while (json_key(&j, &key)) {
		if (json_is(key, "method"))
			json_string(&j, &r->method);
		else if (json_is(key, "params"))
			json_raw(&j, &r->params);
		else if (json_is(key, "id"))
			json_raw(&j, &r->id);
		else
			json_skip(&j);
	}
	return json_end(&j);
}

static void
bn_receive(
    void *state, void *arg, const char *text, size_t n, struct sim_out *out)
{
	static const char bad_json[] =
	    "{\"code\":3,\"msg\":\"Invalid JSON: expected value at line 1 "
	    "column 1\"}";
	struct bn_sub *sub = arg;
	struct live_request r;
	struct text t;
	(void)state;
	if (!read_live(text, n, &r)) {
		sim_out_text(out, bad_json, sizeof(bad_json) - 1);
		return;
	}
	if (json_is(r.method, "SUBSCRIBE")) {
		change_streams(sub, r.params, true);
	} else if (json_is(r.method, "UNSUBSCRIBE")) {
		change_streams(sub, r.params, false);
	} else if (json_is(r.method, "SET_PROPERTY")) {
		sub->is_raw =
		    memmem(r.params.s, r.params.n, "false", 5) != NULL;
	} else if (!json_is(r.method, "LIST_SUBSCRIPTIONS") &&
		   !json_is(r.method, "GET_PROPERTY")) {
		sim_out_text(out, BAD_REQUEST, sizeof(BAD_REQUEST) - 1);
		return;
	}
	sim_out_begin(out, &t);
	text_lit(&t, "{\"result\":");
	put_result(sub, &r, &t);
	text_lit(&t, ",\"id\":");
	if (r.id.n > 0)
		text_put(&t, r.id.s, r.id.n);
	else
		text_lit(&t, "null");
	text_lit(&t, "}");
	sim_out_end(out, &t);
}

static void put_levels(
    struct text *t, const struct bn_level *levels, uint32_t n);

/* "btcusdt@depth20@100ms" of BTCUSDT: 20; 0 when it is no such stream. */
static uint32_t
partial_levels(const char *stream, const char *symbol)
{
	static const uint32_t sizes[] = {5, 10, 20};
	size_t n = strlen(symbol);
	for (size_t i = 0; i < n; i++) {
		if (stream[i] != (symbol[i] >= 'A' && symbol[i] <= 'Z'
					 ? symbol[i] - 'A' + 'a'
					 : symbol[i]))
			return 0;
	}
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char want[24];
		int k = snprintf(want, sizeof(want), "@depth%u", sizes[i]);
		if (strncmp(stream + n, want, (size_t)k) == 0 &&
		    (stream[n + (size_t)k] == '\0' ||
			strcmp(stream + n + k, "@100ms") == 0))
			return sizes[i];
	}
	return 0;
}

/* The top of the book, after a change of it, to those who want only that. */
static void
send_partial(struct bn_state *s, const struct bn_sub *sub,
    const struct sim_frame *f, struct sim_out *out)
{
	struct text t;
	if (memmem(f->text, f->n, "depthUpdate", 11) == NULL ||
	    bn_decode(&s->ev, f->text, f->n) != BN_DEPTH)
		return;
	const struct depth *d = depth_find(s, s->ev.symbol.s, s->ev.symbol.n);
	for (uint32_t i = 0; d != NULL && d->has_book && i < sub->n; i++) {
		uint32_t n = partial_levels(sub->streams[i], d->symbol);
		if (n == 0)
			continue;
		sim_out_begin(out, &t);
		if (!sub->is_raw) {
			text_lit(&t, "{\"stream\":\"");
			text_lit(&t, sub->streams[i]);
			text_lit(&t, "\",\"data\":");
		}
		text_lit(&t, "{\"lastUpdateId\":");
		put_i64(&t, (int64_t)d->last_id);
		text_lit(&t, ",\"bids\":[");
		put_levels(&t, d->bids, d->bid_n < n ? d->bid_n : n);
		text_lit(&t, "],\"asks\":[");
		put_levels(&t, d->asks, d->ask_n < n ? d->ask_n : n);
		text_lit(&t, sub->is_raw ? "]}" : "]}}");
		sim_out_end(out, &t);
	}
}

static void
bn_select(
    void *state, void *arg, const struct sim_frame *f, struct sim_out *out)
{
	const struct bn_sub *sub = arg;
	struct json_str name;
	struct json_str data;
	if (f->kind != SIM_BN_WS || !envelope(f, &name, &data))
		return;
	send_partial(state, sub, f, out);
	if (stream_find(sub, name) < 0)
		return;
	if (sub->is_raw)
		sim_out_text(out, data.s, data.n);
	else
		sim_out_text(out, f->text, f->n);
}

/* ---- REST ---- */

static void
put_levels(struct text *t, const struct bn_level *levels, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		text_lit(t, i > 0 ? ",[\"" : "[\"");
		put_e8(t, levels[i].px.e8, DECIMALS);
		text_lit(t, "\",\"");
		put_e8(t, levels[i].qty.e8, DECIMALS);
		text_lit(t, "\"]");
	}
}

static uint32_t
limit_of(const struct sim_request *r)
{
	char arg[8];
	uint64_t limit;
	int n = http_query_get(r->query, "limit", arg, sizeof(arg));
	if (n <= 0 ||
	    !json_text_u64(
		(struct json_str){.s = arg, .n = (uint32_t)n}, &limit))
		return LIMIT_DEFAULT;
	return limit == 0 || limit > DEPTH_MAX ? DEPTH_MAX : (uint32_t)limit;
}

static void
answer_depth(const struct depth *d, uint32_t limit, struct sim_answer *a)
{
	if (d == NULL || !d->has_book) {
		sim_answer_lit(a, 400, BAD_SYMBOL);
		return;
	}
	a->status = 200;
	text_lit(&a->body, "{\"lastUpdateId\":");
	put_i64(&a->body, (int64_t)d->last_id);
	text_lit(&a->body, ",\"bids\":[");
	put_levels(&a->body, d->bids, d->bid_n < limit ? d->bid_n : limit);
	text_lit(&a->body, "],\"asks\":[");
	put_levels(&a->body, d->asks, d->ask_n < limit ? d->ask_n : limit);
	text_lit(&a->body, "]}");
}

static void
put_symbol(struct text *t, const char *symbol)
{
	text_lit(t, "{\"symbol\":\"");
	text_lit(t, symbol);
	text_lit(t,
	    "\",\"status\":\"TRADING\",\"filters\":["
	    "{\"filterType\":\"PRICE_FILTER\",\"minPrice\":\"0.01000000\","
	    "\"maxPrice\":\"1000000.00000000\","
	    "\"tickSize\":\"0.01000000\"},"
	    "{\"filterType\":\"LOT_SIZE\",\"minQty\":\"0.00001000\","
	    "\"maxQty\":\"9000.00000000\",\"stepSize\":\"0.00001000\"},"
	    "{\"filterType\":\"NOTIONAL\","
	    "\"minNotional\":\"5.00000000\"}]}");
}

static void
answer_info(struct bn_state *s, const struct sim_request *r,
    const struct depth *d, bool has_symbol, struct sim_answer *a)
{
	bool any = false;
	if (has_symbol && d == NULL) {
		sim_answer_lit(a, 400, BAD_SYMBOL);
		return;
	}
	a->status = 200;
	text_lit(&a->body, "{\"timezone\":\"UTC\",\"serverTime\":");
	put_i64(&a->body, r->now_ns / NS_PER_MS);
	text_lit(&a->body,
	    ",\"rateLimits\":[{\"rateLimitType\":\"REQUEST_WEIGHT\","
	    "\"interval\":\"MINUTE\",\"intervalNum\":1,\"limit\":6000}],"
	    "\"symbols\":[");
	for (uint32_t i = 0; i < s->depth_n; i++) {
		if (has_symbol && &s->depths[i] != d)
			continue;
		if (any)
			text_lit(&a->body, ",");
		put_symbol(&a->body, s->depths[i].symbol);
		any = true;
	}
	text_lit(&a->body, "]}");
}

static void
bn_request(void *state, const struct sim_request *r, struct sim_answer *a)
{
	struct bn_state *s = state;
	char symbol[SYMBOL_MAX];
	int n = http_query_get(r->query, "symbol", symbol, sizeof(symbol));
	const struct depth *d = n > 0 ? depth_find(s, symbol, (size_t)n) : NULL;
	if (!http_text_is(r->method, "GET")) {
		sim_answer_lit(a, 405, "{}");
	} else if (http_text_is(r->path, "/api/v3/ping")) {
		sim_answer_lit(a, 200, "{}");
	} else if (http_text_is(r->path, "/api/v3/time")) {
		a->status = 200;
		text_lit(&a->body, "{\"serverTime\":");
		put_i64(&a->body, r->now_ns / NS_PER_MS);
		text_lit(&a->body, "}");
	} else if (http_text_is(r->path, "/api/v3/depth")) {
		answer_depth(d, limit_of(r), a);
	} else if (http_text_is(r->path, "/api/v3/exchangeInfo")) {
		answer_info(s, r, d, n > 0, a);
	} else {
		sim_answer_lit(a, 404, "{}");
	}
}

/* ---- the table ---- */

static void
bn_reset(void *state)
{
	struct bn_state *s = state;
	for (uint32_t i = 0; i < s->depth_n; i++) {
		s->depths[i].has_book = false;
		s->depths[i].last_id = 0;
	}
}

static void
bn_prime(void *state, const struct sim_frame *f)
{
	struct bn_state *s = state;
	struct json_str name;
	struct json_str data;
	if (f->kind == SIM_BN_DEPTH) {
		const struct depth *d = depth_find(s, f->key, strlen(f->key));
		if (d == NULL || !d->has_book)
			depth_snapshot(s, f);
	} else if (s->depth_n < SYMBOLS_MAX && envelope(f, &name, &data) &&
		   bn_decode(&s->ev, f->text, f->n) != BN_ERR) {
		(void)depth_get(s, s->ev.symbol.s, s->ev.symbol.n);
	}
}

static void
bn_apply(void *state, const struct sim_frame *f)
{
	struct bn_state *s = state;
	if (f->kind == SIM_BN_DEPTH)
		depth_snapshot(s, f);
	else if (memmem(f->text, f->n, "depthUpdate", 11) != NULL)
		depth_diff(s, f);
}

static enum sim_conn
bn_conn(const void *sub)
{
	(void)sub;
	return SIM_CONN_STREAM;
}

const struct sim_venue_ops sim_binance = {
    .venue = VENUE_BINANCE,
    .state_sz = sizeof(struct bn_state),
    .sub_sz = sizeof(struct bn_sub),
    .ws_ping_ms = PING_MS,
    .reset = bn_reset,
    .prime = bn_prime,
    .apply = bn_apply,
    .conn = bn_conn,
    .open = bn_open,
    .is_active = bn_is_active,
    .receive = bn_receive,
    .select = bn_select,
    .request = bn_request,
};

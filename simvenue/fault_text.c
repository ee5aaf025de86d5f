#define _GNU_SOURCE
/* What faults do to messages and answers. */
#include <stdio.h>
#include <string.h>

#include "libcore/check.h"
#include "simvenue/fault.h"

#define HASH_DIGITS 40

static bool
starts(struct json_str s, const char *with)
{
	size_t n = strlen(with);
	return s.n >= n && memcmp(s.s, with, n) == 0;
}

/* Position behind the first `what` in s, NULL when it is not there. */
static const char *
behind(struct json_str s, const char *what)
{
	const char *p = memmem(s.s, s.n, what, strlen(what));
	return p != NULL ? p + strlen(what) : NULL;
}

static bool
is_pong(struct json_str s)
{
	return json_is(s, "PONG") || starts(s, "{\"channel\":\"pong\"") ||
	       starts(s, "{\"op\":\"pong\"");
}

/* Market data, not a word about the connection. */
static bool
is_data(struct json_str s)
{
	if (s.n == 0 || (s.s[0] != '{' && s.s[0] != '['))
		return false;
	return !is_pong(s) && !starts(s, "{\"result\"") &&
	       !starts(s, "{\"op\"") &&
	       !starts(s, "{\"channel\":\"subscriptionResponse\"") &&
	       !starts(s, "{\"channel\":\"error\"");
}

/* ---- changes to a text, from s into t; false: it does not apply ---- */

/* Items of an array but for those that skip says. */
static bool
copy_items(struct json_str s, struct text *t, uint32_t left_out_n,
    const bool *left_out)
{
	struct json j;
	struct json_str item;
	uint32_t i = 0;
	bool any = false;
	json_init(&j, s.s, s.n);
	if (!json_array(&j))
		return false;
	text_lit(t, "[");
	while (json_item(&j) && json_raw(&j, &item)) {
		if (i < left_out_n && left_out[i++])
			continue;
		if (any)
			text_lit(t, ",");
		text_put(t, item.s, item.n);
		any = true;
	}
	text_lit(t, "]");
	return any && j.reason == REASON_NONE;
}

static uint32_t
count_items(struct json_str s)
{
	struct json j;
	uint32_t n = 0;
	json_init(&j, s.s, s.n);
	if (!json_array(&j))
		return 0;
	while (json_item(&j) && json_skip(&j))
		n++;
	return n;
}

/* The last entry of the first list of price changes. */
static bool
cut_changes(struct json_str s, struct text *t)
{
	const char *list = behind(s, "\"price_changes\":[");
	if (list == NULL)
		return false;
	const char *end = memchr(list, ']', s.n - (size_t)(list - s.s));
	if (end == NULL)
		return false;
	const char *last = memrchr(list, '{', (size_t)(end - list));
	if (last == NULL || last == list || last[-1] != ',')
		return false;
	text_put(t, s.s, (size_t)(last - 1 - s.s));
	text_put(t, end, s.n - (size_t)(end - s.s));
	return true;
}

#define ITEMS_MAX 512

static bool
truncated(struct json_str s, int64_t value, struct text *t)
{
	bool out[ITEMS_MAX] = {false};
	uint32_t n = count_items(s);
	if (value != 0) {
		text_put(t, s.s, s.n / 2);
		return true;
	}
	if (cut_changes(s, t))
		return true;
	if (n < 2 || n > ITEMS_MAX)
		return false;
	out[n - 1] = true;
	return copy_items(s, t, n, out);
}

static bool
wrong_hash(struct json_str s, struct text *t)
{
	static const char mark[] = "\"hash\":\"";
	size_t start = t->n;
	bool any = false;
	text_put(t, s.s, s.n);
	if (t->full)
		return false;
	char *p = t->buf + start;
	char *end = t->buf + t->n;
	while ((p = memmem(p, (size_t)(end - p), mark, sizeof(mark) - 1)) !=
	       NULL) {
		p += sizeof(mark) - 1;
		if ((size_t)(end - p) <= HASH_DIGITS)
			break;
		char *last = p + HASH_DIGITS - 1;
		*last = *last == '0' ? '1' : '0';
		any = true;
	}
	return any;
}

static bool
invalid_utf8(struct json_str s, struct text *t)
{
	const char *p = behind(s, "\":\"");
	if (p == NULL || p == s.s + s.n)
		return false;
	text_put(t, s.s, (size_t)(p - s.s));
	text_lit(t, "\xff");
	text_put(t, p + 1, s.n - (size_t)(p + 1 - s.s));
	return true;
}

static bool
bad_json(struct json_str s, struct text *t)
{
	const char *p = memchr(s.s, ':', s.n);
	if (p == NULL)
		return false;
	text_put(t, s.s, (size_t)(p - s.s));
	text_lit(t, ";");
	text_put(t, p + 1, s.n - (size_t)(p + 1 - s.s));
	return true;
}

/* The first number in quotes: "0.5" becomes ["0.5"]. */
static bool
wrong_type(struct json_str s, struct text *t)
{
	const char *end = s.s + s.n;
	for (const char *p = s.s; p + 4 < end; p++) {
		if (memcmp(p, "\":\"", 3) != 0 || p[3] < '0' || p[3] > '9')
			continue;
		const char *stop = memchr(p + 3, '"', (size_t)(end - p - 3));
		if (stop == NULL)
			return false;
		text_put(t, s.s, (size_t)(p + 2 - s.s));
		text_lit(t, "[");
		text_put(t, p + 2, (size_t)(stop + 1 - (p + 2)));
		text_lit(t, "]");
		text_put(t, stop + 1, (size_t)(end - stop - 1));
		return true;
	}
	return false;
}

/* A list of first books: each may be missing. */
static bool
no_snapshot(struct fault_set *s, const struct fault_at *at, struct json_str in,
    struct text *t, bool *is_empty)
{
	bool out[ITEMS_MAX] = {false};
	int64_t value;
	uint32_t n =
	    starts(in, "[{\"event_type\":\"book\"") ? count_items(in) : 0;
	uint32_t out_n = 0;
	for (uint32_t i = 0; i < n && i < ITEMS_MAX; i++) {
		out[i] = fault_roll(s, FAULT_NO_SNAPSHOT, at, &value);
		out_n += out[i];
	}
	*is_empty = n > 0 && out_n == n;
	return out_n > 0 && !*is_empty &&
	       copy_items(in, t, n < ITEMS_MAX ? n : ITEMS_MAX, out);
}

static bool
change(enum fault f, struct json_str s, int64_t value, struct text *t)
{
	switch ((int)f) {
	case FAULT_TRUNCATED_BATCH: return truncated(s, value, t);
	case FAULT_WRONG_HASH: return wrong_hash(s, t);
	case FAULT_INVALID_UTF8: return invalid_utf8(s, t);
	case FAULT_BAD_JSON: return bad_json(s, t);
	case FAULT_WRONG_TYPE: return wrong_type(s, t);
	default: break;
	}
	CHECK(false);
	return false;
}

/* At most one fault of these changes a message. */
static struct json_str
changed(struct fault_set *s, const struct fault_at *at, struct json_str in,
    struct fault_tmp tmp)
{
	static const enum fault faults[] = {FAULT_TRUNCATED_BATCH,
	    FAULT_WRONG_HASH, FAULT_INVALID_UTF8, FAULT_BAD_JSON,
	    FAULT_WRONG_TYPE};
	int64_t value;
	struct text t;
	bool is_empty = false;
	text_init(&t, tmp.buf, tmp.sz);
	if (fault_value(s, FAULT_NO_SNAPSHOT, at, &value) &&
	    no_snapshot(s, at, in, &t, &is_empty))
		return (struct json_str){.s = t.buf, .n = (uint32_t)t.n};
	if (is_empty)
		return (struct json_str){.s = ""};
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		/* Only what it can change is an opportunity. */
		if (!fault_value(s, faults[i], at, &value))
			continue;
		text_init(&t, tmp.buf, tmp.sz);
		if (change(faults[i], in, value, &t) && !t.full &&
		    fault_roll(s, faults[i], at, &value))
			return (struct json_str){
			    .s = t.buf, .n = (uint32_t)t.n};
	}
	return in;
}

/* ---- which messages there are ---- */

/* Of a user's own trades. */
static bool
is_trade(struct json_str s)
{
	return (starts(s, "{\"id\":\"") &&
		   behind(s, "\"event_type\":\"trade\"") != NULL) ||
	       starts(s, "{\"channel\":\"userFills\"");
}

/* Faults of answers, for the answer to a post. False: it is lost. */
static bool
post_answer(struct fault_set *s, const struct fault_at *at,
    struct json_str text, struct sim_out *out)
{
	bool is_action = behind(text, "\"type\":\"action\"") != NULL;
	const char *path = is_action ? "/exchange" : "/info";
	struct fault_at a = *at;
	int64_t value;
	a.path = (struct http_text){.p = path, .n = strlen(path)};
	if (fault_roll(s, FAULT_SLOW_ANSWER, &a, &value) && value > 0)
		out->delay_ms = (uint64_t)value;
	if (is_action && fault_roll(s, FAULT_FILL_BEFORE_ACK, &a, &value) &&
	    value > 0)
		out->delay_ms = (uint64_t)value;
	return !fault_roll(s, FAULT_REPLY_LOST, &a, &value);
}

static bool
is_lost(struct fault_set *s, const struct fault_at *at, struct fault_conn *c)
{
	bool is_rtds = at->conn == SIM_CONN_RTDS || at->conn == SIM_CONN_BOLT;
	int64_t value;
	if (c->gap_left == 0 && fault_roll(s, FAULT_GAP, at, &value) &&
	    value > 0)
		c->gap_left = (uint64_t)value;
	if (is_rtds && c->rtds_gap_left == 0 &&
	    fault_roll(s, FAULT_RTDS_GAP, at, &value) && value > 0)
		c->rtds_gap_left = (uint64_t)value;
	bool lost = c->gap_left > 0 || c->rtds_gap_left > 0;
	c->gap_left -= c->gap_left > 0;
	c->rtds_gap_left -= c->rtds_gap_left > 0;
	return lost;
}

static void
put_in_order(struct fault_set *s, const struct fault_at *at,
    struct fault_conn *c, struct json_str text, struct sim_out *out)
{
	int64_t value;
	if (c->held_n == 0 && text.n <= FAULT_HELD_MAX &&
	    fault_roll(s, FAULT_REORDER, at, &value)) {
		memcpy(c->held, text.s, text.n);
		c->held_n = text.n;
		return;
	}
	sim_out_text(out, text.s, text.n);
	if (fault_roll(s, FAULT_DUPLICATE, at, &value) ||
	    (is_trade(text) &&
		fault_roll(s, FAULT_DUPLICATE_TRADE, at, &value)))
		sim_out_text(out, text.s, text.n);
	if (c->held_n > 0)
		sim_out_text(out, c->held, c->held_n);
	c->held_n = 0;
}

static void
put_overlong(int64_t n, struct sim_out *out)
{
	static const char head[] = "{\"event_type\":\"overlong\",\"pad\":\"";
	struct text t;
	sim_out_begin(out, &t);
	text_lit(&t, head);
	for (int64_t i = sizeof(head) + 1; i < n && !t.full; i++)
		text_put(&t, "x", 1);
	text_lit(&t, "\"}");
	sim_out_end(out, &t);
}

static void
put_shutdown(const struct fault_at *at, struct json_str text, int64_t value,
    struct sim_out *out)
{
	struct text t;
	bool is_raw = !starts(text, "{\"stream\"");
	sim_out_begin(out, &t);
	if (!is_raw)
		text_lit(&t, "{\"stream\":\"!serverShutdown\",\"data\":");
	text_lit(&t, "{\"e\":\"serverShutdown\",\"E\":");
	put_i64(&t, (int64_t)at->now_ms);
	text_lit(&t, is_raw ? "}" : "}}");
	sim_out_end(out, &t);
	out->close_code = 1001;
	out->close_ms = value > 0 ? (uint64_t)value : 0;
}

static void
put_end(struct fault_set *s, const struct fault_at *at, struct json_str text,
    struct sim_out *out)
{
	int64_t value;
	if (fault_roll(s, FAULT_OVERLONG_FRAME, at, &value))
		put_overlong(value, out);
	if (at->venue == VENUE_BINANCE &&
	    fault_roll(s, FAULT_SERVER_SHUTDOWN, at, &value))
		put_shutdown(at, text, value, out);
	if (fault_roll(s, FAULT_CLOSE_1012, at, &value))
		out->close_code = 1012;
	else if (fault_roll(s, FAULT_CLOSE_1013, at, &value))
		out->close_code = 1013;
	if (fault_roll(s, FAULT_DISCONNECT_STORM, at, &value))
		out->drop_now = true;
}

void
fault_message(struct fault_set *s, const struct fault_at *at,
    struct fault_conn *c, struct json_str text, struct fault_tmp tmp,
    struct sim_out *out)
{
	if (fault_bears(c, FAULT_HALF_OPEN))
		return;
	if (fault_bears(c, FAULT_FRAGMENTED_FRAMES) &&
	    c->value[FAULT_FRAGMENTED_FRAMES] > 0)
		out->part_n = (size_t)c->value[FAULT_FRAGMENTED_FRAMES];
	if (is_pong(text)) {
		if (fault_bears(c, FAULT_NO_PONG))
			return;
		if (fault_bears(c, FAULT_SLOW_PONG) &&
		    c->value[FAULT_SLOW_PONG] > 0)
			out->delay_ms = (uint64_t)c->value[FAULT_SLOW_PONG];
	}
	if (!is_data(text)) {
		sim_out_text(out, text.s, text.n);
		return;
	}
	if (fault_bears(c, FAULT_SILENT_SOCKET) ||
	    fault_bears(c, FAULT_RTDS_STALL) || is_lost(s, at, c))
		return;
	int64_t value;
	if (starts(text, "{\"channel\":\"post\"") &&
	    !post_answer(s, at, text, out))
		return;
	if (fault_roll(s, FAULT_DELAYED, at, &value) && value > 0)
		out->delay_ms = (uint64_t)value;
	struct json_str sent = changed(s, at, text, tmp);
	if (sent.n > 0)
		put_in_order(s, at, c, sent, out);
	put_end(s, at, text, out);
}

/* ---- answers ---- */

static bool
path_starts(struct http_text path, const char *with)
{
	size_t n = strlen(with);
	return path.n >= n && memcmp(path.p, with, n) == 0;
}

/* The whole list of a key becomes this text. */
static void
replace_list(
    struct text *t, struct json_str *from, const char *key, const char *list)
{
	const char *p = behind(*from, key);
	const char *end =
	    p != NULL ? memchr(p, ']', from->n - (size_t)(p - from->s)) : NULL;
	if (end == NULL)
		return;
	text_put(t, from->s, (size_t)(p - from->s));
	text_lit(t, list);
	from->n -= (uint32_t)(end + 1 - from->s);
	from->s = end + 1;
}

static void
body_from(struct sim_answer *a, const struct text *t)
{
	CHECK(!t->full);
	a->body.n = 0;
	text_put(&a->body, t->buf, t->n);
}

static void
stale_book(struct sim_answer *a, struct fault_tmp tmp)
{
	struct text t;
	struct json_str s = {.s = a->body.buf, .n = (uint32_t)a->body.n};
	text_init(&t, tmp.buf, tmp.sz);
	replace_list(
	    &t, &s, "\"bids\":", "[{\"price\":\"0.01\",\"size\":\"1000\"}]");
	replace_list(
	    &t, &s, "\"asks\":", "[{\"price\":\"0.99\",\"size\":\"1000\"}]");
	text_put(&t, s.s, s.n);
	body_from(a, &t);
}

/* Not yet: the key is there, its lists are empty. */
static void
no_tokens(struct sim_answer *a)
{
	static const char key[] = "\"clobTokenIds\":\"[";
	char *p = a->body.buf;
	char *end = a->body.buf + a->body.n;
	while (
	    (p = memmem(p, (size_t)(end - p), key, sizeof(key) - 1)) != NULL) {
		p += sizeof(key) - 1;
		char *stop = memchr(p, ']', (size_t)(end - p));
		if (stop == NULL)
			return;
		memset(p, ' ', (size_t)(stop - p));
	}
}

static void
status(struct sim_answer *a, unsigned code, const char *body)
{
	a->body.n = 0;
	sim_answer_lit(a, code, body);
}

/* Orders of either exchange, or their changes. */
static bool
is_order(const struct sim_request *r)
{
	return http_text_is(r->method, "POST") &&
	       (http_text_is(r->path, "/order") ||
		   http_text_is(r->path, "/orders") ||
		   http_text_is(r->path, "/exchange"));
}

/* What stands for the last order of a batch is told as a success of none. */
static void
partial_batch(struct sim_answer *a, struct fault_tmp tmp)
{
	static const char blank[] =
	    ",{\"success\":true,\"errorMsg\":\"could not run the execution\","
	    "\"orderID\":\"\",\"status\":\"\",\"makingAmount\":\"\","
	    "\"takingAmount\":\"\"}]";
	struct json_str s = {.s = a->body.buf, .n = (uint32_t)a->body.n};
	bool left_out[ITEMS_MAX] = {false};
	uint32_t n = count_items(s);
	struct text t;
	text_init(&t, tmp.buf, tmp.sz);
	if (n < 2 || n > ITEMS_MAX)
		return;
	left_out[n - 1] = true;
	if (!copy_items(s, &t, n, left_out))
		return;
	t.n--; /* the bracket */
	text_lit(&t, blank);
	body_from(a, &t);
}

/* Troubles of a server that may have done what it was asked to. */
static bool
trouble(struct fault_set *s, const struct fault_at *at, bool is_before,
    struct sim_answer *a, struct fault_reply *out)
{
	int64_t value;
	if (fault_value(s, FAULT_HTTP_500_HTML, at, &value) &&
	    (value != 0) == is_before &&
	    fault_roll(s, FAULT_HTTP_500_HTML, at, &value)) {
		status(a, 500,
		    "<html><body><h1>Internal Server Error</h1></body></html>");
		out->type = "text/html";
		return true;
	}
	if (fault_value(s, FAULT_HTTP_503, at, &value) &&
	    (value != 0) == is_before &&
	    fault_roll(s, FAULT_HTTP_503, at, &value)) {
		status(a, 503, "{\"error\":\"service unavailable\"}");
		return true;
	}
	return false;
}

bool
fault_refuse(struct fault_set *s, const struct fault_at *at,
    struct sim_answer *a, struct fault_reply *out)
{
	int64_t value;
	if (fault_roll(s, FAULT_HTTP_429, at, &value)) {
		status(a, 429, "{\"error\":\"Too Many Requests\"}");
		(void)snprintf(out->extra_text, sizeof(out->extra_text),
		    "Retry-After: %lld\r\n", (long long)value);
		out->extra = out->extra_text;
		return true;
	}
	if (fault_roll(s, FAULT_HTTP_425, at, &value)) {
		status(a, 425, "{\"error\":\"matching engine is restarting\"}");
		return true;
	}
	if (trouble(s, at, true, a, out))
		return true;
	out->is_lost = fault_roll(s, FAULT_REQUEST_LOST, at, &value);
	return out->is_lost;
}

void
fault_answer(struct fault_set *s, const struct fault_at *at,
    const struct sim_request *r, struct sim_answer *a, struct fault_tmp tmp,
    struct fault_reply *out)
{
	int64_t value;
	bool is_pm = at->venue == VENUE_POLYMARKET && a->status == 200;
	bool is_gamma = is_pm && (path_starts(r->path, "/markets") ||
				     path_starts(r->path, "/events"));
	if (is_gamma && fault_roll(s, FAULT_GAMMA_404, at, &value))
		status(a, 404, "{\"error\":\"not found\"}");
	else if (is_gamma && fault_roll(s, FAULT_GAMMA_NO_TOKENS, at, &value))
		no_tokens(a);
	else if (is_pm && http_text_is(r->path, "/book") &&
		 fault_roll(s, FAULT_STALE_REST_BOOK, at, &value))
		stale_book(a, tmp);
	else if (is_pm && is_order(r) && http_text_is(r->path, "/orders") &&
		 fault_roll(s, FAULT_PARTIAL_BATCH, at, &value))
		partial_batch(a, tmp);
	(void)trouble(s, at, false, a, out);
	if (fault_roll(s, FAULT_DATE_SKEW, at, &value))
		out->date_skew_s = value;
	if (fault_roll(s, FAULT_SLOW_ANSWER, at, &value) && value > 0)
		out->delay_ms = (uint64_t)value;
	if (is_order(r) && fault_roll(s, FAULT_FILL_BEFORE_ACK, at, &value) &&
	    value > 0)
		out->delay_ms = (uint64_t)value;
	if (fault_roll(s, FAULT_REPLY_LOST, at, &value))
		out->is_lost = true;
}

/*
 * Hyperliquid, live: market data by the rules of recorded frames
 * (hyperliquid.c), users' streams, posts, /exchange and /info.
 */
#include <string.h>

#include "libcore/check.h"
#include "simvenue/live_hl_int.h"

#define QUIET_MS 60000
#define SHAPE_ERROR \
	"\"Failed to deserialize the JSON body into the target type\""

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

/* ---- messages ---- */

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

/* The id that an entry names: "c" or "cloid", else "o" or "oid". */
static void
note_id(struct live *l, struct json_str item)
{
	static const char *const keys[] = {"c", "cloid", "o", "oid"};
	struct json_str inner = field(item, "order");
	struct json_str id = {0};

	if (inner.n > 0)
		item = inner;
	for (size_t i = 0; i < 4 && id.n == 0; i++)
		id = field(item, keys[i]);
	if (id.n >= 2 && id.s[0] == '"') {
		id.s++;
		id.n -= 2;
	}
	if (id.n > 0)
		live_arrived_id(l, id.s, id.n);
}

static void
note_ids(struct live *l, struct json_str list)
{
	struct json_str item;
	struct json j;

	json_init(&j, list.s, list.n);
	if (list.n == 0 || !json_array(&j))
		return;
	while (json_item(&j) && json_raw(&j, &item))
		note_id(l, item);
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
		if (kinds[i].list[0] == '\0') /* the entry is the action */
			note_id(l, action);
		else
			note_ids(l, field(action, kinds[i].list));
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
	int64_t value;

	note(s->live, field(field(said, "request"), "payload"));
	if (mishap(&s->live->mishaps, VENUE_HYPERLIQUID, FAULT_REQUEST_LOST,
		&value))
		return;
	sim_out_begin(out, &t);
	if (hl_desk_post(&w->hl_desk, text, n, w->now_ns, &t))
		sim_out_end(out, &t);
	else
		live_hl_error(out,
		    "Error parsing JSON into valid websocket request: ", said);
}

static bool
is_post(const char *text, size_t n)
{
	struct json_str method =
	    field((struct json_str){.s = text, .n = (uint32_t)n}, "method");

	return method.n == 6 && memcmp(method.s, "\"post\"", 6) == 0;
}

static void
hl_receive(
    void *state, void *arg, const char *text, size_t n, struct sim_out *out)
{
	struct live_hl *s = state;

	if (is_post(text, n))
		post(s, text, n, out);
	else if (!live_hl_subscribe(s, arg, text, n, out))
		sim_hyperliquid.receive(under(s), under_sub(arg), text, n, out);
}

/* ---- frames ---- */

static void
hl_select(
    void *state, void *arg, const struct sim_frame *f, struct sim_out *out)
{
	if (f->kind == SIM_HL_USER)
		live_hl_select(state, arg, f, out);
	else
		sim_hyperliquid.select(under(state), under_sub(arg), f, out);
}

/* Who comes now is told of the newest trades, not of the last alone. */
static uint32_t
put_recent(const struct live_hl *s, char *buf)
{
	struct text t;

	text_init(&t, buf, LIVE_HL_LAST);
	text_lit(&t, "{\"channel\":\"trades\",\"data\":");
	world_put_recent(&s->live->w, &t);
	text_lit(&t, "}");
	CHECK(!t.full);
	return (uint32_t)text_end(&t);
}

static void
hl_apply(void *state, const struct sim_frame *f)
{
	struct live_hl *s = state;
	struct sim_frame kept = *f;

	if (f->kind != SIM_HL_WS || f->n >= LIVE_HL_LAST)
		return;
	CHECK(f->to < WORLD_HL_N);
	kept.text = s->last[f->to];
	if (f->to == WORLD_HL_TRADES)
		kept.n = put_recent(s, s->last[f->to]);
	else
		memcpy(s->last[f->to], f->text, f->n);
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
	live->w.hl_desk.other = live_hl_info;
	live->w.hl_desk.user = s;
	text_init(&t, s->last[WORLD_HL_BOOK], LIVE_HL_LAST);
	text_lit(&t, head);
	hl_say_book(&live->w.hlx, 0, HL_INFO_BOOK, live->w.now_ns, &t);
	text_lit(&t, "}");
	f.text = s->last[WORLD_HL_BOOK];
	f.n = (uint32_t)text_end(&t);
	CHECK(f.n > 0);
	sim_hyperliquid.apply(under(s), &f);
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
	if (a->status == 0)
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

/* Polymarket, live: channels of the market, of a user, of prices. */
#include <stddef.h>
#include <string.h>

#include "libcore/check.h"
#include "simvenue/live.h"

#define FILTER_MAX 64

struct live_pm_sub {
	bool is_user;
	bool has_login;
	uint32_t login; /* of the desk */
	uint32_t market_n;
	struct pm_cond markets[FILTER_MAX]; /* none: all */
	struct sim_pm_sub sub;		    /* of the other channels */
};

/* ---- the user channel ---- */

static bool
cond_same(const struct pm_cond *a, const struct pm_cond *b)
{
	return a->n == b->n && memcmp(a->b, b->b, a->n) == 0;
}

static int
filter_find(const struct live_pm_sub *sub, const struct pm_cond *c)
{
	for (uint32_t i = 0; i < sub->market_n; i++)
		if (cond_same(&sub->markets[i], c))
			return (int)i;
	return -1;
}

static void
filter_set(struct live_pm_sub *sub, const struct pm_cond *c, bool wanted)
{
	int i = filter_find(sub, c);

	if (wanted && i < 0 && sub->market_n < FILTER_MAX)
		sub->markets[sub->market_n++] = *c;
	else if (!wanted && i >= 0)
		sub->markets[i] = sub->markets[--sub->market_n];
}

/* "markets" and "operation", in any order. */
static void
read_filter(struct live_pm_sub *sub, const char *text, size_t n)
{
	struct json_str list = {0};
	struct json_str op = {0};
	struct json_str s;
	struct pm_cond c;
	struct json j;

	json_init(&j, text, n);
	json_object(&j);
	while (json_key(&j, &s))
		if (json_is(s, "markets"))
			json_raw(&j, &list);
		else if (json_is(s, "operation"))
			json_string(&j, &op);
		else
			json_skip(&j);
	if (!json_end(&j) || list.n == 0)
		return;
	json_init(&j, list.s, list.n);
	if (!json_array(&j))
		return;
	while (json_item(&j) && json_string(&j, &s))
		if (pm_cond_parse(s.s, s.n, &c))
			filter_set(sub, &c, !json_is(op, "unsubscribe"));
}

static void
receive_user(struct live_pm *s, struct live_pm_sub *sub, const char *text,
    size_t n, struct sim_out *out)
{
	if (n == 4 && memcmp(text, "PING", 4) == 0) {
		sim_out_text(out, "PONG", 4);
		return;
	}
	if (!sub->has_login) {
		sub->login = desk_hello(&s->live->w.pm_desk, text, n);
		sub->has_login = sub->login != DESK_LOGINS;
		out->drop = !sub->has_login;
	}
	read_filter(sub, text, n);
}

static bool
wants_user(const struct live_pm_sub *sub, const struct sim_frame *f)
{
	struct json_str key;
	struct json_str v;
	struct pm_cond c;
	struct json j;

	if (!sub->has_login || sub->login != f->to)
		return false;
	if (sub->market_n == 0)
		return true;
	json_init(&j, f->text, f->n);
	json_object(&j);
	while (json_key(&j, &key)) {
		if (json_is(key, "market") && json_string(&j, &v))
			return pm_cond_parse(v.s, v.n, &c) &&
			       filter_find(sub, &c) >= 0;
		json_skip(&j);
	}
	return false;
}

/* ---- the market channel ---- */

static bool
wants_dump(const char *text, size_t n)
{
	struct json_str key;
	struct json j;
	bool dump = true;

	json_init(&j, text, n);
	json_object(&j);
	while (json_key(&j, &key))
		if (json_is(key, "initial_dump"))
			json_bool(&j, &dump);
		else
			json_skip(&j);
	return dump;
}

/* To the rules of recorded frames every token is a stranger; the books of
 * those that came just now are the world's. */
static void
receive_market(struct live_pm *s, struct live_pm_sub *sub, const char *text,
    size_t n, struct sim_out *out)
{
	uint32_t known_n = sub->sub.stranger_n;
	struct world *w = &s->live->w;
	bool any = false;
	struct text t;

	sim_polymarket.receive(&s->pm, &sub->sub, text, n, out);
	if (sub->sub.stranger_n <= known_n || !wants_dump(text, n))
		return;
	sim_out_begin(out, &t);
	text_lit(&t, "[");
	for (uint32_t i = known_n; i < sub->sub.stranger_n; i++) {
		enum token_role role;
		uint32_t m =
		    pmx_market_find(&w->pmx, &sub->sub.strangers[i], &role);

		if (m == PMX_NONE)
			continue;
		text_lit(&t, any ? "," : "");
		tape_put_book(&w->tape, (uint16_t)m, role, true, &t);
		any = true;
	}
	text_lit(&t, "]");
	if (any)
		sim_out_end(out, &t);
}

/* ---- the price streams ---- */

/* The snapshots as of now, where the rules of recorded frames look. */
static void
refresh_prices(struct live_pm *s)
{
	static const enum rtds_source source[2] = {RTDS_CHAINLINK, RTDS_TWAP60};
	static const char symbol[] = "btc/usd";

	for (int i = 0; i < 2; i++) {
		struct sim_pm_snap *snap = &s->pm.snaps[i];
		struct text t;

		text_init(&t, s->prices[i], sizeof(s->prices[i]));
		world_put_prices(&s->live->w, i == 1, &t);
		snap->source = source[i];
		memcpy(snap->symbol, symbol, sizeof(symbol));
		snap->text = s->prices[i];
		snap->n = (uint32_t)text_end(&t);
		CHECK(snap->n > 0);
	}
	s->pm.snap_n = 2;
}

/* The ids of orders are known when their signatures have been looked at. */
static void
on_named(void *user, const uint8_t id[32])
{
	char text[PM_ID_TEXT_MAX];

	pm_id_text(id, text);
	live_arrived_id(user, text, strlen(text));
}

/* ---- the table ---- */

static void
pm_attach(void *state, struct live *live)
{
	struct live_pm *s = state;

	s->live = live;
	live->w.pm_desk.named = on_named;
	live->w.pm_desk.named_user = live;
	refresh_prices(s);
	for (uint32_t i = 0; i < s->pm.snap_n; i++) {
		struct sim_frame f = {.kind = SIM_PM_RTDS,
		    .text = s->pm.snaps[i].text,
		    .n = s->pm.snaps[i].n};

		sim_polymarket.apply(&s->pm, &f);
	}
}

static void
pm_apply(void *state, const struct sim_frame *f)
{
	struct live_pm *s = state;

	if (f->kind == SIM_PM_RTDS)
		sim_polymarket.apply(&s->pm, f);
}

static bool
pm_open(void *state, void *arg, struct http_text path, struct http_text query)
{
	struct live_pm *s = state;
	struct live_pm_sub *sub = arg;

	sub->is_user = http_text_is(path, "/ws/user");
	return sub->is_user ||
	       sim_polymarket.open(&s->pm, &sub->sub, path, query);
}

static bool
pm_is_active(const void *arg)
{
	const struct live_pm_sub *sub = arg;

	return sub->is_user ? sub->has_login
			    : sub->sub.stranger_n > 0 ||
				  sim_polymarket.is_active(&sub->sub);
}

static void
pm_receive(
    void *state, void *arg, const char *text, size_t n, struct sim_out *out)
{
	struct live_pm *s = state;
	struct live_pm_sub *sub = arg;

	if (sub->is_user) {
		receive_user(s, sub, text, n, out);
	} else if (sub->sub.is_rtds || sub->sub.is_bolt) {
		refresh_prices(s);
		sim_polymarket.receive(&s->pm, &sub->sub, text, n, out);
	} else {
		receive_market(s, sub, text, n, out);
	}
}

static void
pm_select(
    void *state, void *arg, const struct sim_frame *f, struct sim_out *out)
{
	struct live_pm *s = state;
	struct live_pm_sub *sub = arg;

	if (f->kind == SIM_PM_USER && sub->is_user && wants_user(sub, f))
		sim_out_text(out, f->text, f->n);
	else if (f->kind != SIM_PM_USER && !sub->is_user)
		sim_polymarket.select(&s->pm, &sub->sub, f, out);
}

/* ---- order entry ---- */

static uint32_t
count_items(const struct sim_request *r)
{
	struct json j;
	uint32_t n = 0;

	json_init(&j, r->body, r->body_n);
	if (!json_array(&j))
		return 1;
	while (json_item(&j) && json_skip(&j))
		n++;
	return n;
}

/* {"orderID":...}, or a list of ids. */
static void
note_cancels(struct live *l, const struct sim_request *r)
{
	struct json_str s;
	struct json j;

	json_init(&j, r->body, r->body_n);
	if (http_text_is(r->path, "/orders")) {
		json_array(&j);
		while (json_item(&j) && json_string(&j, &s))
			live_arrived_id(l, s.s, s.n);
	} else if (http_text_is(r->path, "/order") && json_object(&j)) {
		while (json_key(&j, &s))
			if (!json_is(s, "orderID"))
				json_skip(&j);
			else if (json_string(&j, &s))
				live_arrived_id(l, s.s, s.n);
	}
}

static void
note(struct live *l, const struct sim_request *r)
{
	bool is_order =
	    http_text_is(r->path, "/order") || http_text_is(r->path, "/orders");
	uint32_t n = is_order ? count_items(r) : 1;

	if (http_text_is(r->method, "POST") && is_order) {
		l->count[VENUE_POLYMARKET].orders += n;
		live_arrived(l, VENUE_POLYMARKET, LIVE_PLACE, n);
	} else if (http_text_is(r->method, "DELETE")) {
		live_arrived(l, VENUE_POLYMARKET, LIVE_CANCEL, n);
		note_cancels(l, r);
	} else {
		live_arrived(l, VENUE_POLYMARKET, LIVE_OTHER, 1);
	}
}

static void
pm_request(void *state, const struct sim_request *r, struct sim_answer *a)
{
	struct live_pm *s = state;

	if (!desk_is_mine(r->path)) {
		live_pm_public(s, r, a);
		return;
	}
	struct desk_request q = {.head = r->head,
	    .body = r->body,
	    .body_n = r->body_n,
	    .now_ns = s->live->w.now_ns};
	struct desk_answer out = {
	    .status = 500, .body = &a->body, .headers = &a->headers};

	note(s->live, r);
	desk_request(&s->live->w.pm_desk, &q, &out);
	a->status = out.status;
}

static enum sim_conn
pm_conn(const void *arg)
{
	const struct live_pm_sub *sub = arg;

	return sub->is_user ? SIM_CONN_USER : sim_polymarket.conn(&sub->sub);
}

const struct sim_venue_ops live_polymarket = {
    .venue = VENUE_POLYMARKET,
    .state_sz = sizeof(struct live_pm),
    .sub_sz = sizeof(struct live_pm_sub),
    .attach = pm_attach,
    .apply = pm_apply,
    .conn = pm_conn,
    .open = pm_open,
    .is_active = pm_is_active,
    .receive = pm_receive,
    .select = pm_select,
    .request = pm_request,
};

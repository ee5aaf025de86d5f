/*
 * gwhl_venue.h - the venue's side of gwhl_world.h: frames and requests arrive
 * at the desk, answers and words of user streams leave it, with faults.
 */
#ifndef TESTS_PROP_GWHL_VENUE_H
#define TESTS_PROP_GWHL_VENUE_H

#include "tests/prop/gwhl_world.h"

static inline void
say(const char *channel, void (*put)(struct text *t, const void *a),
    const void *a)
{
	char buf[4096];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	text_lit(&t, "{\"channel\":\"");
	text_lit(&t, channel);
	text_lit(&t, "\",\"data\":");
	put(&t, a);
	text_lit(&t, "}");
	assert_true(text_end(&t) > 0);
	wire(WAY_WS_IN, buf, t.n, (struct wire){0});
}

static inline void
put_update(struct text *t, const void *a)
{
	text_lit(t, "[");
	hl_say_order_update(s.x, *(const uint32_t *)a, t);
	text_lit(t, "]");
}

static inline void
put_fill(struct text *t, const void *a)
{
	text_lit(t, "{\"user\":\"0x\",\"fills\":[");
	hl_say_fill(s.x, a, t);
	text_lit(t, "]}");
}

static inline void
x_order(void *user, const struct hlx *x, uint32_t order)
{
	(void)user;
	if (x->order[order].account != s.account || !(s.streams & 1) ||
	    fault(150))
		return;
	say("orderUpdates", put_update, &order);
	if (fault(10))
		say("orderUpdates", put_update, &order);
}

static inline void
x_fill(void *user, const struct hlx *x, const struct hlx_fill *f)
{
	(void)user;
	(void)x;
	if (f->account != s.account || !(s.streams & 2) || fault(150))
		return;
	say("userFills", put_fill, f);
	if (fault(10))
		say("userFills", put_fill, f);
}

static inline void
x_print(void *user, const struct hlx *x, uint16_t coin, enum side side, px_t px,
    qty_t qty, uint64_t tid)
{
	(void)user;
	(void)x;
	(void)coin;
	(void)side;
	(void)px;
	(void)qty;
	(void)tid;
}

static inline void
x_book(void *user, const struct hlx *x, uint16_t coin)
{
	(void)user;
	(void)x;
	(void)coin;
}

static inline void
subscribed(const char *stream)
{
	char buf[200];
	int n = snprintf(buf, sizeof(buf),
	    "{\"channel\":\"subscriptionResponse\",\"data\":{\"method\":"
	    "\"subscribe\",\"subscription\":{\"type\":\"%s\"}}}",
	    stream);

	s.streams |= strcmp(stream, "userFills") == 0 ? 2 : 1;
	wire(WAY_WS_IN, buf, (size_t)n, (struct wire){0});
}

/* The venue's /info meta is market data's; a small one here. */
static const char meta[] = "{\"universe\":[{\"szDecimals\":5,\"name\":"
			   "\"BTC\",\"maxLeverage\":40}],\"marginTables\":[]}";

static inline void
arrive_ws(struct wire *w)
{
	struct text t;

	if (w->conn != s.conn || !s.up)
		return; /* died with its socket */
	if (strstr(w->body, "\"orderUpdates\"") != NULL)
		subscribed("orderUpdates");
	else if (strstr(w->body, "\"userFills\"") != NULL)
		subscribed("userFills");
	else if (strstr(w->body, "\"ping\"") != NULL)
		wire(WAY_WS_IN, "{\"channel\":\"pong\"}", 18, (struct wire){0});
	else {
		text_init(&t, s.answer, ANSWER);
		assert_true(hl_desk_post(s.desk, w->body, w->n, s.now, &t));
		if (!fault(60))
			wire(WAY_WS_IN, s.answer, t.n, (struct wire){0});
	}
}

static inline void
arrive_http(struct wire *w)
{
	struct text t;
	unsigned status;

	text_init(&t, s.answer, ANSWER);
	if (fault(60)) { /* the CDN has a bad day; was it delivered? */
		if (rnd(2) == 0 && !w->is_info)
			(void)hl_desk_exchange(
			    s.desk, w->body, w->n, s.now, &t);
		wire(WAY_HTTP_IN, "<html>", 6,
		    (struct wire){
			.tag = w->tag, .status = rnd(2) == 0 ? 502 : 0});
		return;
	}
	if (strstr(w->body, "\"meta\"") != NULL) {
		wire(WAY_HTTP_IN, meta, sizeof(meta) - 1,
		    (struct wire){.tag = w->tag, .status = 200});
		return;
	}
	status = w->is_info
		     ? hl_desk_info(s.desk, w->body, w->n, s.now, &t)
		     : hl_desk_exchange(s.desk, w->body, w->n, s.now, &t);
	assert_int_equal(status, 200);
	wire(WAY_HTTP_IN, s.answer, t.n,
	    (struct wire){.tag = w->tag, .status = 200});
}

static inline void
deliver(struct wire *w)
{
	struct gwhl_answer a = {w->tag, w->status, w->body, w->n};
	struct gwhl_now t = now();

	switch (w->way) {
	case WAY_WS_OUT: arrive_ws(w); break;
	case WAY_HTTP_OUT: arrive_http(w); break;
	case WAY_WS_IN:
		if (w->conn == s.conn && s.up)
			gwhl_text(s.g, w->body, w->n, &t);
		break;
	case WAY_HTTP_IN: gwhl_answer(s.g, &a, &t); break;
	}
	free(w->body);
}

#endif

/*
 * roll_venue.h - what the venue of roll.h answers: metadata, subscriptions,
 * books.
 */
#ifndef TESTS_SIM_ROLL_VENUE_H
#define TESTS_SIM_ROLL_VENUE_H

#include "tests/sim/roll.h"

/* The market object as it is now. */
static inline size_t
roll_market(const struct roll *r, uint32_t k, const struct roll_window *w,
    char *buf, size_t cap)
{
	int64_t now_s = roll_venue_s(r);
	bool closed = now_s >= w->closed_s;
	bool up = roll_truth(r, k, w) == OUTCOME_YES;
	char slug[PM_SLUG_SZ];
	char from[24];
	char to[24];
	char yes[40];
	char no[40];
	char cond[72];
	char tokens[128] = "";
	char stream[64];

	snprintf(stream, sizeof(stream), "data.chain.link/streams/%s-usd",
	    r->series[k].asset);
	roll_slug(r, k, w->start_s, slug, sizeof(slug));
	roll_time(w->start_s, from);
	roll_time(w->start_s + r->series[k].len_s, to);
	roll_token(k, w, 0, yes);
	roll_token(k, w, 1, no);
	roll_cond(k, w, cond);
	if (now_s >= w->tokens_s)
		snprintf(tokens, sizeof(tokens),
		    "\"clobTokenIds\":\"[\\\"%s\\\",\\\"%s\\\"]\",", no, yes);
	return (size_t)snprintf(buf, cap,
	    "{\"conditionId\":\"%s\",\"slug\":\"%s\","
	    "\"outcomes\":\"[\\\"Down\\\",\\\"Up\\\"]\",%s"
	    "\"resolutionSource\":\"https://%s\",\"description\":\"Up if "
	    "the %s is greater than or equal to the other (%s).\","
	    "\"orderMinSize\":5,"
	    "\"orderPriceMinTickSize\":0.01,\"acceptingOrders\":%s,"
	    "\"enableOrderBook\":true,\"active\":true,\"closed\":%s,"
	    "\"outcomePrices\":\"[\\\"%s\\\",\\\"%s\\\"]\","
	    "\"eventStartTime\":\"%s\",\"endDate\":\"%s\"}",
	    cond, slug, tokens,
	    r->series[k].is_hourly ? "www.binance.com/en/trade" : stream,
	    r->series[k].is_hourly	? "close of the candle"
	    : w->start_s >= ROLL_TWAP_S ? "time-weighted average"
					: "price",
	    r->series[k].is_hourly ? "Binance" : "Chainlink",
	    closed ? "false" : "true", closed ? "true" : "false",
	    !closed ? "0.5"
	    : up    ? "0"
		    : "1",
	    !closed ? "0.5"
	    : up    ? "1"
		    : "0",
	    from, to);
}

static inline void
roll_event(const struct roll *r, uint32_t k, const struct roll_window *w,
    char *buf, size_t cap)
{
	int64_t now_s = roll_venue_s(r);
	int64_t strike = roll_strike(r, k, w);
	int64_t final = roll_close(r, k, w);
	char meta[128] = "";
	char slug[PM_SLUG_SZ];
	size_t n;

	if (now_s >= w->official_s)
		snprintf(meta, sizeof(meta),
		    "\"eventMetadata\":{\"priceToBeat\":%lld.%02lld",
		    (long long)strike / 100, (long long)strike % 100);
	if (now_s >= w->official_s && now_s >= w->closed_s)
		snprintf(meta + strlen(meta), sizeof(meta) - strlen(meta),
		    ",\"finalPrice\":\"%lld.%02lld\"", (long long) final / 100,
		    (long long) final % 100);
	if (meta[0] != '\0')
		snprintf(
		    meta + strlen(meta), sizeof(meta) - strlen(meta), "},");
	roll_slug(r, k, w->start_s, slug, sizeof(slug));
	n = (size_t)snprintf(buf, cap,
	    "{\"id\":\"1\",\"slug\":\"%s\",%s\"markets\":[", slug, meta);
	n += roll_market(r, k, w, buf + n, cap - n);
	snprintf(buf + n, cap - n, "]}");
}

static inline struct roll_window *
roll_by_slug(struct roll *r, const char *slug, uint32_t *series)
{
	int64_t now_s = roll_venue_s(r);

	for (uint32_t k = 0; k < r->series_n; k++)
		for (uint32_t i = 0; i < r->win_n[k]; i++) {
			struct roll_window *w = &r->win[k][i];
			char own[PM_SLUG_SZ];

			if (w->start_s > now_s + 86400 ||
			    w->start_s < now_s - 86400)
				continue;
			roll_slug(r, k, w->start_s, own, sizeof(own));
			*series = k;
			if (strcmp(own, slug) == 0)
				return w;
		}
	return NULL;
}

static inline struct roll_pending *
roll_later(struct roll *r, enum feed_ev kind, uint8_t conn, uint32_t ms)
{
	for (uint32_t i = 0; i < ROLL_PENDING; i++) {
		struct roll_pending *p = &r->pending[i];

		if (p->kind != 0)
			continue;
		memset(p, 0, sizeof(*p));
		p->kind = kind;
		p->conn = conn;
		p->at_ns = r->now_ns + (uint64_t)ms * 1000000;
		return p;
	}
	fail_msg("more than %u things at a time", ROLL_PENDING);
	return NULL;
}

/* The listing: what is listed, not closed and near. */
static inline void
roll_list(struct roll *r, char *buf, size_t cap)
{
	int64_t now_s = roll_venue_s(r);
	size_t n = (size_t)snprintf(buf, cap, "{\"markets\":[");
	bool any = false;

	for (uint32_t k = 0; k < r->series_n; k++)
		for (uint32_t i = 0; i < r->win_n[k]; i++) {
			const struct roll_window *w = &r->win[k][i];

			if (now_s < w->listed_s || now_s >= w->closed_s ||
			    w->start_s > now_s + 3600 || n + 1024 > cap)
				continue;
			n += (size_t)snprintf(
			    buf + n, cap - n, "%s", any ? "," : "");
			n += roll_market(r, k, w, buf + n, cap - n);
			any = true;
		}
	snprintf(buf + n, cap - n, "]}");
}

static inline void
roll_get(struct roll *r, const struct feed_act *a)
{
	struct roll_pending *p = roll_later(r, FEED_EV_HTTP, 0, 80);
	const char *slug = strstr(a->url, "/slug/");
	struct roll_window *w;
	uint32_t k;

	p->tag = a->tag;
	p->code = 404;
	if (strstr(a->url, "/book?") != NULL)
		return;
	r->gets_n++;
	r->minute_n++;
	p->body = calloc(1, ROLL_BODY * 4);
	if (roll_hit(r, r->faults.http)) {
		static const uint16_t codes[] = {500, 502, 503, 429, 0};

		p->code = codes[roll_dice(r, 5)];
		p->retry_after_s = p->code == 429 ? 5 : 0;
		r->errors++;
		return;
	}
	if (strstr(a->url, "/time") != NULL) {
		p->code = 200;
		snprintf(
		    p->body, ROLL_BODY, "%lld", (long long)roll_venue_s(r));
	} else if (slug != NULL) {
		w = roll_by_slug(r, slug + 6, &k);
		if (w == NULL || roll_venue_s(r) < w->listed_s)
			return;
		p->code = 200;
		if (strstr(a->url, "/events/") != NULL)
			roll_event(r, k, w, p->body, ROLL_BODY);
		else
			roll_market(r, k, w, p->body, ROLL_BODY);
	} else if (strstr(a->url, "/keyset") != NULL) {
		p->code = 200;
		roll_list(r, p->body, ROLL_BODY * 4);
	}
}

/* The book of one token, the same for both. */
static inline void
roll_book(struct roll *r, uint32_t k, const struct roll_window *w, int no,
    uint8_t conn, uint32_t ms)
{
	struct roll_pending *p = roll_later(r, FEED_EV_FRAME, conn, ms);
	char token[40];
	char cond[72];

	roll_token(k, w, no, token);
	roll_cond(k, w, cond);
	p->body = malloc(512);
	snprintf(p->body, 512,
	    "{\"event_type\":\"book\",\"market\":\"%s\",\"asset_id\":\"%s\","
	    "\"timestamp\":\"%lld\",\"bids\":[{\"price\":\"0.49\","
	    "\"size\":\"10\"}],\"asks\":[{\"price\":\"0.51\",\"size\":\"10\"}],"
	    "\"tick_size\":\"0.01\"}",
	    cond, token,
	    (long long)((r->wall0_ns + (int64_t)r->now_ns) / NS_PER_MS +
			ROLL_OFF_S * 1000));
}

/* Subscriptions as they stand on the wire. */
static inline void
roll_send(struct roll *r, const struct feed_act *a)
{
	bool off = a->n > 40 && strstr(a->text, "\"unsubscribe\"") != NULL;
	const char *at = a->text;

	if (a->n == 4 && memcmp(a->text, "PING", 4) == 0) {
		if (!r->is_price[a->conn])
			roll_later(r, FEED_EV_FRAME, a->conn, 20)->body =
			    strdup("PONG");
		return;
	}
	if (r->is_price[a->conn])
		return;
	while ((at = strstr(at, "\"7000000000")) != NULL) {
		struct roll_window *w = roll_by_token(r, ++at);
		uint32_t k = (uint32_t)(at[10] - '0');

		assert_non_null(w);
		if (off)
			w->subs &= ~(1u << a->conn);
		else
			w->subs |= 1u << a->conn;
		if (!off)
			roll_book(r, k, w, at[22] == '2', a->conn, 30);
	}
}

static inline void
roll_forget_conn(struct roll *r, uint8_t conn)
{
	r->live[conn] = false;
	for (uint32_t k = 0; k < r->series_n; k++)
		for (uint32_t i = 0; i < r->win_n[k]; i++)
			r->win[k][i].subs &= ~(1u << conn);
	for (uint32_t i = 0; i < ROLL_PENDING; i++) {
		struct roll_pending *p = &r->pending[i];

		if (p->kind == 0 || p->kind == FEED_EV_HTTP || p->conn != conn)
			continue;
		p->kind = (enum feed_ev)0;
		free(p->body);
	}
}

static inline void
roll_act(void *user, const struct feed_act *a)
{
	struct roll *r = user;

	switch (a->what) {
	case FEED_OPEN:
		r->is_price[a->conn] = strstr(a->url, "rtds") != NULL;
		roll_later(r, FEED_EV_UP, a->conn, 40);
		return;
	case FEED_CLOSE:
		roll_forget_conn(r, a->conn);
		roll_later(r, FEED_EV_DOWN, a->conn, 1);
		return;
	case FEED_SEND: roll_send(r, a); return;
	case FEED_PING: roll_later(r, FEED_EV_PONG, a->conn, 20); return;
	case FEED_GET: roll_get(r, a); return;
	case FEED_LOG:
	case FEED_DO_N: return;
	}
}

#endif

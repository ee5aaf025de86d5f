#define _GNU_SOURCE
#include "feedd/feed_io.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "feedd/feed.h"
#include "feedd/feed_log_io.h"
#include "feedd/link.h"
#include "feedd/pm_login.h"
#include "feedd/resthold.h"
#include "feedd/rows_io.h"
#include "feedd/sbe_key_io.h"
#include "feedd/skew.h"
#include "libcore/check.h"
#include "libsys/clock.h"
#include "libsys/http.h"
#include "libsys/keyfile.h"
#include "libsys/log.h"
#include "libsys/net.h"
#include "libsys/ws.h"

#define CALLS_N	      64u
#define CALL_URL_SZ   192u
#define HTTP_LIMIT_MS 5000u
#define STOP_LIMIT_NS UINT64_C(1500000000)
/* Looks at the venue's clock (skew.h): three of them prove something well
 * within risk.clock_settle; after the first minute one is enough. */
#define CLOCK_FIRST_NS UINT64_C(2000000000)
#define CLOCK_EVERY_NS UINT64_C(60000000000)
#define CLOCK_START_NS UINT64_C(15000000000) /* in the first minute */

struct call {
	bool used;
	bool failed; /* could not be made: answered in housekeeping */
	bool held;   /* ... for the venue wants none now */
	uint32_t tag;
	char url[CALL_URL_SZ]; /* its beginning, for the log */
};

struct conn {
	uint8_t no;
	bool failed;	 /* could not be opened: told in housekeeping */
	enum reason why; /* we close it; or why it could not be opened */
	struct ws_client *ws;
	char text[256]; /* more of why it could not be opened, or "" */
	char host[LINK_NAME_SZ];
	char url[FEED_URL_MAX];
};

struct shell {
	struct stage *stage;
	struct feed *feed;
	size_t feed_sz;
	struct feed_sink sink;
	struct tls_ctx *tls;	  /* feed.transport: mbedtls ... */
	struct curltls_ctx *curl; /* ... or curl */
	struct http_client *http;
	struct conn conn[FEED_CONN_N];
	struct call call[CALLS_N];
	struct feed_stats told; /* as last added to the metrics */
	uint64_t told_reconnects;
	struct rows rows;
	uint64_t clock_ns; /* next look at the venue's clock */
	uint64_t start_ns;
	struct resthold hold; /* of requests */
	bool asks_clock;      /* one is under way */
	bool told_skew;	      /* over risk.clock_skew_max */
	enum reason refusal;  /* of the answer at hand, for the log; asked: */
	const char *asked;    /* what it answers */
	bool has_stamp;	      /* stage->now_ns is of this step */
	int replay_to;	      /* ring that asked for a resync, -1 none */
	char sbe_header[SBE_HEADER_SZ]; /* for binance.sbe_url alone */
};

static struct shell shell;

static const char *const json_headers[] = {"Accept: application/json", NULL};
static const char *const post_headers[] = {
    "Accept: application/json", "Content-Type: application/json", NULL};

static void
run(struct feed_event *ev)
{
	struct stage *s = shell.stage;

	if (ev->now_ns == 0)
		ev->now_ns = s->now_ns;
	ev->wall_ns = (int64_t)ev->now_ns + s->wall_off_ns;
	if (ev->kind == FEED_EV_DOWN)
		ev->random = net_random();
	shell.has_stamp = false;
	feed_step(shell.feed, ev);
	rows_step(&shell.rows, feed_stats(shell.feed), ev->conn);
	s->wake_ns = feed_wake(shell.feed);
}

static void
put_tick(void *user, struct tick *t)
{
	struct stage *s = shell.stage;

	(void)user;
	if (!shell.has_stamp) {
		s->now_ns = clock_mono_ns();
		shell.has_stamp = true;
	}
	if (shell.replay_to >= 0)
		stage_emit(s, (enum ring_id)shell.replay_to, t);
	else
		stage_emit_md(s, t);
}

static void
put_instr(void *user, uint16_t idx, const struct instr *in)
{
	(void)user;
	instr_write(shell.stage->instr, idx, in);
}

static void
on_open(void *user)
{
	const struct conn *c = user;
	struct feed_event ev = {.kind = FEED_EV_UP, .conn = c->no};

	ev.now_ns = clock_mono_ns();
	run(&ev);
}

static void
on_message(void *user, const struct ws_message *m)
{
	const struct conn *c = user;
	struct feed_event ev = {.kind = FEED_EV_FRAME, .conn = c->no};
	uint64_t end_ns;

	if (m->kind == WS_PING)
		return;
	if (m->kind == WS_PONG)
		ev.kind = FEED_EV_PONG;
	ev.now_ns = m->recv_ns;
	ev.is_binary = m->kind == WS_BINARY;
	ev.data = (const char *)m->data;
	ev.n = m->n;
	run(&ev);
	end_ns = clock_mono_ns();
	if (ev.kind == FEED_EV_FRAME && end_ns > m->recv_ns)
		metrics_observe(shell.stage->metrics, M_FEEDD_DECODE_NS,
		    end_ns - m->recv_ns);
}

static void
tell_down(const struct conn *c, unsigned code, const char *text,
    const struct ws_ended *ended)
{
	struct feed_event ev = {.kind = FEED_EV_DOWN, .conn = c->no};

	ev.code = code > UINT16_MAX ? 0 : (uint16_t)code;
	ev.data = text;
	ev.n = strlen(text);
	ev.now_ns = clock_mono_ns();
	ev.reason = ended->reason;
	ev.retry_after_s = ended->retry_after_s;
	ev.date_ns = ended->date_ns;
	if (ev.reason != REASON_NONE)
		metrics_reason(shell.stage->metrics, ev.reason, 1);
	rows_end(&shell.rows, c->no, ev.reason, ev.now_ns);
	run(&ev);
}

static void
on_close(void *user, enum ws_end end, unsigned code, const char *text)
{
	const struct conn *c = user;
	struct ws_ended ended = *ws_client_ended(c->ws);

	/* Closed by us: the core said why. */
	if (end == WS_END_LOCAL) {
		ended.reason = c->why;
		text = "closed by us";
	}
	tell_down(c, code, text, &ended);
}

static const char *
ca_file(void)
{
	const char *ca = shell.stage->cfg.tls_ca_file.s;

	return ca[0] == '\0' ? NULL : ca;
}

static bool
need_tls(const char *url, char *err, size_t err_sz)
{
	if (strncmp(url, "wss:", 4) != 0 || shell.tls != NULL ||
	    shell.curl != NULL)
		return true;
	if (shell.stage->cfg.feed_transport == CFG_TRANSPORT_CURL)
		shell.curl = curltls_create(ca_file(), err, err_sz);
	else
		shell.tls = tls_client_create(ca_file(), err, err_sz);
	return shell.tls != NULL || shell.curl != NULL;
}

/* The key goes to the server that it is for, and to no other. */
static const char *
headers_for(const char *url)
{
	const char *sbe = shell.stage->cfg.binance_sbe_url.s;
	size_t n = strlen(sbe);

	if (n == 0 || shell.sbe_header[0] == '\0' || strncmp(url, sbe, n) != 0)
		return NULL;
	return url[n] == '/' ? shell.sbe_header : NULL;
}

static int
make_client(struct conn *c, const char *url)
{
	const struct cfg *cfg = &shell.stage->cfg;
	struct ws_client_cfg want = {.loop = &shell.stage->loop};
	struct net_url parts;
	int err = 0;

	if (c->ws != NULL)
		ws_client_destroy(c->ws);
	c->ws = NULL;
	if (net_url_parse(url, &parts) == 0)
		(void)snprintf(c->host, sizeof(c->host), "%.57s:%u", parts.host,
		    (unsigned)parts.port);
	memcpy(c->url, url, strnlen(url, sizeof(c->url) - 1) + 1);
	c->why = REASON_CA_FILE;
	if (!need_tls(url, c->text, sizeof(c->text)))
		return -1;
	c->why = REASON_REFUSED;
	(void)snprintf(c->text, sizeof(c->text), "not started");
	want.url = c->url;
	want.headers = headers_for(url);
	want.tls = shell.tls;
	want.curl = shell.curl;
	want.open_timeout_ms =
	    (uint64_t)(cfg->feed_connect_timeout.ns / NS_PER_MS);
	want.msg_max = (size_t)cfg->feed_max_frame_bytes;
	want.events.on_open = on_open;
	want.events.on_message = on_message;
	want.events.on_close = on_close;
	want.user = c;
	c->ws = ws_client_create(&want, &err);
	return c->ws == NULL ? err : 0;
}

static void
open_conn(const struct feed_act *a)
{
	struct conn *c = &shell.conn[a->conn];

	c->no = a->conn;
	if (c->ws == NULL || strcmp(c->url, a->url) != 0)
		c->failed = make_client(c, a->url) < 0;
	if (c->failed)
		return;
	c->why = REASON_REFUSED;
	c->failed = ws_client_connect(c->ws) < 0;
	if (!c->failed)
		c->why = REASON_NONE;
}

static void
tell_answer(uint32_t tag, const struct http_result *r)
{
	struct feed_event ev = {.kind = FEED_EV_HTTP, .tag = tag};

	ev.code = r->error == NULL ? (uint16_t)r->status : 0;
	ev.data = r->body;
	ev.n = r->error == NULL ? r->body_n : 0;
	ev.now_ns = clock_mono_ns();
	ev.reason = r->reason;
	ev.retry_after_s = r->retry_after_s;
	ev.date_ns = r->date_ns;
	ev.sent_ns = r->sent_ns;
	/* What does not exist (yet) is an answer, not a failure; and nobody
	 * misses what the look at the clock asks for. */
	if (r->reason != REASON_NONE && r->status != 404 &&
	    tag != FEED_TAG_TIME)
		metrics_reason(shell.stage->metrics, r->reason, 1);
	shell.refusal = r->reason;
	run(&ev);
	shell.refusal = REASON_NONE;
}

static void
take_hold(const struct http_result *r)
{
	const struct stage *s = shell.stage;
	struct resthold_answer a = {.now_ns = clock_mono_ns(),
	    .status = r->status,
	    .retry_after_s = r->retry_after_s,
	    .used_weight = r->used_weight};

	a.wall_ns = (int64_t)a.now_ns + s->wall_off_ns;
	resthold_take(&shell.hold, &a);
}

static void
on_answer(void *user, const struct http_result *r)
{
	struct call *call = user;

	take_hold(r);
	call->used = false;
	shell.asked = call->url;
	tell_answer(call->tag, r);
	shell.asked = NULL;
}

static void
on_clock(void *user, const struct http_result *r)
{
	(void)user;
	shell.asks_clock = false;
	take_hold(r);
	if (r->date_ns != 0)
		tell_answer(FEED_TAG_TIME, r);
}

/* Whatever it answers has a Date, and at best the venue's exact time. */
static void
ask_clock(const struct stage *s)
{
	const struct cfg *cfg = &s->cfg;
	enum venue v = (enum venue)topo_stages[s->id].venue;
	char url[256];
	struct http_call what = {
	    .url = url, .headers = json_headers, .timeout_ms = HTTP_LIMIT_MS};
	bool is_start = s->now_ns < shell.start_ns + CLOCK_EVERY_NS;

	if (shell.asks_clock || s->stop_ns != 0 || s->now_ns < shell.clock_ns ||
	    resthold_left_s(&shell.hold, s->now_ns) > 0)
		return;
	shell.clock_ns =
	    s->now_ns + (is_start ? CLOCK_START_NS : CLOCK_EVERY_NS);
	(void)snprintf(url, sizeof(url), "%s%s",
	    v == VENUE_POLYMARKET ? cfg->polymarket_rest_url.s
	    : v == VENUE_BINANCE  ? cfg->binance_rest_url.s
				  : cfg->hyperliquid_rest_url.s,
	    v == VENUE_POLYMARKET ? "/time"
	    : v == VENUE_BINANCE  ? "/api/v3/time"
				  : "/");
	shell.asks_clock =
	    http_client_call(shell.http, &what, on_clock, NULL) == 0;
}

static void
get(const struct feed_act *a)
{
	struct http_call what = {.url = a->url,
	    .headers = json_headers,
	    .timeout_ms = HTTP_LIMIT_MS};
	struct call *call = NULL;

	for (uint32_t i = 0; i < CALLS_N && call == NULL; i++)
		if (!shell.call[i].used)
			call = &shell.call[i];
	CHECK(call != NULL);
	if (a->text != NULL) {
		what.method = "POST";
		what.headers = post_headers;
		what.body = a->text;
		what.body_n = a->n;
	}
	call->used = true;
	call->tag = a->tag;
	(void)snprintf(call->url, sizeof(call->url), "%s", a->url);
	call->held = resthold_left_s(&shell.hold, shell.stage->now_ns) > 0;
	call->failed = call->held ||
		       http_client_call(shell.http, &what, on_answer, call) < 0;
}

static void
log_act(const struct feed_act *a)
{
	struct feed_act copy = *a;

	/* The core tells what of the answer it could not use, not why. */
	if (a->log == FEED_LOG_DISCOVERY && a->reason == REASON_NONE)
		copy.reason = shell.refusal;
	feed_log_write(shell.stage, &copy,
	    a->log == FEED_LOG_DISCOVERY && shell.asked != NULL
		? shell.asked
		: shell.conn[a->conn].url);
}

static void
act(void *user, const struct feed_act *a)
{
	struct ws_client *ws = shell.conn[a->conn].ws;

	(void)user;
	switch (a->what) {
	case FEED_OPEN: open_conn(a); return;
	case FEED_CLOSE:
		shell.conn[a->conn].why = a->reason;
		if (ws != NULL)
			ws_client_close(ws, 1000, "");
		return;
	case FEED_SEND:
		if (ws != NULL)
			ws_send_text(ws, a->text, a->n);
		return;
	case FEED_PING:
		if (ws != NULL)
			ws_send_ping(ws, "", 0);
		return;
	case FEED_GET: get(a); return;
	case FEED_LOG: log_act(a); return;
	case FEED_DO_N: break;
	}
	CHECK(a->what != FEED_DO_N);
}

/* What could not even be started is told from here, not from inside the
 * step that asked for it. */
static void
tell_failures(void)
{
	for (uint32_t i = 0; i < FEED_CONN_N; i++) {
		struct conn *c = &shell.conn[i];

		if (!c->failed)
			continue;
		c->failed = false;
		tell_down(c, 0, c->text, &(struct ws_ended){.reason = c->why});
	}
	for (uint32_t i = 0; i < CALLS_N; i++) {
		struct feed_event ev = {
		    .kind = FEED_EV_HTTP, .tag = shell.call[i].tag};

		if (!shell.call[i].used || !shell.call[i].failed)
			continue;
		shell.call[i].used = false;
		shell.asked = shell.call[i].url;
		if (shell.call[i].held) {
			ev.reason = REASON_HTTP_REFUSED;
			ev.retry_after_s =
			    resthold_left_s(&shell.hold, shell.stage->now_ns);
		}
		run(&ev);
		shell.asked = NULL;
	}
}

/* The core parses it again; here a person is told what is wrong. */
static bool
read_login(const struct stage *s, char text[PM_LOGIN_TEXT_SZ], size_t *n)
{
	const char *path = s->cfg.polymarket_polybolt_key_file.s;
	struct pm_login l;
	char why[KEYFILE_WHY_SZ];
	bool ok = keyfile_read(path, text, PM_LOGIN_TEXT_SZ, n, why) == 0;

	if (ok && !pm_login_parse(&l, text, *n)) {
		ok = false;
		(void)snprintf(why, sizeof(why),
		    "%.200s: is no JSON object with apiKey, secret and "
		    "passphrase; put it there as it was given to you",
		    path);
	}
	explicit_bzero(&l, sizeof(l));
	if (!ok)
		LOG(LOG_STAGE_FAILED, F_STR("what", why),
		    F_STR("key", "polymarket.polybolt_key_file"));
	return ok;
}

static bool
needs_login(const struct stage *s, enum venue venue)
{
	const struct cfg *c = &s->cfg;

	return venue == VENUE_POLYMARKET && c->polymarket_enabled &&
	       c->polymarket_rtds_symbols.n > 0 &&
	       c->polymarket_price_stream == CFG_PRICE_STREAM_POLYBOLT;
}

static bool
read_key(const struct stage *s, enum venue venue)
{
	const char *path = s->cfg.binance_sbe_key_file.s;
	char why[KEYFILE_WHY_SZ];

	if (venue != VENUE_BINANCE || s->cfg.binance_sbe_url.s[0] == '\0' ||
	    path[0] == '\0')
		return true;
	if (sbe_key_read(path, shell.sbe_header, why))
		return true;
	LOG(LOG_STAGE_FAILED, F_STR("what", why),
	    F_STR("key", "binance.sbe_key_file"));
	return false;
}

/* What the life before has left in the table. */
static void
recall(void)
{
	struct instr in;

	for (uint16_t i = 1; i < INSTR_N; i++)
		if (instr_read(shell.stage->instr, i, &in))
			feed_recall(shell.feed, i, &in);
}

static int
feed_io_open(struct stage *s)
{
	enum venue venue = (enum venue)topo_stages[s->id].venue;
	struct http_client_cfg http = {.loop = &s->loop};
	struct feed_event ev = {.kind = FEED_EV_START};
	char login[PM_LOGIN_TEXT_SZ] = "";

	/* A person's mistake: before anything is held that must be freed. */
	if (!read_key(s, venue) ||
	    (needs_login(s, venue) && !read_login(s, login, &ev.n)))
		return EXIT_PERMANENT;
	shell.stage = s;
	shell.replay_to = -1;
	shell.feed_sz = feed_sz(venue);
	shell.feed = mmap(NULL, shell.feed_sz, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	http.ca_path = ca_file();
	http.calls_max = CALLS_N;
	shell.http = http_client_create(&http);
	if (shell.feed == MAP_FAILED || shell.http == NULL) {
		LOG(LOG_STAGE_FAILED, F_STR("what", "no memory"));
		return EXIT_TEMPORARY;
	}
	ev.data = login;
	shell.sink = (struct feed_sink){NULL, put_tick, put_instr, act};
	shell.clock_ns = s->now_ns + CLOCK_FIRST_NS;
	shell.start_ns = s->now_ns;
	feed_init(shell.feed, venue, &s->cfg, s->epoch, &shell.sink);
	recall();
	run(&ev);
	explicit_bzero(login, sizeof(login));
	return 0;
}

static void
feed_io_step(struct stage *s, const struct event *in)
{
	struct feed_event ev = {.now_ns = in->now_ns};

	(void)s;
	switch (in->kind) {
	case EV_TIMER: ev.kind = FEED_EV_TIMER; break;
	case EV_CFG:
		ev.kind = FEED_EV_CFG;
		ev.cfg = in->cfg;
		break;
	case EV_STOP: ev.kind = FEED_EV_STOP; break;
	case EV_SLOT:
	case EVENT_KIND_N: return; /* feeds have no input rings */
	}
	run(&ev);
}

static void
feed_io_resync(struct stage *s, enum ring_id ring)
{
	struct feed_event ev = {.kind = FEED_EV_RESYNC};

	(void)s;
	ev.content = (enum ring_content)topo_rings[ring].content;
	shell.replay_to = (int)ring;
	run(&ev);
	shell.replay_to = -1;
}

static bool
feed_io_ready(struct stage *s)
{
	(void)s;
	return feed_is_ready(shell.feed);
}

static void
tell_links(struct metrics *m, uint64_t now_ns)
{
	const struct link *l;
	struct tick_link worst = {0};
	uint64_t reconnects = 0;

	for (uint8_t i = 0; (l = feed_link(shell.feed, i)) != NULL; i++) {
		struct tick_link now;

		link_report(l, now_ns, &now);
		reconnects += now.reconnects;
		if (i == 0 || (l->wanted && now.rtt_us > worst.rtt_us)) {
			worst.rtt_us = now.rtt_us;
			worst.rtt_ema_us = now.rtt_ema_us;
			worst.age_us = now.age_us;
			worst.quiet_ms = now.quiet_ms;
		}
	}
	metrics_set(m, M_FEEDD_RTT_US, worst.rtt_us);
	metrics_set(m, M_FEEDD_RTT_EMA_US, worst.rtt_ema_us);
	metrics_set(m, M_FEEDD_AGE_US, worst.age_us);
	metrics_set(m, M_FEEDD_QUIET_MS, worst.quiet_ms);
	metrics_set(m, M_FEEDD_LINK_STATE, feed_state(shell.feed));
	metrics_add(m, M_FEEDD_RECONNECTS, reconnects - shell.told_reconnects);
	shell.told_reconnects = reconnects;
}

static void
tell_rows(const struct stage *s)
{
	uint64_t since_ns;
	bool new_rates = rows_rates(&shell.rows, s->now_ns, &since_ns);

	for (uint8_t i = 0; i < FEED_CONN_N; i++) {
		const struct conn *c = &shell.conn[i];
		struct rows_conn row = {.conn = i, .host = c->host};

		if (c->ws != NULL)
			row.ws = ws_client_stats(c->ws);
		if (new_rates && row.ws != NULL)
			rows_traffic(&shell.rows, i, row.ws, since_ns);
		rows_publish(&shell.rows, s->metrics, shell.feed, &s->cfg, &row,
		    s->now_ns);
	}
}

static void
tell_skew(const struct stage *s)
{
	const struct skew *k = feed_skew(shell.feed);
	int64_t ns = skew_proven_ns(k);
	int64_t max_ns = s->cfg.risk_clock_skew_max.ns;
	bool now = ns > max_ns || ns < -max_ns;

	if (now == shell.told_skew)
		return;
	shell.told_skew = now;
	LOG(LOG_CLOCK_SKEW,
	    F_STR("venue", venue_name((enum venue)topo_stages[s->id].venue)),
	    F_I64("skew_ms", ns / NS_PER_MS),
	    F_I64("lo_ms", k->lo_ns / NS_PER_MS),
	    F_I64("hi_ms", k->hi_ns / NS_PER_MS),
	    F_STR("do", now ? "timedatectl and chronyc tracking: with one "
			      "venue alone it is that venue's clock"
			    : "nothing, they agree again"));
}

/* What was held against something else, and how it came out. */
static void
tell_checks(struct metrics *m, const struct feed_stats *now,
    const struct feed_stats *old)
{
	metrics_add(m, M_FEEDD_TOUCH_OK, now->touch_ok - old->touch_ok);
	metrics_add(m, M_FEEDD_TOUCH_BAD, now->touch_bad - old->touch_bad);
	metrics_add(m, M_FEEDD_MIRROR_OK, now->mirror_ok - old->mirror_ok);
	metrics_add(m, M_FEEDD_MIRROR_BAD, now->mirror_bad - old->mirror_bad);
	metrics_add(m, M_FEEDD_REST_OK, now->rest_ok - old->rest_ok);
	metrics_add(m, M_FEEDD_SNAPSHOTS, now->snapshots - old->snapshots);
}

static void
feed_io_housekeep(struct stage *s)
{
	const struct feed_stats *now = feed_stats(shell.feed);
	struct feed_stats *old = &shell.told;
	struct metrics *m = s->metrics;

	tell_failures();
	metrics_add(m, M_FEEDD_FRAMES, now->frames - old->frames);
	metrics_add(m, M_FEEDD_BYTES, now->bytes - old->bytes);
	metrics_add(m, M_FEEDD_TICKS, now->ticks - old->ticks);
	metrics_add(m, M_FEEDD_MALFORMED, now->malformed - old->malformed);
	metrics_add(m, M_FEEDD_HASH_OK, now->hash_ok - old->hash_ok);
	metrics_add(m, M_FEEDD_HASH_BAD, now->hash_bad - old->hash_bad);
	tell_checks(m, now, old);
	metrics_add(m, M_FEEDD_GAPS, now->gaps - old->gaps);
	metrics_add(m, M_FEEDD_LATE, now->late - old->late);
	metrics_add(m, M_FEEDD_DUPLICATES,
	    now->reason[REASON_SEQ_OLD] - old->reason[REASON_SEQ_OLD]);
	metrics_set(m, M_FEEDD_INSTRUMENTS, feed_instr_n(shell.feed));
	for (uint32_t r = 1; r < REASON_N; r++)
		if (now->reason[r] != old->reason[r])
			metrics_reason(
			    m, (enum reason)r, now->reason[r] - old->reason[r]);
	*old = *now;
	tell_links(m, s->now_ns);
	tell_rows(s);
	tell_skew(s);
	ask_clock(s);
}

static bool
feed_io_stop(struct stage *s)
{
	(void)s;
	for (uint32_t i = 0; i < FEED_CONN_N; i++)
		if (shell.conn[i].ws != NULL &&
		    ws_client_is_open(shell.conn[i].ws))
			return false;
	return true;
}

static int
feed_io_close(struct stage *s)
{
	(void)s;
	for (uint32_t i = 0; i < FEED_CONN_N; i++)
		if (shell.conn[i].ws != NULL)
			ws_client_destroy(shell.conn[i].ws);
	if (shell.http != NULL)
		http_client_destroy(shell.http);
	tls_destroy(shell.tls);
	curltls_destroy(shell.curl);
	return 0;
}

const struct stage_ops feed_io_ops = {
    .program = "feedd",
    .about = "Takes in the market data of one venue: connections, books,\n"
	     "references, link health.",
    .open = feed_io_open,
    .step = feed_io_step,
    .resync = feed_io_resync,
    .ready = feed_io_ready,
    .housekeep = feed_io_housekeep,
    .stop = feed_io_stop,
    .stop_limit_ns = STOP_LIMIT_NS,
    .close = feed_io_close,
};

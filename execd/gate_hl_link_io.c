#define _GNU_SOURCE
#include <string.h>

#include "execd/gate_hl_int.h"
#include "libcore/check.h"
#include "libsys/advice.h"
#include "libsys/clock.h"
#include "libsys/log.h"
#include "libsys/net.h"

/* A connection that lived this long was a good one. */
#define GOOD_NS	  UINT64_C(10000000000)
#define HEADERS	  "Content-Type: application/json\r\n"
#define QUERIES_N 2u
#define WARM	  "/"

struct gwhl_now
link_now(void)
{
	return (struct gwhl_now){clock_mono_ns(), (int64_t)clock_wall_ns()};
}

void
link_settle(struct gate_hl *g)
{
	if (!g->said)
		return;
	g->said = false;
	g->up->settle(g->up->user);
}

/* ---- the port's requests ---- */

/* Nothing of a placement may wait in a buffer: what leaves later has not been
 * looked at when it leaves. A frame of which a part is still here has not
 * been said; the venue will never see its end. */
enum reason
link_ws(void *user, const char *text, size_t n, bool places)
{
	struct gate_hl *g = user;
	int rc;

	if (!ws_client_is_open(g->ws))
		return REASON_PEER_CLOSED;
	if (places && (g->must_drop || ws_client_queued(g->ws) > 0))
		return REASON_BACKPRESSURE;
	if (places && !g->up->may_place(g->up->user))
		return REASON_FROZEN;
	g->port->wrote_ns = clock_mono_ns();
	rc = ws_send_text(g->ws, text, n);
	if (rc < 0)
		return REASON_BACKPRESSURE;
	if (places && ws_client_queued(g->ws) > 0) {
		g->must_drop = true;
		return REASON_BACKPRESSURE;
	}
	return REASON_OK;
}

void
link_drop(void *user)
{
	struct gate_hl *g = user;

	g->must_drop = true;
}

void
link_http(void *user, const struct gwhl_http *h)
{
	struct gate_hl *g = user;
	bool is_info = strcmp(h->path, "/info") == 0;
	struct pool_call c = {.tag = h->tag,
	    .role = is_info	   ? POOL_QUERIES
		    : h->is_urgent ? POOL_CANCELS
				   : POOL_BEATS,
	    .method = "POST",
	    .target = h->path,
	    .headers = HEADERS,
	    .body = h->body,
	    .body_n = h->body_n,
	    .timeout_ns = h->timeout_ns,
	    .is_once = !is_info};

	if (pool_call(g->pool, &c) == 0)
		return;
	CHECK(g->lost_n < GWHL_CALLS);
	g->lost[g->lost_n++] = h->tag;
}

static void
on_answer(void *user, const struct pool_answer *a)
{
	struct gate_hl *g = user;
	struct gwhl_now now = link_now();
	struct gwhl_answer answer = {a->tag, a->status, a->body, a->n};

	if (g->is_closing)
		return;
	if (a->status == 0)
		LOG(LOG_VENUE_ANSWER, F_STR("what", "none over HTTP"),
		    F_STR("code", a->error), F_STR("sample", ""));
	gwhl_answer(g->port, &answer, &now);
	link_after(g);
	link_settle(g);
}

/* ---- the socket ---- */

static void
go_down(struct gate_hl *g)
{
	struct gwhl_now now = link_now();

	if (!g->is_up)
		return;
	g->is_up = false;
	gwhl_down(g->port, &now);
}

void
link_after(struct gate_hl *g)
{
	uint32_t n = g->lost_n;
	uint64_t lost[GWHL_CALLS];

	memcpy(lost, g->lost, n * sizeof(lost[0]));
	g->lost_n = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct gwhl_now now = link_now();
		struct gwhl_answer none = {.tag = lost[i], .body = ""};

		gwhl_answer(g->port, &none, &now);
	}
	if (!g->must_drop)
		return;
	g->must_drop = false;
	ws_client_drop(g->ws); /* on_close comes before it returns */
}

static void
on_open(void *user)
{
	struct gate_hl *g = user;
	struct gwhl_now now = link_now();

	LOG(LOG_CONNECTED, F_STR("url", g->s->cfg.hyperliquid_ws_url.s),
	    F_U64("connect_us", (now.ns - g->began_ns) / 1000));
	g->began_ns = now.ns;
	g->is_up = true;
	gwhl_up(g->port, &now);
	link_after(g);
	link_settle(g);
}

static void
on_message(void *user, const struct ws_message *m)
{
	struct gate_hl *g = user;
	struct gwhl_now now = link_now();

	if (m->kind != WS_TEXT)
		return;
	gwhl_text(g->port, (const char *)m->data, m->n, &now);
	link_after(g);
	link_settle(g);
}

static void
on_close(void *user, enum ws_end end, unsigned code, const char *text)
{
	struct gate_hl *g = user;
	enum reason why = ws_client_ended(g->ws)->reason;
	uint64_t now_ns = clock_mono_ns();
	uint64_t wait_ms;

	(void)end;
	if (g->is_up && now_ns - g->began_ns >= GOOD_NS)
		g->attempt = 0;
	g->attempt++;
	wait_ms = net_backoff_ms(g->attempt, net_random());
	g->connect_ns = now_ns + wait_ms * (uint64_t)NS_PER_MS;
	g->reconnects += g->is_up;
	LOG(g->is_up ? LOG_DISCONNECTED : LOG_CONNECT_FAILED,
	    F_STR("url", g->s->cfg.hyperliquid_ws_url.s),
	    F_STR("reason", reason_name(why)), F_STR("why", reason_text(why)),
	    F_STR("what", text), F_U64("code", code),
	    F_U64("retry_ms", wait_ms), F_STR("do", advice_reason(why)));
	go_down(g);
	link_after(g);
	link_settle(g);
}

void
link_timer(struct gate_hl *g)
{
	if (g->connect_ns == 0 || clock_mono_ns() < g->connect_ns)
		return;
	g->connect_ns = 0;
	g->began_ns = clock_mono_ns();
	CHECK(ws_client_connect(g->ws) == 0);
}

/* ---- life ---- */

static const char *
ca_file(const struct stage *s)
{
	return s->cfg.tls_ca_file.s[0] == '\0' ? NULL : s->cfg.tls_ca_file.s;
}

static int
failed(const char *what, int rc)
{
	LOG(LOG_STAGE_FAILED, F_STR("what", what));
	return rc;
}

static int
open_tls(struct gate_hl *g)
{
	char err[256] = "";

	if (strncmp(g->s->cfg.hyperliquid_ws_url.s, "wss:", 4) != 0)
		return 0;
	if (g->s->cfg.feed_transport == CFG_TRANSPORT_CURL)
		g->curl = curltls_create(ca_file(g->s), err, sizeof(err));
	else
		g->tls = tls_client_create(ca_file(g->s), err, sizeof(err));
	return g->tls == NULL && g->curl == NULL ? failed(err, EXIT_PERMANENT)
						 : 0;
}

static bool
open_ws(struct gate_hl *g)
{
	const struct cfg *cfg = &g->s->cfg;
	struct ws_client_cfg want = {.loop = &g->s->loop,
	    .url = cfg->hyperliquid_ws_url.s,
	    .tls = g->tls,
	    .curl = g->curl,
	    .open_timeout_ms =
		(uint64_t)(cfg->feed_connect_timeout.ns / NS_PER_MS),
	    .msg_max = (size_t)cfg->feed_max_frame_bytes,
	    .events = {on_open, on_message, on_close},
	    .user = g};
	int err;

	g->ws = ws_client_create(&want, &err);
	return g->ws != NULL;
}

int
link_open(struct gate_hl *g)
{
	const struct cfg *cfg = &g->s->cfg;
	struct pool_cfg pool = {.loop = &g->s->loop,
	    .url = cfg->hyperliquid_rest_url.s,
	    .ca_path = ca_file(g->s),
	    .connections = {[POOL_CANCELS] = 1,
		[POOL_QUERIES] = QUERIES_N,
		[POOL_BEATS] = 1},
	    .keep_warm_ns = (uint64_t)cfg->exec_keep_warm.ns,
	    .warm_target = WARM,
	    .on_answer = on_answer,
	    .user = g};
	int rc = open_tls(g);

	if (rc != 0)
		return rc;
	if (!open_ws(g))
		return failed(
		    "hyperliquid.ws_url cannot be used", EXIT_PERMANENT);
	g->pool = pool_open(&pool);
	return g->pool == NULL ? failed("hyperliquid.rest_url cannot be used",
				     EXIT_PERMANENT)
			       : 0;
}

void
link_close(struct gate_hl *g)
{
	g->is_closing = true;
	if (g->ws != NULL)
		ws_client_destroy(g->ws);
	if (g->pool != NULL)
		pool_close(g->pool);
	tls_destroy(g->tls);
	curltls_destroy(g->curl);
}

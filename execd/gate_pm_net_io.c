#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "execd/gate_pm_int.h"
#include "libcore/check.h"
#include "libsys/clock.h"
#include "libsys/log.h"
#include "libsys/net.h"

/* The channel's own pings bring an answer each ten seconds. */
#define SILENT_NS UINT64_C(25000000000)
#define STABLE_NS UINT64_C(10000000000)
#define MS	  UINT64_C(1000000)

_Static_assert((int)POOL_ORDERS == (int)GWPM_ROLE_ORDERS, "roles");
_Static_assert((int)POOL_CANCELS == (int)GWPM_ROLE_CANCELS, "roles");
_Static_assert((int)POOL_QUERIES == (int)GWPM_ROLE_QUERIES, "roles");
_Static_assert((int)POOL_BEATS == (int)GWPM_ROLE_BEATS, "roles");

/* ---- requests ---- */

static bool
may_send(void *user)
{
	struct gate_pm *p = user;

	return p->sink->may_place(p->sink->user);
}

static void
on_sent(void *user, uint64_t tag, uint64_t ns)
{
	struct gate_pm *p = user;

	if (!p->is_closed)
		gwpm_sent(&p->g, tag, ns);
}

static void
on_answer(void *user, const struct pool_answer *a)
{
	struct gate_pm *p = user;
	struct gwpm_now now = gate_pm_now(p);
	struct gwpm_answer out = {.tag = a->tag,
	    .status = a->status,
	    .was_sent = a->was_sent,
	    .is_held = a->is_held,
	    .body = a->body,
	    .n = a->n,
	    .retry_after_s = a->retry_after_s,
	    .left = a->left,
	    .tier = a->tier};

	if (p->is_closed)
		return;
	if (a->tag & GATE_PM_LOGIN_TAG) {
		gate_pm_login_answer(p, a);
	} else {
		if (a->role == POOL_ORDERS && a->status != 0)
			metrics_observe(p->s->metrics, M_EXECD_ACK_NS,
			    a->answer_ns - a->sent_ns);
		gwpm_answer(&p->g, &out, &now);
	}
	gate_pm_settle(p);
}

void
gate_pm_http(void *user, const struct gwpm_http *h)
{
	struct gate_pm *p = user;
	struct pool_call c = {.tag = h->tag,
	    .role = (enum pool_role)h->role,
	    .method = h->method,
	    .target = h->target,
	    .headers = h->headers,
	    .body = h->body,
	    .body_n = h->body_n,
	    .timeout_ns = h->timeout_ns,
	    .is_once = h->is_once,
	    .is_gated = h->is_once};

	if (pool_call(p->pool, &c) == 0)
		return;
	/* Told from the loop: the port is at work. */
	CHECK(p->failed_n < GWPM_CALLS);
	p->failed[p->failed_n++] = h->tag;
	gate_pm_timer_at(p, clock_mono_ns());
}

static void
tell_failed(struct gate_pm *p)
{
	uint64_t tags[GWPM_CALLS];
	uint32_t n = p->failed_n;

	memcpy(tags, p->failed, n * sizeof(tags[0]));
	p->failed_n = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct gwpm_answer a = {.tag = tags[i],
		    .body = "",
		    .retry_after_s = -1,
		    .left = INT64_MIN};
		struct gwpm_now now = gate_pm_now(p);

		gwpm_answer(&p->g, &a, &now);
	}
}

/* ---- user channel ---- */

void
gate_pm_channel(void *user, const char *text, size_t n)
{
	struct gate_pm *p = user;

	/* One that is just ending says so by its end. */
	if (p->ws != NULL && ws_client_is_open(p->ws))
		(void)ws_send_text(p->ws, text, n);
}

static void
on_open(void *user)
{
	struct gate_pm *p = user;
	struct gwpm_now now = gate_pm_now(p);

	p->ws_up_ns = now.ns;
	LOG(LOG_CONNECTED, F_STR("url", p->s->cfg.polymarket_user_url.s));
	gwpm_user_up(&p->g, &now);
	gate_pm_settle(p);
}

static void
on_message(void *user, const struct ws_message *m)
{
	struct gate_pm *p = user;
	struct gwpm_now now = gate_pm_now(p);

	if (m->kind != WS_TEXT)
		return;
	gwpm_user_text(&p->g, (const char *)m->data, m->n, &now);
	gate_pm_settle(p);
}

static void
on_close(void *user, enum ws_end end, unsigned code, const char *text)
{
	struct gate_pm *p = user;
	struct gwpm_now now = gate_pm_now(p);
	uint64_t wait_ms;

	(void)end;
	if (p->ws_up_ns != 0 && now.ns > p->ws_up_ns + STABLE_NS)
		p->ws_tries = 0;
	wait_ms = net_backoff_ms(p->ws_tries++, net_random());
	LOG(p->ws_up_ns != 0 ? LOG_DISCONNECTED : LOG_CONNECT_FAILED,
	    F_STR("url", p->s->cfg.polymarket_user_url.s), F_STR("what", text),
	    F_U64("code", code), F_U64("retry_ms", wait_ms));
	p->ws_up_ns = 0;
	p->downs++;
	p->ws_ns = now.ns + wait_ms * MS;
	gate_pm_timer_at(p, p->ws_ns);
	gwpm_user_down(&p->g, &now);
	gate_pm_settle(p);
}

static const char *
ca_file(const struct gate_pm *p)
{
	const char *ca = p->s->cfg.tls_ca_file.s;

	return ca[0] == '\0' ? NULL : ca;
}

void
gate_pm_channel_open(struct gate_pm *p)
{
	const char *url = p->s->cfg.polymarket_user_url.s;
	char why[256] = "out of memory";
	struct ws_client_cfg cfg = {.loop = &p->s->loop,
	    .url = url,
	    .msg_max = (size_t)p->s->cfg.feed_max_frame_bytes,
	    .events = {on_open, on_message, on_close},
	    .user = p};
	int err = 0;

	if (p->ws != NULL)
		return;
	if (strncmp(url, "wss:", 4) == 0) {
		p->tls = curltls_create(ca_file(p), why, sizeof(why));
		cfg.curl = p->tls;
	}
	p->ws = ws_client_create(&cfg, &err);
	if (p->ws != NULL && ws_client_connect(p->ws) == 0)
		return;
	LOG(LOG_CONNECT_FAILED, F_STR("url", url), F_STR("what", why));
	gwpm_block(&p->g, "the user channel cannot be made: see "
			  "connect_failed in the log");
}

/* A silent channel is as good as none. */
static void
watch_silence(struct gate_pm *p, uint64_t now_ns)
{
	if (p->ws == NULL || p->ws_up_ns == 0 || !ws_client_is_open(p->ws))
		return;
	if (now_ns > ws_client_stats(p->ws)->last_recv_ns + SILENT_NS &&
	    now_ns > p->ws_up_ns + SILENT_NS)
		ws_client_drop(p->ws);
}

/* ---- the timer ---- */

static void
on_timer(uv_timer_t *t)
{
	struct gate_pm *p = t->data;
	uint64_t now_ns = clock_mono_ns();

	if (p->failed_n > 0)
		tell_failed(p);
	if (p->login_ns != 0 && now_ns >= p->login_ns)
		gate_pm_login_ask(p);
	if (p->ws_ns != 0 && now_ns >= p->ws_ns) {
		p->ws_ns = 0;
		(void)ws_client_connect(p->ws);
	}
	watch_silence(p, now_ns);
	gate_pm_timer_at(p, now_ns + 1000 * MS);
	if (p->login_ns != 0)
		gate_pm_timer_at(p, p->login_ns);
	if (p->ws_ns != 0)
		gate_pm_timer_at(p, p->ws_ns);
	gate_pm_settle(p);
}

void
gate_pm_timer_at(struct gate_pm *p, uint64_t ns)
{
	uint64_t now_ns = clock_mono_ns();
	uint64_t ms = ns > now_ns ? (ns - now_ns) / MS + 1 : 0;

	if (p->is_closed)
		return;
	if (uv_is_active((uv_handle_t *)&p->timer) &&
	    uv_timer_get_due_in(&p->timer) <= ms)
		return;
	CHECK(uv_timer_start(&p->timer, on_timer, ms, 0) == 0);
}

/* ---- life ---- */

bool
gate_pm_net_open(struct gate_pm *p)
{
	const struct cfg *cfg = &p->s->cfg;
	struct pool_cfg pool = {.loop = &p->s->loop,
	    .url = cfg->polymarket_rest_url.s,
	    .ca_path = ca_file(p),
	    .connections = {[POOL_ORDERS] = (unsigned)cfg->exec_connections,
		[POOL_CANCELS] = 2,
		[POOL_QUERIES] = 2,
		[POOL_BEATS] = 1},
	    .keep_warm_ns = (uint64_t)cfg->exec_keep_warm.ns,
	    .warm_target = "/time",
	    .may_send = may_send,
	    .on_sent = on_sent,
	    .on_answer = on_answer,
	    .user = p};

	CHECK(uv_timer_init(&p->s->loop, &p->timer) == 0);
	p->timer.data = p;
	p->pool = pool_open(&pool);
	if (p->pool == NULL) {
		LOG(LOG_STAGE_FAILED,
		    F_STR("what", "polymarket.rest_url: no connections can be "
				  "made from it"),
		    F_STR("url", pool.url));
		return false;
	}
	gate_pm_timer_at(p, clock_mono_ns() + 1000 * MS);
	return true;
}

void
gate_pm_net_close(struct gate_pm *p)
{
	p->is_closed = true;
	if (p->ws != NULL)
		ws_client_destroy(p->ws);
	p->ws = NULL;
	if (p->pool != NULL)
		pool_close(p->pool);
	p->pool = NULL;
}

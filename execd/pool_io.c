#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "execd/pool_int.h"
#include "libcore/check.h"
#include "libsys/clock.h"

#define ITEMS	  64u /* calls of a role that are not answered */
#define LANES_MAX 64u
#define TEND_MS	  100u

/* ---- end of handles ---- */

static void
pool_free(struct pool *p)
{
	for (unsigned i = 0; i < p->lane_n; i++)
		free(p->lane[i].body);
	for (int r = 1; r < POOL_ROLE_N; r++)
		free(p->role[r].items);
	free(p->lane);
	free(p->url);
	free(p->ca_path);
	free(p->warm_target);
	free(p);
}

void
pool_handle_gone(struct pool *p)
{
	p->handle_n--;
	if (p->is_closed && p->handle_n == 0)
		pool_free(p);
}

static void
timer_gone(uv_handle_t *h)
{
	pool_handle_gone(h->data);
}

static void
lane_timer_gone(uv_handle_t *h)
{
	const struct lane *l = h->data;

	pool_handle_gone(l->pool);
}

void
pool_item_put(struct pool *p, struct item *it)
{
	struct role *r = &p->role[it->call.role];

	/* Credentials are among them. */
	explicit_bzero(it->lines, it->lines_n);
	it->next = r->free;
	r->free = it;
	r->open_n--;
}

/* ---- roles ---- */

static struct lane *
lane_free(struct pool *p, enum pool_role role)
{
	const struct role *r = &p->role[role];
	struct lane *cold = NULL;

	for (unsigned i = 0; i < r->lane_n; i++) {
		struct lane *l = &p->lane[r->lane_at + i];

		if (l->is_busy)
			continue;
		if (l->is_warm)
			return l;
		if (cold == NULL)
			cold = l;
	}
	return cold;
}

void
pool_pump(struct pool *p, enum pool_role role)
{
	struct role *r = &p->role[role];
	struct lane *l;

	while (r->first != NULL && (l = lane_free(p, role)) != NULL) {
		struct item *it = r->first;

		r->first = it->next;
		if (r->first == NULL)
			r->last = NULL;
		pool_lane_start(l, it);
	}
}

/* Waited for a connection until its time was over. */
static void
tend_waiting(struct pool *p, enum pool_role role, uint64_t now_ns)
{
	struct role *r = &p->role[role];
	struct item **at = &r->first;
	struct item *last = NULL;

	while (*at != NULL && !p->is_closed) {
		struct item *it = *at;
		struct pool_answer a = {.tag = it->call.tag,
		    .role = it->call.role,
		    .error = "no connection was free in time",
		    .body = "",
		    .retry_after_s = -1,
		    .left = INT64_MIN,
		    .answer_ns = now_ns};

		if (now_ns < it->due_ns) {
			last = it;
			at = &it->next;
			continue;
		}
		*at = it->next;
		if (*at == NULL)
			r->last = last;
		p->on_answer(p->user, &a);
		if (p->is_closed)
			return;
		pool_item_put(p, it);
		/* The callback may have added behind, never before. */
	}
}

/* Connections that were lost are made again at once; of those that are
 * only idle one at a time is used, so that the others are free. */
static void
tend_lanes(struct pool *p, enum pool_role role, uint64_t now_ns)
{
	const struct role *r = &p->role[role];
	bool is_warming = false;

	for (unsigned i = 0; i < r->lane_n; i++)
		is_warming |= p->lane[r->lane_at + i].is_busy &&
			      p->lane[r->lane_at + i].item == NULL;
	for (unsigned i = 0; i < r->lane_n && r->first == NULL; i++) {
		struct lane *l = &p->lane[r->lane_at + i];
		bool is_idle =
		    l->is_warm && now_ns >= l->used_ns + p->keep_warm_ns;

		if (l->is_busy || now_ns < l->again_ns ||
		    (l->is_warm && (!is_idle || is_warming)))
			continue;
		is_warming = true;
		pool_lane_start(l, NULL);
	}
}

static void
on_tend(uv_timer_t *timer)
{
	struct pool *p = timer->data;
	uint64_t now_ns = clock_mono_ns();

	for (int r = 1; r < POOL_ROLE_N && !p->is_closed; r++) {
		tend_waiting(p, (enum pool_role)r, now_ns);
		if (!p->is_closed)
			tend_lanes(p, (enum pool_role)r, now_ns);
	}
}

/* ---- calls ---- */

static bool
call_fits(const struct pool *p, const struct pool_call *c)
{
	if (c->role <= 0 || c->role >= POOL_ROLE_N ||
	    p->role[c->role].lane_n == 0 || c->method == NULL ||
	    c->target == NULL || c->target[0] != '/')
		return false;
	return strlen(c->method) < POOL_METHOD_MAX &&
	       strlen(c->target) < POOL_TARGET_MAX &&
	       c->body_n < POOL_BODY_MAX &&
	       (c->headers == NULL || strlen(c->headers) < POOL_LINES_MAX) &&
	       (!c->is_gated || p->may_send != NULL) && c->timeout_ns > 0;
}

int
pool_call(struct pool *p, const struct pool_call *c)
{
	struct role *r;
	struct item *it;

	if (p->is_closed)
		return -ESHUTDOWN;
	if (!call_fits(p, c))
		return -EINVAL;
	r = &p->role[c->role];
	it = r->free;
	if (it == NULL)
		return -EAGAIN;
	r->free = it->next;
	r->open_n++;
	p->stats.calls++;
	it->next = NULL;
	it->call = *c;
	it->due_ns = clock_mono_ns() + c->timeout_ns;
	memcpy(it->method, c->method, strlen(c->method) + 1);
	memcpy(it->target, c->target, strlen(c->target) + 1);
	it->call.method = it->call.target = it->call.headers = NULL;
	it->call.body = NULL;
	it->lines_n = c->headers != NULL ? strlen(c->headers) : 0;
	if (it->lines_n > 0)
		memcpy(it->lines, c->headers, it->lines_n);
	it->lines[it->lines_n] = '\0';
	if (c->body_n > 0)
		memcpy(it->body, c->body, c->body_n);
	if (r->last != NULL)
		r->last->next = it;
	else
		r->first = it;
	r->last = it;
	pool_pump(p, c->role);
	return 0;
}

unsigned
pool_busy(const struct pool *p, enum pool_role role)
{
	CHECK(role > 0 && role < POOL_ROLE_N);
	return p->role[role].open_n;
}

const struct pool_stats *
pool_stats(const struct pool *p)
{
	return &p->stats;
}

static void
on_soon(uv_timer_t *timer)
{
	struct pool *p = timer->data;

	for (unsigned i = 0; i < p->lane_n && !p->is_closed; i++)
		if (p->lane[i].is_done)
			pool_lane_collect(&p->lane[i]);
}

void
pool_soon(struct pool *p)
{
	CHECK(uv_timer_start(&p->soon, on_soon, 0, 0) == 0);
}

/* ---- life ---- */

static bool
url_is_ok(const char *url)
{
	CURLU *u = curl_url();
	bool ok =
	    u != NULL && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK;

	curl_url_cleanup(u);
	return ok && strlen(url) < POOL_URL_MAX - POOL_TARGET_MAX &&
	       (strncmp(url, "http://", 7) == 0 ||
		   strncmp(url, "https://", 8) == 0);
}

static bool
role_open(struct role *r)
{
	if (r->lane_n == 0)
		return true;
	r->items = calloc(ITEMS, sizeof(*r->items));
	for (unsigned i = 0; r->items != NULL && i < ITEMS; i++) {
		r->items[i].next = r->free;
		r->free = &r->items[i];
	}
	return r->items != NULL;
}

static bool
pool_fill(struct pool *p, const struct pool_cfg *cfg)
{
	unsigned at = 0;

	p->url = strdup(cfg->url);
	p->warm_target = strdup(cfg->warm_target);
	if (cfg->ca_path != NULL)
		p->ca_path = strdup(cfg->ca_path);
	for (int r = 1; r < POOL_ROLE_N; r++) {
		p->role[r].lane_at = p->lane_n;
		p->role[r].lane_n = cfg->connections[r];
		p->lane_n += cfg->connections[r];
	}
	CHECK(p->lane_n > 0 && p->lane_n <= LANES_MAX);
	p->lane = calloc(p->lane_n, sizeof(*p->lane));
	p->share = curl_share_init();
	if (p->lane == NULL || p->url == NULL || p->warm_target == NULL ||
	    p->share == NULL || (cfg->ca_path != NULL && p->ca_path == NULL))
		return false;
	curl_share_setopt(
	    p->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	curl_share_setopt(p->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
	for (int r = 1; r < POOL_ROLE_N; r++) {
		if (!role_open(&p->role[r]))
			return false;
		for (unsigned i = 0; i < p->role[r].lane_n; i++, at++) {
			p->lane[at].pool = p;
			p->lane[at].role = (enum pool_role)r;
			if (!pool_lane_open(&p->lane[at]))
				return false;
		}
	}
	return true;
}

static void
curl_close(struct pool *p)
{
	for (unsigned i = 0; p->lane != NULL && i < p->lane_n; i++)
		pool_lane_close(&p->lane[i]);
	if (p->share != NULL)
		curl_share_cleanup(p->share);
}

struct pool *
pool_open(const struct pool_cfg *cfg)
{
	struct pool *p;

	CHECK(cfg->loop != NULL && cfg->on_answer != NULL);
	CHECK(cfg->warm_target != NULL && cfg->keep_warm_ns > 0);
	/* Counted inside libcurl: harmless to repeat. */
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
	    !url_is_ok(cfg->url))
		return NULL;
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return NULL;
	p->loop = cfg->loop;
	p->keep_warm_ns = cfg->keep_warm_ns;
	p->may_send = cfg->may_send;
	p->on_sent = cfg->on_sent;
	p->on_answer = cfg->on_answer;
	p->user = cfg->user;
	if (!pool_fill(p, cfg)) {
		curl_close(p);
		if (p->lane == NULL)
			p->lane_n = 0;
		pool_free(p);
		return NULL;
	}
	CHECK(uv_timer_init(p->loop, &p->tend) == 0);
	CHECK(uv_timer_init(p->loop, &p->soon) == 0);
	p->tend.data = p->soon.data = p;
	p->handle_n = 2 + p->lane_n;
	for (unsigned i = 0; i < p->lane_n; i++) {
		CHECK(uv_timer_init(p->loop, &p->lane[i].timer) == 0);
		p->lane[i].timer.data = &p->lane[i];
	}
	CHECK(uv_timer_start(&p->tend, on_tend, TEND_MS, TEND_MS) == 0);
	for (unsigned i = 0; i < p->lane_n; i++)
		pool_lane_start(&p->lane[i], NULL);
	return p;
}

static void
close_answer(struct pool *p, const struct item *it, bool was_sent)
{
	struct pool_answer a = {.tag = it->call.tag,
	    .role = it->call.role,
	    .was_sent = was_sent,
	    .error = "closed",
	    .body = "",
	    .retry_after_s = -1,
	    .left = INT64_MIN,
	    .answer_ns = clock_mono_ns()};

	p->on_answer(p->user, &a);
}

void
pool_close(struct pool *p)
{
	if (p == NULL || p->is_closed)
		return;
	p->is_closed = true;
	for (unsigned i = 0; i < p->lane_n; i++)
		if (p->lane[i].item != NULL)
			close_answer(p, p->lane[i].item, p->lane[i].was_sent);
	for (int r = 1; r < POOL_ROLE_N; r++)
		for (struct item *it = p->role[r].first; it != NULL;
		     it = it->next)
			close_answer(p, it, false);
	for (unsigned i = 0; i < p->lane_n; i++)
		if (p->lane[i].is_busy)
			(void)curl_multi_remove_handle(
			    p->lane[i].multi, p->lane[i].easy);
	curl_close(p);
	for (unsigned i = 0; i < p->lane_n; i++)
		uv_close((uv_handle_t *)&p->lane[i].timer, lane_timer_gone);
	uv_close((uv_handle_t *)&p->tend, timer_gone);
	uv_close((uv_handle_t *)&p->soon, timer_gone);
}

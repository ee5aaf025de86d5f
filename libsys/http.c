#define _GNU_SOURCE
#include "libsys/http.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "libcore/check.h"
#include "libsys/clock.h"
#include "libsys/curlwhy.h"
#include "libsys/httpmsg.h"
#include "libsys/tls.h"

#define CALLS_MAX_DEFAULT  32
#define TIMEOUT_MS_DEFAULT 10000
#define BODY_MAX_DEFAULT   ((size_t)16 << 20)

struct call {
	struct http_client *client;
	struct call *next;
	struct call *prev;
	CURL *easy;
	struct curl_slist *headers;
	char *sent; /* the request's body */
	char *body;
	size_t body_n;
	size_t body_cap;
	size_t body_max;
	bool is_too_big;
	uint64_t start_ns;
	http_done_fn done;
	void *user;
	char error[CURL_ERROR_SIZE];
};

/* A socket of libcurl's, watched for it. */
struct watch {
	uv_poll_t poll;
	struct http_client *client;
	curl_socket_t fd;
};

struct http_client {
	uv_loop_t *loop;
	CURLM *multi;
	uv_timer_t timer;
	char *ca_path;
	unsigned calls_max;
	unsigned open_n;
	bool is_destroyed;
	struct call *calls;
};

/* ---- calls ---- */

static void
call_free(struct call *c)
{
	if (c->easy != NULL)
		curl_easy_cleanup(c->easy);
	curl_slist_free_all(c->headers);
	free(c->sent);
	free(c->body);
	free(c);
}

static struct http_text
header_of(struct call *c, const char *name)
{
	struct curl_header *h = NULL;
	if (curl_easy_header(c->easy, name, 0, CURLH_HEADER, -1, &h) !=
	    CURLHE_OK)
		return (struct http_text){"", 0};
	return (struct http_text){h->value, strlen(h->value)};
}

static void
call_done(struct call *c, const char *error, enum reason reason)
{
	struct http_client *h = c->client;
	long status = 0;
	curl_off_t sent_us = 0;
	uint64_t now_ns = clock_mono_ns();
	(void)curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(c->easy, CURLINFO_PRETRANSFER_TIME_T, &sent_us);
	struct http_result r = {
	    .status = (unsigned)status,
	    .error = error,
	    .body = c->body != NULL ? c->body : "",
	    .body_n = c->body_n,
	    .elapsed_ns = now_ns - c->start_ns,
	    .reason = reason,
	    .retry_after_s = http_seconds_parse(header_of(c, "Retry-After")),
	    .used_weight =
		http_seconds_parse(header_of(c, "X-MBX-USED-WEIGHT-1M")),
	    .date_ns = http_date_parse(header_of(c, "Date")),
	};
	/* A cache says what the time was when it asked. */
	if (http_seconds_parse(header_of(c, "Age")) != 0)
		r.date_ns = 0;
	if (sent_us > 0)
		r.sent_ns = c->start_ns + (uint64_t)sent_us * 1000;
	if (error == NULL && status / 100 != 2)
		r.reason = REASON_HTTP_REFUSED;
	(void)curl_multi_remove_handle(h->multi, c->easy);
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		h->calls = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	h->open_n--;
	c->done(c->user, &r);
	call_free(c);
}

static void
collect_done(struct http_client *h)
{
	int left;
	CURLMsg *m;
	while (!h->is_destroyed &&
	       (m = curl_multi_info_read(h->multi, &left)) != NULL) {
		struct call *c = NULL;
		CURLcode rc = m->data.result;
		if (m->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &c);
		CHECK(c != NULL);
		const char *error = NULL;
		if (c->is_too_big)
			error = "answer over the limit";
		else if (rc != CURLE_OK)
			error = c->error[0] != '\0' ? c->error
						    : curl_easy_strerror(rc);
		call_done(c, error,
		    c->is_too_big ? REASON_OVERLONG : curl_why(c->easy, rc));
	}
}

static size_t
on_body(char *data, size_t one, size_t n, void *arg)
{
	struct call *c = arg;
	CHECK(one == 1);
	if (n > c->body_max - c->body_n) {
		c->is_too_big = true;
		return 0;
	}
	if (c->body_n + n + 1 > c->body_cap) {
		size_t cap = c->body_cap != 0 ? c->body_cap : 4096;
		while (cap < c->body_n + n + 1)
			cap *= 2;
		char *p = realloc(c->body, cap);
		if (p == NULL)
			return 0;
		c->body = p;
		c->body_cap = cap;
	}
	memcpy(c->body + c->body_n, data, n);
	c->body_n += n;
	c->body[c->body_n] = '\0';
	return n;
}

/* ---- libcurl on the loop ---- */

static void
on_watch(uv_poll_t *poll, int status, int events)
{
	const struct watch *w = poll->data;
	struct http_client *h = w->client;
	int running;
	int flags = 0;
	if (status < 0)
		flags |= CURL_CSELECT_ERR;
	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	(void)curl_multi_socket_action(h->multi, w->fd, flags, &running);
	collect_done(h);
}

static void
on_timer(uv_timer_t *timer)
{
	struct http_client *h = timer->data;
	int running;
	(void)curl_multi_socket_action(
	    h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	collect_done(h);
}

static int
timer_wanted(CURLM *multi, long ms, void *arg)
{
	struct http_client *h = arg;
	(void)multi;
	if (ms < 0)
		uv_timer_stop(&h->timer);
	else
		CHECK(
		    uv_timer_start(&h->timer, on_timer, (uint64_t)ms, 0) == 0);
	return 0;
}

static void
watch_freed(uv_handle_t *handle)
{
	free(handle->data);
}

static int
socket_wanted(CURL *easy, curl_socket_t fd, int what, void *arg, void *sock)
{
	struct http_client *h = arg;
	struct watch *w = sock;
	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (w == NULL)
			return 0;
		uv_poll_stop(&w->poll);
		uv_close((uv_handle_t *)&w->poll, watch_freed);
		(void)curl_multi_assign(h->multi, fd, NULL);
		return 0;
	}
	if (w == NULL) {
		w = calloc(1, sizeof(*w));
		if (w == NULL)
			return -1;
		w->client = h;
		w->fd = fd;
		CHECK(uv_poll_init_socket(h->loop, &w->poll, fd) == 0);
		w->poll.data = w;
		(void)curl_multi_assign(h->multi, fd, w);
	}
	int events = 0;
	if (what != CURL_POLL_OUT)
		events |= UV_READABLE;
	if (what != CURL_POLL_IN)
		events |= UV_WRITABLE;
	CHECK(uv_poll_start(&w->poll, events, on_watch) == 0);
	return 0;
}

/* ---- a request ---- */

static int
call_headers(struct call *c, const struct http_call *in)
{
	/* curl asks for permission to send larger bodies otherwise: a round
	 * trip that no venue wants. */
	c->headers = curl_slist_append(NULL, "Expect:");
	if (c->headers == NULL)
		return -ENOMEM;
	for (size_t i = 0; in->headers != NULL && in->headers[i] != NULL; i++) {
		struct curl_slist *l =
		    curl_slist_append(c->headers, in->headers[i]);
		if (l == NULL)
			return -ENOMEM;
		c->headers = l;
	}
	return 0;
}

static int
call_body(struct call *c, const struct http_call *in)
{
	const char *method = in->method != NULL ? in->method : "GET";
	bool is_get = strcmp(method, "GET") == 0;
	if (method[0] == '\0' || (is_get && in->body_n > 0))
		return -EINVAL;
	if (is_get)
		return 0;
	c->sent = malloc(in->body_n + 1);
	if (c->sent == NULL)
		return -ENOMEM;
	if (in->body_n > 0)
		memcpy(c->sent, in->body, in->body_n);
	curl_easy_setopt(c->easy, CURLOPT_POST, 1L);
	curl_easy_setopt(c->easy, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(
	    c->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)in->body_n);
	curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS, c->sent);
	return 0;
}

static int
call_options(struct call *c, const struct http_call *in)
{
	CURL *e = c->easy;
	const char *ca = c->client->ca_path;
	long ms =
	    (long)(in->timeout_ms != 0 ? in->timeout_ms : TIMEOUT_MS_DEFAULT);
	if (curl_easy_setopt(e, CURLOPT_URL, in->url) != CURLE_OK)
		return -ENOMEM;
	if (curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") !=
		CURLE_OK ||
	    curl_easy_setopt(
		e, CURLOPT_CAINFO, ca != NULL ? ca : TLS_CA_SYSTEM) != CURLE_OK)
		return -EINVAL;
	curl_easy_setopt(e, CURLOPT_PRIVATE, c);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, c->error);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, c->headers);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, ms);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_USERAGENT, "ringmaker");
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	return 0;
}

/* curl would only find out in the loop; owners want to know at once. */
static bool
url_is_ok(const char *url)
{
	CURLU *u = curl_url();
	bool ok =
	    u != NULL && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK;
	curl_url_cleanup(u);
	return ok && (strncmp(url, "http://", 7) == 0 ||
			 strncmp(url, "https://", 8) == 0);
}

int
http_client_call(struct http_client *h, const struct http_call *in,
    http_done_fn done, void *user)
{
	CHECK(done != NULL);
	if (h->is_destroyed)
		return -ESHUTDOWN;
	if (h->open_n >= h->calls_max)
		return -EAGAIN;
	if (!url_is_ok(in->url))
		return -EINVAL;
	struct call *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return -ENOMEM;
	c->client = h;
	c->done = done;
	c->user = user;
	c->body_max = in->body_max != 0 ? in->body_max : BODY_MAX_DEFAULT;
	c->start_ns = clock_mono_ns();
	c->easy = curl_easy_init();
	int rc = c->easy != NULL ? call_headers(c, in) : -ENOMEM;
	if (rc == 0)
		rc = call_body(c, in);
	if (rc == 0)
		rc = call_options(c, in);
	if (rc == 0 && curl_multi_add_handle(h->multi, c->easy) != CURLM_OK)
		rc = -ENOMEM;
	if (rc != 0) {
		call_free(c);
		return rc;
	}
	c->next = h->calls;
	if (c->next != NULL)
		c->next->prev = c;
	h->calls = c;
	h->open_n++;
	return 0;
}

/* ---- life ---- */

struct http_client *
http_client_create(const struct http_client_cfg *cfg)
{
	CHECK(cfg->loop != NULL);
	struct http_client *h = calloc(1, sizeof(*h));
	if (h == NULL)
		return NULL;
	if (cfg->ca_path != NULL)
		h->ca_path = strdup(cfg->ca_path);
	/* Counted inside libcurl: harmless to repeat. */
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		h->multi = curl_multi_init();
	if (h->multi == NULL || (cfg->ca_path != NULL && h->ca_path == NULL)) {
		curl_multi_cleanup(h->multi);
		free(h->ca_path);
		free(h);
		return NULL;
	}
	h->loop = cfg->loop;
	h->calls_max = cfg->calls_max != 0 ? cfg->calls_max : CALLS_MAX_DEFAULT;
	CHECK(uv_timer_init(h->loop, &h->timer) == 0);
	h->timer.data = h;
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, socket_wanted);
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, timer_wanted);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
	return h;
}

static void
client_freed(uv_handle_t *handle)
{
	struct http_client *h = handle->data;
	free(h->ca_path);
	free(h);
}

void
http_client_destroy(struct http_client *h)
{
	if (h == NULL || h->is_destroyed)
		return;
	h->is_destroyed = true;
	while (h->calls != NULL)
		call_done(h->calls, "destroyed", REASON_NONE);
	curl_multi_cleanup(h->multi);
	uv_close((uv_handle_t *)&h->timer, client_freed);
}

unsigned
http_client_open_n(const struct http_client *h)
{
	return h->open_n;
}

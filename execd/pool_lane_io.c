#define _GNU_SOURCE
#include "execd/pool_int.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libcore/check.h"
#include "libsys/clock.h"
#include "libsys/httpmsg.h"
#include "libsys/tls.h"

#define ANSWER_FIRST  ((size_t)64 << 10)
#define ANSWER_MAX    ((size_t)8 << 20)
#define WARM_LIMIT_NS UINT64_C(5000000000)
#define AGAIN_NS      UINT64_C(100000000)
#define AGAIN_NS_MAX  UINT64_C(5000000000)
#define NS_A_MS	      UINT64_C(1000000)

static void
watch_gone(uv_handle_t *h)
{
	struct watch *w = h->data;

	w->is_used = false;
	pool_handle_gone(w->lane->pool);
}

/* ---- sockets of libcurl on the loop ---- */

static void
set_warm(struct lane *l, bool is_warm)
{
	if (l->is_warm == is_warm)
		return;
	l->is_warm = is_warm;
	if (is_warm)
		l->pool->stats.warm++;
	else
		l->pool->stats.warm--;
}

static void on_watch(uv_poll_t *poll, int status, int events);

static void
watch_set(struct watch *w, int events)
{
	if (w->is_closing || w->events == events)
		return;
	w->events = events;
	CHECK(uv_poll_start(&w->poll, events, on_watch) == 0);
}

static struct watch *
watch_find(struct lane *l, int fd)
{
	for (unsigned i = 0; i < POOL_WATCHES; i++)
		if (l->watch[i].is_used && !l->watch[i].is_closing &&
		    l->watch[i].fd == fd)
			return &l->watch[i];
	return NULL;
}

static struct watch *
watch_new(struct lane *l, int fd, bool is_conn)
{
	for (unsigned i = 0; i < POOL_WATCHES; i++) {
		struct watch *w = &l->watch[i];

		if (w->is_used)
			continue;
		memset(w, 0, sizeof(*w));
		if (uv_poll_init_socket(l->pool->loop, &w->poll, fd) != 0)
			return NULL;
		w->poll.data = w;
		w->lane = l;
		w->fd = fd;
		w->is_used = true;
		w->is_conn = is_conn;
		l->pool->handle_n++;
		return w;
	}
	return NULL;
}

static void
watch_close(struct watch *w)
{
	if (w->is_closing)
		return;
	w->is_closing = true;
	uv_close((uv_handle_t *)&w->poll, watch_gone);
	if (!w->is_conn)
		return;
	w->lane->open_n--;
	if (w->lane->open_n == 0)
		set_warm(w->lane, false);
}

/* Nobody asked for anything: the peer closes it, or something of TLS came,
 * which libcurl reads when it next uses the connection. */
static void
idle_event(struct watch *w, int status, int events)
{
	if (status < 0 || (events & UV_DISCONNECT) != 0) {
		set_warm(w->lane, false);
		w->lane->used_ns = 0;
		w->events = 0;
		uv_poll_stop(&w->poll);
	} else {
		watch_set(w, UV_DISCONNECT);
	}
}

static void
on_watch(uv_poll_t *poll, int status, int events)
{
	struct watch *w = poll->data;
	struct lane *l = w->lane;
	int running;
	int flags = 0;

	if (!l->is_busy && w->is_conn) {
		idle_event(w, status, events);
		return;
	}
	if (status < 0)
		flags |= CURL_CSELECT_ERR;
	if (events & (UV_READABLE | UV_DISCONNECT))
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	(void)curl_multi_socket_action(l->multi, w->fd, flags, &running);
	pool_lane_collect(l);
}

static int
socket_wanted(CURL *easy, curl_socket_t fd, int what, void *arg, void *sock)
{
	struct lane *l = arg;
	struct watch *w = watch_find(l, fd);
	int events = 0;

	(void)easy;
	(void)sock;
	if (what == CURL_POLL_REMOVE) {
		/* A connection that never came about is closed behind our
		 * back. */
		if (w != NULL &&
		    (!w->is_conn || (!l->is_through && fcntl(fd, F_GETFD) < 0)))
			watch_close(w);
		else if (w != NULL)
			watch_set(w, UV_READABLE | UV_DISCONNECT);
		return 0;
	}
	if (w == NULL)
		w = watch_new(l, fd, false);
	if (w == NULL)
		return -1;
	if (what != CURL_POLL_OUT)
		events |= UV_READABLE | UV_DISCONNECT;
	if (what != CURL_POLL_IN)
		events |= UV_WRITABLE;
	watch_set(w, events);
	return 0;
}

static curl_socket_t
socket_open(void *arg, curlsocktype purpose, struct curl_sockaddr *sa)
{
	struct lane *l = arg;
	int fd = socket(sa->family, sa->socktype | SOCK_CLOEXEC, sa->protocol);

	(void)purpose;
	if (fd < 0)
		return CURL_SOCKET_BAD;
	if (watch_new(l, fd, true) == NULL) {
		close(fd);
		return CURL_SOCKET_BAD;
	}
	l->open_n++;
	l->opened_n++;
	return fd;
}

static int
socket_close(void *arg, curl_socket_t fd)
{
	struct lane *l = arg;
	struct watch *w = watch_find(l, fd);

	if (w != NULL)
		watch_close(w);
	return close(fd);
}

static void
on_timer(uv_timer_t *timer)
{
	struct lane *l = timer->data;
	long ms = -1;
	int running;

	(void)curl_multi_socket_action(
	    l->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	/* libuv's clock is that of its turn: it may have come early, and
	 * libcurl does not ask again for what it has asked for. */
	if (!uv_is_active((uv_handle_t *)timer) &&
	    curl_multi_timeout(l->multi, &ms) == CURLM_OK && ms >= 0)
		CHECK(uv_timer_start(
			  timer, on_timer, ms > 0 ? (uint64_t)ms : 1, 0) == 0);
	pool_lane_collect(l);
}

static int
timer_wanted(CURLM *multi, long ms, void *arg)
{
	struct lane *l = arg;

	(void)multi;
	if (l->pool->is_closed)
		return 0;
	if (ms < 0)
		uv_timer_stop(&l->timer);
	else
		CHECK(
		    uv_timer_start(&l->timer, on_timer, (uint64_t)ms, 0) == 0);
	return 0;
}

/* ---- a transfer ---- */

/* The last look before bytes leave. libcurl comes here a second time when
 * a connection that it used again has died without an answer. */
static int
before_bytes(void *arg, char *ip, char *local_ip, int port, int local_port)
{
	struct lane *l = arg;
	struct pool *p = l->pool;

	(void)ip;
	(void)local_ip;
	(void)port;
	(void)local_port;
	l->is_through = true;
	if (l->item == NULL)
		return CURL_PREREQFUNC_OK;
	if (l->item->call.is_once && l->was_sent) {
		p->stats.guarded++;
		l->refusal = "the connection died; it is not sent twice";
		return CURL_PREREQFUNC_ABORT;
	}
	if (l->item->call.is_gated && !p->may_send(p->user)) {
		p->stats.held++;
		l->is_held = !l->was_sent;
		l->refusal = "held by the gate";
		return CURL_PREREQFUNC_ABORT;
	}
	if (l->item->call.is_gated && !l->was_sent && l->opened_n > 0)
		p->stats.cold++;
	l->was_sent = true;
	l->sent_ns = clock_mono_ns();
	if (p->on_sent != NULL)
		p->on_sent(p->user, l->item->call.tag, l->sent_ns);
	return CURL_PREREQFUNC_OK;
}

static size_t
on_body(char *data, size_t one, size_t n, void *arg)
{
	struct lane *l = arg;

	CHECK(one == 1);
	if (n > ANSWER_MAX - l->body_n) {
		l->refusal = "answer over the limit";
		return 0;
	}
	/* Only long lists of orders or trades come here. */
	if (l->body_n + n + 1 > l->body_cap) {
		size_t cap = l->body_cap;
		char *more;

		while (cap < l->body_n + n + 1)
			cap *= 2;
		more = realloc(l->body, cap);
		if (more == NULL)
			return 0;
		l->body = more;
		l->body_cap = cap;
	}
	memcpy(l->body + l->body_n, data, n);
	l->body_n += n;
	return n;
}

/* "A: b\r\nC: d\r\n" cut into lines; libcurl only reads the list. */
static void
lane_lines(struct lane *l, char *text)
{
	static char no_expect[] = "Expect:";
	unsigned n = 0;
	char *end;

	l->line[n++] = (struct curl_slist){no_expect, NULL};
	while (n < POOL_LINES_N && (end = strstr(text, "\r\n")) != NULL) {
		*end = '\0';
		l->line[n] = (struct curl_slist){text, NULL};
		l->line[n - 1].next = &l->line[n];
		n++;
		text = end + 2;
	}
	curl_easy_setopt(l->easy, CURLOPT_HTTPHEADER, l->line);
}

static void
lane_request(struct lane *l, const char *method, const struct item *it)
{
	CURL *e = l->easy;
	size_t n = it != NULL ? it->call.body_n : 0;

	if (n > 0 || strcmp(method, "POST") == 0) {
		curl_easy_setopt(e, CURLOPT_POST, 1L);
		curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)n);
		curl_easy_setopt(
		    e, CURLOPT_POSTFIELDS, it != NULL ? it->body : "");
	} else {
		curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
	}
	curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST,
	    strcmp(method, "GET") != 0 ? method : NULL);
}

/* A message of the transfer's end, kept until the loop answers it. */
static bool
lane_reap(struct lane *l)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(l->multi, &left)) != NULL) {
		if (m->msg != CURLMSG_DONE)
			continue;
		l->is_done = true;
		l->rc = m->data.result;
	}
	return l->is_done;
}

static void
lane_options(struct lane *l, struct item *it)
{
	const struct pool *p = l->pool;
	uint64_t now_ns = clock_mono_ns();
	uint64_t due_ns = it != NULL ? it->due_ns : now_ns + WARM_LIMIT_NS;
	uint64_t left_ms =
	    due_ns > now_ns ? (due_ns - now_ns) / NS_A_MS + 1 : 1;
	char none[] = "";

	(void)snprintf(l->url, sizeof(l->url), "%s%s", p->url,
	    it != NULL ? it->target : p->warm_target);
	curl_easy_setopt(l->easy, CURLOPT_URL, l->url);
	curl_easy_setopt(l->easy, CURLOPT_TIMEOUT_MS, (long)left_ms);
	lane_lines(l, it != NULL ? it->lines : none);
	lane_request(l, it != NULL ? it->method : "GET", it);
}

void
pool_lane_start(struct lane *l, struct item *it)
{
	int running;

	CHECK(!l->is_busy);
	l->item = it;
	l->is_busy = true;
	l->is_done = l->was_sent = l->is_held = l->is_through = false;
	l->refusal = NULL;
	l->sent_ns = 0;
	l->opened_n = 0;
	l->body_n = 0;
	l->error[0] = '\0';
	lane_options(l, it);
	CHECK(curl_multi_add_handle(l->multi, l->easy) == CURLM_OK);
	/* Not in the loop's next turn: now. */
	(void)curl_multi_socket_action(
	    l->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	if (lane_reap(l))
		pool_soon(l->pool);
}

static const char *
header_of(const struct lane *l, const char *name)
{
	struct curl_header *h = NULL;

	if (curl_easy_header(l->easy, name, 0, CURLH_HEADER, -1, &h) !=
	    CURLHE_OK)
		return NULL;
	return h->value;
}

static void
answer_headers(const struct lane *l, struct pool_answer *a)
{
	const char *retry = header_of(l, "Retry-After");
	const char *left = header_of(l, "Poly-RateLimit-Remaining");
	char *end;

	if (retry != NULL)
		a->retry_after_s = http_seconds_parse(
		    (struct http_text){retry, strlen(retry)});
	if (left != NULL && left[0] != '\0') {
		long long v = strtoll(left, &end, 10);

		if (*end == '\0')
			a->left = v;
	}
	a->tier = header_of(l, "Poly-RateLimit-Tier");
}

/* The transfer is over; its answer is made while libcurl still has it. */
static void
lane_answer(struct lane *l, const char *error, struct pool_answer *a)
{
	long status = 0;

	(void)curl_easy_getinfo(l->easy, CURLINFO_RESPONSE_CODE, &status);
	*a = (struct pool_answer){.tag = l->item->call.tag,
	    .role = l->role,
	    .was_sent = l->was_sent,
	    .is_held = l->is_held,
	    .error = error,
	    .body = "",
	    .retry_after_s = -1,
	    .left = INT64_MIN,
	    .sent_ns = l->sent_ns,
	    .answer_ns = clock_mono_ns()};
	if (error != NULL)
		return;
	a->status = (unsigned)status;
	l->body[l->body_n] = '\0';
	a->body = l->body;
	a->n = l->body_n;
	answer_headers(l, a);
}

static void
lane_over(struct lane *l, const char *error)
{
	uint64_t now_ns = clock_mono_ns();
	bool is_refused = l->refusal != NULL && !l->was_sent;

	(void)curl_multi_remove_handle(l->multi, l->easy);
	l->is_busy = l->is_done = false;
	l->item = NULL;
	if (error == NULL && l->open_n > 0) {
		set_warm(l, true);
		l->used_ns = now_ns;
		l->wait_ns = 0;
	} else if (error != NULL && !is_refused) {
		set_warm(l, false);
		l->wait_ns = l->wait_ns == 0 ? AGAIN_NS : l->wait_ns * 2;
		if (l->wait_ns > AGAIN_NS_MAX)
			l->wait_ns = AGAIN_NS_MAX;
		l->again_ns = now_ns + l->wait_ns;
	}
}

static void
lane_finish(struct lane *l, const char *error)
{
	struct pool *p = l->pool;
	enum pool_role role = l->role;
	struct item *it = l->item;
	struct pool_answer a;

	if (it != NULL) {
		lane_answer(l, error, &a);
		l->item = NULL;
		/* The lane is given back afterwards: what the answer shows
		 * must hold when the callback calls again. */
		p->on_answer(p->user, &a);
		if (p->is_closed)
			return;
		pool_item_put(p, it);
	}
	lane_over(l, error);
	pool_pump(p, role);
}

void
pool_lane_collect(struct lane *l)
{
	const char *error = NULL;

	if (l->pool->is_closed || !l->is_busy || !lane_reap(l))
		return;
	if (l->rc != CURLE_OK)
		error = l->refusal != NULL    ? l->refusal
			: l->error[0] != '\0' ? l->error
					      : curl_easy_strerror(l->rc);
	lane_finish(l, error);
}

static void
multi_options(struct lane *l)
{
	curl_multi_setopt(l->multi, CURLMOPT_SOCKETFUNCTION, socket_wanted);
	curl_multi_setopt(l->multi, CURLMOPT_SOCKETDATA, l);
	curl_multi_setopt(l->multi, CURLMOPT_TIMERFUNCTION, timer_wanted);
	curl_multi_setopt(l->multi, CURLMOPT_TIMERDATA, l);
	curl_multi_setopt(l->multi, CURLMOPT_MAXCONNECTS, 1L);
}

bool
pool_lane_open(struct lane *l)
{
	const struct pool *p = l->pool;
	const char *ca = p->ca_path != NULL ? p->ca_path : TLS_CA_SYSTEM;
	CURL *e;

	l->body = malloc(ANSWER_FIRST);
	l->body_cap = ANSWER_FIRST;
	l->multi = curl_multi_init();
	l->easy = e = curl_easy_init();
	if (l->body == NULL || l->multi == NULL || e == NULL)
		return false;
	multi_options(l);
	if (curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") !=
		CURLE_OK ||
	    curl_easy_setopt(e, CURLOPT_CAINFO, ca) != CURLE_OK ||
	    curl_easy_setopt(e, CURLOPT_PROXY, "") != CURLE_OK)
		return false;
	curl_easy_setopt(e, CURLOPT_SHARE, p->share);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, l->error);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, l);
	curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, before_bytes);
	curl_easy_setopt(e, CURLOPT_PREREQDATA, l);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, socket_open);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, l);
	curl_easy_setopt(e, CURLOPT_CLOSESOCKETFUNCTION, socket_close);
	curl_easy_setopt(e, CURLOPT_CLOSESOCKETDATA, l);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, 3600L);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_USERAGENT, "ringmaker");
	return true;
}

void
pool_lane_close(struct lane *l)
{
	curl_easy_cleanup(l->easy);
	curl_multi_cleanup(l->multi);
	l->easy = NULL;
	l->multi = NULL;
}

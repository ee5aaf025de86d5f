#define _GNU_SOURCE
#include "libsys/curltls.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcore/check.h"
#include "libsys/curlwhy.h"
#include "libsys/net.h"
#include "libsys/tls.h"

/* One record: what a write that blocked must repeat is kept here. */
#define UNSENT_MAX 16384
/* Turns of libcurl's own state machine in one call of ours. */
#define TURNS_MAX 8
#define TEXT_MAX  512

/* OpenSSL's error codes of a chain (X509_V_ERR_*), as CURLINFO_SSL_
 * VERIFYRESULT gives them. */
#define VERIFY_OK	     0
#define VERIFY_NOT_LOOKED_AT 1 /* libcurl's value until the chain is read */
#define VERIFY_NOT_YET_VALID 9
#define VERIFY_EXPIRED	     10
#define VERIFY_HOST	     62

struct curltls_ctx {
	CURLM *multi;
	CURLSH *share; /* of TLS sessions */
	char *ca_path;
	long timer_ms; /* what libcurl last asked for; -1 none */
	unsigned long resumed_n;
	int (*session_reused)(const void *ssl); /* of libssl; or NULL */
};

struct curltls_state {
	struct curltls_ctx *ctx;
	CURL *easy;
	struct curl_slist *resolve;
	int fd;
	int want; /* CURL_POLL_* last asked for */
	bool is_started;
	bool is_done;
	bool is_resumed;
	CURLcode rc;
	size_t unsent_n;
	char error[CURL_ERROR_SIZE];
	uint8_t unsent[UNSENT_MAX];
};

enum reason
curl_why(CURL *easy, CURLcode rc)
{
	long verify = VERIFY_OK;
	curl_off_t sent_us = 0;

	if (rc == CURLE_OK)
		return REASON_NONE;
	(void)curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &verify);
	(void)curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &sent_us);
	if (rc == CURLE_COULDNT_RESOLVE_HOST)
		return REASON_DNS;
	if (rc == CURLE_COULDNT_CONNECT)
		return REASON_REFUSED;
	if (rc == CURLE_PEER_FAILED_VERIFICATION) {
		/* A bad chain ends the handshake; the name comes after. */
		if (verify == VERIFY_OK || verify == VERIFY_NOT_LOOKED_AT ||
		    verify == VERIFY_HOST)
			return REASON_CERT_HOST;
		return verify == VERIFY_EXPIRED ||
			       verify == VERIFY_NOT_YET_VALID
			   ? REASON_CERT_TIME
			   : REASON_CERT_AUTHORITY;
	}
	if (rc == CURLE_SSL_CACERT_BADFILE)
		return REASON_CA_FILE;
	if (rc == CURLE_SSL_CONNECT_ERROR || rc == CURLE_SSL_CIPHER)
		return REASON_TLS;
	if (rc == CURLE_OPERATION_TIMEDOUT)
		return sent_us > 0 ? REASON_SILENT : REASON_OPEN_TIMEOUT;
	if (rc == CURLE_RECV_ERROR || rc == CURLE_SEND_ERROR ||
	    rc == CURLE_GOT_NOTHING || rc == CURLE_PARTIAL_FILE)
		return REASON_PEER_CLOSED;
	return REASON_HTTP_REFUSED;
}

/* ---- what libcurl calls ---- */

static curl_socket_t
give_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *sa)
{
	const struct curltls_state *st = arg;
	(void)purpose;
	(void)sa;
	return st->fd;
}

static int
is_connected(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	(void)arg;
	(void)fd;
	(void)purpose;
	return CURL_SOCKOPT_ALREADY_CONNECTED;
}

/* The transport owns the socket: its owner's uv_poll goes first. */
static int
keep_socket(void *arg, curl_socket_t fd)
{
	(void)arg;
	(void)fd;
	return 0;
}

/* After the handshake, while the handle still knows its TLS connection. */
static int
count_resumed(void *arg, char *ip, char *local_ip, int port, int local_port)
{
	struct curltls_state *st = arg;
	struct curl_tlssessioninfo *info = NULL;
	(void)ip;
	(void)local_ip;
	(void)port;
	(void)local_port;
	if (st->ctx->session_reused != NULL &&
	    curl_easy_getinfo(st->easy, CURLINFO_TLS_SSL_PTR, &info) ==
		CURLE_OK &&
	    info != NULL && info->internals != NULL &&
	    st->ctx->session_reused(info->internals) == 1)
		st->is_resumed = true;
	return CURL_PREREQFUNC_OK;
}

static int
socket_wanted(CURL *easy, curl_socket_t fd, int what, void *arg, void *sock)
{
	struct curltls_state *st = NULL;
	(void)fd;
	(void)arg;
	(void)sock;
	(void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &st);
	if (st != NULL && what != CURL_POLL_REMOVE)
		st->want = what;
	return 0;
}

static int
timer_wanted(CURLM *multi, long ms, void *arg)
{
	struct curltls_ctx *ctx = arg;
	(void)multi;
	ctx->timer_ms = ms;
	return 0;
}

/* ---- context ---- */

static bool
ctx_fill(struct curltls_ctx *ctx, const char *ca_path)
{
	/* libcurl has loaded it; there is no other way to ask whether a
	 * session was resumed. */
	void *fn = dlsym(RTLD_DEFAULT, "SSL_session_reused");
	memcpy(&ctx->session_reused, &fn, sizeof(fn));
	ctx->timer_ms = -1;
	ctx->ca_path = strdup(ca_path);
	/* Counted inside libcurl: harmless to repeat. */
	if (ctx->ca_path == NULL ||
	    curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return false;
	ctx->multi = curl_multi_init();
	ctx->share = curl_share_init();
	if (ctx->multi == NULL || ctx->share == NULL)
		return false;
	curl_share_setopt(
	    ctx->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	curl_multi_setopt(ctx->multi, CURLMOPT_SOCKETFUNCTION, socket_wanted);
	curl_multi_setopt(ctx->multi, CURLMOPT_TIMERFUNCTION, timer_wanted);
	curl_multi_setopt(ctx->multi, CURLMOPT_TIMERDATA, ctx);
	return true;
}

struct curltls_ctx *
curltls_create(const char *ca_path, char *err, size_t err_sz)
{
	const char *path = ca_path != NULL ? ca_path : TLS_CA_SYSTEM;
	if (access(path, R_OK) != 0) {
		(void)snprintf(err, err_sz, "%s: %s", path, strerror(errno));
		return NULL;
	}
	struct curltls_ctx *ctx = calloc(1, sizeof(*ctx));
	if (ctx == NULL || !ctx_fill(ctx, path)) {
		(void)snprintf(err, err_sz, "libcurl: out of memory");
		curltls_destroy(ctx);
		return NULL;
	}
	return ctx;
}

void
curltls_destroy(struct curltls_ctx *ctx)
{
	if (ctx == NULL)
		return;
	if (ctx->multi != NULL)
		(void)curl_multi_cleanup(ctx->multi);
	if (ctx->share != NULL)
		(void)curl_share_cleanup(ctx->share);
	free(ctx->ca_path);
	free(ctx);
}

unsigned long
curltls_resumed_n(const struct curltls_ctx *ctx)
{
	return ctx->resumed_n;
}

/* ---- a connection ---- */

static int
curltls_fail(struct transport *t, const char *what, CURLcode rc)
{
	const struct curltls_state *st = t->state;
	const char *text =
	    st->error[0] != '\0' ? st->error : curl_easy_strerror(rc);
	t->reason = curl_why(st->easy, rc);
	(void)snprintf(t->error, sizeof(t->error), "%s: %.120s", what, text);
	return TRANSPORT_FAILED;
}

/* Messages of the multi handle may be of any of its connections. */
static void
collect_done(struct curltls_ctx *ctx)
{
	int left;
	CURLMsg *m;
	while ((m = curl_multi_info_read(ctx->multi, &left)) != NULL) {
		struct curltls_state *st = NULL;
		if (m->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &st);
		CHECK(st != NULL);
		st->is_done = true;
		st->rc = m->data.result;
	}
}

static int
curltls_handshake(struct transport *t)
{
	struct curltls_state *st = t->state;
	struct curltls_ctx *ctx = st->ctx;
	int running;
	if (!st->is_started) {
		st->is_started = true;
		if (curl_multi_add_handle(ctx->multi, st->easy) != CURLM_OK)
			return curltls_fail(t, "TLS", CURLE_OUT_OF_MEMORY);
	}
	for (unsigned i = 0; i < TURNS_MAX && !st->is_done; i++) {
		ctx->timer_ms = -1;
		(void)curl_multi_socket_action(
		    ctx->multi, CURL_SOCKET_TIMEOUT, 0, &running);
		(void)curl_multi_socket_action(ctx->multi, t->fd, 0, &running);
		collect_done(ctx);
		if (ctx->timer_ms != 0)
			break;
	}
	if (!st->is_done)
		return st->want == CURL_POLL_OUT ? TRANSPORT_WANT_WRITE
						 : TRANSPORT_WANT_READ;
	if (st->rc != CURLE_OK)
		return curltls_fail(t, "TLS handshake", st->rc);
	t->resumed = st->is_resumed;
	ctx->resumed_n += st->is_resumed;
	return 0;
}

static ssize_t
curltls_recv(struct transport *t, void *buf, size_t n)
{
	struct curltls_state *st = t->state;
	size_t got = 0;
	CURLcode rc = curl_easy_recv(st->easy, buf, n, &got);
	if (rc == CURLE_AGAIN)
		return TRANSPORT_WANT_READ;
	if (rc != CURLE_OK)
		return curltls_fail(t, "TLS read", rc);
	return (ssize_t)got;
}

static ssize_t
curltls_send(struct transport *t, const void *buf, size_t n)
{
	struct curltls_state *st = t->state;
	size_t put = 0;
	/* OpenSSL insists on the same bytes at the same place after a write
	 * that blocked; the caller's buffer may have moved. */
	if (st->unsent_n == 0) {
		st->unsent_n = n < UNSENT_MAX ? n : UNSENT_MAX;
		memcpy(st->unsent, buf, st->unsent_n);
	}
	CURLcode rc = curl_easy_send(st->easy, st->unsent, st->unsent_n, &put);
	if (rc == CURLE_AGAIN)
		return TRANSPORT_WANT_WRITE;
	if (rc != CURLE_OK)
		return curltls_fail(t, "TLS write", rc);
	st->unsent_n = 0;
	return (ssize_t)put;
}

static void
curltls_close(struct transport *t)
{
	struct curltls_state *st = t->state;
	if (st->is_started)
		(void)curl_multi_remove_handle(st->ctx->multi, st->easy);
	curl_easy_cleanup(st->easy);
	curl_slist_free_all(st->resolve);
	close(t->fd);
	free(st);
	t->state = NULL;
}

static const struct transport_ops curltls_ops = {
    .handshake = curltls_handshake,
    .recv = curltls_recv,
    .send = curltls_send,
    .close = curltls_close,
};

static bool
state_options(struct curltls_state *st, const char *host, uint16_t port)
{
	CURL *e = st->easy;
	bool is_v6 = strchr(host, ':') != NULL;
	char text[TEXT_MAX];
	/* The socket is connected: what the name means is not asked again. */
	(void)snprintf(
	    text, sizeof(text), "%s:%u:127.0.0.1", host, (unsigned)port);
	st->resolve = curl_slist_append(NULL, text);
	(void)snprintf(text, sizeof(text), "https://%s%s%s:%u/",
	    is_v6 ? "[" : "", host, is_v6 ? "]" : "", (unsigned)port);
	if (st->resolve == NULL ||
	    curl_easy_setopt(e, CURLOPT_URL, text) != CURLE_OK ||
	    curl_easy_setopt(e, CURLOPT_CAINFO, st->ctx->ca_path) != CURLE_OK)
		return false;
	curl_easy_setopt(e, CURLOPT_CONNECT_ONLY, 1L);
	if (!is_v6)
		curl_easy_setopt(e, CURLOPT_RESOLVE, st->resolve);
	curl_easy_setopt(e, CURLOPT_SSLVERSION,
	    (long)CURL_SSLVERSION_TLSv1_2 | CURL_SSLVERSION_MAX_DEFAULT);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, give_socket);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, st);
	curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, is_connected);
	curl_easy_setopt(e, CURLOPT_CLOSESOCKETFUNCTION, keep_socket);
	curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, count_resumed);
	curl_easy_setopt(e, CURLOPT_PREREQDATA, st);
	curl_easy_setopt(e, CURLOPT_SHARE, st->ctx->share);
	curl_easy_setopt(e, CURLOPT_PRIVATE, st);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, st->error);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	/* The owner has a time limit of its own. */
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, 3600000L);
	return true;
}

int
curltls_transport_init(struct transport *t, struct curltls_ctx *ctx, int fd,
    const char *host, uint16_t port)
{
	CHECK(ctx != NULL);
	CHECK(fd >= 0);
	CHECK(host != NULL);
	memset(t, 0, sizeof(*t));
	struct curltls_state *st = calloc(1, sizeof(*st));
	if (st != NULL) {
		st->ctx = ctx;
		st->fd = fd;
		st->easy = curl_easy_init();
	}
	bool fits = strlen(host) < NET_HOST_MAX;
	if (st == NULL || st->easy == NULL || !fits ||
	    !state_options(st, host, port)) {
		(void)snprintf(t->error, sizeof(t->error), "%s",
		    fits ? "out of memory" : "host name too long");
		t->reason = REASON_TLS;
		if (st != NULL) {
			curl_easy_cleanup(st->easy);
			curl_slist_free_all(st->resolve);
		}
		free(st);
		close(fd);
		t->fd = -1;
		return fits ? -ENOMEM : -EINVAL;
	}
	t->ops = &curltls_ops;
	t->fd = fd;
	t->state = st;
	return 0;
}

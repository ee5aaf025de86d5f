#define _GNU_SOURCE
#include "libsys/tls.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>

#include "libcore/check.h"
#include "libsys/net.h"

/* A TLS record and some: one recv a wake-up instead of two a record. */
#define AHEAD_SZ	  (32 * 1024)
#define SESSIONS_MAX	  16
#define TICKET_LIFETIME_S 86400

struct saved_session {
	char host[NET_HOST_MAX];
	bool is_set;
	mbedtls_ssl_session session;
};

struct tls_ctx {
	bool is_server;
	mbedtls_entropy_context entropy;
	mbedtls_ctr_drbg_context drbg;
	mbedtls_ssl_config conf;
	mbedtls_x509_crt chain; /* authorities, or our certificate */
	mbedtls_pk_context key;
	mbedtls_ssl_ticket_context tickets;
	struct saved_session sessions[SESSIONS_MAX];
	unsigned session_next;
	unsigned long resumed_n;
};

struct tls_state {
	struct tls_ctx *ctx;
	mbedtls_ssl_context ssl;
	char host[NET_HOST_MAX];
	bool is_open;
	bool is_verified; /* a full handshake looked at certificates */
	size_t unsent_n;  /* bytes of a write that must be repeated */
	size_t ahead_at;
	size_t ahead_n;
	bool ahead_eof;
	uint8_t ahead[AHEAD_SZ];
};

static const int suites[] = {
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    0,
};
static const mbedtls_ecp_group_id curves[] = {
    MBEDTLS_ECP_DP_CURVE25519,
    MBEDTLS_ECP_DP_SECP256R1,
    MBEDTLS_ECP_DP_SECP384R1,
    MBEDTLS_ECP_DP_NONE,
};
/* mbedTLS wants pointers to non-const; it does not write through them. */
static char alpn_http11[] = "http/1.1";
static const char *alpn_list[] = {alpn_http11, NULL};

static void
error_text(int rc, const char *what, char *err, size_t err_sz)
{
	char text[96];
	mbedtls_strerror(rc, text, sizeof(text));
	(void)snprintf(
	    err, err_sz, "%s: %s (-0x%04x)", what, text, (unsigned)-rc);
}

static struct tls_ctx *
ctx_create(bool is_server, char *err, size_t err_sz)
{
	struct tls_ctx *ctx = calloc(1, sizeof(*ctx));
	if (ctx == NULL) {
		(void)snprintf(err, err_sz, "out of memory");
		return NULL;
	}
	ctx->is_server = is_server;
	mbedtls_entropy_init(&ctx->entropy);
	mbedtls_ctr_drbg_init(&ctx->drbg);
	mbedtls_ssl_config_init(&ctx->conf);
	mbedtls_x509_crt_init(&ctx->chain);
	mbedtls_pk_init(&ctx->key);
	mbedtls_ssl_ticket_init(&ctx->tickets);
	int rc = mbedtls_ctr_drbg_seed(
	    &ctx->drbg, mbedtls_entropy_func, &ctx->entropy, NULL, 0);
	if (rc == 0)
		rc = mbedtls_ssl_config_defaults(&ctx->conf,
		    is_server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
		    MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
	if (rc == 0)
		rc = mbedtls_ssl_conf_alpn_protocols(&ctx->conf, alpn_list);
	if (rc != 0) {
		error_text(rc, "TLS set-up", err, err_sz);
		tls_destroy(ctx);
		return NULL;
	}
	mbedtls_ssl_conf_rng(&ctx->conf, mbedtls_ctr_drbg_random, &ctx->drbg);
	mbedtls_ssl_conf_min_version(&ctx->conf, MBEDTLS_SSL_MAJOR_VERSION_3,
	    MBEDTLS_SSL_MINOR_VERSION_3);
	mbedtls_ssl_conf_ciphersuites(&ctx->conf, suites);
	mbedtls_ssl_conf_curves(&ctx->conf, curves);
	return ctx;
}

struct tls_ctx *
tls_client_create(const char *ca_path, char *err, size_t err_sz)
{
	struct tls_ctx *ctx = ctx_create(false, err, err_sz);
	if (ctx == NULL)
		return NULL;
	const char *path = ca_path != NULL ? ca_path : TLS_CA_SYSTEM;
	/* Positive: some of the certificates did not parse; the others serve.
	 */
	int rc = mbedtls_x509_crt_parse_file(&ctx->chain, path);
	if (rc < 0 || ctx->chain.version == 0) {
		error_text(rc, path, err, err_sz);
		tls_destroy(ctx);
		return NULL;
	}
	mbedtls_ssl_conf_ca_chain(&ctx->conf, &ctx->chain, NULL);
	mbedtls_ssl_conf_authmode(&ctx->conf, MBEDTLS_SSL_VERIFY_REQUIRED);
	mbedtls_ssl_conf_session_tickets(
	    &ctx->conf, MBEDTLS_SSL_SESSION_TICKETS_ENABLED);
	return ctx;
}

struct tls_ctx *
tls_server_create(
    const char *cert_path, const char *key_path, char *err, size_t err_sz)
{
	struct tls_ctx *ctx = ctx_create(true, err, err_sz);
	if (ctx == NULL)
		return NULL;
	const char *what = cert_path;
	int rc = mbedtls_x509_crt_parse_file(&ctx->chain, cert_path);
	if (rc == 0) {
		what = key_path;
		rc = mbedtls_pk_parse_keyfile(&ctx->key, key_path, NULL);
	}
	if (rc == 0)
		rc = mbedtls_ssl_conf_own_cert(
		    &ctx->conf, &ctx->chain, &ctx->key);
	if (rc == 0)
		rc = mbedtls_ssl_ticket_setup(&ctx->tickets,
		    mbedtls_ctr_drbg_random, &ctx->drbg,
		    MBEDTLS_CIPHER_AES_256_GCM, TICKET_LIFETIME_S);
	if (rc != 0) {
		error_text(rc, what, err, err_sz);
		tls_destroy(ctx);
		return NULL;
	}
	mbedtls_ssl_conf_session_tickets_cb(&ctx->conf,
	    mbedtls_ssl_ticket_write, mbedtls_ssl_ticket_parse, &ctx->tickets);
	return ctx;
}

void
tls_destroy(struct tls_ctx *ctx)
{
	if (ctx == NULL)
		return;
	for (unsigned i = 0; i < SESSIONS_MAX; i++) {
		if (ctx->sessions[i].is_set)
			mbedtls_ssl_session_free(&ctx->sessions[i].session);
	}
	mbedtls_ssl_ticket_free(&ctx->tickets);
	mbedtls_pk_free(&ctx->key);
	mbedtls_x509_crt_free(&ctx->chain);
	mbedtls_ssl_config_free(&ctx->conf);
	mbedtls_ctr_drbg_free(&ctx->drbg);
	mbedtls_entropy_free(&ctx->entropy);
	free(ctx);
}

unsigned long
tls_resumed_n(const struct tls_ctx *ctx)
{
	return ctx->resumed_n;
}

/* ---- sessions kept by host ---- */

static struct saved_session *
session_find(struct tls_ctx *ctx, const char *host)
{
	for (unsigned i = 0; i < SESSIONS_MAX; i++) {
		struct saved_session *s = &ctx->sessions[i];
		if (s->is_set && strcmp(s->host, host) == 0)
			return s;
	}
	return NULL;
}

static void
session_save(struct tls_state *st)
{
	struct tls_ctx *ctx = st->ctx;
	struct saved_session *s = session_find(ctx, st->host);
	if (s == NULL) {
		s = &ctx->sessions[ctx->session_next++ % SESSIONS_MAX];
		memcpy(s->host, st->host, sizeof(s->host));
	}
	if (s->is_set)
		mbedtls_ssl_session_free(&s->session);
	mbedtls_ssl_session_init(&s->session);
	s->is_set = mbedtls_ssl_get_session(&st->ssl, &s->session) == 0;
}

static void
session_forget(struct tls_ctx *ctx, const char *host)
{
	struct saved_session *s = session_find(ctx, host);
	if (s == NULL)
		return;
	mbedtls_ssl_session_free(&s->session);
	s->is_set = false;
}

/* ---- the socket under mbedTLS ---- */

static int
bio_send(void *arg, const unsigned char *buf, size_t n)
{
	const struct transport *t = arg;
	ssize_t put = send(t->fd, buf, n, MSG_NOSIGNAL);
	if (put >= 0)
		return (int)put;
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
		return MBEDTLS_ERR_SSL_WANT_WRITE;
	return MBEDTLS_ERR_NET_SEND_FAILED;
}

static int
bio_recv(void *arg, unsigned char *buf, size_t n)
{
	const struct transport *t = arg;
	struct tls_state *st = t->state;
	if (st->ahead_at == st->ahead_n) {
		ssize_t got = recv(t->fd, st->ahead, sizeof(st->ahead), 0);
		if (got < 0 &&
		    (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
			return MBEDTLS_ERR_SSL_WANT_READ;
		if (got < 0)
			return MBEDTLS_ERR_NET_RECV_FAILED;
		st->ahead_eof = got == 0;
		if (got == 0)
			return 0;
		st->ahead_at = 0;
		st->ahead_n = (size_t)got;
	}
	size_t have = st->ahead_n - st->ahead_at;
	if (n > have)
		n = have;
	memcpy(buf, st->ahead + st->ahead_at, n);
	st->ahead_at += n;
	return (int)n;
}

static int
note_verify(void *arg, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
	struct tls_state *st = arg;
	(void)crt;
	(void)depth;
	(void)flags;
	st->is_verified = true;
	return 0;
}

/* An authority that nobody knows comes first: what such a certificate says
 * of times and names means nothing. */
static enum reason
verify_reason(uint32_t flags)
{
	if (flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED)
		return REASON_CERT_AUTHORITY;
	if (flags &
	    (MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE))
		return REASON_CERT_TIME;
	if (flags & MBEDTLS_X509_BADCERT_CN_MISMATCH)
		return REASON_CERT_HOST;
	return REASON_TLS;
}

static bool
wants_other_version(const struct tls_state *st, int rc)
{
	if (rc == MBEDTLS_ERR_SSL_BAD_HS_PROTOCOL_VERSION)
		return true;
	return rc == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE &&
	       st->ssl.in_msg != NULL &&
	       st->ssl.in_msg[1] == MBEDTLS_SSL_ALERT_MSG_PROTOCOL_VERSION;
}

static int
tls_fail(struct transport *t, const char *what, int rc)
{
	struct tls_state *st = t->state;
	error_text(rc, what, t->error, sizeof(t->error));
	t->reason = st->is_open ? REASON_PEER_CLOSED : REASON_TLS;
	if (rc == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED) {
		char info[TRANSPORT_ERROR_MAX] = "";
		(void)mbedtls_x509_crt_verify_info(info, sizeof(info), "",
		    mbedtls_ssl_get_verify_result(&st->ssl));
		info[strcspn(info, "\n")] = '\0';
		(void)snprintf(
		    t->error, sizeof(t->error), "certificate: %.120s", info);
		t->reason =
		    verify_reason(mbedtls_ssl_get_verify_result(&st->ssl));
	} else if (wants_other_version(st, rc)) {
		(void)snprintf(t->error, sizeof(t->error),
		    "%s: the server wants TLS 1.3, which this transport "
		    "does not speak: set feed.transport: curl",
		    what);
		t->reason = REASON_TLS_VERSION;
	} else if (st->ahead_eof) {
		(void)snprintf(
		    t->error, sizeof(t->error), "%s: peer hung up", what);
	}
	return TRANSPORT_FAILED;
}

static int
tls_handshake(struct transport *t)
{
	struct tls_state *st = t->state;
	int rc = mbedtls_ssl_handshake(&st->ssl);
	if (rc == MBEDTLS_ERR_SSL_WANT_READ)
		return TRANSPORT_WANT_READ;
	if (rc == MBEDTLS_ERR_SSL_WANT_WRITE)
		return TRANSPORT_WANT_WRITE;
	if (rc != 0) {
		if (!st->ctx->is_server)
			session_forget(st->ctx, st->host);
		return tls_fail(t, "TLS handshake", rc);
	}
	st->is_open = true;
	if (!st->ctx->is_server) {
		t->resumed = !st->is_verified;
		st->ctx->resumed_n += t->resumed;
		session_save(st);
	}
	return 0;
}

static ssize_t
tls_recv(struct transport *t, void *buf, size_t n)
{
	struct tls_state *st = t->state;
	int rc = mbedtls_ssl_read(&st->ssl, buf, n);
	if (rc > 0)
		return rc;
	if (rc == MBEDTLS_ERR_SSL_WANT_READ)
		return TRANSPORT_WANT_READ;
	if (rc == MBEDTLS_ERR_SSL_WANT_WRITE)
		return TRANSPORT_WANT_WRITE;
	if (rc == 0 || rc == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
		return 0;
	return tls_fail(t, "TLS read", rc);
}

static ssize_t
tls_send(struct transport *t, const void *buf, size_t n)
{
	struct tls_state *st = t->state;
	/* The record of an interrupted write holds just these bytes, whatever
	 * was appended to the caller's buffer since. */
	if (st->unsent_n != 0)
		n = st->unsent_n;
	int rc = mbedtls_ssl_write(&st->ssl, buf, n);
	st->unsent_n = 0;
	if (rc > 0)
		return rc;
	if (rc == MBEDTLS_ERR_SSL_WANT_WRITE ||
	    rc == MBEDTLS_ERR_SSL_WANT_READ) {
		st->unsent_n = n;
		return rc == MBEDTLS_ERR_SSL_WANT_READ ? TRANSPORT_WANT_READ
						       : TRANSPORT_WANT_WRITE;
	}
	return tls_fail(t, "TLS write", rc);
}

static void
tls_close(struct transport *t)
{
	struct tls_state *st = t->state;
	if (st->is_open)
		(void)mbedtls_ssl_close_notify(&st->ssl);
	close(t->fd);
	mbedtls_ssl_free(&st->ssl);
	free(st);
	t->state = NULL;
}

static const struct transport_ops tls_ops = {
    .handshake = tls_handshake,
    .recv = tls_recv,
    .send = tls_send,
    .close = tls_close,
};

static int
tls_setup(struct tls_state *st, const char *host)
{
	int rc = mbedtls_ssl_setup(&st->ssl, &st->ctx->conf);
	if (rc != 0 || st->ctx->is_server)
		return rc;
	rc = mbedtls_ssl_set_hostname(&st->ssl, host);
	if (rc != 0)
		return rc;
	mbedtls_ssl_set_verify(&st->ssl, note_verify, st);
	const struct saved_session *saved = session_find(st->ctx, host);
	if (saved != NULL)
		(void)mbedtls_ssl_set_session(&st->ssl, &saved->session);
	return 0;
}

int
tls_transport_init(
    struct transport *t, struct tls_ctx *ctx, int fd, const char *host)
{
	CHECK(ctx != NULL);
	CHECK(fd >= 0);
	CHECK(ctx->is_server == (host == NULL));
	memset(t, 0, sizeof(*t));
	struct tls_state *st = calloc(1, sizeof(*st));
	if (st == NULL || (host != NULL && strlen(host) >= sizeof(st->host))) {
		(void)snprintf(t->error, sizeof(t->error), "%s",
		    st == NULL ? "out of memory" : "host name too long");
		close(fd);
		t->fd = -1;
		int err = st == NULL ? -ENOMEM : -EINVAL;
		free(st);
		return err;
	}
	st->ctx = ctx;
	if (host != NULL)
		memcpy(st->host, host, strlen(host));
	mbedtls_ssl_init(&st->ssl);
	t->ops = &tls_ops;
	t->fd = fd;
	t->state = st;
	int rc = tls_setup(st, host);
	if (rc != 0) {
		error_text(rc, "TLS set-up", t->error, sizeof(t->error));
		transport_close(t);
		return rc == MBEDTLS_ERR_SSL_ALLOC_FAILED ? -ENOMEM : -EINVAL;
	}
	mbedtls_ssl_set_bio(&st->ssl, t, bio_send, bio_recv, NULL);
	return 0;
}

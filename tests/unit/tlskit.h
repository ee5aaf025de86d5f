/*
 * tlskit.h - WebSocket pairs over TLS on loopback, with certificates made by
 * the openssl tool; tests are skipped where that is missing. For both
 * transports: use_curl.
 */
#ifndef TESTS_TLSKIT_H
#define TESTS_TLSKIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "libsys/http.h"
#include "libsys/httpd.h"
#include "libsys/net.h"
#include "libsys/ws.h"

static char dir[] = "/tmp/ringmaker-tls-XXXXXX";
static bool has_certs;
static bool use_curl; /* by the next pair_open */

static const char script[] =
    "cd %s && exec >log 2>&1 && set -e\n"
    "key='ecparam -name prime256v1 -genkey -noout'\n"
    "for ca in ca other; do openssl $key -out $ca.key\n"
    "openssl req -x509 -new -key $ca.key -subj /CN=test-$ca -days 2"
    " -out $ca.pem; done\n"
    "for h in localhost elsewhere.test; do openssl $key -out $h.key\n"
    "openssl req -new -key $h.key -subj /CN=$h -out $h.csr\n"
    "echo subjectAltName=DNS:$h >$h.ext\n"
    "openssl x509 -req -in $h.csr -CA ca.pem -CAkey ca.key -set_serial 2"
    " -days 2 -extfile $h.ext -out $h.pem; done\n"
    "touch db && echo 05 >serial\n"
    "printf '[ca]\\ndefault_ca=x\\n[x]\\ndatabase=db\\nserial=serial\\n"
    "new_certs_dir=.\\ndefault_md=sha256\\npolicy=y\\n[y]\\n"
    "commonName=supplied\\n' >ca.cnf\n"
    "openssl ca -batch -config ca.cnf -in localhost.csr -cert ca.pem"
    " -keyfile ca.key -startdate 20200101000000Z -enddate 20200102000000Z"
    " -extfile localhost.ext -notext -out expired.pem\n"
    "cp localhost.key expired.key\n";

static inline int
make_certs(void **state)
{
	char cmd[2048];
	(void)state;
	if (system("command -v openssl >/dev/null 2>&1") != 0 ||
	    mkdtemp(dir) == NULL) {
		print_message(
		    "skipped: no openssl tool to make certificates\n");
		return 0;
	}
	(void)snprintf(cmd, sizeof(cmd), script, dir);
	has_certs = system(cmd) == 0;
	return has_certs ? 0 : -1;
}

static inline int
remove_certs(void **state)
{
	char cmd[128];
	(void)state;
	if (!has_certs)
		return 0;
	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	return system(cmd);
}

static inline const char *
cert(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *p = paths[next++ % 4];
	(void)snprintf(p, 128, "%s/%s", dir, name);
	return p;
}

struct tls_pair {
	uv_loop_t loop;
	uv_timer_t guard;
	struct tls_ctx *server_tls;
	struct tls_ctx *client_tls;
	struct curltls_ctx *client_curl;
	struct httpd *server;
	struct ws_client *client;
	unsigned opens;
	unsigned closes;
	unsigned messages;
	size_t bytes;
	enum ws_end end;
	unsigned code;
	struct ws_ended ended;
	struct httpd_answer refusal; /* status 0: none */
	char text[TRANSPORT_ERROR_MAX];
	bool is_stuck;
};

static inline void
on_open(void *user)
{
	struct tls_pair *p = user;
	p->opens++;
}

static inline void
on_message(void *user, const struct ws_message *m)
{
	struct tls_pair *p = user;
	p->messages++;
	p->bytes += m->n;
}

static inline void
on_close(void *user, enum ws_end end, unsigned code, const char *text)
{
	struct tls_pair *p = user;
	p->closes++;
	p->end = end;
	p->code = code;
	p->ended = *ws_client_ended(p->client);
	(void)snprintf(p->text, sizeof(p->text), "%s", text);
}

static inline void
on_request(void *user, struct httpd_conn *c, const struct httpd_request *r)
{
	struct httpd_answer a = {.status = 200, .body = "\"OK\"", .body_n = 4};
	const struct tls_pair *p = user;
	(void)r;
	if (p->refusal.status != 0)
		a = p->refusal;
	assert_int_equal(httpd_reply(c, &a), 0);
}

static inline bool
on_upgrade(void *user, struct httpd_conn *c, const struct http_head *h)
{
	const struct tls_pair *p = user;
	(void)c;
	(void)h;
	return p->refusal.status == 0;
}

static inline void
on_server_message(void *user, struct httpd_conn *c, const struct ws_message *m)
{
	(void)user;
	if (m->kind == WS_BINARY)
		assert_int_equal(httpd_ws_send(c, WS_BINARY, m->data, m->n), 0);
}

static inline void
on_stuck(uv_timer_t *t)
{
	struct tls_pair *p = t->data;
	p->is_stuck = true;
}

static inline void
pair_open(struct tls_pair *p, const char *server, const char *ca)
{
	char err[256];
	char pem[64];
	char key[64];
	int rc;
	memset(p, 0, sizeof(*p));
	(void)snprintf(pem, sizeof(pem), "%s.pem", server);
	(void)snprintf(key, sizeof(key), "%s.key", server);
	assert_int_equal(uv_loop_init(&p->loop), 0);
	uv_timer_init(&p->loop, &p->guard);
	p->guard.data = p;
	uv_timer_start(&p->guard, on_stuck, 10000, 0);
	p->server_tls =
	    tls_server_create(cert(pem), cert(key), err, sizeof(err));
	assert_non_null(p->server_tls);
	p->client_tls = tls_client_create(cert(ca), err, sizeof(err));
	assert_non_null(p->client_tls);
	if (use_curl) {
		p->client_curl = curltls_create(cert(ca), err, sizeof(err));
		assert_non_null(p->client_curl);
	}
	struct httpd_cfg cfg = {
	    .loop = &p->loop,
	    .host = "127.0.0.1",
	    .tls = p->server_tls,
	    .out_max = 4 << 20,
	    .body_max = 4 << 20,
	    .events = {.on_request = on_request,
		.on_upgrade = on_upgrade,
		.on_message = on_server_message},
	    .user = p,
	};
	p->server = httpd_create(&cfg, &rc);
	assert_non_null(p->server);
}

static inline void
pair_connect_url(struct tls_pair *p, const char *url, uint64_t limit_ms)
{
	int err;
	struct ws_client_cfg cfg = {
	    .loop = &p->loop,
	    .url = url,
	    .tls = p->client_tls,
	    .curl = p->client_curl,
	    .open_timeout_ms = limit_ms,
	    .out_max = 4 << 20,
	    .events = {.on_open = on_open,
		.on_message = on_message,
		.on_close = on_close},
	    .user = p,
	};
	p->client = ws_client_create(&cfg, &err);
	assert_non_null(p->client);
	assert_int_equal(ws_client_connect(p->client), 0);
}

static inline void
pair_connect_port(struct tls_pair *p, const char *host, uint16_t port)
{
	char url[128];
	(void)snprintf(
	    url, sizeof(url), "wss://%s:%u/ws", host, (unsigned)port);
	pair_connect_url(p, url, 0);
}

static inline void
pair_connect(struct tls_pair *p, const char *host)
{
	pair_connect_port(p, host, httpd_port(p->server));
}

static inline unsigned long
pair_resumed_n(const struct tls_pair *p)
{
	return p->client_curl != NULL ? curltls_resumed_n(p->client_curl)
				      : tls_resumed_n(p->client_tls);
}

static inline void
pair_wait(struct tls_pair *p, const unsigned *counter, unsigned want)
{
	while (*counter < want && !p->is_stuck)
		(void)uv_run(&p->loop, UV_RUN_ONCE);
	if (p->is_stuck)
		fail_msg("stuck; last close: %s", p->text);
}

static inline void
pair_close(struct tls_pair *p)
{
	ws_client_destroy(p->client);
	httpd_destroy(p->server);
	uv_close((uv_handle_t *)&p->guard, NULL);
	assert_int_equal(uv_run(&p->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&p->loop), 0);
	tls_destroy(p->server_tls);
	tls_destroy(p->client_tls);
	curltls_destroy(p->client_curl);
}

#endif

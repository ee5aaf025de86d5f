/* links: libsys libshm libcore */
/*
 * WebSocket and HTTP over TLS on loopback, with certificates made here by
 * the openssl tool; skipped where that is missing.
 */
#define _GNU_SOURCE
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
#include "libsys/ws.h"

static char dir[] = "/tmp/ringmaker-tls-XXXXXX";
static bool has_certs;

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
    " -days 2 -extfile $h.ext -out $h.pem; done\n";

static int
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

static int
remove_certs(void **state)
{
	char cmd[128];
	(void)state;
	if (!has_certs)
		return 0;
	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	return system(cmd);
}

static const char *
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
	struct httpd *server;
	struct ws_client *client;
	unsigned opens;
	unsigned closes;
	unsigned messages;
	size_t bytes;
	enum ws_end end;
	char text[160];
	bool is_stuck;
};

static void
on_open(void *user)
{
	struct tls_pair *p = user;
	p->opens++;
}

static void
on_message(void *user, const struct ws_message *m)
{
	struct tls_pair *p = user;
	p->messages++;
	p->bytes += m->n;
}

static void
on_close(void *user, enum ws_end end, unsigned code, const char *text)
{
	struct tls_pair *p = user;
	(void)code;
	p->closes++;
	p->end = end;
	(void)snprintf(p->text, sizeof(p->text), "%s", text);
}

static void
on_request(void *user, struct httpd_conn *c, const struct httpd_request *r)
{
	struct httpd_answer a = {.status = 200, .body = "\"OK\"", .body_n = 4};
	(void)user;
	(void)r;
	assert_int_equal(httpd_reply(c, &a), 0);
}

static bool
on_upgrade(void *user, struct httpd_conn *c, const struct http_head *h)
{
	(void)user;
	(void)c;
	(void)h;
	return true;
}

static void
on_server_message(void *user, struct httpd_conn *c, const struct ws_message *m)
{
	(void)user;
	if (m->kind == WS_BINARY)
		assert_int_equal(httpd_ws_send(c, WS_BINARY, m->data, m->n), 0);
}

static void
on_stuck(uv_timer_t *t)
{
	struct tls_pair *p = t->data;
	p->is_stuck = true;
}

static void
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

static void
pair_connect(struct tls_pair *p, const char *host)
{
	char url[128];
	int err;
	(void)snprintf(url, sizeof(url), "wss://%s:%u/ws", host,
	    (unsigned)httpd_port(p->server));
	struct ws_client_cfg cfg = {
	    .loop = &p->loop,
	    .url = url,
	    .tls = p->client_tls,
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

static void
pair_wait(struct tls_pair *p, const unsigned *counter, unsigned want)
{
	while (*counter < want && !p->is_stuck)
		(void)uv_run(&p->loop, UV_RUN_ONCE);
	if (p->is_stuck)
		fail_msg("stuck; last close: %s", p->text);
}

static void
pair_close(struct tls_pair *p)
{
	ws_client_destroy(p->client);
	httpd_destroy(p->server);
	uv_close((uv_handle_t *)&p->guard, NULL);
	assert_int_equal(uv_run(&p->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&p->loop), 0);
	tls_destroy(p->server_tls);
	tls_destroy(p->client_tls);
}

static void
test_good(void **state)
{
	struct tls_pair p;
	static char big[1000000];
	(void)state;
	if (!has_certs)
		skip();
	pair_open(&p, "localhost", "ca.pem");
	pair_connect(&p, "localhost");
	pair_wait(&p, &p.opens, 1);
	assert_int_equal(ws_client_send(p.client, WS_BINARY, "abc", 3), 0);
	pair_wait(&p, &p.messages, 1);
	assert_int_equal(p.bytes, 3);
	/* Many records, writes that block, appended to meanwhile. */
	assert_int_equal(
	    ws_client_send(p.client, WS_BINARY, big, sizeof(big)), 0);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(
		    ws_client_send(p.client, WS_BINARY, big, 5000), 0);
		(void)uv_run(&p.loop, UV_RUN_NOWAIT);
	}
	pair_wait(&p, &p.messages, 102);
	assert_int_equal(p.bytes, 3 + sizeof(big) + 100 * 5000);
	pair_close(&p);
}

static void
test_resumption(void **state)
{
	struct tls_pair p;
	(void)state;
	if (!has_certs)
		skip();
	pair_open(&p, "localhost", "ca.pem");
	pair_connect(&p, "localhost");
	pair_wait(&p, &p.opens, 1);
	assert_int_equal(tls_resumed_n(p.client_tls), 0);
	ws_client_drop(p.client);
	assert_int_equal(ws_client_connect(p.client), 0);
	pair_wait(&p, &p.opens, 2);
	assert_int_equal(tls_resumed_n(p.client_tls), 1);
	assert_int_equal(ws_client_send(p.client, WS_BINARY, "abc", 3), 0);
	pair_wait(&p, &p.messages, 1);
	pair_close(&p);
}

static void
test_wrong_host(void **state)
{
	struct tls_pair p;
	(void)state;
	if (!has_certs)
		skip();
	pair_open(&p, "elsewhere.test", "ca.pem");
	pair_connect(&p, "localhost");
	pair_wait(&p, &p.closes, 1);
	assert_int_equal(p.end, WS_END_TLS);
	assert_non_null(strstr(p.text, "does not match"));
	assert_int_equal(p.opens, 0);
	pair_close(&p);
}

static void
test_address_is_no_name(void **state)
{
	struct tls_pair p;
	(void)state;
	if (!has_certs)
		skip();
	pair_open(&p, "localhost", "ca.pem");
	pair_connect(&p, "127.0.0.1");
	pair_wait(&p, &p.closes, 1);
	assert_int_equal(p.end, WS_END_TLS);
	assert_int_equal(p.opens, 0);
	pair_close(&p);
}

static void
test_unknown_authority(void **state)
{
	struct tls_pair p;
	(void)state;
	if (!has_certs)
		skip();
	pair_open(&p, "localhost", "other.pem");
	pair_connect(&p, "localhost");
	pair_wait(&p, &p.closes, 1);
	assert_int_equal(p.end, WS_END_TLS);
	assert_non_null(strstr(p.text, "not correctly signed"));
	/* A failed handshake leaves nothing to resume. */
	assert_int_equal(ws_client_connect(p.client), 0);
	pair_wait(&p, &p.closes, 2);
	assert_int_equal(p.end, WS_END_TLS);
	pair_close(&p);
}

static void
done(void *user, const struct http_result *r)
{
	struct tls_pair *p = user;
	p->messages++;
	p->bytes = r->body_n;
	(void)snprintf(
	    p->text, sizeof(p->text), "%s", r->error != NULL ? r->error : "");
}

static void
call(struct tls_pair *p, const char *ca)
{
	char url[128];
	struct http_client_cfg cfg = {.loop = &p->loop, .ca_path = cert(ca)};
	struct http_client *h = http_client_create(&cfg);
	assert_non_null(h);
	(void)snprintf(url, sizeof(url), "https://localhost:%u/ok",
	    (unsigned)httpd_port(p->server));
	struct http_call get = {.url = url};
	assert_int_equal(http_client_call(h, &get, done, p), 0);
	unsigned want = p->messages + 1;
	pair_wait(p, &p->messages, want);
	http_client_destroy(h);
}

static void
test_https_client(void **state)
{
	struct tls_pair p;
	(void)state;
	if (!has_certs)
		skip();
	pair_open(&p, "localhost", "ca.pem");
	call(&p, "ca.pem");
	assert_string_equal(p.text, "");
	assert_int_equal(p.bytes, 4);
	call(&p, "other.pem");
	assert_string_not_equal(p.text, "");
	pair_close(&p);
}

static void
test_bad_files(void **state)
{
	char err[256] = "";
	(void)state;
	if (!has_certs)
		skip();
	assert_null(tls_client_create(cert("none.pem"), err, sizeof(err)));
	assert_non_null(strstr(err, "none.pem"));
	assert_null(tls_client_create(cert("ca.key"), err, sizeof(err)));
	assert_null(tls_server_create(
	    cert("ca.pem"), cert("none.key"), err, sizeof(err)));
	assert_non_null(strstr(err, "none.key"));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_resumption),
	    cmocka_unit_test(test_wrong_host),
	    cmocka_unit_test(test_address_is_no_name),
	    cmocka_unit_test(test_unknown_authority),
	    cmocka_unit_test(test_https_client),
	    cmocka_unit_test(test_bad_files),
	};
	return cmocka_run_group_tests(tests, make_certs, remove_certs);
}

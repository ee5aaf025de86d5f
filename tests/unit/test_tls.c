/* links: libsys libshm libcore */
/*
 * WebSocket and HTTP over TLS on loopback, with certificates made here by
 * the openssl tool; skipped where that is missing.
 */
#define _GNU_SOURCE
#include "tests/unit/tlskit.h"

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

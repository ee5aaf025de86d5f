/* links: libsys libshm libcore */
/*
 * Every way a connection can fail has a name, on both transports: DNS,
 * refusal, TLS version, certificates, silence, HTTP statuses. Certificates
 * and a server of TLS 1.3 alone come from the openssl tool.
 */
#define _GNU_SOURCE
#include "tests/unit/tlskit.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "libcore/fixed.h"
#include "libsys/advice.h"
#include "libsys/clock.h"
#include "libsys/httpmsg.h"

static bool transport_mbedtls;
static bool transport_curl = true;

static void
choose(void **state)
{
	use_curl = **(bool **)state;
	if (!has_certs)
		skip();
}

/* One connection that must not open. */
static void
expect(struct tls_pair *p, enum ws_end end, enum reason why)
{
	pair_wait(p, &p->closes, 1);
	print_message("%s: %s: %s\n", reason_name(p->ended.reason), p->text,
	    advice_conn(p->ended.reason, p->code));
	assert_int_equal(p->opens, 0);
	assert_int_equal(p->end, end);
	assert_int_equal(p->ended.reason, why);
	assert_true(p->text[0] != '\0');
	assert_true(advice_conn(p->ended.reason, p->code)[0] != '\0');
	pair_close(p);
}

/* ---- what works ---- */

static void
test_echo_and_big(void **state)
{
	static char big[1000000];
	struct tls_pair p;
	choose(state);
	pair_open(&p, "localhost", "ca.pem");
	pair_connect(&p, "localhost");
	pair_wait(&p, &p.opens, 1);
	assert_int_equal(ws_client_send(p.client, WS_BINARY, "abc", 3), 0);
	pair_wait(&p, &p.messages, 1);
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
	ws_client_close(p.client, 1000, "");
	pair_wait(&p, &p.closes, 1);
	assert_int_equal(p.end, WS_END_LOCAL);
	assert_int_equal(p.ended.reason, REASON_NONE);
	pair_close(&p);
}

static void
test_resumed(void **state)
{
	struct tls_pair p;
	choose(state);
	if (use_curl) {
		print_message(
		    "skipped: libcurl resumes TLS 1.3; see test_tls13_only\n");
		skip();
	}
	pair_open(&p, "localhost", "ca.pem");
	pair_connect(&p, "localhost");
	pair_wait(&p, &p.opens, 1);
	assert_int_equal(pair_resumed_n(&p), 0);
	for (unsigned i = 2; i <= 4; i++) {
		ws_client_drop(p.client);
		assert_int_equal(ws_client_connect(p.client), 0);
		pair_wait(&p, &p.opens, i);
		assert_int_equal(pair_resumed_n(&p), i - 1);
		assert_int_equal(ws_client_stats(p.client)->resumed, i - 1);
	}
	assert_int_equal(ws_client_send(p.client, WS_BINARY, "abc", 3), 0);
	pair_wait(&p, &p.messages, 1);
	pair_close(&p);
}

/* Two at once, one context: each gets its own end. */
static void
test_two_at_once(void **state)
{
	struct tls_pair p;
	struct tls_pair q;
	choose(state);
	pair_open(&p, "localhost", "ca.pem");
	pair_open(&q, "elsewhere.test", "ca.pem");
	pair_connect(&p, "localhost");
	pair_connect(&q, "localhost");
	while (p.opens < 1 || q.closes < 1) {
		(void)uv_run(&p.loop, UV_RUN_NOWAIT);
		(void)uv_run(&q.loop, UV_RUN_NOWAIT);
		assert_false(p.is_stuck || q.is_stuck);
	}
	assert_int_equal(q.ended.reason, REASON_CERT_HOST);
	pair_close(&p);
	pair_close(&q);
}

/* ---- certificates ---- */

static void
test_expired(void **state)
{
	struct tls_pair p;
	choose(state);
	pair_open(&p, "expired", "ca.pem");
	pair_connect(&p, "localhost");
	expect(&p, WS_END_TLS, REASON_CERT_TIME);
}

static void
test_other_host(void **state)
{
	struct tls_pair p;
	choose(state);
	pair_open(&p, "elsewhere.test", "ca.pem");
	pair_connect(&p, "localhost");
	expect(&p, WS_END_TLS, REASON_CERT_HOST);
}

static void
test_unknown_ca(void **state)
{
	struct tls_pair p;
	choose(state);
	pair_open(&p, "localhost", "other.pem");
	pair_connect(&p, "localhost");
	expect(&p, WS_END_TLS, REASON_CERT_AUTHORITY);
}

/* ---- names, ports, silence ---- */

static void
test_no_such_name(void **state)
{
	struct tls_pair p;
	choose(state);
	pair_open(&p, "localhost", "ca.pem");
	pair_connect_port(&p, "no-such-host.invalid", 443);
	expect(&p, WS_END_DNS, REASON_DNS);
}

static void
test_refused_port(void **state)
{
	struct tls_pair p;
	int fd = net_listen("127.0.0.1", 0, 1);
	uint16_t port = net_local_port(fd);
	close(fd);
	choose(state);
	pair_open(&p, "localhost", "ca.pem");
	pair_connect_port(&p, "localhost", port);
	expect(&p, WS_END_CONNECT, REASON_REFUSED);
}

/* The kernel takes the connection, nobody ever answers. */
static void
test_half_open(void **state)
{
	struct tls_pair p;
	char url[64];
	int fd = net_listen("127.0.0.1", 0, 4);
	choose(state);
	pair_open(&p, "localhost", "ca.pem");
	(void)snprintf(url, sizeof(url), "wss://localhost:%u/ws",
	    (unsigned)net_local_port(fd));
	pair_connect_url(&p, url, 200);
	pair_wait(&p, &p.closes, 1);
	assert_non_null(strstr(p.text, "TLS handshake"));
	expect(&p, WS_END_TIMEOUT, REASON_OPEN_TIMEOUT);
	close(fd);
}

static void
test_peer_closes(void **state)
{
	struct tls_pair p;
	choose(state);
	pair_open(&p, "localhost", "ca.pem");
	pair_connect(&p, "localhost");
	pair_wait(&p, &p.opens, 1);
	while (httpd_conn_n(p.server) == 0)
		(void)uv_run(&p.loop, UV_RUN_ONCE);
	httpd_destroy(p.server);
	pair_wait(&p, &p.closes, 1);
	assert_int_equal(p.ended.reason, REASON_PEER_CLOSED);
	p.server = NULL;
	pair_close(&p);
}

/* ---- a server of TLS 1.3 alone ---- */

static pid_t
start_s_server(uint16_t port)
{
	char number[8];
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	(void)snprintf(number, sizeof(number), "%u", (unsigned)port);
	if (freopen("/dev/null", "r+", stdin) == NULL ||
	    freopen("/dev/null", "w", stdout) == NULL ||
	    freopen("/dev/null", "w", stderr) == NULL)
		_exit(1);
	execlp("openssl", "openssl", "s_server", "-accept", number, "-tls1_3",
	    "-cert", cert("localhost.pem"), "-key", cert("localhost.key"),
	    "-www", "-quiet", (char *)NULL);
	_exit(1);
}

/* s_server -www answers an upgrade with a page: TLS is through by then. */
static void
test_tls13_only(void **state)
{
	struct tls_pair p;
	char url[64];
	int fd = net_listen("127.0.0.1", 0, 1);
	uint16_t port = net_local_port(fd);
	close(fd);
	choose(state);
	pid_t pid = start_s_server(port);
	pair_open(&p, "localhost", "ca.pem");
	(void)snprintf(
	    url, sizeof(url), "wss://localhost:%u/ws", (unsigned)port);
	pair_connect_url(&p, url, 5000);
	pair_wait(&p, &p.closes, 1);
	for (unsigned i = 0; i < 200 && p.end == WS_END_CONNECT; i++) {
		usleep(20000);
		assert_int_equal(ws_client_connect(p.client), 0);
		pair_wait(&p, &p.closes, i + 2);
	}
	if (use_curl) {
		unsigned want = p.closes + 1;
		assert_int_equal(pair_resumed_n(&p), 0);
		assert_int_equal(ws_client_connect(p.client), 0);
		pair_wait(&p, &p.closes, want);
		assert_int_equal(pair_resumed_n(&p), 1);
	}
	print_message("%s: %s\n", reason_name(p.ended.reason), p.text);
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	if (use_curl) {
		assert_int_equal(p.end, WS_END_UPGRADE);
		assert_int_equal(p.code, 200);
	} else {
		assert_int_equal(p.ended.reason, REASON_TLS_VERSION);
		assert_non_null(strstr(p.text, "set feed.transport: curl"));
	}
	pair_close(&p);
}

/* ---- HTTP: what a REST call and a refused upgrade say ---- */

struct seen {
	unsigned n;
	bool has_error;
	struct http_result r;
	char body[256];
};

static void
note_answer(void *user, const struct http_result *r)
{
	struct seen *s = user;
	s->n++;
	s->r = *r;
	s->has_error = r->error != NULL;
	(void)snprintf(s->body, sizeof(s->body), "%s", r->body);
	print_message("%s: %u %s\n", reason_name(r->reason), r->status,
	    r->error != NULL ? r->error : "");
}

static void
get(struct tls_pair *p, const char *url, uint64_t limit_ms, struct seen *s)
{
	struct http_client_cfg cfg = {
	    .loop = &p->loop, .ca_path = cert("ca.pem")};
	struct http_call call = {.url = url, .timeout_ms = limit_ms};
	struct http_client *h = http_client_create(&cfg);
	assert_non_null(h);
	memset(s, 0, sizeof(*s));
	assert_int_equal(http_client_call(h, &call, note_answer, s), 0);
	pair_wait(p, &s->n, 1);
	http_client_destroy(h);
}

static void
test_rest_statuses(void **state)
{
	static const char html[] = "<html><body>502 Bad Gateway</body></html>";
	static const struct {
		struct httpd_answer a;
		enum reason why;
		uint32_t retry_after_s;
		uint32_t used_weight;
	} cases[] = {
	    {{.status = 200, .body = "{}", .body_n = 2}, REASON_NONE, 0, 0},
	    {{.status = 200, .extra = "X-MBX-USED-WEIGHT-1M: 5123\r\n"},
		REASON_NONE, 0, 5123},
	    {{.status = 429, .extra = "Retry-After: 17\r\n"},
		REASON_HTTP_REFUSED, 17, 0},
	    {{.status = 425, .body = "{}", .body_n = 2}, REASON_HTTP_REFUSED, 0,
		0},
	    {{.status = 503, .extra = "Retry-After: soon\r\n"},
		REASON_HTTP_REFUSED, 0, 0},
	    {{.status = 502,
		 .type = "text/html",
		 .body = html,
		 .body_n = sizeof(html) - 1},
		REASON_HTTP_REFUSED, 0, 0},
	};
	struct tls_pair p;
	struct seen s;
	char url[64];
	choose(state);
	pair_open(&p, "localhost", "ca.pem");
	(void)snprintf(url, sizeof(url), "https://localhost:%u/x",
	    (unsigned)httpd_port(p.server));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t wall_ns = (int64_t)clock_wall_ns();
		uint64_t from_ns = clock_mono_ns();
		p.refusal = cases[i].a;
		get(&p, url, 0, &s);
		assert_false(s.has_error);
		assert_int_equal(s.r.status, cases[i].a.status);
		assert_int_equal(s.r.reason, cases[i].why);
		assert_int_equal(s.r.retry_after_s, cases[i].retry_after_s);
		assert_int_equal(s.r.used_weight, cases[i].used_weight);
		if (cases[i].a.body != NULL)
			assert_string_equal(s.body, cases[i].a.body);
		assert_true(s.r.sent_ns >= from_ns);
		assert_true(s.r.sent_ns <= clock_mono_ns());
		assert_true(s.r.date_ns % NS_PER_S == 0);
		assert_true(s.r.date_ns > wall_ns - 5 * NS_PER_S &&
			    s.r.date_ns < wall_ns + 10 * NS_PER_S);
	}
	/* The Date of a cached answer is not the present. */
	p.refusal =
	    (struct httpd_answer){.status = 200, .extra = "Age: 31\r\n"};
	get(&p, url, 0, &s);
	assert_int_equal(s.r.reason, REASON_NONE);
	assert_int_equal(s.r.date_ns, 0);
	pair_close(&p);
}

/* A file of authorities that is not there: its own reason, not TLS's. */
static void
test_rest_without_authorities(void **state)
{
	struct tls_pair p;
	struct seen s;
	struct http_client_cfg cfg = {.ca_path = "/nowhere/ca.pem"};
	struct http_call call = {0};
	char url[64];
	choose(state);
	pair_open(&p, "localhost", "ca.pem");
	(void)snprintf(url, sizeof(url), "https://localhost:%u/x",
	    (unsigned)httpd_port(p.server));
	cfg.loop = &p.loop;
	call.url = url;
	struct http_client *h = http_client_create(&cfg);
	assert_non_null(h);
	memset(&s, 0, sizeof(s));
	assert_int_equal(http_client_call(h, &call, note_answer, &s), 0);
	pair_wait(&p, &s.n, 1);
	assert_int_equal(s.r.reason, REASON_CA_FILE);
	http_client_destroy(h);
	pair_close(&p);
}

static void
test_rest_failures(void **state)
{
	struct tls_pair p;
	struct seen s;
	char url[64];
	int fd = net_listen("127.0.0.1", 0, 4);
	int gone = net_listen("127.0.0.1", 0, 4);
	uint16_t port = net_local_port(gone);
	close(gone);
	choose(state);
	pair_open(&p, "expired", "ca.pem");
	(void)snprintf(url, sizeof(url), "https://localhost:%u/x",
	    (unsigned)httpd_port(p.server));
	get(&p, url, 0, &s);
	assert_int_equal(s.r.reason, REASON_CERT_TIME);
	assert_int_equal(s.r.sent_ns, 0);
	get(&p, "http://no-such-host.invalid/", 0, &s);
	assert_int_equal(s.r.reason, REASON_DNS);
	(void)snprintf(
	    url, sizeof(url), "http://localhost:%u/", (unsigned)port);
	get(&p, url, 0, &s);
	assert_int_equal(s.r.reason, REASON_REFUSED);
	(void)snprintf(url, sizeof(url), "http://localhost:%u/",
	    (unsigned)net_local_port(fd));
	get(&p, url, 200, &s);
	assert_int_equal(s.r.reason, REASON_SILENT);
	(void)snprintf(url, sizeof(url), "https://localhost:%u/",
	    (unsigned)net_local_port(fd));
	get(&p, url, 200, &s);
	assert_int_equal(s.r.reason, REASON_OPEN_TIMEOUT);
	pair_close(&p);
	close(fd);
}

/* A child that answers one request with these bytes. */
static pid_t
answer_raw(int listen_fd, const char *answer)
{
	char buf[4096];
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	int fd;
	while ((fd = net_accept(listen_fd)) < 0)
		usleep(1000);
	while (read(fd, buf, sizeof(buf)) < 0)
		usleep(1000);
	_exit(write(fd, answer, strlen(answer)) > 0 ? 0 : 1);
}

/* The body of a refusal may be chunked, which we do not take elsewhere. */
static void
test_upgrade_refused(void **state)
{
	static const char answer[] = "HTTP/1.1 429 Too Many Requests\r\n"
				     "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
				     "Retry-After: 9\r\n"
				     "Transfer-Encoding: chunked\r\n\r\n"
				     "3\r\nno!\r\n0\r\n\r\n";
	struct tls_pair p;
	char url[64];
	int fd = net_listen("127.0.0.1", 0, 4);
	choose(state);
	pair_open(&p, "localhost", "ca.pem");
	pid_t pid = answer_raw(fd, answer);
	(void)snprintf(url, sizeof(url), "ws://127.0.0.1:%u/ws",
	    (unsigned)net_local_port(fd));
	pair_connect_url(&p, url, 5000);
	pair_wait(&p, &p.closes, 1);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(p.code, 429);
	assert_int_equal(p.ended.retry_after_s, 9);
	assert_true(p.ended.date_ns == 784111777 * NS_PER_S);
	assert_non_null(strstr(p.text, "429"));
	expect(&p, WS_END_UPGRADE, REASON_HTTP_REFUSED);
	close(fd);
}

static void
test_dates(void **state)
{
	static const struct {
		const char *text;
		int64_t s;
	} cases[] = {
	    {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
	    {"Thu, 01 Jan 1970 00:00:01 GMT", 1},
	    {"Thu, 29 Feb 2024 23:59:59 GMT", 1709251199},
	    {"Fri, 01 Mar 2024 00:00:00 GMT", 1709251200},
	    {"Wed, 31 Dec 2025 23:59:59 GMT", 1767225599},
	    {"Sat, 01 Mar 2200 00:00:00 GMT", 7263216000},
	    {"Sunday, 06-Nov-94 08:49:37 GMT", 0},
	    {"Sun, 06 Nov 1994 08:49:37 UTC", 0},
	    {"Sun, 06 ovD 1994 08:49:37 GMT", 0},
	    {"Sun, 0x Nov 1994 08:49:37 GMT", 0},
	    {"", 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_text t = {cases[i].text, strlen(cases[i].text)};
		assert_int_equal(http_date_parse(t), cases[i].s * NS_PER_S);
	}
	assert_int_equal(http_seconds_parse((struct http_text){"120", 3}), 120);
	assert_int_equal(http_seconds_parse((struct http_text){"-1", 2}), 0);
	assert_int_equal(
	    http_seconds_parse((struct http_text){"99999999", 8}), 0);
}

int
main(void)
{
#define BOTH(f)                                             \
	{#f "_mbedtls", f, NULL, NULL, &transport_mbedtls}, \
	{                                                   \
#f "_curl", f, NULL, NULL, &transport_curl  \
	}
	static const struct CMUnitTest tests[] = {
	    BOTH(test_echo_and_big),
	    BOTH(test_resumed),
	    BOTH(test_two_at_once),
	    BOTH(test_expired),
	    BOTH(test_other_host),
	    BOTH(test_unknown_ca),
	    BOTH(test_no_such_name),
	    BOTH(test_refused_port),
	    BOTH(test_half_open),
	    BOTH(test_peer_closes),
	    BOTH(test_tls13_only),
	    {"test_upgrade_refused", test_upgrade_refused, NULL, NULL,
		&transport_mbedtls},
	    {"test_rest_statuses", test_rest_statuses, NULL, NULL,
		&transport_curl},
	    {"test_rest_without_authorities", test_rest_without_authorities,
		NULL, NULL, &transport_mbedtls},
	    {"test_rest_failures", test_rest_failures, NULL, NULL,
		&transport_curl},
	    cmocka_unit_test(test_dates),
	};
	return cmocka_run_group_tests(tests, make_certs, remove_certs);
}

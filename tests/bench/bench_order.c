/* links: execd libvenue libsign libsys libshm libcore */
/*
 * bench_order.c - what an order costs on its way out.
 *
 * Wire   : the whole round trip of a POST of 1,000 bytes over HTTPS to a
 *          server in another process, on a warm connection: a hand-built
 *          client, which knows the length of the answer (the floor), and the
 *          pool of execd; both spinning and both sleeping in the kernel.
 * Port   : from the act to the finished request of the Polymarket port: an
 *          order that is signed, one that was signed ahead, a cancel.
 * Bars   : wire 40 us spinning, 75 us sleeping; order 30 us, signed ahead
 *          5 us, cancel 5 us.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "execd/gw_pm.h"
#include "execd/pool_io.h"
#include "libcore/check.h"
#include "libsign/key.h"
#include "libsys/clock.h"
#include "libsys/httpd.h"
#include "libsys/net.h"
#include "tests/bench/bench.h"

#define ROUNDS_MAX 5000u
#define BODY_N	   1000u
#define ANSWER                                                            \
	"{\"success\":true,\"errorMsg\":\"\",\"orderID\":\"0x00000000000" \
	"00000000000000000000000000000000000000000000000000000\","        \
	"\"status\":\"live\"}"

static char dir[] = "/tmp/ringmaker-bench-XXXXXX";
static uint64_t took[ROUNDS_MAX];
static uint64_t sum; /* of what came out */

static size_t
rounds(void)
{
	return bench_quick() ? 50 : ROUNDS_MAX;
}

/* ---- the server ---- */

static void
reply(void *user, struct httpd_conn *c, const struct httpd_request *r)
{
	struct httpd_answer a = {
	    .status = 200, .body = ANSWER, .body_n = sizeof(ANSWER) - 1};

	(void)user;
	(void)r;
	(void)httpd_reply(c, &a);
}

static void
serve(int ready, bool is_spinning)
{
	char cert[64];
	char key[64];
	char err[256];
	uv_loop_t loop;
	uint16_t port;
	int rc;
	struct httpd_cfg cfg = {.loop = &loop,
	    .host = "127.0.0.1",
	    .events = {.on_request = reply}};
	struct httpd *s;

	(void)snprintf(cert, sizeof(cert), "%s/cert.pem", dir);
	(void)snprintf(key, sizeof(key), "%s/key.pem", dir);
	CHECK(uv_loop_init(&loop) == 0);
	cfg.tls = tls_server_create(cert, key, err, sizeof(err));
	CHECK(cfg.tls != NULL);
	s = httpd_create(&cfg, &rc);
	CHECK(s != NULL);
	port = httpd_port(s);
	CHECK(write(ready, &port, sizeof(port)) == sizeof(port));
	while (is_spinning)
		(void)uv_run(&loop, UV_RUN_NOWAIT);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
}

static pid_t
start_server(uint16_t *port, bool is_spinning)
{
	int ready[2];
	pid_t pid;

	CHECK(pipe(ready) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(ready[1], is_spinning);
		_exit(0);
	}
	CHECK(read(ready[0], port, sizeof(*port)) == sizeof(*port));
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void
stop_server(pid_t pid)
{
	kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

static const char *
cert_path(void)
{
	static char path[64];

	(void)snprintf(path, sizeof(path), "%s/cert.pem", dir);
	return path;
}

/* ---- the floor ---- */

static void
wait_for(const struct transport *t, int what, bool is_spinning)
{
	struct pollfd p = {
	    t->fd, what == TRANSPORT_WANT_WRITE ? POLLOUT : POLLIN, 0};

	if (!is_spinning)
		(void)poll(&p, 1, -1);
}

static void
hand_call(struct transport *t, const char *request, size_t n, bool is_spinning)
{
	static char buf[4096];
	size_t at = 0;

	for (size_t put = 0; put < n;) {
		ssize_t rc = transport_send(t, request + put, n - put);

		CHECK(rc > 0 || rc == TRANSPORT_WANT_WRITE);
		put += rc > 0 ? (size_t)rc : 0;
	}
	/* The end of the answer is the end of its body. */
	while (at < sizeof(ANSWER) || memcmp(buf + at - (sizeof(ANSWER) - 1),
					  ANSWER, sizeof(ANSWER) - 1) != 0) {
		ssize_t rc = transport_recv(t, buf + at, sizeof(buf) - at);

		CHECK(rc > 0 || rc == TRANSPORT_WANT_READ);
		if (rc > 0)
			at += (size_t)rc;
		else
			wait_for(t, TRANSPORT_WANT_READ, is_spinning);
	}
	sum += (uint64_t)buf[20];
}

static double
hand_client(uint16_t port, bool is_spinning)
{
	static char request[2048];
	char err[256];
	struct tls_ctx *tls = tls_client_create(cert_path(), err, sizeof(err));
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = net_connect((struct sockaddr *)&to, sizeof(to));
	struct transport t;
	size_t n = (size_t)snprintf(request, sizeof(request),
	    "POST /order HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
	    "%u\r\nContent-Type: application/json\r\n\r\n",
	    BODY_N);
	int rc;

	CHECK(tls != NULL && fd >= 0);
	CHECK(tls_transport_init(&t, tls, fd, "localhost") == 0);
	while ((rc = transport_handshake(&t)) != 0) {
		CHECK(rc != TRANSPORT_FAILED);
		wait_for(&t, rc, false);
	}
	memset(request + n, 'x', BODY_N);
	n += BODY_N;
	for (size_t i = 0; i < rounds() / 10; i++)
		hand_call(&t, request, n, is_spinning);
	for (size_t i = 0; i < rounds(); i++) {
		uint64_t at = bench_now_ns();

		hand_call(&t, request, n, is_spinning);
		took[i] = bench_now_ns() - at;
	}
	transport_close(&t);
	tls_destroy(tls);
	return bench_quantile(took, rounds(), 500);
}

/* ---- the pool ---- */

static unsigned answers;
static uv_loop_t *pool_loop;

static bool
may_send(void *user)
{
	(void)user;
	return true;
}

static void
on_answer(void *user, const struct pool_answer *a)
{
	(void)user;
	CHECK(a->status == 200);
	sum += (uint64_t)a->n;
	answers++;
	/* It may come from a timer, before the loop goes to sleep. */
	uv_stop(pool_loop);
}

static void
pool_once(uv_loop_t *loop, struct pool *p, bool is_spinning)
{
	static char body[BODY_N + 1];
	struct pool_call c = {.role = POOL_ORDERS,
	    .method = "POST",
	    .target = "/order",
	    .headers = "Content-Type: application/json\r\n",
	    .body = body,
	    .body_n = BODY_N,
	    .timeout_ns = UINT64_C(5000000000),
	    .is_once = true,
	    .is_gated = true};
	unsigned had = answers;

	memset(body, 'x', BODY_N);
	CHECK(pool_call(p, &c) == 0);
	while (answers == had)
		(void)uv_run(loop, is_spinning ? UV_RUN_NOWAIT : UV_RUN_ONCE);
}

static void
pool_client(uint16_t port, bool is_spinning, double floor_ns)
{
	char url[64];
	uv_loop_t loop;
	struct pool_cfg cfg = {.loop = &loop,
	    .url = url,
	    .ca_path = cert_path(),
	    .connections = {0, 4, 2, 0, 0},
	    .keep_warm_ns = UINT64_C(60000000000),
	    .warm_target = "/time",
	    .may_send = may_send,
	    .on_answer = on_answer};
	struct pool *p;

	(void)snprintf(url, sizeof(url), "https://localhost:%u", port);
	CHECK(uv_loop_init(&loop) == 0);
	pool_loop = &loop;
	p = pool_open(&cfg);
	CHECK(p != NULL);
	while (pool_stats(p)->warm < 6)
		(void)uv_run(&loop, UV_RUN_ONCE);
	for (size_t i = 0; i < rounds() / 10; i++)
		pool_once(&loop, p, is_spinning);
	for (size_t i = 0; i < rounds(); i++) {
		uint64_t at = bench_now_ns();

		pool_once(&loop, p, is_spinning);
		took[i] = bench_now_ns() - at;
	}
	CHECK(pool_stats(p)->cold == 0 && pool_stats(p)->guarded == 0);
	bench_report(is_spinning ? "order_https_spin" : "order_https_block",
	    took, rounds(), floor_ns);
	pool_close(p);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	CHECK(uv_loop_close(&loop) == 0);
}

static void
wire(bool is_spinning)
{
	uint16_t port;
	pid_t pid = start_server(&port, is_spinning);
	double floor_ns = hand_client(port, is_spinning);

	bench_line(is_spinning ? "hand_https_spin_p50" : "hand_https_block_p50",
	    floor_ns, "ns", NULL, 0);
	pool_client(port, is_spinning, floor_ns);
	stop_server(pid);
}

/* ---- the port ---- */

static struct {
	struct gwpm g;
	struct gwpm_book book;
	struct gwpm_sink sink;
	struct secp secp;
	struct pm_creds creds;
	uint8_t key[32];
	struct gwpm_now now;
	uint64_t tag; /* of the last order or cancel */
	uint64_t ask[GWPM_CALLS];
	const char *target[GWPM_CALLS];
	unsigned ask_n;
	uint64_t counter;
} port;

static void
to_http(void *user, const struct gwpm_http *h)
{
	static const char *const asks[] = {"/version", "/auth", "/balance",
	    "/data/orders", "/data/trades", "/data/order/"};

	(void)user;
	sum += (uint64_t)h->headers[40] + (h->body != NULL ? h->body_n : 0);
	for (size_t i = sizeof(asks) / sizeof(asks[0]); i-- > 0;)
		if (strncmp(h->target, asks[i], strlen(asks[i])) == 0) {
			CHECK(port.ask_n < GWPM_CALLS);
			port.target[port.ask_n] = asks[i];
			port.ask[port.ask_n++] = h->tag;
			return;
		}
	port.tag = h->tag;
}

static void
to_channel(void *user, const char *text, size_t n)
{
	(void)user;
	(void)text;
	sum += n;
}

static void
to_event(void *user, const struct port_event *ev)
{
	(void)user;
	sum += ev->what;
}

static void
to_mode(void *user, enum port_mode mode, const char *text)
{
	(void)user;
	(void)text;
	sum += mode;
}

static void
to_log(
    void *user, enum gwpm_log what, int64_t value, const char *text, size_t n)
{
	(void)user;
	(void)value;
	(void)text;
	sum += what + n;
}

static void
to_clock(void *user, int64_t offset_ns)
{
	(void)user;
	sum += (uint64_t)offset_ns;
}

static void
answer(uint64_t tag, const char *text)
{
	struct gwpm_answer a = {.tag = tag,
	    .status = 200,
	    .was_sent = true,
	    .body = text,
	    .n = strlen(text),
	    .retry_after_s = -1,
	    .left = INT64_MIN};

	gwpm_answer(&port.g, &a, &port.now);
}

static void
answer_asks(void)
{
	while (port.ask_n > 0) {
		const char *t = port.target[--port.ask_n];
		uint64_t tag = port.ask[port.ask_n];

		if (strcmp(t, "/version") == 0)
			answer(tag, "{\"version\":2}");
		else if (strcmp(t, "/auth") == 0)
			answer(tag, "{\"closed_only\":false}");
		else if (strcmp(t, "/balance") == 0)
			answer(tag, "{\"balance\":\"1000000000\"}");
		else
			answer(tag, "{\"data\":[],\"next_cursor\":\"LTE=\"}");
	}
}

static void
pass(uint64_t ns)
{
	port.now.ns += ns;
	port.now.wall_ns += (int64_t)ns;
	gwpm_timer(&port.g, &port.now);
	answer_asks();
}

static void
port_open(void)
{
	struct gwpm_setup set = {.secp = &port.secp,
	    .key = port.key,
	    .creds = &port.creds,
	    .secret = "AAAA",
	    .account = {.owner = "3b10aacc-fde9-4836-afd3"},
	    .chain_id = PM_CHAIN_POLYGON,
	    .order_timeout_ns = UINT64_C(5000000000),
	    .fill_poll_ns = UINT64_C(1000000000),
	    .has_presign = true,
	    .presign_tolerance = QTY(E8 / 10),
	    .epoch = 1};
	struct instr in = {.epoch = 1,
	    .tick_px = PX(E8 / 1000),
	    .min_qty = QTY(5 * E8),
	    .token_kind = TOKEN_CONDITIONAL,
	    .token_yes = {1},
	    .token_no = {2}};
	struct pm_creds_text text = {&set.account.signer, set.account.owner,
	    "-pqPx4XcU__npqI5VjHf8H8Ks4NLpTTnzc3lUItrr-U=", "pass"};
	uint8_t seed[32];

	port.key[31] = 42;
	CHECK(key_random(seed, sizeof(seed)) == 0);
	secp_init(&port.secp, seed);
	CHECK(secp_address(&port.secp, port.key, &set.account.signer));
	set.account.maker = set.account.signer;
	CHECK(pm_creds_init(&port.creds, &text));
	port.sink = (struct gwpm_sink){
	    NULL, to_http, to_channel, to_event, to_mode, to_log, to_clock};
	port.now = (struct gwpm_now){
	    UINT64_C(1000000000), INT64_C(1790000000) * NS_PER_S};
	CHECK(gwpm_init(&port.g, &set, &port.book, &port.sink));
	gwpm_market(&port.g, 16, &in);
	gwpm_start(&port.g, &port.now);
	gwpm_user_up(&port.g, &port.now);
	for (int i = 0; i < 20; i++)
		pass(UINT64_C(100000000));
}

static uint64_t
port_act(enum port_do what, uint64_t id, int64_t milli, uint64_t *ns)
{
	struct port_act a = {.what = what,
	    .slot = 1,
	    .id = id != 0 ? id : UINT64_C(3) << 40 | ++port.counter,
	    .instr = 16,
	    .epoch = 1,
	    .side = SIDE_BID,
	    .tif = TIF_GTC,
	    .oflags = ORDER_POST_ONLY,
	    .px = PX(milli * (E8 / 1000)),
	    .qty = QTY(100 * E8)};
	uint64_t at = bench_now_ns();

	gwpm_act(&port.g, &a, &port.now);
	gwpm_flush(&port.g, &port.now);
	*ns = bench_now_ns() - at;
	return a.id;
}

static void
port_live(uint64_t id)
{
	char text[256];
	char hash[PM_ID_TEXT_MAX];

	for (uint32_t i = 0; i < GWPM_ORDERS; i++)
		if (port.book.order[i].id == id)
			pm_id_text(port.book.order[i].hash.b, hash);
	(void)snprintf(text, sizeof(text),
	    "{\"success\":true,\"errorMsg\":\"\",\"orderID\":\"%s\","
	    "\"status\":\"live\"}",
	    hash);
	answer(port.tag, text);
}

static void
port_gone(uint64_t id)
{
	char text[256];
	char hash[PM_ID_TEXT_MAX];

	for (uint32_t i = 0; i < GWPM_ORDERS; i++)
		if (port.book.order[i].id == id)
			pm_id_text(port.book.order[i].hash.b, hash);
	(void)snprintf(text, sizeof(text),
	    "{\"canceled\":[\"%s\"],\"not_canceled\":{}}", hash);
	answer(port.tag, text);
}

static void
port_figures(void)
{
	static uint64_t signed_ns[ROUNDS_MAX];
	static uint64_t ahead_ns[ROUNDS_MAX];
	static uint64_t cancel_ns[2 * ROUNDS_MAX];
	size_t n = rounds() / 10;
	uint64_t hits;

	port_open();
	for (size_t i = 0; i < n; i++) {
		int64_t milli = 200 + (int64_t)(i % 500);
		uint64_t a = port_act(PORT_PLACE, 0, milli, &signed_ns[i]);
		uint64_t b;

		port_live(a);
		for (int k = 0; k < 8; k++)
			pass(UINT64_C(1000000));
		b = port_act(PORT_PLACE, 0, milli + 1, &ahead_ns[i]);
		port_live(b);
		(void)port_act(PORT_CANCEL, a, milli, &cancel_ns[2 * i]);
		port_gone(a);
		(void)port_act(PORT_CANCEL, b, milli, &cancel_ns[2 * i + 1]);
		port_gone(b);
		/* What was signed ahead for these grows old. */
		pass(GWPM_AHEAD_NS);
	}
	hits = port.g.stat.ahead_hits;
	CHECK(hits == n);
	bench_report("order_signed", signed_ns, n, 0);
	bench_report("order_signed_ahead", ahead_ns, n, 0);
	bench_report("order_cancel", cancel_ns, 2 * n, 0);
}

/* ---- all ---- */

static bool
make_cert(void)
{
	char cmd[512];

	(void)snprintf(cmd, sizeof(cmd),
	    "cd %s && openssl req -x509 -newkey ec -pkeyopt "
	    "ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost "
	    "-addext subjectAltName=DNS:localhost -keyout key.pem -out "
	    "cert.pem >/dev/null 2>&1",
	    dir);
	return system(cmd) == 0;
}

int
main(void)
{
	char cmd[64];

	(void)signal(SIGPIPE, SIG_IGN);
	CHECK(mkdtemp(dir) != NULL);
	if (make_cert()) {
		wire(true);
		wire(false);
	} else {
		printf("# left out: no openssl tool\n");
	}
	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	if (system(cmd) != 0)
		return 1;
	port_figures();
	printf("# checksum %llx\n", (unsigned long long)sum);
	return 0;
}

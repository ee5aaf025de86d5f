/* links: libsys libshm libcore */
/*
 * What a connection costs the loop that makes it: time from connect to open
 * (wall), and the longest single turn of the loop meanwhile (stall), which is
 * what the other connections of the stage wait for. Full handshakes and
 * resumed ones, both transports, to a server in another process; TLS 1.3 to
 * `openssl s_server` where there is one. Medians.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libcore/check.h"
#include "libsys/httpd.h"
#include "libsys/net.h"
#include "libsys/ws.h"
#include "tests/bench/bench.h"

#define CONNECTS_MAX 60u

enum how {
	HOW_MBEDTLS,
	HOW_CURL,
};

static char dir[] = "/tmp/ringmaker-bench-XXXXXX";
static unsigned connect_n = CONNECTS_MAX;

/* ---- servers ---- */

static bool
accept_all(void *user, struct httpd_conn *c, const struct http_head *h)
{
	(void)user;
	(void)c;
	(void)h;
	return true;
}

static void
no_requests(void *user, struct httpd_conn *c, const struct httpd_request *r)
{
	(void)user;
	(void)r;
	httpd_drop(c);
}

static void
serve(int ready)
{
	char cert[64];
	char key[64];
	char err[256];
	int rc;
	uv_loop_t loop;
	struct httpd_cfg cfg = {
	    .loop = &loop,
	    .host = "127.0.0.1",
	    .events = {.on_request = no_requests, .on_upgrade = accept_all},
	};
	(void)snprintf(cert, sizeof(cert), "%s/cert.pem", dir);
	(void)snprintf(key, sizeof(key), "%s/key.pem", dir);
	CHECK(uv_loop_init(&loop) == 0);
	cfg.tls = tls_server_create(cert, key, err, sizeof(err));
	CHECK(cfg.tls != NULL);
	struct httpd *s = httpd_create(&cfg, &rc);
	CHECK(s != NULL);
	uint16_t port = httpd_port(s);
	CHECK(write(ready, &port, sizeof(port)) == sizeof(port));
	(void)uv_run(&loop, UV_RUN_DEFAULT);
}

static pid_t
start_server(uint16_t *port)
{
	int ready[2];
	CHECK(pipe(ready) == 0);
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(ready[1]);
		_exit(0);
	}
	CHECK(read(ready[0], port, sizeof(*port)) == sizeof(*port));
	close(ready[0]);
	close(ready[1]);
	return pid;
}

/* It answers the upgrade with a page: TLS is through by then. */
static pid_t
start_tls13(uint16_t *port)
{
	char number[8];
	int fd = net_listen("127.0.0.1", 0, 1);
	*port = net_local_port(fd);
	close(fd);
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)snprintf(number, sizeof(number), "%u", (unsigned)*port);
	if (chdir(dir) != 0 || freopen("/dev/null", "r+", stdin) == NULL ||
	    freopen("/dev/null", "w", stdout) == NULL ||
	    freopen("/dev/null", "w", stderr) == NULL)
		_exit(1);
	execlp("openssl", "openssl", "s_server", "-accept", number, "-tls1_3",
	    "-cert", "cert.pem", "-key", "key.pem", "-www", "-quiet",
	    (char *)NULL);
	_exit(1);
}

/* ---- the client ---- */

struct client {
	uv_loop_t loop;
	bool is_open;
	enum ws_end end;
};

static void
on_open(void *user)
{
	struct client *c = user;
	c->is_open = true;
}

static void
on_message(void *user, const struct ws_message *m)
{
	(void)user;
	(void)m;
}

static void
on_close(void *user, enum ws_end end, unsigned code, const char *text)
{
	struct client *c = user;
	(void)code;
	(void)text;
	c->end = end;
}

/* Waits outside of the clock; returns what the turn took. */
static uint64_t
turn(uv_loop_t *loop)
{
	struct pollfd p = {.fd = uv_backend_fd(loop), .events = POLLIN};
	(void)poll(&p, 1, uv_backend_timeout(loop));
	uint64_t from = bench_now_ns();
	(void)uv_run(loop, UV_RUN_NOWAIT);
	return bench_now_ns() - from;
}

struct contexts {
	struct tls_ctx *tls;
	struct curltls_ctx *curl;
};

static struct contexts
contexts_open(enum how how)
{
	char ca[64];
	char err[256];
	struct contexts x = {0};
	(void)snprintf(ca, sizeof(ca), "%s/cert.pem", dir);
	if (how == HOW_CURL)
		x.curl = curltls_create(ca, err, sizeof(err));
	else
		x.tls = tls_client_create(ca, err, sizeof(err));
	CHECK(x.tls != NULL || x.curl != NULL);
	return x;
}

static void
contexts_close(struct contexts *x)
{
	tls_destroy(x->tls);
	curltls_destroy(x->curl);
}

/* One connection; false when there was none. */
static bool
connect_once(struct contexts *x, uint16_t port, uint64_t *stall, uint64_t *took)
{
	char url[64];
	int rc;
	struct client c = {0};
	struct ws_client_cfg cfg = {
	    .loop = &c.loop,
	    .url = url,
	    .tls = x->tls,
	    .curl = x->curl,
	    .events = {.on_open = on_open,
		.on_message = on_message,
		.on_close = on_close},
	    .user = &c,
	};
	(void)snprintf(
	    url, sizeof(url), "wss://localhost:%u/ws", (unsigned)port);
	CHECK(uv_loop_init(&c.loop) == 0);
	struct ws_client *ws = ws_client_create(&cfg, &rc);
	CHECK(ws != NULL);
	uint64_t from = bench_now_ns();
	CHECK(ws_client_connect(ws) == 0);
	*stall = bench_now_ns() - from;
	while (!c.is_open && c.end == 0) {
		uint64_t t = turn(&c.loop);
		if (t > *stall)
			*stall = t;
	}
	*took = bench_now_ns() - from;
	ws_client_destroy(ws);
	(void)uv_run(&c.loop, UV_RUN_DEFAULT);
	CHECK(uv_loop_close(&c.loop) == 0);
	return c.is_open || c.end == WS_END_UPGRADE;
}

static int
by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* resume: one context for all, the first connection does not count. */
static void
measure(const char *name, enum how how, uint16_t port, bool resume)
{
	static uint64_t stall[CONNECTS_MAX];
	static uint64_t took[CONNECTS_MAX];
	char text[48];
	struct contexts x = contexts_open(how);
	if (resume)
		CHECK(connect_once(&x, port, &stall[0], &took[0]));
	for (unsigned i = 0; i < connect_n; i++) {
		if (!resume) {
			contexts_close(&x);
			x = contexts_open(how);
		}
		CHECK(connect_once(&x, port, &stall[i], &took[i]));
	}
	unsigned long resumed =
	    x.tls != NULL ? tls_resumed_n(x.tls) : curltls_resumed_n(x.curl);
	contexts_close(&x);
	if (resume && resumed < connect_n)
		printf("# %s: only %lu of %u were resumed\n", name, resumed,
		    connect_n);
	qsort(stall, connect_n, sizeof(stall[0]), by_size);
	qsort(took, connect_n, sizeof(took[0]), by_size);
	(void)snprintf(text, sizeof(text), "%s_stall_p50", name);
	bench_line(text, (double)stall[connect_n / 2] / 1000, "us", NULL, 0);
	(void)snprintf(text, sizeof(text), "%s_open_p50", name);
	bench_line(text, (double)took[connect_n / 2] / 1000, "us", NULL, 0);
}

static void
measure_tls13(void)
{
	uint16_t port;
	uint64_t t;
	bool up = false;
	pid_t pid = start_tls13(&port);
	struct contexts x = contexts_open(HOW_CURL);
	for (unsigned i = 0; i < 100 && !up; i++) {
		usleep(20000);
		up = connect_once(&x, port, &t, &t);
	}
	contexts_close(&x);
	if (up) {
		measure("curl_tls13_full", HOW_CURL, port, false);
		measure("curl_tls13_resumed", HOW_CURL, port, true);
	} else {
		printf("# TLS 1.3: openssl s_server does not answer\n");
	}
	kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

static bool
make_cert(void)
{
	char cmd[512];
	(void)snprintf(cmd, sizeof(cmd),
	    "cd %s && openssl req -x509 -newkey ec -pkeyopt "
	    "ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem "
	    "-days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost "
	    ">/dev/null 2>&1",
	    dir);
	return system(cmd) == 0;
}

int
main(void)
{
	char cmd[64];
	uint16_t port;
	if (bench_quick())
		connect_n = 5;
	CHECK(mkdtemp(dir) != NULL);
	if (make_cert()) {
		pid_t pid = start_server(&port);
		measure("mbedtls_full", HOW_MBEDTLS, port, false);
		measure("mbedtls_resumed", HOW_MBEDTLS, port, true);
		measure("curl_tls12_full", HOW_CURL, port, false);
		kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		measure_tls13();
	} else {
		printf("# left out: no openssl tool\n");
	}
	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	return system(cmd) == 0 ? 0 : 1;
}

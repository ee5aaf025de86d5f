/* links: libsys libshm libcore */
/*
 * WebSocket frame of 400 bytes: sender's stamp before framing to receiver's
 * callback, over loopback between two processes, beside a raw TCP recv of as
 * many bytes in the same run. Spinning receivers, and sleeping ones; plain
 * and TLS (certificates by the openssl tool, left out where it is missing).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libcore/check.h"
#include "libsys/httpd.h"
#include "libsys/net.h"
#include "libsys/ws.h"
#include "tests/bench/bench.h"

#define FRAME_SZ  400
#define GAP_NS	  30000
#define MSGS_MAX  5000
#define ROUNDS	  7
#define WARM_MSGS 1000 /* not counted */
#define SPIN_TURN 64

enum how {
	HOW_RAW,
	HOW_WS,
	HOW_WSS,
	HOW_WSS_CURL, /* the second transport, libsys/curltls.h */
	HOW_N
};

static uint64_t lags[MSGS_MAX];
static unsigned lag_n;
static unsigned msg_n = MSGS_MAX; /* a round */
static uint64_t cpu_from_ns;	  /* when the counted messages begin ... */
static uint64_t cpu_to_ns;	  /* ... and end */
static char dir[] = "/tmp/ringmaker-bench-XXXXXX";

static void
pin(int cpu)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(cpu % (int)sysconf(_SC_NPROCESSORS_ONLN), &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

/* Processor time of this process, which others on the cores do not add to. */
static uint64_t
cpu_ns(void)
{
	struct timespec ts;
	CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts) == 0);
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) +
	       (uint64_t)ts.tv_nsec;
}

static void
note(const void *frame)
{
	uint64_t stamp;
	if (lag_n == WARM_MSGS)
		cpu_from_ns = cpu_ns();
	if (lag_n == msg_n - 1)
		cpu_to_ns = cpu_ns();
	memcpy(&stamp, frame, sizeof(stamp));
	if (lag_n < msg_n)
		lags[lag_n] = bench_now_ns() - stamp;
	lag_n++;
}

/* Time of the next frame: spaced, so that none waits behind another. */
static uint64_t
pace(uint64_t *next)
{
	uint64_t now;
	while ((now = bench_now_ns()) < *next)
		;
	*next = now + GAP_NS;
	return now;
}

/* ---- the sending process ---- */

static void
send_all(void *user, struct httpd_conn *c, const struct ws_message *m)
{
	uint8_t frame[FRAME_SZ] = {0};
	uint64_t next = bench_now_ns();
	(void)user;
	if (m->kind != WS_TEXT)
		return;
	for (unsigned i = 0; i < msg_n; i++) {
		uint64_t now = pace(&next);
		memcpy(frame, &now, sizeof(now));
		CHECK(httpd_ws_send(c, WS_BINARY, frame, sizeof(frame)) == 0);
	}
}

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
send_ws(int ready, bool is_tls)
{
	char cert[64];
	char key[64];
	char err[256];
	int rc;
	uv_loop_t loop;
	struct httpd_cfg cfg = {
	    .loop = &loop,
	    .host = "127.0.0.1",
	    .events = {.on_request = no_requests,
		.on_upgrade = accept_all,
		.on_message = send_all},
	};
	(void)snprintf(cert, sizeof(cert), "%s/cert.pem", dir);
	(void)snprintf(key, sizeof(key), "%s/key.pem", dir);
	CHECK(uv_loop_init(&loop) == 0);
	if (is_tls)
		cfg.tls = tls_server_create(cert, key, err, sizeof(err));
	struct httpd *s = httpd_create(&cfg, &rc);
	CHECK(s != NULL);
	uint16_t port = httpd_port(s);
	CHECK(write(ready, &port, sizeof(port)) == sizeof(port));
	(void)uv_run(&loop, UV_RUN_DEFAULT);
}

static void
send_raw(int ready)
{
	uint8_t frame[FRAME_SZ] = {0};
	int l = net_listen("127.0.0.1", 0, 1);
	uint16_t port = net_local_port(l);
	CHECK(write(ready, &port, sizeof(port)) == sizeof(port));
	int fd;
	while ((fd = net_accept(l)) == -EAGAIN)
		;
	uint64_t next = bench_now_ns() + 10 * GAP_NS;
	for (unsigned i = 0; i < msg_n; i++) {
		uint64_t now = pace(&next);
		memcpy(frame, &now, sizeof(now));
		CHECK(send(fd, frame, sizeof(frame), 0) == sizeof(frame));
	}
	(void)pause();
}

static pid_t
start_sender(enum how how, uint16_t *port)
{
	int ready[2];
	CHECK(pipe(ready) == 0);
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pin(1);
		if (how == HOW_RAW)
			send_raw(ready[1]);
		else
			send_ws(ready[1], how >= HOW_WSS);
		_exit(0);
	}
	CHECK(read(ready[0], port, sizeof(*port)) == sizeof(*port));
	close(ready[0]);
	close(ready[1]);
	return pid;
}

/* ---- the receiving process ---- */

static void
receive_raw(uint16_t port, bool spin)
{
	uint8_t frame[FRAME_SZ];
	size_t have = 0;
	struct sockaddr_in sa = {
	    .sin_family = AF_INET, .sin_port = htons(port)};
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
	while (lag_n < msg_n) {
		ssize_t n = recv(fd, frame + have, sizeof(frame) - have,
		    spin ? MSG_DONTWAIT : 0);
		have += n > 0 ? (size_t)n : 0;
		if (have == sizeof(frame)) {
			note(frame);
			have = 0;
		}
	}
	close(fd);
}

static void
on_open(void *user)
{
	struct ws_client **c = user;
	CHECK(ws_send_text(*c, "go", 2) == 0);
}

static void
on_message(void *user, const struct ws_message *m)
{
	(void)user;
	note(m->data);
}

static void
on_close(void *user, enum ws_end end, unsigned code, const char *text)
{
	(void)user;
	(void)code;
	printf("# bench_ws: %s: %s\n", ws_end_name(end), text);
	exit(1);
}

static void
receive_ws(uint16_t port, bool spin, enum how how)
{
	bool is_tls = how >= HOW_WSS;
	char url[64];
	char ca[64];
	char err[256];
	int rc;
	uv_loop_t loop;
	struct ws_client *c;
	(void)snprintf(url, sizeof(url), "%s://localhost:%u/ws",
	    is_tls ? "wss" : "ws", (unsigned)port);
	(void)snprintf(ca, sizeof(ca), "%s/cert.pem", dir);
	CHECK(uv_loop_init(&loop) == 0);
	struct ws_client_cfg cfg = {
	    .loop = &loop,
	    .url = url,
	    .tls =
		how == HOW_WSS ? tls_client_create(ca, err, sizeof(err)) : NULL,
	    .curl = how == HOW_WSS_CURL ? curltls_create(ca, err, sizeof(err))
					: NULL,
	    .events = {.on_open = on_open,
		.on_message = on_message,
		.on_close = on_close},
	    .user = &c,
	};
	c = ws_client_create(&cfg, &rc);
	CHECK(c != NULL);
	CHECK(ws_client_connect(c) == 0);
	while (!ws_client_is_open(c))
		(void)uv_run(&loop, UV_RUN_ONCE);
	for (unsigned turn = 0; lag_n < msg_n; turn++) {
		if (!spin)
			(void)uv_run(&loop, UV_RUN_ONCE);
		else if (turn % SPIN_TURN == 0)
			(void)uv_run(&loop, UV_RUN_NOWAIT);
		else
			ws_client_read(c);
	}
	ws_client_destroy(c);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&loop);
	tls_destroy(cfg.tls);
	curltls_destroy(cfg.curl);
}

/* ---- figures ---- */

struct figures {
	double p50;
	double p99;
	double cpu; /* of the receiver, a message */
};

/* One round; the best of all rounds is kept: others use these cores too. */
static void
measure(enum how how, bool spin, struct figures *best)
{
	uint16_t port;
	lag_n = 0;
	pid_t pid = start_sender(how, &port);
	pin(0);
	if (how == HOW_RAW)
		receive_raw(port, spin);
	else
		receive_ws(port, spin, how);
	kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	size_t n = msg_n - WARM_MSGS;
	double p50 = bench_quantile(lags + WARM_MSGS, n, 500);
	double p99 = bench_quantile(lags + WARM_MSGS, n, 990);
	if (best->p50 == 0 || p50 < best->p50)
		best->p50 = p50;
	if (best->p99 == 0 || p99 < best->p99)
		best->p99 = p99;
	double cpu = (double)(cpu_to_ns - cpu_from_ns) / (double)n;
	if (best->cpu == 0 || cpu < best->cpu)
		best->cpu = cpu;
}

static void
report(const char *name, bool spin, const struct figures *f,
    const struct figures *floor)
{
	char text[32];
	const char *mode = spin ? "spin" : "block";
	(void)snprintf(text, sizeof(text), "%s_%s_p50", name, mode);
	bench_line(text, f->p50, "ns", "raw TCP p50", floor->p50);
	(void)snprintf(text, sizeof(text), "%s_%s_p99", name, mode);
	bench_line(text, f->p99, "ns", "raw TCP p99", floor->p99);
	if (spin)
		return;
	(void)snprintf(text, sizeof(text), "%s_block_cpu", name);
	bench_line(text, f->cpu, "ns", "raw TCP cpu", floor->cpu);
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
	if (bench_quick())
		msg_n = WARM_MSGS + 500;
	CHECK(mkdtemp(dir) != NULL);
	bool has_tls = make_cert();
	if (!has_tls)
		printf("# wss: left out, no openssl tool\n");
	for (int spin = 1; spin >= 0; spin--) {
		struct figures best[HOW_N] = {{0}};
		for (unsigned round = 0; round < ROUNDS; round++) {
			measure(HOW_RAW, spin, &best[HOW_RAW]);
			measure(HOW_WS, spin, &best[HOW_WS]);
			if (!has_tls)
				continue;
			measure(HOW_WSS, spin, &best[HOW_WSS]);
			measure(HOW_WSS_CURL, spin, &best[HOW_WSS_CURL]);
		}
		report("ws", spin, &best[HOW_WS], &best[HOW_RAW]);
		if (!has_tls)
			continue;
		report("wss", spin, &best[HOW_WSS], &best[HOW_RAW]);
		report("wss_curl", spin, &best[HOW_WSS_CURL], &best[HOW_RAW]);
	}
	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	return system(cmd) == 0 ? 0 : 1;
}

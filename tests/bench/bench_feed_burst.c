/* links: libsys libshm libcore */
/*
 * One market channel at 5,000 frames a second, and 200 books in one message,
 * through a real feedd on real sockets. What must come out: every frame that
 * was sent, nothing dropped in the ring, and the price stream of the same
 * process as punctual as before.
 *
 * Punctual: its updates were recorded every 20 ms; what counts is by how much
 * one is published later than the most punctual one. Both programs share the
 * machine's cores with this one, so simvenue's own lateness is in the figure;
 * the reference is the same figure in the quiet seconds before the burst.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "libshm/cfgpage.h"
#include "libshm/ctl.h"
#include "libshm/metrics.h"
#include "libshm/ring.h"
#include "libshm/slots.h"
#include "tests/bench/bench.h"
#include "tests/pipeline/proc.h"

#define MARKETS	   100u
#define LEVELS	   220u /* a side: 200 books are 3 MB */
#define QUIET_S	   12u	/* to connect, subscribe, subscribe again */
#define RATE	   5000u
#define REF_MS	   20u
#define T0_NS	   INT64_C(1723161254000000000)
#define SAMPLES	   100000u
#define WAIT_S	   60u
#define CONSUMED_N 4u

static char root[200];
static pid_t venue;
static pid_t feed;
static unsigned port;
static struct instance in;
static struct cfgpage page;
static struct ctl *ctl;
static struct metrics *metrics;
static struct ring rings[CONSUMED_N];
static const enum ring_id ring_ids[CONSUMED_N] = {
    RG_MD_PM_X, RG_MD_PM_Q, RG_MD_PM_R, RG_TAP_PM};
static uint64_t ref_at[SAMPLES]; /* when published */
static int64_t ref_due[SAMPLES]; /* the price's own time */
static unsigned ref_n;
static uint64_t ticks;
static uint64_t gaps;

static void
die(const char *what, const char *why)
{
	fprintf(stderr, "bench_feed_burst: %s: %s\n", what, why);
	if (feed > 0)
		kill(feed, SIGKILL);
	if (venue > 0)
		kill(venue, SIGKILL);
	if (root[0] != '\0')
		proc_rmtree(root);
	exit(1);
}

static const char *
path(const char *file)
{
	static char buf[8][300];
	static unsigned at;
	char *p = buf[at++ % 8];

	snprintf(p, sizeof(buf[0]), "%s/%s", root, file);
	return p;
}

/* ---- the recording ---- */

static void
put_line(FILE *f, uint64_t at_us, const char *conn)
{
	fprintf(f,
	    "{\"t_ns\":%" PRId64 ",\"venue\":\"polymarket\",\"conn\":\"%s\","
	    "\"frame\":",
	    T0_NS + (int64_t)at_us * 1000, conn);
}

static uint64_t
ms_of(uint64_t at_us)
{
	return (uint64_t)(T0_NS / 1000000) + at_us / 1000;
}

/* Token k of market m, condition of market m: digits that differ. */
#define TOKEN "77%03u%u0000000000000000000000000000000000000000000000000000000"
#define COND  "0x%062u%02u"

static void
put_market(FILE *f, unsigned m)
{
	put_line(f, 0, "gamma");
	fprintf(f,
	    "{\"id\":\"%u\",\"question\":\"Q%u?\",\"conditionId\":\"" COND
	    "\",\"slug\":\"burst-%03u\",\"startDate\":\"2024-08-01T00:00:00Z\","
	    "\"endDate\":\"2030-01-01T00:00:00Z\",\"outcomes\":\"[\\\"Yes\\\", "
	    "\\\"No\\\"]\",\"clobTokenIds\":\"[\\\"" TOKEN "\\\", \\\"" TOKEN
	    "\\\"]\",\"active\":true,\"closed\":false,\"archived\":false,"
	    "\"enableOrderBook\":true,\"acceptingOrders\":true,"
	    "\"negRisk\":false,\"orderPriceMinTickSize\":0.001,"
	    "\"orderMinSize\":5,\"liquidity\":\"%u\",\"liquidityNum\":%u,"
	    "\"volume\":\"100000\",\"volumeNum\":100000}}\n",
	    1000 + m, m, m, 1u, m, m, 1u, m, 2u, 50000 + m, 50000 + m);
}

static void
put_levels(FILE *f, const char *side, unsigned first, int step)
{
	fprintf(f, ",\"%s\":[", side);
	for (unsigned i = 0; i < LEVELS; i++)
		fprintf(f, "%s{\"price\":\"0.%03d\",\"size\":\"%u.25\"}",
		    i > 0 ? "," : "", (int)first + step * (int)i, 100 + i);
	fprintf(f, "]");
}

static void
put_book(FILE *f, unsigned m, unsigned k)
{
	put_line(f, 0, "book");
	fprintf(f,
	    "{\"market\":\"" COND "\",\"asset_id\":\"" TOKEN
	    "\",\"timestamp\":\"%" PRIu64 "\",\"hash\":\"\"",
	    m, 1u, m, k, ms_of(0));
	/* Best last: bids up to 0.499, asks down to 0.501. */
	put_levels(f, "bids", 500 - LEVELS, 1);
	put_levels(f, "asks", 500 + LEVELS, -1);
	fprintf(f, ",\"min_order_size\":\"5\",\"tick_size\":\"0.001\","
		   "\"neg_risk\":false}}\n");
}

static void
put_change(FILE *f, uint64_t at_us, unsigned i)
{
	unsigned m = i % MARKETS;

	put_line(f, at_us, "market");
	fprintf(f,
	    "{\"event_type\":\"price_change\",\"market\":\"" COND
	    "\",\"timestamp\":\"%" PRIu64 "\",\"price_changes\":["
	    "{\"asset_id\":\"" TOKEN "\",\"price\":\"0.499\",\"size\":\"%u\","
	    "\"side\":\"BUY\",\"best_bid\":\"0.499\",\"best_ask\":\"0.501\"},"
	    "{\"asset_id\":\"" TOKEN "\",\"price\":\"0.501\",\"size\":\"%u\","
	    "\"side\":\"SELL\",\"best_bid\":\"0.499\","
	    "\"best_ask\":\"0.501\"}]}}\n",
	    m, 1u, ms_of(at_us), m, 1u, 50 + i, m, 2u, 50 + i);
}

static void
put_ref(FILE *f, uint64_t at_us, unsigned i)
{
	put_line(f, at_us, "rtds");
	fprintf(f,
	    "{\"topic\":\"crypto_prices_chainlink\",\"type\":\"update\","
	    "\"timestamp\":%" PRIu64 ",\"payload\":{\"symbol\":\"btc/usd\","
	    "\"timestamp\":%" PRIu64 ",\"value\":%u.5}}}\n",
	    ms_of(at_us), ms_of(at_us), 60000 + i % 100);
}

static void
record(unsigned burst_s)
{
	FILE *f = fopen(path("burst.jsonl"), "w");
	uint64_t end_us = (QUIET_S + burst_s) * UINT64_C(1000000);
	unsigned n = 0;

	if (f == NULL)
		die("burst.jsonl", "cannot be written");
	for (unsigned m = 0; m < MARKETS; m++)
		put_market(f, m);
	for (unsigned m = 0; m < MARKETS; m++)
		for (unsigned k = 1; k <= 2; k++)
			put_book(f, m, k);
	for (uint64_t us = 0; us < end_us; us += REF_MS * 1000)
		put_ref(f, us, (unsigned)(us / 20000));
	for (uint64_t us = 0; us < QUIET_S * UINT64_C(1000000); us += 50000)
		put_change(f, us, n++);
	for (uint64_t us = QUIET_S * UINT64_C(1000000); us < end_us;
	     us += 1000000 / RATE)
		put_change(f, us, n++);
	/* The last frames must not be lost in the end of the timeline. */
	put_ref(f, end_us + UINT64_C(20000000), 0);
	if (fclose(f) != 0)
		die("burst.jsonl", "cannot be written");
}

/* ---- the programs ---- */

static void set(struct cfg *cfg, const char *group, const char *key,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void
set(struct cfg *cfg, const char *group, const char *key, const char *fmt, ...)
{
	char value[160];
	char why[CFG_WHY_SZ];
	int i = cfg_key_find(group, key);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	if (i < 0 || !cfg_set(cfg, (size_t)i, value, why))
		die(key, i < 0 ? "no such setting" : why);
}

static unsigned
port_in(const char *file)
{
	char text[4096];
	FILE *f = fopen(path(file), "r");
	size_t n = f != NULL ? fread(text, 1, sizeof(text) - 1, f) : 0;
	const char *p;

	if (f != NULL)
		fclose(f);
	text[n] = '\0';
	p = strstr(text, "]}\n") != NULL ? strstr(text, "\"port\":") : NULL;
	return p != NULL ? (unsigned)strtoul(p + 7, NULL, 10) : 0;
}

static void
start_venue(void)
{
	const char *argv[] = {"simvenue", "--json", "--port-base", "0",
	    "--capture", path("burst.jsonl"), NULL};

	venue = proc_start(argv, path("venue.log"));
	for (unsigned i = 0; i < WAIT_S * 100 && port == 0; i++) {
		usleep(10000);
		port = port_in("venue.log");
	}
	if (port == 0)
		die("simvenue", "not ready");
}

static void
configure(struct cfg *cfg)
{
	cfg_defaults(cfg);
	set(cfg, "polymarket", "ws_url", "ws://127.0.0.1:%u/ws/market", port);
	set(cfg, "polymarket", "rtds_url", "ws://127.0.0.1:%u/rtds", port);
	set(cfg, "polymarket", "rest_url", "http://127.0.0.1:%u", port);
	set(cfg, "polymarket", "gamma_url", "http://127.0.0.1:%u", port);
	set(cfg, "polymarket", "series", "%s", "");
	set(cfg, "polymarket", "rtds_symbols", "btc/usd");
	set(cfg, "discovery", "poll", "1s");
	set(cfg, "discovery", "binaries", "true");
	set(cfg, "discovery", "max_per_minute", "6000");
	set(cfg, "feed", "reconnect_min", "20ms");
}

static void
start_feed(void)
{
	const char *argv[] = {"feedd", "--instance", "burst", "--stage",
	    topo_stages[ST_FEEDD_PM].name, NULL};
	struct cfg cfg;
	struct err e = {0};

	setenv("RINGMAKER_SHM", path("shm"), 1);
	configure(&cfg);
	if (instance_create(&in, "burst", 42, &e) < 0 ||
	    cfgpage_create(&page, in.dirfd, 42, &cfg, &e) < 0 ||
	    ctl_attach(&ctl, in.dirfd, false, &e) < 0 ||
	    metrics_attach(&metrics, in.dirfd, ST_FEEDD_PM, false, &e) < 0)
		die("shared memory", e.text);
	for (unsigned i = 0; i < CONSUMED_N; i++)
		if (ring_attach(&rings[i], in.dirfd, &topo_rings[ring_ids[i]],
			RING_CONSUMER, &e) < 0)
			die("ring", e.text);
	feed = proc_start(argv, path("feedd.log"));
}

/* A request below /sim/; the whole answer in a static buffer. */
static const char *
ask(const char *request, const char *body)
{
	static char text[8192];
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int n = snprintf(text, sizeof(text),
	    "%s HTTP/1.1\r\nHost: localhost\r\n"
	    "Connection: close\r\nContent-Length: %zu\r\n\r\n%s",
	    request, strlen(body), body);
	ssize_t got;

	if (fd < 0 || connect(fd, (const struct sockaddr *)&a, sizeof(a)) < 0 ||
	    send(fd, text, (size_t)n, MSG_NOSIGNAL) != n)
		die("simvenue", "does not answer");
	for (n = 0;
	     (got = recv(fd, text + n, sizeof(text) - 1 - (size_t)n, 0)) > 0;)
		n += (int)got;
	text[n] = '\0';
	close(fd);
	return text;
}

/* Messages that simvenue has sent as Polymarket. */
static int64_t
sent(void)
{
	const char *p = strstr(ask("GET /sim/stats", ""), "\"sent_msgs\":");

	if (p == NULL)
		die("simvenue", "does not tell what it sent");
	return strtoll(p + strlen("\"sent_msgs\":"), NULL, 10);
}

/* ---- looking ---- */

static void
look(struct ring *r, bool counts)
{
	const struct tick *t;

	while ((t = ring_peek(r)) != NULL) {
		if (counts) {
			ticks++;
			gaps += t->hdr.kind == TICK_GAP && t->u.gap.scope == 3;
		}
		if (counts && t->hdr.kind == TICK_REF && ref_n < SAMPLES &&
		    (t->hdr.flags & SLOT_REPLAY) == 0) {
			ref_at[ref_n] = t->hdr.recv_ns + t->hdr.pub_delta;
			ref_due[ref_n++] = t->hdr.venue_ns;
		}
		ring_release(r);
	}
	ring_commit(r);
}

static void
drain(void)
{
	for (unsigned i = 0; i < CONSUMED_N; i++)
		look(&rings[i], i == 0);
}

static bool
is_ready(void)
{
	return atomic_load(&ctl->stage[ST_FEEDD_PM].own.state) == STAGE_READY;
}

static int64_t
metric(enum metric_id id)
{
	return metrics_value(metrics, id);
}

/* Until feedd has them all, and is ready. */
static void
until(int64_t instruments, int64_t reconnects, const char *what)
{
	uint64_t end = bench_now_ns() + WAIT_S * UINT64_C(1000000000);

	while (metric(M_FEEDD_INSTRUMENTS) < instruments ||
	       metric(M_FEEDD_RECONNECTS) < reconnects || !is_ready()) {
		drain();
		if (bench_now_ns() > end)
			die("feedd", what);
		usleep(200);
	}
}

/* ---- figures ---- */

static uint64_t late[SAMPLES];

/* Lateness of the updates due in [from, to), sorted; how many. */
static unsigned
lateness(int64_t from, int64_t to)
{
	int64_t first = INT64_MAX;
	unsigned n = 0;

	for (unsigned i = 0; i < ref_n; i++) {
		int64_t d = (int64_t)ref_at[i] - ref_due[i];

		if (ref_due[i] >= from && ref_due[i] < to && d < first)
			first = d;
	}
	for (unsigned i = 0; i < ref_n; i++)
		if (ref_due[i] >= from && ref_due[i] < to)
			late[n++] =
			    (uint64_t)((int64_t)ref_at[i] - ref_due[i] - first);
	qsort(late, n, sizeof(late[0]), bench_cmp_u64);
	return n;
}

static void
report(unsigned burst_s, uint64_t lost)
{
	int64_t burst = T0_NS + (int64_t)QUIET_S * 1000000000;
	unsigned n = lateness(burst - INT64_C(4000000000), burst);
	double quiet_p50 = n > 0 ? (double)late[n / 2] / 1000 : 0;
	double quiet_p99 = n > 0 ? (double)late[n * 99 / 100] / 1000 : 0;

	n = lateness(burst, burst + (int64_t)burst_s * 1000000000);
	bench_line("feed_burst_frames", (double)metric(M_FEEDD_FRAMES),
	    "frames", "sent", (double)sent());
	bench_line("feed_burst_lost_in_rings", (double)lost, "slots", NULL, 0);
	bench_line("feed_burst_malformed", (double)metric(M_FEEDD_MALFORMED),
	    "msgs", NULL, 0);
	if (n == 0)
		die("price stream", "nothing came during the burst");
	bench_line("feed_burst_other_late_p50", (double)late[n / 2] / 1000,
	    "us", "before the burst", quiet_p50);
	bench_line("feed_burst_other_late_p99",
	    (double)late[n * 99 / 100] / 1000, "us", "before the burst",
	    quiet_p99);
}

static uint64_t
lost_in_rings(void)
{
	uint64_t n = gaps;

	for (unsigned i = 0; i < CONSUMED_N; i++)
		n += atomic_load(&rings[i].shm->prod.dropped);
	return n;
}

static void
measure(unsigned burst_s)
{
	int64_t markets = (int64_t)MARKETS + 1;
	int64_t reconnects;
	uint64_t at;

	until(markets, 0, "does not find all markets");
	reconnects = metric(M_FEEDD_RECONNECTS);
	at = bench_now_ns();
	(void)ask("POST /sim/faults",
	    "{\"name\":\"close_1012\",\"conn\":\"market\",\"count\":1}");
	until(markets, reconnects + 1, "does not come back");
	bench_line("feed_200_books_again_ms",
	    (double)(bench_now_ns() - at) / 1e6, "ms", NULL, 0);
	while (ref_n == 0 || ref_due[ref_n - 1] <
				 T0_NS +
				     (int64_t)(QUIET_S + burst_s) * 1000000000 -
				     (int64_t)REF_MS * 2000000) {
		drain();
		usleep(200);
		if (bench_now_ns() - at > WAIT_S * UINT64_C(1000000000))
			die("price stream", "ended early");
	}
	/* Housekeeping publishes the counters. */
	for (unsigned i = 0; i < 500; i++) {
		drain();
		usleep(1000);
	}
	report(burst_s, lost_in_rings());
}

int
main(void)
{
	unsigned burst_s = bench_quick() ? 1 : 5;

	snprintf(root, sizeof(root), "%s", proc_tmp("burst"));
	if (mkdir(path("shm"), 0700) < 0)
		die("shm", "cannot be made");
	record(burst_s);
	start_venue();
	start_feed();
	measure(burst_s);
	kill(feed, SIGTERM);
	kill(venue, SIGTERM);
	(void)proc_exit_code(feed);
	(void)proc_exit_code(venue);
	proc_rmtree(root);
	return 0;
}

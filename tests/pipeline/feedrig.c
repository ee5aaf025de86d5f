#define _GNU_SOURCE
#include "tests/pipeline/feedrig.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "libcore/hash.h"
#include "simvenue/capture_io.h"
#include "simvenue/polymarket.h"
#include "tests/pipeline/proc.h"

#define TRUTH_N	  (1u << 16)
#define REQUEST_S 10

/* ---- the truth ---- */

static uint64_t truth[TRUTH_N]; /* hashes; 0: free */
static uint32_t truth_n;

static uint64_t
touch_hash(const struct tick_bbo *b)
{
	uint64_t h = hash_u64(HASH_SEED, (uint64_t)b->bid_px.e8);
	h = hash_u64(h, (uint64_t)b->bid_qty.e8);
	h = hash_u64(h, (uint64_t)b->ask_px.e8);
	h = hash_u64(h, (uint64_t)b->ask_qty.e8);
	return h | 1;
}

static uint64_t *
truth_place(uint64_t h)
{
	uint32_t i = (uint32_t)h % TRUTH_N;
	while (truth[i] != 0 && truth[i] != h)
		i = (i + 1) % TRUTH_N;
	return &truth[i];
}

static void
truth_add(const struct tick_bbo *b)
{
	uint64_t h = touch_hash(b);
	uint64_t *at = truth_place(h);
	if (*at == h)
		return;
	assert_true(++truth_n < TRUTH_N / 2);
	*at = h;
}

static void
truth_of(const struct sim_pm_asset *a)
{
	const struct sim_pm_level none = {0, 0};
	const struct sim_pm_level *b =
	    a->bids.n > 0 ? &a->bids.levels[a->bids.n - 1] : &none;
	const struct sim_pm_level *k =
	    a->asks.n > 0 ? &a->asks.levels[a->asks.n - 1] : &none;
	struct tick_bbo t = {.bid_px.e8 = b->px_e8,
	    .bid_qty.e8 = b->qty_e8,
	    .ask_px.e8 = k->px_e8,
	    .ask_qty.e8 = k->qty_e8};
	truth_add(&t);
	t.bid_px.e8 = k->qty_e8 != 0 ? E8 - k->px_e8 : 0;
	t.bid_qty.e8 = k->qty_e8;
	t.ask_px.e8 = b->qty_e8 != 0 ? E8 - b->px_e8 : 0;
	t.ask_qty.e8 = b->qty_e8;
	truth_add(&t);
}

static void
truth_frame(struct sim_pm *s, const struct sim_frame *f)
{
	struct pm_frame frame;
	static struct pm_event ev;
	enum pm_kind kind;
	pm_frame_init(&frame, f->text, f->n);
	while ((kind = pm_next(&frame, &ev)) != PM_END && kind != PM_ERR) {
		sim_pm_apply_frame(s, ev.body.s, ev.body.n);
		for (uint32_t i = 0; i < s->asset_n; i++)
			if (s->assets[i].has_book)
				truth_of(&s->assets[i]);
	}
}

void
feedrig_truth(const char *spec)
{
	static struct captures c;
	char err[CAPTURES_ERROR_MAX];
	memset(truth, 0, sizeof(truth));
	truth_n = 0;
	if (spec == NULL)
		return;
	struct sim_pm *s = calloc(1, sizeof(*s));
	assert_non_null(s);
	captures_init(&c);
	if (captures_add(&c, spec, err) != 0 || captures_done(&c, err) != 0)
		fail_msg("%s", err);
	const struct sim_timeline *t = &c.timelines[VENUE_POLYMARKET];
	for (size_t i = 0; i < t->n; i++)
		if (t->frames[i].kind != SIM_PM_RTDS)
			truth_frame(s, &t->frames[i]);
	captures_free(&c);
	free(s);
}

/* ---- the ring ---- */

static void
look_bbo(struct feedrig *f, const struct tick *t)
{
	const struct tick_bbo *b = &t->u.bbo;
	bool is_true = truth_n == 0 || *truth_place(touch_hash(b)) != 0;
	f->bbos++;
	/* One that crosses stops quoting at once: it is meant to be seen. */
	f->is_crossed = !is_true && b->bid_qty.e8 != 0 && b->ask_qty.e8 != 0 &&
			b->bid_px.e8 >= b->ask_px.e8;
	f->crossed += f->is_crossed;
	if (is_true || f->is_crossed)
		return;
	f->strange++;
	f->last_strange = *b;
}

void
feedrig_look(struct feedrig *f)
{
	struct tick t;
	uint64_t lost;
	while (ring_tap_next(&f->md, &t, &lost) == RING_TAP_OK) {
		f->ticks++;
		f->gaps += t.hdr.kind == TICK_GAP;
		f->refs += t.hdr.kind == TICK_REF;
		f->links += t.hdr.kind == TICK_LINK;
		if (t.hdr.kind == TICK_BBO)
			look_bbo(f, &t);
		if (t.hdr.kind == TICK_LINK && t.u.link.conn == 0)
			f->link_state = t.u.link.state;
	}
}

void
feedrig_runs(struct feedrig *f, int ms)
{
	uint64_t end = proc_now_ns() + (uint64_t)ms * 1000000u;
	while (proc_now_ns() < end) {
		feedrig_look(f);
		usleep(1000);
	}
}

/* ---- simvenue's own paths ---- */

static int
venue_connect(const struct feedrig *f)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)f->port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval limit = {.tv_sec = REQUEST_S};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) < 0)
		fail_msg("simvenue does not answer on port %u", f->port);
	return fd;
}

unsigned
feedrig_http(
    struct feedrig *f, const char *method, const char *path, const char *body)
{
	char *text = f->answer;
	size_t n = 0;
	ssize_t got;
	int fd = venue_connect(f);
	int len = snprintf(text, sizeof(f->answer),
	    "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
	    "Content-Length: %zu\r\n\r\n%s",
	    method, path, strlen(body), body);
	assert_int_equal(send(fd, text, (size_t)len, MSG_NOSIGNAL), len);
	while (n + 1 < sizeof(f->answer) &&
	       (got = recv(fd, text + n, sizeof(f->answer) - 1 - n, 0)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	close(fd);
	unsigned status = n > 12 ? (unsigned)strtoul(text + 9, NULL, 10) : 0;
	char *end = strstr(text, "\r\n\r\n");
	if (end != NULL)
		memmove(text, end + 4, strlen(end + 4) + 1);
	return status;
}

void
feedrig_fault(struct feedrig *f, const char *json)
{
	if (feedrig_http(f, "POST", "/sim/faults", json) != 200)
		fail_msg("%s: %s", json, f->answer);
}

void
feedrig_clear(struct feedrig *f)
{
	assert_int_equal(feedrig_http(f, "DELETE", "/sim/faults", ""), 200);
}

int64_t
feedrig_fired(struct feedrig *f, const char *label)
{
	assert_int_equal(feedrig_http(f, "GET", "/sim/faults", ""), 200);
	int64_t n = rig_json(f->answer, "\"fired\":{", label);
	return n == INT64_MIN ? 0 : n;
}

/* ---- the stage ---- */

int64_t
feedrig_metric(const struct feedrig *f, enum metric_id id)
{
	return rig_metric(&f->rig, f->st, id);
}

int64_t
feedrig_reason(const struct feedrig *f, enum reason r)
{
	return (int64_t)atomic_load(&f->rig.metrics[f->st]->reason[r]);
}

bool
feedrig_ready(const struct feedrig *f)
{
	return rig_ready(&f->rig, f->st);
}

static void
set(struct cfg *cfg, const char *text)
{
	char key[200];
	char why[CFG_WHY_SZ];
	snprintf(key, sizeof(key), "%s", text);
	char *dot = strchr(key, '.');
	char *eq = strchr(key, '=');
	assert_true(dot != NULL && eq != NULL);
	*dot = '\0';
	*eq = '\0';
	int i = cfg_key_find(key, dot + 1);
	if (i < 0)
		fail_msg("%s: no such setting", text);
	if (!cfg_set(cfg, (size_t)i, eq + 1, why))
		fail_msg("%s: %s", text, why);
}

/* Addresses of the TLS ports, by the name that is in the certificate. */
static void
tls_addresses(struct feedrig *f, struct cfg *cfg)
{
	static const struct {
		const char *venue;
		const char *set;
	} urls[] = {
	    {"polymarket", "polymarket.ws_url=wss://localhost:%u/ws/market"},
	    {"polymarket", "polymarket.rtds_url=wss://localhost:%u/rtds"},
	    {"polymarket", "polymarket.polybolt_url=wss://localhost:%u/ws"},
	    {"polymarket", "polymarket.rest_url=https://localhost:%u"},
	    {"polymarket", "polymarket.gamma_url=https://localhost:%u"},
	    {"binance", "binance.ws_url=wss://localhost:%u"},
	    {"binance", "binance.rest_url=https://localhost:%u"},
	    {"hyperliquid", "hyperliquid.ws_url=wss://localhost:%u/ws"},
	    {"hyperliquid", "hyperliquid.rest_url=https://localhost:%u"},
	};
	char text[200];
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		char venue[40];
		snprintf(
		    venue, sizeof(venue), "\"venue\":\"%s\"", urls[i].venue);
		unsigned port =
		    (unsigned)rig_json(f->rig.out, venue, "tls_port");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(text, sizeof(text), urls[i].set, port);
#pragma GCC diagnostic pop
		set(cfg, text);
	}
	snprintf(text, sizeof(text), "tls.ca_file=%s",
	    rig_path(&f->rig, "tls/ca.pem"));
	set(cfg, text);
}

static void
start_venue(struct feedrig *f)
{
	const char *options[24];
	char venue[40];
	unsigned n = 0;
	for (; f->options[n] != NULL; n++)
		options[n] = f->options[n];
	if (f->tls) {
		options[n++] = "--tls-port-base";
		options[n++] = "0";
		options[n++] = "--tls-dir";
		options[n++] = rig_path(&f->rig, "tls");
	}
	options[n] = NULL;
	assert_true(n < sizeof(options) / sizeof(options[0]));
	if (!rig_venue(&f->rig, options))
		fail_msg("simvenue: %s", f->rig.out);
	snprintf(venue, sizeof(venue), "\"venue\":\"%s\"", f->venue);
	f->port = (unsigned)rig_json(f->rig.out, venue, "port");
}

void
feedrig_open(struct feedrig *f, const char *name)
{
	struct cfg cfg;
	struct err e = {0};
	rig_init(&f->rig, name);
	start_venue(f);
	cfg_defaults(&cfg);
	for (unsigned i = 0; i < f->rig.set_n; i++)
		set(&cfg, f->rig.set[i]);
	if (f->tls)
		tls_addresses(f, &cfg);
	for (unsigned i = 0; f->sets[i] != NULL; i++)
		set(&cfg, f->sets[i]);
	if (instance_create(&f->rig.in, RIG_INSTANCE, 42, &e) < 0 ||
	    cfgpage_create(&f->page, f->rig.in.dirfd, 42, &cfg, &e) < 0)
		fail_msg("%s", e.text);
	instance_close(&f->rig.in);
	assert_true(rig_attach(&f->rig));
	if (ring_attach(&f->md, f->rig.in.dirfd, &topo_rings[f->ring],
		RING_OBSERVER, &e) < 0)
		fail_msg("%s", e.text);
	const char *argv[] = {topo_stages[f->st].program, "--instance",
	    RIG_INSTANCE, "--stage", topo_stages[f->st].name, NULL};
	f->feed = proc_start(argv, rig_path(&f->rig, "feedd.log"));
}

void
feedrig_close(struct feedrig *f)
{
	int code = 0;
	if (f->feed > 0) {
		kill(f->feed, SIGTERM);
		code = proc_exit_code(f->feed);
	}
	if (f->md.shm != NULL)
		ring_detach(&f->md);
	cfgpage_detach(&f->page);
	rig_free(&f->rig);
	f->feed = 0;
	/* Whatever came in, it lived until it was asked to stop. */
	assert_int_equal(code, 0);
}

void
feedrig_logs(struct feedrig *f)
{
	char cmd[400];
	rig_logs(&f->rig);
	fprintf(stderr,
	    "ready %d, link %u, %llu bbos, %llu strange, %llu crossed, "
	    "malformed %lld, reconnects %lld\n",
	    feedrig_ready(f), f->link_state, (unsigned long long)f->bbos,
	    (unsigned long long)f->strange, (unsigned long long)f->crossed,
	    (long long)feedrig_metric(f, M_FEEDD_MALFORMED),
	    (long long)feedrig_metric(f, M_FEEDD_RECONNECTS));
	snprintf(cmd, sizeof(cmd), "tail -n 30 %s | cut -c1-300 >&2",
	    rig_path(&f->rig, "feedd.log"));
	if (system(cmd) != 0)
		fprintf(stderr, "no log\n");
}

/*
 * livekit.h - the live venues as the server calls them, without sockets: two
 * people with credentials, calls, subscriptions, and faults that are tripped
 * by hand.
 */
#ifndef TESTS_LIVEKIT_H
#define TESTS_LIVEKIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "simvenue/live.h"

#define START  UINT64_C(1790000100000000000)
#define SECOND UINT64_C(1000000000)
#define D32    "01010101010101010101010101010101"
#define KEPT   64u
#define TEXT   ((size_t)1 << 20)

/* The first two public development keys; worth nothing. */
static const uint8_t keys[2][32] = {
    {0xac, 0x09, 0x74, 0xbe, 0xc3, 0x9a, 0x17, 0xe3, 0x6b, 0xa4, 0xa6, 0xb4,
	0xd2, 0x38, 0xff, 0x94, 0x4b, 0xac, 0xb4, 0x78, 0xcb, 0xed, 0x5e, 0xfc,
	0xae, 0x78, 0x4d, 0x7b, 0xf4, 0xf2, 0xff, 0x80},
    {0x59, 0xc6, 0x99, 0x5e, 0x99, 0x8f, 0x97, 0xa5, 0xa0, 0x04, 0x49, 0x66,
	0xf0, 0x94, 0x53, 0x89, 0xdc, 0x9e, 0x86, 0xda, 0xe8, 0x8c, 0x7a, 0x84,
	0x12, 0xf4, 0x60, 0x3b, 0x6b, 0x78, 0x69, 0x0d}};

struct person {
	struct address who;
	struct pm_creds creds;
	char key[DESK_UUID_LEN + 1];
	char secret[64];
	char passphrase[128];
};

static struct live *l;
static void *state[VENUE_N];
static struct person people[2];
static struct secp secp;
static struct {
	enum venue venue;
	struct sim_frame f;
	char text[4096];
} kept[KEPT];
static unsigned kept_n;
static void *bn_sub; /* who listens to Binance, NULL: nobody */
static unsigned bn_kline_n;
static struct { /* what goes wrong, so many times */
	enum fault fault;
	int64_t value;
	unsigned left;
} tripped;
static char *body; /* of the last answer */
static unsigned status;
static char *out_buf;
static struct sim_out out;

static const struct sim_venue_ops *const tables[VENUE_N] = {
    [VENUE_POLYMARKET] = &live_polymarket,
    [VENUE_BINANCE] = &live_binance,
    [VENUE_HYPERLIQUID] = &live_hyperliquid,
};

/* Users' frames are kept; all of them are applied as the server does. */
static inline void
deliver(void *user, enum venue v, const struct sim_frame *f)
{
	(void)user;
	if (state[v] != NULL)
		tables[v]->apply(state[v], f);
	if (v == VENUE_BINANCE && bn_sub != NULL) {
		static char buf[65536];
		struct sim_out said;

		sim_out_init(&said, buf);
		tables[v]->select(state[v], bn_sub, f, &said);
		bn_kline_n += said.msg_n > 0 && f->n > 40 &&
			      memcmp(f->text + 11, "btcusdt@kline", 13) == 0;
	}
	if ((f->kind != SIM_PM_USER && f->kind != SIM_HL_USER) ||
	    kept_n == KEPT || f->n >= sizeof(kept[0].text))
		return;
	kept[kept_n].venue = v;
	kept[kept_n].f = *f;
	memcpy(kept[kept_n].text, f->text, f->n);
	kept[kept_n].text[f->n] = '\0';
	kept[kept_n].f.text = kept[kept_n].text;
	kept_n++;
}

static inline void *
new_sub(enum venue v)
{
	const struct sim_venue_ops *t = tables[v];
	void *sub =
	    calloc(1, t->sub_sz + (t->under != NULL ? t->under->sub_sz : 0));

	assert_non_null(sub);
	return sub;
}

static inline void *
open_sub(enum venue v, const char *path)
{
	struct http_text p = {.p = path, .n = strlen(path)};
	struct http_text none = {.p = "", .n = 0};
	void *sub = new_sub(v);

	assert_true(tables[v]->open(state[v], sub, p, none));
	return sub;
}

static inline void
say(enum venue v, void *sub, const char *text)
{
	sim_out_init(&out, out_buf);
	tables[v]->receive(state[v], sub, text, strlen(text), &out);
}

static inline bool
out_has(const char *part)
{
	if (out.used < TEXT)
		out_buf[out.used] = '\0';
	return out.msg_n > 0 && strstr(out_buf, part) != NULL;
}

/* Of the users' frames kept, how many go to a subscriber. */
static inline unsigned
heard(enum venue v, void *sub, const char *part)
{
	unsigned n = 0;

	for (unsigned i = 0; i < kept_n; i++) {
		sim_out_init(&out, out_buf);
		if (kept[i].venue != v)
			continue;
		tables[v]->select(state[v], sub, &kept[i].f, &out);
		n += out_has(part);
	}
	return n;
}

static inline void
call(enum venue v, const char *method, const char *target, const char *text,
    const char *headers)
{
	static char raw[16384];
	static char head_buf[1024];
	struct http_head head;
	struct sim_answer a = {.status = 500};
	int n = snprintf(raw, sizeof(raw),
	    "%s %s HTTP/1.1\r\nHost: x\r\n%s\r\n", method, target, headers);

	assert_int_equal(http_request_parse(raw, (size_t)n, &head), 1);
	struct sim_request r = {.method = head.method,
	    .path = head.path,
	    .query = head.query,
	    .body = text,
	    .body_n = text == NULL ? 0 : strlen(text),
	    .head = &head,
	    .now_ns = (int64_t)l->w.now_ns};
	text_init(&a.body, body, TEXT);
	text_init(&a.headers, head_buf, sizeof(head_buf));
	tables[v]->request(state[v], &r, &a);
	text_end(&a.body);
	status = a.status;
}

static inline void
call2(const struct person *p, const char *method, const char *path,
    const char *text)
{
	char headers[PM_HEADERS_MAX];
	struct pm_call c = {
	    method, path, text, text == NULL ? 0 : strlen(text)};
	struct pm_l2 l2;

	pm_l2_sign(&p->creds, l->w.now_ns / SECOND, &c, &l2);
	pm_l2_headers(&p->creds, &l2, headers);
	call(VENUE_POLYMARKET, method, path, text, headers);
}

static inline void
copy_field(const char *name, char *to, size_t cap)
{
	const char *at = strstr(body, name);
	size_t n;

	assert_non_null(at);
	at += strlen(name) + 3;
	n = strcspn(at, "\"");
	assert_true(n < cap);
	memcpy(to, at, n);
	to[n] = '\0';
}

static inline void
log_in(struct person *p, const uint8_t key[32])
{
	struct pm_l1_args args = {l->w.now_ns / SECOND, 0, PM_CHAIN_POLYGON};
	struct pm_creds_text t = {&p->who, p->key, p->secret, p->passphrase};
	char headers[PM_HEADERS_MAX];
	struct pm_l1 l1;

	assert_true(secp_address(&secp, key, &p->who));
	assert_true(pm_l1_sign(&secp, key, &args, &l1));
	pm_l1_headers(&l1, headers);
	call(VENUE_POLYMARKET, "POST", "/auth/api-key", NULL, headers);
	assert_int_equal(status, 200);
	copy_field("apiKey", p->key, sizeof(p->key));
	copy_field("secret", p->secret, sizeof(p->secret));
	copy_field("passphrase", p->passphrase, sizeof(p->passphrase));
	assert_true(pm_creds_init(&p->creds, &t));
}

/* A fault's next opportunity is taken, with this value. */
static inline void
trip(enum fault f, int64_t value)
{
	tripped.fault = f;
	tripped.value = value;
	tripped.left = 1;
}

static inline bool
on_trip(void *user, enum venue v, enum fault f, int64_t *value)
{
	(void)user;
	(void)v;
	if (f != tripped.fault || tripped.left == 0)
		return false;
	tripped.left--;
	*value = tripped.value;
	return true;
}

/* What a test wants otherwise, NULL: nothing. */
static void (*kit_cfg)(struct world_cfg *cfg);

static inline int
setup(void **arg)
{
	struct world_cfg cfg = world_cfg_default(1, START);
	struct live_account dev[LIVE_DEV_ACCOUNTS];
	uint8_t blind[32] = {1};

	(void)arg;
	if (kit_cfg != NULL)
		kit_cfg(&cfg);
	kept_n = 0;
	secp_init(&secp, blind);
	l = calloc(1, sizeof(*l));
	body = malloc(TEXT);
	out_buf = malloc(SIM_OUT_SZ);
	assert_true(l != NULL && body != NULL && out_buf != NULL);
	live_init(l, &cfg, deliver, NULL);
	l->mishaps = (struct mishaps){on_trip, NULL};
	assert_int_equal(live_dev_accounts(dev), LIVE_DEV_ACCOUNTS);
	for (uint32_t i = 0; i < LIVE_DEV_ACCOUNTS; i++)
		assert_true(live_fund(l, &dev[i]));
	for (int v = 1; v < VENUE_N; v++) {
		const struct sim_venue_ops *t = tables[v];

		state[v] = calloc(1,
		    t->state_sz + (t->under != NULL ? t->under->state_sz : 0));
		assert_non_null(state[v]);
		t->attach(state[v], l);
	}
	for (int i = 0; i < 2; i++)
		log_in(&people[i], keys[i]);
	return 0;
}

static inline int
teardown(void **arg)
{
	(void)arg;
	for (int v = 1; v < VENUE_N; v++) {
		free(state[v]);
		state[v] = NULL;
	}
	secp_close(&secp);
	free(l);
	free(body);
	free(out_buf);
	return 0;
}

#endif

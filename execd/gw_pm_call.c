/*
 * Requests: their tags, headers and limits.
 */
#include <string.h>

#include "execd/gw_pm_int.h"
#include "libcore/check.h"
#include "libvenue/text.h"

#define PLAIN_HEADERS                                                    \
	"Content-Type: application/json\r\nAccept: application/json\r\n" \
	"User-Agent: ringmaker\r\n"
#define TARGET_MAX  384u
#define SLOW_NS	    UINT64_C(500000000)
#define READ_BURST  20u
#define READ_NS	    UINT64_C(100000000)
#define NS_A_SECOND UINT64_C(1000000000)

/* Refill a second of the tiers, orders; cancels are twice that, a burst is
 * one and a half seconds. */
static const struct {
	const char *name;
	uint32_t rate;
} tiers[] = {
    {"standard", 40},
    {"copper", 60},
    {"bronze", 80},
    {"silver", 200},
    {"gold", 400},
    {"platinum", 450},
    {"diamond", 525},
    {"elite", 600},
};

/* Four fifths of what a tier may do; the last quarter of the cancels is for
 * what is urgent. */
static void
set_rate(struct gwpm *g, uint32_t rate)
{
	uint32_t ours = rate * 4 / 5;
	struct bucket_limit orders = {ours * 3 / 2, 0, NS_A_SECOND / ours};
	struct bucket_limit cancels = {
	    ours * 3, ours * 3 / 4, NS_A_SECOND / (2 * ours)};

	bucket_init(&g->orders, &orders, 1);
	bucket_init(&g->cancels, &cancels, 1);
}

void
gwpm_limits_init(struct gwpm *g)
{
	struct bucket_limit reads = {READ_BURST, READ_BURST / 4, READ_NS};

	set_rate(g, tiers[0].rate);
	bucket_init(&g->queries, &reads, 1);
	backoff_init(&g->backoff, NS_A_SECOND, 30 * NS_A_SECOND, g->set.seed);
	backoff_init(
	    &g->sync_again, NS_A_SECOND / 4, 10 * NS_A_SECOND, g->set.seed);
}

static void
learn_tier(struct gwpm *g, const char *tier)
{
	for (size_t i = 0; i < sizeof(tiers) / sizeof(tiers[0]); i++) {
		uint32_t burst = tiers[i].rate * 4 / 5 * 3 / 2;

		if (strcmp(tiers[i].name, tier) == 0 &&
		    g->orders.l[0].burst != burst)
			set_rate(g, tiers[i].rate);
	}
}

void
gwpm_limits_learn(struct gwpm *g, const struct gwpm_call *c,
    const struct gwpm_answer *a, uint64_t now_ns)
{
	bool is_cancel = c->kind == GWPM_CANCEL || c->kind == GWPM_CANCEL_MANY;
	struct bucket *b = is_cancel ? &g->cancels : &g->orders;
	uint64_t took_ns = now_ns - c->sent_ns;

	if (c->kind != GWPM_POST && !is_cancel)
		return;
	if (took_ns > SLOW_NS && bucket_left(b, now_ns) < b->l[0].burst / 2) {
		g->stat.throttled++;
		g->sink->log(g->sink->user, GWPM_LOG_SELF_THROTTLE,
		    (int64_t)(took_ns / 1000000u), "", 0);
	}
	if (a->tier != NULL)
		learn_tier(g, a->tier);
	if (a->left != INT64_MIN && a->left <= 0)
		bucket_empty(b, now_ns);
}

struct gwpm_call *
gwpm_call_find(struct gwpm *g, uint64_t tag)
{
	for (uint32_t i = 0; tag != 0 && i < GWPM_CALLS; i++)
		if (g->call[i].tag == tag)
			return &g->call[i];
	return NULL;
}

/* The last entries are for cancels and heartbeats. */
struct gwpm_call *
gwpm_call_new(struct gwpm *g, enum gwpm_kind kind)
{
	bool is_urgent = kind == GWPM_CANCEL || kind == GWPM_CANCEL_MANY ||
			 kind == GWPM_BEAT;
	uint32_t n = is_urgent ? GWPM_CALLS : GWPM_CALLS - 16;

	for (uint32_t i = 0; i < n; i++)
		if (g->call[i].tag == 0) {
			g->call[i] = (struct gwpm_call){.kind = kind};
			return &g->call[i];
		}
	return NULL;
}

static bool
has_orders(const struct gwpm_call *c)
{
	return c->kind == GWPM_POST || c->kind == GWPM_CANCEL ||
	       c->kind == GWPM_ASK;
}

void
gwpm_call_over(struct gwpm *g, struct gwpm_call *c)
{
	if (c->kind == GWPM_POST)
		g->posts_out--;
	for (uint32_t i = 0; has_orders(c) && i < c->n; i++)
		g->book->order[c->item[i]].calls--;
	c->tag = 0;
}

static void
sign(struct gwpm *g, const struct gwpm_out *o, uint64_t wall_s,
    char headers[PM_HEADERS_MAX])
{
	struct pm_call call = {
	    o->method, o->path, o->body_n > 0 ? g->body : NULL, o->body_n};
	struct pm_l2 l2;

	headers[0] = '\0';
	if (o->is_public)
		return;
	pm_l2_sign(g->set.creds, wall_s, &call, &l2);
	pm_l2_headers(g->set.creds, &l2, headers);
}

void
gwpm_call_send(struct gwpm *g, struct gwpm_call *c, const struct gwpm_out *o,
    const struct gwpm_now *now)
{
	char lines[PM_HEADERS_MAX];
	char headers[PM_HEADERS_MAX + sizeof(PLAIN_HEADERS)];
	char target[TARGET_MAX];
	struct gwpm_http h = {.role = o->role,
	    .method = o->method,
	    .target = target,
	    .headers = headers,
	    .body = o->body_n > 0 ? g->body : NULL,
	    .body_n = o->body_n,
	    .timeout_ns = g->set.order_timeout_ns,
	    .is_once = c->kind == GWPM_POST};
	struct text t;

	c->tag = h.tag = ++g->tag;
	c->sent_ns = now->ns;
	c->due_ns = now->ns + h.timeout_ns;
	for (uint32_t i = 0; has_orders(c) && i < c->n; i++)
		g->book->order[c->item[i]].calls++;
	if (c->kind == GWPM_POST)
		g->posts_out++;
	text_init(&t, target, sizeof(target));
	text_lit(&t, o->path);
	if (o->query != NULL) {
		text_lit(&t, "?");
		text_lit(&t, o->query);
	}
	CHECK(text_end(&t) > 0);
	sign(g, o, gwpm_wall_s(g, now), lines);
	text_init(&t, headers, sizeof(headers));
	text_lit(&t, lines);
	text_lit(&t, PLAIN_HEADERS);
	CHECK(text_end(&t) > 0);
	g->sink->http(g->sink->user, &h);
}

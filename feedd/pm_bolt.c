/*
 * The newer price socket: credentials first, then a subscription a channel.
 * Each channel counts its frames; after a loss it is subscribed again, for
 * the snapshot brings what was lost.
 */
#include <string.h>

#include "feedd/pm_feed.h"
#include "feedd/pm_sub.h"
#include "feedd/text.h"
#include "libcore/check.h"

/* Refused credentials do not become right by asking again. */
#define LOGIN_HOLD_NS UINT64_C(300000000000)
#define DRAIN_NS      UINT64_C(10000000000) /* come back within this */
/* The venue takes 20 subscriptions a second. */
#define AGAIN_NS UINT64_C(1000000000)

/* Close codes of the venue. */
#define CLOSE_LOGIN    4001
#define CLOSE_DRAINING 4003
#define CLOSE_POLICY   4008

/* "btc/usd" and "btcusdt" are "btcusd" here. */
static void
bolt_symbol(char out[PM_BOLT_SYMBOL_SZ], const char *symbol)
{
	size_t n = 0;

	for (const char *s = symbol; *s != '\0' && n + 1 < PM_BOLT_SYMBOL_SZ;
	     s++)
		if (*s != '/')
			out[n++] = *s;
	if (n > 4 && memcmp(out + n - 4, "usdt", 4) == 0)
		n--;
	out[n] = '\0';
}

static bool
is_averaged(const struct pm_index *x)
{
	return strchr(x->in.symbol, '/') != NULL;
}

void
pm_bolt_start(struct pm_feed *p, const struct feed_event *ev)
{
	struct feed *f = &p->feed;

	for (uint32_t i = 0; i < p->index_n; i++)
		bolt_symbol(p->index[i].bolt, p->index[i].in.symbol);
	if (pm_login_parse(&p->login, ev->data, ev->n))
		return;
	feed_log(f, FEED_LOG_LOGIN, 0, REASON_REFUSED, 0);
	feed_want(f, PM_REF_CONN, false);
}

void
pm_bolt_stop(struct pm_feed *p)
{
	memset(&p->login, 0, sizeof(p->login));
}

void
pm_bolt_up(struct pm_feed *p)
{
	struct feed *f = &p->feed;
	const struct polybolt_login login = {
	    p->login.key, p->login.secret, p->login.passphrase};
	size_t n;

	memset(&p->bolt[pm_lane_of(f->conn)], 0, sizeof(p->bolt[0]));
	n = polybolt_encode_auth(&login, "login", p->text, sizeof(p->text));
	if (n > 0)
		feed_send(f, f->conn, p->text, n);
	memset(p->text, 0, n);
}

static bool
is_listed(const struct polybolt_sub *sub, size_t n, const char *symbol)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(sub[i].symbol, symbol) == 0)
			return true;
	return false;
}

/* The average of symbols with one, the spot index of all. */
static void
subscribe(struct pm_feed *p, uint8_t conn, enum polybolt_channel channel)
{
	struct polybolt_sub sub[PM_INDEX_N];
	size_t sub_n = 0;
	size_t n;

	for (uint32_t i = 0; i < p->index_n; i++) {
		const struct pm_index *x = &p->index[i];

		if ((channel == POLYBOLT_CRYPTO_TWAP && !is_averaged(x)) ||
		    is_listed(sub, sub_n, x->bolt))
			continue;
		sub[sub_n].channel = channel;
		sub[sub_n++].symbol = x->bolt;
	}
	if (sub_n == 0)
		return;
	n = polybolt_encode_subscribe(
	    sub, sub_n, "prices", p->text, sizeof(p->text));
	if (n > 0)
		feed_send(&p->feed, conn, p->text, n);
}

static void
run_again(struct pm_feed *p, uint8_t conn)
{
	struct feed *f = &p->feed;
	struct pm_bolt *b = &p->bolt[pm_lane_of(conn)];

	if (!b->is_in || b->again == 0 || !feed_is_live(f, conn))
		return;
	if (f->now_ns < b->again_ns) {
		feed_wake_at(f, b->again_ns);
		return;
	}
	for (int c = 1; c < POLYBOLT_CHANNEL_N; c++)
		if ((b->again & 1u << c) != 0)
			subscribe(p, conn, (enum polybolt_channel)c);
	b->again = 0;
	b->again_ns = f->now_ns + AGAIN_NS;
}

void
pm_bolt_timer(struct pm_feed *p)
{
	run_again(p, PM_REF_CONN);
	run_again(p, feed_other(PM_REF_CONN));
}

/* Channel 0: all of ours. */
static void
want_again(struct pm_feed *p, enum polybolt_channel channel)
{
	struct pm_bolt *b = &p->bolt[pm_lane_of(p->feed.conn)];

	if (channel == 0)
		b->again |= 1u << POLYBOLT_CRYPTO | 1u << POLYBOLT_CRYPTO_TWAP;
	else
		b->again |= 1u << channel;
	run_again(p, p->feed.conn);
}

static void
tell(struct feed *f, enum feed_log log, const struct polybolt_event *ev)
{
	struct feed_act a = {.what = FEED_LOG, .log = log, .conn = f->conn};

	a.reason = REASON_REFUSED;
	a.text = ev->code_text.s;
	a.n = ev->code_text.n < 64 ? ev->code_text.n : 64;
	f->sink->act(f->sink->user, &a);
}

/* 1 credentials: a person must act, and asking again costs attempts
 * 2 the venue cannot say now: from the start, by the usual back-off
 * 3 too fast: a second later
 * 4 else a subscription of ours is not to its taste: the others stand */
static void
refused(struct pm_feed *p, const struct polybolt_event *ev)
{
	struct feed *f = &p->feed;
	struct pm_bolt *b = &p->bolt[pm_lane_of(f->conn)];

	feed_count(f, REASON_REFUSED);
	switch (ev->code) {
	case POLYBOLT_AUTH_INVALID: /* 1 */
	case POLYBOLT_AUTH_ATTEMPTS:
		b->is_refused = true;
		tell(f, FEED_LOG_LOGIN, ev);
		feed_reconnect(f, f->conn, REASON_VENUE);
		return;
	case POLYBOLT_AUTH_REQUIRED: /* 2 */
	case POLYBOLT_AUTH_UNAVAILABLE:
		tell(f, FEED_LOG_REFUSED, ev);
		feed_reconnect(f, f->conn, REASON_VENUE);
		return;
	case POLYBOLT_RATE_LIMIT: /* 3 */
		tell(f, FEED_LOG_REFUSED, ev);
		b->again_ns = f->now_ns + AGAIN_NS;
		want_again(p, ev->channel);
		return;
	case POLYBOLT_BAD_FILTER: /* 4 */
	case POLYBOLT_SUB_LIMIT:
	case POLYBOLT_OTHER: tell(f, FEED_LOG_REFUSED, ev); return;
	case POLYBOLT_CODE_N: break;
	}
	CHECK(ev->code == POLYBOLT_OTHER);
}

static void
authed(struct pm_feed *p)
{
	struct feed *f = &p->feed;
	struct pm_bolt *b = &p->bolt[pm_lane_of(f->conn)];

	if (b->is_in)
		return;
	b->is_in = true;
	want_again(p, 0);
	feed_complete(f, f->conn, true);
}

static void
take_price(struct pm_feed *p, const struct polybolt_event *ev)
{
	struct feed *f = &p->feed;
	struct pm_bolt *b = &p->bolt[pm_lane_of(f->conn)];
	uint64_t missed = polybolt_missed(&b->seqs, ev);
	bool is_twap = ev->channel == POLYBOLT_CRYPTO_TWAP;
	bool is_ours = false;

	feed_stamp(f, ev->price.sent_ns);
	for (uint32_t i = 0; i < p->index_n; i++) {
		struct pm_index *x = &p->index[i];

		if (strcmp(x->bolt, ev->price.symbol) != 0 ||
		    (is_twap && !is_averaged(x)))
			continue;
		is_ours = true;
		pm_ref_points(p, x, &ev->price);
	}
	if (!is_ours)
		feed_note(f, REASON_UNKNOWN_ASSET);
	if (missed == 0)
		return;
	feed_note(f, REASON_SEQ_GAP);
	feed_log(f, FEED_LOG_GAP, 0, REASON_SEQ_GAP, (int64_t)missed);
	want_again(p, ev->channel);
}

void
pm_bolt_frame(struct pm_feed *p, const struct feed_event *in)
{
	struct feed *f = &p->feed;
	struct polybolt_event *ev = &p->bolt_ev;
	enum polybolt_kind kind = polybolt_decode(ev, in->data, in->n);

	feed_recv(f, kind == POLYBOLT_PRICE);
	switch (kind) {
	case POLYBOLT_PRICE: take_price(p, ev); return;
	case POLYBOLT_AUTHED: authed(p); return;
	case POLYBOLT_REFUSED: refused(p, ev); return;
	case POLYBOLT_DROPPED:
		feed_note(f, REASON_SEQ_GAP);
		want_again(p, ev->channel);
		return;
	case POLYBOLT_PONG: feed_pong(f); return;
	case POLYBOLT_ACK: return;
	case POLYBOLT_ERR:
	case POLYBOLT_UNKNOWN:
		feed_drop(f, ev->reason, ev->err_off, in->data, in->n);
		return;
	case POLYBOLT_KIND_N: break;
	}
	CHECK(kind == POLYBOLT_ERR);
}

void
pm_bolt_down(struct pm_feed *p, uint8_t conn)
{
	struct feed *f = &p->feed;
	struct pm_bolt *b = &p->bolt[pm_lane_of(conn)];
	struct link *l = &f->link[conn];

	if (f->code == CLOSE_LOGIN && !b->is_refused)
		feed_log(f, FEED_LOG_LOGIN, 0, REASON_REFUSED, f->code);
	if (b->is_refused || f->code == CLOSE_LOGIN || f->code == CLOSE_POLICY)
		l->retry_ns = f->now_ns + LOGIN_HOLD_NS;
	else if (f->code == CLOSE_DRAINING)
		l->retry_ns = f->now_ns + f->random % DRAIN_NS;
	memset(b, 0, sizeof(*b));
}

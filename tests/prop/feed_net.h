/*
 * feed_net.h - a feed on a network of our own: two lanes to one server, each
 * with a delay that wanders, kept in order, one of them perhaps losing
 * messages; connections that come up, are closed, are killed.
 */
#ifndef TESTS_PROP_FEED_NET_H
#define TESTS_PROP_FEED_NET_H

#include "tests/golden/feed_rig.h"

#define NET_MSGS  8192u
#define NET_TEXT  2048u
#define NET_MS	  UINT64_C(1000000)
#define NET_LANES 2u

enum net_kind {
	NET_FRAME = 1,
	NET_PONG,
	NET_UP,
	NET_DOWN
};

struct net_msg {
	enum net_kind kind;
	uint64_t due_ns;
	uint32_t life; /* of the connection that it was sent on */
	bool is_answer;
	char text[NET_TEXT];
};

struct net_lane {
	bool up;
	bool subscribed;
	uint32_t life;
	uint32_t loss; /* one message in so many; 0 none */
	uint64_t delay_ns;
	uint64_t last_ns;
	uint32_t head;
	uint32_t tail;
	struct net_msg *msg;
};

struct net {
	struct rig *r;
	uint64_t rng;
	struct net_lane lane[NET_LANES];
	/* the server: a text was sent to it; a GET was asked */
	void (*sent)(struct net *n, uint32_t lane, const char *text);
	void (*asked)(struct net *n, const struct rig_act *a);
};

static inline uint32_t
net_below(struct net *n, uint32_t most)
{
	n->rng = hash_u64(n->rng, 11);
	return (uint32_t)((n->rng >> 16) % most);
}

static inline void
net_open(struct net *n, struct rig *r, uint64_t seed)
{
	memset(n, 0, sizeof(*n));
	n->r = r;
	n->rng = seed;
	for (uint32_t i = 0; i < NET_LANES; i++) {
		n->lane[i].msg = calloc(NET_MSGS, sizeof(struct net_msg));
		n->lane[i].delay_ns = 5 * NET_MS;
	}
}

static inline void
net_close(struct net *n)
{
	for (uint32_t i = 0; i < NET_LANES; i++)
		free(n->lane[i].msg);
}

static inline struct net_msg *
net_put(struct net *n, uint32_t lane, enum net_kind kind, const char *text)
{
	struct net_lane *l = &n->lane[lane];
	struct net_msg *m = &l->msg[l->tail % NET_MSGS];
	uint64_t due;

	assert_true(l->tail - l->head < NET_MSGS);
	l->delay_ns = l->delay_ns * 3 / 4 + net_below(n, 20) * NET_MS;
	due = n->r->now_ns + l->delay_ns;
	if (due < l->last_ns)
		due = l->last_ns;
	l->last_ns = due;
	l->tail++;
	memset(m, 0, sizeof(*m) - NET_TEXT);
	m->kind = kind;
	m->due_ns = due;
	m->life = l->life;
	snprintf(m->text, NET_TEXT, "%s", text);
	return m;
}

/* What the server tells every connection. */
static inline void
net_tell(struct net *n, const char *text)
{
	for (uint32_t i = 0; i < NET_LANES; i++) {
		struct net_lane *l = &n->lane[i];

		if (!l->up || !l->subscribed ||
		    (l->loss != 0 && net_below(n, l->loss) == 0))
			continue;
		net_put(n, i, NET_FRAME, text);
	}
}

static inline void
net_tell_one(struct net *n, uint32_t lane, const char *text)
{
	net_put(n, lane, NET_FRAME, text)->is_answer = true;
}

static inline uint8_t
net_conn(uint32_t lane)
{
	return (uint8_t)(lane * FEED_LANES);
}

/* The connection is gone, with all that is under way. */
static inline void
net_cut(struct net *n, uint32_t lane)
{
	struct net_lane *l = &n->lane[lane];

	l->life++;
	l->up = false;
	l->subscribed = false;
	l->head = l->tail;
	l->last_ns = 0;
	net_put(n, lane, NET_DOWN, "");
}

static inline void
net_act(struct net *n, const struct rig_act *a)
{
	uint32_t lane = a->a.conn / FEED_LANES;

	if (a->a.what == FEED_GET)
		n->asked(n, a);
	if (a->a.conn % FEED_LANES != 0)
		return;
	if (a->a.what == FEED_OPEN)
		net_put(n, lane, NET_UP, "");
	if (a->a.what == FEED_CLOSE)
		net_cut(n, lane);
	if (a->a.what == FEED_PING ||
	    (a->a.what == FEED_SEND &&
		(strcmp(a->text, "PING") == 0 ||
		    strstr(a->text, "\"ping\"") != NULL)))
		net_put(n, lane, NET_PONG, "");
	if (a->a.what == FEED_SEND && n->lane[lane].up)
		n->sent(n, lane, a->text);
}

static inline void
net_acts(struct net *n)
{
	struct rig *r = n->r;

	for (size_t i = 0; i < r->act_n; i++) {
		struct rig_act a = r->act[i];

		r->act[i].a.what = FEED_LOG;
		net_act(n, &a);
	}
	r->act_n = 0;
}

static inline void
net_deliver(struct net *n, uint32_t lane)
{
	struct net_lane *l = &n->lane[lane];
	struct net_msg m = l->msg[l->head++ % NET_MSGS];
	uint8_t conn = net_conn(lane);

	if (m.life != l->life)
		return;
	if (m.kind == NET_UP) {
		l->up = true;
		rig_step(n->r, FEED_EV_UP, conn);
	} else if (m.kind == NET_DOWN) {
		rig_down(n->r, conn, 1006);
	} else if (m.kind == NET_PONG) {
		rig_step(n->r, FEED_EV_PONG, conn);
	} else {
		rig_frame(n->r, conn, m.text);
	}
}

/* Let time pass to `to`: timers and messages in their order. */
static inline void
net_until(struct net *n, uint64_t to)
{
	struct rig *r = n->r;

	for (;;) {
		uint64_t wake = feed_wake(r->f);
		uint64_t due = wake == 0 ? UINT64_MAX : wake;
		int lane = -1;

		for (uint32_t i = 0; i < NET_LANES; i++) {
			const struct net_lane *l = &n->lane[i];
			const struct net_msg *m = &l->msg[l->head % NET_MSGS];

			if (l->head == l->tail || m->due_ns >= due)
				continue;
			due = m->due_ns;
			lane = (int)i;
		}
		if (due > to)
			break;
		if (due > r->now_ns)
			r->now_ns = due;
		if (lane < 0)
			rig_step(r, FEED_EV_TIMER, 0);
		else
			net_deliver(n, (uint32_t)lane);
		net_acts(n);
	}
	if (to > r->now_ns)
		r->now_ns = to;
}

static inline void
net_pass(struct net *n, uint64_t ns)
{
	net_until(n, n->r->now_ns + ns);
}

/* Is an answer to a subscription under way? */
static inline bool
net_is_answering(const struct net *n)
{
	for (uint32_t i = 0; i < NET_LANES; i++)
		for (uint32_t k = n->lane[i].head; k != n->lane[i].tail; k++)
			if (n->lane[i].msg[k % NET_MSGS].is_answer)
				return true;
	return false;
}

#endif

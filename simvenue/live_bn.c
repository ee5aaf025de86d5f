/*
 * Binance, live: the rules of recorded streams (binance.c), on the world's
 * frames; the book begins with a snapshot of the world's.
 */
#include <stddef.h>
#include <string.h>

#include "libcore/check.h"
#include "simvenue/live.h"

#define DEPTH_TEXT 16384
#define PING_MS	   20000

struct live_bn {
	_Alignas(max_align_t) struct live *live;
	char depth[DEPTH_TEXT];
};

static void *
under(void *state)
{
	return (struct live_bn *)state + 1;
}

static void
bn_attach(void *state, struct live *live)
{
	struct live_bn *s = state;
	struct sim_frame f = {.kind = SIM_BN_DEPTH, .key = "BTCUSDT"};
	struct text t;

	s->live = live;
	text_init(&t, s->depth, sizeof(s->depth));
	world_put_depth(&live->w, &t);
	f.text = s->depth;
	f.n = (uint32_t)text_end(&t);
	CHECK(f.n > 0);
	sim_binance.apply(under(s), &f);
}

static void
bn_apply(void *state, const struct sim_frame *f)
{
	sim_binance.apply(under(state), f);
}

static bool
bn_open(void *state, void *sub, struct http_text path, struct http_text query)
{
	return sim_binance.open(under(state), sub, path, query);
}

static bool
bn_is_active(const void *sub)
{
	return sim_binance.is_active(sub);
}

static void
bn_receive(
    void *state, void *sub, const char *text, size_t n, struct sim_out *out)
{
	sim_binance.receive(under(state), sub, text, n, out);
}

static void
bn_select(
    void *state, void *sub, const struct sim_frame *f, struct sim_out *out)
{
	sim_binance.select(under(state), sub, f, out);
}

static void
bn_request(void *state, const struct sim_request *r, struct sim_answer *a)
{
	sim_binance.request(under(state), r, a);
}

static enum sim_conn
bn_conn(const void *sub)
{
	return sim_binance.conn(sub);
}

const struct sim_venue_ops live_binance = {
    .venue = VENUE_BINANCE,
    .under = &sim_binance,
    .state_sz = sizeof(struct live_bn),
    .ws_ping_ms = PING_MS,
    .attach = bn_attach,
    .apply = bn_apply,
    .conn = bn_conn,
    .open = bn_open,
    .is_active = bn_is_active,
    .receive = bn_receive,
    .select = bn_select,
    .request = bn_request,
};

/*
 * Hyperliquid's list of coins: what is traded, and in which steps.
 */
#include <string.h>

#include "feedd/hl_feed.h"
#include "feedd/text.h"
#include "libcore/check.h"

#define META_TAG      1u
#define META_RETRY_NS UINT64_C(2000000000)
#define META_LATER_NS UINT64_C(60000000000) /* when there is one already */
#define META_EVERY_NS UINT64_C(3600000000000)
#define PX_DECIMALS   6u
#define PX_SIG	      5u
#define MIN_USD	      USD(10 * E6)

void
hl_ask_meta(struct feed *f)
{
	char url[FEED_URL_MAX];

	if (hl_of(f)->is_asking)
		return;
	hl_of(f)->is_asking = true;
	text_join(url, sizeof(url), f->cfg.hyperliquid_rest_url.s, "/info");
	feed_get(f, META_TAG, url, "{\"type\":\"meta\"}");
}

void
hl_meta_again(struct feed *f)
{
	const struct hl_feed *h = hl_of(f);

	if (h->meta_ns == 0 || h->is_asking)
		return;
	if (f->now_ns >= h->meta_ns)
		hl_ask_meta(f);
	else
		feed_wake_at(f, h->meta_ns);
}

static void
ask_at(struct feed *f, uint64_t ns)
{
	hl_of(f)->meta_ns = ns;
	feed_wake_at(f, ns);
}

static int64_t
pow10_e8(uint32_t decimals)
{
	int64_t v = E8;

	for (uint32_t i = 0; i < decimals && i < 8; i++)
		v /= 10;
	return v;
}

static void
describe(struct instr *in, const struct hl_coin *meta, uint32_t idx)
{
	uint32_t decimals = meta->size_decimals;

	in->state = meta->is_delisted ? INSTR_HALTED : INSTR_NORMAL;
	in->asset_idx = idx;
	in->lot_qty = QTY(pow10_e8(decimals));
	in->min_qty = in->lot_qty;
	in->tick_px =
	    PX(pow10_e8(decimals < PX_DECIMALS ? PX_DECIMALS - decimals : 0));
}

static void
list_coin(struct feed *f, struct hl_market *c, const struct hl_coin *meta,
    uint32_t idx)
{
	struct instr *in = &c->in;

	c->is_listed = true;
	text_copy(in->symbol, sizeof(in->symbol), c->name);
	in->venue = VENUE_HYPERLIQUID;
	in->cls = CLASS_PERP;
	in->epoch = c->pub.epoch;
	in->min_usd = MIN_USD;
	in->px_sig = PX_SIG;
	describe(in, meta, idx);
	feed_instr(f, c->pub.idx, in);
	f->instr_n++;
}

/* meta NULL: not in the list any more. Other steps are another epoch, and
 * the touch is told again for it. */
static void
list_again(struct feed *f, struct hl_market *c, const struct hl_coin *meta,
    uint32_t idx)
{
	struct instr now = c->in;

	if (meta == NULL)
		now.state = INSTR_HALTED;
	else
		describe(&now, meta, idx);
	if (memcmp(&now, &c->in, sizeof(now)) == 0)
		return;
	if (now.lot_qty.e8 != c->in.lot_qty.e8 ||
	    now.asset_idx != c->in.asset_idx)
		now.epoch++;
	c->in = now;
	c->pub.epoch = now.epoch;
	feed_instr(f, c->pub.idx, &c->in);
	if (c->pub.is_valid)
		pub_again(f, &c->pub);
}

void
hl_meta_unknown(struct feed *f)
{
	struct hl_feed *h = hl_of(f);

	for (uint32_t i = 0; f->has_universe && i < h->coin_n; i++) {
		struct hl_market *c = &h->coin[i];
		struct feed_name name = {
		    "hyperliquid.coins", c->name, 0, c->is_listed, true};

		feed_unknown(f, &c->unlisted, &name);
	}
}

static void
take_meta(struct feed *f, const struct hl_event *ev)
{
	struct hl_feed *h = hl_of(f);

	for (uint32_t i = 0; i < h->coin_n; i++) {
		struct hl_market *c = &h->coin[i];
		uint32_t k = 0;

		while (k < ev->coins_n && !text_is(ev->coins[k].name, c->name))
			k++;
		if (c->is_listed) {
			list_again(
			    f, c, k < ev->coins_n ? &ev->coins[k] : NULL, k);
		} else if (f->has_universe) {
			continue; /* told already */
		} else if (k < ev->coins_n) {
			list_coin(f, c, &ev->coins[k], k);
		} else {
			hl_suspect_leave_out(&h->suspect, i);
			feed_note(f, REASON_UNKNOWN_ASSET);
		}
	}
	f->has_universe = true;
	hl_meta_unknown(f);
	if (f->instr_n > 0)
		feed_want(f, 0, true);
}

void
hl_take_http(struct feed *f, const struct feed_event *in)
{
	struct hl_feed *h = hl_of(f);
	uint64_t wait_ns = (uint64_t)in->retry_after_s * (uint64_t)NS_PER_S;

	if (in->tag != META_TAG)
		return;
	h->is_asking = false;
	if (in->code == 200 && hl_decode(&h->ev, in->data, in->n) == HL_META) {
		take_meta(f, &h->ev);
		ask_at(f, f->now_ns + META_EVERY_NS);
		return;
	}
	if (in->code == 200)
		feed_drop(f,
		    h->ev.kind == HL_ERR ? h->ev.reason : REASON_UNKNOWN_EVENT,
		    h->ev.err_off, in->data, in->n);
	feed_failed(f, in, "list of coins", "");
	if (wait_ns < (f->has_universe ? META_LATER_NS : META_RETRY_NS))
		wait_ns = f->has_universe ? META_LATER_NS : META_RETRY_NS;
	ask_at(f, f->now_ns + wait_ns);
}

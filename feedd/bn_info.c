#include "feedd/bn_info.h"

#include <string.h>

#include "feedd/text.h"
#include "libcore/check.h"

static void
make_url(const struct feed *f, char *url, size_t cap)
{
	const struct cfg_list *l = &f->cfg.binance_symbols;
	char name[CFG_STR_SZ];

	text_join(url, cap, f->cfg.binance_rest_url.s,
	    "/api/v3/exchangeInfo?symbols=%5B");
	for (uint32_t i = 0; i < l->n; i++) {
		text_upper(name, sizeof(name), l->item[i]);
		text_add(url, cap, i == 0 ? "%22" : ",%22");
		text_add(url, cap, name);
		text_add(url, cap, "%22");
	}
	text_add(url, cap, "%5D");
}

void
bn_info_run(struct bn_info *b, struct feed *f)
{
	char url[FEED_URL_MAX];

	if (b->is_asking)
		return;
	if (f->now_ns < b->next_ns) {
		feed_wake_at(f, b->next_ns);
		return;
	}
	b->is_asking = true;
	make_url(f, url, sizeof(url));
	feed_get(f, BN_TAG_INFO, url, NULL);
}

static void
tell(struct feed *f, const struct feed_event *in, struct json_str msg)
{
	char text[128] = "terms of symbols";
	size_t n = msg.n < sizeof(text) ? msg.n : sizeof(text) - 1;

	if (n > 0) {
		memcpy(text, msg.s, n);
		text[n] = '\0';
	}
	feed_failed(f, in, text, "");
}

/* Read to its end before any of it counts: what is there at the end. */
static enum bn_item_kind
last_of(const struct feed_event *in, struct bn_item *item)
{
	struct bn_rest r;

	bn_rest_init(&r, BN_ASK_INFO, in->data, in->n);
	do
		(void)bn_rest_next(&r, item);
	while (item->kind != BN_ITEM_END && item->kind != BN_ITEM_ERR &&
	       item->kind != BN_ITEM_REFUSAL);
	return item->kind;
}

/* A symbol that does not exist, or a request that is wrong, is not better in
 * half a minute. */
static uint64_t
retry_ns(const struct bn_item *item)
{
	enum bn_cause cause = bn_cause_of(item->code);

	if (item->kind == BN_ITEM_REFUSAL &&
	    (cause == BN_CAUSE_SYMBOL || cause == BN_CAUSE_MALFORMED))
		return BN_INFO_EVERY_NS;
	return BN_INFO_RETRY_NS;
}

void
bn_info_take(struct bn_info *b, struct feed *f, const struct feed_event *in,
    void (*symbol)(struct feed *f, const struct bn_item *item))
{
	struct bn_rest r;
	struct bn_item item;
	enum bn_item_kind kind = last_of(in, &item);

	CHECK(in->tag == BN_TAG_INFO);
	b->is_asking = false;
	if (in->code == 200 && kind == BN_ITEM_ERR)
		feed_drop(f, item.reason, item.err_off, in->data, in->n);
	if (in->code != 200 || kind != BN_ITEM_END) {
		bn_info_hold(b, f->now_ns + retry_ns(&item));
		tell(f, in, item.msg);
	} else {
		b->next_ns = f->now_ns + BN_INFO_EVERY_NS;
		bn_rest_init(&r, BN_ASK_INFO, in->data, in->n);
		while (bn_rest_next(&r, &item) != BN_ITEM_END)
			if (item.kind == BN_ITEM_SYMBOL)
				symbol(f, &item);
	}
	feed_wake_at(f, b->next_ns);
}

void
bn_info_hold(struct bn_info *b, uint64_t until_ns)
{
	if (b->next_ns < until_ns)
		b->next_ns = until_ns;
}

bool
bn_info_apply(struct instr *in, const struct bn_item *item)
{
	struct instr now = *in;

	CHECK(item->kind == BN_ITEM_SYMBOL);
	now.state = item->status == BN_TRADING ? INSTR_NORMAL : INSTR_HALTED;
	if (item->tick.e8 > 0)
		now.tick_px = item->tick;
	if (item->lot.e8 > 0) {
		now.lot_qty = item->lot;
		now.min_qty = item->lot;
	}
	if (item->min_notional_e8 > 0)
		now.min_usd = USD(item->min_notional_e8 / (E8 / E6));
	if (now.state == in->state && now.tick_px.e8 == in->tick_px.e8 &&
	    now.lot_qty.e8 == in->lot_qty.e8 &&
	    now.min_usd.e6 == in->min_usd.e6)
		return false;
	*in = now;
	return true;
}

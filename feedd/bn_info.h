/*
 * bn_info.h - what Binance says of our symbols: tick, lot, smallest value,
 * and whether they are traded at all.
 *
 * Asked for at the start and every BN_INFO_EVERY_NS; after a failure sooner,
 * unless the venue says that the question is wrong. An answer is taken whole or
 * not at all. Pure: yes.
 */
#ifndef FEEDD_BN_INFO_H
#define FEEDD_BN_INFO_H

#include "feedd/feed_int.h"
#include "libvenue/bn_rest.h"

#define BN_TAG_INFO	 0x10000u /* above every symbol's snapshot */
#define BN_INFO_EVERY_NS UINT64_C(3600000000000)
#define BN_INFO_RETRY_NS UINT64_C(30000000000)

struct bn_info {
	bool is_asking;
	uint64_t next_ns; /* 0: at once */
};

/* bn_info_run - ask when it is due; wants to be called again (feed_wake_at)
 * when it will be. */
void bn_info_run(struct bn_info *b, struct feed *f);

/* bn_info_take - the answer with BN_TAG_INFO; each symbol of it in turn. */
void bn_info_take(struct bn_info *b, struct feed *f,
    const struct feed_event *in,
    void (*symbol)(struct feed *f, const struct bn_item *item));

/* bn_info_hold - nothing is asked before. */
void bn_info_hold(struct bn_info *b, uint64_t until_ns);

/* bn_info_apply - what the item says of the instrument; true when that is
 * news. What a symbol has no filter for stays as it was. */
bool bn_info_apply(struct instr *in, const struct bn_item *item);

#endif

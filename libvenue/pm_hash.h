/*
 * pm_hash.h - does our book equal Polymarket's?
 *
 * The venue stamps each book and each change with the SHA-1 of a compact
 * JSON text of the token's book: market, asset_id, timestamp, hash (""),
 * bids, asks, min_order_size, tick_size, neg_risk, last_trade_price, in this
 * order, levels worst first. The last four are partly sent only once and
 * hashed always: struct pm_meta keeps them, in the venue's own spelling.
 *
 * Batches: several messages with the same market and timestamp all carry the
 * hash of the book after the whole batch. Compare at the last one.
 *
 * Pure: yes. O(levels); about 35 bytes of text a level go through SHA-1.
 */
#ifndef LIBVENUE_PM_HASH_H
#define LIBVENUE_PM_HASH_H

#include "libcore/book.h"
#include "libvenue/polymarket.h"

#define PM_META_TEXT_MAX 23

/* Text as sent; may be empty. */
struct pm_meta_text {
	char s[PM_META_TEXT_MAX];
	uint8_t n;
};

struct pm_meta {
	struct pm_meta_text min_size;
	struct pm_meta_text tick;
	struct pm_meta_text last_px;
	bool has_min_size;
	bool has_tick;
	bool has_last_px;
	enum pm_neg_risk neg_risk;
};

/* pm_meta_init - nothing known yet. */
void pm_meta_init(struct pm_meta *m);

/* pm_meta_update - take what a book, trade or tick event of the token says.
 * Texts longer than PM_META_TEXT_MAX are ignored. */
void pm_meta_update(struct pm_meta *m, const struct pm_event *ev);

/*
 * pm_hash_event - hash of a PM_BOOK event from its own texts, the missing
 * metadata from m. ev's frame must still be readable.
 * Needs   : ev->kind == PM_BOOK (CHECK).
 * out     : PM_HASH_LEN lower-case hex digits, no NUL.
 */
void pm_hash_event(
    const struct pm_event *ev, const struct pm_meta *m, char *out);

/* A maintained book, in the canonical frame, seen as one of its tokens. */
struct pm_hash_book {
	struct pm_cond market;
	struct pm_token token;
	enum token_role role;
	int64_t venue_ns; /* of the last message applied; hashed in ms */
	const struct book *book;
};

/* pm_hash_kept - hash of a maintained book as the venue would stamp it. The
 * venue's numbers must have had no trailing zeros (they never do). */
void pm_hash_kept(
    const struct pm_hash_book *b, const struct pm_meta *m, char *out);

#endif

/*
 * pm_tape.h - what Polymarket's market channel says of the exchange.
 *
 * What      : books, changes, prints, new grids and ends of markets as the
 *             venue's own texts, both tokens of a market, with book hashes.
 * Use       : the exchange's sink calls tape_level and tape_print as things
 *             happen and tape_batch when they are over; texts go to emit.
 *               without a trade   one price_change with all entries, twice:
 *                                 an order for YES is one for NO
 *               with trades       a last_trade_price each, then both books
 * Pure      : yes. O(levels) a text: each carries the hash of a whole book.
 */
#ifndef SIMVENUE_PM_TAPE_H
#define SIMVENUE_PM_TAPE_H

#include "libvenue/polymarket.h"
#include "libvenue/text.h"
#include "simvenue/pmx.h"

#define TAPE_CHANGES 64u
#define TAPE_TEXT    ((size_t)1 << 18)

struct tape_change {
	enum side side; /* YES frame */
	px_t px;
	qty_t qty;
};

struct tape_print {
	enum token_role role;
	enum side side;
	tok_px_t px;
	qty_t qty;
};

struct tape_market {
	uint32_t change_n; /* TAPE_CHANGES + 1: too many, send books */
	uint32_t print_n;
	struct tape_change change[TAPE_CHANGES];
	struct tape_print print[TAPE_CHANGES];
	int64_t last_e8[2]; /* last price of each token, 0 none */
};

struct pm_tape {
	const struct pmx *x;
	void *user;
	void (*emit)(void *user, uint16_t market, const char *text, size_t n);
	/* does anybody listen to a market? NULL: always. Texts that nobody
	 * would hear are not made. */
	bool (*heard)(void *user, uint16_t market);
	struct tape_market market[PMX_MARKETS];
	struct pm_event ev; /* scratch */
	char book[TAPE_TEXT];
	char out[TAPE_TEXT];
};

/* tape_init - in zeroed memory. */
void tape_init(struct pm_tape *p, const struct pmx *x,
    void (*emit)(void *user, uint16_t market, const char *text, size_t n),
    void *user);

/* tape_open - a market's entry is used (again). */
void tape_open(struct pm_tape *p, uint16_t market);

void tape_level(
    struct pm_tape *p, uint16_t market, enum side side, px_t px, qty_t qty);
void tape_print(
    struct pm_tape *p, uint16_t market, const struct tape_print *print);
void tape_batch(struct pm_tape *p, uint16_t market);

/* tape_tick - the grid changed from `old`. tape_resolved - the market ended;
 * needs its terms still there. */
void tape_tick(struct pm_tape *p, uint16_t market, tok_px_t old);
void tape_resolved(struct pm_tape *p, uint16_t market, enum token_role winner);

/* tape_put_book - a token's book: as an event of the channel, or as GET /book
 * answers. */
void tape_put_book(struct pm_tape *p, uint16_t market, enum token_role role,
    bool is_event, struct text *t);

#endif

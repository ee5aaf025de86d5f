/*
 * pm_want.h - what discovery and the price stream of the Polymarket feed
 * bring to its other parts; included by pm_feed.h alone. Pure.
 */
#ifndef FEEDD_PM_WANT_H
#define FEEDD_PM_WANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "feedd/feed_int.h"
#include "feedd/pm_login.h"
#include "feedd/pm_series.h"
#include "feedd/pm_strike.h"
#include "libcore/types.h"
#include "libvenue/polybolt.h"

#define PM_WANTS_N	  768u
#define PM_TEXT_SZ	  128u /* a slug; a longer one is not followed */
#define PM_BOLT_SYMBOL_SZ (RTDS_SYMBOL_MAX + 1u)

#define PM_CURSOR_SZ 192u /* of a page of the listing */

/* Answers awaited at a time. */
#define PM_ASKS_MAX 24u

struct feed_event;
struct gamma_market;
struct pm_event;
struct pm_feed;
struct pm_market;

struct pm_index {
	struct pub pub;
	struct instr in;
	int64_t last_ns[REF_SOURCE_N];
	px_t last_px[REF_SOURCE_N];
	struct pm_strike_rec rec[REF_SOURCE_N];
	char bolt[PM_BOLT_SYMBOL_SZ]; /* its name on the newer socket */
};

/* One lane of the newer price socket. */
struct pm_bolt {
	bool is_in;	 /* our credentials were taken */
	bool is_refused; /* ... were not */
	uint8_t pad[2];
	uint32_t again;	   /* channels (bits) to subscribe (again) */
	uint64_t again_ns; /* ... not before */
	struct polybolt_seqs seqs;
};

/*
 * A slug that we ask about, until its market is over. A market of the table
 * has one; a window that is not listed yet (HYDRATING) has no market.
 */
struct pm_want {
	bool used;
	bool is_open;	 /* an answer is awaited */
	bool is_refused; /* not what its slug says: never asked again */
	bool was_heard;	 /* the last question had an answer */
	bool is_past;	 /* over before we came: for its outcome only */
	bool by_series;	 /* its slug was computed */
	bool by_year;	 /* ... in the form with the year */
	bool is_event;	 /* the open question is about the event */
	uint8_t series;	 /* index + 1; 0: a market by its slug */
	uint8_t phase;
	uint16_t gen;	 /* tells an answer to a former one */
	uint16_t market; /* index + 1; 0 none yet */
	uint32_t tries;	 /* in this phase */
	int64_t start_s; /* of the window */
	uint64_t due_ns; /* ask then */
	char slug[PM_TEXT_SZ];
};

/* pm_venue_now - the venue's time as far as known, 0 unknown. */
int64_t pm_venue_now(const struct pm_feed *p);

/* pm_describe.c: pm_describe - fields of the instrument from discovery.
 * True: changed. pm_describe_life - its state by time alone. */
bool pm_describe(
    struct pm_feed *p, struct pm_market *m, const struct gamma_market *g);
bool pm_describe_life(struct pm_feed *p, struct pm_market *m);

/* pm_slug - text of a slug without escapes; false when it does not fit. */
bool pm_slug(const struct gamma_market *g, char *buf, size_t cap);

/* pm_look.c: discovery. start once; timer whenever time passed. */
void pm_look_start(struct pm_feed *p);
void pm_look_timer(struct pm_feed *p);
void pm_look_answer(struct pm_feed *p, const struct feed_event *ev);

/* pm_asked_book - an answer to a question about a book: the budget is one for
 * all that is asked, and so is the pause that the venue asks for. */
void pm_asked_book(struct pm_feed *p, const struct feed_event *ev);
void pm_look_new_market(struct pm_feed *p, const struct pm_event *ev);

/* pm_outcome.c: how a market ended */

/* pm_outcome_hint - the market channel names a winner. Published is only what
 * the metadata say, which are asked at once. */
void pm_outcome_hint(struct pm_feed *p, const struct pm_event *ev);

/* pm_outcome_check - a market that is RESOLVED: does the outcome agree with
 * that hint, and with our own strike and closing price? Told if not. */
void pm_outcome_check(struct pm_feed *p, struct pm_market *m);

/* pm_want.c: which slugs, and when to ask again */

/* pm_want_windows - the windows from now to discovery.ahead, and at the first
 * call those of the past; drops what is out of reach. */
void pm_want_windows(struct pm_feed *p);

/* pm_want_add - a slug to ask about; NULL when there is no room. */
struct pm_want *pm_want_add(struct pm_feed *p, const char *slug);
struct pm_want *pm_want_find(struct pm_feed *p, const char *slug);
void pm_want_drop(struct pm_feed *p, struct pm_want *w);

/* pm_want_run - send what is due and the budget allows. */
void pm_want_run(struct pm_feed *p);

/* pm_want_of_tag - whose answer it is; NULL: nobody's any more. */
struct pm_want *pm_want_of_tag(struct pm_feed *p, uint32_t tag);

/* pm_want_plan - after an answer: when to ask again. */
void pm_want_plan(struct pm_feed *p, struct pm_want *w);

/* pm_want_now - ask now, and then with a back-off from its start. */
void pm_want_now(struct pm_feed *p, struct pm_want *w);

/* pm_ask - a request within the budget; false: not now. */
bool pm_ask(
    struct pm_feed *p, uint32_t tag, const char *base, const char *path);

#define PM_TAG_LIST 0xff01u
#define PM_TAG_TIME 0xff02u

/* pm_settle.c: strikes and closing prices */

/* pm_settle_point - a point of a price stream was recorded. */
void pm_settle_point(struct pm_feed *p, struct pm_index *x, enum ref_source s);

/* pm_settle_new - the same for a market that just came. */
void pm_settle_new(struct pm_feed *p, struct pm_market *m);

/* pm_ref.c: the price stream, whichever polymarket.price_stream names */
void pm_ref_start(struct pm_feed *p, const struct feed_event *ev);
void pm_ref_up(struct pm_feed *p);
void pm_ref_timer(struct pm_feed *p);
void pm_ref_frame(struct pm_feed *p, const struct feed_event *ev);
void pm_ref_resync(struct pm_feed *p);
void pm_ref_down(struct pm_feed *p, uint8_t conn);
void pm_ref_ping(struct pm_feed *p, uint8_t conn);
const char *pm_ref_url(const struct pm_feed *p);

/* pm_ref_points - prices of one symbol from either socket. */
void pm_ref_points(
    struct pm_feed *p, struct pm_index *x, const struct rtds_event *ev);

/* pm_ref_index - instrument of the settlement price of an asset ("btc"),
 * 0 none. */
uint16_t pm_ref_index(const struct pm_feed *p, const char *asset, size_t n);

/* pm_ref_symbol - the same by its name ("btcusdt"). */
uint16_t pm_ref_symbol(const struct pm_feed *p, const char *symbol);

/* pm_bolt.c: the newer socket. start takes the credentials from the data of
 * FEED_EV_START, stop wipes them. */
void pm_bolt_start(struct pm_feed *p, const struct feed_event *ev);
void pm_bolt_stop(struct pm_feed *p);
void pm_bolt_up(struct pm_feed *p);
void pm_bolt_timer(struct pm_feed *p);
void pm_bolt_frame(struct pm_feed *p, const struct feed_event *ev);
void pm_bolt_down(struct pm_feed *p, uint8_t conn);

#endif

/*
 * polymarket.h - the state behind the simulated Polymarket.
 *
 * What   : the book of each token as it stands at the present point of the
 *          timeline, kept from recorded books and changes, and written out
 *          again as the venue writes it, with its hash.
 * Limits : SIM_PM_ASSETS_MAX tokens, PM_LEVELS_MAX levels a side; what is
 *          beyond is not served (and not forgotten: it is in the capture).
 * Pure   : yes.
 */
#ifndef SIMVENUE_POLYMARKET_H
#define SIMVENUE_POLYMARKET_H

#include "libvenue/gamma.h"
#include "libvenue/pm_hash.h"
#include "libvenue/polymarket.h"
#include "libvenue/rtds.h"
#include "simvenue/venue.h"

#define SIM_PM_ASSETS_MAX    512
#define SIM_PM_STRANGERS_MAX 512 /* tokens asked for that are not here */
#define SIM_BOLT_SUBS_MAX    64
#define SIM_PM_SNAPS_MAX     32
#define SIM_PM_PRICES_MAX    8192 /* the last ones, for strikes */

struct sim_pm_level {
	int64_t px_e8;
	int64_t qty_e8;
};

/* Levels as sent: worst first, best last. */
struct sim_pm_side {
	uint32_t n;
	struct sim_pm_level levels[PM_LEVELS_MAX];
};

struct sim_pm_asset {
	struct pm_token token;
	struct pm_cond market;
	bool has_book;
	int64_t venue_ns;
	struct pm_meta meta;
	struct sim_pm_side bids;
	struct sim_pm_side asks;
};

struct sim_pm_snap {
	enum rtds_source source;
	char symbol[RTDS_SYMBOL_MAX + 1];
	const char *text;
	uint32_t n;
};

/* A price, as it was streamed. */
struct sim_pm_price {
	enum rtds_source source;
	char symbol[RTDS_SYMBOL_MAX + 1];
	int64_t venue_ns;
	px_t px;
};

struct sim_pm {
	uint32_t asset_n;
	uint32_t snap_n;
	struct sim_pm_snap snaps[SIM_PM_SNAPS_MAX];
	struct sim_pm_asset assets[SIM_PM_ASSETS_MAX];
	struct pm_event ev;	   /* scratch */
	struct rtds_event rtds;	   /* scratch */
	struct gamma_market gamma; /* scratch */
	bool has_average;	   /* averages were recorded, too */
	uint32_t price_n;	   /* ever */
	struct sim_pm_price prices[SIM_PM_PRICES_MAX];
};

/* Channels of the newer price socket. */
enum sim_bolt_channel {
	SIM_BOLT_CRYPTO = 1,
	SIM_BOLT_TWAP = 2,
	SIM_BOLT_CHANNEL_N
};

struct sim_pm_sub {
	bool is_rtds;
	bool is_bolt;
	bool bolt_authed;
	uint32_t bolt_n;
	uint64_t bolt_seq[SIM_BOLT_CHANNEL_N];
	struct {
		enum sim_bolt_channel channel;
		char symbol[RTDS_SYMBOL_MAX + 1];
	} bolts[SIM_BOLT_SUBS_MAX];
	bool wants_events; /* custom_feature_enabled */
	bool wants[SIM_PM_ASSETS_MAX];
	uint32_t wanted_n;
	uint32_t stranger_n;
	struct pm_token strangers[SIM_PM_STRANGERS_MAX];
	struct {
		bool on;
		char symbol[RTDS_SYMBOL_MAX + 1]; /* "": all */
	} topics[RTDS_SOURCE_N];
};

/* sim_pm_find - the token's place in s->assets, -1 when it is not there. */
int sim_pm_find(const struct sim_pm *s, const struct pm_token *token);

/* sim_pm_apply_frame - books, changes, trades and tick sizes of a frame
 * move the state; what is older than a token's book is ignored. */
void sim_pm_apply_frame(struct sim_pm *s, const char *text, size_t n);

/*
 * sim_pm_put_book - a token's book as JSON: as GET /book answers, or with
 * event_type as the market channel sends it. The hash is worked out.
 * Needs : the token has a book (CHECK).
 */
void sim_pm_put_book(
    struct sim_pm *s, uint32_t asset, bool is_event, struct text *t);

/* sim_pm_request - REST, for sim_venue_ops. */
void sim_pm_request(
    void *state, const struct sim_request *r, struct sim_answer *a);

/* sim_bolt_receive, sim_bolt_select - the newer price socket; see venue.h. */
void sim_bolt_receive(struct sim_pm *s, struct sim_pm_sub *sub,
    const char *text, size_t n, struct sim_out *out);
void sim_bolt_select(struct sim_pm *s, struct sim_pm_sub *sub,
    const struct sim_frame *f, struct sim_out *out);

/* sim_pm_note_prices - keep the points of s->rtds. */
void sim_pm_note_prices(struct sim_pm *s);

/* sim_pm_can_fault, sim_pm_fault - frames of faults; see venue.h. */
bool sim_pm_can_fault(void *state, const struct sim_frame *f);
bool sim_pm_fault(void *state, unsigned fault, int64_t value,
    const struct sim_frame *f, struct sim_out *out);

#endif

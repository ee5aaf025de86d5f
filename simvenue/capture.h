/*
 * capture.h - lines of recorded captures to frames of a timeline.
 *
 * Formats, told by the first line of a file:
 *   own        {"t_ns":N,"venue":"polymarket","conn":"market","frame":...}
 *              conn: polymarket market | book | rtds | gamma,
 *              binance stream | depth (with "symbol"), hyperliquid ws;
 *              frame is JSON, served byte by byte as it stands
 *   envelope   {"source":...,"recv_mono_ns":N,"payload":"..."}: Polymarket
 *              frames and REST books, Binance, price service; the mono stamp
 *              is wall time in ns there. Sources not served are skipped.
 *   markets    {"market_id":...}: becomes a Gamma market object
 *   raw        <ns> <frame>: Binance streams with the snapshot inline
 *   hl csv     prices, trades and order books of Hyperliquid, re-encoded as
 *              the venue's frames; the coin is in the file's name
 * A line starting with '#' is a comment.
 *
 * Pure : yes. State and buffers are the caller's.
 */
#ifndef SIMVENUE_CAPTURE_H
#define SIMVENUE_CAPTURE_H

#include "simvenue/timeline.h"

#define CAPTURE_LINE_MAX  ((size_t)4 << 20)
#define CAPTURE_GROUP_MAX ((size_t)1 << 18)
#define CAPTURE_COIN_MAX  24
#define CAPTURE_CELLS_MAX 96
#define CAPTURE_ERROR_MAX 96

enum capture_format {
	CAPTURE_OWN = 1,
	CAPTURE_ENVELOPE = 2,
	CAPTURE_MARKETS = 3,
	CAPTURE_RAW = 4,
	CAPTURE_HL_PRICES = 5,
	CAPTURE_HL_TRADES = 6,
	CAPTURE_HL_BOOKS = 7,
	CAPTURE_FORMAT_N
};

/* What a line gave. The texts are in the capture's buffer or in the line:
 * copy them before the next call. */
struct capture_item {
	enum venue venue; /* 0: nothing */
	bool is_market;	  /* a Gamma object: no time, no kind */
	struct sim_frame frame;
};

struct hl_cells {
	char px[24];
	char sz[24];
};

struct capture {
	enum capture_format format; /* 0 before the first line */
	char coin[CAPTURE_COIN_MAX];
	char symbol[SIM_KEY_MAX];
	char error[CAPTURE_ERROR_MAX]; /* of the last refused line */
	/* Hyperliquid rows that belong to one frame */
	int64_t group_t_ns;
	int64_t group_venue_ms;
	bool has_group;
	struct hl_cells sides[2];
	size_t group_n;
	char group[CAPTURE_GROUP_MAX];
	size_t out_n;
	char out[CAPTURE_LINE_MAX]; /* text of the item */
};

/* capture_init - for the file of this name (the last part of its path). */
void capture_init(struct capture *c, const char *name);

/*
 * capture_line - one line without its newline.
 * Returns : true with *item filled (venue 0: the line holds nothing to
 *           serve); false with c->error set: not a line of this format.
 */
bool capture_line(
    struct capture *c, const char *line, size_t n, struct capture_item *item);

/* capture_end - what was kept back for completion; false when nothing. */
bool capture_end(struct capture *c, struct capture_item *item);

/* capture_gamma - a line of a markets file as a Gamma object, into c->out. */
bool capture_gamma(struct capture *c, const char *line, size_t n);

/* capture_hl - the CSV formats, for capture_line. */
bool capture_hl(
    struct capture *c, const char *line, size_t n, struct capture_item *item);

#endif

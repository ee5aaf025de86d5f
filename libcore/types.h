/*
 * types.h - the enums that every room shares.
 *
 * Enums start at 1, so that zeroed memory is never a valid value; the last
 * entry is X_N. Values are stored in slots and files: append, never renumber.
 */
#ifndef LIBCORE_TYPES_H
#define LIBCORE_TYPES_H

enum venue {
	VENUE_POLYMARKET = 1,
	VENUE_BINANCE = 2,
	VENUE_HYPERLIQUID = 3,
	VENUE_N
};

enum side {
	SIDE_BID = 1, /* buy */
	SIDE_ASK = 2, /* sell */
	SIDE_N
};

/* What kind of thing an instrument is. Prices of BINARY and UPDOWN are in
 * the canonical YES (Up) frame everywhere but in libvenue. */
enum instr_class {
	CLASS_BINARY = 1, /* yes/no market, resolves to 0, 0.5 or 1 */
	CLASS_UPDOWN = 2, /* short-dated binary on a price */
	CLASS_PERP = 3,	  /* perpetual future, quoted and traded */
	CLASS_SPOT = 4,	  /* reference only, never traded */
	CLASS_INDEX = 5,  /* settlement or oracle price, never traded */
	CLASS_N
};

enum instr_state {
	INSTR_HYDRATING = 1, /* known, not yet complete */
	INSTR_NORMAL = 2,
	INSTR_WATCH = 3,
	INSTR_CLOSE_WINDOW = 4,
	INSTR_CLOSED = 5,
	INSTR_RESOLVED = 6,
	INSTR_HALTED = 7,
	INSTR_DISPUTED = 8,
	INSTR_STATE_N
};

enum mode {
	MODE_SIM = 1,
	MODE_PAPER = 2,
	MODE_LIVE = 3,
	MODE_CAPTURE = 4,
	MODE_BACKTEST = 5,
	MODE_N
};

static inline enum side
side_opposite(enum side s)
{
	return s == SIDE_BID ? SIDE_ASK : SIDE_BID;
}

const char *venue_name(enum venue v);
const char *side_name(enum side s);
const char *mode_name(enum mode m);
const char *instr_class_name(enum instr_class c);
const char *instr_state_name(enum instr_state s);

#endif

/*
 * bn_sbe.h - Binance's binary streams (SBE, stream schema 1).
 *
 * What   : one binary frame, decoded into the events that the JSON streams
 *          give, so that nobody behind has to know which one it was:
 *            10000 Trades         BN_TRADE, one for each entry
 *            10001 BestBidAsk     BN_BOOK_TICKER
 *            10002 DepthSnapshot  BN_PARTIAL
 *            10003 DepthDiff      BN_DEPTH
 * Differs: stream and type are empty (there is no envelope), symbol is set
 *          in BN_PARTIAL too, and BN_BOOK_TICKER has its time. Control
 *          answers and serverShutdown come as text frames: bn_decode.
 * Numbers: mantissa times a power of ten that each message names itself,
 *          turned into 1e-8 exactly; what does not fit is BAD_NUMBER.
 * Newer  : any version. Groups start where blockLength says and entries are
 *          entryLength apart, so appended fields are stepped over; bytes
 *          after the symbol are ignored.
 * Pure   : yes. O(n). Reads only [data, data + n), at any alignment.
 */
#ifndef LIBVENUE_BN_SBE_H
#define LIBVENUE_BN_SBE_H

#include "libvenue/binance.h"

struct bn_sbe {
	const uint8_t *data;
	size_t n;
	size_t at;	/* next trade */
	size_t each_sz; /* bytes of a trade entry */
	uint32_t left;	/* events to come, this one included */
	struct json_str symbol;
	int64_t event_ns;
	int64_t venue_ns;
	int8_t px_exp;
	int8_t qty_exp;
	bool begun;
};

/* bn_sbe_init - start at a frame. data stays where it is while it is read. */
void bn_sbe_init(struct bn_sbe *s, const void *data, size_t n);

/*
 * bn_sbe_next - the next event of the frame in *ev; false when there is none
 * left. ev->kind is BN_ERR for a frame that is refused, with err_off, and
 * nothing follows it:
 *   MISSING_FIELD  shorter than its own lengths say, or these shorter than
 *                  the fields that we know
 *   UNSUPPORTED    another schema
 *   BAD_NUMBER     negative, or out of range at 1e-8
 *   BAD_TYPE       a flag that is neither 0 nor 1
 *   OVERLONG       more than BN_LEVELS_MAX levels
 * and BN_UNKNOWN, UNKNOWN_EVENT for a template that we do not know. A frame
 * of no trades gives nothing. A trade that is refused ends its frame; those
 * before it have been given.
 */
bool bn_sbe_next(struct bn_sbe *s, struct bn_event *ev);

#endif

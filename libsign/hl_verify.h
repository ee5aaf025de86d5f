/*
 * hl_verify.h - Hyperliquid's side: whose signature a received action bears.
 *
 * What : the action is taken as it was sent - its own keys in its own order,
 *        its strings as they are - and hashed again. Any mistake of the
 *        sender gives another address, never an error.
 * Pure : yes. No allocation, no recursion; O(depth * n).
 */
#ifndef LIBSIGN_HL_VERIFY_H
#define LIBSIGN_HL_VERIFY_H

#include "libsign/hl_action.h"

/*
 * hl_wire_json - an action's JSON through the two encodings.
 * Returns false for what no action has: null, fractions, exponents, integers
 *   past 64 bits, strings that need an escape or are not ASCII, more than
 *   HL_WIRE_DEPTH open brackets, keys longer than HL_KEY_MAX, bad JSON; or
 *   when a buffer is too small. w is then of no use.
 */
#define HL_KEY_MAX 63
bool hl_wire_json(struct hl_wire *w, const char *text, size_t n);

/* A request as received; action is its JSON text. */
struct hl_received {
	const char *action;
	size_t n;
	struct hl_meta meta;
	bool mainnet;
	struct sig sig;
};

/* hl_signer_of - the address that signed; false when there is none, the
 * action is longer than HL_MSGPACK_MAX, or hl_wire_json refuses it. */
bool hl_signer_of(
    const struct secp *c, const struct hl_received *r, struct address *who);

#endif

/*
 * hl_wire.h - one description, two encodings.
 *
 * Why  : Hyperliquid hashes an action as MessagePack and receives it as JSON.
 *        Any difference between the two looks like a wallet that does not
 *        exist. Each call here writes both, so that they cannot differ.
 * How  : a map or array is opened with its number of members and closes by
 *        itself after the last; hl_wire_end fails when one is still open.
 * Text : what would need an escape in JSON fails a CHECK: every string of an
 *        action is ours, a number, a hex id or an address.
 * Pure : yes. What does not fit is remembered; hl_wire_end then says so.
 */
#ifndef LIBSIGN_HL_WIRE_H
#define LIBSIGN_HL_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libsign/msgpack.h"

#define HL_WIRE_DEPTH 8

struct hl_wire {
	struct msgpack mp;
	char *json;
	size_t cap;
	size_t n;
	bool full;
	bool after_key;
	uint8_t depth;
	struct {
		uint16_t left; /* members to come; keys and values alike */
		bool map;
		bool first;
	} open[HL_WIRE_DEPTH];
};

/* The two buffers of a wire. */
struct hl_wire_bufs {
	uint8_t *mp;
	size_t mp_cap;
	char *json;
	size_t json_cap;
};

void hl_wire_init(struct hl_wire *w, const struct hl_wire_bufs *bufs);
void hl_wire_map(struct hl_wire *w, uint16_t keys);
void hl_wire_array(struct hl_wire *w, uint16_t items);
void hl_wire_key(struct hl_wire *w, const char *key);
void hl_wire_str(struct hl_wire *w, const char *s, size_t n);
void hl_wire_text(struct hl_wire *w, const char *s);
void hl_wire_bool(struct hl_wire *w, bool v);
void hl_wire_uint(struct hl_wire *w, uint64_t v);
void hl_wire_int(struct hl_wire *w, int64_t v);

/* hl_wire_end - did all fit? Everything must be closed (CHECK). The lengths
 * are w->mp.n and w->n; the JSON has no NUL. */
bool hl_wire_end(const struct hl_wire *w);

#endif

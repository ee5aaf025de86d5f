/*
 * msgpack.h - the part of MessagePack that Hyperliquid hashes.
 *
 * Each value in its shortest form: fixmap, map16; fixarray, array16; fixstr,
 * str8, str16; booleans; integers, unsigned where they are not negative.
 * What does not fit the buffer is remembered, not cut: msgpack_end gives 0.
 * Pure: yes.
 */
#ifndef LIBSIGN_MSGPACK_H
#define LIBSIGN_MSGPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct msgpack {
	uint8_t *buf;
	size_t cap;
	size_t n;
	bool full;
};

void msgpack_init(struct msgpack *m, uint8_t *buf, size_t cap);
void msgpack_map(struct msgpack *m, uint16_t keys);
void msgpack_array(struct msgpack *m, uint16_t items);
/* msgpack_str - n below 65536 (CHECK). */
void msgpack_str(struct msgpack *m, const char *s, size_t n);
void msgpack_bool(struct msgpack *m, bool v);
void msgpack_uint(struct msgpack *m, uint64_t v);
void msgpack_int(struct msgpack *m, int64_t v);

/* msgpack_end - bytes written, 0 when something did not fit. */
size_t msgpack_end(const struct msgpack *m);

#endif

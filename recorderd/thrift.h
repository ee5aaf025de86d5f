/*
 * thrift.h - the part of Thrift's compact protocol that Parquet's metadata
 * needs, written into a buffer of the caller.
 *
 * What   : structs, lists, integers, booleans, binaries.
 * Full   : a write past the end is dropped and `full` stays set; the caller
 *          looks once at the end.
 * Pure   : yes.
 */
#ifndef RECORDERD_THRIFT_H
#define RECORDERD_THRIFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define THRIFT_DEPTH_MAX 8

/* Types of the compact protocol, as they stand in list headers. */
enum thrift_type {
	THRIFT_TRUE = 1,
	THRIFT_FALSE = 2,
	THRIFT_I32 = 5,
	THRIFT_I64 = 6,
	THRIFT_BINARY = 8,
	THRIFT_LIST = 9,
	THRIFT_STRUCT = 12,
};

struct thrift {
	uint8_t *buf;
	size_t cap;
	size_t len;
	unsigned depth;
	int16_t last_id[THRIFT_DEPTH_MAX]; /* field ids are written as deltas */
	bool full;
};

/* thrift_init - write into buf from its start; the open struct is the outer
 * one, which thrift_end closes as any other. */
void thrift_init(struct thrift *t, void *buf, size_t cap);

/* Fields of the open struct. Ids must rise (CHECK). */
void thrift_i32(struct thrift *t, int16_t id, int32_t v);
void thrift_i64(struct thrift *t, int16_t id, int64_t v);
void thrift_bool(struct thrift *t, int16_t id, bool v);
void thrift_binary(struct thrift *t, int16_t id, const void *data, size_t n);
void thrift_struct(struct thrift *t, int16_t id);
void thrift_list(struct thrift *t, int16_t id, enum thrift_type of, size_t n);

/* Elements of the list written last. */
void thrift_elem_i32(struct thrift *t, int32_t v);
void thrift_elem_binary(struct thrift *t, const void *data, size_t n);
void thrift_elem_struct(struct thrift *t);

/* thrift_end - close the innermost struct. */
void thrift_end(struct thrift *t);

/* thrift_raw - bytes that were encoded before (a list's elements). */
void thrift_raw(struct thrift *t, const void *data, size_t n);

/* thrift_uvarint - v as 1 to 10 bytes at p. Returns the length. */
size_t thrift_uvarint(uint8_t *p, uint64_t v);

static inline uint64_t
thrift_zigzag(int64_t v)
{
	return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}

#endif

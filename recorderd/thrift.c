#include "recorderd/thrift.h"

#include <string.h>

#include "libcore/check.h"

void
thrift_init(struct thrift *t, void *buf, size_t cap)
{
	CHECK(buf != NULL);
	*t = (struct thrift){.buf = buf, .cap = cap, .depth = 1};
}

size_t
thrift_uvarint(uint8_t *p, uint64_t v)
{
	size_t n = 0;

	while (v >= 0x80) {
		p[n++] = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	p[n++] = (uint8_t)v;
	return n;
}

void
thrift_raw(struct thrift *t, const void *data, size_t n)
{
	if (t->full || n > t->cap - t->len) {
		t->full = true;
		return;
	}
	memcpy(t->buf + t->len, data, n);
	t->len += n;
}

static void
put_u8(struct thrift *t, uint8_t v)
{
	thrift_raw(t, &v, 1);
}

static void
put_uvarint(struct thrift *t, uint64_t v)
{
	uint8_t tmp[10];

	thrift_raw(t, tmp, thrift_uvarint(tmp, v));
}

/* A field's header: the id as a difference of 1 to 15, or in full. */
static void
put_field(struct thrift *t, int16_t id, enum thrift_type type)
{
	CHECK(t->depth > 0);
	int16_t *last = &t->last_id[t->depth - 1];

	CHECK(id > *last);
	if (id - *last <= 15) {
		put_u8(t, (uint8_t)((id - *last) << 4 | (int)type));
	} else {
		put_u8(t, (uint8_t)type);
		put_uvarint(t, thrift_zigzag(id));
	}
	*last = id;
}

void
thrift_i32(struct thrift *t, int16_t id, int32_t v)
{
	put_field(t, id, THRIFT_I32);
	put_uvarint(t, thrift_zigzag(v));
}

void
thrift_i64(struct thrift *t, int16_t id, int64_t v)
{
	put_field(t, id, THRIFT_I64);
	put_uvarint(t, thrift_zigzag(v));
}

void
thrift_bool(struct thrift *t, int16_t id, bool v)
{
	put_field(t, id, v ? THRIFT_TRUE : THRIFT_FALSE);
}

void
thrift_binary(struct thrift *t, int16_t id, const void *data, size_t n)
{
	put_field(t, id, THRIFT_BINARY);
	thrift_elem_binary(t, data, n);
}

static void
enter(struct thrift *t)
{
	CHECK(t->depth < THRIFT_DEPTH_MAX);
	t->last_id[t->depth++] = 0;
}

void
thrift_struct(struct thrift *t, int16_t id)
{
	put_field(t, id, THRIFT_STRUCT);
	enter(t);
}

void
thrift_list(struct thrift *t, int16_t id, enum thrift_type of, size_t n)
{
	CHECK(n <= INT32_MAX);
	put_field(t, id, THRIFT_LIST);
	if (n < 15) {
		put_u8(t, (uint8_t)(n << 4 | of));
	} else {
		put_u8(t, (uint8_t)(0xf0 | of));
		put_uvarint(t, n);
	}
}

void
thrift_elem_i32(struct thrift *t, int32_t v)
{
	put_uvarint(t, thrift_zigzag(v));
}

void
thrift_elem_binary(struct thrift *t, const void *data, size_t n)
{
	put_uvarint(t, n);
	thrift_raw(t, data, n);
}

void
thrift_elem_struct(struct thrift *t)
{
	enter(t);
}

void
thrift_end(struct thrift *t)
{
	CHECK(t->depth > 0);
	put_u8(t, 0);
	t->depth--;
}

#include "libsign/msgpack.h"

#include <string.h>

#include "libcore/check.h"

void
msgpack_init(struct msgpack *m, uint8_t *buf, size_t cap)
{
	*m = (struct msgpack){.buf = buf, .cap = cap};
}

static void
put(struct msgpack *m, const void *p, size_t n)
{
	if (m->full || m->cap - m->n < n) {
		m->full = true;
		return;
	}
	memcpy(m->buf + m->n, p, n);
	m->n += n;
}

/* A type byte and the n lowest bytes of v, big-endian. */
static void
put_be(struct msgpack *m, unsigned type, uint64_t v, size_t n)
{
	uint8_t b[9] = {(uint8_t)type};

	for (size_t i = 0; i < n; i++)
		b[1 + i] = (uint8_t)(v >> (8 * (n - 1 - i)));
	put(m, b, 1 + n);
}

void
msgpack_map(struct msgpack *m, uint16_t keys)
{
	if (keys < 16)
		put_be(m, 0x80U | keys, 0, 0);
	else
		put_be(m, 0xde, keys, 2);
}

void
msgpack_array(struct msgpack *m, uint16_t items)
{
	if (items < 16)
		put_be(m, 0x90U | items, 0, 0);
	else
		put_be(m, 0xdc, items, 2);
}

void
msgpack_str(struct msgpack *m, const char *s, size_t n)
{
	CHECK(n <= UINT16_MAX);
	if (n < 32)
		put_be(m, 0xa0U | (unsigned)n, 0, 0);
	else if (n <= UINT8_MAX)
		put_be(m, 0xd9, n, 1);
	else
		put_be(m, 0xda, n, 2);
	put(m, s, n);
}

void
msgpack_bool(struct msgpack *m, bool v)
{
	put_be(m, v ? 0xc3 : 0xc2, 0, 0);
}

void
msgpack_uint(struct msgpack *m, uint64_t v)
{
	if (v < 128)
		put_be(m, (unsigned)v, 0, 0);
	else if (v <= UINT8_MAX)
		put_be(m, 0xcc, v, 1);
	else if (v <= UINT16_MAX)
		put_be(m, 0xcd, v, 2);
	else if (v <= UINT32_MAX)
		put_be(m, 0xce, v, 4);
	else
		put_be(m, 0xcf, v, 8);
}

void
msgpack_int(struct msgpack *m, int64_t v)
{
	if (v >= 0)
		msgpack_uint(m, (uint64_t)v);
	else if (v >= -32)
		put_be(m, (uint8_t)v, 0, 0);
	else if (v >= INT8_MIN)
		put_be(m, 0xd0, (uint64_t)v, 1);
	else if (v >= INT16_MIN)
		put_be(m, 0xd1, (uint64_t)v, 2);
	else if (v >= INT32_MIN)
		put_be(m, 0xd2, (uint64_t)v, 4);
	else
		put_be(m, 0xd3, (uint64_t)v, 8);
}

size_t
msgpack_end(const struct msgpack *m)
{
	return m->full ? 0 : m->n;
}

/*
 * pqr_thrift.h - reading Thrift's compact protocol, for pqread.h.
 */
#ifndef TESTS_UNIT_PQR_THRIFT_H
#define TESTS_UNIT_PQR_THRIFT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct pqr_str {
	const uint8_t *p;
	size_t len;
};

struct pqr_in {
	const uint8_t *p;
	const uint8_t *end;
};

static inline uint8_t
pqr_u8(struct pqr_in *in)
{
	assert_true(in->p < in->end);
	return *in->p++;
}

static inline uint64_t
pqr_uv(struct pqr_in *in)
{
	uint64_t v = 0;

	for (unsigned s = 0; s < 64; s += 7) {
		uint8_t b = pqr_u8(in);

		v |= (uint64_t)(b & 0x7f) << s;
		if (b < 0x80)
			return v;
	}
	fail_msg("varint too long");
	return 0;
}

static inline int64_t
pqr_zz(struct pqr_in *in)
{
	uint64_t v = pqr_uv(in);

	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static inline struct pqr_str
pqr_bin(struct pqr_in *in)
{
	size_t n = pqr_uv(in);
	struct pqr_str s = {in->p, n};

	assert_true(n <= (size_t)(in->end - in->p));
	in->p += n;
	return s;
}

/* Next field of the struct: its type, 0 at the end; *id is kept by the
 * caller, 0 at the start. */
static inline int
pqr_field(struct pqr_in *in, int *id)
{
	uint8_t b = pqr_u8(in);

	if (b == 0)
		return 0;
	*id = (b >> 4) != 0 ? *id + (b >> 4) : (int)pqr_zz(in);
	return b & 15;
}

static inline size_t
pqr_list(struct pqr_in *in, int *type)
{
	uint8_t b = pqr_u8(in);

	*type = b & 15;
	return (b >> 4) == 15 ? pqr_uv(in) : b >> 4;
}

static inline void
pqr_skip(struct pqr_in *in, int type)
{
	int id = 0;
	int t;

	switch (type) {
	case 1:
	case 2: return;
	case 3: pqr_u8(in); return;
	case 4:
	case 5:
	case 6: pqr_uv(in); return;
	case 8: pqr_bin(in); return;
	case 9:
		for (size_t n = pqr_list(in, &t); n > 0; n--)
			pqr_skip(in, t);
		return;
	case 12:
		while ((t = pqr_field(in, &id)) != 0)
			pqr_skip(in, t);
		return;
	default: fail_msg("thrift type %d", type);
	}
}

#endif

/*
 * decode_import.h - the checks of the importer: whatever a line holds, what
 * comes out is in the range of a slot.
 */
#ifndef TESTS_FUZZ_DECODE_IMPORT_H
#define TESTS_FUZZ_DECODE_IMPORT_H

#include <stdlib.h>
#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"
#include "recorderd/import.h"

static inline void
fuzz_import_slot(void *ctx, const struct import_instr *in, const union tap *s)
{
	uint64_t *h = ctx;

	CHECK(s->hdr.instr == in->idx);
	CHECK((int64_t)s->hdr.recv_ns > 0);
	if (s->hdr.kind == TICK_LEVEL)
		CHECK(s->tick.u.level.px.e8 >= 0 &&
		      s->tick.u.level.px.e8 <= PX_E8_MAX);
	*h = hash_bytes(*h, s, sizeof(*s));
}

static inline uint16_t
fuzz_import_instr(void *ctx, const struct instr *in, int64_t recv_ns)
{
	uint64_t *h = ctx;

	(void)recv_ns;
	CHECK(memchr(in->symbol, '\0', sizeof(in->symbol)) != NULL);
	*h = hash_u64(*h, in->venue);
	return (uint16_t)(1 + *h % 5000);
}

/* The first byte says which format; lines follow. */
static inline uint64_t
fuzz_import(const char *text, size_t n)
{
	uint64_t h = HASH_SEED;
	const struct import_sink sink = {
	    fuzz_import_slot, fuzz_import_instr, &h};
	static struct import *im;
	size_t at = 1;

	if (n < 2)
		return 0;
	if (im == NULL)
		im = malloc(sizeof(*im));
	import_init(im,
	    (enum import_format)(1 + (uint8_t)text[0] % (IMPORT_FORMAT_N - 1)),
	    "BTCUSDT", &sink);
	import_file(im);
	if (im->format == IMPORT_NPZ) {
		import_npy_head(im, (const uint8_t *)text + 1, n - 1);
		import_npy_rows(
		    im, (const uint8_t *)text + 1, (n - 1) / IMPORT_NPY_ROW);
	}
	(void)import_market(im, text + 1, n - 1);
	while (im->format != IMPORT_NPZ && at < n) {
		const char *nl = memchr(text + at, '\n', n - at);
		size_t len = (nl != NULL ? (size_t)(nl - text) : n) - at;
		char *line = malloc(len > 0 ? len : 1);

		memcpy(line, text + at, len);
		import_line(im, line, len);
		free(line);
		at += len + 1;
	}
	import_end(im);
	return hash_u64(h, im->bad_n);
}

#endif

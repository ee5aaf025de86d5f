#include "recorderd/pqdec.h"

#include <string.h>

#include "libcore/check.h"

enum {
	TYPE_INT32 = 1,
	TYPE_INT64 = 2,
	TYPE_BYTE_ARRAY = 6,
	ENC_PLAIN = 0,
	ENC_PLAIN_DICTIONARY = 2,
	ENC_DELTA = 5,
	ENC_RLE_DICTIONARY = 8,
};

#define BLOCK_MAX 65536u

static bool
uvarint(const uint8_t **p, const uint8_t *end, uint64_t *out)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64 && *p < end; shift += 7) {
		uint8_t b = *(*p)++;

		v |= (uint64_t)(b & 127) << shift;
		if (b < 128) {
			*out = v;
			return true;
		}
	}
	return false;
}

static inline uint64_t
load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* ---- runs ---- */

static bool
runs_init(
    struct pqdec_runs *r, const uint8_t *p, const uint8_t *end, unsigned width)
{
	*r = (struct pqdec_runs){.p = p, .end = end, .width = width};
	return width <= 32;
}

static bool
runs_next(struct pqdec_runs *r)
{
	uint64_t head;

	if (!uvarint(&r->p, r->end, &head))
		return false;
	size_t left = (size_t)(r->end - r->p);
	uint64_t n = head >> 1;

	if (n == 0 || n > PQ_ROWS_MAX)
		return false;
	if ((head & 1) == 0) {
		unsigned bytes = (r->width + 7) / 8;

		if (bytes > left)
			return false;
		r->run_value = 0;
		for (unsigned i = 0; i < bytes; i++)
			r->run_value |= (uint32_t)r->p[i] << (8 * i);
		r->p += bytes;
		r->run_left = n;
		return true;
	}
	if (n * r->width > left)
		return false;
	r->packed = r->p;
	r->packed_bit = 0;
	r->packed_left = n * 8;
	r->p += n * r->width;
	return true;
}

static bool
runs_read(struct pqdec_runs *r, uint32_t *out, uint32_t n)
{
	const uint64_t mask = (UINT64_C(1) << r->width) - 1;
	uint32_t i = 0;

	while (i < n) {
		uint32_t m = n - i;

		if (r->run_left > 0) {
			m = m < r->run_left ? m : (uint32_t)r->run_left;
			for (uint32_t k = 0; k < m; k++)
				out[i + k] = r->run_value;
			r->run_left -= m;
		} else if (r->packed_left > 0) {
			uint64_t bit = r->packed_bit;

			m = m < r->packed_left ? m : (uint32_t)r->packed_left;
			for (uint32_t k = 0; k < m; k++, bit += r->width)
				out[i + k] =
				    (uint32_t)(load64(r->packed + (bit >> 3)) >>
						   (bit & 7) &
					       mask);
			r->packed_bit = bit;
			r->packed_left -= m;
		} else {
			if (!runs_next(r))
				return false;
			continue;
		}
		i += m;
	}
	return true;
}

/* ---- differences ---- */

static bool
delta_init(struct pqdec_delta *d, const uint8_t *p, const uint8_t *end)
{
	uint64_t block;
	uint64_t first;

	*d = (struct pqdec_delta){.end = end};
	if (!uvarint(&p, end, &block) || !uvarint(&p, end, &d->minis) ||
	    !uvarint(&p, end, &d->left) || !uvarint(&p, end, &first))
		return false;
	if (block == 0 || block > BLOCK_MAX || d->minis == 0 ||
	    block % d->minis != 0 || d->minis > block / 8 ||
	    d->left > PQ_ROWS_MAX)
		return false;
	d->mini_n = block / d->minis;
	d->mini_at = d->minis;
	d->value = first >> 1 ^ (0 - (first & 1));
	d->p = p;
	return d->mini_n % 8 == 0;
}

/* The next miniblock, of the next block when this one is used up. */
static bool
delta_next(struct pqdec_delta *d)
{
	uint64_t min;

	if (d->mini_at == d->minis) {
		if (!uvarint(&d->p, d->end, &min) ||
		    d->minis > (size_t)(d->end - d->p))
			return false;
		d->min = min >> 1 ^ (0 - (min & 1));
		d->width = d->p;
		d->p += d->minis;
		d->mini_at = 0;
	}
	d->mini_width = d->width[d->mini_at++];
	size_t bytes = d->mini_n / 8 * d->mini_width;

	if (d->mini_width > 64 || bytes > (size_t)(d->end - d->p))
		return false;
	d->mini = d->p;
	d->bit = 0;
	d->mini_left = d->mini_n;
	d->p += bytes;
	return true;
}

static inline uint64_t
unpack(const uint8_t *p, uint64_t bit, unsigned width)
{
	const uint8_t *at = p + (bit >> 3);
	unsigned shift = bit & 7;
	uint64_t v = load64(at) >> shift;

	/* The ninth byte; shift is not 0 then. */
	if (shift + width > 64)
		v |= (uint64_t)at[8] << (64 - shift);
	return width == 64 ? v : v & ((UINT64_C(1) << width) - 1);
}

static bool
delta_read(struct pqdec_delta *d, int64_t *out, uint32_t n)
{
	uint32_t i = 0;

	if (n > d->left)
		return false;
	d->left -= n;
	if (n > 0 && !d->has_first) {
		d->has_first = true;
		out[i++] = (int64_t)d->value;
	}
	while (i < n) {
		if (d->mini_left == 0 && !delta_next(d))
			return false;
		uint32_t m =
		    n - i < d->mini_left ? n - i : (uint32_t)d->mini_left;
		uint64_t v = d->value;

		if (d->mini_width == 0) {
			for (uint32_t k = 0; k < m; k++)
				out[i + k] = (int64_t)(v += d->min);
		} else {
			for (uint32_t k = 0; k < m; k++) {
				v += d->min +
				     unpack(d->mini, d->bit, d->mini_width);
				d->bit += d->mini_width;
				out[i + k] = (int64_t)v;
			}
		}
		d->value = v;
		d->mini_left -= m;
		i += m;
	}
	return true;
}

/* ---- plain ---- */

static bool
plain_read(
    const uint8_t **p, const uint8_t *end, int type, int64_t *out, uint32_t n)
{
	size_t sz = type == TYPE_INT64 ? 8 : 4;

	if (n == 0)
		return true;
	if (type == TYPE_BYTE_ARRAY || n > (size_t)(end - *p) / sz)
		return false;
	if (sz == 8) {
		memcpy(out, *p, (size_t)n * 8);
	} else {
		for (uint32_t i = 0; i < n; i++) {
			int32_t w;

			memcpy(&w, *p + (size_t)i * 4, 4);
			out[i] = w;
		}
	}
	*p += (size_t)n * sz;
	return true;
}

bool
pqdec_dict_ints(
    const uint8_t *p, size_t len, int type, int64_t *out, uint32_t n)
{
	return plain_read(&p, p + len, type, out, n);
}

bool
pqdec_dict_texts(
    const uint8_t *p, size_t len, struct pqfile_text *out, uint32_t n)
{
	const uint8_t *end = p + len;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t k;

		if (end - p < 4)
			return false;
		memcpy(&k, p, 4);
		p += 4;
		if (k > (size_t)(end - p))
			return false;
		out[i] = (struct pqfile_text){p, k};
		p += k;
	}
	return true;
}

/* ---- a page ---- */

bool
pqdec_init(struct pqdec *d, const struct pqdec_page *page)
{
	const uint8_t *p = page->p;
	const uint8_t *end = p + page->len;

	*d = (struct pqdec){.optional = page->optional,
	    .type = page->type,
	    .encoding = page->encoding,
	    .left = page->rows,
	    .end = end,
	    .dict = page->dict,
	    .dict_n = page->dict_n};
	if (page->optional) {
		uint32_t n;

		if (end - p < 4)
			return false;
		memcpy(&n, p, 4);
		p += 4;
		if (n > (size_t)(end - p))
			return false;
		runs_init(&d->level, p, p + n, 1);
		p += n;
	}
	switch (page->encoding) {
	case ENC_PLAIN: d->plain = p; return true;
	case ENC_DELTA:
		return page->type == TYPE_INT64 &&
		       delta_init(&d->delta, p, end);
	case ENC_PLAIN_DICTIONARY:
	case ENC_RLE_DICTIONARY:
		return page->dict != NULL && p < end &&
		       runs_init(&d->code, p + 1, end, *p);
	default: return false;
	}
}

static bool
values(struct pqdec *d, int64_t *out, uint32_t n)
{
	uint32_t code[PQDEC_BATCH];

	if (d->encoding == ENC_PLAIN)
		return plain_read(&d->plain, d->end, d->type, out, n);
	if (d->encoding == ENC_DELTA)
		return delta_read(&d->delta, out, n);
	if (!runs_read(&d->code, code, n))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		if (code[i] >= d->dict_n)
			return false;
		out[i] = d->dict[code[i]];
	}
	return true;
}

bool
pqdec_read(struct pqdec *d, int64_t *out, uint32_t n)
{
	uint32_t level[PQDEC_BATCH];
	int64_t v[PQDEC_BATCH];
	uint32_t set_n = 0;

	CHECK(n >= 1);
	CHECK(n <= PQDEC_BATCH);
	if (n > d->left)
		return false;
	d->left -= n;
	if (!d->optional)
		return values(d, out, n);
	/* One run over all of them: everything is there, or nothing. */
	if (d->level.run_left >= n) {
		d->level.run_left -= n;
		if ((d->level.run_value & 1) != 0)
			return values(d, out, n);
		for (uint32_t i = 0; i < n; i++)
			out[i] = PQ_NULL;
		return true;
	}
	if (!runs_read(&d->level, level, n))
		return false;
	for (uint32_t i = 0; i < n; i++)
		set_n += level[i] & 1;
	if (!values(d, v, set_n))
		return false;
	set_n = 0;
	for (uint32_t i = 0; i < n; i++)
		out[i] = (level[i] & 1) != 0 ? v[set_n++] : PQ_NULL;
	return true;
}

/* links: recorderd libsys libshm libcore */
/*
 * What pqenc.h encodes, pqdec.h decodes, in pieces of any size; and what is
 * out of range is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libcore/hash.h"
#include "recorderd/pqdec.h"
#include "recorderd/pqenc.h"

#define N 5000u

static uint64_t seed = 11;
static int64_t in[N];
static int64_t got[N];
static uint8_t page[PQENC_DELTA_BOUND(N) + 65536];

static uint64_t
rnd(void)
{
	seed = hash_u64(seed, 1);
	return seed;
}

static bool
read_all(const struct pqdec_page *p, uint32_t n)
{
	struct pqdec d;

	if (!pqdec_init(&d, p))
		return false;
	for (uint32_t i = 0; i < n;) {
		uint32_t m = 1 + (uint32_t)(rnd() % 300);

		m = m < n - i ? m : n - i;
		if (!pqdec_read(&d, got + i, m))
			return false;
		i += m;
	}
	/* There is nothing behind the last row. */
	return !pqdec_read(&d, got, 1) || p->rows > n;
}

static void
differences(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits <= 64; bits++) {
		uint32_t n = 1 + (uint32_t)(rnd() % 700);

		for (uint32_t i = 0; i < n; i++)
			in[i] = bits == 0 ? (int64_t)(i * 3)
					  : (int64_t)(rnd() >> (64 - bits));
		memset(page, 0, sizeof(page));
		struct pqdec_page p = {.p = page,
		    .len = pqenc_delta(page, in, n),
		    .type = 2,
		    .encoding = 5,
		    .rows = n};

		assert_true(read_all(&p, n));
		struct pqdec d;

		assert_true(pqdec_init(&d, &p));
		for (uint32_t i = 0; i < n; i++) {
			assert_true(pqdec_read(&d, got, 1));
			assert_int_equal(got[0], in[i]);
		}
		/* Cut short: refused, or fewer values. */
		p.len = p.len / 2;
		assert_false(read_all(&p, n));
	}
}

static void
dictionary(void **state)
{
	static int64_t dict[1000];
	static uint32_t code[N];

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		dict[i] = (int64_t)rnd();
	for (unsigned width = 0; width <= 9; width++) {
		uint32_t max = (1u << width) - 1;
		uint32_t v = 0;

		for (uint32_t i = 0; i < N; i++) {
			if (rnd() % 5 == 0)
				v = (uint32_t)(rnd() % (max + 1));
			code[i] =
			    i % 1000 < 500 ? v : (uint32_t)(rnd() % (max + 1));
		}
		code[N / 2] = max;
		memset(page, 0, sizeof(page));
		page[0] = (uint8_t)width;
		struct pqdec_page p = {.p = page,
		    .len = 1 + pqenc_hybrid(page + 1, code, N, width),
		    .type = 2,
		    .encoding = 8,
		    .rows = N,
		    .dict = dict,
		    .dict_n = max + 1};
		struct pqdec d;

		assert_true(pqdec_init(&d, &p));
		for (uint32_t i = 0; i < N; i += 1000)
			assert_true(pqdec_read(&d, got + i, 1000));
		for (uint32_t i = 0; i < N; i++)
			assert_int_equal(got[i], dict[code[i]]);
		/* An index past the dictionary is no value. */
		p.dict_n = max;
		assert_false(read_all(&p, N));
		p.dict = NULL;
		assert_false(pqdec_init(&d, &p));
	}
}

/* Nulls between values, in runs and one by one. */
static void
nulls(void **state)
{
	static uint8_t bits[N / 8 + 1];
	static int64_t set[N];
	uint32_t n = 0;

	(void)state;
	memset(page, 0, sizeof(page));
	for (uint32_t i = 0; i < N; i++) {
		bool is_set = i < 1500	 ? true
			      : i < 3000 ? false
					 : rnd() % 3 != 0;

		in[i] = is_set ? (int64_t)(rnd() % 100000) : PQ_NULL;
		if (is_set)
			set[n++] = in[i];
		bits[i / 8] = (uint8_t)(bits[i / 8] | is_set << i % 8);
	}
	uint32_t len = (uint32_t)pqenc_levels(page + 4, bits, N);

	memcpy(page, &len, 4);
	memcpy(page + 4 + len, set, n * 8);
	const struct pqdec_page p = {.p = page,
	    .len = 4 + len + n * 8,
	    .type = 2,
	    .encoding = 0,
	    .optional = true,
	    .rows = N};
	struct pqdec d;

	assert_true(pqdec_init(&d, &p));
	for (uint32_t i = 0; i < N;) {
		uint32_t m = 1 + (uint32_t)(rnd() % PQDEC_BATCH);

		m = m < N - i ? m : N - i;
		assert_true(pqdec_read(&d, got + i, m));
		i += m;
	}
	assert_memory_equal(got, in, sizeof(in));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(differences),
	    cmocka_unit_test(dictionary), cmocka_unit_test(nulls)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* links: recorderd libcore */
#include "tests/unit/pqread.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libcore/hash.h"
#include "recorderd/parquet.h"
#include "recorderd/pqenc.h"

#define FILE_MAX ((size_t)64 << 20)

struct mem {
	uint8_t *p;
	size_t len;
	size_t fail_at; /* refuse when the file would grow past this */
};

static int
mem_write(void *ctx, const void *data, size_t n)
{
	struct mem *m = ctx;

	if (m->len + n > m->fail_at)
		return -ENOSPC;
	assert_true(m->len + n <= FILE_MAX);
	memcpy(m->p + m->len, data, n);
	m->len += n;
	return 0;
}

struct fixture {
	ZSTD_CCtx *zstd;
	void *mem;
	struct pq_scratch *s;
	struct mem file;
	uint8_t *meta;
	uint8_t *foot;
};

#define ROWS_MAX 40000u
#define META_SZ	 ((size_t)1 << 20)

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	size_t sz = pq_scratch_sz(ROWS_MAX);

	f->zstd = ZSTD_createCCtx();
	f->mem = aligned_alloc(64, sz);
	f->s = pq_scratch_init(f->mem, ROWS_MAX, f->zstd, 1);
	f->file.p = malloc(FILE_MAX);
	f->file.fail_at = FILE_MAX;
	f->meta = malloc(META_SZ);
	f->foot = malloc(2 * META_SZ);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	ZSTD_freeCCtx(f->zstd);
	free(f->mem);
	free(f->file.p);
	free(f->meta);
	free(f->foot);
	free(f);
	return 0;
}

static void
begin(struct fixture *f, struct pq *p, const struct pq_column *col, unsigned n)
{
	struct pq_sink sink = {mem_write, &f->file};

	f->file.len = 0;
	assert_int_equal(pq_begin(p, col, n, &sink, f->meta, META_SZ), 0);
}

static void
end(struct fixture *f, struct pq *p, struct pqr *r)
{
	static const struct pq_kv kv[] = {{"config_hash", "abc"}, {"gaps", ""}};

	assert_int_equal(
	    pq_end(p, "test version 1", kv, 2, f->foot, 2 * META_SZ), 0);
	assert_int_equal(p->offset, f->file.len);
	pqr_open(r, f->file.p, f->file.len);
	assert_int_equal(r->kvs, 2);
	assert_int_equal(r->key[0].len, 11);
	assert_memory_equal(r->value[0].p, "abc", 3);
	assert_int_equal(r->value[1].len, 0);
	assert_memory_equal(r->created_by.p, "test version 1", 14);
	assert_int_equal(r->orders, r->cols);
	assert_int_equal(r->rows, p->rows);
}

static uint64_t
rnd(uint64_t *s)
{
	*s = hash_u64(*s, 1);
	return *s;
}

/* ---- encodings against the reader's naive decoding ---- */

enum shape {
	SHAPE_CONST = 1,
	SHAPE_RISE,
	SHAPE_WALK,
	SHAPE_SMALL,
	SHAPE_WILD,
	SHAPE_ALTERNATE,
	SHAPE_N
};

static int64_t
shape_value(enum shape sh, size_t i, int64_t last, uint64_t *seed)
{
	uint64_t r = rnd(seed);

	switch (sh) {
	case SHAPE_CONST: return -77;
	case SHAPE_RISE: return last + (int64_t)(r % 1000);
	case SHAPE_WALK: return last + (int64_t)(r % 2001) - 1000;
	case SHAPE_SMALL: return (int64_t)(r % 7) * 100000000;
	case SHAPE_WILD:
		return r % 16 == 0   ? INT64_MAX
		       : r % 16 == 1 ? INT64_MIN + 1
				     : (int64_t)r;
	case SHAPE_ALTERNATE: return (i & 1) != 0 ? INT64_MAX : -INT64_MAX;
	case SHAPE_N: break;
	}
	fail();
	return 0;
}

static void
delta_round_trip(void **state)
{
	static const size_t sizes[] = {
	    0, 1, 2, 31, 32, 33, 127, 128, 129, 130, 256, 257, 1000, 20000};
	int64_t *v = calloc(20000, sizeof(*v));
	int64_t *got = calloc(20001, sizeof(*got));
	uint8_t *buf = malloc(PQENC_DELTA_BOUND(20000));
	uint64_t seed = 42;

	(void)state;
	for (int sh = SHAPE_CONST; sh < SHAPE_N; sh++) {
		for (size_t k = 0; k < sizeof(sizes) / sizeof(*sizes); k++) {
			size_t n = sizes[k];
			int64_t last = 5;

			for (size_t i = 0; i < n; i++)
				last = v[i] =
				    shape_value((enum shape)sh, i, last, &seed);
			size_t len = pqenc_delta(buf, v, n);
			struct pqr_in in = {buf, buf + len};

			pqr_delta(&in, got, n);
			assert_ptr_equal(in.p, in.end);
			assert_memory_equal(got, v, n * sizeof(*v));
		}
	}
	free(v);
	free(got);
	free(buf);
}

/* The example of the format's specification: 7 5 3 1 2 3 4 5, whose
 * differences are -2 -2 -2 1 1 1 1, minimum -2, then 0 0 0 3 3 3 3. */
static void
delta_spec_example(void **state)
{
	static const int64_t v[] = {7, 5, 3, 1, 2, 3, 4, 5};
	static const uint8_t want[] = {
	    0x80,
	    0x01,
	    4,
	    8,
	    14, /* 128, 4, 8 values, first 7            */
	    3,
	    2,
	    0,
	    0,
	    0, /* minimum -2, widths                   */
	    0xc0,
	    0x3f,
	    0,
	    0,
	    0,
	    0,
	    0,
	    0,
	};
	uint8_t buf[PQENC_DELTA_BOUND(8)];

	(void)state;
	assert_int_equal(pqenc_delta(buf, v, 8), sizeof(want));
	assert_memory_equal(buf, want, sizeof(want));
}

static void
hybrid_round_trip(void **state)
{
	uint32_t *v = calloc(5000, sizeof(*v));
	uint32_t *got = calloc(5000, sizeof(*got));
	uint8_t *buf = malloc(PQENC_HYBRID_BOUND(5000));
	uint64_t seed = 7;

	(void)state;
	for (unsigned width = 0; width <= 32; width++) {
		for (unsigned round = 0; round < 20; round++) {
			size_t n = rnd(&seed) % 5000;
			uint32_t mask = width == 32
					    ? UINT32_MAX
					    : (UINT32_C(1) << width) - 1;

			for (size_t i = 0; i < n;) {
				uint32_t x = (uint32_t)rnd(&seed) & mask;
				size_t run = 1 + rnd(&seed) % (1 + round * 2);

				while (run-- > 0 && i < n)
					v[i++] = x;
			}
			size_t len = pqenc_hybrid(buf, v, n, width);
			struct pqr_in in = {buf, buf + len};

			pqr_hybrid(&in, width, got, n);
			assert_ptr_equal(in.p, in.end);
			assert_memory_equal(got, v, n * sizeof(*v));
		}
	}
	free(v);
	free(got);
	free(buf);
}

static void
levels_round_trip(void **state)
{
	uint8_t bits[80];
	uint8_t buf[PQENC_HYBRID_BOUND(640)];
	uint32_t got[640];
	uint64_t seed = 5;

	(void)state;
	for (size_t n = 1; n <= 640; n++) {
		for (unsigned how = 0; how < 6; how++) {
			memset(bits, how == 0 ? 0 : 0xff, sizeof(bits));
			for (size_t i = 0; how > 1 && i < n;) {
				bool one = rnd(&seed) % 2;
				size_t run = 1 + rnd(&seed) % (how * how * 4);

				for (; run > 0 && i < n; run--, i++)
					if (one)
						bits[i / 8] |=
						    (uint8_t)(1 << i % 8);
					else
						bits[i / 8] &=
						    (uint8_t) ~(1 << i % 8);
			}
			for (size_t i = n; i < 640; i++)
				bits[i / 8] &= (uint8_t) ~(1 << i % 8);
			size_t len = pqenc_levels(buf, bits, n);
			struct pqr_in in = {buf, buf + len};

			pqr_hybrid(&in, 1, got, n);
			assert_ptr_equal(in.p, in.end);
			for (size_t i = 0; i < n; i++)
				assert_int_equal(
				    got[i], bits[i / 8] >> i % 8 & 1);
		}
	}
}

static void
dict_limits(void **state)
{
	static uint16_t table[PQENC_DICT_TABLE];
	static int64_t value[PQENC_DICT_MAX];
	static uint32_t code[PQENC_DICT_MAX + 1];
	static int64_t v[PQENC_DICT_MAX + 1];
	struct pqenc_dict d = {.table = table, .value = value, .code = code};

	(void)state;
	for (size_t i = 0; i <= PQENC_DICT_MAX; i++)
		v[i] = (int64_t)i << 40;
	assert_int_equal(pqenc_dict_build(&d, v, PQENC_DICT_MAX, true), 0);
	assert_int_equal(d.n, PQENC_DICT_MAX);
	for (size_t i = 0; i < PQENC_DICT_MAX; i++)
		assert_int_equal(value[code[i]], v[i]);
	assert_int_equal(pqenc_dict_build(&d, v, PQENC_DICT_MAX + 1, true), -1);
	assert_int_equal(pqenc_dict_build(&d, v, 4096, false), -1);
	assert_int_equal(pqenc_width(0), 0);
	assert_int_equal(pqenc_width(1), 1);
	assert_int_equal(pqenc_width(255), 8);
	assert_int_equal(pqenc_width(256), 9);
	assert_int_equal(pqenc_width(UINT32_MAX), 32);
}

/* ---- whole files ---- */

static const struct pq_column all_kinds[] = {
    {"ts", PQ_TIMESTAMP, PQ_ENC_DELTA, false},
    {"px", PQ_DECIMAL8, PQ_ENC_AUTO, true},
    {"usd", PQ_DECIMAL6, PQ_ENC_AUTO, false},
    {"i", PQ_I64, PQ_ENC_DELTA, true},
    {"u", PQ_U64, PQ_ENC_AUTO, false},
    {"n", PQ_I32, PQ_ENC_AUTO, true},
    {"symbol", PQ_STRING, PQ_ENC_AUTO, false},
    {"side", PQ_STRING, PQ_ENC_AUTO, true},
};
#define KINDS 8u

static const struct pq_text texts[] = {
    {"BTCUSDT", 7}, {"", 0}, {"will-it-rain \xc3\xa9", 15}, {"BTC", 3}};

/* A value of column c for row i of round `how`: 0 mixed, 1 all null where
 * allowed, 2 no nulls, 3 constant. */
static int64_t
cell(unsigned c, size_t i, unsigned how, uint64_t *seed)
{
	uint64_t r = how == 3 ? 12345 : rnd(seed);

	if (all_kinds[c].optional && (how == 1 || (how == 0 && r % 3 == 0)))
		return PQ_NULL;
	switch ((enum pq_kind)all_kinds[c].kind) {
	case PQ_TIMESTAMP:
		return INT64_C(1760000000000000000) + (int64_t)(i * 1000) +
		       (int64_t)(r % 900);
	case PQ_DECIMAL8: return (int64_t)(r % 500) * 1000000 - 7;
	case PQ_DECIMAL6:
		return (int64_t)(r % UINT64_C(1999999999999999999)) -
		       INT64_C(999999999999999999);
	case PQ_I64: return (int64_t)(r >> 1) - 5;
	case PQ_U64: return (int64_t)r;
	case PQ_I32: return (int32_t)r;
	case PQ_STRING: return (int64_t)(r % 4);
	case PQ_KIND_N: break;
	}
	fail();
	return 0;
}

static void
check_stats(const struct pqr_chunk *ch, const int64_t *v, size_t n,
    const struct pq_column *col)
{
	size_t present = 0;
	int64_t lo = 0;
	int64_t hi = 0;

	for (size_t i = 0; i < n; i++) {
		bool less = col->kind == PQ_U64 ? (uint64_t)v[i] < (uint64_t)lo
						: v[i] < lo;
		bool more = col->kind == PQ_U64 ? (uint64_t)v[i] > (uint64_t)hi
						: v[i] > hi;

		if (col->optional && v[i] == PQ_NULL)
			continue;
		if (present++ == 0) {
			lo = hi = v[i];
			continue;
		}
		lo = less ? v[i] : lo;
		hi = more ? v[i] : hi;
	}
	if (present == 0) {
		assert_null(ch->min.p);
		assert_null(ch->max.p);
		return;
	}
	assert_int_equal(ch->min.len, col->kind == PQ_I32 ? 4 : 8);
	assert_memory_equal(ch->min.p, &lo, ch->min.len);
	assert_memory_equal(ch->max.p, &hi, ch->max.len);
}

static void
check_strings(const struct pqr_chunk *ch, const int64_t *v,
    const struct pqr_str *s, size_t n)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		if (v[i] == PQ_NULL) {
			assert_null(s[i].p);
			continue;
		}
		any = true;
		assert_int_equal(s[i].len, texts[v[i]].len);
		assert_memory_equal(s[i].p, texts[v[i]].s, s[i].len);
	}
	if (any && n > 1000 && v[0] != v[1]) {
		assert_int_equal(ch->min.len, 0);
		assert_memory_equal(ch->max.p, texts[2].s, 15);
	}
}

static void
kinds_round_trip(void **state)
{
	static const uint32_t sizes[] = {1, 7, 8, 9, 1000, ROWS_MAX};
	struct fixture *f = *state;
	int64_t *v[KINDS];
	struct pq_values val[KINDS];
	struct pqr *r = malloc(sizeof(*r));
	int64_t *got = calloc(ROWS_MAX, sizeof(*got));
	struct pqr_str *gs = calloc(ROWS_MAX, sizeof(*gs));
	uint64_t seed = 99;

	for (unsigned c = 0; c < KINDS; c++) {
		v[c] = calloc(ROWS_MAX, sizeof(int64_t));
		val[c] = (struct pq_values){v[c], texts, 4};
	}
	for (unsigned how = 0; how < 4; how++) {
		for (size_t k = 0; k < sizeof(sizes) / sizeof(*sizes); k++) {
			uint32_t n = sizes[k];
			struct pq p;

			begin(f, &p, all_kinds, KINDS);
			for (unsigned c = 0; c < KINDS; c++)
				for (uint32_t i = 0; i < n; i++)
					v[c][i] = cell(c, i, how, &seed);
			assert_int_equal(pq_group(&p, f->s, val, n), 0);
			end(f, &p, r);
			assert_int_equal(r->cols, KINDS);
			assert_int_equal(r->groups, 1);
			for (unsigned c = 0; c < KINDS; c++) {
				bool text = all_kinds[c].kind == PQ_STRING;
				const struct pqr_chunk *ch = &r->chunk[0][c];
				uint8_t *hold = NULL;

				pqr_read(r, 0, c, got, gs, &hold);
				if (text) {
					check_strings(ch, v[c], gs, n);
				} else {
					assert_memory_equal(
					    got, v[c], n * sizeof(*got));
					check_stats(ch, v[c], n, &all_kinds[c]);
				}
				free(hold);
			}
		}
	}
	for (unsigned c = 0; c < KINDS; c++)
		free(v[c]);
	free(r);
	free(got);
	free(gs);
}

static void
schema_says_what_it_is(void **state)
{
	struct fixture *f = *state;
	struct pqr *r = malloc(sizeof(*r));
	struct pq p;

	begin(f, &p, all_kinds, KINDS);
	end(f, &p, r);
	assert_int_equal(r->rows, 0);
	assert_int_equal(r->groups, 0);
	assert_int_equal(r->col[0].logical, 8);
	assert_true(r->col[0].is_utc);
	assert_int_equal(r->col[0].unit, 3);
	assert_int_equal(r->col[1].logical, 5);
	assert_int_equal(r->col[1].converted, 5);
	assert_int_equal(r->col[1].scale, 8);
	assert_int_equal(r->col[2].scale, 6);
	assert_int_equal(r->col[3].logical, 10);
	assert_int_equal(r->col[4].converted, 14);
	assert_int_equal(r->col[5].type, 1);
	assert_int_equal(r->col[6].converted, 0);
	assert_int_equal(r->col[6].type, 6);
	assert_false(r->col[6].optional);
	assert_true(r->col[7].optional);
	assert_int_equal(pqr_find(r, "symbol"), 6);
	free(r);
}

/* Many groups: offsets stay right, and the end of the metadata memory is
 * announced before anything is written. */
static void
groups_until_full(void **state)
{
	struct fixture *f = *state;
	struct pqr *r = malloc(sizeof(*r));
	int64_t v[100];
	int64_t got[100];
	struct pq_values val = {.v = v};
	struct pq p;
	unsigned groups = 0;
	struct pq_sink sink = {mem_write, &f->file};
	int rc;

	f->file.len = 0;
	assert_int_equal(
	    pq_begin(&p, all_kinds, 1, &sink, f->meta, PQ_META_SZ(1) * 20), 0);
	for (;;) {
		uint64_t at = p.offset;

		for (int i = 0; i < 100; i++)
			v[i] = (int64_t)groups * 1000 + i;
		rc = pq_group(&p, f->s, &val, 100);
		if (rc != 0) {
			assert_int_equal(p.offset, at);
			break;
		}
		groups++;
	}
	assert_int_equal(rc, -EOVERFLOW);
	assert_true(groups >= 20);
	end(f, &p, r);
	assert_int_equal(r->groups, groups);
	for (unsigned g = 0; g < groups; g++) {
		pqr_read(r, g, 0, got, NULL, NULL);
		for (int i = 0; i < 100; i++)
			assert_int_equal(got[i], (int64_t)g * 1000 + i);
	}
	free(r);
}

/* A full disk at any byte is reported, and stays reported. */
static void
sink_errors(void **state)
{
	struct fixture *f = *state;
	int64_t v[50];
	struct pq_values val[2] = {{.v = v}, {.v = v}};
	struct pq_sink sink = {mem_write, &f->file};
	bool reached_end = false;

	for (int i = 0; i < 50; i++)
		v[i] = i;
	for (size_t cap = 0; !reached_end; cap += 3) {
		struct pq p;
		int rc;

		f->file.len = 0;
		f->file.fail_at = cap;
		rc = pq_begin(&p, all_kinds, 2, &sink, f->meta, META_SZ);
		if (rc == 0)
			rc = pq_group(&p, f->s, val, 50);
		if (rc == 0)
			rc = pq_end(&p, "x", NULL, 0, f->foot, META_SZ);
		reached_end = rc == 0;
		if (!reached_end) {
			assert_int_equal(rc, -ENOSPC);
			f->file.fail_at = FILE_MAX;
			assert_int_equal(pq_group(&p, f->s, val, 50), -ENOSPC);
			assert_int_equal(
			    pq_end(&p, "x", NULL, 0, f->foot, META_SZ),
			    -ENOSPC);
		}
		assert_true(cap < 100000);
	}
	f->file.fail_at = FILE_MAX;
}

static void
footer_too_small(void **state)
{
	struct fixture *f = *state;
	struct pq p;

	begin(f, &p, all_kinds, KINDS);
	assert_int_equal(pq_end(&p, "x", NULL, 0, f->foot, 40), -EOVERFLOW);
	assert_int_equal(p.offset, 4);
}

/* ---- broken preconditions abort ---- */

static void
dies(void (*fn)(struct fixture *), struct fixture *f)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		close(STDERR_FILENO);
		fn(f);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void
one_value(struct fixture *f, const struct pq_column *col, int64_t v)
{
	struct pq_sink sink = {mem_write, &f->file};
	struct pq_values val = {&v, texts, 4};
	struct pq p;

	pq_begin(&p, col, 1, &sink, f->meta, META_SZ);
	pq_group(&p, f->s, &val, 1);
}

static void
bad_decimal(struct fixture *f)
{
	one_value(f, &all_kinds[1], INT64_C(1000000000000000000));
}

static void
bad_int32(struct fixture *f)
{
	one_value(f, &all_kinds[5], INT64_C(1) << 31);
}

static void
bad_text(struct fixture *f)
{
	one_value(f, &all_kinds[6], 4);
}

static void
bad_null(struct fixture *f)
{
	one_value(f, &all_kinds[6], PQ_NULL);
}

static void
bad_encoding(struct fixture *f)
{
	static const struct pq_column c = {"n", PQ_I32, PQ_ENC_DELTA, false};

	one_value(f, &c, 1);
}

static void
bad_rows(struct fixture *f)
{
	struct pq_sink sink = {mem_write, &f->file};
	int64_t v = 0;
	struct pq_values val = {.v = &v};
	struct pq p;

	pq_begin(&p, all_kinds, 1, &sink, f->meta, META_SZ);
	pq_group(&p, f->s, &val, 0);
}

static void
contracts(void **state)
{
	dies(bad_decimal, *state);
	dies(bad_int32, *state);
	dies(bad_text, *state);
	dies(bad_null, *state);
	dies(bad_encoding, *state);
	dies(bad_rows, *state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(delta_round_trip),
	    cmocka_unit_test(delta_spec_example),
	    cmocka_unit_test(hybrid_round_trip),
	    cmocka_unit_test(levels_round_trip),
	    cmocka_unit_test(dict_limits),
	    cmocka_unit_test(kinds_round_trip),
	    cmocka_unit_test(schema_says_what_it_is),
	    cmocka_unit_test(groups_until_full),
	    cmocka_unit_test(sink_errors),
	    cmocka_unit_test(footer_too_small),
	    cmocka_unit_test(contracts),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}

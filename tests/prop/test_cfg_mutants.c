/* links: libsys libshm libcore */
/*
 * Configurations with mistakes: the golden file with random bytes changed,
 * lines repeated, dropped and moved, cut anywhere. Whatever comes of it, the
 * loader ends, every error has its place, and what stays is within range.
 * PROP_SEED=n repeats a run.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "libcore/hash.h"
#include "libcore/json.h"
#include "libsys/cfgfile_int.h"

#define MUTANT_N  20000
#define BYTES_MAX 8192

static struct cfg_load l;
static char seed_text[BYTES_MAX];
static size_t seed_n;
static uint64_t rng;

static uint64_t
draw(uint64_t n)
{
	rng = hash_u64(rng, 1);
	return rng % n;
}

/* Bytes that mean something to YAML, or to us, or nothing to anybody. */
static char
draw_byte(void)
{
	static const char spice[] = "\n\n  ::--#&*!|>'\"%@`,[]{}?~.0123456789"
				    "msKiB\t\x80\xff\xc3\xed\xf4";
	return draw(8) == 0 ? (char)draw(256) : spice[draw(sizeof(spice) - 1)];
}

static size_t
line_start(const char *b, size_t n)
{
	size_t at = draw(n);

	while (at > 0 && b[at - 1] != '\n')
		at--;
	return at;
}

static size_t
mutate(char *b, size_t n)
{
	size_t at = draw(n);
	size_t len = 1 + draw(40);
	size_t from;

	switch (draw(5)) {
	case 0: b[at] = draw_byte(); return n;
	case 1:
		memmove(b + at + 1, b + at, n - at);
		b[at] = draw_byte();
		return n + 1;
	case 2:
		len = len < n - at ? len : n - at;
		memmove(b + at, b + at + len, n - at - len);
		return n - len > 0 ? n - len : 1;
	case 3: /* a piece again, somewhere else */
		from = line_start(b, n);
		at = line_start(b, n);
		len = len < n - from ? len : n - from;
		{
			char piece[64];

			memcpy(piece, b + from, len);
			memmove(b + at + len, b + at, n - at);
			memcpy(b + at, piece, len);
		}
		return n + len;
	default: return at > 0 ? at : 1;
	}
}

static void
check_result(const char *b, size_t n)
{
	size_t kept =
	    l.error_n < CFGFILE_NOTE_MAX ? l.error_n : CFGFILE_NOTE_MAX;
	size_t bad;

	if (!cfg_valid(&l.cfg, &bad))
		fail_msg("key %zu out of range: %.*s", bad, (int)n, b);
	for (size_t i = 0; i < kept; i++) {
		unsigned line;
		unsigned column;

		if (sscanf(l.error[i].text, "m.yaml:%u:%u: ", &line, &column) !=
			2 ||
		    line == 0 || column == 0)
			fail_msg("no place: %s", l.error[i].text);
	}
	for (size_t i = 0; i < CFG_KEY_N; i++)
		if (l.origin[i].from == CFG_FROM_FILE)
			assert_true(
			    l.origin[i].line > 0 && l.origin[i].column > 0);
	if (!json_utf8_ok(b, n))
		assert_true(l.error_n > 0);
}

static void
mutants(void **state)
{
	static char b[BYTES_MAX * 2];
	size_t refused_n = 0;

	(void)state;
	for (size_t i = 0; i < MUTANT_N; i++) {
		size_t n = seed_n;
		uint64_t times = 1 + draw(4);

		memcpy(b, seed_text, n);
		while (times-- > 0)
			n = mutate(b, n);
		memset(&l, 0, sizeof(l));
		cfg_defaults(&l.cfg);
		memcpy(l.path[0], "m.yaml", 7);
		l.path_n = 1;
		cfgload_yaml_bytes(&l, "m.yaml", b, n);
		check_result(b, n);
		refused_n += l.error_n > 0;
	}
	/* Both outcomes must be common, or nothing was tried. */
	assert_in_range(refused_n, MUTANT_N / 4, MUTANT_N - MUTANT_N / 50);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(mutants),
	};
	const char *seed = getenv("PROP_SEED");
	FILE *f = fopen("tests/golden/config_in.yaml", "r");

	if (f == NULL) {
		perror("tests/golden/config_in.yaml");
		return 1;
	}
	seed_n = fread(seed_text, 1, sizeof(seed_text), f);
	fclose(f);
	rng = seed != NULL ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL);
	printf("seed %llu\n", (unsigned long long)rng);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

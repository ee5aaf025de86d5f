/* links: libvenue libcore */
/*
 * Replays what the fuzz targets start from, and what they once found, through
 * the same checks: the shipped frames whole and cut at every byte, and
 * tests/fuzz/corpus whole.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fuzz/decode.h"
#include "tests/fuzz/decode_bn_rest.h"
#include "tests/fuzz/decode_hl_user.h"
#include "tests/fuzz/decode_pm_user.h"
#include "tests/fuzz/decode_sbe.h"
#include "tests/golden/data.h"

#define FRAMES "tests/golden/frames"
#define CORPUS "tests/fuzz/corpus"

static unsigned
replay(const char *root, const char *name, fuzz_digest fuzz, bool cuts)
{
	char dir[256];
	char path[1024];
	unsigned n = 0;
	size_t len = 0;

	snprintf(dir, sizeof(dir), "%s/%s", root, name);
	DIR *d = opendir(dir);

	if (d == NULL)
		return 0;
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		char *text = data_read_path(path, &len);

		assert_non_null(text);
		(void)fuzz(text, len);
		for (size_t cut = 0; cuts && cut < len; cut++)
			(void)fuzz(text, cut);
		free(text);
		n++;
	}
	closedir(d);
	return n;
}

static void
all_of(const char *name, fuzz_digest fuzz, unsigned at_least)
{
	unsigned n = replay(FRAMES, name, fuzz, true);

	n += replay(CORPUS, name, fuzz, false);
	if (n < at_least)
		fail_msg("%s: %u inputs; run from the root", name, n);
}

#define REPLAY(name, at_least)                          \
	static void name(void **state)                  \
	{                                               \
		(void)state;                            \
		all_of(#name, fuzz_##name, (at_least)); \
	}

REPLAY(json, 6)
REPLAY(polymarket, 20)
REPLAY(binance, 15)
REPLAY(hyperliquid, 12)
REPLAY(sbe, 4)
REPLAY(bn_rest, 10)
REPLAY(rtds, 5)
REPLAY(gamma, 9)
REPLAY(polybolt, 10)
REPLAY(pm_user, 6)
REPLAY(pm_rest, 21)
REPLAY(hl_user, 17)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(json),
	    cmocka_unit_test(polymarket),
	    cmocka_unit_test(binance),
	    cmocka_unit_test(hyperliquid),
	    cmocka_unit_test(sbe),
	    cmocka_unit_test(bn_rest),
	    cmocka_unit_test(rtds),
	    cmocka_unit_test(gamma),
	    cmocka_unit_test(polybolt),
	    cmocka_unit_test(pm_user),
	    cmocka_unit_test(pm_rest),
	    cmocka_unit_test(hl_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

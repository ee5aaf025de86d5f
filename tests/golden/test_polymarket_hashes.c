/* links: libvenue libcore */
/*
 * The reference vectors of book hashes: the summary that GET /book sends
 * through our decoder gives the hash that it carries. Where the vectors are:
 * RM_VECTORS, else ../shared/venues/vectors beside the repository.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libvenue/pm_hash.h"
#include "libvenue/polymarket.h"
#include "tests/golden/data.h"

#define TEXT_MAX 8192

static void
one_book(struct json_str v)
{
	static struct pm_event ev;
	char summary[TEXT_MAX];
	char want[64];
	char got[PM_HASH_LEN];
	struct pm_meta meta;
	struct pm_frame f;
	size_t n = data_string(
	    data_member(v.s, v.n, "summary"), summary, sizeof(summary));

	data_string(data_member(v.s, v.n, "hash"), want, sizeof(want));
	assert_true(n > 0);
	assert_int_equal(strlen(want), PM_HASH_LEN);
	pm_frame_init(&f, summary, n);
	assert_int_equal(pm_next(&f, &ev), PM_BOOK);
	pm_meta_init(&meta);
	pm_meta_update(&meta, &ev);
	pm_hash_event(&ev, &meta, got);
	if (memcmp(got, want, PM_HASH_LEN) != 0)
		fail_msg("got %.40s for %s", got, summary);
	assert_memory_equal(ev.hash, want, PM_HASH_LEN);
}

static void
every_book(void **state)
{
	const char *root = getenv("RM_VECTORS");
	char path[900];
	struct json j;
	struct json_str list;
	struct json_str v;
	unsigned books = 0;
	char *text;
	size_t n;

	(void)state;
	snprintf(path, sizeof(path), "%s/polymarket.json",
	    root != NULL ? root : "../shared/venues/vectors");
	text = data_read_path(path, &n);
	if (text == NULL) {
		printf("# skipped: no %s (set RM_VECTORS)\n", path);
		skip();
	}
	list = data_member(text, n, "book_hash");
	assert_true(list.n > 0);
	json_sub(&j, list.s, list.n);
	assert_true(json_array(&j));
	while (json_item(&j) && json_raw(&j, &v)) {
		one_book(v);
		books++;
	}
	assert_int_equal(books, 5);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_book),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * feed_boot.h - answers to what a feed asks of discovery at its start.
 */
#ifndef TESTS_GOLDEN_FEED_BOOT_H
#define TESTS_GOLDEN_FEED_BOOT_H

#include "tests/golden/feed_rig.h"

/* One question: the clock, the listing, and nothing else is known. */
static inline void
rig_boot_answer(struct rig *r, const struct rig_act *a, const char *list)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld",
	    (long long)((r->wall_ns + (int64_t)r->now_ns) / NS_PER_S));
	if (strstr(a->url, "/time") != NULL)
		rig_http(r, a->a.tag, 200, text, strlen(text));
	else if (strstr(a->url, "/keyset") != NULL)
		rig_http(r, a->a.tag, 200, list, strlen(list));
	else
		rig_http(r, a->a.tag, 404, "", 0);
}

/* Answer everything that is asked at the start. */
static inline void
rig_boot(struct rig *r, const char *list)
{
	for (int round = 0; round < 200; round++) {
		struct rig_act *a = rig_last(r, FEED_GET, -1);
		struct rig_act copy;

		if (a == NULL)
			return;
		copy = *a;
		a->a.what = FEED_LOG;
		rig_boot_answer(r, &copy, list);
	}
}

#endif

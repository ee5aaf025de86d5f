#include "feedd/said.h"

#include <string.h>

#include "libcore/check.h"

bool
said_again(struct said *s, uint32_t key, uint64_t now_ns, uint32_t *n)
{
	CHECK(key != 0);
	CHECK(now_ns > 0);
	if (s->key != key)
		memset(s, 0, sizeof(*s));
	s->key = key;
	s->n++;
	if (s->told_ns != 0 && now_ns < s->told_ns + SAID_EVERY_NS)
		return false;
	s->told_ns = now_ns;
	*n = s->n;
	s->n = 0;
	return true;
}

struct said *
said_of(struct said list[SAID_CAUSES], uint32_t key)
{
	struct said *oldest = &list[0];

	CHECK(key != 0);
	for (uint32_t i = 0; i < SAID_CAUSES; i++) {
		if (list[i].key == key)
			return &list[i];
		if (list[i].told_ns < oldest->told_ns)
			oldest = &list[i];
	}
	return oldest;
}

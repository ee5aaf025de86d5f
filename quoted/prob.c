#include "quoted/prob.h"

#include <string.h>

#include "libcore/fixed.h"

struct word {
	const char *s;
	size_t n;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The words of a line, at most 5; what is behind # does not count. */
static unsigned
words(const char *s, size_t n, struct word w[5])
{
	unsigned k = 0;
	size_t i = 0;

	while (i < n && s[i] != '#' && k < 5) {
		if (is_blank(s[i])) {
			i++;
			continue;
		}
		w[k].s = s + i;
		while (i < n && !is_blank(s[i]) && s[i] != '#')
			i++;
		w[k].n = (size_t)(s + i - w[k].s);
		k++;
	}
	return k;
}

static bool
line(struct prob *p, const struct word w[5])
{
	int64_t yes;
	int64_t confidence;
	int64_t expiry;

	if (w[0].n >= PROB_SLUG_SZ ||
	    !fixed_parse(w[1].s, w[1].n, 8, false, E8, &yes) ||
	    !fixed_parse(w[2].s, w[2].n, 8, false, E8, &confidence) ||
	    !fixed_parse(
		w[3].s, w[3].n, 0, false, INT64_C(9000000000), &expiry))
		return false;
	memset(p, 0, sizeof(*p));
	memcpy(p->slug, w[0].s, w[0].n);
	p->yes = (double)yes / 1e8;
	p->confidence = (double)confidence / 1e8;
	p->expiry_wall_ns = expiry * NS_PER_S;
	return true;
}

bool
prob_parse(struct prob_list *l, const char *text, size_t n)
{
	struct prob got[PROB_LINES];
	uint32_t got_n = 0;
	uint32_t at = 0;
	size_t i = 0;

	while (i < n) {
		const char *end = memchr(text + i, '\n', n - i);
		size_t len = end != 0 ? (size_t)(end - text) - i : n - i;
		struct word w[5];
		unsigned k = words(text + i, len, w);

		at++;
		i += len + 1;
		if (k == 0)
			continue;
		if (k != 4 || got_n == PROB_LINES || !line(&got[got_n], w)) {
			l->bad_line = at;
			return false;
		}
		got_n++;
	}
	memcpy(l->at, got, got_n * sizeof(got[0]));
	l->n = got_n;
	l->bad_line = 0;
	return true;
}

const struct prob *
prob_find(const struct prob_list *l, const char *slug, int64_t wall_ns)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (strncmp(l->at[i].slug, slug, PROB_SLUG_SZ) == 0 &&
		    wall_ns < l->at[i].expiry_wall_ns)
			return &l->at[i];
	return 0;
}

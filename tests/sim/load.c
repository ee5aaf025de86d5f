#define _GNU_SOURCE
#include "tests/sim/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "simvenue/capture.h"

static bool
keep(struct load *l, const struct capture_item *item)
{
	struct sim_timeline *t;
	char *copy;

	if (item->venue == 0 && !item->is_market)
		return true;
	copy = malloc(item->frame.n + 1);
	if (copy == NULL)
		return false;
	memcpy(copy, item->frame.text, item->frame.n);
	copy[item->frame.n] = '\0';
	if (item->is_market) {
		if (l->market_n == LOAD_MARKETS) {
			free(copy);
			return false;
		}
		l->market[l->market_n].text = copy;
		l->market[l->market_n++].n = item->frame.n;
		return true;
	}
	t = &l->line[item->venue];
	if (t->n == l->cap[item->venue]) {
		size_t cap = t->n ? 2 * t->n : 4096;
		void *p = realloc(t->frames, cap * sizeof(t->frames[0]));

		if (p == NULL) {
			free(copy);
			return false;
		}
		t->frames = p;
		l->cap[item->venue] = cap;
	}
	t->frames[t->n] = item->frame;
	t->frames[t->n].order = t->n;
	t->frames[t->n++].text = copy;
	return true;
}

static bool
lines(struct load *l, gzFile f, struct capture *c, char *buf)
{
	struct capture_item item;

	while (gzgets(f, buf, (int)CAPTURE_LINE_MAX) != NULL) {
		size_t n = strlen(buf);

		while (n > 0 && (buf[n - 1] == '\n' || buf[n - 1] == '\r'))
			n--;
		if (n == 0)
			continue;
		if (!capture_line(c, buf, n, &item) || !keep(l, &item))
			return false;
	}
	while (capture_end(c, &item))
		if (!keep(l, &item))
			return false;
	return true;
}

bool
load_file(struct load *l, const char *path, char *why, size_t why_n)
{
	struct capture *c = calloc(1, sizeof(*c));
	char *buf = malloc(CAPTURE_LINE_MAX);
	const char *name = strrchr(path, '/');
	gzFile f = gzopen(path, "rb");
	bool ok = false;

	snprintf(why, why_n, "%s: cannot be read", path);
	if (c != NULL && buf != NULL && f != NULL) {
		capture_init(c, name != NULL ? name + 1 : path);
		ok = lines(l, f, c, buf);
		if (!ok && c->error[0] != '\0')
			snprintf(why, why_n, "%s: %s", path, c->error);
	}
	if (f != NULL)
		gzclose(f);
	free(buf);
	free(c);
	return ok;
}

bool
load_done(struct load *l)
{
	for (int v = 1; v < VENUE_N; v++)
		if (!sim_timeline_build(&l->line[v]))
			return false;
	return true;
}

void
load_free(struct load *l)
{
	for (int v = 1; v < VENUE_N; v++) {
		for (size_t i = 0; i < l->line[v].n; i++)
			free((void *)(uintptr_t)l->line[v].frames[i].text);
		free(l->line[v].frames);
	}
	for (size_t i = 0; i < l->market_n; i++)
		free((void *)(uintptr_t)l->market[i].text);
}

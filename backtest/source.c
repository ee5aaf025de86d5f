#define _GNU_SOURCE
#include "backtest/source.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backtest/feeds.h"
#include "libcore/check.h"

/* ---- raw captures ---- */

struct pending {
	uint64_t t_ns;
	uint32_t instr; /* + 1 in entries, 0 none                         */
	enum venue venue;
	struct tick tick;
};

struct raw {
	struct source s;
	struct captures captures;
	struct feeds *feeds;
	uint64_t now_ns;
	uint64_t from_ns;
	uint64_t to_ns;
	bool begun; /* from_ns has come                                  */
	struct pending *queue; /* of one moment                           */
	uint32_t n;
	uint32_t at;
	uint32_t cap;
	struct instr *entry;
	uint32_t entry_n;
	uint32_t entry_cap;
	struct instr *table; /* INSTR_N, as last told                     */
};

static void *
grow(void *p, uint32_t *cap, size_t sz)
{
	*cap = *cap == 0 ? 1024 : 2 * *cap;
	p = realloc(p, *cap * sz);
	CHECK(p != NULL);
	return p;
}

static void
on_instr(void *user, uint16_t idx, const struct instr *in)
{
	struct raw *r = user;

	r->table[idx] = *in;
}

static void
on_tick(void *user, enum venue v, const struct tick *t)
{
	struct raw *r = user;
	struct pending *p;

	if (r->n == r->cap)
		r->queue = grow(r->queue, &r->cap, sizeof(r->queue[0]));
	p = &r->queue[r->n++];
	*p = (struct pending){.t_ns = r->now_ns, .venue = v, .tick = *t};
	if (t->hdr.kind != TICK_INSTR)
		return;
	if (r->entry_n == r->entry_cap)
		r->entry = grow(r->entry, &r->entry_cap, sizeof(r->entry[0]));
	r->entry[r->entry_n++] = r->table[t->hdr.instr];
	p->instr = r->entry_n;
}

/* What was known when the time that is asked for begins. */
static void
catch_up(struct raw *r)
{
	for (uint16_t i = 1; i < INSTR_N; i++) {
		const struct instr *in = &r->table[i];
		struct tick t = {
		    .hdr = {
			.kind = TICK_INSTR, .instr = i, .recv_ns = r->now_ns}};

		if (in->state == 0)
			continue;
		t.u.instr.epoch = in->epoch;
		t.u.instr.state = in->state;
		t.u.instr.cls = in->cls;
		on_tick(r, instr_venue(i), &t);
	}
	feeds_resync(r->feeds, r->now_ns);
}

static int
raw_next(struct source *s, struct source_event *ev)
{
	struct raw *r = (struct raw *)s;
	struct pending *p;

	while (r->at == r->n) {
		uint64_t t = feeds_next_ns(r->feeds);

		if (t == 0 || (r->to_ns != 0 && t >= r->to_ns))
			return 0;
		r->at = r->n = r->entry_n = 0;
		r->now_ns = t;
		if (!r->begun && t >= r->from_ns) {
			r->begun = true;
			if (r->from_ns != 0)
				catch_up(r);
		}
		feeds_run(r->feeds, t);
		if (t < r->from_ns)
			r->n = r->entry_n = 0;
	}
	p = &r->queue[r->at++];
	ev->t_ns = p->t_ns;
	ev->venue = p->venue;
	ev->tick = p->tick;
	ev->instr = p->instr != 0 ? &r->entry[p->instr - 1] : NULL;
	return 1;
}

static uint64_t
raw_done(const struct source *s, uint64_t *all)
{
	return feeds_played(((const struct raw *)s)->feeds, all);
}

static void
raw_close(struct source *s)
{
	struct raw *r = (struct raw *)s;

	if (r->feeds != NULL)
		feeds_free(r->feeds);
	captures_free(&r->captures);
	free(r->queue);
	free(r->entry);
	free(r->table);
	free(r);
}

static const struct source_ops raw_ops = {raw_next, raw_done, raw_close};

struct source *
source_captures(const struct source_args *a, char *why)
{
	struct raw *r = calloc(1, sizeof(*r));
	const struct feeds_sink sink = {r, on_tick, on_instr};
	char err[CAPTURES_ERROR_MAX] = "no memory";
	int rc = 0;

	CHECK(r != NULL);
	r->s.ops = &raw_ops;
	r->from_ns = (uint64_t)a->from_ns;
	r->to_ns = (uint64_t)a->to_ns;
	captures_init(&r->captures);
	r->table = calloc(INSTR_N, sizeof(r->table[0]));
	for (unsigned i = 0; i < a->path_n && rc == 0; i++)
		rc = captures_add(&r->captures, a->path[i], err);
	if (rc == 0)
		rc = captures_done(&r->captures, err);
	if (rc == 0 && r->table != NULL)
		r->feeds = feeds_new(a->cfg, &r->captures, &sink);
	if (r->feeds != NULL)
		return &r->s;
	snprintf(why, SOURCE_WHY_SZ, "%s", err);
	raw_close(&r->s);
	return NULL;
}

/* ---- several ---- */

struct merged {
	struct source s;
	unsigned n;
	struct source *part[SOURCE_MAX];
	bool has[SOURCE_MAX];
	struct source_event head[SOURCE_MAX];
};

static int
merged_next(struct source *s, struct source_event *ev)
{
	struct merged *m = (struct merged *)s;
	unsigned best = m->n;

	for (unsigned i = 0; i < m->n; i++) {
		int rc = 1;

		if (m->part[i] == NULL)
			continue;
		if (!m->has[i])
			rc = source_next(m->part[i], &m->head[i]);
		if (rc < 0) {
			memcpy(s->why, m->part[i]->why, sizeof(s->why));
			return rc;
		}
		m->has[i] = rc == 1;
		if (m->has[i] &&
		    (best == m->n || m->head[i].t_ns < m->head[best].t_ns))
			best = i;
	}
	if (best == m->n)
		return 0;
	*ev = m->head[best];
	m->has[best] = false;
	return 1;
}

static uint64_t
merged_done(const struct source *s, uint64_t *all)
{
	const struct merged *m = (const struct merged *)s;
	uint64_t done = 0;

	*all = 0;
	for (unsigned i = 0; i < m->n; i++) {
		uint64_t n;

		done += source_done(m->part[i], &n);
		*all += n;
	}
	return done;
}

static void
merged_close(struct source *s)
{
	struct merged *m = (struct merged *)s;

	for (unsigned i = 0; i < m->n; i++)
		source_close(m->part[i]);
	free(m);
}

static const struct source_ops merged_ops = {
    merged_next, merged_done, merged_close};

/* Has recorderd written here? */
static bool
is_recorded(const char *path)
{
	struct dirent *e;
	bool yes = false;
	DIR *d = opendir(path);

	if (d == NULL)
		return false;
	while (!yes && (e = readdir(d)) != NULL) {
		size_t n = strlen(e->d_name);

		yes = strncmp(e->d_name, "kind=", 5) == 0 ||
		      strcmp(e->d_name, "journal") == 0 ||
		      (n > 4 && strcmp(e->d_name + n - 4, ".rmj") == 0);
	}
	closedir(d);
	return yes;
}

struct source *
source_open(const struct source_args *a, char *why)
{
	struct merged *m = calloc(1, sizeof(*m));
	const char *raw[SOURCE_MAX];
	struct source_args ra = *a;

	CHECK(m != NULL);
	CHECK(a->path_n <= SOURCE_MAX);
	m->s.ops = &merged_ops;
	ra.path = raw;
	ra.path_n = 0;
	for (unsigned i = 0; i < a->path_n; i++) {
		if (!is_recorded(a->path[i])) {
			raw[ra.path_n++] = a->path[i];
			continue;
		}
		m->part[m->n] = source_recorded(a, a->path[i], why);
		if (m->part[m->n++] == NULL)
			goto fail;
	}
	if (ra.path_n > 0) {
		m->part[m->n] = source_captures(&ra, why);
		if (m->part[m->n++] == NULL)
			goto fail;
	}
	return &m->s;
fail:
	m->n--;
	merged_close(&m->s);
	return NULL;
}

int
source_next(struct source *s, struct source_event *ev)
{
	return s->ops->next(s, ev);
}

uint64_t
source_done(const struct source *s, uint64_t *all)
{
	return s->ops->done(s, all);
}

void
source_close(struct source *s)
{
	s->ops->close(s);
}

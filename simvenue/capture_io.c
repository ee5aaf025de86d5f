#define _GNU_SOURCE
#include "simvenue/capture_io.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <zlib.h>

#include "libcore/check.h"
#include "simvenue/capture.h"

#define ARENA_BLOCK_SZ ((size_t)8 << 20)
#define FRAMES_MIN     4096

struct arena {
	struct arena *next;
	size_t n;
	size_t cap;
	char bytes[];
};

/* One file being read. */
struct reader {
	struct captures *into;
	struct capture *capture;
	const char *path;
	enum venue only; /* 0: all venues */
	uint64_t line_no;
	uint64_t good_n;
	bool is_full;
};

void
captures_init(struct captures *c)
{
	memset(c, 0, sizeof(*c));
}

void
captures_free(struct captures *c)
{
	for (struct arena *a = c->arena, *next; a != NULL; a = next) {
		next = a->next;
		free(a);
	}
	for (int v = 1; v < VENUE_N; v++)
		free(c->timelines[v].frames);
	memset(c, 0, sizeof(*c));
}

static const char *
keep_text(struct captures *c, const char *text, size_t n)
{
	struct arena *a = c->arena;
	if (c->text_bytes + n > CAPTURES_MAX_BYTES)
		return NULL;
	if (a == NULL || a->cap - a->n < n) {
		size_t cap = n > ARENA_BLOCK_SZ ? n : ARENA_BLOCK_SZ;
		a = malloc(sizeof(*a) + cap);
		if (a == NULL)
			return NULL;
		a->next = c->arena;
		a->n = 0;
		a->cap = cap;
		c->arena = a;
	}
	char *kept = a->bytes + a->n;
	memcpy(kept, text, n);
	a->n += n;
	c->text_bytes += n;
	return kept;
}

static bool
keep_frame(struct captures *c, const struct capture_item *item)
{
	struct sim_timeline *t = &c->timelines[item->venue];
	if (t->n == c->frame_caps[item->venue]) {
		size_t cap = t->n != 0 ? t->n * 2 : FRAMES_MIN;
		struct sim_frame *p =
		    realloc(t->frames, cap * sizeof(t->frames[0]));
		if (p == NULL)
			return false;
		t->frames = p;
		c->frame_caps[item->venue] = cap;
	}
	struct sim_frame *f = &t->frames[t->n];
	*f = item->frame;
	f->order = c->line_n;
	f->text = keep_text(c, item->frame.text, item->frame.n);
	t->n += f->text != NULL;
	return f->text != NULL;
}

static bool
keep_market(struct captures *c, const struct capture_item *item)
{
	if (c->market_n == CAPTURES_MARKET_MAX)
		return false;
	struct sim_market *m = &c->markets[c->market_n];
	m->n = item->frame.n;
	m->text = keep_text(c, item->frame.text, item->frame.n);
	c->market_n += m->text != NULL;
	return m->text != NULL;
}

static void
keep_item(struct reader *r, const struct capture_item *item)
{
	if (item->venue == 0 || (r->only != 0 && item->venue != r->only))
		return;
	bool ok = item->is_market ? keep_market(r->into, item)
				  : keep_frame(r->into, item);
	if (!ok)
		r->is_full = true;
}

static void
take_line(struct reader *r, const char *line, size_t n)
{
	struct capture_item item;
	struct captures *c = r->into;
	r->line_no++;
	c->line_n++;
	if (n > 0 && line[n - 1] == '\r')
		n--;
	if (capture_line(r->capture, line, n, &item)) {
		r->good_n += r->capture->format != 0;
		keep_item(r, &item);
		return;
	}
	c->bad_line_n++;
	if (c->first_bad[0] == '\0')
		(void)snprintf(c->first_bad, sizeof(c->first_bad),
		    "%.380s:%llu: %s", r->path, (unsigned long long)r->line_no,
		    r->capture->error);
}

/* All lines of an open file. Returns false with a text on a read error. */
static bool
take_lines(struct reader *r, gzFile gz, char *buf, const char **why)
{
	size_t have = 0;
	for (;;) {
		int got =
		    gzread(gz, buf + have, (unsigned)(CAPTURE_LINE_MAX - have));
		if (got < 0) {
			int code;
			*why = gzerror(gz, &code);
			return false;
		}
		have += (size_t)got;
		size_t at = 0;
		char *end;
		while ((end = memchr(buf + at, '\n', have - at)) != NULL) {
			size_t n = (size_t)(end - (buf + at));
			take_line(r, buf + at, n);
			at += n + 1;
		}
		if (got == 0) {
			if (have > at)
				take_line(r, buf + at, have - at);
			return true;
		}
		have -= at;
		memmove(buf, buf + at, have);
		if (have == CAPTURE_LINE_MAX) {
			*why = "a line is longer than 4 MiB";
			return false;
		}
		if (r->is_full)
			return true;
	}
}

static int
fail(char *err, const char *path, const char *why)
{
	(void)snprintf(err, CAPTURES_ERROR_MAX, "%.380s: %s", path, why);
	return -1;
}

static int
take_open_file(struct reader *r, gzFile gz, char *err)
{
	const char *slash = strrchr(r->path, '/');
	const char *why = NULL;
	struct capture_item item;
	char *buf = malloc(CAPTURE_LINE_MAX);
	r->capture = malloc(sizeof(*r->capture));
	if (buf == NULL || r->capture == NULL)
		why = "out of memory";
	if (why == NULL) {
		capture_init(r->capture, slash != NULL ? slash + 1 : r->path);
		(void)take_lines(r, gz, buf, &why);
		if (why == NULL && r->good_n == 0)
			why = r->capture->error[0] != '\0' ? r->capture->error
							   : "empty";
		while (why == NULL && capture_end(r->capture, &item))
			keep_item(r, &item);
		if (why == NULL && r->is_full)
			why = "more captures than fit (2 GiB of text, "
			      "1024 markets)";
	}
	int rc = why != NULL ? fail(err, r->path, why) : 0;
	free(r->capture);
	free(buf);
	return rc;
}

static int
add_file(struct captures *c, const char *path, enum venue only, char *err)
{
	struct reader r = {.into = c, .path = path, .only = only};
	gzFile gz = gzopen(path, "rb");
	if (gz == NULL)
		return fail(err, path, strerror(errno));
	(void)gzbuffer(gz, 1 << 17);
	int rc = take_open_file(&r, gz, err);
	gzclose(gz);
	c->file_n += rc == 0;
	return rc;
}

static int
is_capture_name(const struct dirent *d)
{
	static const char *const ends[] = {".gz", ".jsonl", ".csv"};
	size_t n = strlen(d->d_name);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t end_n = strlen(ends[i]);
		if (n > end_n && strcmp(d->d_name + n - end_n, ends[i]) == 0)
			return 1;
	}
	return 0;
}

static int
add_directory(struct captures *c, const char *path, enum venue only, char *err)
{
	struct dirent **names;
	char file[4096];
	int rc = 0;
	int n = scandir(path, &names, is_capture_name, alphasort);
	if (n < 0)
		return fail(err, path, strerror(errno));
	if (n == 0)
		rc =
		    fail(err, path, "no captures (*.gz, *.jsonl, *.csv) in it");
	for (int i = 0; i < n; i++) {
		int len = snprintf(
		    file, sizeof(file), "%s/%s", path, names[i]->d_name);
		if (rc == 0 && (size_t)len < sizeof(file))
			rc = add_file(c, file, only, err);
		free(names[i]);
	}
	free(names);
	return rc;
}

/* "binance:file" names a venue; "./a:b" and "/a:b" are paths. */
static const char *
spec_path(const char *spec, enum venue *only)
{
	*only = 0;
	for (int v = 1; v < VENUE_N; v++) {
		const char *name = venue_name((enum venue)v);
		size_t n = strlen(name);
		if (strncmp(spec, name, n) == 0 && spec[n] == ':') {
			*only = (enum venue)v;
			return spec + n + 1;
		}
	}
	return spec;
}

int
captures_add(struct captures *c, const char *spec, char *err)
{
	struct stat st;
	enum venue only;
	const char *path = spec_path(spec, &only);
	if (stat(path, &st) < 0)
		return fail(err, path, strerror(errno));
	return S_ISDIR(st.st_mode) ? add_directory(c, path, only, err)
				   : add_file(c, path, only, err);
}

int
captures_done(struct captures *c, char *err)
{
	size_t frame_n = 0;
	for (int v = 1; v < VENUE_N; v++) {
		frame_n += c->timelines[v].n;
		if (!sim_timeline_build(&c->timelines[v]))
			return fail(err, venue_name((enum venue)v),
			    "more than 64 pieces more than 10 minutes apart");
	}
	if (frame_n == 0)
		return fail(err, "captures", "no frames in them");
	return 0;
}

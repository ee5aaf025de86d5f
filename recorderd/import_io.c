#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcore/check.h"
#include "libcore/hash.h"
#include "libsys/log.h"
#include "libsys/version.h"
#include "recorderd/import.h"
#include "recorderd/reader.h"
#include "recorderd/rec_io.h"
#include "recorderd/tool.h"
#include "recorderd/unpack.h"

#define BUF_SZ	   ((size_t)8 << 20)
#define LINE_MAX_  ((size_t)8 << 20)
#define NS_PER_DAY (INT64_C(86400) * NS_PER_S)
#define NS_PER_HR  (INT64_C(3600) * NS_PER_S)
#define TAPS	   3u

static const enum ring_id taps[TAPS] = {RG_TAP_PM, RG_TAP_BN, RG_TAP_HL};

/* A day being written. */
struct writer {
	const struct tool_args *args;
	struct import *im;
	char prefix[96];
	int dirfd; /* of the journals                                     */
	bool is_open;
	int64_t day; /* its first ns                                      */
	int64_t last_ns;
	uint64_t seq[TAPS];
	uint8_t *buf;
	struct journal_io io;
	struct journal_instr names[INSTR_N];
	struct journal_entry entries[INSTR_N];
	uint32_t names_n;
	uint16_t known[INSTR_N]; /* place in names + 1, by index           */
	unsigned segments;
	int err;
};

/* ---- instruments ---- */

static void
remember(struct writer *w, uint16_t idx, const struct instr *in, uint64_t at)
{
	uint32_t i = w->known[idx] != 0 ? w->known[idx] - 1u : w->names_n++;

	w->known[idx] = (uint16_t)(i + 1);
	memset(&w->names[i], 0, sizeof(w->names[i]));
	w->names[i].instr = idx;
	w->names[i].epoch = in->epoch;
	w->names[i].venue = in->venue;
	w->names[i].cls = in->cls;
	memcpy(w->names[i].symbol, in->symbol, sizeof(in->symbol));
	memset(&w->entries[i], 0, sizeof(w->entries[i]));
	w->entries[i].at_ns = at;
	w->entries[i].idx = idx;
	w->entries[i].in = *in;
}

/* What the capture calls by which index already. */
static void
read_known(struct writer *w)
{
	const struct reader_args a = {
	    .dir = w->args->dir, .kind_set = UINT32_C(1) << 31};
	struct reader *r;
	struct reader_event ev;
	struct err e;

	if (reader_open(&r, &a, &e) != 0)
		return;
	while (reader_next(r, &ev) == 1)
		if (ev.kind == READER_INSTR && ev.instr_idx != 0 &&
		    instr_venue(ev.instr_idx) == ev.instr->venue)
			remember(w, ev.instr_idx, ev.instr, 1);
	reader_close(r);
}

/* The place of an instrument: where it was, or one that follows from its
 * name, so that captures agree. 0: none is free. */
static uint16_t
find_place(const struct writer *w, const struct instr *in)
{
	uint16_t base;
	uint16_t n;

	instr_region((enum venue)in->venue, &base, &n);
	uint32_t at =
	    (uint32_t)hash_bytes(HASH_SEED, in->symbol, sizeof(in->symbol)) % n;

	for (uint32_t i = 0; i < w->names_n; i++)
		if (w->entries[i].in.venue == in->venue &&
		    memcmp(w->entries[i].in.symbol, in->symbol,
			sizeof(in->symbol)) == 0)
			return w->entries[i].idx;
	for (uint32_t k = 0; k < n; k++) {
		uint16_t idx = (uint16_t)(base + (at + k) % n);

		if (w->known[idx] == 0)
			return idx;
	}
	return 0;
}

static uint16_t
sink_instr(void *ctx, const struct instr *in, int64_t recv_ns)
{
	struct writer *w = ctx;
	struct journal_clock now = {(uint64_t)recv_ns, recv_ns};
	uint16_t idx = find_place(w, in);

	if (idx == 0)
		return 0;
	remember(w, idx, in, (uint64_t)recv_ns);
	uint32_t at = w->known[idx] - 1u;
	const struct journal_head what = {.kind = JOURNAL_ENTRY,
	    .count = 1,
	    .payload_len = sizeof(w->entries[at])};

	/* A segment that is yet to be opened begins with all of them. */
	if (w->is_open && w->io.fd >= 0) {
		journal_flush(&w->io, &now);
		CHECK(journal_instr_add(&w->io.j, &w->names[at], 1, &now));
		CHECK(
		    journal_block_add(&w->io.j, &what, &w->entries[at], &now));
	}
	return idx;
}

/* ---- days ---- */

static void
begin_day(struct writer *w, int64_t day)
{
	struct journal_open open = {.session = (uint64_t)day, .tap_n = TAPS};
	const struct journal_io_args a = {.dirfd = w->dirfd,
	    .prefix = w->prefix,
	    .ops = &journal_posix,
	    .names = w->names,
	    .names_n = &w->names_n,
	    .entries = w->entries,
	    .entries_n = &w->names_n,
	    .sync_ns = INT64_MAX};

	snprintf(open.host, sizeof(open.host), "import");
	snprintf(open.instance, sizeof(open.instance), "import");
	snprintf(open.build, sizeof(open.build), "%s", RINGMAKER_VERSION);
	for (unsigned i = 0; i < TAPS; i++) {
		snprintf(open.tap[i].name, JOURNAL_TAP_NAME, "%s",
		    topo_rings[taps[i]].name);
		w->seq[i] = 0;
	}
	journal_io_init(&w->io, &a, w->buf, BUF_SZ, JOURNAL_RUN_IMPORT, &open);
	w->is_open = true;
	w->day = day;
}

static void
end_day(struct writer *w)
{
	struct journal_clock now = {(uint64_t)w->last_ns, w->last_ns};
	char done[JOURNAL_NAME_SZ];

	if (!w->is_open)
		return;
	int rc = journal_rotate(&w->io, &now, done);

	if (rc != 0 && w->io.fd >= 0)
		close(w->io.fd);
	if (rc == 0)
		rc = tool_convert_prefix(w->args, w->prefix, &w->segments);
	if (w->err == 0)
		w->err = rc;
	w->is_open = false;
}

static void
sink_slot(void *ctx, const struct import_instr *in, const union tap *s)
{
	struct writer *w = ctx;
	int64_t recv = (int64_t)s->hdr.recv_ns;
	int64_t day = recv / NS_PER_DAY * NS_PER_DAY;
	struct journal_clock last = {(uint64_t)w->last_ns, w->last_ns};
	unsigned t = in->in.venue == VENUE_POLYMARKET ? 0
		     : in->in.venue == VENUE_BINANCE  ? 1
						      : 2;

	if (w->err != 0)
		return;
	if (w->is_open && day > w->day)
		end_day(w);
	if (!w->is_open)
		begin_day(w, day);
	/* A block is of one hour: its rows go where its clock says. */
	else if (recv / NS_PER_HR != w->last_ns / NS_PER_HR)
		journal_seal(&w->io.j, &last);
	w->last_ns = recv;

	struct journal_clock now = {(uint64_t)recv, recv};
	union tap copy = *s;

	copy.hdr.seq = ++w->seq[t];
	journal_put(&w->io, (uint16_t)t, &copy, &now);
	if (w->io.err != 0)
		w->err = w->io.err;
}

/* ---- files ---- */

/* Line by line. 0 or a negative errno. */
static int
feed_lines(struct writer *w, struct unpack *u,
    void (*line)(struct writer *w, char *text, size_t n))
{
	char *buf = malloc(LINE_MAX_);
	size_t have = 0;
	ssize_t got = buf == NULL ? -ENOMEM : 1;

	while (got > 0 && w->err == 0) {
		got = unpack_read(u, buf + have, LINE_MAX_ - have);
		if (got < 0)
			break;
		have += (size_t)got;
		size_t at = 0;
		char *nl;

		while ((nl = memchr(buf + at, '\n', have - at)) != NULL) {
			line(w, buf + at, (size_t)(nl - buf) - at);
			at = (size_t)(nl - buf) + 1;
		}
		/* The last line may have no newline, and none is longer. */
		if ((got == 0 && have > at) || (at == 0 && have == LINE_MAX_)) {
			line(w, buf + at, have - at);
			at = have;
		}
		memmove(buf, buf + at, have - at);
		have -= at;
	}
	free(buf);
	return got < 0 ? (int)got : w->err;
}

static void
data_line(struct writer *w, char *text, size_t n)
{
	import_line(w->im, text, n);
}

static void
market_line(struct writer *w, char *text, size_t n)
{
	if (n > 0 && !import_market(w->im, text, n))
		w->im->bad_n++;
}

static int
feed_npy(struct writer *w, struct unpack *u)
{
	uint8_t *buf = malloc(IMPORT_NPY_HEAD * 4);
	size_t have = 0;
	size_t head = 0;
	ssize_t got = buf == NULL ? -ENOMEM : 1;

	while (got > 0 && w->err == 0) {
		size_t at = 0;

		got = unpack_read(u, buf + have, IMPORT_NPY_HEAD * 4 - have);
		if (got < 0)
			break;
		have += (size_t)got;
		if (head == 0) {
			head = import_npy_head(w->im, buf, have);
			if (head == SIZE_MAX || (head == 0 && got == 0))
				got = -EBADMSG;
			if (head == 0 || got < 0)
				continue;
			at = head;
		}
		size_t rows = (have - at) / IMPORT_NPY_ROW;

		import_npy_rows(w->im, buf + at, rows);
		at += rows * IMPORT_NPY_ROW;
		memmove(buf, buf + at, have - at);
		have -= at;
	}
	w->im->bad_n += got == 0 && have > 0;
	free(buf);
	return got < 0 ? (int)got : w->err;
}

/* "cap_x.jsonl.gz" has its markets in "cap_x.markets.jsonl". */
static void
feed_markets(struct writer *w, const char *path)
{
	char other[REC_PATH_SZ];
	const char *dot = strstr(path, ".jsonl");
	struct unpack *u;
	struct err e;

	if (dot == NULL ||
	    snprintf(other, sizeof(other), "%.*s.markets.jsonl",
		(int)(dot - path), path) >= (int)sizeof(other) ||
	    unpack_open(&u, other, NULL, &e) != 0)
		return;
	feed_lines(w, u, market_line);
	unpack_close(u);
}

static void
name_prefix(struct writer *w, const char *path)
{
	const char *name = strrchr(path, '/');
	size_t n = 7;

	name = name != NULL ? name + 1 : path;
	memcpy(w->prefix, "import-", 8);
	for (; *name != '\0' && n < 72; name++) {
		bool ok = (*name >= 'a' && *name <= 'z') ||
			  (*name >= 'A' && *name <= 'Z') ||
			  (*name >= '0' && *name <= '9') || *name == '_';

		w->prefix[n++] = ok ? *name : '_';
	}
	w->prefix[n] = '\0';
}

static int
one_file(struct writer *w, const char *path)
{
	struct import *im = w->im;
	struct unpack *u;
	struct err e;
	int rc = unpack_open(
	    &u, path, im->format == IMPORT_NPZ ? "data.npy" : NULL, &e);

	if (rc != 0) {
		fprintf(stderr, "recorderd: %s\n", e.text);
		return rc;
	}
	name_prefix(w, path);
	import_file(im);
	if (im->format == IMPORT_PM_JSONL)
		feed_markets(w, path);
	rc = im->format == IMPORT_NPZ ? feed_npy(w, u)
				      : feed_lines(w, u, data_line);
	unpack_close(u);
	import_end(im);
	end_day(w);
	if (rc == 0)
		rc = w->err;
	if (rc != 0)
		fprintf(stderr, "recorderd: %s: %s\n", path,
		    rc == -EBADMSG ? "damaged, or not of this format"
				   : strerror(-rc));
	return rc;
}

/* "BTCUSDT" of BTCUSDT-trades-2026-08-01.zip. */
static const char *
symbol_of(const struct tool_args *a, char buf[48])
{
	const char *name = a->word[1];
	const char *slash = strrchr(name, '/');
	size_t n;

	if (a->symbol != NULL)
		return a->symbol;
	name = slash != NULL ? slash + 1 : name;
	n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
	if (n == 0 || n >= 48 || name[n] != '-')
		return "BTCUSDT";
	memcpy(buf, name, n);
	buf[n] = '\0';
	return buf;
}

static int
open_out(struct writer *w, const struct tool_args *a)
{
	char path[REC_PATH_SZ];

	snprintf(path, sizeof(path), "%s/journal", a->dir);
	if ((mkdir(a->dir, 0755) != 0 && errno != EEXIST) ||
	    (mkdir(path, 0755) != 0 && errno != EEXIST))
		return -errno;
	w->dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return w->dirfd >= 0 ? 0 : -errno;
}

static void
show(const struct tool_args *a, const struct import *im, int rc)
{
	if (a->json)
		printf("{\"lines\":%llu,\"slots\":%llu,\"instruments\":%u,"
		       "\"bad\":%llu,\"skipped\":%llu,\"full\":%llu,"
		       "\"ok\":%s}\n",
		    (unsigned long long)im->lines,
		    (unsigned long long)im->slots, im->n,
		    (unsigned long long)im->bad_n,
		    (unsigned long long)im->skipped_n,
		    (unsigned long long)im->full_n, rc == 0 ? "true" : "false");
	else
		printf("%llu lines: %llu slots of %u instruments; %llu not "
		       "understood, %llu not needed\n",
		    (unsigned long long)im->lines,
		    (unsigned long long)im->slots, im->n,
		    (unsigned long long)im->bad_n,
		    (unsigned long long)im->skipped_n);
}

int
tool_import(const struct tool_args *a)
{
	enum import_format format = import_format_find(a->word[0]);
	struct writer *w = calloc(1, sizeof(*w));
	struct import *im = calloc(1, sizeof(*im));
	char symbol[48];
	int rc = -ENOMEM;

	if (format == 0) {
		fprintf(stderr,
		    "recorderd: not a format: %s; see recorderd import "
		    "--help\n",
		    a->word[0]);
		free(w);
		free(im);
		return TOOL_USAGE;
	}
	if (w != NULL && im != NULL) {
		const struct import_sink sink = {sink_slot, sink_instr, w};

		import_init(im, format, symbol_of(a, symbol), &sink);
		w->args = a;
		w->im = im;
		w->dirfd = -1;
		w->buf = malloc(BUF_SZ);
		rc = w->buf != NULL ? open_out(w, a) : -ENOMEM;
		if (rc != 0)
			fprintf(stderr, "recorderd: %s: %s\n", a->dir,
			    strerror(-rc));
		else
			read_known(w);
		for (unsigned i = 1; rc == 0 && i < a->word_n; i++)
			rc = one_file(w, a->word[i]);
		show(a, im, rc);
		if (w->dirfd >= 0)
			close(w->dirfd);
		free(w->buf);
	}
	bool whole = rc == 0 && im->bad_n == 0 && im->full_n == 0;
	bool some = rc == 0 && im->slots > 0;

	free(im);
	free(w);
	return whole && some					? 0
	       : rc == -ENOENT || (rc == 0 && !some)		? TOOL_NO_INPUT
	       : rc == -ENOSPC || rc == -EACCES || rc == -EROFS ? TOOL_NO_WRITE
								: TOOL_DAMAGED;
}

#define _GNU_SOURCE
#include "recorderd/tool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libsys/clock.h"
#include "libsys/log.h"
#include "recorderd/reader_int.h"
#include "recorderd/rec_io.h"

#define GAPS_SHOWN 200u

/* What one source recorded. */
struct seen {
	uint64_t slots;
	uint64_t lost;
	uint64_t gaps;
	uint64_t feed_gaps; /* that a feed declared itself                */
	uint64_t restarts;
	int64_t first_ns;
	int64_t last_ns;
	int64_t second;	  /* the last one with something in it            */
	uint64_t seconds; /* with something in them                       */
	int64_t quiet_ns; /* longest time with nothing                    */
	int64_t quiet_at_ns;
};

struct gap_line {
	uint8_t source;
	int64_t at_ns;
	struct journal_gap gap;
};

struct view {
	struct reader_index index;
	struct seen src[ST_N];
	struct gap_line gap[GAPS_SHOWN];
	uint64_t gap_n;
	uint64_t lost;
	uint64_t damaged; /* of them, not declared by the recorder        */
	uint64_t runs;
	uint64_t instr_n;
	uint64_t cfg_epochs;
	uint64_t slots;
	uint64_t bad;
	char trouble[512]; /* "" or why reading ended early               */
};

static const char *
when(int64_t ns, char buf[CLOCK_DATE_SZ])
{
	clock_format_utc((uint64_t)i64_max(ns, 0), buf);
	return buf;
}

static void
note_slot(struct seen *s, const struct reader_event *ev)
{
	int64_t second = ev->wall_ns / NS_PER_S;

	if (s->slots++ == 0)
		s->first_ns = s->last_ns = ev->wall_ns;
	if (ev->wall_ns - s->last_ns > s->quiet_ns) {
		s->quiet_ns = ev->wall_ns - s->last_ns;
		s->quiet_at_ns = s->last_ns;
	}
	s->last_ns = i64_max(s->last_ns, ev->wall_ns);
	s->seconds += second != s->second;
	s->second = second;
	s->feed_gaps +=
	    ev->slot->hdr.kind == TICK_GAP && ev->slot->tick.u.gap.scope != 3;
	s->restarts += ev->slot->hdr.kind == TICK_RESTART;
}

static void
note_gap(struct view *v, const struct reader_event *ev)
{
	struct seen *s = &v->src[ev->source];

	s->gaps++;
	s->lost += ev->gap.lost_n;
	v->lost += ev->gap.lost_n;
	if (v->gap_n < GAPS_SHOWN)
		v->gap[v->gap_n] =
		    (struct gap_line){ev->source, ev->wall_ns, ev->gap};
	v->gap_n++;
}

/* Read all of it once. */
static int
look(struct view *v, const char *dir)
{
	const struct reader_args ra = {.dir = dir, .with_trace = true};
	struct reader *r;
	struct reader_event ev;
	struct err e;
	uint64_t epoch = 0;
	int rc = reader_open(&r, &ra, &e);

	if (rc != 0) {
		fprintf(stderr, "recorderd: %s\n", e.text);
		return rc == -ENOENT ? TOOL_NO_INPUT : TOOL_DAMAGED;
	}
	while ((rc = reader_next(r, &ev)) == 1) {
		if (ev.kind == READER_RUN) {
			v->runs++;
			epoch = 0;
		} else if (ev.kind == READER_GAP) {
			note_gap(v, &ev);
		} else if (ev.kind == READER_INSTR) {
			v->instr_n++;
		} else if (ev.kind == READER_CONFIG) {
			v->cfg_epochs += ev.cfg_epoch != epoch;
			epoch = ev.cfg_epoch;
		} else {
			note_slot(&v->src[ev.source], &ev);
		}
	}
	v->slots = reader_stat(r)->slots;
	v->bad = reader_stat(r)->bad;
	v->damaged = reader_stat(r)->jumped;
	if (rc < 0)
		snprintf(v->trouble, sizeof(v->trouble), "%s", reader_why(r));
	reader_close(r);
	return 0;
}

static double
coverage(const struct seen *s)
{
	int64_t span = s->last_ns / NS_PER_S - s->first_ns / NS_PER_S + 1;

	return span > 0 ? (double)s->seconds / (double)span : 0;
}

/* Rows, bytes and files of a table. */
static void
table_sum(const struct view *v, unsigned t, uint64_t sum[3])
{
	memset(sum, 0, 3 * sizeof(sum[0]));
	for (uint32_t i = 0; i < v->index.n; i++) {
		const struct reader_file *f = &v->index.file[i];

		if (f->table != t)
			continue;
		sum[0]++;
		sum[1] += f->rows;
		sum[2] += f->bytes;
	}
}

static const char *
table_name(unsigned t)
{
	return t == READER_JOURNAL ? "journal" : rec_schemas[t].kind;
}

/* ---- as JSON ---- */

static void
json_sources(const struct view *v)
{
	char a[CLOCK_DATE_SZ];
	char b[CLOCK_DATE_SZ];
	const char *sep = "";

	printf("\"sources\":[");
	for (unsigned i = 0; i < ST_N; i++) {
		const struct seen *s = &v->src[i];

		if (s->slots == 0 && s->gaps == 0)
			continue;
		printf("%s{\"source\":\"%s\",\"slots\":%llu,\"first\":\"%s\","
		       "\"last\":\"%s\",\"coverage_frac\":%.4f,"
		       "\"quiet_s_max\":%.3f,\"gaps\":%llu,\"lost\":%llu,"
		       "\"feed_gaps\":%llu,\"restarts\":%llu}",
		    sep, topo_stages[i].name, (unsigned long long)s->slots,
		    when(s->first_ns, a), when(s->last_ns, b), coverage(s),
		    (double)s->quiet_ns / 1e9, (unsigned long long)s->gaps,
		    (unsigned long long)s->lost,
		    (unsigned long long)s->feed_gaps,
		    (unsigned long long)s->restarts);
		sep = ",";
	}
	printf("],");
}

static void
json_tables(const struct view *v)
{
	const char *sep = "";
	uint64_t n[3];

	printf("\"tables\":[");
	for (unsigned t = 0; t <= READER_JOURNAL; t++) {
		table_sum(v, t, n);
		if (n[0] == 0)
			continue;
		printf("%s{\"kind\":\"%s\",\"files\":%llu,\"rows\":%llu,"
		       "\"bytes\":%llu}",
		    sep, table_name(t), (unsigned long long)n[0],
		    (unsigned long long)n[1], (unsigned long long)n[2]);
		sep = ",";
	}
	printf("],");
}

static void
json_gaps(const struct view *v)
{
	char a[CLOCK_DATE_SZ];

	printf("\"gaps\":[");
	for (uint64_t i = 0; i < v->gap_n && i < GAPS_SHOWN; i++) {
		const struct gap_line *g = &v->gap[i];

		printf("%s{\"source\":\"%s\",\"cause\":\"%s\",\"at\":\"%s\","
		       "\"first_seq\":%llu,\"lost\":%llu}",
		    i > 0 ? "," : "", topo_stages[g->source].name,
		    journal_cause_name(g->gap.cause), when(g->at_ns, a),
		    (unsigned long long)g->gap.first_seq,
		    (unsigned long long)g->gap.lost_n);
	}
	printf("]");
}

static void
show_json(const struct view *v, const char *dir)
{
	char text[REC_PATH_SZ * 2];

	log_escape(text, sizeof(text), dir, strlen(dir));
	printf("{\"dir\":\"%s\",\"files\":%u,\"unreadable\":%u,\"runs\":%llu,"
	       "\"slots\":%llu,\"bad\":%llu,\"gaps_n\":%llu,\"lost\":%llu,"
	       "\"instruments\":%llu,\"config_epochs\":%llu,",
	    text, v->index.n, v->index.unread_n, (unsigned long long)v->runs,
	    (unsigned long long)v->slots, (unsigned long long)v->bad,
	    (unsigned long long)v->gap_n, (unsigned long long)v->lost,
	    (unsigned long long)v->instr_n, (unsigned long long)v->cfg_epochs);
	json_sources(v);
	json_tables(v);
	json_gaps(v);
	log_escape(text, sizeof(text), v->trouble, strlen(v->trouble));
	printf(",\"trouble\":\"%s\"}\n", text);
}

/* ---- for people ---- */

static void
show_sources(const struct view *v)
{
	char a[CLOCK_DATE_SZ];
	char b[CLOCK_DATE_SZ];

	for (unsigned i = 0; i < ST_N; i++) {
		const struct seen *s = &v->src[i];

		if (s->slots == 0 && s->gaps == 0)
			continue;
		printf("%-18s %11llu slots  %.19s to %.19s  something in "
		       "%.1f %% of the seconds",
		    topo_stages[i].name, (unsigned long long)s->slots,
		    when(s->first_ns, a), when(s->last_ns, b),
		    100 * coverage(s));
		printf("  longest silence %.1f s", (double)s->quiet_ns / 1e9);
		if (s->quiet_ns > 60 * NS_PER_S)
			printf(" from %.19s", when(s->quiet_at_ns, a));
		if (s->gaps > 0)
			printf("  %llu gaps, %llu LOST",
			    (unsigned long long)s->gaps,
			    (unsigned long long)s->lost);
		if (s->feed_gaps > 0)
			printf("  %llu gaps of the feed",
			    (unsigned long long)s->feed_gaps);
		printf("\n");
	}
}

static void
show(const struct view *v, const char *dir)
{
	char a[CLOCK_DATE_SZ];
	char b[32];
	uint64_t n[3];

	printf("%s: %u files, %llu slots, %llu runs\n", dir, v->index.n,
	    (unsigned long long)v->slots, (unsigned long long)v->runs);
	show_sources(v);
	for (unsigned t = 0; t <= READER_JOURNAL; t++) {
		table_sum(v, t, n);
		if (n[0] > 0)
			printf("%-18s %11llu rows   %6llu files  %s (%.2f B a "
			       "row)\n",
			    table_name(t), (unsigned long long)n[1],
			    (unsigned long long)n[0], tool_human(b, n[2]),
			    n[1] > 0 ? (double)n[2] / (double)n[1] : 0.0);
	}
	for (uint64_t i = 0; i < v->gap_n && i < GAPS_SHOWN; i++)
		printf("gap: %s lost %llu from %llu (%s) at %s\n",
		    topo_stages[v->gap[i].source].name,
		    (unsigned long long)v->gap[i].gap.lost_n,
		    (unsigned long long)v->gap[i].gap.first_seq,
		    journal_cause_name(v->gap[i].gap.cause),
		    when(v->gap[i].at_ns, a));
	if (v->gap_n > GAPS_SHOWN)
		printf("gap: and %llu more\n",
		    (unsigned long long)(v->gap_n - GAPS_SHOWN));
	if (v->bad > 0)
		printf("bad: %llu rows or files could not be read\n",
		    (unsigned long long)v->bad);
	if (v->trouble[0] != '\0')
		printf("reading ended early: %s\n", v->trouble);
	printf("%s\n", v->gap_n == 0 && v->bad == 0 && v->trouble[0] == '\0'
			   ? "whole"
			   : "NOT WHOLE");
}

int
tool_inspect(const struct tool_args *a)
{
	struct view *v = calloc(1, sizeof(*v));
	struct err e;
	int rc;

	if (v == NULL)
		return 111;
	if (reader_index_make(&v->index, a->dir, &e) != 0) {
		fprintf(stderr, "recorderd: %s\n", e.text);
		free(v);
		return e.code == -ENOENT ? TOOL_NO_INPUT : TOOL_DAMAGED;
	}
	rc = look(v, a->dir);
	if (rc == 0) {
		if (a->json)
			show_json(v, a->dir);
		else
			show(v, a->dir);
		if (v->gap_n > 0 || v->bad > 0 || v->trouble[0] != '\0')
			rc = TOOL_DAMAGED;
	}
	reader_index_free(&v->index);
	free(v);
	return rc;
}

/* ---- verify ---- */

/* One file. Its trouble goes to standard error; true when it is sound. */
static bool
file_ok(const struct reader_file *f)
{
	struct err e;

	if (f->table != READER_JOURNAL) {
		if (reader_pq_check(f, &e) == 0)
			return true;
		fprintf(stderr, "recorderd: %s\n", e.text);
		return false;
	}
	/* A torn tail is what a crash leaves; nothing that was kept. */
	if (f->torn_bytes > 0)
		fprintf(stderr,
		    "recorderd: %s: ends in %llu bytes of a block "
		    "that was not finished\n",
		    f->path, (unsigned long long)f->torn_bytes);
	if (f->bad_bytes == 0)
		return true;
	fprintf(stderr, "recorderd: %s: %llu damaged bytes\n", f->path,
	    (unsigned long long)f->bad_bytes);
	return false;
}

int
tool_verify(const struct tool_args *a)
{
	struct view *v = calloc(1, sizeof(*v));
	struct err e;
	uint32_t damaged = 0;
	int rc = 0;

	if (v == NULL)
		return 111;
	if (reader_index_make(&v->index, a->dir, &e) != 0) {
		fprintf(stderr, "recorderd: %s\n", e.text);
		free(v);
		return e.code == -ENOENT ? TOOL_NO_INPUT : TOOL_DAMAGED;
	}
	for (uint32_t i = 0; i < v->index.n; i++)
		damaged += !file_ok(&v->index.file[i]);
	damaged += v->index.unread_n;
	if (v->index.unread_n > 0)
		fprintf(stderr, "recorderd: %s\n", v->index.why);
	rc = look(v, a->dir);
	bool ok = rc == 0 && damaged == 0 && v->damaged == 0 && v->bad == 0 &&
		  v->trouble[0] == '\0';

	if (a->json)
		printf("{\"files\":%u,\"damaged\":%u,\"slots\":%llu,"
		       "\"lost_declared\":%llu,\"lost_undeclared\":%llu,"
		       "\"ok\":%s}\n",
		    v->index.n, damaged, (unsigned long long)v->slots,
		    (unsigned long long)(v->lost - v->damaged),
		    (unsigned long long)v->damaged, ok ? "true" : "false");
	else
		printf("%u files, %llu slots: %s; %llu lost and declared, %llu "
		       "missing\n",
		    v->index.n, (unsigned long long)v->slots,
		    ok ? "sound" : "DAMAGED",
		    (unsigned long long)(v->lost - v->damaged),
		    (unsigned long long)v->damaged);
	reader_index_free(&v->index);
	free(v);
	return ok ? 0 : TOOL_DAMAGED;
}

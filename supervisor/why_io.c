#define _GNU_SOURCE
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "libcore/reasons.h"
#include "libshm/instance.h"
#include "libshm/instr.h"
#include "libshm/why.h"
#include "supervisor/opts.h"

static uint64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) +
	       (uint64_t)ts.tv_nsec;
}

/* A value in its unit, as text. */
static const char *
value_text(uint8_t unit, int64_t v, char buf[FIXED_TEXT_MAX])
{
	static const unsigned scale[WHY_UNIT_N] = {[WHY_U_PX] = 8,
	    [WHY_U_FRAC] = 8,
	    [WHY_U_USD] = 6,
	    [WHY_U_QTY] = 8,
	    [WHY_U_S] = 9,
	    [WHY_U_N] = 0};

	if (v == INT64_MAX)
		return "no end";
	fixed_format(v, scale[unit], buf);
	return buf;
}

static const char *
verdict_text(uint8_t v)
{
	return v == WHY_PASS ? "pass" : v == WHY_FAIL ? "REFUSED" : "-";
}

/* A filter behind the one that refused has an older verdict. */
static bool
is_behind(const struct why_side *s, unsigned id)
{
	const struct why_def *d = why_def((enum why_id)id);

	return d->part == WHY_PART_TAKE ? id > s->take_stop : id > s->stop;
}

static const char *
stop_text(uint16_t stop)
{
	return stop < WHY_N ? why_def((enum why_id)stop)->label : "nothing";
}

static void
side_table(const struct why_side *s, const char *name, uint64_t at_ns)
{
	printf("%s: looks %" PRIu64 ", quoted %" PRIu64 ", stopped by %s\n",
	    name, s->looks, s->quoted, stop_text(s->stop));
	if (s->signals > 0)
		printf("%*s  signals %" PRIu64 ", taken %" PRIu64
		       ", stopped by %s\n",
		    (int)strlen(name), "", s->signals, s->taken,
		    stop_text(s->take_stop));
	printf("  %-11s %-8s %18s %18s %9s %10s  %s\n", "filter", "verdict",
	    "value", "limit", "since_s", "refusals", "what passes");
	for (unsigned i = 0; i < WHY_N; i++) {
		const struct why_filter *f = &s->filter[i];
		const struct why_def *d = why_def((enum why_id)i);
		char value[FIXED_TEXT_MAX];
		char limit[FIXED_TEXT_MAX];

		if (f->verdict == 0)
			continue;
		printf("%c %-11s %-8s %18s %18s %9.1f %10u  %s\n",
		    is_behind(s, i) ? '.' : ' ', d->label,
		    verdict_text(f->verdict),
		    value_text(d->unit, f->value, value),
		    value_text(d->unit, f->limit, limit),
		    (double)(at_ns - f->since_ns) / 1e9, f->refusals, d->text);
	}
}

static json_t *
side_json(const struct why_side *s, uint64_t at_ns)
{
	/* libcore has a json_array of its own. */
	json_t *filters = json_pack("[]");

	for (unsigned i = 0; i < WHY_N; i++) {
		const struct why_filter *f = &s->filter[i];
		const struct why_def *d = why_def((enum why_id)i);
		char value[FIXED_TEXT_MAX];
		char limit[FIXED_TEXT_MAX];

		if (f->verdict == 0)
			continue;
		json_array_append_new(filters,
		    json_pack("{s:s,s:b,s:b,s:s,s:s,s:f,s:I}", "filter",
			d->label, "pass", f->verdict == WHY_PASS, "reached",
			!is_behind(s, i), "value",
			value_text(d->unit, f->value, value), "limit",
			value_text(d->unit, f->limit, limit), "since_s",
			(double)(at_ns - f->since_ns) / 1e9, "refusals",
			(json_int_t)f->refusals));
	}
	return json_pack("{s:I,s:I,s:I,s:I,s:s,s:s,s:o}", "looks",
	    (json_int_t)s->looks, "quoted", (json_int_t)s->quoted, "signals",
	    (json_int_t)s->signals, "taken", (json_int_t)s->taken, "stop",
	    stop_text(s->stop), "take_stop", stop_text(s->take_stop), "filters",
	    filters);
}

static void
market(const char *symbol, const struct why_market *m, bool json)
{
	uint64_t at = now_ns();

	if (json) {
		json_t *o = json_pack("{s:s,s:f,s:o,s:o}", "market", symbol,
		    "age_s", (double)(at - m->at_ns) / 1e9, "bid",
		    side_json(&m->side[0], at), "ask",
		    side_json(&m->side[1], at));

		json_dumpf(o, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(o);
		return;
	}
	printf("%s, looked at %.1f s ago\n", symbol,
	    (double)(at - m->at_ns) / 1e9);
	side_table(&m->side[0], "bid", at);
	side_table(&m->side[1], "ask", at);
}

/* All markets, one line each. */
static void
list(const char *symbol, const struct why_market *m)
{
	printf("%-48s bid %-11s ask %-11s\n", symbol,
	    m->side[0].stop < WHY_N ? stop_text(m->side[0].stop) : "quoted",
	    m->side[1].stop < WHY_N ? stop_text(m->side[1].stop) : "quoted");
}

static int
show(const struct sup_opts *o, const struct why_page *w,
    const struct instr_table *t)
{
	static struct why_market m;
	unsigned found = 0;

	for (uint32_t i = 1; i < INSTR_N; i++) {
		struct instr in;

		if (!instr_read(t, (uint16_t)i, &in) ||
		    !why_read(w, (uint16_t)i, &m))
			continue;
		if (o->word_n > 0 && strcmp(in.symbol, o->word[0]) != 0)
			continue;
		found++;
		if (o->word_n == 0 && !o->json)
			list(in.symbol, &m);
		else
			market(in.symbol, &m, o->json);
	}
	if (found > 0)
		return SUP_OK;
	fprintf(stderr, "supervisor: why: %s\n",
	    o->word_n > 0 ? "no such market, or quoted has not looked at it"
			  : "quoted has not looked at any market");
	return SUP_DEGRADED;
}

int
cmd_why(const struct sup_opts *o)
{
	const struct why_page *w = NULL;
	struct instr_table *t = NULL;
	struct instance in;
	struct err e;
	int rc = SUP_NOT_RUNNING;

	if (instance_open(&in, o->instance, &e) < 0) {
		fprintf(stderr, "supervisor: %s\n", e.text);
		return rc;
	}
	if (why_attach(&w, in.dirfd, &e) < 0 ||
	    instr_attach(&t, in.dirfd, false, &e) < 0)
		fprintf(stderr, "supervisor: %s\n", e.text);
	else
		rc = show(o, w, t);
	instr_detach(t);
	why_detach(w);
	instance_close(&in);
	return rc;
}

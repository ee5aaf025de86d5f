#define _GNU_SOURCE
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backtest/progress.h"
#include "backtest/replay.h"
#include "backtest/run.h"
#include "libcore/check.h"
#include "libcore/reasons.h"
#include "libsys/clock.h"

static const char usage_replay[] =
    "usage: backtest replay [--json] [--from T] [--to T] CAPTURE\n"
    "\n"
    "Give the cores of quoted and riskd once more what a recorded production\n"
    "run gave them, and compare every message and state hash. CAPTURE is a\n"
    "directory of recorderd's that holds the start of the run. Exit code 0:\n"
    "equal; 1: the first difference was printed with its input.\n";

static const char *
input_name(const struct tap_step *t)
{
	uint16_t ring = t->trace.u.trace.ring;

	if (ring < RG_N)
		return topo_rings[ring].name;
	return ring == TRACE_TIMER  ? "timer"
	       : ring == TRACE_CFG  ? "config"
	       : ring == TRACE_STOP ? "stop"
	       : ring == TRACE_HASH ? "hash"
				    : "own";
}

static void
put_order(FILE *f, const char *name, const struct order *o)
{
	fprintf(f,
	    "  %-9s %s id %" PRIu64 " instr %u side %s level %u px %.8f qty "
	    "%.8f\n"
	    "            exec %.8f x %.8f cum %.8f usd %.6f reason %s status "
	    "%u\n"
	    "            recv_ns %" PRIu64 " venue_ns %" PRId64
	    " flags %u deltas %u %u %u %u %u life %u epoch %u\n",
	    name, slot_kind_name(o->hdr.kind), o->id, o->hdr.instr,
	    o->side == SIDE_BID	  ? "bid"
	    : o->side == SIDE_ASK ? "ask"
				  : "-",
	    o->level, (double)o->px.e8 / 1e8, (double)o->qty.e8 / 1e8,
	    (double)o->exec_px.e8 / 1e8, (double)o->exec_qty.e8 / 1e8,
	    (double)o->cum_qty.e8 / 1e8, (double)o->usd.e6 / 1e6,
	    o->reason < REASON_N ? reason_name((enum reason)o->reason) : "?",
	    o->status, o->hdr.recv_ns, o->hdr.venue_ns, o->hdr.flags,
	    o->hdr.pub_delta, o->quote_delta, o->risk_delta, o->send_delta,
	    o->ack_delta, o->life_ms, o->epoch);
}

/* Byte ranges of a message that are not the same. */
static void
put_where(FILE *f, const struct order *a, const struct order *b)
{
	const unsigned char *p = (const unsigned char *)a;
	const unsigned char *q = (const unsigned char *)b;

	fputs("  differs   at bytes", f);
	for (size_t i = 0; i < sizeof(*a); i++)
		if (p[i] != q[i])
			fprintf(f, " %zu", i);
	fputc('\n', f);
}

static void
put_diff(FILE *f, const struct replay_diff *d)
{
	const struct tick_trace *t = &d->input.trace.u.trace;

	fprintf(f,
	    "%s: %s, step %" PRIu64 ", now_ns %" PRIu64 ", UTC %" PRId64 "\n",
	    topo_stages[d->stage].name, replay_what_name(d->what), d->step,
	    d->now_ns, d->wall_ns);
	fprintf(f,
	    "  input     %s seq %" PRIu64 " %s instr %u recv_ns %" PRIu64
	    "\n            ",
	    input_name(&d->input), t->ring_seq,
	    slot_kind_name(d->input.in.hdr.kind), d->input.in.hdr.instr,
	    d->input.in.hdr.recv_ns);
	for (unsigned i = 0; i < 8; i++)
		fprintf(f, " %016" PRIx64, d->input.in.raw[i]);
	fputc('\n', f);
	if (d->what == REPLAY_STATE)
		fprintf(f,
		    "  recorded  %016" PRIx64 "\n  replayed  %016" PRIx64 "\n",
		    d->want_hash, d->got_hash);
	if (d->what == REPLAY_GAP)
		fprintf(f, "  missing   %" PRIu64 " records\n", d->lost_n);
	if (d->what == REPLAY_DIFFERS || d->what == REPLAY_MISSING)
		put_order(f, "recorded", &d->want);
	if (d->what == REPLAY_DIFFERS || d->what == REPLAY_SURPLUS)
		put_order(f, "replayed", &d->got);
	if (d->what == REPLAY_DIFFERS)
		put_where(f, &d->want, &d->got);
}

/* Settings, which are told by recorderd alone. */
static int
first_pass(struct replaying *x, const struct reader_args *all)
{
	struct reader_args a = *all;
	struct reader_event ev;
	struct reader *r;
	struct err e;
	int rc;

	a.with_trace = false;
	a.source_set = 1u << ST_RECORDERD;
	if (reader_open(&r, &a, &e) < 0)
		return -1;
	while ((rc = reader_next(r, &ev)) == 1)
		catalog_see(x->cat, &ev);
	reader_close(r);
	return rc;
}

static int
second_pass(struct replaying *x, bool show)
{
	struct progress p;
	struct reader_event ev;
	int rc;

	progress_init(&p, show);
	x->equal = true;
	while (x->equal && (rc = reader_next(x->reader, &ev)) == 1) {
		x->equal = replay_see(x->r, &ev);
		if (show && x->r->events % 8192 == 0)
			progress_show(&p, x->r->events, x->r->events,
			    reader_stat(x->reader)->rows_total,
			    (uint64_t)(x->r->last_ns - x->r->first_ns));
	}
	progress_end(&p);
	if (!x->equal)
		return 0;
	if (rc == 0)
		x->equal = replay_end(x->r);
	return rc;
}

static void
say_stage(const struct replay_stage *s, bool json)
{
	if (json)
		printf(",\"%s\":{\"lives\":%" PRIu64 ",\"steps\":%" PRIu64
		       ",\"messages\":%" PRIu64 ",\"hashes\":%" PRIu64
		       ",\"whole\":%s}",
		    topo_stages[s->id].name, s->lives, s->steps, s->messages,
		    s->hashes, s->live && !s->off ? "true" : "false");
	else
		printf("%-8s %" PRIu64 " lives, %" PRIu64 " steps, %" PRIu64
		       " messages and %" PRIu64 " state hashes compared%s\n",
		    topo_stages[s->id].name, s->lives, s->steps, s->messages,
		    s->hashes,
		    !s->live ? ": its start is not recorded"
		    : s->off ? "; the last life began from a state that is "
			       "not recorded"
			     : "");
}

static int
say(const struct replaying *x, bool json)
{
	const struct replay *r = x->r;
	double span_s = (double)(r->last_ns - r->first_ns) / 1e9;
	double took_s = (double)x->took_ns / 1e9;
	bool whole = replay_whole(r);

	if (json)
		printf("{\"equal\":%s,\"what\":\"%s\",\"span_s\":%.3f"
		       ",\"took_s\":%.3f,\"speed\":%.1f",
		    x->equal && whole ? "true" : "false",
		    replay_what_name(r->diff.what), span_s, took_s,
		    took_s > 0 ? span_s / took_s : 0);
	say_stage(&r->quoted, json);
	say_stage(&r->riskd, json);
	if (json)
		puts("}");
	if (!x->equal)
		put_diff(json ? stderr : stdout, &r->diff);
	else if (!json)
		printf("%s: %.1f s in %.2f s, %.0f times real time\n",
		    whole ? "equal" : "not whole", span_s, took_s,
		    took_s > 0 ? span_s / took_s : 0);
	return x->equal && whole ? 0 : EXIT_BAD_RESULT;
}

int
replay_run(struct replaying *x, const char *dir, int64_t from_ns, int64_t to_ns,
    bool show)
{
	const struct reader_args ra = {.dir = dir,
	    .from_ns = from_ns,
	    .to_ns = to_ns,
	    .with_trace = true,
	    .kind_set = READER_TABLE_ORDER | READER_TABLE_OTHER,
	    .source_set = 1u << ST_QUOTED | 1u << ST_RISKD | 1u << ST_EXECD_PM |
			  1u << ST_EXECD_HL};
	uint64_t began_ns = clock_mono_ns();
	struct err e;
	int rc;

	memset(x, 0, sizeof(*x));
	if (reader_open(&x->reader, &ra, &e) < 0) {
		fprintf(stderr, "backtest: %s: %s\n", dir, e.text);
		return EXIT_DATA;
	}
	x->cat = catalog_new();
	x->r = x->cat != NULL ? replay_new(x->cat) : NULL;
	CHECK(x->r != NULL);
	rc = first_pass(x, &ra);
	if (rc == 0)
		rc = second_pass(x, show);
	x->took_ns = clock_mono_ns() - began_ns;
	if (rc == 0)
		return 0;
	fprintf(stderr, "backtest: %s\n", reader_why(x->reader));
	return EXIT_DATA;
}

void
replay_close(struct replaying *x)
{
	if (x->r != NULL)
		replay_free(x->r);
	if (x->cat != NULL)
		catalog_free(x->cat);
	if (x->reader != NULL)
		reader_close(x->reader);
}

int
cmd_replay(int argc, char **argv)
{
	static struct opts o;
	struct replaying x;
	int rc = opts_read(&o, argc, argv, usage_replay);

	if (rc != -1)
		return rc;
	if (o.path_n != 1) {
		fputs("backtest replay: one capture is needed\n", stderr);
		return EXIT_USAGE;
	}
	rc = replay_run(&x, o.path[0], o.from_ns, o.to_ns, !o.quiet && !o.json);
	if (rc == 0)
		rc = say(&x, o.json);
	replay_close(&x);
	return rc;
}

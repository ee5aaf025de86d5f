#define _GNU_SOURCE
#include "shmtop/cli_io.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libsys/version.h"
#include "shmtop/check.h"
#include "shmtop/decode.h"
#include "shmtop/json_io.h"
#include "shmtop/pane.h"
#include "shmtop/screen_io.h"
#include "shmtop/text.h"

#define EX_BAD_USAGE  64
#define EX_NO_SUCH    69
#define ONCE_COLS     CANVAS_COLS_MAX /* whole rows */
#define FIRST_LOOK_MS 250	      /* so that --once has rates to show */

struct options {
	const char *instance;
	const char *path;
	const char *tap; /* ring name */
	unsigned hz;
	unsigned lines;
	unsigned width; /* of --once */
	bool once;
	bool json;
	bool check;
	bool ascii;
	bool line;
};

static const char usage_text[] =
    "usage: shmtop [OPTION]...\n"
    "       shmtop [OPTION]... tap RING\n"
    "\n"
    "Watch a running or a dead pipeline. Reads shared memory only.\n"
    "\n"
    "  -i, --instance NAME  which pipeline (main)\n"
    "      --path DIR       an instance directory, also of a dead one\n"
    "  -o, --once           print once as text; needs no terminal\n"
    "  -j, --json           JSON: with --once one object, else one a sample\n"
    "      --check          say what is wrong; exit 1 when anything is\n"
    "      --line           one line a look, for logs and dumb terminals\n"
    "  -r, --rate HZ        looks in a second, 1 to 20 (5)\n"
    "      --width N        --once: cut rows at N columns (whole rows)\n"
    "      --ascii          no block characters\n"
    "  -n, --lines N        tap: begin N messages back (20)\n"
    "  -V, --version   -h, --help\n"
    "\n"
    "tap RING prints the messages of a ring as they come; --once the last\n"
    "ones. Keys of the live view: ? shows them.\n";

static const struct option longs[] = {
    {"instance", required_argument, NULL, 'i'},
    {"path", required_argument, NULL, 256},
    {"once", no_argument, NULL, 'o'},
    {"json", no_argument, NULL, 'j'},
    {"check", no_argument, NULL, 257},
    {"rate", required_argument, NULL, 'r'},
    {"ascii", no_argument, NULL, 258},
    {"line", no_argument, NULL, 259},
    {"width", required_argument, NULL, 260},
    {"lines", required_argument, NULL, 'n'},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static bool
number(const char *text, unsigned lo, unsigned hi, unsigned *out)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (end == text || *end != '\0' || v < lo || v > hi) {
		fprintf(stderr, "shmtop: \"%s\": use %u to %u\n", text, lo, hi);
		return false;
	}
	*out = (unsigned)v;
	return true;
}

/* 0 to go on; else an exit code plus 1. */
static int
parse(struct options *o, int argc, char **argv)
{
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "i:ojr:n:Vh", longs, NULL)) != -1) {
		bool ok = true;

		switch (c) {
		case 'i':
			o->instance = optarg;
			ok = instance_name_ok(optarg);
			break;
		case 256: o->path = optarg; break;
		case 'o': o->once = true; break;
		case 'j': o->json = true; break;
		case 257: o->check = true; break;
		case 'r': ok = number(optarg, 1, 20, &o->hz); break;
		case 258: o->ascii = true; break;
		case 259: o->line = true; break;
		case 260:
			ok = number(optarg, 40, CANVAS_COLS_MAX, &o->width);
			break;
		case 'n': ok = number(optarg, 0, 1000000, &o->lines); break;
		case 'V': printf("shmtop %s\n", RINGMAKER_VERSION); return 1;
		case 'h': fputs(usage_text, stdout); return 1;
		default: ok = false; break;
		}
		if (!ok)
			return EX_BAD_USAGE + 1;
	}
	if (optind + 2 == argc && strcmp(argv[optind], "tap") == 0)
		o->tap = argv[optind + 1];
	else if (optind != argc) {
		fprintf(stderr, "shmtop: \"%s\"; see shmtop --help\n",
		    argv[optind]);
		return EX_BAD_USAGE + 1;
	}
	return 0;
}

static void
nap_ms(unsigned ms)
{
	const struct timespec ts = {ms / 1000, (long)(ms % 1000) * 1000000};

	nanosleep(&ts, NULL);
}

static void
print_text(const struct snap *s, const struct options *o)
{
	struct canvas *c = calloc(1, sizeof(*c));
	struct pane_view v = {
	    .pane = PANE_MARKETS, .sort = SORT_ACTIVE, .tap_ring = -1};
	char line[CANVAS_COLS_MAX * 4 + 1];
	int row = 2;
	int used;

	if (c == NULL)
		return;
	canvas_init(c, (int)o->width, CANVAS_ROWS_MAX, o->ascii);
	pane_head(c, s, &v);
	/* In place of the tabs. */
	memset(c->cell[2], 0, sizeof(c->cell[2]));
	if (s->found) {
		row += pane_stages(c, s, row, 40);
		row += pane_links(c, s, row, 10);
		row += pane_gates(c, s, row, 10);
		row += pane_conns(c, s, row, SNAP_LINKS + 1);
		row += pane_reasons(c, s, row, VENUE_N);
		row += pane_money(c, s, row, 4);
		row += pane_latency(c, s, row, 30);
		row += pane_markets(c, s, &v, row, 40);
		pane_rings(c, s, &v, row, CANVAS_ROWS_MAX - row);
	}
	used = canvas_used(c);
	for (int r = 0; r < used; r++) {
		canvas_line(c, r, line);
		puts(line);
	}
	free(c);
}

static void
print_line(const struct snap *s)
{
	double frames = 0;
	double ticks = 0;
	char names[160];
	char a[TEXT_SZ];
	char b[TEXT_SZ];
	char d[TEXT_SZ];
	char e[TEXT_SZ];

	for (int v = VENUE_POLYMARKET; v < VENUE_N; v++) {
		frames += s->feed[v].frame_rate;
		ticks += s->feed[v].tick_rate;
	}
	if (!s->found) {
		puts("not running");
		fflush(stdout);
		return;
	}
	printf("up %s  %s msg/s  %s ticks/s  %u markets  %llu recorded  ",
	    text_dur(s->up_ns, a), text_count(frames, b), text_count(ticks, d),
	    s->market_n, (unsigned long long)s->rec.records);
	printf("%llu fills  P&L %s", (unsigned long long)s->risk.fills,
	    text_usd(s->risk.pnl_e6, e));
	for (int v = VENUE_POLYMARKET; v < VENUE_N; v++)
		if (v != VENUE_BINANCE)
			printf("  %s %s", venue_name((enum venue)v),
			    s->gate[v] ? freeze_format(
					     s->gate[v], names, sizeof(names))
				       : "trading");
	if (s->rec.lost != 0 || s->rec.disk_errors != 0)
		printf("  LOST %llu records, %llu disk errors: see supervisor "
		       "logs recorderd",
		    (unsigned long long)s->rec.lost,
		    (unsigned long long)s->rec.disk_errors);
	putchar('\n');
	fflush(stdout);
}

static int
stream_lines(struct sampler *s, const struct options *o)
{
	struct snap *snap = calloc(1, sizeof(*snap));

	if (snap == NULL)
		return EX_NO_SUCH;
	sample_take(s, snap);
	do {
		nap_ms(o->once ? FIRST_LOOK_MS : 1000 / o->hz);
		sample_take(s, snap);
		print_line(snap);
	} while (!o->once && !ferror(stdout));
	free(snap);
	return 0;
}

static int
show_once(struct sampler *s, const struct options *o)
{
	struct snap *snap = calloc(1, sizeof(*snap));
	struct check_list *l = calloc(1, sizeof(*l));
	int code = 0;

	if (snap == NULL || l == NULL)
		return EX_NO_SUCH;
	sample_take(s, snap);
	if (snap->found && !o->check) {
		nap_ms(FIRST_LOOK_MS);
		sample_take(s, snap);
	}
	check_snap(snap, l);
	if (o->json)
		json_snap(snap, l, stdout);
	else if (!o->check)
		print_text(snap, o);
	for (uint32_t i = 0; o->check && !o->json && i < l->n; i++)
		puts(l->text[i]);
	if (o->check && !o->json && l->n == 0)
		puts("ok");
	if (!snap->found)
		code = EX_NO_SUCH;
	else if (o->check && l->n > 0)
		code = 1;
	free(snap);
	free(l);
	return code;
}

static int
stream_json(struct sampler *s, const struct options *o)
{
	struct snap *snap = calloc(1, sizeof(*snap));
	struct check_list *l = calloc(1, sizeof(*l));

	while (snap != NULL && l != NULL && !ferror(stdout)) {
		sample_take(s, snap);
		check_snap(snap, l);
		json_snap(snap, l, stdout);
		nap_ms(1000 / o->hz);
	}
	free(snap);
	free(l);
	return 0;
}

static void
print_slot(struct sampler *s, const union tap *slot, const struct options *o)
{
	struct instr in;
	const char *symbol = NULL;
	char line[256];

	if (s->instr != NULL && slot->hdr.instr != 0 &&
	    instr_read(s->instr, slot->hdr.instr, &in)) {
		in.symbol[sizeof(in.symbol) - 1] = '\0';
		symbol = in.symbol;
	}
	if (o->json)
		json_slot(slot, (enum ring_id)s->tap_ring, symbol, stdout);
	else
		puts(decode_slot(slot, symbol, line, sizeof(line)));
}

static int
run_tap(struct sampler *s, const struct options *o)
{
	struct snap *snap = calloc(1, sizeof(*snap));
	int ring = topo_ring_find(o->tap);
	uint64_t lost;
	union tap slot;
	bool found;

	if (ring < 0 || snap == NULL) {
		fprintf(stderr, "shmtop: no ring \"%s\"; there are:", o->tap);
		for (int i = 0; i < RG_N; i++)
			fprintf(stderr, " %s", topo_rings[i].name);
		fputc('\n', stderr);
		free(snap);
		return EX_BAD_USAGE;
	}
	sample_take(s, snap);
	found = snap->found;
	sample_tap(s, ring);
	if (s->has_tap)
		ring_tap_seek(&s->tap, o->lines);
	free(snap);
	if (!found || !s->has_tap) {
		fprintf(stderr, "shmtop: %s\n",
		    s->note_n ? s->note[0] : "no such ring to attach to");
		return EX_NO_SUCH;
	}
	while (!ferror(stdout)) {
		enum ring_tap got = sample_tap_next(s, &slot, &lost);

		if (got == RING_TAP_OK)
			print_slot(s, &slot, o);
		else if (got == RING_TAP_OVERRUN)
			fprintf(stderr, "(%llu went by unseen)\n",
			    (unsigned long long)lost);
		else if (o->once)
			break;
		else {
			fflush(stdout);
			nap_ms(20);
		}
	}
	return 0;
}

int
shmtop_run(int argc, char **argv)
{
	struct options o = {
	    .instance = "main", .hz = 5, .lines = 20, .width = ONCE_COLS};
	struct sampler *s;
	int rc = parse(&o, argc, argv);

	if (rc != 0)
		return rc - 1;
	/* Far too large for the stack. */
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return EX_NO_SUCH;
	sample_open(s, o.instance, o.path);
	if (o.tap != NULL)
		rc = run_tap(s, &o);
	else if (o.line)
		rc = stream_lines(s, &o);
	else if (o.once || o.check)
		rc = show_once(s, &o);
	else if (o.json)
		rc = stream_json(s, &o);
	else if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		rc = screen_run(s, o.hz, o.ascii);
	else
		rc = show_once(s, &o);
	sample_close(s);
	free(s);
	return rc;
}

/* links: libsys libshm libcore */
/*
 * The documents generated from the .def tables (the list `docs` below). Run as
 * a test it says which of them is stale; with
 * --write (`make tables`) it writes them. Paths are relative to the root of
 * the repository.
 *
 * To add a document: a function that prints it, and a row in `docs`.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcore/reasons.h"
#include "libshm/cfg.h"
#include "libshm/cfgitem.h"
#include "libshm/metrics.h"
#include "libshm/topo.h"
#include "libsys/cfgfile.h"
#include "libsys/log.h"

#define DO_NOT_EDIT "Written by `make tables`; do not edit.\n"

/* Text inside a Markdown table: a bar would end the cell. */
static void
print_cell(FILE *f, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '|')
			fputc('\\', f);
		fputc(*text, f);
	}
	fputs(" |", f);
}

static void
print_code(FILE *f, const char *text)
{
	if (text[0] == '\0')
		fputs("(empty) | ", f);
	else
		fprintf(f, "`%s` | ", text);
}

static void
print_key(FILE *f, size_t i)
{
	const struct cfg_key *k = cfg_key_at(i);
	const char *form = cfg_item_form(i);
	char allowed[CFG_WHY_SZ];
	char cell[2 * CFG_WHY_SZ];

	cfg_allowed(i, allowed);
	fprintf(f, "| `%s` | %s | ", k->name, cfg_type_name(k->type));
	print_code(f, k->def);
	snprintf(cell, sizeof(cell), "%s%s%s", allowed, form ? "; each: " : "",
	    form ? form : "");
	print_cell(f, cell);
	fprintf(f, " %s | ", cfg_apply_name(k->apply));
	print_cell(f, k->doc);
	fputc('\n', f);
}

static void
print_config(FILE *f)
{
	fputs("# Settings\n\n" DO_NOT_EDIT "Source: `libshm/cfg.def`.\n\n"
	      "A setting is written `group.name`. In a YAML file the group "
	      "comes first and its\nnames are indented below it; in the "
	      "environment the setting is `GROUP_NAME`\n(`mm.max_spread` is "
	      "`MM_MAX_SPREAD`); on the command line it is\n"
	      "`group.name=value`. Later layers win: default, files in the "
	      "order given,\nenvironment, command line. `PAPER_MODE=true` "
	      "forces mode paper over all of them;\n`PAPER_MODE=false` makes "
	      "live out of paper.\n\n"
	      "Nothing is guessed: a file with one error is refused, with "
	      "file, line and column\nof every error in it. Decimals are "
	      "exact. Durations take a unit (`ns us ms s m h`);\na bare "
	      "number is allowed where the name ends in one (`_ms`, `_s`, "
	      "`_hours`). Sizes\ntake `KiB MiB GiB TiB`.\n\n"
	      "A list is written in YAML as `symbols: [btcusdt, ethusdt]`, or "
	      "as one `- btcusdt` a\nline; in the environment as "
	      "`BINANCE_SYMBOLS=btcusdt,ethusdt`; on the command line as\n"
	      "`-s binance.symbols=btcusdt,ethusdt`. Brackets around it are "
	      "allowed there too,\nquotes around items are not; nothing at "
	      "all, or `[]`, is the empty list. A layer\nreplaces the list of "
	      "the layer below, it does not add to it.\n\n"
	      "**live** settings change at `supervisor reload`, all at once; "
	      "**restart** settings\nneed the pipeline started again, and a "
	      "reload that changes one is refused; **not\nused yet** settings "
	      "are accepted and checked, but nothing in this build acts on\n"
	      "them.\n",
	    f);
	for (size_t i = 0; i < CFG_KEY_N; i++) {
		const struct cfg_key *k = cfg_key_at(i);

		if (i == 0 || strcmp(cfg_key_at(i - 1)->group, k->group) != 0)
			fprintf(f,
			    "\n## %s\n\n%s\n\n"
			    "| name | type | default | allowed | change | "
			    "what it does |\n"
			    "|---|---|---|---|---|---|\n",
			    k->group, cfg_group_doc(k->group));
		print_key(f, i);
	}
}

/* A comment of at most 76 columns a line. */
static void
print_comment(FILE *f, const char *indent, const char *text)
{
	while (*text != '\0') {
		size_t room = 76 - strlen(indent);
		size_t n = strlen(text);

		if (n > room)
			for (n = room; n > 0 && text[n] != ' '; n--)
				;
		fprintf(f, "%s# %.*s\n", indent, (int)n, text);
		text += n + strspn(text + n, " ");
	}
}

static bool
needs_quotes(const char *s)
{
	return s[0] == '\0' || strpbrk(s, ":#{}[]&*!|>'\"%@`,") != NULL;
}

static void
print_yaml_key(FILE *f, size_t i)
{
	const struct cfg_key *k = cfg_key_at(i);
	char allowed[CFG_WHY_SZ];

	cfg_allowed(i, allowed);
	fputc('\n', f);
	print_comment(f, "  ", k->doc);
	fprintf(f, "  # (%s; %s)\n", allowed, cfg_apply_name(k->apply));
	if (k->type == CFG_LIST)
		fprintf(f, "  #%s: [%s]\n", k->name, k->def);
	else
		fprintf(f,
		    needs_quotes(k->def) ? "  #%s: \"%s\"\n" : "  #%s: %s\n",
		    k->name, k->def);
}

static void
print_yaml(FILE *f)
{
	fputs("# Ringmaker: every setting, with its default.\n"
	      "# " DO_NOT_EDIT "#\n"
	      "# Copy this file, take the # away from a line and change it. "
	      "Lines that stay\n"
	      "# commented keep their defaults. docs/config.md says more.\n",
	    f);
	for (size_t i = 0; i < CFG_KEY_N; i++) {
		const struct cfg_key *k = cfg_key_at(i);

		if (i == 0 || strcmp(cfg_key_at(i - 1)->group, k->group) != 0) {
			fputc('\n', f);
			print_comment(f, "", cfg_group_doc(k->group));
			fprintf(f, "%s:\n", k->group);
		}
		print_yaml_key(f, i);
	}
}

static void
print_events(FILE *f)
{
	static const char *const levels[CFG_LOG_N] = {
	    [CFG_LOG_ERROR] = "error",
	    [CFG_LOG_WARN] = "warn",
	    [CFG_LOG_INFO] = "info",
	    [CFG_LOG_DEBUG] = "debug",
	};

	fputs(
	    "# Log events\n\n" DO_NOT_EDIT "Source: `libsys/events.def`.\n\n"
	    "One JSON object a line on stderr: `t` (UTC), `m` (monotonic "
	    "ns), `lvl`, `stage`,\n`ev`, then the fields of the event. "
	    "error: a person must act; warn: degraded and\nhandled; info: "
	    "life cycle; debug: off in production. Lines over the rate are "
	    "counted\nand reported as `suppressed_n` on the event's next "
	    "line, or by `suppressed`. A line\nthat was too long has "
	    "`\"cut\":true`.\n\nThe last words of a stage that dies are not in "
	    "the table: `check_failed`\n(expr, file, line, func; without `t`, "
	    "`m` and `stage`) and `backtrace`, one a frame\n(signal, frame, "
	    "at).\n\n"
	    "| `ev` | level | rate a minute | meaning; fields |\n"
	    "|---|---|---|---|\n",
	    f);
	for (int i = LOG_EV_NONE + 1; i < LOG_EV_N; i++) {
		enum log_ev ev = (enum log_ev)i;

		fprintf(f, "| `%s` | %s | %u | %s |\n", log_ev_name(ev),
		    levels[log_ev_level(ev)], log_ev_rate(ev), log_ev_doc(ev));
	}
}

static void
print_reasons(FILE *f)
{
	static const int values[] = {
#define REASON(name, label, value, text) value,
#include "libcore/reasons.def"
#undef REASON
	};

	fputs("# Reasons\n\n" DO_NOT_EDIT "Source: `libcore/reasons.def`.\n\n"
	      "Why something was refused, dropped, frozen or paused. The "
	      "number is what slots and\nrecorded files hold.\n\n"
	      "| reason | number | meaning |\n|---|---|---|\n",
	    f);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		enum reason r = (enum reason)values[i];

		fprintf(f, "| `%s` | %d | %s |\n", reason_name(r), values[i],
		    reason_text(r));
	}
}

static void
print_links(FILE *f)
{
	static const struct {
		const char *label;
		const char *unit;
		const char *doc;
	} rows[] = {
#define LINK_FIELD(name, label, unit, doc) {#label, (unit), (doc)},
#include "libshm/links.def"
#undef LINK_FIELD
	};

	fputs("\n## Connections\n\nSource: `libshm/links.def`. A feed's page "
	      "has a row for each connection.\n\n"
	      "| label | unit | what it is |\n|---|---|---|\n",
	    f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fprintf(f, "| `%s` | %s | ", rows[i].label, rows[i].unit);
		print_cell(f, rows[i].doc);
		fputc('\n', f);
	}
}

static void
print_metrics(FILE *f)
{
	static const struct {
		const char *program;
		const char *label;
		const char *kind;
		const char *unit;
		const char *doc;
	} rows[] = {
#define METRIC(program, name, label, kind, unit, doc) \
	{#program, #label, #kind, (unit), (doc)},
#include "libshm/metrics.def"
#undef METRIC
	};

	fputs("# Metrics\n\n" DO_NOT_EDIT "Source: `libshm/metrics.def`.\n\n"
	      "Every stage keeps its own page in shared memory; each value "
	      "stands beside its\nlabel, so that readers need nothing from "
	      "the stage. ANY: every stage has it. HIST:\na log-linear "
	      "histogram.\n\n"
	      "| program | label | kind | unit | what it counts |\n"
	      "|---|---|---|---|---|\n",
	    f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fprintf(f, "| %s | `%s` | %s | %s | ", rows[i].program,
		    rows[i].label, rows[i].kind, rows[i].unit);
		print_cell(f, rows[i].doc);
		fputc('\n', f);
	}
	print_links(f);
}

static void
print_stages(FILE *f)
{
	fputs("# Topology\n\n" DO_NOT_EDIT "Source: `libshm/topo.def`.\n\n"
	      "## Stages\n\nIn the order of their start.\n\n"
	      "| stage | program | venue | on the path of an order | "
	      "sockets | sealed | polls |\n|---|---|---|---|---|---|---|\n",
	    f);
	for (int i = 0; i < ST_N; i++) {
		const struct stage_def *s = &topo_stages[i];

		fprintf(f, "| `%s` | %s | %s | %s | %s | %s | %s |\n", s->name,
		    s->program,
		    s->venue != 0 ? venue_name((enum venue)s->venue) : "-",
		    s->flags & STAGE_HOT ? "yes" : "-",
		    s->flags & STAGE_SOCK ? "yes" : "-",
		    s->flags & STAGE_SEALED ? "yes" : "-",
		    s->flags & STAGE_POLL ? "yes" : "-");
	}
}

static void
print_topology(FILE *f)
{
	static const char *const full[RING_FULL_N] = {
	    [RING_FULL_DROP] = "drop, count, then GAP and a snapshot",
	    [RING_FULL_NEWEST] = "the writer keeps the newest",
	    [RING_FULL_NEVER] = "the writer takes no input without room",
	    [RING_FULL_TAP] = "drop, count, then GAP with the number",
	    [RING_FULL_FREEZE] = "the writer freezes the venue",
	};

	print_stages(f);
	fputs("\n## Rings\n\n"
	      "| ring | writer | reader | slot bytes | depth | when full |\n"
	      "|---|---|---|---|---|---|\n",
	    f);
	for (int i = 0; i < RG_N; i++) {
		const struct ring_def *r = &topo_rings[i];

		fprintf(f, "| `%s` | %s | %s | %u | %u | %s |\n", r->name,
		    topo_stages[r->writer].name, topo_stages[r->reader].name,
		    r->slot_sz, r->depth, full[r->full]);
	}
}

static const struct {
	const char *path;
	void (*print)(FILE *f);
} docs[] = {
    {"docs/config.md", print_config},
    {"docs/events.md", print_events},
    {"docs/metrics.md", print_metrics},
    {"docs/reasons.md", print_reasons},
    {"docs/topology.md", print_topology},
    {"etc/ringmaker.yaml", print_yaml},
};
#define DOC_N (sizeof(docs) / sizeof(docs[0]))

static char *
read_all(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = NULL;
	size_t sz = 0;

	if (f == NULL)
		return NULL;
	if (getdelim(&text, &sz, '\0', f) < 0) {
		free(text);
		text = NULL;
	}
	fclose(f);
	return text;
}

static char *
print_all(void (*print)(FILE *f))
{
	char *text = NULL;
	size_t sz;
	FILE *f = open_memstream(&text, &sz);

	assert_non_null(f);
	print(f);
	fclose(f);
	return text;
}

static void
documents_are_fresh(void **state)
{
	size_t stale_n = 0;

	(void)state;
	for (size_t i = 0; i < DOC_N; i++) {
		char *have = read_all(docs[i].path);
		char *want = print_all(docs[i].print);

		if (have == NULL || strcmp(have, want) != 0) {
			print_error(
			    "%s is stale: run make tables\n", docs[i].path);
			stale_n++;
		}
		free(have);
		free(want);
	}
	assert_int_equal(stale_n, 0);
}

static int
write_all(void)
{
	for (size_t i = 0; i < DOC_N; i++) {
		char *want = print_all(docs[i].print);
		FILE *f = fopen(docs[i].path, "w");

		if (f == NULL || fputs(want, f) < 0 || fclose(f) != 0) {
			perror(docs[i].path);
			return 1;
		}
		free(want);
		printf("  WROTE %s\n", docs[i].path);
	}
	return 0;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(documents_are_fresh),
	};

	if (argc == 2 && strcmp(argv[1], "--write") == 0)
		return write_all();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

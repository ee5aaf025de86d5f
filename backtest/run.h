/*
 * run.h - one backtest: a source through an engine into a ledger.
 */
#ifndef BACKTEST_RUN_H
#define BACKTEST_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "backtest/engine.h"
#include "backtest/figures.h"
#include "backtest/ledger.h"
#include "backtest/opts.h"
#include "backtest/source.h"

struct run_args {
	const struct opts *o;
	const struct cfg *cfg;
	int64_t from_ns;
	int64_t to_ns;
	FILE *trades;  /* CSV of the fills, or NULL                      */
	bool progress; /* a bar on stderr                                */
};

struct run {
	struct ledger *ledger;
	struct engine_count n;
	struct figures figures;
	uint64_t events;
	uint64_t hash; /* of every message and the end states            */
	uint64_t quote_hash;
	uint64_t risk_hash;
	usd_t risk_pnl;
	uint64_t wall_ns; /* how long it took here                       */
	char why[SOURCE_WHY_SZ];
};

/* run_once - 0, or an exit code with a sentence in r->why. run_free in any
 * case. */
int run_once(struct run *r, const struct run_args *a);
void run_free(struct run *r);

/* run_trades_head, run_trades_row - the CSV of fills. */
void run_trades_head(FILE *f);
void run_trades_row(
    FILE *f, const struct ledger *l, const struct ledger_fill *x);

/* out_json - the result as one JSON object; curves: with those of the page. */
void out_json(
    FILE *f, const struct run *r, const struct run_args *a, bool curves);
/* out_page - the self-contained page. out_text - for people. */
void out_page(FILE *f, const struct run *r, const struct run_args *a);
void out_text(FILE *f, const struct run *r);
/* out_number - a double, or null. */
void out_number(FILE *f, double v);
/* out_string - a JSON string. */
void out_string(FILE *f, const char *s);

/* cmd_* - the commands; exit codes. */
int cmd_run(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_sweep(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_queue(int argc, char **argv);

#endif

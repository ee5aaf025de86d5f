/* links: libsys libshm libcore */
/*
 * backtest as a person runs it: a result and its page, targets, sweeps that
 * resume and that shards share, the job of a cluster.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/pipeline/proc.h"

#define RUN_MS 120000
#define CAPTURES                                              \
	"simvenue/captures/polymarket_btc_15m.jsonl.gz",      \
	    "simvenue/captures/binance_spot_btcusdt_200s.gz", \
	    "simvenue/captures/hyperliquid_btc.jsonl.gz"
#define SWEEP                                                             \
	"-q", "-c", "etc/sim.yaml", "--metric", "pnl_usd", "--bar", "1s", \
	    "-p", "perp.spread_bps=1,3", "-p", "mm.inventory_limit_qty=10,40"

static char root[128];
static char out[1 << 20];

static int
setup(void **state)
{
	(void)state;
	snprintf(root, sizeof(root), "%s", proc_tmp("sweep"));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	proc_rmtree(root);
	return 0;
}

static const char *
under(const char *name)
{
	static char path[64][256];
	static unsigned at;
	char *p = path[at++ % 64];

	snprintf(p, sizeof(path[0]), "%s/%s", root, name);
	return p;
}

static size_t
slurp(const char *path)
{
	FILE *f = fopen(path, "r");
	size_t n = f != NULL ? fread(out, 1, sizeof(out) - 1, f) : 0;

	out[n] = '\0';
	if (f != NULL)
		fclose(f);
	return n;
}

static int
run(const char *const argv[])
{
	char log[256];
	int status;

	snprintf(log, sizeof(log), "%s", under("log"));
	unlink(log);
	status = proc_wait(proc_start(argv, log), RUN_MS);
	slurp(log);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
expect(int code, const char *const argv[])
{
	int got = run(argv);

	if (got != code)
		fail_msg("%s: %d, want %d\n%s", argv[1], got, code, out);
}

static unsigned
trials(const char *dir)
{
	char path[300];
	struct dirent *e;
	unsigned n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/trials", dir);
	d = opendir(path);
	while (d != NULL && (e = readdir(d)) != NULL)
		n += strstr(e->d_name, ".json") != NULL;
	if (d != NULL)
		closedir(d);
	return n;
}

static void
a_result_a_page_and_its_targets(void **state)
{
	const char *const argv[] = {"backtest", "run", "-q", "-c",
	    "etc/sim.yaml", "-o", under("r"), CAPTURES, NULL};
	const char *const met[] = {
	    "backtest", "verify", "--targets", under("ok"), under("r"), NULL};
	const char *const missed[] = {
	    "backtest", "verify", "--targets", under("no"), under("r"), NULL};
	const char *const wrong[] = {
	    "backtest", "verify", "--targets", under("bad"), under("r"), NULL};
	const char *const nothing[] = {"backtest", "verify", root, NULL};
	FILE *f;

	(void)state;
	expect(0, argv);
	assert_true(slurp(under("r/trades.csv")) > 200);
	assert_true(slurp(under("r/report.html")) > 20000);
	/* The page needs nothing from outside. */
	assert_null(strstr(out, "http://"));
	assert_null(strstr(out, "https://"));
	assert_null(strstr(out, "src="));
	assert_null(strstr(out, "/*DATA*/null"));
	f = fopen(under("ok"), "w");
	fputs("# of ours\nfills_n >= 1\n\nspan_s > 100 # s\n", f);
	fclose(f);
	f = fopen(under("no"), "w");
	fputs("fills_n < 1\nspan_s > 100\n", f);
	fclose(f);
	f = fopen(under("bad"), "w");
	fputs("fills_n = 1\n", f);
	fclose(f);
	expect(0, met);
	expect(1, missed);
	assert_non_null(strstr(out, "MISSED"));
	expect(64, wrong);
	expect(65, nothing);
}

static void
a_sweep_resumes(void **state)
{
	const char *const argv[] = {"backtest", "sweep", "-o", under("s"),
	    SWEEP, "--walk-forward", "2", CAPTURES, NULL};
	char first[4096];
	struct stat before;
	struct stat after;
	char keep[600];
	char gone[600];
	struct dirent *e;
	DIR *d;

	(void)state;
	expect(0, argv);
	assert_int_equal(trials(under("s")), 16);
	slurp(under("s/sweep.json"));
	memcpy(first, out, sizeof(first));
	d = opendir(under("s/trials"));
	for (unsigned n = 0; (e = readdir(d)) != NULL;)
		if (strstr(e->d_name, ".json") != NULL)
			snprintf(n++ == 0 ? keep : gone, sizeof(keep), "%s/%s",
			    under("s/trials"), e->d_name);
	closedir(d);
	assert_int_equal(stat(keep, &before), 0);
	assert_int_equal(unlink(gone), 0);
	expect(0, argv);
	assert_int_equal(stat(keep, &after), 0);
	assert_true(before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
	assert_int_equal(access(gone, R_OK), 0);
	slurp(under("s/sweep.json"));
	assert_memory_equal(first, out, sizeof(first));
}

/* What the shards of a cluster make is what one machine makes. */
static void
shards_merge(void **state)
{
	const char *const one[] = {
	    "backtest", "sweep", "-o", under("one"), SWEEP, CAPTURES, NULL};
	static char alone[sizeof(out)];

	(void)state;
	expect(0, one);
	slurp(under("one/sweep.json"));
	memcpy(alone, out, sizeof(alone));
	setenv("SLURM_ARRAY_TASK_MAX", "3", 1);
	setenv("SLURM_CPUS_PER_TASK", "1", 1);
	setenv("BACKTEST", proc_bin("backtest"), 1);
	setenv("OUT", under("many"), 1);
	for (int i = 1; i <= 3; i++) {
		char id[16];
		char cmd[1024];

		snprintf(id, sizeof(id), "%d", i);
		setenv("SLURM_ARRAY_TASK_ID", id, 1);
		assert_int_not_equal(access(under("many/sweep.json"), R_OK), 0);
		snprintf(cmd, sizeof(cmd),
		    "sh etc/backtest-sweep.slurm -c etc/sim.yaml --metric "
		    "pnl_usd --bar 1s -p perp.spread_bps=1,3 -p "
		    "mm.inventory_limit_qty=10,40 "
		    "simvenue/captures/polymarket_btc_15m.jsonl.gz "
		    "simvenue/captures/binance_spot_btcusdt_200s.gz "
		    "simvenue/captures/hyperliquid_btc.jsonl.gz 2>%s",
		    under("slurm.log"));
		assert_int_equal(system(cmd), 0);
	}
	assert_int_equal(trials(under("many")), 8);
	slurp(under("many/sweep.json"));
	assert_string_equal(out, alone);
	/* An array that leaves shards out is refused. */
	setenv("SLURM_ARRAY_TASK_MIN", "2", 1);
	assert_int_not_equal(
	    system("sh etc/backtest-sweep.slurm 2>/dev/null"), 0);
}

static void
what_makes_no_sense_is_refused_first(void **state)
{
	const char *const range[] = {"backtest", "sweep", "-o", under("x"),
	    "-p", "perp.spread_bps=1..9", CAPTURES, NULL};
	const char *const key[] = {"backtest", "sweep", "-o", under("x"), "-p",
	    "perp.no_such=1,2", CAPTURES, NULL};
	const char *const figure[] = {"backtest", "sweep", "-o", under("x"),
	    "--metric", "beauty", "-p", "perp.spread_bps=1,2", CAPTURES, NULL};
	const char *const none[] = {"backtest", "run", NULL};
	const char *const what[] = {"backtest", "dance", NULL};

	(void)state;
	expect(64, range);
	expect(78, key);
	expect(64, figure);
	expect(64, none);
	expect(64, what);
	assert_int_equal(trials(under("x")), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(a_result_a_page_and_its_targets),
	    T(a_sweep_resumes),
	    T(shards_merge),
	    T(what_makes_no_sense_is_refused_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* links: libcore */
/*
 * The trainer of the volatility predictor and the calibration report, run as
 * programs: a small series in, weights that parse out; the report in the
 * agreed form, or `skipped` without data; an hour of the maker on the
 * simulated exchanges, twice.
 */
#define _GNU_SOURCE
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "libcore/hash.h"
#include "libcore/lstm.h"
#include "tests/golden/data.h"

static const char *
out_dir(void)
{
	const char *s = getenv("OUT");

	return s != 0 ? s : "build/release";
}

/* Two hours of a walk that is twice as wild every other ten minutes. */
static void
write_series(const char *path)
{
	FILE *f = fopen(path, "w");
	double x = log(60000.0);
	uint64_t r = 3;

	assert_non_null(f);
	fputs("time_ms,price\n", f);
	for (int i = 0; i < 12000; i++) {
		r = hash_u64(r, (uint64_t)i);
		x += ((r & 1) != 0 ? 1.0 : -1.0) *
		     ((i / 600) % 2 != 0 ? 4e-5 : 2e-5);
		fprintf(f, "%lld,%.2f\n", 1777428640000LL + i * 1000LL, exp(x));
	}
	fclose(f);
}

static int
run(const char *cmd)
{
	int status = system(cmd);

	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static char *
train(const char *dir, const char *name, unsigned seed, size_t *n)
{
	char cmd[1024];
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	snprintf(cmd, sizeof(cmd),
	    "%s/bin/rm-train-vol --in %s/in.csv --out %s --epochs 5 --seed %u "
	    ">%s/log",
	    out_dir(), dir, path, seed, dir);
	assert_int_equal(run(cmd), 0);
	return data_read_path(path, n);
}

static void
training_gives_the_same_weights_again(void **state)
{
	char dir[] = "/tmp/rm-tools-XXXXXX";
	char cmd[128];
	char path[64];
	struct lstm m;
	uint32_t line;
	size_t n[3];
	char *w[3];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/in.csv", dir);
	write_series(path);
	w[0] = train(dir, "a", 1, &n[0]);
	w[1] = train(dir, "b", 1, &n[1]);
	w[2] = train(dir, "c", 2, &n[2]);
	assert_null(lstm_parse(&m, w[0], n[0], &line));
	assert_int_equal(m.step_s, 30);
	assert_int_equal(m.horizon_s, 300);
	assert_int_equal(n[0], n[1]);
	assert_memory_equal(w[0], w[1], n[0]);
	assert_true(n[0] != n[2] || memcmp(w[0], w[2], n[0]) != 0);
	for (int i = 0; i < 3; i++)
		free(w[i]);
	snprintf(cmd, sizeof(cmd), "rm -r %s", dir);
	assert_int_equal(run(cmd), 0);
}

static void
bad_options_are_refused(void **state)
{
	char cmd[1024];

	(void)state;
	snprintf(cmd, sizeof(cmd),
	    "%s/bin/rm-train-vol --in x 2>&1 >/dev/null"
	    " | grep -q usage:",
	    out_dir());
	assert_int_equal(run(cmd), 0);
	snprintf(cmd, sizeof(cmd),
	    "%s/bin/rm-train-vol --in /nonexistent --out /nonexistent "
	    "2>/dev/null",
	    out_dir());
	assert_int_equal(run(cmd), 66);
}

static void
without_data_the_report_says_so(void **state)
{
	char cmd[1024];

	(void)state;
	snprintf(cmd, sizeof(cmd),
	    "RM_DATA=/nonexistent %s/bin/rm-calibrate --check | grep -q "
	    "skipped",
	    out_dir());
	assert_int_equal(run(cmd), 0);
	snprintf(cmd, sizeof(cmd),
	    "RM_DATA=/nonexistent %s/bin/rm-calibrate --check >/dev/null",
	    out_dir());
	assert_int_equal(run(cmd), 77);
}

/* A number of the report's line. */
static double
member(const char *line, const char *key)
{
	struct json_str v = data_member(line, strlen(line), key);

	return v.n == 0 ? (double)NAN : strtod(v.s, 0);
}

/* On recorded outcomes the averaging model is no worse than gbm over the last
 * three minutes, and ours within the margin of the market's over all. */
static void
the_report_holds_its_margins_over_all(void **state)
{
	char cmd[1024];
	char line[1024];
	unsigned scores = 0;
	unsigned held = 0;
	FILE *f;

	(void)state;
	snprintf(cmd, sizeof(cmd), "%s/bin/rm-calibrate --json", out_dir());
	f = popen(cmd, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != 0) {
		if (line[0] == '#') {
			fputs(line, stdout);
			continue;
		}
		line[strcspn(line, "\n")] = '\0';
		scores++;
		if (strstr(line, "\"set\":\"vol\"") != 0) {
			assert_true(member(line, "rmse_ln") > 0.0);
			continue;
		}
		assert_true(isfinite(member(line, "brier")));
		assert_true(isfinite(member(line, "log_loss_error")));
		if ((strstr(line, "\"day_twap\",\"left_s\":[0,180]") != 0 ||
			strstr(line, "\"ladder\",\"left_s\":[0,130]") != 0) &&
		    strstr(line, "\"ok\":true") != 0)
			held++;
	}
	assert_int_equal(pclose(f), 0);
	if (scores == 0)
		skip();
	assert_int_equal(held, 2);
}

/* The program itself says 1 when a limit was passed or the venues' books and
 * riskd's differ. */
static void
an_hour_on_the_exchanges_is_the_same_again(void **state)
{
	char dir[] = "/tmp/rm-tools-XXXXXX";
	char cmd[1024];

	(void)state;
	assert_non_null(mkdtemp(dir));
	for (int i = 0; i < 2; i++) {
		snprintf(cmd, sizeof(cmd),
		    "%s/bin/rm-protections --days 1 --hours 1 --rows 0-0 "
		    "--json maker_ratio.pause_frac=1 perp.enabled=false "
		    ">%s/%d 2>%s/log",
		    out_dir(), dir, i, dir);
		assert_int_equal(run(cmd), 0);
	}
	snprintf(cmd, sizeof(cmd),
	    "cmp %s/0 %s/1 && grep -q '\"breaches\":0}' %s/0 && "
	    "! grep -q '\"fills\":0\\.0' %s/0 && rm -r %s",
	    dir, dir, dir, dir, dir);
	assert_int_equal(run(cmd), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(training_gives_the_same_weights_again),
	    cmocka_unit_test(bad_options_are_refused),
	    cmocka_unit_test(without_data_the_report_says_so),
	    cmocka_unit_test(the_report_holds_its_margins_over_all),
	    cmocka_unit_test(an_hour_on_the_exchanges_is_the_same_again),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}

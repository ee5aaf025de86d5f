/* links: simvenue libvenue libsys libshm libcore */
/*
 * The real feedd on the newer price socket: its credentials are taken, prices
 * come, a loss is asked again, and a file that others can read is refused.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "libsys/stage.h"
#include "tests/pipeline/feedrig.h"
#include "tests/pipeline/proc.h"

#define CAPTURE "simvenue/captures/polymarket_btc_15m.jsonl.gz"
#define SECRET	"aSecretThatIsOnlyForThisTest"
#define LOGIN                                          \
	"{\"apiKey\":\"k\",\"secret\":\"" SECRET "\"," \
	"\"passphrase\":\"p\"}\n"

static char path[] = "/tmp/rmboltXXXXXX";
static char key_file[64];
static const char *const options[] = {
    "--capture", CAPTURE, "--pace", "10", "--seed", "7", NULL};
static const char *const sets[] = {
    "polymarket.price_stream=polybolt",
    "polymarket.rtds_symbols=btc/usd",
    "polymarket.series=btc-updown-15m",
    "feed.reconnect_min=20ms",
    "feed.reconnect_max=200ms",
    "discovery.poll=1s",
    key_file,
    NULL,
};
static struct feedrig f = {.st = ST_FEEDD_PM,
    .ring = RG_MD_PM_X,
    .venue = "polymarket",
    .options = options,
    .sets = sets};

static void
open_with(const char *login, mode_t mode)
{
	int fd;

	memcpy(path + strlen(path) - 6, "XXXXXX", 6);
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, login, strlen(login)), strlen(login));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	snprintf(key_file, sizeof(key_file), "polymarket.polybolt_key_file=%s",
	    path);
	feedrig_truth(CAPTURE);
	feedrig_open(&f, "stagebolt");
}

static int
end(void **state)
{
	(void)state;
	if (f.feed > 0)
		feedrig_close(&f);
	unlink(path);
	return 0;
}

static bool
log_has(const char *text)
{
	return strstr(rig_read(&f.rig, "feedd.log"), text) != NULL;
}

static void
prices_come_and_a_loss_is_asked_again(void **state)
{
	uint64_t refs;
	int64_t gaps;

	(void)state;
	open_with(LOGIN, 0600);
	FEED_LIVES(&f);
	FEED_UNTIL(&f, f.refs > 10);
	gaps = feedrig_reason(&f, REASON_SEQ_GAP);
	feedrig_fault(&f,
	    "{\"name\":\"rtds_gap\",\"conn\":\"bolt\",\"count\":1,"
	    "\"value\":3}");
	FEED_UNTIL(&f, feedrig_fired(&f, "rtds_gap") > 0);
	FEED_UNTIL(&f, feedrig_reason(&f, REASON_SEQ_GAP) > gaps);
	refs = f.refs;
	FEED_UNTIL(&f, f.refs > refs + 5);
	FEED_LIVES(&f);
	assert_int_equal(feedrig_metric(&f, M_FEEDD_MALFORMED), 0);
	assert_int_equal(f.strange, 0);
	assert_false(log_has(SECRET));
}

static void
refused_at_the_start(const char *login, mode_t mode, const char *why)
{
	open_with(login, mode);
	assert_int_equal(proc_exit_code(f.feed), EXIT_PERMANENT);
	f.feed = 0;
	assert_true(log_has("polymarket.polybolt_key_file"));
	assert_true(log_has(why));
	assert_false(log_has(SECRET));
	feedrig_close(&f);
	unlink(path);
}

static void
credentials_that_cannot_be_used_end_it(void **state)
{
	(void)state;
	refused_at_the_start(LOGIN, 0640, "chmod 600");
	refused_at_the_start("{\"secret\":\"" SECRET "\"}", 0600, "passphrase");
	refused_at_the_start(SECRET, 0600, "passphrase");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(
		prices_come_and_a_loss_is_asked_again, end),
	    cmocka_unit_test_teardown(
		credentials_that_cannot_be_used_end_it, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

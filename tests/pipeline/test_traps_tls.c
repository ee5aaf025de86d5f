/* links: simvenue libvenue libsys libshm libcore */
/*
 * A real feedd over wss and https, by both transports: who the venue is gets
 * verified, every refusal has its reason, and what was refused is tried
 * again until it is right.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/pipeline/feedrig.h"
#include "tests/pipeline/proc.h"

#define PM_CAPTURE "simvenue/captures/polymarket_btc_15m.jsonl.gz"
#define QUICK                                                         \
	"feed.reconnect_min=20ms", "feed.reconnect_max=200ms",        \
	    "feed.connect_timeout=1s", "feed.snapshot_timeout=500ms", \
	    "polymarket.series=btc-updown-15m",                       \
	    "polymarket.rtds_symbols=btc/usd", "discovery.poll=1s"

static const char *const options[] = {
    "--capture", "simvenue/captures", "--pace", "10", NULL};
static const char *const by_mbedtls[] = {QUICK, "feed.transport=mbedtls", NULL};
static const char *const by_curl[] = {QUICK, "feed.transport=curl", NULL};
static struct feedrig f;

static void
open_feed(enum stage_id st, enum ring_id ring, const char *venue,
    const char *const *sets)
{
	memset(&f, 0, sizeof(f));
	f.st = st;
	f.ring = ring;
	f.venue = venue;
	f.options = options;
	f.sets = sets;
	f.tls = true;
	feedrig_truth(st == ST_FEEDD_PM ? PM_CAPTURE : NULL);
	feedrig_open(&f, "trapstls");
}

static int
close_feed(void **state)
{
	(void)state;
	feedrig_close(&f);
	return 0;
}

/* A new certificate meets only new connections. */
static void
refused(const char *label, enum reason r)
{
	char rule[80];
	int64_t before = feedrig_reason(&f, r);
	snprintf(rule, sizeof(rule), "{\"name\":\"%s\"}", label);
	feedrig_fault(&f, rule);
	FEED_UNTIL(&f, feedrig_fired(&f, label) > 0);
	feedrig_fault(&f,
	    "{\"name\":\"disconnect_storm\",\"conn\":\"market\",\"count\":1}");
	FEED_UNTIL(&f, feedrig_reason(&f, r) > before);
	FEED_UNTIL(&f, f.link_state != LINK_READY);
	feedrig_clear(&f);
	FEED_LIVES(&f);
}

static void
certificates(const char *const *sets)
{
	open_feed(ST_FEEDD_PM, RG_MD_PM_X, "polymarket", sets);
	FEED_LIVES(&f);
	assert_int_equal(f.strange, 0);
	refused("expired_certificate", REASON_CERT_TIME);
	refused("wrong_host_certificate", REASON_CERT_HOST);
	refused("unknown_authority", REASON_CERT_AUTHORITY);
	assert_int_equal(f.strange, 0);
}

static void
mbedtls_verifies_whom_it_talks_to(void **state)
{
	(void)state;
	certificates(by_mbedtls);
}

static void
curl_verifies_whom_it_talks_to(void **state)
{
	(void)state;
	certificates(by_curl);
}

/* Keys are the owner's; the second start finds and uses what is there. */
static void
the_authority_is_kept(void **state)
{
	struct stat before;
	struct stat after;
	(void)state;
	open_feed(ST_FEEDD_BN, RG_MD_BN_Q, "binance", by_mbedtls);
	FEED_UNTIL(&f, f.bbos > 20);
	char key[300];
	char tls[300];
	snprintf(key, sizeof(key), "%s", rig_path(&f.rig, "tls/ca.key"));
	snprintf(tls, sizeof(tls), "%s", rig_path(&f.rig, "tls"));
	assert_int_equal(stat(key, &before), 0);
	assert_int_equal(before.st_mode & 0777, 0600);
	kill(f.rig.venue, SIGTERM);
	assert_int_equal(rig_venue_end(&f.rig, 5000), 0);
	const char *again[] = {"--capture", "simvenue/captures",
	    "--tls-port-base", "0", "--tls-dir", tls, NULL};
	assert_true(rig_venue(&f.rig, again));
	assert_int_equal(stat(key, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
}

static void
a_name_that_does_not_resolve_is_told(void **state)
{
	static const char *const nowhere[] = {
	    QUICK, "binance.ws_url=wss://venue.invalid:9443", NULL};
	(void)state;
	open_feed(ST_FEEDD_BN, RG_MD_BN_Q, "binance", nowhere);
	FEED_UNTIL(&f, feedrig_reason(&f, REASON_DNS) > 0);
	assert_false(feedrig_ready(&f));
	assert_int_equal(f.bbos, 0);
}

static void
a_missing_authority_file_is_told(void **state)
{
	static const char *const missing[] = {
	    QUICK, "tls.ca_file=/nowhere/ca.pem", NULL};
	(void)state;
	open_feed(ST_FEEDD_BN, RG_MD_BN_Q, "binance", missing);
	FEED_UNTIL(&f, feedrig_reason(&f, REASON_CA_FILE) > 0);
	assert_int_equal(feedrig_reason(&f, REASON_TLS), 0);
	assert_int_equal(f.bbos, 0);
}

#define T(t) cmocka_unit_test_teardown(t, close_feed)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(mbedtls_verifies_whom_it_talks_to),
	    T(curl_verifies_whom_it_talks_to),
	    T(the_authority_is_kept),
	    T(a_missing_authority_file_is_told),
	    T(a_name_that_does_not_resolve_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

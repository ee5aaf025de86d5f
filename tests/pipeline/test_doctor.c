/* links: execd libvenue libsign libsys libshm libcore */
/*
 * The doctor on simvenue --live: what is right is found right, and each thing
 * that is wrong is named, with what to do.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "execd/doctor_int.h"
#include "execd/doctor_io.h"
#include "libsign/hex.h"
#include "libsign/pm_auth.h"
#include "tests/pipeline/proc.h"
#include "tests/pipeline/rig.h"

/* A key that simvenue gives nothing. */
#define POOR_KEY \
	"00000000000000000000000000000000000000000000000000000000005ec2e7"
#define DEV_KEY \
	"ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
#define DEV_ADDRESS "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
#define OTHER	    "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"

static struct rig rig;
static struct cfg cfg;
static char said[65536];

static void
set(const char *key, const char *value)
{
	char why[CFG_WHY_SZ];
	char group[32];
	const char *dot = strchr(key, '.');
	int k;

	snprintf(group, sizeof(group), "%.*s", (int)(dot - key), key);
	k = cfg_key_find(group, dot + 1);
	assert_true(k >= 0);
	if (!cfg_set(&cfg, (size_t)k, value, why))
		fail_msg("%s: %s", key, why);
}

/* In a process of its own, as it is run: keys are wiped there. */
static int
doctor(enum venue v, bool json)
{
	size_t n = 0;
	ssize_t got;
	int status;
	int p[2];
	pid_t pid;

	assert_int_equal(pipe(p), 0);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		dup2(p[1], 1);
		close(p[0]);
		_exit(doctor_run(&cfg, v, json));
	}
	close(p[1]);
	while (n + 1 < sizeof(said) &&
	       (got = read(p[0], said + n, sizeof(said) - 1 - n)) > 0)
		n += (size_t)got;
	said[n] = '\0';
	close(p[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
expect(enum venue v, int code, const char *text)
{
	int got = doctor(v, false);

	if (got != code || strstr(said, text) == NULL)
		fail_msg("code %d, want %d and \"%s\"; it said:\n%s", got, code,
		    text, said);
}

static int
set_up(void **unused)
{
	static const char *const live[] = {"--live", "--seed", "3", NULL};

	(void)unused;
	rig_init(&rig, "doctor");
	if (!rig_venue(&rig, live))
		fail_msg("%s", rig.out);
	return 0;
}

static int
tear_down(void **unused)
{
	(void)unused;
	rig_free(&rig);
	return 0;
}

static int
fresh(void **unused)
{
	(void)unused;
	unsetenv("POLYMARKET_PRIVATE_KEY");
	unsetenv("HYPERLIQUID_PRIVATE_KEY");
	cfg_defaults(&cfg);
	set("hyperliquid.coins", "BTC");
	for (unsigned i = 0; i < rig.set_n; i++) {
		char key[160];
		char *eq;

		snprintf(key, sizeof(key), "%s", rig.set[i]);
		eq = strchr(key, '=');
		*eq = '\0';
		set(key, eq + 1);
	}
	return 0;
}

/* As execd does at its first start. */
static void
make_credentials(void)
{
	static char body[DOCTOR_BODY_SZ];
	struct doctor d = {.cfg = &cfg, .body = body};
	const struct pm_l1_args args = {
	    .now_s = (uint64_t)time(NULL), .chain_id = 137};
	char headers[PM_HEADERS_MAX];
	uint8_t key[32];
	uint8_t seed[32] = {1};
	struct pm_l1 l1;

	secp_init(&d.secp, seed);
	assert_true(hex_parse(DEV_KEY, strlen(DEV_KEY), key, sizeof(key)));
	assert_true(pm_l1_sign(&d.secp, key, &args, &l1));
	pm_l1_headers(&l1, headers);
	if (!doctor_ask(
		&d, &(struct doctor_ask){.url = cfg.polymarket_rest_url.s,
			.target = "/auth/api-key",
			.headers = headers,
			.body = ""}))
		fail_msg("%ld %s", d.status, d.body);
	secp_close(&d.secp);
}

static void
T_12_a_funded_account_is_well(void **unused)
{
	(void)unused;
	/* Nothing is made by asking. */
	for (int i = 0; i < 2; i++)
		expect(VENUE_POLYMARKET, 0, "credentials none yet");
	make_credentials();
	expect(VENUE_POLYMARKET, 0, "address " DEV_ADDRESS);
	assert_non_null(strstr(said, "exchange V2, and its signer recovered"));
	assert_non_null(strstr(said, "exchange V2 neg-risk, and its signer"));
	assert_non_null(strstr(said, "exchange V3, and its signer recovered"));
	assert_non_null(strstr(said, "order entry 2"));
	assert_non_null(strstr(said, "10000 USD"));
	assert_null(strstr(said, "FAIL"));
	expect(VENUE_HYPERLIQUID, 0, "address " DEV_ADDRESS);
	assert_non_null(strstr(said, "mainnet, and its signer recovered"));
	assert_non_null(strstr(said, "BTC is number"));
	assert_non_null(strstr(said, "actions left"));
	assert_null(strstr(said, "FAIL"));
}

/* Every kind of account signs orders whose signer is our key. */
static void
T_12_every_signature_type_recovers(void **unused)
{
	static const char *const kind[] = {"proxy", "safe", "contract"};

	(void)unused;
	set("polymarket.funder", OTHER);
	for (size_t i = 0; i < sizeof(kind) / sizeof(kind[0]); i++) {
		set("polymarket.signature_type", kind[i]);
		doctor(VENUE_POLYMARKET, false);
		if (strstr(said, "does not recover") != NULL)
			fail_msg("%s: %s", kind[i], said);
		assert_non_null(strstr(said, "exchange V3, and its signer"));
	}
}

static void
an_account_without_money_fails(void **unused)
{
	(void)unused;
	setenv("HYPERLIQUID_PRIVATE_KEY", POOR_KEY, 1);
	expect(VENUE_HYPERLIQUID, DOCTOR_FAILED, "does not know");
	assert_non_null(strstr(said, "from HYPERLIQUID_PRIVATE_KEY"));
	assert_null(strstr(said, POOR_KEY));
	/* A kind of account that holds nothing. */
	set("polymarket.funder", OTHER);
	set("polymarket.signature_type", "safe");
	expect(VENUE_POLYMARKET, DOCTOR_FAILED, "no collateral");
}

static void
a_wrong_account_fails(void **unused)
{
	(void)unused;
	set("hyperliquid.account", OTHER);
	expect(VENUE_HYPERLIQUID, DOCTOR_FAILED,
	    "but hyperliquid.account is " OTHER);
	set("polymarket.funder", OTHER);
	expect(VENUE_POLYMARKET, DOCTOR_FAILED,
	    "signature_type eoa trades the key's own money");
	set("polymarket.funder", "0xF39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
	expect(VENUE_POLYMARKET, DOCTOR_FAILED, "a typing error");
	set("hyperliquid.coins", "BTC, NOSUCH");
	expect(VENUE_HYPERLIQUID, DOCTOR_FAILED, "NOSUCH is not listed");
}

static void
what_cannot_be_reached_fails(void **unused)
{
	(void)unused;
	set("polymarket.rest_url", "http://127.0.0.1:1");
	expect(VENUE_POLYMARKET, DOCTOR_FAILED, "no answer");
	set("hyperliquid.ws_url", "ws://127.0.0.1:1/ws");
	expect(VENUE_HYPERLIQUID, DOCTOR_FAILED, "hyperliquid.ws_url");
	set("hyperliquid.rest_url", "https://127.0.0.1:1");
	expect(VENUE_HYPERLIQUID, DOCTOR_FAILED, "no answer");
}

static void
no_key_fails_where_one_is_needed(void **unused)
{
	(void)unused;
	set("system.mode", "live");
	expect(VENUE_POLYMARKET, DOCTOR_FAILED, "no key to sign orders with");
	setenv("POLYMARKET_PRIVATE_KEY", "12345", 1);
	expect(VENUE_POLYMARKET, DOCTOR_FAILED, "POLYMARKET_PRIVATE_KEY");
	assert_null(strstr(said, "12345"));
}

static void
json_is_a_line_a_check(void **unused)
{
	(void)unused;
	assert_int_equal(doctor(VENUE_HYPERLIQUID, true), 0);
	assert_int_equal(strncmp(said,
			     "{\"venue\":\"hyperliquid\",\"check\":\"key\","
			     "\"verdict\":\"ok\",\"text\":\"",
			     56),
	    0);
	for (char *p = said; *p != '\0'; p = strchr(p, '\n') + 1) {
		assert_int_equal(*p, '{');
		assert_int_equal(strchr(p, '\n')[-1], '}');
	}
}

#define T(f) cmocka_unit_test_setup(f, fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(T_12_a_funded_account_is_well),
	    T(T_12_every_signature_type_recovers),
	    T(an_account_without_money_fails),
	    T(a_wrong_account_fails),
	    T(what_cannot_be_reached_fails),
	    T(no_key_fails_where_one_is_needed),
	    T(json_is_a_line_a_check),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

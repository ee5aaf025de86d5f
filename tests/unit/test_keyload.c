/* links: execd libvenue libsign libsys libshm libcore */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "execd/keyload_io.h"
#include "tests/unit/contract.h"

#define KEY_A	    "00000000000000000000000000000000000000000000000000000000005ec2e7"
#define KEY_B	    "00000000000000000000000000000000000000000000000000000000005ec2e8"
#define DEV_ADDRESS "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"

static struct secp secp;
static struct cfg cfg;
static char dir[] = "/tmp/rm-keyload-XXXXXX";
static char path[64];

static void
put_file(const char *text, mode_t mode)
{
	int fd;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static int
before_each(void **state)
{
	(void)state;
	cfg_defaults(&cfg);
	cfg.system_mode = MODE_LIVE;
	unsetenv("POLYMARKET_PRIVATE_KEY");
	unsetenv("HYPERLIQUID_PRIVATE_KEY");
	return 0;
}

/* The last byte tells the keys apart. */
static uint8_t
last_of(const struct secret *s)
{
	return key_bytes(s)[SECP_KEY_SZ - 1];
}

static void
the_file_comes_first(void **state)
{
	struct secret_why why;
	struct secret s;

	(void)state;
	put_file("0x" KEY_A "\n", 0600);
	snprintf(cfg.hyperliquid_key_file.s, CFG_STR_SZ, "%s", path);
	setenv("HYPERLIQUID_PRIVATE_KEY", KEY_B, 1);
	assert_int_equal(
	    keyload_key(&s, &cfg, VENUE_HYPERLIQUID, &secp, &why), 0);
	assert_int_equal(last_of(&s), 0xe7);
	/* Not used, and gone all the same. */
	assert_null(getenv("HYPERLIQUID_PRIVATE_KEY"));
	secret_close(&s);
	assert_true(
	    keyload_key(&s, &cfg, VENUE_POLYMARKET, &secp, &why) == -ENOENT);
}

static void
then_the_environment(void **state)
{
	struct secret_why why;
	struct secret s;

	(void)state;
	setenv("HYPERLIQUID_PRIVATE_KEY", KEY_A, 1);
	setenv("POLYMARKET_PRIVATE_KEY", KEY_B, 1);
	assert_int_equal(
	    keyload_key(&s, &cfg, VENUE_POLYMARKET, &secp, &why), 0);
	assert_int_equal(last_of(&s), 0xe8);
	secret_close(&s);
	/* The other venue's is not for this process to keep. */
	assert_null(getenv("POLYMARKET_PRIVATE_KEY"));
	assert_null(getenv("HYPERLIQUID_PRIVATE_KEY"));
}

static void
the_development_key_in_mode_sim_alone(void **state)
{
	static const enum venue venues[] = {
	    VENUE_POLYMARKET, VENUE_HYPERLIQUID};
	static const enum mode modes[] = {
	    MODE_PAPER, MODE_LIVE, MODE_CAPTURE, MODE_BACKTEST};
	struct secret_why why;
	struct secret s;
	struct address who;
	char text[ADDRESS_TEXT_MAX];

	(void)state;
	cfg.system_mode = MODE_SIM;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(
		    keyload_key(&s, &cfg, venues[i], &secp, &why), 0);
		assert_true(secp_address(&secp, key_bytes(&s), &who));
		address_format(&who, text);
		assert_string_equal(text, DEV_ADDRESS);
		secret_close(&s);
	}
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		cfg.system_mode = modes[i];
		assert_int_equal(
		    keyload_key(&s, &cfg, VENUE_HYPERLIQUID, &secp, &why),
		    -ENOENT);
		assert_null(s.mem);
		assert_string_equal(why.text,
		    "no key to sign orders with; name a file (0600) in "
		    "hyperliquid.key_file or set HYPERLIQUID_PRIVATE_KEY");
	}
}

static void
a_bad_key_is_no_development_key(void **state)
{
	struct secret_why why;
	struct secret s;

	(void)state;
	cfg.system_mode = MODE_SIM;
	setenv("HYPERLIQUID_PRIVATE_KEY", KEY_A "77", 1);
	assert_int_equal(
	    keyload_key(&s, &cfg, VENUE_HYPERLIQUID, &secp, &why), -EINVAL);
	assert_null(s.mem);
	assert_non_null(strstr(why.text, "HYPERLIQUID_PRIVATE_KEY: "));
	assert_null(strstr(why.text, "5ec2"));
	assert_null(getenv("HYPERLIQUID_PRIVATE_KEY"));
	put_file(KEY_A, 0640);
	snprintf(cfg.hyperliquid_key_file.s, CFG_STR_SZ, "%s", path);
	assert_true(keyload_key(&s, &cfg, VENUE_HYPERLIQUID, &secp, &why) < 0);
	assert_non_null(strstr(why.text, path));
	snprintf(cfg.hyperliquid_key_file.s, CFG_STR_SZ, "%s/none", dir);
	assert_int_equal(
	    keyload_key(&s, &cfg, VENUE_HYPERLIQUID, &secp, &why), -ENOENT);
}

static void
the_process_is_closed(void **state)
{
	struct rlimit core;
	struct secret_why why;
	struct secret s;

	(void)state;
	assert_int_equal(prctl(PR_SET_DUMPABLE, 1), 0);
	cfg.system_mode = MODE_SIM;
	assert_int_equal(
	    keyload_key(&s, &cfg, VENUE_HYPERLIQUID, &secp, &why), 0);
	assert_int_equal(prctl(PR_GET_DUMPABLE), 0);
	assert_int_equal(getrlimit(RLIMIT_CORE, &core), 0);
	assert_int_equal(core.rlim_cur, 0);
	assert_int_equal(core.rlim_max, 0);
	secret_close(&s);
}

static void
credentials(void **state)
{
	static const char text[] = "{\"passphrase\":\"pass-5ec2e7\",\"more\":1,"
				   "\"secret\":\"c2VjcmV0LTVlYzJlNw==\","
				   "\"apiKey\":\"key-5ec2e7\"}\n";
	static const struct pm_call call = {"GET", "/data/orders", NULL, 0};
	struct keyload_creds c;
	struct secret_why why;
	struct pm_l2 l2;

	(void)state;
	put_file(text, 0600);
	assert_int_equal(keyload_creds_file(&c, path, &why), 0);
	assert_string_equal(c.creds->api_key, "key-5ec2e7");
	assert_string_equal(c.creds->passphrase, "pass-5ec2e7");
	assert_string_equal(c.secret, "c2VjcmV0LTVlYzJlNw==");
	assert_string_equal(c.creds->address, "");
	assert_in_range((uintptr_t)c.secret, (uintptr_t)c.mem.mem,
	    (uintptr_t)c.mem.mem + c.mem.cap);
	pm_l2_sign(c.creds, 1700000000, &call, &l2);
	keyload_creds_close(&c);
	assert_null(c.creds);
	keyload_creds_close(&c);
	/* The venue's answer says the same. */
	assert_int_equal(
	    keyload_creds_text(&c, text, sizeof(text) - 1, &why), 0);
	assert_true(pm_l2_ok(c.creds, l2.timestamp, &call, l2.signature));
	keyload_creds_close(&c);
}

static void
texts_that_are_no_credentials(void **state)
{
	static const char *const texts[] = {
	    "{\"apiKey\":\"5ec2e7\",\"secret\":\"c2Vj\"}",
	    "{\"apiKey\":\"5ec2e7\",\"passphrase\":\"p\"}",
	    "{\"apiKey\":\"\",\"secret\":\"c2Vj\",\"passphrase\":\"p\"}",
	    "{\"apiKey\":\"5e c2e7\",\"secret\":\"c2Vj\",\"passphrase\":\"p\"}",
	    "{\"apiKey\":\"5ec2e7\",\"secret\":\"!!\",\"passphrase\":\"p\"}",
	    "{\"apiKey\":\"5ec2e7\",\"secret\":\"c2Vj\",\"passphrase\":7}",
	    "{\"apiKey\":\"5ec2e7\",\"secret\":\"c2Vj\",\"passphrase\":\"p\"}x",
	    "[]", "5ec2e7"};
	struct keyload_creds c;
	struct secret_why why;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		put_file(texts[i], 0600);
		assert_int_equal(keyload_creds_file(&c, path, &why), -EINVAL);
		assert_non_null(strstr(why.text, path));
		assert_non_null(strstr(why.text, "apiKey, secret"));
		assert_null(strstr(why.text, "5ec2e7"));
		assert_null(c.mem.mem);
		assert_int_equal(
		    keyload_creds_text(&c, texts[i], strlen(texts[i]), &why),
		    -EINVAL);
		assert_null(strstr(why.text, "5ec2e7"));
		assert_null(c.mem.mem);
	}
	put_file(texts[0], 0644);
	assert_true(keyload_creds_file(&c, path, &why) < 0);
	assert_null(c.mem.mem);
}

static void
break_venue(void)
{
	struct secret_why why;
	struct secret s;

	(void)keyload_key(&s, &cfg, VENUE_BINANCE, &secp, &why);
}

static void
contracts(void **state)
{
	(void)state;
	assert_true(contract_fails(break_venue));
}

int
main(void)
{
	static const uint8_t seed[32] = {1};
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(the_file_comes_first, before_each),
	    cmocka_unit_test_setup(then_the_environment, before_each),
	    cmocka_unit_test_setup(
		the_development_key_in_mode_sim_alone, before_each),
	    cmocka_unit_test_setup(
		a_bad_key_is_no_development_key, before_each),
	    cmocka_unit_test_setup(the_process_is_closed, before_each),
	    cmocka_unit_test_setup(credentials, before_each),
	    cmocka_unit_test_setup(texts_that_are_no_credentials, before_each),
	    cmocka_unit_test_setup(contracts, before_each),
	};
	int rc;

	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/key", dir);
	secp_init(&secp, seed);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	rmdir(dir);
	return rc;
}

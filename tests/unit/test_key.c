/* links: libsign libcore */
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
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "libsign/hex.h"
#include "libsign/key.h"
#include "tests/unit/contract.h"

#define KEY_HEX \
	"ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"

static struct secp secp;

/* Pages that hold a secret are given back through here: were they wiped? */
static void *watched;
static size_t given_back;
static size_t not_zero;

int
munmap(void *p, size_t n)
{
	if (p == watched) {
		given_back++;
		for (size_t i = 0; i < n; i++)
			not_zero += ((const uint8_t *)p)[i] != 0;
	}
	return (int)syscall(SYS_munmap, p, n);
}

/* As its owner got it. */
static struct secret
text_of(const char *text)
{
	struct secret s;

	assert_int_equal(secret_open(&s, SECRET_MAX + 1), 0);
	memcpy(s.mem, text, strlen(text));
	s.n = strlen(text);
	return s;
}

static void
is_refused(int rc, const struct secret *s, const struct secret_why *why,
    const char *word)
{
	if (rc == 0 || strstr(why->text, word) == NULL)
		printf("# rc %d: %s; want: %s\n", rc, why->text, word);
	assert_true(rc < 0);
	assert_null(s->mem);
	assert_non_null(strstr(why->text, word));
	assert_null(strstr(why->text, KEY_HEX));
	assert_null(strstr(why->text, "ac0974"));
}

static void
a_key_from_a_text(void **state)
{
	static const char *const texts[] = {
	    KEY_HEX, "0x" KEY_HEX, "0x" KEY_HEX "\n", KEY_HEX "\r\n \t\n"};
	struct secret_why why = {""};
	struct secret s;
	uint8_t want[SECP_KEY_SZ];

	(void)state;
	assert_true(hex_parse(KEY_HEX, 64, want, sizeof(want)));
	for (size_t i = 0; i < 4; i++) {
		s = text_of(texts[i]);
		assert_int_equal(key_parse(&s, &secp, "it", &why), 0);
		assert_memory_equal(key_bytes(&s), want, sizeof(want));
		/* The text is gone from the page. */
		for (size_t k = SECP_KEY_SZ; k < s.cap; k++)
			assert_int_equal(((uint8_t *)s.mem)[k], 0);
		secret_close(&s);
		secret_close(&s);
	}
}

static void
texts_that_are_no_keys(void **state)
{
	static const char *const texts[] = {"ac0974", KEY_HEX "00",
	    "0x0x" KEY_HEX, " " KEY_HEX,
	    "gc0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
	    "0000000000000000000000000000000000000000000000000000000000000000",
	    "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
	    "", "\n \n"};
	struct secret_why why;
	struct secret s;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		s = text_of(texts[i]);
		is_refused(key_parse(&s, &secp, "it", &why), &s, &why,
		    "it: is no private key");
	}
}

/* Is the text anywhere in what the kernel shows as our environment? */
static bool
environment_shows(const char *text)
{
	static char all[1 << 20];
	int fd = open("/proc/self/environ", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, all, sizeof(all));

	close(fd);
	assert_true(n > 0);
	return memmem(all, (size_t)n, text, strlen(text)) != NULL;
}

static int
env_child(void)
{
	struct secret_why why = {""};
	struct secret s;

	if (!environment_shows(KEY_HEX))
		return 2;
	if (secret_read_env(&s, "RM_TEST_KEY", &why) != 0)
		return 3;
	if (key_parse(&s, &secp, "RM_TEST_KEY", &why) != 0)
		return 4;
	if (getenv("RM_TEST_KEY") != NULL)
		return 5;
	return environment_shows(KEY_HEX) ? 6 : 0;
}

/* A new image of this program, so that the variable is in the environment
 * that the kernel shows. */
static void
a_key_from_the_environment(void **state)
{
	char *argv[] = {(char *)(uintptr_t) "test_key",
	    (char *)(uintptr_t) "env-child", NULL};
	char *envp[] = {(char *)(uintptr_t) "RM_TEST_KEY=0x" KEY_HEX, NULL};
	int status = 0;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		execve("/proc/self/exe", argv, envp);
		_exit(99);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
variables_that_are_no_keys(void **state)
{
	struct secret_why why;
	struct secret s;

	(void)state;
	unsetenv("RM_TEST_KEY");
	is_refused(secret_read_env(&s, "RM_TEST_KEY", &why), &s, &why,
	    "RM_TEST_KEY: is not set");
	assert_int_equal(setenv("RM_TEST_KEY", "", 1), 0);
	is_refused(secret_read_env(&s, "RM_TEST_KEY", &why), &s, &why, "empty");
	assert_null(getenv("RM_TEST_KEY"));
	assert_int_equal(setenv("RM_TEST_KEY", KEY_HEX "zz", 1), 0);
	assert_int_equal(secret_read_env(&s, "RM_TEST_KEY", &why), 0);
	assert_null(getenv("RM_TEST_KEY"));
	is_refused(key_parse(&s, &secp, "RM_TEST_KEY", &why), &s, &why,
	    "64 hex digits");
}

/* The kernel's flags of the mapping at p; "" when it is not found. */
static void
flags_of(const void *p, char out[256])
{
	FILE *f = fopen("/proc/self/smaps", "re");
	char line[512];
	bool here = false;

	out[0] = '\0';
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		unsigned long lo;
		unsigned long hi;

		if (sscanf(line, "%lx-%lx ", &lo, &hi) == 2)
			here = (uintptr_t)p >= lo && (uintptr_t)p < hi;
		if (here && strncmp(line, "VmFlags:", 8) == 0) {
			snprintf(out, 256, "%.200s ", line + 8);
			out[strcspn(out, "\n")] = ' ';
		}
	}
	if (f != NULL)
		fclose(f);
}

static void
pages_of_a_secret(void **state)
{
	char flags[256];
	struct secret s;

	(void)state;
	assert_int_equal(secret_open(&s, 10000), 0);
	assert_true(s.cap >= 10000);
	assert_int_equal((uintptr_t)s.mem % (uintptr_t)getpagesize(), 0);
	memset(s.mem, 0x5a, s.cap);
	flags_of(s.mem, flags);
	/* The address sanitizer makes mlock do nothing. */
	if (getenv("RM_SANITIZE") == NULL)
		assert_non_null(strstr(flags, " lo ")); /* locked */
	assert_non_null(strstr(flags, " dd "));		/* not in core files */
	assert_non_null(strstr(flags, " wf "));		/* empty in a child */
	secret_close(&s);
}

static void
wiped_before_given_back(void **state)
{
	struct secret_why why;
	struct secret s;

	(void)state;
	assert_int_equal(secret_open(&s, 5000), 0);
	memset(s.mem, 0x5a, s.cap);
	watched = s.mem;
	secret_close(&s);
	assert_int_equal(given_back, 1);
	assert_int_equal(not_zero, 0);
	assert_null(s.mem);
	/* A refused key leaves nothing either. */
	s = text_of(KEY_HEX "11");
	watched = s.mem;
	assert_true(key_parse(&s, &secp, "it", &why) < 0);
	assert_int_equal(given_back, 2);
	assert_int_equal(not_zero, 0);
	watched = NULL;
}

static void
a_child_sees_nothing(void **state)
{
	struct secret_why why;
	struct secret s;
	int status = 0;
	pid_t pid;

	(void)state;
	s = text_of(KEY_HEX);
	assert_int_equal(key_parse(&s, &secp, "it", &why), 0);
	pid = fork();
	if (pid == 0) {
		unsigned any = 0;

		for (unsigned i = 0; i < SECP_KEY_SZ; i++)
			any |= ((const uint8_t *)s.mem)[i];
		_exit(any == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	secret_close(&s);
}

static void
random_differs(void **state)
{
	uint8_t a[300] = {0};
	uint8_t b[300] = {0};

	(void)state;
	assert_int_equal(key_random(a, sizeof(a)), 0);
	assert_int_equal(key_random(b, sizeof(b)), 0);
	assert_memory_not_equal(a, b, sizeof(a));
}

static void
break_closed(void)
{
	struct secret s = {0};

	(void)key_bytes(&s);
}

static void
break_no_key(void)
{
	struct secret s;

	if (secret_open(&s, 64) == 0)
		(void)key_bytes(&s);
}

static void
contracts(void **state)
{
	(void)state;
	assert_true(contract_fails(break_closed));
	assert_true(contract_fails(break_no_key));
}

int
main(int argc, char **argv)
{
	static const uint8_t seed[32] = {1};
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_key_from_a_text),
	    cmocka_unit_test(texts_that_are_no_keys),
	    cmocka_unit_test(a_key_from_the_environment),
	    cmocka_unit_test(variables_that_are_no_keys),
	    cmocka_unit_test(pages_of_a_secret),
	    cmocka_unit_test(wiped_before_given_back),
	    cmocka_unit_test(a_child_sees_nothing),
	    cmocka_unit_test(random_differs),
	    cmocka_unit_test(contracts),
	};

	secp_init(&secp, seed);
	if (argc > 1 && strcmp(argv[1], "env-child") == 0)
		return env_child();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* links: libvenue libsign libsys libshm libcore */
/*
 * SPEC 8.8: the pipeline trades with keys and credentials that can be told
 * from anything else, from the environment and from files; then they are
 * looked for, as bytes and as text, in everything that it leaves and shows:
 * logs, shared memory, state, recordings, what the kernel shows of each
 * process, and the place where a core file would be.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "libsign/hex.h"
#include "libsign/pm_auth.h"
#include "libsign/pm_order.h"
#include "tests/pipeline/proc.h"
#include "tests/pipeline/rig.h"
#include "tests/pipeline/simkit.h"

#define WORDS	 64u
#define WORD_MAX 200u
#define OURS	 "secret." /* begins the names of the test's own files */

/* Nobody has these by chance. */
static const uint8_t key_pm[32] = {0x5e, 0xc2, 0xe7, 0x01, 0x93, 0xa1, 0x77,
    0xd4, 0x0f, 0x6b, 0x88, 0x21, 0xfa, 0xce, 0x42, 0x99, 0x13, 0x57, 0x9b,
    0xdf, 0x02, 0x46, 0x8a, 0xce, 0x5e, 0xc2, 0xe7, 0x01, 0x93, 0xa1, 0x77,
    0xd4};
static const uint8_t key_hl[32] = {0x5e, 0xc2, 0xe7, 0x02, 0xb7, 0x3c, 0x19,
    0xe0, 0x2d, 0x84, 0xf1, 0x6e, 0x35, 0xa9, 0x0c, 0xd8, 0x71, 0xbe, 0x4f,
    0x03, 0xc6, 0x58, 0x9a, 0xe2, 0x17, 0x6d, 0xb0, 0x4c, 0x95, 0xf8, 0x23,
    0x61};

struct word {
	const char *what;
	size_t n;
	uint8_t b[WORD_MAX];
};

static struct rig rig;
static struct secp secp;
static struct word words[WORDS];
static unsigned word_n;
static unsigned files_n; /* that were looked through */
static char api_key[PM_CRED_MAX + 1];
static char secret[PM_CRED_MAX + 1];
static char passphrase[PM_CRED_MAX + 1];

/* ---- what is looked for ---- */

static void
add(const char *what, const void *b, size_t n)
{
	struct word *w = &words[word_n++];

	assert_true(word_n <= WORDS && n <= WORD_MAX && n >= 8);
	w->what = what;
	w->n = n;
	memcpy(w->b, b, n);
}

/* Bytes as they are, as digits of either case, as base64; a part of the
 * digits is enough. */
static void
add_bytes(const char *what, const uint8_t *b, size_t n)
{
	char text[2 * WORD_MAX];
	char *end = hex_put(text, b, n);

	add(what, b, n);
	add(what, text, 24);
	for (char *p = text; p < end; p++)
		if (*p >= 'a')
			*p = (char)(*p - 'a' + 'A');
	add(what, text, 24);
	(void)base64url_put(text, b, n);
	add(what, text, n / 3 * 4);
	for (char *p = text; p < text + n / 3 * 4; p++)
		*p = *p == '-' ? '+' : *p == '_' ? '/' : *p;
	add(what, text, n / 3 * 4);
}

static void
add_text(const char *what, const char *text)
{
	size_t n = strlen(text);

	add(what, text, n);
	add_bytes(what, (const uint8_t *)text, n < 60 ? n : 60);
}

static const char *
found(const uint8_t *at, size_t n)
{
	for (unsigned i = 0; i < word_n; i++)
		if (n >= words[i].n &&
		    memmem(at, n, words[i].b, words[i].n) != NULL)
			return words[i].what;
	return NULL;
}

/* ---- where ---- */

static void
look_at(const char *path)
{
	static uint8_t buf[1 << 20];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t kept = 0;
	ssize_t got;

	if (fd < 0)
		return; /* gone meanwhile */
	files_n++;
	while ((got = read(fd, buf + kept, sizeof(buf) - kept)) > 0) {
		size_t n = kept + (size_t)got;
		const char *what = found(buf, n);

		if (what != NULL)
			fail_msg("%s is in %s", what, path);
		kept = n < WORD_MAX ? n : WORD_MAX;
		memmove(buf, buf + n - kept, kept);
	}
	close(fd);
}

static int
each_file(const char *path, const struct stat *st, int type, struct FTW *at)
{
	const char *name = path + at->base;

	if (type == FTW_F && S_ISREG(st->st_mode) &&
	    strncmp(name, OURS, sizeof(OURS) - 1) != 0 &&
	    strcmp(name, "venue.log") != 0)
		look_at(path);
	return 0;
}

static void
look_at_files(void)
{
	files_n = 0;
	assert_int_equal(nftw(rig.root, each_file, 16, FTW_PHYS), 0);
	assert_true(files_n > 20);
}

static void
look_at_process(uint64_t pid)
{
	static const char *const names[] = {"environ", "cmdline"};
	char path[64];

	if (pid == 0)
		return;
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/proc/%llu/%s",
		    (unsigned long long)pid, names[i]);
		look_at(path);
	}
}

static uint64_t
supervisor_pid(void)
{
	return atomic_load(&rig.ctl->sup.pid);
}

static void
look_at_processes(void)
{
	files_n = 0;
	look_at_process(supervisor_pid());
	for (int i = 0; i < ST_N; i++)
		look_at_process(rig_pid(&rig, (enum stage_id)i));
	assert_true(files_n >= 2 * 8);
}

/* Not even that there is such a variable. */
static void
others_inherit_nothing(void)
{
	static const enum stage_id others[] = {ST_FEEDD_PM, ST_FEEDD_BN,
	    ST_FEEDD_HL, ST_QUOTED, ST_RISKD, ST_RECORDERD};
	static char text[1 << 18];
	char path[64];

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		ssize_t n;
		int fd;

		snprintf(path, sizeof(path), "/proc/%llu/environ",
		    (unsigned long long)rig_pid(&rig, others[i]));
		fd = open(path, O_RDONLY | O_CLOEXEC);
		assert_true(fd >= 0);
		n = read(fd, text, sizeof(text));
		close(fd);
		assert_true(n > 0);
		assert_null(memmem(text, (size_t)n, "PRIVATE_KEY", 11));
	}
}

/* Killed by a signal that makes a core file of others. */
static void
no_core_file(enum stage_id st)
{
	uint64_t pid = rig_pid(&rig, st);
	char path[64];
	char text[4096] = "";
	FILE *f;

	snprintf(
	    path, sizeof(path), "/proc/%llu/limits", (unsigned long long)pid);
	f = fopen(path, "re");
	assert_non_null(f);
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	fclose(f);
	assert_non_null(strstr(text, "Max core file size        0"));
	assert_int_equal(kill((pid_t)pid, SIGSEGV), 0);
	RIG_UNTIL(&rig, rig_pid(&rig, st) != pid && rig_ready(&rig, st));
}

static void
no_core_anywhere(void)
{
	DIR *d = opendir(".");
	const struct dirent *e;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		if (strncmp(e->d_name, "core", 4) == 0)
			fail_msg("a core file: %s", e->d_name);
	closedir(d);
}

/* ---- accounts and credentials ---- */

static const char *
address_of(const uint8_t *key, char text[ADDRESS_TEXT_MAX])
{
	struct address a;

	assert_true(secp_address(&secp, key, &a));
	address_format_lower(&a, text);
	return text;
}

static void
put_file(const char *name, const char *text)
{
	int fd = open(rig_path(&rig, name),
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void
copy_field(const char *text, const char *name, char out[PM_CRED_MAX + 1])
{
	char what[32];
	const char *at;
	size_t n;

	snprintf(what, sizeof(what), "\"%s\":\"", name);
	at = strstr(text, what);
	if (at == NULL)
		fail_msg("no %s in: %s", name, text);
	at += strlen(what);
	n = strcspn(at, "\"");
	assert_in_range(n, 8, PM_CRED_MAX);
	memcpy(out, at, n);
	out[n] = '\0';
}

/* The venue gives the same credentials again to whoever has the key. */
static void
derive(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)simkit_port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct pm_l1_args args = {(uint64_t)time(NULL), 0, PM_CHAIN_POLYGON};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char headers[PM_HEADERS_MAX];
	char text[4096];
	struct pm_l1 l1;
	size_t n = 0;
	ssize_t got;

	assert_true(pm_l1_sign(&secp, key_pm, &args, &l1));
	pm_l1_headers(&l1, headers);
	snprintf(text, sizeof(text),
	    "POST /auth/api-key HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
	    "Content-Length: 0\r\n%s\r\n",
	    headers);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(send(fd, text, strlen(text), 0), strlen(text));
	while ((got = recv(fd, text + n, sizeof(text) - 1 - n, 0)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	close(fd);
	copy_field(text, "apiKey", api_key);
	copy_field(text, "secret", secret);
	copy_field(text, "passphrase", passphrase);
}

static void
what_is_secret(void)
{
	uint8_t raw[PM_CRED_MAX];
	long n = base64_parse(secret, strlen(secret), raw, sizeof(raw));

	assert_true(n >= 8);
	word_n = 0;
	add_bytes("the key of Polymarket", key_pm, sizeof(key_pm));
	add_bytes("the key of Hyperliquid", key_hl, sizeof(key_hl));
	add_text("the API secret", secret);
	add_bytes("the API secret", raw, (size_t)n);
	add_text("the passphrase", passphrase);
}

/* ---- the runs ---- */

static int
set_up(void **state)
{
	const char *options[] = {"--live", "--seed", "5", "--rate", "4",
	    "--series", "btc-updown-1m:60", "--series", "btc-updown-5m:300",
	    "--series", "btc-updown-15m:900", "--accounts", NULL, NULL};
	char a[ADDRESS_TEXT_MAX];
	char b[ADDRESS_TEXT_MAX];
	char text[256];

	(void)state;
	rig_init(&rig, "secrets");
	rig.preset = "etc/sim.yaml";
	/* The machine is shared with other tests. */
	rig_set(&rig, "latency.kill_switch_ms=5s");
	rig_set(&rig, "risk.max_intent_age_ms=5s");
	rig_set(&rig, "supervisor.heartbeat_stale_ms=10s");
	snprintf(text, sizeof(text),
	    "{\"address\":\"%s\"}\n{\"address\":\"%s\"}\n",
	    address_of(key_pm, a), address_of(key_hl, b));
	put_file(OURS "accounts", text);
	options[12] = rig_path(&rig, OURS "accounts");
	if (!rig_venue(&rig, options))
		fail_msg("%s", rig.out);
	simkit_open(&rig);
	derive();
	what_is_secret();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	unsetenv("POLYMARKET_PRIVATE_KEY");
	unsetenv("HYPERLIQUID_PRIVATE_KEY");
	rig_free(&rig);
	return 0;
}

/* Orders were signed with these keys and no other. */
static void
it_trades(void)
{
	char a[ADDRESS_TEXT_MAX];
	json_t *ledger;

	assert_true(rig_attach(&rig));
	RIG_UNTIL(&rig, rig_metric(&rig, ST_EXECD_PM, M_EXECD_ORDERS) >= 1);
	RIG_UNTIL(&rig, rig_metric(&rig, ST_EXECD_HL, M_EXECD_ORDERS) >= 1);
	ledger = simkit_json("/sim/ledger");
	assert_non_null(strstr(simkit_text, address_of(key_pm, a)));
	assert_non_null(strstr(simkit_text, address_of(key_hl, a)));
	json_decref(ledger);
}

static void
a_run(bool with_deaths)
{
	RIG_EXPECT(&rig, rig_sup(&rig, "start", "all", NULL), 0);
	it_trades();
	look_at_processes();
	others_inherit_nothing();
	look_at_files();
	if (with_deaths) {
		no_core_file(ST_EXECD_PM);
		no_core_file(ST_EXECD_HL);
		look_at_processes();
	}
	RIG_EXPECT(&rig, rig_sup(&rig, "--json", "status", NULL), 0);
	assert_null(found((const uint8_t *)rig.out, strlen(rig.out)));
	RIG_EXPECT(&rig, rig_sup(&rig, "config", NULL), 0);
	assert_null(found((const uint8_t *)rig.out, strlen(rig.out)));
	look_at_files();
	rig_detach(&rig);
	RIG_EXPECT(&rig, rig_sup(&rig, "stop", "all", NULL), 0);
	look_at_files();
	no_core_anywhere();
}

static void
keys_from_the_environment(void **state)
{
	char text[2 * 32 + 3] = "0x";

	(void)state;
	*hex_put(text + 2, key_pm, 32) = '\0';
	setenv("POLYMARKET_PRIVATE_KEY", text, 1);
	*hex_put(text + 2, key_hl, 32) = '\0';
	setenv("HYPERLIQUID_PRIVATE_KEY", text, 1);
	a_run(true);
}

static void
keys_and_credentials_from_files(void **state)
{
	char text[4 * PM_CRED_MAX];

	(void)state;
	*hex_put(text, key_pm, 32) = '\0';
	put_file(OURS "pm", text);
	*hex_put(text, key_hl, 32) = '\0';
	put_file(OURS "hl", text);
	snprintf(text, sizeof(text),
	    "{\"apiKey\":\"%s\",\"secret\":\"%s\",\"passphrase\":\"%s\"}",
	    api_key, secret, passphrase);
	put_file(OURS "creds", text);
	rig_set(&rig, "polymarket.key_file=%s", rig_path(&rig, OURS "pm"));
	rig_set(&rig, "polymarket.creds_file=%s", rig_path(&rig, OURS "creds"));
	rig_set(&rig, "hyperliquid.key_file=%s", rig_path(&rig, OURS "hl"));
	a_run(false);
}

/* The net has no holes: each form is found in a file that has it. */
static void
what_is_there_would_be_found(void **state)
{
	(void)state;
	for (unsigned i = 0; i < word_n; i++) {
		uint8_t b[WORD_MAX + 40] = {0};

		memcpy(b + 17, words[i].b, words[i].n);
		assert_non_null(found(b, sizeof(b)));
	}
	assert_null(found((const uint8_t *)"5ec2e701", 8));
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	static const uint8_t seed[32] = {1};
	static const struct rlimit any = {RLIM_INFINITY, RLIM_INFINITY};
	const struct CMUnitTest tests[] = {
	    T(what_is_there_would_be_found),
	    T(keys_from_the_environment),
	    T(keys_and_credentials_from_files),
	};

	secp_init(&secp, seed);
	/* What may be dumped is dumped: the stages must say no themselves. */
	if (setrlimit(RLIMIT_CORE, &any) < 0)
		printf("# core files are not possible here\n");
	return cmocka_run_group_tests(tests, NULL, NULL);
}

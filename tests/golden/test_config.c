/* links: libsys libshm libcore */
/* Configuration in, printed configuration out; and every file in etc/. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcore/json.h"
#include "libsys/cfgfile.h"

static struct cfg_load l;

static int
load(const char *path, char *const *envp)
{
	const char *paths[] = {path};
	const struct cfgfile_args a = {
	    .paths = paths, .path_n = 1, .envp = envp};

	return cfgfile_load(&l, &a);
}

static char *
read_all(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = NULL;
	size_t sz = 0;

	assert_non_null(f);
	assert_true(getdelim(&text, &sz, '\0', f) > 0);
	fclose(f);
	return text;
}

/* The lines of a table that do not end in "default". */
static void
drop_defaults(char *text)
{
	static const char tail[] = " default";
	char *to = text;

	for (char *p = text; *p != '\0';) {
		size_t n = strcspn(p, "\n") + 1;

		if (n <= sizeof(tail) ||
		    memcmp(p + n - sizeof(tail), tail, sizeof(tail) - 1) != 0) {
			memmove(to, p, n);
			to += n;
		}
		p += n;
	}
	*to = '\0';
}

static void
golden_table(void **state)
{
	char env[] = "RISK_LEASE_MS=250";
	char *envp[] = {env, NULL};
	char *want = read_all("tests/golden/config_in.txt");
	char *text = NULL;
	size_t sz;
	size_t line_n = 0;
	FILE *f = open_memstream(&text, &sz);

	(void)state;
	if (load("tests/golden/config_in.yaml", envp) != 0)
		fail_msg("%s", l.error[0].text);
	assert_int_equal(l.warning_n, 0);
	cfgfile_dump_text(&l, false, f);
	fclose(f);
	for (char *p = text; (p = strchr(p, '\n')) != NULL; p++)
		line_n++;
	assert_int_equal(line_n, CFG_KEY_N);
	drop_defaults(text);
	assert_string_equal(text, want);
	free(text);
	free(want);
}

/* One object of the JSON dump. */
static void
check_object(struct json *j, size_t i)
{
	static const char *const names[] = {
	    "key", "value", "default", "origin", "type", "apply", "env", "doc"};
	const struct cfg_key *k = cfg_key_at(i);
	struct json_str key;
	struct json_str v;
	char name[128];
	char plain[4096];
	size_t n = 0;

	snprintf(name, sizeof(name), "%s.%s", k->group, k->name);
	assert_true(json_object(j));
	while (json_key(j, &key)) {
		assert_true(n < sizeof(names) / sizeof(names[0]));
		assert_int_equal(key.n, strlen(names[n]));
		assert_memory_equal(key.s, names[n], key.n);
		n++;
		assert_true(json_string(j, &v));
		assert_true(json_unescape(v, plain, sizeof(plain)) != SIZE_MAX);
		if (json_is(key, "key"))
			assert_string_equal(plain, name);
		if (json_is(key, "value") && i == CFG_KEY_recorder_dir)
			assert_string_equal(plain, "a \"quoted\" \\ directory");
		if (json_is(key, "origin") && i == CFG_KEY_recorder_dir)
			assert_string_equal(
			    plain, "tests/golden/config_in.yaml:20:8");
		if (json_is(key, "doc"))
			assert_string_equal(plain, k->doc);
	}
	assert_int_equal(n, sizeof(names) / sizeof(names[0]));
}

static void
json_dump_is_json(void **state)
{
	char *text = NULL;
	size_t sz;
	struct json j;
	struct json_str key;
	FILE *f = open_memstream(&text, &sz);
	size_t n = 0;

	(void)state;
	assert_int_equal(load("tests/golden/config_in.yaml", NULL), 0);
	cfgfile_dump_json(&l, f);
	fclose(f);
	json_init(&j, text, sz);
	assert_true(json_object(&j) && json_key(&j, &key));
	assert_true(json_array(&j));
	while (json_item(&j))
		check_object(&j, n++);
	assert_false(json_key(&j, &key));
	assert_true(json_end(&j));
	assert_int_equal(n, CFG_KEY_N);
	free(text);
}

static void
documented_table_names_every_range(void **state)
{
	char *text = NULL;
	size_t sz;
	FILE *f = open_memstream(&text, &sz);

	(void)state;
	assert_int_equal(load("tests/golden/config_in.yaml", NULL), 0);
	cfgfile_dump_text(&l, true, f);
	fclose(f);
	assert_non_null(strstr(text,
	    "\n# A market with a wider spread is gapped and not quoted.\n"
	    "# decimal, 0.001 to 1; live\n"
	    "mm.max_spread "));
	free(text);
}

/* Every file that is shipped loads, with no more than the warnings that a
 * setting is not used yet. */
static void
shipped_files_load(void **state)
{
	glob_t g;

	(void)state;
	assert_int_equal(glob("etc/*.yaml", 0, NULL, &g), 0);
	assert_true(g.gl_pathc >= 8);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		if (load(g.gl_pathv[i], NULL) != 0)
			fail_msg("%s", l.error[0].text);
		for (size_t w = 0; w < l.warning_n; w++)
			assert_non_null(
			    strstr(l.warning[w].text, "acts on it yet"));
	}
	globfree(&g);
}

static void
presets_hold_what_they_promise(void **state)
{
	(void)state;
	assert_int_equal(load("etc/conservative.yaml", NULL), 0);
	assert_int_equal(l.cfg.mm_gamma_risk_aversion.e8, 30000000);
	assert_int_equal(l.cfg.toxic_flow_consecutive_fills, 2);
	assert_int_equal(l.cfg.latency_kill_switch_ms.ns, 300000000);
	assert_int_equal(l.cfg.micro_price_divergence_threshold.e8, 300000);
	assert_int_equal(load("etc/aggressive.yaml", NULL), 0);
	assert_int_equal(l.cfg.mm_gamma_risk_aversion.e8, 15000000);
	assert_int_equal(l.cfg.toxic_flow_consecutive_fills, 5);
	assert_int_equal(l.cfg.latency_kill_switch_ms.ns, 800000000);
	assert_int_equal(l.cfg.micro_price_divergence_threshold.e8, 1000000);
	assert_int_equal(load("etc/capital-5000.yaml", NULL), 0);
	assert_int_equal(l.cfg.capital_usd.e6, INT64_C(5000000000));
	assert_int_equal(l.cfg.mm_global_daily_loss_limit.e6, 500000000);
	assert_int_equal(load("etc/paper.yaml", NULL), 0);
	assert_int_equal(l.cfg.system_mode, MODE_PAPER);
	assert_int_equal(l.warning_n, 0);
}

/* etc/ringmaker.yaml with every # taken away says the defaults. */
static void
commented_file_is_the_defaults(void **state)
{
	char *text = read_all("etc/ringmaker.yaml");
	char path[] = "/tmp/test_config.XXXXXX";
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");
	static struct cfg want;
	size_t key_n = 0;
	int rc;

	(void)state;
	for (char *p = text; *p != '\0'; p += strcspn(p, "\n") + 1) {
		bool key = strncmp(p, "  #", 3) == 0 && p[3] != ' ';

		key_n += key;
		fprintf(f, "%s%.*s\n", key ? "  " : "",
		    (int)strcspn(p, "\n") - (key ? 3 : 0), p + (key ? 3 : 0));
	}
	fclose(f);
	free(text);
	rc = load(path, NULL);
	unlink(path);
	if (rc != 0)
		fail_msg("%s", l.error[0].text);
	assert_int_equal(key_n, CFG_KEY_N);
	cfg_defaults(&want);
	assert_memory_equal(&l.cfg, &want, sizeof(want));
	for (size_t i = 0; i < CFG_KEY_N; i++)
		assert_int_equal(l.origin[i].from, CFG_FROM_FILE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(golden_table),
	    cmocka_unit_test(json_dump_is_json),
	    cmocka_unit_test(documented_table_names_every_range),
	    cmocka_unit_test(shipped_files_load),
	    cmocka_unit_test(presets_hold_what_they_promise),
	    cmocka_unit_test(commented_file_is_the_defaults),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* links: libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "libcore/fixed.h"
#include "libcore/json.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* A copy in memory of exactly n bytes, so that a sanitizer sees a read past
 * the end. */
static char *
exact(const char *text, size_t n)
{
	char *p = malloc(n > 0 ? n : 1);

	assert_non_null(p);
	memcpy(p, text, n);
	return p;
}

static enum reason
skip_all(const char *text, size_t n, size_t *off)
{
	struct json j;
	char *p = exact(text, n);
	enum reason r;

	json_init(&j, p, n);
	if (json_skip(&j))
		json_end(&j);
	r = j.reason;
	*off = json_err_off(&j);
	free(p);
	return r;
}

static void
accepts_json(void **state)
{
	static const char *const ok[] = {"{}", "[]", " { } ", "\t[\r\n]\n",
	    "\"\"", "0", "-0", "-0.5e+10", "1E5", "12.34e-5", "true", "false",
	    "null", "[1,2,3]", "[[],[{}],{\"a\":[]}]",
	    "{\"a\":1,\"b\":{\"c\":[true,null]},\"d\":\"x\"}",
	    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00\"",
	    "\"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"", "\"\x7f\"",
	    "\"sixteen bytes and more of plain text here\"",
	    "123456789012345678901234567890", "[ 1 , 2 ]", "{ \"k\" : \"v\" }"};
	size_t off;

	(void)state;
	for (size_t i = 0; i < LEN(ok); i++) {
		enum reason r = skip_all(ok[i], strlen(ok[i]), &off);

		if (r != REASON_NONE)
			fail_msg("%s: %s at %zu", ok[i], reason_name(r), off);
	}
}

static const struct {
	const char *text;
	enum reason reason;
	size_t off;
} broken[] = {
    {"", REASON_BAD_JSON, 0},
    {"   ", REASON_BAD_JSON, 3},
    {"{", REASON_BAD_JSON, 1},
    {"}", REASON_BAD_JSON, 0},
    {"[}", REASON_BAD_JSON, 1},
    {"{]", REASON_BAD_JSON, 1},
    {"[1,]", REASON_BAD_JSON, 3},
    {"[,1]", REASON_BAD_JSON, 1},
    {"[1 2]", REASON_BAD_JSON, 3},
    {"{\"a\"}", REASON_BAD_JSON, 4},
    {"{\"a\":}", REASON_BAD_JSON, 5},
    {"{\"a\":1,}", REASON_BAD_JSON, 7},
    {"{,\"a\":1}", REASON_BAD_JSON, 1},
    {"{a:1}", REASON_BAD_JSON, 1},
    {"{1:1}", REASON_BAD_JSON, 1},
    {"{\"a\" 1}", REASON_BAD_JSON, 5},
    {"{\"a\":1 \"b\":2}", REASON_BAD_JSON, 7},
    {"[1]]", REASON_BAD_JSON, 3},
    {"{} x", REASON_BAD_JSON, 3},
    {"01", REASON_BAD_JSON, 1},
    {"-", REASON_BAD_JSON, 1},
    {"-a", REASON_BAD_JSON, 1},
    {"+1", REASON_BAD_JSON, 0},
    {".5", REASON_BAD_JSON, 0},
    {"1.", REASON_BAD_JSON, 2},
    {"1.e5", REASON_BAD_JSON, 2},
    {"1e", REASON_BAD_JSON, 2},
    {"1e+", REASON_BAD_JSON, 3},
    {"0x10", REASON_BAD_JSON, 1},
    {"NaN", REASON_BAD_JSON, 0},
    {"Infinity", REASON_BAD_JSON, 0},
    {"tru", REASON_BAD_JSON, 0},
    {"truth", REASON_BAD_JSON, 0},
    {"nul", REASON_BAD_JSON, 0},
    {"nulll", REASON_BAD_JSON, 4},
    {"'a'", REASON_BAD_JSON, 0},
    {"\"a", REASON_BAD_JSON, 2},
    {"\"a\\\"", REASON_BAD_JSON, 4},
    {"\"a\\", REASON_BAD_JSON, 2},
    {"\"\\x\"", REASON_BAD_JSON, 1},
    {"\"\\u12g4\"", REASON_BAD_JSON, 1},
    {"\"\\u12", REASON_BAD_JSON, 1},
    {"\"tab\there\"", REASON_BAD_JSON, 4},
    {"\"line\nhere and more text to fill\"", REASON_BAD_JSON, 5},
    {"/* c */ 1", REASON_BAD_JSON, 0},
    {"\"\x80\"", REASON_BAD_UTF8, 1},
    {"\"\xc0\xaf\"", REASON_BAD_UTF8, 1},
    {"\"\xe0\x80\xaf\"", REASON_BAD_UTF8, 1},
    {"\"\xed\xa0\x80\"", REASON_BAD_UTF8, 1},
    {"\"\xf4\x90\x80\x80\"", REASON_BAD_UTF8, 1},
    {"\"\xf5\x80\x80\x80\"", REASON_BAD_UTF8, 1},
    {"\"\xc3\"", REASON_BAD_UTF8, 1},
    {"\"plain text of more than 16 bytes \xff\"", REASON_BAD_UTF8, 34},
    {"\"cut \xe2\x82", REASON_BAD_UTF8, 5},
};

static void
refuses_broken_json(void **state)
{
	size_t off;

	(void)state;
	for (size_t i = 0; i < LEN(broken); i++) {
		enum reason r =
		    skip_all(broken[i].text, strlen(broken[i].text), &off);

		if (r != broken[i].reason || off != broken[i].off)
			fail_msg("%s: %s at %zu", broken[i].text,
			    reason_name(r), off);
	}
	assert_int_equal(skip_all("\"a\0b\"", 5, &off), REASON_BAD_JSON);
	assert_int_equal(off, 2);
	assert_int_equal(skip_all("[1\0]", 4, &off), REASON_BAD_JSON);
}

static void
depth_has_a_limit(void **state)
{
	char text[2 * JSON_DEPTH_MAX + 3];
	size_t off;

	(void)state;
	for (size_t n = 1; n <= JSON_DEPTH_MAX + 1; n++) {
		memset(text, '[', n);
		memset(text + n, ']', n);
		enum reason want =
		    n <= JSON_DEPTH_MAX ? REASON_NONE : REASON_TOO_DEEP;

		assert_int_equal(skip_all(text, 2 * n, &off), want);
	}
	assert_int_equal(off, JSON_DEPTH_MAX);
}

/* No beginning of a text is a text. */
static void
every_cut_is_refused(void **state)
{
	static const char text[] =
	    "{\"e\":\"tr\\u0061de\",\"E\":1723161601438,\"p\":\"61685.99\","
	    "\"m\":true,\"x\":[null,-1.5e3,{\"y\":\"\xc3\xa9\"}],\"z\":false}";
	size_t n = sizeof(text) - 1;
	size_t off;

	(void)state;
	assert_int_equal(skip_all(text, n, &off), REASON_NONE);
	for (size_t cut = 0; cut < n; cut++) {
		enum reason r = skip_all(text, cut, &off);

		if (r == REASON_NONE || off > cut)
			fail_msg("cut at %zu: %s", cut, reason_name(r));
	}
}

static void
walks_in_order(void **state)
{
	static const char text[] =
	    " { \"a\" : [ 1 , \"two\" , [ ] ] ,\"b\":{\"c\":null},\"d\":true}";
	struct json j;
	struct json_str s;
	uint64_t u;
	bool b;

	(void)state;
	json_init(&j, text, sizeof(text) - 1);
	assert_int_equal(json_peek(&j), JSON_OBJECT);
	assert_true(json_object(&j));
	assert_true(json_key(&j, &s));
	assert_true(json_is(s, "a"));
	assert_true(json_array(&j));
	assert_true(json_item(&j));
	assert_true(json_u64(&j, &u));
	assert_int_equal(u, 1);
	assert_true(json_item(&j));
	assert_true(json_string(&j, &s));
	assert_true(json_is(s, "two"));
	assert_true(json_item(&j));
	assert_int_equal(json_peek(&j), JSON_ARRAY);
	assert_true(json_array(&j));
	assert_false(json_item(&j));
	assert_false(json_item(&j));
	assert_int_equal(j.reason, REASON_NONE);
	assert_true(json_key(&j, &s));
	assert_true(json_raw(&j, &s));
	assert_true(json_is(s, "{\"c\":null}"));
	assert_true(json_key(&j, &s));
	assert_false(json_null(&j));
	assert_true(json_bool(&j, &b));
	assert_true(b);
	assert_false(json_key(&j, &s));
	assert_true(json_end(&j));
	assert_int_equal(j.depth, 0);
}

/* A value of another type is BAD_TYPE, no value at all is BAD_JSON. */
static void
types_are_checked(void **state)
{
	static const char *const values[] = {
	    "{}", "[]", "\"s\"", "1", "true", "null"};
	struct json_str s;
	int64_t v;
	bool b;

	(void)state;
	for (size_t i = 0; i < LEN(values); i++) {
		for (int want = 0; want < 5; want++) {
			struct json j;
			bool ok = false;

			json_init(&j, values[i], strlen(values[i]));
			switch (want) {
			case 0: ok = json_object(&j); break;
			case 1: ok = json_array(&j); break;
			case 2: ok = json_string(&j, &s); break;
			case 3: ok = json_e8(&j, INT64_MAX, &v); break;
			default: ok = json_bool(&j, &b); break;
			}
			if (i == (size_t)want) {
				assert_true(ok);
				continue;
			}
			assert_false(ok);
			/* a string may hold a number, but this one does not */
			assert_int_equal(j.reason, i == 2 && want == 3
						       ? REASON_BAD_NUMBER
						       : REASON_BAD_TYPE);
		}
	}
}

static void
the_first_error_sticks(void **state)
{
	static const char text[] = "{\"a\":tru,\"b\":\"\\x\"}";
	struct json j;
	struct json_str s;
	bool b;

	(void)state;
	json_init(&j, text, sizeof(text) - 1);
	json_object(&j);
	json_key(&j, &s);
	assert_false(json_bool(&j, &b));
	assert_int_equal(json_err_off(&j), 5);
	assert_false(json_key(&j, &s));
	assert_false(json_skip(&j));
	assert_false(json_object(&j));
	assert_false(json_item(&j));
	assert_false(json_null(&j));
	assert_false(json_end(&j));
	assert_int_equal(json_peek(&j), JSON_NONE);
	assert_false(json_fail(&j, REASON_OVERLONG));
	assert_int_equal(j.reason, REASON_BAD_JSON);
	assert_int_equal(json_err_off(&j), 5);
}

struct decimal {
	const char *text;
	int64_t e8; /* -1: refused */
};

static const struct decimal decimals[] = {
    {"\"0.5\"", 50000000},
    {"\".48\"", 48000000},
    {"\"0.500\"", 50000000},
    {"\"5\"", 500000000},
    {"\"5.\"", 500000000},
    {"\"0\"", 0},
    {"\"00012.5\"", 1250000000},
    {"\"61685.99000000\"", 6168599000000},
    {"\"99999999.99999999\"", 9999999999999999},
    {"\"0.00000001\"", 1},
    {"\"0.000000010\"", 1},
    {"\"0.000000000000\"", 0},
    {"\"100000000\"", 10000000000000000},
    {"\"219.217767\"", 21921776700},
    {"5", 500000000},
    {"0.01", 1000000},
    {"0", 0},
    {"100000000.00000000", 10000000000000000},
    {"\"\"", -1},
    {"\".\"", -1},
    {"\"0.000000001\"", -1},
    {"\"100000000.00000001\"", -1},
    {"\"1e3\"", -1},
    {"1e3", -1},
    {"\"-1\"", -1},
    {"-1", -1},
    {"\"+1\"", -1},
    {"\" 1\"", -1},
    {"\"1 \"", -1},
    {"\"1.2.3\"", -1},
    {"\"0x1\"", -1},
    {"\"1\\u0030\"", -1},
    {"\"1234567890123456789\"", -1},
    {"12345678901234567890123", -1},
    {"\"nan\"", -1},
    {"\"1,5\"", -1},
    {"\"0.5:\"", -1},
    {"\"/.5\"", -1},
    {"\"\xc2\xb2\"", -1},
};

/* Each with nothing after it, and with enough text for the fast way. */
static void
decimals_are_exact(void **state)
{
	static const char *const tails[] = {
	    "]", ",\"padding of more than thirty-two bytes\"]"};
	char text[128];

	(void)state;
	for (size_t i = 0; i < LEN(decimals); i++) {
		for (size_t t = 0; t < LEN(tails); t++) {
			int n = snprintf(text, sizeof(text), "[%s%s",
			    decimals[i].text, tails[t]);
			char *p = exact(text, (size_t)n);
			struct json j;
			int64_t v = -7;

			json_init(&j, p, (size_t)n);
			json_array(&j);
			json_item(&j);
			bool ok = json_e8(&j, PX_E8_MAX, &v);

			if (ok != (decimals[i].e8 >= 0) ||
			    v != (ok ? decimals[i].e8 : -7))
				fail_msg("%s: %d %lld", text, ok, (long long)v);
			if (!ok)
				assert_int_equal(j.reason, REASON_BAD_NUMBER);
			else
				assert_int_equal(json_item(&j), t == 1);
			free(p);
		}
	}
}

static uint64_t seed = UINT64_C(0x2545f4914f6cdd1d);

static unsigned
roll(unsigned below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)((seed >> 20) % below);
}

/* The fast way agrees with fixed_parse on anything that looks a bit like a
 * number. */
static void
decimals_agree_with_fixed_parse(void **state)
{
	static const char letters[] = "00123456789.....9-e:/";

	(void)state;
	for (int round = 0; round < 200000; round++) {
		char text[96] = "\"";
		size_t n = roll(22);

		for (size_t i = 1; i <= n; i++)
			text[i] = letters[roll(
			    i % 5 == 2 ? (unsigned)sizeof(letters) - 1 : 11)];
		memcpy(text + n + 1, "\",", 2);
		memset(text + n + 3, 'x', 40);
		int64_t want = -1;
		int64_t got = -1;
		bool ok = fixed_parse(text + 1, n, 8, false, PX_E8_MAX, &want);
		struct json j;

		json_init(&j, text, n + 43);
		if (json_e8(&j, PX_E8_MAX, &got) != ok || want != got)
			fail_msg("%s: %lld, not %lld", text, (long long)got,
			    (long long)want);
		if (ok)
			assert_int_equal(j.pos - text, n + 2);
	}
}

static void
other_scales_and_cuts(void **state)
{
	struct json j;
	int64_t v;

	(void)state;
	json_init(&j, "\"-0.0000125\"", 12);
	assert_true(json_fixed(&j, 12, true, INT64_MAX, &v));
	assert_int_equal(v, -12500000);
	json_init(&j, "-1121", 5);
	assert_true(json_fixed(&j, 0, true, 5000, &v));
	assert_int_equal(v, -1121);
	json_init(&j, "-5001", 5);
	assert_false(json_fixed(&j, 0, true, 5000, &v));
	json_init(&j, "76579.44275333079", 17);
	assert_true(json_e8_floor(&j, PX_E8_MAX, &v));
	assert_int_equal(v, INT64_C(7657944275333));
	json_init(&j, "\"0.999999999999999999999999999\"", 31);
	assert_true(json_e8_floor(&j, PX_E8_MAX, &v));
	assert_int_equal(v, 99999999);
	json_init(&j, "\"0.99999999x\"", 13);
	assert_false(json_e8_floor(&j, PX_E8_MAX, &v));
	json_init(&j, "\"0.5\"", 5);
	assert_false(json_e8(&j, 49999999, &v));
	assert_int_equal(j.reason, REASON_BAD_NUMBER);
}

static void
whole_numbers(void **state)
{
	static const struct {
		const char *text;
		uint64_t value;
		enum reason reason;
	} cases[] = {
	    {"0", 0, REASON_NONE},
	    {"7", 7, REASON_NONE},
	    {"12345678", 12345678, REASON_NONE},
	    {"1723161601438", UINT64_C(1723161601438), REASON_NONE},
	    {"123456789012345", UINT64_C(123456789012345), REASON_NONE},
	    {"1234567890123456", UINT64_C(1234567890123456), REASON_NONE},
	    {"999999999999999999", UINT64_C(999999999999999999), REASON_NONE},
	    {"\"1777428645794\"", UINT64_C(1777428645794), REASON_NONE},
	    {"\"0007\"", 7, REASON_NONE},
	    {"1000000000000000000", 0, REASON_BAD_NUMBER},
	    {"1723161601438.5", 0, REASON_BAD_NUMBER},
	    {"1723161601438e2", 0, REASON_BAD_NUMBER},
	    {"-5", 0, REASON_BAD_NUMBER},
	    {"1.0", 0, REASON_BAD_NUMBER},
	    {"\"\"", 0, REASON_BAD_NUMBER},
	    {"\"12345678x\"", 0, REASON_BAD_NUMBER},
	    {"\"1234x678\"", 0, REASON_BAD_NUMBER},
	    {"true", 0, REASON_BAD_TYPE},
	    {"x", 0, REASON_BAD_JSON},
	};
	char text[128];

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		for (int pad = 0; pad < 2; pad++) {
			int n = snprintf(text, sizeof(text), "%s%s",
			    cases[i].text, pad ? ",1,2,3,4,5,6,7,8,9" : "");
			char *p = exact(text, (size_t)n);
			struct json j;
			uint64_t v = 0;

			json_init(&j, p, (size_t)n);
			json_u64(&j, &v);
			if (j.reason != cases[i].reason || v != cases[i].value)
				fail_msg("%s: %s %llu", text,
				    reason_name(j.reason),
				    (unsigned long long)v);
			free(p);
		}
	}
	/* a leading zero is no number of JSON: what follows is refused */
	struct json j;
	uint64_t v;

	json_init(&j, "0123456789012345,1", 18);
	json_u64(&j, &v);
	assert_false(json_end(&j));
}

static void
escapes_both_ways(void **state)
{
	static const struct {
		const char *escaped;
		const char *plain;
	} cases[] = {
	    {"", ""},
	    {"plain", "plain"},
	    {"\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t"},
	    {"\\u0041\\u00e9\\u20AC", "A\xc3\xa9\xe2\x82\xac"},
	    {"\\ud83d\\ude00!", "\xf0\x9f\x98\x80!"},
	    {"\\ud83d!", "\xef\xbf\xbd!"},
	    {"\\ude00", "\xef\xbf\xbd"},
	    {"\\ud83d\\u0041", "\xef\xbf\xbd"
			       "A"},
	};
	char text[64];
	char buf[64];
	struct json_str s;
	struct json j;

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		int n =
		    snprintf(text, sizeof(text), "\"%s\"", cases[i].escaped);

		json_init(&j, text, (size_t)n);
		assert_true(json_string(&j, &s));
		assert_int_equal(s.escaped, strchr(text, '\\') != NULL);
		size_t len = json_unescape(s, buf, sizeof(buf));

		assert_int_equal(len, strlen(cases[i].plain));
		assert_string_equal(buf, cases[i].plain);
		/* one byte too small for the text and its NUL */
		assert_true(len == 0 || json_unescape(s, buf, len) == SIZE_MAX);
		assert_int_equal(json_unescape(s, buf, len + 1), len);
	}
	static const char odd[] = "a\"b\\c\n\x01\x1f\xc3\xa9";
	size_t len = json_escape(odd, sizeof(odd) - 1, buf, sizeof(buf));

	assert_string_equal(buf, "a\\\"b\\\\c\\u000a\\u0001\\u001f\xc3\xa9");
	assert_int_equal(
	    json_escape(odd, sizeof(odd) - 1, text, len), SIZE_MAX);
	assert_int_equal(json_escape(odd, sizeof(odd) - 1, text, len + 1), len);
}

static void
utf8(void **state)
{
	(void)state;
	assert_true(json_utf8_ok("", 0));
	assert_true(
	    json_utf8_ok("\xf4\x8f\xbf\xbf\xee\x80\x80\xed\x9f\xbf", 10));
	assert_false(json_utf8_ok("\xed\xa0\x80", 3));
	/* a sequence over the border of a block of 16 */
	for (size_t at = 0; at < 40; at++) {
		char text[48];
		char *p;

		memset(text, 'a', sizeof(text));
		memcpy(text + at, "\xe2\x82\xac", 3);
		assert_true(json_utf8_ok(text, sizeof(text)));
		p = exact(text, at + 2);
		assert_false(json_utf8_ok(p, at + 2));
		free(p);
		text[at + 1] = 'x';
		assert_false(json_utf8_ok(text, sizeof(text)));
	}
}

static bool
aborts(void (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		fclose(stderr);
		close(STDERR_FILENO);
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void
no_text(void)
{
	struct json j;

	json_init(&j, NULL, 1);
}

static void
no_reason(void)
{
	struct json j;

	json_init(&j, "", 0);
	json_fail(&j, REASON_NONE);
}

static void
no_room(void)
{
	char c;
	struct json_str s = {.s = "", .n = 0};

	json_unescape(s, &c, 0);
}

static void
contracts(void **state)
{
	(void)state;
	assert_true(aborts(no_text));
	assert_true(aborts(no_reason));
	assert_true(aborts(no_room));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(accepts_json),
	    cmocka_unit_test(refuses_broken_json),
	    cmocka_unit_test(depth_has_a_limit),
	    cmocka_unit_test(every_cut_is_refused),
	    cmocka_unit_test(walks_in_order),
	    cmocka_unit_test(types_are_checked),
	    cmocka_unit_test(the_first_error_sticks),
	    cmocka_unit_test(decimals_are_exact),
	    cmocka_unit_test(decimals_agree_with_fixed_parse),
	    cmocka_unit_test(other_scales_and_cuts),
	    cmocka_unit_test(whole_numbers),
	    cmocka_unit_test(escapes_both_ways),
	    cmocka_unit_test(utf8),
	    cmocka_unit_test(contracts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

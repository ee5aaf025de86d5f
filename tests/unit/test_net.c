/* links: libsys libshm libcore */
/*
 * Addresses in text and reconnect delays.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libsys/net.h"

static void
test_urls(void **state)
{
	static const char *const bad[] = {"", "ws:/x", "ftp://x/", "ws://",
	    "ws:///x", "ws://u@h/", "ws://h:0/", "ws://h:65536/", "ws://h:x/",
	    "ws://h/a b", "ws://h/#f", "ws://[::1", "ws://[::1]x/", "h:80"};
	struct net_url u;
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (net_url_parse(bad[i], &u) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
	}
	assert_int_equal(net_url_parse("wss://a.b:9443/ws?x=1", &u), 0);
	assert_true(u.is_ws && u.is_tls);
	assert_string_equal(u.host, "a.b");
	assert_int_equal(u.port, 9443);
	assert_string_equal(u.path, "/ws?x=1");
	assert_int_equal(net_url_parse("ws://h/stream?streams=a@b/c", &u), 0);
	assert_string_equal(u.path, "/stream?streams=a@b/c");
	assert_int_equal(net_url_parse("http://h?q", &u), 0);
	assert_string_equal(u.path, "/?q");
	assert_int_equal(u.port, 80);
	assert_int_equal(net_url_parse("https://[::1]", &u), 0);
	assert_string_equal(u.host, "::1");
	assert_int_equal(u.port, 443);
}

static void
test_backoff(void **state)
{
	(void)state;
	assert_int_equal(net_backoff_ms(0, 0), 50);
	assert_int_equal(net_backoff_ms(0, 50), 100);
	assert_int_equal(net_backoff_ms(3, 0), 400);
	assert_int_equal(net_backoff_ms(6, 0), 3200);
	for (unsigned a = 0; a < 100; a++) {
		for (uint64_t i = 0; i < 64; i++) {
			uint64_t ms = net_backoff_ms(a, i * 0x9e3779b97f4a7c15);
			assert_true(ms >= 50 && ms <= 10000);
		}
	}
	assert_int_equal(net_backoff_ms(7, 0), 5000);
	assert_int_equal(net_backoff_ms(4000000000u, 5000), 10000);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_urls),
	    cmocka_unit_test(test_backoff),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

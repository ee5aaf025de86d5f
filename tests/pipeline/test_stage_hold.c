/* links: libsys libshm libcore */
/*
 * A venue that refuses everything and says when to come back: the real feedd
 * asks once over HTTP, opens one connection, and then waits, the look at the
 * venue's clock included.
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "libshm/cfgpage.h"
#include "libsys/clock.h"
#include "tests/pipeline/proc.h"
#include "tests/pipeline/rig.h"

#define WATCH_NS (5 * (uint64_t)NS_PER_S)

static struct rig rig;
static struct cfgpage page;

static struct fake {
	int fd;
	unsigned port;
	const char *answer;
	unsigned asked;	 /* requests over HTTP */
	unsigned opened; /* upgrades */
	char request[4096];
} venue;

static void
listen_on_any(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t n = sizeof(at);

	memset(&venue, 0, sizeof(venue));
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	venue.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(venue.fd >= 0);
	assert_int_equal(bind(venue.fd, (struct sockaddr *)&at, n), 0);
	assert_int_equal(listen(venue.fd, 16), 0);
	assert_int_equal(getsockname(venue.fd, (struct sockaddr *)&at, &n), 0);
	venue.port = ntohs(at.sin_port);
}

/* One request, and the answer to all of them. */
static void
serve_one(void)
{
	int fd = accept(venue.fd, NULL, NULL);
	size_t n = 0;
	char *r = venue.request;

	assert_true(fd >= 0);
	r[0] = '\0';
	while (n < sizeof(venue.request) - 1 && strstr(r, "\r\n\r\n") == NULL) {
		ssize_t got = read(fd, r + n, sizeof(venue.request) - 1 - n);

		if (got <= 0)
			break;
		n += (size_t)got;
		r[n] = '\0';
	}
	if (n > 0 && strcasestr(r, "upgrade: websocket") != NULL)
		venue.opened++;
	else if (n > 0)
		venue.asked++;
	if (n > 0 && strcasestr(r, "upgrade: websocket") == NULL)
		assert_non_null(strstr(r, "Accept: application/json\r\n"));
	assert_true(write(fd, venue.answer, strlen(venue.answer)) > 0);
	close(fd);
}

static void
serve(uint64_t ns)
{
	uint64_t until = clock_mono_ns() + ns;

	while (clock_mono_ns() < until) {
		struct pollfd p = {.fd = venue.fd, .events = POLLIN};

		if (poll(&p, 1, 50) > 0)
			serve_one();
	}
}

static int
setup(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	rig_init(&rig, "stagehold");
	listen_on_any();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	cfgpage_detach(&page);
	close(venue.fd);
	rig_free(&rig);
	return 0;
}

static void
run(enum stage_id st, const char *answer)
{
	const char *argv[] = {topo_stages[st].program, "--instance",
	    RIG_INSTANCE, "--stage", topo_stages[st].name, NULL};
	struct cfg cfg;
	struct err e = {0};
	pid_t pid;

	venue.answer = answer;
	cfg_defaults(&cfg);
	snprintf(cfg.binance_rest_url.s, sizeof(cfg.binance_rest_url.s),
	    "http://127.0.0.1:%u", venue.port);
	snprintf(cfg.binance_ws_url.s, sizeof(cfg.binance_ws_url.s),
	    "ws://127.0.0.1:%u", venue.port);
	snprintf(cfg.hyperliquid_rest_url.s, sizeof(cfg.hyperliquid_rest_url.s),
	    "http://127.0.0.1:%u", venue.port);
	if (instance_create(&rig.in, RIG_INSTANCE, 42, &e) < 0 ||
	    cfgpage_create(&page, rig.in.dirfd, 42, &cfg, &e) < 0)
		fail_msg("%s", e.text);
	pid = proc_start(argv, rig_path(&rig, topo_stages[st].name));
	serve(WATCH_NS);
	kill(pid, SIGTERM);
	assert_int_equal(proc_exit_code(pid), 0);
}

static void
refused_once_is_asked_once(void **state)
{
	(void)state;
	run(ST_FEEDD_BN,
	    "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 100\r\n"
	    "Content-Length: 0\r\nConnection: close\r\n\r\n");
	assert_int_equal(venue.asked, 1);
	assert_int_equal(venue.opened, 1);
}

/* The core would try again after 2 s. */
static void
refused_without_a_word_is_a_minute(void **state)
{
	(void)state;
	run(ST_FEEDD_HL, "HTTP/1.1 418 Teapot\r\nContent-Length: 0\r\n"
			 "Connection: close\r\n\r\n");
	assert_int_equal(venue.asked, 1);
}

static void
four_fifths_of_the_weight_are_enough(void **state)
{
	uint64_t second = clock_wall_ns() / (uint64_t)NS_PER_S % 60;

	(void)state;
	if (second > 50) /* the minute must not turn meanwhile */
		serve((61 - second) * (uint64_t)NS_PER_S);
	run(ST_FEEDD_BN,
	    "HTTP/1.1 200 OK\r\nX-MBX-USED-WEIGHT-1M: 4900\r\n"
	    "Content-Type: application/json\r\nContent-Length: 2\r\n"
	    "Connection: close\r\n\r\n{}");
	assert_int_equal(venue.asked, 1);
	assert_true(venue.opened > 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		refused_once_is_asked_once, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		refused_without_a_word_is_a_minute, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		four_fifths_of_the_weight_are_enough, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

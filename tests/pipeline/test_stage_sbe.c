/* links: libsys libshm libcore */
/*
 * The real feedd on a server of binary streams, which this test plays: the
 * key goes out with the upgrade and nowhere else, binary frames become ticks,
 * and a key that others can read is refused.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
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
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "libshm/cfgpage.h"
#include "libshm/slots.h"
#include "libsys/stage.h"
#include "libsys/wsframe.h"
#include "tests/pipeline/proc.h"
#include "tests/pipeline/rig.h"

#define KEY	"aKeyThatIsOnlyForThisTest0123456789"
#define WAIT_MS 15000

static struct rig rig;
static struct cfgpage page;
static struct ring md;
static struct cfg cfg;
static int listener = -1;
static char request[4096];

static void
set(enum cfg_key_id i, const char *text)
{
	char why[CFG_WHY_SZ];

	if (!cfg_set(&cfg, i, text, why))
		fail_msg("%s: %s", text, why);
}

static unsigned
listen_somewhere(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	socklen_t n = sizeof(a);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(listener >= 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&a, n), 0);
	assert_int_equal(listen(listener, 4), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &n), 0);
	return ntohs(a.sin_port);
}

static void
write_key(mode_t mode)
{
	FILE *f = fopen(rig_path(&rig, "key"), "w");

	assert_non_null(f);
	assert_true(fputs(KEY "\n", f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(rig_path(&rig, "key"), mode), 0);
}

static int
setup(void **state)
{
	char url[64];
	struct err e = {0};

	(void)state;
	rig_init(&rig, "stagesbe");
	cfg_defaults(&cfg);
	snprintf(url, sizeof(url), "ws://127.0.0.1:%u", listen_somewhere());
	set(CFG_KEY_binance_sbe_url, url);
	set(CFG_KEY_binance_sbe_key_file, rig_path(&rig, "key"));
	/* nothing answers there, and the key must not go there */
	set(CFG_KEY_binance_rest_url, "http://127.0.0.1:9");
	if (instance_create(&rig.in, RIG_INSTANCE, 42, &e) < 0 ||
	    cfgpage_create(&page, rig.in.dirfd, 42, &cfg, &e) < 0) {
		print_error("%s\n", e.text);
		return -1;
	}
	instance_close(&rig.in);
	return rig_attach(&rig) ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	if (md.shm != NULL)
		ring_detach(&md);
	md.shm = NULL;
	if (listener >= 0)
		close(listener);
	cfgpage_detach(&page);
	rig_free(&rig);
	return 0;
}

static pid_t
start(void)
{
	const char *argv[] = {topo_stages[ST_FEEDD_BN].program, "--instance",
	    RIG_INSTANCE, "--stage", topo_stages[ST_FEEDD_BN].name, NULL};

	return proc_start(argv, rig_path(&rig, "log"));
}

/* Waits for the stage's connection and reads its request. */
static int
take_request(void)
{
	struct pollfd p = {.fd = listener, .events = POLLIN};
	size_t n = 0;
	int fd;

	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(fd >= 0);
	memset(request, 0, sizeof(request));
	while (strstr(request, "\r\n\r\n") == NULL) {
		ssize_t got = read(fd, request + n, sizeof(request) - 1 - n);

		assert_true(got > 0);
		n += (size_t)got;
	}
	return fd;
}

static void
agree(int fd)
{
	char *key = strstr(request, "Sec-WebSocket-Key: ");
	char accept[WS_ACCEPT_MAX] = "";
	char text[256];

	assert_non_null(key);
	key += strlen("Sec-WebSocket-Key: ");
	ws_accept_key(key, strcspn(key, "\r"), accept);
	int n = snprintf(text, sizeof(text),
	    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
	    accept);

	assert_int_equal(write(fd, text, (size_t)n), n);
}

/* 10001, bid 84142.99 x 1.62318, ask 84143.00 x 0.71002. */
static void
send_best(int fd)
{
	static const uint8_t frame[] = {0x82, 66, 0x32, 0x00, 0x11, 0x27, 0x01,
	    0x00, 0x00, 0x00, 0x4b, 0x58, 0x86, 0xec, 0x34, 0x5c, 0x06, 0x00,
	    0x99, 0x8a, 0x5c, 0xc4, 0x15, 0x00, 0x00, 0x00, 0xfe, 0xfb, 0x5b,
	    0x64, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0e, 0x7a, 0x02, 0x00,
	    0x00, 0x00, 0x00, 0x00, 0x5c, 0x64, 0x80, 0x00, 0x00, 0x00, 0x00,
	    0x00, 0x5a, 0x15, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x07, 'B',
	    'T', 'C', 'U', 'S', 'D', 'T'};

	assert_int_equal(sizeof(frame), 68);
	assert_int_equal(write(fd, frame, sizeof(frame)), sizeof(frame));
}

static bool
has_bbo(struct tick *out)
{
	uint64_t lost;

	while (out->hdr.kind != TICK_BBO &&
	       ring_tap_next(&md, out, &lost) == RING_TAP_OK)
		;
	return out->hdr.kind == TICK_BBO;
}

static bool
log_has(const char *text)
{
	return strstr(rig_read(&rig, "log"), text) != NULL;
}

static void
binary_frames_become_ticks(void **state)
{
	struct err e;
	struct tick t = {0};
	pid_t pid;
	int fd;

	(void)state;
	if (ring_attach(&md, rig.in.dirfd, &topo_rings[RG_MD_BN_Q],
		RING_OBSERVER, &e) < 0)
		fail_msg("%s", e.text);
	write_key(0600);
	pid = start();
	fd = take_request();
	assert_non_null(strstr(request, "\r\nX-MBX-APIKEY: " KEY "\r\n"));
	assert_non_null(strstr(request,
	    "GET /stream?streams=btcusdt@trade/btcusdt@bestBidAsk HTTP/1.1"));
	agree(fd);
	send_best(fd);
	RIG_UNTIL(&rig, has_bbo(&t));
	assert_int_equal(t.u.bbo.bid_px.e8, INT64_C(8414299000000));
	assert_int_equal(t.u.bbo.ask_qty.e8, 71002000);
	assert_int_equal(t.hdr.venue_ns, INT64_C(1790232236546123000));
	kill(pid, SIGTERM);
	close(fd);
	assert_int_equal(proc_exit_code(pid), 0);
	assert_false(log_has(KEY));
}

static void
a_key_that_others_can_read_is_refused(void **state)
{
	pid_t pid;

	(void)state;
	write_key(0644);
	pid = start();
	assert_int_equal(proc_exit_code(pid), EXIT_PERMANENT);
	assert_true(log_has("binance.sbe_key_file"));
	assert_true(log_has("chmod 600"));
	assert_false(log_has(KEY));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		binary_frames_become_ticks, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		a_key_that_others_can_read_is_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

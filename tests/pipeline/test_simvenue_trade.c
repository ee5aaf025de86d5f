/* links: libvenue libsign libsys libshm libcore */
/*
 * A small client trades on simvenue --live over real sockets: it logs in,
 * rests and withdraws an order, takes another, hears of all that on its user
 * channel, and the venue's ledger is what it booked.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "libsign/pm_auth.h"
#include "libsign/pm_order.h"
#include "libvenue/pm_id.h"
#include "tests/pipeline/proc.h"
#include "tests/pipeline/rig.h"

#define TEXT  ((size_t)1 << 20)
#define UUID  36
#define WAITS 40 /* reads of a second at most */

/* The first public development key; worth nothing. */
static const uint8_t key[32] = {0xac, 0x09, 0x74, 0xbe, 0xc3, 0x9a, 0x17, 0xe3,
    0x6b, 0xa4, 0xa6, 0xb4, 0xd2, 0x38, 0xff, 0x94, 0x4b, 0xac, 0xb4, 0x78,
    0xcb, 0xed, 0x5e, 0xfc, 0xae, 0x78, 0x4d, 0x7b, 0xf4, 0xf2, 0xff, 0x80};

static struct rig rig;
static unsigned port;
static char text[TEXT];	 /* of the last answer */
static char heard[TEXT]; /* of the user channel, all of it */
static size_t heard_n;
static int channel = -1;
static struct secp secp;
static struct address me;
static struct pm_creds creds;
static char api_key[UUID + 1];
static char secret[64];
static char passphrase[128];

static int
dial(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval second = {.tv_sec = 1};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second)),
	    0);
	return fd;
}

/* One request; the whole answer is in text. */
static void
call(
    const char *method, const char *path, const char *headers, const char *body)
{
	static char out[16384];
	size_t n = 0;
	ssize_t got = 1;
	int fd = dial();
	int out_n = snprintf(out, sizeof(out),
	    "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
	    "Content-Length: %zu\r\n%s\r\n%s",
	    method, path, strlen(body), headers, body);

	assert_true(out_n > 0 && out_n < (int)sizeof(out));
	assert_int_equal(write(fd, out, (size_t)out_n), out_n);
	while (n < sizeof(text) - 1 &&
	       (got = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	close(fd);
}

static void
call2(const char *method, const char *path, const char *body)
{
	char headers[PM_HEADERS_MAX];
	struct pm_call c = {
	    method, path, *body == '\0' ? NULL : body, strlen(body)};
	struct pm_l2 l2;

	pm_l2_sign(&creds, (uint64_t)time(NULL), &c, &l2);
	pm_l2_headers(&creds, &l2, headers);
	call(method, path, headers, body);
}

static void
copy_field(const char *name, char *to, size_t cap)
{
	const char *at = strstr(text, name);
	size_t n;

	if (at == NULL)
		fail_msg("no %s in: %s", name, text);
	at += strlen(name) + 3;
	n = strcspn(at, "\"");
	assert_true(n < cap);
	memcpy(to, at, n);
	to[n] = '\0';
}

/* Frames of the server are not masked: their texts stand in the bytes. */
static void
hear(const char *what)
{
	for (int i = 0; i < WAITS && strstr(heard, what) == NULL; i++) {
		ssize_t n =
		    read(channel, heard + heard_n, sizeof(heard) - 1 - heard_n);

		for (ssize_t k = 0; k < n; k++, heard_n++)
			if (heard[heard_n] == '\0')
				heard[heard_n] = ' ';
		heard[heard_n] = '\0';
	}
	if (strstr(heard, what) == NULL)
		fail_msg("never heard: %s", what);
}

/* A text frame, masked with zeroes. */
static void
say(const char *words)
{
	uint8_t frame[1024] = {0x81, 0x80 | 126};
	size_t n = strlen(words);

	assert_true(n > 125 && n < sizeof(frame) - 8);
	frame[2] = (uint8_t)(n >> 8);
	frame[3] = (uint8_t)n;
	memcpy(frame + 8, words, n);
	assert_int_equal(write(channel, frame, n + 8), n + 8);
}

static void
listen_to_me(void)
{
	static const char hello[] =
	    "GET /ws/user HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
	char words[512];

	channel = dial();
	assert_int_equal(
	    write(channel, hello, sizeof(hello) - 1), sizeof(hello) - 1);
	hear("101 Switching");
	(void)snprintf(words, sizeof(words),
	    "{\"auth\":{\"apiKey\":\"%s\",\"secret\":\"%s\",\"passphrase\":"
	    "\"%s\"},\"type\":\"user\"}",
	    api_key, secret, passphrase);
	say(words);
}

static void
log_in(void)
{
	struct pm_l1_args args = {(uint64_t)time(NULL), 0, PM_CHAIN_POLYGON};
	struct pm_creds_text t = {&me, api_key, secret, passphrase};
	char headers[PM_HEADERS_MAX];
	struct pm_l1 l1;

	assert_true(pm_l1_sign(&secp, key, &args, &l1));
	pm_l1_headers(&l1, headers);
	call("POST", "/auth/api-key", headers, "");
	copy_field("apiKey", api_key, sizeof(api_key));
	copy_field("secret", secret, sizeof(secret));
	copy_field("passphrase", passphrase, sizeof(passphrase));
	assert_true(pm_creds_init(&creds, &t));
}

/* Ten YES of the quiet market. */
static void
buy(const struct pm_token *token, uint32_t px_e4, char id[PM_ID_TEXT_MAX])
{
	static uint64_t salt;
	struct pm_account who = {
	    .maker = me, .signer = me, .sig_type = PM_SIG_EOA};
	struct pm_asset asset;
	struct pm_order o = {.salt = pm_salt(++salt),
	    .asset = &asset,
	    .side = SIDE_BID,
	    .tif = PM_GTC,
	    .timestamp_ms = (uint64_t)time(NULL) * 1000};
	struct pm_template tpl;
	struct pm_exchange x;
	struct pm_signed s;
	char body[PM_BODY_MAX];

	memcpy(who.owner, api_key, sizeof(api_key));
	assert_true(
	    pm_exchange_init(&x, PM_EXCHANGE_V2, false, PM_CHAIN_POLYGON));
	assert_true(pm_template_init(&tpl, &x, &who));
	pm_asset_init(&asset, token->w);
	assert_true(pm_limit_amounts(SIDE_BID, px_e4, 1000, &o.amounts));
	assert_true(pm_order_sign(&tpl, &secp, key, &o, &s));
	pm_id_text(s.id, id);
	pm_order_body(&tpl, &o, &s, body);
	call2("POST", "/order", body);
}

static struct pm_token
quiet_token(void)
{
	struct pm_token token;
	char *at;

	call("GET", "/markets/slug/quiet-market", "", "");
	at = strstr(text, "clobTokenIds");
	assert_non_null(at);
	at += strcspn(at, "0123456789");
	assert_true(pm_token_parse(at, strspn(at, "0123456789"), &token));
	return token;
}

static void
a_client_trades_and_the_ledger_agrees(void **state)
{
	static const char *const live[] = {"--live", "--seed", "3", NULL};
	struct pm_token token;
	uint8_t blind[32] = {1};
	char id[PM_ID_TEXT_MAX];
	char body[128];

	(void)state;
	if (!rig_venue(&rig, live))
		fail_msg("simvenue: %s", rig.out);
	port = (unsigned)rig_json(rig.out, "\"venue\":\"polymarket\"", "port");
	secp_init(&secp, blind);
	assert_true(secp_address(&secp, key, &me));
	log_in();
	listen_to_me();
	token = quiet_token();
	buy(&token, 3000, id);
	assert_non_null(strstr(text, "\"status\":\"live\""));
	hear("\"type\":\"PLACEMENT\"");
	(void)snprintf(body, sizeof(body), "{\"orderID\":\"%s\"}", id);
	call2("DELETE", "/order", body);
	assert_non_null(strstr(text, id));
	hear("\"type\":\"CANCELLATION\"");
	buy(&token, 6000, id); /* meets the quiet offer at 0.52 */
	assert_non_null(strstr(text, "\"status\":\"matched\""));
	hear("\"status\":\"MATCHED\"");
	hear("\"status\":\"CONFIRMED\"");
	call("GET", "/sim/ledger", "", "");
	assert_non_null(strstr(text, "\"polymarket\":{\"is_conserved\":true"));
	assert_non_null(strstr(text,
	    "\"usd\":{\"own_e6\":9994800000,\"out_e6\":0,\"in_e6\":0,"
	    "\"locked_e6\":0}"));
	assert_non_null(
	    strstr(text, "\"own_e8\":1000000000,\"out_e8\":0,\"in_e8\":0,"
			 "\"locked_e8\":0}],\"orders\":[]"));
	call("GET", "/sim/arrivals", "", "");
	assert_non_null(strstr(text, "\"call\":\"place\""));
	assert_non_null(strstr(text, "\"call\":\"cancel\""));
	close(channel);
	secp_close(&secp);
}

static int
setup(void **state)
{
	(void)state;
	rig_init(&rig, "simtrade");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	rig_free(&rig);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		a_client_trades_and_the_ledger_agrees, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

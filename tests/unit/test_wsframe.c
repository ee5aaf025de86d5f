/* links: libsys libshm libcore */
/*
 * WebSocket sessions without sockets, fed whole and one byte at a time.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libsys/wsframe.h"
#include "tests/unit/contract.h"

struct seen {
	unsigned n;
	enum ws_kind kind;
	size_t size;
	uint64_t recv_ns;
	char text[512];
};

static void
note_message(void *user, const struct ws_message *m)
{
	struct seen *seen = user;
	seen->n++;
	seen->kind = m->kind;
	seen->size = m->n;
	seen->recv_ns = m->recv_ns;
	size_t n =
	    m->n < sizeof(seen->text) - 1 ? m->n : sizeof(seen->text) - 1;
	memcpy(seen->text, m->data, n);
	seen->text[n] = '\0';
}

static void
session_make(
    struct ws_session *s, enum ws_role role, size_t msg_max, struct seen *seen)
{
	struct ws_session_cfg cfg = {
	    .role = role,
	    .msg_max = msg_max,
	    .out_max = 4096,
	    .mask_seed = 7,
	    .on_message = note_message,
	    .user = seen,
	};
	memset(seen, 0, sizeof(*seen));
	assert_int_equal(ws_session_init(s, &cfg), 0);
}

#define B(...) \
	(const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

/* What a server sends, and what the client's session makes of it. */
static const struct input_case {
	const char *name;
	const uint8_t *bytes;
	size_t n;
	enum ws_end end;    /* 0: lives on */
	unsigned messages;  /* delivered */
	const char *text;   /* of the last one */
	unsigned out_close; /* code of the close frame queued, 0: none */
} input_cases[] = {
    {"text", B(0x81, 5, 'h', 'e', 'l', 'l', 'o'), 0, 1, "hello", 0},
    {"empty text", B(0x81, 0), 0, 1, "", 0},
    {"two messages", B(0x81, 1, 'a', 0x82, 2, 'b', 'c'), 0, 2, "bc", 0},
    {"fragments", B(0x01, 2, 'a', 'b', 0x00, 1, 'c', 0x80, 2, 'd', 'e'), 0, 1,
	"abcde", 0},
    {"empty last fragment", B(0x01, 2, 'a', 'b', 0x80, 0), 0, 1, "ab", 0},
    {"ping inside fragments", B(0x01, 1, 'a', 0x89, 2, 'x', 'y', 0x80, 1, 'b'),
	0, 2, "ab", 0},
    {"close 1000", B(0x88, 2, 0x03, 0xe8), WS_END_PEER, 0, "", 1000},
    {"close without code", B(0x88, 0), WS_END_PEER, 0, "", 1000},
    {"close 1012 restart", B(0x88, 4, 0x03, 0xf4, 'b', 'y'), WS_END_PEER, 0, "",
	1012},
    {"close 1013 try later", B(0x88, 2, 0x03, 0xf5), WS_END_PEER, 0, "", 1013},
    {"close 3000", B(0x88, 2, 0x0b, 0xb8), WS_END_PEER, 0, "", 3000},
    {"close 1005 invalid", B(0x88, 2, 0x03, 0xed), WS_END_BAD_CODE, 0, "",
	1002},
    {"close 999 invalid", B(0x88, 2, 0x03, 0xe7), WS_END_BAD_CODE, 0, "", 1002},
    {"close of one byte", B(0x88, 1, 0x03), WS_END_BAD_CODE, 0, "", 1002},
    {"message then close", B(0x81, 1, 'a', 0x88, 2, 0x03, 0xe8), WS_END_PEER, 1,
	"a", 1000},
    {"masked by server", B(0x81, 0x81, 1, 2, 3, 4, 'a'), WS_END_PROTOCOL, 0, "",
	1002},
    {"rsv1", B(0xc1, 1, 'a'), WS_END_PROTOCOL, 0, "", 1002},
    {"orphan continuation", B(0x80, 1, 'a'), WS_END_PROTOCOL, 0, "", 1002},
    {"text inside text", B(0x01, 1, 'a', 0x81, 1, 'b'), WS_END_PROTOCOL, 0, "",
	1002},
    {"opcode 3", B(0x83, 1, 'a'), WS_END_PROTOCOL, 0, "", 1002},
    {"opcode 11", B(0x8b, 1, 'a'), WS_END_PROTOCOL, 0, "", 1002},
    {"fragmented ping", B(0x09, 1, 'a'), WS_END_PROTOCOL, 0, "", 1002},
    {"long ping", B(0x89, 126, 0, 126, 'a'), WS_END_PROTOCOL, 0, "", 1002},
    {"length not minimal", B(0x81, 126, 0, 5, 'a'), WS_END_PROTOCOL, 0, "",
	1002},
    {"over the limit", B(0x81, 126, 1, 1, 'a'), WS_END_TOO_BIG, 0, "", 1009},
    {"absurd length", B(0x81, 127, 0x7f, 0xff, 0, 0, 0, 0, 0, 0, 'a'),
	WS_END_TOO_BIG, 0, "", 1009},
    {"half a header", B(0x81), 0, 0, "", 0},
};
#define INPUT_CASE_N (sizeof(input_cases) / sizeof(input_cases[0]))

/* The close code in a masked client frame queued for output, 0 if none. */
static unsigned
queued_close(const struct ws_session *s)
{
	const uint8_t *p;
	size_t n = ws_session_pending(s, &p);
	while (n >= 6) {
		size_t size = p[1] & 0x7f;
		if ((p[0] & 0x0f) == 8 && size >= 2)
			return (unsigned)(p[6] ^ p[2]) << 8 |
			       (unsigned)(p[7] ^ p[3]);
		p += 6 + size;
		n -= 6 + size;
	}
	return 0;
}

static void
run_input(const struct input_case *t, size_t step)
{
	struct seen seen;
	struct ws_session s;
	session_make(&s, WS_CLIENT, 256, &seen);
	for (size_t i = 0; i < t->n; i += step) {
		size_t n = t->n - i < step ? t->n - i : step;
		(void)ws_session_feed(&s, t->bytes + i, n, 42);
	}
	if (s.end != t->end || seen.n != t->messages ||
	    strcmp(seen.text, t->text) != 0 || queued_close(&s) != t->out_close)
		fail_msg("%s, %zu at a time: end %s, %u messages, last '%s', "
			 "close %u",
		    t->name, step, ws_end_name(s.end), seen.n, seen.text,
		    queued_close(&s));
	if (seen.n > 0)
		assert_int_equal(seen.recv_ns, 42);
	ws_session_free(&s);
}

static void
test_input_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < INPUT_CASE_N; i++)
		run_input(&input_cases[i], 4096);
}

static void
test_input_bytewise(void **state)
{
	(void)state;
	for (size_t i = 0; i < INPUT_CASE_N; i++) {
		run_input(&input_cases[i], 1);
		run_input(&input_cases[i], 3);
	}
}

static void
test_limit_counts_all_fragments(void **state)
{
	struct seen seen;
	uint8_t frame[2 + 100] = {0x01, 100};
	(void)state;
	struct ws_session s;
	session_make(&s, WS_CLIENT, 256, &seen);
	assert_true(ws_session_feed(&s, frame, sizeof(frame), 1));
	frame[0] = 0x00;
	assert_true(ws_session_feed(&s, frame, sizeof(frame), 1));
	assert_false(ws_session_feed(&s, frame, sizeof(frame), 1));
	assert_int_equal(s.end, WS_END_TOO_BIG);
	ws_session_free(&s);
}

static void
test_eof_reasons(void **state)
{
	struct seen seen;
	(void)state;
	const struct {
		const uint8_t *bytes;
		size_t n;
		enum ws_end end;
	} cases[] = {
	    {B(0x81, 1, 'a'), WS_END_EOF},
	    {B(0x81), WS_END_EOF_MID},
	    {B(0x81, 3), WS_END_EOF_MID},
	    {B(0x81, 3, 'a'), WS_END_EOF_MID},
	    {B(0x01, 1, 'a'), WS_END_EOF_MID},
	    {B(0x81, 126, 0), WS_END_EOF_MID},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ws_session s;
		session_make(&s, WS_CLIENT, 256, &seen);
		assert_true(ws_session_feed(&s, cases[i].bytes, cases[i].n, 1));
		ws_session_eof(&s);
		assert_int_equal(s.end, cases[i].end);
		ws_session_free(&s);
	}
}

static void
test_ping_is_answered(void **state)
{
	struct seen seen;
	const uint8_t *out;
	(void)state;
	struct ws_session s;
	session_make(&s, WS_SERVER, 256, &seen);
	/* masked ping "hi" */
	assert_true(ws_session_feed(
	    &s, B(0x89, 0x82, 1, 1, 1, 1, 'h' ^ 1, 'i' ^ 1), 5));
	assert_int_equal(seen.kind, WS_PING);
	assert_int_equal(ws_session_pending(&s, &out), 4);
	assert_memory_equal(out, ((uint8_t[]){0x8a, 2, 'h', 'i'}), 4);
	assert_false(ws_session_feed(&s, B(0x81, 1, 'a'), 5));
	assert_int_equal(s.end, WS_END_PROTOCOL);
	ws_session_free(&s);
}

static void
test_ping_flood_is_bounded(void **state)
{
	struct seen seen;
	uint8_t ping[2 + WS_CONTROL_MAX] = {0x89, WS_CONTROL_MAX};
	const uint8_t *out;
	(void)state;
	struct ws_session s;
	session_make(&s, WS_CLIENT, 256, &seen);
	for (unsigned i = 0; i < 1000; i++)
		(void)ws_session_feed(&s, ping, sizeof(ping), 1);
	assert_int_equal(s.end, WS_END_OVERFLOW);
	assert_true(ws_session_pending(&s, &out) < 4096 + 600);
	ws_session_free(&s);
}

static void
test_output_limit(void **state)
{
	struct seen seen;
	char big[4000];
	(void)state;
	memset(big, 'x', sizeof(big));
	struct ws_session s;
	session_make(&s, WS_CLIENT, 256, &seen);
	assert_int_equal(ws_session_send(&s, WS_TEXT, big, 5000), -ENOBUFS);
	assert_int_equal(ws_session_send(&s, WS_TEXT, big, 4000), 0);
	assert_int_equal(ws_session_send(&s, WS_TEXT, big, 200), -ENOBUFS);
	assert_int_equal(ws_session_send(&s, WS_PING, big, 126), -EMSGSIZE);
	ws_session_wrote(&s, 2000);
	assert_int_equal(ws_session_send(&s, WS_TEXT, big, 1500), 0);
	ws_session_close(&s, 1000, "done");
	assert_int_equal(ws_session_send(&s, WS_TEXT, big, 1), -EPIPE);
	ws_session_free(&s);
}

/* Client to server through the two sessions, all sizes around the steps of
 * the length field. */
static void
test_sizes_round_trip(void **state)
{
	static const size_t sizes[] = {
	    0, 1, 125, 126, 127, 4095, 4096, 4097, 65535, 65536, 200000};
	struct seen seen;
	struct seen unused;
	(void)state;
	char *big = calloc(1, 200000);
	assert_non_null(big);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct ws_session server;
		session_make(&server, WS_SERVER, 200000, &seen);
		struct ws_session client;
		session_make(&client, WS_CLIENT, 1, &unused);
		ws_session_free(&client);
		struct ws_session_cfg cfg = {
		    .role = WS_CLIENT,
		    .mask_seed = i,
		    .on_message = note_message,
		    .user = &unused,
		};
		assert_int_equal(ws_session_init(&client, &cfg), 0);
		big[0] = 'q';
		assert_int_equal(
		    ws_session_send(&client, WS_BINARY, big, sizes[i]), 0);
		const uint8_t *out;
		size_t n = ws_session_pending(&client, &out);
		assert_true(ws_session_feed(&server, out, n, 9));
		assert_int_equal(seen.n, 1);
		assert_int_equal(seen.size, sizes[i]);
		assert_int_equal(seen.kind, WS_BINARY);
		assert_string_equal(seen.text, sizes[i] > 0 ? "q" : "");
		ws_session_free(&client);
		ws_session_free(&server);
	}
	free(big);
}

/* A message in parts is the same message; a part too many for the buffer
 * leaves nothing behind; pings that were left are not answered. */
static void
test_parts_and_left_pings(void **state)
{
	struct ws_session server;
	struct ws_session client;
	struct seen seen;
	struct seen none;
	const uint8_t *bytes;
	(void)state;
	for (size_t part = 1; part <= 8; part++) {
		session_make(&server, WS_SERVER, 0, &none);
		session_make(&client, WS_CLIENT, 0, &seen);
		assert_int_equal(
		    ws_session_send_parts(&server, WS_TEXT, "seven!!", 7, part),
		    0);
		size_t n = ws_session_pending(&server, &bytes);
		size_t frames = (7 + part - 1) / part;
		assert_int_equal(n, 7 + 2 * frames);
		assert_int_equal(bytes[0], frames > 1 ? 0x01 : 0x81);
		assert_true(ws_session_feed(&client, bytes, n, 1));
		assert_int_equal(seen.n, 1);
		assert_string_equal(seen.text, "seven!!");
		assert_int_equal(ws_session_send_parts(
				     &server, WS_TEXT, "0123456789", 4090, 1),
		    -ENOBUFS);
		assert_int_equal(ws_session_pending(&server, &bytes), n);
		ws_session_free(&server);
		ws_session_free(&client);
	}
	session_make(&client, WS_CLIENT, 0, &seen);
	client.leaves_pings = true;
	assert_true(ws_session_feed(&client, B(0x89, 1, 'x'), 1));
	assert_int_equal(seen.kind, WS_PING);
	assert_int_equal(ws_session_pending(&client, &bytes), 0);
	ws_session_free(&client);
}

static void
test_accept_key(void **state)
{
	char out[WS_ACCEPT_MAX];
	(void)state;
	/* the example of RFC 6455, section 1.3 */
	ws_accept_key("dGhlIHNhbXBsZSBub25jZQ==", 24, out);
	assert_string_equal(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	ws_make_key(1, 2, out);
	assert_int_equal(strlen(out), 24);
}

static void
test_close_codes(void **state)
{
	(void)state;
	static const unsigned bad[] = {
	    0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(ws_close_code_ok(bad[i]));
	for (unsigned c = 1007; c <= 1014; c++)
		assert_true(ws_close_code_ok(c));
	assert_true(ws_close_code_ok(1000));
	assert_true(ws_close_code_ok(4999));
}

static void
bad_role(void)
{
	struct ws_session s;
	struct ws_session_cfg cfg = {.on_message = note_message};
	(void)ws_session_init(&s, &cfg);
}

static void
no_receiver(void)
{
	struct ws_session s;
	struct ws_session_cfg cfg = {.role = WS_CLIENT};
	(void)ws_session_init(&s, &cfg);
}

static void
wrote_too_much(void)
{
	struct seen seen;
	struct ws_session s;
	session_make(&s, WS_CLIENT, 256, &seen);
	ws_session_wrote(&s, 1);
}

static void
bad_kind(void)
{
	struct seen seen;
	struct ws_session s;
	session_make(&s, WS_CLIENT, 256, &seen);
	(void)ws_session_send(&s, WS_KIND_N, "", 0);
}

static void
long_key(void)
{
	static const char key[65];
	char out[WS_ACCEPT_MAX];
	ws_accept_key(key, sizeof(key), out);
}

static void
test_contracts(void **state)
{
	(void)state;
	assert_true(contract_fails(bad_role));
	assert_true(contract_fails(no_receiver));
	assert_true(contract_fails(wrote_too_much));
	assert_true(contract_fails(bad_kind));
	assert_true(contract_fails(long_key));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_input_whole),
	    cmocka_unit_test(test_input_bytewise),
	    cmocka_unit_test(test_limit_counts_all_fragments),
	    cmocka_unit_test(test_eof_reasons),
	    cmocka_unit_test(test_ping_is_answered),
	    cmocka_unit_test(test_ping_flood_is_bounded),
	    cmocka_unit_test(test_output_limit),
	    cmocka_unit_test(test_sizes_round_trip),
	    cmocka_unit_test(test_parts_and_left_pings),
	    cmocka_unit_test(test_accept_key),
	    cmocka_unit_test(test_close_codes),
	    cmocka_unit_test(test_contracts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

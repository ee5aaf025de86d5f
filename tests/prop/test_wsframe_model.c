/* links: libsys libshm libcore */
/*
 * A WebSocket session against a plain encoder: random messages, cut into
 * random fragments with pings between, delivered in random pieces, come out
 * as they went in; the same with bytes flipped gives the same end however
 * the bytes are cut. HTTP heads: what a prefix says is never taken back.
 * Seeded; PROP_SEED=n repeats one run.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libcore/hash.h"
#include "libsys/httpmsg.h"
#include "libsys/wsframe.h"

#define RUNS	     400u
#define WIRE_MAX     65536u
#define MSG_MAX	     5000u
#define HEAD_MUTANTS 4000u

static uint64_t rng;

static uint64_t
next(void)
{
	rng = hash_u64(rng, 1);
	return rng;
}

static size_t
below(size_t n)
{
	return (size_t)(next() % n);
}

static uint64_t
seed_of(unsigned run)
{
	const char *env = getenv("PROP_SEED");
	return env != NULL ? strtoull(env, NULL, 0) : run + 1;
}

/* ---- the plain encoder ---- */

struct wire {
	size_t n;
	uint8_t bytes[WIRE_MAX];
	uint64_t hash; /* of the messages in it */
	unsigned message_n;
};

static void
put_frame(struct wire *w, uint8_t first, const uint8_t *data, size_t n)
{
	uint8_t *p = w->bytes + w->n;
	*p++ = first;
	if (n < 126) {
		*p++ = (uint8_t)n;
	} else {
		*p++ = 126;
		*p++ = (uint8_t)(n >> 8);
		*p++ = (uint8_t)n;
	}
	if (n > 0)
		memcpy(p, data, n);
	w->n = (size_t)(p - w->bytes) + n;
}

static uint64_t
message_hash(uint64_t h, enum ws_kind kind, const uint8_t *data, size_t n)
{
	return hash_u64(hash_bytes(hash_u64(h, kind), data, n), n);
}

static void
put_message(struct wire *w)
{
	uint8_t data[MSG_MAX];
	size_t n = below(4) == 0 ? below(MSG_MAX) : below(200);
	uint8_t opcode = below(2) ? 1 : 2;
	for (size_t i = 0; i < n; i++)
		data[i] = (uint8_t)next();
	size_t at = 0;
	bool is_first = true;
	do {
		size_t part = below(3) == 0 ? n - at : below(n - at + 1);
		bool is_last = at + part == n;
		put_frame(w,
		    (uint8_t)((is_first ? opcode : 0) | (is_last ? 0x80 : 0)),
		    data + at, part);
		at += part;
		is_first = false;
		if (!is_last && below(4) == 0) {
			size_t ping_n = n < 20 ? n : 20;
			put_frame(w, 0x89, data, ping_n);
			w->hash = message_hash(w->hash, WS_PING, data, ping_n);
			w->message_n++;
		}
	} while (at < n);
	w->hash =
	    message_hash(w->hash, opcode == 1 ? WS_TEXT : WS_BINARY, data, n);
	w->message_n++;
}

/* ---- what a session makes of it ---- */

struct result {
	uint64_t hash;
	unsigned message_n;
	enum ws_end end;
};

static void
on_message(void *user, const struct ws_message *m)
{
	struct result *r = user;
	r->hash = message_hash(r->hash, m->kind, m->data, m->n);
	r->message_n++;
}

static struct result
deliver(const struct wire *w, size_t piece_max)
{
	struct result r = {0};
	struct ws_session s;
	struct ws_session_cfg cfg = {
	    .role = WS_CLIENT,
	    .msg_max = MSG_MAX,
	    .on_message = on_message,
	    .user = &r,
	};
	assert_int_equal(ws_session_init(&s, &cfg), 0);
	for (size_t at = 0; at < w->n;) {
		size_t n = piece_max == 0 ? w->n : 1 + below(piece_max);
		if (n > w->n - at)
			n = w->n - at;
		(void)ws_session_feed(&s, w->bytes + at, n, 1);
		at += n;
	}
	ws_session_eof(&s);
	r.end = s.end;
	ws_session_free(&s);
	return r;
}

static void
same(const struct result *a, const struct result *b, uint64_t seed)
{
	if (a->hash != b->hash || a->message_n != b->message_n ||
	    a->end != b->end)
		fail_msg("PROP_SEED=%llu: %u messages, %s; or %u, %s",
		    (unsigned long long)seed, a->message_n, ws_end_name(a->end),
		    b->message_n, ws_end_name(b->end));
}

static void
test_any_pieces(void **state)
{
	static struct wire w;
	(void)state;
	for (unsigned run = 0; run < RUNS; run++) {
		uint64_t seed = seed_of(run);
		rng = seed;
		memset(&w, 0, sizeof(w));
		while (w.n < WIRE_MAX / 8)
			put_message(&w);
		struct result want = {.hash = w.hash,
		    .message_n = w.message_n,
		    .end = WS_END_EOF};
		struct result got = deliver(&w, 0);
		same(&want, &got, seed);
		got = deliver(&w, 1);
		same(&want, &got, seed);
		got = deliver(&w, 3000);
		same(&want, &got, seed);
	}
}

static void
test_flipped_bytes(void **state)
{
	static struct wire w;
	(void)state;
	for (unsigned run = 0; run < RUNS; run++) {
		uint64_t seed = seed_of(run);
		rng = seed;
		memset(&w, 0, sizeof(w));
		while (w.n < 2000)
			put_message(&w);
		for (size_t i = 1 + below(4); i > 0; i--)
			w.bytes[below(w.n)] ^= (uint8_t)(1 + below(255));
		struct result whole = deliver(&w, 0);
		struct result parts = deliver(&w, 1);
		same(&whole, &parts, seed);
		parts = deliver(&w, 100);
		same(&whole, &parts, seed);
	}
}

/* ---- heads ---- */

static void
test_head_prefixes(void **state)
{
	static const char good[] =
	    "POST /a/b?c=d%20e HTTP/1.1\r\nHost: localhost:18801\r\n"
	    "Content-Length: 12\r\nConnection: keep-alive, Upgrade\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
	static const char likely[] = "\r\n: ?=%/,\t\0GH10";
	char text[sizeof(good)];
	struct http_head h;
	(void)state;
	for (unsigned run = 0; run < HEAD_MUTANTS; run++) {
		uint64_t seed = seed_of(run);
		rng = seed;
		memcpy(text, good, sizeof(good));
		for (size_t i = below(4); i > 0; i--)
			text[below(sizeof(good) - 1)] =
			    below(2) ? likely[below(sizeof(likely) - 1)]
				     : (char)next();
		int last = 0;
		for (size_t n = 0; n < sizeof(good); n++) {
			int rc = http_request_parse(text, n, &h);
			if (last != 0 && rc != last)
				fail_msg("PROP_SEED=%llu: %d, then %d",
				    (unsigned long long)seed, last, rc);
			if (rc == 1)
				assert_true(h.head_n <= n);
			last = rc;
		}
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_any_pieces),
	    cmocka_unit_test(test_flipped_bytes),
	    cmocka_unit_test(test_head_prefixes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

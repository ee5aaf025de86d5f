/* links: execd libsign libvenue libsys libshm libcore */
/*
 * The pool over TLS: a private authority, warm sessions, and servers that
 * are not who they should be.
 */
#define _GNU_SOURCE
#include "tests/unit/tlskit.h"

#include "execd/pool_io.h"

struct told {
	unsigned sent_n;
	uint64_t first_sent_ns;
	uint64_t last_sent_ns;
	unsigned n;
	unsigned status;
	bool was_sent;
	char error[256];
};

static bool
may_send(void *user)
{
	(void)user;
	return true;
}

static void
on_sent(void *user, uint64_t tag, uint64_t ns)
{
	struct told *t = user;

	assert_int_equal(tag, 5);
	assert_true(ns >= t->last_sent_ns);
	if (t->sent_n++ == 0)
		t->first_sent_ns = ns;
	t->last_sent_ns = ns;
}

static void
on_answer(void *user, const struct pool_answer *a)
{
	struct told *t = user;

	t->n++;
	t->status = a->status;
	if (a->sent_ns != 0)
		assert_in_range(a->sent_ns, t->first_sent_ns, t->last_sent_ns);
	t->was_sent = a->was_sent;
	(void)snprintf(
	    t->error, sizeof(t->error), "%s", a->error != NULL ? a->error : "");
}

static struct pool *
open_pool(struct tls_pair *p, struct told *t, const char *ca)
{
	char url[64];
	struct pool_cfg cfg = {.loop = &p->loop,
	    .url = url,
	    .ca_path = cert(ca),
	    .connections = {0, 2, 1, 0, 0},
	    .keep_warm_ns = UINT64_C(60000000000),
	    .warm_target = "/time",
	    .may_send = may_send,
	    .on_sent = on_sent,
	    .on_answer = on_answer,
	    .user = t};
	struct pool *pool;

	(void)snprintf(url, sizeof(url), "https://localhost:%u",
	    (unsigned)httpd_port(p->server));
	pool = pool_open(&cfg);
	assert_non_null(pool);
	return pool;
}

static void
order(struct pool *pool)
{
	struct pool_call c = {.tag = 5,
	    .role = POOL_ORDERS,
	    .method = "POST",
	    .target = "/order",
	    .body = "{}",
	    .body_n = 2,
	    .timeout_ns = UINT64_C(3000000000),
	    .is_once = true,
	    .is_gated = true};

	assert_int_equal(pool_call(pool, &c), 0);
}

static void
finish(struct tls_pair *p, struct pool *pool)
{
	pool_close(pool);
	pair_close(p);
}

static void
a_private_authority_is_enough(void **state)
{
	struct told t = {0};
	struct tls_pair p;
	struct pool *pool;

	(void)state;
	if (!has_certs)
		skip();
	pair_open(&p, "localhost", "ca.pem");
	pool = open_pool(&p, &t, "ca.pem");
	while (pool_stats(pool)->warm < 3 && !p.is_stuck)
		(void)uv_run(&p.loop, UV_RUN_ONCE);
	for (unsigned i = 1; i <= 10; i++) {
		order(pool);
		order(pool);
		pair_wait(&p, &t.n, 2 * i);
		assert_int_equal(t.status, 200);
		assert_int_equal(t.sent_n, 2 * i);
	}
	assert_int_equal(pool_stats(pool)->cold, 0);
	finish(&p, pool);
}

/* Nothing of an order is told to somebody else. */
static void
strangers_are_refused(void **state)
{
	static const struct {
		const char *server;
		const char *ca;
	} cases[] = {{"localhost", "other.pem"}, {"elsewhere.test", "ca.pem"},
	    {"expired", "ca.pem"}};

	(void)state;
	if (!has_certs)
		skip();
	for (unsigned i = 0; i < 3; i++) {
		struct told t = {0};
		struct tls_pair p;
		struct pool *pool;

		pair_open(&p, cases[i].server, "ca.pem");
		pool = open_pool(&p, &t, cases[i].ca);
		order(pool);
		pair_wait(&p, &t.n, 1);
		assert_int_equal(t.status, 0);
		assert_false(t.was_sent);
		assert_string_not_equal(t.error, "");
		assert_int_equal(pool_stats(pool)->warm, 0);
		finish(&p, pool);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_private_authority_is_enough),
	    cmocka_unit_test(strangers_are_refused),
	};

	return cmocka_run_group_tests(tests, make_certs, remove_certs);
}

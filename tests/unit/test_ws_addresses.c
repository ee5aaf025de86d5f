/* links: libsys libshm libcore */
/*
 * A name with several addresses. The resolver is ours: what it answers is a
 * list of loopback addresses, of which some swallow every request to connect,
 * and some take it and then say nothing.
 */
#define _GNU_SOURCE
#include <netdb.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "libsys/addrs.h"
#include "libsys/ws.h"

#define HOSTS	 3u
#define FILLERS	 8u
#define LIMIT_MS 900u

static struct host {
	struct sockaddr_in at;
	int fd;
	unsigned taken; /* connections */
	int client[16];
	int filler[FILLERS];
} host[HOSTS];

static unsigned hosts_n;

/* Of the list of hosts, whatever the name. */
int
getaddrinfo(const char *name, const char *port, const struct addrinfo *hints,
    struct addrinfo **out)
{
	(void)name;
	(void)port;
	if (hints != NULL && (hints->ai_flags & AI_NUMERICHOST) != 0)
		return EAI_NONAME;
	*out = NULL;
	for (unsigned i = hosts_n; i-- > 0;) {
		struct addrinfo *one = calloc(1, sizeof(*one));

		one->ai_family = AF_INET;
		one->ai_socktype = SOCK_STREAM;
		one->ai_addrlen = sizeof(host[i].at);
		one->ai_addr = (struct sockaddr *)&host[i].at;
		one->ai_next = *out;
		*out = one;
	}
	return 0;
}

void
freeaddrinfo(struct addrinfo *all)
{
	while (all != NULL) {
		struct addrinfo *next = all->ai_next;

		free(all);
		all = next;
	}
}

/* Listens on 127.0.0.<i + 1>, on the port of the first. */
static void
listen_on(unsigned i, int backlog)
{
	struct host *h = &host[i];
	socklen_t n = sizeof(h->at);
	int on = 1;

	memset(h, 0, sizeof(*h));
	h->at.sin_family = AF_INET;
	h->at.sin_port = i == 0 ? 0 : host[0].at.sin_port;
	h->at.sin_addr.s_addr = htonl(INADDR_LOOPBACK + i);
	h->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_true(h->fd >= 0);
	(void)setsockopt(h->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(h->fd, (struct sockaddr *)&h->at, n), 0);
	assert_int_equal(listen(h->fd, backlog), 0);
	assert_int_equal(getsockname(h->fd, (struct sockaddr *)&h->at, &n), 0);
	memset(h->filler, -1, sizeof(h->filler));
}

/* A queue that is full drops every further request. */
static void
fill(unsigned i)
{
	for (unsigned k = 0; k < FILLERS; k++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

		assert_true(fd >= 0);
		(void)connect(fd, (const struct sockaddr *)&host[i].at,
		    sizeof(host[i].at));
		host[i].filler[k] = fd;
	}
}

static void
close_hosts(void)
{
	for (unsigned i = 0; i < hosts_n; i++) {
		for (unsigned k = 0; k < host[i].taken; k++)
			close(host[i].client[k]);
		for (unsigned k = 0; k < FILLERS; k++)
			if (host[i].filler[k] >= 0)
				close(host[i].filler[k]);
		close(host[i].fd);
	}
}

static void
accept_all(unsigned i)
{
	int fd;

	while (host[i].taken < 16 && (fd = accept(host[i].fd, 0, 0)) >= 0)
		host[i].client[host[i].taken++] = fd;
}

static bool ended;
static enum ws_end how;

static void
on_open(void *user)
{
	(void)user;
	fail_msg("nobody answers");
}

static void
on_message(void *user, const struct ws_message *m)
{
	(void)user;
	(void)m;
}

static void
on_close(void *user, enum ws_end end, unsigned code, const char *text)
{
	(void)user;
	(void)code;
	(void)text;
	ended = true;
	how = end;
}

static uv_loop_t loop;

static struct ws_client *
client(void)
{
	char url[64];
	int err = 0;
	struct ws_client_cfg cfg = {.loop = &loop,
	    .url = url,
	    .open_timeout_ms = LIMIT_MS,
	    .events = {on_open, on_message, on_close}};
	struct ws_client *c;

	snprintf(url, sizeof(url), "ws://many.test:%u/",
	    (unsigned)ntohs(host[0].at.sin_port));
	assert_int_equal(uv_loop_init(&loop), 0);
	c = ws_client_create(&cfg, &err);
	assert_non_null(c);
	return c;
}

/* One attempt, to its end. */
static void
attempt(struct ws_client *c)
{
	ended = false;
	assert_int_equal(ws_client_connect(c), 0);
	while (!ended)
		uv_run(&loop, UV_RUN_ONCE);
}

static void
stop(struct ws_client *c)
{
	ws_client_destroy(c);
	while (uv_run(&loop, UV_RUN_DEFAULT) != 0)
		;
	assert_int_equal(uv_loop_close(&loop), 0);
	close_hosts();
}

/* The first address swallows the request: the second one is reached within
 * the same limit. */
static void
black_hole_leaves_time_for_the_next(void **state)
{
	struct ws_client *c;

	(void)state;
	hosts_n = 2;
	listen_on(0, 0);
	listen_on(1, 16);
	fill(0);
	c = client();
	attempt(c);
	assert_int_equal(how, WS_END_TIMEOUT);
	accept_all(1);
	assert_int_equal(host[1].taken, 1);
	stop(c);
}

/* An address that takes the connection and says nothing is not the first
 * one every time. */
static void
next_attempt_begins_after_the_silent_one(void **state)
{
	struct ws_client *c;

	(void)state;
	hosts_n = 3;
	for (unsigned i = 0; i < hosts_n; i++)
		listen_on(i, 16);
	c = client();
	for (unsigned k = 0; k < 4; k++) {
		attempt(c);
		assert_int_equal(how, WS_END_TIMEOUT);
	}
	for (unsigned i = 0; i < hosts_n; i++)
		accept_all(i);
	assert_int_equal(host[0].taken, 2);
	assert_int_equal(host[1].taken, 1);
	assert_int_equal(host[2].taken, 1);
	stop(c);
}

static void
every_address_once_an_attempt(void **state)
{
	struct addrs a = {0};
	struct addrinfo *all;
	const struct addrinfo *ai;

	(void)state;
	hosts_n = 3;
	for (unsigned k = 0; k < 5; k++) {
		unsigned seen[HOSTS] = {0};

		assert_int_equal(getaddrinfo("many.test", "1", NULL, &all), 0);
		addrs_begin(&a, all);
		for (unsigned left = 3; (ai = addrs_next(&a)) != NULL;) {
			left--;
			seen[a.at]++;
			assert_ptr_equal(ai->ai_addr, &host[a.at].at);
			assert_int_equal(addrs_share(&a, 900),
			    left == 0 ? 0 : 900 / (left + 1));
			if (k == 4 && a.at == 1) { /* it works */
				addrs_well(&a);
				break;
			}
		}
		for (unsigned i = 0; k < 4 && i < 3; i++)
			assert_int_equal(seen[i], 1);
		addrs_free(&a);
	}
	assert_int_equal(getaddrinfo("many.test", "1", NULL, &all), 0);
	addrs_begin(&a, all);
	assert_non_null(addrs_next(&a));
	assert_int_equal(a.at, 1); /* the one that was well comes first */
	addrs_free(&a);
	assert_null(addrs_next(&a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(black_hole_leaves_time_for_the_next),
	    cmocka_unit_test(next_attempt_begins_after_the_silent_one),
	    cmocka_unit_test(every_address_once_an_attempt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

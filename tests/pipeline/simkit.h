/*
 * simkit.h - asking a simvenue that a rig runs: its control endpoint, its
 * ledger, its markets. Blocking, one request a connection. Include once in a
 * test, after cmocka.
 */
#ifndef TESTS_PIPELINE_SIMKIT_H
#define TESTS_PIPELINE_SIMKIT_H

#include <arpa/inet.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/pipeline/rig.h"

#define SIMKIT_TEXT ((size_t)8 << 20)

static unsigned simkit_port; /* of Polymarket */
static char simkit_text[SIMKIT_TEXT];

/* Of the rig's ready line, right after rig_venue. */
static inline void
simkit_open(const struct rig *r)
{
	simkit_port =
	    (unsigned)rig_json(r->out, "\"venue\":\"polymarket\"", "port");
	assert_true(simkit_port > 0);
}

/* simkit_http - the status; the body is in simkit_text. 0: no answer. */
static inline unsigned
simkit_http(const char *method, const char *path, const char *body)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)simkit_port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char head[512];
	size_t n = 0;
	ssize_t got;
	unsigned status;
	char *end;

	assert_true(fd >= 0);
	snprintf(head, sizeof(head),
	    "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
	    "Content-Length: %zu\r\n\r\n%s",
	    method, path, strlen(body), body);
	simkit_text[0] = '\0';
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
	    send(fd, head, strlen(head), MSG_NOSIGNAL) < 0) {
		close(fd);
		return 0;
	}
	while (n < SIMKIT_TEXT - 1 &&
	       (got = recv(fd, simkit_text + n, SIMKIT_TEXT - 1 - n, 0)) > 0)
		n += (size_t)got;
	simkit_text[n] = '\0';
	close(fd);
	status = n > 12 ? (unsigned)strtoul(simkit_text + 9, NULL, 10) : 0;
	end = strstr(simkit_text, "\r\n\r\n");
	if (end != NULL)
		memmove(simkit_text, end + 4, strlen(end + 4) + 1);
	return status;
}

/* simkit_json - what a path answers; the caller's to json_decref. */
static inline json_t *
simkit_json(const char *path)
{
	json_error_t e;
	json_t *j;

	if (simkit_http("GET", path, "") != 200)
		fail_msg("%s: %s", path, simkit_text);
	j = json_loads(simkit_text, 0, &e);
	if (j == NULL)
		fail_msg("%s: %s at %d", path, e.text, e.position);
	return j;
}

static inline void
simkit_fault(const char *json)
{
	if (simkit_http("POST", "/sim/faults", json) != 200)
		fail_msg("%s: %s", json, simkit_text);
}

/* simkit_clear - of one name, or of all: "". */
static inline void
simkit_clear(const char *name)
{
	char path[96];

	snprintf(path, sizeof(path), "/sim/faults%s%s", *name ? "/" : "", name);
	assert_int_equal(simkit_http("DELETE", path, ""), 200);
}

static inline int64_t
simkit_i64(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	if (!json_is_integer(v))
		fail_msg("no number \"%s\"", key);
	return json_integer_value(v);
}

/* simkit_account - of the first public development key, in a ledger. */
static inline json_t *
simkit_account(json_t *ledger, const char *venue)
{
	json_t *list =
	    json_object_get(json_object_get(ledger, venue), "accounts");
	json_t *a;
	size_t i;

	json_array_foreach(list, i, a)
	{
		const char *who =
		    json_string_value(json_object_get(a, "address"));

		if (who != NULL &&
		    strcasecmp(
			who, "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266") == 0)
			return a;
	}
	return NULL;
}

/* open_orders - of that account. */
static inline size_t
open_orders(json_t *ledger_now, const char *venue)
{
	return json_array_size(
	    json_object_get(simkit_account(ledger_now, venue), "orders"));
}

/* is_settled - no trade of a Polymarket account is under way. */
static inline bool
is_settled(json_t *account)
{
	json_t *usd = json_object_get(account, "usd");
	json_t *t;
	size_t i;

	if (simkit_i64(usd, "out_e6") != 0 || simkit_i64(usd, "in_e6") != 0)
		return false;
	json_array_foreach(json_object_get(account, "tokens"), i, t)
	{
		if (simkit_i64(t, "out_e8") != 0 || simkit_i64(t, "in_e8") != 0)
			return false;
	}
	return true;
}

#endif

#define _GNU_SOURCE
#include "supervisor/ledger_sim_io.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT_S 3

static bool
fail(char why[LEDGER_WHY_SZ], const char *what, const char *more)
{
	snprintf(why, LEDGER_WHY_SZ, "%s%s%s", what, more[0] ? ": " : "", more);
	return false;
}

static int
dial(const char *url, char why[LEDGER_WHY_SZ])
{
	const struct timeval limit = {.tv_sec = LIMIT_S};
	struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const char *host = strncmp(url, "http://", 7) == 0 ? url + 7 : "";
	const char *port = strchr(host, ':');
	int fd;

	if (port == NULL || (strncmp(host, "127.", 4) != 0 &&
				strncmp(host, "localhost:", 10) != 0)) {
		fail(why, "no plain address of this machine", url);
		return -1;
	}
	a.sin_port = htons((uint16_t)strtoul(port + 1, NULL, 10));
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) <
		0 ||
	    connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		fail(why, url, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

static json_t *
get(const char *url, char why[LEDGER_WHY_SZ])
{
	static const char ask[] = "GET /sim/ledger HTTP/1.1\r\n"
				  "Host: localhost\r\n"
				  "Connection: close\r\n\r\n";
	int fd = dial(url, why);
	json_error_t je;
	json_t *j = NULL;
	char line[512];
	bool ok;
	FILE *f;

	if (fd < 0)
		return NULL;
	ok = send(fd, ask, sizeof(ask) - 1, MSG_NOSIGNAL) ==
	     (ssize_t)sizeof(ask) - 1;
	f = fdopen(fd, "r");
	if (f == NULL) {
		close(fd);
		return NULL;
	}
	ok = ok && fgets(line, sizeof(line), f) != NULL &&
	     strstr(line, " 200 ") != NULL;
	while (ok && fgets(line, sizeof(line), f) != NULL)
		if (strcmp(line, "\r\n") == 0)
			break;
	if (ok)
		j = json_loadf(f, JSON_DISABLE_EOF_CHECK, &je);
	fclose(f);
	if (j == NULL)
		fail(why, "no ledger at", url);
	return j;
}

static int64_t
num(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static const json_t *
account(const json_t *j, const char *venue, const char *address)
{
	const json_t *list =
	    json_object_get(json_object_get(j, venue), "accounts");
	size_t i;
	json_t *a;

	json_array_foreach(list, i, a)
	{
		const char *who = json_string_value(json_object_get(
		    a, json_object_get(a, "maker") ? "maker" : "address"));

		if (who != NULL && strcasecmp(who, address) == 0)
			return a;
	}
	return NULL;
}

/* What is held: settled, and on its way in or out. */
static int64_t
held(const json_t *o, const char *own, const char *in, const char *out)
{
	return num(o, own) + num(o, in) - num(o, out);
}

static void
take_pm(struct ledger *l, const json_t *a)
{
	const json_t *usd = json_object_get(a, "usd");
	size_t i;
	json_t *t;

	json_array_foreach(json_object_get(a, "tokens"), i, t)
	{
		const char *id = json_string_value(json_object_get(t, "token"));

		ledger_token(l, id != NULL ? id : "",
		    QTY(held(t, "own_e8", "in_e8", "out_e8")));
	}
	ledger_usd(
	    l, VENUE_POLYMARKET, USD(held(usd, "own_e6", "in_e6", "out_e6")));
}

static void
take_hl(struct ledger *l, const json_t *a)
{
	size_t i;
	json_t *p;

	json_array_foreach(json_object_get(a, "positions"), i, p)
	{
		const char *coin =
		    json_string_value(json_object_get(p, "coin"));

		ledger_coin(l, coin != NULL ? coin : "", QTY(num(p, "qty_e8")));
	}
	ledger_usd(l, VENUE_HYPERLIQUID, USD(num(a, "value_e6")));
}

bool
ledger_ask_sim(
    struct ledger *l, const struct ledger_ask *a, char why[LEDGER_WHY_SZ])
{
	json_t *j = get(a->url, why);
	const json_t *pm;
	const json_t *hl;
	bool ok = true;

	if (j == NULL)
		return false;
	pm = a->pm != NULL ? account(j, "polymarket", a->pm) : NULL;
	hl = a->hl != NULL ? account(j, "hyperliquid", a->hl) : NULL;
	if (a->pm != NULL && pm == NULL)
		ok = fail(why, "polymarket has no account of", a->pm);
	else if (a->hl != NULL && hl == NULL)
		ok = fail(why, "hyperliquid has no account of", a->hl);
	if (ok) {
		ledger_truth(l, a->at_ns);
		if (pm != NULL)
			take_pm(l, pm);
		if (hl != NULL)
			take_hl(l, hl);
	}
	json_decref(j);
	return ok;
}

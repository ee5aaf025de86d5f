/*
 * benchvenue.h - a real `simvenue --live` for a bench, and its quiet market.
 *
 * What    : starts it on any free ports, learns the market's tokens from its
 *           Gamma endpoint, asks it for its books. Include once, through
 *           benchrig.h.
 */
#ifndef TESTS_BENCH_BENCHVENUE_H
#define TESTS_BENCH_BENCHVENUE_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libshm/instr.h"
#include "libvenue/pm_id.h"
#include "tests/pipeline/proc.h"

#define TEXT_SZ ((size_t)17 << 20)

enum {
	EXECD,
	RISKD,
	QUOTED,
	VENUE,
	STAGES
};

static unsigned venue_port;
static char venue_text[TEXT_SZ];
static pid_t stages[STAGES];
static struct instr market_is = {.symbol = "quiet-market",
    .venue = VENUE_POLYMARKET,
    .cls = CLASS_BINARY,
    .state = INSTR_NORMAL,
    .epoch = 1,
    .tick_px = {E8 / 100},
    .lot_qty = {E8 / 100},
    .min_qty = {5 * E8},
    .token_kind = TOKEN_CONDITIONAL};

static inline void
die(const char *what, const char *why)
{
	fprintf(stderr, "bench: %s: %s\n", what, why);
	for (size_t i = 0; i < STAGES; i++)
		if (stages[i] > 0)
			kill(stages[i], SIGKILL);
	exit(1);
}

/* The body of an answer, in venue_text. */
static inline const char *
venue_get(const char *path)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)venue_port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char head[256];
	ssize_t got = 1;
	size_t n = 0;
	char *body;

	snprintf(head, sizeof(head),
	    "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
	    send(fd, head, strlen(head), MSG_NOSIGNAL) < 0)
		die(path, "simvenue does not answer");
	while (n < TEXT_SZ - 1 &&
	       (got = recv(fd, venue_text + n, TEXT_SZ - 1 - n, 0)) > 0)
		n += (size_t)got;
	close(fd);
	venue_text[n] = '\0';
	body = strstr(venue_text, "\r\n\r\n");
	if (body == NULL || strstr(venue_text, " 200 ") == NULL)
		die(path, "no good answer of simvenue");
	return body + 4;
}

static inline const char *
digits_after(const char *at, uint8_t token[32])
{
	struct pm_token t;

	at += strcspn(at, "0123456789");
	if (!pm_token_parse(at, strspn(at, "0123456789"), &t))
		die("simvenue", "its market has no tokens");
	memcpy(token, t.w, sizeof(t.w));
	return at + strspn(at, "0123456789");
}

static inline void
venue_market(void)
{
	const char *text = venue_get("/markets/slug/quiet-market");
	const char *at = strstr(text, "clobTokenIds");
	const char *c = strstr(text, "\"conditionId\":\"");
	struct pm_cond cond;

	if (at == NULL || c == NULL || !pm_cond_parse(c + 15, 66, &cond))
		die("simvenue", "no quiet market");
	at = digits_after(at, market_is.token_yes);
	digits_after(at, market_is.token_no);
	memcpy(market_is.condition, cond.b, sizeof(market_is.condition));
}

static inline bool
venue_is_up(void *arg)
{
	FILE *f = fopen(arg, "r");
	char line[4096];
	const char *at;

	if (f == NULL)
		return false;
	while (venue_port == 0 && fgets(line, sizeof(line), f) != NULL) {
		at = strstr(line, "\"venue\":\"polymarket\"");
		at = at != NULL ? strstr(at, "\"port\":") : NULL;
		if (at != NULL)
			venue_port = (unsigned)strtoul(at + 7, NULL, 10);
	}
	fclose(f);
	return venue_port != 0;
}

static inline void
venue_start(const char *dir)
{
	const char *argv[] = {"simvenue", "--live", "--series",
	    "btc-updown-1d:86400", "--rate", "0.01", "--port-base", "0",
	    "--json", NULL};
	char log[300];

	snprintf(log, sizeof(log), "%s/venue", dir);
	venue_port = 0;
	stages[VENUE] = proc_start(argv, log);
	if (!proc_until(venue_is_up, log, PROC_WAIT_MS))
		die("simvenue", "does not start");
	venue_market();
}

#endif

#define _GNU_SOURCE
#include "execd/doctor_io.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>

#include "execd/doctor_int.h"
#include "execd/keyload_io.h"
#include "libcore/check.h"
#include "libcore/json.h"
#include "libsys/clock.h"
#include "libsys/stage.h"

#define URL_SZ 512

void
doctor_say(struct doctor *d, enum doctor_verdict v, const char *check,
    const char *fmt, ...)
{
	static const char *const name[DOCTOR_VERDICT_N] = {
	    "?", "ok", "warn", "fail"};
	char text[512];
	char safe[1100];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	d->fail_n += v == DOCTOR_FAIL;
	if (!d->json) {
		printf("%-5s %-11s %-11s %s\n",
		    v == DOCTOR_FAIL ? "FAIL" : name[v], venue_name(d->venue),
		    check, text);
		return;
	}
	json_escape(text, strlen(text), safe, sizeof(safe));
	printf("{\"venue\":\"%s\",\"check\":\"%s\",\"verdict\":\"%s\","
	       "\"text\":\"%s\"}\n",
	    venue_name(d->venue), check, name[v], safe);
}

/* ---- asking ---- */

static size_t
take(char *bytes, size_t one, size_t n, void *user)
{
	struct doctor *d = user;

	n *= one;
	if (n >= DOCTOR_BODY_SZ - d->n)
		return 0;
	memcpy(d->body + d->n, bytes, n);
	d->n += n;
	d->body[d->n] = '\0';
	return n;
}

static struct curl_slist *
header_list(const char *lines, bool has_body)
{
	struct curl_slist *list =
	    has_body ? curl_slist_append(NULL, "Content-Type: application/json")
		     : NULL;
	char line[1024];

	while (lines != NULL && *lines != '\0') {
		size_t n = strcspn(lines, "\r\n");

		CHECK(n < sizeof(line));
		memcpy(line, lines, n);
		line[n] = '\0';
		list = curl_slist_append(list, line);
		lines += n;
		lines += strspn(lines, "\r\n");
	}
	return list;
}

/* What every connection has: a limit, and a verified certificate. */
static void
common(struct doctor *d, CURL *c, const char *url)
{
	const char *ca = d->cfg->tls_ca_file.s;

	d->n = 0;
	d->body[0] = '\0';
	d->status = 0;
	d->error[0] = '\0';
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)DOCTOR_LIMIT_S);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_CAINFO,
	    ca[0] != '\0' ? ca : "/etc/ssl/certs/ca-certificates.crt");
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, d->error);
}

bool
doctor_ask(struct doctor *d, const struct doctor_ask *a)
{
	struct curl_slist *list = header_list(a->headers, a->body != NULL);
	CURL *c = curl_easy_init();
	char url[URL_SZ];
	CURLcode rc;

	CHECK(c != NULL);
	snprintf(url, sizeof(url), "%s%s", a->url, a->target);
	common(d, c, url);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, d);
	if (a->body != NULL)
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, a->body);
	d->sent_ns = (int64_t)clock_wall_ns();
	rc = curl_easy_perform(c);
	d->got_ns = (int64_t)clock_wall_ns();
	if (rc == CURLE_OK)
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &d->status);
	else if (d->error[0] == '\0')
		snprintf(
		    d->error, sizeof(d->error), "%s", curl_easy_strerror(rc));
	curl_easy_cleanup(c);
	curl_slist_free_all(list);
	return d->status >= 200 && d->status < 300;
}

void
doctor_reach(struct doctor *d, const char *key, const char *url)
{
	CURL *c = curl_easy_init();
	char http[URL_SZ];
	CURLcode rc;

	CHECK(c != NULL);
	/* ws: and wss: connect as http: and https: do. */
	snprintf(http, sizeof(http), "http%s", url + strlen("ws"));
	common(d, c, http);
	curl_easy_setopt(c, CURLOPT_CONNECT_ONLY, 1L);
	rc = curl_easy_perform(c);
	if (rc == CURLE_OK)
		doctor_say(d, DOCTOR_OK, "reachable", "%s: %s", key, url);
	else
		doctor_say(d, DOCTOR_FAIL, "reachable",
		    "%s: %s: %s; check address, network and certificates", key,
		    url, d->error[0] ? d->error : curl_easy_strerror(rc));
	curl_easy_cleanup(c);
}

void
doctor_unanswered(struct doctor *d, const char *check, const char *what)
{
	const char *advice =
	    d->status == 0     ? "check address, network and certificates"
	    : d->status == 401 ? "credentials or the clock are wrong"
	    : d->status == 403 ? "this place or this account may not trade; do "
				 "not work around it"
	    : d->status == 425 ? "the venue's engine restarts; try again"
	    : d->status == 429 ? "too many requests; wait a minute"
	    : d->status >= 500 ? "the venue's trouble: its status page"
			       : "the venue's documentation of this answer";

	if (d->status == 0)
		doctor_say(d, DOCTOR_FAIL, check, "%s: no answer: %s; %s", what,
		    d->error, advice);
	else
		doctor_say(d, DOCTOR_FAIL, check, "%s: HTTP %ld: %.120s; %s",
		    what, d->status, d->body, advice);
}

void
doctor_clock(struct doctor *d, int64_t from_ns, int64_t to_ns)
{
	int64_t limit = d->cfg->risk_clock_skew_max.ns;
	int64_t apart = from_ns > d->got_ns  ? from_ns - d->got_ns
			: to_ns < d->sent_ns ? d->sent_ns - to_ns
					     : 0;

	if (apart > limit)
		doctor_say(d, DOCTOR_FAIL, "clock",
		    "the venue's clock and ours are at least %lld ms apart "
		    "(risk.clock_skew_max is %lld ms); timedatectl, chronyc "
		    "tracking",
		    (long long)(apart / NS_PER_MS),
		    (long long)(limit / NS_PER_MS));
	else
		doctor_say(d, DOCTOR_OK, "clock",
		    "no more than %lld ms apart is proven; answered in %lld "
		    "ms",
		    (long long)(apart / NS_PER_MS),
		    (long long)((d->got_ns - d->sent_ns) / NS_PER_MS));
}

/* ---- the key ---- */

static bool
key_there(struct doctor *d)
{
	const struct cfg *c = d->cfg;
	const char *file = d->venue == VENUE_HYPERLIQUID
			       ? c->hyperliquid_key_file.s
			       : c->polymarket_key_file.s;
	const char *var = d->venue == VENUE_HYPERLIQUID
			      ? "HYPERLIQUID_PRIVATE_KEY"
			      : "POLYMARKET_PRIVATE_KEY";
	bool in_env = getenv(var) != NULL && getenv(var)[0] != '\0';
	struct secret_why why;

	if (keyload_key(&d->key, c, d->venue, &d->secp, &why) < 0) {
		doctor_say(d, DOCTOR_FAIL, "key", "%s", why.text);
		return false;
	}
	if (!secp_address(&d->secp, key_bytes(&d->key), &d->address)) {
		doctor_say(d, DOCTOR_FAIL, "key", "has no address");
		return false;
	}
	address_format(&d->address, d->address_text);
	doctor_say(d, DOCTOR_OK, "key", "from %s, address %s",
	    file[0] != '\0' ? file
	    : in_env	    ? var
			    : "the public development keys (mode sim)",
	    d->address_text);
	return true;
}

int
doctor_run(const struct cfg *c, enum venue v, bool json)
{
	struct doctor d = {.cfg = c, .venue = v, .json = json};
	uint8_t seed[32];

	CHECK(v == VENUE_POLYMARKET || v == VENUE_HYPERLIQUID);
	d.body = malloc(DOCTOR_BODY_SZ);
	if (d.body == NULL || key_random(seed, sizeof(seed)) < 0 ||
	    curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(d.body);
		return EXIT_TEMPORARY;
	}
	secp_init(&d.secp, seed);
	if (key_there(&d)) {
		if (v == VENUE_POLYMARKET)
			doctor_pm(&d);
		else
			doctor_hl(&d);
	}
	secret_close(&d.key);
	secp_close(&d.secp);
	curl_global_cleanup();
	free(d.body);
	fflush(stdout);
	return d.fail_n > 0 ? DOCTOR_FAILED : 0;
}

static bool
read_cfg(struct cfg *c)
{
	size_t n = 0;
	size_t bad;
	ssize_t got = 1;
	char more;

	while (n < sizeof(*c) && got > 0) {
		got = read(STDIN_FILENO, (char *)c + n, sizeof(*c) - n);
		n += got > 0 ? (size_t)got : 0;
	}
	return n == sizeof(*c) && read(STDIN_FILENO, &more, 1) == 0 &&
	       cfg_valid(c, &bad);
}

int
doctor_main(int argc, char **argv)
{
	static struct cfg c;
	enum venue v = 0;
	bool json = argc == 4 && strcmp(argv[3], "--json") == 0;

	if (argc == 3 || json)
		v = strcmp(argv[2], venue_name(VENUE_POLYMARKET)) == 0
			? VENUE_POLYMARKET
		    : strcmp(argv[2], venue_name(VENUE_HYPERLIQUID)) == 0
			? VENUE_HYPERLIQUID
			: 0;
	if (v == 0 || strcmp(argv[1], "--doctor") != 0 || !read_cfg(&c)) {
		fprintf(stderr, "execd: --doctor VENUE [--json] is what "
				"supervisor doctor runs\n");
		return EXIT_PERMANENT;
	}
	return doctor_run(&c, v, json);
}

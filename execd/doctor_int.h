/*
 * doctor_int.h - between the files of the doctor (doctor_io.h).
 */
#ifndef EXECD_DOCTOR_INT_H
#define EXECD_DOCTOR_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libshm/cfg.h"
#include "libsign/address.h"
#include "libsign/key.h"
#include "libsign/secp.h"

enum doctor_verdict {
	DOCTOR_OK = 1,
	DOCTOR_WARN,
	DOCTOR_FAIL,
	DOCTOR_VERDICT_N
};

#define DOCTOR_BODY_SZ (2u << 20)
#define DOCTOR_LIMIT_S 10

struct doctor {
	const struct cfg *cfg;
	enum venue venue;
	bool json;
	unsigned fail_n;
	struct secp secp;
	struct secret key;
	struct address address; /* of the key */
	char address_text[ADDRESS_TEXT_MAX];
	/* the last answer */
	long status; /* 0: none, error says why */
	char error[256];
	int64_t sent_ns; /* UTC around the request */
	int64_t got_ns;
	size_t n;
	char *body; /* DOCTOR_BODY_SZ, NUL after its end */
};

void doctor_say(struct doctor *d, enum doctor_verdict v, const char *check,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* doctor_ask - one request, waited for. headers: lines with CR LF, NULL none.
 * body NULL: GET. True for an answer of status 2xx. */
struct doctor_ask {
	const char *url;
	const char *target;
	const char *headers;
	const char *body;
};
bool doctor_ask(struct doctor *d, const struct doctor_ask *a);

/* doctor_reach - does anybody answer at a WebSocket's address, certificate
 * included? Says so under its key. */
void doctor_reach(struct doctor *d, const char *key, const char *url);

/* doctor_clock - the venue's clock was between from_ns and to_ns (UTC) while
 * the last request was under way. */
void doctor_clock(struct doctor *d, int64_t from_ns, int64_t to_ns);

/* doctor_unanswered - the sentence on the last answer, with advice. */
void doctor_unanswered(struct doctor *d, const char *check, const char *what);

void doctor_pm(struct doctor *d);
void doctor_hl(struct doctor *d);

#endif

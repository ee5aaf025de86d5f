#define _GNU_SOURCE
#include "feedd/feed_log_io.h"

#include <stdio.h>

#include "libcore/check.h"
#include "libsys/advice.h"
#include "libsys/log.h"

static void
log_no_such(const struct feed_act *a, const char *venue)
{
	char advice[160];

	(void)snprintf(advice, sizeof(advice),
	    "check %s in the configuration (supervisor config): the venue "
	    "shows nothing by this name",
	    a->url);
	LOG(LOG_UNKNOWN_INSTRUMENT, F_STR("venue", venue), F_STR("key", a->url),
	    F_STRN("value", a->text, a->n), F_STR("do", advice));
}

static void
log_end(const struct feed_act *a, const char *url, const char *why)
{
	enum log_ev ev = a->log == FEED_LOG_CONNECT_FAILED ? LOG_CONNECT_FAILED
							   : LOG_DISCONNECTED;

	LOG(ev, F_STR("url", url), F_STR("reason", reason_name(a->reason)),
	    F_STR("why", why), F_STRN("what", a->text, a->n),
	    F_U64("code", a->code), F_I64("retry_ms", a->value),
	    F_STR("do", advice_conn(a->reason, a->code)));
}

static void
log_failed(const struct feed_act *a, const char *url, const char *venue)
{
	LOG(LOG_DISCOVERY_FAILED, F_STR("venue", venue),
	    F_STRN("what", a->text, a->n),
	    F_STR("about", a->url == NULL ? "" : a->url), F_STR("url", url),
	    F_U64("status", a->code), F_STR("reason", reason_name(a->reason)),
	    F_STR(
		"why", a->reason == REASON_NONE ? "" : reason_text(a->reason)),
	    F_I64("n", a->value), F_STR("do", advice_conn(a->reason, a->code)));
}

static void
log_conn(const struct feed_act *a, const char *url, const char *venue)
{
	const char *why =
	    a->reason != REASON_NONE ? reason_text(a->reason) : "";

	switch (a->log) {
	case FEED_LOG_CONNECTED: LOG(LOG_CONNECTED, F_STR("url", url)); return;
	case FEED_LOG_CONNECT_FAILED:
	case FEED_LOG_DISCONNECTED: log_end(a, url, why); return;
	case FEED_LOG_REPLACED:
		LOG(LOG_REPLACED, F_STR("url", url),
		    F_STRN("cause", a->text, a->n));
		return;
	case FEED_LOG_SUBSCRIBED:
		LOG(LOG_SUBSCRIBED, F_STR("url", url), F_I64("n", a->value));
		return;
	case FEED_LOG_STALE:
		LOG(LOG_FEED_STALE, F_STR("venue", venue), F_STR("url", url),
		    F_I64("quiet_ms", a->value),
		    F_STR("do", advice_reason(REASON_FEED_STALE)));
		return;
	case FEED_LOG_FRESH:
		LOG(LOG_FEED_FRESH, F_STR("venue", venue), F_STR("url", url));
		return;
	case FEED_LOG_MALFORMED:
		LOG_KIND(LOG_MALFORMED, (uint32_t)a->reason,
		    F_STR("reason", reason_name(a->reason)), F_STR("why", why),
		    F_I64("offset", a->value), F_STRN("sample", a->text, a->n),
		    F_STR("do", advice_reason(a->reason)));
		return;
	case FEED_LOG_UNKNOWN:
		LOG(LOG_UNKNOWN_MESSAGE, F_STRN("sample", a->text, a->n));
		return;
	case FEED_LOG_DISCOVERY: log_failed(a, url, venue); return;
	case FEED_LOG_NO_SUCH: log_no_such(a, venue); return;
	case FEED_LOG_LOGIN:
		LOG(LOG_PRICE_LOGIN, F_STR("url", url),
		    F_STRN("code", a->text, a->n));
		return;
	case FEED_LOG_REFUSED:
		LOG(LOG_PRICE_REFUSED, F_STR("url", url),
		    F_STRN("code", a->text, a->n));
		return;
	case FEED_LOG_TABLE_FULL:
		LOG(LOG_TABLE_FULL, F_I64("limit_n", a->value));
		return;
	case FEED_LOG_GAP:
	case FEED_LOG_BOOK_DIRTY:
	case FEED_LOG_HASH:
	case FEED_LOG_ADDED:
	case FEED_LOG_RETIRED:
	case FEED_LOG_TICK_SIZE:
	case FEED_LOG_OUTCOME:
	case FEED_LOG_N: break;
	}
	CHECK(a->log == FEED_LOG_CONNECTED);
}

static const char *
outcome_text(int64_t v)
{
	return v == OUTCOME_YES	   ? "yes"
	       : v == OUTCOME_NO   ? "no"
	       : v == OUTCOME_VOID ? "void"
				   : "none";
}

void
feed_log_write(const struct stage *s, const struct feed_act *a, const char *url)
{
	struct instr in = {.symbol = ""};
	const char *reason = reason_name(a->reason);

	if (a->instr != 0)
		instr_read(s->instr, a->instr, &in);
	switch (a->log) {
	case FEED_LOG_GAP:
		LOG(LOG_GAP, F_STR("instrument", in.symbol),
		    F_STR("reason", reason), F_I64("n", a->value));
		return;
	case FEED_LOG_BOOK_DIRTY:
		LOG(LOG_BOOK_DIRTY, F_STR("instrument", in.symbol),
		    F_STR("reason", reason),
		    F_STR("why", reason_text(a->reason)), F_I64("n", a->value),
		    F_STR("do", advice_reason(a->reason)));
		return;
	case FEED_LOG_HASH:
		LOG(LOG_HASH_MISMATCH, F_STR("instrument", in.symbol),
		    F_STRN("token", a->text, a->n),
		    F_I64("strikes_n", a->value), F_U64("n", a->code),
		    F_BOOL("snapshot_agreed", a->tag != 0));
		return;
	case FEED_LOG_ADDED:
		LOG(LOG_INSTRUMENT_ADDED, F_U64("instrument", a->instr),
		    F_STR("slug", in.symbol), F_DEC("tick", a->value, 8));
		return;
	case FEED_LOG_RETIRED:
		LOG(LOG_INSTRUMENT_RETIRED, F_U64("instrument", a->instr),
		    F_STR("slug", in.symbol));
		return;
	case FEED_LOG_TICK_SIZE:
		LOG(LOG_TICK_SIZE_CHANGED, F_STR("instrument", in.symbol),
		    F_DEC("tick", a->value, 8));
		return;
	case FEED_LOG_OUTCOME:
		LOG(LOG_OUTCOME_CONFLICT, F_STR("instrument", in.symbol),
		    F_STR("ours", outcome_text(a->value)),
		    F_STR("venue", outcome_text(in.outcome)));
		return;
	case FEED_LOG_CONNECTED:
	case FEED_LOG_CONNECT_FAILED:
	case FEED_LOG_DISCONNECTED:
	case FEED_LOG_REPLACED:
	case FEED_LOG_SUBSCRIBED:
	case FEED_LOG_MALFORMED:
	case FEED_LOG_UNKNOWN:
	case FEED_LOG_STALE:
	case FEED_LOG_FRESH:
	case FEED_LOG_TABLE_FULL:
	case FEED_LOG_DISCOVERY:
	case FEED_LOG_NO_SUCH:
	case FEED_LOG_LOGIN:
	case FEED_LOG_REFUSED:
	case FEED_LOG_N: break;
	}
	log_conn(a, url, venue_name((enum venue)topo_stages[s->id].venue));
}

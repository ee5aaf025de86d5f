#define _GNU_SOURCE
#include <string.h>

#include "execd/gate_hl_int.h"
#include "libcore/check.h"
#include "libsys/log.h"

/* How a value of the port is written. */
enum value {
	VALUE_NONE = 1,
	VALUE_NUMBER,
	VALUE_REASON,
	VALUE_QTY,
};

struct row {
	enum log_ev ev;
	const char *what; /* NULL: the event says it */
	enum value kind;
	const char *value;
	const char *text; /* NULL: none */
};

static const struct row rows[GWHL_LOG_N] = {
    [GWHL_LOG_REFUSED] = {LOG_VENUE_REFUSED, NULL, VALUE_REASON, "reason",
	"text"},
    [GWHL_LOG_UNKNOWN_TEXT] = {LOG_VENUE_TEXT, NULL, VALUE_NONE, NULL, "text"},
    [GWHL_LOG_OUR_BUG] = {LOG_ORDER_FORM, NULL, VALUE_REASON, "reason", "text"},
    [GWHL_LOG_BAD_ANSWER] = {LOG_VENUE_ANSWER, "answer", VALUE_NUMBER, "code",
	"sample"},
    [GWHL_LOG_BAD_FRAME] = {LOG_VENUE_ANSWER, "message", VALUE_REASON, "code",
	"sample"},
    [GWHL_LOG_STATUS] = {LOG_ORDER_STATUS, NULL, VALUE_NUMBER, "oid", "status"},
    [GWHL_LOG_FOREIGN] = {LOG_ORDER_FOREIGN, NULL, VALUE_NUMBER, "oid", "coin"},
    [GWHL_LOG_FOREIGN_FILL] = {LOG_FILL_FOREIGN, "trade", VALUE_NUMBER, "oid",
	"coin"},
    [GWHL_LOG_LIQUIDATION] = {LOG_FILL_FOREIGN, "liquidation", VALUE_NUMBER,
	"oid", "coin"},
    [GWHL_LOG_GAP] = {LOG_FILL_GAP, "position", VALUE_QTY, "from", "coin"},
    [GWHL_LOG_SHORT] = {LOG_FILL_GAP, "remainder", VALUE_NUMBER, "oid", NULL},
    [GWHL_LOG_SIGNER] = {LOG_SIGNER_UNKNOWN, NULL, VALUE_NONE, NULL, "signer"},
    [GWHL_LOG_AGENT_EXPIRY] = {LOG_AGENT_EXPIRY, NULL, VALUE_NUMBER, "days",
	"signer"},
    [GWHL_LOG_BUDGET] = {LOG_BUDGET, NULL, VALUE_NUMBER, "left", "text"},
    [GWHL_LOG_NO_SCHEDULE] = {LOG_DEAD_MAN, "off", VALUE_NONE, NULL, "text"},
    [GWHL_LOG_SCHEDULED] = {LOG_DEAD_MAN, "fired", VALUE_NUMBER, "times_n",
	"text"},
    [GWHL_LOG_RATE_LIMIT] = {LOG_VENUE_RATE, NULL, VALUE_NUMBER, "code",
	"text"},
    [GWHL_LOG_STRAY] = {LOG_ORDER_STRAY, NULL, VALUE_NUMBER, "oid", NULL},
    [GWHL_LOG_IMPOSSIBLE] = {LOG_FILL_IMPOSSIBLE, "beyond the order's size",
	VALUE_QTY, "beyond", "coin"},
    [GWHL_LOG_SILENT] = {LOG_VENUE_ANSWER,
	"no pong or no stream: a new connection", VALUE_NONE, NULL, NULL},
};

void
gate_hl_log(
    void *user, enum gwhl_log what, int64_t value, const char *text, size_t n)
{
	struct gate_hl *g = user;
	const struct row *r = &rows[what];
	struct field f[3];
	size_t k = 0;

	CHECK(what < GWHL_LOG_N);
	CHECK(r->ev != 0);
	g->strays += what == GWHL_LOG_STRAY;
	if (r->what != NULL)
		f[k++] = F_STR("what", r->what);
	if (r->kind == VALUE_NUMBER)
		f[k++] = F_I64(r->value, value);
	else if (r->kind == VALUE_QTY)
		f[k++] = F_DEC(r->value, value, 8);
	else if (r->kind == VALUE_REASON)
		f[k++] = F_STR(r->value, reason_name((enum reason)value));
	if (r->text != NULL)
		f[k++] = F_STRN(r->text, text, n);
	log_event_kind(
	    r->ev, r->kind == VALUE_REASON ? (uint32_t)value : 0, f, k);
}

void
gate_hl_count(struct gate_hl *g)
{
	const struct gwhl_stat *now = &g->port->stat;
	const struct gwhl_stat *was = &g->told;
	const struct pool_stats *pool = pool_stats(g->pool);
	struct metrics *m = g->s->metrics;
	uint64_t left = g->port->budget_left;

	metrics_add(m, M_EXECD_UNKNOWN, now->unknowns - was->unknowns);
	metrics_add(m, M_EXECD_POSTS, now->orders - was->orders);
	metrics_add(m, M_EXECD_CANCEL_REQUESTS, now->cancels - was->cancels);
	metrics_add(m, M_EXECD_IMPOSSIBLE, now->impossible - was->impossible);
	metrics_add(m, M_EXECD_ASKS, now->asks - was->asks);
	metrics_add(m, M_EXECD_RESYNCS, now->resyncs - was->resyncs);
	metrics_add(m, M_EXECD_HELD, now->held - was->held);
	metrics_add(m, M_EXECD_BAD_ANSWERS, now->bad - was->bad);
	metrics_add(m, M_EXECD_STRAYS, g->strays - g->told_strays);
	metrics_add(m, M_EXECD_RECONNECTS, g->reconnects - g->told_reconnects);
	metrics_add(m, M_EXECD_RESENDS, pool->guarded - g->told_pool.guarded);
	metrics_set(
	    m, M_EXECD_BUDGET_LEFT, g->port->knows_budget ? (int64_t)left : 0);
	g->told = *now;
	g->told_pool = *pool;
	g->told_strays = g->strays;
	g->told_reconnects = g->reconnects;
}

/*
 * pm_desk_int.h - what the parts of Polymarket's desk share; not for others.
 */
#ifndef SIMVENUE_PM_DESK_INT_H
#define SIMVENUE_PM_DESK_INT_H

#include "simvenue/pm_desk.h"

/* One call with who makes it. */
struct desk_call {
	struct pm_desk *d;
	const struct desk_request *r;
	struct desk_answer *a;
	struct desk_login *login; /* NULL before it is known */
};

/* desk_say - a body. desk_error - {"error":"..."}. */
void desk_say(struct desk_answer *a, unsigned status, const char *body);
void desk_error(struct desk_answer *a, unsigned status, const char *text);

static inline uint32_t
desk_index(const struct pm_desk *d, const struct desk_login *l)
{
	return (uint32_t)(l - d->login);
}

/* desk_trips - does this go wrong now? */
static inline bool
desk_trips(const struct desk_call *c, enum fault f, int64_t *value)
{
	return mishap(c->d->mishaps, VENUE_POLYMARKET, f, value);
}

/* desk_header - text of a header, "" when absent or longer than cap - 1. */
void desk_header(
    const struct desk_request *r, const char *name, char *buf, size_t cap);

/* desk_arg - text of a query key, "" when absent. */
void desk_arg(
    const struct desk_request *r, const char *name, char *buf, size_t cap);

/* desk_method - is it this one? */
bool desk_method(const struct desk_request *r, const char *method);

/* desk_random - 64 bits of the seeded stream. */
uint64_t desk_random(struct pm_desk *d);

/* pm_login.c */
void desk_auth(struct desk_call *c);  /* paths below /auth/ */
bool desk_enter(struct desk_call *c); /* L2: sets login, else answers 401 */

/* pm_desk_order.c */
void desk_post_order(struct desk_call *c);
void desk_post_orders(struct desk_call *c);

/* pm_desk_cancel.c */
void desk_delete_order(struct desk_call *c);
void desk_delete_orders(struct desk_call *c);
void desk_delete_all(struct desk_call *c);
void desk_delete_market(struct desk_call *c);

/* desk_spend - n tokens of a bucket; false: answered 429. */
bool desk_spend(struct desk_call *c, bool is_cancel, uint32_t n);

/* pm_desk_query.c */
void desk_query(struct desk_call *c);
void desk_heartbeat(struct desk_call *c);

#endif

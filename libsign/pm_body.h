/*
 * pm_body.h - bodies of Polymarket's calls other than a single order.
 *
 * Each writes the exact text that is then signed by pm_auth.h and sent, with
 * NUL, into a buffer of the caller and returns its length; 0 when it does not
 * fit or a text has a character that none of ours has.
 * DELETE /cancel-all has no body.
 * Pure: yes.
 */
#ifndef LIBSIGN_PM_BODY_H
#define LIBSIGN_PM_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libsign/keccak.h"

#define PM_BATCH_MAX  15   /* orders in POST /orders */
#define PM_CANCEL_MAX 1000 /* ids in DELETE /orders */

struct pm_batch {
	char *buf;
	size_t cap;
	size_t n;
	unsigned orders;
};

/* pm_batch_begin - POST /orders; cap at least 3. */
void pm_batch_begin(struct pm_batch *b, char *buf, size_t cap);

/* pm_batch_add - the body of one order (pm_order_body). Returns false, the
 * batch as it was, when it is full. */
bool pm_batch_add(struct pm_batch *b, const char *body, size_t n);

/* pm_batch_end - length of the whole, 0 without an order. */
size_t pm_batch_end(struct pm_batch *b);

/* pm_cancel_body - DELETE /order. */
size_t pm_cancel_body(const uint8_t id[HASH_SZ], char *buf, size_t cap);

/* pm_cancels_body - DELETE /orders, 1 to PM_CANCEL_MAX ids. */
size_t pm_cancels_body(
    const uint8_t (*id)[HASH_SZ], size_t n, char *buf, size_t cap);

/* pm_cancel_market_body - DELETE /cancel-market-orders by condition (0x and
 * digits), by token (decimal), or both; NULL for the one not used. */
size_t pm_cancel_market_body(
    const char *market, const char *asset, char *buf, size_t cap);

/* pm_heartbeat_body - POST /v1/heartbeats; id "" the first time. */
size_t pm_heartbeat_body(const char *id, char *buf, size_t cap);

#endif

/*
 * put.h - members of JSON objects and ids, as all venues' texts are made of.
 *
 * What : put_str and those like it write a member with a comma in front; the
 *        rest writes bare text. Values need no escaping: they are our own.
 * Pure : yes.
 */
#ifndef SIMVENUE_PUT_H
#define SIMVENUE_PUT_H

#include <stdint.h>

#include "libsign/address.h"
#include "libvenue/pm_id.h"
#include "libvenue/text.h"

void put_key(struct text *t, const char *name);
void put_str(struct text *t, const char *name, const char *value);
void put_int(struct text *t, const char *name, int64_t v);

/* put_int_text, put_dec - in quotes; put_dec with at least min decimals. */
void put_int_text(struct text *t, const char *name, uint64_t v);
void put_dec(struct text *t, const char *name, int64_t e8, unsigned min);

/* put_cond, put_token, put_lower - an id, an address in lower case. */
void put_cond(struct text *t, const struct pm_cond *c);
void put_token(struct text *t, const struct pm_token *token);
void put_lower(struct text *t, const struct address *a);

/* put_iso - 2026-03-12T09:25:00Z. */
void put_iso(struct text *t, uint64_t utc_ns);

#endif

/*
 * advice.h - what a person can do about trouble, one sentence each.
 * Pure: yes.
 */
#ifndef LIBSYS_ADVICE_H
#define LIBSYS_ADVICE_H

#include "libcore/reasons.h"

/* advice_reason - about a connection, request, message or book that ended
 * for r; "" when there is nothing to say. */
const char *advice_reason(enum reason r);

/* advice_conn - the same of a connection or request; code: the HTTP status
 * when r is HTTP_REFUSED (0: none came), which then says more. */
const char *advice_conn(enum reason r, unsigned code);

/* advice_status - about an HTTP status that is not the one wanted; 0: what
 * came was no HTTP. Never empty. */
const char *advice_status(unsigned status);

/* advice_close - meaning of a WebSocket close code, two or three words; "" for
 * one without a meaning of its own. */
const char *advice_close(unsigned code);

#endif

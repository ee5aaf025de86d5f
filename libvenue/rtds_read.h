/*
 * rtds_read.h - the inside of rtds.h and polybolt.h: a payload.
 *
 * Pure: yes.
 */
#ifndef LIBVENUE_RTDS_READ_H
#define LIBVENUE_RTDS_READ_H

#include "libvenue/rtds.h"

/* rtds_read_payload - consume the object with the price or the points, as
 * ev->kind says; when that is 0 it is set by what there is. Sets symbol, coin
 * and points. False with the scanner's reason. */
bool rtds_read_payload(struct json *j, struct rtds_event *ev);

#endif

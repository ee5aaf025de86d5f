/*
 * feed_log_io.h - lines of the feed core as log events.
 */
#ifndef FEEDD_FEED_LOG_IO_H
#define FEEDD_FEED_LOG_IO_H

#include "feedd/feed.h"
#include "libsys/stage.h"

/* feed_log_write - a FEED_LOG act; url: address of its connection. */
void feed_log_write(
    const struct stage *s, const struct feed_act *a, const char *url);

#endif

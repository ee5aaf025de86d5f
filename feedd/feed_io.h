/*
 * feed_io.h - sockets and rings around the feed core.
 *
 * What  : carries out what the core asks for (connect, send, GET, log), gives
 *         it what comes back, publishes its ticks and instrument entries.
 * Owner : one per process; feed_io_open after the stage has attached.
 */
#ifndef FEEDD_FEED_IO_H
#define FEEDD_FEED_IO_H

#include "libsys/stage.h"

extern const struct stage_ops feed_io_ops;

#endif

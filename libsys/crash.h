/*
 * crash.h - last words of a stage: the backtrace, one JSON object a frame.
 *
 * What      : on SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL writes to stderr
 *             {"t","m","lvl":"error","stage","ev":"backtrace","signal",
 *             "frame","at"} a frame, innermost first, then dies of the
 *             signal.
 * Safe      : in a signal handler and in a sealed stage: no allocation, no
 *             lock, only backtrace, clock_gettime, read and write. The pipe
 *             that turns an address into a name is made at open.
 */
#ifndef LIBSYS_CRASH_H
#define LIBSYS_CRASH_H

#include <stddef.h>
#include <stdint.h>

#define CRASH_LINE_SZ 640

struct crash_stamp {
	int64_t wall_ns;
	uint64_t mono_ns;
	const char *stage;
	int signal;
	unsigned frame;
};

/* crash_open - take the signals. Before anything is sealed; once. */
void crash_open(const char *stage);

/* crash_line - one line with its end, cut to fit. Returns its length. n bytes
 * of at, where the frame is; bytes that are not printable ASCII become '?'. */
size_t crash_line(char buf[CRASH_LINE_SZ], const struct crash_stamp *s,
    const char *at, size_t n);

#endif

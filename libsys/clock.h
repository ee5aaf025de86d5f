/*
 * clock.h - what we ask about time.
 *
 * Stamps between our processes are CLOCK_MONOTONIC nanoseconds: comparable
 * over all cores, 19 ns a call through the vDSO. UTC is read only where data
 * enters, beside the monotonic stamp, to date it. The two are never mixed.
 */
#ifndef LIBSYS_CLOCK_H
#define LIBSYS_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* clock_mono_ns - since boot; never steps back. */
uint64_t clock_mono_ns(void);

/* clock_wall_ns - UTC since 1970; may step. */
uint64_t clock_wall_ns(void);

/*
 * clock_source - name of the kernel's clock source ("tsc"); "unknown" when
 * it cannot be read. Anything but tsc may cost a system call a stamp.
 */
#define CLOCK_SOURCE_SZ 32
void clock_source(char name[CLOCK_SOURCE_SZ]);

/* clock_source_fast - whether a stamp needs no system call ("tsc",
 * "arch_sys_counter", or a paravirtual clock with a vDSO). */
bool clock_source_fast(const char *name);

#define CLOCK_DATE_SZ 32
/* clock_format_utc - "2026-07-10T20:25:00.123456Z"; buf as given, years
 * 1970 to 9999. Pure. Returns the length. */
int clock_format_utc(uint64_t wall_ns, char buf[CLOCK_DATE_SZ]);

/* clock_parse_utc - "2026-12-31T18:00Z" or with seconds. False, *wall_ns
 * untouched: another form, or no such time. */
bool clock_parse_utc(const char *text, int64_t *wall_ns);

/* clock_format_http - "Fri, 10 Jul 2026 20:25:00 GMT", as in the Date header
 * of HTTP; otherwise as clock_format_utc. */
int clock_format_http(uint64_t wall_ns, char buf[CLOCK_DATE_SZ]);

#endif

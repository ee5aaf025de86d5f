/*
 * proc.h - what /proc says about a process.
 *
 * A number is a process only together with its start time: numbers are used
 * again, the pair is not (until the next boot).
 */
#ifndef LIBSYS_PROC_H
#define LIBSYS_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct proc_stat {
	uint64_t start_ticks;
	uint64_t cpu_ns; /* user and system                               */
	uint64_t rss_kib;
	uint64_t switches;  /* voluntary; proc_more only                  */
	uint64_t preempted; /* involuntary; proc_more only                */
	bool zombie;
};

/* proc_read - false: there is no such process. One open and read. */
bool proc_read(pid_t pid, struct proc_stat *out);

/* proc_more - the context switches too: one more open and read. */
bool proc_more(pid_t pid, struct proc_stat *out);

/* proc_alive - is it the process that began at start_ticks, not a zombie? */
bool proc_alive(pid_t pid, uint64_t start_ticks);

#endif

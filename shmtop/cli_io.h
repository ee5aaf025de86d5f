/*
 * cli_io.h - the command line of shmtop.
 */
#ifndef SHMTOP_CLI_IO_H
#define SHMTOP_CLI_IO_H

/* shmtop_run - the whole program; returns its exit code: 0, 1 findings of
 * --check, 64 usage, 69 no such instance (--once, --json, tap). */
int shmtop_run(int argc, char **argv);

#endif

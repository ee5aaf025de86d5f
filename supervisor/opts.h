/*
 * opts.h - what the command line of supervisor says, and its exit codes.
 */
#ifndef SUPERVISOR_OPTS_H
#define SUPERVISOR_OPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libsys/cfgfile.h"

/* Exit codes, sysexits where one fits. */
#define SUP_OK		0
#define SUP_DEGRADED	1 /* status: something parked, frozen or dead  */
#define SUP_NOT_FLAT	2 /* stop: orders of ours may still rest       */
#define SUP_UNCOMPARED	2 /* ledger: something could not be compared   */
#define SUP_USAGE	64
#define SUP_NOT_RUNNING 69
#define SUP_SOFTWARE	70
#define SUP_NO_PERM	77
#define SUP_RETRY	75 /* not ready in time; may still become so    */
#define SUP_CONFIG	78
#define SUP_PERMANENT	100
#define SUP_TEMPORARY	111

#define SUP_WORDS_MAX 16

struct sup_opts {
	const char *command;
	const char *instance;
	const char *config[CFGFILE_N_MAX];
	size_t config_n;
	const char *set[32]; /* group.name=value */
	size_t set_n;
	const char *word[SUP_WORDS_MAX]; /* what follows the command */
	size_t word_n;
	const char *reason;
	unsigned lines;
	int wait_s; /* ledger: -1 as long as it may take */
	bool json;
	bool foreground;
	bool keep;
	bool follow;
	bool restart;
};

/* cli_run - the whole program; returns its exit code. */
int cli_run(int argc, char **argv);

/* opts_config - load files, environment and --set; errors are printed.
 * Returns 0 or SUP_CONFIG. */
int opts_config(const struct sup_opts *o, struct cfg_load *l);

/* opts_state_dir - <system.state_dir or its default>/<instance>. */
int opts_state_dir(
    const struct sup_opts *o, const struct cfg *c, char *buf, size_t n);

/* opts_found_state_dir - the same, of an instance whose shared memory is there
 * as that says; else of the configuration. 0 or SUP_CONFIG. */
int opts_found_state_dir(const struct sup_opts *o, char *buf, size_t n);

/* opts_stages - the words as a bit mask of stages; 0 and a message when one
 * is unknown. No words: all of `all`. */
uint32_t opts_stages(const char *const *word, size_t word_n, uint32_t all);

/* opts_wanted - stages that this configuration runs. */
uint32_t opts_wanted(const struct cfg *c);

/* The commands; each returns an exit code. */
int cmd_start(const struct sup_opts *o);
int cmd_status(const struct sup_opts *o);
int cmd_freeze(const struct sup_opts *o);
int cmd_ask(const struct sup_opts *o); /* stop restart thaw reload */
int cmd_config(const struct sup_opts *o);
int cmd_check(const struct sup_opts *o);
int cmd_logs(const struct sup_opts *o);
int cmd_why(const struct sup_opts *o);
int cmd_doctor(const struct sup_opts *o);
int cmd_ledger(const struct sup_opts *o);

#endif

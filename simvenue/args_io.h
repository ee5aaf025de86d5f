/*
 * args_io.h - the command line of simvenue.
 */
#ifndef SIMVENUE_ARGS_IO_H
#define SIMVENUE_ARGS_IO_H

#include <stdbool.h>
#include <stdint.h>

#include "simvenue/fault.h"
#include "simvenue/live.h"

#define ARGS_SPECS_MAX	64
#define ARGS_PATH_SZ	4096
#define ARGS_SCRIPT_MAX 256

#define EXIT_PERMANENT 100
#define EXIT_TEMPORARY 111

struct args {
	const char *specs[ARGS_SPECS_MAX];
	unsigned spec_n;
	char found[4][ARGS_PATH_SZ]; /* default captures */
	const char *host;
	uint16_t port_base;
	uint16_t tls_port_base;
	uint64_t speed_e3;
	uint64_t seed;
	const char *pace;
	const char *stats_path;
	const char *requests_path;
	const char *faults_path;
	char tls_dir[ARGS_PATH_SZ]; /* "": the default */
	bool tls;
	bool tls_apart;
	bool once;
	bool sync;
	bool json;
	bool list_faults;
	bool live;
	bool limits;	   /* of rates and budgets are enforced */
	double rate;	   /* of the live world's participants */
	double vol;	   /* of its path, annualised */
	usd_t grant;	   /* to whoever signs in for the first time */
	uint32_t series_n; /* 0: the default ones */
	struct world_series series[WORLD_SERIES];
	uint32_t quiet_n; /* more of these markets */
	struct world_series quiet[WORLD_SERIES];
	const char *accounts_path;
	uint32_t account_n;
	struct live_account accounts[LIVE_ACCOUNTS_MAX];
	unsigned script_n;
	struct fault_rule script[ARGS_SCRIPT_MAX]; /* by at_ms */
};

/*
 * args_read - defaults, options, the script of faults, the captures when
 * none is named.
 * Returns : -1 to go on, or an exit status, after what was asked for or what
 *           is wrong has been said.
 */
int args_read(struct args *a, int argc, char **argv);

#endif

/*
 * execd - makes the venue match what should rest.
 */
#define _GNU_SOURCE
#include <string.h>

#include "execd/doctor_io.h"
#include "execd/gateway.h"
#include "execd/shell.h"

int
main(int argc, char **argv)
{
	static const struct gateway_ops *const gateway[VENUE_N] = {
	    [VENUE_POLYMARKET] = &gateway_pm,
	    [VENUE_HYPERLIQUID] = &gateway_hl,
	};

	if (argc > 1 && strcmp(argv[1], "--doctor") == 0)
		return doctor_main(argc, argv);
	return shell_main(gateway, argc, argv);
}

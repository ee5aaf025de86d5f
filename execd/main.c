/*
 * execd - makes the venue match what should rest.
 */
#define _GNU_SOURCE
#include "execd/gateway.h"
#include "execd/shell.h"

int
main(int argc, char **argv)
{
	static const struct gateway_ops *const gateway[VENUE_N];

	return shell_main(gateway, argc, argv);
}

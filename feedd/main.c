/*
 * feedd - takes in one venue's market data. The loop is libsys/stage.c, what
 * to do is feed.c, how to do it feed_io.c.
 */
#define _GNU_SOURCE
#include "feedd/feed_io.h"

int
main(int argc, char **argv)
{
	return stage_main(&feed_io_ops, argc, argv);
}

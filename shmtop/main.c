#include "shmtop/cli_io.h"

int
main(int argc, char **argv)
{
	return shmtop_run(argc, argv);
}

#include <string.h>

#include "recorderd/recorder.h"

/* The supervisor names the stage; a person does not. */
int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strncmp(argv[i], "--stage", 7) == 0)
			return recorder_stage(argc, argv);
	return recorder_alone(argc, argv);
}

#include <string.h>

#include "recorderd/recorder.h"
#include "recorderd/tool.h"

/* The supervisor names the stage; a person does not, and may give a verb. */
int
main(int argc, char **argv)
{
	int rc = tool_main(argc, argv);

	if (rc >= 0)
		return rc;
	for (int i = 1; i < argc; i++)
		if (strncmp(argv[i], "--stage", 7) == 0)
			return recorder_stage(argc, argv);
	return recorder_alone(argc, argv);
}

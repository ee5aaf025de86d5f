#define _GNU_SOURCE
#include "libcore/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The one place in libcore that writes: the process is about to die. */
void
check_fail(const char *expr, const char *file, int line, const char *func)
{
	char text[512];
	int n = snprintf(text, sizeof(text),
	    "{\"lvl\":\"error\",\"ev\":\"check_failed\",\"expr\":\"%s\","
	    "\"file\":\"%s\",\"line\":%d,\"func\":\"%s\"}\n",
	    expr, file, line, func);

	if (n > (int)sizeof(text))
		n = (int)sizeof(text);
	if (n > 0 && write(STDERR_FILENO, text, (size_t)n) < 0)
		abort();
	abort();
}

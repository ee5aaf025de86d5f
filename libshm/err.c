#define _GNU_SOURCE
#include "libshm/err.h"

#include <stdarg.h>
#include <stdio.h>

#include "libcore/check.h"

int
err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	CHECK(e != 0);
	CHECK(code < 0);
	e->code = code;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return code;
}

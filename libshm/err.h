/*
 * err.h - an error as a code and a sentence for the operator.
 *
 * Functions that meet the operating system return 0 or a negative errno and
 * fill an err: what was tried, on what, what was found, what to do.
 */
#ifndef LIBSHM_ERR_H
#define LIBSHM_ERR_H

struct err {
	int code; /* 0, or a negative errno */
	char text[320];
};

/* err_set - format into e (truncating) and return code. code < 0. */
int err_set(struct err *e, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif

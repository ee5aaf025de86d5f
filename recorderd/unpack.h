/*
 * unpack.h - the bytes of a file that may be compressed: plain, gzip, or the
 * first (or a named) member of a zip archive, stored or deflated, zip64 too.
 *
 * Trust  : the file may be damaged: a negative errno.
 * Memory : bounded, whatever the file says.
 */
#ifndef RECORDERD_UNPACK_H
#define RECORDERD_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "libshm/err.h"

struct unpack;

/* unpack_open - member NULL: the first one. 0 or a negative errno. */
int unpack_open(
    struct unpack **out, const char *path, const char *member, struct err *e);

/* unpack_read - up to n bytes. 0 at the end; a negative errno. */
ssize_t unpack_read(struct unpack *u, void *buf, size_t n);

void unpack_close(struct unpack *u);

#endif

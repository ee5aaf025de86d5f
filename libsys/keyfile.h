/*
 * keyfile.h - files that hold a secret, and the file of trusted authorities.
 *
 * Secret    : a plain file, no link, whose owner is the effective user and to
 *             which nobody else has any right (0600 or 0400), not empty.
 * Sentences : `path: what is wrong; what to do`, without anything of the file.
 * Blocks on nothing: a FIFO or a device is refused, not read.
 */
#ifndef LIBSYS_KEYFILE_H
#define LIBSYS_KEYFILE_H

#include <stdbool.h>
#include <stddef.h>

#define KEYFILE_WHY_SZ 512
#define KEYFILE_CA     "/etc/ssl/certs/ca-certificates.crt"

/* keyfile_secret - could it be read? Nothing of it is. False: *why. */
bool keyfile_secret(const char *path, char why[KEYFILE_WHY_SZ]);

/*
 * keyfile_read - the whole text into the caller's memory (locked pages, or
 * wiped after use), NUL-terminated, *n without the NUL. Refused when it has
 * cap bytes or more.
 * Returns 0, or a negative errno with *why set and text wiped.
 */
int keyfile_read(const char *path, char *text, size_t cap, size_t *n,
    char why[KEYFILE_WHY_SZ]);

/* keyfile_ca - a readable file with at least one certificate (PEM). */
bool keyfile_ca(const char *path, char why[KEYFILE_WHY_SZ]);

#endif

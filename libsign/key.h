/*
 * key.h - where secrets live.
 *
 * Memory : pages of their own, locked (never swapped), left out of core
 *          files, empty in a forked child, wiped before they are given back.
 * Sources: an environment variable, which is overwritten and removed once
 *          read, or the owner's bytes (a file: libsys/keyfile.h).
 * Never  : formatted, logged, copied to shared memory. What goes wrong is
 *          told by a sentence with the name of the file or variable, never
 *          with anything that was in it.
 * The one file of libsign that meets the operating system.
 */
#ifndef LIBSIGN_KEY_H
#define LIBSIGN_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libsign/secp.h"

#define SECRET_MAX 4096 /* longest secret, bytes */

struct secret {
	void *mem;  /* NULL: closed */
	size_t cap; /* bytes usable at mem; the mapping, whole pages */
	size_t n;   /* bytes that hold something */
};

/* Why a secret could not be had. */
struct secret_why {
	char text[256];
};

/*
 * secret_open - zeroed memory for at least n bytes, for anything that must
 * be kept as a key is.
 * Returns 0 or a negative errno: a locked page that the limits (RLIMIT_MEMLOCK)
 * do not allow is a failure, not a warning.
 */
int secret_open(struct secret *s, size_t n);

/* secret_close - wipes and gives back; nothing when closed already. */
void secret_close(struct secret *s);

/*
 * secret_read_env - the text of an environment variable, which is overwritten
 * in place and unset, also when it is refused: not set, empty, longer than
 * SECRET_MAX.
 * Returns 0 or a negative errno with *why set, s closed.
 */
int secret_read_env(struct secret *s, const char *name, struct secret_why *why);

/*
 * key_parse - the text in s, 64 hex digits with or without 0x, blanks at its
 * end left out, becomes a private key of 32 bytes; the text is wiped. c checks
 * its range.
 * what: the name of the source for *why.
 * Returns 0, or -EINVAL with s closed and *why set.
 */
int key_parse(struct secret *s, const struct secp *c, const char *what,
    struct secret_why *why);

/* key_bytes - the private key; needs a secret that key_parse has made. */
const uint8_t *key_bytes(const struct secret *s);

/* key_random - n random bytes from the kernel. Returns 0 or -errno. */
int key_random(void *out, size_t n);

#endif

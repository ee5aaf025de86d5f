/*
 * keyfile_io.h - can the files that the settings name be used?
 *
 * What      : what a stage would find when it starts, found before: existence,
 *             kind, owner, rights. Nothing of a secret is read.
 * Sentences : `path: what is wrong; what to do`.
 */
#ifndef SUPERVISOR_KEYFILE_IO_H
#define SUPERVISOR_KEYFILE_IO_H

#include <stdbool.h>

#define KEYFILE_WHY_SZ 512
#define KEYFILE_CA     "/etc/ssl/certs/ca-certificates.crt"

/* keyfile_secret - only its owner, who is we, may have any access, and it is
 * no link. False with the sentence in why. */
bool keyfile_secret(const char *path, char why[KEYFILE_WHY_SZ]);

/* keyfile_ca - a readable file with at least one certificate (PEM). */
bool keyfile_ca(const char *path, char why[KEYFILE_WHY_SZ]);

#endif

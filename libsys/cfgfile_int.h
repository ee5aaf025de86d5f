/*
 * cfgfile_int.h - between the files that make up cfgfile.h. Not for others.
 */
#ifndef LIBSYS_CFGFILE_INT_H
#define LIBSYS_CFGFILE_INT_H

#include "libsys/cfgfile.h"

/* cfgload_error, cfgload_warn - keep one sentence; more than
 * CFGFILE_NOTE_MAX are only counted. */
void cfgload_error(struct cfg_load *l, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void cfgload_warn(struct cfg_load *l, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* cfgload_set - one value from one place; false when it was refused (the
 * error is kept). where is the start of the error sentence. */
bool cfgload_set(struct cfg_load *l, size_t key, const char *text,
    const struct cfg_origin *o, const char *where);

/* cfgload_distance - insertions, deletions, replacements and swaps of
 * neighbours that turn a into b; texts over 63 bytes are far from anything. */
unsigned cfgload_distance(const char *a, const char *b);

/* cfgload_yaml - one file into l; what is wrong in it becomes errors. */
void cfgload_yaml(struct cfg_load *l, const char *path);

/* cfgload_yaml_bytes - the same for n bytes at hand; path is for the
 * sentences and must be the last of l->path. */
void cfgload_yaml_bytes(
    struct cfg_load *l, const char *path, const char *bytes, size_t n);

/* cfgload_rules - what must hold between keys. Needs each key in its range. */
void cfgload_rules(struct cfg_load *l);

#endif

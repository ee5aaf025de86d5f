/*
 * durable_io.h - small files of the state directory that outlive a power cut.
 *
 * durable_write - the whole text under a name: written beside it, fsynced,
 *                 renamed, directory fsynced. A reader sees the old file or
 *                 the new one, whole. A negative errno on failure.
 * durable_remove - gone for good; a missing file is fine.
 */
#ifndef SUPERVISOR_DURABLE_IO_H
#define SUPERVISOR_DURABLE_IO_H

#include <stddef.h>

int durable_write(const char *dir, const char *name, const char *text);
int durable_remove(const char *dir, const char *name);

#endif

/*
 * gamma_read.h - the inside of gamma.h: parts of an answer.
 *
 * Pure: yes.
 */
#ifndef LIBVENUE_GAMMA_READ_H
#define LIBVENUE_GAMMA_READ_H

#include "libvenue/gamma.h"
#include "libvenue/pm_value.h"

/*
 * gamma_read_event - an event object without its markets. text is one
 * well-formed value.
 * Returns : REASON_NONE, else why; *out then has what came before.
 */
enum reason gamma_read_event(struct json_str text, struct gamma_event *out);

/* gamma_read_tags - slugs of a list of tags, objects or plain strings;
 * consumes one value. Returns how many, at most GAMMA_TAGS_MAX. */
uint32_t gamma_read_tags(struct json *j, struct json_str *out);

#endif

/*
 * gamma_read.h - the inside of gamma.h: parts of an answer.
 *
 * Pure: yes.
 */
#ifndef LIBVENUE_GAMMA_READ_H
#define LIBVENUE_GAMMA_READ_H

#include "libvenue/gamma.h"
#include "libvenue/pm_value.h"

/* gamma_read_event - consume an event object, its markets passed over. False
 * with the scanner's reason; *out then has what came before. */
bool gamma_read_event(struct json *j, struct gamma_event *out);

/* gamma_read_event_key - the same for one member, its key consumed. */
void gamma_read_event_key(
    struct json *j, struct json_str key, struct gamma_event *out);

/* gamma_read_tags - slugs of a list of tags, objects or plain strings;
 * consumes one value. Returns how many, at most GAMMA_TAGS_MAX. */
uint32_t gamma_read_tags(struct json *j, struct json_str *out);

#endif

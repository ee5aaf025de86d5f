/*
 * pm_fields.h - an object of Polymarket's REST answers into a struct, by a
 * table of its keys.
 *
 * Keys in any order, unknown keys passed over, null and "" are absent; a key
 * that comes twice is taken twice, the last one counts. has gets the bits of
 * what came.
 * Pure: yes. Cold path: keys are looked for one after the other.
 */
#ifndef LIBVENUE_PM_FIELDS_H
#define LIBVENUE_PM_FIELDS_H

#include <stddef.h>

#include "libvenue/pm_value.h"

/* What a value must be, and what it is stored as. */
enum pm_field_type {
	PM_FIELD_BOOL = 1, /* bool */
	PM_FIELD_U32,	   /* uint32_t */
	PM_FIELD_EPOCH,	   /* integer time -> int64_t ns (libvenue/vtime.h) */
	PM_FIELD_TIME,	   /* ISO 8601 -> int64_t ns */
	PM_FIELD_FRAC,	   /* decimal 0..1 -> int64_t 1e-8 */
	PM_FIELD_PX,	   /* decimal, cut at 1e-8 -> px_t */
	PM_FIELD_QTY,	   /* decimal -> qty_t */
	PM_FIELD_CENTS,	   /* cents -> px_t */
	PM_FIELD_TEXT,	   /* string -> struct json_str */
	PM_FIELD_RAW,	   /* any value -> struct json_str, its text */
	PM_FIELD_SIDE,	   /* BUY or SELL -> enum side */
	PM_FIELD_COND,	   /* struct pm_cond */
	PM_FIELD_TOKEN,	   /* struct pm_token */
	PM_FIELD_TYPE_N
};

struct pm_field {
	const char *key;
	uint32_t key_n;
	enum pm_field_type type;
	uint32_t has; /* bit, or 0 */
	size_t offset;
};

/* A row: key, type without PM_FIELD_, bit, and where in which struct. */
#define PM_FIELD(key_, type_, has_, struct_, to_)               \
	{                                                       \
		key_, sizeof(key_) - 1, PM_FIELD_##type_, has_, \
		    offsetof(struct struct_, to_)               \
	}

struct pm_fields {
	const struct pm_field *table;
	size_t n;
	/* For keys that the table lacks, null and "" too: true when it has
	 * consumed the value or failed. NULL: none. */
	bool (*other)(struct json *j, struct json_str key, void *out);
};

/* pm_fields_read - consume one object. False with the scanner's reason when
 * it is none or a value is not what the table says. */
bool pm_fields_read(
    struct json *j, const struct pm_fields *f, void *out, uint32_t *has);

#endif

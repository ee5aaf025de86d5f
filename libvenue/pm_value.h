/*
 * pm_value.h - values as Polymarket's REST answers spell them.
 *
 * What : single values of the Gamma and CLOB objects. Each function consumes
 *        one value of a scanner; false with the scanner's reason set when it
 *        is not what it must be, and *out is then untouched.
 * Pure : yes. Cold path.
 */
#ifndef LIBVENUE_PM_VALUE_H
#define LIBVENUE_PM_VALUE_H

#include "libcore/fixed.h"
#include "libcore/json.h"
#include "libvenue/pm_id.h"

#define PM_LIST_MAX	 2
#define PM_LIST_TEXT_MAX 512

/* Up to two strings; their text lies in the answer, or in buf when it came
 * as JSON inside a string. */
struct pm_list {
	struct json_str item[PM_LIST_MAX];
	uint32_t n;
	bool too_long;
	char buf[PM_LIST_TEXT_MAX];
};

/* pm_value_absent - consume null and "", which stand for a missing key;
 * false (no error) when the next value is another one. */
bool pm_value_absent(struct json *j);

/* pm_value_list - an array of strings or numbers, or its text in a string.
 * An item past the second sets too_long. */
bool pm_value_list(struct json *j, struct pm_list *l);

/* pm_value_time - an ISO 8601 text (gamma_parse_time). */
bool pm_value_time(struct json *j, int64_t *ns);

/* pm_value_cond - 0x and hex digits (pm_cond_parse). */
bool pm_value_cond(struct json *j, struct pm_cond *out);

/* pm_value_token - decimal digits (pm_token_parse). */
bool pm_value_token(struct json *j, struct pm_token *out);

/* pm_value_cut - decimal text at hand at 10^scale; any number of decimals,
 * cut. False, *out untouched, for what is no such number or above max. */
bool pm_value_cut(
    struct json_str text, unsigned scale, int64_t max, int64_t *out);

/* pm_value_px - a price with any number of decimals, cut at 1e-8. */
bool pm_value_px(struct json *j, px_t *out);

/* pm_value_usd - dollars for ranking and display: cut at 1e-6, and zero when
 * they are not a plain amount. */
bool pm_value_usd(struct json *j, usd_t *out);

/* pm_value_cents - cents as a price: 4.5 is 0.045. */
bool pm_value_cents(struct json *j, px_t *out);

/* pm_value_u32 - a whole number below 1e9. */
bool pm_value_u32(struct json *j, uint32_t *out);

/* pm_value_text - a string; another kind of value is passed over. */
bool pm_value_text(struct json *j, struct json_str *out);

#endif

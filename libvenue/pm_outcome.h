/*
 * pm_outcome.h - which token pays: by the outcome's name, never by position.
 *
 * Yes and Up are YES, No and Down are NO, in the venue's spelling. Other
 * names are refused: their market is not one that this build quotes.
 * Pure: yes.
 */
#ifndef LIBVENUE_PM_OUTCOME_H
#define LIBVENUE_PM_OUTCOME_H

#include "libcore/json.h"
#include "libvenue/frame.h"

/* pm_outcome_role - false, *role and *is_updown untouched, for a name that
 * is none of the four. */
static inline bool
pm_outcome_role(struct json_str name, enum token_role *role, bool *is_updown)
{
	bool updown = json_is(name, "Up") || json_is(name, "Down");
	bool yes = json_is(name, "Yes") || json_is(name, "Up");

	if (!yes && !updown && !json_is(name, "No"))
		return false;
	*role = yes ? ROLE_YES : ROLE_NO;
	*is_updown = updown;
	return true;
}

/* pm_outcome_pair - index (0 or 1) of YES in a pair of names, -1 when they
 * are not the two of one pair. */
static inline int
pm_outcome_pair(struct json_str a, struct json_str b, bool *is_updown)
{
	enum token_role role_a;
	enum token_role role_b;
	bool updown_a;
	bool updown_b;

	if (!pm_outcome_role(a, &role_a, &updown_a) ||
	    !pm_outcome_role(b, &role_b, &updown_b) || role_a == role_b ||
	    updown_a != updown_b)
		return -1;
	*is_updown = updown_a;
	return role_a == ROLE_YES ? 0 : 1;
}

#endif

#include "libcore/reasons.h"

static const struct {
	const char *name;
	const char *text;
} table[REASON_N] = {
    [REASON_NONE] = {"none", "no reason"},
#define REASON(name, label, value, text) [value] = {#label, text},
#include "libcore/reasons.def"
#undef REASON
};

const char *
reason_name(enum reason r)
{
	if ((unsigned)r >= REASON_N || table[r].name == 0)
		return "?";
	return table[r].name;
}

const char *
reason_text(enum reason r)
{
	if ((unsigned)r >= REASON_N || table[r].text == 0)
		return "unknown reason";
	return table[r].text;
}

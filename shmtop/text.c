#include "shmtop/text.h"

#include <inttypes.h>
#include <stdio.h>

#include "libcore/check.h"
#include "libshm/instr.h"
#include "libshm/slots.h"

const char *
text_dur(uint64_t ns, char *buf)
{
	uint64_t s = ns / UINT64_C(1000000000);

	if (ns < 1000)
		snprintf(buf, TEXT_SZ, "%" PRIu64 "ns", ns);
	else if (ns < 1000000)
		snprintf(buf, TEXT_SZ, "%.*fus", ns < 9950 ? 1 : 0,
		    (double)ns / 1e3);
	else if (ns < 1000000000)
		snprintf(buf, TEXT_SZ, "%.*fms", ns < 9950000 ? 1 : 0,
		    (double)ns / 1e6);
	else if (s < 60)
		snprintf(buf, TEXT_SZ, "%.*fs", s < 10 ? 1 : 0,
		    s < 10 ? (double)(ns / 100000000) / 10 : (double)s);
	else if (s < 3600)
		snprintf(buf, TEXT_SZ, "%um%02us", (unsigned)(s / 60),
		    (unsigned)(s % 60));
	else if (s < 86400)
		snprintf(buf, TEXT_SZ, "%uh%02um", (unsigned)(s / 3600),
		    (unsigned)(s / 60 % 60));
	else
		snprintf(buf, TEXT_SZ, "%ud%02uh", (unsigned)(s / 86400),
		    (unsigned)(s / 3600 % 24));
	return buf;
}

const char *
text_count(double v, char *buf)
{
	static const char unit[] = " kMGTP";
	unsigned u = 0;

	while (v >= 1000 && u + 2 < sizeof(unit)) {
		v /= 1000;
		u++;
	}
	if (u == 0)
		snprintf(buf, TEXT_SZ, "%.*f",
		    v > 0 && v < 10 && v != (double)(int)v ? 1 : 0, v);
	else
		snprintf(buf, TEXT_SZ, "%.*f%c", v < 10 ? 1 : 0, v, unit[u]);
	return buf;
}

const char *
text_bytes(uint64_t v, char *buf)
{
	static const char *const unit[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double d = (double)v;
	unsigned u = 0;

	while (d >= 1024 && u + 1 < sizeof(unit) / sizeof(unit[0])) {
		d /= 1024;
		u++;
	}
	snprintf(buf, TEXT_SZ, "%.*f%s", u > 0 && d < 100 ? 1 : 0, d, unit[u]);
	return buf;
}

const char *
text_usd(int64_t e6, char *buf)
{
	uint64_t a = e6 < 0 ? 0 - (uint64_t)e6 : (uint64_t)e6;

	snprintf(buf, TEXT_SZ, "%s%" PRIu64 ".%02u",
	    a < 10000 ? ""
	    : e6 < 0  ? "-"
		      : "+",
	    a / 1000000, (unsigned)(a % 1000000 / 10000));
	return buf;
}

const char *
text_px(px_t px, char *buf)
{
	if (px.e8 == 0)
		snprintf(buf, TEXT_SZ, "-");
	else
		fixed_format(px.e8, 8, buf);
	return buf;
}

const char *
text_qty(qty_t qty, unsigned digits, char *buf)
{
	int64_t cut = 1;

	CHECK(digits <= 8);
	for (unsigned i = digits; i < 8; i++)
		cut *= 10;
	if (qty.e8 == 0)
		snprintf(buf, TEXT_SZ, "-");
	else
		fixed_format(qty.e8 - qty.e8 % cut, 8, buf);
	return buf;
}

static char
lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

bool
text_has(const char *text, const char *part)
{
	for (;; text++) {
		size_t i = 0;

		while (part[i] != '\0' && lower(text[i]) == lower(part[i]))
			i++;
		if (part[i] == '\0')
			return true;
		if (*text == '\0')
			return false;
	}
}

const char *
text_state(uint8_t instr_state)
{
	if (instr_state == 0 || instr_state >= INSTR_STATE_N)
		return "?";
	return instr_state_name((enum instr_state)instr_state);
}

const char *
text_ref(uint32_t ref_source)
{
	static const char *const t[REF_SOURCE_N] = {
	    "-", "mark", "spot", "average", "relay"};

	return ref_source < REF_SOURCE_N ? t[ref_source] : "?";
}

const char *
text_strike(uint32_t strike_source)
{
	static const char *const t[STRIKE_SOURCE_N] = {
	    "-", "provisional", "official", "conflict"};

	return strike_source < STRIKE_SOURCE_N ? t[strike_source] : "?";
}

const char *
text_outcome(uint8_t outcome)
{
	static const char *const t[OUTCOME_N] = {"open", "yes", "no", "void"};

	return outcome < OUTCOME_N ? t[outcome] : "?";
}

const char *
text_venue(uint8_t venue)
{
	return venue > 0 && venue < VENUE_N ? venue_name((enum venue)venue)
					    : "?";
}

const char *
text_gate(int64_t mode)
{
	static const char *const t[] = {"paper", "starting", "normal",
	    "post-only", "cancel-only", "restarting", "BLOCKED", "resync"};

	return mode >= 0 && mode < (int64_t)(sizeof(t) / sizeof(t[0])) ? t[mode]
								       : "?";
}

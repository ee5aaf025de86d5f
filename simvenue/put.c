#include "simvenue/put.h"

#include "libsys/clock.h"
#include "simvenue/venue.h"

#define SECONDS_LEN 19 /* of the date, without a fraction */

void
put_key(struct text *t, const char *name)
{
	text_lit(t, ",\"");
	text_lit(t, name);
	text_lit(t, "\":");
}

void
put_str(struct text *t, const char *name, const char *value)
{
	put_key(t, name);
	text_lit(t, "\"");
	text_lit(t, value);
	text_lit(t, "\"");
}

void
put_int(struct text *t, const char *name, int64_t v)
{
	put_key(t, name);
	put_i64(t, v);
}

void
put_int_text(struct text *t, const char *name, uint64_t v)
{
	put_key(t, name);
	text_lit(t, "\"");
	put_i64(t, (int64_t)v);
	text_lit(t, "\"");
}

void
put_dec(struct text *t, const char *name, int64_t e8, unsigned min)
{
	put_key(t, name);
	text_lit(t, "\"");
	put_e8(t, e8, min);
	text_lit(t, "\"");
}

void
put_cond(struct text *t, const struct pm_cond *c)
{
	char buf[PM_COND_TEXT_MAX];

	text_put(t, buf, pm_cond_format(c, buf));
}

void
put_token(struct text *t, const struct pm_token *token)
{
	char buf[PM_TOKEN_TEXT_MAX];

	text_put(t, buf, pm_token_format(token, buf));
}

void
put_lower(struct text *t, const struct address *a)
{
	char buf[ADDRESS_TEXT_MAX];

	address_format_lower(a, buf);
	text_lit(t, buf);
}

void
put_iso(struct text *t, uint64_t utc_ns)
{
	char date[CLOCK_DATE_SZ];

	(void)clock_format_utc(utc_ns, date);
	text_put(t, date, SECONDS_LEN);
	text_lit(t, "Z");
}

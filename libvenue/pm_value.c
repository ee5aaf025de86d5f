#include "libvenue/pm_value.h"

#include "libvenue/gamma.h"

#define USD_SCALE  6
#define USD_E6_MAX (INT64_C(100000000000) * E6)
#define CENTS_MAX  (100 * E8)
#define U32_MAX	   UINT64_C(999999999)

static bool
fail_at(struct json *j, struct json_str text, enum reason r)
{
	j->pos = text.s;
	return json_fail(j, r);
}

bool
pm_value_absent(struct json *j)
{
	struct json_str text;

	if (json_peek(j) == JSON_NULL)
		return json_null(j);
	if (json_peek(j) != JSON_STRING || j->end - j->pos < 2 ||
	    j->pos[1] != '"')
		return false;
	return json_string(j, &text);
}

static bool
list_items(struct json *j, struct pm_list *l)
{
	struct json_str text;

	l->n = 0;
	l->too_long = false;
	if (!json_array(j))
		return false;
	while (json_item(j)) {
		if (json_peek(j) == JSON_STRING)
			json_string(j, &text);
		else
			json_raw(j, &text);
		if (j->reason != REASON_NONE)
			return false;
		l->too_long |= l->n == PM_LIST_MAX;
		if (l->n < PM_LIST_MAX)
			l->item[l->n++] = text;
	}
	return j->reason == REASON_NONE;
}

bool
pm_value_list(struct json *j, struct pm_list *l)
{
	struct json inner;
	struct json_str text;

	if (json_peek(j) != JSON_STRING)
		return list_items(j, l);
	if (!json_string(j, &text))
		return false;
	size_t n = json_unescape(text, l->buf, sizeof(l->buf));

	if (n == SIZE_MAX) {
		l->n = 0;
		return l->too_long = true;
	}
	json_init(&inner, l->buf, n);
	if (list_items(&inner, l) && json_end(&inner))
		return true;
	return fail_at(j, text, inner.reason);
}

bool
pm_value_time(struct json *j, int64_t *ns)
{
	struct json_str text;

	if (!json_string(j, &text))
		return false;
	return gamma_parse_time(text.s, text.n, ns) ||
	       fail_at(j, text, REASON_BAD_NUMBER);
}

bool
pm_value_cond(struct json *j, struct pm_cond *out)
{
	struct json_str text;

	if (!json_string(j, &text))
		return false;
	return pm_cond_parse(text.s, text.n, out) ||
	       fail_at(j, text, REASON_BAD_NUMBER);
}

bool
pm_value_token(struct json *j, struct pm_token *out)
{
	struct json_str text;

	if (!json_string(j, &text))
		return false;
	return pm_token_parse(text.s, text.n, out) ||
	       fail_at(j, text, REASON_BAD_NUMBER);
}

bool
pm_value_cut(struct json_str text, unsigned scale, int64_t max, int64_t *out)
{
	const char *dot = text.n != 0 ? memchr(text.s, '.', text.n) : NULL;
	size_t n = text.n;

	if (dot != NULL && (size_t)(dot - text.s) + 1 + scale < n)
		n = (size_t)(dot - text.s) + 1 + scale;
	for (size_t i = n; i < text.n; i++)
		if (text.s[i] < '0' || text.s[i] > '9')
			return false;
	return fixed_parse(text.s, n, scale, false, max, out);
}

bool
pm_value_px(struct json *j, px_t *out)
{
	return json_e8_floor(j, PX_E8_MAX, &out->e8);
}

bool
pm_value_usd(struct json *j, usd_t *out)
{
	struct json_str text;
	bool quoted = json_peek(j) == JSON_STRING;

	if (!(quoted ? json_string(j, &text) : json_raw(j, &text)))
		return false;
	out->e6 = 0;
	(void)pm_value_cut(text, USD_SCALE, USD_E6_MAX, &out->e6);
	return true;
}

bool
pm_value_cents(struct json *j, px_t *out)
{
	int64_t cents;

	if (!json_e8(j, CENTS_MAX, &cents))
		return false;
	*out = PX(cents / 100);
	return true;
}

bool
pm_value_u32(struct json *j, uint32_t *out)
{
	uint64_t v;

	if (!json_u64(j, &v))
		return false;
	if (v > U32_MAX)
		return json_fail(j, REASON_BAD_NUMBER);
	*out = (uint32_t)v;
	return true;
}

bool
pm_value_text(struct json *j, struct json_str *out)
{
	return json_peek(j) == JSON_STRING ? json_string(j, out) : json_skip(j);
}

#include "libvenue/pm_fields.h"

#include "libcore/check.h"
#include "libcore/types.h"
#include "libvenue/vtime.h"

static bool
epoch_value(struct json *j, int64_t *ns)
{
	uint64_t t;

	if (!json_u64(j, &t))
		return false;
	return vtime_ns(t, ns) || json_fail(j, REASON_BAD_NUMBER);
}

static bool
side_value(struct json *j, enum side *side)
{
	struct json_str text;

	if (!json_string(j, &text))
		return false;
	if (!json_is(text, "BUY") && !json_is(text, "SELL"))
		return json_fail(j, REASON_BAD_TYPE);
	*side = json_is(text, "BUY") ? SIDE_BID : SIDE_ASK;
	return true;
}

static bool
value(struct json *j, enum pm_field_type type, void *to)
{
	switch (type) {
	case PM_FIELD_BOOL: return json_bool(j, to);
	case PM_FIELD_U32: return pm_value_u32(j, to);
	case PM_FIELD_EPOCH: return epoch_value(j, to);
	case PM_FIELD_TIME: return pm_value_time(j, to);
	case PM_FIELD_FRAC: return json_e8(j, E8, to);
	case PM_FIELD_PX: return pm_value_px(j, to);
	case PM_FIELD_QTY: return json_e8(j, QTY_E8_MAX, to);
	case PM_FIELD_CENTS: return pm_value_cents(j, to);
	case PM_FIELD_TEXT: return json_string(j, to);
	case PM_FIELD_RAW: return json_raw(j, to);
	case PM_FIELD_SIDE: return side_value(j, to);
	case PM_FIELD_COND: return pm_value_cond(j, to);
	case PM_FIELD_TOKEN: return pm_value_token(j, to);
	case PM_FIELD_TYPE_N: break;
	}
	CHECK(type != PM_FIELD_TYPE_N);
	return false;
}

static const struct pm_field *
field_of(const struct pm_fields *f, struct json_str key)
{
	for (size_t i = 0; i < f->n && key.n != 0; i++)
		if (f->table[i].key_n == key.n &&
		    f->table[i].key[0] == key.s[0] &&
		    memcmp(f->table[i].key, key.s, key.n) == 0)
			return &f->table[i];
	return NULL;
}

bool
pm_fields_read(
    struct json *j, const struct pm_fields *f, void *out, uint32_t *has)
{
	struct json_str key;

	*has = 0;
	if (!json_object(j))
		return false;
	while (json_key(j, &key)) {
		const struct pm_field *field = field_of(f, key);

		if (field == NULL) {
			if (f->other == NULL || !f->other(j, key, out))
				json_skip(j);
		} else if (!pm_value_absent(j) &&
			   value(j, field->type, (char *)out + field->offset)) {
			*has |= field->has;
		}
	}
	return j->reason == REASON_NONE;
}

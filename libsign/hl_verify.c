#include "libsign/hl_verify.h"

#include <string.h>

#include "libcore/json.h"

/* What hl_wire_str takes. */
static bool
is_plain(struct json_str s)
{
	if (s.escaped || s.n > UINT16_MAX)
		return false;
	for (uint32_t i = 0; i < s.n; i++)
		if (s.s[i] < ' ' || s.s[i] > '~')
			return false;
	return true;
}

/* Members of the value that comes next, which stays unread; false when the
 * text is bad or there are too many. */
static bool
count_members(const struct json *j, bool map, uint16_t *out)
{
	struct json sub = *j;
	struct json_str key;
	uint32_t n = 0;

	if (!(map ? json_object(&sub) : json_array(&sub)))
		return false;
	while (map ? json_key(&sub, &key) : json_item(&sub)) {
		if (!json_skip(&sub) || ++n > UINT16_MAX)
			return false;
	}
	*out = (uint16_t)n;
	return sub.reason == REASON_NONE;
}

/* An integer of 64 bits, no fraction, no exponent. */
static bool
put_number(struct hl_wire *w, struct json *j)
{
	struct json_str raw;
	uint64_t v = 0;
	bool minus;

	if (!json_raw(j, &raw))
		return false;
	minus = raw.s[0] == '-';
	for (uint32_t i = minus; i < raw.n; i++) {
		unsigned digit = (unsigned)raw.s[i] - '0';

		if (digit > 9 || v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	if (minus && v > (uint64_t)INT64_MAX + 1)
		return false;
	if (minus)
		hl_wire_int(w, (int64_t)(0 - v));
	else
		hl_wire_uint(w, v);
	return true;
}

/* Opens a map or array in both, when one more level is allowed. */
static bool
put_open(struct hl_wire *w, struct json *j, bool map)
{
	uint16_t n;

	if (w->depth >= HL_WIRE_DEPTH || !count_members(j, map, &n))
		return false;
	if (map)
		hl_wire_map(w, n);
	else
		hl_wire_array(w, n);
	return map ? json_object(j) : json_array(j);
}

/* The value that comes next; of a map or array only its opening. */
static bool
put_value(struct hl_wire *w, struct json *j, enum json_kind kind)
{
	struct json_str s;
	bool yes;

	switch (kind) {
	case JSON_OBJECT:
	case JSON_ARRAY: return put_open(w, j, kind == JSON_OBJECT);
	case JSON_STRING:
		if (!json_string(j, &s) || !is_plain(s))
			return false;
		hl_wire_str(w, s.s, s.n);
		return true;
	case JSON_BOOL:
		if (!json_bool(j, &yes))
			return false;
		hl_wire_bool(w, yes);
		return true;
	case JSON_NUMBER: return put_number(w, j);
	case JSON_NULL:
	case JSON_NONE:
	case JSON_KIND_N: break;
	}
	return false;
}

static bool
put_key(struct hl_wire *w, struct json_str key)
{
	char text[HL_KEY_MAX + 1];

	if (key.n > HL_KEY_MAX || !is_plain(key))
		return false;
	memcpy(text, key.s, key.n);
	text[key.n] = '\0';
	hl_wire_key(w, text);
	return true;
}

bool
hl_wire_json(struct hl_wire *w, const char *text, size_t n)
{
	bool map[HL_WIRE_DEPTH + 1];
	unsigned depth = 0;
	struct json_str key;
	struct json j;

	json_init(&j, text, n);
	do {
		enum json_kind kind = json_peek(&j);

		if (depth > HL_WIRE_DEPTH || !put_value(w, &j, kind))
			return false;
		if (kind == JSON_OBJECT || kind == JSON_ARRAY)
			map[depth++] = kind == JSON_OBJECT;
		/* To the next value, out of what is over; an error ends all
		 * that is open, and json_end tells it. */
		while (depth > 0 &&
		       !(map[depth - 1] ? json_key(&j, &key) : json_item(&j)))
			depth--;
		if (depth > 0 && map[depth - 1] && !put_key(w, key))
			return false;
	} while (depth > 0);
	return json_end(&j) && hl_wire_end(w);
}

bool
hl_signer_of(
    const struct secp *c, const struct hl_received *r, struct address *who)
{
	uint8_t mp[HL_MSGPACK_MAX];
	char json[HL_BODY_MAX];
	uint8_t hash[HASH_SZ];
	struct hl_wire w;

	hl_wire_init(
	    &w, &(struct hl_wire_bufs){mp, sizeof(mp), json, sizeof(json)});
	if (!hl_wire_json(&w, r->action, r->n))
		return false;
	hl_connection_id(mp, w.mp.n, &r->meta, hash);
	hl_agent_digest(r->mainnet, hash, hash);
	return secp_recover(c, &r->sig, hash, who);
}

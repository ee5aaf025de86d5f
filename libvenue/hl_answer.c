/*
 * Answers to Hyperliquid's actions. Whatever is not understood is BAD or ODD,
 * never a success.
 */
#include "libvenue/hl_user.h"

/* {"type":...,"data":{"statuses":[...]}} */
static void
read_response(struct json *j, struct json_str *list)
{
	struct json_str key;

	json_object(j);
	while (json_key(j, &key)) {
		if (!json_is(key, "data") || json_peek(j) != JSON_OBJECT) {
			json_skip(j);
			continue;
		}
		json_object(j);
		while (json_key(j, &key))
			if (json_is(key, "statuses") &&
			    json_peek(j) == JSON_ARRAY)
				json_raw(j, list);
			else
				json_skip(j);
	}
}

enum hla_kind
hl_answer_open(struct hl_answer *a, const char *text, size_t n)
{
	struct json_str status = {.s = ""};
	struct json_str list = {.s = ""};
	struct json_str key;
	bool has_response = false;
	struct json j;

	memset(a, 0, sizeof(*a));
	a->kind = HLA_BAD;
	a->msg.s = "";
	json_init(&j, text, n);
	json_object(&j);
	while (json_key(&j, &key)) {
		if (json_is(key, "status")) {
			json_string(&j, &status);
		} else if (json_is(key, "response") &&
			   json_peek(&j) == JSON_STRING) {
			json_string(&j, &a->msg);
		} else if (json_is(key, "response")) {
			has_response = true;
			read_response(&j, &list);
		} else {
			json_skip(&j);
		}
	}
	if (!json_end(&j))
		return a->kind;
	if (json_is(status, "err"))
		a->kind = HLA_ERR;
	else if (json_is(status, "ok") && has_response)
		a->kind = list.n > 0 ? HLA_STATUSES : HLA_DEFAULT;
	if (a->kind == HLA_STATUSES) {
		json_sub(&a->list, list.s, list.n);
		(void)json_array(&a->list);
	}
	return a->kind;
}

static void
read_order(struct json *j, struct hla_entry *e)
{
	struct json_str key;

	json_object(j);
	while (json_key(j, &key))
		if (json_is(key, "oid"))
			json_u64(j, &e->oid);
		else if (json_is(key, "totalSz"))
			json_e8(j, QTY_E8_MAX, &e->qty.e8);
		else if (json_is(key, "avgPx"))
			json_e8_floor(j, PX_E8_MAX, &e->px.e8);
		else
			json_skip(j);
}

static void
read_entry(struct json *j, struct hla_entry *e)
{
	struct json_str key;
	struct json_str s;

	if (json_peek(j) == JSON_STRING) {
		if (!json_string(j, &s))
			return;
		if (json_is(s, "success"))
			e->status = HLA_SUCCESS;
		else if (s.n >= 7 && memcmp(s.s, "waiting", 7) == 0)
			e->status = HLA_WAITING;
		return;
	}
	json_object(j);
	while (json_key(j, &key)) {
		if (json_is(key, "resting")) {
			e->status = HLA_RESTING;
			read_order(j, e);
		} else if (json_is(key, "filled")) {
			e->status = HLA_DONE;
			read_order(j, e);
		} else if (json_is(key, "error")) {
			e->status = HLA_REFUSED;
			json_string(j, &e->msg);
		} else {
			json_skip(j);
		}
	}
}

bool
hl_answer_next(struct hl_answer *a, struct hla_entry *out)
{
	struct json_str raw;
	struct json j;

	memset(out, 0, sizeof(*out));
	out->status = HLA_ODD;
	out->msg.s = "";
	if (a->kind != HLA_STATUSES || !json_item(&a->list) ||
	    !json_raw(&a->list, &raw))
		return false;
	json_sub(&j, raw.s, raw.n);
	read_entry(&j, out);
	if (j.reason != REASON_NONE ||
	    ((out->status == HLA_RESTING || out->status == HLA_DONE) &&
		out->oid == 0))
		out->status = HLA_ODD; /* success needs an id (T-33) */
	return true;
}

#include "simvenue/fault.h"

#include <stdio.h>
#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"

static const struct fault_info infos[FAULT_N] = {
#define FAULT(name, label, scope, value, traps, text) \
	[FAULT_##name] = {label, FAULT_AT_##scope, value, traps, text},
#include "simvenue/fault.def"
#undef FAULT
};

static const char *const scope_names[FAULT_SCOPE_N] = {
    [FAULT_AT_MESSAGE] = "message",
    [FAULT_AT_CONNECTION] = "connection",
    [FAULT_AT_UPGRADE] = "upgrade",
    [FAULT_AT_ANSWER] = "answer",
    [FAULT_AT_TIMELINE] = "timeline",
    [FAULT_AT_LISTENER] = "listener",
    [FAULT_AT_CLIENT] = "client",
    [FAULT_AT_EXCHANGE] = "exchange",
    [FAULT_AT_ORDER] = "order",
    [FAULT_AT_TURN] = "turn",
};

/* Faults that a connection bears have a bit each. */
#define BORNE_N 64
_Static_assert(FAULT_RTDS_STALL<BORNE_N && FAULT_N> BORNE_N, "bits");

const struct fault_info *
fault_info(enum fault f)
{
	CHECK(f > 0 && f < FAULT_N);
	return &infos[f];
}

const char *
fault_scope_name(enum fault_scope s)
{
	CHECK(s > 0 && s < FAULT_SCOPE_N);
	return scope_names[s];
}

enum fault
fault_find(const char *label, size_t n)
{
	for (int f = 1; f < FAULT_N; f++) {
		if (strlen(infos[f].label) == n &&
		    memcmp(infos[f].label, label, n) == 0)
			return (enum fault)f;
	}
	return 0;
}

/* ---- rules ---- */

void
fault_init(struct fault_set *s, uint64_t seed)
{
	memset(s, 0, sizeof(*s));
	s->seed = seed;
}

static bool
wrong(char *err, const char *what, struct json_str value)
{
	(void)snprintf(err, FAULT_ERROR_MAX, "%s: '%.*s'", what,
	    value.n < 64 ? (int)value.n : 64, value.s);
	return false;
}

static enum venue
venue_find(struct json_str s)
{
	for (int v = 1; v < VENUE_N; v++) {
		const char *name = venue_name((enum venue)v);
		if (strlen(name) == s.n && memcmp(name, s.s, s.n) == 0)
			return (enum venue)v;
	}
	return 0;
}

/* A value of a rule; false with err set when it is not one. */
static bool
parse_field(
    struct json *j, struct json_str key, struct fault_rule *r, char *err)
{
	struct json_str s = {.s = ""};
	int64_t p;
	if (json_is(key, "name")) {
		json_string(j, &s);
		r->fault = fault_find(s.s, s.n);
		return r->fault != 0 || wrong(err, "no such fault", s);
	}
	if (json_is(key, "venue")) {
		json_string(j, &s);
		r->venue = venue_find(s);
		return r->venue != 0 || wrong(err, "no such venue", s);
	}
	if (json_is(key, "conn")) {
		json_string(j, &s);
		r->conn = sim_conn_find(s.s, s.n);
		return r->conn != 0 || wrong(err, "no such connection", s);
	}
	if (json_is(key, "p")) {
		if (!json_fixed(j, 6, false, FAULT_P_ONE, &p))
			return wrong(err, "not from 0 to 1", key);
		r->p_e6 = (uint32_t)p;
		return true;
	}
	if (json_is(key, "value"))
		return json_fixed(j, 0, true, INT64_MAX, &r->value) ||
		       wrong(err, "not a whole number", key);
	if (json_is(key, "path")) {
		if (!json_string(j, &s) || s.n >= sizeof(r->path))
			return wrong(err, "not a path", s);
		memcpy(r->path, s.s, s.n);
		r->path_n = s.n;
		return true;
	}
	uint64_t *to = json_is(key, "after")	? &r->after
		       : json_is(key, "count")	? &r->count
		       : json_is(key, "for_ms") ? &r->for_ms
		       : json_is(key, "at_ms")	? &r->at_ms
		       : json_is(key, "seed")	? &r->seed
						: NULL;
	if (to == NULL)
		return wrong(err, "no such key", key);
	return json_u64(j, to) || wrong(err, "not a whole number", key);
}

bool
fault_parse(const char *text, size_t n, struct fault_rule *out, char *err)
{
	const struct json_str none = {.s = ""};
	struct json j;
	struct json_str key;
	/* The name's default may come after the value: seen by the sentinel. */
	memset(out, 0, sizeof(*out));
	out->p_e6 = FAULT_P_ONE;
	out->value = INT64_MIN;
	json_init(&j, text, n);
	if (!json_object(&j))
		return wrong(err, "not a JSON object", none);
	while (json_key(&j, &key)) {
		if (!parse_field(&j, key, out, err))
			return false;
	}
	if (!json_end(&j))
		return wrong(err, "not JSON", none);
	if (out->fault == 0)
		return wrong(err, "name is needed", none);
	if (infos[out->fault].scope == FAULT_AT_CLIENT)
		return wrong(err, infos[out->fault].text, none);
	if (out->value == INT64_MIN)
		out->value = infos[out->fault].value;
	return true;
}

bool
fault_add(struct fault_set *s, const struct fault_rule *r, uint64_t now_ms)
{
	CHECK(r->fault > 0 && r->fault < FAULT_N);
	if (s->n == FAULT_RULES_MAX)
		return false;
	struct fault_rule *to = &s->rules[s->n++];
	*to = *r;
	to->from_ms = now_ms;
	to->seen = 0;
	to->fired = 0;
	if (to->seed == 0)
		to->seed = hash_u64(s->seed, (uint64_t)r->fault);
	return true;
}

static void
rule_remove(struct fault_set *s, uint32_t i)
{
	s->n--;
	memmove(
	    &s->rules[i], &s->rules[i + 1], (s->n - i) * sizeof(s->rules[0]));
}

uint32_t
fault_remove(struct fault_set *s, enum fault f)
{
	uint32_t before = s->n;
	for (uint32_t i = s->n; i > 0; i--) {
		if (f == 0 || s->rules[i - 1].fault == f)
			rule_remove(s, i - 1);
	}
	return before - s->n;
}

void
fault_expire(struct fault_set *s, uint64_t now_ms)
{
	for (uint32_t i = s->n; i > 0; i--) {
		const struct fault_rule *r = &s->rules[i - 1];
		if (r->for_ms != 0 && now_ms >= r->from_ms + r->for_ms)
			rule_remove(s, i - 1);
	}
}

static bool
rule_is_for(const struct fault_rule *r, enum fault f, const struct fault_at *at)
{
	return r->fault == f && (r->venue == 0 || r->venue == at->venue) &&
	       (r->conn == 0 || r->conn == at->conn) &&
	       (r->path_n == 0 ||
		   (at->path.n >= r->path_n &&
		       memcmp(at->path.p, r->path, r->path_n) == 0)) &&
	       (r->for_ms == 0 || at->now_ms < r->from_ms + r->for_ms);
}

bool
fault_value(const struct fault_set *s, enum fault f, const struct fault_at *at,
    int64_t *value)
{
	for (uint32_t i = 0; i < s->n; i++) {
		if (!rule_is_for(&s->rules[i], f, at))
			continue;
		*value = s->rules[i].value;
		return true;
	}
	return false;
}

uint64_t
fault_since(const struct fault_set *s, enum fault f, const struct fault_at *at)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (rule_is_for(&s->rules[i], f, at))
			return at->now_ms - s->rules[i].from_ms;
	return 0;
}

bool
fault_in_force(
    const struct fault_set *s, enum fault f, const struct fault_at *at)
{
	int64_t value;
	return fault_value(s, f, at, &value);
}

bool
fault_roll(struct fault_set *s, enum fault f, const struct fault_at *at,
    int64_t *value)
{
	CHECK(f > 0 && f < FAULT_N);
	for (uint32_t i = 0; i < s->n; i++) {
		struct fault_rule *r = &s->rules[i];
		if (!rule_is_for(r, f, at) ||
		    (r->count != 0 && r->fired == r->count))
			continue;
		r->seen++;
		if (r->seen <= r->after ||
		    hash_u64(r->seed, r->seen) % FAULT_P_ONE >= r->p_e6)
			continue;
		r->fired++;
		s->fired[f]++;
		*value = r->value;
		return true;
	}
	return false;
}

void
fault_release(
    const struct fault_set *s, const struct fault_at *at, struct fault_conn *c)
{
	for (int f = 1; f < BORNE_N && c->struck != 0; f++) {
		if (!fault_in_force(s, (enum fault)f, at))
			c->struck &= ~(UINT64_C(1) << f);
	}
	if (!fault_in_force(s, FAULT_GAP, at))
		c->gap_left = 0;
	if (!fault_in_force(s, FAULT_RTDS_GAP, at))
		c->rtds_gap_left = 0;
}

bool
fault_strike(
    struct fault_set *s, const struct fault_at *at, struct fault_conn *c)
{
	bool is_rtds = at->conn == SIM_CONN_RTDS || at->conn == SIM_CONN_BOLT;
	fault_release(s, at, c);
	for (int f = 1; f < BORNE_N && s->n > 0; f++) {
		if (infos[f].scope != FAULT_AT_CONNECTION ||
		    (f == FAULT_RTDS_STALL && !is_rtds) ||
		    fault_bears(c, (enum fault)f))
			continue;
		if (fault_roll(s, (enum fault)f, at, &c->value[f]))
			c->struck |= UINT64_C(1) << f;
	}
	return c->struck != 0;
}

/* ---- as JSON ---- */

static void
put_number(struct text *t, const char *key, int64_t v)
{
	text_lit(t, ",\"");
	text_lit(t, key);
	text_lit(t, "\":");
	put_i64(t, v);
}

static void
put_name(struct text *t, const char *key, const char *v)
{
	text_lit(t, "\"");
	text_lit(t, key);
	text_lit(t, "\":\"");
	text_lit(t, v);
	text_lit(t, "\"");
}

void
fault_put_rules(const struct fault_set *s, struct text *t)
{
	bool any = false;
	text_lit(t, "{\"rules\":[");
	for (uint32_t i = 0; i < s->n; i++) {
		const struct fault_rule *r = &s->rules[i];
		char p[FIXED_TEXT_MAX];
		text_lit(t, i > 0 ? ",{" : "{");
		put_name(t, "name", infos[r->fault].label);
		text_lit(t, ",");
		put_name(
		    t, "venue", r->venue != 0 ? venue_name(r->venue) : "all");
		text_lit(t, ",");
		put_name(t, "conn", sim_conn_name(r->conn));
		text_lit(t, ",\"p\":");
		text_put(t, p, fixed_format(r->p_e6, 6, p));
		put_number(t, "after", (int64_t)r->after);
		put_number(t, "count", (int64_t)r->count);
		put_number(t, "for_ms", (int64_t)r->for_ms);
		put_number(t, "value", r->value);
		put_number(t, "seen", (int64_t)r->seen);
		put_number(t, "fired", (int64_t)r->fired);
		text_lit(t, "}");
	}
	text_lit(t, "],\"fired\":{");
	for (int f = 1; f < FAULT_N; f++) {
		if (s->fired[f] == 0)
			continue;
		text_lit(t, any ? ",\"" : "\"");
		text_lit(t, infos[f].label);
		text_lit(t, "\":");
		put_i64(t, (int64_t)s->fired[f]);
		any = true;
	}
	text_lit(t, "}}");
}

void
fault_put_table(struct text *t)
{
	text_lit(t, "[");
	for (int f = 1; f < FAULT_N; f++) {
		text_lit(t, f > 1 ? ",{" : "{");
		put_name(t, "name", infos[f].label);
		text_lit(t, ",");
		put_name(t, "scope", scope_names[infos[f].scope]);
		put_number(t, "value", infos[f].value);
		text_lit(t, ",");
		put_name(t, "traps", infos[f].traps);
		text_lit(t, ",");
		put_name(t, "text", infos[f].text);
		text_lit(t, "}");
	}
	text_lit(t, "]");
}

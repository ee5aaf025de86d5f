#include "simvenue/control.h"

#include <string.h>

#include "libcore/json.h"

#define FAULTS "/sim/faults"

static bool
starts(struct http_text path, const char *with)
{
	size_t n = strlen(with);
	return path.n >= n && memcmp(path.p, with, n) == 0;
}

bool
control_is(struct http_text path)
{
	return starts(path, CONTROL_PREFIX);
}

static void
answer_error(struct sim_answer *a, unsigned status, const char *why)
{
	char escaped[FAULT_ERROR_MAX * 6];
	a->status = status;
	text_lit(&a->body, "{\"error\":\"");
	if (json_escape(why, strlen(why), escaped, sizeof(escaped)) != SIZE_MAX)
		text_lit(&a->body, escaped);
	text_lit(&a->body, "\"}");
}

static void
answer_number(struct sim_answer *a, const char *key, uint32_t n)
{
	a->status = 200;
	text_lit(&a->body, "{\"");
	text_lit(&a->body, key);
	text_lit(&a->body, "\":");
	put_i64(&a->body, n);
	text_lit(&a->body, "}");
}

static void
add(struct fault_set *s, const struct sim_request *r, uint64_t now_ms,
    struct sim_answer *a)
{
	struct fault_rule rule;
	char err[FAULT_ERROR_MAX];
	if (!fault_parse(r->body, r->body_n, &rule, err))
		answer_error(a, 400, err);
	else if (!fault_add(s, &rule, now_ms))
		answer_error(a, 409, "no room for another rule");
	else
		answer_number(a, "rules", s->n);
}

static void
remove_rules(
    struct fault_set *s, const struct sim_request *r, struct sim_answer *a)
{
	size_t skip = sizeof(FAULTS "/") - 1;
	enum fault f = 0;
	if (r->path.n > skip) {
		f = fault_find(r->path.p + skip, r->path.n - skip);
		if (f == 0) {
			answer_error(a, 404, "no such fault");
			return;
		}
	}
	answer_number(a, "removed", fault_remove(s, f));
}

void
control_faults(struct fault_set *s, const struct sim_request *r,
    uint64_t now_ms, struct sim_answer *a)
{
	bool is_list = http_text_is(r->path, FAULTS);
	if (http_text_is(r->method, "GET") && is_list) {
		a->status = 200;
		fault_put_rules(s, &a->body);
	} else if (http_text_is(r->method, "GET") &&
		   http_text_is(r->path, "/sim/table")) {
		a->status = 200;
		fault_put_table(&a->body);
	} else if (http_text_is(r->method, "POST") && is_list) {
		add(s, r, now_ms, a);
	} else if (http_text_is(r->method, "DELETE") &&
		   starts(r->path, FAULTS)) {
		remove_rules(s, r, a);
	} else {
		answer_error(a, 404, "no such path below /sim/");
	}
}

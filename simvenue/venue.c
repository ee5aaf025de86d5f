#include "simvenue/venue.h"

#include <string.h>

#include "libcore/check.h"
#include "libcore/fixed.h"

#define E8_SCALE 8

void
sim_out_init(struct sim_out *o, char *buf)
{
	CHECK(buf != NULL);
	memset(o, 0, sizeof(*o));
	o->buf = buf;
}

void
sim_out_begin(struct sim_out *o, struct text *t)
{
	text_init(t, o->buf + o->used, SIM_OUT_SZ - o->used);
}

void
sim_out_end(struct sim_out *o, struct text *t)
{
	size_t n = text_end(t);
	if (n == 0 || o->msg_n == SIM_OUT_MSGS_MAX)
		return;
	o->msgs[o->msg_n].at = o->used;
	o->msgs[o->msg_n].n = n;
	o->msg_n++;
	o->used += n;
}

void
sim_out_text(struct sim_out *o, const char *s, size_t n)
{
	struct text t;
	sim_out_begin(o, &t);
	text_put(&t, s, n);
	sim_out_end(o, &t);
}

void
put_i64(struct text *t, int64_t v)
{
	char buf[FIXED_TEXT_MAX];
	text_put(t, buf, fixed_format(v, 0, buf));
}

void
put_e8(struct text *t, int64_t e8, unsigned min_decimals)
{
	char buf[FIXED_TEXT_MAX];
	size_t n = fixed_format(e8, E8_SCALE, buf);
	const char *dot = memchr(buf, '.', n);
	size_t have = dot != NULL ? n - 1 - (size_t)(dot - buf) : 0;
	text_put(t, buf, n);
	if (have < min_decimals && dot == NULL)
		text_lit(t, ".");
	for (; have < min_decimals; have++)
		text_lit(t, "0");
}

void
sim_answer_lit(struct sim_answer *a, unsigned status, const char *body)
{
	a->status = status;
	text_lit(&a->body, body);
}

static const char *const conn_names[SIM_CONN_N] = {
    [SIM_CONN_MARKET] = "market",
    [SIM_CONN_RTDS] = "rtds",
    [SIM_CONN_BOLT] = "bolt",
    [SIM_CONN_STREAM] = "stream",
    [SIM_CONN_WS] = "ws",
    [SIM_CONN_REST] = "rest",
    [SIM_CONN_USER] = "user",
};

const char *
sim_conn_name(enum sim_conn c)
{
	return c > 0 && c < SIM_CONN_N ? conn_names[c] : "all";
}

enum sim_conn
sim_conn_find(const char *name, size_t n)
{
	for (int c = 1; c < SIM_CONN_N; c++) {
		if (strlen(conn_names[c]) == n &&
		    memcmp(conn_names[c], name, n) == 0)
			return (enum sim_conn)c;
	}
	return 0;
}

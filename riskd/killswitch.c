#include "riskd/killswitch.h"

#include <string.h>

#include "libcore/check.h"

const char *
kill_cause_name(enum kill_cause c)
{
	static const char *const name[KILL_CAUSE_N] = {
	    [KILL_BY_NONE] = "none",
	    [KILL_BY_EMA] = "ema",
	    [KILL_BY_RAW] = "raw",
	    [KILL_BY_OVERDUE] = "pong_overdue",
	    [KILL_BY_DATA_AGE] = "data_age",
	    [KILL_BY_ACK] = "ack",
	    [KILL_BY_FORMER] = "former_life",
	    [KILL_BY_SELF] = "self_throttle",
	};

	CHECK(c >= KILL_BY_NONE && c < KILL_CAUSE_N);
	return name[c];
}

void
kill_cfg_from(struct kill_cfg *k, const struct cfg *c, enum venue v)
{
	memset(k, 0, sizeof(*k));
	k->limit_ns = cfg_kill_switch_ns(c, v);
	k->resume_ns = cfg_resume_ns(c, v);
	k->age_ns = c->latency_data_age_ms.ns;
	k->weight_e8 = c->latency_ema_weight.e8;
	k->raw_trips = (uint32_t)c->latency_raw_trips;
	k->resume_n = (uint32_t)c->latency_resume_n;
	CHECK(k->limit_ns > 0);
	CHECK(k->resume_ns > 0);
}

void
kill_init(struct kill *k)
{
	memset(k, 0, sizeof(*k));
	k->state = KILL_STARTUP;
	k->cause = KILL_BY_NONE;
}

static void
measure(struct kill *k, const struct kill_cfg *cfg, int64_t rtt_ns)
{
	if (rtt_ns <= 0)
		return;
	if (k->samples_n == 0)
		k->ema_ns = rtt_ns;
	else
		k->ema_ns +=
		    i64_mul_div(rtt_ns - k->ema_ns, cfg->weight_e8, E8);
	if (k->samples_n < UINT32_MAX)
		k->samples_n++;
	k->bad_n = rtt_ns > cfg->limit_ns ? k->bad_n + 1 : 0;
	k->good_n = rtt_ns < cfg->resume_ns ? k->good_n + 1 : 0;
}

/* The numbers are those of the header. */
static enum kill_cause
cause_of(
    struct kill *k, const struct kill_cfg *cfg, const struct kill_sample *s)
{
	k->limit_ns = cfg->limit_ns;
	if (s->overdue) { /* 1 */
		k->value_ns = s->rtt_ns;
		return KILL_BY_OVERDUE;
	}
	if (s->age_ns > cfg->age_ns) { /* 2 */
		k->value_ns = s->age_ns;
		k->limit_ns = cfg->age_ns;
		return KILL_BY_DATA_AGE;
	}
	if (k->ema_ns > cfg->limit_ns) { /* 3 */
		k->value_ns = k->ema_ns;
		return KILL_BY_EMA;
	}
	if (k->bad_n >= cfg->raw_trips) { /* 4 */
		k->value_ns = s->rtt_ns;
		return KILL_BY_RAW;
	}
	return KILL_BY_NONE;
}

static void
trip(struct kill *k, enum kill_cause why)
{
	k->state = KILL_TRIPPED;
	k->cause = (uint8_t)why;
	k->good_n = 0;
	k->trips_n++;
}

void
kill_restart(struct kill *k)
{
	CHECK(k->state >= KILL_STARTUP && k->state < KILL_STATE_N);
	if (k->state != KILL_TRIPPED) {
		kill_init(k);
		return;
	}
	k->bad_n = 0;
	k->good_n = 0;
}

void
kill_reconnect(struct kill *k)
{
	CHECK(k->state >= KILL_STARTUP && k->state < KILL_STATE_N);
	k->samples_n = 0;
	k->ema_ns = 0;
	k->good_n = 0;
}

void
kill_start_tripped(struct kill *k)
{
	kill_init(k);
	trip(k, KILL_BY_FORMER);
}

bool
kill_probe(
    struct kill *k, const struct kill_cfg *cfg, const struct kill_sample *s)
{
	struct kill seen = *k;
	enum kill_cause why;
	uint32_t need = k->state == KILL_STARTUP ? 1 : cfg->resume_n;

	CHECK(k->state >= KILL_STARTUP && k->state < KILL_STATE_N);
	CHECK(cfg->limit_ns > 0);
	measure(k, cfg, s->rtt_ns);
	why = cause_of(k, cfg, s);
	if (why != KILL_BY_NONE && k->state != KILL_TRIPPED) {
		trip(k, why);
		return true;
	}
	if (k->state != KILL_GOOD) {
		/* What tripped it is kept for people to read. */
		k->value_ns = seen.value_ns;
		k->limit_ns = seen.limit_ns;
	}
	if (why != KILL_BY_NONE) {
		k->good_n = 0;
		return false;
	}
	if (k->state == KILL_GOOD || k->samples_n == 0 ||
	    k->ema_ns >= cfg->resume_ns || k->good_n < need)
		return false;
	k->state = KILL_GOOD;
	return true;
}

bool
kill_ack(struct kill *k, const struct kill_cfg *cfg, int64_t ack_ns, bool busy)
{
	CHECK(k->state >= KILL_STARTUP && k->state < KILL_STATE_N);
	CHECK(cfg->limit_ns > 0);
	if (k->state != KILL_GOOD || ack_ns <= cfg->limit_ns)
		return false;
	k->value_ns = ack_ns;
	k->limit_ns = cfg->limit_ns;
	trip(k, busy ? KILL_BY_SELF : KILL_BY_ACK);
	return true;
}

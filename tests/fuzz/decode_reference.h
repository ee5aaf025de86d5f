/*
 * decode_reference.h - the same for discovery and prices; see decode_json.h.
 */
#ifndef TESTS_FUZZ_DECODE_REFERENCE_H
#define TESTS_FUZZ_DECODE_REFERENCE_H

#include "libvenue/clob_market.h"
#include "libvenue/gamma.h"
#include "libvenue/pm_rest.h"
#include "libvenue/polybolt.h"
#include "libvenue/rtds.h"
#include "tests/fuzz/decode_json.h"

/* ---- the price stream ---- */

static inline uint64_t
digest_price(uint64_t h, const struct rtds_event *ev)
{
	CHECK(ev->source >= RTDS_SPOT);
	CHECK(ev->source < RTDS_SOURCE_N);
	CHECK(ev->points_n <= RTDS_POINTS_MAX);
	CHECK(memchr(ev->symbol, '\0', sizeof(ev->symbol)) != NULL);
	CHECK(memchr(ev->coin, '\0', sizeof(ev->coin)) != NULL);
	CHECK(ev->kind != RTDS_UPDATE || ev->points_n == 1);
	h = hash_bytes(h, ev->symbol, strlen(ev->symbol));
	h = hash_bytes(h, ev->coin, strlen(ev->coin));
	h = hash_u64(hash_u64(h, ev->source), (uint64_t)ev->sent_ns);
	for (uint32_t i = 0; i < ev->points_n; i++) {
		CHECK(ev->points[i].px.e8 > 0);
		CHECK(ev->points[i].px.e8 <= PX_E8_MAX);
		h = hash_u64(h, (uint64_t)ev->points[i].px.e8);
		h = hash_u64(h, (uint64_t)ev->points[i].venue_ns);
	}
	return h;
}

static inline uint64_t
digest_rtds(const char *text, size_t n)
{
	static struct rtds_event ev;
	enum rtds_kind kind = rtds_decode(&ev, text, n);
	uint64_t h = hash_u64((uint64_t)ev.reason, kind);

	CHECK(kind == ev.kind);
	CHECK(ev.err_off <= n);
	if (kind != RTDS_UPDATE && kind != RTDS_SNAPSHOT)
		return h;
	CHECK(ev.reason == REASON_NONE);
	return digest_price(h, &ev);
}

static inline uint64_t
digest_polybolt(const char *text, size_t n)
{
	static struct polybolt_event ev;
	struct polybolt_seqs seqs = {0};
	enum polybolt_kind kind = polybolt_decode(&ev, text, n);
	uint64_t h = hash_u64((uint64_t)ev.reason, kind);

	CHECK(kind == ev.kind);
	CHECK(kind >= POLYBOLT_ERR);
	CHECK(kind < POLYBOLT_KIND_N);
	CHECK(ev.err_off <= n);
	CHECK((kind == POLYBOLT_ERR || kind == POLYBOLT_UNKNOWN) ==
	      (ev.reason != REASON_NONE));
	CHECK(polybolt_missed(&seqs, &ev) == 0);
	if (kind == POLYBOLT_ERR)
		return h;
	fuzz_inside(ev.code_text, text, n);
	fuzz_inside(ev.rid, text, n);
	h = hash_u64(fuzz_str(fuzz_str(h, ev.rid), ev.code_text), ev.code);
	h = hash_u64(hash_u64(h, ev.channel), ev.seq);
	CHECK((kind == POLYBOLT_REFUSED) == (ev.code != 0));
	if (kind != POLYBOLT_PRICE)
		return h;
	CHECK(ev.channel != 0);
	CHECK(ev.has_seq);
	return digest_price(h, &ev.price);
}

static inline uint64_t
fuzz_polybolt(const char *text, size_t n)
{
	return fuzz_both(digest_polybolt, text, n);
}

static inline uint64_t
fuzz_rtds(const char *text, size_t n)
{
	return fuzz_both(digest_rtds, text, n);
}

/* ---- discovery ---- */

static inline void
fuzz_gamma_texts(const struct gamma_market *m, const char *text, size_t n)
{
	fuzz_inside(m->id, text, n);
	fuzz_inside(m->slug, text, n);
	fuzz_inside(m->question, text, n);
	fuzz_inside(m->description, text, n);
	fuzz_inside(m->resolution_source, text, n);
	fuzz_inside(m->group_title, text, n);
	fuzz_inside(m->uma_status, text, n);
	fuzz_inside(m->resolution_status, text, n);
	fuzz_inside(m->event.id, text, n);
	fuzz_inside(m->event.slug, text, n);
	fuzz_inside(m->event.title, text, n);
	fuzz_inside(m->event.series_slug, text, n);
	CHECK(m->tags_n <= GAMMA_TAGS_MAX);
	for (uint32_t i = 0; i < m->tags_n; i++)
		fuzz_inside(m->tags[i], text, n);
}

static inline uint64_t
digest_gamma_market(uint64_t h, const struct gamma_market *m)
{
	CHECK(m->cond.n != 0);
	CHECK(m->fee >= GAMMA_FEE_UNKNOWN);
	CHECK(m->fee < GAMMA_FEE_N);
	CHECK(
	    m->generation == GAMMA_CLASSIC || m->generation == GAMMA_POSITIONS);
	CHECK(m->outcome < GAMMA_OUTCOME_N);
	CHECK(m->outcome == 0 || (m->closed && m->has_outcome_px));
	CHECK(m->event.strike_px.e8 >= 0);
	CHECK(m->reward_spread.e8 >= 0);
	CHECK(m->reward_daily.e6 >= 0);
	if (m->has_tokens) {
		bool v2 = m->generation == GAMMA_POSITIONS;

		CHECK(pm_token_is_position(&m->yes) == v2);
		CHECK(pm_token_is_position(&m->no) == v2);
	}
	h = hash_bytes(fuzz_str(h, m->slug), &m->yes, sizeof(m->yes));
	h = hash_bytes(fuzz_str(h, m->event.id), &m->no, sizeof(m->no));
	h = hash_u64(h, (uint64_t)m->end_ns ^ (uint64_t)m->start_ns);
	h = hash_u64(h, (uint64_t)m->closed_ns ^ (uint64_t)m->accepting_ns);
	h = hash_u64(h, (uint64_t)m->tick.tok_e8);
	h = hash_u64(h, (uint64_t)m->liquidity.e6);
	h = hash_u64(h, (uint64_t)m->volume_day.e6);
	h = hash_u64(h, m->uma_proposed_n * 2 + m->uma_disputed);
	h = hash_u64(h, (uint64_t)m->event.strike_px.e8);
	h = hash_u64(h, (uint64_t)m->event.final_px.e8);
	h = hash_u64(h, (uint64_t)m->reward_spread.e8 ^ m->tags_n);
	h = hash_u64(h, (uint64_t)m->outcome << 8 | (uint64_t)m->fee);
	return hash_u64(h, (uint64_t)m->reward_daily.e6);
}

static inline uint64_t
digest_gamma(const char *text, size_t n)
{
	struct gamma_answer g;
	struct gamma_market m;
	enum gamma_kind kind;
	uint64_t h = 0;

	gamma_init(&g, text, n);
	while ((kind = gamma_next(&g, &m)) != GAMMA_END) {
		CHECK(m.err_off <= n);
		CHECK((kind == GAMMA_MARKET) == (m.reason == REASON_NONE));
		h = hash_u64(hash_u64(h, kind), (uint64_t)m.reason);
		if (kind != GAMMA_MARKET)
			continue;
		fuzz_gamma_texts(&m, text, n);
		h = digest_gamma_market(h, &m);
	}
	fuzz_inside(g.next_cursor, text, n);
	return fuzz_str(h, g.next_cursor);
}

static inline uint64_t
fuzz_gamma(const char *text, size_t n)
{
	return fuzz_both(digest_gamma, text, n);
}

/* ---- the order book's REST answers ---- */

static inline uint64_t
digest_clob_market(uint64_t h, const struct clob_market *m)
{
	CHECK(m->cond.n != 0);
	CHECK(m->tick.tok_e8 >= 0);
	CHECK(m->min_size.e8 >= 0);
	CHECK(m->reward_daily.e6 >= 0);
	h = hash_bytes(h, &m->cond, sizeof(m->cond));
	h = hash_bytes(h, &m->yes.id, sizeof(m->yes.id));
	h = hash_bytes(h, &m->no.id, sizeof(m->no.id));
	h = hash_u64(h, (uint64_t)m->yes.px.tok_e8 * 2 + m->yes.winner);
	h = hash_u64(h, (uint64_t)m->tick.tok_e8 ^ (uint64_t)m->min_size.e8);
	h = hash_u64(h, (uint64_t)m->fee_rate_e8 * 2 + m->has_fee);
	h = hash_u64(h, (uint64_t)m->end_ns ^ (uint64_t)m->accepting_ns);
	h = hash_u64(h, (uint64_t)m->reward_daily.e6 ^ m->fee_exponent);
	return fuzz_str(h, m->slug);
}

static inline uint64_t
digest_clob(const char *text, size_t n)
{
	struct clob_answer a;
	struct clob_market m;
	enum clob_kind kind;
	uint64_t h = 0;

	clob_init(&a, text, n);
	while ((kind = clob_next(&a, &m)) != CLOB_END) {
		CHECK(kind >= CLOB_ERR);
		CHECK(kind < CLOB_KIND_N);
		CHECK(m.err_off <= n);
		CHECK((kind == CLOB_MARKET || kind == CLOB_NOTICE) ==
		      (m.reason == REASON_NONE));
		h = hash_u64(hash_u64(h, kind), (uint64_t)m.reason);
		fuzz_inside(m.error, text, n);
		fuzz_inside(m.slug, text, n);
		fuzz_inside(m.question, text, n);
		fuzz_inside(m.description, text, n);
		if (kind == CLOB_MARKET)
			h = digest_clob_market(h, &m);
	}
	CHECK(clob_next(&a, &m) == CLOB_END);
	fuzz_inside(a.next_cursor, text, n);
	return fuzz_str(hash_u64(h, a.is_last), a.next_cursor);
}

static inline uint64_t
digest_history(const char *text, size_t n)
{
	struct pm_rest_history a;
	struct pm_rest_point p;
	enum reason reason;
	uint64_t h = 0;

	pm_rest_history_init(&a, text, n);
	while (pm_rest_history_next(&a, &p, &reason)) {
		CHECK(reason == REASON_NONE);
		CHECK(p.px.tok_e8 >= 0);
		CHECK(p.px.tok_e8 <= E8);
		h = hash_u64(h, (uint64_t)p.px.tok_e8 ^ (uint64_t)p.venue_ns);
	}
	return hash_u64(h, (uint64_t)reason);
}

/* Each body as the answer to every call. */
static inline uint64_t
digest_pm_rest(const char *text, size_t n)
{
	struct pm_rest r;
	uint64_t h = hash_u64(digest_history(text, n), digest_clob(text, n));

	for (int call = PM_REST_OK; call < PM_REST_CALL_N; call++) {
		enum pm_rest_kind kind =
		    pm_rest_decode(&r, (enum pm_rest_call)call, text, n);

		CHECK(kind == r.kind);
		CHECK(kind >= PM_REST_ANSWER);
		CHECK(kind < PM_REST_KIND_N);
		CHECK((kind == PM_REST_BAD || kind == PM_REST_NOT_JSON) ==
		      (r.reason != REASON_NONE));
		CHECK(r.err_off <= n);
		fuzz_inside(r.error, text, n);
		fuzz_inside(r.code, text, n);
		fuzz_inside(r.place, text, n);
		CHECK(r.px.tok_e8 >= 0);
		CHECK(r.px.tok_e8 <= E8);
		h = hash_u64(hash_u64(h, kind), (uint64_t)r.reason);
		h = hash_u64(h, (uint64_t)r.px.tok_e8 ^ (uint64_t)r.time_ns);
		h = hash_u64(h, (uint64_t)r.tick.tok_e8 ^ r.version);
		h = hash_u64(
		    h, r.base_fee_bps * 4 + r.neg_risk * 2 + r.blocked);
		h = fuzz_str(fuzz_str(h, r.error), r.code);
	}
	return h;
}

static inline uint64_t
fuzz_pm_rest(const char *text, size_t n)
{
	return fuzz_both(digest_pm_rest, text, n);
}

#endif

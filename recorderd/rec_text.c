#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"
#include "recorderd/rec_int.h"

uint32_t
rec_text(struct rec *r, const char *s, size_t n)
{
	const uint32_t mask = PQ_TEXTS_MAX * 2 - 1;

	if (n > REC_NAME_SZ - 1)
		n = REC_NAME_SZ - 1;
	uint32_t at = (uint32_t)hash_bytes(HASH_SEED, s, n) & mask;

	while (r->table[at] != 0) {
		const struct pq_text *t = &r->text[r->table[at] - 1];

		if (t->len == n && memcmp(t->s, s, n) == 0)
			return r->table[at] - 1;
		at = (at + 1) & mask;
	}
	if (r->text_n == PQ_TEXTS_MAX) {
		r->text_full_n++;
		return 0;
	}
	uint32_t i = r->text_n++;

	memcpy(r->name[i], s, n);
	r->text[i] = (struct pq_text){r->name[i], (uint32_t)n};
	r->table[at] = i + 1;
	return i;
}

static uint32_t
text(struct rec *r, const char *s)
{
	return rec_text(r, s, strlen(s));
}

const char *
rec_tif_name(unsigned tif)
{
	static const char *const t[TIF_N] = {
	    [TIF_GTC] = "gtc",
	    [TIF_GTD] = "gtd",
	    [TIF_IOC] = "ioc",
	    [TIF_FOK] = "fok",
	};

	return t[tif];
}

const char *
rec_ref_name(unsigned source)
{
	static const char *const t[REF_SOURCE_N] = {
	    [REF_MARK] = "mark",
	    [REF_SPOT] = "spot",
	    [REF_TWAP] = "twap",
	    [REF_RELAY] = "relay",
	};

	return t[source];
}

void
rec_texts_init(struct rec *r)
{
	static const char *const scope[4] = {
	    "?", "instrument", "connection", "ring"};

	static const char *const trace[REC_TRACES] = {
	    "timer", "config", "stop", "hash", "own"};
	static const char *const word[FW_N] = {
	    [FW_SUPERVISOR] = "supervisor",
	    [FW_RISKD] = "riskd",
	    [FW_RISKD_PM] = "riskd.polymarket",
	    [FW_RISKD_HL] = "riskd.hyperliquid",
	    [FW_EXECD_PM] = "execd.polymarket",
	    [FW_EXECD_HL] = "execd.hyperliquid",
	};

	CHECK(text(r, "?") == 0);
	for (unsigned i = 1; i < SLOT_KIND_N; i++)
		r->kind_text[i] = text(r, slot_kind_name((uint8_t)i));
	for (unsigned i = 1; i < SIDE_N; i++)
		r->side_text[i] = text(r, side_name((enum side)i));
	for (unsigned i = 1; i < ORDER_STATUS_N; i++)
		r->status_text[i] = text(r, order_status_name((uint8_t)i));
	for (unsigned i = 1; i < TRADING_STATE_N; i++)
		r->trading_text[i] = text(r, trading_state_name((uint8_t)i));
	for (unsigned i = 1; i < LINK_STATE_N; i++)
		r->link_text[i] = text(r, link_state_name((uint8_t)i));
	for (unsigned i = 1; i < INSTR_STATE_N; i++)
		r->instr_text[i] =
		    text(r, instr_state_name((enum instr_state)i));
	for (unsigned i = 1; i < STRATEGY_N; i++)
		r->strategy_text[i] = text(r, strategy_name((uint8_t)i));
	for (unsigned i = 1; i < TIF_N; i++)
		r->tif_text[i] = text(r, rec_tif_name(i));
	for (unsigned i = 1; i < REF_SOURCE_N; i++)
		r->ref_text[i] = text(r, rec_ref_name(i));
	for (unsigned i = 1; i < REASON_N; i++)
		r->reason_text[i] = text(r, reason_name((enum reason)i));
	for (unsigned i = 1; i < JOURNAL_CAUSE_N; i++)
		r->cause_text[i] = text(r, journal_cause_name(i));
	for (unsigned i = 0; i < RG_N; i++)
		r->ring_text[i] = text(r, topo_rings[i].name);
	for (unsigned i = 0; i < REC_TRACES; i++)
		r->ring_text[RG_N + i] = text(r, trace[i]);
	r->own_text = text(r, topo_stages[ST_RECORDERD].name);
	for (unsigned i = 0; i < FW_N; i++)
		r->word_text[i] = text(r, word[i]);
	for (unsigned i = 0; i < 4; i++)
		r->scope_text[i] = text(r, scope[i]);
}

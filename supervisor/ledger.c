#include "supervisor/ledger.h"

#include <string.h>

#include "libcore/check.h"

void
ledger_init(struct ledger *l)
{
	memset(l, 0, sizeof(*l));
}

void
ledger_instr(struct ledger *l, uint16_t idx, const struct instr *in)
{
	CHECK(idx > 0 && idx < INSTR_N);
	l->row[idx].used = true;
	l->row[idx].in = *in;
}

static void
put(struct ledger_row *r, enum ledger_who who, qty_t qty)
{
	r->has[who] = true;
	r->qty[who] = qty;
}

void
ledger_slot(struct ledger *l, const struct order *o)
{
	struct ledger_row *r;

	if (o->hdr.kind == MSG_BALANCE && o->venue > 0 && o->venue < VENUE_N) {
		l->has_usd[o->venue] = true;
		l->usd[o->venue] = o->usd;
		return;
	}
	if (o->hdr.instr == 0 || o->hdr.instr >= INSTR_N)
		return;
	r = &l->row[o->hdr.instr];
	if (!r->used || (o->epoch != 0 && o->epoch != r->in.epoch))
		return;
	if (o->hdr.kind == MSG_STATE && o->hdr.recv_ns >= r->told_ns) {
		put(r, LEDGER_RISKD, o->qty);
		r->told_ns = o->hdr.recv_ns;
	}
	if (o->hdr.kind != MSG_POSITION)
		return;
	put(r, LEDGER_EXECD, o->qty);
	if (o->status == 1)
		put(r, LEDGER_VENUE, o->exec_qty);
}

void
ledger_truth(struct ledger *l)
{
	l->has_truth = true;
	for (uint32_t i = 1; i < INSTR_N; i++) {
		enum venue v = l->row[i].in.venue;

		if (l->row[i].used &&
		    (v == VENUE_POLYMARKET || v == VENUE_HYPERLIQUID))
			put(&l->row[i], LEDGER_TRUTH, QTY(0));
	}
}

/* A number of 256 bits as the table has it: lowest byte first. */
static bool
token_bytes(const char *text, uint8_t out[32])
{
	memset(out, 0, 32);
	if (text[0] == '\0')
		return false;
	for (; *text != '\0'; text++) {
		uint32_t carry = (uint32_t)(*text - '0');

		if (carry > 9)
			return false;
		for (int i = 0; i < 32; i++) {
			carry += out[i] * 10u;
			out[i] = (uint8_t)(carry & 0xff);
			carry >>= 8;
		}
		if (carry != 0)
			return false;
	}
	return true;
}

static void
add(struct ledger_row *r, int64_t e8)
{
	put(r, LEDGER_TRUTH, QTY(r->qty[LEDGER_TRUTH].e8 + e8));
}

void
ledger_token(struct ledger *l, const char *token, qty_t qty)
{
	uint8_t id[32];

	if (qty.e8 == 0)
		return;
	if (token_bytes(token, id))
		for (uint32_t i = 1; i < INSTR_N; i++) {
			struct ledger_row *r = &l->row[i];

			if (!r->used || r->in.venue != VENUE_POLYMARKET)
				continue;
			if (memcmp(id, r->in.token_yes, sizeof(id)) == 0) {
				add(r, qty.e8);
				return;
			}
			if (memcmp(id, r->in.token_no, sizeof(id)) == 0) {
				add(r, -qty.e8);
				return;
			}
		}
	l->stray_n++;
}

void
ledger_coin(struct ledger *l, const char *coin, qty_t qty)
{
	for (uint32_t i = 1; i < INSTR_N; i++) {
		struct ledger_row *r = &l->row[i];

		if (r->used && r->in.venue == VENUE_HYPERLIQUID &&
		    strncmp(r->in.symbol, coin, sizeof(r->in.symbol)) == 0) {
			add(r, qty.e8);
			return;
		}
	}
	l->stray_n += qty.e8 != 0;
}

bool
ledger_shown(const struct ledger_row *r)
{
	for (int i = 0; i < LEDGER_WHO_N; i++)
		if (r->used && r->has[i] && r->qty[i].e8 != 0)
			return true;
	return false;
}

static bool
pair_differs(const struct ledger_row *r, enum ledger_who a, enum ledger_who b)
{
	return r->has[a] && r->has[b] && r->qty[a].e8 != r->qty[b].e8;
}

bool
ledger_differs(const struct ledger *l, const struct ledger_row *r)
{
	/* Never spoken of, riskd has none. */
	if (l->has_truth && r->used && !r->has[LEDGER_RISKD] &&
	    r->qty[LEDGER_TRUTH].e8 != 0)
		return true;
	return r->used && (pair_differs(r, LEDGER_EXECD, LEDGER_VENUE) ||
			      pair_differs(r, LEDGER_RISKD, LEDGER_TRUTH));
}

uint32_t
ledger_bad(const struct ledger *l)
{
	uint32_t n = l->stray_n;

	for (uint32_t i = 1; i < INSTR_N; i++)
		n += ledger_differs(l, &l->row[i]);
	return n;
}

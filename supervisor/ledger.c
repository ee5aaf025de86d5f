#include "supervisor/ledger.h"

#include <string.h>

#include "libcore/check.h"

void
ledger_init(struct ledger *l, const struct ledger_set *set)
{
	CHECK(set->period_ns >= 0);
	memset(l, 0, sizeof(*l));
	l->set = *set;
}

void
ledger_instr(struct ledger *l, uint16_t idx, const struct instr *in)
{
	CHECK(idx > 0 && idx < INSTR_N);
	l->row[idx].used = true;
	l->row[idx].in = *in;
}

static void
put(struct ledger_fig *f, int64_t v, uint64_t at_ns)
{
	*f = (struct ledger_fig){.has = true, .v = v, .at_ns = at_ns};
}

/* Behind it in its ring nothing of execd's is fresh until said again. */
static void
on_fill(struct ledger *l, struct ledger_row *r, const struct order *o)
{
	struct ledger_money *m = &l->money[r->in.venue];
	uint64_t at_ns = o->hdr.recv_ns + o->hdr.pub_delta;

	r->fig[LEDGER_EXECD].is_late = true;
	r->fig[LEDGER_VENUE].is_late = true;
	m->fig[LEDGER_EXECD].is_late = true;
	if (at_ns > r->fill_ns)
		r->fill_ns = at_ns;
	if (at_ns > m->fill_ns)
		m->fill_ns = at_ns;
}

static void
on_state(struct ledger_row *r, const struct order *o)
{
	uint64_t at_ns = o->hdr.recv_ns + o->hdr.pub_delta;

	if (at_ns >= r->fig[LEDGER_RISKD].at_ns)
		put(&r->fig[LEDGER_RISKD], o->qty.e8, at_ns);
}

static void
on_position(struct ledger_row *r, const struct order *o)
{
	put(&r->fig[LEDGER_EXECD], o->qty.e8, o->hdr.recv_ns);
	r->fig[LEDGER_VENUE] = (struct ledger_fig){0};
	if (o->status == 1)
		put(&r->fig[LEDGER_VENUE], o->exec_qty.e8, o->hdr.recv_ns);
}

static void
heard(uint64_t *last_ns, const struct order *o)
{
	if (o->hdr.recv_ns > *last_ns)
		*last_ns = o->hdr.recv_ns;
}

void
ledger_slot(struct ledger *l, const struct order *o)
{
	struct ledger_row *r;

	if (o->hdr.kind == MSG_STATE)
		heard(&l->riskd_ns, o);
	if (o->hdr.kind == MSG_BALANCE && o->venue > 0 && o->venue < VENUE_N) {
		heard(&l->execd_ns[o->venue], o);
		put(&l->money[o->venue].fig[LEDGER_EXECD], o->usd.e6,
		    o->hdr.recv_ns);
		return;
	}
	if (o->hdr.instr == 0 || o->hdr.instr >= INSTR_N)
		return;
	r = &l->row[o->hdr.instr];
	if (!r->used || r->in.venue >= VENUE_N ||
	    (o->epoch != 0 && o->epoch != r->in.epoch))
		return;
	if (o->hdr.kind == MSG_STATE)
		on_state(r, o);
	else if (o->hdr.kind == MSG_FILL)
		on_fill(l, r, o);
	if (o->hdr.kind != MSG_POSITION)
		return;
	heard(&l->execd_ns[r->in.venue], o);
	on_position(r, o);
}

void
ledger_truth(struct ledger *l, uint64_t at_ns)
{
	l->has_truth = true;
	l->truth_ns = at_ns;
	for (uint32_t i = 1; i < INSTR_N; i++) {
		enum venue v = l->row[i].in.venue;

		if (l->row[i].used &&
		    (v == VENUE_POLYMARKET || v == VENUE_HYPERLIQUID))
			put(&l->row[i].fig[LEDGER_TRUTH], 0, at_ns);
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
	r->fig[LEDGER_TRUTH].v += e8;
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

void
ledger_usd(struct ledger *l, enum venue v, usd_t usd)
{
	CHECK(v > 0 && v < VENUE_N && l->has_truth);
	put(&l->money[v].fig[LEDGER_TRUTH], usd.e6, l->truth_ns);
}

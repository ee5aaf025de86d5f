#include "libsign/hl_action.h"

#include <string.h>

#include "libcore/check.h"
#include "libsign/hex.h"

const char *
hl_action_name(enum hl_action_kind k)
{
	switch (k) {
	case HL_ORDER: return "order";
	case HL_CANCEL: return "cancel";
	case HL_CANCEL_CLOID: return "cancelByCloid";
	case HL_MODIFY: return "modify";
	case HL_BATCH_MODIFY: return "batchModify";
	case HL_SCHEDULE_CANCEL: return "scheduleCancel";
	case HL_UPDATE_LEVERAGE: return "updateLeverage";
	case HL_NOOP: return "noop";
	case HL_RESERVE_WEIGHT: return "reserveRequestWeight";
	case HL_ACTION_N: break;
	}
	CHECK(false);
	return "";
}

static const char *
tif_name(enum hl_tif tif)
{
	switch (tif) {
	case HL_ALO: return "Alo";
	case HL_IOC: return "Ioc";
	case HL_GTC: return "Gtc";
	case HL_TIF_N: break;
	}
	CHECK(false);
	return "";
}

void
hl_cloid_text(const uint8_t cloid[HL_CLOID_SZ], char buf[HL_CLOID_TEXT_MAX])
{
	buf[0] = '0';
	buf[1] = 'x';
	*hex_put(buf + 2, cloid, HL_CLOID_SZ) = '\0';
}

static bool
order_ok(const struct hl_order *o)
{
	if (o->side != SIDE_BID && o->side != SIDE_ASK)
		return false;
	if (o->px.e8 <= 0 || o->px.e8 > PX_E8_MAX || o->qty.e8 < 0 ||
	    o->qty.e8 > QTY_E8_MAX)
		return false;
	if (o->trigger == HL_TRIGGER_NONE)
		return o->tif >= HL_ALO && o->tif < HL_TIF_N;
	return o->trigger < HL_TRIGGER_N && o->trigger_px.e8 > 0 &&
	       o->trigger_px.e8 <= PX_E8_MAX;
}

/* A batch of post-only orders goes before others; a mixed one does not. */
static bool
orders_ok(const struct hl_action *a)
{
	bool alo = false;
	bool other = false;

	if (a->orders == NULL)
		return false;
	for (unsigned i = 0; i < a->n; i++) {
		if (!order_ok(&a->orders[i]))
			return false;
		if (a->orders[i].trigger == HL_TRIGGER_NONE &&
		    a->orders[i].tif == HL_ALO)
			alo = true;
		else
			other = true;
	}
	return !(alo && other);
}

static bool
changes_ok(const struct hl_action *a)
{
	if (a->changes == NULL)
		return false;
	for (unsigned i = 0; i < a->n; i++)
		if (!order_ok(&a->changes[i].order))
			return false;
	return true;
}

bool
hl_action_ok(const struct hl_action *a)
{
	bool counted = a->n >= 1 && a->n <= HL_BATCH_MAX;

	if (a->kind < HL_ORDER || a->kind >= HL_ACTION_N)
		return false;
	switch (a->kind) {
	case HL_ORDER: return counted && orders_ok(a);
	case HL_CANCEL:
	case HL_CANCEL_CLOID: return counted && a->cancels != NULL;
	case HL_MODIFY: return a->n == 1 && changes_ok(a);
	case HL_BATCH_MODIFY: return counted && changes_ok(a);
	case HL_UPDATE_LEVERAGE: return a->leverage > 0;
	case HL_RESERVE_WEIGHT: return a->weight > 0;
	case HL_SCHEDULE_CANCEL:
	case HL_NOOP:
	case HL_ACTION_N: break;
	}
	return true;
}

static void
put_decimal(struct hl_wire *w, const char *key, int64_t e8)
{
	char text[FIXED_TEXT_MAX];

	hl_wire_key(w, key);
	hl_wire_str(w, text, fixed_format(e8, 8, text));
}

static void
put_cloid(struct hl_wire *w, const char *key, const uint8_t *cloid)
{
	char text[HL_CLOID_TEXT_MAX];

	hl_cloid_text(cloid, text);
	hl_wire_key(w, key);
	hl_wire_str(w, text, HL_CLOID_TEXT_MAX - 1);
}

static void
put_uint(struct hl_wire *w, const char *key, uint64_t v)
{
	hl_wire_key(w, key);
	hl_wire_uint(w, v);
}

static void
put_flag(struct hl_wire *w, const char *key, bool v)
{
	hl_wire_key(w, key);
	hl_wire_bool(w, v);
}

static void
put_type(struct hl_wire *w, const struct hl_order *o)
{
	hl_wire_key(w, "t");
	hl_wire_map(w, 1);
	if (o->trigger == HL_TRIGGER_NONE) {
		hl_wire_key(w, "limit");
		hl_wire_map(w, 1);
		hl_wire_key(w, "tif");
		hl_wire_text(w, tif_name(o->tif));
		return;
	}
	hl_wire_key(w, "trigger");
	hl_wire_map(w, 3);
	put_flag(w, "isMarket", o->trigger_market);
	put_decimal(w, "triggerPx", o->trigger_px.e8);
	hl_wire_key(w, "tpsl");
	hl_wire_text(w, o->trigger == HL_TAKE_PROFIT ? "tp" : "sl");
}

static void
put_order(struct hl_wire *w, const struct hl_order *o)
{
	hl_wire_map(w, o->has_cloid ? 7 : 6);
	put_uint(w, "a", o->asset);
	put_flag(w, "b", o->side == SIDE_BID);
	put_decimal(w, "p", o->px.e8);
	put_decimal(w, "s", o->qty.e8);
	put_flag(w, "r", o->reduce_only);
	put_type(w, o);
	if (o->has_cloid)
		put_cloid(w, "c", o->cloid);
}

static void
put_orders(struct hl_wire *w, const struct hl_action *a)
{
	char text[ADDRESS_TEXT_MAX];

	hl_wire_key(w, "orders");
	hl_wire_array(w, a->n);
	for (unsigned i = 0; i < a->n; i++)
		put_order(w, &a->orders[i]);
	hl_wire_key(w, "grouping");
	if (a->priority > 0) {
		hl_wire_map(w, 1);
		put_uint(w, "p", a->priority);
	} else {
		hl_wire_text(w, "na");
	}
	if (!a->has_builder)
		return;
	address_format_lower(&a->builder, text);
	hl_wire_key(w, "builder");
	hl_wire_map(w, 2);
	hl_wire_key(w, "b");
	hl_wire_str(w, text, ADDRESS_TEXT_LEN);
	put_uint(w, "f", a->builder_fee);
}

static void
put_cancels(struct hl_wire *w, const struct hl_action *a)
{
	hl_wire_key(w, "cancels");
	hl_wire_array(w, a->n);
	for (unsigned i = 0; i < a->n; i++) {
		hl_wire_map(w, 2);
		if (a->kind == HL_CANCEL) {
			put_uint(w, "a", a->cancels[i].asset);
			put_uint(w, "o", a->cancels[i].oid);
		} else {
			put_uint(w, "asset", a->cancels[i].asset);
			put_cloid(w, "cloid", a->cancels[i].cloid);
		}
	}
	if (a->fast)
		put_flag(w, "f", true);
}

static void
put_change(struct hl_wire *w, const struct hl_modify *m)
{
	if (m->by_cloid)
		put_cloid(w, "oid", m->cloid);
	else
		put_uint(w, "oid", m->oid);
	hl_wire_key(w, "order");
	put_order(w, &m->order);
}

static void
put_changes(struct hl_wire *w, const struct hl_action *a)
{
	hl_wire_key(w, "modifies");
	hl_wire_array(w, a->n);
	for (unsigned i = 0; i < a->n; i++) {
		hl_wire_map(w, 2);
		put_change(w, &a->changes[i]);
	}
	if (a->always)
		put_flag(w, "a", true);
}

/* Keys of the outer map, the type among them. */
static uint16_t
key_count(const struct hl_action *a)
{
	switch (a->kind) {
	case HL_ORDER: return a->has_builder ? 4 : 3;
	case HL_CANCEL:
	case HL_CANCEL_CLOID: return a->fast ? 3 : 2;
	case HL_MODIFY: return 3;
	case HL_BATCH_MODIFY: return a->always ? 3 : 2;
	case HL_SCHEDULE_CANCEL: return a->time_ms > 0 ? 2 : 1;
	case HL_UPDATE_LEVERAGE: return 4;
	case HL_NOOP: return 1;
	case HL_RESERVE_WEIGHT: return 2;
	case HL_ACTION_N: break;
	}
	CHECK(false);
	return 0;
}

bool
hl_action_encode(const struct hl_action *a, struct hl_wire *w)
{
	CHECK(hl_action_ok(a));
	hl_wire_map(w, key_count(a));
	hl_wire_key(w, "type");
	hl_wire_text(w, hl_action_name(a->kind));
	switch (a->kind) {
	case HL_ORDER: put_orders(w, a); break;
	case HL_CANCEL:
	case HL_CANCEL_CLOID: put_cancels(w, a); break;
	case HL_MODIFY: put_change(w, &a->changes[0]); break;
	case HL_BATCH_MODIFY: put_changes(w, a); break;
	case HL_SCHEDULE_CANCEL:
		if (a->time_ms > 0)
			put_uint(w, "time", a->time_ms);
		break;
	case HL_UPDATE_LEVERAGE:
		put_uint(w, "asset", a->asset);
		put_flag(w, "isCross", a->cross);
		put_uint(w, "leverage", a->leverage);
		break;
	case HL_RESERVE_WEIGHT: put_uint(w, "weight", a->weight); break;
	case HL_NOOP:
	case HL_ACTION_N: break;
	}
	return hl_wire_end(w);
}

#include "simvenue/hl_desk.h"

#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"
#include "libsign/eip712.h"
#include "libsign/hex.h"
#include "libsign/hl_num.h"
#include "simvenue/venue.h"

#define MS_PER_DAY  UINT64_C(86400000)
#define NS_PER_MS_U UINT64_C(1000000)
#define SHAPE_ERROR "Failed to deserialize the JSON body into the target type"

void
hl_desk_init(struct hl_desk *d, struct hlx *x, const uint8_t blind[32])
{
	memset(d, 0, sizeof(*d));
	d->x = x;
	d->mainnet = true;
	secp_init(&d->secp, blind);
}

static bool
trips(const struct hl_desk *d, enum fault f, int64_t *value)
{
	return mishap(d->mishaps, VENUE_HYPERLIQUID, f, value);
}

/* ---- cancels that are late ---- */

void
hl_desk_step(struct hl_desk *d, uint64_t now_ns)
{
	for (uint32_t i = 0; i < d->late_n;) {
		uint32_t order = hlx_find_oid(d->x, d->late[i].oid);

		if (now_ns < d->late[i].ns) {
			i++;
			continue;
		}
		d->late[i] = d->late[--d->late_n];
		if (order != HLX_NONE)
			(void)hlx_cancel(
			    d->x, d->x->order[order].account, order, now_ns);
	}
}

uint64_t
hl_desk_wake(const struct hl_desk *d)
{
	uint64_t ns = 0;

	for (uint32_t i = 0; i < d->late_n; i++)
		if (ns == 0 || d->late[i].ns < ns)
			ns = d->late[i].ns;
	return ns;
}

/* ---- people ---- */

/* Where a signer stands, or would. */
static uint16_t *
bucket_of(struct hl_desk *d, const struct address *who)
{
	uint32_t at = (uint32_t)(hash_bytes(HASH_SEED, who->b, sizeof(who->b)) %
				 HL_SIGNER_MAP);

	while (d->by_address[at] != 0 &&
	       !address_eq(&d->signer[d->by_address[at] - 1].address, who))
		at = (at + 1) % HL_SIGNER_MAP;
	return &d->by_address[at];
}

static struct hl_signatory *
find(struct hl_desk *d, const struct address *who)
{
	uint32_t at = *bucket_of(d, who);

	return at == 0 ? NULL : &d->signer[at - 1];
}

static bool
add(struct hl_desk *d, const struct address *who, uint32_t account, bool agent)
{
	struct hl_signatory *s = find(d, who);

	if (s == NULL && d->signer_n == HL_SIGNERS_MAX)
		return false;
	if (s == NULL) {
		s = &d->signer[d->signer_n++];
		*bucket_of(d, who) = (uint16_t)d->signer_n;
	}
	d->is_client[account] = true;
	d->x->account[account].keeps = true;
	s->address = *who;
	s->account = account;
	s->is_agent = agent;
	return true;
}

uint32_t
hl_desk_account(struct hl_desk *d, const struct address *who, usd_t usd)
{
	uint32_t i = hlx_account_find(d->x, who->b);

	if (i == HLX_NONE) {
		i = hlx_account_open(d->x, who->b);
		if (i == HLX_NONE || !add(d, who, i, false))
			return HLX_NONE;
	}
	hlx_deposit(d->x, i, usd);
	return i;
}

bool
hl_desk_agent(struct hl_desk *d, const struct address *agent, uint32_t account)
{
	return add(d, agent, account, true);
}

/* ---- who signed ---- */

static bool
recover(struct hl_desk *d, const struct hl_call *c, struct address *who)
{
	struct hl_wire_bufs bufs = {
	    d->msgpack, sizeof(d->msgpack), d->json, sizeof(d->json)};
	uint8_t id[HASH_SZ];
	uint8_t digest[HASH_SZ];
	struct hl_wire w;

	hl_wire_init(&w, &bufs);
	if (!hl_action_encode(&c->action, &w))
		return false;
	hl_connection_id(d->msgpack, w.mp.n, &c->meta, id);
	hl_agent_digest(d->mainnet, id, digest);
	return secp_recover(&d->secp, &c->sig, digest, who);
}

/* An approval is signed by the master, over its fields themselves. */
static bool
recover_approval(
    struct hl_desk *d, const struct hl_call *c, struct address *who)
{
	uint8_t words[5][HASH_SZ];
	uint8_t separator[HASH_SZ];
	uint8_t hash[HASH_SZ];
	uint8_t digest[HASH_SZ];

	word_text(words[0],
	    "HyperliquidTransaction:ApproveAgent(string hyperliquidChain,"
	    "address agentAddress,string agentName,uint64 nonce)");
	word_text(words[1], d->mainnet ? "Mainnet" : "Testnet");
	word_address(words[2], &c->agent);
	word_string(words[3], c->has_name ? c->agent_name.s : "",
	    c->has_name ? c->agent_name.n : 0);
	word_u64(words[4], c->meta.nonce);
	keccak256(words, sizeof(words), hash);
	hl_user_separator(c->chain_id, separator);
	eip712_digest(separator, hash, digest);
	return secp_recover(&d->secp, &c->sig, digest, who);
}

enum nonce {
	NONCE_OK = 1,
	NONCE_DUPLICATE,
	NONCE_OUT,
};

/* The set is sorted; its lowest makes room. */
static enum nonce
take_nonce(struct hl_signatory *s, uint64_t nonce, uint64_t now_ms)
{
	uint32_t i = s->nonce_n;

	if (nonce + 2 * MS_PER_DAY <= now_ms || nonce >= now_ms + MS_PER_DAY)
		return NONCE_OUT;
	while (i > 0 && s->nonce[i - 1] > nonce)
		i--;
	if (i > 0 && s->nonce[i - 1] == nonce)
		return NONCE_DUPLICATE;
	if (s->nonce_n == HL_NONCES && i == 0)
		return NONCE_OUT;
	if (s->nonce_n == HL_NONCES) {
		memmove(s->nonce, s->nonce + 1, (i - 1) * sizeof(s->nonce[0]));
		s->nonce[i - 1] = nonce;
		return NONCE_OK;
	}
	memmove(s->nonce + i + 1, s->nonce + i,
	    (s->nonce_n - i) * sizeof(s->nonce[0]));
	s->nonce[i] = nonce;
	s->nonce_n++;
	return NONCE_OK;
}

/* ---- answers ---- */

static void
say_err(struct text *t, const char *text)
{
	text_lit(t, "{\"status\":\"err\",\"response\":\"");
	text_lit(t, text);
	text_lit(t, "\"}");
}

static void
say_nobody(struct text *t, const struct address *who)
{
	char buf[ADDRESS_TEXT_MAX];

	address_format_lower(who, buf);
	text_lit(t, "{\"status\":\"err\",\"response\":\"User or API Wallet ");
	text_lit(t, buf);
	text_lit(t, " does not exist.\"}");
}

static void
say_nonce(struct text *t, enum nonce e, uint64_t nonce)
{
	text_lit(t, "{\"status\":\"err\",\"response\":\"Invalid nonce: ");
	text_lit(t, e == NONCE_DUPLICATE ? "duplicate nonce "
					 : "too low or "
					   "too far ");
	put_i64(t, (int64_t)nonce);
	text_lit(t, "\"}");
}

static void
say_default(struct text *t)
{
	text_lit(t, "{\"status\":\"ok\",\"response\":{\"type\":\"default\"}}");
}

static void
put_error(struct text *t, const struct hlx_result *r, uint32_t asset)
{
	text_lit(t, "{\"error\":\"");
	text_lit(t, hlx_text(r->error));
	if (r->error == HLX_ERR_POST_ONLY) {
		text_lit(t, ", bbo was ");
		put_e8(t, r->bid.e8, 0);
		text_lit(t, "@");
		put_e8(t, r->ask.e8, 0);
		text_lit(t, ".");
	}
	text_lit(t, " asset=");
	put_i64(t, asset);
	text_lit(t, "\"}");
}

static void
put_result(struct text *t, const struct hlx *x, const struct hlx_result *r,
    uint32_t asset)
{
	const struct hlx_order *o;

	if (r->error != HLX_OK) {
		put_error(t, r, asset);
		return;
	}
	o = &x->order[r->order];
	if (r->rests) {
		text_lit(t, "{\"resting\":{\"oid\":");
	} else {
		text_lit(t, "{\"filled\":{\"totalSz\":\"");
		put_e8(t, r->filled.e8, 0);
		text_lit(t, "\",\"avgPx\":\"");
		put_e8(t, r->avg_px.e8, 0);
		text_lit(t, "\",\"oid\":");
	}
	put_i64(t, (int64_t)o->oid);
	if (o->has_cloid) {
		char buf[HL_CLOID_TEXT_MAX];

		hl_cloid_text(o->cloid, buf);
		text_lit(t, ",\"cloid\":\"");
		text_lit(t, buf);
		text_lit(t, "\"");
	}
	text_lit(t, "}}");
}

/* ---- actions ---- */

static struct hlx_new
new_of(uint32_t account, const struct hl_order *o)
{
	struct hlx_new n = {.account = account,
	    .index = o->asset,
	    .side = o->side,
	    .px = o->px,
	    .qty = o->qty,
	    .tif = o->tif == HL_ALO   ? HLX_ALO
		   : o->tif == HL_IOC ? HLX_IOC
				      : HLX_GTC,
	    .reduce_only = o->reduce_only,
	    .has_cloid = o->has_cloid};

	memcpy(n.cloid, o->cloid, sizeof(n.cloid));
	return n;
}

static void
open_statuses(struct text *t, const char *type)
{
	text_lit(t, "{\"status\":\"ok\",\"response\":{\"type\":\"");
	text_lit(t, type);
	text_lit(t, "\",\"data\":{\"statuses\":[");
}

/* An order that is refused without a reason of its own. */
static bool
is_refused(
    const struct hl_desk *d, const struct hlx_new *n, struct hlx_result *r)
{
	uint32_t coin = hlx_coin_find(d->x, n->index);
	int64_t v;

	*r = (struct hlx_result){.order = HLX_NONE};
	if (trips(d, FAULT_NO_BALANCE, &v)) {
		r->error = HLX_ERR_MARGIN;
		return true;
	}
	if (n->tif != HLX_ALO || coin == HLX_NONE ||
	    !trips(d, FAULT_POST_ONLY_CROSSES, &v))
		return false;
	r->error = HLX_ERR_POST_ONLY;
	r->bid = n->px;
	r->ask = n->px;
	return true;
}

static void
do_orders(struct hl_desk *d, const struct hl_action *a, uint32_t account,
    uint64_t now_ns, struct text *t)
{
	bool is_half;
	int64_t v;

	open_statuses(t, "order");
	if (a->n > 1 && trips(d, FAULT_BATCH_ONE_ERROR, &v)) {
		struct hlx_result r = {.error = HLX_ERR_PRICE};

		put_error(t, &r, a->orders[0].asset);
		text_lit(t, "]}}}");
		return;
	}
	is_half = a->n > 1 && trips(d, FAULT_HALF_BATCH, &v);
	for (uint32_t i = 0; i < a->n; i++) {
		struct hlx_new n = new_of(account, &a->orders[i]);
		struct hlx_result r;

		if (is_half && i >= a->n / 2)
			r = (struct hlx_result){.error = HLX_ERR_FULL};
		else if (!is_refused(d, &n, &r))
			hlx_place(d->x, &n, now_ns, &r);
		if (i > 0)
			text_lit(t, ",");
		put_result(t, d->x, &r, n.index);
	}
	text_lit(t, "]}}}");
}

/* Is an order that is the account's and open? */
static bool
is_open_of(const struct hlx *x, uint32_t account, uint32_t order)
{
	return order != HLX_NONE && x->order[order].account == account &&
	       x->order[order].status == HLX_OPEN;
}

/* The cancel of an order, as it goes today. */
static enum hlx_error
take_out(struct hl_desk *d, uint32_t account, uint32_t order, uint64_t now_ns)
{
	bool is_live = is_open_of(d->x, account, order);
	int64_t v;

	if (is_live && d->late_n < HL_LATE_MAX &&
	    trips(d, FAULT_CANCEL_LATE, &v) && v > 0) {
		d->late[d->late_n++] = (struct hl_late){
		    d->x->order[order].oid, now_ns + (uint64_t)v * NS_PER_MS_U};
		return HLX_OK;
	}
	if (is_live && trips(d, FAULT_NOT_CANCELED, &v))
		return HLX_ERR_NO_ORDER;
	if (is_live && d->hit != NULL && trips(d, FAULT_FILL_IN_CANCEL, &v))
		d->hit(d->hit_user, order, v != 0);
	return hlx_cancel(d->x, account, order, now_ns);
}

static void
do_cancels(struct hl_desk *d, const struct hl_action *a, uint32_t account,
    uint64_t now_ns, struct text *t)
{
	open_statuses(t, "cancel");
	for (uint32_t i = 0; i < a->n; i++) {
		const struct hl_cancel *c = &a->cancels[i];
		uint32_t order = a->kind == HL_CANCEL
				     ? hlx_find_oid(d->x, c->oid)
				     : hlx_find_cloid(d->x, account, c->cloid);
		struct hlx_result r = {
		    .error = take_out(d, account, order, now_ns)};

		if (i > 0)
			text_lit(t, ",");
		if (r.error == HLX_OK)
			text_lit(t, "\"success\"");
		else
			put_error(t, &r, c->asset);
	}
	text_lit(t, "]}}}");
}

static void
do_changes(struct hl_desk *d, const struct hl_action *a, uint32_t account,
    uint64_t now_ns, struct text *t)
{
	bool one = a->kind == HL_MODIFY;

	if (!one)
		open_statuses(t, "order");
	for (uint32_t i = 0; i < a->n; i++) {
		const struct hl_modify *m = &a->changes[i];
		struct hlx_new n = new_of(account, &m->order);
		uint32_t order = m->by_cloid
				     ? hlx_find_cloid(d->x, account, m->cloid)
				     : hlx_find_oid(d->x, m->oid);
		struct hlx_result r;
		int64_t v;

		if (d->hit != NULL && is_open_of(d->x, account, order) &&
		    trips(d, FAULT_FILL_IN_CANCEL, &v))
			d->hit(d->hit_user, order, v != 0);
		hlx_modify(d->x, order, &n, a->always, now_ns, &r);
		if (one && r.error == HLX_OK) {
			say_default(t);
			return;
		}
		if (one) {
			say_err(t, hlx_text(r.error));
			return;
		}
		if (i > 0)
			text_lit(t, ",");
		put_result(t, d->x, &r, n.index);
	}
	if (!one)
		text_lit(t, "]}}}");
}

static void
do_schedule(struct hl_desk *d, const struct hl_action *a, uint32_t account,
    uint64_t now_ns, struct text *t)
{
	usd_t traded = d->x->account[account].volume;

	if (traded.e6 < d->schedule_min.e6) {
		text_lit(t, "{\"status\":\"err\",\"response\":\"Cannot set "
			    "scheduled cancel time until enough volume "
			    "traded. Required: $");
		put_e8(t, d->schedule_min.e6 * 100, 0);
		text_lit(t, ". Traded: $");
		put_e8(t, traded.e6 * 100, 0);
		text_lit(t, ".\"}");
	} else if (!hlx_schedule(
		       d->x, account, a->time_ms * NS_PER_MS_U, now_ns)) {
		say_err(t, "Scheduled cancel time too early, must be at least "
			   "5 seconds from now.");
	} else {
		say_default(t);
	}
}

static void
do_leverage(struct hl_desk *d, const struct hl_action *a, uint32_t account,
    struct text *t)
{
	uint32_t coin = hlx_coin_find(d->x, a->asset);

	if (coin == HLX_NONE ||
	    !hlx_set_leverage(d->x, account, coin, a->leverage))
		say_err(t, "Invalid leverage value");
	else
		say_default(t);
}

static void
act(struct hl_desk *d, const struct hl_action *a, uint32_t account,
    uint64_t now_ns, struct text *t)
{
	switch (a->kind) {
	case HL_ORDER: do_orders(d, a, account, now_ns, t); return;
	case HL_CANCEL:
	case HL_CANCEL_CLOID: do_cancels(d, a, account, now_ns, t); return;
	case HL_MODIFY:
	case HL_BATCH_MODIFY: do_changes(d, a, account, now_ns, t); return;
	case HL_SCHEDULE_CANCEL: do_schedule(d, a, account, now_ns, t); return;
	case HL_UPDATE_LEVERAGE: do_leverage(d, a, account, t); return;
	case HL_NOOP:
	case HL_RESERVE_WEIGHT: say_default(t); return;
	case HL_ACTION_N: break;
	}
	CHECK(a->kind == 0);
}

static bool
is_cancel(enum hl_action_kind k)
{
	return k == HL_CANCEL || k == HL_CANCEL_CLOID ||
	       k == HL_SCHEDULE_CANCEL || k == HL_NOOP;
}

static void
say_budget(struct hl_desk *d, uint32_t account, struct text *t)
{
	const struct hlx_account *a = &d->x->account[account];

	text_lit(t, "{\"status\":\"err\",\"response\":\"Too many cumulative "
		    "requests sent (");
	put_i64(t, (int64_t)a->actions);
	text_lit(t, " > ");
	put_i64(t, (int64_t)hlx_budget(d->x, account, false));
	text_lit(t, ") for cumulative volume traded $");
	put_e8(t, a->volume.e6 * 100, 2);
	text_lit(t, ". Place taker orders to free up 1 request per USDC "
		    "traded.\"}");
}

/* Every action counts; whether there is an end to them is the operator's. */
static bool
spend(struct hl_desk *d, uint32_t account, const struct hl_action *a)
{
	uint32_t n = a->n > 0 ? a->n : 1;

	if (d->is_exhausted && !is_cancel(a->kind))
		return false;
	if (d->has_limits)
		return hlx_spend(d->x, account, n, is_cancel(a->kind));
	hlx_note_spent(d->x, account, n);
	return true;
}

static void
approve(struct hl_desk *d, const struct hl_call *c, uint32_t account,
    struct text *t)
{
	if (hl_desk_agent(d, &c->agent, account))
		say_default(t);
	else
		say_err(t, "Too many extra agents");
}

/* The clock that nonces and expiries are held against. */
static uint64_t
checks_ms(const struct hl_desk *d, uint64_t now_ns)
{
	return (uint64_t)((int64_t)(now_ns / NS_PER_MS_U) + d->skew_s * 1000);
}

/* How much later than it came an action is looked at. */
static uint64_t
late_ms(const struct hl_desk *d)
{
	int64_t v;

	return trips(d, FAULT_ACTION_LATE, &v) && v > 0 ? (uint64_t)v : 0;
}

unsigned
hl_desk_exchange(struct hl_desk *d, const char *body, size_t n, uint64_t now_ns,
    struct text *out)
{
	struct hl_signatory *s;
	struct address who;
	struct hl_call c;
	enum nonce e;
	int64_t v;

	hlx_step(d->x, now_ns);
	hl_desk_step(d, now_ns);
	if (!hl_read_request(d, body, n, &c)) {
		text_lit(out, SHAPE_ERROR);
		return 422;
	}
	if (!(c.is_agent_approval ? recover_approval(d, &c, &who)
				  : recover(d, &c, &who))) {
		say_err(out, "Unable to recover signer.");
		return 200;
	}
	if (trips(d, FAULT_SIGNER_UNKNOWN, &v))
		who.b[0] ^= 0x55;
	s = find(d, &who);
	if (s == NULL || (c.is_agent_approval && s->is_agent)) {
		say_nobody(out, &who);
		return 200;
	}
	if (c.meta.has_vault) {
		say_err(out, "Vault may not perform this action.");
		return 200;
	}
	e = take_nonce(s, c.meta.nonce, checks_ms(d, now_ns));
	if (trips(d, FAULT_NONCE_COLLISION, &v))
		e = NONCE_DUPLICATE;
	if (e != NONCE_OK) {
		say_nonce(out, e, c.meta.nonce);
		return 200;
	}
	if (c.meta.expires_ms != 0 &&
	    c.meta.expires_ms < checks_ms(d, now_ns) + late_ms(d)) {
		hlx_note_spent(d->x, s->account, 5);
		say_err(out, "Action expired.");
		return 200;
	}
	if (c.is_agent_approval) {
		approve(d, &c, s->account, out);
		return 200;
	}
	if (!spend(d, s->account, &c.action)) {
		say_budget(d, s->account, out);
		return 200;
	}
	act(d, &c.action, s->account, now_ns, out);
	return 200;
}

/* ---- posts ---- */

static unsigned
post_action(struct hl_desk *d, struct json_str payload, uint64_t now_ns,
    struct text *out)
{
	text_lit(out, "\"type\":\"action\",\"payload\":");
	return hl_desk_exchange(d, payload.s, payload.n, now_ns, out);
}

/* The answer stands beside the kind of question. */
static unsigned
post_info(struct hl_desk *d, struct json_str payload, uint64_t now_ns,
    struct text *out)
{
	struct json_str type = {.s = ""};
	struct json_str key;
	struct json j;
	unsigned status;

	json_init(&j, payload.s, payload.n);
	json_object(&j);
	while (json_key(&j, &key))
		if (json_is(key, "type"))
			json_string(&j, &type);
		else
			json_skip(&j);
	text_lit(out, "\"type\":\"info\",\"payload\":{\"type\":\"");
	text_put(out, type.s, type.n);
	text_lit(out, "\",\"data\":");
	status = hl_desk_info(d, payload.s, payload.n, now_ns, out);
	text_lit(out, "}");
	return status;
}

bool
hl_desk_post(struct hl_desk *d, const char *text, size_t n, uint64_t now_ns,
    struct text *out)
{
	struct json_str payload = {0};
	struct json_str type = {0};
	struct json_str key;
	uint64_t id = 0;
	struct json j;
	size_t at;
	unsigned status = 422;

	json_init(&j, text, n);
	json_object(&j);
	while (json_key(&j, &key)) {
		if (json_is(key, "id")) {
			json_u64(&j, &id);
		} else if (json_is(key, "request")) {
			json_object(&j);
			while (json_key(&j, &key))
				if (json_is(key, "type"))
					json_string(&j, &type);
				else if (json_is(key, "payload"))
					json_raw(&j, &payload);
				else
					json_skip(&j);
		} else {
			json_skip(&j);
		}
	}
	if (!json_end(&j) || payload.n == 0)
		return false;
	text_lit(out, "{\"channel\":\"post\",\"data\":{\"id\":");
	put_i64(out, (int64_t)id);
	text_lit(out, ",\"response\":{");
	at = out->n;
	if (json_is(type, "action"))
		status = post_action(d, payload, now_ns, out);
	else if (json_is(type, "info"))
		status = post_info(d, payload, now_ns, out);
	if (status != 200) {
		out->n = at;
		text_lit(
		    out, "\"type\":\"error\",\"payload\":\"" SHAPE_ERROR "\"");
	}
	text_lit(out, "}}}");
	return true;
}

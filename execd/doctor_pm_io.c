/* What Polymarket says of our key and account. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "execd/doctor_int.h"
#include "execd/keyload_io.h"
#include "libcore/check.h"
#include "libcore/fixed.h"
#include "libcore/json.h"
#include "libsign/hex.h"
#include "libsign/pm_auth.h"
#include "libsign/pm_order.h"
#include "libvenue/pm_rest.h"

#define GEOBLOCK_HOST "https://polymarket.com"

static const char *
url(const struct doctor *d)
{
	return d->cfg->polymarket_rest_url.s;
}

static unsigned
sig_type(const struct doctor *d)
{
	return (unsigned)d->cfg->polymarket_signature_type - 1;
}

/* ---- the account, and what it signs ---- */

/* Who holds the money; false: the configuration is wrong. */
static bool
account(struct doctor *d, struct pm_account *a)
{
	const char *funder = d->cfg->polymarket_funder.s;
	char text[ADDRESS_TEXT_MAX];

	memset(a, 0, sizeof(*a));
	a->maker = d->address;
	a->sig_type = (uint8_t)sig_type(d);
	if (funder[0] != '\0' &&
	    !address_parse(funder, strlen(funder), &a->maker)) {
		doctor_say(d, DOCTOR_FAIL, "account",
		    "polymarket.funder %s: its checksum is wrong, a typing "
		    "error",
		    funder);
		return false;
	}
	if (a->sig_type == PM_SIG_EOA && !address_eq(&a->maker, &d->address)) {
		doctor_say(d, DOCTOR_FAIL, "account",
		    "polymarket.funder is %s, but signature_type eoa trades "
		    "the key's own money; set the account's kind",
		    funder);
		return false;
	}
	a->signer =
	    a->sig_type == PM_SIG_DEPOSIT_WALLET ? a->maker : d->address;
	snprintf(a->owner, sizeof(a->owner), "doctor");
	address_format(&a->maker, text);
	doctor_say(d, DOCTOR_OK, "account", "%s, signature type %u", text,
	    a->sig_type);
	return true;
}

/* The signature as it would be sent, out of the body. */
static size_t
signature_of(const char *body, uint8_t out[PM_SIG_SZ_MAX])
{
	static const char name[] = "\"signature\":\"0x";
	const char *p = strstr(body, name);
	size_t n;

	if (p == NULL)
		return 0;
	p += sizeof(name) - 1;
	n = strcspn(p, "\"");
	if (n % 2 != 0 || n / 2 > PM_SIG_SZ_MAX || !hex_parse(p, n, out, n / 2))
		return 0;
	return n / 2;
}

static bool
signs(struct doctor *d, const struct pm_account *a, const struct pm_exchange *x)
{
	static const uint64_t token[4] = {7, 0, 0, 1};
	struct pm_order o = {.salt = pm_salt(1),
	    .side = SIDE_BID,
	    .tif = PM_GTC,
	    .post_only = true,
	    .timestamp_ms = 1};
	struct pm_template t;
	struct pm_signed s;
	struct pm_signed again;
	struct pm_asset asset;
	struct address who;
	char body[PM_BODY_MAX];
	uint8_t bytes[PM_SIG_SZ_MAX];
	struct pm_signature sig = {.bytes = bytes};

	pm_asset_init(&asset, token);
	o.asset = &asset;
	if (!pm_limit_amounts(SIDE_BID, 5000, 500, &o.amounts) ||
	    !pm_template_init(&t, x, a) ||
	    !pm_order_sign(&t, &d->secp, key_bytes(&d->key), &o, &s))
		return false;
	pm_order_body(&t, &o, &s, body);
	sig.n = signature_of(body, bytes);
	return sig.n > 0 &&
	       pm_order_signer(&t, &d->secp, &o, &sig, &again, &who) &&
	       address_eq(&who, &d->address) &&
	       memcmp(again.id, s.id, sizeof(s.id)) == 0;
}

/* Every exchange that a market can be on: each has a domain of its own. */
static void
sign_all(struct doctor *d, const struct pm_account *a)
{
	static const struct {
		enum pm_generation generation;
		bool neg_risk;
		const char *name;
	} all[] = {{PM_EXCHANGE_V2, false, "V2"},
	    {PM_EXCHANGE_V2, true, "V2 neg-risk"},
	    {PM_EXCHANGE_V3, false, "V3"}};
	uint32_t chain = (uint32_t)d->cfg->polymarket_chain_id;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct pm_exchange x;
		bool there = pm_exchange_init(
		    &x, all[i].generation, all[i].neg_risk, chain);
		bool ok = there && signs(d, a, &x);

		doctor_say(d, ok ? DOCTOR_OK : DOCTOR_FAIL, "sign",
		    ok	     ? "an order for exchange %s, and its signer "
			       "recovered: ours"
		    : !there ? "there is no exchange %s on this chain; correct "
			       "polymarket.chain_id"
			     : "an order for exchange %s does not recover to "
			       "our address; do not trade",
		    all[i].name);
	}
}

/* ---- the venue ---- */

static enum pm_rest_kind
decode(struct doctor *d, struct pm_rest *r, enum pm_rest_call call)
{
	return pm_rest_decode(r, call, d->body, d->n);
}

static bool
get(struct doctor *d, const char *target, const char *headers)
{
	return doctor_ask(
	    d, &(struct doctor_ask){
		   .url = url(d), .target = target, .headers = headers});
}

static bool
clock_of(struct doctor *d)
{
	struct pm_rest r;

	if (!get(d, "/time", NULL)) {
		doctor_unanswered(d, "reachable", "GET /time");
		return false;
	}
	doctor_say(d, DOCTOR_OK, "reachable", "%s", url(d));
	if (decode(d, &r, PM_REST_TIME) != PM_REST_ANSWER)
		doctor_say(
		    d, DOCTOR_FAIL, "clock", "GET /time: %.80s", d->body);
	else
		doctor_clock(d, r.time_ns, r.time_ns + NS_PER_S);
	return true;
}

static void
version(struct doctor *d)
{
	struct pm_rest r;

	if (!get(d, "/version", NULL)) {
		doctor_unanswered(d, "version", "GET /version");
		return;
	}
	if (decode(d, &r, PM_REST_VERSION) != PM_REST_ANSWER || r.version != 2)
		doctor_say(d, DOCTOR_FAIL, "version",
		    "order entry is not of generation 2: %.80s; a newer "
		    "version of this program is needed",
		    d->body);
	else
		doctor_say(d, DOCTOR_OK, "version", "order entry 2");
}

/* Only the venue itself knows where we are. */
static void
place(struct doctor *d)
{
	struct pm_rest r;

	if (d->cfg->system_mode != MODE_LIVE)
		return;
	if (!doctor_ask(d, &(struct doctor_ask){.url = GEOBLOCK_HOST,
			       .target = "/api/geoblock"})) {
		doctor_unanswered(d, "place", "GET /api/geoblock");
		return;
	}
	if (decode(d, &r, PM_REST_GEOBLOCK) != PM_REST_ANSWER)
		doctor_say(d, DOCTOR_WARN, "place",
		    "unknown: %.80s; see the "
		    "venue's terms",
		    d->body);
	else
		doctor_say(d, r.blocked ? DOCTOR_FAIL : DOCTOR_OK, "place",
		    r.blocked ? "%.*s is not allowed to trade; do not work "
				"around it"
			      : "%.*s may trade",
		    (int)r.place.n, r.place.s);
}

/* ---- credentials, and what they open ---- */

static bool
derive(struct doctor *d, struct keyload_creds *k)
{
	struct secret_why why;
	struct pm_l1 l1;
	char headers[PM_HEADERS_MAX];

	if (!pm_l1_sign(&d->secp, key_bytes(&d->key),
		&(struct pm_l1_args){.now_s = (uint64_t)(d->got_ns / NS_PER_S),
		    .chain_id = (uint32_t)d->cfg->polymarket_chain_id},
		&l1))
		return false;
	pm_l1_headers(&l1, headers);
	if (!get(d, "/auth/derive-api-key", headers)) {
		/* The answer to a refusal holds no secret. */
		if (d->status == 400 || d->status == 404)
			doctor_say(d, DOCTOR_WARN, "credentials",
			    "none yet: %.100s; execd makes them at its first "
			    "start; then ask again",
			    d->body);
		else
			doctor_unanswered(
			    d, "credentials", "GET /auth/derive-api-key");
		return false;
	}
	if (keyload_creds_text(k, d->body, d->n, &why) < 0) {
		doctor_say(d, DOCTOR_FAIL, "credentials", "%s", why.text);
		return false;
	}
	explicit_bzero(d->body, d->n);
	doctor_say(d, DOCTOR_OK, "credentials", "derived from the key");
	return true;
}

static bool
credentials(struct doctor *d, struct keyload_creds *k)
{
	const char *file = d->cfg->polymarket_creds_file.s;
	struct secret_why why;

	if (file[0] == '\0')
		return derive(d, k);
	if (keyload_creds_file(k, file, &why) < 0) {
		doctor_say(d, DOCTOR_FAIL, "credentials", "%s", why.text);
		return false;
	}
	doctor_say(d, DOCTOR_OK, "credentials", "from %s", file);
	return true;
}

/* A question of the account. path: without the query, which is not signed. */
static bool
get_l2(struct doctor *d, const struct keyload_creds *k, const char *path,
    const char *query)
{
	const struct pm_call call = {.method = "GET", .path = path};
	char headers[PM_HEADERS_MAX];
	char target[256];
	struct pm_l2 l2;

	pm_l2_sign(k->creds, (uint64_t)(d->got_ns / NS_PER_S), &call, &l2);
	pm_l2_headers(k->creds, &l2, headers);
	snprintf(target, sizeof(target), "%s%s", path, query);
	return get(d, target, headers);
}

static void
permission(struct doctor *d, const struct keyload_creds *k)
{
	static const char path[] = "/auth/ban-status/closed-only";

	if (!get_l2(d, k, path, ""))
		doctor_unanswered(d, "permission", path);
	else if (strstr(d->body, "true") != NULL)
		doctor_say(d, DOCTOR_FAIL, "permission",
		    "the account may only reduce: %.80s; ask the venue",
		    d->body);
	else
		doctor_say(d, DOCTOR_OK, "permission", "may open positions");
}

/* Allowances are numbers of up to 256 bits: zero, or not. */
static void
allowances(struct doctor *d, struct json *j, unsigned *zero, unsigned *n)
{
	struct json_str key;
	struct json_str v;

	if (!json_object(j))
		return;
	while (json_key(j, &key) && json_string(j, &v)) {
		bool is_zero = strspn(v.s, "0") >= v.n;

		(*n)++;
		*zero += is_zero;
		if (is_zero)
			doctor_say(d, DOCTOR_WARN, "allowance",
			    "%.*s may take no collateral; approve it in the "
			    "venue's interface, or orders on its markets are "
			    "refused",
			    (int)key.n, key.s);
	}
}

static void
told(struct doctor *d, int64_t e6)
{
	char text[FIXED_TEXT_MAX];

	fixed_format(e6, 6, text);
	if (e6 > 0)
		doctor_say(d, DOCTOR_OK, "funded", "%s USD", text);
	else
		doctor_say(d, DOCTOR_FAIL, "funded",
		    "no collateral with signature type %u; deposit, or "
		    "polymarket.signature_type or funder is another's",
		    sig_type(d));
}

static void
money(struct doctor *d, const struct keyload_creds *k)
{
	static const char path[] = "/balance-allowance";
	char query[64];
	struct json j;
	struct json_str key;
	uint64_t e6 = 0;
	bool found = false;
	unsigned zero = 0;
	unsigned n = 0;

	snprintf(query, sizeof(query),
	    "?asset_type=COLLATERAL&signature_type=%u", sig_type(d));
	if (!get_l2(d, k, path, query)) {
		doctor_unanswered(d, "funded", path);
		return;
	}
	json_init(&j, d->body, d->n);
	json_object(&j); /* its failure sticks */
	while (json_key(&j, &key)) {
		if (json_is(key, "balance"))
			found = json_u64(&j, &e6);
		else if (json_is(key, "allowances"))
			allowances(d, &j, &zero, &n);
		else
			json_skip(&j);
	}
	if (!json_end(&j) || !found || e6 > INT64_MAX) {
		doctor_say(d, DOCTOR_FAIL, "funded",
		    "%s: answered something unknown: %.80s", path, d->body);
		return;
	}
	told(d, (int64_t)e6);
	if (n > 0 && zero == 0)
		doctor_say(d, DOCTOR_OK, "allowance", "%u contracts", n);
}

void
doctor_pm(struct doctor *d)
{
	struct keyload_creds k;
	struct pm_account a;

	if (account(d, &a))
		sign_all(d, &a);
	doctor_reach(d, "polymarket.user_url", d->cfg->polymarket_user_url.s);
	if (!clock_of(d))
		return;
	version(d);
	place(d);
	if (!credentials(d, &k))
		return;
	/* They belong to the key, never to the wallet. */
	memcpy(k.creds->address, d->address_text, sizeof(d->address_text));
	permission(d, &k);
	money(d, &k);
	keyload_creds_close(&k);
}

/*
 * Who is calling: L1 signatures for credentials, L2 HMAC for everything else.
 */
#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"
#include "libcore/json.h"
#include "libsign/hex.h"
#include "simvenue/pm_desk_int.h"

#define CLOCK_ERROR_S 300u
#define HEADER_MAX    256u

static bool
read_u64(const char *s, uint64_t *out)
{
	struct json_str text = {.s = s, .n = (uint32_t)strlen(s)};

	return json_text_u64(text, out);
}

/* A secret and a passphrase that belong to an address for ever. */
static void
make_key(struct pm_desk *d, struct desk_login *l)
{
	uint8_t raw[DESK_SECRET_SZ];
	struct pm_creds_text t = {
	    &l->address, l->api_key, l->secret, l->passphrase};

	for (size_t i = 0; i < sizeof(raw); i++)
		raw[i] = (uint8_t)desk_random(d);
	*base64url_put(l->secret, raw, sizeof(raw)) = '\0';
	for (size_t i = 0; i < sizeof(raw); i++)
		raw[i] = (uint8_t)desk_random(d);
	*hex_put(l->passphrase, raw, sizeof(raw)) = '\0';
	CHECK(pm_creds_init(&l->creds, &t));
	l->has_key = true;
}

static void
say_key(struct desk_answer *a, const struct desk_login *l)
{
	desk_say(a, 200, "{\"apiKey\":\"");
	text_lit(a->body, l->api_key);
	text_lit(a->body, "\",\"secret\":\"");
	text_lit(a->body, l->secret);
	text_lit(a->body, "\",\"passphrase\":\"");
	text_lit(a->body, l->passphrase);
	text_lit(a->body, "\"}");
}

static bool
enter_l1(struct desk_call *c)
{
	struct pm_desk *d = c->d;
	char address[ADDRESS_TEXT_MAX + 1];
	char signature[HEADER_MAX];
	char timestamp[PM_SECONDS_MAX];
	char nonce[PM_SECONDS_MAX];
	struct pm_l1_claim claim = {
	    .timestamp = timestamp, .chain_id = d->chain_id};
	uint32_t account;

	desk_header(c->r, "POLY_ADDRESS", address, sizeof(address));
	desk_header(c->r, "POLY_SIGNATURE", signature, sizeof(signature));
	desk_header(c->r, "POLY_TIMESTAMP", timestamp, sizeof(timestamp));
	desk_header(c->r, "POLY_NONCE", nonce, sizeof(nonce));
	if (nonce[0] != '\0' && !read_u64(nonce, &claim.nonce))
		return false;
	if (!address_parse(address, strlen(address), &claim.address) ||
	    !pm_l1_ok(&d->secp, &claim, signature))
		return false;
	account = desk_account(d, &claim.address, PM_SIG_EOA, NULL, d->grant);
	if (account == PMX_NONE)
		return false;
	c->login = &d->login[desk_login_of(d, account)];
	return true;
}

void
desk_auth(struct desk_call *c)
{
	struct http_text p = c->r->head->path;
	bool make =
	    http_text_is(p, "/auth/api-key") && desk_method(c->r, "POST");

	if (make || http_text_is(p, "/auth/derive-api-key")) {
		if (!enter_l1(c)) {
			desk_error(c->a, 401, "Invalid L1 Request headers");
			return;
		}
		if (make && c->login->has_key) {
			desk_error(c->a, 400, "Could not create api key");
			return;
		}
		if (!make && !c->login->has_key) {
			desk_error(c->a, 400, "Could not derive api key!");
			return;
		}
		if (make)
			make_key(c->d, c->login);
		say_key(c->a, c->login);
		return;
	}
	if (!desk_enter(c))
		return;
	if (http_text_is(p, "/auth/api-keys")) {
		desk_say(c->a, 200, "{\"apiKeys\":[\"");
		text_lit(c->a->body, c->login->api_key);
		text_lit(c->a->body, "\"]}");
	} else if (http_text_is(p, "/auth/ban-status/closed-only")) {
		desk_say(c->a, 200, "{\"closed_only\":false}");
	} else if (http_text_is(p, "/auth/api-key") &&
		   desk_method(c->r, "DELETE")) {
		c->login->has_key = false;
		desk_say(c->a, 200, "\"OK\"");
	} else {
		desk_error(c->a, 404, "not found");
	}
}

static bool
is_near(const struct pm_desk *d, const char *timestamp, uint64_t now_ns)
{
	uint64_t now_s =
	    (uint64_t)((int64_t)(now_ns / (uint64_t)NS_PER_S) + d->skew_s);
	uint64_t s;

	return read_u64(timestamp, &s) && s + CLOCK_ERROR_S >= now_s &&
	       s <= now_s + CLOCK_ERROR_S;
}

static struct desk_login *
check_l2(struct desk_call *c)
{
	const struct desk_request *r = c->r;
	char address[ADDRESS_TEXT_MAX + 1];
	char key[HEADER_MAX];
	char passphrase[HEADER_MAX];
	char timestamp[PM_SECONDS_MAX];
	char signature[HEADER_MAX];
	char method[16];
	char path[512];
	struct pm_call call = {
	    method, path, r->body_n > 0 ? r->body : NULL, r->body_n};
	struct desk_login *l;
	struct address who;

	desk_header(r, "POLY_ADDRESS", address, sizeof(address));
	desk_header(r, "POLY_API_KEY", key, sizeof(key));
	desk_header(r, "POLY_PASSPHRASE", passphrase, sizeof(passphrase));
	desk_header(r, "POLY_TIMESTAMP", timestamp, sizeof(timestamp));
	desk_header(r, "POLY_SIGNATURE", signature, sizeof(signature));
	if (r->head->method.n >= sizeof(method) ||
	    r->head->path.n >= sizeof(path))
		return NULL;
	memcpy(method, r->head->method.p, r->head->method.n);
	method[r->head->method.n] = '\0';
	memcpy(path, r->head->path.p, r->head->path.n);
	path[r->head->path.n] = '\0';
	l = desk_login_by_key(c->d, key, strlen(key));
	if (l == NULL || strcmp(l->passphrase, passphrase) != 0 ||
	    !address_parse(address, strlen(address), &who) ||
	    !address_eq(&who, &l->address) ||
	    !is_near(c->d, timestamp, r->now_ns) ||
	    !pm_l2_ok(&l->creds, timestamp, &call, signature))
		return NULL;
	return l;
}

bool
desk_enter(struct desk_call *c)
{
	c->login = check_l2(c);
	if (c->login != NULL)
		return true;
	desk_error(c->a, 401, "Unauthorized/Invalid api key");
	return false;
}

static bool
is_text(struct json_str s, const char *want)
{
	return s.n == strlen(want) && memcmp(s.s, want, s.n) == 0;
}

uint32_t
desk_hello(struct pm_desk *d, const char *text, size_t n)
{
	struct json_str key_text = {0};
	struct json_str secret = {0};
	struct json_str passphrase = {0};
	const struct desk_login *l;
	struct json_str key;
	struct json j;

	json_init(&j, text, n);
	json_object(&j);
	while (json_key(&j, &key)) {
		if (!json_is(key, "auth")) {
			json_skip(&j);
			continue;
		}
		json_object(&j);
		while (json_key(&j, &key))
			if (json_is(key, "apiKey"))
				json_string(&j, &key_text);
			else if (json_is(key, "secret"))
				json_string(&j, &secret);
			else if (json_is(key, "passphrase"))
				json_string(&j, &passphrase);
			else
				json_skip(&j);
	}
	if (j.reason != REASON_NONE || key_text.n == 0)
		return DESK_LOGINS;
	l = desk_login_by_key(d, key_text.s, key_text.n);
	return l != NULL && is_text(secret, l->secret) &&
		       is_text(passphrase, l->passphrase)
		   ? desk_index(d, l)
		   : DESK_LOGINS;
}

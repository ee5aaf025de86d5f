#include "simvenue/pm_desk.h"

#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"
#include "simvenue/pm_desk_int.h"

void
desk_say(struct desk_answer *a, unsigned status, const char *body)
{
	a->status = status;
	text_lit(a->body, body);
}

void
desk_error(struct desk_answer *a, unsigned status, const char *text)
{
	a->status = status;
	text_lit(a->body, "{\"error\":\"");
	text_lit(a->body, text);
	text_lit(a->body, "\"}");
}

void
desk_header(
    const struct desk_request *r, const char *name, char *buf, size_t cap)
{
	const struct http_text *v = http_header_find(r->head, name);

	buf[0] = '\0';
	if (v == NULL || v->n >= cap)
		return;
	memcpy(buf, v->p, v->n);
	buf[v->n] = '\0';
}

void
desk_arg(const struct desk_request *r, const char *name, char *buf, size_t cap)
{
	if (http_query_get(r->head->query, name, buf, cap) < 0)
		buf[0] = '\0';
}

bool
desk_method(const struct desk_request *r, const char *method)
{
	return http_text_is(r->head->method, method);
}

uint64_t
desk_random(struct pm_desk *d)
{
	d->rng = hash_u64(d->rng, 1);
	return d->rng;
}

void
desk_init(struct pm_desk *d, struct pmx *x, uint64_t seed, usd_t grant)
{
	uint8_t blind[32];

	memset(d, 0, sizeof(*d));
	d->x = x;
	d->rng = hash_u64(HASH_SEED, seed);
	d->grant = grant;
	d->chain_id = PM_CHAIN_POLYGON;
	for (size_t i = 0; i < sizeof(blind); i++)
		blind[i] = (uint8_t)desk_random(d);
	secp_init(&d->secp, blind);
}

uint32_t
desk_login_of(const struct pm_desk *d, uint32_t account)
{
	CHECK(account < PMX_ACCOUNTS);
	return d->owner[account].login == 0 ? DESK_LOGINS
					    : d->owner[account].login - 1u;
}

static uint32_t
key_bucket(const char *key, size_t n)
{
	return (uint32_t)(hash_bytes(HASH_SEED, key, n) % DESK_MAP);
}

struct desk_login *
desk_login_by_key(struct pm_desk *d, const char *key, size_t n)
{
	uint32_t at = key_bucket(key, n);

	for (; d->by_key[at] != 0; at = (at + 1) % DESK_MAP) {
		struct desk_login *l = &d->login[d->by_key[at] - 1];

		if (n == DESK_UUID_LEN && memcmp(l->api_key, key, n) == 0)
			return l->has_key ? l : NULL;
	}
	return NULL;
}

static struct desk_login *
login_make(struct pm_desk *d, const struct address *who)
{
	uint32_t at = (uint32_t)(hash_bytes(HASH_SEED, who->b, sizeof(who->b)) %
				 DESK_MAP);
	struct desk_login *l;

	for (; d->by_address[at] != 0; at = (at + 1) % DESK_MAP) {
		l = &d->login[d->by_address[at] - 1];
		if (address_eq(&l->address, who))
			return l;
	}
	if (d->login_n == DESK_LOGINS)
		return NULL;
	l = &d->login[d->login_n++];
	d->by_address[at] = (uint16_t)d->login_n;
	l->used = true;
	l->address = *who;
	for (int k = 0; k < PM_SIG_N; k++)
		l->account[k] = PMX_NONE;
	say_uuid(desk_random(d), desk_random(d), l->api_key);
	at = key_bucket(l->api_key, DESK_UUID_LEN);
	while (d->by_key[at] != 0)
		at = (at + 1) % DESK_MAP;
	d->by_key[at] = (uint16_t)d->login_n;
	return l;
}

/* Where the money of a wallet would be, when nobody says. */
static struct address
wallet_of(const struct address *who, uint8_t sig_type)
{
	struct address a = *who;
	uint64_t h = hash_bytes(sig_type, who->b, sizeof(who->b));

	if (sig_type != PM_SIG_EOA)
		memcpy(a.b, &h, sizeof(h));
	return a;
}

static uint32_t
account_make(struct pm_desk *d, usd_t usd)
{
	uint32_t i = pmx_account_open(d->x);

	if (i == PMX_NONE)
		return PMX_NONE;
	CHECK(pmx_deposit(d->x, i, usd));
	d->owner[i].used = true;
	return i;
}

uint32_t
desk_account(struct pm_desk *d, const struct address *who, uint8_t sig_type,
    const struct address *maker, usd_t usd)
{
	struct desk_login *l = login_make(d, who);
	struct desk_owner *o;
	uint32_t i;

	CHECK(sig_type < PM_SIG_N);
	if (l == NULL)
		return PMX_NONE;
	if (l->account[sig_type] != PMX_NONE)
		return l->account[sig_type];
	if ((i = account_make(d, usd)) == PMX_NONE)
		return PMX_NONE;
	d->x->account[i].keeps = true;
	o = &d->owner[i];
	o->sig_type = sig_type;
	o->login = (uint16_t)(desk_index(d, l) + 1);
	o->maker = maker != NULL ? *maker : wallet_of(who, sig_type);
	memcpy(o->api_key, l->api_key, sizeof(o->api_key));
	l->account[sig_type] = i;
	return i;
}

uint32_t
desk_participant(struct pm_desk *d, usd_t usd)
{
	uint32_t i = account_make(d, usd);
	uint64_t h;

	if (i == PMX_NONE)
		return PMX_NONE;
	h = desk_random(d);
	memcpy(d->owner[i].maker.b, &h, sizeof(h));
	say_uuid(desk_random(d), desk_random(d), d->owner[i].api_key);
	return i;
}

/* ---- paths ---- */

static bool
starts(struct http_text t, const char *s)
{
	size_t n = strlen(s);

	return t.n >= n && memcmp(t.p, s, n) == 0;
}

bool
desk_is_mine(struct http_text p)
{
	static const char *const whole[] = {"/order", "/orders", "/cancel-all",
	    "/cancel-market-orders", "/order-scoring", "/orders-scoring",
	    "/notifications"};

	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		if (http_text_is(p, whole[i]))
			return true;
	return starts(p, "/auth/") || starts(p, "/data/") ||
	       starts(p, "/balance-allowance") || starts(p, "/v1/");
}

static void
trade_call(struct desk_call *c)
{
	const struct desk_request *r = c->r;
	struct http_text p = r->head->path;
	bool is_post = desk_method(r, "POST");
	bool is_delete = desk_method(r, "DELETE");

	if (http_text_is(p, "/order") && is_post)
		desk_post_order(c);
	else if (http_text_is(p, "/orders") && is_post)
		desk_post_orders(c);
	else if (http_text_is(p, "/order") && is_delete)
		desk_delete_order(c);
	else if (http_text_is(p, "/orders") && is_delete)
		desk_delete_orders(c);
	else if (http_text_is(p, "/cancel-all") && is_delete)
		desk_delete_all(c);
	else if (http_text_is(p, "/cancel-market-orders") && is_delete)
		desk_delete_market(c);
	else if (http_text_is(p, "/v1/heartbeats") && is_post)
		desk_heartbeat(c);
	else if (desk_method(r, "GET") || http_text_is(p, "/orders-scoring"))
		desk_query(c);
	else
		desk_error(c->a, 405, "method not allowed");
}

/* Order entry, and the heartbeats that guard it. */
static bool
is_entry(const struct desk_request *r)
{
	return (desk_method(r, "POST") || desk_method(r, "DELETE")) &&
	       !starts(r->head->path, "/auth/") &&
	       !starts(r->head->path, "/orders-scoring");
}

void
desk_step(struct pm_desk *d, uint64_t now_ns)
{
	for (uint32_t i = 0; i < d->late_n;) {
		uint32_t at = pmx_find(d->x, &d->late[i].id);

		if (now_ns < d->late[i].ns) {
			i++;
			continue;
		}
		d->late[i] = d->late[--d->late_n];
		if (at != PMX_NONE)
			(void)pmx_cancel(
			    d->x, d->x->order[at].account, at, now_ns);
	}
}

uint64_t
desk_wake(const struct pm_desk *d)
{
	uint64_t ns = 0;

	for (uint32_t i = 0; i < d->late_n; i++)
		if (ns == 0 || d->late[i].ns < ns)
			ns = d->late[i].ns;
	return ns;
}

void
desk_request(
    struct pm_desk *d, const struct desk_request *r, struct desk_answer *a)
{
	struct desk_call c = {d, r, a, NULL};

	CHECK(desk_is_mine(r->head->path));
	pmx_step(d->x, r->now_ns);
	desk_step(d, r->now_ns);
	if (d->is_restarting && is_entry(r))
		desk_error(a, 425, "matching engine is restarting");
	else if (starts(r->head->path, "/auth/"))
		desk_auth(&c);
	else if (desk_enter(&c))
		trade_call(&c);
}

#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "execd/gate_pm_int.h"
#include "execd/signer_io.h"
#include "libcore/check.h"
#include "libsys/clock.h"
#include "libsys/log.h"
#include "libsys/net.h"

#define LIMIT_NS UINT64_C(5000000000)
#define NS_A_MS	 UINT64_C(1000000)
/* /time has whole seconds, and a round trip is in it. */
#define SKEW_NS INT64_C(2000000000)

static int
failed(const char *what, const char *why)
{
	LOG(LOG_STAGE_FAILED, F_STR("what", what), F_STR("why", why));
	return EXIT_PERMANENT;
}

/* ---- the key and the account ---- */

static int
account_of(struct gate_pm *p, struct pm_account *a)
{
	const struct cfg *cfg = &p->s->cfg;
	const char *funder = cfg->polymarket_funder.s;

	/* In the order of the key's choices: eoa, proxy, safe, contract. */
	a->sig_type = (uint8_t)(cfg->polymarket_signature_type - 1);
	a->maker = a->signer = p->signer;
	if (a->sig_type == PM_SIG_EOA)
		return 0;
	if (!address_parse(funder, strlen(funder), &a->maker))
		return failed("polymarket.funder is no address",
		    "0x and 40 digits, with a right checksum if its case "
		    "is mixed");
	if (a->sig_type == PM_SIG_DEPOSIT_WALLET)
		a->signer = a->maker;
	return 0;
}

int
gate_pm_keys(struct gate_pm *p, struct gwpm_setup *set)
{
	struct secret_why why;
	uint8_t blind[32];
	int rc;

	if (key_random(blind, sizeof(blind)) < 0)
		return failed("no random numbers", "getrandom failed");
	secp_init(&p->secp, blind);
	explicit_bzero(blind, sizeof(blind));
	rc = keyload_key(&p->key, &p->s->cfg, VENUE_POLYMARKET, &p->secp, &why);
	if (rc < 0)
		return failed("no key to sign orders with", why.text);
	if (!secp_address(&p->secp, key_bytes(&p->key), &p->signer))
		return failed("no key to sign orders with", "not a key");
	set->secp = &p->secp;
	set->key = key_bytes(&p->key);
	rc = account_of(p, &set->account);
	if (rc != 0)
		return rc;
	return signer_lock(p->s, VENUE_POLYMARKET, &p->signer, &p->lock_fd);
}

void
gate_pm_login_close(struct gate_pm *p)
{
	keyload_creds_close(&p->creds);
	secret_close(&p->key);
	secp_close(&p->secp);
	if (p->lock_fd >= 0)
		close(p->lock_fd);
	p->lock_fd = -1;
}

/* ---- credentials ---- */

static void
refused(struct gate_pm *p, const char *why)
{
	p->login = GATE_PM_LOGIN_REFUSED;
	p->login_ns = 0;
	gate_pm_mode(p, PORT_BLOCKED, why);
}

/* There are credentials: the port may begin. */
static void
logged_in(struct gate_pm *p)
{
	struct gwpm_now now = gate_pm_now(p);

	p->login = GATE_PM_LOGIN_DONE;
	p->login_ns = 0;
	address_format(&p->signer, p->creds.creds->address);
	if (!gwpm_credentials(&p->g, p->creds.creds, p->creds.secret)) {
		refused(p, "polymarket.signature_type and polymarket.funder "
			   "do not make an account");
		return;
	}
	if (p->login_skew_ns > SKEW_NS || p->login_skew_ns < -SKEW_NS)
		p->g.skew_ns = p->login_skew_ns;
	if (!p->is_started)
		return;
	gate_pm_channel_open(p);
	gwpm_start(&p->g, &now);
}

int
gate_pm_login_begin(struct gate_pm *p)
{
	const char *path = p->s->cfg.polymarket_creds_file.s;
	struct secret_why why;

	if (path[0] == '\0') {
		p->login = GATE_PM_LOGIN_TIME;
		gate_pm_login_ask(p);
		return 0;
	}
	if (keyload_creds_file(&p->creds, path, &why) < 0)
		return failed("polymarket.creds_file", why.text);
	logged_in(p);
	return 0;
}

void
gate_pm_login_ask(struct gate_pm *p)
{
	static const struct {
		const char *method;
		const char *target;
	} asks[GATE_PM_LOGIN_N] = {
	    [GATE_PM_LOGIN_TIME] = {"GET", "/time"},
	    [GATE_PM_LOGIN_DERIVE] = {"GET", "/auth/derive-api-key"},
	    [GATE_PM_LOGIN_CREATE] = {"POST", "/auth/api-key"},
	};
	struct gwpm_now now = gate_pm_now(p);
	struct pm_l1_args args = {
	    .now_s = (uint64_t)((now.wall_ns + p->login_skew_ns) / NS_PER_S),
	    .chain_id = (uint32_t)p->s->cfg.polymarket_chain_id};
	char headers[PM_HEADERS_MAX] = "";
	struct pool_call c = {.tag = GATE_PM_LOGIN_TAG,
	    .role = POOL_QUERIES,
	    .method = asks[p->login].method,
	    .target = asks[p->login].target,
	    .headers = headers,
	    .timeout_ns = LIMIT_NS};
	struct pm_l1 l1;

	p->login_ns = 0;
	if (p->is_asking || asks[p->login].method == NULL)
		return;
	if (p->login != GATE_PM_LOGIN_TIME) {
		CHECK(pm_l1_sign(&p->secp, key_bytes(&p->key), &args, &l1));
		(void)pm_l1_headers(&l1, headers);
	}
	p->is_asking = pool_call(p->pool, &c) == 0;
	if (!p->is_asking) {
		p->login_ns = now.ns + 100 * NS_A_MS;
		gate_pm_timer_at(p, p->login_ns);
	}
}

static void
again(struct gate_pm *p, const struct pool_answer *a)
{
	uint64_t ms = net_backoff_ms(p->login_tries++, net_random());

	if (a->retry_after_s > 0 && a->retry_after_s < 600)
		ms += (uint64_t)a->retry_after_s * 1000;
	LOG(LOG_LOGIN_RETRY, F_STR("venue", "polymarket"),
	    F_U64("status", a->status),
	    F_STR("what", a->error != NULL ? a->error : ""),
	    F_U64("retry_ms", ms));
	p->login_ns = a->answer_ns + ms * NS_A_MS;
	gate_pm_timer_at(p, p->login_ns);
}

static void
take_time(struct gate_pm *p, const struct pool_answer *a)
{
	char *end;
	unsigned long long s = strtoull(a->body, &end, 10);
	struct gwpm_now now = gate_pm_now(p);

	if (end != a->body && s < UINT64_C(1) << 33) {
		p->login_skew_ns = (int64_t)s * NS_PER_S - now.wall_ns;
		gate_pm_clock(p, p->login_skew_ns);
	}
	p->login = GATE_PM_LOGIN_DERIVE;
	gate_pm_login_ask(p);
}

static void
take_creds(struct gate_pm *p, const struct pool_answer *a)
{
	struct secret_why why;

	if (keyload_creds_text(&p->creds, a->body, a->n, &why) == 0) {
		logged_in(p);
	} else if (p->login == GATE_PM_LOGIN_DERIVE) {
		p->login = GATE_PM_LOGIN_CREATE;
		gate_pm_login_ask(p);
	} else {
		refused(p, "the venue gives no API credentials for this key");
	}
}

/* Busy, restarting, limited, gone: not the key's fault. */
static bool
is_passing(unsigned status)
{
	return status == 0 || status == 408 || status == 425 || status == 429 ||
	       status >= 500;
}

void
gate_pm_login_answer(struct gate_pm *p, const struct pool_answer *a)
{
	p->is_asking = false;
	if (is_passing(a->status)) {
		again(p, a);
	} else if (p->login == GATE_PM_LOGIN_TIME) {
		take_time(p, a);
	} else if (a->status == 200 || a->status == 201) {
		take_creds(p, a);
	} else if (a->status == 401 || a->status == 403) {
		refused(p, a->status == 401
			       ? "the venue does not accept the key of "
				 "polymarket.key_file"
			       : "the venue refuses this place or account");
	} else if (p->login == GATE_PM_LOGIN_DERIVE) {
		p->login = GATE_PM_LOGIN_CREATE;
		gate_pm_login_ask(p);
	} else {
		refused(p, "the venue gives no API credentials for this key");
	}
}

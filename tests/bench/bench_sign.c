/* links: libsign libcore */
/*
 * bench_sign.c - what a signed order costs, beside the bare signature of
 * libsecp256k1 in the same run.
 *
 * Bars: build, sign, HMAC and body of a Polymarket order 30 us; the same with
 * the signature at hand, and a cancel, 5 us.
 */
#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include "libsign/hl_action.h"
#include "libsign/key.h"
#include "libsign/pm_auth.h"
#include "libsign/pm_body.h"
#include "libsign/pm_order.h"
#include "tests/bench/bench.h"

#define RUNS 20000

static struct {
	struct secp secp;
	secp256k1_context *raw;
	uint8_t key[SECP_KEY_SZ];
	struct pm_template eoa;
	struct pm_template wallet;
	struct pm_asset asset;
	struct pm_creds creds;
	struct pm_order order;
	struct pm_signed held;
	char body[PM_BODY_MAX];
	char hl_body[HL_BODY_MAX];
	uint8_t text[12 * HASH_SZ];
	uint8_t digest[HASH_SZ];
	struct sig sig;
	uint64_t sum; /* of what came out, so that nothing is left out */
} b;

static void
run_keccak(void)
{
	keccak256(b.text, sizeof(b.text), b.digest);
	b.text[0] ^= b.digest[0];
	b.sum += b.digest[0];
}

static void
run_raw(void)
{
	secp256k1_ecdsa_recoverable_signature s;

	if (secp256k1_ecdsa_sign_recoverable(
		b.raw, &s, b.digest, b.key, NULL, NULL) != 1)
		exit(1);
	b.digest[1] ^= s.data[0];
	b.sum += s.data[1];
}

static void
run_sign(void)
{
	if (!secp_sign(&b.secp, b.key, b.digest, &b.sig))
		exit(1);
	b.digest[1] ^= b.sig.r[0];
	b.sum += b.sig.s[1];
}

static void
run_recover(void)
{
	struct address who;

	if (!secp_recover(&b.secp, &b.held.sig, b.held.id, &who))
		exit(1);
	b.sum += who.b[0];
}

static void
send_order(const struct pm_template *t, const struct pm_signed *s)
{
	struct pm_l2 l2;
	struct pm_call call = {"POST", "/order", b.body, 0};

	call.n = pm_order_body(t, &b.order, s, b.body);
	pm_l2_sign(&b.creds, 1790000000 + b.order.salt % 1000, &call, &l2);
	b.sum += (uint64_t)l2.signature[3];
}

static void
run_order(const struct pm_template *t)
{
	struct pm_signed s;

	b.order.salt = pm_salt(b.order.salt + 1);
	b.order.timestamp_ms++;
	if (!pm_limit_amounts(b.order.side,
		4800 + (uint32_t)(b.order.salt % 100) * 10,
		1250 + b.order.salt % 1000, &b.order.amounts) ||
	    !pm_order_sign(t, &b.secp, b.key, &b.order, &s))
		exit(1);
	send_order(t, &s);
}

static void
run_eoa(void)
{
	run_order(&b.eoa);
}

static void
run_wallet(void)
{
	run_order(&b.wallet);
}

static void
run_held(void)
{
	send_order(&b.eoa, &b.held);
}

static void
run_cancel(void)
{
	struct pm_l2 l2;
	struct pm_call call = {"DELETE", "/order", b.body, 0};

	call.n = pm_cancel_body(b.digest, b.body, sizeof(b.body));
	pm_l2_sign(&b.creds, 1790000000, &call, &l2);
	b.digest[2] ^= (uint8_t)l2.signature[5];
	b.sum += b.digest[2];
}

static void
hl(enum hl_action_kind kind, uint16_t n)
{
	static uint64_t nonce = 1790232236546;
	struct hl_order o[2] = {{.side = SIDE_BID,
	    .px = PX(84143 * E8),
	    .qty = QTY(24000),
	    .tif = HL_ALO,
	    .has_cloid = true}};
	struct hl_cancel c = {.oid = 549961856293};
	struct hl_action a = {
	    .kind = kind, .n = n, .orders = o, .cancels = &c, .fast = true};
	struct hl_meta meta = {.nonce = nonce++, .expires_ms = nonce + 4000};
	struct hl_request r = {.action = &a, .meta = &meta, .post_id = 256};
	struct hl_signer s = {&b.secp, b.key, true};

	o[1] = o[0];
	o[1].side = SIDE_ASK;
	o[0].cloid[15] = (uint8_t)nonce;
	if (hl_request(&s, &r, b.hl_body) == 0)
		exit(1);
	b.sum += (uint64_t)b.hl_body[200];
}

static void
run_hl_order(void)
{
	hl(HL_ORDER, 1);
}

static void
run_hl_pair(void)
{
	hl(HL_ORDER, 2);
}

static void
run_hl_cancel(void)
{
	hl(HL_CANCEL, 1);
}

static void
prepare(void)
{
	struct pm_account account = {.owner = "3b10aacc-fde9-4836-afd3"};
	struct pm_exchange x;
	struct pm_creds_text text = {&account.signer, account.owner,
	    "-pqPx4XcU__npqI5VjHf8H8Ks4NLpTTnzc3lUItrr-U=", "pass"};
	uint8_t seed[32];
	bool ok = key_random(seed, sizeof(seed)) == 0;

	b.key[31] = 42;
	secp_init(&b.secp, seed);
	b.raw = secp256k1_context_create(
	    SECP256K1_CONTEXT_SIGN | SECP256K1_CONTEXT_VERIFY);
	ok = ok && secp256k1_context_randomize(b.raw, seed) == 1 &&
	     secp_address(&b.secp, b.key, &account.signer) &&
	     pm_exchange_init(&x, PM_EXCHANGE_V2, false, PM_CHAIN_POLYGON);
	account.maker = account.signer;
	ok = ok && pm_template_init(&b.eoa, &x, &account);
	account.sig_type = PM_SIG_DEPOSIT_WALLET;
	ok = ok && pm_template_init(&b.wallet, &x, &account) &&
	     pm_creds_init(&b.creds, &text);
	pm_asset_init(&b.asset, (uint64_t[4]){1, 2, 3, UINT64_MAX / 3});
	b.order = (struct pm_order){.salt = 1,
	    .asset = &b.asset,
	    .amounts = {6000000, 12500000},
	    .side = SIDE_BID,
	    .tif = PM_GTD,
	    .post_only = true,
	    .timestamp_ms = 1790000002474,
	    .expiration_s = 1790000900};
	if (!ok || !pm_order_sign(&b.eoa, &b.secp, b.key, &b.order, &b.held))
		exit(1);
}

static double
timed(void (*run)(void), const char *name, double raw_ns)
{
	static uint64_t ns[RUNS];
	size_t n = bench_quick() ? 50 : RUNS;
	char text[64];
	double p50;

	for (size_t i = 0; i < n / 10; i++)
		run();
	for (size_t i = 0; i < n; i++) {
		uint64_t at = bench_now_ns();

		run();
		ns[i] = bench_now_ns() - at;
	}
	p50 = bench_quantile(ns, n, 500);
	snprintf(text, sizeof(text), "%s_p50", name);
	bench_line(text, p50, "ns", "libsecp256k1", raw_ns);
	snprintf(text, sizeof(text), "%s_p99", name);
	bench_line(
	    text, bench_quantile(ns, n, 990), "ns", "libsecp256k1", raw_ns);
	return p50;
}

int
main(void)
{
	double raw;

	prepare();
	raw = timed(run_raw, "sign_raw", 0);
	timed(run_keccak, "keccak_384", 0);
	timed(run_sign, "sign", raw);
	timed(run_recover, "recover", raw);
	timed(run_eoa, "pm_order_eoa", raw);
	timed(run_wallet, "pm_order_wallet", raw);
	timed(run_held, "pm_order_held", 0);
	timed(run_cancel, "pm_cancel", 0);
	timed(run_hl_order, "hl_order", raw);
	timed(run_hl_pair, "hl_order_pair", raw);
	timed(run_hl_cancel, "hl_cancel", raw);
	printf("# checksum %llx\n", (unsigned long long)b.sum);
	return 0;
}

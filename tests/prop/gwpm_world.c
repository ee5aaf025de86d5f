#include "tests/prop/gwpm_world.h"

static const uint8_t key0[32] = {0xac, 0x09, 0x74, 0xbe, 0xc3, 0x9a, 0x17, 0xe3,
    0x6b, 0xa4, 0xa6, 0xb4, 0xd2, 0x38, 0xff, 0x94, 0x4b, 0xac, 0xb4, 0x78,
    0xcb, 0xed, 0x5e, 0xfc, 0xae, 0x78, 0x4d, 0x7b, 0xf4, 0xf2, 0xff, 0x80};

struct rig r;

uint64_t
random_below(uint64_t n)
{
	r.rng = hash_u64(r.rng, 1);
	return r.rng % n;
}

bool
happens(uint64_t per_mille)
{
	return random_below(1000) < per_mille;
}

bool
fault(uint64_t per_mille)
{
	return r.has_faults && happens(per_mille);
}

struct gwpm_now
now(void)
{
	struct gwpm_now n = {r.now_ns - START_NS + SECOND, (int64_t)r.now_ns};

	return n;
}

static struct item *
item_new(enum what what, uint64_t at_ns)
{
	for (uint32_t i = 0; i < ITEMS; i++)
		if (r.item[i].what == 0) {
			r.item[i] = (struct item){
			    .what = what, .at_ns = at_ns, .retry_s = -1};
			return &r.item[i];
		}
	fail_msg("too much under way");
	return NULL;
}

static char *
copy(const char *s, size_t n)
{
	char *c = malloc(n + 1);

	assert_non_null(c);
	memcpy(c, s, n);
	c[n] = '\0';
	return c;
}

void
item_free(struct item *i)
{
	free(i->method);
	free(i->target);
	free(i->headers);
	free(i->body);
	*i = (struct item){0};
}

static uint64_t
delay(void)
{
	if (fault(20))
		return random_below(3000) * MS;
	return (1 + random_below(40)) * MS;
}

/* ---- the venue's sinks ---- */

static void
frame(const char *text, size_t n)
{
	uint64_t copies = fault(150) ? 2 : 1;

	if (!r.is_up || r.now_ns < r.up_ns)
		return;
	while (copies-- > 0) {
		struct item *i = item_new(FRAME, r.now_ns + delay());

		i->life = r.life;
		i->body = copy(text, n);
	}
}

static void
check_slot(const struct pmx *x, uint32_t order)
{
	const struct pm_hash *h = (const struct pm_hash *)&x->order[order].id;
	const struct gwpm_order *o = gwpm_order_by_hash(r.book, h);
	uint32_t n = 0;

	assert_non_null(o); /* known before it was sent */
	for (uint32_t i = 0; i < GWPM_ORDERS; i++) {
		const struct gwpm_order *p = &r.book->order[i];
		uint32_t at;

		if (p->id == 0 || p->slot != o->slot || !p->has_hash)
			continue;
		at = pmx_find(x, (const struct pmx_id *)&p->hash);
		if (at != PMX_NONE && pmx_is_open(&x->order[at]))
			n++;
	}
	assert_true(n <= 1);
}

static void
on_order(
    void *user, const struct pmx *x, uint32_t order, enum pmx_order_event what)
{
	char buf[4096];
	struct text t;

	(void)user;
	if (desk_login_of(&r.desk, x->order[order].account) >= DESK_LOGINS)
		return;
	if (what == PMX_PLACEMENT)
		check_slot(x, order);
	text_init(&t, buf, sizeof(buf));
	say_order_event(&r.desk, order, what, &t);
	frame(buf, text_end(&t));
}

static void
on_trade(void *user, const struct pmx *x, uint32_t trade)
{
	char buf[16384];
	struct text t;

	(void)user;
	(void)x;
	if (!say_trade_concerns(&r.desk, trade, 0))
		return;
	text_init(&t, buf, sizeof(buf));
	say_trade(&r.desk, trade, 0, true, &t);
	assert_true(text_end(&t) > 0);
	frame(buf, t.n);
}

static void
on_level(void *user, uint16_t market, enum side side, px_t px, qty_t qty)
{
	(void)user, (void)market, (void)side, (void)px, (void)qty;
}

static void
on_print(void *user, uint16_t market, enum token_role role, enum side side,
    tok_px_t px, qty_t qty)
{
	(void)user, (void)market, (void)role, (void)side, (void)px, (void)qty;
}

static void
on_batch(void *user, uint16_t market, bool has_traded)
{
	(void)user, (void)market, (void)has_traded;
}

static void
on_market(void *user, uint16_t market)
{
	(void)user, (void)market;
}

/* ---- calls ---- */

static unsigned
ask_desk(const struct item *i)
{
	char raw[16384];
	char headers[4096];
	struct text body;
	struct text extra;
	struct http_head head;
	struct desk_request q = {.head = &head,
	    .body = i->body,
	    .body_n = i->body == NULL ? 0 : strlen(i->body),
	    .now_ns = r.now_ns};
	struct desk_answer a = {0, &body, &extra};
	int n =
	    snprintf(raw, sizeof(raw), "%s %s HTTP/1.1\r\nHost: x\r\n%s\r\n",
		i->method, i->target, i->headers);

	assert_true(n > 0 && n < (int)sizeof(raw));
	assert_int_equal(http_request_parse(raw, (size_t)n, &head), 1);
	text_init(&body, r.reply, BODY);
	text_init(&extra, headers, sizeof(headers));
	desk_request(&r.desk, &q, &a);
	text_end(&body);
	assert_false(body.full);
	return a.status;
}

static unsigned
serve(struct item *i)
{
	bool is_entry = strcmp(i->method, "GET") != 0;

	if (strcmp(i->target, "/version") == 0) {
		(void)snprintf(r.reply, BODY, "{\"version\":2}");
		return 200;
	}
	if (strcmp(i->target, "/time") == 0) {
		(void)snprintf(r.reply, BODY, "%llu",
		    (unsigned long long)(r.now_ns / SECOND));
		return 200;
	}
	if (is_entry && r.now_ns < r.restart_until_ns) {
		(void)snprintf(r.reply, BODY, "<html>restarting</html>");
		return 425;
	}
	if (fault(5)) {
		(void)snprintf(r.reply, BODY, "<html>bad gateway</html>");
		return 502;
	}
	if (fault(5)) {
		(void)snprintf(
		    r.reply, BODY, "{\"error\":\"Too Many Requests\"}");
		i->retry_s = 1;
		return 429;
	}
	return ask_desk(i);
}

void
arrive(struct item *i)
{
	struct item *a;
	unsigned status = serve(i);

	assert_null(strstr(r.reply, "Duplicated"));
	assert_null(strstr(r.reply, "Invalid order payload"));
	assert_null(strstr(r.reply, "invalid signature"));
	if (i->is_lost)
		return;
	if (fault(5)) { /* done, but a proxy says otherwise */
		status = 504;
		(void)snprintf(r.reply, BODY, "<html>time-out</html>");
	}
	a = item_new(ANSWER, r.now_ns + delay());
	a->tag = i->tag;
	a->status = status;
	a->retry_s = i->retry_s;
	a->body = copy(r.reply, strlen(r.reply));
}

static void
on_http(void *user, const struct gwpm_http *h)
{
	struct item *i;

	(void)user;
	assert_true(h->role >= GWPM_ROLE_ORDERS && h->role < GWPM_ROLE_N);
	assert_int_equal(h->is_once,
	    strcmp(h->method, "POST") == 0 && h->role == GWPM_ROLE_ORDERS);
	if (fault(15)) { /* never got there; the client hears of it or not */
		if (happens(500)) {
			i = item_new(ANSWER, r.now_ns + delay());
			i->tag = h->tag;
		}
		return;
	}
	if (h->body != NULL && strstr(h->body, "\"SELL\"") != NULL)
		r.sells++;
	i = item_new(REQUEST, r.now_ns + delay());
	i->tag = h->tag;
	i->is_lost = fault(15);
	i->method = copy(h->method, strlen(h->method));
	i->target = copy(h->target, strlen(h->target));
	i->headers = copy(h->headers, strlen(h->headers));
	if (h->body != NULL)
		i->body = copy(h->body, h->body_n);
}

static void
on_channel(void *user, const char *text, size_t n)
{
	(void)user;
	if (n != 4 || memcmp(text, "PING", 4) != 0)
		assert_int_equal(desk_hello(&r.desk, text, n), 0);
}

static void
on_mode(void *user, enum port_mode mode, const char *text)
{
	(void)user;
	if (mode == PORT_BLOCKED)
		fail_msg("blocked: %s", text);
}

static void
on_log(
    void *user, enum gwpm_log what, int64_t value, const char *text, size_t n)
{
	(void)user;
	if (what == GWPM_LOG_BAD_FRAME || what == GWPM_LOG_WRONG_ID ||
	    what == GWPM_LOG_BAD_ANSWER || what == GWPM_LOG_FOREIGN ||
	    what == GWPM_LOG_FOREIGN_FILL || what == GWPM_LOG_DIFFERENCE ||
	    what == GWPM_LOG_SHORT || what == GWPM_LOG_STRAY)
		fail_msg("log %d %lld %.*s", (int)what, (long long)value,
		    (int)n, text);
}

static void
on_clock(void *user, int64_t offset_ns)
{
	(void)user;
	(void)offset_ns;
}

/* ---- what order management hears ---- */

static void
on_fill(const struct port_event *ev, int64_t sign)
{
	int64_t q = ev->side == SIDE_BID ? ev->qty.e8 : -ev->qty.e8;

	assert_true(ev->instr >= 16 && ev->instr < 16 + MARKETS);
	r.yes_e8[ev->instr - 16] += sign * q;
}

static void
on_event(void *user, const struct port_event *ev)
{
	struct slot *s = &r.slot[ev->slot % SLOTS];
	bool is_mine = s->id == ev->id;

	(void)user;
	assert_true(ev->slot < SLOTS);
	switch (ev->what) {
	case PORT_ACKED:
		assert_true(is_mine);
		s->is_answered = true;
		s->is_unknown = false;
		r.acked++;
		return;
	case PORT_DELAYED:
	case PORT_UNKNOWN:
		assert_true(is_mine);
		s->is_answered = true;
		s->is_unknown = true;
		return;
	case PORT_REJECTED:
		assert_true(is_mine);
		assert_true(!s->is_answered || s->is_unknown);
		s->id = 0;
		r.rejected++;
		return;
	case PORT_CANCELLED:
	case PORT_GONE:
		assert_true(is_mine);
		assert_true(s->is_answered);
		r.gone += ev->what == PORT_GONE;
		r.cancelled += ev->what == PORT_CANCELLED;
		s->id = 0;
		return;
	case PORT_FILLED:
		on_fill(ev, 1);
		r.fills++;
		if (!is_mine)
			return;
		s->filled.e8 += ev->qty.e8;
		return;
	case PORT_REVERSED: on_fill(ev, -1); return;
	case PORT_CONFIRMED: return;
	case PORT_NOT_CANCELLED: s->has_cancel = false; return;
	case PORT_REDUCED:
	case PORT_EV_N: break;
	}
	fail_msg("event %d", (int)ev->what);
}

/* ---- beginning and end ---- */

static void
log_in(void)
{
	struct pm_l1_args args = {r.now_ns / SECOND, 0, PM_CHAIN_POLYGON};
	struct pm_creds_text t = {&r.me, r.api_key, r.secret, r.passphrase};
	char headers[PM_HEADERS_MAX];
	char method[] = "POST";
	char target[] = "/auth/api-key";
	struct item i = {
	    .method = method, .target = target, .headers = headers};
	struct pm_l1 l1;

	assert_true(pm_l1_sign(&r.secp, key0, &args, &l1));
	pm_l1_headers(&l1, headers);
	assert_int_equal(ask_desk(&i), 200);
	assert_int_equal(sscanf(r.reply,
			     "{\"apiKey\":\"%63[^\"]\",\"secret\":\"%63[^\"]\","
			     "\"passphrase\":\"%127[^\"]\"",
			     r.api_key, r.secret, r.passphrase),
	    3);
	assert_true(pm_creds_init(&r.creds, &t));
}

static void
open_markets(void)
{
	for (uint64_t i = 0; i < MARKETS; i++) {
		struct pmx_terms t = {.tick = TOK_PX(E8 / 100),
		    .min_qty = QTY(5 * E8),
		    .fee_ppm = 70000,
		    .is_updown = true,
		    .delay_ms = i == 0 ? 250 : 0,
		    .neg_risk = i == 1,
		    .is_position = i == 2};

		t.cond.n = i == 2 ? 31 : 32;
		t.cond.b[0] = (uint8_t)(i + 1);
		t.token[0].w[3] = 100 + 2 * i;
		t.token[1].w[3] = 101 + 2 * i;
		r.market[i] = pmx_market_open(r.x, &t);
		assert_true(
		    pmx_split(r.x, r.other, r.market[i], QTY(200000 * E8)));
	}
}

static void
tell_markets(void)
{
	for (uint32_t i = 0; i < MARKETS; i++) {
		const struct pmx_terms *t = &r.x->market[r.market[i]].terms;
		struct instr in = {.venue = VENUE_POLYMARKET,
		    .epoch = 1,
		    .tick_px = PX(E8 / 100),
		    .min_qty = t->min_qty,
		    .fee_ppm = t->fee_ppm,
		    .neg_risk = t->neg_risk,
		    .token_kind =
			t->is_position ? TOKEN_POSITION : TOKEN_CONDITIONAL};

		memcpy(in.token_yes, t->token[0].w, 32);
		memcpy(in.token_no, t->token[1].w, 32);
		memcpy(in.condition, t->cond.b, 32);
		gwpm_market(&r.g, (uint16_t)(16 + i), &in);
	}
}

/* The port from its book alone. */
static void
new_life(void)
{
	struct gwpm_now n = now();

	r.posts += r.g.stat.posts;
	r.set.epoch++;
	assert_true(gwpm_init(&r.g, &r.set, r.book, &r.out));
	tell_markets();
	gwpm_start(&r.g, &n);
}

/* Killed: what was sent arrives, nobody hears the answers. */
void
kill_it(void)
{
	for (uint32_t i = 0; i < ITEMS; i++)
		if (r.item[i].what == REQUEST)
			r.item[i].is_lost = true;
		else if (r.item[i].what != 0)
			item_free(&r.item[i]);
	r.kills++;
	r.is_up = false;
	r.life++;
	r.up_ns = r.now_ns + random_below(500) * MS;
	new_life();
}

void
begin(uint64_t seed)
{
	uint8_t blind[32] = {1};
	struct gwpm_setup set = {.secp = &r.secp,
	    .key = key0,
	    .creds = &r.creds,
	    .secret = r.secret,
	    .chain_id = PM_CHAIN_POLYGON,
	    .has_beats = true,
	    .order_timeout_ns = 5 * SECOND,
	    .fill_poll_ns = SECOND,
	    .has_presign = true,
	    .presign_tolerance = QTY(E8 / 10),
	    .seed = seed};

	memset(&r, 0, sizeof(r));
	r.seed = seed;
	r.rng = hash_u64(HASH_SEED, seed);
	r.now_ns = START_NS;
	r.x = calloc(1, sizeof(*r.x));
	r.book = calloc(1, sizeof(*r.book));
	r.reply = malloc(BODY);
	assert_true(r.x != NULL && r.book != NULL && r.reply != NULL);
	r.sink = (struct pmx_sink){
	    NULL, on_order, on_trade, on_level, on_print, on_batch, on_market};
	r.out = (struct gwpm_sink){
	    NULL, on_http, on_channel, on_event, on_mode, on_log, on_clock};
	pmx_init(r.x, &r.sink, seed);
	r.x->settle.retry_ppm = 250000;
	r.x->settle.fail_ppm = 400000;
	desk_init(&r.desk, r.x, seed, USD(20000 * E6));
	secp_init(&r.secp, blind);
	assert_true(secp_address(&r.secp, key0, &r.me));
	r.me_account =
	    desk_account(&r.desk, &r.me, PM_SIG_EOA, NULL, USD(20000 * E6));
	r.other = desk_participant(&r.desk, USD(1000000 * E6));
	open_markets();
	log_in();
	set.account = (struct pm_account){.maker = r.me, .signer = r.me};
	memcpy(set.account.owner, r.api_key, strlen(r.api_key));
	r.set = set;
	new_life();
}

void
end(void)
{
	for (uint32_t i = 0; i < ITEMS; i++)
		item_free(&r.item[i]);
	secp_close(&r.secp);
	secp_close(&r.desk.secp);
	free(r.x);
	free(r.book);
	free(r.reply);
}

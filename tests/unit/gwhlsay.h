/*
 * gwhlsay.h - part of gwhlkit.h: words of the venue and acts, in one line
 * each.
 */
#ifndef TESTS_UNIT_GWHLSAY_H
#define TESTS_UNIT_GWHLSAY_H

static inline void
say(const char *text)
{
	struct gwhl_now t = now();

	gwhl_text(k.g, text, strlen(text), &t);
}

static inline void
timer(uint64_t ms)
{
	struct gwhl_now t;

	k.ms += ms;
	t = now();
	gwhl_timer(k.g, &t);
}

/* Answers the newest question that has `part`, with status. */
static inline void
answer_as(const char *part, const char *body, unsigned status)
{
	struct gwhl_now t = now();

	for (uint32_t i = k.out_n; i > 0; i--) {
		struct gwhl_answer a = {
		    k.out[i - 1].tag, status, body, strlen(body)};

		if (a.tag == 0 || strstr(k.out[i - 1].body, part) == NULL)
			continue;
		gwhl_answer(k.g, &a, &t);
		return;
	}
	fail_msg("nobody asked %s", part);
}

static inline void
answer(const char *part, const char *body)
{
	answer_as(part, body, 200);
}

/* Id of the newest post that has `part`. */
static inline uint64_t
post_of(const char *part)
{
	for (uint32_t i = k.out_n; i > 0; i--) {
		const char *at = strstr(k.out[i - 1].body, "\"id\":");

		if (k.out[i - 1].tag == 0 && at != NULL &&
		    strstr(k.out[i - 1].body, part) != NULL)
			return strtoull(at + 5, NULL, 10);
	}
	fail_msg("no post %s", part);
	return 0;
}

static inline void
posted(uint64_t id, const char *payload)
{
	char buf[2048];

	(void)snprintf(buf, sizeof(buf),
	    "{\"channel\":\"post\",\"data\":{\"id\":%llu,\"response\":{"
	    "\"type\":\"action\",\"payload\":%s}}}",
	    (unsigned long long)id, payload);
	say(buf);
}

static inline void
statuses(uint64_t id, const char *list)
{
	char buf[1024];

	(void)snprintf(buf, sizeof(buf),
	    "{\"status\":\"ok\",\"response\":{\"type\":\"order\",\"data\":"
	    "{\"statuses\":[%s]}}}",
	    list);
	posted(id, buf);
}

static inline void
cloid_text(uint64_t id, char buf[HL_CLOID_TEXT_MAX])
{
	uint8_t cloid[HL_CLOID_SZ];

	gwhl_cloid(id, cloid);
	hl_cloid_text(cloid, buf);
}

static inline void
update(uint64_t id, uint64_t oid, const char *left, const char *status)
{
	char cloid[HL_CLOID_TEXT_MAX];
	char buf[600];

	cloid_text(id, cloid);
	(void)snprintf(buf, sizeof(buf),
	    "{\"channel\":\"orderUpdates\",\"data\":[{\"order\":{\"coin\":"
	    "\"BTC\",\"side\":\"B\",\"limitPx\":\"84000.0\",\"sz\":\"%s\","
	    "\"oid\":%llu,\"timestamp\":1,\"origSz\":\"0.001\",\"cloid\":"
	    "\"%s\"},\"status\":\"%s\",\"statusTimestamp\":1}]}",
	    left, (unsigned long long)oid, cloid, status);
	say(buf);
}

static inline void
fill_as(const char *head, uint64_t id, uint64_t oid, uint64_t tid,
    const char *qty, const char *start)
{
	char cloid[HL_CLOID_TEXT_MAX];
	char buf[900];

	cloid_text(id, cloid);
	(void)snprintf(buf, sizeof(buf),
	    "{\"channel\":\"userFills\",\"data\":{%s\"user\":\"" ME
	    "\",\"fills\":[{\"coin\":\"BTC\",\"px\":\"84000.0\",\"sz\":"
	    "\"%s\",\"side\":\"B\",\"time\":%llu,\"startPosition\":\"%s\","
	    "\"dir\":\"x\",\"closedPnl\":\"-0.13\",\"hash\":\"0x\",\"oid\":"
	    "%llu,\"crossed\":false,\"fee\":\"-0.003627\",\"tid\":%llu,"
	    "%s%s%s\"feeToken\":\"USDC\",\"twapId\":null}]}}",
	    head, qty, (unsigned long long)NOW_MS + 1000, start,
	    (unsigned long long)oid, (unsigned long long)tid,
	    id ? "\"cloid\":\"" : "", id ? cloid : "", id ? "\"," : "");
	say(buf);
}

static inline void
fill(
    uint64_t id, uint64_t oid, uint64_t tid, const char *qty, const char *start)
{
	fill_as("", id, oid, tid, qty, start);
}

static inline void
status_is(uint64_t oid, const char *left, const char *status)
{
	char buf[600];
	char cloid[HL_CLOID_TEXT_MAX];

	cloid_text(ID, cloid);
	(void)snprintf(buf, sizeof(buf),
	    "{\"status\":\"order\",\"order\":{\"order\":{\"coin\":\"BTC\","
	    "\"side\":\"B\",\"limitPx\":\"84000.0\",\"sz\":\"%s\",\"oid\":"
	    "%llu,\"timestamp\":1,\"origSz\":\"0.001\",\"cloid\":\"%s\"},"
	    "\"status\":\"%s\",\"statusTimestamp\":1}}",
	    left, (unsigned long long)oid, cloid, status);
	answer("orderStatus", buf);
}

static inline void
act_full(enum port_do what, uint64_t id, int64_t lots, uint8_t tif, px_t px)
{
	struct port_act a = {.what = what,
	    .slot = 5,
	    .id = id,
	    .instr = INSTR,
	    .side = SIDE_BID,
	    .tif = tif,
	    .oflags = tif == TIF_GTC ? ORDER_POST_ONLY : 0,
	    .px = px,
	    .qty = QTY(lots * 1000)};
	struct gwhl_now t = now();

	gwhl_act(k.g, &a, &t);
}

static inline void
flush(void)
{
	struct gwhl_now t = now();

	gwhl_flush(k.g, &t);
}

static inline void
act(enum port_do what, uint64_t id, int64_t lots)
{
	act_full(what, id, lots, TIF_GTC, PX(84000 * E8));
	flush();
}

static inline void
last(enum port_ev what, enum reason why)
{
	assert_true(k.ev_n > 0);
	assert_int_equal(k.ev[k.ev_n - 1].what, what);
	assert_int_equal(k.ev[k.ev_n - 1].reason, why);
	assert_int_equal(k.ev[k.ev_n - 1].slot, 5);
}

#endif

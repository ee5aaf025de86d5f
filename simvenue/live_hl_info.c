/* Hyperliquid, live: what anybody may ask of the market. */
#include <string.h>

#include "simvenue/live_hl_int.h"

#define HOUR_MS	     UINT64_C(3600000)
#define FUNDINGS_MAX 500u

void
live_hl_put_meta(struct text *t, const struct hlx *x)
{
	text_lit(t, "{\"universe\":[");
	for (uint32_t i = 0; i < HLX_COINS && x->coin[i].used; i++) {
		const struct hlx_terms *c = &x->coin[i].terms;

		text_lit(t, i > 0 ? ",{\"szDecimals\":" : "{\"szDecimals\":");
		put_i64(t, c->sz_decimals);
		text_lit(t, ",\"name\":\"");
		text_lit(t, c->name);
		text_lit(t, "\",\"maxLeverage\":");
		put_i64(t, c->leverage);
		text_lit(t, ",\"marginTableId\":56}");
	}
	text_lit(t, "],\"marginTables\":[[56,{\"description\":\"\","
		    "\"marginTiers\":[{\"lowerBound\":\"0.0\",\"maxLeverage\":"
		    "40}]}]],\"collateralToken\":0}");
}

void
live_hl_put_mids(struct text *t, const struct hlx *x)
{
	text_lit(t, "{");
	for (uint32_t i = 0; i < HLX_COINS && x->coin[i].used; i++) {
		text_lit(t, i > 0 ? ",\"" : "\"");
		text_lit(t, x->coin[i].terms.name);
		text_lit(t, "\":\"");
		put_e8(t, hl_mid(x, i).e8, 1);
		text_lit(t, "\"");
	}
	text_lit(t, "}");
}

void
live_hl_put_contexts(struct text *t, const struct hlx *x)
{
	text_lit(t, "[");
	for (uint32_t i = 0; i < HLX_COINS && x->coin[i].used; i++) {
		text_lit(t, i > 0 ? "," : "");
		hl_say_ctx(x, i, t);
	}
	text_lit(t, "]");
}

void
live_hl_put_candle(struct text *t, const struct live_candle *c)
{
	const struct candle *k = c->candle;
	const struct {
		const char *key;
		int64_t e8;
	} parts[] = {{"o", k->open.e8}, {"c", k->close.e8}, {"h", k->high.e8},
	    {"l", k->low.e8}, {"v", k->qty.e8}};

	text_lit(t, "{\"t\":");
	put_i64(t, (int64_t)k->open_ms);
	text_lit(t, ",\"T\":");
	put_i64(t, (int64_t)(k->open_ms + c->ms - 1));
	text_lit(t, ",\"s\":\"");
	text_lit(t, c->coin);
	text_lit(t, "\",\"i\":\"");
	text_lit(t, c->interval);
	text_lit(t, "\"");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		text_lit(t, ",\"");
		text_lit(t, parts[i].key);
		text_lit(t, "\":\"");
		put_e8(t, parts[i].e8, 1);
		text_lit(t, "\"");
	}
	text_lit(t, ",\"n\":");
	put_i64(t, (int64_t)k->trade_n);
	text_lit(t, "}");
}

/* ---- questions ---- */

struct question {
	struct live_hl *s;
	struct text *t;
	struct json_str type;
	struct json_str coin;
	struct json_str interval;
	uint64_t start_ms;
	uint64_t end_ms;
};

/* Members of the question, or of its "req". */
static bool
read_members(struct question *q, struct json_str in, struct json_str *nested)
{
	struct json_str key;
	struct json j;

	json_init(&j, in.s, in.n);
	json_object(&j);
	while (json_key(&j, &key))
		if (json_is(key, "type"))
			json_string(&j, &q->type);
		else if (json_is(key, "coin"))
			json_string(&j, &q->coin);
		else if (json_is(key, "interval"))
			json_string(&j, &q->interval);
		else if (json_is(key, "startTime"))
			json_u64(&j, &q->start_ms);
		else if (json_is(key, "endTime") &&
			 json_peek(&j) == JSON_NUMBER)
			json_u64(&j, &q->end_ms);
		else if (json_is(key, "req"))
			json_raw(&j, nested);
		else
			json_skip(&j);
	return json_end(&j);
}

static bool
is_btc(const struct question *q)
{
	const char *name = q->s->live->w.hlx.coin[0].terms.name;

	return q->coin.n == strlen(name) &&
	       memcmp(q->coin.s, name, q->coin.n) == 0;
}

static void
say_meta(struct question *q)
{
	live_hl_put_meta(q->t, &q->s->live->w.hlx);
}

static void
say_contexts(struct question *q)
{
	text_lit(q->t, "[");
	say_meta(q);
	text_lit(q->t, ",");
	live_hl_put_contexts(q->t, &q->s->live->w.hlx);
	text_lit(q->t, "]");
}

static void
say_mids(struct question *q)
{
	live_hl_put_mids(q->t, &q->s->live->w.hlx);
}

static void
say_dexs(struct question *q)
{
	text_lit(q->t, "[null]");
}

static void
say_spot(struct question *q)
{
	text_lit(q->t, "{\"tokens\":[{\"name\":\"USDC\",\"szDecimals\":8,"
		       "\"weiDecimals\":8,\"index\":0,\"tokenId\":"
		       "\"0x6d1e7cde53ba9467b783cb7c530ce054\","
		       "\"isCanonical\":true,\"evmContract\":null,"
		       "\"fullName\":null}],\"universe\":[]}");
}

static void
say_spot_contexts(struct question *q)
{
	text_lit(q->t, "[");
	say_spot(q);
	text_lit(q->t, ",[]]");
}

static void
say_nothing(struct question *q)
{
	text_lit(q->t, "null");
}

static void
say_trades(struct question *q)
{
	if (is_btc(q))
		world_put_recent(&q->s->live->w, q->t);
	else
		text_lit(q->t, "null");
}

static void
say_candles(struct question *q)
{
	struct candle *held = q->s->candles;
	struct candle_query ask = {
	    .interval_ms = candle_ms(q->interval.s, q->interval.n),
	    .from_ms = q->start_ms,
	    .to_ms = q->end_ms};
	char name[CANDLE_NAME_MAX + 1] = "";
	uint32_t n = 0;

	if (is_btc(q) && ask.interval_ms != 0) {
		memcpy(name, q->interval.s, q->interval.n);
		n = candles_get(
		    &q->s->live->w.hl_candles, &ask, held, CANDLES_MAX);
	}
	text_lit(q->t, "[");
	for (uint32_t i = 0; i < n; i++) {
		text_lit(q->t, i > 0 ? "," : "");
		live_hl_put_candle(q->t, &(struct live_candle){&held[i], "BTC",
					     name, ask.interval_ms});
	}
	text_lit(q->t, "]");
}

/* The rate of the hours that were asked for: it is always the same. */
static void
say_rates(struct question *q)
{
	const struct world *w = &q->s->live->w;
	uint64_t now_ms = w->now_ns / (uint64_t)NS_PER_MS;
	uint64_t end_ms =
	    q->end_ms != 0 && q->end_ms < now_ms ? q->end_ms : now_ms;
	uint64_t ms = (q->start_ms + HOUR_MS - 1) / HOUR_MS * HOUR_MS;

	text_lit(q->t, "[");
	for (uint32_t n = 0; is_btc(q) && ms <= end_ms && n < FUNDINGS_MAX;
	     n++, ms += HOUR_MS) {
		text_lit(q->t, n > 0 ? "," : "");
		text_lit(q->t, "{\"coin\":\"BTC\",\"fundingRate\":\"");
		put_e8(q->t, w->hlx.coin[0].funding_e12 / 10000, 1);
		text_lit(q->t, "\",\"premium\":\"0.0\",\"time\":");
		put_i64(q->t, (int64_t)ms);
		text_lit(q->t, "}");
	}
	text_lit(q->t, "]");
}

bool
live_hl_info(void *user, const char *body, size_t n, struct text *out)
{
	static const struct {
		const char *type;
		void (*answer)(struct question *q);
	} known[] = {{"meta", say_meta}, {"metaAndAssetCtxs", say_contexts},
	    {"allMids", say_mids}, {"perpDexs", say_dexs},
	    {"spotMeta", say_spot}, {"spotMetaAndAssetCtxs", say_spot_contexts},
	    {"recentTrades", say_trades}, {"candleSnapshot", say_candles},
	    {"fundingHistory", say_rates}, {"subAccounts", say_nothing}};
	const struct json_str whole = {.s = body, .n = (uint32_t)n};
	struct question q = {.s = user, .t = out};
	struct json_str nested = {0};

	if (!read_members(&q, whole, &nested) ||
	    (nested.n > 0 && !read_members(&q, nested, &nested)))
		return false;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (q.type.n != strlen(known[i].type) ||
		    memcmp(q.type.s, known[i].type, q.type.n) != 0)
			continue;
		known[i].answer(&q);
		return true;
	}
	return false;
}

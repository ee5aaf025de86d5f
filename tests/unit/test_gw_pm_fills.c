/* links: execd libvenue libsign libsys libshm libcore */
/*
 * The reference vectors of own fills: a trade message in, what we got out,
 * told in every status, once and thrice.
 */
#include "tests/unit/gwpmkit.h"

#include "libcore/json.h"

#define FILE_MAX ((size_t)4 << 20)

static char *vectors;
static size_t vectors_n;
static unsigned checked;

/* RM_VECTORS or ../shared/venues/vectors, as for the signatures. */
static bool
load(void)
{
	const char *root = getenv("RM_VECTORS");
	char path[900];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/polymarket.json",
	    root != NULL ? root : "../shared/venues/vectors");
	f = fopen(path, "rb");
	if (f == NULL) {
		printf("# skipped: no %s (set RM_VECTORS)\n", path);
		return false;
	}
	vectors = malloc(FILE_MAX);
	assert_non_null(vectors);
	vectors_n = fread(vectors, 1, FILE_MAX, f);
	(void)fclose(f);
	return true;
}

struct want {
	char order[PM_ID_TEXT_MAX];
	bool is_yes;
	bool is_buy;
	bool is_maker;
	px_t px;
	qty_t qty;
};

static void
text_of(struct json *j, char *out, size_t cap)
{
	struct json_str s;

	assert_true(json_string(j, &s));
	assert_true(s.n < cap);
	memcpy(out, s.s, s.n);
	out[s.n] = '\0';
}

static struct want
read_want(struct json *j)
{
	struct want w = {0};
	struct json_str key;
	char buf[128];

	assert_true(json_object(j));
	while (json_key(j, &key)) {
		if (json_is(key, "qty")) {
			assert_true(json_e8(j, QTY_E8_MAX, &w.qty.e8));
			continue;
		}
		if (json_is(key, "price")) {
			assert_true(json_e8(j, E8, &w.px.e8));
			continue;
		}
		text_of(j, buf, sizeof(buf));
		if (json_is(key, "order_id"))
			memcpy(w.order, buf, sizeof(w.order));
		else if (json_is(key, "asset_id"))
			w.is_yes = strcmp(buf, KIT_YES) == 0;
		else if (json_is(key, "side"))
			w.is_buy = strcmp(buf, "BUY") == 0;
		else if (json_is(key, "liquidity"))
			w.is_maker = strcmp(buf, "MAKER") == 0;
	}
	return w;
}

static void
same(const struct want *w, const struct port_event *ev)
{
	bool is_bid = w->is_buy == w->is_yes;

	assert_int_equal(ev->what, PORT_FILLED);
	assert_int_equal(ev->side, is_bid ? SIDE_BID : SIDE_ASK);
	assert_int_equal(
	    ev->px.e8, w->is_yes ? w->px.e8 : px_complement(w->px).e8);
	assert_int_equal(ev->qty.e8, w->qty.e8);
	assert_int_equal(ev->is_maker, w->is_maker);
	assert_int_equal(ev->usd.e6 > 0, !w->is_maker);
	checked++;
}

/* The trade three times; the fills once, in the order of the vectors. */
static void
one_vector(struct json_str trade, struct json_str fills)
{
	struct json j;
	unsigned n = 0;

	kit_begin(NULL);
	kit.ev_n = 0;
	for (int i = 0; i < 3; i++)
		gwpm_user_text(&kit.g, trade.s, trade.n, &kit.now);
	json_init(&j, fills.s, fills.n);
	assert_true(json_array(&j));
	while (json_item(&j)) {
		struct want w = read_want(&j);

		while (n < kit.ev_n && kit.ev[n].what == PORT_CONFIRMED)
			n++;
		assert_true(n < kit.ev_n);
		same(&w, &kit.ev[n++]);
	}
	while (n < kit.ev_n)
		assert_int_equal(kit.ev[n++].what, PORT_CONFIRMED);
	kit_end(NULL);
}

static void
read_vectors(struct json *j)
{
	struct json_str key;

	assert_true(json_array(j));
	while (json_item(j)) {
		struct json_str trade = {0};
		struct json_str fills = {0};

		assert_true(json_object(j));
		while (json_key(j, &key)) {
			if (json_is(key, "trade"))
				json_raw(j, &trade);
			else if (json_is(key, "expected_fills"))
				json_raw(j, &fills);
			else
				json_skip(j);
		}
		one_vector(trade, fills);
	}
}

static void
T_16_T_17_fills_are_those_of_the_vectors(void **state)
{
	struct json_str key;
	struct json j;

	(void)state;
	if (!load()) {
		skip();
		return;
	}
	json_init(&j, vectors, vectors_n);
	assert_true(json_object(&j));
	while (json_key(&j, &key)) {
		if (json_is(key, "fills"))
			read_vectors(&j);
		else
			json_skip(&j);
	}
	assert_true(json_end(&j));
	assert_true(checked >= 6);
	free(vectors);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(T_16_T_17_fills_are_those_of_the_vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* links: execd libvenue libsign libsys libshm libcore */
/*
 * kill -9 at any instruction: a child handles one word of the venue, or one
 * act, while it is stepped instruction by instruction; each state that its
 * book was ever in is given to a new life, which must come to what is true.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "execd/gw_hl_int.h"
#include "libcore/check.h"
#include "tests/unit/gwhlkit.h"

#define STEPS	 1000000u
#define SHADOW_N 4u /* orders that the tests have at most */

/* What is true at the venue at the end. */
struct truth {
	const char *fill_qty; /* of oid 7, "" none */
	const char *left;     /* rests, "" does not */
	const char *status;
	uint64_t oid;
	bool may_be_absent; /* the bytes need not have left */
};

static struct gwhl_book *shared;
static volatile uint32_t *left_n; /* frames that left the child */

static bool is_child;

static enum reason
counting_ws(void *user, const char *text, size_t n, bool places)
{
	(*left_n)++;
	if (is_child)
		raise(SIGSTOP);
	return on_ws(user, text, n, places);
}

static int
setup_shared(void **state)
{
	(void)setup_only(state);
	free(k.book);
	shared = mmap(NULL, sizeof(*shared) + 64, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(shared != MAP_FAILED);
	left_n = (volatile uint32_t *)(shared + 1);
	k.book = shared;
	k.sink.ws = counting_ws;
	again();
	to_link();
	to_normal("[]");
	assert_int_equal(k.mode, PORT_NORMAL);
	*left_n = 0;
	k.ev_n = 0;
	k.out_n = 0;
	return 0;
}

static int
teardown_shared(void **state)
{
	(void)state;
	munmap(shared, sizeof(*shared) + 64);
	secp_close(&k.secp);
	free(k.g);
	return 0;
}

/* ---- a life after ---- */

/* The questions that a new life asks, answered from the truth. */
static void
open_text(const struct truth *t, char out[600])
{
	char cloid[HL_CLOID_TEXT_MAX];

	cloid_text(ID, cloid);
	(void)snprintf(out, 600,
	    t->left[0] == '\0'
		? "[]"
		: "[{\"coin\":\"BTC\",\"side\":\"B\",\"limitPx\":\"84000.0\","
		  "\"sz\":\"%s\",\"oid\":%llu,\"timestamp\":1,\"origSz\":"
		  "\"0.001\",\"cloid\":\"%s\"}]",
	    t->left, (unsigned long long)t->oid, cloid);
}

static void
fills_text(const struct truth *t, char out[1000])
{
	char cloid[HL_CLOID_TEXT_MAX];

	cloid_text(ID, cloid);
	(void)snprintf(out, 1000,
	    t->fill_qty[0] == '\0'
		? "[]"
		: "[{\"coin\":\"BTC\",\"px\":\"84000.0\",\"sz\":\"%s\","
		  "\"side\":\"B\",\"time\":%llu,\"startPosition\":\"0.0\","
		  "\"dir\":\"x\",\"closedPnl\":\"0.0\",\"hash\":\"0x\","
		  "\"oid\":7,\"crossed\":false,\"fee\":\"0.0\",\"tid\":1,"
		  "\"cloid\":\"%s\",\"feeToken\":\"USDC\",\"twapId\":null}]",
	    t->fill_qty, (unsigned long long)NOW_MS + 1000, cloid);
}

static void
status_text(const struct truth *t, char out[600])
{
	char cloid[HL_CLOID_TEXT_MAX];

	cloid_text(ID, cloid);
	(void)snprintf(out, 600,
	    t->status == NULL
		? "{\"status\":\"unknownOid\"}"
		: "{\"status\":\"order\",\"order\":{\"order\":{\"coin\":"
		  "\"BTC\",\"side\":\"B\",\"limitPx\":\"84000.0\",\"sz\":"
		  "\"%s\",\"oid\":%llu,\"timestamp\":1,\"origSz\":\"0.001\","
		  "\"cloid\":\"%s\"},\"status\":\"%s\",\"statusTimestamp\":1}}",
	    t->left[0] != '\0'	     ? t->left
	    : t->fill_qty[0] != '\0' ? "0.0"
				     : "0.001",
	    (unsigned long long)t->oid, cloid, t->status);
}

static void
answer_one(const struct truth *t, const char *body, uint64_t tag)
{
	struct gwhl_answer a = {.tag = tag, .status = 200};
	struct gwhl_now at = now();
	char text[1000] = "[]";

	if (strstr(body, "exchangeStatus") != NULL)
		(void)snprintf(text, sizeof(text), "{\"time\":%llu}",
		    (unsigned long long)k.ms);
	else if (strstr(body, "userRateLimit") != NULL)
		(void)snprintf(text, sizeof(text),
		    "{\"cumVlm\":\"1.0\",\"nRequestsUsed\":10,"
		    "\"nRequestsCap\":10000,\"nRequestsSurplus\":0}");
	else if (strstr(body, "clearinghouseState") != NULL)
		(void)snprintf(text, sizeof(text),
		    "{\"marginSummary\":{\"accountValue\":\"179.0\"},"
		    "\"assetPositions\":[],\"time\":1}");
	else if (strstr(body, "frontendOpenOrders") != NULL)
		open_text(t, text);
	else if (strstr(body, "userFillsByTime") != NULL)
		fills_text(t, text);
	else if (strstr(body, "orderStatus") != NULL)
		status_text(t, text);
	a.body = text;
	a.n = strlen(text);
	gwhl_answer(k.g, &a, &at);
}

static void
answer_all(const struct truth *t)
{
	for (uint32_t i = 0; i < k.out_n; i++)
		if (k.out[i].tag != 0)
			answer_one(t, k.out[i].body, k.out[i].tag);
	k.out_n = 0;
}

static uint32_t
told(enum port_ev what)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < k.ev_n; i++)
		n += k.ev[i].what == what && k.ev[i].id == ID;
	return n;
}

static void
comes_to_the_truth(const struct truth *t)
{
	const struct gwhl_order *o;
	uint64_t resyncs = 0;

	k.ev_n = 0;
	k.out_n = 0;
	k.mode = 0;
	k.ms = NOW_MS + 2000;
	again();
	to_link();
	k.out[0] = k.out[k.out_n - 1]; /* the rest is answered */
	k.out_n = 1;
	for (uint32_t i = 0; i < 12; i++) {
		answer_all(t);
		resyncs = k.g->stat.resyncs;
		timer(1000);
	}
	answer_all(t);
	assert_int_equal(k.mode, PORT_NORMAL);
	/* Nothing is missing that would be looked for again and again. */
	assert_int_equal(k.g->stat.resyncs, resyncs);
	assert_int_equal(told(PORT_FILLED), t->fill_qty[0] != '\0');
	o = gwhl_find(k.g, ID);
	if (t->left[0] == '\0' || o == NULL) {
		assert_true(gwhl_flat(k.g));
		assert_true(o != NULL || t->may_be_absent);
		return;
	}
	assert_int_equal(o->state, GWHL_LIVE);
	assert_int_equal(o->oid, t->oid);
	assert_int_equal(o->done.e8, t->fill_qty[0] == '\0' ? 0 : 40000);
}

/* ---- stepping ---- */

/* The parts of the book that are not made anew, as far as they are used. */
static bool
differs(const struct gwhl_book *a, const struct gwhl_book *b)
{
	return memcmp(a, b, offsetof(struct gwhl_book, key_ring)) != 0 ||
	       memcmp(a->key_ring, b->key_ring, 8 * sizeof(uint64_t)) != 0 ||
	       memcmp(&a->undo_at, &b->undo_at,
		   offsetof(struct gwhl_book, order) -
		       offsetof(struct gwhl_book, undo_at) +
		       SHADOW_N * sizeof(a->order[0])) != 0;
}

static void
a_life_from(const struct gwhl_book *image, const struct truth *t, bool left)
{
	static struct gwhl_book copy;
	struct gwhl *g = k.g;
	struct truth now = *t;
	uint32_t had = *left_n; /* by the child */

	memcpy(&copy, image, sizeof(copy));
	k.book = &copy;
	k.g = calloc(1, sizeof(*k.g));
	assert_non_null(k.g);
	/* Until the bytes have left nothing is at the venue. */
	if (t->may_be_absent && !left) {
		now.left = "";
		now.status = NULL;
	}
	now.may_be_absent = t->may_be_absent && !left;
	comes_to_the_truth(&now);
	free(k.g);
	k.g = g;
	k.book = shared;
	*left_n = had;
}

static void
child(void (*word)(void))
{
	is_child = true;
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(77);
	raise(SIGSTOP);
	word();
	_exit(0);
}

/* Each state of the book while the child does it. */
static void
at_any_instruction(void (*word)(void), const struct truth *t)
{
	static struct gwhl_book last;
	uint64_t nonce = shared->nonce;
	uint32_t images = 0;
	int status;
	pid_t pid;

	memcpy(&last, shared, sizeof(last));
	pid = fork();
	if (pid == 0)
		child(word);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFSTOPPED(status)) {
		print_message("# skipped: processes cannot be traced here\n");
		skip();
	}
	for (uint32_t i = 0; i < STEPS; i++) {
		/* Signing takes a million instructions, none of them here. */
		bool signs = shared->nonce != nonce && *left_n == 0;

		assert_int_equal(ptrace(signs ? PTRACE_CONT : PTRACE_SINGLESTEP,
				     pid, NULL, NULL),
		    0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFSTOPPED(status))
			break;
		if (!differs(&last, shared))
			continue;
		memcpy(&last, shared, sizeof(last));
		a_life_from(&last, t, *left_n > 0);
		images++;
	}
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_true(images > 5);
	print_message("# %u states\n", images);
}

/* ---- what is done meanwhile ---- */

static void
rests(void)
{
	act(PORT_PLACE, ID, 100);
	statuses(post_of("Alo"), "{\"resting\":{\"oid\":7}}");
}

static void
part(void)
{
	fill(ID, 7, 1, "0.0004", "0.0");
}

static void
whole(void)
{
	fill(ID, 7, 1, "0.001", "0.0");
}

static void
place_it(void)
{
	act(PORT_PLACE, ID, 100);
}

static void
cancelled(void)
{
	update(ID, 7, "0.001", "canceled");
}

static void
change_it(void)
{
	update(ID, 7, "0.001", "canceled");
	update(ID, 8, "0.001", "open");
}

static void
T_28_a_fill_is_booked_whole_or_not_at_all(void **state)
{
	static const struct truth t = {"0.0004", "0.0006", "open", 7, false};

	(void)state;
	rests();
	at_any_instruction(part, &t);
}

static void
T_28_a_last_fill_ends_its_order(void **state)
{
	static const struct truth t = {"0.001", "", "filled", 7, false};

	(void)state;
	rests();
	at_any_instruction(whole, &t);
}

static void
T_42_what_may_have_left_is_remembered(void **state)
{
	static const struct truth t = {"", "0.001", "open", 7, true};

	(void)state;
	at_any_instruction(place_it, &t);
}

static void
T_35_a_cancel_is_heard_again(void **state)
{
	static const struct truth t = {"", "", "canceled", 7, false};

	(void)state;
	rests();
	at_any_instruction(cancelled, &t);
}

static void
T_37_a_change_is_heard_again(void **state)
{
	static const struct truth t = {"", "0.001", "open", 8, false};

	(void)state;
	rests();
	act(PORT_REDUCE, ID, 100);
	at_any_instruction(change_it, &t);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup_shared, teardown_shared)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(T_28_a_fill_is_booked_whole_or_not_at_all),
	    T(T_28_a_last_fill_ends_its_order),
	    T(T_42_what_may_have_left_is_remembered),
	    T(T_35_a_cancel_is_heard_again),
	    T(T_37_a_change_is_heard_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

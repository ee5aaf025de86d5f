/* links: libshm libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <sys/stat.h>

#include "libcore/hash.h"
#include "libshm/ring.h"
#include "libshm/slots.h"
#include "tests/unit/shmdir.h"

static const struct ring_def md = {
    "t.md", ST_FEEDD_PM, ST_QUOTED, RING_FULL_DROP, RING_TOP, 64, 256};
static const struct ring_def msg = {
    "t.msg", ST_QUOTED, ST_RISKD, RING_FULL_NEWEST, RING_MSG, 128, 16};
static const struct ring_def tap = {
    "t.tap", ST_QUOTED, ST_RECORDERD, RING_FULL_TAP, RING_MSG, 128, 1024};

static struct shmdir dir;
static struct err err;

static int
setup(void **state)
{
	(void)state;
	shmdir_open(&dir);
	assert_int_equal(ring_create(dir.fd, &md, 7, &err), 0);
	assert_int_equal(ring_create(dir.fd, &msg, 7, &err), 0);
	assert_int_equal(ring_create(dir.fd, &tap, 7, &err), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	shmdir_close(&dir);
	return 0;
}

static struct ring
attach(const struct ring_def *def, enum ring_role role)
{
	struct ring r;

	assert_int_equal(ring_attach(&r, dir.fd, def, role, &err), 0);
	return r;
}

/* A slot whose every word follows from i. */
static struct order
slot(uint64_t i)
{
	struct order o;
	uint64_t w[16];

	for (unsigned k = 0; k < 16; k++)
		w[k] = hash_u64(i, k);
	w[2] = 1000 + i;
	memcpy(&o, w, sizeof(o));
	return o;
}

static void
assert_slot(const struct ring *r, const void *got, uint64_t i)
{
	struct order want = slot(i);

	assert_non_null(got);
	assert_memory_equal((const char *)got + 8, (const char *)&want + 8,
	    r->def->slot_sz - 8);
}

static void
push(struct ring *r, uint64_t i)
{
	struct order o = slot(i);

	assert_true(ring_push(r, &o));
}

static void
take(struct ring *r, uint64_t i)
{
	assert_slot(r, ring_peek(r), i);
	ring_release(r);
}

static void
test_empty_and_full(void **state)
{
	struct ring p = attach(&msg, RING_PRODUCER);
	struct ring c = attach(&msg, RING_CONSUMER);
	struct ring_stat st;
	struct order o = slot(0);

	(void)state;
	assert_null(ring_peek(&c));
	for (uint64_t i = 0; i < 16; i++)
		push(&p, i);
	assert_false(ring_push(&p, &o));
	assert_null(ring_claim(&p));
	assert_int_equal(ring_room(&p, 4), 0);
	ring_stat(&p, &st);
	assert_int_equal(st.full_n, 3);
	assert_int_equal(st.published, 16);
	assert_int_equal(ring_used(&p), 16);
	for (uint64_t i = 0; i < 16; i++)
		take(&c, i);
	assert_null(ring_peek(&c));
	assert_int_equal(ring_used(&p), 0);
	assert_int_equal(ring_room(&p, 99), 16);
	ring_detach(&p);
	ring_detach(&c);
}

static void
test_in_place(void **state)
{
	struct ring p = attach(&md, RING_PRODUCER);
	struct ring c = attach(&md, RING_CONSUMER);
	void *a = ring_claim(&p);

	(void)state;
	assert_non_null(a);
	assert_ptr_equal(a, ring_claim(&p));
	for (uint64_t i = 0; i < 1000; i++) {
		struct order o = slot(i);
		char *s = ring_claim(&p);

		assert_non_null(s);
		memcpy(s + 8, (char *)&o + 8, 56);
		assert_null(ring_peek(&c));
		ring_publish(&p);
		assert_ptr_equal(((uintptr_t)s % 64), 0);
		take(&c, i);
	}
	ring_detach(&p);
	ring_detach(&c);
}

static void
test_batch(void **state)
{
	struct ring p = attach(&md, RING_PRODUCER);
	struct ring c = attach(&md, RING_CONSUMER);
	uint64_t n = 0;

	(void)state;
	for (uint32_t k = 1; k < 40; k++) {
		assert_int_equal(ring_room(&p, k), k);
		for (uint32_t j = 0; j < k; j++) {
			struct order o = slot(n + j);

			memcpy((char *)ring_slot_at(&p, j) + 8, (char *)&o + 8,
			    56);
			assert_null(ring_peek(&c));
		}
		ring_publish_n(&p, k);
		for (uint32_t j = 0; j < k; j++)
			take(&c, n++);
		assert_null(ring_peek(&c));
	}
	/* Fewer than were filled: the rest is written again later. */
	assert_int_equal(ring_room(&p, 3), 3);
	for (uint32_t j = 0; j < 3; j++)
		memset((char *)ring_slot_at(&p, j) + 8, 1, 56);
	ring_publish_n(&p, 1);
	ring_publish_n(&p, 0);
	assert_non_null(ring_peek(&c));
	ring_release(&c);
	assert_null(ring_peek(&c));
	ring_detach(&p);
	ring_detach(&c);
}

/* Batches and single slots with the ring often full. */
static void
test_room_at_the_rim(void **state)
{
	struct ring p = attach(&msg, RING_PRODUCER);
	struct ring c = attach(&msg, RING_CONSUMER);
	uint64_t in = 0;
	uint64_t out = 0;

	(void)state;
	for (int round = 0; round < 500; round++) {
		uint32_t n = ring_room(&p, 7);

		for (uint32_t j = 0; j < n; j++) {
			struct order o = slot(in + j);

			memcpy((char *)ring_slot_at(&p, j) + 8, (char *)&o + 8,
			    120);
		}
		ring_publish_n(&p, n);
		in += n;
		assert_true(in - out <= 16);
		for (int k = 0; k < 5 && out < in; k++)
			take(&c, out++);
	}
	assert_true(in > 2000);
	ring_detach(&p);
	ring_detach(&c);
}

static void
test_roles(void **state)
{
	struct ring p = attach(&md, RING_PRODUCER);
	struct ring o = attach(&md, RING_OBSERVER);
	struct ring c;
	struct ring x;
	struct ring_stat st;

	(void)state;
	assert_int_equal(
	    ring_attach(&x, dir.fd, &md, RING_PRODUCER, &err), -EBUSY);
	assert_non_null(strstr(err.text, "t.md"));
	assert_non_null(strstr(err.text, "producer"));
	ring_stat(&o, &st);
	assert_true(st.prod_held);
	assert_false(st.cons_held);
	c = attach(&md, RING_CONSUMER);
	assert_int_equal(
	    ring_attach(&x, dir.fd, &md, RING_CONSUMER, &err), -EBUSY);
	ring_detach(&p);
	ring_stat(&o, &st);
	assert_false(st.prod_held);
	assert_true(st.cons_held);
	p = attach(&md, RING_PRODUCER);
	ring_stat(&o, &st);
	assert_int_equal(st.prod_epoch, 2);
	assert_int_equal(st.cons_epoch, 1);
	ring_detach(&p);
	ring_detach(&c);
	ring_detach(&o);
}

/* Write a field of the file, expect a refusal with a code and a word. */
static void
assert_refused(size_t off, uint64_t value, size_t n, int code, const char *say)
{
	char path[128];
	uint64_t was;
	struct ring r;
	int fd;

	snprintf(path, sizeof(path), "%s/ring.t.md", dir.path);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &was, n, (off_t)off), n);
	assert_int_equal(pwrite(fd, &value, n, (off_t)off), n);
	assert_int_equal(
	    ring_attach(&r, dir.fd, &md, RING_CONSUMER, &err), code);
	if (strstr(err.text, say) == 0)
		fail_msg("\"%s\" lacks \"%s\"", err.text, say);
	assert_int_equal(pwrite(fd, &was, n, (off_t)off), n);
	close(fd);
	r = attach(&md, RING_CONSUMER);
	ring_detach(&r);
}

static void
test_refusals(void **state)
{
	struct ring r;
	char path[128];
	char link[128];
	struct ring_def other = md;

	(void)state;
	assert_refused(offsetof(struct shm_hdr, magic), 0, 8, -EINVAL, "magic");
	assert_refused(offsetof(struct shm_hdr, abi), 99, 4, -EPROTO, "ABI 99");
	assert_refused(
	    offsetof(struct shm_hdr, kind), SHM_CTL, 4, -EPROTO, "control");
	assert_refused(offsetof(struct shm_hdr, kind), 77, 4, -EPROTO, "unkn");
	assert_refused(
	    offsetof(struct shm_hdr, layout), 1, 8, -EPROTO, "layout");
	assert_refused(
	    offsetof(struct shm_hdr, size), 8, 8, -EMSGSIZE, "header says 8");
	assert_refused(
	    offsetof(struct shm_hdr, boot_id), 1, 8, -ESTALE, "boot");
	assert_refused(
	    offsetof(struct ring_shm, fix.depth), 512, 4, -EPROTO, "512 slots");
	assert_refused(offsetof(struct ring_shm, fix.slot_sz), 128, 4, -EPROTO,
	    "128 bytes");
	assert_refused(
	    offsetof(struct ring_shm, fix.reader), 0, 1, -EPROTO, "stage");
	snprintf(path, sizeof(path), "%s/ring.t.md", dir.path);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(
	    ring_attach(&r, dir.fd, &md, RING_CONSUMER, &err), -EPERM);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(truncate(path, 512 + 64 * 100), 0);
	assert_int_equal(
	    ring_attach(&r, dir.fd, &md, RING_CONSUMER, &err), -EMSGSIZE);
	assert_int_equal(truncate(path, 20), 0);
	assert_int_equal(
	    ring_attach(&r, dir.fd, &md, RING_OBSERVER, &err), -EMSGSIZE);
	other.name = "t.none";
	assert_int_equal(
	    ring_attach(&r, dir.fd, &other, RING_CONSUMER, &err), -ENOENT);
	snprintf(link, sizeof(link), "%s/ring.t.none", dir.path);
	assert_int_equal(symlink("ring.t.msg", link), 0);
	assert_int_equal(
	    ring_attach(&r, dir.fd, &other, RING_CONSUMER, &err), -ELOOP);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(mkfifo(link, 0600), 0);
	assert_int_equal(
	    ring_attach(&r, dir.fd, &other, RING_CONSUMER, &err), -EINVAL);
	assert_int_equal(ring_create(dir.fd, &msg, 7, &err), -EEXIST);
}

static void
test_lazy_by_content(void **state)
{
	struct ring c = attach(&md, RING_CONSUMER);

	(void)state;
	assert_int_equal(c.lazy, RING_LAZY_MD);
	ring_detach(&c);
	c = attach(&msg, RING_CONSUMER);
	assert_int_equal(c.lazy, RING_LAZY_MSG);
	ring_detach(&c);
	c = attach(&tap, RING_CONSUMER);
	assert_int_equal(c.lazy, RING_LAZY_MD);
	ring_detach(&c);
}

/* As if the process had been killed: no commit, locks gone. */
static void
drop(struct ring *r)
{
	shm_unmap(&r->map);
}

static void
test_consumer_dies(void **state)
{
	struct ring p = attach(&md, RING_PRODUCER);
	struct ring c = attach(&md, RING_CONSUMER);
	struct ring_stat st;

	(void)state;
	for (uint64_t i = 0; i < 100; i++)
		push(&p, i);
	for (uint64_t i = 0; i < 80; i++)
		take(&c, i);
	drop(&c);
	c = attach(&md, RING_CONSUMER);
	/* 64 were committed; 64..79 come again, maybe up to 127 were taken */
	for (uint64_t i = 64; i < 100; i++) {
		assert_true(ring_redelivered(&c));
		take(&c, i);
	}
	assert_null(ring_peek(&c));
	assert_false(ring_redelivered(&c));
	push(&p, 100);
	assert_false(ring_redelivered(&c));
	ring_stat(&c, &st);
	assert_int_equal(st.redelivered, 36);
	drop(&c);
	drop(&p);
}

static void
test_message_repeats_once(void **state)
{
	struct ring p = attach(&msg, RING_PRODUCER);
	struct ring c = attach(&msg, RING_CONSUMER);

	(void)state;
	for (uint64_t i = 0; i < 10; i++)
		push(&p, i);
	for (uint64_t i = 0; i < 4; i++)
		take(&c, i);
	assert_slot(&c, ring_peek(&c), 4);
	drop(&c);
	c = attach(&msg, RING_CONSUMER);
	assert_true(ring_redelivered(&c));
	take(&c, 4);
	assert_false(ring_redelivered(&c));
	take(&c, 5);
	drop(&c);
	drop(&p);
}

static void
test_manual_commit(void **state)
{
	struct ring p = attach(&msg, RING_PRODUCER);
	struct ring c = attach(&msg, RING_CONSUMER);

	(void)state;
	c.lazy = RING_LAZY_MANUAL;
	for (uint64_t i = 0; i < 16; i++)
		push(&p, i);
	for (uint64_t i = 0; i < 12; i++)
		take(&c, i);
	assert_int_equal(ring_room(&p, 99), 0);
	ring_detach(&c);
	c = attach(&msg, RING_CONSUMER);
	c.lazy = RING_LAZY_MANUAL;
	for (uint64_t i = 0; i < 5; i++) {
		assert_true(ring_redelivered(&c));
		take(&c, i);
	}
	ring_commit(&c);
	for (uint64_t i = 5; i < 9; i++)
		take(&c, i);
	drop(&c);
	c = attach(&msg, RING_CONSUMER);
	/* The stage's own state had been committed at 7. */
	ring_skip(&c, 7);
	assert_int_equal(ring_room(&p, 99), 7);
	ring_skip(&c, 3);
	take(&c, 7);
	ring_skip(&c, 1000);
	assert_int_equal(c.next, 16);
	assert_null(ring_peek(&c));
	drop(&c);
	drop(&p);
}

static void
test_producer_dies_unpublished(void **state)
{
	struct ring p = attach(&md, RING_PRODUCER);
	struct ring c = attach(&md, RING_CONSUMER);

	(void)state;
	for (uint64_t i = 0; i < 70; i++)
		push(&p, i);
	for (uint64_t i = 0; i < 60; i++)
		take(&c, i);
	memset((char *)ring_claim(&p) + 8, 0xee, 56);
	drop(&p);
	p = attach(&md, RING_PRODUCER);
	assert_int_equal(p.next, 70);
	for (uint64_t i = 70; i < 400; i++) {
		push(&p, i);
		take(&c, i - 10);
	}
	ring_detach(&p);
	ring_detach(&c);
}

/* Die in the middle of publishing a batch: its end carries sequence numbers,
 * its beginning does not. */
static void
test_producer_dies_in_batch(void **state)
{
	struct ring p = attach(&md, RING_PRODUCER);
	struct ring c = attach(&md, RING_CONSUMER);

	(void)state;
	for (uint64_t i = 0; i < 250; i++) {
		push(&p, i);
		take(&c, i);
	}
	ring_commit(&c);
	assert_int_equal(ring_room(&p, 10), 10);
	for (uint32_t k = 0; k < 10; k++)
		memset((char *)ring_slot_at(&p, k) + 8, 0xee, 56);
	for (uint64_t k = 9; k > 3; k--)
		atomic_store(ring_seq(&p, 250 + k), 250 + k + 1);
	drop(&p);
	assert_null(ring_peek(&c));
	p = attach(&md, RING_PRODUCER);
	assert_int_equal(p.next, 250);
	for (uint64_t i = 250; i < 254; i++) {
		push(&p, i);
		take(&c, i);
	}
	assert_null(ring_peek(&c));
	for (uint64_t i = 254; i < 600; i++) {
		push(&p, i);
		take(&c, i);
	}
	ring_detach(&p);
	ring_detach(&c);
}

static void
test_full_ring_both_die(void **state)
{
	struct ring p = attach(&msg, RING_PRODUCER);
	struct ring c = attach(&msg, RING_CONSUMER);

	(void)state;
	for (uint64_t i = 0; i < 16; i++)
		push(&p, i);
	for (uint64_t i = 0; i < 3; i++)
		take(&c, i);
	drop(&p);
	drop(&c);
	p = attach(&msg, RING_PRODUCER);
	assert_int_equal(p.next, 16);
	assert_int_equal(ring_room(&p, 99), 3);
	push(&p, 16);
	c = attach(&msg, RING_CONSUMER);
	for (uint64_t i = 3; i < 17; i++)
		take(&c, i);
	assert_null(ring_peek(&c));
	ring_detach(&p);
	ring_detach(&c);
}

static void
assert_tap(struct ring *o, uint64_t i)
{
	uint64_t lost;
	struct order copy;

	assert_int_equal(ring_tap_next(o, &copy, &lost), RING_TAP_OK);
	assert_int_equal(copy.hdr.seq, i + 1);
	assert_int_equal(lost, 0);
	assert_slot(o, &copy, i);
}

static void
test_observer(void **state)
{
	struct ring p = attach(&md, RING_PRODUCER);
	struct ring c = attach(&md, RING_CONSUMER);
	struct ring o = attach(&md, RING_OBSERVER);
	struct order copy;
	uint64_t lost;
	uint64_t at;

	(void)state;
	assert_int_equal(ring_tap_next(&o, &copy, &lost), RING_TAP_EMPTY);
	for (uint64_t i = 0; i < 100; i++)
		push(&p, i);
	for (uint64_t i = 0; i < 100; i++)
		assert_tap(&o, i);
	assert_int_equal(ring_tap_next(&o, &copy, &lost), RING_TAP_EMPTY);
	ring_tap_seek(&o, 30);
	assert_tap(&o, 70);
	for (uint64_t i = 100; i < 1000; i++) {
		take(&c, i - 100);
		push(&p, i);
	}
	at = o.next;
	assert_int_equal(ring_tap_next(&o, &copy, &lost), RING_TAP_OVERRUN);
	assert_true(lost > 0);
	assert_int_equal(o.next, at + lost);
	assert_true(o.next >= 1000 - 256);
	for (uint64_t i = o.next; i < 1000; i++)
		assert_tap(&o, i);
	ring_tap_seek(&o, 5000);
	assert_tap(&o, 1000 - 256);
	/* The oldest is being overwritten by a producer that dies. */
	ring_tap_seek(&o, 5000);
	assert_non_null(ring_claim(&p));
	drop(&p);
	assert_int_equal(ring_tap_next(&o, &copy, &lost), RING_TAP_OVERRUN);
	for (uint64_t i = o.next; i < 1000; i++)
		assert_tap(&o, i);
	assert_int_equal(ring_tap_next(&o, &copy, &lost), RING_TAP_EMPTY);
	ring_detach(&c);
	ring_detach(&o);
}

/* An observer never delivers what a dead producer had not published. */
static void
test_observer_and_unfinished_batch(void **state)
{
	struct ring p = attach(&msg, RING_PRODUCER);
	struct ring c = attach(&msg, RING_CONSUMER);
	struct ring o = attach(&msg, RING_OBSERVER);
	struct order copy;
	uint64_t lost;

	(void)state;
	for (uint64_t i = 0; i < 20; i++) {
		push(&p, i);
		take(&c, i);
	}
	ring_commit(&c);
	assert_int_equal(ring_room(&p, 8), 8);
	for (uint32_t k = 0; k < 8; k++)
		memset((char *)ring_slot_at(&p, k) + 8, 0xee, 120);
	for (uint64_t k = 7; k > 1; k--)
		atomic_store(ring_seq(&p, 20 + k), 20 + k + 1);
	/* o.next is 0; its slot was taken by 16, its data are gone. */
	for (int k = 0; k < 100; k++)
		if (ring_tap_next(&o, &copy, &lost) == RING_TAP_OK)
			assert_true(copy.hdr.seq <= 20);
	assert_int_equal(o.next, 20);
	ring_detach(&p);
	ring_detach(&c);
	ring_detach(&o);
}

static void
test_resync_and_counts(void **state)
{
	struct ring p = attach(&md, RING_PRODUCER);
	struct ring c = attach(&md, RING_CONSUMER);
	struct ring o = attach(&md, RING_OBSERVER);
	struct ring_stat st;

	(void)state;
	assert_false(ring_resync_asked(&p));
	ring_resync_ask(&c);
	ring_resync_ask(&c);
	assert_true(ring_resync_asked(&p));
	assert_false(ring_resync_asked(&p));
	ring_resync_ask(&c);
	drop(&p);
	p = attach(&md, RING_PRODUCER);
	assert_true(ring_resync_asked(&p));
	ring_count_dropped(&p, 3);
	ring_count_dropped(&p, 4);
	ring_count_gap(&c);
	for (uint64_t i = 0; i < 130; i++)
		push(&p, i);
	for (uint64_t i = 0; i < 70; i++)
		take(&c, i);
	ring_stat(&o, &st);
	assert_int_equal(st.dropped, 7);
	assert_int_equal(st.gaps, 1);
	assert_int_equal(st.published, 130);
	assert_int_equal(st.committed, 64);
	assert_int_equal(st.depth, 256);
	assert_int_equal(ring_used(&o), 66);
	assert_int_equal(ring_used(&c), 66);
	assert_true(st.last_ns != 0);
	ring_detach(&p);
	ring_detach(&c);
	ring_detach(&o);
}

static void
test_contracts(void **state)
{
	struct ring_def bad = md;
	struct ring p = attach(&md, RING_PRODUCER);
	struct ring r;

	(void)state;
	bad.name = "t.bad";
	bad.depth = 100;
	assert_check_fails(ring_create(dir.fd, &bad, 1, &err));
	bad.depth = 4;
	assert_check_fails(ring_create(dir.fd, &bad, 1, &err));
	bad.depth = 64;
	bad.slot_sz = 96;
	assert_check_fails(ring_create(dir.fd, &bad, 1, &err));
	assert_check_fails(
	    ring_attach(&r, dir.fd, &md, (enum ring_role)0, &err));
	assert_check_fails(ring_publish_n(&p, 257));
	assert_check_fails(ring_skip(&p, 1));
	ring_detach(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    T(test_empty_and_full),
	    T(test_in_place),
	    T(test_batch),
	    T(test_room_at_the_rim),
	    T(test_roles),
	    T(test_refusals),
	    T(test_lazy_by_content),
	    T(test_consumer_dies),
	    T(test_message_repeats_once),
	    T(test_manual_commit),
	    T(test_producer_dies_unpublished),
	    T(test_producer_dies_in_batch),
	    T(test_full_ring_both_die),
	    T(test_observer),
	    T(test_observer_and_unfinished_batch),
	    T(test_resync_and_counts),
	    T(test_contracts),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}

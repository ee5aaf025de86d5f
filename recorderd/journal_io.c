#define _GNU_SOURCE
#include "recorderd/journal_io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "libcore/check.h"

static int
posix_open(void *ctx, int dirfd, const char *name)
{
	int fd =
	    openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

	(void)ctx;
	return fd >= 0 ? fd : -errno;
}

static ssize_t
posix_pwrite(void *ctx, int fd, const void *buf, size_t n, uint64_t at)
{
	ssize_t w = pwrite(fd, buf, n, (off_t)at);

	(void)ctx;
	return w >= 0 ? w : -errno;
}

static int
posix_sync(void *ctx, int fd)
{
	(void)ctx;
	return fdatasync(fd) == 0 ? 0 : -errno;
}

static void
posix_push_out(void *ctx, int fd, uint64_t at, uint64_t n)
{
	(void)ctx;
	/* Advice: an error shows at the sync. */
	sync_file_range(fd, (off_t)at, (off_t)n, SYNC_FILE_RANGE_WRITE);
}

static int
posix_truncate(void *ctx, int fd, uint64_t len)
{
	(void)ctx;
	return ftruncate(fd, (off_t)len) == 0 ? 0 : -errno;
}

static int
posix_free_bytes(void *ctx, int dirfd, uint64_t *out)
{
	struct statvfs v;

	(void)ctx;
	if (fstatvfs(dirfd, &v) != 0)
		return -errno;
	*out = (uint64_t)v.f_bavail * v.f_frsize;
	return 0;
}

const struct journal_ops journal_posix = {
    .open = posix_open,
    .pwrite = posix_pwrite,
    .sync = posix_sync,
    .push_out = posix_push_out,
    .truncate = posix_truncate,
    .free_bytes = posix_free_bytes,
};

void
journal_name(char out[JOURNAL_NAME_SZ], const char *prefix, uint64_t session,
    uint32_t segment)
{
	int n = snprintf(out, JOURNAL_NAME_SZ, "%s-%016llx-%08u.rmj", prefix,
	    (unsigned long long)session, segment);

	CHECK(n < JOURNAL_NAME_SZ);
}

bool
journal_name_parse(
    const char *name, const char *prefix, uint64_t *session, uint32_t *segment)
{
	size_t n = strlen(prefix);
	char back[JOURNAL_NAME_SZ];
	char *end;

	if (strncmp(name, prefix, n) != 0 || name[n] != '-')
		return false;
	*session = strtoull(name + n + 1, &end, 16);
	if (*end != '-')
		return false;
	*segment = (uint32_t)strtoul(end + 1, &end, 10);
	journal_name(back, prefix, *session, *segment);
	return strcmp(name, back) == 0;
}

void
journal_io_init(struct journal_io *io, const struct journal_io_args *a,
    void *buf, size_t cap, uint64_t run_id, const struct journal_open *open)
{
	CHECK(a->ops != NULL);
	CHECK(strlen(a->prefix) < JOURNAL_NAME_SZ - 40);
	memset(io, 0, sizeof(*io));
	io->args = *a;
	io->fd = -1;
	journal_init(&io->j, buf, cap, run_id, open);
}

/* Remember the trouble and when to try again. Returns err. */
static int
fail(struct journal_io *io, int err, const struct journal_clock *now)
{
	CHECK(err < 0);
	io->err = err;
	io->retry_ns = now->mono_ns + (uint64_t)JOURNAL_RETRY;
	io->stat.errors++;
	return err;
}

static void
leave_segment(struct journal_io *io)
{
	close(io->fd);
	io->fd = -1;
	io->segment++;
	io->off = 0;
	io->partial = 0;
	io->pushed = 0;
	io->sync_due_ns = 0;
}

static int
check_space(struct journal_io *io, const struct journal_clock *now)
{
	uint64_t left = 0;

	if (io->args.min_free == 0 || now->mono_ns < io->space_due_ns)
		return 0;
	int rc =
	    io->args.ops->free_bytes(io->args.ops_ctx, io->args.dirfd, &left);

	if (rc != 0)
		return rc;
	if (left < (uint64_t)io->args.min_free)
		return -ENOSPC;
	io->space_due_ns = now->mono_ns + (uint64_t)JOURNAL_RETRY;
	return 0;
}

/* One write of all n bytes. Returns 0 or a negative errno; *done counts. */
static int
write_all(struct journal_io *io, const uint8_t *p, size_t n, uint64_t at,
    size_t *done)
{
	*done = 0;
	while (*done < n) {
		ssize_t w = io->args.ops->pwrite(
		    io->args.ops_ctx, io->fd, p + *done, n - *done, at + *done);

		if (w == -EINTR)
			continue;
		if (w <= 0)
			return w < 0 ? (int)w : -ENOSPC;
		*done += (size_t)w;
		io->stat.bytes += (uint64_t)w;
	}
	return 0;
}

/* Entries and configuration, wrapped in `block`. */
static int
write_wrapped(struct journal_io *io, uint8_t *block,
    const struct journal_head *what, const void *payload,
    const struct journal_clock *now)
{
	size_t done;

	memcpy(block + sizeof(*what), payload, what->payload_len);
	size_t len = journal_wrap(&io->j, block, what, now);
	int rc = write_all(io, block, len, io->off, &done);

	io->off += len;
	return rc;
}

static int
write_tables(
    struct journal_io *io, uint8_t *block, const struct journal_clock *now)
{
	const struct journal_io_args *a = &io->args;
	uint32_t n = a->entries_n != NULL ? *a->entries_n : 0;
	int rc = 0;

	for (uint32_t i = 0; i < n && rc == 0; i += JOURNAL_INSTR_MAX) {
		uint32_t m =
		    n - i < JOURNAL_INSTR_MAX ? n - i : JOURNAL_INSTR_MAX;
		struct journal_head what = {.kind = JOURNAL_ENTRY,
		    .count = m,
		    .payload_len =
			(uint32_t)(m * sizeof(struct journal_entry))};

		rc = write_wrapped(io, block, &what, a->entries + i, now);
	}
	if (rc == 0 && a->config_n != NULL && *a->config_n > 0) {
		struct journal_head what = {.kind = JOURNAL_CONFIG,
		    .count = 1,
		    .payload_len = *a->config_n};

		rc = write_wrapped(io, block, &what, a->config, now);
	}
	return rc;
}

/* OPEN, INSTR, ENTRY and CONFIG blocks: what a reader of this file alone must
 * know. */
static int
write_preamble(struct journal_io *io, const struct journal_clock *now)
{
	uint8_t block[JOURNAL_CFG_MAX + sizeof(struct journal_head) +
		      JOURNAL_ALIGN];
	uint32_t n = io->args.names_n != NULL ? *io->args.names_n : 0;
	size_t done;

	_Static_assert(
	    sizeof(block) >= JOURNAL_OPEN_SZ &&
		sizeof(block) >= JOURNAL_INSTR_SZ &&
		sizeof(block) >=
		    JOURNAL_INSTR_MAX * sizeof(struct journal_entry) + 256,
	    "one buffer");
	journal_open_block(&io->j, block, io->segment, now);
	int rc = write_all(io, block, JOURNAL_OPEN_SZ, 0, &done);

	io->off = JOURNAL_OPEN_SZ;
	for (uint32_t i = 0; i < n && rc == 0; i += JOURNAL_INSTR_MAX) {
		unsigned m =
		    n - i < JOURNAL_INSTR_MAX ? n - i : JOURNAL_INSTR_MAX;
		size_t len = journal_instr_block(
		    &io->j, block, io->args.names + i, m, now);

		rc = write_all(io, block, len, io->off, &done);
		io->off += len;
	}
	return rc == 0 ? write_tables(io, block, now) : rc;
}

static int
open_segment(struct journal_io *io, const struct journal_clock *now)
{
	journal_name(
	    io->name, io->args.prefix, io->j.open.session, io->segment);
	io->fd = io->args.ops->open(io->args.ops_ctx, io->args.dirfd, io->name);
	if (io->fd < 0) {
		int rc = io->fd;

		io->fd = -1;
		if (rc == -EEXIST)
			io->segment++;
		return rc;
	}
	int rc = write_preamble(io, now);

	if (rc != 0) {
		unlinkat(io->args.dirfd, io->name, 0);
		leave_segment(io);
		return rc;
	}
	io->partial = 0;
	io->opened_wall_ns = now->wall_ns;
	io->stat.segments++;
	return 0;
}

/* Trouble that passes by itself, in the same file. */
static bool
is_about_space(int err)
{
	return err == -ENOSPC || err == -EDQUOT || err == -EAGAIN;
}

static int
write_buffer(struct journal_io *io)
{
	size_t done;
	int rc = write_all(io, io->j.buf + io->partial, io->j.len - io->partial,
	    io->off + io->partial, &done);

	io->partial += done;
	size_t whole = journal_whole(&io->j, io->partial);

	journal_taken(&io->j, whole);
	io->off += whole;
	io->partial -= whole;
	if (io->off - io->pushed >= JOURNAL_PUSH) {
		io->args.ops->push_out(
		    io->args.ops_ctx, io->fd, io->pushed, io->off - io->pushed);
		io->pushed = io->off;
	}
	if (rc != 0 && !is_about_space(rc)) {
		/* A torn tail that cannot be cut is cut by recovery. */
		if (io->args.ops->truncate(io->args.ops_ctx, io->fd, io->off) !=
		    0)
			io->stat.errors++;
		leave_segment(io);
	}
	return rc;
}

static int
sync_segment(struct journal_io *io, const struct journal_clock *now)
{
	int rc = io->args.ops->sync(io->args.ops_ctx, io->fd);

	io->sync_due_ns = 0;
	io->stat.syncs++;
	if (rc == 0)
		return 0;
	/* What the kernel dropped cannot be known: go on in a new file. */
	leave_segment(io);
	return fail(io, rc, now);
}

int
journal_flush(struct journal_io *io, const struct journal_clock *now)
{
	int rc;

	if (io->err != 0 && now->mono_ns < io->retry_ns)
		return io->err;
	journal_seal(&io->j, now);
	if (io->j.len > 0) {
		rc = io->args.dirfd < 0 ? io->args.dir_err
					: check_space(io, now);
		if (rc == 0 && io->fd < 0)
			rc = open_segment(io, now);
		if (rc == 0)
			rc = write_buffer(io);
		if (rc != 0)
			return fail(io, rc, now);
		if (io->sync_due_ns == 0)
			io->sync_due_ns =
			    now->mono_ns + (uint64_t)io->args.sync_ns;
	}
	io->err = 0;
	if (io->sync_due_ns != 0 && now->mono_ns >= io->sync_due_ns)
		return sync_segment(io, now);
	return 0;
}

void
journal_put(struct journal_io *io, uint16_t tap, const union tap *slot,
    const struct journal_clock *now)
{
	if (journal_add(&io->j, tap, slot, now))
		return;
	int rc = journal_flush(io, now);

	if (journal_add(&io->j, tap, slot, now))
		return;
	journal_refuse(&io->j, tap, slot->hdr.seq, rc != 0 ? -rc : ENOBUFS);
}

int
journal_rotate(struct journal_io *io, const struct journal_clock *now,
    char done[JOURNAL_NAME_SZ])
{
	done[0] = '\0';
	int rc = journal_flush(io, now);

	if (rc != 0 || io->fd < 0)
		return rc;
	CHECK(journal_close(&io->j, now));
	rc = journal_flush(io, now);
	if (rc == 0 && io->sync_due_ns != 0)
		rc = sync_segment(io, now);
	if (rc != 0)
		return rc;
	memcpy(done, io->name, JOURNAL_NAME_SZ);
	leave_segment(io);
	return 0;
}

void
journal_reader_init(struct journal_reader *r, int fd, void *buf, size_t cap)
{
	CHECK(cap >= JOURNAL_BUF_MIN);
	memset(r, 0, sizeof(*r));
	r->fd = fd;
	r->buf = buf;
	r->cap = cap;
}

/* More bytes behind what is left; false at the end of the file. */
static bool
refill(struct journal_reader *r)
{
	memmove(r->buf, r->buf + r->pos, r->len - r->pos);
	r->len -= r->pos;
	r->pos = 0;
	while (!r->at_end && r->len < r->cap) {
		ssize_t n = read(r->fd, r->buf + r->len, r->cap - r->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			r->err = -errno;
		if (n <= 0)
			r->at_end = true;
		else
			r->len += (size_t)n;
	}
	return r->err == 0;
}

static void
note_block(
    struct journal_found *f, const uint8_t *p, const struct journal_head *h)
{
	struct journal_gap g;

	f->blocks++;
	f->run_id = h->run_id;
	f->closed = h->kind == JOURNAL_CLOSE;
	if (h->kind == JOURNAL_OPEN) {
		memcpy(&f->open, p + sizeof(*h), sizeof(f->open));
		f->has_open = true;
	} else if (h->kind == JOURNAL_SLOTS) {
		f->records += h->count;
		f->open.tap[h->tap].next_seq = h->first_seq + h->count;
	} else if (h->kind == JOURNAL_GAP) {
		memcpy(&g, p + sizeof(*h), sizeof(g));
		f->gaps++;
		f->lost += g.lost_n;
		f->open.tap[h->tap].next_seq = g.first_seq + g.lost_n;
	}
}

const uint8_t *
journal_next(struct journal_reader *r, struct journal_head *head)
{
	for (;;) {
		const uint8_t *p = r->buf + r->pos;
		size_t total = 0;
		enum journal_verdict v =
		    journal_check(p, r->len - r->pos, head, &total);

		if (v == JOURNAL_OK) {
			r->pos += total;
			r->found.bytes += total;
			r->found.bad_bytes += r->skipped;
			r->skipped = 0;
			note_block(&r->found, p, head);
			return p;
		}
		if (v == JOURNAL_SHORT && !r->at_end) {
			if (!refill(r))
				return NULL;
			continue;
		}
		if (r->len - r->pos < JOURNAL_ALIGN) {
			r->found.torn_bytes = r->skipped + (r->len - r->pos);
			return NULL;
		}
		r->pos += JOURNAL_ALIGN;
		r->skipped += JOURNAL_ALIGN;
	}
}

int
journal_recover(int dirfd, const char *name, void *buf, size_t cap,
    struct journal_found *found)
{
	struct journal_reader r;
	struct journal_head head;
	int fd = openat(dirfd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	int rc = 0;

	if (fd < 0)
		return -errno;
	journal_reader_init(&r, fd, buf, cap);
	while (journal_next(&r, &head) != NULL)
		;
	*found = r.found;
	rc = r.err;
	if (rc == 0 && found->torn_bytes > 0 &&
	    (ftruncate(fd, (off_t)(found->bytes + found->bad_bytes)) != 0 ||
		fdatasync(fd) != 0))
		rc = -errno;
	close(fd);
	return rc;
}

static int
id_cmp(const void *a, const void *b)
{
	const struct journal_id *x = a;
	const struct journal_id *y = b;

	if (x->session != y->session)
		return x->session < y->session ? -1 : 1;
	return x->segment < y->segment ? -1 : x->segment > y->segment;
}

int
journal_list(
    int dirfd, const char *prefix, struct journal_id *out, unsigned max)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *d;
	unsigned n = 0;

	if (dir == NULL) {
		int rc = -errno;

		if (fd >= 0)
			close(fd);
		return rc;
	}
	while ((d = readdir(dir)) != NULL) {
		struct journal_id id;

		if (!journal_name_parse(
			d->d_name, prefix, &id.session, &id.segment))
			continue;
		/* The list keeps the oldest: a newer one makes room. */
		if (n == max) {
			qsort(out, n, sizeof(*out), id_cmp);
			if (id_cmp(&id, &out[n - 1]) >= 0)
				continue;
			n--;
		}
		out[n++] = id;
	}
	closedir(dir);
	qsort(out, n, sizeof(*out), id_cmp);
	return (int)n;
}

static void
take_cursors(struct journal_open *open, const struct journal_found *f)
{
	for (unsigned i = 0; i < open->tap_n; i++) {
		struct journal_tap *t = &open->tap[i];

		for (unsigned k = 0; k < f->open.tap_n; k++) {
			const struct journal_tap *u = &f->open.tap[k];

			if (strncmp(t->name, u->name, sizeof(t->name)) == 0 &&
			    u->next_seq > t->next_seq)
				t->next_seq = u->next_seq;
		}
	}
}

int
journal_resume(const struct journal_resume_args *a, struct journal_open *open,
    struct journal_found *sum)
{
	struct journal_id *id = calloc(JOURNAL_LIST_MAX, sizeof(*id));
	int rc = -ENOMEM;

	memset(sum, 0, sizeof(*sum));
	int n = id == NULL
		    ? -ENOMEM
		    : journal_list(a->dirfd, a->prefix, id, JOURNAL_LIST_MAX);

	rc = n < 0 ? n : 0;
	for (int i = 0; i < n; i++) {
		char name[JOURNAL_NAME_SZ];
		struct journal_found f = {0};

		journal_name(name, a->prefix, id[i].session, id[i].segment);
		int one = journal_recover(a->dirfd, name, a->buf, a->cap, &f);

		if (a->each != NULL)
			a->each(a->ctx, name, &f, one);
		rc = rc == 0 ? one : rc;
		if (one != 0)
			continue;
		if (f.has_open && f.run_id == a->run_id)
			take_cursors(open, &f);
		sum->blocks += f.blocks;
		sum->records += f.records;
		sum->gaps += f.gaps;
		sum->lost += f.lost;
		sum->bytes += f.bytes;
		sum->bad_bytes += f.bad_bytes;
		sum->torn_bytes += f.torn_bytes;
	}
	free(id);
	return rc;
}

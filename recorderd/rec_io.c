#define _GNU_SOURCE
#include "recorderd/rec_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "libcore/check.h"
#include "libsys/clock.h"
#include "libsys/version.h"

/* Row group metadata of one file: enough for some hundred groups; then the
 * next file of the part is begun. */
#define META_SZ ((size_t)256 << 10)
#define FOOT_SZ (META_SZ + (size_t)64 * 1024)

/* ctx is a struct rec_file. Write-back begins early, so that the sync at the
 * end does not hold up the rings. */
static int
write_file(void *ctx, const void *data, size_t n)
{
	struct rec_file *f = ctx;
	const uint8_t *p = data;

	f->dirty += n;

	while (n > 0) {
		ssize_t w = write(f->fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return w < 0 ? -errno : -ENOSPC;
		p += w;
		n -= (size_t)w;
	}
	if (f->dirty >= JOURNAL_PUSH) {
		sync_file_range(f->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
		f->dirty = 0;
	}
	return 0;
}

/* mkdir -p of what path (below dirfd) names before its last slash. */
static int
make_parents(int dirfd, const char *path)
{
	char part[REC_PATH_SZ];

	for (const char *s = strchr(path, '/'); s != NULL;
	     s = strchr(s + 1, '/')) {
		size_t n = (size_t)(s - path);

		if (n == 0)
			continue;
		memcpy(part, path, n);
		part[n] = '\0';
		if (mkdirat(dirfd, part, 0755) != 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

static int
sync_parent(int dirfd, const char *path)
{
	char part[REC_PATH_SZ];
	const char *s = strrchr(path, '/');

	CHECK(s != NULL);
	memcpy(part, path, (size_t)(s - path));
	part[s - path] = '\0';
	int fd = openat(dirfd, part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	int rc = fsync(fd) == 0 ? 0 : -errno;

	close(fd);
	return rc;
}

/* The paths of file n of a part. */
static void
name_file(
    const struct rec_io *io, unsigned part, unsigned n, char *path, char *temp)
{
	int64_t hour = io->rec->part[part].hour;
	char when[CLOCK_DATE_SZ];
	char dir[128];
	char name[JOURNAL_NAME_SZ];

	clock_format_utc(
	    (uint64_t)i64_max(hour, 0) * 3600 * (uint64_t)NS_PER_S, when);
	when[10] = '\0';
	when[13] = '\0';
	snprintf(dir, sizeof(dir), "kind=%s/venue=%s/date=%s/hour=%s",
	    rec_schemas[rec_part_table(part)].kind,
	    rec_venue_name(rec_part_venue(part)), when, when + 11);
	snprintf(name, sizeof(name), "%s-%016llx-%08u-%u.parquet",
	    io->args.prefix, (unsigned long long)io->id.session, io->id.segment,
	    n);
	snprintf(path, REC_PATH_SZ, "%s/%s", dir, name);
	if (temp != NULL)
		snprintf(temp, REC_PATH_SZ, "%s/.%s.tmp", dir, name);
}

static int
begin_file(struct rec_io *io, unsigned part)
{
	struct rec_file *f = &io->file[part];
	const struct rec_schema *schema = &rec_schemas[rec_part_table(part)];
	struct pq_sink sink = {write_file, f};

	name_file(io, part, f->n, f->path, f->temp);
	f->dirty = 0;
	int rc = make_parents(io->dirfd, f->path);

	if (rc != 0)
		return rc;
	f->fd = openat(io->dirfd, f->temp,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (f->fd < 0)
		return -errno;
	return pq_begin(
	    &f->pq, schema->col, schema->col_n, &sink, f->meta, META_SZ);
}

static int
write_footer(struct rec_io *io, struct rec_file *f)
{
	const struct journal_open *o = &io->rec->open;
	char num[7][24];
	const struct pq_kv kv[] = {
	    {"writer", "recorderd " RINGMAKER_VERSION},
	    {"build", o->build},
	    {"host", o->host},
	    {"instance", o->instance},
	    {"config_hash", num[0]},
	    {"run_id", num[1]},
	    {"session", num[2]},
	    {"segment", num[3]},
	    {"gaps", io->rec->gaps},
	    {"gaps_n", num[4]},
	    {"lost_n", num[5]},
	    {"bad_n", num[6]},
	    {"kinds", io->rec->table_set == REC_ALL ? "all" : "some"},
	};

	snprintf(num[0], sizeof(num[0]), "%016llx",
	    (unsigned long long)o->config_hash);
	snprintf(num[1], sizeof(num[1]), "%016llx",
	    (unsigned long long)io->reader.found.run_id);
	snprintf(num[2], sizeof(num[2]), "%016llx",
	    (unsigned long long)io->id.session);
	snprintf(num[3], sizeof(num[3]), "%u", io->id.segment);
	snprintf(
	    num[4], sizeof(num[4]), "%llu", (unsigned long long)io->rec->gap_n);
	snprintf(num[5], sizeof(num[5]), "%llu",
	    (unsigned long long)io->rec->lost_n);
	snprintf(
	    num[6], sizeof(num[6]), "%llu", (unsigned long long)io->rec->bad_n);
	return pq_end(&f->pq, "ringmaker version " RINGMAKER_VERSION, kv,
	    sizeof(kv) / sizeof(kv[0]), io->foot, FOOT_SZ);
}

static int
end_file(struct rec_io *io, unsigned part)
{
	struct rec_file *f = &io->file[part];
	int rc = write_footer(io, f);

	if (rc == 0 && fsync(f->fd) != 0)
		rc = -errno;
	if (close(f->fd) != 0 && rc == 0)
		rc = -errno;
	f->fd = -1;
	if (rc == 0 && renameat(io->dirfd, f->temp, io->dirfd, f->path) != 0)
		rc = -errno;
	if (rc == 0)
		rc = sync_parent(io->dirfd, f->path);
	if (rc != 0) {
		unlinkat(io->dirfd, f->temp, 0);
		return rc;
	}
	io->stat.files++;
	io->stat.rows += f->pq.rows;
	io->stat.bytes += f->pq.offset;
	if (io->args.finished != NULL)
		io->args.finished(
		    io->args.ctx, f->path, f->pq.rows, f->pq.offset);
	f->n++;
	return 0;
}

static int
write_group(struct rec_io *io, unsigned part)
{
	struct rec_file *f = &io->file[part];
	struct pq_values val[PQ_COLS_MAX];
	uint32_t rows = io->rec->part[part].rows;
	int rc = f->fd < 0 ? begin_file(io, part) : 0;

	if (rc != 0)
		return rc;
	rec_columns(io->rec, part, val);
	rc = pq_group(&f->pq, io->scratch, val, rows);
	if (rc == -EOVERFLOW) {
		rc = end_file(io, part);
		if (rc == 0)
			rc = begin_file(io, part);
		if (rc == 0)
			rc = pq_group(&f->pq, io->scratch, val, rows);
	}
	if (rc == 0)
		rec_written(io->rec, part);
	return rc;
}

/* Files of an earlier try with other settings may have had more parts. */
static void
drop_stale(const struct rec_io *io, unsigned part, unsigned n)
{
	char path[REC_PATH_SZ];

	do {
		name_file(io, part, n++, path, NULL);
	} while (unlinkat(io->dirfd, path, 0) == 0);
}

static int
close_part(struct rec_io *io, unsigned part)
{
	struct rec_file *f = &io->file[part];
	int rc = 0;

	if (io->rec->part[part].rows > 0)
		rc = write_group(io, part);
	if (rc == 0 && f->fd >= 0)
		rc = end_file(io, part);
	if (rc != 0)
		return rc;
	drop_stale(io, part, f->n);
	f->n = 0;
	rec_closed(io->rec, part);
	return 0;
}

static int
carry_out(struct rec_io *io, const struct rec_out *out)
{
	for (unsigned i = 0; i < out->n; i++) {
		unsigned part = out->act[i].part;
		int rc = out->act[i].action == REC_GROUP ? write_group(io, part)
							 : close_part(io, part);

		if (rc != 0)
			return rc;
	}
	return 0;
}

static int
step(struct rec_io *io, const struct rec_event *ev)
{
	struct rec_out out;

	rec_step(io->rec, ev, &out);
	return out.n > 0 ? carry_out(io, &out) : 0;
}

static int
take_entries(
    struct rec_io *io, const uint8_t *p, const struct journal_head *head)
{
	struct journal_entry entry;
	struct rec_event ev = {
	    .kind = REC_EV_ENTRY, .head = head, .u.entry = &entry};
	int rc = 0;

	for (uint32_t i = 0; i < head->count && rc == 0; i++) {
		memcpy(&entry, p + sizeof(*head) + i * sizeof(entry),
		    sizeof(entry));
		rc = step(io, &ev);
	}
	return rc;
}

static int
take_config(
    struct rec_io *io, const uint8_t *p, const struct journal_head *head)
{
	struct rec_config c;
	struct journal_cfg j;
	struct rec_event ev = {
	    .kind = REC_EV_CONFIG, .head = head, .u.config = &c};
	const uint8_t *payload = p + sizeof(*head);
	size_t pos = sizeof(j);
	int rc = 0;

	memcpy(&j, payload, sizeof(j));
	c = (struct rec_config){.epoch = j.epoch, .at_ns = j.at_ns};
	while (rc == 0 && journal_cfg_next(payload, head->payload_len, &pos,
			      &c.key, &c.value)) {
		c.part = 0;
		do {
			rc = step(io, &ev);
			c.value += strnlen(c.value, REC_VALUE_SZ - 1);
			c.part++;
		} while (rc == 0 && *c.value != '\0');
	}
	return rc;
}

/* What a block says, event by event. */
static int
take_block(struct rec_io *io, const uint8_t *p, const struct journal_head *head)
{
	struct rec_event ev = {.kind = REC_EV_BLOCK, .head = head};
	int rc = step(io, &ev);
	struct journal_open open;
	struct journal_gap gap;
	struct journal_instr in[JOURNAL_INSTR_MAX];
	union tap slot;
	size_t pos = 0;

	if (rc != 0)
		return rc;
	switch ((enum journal_kind)head->kind) {
	case JOURNAL_OPEN:
		memcpy(&open, p + sizeof(*head), sizeof(open));
		ev.kind = REC_EV_OPEN;
		ev.u.open = &open;
		return step(io, &ev);
	case JOURNAL_GAP:
		memcpy(&gap, p + sizeof(*head), sizeof(gap));
		ev.kind = REC_EV_GAP;
		ev.u.gap = &gap;
		return step(io, &ev);
	case JOURNAL_INSTR:
		memcpy(in, p + sizeof(*head), head->payload_len);
		ev.kind = REC_EV_INSTR;
		ev.u.instr = in;
		return step(io, &ev);
	case JOURNAL_SLOTS:
		ev.kind = REC_EV_SLOT;
		ev.u.slot = &slot;
		while (rc == 0 && journal_slot(p, head, &pos, &slot))
			rc = step(io, &ev);
		return rc;
	case JOURNAL_ENTRY: return take_entries(io, p, head);
	case JOURNAL_CONFIG: return take_config(io, p, head);
	case JOURNAL_CLOSE: return rc;
	case JOURNAL_KIND_N: break;
	}
	CHECK(false);
	return 0;
}

/* Leave the segment as it is; nothing half-written stays. */
static void
abandon(struct rec_io *io)
{
	for (unsigned i = 0; i < REC_PARTS; i++) {
		struct rec_file *f = &io->file[i];

		if (f->fd >= 0) {
			close(f->fd);
			f->fd = -1;
			unlinkat(io->dirfd, f->temp, 0);
		}
		f->n = 0;
	}
	if (io->busy)
		close(io->reader.fd);
	io->busy = false;
	/* The pages of row buffers go back to the system. */
	madvise(io->mem, io->mem_sz, MADV_DONTNEED);
}

static int
finish_segment(struct rec_io *io)
{
	const struct journal_found *f = &io->reader.found;
	struct rec_event ev = {.kind = REC_EV_END};
	char damaged[JOURNAL_NAME_SZ + 16];
	int rc = step(io, &ev);

	if (rc != 0)
		return rc;
	snprintf(damaged, sizeof(damaged), "%s.damaged", io->name);
	if (f->bad_bytes > 0 || (f->blocks == 0 && f->torn_bytes > 0))
		rc = renameat(io->journal, io->name, io->journal, damaged);
	else
		rc = unlinkat(io->journal, io->name, 0);
	if (rc != 0 || fsync(io->journal) != 0)
		return -errno;
	io->stat.segments++;
	io->stat.gaps += io->rec->gap_n;
	io->stat.lost += io->rec->lost_n;
	io->stat.bad += io->rec->bad_n;
	return 0;
}

int
rec_io_begin(struct rec_io *io, const struct journal_id *id)
{
	CHECK(!io->busy);
	journal_name(io->name, io->args.prefix, id->session, id->segment);
	int fd =
	    openat(io->journal, io->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return -errno;
	io->id = *id;
	io->busy = true;
	journal_reader_init(&io->reader, fd, io->rbuf, JOURNAL_BUF_MIN);
	rec_init(io->rec, io->args.rows_max, io->mem);
	if (io->args.table_set != 0)
		io->rec->table_set = io->args.table_set | REC_ALWAYS;
	return 0;
}

int
rec_io_work(struct rec_io *io, unsigned n)
{
	struct journal_head head;
	int rc = 1;

	CHECK(io->busy);
	for (; n > 0 && rc == 1; n--) {
		const uint8_t *p = journal_next(&io->reader, &head);

		if (p != NULL)
			rc = take_block(io, p, &head);
		else
			rc = io->reader.err;
		if (rc == 0)
			rc = p != NULL ? 1 : finish_segment(io);
	}
	if (rc <= 0) {
		io->stat.errors += rc < 0;
		abandon(io);
	}
	return rc;
}

bool
rec_io_pending(const struct rec_io *io, uint64_t session, uint32_t current,
    struct journal_id *id)
{
	int n = journal_list(io->journal, io->args.prefix, id, 1);

	return n == 1 && (id->session != session || id->segment < current);
}

/* ---- opening ---- */

static int
lock_journal(struct rec_io *io, struct err *e)
{
	char name[JOURNAL_NAME_SZ];

	snprintf(name, sizeof(name), "%s.lock", io->args.prefix);
	int fd = openat(io->journal, name, O_RDWR | O_CREAT | O_CLOEXEC, 0640);

	if (fd < 0)
		return err_set(e, -errno, "cannot make %s/journal/%s: %s",
		    io->args.dir, name, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		int rc = errno == EWOULDBLOCK ? -EBUSY : -errno;

		close(fd);
		return err_set(e, rc,
		    "another recorder of %s writes to %s; stop it, or give "
		    "another directory with --out",
		    io->args.prefix, io->args.dir);
	}
	io->lock = fd;
	return 0;
}

static int
open_dirs(struct rec_io *io, struct err *e)
{
	char path[REC_PATH_SZ];

	if (snprintf(path, sizeof(path), "%s/journal/", io->args.dir) >=
	    (int)sizeof(path))
		return err_set(
		    e, -ENAMETOOLONG, "%s: path too long", io->args.dir);
	int rc = make_parents(AT_FDCWD, path);

	if (rc != 0)
		return err_set(
		    e, rc, "cannot make %s: %s", path, strerror(-rc));
	io->dirfd = open(io->args.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (io->dirfd >= 0)
		io->journal = openat(
		    io->dirfd, "journal", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (io->dirfd < 0 || io->journal < 0)
		return err_set(
		    e, -errno, "cannot open %s: %s", path, strerror(errno));
	return lock_journal(io, e);
}

static int
allocate(struct rec_io *io)
{
	size_t rows = (rec_mem_sz(io->args.rows_max) + 4095) & ~(size_t)4095;
	size_t scratch = (pq_scratch_sz(io->args.rows_max) + 63) & ~(size_t)63;

	io->mem_sz = rows + REC_PARTS * META_SZ;
	io->mem = mmap(NULL, io->mem_sz, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (io->mem == MAP_FAILED) {
		io->mem = NULL;
		return -ENOMEM;
	}
	for (unsigned i = 0; i < REC_PARTS; i++)
		io->file[i].meta = io->mem + rows + i * META_SZ;
	io->rec = calloc(1, sizeof(*io->rec));
	io->scratch_mem = aligned_alloc(64, scratch);
	io->rbuf = malloc(JOURNAL_BUF_MIN);
	io->foot = malloc(FOOT_SZ);
	io->zstd = ZSTD_createCCtx();
	if (io->rec == NULL || io->scratch_mem == NULL || io->rbuf == NULL ||
	    io->foot == NULL || io->zstd == NULL)
		return -ENOMEM;
	io->scratch = pq_scratch_init(
	    io->scratch_mem, io->args.rows_max, io->zstd, io->args.zstd_level);
	return 0;
}

int
rec_io_open(struct rec_io *io, const struct rec_io_args *a, struct err *e)
{
	memset(io, 0, sizeof(*io));
	io->args = *a;
	io->dirfd = io->journal = io->lock = -1;
	for (unsigned i = 0; i < REC_PARTS; i++)
		io->file[i].fd = -1;
	int rc = open_dirs(io, e);

	if (rc == 0 && allocate(io) != 0)
		rc = err_set(
		    e, -ENOMEM, "not enough memory for %u rows", a->rows_max);
	if (rc != 0)
		rec_io_close(io);
	return rc;
}

void
rec_io_close(struct rec_io *io)
{
	if (io->mem != NULL) {
		abandon(io);
		munmap(io->mem, io->mem_sz);
	}
	free(io->rec);
	free(io->scratch_mem);
	free(io->rbuf);
	free(io->foot);
	ZSTD_freeCCtx(io->zstd);
	if (io->lock >= 0)
		close(io->lock);
	if (io->journal >= 0)
		close(io->journal);
	if (io->dirfd >= 0)
		close(io->dirfd);
	memset(io, 0, sizeof(*io));
	io->dirfd = io->journal = io->lock = -1;
}

#define _GNU_SOURCE
#include "recorderd/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define IN_SZ	 65536
#define TAIL_MAX (65536 + 22)
#define STORED	 0
#define DEFLATED 8

struct unpack {
	gzFile gz; /* gzip and plain                                     */
	int fd;	   /* zip                                                */
	unsigned method;
	uint64_t at; /* next byte of the member in the file               */
	uint64_t left;
	z_stream z;
	uint8_t in[IN_SZ];
};

static uint32_t
le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

static uint16_t
le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint64_t
le64(const uint8_t *p)
{
	return le32(p) | (uint64_t)le32(p + 4) << 32;
}

/* One entry of the central directory. */
struct entry {
	unsigned method;
	uint64_t comp;
	uint64_t plain;
	uint64_t off; /* of the local header                              */
	const uint8_t *name;
	size_t name_len;
	size_t len; /* of the entry                                       */
};

/* Sizes that do not fit 32 bits stand in an extra field. */
static void
zip64(struct entry *e, const uint8_t *p, size_t n)
{
	while (n >= 4) {
		size_t len = le16(p + 2);
		const uint8_t *v = p + 4;

		if (len > n - 4)
			return;
		if (le16(p) == 1) {
			if (e->plain == UINT32_MAX && len >= 8) {
				e->plain = le64(v);
				v += 8;
				len -= 8;
			}
			if (e->comp == UINT32_MAX && len >= 8) {
				e->comp = le64(v);
				v += 8;
				len -= 8;
			}
			if (e->off == UINT32_MAX && len >= 8)
				e->off = le64(v);
			return;
		}
		p += 4 + len;
		n -= 4 + len;
	}
}

static bool
take_entry(struct entry *e, const uint8_t *p, size_t n)
{
	if (n < 46 || le32(p) != 0x02014b50)
		return false;
	*e = (struct entry){.method = le16(p + 10),
	    .comp = le32(p + 20),
	    .plain = le32(p + 24),
	    .off = le32(p + 42),
	    .name = p + 46,
	    .name_len = le16(p + 28)};
	size_t extra = le16(p + 30);

	e->len = 46 + e->name_len + extra + le16(p + 32);
	if (e->len > n)
		return false;
	zip64(e, p + 46 + e->name_len, extra);
	return true;
}

/* Where the central directory is. */
static bool
find_directory(int fd, uint64_t size, uint64_t *off, uint64_t *len)
{
	size_t n = size < TAIL_MAX ? (size_t)size : TAIL_MAX;
	uint8_t *tail = malloc(n);
	uint8_t big[56];
	bool found = false;

	if (tail == NULL || pread(fd, tail, n, (off_t)(size - n)) != (ssize_t)n)
		n = 0;
	for (size_t i = n >= 22 ? n - 22 + 1 : 0; i-- > 0 && !found;) {
		if (le32(tail + i) != 0x06054b50)
			continue;
		found = true;
		*len = le32(tail + i + 12);
		*off = le32(tail + i + 16);
		if (*off != UINT32_MAX || i < 20 ||
		    le32(tail + i - 20) != 0x07064b50)
			continue;
		found = pread(fd, big, sizeof(big),
			    (off_t)le64(tail + i - 12)) == sizeof(big) &&
			le32(big) == 0x06064b50;
		*len = le64(big + 40);
		*off = le64(big + 48);
	}
	free(tail);
	return found && *off <= size && *len <= size - *off &&
	       *len <= (16u << 20);
}

static bool
is_named(const struct entry *e, const char *member)
{
	return member == NULL || (strlen(member) == e->name_len &&
				     memcmp(member, e->name, e->name_len) == 0);
}

static int
open_member(struct unpack *u, const char *member)
{
	off_t size = lseek(u->fd, 0, SEEK_END);
	uint64_t off = 0;
	uint64_t len = 0;
	uint8_t local[30];
	struct entry e;
	bool found = false;

	if (size < 22 || !find_directory(u->fd, (uint64_t)size, &off, &len))
		return -EBADMSG;
	uint8_t *dir = malloc(len > 0 ? len : 1);

	if (dir == NULL)
		return -ENOMEM;
	if (pread(u->fd, dir, len, (off_t)off) != (ssize_t)len)
		len = 0;
	for (size_t at = 0; !found && take_entry(&e, dir + at, len - at);
	     at += e.len)
		found = is_named(&e, member);
	free(dir);
	if (!found)
		return -ENOENT;
	if (pread(u->fd, local, sizeof(local), (off_t)e.off) != sizeof(local) ||
	    le32(local) != 0x04034b50 ||
	    (e.method != STORED && e.method != DEFLATED))
		return -EBADMSG;
	u->method = e.method;
	u->at = e.off + sizeof(local) + le16(local + 26) + le16(local + 28);
	u->left = e.comp;
	if (e.method == DEFLATED && inflateInit2(&u->z, -MAX_WBITS) != Z_OK)
		return -ENOMEM;
	return 0;
}

int
unpack_open(
    struct unpack **out, const char *path, const char *member, struct err *e)
{
	struct unpack *u = calloc(1, sizeof(*u));
	uint8_t magic[4] = {0};
	int rc = 0;

	*out = NULL;
	if (u == NULL)
		return err_set(e, -ENOMEM, "not enough memory");
	u->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (u->fd < 0) {
		rc = -errno;
	} else if (pread(u->fd, magic, 4, 0) == 4 &&
		   le32(magic) == 0x04034b50) {
		rc = open_member(u, member);
	} else {
		u->gz = gzdopen(u->fd, "rb");
		if (u->gz == NULL)
			rc = -ENOMEM;
		else
			u->fd = -1;
	}
	if (rc != 0) {
		unpack_close(u);
		return err_set(e, rc, "%s: %s", path,
		    rc == -EBADMSG ? "a damaged zip archive" : strerror(-rc));
	}
	*out = u;
	return 0;
}

/* More bytes of the member into in. Their number, or a negative errno. */
static ssize_t
refill(struct unpack *u, void *buf, size_t n)
{
	if (n > u->left)
		n = (size_t)u->left;
	ssize_t got = n > 0 ? pread(u->fd, buf, n, (off_t)u->at) : 0;

	if (got < 0)
		return -errno;
	if (got == 0 && n > 0)
		return -EBADMSG;
	u->at += (uint64_t)got;
	u->left -= (uint64_t)got;
	return got;
}

static ssize_t
read_deflated(struct unpack *u, void *buf, size_t n)
{
	u->z.next_out = buf;
	u->z.avail_out = (uInt)n;
	while (u->z.avail_out == n) {
		if (u->z.avail_in == 0) {
			ssize_t got = refill(u, u->in, sizeof(u->in));

			if (got < 0)
				return got;
			u->z.next_in = u->in;
			u->z.avail_in = (uInt)got;
		}
		int rc = inflate(&u->z, Z_NO_FLUSH);

		if (rc == Z_STREAM_END)
			break;
		/* No progress, and nothing more to come: cut off. */
		if (rc != Z_OK)
			return -EBADMSG;
	}
	return (ssize_t)(n - u->z.avail_out);
}

ssize_t
unpack_read(struct unpack *u, void *buf, size_t n)
{
	if (n > (1u << 20))
		n = 1u << 20;
	if (u->gz != NULL) {
		int got = gzread(u->gz, buf, (unsigned)n);

		return got >= 0 ? got : -EBADMSG;
	}
	return u->method == STORED ? refill(u, buf, n)
				   : read_deflated(u, buf, n);
}

void
unpack_close(struct unpack *u)
{
	if (u == NULL)
		return;
	if (u->gz != NULL)
		gzclose(u->gz);
	if (u->method == DEFLATED)
		inflateEnd(&u->z);
	if (u->fd >= 0)
		close(u->fd);
	free(u);
}

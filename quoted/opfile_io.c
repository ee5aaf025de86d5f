#define _GNU_SOURCE
#include "quoted/opfile_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libsys/log.h"

#define LOOK_NS UINT64_C(1000000000)

struct opfile {
	int fd;
	uint64_t look_ns;
	struct timespec changed;
	off_t size;
	char text[PROB_FILE_SZ];
};

static ssize_t
whole(int fd, char *buf, size_t max)
{
	size_t n = 0;

	while (n < max) {
		ssize_t k = read(fd, buf + n, max - n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -1;
		if (k == 0)
			break;
		n += (size_t)k;
	}
	return (ssize_t)n;
}

bool
opfile_lstm(const char *path, struct quote *q)
{
	static struct lstm model;
	static char text[LSTM_FILE_SZ + 1];
	const char *wrong = "cannot be read";
	uint32_t line = 0;
	ssize_t n = -1;
	int fd;

	if (path[0] == '\0')
		return true;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = whole(fd, text, sizeof(text));
		close(fd);
	}
	if (n >= 0)
		wrong = lstm_parse(&model, text, (size_t)n, &line);
	if (wrong != NULL) {
		LOG(LOG_LSTM_WEIGHTS, F_STR("file", path), F_STR("what", wrong),
		    F_U64("line", line));
		return false;
	}
	signal_lstm(&q->sig, &model);
	return true;
}

bool
opfile_open(const char *path, struct opfile **out)
{
	struct opfile *f;

	if (path[0] == '\0')
		return true;
	f = calloc(1, sizeof(*f));
	if (f == NULL)
		return false;
	f->size = -1;
	f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (f->fd < 0) {
		LOG(LOG_STAGE_FAILED, F_STR("what", "satellite.file"),
		    F_STR("file", path), F_I64("code", errno));
		free(f);
		return false;
	}
	*out = f;
	return true;
}

void
opfile_turn(struct opfile *f, struct prob_list *l, uint64_t now_ns)
{
	struct stat st;
	ssize_t n;

	if (f == NULL || now_ns < f->look_ns)
		return;
	f->look_ns = now_ns + LOOK_NS;
	if (fstat(f->fd, &st) < 0 ||
	    (st.st_size == f->size && st.st_mtim.tv_sec == f->changed.tv_sec &&
		st.st_mtim.tv_nsec == f->changed.tv_nsec))
		return;
	f->size = st.st_size;
	f->changed = st.st_mtim;
	if (lseek(f->fd, 0, SEEK_SET) < 0)
		return;
	n = whole(f->fd, f->text, sizeof(f->text));
	if (n < 0)
		return;
	prob_parse(l, f->text, (size_t)n);
	LOG(LOG_PROBABILITIES, F_U64("markets_n", l->n),
	    F_U64("bad_line", l->bad_line));
}

void
opfile_close(struct opfile *f)
{
	if (f == NULL)
		return;
	close(f->fd);
	free(f);
}

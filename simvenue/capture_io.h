/*
 * capture_io.h - capture files into memory, one timeline a venue.
 *
 * Files are plain or gzip. All text is kept in memory: at most
 * CAPTURES_MAX_BYTES, beyond which loading is refused with a sentence.
 */
#ifndef SIMVENUE_CAPTURE_IO_H
#define SIMVENUE_CAPTURE_IO_H

#include <stddef.h>
#include <stdint.h>

#include "simvenue/timeline.h"
#include "simvenue/venue.h"

#define CAPTURES_MAX_BYTES  ((size_t)2 << 30)
#define CAPTURES_ERROR_MAX  512
#define CAPTURES_MARKET_MAX 1024

struct arena;

struct captures {
	struct sim_timeline timelines[VENUE_N]; /* by enum venue */
	size_t frame_caps[VENUE_N];
	struct sim_market markets[CAPTURES_MARKET_MAX];
	size_t market_n;
	uint64_t line_n;
	uint64_t bad_line_n;
	unsigned file_n;
	size_t text_bytes;
	struct arena *arena;
	char first_bad[CAPTURES_ERROR_MAX]; /* "file:line: why", or "" */
};

/* captures_init - empty. */
void captures_init(struct captures *c);

/*
 * captures_add - a file, or every file of a directory (not its folders).
 * spec: PATH, or VENUE:PATH to take only that venue's frames from it.
 * Returns : 0, or -1 with a sentence in err (CAPTURES_ERROR_MAX bytes): the
 *           file cannot be read, is no capture, or memory is full.
 */
int captures_add(struct captures *c, const char *spec, char *err);

/* captures_done - sort and cut; -1 with a sentence as above. */
int captures_done(struct captures *c, char *err);

void captures_free(struct captures *c);

#endif

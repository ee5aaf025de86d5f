/*
 * canvas.h - a screen of characters and colours in memory.
 *
 * What  : panes draw here; screen_io.c copies it to the terminal, --once
 *         prints it as text, tests read it. Drawing outside is clipped.
 * Text  : UTF-8, every character one column wide (boxes, blocks, arrows).
 * Pure  : yes.
 */
#ifndef SHMTOP_CANVAS_H
#define SHMTOP_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CANVAS_COLS_MAX 240
#define CANVAS_ROWS_MAX 200

enum colour {
	COL_PLAIN = 1,
	COL_DIM,
	COL_GOOD,
	COL_WARN,
	COL_BAD,
	COL_HEAD,  /* column titles                                       */
	COL_TITLE, /* the bar at the top                                  */
	COL_MARK,  /* what the eye should find                            */
	COL_N
};

struct cell {
	char text[5]; /* one UTF-8 character; "" is a blank */
	uint8_t colour;
};

struct canvas {
	int cols;
	int rows;
	bool ascii; /* no characters beyond ASCII */
	struct cell cell[CANVAS_ROWS_MAX][CANVAS_COLS_MAX];
};

/* canvas_init - blank, cols x rows (clipped to the limits above). */
void canvas_init(struct canvas *c, int cols, int rows, bool ascii);

/* canvas_put - text at a place; returns the column after it. */
int canvas_put(
    struct canvas *c, int row, int col, enum colour colour, const char *text);

/* canvas_printf - the same, formatted; at most 255 bytes. */
int canvas_printf(struct canvas *c, int row, int col, enum colour colour,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* canvas_fill - colour and blanks over a whole row. */
void canvas_fill(struct canvas *c, int row, enum colour colour);

/* canvas_bar - frac of width filled in eighths, a mark at high (its largest
 * value so far); both 0..1. Green below half, yellow below 0.9, then red. */
void canvas_bar(
    struct canvas *c, int row, int col, int width, double frac, double high);

/* canvas_line - one row as text without trailing blanks; returns its length
 * in bytes. buf of at least CANVAS_COLS_MAX * 4 + 1. */
size_t canvas_line(const struct canvas *c, int row, char *buf);

/* canvas_used - rows up to the last that is not blank. */
int canvas_used(const struct canvas *c);

#endif

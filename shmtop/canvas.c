#include "shmtop/canvas.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "libcore/check.h"

void
canvas_init(struct canvas *c, int cols, int rows, bool ascii)
{
	CHECK(c != NULL);
	c->cols = cols < 1		   ? 1
		  : cols > CANVAS_COLS_MAX ? CANVAS_COLS_MAX
					   : cols;
	c->rows = rows < 1		   ? 1
		  : rows > CANVAS_ROWS_MAX ? CANVAS_ROWS_MAX
					   : rows;
	c->ascii = ascii;
	memset(c->cell, 0, sizeof(c->cell));
}

/* Bytes of the UTF-8 character at s; 1 for what is none. */
static size_t
char_len(const char *s)
{
	unsigned char u = (unsigned char)s[0];
	size_t n = u < 0x80   ? 1
		   : u < 0xc0 ? 1
		   : u < 0xe0 ? 2
		   : u < 0xf0 ? 3
			      : 4;

	for (size_t i = 1; i < n; i++)
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 1;
	return n;
}

static void
set_cell(struct cell *to, const char *s, size_t n, bool ascii)
{
	unsigned char u = (unsigned char)s[0];

	memset(to->text, 0, sizeof(to->text));
	if (n > 1 && !ascii)
		memcpy(to->text, s, n);
	else if (n > 1 || u >= 0x80)
		to->text[0] = '?';
	else
		to->text[0] = u < ' ' || u == 0x7f ? '?' : (char)u;
}

int
canvas_put(
    struct canvas *c, int row, int col, enum colour colour, const char *text)
{
	CHECK(colour > 0 && colour < COL_N);
	while (*text != '\0') {
		size_t n = char_len(text);

		if (row >= 0 && row < c->rows && col >= 0 && col < c->cols) {
			set_cell(&c->cell[row][col], text, n, c->ascii);
			c->cell[row][col].colour = (uint8_t)colour;
		}
		text += n;
		col++;
	}
	return col;
}

int
canvas_printf(struct canvas *c, int row, int col, enum colour colour,
    const char *fmt, ...)
{
	char buf[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	return canvas_put(c, row, col, colour, buf);
}

void
canvas_fill(struct canvas *c, int row, enum colour colour)
{
	if (row < 0 || row >= c->rows)
		return;
	for (int i = 0; i < c->cols; i++) {
		c->cell[row][i].text[0] = ' ';
		c->cell[row][i].text[1] = '\0';
		c->cell[row][i].colour = (uint8_t)colour;
	}
}

void
canvas_bar(
    struct canvas *c, int row, int col, int width, double frac, double high)
{
	static const char *const part[] = {" ", "\u258f", "\u258e", "\u258d",
	    "\u258c", "\u258b", "\u258a", "\u2589", "\u2588"};
	double f = frac < 0 ? 0 : frac > 1 ? 1 : frac;
	enum colour col_ = f < 0.5 ? COL_GOOD : f < 0.9 ? COL_WARN : COL_BAD;
	int eighths = (int)(f * width * 8 + 0.5);
	int mark = (int)((high > 1 ? 1 : high) * (width - 1) + 0.5);

	/* Something is never shown as nothing. */
	if (f > 0 && eighths == 0)
		eighths = 1;
	for (int i = 0; i < width; i++) {
		int e = eighths - i * 8;
		int k = e < 0 ? 0 : e > 8 ? 8 : e;

		if (k > 0)
			canvas_put(
			    c, row, col + i, col_, c->ascii ? "#" : part[k]);
		else if (high > 0 && i == mark)
			canvas_put(c, row, col + i, COL_DIM,
			    c->ascii ? "|" : "\u2502");
		else
			canvas_put(c, row, col + i, COL_DIM,
			    c->ascii ? "." : "\u00b7");
	}
}

size_t
canvas_line(const struct canvas *c, int row, char *buf)
{
	size_t n = 0;
	size_t end = 0;

	CHECK(row >= 0 && row < c->rows);
	for (int i = 0; i < c->cols; i++) {
		const char *t = c->cell[row][i].text;
		size_t len = strlen(t);

		if (len == 0) {
			buf[n++] = ' ';
			continue;
		}
		memcpy(buf + n, t, len);
		n += len;
		if (!(len == 1 && t[0] == ' '))
			end = n;
	}
	buf[end] = '\0';
	return end;
}

int
canvas_used(const struct canvas *c)
{
	char buf[CANVAS_COLS_MAX * 4 + 1];
	int used = 0;

	for (int r = 0; r < c->rows; r++)
		if (canvas_line(c, r, buf) > 0)
			used = r + 1;
	return used;
}

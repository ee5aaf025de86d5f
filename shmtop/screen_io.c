#define _GNU_SOURCE
#define _XOPEN_SOURCE_EXTENDED 1
#include "shmtop/screen_io.h"

#include <curses.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libsys/clock.h"
#include "shmtop/pane.h"

static volatile sig_atomic_t asked_to_end;

static void
on_end(int sig)
{
	(void)sig;
	asked_to_end = 1;
}

static int
attribute(uint8_t colour)
{
	static const int mono[COL_N] = {[COL_DIM] = A_DIM,
	    [COL_WARN] = A_BOLD,
	    [COL_BAD] = A_REVERSE,
	    [COL_HEAD] = A_UNDERLINE,
	    [COL_TITLE] = A_REVERSE,
	    [COL_MARK] = A_BOLD};

	if (colour == 0 || colour >= COL_N)
		return A_NORMAL;
	if (!has_colors())
		return mono[colour];
	return (int)COLOR_PAIR(colour) |
	       (colour == COL_BAD || colour == COL_MARK ? (int)A_BOLD : 0);
}

static void
colours(void)
{
	if (!has_colors())
		return;
	start_color();
	use_default_colors();
	init_pair(COL_PLAIN, -1, -1);
	init_pair(COL_DIM, COLORS >= 256 ? 245 : -1, -1);
	init_pair(COL_GOOD, COLOR_GREEN, -1);
	init_pair(COL_WARN, COLOR_YELLOW, -1);
	init_pair(COL_BAD, COLOR_RED, -1);
	init_pair(COL_HEAD, COLORS >= 256 ? 252 : COLOR_WHITE,
	    COLORS >= 256 ? 237 : COLOR_BLACK);
	init_pair(COL_TITLE, COLOR_WHITE, COLOR_BLUE);
	init_pair(COL_MARK, COLOR_CYAN, -1);
}

static void
paint(const struct canvas *c)
{
	for (int r = 0; r < c->rows; r++) {
		move(r, 0);
		for (int i = 0; i < c->cols; i++) {
			const struct cell *x = &c->cell[r][i];

			/* The last place of the screen would scroll it. */
			if (r == c->rows - 1 && i == c->cols - 1)
				break;
			attrset(attribute(x->colour));
			addstr(x->text[0] ? x->text : " ");
		}
	}
	attrset(A_NORMAL);
	refresh();
}

static void
edit_filter(struct pane_view *v)
{
	char old[sizeof(v->filter)];

	memcpy(old, v->filter, sizeof(old));
	echo();
	curs_set(1);
	timeout(-1);
	move(LINES - 1, 0);
	clrtoeol();
	mvaddstr(LINES - 1, 0, "filter: ");
	if (getnstr(v->filter, (int)sizeof(v->filter) - 1) == ERR)
		memcpy(v->filter, old, sizeof(old));
	noecho();
	curs_set(0);
}

/* False: the person has seen enough. */
static bool
key(struct sampler *s, struct pane_view *v, int ch)
{
	switch (ch) {
	case 'q':
	case 4: return false;
	case '\t':
	case KEY_RIGHT:
		v->pane = v->pane + 1 < PANE_N ? v->pane + 1 : PANE_OVERVIEW;
		break;
	case KEY_BTAB:
	case KEY_LEFT:
		v->pane = v->pane > PANE_OVERVIEW ? v->pane - 1 : PANE_HELP;
		break;
	case 'p': v->paused = !v->paused; break;
	case 's':
		v->sort = v->sort + 1 < SORT_N ? v->sort + 1 : SORT_ACTIVE;
		break;
	case 'f':
	case '/': edit_filter(v); break;
	case 't':
		v->pane = PANE_TAP;
		v->tap_ring = (v->tap_ring + 1) % RG_N;
		break;
	case '?':
	case 'h': v->pane = PANE_HELP; break;
	default:
		if (ch >= '1' && ch < '0' + PANE_N)
			v->pane = (enum pane)(ch - '0');
		break;
	}
	if (v->pane == PANE_TAP && v->tap_ring < 0)
		v->tap_ring = RG_INTENT;
	if (v->pane == PANE_TAP && s->tap_ring != v->tap_ring)
		sample_tap(s, v->tap_ring);
	return true;
}

static bool
locale_utf8(void)
{
	setlocale(LC_ALL, "");
	if (strcmp(nl_langinfo(CODESET), "UTF-8") == 0)
		return true;
	return setlocale(LC_ALL, "C.UTF-8") != NULL;
}

static void
signals(void)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_end;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
}

int
screen_run(struct sampler *s, unsigned hz, bool ascii)
{
	/* Both are far too large for the stack. */
	struct snap *snap = calloc(1, sizeof(*snap));
	struct canvas *c = calloc(1, sizeof(*c));
	struct pane_view v = {.pane = PANE_OVERVIEW,
	    .sort = SORT_ACTIVE,
	    .tap_ring = -1,
	    .hz = hz};
	uint64_t next_ns = 0;
	bool on = snap != NULL && c != NULL;

	ascii = !locale_utf8() || ascii;
	if (!on || initscr() == NULL)
		return 1;
	signals();
	colours();
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	curs_set(0);
	while (on && !asked_to_end) {
		uint64_t now = clock_mono_ns();
		int ch;

		if (now >= next_ns) {
			next_ns = now + UINT64_C(1000000000) / hz;
			if (!v.paused)
				sample_take(s, snap);
		}
		canvas_init(c, COLS, LINES, ascii);
		pane_draw(c, snap, &v);
		paint(c);
		now = clock_mono_ns();
		timeout(
		    next_ns > now ? (int)((next_ns - now) / 1000000) + 1 : 0);
		ch = getch();
		if (ch != ERR && ch != KEY_RESIZE) {
			on = key(s, &v, ch);
			/* What was asked for shows at once. */
			if (v.pane == PANE_TAP)
				next_ns = 0;
		}
	}
	endwin();
	free(snap);
	free(c);
	return 0;
}

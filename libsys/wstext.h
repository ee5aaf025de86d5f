/*
 * wstext.h - how a WebSocket ended, in words for people.
 * Pure: yes.
 */
#ifndef LIBSYS_WSTEXT_H
#define LIBSYS_WSTEXT_H

#include <stddef.h>

#include "libsys/wsframe.h"

struct ws_end_said {
	enum ws_end end;
	unsigned code;	  /* WS_END_PEER: of its close frame, 0 none */
	const char *text; /* the other side's, or ours; "" none */
};

/* ws_end_text - one line, cut at cap. Of a close frame of the other side: its
 * code, what that means, and its words; else the text, or what happened when
 * there is none. */
void ws_end_text(char *out, size_t cap, const struct ws_end_said *said);

#endif

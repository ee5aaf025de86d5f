#include "libsys/wstext.h"

#include <stdio.h>

#include "libcore/check.h"
#include "libsys/advice.h"

/* What happened, in words, when nobody else has any. */
static const char *
end_text(enum ws_end end)
{
	switch (end) {
	case WS_END_EOF: return "hung up without a word";
	case WS_END_EOF_MID: return "hung up in the middle of a message";
	case WS_END_IO: return "the connection broke";
	case WS_END_OVERFLOW: return "does not read what is sent to it";
	case WS_END_TOO_BIG: return "a message over the limit";
	case WS_END_LOCAL:
	case WS_END_PEER:
	case WS_END_DNS:
	case WS_END_CONNECT:
	case WS_END_TIMEOUT:
	case WS_END_TLS:
	case WS_END_UPGRADE:
	case WS_END_PROTOCOL:
	case WS_END_BAD_CODE: return ws_end_name(end);
	case WS_END_N: break;
	}
	CHECK(!"an end");
	return "";
}

/* The other side's code, what it means, and the other side's words. */
static void
close_text(char *out, size_t cap, unsigned code, const char *text)
{
	const char *means = advice_close(code);

	if (code == 0)
		(void)snprintf(out, cap, "closed without a code");
	else
		(void)snprintf(out, cap, "closed with %u%s%s%s%s%s", code,
		    means[0] != '\0' ? " (" : "", means,
		    means[0] != '\0' ? ")" : "", text[0] != '\0' ? ": " : "",
		    text);
}

void
ws_end_text(char *out, size_t cap, const struct ws_end_said *said)
{
	CHECK(cap > 0);
	if (said->end == WS_END_PEER)
		close_text(out, cap, said->code, said->text);
	else
		(void)snprintf(out, cap, "%s",
		    said->text[0] != '\0' ? said->text : end_text(said->end));
}

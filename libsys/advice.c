#include "libsys/advice.h"

#include <stddef.h>

static const char *const by_reason[REASON_N] = {
    [REASON_DNS] = "check the host name and this machine's resolver",
    [REASON_REFUSED] =
	"check address and port, the network and the venue's status",
    [REASON_TLS] = "see the text; check that the port speaks TLS",
    [REASON_TLS_VERSION] = "set feed.transport: curl",
    [REASON_CERT_TIME] = "check this machine's clock, then the venue's status",
    [REASON_CERT_HOST] =
	"check the address; another server may answer in its place",
    [REASON_CERT_AUTHORITY] =
	"check tls.ca_file and the ca-certificates package; another server "
	"may answer in its place",
    [REASON_CA_FILE] = "correct tls.ca_file; empty, it is the file of the "
		       "ca-certificates package",
    [REASON_OPEN_TIMEOUT] =
	"network or venue is slow; feed.connect_timeout is the limit",
    [REASON_HTTP_REFUSED] = "see the status",
    [REASON_PEER_CLOSED] = "nothing, it comes back by itself",
    [REASON_SILENT] = "nothing, it is made again",
    [REASON_NO_PONG] =
	"nothing, it is made again; when it goes on, check what is between "
	"this machine and the venue (a proxy?)",
    [REASON_BAD_FRAME] = "check that the address is a WebSocket",
    [REASON_OVERLONG] =
	"raise feed.max_frame_bytes when the venue really sends so much",
    /* messages */
    [REASON_BAD_JSON] = "nothing once; when it goes on, the venue has changed "
			"or another server answers: see the sample",
    [REASON_BAD_TYPE] = "the venue may have changed its format: see the "
			"sample and the venue's change log",
    [REASON_BAD_NUMBER] = "the venue may have changed its format: see the "
			  "sample and the venue's change log",
    [REASON_MISSING_FIELD] = "the venue may have changed its format: see the "
			     "sample and the venue's change log",
    [REASON_BAD_UTF8] = "nothing once; when it goes on, see the sample",
    [REASON_TOO_DEEP] = "nothing once; when it goes on, see the sample",
    [REASON_UNKNOWN_ASSET] =
	"nothing once: messages under way when it was unsubscribed",
    [REASON_UNSUPPORTED] = "check the streams that are configured",
    [REASON_WINDOW] = "nothing: the window is not traded; see the venue's page "
		      "of the market",
    [REASON_GENERATION] = "nothing: the market is not traded",
    [REASON_VENUE] = "see the sample: the venue's own words",
    /* books */
    [REASON_HASH_MISMATCH] =
	"nothing, it is fetched again; when it goes on, see the venue's status",
    [REASON_TOUCH_MISMATCH] =
	"nothing, it is fetched again; when it goes on, see the venue's status",
    [REASON_MIRROR_MISMATCH] =
	"nothing, it is fetched again; when it goes on, see the venue's status",
    [REASON_CROSSED] =
	"nothing, it is fetched again; when it goes on, see the venue's status",
    [REASON_FEED_STALE] =
	"nothing, the connection is made again; when it goes on, see the "
	"venue's status and this machine's network",
};

const char *
advice_reason(enum reason r)
{
	const char *text = NULL;

	if (r >= 0 && r < REASON_N)
		text = by_reason[r];
	return text == NULL ? "" : text;
}

const char *
advice_status(unsigned status)
{
	switch (status) {
	case 0:
		return "check scheme and port: a server of TLS hangs up on ws: "
		       "and http:";
	case 401:
	case 403:
		return "not allowed: from this location, without credentials, "
		       "or (Binance) by its firewall; check where this machine "
		       "is and what the venue permits there";
	case 404: return "check the address";
	case 408: return "nothing, it is asked again";
	case 418:
		return "banned for too many requests: stop everything on this "
		       "address until Retry-After is over";
	case 425: return "nothing: the venue's engine restarts, in minutes";
	case 429:
		return "too many requests: it waits for Retry-After; find what "
		       "else asks from this address";
	case 451:
		return "not allowed from this location: check the venue's "
		       "terms; market data alone is served by hosts such as "
		       "data-stream.binance.vision";
	default: break;
	}
	if (status >= 500)
		return "the venue's trouble: see its status page";
	if (status >= 300 && status < 400)
		return "the address has moved: check it";
	if (status >= 400)
		return "the request is not what the venue wants: check the "
		       "address";
	return "check that the address is what it should be";
}

const char *
advice_conn(enum reason r, unsigned code)
{
	return r == REASON_HTTP_REFUSED ? advice_status(code)
					: advice_reason(r);
}

const char *
advice_close(unsigned code)
{
	static const struct {
		unsigned code;
		const char *text;
	} list[] = {
	    {1000, "normal end"},
	    {1001, "going away"},
	    {1002, "protocol error"},
	    {1003, "unacceptable data"},
	    {1007, "bad data"},
	    {1008, "against its policy"},
	    {1009, "message too big"},
	    {1011, "error of the server"},
	    {1012, "service restart"},
	    {1013, "try again later"},
	    {1014, "bad gateway"},
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (list[i].code == code)
			return list[i].text;
	return "";
}

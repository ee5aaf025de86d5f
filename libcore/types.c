#include "libcore/types.h"

#include "libcore/check.h"

#define NAME(table, i)                                              \
	(CHECK((unsigned)(i) < sizeof(table) / sizeof((table)[0])), \
	    (table)[i] ? (table)[i] : "?")

const char *
venue_name(enum venue v)
{
	static const char *const names[VENUE_N] = {
	    [VENUE_POLYMARKET] = "polymarket",
	    [VENUE_BINANCE] = "binance",
	    [VENUE_HYPERLIQUID] = "hyperliquid",
	};
	return NAME(names, v);
}

const char *
side_name(enum side s)
{
	static const char *const names[SIDE_N] = {
	    [SIDE_BID] = "bid",
	    [SIDE_ASK] = "ask",
	};
	return NAME(names, s);
}

const char *
mode_name(enum mode m)
{
	static const char *const names[MODE_N] = {
	    [MODE_SIM] = "sim",
	    [MODE_PAPER] = "paper",
	    [MODE_LIVE] = "live",
	    [MODE_CAPTURE] = "capture",
	    [MODE_BACKTEST] = "backtest",
	};
	return NAME(names, m);
}

const char *
instr_class_name(enum instr_class c)
{
	static const char *const names[CLASS_N] = {
	    [CLASS_BINARY] = "binary",
	    [CLASS_UPDOWN] = "updown",
	    [CLASS_PERP] = "perp",
	    [CLASS_SPOT] = "spot",
	    [CLASS_INDEX] = "index",
	};
	return NAME(names, c);
}

const char *
instr_state_name(enum instr_state s)
{
	static const char *const names[INSTR_STATE_N] = {
	    [INSTR_HYDRATING] = "hydrating",
	    [INSTR_NORMAL] = "normal",
	    [INSTR_WATCH] = "watch",
	    [INSTR_CLOSE_WINDOW] = "close_window",
	    [INSTR_CLOSED] = "closed",
	    [INSTR_RESOLVED] = "resolved",
	    [INSTR_HALTED] = "halted",
	    [INSTR_DISPUTED] = "disputed",
	};
	return NAME(names, s);
}

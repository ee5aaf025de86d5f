#!/bin/sh
# start.sh - the whole pipeline against exchanges on this machine, with a view.
# Run by `make start`. Stops everything and leaves nothing running on any way
# out. Two ways:
#   live      simvenue --live, mode sim: signed orders over real sockets, and
#             at the end our ledger against the exchanges'. They begin anew
#             each time, so the instance does, too: its state of earlier runs
#             is of another world and is set aside.
#   replay    with CAPTURE or PACE: simvenue plays recordings, orders are
#             filled on paper.
# Environment:
#   BIN       directory of the programs
#   CONFIG    configuration file (etc/ringmaker.yaml with etc/sim.yaml, or
#             etc/replay.yaml, on top)
#   INSTANCE  name of the instance (main)
#   DURATION  stop by itself after so many seconds
#   SEED      of the live world (1); RATE: how busy it is, 0.01 to 100 (1)
#   CAPTURE   what is played: a file or directory, or "all": the recordings
#             below $RM_DATA (by default ../shared/data), else what it ships
#   PACE      of a recording: 1, a factor, or max (1)
set -u
bin=${BIN:-build/release/bin}
config=${CONFIG:-}
instance=${INSTANCE:-main}
duration=${DURATION:-}
pace=${PACE:-1}
capture=${CAPTURE:-}
[ "$capture" = all ] && capture=
live=1
[ -n "${CAPTURE:-}${PACE:-}" ] && live=
sync=
state=
# Nobody's real key trades here: mode sim has one for development.
unset POLYMARKET_PRIVATE_KEY HYPERLIQUID_PRIVATE_KEY
run=
venue=
view=
up=
ran=
captures=captures
# What is to be typed again for the same instance.
again="-i $instance"
more=
[ "$instance" = main ] || more="INSTANCE=$instance "
if [ -n "$config" ]; then
	again="$again -c $config"
	more="${more}CONFIG=$config "
fi

sup() { "$bin/supervisor" --instance "$instance" "$@"; }

cleanup() {
	code=$?
	trap '' INT TERM HUP
	trap - EXIT
	[ -n "$view" ] && kill "$view" 2>/dev/null
	if [ -n "$up" ]; then
		if [ -n "$ran" ]; then
			echo
			ledger
			sup stop all
		else
			sup stop all 2>/dev/null
		fi
		rc=$?
		# Interrupted while it was starting, it may not be there yet.
		n=0
		while [ "$rc" = 69 ] && [ -z "$ran" ] && [ "$n" -lt 10 ]; do
			sleep 0.2
			sup stop all 2>/dev/null
			rc=$?
			n=$((n + 1))
		done
		[ "$rc" = 0 ] || [ "$rc" = 69 ] || code=$rc
	fi
	if [ -n "$venue" ]; then
		kill "$venue" 2>/dev/null
		wait "$venue" 2>/dev/null
	fi
	[ -n "$run" ] && rm -rf "$run"
	if [ -n "$ran" ]; then
		echo
		echo "next:"
		echo "  ${state:+SYSTEM_STATE_DIR=$state }$bin/supervisor $again logs"
		echo "      what every stage said"
		echo "  ls $captures"
		echo "      what was recorded (Parquet, journal)"
		if [ -n "$live" ]; then
			echo "  ${more}DURATION=60 RATE=5 make start"
			echo "      the same, five times as busy"
			echo "  ${more}CAPTURE=all PACE=20 make start"
			echo "      recordings, 20 times as fast, on paper"
		else
			echo "  ${more}DURATION=30 CAPTURE=all PACE=20 make start"
			echo "      the same, 20 times as fast"
		fi
	fi
	exit "$code"
}

# What we believe to hold against what the exchanges say.
ledger() {
	[ -n "$live" ] || return 0
	sup ledger
	case $? in
	0) ;;
	2) echo "start: not everything could be compared; see above" ;;
	*)
		echo "start: the ledgers differ, or cannot be read" >&2
		code=1
		;;
	esac
	echo
}
trap cleanup EXIT
# Ctrl-C is the ordinary way to stop.
trap 'exit 0' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

fail() {
	echo "start: $*" >&2
	exit 1
}

# The simulator, on its usual ports or, when they are taken, on free ones.
venue_start() {
	if [ -n "$live" ]; then
		set -- --json --live --seed "${SEED:-1}" --rate "${RATE:-1}" \
		    --series btc-updown-1m:60 --series btc-updown-5m:300 \
		    --series btc-updown-15m:900 "$@"
	else
		set -- --json $sync --pace "$pace" \
		    ${capture:+--capture "$capture"} "$@"
	fi
	: >"$run/venue.out"
	"$bin/simvenue" "$@" >"$run/venue.out" 2>"$run/venue.err" &
	venue=$!
	n=0
	while ! grep -q '"ev":"ready"' "$run/venue.out"; do
		if ! kill -0 "$venue" 2>/dev/null; then
			wait "$venue"
			rc=$?
			venue=
			return "$rc"
		fi
		n=$((n + 1))
		[ "$n" -gt 300 ] && fail "simvenue is not ready after 30 s"
		sleep 0.1
	done
}

port_of() {
	sed -n 's/.*"venue":"'"$1"'","port":\([0-9]*\).*/\1/p' "$run/venue.out"
}

if [ -z "${RM_DATA:-}" ] && [ -d ../shared/data/aligned ]; then
	export RM_DATA=../shared/data
fi
# The shipped captures are one story on one clock; the recordings are of
# different days and lengths, each beginning again on its own.
[ -n "${RM_DATA:-}" ] && [ -z "$capture" ] || sync=--sync
[ -x "$bin/supervisor" ] || fail "no programs in $bin; run make first"
sup status >/dev/null 2>&1
[ $? = 69 ] || fail "instance $instance is there already:" \
    "$bin/supervisor -i $instance stop, or INSTANCE=other make start"
run=$(mktemp -d) || exit 1

venue_start
rc=$?
if [ "$rc" = 111 ]; then
	venue_start --port-base 0
	rc=$?
fi
if [ "$rc" != 0 ]; then
	cat "$run/venue.err" >&2
	exit "$rc"
fi
pm=$(port_of polymarket) bn=$(port_of binance) hl=$(port_of hyperliquid)
export POLYMARKET_WS_URL="ws://127.0.0.1:$pm/ws/market"
export POLYMARKET_RTDS_URL="ws://127.0.0.1:$pm/rtds"
export POLYMARKET_POLYBOLT_URL="ws://127.0.0.1:$pm/ws"
export POLYMARKET_REST_URL="http://127.0.0.1:$pm"
export POLYMARKET_GAMMA_URL="http://127.0.0.1:$pm"
export POLYMARKET_USER_URL="ws://127.0.0.1:$pm/ws/user"
export BINANCE_WS_URL="ws://127.0.0.1:$bn"
export BINANCE_REST_URL="http://127.0.0.1:$bn"
export HYPERLIQUID_WS_URL="ws://127.0.0.1:$hl/ws"
export HYPERLIQUID_REST_URL="http://127.0.0.1:$hl"
# A venue without recordings has no feed: it would only wait for data.
without() {
	[ -z "$live" ] && grep -q \
	    '"venue":"'"$1"'","port":[0-9]*,"frames":0' "$run/venue.out"
}
without polymarket && export POLYMARKET_ENABLED=false
without binance && export BINANCE_ENABLED=false
without hyperliquid && export HYPERLIQUID_ENABLED=false

if [ -n "$config" ]; then
	set -- --config "$config"
elif [ -n "$live" ]; then
	set -- --config etc/ringmaker.yaml --config etc/sim.yaml
else
	set -- --config etc/ringmaker.yaml --config etc/replay.yaml
fi
# A new world: positions of the one before would only differ from it. What an
# earlier run left is kept beside, under the time of its end; logs go on.
if [ -n "$live" ]; then
	base=$(sup "$@" config system.state_dir 2>/dev/null |
	    sed -n 's/^system.state_dir = \(.*\)  (.*/\1/p')
	case $base in
	'' | '""')
		case ${XDG_STATE_HOME:-} in
		/*) base=$XDG_STATE_HOME/ringmaker ;;
		*) base=$HOME/.local/state/ringmaker ;;
		esac
		;;
	esac
	state=$base/sim
	mkdir -p "$state" || fail "cannot make $state"
	export SYSTEM_STATE_DIR="$state"
	if [ -d "$state/$instance" ]; then
		rm -rf "$state/$instance.before"
		mv "$state/$instance" "$state/$instance.before" ||
		    fail "cannot set $state/$instance aside"
	fi
fi
dir=$(sup "$@" config recorder.dir 2>/dev/null |
    sed -n 's/^recorder.dir = \(.*\)  (.*/\1/p')
captures=${dir:-captures}
up=1
sup "$@" start all
rc=$?
# 75: a stage is not ready yet, but goes on trying; see for yourself.
if [ "$rc" != 0 ] && [ "$rc" != 75 ]; then
	exit "$rc"
fi
ran=1
# A freeze that a person or a crash loop latched earlier is still there.
"$bin/supervisor" -i "$instance" status | grep -q 'until supervisor thaw' &&
	echo "start: trading is frozen from before; to lift it:" \
	    "$bin/supervisor -i $instance thaw --reason TEXT" >&2

set -- --instance "$instance"
if [ -t 0 ] && [ -t 1 ]; then
	if [ -n "$duration" ]; then
		timeout --foreground "$duration" "$bin/shmtop" "$@"
	else
		"$bin/shmtop" "$@"
	fi
else
	"$bin/shmtop" "$@" --line --rate 1 &
	view=$!
	if [ -n "$duration" ]; then
		sleep "$duration" &
		wait $!
	else
		wait "$view"
	fi
fi
exit 0

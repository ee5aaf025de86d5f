#!/bin/sh
# start.sh - the whole pipeline against the venues' simulator, with a view.
# Run by `make start`. Stops everything and leaves nothing running on any way
# out. Environment:
#   BIN       directory of the programs
#   CONFIG    configuration file (etc/ringmaker.yaml with etc/sim.yaml on top)
#   INSTANCE  name of the instance (main)
#   DURATION  stop by itself after so many seconds
#   CAPTURE   what the simulator serves (default: the recordings below
#             $RM_DATA, by default ../shared/data, else what it ships with)
#   PACE      1, a factor, or max (1)
set -u
bin=${BIN:-build/release/bin}
config=${CONFIG:-}
instance=${INSTANCE:-main}
duration=${DURATION:-}
pace=${PACE:-1}
sync=
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
		echo "  $bin/supervisor $again logs"
		echo "      what every stage said"
		echo "  ls $captures"
		echo "      what was recorded (Parquet, journal)"
		echo "  ${more}DURATION=30 PACE=20 make start"
		echo "      the same, 20 times as fast"
	fi
	exit "$code"
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
	set -- --json $sync --pace "$pace" ${CAPTURE:+--capture "$CAPTURE"} "$@"
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
[ -n "${RM_DATA:-}" ] && [ -z "${CAPTURE:-}" ] || sync=--sync
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
export BINANCE_WS_URL="ws://127.0.0.1:$bn"
export BINANCE_REST_URL="http://127.0.0.1:$bn"
export HYPERLIQUID_WS_URL="ws://127.0.0.1:$hl/ws"
export HYPERLIQUID_REST_URL="http://127.0.0.1:$hl"
# A venue without recordings has no feed: it would only wait for data.
grep -q '"venue":"polymarket","port":[0-9]*,"frames":0' "$run/venue.out" &&
	export POLYMARKET_ENABLED=false
grep -q '"venue":"binance","port":[0-9]*,"frames":0' "$run/venue.out" &&
	export BINANCE_ENABLED=false
grep -q '"venue":"hyperliquid","port":[0-9]*,"frames":0' "$run/venue.out" &&
	export HYPERLIQUID_ENABLED=false

if [ -n "$config" ]; then
	set -- --config "$config"
else
	set -- --config etc/ringmaker.yaml --config etc/sim.yaml
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

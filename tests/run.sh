#!/bin/sh
# run.sh - run test binaries side by side, a time limit each, and count.
# The last line is: N passed, N failed, N skipped
# usage: [OUT=dir] run.sh BINARY...
set -u
OUT=${OUT:-build/release}
LIMIT=${TEST_LIMIT:-150}
jobs=${TEST_JOBS:-$(nproc)}
logs=$OUT/log

one() {
	b=$1
	n=$(basename "$b")
	CMOCKA_MESSAGE_OUTPUT=tap timeout -k 5 "$LIMIT" "$b" \
	    >"$logs/$n.tap" 2>"$logs/$n.err"
	echo "exit $?" >>"$logs/$n.tap"
}

[ "${1:-}" != --one ] || { shift; one "$@"; exit 0; }
mkdir -p "$logs"
rm -f "$logs"/*.tap
printf '%s\n' "$@" | xargs -r -P "$jobs" -I{} sh "$0" --one {}

# A plan "1..N" says how many results must be there; a binary that dies, or
# prints none, is a failure of its own.
for b in "$@"; do
	n=$(basename "$b")
	touch "$logs/$n.tap"
	awk -v n="$n" '
	/^1\.\.[0-9]+/ { split($0, p, "[.][.]"); plan += p[2] }
	/^not ok .*# SKIP/ || /^ok .*# SKIP/ { skip++; print "skip " n ": " $0; next }
	/^ok / { pass++; next }
	/^not ok / { fail++; print "FAIL " n ": " $0; next }
	/^exit / { code = $2 }
	END {
		seen = pass + fail + skip
		if (seen < plan || plan == 0 || (code != 0 && fail == 0)) {
			lost = plan > seen ? plan - seen : 1
			print "FAIL " n ": exit " code ", " seen " of " \
			    plan + 0 " results"
			fail += lost
		}
		print "count " pass + 0, fail + 0, skip + 0
	}' "$logs/$n.tap"
done >"$logs/summary"

grep -v '^count ' "$logs/summary"
for n in $(sed -n 's/^FAIL \([^:]*\):.*/\1/p' "$logs/summary" | sort -u); do
	echo "--- $n"
	tail -n 25 "$logs/$n.err"
	grep '^#' "$logs/$n.tap" | head -n 20
done
awk '/^count / { p += $2; f += $3; s += $4 }
	END { printf "%d passed, %d failed, %d skipped\n", p, f, s
	      exit f > 0 || p == 0 }' "$logs/summary"

#!/bin/sh
# Check the protocol models: the good variant of each must hold, every
# weakened one must be caught. Last line: N passed, N failed, N skipped.
here=$(cd "$(dirname "$0")" && pwd)
work=${1:-$(mktemp -d)}
mkdir -p "$work"

models="publish: publish:WEAK_PUBLISH publish:WEAK_CURSOR publish:NO_MARK
publish:WEAK_MARK wake: wake:NO_BARRIER wake:NO_RECHECK wake:WORD_LATE
death: death:NO_SCRUB death:FIRST_TO_LAST death:NUMBER_FIRST death:FROM_HINT
death:EARLY_CURSOR"
total=$(echo $models | wc -w)

if ! command -v spin >/dev/null 2>&1; then
	echo "skipped: spin is not installed (apt-get install spin)"
	echo "0 passed, 0 failed, $total skipped"
	exit 0
fi

# check MODEL VARIANT: prints held, caught or broken
check() {
	dir=$work/$1.${2:-good}
	mkdir -p "$dir" && cd "$dir" || return
	spin -a ${2:+-D$2} "$here/$1.pml" >spin.txt 2>&1 &&
	    ${CC:-gcc} -O2 -DSAFETY -DMEMLIM=2048 -DVECTORSZ=2048 -o pan \
		pan.c >cc.txt 2>&1 &&
	    ./pan -m200000 >pan.txt 2>&1
	if grep -q 'max search depth too small\|out of memory' pan.txt; then
		echo broken
	elif grep -q 'errors: 0' pan.txt; then
		echo held
	elif grep -q 'errors: [1-9]' pan.txt; then
		echo caught
	else
		echo broken
	fi
}

passed=0
failed=0
for m in $models; do
	model=${m%%:*}
	variant=${m#*:}
	want=held
	[ -n "$variant" ] && want=caught
	got=$(check "$model" "$variant")
	states=$(sed -n 's/ *\([0-9.e+]*\) states, stored.*/\1/p' \
	    "$work/$model.${variant:-good}/pan.txt" 2>/dev/null | head -1)
	if [ "$got" = "$want" ]; then
		passed=$((passed + 1))
		verdict=ok
	else
		failed=$((failed + 1))
		verdict=FAILED
	fi
	echo "$verdict $model ${variant:-good}: $got, ${states:-?} states"
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]

#!/bin/sh
# unread.sh - settings that nothing reads. A key must be used somewhere
# outside the code that loads and prints it, or be marked UNUSED in cfg.def.
set -u
cd "$(dirname "$0")/.."
files=$(git ls-files '*.c' '*.h' | grep -vE \
    '^tests/|^libshm/cfgtext|^libsys/cfg(file|dump|yaml)')
n=0
for key in $(sed -n \
    's/^CFG(\([a-z_]*\), \([a-z0-9_]*\), .*\(LIVE\|RESTART\), ".*/\1_\2/p' \
    libshm/cfg.def); do
	grep -qE -- "(->|\.)$key\b" $files || { echo "$key: no one reads it"; n=$((n + 1)); }
done
echo "unread: $n settings"
[ "$n" = 0 ]

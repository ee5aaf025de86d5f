#!/bin/sh
# bench.sh FILE - DuckDB's writer on the rows of FILE, two lines; nothing when
# node or the packages (see run.sh) are not there.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=${RM_NODE:-${XDG_CACHE_HOME:-$HOME/.cache}/ringmaker/node}
command -v node >/dev/null || exit 0
[ -d "$cache/node_modules/@duckdb/node-api" ] || exit 0
cp "$here/bench.mjs" "$cache/bench.mjs"
exec node "$cache/bench.mjs" "$1" "${2:-7}"

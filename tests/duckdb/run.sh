#!/bin/sh
# Third-party readers on our files: DuckDB, hyparquet and parquet-wasm read
# what test_rec_files wrote and must find the same sums.
# usage: run.sh PROGRAM   (the test that writes the files; RM_KEEP names where)
# Packages go to a cache outside the tree: $RM_NODE, default in the user's
# cache. Prints `skipped` and why when Node or the packages are not there.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=${RM_NODE:-${XDG_CACHE_HOME:-$HOME/.cache}/ringmaker/node}
command -v node >/dev/null || { echo "skipped: node is not installed"; exit 0; }
command -v npm >/dev/null || { echo "skipped: npm is not installed"; exit 0; }
if [ ! -d "$cache/node_modules/@duckdb/node-api" ]; then
	mkdir -p "$cache"
	(cd "$cache" && npm init -y >/dev/null 2>&1 &&
	    timeout 120 npm install --no-audit --no-fund --silent \
	    @duckdb/node-api hyparquet hyparquet-compressors parquet-wasm \
	    apache-arrow >npm.log 2>&1) || {
		echo "skipped: npm install failed, see $cache/npm.log"
		exit 0
	}
fi
dir=$(mktemp -d /tmp/rm-duckdb-XXXXXX)
trap 'rm -rf "$dir"' EXIT
RM_KEEP="$dir" "$1"
cp "$here/read.mjs" "$cache/read.mjs"
node "$cache/read.mjs" "$dir"

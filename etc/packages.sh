#!/bin/sh
# packages.sh - install what the build needs, then write the make fragment $1.
# Quick when everything is there. NO_INSTALL=1 never installs.
set -eu
out=$1
list=$(sed '/^#/d' "$(dirname "$0")/packages.txt")
missing=
for p in $list; do
	dpkg-query -W -f '${db:Status-Status}\n' "$p" 2>/dev/null |
	    grep -qx installed || missing="$missing $p"
done
if [ -n "$missing" ]; then
	cmd="apt-get install -y --no-install-recommends$missing"
	if [ "${NO_INSTALL:-0}" = 1 ] || [ "$(id -u)" != 0 ]; then
		if [ "${NO_INSTALL:-0}" != 1 ] && command -v sudo >/dev/null &&
		    sudo -n true 2>/dev/null; then
			echo "installing:$missing" >&2
			sudo sh -c "$cmd >&2 || { apt-get update >&2; $cmd >&2; }"
		else
			echo "missing packages; run: sudo $cmd" >&2
			exit 1
		fi
	else
		echo "installing:$missing" >&2
		export DEBIAN_FRONTEND=noninteractive
		$cmd >&2 || { apt-get update >&2 && $cmd >&2; }
	fi
fi
{
	echo "# written by etc/packages.sh"
	echo "UV_LIBS := $(pkg-config --libs libuv)"
	echo "CURL_LIBS := $(pkg-config --libs libcurl)"
	echo "YAML_LIBS := $(pkg-config --libs yaml-0.1)"
	echo "JANSSON_LIBS := $(pkg-config --libs jansson)"
	echo "ZSTD_LIBS := $(pkg-config --libs libzstd)"
	echo "Z_LIBS := $(pkg-config --libs zlib)"
	echo "NCURSES_LIBS := $(pkg-config --libs ncursesw)"
	echo "SECCOMP_LIBS := $(pkg-config --libs libseccomp)"
	echo "TLS_LIBS := -lmbedtls -lmbedx509 -lmbedcrypto"
	echo "SECP_LIBS := $(pkg-config --libs libsecp256k1)"
	echo "WSLAY_LIBS := -lwslay"
} >"$out.tmp"
mv "$out.tmp" "$out"

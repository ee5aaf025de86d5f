#!/bin/sh
# install.sh DESTDIR PREFIX - what etc/ringmaker.service needs beside the
# programs: its configuration, and its user. Called by make install. A file
# that is there is left alone. Below another prefix than /usr and /usr/local
# there is no unit that would be found, so nothing is done.
set -eu
dest=$1
case $2 in
/usr | /usr/local) ;;
*) exit 0 ;;
esac
if [ -z "$dest" ] && [ "$(id -u)" != 0 ]; then
	echo "not root: for the unit, make its user and configuration" \
	    "yourself; see docs/runbook.md" >&2
	exit 0
fi
conf=$dest/etc/ringmaker/ringmaker.yaml
if [ ! -e "$conf" ]; then
	install -d "$dest/etc/ringmaker"
	install -m 644 etc/ringmaker.yaml "$conf"
	echo "new: $conf"
fi
if [ -z "$dest" ] && ! getent passwd ringmaker >/dev/null; then
	useradd --system --user-group --home-dir /var/lib/ringmaker \
	    --no-create-home --shell /usr/sbin/nologin ringmaker
	echo "new: user ringmaker"
fi

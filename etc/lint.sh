#!/bin/sh
# lint.sh - what STYLE.md asks for and a machine can check. Prints each
# finding as file:line: what; the last line counts. Exit 1 on any finding.
set -u
cd "$(dirname "$0")/.."
out=$(mktemp)
trap 'rm -f "$out"' EXIT
say() { echo "$1" >>"$out"; }

git rev-parse --show-toplevel >/dev/null 2>&1 || {
	echo "lint: needs git and a clone: it looks at the files of the repository" >&2
	exit 1
}
c_files=$(git ls-files '*.c' '*.h')
pure_rooms='libcore libvenue libsign'
key_rooms='execd simvenue'
stage_rooms='feedd quoted riskd execd recorderd'

# 1. Layers: which rooms a room may include.
allowed() {
	case $1 in
	libcore) echo libcore ;;
	libshm) echo libcore libshm ;;
	libvenue) echo libcore libvenue libshm/slots.h libshm/tick.h ;;
	libsign) echo libcore libsign ;;
	libsys) echo libcore libshm libsys ;;
	feedd) echo libcore libshm libvenue libsys feedd ;;
	execd) echo libcore libshm libvenue libsign libsys execd ;;
	quoted | riskd) echo libcore libshm libsys "$1" ;;
	recorderd) echo libcore libshm libvenue libsys "$1" ;;
	supervisor | shmtop) echo libcore libshm libsys "$1" ;;
	simvenue) echo libcore libshm libvenue libsign libsys simvenue ;;
	*) echo any ;;
	esac
}
for f in $c_files; do
	room=${f%%/*}
	ok=$(allowed "$room")
	[ "$ok" = any ] && continue
	sed -n 's,^#include "\([^"]*\)".*,\1,p' "$f" | while read -r inc; do
		hit=
		for a in $ok; do
			case $inc in "$a" | "$a"/*) hit=1 ;; esac
		done
		[ -n "$hit" ] || say "$f: $room may not include $inc"
	done
done

# Keys are handled in libsign; only execd, simvenue and tests are linked to it,
# and nothing else meets the curve's library.
for f in $(git ls-files '*/module.mk'); do
	room=${f%%/*}
	case " libsign $key_rooms " in *" $room "*) continue ;; esac
	grep -nE '_(DEPS|LIBS) .*(libsign|SECP_LIBS)' "$f" |
	    sed "s,^\([0-9]*\):.*,$f:\1: only $key_rooms and tests link libsign," >>"$out"
done
for f in $c_files; do
	case ${f%%/*} in libsign | tests) continue ;; esac
	grep -n '#include <secp256k1' "$f" |
	    sed "s,^\([0-9]*\):.*,$f:\1: secp256k1 is met in libsign only," >>"$out"
done

# 2. Purity: cores take time and give effects; they call nothing that acts.
acts='malloc|calloc|realloc|free|strdup|open|openat|fopen|read|write|close|socket|connect|send|recv|clock_gettime|time|gettimeofday|nanosleep|usleep|getenv|printf|fprintf|puts|exit|mmap|log_event|LOG0?|clock_mono_ns|clock_wall_ns'
for f in $c_files; do
	room=${f%%/*}
	base=${f##*/}
	case " $pure_rooms $stage_rooms " in *" $room "*) ;; *) continue ;; esac
	case $base in main.c | *_io.c | *_io.h | check.c) continue ;; esac
	# Secrets come from files and live in locked pages.
	[ "$f" = libsign/key.c ] && continue
	grep -nE "(^|[^A-Za-z0-9_.>])($acts)\(" "$f" | grep -vE '^[0-9]+:[[:space:]]*(\*|/\*|//)' |
	    sed "s,^\([0-9]*\):.*,$f:\1: a pure file calls something that acts," >>"$out"
	case $base in *.h) continue ;; esac
	# writable globals: file-scope "static" without const, not a function
	grep -nE '^(static )?(struct |enum |unsigned |u?int[0-9a-z_]* |char |double |bool |size_t |void \*)[A-Za-z0-9_ *]*( = |;|\[)' "$f" |
	    grep -vE 'const|typedef|extern|\(' |
	    sed "s,^\([0-9]*\):.*,$f:\1: a pure file has a writable global," >>"$out"
done

# 3. Sizes.
for f in $c_files; do
	n=$(wc -l <"$f")
	case $f in
	*.h) [ "$n" -le 300 ] || say "$f: $n lines, a header has at most 300" ;;
	*) [ "$n" -le 800 ] || say "$f: $n lines, a source has at most 800" ;;
	esac
done
for f in $(git ls-files '*.c'); do
	awk -v f="$f" '
	/^[A-Za-z_].*\(/ && !/;[[:space:]]*$/ { name = $0; at = NR }
	/^{/ { start = NR }
	/^}/ { if (start && NR - start - 1 > 70)
		printf "%s:%d: function of %d lines, at most 70\n", f, start, NR - start - 1
	       start = 0 }' "$f" >>"$out"
done

# 4. Words.
banned='sprintf|strcpy|strcat|strtok|gmtime|localtime|atoi|atof|rand|alloca|setjmp|longjmp'
for f in $(git ls-files '*.c' '*.h' | grep -v '^tests/'); do
	grep -nE "(^|[^A-Za-z0-9_])($banned)\(" "$f" |
	    sed "s,^\([0-9]*\):.*,$f:\1: banned call," >>"$out"
	grep -nE '(^|[^A-Za-z0-9_])float([^A-Za-z0-9_]|$)' "$f" | grep -vE '^[0-9]+:[[:space:]]*(\*|/\*)' | grep -v '"' |
	    sed "s,^\([0-9]*\):.*,$f:\1: float is never used," >>"$out"
done
git grep -nE '\b(TODO|FIXME|XXX|HACK)\b' -- '*.c' '*.h' '*.mk' Makefile '*.def' '*.md' '*.pml' 2>/dev/null |
    sed 's,:\([0-9]*\):.*,:\1: left-over mark,' >>"$out"

# 5. Format.
if command -v clang-format >/dev/null; then
	for f in $c_files; do
		clang-format "$f" 2>/dev/null | cmp -s - "$f" ||
		    say "$f: not in format; run clang-format -i $f"
	done
else
	echo "lint: clang-format is not installed, format not checked" >&2
fi

# 6. Includes from the root, guards, headers that stand alone.
for f in $(git ls-files '*.h' | grep -v '^tests/'); do
	grep -q '#ifndef' "$f" || say "$f: no include guard"
done

# 7. What the tables promise is used somewhere.
for e in $(sed -n 's/^EVENT(\([A-Z0-9_]*\),.*/\1/p' libsys/events.def); do
	git grep -qw "LOG_$e" -- '*.c' || say "libsys/events.def: nothing logs $e"
done
for m in $(sed -n 's/^METRIC(\([A-Z]*\), *\([A-Z0-9_]*\),.*/M_\1_\2/p' libshm/metrics.def); do
	git grep -qw "$m" -- '*.c' || say "libshm/metrics.def: nothing sets $m"
done
for r in $(sed -n 's/^REASON(\([A-Z0-9_]*\),.*/\1/p' libcore/reasons.def); do
	git grep -qw "REASON_$r" -- '*.c' '*.h' || say "libcore/reasons.def: nothing gives $r"
done
for f in $(git grep -ohE 'docs/[a-z-]+\.md' -- README.md 'docs/*.md' | sort -u); do
	[ -f "$f" ] || say "$f: named in a document, but is not there"
done

n=$(wc -l <"$out")
sort "$out"
echo "lint: $n findings in $(echo "$c_files" | wc -w) files"
[ "$n" = 0 ]

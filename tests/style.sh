#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Rules of the sources that a machine can check: no banned functions, lines of
# at most 120 columns, files of at most 1000 lines, functions of at most 120,
# a licence line, guards in headers, and rooms that include only what is below.
cd "$TOP_SRCDIR" || exit 1
n=0
none() {	# none TEXT WRONG: nothing may be wrong
	n=$((n + 1))
	if [ -z "$2" ]; then echo "ok $n - $1"; return; fi
	echo "not ok $n - $1"
	echo "$2" | sed 's/^/# /; 20q'
}
sources=$(find src tests \( -name '*.c' -o -name '*.h' \) ! -path '*/data/*' | sort)

none "no banned functions" "$(grep -nE \
	'\b(sprintf|vsprintf|strcpy|strcat|gets|strtok|atoi|atol|alloca)[[:space:]]*\(' $sources)"
none "lines of at most 120 characters" "$(awk 'length > 120 { print FILENAME ":" FNR }' $sources)"
none "files of at most 1000 lines" "$(wc -l $sources | awk '$2 != "total" && $1 > 1000')"
none "functions of at most 120 lines" "$(awk 'FNR == 1 { start = 0 } /^[{]/ { start = FNR }
	/^[}]/ && start { if (FNR - start > 120) print FILENAME ":" start ": " FNR - start " lines"
	start = 0 }' $sources)"
none "a licence line in each file" "$(for f in $sources; do
	head -1 "$f" | grep -q 'SPDX-License-Identifier: Apache-2.0' || echo "$f"; done)"
none "a guard in each header" "$(for f in $(find src -name '*.h' ! -name '*.tbl.h'); do
	grep -q '^#ifndef [A-Z0-9_]*_H$' "$f" || echo "$f"; done)"
none "no blanks at line ends" "$(grep -nE '[[:space:]]+$' $sources)"
none "no unfinished work" "$(grep -nE '\b(TODO|FIXME|XXX|HACK)\b' $sources)"

# What a room may include: itself and those after it.
below=" demo web api export store gate journal ledger base span core "
wrong=
for room in $below; do
	for inc in $(cat src/$room/*.[ch] 2>/dev/null |
	    sed -n 's|^#include "\([a-z]*\)/.*|\1|p' | sort -u); do
		case "$below" in
		*" $inc "*) ;;
		*) wrong="$wrong $room includes $inc;" ;;
		esac
	done
	below=${below#" $room"}
done
none "a room includes only what is below it" "$wrong"
none "core and span stay pure" "$(grep -nE \
	'^#include (<(time|unistd|errno|pthread|fcntl|locale)\.h>|"(base|ledger)/)' \
	src/core/*.[ch] src/span/*.[ch])"
echo "1..$n"

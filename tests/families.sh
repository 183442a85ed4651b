#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A family of API is one file, or files of one name, and one row of core/family.tbl.h: no family's
# file includes, calls or names another's. The test proves on copies that it would see that. Then a
# family is added by one row and one file, and spans are built with it.
set -u

: "${LIBCORE:?is set by make check}"
top=$(cd "$TOP_SRCDIR" && pwd) || exit 1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
table=$top/src/core/family.tbl.h
archive=$(cd "${LIBCORE%/*}" && pwd)/${LIBCORE##*/}
count=0

report() { # status, name
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
	fi
}

nothing() { # what was found, name
	[ -z "$1" ] || echo "$1" | sed 's/^/# /'
	[ -z "$1" ]
	report $? "$2"
}

# The families' names (ops) and symbols, each once.
rows=$(sed -n 's/^FAMILY(\([A-Z_]*\), *"[^"]*", *"[^"]*", *\([a-z_]*\),.*/\1 \2/p' "$table")
families=$(echo "$rows" | awk '{ print $2 }' | sort -u)

# The files of a family below the sources $1.
files_of() {
	ls "$1/span/$2".[ch] "$1/span/$2"_*.[ch] 2>/dev/null
}

# Headers of others that a family's files below $1 include, and rows of others that they name.
# A family that has rows of its own may name those.
named() {
	for f in $families; do
		own=$(echo "$rows" | awk -v f="$f" '$2 == f { print "FAMILY_" $1 }')
		for file in $(files_of "$1" "$f"); do
			for g in $families; do
				[ "$g" = "$f" ] || grep -HE "^#include \"(span/)?$g(_[a-z_]*)?\.h\"" "$file"
			done
			for symbol in $(echo "$rows" | awk '{ print "FAMILY_" $1 }'); do
				echo "$own" | grep -qx "$symbol" || grep -Hw "$symbol" "$file"
			done
		done
	done
}

# Symbols that an object of one family takes from another's, in the archive or objects "$@".
taken() {
	nm -A "$@" 2>/dev/null | awk -v families="$(echo $families)" '
		function family_of(object,   i) {
			sub(/.*[:\/]/, "", object); sub(/\.o$/, "", object); sub(/^.*-/, "", object)
			for (i = 1; i <= n; i++)
				if (object == names[i] || index(object, names[i] "_") == 1)
					return names[i]
			return ""
		}
		BEGIN { n = split(families, names, " ") }
		{
			object = $1; sub(/:[0-9a-f]*$/, "", object)
			family = family_of(object)
			kind = $(NF - 1); symbol = $NF
			if (family == "")
				next
			if (kind == "U")
				wants[family " " symbol] = 1
			else if (kind ~ /^[A-TV-Z]$/)
				owner[symbol] = family
		}
		END {
			for (want in wants) {
				split(want, part, " ")
				if (part[2] in owner && owner[part[2]] != part[1])
					print part[1] " takes " part[2] " of " owner[part[2]]
			}
		}'
}

[ "$(echo "$families" | wc -l)" -ge 6 ]
report $? "there are families"
for f in $families; do
	[ -f "$top/src/span/$f.c" ] || echo "no src/span/$f.c"
done >"$dir/missing"
nothing "$(cat "$dir/missing")" "each has a file of its name"
nothing "$(named "$top/src")" "none includes or names another"
if ! command -v nm >/dev/null; then
	report 0 "none takes a symbol of another # SKIP no nm here"
else
	[ "$(nm -A "$LIBCORE" 2>/dev/null | grep -c "family_chat")" -ge 2 ]
	report $? "their objects are in libcore.a"
	nothing "$(taken "$LIBCORE")" "none takes a symbol of another"
fi

compiler=
for c in ${CORE_CC:-} cc gcc clang; do
	if command -v "$c" >/dev/null; then
		compiler=$c
		break
	fi
done
if [ -z "$compiler" ]; then
	report 0 "a family is added by one row and one file # SKIP no compiler"
	echo "1..$count"
	exit 0
fi

# What the checks above are for is seen.
mkdir -p "$dir/src/span" "$dir/src/core"
cp "$top"/src/span/*.[ch] "$dir/src/span"
echo '#include "span/chat.h"' >>"$dir/src/span/completion.c"
echo 'enum family other = FAMILY_SPEECH;' >>"$dir/src/span/image.c"
[ "$(named "$dir/src" | wc -l)" -eq 2 ]
report $? "an include and a name are seen"
echo 'int chat_thing(void) { return 1; }' >"$dir/chat_x.c"
echo 'int chat_thing(void); int image_thing(void) { return chat_thing(); }' >"$dir/image.c"
(cd "$dir" && $compiler -c chat_x.c image.c)
[ "$(taken "$dir/chat_x.o" "$dir/image.o")" = "image takes chat_thing of chat" ]
report $? "a call is seen"
rm -rf "$dir/src/span"

# One row before the last, and one file.
awk '/^FAMILY\(OTHER,/ { print "FAMILY(SAMPLE, \"sample\", \"sampled\", sample, PATH(\"POST\", \"/questions\"))" }
	{ print }' "$table" >"$dir/src/core/family.tbl.h"
flags="-w -std=gnu11 -D_GNU_SOURCE -O0 ${CORE_CFLAGS:-} -I$dir/src -I$top/src -I$top/tests/tap"
# What depends on the table is compiled anew; all else comes from libcore.a.
$compiler $flags -MM "$top"/src/core/*.c "$top"/src/span/*.c "$top"/tests/sample/*.c 2>"$dir/log" |
    sed -e ':a' -e '/\\$/N; s/\\\n//; ta' | grep 'core/family.tbl.h' | awk '{ print $2 }' >"$dir/sources"
if (mkdir "$dir/o" && cd "$dir/o" && while read -r c; do
	room=${c%/*}
	echo "$c ${room##*/}_$(basename "$c" .c).o"
    done <"$dir/sources" | xargs -P 2 -n 2 sh -c '$0 -c -o "$2" "$1"' "$compiler $flags" &&
    $compiler -o driver ./*.o "$archive" ${CORE_LIBS:-} -lm) >>"$dir/log" 2>&1; then
	report 0 "a family is added by one row and one file"
	"$dir/o/driver" >"$dir/out"
	status=$?
	grep -v '^ok\|^1\.\.' "$dir/out" | sed 's/^not ok/# failed:/'
	report $status "its exchanges give spans ($(grep -c '^ok' "$dir/out") points)"
else
	sed 's/^/# /' "$dir/log"
	report 1 "a family is added by one row and one file"
fi
echo "1..$count"

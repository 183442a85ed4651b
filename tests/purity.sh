#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# core and span are pure: what libcore.a takes from outside must be on the list
# below, and it has no variable of its own. The test then proves on objects of
# its own making that it sees a system call, a clock and a variable.
set -u

: "${LIBCORE:?is set by make check}"
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
count=0

report() { # status, name
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
	fi
}

# Names that pure code may use, one alternative of an anchored pattern a word.
# Not here on purpose: strerror, strtok, strftime, printf, exit, getenv.
allowed='
mem(chr|rchr|cmp|cpy|move|set|mem) __mem(cpy|move|set)_chk bcmp
str(n?len|n?cmp|n?casecmp|r?chr|chrnul|str|c?spn|n?dup|pbrk|tod|toul|toull|tol|toll)
__isoc23_strto(ul|ull|l|ll) rawmemchr
(m|c|re)alloc reallocarray free
v?snprintf __v?snprintf_chk qsort bsearch
pcre2_[a-z_]+_8
protobuf_c_[a-z_]+
inflate([A-Z][A-Za-z0-9]*_?)? crc32 adler32 BrotliDecoder[A-Za-z]+
ZSTD_(createDCtx|freeDCtx|DCtx_[a-zA-Z]+|decompressStream|isError|getErrorCode)
__assert_fail __assert __stack_chk_fail
__(asan|ubsan|tsan|msan|lsan|sanitizer|sancov|gcov|llvm|start___sancov|stop___sancov)_?.*
_GLOBAL_OFFSET_TABLE_ __cpu_(model|indicator_init)
__(u?div|u?mod|u?divmod|mul|ashl|ashr|lshr|fix|fixuns|float|floatun)[a-z]*[0-9]?
(floor|ceil|round|rint|nearbyint|trunc|fabs|fmod|modf|log|log2|log10|exp|exp2|pow|sqrt|ldexp|frexp|l?lround|l?lrint)f?
'
pattern="^($(echo $allowed | tr ' ' '|'))\$"

# What an object or archive takes from outside and may not.
impure() {
	nm "$1" 2>/dev/null | awk 'NF == 3 && $2 ~ /[A-TV-Z]/ { print $3 }' | sort -u >"$dir/defined"
	nm -u "$1" 2>/dev/null | awk 'NF == 2 { print $2 }' | sort -u |
	    grep -vxF -f "$dir/defined" | grep -Ev "$pattern"
}

# Sections that hold variables. Constants with addresses in them are apart.
variables() {
	size -A "$1" | awk '$1 ~ /^\.(data|bss|tdata|tbss)(\.|$)/ &&
	    $1 !~ /^\.data\.rel\.ro/ && $2 > 0 { print $1, $2 }'
}

# Is the tiny program $1 found out by the check $2?
found_out() {
	printf '%s\n' "$1" >"$dir/x.c"
	rm -f "$dir/x.o"
	$compiler -w -c -o "$dir/x.o" "$dir/x.c" || return 1
	[ -n "$($2 "$dir/x.o")" ]
}

if ! command -v nm >/dev/null || ! command -v size >/dev/null; then
	echo "1..0 # SKIP no nm and size here"
	exit 0
fi

symbols=$(nm "$LIBCORE" 2>/dev/null | wc -l)
[ "$symbols" -gt 50 ]
report $? "libcore.a has symbols"

found=$(impure "$LIBCORE")
[ -z "$found" ] || echo "$found" | sed 's/^/# not pure: /'
[ -z "$found" ]
report $? "libcore.a takes nothing impure from outside"

if nm "$LIBCORE" | grep -qE '__(asan|ubsan|tsan|msan|sanitizer|gcov)_'; then
	report 0 "libcore.a has no variables # SKIP a sanitizer adds some"
else
	found=$(variables "$LIBCORE")
	[ -z "$found" ] || echo "$found" | sed 's/^/# variables: /'
	[ -z "$found" ]
	report $? "libcore.a has no variables"
fi

compiler=
for c in cc gcc clang; do
	if command -v "$c" >/dev/null; then
		compiler=$c
		break
	fi
done
if [ -z "$compiler" ]; then
	report 0 "the test sees what it looks for # SKIP no compiler"
else
	for call in time clock_gettime write getenv setlocale printf strerror rand \
	    pthread_mutex_lock exit; do
		found_out "int $call(); int f(void) { return $call(); }" impure
		report $? "$call is seen"
	done
	found_out 'static int n; int f(void) { return ++n; }' variables
	report $? "a static variable is seen"
	! found_out 'void *memchr(); void *f(void) { return memchr("", 0, 1); }' impure
	report $? "memchr is allowed"
fi
echo "1..$count"

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The command line: help, version, keys, check-config, and that the sample file
# and the manual page are complete.
n=0
ok() {
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
HOME=$dir; export HOME
unset XDG_DATA_HOME
sed 's/Fl \\-/--/g; s/\\-/-/g' "$TOP_SRCDIR/src/spangate.1" >man

"$SPANGATE" --version | grep -q '^spangate [0-9]'; ok $? "--version"
"$SPANGATE" --help >help; ok $? "--help"
[ "$(awk 'length > 82' help | wc -l)" -eq 0 ]; ok $? "help fits a terminal"
"$SPANGATE" nonsense 2>err; [ $? -eq 2 ] && grep -q 'no such subcommand: nonsense' err
ok $? "an unknown subcommand is refused"
"$SPANGATE" check-config --nonsense 2>err; [ $? -eq 2 ] && grep -q 'no such option: --nonsense' err
ok $? "an unknown option is refused"
"$SPANGATE" check-config extra 2>err; [ $? -eq 2 ]; ok $? "an unexpected word is refused"

# Every subcommand has a help of its own; all they name is in the manual page.
missing=
for c in $(sed -n '/^Options of serve/q; s/^  \([a-z][a-z-]*\) .*/\1/p' help); do
	"$SPANGATE" "$c" --help >"help.$c" || missing="$missing $c--help"
	grep -q -- "\\b$c\\b" man || missing="$missing $c"
	for o in $(sed -n 's/^  \(-., \)\{0,1\}--\([a-z-]*\).*/\2/p' "help.$c"); do
		grep -q -- "--$o\\b" man || missing="$missing $c--$o"
	done
done
for o in $(grep -o -- '--[a-z][a-z-]*' man | sort -u); do
	cat help* | grep -q -- "$o\\b" || missing="$missing $o(manual only)"
done
[ -z "$missing" ]; ok $? "subcommands and options are in the manual page${missing:+: missing$missing}"

# Keys.
"$SPANGATE" key --id a --environment dev >one && "$SPANGATE" key >two; ok $? "key"
key=$(sed -n 's/^  \(sg-[0-9a-f]*\)$/\1/p' one)
[ ${#key} -eq 67 ]; ok $? "a key has 256 bits"
hash=$(sed -n 's/.*id: "a", environment: "dev", sha256: "\([0-9a-f]*\)".*/\1/p' one)
[ ${#hash} -eq 64 ] && ! grep -q "$hash" two; ok $? "its line holds the hash, and no two are the same"
{ echo "listen: 0.0.0.0:8787"; echo "keys:"; sed -n '/^  - /p' one; } >keys.yaml
"$SPANGATE" check-config -c keys.yaml >out && grep -q '^keys: 1$' out; ok $? "the line can be pasted"
"$SPANGATE" key --id 'a b' 2>err; [ $? -eq 1 ]; ok $? "an odd name is refused"

# Settings.
"$SPANGATE" check-config >out && grep -q '^listen: 127.0.0.1:8787$' out; ok $? "defaults are good"
grep -q "^data: $dir/.local/share/spangate$" out; ok $? "data goes to the home directory"
printf 'threads: 1\njournal:\n  max_bites: 1\n' >bad.yaml
"$SPANGATE" check-config -c bad.yaml 2>err; [ $? -eq 1 ] &&
	grep -q '^spangate: bad.yaml:3:3: journal.max_bites: no such setting$' err
ok $? "a wrong member is named with file, line and column"
"$SPANGATE" check-config --listen=0.0.0.0:1 2>err; [ $? -eq 1 ] && grep -q 'allow_open' err
ok $? "open to the world needs keys or allow_open"
"$SPANGATE" check-config --listen=0.0.0.0:1 --allow-open >out; ok $? "--allow-open"
"$SPANGATE" check-config --sample >sample.yaml && cmp sample.yaml "$TOP_SRCDIR/conf/spangate.yaml"
ok $? "conf/spangate.yaml is the sample (spangate check-config --sample)"
"$SPANGATE" check-config -c sample.yaml >out; ok $? "the sample is good"
sed -n '/^#providers:/,/^# Members/{/^# Members/d;s/^#//;p}' sample.yaml >blocks.yaml
env OPENAI_API_KEY=k ANTHROPIC_API_KEY=k AZURE_OPENAI_API_KEY=k GEMINI_API_KEY=k \
	OPENROUTER_API_KEY=k GROQ_API_KEY=k "$SPANGATE" check-config -c blocks.yaml >out
ok $? "the sample's providers are good"
[ "$(grep -c '^provider ' out)" -eq 8 ]; ok $? "all eight"
"$SPANGATE" check-config -c blocks.yaml 2>err; [ $? -eq 1 ] &&
	grep -q ': providers.openai.api_key: the environment has no OPENAI_API_KEY' err
ok $? "a variable that is not set is named"
! grep -q 'sg-' out err; ok $? "no key is printed"

# Probing: a refused port and an unknown host, in words.
cat >probe.yaml <<'END'
providers:
  closed: { base_url: "http://127.0.0.1:1/v1", api_key: canary }
  nowhere: { base_url: "https://nowhere.invalid/v1", api_key: canary }
END
"$SPANGATE" check-config --probe -c probe.yaml >out 2>&1; [ $? -eq 1 ]; ok $? "a failed probe is an error"
grep -q 'tcp   FAILED: port 1 of 127.0.0.1 cannot be reached' out; ok $? "a closed port"
grep -q 'name  FAILED: nowhere.invalid could not be looked up' out; ok $? "an unknown name"
! grep -q canary out; ok $? "a probe prints no key"
echo "1..$n"

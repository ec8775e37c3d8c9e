#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The command without a daemon: grammar, help, exit statuses, checking a file. Not here: what a daemon
# answers (show.sh, change.sh).
. "$(dirname "$0")/../lib/tap.sh"
PATH=$O:$PATH
export STARLING_SOCKET=$TMP/nobody.sock

exits "help exits 0" 0 starling help
exits "help of an object exits 0" 0 starling vip help
exits "-h exits 0" 0 starling -h
exits "help of nothing known exits 2" 2 starling help vips
exits "no words exit 2" 2 starling
exits "an unknown option exits 2" 2 starling --colour vip show
exits "an option without its value exits 2" 2 starling -s
exits "an unknown object exits 2" 2 starling vap show
says_of() { starling "$@" 2>&1; }
equal "a verb before its object is put right" 'starling: the object comes before the verb: "vip show"' "$(says_of show vip)"
# shellcheck disable=SC2016 # no command, but what is said
equal "an option behind the words too" 'starling: options stand before the words: `starling -j vip ...`' "$(says_of vip show -j)"
exits "a missing word exits 2" 2 starling backend add web
exits "an option of a later issue is an unknown word" 2 starling vip add web tcp/203.0.113.10:80 announce auto
exits "an object of a later issue is an unknown word" 2 starling guard show
exits "no daemon exits 3" 3 starling vip show
exits "no daemon exits 3 in JSON" 3 starling -j status
exits "version needs no daemon" 0 starling version
exits "a file that is not there exits 1" 1 starling config check "$TMP/none.conf"
exits "an unwritable output is no success" 1 bash -c 'starling help >/dev/full'

equal "help goes to stdout" "" "$(starling help 2>&1 >/dev/null)"
equal "misuse goes to stderr" "" "$(starling vip shwo 2>/dev/null)"
equal "a typing error is met with the word that was meant" \
	'starling: vip has no command "shwo"; did you mean "show"?' "$(starling vip shwo 2>&1)"
equal "an error in JSON has code, message and no place" 'usage true null null null' \
	"$(starling -j vip shwo | jq -r '.error | "\(.code) \(.message | length > 0) \(.file) \(.line) \(.column)"')"
equal "every object of the help has help of its own" "" "$(
	starling help | awk '/^[a-z]/ && $1 != "usage:" { print $1 }' | sort -u | while read -r object; do
		starling help "$object" >/dev/null || echo "$object"
	done
)"

# --- files ---
cat >"$TMP/bad.conf" <<'END'
vip add web tcp/203.0.113.10:443 scheduler wlc
backend add web 10.0.0.11:443 weight 100
    backend add web 10.0.0.12:443 weight -5
END
exits "a wrong file exits 4" 4 starling config check "$TMP/bad.conf"
equal "a wrong file is shown with line, column and caret" "bad.conf:3:42: weight must be 0 to 65535, not \"-5\"
        backend add web 10.0.0.12:443 weight -5
                                             ^
1 error; nothing was changed" "$(cd "$TMP" && starling config check bad.conf 2>&1)"
equal "and in JSON" "configuration 3 42" \
	"$(starling -j config check "$TMP/bad.conf" | jq -r '.error | "\(.code) \(.line) \(.column)"')"
printf 'vip add web tcp/203.0.113.10:443\nbackend add web 10.0.0.11:443\n' >"$TMP/good.conf"
exits "a right file exits 0" 0 starling config check "$TMP/good.conf"
exits "a file may come by standard input" 0 bash -c "starling config check - <'$TMP/good.conf'"
exits "starlingd -t says so too" 0 starlingd -t -f "$TMP/good.conf"
exits "starlingd -t refuses a wrong file with 4" 4 starlingd -t -f "$TMP/bad.conf"
equal "starlingd -t names the place" 1 "$(starlingd -t -f "$TMP/bad.conf" 2>&1 | grep -c 'bad.conf:3:42: ')"
exits "starlingd without sense exits 2" 2 starlingd --slots many
exits "starlingd takes no words" 2 starlingd vip show
head -c 100000 /dev/urandom >"$TMP/noise.conf"
exits "noise is no configuration" 4 starling config check "$TMP/noise.conf"
head -c 300000 /dev/zero >"$TMP/zero.conf"
exits "neither are zeros" 4 starling config check "$TMP/zero.conf"
exits "an empty file is right" 0 starling config check /dev/null

# --- batch, completion ---
printf 'version\n\n# a comment\nhelp vip\nvip shwo\nversion\n' >"$TMP/batch"
said=$(starling batch file "$TMP/batch" 2>&1)
equal "a batch stops at the first error and names its line" 1 "$(grep -c "batch:5" <<<"$said")"
equal "what stands behind it is not run" 1 "$(grep -c '^starling 0' <<<"$said")"
exits "a batch exits as its command did" 2 starling batch file "$TMP/batch"
exits "a batch runs no batch" 2 bash -c "echo 'batch file -' | starling batch file -"
equal "completion knows an object's commands" "address" "$(starling --complete vip | grep '^address$')"
check "the completion script is bash" bash -n <(starling --completion bash)

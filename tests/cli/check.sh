#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# tools/dev/check.sh over suites of its own: what ends in which way is counted as what. Not here: what real suites say.
# shellcheck disable=SC2016 # programs expand $PPID, which is timeout(1)
. "$(dirname "$0")/../lib/tap.sh"

mkdir -p "$TMP/tools/dev" "$TMP/tests/one" "$TMP/tests/two" "$TMP/bin"
cp "$TOP/tools/dev/check.sh" "$TMP/tools/dev"
program() { # SUITE/NAME LINE...
	printf '%s\n' '#!/bin/bash' "${@:2}" >"$TMP/tests/$1.sh"
	chmod +x "$TMP/tests/$1.sh"
}
summary() { # SUITE...
	(cd "$TMP" && env -u TESTS PATH="$TMP/bin:$PATH" O="$TMP/build" JOBS=5 tools/dev/check.sh "$@" 2>&1) >"$TMP/summary"
	echo "$? $(tail -n 1 "$TMP/summary")"
}

program one/passes 'echo ok - 1'
program one/fails 'echo not ok - 1' 'exit 1'
program one/skips 'echo "ok - 1 # SKIP"'
equal "what passes, fails and skips is counted" "1 1 passed, 1 failed, 1 skipped" "$(summary one)"

# while one suite is reported, which takes a while: bash knows no job any more that a signal ended then
rm "$TMP/build/check/seconds"
printf '%s\n' '#!/bin/bash' 'sleep 0.1' "exec $(command -v grep) \"\$@\"" >"$TMP/bin/grep"
chmod +x "$TMP/bin/grep"
program two/alone '# alone: its reason' 'kill -SEGV $PPID'
program two/crashes 'sleep 0.5' 'kill -SEGV $PPID'
program two/killed 'sleep 0.6' 'kill -KILL $PPID'
program two/last 'sleep 3' 'echo ok - 1'
program two/stays 'sleep 0.5' 'echo ok - 1'
equal "one that a signal ends has failed, and the others are counted" "1 3 passed, 4 failed, 1 skipped" "$(summary one two)"
check "its status is told" grep -q 'killed.sh ends with status 137' "$TMP/build/check/two-killed.log"
check "of each its own" grep -q 'crashes.sh ends with status 139' "$TMP/build/check/two-crashes.log"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Runs the test suites and counts their results: check.sh [SUITE...]. A suite is every program of a
# kind that exists; each prints TAP (`ok`, `not ok`, `# SKIP`). Ends with `N passed, N failed, N skipped`.
# Not here: the tests, and building them (Makefile).
set -u
cd "$(dirname "$0")/../.." || exit 2

O=${O:-build}
FUZZ_SECONDS=${FUZZ_SECONDS:-5}
SUITES="lint unit unit-san sim model cli fuzz bpf net vm"
ROOT_SUITES=" bpf net vm "
LIMIT=${LIMIT:-600} # seconds that one program may take before it counts as hanging

passed=0 failed=0 skipped=0
logs=$O/check
failures=()
mkdir -p "$logs"

# The programs of a suite, one a line; a suite that does not exist is empty.
programs() {
	local f
	case $1 in
	lint) echo tools/dev/lint.sh ;;
	unit | sim | bpf) for f in "tests/$1"/*_test.c; do [ -e "$f" ] && echo "$O/${f%.c}"; done ;;
	unit-san) for f in tests/unit/*_test.c; do [ -e "$f" ] && echo "$O-san/${f%.c}"; done ;;
	fuzz) for f in tests/fuzz/*_fuzz.c; do [ -e "$f" ] && echo "$O-fuzz/${f%.c}"; done ;;
	*) for f in "tests/$1"/*.sh; do [ -x "$f" ] && echo "$f"; done ;;
	esac
}

# One program into its log; libFuzzer's programs tell a result only by their status.
run() {
	local suite=$1 program=$2 log=$3 corpus status
	if [ "$suite" = fuzz ]; then
		corpus=tests/fuzz/corpus/$(basename "$program" _fuzz)
		[ -d "$corpus" ] || corpus=
		# shellcheck disable=SC2086 # none or one word
		timeout -k 10 "$LIMIT" "$program" -max_total_time="$FUZZ_SECONDS" -timeout=10 \
			-artifact_prefix="$logs/" "$logs/corpus" $corpus >"$log" 2>&1
		status=$?
		[ $status = 0 ] && echo "ok 1 - $(basename "$program") finds nothing in $FUZZ_SECONDS s" >>"$log"
		return $status
	fi
	CMOCKA_MESSAGE_OUTPUT=TAP O=$O timeout -k 10 "$LIMIT" "$program" >"$log" 2>&1 </dev/null
}

# Adds a log's lines to the sums; a status without a failed line is a failure of its own.
count() {
	local program=$1 log=$2 status=$3 ok bad skip
	skip=$(grep -ciE '^(not )?ok.*# *skip|^skip\b' "$log")
	ok=$(grep -iE '^ok\b' "$log" | grep -civE '# *skip')
	bad=$(grep -iE '^not ok\b' "$log" | grep -civE '# *skip')
	if [ "$status" != 0 ] && [ "$bad" = 0 ]; then
		bad=1
		echo "not ok - $program ends with status $status" >>"$log"
	elif [ $((ok + bad + skip)) = 0 ]; then
		bad=1
		echo "not ok - $program tests nothing" >>"$log"
	fi
	passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
	if [ "$bad" != 0 ]; then
		failures+=("$log")
		printf '    %s\n' "$program: $bad failed"
		grep -iE '^not ok\b' "$log" | sed 's/^/        /' | head -20
	fi
	grep -iE '^(not )?ok.*# *skip|^skip\b' "$log" | sed 's/^/    /'
}

suite() {
	local name=$1 program log began=$SECONDS sums=$((passed + failed + skipped)) status list
	list=$(programs "$name")
	[ -n "$list" ] || return 0
	if [ "$(id -u)" != 0 ] && [[ $ROOT_SUITES == *" $name "* ]]; then
		skipped=$((skipped + 1))
		printf '  %-9s skip: needs root\n' "$name"
		return 0
	fi
	for program in $list; do
		log=$logs/$name-$(basename "${program%.sh}").log
		mkdir -p "$logs/corpus"
		if [ -x "$program" ]; then
			run "$name" "$program" "$log"
			status=$?
		else
			echo "not ok - $program is not built" >"$log"
			status=127
		fi
		count "$program" "$log" $status
	done
	printf '  %-9s %4d tests  %3d s\n' "$name" $((passed + failed + skipped - sums)) $((SECONDS - began))
}

# shellcheck disable=SC2086 # a list of words
[ $# -gt 0 ] || set -- $SUITES
for name; do
	suite "$name"
done
for log in "${failures[@]}"; do
	printf '\n==> %s <==\n' "$log"
	tail -n 25 "$log"
done
rm -rf "$logs/corpus"
printf '\n%d s\n%d passed, %d failed, %d skipped\n' $SECONDS $passed $failed $skipped
[ $failed = 0 ] && [ $passed -gt 0 ]

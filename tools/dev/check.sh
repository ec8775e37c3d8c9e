#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Runs the test suites and counts their results: check.sh [SUITE...]. A suite is every program of a kind that exists;
# each prints TAP (`ok`, `not ok`, `# SKIP`). JOBS of them run at a time, by default three for two CPUs, since labs wait
# more than they compute, and those that took longest first; one whose head has a line `alone: WHY` runs with no other
# one, at the end. TESTS="heal lint": only programs of these names. Ends with `N passed, N failed, N skipped`.
# Not here: the tests, and building them (Makefile).
set -u
cd "$(dirname "$0")/../.." || exit 2

O=${O:-build}
JOBS=${JOBS:-$((($(nproc) * 3 + 1) / 2))}
TESTS=${TESTS:-}
FUZZ_SECONDS=${FUZZ_SECONDS:-5}
SUITES="lint net vm model cli sim bpf fuzz unit-san unit" # long programs first, where nothing is known of them
ROOT_SUITES=" bpf net vm "
LIMIT=${LIMIT:-600} # seconds that one program may take before it counts as hanging

passed=0 failed=0 skipped=0
logs=$O/check
failures=()
declare -a SUITE=() PROGRAM=() LOG=() ALONE=() BEGAN=() TOOK=() STATUS=() # of each program, by its number
declare -A RUNNING=() # numbers, by process
declare -A LEFT=()    # how many of a suite have not ended
declare -A KNOWN=()   # seconds that they took the last time, by log

# The sources of a suite's programs, one a line; a suite that does not exist has none.
sources() {
	local f
	case $1 in
	lint) echo tools/dev/lint.sh ;;
	unit | sim | bpf) compgen -G "tests/$1/*_test.c" ;;
	unit-san) compgen -G "tests/unit/*_test.c" ;;
	fuzz) compgen -G "tests/fuzz/*_fuzz.c" ;;
	*) for f in "tests/$1"/*.sh; do [ -x "$f" ] && echo "$f"; done ;;
	esac
}

program_of() { # SUITE SOURCE
	case $1 in
	unit | sim | bpf) echo "$O/${2%.c}" ;;
	unit-san | fuzz) echo "$O-clang/${2%.c}" ;;
	*) echo "$2" ;;
	esac
}

# The programs of a suite get numbers.
add() { # SUITE
	local suite=$1 source name n
	if [ "$(id -u)" != 0 ] && [[ $ROOT_SUITES == *" $suite "* ]]; then
		skipped=$((skipped + 1))
		printf '  %-9s skip: needs root\n' "$suite"
		return
	fi
	for source in $(sources "$suite"); do
		name=$(basename "${source%.*}")
		[ -z "$TESTS" ] || [[ " $TESTS " == *" $name "* ]] || continue
		n=${#PROGRAM[@]}
		SUITE[n]=$suite PROGRAM[n]=$(program_of "$suite" "$source") LOG[n]=$logs/$suite-$name.log
		ALONE[n]=$(head -n 10 "$source" | grep -cE '^(#| \*|//) alone: ')
		LEFT[$suite]=$((${LEFT[$suite]:-0} + 1))
	done
}

# Numbers of programs in the order in which they run: of those that run with others, or alone.
order() { # 0|1
	local n
	for n in "${!PROGRAM[@]}"; do
		[ "$((ALONE[n] > 0))" != "$1" ] || printf '%d %d\n' "${KNOWN[${LOG[n]}]:-$LIMIT}" "$n"
	done | sort -s -k 1,1rn | cut -d ' ' -f 2
}

# One program into its log; in its process, which it takes over.
run() { # SUITE PROGRAM
	local name corpus=()
	name=$(basename "$2")
	if [ ! -x "$2" ]; then
		echo "not ok - $2 is not built"
		exit 127
	elif [ "$1" = fuzz ]; then
		corpus=("$logs/corpus/$name" "tests/fuzz/corpus/${name%_fuzz}")
		mkdir -p "${corpus[0]}"
		[ -d "${corpus[1]}" ] || unset "corpus[1]"
		set -- "$2" -max_total_time="$FUZZ_SECONDS" -timeout=10 -artifact_prefix="$logs/" "${corpus[@]}"
	else
		shift
	fi
	O=$O JOBS=$((${#PROGRAM[@]} > 1 ? 1 : JOBS)) CMOCKA_MESSAGE_OUTPUT=TAP exec timeout -k 10 "$LIMIT" "$@"
}

start() { # NUMBER
	BEGAN[$1]=${EPOCHREALTIME/[.,]/}
	run "${SUITE[$1]}" "${PROGRAM[$1]}" >"${LOG[$1]}" 2>&1 </dev/null &
	RUNNING[$!]=$1
}

# Waits for one to end; the last one of a suite has that reported. Of one that a signal ends bash forgets that it was a
# job: `wait -n` does not tell of it, `wait` still knows its status.
finish() {
	local pid='' each status n
	for each in "${!RUNNING[@]}"; do kill -0 "$each" 2>/dev/null || pid=$each; done
	if [ -n "$pid" ]; then
		wait "$pid"
	else
		wait -n -p pid "${!RUNNING[@]}"
	fi
	status=$?
	[ -n "${pid:-}" ] || return # it has ended since it was looked for
	n=${RUNNING[$pid]}
	unset "RUNNING[$pid]"
	STATUS[n]=$status TOOK[n]=$((${EPOCHREALTIME/[.,]/} - BEGAN[n]))
	LEFT[${SUITE[n]}]=$((LEFT[${SUITE[n]}] - 1))
	[ "${LEFT[${SUITE[n]}]}" != 0 ] || report "${SUITE[n]}"
}

# Adds a log's lines to the sums; a status without a failed line is a failure of its own.
count() { # NUMBER
	local n=$1 program=${PROGRAM[$1]} log=${LOG[$1]} ok bad skip
	# libFuzzer's programs tell a result only by their status
	[ "${SUITE[n]} ${STATUS[n]}" != "fuzz 0" ] || echo "ok 1 - $(basename "$program") finds nothing in $FUZZ_SECONDS s" >>"$log"
	skip=$(grep -ciE '^(not )?ok.*# *skip|^skip\b' "$log")
	ok=$(grep -iE '^ok\b' "$log" | grep -civE '# *skip')
	bad=$(grep -iE '^not ok\b' "$log" | grep -civE '# *skip')
	if [ "${STATUS[n]}" != 0 ] && [ "$bad" = 0 ]; then
		bad=1
		echo "not ok - $program ends with status ${STATUS[n]}" >>"$log"
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

# A suite's results, in the order of its programs; what these took, and which of them longest.
report() { # SUITE
	local suite=$1 n sum=0 before=$((passed + failed + skipped)) slowest
	for n in "${!PROGRAM[@]}"; do
		[ "${SUITE[n]}" = "$suite" ] || continue
		count "$n"
		sum=$((sum + TOOK[n]))
	done
	slowest=$(for n in "${!PROGRAM[@]}"; do
		[ "${SUITE[n]}" != "$suite" ] || echo "$((TOOK[n] / 1000000)) $(basename "${PROGRAM[n]%.sh}")"
	done | sort -rn | awk '$1 >= 10 && NR <= 4 { words = words ", " $2 " " $1 } END { print words }')
	printf '  %-9s %4d tests  %4d s%s\n' "$suite" $((passed + failed + skipped - before)) $((sum / 1000000)) "$slowest"
}

# They clean up after themselves when they are told to end.
stop() {
	trap '' HUP INT TERM
	[ ${#RUNNING[@]} = 0 ] || kill "${!RUNNING[@]}" 2>/dev/null
	wait
	exit 130
}
trap stop HUP INT TERM

mkdir -p "$logs"
while read -r log n; do KNOWN[$log]=$n; done < <(cat "$logs/seconds" 2>/dev/null)
# shellcheck disable=SC2086 # a list of words
[ $# -gt 0 ] || set -- $SUITES
for name; do add "$name"; done

for n in $(order 0); do
	while [ ${#RUNNING[@]} -ge "$JOBS" ]; do finish; done
	start "$n"
done
while [ ${#RUNNING[@]} != 0 ]; do finish; done
for n in $(order 1); do
	start "$n"
	while [ ${#RUNNING[@]} != 0 ]; do finish; done
done

for n in "${!PROGRAM[@]}"; do KNOWN[${LOG[n]}]=$((TOOK[n] / 1000000)); done
for log in "${!KNOWN[@]}"; do echo "$log ${KNOWN[$log]}"; done | sort >"$logs/seconds"
for log in "${failures[@]}"; do
	printf '\n==> %s <==\n' "$log"
	tail -n 25 "$log"
done
rm -rf "$logs/corpus"
printf '\n%d s\n%d passed, %d failed, %d skipped\n' $SECONDS $passed $failed $skipped
[ $failed = 0 ] && [ $passed -gt 0 ]

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The long runs: soak.sh [SUITE/TEST...], by default all that are longer under SOAK=1. One row a program, with
# the seed and the commit that repeat it. SEED=n; SAMPLE=1 runs them at the checks' size.
# Not here: the tests, and building them (Makefile).
set -u
cd "$(dirname "$0")/../.." || exit 2

O=${O:-build}
SEED=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
LIMIT=${LIMIT:-14400} # seconds
commit=$(git describe --always --dirty 2>/dev/null || echo unknown)
logs=$O/soak
status=0
mkdir -p "$logs"

[ $# -gt 0 ] || set -- sim/cells bpf/fuzz bpf/active bpf/established bpf/publish_stress cli/abuse cli/kill \
	net/forward net/change net/restart net/flock net/heal net/together net/upgrade net/discover net/admit net/bulk net/sites net/crowd
export O SEED CMOCKA_MESSAGE_OUTPUT=TAP
[ -n "${SAMPLE:-}" ] || export SOAK=1

printf '%-20s %7s %7s %8s  %-10s  %s\n' TEST PASSED FAILED SECONDS SEED COMMIT
for name; do
	program=tests/$name.sh
	[ -x "$program" ] || program=$O/tests/${name}_test
	log=$logs/${name/\//-}.log
	began=$SECONDS
	timeout -k 10 "$LIMIT" "$program" >"$log" 2>&1 </dev/null
	ended=$?
	passed=$(grep -c '^ok' "$log") failed=$(grep -c '^not ok' "$log")
	if [ $ended != 0 ] && [ "$failed" = 0 ]; then failed=1; fi
	[ "$failed" = 0 ] && [ "$passed" != 0 ] || status=1
	printf '%-20s %7d %7d %8d  %-10s  %s\n' "$name" "$passed" "$failed" $((SECONDS - began)) "$SEED" "$commit"
	[ "$failed" = 0 ] || grep -A 5 '^not ok' "$log" | sed 's/^/    /' | head -20
done
exit $status

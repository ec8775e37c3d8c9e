#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Spin goes through all states of the register's model, and finds what is broken where something is. DEEP=1: the largest
# bounds too, a minute or two and 2.2 GB more. Not here: the model and what it leaves out (register.pml).
. "$(dirname "$0")/../lib/tap.sh"

MODEL=$TOP/tests/model/register.pml

# Into $TMP/said: what the search says. States that were not looked at, for depth or memory, are an error of it.
search() { # OPTIMIZATION -DMACRO...
	local level=$1
	shift
	rm -f "$TMP"/pan* "$TMP"/*.trail
	(cd "$TMP" && cp "$MODEL" . && spin -a "$@" register.pml && gcc "$level" -w -DSAFETY -DNOREDUCE \
		-DMEMLIM=4000 -o pan pan.c && ./pan -m1000 -w22) >"$TMP/said" 2>&1
}

sum() {
	sed -nE 's/^ *([0-9]+) states, stored.*/\1 states/p; s/^ *([0-9]+)\.[0-9]+\ttotal actual memory usage.*/\1 MB/p
		s/^pan: elapsed time ([0-9.]+) .*/\1 s/p' "$TMP/said" | paste -sd, | sed 's/,/, /g'
}

# The last steps before an assertion failed.
trail() { # -DMACRO...
	(cd "$TMP" && spin -t -B "$@" register.pml 2>&1 | tail -n 25)
}

holds() { # NAME -DMACRO...
	local name=$1
	shift
	if search -O2 "$@" && grep -q 'errors: 0$' "$TMP/said" && ! grep -qE 'not completed|too small' "$TMP/said"; then
		ok "$name: $*"
		note "$(sum)"
	else
		not_ok "$name: $*" "$(grep '^pan' "$TMP/said"; trail "$@")"
	fi
}

found() { # NAME ASSERTION -DMACRO...
	local name=$1 assertion=$2
	shift 2
	search -O0 "$@" # the compiler would take longer than the search
	if grep '^pan:1: assertion violated' "$TMP/said" | grep -q "$assertion"; then
		ok "$name: $*"
		note "$(sum)"
	else
		not_ok "$name: $*" "$(head -n 25 "$TMP/said")"
	fi
}

broken() { # NAME -DMACRO...
	found "$1 is found" chosen.*==offer "${@:2}"
}

if ! command -v spin >/dev/null; then
	skip "the register's model" "spin is not installed"
	exit 0
fi

found "other voters decide the next version" '1==1' -DREACH=1
found "who had an older file votes again" '2==2' -DREACH=2 -DOLDER=1

holds "a version has one value" -DBALLOTS=3 -DVERSIONS=2
holds "a version has one value" -DBALLOTS=4 -DVERSIONS=1
holds "also with any node's older file" -DBALLOTS=2 -DVERSIONS=2 -DOLDER=15
holds "also with a voter's older file" -DBALLOTS=3 -DVERSIONS=1 -DOLDER=1
if [ "${DEEP:-0}" != 0 ]; then
	holds "also with a voter's older file" -DBALLOTS=3 -DVERSIONS=2 -DOLDER=1
fi

broken "a promise that is not kept" -DNO_PROMISE -DBALLOTS=2 -DVERSIONS=1
broken "a store that has lost its file, but not its number" -DAMNESIA -DBALLOTS=2 -DVERSIONS=1 -DOLDER=1
broken "a change of voters that the new ones decide" -DNO_CHAIN -DBALLOTS=2 -DVERSIONS=1
broken "an older file that votes at once" -DNO_RECOVERY -DBALLOTS=2 -DVERSIONS=1 -DOLDER=1
broken "an older file that votes when told, while its former votes count" -DTELL_ONLY -DBALLOTS=2 -DVERSIONS=1 -DOLDER=1
broken "an older file that asks one version's voters alone" -DONCE -DBALLOTS=3 -DVERSIONS=2 -DOLDER=1

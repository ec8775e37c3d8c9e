#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Requests over new connections while weights change every second, a backend is added, one drained
# and one deleted. Not here: the daemon's end (restart.sh), exact shares (schedule.sh).
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/lab.sh"

AT_ONCE=20 # connections at a time: what may be in flight on a backend that is deleted
ROUNDS=5
[ -z "${SOAK:-}" ] || ROUNDS=40

{
	vip_lines maglev 10 mh dr 4 4
	vip_lines least 11 wlc ipip 4 4
	vip_lines robin 12 wrr gue 6 4
} >"$TMP/config"
lab_begin --backends 5 --config "$TMP/config"

change() { # NAME VERSION
	local name=$1 version=$2 i j
	for ((i = 0; i < ROUNDS; i++)); do
		for j in 1 2 3 4; do
			lb backend set "$name" "$(be $j "$version")" weight $((1 + (i * 7 + j * 5) % 20)) || return 1
		done
		case $i in
		1) lb backend add "$name" "$(be 5 "$version")" weight 10 || return 1 ;;
		3) lb backend drain "$name" "$(be 2 "$version")" reason test || return 1 ;;
		esac
		sleep 1
	done
}

for row in "maglev 10 4" "least 11 4" "robin 12 6"; do
	read -r name number version <<<"$row"
	load_begin "$name" -c $AT_ONCE "$(vip4 "$number")" "$(vip6 "$number")"
	sleep 0.5
	check "$name: weights change every second, a backend is added, one drained" change "$name" "$version"
	[ "$name" != maglev ] || sleep $WARM_S
	load_end "$name"
	check "$name: many requests were made meanwhile" test "$(word_of ok "$SAID")" -gt 2000
	equal "$name: none fails" 0 "$(word_of failed "$SAID")"
	check "$name: the added backend serves" test "$(word_of be5 "$SAID")" -gt 100
	none_fails "$name: none fails when one is drained" 5000 "$(vip4 "$number")" "$(vip6 "$number")"
	equal "$name: and it gets no new ones" 0 "$(word_of be2 "$LAST")"

	load_begin "$name" -c $AT_ONCE "$(vip4 "$number")" "$(vip6 "$number")"
	sleep 0.5
	check "$name: a backend is deleted under load" lb backend delete "$name" "$(be 1 "$version")"
	sleep 1
	load_end "$name"
	check "$name: only what was in flight on it fails" test "$(word_of failed "$SAID")" -le $AT_ONCE
	none_fails "$name: none fails after it" 5000 "$(vip4 "$number")" "$(vip6 "$number")"
	equal "$name: and it gets no more" 0 "$(word_of be1 "$LAST")"
done

# --- flows that a change would end
effect() { # KEY WORDS...: of a dry run
	local key=$1
	shift
	lb -j -n "$@" | jq -r "[.[] | select(.object == \"effect\")][0].$key"
}
hold_begin open -n 40 "$(vip4 11)"
active() { lb -j backend show vip least | jq '[.[].active] | add'; } # former loads may have some that end yet
ends_all() { # KEY WORDS...
	local before
	before=$(active)
	[ "$before" -ge 40 ] && [ "$(effect "$@")" = "$before" ] && [ "$(active)" = "$before" ]
}
check "a dry run says what ends with a VIP" wait_for 10 ends_all flows_vip vip delete least
check "at most so many end with an address" wait_for 10 ends_all flows_address vip address least delete "tcp/$(vip4 11)"
ends_some() { # likewise of a backend
	local before
	before=$(backend_value least "$(be 3)" active)
	[ "$before" -gt 0 ] && [ "$(effect flows_backend backend delete least "$(be 3)")" = "$before" ]
}
check "and with a backend those that it has" wait_for 10 ends_some
hold_again open
equal "saying it ends none" "40 0" "$(word_of ok "$SAID") $(word_of failed "$SAID")"

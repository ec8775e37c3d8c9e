#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Four balancers as one flock whose network breaks and heals: one way, into halves, and all of them restarted at once.
# Halves last 5 s, a minute under SOAK. Not here: single balancers that go (flock.sh), many seeds (make sim).
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/lab.sh"
. "$TOP/tests/lib/flock.sh"

PARTED=5
[ -z "${SOAK:-}" ] || PARTED=60

{
	vip_lines least 10 wlc ipip 4 2
	vip_lines maglev 11 mh dr 4 2
} >"$TMP/config"
lab_begin --balancers 4 --backends 2 --config "$TMP/config"
flock_begin 4

# --- one way: lb4 does not hear lb1
deaf 4 1
out=0
for ((i = 0; i < 20; i++)); do
	for n in "${FLOCK[@]}"; do
		out=$((out + $(at "$n" -j node show | jq '[.. | objects | select(.state? == "dead" or .state? == "unfit")] | length')))
	done
	sleep 0.25
done
equal "a cut in one direction takes nobody out" 0 "$out"
hold_begin relayed -n 200 -c 200 "$(vip4 10)"
relayed() { [ "$(node_value 1 1 open)" -gt 0 ] && [ "$(node_value 4 1 open)" = "$(node_value 1 1 open)" ]; }
check "and loads come by a helper" wait_for 25 relayed
hold_again relayed >/dev/null
hears 4 1

# --- the same change on all, one after the other
for n in "${FLOCK[@]}"; do at "$n" backend set least "$(be 1)" weight 7 >/dev/null; done
began=$(date +%s%N)
check "after the same change on all, all have the same tables" wait_for 10 all_same
note "$(since "$began") ms after the last change, asking included"

# --- halves
halves deaf
half_apart() { state_is 1 4 dead && state_is 2 3 dead && state_is 3 2 dead && state_is 4 1 dead; }
check "halves hold each other dead" wait_for 20 half_apart
check "and themselves alive" bash -c "[ '$(node_value 1 2 state) $(node_value 4 3 state)' = 'alive alive' ]"
sleep $PARTED
at 1 node drain reason left >/dev/null
at 4 node drain reason right >/dev/null
for n in 1 2; do at $n backend set maglev "$(be 1)" weight 3 >/dev/null; done
for n in 3 4; do at $n backend set maglev "$(be 1)" weight 4 >/dev/null; done
draining() { [ "$(node_value "$1" "$2" 'is | join(",")')" = draining ]; }
check "each half knows its own facts" wait_for 10 draining 2 1
check "and nothing of the other's" bash -c "! '$LAB' exec lb3 starling -j node show | jq -e '[.. | objects | select(.name? == \"lb1\")][0].is'"
halves hears
began=$(date +%s%N)
one_state() { all_alive && draining 4 1 && draining 3 1 && draining 1 4 && draining 2 4; }
check "healed, all know all" wait_for 20 one_state
note "$(since "$began") ms after the heal, asking included"
differs() { [ "$(node_value 1 3 differs)" != null ] && [ "$(node_value 4 2 differs)" != null ]; }
check "and what the halves were told differently is named" wait_for 10 differs
for n in 3 4; do at $n backend set maglev "$(be 1)" weight 3 >/dev/null; done
at 1 node enable >/dev/null
at 4 node enable >/dev/null
check "until they are told the same" wait_for 10 all_same

# --- all at once
for n in "${FLOCK[@]}"; do kill -9 "$(daemon_pid "lb$n")"; done
began=$(date +%s%N)
"$LAB" up >/dev/null
check "all restarted at once, all are members again" wait_for 20 all_alive
note "$(since "$began") ms after the kill, starting and asking included"

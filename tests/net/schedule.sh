#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Shares that real connections get: wrr's are exact, wlc's follow what is open. Not here: mh (tests/unit).
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/lab.sh"

{
	vip_lines robin 10 wrr ipip 4 3 5 3 2
	vip_lines least 11 wlc gue 4 3 10 10 10
	vip_lines heavy 12 wlc dr 4 3 1 2 2
} >"$TMP/config"
lab_begin --backends 3 --config "$TMP/config"

exact() { # NAME WANTED1 WANTED2 WANTED3: of the last 10,000
	local i wanted
	note "$LAST"
	for i in 1 2 3; do
		wanted=$(($1 + 0))
		shift
		near "$wanted" "$(word_of be$i "$LAST")" 3 || return 1
	done
}

none_fails "wrr: 10,000 connections, none fails" 10000 "$(vip4 10)"
check "wrr 5:3:2 is exact to 3 of 10,000" exact 5000 3000 2000
for pair in 1:2 2:3 3:5; do lb backend set robin "$(be ${pair%:*})" weight ${pair#*:} >/dev/null; done
none_fails "wrr: 10,000 more after a change of weights" 10000 "$(vip4 10)"
check "wrr is exact to 3 right after the change to 2:3:5" exact 2000 3000 5000
lb backend disable robin "$(be 3)" >/dev/null
none_fails "wrr: 5,000 without the third" 5000 "$(vip4 10)"
check "wrr is exact to 3 among those that are left" exact 2000 3000 0
lb backend enable robin "$(be 3)" >/dev/null
none_fails "wrr: 10,000 more after its return" 10000 "$(vip4 10)"
check "wrr is exact to 3 right after a return: nothing is caught up" exact 2000 3000 5000
none_fails "wrr: 10,000 over IPv6" 10000 "$(vip6 10)"
check "wrr is exact to 3 over IPv6" exact 2000 3000 5000

shares() { # TOTAL PERCENT WEIGHTS...: of what is held or was answered in $SAID
	local total=$1 percent=$2 i=0 sum=0 weight wanted
	shift 2
	for weight; do sum=$((sum + weight)); done
	for weight; do
		i=$((i + 1)) wanted=$((total * weight / sum))
		near $wanted "$(word_of be$i "$SAID")" $((wanted * percent / 100)) || return 1
	done
}

hold_begin long -n 3000 "$(vip4 11)" "$(vip6 11)"
check "wlc: long-lived connections are within 5 % of the mean" shares 3000 5 1 1 1
equal "wlc: active is what is open" 3000 "$(vip_value least active)"
hold_again long
equal "wlc: none of them broke" 3000 "$(word_of ok "$SAID")"

hold_begin weighted -n 3000 "$(vip4 12)"
check "wlc 1:2:2: long-lived connections are within 5 % of their shares" shares 3000 5 1 2 2
hold_again weighted
equal "wlc 1:2:2: none of them broke" 3000 "$(word_of ok "$SAID")"

quiet() { # everything that was closed is no longer counted
	[ "$(vip_value least active)" = 0 ]
}
check "wlc: active is 0 when all have closed" wait_for 90 quiet
for i in 2 3; do lb backend disable least "$(be $i)" >/dev/null; done
hold_begin loaded -n 600 "$(vip4 11)"
equal "wlc: one backend alone takes all" 600 "$(word_of be1 "$SAID")"
for i in 2 3; do lb backend enable least "$(be $i)" >/dev/null; done
hold_begin avoid -n 600 "$(vip4 11)"
equal "wlc: new connections avoid the loaded backend" 0 "$(word_of be1 "$SAID")"
check "wlc: and share the others" near 300 "$(word_of be2 "$SAID")" 15
hold_again avoid
equal "wlc: none of the new ones broke" 600 "$(word_of ok "$SAID")"
hold_again loaded
equal "wlc: none of the old ones broke" 600 "$(word_of ok "$SAID")"

# No SYN-ACK reaches the client while it sends all its SYNs: within one round trip, however long.
wait_for 90 quiet
"$LAB" fault client cut in
HOLD_LATER=yes hold_begin burst -n 1000 "$(vip4 11)"
half() {
	[ "$(backend_value least "$(be 1)" half)" -gt 250 ]
}
wait_for 5 half
spread=$(for i in 1 2 3; do backend_value least "$(be $i)" half; done | xargs)
SAID=$(awk '{ print "be1", $1, "be2", $2, "be3", $3 }' <<<"$spread")
note "half open: $SAID"
check "wlc: a burst of 1,000 SYNs within one round trip spreads evenly" shares 1000 5 1 1 1
"$LAB" fault client clear
hold_wait burst
check "wlc: and so do the connections that come of it" shares 1000 5 1 1 1
hold_again burst
equal "wlc: none of them broke either" 1000 "$(word_of ok "$SAID")"

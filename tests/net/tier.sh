#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Real servers of a tier are killed: the next tier serves, at last the sorry backend, and each gives back.
# Not here: how failures are found (health.sh), one backend of several (failure.sh).
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/lab.sh"

{
	vip_lines web 10 mh ipip 4 2
	vip_lines least 11 wlc dr 4 2
	for vip in web least; do
		echo "backend add $vip $(be 3) weight 10 tier 2"
		echo "health set $vip http path /name interval 300ms timeout 200ms rise 2 fall 2"
	done
} >"$TMP/config"
lab_begin --backends 4 --config "$TMP/config"

states_are() { # VIP STATES: of be1, be2 and so on
	[ "$(lb -j backend show vip "$1" | jq -r '[.[].state] | join(" ")')" = "$2" ]
}

check "tier 1 serves, and tier 2 stands by" wait_for 20 states_are web "up up standby"
check "of the other VIP too" wait_for 5 states_are least "up up standby"
for vip in 10 11; do
	none_fails "requests are served" 500 "$(vip4 $vip)" "$(vip6 $vip)"
	equal "by tier 1 alone" 0 "$(word_of be3 "$LAST")"
done
check "backend show says tiers" grep -q ' tier 2' <(lb backend show vip web)
check "status is well" wait_for 5 lb status

load_begin killed -c 8 "$(vip4 10)" "$(vip4 11)"
signal KILL be1 be2
check "all of tier 1 are killed: tier 2 serves" wait_for 20 states_are web "down down up"
check "of the other VIP too" wait_for 5 states_are least "down down up"
load_end killed
for vip in 10 11; do
	none_fails "none fails then" 500 "$(vip4 $vip)" "$(vip6 $vip)"
	equal "tier 2 serves all" 500 "$(word_of be3 "$LAST")"
done
lb status >"$TMP/status" 2>&1
equal "status is degraded" 5 $?
check "and says by whom it is served" grep -q 'VIP web is served by tier 2: none of a lower one is usable' "$TMP/status"
check "metrics count who stands by" grep -qF 'starling_vip_backends{vip="web",state="standby"} 0' \
	<(on lb1 curl -s http://127.0.0.1:9427/metrics)

load_begin served -c 4 "$(vip4 10)" "$(vip4 11)"
hold_begin backup -n 200 "$(vip4 10)" "$(vip4 11)"
"$LAB" up >/dev/null
check "tier 1 comes back, and tier 2 stands by" wait_for 20 states_are web "up up standby"
check "of the other VIP too" wait_for 5 states_are least "up up standby"
sleep $WARM_S
served_end
hold_again backup
equal "connections with a backup stay until they end" "200 0" "$(word_of ok "$SAID") $(word_of failed "$SAID")"
for vip in 10 11; do
	none_fails "none fails when it is back" 500 "$(vip4 $vip)" "$(vip6 $vip)"
	equal "and new ones are tier 1's alone" 0 "$(word_of be3 "$LAST")"
done

# nobody is left
check "there is a sorry backend" lb vip set web sorry "$(be 4)"
check "it stands by" wait_for 5 states_are web "up up standby standby"
signal KILL be1 be2 be3
check "all are killed: the sorry backend serves" wait_for 20 states_are web "down down down sorry"
equal "curl shows its page" be4 "$("$LAB" exec client curl -s -m 5 http://203.0.113.10/name)"
none_fails "none fails" 500 "$(vip4 10)" "$(vip6 10)"
equal "it serves all" 500 "$(word_of be4 "$LAST")"
equal "and has no check" "3 null" "$(lb -j health show vip web | jq length) $(backend_value web "$(be 4)" check)"
lb status >"$TMP/status" 2>&1
equal "status is degraded" 5 $?
check "and says who serves" grep -q 'VIP web is served by its sorry backend' "$TMP/status"
load_begin served -c 4 "$(vip4 10)"
"$LAB" up >/dev/null
check "tier 1 comes back" wait_for 20 states_are web "up up standby standby"
sleep $WARM_S
served_end
none_fails "none fails when it is back" 500 "$(vip4 10)"
equal "and the sorry backend gets nothing" 0 "$(word_of be4 "$LAST")"

# -n says what a change of tiers does
check "-n counts those that would serve" grep -q ', 1 usable' <(lb -n backend set web "$(be 2)" tier 2)
lb backend disable web "$(be 2)" >/dev/null
check "who leaves tier 1 to nobody needs no --force: tier 2 is there" lb backend disable web "$(be 1)"
equal "and serves" up "$(backend_value web "$(be 3)" state)"
lb backend disable web "$(be 3)" >/dev/null 2>&1
equal "the last one needs it" 1 $?

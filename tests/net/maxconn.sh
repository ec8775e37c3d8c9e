#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A backend that may have so many connections has no more, over all balancers together, by its line or by its agent; who
# has one keeps it; when all are full new ones wait. Not here: single packets (bpf/plane_limits_test).
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/lab.sh"
. "$TOP/tests/lib/agent.sh"
. "$TOP/tests/lib/flock.sh"

MOST=30
EARLY=78
BURST=6 # what balancers do not know of each other yet

{
	vip_lines least 10 wlc ipip 4 3
	echo "health set least agent port 9000 interval 300ms timeout 300ms fall 1 rise 1"
} >"$TMP/config"
lab_begin --balancers 3 --backends 3 --config "$TMP/config"
flock_begin 3

maxconn() { # N N: of a backend, on all
	local n
	for n in "${FLOCK[@]}"; do at "$n" backend set least "$(be "$1")" maxconn "$2" >/dev/null || return 1; done
}

has() { # BACKEND: its connections, over all balancers
	for n in "${FLOCK[@]}"; do at "$n" -j backend show vip least; done |
		jq -s "[.[][] | select(.backend == \"$(be "$1")\") | .active] | add"
}

# Each balancer knows what all of them have.
known() { # BACKEND
	for n in "${FLOCK[@]}"; do at "$n" -j backend show vip least; done | jq -es "
		[.[][] | select(.backend == \"$(be "$1")\")] |
		(map(.active) | add) as \$all | all(.counted == \$all and .half == 0)" >/dev/null
}

state_all() { # BACKEND STATE
	for n in "${FLOCK[@]}"; do at "$n" -j backend show vip least; done | jq -es "
		[.[][] | select(.backend == \"$(be "$1")\") | .state] | all(. == \"$2\")" >/dev/null
}

same_soon() { check "$1" wait_for 20 known 1; }

maxconn 1 $MOST
hold_begin early -n $EARLY "$(vip4 10)"
same_soon "all know what all have"
for round in 1 2 3; do
	hold_begin "burst$round" -n $BURST "$(vip4 10)"
	wait_for 20 known 1 || not_ok "all know of burst $round"
done
count=$(has 1)
check "it has as many as it may, and what came while balancers did not know it: $count" \
	test "$count" -ge $MOST -a "$count" -lt $((MOST + BURST))
check "all show it full" wait_for 10 state_all 1 full
check "of how many" grep -q "has $count connections of $MOST at most" <(lb backend show vip least)
check "it can be scraped" test "$(metric 1 "^starling_backend_maxconn{.*$(be 1).*} $MOST")" = $MOST
hold_begin more -n 60 "$(vip4 10)"
equal "of sixty more it gets none" 0 "$(word_of be1 "$SAID")"
equal "and the others all" 60 "$(word_of held "$SAID")"

hold_again early
equal "when some end none of them was cut" $EARLY "$(word_of ok "$SAID")"
check "its count falls" wait_for 20 known 1
hold_begin later -n 30 "$(vip4 10)"
check "it takes new ones again" test "$(word_of be1 "$SAID")" -gt 0

agent_begin be1 "ready up maxconn:5"
same_soon "all know what all have now"
limited() {
	for n in "${FLOCK[@]}"; do at "$n" -j backend show vip least; done |
		jq -es "[.[][] | select(.backend == \"$(be 1)\") | .maxconn] | all(. == $1)" >/dev/null
}
check "its agent says maxconn:5, which is less" wait_for 20 limited 5
hold_begin less -n 20 "$(vip4 10)"
equal "it gets no more" 0 "$(word_of be1 "$SAID")"

for i in 1 2 3; do maxconn $i 1; done
full_all() { lb vip show least | grep -q '3 full'; }
check "all are full" wait_for 20 full_all
check "a new connection is not taken" test -z "$(on client curl -s --connect-timeout 1.5 "http://$(vip4 10)/name")"
refused() { test "$(for n in "${FLOCK[@]}"; do at "$n" -j vip show least | jq '.[0].refused'; done | awk '{ n += $1 } END { print n + 0 }')" -gt 0; }
check "and counted as refused" refused
check "status says why" grep -q 'VIP least has no backend that takes more connections (maxconn)' <(lb status)
on client curl -s --max-time 30 "http://$(vip4 10)/name" >"$TMP/waited" &
waits=$!
for i in 2 3; do maxconn $i 0; done
wait "$waits"
check "one that waits is served when there is room, by who has some: $(cat "$TMP/waited")" grep -q 'be[23]' "$TMP/waited"
kept=0
for name in more later less burst{1..3}; do
	hold_again "$name"
	kept=$((kept + $(word_of ok "$SAID")))
done
equal "nobody was cut" $((60 + 30 + 20 + 3 * BURST)) $kept

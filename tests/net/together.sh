#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What it is good for that balancers count connections together. An edge grows under load: one balancer has long
# connections on half of the backends, then the other backends and two more balancers come. Who counts alone does not
# know what the first one has given; the flock does. SOAK=1 shows also how it goes when each counts alone (45 s more). Not
# here: how balancers find each other (flock.sh).
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/lab.sh"
. "$TOP/tests/lib/flock.sh"

BACKENDS=16
OLD=240 # connections of each of the backends of before; with a quarter of them chance alone may give more than the bound
NEW=300 # and how many more a backend, over all, come after
ROUNDS=24 # seconds: a burst of more than a twentieth within the second that a report takes would show as imbalance

began() { # NAME: one balancer with its long connections
	vip_lines least 10 wlc ipip 4 $((BACKENDS / 2)) >"$TMP/config"
	lab_begin --balancers 1 --backends $BACKENDS --config "$TMP/config"
	hold_begin "$1-old" -n $((OLD * BACKENDS / 2)) -c 1000 "$(vip4 10)"
}

grown() {
	vip_lines least 10 wlc ipip 4 $BACKENDS >"$TMP/config"
	"$LAB" up --balancers 3 --config "$TMP/config"
}

opened() { # connections of each backend over all balancers
	local n
	for n in 1 2 3; do at "$n" -j backend show vip least; done |
		jq -s '[.[] | .. | objects | select(.backend?) | {backend, active}] | group_by(.backend) | map(map(.active) | add) | .[]'
}

# Connections come over ROUNDS seconds and stay. OVER: what the fullest backend has more than the mean, in percent
arrive() { # NAME
	local round name=$1 all=$((OLD * BACKENDS / 2 + NEW * BACKENDS))
	for ((round = 0; round < ROUNDS; round++)); do
		hold_begin "$name$round" -n $((NEW * BACKENDS / ROUNDS)) -c 1000 "$(vip4 10)" >/dev/null
		sleep 1
	done
	opened >"$TMP/$name"
	for ((round = 0; round < ROUNDS; round++)); do hold_again "$name$round" >/dev/null; done
	hold_again "$name-old" >/dev/null
	note "$name: $(xargs <"$TMP/$name")"
	OVER=$(awk '{ sum += $1; most = $1 > most ? $1 : most } END { print int((most * NR / sum - 1) * 100 + 0.5) }' "$TMP/$name")
	equal "$name: every connection is counted once" $all "$(awk '{ sum += $1 } END { print sum }' "$TMP/$name")"
}

ALONE=
if [ -n "${SOAK:-}" ]; then
	began alone
	check "two balancers more, each alone, and as many backends again" grown
	arrive alone
	ALONE=$OVER
	"$LAB" down
fi

began together
check "two balancers more, and as many backends again" grown
flock_begin 3
arrive together
note "the fullest backend has $OVER % more than the mean together${ALONE:+, $ALONE % when each counts alone}"
check "together the fullest backend is within 6 % of the mean" test "$OVER" -le 6
[ -z "$ALONE" ] || check "and alone it is clearly fuller" test "$ALONE" -ge $((OVER * 3 / 2 + 2))

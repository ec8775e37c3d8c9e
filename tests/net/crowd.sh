#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Many witnesses (daemons without a data plane) as one flock on one host, without privilege: that they find each other,
# what that costs each, idle and when an eighth of them is killed at once. 16 of them, 128 under SOAK. Not here: balancers
# (flock.sh), larger flocks in virtual time (make sim).
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/crowd.sh"

CROWD=${CROWD:-16}
[ -z "${SOAK:-}" ] || CROWD=128
GONE=$((CROWD / 8))
SECONDS_EACH=$((CROWD / 16 + 4))

services() {
	printf 'vip add web tcp/203.0.113.10:80 scheduler wlc\n'
	printf 'backend add web 192.0.2.%d:80\n' 101 102 103 104
}

crowd_start 1 "$CROWD"
check "the first one makes keys" at 1 node init
services >"$TMP/services"
crowd_configure "$TMP/services"
began=$(date +%s%N)
mapfile -t EVERY < <(seq "$CROWD")
check "$CROWD daemons find each other" wait_for 120 all_alive "$CROWD" "${EVERY[@]}"
note "after $((($(date +%s%N) - began) / 1000000)) ms, asking included"
same() {
	[ "$(metric 1 'starling_gossip_diverged_members{digest="config"}') $(metric 1 'starling_gossip_diverged_members{digest="effective"}')" = "0 0" ]
}
check "and all have the same tables and homes" wait_for 30 same

# What the nodes named sent, and what that cost, over some seconds: sums of counters, CPU in ticks of 10 ms
totals() { # NODE...
	local n messages=0 bytes=0 ticks=0 resident=0 family value
	for n; do
		while read -r family value; do
			case $family in
			starling_gossip_messages_sent_total) messages=$((messages + value)) ;;
			starling_gossip_sent_bytes_total) bytes=$((bytes + value)) ;;
			esac
		done < <(curl -sg --max-time 10 "http://$(address "$n"):9427/metrics" | awk '/^starling_gossip_(messages_)?sent/ { printf "%s %d\n", $1, $2 }')
		ticks=$((ticks + $(awk '{ print $14 + $15 }' "/proc/${PID[n]}/stat")))
		resident=$((resident + $(awk '/^VmRSS/ { print $2 }' "/proc/${PID[n]}/status")))
	done
	echo "$messages $bytes $ticks $resident"
}
cost() { # WORDS BEFORE AFTER NODES MS
	local words=$1 nodes=$4 ms=$5 a b
	read -ra a <<<"$2"
	read -ra b <<<"$3"
	note "$(awk -v m=$((b[0] - a[0])) -v y=$((b[1] - a[1])) -v t=$((b[2] - a[2])) -v r="${b[3]}" -v n="$nodes" -v ms="$ms" -v w="$words" \
		'BEGIN { s = ms / 1000; printf "%s: a node and second %.1f messages, %.1f kB, %.2f %% of a CPU; %.1f MB resident", w, m / n / s, y / n / s / 1000, t / n / s, r / n / 1024 }')"
}
sleep $((CROWD / 8 + 4)) # until nobody has news
before=$(totals "${EVERY[@]}")
began=$(date +%s%N)
sleep $SECONDS_EACH
after=$(totals "${EVERY[@]}")
took=$((($(date +%s%N) - began) / 1000000)) # asking 128 of them takes seconds more
cost "idle, $CROWD nodes" "$before" "$after" "$CROWD" "$took"
# five probes a second, and as many answers to others'; a digest to one other; nothing that grows with the flock
check "an idle node sends no more than 15 messages a second, however many there are" \
	test $((($(awk '{ print $1 }' <<<"$after") - $(awk '{ print $1 }' <<<"$before")) * 1000 / CROWD / took)) -le 15

mapfile -t LEFT < <(seq $((GONE + 1)) "$CROWD")
before=$(totals "${LEFT[@]}")
began=$(date +%s%N)
# shellcheck disable=SC2046 # a list
lose $(seq $GONE)
gone() { # NODE...: each has seen them go, and nobody else
	local n
	for n; do [ "$(metric "$n" 'starling_gossip_members{state="dead"}')" = "$GONE" ] || return 1; done
}
check "$GONE that are killed at once are known gone by all" wait_for 30 gone "${LEFT[@]}"
note "after $((($(date +%s%N) - began) / 1000000)) ms, asking all included"
sleep $SECONDS_EACH
after=$(totals "${LEFT[@]}")
cost "$GONE of $CROWD gone" "$before" "$after" ${#LEFT[@]} $((($(date +%s%N) - began) / 1000000))
check "and nobody else is held dead or unfit" all_alive ${#LEFT[@]} "${LEFT[@]}"
for ((n = 1; n <= GONE; n++)); do start $n; done
check "they come back" wait_for 60 all_alive "$CROWD" "${EVERY[@]}"

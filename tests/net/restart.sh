#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The daemon is killed, restarted and stopped, and its program replaced, in mid-traffic: no request
# fails, no counter goes back, no download is cut. Not here: changes of configuration (change.sh).
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/lab.sh"

ROUNDS=2
[ -z "${SOAK:-}" ] || ROUNDS=30

{
	vip_lines maglev 10 mh dr 4 3
	vip_lines least 11 wlc ipip 4 3
	vip_lines robin 12 wrr gue 4 3
} >"$TMP/config"
lab_begin --backends 3 --config "$TMP/config"

answers() {
	lb status
	[ $? -ne 3 ]
}

# Every counter of VIPs, backends and devices, as `name{labels} value`.
counters() {
	on lb1 curl -s -m 5 http://127.0.0.1:"$HTTP"/metrics | grep -E '^starling_(vip|backend|xdp).*_total' | sort
}

went_back() { # EARLIER LATER: counters that are gone or smaller
	awk 'NR == FNR { was[$1] = $2; next } { is[$1] = $2 }
		END { for (k in was) if (!(k in is) || is[k] < was[k]) print k, was[k], "->", is[k] }' "$1" "$2"
}

HTTP=$(lb config export | awk '$1 == "listen" { sub(".*:", "", $3); print $3 }')
HTTP=${HTTP:-9427}
check "metrics are served" test -n "$(counters)"

sums=$(on client curl -s http://192.0.2.101/blob | md5sum)
downloads=()
for target in 203.0.113.10 '[2001:db8:113::11]' 203.0.113.12; do
	file=$TMP/download${#downloads[@]}
	"$LAB" exec client curl -sS -m 3600 -o "$file" "http://$target/blob?rate=$((1048576 / (8 + ROUNDS * 4)))" 2>"$file.err" &
	downloads+=($!)
done
load_begin all -c 20 "$(vip4 10)" "$(vip6 10)" "$(vip4 11)" "$(vip6 11)" "$(vip4 12)" "$(vip6 12)"
sleep 0.5

for ((i = 0; i < ROUNDS; i++)); do
	counters >"$TMP/before"
	pid=$(daemon_pid lb1)
	kill -9 "$pid"
	sleep 1
	check "a killed daemon is started again" "$LAB" up
	check "and answers" wait_for 10 answers
	counters >"$TMP/after"
	equal "no counter went back by kill -9" "" "$(went_back "$TMP/before" "$TMP/after")"

	check "the program is replaced under load" timeout 20 "$LAB" exec lb1 starling flow trace sample 64 count 5
	counters >"$TMP/replaced"
	equal "no counter went back by a new program" "" "$(went_back "$TMP/after" "$TMP/replaced")"

	daemon_end lb1 TERM
	sleep 0.5
	check "a daemon that was told to stop is started again" "$LAB" up
	check "and answers too" wait_for 10 answers
	counters >"$TMP/last"
	equal "no counter went back by a stop" "" "$(went_back "$TMP/replaced" "$TMP/last")"
done

load_end all
check "many requests were made meanwhile" test "$(word_of ok "$SAID")" -gt 5000
equal "none of them failed" 0 "$(word_of failed "$SAID")"
for ((i = 0; i < ${#downloads[@]}; i++)); do
	wait "${downloads[i]}"
	equal "download $i came through whole" "$sums" "$(md5sum <"$TMP/download$i")"
done

counters >"$TMP/before"
sleep 0.2
none_fails "and none fails after it all" 3000 "$(vip4 10)" "$(vip4 11)" "$(vip4 12)"
counters >"$TMP/after"
check "while counters go on" bash -c "! cmp -s '$TMP/before' '$TMP/after'"
check "a second daemon of the same node is refused" bash -c \
	"! timeout 5 '$LAB' exec lb1 starlingd -f /run/starling-lab/$STARLING_LAB/lb1/starling.conf \
	--run-dir /run/starling-lab/$STARLING_LAB/run --state-dir /run/starling-lab/$STARLING_LAB/state \
	--bpf-dir /sys/fs/bpf/starling-lab/$STARLING_LAB"

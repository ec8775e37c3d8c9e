#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# kill -9 at any point of applying: the next start adopts what it finds, whatever was half done, and
# makes of it what the file says. Not here: traffic meanwhile (tests/net/restart.sh).
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/daemon.sh"

if [ -z "${SOAK:-}" ]; then rounds=12; else rounds=300; fi
RANDOM=${SEED:-7}

# VIPs with random options and backends; two files share most of their objects.
random_conf() {
	local i j
	echo "iface attach veth0 mode generic"
	for ((i = 0; i < 12; i++)); do
		((RANDOM % 4)) || continue
		echo "vip add v$i tcp/203.0.113.$((20 + i)):80 scheduler $(shuf -n 1 -e mh rr wrr lc wlc --random-source=<(yes "$RANDOM"))" \
			"forward $(shuf -n 1 -e dr ipip gue --random-source=<(yes "$RANDOM"))"
		for ((j = 0; j < 1 + RANDOM % 30; j++)); do
			((RANDOM % 3)) && echo "backend add v$i 192.0.2.$((101 + j)):80 weight $((RANDOM % 5))"
		done
	done
}

random_conf >"$TMP/a.conf"
random_conf >"$TMP/b.conf"
daemon_must_start -f "$TMP/a.conf"
failed='' differs='' dirty=''
for ((round = 0; round < rounds; round++)); do
	(while starling config apply "$TMP/b.conf" && starling config apply "$TMP/a.conf"; do :; done) >/dev/null 2>&1 &
	churn=$!
	sleep "0.0$((RANDOM % 10))$((RANDOM % 10))"
	daemon_stop KILL
	kill "$churn" 2>/dev/null
	wait "$churn" 2>/dev/null
	wanted=$TMP/$(shuf -n 1 -e a b --random-source=<(yes "$RANDOM")).conf
	if ! daemon_start -f "$wanted"; then
		failed="round $round: $(tail -n 3 "$LOG")"
		break
	fi
	[ "$(starling -j config diff "$wanted")" = "[]" ] || differs="round $round"
	[ "$(starling -j vip table "v$((RANDOM % 12))" 2>/dev/null | jq '[.[].slots] | add // 0')" != "" ] || dirty="round $round"
	starling -j vip show | jq -e 'all(.slots > 0)' >/dev/null || dirty="round $round: vip show"
done
equal "it starts again after kill -9 in mid-apply, $rounds times" "" "$failed"
equal "and runs what the file says" "" "$differs"
equal "with whole tables" "" "$dirty"

# What was lost by the kills comes back: ids and slots in use are those of a fresh start.
in_use() { starling -N -j metric show starling_bpf_map_entries | jq -c '[.[] | select(.labels | tostring | test("flows") | not) | .value]'; }
daemon_stop
daemon_must_start -f "$TMP/a.conf"
for _ in $(seq 60); do # sweeps take backends' ids back
	previous=${used:-}
	used=$(in_use)
	[ "$used" = "$previous" ] && ((++same > 4)) && break
	[ "$used" = "$previous" ] || same=0
	sleep 1
done
note "$used"
daemon_stop
daemon_remove
daemon_must_start -f "$TMP/a.conf"
equal "and nothing of the tables' room is lost" "$(in_use)" "$used"

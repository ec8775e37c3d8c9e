#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A change that goes from balancer to balancer, under a load: each is watched, and what makes one of them worse is taken
# back before others run it. Not here: changes that all run at once (agree.sh).
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/lab.sh"
. "$TOP/tests/lib/flock.sh"
. "$TOP/tests/lib/agree.sh"

{
	vip_lines web 10 wlc ipip 4 2
	vip_lines calm 11 wlc ipip 4 2 # without a load: to take a backend away breaks its connections
} >"$TMP/config"
agree_begin 3
lb config export >"$TMP/file"
weights() { # of web's first backend, on each
	local n
	for n in "${FLOCK[@]}"; do at "$n" -j backend show vip web; done |
		jq -r ".. | objects | select(.backend? == \"$(be 1)\").weight" | xargs
}
backends() { at "$1" -j backend show vip calm | jq '[.. | objects | select(.backend?)] | length'; }
have() { # COUNT: backends of calm on all
	all_say "all([.. | objects | select(.backend?)] | length == $1)" backend show vip calm
}
first_has() { [ "$(backends 1)" = "$1" ]; }

# --- one after the other
sed "s/^\(backend add web $(be 1)\).*/\1 weight 7/" "$TMP/file" >"$TMP/seven"
at 1 config apply "$TMP/seven" wave node >"$TMP/said" 2>&1 &
pid=$!
some() { [[ "$(weights)" = "7 10 10" ]]; }
check "the operator's own balancer runs it first, alone" wait_for 5 some
refused "another change meanwhile" "generation 2" at 2 backend set web "$(be 1)" weight 5
refused "to confirm it before it is through" "waves" at 2 config confirm
refused "a trial of that" "waves" at 2 -n config confirm
two() { [[ "$(weights)" = "7 7 10" || "$(weights)" = "7 10 7" ]]; }
check "then a second" wait_for 15 two
wait $pid || not_ok "it goes through" "$(cat "$TMP/said")"
check "and all, in three waves" grep -q "3 waves" "$TMP/said"
check "it stays" weight_all web 1 7

# --- what makes one worse
{
	cat "$TMP/seven"
	echo "backend add calm 192.0.2.199:80 weight 7" # nobody answers there
} >"$TMP/worse"
refused "a backend that cannot be reached" "wave 1: lb1: VIP calm: 1 of 3 backends cannot be used, 0 before" \
	at 1 config apply "$TMP/worse" wave node
check "all are as before" wait_for 5 have 2

# --- only a later one is worse
"$LAB" exec lb3 ip route add blackhole "$(be 3 | cut -d : -f 1)"
{
	cat "$TMP/seven"
	echo "backend add calm $(be 3) weight 7"
} >"$TMP/third"
refused "what only the last one cannot reach" "wave 3: lb3: VIP calm: 1 of 3" at 1 config apply "$TMP/third" wave node
check "those that ran it already are as before" wait_for 5 have 2
"$LAB" exec lb3 ip route del blackhole "$(be 3 | cut -d : -f 1)"

# --- all at once, watched, and to be confirmed besides
check "in one wave, to be confirmed" at 1 config apply "$TMP/third" wave all confirm 8s
check "all run it" have 3
check "and take it back, since nobody confirms" wait_for 12 have 2
check "by site, and confirmed" at 1 config apply "$TMP/third" wave site
check "all run that" have 3

# --- who makes it is lost on the way, and it is taken back elsewhere
at 1 config apply "$TMP/seven" wave node >/dev/null 2>&1 &
pid=$!
check "one more begins" wait_for 5 first_has 2
kill -9 "$(daemon_pid lb1)"
wait $pid
check "its balancer is lost, and it is taken back elsewhere" wait_for 15 at 2 config rollback
"$LAB" up >/dev/null
check "all run what they ran, also who is back" wait_for 20 have 3
check "and change it" wait_for 10 at 1 config apply "$TMP/seven"
check "all of them" wait_for 5 have 2

# --- three of ten messages with one of them are lost: it is told again to run what it did not answer to
"$LAB" exec lb3 nft -f - <<-'END'
	table inet lossy {
		chain in { type filter hook input priority 0; udp dport 9428 numgen random mod 10 < 3 drop; }
		chain out { type filter hook output priority 0; udp dport 9428 numgen random mod 10 < 3 drop; }
	}
END
check "a wave goes through a link that loses much" at 1 config apply "$TMP/third" wave all
check "all run it as well" wait_for 5 have 3
"$LAB" exec lb3 nft delete table inet lossy

served_end

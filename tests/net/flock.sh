#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Three balancers as one flock: they find each other, notice who is gone and who runs something else, and count
# connections together. Not here: detection over many seeds (make sim), datagrams of any bytes (channel_test).
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/lab.sh"
. "$TOP/tests/lib/flock.sh"

KILLS=2
[ -z "${SOAK:-}" ] || KILLS=20

{
	vip_lines least 10 wlc ipip 4 3
	vip_lines maglev 11 mh dr 4 3
} >"$TMP/config"
lab_begin --balancers 3 --backends 3 --config "$TMP/config"

check "a balancer without a roster is alone" state_is 1 1 alone

# --- a flock is made: keys of the first, a roster on each, one address of somebody
flock_begin 3
check "keys are made only once" bash -c "! '$LAB' exec lb1 starling node init 2>/dev/null"
check "which only its user may read" test "$(stat -c %a "$STATE/lb1/ring" "$STATE/lb1/identity" "$STATE/lb1/seed" | sort -u)" = 600
same_keys() { # every node has the keys of lb1, and seals with the same
	local n first
	first=$(at 1 -j node key show)
	for n in "$@"; do [ "$(at "$n" -j node key show)" = "$first" ] || return 1; done
}
check "who has no keys has asked for them" same_keys 2 3
check "and has the seed of the flow hash" test "$(md5sum <"$STATE/lb1/seed")" = "$(md5sum <"$STATE/lb2/seed")"
where() { at "$1" -j flow lookup tcp 198.51.100.7:51515 "$(vip4 11)" | jq -r "[.. | .backend? // empty | strings][0]"; }
equal "so that every balancer sends a flow to the same backend" "$(where 1) $(where 1) true" "$(where 2) $(where 3) $([[ "$(where 1)" = *:* ]] && echo true)"
note "$(at 1 node show)"
shown() { # all that is shown or logged
	local n words
	for n in 1 2 3; do
		for words in "node show" "config export" "metric show" "config history" status; do
			# shellcheck disable=SC2086 # words
			at $n -j $words
		done
	done
	cat /run/starling-lab/"$STARLING_LAB"/lb?/starlingd.log
}
shown >"$TMP/shown" 2>&1
if grep -qF -e "$(sed -n 2p "$STATE/lb1/ring" | cut -d ' ' -f 1)" -e "$(sed -n 2p "$STATE/lb1/identity")" "$TMP/shown"; then
	not_ok "no show and no log gives a key away" "one does"
else
	ok "no show and no log gives a key away"
fi

known_dead() { state_is 1 3 dead && state_is 2 3 dead; }

# --- a killed one is noticed by all, and is back after its start
"$LAB" exec lb1 starling event watch member >"$TMP/events" 2>&1 &
cleanup "kill $!"
for ((i = 0; i < KILLS; i++)); do
	began=$(date +%s%N)
	kill -9 "$(daemon_pid lb3)"
	wait_for 20 known_dead || break
	since "$began" >>"$TMP/gone"
	"$LAB" up >/dev/null
	wait_for 20 all_alive || break
	[ $KILLS = 2 ] || sleep 4 # who is caught three times in ten seconds is unfit for thirty
done
check "a killed balancer is dead for the others and back after its start, $KILLS times" test "$i" = "$KILLS"
note "known gone by all after $(sort -n "$TMP/gone" | awk '{ ms[NR] = $1 } END { print ms[int((NR + 1) / 2)] " ms, at most " ms[NR] }'), median of $KILLS, asking included"
check "and watchers of members are told" grep -q '"dead"\|dead' "$TMP/events"

# --- one that stands still for a moment is spared
pid=$(daemon_pid lb2)
kill -STOP "$pid"
sleep 0.5
kill -CONT "$pid"
sleep 3
check "a balancer paused for half a second is held alive" all_alive

# --- 30 % loss on one link
"$LAB" fault lb2 loss 30
bad=0
for ((i = 0; i < 20; i++)); do
	sleep 0.25
	# a suspect is not out: it has the time to say that it lives
	[[ "$(node_value 1 3 state) $(node_value 3 1 state)" =~ ^(alive|suspect)\ (alive|suspect)$ ]] || bad=$((bad + 1))
done
"$LAB" fault lb2 clear
check "30 % loss on a link takes out nobody on another" test $bad = 0
check "and all are alive afterwards" wait_for 20 all_alive

# --- another configuration is named
at 2 backend set least "$(be 1)" weight 5 >/dev/null
check "who runs another configuration is named with the VIP" wait_for 10 bash -c "'$LAB' exec lb1 starling node show | grep '^lb2' | grep -q 'differs in least'"
check "and degrades the status" bash -c "'$LAB' exec lb1 starling status | grep -q 'node lb2 runs another configuration'"
at 2 backend set least "$(be 1)" weight 10 >/dev/null
check "until it runs the same again" wait_for 10 bash -c "! '$LAB' exec lb1 starling status | grep -q 'another configuration'"

# --- a whole balancer drains
ready() { "$LAB" exec "lb$1" curl -s http://127.0.0.1:9427/readyz; }
check "a balancer is ready" wait_for 10 bash -c "'$LAB' exec lb2 curl -s http://127.0.0.1:9427/readyz | grep -qx ready"
check "a balancer drains" at 2 node drain reason disk
equal "so it is not ready" "draining: disk" "$(ready 2)"
check "and the others know" wait_for 10 bash -c "'$LAB' exec lb1 starling -j node show | jq -e '[.. | objects | select(.name? == \"lb2\")][0].is == [\"draining\"]'"
kill -9 "$(daemon_pid lb2)"
"$LAB" up >/dev/null
equal "also after a restart" "draining: disk" "$(ready 2)"
check "until it is enabled" at 2 node enable
equal "then it is ready" ready "$(ready 2)"
check "and alive" wait_for 30 all_alive

check "promtool has nothing to say" bash -c "'$LAB' exec lb1 curl -s http://127.0.0.1:9427/metrics | promtool check metrics"
check "members are a metric" bash -c "'$LAB' exec lb1 curl -s http://127.0.0.1:9427/metrics | grep -q 'starling_gossip_members{state=\"alive\"} 3'"

# --- any bytes at the socket
on client python3 - <<-'END'
	import os, socket
	s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	for n in range(3000):
	    s.sendto(os.urandom(n % 1400), ("192.0.2.11", 9428))
END
check "any bytes at the socket are rejected and counted" wait_for 5 bash -c "[ \"\$('$LAB' exec lb1 curl -s http://127.0.0.1:9427/metrics | awk '/^starling_gossip_messages_rejected_total/ { n += \$2 } END { print (n > 2000) }')\" = 1 ]"
check "and change nothing" all_alive

# --- where others were is kept: nobody has to be at the address that the configuration names
check "where others are is kept" wait_for 15 bash -c "grep -q 192.0.2.13: '$STATE/lb2/known' && grep -q 192.0.2.12: '$STATE/lb3/known'"
"$LAB" fault lb1 cut in
"$LAB" fault lb1 cut out
kill -9 "$(daemon_pid lb3)"
"$LAB" up >/dev/null
check "a node finds another one that only its file knows" wait_for 20 state_is 3 2 alive
"$LAB" fault lb1 clear
check "and all find together again" wait_for 30 all_alive

# --- leaving
at 3 node leave >/dev/null
check "who leaves has left" wait_for 10 state_is 1 3 left

# --- keys are changed twice while a node is away: it is back without a human
rotate() { # N: a new key, used at once, the old one gone
	local old new
	old=$(at "$1" -j node key show | jq -r '[.. | objects | select(.state? == "used")][0].id')
	new=$(at "$1" node key add | grep -oE '[0-9a-f]{8}')
	at "$1" node key use "$new" >/dev/null && at "$1" node key remove "$old" >/dev/null
}
daemon_end lb3
check "the first rotation" rotate 1
check "reaches who is there" wait_for 10 same_keys 2
check "the second one is made on another node" rotate 2
check "and reaches the first" wait_for 10 same_keys 2
"$LAB" up >/dev/null
check "it is back with the keys of today" wait_for 20 bash -c "[ \"\$('$LAB' exec lb3 starling -j node key show)\" = \"\$('$LAB' exec lb1 starling -j node key show)\" ]"
check "and all are alive" wait_for 30 all_alive

# --- a node that is forgotten is not heard: out of the roster, and the keys changed
for n in 1 2; do at $n roster delete lb3 >/dev/null; done
check "who is forgotten" rotate 1
check "does not get the next keys" bash -c "sleep 5; [ \"\$('$LAB' exec lb3 starling -j node key show)\" != \"\$('$LAB' exec lb1 starling -j node key show)\" ]"
check "the others have them" same_keys 2
check "and nobody hears it" test "$(metric 1 'rejected_total.*"stranger"')" -gt 0
check "nor shows it" bash -c "! '$LAB' exec lb1 starling node show | grep -q ^lb3"

# --- an identity that was copied, or seen, is given up
old=$(node_value 3 3 key)
check "a balancer takes another identity" at 3 node rekey
check "which is another key" wait_for 5 bash -c "[ \"\$('$LAB' exec lb3 starling -j node show | jq -r '[.. | objects | select(.self? == true)][0].key')\" != '$old' ]"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Who is let in beside the listed nodes, by invitations or by a key, and who is forgotten. Not here: keys of listed
# nodes (flock.sh), the rules (admission_test).
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/lab.sh"
. "$TOP/tests/lib/flock.sh"

vip_lines maglev 11 mh dr 4 2 >"$TMP/config"
invite() { at "$1" node invite ttl 5m; }
nonsense() { echo nonsense | at 3 node join -; }

# --- by invitation
balancers_begin 4 address V4 device eth0
at 1 node init >/dev/null
for n in 1 2; do
	for m in 1 2; do at $n roster add lb$m "$(node_value $m $m key)" >/dev/null; done
done
refused "an invitation, by who lets nobody in" "node set admission" at 1 node invite
for n in 1 2; do at $n node set admission vouched >/dev/null; done
at 2 node set peers 192.0.2.11 >/dev/null
FLOCK=(1 2)
check "two listed nodes are a flock" wait_for 20 all_alive
refused "what is none" "no invitation" nonsense
token=$(invite 1)
echo "$token" | at 3 node join - >/dev/null
FLOCK=(1 2 3)
check "a node that nobody lists is in by an invitation" wait_for 20 all_alive
check "with the keys and the seed" cmp "$STATE/lb1/seed" "$STATE/lb3/seed"
equal "and is in every roster, by its name" "lb1 lb2 lb3,lb1 lb2 lb3,lb1 lb2 lb3" \
	"$(for n in 1 2 3; do at $n -j roster show | jq -r '[.. | objects | select(.stake?) | .name] | join(" ")'; done | paste -sd ,)"
equal "which is the same one" 1 "$(for n in 1 2 3; do at $n -j roster show | jq -r '[.. | .epoch? // empty][0]'; done | sort -u | wc -l)"
shown() { for n in 1 2 3; do at $n config export; at $n -j status; cat /run/starling-lab/"$STARLING_LAB"/lb$n/starlingd.log; done; }
shown >"$TMP/shown" 2>&1
check "an invitation is in no log and no show" bash -c "! grep -qF '${token#*:}' '$TMP/shown'"

echo "$token" | at 4 node join - >/dev/null
sleep 3
equal "the same invitation lets nobody else in" "lb1 lb2 lb3 true" \
	"$(at 1 -j roster show | jq -r '[.. | objects | select(.stake?) | .name] | join(" ")') $([ "$(metric 1 'rejected_total.*"stranger"')" -gt 0 ] && echo true)"
invite 2 | at 4 node join - >/dev/null
FLOCK=(1 2 3 4)
check "another one does, by another node" wait_for 20 all_alive

for n in 1 2 3 4; do kill -9 "$(daemon_pid lb$n)"; done
"$LAB" up >/dev/null
for n in 1 2; do # the lab's file knows nothing of them
	at $n node set admission vouched peers 192.0.2.11 >/dev/null
	for m in 1 2; do at $n roster add lb$m "$(node_value $m $m key)" >/dev/null; done
done
check "after a restart of all they are in still" wait_for 30 all_alive

# --- forgotten
refused "to forget itself" "does not forget itself" at 1 node forget lb1
refused "to forget nobody" "no node lb9" at 1 node forget lb9
before=$(at 4 -j node key show)
check "a node is forgotten" at 1 node forget lb4
FLOCK=(1 2 3)
same_keys() { [ "$(at 1 -j node key show)" = "$(at 2 -j node key show)" ] && [ "$(at 1 -j node key show)" = "$(at 3 -j node key show)" ]; }
check "the others have other keys" wait_for 20 same_keys
unlisted() { ! at 3 roster show | grep -q lb4; }
check "and know of it" wait_for 10 unlisted
sleep 5
equal "it has the old ones" "$before" "$(at 4 -j node key show)"
check "and is not heard" test "$(metric 2 'rejected_total.*"stranger"')" -gt 0
check "the others are a flock" all_alive
at 4 node rekey >/dev/null
invite 1 | at 4 node join - >/dev/null
FLOCK=(1 2 3 4)
check "with another identity and an invitation it is back" wait_for 20 all_alive

# --- where four are listed it takes two words; two of these are not even there
ghost() { echo "ed25519:$(head -c 32 /dev/urandom | base64)"; }
ghosts=("$(ghost)" "$(ghost)")
for n in 1 2; do
	for i in 0 1; do at $n roster add ghost$i "${ghosts[i]}" >/dev/null; done
done
at 2 node forget lb3 >/dev/null
at 3 node rekey >/dev/null
invite 1 | at 3 node join - >/dev/null
sleep 4
check "one invitation of two is not enough" bash -c "! '$LAB' exec lb2 starling roster show | grep -q lb3"
invite 2 | at 3 node join - >/dev/null
check "with one of another node it is" wait_for 20 all_alive

# --- by a key of the flock alone
balancers_begin 4 address V4 device eth0 beacons multicast admission open
at 1 node init >/dev/null
for n in 2 3 4; do
	daemon_end lb$n TERM
	cp -p "$STATE/lb1/ring" "$STATE/lb$n/ring"
done
"$LAB" up >/dev/null
check "whoever has a key is in, if all are open" wait_for 30 all_alive

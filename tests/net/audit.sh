#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Audit logs of three balancers: what is in them, and that the others notice one that was rolled back or lost, and only
# then. Not here: lines and chains (audit_test), files (audit_file_test), what is held (audit_tail_test).
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/lab.sh"
. "$TOP/tests/lib/flock.sh"
. "$TOP/tests/lib/agree.sh"

{
	vip_lines web 10 wlc ipip 4 2
	echo "health set web tcp interval 200ms timeout 100ms rise 2 fall 2"
} >"$TMP/config"
lab_begin --balancers 3 --backends 2 --config "$TMP/config"
flock_begin 3

entry() { # VIEWER NODE: the last entry that is told
	node_value "$1" "$2" audit_entry
}
audit_is() { # NODE STATE: by both others
	local n
	for n in "${FLOCK[@]}"; do
		[ "$n" = "$1" ] || [ "$(node_value "$n" "$1" audit_state)" = "$2" ] || return 1
	done
}
told() { # N: the others hold its last entry
	local n own
	own=$(at "$1" -j node audit show | jq '.[-1].entry')
	for n in "${FLOCK[@]}"; do
		[ "$n" = "$1" ] || [ "$(entry "$n" "$1")" = "$own" ] || return 1
	done
}
start() {
	"$LAB" up >/dev/null
	wait_for 20 all_alive
}

# --- what is written
at 2 backend set web "$(be 1)" weight 31 >/dev/null
at 2 -n backend set web "$(be 1)" weight 32 >/dev/null
at 2 backend set web 10.9.9.9:80 weight 32 >/dev/null 2>&1
equal "a change is there, by whom; a trial or a refusal is not" "root@lb2 backend set web $(be 1) weight 31" \
	"$(at 2 -j node audit show | jq -r '.[] | select(.what | startswith("backend")) | "\(.by) \(.what)"')"
check "what it began with is there, and its number" bash -c "'$LAB' exec lb2 starling node audit show | grep -q 'starlingd@lb2 .*runs .*, generation [1-9]'"
check "anybody can read it" grep -q "\"root@lb2\" \"backend set web $(be 1) weight 31\"" "$STATE/lb2/audit/0000000001.log"
equal "but root alone" "700 600" "$(stat -c %a "$STATE/lb2/audit" "$STATE/lb2/audit/0000000001.log" | paste -sd ' ')"
check "a log verifies" at 2 node audit verify
check "its end is told to the others" wait_for 10 told 2
check "it is whole to them" audit_is 2 whole
check "another balancer reads its lines, and verifies them by its key" bash -c "'$LAB' exec lb1 starling node audit verify lb2 | grep -q 'follow each other.*which was held here, is one of them'"
lines() { # VIEWER: of lb2's log, but for what may have been added meanwhile
	at "$1" -j node audit show lb2 | jq -c '.[:8]'
}
equal "which it shows as they are" "$(at 2 -j node audit show | jq -c '.[:8]')" "$(lines 1)"
equal "or the last ones" "root@lb2 backend set web $(be 1) weight 31" \
	"$(at 3 -j node audit show lb2 limit 100 | jq -r '.[] | select(.what | startswith("backend")) | "\(.by) \(.what)"')"
cp -a "$STATE/lb2" "$TMP/older"

certified() { # STATE: of the second backend, in all logs
	local n
	for n in "${FLOCK[@]}"; do
		at "$n" node audit show | grep -q "$(be 2) is $1 by votes: certificate" || return 1
	done
}
on router ip link set be2 down
check "what votes take out is in each log" wait_for 10 certified down
on router ip link set be2 up
check "and what they bring back" wait_for 10 certified up

# --- killed at any time
for i in 1 2; do
	for k in 1 2 3 4 5; do at 3 backend set web "$(be 1)" weight $((40 + i * 5 + k)) >/dev/null 2>&1; done &
	sleep 0.$((i * 2))
	daemon_end lb3 KILL
	wait $!
	start
done
check "after kills amid changes a log verifies" at 3 node audit verify
check "its end is told again" wait_for 10 told 3
check "and it is whole to the others" audit_is 3 whole

# --- rolled back
for w in 61 62 63; do at 2 backend set web "$(be 1)" weight $w >/dev/null; done
check "it goes on" wait_for 10 told 2
held=$(entry 1 2)
daemon_end lb2 TERM
rm -rf "$STATE/lb2"
cp -a "$TMP/older" "$STATE/lb2"
start
check "a log that was rolled back, with all that the node keeps, is cut to the others" wait_for 10 audit_is 2 cut
refused "lb2 is cut, though it was verified before" "lb2 is cut: entry" at 1 node audit verify lb2
at 1 status >"$TMP/status"
equal "which degrades them" 5 $?
check "and is named" grep -q "audit log of node lb2 is cut" "$TMP/status"
check "it knows it itself" bash -c "'$LAB' exec lb2 starling status | grep -q 'audit log of node lb2 is cut: entry [0-9]* was held by others'"
equal "what was held is shown" true "$(at 3 -j node audit held lb2 | jq ".[0].lost_entry >= $held")"
check "and noted in their logs" bash -c "'$LAB' exec lb3 starling node audit show | grep -q 'the audit log of lb2 is cut'"
equal "metrics have it" 1 "$(metric 1 'audit_tails.*"cut"')"
daemon_end lb1 TERM
start
check "it is known after a restart" audit_is 2 cut
check "until it is accepted" at 1 node audit accept lb2
equal "by each" "whole cut" "$(node_value 1 2 audit_state) $(node_value 3 2 audit_state)"
refused "lb2 is accepted twice" "nothing is wrong" at 1 node audit accept lb2
for n in 2 3; do at $n node audit accept lb2 >/dev/null; done

# --- lost
daemon_end lb2 KILL
rm -rf "$STATE/lb2/audit"
start
check "a log that was lost begins anew, and quotes what others held" wait_for 10 audit_is 2 reset
check "in its first entry" bash -c "head -2 '$STATE/lb2/audit/0000000001.log' | grep -q 'begins anew: others hold entry'"
check "it verifies" at 2 node audit verify

# --- changed
for w in 71 72 73; do at 3 backend set web "$(be 1)" weight $w >/dev/null; done
check "a log verifies" at 3 node audit verify
bad=$(grep -n 'weight 72' "$STATE/lb3/audit/0000000001.log" | cut -d: -f1)
sed -i 's/weight 72/weight 79/' "$STATE/lb3/audit/0000000001.log"
refused "an entry that was changed is named" "line $bad: entry $((bad - 1)): its signature" at 3 node audit verify
refused "by others too, with what is valid before it" \
	"node lb3: forged: entry $((bad - 1)): its signature is not of the key in its segment's head; it is valid up to entry $((bad - 2))" \
	at 1 node audit verify lb3
refused "who show none of it" "forged: entry $((bad - 1))" at 1 node audit show lb3
daemon_end lb3 KILL
refused "lines of one that does not answer are not known" "it does not answer" at 1 node audit show lb3
equal "its end is" lb3 "$(at 1 -j node audit held lb3 | jq -r '.[0].node')"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Nine balancers in three sites as a hierarchy: between sites only bridges talk, and all know of all. Not here: cuts and
# whole sites that go (flock_test), figures (make sim).
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/lab.sh"
. "$TOP/tests/lib/flock.sh"

vip_lines maglev 11 mh dr 4 2 >"$TMP/config"
balancers_begin 9 address V4 device eth0 peers 192.0.2.11 topology hierarchy
mapfile -t FLOCK < <(seq 9)
at 1 node init >/dev/null
site() { echo "s$((($1 + 2) / 3))"; }
for n in "${FLOCK[@]}"; do echo "roster add lb$n $(node_value "$n" "$n" key) site $(site "$n")"; done >"/run/starling-lab/$STARLING_LAB/roster"
"$LAB" up >/dev/null
check "nine balancers in three sites find each other" wait_for 30 all_alive
check "and run the same" wait_for 20 all_same
bridges() { # VIEWER: their names
	at "$1" -j node show | jq -r '[.. | objects | select(.is? // [] | index("bridge")) | .name] | join(" ")'
}
same_bridges() { [ "$(bridges 1 | wc -w)" = 6 ] && [ "$(bridges 1)" = "$(bridges 5)" ] && [ "$(bridges 1)" = "$(bridges 9)" ]; }
check "all choose the same two bridges of each" wait_for 10 same_bridges
note "$(bridges 1)"

# --- who is no bridge says nothing to other sites
quiet=()
for n in "${FLOCK[@]}"; do [[ " $(bridges 1) " = *" lb$n "* ]] || quiet+=("$n"); done
sleep 3 # what was under way before they were chosen
for n in "${quiet[@]}"; do
	others=$(for m in "${FLOCK[@]}"; do [ "$(site "$m")" = "$(site "$n")" ] || echo "192.0.2.$((10 + m))"; done | paste -sd ,)
	"$LAB" exec "lb$n" nft -f - <<-END
		table inet far {
			counter sent { }
			chain out { type filter hook output priority 0; ip daddr { $others } udp dport 9428 counter name sent; };
		}
	END
done
at 2 node drain reason "to be told" >/dev/null
told() { for n in "${FLOCK[@]}"; do [ "$(node_value "$n" 2 'is // [] | index("draining")')" != null ] || return 1; done; }
began=$(date +%s%N)
check "a fact of one site is known in all" wait_for 10 told
note "$(since "$began") ms, asking included"
victim=${quiet[0]}
began=$(date +%s%N)
kill -9 "$(daemon_pid "lb$victim")"
known_dead() { for n in "${FLOCK[@]}"; do [ "$n" = "$victim" ] || state_is "$n" "$victim" dead || return 1; done; }
check "who is gone in one is known gone in all" wait_for 20 known_dead
note "$(since "$began") ms, asking included"
sent=0
for n in "${quiet[@]}"; do
	sent=$((sent + $("$LAB" exec "lb$n" nft -j list counter inet far sent | jq '[.. | .packets? // empty][0]')))
done
equal "and who is no bridge has sent nothing to other sites" 0 "$sent"

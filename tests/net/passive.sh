#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A backend that does not answer its clients is found out by them: with a check it is probed at once, without one it is
# ejected, and healthy ones never are, also when the clients' own link loses packets. Not here: the rule
# (unit/outlier_test), what is counted (bpf/sign_test).
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/lab.sh"

{
	vip_lines checked 10 wlc dr 4 4
	echo "health set checked tcp interval 60s timeout 500ms fall 2"
	vip_lines unchecked 11 mh ipip 4 4 | sed 's/^vip add .*/& passive eject/'
} >"$TMP/config"
lab_begin --backends 4 --config "$TMP/config"

is() { # VIP BACKEND STATE: as `backend show` has it
	[ "$(backend_value "$1" "$2" state)" = "$3" ]
}

all_up() { [ "$(lb -j health show vip checked | jq -r '[.[] | select(.verdict == "up")] | length')" = 4 ]; }

repeats() { # VIP: SYNs that came again, of all its backends
	lb -j backend show vip "$1" | jq '[.[].syn_repeats] | add'
}

compared() { # VIP: backends of which a rate is known
	lb -j health show vip "$1" | jq '[.[] | select(.repeat_rate_peers >= 0)] | length'
}

check "with the first answers all are up" wait_for 20 all_up
"$LAB" exec lb1 starling event watch backend >"$TMP/events" 2>/dev/null &
cleanup "kill $!"
load_begin clients -c 100 "$(vip4 10)" "$(vip6 10)" "$(vip4 11)" "$(vip6 11)"

"$LAB" fault client loss 30
lossy() { [ "$(repeats checked)" -gt 100 ] && [ "$(repeats unchecked)" -gt 100 ] && [ "$(compared checked)" = 4 ]; }
check "the clients' link loses 30 %: at all backends SYNs come again" wait_for 30 lossy
sleep 5
"$LAB" fault client clear
note "$(lb health show vip checked)"
equal "nobody is suspected for it" "" "$(grep -E 'suspect|avoided|down' "$TMP/events")"

on be2 nft -f - <<-'END'
	table inet deaf {
		chain in {
			type filter hook input priority 0
			tcp flags & (syn | ack) == syn tcp dport 80 drop
		}
	}
END
check "one takes no SYNs: with a check every 60 s it is down before long" wait_for 25 is checked "$(be 2)" down
check "without a check it is avoided" wait_for 25 is unchecked "$(be 2)" avoided
check "as its clients say" grep -q "clients' connections fail: .* of its SYNs come again" \
	<(lb backend show vip unchecked)
check "who watches hears of it" grep -qF "clients' connections fail" "$TMP/events"
metric() { on lb1 curl -s http://127.0.0.1:9427/metrics | grep -qE "^starling_backend_$1{.*$(be 2).*} [1-9]"; }
check "it can be scraped" metric syn_repeats_total
equal "no other backend is suspected" "" "$(grep -E 'suspect|avoided|down' "$TMP/events" | grep -vF "$(be 2)")"
load_end clients
none_fails "clients of the VIP without a check have no trouble any more" 2000 "$(vip4 11)" "$(vip6 11)"

on be2 nft delete table inet deaf
lb vip set unchecked passive off >/dev/null
check "passive off: nobody is avoided" wait_for 5 is unchecked "$(be 2)" up

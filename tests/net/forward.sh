#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Requests over new connections, through every forwarding mode with either IP version outside and
# inside: none fails. SOAK=1 sends 100,000 each instead of 5,000. Not here: changes meanwhile (change.sh).
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/lab.sh"

COUNT=5000
[ -z "${SOAK:-}" ] || COUNT=100000

{
	vip_lines dr4 10 mh dr 4 3
	vip_lines dr6 11 wlc dr 6 3
	vip_lines ipip4 12 wlc ipip 4 3
	vip_lines ipip6 13 mh ipip 6 3
	vip_lines gue4 14 wrr gue 4 3
	vip_lines gue6 15 mh gue 6 3
} >"$TMP/config"
lab_begin --balancers 2 --backends 3 --config "$TMP/config"

backends_used() {
	[ "$(word_of be1 "$LAST")" -gt 0 ] && [ "$(word_of be2 "$LAST")" -gt 0 ] && [ "$(word_of be3 "$LAST")" -gt 0 ]
}

number=10
for vip in dr4 dr6 ipip4 ipip6 gue4 gue6; do
	mode=${vip%[46]} outer=${vip#"$mode"}
	none_fails "$mode: IPv4 clients, IPv$outer backends: $COUNT new connections, none fails" $COUNT "$(vip4 $number)"
	check "and every backend has its part" backends_used
	none_fails "$mode: IPv6 clients, IPv$outer backends: $COUNT new connections, none fails" $COUNT "$(vip6 $number)"
	check "and every backend has its part" backends_used
	number=$((number + 1))
done

seen=0
for host in lb1 lb2; do
	n=$("$LAB" exec $host starling -j iface show | jq '[.. | objects | .tx? // empty] | add')
	check "$host sent packets by XDP" test "$n" -gt $((5 * COUNT))
	seen=$((seen + $("$LAB" exec $host starling -j vip show ipip4 | jq '[.. | objects | .connections? // empty] | add')))
done
equal "the balancers counted every connection of a VIP" $((2 * COUNT)) $seen

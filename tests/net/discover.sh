#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Each way in which balancers find each other, with no other one: beacons to a group, of IPv4 and of IPv6, to everybody,
# and a name. Keys, too, come that way. Not here: addresses (flock.sh), places on disk (flock.sh).
. "$(dirname "$0")/../lib/mounts.sh"
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/lab.sh"
. "$TOP/tests/lib/flock.sh"

vip_lines maglev 11 mh dr 4 2 >"$TMP/config"
cp /etc/hosts "$TMP/hosts"
mount --bind "$TMP/hosts" /etc/hosts && cleanup "umount /etc/hosts"

note "by a group of IPv4"
balancers_begin 3 address V4 device eth0 beacons multicast urgent multicast
flock_begin 3
"$LAB" exec lb2 nft -f - <<-'END'
	table inet nounicast {
		chain in { type filter hook input priority 0; ip daddr 192.0.2.12 meta l4proto { tcp, udp } th dport 9428 drop; };
	}
END
at 1 node drain reason "by multicast" >/dev/null
drains() { [ "$(node_value 2 1 'is // [] | index("draining")')" != null ]; }
check "a drain is told by multicast where nothing else comes" wait_for 3 drains
at 1 node enable >/dev/null
enabled() { ! drains; }
check "and so is its end" wait_for 3 enabled
"$LAB" exec lb2 nft delete table inet nounicast
check "and all are alive" wait_for 20 all_alive
pid=$(daemon_pid lb3)
kill -9 "$pid"
rm -f "$STATE/lb3/known"
"$LAB" up >/dev/null
check "one that has forgotten where the others are is back" wait_for 20 all_alive

note "by a group of IPv6"
balancers_begin 3 address "[V6]" device eth0 beacons multicast
flock_begin 3

note "by broadcast"
balancers_begin 3 address V4 device eth0 beacons broadcast
flock_begin 3

note "by a name"
balancers_begin 3 address V4 device eth0 peers flock.example,other.example:9428
nameless() { grep -q "flock.example.*no address" "/run/starling-lab/$STARLING_LAB/lb2/starlingd.log"; }
(wait_for 20 nameless && printf '192.0.2.%d flock.example\n' 11 12 13 >>"$TMP/hosts") &
flock_begin 3
check "although it stood for nothing at first, which is told" nameless

refused() { # WORD LINE: the reason has the word
	echo "node set name lb1 $2" >"$TMP/bad"
	check "refused: $2" bash -c "! '$LAB' exec lb1 starling config check '$TMP/bad' >'$TMP/said' 2>&1 && grep -q '$1' '$TMP/said'"
}
refused "need a device" "address 192.0.2.11 beacons both"
refused "need an IPv4 address" "address 2001:db8:2::11 device eth0 beacons broadcast"
refused "unicast addresses or names" "peers -x.example"
refused "unicast addresses or names" "peers flock.example:65536"
refused "unicast addresses or names" "peers 192.0.2.300"
refused "given twice" "peers a.example,a.example"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What is no TCP connection of a VIP: UDP, pings, path MTU, fragments, the balancer's own traffic,
# its metrics. Not here: hostile packets (tests/bpf).
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/lab.sh"

{
	for row in "10 ipip 4" "11 gue 4" "12 gue 6" "13 dr 4" "14 ipip 6"; do
		read -r number mode version <<<"$row"
		vip_lines "v$number" "$number" mh "$mode" "$version" 3
		echo "vip add u$number udp/203.0.113.$number:7,udp/[2001:db8:113::$number]:7 forward $mode"
		for i in 1 2 3; do echo "backend add u$number $(be $i "$version" | sed 's/:80$/:7/')"; done
	done
} >"$TMP/config"
lab_begin --backends 3 --config "$TMP/config"

echo_answer() { # ADDRESS BYTES: how many bytes come back, less the host's name
	on client bash -c "exec 3<>/dev/udp/$1/7; head -c $2 /dev/zero | tr '\0' x >&3 2>/dev/null
		timeout 3 head -c $(($2 + 4)) <&3 | wc -c"
}

head -c 5000000 /dev/urandom >"$TMP/upload"
for row in "10 ipip 4" "11 gue 4" "12 gue 6" "13 dr 4" "14 ipip 6"; do
	read -r number mode version <<<"$row"
	name="$mode to IPv$version backends"
	for address in 203.0.113.$number 2001:db8:113::$number; do
		equal "$name: UDP to $address is answered from it" 104 "$(echo_answer "$address" 100)"
		check "$name: ping of $address is answered" on client ping -c 3 -i 0.1 -W 1 "$address"
		url=$address
		[[ $address != *::* ]] || url="[$address]"
		equal "$name: an upload to $address fits the path" 5000000 \
			"$(on client curl -sS -m 20 -T "$TMP/upload" -X POST "http://$url/upload" 2>&1)"
	done
done
check "the client has learnt an IPv4 path MTU below 1500" bash -c \
	"'$LAB' exec client ip route get 203.0.113.10 | grep -qE 'mtu 14[0-9]{2}'"
check "the client has learnt an IPv6 path MTU below 1500" bash -c \
	"'$LAB' exec client ip -6 route get 2001:db8:113::11 | grep -qE 'mtu 14[0-9]{2}'"
equal "fragments of a datagram reach one backend" 3004 "$(echo_answer 203.0.113.13 3000)"
equal "fragments of an IPv6 datagram reach one backend" 3004 "$(echo_answer 2001:db8:113::13 3000)"

check "the balancer answers pings to itself" on client ping -c 2 -i 0.1 -W 1 192.0.2.11
check "over IPv6 too" on client ping -c 2 -i 0.1 -W 1 2001:db8:2::11
check "large ones, in fragments" on client ping -c 2 -i 0.1 -W 1 -s 6000 192.0.2.11
check "and in IPv6 fragments" on client ping -c 2 -i 0.1 -W 1 -s 6000 2001:db8:2::11
equal "its own connections go out and come back" be2 "$(on lb1 curl -s -m 5 http://192.0.2.102/name)"
equal "over IPv6 as well" be3 "$(on lb1 curl -s -m 5 'http://[2001:db8:2::103]/name')"
on lb1 "$O/tools/lab/udp_echo" 7 lb1 &
cleanup "kill $!"
sleep 0.3
equal "its own UDP service is reached" "104" "$(echo_answer 192.0.2.11 100)"

metrics() {
	on lb1 curl -s -m 5 "$@" http://127.0.0.1:9427/metrics
}
metrics >"$TMP/metrics"
check "metrics name every VIP" test "$(grep -c '^starling_vip_packets_total' "$TMP/metrics")" = 10
equal "promtool finds nothing to say about the metrics" "" "$(promtool check metrics <"$TMP/metrics" 2>&1)"
equal "OpenMetrics end as they should" "# EOF" \
	"$(metrics -H 'Accept: application/openmetrics-text; version=1.0.0' | tail -n 1)"
equal "the balancer is healthy and ready" "200 200" \
	"$(for page in healthz readyz; do on lb1 curl -s -o /dev/null -w '%{http_code} ' http://127.0.0.1:9427/$page; done | xargs)"

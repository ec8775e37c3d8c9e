#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The lab keeps its promises: hosts, content, faults, idempotence, nothing left behind.
# Not here: balancing.
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/lab.sh"

machine() { # what the machine has beside this lab
	ip -o link show | cut -d: -f1-2
	ip route show table all
	ip netns | grep "^$STARLING_LAB-"
	find /run/starling-lab /sys/fs/bpf/starling-lab -path "*$STARLING_LAB*" 2>/dev/null
}

pids_alive() {
	local pid
	for pid in $1; do kill -0 "$pid" 2>/dev/null && grep -qv ') Z ' "/proc/$pid/stat" && echo "$pid"; done
}

before=$(machine)
lab_begin --balancers 2 --backends 3
equal "hosts have the addresses they should" "192.0.2.11/24 192.0.2.103/24 198.51.100.17/24 2001:db8:2::12/64" \
	"$(for pair in lb1:192.0.2.11 be3:192.0.2.103 client:198.51.100.17 lb2:2001:db8:2::12; do
		on "${pair%%:*}" ip -o addr | grep -oE " ${pair#*:}/[0-9]+"
	done | xargs)"
for url in http://192.0.2.102/name 'http://[2001:db8:2::102]/name' http://192.0.2.102:443/name https://192.0.2.102/name; do
	equal "a backend names itself at $url" be2 "$(on client curl -sk -m 5 "$url")"
done
equal "the blob is 1 MiB" 1048576 "$(on client curl -s -m 5 http://192.0.2.101/blob | wc -c)"
slow=$(on client curl -s -m 2 'http://192.0.2.101/blob?rate=50000' | wc -c)
check "and as slow as asked for" test "$slow" -lt 400000
check "VIP addresses are on the backends' lo" test \
	"$(on be1 ip -o addr show dev lo | grep -cE '203\.0\.113\.1[0-9]/32|2001:db8:113::1[0-9]/128')" = 20
equal "the router spreads by ports too" "1 1" \
	"$(on router sysctl -n net.ipv4.fib_multipath_hash_policy net.ipv6.fib_multipath_hash_policy | xargs)"
equal "both balancers are next hops of both prefixes" "2 2" \
	"$(on router ip route show 203.0.113.0/24 | grep -c nexthop) $(on router ip -6 route show 2001:db8:113::/64 | grep -cE 'nexthop|via')"

echo_answer() { # ADDRESS
	on client bash -c "exec 3<>/dev/udp/$1/7; echo hello >&3; timeout 2 head -n 1 <&3"
}
equal "a backend echoes UDP over IPv4" "be1 hello" "$(echo_answer 192.0.2.101)"
equal "a backend echoes UDP over IPv6" "be1 hello" "$(echo_answer 2001:db8:2::101)"

# A datagram to the echo at the VIP in a tunnel to be1, from a HOST's ADDRESS; whether the client hears the answer.
tunnelled_answer() { # HOST ADDRESS
	"$LAB" exec client python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("198.51.100.10", 5555)); s.settimeout(2)
try: print(s.recv(99).decode(), end="")
except TimeoutError: pass' >"$TMP/heard" &
	sleep 0.5
	on "$1" python3 - "$2" <<-'END'
		import socket, struct, sys
		a = socket.inet_aton
		udp = struct.pack("!4H", 5555, 7, 8 + 6, 0) + b"hello\n"
		inner = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, a("198.51.100.10"), a("203.0.113.10"))
		total = sum(struct.unpack("!10H", inner)); total = (total & 0xffff) + (total >> 16); total = (total & 0xffff) + (total >> 16)
		inner = inner[:10] + struct.pack("!H", ~total & 0xffff) + inner[12:]
		s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 4); s.bind((sys.argv[1], 0)); s.sendto(inner + udp, ("192.0.2.101", 0))
	END
	wait $!
	cat "$TMP/heard"
}
equal "a backend opens a balancer's tunnel" "be1 hello" "$(tunnelled_answer lb1 192.0.2.11)"
equal "but nobody else's" "" "$(tunnelled_answer client 198.51.100.10)"

reaches() {
	on client ping -c 1 -W 1 192.0.2.101
}
"$LAB" fault be1 cut in
check "a link cut inwards lets nothing reach the host" bash -c "! '$LAB' exec client ping -c 1 -W 1 192.0.2.101"
"$LAB" fault be1 clear
"$LAB" fault be1 cut out
check "a link cut outwards lets nothing come back" bash -c "! '$LAB' exec client ping -c 1 -W 1 192.0.2.101"
"$LAB" fault be1 clear
check "a cleared link carries packets again" reaches
"$LAB" fault client loss 20
lost=$(on client ping -q -c 400 -i 0.005 -W 1 192.0.2.101 | grep -oE '[0-9.]+% packet loss' | cut -d. -f1 | tr -d '% a-z')
check "20 % loss each way loses 25 to 47 % of the echoes" test "$lost" -ge 25 -a "$lost" -le 47
"$LAB" fault client clear
check "a fault of a link that is not there is refused" bash -c "! '$LAB' fault be9 cut in"
check "a loss over 100 % is refused" bash -c "! '$LAB' fault be1 loss 101"

pids=$(for host in be1 be2 be3; do on "$host" true; ip netns pids "$STARLING_LAB-$host"; done)
"$LAB" up >/dev/null
equal "a second up starts nothing anew" "$pids" "$(for host in be1 be2 be3; do ip netns pids "$STARLING_LAB-$host"; done)"
"$LAB" up --backends 4 >/dev/null
equal "up adds a backend to a lab that runs" be4 "$(on client curl -s -m 5 http://192.0.2.104/name)"
"$LAB" up --backends 2 --balancers 1 >/dev/null
equal "up takes away what is too much" "be1 be2 client lb1 router" "$("$LAB" status | awk 'NR > 1 { print $1 }' | xargs)"

# a crash: the router lost, a half-made host, processes without a record
ip netns delete "$STARLING_LAB-router"
rm -f /run/starling-lab/"$STARLING_LAB"/be1/*.pid /run/starling-lab/"$STARLING_LAB"/be2/ready
pids=$(ip netns pids "$STARLING_LAB-be1")
check "down works on what a crash left" "$LAB" down
equal "and ends processes nobody recorded" "" "$(pids_alive "$pids")"
equal "nothing is left behind" "$before" "$(machine)"
check "down works twice" "$LAB" down

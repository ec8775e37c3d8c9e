#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Probes through the tunnel: what clients' packets meet is met, by each way of forwarding, and what direct probes miss
# is found. Not here: kinds of probes, what follows from results (health.sh), the kernel's own tunnels (tests/vm).
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/lab.sh"

PACE="interval 300ms timeout 200ms rise 1 fall 1"
vip() { # NAME KEY FORWARD CHECK BACKEND...
	local name=$1 key=$2 forward=$3 check=$4 backend
	shift 4
	echo "vip add $name $key forward $forward"
	echo "health set $name $check $PACE"
	for backend; do echo "backend add $name $backend"; done
}
{
	vip dr tcp/203.0.113.10:80 dr "http path /name via tunnel" "$(be 1)" "$(be 2)"
	vip ipip tcp/203.0.113.11:80 ipip "tcp via tunnel" "$(be 1)" "$(be 2)"
	vip gue tcp/203.0.113.12:80 gue 'talk send "GET /name HTTP/1.0\x0d\x0a\x0d\x0a" expect be via tunnel' "$(be 1)" "$(be 2)"
	vip gue6 tcp/203.0.113.13:443 gue "https path /name via tunnel" "[2001:db8:2::101]:443" "[2001:db8:2::102]:443"
	vip six "tcp/[2001:db8:113::14]:80" ipip "http path /name via tunnel" "$(be 1 6)" "$(be 2)"
	vip echo udp/203.0.113.15:7 gue "udp send hello expect hello via tunnel" "[2001:db8:2::101]:7" "192.0.2.102:7"
	vip direct tcp/203.0.113.16:80 dr "http path /name" "$(be 1)" "$(be 2)"
} >"$TMP/config"
lab_begin --backends 2 --config "$TMP/config"

verdicts() { # of be1, then be2, of a VIP
	lb -j health show vip "$1" | jq -r '[sort_by(.backend | contains("102")) | .[].verdict] | join(" ")'
}
are() { # VERDICTS VIP...
	local wanted=$1 vip
	shift
	for vip; do [ "$(verdicts "$vip")" = "$wanted" ] || return 1; done
}
filters() { # NUMBER
	[ "$(on lb1 bpftool -j net show | jq '[.[].tc[] | select(.name | startswith("tunnel"))] | length')" = "$1" ]
}

check "probes of each kind are carried, by dr, ipip and gue, of both versions in both" \
	wait_for 20 are "up up" dr ipip gue gue6 six echo direct
note "$(lb health show | grep -F 192.0.2.101)"
equal "one is carried for who asks" "ok status 200" "$(lb -j health probe dr "$(be 1)" | jq -r '.[0] | "\(.reason) \(.result)"')"

# A request of many segments, which the kernel hands on as one packet
cat >"$TMP/long.py" <<'END'
import socket, sys
at, mark, family = sys.argv[1], int(sys.argv[2], 0), socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
s = socket.socket(family, socket.SOCK_STREAM)
s.settimeout(10)
s.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, mark)
s.setsockopt(*((socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS) if ":" in at else (socket.IPPROTO_IP, socket.IP_TTL)), 1)
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1220)
s.connect((at, 80))
s.sendall(b"GET /name HTTP/1.0\r\nX-Long: " + 7000 * b"x" + b"\r\n\r\n")
print(s.recv(4096).split(b" ")[1].decode())
END
dropped() { on lb1 tc -s -j qdisc show dev eth0 | jq '.[] | select(.kind == "clsact") | .drops'; }
long() { # VIP ADDRESS BACKEND: the status that is answered
	local id
	id=$(lb -j backend show vip "$1" | jq ".[] | select(.backend == \"$3\") | .id")
	on lb1 python3 "$TMP/long.py" "$2" $((0x53540000 + id))
}
before=$(dropped)
equal "a request of many segments is carried by dr" 200 "$(long dr 203.0.113.10 "$(be 1)")"
equal "by ipip" 200 "$(long ipip 203.0.113.11 "$(be 1)")"
equal "by gue" 200 "$(long gue 203.0.113.12 "$(be 1)")"
equal "by ipip in IPv6" 200 "$(long six 2001:db8:113::14 "$(be 1 6)")"
equal "at once, none has to come again" "$before" "$(dropped)"

on be2 ip addr delete 203.0.113.10/32 dev lo
on be2 ip addr delete 203.0.113.16/32 dev lo
check "a backend that lacks the VIP's address is down" wait_for 20 are "up down" dr
equal "a direct probe does not see that" "up up" "$(verdicts direct)"
on be2 ip addr add 203.0.113.10/32 dev lo
on be2 ip addr add 203.0.113.16/32 dev lo
check "it comes back" wait_for 20 are "up up" dr

on be2 ip link set dev eth0 xdpdrv off
check "one whose tunnels are closed is down" wait_for 20 are "up down" ipip gue gue6 six echo
equal "but not where there is no tunnel" "up up" "$(verdicts dr)"
none_fails "clients meet the other one" 200 "$(vip4 11)" "$(vip4 12)"

# --- what carries them is put back, and an address of the host's own is no VIP's
on lb1 tc filter delete dev eth0 egress
check "a filter that somebody has deleted is put back" wait_for 5 filters 1
check "and no backend stays down for it" wait_for 20 are "up up" dr
kill -9 "$(daemon_pid lb1)"
"$LAB" up >/dev/null
check "a daemon that begins anew carries them again" wait_for 20 are "up up" dr
on lb1 ip addr add 203.0.113.10/32 dev lo
own() { lb health probe dr "$(be 1)" 2>&1 | grep -q "one of this host's own"; }
check "where the VIP's address is the balancer's own no probe counts" wait_for 5 own
equal "all stay as they were" "up up" "$(verdicts dr)"
on lb1 ip addr delete 203.0.113.10/32 dev lo

# --- and nothing stands in anybody's way that is not wanted
check "a filter stands while it is wanted" wait_for 5 filters 1
for vip in dr ipip gue gue6 six echo; do lb health delete "$vip" >/dev/null; done
check "and goes" wait_for 5 filters 0
check "it is wanted again" lb health set dr tcp via tunnel
check "it is there" wait_for 5 filters 1
check "the device is detached" lb iface detach eth0
check "it is not" wait_for 5 filters 0

# --- a witness has no tunnels
mkdir -p "$TMP/witness"
unshare -n "$O/starlingd" --no-dataplane --node witness --run-dir "$TMP/run" --state-dir "$TMP/witness" \
	--bpf-dir "$TMP/bpf" 2>"$TMP/witness.log" &
cleanup "kill $!"
witness() { "$O/starling" -s "$TMP/run/witness/control.sock" "$@"; }
check "a witness begins" wait_for 10 test -S "$TMP/run/witness/control.sock"
witness vip add web tcp/203.0.113.10:80 >/dev/null
witness backend add web 192.0.2.101:80 >/dev/null
witness health set web tcp via tunnel >/dev/null
witness status >"$TMP/status" 2>&1
check "it checks nothing through tunnels, and says so" grep -q 'not checked from here: .*tunnel' "$TMP/status"
witness health probe web 192.0.2.101:80 >"$TMP/status" 2>&1
check "not when it is asked either" grep -q 'no tunnel to it from here' "$TMP/status"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Hosts that lack something, and others who are in the way: a sentence that says what to do, and whatever
# ran goes on. Not here: what the probe says of good hosts (show.sh).
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/daemon.sh"

conf_write
mapfile -t options < <(daemon_options)
chmod 755 "$TMP"

# refuses NAME STATUS PATTERN CMD...: ends with STATUS and says PATTERN
refuses() {
	local name=$1 wanted=$2 pattern=$3 said got
	shift 3
	said=$(timeout 20 "$@" 2>&1)
	got=$?
	if [ $got = "$wanted" ] && grep -qE -- "$pattern" <<<"$said"; then ok "$name"; else not_ok "$name" "status $got: $said"; fi
}
with_iface() { # LINE: the configuration with this instead of its device
	sed "s/^iface attach.*/$1/" "$CONF" >"$TMP/other.conf"
}

# --- what is missing ---
refuses "without capabilities root is told which" 1 'CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN; run as root' \
	setpriv --bounding-set=-all --inh-caps=-all starlingd "${options[@]}" -f "$CONF"
refuses "so is another user, rather than of the first directory" 1 'CAP_NET_ADMIN; run as root' \
	setpriv --reuid 65534 --clear-groups starlingd -f "$CONF"
refuses "without a bpffs the command to mount one is given" 1 'mount -t bpf bpf /sys/fs/bpf' \
	starlingd "${options[@]}" --bpf-dir "$TMP/nowhere" -f "$CONF"
with_iface "iface attach nowhere0"
refuses "a device that is not there is named" 1 'there is no device "nowhere0"' starlingd "${options[@]}" -f "$TMP/other.conf"
ip link add bridge0 type bridge && ip link set bridge0 up
with_iface "iface attach bridge0 mode native"
refuses "native mode on a driver without it is met with generic mode" 1 'bridge0.*mode generic' \
	starlingd "${options[@]}" -f "$TMP/other.conf"
with_iface "iface attach bridge0"
daemon_must_start -f "$TMP/other.conf"
equal "auto takes generic mode there" generic "$(starling -j iface show | jq -r '.[0].mode')"
check "and the log says so" grep -q 'bridge0 runs XDP in generic mode' "$LOG"
daemon_stop
daemon_remove
if unshare -m sh -c 'mount -t tmpfs none /sys/kernel/btf' 2>/dev/null; then
	# shellcheck disable=SC2016 # for the inner shell
	unshare -m sh -c 'mount -t tmpfs none /sys/kernel/btf; exec "$0" "$@"' starlingd "${options[@]}" -f "$CONF" >>"$LOG" 2>&1 &
	PID=$!
	check "without the kernel's BTF it starts" daemon_wait
	daemon_stop
else
	skip "without the kernel's BTF it starts" "/sys/kernel/btf cannot be hidden"
fi

# --- others ---
daemon_must_start -f "$CONF"
refuses "a second daemon with directories of its own refuses the same data plane" 1 'another starlingd.*stop it' \
	starlingd "${options[@]}" --run-dir "$TMP/run2" --state-dir "$TMP/state2" -f "$CONF"
refuses "so does removing under a running one" 1 'another starlingd' \
	starlingd "${options[@]}" --run-dir "$TMP/run2" --state-dir "$TMP/state2" --remove
refuses "another node refuses the device that is taken" 1 'veth0 has another XDP program.*stop its owner' \
	starlingd "${options[@]}" --node "$NODE-2" -f "$CONF"
starlingd "${options[@]}" --node "$NODE-2" --remove 2>/dev/null
bpftool prog load "$O/tools/lab/pass.bpf.o" "$BPF/pass-$$" type xdp
cleanup "rm -f $BPF/pass-$$"
bpftool net attach xdpgeneric pinned "$BPF/pass-$$" dev bridge0
before=$(starling config export | md5sum)
refuses "a foreign XDP program is named, with what takes it off" 1 'another XDP program.*ip link set dev bridge0 xdpgeneric off' \
	starling iface attach bridge0
says "the probe sees it too" 'xdp-free +missing +another XDP program' starling feature probe bridge0
ip link set dev bridge0 xdpgeneric off
exits "with it gone the device is attached" 0 starling iface attach bridge0
starling iface detach bridge0

# --- room ---
refuses "slots over the room name the option" 1 '--slots' starling vip add big tcp/203.0.113.30:80 slots 1048573
for i in $(seq 62); do echo "vip add many$i tcp/203.0.113.$((i + 30)):80"; done >"$TMP/batch"
check "VIPs up to the room are taken" starling batch file "$TMP/batch"
refuses "one more names the option" 1 '--vips' starling vip add more tcp/203.0.113.200:80
starling config apply "$CONF" >/dev/null
equal "and what ran runs" "$before" "$(starling config export | md5sum)"

# --- MTU ---
starling vip set web forward ipip
ip link set veth0 mtu 1280
says "the probe says what a small MTU means" 'mtu +warning +1280.*1556' starling feature probe veth0
for _ in $(seq 50); do starling -j backend show vip web | jq -e '.[0].mtu == 1280' >/dev/null && break; sleep 0.1; done
says "and a backend whose path is too small for its tunnel says what to do" '192.0.2.101:443 .*up.*MTU 1280.*1300' \
	starling backend show vip web
ip link set veth0 mtu 1500
starling config apply "$CONF" >/dev/null

# --- a VIP on an address of the host ---
for key in tcp/192.0.2.11:80 'udp/[2001:db8:2::11]:53'; do
	refuses "a VIP $key on the host's own address is refused with what to do" 1 'which has [0-9a-f:.]+ on veth0: give the VIP an address of its own' \
		starling vip add own "$key"
done
refuses "so is one added to a VIP" 1 'would take packets from this host itself' starling vip address web add tcp/192.0.2.11:80
exits "the host's own addresses are no VIPs then" 1 starling vip show own
ip address add 203.0.113.43/32 dev lo
exits "on lo a VIP is welcome" 0 starling vip add own tcp/203.0.113.43:80
ip link set bridge0 arp off && ip address add 203.0.113.44/32 dev bridge0
exits "so it is on a device that answers for nobody" 0 starling vip address own add tcp/203.0.113.44:80
ip address add 203.0.113.43/32 dev veth0
exits "one that is served stays when its address comes to a device" 0 starling vip set own scheduler rr
daemon_stop
daemon_must_start
exits "over a restart too" 0 starling vip show own
ip address del 203.0.113.43/32 dev veth0
starling config apply "$CONF" >/dev/null

# --- a device that takes no redirected packets ---
if [ "$(printf '%s\n' 6.3 "$(uname -r)" | sort -V | head -n 1)" = 6.3 ]; then
	ip link add veth2 type veth peer name veth3
	ip address add 192.0.3.11/24 dev veth2 && ip link set veth2 up && ip link set veth3 up
	ip neigh add 192.0.3.101 lladdr 02:00:00:00:00:08 dev veth2 nud permanent
	deaf() { starling -j backend show vip web | jq -e '.[] | select(.backend == "192.0.3.101:443") | .why | test("veth2: what XDP takes from another device for it is lost")'; }
	hears() { ! deaf; }
	soon() { for _ in $(seq 50); do "$@" >/dev/null && return; sleep 0.1; done; return 1; }
	says "the probe warns of a veth whose peer has no program" 'xdp-redirect +warning +.*would be lost' starling feature probe veth2
	starling iface detach veth0 && starling iface attach veth0 mode native && starling backend add web 192.0.3.101:443
	check "a backend behind it says so" soon deaf
	says "and so does status" 'packets redirected to veth2 are lost' starling status
	check "the log tells it" grep -q 'iface veth2: takes redirects -> loses redirects' "$LOG"
	bpftool net attach xdpdrv pinned "$BPF/pass-$$" dev veth3
	check "with a program at the peer all is well" soon hears
	says "also to the probe" 'xdp-redirect +ok' starling feature probe veth2
	bpftool net detach xdpdrv dev veth3
	check "without it no longer" soon deaf
	starling iface detach veth0 && starling iface attach veth0 mode generic
	check "generic mode sends through any device" soon hears
	starling config apply "$CONF" >/dev/null
	ip link del veth2
else
	skip "a device that takes no redirected packets is told of" "Linux before 6.3 does not tell"
fi

# --- dr through a router ---
ip route add 10.9.0.0/24 via 192.0.2.101
starling vip add far tcp/203.0.113.42:80 forward ipip
starling backend add far 10.9.0.5:80 && starling backend add far 192.0.2.102:80
far() { for _ in $(seq 50); do [ "$(starling -j backend show vip far | jq -r '.[0].state')" = "$1" ] && return; sleep 0.1; done; return 1; }
check "a backend behind a router is up with a tunnel" far up
starling vip set far forward dr
check "with dr it is not: the router would send everything back" far unresolved
says "and says so" '10.9.0.5:80 .*dr.*behind a router: use ipip or gue' starling backend show vip far
says "with a neighbour beside it dr goes there" '^far -> 192.0.2.102:80.*; dr via veth0' \
	starling flow lookup tcp 198.51.100.7:51515 203.0.113.42:80
ip route replace 10.9.0.0/24 dev veth0
ip neigh replace 10.9.0.5 lladdr 02:00:00:00:00:09 dev veth0 nud permanent
check "on the link it is up with dr" far up
ip route replace 10.9.0.0/24 via 192.0.2.101
check "and down again when a router comes in between" far unresolved
starling vip delete far

# --- HTTP's address cannot be had ---
squat() { # ADDR PORT: another process listens there
	python3 -c 'import socket, sys, time
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind((sys.argv[1], int(sys.argv[2]))); s.listen()
time.sleep(60)' "$1" "$2" &
	squatter=$!
	for _ in $(seq 100); do (: <"/dev/tcp/$1/$2") 2>/dev/null && return; sleep 0.1; done
}
served() { curl -s -m 2 -o /dev/null "http://$1/healthz"; }
served_soon() { for _ in $(seq 80); do served "$1" && return; sleep 0.1; done; return 1; }
squat 127.0.0.1 9429
before=$(starling config export | md5sum)
refuses "a taken address is refused" 1 'cannot serve HTTP at 127.0.0.1:9429: another process listens there' \
	starling listen http 127.0.0.1:9429
refuses "also before it is tried" 1 'another process listens there' starling -n listen http 127.0.0.1:9429
refuses "so is an address that nobody here has" 1 'cannot serve HTTP at 198.51.100.99:9429: no device of this host has that address' \
	starling listen http 198.51.100.99:9429
{ cat "$CONF"; echo "vip add late tcp/203.0.113.41:80"; echo "listen http 127.0.0.1:9429"; } >"$TMP/other.conf"
refuses "a file with such a line is refused as a whole" 1 'another process listens there' starling config apply "$TMP/other.conf"
equal "nothing of all this changed the configuration" "$before" "$(starling config export | md5sum)"
check "and HTTP is where it was" served "$HTTP"
starling config apply "$CONF" >/dev/null
exits "an address that is free is taken" 0 starling listen http 127.0.0.1:9430
check "and served" served_soon 127.0.0.1:9430
exits "all addresses may follow one of them" 0 starling listen http 0.0.0.0:9430
check "and are served" served_soon 192.0.2.11:9430
check "forth and back again, at once" bash -c 'for i in 1 2 3 4 5; do
	starling listen http 127.0.0.1:9431 && starling listen http 127.0.0.1:9430 || exit 1; done'
check "is served too" served_soon 127.0.0.1:9430
daemon_stop
daemon_start -f "$TMP/other.conf"
says "at a start it is told what is wrong" 'cannot serve HTTP at 127.0.0.1:9429: another process.*not served' cat "$LOG"
says "and shown" 'problem: .*metrics and health are not served' starling status
exits "while it steers" 0 starling vip show late
kill "$squatter"
check "it is served as soon as the address is free" served_soon 127.0.0.1:9429
equal "which is told once" 1 "$(grep -c 'cannot serve HTTP at 127.0.0.1:9429' "$LOG")"
starling config apply "$CONF" >/dev/null
check "without such a line it is where it is by default" served_soon "$HTTP"

# --- the state directory cannot be written ---
history=$STATE/$NODE/history
next=$(printf '%s/%010d.conf.new' "$history" $(($(starling -j config history | jq '.[-1].generation') + 1)))
mkdir "$next" "$STATE/$NODE/overrides.new"
refuses "a change that is not kept says so" 1 'it runs, but is not kept' starling vip add kept tcp/203.0.113.40:80
exits "though it runs" 0 starling vip show kept
refuses "and goes on saying so" 1 'it runs, but is not kept' bash -c "starling config export | starling config apply -"
refuses "a drain that is not kept says so" 1 'it is done, but' starling backend drain web 192.0.2.101:443
equal "it is counted" 1 "$(starling -j metric show starling_store_errors_total | jq '.[0].value >= 3 | if . then 1 else 0 end')"
rmdir "$next" "$STATE/$NODE/overrides.new"
exits "applying again keeps it" 0 bash -c "starling config export | starling config apply -"
exits "so does enabling" 0 starling backend enable web 192.0.2.101:443
daemon_stop KILL
daemon_must_start
exits "a start without -f knows it" 0 starling vip show kept

# --- nor can the audit log: nothing is refused for it, and what lacks is counted ---
check "the audit log verifies" starling node audit verify
mv "$STATE/$NODE/audit" "$TMP/audit"
touch "$STATE/$NODE/audit"
daemon_stop
daemon_must_start
exits "a change is made" 0 starling backend set web 192.0.2.101:443 weight 99
says "status tells that it is not noted" 'problem: .*the audit log is not kept: cannot' starling status
exits "what is not there does not verify" 1 starling node audit verify
rm "$STATE/$NODE/audit"
mv "$TMP/audit" "$STATE/$NODE/audit"
exits "a later change is made" 0 starling backend set web 192.0.2.101:443 weight 100
says "and noted, behind the one that waited" 'weight 99.*weight 100' bash -c "starling node audit show limit 2 | paste -s"
check "the log verifies" starling node audit verify
sed -i 's/weight 99"/weight 98"/' "$STATE/$NODE/audit/0000000001.log"
says "unless a line was changed, which is named" '0000000001.log line [0-9]+: entry [0-9]+: its signature' starling node audit verify
exits "and is an error" 1 starling node audit verify
sed -i 's/weight 98"/weight 99"/' "$STATE/$NODE/audit/0000000001.log"

# --- a broken configuration at a start: traffic goes on by what is pinned ---
starling config apply "$CONF" >/dev/null
for _ in $(seq 50); do starling -j vip show web | jq -e '.[0].available' >/dev/null && break; sleep 0.1; done
counted() { starling -j vip show web | jq '.[0].packets'; }
packets=$(counted)
daemon_stop
echo "backend add web nonsense" >"$TMP/broken.conf"
refuses "a broken configuration does not start" 4 'broken.conf:1:17' starlingd "${options[@]}" -f "$TMP/broken.conf"
with_iface "iface attach nowhere0"
refuses "nor does one that cannot be applied" 1 'nothing was changed|not applied' starlingd "${options[@]}" -f "$TMP/other.conf"
syn_send 7
daemon_must_start -f "$CONF"
equal "meanwhile packets were steered" 7 $(($(counted) - packets))

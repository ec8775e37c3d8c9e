# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# One starlingd of a test's own, in a network namespace of its own, with two devices and backends that
# nobody is. Source after tap.sh. Not here: traffic (lab.sh).

[ "$(id -u)" = 0 ] || {
	skip "$(basename "$0")" "needs root"
	exit 0
}
# The namespace ends with the last process in it.
[ -n "${DAEMON_IN_NAMESPACE:-}" ] || DAEMON_IN_NAMESPACE=1 exec unshare -n -- bash "$0" "$@"

# shellcheck disable=SC2034 # some are for the tests alone
NODE=cli$$ HTTP=127.0.0.1:9427
BPF=/sys/fs/bpf/starling-$NODE
RUN=$TMP/run
STATE=$TMP/state
CONF=$TMP/starling.conf
LOG=$TMP/starlingd.log
export STARLING_SOCKET=$RUN/$NODE/control.sock
# shellcheck disable=SC2034
READ_SOCKET=$RUN/$NODE/read.sock
PID=
PATH=$O:$PATH

mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf
ip link set lo up
ip link add veth0 type veth peer name veth1
ip address add 192.0.2.11/24 dev veth0
ip -6 address add 2001:db8:2::11/64 dev veth0 nodad
ip link set veth0 up
ip link set veth1 up
for octet in 101 102 103; do # backends whose next hop is known; nobody answers for others
	ip neigh add 192.0.2.$octet lladdr 02:00:00:00:00:$((octet - 90)) dev veth0 nud permanent
	ip neigh add 2001:db8:2::$octet lladdr 02:00:00:00:00:$((octet - 90)) dev veth0 nud permanent
done

daemon_options() {
	printf '%s\n' --node "$NODE" --bpf-dir "$BPF" --run-dir "$RUN" --state-dir "$STATE" --vips 64 --backends 1024 \
		--slots 262144 --flow-sets 4096
}

# Starts it and waits until it answers; fails if it ends before.
daemon_start() { # OPTIONS...
	mapfile -t options < <(daemon_options)
	starlingd "${options[@]}" "$@" >>"$LOG" 2>&1 &
	PID=$!
	daemon_wait
}

daemon_wait() {
	local i
	for ((i = 0; i < 200; i++)); do
		kill -0 "$PID" 2>/dev/null || return 1
		starling version -t 5 >/dev/null 2>&1
		[ -S "$STARLING_SOCKET" ] && starling -j config history >/dev/null 2>&1 && return 0
		sleep 0.05
	done
	return 1
}

daemon_stop() { # [SIGNAL]
	[ -n "$PID" ] || return 0
	kill "-${1:-TERM}" "$PID" 2>/dev/null
	{ wait "$PID"; } 2>/dev/null
	local status=$?
	PID=
	return $status
}

daemon_remove() {
	daemon_stop KILL
	mapfile -t options < <(daemon_options)
	timeout 20 starlingd "${options[@]}" --remove
	rmdir "$BPF" 2>/dev/null || true
}
cleanup daemon_remove

daemon_must_start() { # OPTIONS...
	daemon_start "$@" && return
	not_ok "starlingd starts" "$(tail -n 20 "$LOG")"
	exit 1
}

says() { # NAME PATTERN CMD...
	local name=$1 pattern=$2 said
	shift 2
	said=$("$@" 2>&1)
	if grep -qE -- "$pattern" <<<"$said"; then ok "$name"; else not_ok "$name" "no \"$pattern\" in: $said"; fi
}

generation() {
	starling -j status | jq '.[0].generation'
}

# SYNs of one client to VIP web, arriving on veth0.
syn_send() { # COUNT
	python3 - "$1" <<-'END'
		import fcntl, socket, struct, sys
		s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
		s.bind(("veth1", 0))
		def hw(dev):
		    q = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		    return fcntl.ioctl(q.fileno(), 0x8927, struct.pack("256s", dev.encode()))[18:24]
		ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 1, 0, 64, 6, 0, socket.inet_aton("198.51.100.7"), socket.inet_aton("203.0.113.10"))
		total = sum(struct.unpack("!10H", ip)); total = (total & 0xffff) + (total >> 16); total = (total & 0xffff) + (total >> 16)
		ip = ip[:10] + struct.pack("!H", ~total & 0xffff) + ip[12:]
		tcp = struct.pack("!HHIIBBHHH", 51515, 443, 1, 0, 0x50, 2, 1024, 0, 0)
		for _ in range(int(sys.argv[1])):
		    s.send(hw("veth0") + hw("veth1") + b"\x08\x00" + ip + tcp)
	END
}

# A configuration with two VIPs, five backends and a device.
conf_write() {
	cat >"$CONF" <<-END
		iface attach veth0 mode generic
		vip add web tcp/203.0.113.10:443,tcp/[2001:db8:113::10]:443,udp/203.0.113.10:443 scheduler wlc
		backend add web 192.0.2.101:443 weight 100
		backend add web 192.0.2.102:443 weight 100
		backend add web 192.0.2.103:443 weight 50
		vip add dns udp/203.0.113.11:53 scheduler mh forward gue idle 0
		backend add dns 192.0.2.101:53
		backend add dns [2001:db8:2::102]:53
	END
}

# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The lab's hosts as namespaces, their links, addresses and routes. Sourced by tools/lab/lab.
# Every veth is made inside the namespaces: the machine's own devices are never touched.
# Not here: what runs on the hosts (services.sh).
#
#	client eth0 --- client router br0 --- lb1   --- eth0 lb1     router ports carry the name
#	                                  --- be1   --- eth0 be1     of the host behind them

host_sysctl() { # HOST KEY=VALUE...
	local host=$1
	shift
	within "$host" sysctl -q -w "$@" >/dev/null
}

# Namespace with the settings that all hosts share, and others. A process costs more than all that it does here, so
# there is one for a host's settings, and one for the links, addresses and routes on each side of its link.
host_make() { # HOST KEY=VALUE...
	mkdir -p "$RUN/$1"
	ip netns add "$LAB-$1" || return 1
	host_sysctl "$1" net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
		net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0 \
		net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.accept_ra=0 \
		net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.default.send_redirects=0 "${@:2}"
}

# Frames are to be on the wire as they would be on a real one: whole checksums, no super-packets.
link_plain() { # HOST DEV
	within "$1" ethtool -K "$2" tx off tso off gso off gro off >/dev/null 2>&1
}

# Its eth0 and the router's port of its name, as the router's lines and the host's say.
link_make() { # HOST ROUTER_LINES HOST_LINES
	within router ip -batch - <<-END && link_plain router "$1" && link_plain "$1" eth0 || return 1
		link add name $1 type veth peer name eth0 netns $LAB-$1
		$2
	END
	within "$1" ip -batch - <<-END
		link set lo up
		link set eth0 up
		$3
	END
}

router_up() {
	host_make router net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
		net.ipv4.fib_multipath_hash_policy=1 net.ipv6.fib_multipath_hash_policy=1 \
		net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 || return 1
	# where bridge netfilter is loaded, frames must still not pass the machine's IP rules
	[ ! -e /proc/sys/net/bridge ] ||
		host_sysctl router net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0
	within router ip -batch - <<-END
		link set lo up
		link add br0 type bridge forward_delay 0 mcast_snooping 0
		link set br0 up
		addr add 192.0.2.1/24 dev br0
		addr add 2001:db8:2::1/64 dev br0 nodad
	END
}

client_up() {
	local n addresses=""
	for n in {10..17}; do
		addresses+="addr add 198.51.100.$n/24 dev eth0"$'\n'"addr add 2001:db8:100::$n/64 dev eth0 nodad"$'\n'
	done
	host_make client net.ipv4.ip_local_port_range="1024 65535" net.ipv4.tcp_tw_reuse=1 net.ipv4.tcp_fin_timeout=5 &&
		link_make client "link set client up
			addr add 198.51.100.1/24 dev client
			addr add 2001:db8:100::1/64 dev client nodad" "$addresses
			route add default via 198.51.100.1 src 198.51.100.10
			route add default via 2001:db8:100::1 src 2001:db8:100::10"
}

# A balancer or backend: one port of the router's bridge.
segment_host_up() { # HOST NUMBER LINES KEY=VALUE...: 192.0.2.NUMBER, 2001:db8:2::NUMBER
	host_make "$1" "${@:4}" &&
		link_make "$1" "link set $1 master br0 up" "addr add 192.0.2.$2/24 dev eth0
			addr add 2001:db8:2::$2/64 dev eth0 nodad
			route add default via 192.0.2.1
			route add default via 2001:db8:2::1
			$3"
}

# veth flushes what its peer sends by XDP_TX only if it has an XDP program itself.
balancer_up() { # N
	segment_host_up "lb$1" $((10 + $1)) "" || return 1
	within router ip link set dev "lb$1" xdpdrv obj "$O/tools/lab/pass.bpf.o" section xdp.frags
}

# VIPs on lo: held, but neither asked for nor announced by ARP; answers go straight to the client.
backend_up() { # N
	local n vips=""
	for n in {10..19}; do
		vips+="addr add 203.0.113.$n/32 dev lo"$'\n'"addr add 2001:db8:113::$n/128 dev lo nodad"$'\n'
	done
	segment_host_up "be$1" $((100 + $1)) "$vips" net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2 \
		net.core.somaxconn=8192 net.ipv4.tcp_max_syn_backlog=8192 net.ipv4.tcp_tw_reuse=1 || return 1
	[ ! -e "$BPF/deliver" ] || within "be$1" ip link set dev eth0 xdpdrv pinned "$BPF/deliver/deliver"
}

# The program that opens tunnels on backends, one for all of them. Tunnels are opened from where balancers are alone:
# 192.0.2.0/26, 192.0.2.64/28, 2001:db8:2::/121. Keys are those of struct deliver_key (starling/deliver.h): bits and role
# first, IPv4 addresses mapped.
deliver_load() {
	local key
	if [ -e "$BPF/deliver" ] || [ ! -e "$O/bpf/deliver.bpf.o" ]; then return 0; fi
	bpftool prog loadall "$O/bpf/deliver.bpf.o" "$BPF/deliver" pinmaps "$BPF/deliver" || return 1
	for key in "$((32 + 96 + 26)) 0 0 0  2 0 0 0  0 0 0 0 0 0 0 0 0 0 255 255 192 0 2 0" \
		"$((32 + 96 + 28)) 0 0 0  2 0 0 0  0 0 0 0 0 0 0 0 0 0 255 255 192 0 2 64" \
		"$((32 + 121)) 0 0 0  2 0 0 0  32 1 13 184 0 2 0 0 0 0 0 0 0 0 0 0"; do
		# shellcheck disable=SC2086 # a list of bytes
		bpftool map update pinned "$BPF/deliver/accept" key $key value 1 && continue
		rm -rf "${BPF:?}/deliver"
		return 1
	done
}

# The router spreads the VIPs' prefixes over the balancers by a hash of addresses and ports.
router_spread() {
	local lb via4=() via6=()
	for lb in $(hosts_of lb); do
		via4+=(nexthop via "192.0.2.$((10 + ${lb#lb}))")
		via6+=(nexthop via "2001:db8:2::$((10 + ${lb#lb}))")
	done
	[ ${#via4[@]} -gt 0 ] || return 0
	within router ip route replace 203.0.113.0/24 "${via4[@]}" &&
		within router ip -6 route replace 2001:db8:113::/64 "${via6[@]}"
}

# One host, whole or not at all: what a crash left half made is made anew.
host_up() { # HOST
	if ns_exists "$1" && [ -e "$RUN/$1/ready" ]; then
		return 0
	fi
	host_down "$1"
	case $1 in
	router) router_up ;;
	client) client_up ;;
	lb*) balancer_up "${1#lb}" ;;
	be*) backend_up "${1#be}" ;;
	esac || return 1
	: >"$RUN/$1/ready"
}

host_down() { # HOST
	local pidfile name
	for pidfile in "$RUN/$1"/*.pid; do
		[ -e "$pidfile" ] || continue
		name=$(basename "$pidfile" .pid)
		process_stop "$1" "$name"
	done
	if ns_exists "$1"; then
		processes_end "$1"
		# at once, not when the last socket has lingered: the name of the port is free for the next
		[ "$1" = router ] || within router ip link delete "$1" 2>/dev/null
		ip netns delete "$LAB-$1"
	fi
	rm -rf "${RUN:?}/$1" "${RUN:?}/run/$1" "${RUN:?}/state/$1" "${BPF:?}/$1"
}

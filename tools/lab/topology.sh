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

# Namespace with the settings that all hosts share.
host_make() { # HOST
	mkdir -p "$RUN/$1"
	ip netns add "$(ns "$1")" || return 1
	within "$1" ip link set lo up
	host_sysctl "$1" net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
		net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0 \
		net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.accept_ra=0 \
		net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.default.send_redirects=0
}

# Frames are to be on the wire as they would be on a real one: whole checksums, no super-packets.
link_plain() { # HOST DEV
	within "$1" ethtool -K "$2" tx off tso off gso off gro off >/dev/null 2>&1
}

link_make() { # HOST: its eth0, the router's port of its name
	within router ip link add name "$1" type veth peer name eth0 netns "$(ns "$1")" || return 1
	link_plain router "$1"
	link_plain "$1" eth0
}

router_up() {
	host_make router || return 1
	host_sysctl router net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
		net.ipv4.fib_multipath_hash_policy=1 net.ipv6.fib_multipath_hash_policy=1 \
		net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
	# where bridge netfilter is loaded, frames must still not pass the machine's IP rules
	[ ! -e /proc/sys/net/bridge ] ||
		host_sysctl router net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0
	within router ip -batch - <<-END
		link add br0 type bridge forward_delay 0 mcast_snooping 0
		link set br0 up
		addr add 192.0.2.1/24 dev br0
		addr add 2001:db8:2::1/64 dev br0 nodad
	END
}

client_up() {
	host_make client && link_make client || return 1
	within router ip -batch - <<-END || return 1
		link set client up
		addr add 198.51.100.1/24 dev client
		addr add 2001:db8:100::1/64 dev client nodad
	END
	host_sysctl client net.ipv4.ip_local_port_range="1024 65535" net.ipv4.tcp_tw_reuse=1 \
		net.ipv4.tcp_fin_timeout=5
	{
		echo link set eth0 up
		seq -f 'addr add 198.51.100.%g/24 dev eth0' 10 17
		seq -f 'addr add 2001:db8:100::%g/64 dev eth0 nodad' 10 17
		echo route add default via 198.51.100.1 src 198.51.100.10
		echo route add default via 2001:db8:100::1 src 2001:db8:100::10
	} | within client ip -batch -
}

# A balancer or backend: one port of the router's bridge.
segment_host_up() { # HOST NUMBER: 192.0.2.NUMBER, 2001:db8:2::NUMBER
	host_make "$1" && link_make "$1" || return 1
	within router ip link set "$1" master br0 up || return 1
	within "$1" ip -batch - <<-END
		link set eth0 up
		addr add 192.0.2.$2/24 dev eth0
		addr add 2001:db8:2::$2/64 dev eth0 nodad
		route add default via 192.0.2.1
		route add default via 2001:db8:2::1
	END
}

# veth flushes what its peer sends by XDP_TX only if it has an XDP program itself.
balancer_up() { # N
	segment_host_up "lb$1" $((10 + $1)) || return 1
	within router ip link set dev "lb$1" xdpdrv obj "$O/tools/lab/pass.bpf.o" section xdp.frags
}

# VIPs on lo: held, but neither asked for nor announced by ARP; answers go straight to the client.
backend_up() { # N
	segment_host_up "be$1" $((100 + $1)) || return 1
	host_sysctl "be$1" net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2 \
		net.core.somaxconn=8192 net.ipv4.tcp_max_syn_backlog=8192 net.ipv4.tcp_tw_reuse=1
	{
		seq -f 'addr add 203.0.113.%g/32 dev lo' 10 19
		seq -f 'addr add 2001:db8:113::%g/128 dev lo nodad' 10 19
	} | within "be$1" ip -batch - || return 1
	[ -e "$O/bpf/deliver.bpf.o" ] || return 0
	within "be$1" ip link set dev eth0 xdpdrv obj "$O/bpf/deliver.bpf.o" program deliver && deliver_sources "be$1"
}

# Tunnels are opened from where balancers are alone: 192.0.2.0/26, 192.0.2.64/28, 2001:db8:2::/121.
# Keys are those of struct deliver_key (starling/deliver.h): bits and role first, IPv4 addresses mapped.
deliver_sources() { # HOST
	local id map accept="" key
	id=$(within "$1" ip link show dev eth0 | sed -n 's/.*prog\/xdp id \([0-9]*\).*/\1/p')
	for map in $(bpftool prog show id "$id" | sed -n 's/.*map_ids \([0-9,]*\).*/\1/p' | tr , ' '); do
		bpftool map show id "$map" | grep -q 'name accept ' && accept=$map
	done
	for key in "$((32 + 96 + 26)) 0 0 0  2 0 0 0  0 0 0 0 0 0 0 0 0 0 255 255 192 0 2 0" \
		"$((32 + 96 + 28)) 0 0 0  2 0 0 0  0 0 0 0 0 0 0 0 0 0 255 255 192 0 2 64" \
		"$((32 + 121)) 0 0 0  2 0 0 0  32 1 13 184 0 2 0 0 0 0 0 0 0 0 0 0"; do
		# shellcheck disable=SC2086 # a list of bytes
		bpftool map update id "$accept" key $key value 1 || return 1
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
	touch "$RUN/$1/ready"
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
		ip netns delete "$(ns "$1")"
	fi
	rm -rf "${RUN:?}/$1" "${RUN:?}/run/$1" "${RUN:?}/state/$1" "${BPF:?}/$1"
}

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What `make bench` shows of a whole daemon: 512 VIPs of 64 backends, no two of them at one address, applied by `starling
# config apply` to one just started, APPLIES=5 times. Not here: the same without sockets and next hops (builds.c).
set -eu
cd "$(dirname "$0")/../.."
O=$(realpath "${O:-build}")
APPLIES=${APPLIES:-5}

if [ "${1:-}" != inside ]; then
	dir=$(mktemp -d)
	trap 'rm -rf "$dir"' EXIT
	awk 'BEGIN {
		for (v = 0; v < 512; v++) {
			printf "vip add v%d tcp/203.0.%d.%d:80 scheduler wlc forward ipip\n", v, 100 + v / 250, 1 + v % 250
			for (b = 0; b < 64; b++)
				printf "backend add v%d 10.%d.%d.%d:80 weight 10\n", v, 1 + v / 200, v % 200, b + 1
		}
	}' >"$dir/config"
	printf '\n%-14s %10s %10s %12s %12s\n' "DAEMON, 512x64" "APPLY MS" "AGAIN MS" "LOOP LAG MS" "OWN MEM MB"
	for i in $(seq "$APPLIES"); do
		O=$O unshare -n -m "$0" inside "$dir" "$i"
	done
	echo "(at most: 2000, 200, 10, and 128 together with the tables)"
	exit
fi

dir=$2
run=$dir/$3
mkdir "$run" "$run/bpf"
mount -t bpf bpf "$run/bpf"
ip link set lo up
ip link add d0 type veth peer name d1
ip addr add 10.0.0.1/8 dev d0
ip link set d0 up
ip link set d1 up
"$O/starlingd" --node bench --run-dir "$run" --state-dir "$run/state" --bpf-dir "$run/bpf" 2>"$run/log" &
daemon=$!
trap 'kill $daemon; wait $daemon || true; umount "$run/bpf"' EXIT

starling() {
	"$O/starling" -s "$run/bench/control.sock" "$@"
}

for _ in $(seq 100); do
	! starling status >/dev/null 2>&1 || break
	sleep 0.1
done
sleep 1

apply_ms() {
	local began
	began=$(date +%s%N)
	starling config apply "$dir/config" >/dev/null
	echo $((($(date +%s%N) - began) / 1000000))
}

first=$(apply_ms)
sleep 3
lag=$(starling metric show starling_loop_lag_seconds | awk 'END { printf "%.1f", $NF * 1000 }')
again=$(apply_ms)
own=$(awk '/^RssAnon/ { printf "%.1f", $2 * 1024 / 1e6 }' "/proc/$daemon/status")
printf '%-14s %10s %10s %12s %12s\n' "" "$first" "$again" "$lag" "$own"

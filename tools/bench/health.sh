#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What `make bench` shows of health checks: probes that one core would make, by the CPU time that the prober's thread
# takes for as many as the budget allows. nginx answers, on the same host. Not here: verdicts.
set -eu
cd "$(dirname "$0")/../.."
O=$(realpath "${O:-build}")
SECONDS_EACH=${SECONDS_EACH:-10}

if [ "${1:-}" != inside ]; then
	dir=$(mktemp -d)
	trap 'rm -rf "$dir"' EXIT
	chmod 755 "$dir"
	O=$O unshare -n "$0" inside "$dir"
	exit
fi

dir=$2
mkdir "$dir/nginx"
ip link set lo up
sysctl -qw net.core.somaxconn=8192
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=bench \
	-keyout "$dir/key.pem" -out "$dir/cert.pem" 2>/dev/null
cat >"$dir/nginx.conf" <<-END
	daemon off;
	pid $dir/nginx.pid;
	error_log $dir/error.log crit;
	worker_rlimit_nofile 65536;
	events { worker_connections 16384; }
	http {
		access_log off;
		client_body_temp_path $dir/nginx/1; proxy_temp_path $dir/nginx/2; fastcgi_temp_path $dir/nginx/3;
		uwsgi_temp_path $dir/nginx/4; scgi_temp_path $dir/nginx/5;
		server {
			listen 80 backlog=8192;
			listen 443 ssl backlog=8192;
			ssl_certificate $dir/cert.pem;
			ssl_certificate_key $dir/key.pem;
			location / { return 200 "well\n"; }
		}
	}
END
nginx -e "$dir/error.log" -c "$dir/nginx.conf" &
nginx=$!
"$O/starlingd" --no-dataplane --node bench --run-dir "$dir/run" --state-dir "$dir/state" --bpf-dir "$dir/bpf" 2>"$dir/log" &
daemon=$!
trap 'kill $daemon $nginx; wait $daemon $nginx || true' EXIT

starling() {
	"$O/starling" -s "$dir/run/bench/control.sock" "$@"
}

for _ in $(seq 100); do
	! starling status >/dev/null 2>&1 || break
	sleep 0.1
done

config() { # PORT BACKENDS CHECK...
	local port=$1 backends=$2
	shift 2
	echo "vip add v tcp/203.0.113.1:80"
	echo "health set v $* interval 500ms timeout 500ms"
	awk -v port="$port" -v n="$backends" \
		'BEGIN { for (i = 1; i <= n; i++) printf "backend add v 127.1.%d.%d:%d\n", i / 250, 1 + i % 250, port }'
}

cpu_ticks() { # of the prober's thread
	local task
	for task in /proc/"$daemon"/task/*; do
		[ "$(cat "$task/comm")" != prober ] || awk '{ print $14 + $15 }' "$task/stat"
	done
}

probes() {
	starling metric show starling_health_checks_total | awk 'END { print $NF }'
}

row() { # NAME AIM PORT BACKENDS CHECK...
	local name=$1 aim=$2 ticks count failed began took
	shift 2
	config "$@" >"$dir/config"
	starling config apply "$dir/config" >/dev/null
	sleep 2
	began=$(date +%s%N)
	ticks=$(cpu_ticks) count=$(probes)
	sleep "$SECONDS_EACH"
	ticks=$(($(cpu_ticks) - ticks)) count=$(($(probes) - count))
	took=$(($(date +%s%N) - began))
	failed=$(starling -j health show | jq '[.[].failures] | add')
	awk -v name="$name" -v aim="$aim" -v count="$count" -v ticks="$ticks" -v hz="$(getconf CLK_TCK)" -v ns="$took" \
		-v failed="$failed" 'BEGIN { printf "%-14s %10d %12d %12d %10d\n", name, count * 1e9 / ns, count * hz / ticks, aim, failed }'
}

printf '\n%-14s %10s %12s %12s %10s\n' "HEALTH CHECKS" "PROBES/S" "ONE CORE" "AIM" "FAILED"
row tcp 10000 80 2400 tcp
row http 3000 80 720 http path /healthz
row https 500 443 120 https path /healthz

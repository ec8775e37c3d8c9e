# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What runs on the lab's hosts: nginx and a UDP echo on backends, starlingd on balancers.
# Sourced by tools/lab/lab. Not here: the network (topology.sh).

# One blob and one certificate serve all backends.
content_make() {
	[ -s "$RUN/www/blob" ] || head -c 1048576 /dev/urandom >"$RUN/www/blob" || return 1
	[ -s "$RUN/www/cert.pem" ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
		-days 3650 -subj /CN=lab -addext 'subjectAltName=DNS:lab,IP:203.0.113.10,IP:2001:db8:113::10' \
		-keyout "$RUN/www/key.pem" -out "$RUN/www/cert.pem" 2>/dev/null
}

# ?rate=N answers with N bytes a second. Port 443 takes TLS and plain HTTP alike.
nginx_config() { # HOST
	cat <<-END
		daemon off;
		worker_processes 1;
		pid $RUN/$1/nginx.run;
		error_log $RUN/$1/error.log warn;
		worker_rlimit_nofile 65536;
		events { worker_connections 16384; multi_accept on; }
		http {
			access_log off;
			default_type text/plain;
			client_max_body_size 0;
			client_body_temp_path $RUN/$1/tmp/body;
			proxy_temp_path $RUN/$1/tmp/proxy;
			fastcgi_temp_path $RUN/$1/tmp/fastcgi;
			uwsgi_temp_path $RUN/$1/tmp/uwsgi;
			scgi_temp_path $RUN/$1/tmp/scgi;
			keepalive_timeout 3600;
			keepalive_requests 1000000000;
			reset_timedout_connection on;
			map \$arg_rate \$rate { default \$arg_rate; "" 0; }
			server {
				listen 80 backlog=8192;
				listen [::]:80 backlog=8192 ipv6only=on;
				listen 443 ssl backlog=8192;
				listen [::]:443 ssl backlog=8192 ipv6only=on;
				ssl_certificate $RUN/www/cert.pem;
				ssl_certificate_key $RUN/www/key.pem;
				error_page 497 =200 \$request_uri;
				limit_rate \$rate;
				location = /name { return 200 "$1\n"; }
				location = /blob { alias $RUN/www/blob; }
				location = /upload { proxy_pass http://127.0.0.1/uploaded; }
				location = /uploaded { return 200 "\$http_content_length\n"; }
				location = / { return 200 "$1: /name /blob /upload ?rate=BYTES_A_SECOND\n"; }
			}
		}
	END
}

backend_start() { # HOST
	mkdir -p "$RUN/$1/tmp"
	nginx_config "$1" >"$RUN/$1/nginx.conf"
	process_start "$1" nginx nginx -e "$RUN/$1/error.log" -c "$RUN/$1/nginx.conf"
	process_start "$1" echo "$O/tools/lab/udp_echo" 7 "$1"
}

# The lab's own lines of a balancer's configuration; with a roster, which a test makes, they are a flock.
# A test may say otherwise how they find each other: V4 and V6 in its words are the balancer's addresses.
node_lines() { # N
	local words="address V4 device eth0 peers 192.0.2.11"
	[ ! -s "$RUN/node" ] || words=$(cat "$RUN/node")
	words=${words//V4/192.0.2.$((10 + $1))}
	words=${words//V6/2001:db8:2::$((10 + $1))}
	cat <<-END
		node set name lb$1 $words site lab
		iface attach eth0
	END
	[ ! -s "$RUN/roster" ] || cat "$RUN/roster"
}

# Every scheduler and forward mode once, for all backends.
example_lines() {
	local vip be n backends
	backends=$(hosts_of be)
	cat <<-END
		vip add web tcp/203.0.113.10:80,tcp/203.0.113.10:443,tcp/[2001:db8:113::10]:80,tcp/[2001:db8:113::10]:443 \\
		        scheduler wlc forward ipip
		vip add direct tcp/203.0.113.11:80,tcp/[2001:db8:113::11]:80 scheduler mh forward dr
		vip add tunnel tcp/203.0.113.12:80,tcp/[2001:db8:113::12]:80 scheduler wrr forward gue
		vip add echo udp/203.0.113.10:7,udp/[2001:db8:113::10]:7 scheduler mh forward ipip
	END
	for vip in web:80 direct:80 tunnel:80 echo:7; do
		for be in $backends; do
			n=$((100 + ${be#be}))
			echo "backend add ${vip%:*} 192.0.2.$n:${vip#*:} weight 10"
		done
	done
}

balancer_lines() { # N
	node_lines "$1"
	if [ -s "$RUN/config" ]; then cat "$RUN/config"; else example_lines; fi
}

# Starts the daemon, or hands a changed configuration to the one that runs.
balancer_start() { # HOST
	local conf=$RUN/$1/starling.conf
	[ -x "$O/starlingd" ] || return 0
	balancer_lines "${1#lb}" >"$conf.new"
	if process_alive "$1" starlingd; then
		cmp -s "$conf.new" "$conf" && return 0
		mv "$conf.new" "$conf"
		host_exec "$1" "$O/starling" config apply "$conf" >/dev/null
		return
	fi
	mv "$conf.new" "$conf"
	process_start "$1" starlingd "$O/starlingd" -f "$conf" --run-dir "$RUN/run" --state-dir "$RUN/state" \
		--bpf-dir "$BPF" --checks-dir "$RUN/checks" --hooks-dir "$RUN/hooks"
}

# Waits until a host's services answer; the sentence names the log if they do not.
host_wait() { # HOST
	local i
	for ((i = 0; i < 200; i++)); do
		case $1 in
		be*) within "$1" curl -s -m 1 -o /dev/null "http://127.0.0.1/name" && return 0 ;;
		lb*) [ ! -x "$O/starling" ] || host_exec "$1" "$O/starling" status >/dev/null 2>&1
			[ $? -ne 3 ] && return 0 ;;
		*) return 0 ;;
		esac
		sleep 0.05
	done
	tail -n 5 "$RUN/$1"/*.log >&2
	die "$1 does not answer; see $RUN/$1/*.log"
}

# The environment that a command on a host gets; the second form does not come back.
host_exec() { # HOST CMD...
	(host_become "$@")
}

host_become() { # HOST CMD...
	local host=$1
	shift
	export PATH=$O:$PATH STARLING_SOCKET=$RUN/run/$host/control.sock
	exec nsenter --net="/run/netns/$LAB-$host" -- "$@" 9>&-
}

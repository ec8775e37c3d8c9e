#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What a flock's checks cost a backend, counted at a real nginx: as many requests with 32 daemons as with 4, since four
# observe; and that with these gone the others take over. Not here: up to 128 in virtual time (make sim), what votes
# decide (verdict.sh).
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/crowd.sh"

FEW=4
MANY=32
INTERVAL_MS=500
COUNT_SECONDS=6
BACKEND=10.77.1.1:80

cat >"$TMP/services" <<END
vip add web tcp/203.0.113.10:80
backend add web $BACKEND
health set web http path /name interval ${INTERVAL_MS}ms timeout 400ms rise 2 fall 2
END
cat >"$TMP/nginx.conf" <<END
daemon off;
worker_processes 1;
pid $TMP/nginx.pid;
error_log $TMP/nginx.log warn;
events { worker_connections 1024; }
http {
	access_log $TMP/access.log;
	client_body_temp_path $TMP/body;
	proxy_temp_path $TMP/proxy;
	fastcgi_temp_path $TMP/fastcgi;
	uwsgi_temp_path $TMP/uwsgi;
	scgi_temp_path $TMP/scgi;
	server {
		listen $BACKEND;
		location = /name { return 200 "backend\n"; }
	}
}
END

nginx_stop() { # its worker goes with it
	[ -z "$NGINX" ] || kill -TERM "$NGINX"
	wait $NGINX
	NGINX=
}

health_of() { # N KEY
	at "$1" -j health show vip web | jq -r ".[0].$2"
}

all_held() { # VERDICT BY
	local FLOCK=("${!PID[@]}")
	all_say "all(.[0] | .verdict == \"$1\" and .by == \"$2\")" health show vip web
}

# Requests in some seconds, as many as they would be in exactly so many.
requests() {
	local before after began=$EPOCHREALTIME
	before=$(wc -l <"$TMP/access.log")
	sleep $COUNT_SECONDS
	after=$(wc -l <"$TMP/access.log")
	awk -v n=$((after - before)) -v from="$began" -v to="$EPOCHREALTIME" -v s=$COUNT_SECONDS \
		'BEGIN { printf "%d\n", n * s / (to - from) + 0.5 }'
}

near() { # A B: within a quarter
	[ $((4 * ($1 > $2 ? $1 - $2 : $2 - $1))) -le "$2" ]
}

# One of a flock of COUNT: its observers, and what they ask of the backend.
flock_counted() { # COUNT
	check "$1 daemons find each other" wait_for 60 all_alive "$1" "${!PID[@]}"
	check "$1 daemons: it is up, by votes" wait_for 30 all_held up certified
	equal "$1 daemons: four observe" "4 3" "$(health_of 1 observers) $(health_of 1 quorum)"
	REQUESTS=$(requests)
	note "$1 daemons: $REQUESTS requests in $COUNT_SECONDS s"
}

ip address add "${BACKEND%:*}/32" dev lo
nginx -e "$TMP/nginx.log" -c "$TMP/nginx.conf" &
NGINX=$!
cleanup nginx_stop
check "a backend answers" wait_for 10 curl -s -m 1 -o "$TMP/answer" "http://$BACKEND/name"

crowd_start 1 $FEW
check "the first one makes keys" at 1 node init
crowd_configure "$TMP/services"
flock_counted $FEW
few=$REQUESTS
check "as many as four observers make" near "$few" $((4 * COUNT_SECONDS * 1000 / INTERVAL_MS))

crowd_start $((FEW + 1)) $MANY
crowd_configure "$TMP/services"
flock_counted $MANY
check "and no more of them with $MANY" near "$REQUESTS" "$few"

# --- none of those who observe is left
mapfile -t OBSERVERS < <(health_of 1 votes | grep -oE '\bn[0-9]+ ' | tr -d 'n ')
equal "the four are known by name" 4 ${#OBSERVERS[@]}
lose "${OBSERVERS[@]}"
check "the others go by their own probes" wait_for 30 all_held up local
note "without the four: $(requests) requests in $COUNT_SECONDS s by $((MANY - 4)) daemons"
equal "a healthy backend was never down to anybody" "" "$(grep -h 'kind=backend.*after=down' "$TMP"/n*.log)"
nginx_stop
check "and a dead one is to all" wait_for 30 all_held down local
equal "which they have told" $((MANY - 4)) "$(grep -l 'kind=backend.*after=down' "$TMP"/n*.log | wc -l)"

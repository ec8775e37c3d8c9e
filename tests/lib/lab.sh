# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A lab of one test's own, and loads on it. Source after tap.sh. Not here: the lab itself (tools/lab).

export STARLING_LAB=t$$
LAB=$TOP/tools/lab/lab
LOAD=$O/tools/lab/load
SOURCES=198.51.100.10/2001:db8:100::10,8 # the client's addresses
export O

lab_begin() { # OPTIONS of `lab up`
	cleanup "'$LAB' down"
	if ! "$LAB" up "$@" >"$TMP/up" 2>&1; then
		not_ok "the lab comes up" "$(cat "$TMP/up")"
		exit 1
	fi
}

# As `lab exec` does, at a fifth of its cost: tests do it thousands of times. Not in the background: the process would
# be a shell that waits.
on() { # HOST CMD...
	PATH=$O:$PATH STARLING_SOCKET=/run/starling-lab/$STARLING_LAB/run/$1/control.sock \
		nsenter --net="/run/netns/$STARLING_LAB-$1" -- "${@:2}"
}

# To a backend's nginx: the master first, as it would begin others for workers that are killed.
signal() { # SIGNAL BACKEND...
	local signal=$1 be pid
	shift
	for be; do
		pid=$(cut -d ' ' -f 1 "/run/starling-lab/$STARLING_LAB/$be/nginx.pid")
		# shellcheck disable=SC2046 # a list
		kill "-$signal" "$pid" $(pgrep -P "$pid")
	done
}

# The `starling` of the first balancer.
lb() { # WORDS...
	on lb1 starling "$@"
}

load() { # OPTIONS: of tools/lab/load, on the client, from all its addresses
	on client "$LOAD" -s "$SOURCES" "$@"
}

# A load in the background until load_end, which leaves its last line in $SAID. It leaves the CPUs to others.
declare -A LOAD_PID
LOAD_RATE=500
[ -z "${SOAK:-}" ] || LOAD_RATE=0
load_begin() { # NAME OPTIONS
	local name=$1
	shift
	"$LAB" exec client "$LOAD" -s "$SOURCES" -t 3600 -r $LOAD_RATE "$@" >"$TMP/load-$name" 2>&1 &
	LOAD_PID[$name]=$!
	cleanup "kill ${LOAD_PID[$name]}"
}

load_end() { # NAME
	kill "${LOAD_PID[$1]}"
	wait "${LOAD_PID[$1]}"
	SAID=$(tail -n 1 "$TMP/load-$1")
	note "$1: $SAID"
}

# The number after a word of load's last line; 0 if the word is not there.
word_of() { # WORD TEXT
	printf '%s\n' "$2" | tail -n 1 | awk -v word="$1" '{ for (i = 1; i < NF; i++) if ($i == word) n = $(i + 1) } END { print n + 0 }'
}

# Ends the load "served": it was one, and no request failed.
served_end() {
	load_end served
	equal "no request failed meanwhile" 0 "$(word_of failed "$SAID")"
	check "of many" test "$(word_of ok "$SAID")" -gt 1000
}

# Passes if load answered COUNT requests and none failed.
none_fails() { # NAME COUNT OPTIONS...
	local name=$1 count=$2 said
	shift 2
	said=$(load -n "$count" "$@" 2>&1)
	if [ "$(word_of ok "$said")" = "$count" ] && [ "$(word_of failed "$said")" = 0 ]; then
		ok "$name"
	else
		not_ok "$name" "$said"
	fi
	# shellcheck disable=SC2034 # for the caller
	LAST=$said
}

# A planned change (drain, return, weight, addition) of an mh VIP takes place when its slots have been warm for 5 s.
# shellcheck disable=SC2034 # for the tests
WARM_S=7

# Lines of a VIP on port 80 of both versions, with backends be1..beN of one version.
vip_lines() { # NAME LAST_OCTET SCHEDULER FORWARD 4|6 N [WEIGHT...]
	local name=$1 octet=$2 scheduler=$3 forward=$4 version=$5 count=$6 i
	shift 6
	echo "vip add $name tcp/203.0.113.$octet:80,tcp/[2001:db8:113::$octet]:80 scheduler $scheduler forward $forward"
	for ((i = 1; i <= count; i++)); do
		echo "backend add $name $(be "$i" "$version") weight ${1:-10}"
		[ $# -lt 1 ] || shift
	done
}

routes() { # LAST OCTETS...: of the balancers that get packets of the VIPs
	local octet via=()
	for octet; do via+=(nexthop via "192.0.2.$octet"); done
	on router ip route replace 203.0.113.0/24 "${via[@]}"
}

be() { # N [4|6]: a backend as the configuration names it
	if [ "${2:-4}" = 4 ]; then echo "192.0.2.$((100 + $1)):80"; else echo "[2001:db8:2::$((100 + $1))]:80"; fi
}

vip4() { echo "203.0.113.$1:80"; }
vip6() { echo "[2001:db8:113::$1]:80"; }

# A number of a VIP, or of a VIP's backend, from JSON.
vip_value() { # VIP KEY
	lb -j vip show "$1" | jq -r "[.. | objects | select(.name? == \"$1\")][0].$2"
}

backend_value() { # VIP BACKEND KEY
	lb -j backend show vip "$1" | jq -r "[.. | objects | select(.backend? == \"$2\")][0].$3"
}

daemon_pid() { # HOST
	cut -d ' ' -f 1 "/run/starling-lab/$STARLING_LAB/$1/starlingd.pid"
}

process_gone() { # PID
	! kill -0 "$1"
}

daemon_end() { # HOST [SIGNAL]: it is gone then
	local pid
	pid=$(daemon_pid "$1")
	kill "-${2:-KILL}" "$pid"
	wait_for 10 process_gone "$pid"
}

# Connections that stay open: hold_begin opens them, hold_again has each ask once more and ends them.
# Both leave load's line in $SAID.
declare -A HOLD_FD HOLD_PID
hold_begin() { # NAME OPTIONS
	local name=$1 fd
	shift
	mkfifo "$TMP/hold-$name.in"
	"$LAB" exec client "$LOAD" -s "$SOURCES" -k "$@" <"$TMP/hold-$name.in" >"$TMP/hold-$name" 2>&1 &
	HOLD_PID[$name]=$!
	cleanup "kill ${HOLD_PID[$name]}"
	exec {fd}>"$TMP/hold-$name.in"
	HOLD_FD[$name]=$fd
	[ -n "${HOLD_LATER:-}" ] || hold_wait "$name"
}

hold_wait() { # NAME: until all have their first answer
	wait_for 30 grep -q held "$TMP/hold-$1"
	SAID=$(tail -n 1 "$TMP/hold-$1")
	note "$1: $SAID"
}

hold_again() { # NAME
	local fd=${HOLD_FD[$1]}
	echo >&"$fd"
	exec {fd}>&-
	wait "${HOLD_PID[$1]}"
	SAID=$(tail -n 1 "$TMP/hold-$1")
	note "$1 again: $SAID"
}

# Whether a number is within some of another.
near() { # WANTED GOT AT_MOST
	[ $(($1 > $2 ? $1 - $2 : $2 - $1)) -le "$3" ]
}

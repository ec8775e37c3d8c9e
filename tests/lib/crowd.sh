# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Many witnesses (daemons without a data plane), without privilege, in one network namespace, which ends with the last
# process in it. Source after tap.sh. Not here: a lab of balancers (lab.sh).

[ "$(id -u)" = 0 ] || {
	skip "$(basename "$0")" "needs root"
	exit 0
}
[ -n "${CROWD_IN_NAMESPACE:-}" ] || {
	rmdir "$TMP" # it has one of its own
	CROWD_IN_NAMESPACE=1 exec unshare -n -- bash "$0" "$@"
}

PATH=$O:$PATH
declare -a PID # of daemons, by their number
ip link set lo up
sysctl -qw net.core.rmem_max=4194304 2>/dev/null || true
mkdir "$TMP/run" "$TMP/state"
cp "$O/starlingd" "$TMP/starlingd" # where anybody may run it
chmod 711 "$TMP"
chown nobody "$TMP/run" "$TMP/state"

address() { echo "10.77.0.$1"; }
at() { # N WORDS...
	local n=$1
	shift
	starling -t 30 -s "$TMP/run/n$n/control.sock" "$@"
}
start() { # N
	setpriv --reuid nobody --clear-groups --inh-caps=-all \
		"$TMP/starlingd" --no-dataplane --node "n$1" -f "$TMP/n$1.conf" --run-dir "$TMP/run" --state-dir "$TMP/state" \
		--http "$(address "$1"):9427" >>"$TMP/n$1.log" 2>&1 &
	PID[$1]=$!
	disown
}
lose() { # N...
	local n
	for n; do
		kill -9 "${PID[n]}"
		unset "PID[$n]"
	done
}
stop_all() {
	local n
	for n in "${!PID[@]}"; do kill -9 "${PID[n]}" 2>/dev/null; done
}
own_line() { echo "node set address $(address "$1") peers $(address 1),$(address 2) site s"; }
answers() { at "$1" version >/dev/null 2>&1; }
metric() { # N FAMILY: its value at a node
	curl -sg --max-time 10 "http://$(address "$1"):9427/metrics" | awk -v f="$2" '$1 == f { print $2 }'
}
alive() { [ "$(metric "$1" 'starling_gossip_members{state="alive"}')" = "$2" ]; }
all_alive() { # COUNT NODE...
	local count=$1 n
	shift
	for n; do alive "$n" "$count" || return 1; done
}

# Daemons FIRST to LAST begin; each is in $TMP/roster from then on.
crowd_start() { # FIRST LAST
	local n key
	for ((n = $1; n <= $2; n++)); do
		ip address add "$(address $n)/32" dev lo
		own_line $n >"$TMP/n$n.conf"
		start $n
	done
	for ((n = $1; n <= $2; n++)); do
		wait_for 60 answers $n || not_ok "daemon $n starts" "$(cat "$TMP/n$n.log")"
		key=$(at $n -j node show | jq -r '[.. | objects | select(.self? == true)][0].key')
		echo "roster add n$n $key site s" >>"$TMP/roster"
	done
}

# All of them have the roster and the shared lines of a file.
crowd_configure() { # FILE
	local n
	for n in "${!PID[@]}"; do
		{
			own_line "$n"
			cat "$1" "$TMP/roster"
		} >"$TMP/n$n.conf"
		kill -HUP "${PID[n]}"
	done
}

cleanup stop_all
